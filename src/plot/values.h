/* SPDX-License-Identifier: Apache-2.0 */
/* values.h - what a picture asks of a column of numbers: where it lies, how it
 * is binned, which of a million points to show. */
#ifndef SFI_PLOT_VALUES_H
#define SFI_PLOT_VALUES_H

#include "base/context.h"
#include "scorefield/array.h"

static inline double sfi_cell(sf_cmat m, int64_t row, int64_t col)
{
    return m.data[row * m.stride + col];
}

/* Is `m` well formed, with at least `cols` columns?  A matrix of no rows may
 * have any columns and no data.  Returns SF_OK or SF_E_SHAPE. */
sf_status sfi_plot_check(sf_context *ctx, const char *what, const char *name,
                         sf_cmat m, int64_t cols);

/* An option that says how many to show at most: 0 becomes `usual`.
 * Returns SF_OK or SF_E_ARG: it is negative. */
sf_status sfi_plot_most(sf_context *ctx, const char *what, const char *name,
                        int64_t *most, int64_t usual);

/* The finite values of a column, sorted.  values == NULL if not made yet. */
typedef struct sfi_sorted {
    sf_context *ctx;
    double *values;
    int64_t count, capacity;
    bool whole; /* every value is an integer */
} sfi_sorted;

/* Sort column j of m.  Returns SF_OK or SF_E_NOMEM; free it in either case. */
sf_status sfi_sorted_new(sf_context *ctx, sfi_sorted *out, sf_cmat m,
                         int64_t j);
void sfi_sorted_free(sfi_sorted *sorted);

/* Quantile by linear interpolation between order statistics (p n - p from the
 * first, Hyndman and Fan's definition 7); NaN if there are no values. */
double sfi_sorted_quantile(const sfi_sorted *sorted, double p);

/* How many values lie in [lo, hi]. */
int64_t sfi_sorted_within(const sfi_sorted *sorted, double lo, double hi);

/* The interval worth showing: all of the values, but for a few that lie further
 * from the central 99 % than that is wide.  NaN if there are no values. */
void sfi_sorted_view(const sfi_sorted *sorted, double *lo, double *hi);

/* The interval for real and synthetic values together: that of the real ones,
 * widened by at most half of itself to each side for the synthetic. */
void sfi_sorted_view_both(const sfi_sorted *real, const sfi_sorted *synthetic,
                          double *lo, double *hi);

/* Row number of the k-th of `most` points shown out of n, most <= n: one drawn
 * at random from each of `most` equal runs of rows, always the same. */
int64_t sfi_pick(int64_t k, int64_t most, int64_t n);

/* ---- histograms ---------------------------------------------------------- */

enum { SFI_MAX_BINS = 150 };

typedef struct sfi_bins {
    double lo, width;
    int count;
} sfi_bins;

/* Bins over [lo, hi] by the rule of D. Freedman and P. Diaconis
 * (Z. Wahrscheinlichkeit 57 (1981) 453-476): width 2 IQR n^(-1/3), but at
 * least 2 n^(1/3) bins: two far modes make the IQR, not the detail.  Integers
 * get bins of whole width with edges at halves, so that no bin holds more of
 * them than its neighbour by its place.  `wanted` > 0 sets the count. */
sfi_bins sfi_bins_choose(const sfi_sorted *sorted, double lo, double hi,
                         int wanted);

/* Estimated density in every bin: the share of ALL finite values of the column
 * that fall into it, over its width. */
void sfi_bins_fill(sfi_bins bins, const sfi_sorted *sorted, double *density);

#endif
