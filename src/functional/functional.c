/* SPDX-License-Identifier: Apache-2.0 */
/* functional.c - the seam itself: calling a functional, and comparing its
 * derivatives with differences. */
#include "functional/functional.h"

#include "base/random.h"
#include "num/linalg.h"

#include <float.h>
#include <math.h>

/* ---- calling ---- */

static sf_status explain(sf_context *ctx, const sf_functional *f,
                         sf_status status, const char *what)
{
    if (status != SF_OK && sf_context_message(ctx)[0] == '\0')
        (void)SFI_FAIL(ctx, status, "%s: its %s failed: %s", f->name, what,
                       sf_status_text(status));
    return status;
}

sf_status sfi_functional_value(sf_context *ctx, const sf_functional *f,
                               double *value, const double *x, int64_t walkers)
{
    if (f->value == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: it has gradients only, and a value is wanted",
                        f->name);
    sfi_message_clear(ctx);
    return explain(ctx, f, f->value(ctx, f->user, value, x, walkers), "value");
}

sf_status sfi_functional_gradient(sf_context *ctx, const sf_functional *f,
                                  double *value, double *gradient,
                                  const double *x, int64_t walkers)
{
    if (value != NULL && f->value == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: it has gradients only, and a value is wanted",
                        f->name);
    sfi_message_clear(ctx);
    return explain(ctx, f,
                   f->gradient(ctx, f->user, value, gradient, x, walkers),
                   "gradient");
}

sf_status sfi_functional_hvp(sf_context *ctx, const sf_functional *f,
                             double *hv, const double *x, const double *v,
                             int64_t walkers)
{
    if (f->hvp == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED, "%s: it has no Hessian products",
                        f->name);
    sfi_message_clear(ctx);
    return explain(ctx, f, f->hvp(ctx, f->user, hv, x, v, walkers),
                   "Hessian product");
}

sf_status sfi_functional_node(sf_context *ctx, const sf_functional *f,
                              sf_graph *g, sf_node x, sf_node *gradient)
{
    if (f->node == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: its gradient is no expression", f->name);
    sfi_message_clear(ctx);
    SFI_TRY(
        explain(ctx, f, f->node(ctx, f->user, g, x, gradient), "expression"));
    SFI_TRY(sf_graph_status(g));
    if (sf_node_rank(g, *gradient) == 1 &&
        sf_node_extent(g, *gradient, 0) == f->unknowns)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_SHAPE,
                    "%s: the expression of its gradient has %lld numbers and "
                    "rank %d, want a vector of %lld",
                    f->name, (long long)sf_node_count(g, *gradient),
                    sf_node_rank(g, *gradient), (long long)f->unknowns);
}

double sfi_functional_work(const sf_functional *f)
{
    const double work = f->work != NULL ? f->work(f->user) : 0.0;
    return work > 0.0 ? work : 0.0;
}

/* ---- taking over ---- */

sf_status sfi_functional_take(sf_context *ctx, sf_functional *out,
                              const sf_functional *given, const char *verb)
{
    const sf_functional empty = SF_FUNCTIONAL_INIT;
    *out = empty;
    if (given == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: the functional is NULL", verb);
    const sf_status status = sfi_options(ctx, out, sizeof *out, given);
    if (status != SF_OK) {
        sfi_message_prefix(ctx, "%s: functional: ", verb);
        return status;
    }
    if (out->name == NULL)
        out->name = "functional";
    if (out->gradient == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: %s has no gradient, want one", verb,
                        out->name);
    if (out->unknowns < 1)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: %s has %lld unknowns, want at least 1", verb,
                        out->name, (long long)out->unknowns);
    return SF_OK;
}

/* ---- differences ---- */

sf_status sfi_functional_curvature(sf_context *ctx, const sf_functional *f,
                                   double *hv, const double *x, const double *v,
                                   double *work)
{
    if (f->hvp != NULL)
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
    const sf_functional *f;
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
    if (c->f->value != NULL) {
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
    if (c->f->hvp != NULL) {
        sf_functional without = *c->f;
        without.hvp = NULL;
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
    sf_functional f;
    SFI_TRY(sfi_functional_take(ctx, &f, given, "check"));
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
                      f.value != NULL ? 0.0 : NAN,
                      f.hvp != NULL ? 0.0 : NAN};
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
    if (status == SF_OK && ((f.value != NULL && !isfinite(c.gradient_error)) ||
                            (f.hvp != NULL && !isfinite(c.hvp_error)) ||
                            sfi_first_not_finite(c.g, n) < n))
        status =
            SFI_FAIL(ctx, SF_E_NUMERIC,
                     "check: %s is not finite at or near the point", f.name);
    if (status == SF_OK && gradient_error != NULL)
        *gradient_error = c.gradient_error;
    if (status == SF_OK && hvp_error != NULL)
        *hvp_error = c.hvp_error;
    sfi_free(ctx, memory, 8 * (size_t)n, sizeof *memory);
    return status;
}
