/* SPDX-License-Identifier: Apache-2.0 */
/* product_column.c - what is known of one column: a mixture of cells within bounds. */
#include "model/product.h"

#include <string.h>

/* Cells that weigh less are not seen in a quantile. */
static const double least_weight = 1e-16;

void sfi_product_column(const sfi_product_law *p, int64_t j,
                        const sfi_product_query *q, int64_t without,
                        const double *r, double *weight)
{
    double lacking = 0.0, most = -INFINITY, total = 0.0;
    for (int64_t i = 0; i < p->rows; i++)
        lacking += sfi_product_has(p, i, j) ? 0.0 : r[i];
    for (int64_t i = 0; i < p->rows; i++)
        weight[i] = sfi_product_has(p, i, j) ? r[i] : 0.0;
    if (!(lacking > 0.0))
        return;
    for (int64_t i = 0; i < p->rows; i++)
        if (i != without && sfi_product_has(p, i, j))
            most = fmax(most, sfi_product_factor(p, i, j, q));
    for (int64_t i = 0; i < p->rows; i++)
        if (i != without && sfi_product_has(p, i, j))
            total += p->weight[i] * exp(sfi_product_factor(p, i, j, q) - most);
    for (int64_t i = 0; i < p->rows; i++)
        if (i != without && sfi_product_has(p, i, j))
            weight[i] += lacking * p->weight[i] *
                         exp(sfi_product_factor(p, i, j, q) - most) / total;
}

void sfi_product_moments(const sfi_product_law *p, int64_t j,
                         const sfi_product_query *q, const double *weight,
                         double *mean, double *variance)
{
    double sum = 0.0, squares = 0.0, total = 0.0, first = NAN;
    for (int64_t i = 0; i < p->rows; i++) {
        double m, v;
        if (!(weight[i] > 0.0))
            continue;
        sfi_cell_moments(sfi_product_cell(p, i, j), q->lower[j], q->upper[j],
                         &m, &v);
        first = total > 0.0 ? first : m; /* squares are about it */
        sum += weight[i] * (m - first);
        squares += weight[i] * (v + (m - first) * (m - first));
        total += weight[i];
    }
    *mean = first + sum / total;
    const double square = squares / total - (sum / total) * (sum / total);
    *variance = square < 0.0 ? 0.0 : square; /* NaN of levels stays */
}

/* ---- quantiles ------------------------------------------------------------------- */

/* P(lower <= x <= at), and the density there. */
static double below(const sfi_product_law *p, int64_t j,
                    const sfi_product_query *q, const double *weight, double at,
                    double *density)
{
    double sum = 0.0, total = 0.0;
    *density = 0.0;
    for (int64_t i = 0; i < p->rows; i++) {
        if (!(weight[i] > least_weight))
            continue;
        const sfi_cell *c = sfi_product_cell(p, i, j);
        const double all = sfi_cell_log_mass(c, q->lower[j], q->upper[j]);
        sum += weight[i] * exp(sfi_cell_log_mass(c, q->lower[j], at) - all);
        if (!sfi_cell_is_discrete(c) || c->atoms != NULL)
            *density += weight[i] * exp(sfi_cell_log_density(c, at) - all);
        total += weight[i];
    }
    *density /= total;
    return sum / total;
}

/* Newton's steps within a bracket, which is halved where they leave it or do not halve
 * it themselves. */
static double search(const sfi_product_law *p, int64_t j,
                     const sfi_product_query *q, const double *weight,
                     double probability, double low, double high)
{
    enum { MOST_STEPS = 200 };
    double x = low + 0.5 * (high - low), density;
    for (int k = 0; k < MOST_STEPS && low < high; k++) {
        const double off = below(p, j, q, weight, x, &density) - probability;
        if (off == 0.0)
            return x;
        if (off > 0.0)
            high = x;
        else
            low = x;
        double next = x - off / density;
        if (!(next > low && next < high) || k % 3 == 2)
            next = low + 0.5 * (high - low);
        if (fabs(next - x) <= 1e-15 * fabs(x) ||
            high - low <= 1e-15 * (fabs(low) + fabs(high)))
            return next;
        x = next;
    }
    return x;
}

/* The same of whole numbers: the first that is not below. */
static double search_whole(const sfi_product_law *p, int64_t j,
                           const sfi_product_query *q, const double *weight,
                           double probability, double low, double high)
{
    double density;
    while (low < high) {
        const double middle = floor(low + 0.5 * (high - low));
        if (below(p, j, q, weight, middle, &density) < probability)
            low = middle + 1.0;
        else
            high = middle;
    }
    return high;
}

/* Where the distribution jumps over the probability, at an atom; else *low and *high
 * are moved to the gap that the quantile is in. */
static bool find_jump(const sfi_product_law *p, int64_t j,
                      const sfi_product_query *q, const double *weight,
                      double probability, double *low, double *high, double *at)
{
    const sfi_cell_atoms *a = &p->atoms[j].law;
    for (int64_t k = 0; k < a->count; k++) {
        double mass;
        if (a->at[k] < q->lower[j] || a->at[k] > q->upper[j])
            continue;
        const double upto = below(p, j, q, weight, a->at[k], &mass);
        *at = a->at[k];
        if (upto < probability) {
            *low = fmax(*low, a->at[k]);
        } else if (upto - mass < probability) {
            return true;
        } else {
            *high = fmin(*high, a->at[k]);
            return false;
        }
    }
    return false;
}

double sfi_product_quantile(const sfi_product_law *p, int64_t j,
                            const sfi_product_query *q, const double *weight,
                            double probability)
{
    double low = INFINITY, high = -INFINITY;
    if (sfi_product_is_value(p, j, q))
        return q->lower[j];
    for (int64_t i = 0; i < p->rows; i++) {
        if (!(weight[i] > least_weight))
            continue;
        const double x = sfi_cell_quantile(
            sfi_product_cell(p, i, j), q->lower[j], q->upper[j], probability);
        low = fmin(low, x);
        high = fmax(high, x);
    }
    double at;
    if (find_jump(p, j, q, weight, probability, &low, &high, &at))
        return at;
    return sfi_noise_block(&p->noise, j)->kernel.ops->discrete
               ? search_whole(p, j, q, weight, probability, low, high)
               : search(p, j, q, weight, probability, low, high);
}

/* ---- levels ---------------------------------------------------------------------- */

void sfi_product_pmf(const sfi_product_law *p, int64_t j,
                     const sfi_product_query *q, const double *weight,
                     double *pmf)
{
    const int64_t levels = sfi_noise_block(&p->noise, j)->levels;
    double total = 0.0;
    memset(pmf, 0, (size_t)levels * sizeof *pmf);
    for (int64_t i = 0; i < p->rows; i++) {
        if (!(weight[i] > 0.0))
            continue;
        const sfi_cell *c = sfi_product_cell(p, i, j);
        const double all = sfi_product_factor(p, i, j, q);
        for (int64_t k = 0; k < levels; k++) {
            const double level = (double)k;
            const bool inside = level >= q->lower[j] && level <= q->upper[j] &&
                                (q->levels == NULL || q->levels[j] == NULL ||
                                 q->levels[j][k] != 0);
            if (inside)
                pmf[k] +=
                    weight[i] * exp(sfi_cell_log_mass(c, level, level) - all);
        }
        total += weight[i];
    }
    for (int64_t k = 0; k < levels; k++)
        pmf[k] /= total;
}

double sfi_product_draw(const sfi_product_law *p, int64_t j,
                        const sfi_product_query *q, int64_t row, double uniform)
{
    const sfi_cell *c = sfi_product_cell(p, row, j);
    const unsigned char *levels = q->levels != NULL ? q->levels[j] : NULL;
    if (sfi_product_is_value(p, j, q))
        return q->lower[j];
    if (levels == NULL)
        return sfi_cell_quantile(c, q->lower[j], q->upper[j], uniform);
    double left = uniform * exp(sfi_product_factor(p, row, j, q));
    double level = 0.0;
    for (int64_t k = 0; k < c->levels && left > 0.0; k++)
        if (levels[k] != 0) {
            level = (double)k;
            left -= exp(sfi_cell_log_mass(c, level, level));
        }
    return level;
}
