/* SPDX-License-Identifier: Apache-2.0 */
/* geodesic.c - chains of least energy.
 *
 * Energy and not length: length does not know how the curve is parametrised, and its
 * Hessian is singular.  With chords r_i between z_i and z_(i+1), E = (N/2) sum |r_i|^2
 * has a gradient and second derivatives that join neighbours only, in blocks of K:
 *
 *     H = N [ bb_(i-1) + aa_i on the diagonal, ab_i above it ]
 *
 * of the second derivatives of |r_i|^2/2 by its ends a and b.  Near the minimum Newton's
 * steps are taken, by the Hessian, while that is positive definite; elsewhere damped
 * ones by Gauss and Newton's matrix, as solve/levenberg.c does.  Gauss and Newton alone
 * would converge at the rate (l k/pi)^2 for a length l and a curvature k: not at all
 * beyond the first conjugate point.
 *
 * Grids go from coarse to fine: on a fine one alone, a wave as long as the curve would
 * take the most steps. */
#include "latent/chords.h"
#include "latent/block_chain.h"

#include "num/linalg.h"
#include "scorefield/geodesic.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { COARSE = 8 };

static const double first_damping = 1e-3, most_damping = 1e30;
static const double newton_begins = 0.1, least_ratio = 1e-4;
static const double uneven_enough = 1e-2;

/* The terms of all chords of a chain. */
typedef struct terms {
    double *points;            /* [N + 1, K] */
    double *square, *gradient; /* [N], [N, 2 K] */
    double *gauss, *hessian;   /* [N, 2 K, 2 K] */
    double energy;             /* NaN where one is not finite */
} terms;

typedef struct chain {
    sf_context *ctx;
    sfi_chords *chords;
    const sf_geodesic_options *options;
    int n;         /* K */
    int64_t most;  /* N of the finest grid */
    int64_t count; /* N of the present one */
    terms now, trial;
    double *diagonal, *above; /* [N - 1, K, K] of a matrix and its factor */
    double *g, *step;         /* [N - 1, K] */
    double gradient;          /* |grad E|/(1 + E) */
    int64_t iterations;
    bool minimum;
} chain;

/* ---- memory ------------------------------------------------------------------ */

static void free_terms(const chain *c, terms *t)
{
    const size_t m = (size_t)c->most, n = (size_t)c->n;
    sfi_free(c->ctx, t->hessian, m * 4 * n * n, sizeof(double));
    sfi_free(c->ctx, t->gauss, m * 4 * n * n, sizeof(double));
    sfi_free(c->ctx, t->gradient, m * 2 * n, sizeof(double));
    sfi_free(c->ctx, t->square, m, sizeof(double));
    sfi_free(c->ctx, t->points, (m + 1) * n, sizeof(double));
}

static bool make_terms(const chain *c, terms *t)
{
    const size_t m = (size_t)c->most, n = (size_t)c->n;
    t->points = sfi_alloc(c->ctx, (m + 1) * n, sizeof(double));
    t->square = sfi_alloc(c->ctx, m, sizeof(double));
    t->gradient = sfi_alloc(c->ctx, m * 2 * n, sizeof(double));
    t->gauss = sfi_alloc(c->ctx, m * 4 * n * n, sizeof(double));
    t->hessian = sfi_alloc(c->ctx, m * 4 * n * n, sizeof(double));
    return t->points != NULL && t->square != NULL && t->gradient != NULL &&
           t->gauss != NULL && t->hessian != NULL;
}

static void free_chain(chain *c)
{
    const size_t m = (size_t)c->most, n = (size_t)c->n;
    sfi_free(c->ctx, c->step, m * n, sizeof(double));
    sfi_free(c->ctx, c->g, m * n, sizeof(double));
    sfi_free(c->ctx, c->above, m * n * n, sizeof(double));
    sfi_free(c->ctx, c->diagonal, m * n * n, sizeof(double));
    free_terms(c, &c->trial);
    free_terms(c, &c->now);
}

static sf_status make_chain(chain *c)
{
    const size_t m = (size_t)c->most, n = (size_t)c->n;
    const bool enough = make_terms(c, &c->now) && make_terms(c, &c->trial);
    c->diagonal = sfi_alloc(c->ctx, m * n * n, sizeof(double));
    c->above = sfi_alloc(c->ctx, m * n * n, sizeof(double));
    c->g = sfi_alloc(c->ctx, m * n, sizeof(double));
    c->step = sfi_alloc(c->ctx, m * n, sizeof(double));
    return enough && c->diagonal != NULL && c->above != NULL && c->g != NULL &&
                   c->step != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* ---- terms ------------------------------------------------------------------- */

static bool all_finite(const double *a, int64_t count)
{
    return sfi_first_not_finite(a, count) == count;
}

static sf_status evaluate(const chain *c, terms *t)
{
    const int64_t m = c->count, two = 2 * c->n;
    SFI_TRY(sfi_chords_terms(c->chords, m, t->points, t->square, t->gradient,
                             t->gauss, t->hessian));
    t->energy = 0.0;
    for (int64_t i = 0; i < m; i++)
        t->energy += 0.5 * (double)m * t->square[i];
    if (!all_finite(t->gradient, m * two) ||
        !all_finite(t->gauss, m * two * two) ||
        !all_finite(t->hessian, m * two * two))
        t->energy = NAN;
    return SF_OK;
}

/* The gradient by the inner points. */
static void gather_gradient(const chain *c, const terms *t, double *g)
{
    const int n = c->n;
    for (int64_t i = 1; i < c->count; i++)
        for (int k = 0; k < n; k++)
            g[(i - 1) * n + k] =
                (double)c->count * (t->gradient[(i - 1) * 2 * n + n + k] +
                                    t->gradient[i * 2 * n + k]);
}

/* The matrix that has the blocks of chords [N, 2 K, 2 K]. */
static void gather_matrix(const chain *c, const double *blocks)
{
    const int n = c->n, two = 2 * c->n;
    for (int64_t i = 1; i < c->count; i++) {
        const double *before = blocks + (i - 1) * two * two;
        const double *after = blocks + i * two * two;
        for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++) {
                const int64_t at = (i - 1) * n * n + j * n + k;
                c->diagonal[at] =
                    (double)c->count *
                    (before[(n + j) * two + n + k] + after[j * two + k]);
                c->above[at] = (double)c->count * after[j * two + n + k];
            }
    }
}

/* ---- one step ---------------------------------------------------------------- */

static int64_t unknowns(const chain *c)
{
    return (c->count - 1) * c->n;
}

/* c->step <- -(matrix)^-1 g of what is in diagonal and above. */
static bool solve(const chain *c)
{
    if (!sfi_block_chain_factor(c->diagonal, c->above, c->count - 1, c->n))
        return false;
    for (int64_t i = 0; i < unknowns(c); i++)
        c->step[i] = -c->g[i];
    sfi_block_chain_solve(c->diagonal, c->above, c->count - 1, c->n, c->step);
    return true;
}

/* The damped step, and the fall of E that it foresees; mu grows until there is one. */
static double damped_step(const chain *c, double *mu)
{
    const int n = c->n;
    double most = DBL_MIN, damping = 0.0;
    for (;; *mu *= 10.0) {
        gather_matrix(c, c->now.gauss);
        for (int64_t i = 0; i < unknowns(c); i++)
            most = fmax(most, c->diagonal[i / n * n * n + i % n * (n + 1)]);
        for (int64_t i = 0; i < unknowns(c); i++) {
            double *d = &c->diagonal[i / n * n * n + i % n * (n + 1)];
            *d += *mu * (*d + 1e-12 * most);
        }
        if (solve(c) || *mu > most_damping)
            break;
    }
    gather_matrix(c, c->now.gauss);
    for (int64_t i = 0; i < unknowns(c); i++)
        damping +=
            *mu * c->step[i] * c->step[i] *
            (c->diagonal[i / n * n * n + i % n * (n + 1)] + 1e-12 * most);
    return 0.5 * (damping - sfi_dot(c->g, c->step, unknowns(c)));
}

/* |grad E| in the metric of Gauss and Newton, which c->step is overwritten for. */
static void certify(chain *c)
{
    gather_gradient(c, &c->now, c->g);
    gather_matrix(c, c->now.gauss);
    c->gradient = INFINITY;
    if (solve(c))
        c->gradient = sqrt(fmax(0.0, -sfi_dot(c->g, c->step, unknowns(c)))) /
                      (1.0 + c->now.energy);
}

static bool newton_step(chain *c, double *foreseen)
{
    gather_matrix(c, c->now.hessian);
    c->minimum = solve(c);
    *foreseen = -0.5 * sfi_dot(c->g, c->step, unknowns(c));
    return c->minimum;
}

/* How far E falls; from the gradients where that is below its rounding. */
static double fall(const chain *c, double foreseen)
{
    const double rounding =
        100.0 * DBL_EPSILON * fmax(c->now.energy, c->trial.energy);
    if (foreseen > rounding)
        return c->now.energy - c->trial.energy;
    const int n = c->n;
    double sum = sfi_dot(c->g, c->step, unknowns(c));
    for (int64_t i = 1; i < c->count; i++)
        for (int k = 0; k < n; k++)
            sum += c->step[(i - 1) * n + k] * (double)c->count *
                   (c->trial.gradient[(i - 1) * 2 * n + n + k] +
                    c->trial.gradient[i * 2 * n + k]);
    return -0.5 * sum;
}

/* Evaluate at the end of c->step; whether it is taken, by the ratio of fall to fall
 * foreseen. */
static sf_status try_step(chain *c, double foreseen, double *ratio)
{
    const int n = c->n;
    const size_t size = (size_t)((c->count + 1) * n);
    memcpy(c->trial.points, c->now.points, size * sizeof(double));
    for (int64_t i = 0; i < unknowns(c); i++)
        c->trial.points[n + i] += c->step[i];
    SFI_TRY(evaluate(c, &c->trial));
    *ratio = isfinite(c->trial.energy) && foreseen > 0.0
                 ? fall(c, foreseen) / foreseen
                 : -1.0;
    if (*ratio > least_ratio) {
        const terms kept = c->now;
        c->now = c->trial;
        c->trial = kept;
    }
    return SF_OK;
}

/* ---- one grid ---------------------------------------------------------------- */

/* Minimise from c->now.points; NaN energy where that is not finite. */
static sf_status relax_grid(chain *c)
{
    double mu = first_damping, nu = 2.0, foreseen = 0.0, ratio = 0.0;
    bool newton_fails = false;
    SFI_TRY(evaluate(c, &c->now));
    c->minimum = true;
    c->gradient = 0.0;
    if (isnan(c->now.energy) || c->count < 2)
        return SF_OK;
    certify(c);
    for (int64_t t = 0;
         t < c->options->max_iterations &&
         c->gradient > c->options->tolerance && mu < most_damping;
         t++, c->iterations++) {
        const bool by_newton = c->gradient < newton_begins && !newton_fails &&
                               newton_step(c, &foreseen);
        if (!by_newton)
            foreseen = damped_step(c, &mu);
        SFI_TRY(try_step(c, foreseen, &ratio));
        const bool taken = ratio > least_ratio;
        newton_fails = by_newton && !taken;
        if (!by_newton && taken)
            mu *= fmax(1.0 / 3.0, 1.0 - pow(2.0 * ratio - 1.0, 3.0));
        else if (!by_newton)
            mu *= nu;
        nu = by_newton || taken ? 2.0 : 2.0 * nu;
        certify(c);
    }
    newton_step(c, &foreseen); /* whether it is a minimum */
    return SF_OK;
}

/* Points between the points of half as many chords. */
static void refine(chain *c)
{
    const int n = c->n;
    double *z = c->now.points;
    for (int64_t i = c->count; i >= 0; i--)
        memmove(z + 2 * i * n, z + i * n, (size_t)n * sizeof *z);
    c->count *= 2;
    for (int64_t i = 1; i < c->count; i += 2)
        for (int k = 0; k < n; k++)
            z[i * n + k] = 0.5 * (z[(i - 1) * n + k] + z[(i + 1) * n + k]);
}

static double length_of(const chain *c)
{
    double sum = 0.0;
    for (int64_t i = 0; i < c->count; i++)
        sum += sqrt(c->now.square[i]);
    return sum;
}

/* From c->now.points on the coarsest grid to the finest; *half receives the length of
 * the last but one. */
static sf_status relax_grids(chain *c, double *half)
{
    *half = NAN;
    for (;;) {
        SFI_TRY(relax_grid(c));
        if (c->count == c->most || isnan(c->now.energy))
            return SF_OK;
        *half = length_of(c);
        refine(c);
    }
}

/* ---- the curve --------------------------------------------------------------- */

static int64_t coarsest(int64_t count)
{
    int64_t coarse = count;
    while (coarse % 2 == 0 && (coarse == count || coarse > COARSE))
        coarse /= 2;
    return coarse;
}

static void put_straight(chain *c, const double *from, const double *to)
{
    for (int64_t i = 0; i <= c->count; i++)
        for (int k = 0; k < c->n; k++)
            c->now.points[i * c->n + k] =
                from[k] + (to[k] - from[k]) * (double)i / (double)c->count;
}

/* What is told of c->now, which is written to z and *r if it is better. */
static void keep(const chain *c, double half, sf_mat z, sf_geodesic_result *r)
{
    if (isnan(c->now.energy) || c->now.energy >= r->energy)
        return;
    const double length = length_of(c), mean = length / (double)c->count;
    r->energy = c->now.energy;
    r->length = length;
    r->length_extrapolated = length + (length - half) / 3.0;
    r->gradient = c->gradient;
    r->converged = c->gradient <= c->options->tolerance;
    r->minimum = c->minimum;
    r->uneven = 0.0;
    for (int64_t i = 0; i < c->count && mean > 0.0; i++)
        r->uneven = fmax(r->uneven, fabs(sqrt(c->now.square[i]) / mean - 1.0));
    for (int64_t i = 0; i <= c->count; i++)
        memcpy(z.data + i * z.stride, c->now.points + i * c->n,
               (size_t)c->n * sizeof *z.data);
}

/* From both starts. */
static sf_status find_curve(chain *c, sf_mat z, sf_geodesic_result *r,
                            const double *from, const double *to)
{
    double half = NAN;
    bool found = false;
    c->count = c->most;
    put_straight(c, from, to);
    SFI_TRY(evaluate(c, &c->now));
    r->straight = length_of(c);
    r->energy = INFINITY;
    c->count = coarsest(c->most);
    put_straight(c, from, to);
    SFI_TRY(relax_grids(c, &half));
    keep(c, half, z, r);
    c->count = coarsest(c->most);
    if (c->n > 1)
        SFI_TRY(sfi_shortest_path(c->chords, from, to, c->options->seed,
                                  c->count, c->now.points, &found));
    if (found) {
        SFI_TRY(relax_grids(c, &half));
        keep(c, half, z, r);
    }
    r->iterations = c->iterations;
    if (isinf(r->energy))
        return SFI_FAIL(c->ctx, SF_E_NUMERIC,
                        "geodesic: the decoder is not finite between the "
                        "points");
    return SF_OK;
}

static sf_status put_images(const chain *c, sf_mat z, sf_mat x, double *length)
{
    for (int64_t i = 0; i <= c->most; i++)
        memcpy(c->now.points + i * c->n, z.data + i * z.stride,
               (size_t)c->n * sizeof *z.data);
    if (x.data != NULL)
        SFI_TRY(sfi_chords_image(c->chords, c->most + 1, c->now.points, x.data,
                                 x.stride));
    if (length == NULL)
        return SF_OK;
    SFI_TRY(sfi_chords_square(c->chords, c->most, c->now.points, c->n,
                              c->now.square));
    length[0] = 0.0;
    for (int64_t i = 0; i < c->most; i++)
        length[i + 1] = length[i] + sqrt(c->now.square[i]);
    return SF_OK;
}

/* ---- the verb ---------------------------------------------------------------- */

static sf_status check(sf_context *ctx, const sf_decoder *d, sf_mat z, sf_mat x,
                       const double *from, const double *to,
                       const sf_geodesic_options *o)
{
    if (z.data == NULL || z.rows < 3 || z.cols != d->latent ||
        z.stride < z.cols)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "geodesic: z is [%lld, %lld], want [3 and more, %lld]",
                        (long long)z.rows, (long long)z.cols,
                        (long long)d->latent);
    if (x.data != NULL &&
        (x.rows != z.rows || x.cols != d->dim || x.stride < x.cols))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "geodesic: x is [%lld, %lld], want [%lld, %lld]",
                        (long long)x.rows, (long long)x.cols, (long long)z.rows,
                        (long long)d->dim);
    if (!all_finite(from, d->latent) || !all_finite(to, d->latent))
        return SFI_FAIL(ctx, SF_E_ARG, "geodesic: an end is not finite");
    if (!(o->tolerance > 0.0) || o->max_iterations < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "geodesic: tolerance is %g and max_iterations %lld, "
                        "want > 0",
                        o->tolerance, (long long)o->max_iterations);
    return SF_OK;
}

static sf_status judge(sf_context *ctx, const sf_geodesic_result *r)
{
    if (!r->converged)
        return SFI_FAIL(ctx, SF_E_CONVERGE,
                        "geodesic: not converged after %lld iterations: "
                        "gradient %.3g",
                        (long long)r->iterations, r->gradient);
    if (!r->minimum)
        sfi_warn(ctx, "the curve is stationary, but there is a shorter one "
                      "beside it");
    if (r->uneven > uneven_enough)
        sfi_warn(ctx, "the chords differ by %.2g of their mean: more segments?",
                 r->uneven);
    return SF_OK;
}

sf_status sf_geodesic(sf_context *ctx, const sf_decoder *d, sf_mat z, sf_mat x,
                      double *length, sf_geodesic_result *result,
                      const double *from, const double *to,
                      const sf_geodesic_options *options)
{
    sf_geodesic_options o = SF_GEODESIC_OPTIONS_INIT;
    sf_geodesic_result r = SF_GEODESIC_RESULT_INIT, size = r;
    sfi_chords chords = {0};
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(sfi_options(ctx, &size, sizeof size, result));
    SFI_TRY(check(ctx, d, z, x, from, to, &o));
    chain c = {.ctx = ctx,
               .chords = &chords,
               .options = &o,
               .n = (int)d->latent,
               .most = z.rows - 1};
    sf_status status = sfi_chords_make(ctx, &chords, d);
    if (status == SF_OK)
        status = make_chain(&c);
    if (status == SF_OK)
        status = find_curve(&c, z, &r, from, to);
    if (status == SF_OK)
        status = put_images(&c, z, x, length);
    free_chain(&c);
    sfi_chords_free(&chords);
    SFI_TRY(status);
    if (result != NULL)
        memcpy((char *)result + sizeof r.size, (char *)&r + sizeof r.size,
               result->size - sizeof r.size);
    return judge(ctx, &r);
}
