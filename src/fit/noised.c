/* SPDX-License-Identifier: Apache-2.0 */
/* noised.c - noise of kernels on rows, and what heads should say of them.
 *
 * Targets of one (y, x_0) are a program.  For means over several clean rows, pairs
 * are taken a tile at a time, and weighed by p(y | x_0; t) relative to the largest
 * of them, so that nothing leaves the range of a double. */
#include "fit/noised.h"

#include "base/random.h"
#include "model/network.h"

#include <math.h>

enum { TILE_PAIRS = 4096 };

static sf_status compile_pairs(sfi_noised *z, sf_graph *g, sf_node *weights)
{
    const sf_model *m = z->model;
    const sf_node x0 = sf_input(g, "x0", 1, &m->dim);
    const sf_node y = sf_input(g, "y", 1, &m->inner);
    const sf_node t = sf_input(g, "t", 0, NULL);
    SFI_TRY(sfi_weight_nodes(m, g, weights));
    sf_node logp;
    const sf_node targets =
        sfi_objective_targets(m, g, x0, y, t, weights, &logp);
    const sf_output outputs[] = {{logp, SF_EACH}, {targets, SF_EACH}};
    return sf_program_new(m->ctx, &z->pairs, g, SF_F64, SFI_COUNT(outputs),
                          outputs);
}

static sf_status prepare_targets(sfi_noised *z)
{
    const sf_model *m = z->model;
    sf_context *ctx = m->ctx;
    const size_t pairs = (size_t)(z->tile * z->target_rows);
    const size_t layers = m->layout_count;
    z->targets_size = sfi_kernel_network_outputs(m);
    z->targets =
        sfi_alloc(ctx, (size_t)(z->most * z->targets_size), sizeof *z->targets);
    z->point = sfi_alloc(ctx, pairs, sizeof *z->point);
    z->clean = sfi_alloc(ctx, pairs, sizeof *z->clean);
    z->logp = sfi_alloc(ctx, pairs, sizeof *z->logp);
    z->given =
        sfi_alloc(ctx, pairs * (size_t)z->targets_size, sizeof *z->given);
    z->params = sfi_alloc(ctx, layers, sizeof *z->params);
    sf_node *weights = sfi_alloc(ctx, layers, sizeof *weights);
    sf_graph *g = NULL;
    sf_status status = z->targets != NULL && z->point != NULL &&
                               z->clean != NULL && z->logp != NULL &&
                               z->given != NULL && z->params != NULL &&
                               weights != NULL
                           ? sf_graph_new(ctx, &g)
                           : SF_E_NOMEM;
    if (status == SF_OK) {
        for (size_t k = 0; k < layers; k++)
            z->params[k] = m->weights + m->layout[k].offset;
        status = compile_pairs(z, g, weights);
    }
    sf_graph_free(g);
    sfi_free(ctx, weights, layers, sizeof *weights);
    return status;
}

sf_status sfi_noised_new(sfi_noised *out, const sf_model *model, sf_cmat x0,
                         int64_t most, int64_t target_rows)
{
    sf_context *ctx = model->ctx;
    const size_t n = (size_t)most, d = (size_t)model->inner;
    *out = (sfi_noised){
        .model = model,
        .x0 = x0,
        .most = most,
        .target_rows = target_rows,
        .tile = target_rows < TILE_PAIRS ? TILE_PAIRS / target_rows : 1};
    out->y = sfi_alloc(ctx, n * d, sizeof *out->y);
    out->t = sfi_alloc(ctx, n, sizeof *out->t);
    out->rows = sfi_alloc(ctx, n * (d + 1), sizeof *out->rows);
    sf_status status = out->y != NULL && out->t != NULL && out->rows != NULL
                           ? sfi_noiser_new(ctx, &out->noiser, &model->noise)
                           : SF_E_NOMEM;
    if (status == SF_OK && target_rows > 1)
        status = prepare_targets(out);
    if (status != SF_OK)
        sfi_noised_free(out);
    return status;
}

void sfi_noised_free(sfi_noised *z)
{
    if (z->model == NULL)
        return;
    sf_context *ctx = z->model->ctx;
    const size_t n = (size_t)z->most, d = (size_t)z->model->inner;
    const size_t pairs = (size_t)(z->tile * z->target_rows);
    const size_t size = (size_t)z->targets_size;
    sf_program_free(z->pairs);
    sfi_noiser_free(z->noiser);
    sfi_free(ctx, z->params, z->model->layout_count, sizeof *z->params);
    sfi_free(ctx, z->y, n * d, sizeof *z->y);
    sfi_free(ctx, z->t, n, sizeof *z->t);
    sfi_free(ctx, z->rows, n * (d + 1), sizeof *z->rows);
    sfi_free(ctx, z->targets, n * size, sizeof *z->targets);
    sfi_free(ctx, z->point, pairs, sizeof *z->point);
    sfi_free(ctx, z->clean, pairs, sizeof *z->clean);
    sfi_free(ctx, z->logp, pairs, sizeof *z->logp);
    sfi_free(ctx, z->given, pairs * size, sizeof *z->given);
    *z = (sfi_noised){.model = NULL};
}

sf_status sfi_noised_draw(sfi_noised *z, const int64_t *index, int64_t count,
                          uint64_t seed, uint32_t step)
{
    const int64_t d = z->model->inner;
    const double rho = 7.0, low = pow(sfi_first_time(z->model), 1.0 / rho);
    for (int64_t i = 0; i < count; i++) {
        const double u = sfi_uniform_at(
            (sfi_where){seed, (uint64_t)i, step, SFI_STREAM_TIME}, 0);
        z->t[i] = pow(low + u * (1.0 - low), rho);
    }
    SFI_TRY(sfi_noiser_run(z->noiser, count, z->x0, index, z->t,
                           (sfi_where){seed, 0, step, SFI_STREAM_NOISE},
                           (sf_mat){z->y, count, d, d}));
    for (int64_t i = 0; i < count * d; i++)
        z->rows[i] = (float)z->y[i];
    for (int64_t i = 0; i < count; i++)
        z->rows[count * d + i] = (float)z->t[i];
    return SF_OK;
}

/* The mean of `n` rows of numbers with weights exp(logp), which are lost. */
static void weighted_mean(double *logp, const double *given, int64_t n,
                          int64_t size, float *mean)
{
    double most = -INFINITY, sum = 0.0;
    for (int64_t k = 0; k < n; k++)
        most = fmax(most, logp[k]);
    for (int64_t k = 0; k < n; k++)
        sum += logp[k] = exp(logp[k] - most);
    for (int64_t j = 0; j < size; j++) {
        double total = 0.0;
        for (int64_t k = 0; k < n; k++)
            if (logp[k] > 0.0) /* what is far away may not be finite */
                total += logp[k] * given[k * size + j];
        mean[j] = (float)(total / sum);
    }
}

sf_status sfi_noised_targets(sfi_noised *z, const int64_t *index, int64_t count)
{
    const int64_t d = z->model->inner, n = z->target_rows;
    const sf_source sources[] = {
        {.data = z->x0.data,
         .dtype = SF_F64,
         .stride = z->x0.stride,
         .rows = z->clean},
        {.data = z->y, .dtype = SF_F64, .stride = d, .rows = z->point},
        {.data = z->t, .dtype = SF_F64, .stride = 1, .rows = z->point}};
    const sf_sink sinks[] = {{z->logp, SF_F64, 1},
                             {z->given, SF_F64, z->targets_size}};
    for (int64_t first = 0; first < count; first += z->tile) {
        const int64_t here = count - first < z->tile ? count - first : z->tile;
        for (int64_t i = 0; i < here * n; i++) {
            z->point[i] = first + i / n;
            z->clean[i] = index[(z->point[i] + i % n) % count];
        }
        SFI_TRY(sf_program_run(z->pairs, here * n, sources, z->params, sinks));
        for (int64_t i = 0; i < here; i++)
            weighted_mean(z->logp + i * n, z->given + i * n * z->targets_size,
                          n, z->targets_size,
                          z->targets + (first + i) * z->targets_size);
    }
    return SF_OK;
}
