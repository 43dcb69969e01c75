/* SPDX-License-Identifier: Apache-2.0 */
/* category.c - one of K levels, 0 to K - 1, that is forgotten:
 *
 *     p(x | x0; t) = (1 - l) [x = x0] + l pi_x,     l = 1 - (1 - t)^rate.
 *
 * A level goes at the constant hazard r = rate/(1 - t) and is then drawn from the
 * prior pi, so that forward it jumps from x to y at the rate r pi_y and backward, of
 * one row as of all, at r pi_x p_t(y)/p_t(x).  Probabilities are with respect to
 * counting; there is no score and no velocity.
 *
 * A table cannot be looked into by an expression, so the prior goes with the point:
 * y = (x, ln pi_x).  A level that no row has is not impossible, as the data of others
 * may have it, but as good as that.
 *
 * As an exponential family its statistics are [x = c], and eta_c = ln p(c | x0; t). */
#include "kernel/families.h"
#include "kernel/joint.h"

#include <math.h>

enum { RATE, PRIOR };
enum { LEVEL, LOG_PRIOR, INNER };

/* With more levels a program for each pair is the faster way. */
enum { MOST_STATISTICS = 64 };

static const double least_log = -700.0;

static int64_t inner(int64_t columns, const char **want)
{
    *want = "one column; name those of others by themselves";
    return columns == 1 ? INNER : 0;
}

static const char *outside(const sfi_block *b, const double *x, int64_t *column)
{
    *column = 0;
    return x[0] >= 0.0 && x[0] < (double)b->levels && x[0] == floor(x[0])
               ? NULL
               : "that is the number of a level";
}

static void middle(const sfi_block *b, double *x)
{
    (void)b;
    x[0] = 0.0;
}

static double log_of(const sfi_block *b, int64_t level)
{
    return fmax(log(b->prior[level]), least_log);
}

static void to_chart(const sfi_block *b, const double *x, double *y)
{
    y[LEVEL] = x[0];
    y[LOG_PRIOR] = log_of(b, (int64_t)x[0]);
}

static void from_chart(const sfi_block *b, const double *y, double *x)
{
    (void)b;
    x[0] = y[LEVEL];
}

/* Of levels nothing is differentiated, so that only the extents matter. */
static sf_node chart(const sfi_block *b, sf_graph *g, sf_node x)
{
    (void)b;
    return sf_concat(g, 2, (sf_node[]){x, sf_mul(g, x, sf_const(g, 0.0))}, 0);
}

static sf_node inverse(const sfi_block *b, sf_graph *g, sf_node y)
{
    (void)b;
    return sf_slice(g, y, 0, LEVEL, 1, 1);
}

/* ln p of levels with this prior, where they are x0 and where not. */
static sf_node log_probability(const sfi_block *b, sf_graph *g, sf_node level,
                               sf_node log_prior, sf_node x0, sf_node t)
{
    const sf_node rate = sf_const(g, b->kernel.numbers[RATE]);
    const sf_node log_kept = sf_mul(g, rate, sf_log1p(g, sf_neg(g, t)));
    const sf_node lost = sf_neg(g, sf_expm1(g, log_kept));
    const sf_node drawn = sf_mul(g, lost, sf_exp(g, log_prior));
    const sf_node same = sf_log(g, sf_add(g, sf_exp(g, log_kept), drawn));
    const sf_node other = sf_add(g, sf_log(g, lost), log_prior);
    return sf_select(g, sf_equal(g, level, sf_component(g, x0, 0)), same,
                     other);
}

static sf_node logp(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                    sf_node t)
{
    return log_probability(b, g, sf_component(g, y, LEVEL),
                           sf_component(g, y, LOG_PRIOR), x0, t);
}

static int64_t statistics(const sfi_block *b)
{
    return b->levels <= MOST_STATISTICS ? b->levels : 0;
}

static sf_node every_level(const sfi_block *b, sf_graph *g)
{
    double level[MOST_STATISTICS];
    for (int64_t c = 0; c < b->levels; c++)
        level[c] = (double)c;
    return sf_const_array(g, 1, &b->levels, level);
}

static sf_node statistic(const sfi_block *b, sf_graph *g, sf_node y)
{
    return sf_select(g,
                     sf_equal(g, every_level(b, g), sf_component(g, y, LEVEL)),
                     sf_const(g, 1.0), sf_const(g, 0.0));
}

static sf_node natural(const sfi_block *b, sf_graph *g, sf_node x0, sf_node t,
                       sf_node *log_partition)
{
    double log_prior[MOST_STATISTICS];
    for (int64_t c = 0; c < b->levels; c++)
        log_prior[c] = log_of(b, c);
    *log_partition = sf_const(g, 0.0);
    return log_probability(b, g, every_level(b, g),
                           sf_const_array(g, 1, &b->levels, log_prior), x0, t);
}

static void draw(const sfi_block *b, const double *x0, double t,
                 sfi_where where, double *y)
{
    const double lost =
        -expm1(b->kernel.numbers[RATE] * log1p(-t)); /* 1 at t = 1 */
    double x = x0[0];
    if (sfi_uniform_at(where, 0) < lost) {
        double left = sfi_uniform_at(where, 1);
        int64_t k = 0;
        for (; k < b->levels - 1 && left >= b->prior[k]; k++)
            left -= b->prior[k];
        x = (double)k;
    }
    to_chart(b, &x, y);
}

/* Another level is as far as all of the noise: at t of about 1/rate a level is
 * forgotten. */
static void spread(const sfi_block *b, double *spread)
{
    spread[LEVEL] = 1.0 / b->kernel.numbers[RATE];
    spread[LOG_PRIOR] = INFINITY;
}

static const sfi_joint_ops joint = {.inner = inner,
                                    .outside = outside,
                                    .middle = middle,
                                    .to_chart = to_chart,
                                    .from_chart = from_chart,
                                    .chart = chart,
                                    .inverse = inverse,
                                    .logp = logp,
                                    .statistics = statistics,
                                    .statistic = statistic,
                                    .natural = natural,
                                    .draw = draw,
                                    .spread = spread};

const sfi_kernel_ops sfi_kernel_category = {
    .family = "category",
    .number_count = 2,
    .numbers = {{"rate", 1.0, 0.0, 1e3, NULL},
                {"prior", SFI_PRIOR_DATA, 0.0, 0.0, "data|uniform"}},
    .discrete = true,
    .levels = true,
    .joint = &joint};
