/* SPDX-License-Identifier: Apache-2.0 */
/* mixed_columns.c - one column of any kind in two or three tables.
 *
 * On a circle of circumference 1 the distribution functions F and G begin anywhere,
 * and another beginning adds a constant to F - G.  So Kuiper's statistic is max (F - G)
 * - min (F - G), and the transport distance the least over c of the integral of
 * |F - G - c|, whose c is the median of F - G with arcs as weights (J. Rabin, J. Delon
 * and Y. Gousseau, J. Math. Imaging Vis. 41 (2011) 147-167). */
#include "compare/mixed.h"

#include "base/parallel.h"
#include "compare/compare.h"
#include "num/sort.h"

#include <math.h>

/* Columns are dealt to at most so many ranges, each with room for itself. */
enum { MOST_RANGES = 8 };

static const double PI = 3.14159265358979323846;

/* ---- circles -------------------------------------------------------------- */

/* The heights of F - G above the arcs between successive values, the last of which
 * goes around 0, and their lengths; returns how many. */
static int64_t fill_arcs(double *height, double *length, const double *x,
                         int64_t n, const double *y, int64_t m)
{
    int64_t arcs = 0;
    for (int64_t i = 0, j = 0; i < n || j < m; arcs++) {
        const double at = j == m || (i < n && x[i] <= y[j]) ? x[i] : y[j];
        while (i < n && x[i] == at)
            i++;
        while (j < m && y[j] == at)
            j++;
        length[arcs] = at;
        height[arcs] = (double)i / (double)n - (double)j / (double)m;
    }
    const double around = 1.0 + length[0];
    for (int64_t i = 0; i < arcs; i++)
        length[i] = (i + 1 < arcs ? length[i + 1] : around) - length[i];
    return arcs;
}

/* The length of the arcs up to a height. */
static double length_below(const double *height, const double *length,
                           int64_t arcs, double most)
{
    double sum = 0.0;
    for (int64_t i = 0; i < arcs; i++)
        sum += height[i] <= most ? length[i] : 0.0;
    return sum;
}

sfi_circle_gap sfi_circle_distance(const double *x, int64_t n, const double *y,
                                   int64_t m, double *work)
{
    double *height = work, *length = height + n + m, *sorted = length + n + m;
    const int64_t arcs = fill_arcs(height, length, x, n, y, m);
    for (int64_t i = 0; i < arcs; i++)
        sorted[i] = height[i];
    sfi_sort(sorted, sorted + n + m, arcs);
    int64_t low = 0, high = arcs - 1; /* the median is sorted[low..high] */
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (length_below(height, length, arcs, sorted[middle]) < 0.5)
            low = middle + 1;
        else
            high = middle;
    }
    sfi_circle_gap gap = {sorted[arcs - 1] - sorted[0], 0.0};
    for (int64_t i = 0; i < arcs; i++)
        gap.wasserstein += fabs(height[i] - sorted[low]) * length[i];
    return gap;
}

/* M. A. Stephens, J. R. Stat. Soc. B 32 (1970) 115-122. */
double sfi_kuiper_p(double kuiper, int64_t n, int64_t m)
{
    const double root = sqrt((double)n * (double)m / ((double)n + (double)m));
    const double t = (root + 0.155 + 0.24 / root) * kuiper;
    if (t < 0.4) /* the series is 1 - 1e-7 and converges slowly */
        return 1.0;
    double sum = 0.0;
    for (int k = 1; k <= 20; k++) {
        const double square = (double)(k * k) * t * t;
        sum += 2.0 * (4.0 * square - 1.0) * exp(-2.0 * square);
    }
    return fmin(1.0, fmax(0.0, sum));
}

/* ---- one table ------------------------------------------------------------ */

/* The cells that are there go to `to`; returns how many. */
static int64_t take_present(double *to, const sfi_mixed *m, int k, int64_t j)
{
    const double *x = sfi_mixed_cells(m, k, j);
    int64_t n = 0;
    for (int64_t i = 0; i < m->rows[k]; i++)
        if (!isnan(x[i]))
            to[n++] = x[i];
    return n;
}

static void fill_moments(sf_frames_column *c, int k, const double *x, int64_t n)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] - x[0];
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - x[0] - mean) * (x[i] - x[0] - mean);
    c->mean[k] = x[0] + mean;
    /* A constant has no spread, not even that of a rounded mean. */
    c->sd[k] = c->distinct[k] == 1 ? 0.0
               : n > 1             ? sqrt(squares / (double)(n - 1))
                                   : NAN;
}

static void fill_directions(sf_frames_column *c, int k, const double *x,
                            int64_t n)
{
    const double turn = 2.0 * PI / c->period;
    double cosine = 0.0, sine = 0.0;
    for (int64_t i = 0; i < n; i++) {
        cosine += cos(turn * x[i]);
        sine += sin(turn * x[i]);
    }
    const double r = fmin(1.0, hypot(cosine, sine) / (double)n);
    const double at = atan2(sine, cosine) / turn;
    const double mean = at < 0.0 ? at + c->period : at;
    c->mean[k] = mean < c->period ? mean : 0.0; /* by rounding */
    c->sd[k] = c->distinct[k] == 1 ? 0.0 : sqrt(-2.0 * log(r)) / turn;
}

/* ---- two tables ----------------------------------------------------------- */

static double share_outside(const double *x, int64_t n, double low, double high)
{
    int64_t out = 0;
    for (int64_t i = 0; i < n; i++)
        out += x[i] < low || x[i] > high;
    return (double)out / (double)n;
}

/* Whether a number has at most six decimals: k/10^6 is rounded to the double that
 * reading these decimals gives. */
static bool is_decimal(double x)
{
    return x == floor(x) || x == rint(x * 1e6) / 1e6;
}

/* How many cells of a sorted sample equal a number that another one has once; with
 * y NULL how many there are. */
static int64_t count_singular(const double *x, int64_t n, const double *y,
                              int64_t m)
{
    int64_t found = 0, j = 0;
    for (int64_t i = 0; i < n; i++) {
        const bool once =
            (i == 0 || x[i - 1] != x[i]) && (i + 1 == n || x[i + 1] != x[i]);
        if (!once)
            continue;
        found += y == NULL;
        while (j < m && y[j] < x[i])
            j++;
        for (; j < m && y[j] == x[i]; j++)
            found++;
    }
    return found;
}

static bool is_grid(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!is_decimal(x[i]))
            return false;
    return true;
}

/* Sorted samples; work as sfi_kolmogorov_exact(). */
static void compare_numbers(sf_frames_column *c, int p, const double *x,
                            int64_t n, const double *y, int64_t m, double *work)
{
    const sfi_gap gap = sfi_distribution_gap(x, n, y, m);
    c->ks[p] = gap.ks;
    c->ks_exact[p] = sfi_kolmogorov_is_exact(n, m);
    c->ks_p[p] = c->ks_exact[p]
                     ? sfi_kolmogorov_exact(gap.ks_steps, x, n, y, m, work)
                     : sfi_kolmogorov_p(gap.ks, n, m);
    c->wasserstein[p] = gap.wasserstein;
    c->energy[p] = gap.energy;
    c->outside[p] = share_outside(y, m, x[0], x[n - 1]);
    if (is_grid(x, n))
        return;
    c->singular = count_singular(x, n, NULL, 0);
    c->reproduced[p] = count_singular(x, n, y, m);
}

/* Sorted samples, as parts of a turn; work as sfi_circle_distance(). */
static void compare_circles(sf_frames_column *c, int p, const double *x,
                            int64_t n, const double *y, int64_t m, double *work)
{
    const sfi_circle_gap gap = sfi_circle_distance(x, n, y, m, work);
    c->ks[p] = gap.kuiper;
    c->ks_p[p] = sfi_kuiper_p(gap.kuiper, n, m);
    c->wasserstein[p] = gap.wasserstein * c->period;
}

/* Sorted numbers of levels. */
static void compare_levels(sf_frames_column *c, int p, const double *x,
                           int64_t n, const double *y, int64_t m)
{
    double sum = 0.0;
    int64_t unknown = 0;
    for (int64_t i = 0, j = 0; i < n || j < m;) {
        const double at = j == m || (i < n && x[i] <= y[j]) ? x[i] : y[j];
        const int64_t i0 = i, j0 = j;
        while (i < n && x[i] == at)
            i++;
        while (j < m && y[j] == at)
            j++;
        sum +=
            fabs((double)(i - i0) / (double)n - (double)(j - j0) / (double)m);
        unknown += i == i0 ? j - j0 : 0;
    }
    c->total_variation[p] = 0.5 * sum;
    c->outside[p] = (double)unknown / (double)m;
}

/* The part of sorted numbers that are x. */
static double part_of(const double *sorted, int64_t n, double x)
{
    int64_t first = 0, end = n, same = 0;
    while (first < end) {
        const int64_t middle = first + (end - first) / 2;
        if (sorted[middle] < x)
            first = middle + 1;
        else
            end = middle;
    }
    while (first + same < n && sorted[first + same] == x)
        same++;
    return (double)same / (double)n;
}

/* Sorted numbers as which atom they are, or none. */
static void compare_atoms(sf_frames_column *c, int p,
                          const sfi_mixed_column *about, const double *x,
                          int64_t n, const double *y, int64_t m)
{
    double sum = 0.0, none = 0.0;
    if (about->atoms == 0)
        return;
    for (int64_t k = 0; k < about->atoms; k++) {
        const double gap =
            part_of(x, n, about->atom[k]) - part_of(y, m, about->atom[k]);
        sum += fabs(gap);
        none -= gap;
    }
    c->total_variation[p] = 0.5 * (sum + fabs(none));
}

/* ---- all columns ---------------------------------------------------------- */

struct columns {
    sf_frames_report *report;
    const sfi_mixed *m;
    double *work; /* [ranges, each] */
    size_t each;
};

static void clear(sf_frames_column *c)
{
    for (int k = 0; k < SFI_TABLES; k++) {
        c->mean[k] = c->sd[k] = c->missing[k] = NAN;
        for (int q = 0; q < SF_COMPARE_QUANTILES; q++)
            c->quantile[k][q] = NAN;
    }
    for (int p = 0; p < 2; p++) {
        c->ks[p] = c->ks_p[p] = c->wasserstein[p] = c->energy[p] = NAN;
        c->total_variation[p] = c->outside[p] = NAN;
    }
}

/* sorted: the cells of table k that are there */
static void describe(sf_frames_column *c, int k, const double *sorted)
{
    const int64_t n = c->present[k];
    c->distinct[k] = sfi_count_distinct(sorted, n);
    if (n == 0 || c->compared == SF_COMPARED_CATEGORY)
        return;
    if (c->compared == SF_COMPARED_CIRCLE) {
        fill_directions(c, k, sorted, n);
        return;
    }
    fill_moments(c, k, sorted, n);
    for (int q = 0; q < SF_COMPARE_QUANTILES; q++)
        c->quantile[k][q] = sfi_quantile(sorted, n, sf_compare_probability(q));
}

static void one_column(sf_frames_column *c, const sfi_mixed *m, int64_t j,
                       double *work)
{
    double *sorted[SFI_TABLES];
    clear(c);
    for (int k = 0; k < SFI_TABLES; k++) {
        sorted[k] = work;
        work += m->rows[k];
    }
    for (int k = 0; k < SFI_TABLES; k++) {
        c->present[k] = take_present(sorted[k], m, k, j);
        if (m->rows[k] > 0)
            c->missing[k] =
                (double)(m->rows[k] - c->present[k]) / (double)m->rows[k];
        sfi_sort(sorted[k], work, c->present[k]);
        describe(c, k, sorted[k]);
    }
    if (c->compared == SF_COMPARED_CIRCLE)
        for (int k = 0; k < SFI_TABLES; k++)
            for (int64_t i = 0; i < c->present[k]; i++)
                sorted[k][i] /= c->period;
    const double *x = sorted[SFI_REAL];
    const int64_t n = c->present[SFI_REAL];
    for (int p = 0; p < 2; p++) {
        const double *y = sorted[p + 1];
        const int64_t rows = c->present[p + 1];
        if (n == 0 || rows == 0)
            continue;
        if (c->compared == SF_COMPARED_CATEGORY)
            compare_levels(c, p, x, n, y, rows);
        else if (c->compared == SF_COMPARED_CIRCLE)
            compare_circles(c, p, x, n, y, rows, work);
        else
            compare_numbers(c, p, x, n, y, rows, work);
        if (c->compared == SF_COMPARED_NUMBER)
            compare_atoms(c, p, &m->column[j], x, n, y, rows);
    }
}

static void some_columns(void *user, int64_t part, int64_t first, int64_t count)
{
    const struct columns *w = user;
    for (int64_t j = first; j < first + count; j++)
        one_column(&w->report->column[j], w->m, j,
                   w->work + (size_t)part * w->each);
}

sf_status sfi_compare_mixed_columns(sf_context *ctx, sf_frames_report *report,
                                    const sfi_mixed *m)
{
    const int64_t chunk = (m->cols + MOST_RANGES - 1) / MOST_RANGES;
    const int64_t ranges = sfi_parallel_parts(m->cols, chunk);
    int64_t total = 0, most = 0;
    bool circles = false;
    for (int k = 0; k < SFI_TABLES; k++) {
        total += m->rows[k];
        most = m->rows[k] > most ? m->rows[k] : most;
    }
    for (int64_t j = 0; j < m->cols; j++)
        circles = circles || m->column[j].compared == SF_COMPARED_CIRCLE;
    const int64_t work = circles ? 8 * most : 3 * most + 1;
    struct columns w = {report, m, NULL, (size_t)(total + work)};
    w.work = sfi_alloc(ctx, (size_t)ranges * w.each, sizeof *w.work);
    if (w.work == NULL)
        return SF_E_NOMEM;
    sfi_parallel(ctx, m->cols, chunk, some_columns, &w);
    sfi_free(ctx, w.work, (size_t)ranges * w.each, sizeof *w.work);
    return SF_OK;
}
