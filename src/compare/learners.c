/* SPDX-License-Identifier: Apache-2.0 */
/* learners.c - linear and logistic regression by Newton's method, whose systems are
 * solved by conjugate gradients: a product with the Hessian
 *
 *     H v = sum of l''_i (x_i'v) x_i + v
 *
 * reads the points once, so that many coordinates cost no cube.  A system need not
 * be solved better than the quadratic model is (R. S. Dembo and T. Steihaug, Math.
 * Program. 26 (1983) 190-212).  The penalty makes the answer one, and finite where
 * classes are apart. */
#include "compare/learners.h"

#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { NEWTON_STEPS = 30, CONJUGATE_STEPS = 60, HALVINGS = 30 };

/* ---- linear --------------------------------------------------------------- */

typedef struct linear {
    const sfi_examples *e;
    sfi_linear_loss loss;
    int64_t p;       /* weights, the constant among them */
    double *weights; /* [p]     */
    double *gradient, *step, *rest, *toward, *product, *trial; /* [p] each */
    double *curvature;                                         /* [count] */
} linear;

size_t sfi_linear_work(const sfi_examples *e)
{
    return (size_t)(6 * (e->cols + 1) + e->count);
}

double sfi_linear_value(const double *weights, const double *x, int64_t cols)
{
    return sfi_dot(weights, x, cols) + weights[cols];
}

static void add_scaled(double *to, double by, const double *x, int64_t cols)
{
    for (int64_t j = 0; j < cols; j++)
        to[j] += by * x[j];
    to[cols] += by;
}

/* ln(1 + exp(z)) */
static double softplus(double z)
{
    return z > 0.0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

static double objective(const linear *l, const double *weights)
{
    const sfi_examples *e = l->e;
    double sum = 0.5 * sfi_dot(weights, weights, e->cols);
    for (int64_t i = 0; i < e->count; i++) {
        const int64_t row = e->pick[i];
        const double z = sfi_linear_value(weights, e->x[row], e->cols);
        sum += l->loss == SFI_LOGISTIC
                   ? softplus(z) - e->y[row] * z
                   : 0.5 * (z - e->y[row]) * (z - e->y[row]);
    }
    return sum;
}

/* Gradient and curvatures at the weights; the largest component. */
static double differentiate(linear *l)
{
    const sfi_examples *e = l->e;
    memcpy(l->gradient, l->weights, (size_t)e->cols * sizeof *l->gradient);
    l->gradient[e->cols] = 0.0;
    for (int64_t i = 0; i < e->count; i++) {
        const int64_t row = e->pick[i];
        const double z = sfi_linear_value(l->weights, e->x[row], e->cols);
        const double share = 1.0 / (1.0 + exp(-z));
        const bool logistic = l->loss == SFI_LOGISTIC;
        l->curvature[i] = logistic ? share * (1.0 - share) : 1.0;
        add_scaled(l->gradient, (logistic ? share : z) - e->y[row], e->x[row],
                   e->cols);
    }
    double most = 0.0;
    for (int64_t j = 0; j < l->p; j++)
        most = fmax(most, fabs(l->gradient[j]));
    return most;
}

static void multiply(const linear *l, double *product, const double *v)
{
    const sfi_examples *e = l->e;
    memcpy(product, v, (size_t)e->cols * sizeof *product);
    product[e->cols] = 0.0;
    for (int64_t i = 0; i < e->count; i++) {
        const double *x = e->x[e->pick[i]];
        add_scaled(product, l->curvature[i] * sfi_linear_value(v, x, e->cols),
                   x, e->cols);
    }
}

/* step = -H^-1 gradient, until what is left is `enough` of the gradient. */
static void solve(linear *l, double enough)
{
    const size_t bytes = (size_t)l->p * sizeof(double);
    memset(l->step, 0, bytes);
    memcpy(l->rest, l->gradient, bytes);
    memcpy(l->toward, l->gradient, bytes);
    double square = sfi_dot(l->rest, l->rest, l->p);
    const double least = enough * enough * square;
    for (int k = 0; k < CONJUGATE_STEPS && square > least; k++) {
        multiply(l, l->product, l->toward);
        const double bend = sfi_dot(l->toward, l->product, l->p);
        if (!(bend > 0.0))
            return; /* the constant alone, where no curvature is left */
        const double by = square / bend;
        for (int64_t j = 0; j < l->p; j++) {
            l->step[j] -= by * l->toward[j];
            l->rest[j] -= by * l->product[j];
        }
        const double before = square;
        square = sfi_dot(l->rest, l->rest, l->p);
        for (int64_t j = 0; j < l->p; j++)
            l->toward[j] = l->rest[j] + square / before * l->toward[j];
    }
}

/* Halve the step until the objective falls; false if it does not. */
static bool take_step(linear *l)
{
    const double now = objective(l, l->weights);
    const double slope = sfi_dot(l->gradient, l->step, l->p);
    double by = 1.0;
    for (int k = 0; k < HALVINGS; k++, by *= 0.5) {
        for (int64_t j = 0; j < l->p; j++)
            l->trial[j] = l->weights[j] + by * l->step[j];
        if (objective(l, l->trial) <= now + 1e-4 * by * slope) {
            memcpy(l->weights, l->trial, (size_t)l->p * sizeof *l->trial);
            return true;
        }
    }
    return false;
}

void sfi_linear_fit(double *weights, const sfi_examples *e,
                    sfi_linear_loss loss, double *work)
{
    linear l = {.e = e, .loss = loss, .p = e->cols + 1, .weights = weights};
    double **const parts[] = {&l.gradient, &l.step,    &l.rest,
                              &l.toward,   &l.product, &l.trial};
    for (size_t k = 0; k < SFI_COUNT(parts); k++, work += l.p)
        *parts[k] = work;
    l.curvature = work;
    memset(weights, 0, (size_t)l.p * sizeof *weights);
    for (int k = 0; k < NEWTON_STEPS; k++) {
        const double most = differentiate(&l);
        if (most <= 1e-6 * (double)e->count)
            return;
        solve(&l, loss == SFI_LOGISTIC ? 0.05 : 1e-9);
        if (!take_step(&l))
            return;
    }
}

/* ---- neighbours ----------------------------------------------------------- */

static double squared_distance(const double *a, const double *b, int64_t cols)
{
    double sum = 0.0;
    for (int64_t j = 0; j < cols; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

int64_t sfi_nearest_examples(int64_t *nearest, double *distance, int64_t k,
                             const double *point, const sfi_examples *e)
{
    int64_t have = 0;
    for (int64_t i = 0; i < e->count; i++) {
        const double d = squared_distance(point, e->x[e->pick[i]], e->cols);
        if (have == k && !(d < distance[k - 1]))
            continue;
        int64_t at = have < k ? have++ : k - 1;
        for (; at > 0 && d < distance[at - 1]; at--) {
            distance[at] = distance[at - 1];
            nearest[at] = nearest[at - 1];
        }
        distance[at] = d;
        nearest[at] = i;
    }
    return have;
}
