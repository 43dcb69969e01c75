/* SPDX-License-Identifier: Apache-2.0 */
/* noiser.c - draws of noised rows. */
#include "base/parallel.h"
#include "kernel/noise.h"
#include "scorefield/program.h"

enum { ROWS = 512 };

struct sfi_noiser {
    sf_context *ctx;
    const sfi_noise *noise;
    sf_program *program;
    double *theta; /* [ROWS, blocks, SFI_KERNEL_THETA] */
    size_t count;
};

static sf_status compile(sfi_noiser *z, sf_graph *g)
{
    const sfi_noise *noise = z->noise;
    const int64_t one = 1;
    const sf_node x0 = sf_input(g, "x0", 1, &noise->dim);
    const sf_node t = sf_input(g, "t", 0, NULL);
    const size_t parts = (size_t)noise->count * SFI_KERNEL_THETA;
    sf_node *all = sfi_alloc(z->ctx, parts, sizeof *all);
    if (all == NULL)
        return SF_E_NOMEM;
    int count = 0;
    for (int64_t j = 0; j < noise->count; j++) {
        const sfi_block *b = &noise->blocks[j];
        const sfi_kernel *k = &b->kernel;
        sf_node theta[SFI_KERNEL_THETA];
        const int have = k->ops->joint != NULL ? 0 : k->ops->theta_count;
        if (have > 0)
            k->ops->theta(k, g, sf_component(g, x0, noise->columns[b->first]),
                          t, theta);
        for (int i = 0; i < SFI_KERNEL_THETA; i++)
            all[count++] =
                sf_reshape(g, i < have ? theta[i] : sf_const(g, 0.0), 1, &one);
    }
    const sf_output out = {sf_concat(g, count, all, 0), SF_EACH};
    sfi_free(z->ctx, all, parts, sizeof *all);
    return sf_program_new(z->ctx, &z->program, g, SF_F64, 1, &out);
}

sf_status sfi_noiser_new(sf_context *ctx, sfi_noiser **out,
                         const sfi_noise *noise)
{
    *out = NULL;
    sfi_noiser *z = sfi_alloc_zero(ctx, 1, sizeof *z);
    if (z == NULL)
        return SF_E_NOMEM;
    z->ctx = ctx;
    z->noise = noise;
    z->count = (size_t)(ROWS * noise->count * SFI_KERNEL_THETA);
    z->theta = sfi_alloc(ctx, z->count, sizeof *z->theta);
    sf_graph *g = NULL;
    sf_status status = z->theta != NULL ? sf_graph_new(ctx, &g) : SF_E_NOMEM;
    if (status == SF_OK)
        status = compile(z, g);
    sf_graph_free(g);
    if (status != SF_OK) {
        sfi_noiser_free(z);
        return status;
    }
    *out = z;
    return SF_OK;
}

void sfi_noiser_free(sfi_noiser *z)
{
    if (z == NULL)
        return;
    sf_program_free(z->program);
    sfi_free(z->ctx, z->theta, z->count, sizeof *z->theta);
    sfi_free(z->ctx, z, 1, sizeof *z);
}

typedef struct drawing {
    const sfi_noiser *z;
    sf_cmat x0;
    const int64_t *index;
    const double *times;
    sfi_where where;
    sf_mat y; /* of these rows */
} drawing;

/* A block of row i. */
static void draw_block(const drawing *job, int64_t i, int64_t k)
{
    const sfi_noise *noise = job->z->noise;
    const sfi_block *b = &noise->blocks[k];
    const sfi_kernel_ops *ops = b->kernel.ops;
    double *y = job->y.data + i * job->y.stride + b->at;
    sfi_where where = job->where;
    where.point += (uint64_t)i;
    where.step = (uint32_t)((int64_t)where.step * noise->count + k);
    if (ops->joint == NULL) {
        y[0] = ops->draw(
            &b->kernel,
            job->z->theta + (i * noise->count + k) * SFI_KERNEL_THETA, where);
        return;
    }
    double part[SFI_BLOCK_COLUMNS];
    const double *x0 = job->x0.data + (job->index != NULL ? job->index[i] : i) *
                                          job->x0.stride;
    for (int64_t j = 0; j < b->columns; j++)
        part[j] = x0[noise->columns[b->first + j]];
    ops->joint->draw(b, part, job->times[i], where, y);
}

static void draw_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const drawing *job = user;
    (void)part;
    for (int64_t i = first; i < first + count; i++)
        for (int64_t k = 0; k < job->z->noise->count; k++)
            draw_block(job, i, k);
}

sf_status sfi_noiser_run(sfi_noiser *z, int64_t n, sf_cmat x0,
                         const int64_t *index, const double *times,
                         sfi_where where, sf_mat y)
{
    const int64_t columns = z->noise->count * SFI_KERNEL_THETA;
    for (int64_t at = 0; at < n; at += ROWS) {
        const int64_t count = n - at < ROWS ? n - at : ROWS;
        drawing job = {.z = z,
                       .x0 = x0,
                       .index = index != NULL ? index + at : NULL,
                       .times = times + at,
                       .where = where,
                       .y = {y.data + at * y.stride, count, y.cols, y.stride}};
        if (index == NULL)
            job.x0.data += at * x0.stride;
        job.where.point += (uint64_t)at;
        const sf_source sources[] = {
            {.kind = SF_ROWS,
             .data = job.x0.data,
             .dtype = SF_F64,
             .stride = x0.stride,
             .rows = job.index},
            {.kind = SF_ROWS, .data = job.times, .dtype = SF_F64, .stride = 1}};
        const sf_sink sink = {z->theta, SF_F64, columns};
        SFI_TRY(sf_program_run(z->program, count, sources, NULL, &sink));
        sfi_parallel(z->ctx, count, 64, draw_rows, &job);
    }
    return SF_OK;
}
