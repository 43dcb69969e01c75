/* SPDX-License-Identifier: Apache-2.0 */
/* noise.h - the noise of a row: a kernel for each column, side by side.
 *
 * Columns are noised independently of each other, all at the same time t, so the
 * law of a row given the clean row x0 is a product, and what is asked of it is a
 * sum or a list of what its kernels say.  Rows are handled in the chart: y_j is
 * the chart of column j (kernel.h). */
#ifndef SFI_NOISE_H
#define SFI_NOISE_H

#include "kernel/kernel.h"
#include "scorefield/model.h"

typedef struct sfi_noise {
    int64_t dim;
    sfi_kernel *kernels; /* [dim] */
} sfi_noise;

/* From text: "KERNEL" for all columns, or "COLUMN=KERNEL; COLUMN=KERNEL" with
 * each column named once; KERNEL as for sfi_kernel_parse().  `bare` [dim], if it
 * is not NULL, receives whether a column's kernel came without numbers.
 * On failure *out is empty.
 * Returns SF_OK, SF_E_NOMEM or SF_E_ARG (as sfi_kernel_parse(); an unknown
 * column, one named twice, or one left out). */
sf_status sfi_noise_parse(sf_context *ctx, sfi_noise *out, const char *text,
                          int64_t dim, const char *const *names, bool *bare);

/* The kernels of `from`, copied. */
sf_status sfi_noise_copy(sf_context *ctx, sfi_noise *out,
                         const sfi_noise *from);
void sfi_noise_free(sf_context *ctx, sfi_noise *noise);

/* A kernel as text that sfi_kernel_parse() reads back. */
void sfi_kernel_format(const sfi_kernel *k, char text[SF_KERNEL_TEXT]);

/* Whether the kernel's law at t = 1 still depends on x0: that of the path "ve". */
bool sfi_kernel_remembers(const sfi_kernel *k);

/* Rows to the chart and back. */
void sfi_noise_to_chart(const sfi_noise *noise, const double *x, double *y);
void sfi_noise_from_chart(const sfi_noise *noise, const double *y, double *x);

/* How x = chart^-1(y) changes with y: slope[j] = dx_j/dy_j, bend[j] = d ln
 * slope/dy and turn[j] = d bend/dy; with no mass outside the chart, densities of
 * x and y differ by the slopes. */
void sfi_noise_slopes(const sfi_noise *noise, const double *y, double *slope,
                      double *bend, double *turn);

/* ln of the product of the slopes, which does not overflow. */
double sfi_noise_log_slope(const sfi_noise *noise, const double *y);

/* Check that a row of x is where its kernels have mass, or that a clean row is
 * one that they may start from; the column that is not, or -1.  What it should be
 * is in *want: "> 0". */
int64_t sfi_noise_outside(const sfi_noise *noise, const double *x,
                          const char **want);
int64_t sfi_noise_outside_clean(const sfi_noise *noise, const double *x0,
                                const char **want);

/* The first column that holds counts, or the first that does not; -1 if there is
 * none. */
int64_t sfi_noise_find(const sfi_noise *noise, bool counts);

/* Nodes for a row y [dim] in the chart given x0 [dim] in the data's coordinate,
 * as sfi_kernel_at_chart() gives them; logp and rate are sums over columns,
 * hessian [dim] is the diagonal (the rest is 0). */
sfi_kernel_nodes sfi_noise_at(const sfi_noise *noise, sf_graph *g, sf_node y,
                              sf_node x0, sf_node t, sfi_velocity how);

/* The standard deviation of each column's noise in its chart over t, as t goes
 * to 0: from the curvature of the log density at its peak, where x0 is in the
 * middle of the chart; of a family whose peak has a kink, its number "scale".
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_noise_spread(sf_context *ctx, const sfi_noise *noise,
                           double *spread);

/* ---- draws ------------------------------------------------------------------ */

/* Draws rows from the kernels: a program for their parameters, then a draw for
 * each column. */
typedef struct sfi_noiser sfi_noiser;

/* `noise` must outlive it.  SF_OK or SF_E_NOMEM. */
sf_status sfi_noiser_new(sf_context *ctx, sfi_noiser **out,
                         const sfi_noise *noise);
void sfi_noiser_free(sfi_noiser *z);

/* y [n, dim], in the chart, given rows `index[i]` (NULL: i) of x0 at times[i],
 * for i = 0..n-1.  Row i is a function of its x0, its time and
 * (where.seed, where.point + i, where.step, where.stream); where.step < 2^32/dim.
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_noiser_run(sfi_noiser *z, int64_t n, sf_cmat x0,
                         const int64_t *index, const double *times,
                         sfi_where where, sf_mat y);

#endif
