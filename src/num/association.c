/* SPDX-License-Identifier: Apache-2.0 */
/* association.c - Cramer's V from chi-squared over n, which has a mean of (r-1)(c-1)/(n-1)
 * where nothing is associated: that is taken off, and the numbers of rows and columns
 * are made smaller likewise. */
#include "num/association.h"

#include <math.h>

/* chi^2/n = sum of c_ij^2 / (c_i c_j) - 1 */
double sfi_cramer_v(const int64_t *count, int64_t rows, int64_t cols)
{
    double n = 0.0, phi = 0.0, of_row[SFI_CRAMER_MOST] = {0.0},
           of_col[SFI_CRAMER_MOST] = {0.0};
    double r = 0.0, c = 0.0; /* rows and columns that are not empty */
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            const double here = (double)count[i * cols + j];
            of_row[i] += here;
            of_col[j] += here;
            n += here;
        }
    if (n < 3.0)
        return NAN;
    for (int64_t i = 0; i < rows; i++) {
        r += of_row[i] > 0.0;
        for (int64_t j = 0; j < cols; j++) {
            const double here = (double)count[i * cols + j];
            phi += here > 0.0 ? here / of_row[i] * (here / of_col[j]) : 0.0;
        }
    }
    for (int64_t j = 0; j < cols; j++)
        c += of_col[j] > 0.0;
    const double bias = (r - 1.0) * (c - 1.0) / (n - 1.0);
    const double by = fmin(r - 1.0 - (r - 1.0) * (r - 1.0) / (n - 1.0),
                           c - 1.0 - (c - 1.0) * (c - 1.0) / (n - 1.0));
    const double square = fmax(0.0, phi - 1.0 - bias);
    return by > 0.0 ? fmin(1.0, sqrt(square / by)) : 0.0;
}
