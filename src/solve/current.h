/* SPDX-License-Identifier: Apache-2.0 */
/* current.h - the right-hand side of a one-form at rest. */
#ifndef SFI_CURRENT_H
#define SFI_CURRENT_H

#include "action/action.h"

/* Check that a gradient g [3][points] of a form's action has no divergence and no mean along
 * closed axes, as that of any curl of a curl: *imbalance is the largest, over the largest term
 * of it.  `out` [3][points] is what g has of these: 0, up to 1e-10; below 0.1, or if asked to
 * `project`, with a warning that it is left out: a smooth current that is taken at points is
 * closed to the order of the steps squared.
 *
 * Returns SF_OK; SF_E_NUMERIC (not closed: where), and what sf_action_solve() does of the
 * potential of that part. */
sf_status sfi_balance_current(sf_action *a, const double *g, bool project,
                              double *imbalance, double *out);

#endif
