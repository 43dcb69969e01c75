/* SPDX-License-Identifier: Apache-2.0 */
/* column.c - two samples of one number: quantiles, and the distances between
 * their distribution functions F and G.
 *
 * Both samples are sorted; then one sweep over the joined values sees every
 * step of F and G.  Between two values F - G is constant, so the integrals of
 * |F - G| and (F - G)^2 are sums of rectangles.  A second sweep, over the
 * probabilities i/n and j/m, gives the integral of the squared difference of
 * quantile functions; i/n < j/m is decided by i m < j n in whole numbers.
 *
 * Under one law every order in which the n + m values may come is as likely as
 * any other: a path from (0, 0) to (n, m).  Of the paths to (i, j) let a(i, j) be
 * the share that at some point had |i/n - j/m| >= D.  The last step came from
 * (i-1, j) with probability i/(i + j), so
 *
 *     a(i, j) = 1                                       if |i/n - j/m| >= D,
 *     a(i, j) = (i a(i-1, j) + j a(i, j-1))/(i + j)     else,
 *
 * and a(n, m) is the p-value, with a small relative error however small it is (J. L.
 * Hodges, Arkiv foer Matematik 3 (1958) 469-486).  Where values are tied, F and G
 * differ only after the last of them, and only there is D looked at: the p-value
 * given the ties (G. Schroeer and D. Trenkler, Comput. Stat. Data Anal. 20 (1995)
 * 185-202). */
#include "compare/compare.h"

#include "base/parallel.h"
#include "num/sort.h"

#include <math.h>

static const double probabilities[SF_COMPARE_QUANTILES] = {
    0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0};

double sf_compare_probability(int k)
{
    return k >= 0 && k < SF_COMPARE_QUANTILES ? probabilities[k] : NAN;
}

static double squared_quantile_gap(const double *x, int64_t n, const double *y,
                                   int64_t m)
{
    double sum = 0.0;
    double before = 0.0; /* probability up to which we have integrated */
    for (int64_t i = 0, j = 0; i < n && j < m;) {
        const double gap = x[i] - y[j];
        const int64_t left = (i + 1) * m, right = (j + 1) * n;
        const double now = left <= right ? (double)(i + 1) / (double)n
                                         : (double)(j + 1) / (double)m;
        sum += (now - before) * gap * gap;
        before = now;
        i += left <= right;
        j += right <= left;
    }
    return sum;
}

sfi_gap sfi_distribution_gap(const double *x, int64_t n, const double *y,
                             int64_t m)
{
    sfi_gap gap = {.w2_squared = squared_quantile_gap(x, n, y, m)};
    for (int64_t i = 0, j = 0; i < n || j < m;) {
        const double at = j == m || (i < n && x[i] <= y[j]) ? x[i] : y[j];
        while (i < n && x[i] == at)
            i++;
        while (j < m && y[j] == at)
            j++;
        const double f = (double)i / (double)n - (double)j / (double)m;
        const int64_t apart = i * m > j * n ? i * m - j * n : j * n - i * m;
        gap.ks = fmax(gap.ks, fabs(f));
        gap.ks_steps = apart > gap.ks_steps ? apart : gap.ks_steps;
        if (i < n || j < m) {
            const double next = j == m || (i < n && x[i] <= y[j]) ? x[i] : y[j];
            gap.wasserstein += fabs(f) * (next - at);
            gap.energy += 2.0 * f * f * (next - at);
        }
    }
    return gap;
}

double sfi_kolmogorov_p(double ks, int64_t n, int64_t m)
{
    const double root = sqrt((double)n * (double)m / ((double)n + (double)m));
    const double t = (root + 0.12 + 0.11 / root) * ks;
    if (t < 0.3) /* the series is 1 - 1e-5 and converges slowly */
        return 1.0;
    double sum = 0.0;
    for (int k = 1; k <= 20; k++) {
        const double term = exp(-2.0 * k * k * t * t);
        sum += k % 2 == 1 ? term : -term;
    }
    return fmin(1.0, 2.0 * sum);
}

bool sfi_kolmogorov_is_exact(int64_t n, int64_t m)
{
    enum { MOST = 1000000 };
    return n <= MOST / m;
}

double sfi_kolmogorov_exact(int64_t steps, const double *x, int64_t n,
                            const double *y, int64_t m, double *work)
{
    double *share = work, *joined = work + m + 1;
    for (int64_t i = 0, j = 0; i + j < n + m;) {
        const bool first = j == m || (i < n && x[i] <= y[j]);
        joined[i + j] = first ? x[i] : y[j];
        i += first;
        j += !first;
    }
    for (int64_t i = 0; i <= n; i++)
        for (int64_t j = 0; j <= m; j++) {
            const int64_t k = i + j;
            const bool between =
                k > 0 && k < n + m && joined[k - 1] == joined[k];
            const int64_t apart = i * m > j * n ? i * m - j * n : j * n - i * m;
            const double before = i > 0 ? (double)i * share[j] : 0.0;
            const double below = j > 0 ? (double)j * share[j - 1] : 0.0;
            if (!between && apart >= steps)
                share[j] = 1.0;
            else
                share[j] = k > 0 ? (before + below) / (double)k : 0.0;
        }
    return share[m];
}

int64_t sfi_count_distinct(const double *x, int64_t n)
{
    int64_t count = n > 0;
    for (int64_t i = 1; i < n; i++)
        count += x[i] != x[i - 1];
    return count;
}

static size_t column_work(int64_t n, int64_t m)
{
    const int64_t sorting = n > m ? n : m, counting = n + 2 * m + 1;
    const bool exact = sfi_kolmogorov_is_exact(n, m);
    return (size_t)(n + m + (exact ? counting + sorting : sorting));
}

/* work [column_work(n, m)] */
static void one_column(sf_compare_column *out, const sf_cmat table[2],
                       int64_t column, double *work)
{
    double *sorted[2] = {work, work + table[0].rows};
    double *scratch = work + table[0].rows + table[1].rows;
    for (int k = 0; k < 2; k++) {
        const int64_t n = table[k].rows;
        for (int64_t i = 0; i < n; i++)
            sorted[k][i] = table[k].data[i * table[k].stride + column];
        sfi_sort(sorted[k], scratch, n);
        for (int q = 0; q < SF_COMPARE_QUANTILES; q++)
            out->quantile[k][q] = sfi_quantile(sorted[k], n, probabilities[q]);
        out->distinct[k] = sfi_count_distinct(sorted[k], n);
    }
    const int64_t n = table[0].rows, m = table[1].rows;
    const sfi_gap gap = sfi_distribution_gap(sorted[0], n, sorted[1], m);
    out->ks = gap.ks;
    out->ks_exact = sfi_kolmogorov_is_exact(n, m);
    out->ks_p = out->ks_exact ? sfi_kolmogorov_exact(gap.ks_steps, sorted[0], n,
                                                     sorted[1], m, scratch)
                              : sfi_kolmogorov_p(gap.ks, n, m);
    out->wasserstein = gap.wasserstein;
    out->energy = gap.energy;
}

/* Columns, as the workers see them. */
typedef struct column_job {
    const sf_cmat *table;
    sf_compare_column *column; /* [cols]          */
    double *work;              /* [workers, each] */
    size_t each;
} column_job;

static void take_column(void *user, int worker, int64_t c)
{
    const column_job *j = user;
    one_column(&j->column[c], j->table, c, j->work + (size_t)worker * j->each);
}

sf_status sfi_compare_columns(sf_context *ctx, sf_compare_report *report,
                              const sf_cmat table[2])
{
    const size_t each = column_work(table[0].rows, table[1].rows);
    const int workers = sfi_parallel_workers(ctx, report->cols);
    double *work = sfi_alloc(ctx, (size_t)workers * each, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    column_job job = {table, report->column, work, each};
    sfi_parallel_tasks(workers, report->cols, take_column, &job);
    sfi_free(ctx, work, (size_t)workers * each, sizeof *work);
    return SF_OK;
}
