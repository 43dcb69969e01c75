/* SPDX-License-Identifier: Apache-2.0 */
/* quadrature.c - integrals from 0 on, as nodes of a graph. */
#include "kernel/families.h"

#include "num/legendre.h"

enum { MOST = 64 };

sf_node sfi_integrate(sf_graph *g, sfi_integrand f, sf_node length,
                      const sf_node *more, sfi_velocity how)
{
    const int n = how == SFI_VELOCITY_EXACT ? MOST : 24;
    double x[MOST], w[MOST], at[2 * MOST], weight[2 * MOST];
    sfi_gauss_legendre(n, x, w);
    for (int i = 0; i < n; i++) {
        at[i] = 0.25 * x[i];
        weight[i] = 0.25 * w[i];
        at[n + i] = 0.25 + 0.75 * x[i];
        weight[n + i] = 0.75 * w[i];
    }
    const int64_t count = 2 * n;
    const sf_node s = sf_mul(g, length, sf_const_array(g, 1, &count, at));
    const sf_node values = f(g, s, more);
    return sf_mul(g, length,
                  sf_dot(g, values, sf_const_array(g, 1, &count, weight)));
}
