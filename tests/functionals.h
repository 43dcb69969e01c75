/* SPDX-License-Identifier: Apache-2.0 */
/* functionals.h - functionals with known values, gradients, Hessians and minima,
 * for the tests of the verbs. */
#ifndef SFI_TESTS_FUNCTIONALS_H
#define SFI_TESTS_FUNCTIONALS_H

#include "check.h"
#include "scorefield/functional.h"

/* What a test functional counts, and when it misbehaves.  Zero is normal. */
struct trouble {
    int64_t calls;   /* of any callback                                */
    int64_t fail_at; /* this call (from 1) returns `status`; 0: never  */
    sf_status status;
    double wall; /* NaN where x[0] > wall, if wall is not 0        */
};

static sf_status trouble_count(struct trouble *t)
{
    t->calls++;
    return t->fail_at > 0 && t->calls == t->fail_at ? t->status : SF_OK;
}

/* ---- f = (1/2) (x-mu)' M (x-mu):  minimum mu, law N(mu, M^-1) ---- */
enum { QUADRATIC_MAX = 64 };

struct quadratic {
    struct trouble trouble;
    int64_t n;
    double m[QUADRATIC_MAX * QUADRATIC_MAX];
    double mu[QUADRATIC_MAX];
};

SFI_UNUSED static sf_status quadratic_gradient(sf_context *ctx, void *user,
                                               double *value, double *gradient,
                                               const double *x, int64_t walkers)
{
    (void)ctx;
    struct quadratic *q = user;
    const int64_t n = q->n;
    for (int64_t w = 0; w < walkers; w++) {
        const double *at = x + w * n;
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) {
            double g = 0.0;
            for (int64_t j = 0; j < n; j++)
                g += q->m[i * n + j] * (at[j] - q->mu[j]);
            gradient[w * n + i] = g;
            sum += 0.5 * g * (at[i] - q->mu[i]);
        }
        const bool outside = q->trouble.wall != 0.0 && at[0] > q->trouble.wall;
        if (value != NULL)
            value[w] = outside ? NAN : sum;
        if (outside)
            gradient[w * n] = NAN;
    }
    return trouble_count(&q->trouble);
}

/* The gradient as an expression. */
SFI_UNUSED static sf_status quadratic_node(sf_context *ctx, void *user,
                                           sf_graph *g, sf_node x,
                                           sf_node *gradient)
{
    (void)ctx;
    struct quadratic *q = user;
    const int64_t shape[2] = {q->n, q->n};
    const sf_node m = sf_const_array(g, 2, shape, q->m);
    const sf_node mu = sf_const_array(g, 1, shape, q->mu);
    *gradient = sf_matmul(g, m, sf_sub(g, x, mu));
    if (q->trouble.wall != 0.0)
        *gradient = sf_select(
            g, sf_less(g, sf_const(g, q->trouble.wall), sf_component(g, x, 0)),
            sf_const(g, NAN), *gradient);
    return trouble_count(&q->trouble);
}

SFI_UNUSED static sf_status quadratic_value(sf_context *ctx, void *user,
                                            double *value, const double *x,
                                            int64_t walkers)
{
    const struct quadratic *q = user;
    double *g = malloc((size_t)(walkers * q->n) * sizeof *g);
    assert_non_null(g);
    const sf_status status =
        quadratic_gradient(ctx, user, value, g, x, walkers);
    free(g);
    return status;
}

SFI_UNUSED static sf_status quadratic_hvp(sf_context *ctx, void *user,
                                          double *hv, const double *x,
                                          const double *v, int64_t walkers)
{
    (void)ctx;
    (void)x;
    struct quadratic *q = user;
    for (int64_t w = 0; w < walkers; w++) {
        for (int64_t i = 0; i < q->n; i++) {
            double sum = 0.0;
            for (int64_t j = 0; j < q->n; j++)
                sum += q->m[i * q->n + j] * v[w * q->n + j];
            hv[w * q->n + i] = sum;
        }
    }
    return trouble_count(&q->trouble);
}

SFI_UNUSED static sf_functional quadratic_functional(struct quadratic *q)
{
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "quadratic";
    f.unknowns = q->n;
    f.user = q;
    f.value = quadratic_value;
    f.gradient = quadratic_gradient;
    f.hvp = quadratic_hvp;
    return f;
}

/* ---- Rosenbrock's chain: sum 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, whose
 * minimum is (1, ..., 1) with value 0 ---- */
struct rosenbrock {
    struct trouble trouble;
    int64_t n;
};

SFI_UNUSED static sf_status rosenbrock_gradient(sf_context *ctx, void *user,
                                                double *value, double *gradient,
                                                const double *x,
                                                int64_t walkers)
{
    (void)ctx;
    struct rosenbrock *r = user;
    for (int64_t w = 0; w < walkers; w++) {
        const double *at = x + w * r->n;
        double *g = gradient + w * r->n;
        double sum = 0.0;
        memset(g, 0, (size_t)r->n * sizeof *g);
        for (int64_t i = 0; i + 1 < r->n; i++) {
            const double a = at[i + 1] - at[i] * at[i];
            const double b = 1.0 - at[i];
            sum += 100.0 * a * a + b * b;
            g[i] += -400.0 * a * at[i] - 2.0 * b;
            g[i + 1] += 200.0 * a;
        }
        const bool outside = r->trouble.wall != 0.0 && at[0] > r->trouble.wall;
        if (value != NULL)
            value[w] = outside ? NAN : sum;
        if (outside)
            g[0] = NAN;
    }
    return trouble_count(&r->trouble);
}

SFI_UNUSED static sf_status rosenbrock_value(sf_context *ctx, void *user,
                                             double *value, const double *x,
                                             int64_t walkers)
{
    const struct rosenbrock *r = user;
    double *g = malloc((size_t)(walkers * r->n) * sizeof *g);
    assert_non_null(g);
    const sf_status status =
        rosenbrock_gradient(ctx, user, value, g, x, walkers);
    free(g);
    return status;
}

SFI_UNUSED static sf_status rosenbrock_hvp(sf_context *ctx, void *user,
                                           double *hv, const double *x,
                                           const double *v, int64_t walkers)
{
    (void)ctx;
    struct rosenbrock *r = user;
    for (int64_t w = 0; w < walkers; w++) {
        const double *at = x + w * r->n, *in = v + w * r->n;
        double *out = hv + w * r->n;
        memset(out, 0, (size_t)r->n * sizeof *out);
        for (int64_t i = 0; i + 1 < r->n; i++) {
            const double a = at[i + 1] - at[i] * at[i];
            const double cross = -400.0 * at[i];
            out[i] += (-400.0 * a + 800.0 * at[i] * at[i] + 2.0) * in[i] +
                      cross * in[i + 1];
            out[i + 1] += 200.0 * in[i + 1] + cross * in[i];
        }
    }
    return trouble_count(&r->trouble);
}

SFI_UNUSED static sf_functional rosenbrock_functional(struct rosenbrock *r)
{
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "rosenbrock";
    f.unknowns = r->n;
    f.user = r;
    f.value = rosenbrock_value;
    f.gradient = rosenbrock_gradient;
    f.hvp = rosenbrock_hvp;
    return f;
}

#endif
