/* SPDX-License-Identifier: Apache-2.0 */
/* multigrid.c - levels, their smoothers, and a cycle through them. */
#include "solve/multigrid.h"

#include "num/linalg.h"
#include "solve/coarser.h"

#include <math.h>
#include <string.h>

/* DEGREE of a smoother; the eigenvalues of D^-1 H that it damps are those from the largest
 * one, found in POWER_STEPS, or AGAIN at another field, to an 8th of it. */
enum { MOST_LEVELS = 24, DEGREE = 3, POWER_STEPS = 12, AGAIN = 4, FEW = 64 };

typedef struct mg_level {
    sf_action *a;
    sfi_coarser
        coarser; /* the next level, if there is one                    */
    int64_t n;
    double *x, *inverse, *r, *z, *d, *q,
        *v;         /* [n] each; inverse of D, 0 if pinned */
    double largest; /* eigenvalue of D^-1 H */
} mg_level;

struct sfi_multigrid {
    sf_context *ctx;
    int count;
    double sign;
    bool is_singular, is_definite;
    mg_level levels[MOST_LEVELS];
    /* Of the coarsest level: its free numbers, their matrix and its factor. */
    int64_t free_count;
    int64_t *free_at;
    double *matrix, *factor, *right;
};

enum { ARRAYS = 7 };

/* ---- making ----------------------------------------------------------------------------- */

static sf_status add_level(sfi_multigrid *m, sf_action *a)
{
    mg_level *l = &m->levels[m->count];
    memset(l, 0, sizeof *l);
    l->a = a;
    l->n = a->unknowns * a->points;
    double *room = sfi_alloc_zero(m->ctx, ARRAYS * (size_t)l->n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    m->count++;
    double **arrays[ARRAYS] = {&l->x, &l->inverse, &l->r, &l->z,
                               &l->d, &l->q,       &l->v};
    for (size_t i = 0; i < ARRAYS; i++)
        *arrays[i] = room + i * (size_t)l->n;
    /* Near the stiffest field, whose neighbours have opposite signs, and orthogonal to
     * nothing. */
    for (int64_t i = 0; i < l->n; i++) {
        int64_t sum = 0;
        for (int k = 0; k < a->rank; k++)
            sum += i % a->points / a->stride[k] % a->count[k];
        l->v[i] = (sum % 2 == 0 ? 1.0 : -1.0) *
                  (1.0 + 0.5 * sin(1.0 + 0.7390851 * (double)i));
    }
    sf_action_info info;
    return sf_action_describe(a, &info);
}

static sf_status multiply(const sfi_multigrid *m, mg_level *l, const double *v,
                          double *out)
{
    SFI_TRY(sfi_action_product(l->a, l->x, v, out));
    for (int64_t i = 0; i < l->n && m->sign < 0.0; i++)
        out[i] = -out[i];
    return SF_OK;
}

/* How strongly points hold together along an axis: (-1)^i . H (-1)^i, less what all axes
 * have in common. */
static sf_status coupling(const sfi_multigrid *m, mg_level *l, int axis,
                          double *out)
{
    const sf_action *a = l->a;
    double sum = 0.0;
    for (int64_t i = 0; i < l->n; i++) {
        const int64_t point = i % a->points;
        l->d[i] = axis < 0 || point / a->stride[axis] % a->count[axis] % 2 == 0
                      ? 1.0
                      : -1.0;
        if (a->pinned[i])
            l->d[i] = 0.0;
    }
    SFI_TRY(multiply(m, l, l->d, l->q));
    for (int64_t i = 0; i < l->n; i++)
        sum += l->d[i] * l->q[i];
    *out = sum;
    return SF_OK;
}

static sf_status choose_axes(const sfi_multigrid *m, mg_level *l, bool *halve,
                             bool *any)
{
    double strength[SF_MAX_AXES], common = 0.0, most = 0.0;
    SFI_TRY(coupling(m, l, -1, &common));
    for (int k = 0; k < l->a->rank; k++) {
        SFI_TRY(coupling(m, l, k, &strength[k]));
        strength[k] = fabs(strength[k] - common);
        if (sfi_can_halve(l->a, k))
            most = fmax(most, strength[k]);
    }
    *any = false;
    for (int k = 0; k < l->a->rank; k++) {
        halve[k] = sfi_can_halve(l->a, k) && strength[k] >= 0.25 * most;
        *any |= halve[k];
    }
    return SF_OK;
}

static sf_status make_dense(sfi_multigrid *m)
{
    const mg_level *l = &m->levels[m->count - 1];
    const sf_action *a = l->a;
    m->free_count = a->free_count;
    const size_t n = (size_t)m->free_count;
    m->free_at = sfi_alloc(m->ctx, n, sizeof *m->free_at);
    m->matrix = sfi_alloc(m->ctx, n * n, sizeof *m->matrix);
    m->factor = sfi_alloc(m->ctx, n * n, sizeof *m->factor);
    m->right = sfi_alloc(m->ctx, n, sizeof *m->right);
    if (m->free_at == NULL || m->matrix == NULL || m->factor == NULL ||
        m->right == NULL)
        return SF_E_NOMEM;
    int64_t at = 0;
    for (int64_t i = 0; i < l->n; i++)
        if (!a->pinned[i])
            m->free_at[at++] = i;
    return SF_OK;
}

/* The fields of the next level. */
static void hand_down(const mg_level *l, mg_level *next)
{
    for (int u = 0; u < l->a->unknowns; u++) {
        double *to = next->x + u * next->a->points;
        sfi_coarser_mean(&l->coarser, l->x + u * l->a->points, to);
        sfi_action_pin(next->a, u, to);
    }
}

static sf_status make_levels(sfi_multigrid *m, sf_action *a, const double *x)
{
    SFI_TRY(add_level(m, a));
    memcpy(m->levels[0].x, x, (size_t)m->levels[0].n * sizeof *x);
    m->is_singular = a->is_singular;
    while (m->count < MOST_LEVELS) {
        mg_level *l = &m->levels[m->count - 1];
        bool halve[SF_MAX_AXES] = {false}, any = false;
        if (l->a->free_count <= FEW)
            break;
        SFI_TRY(choose_axes(m, l, halve, &any));
        if (!any)
            break;
        SFI_TRY(sfi_coarser_new(l->a, halve, &l->coarser));
        SFI_TRY(add_level(m, l->coarser.action));
        hand_down(l, &m->levels[m->count - 1]);
    }
    SFI_TRY(make_dense(m));
    return SF_OK;
}

/* ---- the Hessian at a field ------------------------------------------------------------- */

/* The largest eigenvalue of D^-1 H, from what was the vector of the last time. */
static sf_status find_largest(const sfi_multigrid *m, mg_level *l)
{
    const int steps = l->largest > 0.0 ? AGAIN : POWER_STEPS;
    for (int step = 0; step < steps; step++) {
        double size = 0.0, before = 0.0;
        for (int64_t i = 0; i < l->n; i++) {
            l->v[i] = l->inverse[i] > 0.0 ? l->v[i] : 0.0;
            before += l->v[i] * l->v[i];
        }
        for (int64_t i = 0; i < l->n; i++)
            l->v[i] /= sqrt(before);
        SFI_TRY(multiply(m, l, l->v, l->q));
        for (int64_t i = 0; i < l->n; i++) {
            l->v[i] = l->inverse[i] * l->q[i];
            size += l->v[i] * l->v[i];
        }
        l->largest = sqrt(size);
    }
    return SF_OK;
}

static sf_status factor_dense(sfi_multigrid *m)
{
    mg_level *l = &m->levels[m->count - 1];
    const int64_t n = m->free_count;
    double trace = 0.0;
    for (int64_t j = 0; j < n; j++) {
        memset(l->d, 0, (size_t)l->n * sizeof *l->d);
        l->d[m->free_at[j]] = 1.0;
        SFI_TRY(multiply(m, l, l->d, l->q));
        for (int64_t i = 0; i < n; i++)
            m->matrix[i * n + j] = l->q[m->free_at[i]];
        trace += m->matrix[j * n + j];
    }
    /* What constants of a field leave alone is made regular: right-hand sides have no
     * such part. */
    const sf_action *a = l->a;
    for (int64_t i = 0; i < n && m->is_singular; i++)
        for (int64_t j = 0; j < n; j++)
            if (m->free_at[i] / a->points == m->free_at[j] / a->points)
                m->matrix[i * n + j] += trace / ((double)n * (double)n);
    const sf_status status =
        sfi_cholesky(m->ctx, m->factor, m->matrix, n, "coarsest level", NULL);
    if (status == SF_E_NUMERIC) {
        m->is_definite = false;
        return SF_OK;
    }
    return status;
}

static sf_status take_hessian(sfi_multigrid *m)
{
    m->is_definite = true;
    for (int k = 0; k < m->count; k++) {
        mg_level *l = &m->levels[k];
        SFI_TRY(sfi_action_diagonal(l->a, l->x, l->d));
        for (int64_t i = 0; i < l->n; i++) {
            const double d = m->sign * l->d[i];
            const bool pinned = l->a->pinned[i];
            m->is_definite &= pinned || d > 0.0;
            l->inverse[i] = pinned || !(d > 0.0) ? 0.0 : 1.0 / d;
        }
        if (m->is_definite && k < m->count - 1)
            SFI_TRY(find_largest(m, l));
    }
    return m->is_definite ? factor_dense(m) : SF_OK;
}

sf_status sfi_multigrid_at(sfi_multigrid *m, const double *x)
{
    memcpy(m->levels[0].x, x, (size_t)m->levels[0].n * sizeof *x);
    for (int k = 0; k + 1 < m->count; k++)
        hand_down(&m->levels[k], &m->levels[k + 1]);
    return take_hessian(m);
}

sf_status sfi_multigrid_new(sf_action *a, const double *x, double sign,
                            sfi_multigrid **out)
{
    *out = NULL;
    sfi_multigrid *m = sfi_alloc_zero(a->ctx, 1, sizeof *m);
    if (m == NULL)
        return SF_E_NOMEM;
    m->ctx = a->ctx;
    m->sign = sign;
    sf_status status = make_levels(m, a, x);
    if (status == SF_OK)
        status = take_hessian(m);
    if (status != SF_OK)
        sfi_multigrid_free(m);
    else
        *out = m;
    return status;
}

void sfi_multigrid_free(sfi_multigrid *m)
{
    if (m == NULL)
        return;
    const size_t n = (size_t)m->free_count;
    sfi_free(m->ctx, m->free_at, n, sizeof *m->free_at);
    sfi_free(m->ctx, m->matrix, n * n, sizeof *m->matrix);
    sfi_free(m->ctx, m->factor, n * n, sizeof *m->factor);
    sfi_free(m->ctx, m->right, n, sizeof *m->right);
    for (int k = m->count - 1; k >= 0; k--) {
        mg_level *l = &m->levels[k];
        sfi_free(m->ctx, l->x, ARRAYS * (size_t)l->n, sizeof *l->x);
        sfi_coarser_free(&l->coarser);
    }
    sfi_free(m->ctx, m, 1, sizeof *m);
}

bool sfi_multigrid_is_definite(const sfi_multigrid *m)
{
    return m->is_definite;
}

int sfi_multigrid_levels(const sfi_multigrid *m)
{
    return m->count;
}

/* ---- the cycle ---------------------------------------------------------------------------- */

/* z += p(D^-1 H) D^-1 r, with Chebyshev's polynomial over the upper seven eighths; r becomes
 * the residual, unless it is the last that is done with it. */
static sf_status smooth(const sfi_multigrid *m, mg_level *l, bool last)
{
    const double high = 1.1 * l->largest, low = l->largest / 8.0;
    const double middle = 0.5 * (high + low), half = 0.5 * (high - low);
    double rho = half / middle;
    for (int step = 0; step < DEGREE; step++) {
        if (step == 0) {
            for (int64_t i = 0; i < l->n; i++) {
                l->d[i] = l->inverse[i] * l->r[i] / middle;
                l->z[i] += l->d[i];
            }
        } else {
            const double next = 1.0 / (2.0 * middle / half - rho);
            const double keep = next * rho, add = 2.0 * next / half;
            for (int64_t i = 0; i < l->n; i++) {
                l->d[i] = keep * l->d[i] + add * l->inverse[i] * l->r[i];
                l->z[i] += l->d[i];
            }
            rho = next;
        }
        if (last && step == DEGREE - 1)
            break;
        SFI_TRY(multiply(m, l, l->d, l->q));
        for (int64_t i = 0; i < l->n; i++)
            l->r[i] -= l->q[i];
    }
    return SF_OK;
}

static void solve_dense(sfi_multigrid *m)
{
    mg_level *l = &m->levels[m->count - 1];
    const int64_t n = m->free_count;
    for (int64_t i = 0; i < n; i++)
        m->right[i] = l->r[m->free_at[i]];
    sfi_cholesky_solve(m->factor, n, (sf_mat){m->right, 1, n, n});
    memset(l->z, 0, (size_t)l->n * sizeof *l->z);
    for (int64_t i = 0; i < n; i++)
        l->z[m->free_at[i]] = m->right[i];
}

/* l->z of l->r, which is lost. */
static sf_status cycle(sfi_multigrid *m, int at)
{
    mg_level *l = &m->levels[at];
    if (at == m->count - 1) {
        solve_dense(m);
        return SF_OK;
    }
    mg_level *next = &m->levels[at + 1];
    memset(l->z, 0, (size_t)l->n * sizeof *l->z);
    SFI_TRY(smooth(m, l, false));
    const int64_t fine = l->a->points, coarse = next->a->points;
    for (int u = 0; u < l->a->unknowns; u++)
        sfi_coarser_gather(&l->coarser, l->r + u * fine, next->r + u * coarse);
    for (int64_t i = 0; i < next->n; i++)
        if (next->inverse[i] == 0.0)
            next->r[i] = 0.0;
    SFI_TRY(cycle(m, at + 1));
    for (int u = 0; u < l->a->unknowns; u++)
        sfi_coarser_interpolate(&l->coarser, next->z + u * coarse,
                                l->d + u * fine);
    for (int64_t i = 0; i < l->n; i++) {
        l->d[i] = l->inverse[i] > 0.0 ? l->d[i] : 0.0;
        l->z[i] += l->d[i];
    }
    SFI_TRY(multiply(m, l, l->d, l->q));
    for (int64_t i = 0; i < l->n; i++)
        l->r[i] -= l->q[i];
    return smooth(m, l, true);
}

sf_status sfi_multigrid_apply(sfi_multigrid *m, const double *r, double *z)
{
    mg_level *l = &m->levels[0];
    memcpy(l->r, r, (size_t)l->n * sizeof *r);
    for (int64_t i = 0; i < l->n; i++)
        if (l->inverse[i] == 0.0)
            l->r[i] = 0.0;
    SFI_TRY(cycle(m, 0));
    memcpy(z, l->z, (size_t)l->n * sizeof *z);
    return SF_OK;
}
