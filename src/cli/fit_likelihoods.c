/* SPDX-License-Identifier: Apache-2.0 */
/* fit_likelihoods.c - means of figures of held-out rows, and whether one density is better
 * than another. */
#include "cli/fit.h"

#include <math.h>

void fit_mean_and_error(const double *values, int64_t n, double *mean,
                        double *se)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (values[i] - *mean) * (values[i] - *mean);
    *se = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : NAN;
}

/* Rows of density 0 have no difference that a mean could be taken of. */
bool fit_is_likelier(const double *logpdf, const double *than, int64_t rows,
                     double *gain, double *se)
{
    double sum = 0.0, squares = 0.0;
    int64_t impossible[2] = {0, 0};
    for (int64_t i = 0; i < rows; i++) {
        sum += logpdf[i] - than[i];
        impossible[0] += logpdf[i] == -INFINITY;
        impossible[1] += than[i] == -INFINITY;
    }
    *gain = sum / (double)rows;
    for (int64_t i = 0; i < rows; i++) {
        const double off = logpdf[i] - than[i] - *gain;
        squares += off * off;
    }
    *se = sqrt(squares / (double)(rows - 1) / (double)rows);
    return isfinite(*gain) ? *gain > *se
                           : impossible[0] == 0 && impossible[1] > 0;
}
