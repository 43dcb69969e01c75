/* SPDX-License-Identifier: Apache-2.0 */
/* conditional.c - conditional distributions of mixtures of normal distributions.
 *
 * Values that are known split the components (parts.c).  Intervals come next: the
 * columns that are not known are taken in an order where those with an interval are
 * first, and with the factor V = T T' in this order
 *
 *     x_i = mean_i + T_i1 z_1 + ... + T_ii z_i,
 *
 * so that each interval is one of z_i given those before, of probability e_i.  Then
 *
 *     P(all intervals) = E e_1 e_2(z_1) ... e_r(z_1, ..., z_r-1),
 *
 * z_i drawn within its bounds (A. Genz, J. Comput. Graph. Stat. 1 (1992) 141-149),
 * which for one interval is no integral, and for several is one over points of a
 * lattice.  Moments of one interval are those of z_1, to which all columns are
 * linear. */
#include "model/conditional.h"

#include "base/random.h"
#include "model/model.h"
#include "num/truncated.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    SHIFTS = 12, /* of the lattice, for the standard error */
    POINTS = 512 /* of a shift                             */
};

/* ---- memory ------------------------------------------------------------------ */

void sf_conditional_free(sf_conditional *c)
{
    if (c == NULL)
        return;
    sf_context *ctx = c->ctx;
    const size_t d = (size_t)c->dim, groups = (size_t)c->parts.groups;
    sfi_product_given_free(c->product);
    sfi_free(ctx, c->first, (size_t)c->parts.count, sizeof *c->first);
    sfi_free(ctx, c->factor, groups * d * d, sizeof *c->factor);
    sfi_free(ctx, c->upper, d, sizeof *c->upper);
    sfi_free(ctx, c->lower, d, sizeof *c->lower);
    sfi_free(ctx, c->order, d, sizeof *c->order);
    sfi_free(ctx, c->value, d, sizeof *c->value);
    sfi_point_free(ctx, &c->point, &c->parts);
    sfi_given_free(ctx, &c->given);
    sfi_parts_free(ctx, &c->parts);
    sfi_free(ctx, c, 1, sizeof *c);
}

static sf_status allocate(sf_conditional *c, const sf_model *m)
{
    sf_context *ctx = c->ctx;
    SFI_TRY(m->ops->parts(ctx, m, &c->parts));
    SFI_TRY(sfi_given_new(ctx, &c->given, &c->parts));
    SFI_TRY(sfi_point_new(ctx, &c->point, &c->parts));
    const size_t d = (size_t)c->dim, groups = (size_t)c->parts.groups;
    c->value = sfi_alloc(ctx, d, sizeof *c->value);
    c->order = sfi_alloc(ctx, d, sizeof *c->order);
    c->lower = sfi_alloc(ctx, d, sizeof *c->lower);
    c->upper = sfi_alloc(ctx, d, sizeof *c->upper);
    c->factor = sfi_alloc(ctx, groups * d * d, sizeof *c->factor);
    c->first = sfi_alloc(ctx, (size_t)c->parts.count, sizeof *c->first);
    return c->value != NULL && c->order != NULL && c->lower != NULL &&
                   c->upper != NULL && c->factor != NULL && c->first != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* ---- intervals ---------------------------------------------------------------- */

/* The order of the columns that are not known, and their factors. */
static void take_order(sf_conditional *c, const double *lower,
                       const double *upper)
{
    const sfi_given *g = &c->given;
    const int64_t m = g->others;
    c->others = m;
    c->intervals = 0;
    for (int pass = 0, at = 0; pass < 2; pass++)
        for (int64_t i = 0; i < m; i++) {
            const int64_t j = g->index[i];
            const bool bounded = lower[j] > -INFINITY || upper[j] < INFINITY;
            if (bounded != (pass == 0))
                continue;
            c->order[at] = i;
            c->lower[at] = lower[j];
            c->upper[at++] = upper[j];
            c->intervals += bounded;
        }
    for (int64_t k = 0; k < c->parts.groups; k++) {
        double *t = c->factor + k * m * m;
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j <= i; j++)
                t[i * m + j] = g->split[k].rest[c->order[i] * m + c->order[j]];
        sfi_root_semidefinite(t, m);
    }
}

/* ln e_1 of component k. */
static double log_first(const sf_conditional *c, int64_t k)
{
    double a, b;
    if (c->intervals == 0)
        return 0.0;
    sfi_bounds_of(c, sfi_factor_of(c, k), 0, sfi_mean_of(c, k, 0), &a, &b);
    return sfi_log_interval(a, b);
}

/* One point of the integral: e_1 ... e_r with z_i at the quantiles u. */
static double product(const sf_conditional *c, int64_t k, const double *u,
                      double *z)
{
    const int64_t m = c->others;
    const double *t = sfi_factor_of(c, k);
    double value = 1.0;
    for (int64_t i = 0; i < c->intervals && value > 0.0; i++) {
        double at = sfi_mean_of(c, k, i), a, b;
        for (int64_t p = 0; p < i; p++)
            at += t[i * m + p] * z[p];
        sfi_bounds_of(c, t, i, at, &a, &b);
        value *= exp(sfi_log_interval(a, b));
        if (value > 0.0 && i + 1 < c->intervals)
            z[i] = sfi_truncated_quantile(a, b, u[i]);
    }
    return value;
}

/* roots [r] of the first primes, which generate the lattice of Richtmyer. */
static void take_roots(int64_t count, double *roots)
{
    int64_t prime = 2;
    for (int64_t j = 0; j < count; prime++) {
        bool divides = false;
        for (int64_t q = 2; q * q <= prime; q++)
            divides = divides || prime % q == 0;
        if (!divides)
            roots[j++] = sqrt((double)prime);
    }
}

/* Mean over a lattice, folded so that the integrand is periodic, of all its shifts and
 * with their standard error.  work [3, r]. */
static double integrate(const sf_conditional *c, int64_t k, double *work,
                        double *se)
{
    const int64_t r = c->intervals;
    double *roots = work, *u = work + r, *z = u + r;
    double sum = 0.0, squares = 0.0;
    take_roots(r, roots);
    for (int shift = 0; shift < SHIFTS; shift++) {
        const sfi_where w = {0, (uint64_t)shift, 0, SFI_STREAM_GIVEN};
        double mean = 0.0;
        for (int i = 1; i <= POINTS; i++) {
            for (int64_t j = 0; j + 1 < r; j++) {
                const double x =
                    (double)i * roots[j] + sfi_uniform_at(w, (uint32_t)j);
                u[j] = fabs(2.0 * (x - floor(x)) - 1.0);
            }
            mean += product(c, k, u, z) / POINTS;
        }
        sum += mean;
        squares += mean * mean;
    }
    const double mean = sum / SHIFTS;
    *se = sqrt(fmax(squares / SHIFTS - mean * mean, 0.0) / (SHIFTS - 1));
    return mean;
}

/* Weights become those given the intervals as well. */
static sf_status take_intervals(sf_conditional *c)
{
    const int64_t n = c->parts.count, d = c->dim;
    const bool several = c->intervals > 1;
    double *work = sfi_alloc(c->ctx, 3 * (size_t)d, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double total = 0.0, variance = 0.0, most = -INFINITY, sum = 0.0;
    for (int64_t k = 0; k < n; k++)
        most = fmax(most, log(c->point.weight[k]) + log_first(c, k));
    for (int64_t k = 0; k < n && isfinite(most); k++) {
        /* About the most likely component, so that nothing underflows. */
        const double w = exp(log(c->point.weight[k]) + log_first(c, k) - most);
        sum += w;
        c->first[k] = sum;
        double se = 0.0, part = w;
        if (several && w > 1e-12) {
            const double prior = c->point.weight[k];
            part = prior * integrate(c, k, work, &se) / exp(most);
            se *= prior / exp(most);
        }
        c->point.weight[k] = part;
        total += part;
        variance += se * se;
    }
    sfi_free(c->ctx, work, 3 * (size_t)d, sizeof *work);
    c->log_probability = isfinite(most) ? most + log(total) : -INFINITY;
    c->se = several && total > 0.0 ? sqrt(variance) / total : 0.0;
    for (int64_t k = 0; k < n && total > 0.0; k++)
        c->point.weight[k] /= total;
    return SF_OK;
}

/* ---- making ------------------------------------------------------------------- */

static sf_status check(sf_context *ctx, const sf_model *m, const double *lower,
                       const double *upper)
{
    SFI_TRY(sfi_want_ability(ctx, m, SF_CAN_CONDITION, "conditional"));
    int64_t known = 0;
    for (int64_t j = 0; j < m->dim; j++) {
        if (!(lower[j] <= upper[j]) || lower[j] == INFINITY ||
            upper[j] == -INFINITY)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "conditional: column \"%s\" is to be between %g "
                            "and %g",
                            m->names[j], lower[j], upper[j]);
        known += lower[j] == upper[j];
    }
    if (known == m->dim)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "conditional: all %lld columns are known",
                        (long long)m->dim);
    return SF_OK;
}

static sf_status say_impossible(const sf_conditional *c, const sf_model *m)
{
    char names[400] = "";
    size_t used = 0;
    for (int64_t i = 0; i < c->intervals && used < sizeof names - 140; i++)
        used += (size_t)snprintf(
            names + used, sizeof names - used,
            "%s\"%.60s\" between %.6g and %.6g", used > 0 ? ", " : "",
            m->names[sfi_column_of(c, i)], c->lower[i], c->upper[i]);
    return SFI_FAIL(c->ctx, SF_E_NUMERIC,
                    "the condition is impossible under the model: %s has the "
                    "log probability %.3g, want at least %g",
                    names, c->log_probability, SF_LEAST_LOG_PROBABILITY);
}

static sf_status take_bounds(sf_conditional *c, const sf_model *m,
                             const double *lower, const double *upper)
{
    const size_t d = (size_t)c->dim;
    unsigned char *known = sfi_alloc(c->ctx, d, 1);
    if (known == NULL)
        return SF_E_NOMEM;
    for (size_t j = 0; j < d; j++) {
        known[j] = lower[j] == upper[j];
        c->value[j] = lower[j];
    }
    const sf_status status = sfi_given_columns(c->ctx, &c->given, known);
    sfi_free(c->ctx, known, d, 1);
    SFI_TRY(status);
    sfi_given_at(&c->given, c->value, &c->point);
    c->log_density = c->given.given > 0 ? c->point.log_density : 0.0;
    take_order(c, lower, upper);
    SFI_TRY(take_intervals(c));
    return c->log_probability >= SF_LEAST_LOG_PROBABILITY
               ? SF_OK
               : say_impossible(c, m);
}

sf_status sf_conditional_new(sf_context *ctx, sf_conditional **out,
                             const sf_model *m, const double *lower,
                             const double *upper)
{
    return sfi_conditional_new(ctx, out, m, lower, upper, NULL);
}

sf_status sfi_conditional_new(sf_context *ctx, sf_conditional **out,
                              const sf_model *m, const double *lower,
                              const double *upper,
                              const unsigned char *const *levels)
{
    *out = NULL;
    SFI_TRY(check(ctx, m, lower, upper));
    sf_conditional *c = sfi_alloc_zero(ctx, 1, sizeof *c);
    if (c == NULL)
        return SF_E_NOMEM;
    c->ctx = ctx;
    c->dim = m->dim;
    sf_status status = SF_OK;
    if (sfi_product_is_needed(m)) {
        status = sfi_product_given_new(m, &c->product, lower, upper, levels);
    } else {
        status = allocate(c, m);
        if (status == SF_OK)
            status = take_bounds(c, m, lower, upper);
    }
    if (status != SF_OK) {
        sf_conditional_free(c);
        return status;
    }
    *out = c;
    return SF_OK;
}

/* ---- asking ------------------------------------------------------------------- */

void sf_conditional_evidence(const sf_conditional *c, double *log_density,
                             double *log_probability, double *se)
{
    const sfi_product_given *g = c->product;
    if (log_density != NULL)
        *log_density = g != NULL ? g->log_density : c->log_density;
    if (log_probability != NULL)
        *log_probability = g != NULL ? g->log_probability : c->log_probability;
    if (se != NULL)
        *se = c->se;
}

int64_t sf_conditional_count(const sf_conditional *c)
{
    return c->product != NULL ? c->product->p->rows : c->parts.count;
}

/* Columns that are known, and 0 for the others and all covariances. */
static void begin_moments(const sf_conditional *c, double *mean,
                          double *covariance)
{
    const int64_t d = c->dim;
    for (int64_t j = 0; j < d && mean != NULL; j++)
        mean[j] = c->value[j];
    for (int64_t i = 0; i < c->others && mean != NULL; i++)
        mean[c->given.index[i]] = 0.0;
    if (covariance != NULL)
        memset(covariance, 0, (size_t)(d * d) * sizeof *covariance);
}

sf_status sf_conditional_component(const sf_conditional *c, int64_t k,
                                   double *weight, double *mean,
                                   double *covariance)
{
    const int64_t d = c->dim, m = c->others;
    const int64_t *index = c->given.index;
    const int64_t count = sf_conditional_count(c);
    if (k < 0 || k >= count)
        return SFI_FAIL(c->ctx, SF_E_ARG, "conditional: component %lld of %lld",
                        (long long)k, (long long)count);
    if (c->product != NULL)
        return sfi_product_given_component(c->product, k, weight, mean,
                                           covariance);
    const double *rest = sfi_given_covariance(&c->given, k);
    if (weight != NULL)
        *weight = c->point.weight[k];
    begin_moments(c, mean, covariance);
    for (int64_t i = 0; i < m; i++) {
        if (mean != NULL)
            mean[index[i]] = c->point.mean[k * m + i];
        for (int64_t j = 0; j < m && covariance != NULL; j++)
            covariance[index[i] * d + index[j]] = rest[i * m + j];
    }
    return SF_OK;
}

/* Of component k: what the interval adds to its mean, in units of V's first column over
 * its root, and takes from its variance; 0 and 1 without one. */
static void interval_moments(const sf_conditional *c, int64_t k, double *shift,
                             double *rest)
{
    double a, b;
    *shift = 0.0;
    *rest = 1.0;
    if (c->intervals == 0)
        return;
    sfi_bounds_of(c, sfi_factor_of(c, k), 0, sfi_mean_of(c, k, 0), &a, &b);
    sfi_truncated_moments(a, b, shift, rest);
}

/* mean_i of component k given the interval; T_i1 is V_i1 over the root of V_11. */
static double shifted_mean(const sf_conditional *c, int64_t k, int64_t i,
                           double shift)
{
    return sfi_mean_of(c, k, i) + sfi_factor_of(c, k)[i * c->others] * shift;
}

sf_status sf_conditional_moments(const sf_conditional *c, double *mean,
                                 double *covariance)
{
    const int64_t d = c->dim, m = c->others;
    if (c->product != NULL)
        return sfi_product_given_moments(c->product, mean, covariance);
    if (c->intervals > 1)
        return SFI_FAIL(c->ctx, SF_E_UNSUPPORTED,
                        "conditional: moments given %lld intervals have no "
                        "closed form; draw rows",
                        (long long)c->intervals);
    double *own = sfi_alloc(c->ctx, (size_t)d, sizeof *own);
    if (own == NULL)
        return SF_E_NOMEM;
    begin_moments(c, own, covariance);
    for (int64_t k = 0; k < c->parts.count; k++) {
        double shift, rest;
        interval_moments(c, k, &shift, &rest);
        for (int64_t i = 0; i < m; i++)
            own[sfi_column_of(c, i)] +=
                c->point.weight[k] * shifted_mean(c, k, i, shift);
    }
    for (int64_t k = 0; k < c->parts.count && covariance != NULL; k++) {
        const double *v = sfi_given_covariance(&c->given, k);
        const double *t = sfi_factor_of(c, k), w = c->point.weight[k];
        double shift, rest;
        interval_moments(c, k, &shift, &rest);
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < m; j++) {
                const int64_t row = sfi_column_of(c, i);
                const int64_t col = sfi_column_of(c, j);
                const double left = shifted_mean(c, k, i, shift) - own[row];
                const double right = shifted_mean(c, k, j, shift) - own[col];
                covariance[row * d + col] +=
                    w * (v[c->order[i] * m + c->order[j]] -
                         (1.0 - rest) * t[i * m] * t[j * m] + left * right);
            }
    }
    if (mean != NULL)
        memcpy(mean, own, (size_t)d * sizeof *mean);
    sfi_free(c->ctx, own, (size_t)d, sizeof *own);
    return SF_OK;
}

sf_status sf_conditional_pmf(const sf_conditional *c, int64_t column,
                             double *pmf)
{
    const bool levels =
        c->product != NULL && column >= 0 && column < c->dim &&
        sfi_noise_block(&c->product->p->noise, column)->levels > 0;
    if (!levels)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "conditional: column %lld has no kernel of levels",
                        (long long)column);
    return sfi_product_given_pmf(c->product, column, pmf);
}
