/* SPDX-License-Identifier: Apache-2.0 */
/* dirichlet.c - shares of K columns, x ~ Dirichlet(a),
 *
 *     a = c ((1 - t) x0 + t/K),   c = K alpha/t^2,
 *
 * at t = 1 that of K equal numbers alpha: uniform for an alpha of 1.  Rows are
 * divided by their sums.  In the chart y_i = ln(x_i/x_K), i < K,
 *
 *     ln p = sum over K of a_i ln x_i - sum over K of ln Gamma(a_i) + ln Gamma(c).
 *
 * Velocities.  x is a beta number x_j and, independently of it, shares of the rest
 * 1 - x_j.  With a_j alone x_j moves as a number of the beta law of a_j and the
 * other a's sum, at s_j in its logit, and the other shares keep their ratios.  In
 * the chart that moves y_j by s_j, if j < K, and all of y by -s_K if j = K:
 *
 *     u_i = a_i' s_i - a_K' s_K. */
#include "kernel/families.h"

#include <math.h>

enum { ALPHA };

/* ---- numbers ---------------------------------------------------------------- */

static int64_t inner(int64_t columns, const char **want)
{
    *want = "2 columns or more";
    return columns >= 2 ? columns - 1 : 0;
}

static double sum_of(int64_t n, const double *x)
{
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++)
        sum += x[j];
    return sum;
}

static const char *outside(const sfi_block *b, const double *x, int64_t *column)
{
    for (int64_t j = 0; j < b->columns; j++)
        if (!(x[j] > 0.0)) {
            *column = j;
            return "> 0, a share of the row's sum";
        }
    *column = 0;
    return fabs(sum_of(b->columns, x) - 1.0) <= 0.05
               ? NULL
               : "that with the others of its row sums to the whole within 5 % "
                 "(1, or what rows sum to on average if the kernel was named "
                 "without numbers)";
}

static void middle(const sfi_block *b, double *x)
{
    for (int64_t j = 0; j < b->columns; j++)
        x[j] = 1.0 / (double)b->columns;
}

static void to_chart(const sfi_block *b, const double *x, double *y)
{
    const double last = log(x[b->inner]);
    for (int64_t i = 0; i < b->inner; i++)
        y[i] = log(x[i]) - last;
}

/* -ln x_K: the logarithm of the sum of exp(y_i) and 1. */
static double log_total(const sfi_block *b, const double *y)
{
    double most = 0.0;
    for (int64_t i = 0; i < b->inner; i++)
        most = fmax(most, y[i]);
    double sum = exp(-most);
    for (int64_t i = 0; i < b->inner; i++)
        sum += exp(y[i] - most);
    return most + log(sum);
}

static void from_chart(const sfi_block *b, const double *y, double *x)
{
    const double total = log_total(b, y);
    for (int64_t i = 0; i < b->inner; i++)
        x[i] = exp(y[i] - total);
    x[b->inner] = exp(-total);
}

/* dx/dy has the determinant x_1 ... x_K. */
static double log_slope(const sfi_block *b, const double *y)
{
    return sum_of(b->inner, y) - (double)b->columns * log_total(b, y);
}

/* Logarithms of gamma numbers: a share may be too small for a double. */
static void draw(const sfi_block *b, const double *x0, double t,
                 sfi_where where, double *y)
{
    const double k = (double)b->columns, sum = sum_of(b->columns, x0);
    const double c = k * b->kernel.numbers[ALPHA] / (t * t);
    uint32_t component = 0;
    double last = 0.0;
    for (int64_t j = 0; j < b->columns; j++) {
        const double a = c * ((1.0 - t) * x0[j] / sum + t / k);
        const double log_gamma = sfi_draw_log_gamma(a, where, &component);
        if (j < b->inner)
            y[j] = log_gamma;
        else
            last = log_gamma;
    }
    for (int64_t i = 0; i < b->inner; i++)
        y[i] -= last;
}

/* By the curvature of ln p, c x_j (1 - x_j) at its peak: that of one y where the
 * others stay. */
static void spread(const sfi_block *b, double *out)
{
    const double share = 1.0 / (double)b->columns;
    for (int64_t i = 0; i < b->inner; i++)
        out[i] = 1.0 / sqrt(b->kernel.numbers[ALPHA] * (1.0 - share));
}

/* ---- nodes ------------------------------------------------------------------ */

static sf_node closed(sf_graph *g, sf_node x)
{
    return sf_div(g, x, sf_sum_all(g, x));
}

static sf_node concentrations(const sfi_block *b, sf_graph *g, sf_node x0,
                              sf_node t)
{
    const double k = (double)b->columns;
    return sf_mul(g, sfi_concentration(g, k * b->kernel.numbers[ALPHA], t),
                  sfi_line(g, closed(g, x0), t, 1.0 / k));
}

/* ln of the sum of exp(a) over the last axis.  The largest a is taken out, which
 * no derivative sees. */
static sf_node log_sum_exp(sf_graph *g, sf_node a)
{
    const int axis = sf_node_rank(g, a) - 1;
    const unsigned over = 1u << (axis > 0);
    sf_node most = a;
    for (int64_t n; (n = sf_node_extent(g, most, axis)) > 1;) {
        const int64_t half = (n + 1) / 2;
        most = sf_max(g, sf_slice(g, most, axis, 0, half, 1),
                      sf_slice(g, most, axis, n - half, half, 1));
    }
    most = sf_stop_gradient(g, most);
    const sf_node sum = sf_sum(g, sf_exp(g, sf_sub(g, a, most)), over);
    return sf_add(g, sf_sum(g, most, over), sf_log(g, sum));
}

/* (y, 0), and ln x, which is this less a number. */
static sf_node logits(const sfi_block *b, sf_graph *g, sf_node y)
{
    return sf_pad(g, y, 0, 0, 1, b->columns);
}

static sf_node log_shares(const sfi_block *b, sf_graph *g, sf_node y)
{
    const sf_node z = logits(b, g, y);
    return sf_sub(g, z, log_sum_exp(g, z));
}

static sf_node chart(const sfi_block *b, sf_graph *g, sf_node x)
{
    const sf_node z = sf_log(g, x);
    return sf_sub(g, sf_slice(g, z, 0, 0, b->inner, 1),
                  sf_slice(g, z, 0, b->inner, 1, 1));
}

static sf_node inverse(const sfi_block *b, sf_graph *g, sf_node y)
{
    return sf_exp(g, log_shares(b, g, y));
}

static sf_node log_slope_node(const sfi_block *b, sf_graph *g, sf_node y)
{
    return sf_sum_all(g, log_shares(b, g, y));
}

/* a, and the logarithm of what divides */
static sf_node natural(const sfi_block *b, sf_graph *g, sf_node x0, sf_node t,
                       sf_node *log_partition)
{
    const sf_node a = concentrations(b, g, x0, t);
    *log_partition = sf_sub(g, sf_sum_all(g, sf_lgamma(g, a)),
                            sf_lgamma(g, sf_sum_all(g, a)));
    return a;
}

static int64_t statistics(const sfi_block *b)
{
    return b->columns;
}

static sf_node logp(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                    sf_node t)
{
    sf_node log_partition;
    const sf_node a = natural(b, g, x0, t, &log_partition);
    return sf_sub(g, sf_dot(g, a, log_shares(b, g, y)), log_partition);
}

/* ln(x_j/(1 - x_j)) is minus ln of the sum of x_i/x_j over i other than j, in
 * which nothing cancels; neither does it in a sum of the other a's. */
static sf_node velocity(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                        sf_node t, sfi_velocity how)
{
    const int64_t k = b->columns, one = 1;
    const sf_node itself = sf_eye(g, k);
    const sf_node a = concentrations(b, g, x0, t);
    const sf_node slope = sf_jvp(g, a, t, sf_const(g, 1.0));
    const sf_node rest = sf_matmul(g, sf_sub(g, sf_const(g, 1.0), itself), a);
    const sf_node z = logits(b, g, y);
    const sf_node ratio =
        sf_sub(g, sf_sub(g, z, sf_reshape(g, z, 2, (int64_t[]){k, 1})),
               sf_mul(g, sf_const(g, 1e30), itself)); /* exp of it is 0 */
    const sf_node logit = sf_neg(g, log_sum_exp(g, ratio));
    sf_node all = slope;
    for (int64_t j = 0; j < k; j++) {
        const sf_node stein =
            sfi_beta_stein(g, sf_component(g, logit, j), sf_component(g, a, j),
                           sf_component(g, rest, j), how);
        const sf_node part =
            sf_reshape(g, sf_mul(g, sf_component(g, slope, j), stein), 1, &one);
        all = j == 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
    }
    return sf_sub(g, sf_slice(g, all, 0, 0, b->inner, 1),
                  sf_slice(g, all, 0, b->inner, 1, 1));
}

static const sfi_joint_ops joint = {.inner = inner,
                                    .shares = true,
                                    .outside = outside,
                                    .middle = middle,
                                    .to_chart = to_chart,
                                    .from_chart = from_chart,
                                    .chart = chart,
                                    .inverse = inverse,
                                    .log_slope = log_slope,
                                    .log_slope_node = log_slope_node,
                                    .logp = logp,
                                    .velocity = velocity,
                                    .statistics = statistics,
                                    .statistic = log_shares,
                                    .natural = natural,
                                    .draw = draw,
                                    .spread = spread};

const sfi_kernel_ops sfi_kernel_dirichlet = {
    .family = "dirichlet",
    .number_count = 1,
    .numbers = {{"alpha", 1.0, 0.0, 1e6, NULL}},
    .joint = &joint};
