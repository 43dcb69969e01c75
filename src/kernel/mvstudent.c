/* SPDX-License-Identifier: Apache-2.0 */
/* mvstudent.c - Student's t of several columns, of location alpha x0, scale
 * sigma L, L the block's factor, and nu degrees of freedom: in the chart
 *
 *     p(y) = Gamma((nu+d)/2)/(Gamma(nu/2) (nu pi sigma^2)^(d/2))
 *                (1 + |y - alpha y0|^2/(nu sigma^2))^(-(nu+d)/2).
 *
 * An outlier is one in all columns at once.  On the path "ve", with nu = D and the
 * scale t = r/sqrt(D), it is the law of Y. Xu et al., "PFGM++", ICML 2023. */
#include "kernel/families.h"
#include "num/special.h"

#include <math.h>

enum { NU = SFI_LOCATION_SCALE_NUMBERS };

static sf_node logp(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                    sf_node t)
{
    const double nu = b->kernel.numbers[NU], d = (double)b->inner;
    const double log_pi = 1.1447298858494002, power = 0.5 * (nu + d);
    const double constant =
        sfi_lgamma(power) - sfi_lgamma(0.5 * nu) - 0.5 * d * (log(nu) + log_pi);
    sf_node theta[2];
    sfi_factor_theta(b, g, x0, t, theta);
    const sf_node z = sfi_standard(g, y, theta);
    const sf_node tail =
        sf_mul(g, sf_const(g, power),
               sf_log1p(g, sf_div(g, sf_dot(g, z, z), sf_const(g, nu))));
    return sf_sub(g, sf_sub(g, sf_const(g, constant), tail),
                  sf_mul(g, sf_const(g, d), sf_log(g, theta[1])));
}

/* Normal numbers over the root of one chi-squared number over nu. */
static void draw(const sfi_block *b, const double *x0, double t,
                 sfi_where where, double *y)
{
    const double half = 0.5 * b->kernel.numbers[NU];
    uint32_t component = (uint32_t)(b->inner + b->inner % 2);
    const double log_gamma = sfi_draw_log_gamma(half, where, &component);
    sfi_factor_draw(b, x0, t, exp(0.5 * (log(half) - log_gamma)), where, y);
}

/* By the curvature of ln p at its peak, (nu + d)/(nu sigma^2): there may be no
 * variance. */
static void spread(const sfi_block *b, double *out)
{
    const double nu = b->kernel.numbers[NU];
    sfi_factor_spread(b, sqrt(nu / (nu + (double)b->inner)), out);
}

static const sfi_joint_ops joint = {SFI_FACTOR_OPS, .logp = logp, .draw = draw,
                                    .spread = spread};

const sfi_kernel_ops sfi_kernel_mvstudent = {
    .family = "mvstudent",
    .number_count = 3,
    .numbers = {SFI_PATH_NUMBER,
                {"scale", 1.0, 0.0, 1e6, NULL},
                {"nu", 3.0, 0.0, 1e6, NULL}},
    .joint = &joint};
