/* SPDX-License-Identifier: Apache-2.0 */
/* prior.c - where the flow begins: the law at time 1.
 *
 * Levels sigma: N(0, (1 + sigma_max^2) I), which is exact in the second moment of
 * standardised data.  Kernels: their law at t = 1, which is the same for every
 * x0, or, for the law of a data set, the mixture over its data, which is exact
 * also for the path "ve", where x0 is not forgotten. */
#include "model/model.h"

#include "base/random.h"
#include "scorefield/program.h"

#include <math.h>
#include <string.h>

/* ---- draws ------------------------------------------------------------------- */

static void draw_normal(const sf_model *m, uint64_t seed, int64_t first,
                        sf_mat y)
{
    const double high = sfi_level(m, 1.0), spread = sqrt(1.0 + high * high);
    for (int64_t i = 0; i < y.rows; i++) {
        const sfi_where where = {seed, (uint64_t)(first + i), 0,
                                 SFI_STREAM_PRIOR};
        for (int64_t j = 0; j < m->dim; j++)
            y.data[i * y.stride + j] =
                spread * sfi_normal_at(where, (uint32_t)j);
    }
}

/* What the kernels' noise is added to: the data of a mixture, or any place, since
 * the law at time 1 does not depend on it. */
static sf_status choose(const sf_model *m, uint64_t seed, int64_t first,
                        int64_t n, int64_t *index, double *place, sf_cmat *x0)
{
    if (m->ops->mixture != NULL) {
        *x0 = sfi_empirical_of(m).data;
        SFI_TRY(sfi_empirical_choose(m, seed, first, n, index));
        for (int64_t i = 0; i < n; i++) /* at time 1 the floor is like others */
            index[i] = index[i] < 0 ? 0 : index[i];
        return SF_OK;
    }
    sfi_noise_middle(&m->noise, place);
    memset(index, 0, (size_t)n * sizeof *index);
    *x0 = (sf_cmat){place, 1, m->dim, m->dim};
    return SF_OK;
}

static sf_status draw_kernels(const sf_model *m, uint64_t seed, int64_t first,
                              sf_mat y)
{
    sf_context *ctx = m->ctx;
    const size_t n = (size_t)y.rows, d = (size_t)m->dim;
    double *place = sfi_alloc(ctx, d, sizeof *place);
    int64_t *index = sfi_alloc(ctx, n, sizeof *index);
    double *times = sfi_alloc(ctx, n, sizeof *times);
    sfi_noiser *noiser = NULL;
    sf_cmat x0 = {0};
    sf_status status = place != NULL && index != NULL && times != NULL
                           ? sfi_noiser_new(ctx, &noiser, &m->noise)
                           : SF_E_NOMEM;
    if (status == SF_OK)
        status = choose(m, seed, first, y.rows, index, place, &x0);
    for (size_t i = 0; i < n && status == SF_OK; i++)
        times[i] = 1.0;
    /* Step 0 chose, step 1 is the noise. */
    if (status == SF_OK)
        status = sfi_noiser_run(
            noiser, y.rows, x0, index, times,
            (sfi_where){seed, (uint64_t)first, 1, SFI_STREAM_PRIOR}, y);
    sfi_noiser_free(noiser);
    sfi_free(ctx, times, n, sizeof *times);
    sfi_free(ctx, index, n, sizeof *index);
    sfi_free(ctx, place, d, sizeof *place);
    return status;
}

sf_status sfi_prior_draw(const sf_model *m, uint64_t seed, int64_t first,
                         sf_mat y)
{
    if (sfi_has_kernels(m))
        return draw_kernels(m, seed, first, y);
    draw_normal(m, seed, first, y);
    return SF_OK;
}

/* ---- log density ------------------------------------------------------------- */

static void normal_logpdf(const sf_model *m, sf_cmat y, double *out)
{
    static const double log_two_pi = 1.8378770664093453;
    const double high = sfi_level(m, 1.0), variance = 1.0 + high * high;
    for (int64_t i = 0; i < y.rows; i++) {
        double q = 0.0;
        for (int64_t j = 0; j < m->dim; j++)
            q += y.data[i * y.stride + j] * y.data[i * y.stride + j];
        out[i] = -0.5 *
                 (q / variance + (double)m->dim * (log_two_pi + log(variance)));
    }
}

/* With any x0, since the law at time 1 does not depend on it. */
static sf_status logpdf_from(const sf_model *m, const double *place, sf_cmat y,
                             double *out)
{
    sf_graph *g = NULL;
    sf_program *program = NULL;
    SFI_TRY(sf_graph_new(m->ctx, &g));
    const sf_node row = sf_input(g, "y", 1, &m->inner);
    const sf_node clean = sf_const_array(g, 1, &m->dim, place);
    const sf_node t = sf_param(g, "t", 0, NULL);
    const sf_node logp = sfi_noise_logp(&m->noise, g, row, clean, t);
    const sf_output output = {logp, SF_EACH};
    sf_status status = sf_program_new(m->ctx, &program, g, SF_F64, 1, &output);
    sf_graph_free(g);
    if (status == SF_OK) {
        const double one = 1.0;
        const void *const params[] = {&one};
        const sf_source source = {.kind = SF_ROWS,
                                  .data = y.data,
                                  .dtype = SF_F64,
                                  .stride = y.stride};
        const sf_sink sink = {out, SF_F64, 1};
        status = sf_program_run(program, y.rows, &source, params, &sink);
    }
    sf_program_free(program);
    return status;
}

static sf_status kernels_logpdf(const sf_model *m, sf_cmat y, double *out)
{
    double *place = sfi_alloc(m->ctx, (size_t)m->dim, sizeof *place);
    if (place == NULL)
        return SF_E_NOMEM;
    sfi_noise_middle(&m->noise, place);
    const sf_status status = logpdf_from(m, place, y, out);
    sfi_free(m->ctx, place, (size_t)m->dim, sizeof *place);
    return status;
}

sf_status sfi_prior_logpdf(const sf_model *m, sf_cmat y, double *out)
{
    if (!sfi_has_kernels(m)) {
        normal_logpdf(m, y, out);
        return SF_OK;
    }
    if (m->ops->mixture == NULL)
        return kernels_logpdf(m, y, out);
    sfi_inner *inner = NULL;
    SFI_TRY(sfi_inner_new(m, &inner, SF_F64, SFI_WANT_LOGPDF));
    const sf_status status =
        sfi_inner_run(inner, y.rows, y.data, y.stride, 1.0, NULL,
                      (void *const[]){out}, (const int64_t[]){1});
    sfi_inner_free(inner);
    return status;
}
