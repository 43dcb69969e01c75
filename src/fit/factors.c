/* SPDX-License-Identifier: Apache-2.0 */
/* factors.c - factor analysis by Newton's method on the profile likelihood.
 *
 * For given noise Psi the best loadings are known: with the eigenvalues t_1 >= t_2 >= ...
 * of Psi^-1/2 S Psi^-1/2 and its unit eigenvectors w_k they are Psi^1/2 (t_k - 1)^1/2 w_k,
 * k <= K, where t_k > 1.  What is left is a function of n_j = ln psi_j,
 *
 *     F = 1/2 [ sum_j n_j + sum_top (ln t_k + 1) + sum_rest t_l ],
 *
 * minus the mean log likelihood but for a constant.  With u_k = w_ik w_jk its derivatives
 * are
 *
 *     g_i  = 1/2 sum_rest (1 - t_l) w_il^2
 *     H_ij = 1/4 [ 2 (sum_rest u_l) (sum_rest t_l u_l)
 *                  + 2 sum_top sum_rest (1 - t_l) (t_k + t_l)/(t_k - t_l) u_k u_l ]
 *
 * (those of a function of a matrix's eigenvalues).  The expectation-maximisation
 * algorithm stalls where a noise is small; this converges quadratically in a few
 * eigenproblems.  Steps are damped as K. Levenberg did, noises at their bound whose
 * gradient points outside are left there (D. P. Bertsekas, SIAM J. Control Optim. 20
 * (1982) 221-246). */
#include "fit/factors.h"

#include "num/linalg.h"

#include <math.h>
#include <string.h>

/* Of the gradient, which is a change of the mean log likelihood, in nats, per relative
 * change of a noise's variance. */
static const double small_gradient = 1e-11;
static const double epsilon = 2.2204460492503131e-16;
static const double most_damping = 1e12;
/* Of ln psi, in a step. */
static const double longest_step = 3.0;

typedef struct factor_search {
    sf_context *ctx;
    const double *s;
    sfi_factors *f;      /* at the point that is tried                      */
    double *best_values; /* [d] eigenvalues at the best point               */
    double *best;        /* [d, d] its eigenvectors                         */
    double *at;          /* [d] ln psi there                                */
    double *gradient;    /* [d]                                             */
    double *hessian;     /* [d, d]                                          */
    double *factor;      /* [d, d]                                          */
    double *step;        /* [d]                                             */
    bool *bound;         /* [d] left where it is                            */
    double value;        /* F there                                         */
} factor_search;

/* The latent variables of the point that are worth their loadings. */
static int64_t top_of(const sfi_factors *f, const double *values)
{
    int64_t top = 0;
    while (top < f->latent && values[f->dim - 1 - top] > 1.0)
        top++;
    return top;
}

/* F at f->noise; eigenvalues and vectors to f. */
static sf_status evaluate(factor_search *q, double *value)
{
    sfi_factors *f = q->f;
    const int64_t d = f->dim;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            f->vectors[i * d + j] =
                q->s[i * d + j] / sqrt(f->noise[i] * f->noise[j]);
    SFI_TRY(sfi_eigen_symmetric(q->ctx, f->values, f->vectors, f->vectors, d));
    const int64_t rest = d - top_of(f, f->values);
    double sum = 0.0;
    for (int64_t j = 0; j < d; j++)
        sum += log(f->noise[j]);
    for (int64_t k = 0; k < d; k++)
        sum += k < rest ? f->values[k] : log(f->values[k]) + 1.0;
    *value = 0.5 * sum;
    return SF_OK;
}

/* H_ij from the vectors of the best point. */
static double curvature(const factor_search *q, int64_t rest, int64_t i,
                        int64_t j)
{
    const int64_t d = q->f->dim;
    const double *t = q->best_values;
    double plain = 0.0, weighted = 0.0, mixed = 0.0;
    for (int64_t l = 0; l < rest; l++) {
        const double u = q->best[l * d + i] * q->best[l * d + j];
        plain += u;
        weighted += t[l] * u;
    }
    for (int64_t k = rest; k < d; k++) {
        double sum = 0.0;
        for (int64_t l = 0; l < rest; l++) {
            const double gap = fmax(t[k] - t[l], 1e-9 * t[k]);
            sum += (1.0 - t[l]) * (t[k] + t[l]) / gap * q->best[l * d + i] *
                   q->best[l * d + j];
        }
        mixed += sum * q->best[k * d + i] * q->best[k * d + j];
    }
    return 0.5 * (plain * weighted + mixed);
}

static void differentiate(factor_search *q)
{
    const int64_t d = q->f->dim, rest = d - top_of(q->f, q->best_values);
    for (int64_t i = 0; i < d; i++) {
        double sum = 0.0;
        for (int64_t l = 0; l < rest; l++)
            sum += (1.0 - q->best_values[l]) * q->best[l * d + i] *
                   q->best[l * d + i];
        q->gradient[i] = 0.5 * sum;
        for (int64_t j = 0; j <= i; j++)
            q->hessian[i * d + j] = q->hessian[j * d + i] =
                curvature(q, rest, i, j);
    }
}

/* Which noises stay at their bound, and the largest part of the others' gradient. */
static double free_gradient(factor_search *q)
{
    double most = 0.0;
    for (int64_t j = 0; j < q->f->dim; j++) {
        q->bound[j] =
            q->at[j] <= log(SFI_FACTORS_BOUND) && q->gradient[j] > 0.0;
        if (!q->bound[j])
            most = fmax(most, fabs(q->gradient[j]));
    }
    return most;
}

/* Solve (H + damping) step = -g among the free ones; what F should fall by, negative
 * where the matrix is not positive definite. */
static double solve(factor_search *q, double damping)
{
    const int64_t d = q->f->dim;
    double longest = 0.0, fall = 0.0;
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++)
            q->factor[i * d + j] =
                q->bound[i] || q->bound[j] ? 0.0 : q->hessian[i * d + j];
        q->factor[i * d + i] += q->bound[i] ? 1.0 : damping;
        q->step[i] = q->bound[i] ? 0.0 : -q->gradient[i];
    }
    if (sfi_cholesky(q->ctx, q->factor, q->factor, d, "Hessian", NULL) !=
        SF_OK) {
        sfi_message_clear(q->ctx);
        return -1.0;
    }
    sfi_cholesky_solve(q->factor, d, (sf_mat){q->step, 1, d, d});
    for (int64_t i = 0; i < d; i++)
        longest = fmax(longest, fabs(q->step[i]));
    const double cut = longest > longest_step ? longest_step / longest : 1.0;
    for (int64_t i = 0; i < d; i++) {
        q->step[i] *= cut;
        fall -= 0.5 * q->step[i] * q->gradient[i];
    }
    return fall;
}

static void accept(factor_search *q, double value)
{
    const size_t d = (size_t)q->f->dim;
    for (int64_t j = 0; j < q->f->dim; j++)
        q->at[j] = log(q->f->noise[j]);
    memcpy(q->best_values, q->f->values, d * sizeof *q->f->values);
    memcpy(q->best, q->f->vectors, d * d * sizeof *q->f->vectors);
    q->value = value;
}

/* K. G. Joreskog's start, (1 - K/(2 d))/(S^-1)_jj, or half the variance where S is
 * singular. */
static sf_status begin(factor_search *q)
{
    const int64_t d = q->f->dim;
    const double share = 1.0 - 0.5 * (double)q->f->latent / (double)d;
    double value = 0.0;
    const bool regular =
        sfi_cholesky(q->ctx, q->factor, q->s, d, "correlation", NULL) == SF_OK;
    if (regular)
        sfi_cholesky_inverse(q->factor, q->factor, d);
    else
        sfi_message_clear(q->ctx);
    for (int64_t j = 0; j < d; j++)
        q->f->noise[j] =
            regular ? fmax(share / q->factor[j * d + j], SFI_FACTORS_BOUND)
                    : 0.5;
    SFI_TRY(evaluate(q, &value));
    accept(q, value);
    return SF_OK;
}

/* What rounding leaves of F and its gradient: eigenvalues are right to a part of the
 * largest, which is a million where a noise is at its bound. */
static double rounding_of(const factor_search *q)
{
    return epsilon *
           (16.0 * (double)q->f->dim + 4.0 * q->best_values[q->f->dim - 1]);
}

static sf_status iterate(factor_search *q, int64_t iterations)
{
    sfi_factors *f = q->f;
    double damping = 1e-3;
    differentiate(q);
    for (f->iterations = 0; f->iterations < iterations; f->iterations++) {
        double value = 0.0;
        const sf_progress p = {.stage = "factors",
                               .step = f->iterations,
                               .steps = iterations,
                               .loss = q->value,
                               .held_out = NAN};
        const double rounding = rounding_of(q);
        f->converged = free_gradient(q) < fmax(small_gradient, rounding);
        if (f->converged || damping > most_damping)
            return SF_OK;
        if (!sfi_progress(q->ctx, &p, false))
            return SFI_FAIL(q->ctx, SF_E_CANCELLED, "fa: stopped");
        const double fall = solve(q, damping);
        if (fall >= 0.0) {
            for (int64_t j = 0; j < f->dim; j++)
                f->noise[j] =
                    fmax(exp(q->at[j] + q->step[j]), SFI_FACTORS_BOUND);
            SFI_TRY(evaluate(q, &value));
        }
        if (fall < 0.0 || !(value <= q->value + rounding)) {
            damping = 10.0 * fmax(damping, 1e-9);
            continue;
        }
        damping *= q->value - value > 0.5 * fall || fall < rounding ? 0.1 : 2.0;
        accept(q, value);
        differentiate(q);
    }
    return SF_OK;
}

sf_status sfi_factors_fit(sf_context *ctx, sfi_factors *f, const double *s,
                          int64_t iterations)
{
    const size_t d = (size_t)f->dim, room = 3 * d * d + 4 * d;
    factor_search q = {.ctx = ctx, .s = s, .f = f};
    double *work = sfi_alloc(ctx, room, sizeof *work);
    q.bound = sfi_alloc_zero(ctx, d, sizeof *q.bound);
    sf_status status = SF_E_NOMEM;
    if (work != NULL && q.bound != NULL) {
        q.best = work;
        q.hessian = work + d * d;
        q.factor = work + 2 * d * d;
        q.best_values = work + 3 * d * d;
        q.at = q.best_values + d;
        q.gradient = q.at + d;
        q.step = q.gradient + d;
        f->converged = false;
        status = begin(&q);
        if (status == SF_OK)
            status = iterate(&q, iterations);
    }
    f->at_bound = 0;
    for (size_t j = 0; j < d && status == SF_OK; j++) {
        f->noise[j] = exp(q.at[j]);
        f->at_bound += f->noise[j] <= SFI_FACTORS_BOUND * (1.0 + 1e-12);
    }
    if (status == SF_OK) {
        memcpy(f->values, q.best_values, d * sizeof *f->values);
        memcpy(f->vectors, q.best, d * d * sizeof *f->vectors);
    }
    sfi_free(ctx, q.bound, d, sizeof *q.bound);
    sfi_free(ctx, work, room, sizeof *work);
    return status;
}
