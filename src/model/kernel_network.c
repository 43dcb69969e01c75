/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_network.c - a network for the noise of kernels (network.h).
 *
 * Everything is in the chart, where what is learned is bounded.  Near t = 0 the
 * score of every kernel grows as 1/(t spread) and its velocity tends to spread
 * times a variable of unit size, so that heads of unit size serve all times.  The
 * score alone gives the velocity only of kernels that are diffusions; hence the
 * second head. */
#include "model/network.h"

#include <math.h>
#include <string.h>

/* The last weights, which are fixed. */
enum { Y_MEAN, Y_SCALE, X0_MEAN, X0_SCALE, SPREAD, FIXED };

static const char *const fixed_names[FIXED] = {
    "chart.mean", "chart.scale", "clean.mean", "clean.scale", "noise.spread"};

/* What a mean of clean rows is taken of: the chart of a block on a surface, the
 * columns of others. */
static bool in_chart(const sfi_block *b)
{
    return b->kernel.ops->joint != NULL && b->kernel.ops->joint->mean_in_chart;
}

static int64_t clean_count(const sf_model *m)
{
    int64_t count = 0;
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        count += in_chart(b) ? b->inner : b->columns;
    }
    return count;
}

static int64_t angles_of(const sf_model *m)
{
    int64_t count = 0;
    for (int64_t k = 0; k < m->noise.count; k++)
        count += sfi_block_is_angle(&m->noise.blocks[k]);
    return count;
}

int64_t sfi_kernel_network_outputs(const sf_model *m)
{
    return 2 * m->inner + clean_count(m) + angles_of(m);
}

sf_status sfi_kernel_network_declare(sf_model *m)
{
    bool missing = false;
    const double least = sfi_model_number(m, "t_min", &missing);
    const int64_t d = m->inner, clean = clean_count(m);
    const int64_t sizes[FIXED] = {d, d, clean, clean, d};
    if (missing || !(least > 0.0) || !(least < 1.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"t_min\" is %g, want > 0 and below 1", least);
    if (sfi_single_level(m))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: a network with kernels has all noise levels");
    SFI_TRY(sfi_perceptron_declare(m, "", d + angles_of(m),
                                   sfi_kernel_network_outputs(m)));
    for (int k = 0; k < FIXED; k++)
        SFI_TRY(sfi_add_fixed_weight(m, fixed_names[k], 1, &sizes[k]));
    return SF_OK;
}

static sf_node fixed(const sf_model *m, const sf_node *weights, int k)
{
    return weights[m->layout_count - FIXED + (size_t)k];
}

sf_node sfi_kernel_network_spread(const sf_model *m, const sf_node *weights)
{
    return fixed(m, weights, SPREAD);
}

static sf_node append(sf_graph *g, sf_node all, sf_node part)
{
    return all.id < 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
}

/* Numbers of blocks one after the other, in `standard` as a network wants them
 * and in `plain` as they are: the angles become cosines, and their sines follow
 * all others. */
static sf_node unfold(const sf_model *m, sf_graph *g, sf_node standard,
                      sf_node plain, bool clean)
{
    sf_node sines = {-1}, all = {-1};
    int64_t at = 0;
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        const int64_t size = clean && !in_chart(b) ? b->columns : b->inner;
        sf_node part = sf_slice(g, standard, 0, at, size, 1);
        if (sfi_block_is_angle(b)) {
            const sf_node angle = sf_slice(g, plain, 0, at, 1, 1);
            part = sf_cos(g, angle);
            sines = append(g, sines, sf_sin(g, angle));
        }
        all = append(g, all, part);
        at += size;
    }
    return sines.id < 0 ? all : append(g, all, sines);
}

static sf_node standard(sf_graph *g, sf_node x, sf_node mean, sf_node scale)
{
    return sf_div(g, sf_sub(g, x, mean), scale);
}

/* Clean rows as numbers of which means are taken. */
static sf_node clean_numbers(const sf_model *m, sf_graph *g, sf_node x0)
{
    sf_node all = {-1};
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        sf_node part = sfi_block_columns(&m->noise, b, g, x0);
        if (in_chart(b))
            part = b->kernel.ops->joint->chart(b, g, part);
        all = append(g, all, part);
    }
    return all;
}

sf_node sfi_kernel_network_clean(const sf_model *m, sf_graph *g, sf_node x0,
                                 const sf_node *weights)
{
    const sf_node numbers = clean_numbers(m, g, x0);
    return unfold(m, g,
                  standard(g, numbers, fixed(m, weights, X0_MEAN),
                           fixed(m, weights, X0_SCALE)),
                  numbers, true);
}

sfi_heads sfi_kernel_network_heads(const sf_model *m, sf_graph *g, sf_node y,
                                   sf_node t, const sf_node *weights)
{
    const int64_t d = m->inner, clean = clean_count(m) + angles_of(m);
    const sf_node u = unfold(
        m, g,
        standard(g, y, fixed(m, weights, Y_MEAN), fixed(m, weights, Y_SCALE)),
        y, false);
    const sf_node out = sfi_perceptron(m, g, u, t, weights);
    return (sfi_heads){
        sfi_noise_tangent(&m->noise, g, y, sf_slice(g, out, 0, 0, d, 1)),
        sfi_noise_tangent(&m->noise, g, y, sf_slice(g, out, 0, d, d, 1)),
        sf_slice(g, out, 0, 2 * d, clean, 1)};
}

/* E[x0 | y] from the head: of an angle, and of a place on a surface, the direction
 * of its vector. */
static sf_node denoised(const sf_model *m, sf_graph *g, sf_node clean,
                        const sf_node *weights)
{
    const int64_t count = clean_count(m);
    const sf_node plain = sf_add(g, fixed(m, weights, X0_MEAN),
                                 sf_mul(g, fixed(m, weights, X0_SCALE),
                                        sf_slice(g, clean, 0, 0, count, 1)));
    sf_node all = {-1};
    int64_t at = 0, angle = 0;
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        const int64_t size = in_chart(b) ? b->inner : b->columns;
        sf_node part = sf_slice(g, plain, 0, at, size, 1);
        if (in_chart(b))
            part = b->kernel.ops->joint->inverse(b, g, part);
        else if (sfi_block_is_angle(b))
            part = sf_atan2(g, sf_slice(g, clean, 0, count + angle++, 1, 1),
                            sf_slice(g, clean, 0, at, 1, 1));
        all = append(g, all, part);
        at += size;
    }
    return sfi_noise_in_columns(&m->noise, g, all);
}

sfi_answer sfi_kernel_network_answer(const sf_model *m, sf_graph *g, sf_node y,
                                     sf_node t, const sf_node *weights)
{
    /* Earlier times than the least answer as that. */
    const sf_node time = sf_max(g, t, sf_const(g, sfi_first_time(m)));
    const sfi_heads h = sfi_kernel_network_heads(m, g, y, time, weights);
    const sf_node spread = fixed(m, weights, SPREAD);
    return (sfi_answer){.score = sf_div(g, h.score, sf_mul(g, time, spread)),
                        .drift = sf_mul(g, spread, h.velocity),
                        .denoised = denoised(m, g, h.clean, weights),
                        .logp = {-1}};
}

/* ---- fixed weights ------------------------------------------------------------ */

/* Mean and standard deviation, in single precision, of `count` columns. */
static void take_moments(sf_cmat x, double *mean, double *scale)
{
    for (int64_t j = 0; j < x.cols; j++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t i = 0; i < x.rows; i++)
            sum += x.data[i * x.stride + j];
        mean[j] = (float)(sum / (double)x.rows);
        for (int64_t i = 0; i < x.rows; i++) {
            const double gap = x.data[i * x.stride + j] - mean[j];
            squares += gap * gap;
        }
        const double sd = sqrt(squares / (double)x.rows);
        scale[j] = (float)(sd > 0.0 ? sd : 1.0);
    }
}

/* Of a block's clean numbers, at `at` of the fixed weights. */
static sf_status clean_moments(sf_model *m, const sfi_block *b, sf_cmat x0,
                               double *mean, double *scale)
{
    const int64_t size = in_chart(b) ? b->inner : b->columns;
    const size_t cells = (size_t)(x0.rows * size);
    const int64_t *columns = sfi_noise_columns(&m->noise, b);
    double *numbers = sfi_alloc(m->ctx, cells, sizeof *numbers);
    if (numbers == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < x0.rows; i++) {
        double part[SFI_BLOCK_COLUMNS];
        for (int64_t j = 0; j < b->columns; j++)
            part[j] = x0.data[i * x0.stride + columns[j]];
        if (in_chart(b))
            b->kernel.ops->joint->to_chart(b, part, numbers + i * size);
        else
            memcpy(numbers + i * size, part, (size_t)size * sizeof *part);
    }
    take_moments((sf_cmat){numbers, x0.rows, size, size}, mean, scale);
    sfi_free(m->ctx, numbers, cells, sizeof *numbers);
    return SF_OK;
}

sf_status sfi_kernel_network_fix(sf_model *m, sf_cmat y, sf_cmat x0)
{
    double *weights[FIXED];
    for (int k = 0; k < FIXED; k++)
        weights[k] =
            m->weights + m->layout[m->layout_count - FIXED + (size_t)k].offset;
    take_moments(y, weights[Y_MEAN], weights[Y_SCALE]);
    int64_t at = 0;
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        SFI_TRY(clean_moments(m, b, x0, weights[X0_MEAN] + at,
                              weights[X0_SCALE] + at));
        at += in_chart(b) ? b->inner : b->columns;
    }
    SFI_TRY(sfi_level_spread(m, weights[SPREAD]));
    for (int64_t j = 0; j < m->inner; j++)
        weights[SPREAD][j] = (float)weights[SPREAD][j];
    return SF_OK;
}
