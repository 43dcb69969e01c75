/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_components.c - components of the rows of a table: a kernel estimate whose
 * noise has the covariance of a normal distribution that was fitted to the numbers
 * that are there.
 *
 * Rows of one pattern of missing numbers are a group of components, which differ by
 * what they have and share a covariance: h^2 S, and beside it what is not known of the
 * numbers that they lack.  With classes S is of the numbers about the means of their
 * class, each in units of its spread there, so that the prior of S is of that
 * spread. */
#include "fit/em_missing.h"
#include "fit/normal_em.h"
#include "impute/imputer_job.h"
#include "num/linalg.h"
#include "num/patterns.h"

#include <math.h>
#include <string.h>

enum {
    EM_ITERATIONS = 1000,
    PAIR_WORK = 200 /* of a pair of rows, beside its distance */
};

static const double em_tolerance = 1e-10;

/* The spread within classes of a number that its class determines, in standard
 * deviations of the column: no more is claimed to be known. */
static const double least_spread = 1e-3;

static int64_t class_of(const sfi_imputer_job *j, int64_t i)
{
    if (j->o->target < 0)
        return 0;
    const double x = j->z[i * j->d + j->o->target];
    return isnan(x) ? -1 : (int64_t)x;
}

/* ---- mean and covariance --------------------------------------------------------- */

/* Means of each number in each class, of the cells that are there; of a class that
 * has none, 0, the mean of all. */
static void class_means(const sfi_imputer_job *j, int64_t p)
{
    const int64_t col = j->m->number[p], numbers = j->m->numbers;
    for (int64_t k = 0; k < j->classes; k++) {
        double sum = 0.0, count = 0.0;
        for (int64_t i = 0; i < j->n; i++) {
            const double x = j->z[i * j->d + col];
            if (class_of(j, i) != k || isnan(x))
                continue;
            sum += x;
            count += 1.0;
        }
        j->centre[k * numbers + p] = count > 0.0 ? sum / count : 0.0;
    }
}

/* Rows with a class and a number about their class's means, scaled: how many. */
static int64_t residuals(const sfi_imputer_job *j, double *y, double *scale)
{
    const int64_t numbers = j->m->numbers;
    int64_t rows = 0;
    for (int64_t i = 0; i < j->n; i++) {
        const int64_t k = class_of(j, i);
        double *to = y + rows * numbers;
        bool any = false;
        for (int64_t p = 0; p < numbers && k >= 0; p++) {
            to[p] =
                j->z[i * j->d + j->m->number[p]] - j->centre[k * numbers + p];
            any = any || !isnan(to[p]);
        }
        rows += any;
    }
    for (int64_t p = 0; p < numbers; p++) {
        double squares = 0.0, count = 0.0;
        for (int64_t i = 0; i < rows; i++) {
            const double x = y[i * numbers + p];
            squares += isnan(x) ? 0.0 : x * x;
            count += !isnan(x);
        }
        scale[p] =
            count > 0.0 ? fmax(sqrt(squares / count), least_spread) : 1.0;
        for (int64_t i = 0; i < rows; i++)
            y[i * numbers + p] /= scale[p];
    }
    return rows;
}

/* y, mean and scale are scratch. */
static sf_status fit_moments(const sfi_imputer_job *j, double *y, double *mean,
                             double *scale)
{
    const int64_t d = j->m->numbers;
    sfi_em_result r;
    for (int64_t p = 0; p < d; p++)
        class_means(j, p);
    const int64_t rows = residuals(j, y, scale);
    if (rows == 0) { /* nobody who has a class has a number */
        for (int64_t i = 0; i < d * d; i++)
            j->s[i] = i % (d + 1) == 0 ? 1.0 : 0.0;
        return SF_OK;
    }
    SFI_TRY(sfi_normal_em(j->ctx, (sf_cmat){y, rows, d, d}, j->o->prior_rows,
                          EM_ITERATIONS, em_tolerance, mean, j->s, &r));
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b < d; b++)
            j->s[a * d + b] *= scale[a] * scale[b];
    for (int64_t k = 0; k < j->classes; k++)
        for (int64_t p = 0; p < d; p++)
            j->centre[k * d + p] += scale[p] * mean[p];
    return SF_OK;
}

sf_status sfi_imputer_moments(const sfi_imputer_job *j)
{
    const size_t d = (size_t)j->m->numbers, cells = ((size_t)j->n + 2) * d;
    if (d == 0)
        return SF_OK;
    double *work = sfi_alloc(j->ctx, cells, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    const sf_status status = fit_moments(j, work + 2 * d, work, work + d);
    sfi_free(j->ctx, work, cells, sizeof *work);
    return status;
}

/* ---- components ------------------------------------------------------------------- */

/* The covariance of rows of a pattern, which `split` has as their given columns. */
static void set_covariance(const sfi_imputer_job *j, const sfi_split *split,
                           double *covariance)
{
    const int64_t d = j->m->numbers, o = split->given, m = d - o;
    const double h = j->bandwidth;
    for (int64_t i = 0; i < d * d; i++)
        covariance[i] = h * h * j->s[i];
    for (int64_t a = 0; a < m; a++)
        for (int64_t b = 0; b < m; b++)
            covariance[split->index[o + a] * d + split->index[o + b]] +=
                split->rest[a * m + b];
    for (int64_t i = 0; i < d * d; i++)
        covariance[i] /= 1.0 + h * h;
}

/* The numbers of row i with the means of what it lacks. */
static void set_mean(const sfi_imputer_job *j, const sfi_split *split,
                     int64_t i, double *mean)
{
    const int64_t d = j->m->numbers, o = split->given;
    const double *centre = j->centre + class_of(j, i) * d;
    for (int64_t p = 0; p < d; p++)
        mean[p] = j->z[i * j->d + j->m->number[p]];
    for (int64_t a = 0; a < d - o; a++) {
        const int64_t row = split->index[o + a];
        mean[row] = centre[row];
        for (int64_t b = 0; b < o; b++) {
            const int64_t col = split->index[b];
            mean[row] += split->slope[a * o + b] * (mean[col] - centre[col]);
        }
    }
    const double keep = 1.0 / sqrt(1.0 + j->bandwidth * j->bandwidth);
    for (int64_t p = 0; p < d; p++)
        mean[p] = centre[p] + keep * (mean[p] - centre[p]);
}

/* Components by the patterns of their rows; donor[k] is the row of component k. */
static sf_status set_groups(const sfi_imputer_job *j, const sfi_patterns *p,
                            int64_t count, sfi_parts *parts, int64_t *donor)
{
    const int64_t d = j->m->numbers;
    sfi_split split;
    SFI_TRY(sfi_split_new(j->ctx, &split, d));
    sf_status status = SF_OK;
    for (int64_t i = 0; i < j->n; i++)
        j->own[i] = -1;
    for (int64_t g = 0; g < p->count && status == SF_OK; g++) {
        if (!sfi_split_set(&split, j->s, p->present + g * d))
            status = SFI_FAIL(j->ctx, SF_E_NUMERIC,
                              "impute: the covariance of the columns is "
                              "singular; give a prior");
        if (status != SF_OK)
            break;
        set_covariance(j, &split, parts->covariance + g * d * d);
        parts->first[g] = p->first[g];
        for (int64_t k = p->first[g]; k < p->first[g + 1]; k++) {
            const int64_t row = j->donor[p->order[k]];
            set_mean(j, &split, row, parts->mean + k * d);
            parts->log_weight[k] = -log((double)count);
            j->own[row] = k;
            donor[k] = row;
        }
    }
    parts->first[p->count] = count;
    sfi_split_free(j->ctx, &split);
    return status;
}

sf_status sfi_imputer_patterns(const sfi_imputer_job *j, const int64_t *row,
                               int64_t n, sfi_patterns **out)
{
    const int64_t d = j->m->numbers;
    const size_t cells = (size_t)(n * d);
    double *x = sfi_alloc(j->ctx, cells, sizeof *x);
    *out = NULL;
    if (x == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < n; i++)
        for (int64_t p = 0; p < d; p++)
            x[i * d + p] =
                j->z[(row != NULL ? row[i] : i) * j->d + j->m->number[p]];
    const sf_status status =
        sfi_patterns_new(j->ctx, out, (sf_cmat){x, n, d, d});
    sfi_free(j->ctx, x, cells, sizeof *x);
    return status;
}

/* Categories of the donors [count]. */
static sf_status set_levels(const sfi_imputer_job *j, const int64_t *donor,
                            int64_t count, sf_imputer *m)
{
    const int64_t categories = j->d - m->numbers - (j->o->target >= 0 ? 1 : 0);
    int64_t *column = sfi_alloc(j->ctx, 2 * (size_t)categories, sizeof *column);
    if (column == NULL)
        return SF_E_NOMEM;
    int64_t *levels = column + categories;
    for (int64_t k = 0; k < j->d; k++)
        if (m->column[k].levels > 0 && k != j->o->target) {
            column[m->column[k].place] = k;
            levels[m->column[k].place] = m->column[k].levels;
        }
    const sf_status status =
        sfi_donors_new(j->ctx, &m->donors, categories, column, levels,
                       j->o->target, j->classes, count);
    if (status == SF_OK) {
        m->donors.forget = j->forget;
        sfi_donors_set(&m->donors, (sf_cmat){j->z, j->n, j->d, j->d}, donor);
    }
    sfi_free(j->ctx, column, 2 * (size_t)categories, sizeof *column);
    return status;
}

sf_status sfi_imputer_components(const sfi_imputer_job *j, int64_t count,
                                 sf_imputer *m)
{
    sfi_patterns *patterns = NULL;
    int64_t *donor = sfi_alloc(j->ctx, (size_t)count, sizeof *donor);
    sf_status status = donor != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_imputer_patterns(j, j->donor, count, &patterns);
    if (status == SF_OK)
        status = sfi_parts_new(j->ctx, &m->parts, m->numbers, count,
                               patterns->count);
    if (status == SF_OK)
        status = set_groups(j, patterns, count, &m->parts, donor);
    if (status == SF_OK)
        status = set_levels(j, donor, count, m);
    sfi_patterns_free(patterns);
    sfi_free(j->ctx, donor, (size_t)count, sizeof *donor);
    return status;
}

/* A pair of patterns costs d^3, a pair of rows d and, where there are numbers, some
 * evaluations of a distribution function; as many patterns are among donors as among
 * the rows at most. */
int64_t sfi_imputer_affordable(const sfi_imputer_job *j, int64_t queries,
                               int64_t patterns, int64_t most_patterns,
                               double work)
{
    const double d = (double)j->m->numbers;
    const double pair = (double)j->d + (d > 0.0 ? PAIR_WORK : 0.0);
    const double pattern = (double)patterns * d * d * d;
    const double share = (double)most_patterns / (double)j->n;
    const double donors = work / ((double)queries * pair + pattern * share);
    const int64_t n = j->donors, least = n < 50 ? n : 50;
    return !(donors < (double)n)    ? n
           : donors > (double)least ? (int64_t)donors
                                    : least;
}
