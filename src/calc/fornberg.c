/* SPDX-License-Identifier: Apache-2.0 */
/* fornberg.c - weights of difference formulas on any points, by Fornberg's
 * recursion: c[k][j] are the weights of the k-th derivative on the points so far, and
 * one more point changes all of them. */
#include "calc/fornberg.h"

#include <string.h>

void sfi_fornberg(double at, int n, const double *x, int m, double *weights)
{
    double c[SFI_MOST_POINTS][SFI_MOST_POINTS];
    memset(c, 0, sizeof c);
    c[0][0] = 1.0;
    double before = 1.0, distance = x[0] - at;
    for (int i = 1; i < n; i++) {
        const int highest = i < m ? i : m;
        double product = 1.0;
        const double last = distance;
        distance = x[i] - at;
        for (int j = 0; j < i; j++) {
            const double gap = x[i] - x[j];
            product *= gap;
            if (j == i - 1)
                for (int k = highest; k >= 0; k--) {
                    const double lower = k > 0 ? k * c[k - 1][i - 1] : 0.0;
                    c[k][i] = before * (lower - last * c[k][i - 1]) / product;
                }
            for (int k = highest; k >= 0; k--) {
                const double lower = k > 0 ? k * c[k - 1][j] : 0.0;
                c[k][j] = (distance * c[k][j] - lower) / gap;
            }
        }
        before = product;
    }
    for (int i = 0; i < n; i++)
        weights[i] = c[m][i];
}
