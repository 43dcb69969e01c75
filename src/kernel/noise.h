/* SPDX-License-Identifier: Apache-2.0 */
/* noise.h - the noise of a row: kernels side by side.
 *
 * A row's columns are divided into blocks, most of one column, which are noised
 * independently of each other, all at the same time t.  So the law of a row given
 * the clean row x0 is a product, and what is asked of it is a sum or a list of what
 * its kernels say.  Rows are handled in the chart: y holds the chart of each block
 * (kernel.h, joint.h), one after the other, and may have more or fewer numbers than
 * the row has columns.  Blocks are in the order of their first columns: where all
 * are of one column, y_j is the chart of column j. */
#ifndef SFI_NOISE_H
#define SFI_NOISE_H

#include "kernel/joint.h"
#include "scorefield/model.h"

/* Columns of a block, at most, and so the numbers y of one. */
enum { SFI_BLOCK_COLUMNS = SF_JOINT_COLUMNS };

typedef struct sfi_noise {
    int64_t dim;       /* columns; 0: there is no noise             */
    int64_t inner;     /* numbers of y                              */
    int64_t squares;   /* the sum of the squares of blocks' numbers */
    int64_t count;     /* blocks                                    */
    sfi_block *blocks; /* [count]                                   */
    int64_t *columns;  /* [dim] those of block 0, of block 1, ...   */
    int64_t *owner;    /* [dim] each column's block                 */
} sfi_noise;

/* ---- making ------------------------------------------------------------------ */

/* Blocks for `dim` columns, none of them taken.  SF_OK or SF_E_NOMEM. */
sf_status sfi_noise_new(sf_context *ctx, sfi_noise *out, int64_t dim);

/* A block of these columns, in this order.  SF_OK or SF_E_ARG (the kernel is not
 * for so many columns; a column that has one already). */
sf_status sfi_noise_add(sf_context *ctx, sfi_noise *noise,
                        const sfi_kernel *kernel, int64_t count,
                        const int64_t *columns, const char *const *names);

/* After the last block: SF_OK, or SF_E_ARG for a column without one. */
sf_status sfi_noise_complete(sf_context *ctx, sfi_noise *noise,
                             const char *const *names);

/* From text: "KERNEL" for all columns, or "COLUMN=KERNEL; COLUMN,COLUMN=KERNEL"
 * with each column named once; KERNEL as for sfi_kernel_parse().  `bare` [dim], if
 * it is not NULL, receives whether a column's kernel came without numbers.
 * On failure *out is empty.
 * Returns SF_OK, SF_E_NOMEM or SF_E_ARG (as sfi_kernel_parse(); an unknown
 * column, one named twice, or one left out; a wrong number of columns). */
sf_status sfi_noise_parse(sf_context *ctx, sfi_noise *out, const char *text,
                          int64_t dim, const char *const *names, bool *bare);

/* The lower triangle of a block's factor, [columns, columns]; copied.  SF_OK,
 * SF_E_NOMEM, or SF_E_ARG (the family has none; a diagonal that is not > 0, or a
 * number that is not finite). */
sf_status sfi_noise_mix(sf_context *ctx, sfi_block *block,
                        const double *factor);

/* The prior of a block of levels, [levels], copied.  SF_OK, SF_E_NOMEM, or SF_E_ARG
 * (the family has no levels; there are none; what is no share, or a sum that is not
 * 1). */
sf_status sfi_noise_set_prior(sf_context *ctx, sfi_block *block, int64_t levels,
                              const double *prior);

sf_status sfi_noise_copy(sf_context *ctx, sfi_noise *out,
                         const sfi_noise *from);
void sfi_noise_free(sf_context *ctx, sfi_noise *noise);

/* A kernel as text that sfi_kernel_parse() reads back. */
void sfi_kernel_format(const sfi_kernel *k, char text[SF_KERNEL_TEXT]);

/* ---- asking ------------------------------------------------------------------ */

/* The block of a column, and the columns of a block. */
const sfi_block *sfi_noise_block(const sfi_noise *noise, int64_t column);
const int64_t *sfi_noise_columns(const sfi_noise *noise, const sfi_block *b);

/* A block's columns as they are averaged: an angle as a vector of length 1, a place on
 * a surface as its chart.  At most SFI_BLOCK_COLUMNS numbers; returns how many. */
int64_t sfi_block_vector(const sfi_block *b, const double *columns,
                         double *out);
/* And the columns that a mean of such vectors stands for. */
void sfi_block_mean(const sfi_block *b, const double *mean, double *out);

/* Whether number i of y is an angle. */
bool sfi_block_is_angle(const sfi_block *b);

/* Whether the kernel's law at t = 1 still depends on x0: that of the path "ve". */
bool sfi_kernel_remembers(const sfi_kernel *k);

/* The first column that is discrete, or the first that is not; -1 if there is none. */
int64_t sfi_noise_find(const sfi_noise *noise, bool discrete);
/* The same of those that hold counts which thin. */
int64_t sfi_noise_find_counts(const sfi_noise *noise, bool counts);

/* ---- rows -------------------------------------------------------------------- */

/* What the data's numbers are to the kernels: (x - mean)/scale, [dim] each. */
typedef struct sfi_units {
    const double *mean, *scale;
} sfi_units;

/* A row x [dim] to y [inner] and back; x and y do not overlap. */
void sfi_noise_to_chart(const sfi_noise *noise, sfi_units units,
                        const double *x, double *y);
void sfi_noise_from_chart(const sfi_noise *noise, sfi_units units,
                          const double *y, double *x);

/* ln p(y) - ln p(x), x in the units of the kernels. */
double sfi_noise_log_slope(const sfi_noise *noise, const double *y);

/* y back to the surfaces that its blocks lie on; whether there are any. */
void sfi_noise_settle(const sfi_noise *noise, double *y);
bool sfi_noise_has_surface(const sfi_noise *noise);

/* A matrix [inner, inner] at y, as it acts along the surfaces; across them, where
 * nothing can move, it multiplies by `across`. */
void sfi_noise_project(const sfi_noise *noise, const double *y, double *matrix,
                       double across);

/* Check that a row of x is where its kernels have mass, or that a clean row is
 * one that they may start from; the column that is not, or -1.  What it should be
 * is in *want: "> 0". */
int64_t sfi_noise_outside(const sfi_noise *noise, sfi_units units,
                          const double *x, const char **want);
int64_t sfi_noise_outside_clean(const sfi_noise *noise, sfi_units units,
                                const double *x0, const char **want);

/* A clean row that every kernel may start from. */
void sfi_noise_middle(const sfi_noise *noise, double *x0);

/* The standard deviation of the noise of each y [inner] over t, as t goes to 0:
 * from the curvature of the log density at its peak, where x0 is in the middle of
 * the chart; of a family whose peak has a kink, its number "scale".
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_noise_spread(sf_context *ctx, const sfi_noise *noise,
                           double *spread);

/* ---- nodes ------------------------------------------------------------------- */

/* The numbers y of a block, and the columns x of it, as nodes of rank 1. */
sf_node sfi_block_inner(const sfi_block *b, sf_graph *g, sf_node y);
sf_node sfi_block_columns(const sfi_noise *noise, const sfi_block *b,
                          sf_graph *g, sf_node x);

/* Columns in the order of the blocks [dim], put into their own. */
sf_node sfi_noise_in_columns(const sfi_noise *noise, sf_graph *g,
                             sf_node blocks);

/* sfi_noise_to_chart() and sfi_noise_from_chart() in the units of the kernels, and
 * sfi_noise_log_slope(). */
sf_node sfi_noise_chart(const sfi_noise *noise, sf_graph *g, sf_node x);
sf_node sfi_noise_inverse(const sfi_noise *noise, sf_graph *g, sf_node y);
sf_node sfi_noise_log_slope_node(const sfi_noise *noise, sf_graph *g,
                                 sf_node y);

/* The part of v [inner] along the surfaces of the blocks. */
sf_node sfi_noise_tangent(const sfi_noise *noise, sf_graph *g, sf_node y,
                          sf_node v);

/* ln p(y | x0; t) alone. */
sf_node sfi_noise_logp(const sfi_noise *noise, sf_graph *g, sf_node y,
                       sf_node x0, sf_node t);

/* Nodes for a row y [inner] in the chart given x0 [dim] in the data's coordinate,
 * as sfi_kernel_at_chart() gives them; logp and rate are sums over blocks, hessian
 * [squares] holds the matrices of the blocks (the rest is 0). */
sfi_kernel_nodes sfi_noise_at(const sfi_noise *noise, sf_graph *g, sf_node y,
                              sf_node x0, sf_node t, sfi_velocity how);

/* ---- draws ------------------------------------------------------------------ */

/* Draws rows from the kernels: a program for their parameters, then a draw for
 * each column. */
typedef struct sfi_noiser sfi_noiser;

/* `noise` must outlive it.  SF_OK or SF_E_NOMEM. */
sf_status sfi_noiser_new(sf_context *ctx, sfi_noiser **out,
                         const sfi_noise *noise);
void sfi_noiser_free(sfi_noiser *z);

/* y [n, inner], in the chart, given rows `index[i]` (NULL: i) of x0 at times[i],
 * for i = 0..n-1.  Row i is a function of its x0, its time and
 * (where.seed, where.point + i, where.step, where.stream); where.step < 2^32/dim.
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_noiser_run(sfi_noiser *z, int64_t n, sf_cmat x0,
                         const int64_t *index, const double *times,
                         sfi_where where, sf_mat y);

#endif
