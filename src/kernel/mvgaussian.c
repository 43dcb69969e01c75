/* SPDX-License-Identifier: Apache-2.0 */
/* mvgaussian.c - x ~ N(alpha x0, sigma^2 L L'), L the block's factor: noise that is
 * correlated as the data is, or, without a factor, that of gaussian.c in every
 * column. */
#include "kernel/families.h"

static sf_node logp(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                    sf_node t)
{
    const double half_log_2pi = 0.91893853320467274;
    sf_node theta[2];
    sfi_factor_theta(b, g, x0, t, theta);
    const sf_node z = sfi_standard(g, y, theta);
    const sf_node each =
        sf_add(g, sf_log(g, theta[1]), sf_const(g, half_log_2pi));
    return sf_sub(g, sf_mul(g, sf_const(g, -0.5), sf_dot(g, z, z)),
                  sf_mul(g, sf_const(g, (double)b->inner), each));
}

/* y and |y|^2 */
static int64_t statistics(const sfi_block *b)
{
    return b->inner + 1;
}

static sf_node statistic(const sfi_block *b, sf_graph *g, sf_node y)
{
    (void)b;
    const int64_t one = 1;
    const sf_node square = sf_reshape(g, sf_dot(g, y, y), 1, &one);
    return sf_concat(g, 2, (sf_node[]){y, square}, 0);
}

static sf_node natural(const sfi_block *b, sf_graph *g, sf_node x0, sf_node t,
                       sf_node *log_partition)
{
    const int64_t one = 1;
    sf_node theta[2], each[3];
    sfi_factor_theta(b, g, x0, t, theta);
    sfi_gaussian_natural(&b->kernel, g, theta, each);
    *log_partition = sf_sum_all(g, each[2]);
    return sf_concat(g, 2,
                     (sf_node[]){each[0], sf_reshape(g, each[1], 1, &one)}, 0);
}

static void draw(const sfi_block *b, const double *x0, double t,
                 sfi_where where, double *y)
{
    sfi_factor_draw(b, x0, t, 1.0, where, y);
}

static void spread(const sfi_block *b, double *out)
{
    sfi_factor_spread(b, 1.0, out);
}

static const sfi_joint_ops joint = {
    SFI_FACTOR_OPS,         .logp = logp,       .statistics = statistics,
    .statistic = statistic, .natural = natural, .draw = draw,
    .spread = spread};

const sfi_kernel_ops sfi_kernel_mvgaussian = {
    .family = "mvgaussian",
    .number_count = 2,
    .numbers = {SFI_PATH_NUMBER, {"sigma", 1.0, 0.0, 1e6, NULL}},
    .joint = &joint};
