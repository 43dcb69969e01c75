/* SPDX-License-Identifier: Apache-2.0 */
/* adapt.h - what a chain learns while it warms up: the step, by dual averaging, and
 * the variances of its draws, over windows. */
#ifndef SFI_ADAPT_H
#define SFI_ADAPT_H

#include <stdbool.h>
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

/* Iterations of a warm-up: the first and the last adapt the step alone, those in
 * between the masses too, over windows of which each is twice as long as the one
 * before, and the last takes what is left (Stan Reference Manual, section
 * "Automatic parameter tuning": 75, 25, 50; of short warm-ups 15 %, 75 %, 10 %;
 * below 20 there is no window). */
typedef struct sfi_windows {
    int64_t first, last; /* iterations of windows: first <= i < last */
    int64_t length;      /* of the window that is open               */
    int64_t end;         /* the iteration after it                   */
} sfi_windows;

void sfi_windows_init(sfi_windows *w, int64_t warmup);
/* Whether draw `i` counts for variances. */
bool sfi_windows_counts(const sfi_windows *w, int64_t i);
/* Whether the window closes after draw `i`; the next one is then open. */
bool sfi_windows_closes(sfi_windows *w, int64_t i);

/* Mean and covariance of draws, one at a time (B. P. Welford, Technometrics 4 (1962)
 * 419-420): sums of squares [dim], or of products [dim, dim]. */
typedef struct sfi_running {
    bool dense;
    int64_t dim, count;
    double *mean; /* [dim] */
    double *sums;
    double *gap; /* [dim] */
} sfi_running;

void sfi_running_clear(sfi_running *r);
void sfi_running_add(sfi_running *r, const double *x);
/* Turn the sums into (co)variances, in place; divisor count - 1. */
void sfi_running_finish(sfi_running *r);

#endif
