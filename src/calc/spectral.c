/* SPDX-License-Identifier: Apache-2.0 */
/* spectral.c - derivatives along a closed axis, by its Fourier series. */
#include "calc/spectral.h"

#include <math.h>
#include <string.h>

struct sfi_spectral {
    sf_context *ctx;
    int rank, axis, m;
    int64_t n;
    sfi_transform *forward, *back;
    double *factor; /* [n]: of each place of the coefficients */
};

sf_status sfi_spectral_new(sfi_calc *c, sfi_spectral **out, int axis, int m,
                           double factor)
{
    const sf_axis *a = sf_grid_axis(c->grid, axis);
    const double length =
        copysign(a->period, a->coords[a->count - 1] - a->coords[0]) *
        sfi_axis_factor(c, axis);
    *out = NULL;
    sfi_spectral *s = sfi_alloc_zero(c->ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = c->ctx;
    s->rank = sf_grid_rank(c->grid);
    s->axis = axis;
    s->m = m;
    s->n = a->count;
    s->factor = sfi_alloc(c->ctx, (size_t)s->n, sizeof *s->factor);
    sf_status status = s->factor != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_transform_new(c->ctx, &s->forward, SFI_R2HC, s->n,
                                   SFI_TRANSFORM_BEST);
    if (status == SF_OK)
        status = sfi_transform_new(c->ctx, &s->back, SFI_HC2R, s->n,
                                   SFI_TRANSFORM_BEST);
    const double scale = factor / sfi_transform_scale(SFI_R2HC, s->n);
    for (int64_t k = 0; status == SF_OK && k < s->n; k++) {
        const int64_t wave = k <= s->n / 2 ? k : s->n - k;
        const double kappa =
            2.0 * 3.14159265358979323846 * (double)wave / length;
        s->factor[k] = scale * (m == 1 ? kappa : -kappa * kappa);
    }
    if (status != SF_OK)
        sfi_spectral_free(s);
    else
        *out = s;
    return status;
}

void sfi_spectral_free(sfi_spectral *s)
{
    if (s == NULL)
        return;
    sfi_free(s->ctx, s->factor, (size_t)s->n, sizeof *s->factor);
    sfi_transform_free(s->forward);
    sfi_transform_free(s->back);
    sfi_free(s->ctx, s, 1, sizeof *s);
}

/* Coefficients of a line to those of its derivative: place k holds the real part of wave
 * k, place n - k its imaginary part. */
static void derive(const sfi_spectral *s, double *line, int64_t step)
{
    const int64_t n = s->n;
    if (s->m == 2) {
        for (int64_t k = 0; k < n; k++)
            line[k * step] *= s->factor[k];
        return;
    }
    line[0] *= 0.0; /* missing stays so */
    for (int64_t k = 1; 2 * k < n; k++) {
        const double re = line[k * step], im = line[(n - k) * step];
        line[k * step] = -s->factor[k] * im;
        line[(n - k) * step] = s->factor[k] * re;
    }
    if (n % 2 == 0)
        line[n / 2 * step] *= 0.0;
}

void sfi_spectral_run(sfi_spectral *s, const sfi_slab *values,
                      const int64_t *first, const int64_t *count)
{
    int64_t index[SF_MAX_AXES] = {0};
    sfi_line_array lines = {.dtype = SF_F64,
                            .data = sfi_slab_at(values, first),
                            .rank = s->rank,
                            .axis = s->axis};
    for (int k = 0; k < s->rank; k++) {
        lines.count[k] = count[k];
        lines.step[k] = values->step[k];
    }
    sfi_transform_run(s->forward, &lines);
    for (bool more = true; more;) {
        int64_t at[SF_MAX_AXES] = {0};
        for (int k = 0; k < s->rank; k++)
            at[k] = first[k] + index[k];
        derive(s, sfi_slab_at(values, at), values->step[s->axis]);
        more = false;
        for (int k = s->rank - 1; k >= 0 && !more; k--) {
            if (k == s->axis)
                continue;
            more = ++index[k] < count[k];
            if (!more)
                index[k] = 0;
        }
    }
    sfi_transform_run(s->back, &lines);
}
