/* SPDX-License-Identifier: Apache-2.0 */
/* gauss.c - charge carried along, and compared with div eps E. */
#include "evolve/gauss.h"

#include "action/form.h"

#include <math.h>
#include <string.h>

/* Minus the gradient at A = 0. */
sf_status sfi_gauss_read(sfi_gauss_law *l)
{
    const int64_t n = l->a->unknowns * l->a->points;
    if (!l->is_known)
        return SF_OK;
    SFI_TRY(sfi_action_gradient(l->a, l->still, l->current));
    for (int64_t i = 0; i < n; i++)
        l->current[i] = -l->current[i];
    return SF_OK;
}

/* Where all edges at a point are free. */
static void find_seen(sfi_gauss_law *l, const int64_t *first,
                      const int64_t *count)
{
    const sf_action *a = l->a;
    for (int64_t i = 0; i < a->points; i++) {
        l->is_seen[i] = true;
        for (int k = 0; k < a->rank; k++) {
            const int64_t at = i / a->stride[k] % a->count[k];
            const int w = at == 0                 ? 2 * k
                          : at == a->count[k] - 1 ? 2 * k + 1
                                                  : -1;
            l->is_seen[i] &= at >= first[k] && at < first[k] + count[k] &&
                             !(w >= 0 && a->walls[w].kind == SF_SIDE_PIN);
        }
    }
}

sf_status sfi_gauss_begin(sfi_gauss_law *l, sf_action *a, const double *mass,
                          const double *v, const int64_t *first,
                          const int64_t *count)
{
    const size_t n = (size_t)(a->unknowns * a->points);
    const size_t points = (size_t)a->points;
    *l = (sfi_gauss_law){.a = a, .count = n + 1};
    l->is_known = sfi_form_is_gauge(a);
    l->moved = sfi_alloc_zero(a->ctx, 3 * n + 1 + 2 * points, sizeof(double));
    l->is_seen = sfi_alloc_zero(a->ctx, points, sizeof *l->is_seen);
    if (l->moved == NULL || l->is_seen == NULL)
        return SF_E_NOMEM;
    l->kicked = l->moved + n;
    l->current = l->kicked + 1;
    l->still = l->current + n;
    l->start = l->still + n;
    l->out = l->start + points;
    find_seen(l, first, count);
    for (size_t i = 0; i < n; i++)
        l->current[i] = -mass[i] * v[i];
    (void)sfi_form_divergence(a, l->current, l->start);
    memset(l->current, 0, n * sizeof *l->current);
    return sfi_gauss_read(l);
}

void sfi_gauss_free(sfi_gauss_law *l)
{
    if (l->a == NULL)
        return;
    sf_context *ctx = l->a->ctx;
    const size_t points = (size_t)l->a->points;
    sfi_free(ctx, l->moved, 3 * (l->count - 1) + 1 + 2 * points,
             sizeof(double));
    sfi_free(ctx, l->is_seen, points, sizeof *l->is_seen);
}

void sfi_gauss_kick(sfi_gauss_law *l, double kick)
{
    const int64_t n = (int64_t)l->count - 1;
    if (!l->a->is_timed) { /* the same at all times */
        *l->kicked += kick;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        l->moved[i] += kick * l->current[i];
}

double sfi_gauss_residual(const sfi_gauss_law *l, const double *mass,
                          const double *v)
{
    const sf_action *a = l->a;
    const int64_t n = (int64_t)l->count - 1;
    double most = 0.0, size = 0.0;
    double *all = l->still; /* and 0 again below */
    if (!l->is_known)
        return NAN;
    for (int64_t i = 0; i < n; i++)
        all[i] = mass[i] * v[i];
    size = sfi_form_divergence(a, all, l->out);
    for (int64_t i = 0; i < n; i++)
        all[i] = l->moved[i] + *l->kicked * l->current[i] - mass[i] * v[i];
    size = fmax(size, sfi_form_divergence(a, all, l->out));
    for (int64_t i = 0; i < a->points; i++)
        if (l->is_seen[i])
            most = fmax(most, fabs(l->out[i] - l->start[i]));
    memset(all, 0, (size_t)n * sizeof *all);
    return size > 0.0 ? most / size : 0.0;
}
