/* SPDX-License-Identifier: Apache-2.0 */
/* geometry.c - certificate, kind, focal number, principal directions and volumes.
 *
 * With noise that varies let S = [A; sqrt 2 grad l], else S = A, and let
 * T = [S; Lambda^1/2], so that S'S = I(z) and T'T = B = I(z) + Lambda.  All of B is
 * taken from the singular values T = U diag(t) V', not from the product, in which
 * small ones would drown:
 *
 *     g' B^-1 g = sum_k (v_k'g / t_k)^2
 *     focal     = largest eigenvalue of diag(1/t) V' (H + B) V diag(1/t)
 *
 * over t_k > 1e-10 t_1 (the pseudo-inverse).  Without a prior T = S, and a t_k that is
 * left out says that J has no full rank.
 *
 * Rows do not know of each other; each range of them has its own work space. */
#include "latent/geometry.h"

#include "base/parallel.h"
#include "latent/search.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 32 };

static const double rank_cut = 1e-10, tie = 1e-8, sign_tie = 1e-9;
static const double log_two_pi = 1.83787706640934548356;

struct sfi_latent_geometry {
    sf_context *ctx;
    sfi_latent_programs *programs;
    int64_t latent, dim, most, tall; /* tall: rows of T, the most */
    sfi_latent_parts parts;          /* [most, ...] */
    int64_t *rows;                   /* [most] */
    double *work;                    /* [ranges, work_size] */
    size_t work_size;
    /* Of a run. */
    int64_t first;
    const double *z;
    const sf_latent_values *values;
    sfi_latent_point *point;
    double *spread;
};

/* ---- memory ------------------------------------------------------------------ */

/* The arrays of parts, and how many numbers of a row each has. */
#define EACH_PART(DO, g)                                                       \
    DO(f, (g)->dim)                                                            \
    DO(error, (g)->dim)                                                        \
    DO(jacobian, (g)->dim *(g)->latent)                                        \
    DO(whitened, (g)->dim *(g)->latent)                                        \
    DO(slopes, (g)->dim *(g)->latent)                                          \
    DO(loglik, 1)                                                              \
    DO(tangential, (g)->latent)                                                \
    DO(score, (g)->latent)                                                     \
    DO(metric, (g)->latent *(g)->latent)                                       \
    DO(hessian, (g)->latent *(g)->latent)

void sfi_latent_geometry_free(sfi_latent_geometry *g)
{
    if (g == NULL)
        return;
    const size_t ranges = (size_t)sfi_parallel_parts(g->most, CHUNK);
    sfi_free(g->ctx, g->work, ranges * g->work_size, sizeof(double));
    sfi_free(g->ctx, g->rows, (size_t)g->most, sizeof *g->rows);
#define FREE(name, count)                                                      \
    sfi_free(g->ctx, g->parts.name, (size_t)(g->most * (count)),               \
             sizeof(double));
    EACH_PART(FREE, g)
#undef FREE
    sfi_free(g->ctx, g, 1, sizeof *g);
}

static bool make_room(sfi_latent_geometry *g)
{
    const size_t ranges = (size_t)sfi_parallel_parts(g->most, CHUNK);
    bool enough = true;
#define TAKE(name, count)                                                      \
    g->parts.name =                                                            \
        sfi_alloc(g->ctx, (size_t)(g->most * (count)), sizeof(double));        \
    enough = enough && g->parts.name != NULL;
    EACH_PART(TAKE, g)
#undef TAKE
    g->rows = sfi_alloc(g->ctx, (size_t)g->most, sizeof *g->rows);
    g->work = sfi_alloc(g->ctx, ranges * g->work_size, sizeof(double));
    return enough && g->rows != NULL && g->work != NULL;
}

sf_status sfi_latent_geometry_new(sf_context *ctx, sfi_latent_geometry **out,
                                  sfi_latent_programs *programs,
                                  const sf_decoder *d, int64_t most)
{
    *out = NULL;
    sfi_latent_geometry *g = sfi_alloc_zero(ctx, 1, sizeof *g);
    if (g == NULL)
        return SF_E_NOMEM;
    g->ctx = ctx;
    g->programs = programs;
    g->latent = d->latent;
    g->dim = d->dim;
    g->most = most;
    g->tall = 2 * d->dim + d->latent;
    g->work_size = (size_t)(g->tall * g->latent);
    if (!make_room(g)) {
        sfi_latent_geometry_free(g);
        return SF_E_NOMEM;
    }
    *out = g;
    return SF_OK;
}

/* ---- one row ------------------------------------------------------------------- */

/* A row's parts, its point and the factors made of them. */
typedef struct row_state {
    int n; /* K */
    int64_t d;
    const double *z, *f, *error, *jacobian, *whitened, *slopes;
    const double *tangential, *score, *metric, *hessian;
    double loglik;
    double *columns;                                    /* [K, tall] work */
    double t[SFI_SMALL_MAX];                            /* of T, descending */
    double v[SFI_SMALL_MAX * SFI_SMALL_MAX];            /* row k is v_k */
    int rank;                                           /* of T */
    double minus_factor[SFI_SMALL_MAX * SFI_SMALL_MAX]; /* Cholesky of -H */
} row_state;

static row_state look_at(const sfi_latent_geometry *g, int64_t i, double *work)
{
    const sfi_latent_parts *p = &g->parts;
    const int64_t n = g->latent, d = g->dim;
    return (row_state){.n = (int)n,
                       .d = d,
                       .z = g->z + i * n,
                       .f = p->f + i * d,
                       .error = p->error + i * d,
                       .jacobian = p->jacobian + i * d * n,
                       .whitened = p->whitened + i * d * n,
                       .slopes = p->slopes + i * d * n,
                       .tangential = p->tangential + i * n,
                       .score = p->score + i * n,
                       .metric = p->metric + i * n * n,
                       .hessian = p->hessian + i * n * n,
                       .loglik = p->loglik[i],
                       .columns = work};
}

/* Columns of a matrix [rows, K] into work from row `at` on; T has `tall` rows. */
static void stack(const row_state *s, const double *a, double scale, int64_t at,
                  int64_t tall)
{
    for (int k = 0; k < s->n; k++)
        for (int64_t i = 0; i < s->d; i++)
            s->columns[k * tall + at + i] = scale * a[i * s->n + k];
}

/* The singular values of [A; slopes; Lambda^1/2], of which the last two are there if
 * they are wanted. */
static void decompose(row_state *s, bool varies, bool prior, double *t,
                      double *v)
{
    const int64_t tall = (varies ? 2 : 1) * s->d + (prior ? (int64_t)s->n : 0);
    stack(s, s->whitened, 1.0, 0, tall);
    if (varies)
        stack(s, s->slopes, sqrt(2.0), s->d, tall);
    for (int k = 0; k < s->n && prior; k++)
        for (int j = 0; j < s->n; j++)
            s->columns[k * tall + tall - s->n + j] = j == k ? 1.0 : 0.0;
    sfi_small_svd(t, v, s->columns, tall, s->n);
}

static double find_certificate(const row_state *s, bool prior)
{
    double sum = 0.0;
    const double length = sqrt(sfi_dot(s->error, s->error, s->d) +
                               (prior ? sfi_dot(s->z, s->z, s->n) : 0.0));
    for (int k = 0; k < s->rank; k++) {
        const double part = sfi_dot(s->v + k * s->n, s->score, s->n) / s->t[k];
        sum += part * part;
    }
    return sqrt(sum) / (1.0 + length);
}

/* (H + B) x for B of T. */
static void apply_rest(const row_state *s, bool prior, const double *x,
                       double *out)
{
    for (int i = 0; i < s->n; i++)
        out[i] = sfi_dot(s->hessian + i * s->n, x, s->n) +
                 sfi_dot(s->metric + i * s->n, x, s->n) + (prior ? x[i] : 0.0);
}

static double find_focal(const row_state *s, bool prior)
{
    const int n = s->n, r = s->rank;
    double rest[SFI_SMALL_MAX * SFI_SMALL_MAX], values[SFI_SMALL_MAX];
    double vectors[SFI_SMALL_MAX * SFI_SMALL_MAX], image[SFI_SMALL_MAX];
    for (int k = 0; k < r; k++) {
        apply_rest(s, prior, s->v + k * n, image);
        for (int j = 0; j < r; j++)
            rest[k * r + j] =
                sfi_dot(s->v + j * n, image, n) / (s->t[k] * s->t[j]);
    }
    if (r == 0)
        return (double)NAN;
    sfi_small_eigen(values, vectors, rest, r);
    return values[r - 1];
}

/* ---- what is wanted of a row --------------------------------------------------- */

static void put(const sf_mat *to, int64_t row, const double *from)
{
    if (to->data != NULL)
        memcpy(to->data + row * to->stride, from,
               (size_t)to->cols * sizeof *from);
}

static void put_number(const sf_mat *to, int64_t row, double value)
{
    if (to->data != NULL)
        to->data[row * to->stride] = value;
}

/* u [d] to unit length and its sign; 0 becomes NaN. */
static void orient(double *u, int64_t d, double length)
{
    double largest = 0.0;
    for (int64_t j = 0; j < d; j++)
        largest = fmax(largest, fabs(u[j]));
    int64_t first = 0;
    while (first + 1 < d && fabs(u[first]) < largest * (1.0 - sign_tie))
        first++;
    for (int64_t j = 0; j < d; j++)
        u[j] /= length;
    if (u[first] < 0.0)
        for (int64_t j = 0; j < d; j++)
            u[j] = -u[j];
}

/* Directions J v_k; s and v are those of A.  True where two are arbitrary. */
static bool put_principal(const sf_mat *to, int64_t row, row_state *s)
{
    const int n = s->n;
    double values[SFI_SMALL_MAX], v[SFI_SMALL_MAX * SFI_SMALL_MAX];
    bool tied = false;
    decompose(s, false, false, values, v);
    for (int k = 0; k < n; k++) {
        double *at = to->data + row * to->stride + k * (2 + s->d);
        for (int64_t i = 0; i < s->d; i++)
            at[2 + i] = sfi_dot(s->jacobian + i * n, v + k * n, n);
        at[0] = sqrt(sfi_dot(at + 2, at + 2, s->d));
        at[1] = values[k];
        orient(at + 2, s->d, at[0]);
        tied = tied || (k > 0 && values[k - 1] - values[k] <= tie * values[0]);
    }
    return tied;
}

/* What curves of one latent number add to ln p, and what they have in common: by the
 * columns of J, in the units of the columns of x. */
static void put_contours(const sf_latent_values *to, int64_t row, row_state *s)
{
    const int n = s->n;
    double t[SFI_SMALL_MAX], v[SFI_SMALL_MAX * SFI_SMALL_MAX];
    double information = 0.0;
    for (int k = 0; k < n; k++) {
        double square = 0.0;
        for (int64_t i = 0; i < s->d; i++)
            square += s->jacobian[i * n + k] * s->jacobian[i * n + k];
        information += 0.5 * log(square);
        if (to->contours.data != NULL)
            to->contours.data[row * to->contours.stride + k] =
                -0.5 * (s->z[k] * s->z[k] + log_two_pi + log(square));
    }
    stack(s, s->jacobian, 1.0, 0, s->d);
    sfi_small_svd(t, v, s->columns, s->d, n);
    for (int k = 0; k < n; k++)
        information -= log(t[k]);
    put_number(&to->information, row, information);
}

/* The Cholesky factor of -H if that is positive definite; the kind. */
static int find_kind(row_state *s, bool prior)
{
    const int n = s->n;
    double copy[SFI_SMALL_MAX * SFI_SMALL_MAX], lowest[SFI_SMALL_MAX];
    for (int i = 0; i < n * n; i++)
        copy[i] = s->minus_factor[i] = -s->hessian[i];
    const int kind = sfi_latent_kind(copy, n, lowest);
    if (!prior && s->rank < n)
        return 0;
    return kind == 1 && sfi_small_cholesky(s->minus_factor, s->minus_factor, n)
               ? 1
           : kind < 1 ? kind
                      : 0;
}

/* The Cholesky factor of the covariance, of Laplace or else of Gauss-Newton; where
 * rounding leaves none, standard deviations of the numbers by themselves, which
 * proposals may have as well.  (Without a prior there may be neither, and nobody who
 * asks.) */
static void put_spread(const row_state *s, int kind, double *covariance,
                       double *spread)
{
    const int n = s->n;
    if (kind == 1) {
        sfi_small_inverse(covariance, s->minus_factor, n);
    } else {
        for (int i = 0; i < n * n; i++) {
            covariance[i] = 0.0;
            for (int k = 0; k < s->rank; k++)
                covariance[i] += s->v[k * n + i / n] * s->v[k * n + i % n] /
                                 (s->t[k] * s->t[k]);
        }
    }
    if (spread == NULL || sfi_small_cholesky(spread, covariance, n))
        return;
    memset(spread, 0, (size_t)(n * n) * sizeof *spread);
    for (int k = 0; k < n; k++)
        spread[k * (n + 1)] = sqrt(covariance[k * (n + 1)]);
}

/* (1/2) ln det I(z). */
static double log_volume(row_state *s, bool varies)
{
    double t[SFI_SMALL_MAX], v[SFI_SMALL_MAX * SFI_SMALL_MAX], sum = 0.0;
    decompose(s, varies, false, t, v);
    for (int k = 0; k < s->n; k++)
        sum += log(t[k]);
    return sum;
}

/* O + (K/2) ln 2 pi - (1/2) ln det(-H). */
static double find_laplace(const row_state *s, double objective)
{
    double sum = objective + 0.5 * s->n * log_two_pi;
    for (int k = 0; k < s->n; k++)
        sum -= log(s->minus_factor[k * s->n + k]);
    return sum;
}

static void put_undefined(const sf_latent_values *to, int64_t row)
{
#define CLEAR(member, columns)                                                 \
    for (int64_t j = 0; j < to->member.cols && to->member.data != NULL; j++)   \
        to->member.data[row * to->member.stride + j] = NAN;
    SFI_LATENT_VALUES(CLEAR)
#undef CLEAR
}

/* What is there without further factors. */
static void put_plain(const sfi_latent_geometry *g, int64_t row,
                      const row_state *s, const sfi_latent_point *point)
{
    const sf_latent_values *to = g->values;
    const sf_cmat *x = &g->programs->x;
    put(&to->z, row, s->z);
    put(&to->score, row, s->score);
    put(&to->tangential, row, s->tangential);
    put(&to->reconstruction, row, s->f);
    put(&to->metric, row, s->metric);
    put(&to->hessian, row, s->hessian);
    for (int64_t j = 0; j < s->d && to->residual.data != NULL; j++)
        to->residual.data[row * to->residual.stride + j] =
            x->data[row * x->stride + j] - s->f[j];
    put_number(&to->orthogonality, row, point->certificate);
    put_number(&to->kind, row, point->kind);
    put_number(&to->misfit, row, point->misfit);
    put_number(&to->loglik, row, s->loglik);
}

/* Factor T and -H, and tell what follows from them. */
static void put_posterior(const sfi_latent_geometry *g, int64_t i, row_state *s)
{
    const bool prior = g->programs->prior == SF_LATENT_NORMAL;
    const sf_latent_values *to = g->values;
    const int64_t row = g->first + i;
    const double joint =
        s->loglik - 0.5 * (sfi_dot(s->z, s->z, s->n) + s->n * log_two_pi);
    double covariance[SFI_SMALL_MAX * SFI_SMALL_MAX];
    sfi_latent_point *point = &g->point[i];
    decompose(s, g->programs->varies, prior, s->t, s->v);
    while (s->rank < s->n && s->t[s->rank] > rank_cut * s->t[0])
        s->rank++;
    point->certificate = find_certificate(s, prior);
    point->objective = prior ? joint : s->loglik;
    point->misfit = sfi_dot(s->error, s->error, s->d);
    point->half_log_det = 0.0;
    for (int k = 0; k < s->n; k++)
        point->half_log_det += log(s->t[k]);
    point->kind = find_kind(s, prior);
    put_spread(s, point->kind, covariance,
               g->spread != NULL ? g->spread + i * s->n * s->n : NULL);
    put_number(&to->focal, row, find_focal(s, prior));
    put_number(&to->logjoint, row, joint);
    if (point->kind != 1)
        return;
    put(&to->covariance, row, covariance);
    put_number(&to->laplace, row, find_laplace(s, joint));
}

static void put_row(const sfi_latent_geometry *g, int64_t i, double *work)
{
    const sf_latent_values *to = g->values;
    const int64_t row = g->first + i;
    sfi_latent_point *point = &g->point[i];
    row_state s = look_at(g, i, work);
    *point = (sfi_latent_point){NAN, NAN, NAN, NAN, 0, false};
    put_undefined(to, row);
    if (isnan(s.z[0]))
        return;
    put_posterior(g, i, &s);
    put_plain(g, row, &s, point);
    if (to->log_volume.data != NULL)
        put_number(&to->log_volume, row, log_volume(&s, g->programs->varies));
    if (to->principal.data != NULL)
        point->is_tied = put_principal(&to->principal, row, &s);
    if (to->contours.data != NULL || to->information.data != NULL)
        put_contours(to, row, &s);
}

static void put_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const sfi_latent_geometry *g = user;
    for (int64_t i = first; i < first + count; i++)
        put_row(g, i, g->work + (size_t)part * g->work_size);
}

sf_status sfi_latent_geometry_run(sfi_latent_geometry *g, int64_t first,
                                  int64_t count, const double *z,
                                  const sf_latent_values *values,
                                  sfi_latent_point *point, double *spread)
{
    for (int64_t i = 0; i < count; i++)
        g->rows[i] = first + i;
    SFI_TRY(sfi_latent_parts_at(g->programs, count, g->rows, z, &g->parts));
    g->first = first;
    g->z = z;
    g->values = values;
    g->point = point;
    g->spread = spread;
    sfi_parallel(g->ctx, count, CHUNK, put_rows, g);
    return SF_OK;
}
