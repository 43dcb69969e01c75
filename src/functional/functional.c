/* SPDX-License-Identifier: Apache-2.0 */
/* functional.c - the seam itself: calling a provider, adapting a caller's
 * callbacks to it and back, and comparing derivatives with differences. */
#include "functional/functional.h"

#include "base/random.h"
#include "num/linalg.h"

#include <float.h>
#include <math.h>

/* ---- calling ---- */

static sf_status explain(sf_context *ctx, const sfi_functional *f,
                         sf_status status, const char *what)
{
    if (status != SF_OK && sf_context_message(ctx)[0] == '\0')
        (void)SFI_FAIL(ctx, status, "%s: its %s failed: %s", f->ops->name, what,
                       sf_status_text(status));
    return status;
}

sf_status sfi_functional_value(sf_context *ctx, const sfi_functional *f,
                               double *value, const double *x, int64_t walkers)
{
    if (f->ops->value == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: it has gradients only, and a value is wanted",
                        f->ops->name);
    sfi_message_clear(ctx);
    return explain(ctx, f, f->ops->value(ctx, f->self, value, x, walkers),
                   "value");
}

sf_status sfi_functional_gradient(sf_context *ctx, const sfi_functional *f,
                                  double *value, double *gradient,
                                  const double *x, int64_t walkers)
{
    if (value != NULL && f->ops->value == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: it has gradients only, and a value is wanted",
                        f->ops->name);
    sfi_message_clear(ctx);
    return explain(ctx, f,
                   f->ops->gradient(ctx, f->self, value, gradient, x, walkers),
                   "gradient");
}

sf_status sfi_functional_hvp(sf_context *ctx, const sfi_functional *f,
                             double *hv, const double *x, const double *v,
                             int64_t walkers)
{
    if (f->ops->hvp == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED, "%s: it has no Hessian products",
                        f->ops->name);
    sfi_message_clear(ctx);
    return explain(ctx, f, f->ops->hvp(ctx, f->self, hv, x, v, walkers),
                   "Hessian product");
}

sf_status sfi_functional_node(sf_context *ctx, const sfi_functional *f,
                              sf_graph *g, sf_node x, sf_node *gradient)
{
    if (f->ops->node == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: its gradient is no expression", f->ops->name);
    sfi_message_clear(ctx);
    SFI_TRY(explain(ctx, f, f->ops->node(ctx, f->self, g, x, gradient),
                    "expression"));
    SFI_TRY(sf_graph_status(g));
    if (sf_node_rank(g, *gradient) == 1 &&
        sf_node_extent(g, *gradient, 0) == f->unknowns)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_SHAPE,
                    "%s: the expression of its gradient has %lld numbers and "
                    "rank %d, want a vector of %lld",
                    f->ops->name, (long long)sf_node_count(g, *gradient),
                    sf_node_rank(g, *gradient), (long long)f->unknowns);
}

/* ---- adapting ---- */

static sf_status given_value(sf_context *ctx, void *self, double *value,
                             const double *x, int64_t walkers)
{
    const sf_functional *g = &((struct sfi_functional_adapter *)self)->given;
    return g->value(ctx, g->user, value, x, walkers);
}

static sf_status given_gradient(sf_context *ctx, void *self, double *value,
                                double *gradient, const double *x,
                                int64_t walkers)
{
    const sf_functional *g = &((struct sfi_functional_adapter *)self)->given;
    return g->gradient(ctx, g->user, value, gradient, x, walkers);
}

static sf_status given_hvp(sf_context *ctx, void *self, double *hv,
                           const double *x, const double *v, int64_t walkers)
{
    const sf_functional *g = &((struct sfi_functional_adapter *)self)->given;
    return g->hvp(ctx, g->user, hv, x, v, walkers);
}

static sf_status given_node(sf_context *ctx, void *self, sf_graph *graph,
                            sf_node x, sf_node *gradient)
{
    const sf_functional *g = &((struct sfi_functional_adapter *)self)->given;
    return g->node(ctx, g->user, graph, x, gradient);
}

sf_status sfi_functional_adopt(sf_context *ctx, sfi_functional *f,
                               struct sfi_functional_adapter *adapter,
                               const sf_functional *given, const char *verb)
{
    if (given == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: the functional is NULL", verb);
    const sf_functional empty = SF_FUNCTIONAL_INIT;
    adapter->given = empty;
    const sf_status status =
        sfi_options(ctx, &adapter->given, sizeof adapter->given, given);
    if (status != SF_OK) {
        sfi_message_prefix(ctx, "%s: functional: ", verb);
        return status;
    }
    const sf_functional *g = &adapter->given;
    const char *name = g->name != NULL ? g->name : "functional";
    if (g->gradient == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: %s has no gradient, want one", verb,
                        name);
    if (g->unknowns < 1)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: %s has %lld unknowns, want at least 1", verb, name,
                        (long long)g->unknowns);
    adapter->ops.name = name;
    adapter->ops.value = g->value != NULL ? given_value : NULL;
    adapter->ops.gradient = given_gradient;
    adapter->ops.hvp = g->hvp != NULL ? given_hvp : NULL;
    adapter->ops.node = g->node != NULL ? given_node : NULL;
    f->ops = &adapter->ops;
    f->self = adapter;
    f->unknowns = g->unknowns;
    return SF_OK;
}

static sf_status published_value(sf_context *ctx, void *user, double *value,
                                 const double *x, int64_t walkers)
{
    const sfi_functional *f = user;
    return f->ops->value(ctx, f->self, value, x, walkers);
}

static sf_status published_gradient(sf_context *ctx, void *user, double *value,
                                    double *gradient, const double *x,
                                    int64_t walkers)
{
    const sfi_functional *f = user;
    return f->ops->gradient(ctx, f->self, value, gradient, x, walkers);
}

static sf_status published_hvp(sf_context *ctx, void *user, double *hv,
                               const double *x, const double *v,
                               int64_t walkers)
{
    const sfi_functional *f = user;
    return f->ops->hvp(ctx, f->self, hv, x, v, walkers);
}

static sf_status published_node(sf_context *ctx, void *user, sf_graph *graph,
                                sf_node x, sf_node *gradient)
{
    const sfi_functional *f = user;
    return f->ops->node(ctx, f->self, graph, x, gradient);
}

void sfi_functional_publish(sf_functional *out, const sfi_functional *f)
{
    const sf_functional empty = SF_FUNCTIONAL_INIT;
    *out = empty;
    out->name = f->ops->name;
    out->unknowns = f->unknowns;
    out->user = (void *)f; /* only ever read through const again */
    out->value = f->ops->value != NULL ? published_value : NULL;
    out->gradient = published_gradient;
    out->hvp = f->ops->hvp != NULL ? published_hvp : NULL;
    out->node = f->ops->node != NULL ? published_node : NULL;
}

/* ---- differences ---- */

sf_status sfi_functional_curvature(sf_context *ctx, const sfi_functional *f,
                                   double *hv, const double *x, const double *v,
                                   double *work)
{
    if (f->ops->hvp != NULL)
        return sfi_functional_hvp(ctx, f, hv, x, v, 1);
    const int64_t n = f->unknowns;
    const double length = sfi_norm(v, n);
    if (length == 0.0) {
        for (int64_t j = 0; j < n; j++)
            hv[j] = 0.0;
        return SF_OK;
    }
    /* eps^(1/3) balances the truncation h^2 against the rounding eps/h. */
    const double h = cbrt(DBL_EPSILON) * fmax(1.0, sfi_norm(x, n)) / length;
    double *points = work; /* [2, n] */
    double *gradients = work + 2 * n;
    for (int64_t j = 0; j < n; j++) {
        points[j] = x[j] + h * v[j];
        points[n + j] = x[j] - h * v[j];
    }
    SFI_TRY(sfi_functional_gradient(ctx, f, NULL, gradients, points, 2));
    for (int64_t j = 0; j < n; j++)
        hv[j] = (gradients[j] - gradients[n + j]) / (2.0 * h);
    return SF_OK;
}

/* One direction u: compare g.u with a difference of values, and hvp with
 * sfi_functional_curvature() on a copy without hvp.  Buffers are [n] but for
 * work [4n]. */
struct check {
    const sfi_functional *f;
    const double *x;
    double *g, *u, *hu, *difference, *work;
    double gradient_error, hvp_error;
};

/* The larger of two errors; NaN is the worst and stays. */
static double worse(double a, double b)
{
    return isnan(a) || b <= a ? a : b;
}

static sf_status check_direction(sf_context *ctx, struct check *c)
{
    const int64_t n = c->f->unknowns;
    if (c->f->ops->value != NULL) {
        const double h = cbrt(DBL_EPSILON) * fmax(1.0, sfi_norm(c->x, n));
        double values[2];
        for (int64_t j = 0; j < n; j++) {
            c->work[j] = c->x[j] + h * c->u[j];
            c->work[n + j] = c->x[j] - h * c->u[j];
        }
        SFI_TRY(sfi_functional_value(ctx, c->f, values, c->work, 2));
        const double slope = (values[0] - values[1]) / (2.0 * h);
        const double error =
            fabs(sfi_dot(c->g, c->u, n) - slope) / fmax(1.0, sfi_norm(c->g, n));
        c->gradient_error = worse(c->gradient_error, error);
    }
    if (c->f->ops->hvp != NULL) {
        struct sfi_functional_ops ops = *c->f->ops;
        ops.hvp = NULL;
        const sfi_functional without = {&ops, c->f->self, n};
        SFI_TRY(sfi_functional_hvp(ctx, c->f, c->hu, c->x, c->u, 1));
        SFI_TRY(sfi_functional_curvature(ctx, &without, c->difference, c->x,
                                         c->u, c->work));
        const double scale = fmax(1.0, sfi_norm(c->hu, n));
        for (int64_t j = 0; j < n; j++)
            c->difference[j] -= c->hu[j];
        const double error = sfi_norm(c->difference, n) / scale;
        c->hvp_error = worse(c->hvp_error, error);
    }
    return SF_OK;
}

sf_status sf_functional_check(sf_context *ctx, double *gradient_error,
                              double *hvp_error, const sf_functional *given,
                              const double *x, int directions, uint64_t seed)
{
    struct sfi_functional_adapter adapter;
    sfi_functional f;
    SFI_TRY(sfi_functional_adopt(ctx, &f, &adapter, given, "check"));
    if (directions < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "check: directions is %d, want at least 1", directions);
    const int64_t n = f.unknowns;
    if (n > INT64_MAX / 64)
        return SFI_FAIL(ctx, SF_E_SHAPE, "check: %lld unknowns", (long long)n);
    double *memory = sfi_alloc(ctx, 8 * (size_t)n, sizeof *memory);
    if (memory == NULL)
        return SF_E_NOMEM;
    struct check c = {&f,
                      x,
                      memory,
                      memory + n,
                      memory + 2 * n,
                      memory + 3 * n,
                      memory + 4 * n,
                      f.ops->value != NULL ? 0.0 : NAN,
                      f.ops->hvp != NULL ? 0.0 : NAN};
    sf_status status = sfi_functional_gradient(ctx, &f, NULL, c.g, x, 1);
    for (int k = 0; k < directions && status == SF_OK; k++) {
        for (int64_t j = 0; j < n; j++) {
            const sfi_where where = {seed, (uint64_t)j, (uint32_t)k,
                                     SFI_STREAM_PROBE};
            c.u[j] = sfi_normal_at(where, 0);
        }
        const double length = sfi_norm(c.u, n);
        for (int64_t j = 0; j < n; j++)
            c.u[j] /= length;
        status = check_direction(ctx, &c);
    }
    if (status == SF_OK &&
        ((f.ops->value != NULL && !isfinite(c.gradient_error)) ||
         (f.ops->hvp != NULL && !isfinite(c.hvp_error)) ||
         sfi_first_not_finite(c.g, n) < n))
        status = SFI_FAIL(ctx, SF_E_NUMERIC,
                          "check: %s is not finite at or near the point",
                          f.ops->name);
    if (status == SF_OK && gradient_error != NULL)
        *gradient_error = c.gradient_error;
    if (status == SF_OK && hvp_error != NULL)
        *hvp_error = c.hvp_error;
    sfi_free(ctx, memory, 8 * (size_t)n, sizeof *memory);
    return status;
}
