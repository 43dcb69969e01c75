/* SPDX-License-Identifier: Apache-2.0 */
/* learners.h - two things that learn a number, or a class, from points: a linear
 * one and the nearest neighbours.  Neither allocates. */
#ifndef SFI_LEARNERS_H
#define SFI_LEARNERS_H

#include "base/context.h"

/* Examples: row i of x belongs to y[i]; those that `pick` names. */
typedef struct sfi_examples {
    const double *const *x; /* pointers to points of `cols` coordinates       */
    const double *y;
    const int64_t *pick; /* [count] */
    int64_t count, cols;
} sfi_examples;

typedef enum sfi_linear_loss {
    SFI_SQUARED, /* (w'x - y)^2/2                       */
    SFI_LOGISTIC /* ln(1 + exp(w'x)) - y w'x, y in {0, 1} */
} sfi_linear_loss;

/* weights [cols + 1], the last one of the constant: the least of
 *
 *     sum of losses + |w|^2/2     (the constant is not penalised)
 *
 * to a gradient of 1e-6 times the number of examples.  work
 * [sfi_linear_work(e)]. */
void sfi_linear_fit(double *weights, const sfi_examples *e,
                    sfi_linear_loss loss, double *work);
size_t sfi_linear_work(const sfi_examples *e);

/* w'x */
double sfi_linear_value(const double *weights, const double *x, int64_t cols);

/* The k nearest examples to a point, as numbers of `pick`'s entries, the nearest
 * first, equal ones in their order; distance [k] is squared.  Returns how many there
 * are, k or e->count. */
int64_t sfi_nearest_examples(int64_t *nearest, double *distance, int64_t k,
                             const double *point, const sfi_examples *e);

#endif
