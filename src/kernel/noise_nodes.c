/* SPDX-License-Identifier: Apache-2.0 */
/* noise_nodes.c - the noise of a row as nodes of a graph. */
#include "kernel/noise.h"
#include "kernel/path.h"
#include "scorefield/program.h"

#include <math.h>

/* `part` [n] after what is there already. */
static sf_node append(sf_graph *g, sf_node all, sf_node part)
{
    return all.id < 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
}

static sf_node row_of(sf_graph *g, sf_node number)
{
    const int64_t one = 1;
    return sf_reshape(g, number, 1, &one);
}

sf_node sfi_block_inner(const sfi_block *b, sf_graph *g, sf_node y)
{
    return sf_slice(g, y, 0, b->at, b->inner, 1);
}

sf_node sfi_block_columns(const sfi_noise *noise, const sfi_block *b,
                          sf_graph *g, sf_node x)
{
    sf_node all = {-1};
    for (int64_t i = 0; i < b->columns; i++)
        all = append(g, all,
                     sf_slice(g, x, 0, noise->columns[b->first + i], 1, 1));
    return all;
}

/* ---- charts ------------------------------------------------------------------ */

sf_node sfi_noise_chart(const sfi_noise *noise, sf_graph *g, sf_node x)
{
    sf_node all = {-1};
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        const sf_node part = sfi_block_columns(noise, b, g, x);
        all = append(g, all,
                     ops->joint != NULL ? ops->joint->chart(b, g, part)
                                        : sfi_chart_to(g, ops->chart, part));
    }
    return all;
}

sf_node sfi_noise_in_columns(const sfi_noise *noise, sf_graph *g,
                             sf_node blocks)
{
    sf_node all = {-1};
    for (int64_t j = 0; j < noise->dim; j++) {
        int64_t at = 0, place = 0;
        for (int64_t k = 0; k < noise->count; k++)
            for (int64_t i = 0; i < noise->blocks[k].columns; i++, at++)
                if (noise->columns[noise->blocks[k].first + i] == j)
                    place = at;
        all = append(g, all, sf_slice(g, blocks, 0, place, 1, 1));
    }
    return all;
}

sf_node sfi_noise_inverse(const sfi_noise *noise, sf_graph *g, sf_node y)
{
    sf_node blocks = {-1};
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        const sf_node part = sfi_block_inner(b, g, y);
        blocks =
            append(g, blocks,
                   ops->joint != NULL ? ops->joint->inverse(b, g, part)
                                      : sfi_chart_from(g, ops->chart, part));
    }
    return sfi_noise_in_columns(noise, g, blocks);
}

sf_node sfi_noise_log_slope_node(const sfi_noise *noise, sf_graph *g, sf_node y)
{
    sf_node sum = sf_const(g, 0.0);
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        const sf_node part = sfi_block_inner(b, g, y);
        if (ops->joint != NULL && ops->joint->log_slope_node == NULL)
            continue;
        sum = sf_add(
            g, sum,
            ops->joint != NULL
                ? ops->joint->log_slope_node(b, g, part)
                : sf_sum_all(g, sfi_chart_log_slope(g, ops->chart, part)));
    }
    return sum;
}

sf_node sfi_noise_tangent(const sfi_noise *noise, sf_graph *g, sf_node y,
                          sf_node v)
{
    if (!sfi_noise_has_surface(noise))
        return v;
    sf_node all = {-1};
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_joint_ops *joint = b->kernel.ops->joint;
        sf_node part = sfi_block_inner(b, g, v);
        if (joint != NULL && joint->tangent != NULL)
            part = joint->tangent(b, g, sfi_block_inner(b, g, y), part);
        all = append(g, all, part);
    }
    return all;
}

/* ---- what the kernels say ---------------------------------------------------- */

static sf_node block_logp(const sfi_noise *noise, const sfi_block *b,
                          sf_graph *g, sf_node place, sf_node x0, sf_node t)
{
    const sfi_kernel *k = &b->kernel;
    if (k->ops->joint != NULL)
        return k->ops->joint->logp(b, g, place,
                                   sfi_block_columns(noise, b, g, x0), t);
    sf_node theta[SFI_KERNEL_THETA];
    k->ops->theta(k, g, sf_component(g, x0, noise->columns[b->first]), t,
                  theta);
    return k->ops->logp(k, g, sf_component(g, place, 0), theta);
}

sf_node sfi_noise_logp(const sfi_noise *noise, sf_graph *g, sf_node y,
                       sf_node x0, sf_node t)
{
    sf_node sum = sf_const(g, 0.0);
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        sum = sf_add(g, sum,
                     block_logp(noise, b, g, sfi_block_inner(b, g, y), x0, t));
    }
    return sum;
}

/* What a discrete block does not have. */
static sf_node undefined(sf_graph *g, int64_t count)
{
    return sf_broadcast(g, sf_const(g, NAN), 1, &count);
}

/* Of a block, with vectors for score and velocity and [inner^2] for the Hessian. */
static sfi_kernel_nodes block_at(const sfi_noise *noise, const sfi_block *b,
                                 sf_graph *g, sf_node y, sf_node x0, sf_node t,
                                 sfi_velocity how)
{
    const sfi_kernel_ops *ops = b->kernel.ops;
    if (ops->joint == NULL) {
        const sf_node place = sf_stop_gradient(g, sf_component(g, y, b->at));
        sfi_kernel_nodes n = sfi_kernel_at_chart(
            &b->kernel, g, place, sf_component(g, x0, noise->columns[b->first]),
            t, how);
        n.score = row_of(g, n.score);
        n.hessian = row_of(g, n.hessian);
        n.velocity = row_of(g, n.velocity);
        return n;
    }
    const sf_node place = sf_stop_gradient(g, sfi_block_inner(b, g, y));
    const sf_node clean = sfi_block_columns(noise, b, g, x0);
    const int64_t cells = b->inner * b->inner;
    sfi_kernel_nodes n;
    n.logp = ops->joint->logp(b, g, place, clean, t);
    if (ops->discrete) {
        n.score = n.velocity = undefined(g, b->inner);
        n.hessian = undefined(g, cells);
        n.rate = sf_const(g, NAN);
        return n;
    }
    n.score = sf_gradient(g, n.logp, place);
    n.hessian = sf_reshape(g, sf_jacobian(g, n.score, place), 1, &cells);
    n.rate = sf_gradient(g, n.logp, t);
    n.velocity = ops->joint->velocity(
        b, g, place, clean, t,
        how == SFI_VELOCITY_REST ? SFI_VELOCITY_TRAINING : how);
    return n;
}

sfi_kernel_nodes sfi_noise_at(const sfi_noise *noise, sf_graph *g, sf_node y,
                              sf_node x0, sf_node t, sfi_velocity how)
{
    sfi_kernel_nodes all = {{-1}, {-1}, {-1}, {-1}, {-1}};
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_kernel_nodes n =
            block_at(noise, &noise->blocks[k], g, y, x0, t, how);
        all.logp = k == 0 ? n.logp : sf_add(g, all.logp, n.logp);
        all.rate = k == 0 ? n.rate : sf_add(g, all.rate, n.rate);
        all.score = append(g, all.score, n.score);
        all.hessian = append(g, all.hessian, n.hessian);
        all.velocity = append(g, all.velocity, n.velocity);
    }
    return all;
}

/* ---- how wide it is ---------------------------------------------------------- */

/* Curvatures at t = SMALL, where a path has hardly moved x0; of joint kernels
 * they are not used. */
static sf_status curvatures(sf_context *ctx, const sfi_noise *noise,
                            double small, double *work, double *hessian)
{
    double *x0 = work, *y = work + noise->dim;
    sf_graph *g = NULL;
    sf_program *program = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    const sf_node yn = sf_input(g, "y", 1, &noise->inner);
    const sf_node xn = sf_input(g, "x0", 1, &noise->dim);
    const sf_node t = sf_param(g, "t", 0, NULL);
    const sf_output out = {
        sfi_noise_at(noise, g, yn, xn, t, SFI_VELOCITY_TRAINING).hessian,
        SF_EACH};
    sf_status status = sf_program_new(ctx, &program, g, SF_F64, 1, &out);
    if (status == SF_OK) {
        sfi_noise_middle(noise, x0);
        sfi_noise_to_chart(noise, (sfi_units){0}, x0, y);
        const sf_source sources[] = {
            {.kind = SF_ROWS, .data = y, .dtype = SF_F64, .stride = 1},
            {.kind = SF_ROWS, .data = x0, .dtype = SF_F64, .stride = 1}};
        const void *const params[] = {&small};
        const sf_sink sink = {hessian, SF_F64, noise->squares};
        status = sf_program_run(program, 1, sources, params, &sink);
    }
    sf_program_free(program);
    sf_graph_free(g);
    return status;
}

sf_status sfi_noise_spread(sf_context *ctx, const sfi_noise *noise,
                           double *spread)
{
    const double small = 1e-4;
    const size_t room = (size_t)(noise->dim + noise->inner + noise->squares);
    double *work = sfi_alloc(ctx, room, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double *hessian = work + noise->dim + noise->inner;
    const sf_status status = curvatures(ctx, noise, small, work, hessian);
    for (int64_t k = 0; k < noise->count && status == SF_OK; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel *kernel = &b->kernel;
        if (kernel->ops->joint != NULL)
            kernel->ops->joint->spread(b, spread + b->at);
        else if (kernel->ops->discrete && kernel->ops->counts == NULL)
            spread[b->at] =
                sfi_kernel_number_of(kernel, "sigma") *
                sfi_path_at((int)kernel->numbers[0], 0.0).spread_rate;
        else
            spread[b->at] = *hessian < 0.0
                                ? 1.0 / (small * sqrt(-*hessian))
                                : sfi_kernel_number_of(kernel, "scale");
        hessian += b->inner * b->inner;
    }
    sfi_free(ctx, work, room, sizeof *work);
    return status;
}
