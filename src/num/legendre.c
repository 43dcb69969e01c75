/* SPDX-License-Identifier: Apache-2.0 */
/* legendre.c - by Newton's method on the Legendre polynomial P_n, from the usual
 * first guess of its zeros. */
#include "num/legendre.h"

#include <math.h>

void sfi_gauss_legendre(int n, double *x, double *w)
{
    const double pi = 3.14159265358979324;
    for (int i = 0; i < n; i++) {
        double z = cos(pi * (i + 0.75) / (n + 0.5)), slope = 1.0;
        for (int pass = 0; pass < 8; pass++) {
            double p = 1.0, before = 0.0;
            for (int j = 0; j < n; j++) {
                const double next =
                    ((2.0 * j + 1.0) * z * p - j * before) / (j + 1.0);
                before = p;
                p = next;
            }
            slope = n * (z * p - before) / (z * z - 1.0);
            z -= p / slope;
        }
        x[i] = 0.5 * (1.0 - z);
        w[i] = 1.0 / ((1.0 - z * z) * slope * slope);
    }
}
