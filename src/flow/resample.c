/* SPDX-License-Identifier: Apache-2.0 */
/* resample.c - exact draws from the law of a data set: choose a datum, add its
 * noise.
 *
 * From x_t, a datum drawn from the posterior weights r_i(x_t) and noised to a
 * level s < t is a draw from p_s that is as near to x_t as the laws allow: the
 * star-shaped process of A. Okhotin et al., 2023, with the posterior drawn from,
 * not replaced by its mean, so that every level is exact. */
#include "flow/resample.h"

#include "base/random.h"
#include "model/product.h"

#include <math.h>
#include <string.h>

typedef struct resampling {
    sf_context *ctx;
    const sf_model *m;
    const sf_sample_options *o;
    sfi_empirical e;
    int64_t n, d;
    double *y;       /* [n, d], inner */
    double *row;     /* [dim] */
    int64_t *index;  /* [n] which datum */
    double *uniform; /* [n] */
    double *times;   /* [n] */
    double *whole;   /* [n, dim] data whose missing cells are drawn, or NULL */
    sfi_noiser *noiser;
} resampling;

static sfi_where where_of(const resampling *s, int64_t i, int64_t step,
                          sfi_stream stream)
{
    return (sfi_where){s->o->seed, (uint64_t)(s->o->first + i), (uint32_t)step,
                       stream};
}

static void draw_uniforms(resampling *s, int64_t step)
{
    for (int64_t i = 0; i < s->n; i++)
        s->uniform[i] =
            sfi_uniform_at(where_of(s, i, step, SFI_STREAM_PRIOR), 1);
}

/* Sample i uses entry i mod rows of the shuffle of its round. */
sf_status sfi_each_once(sf_context *ctx, uint64_t seed, int64_t first,
                        int64_t n, int64_t rows, int64_t *index)
{
    int64_t *order = sfi_alloc(ctx, (size_t)rows, sizeof *order);
    if (order == NULL)
        return SF_E_NOMEM;
    int64_t round = -1;
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = first + i;
        if (at / rows != round) {
            round = at / rows;
            for (int64_t k = 0; k < rows; k++)
                order[k] = k;
            sfi_shuffle(seed, (uint32_t)round, order, rows);
        }
        index[i] = order[at % rows];
    }
    sfi_free(ctx, order, (size_t)rows, sizeof *order);
    return SF_OK;
}

static sf_status choose_evenly(resampling *s)
{
    if (s->e.log_weights != NULL)
        return SFI_FAIL(s->ctx, SF_E_UNSUPPORTED,
                        "sample: the method stratified uses all data equally "
                        "often, and these have weights; use direct");
    SFI_TRY(sfi_each_once(s->ctx, s->o->seed, s->o->first, s->n, s->e.data.rows,
                          s->index));
    for (int64_t i = 0; i < s->n && s->e.floor > 0.0; i++)
        if (sfi_uniform_at(where_of(s, i, 0, SFI_STREAM_PRIOR), 1) < s->e.floor)
            s->index[i] = SFI_FLOOR_DATUM;
    return SF_OK;
}

/* y from the chosen data at a level; what comes from the floor has the law at
 * time 1 at all of them, from any datum. */
static sf_status add_noise(resampling *s, double level, int64_t step)
{
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t datum = s->index[i];
        s->index[i] = datum < 0 ? 0 : datum;
        s->times[i] = datum < 0
                          ? 1.0
                          : fmax(level, s->e.least != NULL ? s->e.least[datum]
                                                           : s->e.least_all);
    }
    if (s->whole != NULL)
        return sfi_noiser_run(
            s->noiser, s->n, (sf_cmat){s->whole, s->n, s->m->dim, s->m->dim},
            NULL, s->times, where_of(s, 0, step, SFI_STREAM_STEP),
            (sf_mat){s->y, s->n, s->d, s->d});
    return sfi_noiser_run(s->noiser, s->n, s->e.data, s->index, s->times,
                          where_of(s, 0, step, SFI_STREAM_STEP),
                          (sf_mat){s->y, s->n, s->d, s->d});
}

sf_status sfi_record(const sf_model *m, const sf_sample_options *o,
                     int64_t step, sf_cmat y, double *row)
{
    if (o->trace != NULL) {
        float *out = o->trace + step * y.rows * m->dim;
        for (int64_t i = 0; i < y.rows; i++) {
            sfi_from_inner(m, y.data + i * y.stride, row);
            for (int64_t j = 0; j < m->dim; j++)
                out[i * m->dim + j] = (float)row[j];
        }
    }
    const sf_progress p = {.stage = "sample",
                           .step = step,
                           .steps = o->steps,
                           .loss = NAN,
                           .held_out = NAN};
    if (!sfi_progress(m->ctx, &p, step == o->steps))
        return SFI_FAIL(m->ctx, SF_E_CANCELLED, "sample: stopped");
    return SF_OK;
}

static sf_status record(resampling *s, int64_t step)
{
    return sfi_record(s->m, s->o, step, (sf_cmat){s->y, s->n, s->d, s->d},
                      s->row);
}

static sf_status down_the_levels(resampling *s)
{
    sfi_mixture *p = NULL;
    SFI_TRY(s->m->ops->mixture(s->m, &p, SFI_VELOCITY_TRAINING, false));
    sf_status status = sfi_prior_draw(s->m, s->o->seed, s->o->first,
                                      (sf_mat){s->y, s->n, s->d, s->d});
    if (status == SF_OK)
        status = record(s, 0);
    for (int64_t k = 0; k < s->o->steps && status == SF_OK; k++) {
        const double here = sfi_grid_level(s->m, k, s->o->steps);
        draw_uniforms(s, k);
        const sfi_mixture_want want = {.uniform = s->uniform,
                                       .drawn = s->index};
        status =
            sfi_mixture_run(p, (sf_cmat){s->y, s->n, s->d, s->d}, here, &want);
        for (int64_t i = 0; i < s->n && status == SF_OK; i++)
            if (s->index[i] == SFI_NO_DATUM)
                status = SFI_FAIL(s->ctx, SF_E_NUMERIC,
                                  "sample: walker %lld is out of reach of all "
                                  "data at time %g",
                                  (long long)(s->o->first + i), here);
        if (status == SF_OK)
            status = add_noise(s, sfi_grid_level(s->m, k + 1, s->o->steps), k);
        if (status == SF_OK)
            status = record(s, k + 1);
    }
    sfi_mixture_free(p);
    return status;
}

/* The cells of column j that data lack have the column's own law: they are those of
 * data that have it, drawn by the weights; all have one bandwidth.  `upto` [rows]. */
static void draw_cells(resampling *s, int64_t j, double *upto)
{
    const double *data = s->e.data.data + j, *log_weights = s->e.log_weights;
    const int64_t n = s->e.data.rows, stride = s->e.data.stride;
    const int64_t dim = s->m->dim;
    double sum = 0.0;
    for (int64_t k = 0; k < n; k++) {
        const double w = log_weights != NULL ? exp(log_weights[k]) : 1.0;
        sum += isnan(data[k * stride]) ? 0.0 : w;
        upto[k] = sum;
    }
    for (int64_t i = 0; i < s->n; i++) {
        const sfi_where w = where_of(s, i, 0, SFI_STREAM_PRIOR);
        double *cell = &s->whole[i * dim + j];
        *cell = data[s->index[i] * stride];
        if (!isnan(*cell))
            continue;
        const double u = sum * sfi_uniform_at(w, 2 + (uint32_t)j);
        int64_t low = 0, high = n - 1;
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (upto[middle] > u)
                high = middle;
            else
                low = middle + 1;
        }
        *cell = data[low * stride];
    }
}

static sf_status complete(resampling *s)
{
    const size_t rows = (size_t)s->e.data.rows;
    const size_t cells = (size_t)(s->n * s->m->dim);
    double *upto = sfi_alloc(s->ctx, rows, sizeof *upto);
    s->whole = sfi_alloc(s->ctx, cells, sizeof *s->whole);
    const bool enough = upto != NULL && s->whole != NULL;
    for (int64_t j = 0; j < s->m->dim && enough; j++)
        draw_cells(s, j, upto);
    sfi_free(s->ctx, upto, rows, sizeof *upto);
    return enough ? SF_OK : SF_E_NOMEM;
}

static sf_status choose_data(resampling *s)
{
    SFI_TRY(s->o->method == SF_SAMPLER_DIRECT
                ? sfi_empirical_choose(s->m, s->o->seed, s->o->first, s->n,
                                       s->index)
                : choose_evenly(s));
    return sfi_has_holes(s->m) ? complete(s) : SF_OK;
}

/* Rows of columns with atoms, which have no chart: a draw from each cell's law, to out. */
static void draw_mixed(const resampling *s, const sfi_product_law *p,
                       sf_mat out)
{
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t datum = s->index[i];
        const double *row = s->whole != NULL ? s->whole + i * p->dim
                                             : s->e.data.data + datum * p->dim;
        const sfi_where w = where_of(s, i, 0, SFI_STREAM_STEP);
        for (int64_t j = 0; j < p->dim; j++) {
            const sfi_block *b = sfi_noise_block(&p->noise, j);
            const sfi_cell_atoms *atoms = &p->atoms[j].law;
            const sfi_cell c =
                atoms->count > 0
                    ? sfi_cell_with_atoms(b, atoms, row[j], s->e.least_all)
                    : sfi_cell_at(b, row[j], s->e.least_all);
            const double z = sfi_cell_quantile(&c, -INFINITY, INFINITY,
                                               sfi_uniform_at(w, (uint32_t)j));
            out.data[i * out.stride + j] = sfi_product_value(p, j, z);
        }
    }
}

static sf_status with_atoms(resampling *s, sf_mat out)
{
    sfi_product_law *p = NULL;
    if (s->o->trace != NULL)
        return SFI_FAIL(s->ctx, SF_E_UNSUPPORTED,
                        "sample: draws of columns with atoms have no path to "
                        "trace");
    SFI_TRY(choose_data(s));
    SFI_TRY(sfi_product_bare(s->m, &p));
    draw_mixed(s, p, out);
    sfi_product_free(p);
    return SF_OK;
}

static sf_status at_once(resampling *s)
{
    SFI_TRY(choose_data(s));
    for (int64_t i = 0; i < s->n; i++)
        sfi_noise_to_chart(&s->m->noise, (sfi_units){0},
                           s->whole != NULL
                               ? s->whole + i * s->m->dim
                               : s->e.data.data +
                                     (s->index[i] < 0 ? 0 : s->index[i]) *
                                         s->e.data.stride,
                           s->y + i * s->d);
    SFI_TRY(record(s, 0));
    SFI_TRY(add_noise(s, 0.0, 0));
    for (int64_t k = 0; k < s->o->steps; k++)
        SFI_TRY(record(s, k + 1));
    return SF_OK;
}

sf_status sfi_resample(const sf_model *m, sf_mat out,
                       const sf_sample_options *options)
{
    resampling s = {.ctx = m->ctx,
                    .m = m,
                    .o = options,
                    .e = sfi_empirical_of(m),
                    .n = out.rows,
                    .d = m->inner};
    const size_t n = (size_t)s.n, cells = (size_t)(s.n * s.d);
    s.row = sfi_alloc(s.ctx, (size_t)m->dim, sizeof *s.row);
    s.y = sfi_alloc(s.ctx, cells, sizeof *s.y);
    s.index = sfi_alloc(s.ctx, n, sizeof *s.index);
    s.uniform = sfi_alloc(s.ctx, n, sizeof *s.uniform);
    s.times = sfi_alloc(s.ctx, n, sizeof *s.times);
    sf_status status = s.y != NULL && s.row != NULL && s.index != NULL &&
                               s.uniform != NULL && s.times != NULL
                           ? sfi_noiser_new(s.ctx, &s.noiser, &m->noise)
                           : SF_E_NOMEM;
    const bool mixed = sfi_has_atoms(m);
    if (status == SF_OK)
        status = mixed                                     ? with_atoms(&s, out)
                 : options->method == SF_SAMPLER_POSTERIOR ? down_the_levels(&s)
                                                           : at_once(&s);
    for (int64_t i = 0; i < s.n && status == SF_OK && !mixed; i++)
        sfi_from_inner(m, s.y + i * s.d, out.data + i * out.stride);
    sfi_noiser_free(s.noiser);
    sfi_free(s.ctx, s.whole, (size_t)(s.n * m->dim), sizeof *s.whole);
    sfi_free(s.ctx, s.times, n, sizeof *s.times);
    sfi_free(s.ctx, s.uniform, n, sizeof *s.uniform);
    sfi_free(s.ctx, s.index, n, sizeof *s.index);
    sfi_free(s.ctx, s.row, (size_t)m->dim, sizeof *s.row);
    sfi_free(s.ctx, s.y, cells, sizeof *s.y);
    return status;
}
