/* SPDX-License-Identifier: Apache-2.0 */
/* exact_flow.c - the exponential of each mode. */
#include "evolve/exact_flow.h"

#include <math.h>

void sfi_exact_flow(const sfi_modes *m, double h, const double *rates,
                    double *z, double *x)
{
    sfi_action_collect(m->a, rates, z, false);
    sfi_modes_there(m, z);
    for (int64_t i = 0; i < m->n; i++) {
        const double t = m->lambda[i] * h;
        z[i] *= h / m->scale * (t != 0.0 ? -expm1(-t) / t : 1.0);
    }
    sfi_modes_back(m, z);
    for (int64_t i = 0; i < m->a->points; i++)
        if (!m->a->pinned[i])
            x[i] += *z++;
}
