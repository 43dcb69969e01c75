/* SPDX-License-Identifier: Apache-2.0 */
/* direct.h - Newton's step of an action with constant coefficients, by transforms. */
#ifndef SFI_DIRECT_H
#define SFI_DIRECT_H

#include "action/action.h"

/* step [points] = -H^-1 g, if the action is one of those (direct.c); else *is_done is
 * false and step is unchanged.  Of an action that constants do not change, g is taken
 * without its mean and so is the step. */
sf_status sfi_direct_step(sf_action *a, const double *g, const double *volume,
                          double *step, bool *is_done);

#endif
