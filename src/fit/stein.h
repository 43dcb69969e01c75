/* SPDX-License-Identifier: Apache-2.0 */
/* stein.h - the kernel of Stein discrepancies. */
#ifndef SFI_STEIN_H
#define SFI_STEIN_H

#include <stdint.h>

/* u(y, z) of scorefield/matching.h; s and t are the scores at y and z, [dim] each, and
 * `length` is l^2. */
double sfi_stein_kernel(const double *y, const double *s, const double *z,
                        const double *t, int64_t dim, double length);

#endif
