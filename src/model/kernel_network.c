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

static bool is_angle(const sf_model *m, int64_t j)
{
    return m->noise.kernels[j].ops->chart == SFI_CHART_ANGLE;
}

static int64_t angles_of(const sf_model *m)
{
    int64_t count = 0;
    for (int64_t j = 0; j < m->dim; j++)
        count += is_angle(m, j);
    return count;
}

sf_status sfi_kernel_network_declare(sf_model *m)
{
    bool missing = false;
    const double least = sfi_model_number(m, "t_min", &missing);
    const int64_t d = m->dim, wide = d + angles_of(m);
    if (missing || !(least > 0.0) || !(least < 1.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"t_min\" is %g, want > 0 and below 1", least);
    if (sfi_single_level(m))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: a network with kernels has all noise levels");
    SFI_TRY(sfi_perceptron_declare(m, wide, 2 * d + wide));
    for (int k = 0; k < FIXED; k++)
        SFI_TRY(sfi_add_fixed_weight(m, fixed_names[k], 1, &d));
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

/* A vector whose angles have become cosines, followed by the sines. */
static sf_node unfold(const sf_model *m, sf_graph *g, sf_node plain,
                      sf_node angle)
{
    const int64_t one = 1;
    sf_node sines = {-1}, all = {-1};
    for (int64_t j = 0; j < m->dim; j++) {
        const sf_node a = sf_component(g, angle, j);
        const sf_node first =
            is_angle(m, j) ? sf_cos(g, a) : sf_component(g, plain, j);
        const sf_node part = sf_reshape(g, first, 1, &one);
        all = j == 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
        if (!is_angle(m, j))
            continue;
        const sf_node sine = sf_reshape(g, sf_sin(g, a), 1, &one);
        sines =
            sines.id < 0 ? sine : sf_concat(g, 2, (sf_node[]){sines, sine}, 0);
    }
    return sines.id < 0 ? all : sf_concat(g, 2, (sf_node[]){all, sines}, 0);
}

static sf_node standard(sf_graph *g, sf_node x, sf_node mean, sf_node scale)
{
    return sf_div(g, sf_sub(g, x, mean), scale);
}

sf_node sfi_kernel_network_clean(const sf_model *m, sf_graph *g, sf_node x0,
                                 const sf_node *weights)
{
    return unfold(m, g,
                  standard(g, x0, fixed(m, weights, X0_MEAN),
                           fixed(m, weights, X0_SCALE)),
                  x0);
}

sfi_heads sfi_kernel_network_heads(const sf_model *m, sf_graph *g, sf_node y,
                                   sf_node t, const sf_node *weights)
{
    const int64_t d = m->dim, wide = d + angles_of(m);
    const sf_node u = unfold(
        m, g,
        standard(g, y, fixed(m, weights, Y_MEAN), fixed(m, weights, Y_SCALE)),
        y);
    const sf_node out = sfi_perceptron(m, g, u, t, weights);
    return (sfi_heads){sf_slice(g, out, 0, 0, d, 1),
                       sf_slice(g, out, 0, d, d, 1),
                       sf_slice(g, out, 0, 2 * d, wide, 1)};
}

/* E[x0 | y] from the head: an angle is the direction of its vector. */
static sf_node denoised(const sf_model *m, sf_graph *g, sf_node clean,
                        const sf_node *weights)
{
    const int64_t one = 1, d = m->dim;
    const sf_node plain = sf_add(
        g, fixed(m, weights, X0_MEAN),
        sf_mul(g, fixed(m, weights, X0_SCALE), sf_slice(g, clean, 0, 0, d, 1)));
    sf_node all = {-1};
    int64_t angle = 0;
    for (int64_t j = 0; j < d; j++) {
        sf_node value = sf_component(g, plain, j);
        if (is_angle(m, j))
            value = sf_atan2(g, sf_component(g, clean, d + angle++),
                             sf_component(g, clean, j));
        const sf_node part = sf_reshape(g, value, 1, &one);
        all = j == 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
    }
    return all;
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
                        .denoised = denoised(m, g, h.clean, weights)};
}

/* ---- fixed weights ------------------------------------------------------------ */

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

sf_status sfi_kernel_network_fix(sf_model *m, sf_cmat y, sf_cmat x0)
{
    double *weights[FIXED];
    for (int k = 0; k < FIXED; k++)
        weights[k] =
            m->weights + m->layout[m->layout_count - FIXED + (size_t)k].offset;
    take_moments(y, weights[Y_MEAN], weights[Y_SCALE]);
    take_moments(x0, weights[X0_MEAN], weights[X0_SCALE]);
    SFI_TRY(sfi_level_spread(m, weights[SPREAD]));
    for (int64_t j = 0; j < m->dim; j++)
        weights[SPREAD][j] = (float)weights[SPREAD][j];
    return SF_OK;
}
