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

/* E = sign (sum_k c_k phi_k^2/2 + m^2 phi^2/2) + what is linear in phi, of one field, with
 * c_k > 0 and m^2 >= 0; false if it is not. */
bool sfi_direct_coefficients(sf_action *a, double *sign, double *c,
                             double *mass);

/* The same step of an action with open sides (open_sides.c), from a field that is 0, pins
 * included.  What is known then of the points beyond is left in their walls.
 *
 * Returns SF_OK; SF_E_UNSUPPORTED (which sides or density, and why), SF_E_NOMEM. */
sf_status sfi_open_step(sf_action *a, const double *g, const double *volume,
                        double *step);

#endif
