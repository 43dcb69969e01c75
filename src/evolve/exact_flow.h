/* SPDX-License-Identifier: Apache-2.0 */
/* exact_flow.h - linear flows with constant coefficients on a box, exact in time.
 *
 * V dphi/dt = -dE/dphi is da/dt = r - lambda (a - a(0)) for the coefficient a of each mode
 * (action/modes.h), where r is its rate at the start. After any time h
 *
 *     a(h) = a(0) + h r p(lambda h),      p(z) = (1 - e^-z)/z,
 *
 * so one step leads from one output to the next: one gradient, and transforms there and back.
 * A mode with lambda = 0, as the mean is between natural sides, goes on at its rate. */
#ifndef SFI_EXACT_FLOW_H
#define SFI_EXACT_FLOW_H

#include "action/modes.h"

/* x [points] <- the field after a time h >= 0; `rates` [points] are dphi/dt at x, and z [free
 * points] is scratch.  The action is one that sfi_modes_new() fits, linear, and the same at
 * all times. */
void sfi_exact_flow(const sfi_modes *m, double h, const double *rates,
                    double *z, double *x);

#endif
