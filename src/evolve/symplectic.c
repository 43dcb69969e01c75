/* SPDX-License-Identifier: Apache-2.0 */
/* symplectic.c - kicks and drifts of many walkers at once, and their coefficients.
 *
 * A step is symmetric in time, so that its error has even powers of h alone; three
 * of second order, of which the middle one goes back, cancel the first of them. */
#include "evolve/symplectic.h"

const sfi_splitting sfi_leapfrog = {"leapfrog", 2, 1, 0.5, {1.0}, {0.5}};

/* 1/(2 - 2^(1/3)) and 1 - 2 of that. */
#define OUTER 1.3512071919596576
#define INNER (-1.7024143839193153)

const sfi_splitting sfi_yoshida = {
    "yoshida",
    4,
    3,
    OUTER / 2,
    {OUTER, INNER, OUTER},
    {(OUTER + INNER) / 2, (OUTER + INNER) / 2, OUTER / 2}};

void sfi_kick(double *p, const double *slope, double h, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        p[j] -= h * slope[j];
}

void sfi_drift(double *q, const double *v, double h, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        q[j] += h * v[j];
}

sf_status sfi_symplectic_run(sf_context *ctx, const sf_functional *f,
                             const sfi_splitting *splitting,
                             const double *inverse_mass, double h,
                             int64_t steps, int64_t walkers, double *q,
                             double *p, double *slope)
{
    const int64_t n = f->unknowns, all = walkers * n;
    for (int64_t t = 0; t < steps; t++) {
        sfi_kick(p, slope, h * splitting->first, all);
        for (int s = 0; s < splitting->stages; s++) {
            const double part = h * splitting->drift[s];
            if (inverse_mass == NULL)
                sfi_drift(q, p, part, all);
            else
                for (int64_t i = 0; i < all; i++)
                    q[i] += part * inverse_mass[i % n] * p[i];
            SFI_TRY(sfi_functional_gradient(ctx, f, NULL, slope, q, walkers));
            sfi_kick(p, slope, h * splitting->kick[s], all);
        }
    }
    return SF_OK;
}
