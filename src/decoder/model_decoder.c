/* SPDX-License-Identifier: Apache-2.0 */
/* model_decoder.c - the decoder of a model with latent variables,
 *
 *     x = mean + scale (f(z) + s n),     n ~ N(0, I),
 *
 * f and s in the model's inner coordinates.  Its weights become constants of the graph:
 * nothing that is done through a decoder changes them. */
#include "decoder/decoder.h"

#include "graph/graph.h"
#include "model/model.h"

#include <math.h>

static sf_node in_units(const sf_model *m, sf_graph *g, sf_node y)
{
    const sf_node mean = sf_const_array(g, 1, &m->dim, m->mean);
    const sf_node scale = sf_const_array(g, 1, &m->dim, m->scale);
    return sf_add(g, mean, sf_mul(g, scale, y));
}

static sf_status model_mean(const sf_decoder *d, sf_graph *g, sf_node z,
                            sf_node *f)
{
    const sf_model *m = d->model;
    sf_node *weights = sfi_alloc(g->ctx, m->layout_count, sizeof *weights);
    if (weights == NULL)
        return SF_E_NOMEM;
    sfi_weight_constants(m, g, weights);
    const sf_status status = m->ops->decode(m, g, z, (sf_node){-1}, weights, f);
    sfi_free(g->ctx, weights, m->layout_count, sizeof *weights);
    SFI_TRY(status);
    *f = in_units(m, g, *f);
    return sf_graph_status(g);
}

static sf_status model_code(const sf_decoder *d, sf_graph *g, sf_node x,
                            sf_node *z)
{
    const sf_model *m = d->model;
    sf_node *weights = sfi_alloc(g->ctx, m->layout_count, sizeof *weights);
    if (weights == NULL)
        return SF_E_NOMEM;
    sfi_weight_constants(m, g, weights);
    const sf_node mean = sf_const_array(g, 1, &m->dim, m->mean);
    const sf_node scale = sf_const_array(g, 1, &m->dim, m->scale);
    *z = m->ops->code(m, g, sf_div(g, sf_sub(g, x, mean), scale), weights);
    sfi_free(g->ctx, weights, m->layout_count, sizeof *weights);
    return sf_graph_status(g);
}

/* The noise in the data's units; one number where all columns have the same. */
static sf_status take_noise(sf_decoder *d)
{
    const sf_model *m = d->model;
    const size_t dim = (size_t)d->dim;
    double *sd = sfi_alloc(d->ctx, dim, sizeof *sd);
    if (sd == NULL)
        return SF_E_NOMEM;
    m->ops->spread(m, sd);
    bool same = true;
    for (size_t j = 0; j < dim; j++) {
        sd[j] *= m->scale[j];
        same = same && fabs(sd[j] - sd[0]) <= 1e-14 * sd[0];
    }
    const sf_status status = sfi_decoder_take_sigma(d, same ? 1 : d->dim, sd);
    sfi_free(d->ctx, sd, dim, sizeof *sd);
    return status;
}

static sf_status look(sf_decoder *d)
{
    sf_graph *g = NULL;
    sf_node f;
    SFI_TRY(sf_graph_new(d->ctx, &g));
    const sf_node z = sf_input(g, "z", 1, &d->latent);
    sf_status status = model_mean(d, g, z, &f);
    if (status == SF_OK)
        d->is_linear = sfi_decoder_looks_linear(d, g, f, z);
    if (status == SF_OK)
        status = sf_graph_status(g);
    sf_graph_free(g);
    return status;
}

static sf_status make(sf_decoder *d)
{
    const sf_model *m = d->model;
    SFI_TRY(sfi_decoder_name(d, (const char *const *)m->names));
    SFI_TRY(take_noise(d));
    SFI_TRY(look(d));
    d->code = d->is_linear || !sf_model_can(m, SF_CAN_CODE) ? NULL : model_code;
    return SF_OK;
}

sf_status sf_decoder_from_model(sf_context *ctx, sf_decoder **out,
                                const sf_model *m)
{
    *out = NULL;
    SFI_TRY(sfi_want_ability(ctx, m, SF_CAN_DECODE, "decoder"));
    const int64_t latent = sf_model_latents(m);
    if (latent > SF_LATENT_MAX)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "decoder: the model has %lld latent variables, want at "
                        "most %d",
                        (long long)latent, (int)SF_LATENT_MAX);
    sf_decoder *d = sfi_decoder_begin(ctx, latent);
    if (d == NULL)
        return SF_E_NOMEM;
    d->dim = m->dim;
    d->model = m;
    d->mean = model_mean;
    const sf_status status = make(d);
    if (status != SF_OK) {
        sf_decoder_free(d);
        return status;
    }
    *out = d;
    return SF_OK;
}
