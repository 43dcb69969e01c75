/* SPDX-License-Identifier: Apache-2.0 */
/* symplectic.h - conservative motion, by splitting.
 *
 * The motion dq/dt = M^-1 p, dp/dt = -grad f(q) keeps f + p' M^-1 p / 2.  A step
 * alternates kicks (p changes, q does not) and drifts (the other way round), each
 * of which is exact, so that it keeps volumes, can be taken back, and conserves a
 * quantity near the energy for ever.  E. Hairer, C. Lubich, G. Wanner, Geometric
 * Numerical Integration (2006), II and IX. */
#ifndef SFI_SYMPLECTIC_H
#define SFI_SYMPLECTIC_H

#include "functional/functional.h"

enum { SFI_SPLITTING_STAGES = 3 };

/* Parts of a step h: a kick, then for each stage a drift, a gradient and a kick.
 * The last gradient serves the next step's first kick. */
typedef struct sfi_splitting {
    const char *name;
    int order, stages;
    double first;
    double drift[SFI_SPLITTING_STAGES], kick[SFI_SPLITTING_STAGES];
} sfi_splitting;

/* Stoermer, Verlet: one gradient a step. */
extern const sfi_splitting sfi_leapfrog;
/* Three leapfrogs of which the middle one goes back: H. Yoshida, Physics Letters A
 * 150 (1990) 262-268. */
extern const sfi_splitting sfi_yoshida;

/* p -= h slope;  q += h v. */
void sfi_kick(double *p, const double *slope, double h, int64_t n);
void sfi_drift(double *q, const double *v, double h, int64_t n);

/* Take `steps` steps h with q, p and slope = grad f(q), [walkers, unknowns], which
 * must be up to date at the start and is so at the end.  `inverse_mass` [unknowns],
 * NULL: 1.  Returns SF_OK or what the functional returned. */
sf_status sfi_symplectic_run(sf_context *ctx, const sf_functional *f,
                             const sfi_splitting *splitting,
                             const double *inverse_mass, double h,
                             int64_t steps, int64_t walkers, double *q,
                             double *p, double *slope);

#endif
