/* SPDX-License-Identifier: Apache-2.0 */
/* draw.c - random numbers that several kernels need. */
#include "kernel/families.h"

#include <math.h>

/* G. Marsaglia and W. W. Tsang, ACM TOMS 26 (2000) 363-372: for shape a >= 1,
 * d v with d = a - 1/3, v = (1 + x/sqrt(9 d))^3, x normal, is accepted with high
 * probability.  For a < 1 a draw of shape a + 1 is multiplied by u^(1/a), here
 * as logarithms.  An attempt takes four components. */
double sfi_draw_log_gamma(double shape, sfi_where where, uint32_t *component)
{
    double log_factor = 0.0;
    if (shape < 1.0) {
        log_factor = log(sfi_uniform_at(where, *component)) / shape;
        *component += 4;
        shape += 1.0;
    }
    const double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        const double x = sfi_normal_at(where, *component);
        const double u = sfi_uniform_at(where, *component + 2);
        *component += 4;
        const double root = 1.0 + c * x;
        if (root <= 0.0)
            continue;
        const double log_v = 3.0 * log(root);
        if (log(u) < 0.5 * x * x + d - d * exp(log_v) + d * log_v)
            return log(d) + log_v + log_factor;
    }
}
