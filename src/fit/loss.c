/* SPDX-License-Identifier: Apache-2.0 */
/* loss.c - programs of an objective, and their runs on a batch.
 *
 * Weights are the parameters of the programs, a tensor each, and rows the points;
 * so sums over a batch are sums over points, in their fixed order.  The Hessian is
 * never formed: H v is the gradient of (gradient . v). */
#include "fit/loss.h"

#include "base/random.h"
#include "model/network.h"

#include <string.h>

/* H v is the gradient of g.v, v being constant. */
static void hessian_product(sf_graph *g, size_t layers, const sf_node *weights,
                            const sf_node *gradients, const sf_node *directions,
                            sf_node *products)
{
    sf_node slope = sf_const(g, 0.0);
    for (size_t k = 0; k < layers; k++)
        slope = sf_add(g, slope, sf_dot(g, gradients[k], directions[k]));
    sf_gradients(g, slope, (int)layers, weights, products);
}

static sf_status build(sfi_loss *l, sf_objective objective, unsigned wants,
                       sf_graph *g, sf_node *weights, sf_output *outputs)
{
    const size_t layers = l->model->layout_count;
    sf_node *directions = weights + layers, *gradients = weights + 2 * layers;
    sf_node *products = weights + 3 * layers;
    SFI_TRY(sfi_weight_nodes(l->model, g, weights));
    if (wants & SFI_LOSS_PRODUCT)
        SFI_TRY(sfi_weight_nodes(l->model, g, directions));
    const sfi_objective o =
        sfi_objective_new(l->model, g, objective, l->averaged, weights);
    l->third = o.third;
    l->given = o.given;
    outputs[0] = (sf_output){o.loss, SF_SUM};
    if (wants & SFI_LOSS_VALUE)
        SFI_TRY(sf_program_new(l->ctx, &l->value, g, l->dtype, 1, outputs));
    if (!(wants & (SFI_LOSS_GRADIENT | SFI_LOSS_PRODUCT)))
        return SF_OK;
    sf_gradients(g, o.loss, (int)layers, weights, gradients);
    for (size_t k = 0; k < layers; k++)
        outputs[k + 1] = (sf_output){gradients[k], SF_SUM};
    if (wants & SFI_LOSS_GRADIENT)
        SFI_TRY(sf_program_new(l->ctx, &l->gradient, g, l->dtype,
                               (int)layers + 1, outputs));
    if (!(wants & SFI_LOSS_PRODUCT))
        return SF_OK;
    hessian_product(g, layers, weights, gradients, directions, products);
    for (size_t k = 0; k < layers; k++)
        outputs[k] = (sf_output){products[k], SF_SUM};
    return sf_program_new(l->ctx, &l->product, g, l->dtype, (int)layers,
                          outputs);
}

sf_status sfi_loss_new(sfi_loss *out, const sf_model *model,
                       sf_objective objective, sf_dtype dtype, unsigned wants)
{
    sf_context *ctx = model->ctx;
    const size_t layers = model->layout_count;
    *out = (sfi_loss){.ctx = ctx,
                      .model = model,
                      .dtype = dtype,
                      .averaged = (wants & SFI_LOSS_AVERAGED) != 0};
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    sf_node *nodes = sfi_alloc(ctx, 4 * layers, sizeof *nodes);
    sf_output *outputs = sfi_alloc(ctx, layers + 1, sizeof *outputs);
    out->params = sfi_alloc(ctx, 2 * layers, sizeof *out->params);
    out->sinks = sfi_alloc(ctx, layers + 1, sizeof *out->sinks);
    sf_status status = SF_E_NOMEM;
    if (nodes != NULL && outputs != NULL && out->params != NULL &&
        out->sinks != NULL)
        status = build(out, objective, wants, g, nodes, outputs);
    sfi_free(ctx, outputs, layers + 1, sizeof *outputs);
    sfi_free(ctx, nodes, 4 * layers, sizeof *nodes);
    sf_graph_free(g);
    if (status != SF_OK)
        sfi_loss_free(out);
    return status;
}

void sfi_loss_free(sfi_loss *l)
{
    if (l->model == NULL)
        return;
    const size_t layers = l->model->layout_count;
    sf_program_free(l->value);
    sf_program_free(l->gradient);
    sf_program_free(l->product);
    sfi_free(l->ctx, l->params, 2 * layers, sizeof *l->params);
    sfi_free(l->ctx, l->sinks, layers + 1, sizeof *l->sinks);
    *l = (sfi_loss){.model = NULL};
}

/* The arrays of one vector of weights, as the programs take them. */
static void point(const sfi_loss *l, const void **to, const void *weights)
{
    const size_t each = sf_dtype_size(l->dtype);
    for (size_t k = 0; k < l->model->layout_count; k++)
        to[k] =
            (const char *)weights + (size_t)l->model->layout[k].offset * each;
}

static void collect(const sfi_loss *l, sf_sink *to, void *weights)
{
    const size_t each = sf_dtype_size(l->dtype);
    for (size_t k = 0; k < l->model->layout_count; k++)
        to[k] = (sf_sink){(char *)weights +
                              (size_t)l->model->layout[k].offset * each,
                          l->dtype, 0};
}

static sf_status run(sfi_loss *l, sf_program *program, const sfi_batch *b)
{
    const float share = (float)b->share;
    const bool kernels = sfi_has_kernels(l->model);
    const bool single = l->dtype == SF_F32;
    const sf_source sources[SFI_OBJECTIVE_INPUTS] = {
        {.kind = SF_ROWS,
         .data = b->data,
         .dtype = l->dtype,
         .stride = l->model->dim,
         .rows = b->rows},
        {.kind = SF_NORMAL,
         .seed = b->seed,
         .step = b->step,
         .stream = SFI_STREAM_NOISE},
        {.kind = l->third,
         .data = single ? (const void *)&share : &b->share,
         .dtype = l->dtype,
         .seed = b->seed,
         .step = b->step,
         .stream = SFI_STREAM_TIME}};
    const sf_source targets = {
        .kind = SF_ROWS,
        .data = b->targets,
        .dtype = l->dtype,
        .stride = l->averaged ? sfi_kernel_network_outputs(l->model) : 0};
    const sf_source drawn[SFI_OBJECTIVE_INPUTS] = {
        l->averaged ? targets : sources[0],
        {.kind = SF_ROWS,
         .data = b->noised,
         .dtype = l->dtype,
         .stride = kernels ? l->model->inner : sf_model_latents(l->model)},
        {.kind = SF_ROWS, .data = b->times, .dtype = l->dtype, .stride = 1}};
    return sf_program_run(program, b->count, l->given ? drawn : sources,
                          l->params, l->sinks);
}

sf_status sfi_loss_value(sfi_loss *l, const sfi_batch *batch,
                         const void *weights, void *value)
{
    point(l, l->params, weights);
    l->sinks[0] = (sf_sink){value, l->dtype, 0};
    return run(l, l->value, batch);
}

sf_status sfi_loss_gradient(sfi_loss *l, const sfi_batch *batch,
                            const void *weights, void *value, void *gradient)
{
    point(l, l->params, weights);
    l->sinks[0] = (sf_sink){value, l->dtype, 0};
    collect(l, l->sinks + 1, gradient);
    return run(l, l->gradient, batch);
}

sf_status sfi_loss_product(sfi_loss *l, const sfi_batch *batch,
                           const void *weights, const void *direction, void *hv)
{
    point(l, l->params, weights);
    point(l, l->params + l->model->layout_count, direction);
    collect(l, l->sinks, hv);
    return run(l, l->product, batch);
}
