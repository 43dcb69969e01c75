/* SPDX-License-Identifier: Apache-2.0 */
/* field.c - programs that evaluate a model at many points for one noise level.
 *
 * The graph has inputs y and (for probes) v, and parameters sigma and the
 * model's weights; the weights are converted to the program's type once. */
#include "model/model.h"

#include <string.h>

enum { WANTS = 6 };

struct sfi_field {
    sf_context *ctx;
    sf_program *program;
    sf_dtype dtype;
    int output_count;
    int64_t columns[WANTS];
    size_t weight_bytes, param_count;
    char *weights;
    const void **params; /* sigma first, then one for each weight */
    bool probed;
};

static sf_node flatten(sf_graph *g, sf_node n)
{
    const int64_t count = sf_node_count(g, n);
    return sf_reshape(g, n, 1, &count);
}

static sf_node wanted_node(sf_graph *g, unsigned want, const sfi_answer *a,
                           sf_node y, sf_node probe)
{
    switch (want) {
    case SFI_WANT_SCORE:
        return a->score;
    case SFI_WANT_DRIFT:
        return a->drift;
    case SFI_WANT_DENOISED:
        return a->denoised;
    case SFI_WANT_JACOBIAN:
        return flatten(g, sf_jacobian(g, a->score, y));
    case SFI_WANT_DIVERGENCE:
        return sf_divergence(g, a->drift, y);
    default:
        return sf_dot(g, probe, sf_jvp(g, a->drift, y, probe));
    }
}

static sf_status build(const sf_model *m, sfi_field *f, sf_graph *g,
                       unsigned wants)
{
    sf_node *weights = sfi_alloc(m->ctx, m->layout_count, sizeof *weights);
    if (weights == NULL)
        return SF_E_NOMEM;
    const sf_node y = sf_input(g, "y", 1, &m->dim);
    sf_node probe = {0};
    f->probed = (wants & SFI_WANT_PROBE) != 0;
    if (f->probed)
        probe = sf_input(g, "probe", 1, &m->dim);
    const sf_node sigma = sf_param(g, "sigma", 0, NULL);
    sf_status status = sfi_weight_nodes(m, g, weights);
    if (status == SF_OK) {
        const sfi_answer a = m->ops->answer(m, g, y, sigma, weights);
        const unsigned single = SFI_WANT_SCORE | SFI_WANT_JACOBIAN;
        sf_output outputs[WANTS];
        if (a.drift.id < 0 && (wants & ~single) != 0)
            status =
                SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                         "the model was trained at one noise level: it has "
                         "a score but no flow");
        for (int k = 0; k < WANTS && status == SF_OK; k++) {
            if ((wants >> k & 1) == 0)
                continue;
            const sf_node n = wanted_node(g, 1u << k, &a, y, probe);
            f->columns[f->output_count] = sf_node_count(g, n);
            outputs[f->output_count++] = (sf_output){n, SF_EACH};
        }
        if (status == SF_OK)
            status = sf_program_new(m->ctx, &f->program, g, f->dtype,
                                    f->output_count, outputs);
    }
    sfi_free(m->ctx, weights, m->layout_count, sizeof *weights);
    return status;
}

static bool convert_weights(const sf_model *m, sfi_field *f)
{
    const size_t size = sf_dtype_size(f->dtype);
    f->weight_bytes = (size_t)m->weight_count * size;
    f->param_count = m->layout_count + 1;
    f->weights = sfi_alloc(m->ctx, f->weight_bytes, 1);
    f->params = sfi_alloc(m->ctx, f->param_count, sizeof *f->params);
    if (f->weights == NULL || f->params == NULL)
        return false;
    for (int64_t i = 0; i < m->weight_count; i++) {
        if (f->dtype == SF_F32)
            ((float *)(void *)f->weights)[i] = (float)m->weights[i];
        else
            ((double *)(void *)f->weights)[i] = m->weights[i];
    }
    for (size_t k = 0; k < m->layout_count; k++)
        f->params[k + 1] = f->weights + (size_t)m->layout[k].offset * size;
    return true;
}

sf_status sfi_field_new(const sf_model *m, sfi_field **out, sf_dtype dtype,
                        unsigned wants)
{
    *out = NULL;
    sfi_field *f = sfi_alloc_zero(m->ctx, 1, sizeof *f);
    if (f == NULL)
        return SF_E_NOMEM;
    f->ctx = m->ctx;
    f->dtype = dtype;
    sf_graph *g = NULL;
    sf_status status = sf_graph_new(m->ctx, &g);
    if (status == SF_OK)
        status = build(m, f, g, wants);
    if (status == SF_OK && !convert_weights(m, f))
        status = SF_E_NOMEM;
    sf_graph_free(g);
    if (status != SF_OK) {
        sfi_field_free(f);
        return status;
    }
    *out = f;
    return SF_OK;
}

void sfi_field_free(sfi_field *f)
{
    if (f == NULL)
        return;
    sf_program_free(f->program);
    sfi_free(f->ctx, f->weights, f->weight_bytes, 1);
    sfi_free(f->ctx, f->params, f->param_count, sizeof *f->params);
    sfi_free(f->ctx, f, 1, sizeof *f);
}

sf_status sfi_field_run(sfi_field *f, int64_t n, const void *y,
                        int64_t y_stride, double sigma, const void *probe,
                        void *const *outputs, const int64_t *strides)
{
    const float sigma32 = (float)sigma;
    f->params[0] =
        f->dtype == SF_F32 ? (const void *)&sigma32 : (const void *)&sigma;
    const sf_source sources[2] = {
        {.kind = SF_ROWS, .data = y, .dtype = f->dtype, .stride = y_stride},
        {.kind = SF_ROWS, .data = probe, .dtype = f->dtype, .stride = y_stride},
    };
    sf_sink sinks[WANTS];
    for (int k = 0; k < f->output_count; k++)
        sinks[k] = (sf_sink){outputs[k], f->dtype, strides[k]};
    return sf_program_run(f->program, n, sources, f->params, sinks);
}
