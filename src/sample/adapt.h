/* SPDX-License-Identifier: Apache-2.0 */
/* adapt.h - what a chain learns while it warms up: the step, by dual averaging, and
 * the moments of its draws and scores, over windows. */
#ifndef SFI_ADAPT_H
#define SFI_ADAPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Dual averaging: log step is moved against the mean of what acceptance lacks
 * (M. D. Hoffman, A. Gelman, JMLR 15 (2014), section 3.2 and its constants). */
typedef struct sfi_step_size {
    double target;
    double centre;  /* what it is shrunk to: the logarithm of ten first steps */
    double lack;    /* mean of target - acceptance */
    double average; /* of log step */
    double step;    /* to be taken next */
    int64_t count;
} sfi_step_size;

/* Begin at a step. */
void sfi_step_size_begin(sfi_step_size *s, double step);
void sfi_step_size_learn(sfi_step_size *s, double accept);
/* The average, at the end of a warm-up. */
double sfi_step_size_end(const sfi_step_size *s);

/* Iterations of a warm-up.  The last 15 % (60 at most) adapt the step alone; those
 * before them the metric too, by a window that has an older and a newer part.  When the
 * newer one holds a third of all iterations so far (and 10) it becomes the older one,
 * and a new one begins: a window holds between the last third and the last five
 * ninths, it forgets where the chain came from, and no draw is thrown away because a
 * window ends.  A warm-up below 20 has no windows. */
typedef struct sfi_windows {
    int64_t last;  /* iterations that count: i < last */
    int64_t newer; /* where the newer part begins     */
} sfi_windows;

void sfi_windows_init(sfi_windows *w, int64_t warmup);
/* Whether draw `i` counts for the metric. */
bool sfi_windows_counts(const sfi_windows *w, int64_t i);
/* Whether, after draw `i`, the newer part becomes the older one. */
bool sfi_windows_turn(sfi_windows *w, int64_t i);

/* Of draws x and scores s, component by component: means, and sums of squares of the
 * deviations from them (B. P. Welford, Technometrics 4 (1962) 419-420). */
typedef struct sfi_pair_moments {
    int64_t dim, count;
    double *x, *s;   /* [dim] means */
    double *xx, *ss; /* [dim] sums  */
} sfi_pair_moments;

enum { SFI_PAIR_MOMENTS = 4 }; /* arrays of them */

/* In `memory`, which holds that many times dim numbers. */
void sfi_pair_moments_init(sfi_pair_moments *m, int64_t dim, double *memory);
void sfi_pair_moments_clear(sfi_pair_moments *m);
/* The score is -slope. */
void sfi_pair_moments_add(sfi_pair_moments *m, const double *x,
                          const double *slope);

/* The diagonal metric that makes x and s most alike, of the n draws of both parts:
 *
 *     scale^4 = Var x / Var s
 *
 * Few draws say little, so ln scale is a mean of this, of weight n, and of ln first, of
 * weight 2.  A component that never moves keeps `first`; one whose score never changes,
 * which no density has that has an integral, takes the deviation of x, so that a chain
 * runs away from there and is noticed.
 *
 *   first, scale  [dim] */
void sfi_pair_moments_scale(const sfi_pair_moments part[2], const double *first,
                            double *scale);

#endif
