/* SPDX-License-Identifier: Apache-2.0 */
/* jumps.c - counts that grow from nothing to a sample.
 *
 * Noise thins counts: forward in time each point goes at a rate of its own, and at
 * t = 1 there are none.  Backward, points come, column j rising by one at the rate
 * b_j(x, t) = E[b(x_j | x0_j) | x], the mean over the posterior (model/mixture.h).
 *
 * JUMPS simulates that process without an error in time.  Its law from t to s < t
 * is, x0 being unknown but for x,
 *
 *     p_s|t(x' | x) = sum_i r_i(x) p_s|t(x' | x, x0_i),
 *
 * a mixture of what it would do if x0 were known, and that is in closed form: of
 * x0 - x points that are gone each comes back before s with probability 1 - s/t
 * (binomial), or a Poisson number of mean scale x0 (t - s) comes.  So: a datum from
 * the posterior at x, then its births, and at s anew.  As the process with x0 is
 * one of Markov and so is its mixture seen at x, levels may be few or many; between
 * them jumps are drawn together.
 *
 * TAULEAP (D. Gillespie, J. Chem. Phys. 115 (2001) 1716-1733) asks for the rates
 * alone: it holds them over a step, and births are Poisson numbers of their means,
 * as far as there are data from which what results may have come.  Its error falls
 * with the length of a step. */
#include "flow/jumps.h"

#include "base/parallel.h"
#include "base/random.h"
#include "flow/resample.h"
#include "kernel/families.h"

#include <math.h>

typedef struct jumping {
    sf_context *ctx;
    const sf_model *m;
    const sf_sample_options *o;
    sfi_empirical e;
    int64_t n, d, step;
    double from, to;
    double *x;       /* [n + 1, d], the last to work in */
    double *rate;    /* [n, d] */
    double *uniform; /* [n] */
    int64_t *index;  /* [n] which datum */
} jumping;

static sfi_where where_of(const jumping *s, int64_t i, int64_t j)
{
    return (sfi_where){s->o->seed, (uint64_t)(s->o->first + i),
                       (uint32_t)(s->step * s->d + j), SFI_STREAM_STEP};
}

/* A time of datum i: no less than its least. */
static double time_of(const jumping *s, int64_t datum, double time)
{
    return fmax(time, s->e.least != NULL ? s->e.least[datum] : s->e.least_all);
}

/* A walker whose posterior is empty, which a file with odd times of its data may
 * bring about. */
static sf_status lost(const jumping *s, int64_t i)
{
    return SFI_FAIL(s->ctx, SF_E_NUMERIC,
                    "sample: walker %lld is where no datum can be at time %g",
                    (long long)(s->o->first + i), s->from);
}

/* ---- exactly ------------------------------------------------------------------ */

static void bear_exactly(void *user, int64_t part, int64_t first, int64_t count)
{
    const jumping *s = user;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        const int64_t datum = s->index[i];
        const double *x0 = s->e.data.data + datum * s->e.data.stride;
        const double from = time_of(s, datum, s->from);
        const double to = time_of(s, datum, s->to);
        double *x = s->x + i * s->d;
        for (int64_t j = 0; j < s->d && to < from; j++) {
            const sfi_kernel *k = &sfi_noise_block(&s->m->noise, j)->kernel;
            x[j] += k->ops->counts->births(k, x[j], x0[j], from, to,
                                           where_of(s, i, j));
        }
    }
}

static sf_status jump(jumping *s, sfi_mixture *p)
{
    const sfi_mixture_want want = {.uniform = s->uniform, .drawn = s->index};
    for (int64_t i = 0; i < s->n; i++) {
        sfi_where where = where_of(s, i, 0);
        where.step = (uint32_t)s->step;
        where.stream = SFI_STREAM_PRIOR;
        s->uniform[i] = sfi_uniform_at(where, 1);
    }
    SFI_TRY(
        sfi_mixture_run(p, (sf_cmat){s->x, s->n, s->d, s->d}, s->from, &want));
    for (int64_t i = 0; i < s->n; i++)
        if (s->index[i] < 0)
            return lost(s, i);
    sfi_parallel(s->ctx, s->n, 64, bear_exactly, s);
    return SF_OK;
}

/* ---- by leaps ----------------------------------------------------------------- */

/* How large x_j may become, so that there are still data from which x may have
 * come. */
static double room(const jumping *s, const double *x, int64_t j)
{
    double largest = 0.0;
    for (int64_t i = 0; i < s->e.data.rows; i++) {
        const double *x0 = s->e.data.data + i * s->e.data.stride;
        bool possible = true;
        for (int64_t l = 0; l < s->d && possible; l++) {
            const sfi_kernel *k = &sfi_noise_block(&s->m->noise, l)->kernel;
            possible = x[l] <= k->ops->counts->most(k, x0[l]);
        }
        const sfi_kernel *k = &sfi_noise_block(&s->m->noise, j)->kernel;
        if (possible)
            largest = fmax(largest, k->ops->counts->most(k, x0[j]));
    }
    return largest;
}

static void bear_by_rate(void *user, int64_t part, int64_t first, int64_t count)
{
    const jumping *s = user;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        double *x = s->x + i * s->d;
        for (int64_t j = 0; j < s->d; j++) {
            uint32_t component = 0;
            const double mean = s->rate[i * s->d + j] * (s->from - s->to);
            const double births =
                sfi_draw_poisson(mean, where_of(s, i, j), &component);
            if (births > 0.0)
                x[j] = fmin(x[j] + births, room(s, x, j));
        }
    }
}

static sf_status leap(jumping *s, sfi_mixture *p)
{
    const sfi_mixture_want want = {.birth = {s->rate, s->n, s->d, s->d}};
    SFI_TRY(
        sfi_mixture_run(p, (sf_cmat){s->x, s->n, s->d, s->d}, s->from, &want));
    for (int64_t i = 0; i < s->n; i++)
        if (!isfinite(s->rate[i * s->d]))
            return lost(s, i);
    sfi_parallel(s->ctx, s->n, 16, bear_by_rate, s);
    return SF_OK;
}

/* ---- all of it ---------------------------------------------------------------- */

static sf_status run(jumping *s, sfi_mixture *p)
{
    const sf_cmat x = {s->x, s->n, s->d, s->d};
    double *row = s->x + s->n * s->d;
    for (int64_t i = 0; i < s->n * s->d; i++)
        s->x[i] = 0.0;
    SFI_TRY(sfi_record(s->m, s->o, 0, x, row));
    for (s->step = 0; s->step < s->o->steps; s->step++) {
        s->from = sfi_grid_level(s->m, s->step, s->o->steps);
        s->to = sfi_grid_level(s->m, s->step + 1, s->o->steps);
        SFI_TRY(s->o->method == SF_SAMPLER_JUMPS ? jump(s, p) : leap(s, p));
        SFI_TRY(sfi_record(s->m, s->o, s->step + 1, x, row));
    }
    return SF_OK;
}

sf_status sfi_jump(const sf_model *m, sf_mat out,
                   const sf_sample_options *options)
{
    jumping s = {.ctx = m->ctx,
                 .m = m,
                 .o = options,
                 .e = sfi_empirical_of(m),
                 .n = out.rows,
                 .d = m->dim};
    sfi_mixture *p = NULL;
    const size_t n = (size_t)s.n, cells = (size_t)((s.n + 1) * s.d);
    s.x = sfi_alloc(s.ctx, cells, sizeof *s.x);
    s.rate = sfi_alloc(s.ctx, cells, sizeof *s.rate);
    s.uniform = sfi_alloc(s.ctx, n, sizeof *s.uniform);
    s.index = sfi_alloc(s.ctx, n, sizeof *s.index);
    sf_status status =
        s.x != NULL && s.rate != NULL && s.uniform != NULL && s.index != NULL
            ? m->ops->mixture(m, &p, SFI_VELOCITY_TRAINING, false)
            : SF_E_NOMEM;
    if (status == SF_OK)
        status = run(&s, p);
    for (int64_t i = 0; i < s.n && status == SF_OK; i++)
        sfi_from_inner(m, s.x + i * s.d, out.data + i * out.stride);
    sfi_mixture_free(p);
    sfi_free(s.ctx, s.index, n, sizeof *s.index);
    sfi_free(s.ctx, s.uniform, n, sizeof *s.uniform);
    sfi_free(s.ctx, s.rate, cells, sizeof *s.rate);
    sfi_free(s.ctx, s.x, cells, sizeof *s.x);
    return status;
}
