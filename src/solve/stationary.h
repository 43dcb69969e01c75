/* SPDX-License-Identifier: Apache-2.0 */
/* stationary.h - where an action is stationary, with a part of its gradient left out. */
#ifndef SFI_STATIONARY_H
#define SFI_STATIONARY_H

#include "action/action.h"

/* sf_action_solve() of an action that was described and is at rest, with options that were
 * checked and an `out` that is zero; `open` [unknowns][points] is taken from each gradient, or
 * NULL. */
sf_status sfi_stationary(sf_action *a, sf_field *fields,
                         const sf_action_solve_options *o, const double *open,
                         sf_action_solution *out);

#endif
