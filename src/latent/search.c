/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - every row from several starts, and of the ends the best.
 *
 * All starts of all rows of a block are one batch of small problems.  What ends where
 * the Hessian has a direction of ascent, which Newton's method cannot see from a point
 * of symmetry, is moved along it by 0.1 to both sides, and goes on from there. */
#include "latent/search.h"

#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { MOST_ESCAPES = 2 };

static const double escape_length = 0.1;

/* Ends are different maxima if they are farther apart, in standard deviations of the
 * posterior at the better one, and rivals within this many nats. */
static const double different = 1e-2, rivals = 2.0;

struct sfi_latent_search {
    sf_context *ctx;
    sfi_latent_programs *programs;
    const sf_latent_options *options;
    sfi_codebook *codebook;
    sfi_levenberg *levenberg;
    int64_t latent, starts, most, problems;
    double *z;               /* [most, starts, K] */
    double *guess;           /* [most, K] the encoder's start, or NULL */
    int64_t *found;          /* [most] starts of a row */
    double *points;          /* [problems, K] the starts of all rows, compact */
    int64_t *rows;           /* [problems] their rows in x */
    sfi_levenberg_end *end;  /* [problems] */
    sfi_levenberg_end *best; /* [most] */
    int64_t *list;           /* [most] rows of the block that are looked at */
    double *hessian;         /* [most, K*K] */
};

/* ---- kinds ------------------------------------------------------------------- */

int sfi_latent_kind(double *minus_hessian, int n, double *lowest)
{
    double values[SFI_SMALL_MAX], vectors[SFI_SMALL_MAX * SFI_SMALL_MAX];
    sfi_small_eigen(values, vectors, minus_hessian, n);
    memcpy(lowest, vectors, (size_t)n * sizeof *lowest);
    const double largest = fmax(fabs(values[0]), fabs(values[n - 1]));
    for (int k = 0; k < n; k++)
        if (!(fabs(values[k]) > sfi_latent_singular * largest))
            return 0;
    return values[0] > 0.0 ? 1 : -1;
}

/* ---- memory ------------------------------------------------------------------ */

void sfi_latent_search_free(sfi_latent_search *s)
{
    if (s == NULL)
        return;
    sf_context *ctx = s->ctx;
    const size_t m = (size_t)s->most, k = (size_t)s->latent;
    const size_t p = (size_t)s->problems;
    sfi_free(ctx, s->hessian, m * k * k, sizeof *s->hessian);
    sfi_free(ctx, s->list, m, sizeof *s->list);
    sfi_free(ctx, s->best, m, sizeof *s->best);
    sfi_free(ctx, s->end, p, sizeof *s->end);
    sfi_free(ctx, s->rows, p, sizeof *s->rows);
    sfi_free(ctx, s->points, p * k, sizeof *s->points);
    sfi_free(ctx, s->found, m, sizeof *s->found);
    sfi_free(ctx, s->guess, m * k, sizeof *s->guess);
    sfi_free(ctx, s->z, m * (size_t)s->starts * k, sizeof *s->z);
    sfi_levenberg_free(s->levenberg);
    sfi_codebook_free(s->codebook);
    sfi_free(ctx, s, 1, sizeof *s);
}

static sf_status make_room(sfi_latent_search *s, const sf_decoder *d)
{
    sf_context *ctx = s->ctx;
    const size_t m = (size_t)s->most, k = (size_t)s->latent;
    const size_t p = (size_t)s->problems;
    SFI_TRY(sfi_codebook_new(ctx, &s->codebook, d, s->options, s->most));
    SFI_TRY(sfi_levenberg_new(ctx, &s->levenberg, s->problems, s->latent));
    s->z = sfi_alloc(ctx, m * (size_t)s->starts * k, sizeof *s->z);
    if (s->programs->code != NULL) {
        s->guess = sfi_alloc(ctx, m * k, sizeof *s->guess);
        if (s->guess == NULL)
            return SF_E_NOMEM;
    }
    s->found = sfi_alloc(ctx, m, sizeof *s->found);
    s->points = sfi_alloc(ctx, p * k, sizeof *s->points);
    s->rows = sfi_alloc(ctx, p, sizeof *s->rows);
    s->end = sfi_alloc(ctx, p, sizeof *s->end);
    s->best = sfi_alloc(ctx, m, sizeof *s->best);
    s->list = sfi_alloc(ctx, m, sizeof *s->list);
    s->hessian = sfi_alloc(ctx, m * k * k, sizeof *s->hessian);
    return s->z != NULL && s->found != NULL && s->points != NULL &&
                   s->rows != NULL && s->end != NULL && s->best != NULL &&
                   s->list != NULL && s->hessian != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

sf_status sfi_latent_search_new(sf_context *ctx, sfi_latent_search **out,
                                const sf_decoder *d,
                                sfi_latent_programs *programs,
                                const sf_latent_options *o, int64_t most)
{
    *out = NULL;
    sfi_latent_search *s = sfi_alloc_zero(ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = ctx;
    s->programs = programs;
    s->options = o;
    s->latent = d->latent;
    s->starts = o->starts;
    s->most = most;
    /* One more of an encoder; escapes need two starts of a row. */
    const int64_t starts = o->starts + (programs->code != NULL);
    s->problems = most * (starts > 2 ? starts : 2);
    const sf_status status = make_room(s, d);
    if (status != SF_OK) {
        sfi_latent_search_free(s);
        return status;
    }
    *out = s;
    return SF_OK;
}

/* ---- ends -------------------------------------------------------------------- */

/* Whether end a at za is better than b at zb: lower, or as low and nearer to the
 * origin.  What is not defined has the value NaN, and is never better. */
static bool is_better(const sfi_levenberg_end *a, const double *za,
                      const sfi_levenberg_end *b, const double *zb, int64_t n)
{
    if (isnan(b->value) || isnan(a->value))
        return !isnan(a->value);
    const double tie = 1e-10 * (1.0 + fabs(b->value));
    if (fabs(a->value - b->value) < tie)
        return sfi_dot(za, za, n) < sfi_dot(zb, zb, n) * (1.0 - 1e-10);
    return a->value < b->value;
}

/* Minimise the first `count` of s->points. */
static sf_status minimise(sfi_latent_search *s, int64_t count)
{
    const sfi_levenberg_problem problem = sfi_latent_problem(s->programs);
    const sfi_levenberg_options o = {s->options->tolerance,
                                     s->options->max_iterations};
    return sfi_levenberg_run(s->levenberg, &problem, count, s->rows, s->points,
                             &o, s->end);
}

/* The best of `count` ends from problem p on, into z and *best. */
static void take_best(const sfi_latent_search *s, int64_t p, int64_t count,
                      double *z, sfi_levenberg_end *best)
{
    const int64_t n = s->latent;
    for (int64_t i = p; i < p + count; i++)
        if (is_better(&s->end[i], s->points + i * n, best, z, n)) {
            *best = s->end[i];
            memcpy(z, s->points + i * n, (size_t)n * sizeof *z);
        }
}

/* Whether one of the ends is a rival of the best one.  How far apart they are is
 * measured by the Hessian [K, K] of F at the best. */
static bool has_rival(const sfi_latent_search *s, int64_t p, int64_t count,
                      const double *z, const sfi_levenberg_end *best,
                      const double *hessian)
{
    const int64_t n = s->latent;
    for (int64_t i = p; i < p + count; i++) {
        double square = 0.0;
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = 0; k < n; k++)
                square += (s->points[i * n + j] - z[j]) *
                          (s->points[i * n + k] - z[k]) * hessian[j * n + k];
        if (best->converged && s->end[i].converged &&
            s->end[i].value - best->value < rivals &&
            square > different * different)
            return true;
    }
    return false;
}

/* ---- a block ----------------------------------------------------------------- */

/* Hessians of F at z [count, K] of the rows of the block in s->list. */
static sf_status find_hessians(sfi_latent_search *s, int64_t first,
                               int64_t count, const double *z)
{
    const int64_t n = s->latent;
    const sfi_levenberg_problem problem = sfi_latent_problem(s->programs);
    for (int64_t i = 0; i < count; i++) {
        memcpy(s->z + i * n, z + s->list[i] * n, (size_t)n * sizeof *s->z);
        s->found[i] = first + s->list[i];
    }
    return problem.hessian(s->ctx, problem.user, count, s->found, s->z,
                           s->hessian);
}

/* Of the rows in s->list move those that ended at a saddle to both sides of it, as
 * problems; returns how many rows are left, which are then the list. */
static int64_t push_saddles(sfi_latent_search *s, int64_t first, int64_t count,
                            const double *z)
{
    const int64_t n = s->latent;
    int64_t left = 0;
    for (int64_t i = 0; i < count; i++) {
        double lowest[SFI_SMALL_MAX];
        const int64_t row = s->list[i];
        if (sfi_latent_kind(s->hessian + i * n * n, (int)n, lowest) >= 0)
            continue;
        for (int side = 0; side < 2; side++) {
            double *to = s->points + (2 * left + side) * n;
            for (int64_t k = 0; k < n; k++)
                to[k] =
                    z[row * n + k] +
                    (side == 0 ? escape_length : -escape_length) * lowest[k];
            s->rows[2 * left + side] = first + row;
        }
        s->list[left++] = row;
    }
    return left;
}

static sf_status leave_saddles(sfi_latent_search *s, int64_t first,
                               int64_t count, double *z,
                               sfi_latent_found *found)
{
    const int64_t n = s->latent;
    int64_t left = 0;
    for (int64_t i = 0; i < count; i++)
        if (found[i].defined)
            s->list[left++] = i;
    for (int t = 0; t < MOST_ESCAPES && left > 0; t++) {
        SFI_TRY(find_hessians(s, first, left, z));
        left = push_saddles(s, first, left, z);
        if (left == 0)
            break;
        SFI_TRY(minimise(s, 2 * left));
        for (int64_t i = 0; i < left; i++) {
            const int64_t row = s->list[i];
            take_best(s, 2 * i, 2, z + row * n, &s->best[row]);
            found[row].converged = s->best[row].converged;
        }
    }
    return SF_OK;
}

/* The starts of all rows, one after the other, as problems; returns how many. */
static int64_t gather_starts(sfi_latent_search *s, int64_t first, int64_t count)
{
    const int64_t n = s->latent;
    int64_t p = 0;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < s->found[i]; k++) {
            memcpy(s->points + p * n, s->z + (i * s->starts + k) * n,
                   (size_t)n * sizeof *s->z);
            s->rows[p++] = first + i;
        }
        if (s->guess == NULL)
            continue;
        memcpy(s->points + p * n, s->guess + i * n,
               (size_t)n * sizeof *s->guess);
        s->rows[p++] = first + i;
        s->found[i]++;
    }
    return p;
}

/* Which of the ends of a row is its point. */
static void choose_ends(sfi_latent_search *s, int64_t count, double *z,
                        sfi_latent_found *found)
{
    int64_t p = 0;
    for (int64_t i = 0; i < count; i++) {
        sfi_latent_found *f = &found[i];
        double *at = z + i * s->latent;
        s->best[i] = (sfi_levenberg_end){.value = NAN};
        for (int64_t k = 0; k < s->latent; k++)
            at[k] = NAN;
        take_best(s, p, s->found[i], at, &s->best[i]);
        *f = (sfi_latent_found){.defined = !isnan(s->best[i].value),
                                .converged = s->best[i].converged};
        for (int64_t k = 0; k < s->found[i]; k++, p++)
            if (s->end[p].iterations > f->iterations)
                f->iterations = s->end[p].iterations;
    }
}

/* Rows with rivals; before the problems are overwritten. */
static sf_status mark_rivals(sfi_latent_search *s, int64_t first, int64_t count,
                             const double *z, sfi_latent_found *found)
{
    const int64_t n = s->latent;
    int64_t p = 0;
    if (s->starts < 2 && s->guess == NULL)
        return SF_OK;
    for (int64_t i = 0; i < count; i++)
        s->list[i] = s->found[i];
    for (int64_t i = 0; i < count; i++)
        s->found[i] = first + i;
    const sfi_levenberg_problem problem = sfi_latent_problem(s->programs);
    SFI_TRY(
        problem.hessian(s->ctx, problem.user, count, s->found, z, s->hessian));
    for (int64_t i = 0; i < count; p += s->list[i++])
        found[i].ambiguous = has_rival(s, p, s->list[i], z + i * n, &s->best[i],
                                       s->hessian + i * n * n);
    return SF_OK;
}

sf_status sfi_latent_search_run(sfi_latent_search *s, int64_t first,
                                int64_t count, double *z,
                                sfi_latent_found *found)
{
    sf_cmat x = s->programs->x;
    x.data += first * x.stride;
    x.rows = count;
    SFI_TRY(sfi_codebook_find(s->codebook, x, s->z, s->found));
    if (s->guess != NULL)
        SFI_TRY(sfi_latent_guess(s->programs, first, count, s->guess));
    SFI_TRY(minimise(s, gather_starts(s, first, count)));
    choose_ends(s, count, z, found);
    SFI_TRY(mark_rivals(s, first, count, z, found));
    return leave_saddles(s, first, count, z, found);
}
