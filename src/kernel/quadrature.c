/* SPDX-License-Identifier: Apache-2.0 */
/* quadrature.c - integrals from 0 on, as nodes of a graph. */
#include "kernel/families.h"

#include <math.h>

enum { MOST = 64 };

/* Nodes and weights of Gauss and Legendre on [0, 1], by Newton's method on the
 * Legendre polynomial P_n from the usual first guess. */
static void gauss_legendre(int n, double *x, double *w)
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

sf_node sfi_integrate(sf_graph *g, sfi_integrand f, sf_node length,
                      const sf_node *more, sfi_velocity how)
{
    const int n = how == SFI_VELOCITY_EXACT ? MOST : 24;
    double x[MOST], w[MOST], at[2 * MOST], weight[2 * MOST];
    gauss_legendre(n, x, w);
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
