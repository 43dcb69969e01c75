/* SPDX-License-Identifier: Apache-2.0 */
/* levenberg.h - many small problems side by side, each to the minimum of a function
 * F of K unknowns that is nearly a sum of squares: Levenberg and Marquardt far from
 * it, Newton near it.
 *
 * Problems do not know of each other: what one gets depends on its own terms alone,
 * not on how many there are, which of them still run, or threads. */
#ifndef SFI_LEVENBERG_H
#define SFI_LEVENBERG_H

#include "base/context.h"
#include "num/small.h"

/* What a callback gives first of each point, head [SFI_LEVENBERG_HEAD]:
 *   VALUE    F
 *   SIZE     the length of all residuals, sqrt(2 F) of a sum of squares
 *   ROUNDING what the certificate is in doubt by, for the rounding of F's parts */
enum {
    SFI_LEVENBERG_VALUE = 0,
    SFI_LEVENBERG_SIZE,
    SFI_LEVENBERG_ROUNDING,
    SFI_LEVENBERG_HEAD
};

typedef struct sfi_levenberg_problem {
    int64_t unknowns; /* K, 1 to SFI_SMALL_MAX */
    void *user;

    /* At points z [count, K] of problems row[0..count-1]: head [count, HEAD],
     * gradient [count, K] of F, and matrix [count, K*K], positive semidefinite and
     * near the Hessian of F where the residuals are small.  What is not finite
     * makes a step shorter. */
    sf_status (*terms)(sf_context *ctx, void *user, int64_t count,
                       const int64_t *row, const double *z, double *head,
                       double *gradient, double *matrix);

    /* The Hessian of F, [count, K*K]. */
    sf_status (*hessian)(sf_context *ctx, void *user, int64_t count,
                         const int64_t *row, const double *z, double *hessian);
} sfi_levenberg_problem;

typedef struct sfi_levenberg_options {
    double tolerance;       /* > 0, of the certificate */
    int64_t max_iterations; /* trials of one problem, >= 1 */
} sfi_levenberg_options;

/* How one problem ended. */
typedef struct sfi_levenberg_end {
    double value;       /* F; NaN where it is not finite at the start */
    double certificate; /* sqrt(g' matrix^-1 g) / (1 + size), see below */
    int64_t iterations; /* trials */
    bool converged;     /* certificate <= max(tolerance, rounding) */
} sfi_levenberg_end;

typedef struct sfi_levenberg sfi_levenberg;

/* Room for `most` problems of `unknowns` numbers.  SF_OK or SF_E_NOMEM; on failure
 * *out is NULL.  NULL may be freed. */
sf_status sfi_levenberg_new(sf_context *ctx, sfi_levenberg **out, int64_t most,
                            int64_t unknowns);
void sfi_levenberg_free(sfi_levenberg *l);

/* Minimise `count` problems from z [count, K], which receives the best iterates;
 * `row` [count] is handed to the callbacks.  Nothing is allocated.
 *
 * The certificate is the length of what is left of the residuals along their own
 * tangent space, relative to all of them: of a sum of squares with residuals r and
 * Jacobian A, |projection of r on the columns of A| / (1 + |r|), whatever the units
 * of z.
 *
 * Returns SF_OK, also where problems have not converged, or what a callback
 * returned. */
sf_status sfi_levenberg_run(sfi_levenberg *l,
                            const sfi_levenberg_problem *problem, int64_t count,
                            const int64_t *row, double *z,
                            const sfi_levenberg_options *options,
                            sfi_levenberg_end *end);

#endif
