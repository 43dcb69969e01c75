/* SPDX-License-Identifier: Apache-2.0 */
/* values.c - order statistics of a column, and bins from them.
 *
 * Everything works on the sorted finite values: a histogram is then a walk,
 * a count within an interval is a pair of binary searches, and neither depends
 * on the order of the rows. */
#include "plot/values.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"

sf_status sfi_plot_check(sf_context *ctx, const char *what, const char *name,
                         sf_cmat m, int64_t cols)
{
    if (m.rows == 0)
        return SF_OK;
    if (m.rows < 0 || m.cols < cols)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: %s is [%lld, %lld], want at least %lld columns",
                        what, name, (long long)m.rows, (long long)m.cols,
                        (long long)cols);
    if (m.stride < m.cols || m.data == NULL)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: %s has stride %lld and %lld columns%s", what, name,
                        (long long)m.stride, (long long)m.cols,
                        m.data == NULL ? ", but no data" : "");
    return SF_OK;
}

sf_status sfi_plot_most(sf_context *ctx, const char *what, const char *name,
                        int64_t *most, int64_t usual)
{
    if (*most < 0)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: %s is %lld, want >= 0", what, name,
                        (long long)*most);
    if (*most == 0)
        *most = usual;
    return SF_OK;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

sf_status sfi_sorted_new(sf_context *ctx, sfi_sorted *out, sf_cmat m, int64_t j)
{
    const sfi_sorted empty = {.ctx = ctx, .whole = true};
    *out = empty;
    out->values = sfi_alloc(ctx, (size_t)m.rows, sizeof *out->values);
    if (out->values == NULL)
        return SF_E_NOMEM;
    out->capacity = m.rows;
    for (int64_t i = 0; i < m.rows; i++) {
        const double x = sfi_cell(m, i, j);
        if (!isfinite(x))
            continue;
        out->values[out->count++] = x;
        out->whole = out->whole && x == floor(x);
    }
    if (out->count > 0)
        qsort(out->values, (size_t)out->count, sizeof *out->values, ascending);
    return SF_OK;
}

void sfi_sorted_free(sfi_sorted *sorted)
{
    if (sorted->values != NULL)
        sfi_free(sorted->ctx, sorted->values, (size_t)sorted->capacity,
                 sizeof *sorted->values);
    sorted->values = NULL;
    sorted->count = 0;
}

double sfi_sorted_quantile(const sfi_sorted *sorted, double p)
{
    const int64_t n = sorted->count;
    if (n == 0)
        return NAN;
    const double at = p * (double)(n - 1);
    const int64_t i = (int64_t)at;
    if (i >= n - 1)
        return sorted->values[n - 1];
    const double t = at - (double)i;
    return (1.0 - t) * sorted->values[i] + t * sorted->values[i + 1];
}

/* How many values are < x, or <= x where `also_equal`. */
static int64_t rank_of(const sfi_sorted *sorted, double x, bool also_equal)
{
    int64_t low = 0, high = sorted->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const double v = sorted->values[middle];
        if (v < x || (also_equal && v == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t sfi_sorted_within(const sfi_sorted *sorted, double lo, double hi)
{
    return rank_of(sorted, hi, true) - rank_of(sorted, lo, false);
}

void sfi_sorted_view(const sfi_sorted *sorted, double *lo, double *hi)
{
    *lo = *hi = NAN;
    if (sorted->count == 0)
        return;
    *lo = sorted->values[0];
    *hi = sorted->values[sorted->count - 1];
    const double low = sfi_sorted_quantile(sorted, 0.005);
    const double high = sfi_sorted_quantile(sorted, 0.995);
    const double core = high - low;
    if (core > 0.0 && isfinite(core)) {
        *lo = fmax(*lo, low - core);
        *hi = fmin(*hi, high + core);
    }
}

void sfi_sorted_view_both(const sfi_sorted *real, const sfi_sorted *synthetic,
                          double *lo, double *hi)
{
    sfi_sorted_view(real, lo, hi);
    double more_lo, more_hi;
    sfi_sorted_view(synthetic, &more_lo, &more_hi);
    if (isnan(*lo)) {
        *lo = more_lo;
        *hi = more_hi;
    }
    if (isnan(more_lo))
        return;
    double allowance = 0.5 * *hi - 0.5 * *lo;
    if (allowance == 0.0) /* a constant says nothing of the scale */
        allowance = INFINITY;
    const double from = *lo - allowance, to = *hi + allowance;
    *lo = fmin(*lo, fmax(more_lo, from));
    *hi = fmax(*hi, fmin(more_hi, to));
}

int64_t sfi_pick(int64_t k, int64_t most, int64_t n)
{
    if (most >= n)
        return k;
    const sfi_where where = {0, (uint64_t)k, 0, SFI_STREAM_USER};
    const double run = (double)n / (double)most;
    const int64_t i = (int64_t)(run * ((double)k + sfi_uniform_at(where, 0)));
    return i < n ? i : n - 1;
}

/* ---- histograms ---------------------------------------------------------- */

static double spread(const sfi_sorted *sorted, double lo, double hi)
{
    const double iqr =
        sfi_sorted_quantile(sorted, 0.75) - sfi_sorted_quantile(sorted, 0.25);
    if (iqr > 0.0 && isfinite(iqr))
        return iqr;
    /* Half of the values are equal: take the standard deviation, which for a
     * normal distribution is IQR / 1.349.  Scaled so as not to overflow. */
    const double scale = hi - lo;
    double sum = 0.0, squares = 0.0, n = 0.0;
    for (int64_t i = 0; i < sorted->count; i++) {
        const double x = (sorted->values[i] - lo) / scale;
        if (x >= 0.0 && x <= 1.0) {
            sum += x;
            squares += x * x;
            n += 1.0;
        }
    }
    const double variance = n > 0.0 ? squares / n - sum / n * (sum / n) : 0.0;
    return 1.349 * scale * sqrt(fmax(variance, 0.0));
}

sfi_bins sfi_bins_choose(const sfi_sorted *sorted, double lo, double hi,
                         int wanted)
{
    sfi_bins bins = {lo, hi - lo, 1};
    if (!(hi > lo) || !(hi - lo < INFINITY)) {
        /* One value: one narrow bar around it. */
        const double width = lo != 0.0 ? 0.02 * fabs(lo) : 0.2;
        bins.width = fmin(fmax(width, 1e-301), 1e306);
        bins.lo = lo - 0.5 * bins.width;
        return bins;
    }
    const double n = (double)(sorted->count > 0 ? sorted->count : 1);
    const double wish = 2.0 * spread(sorted, lo, hi) / cbrt(n);
    const double range = hi - lo;
    double count = wish > 0.0 ? ceil(range / wish) : SFI_MAX_BINS;
    count = fmax(count, ceil(2.0 * cbrt(n))); /* see the header */
    if (wanted > 0)
        count = wanted;
    count = fmin(count, SFI_MAX_BINS);
    bins.count = (int)count;
    bins.width = range / count;
    if (sorted->whole && range < 1e15 && wanted <= 0) {
        bins.lo = floor(lo) - 0.5;
        const double cells = ceil(hi) - floor(lo) + 1.0;
        bins.width = fmax(1.0, floor(bins.width + 0.5));
        bins.width = fmax(bins.width, ceil(cells / SFI_MAX_BINS));
        bins.count = (int)ceil(cells / bins.width);
    }
    return bins;
}

void sfi_bins_fill(sfi_bins bins, const sfi_sorted *sorted, double *density)
{
    for (int b = 0; b < bins.count; b++)
        density[b] = 0.0;
    for (int64_t i = 0; i < sorted->count; i++) {
        double at = (sorted->values[i] - bins.lo) / bins.width;
        /* The last bin is closed, and its edge carries rounding. */
        if (at >= bins.count && at <= bins.count * (1.0 + 1e-12))
            at = bins.count - 0.5;
        if (at < 0.0 && at >= -1e-9)
            at = 0.0;
        if (at >= 0.0 && at < bins.count)
            density[(int)at] += 1.0;
    }
    for (int b = 0; b < bins.count; b++)
        density[b] /= (double)sorted->count * bins.width;
}
