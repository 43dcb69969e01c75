/* SPDX-License-Identifier: Apache-2.0 */
/* newton.c - Newton's method with conjugate gradients in a trust region.
 *
 * At the iterate x, with gradient g and Hessian H, a step p approximately
 * minimises
 *
 *     m(p) = g.p + (1/2) p.H p,      |p| <= radius.
 *
 * Conjugate gradients start from p = 0, where the first direction is -g, and
 * their iterates grow in length; the first one outside the radius, or the first
 * direction of negative curvature, ends on the boundary (Steihaug).  We carry
 * H p along, so m(p) costs no product of its own.
 *
 * Vectors, all [n]: x is the iterate and always finite; `trial` = x + p. */
#include "solve/solve.h"

#include "num/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { VECTORS = 12 };

/* Its square is still a number. */
static const double largest_radius = 1e150;

struct newton {
    sf_context *ctx;
    const sf_functional *f;
    const sf_newton_options *options;
    sf_minimize_result result;
    int64_t n;
    double radius;
    double *x, *g;           /* iterate and its gradient                   */
    double *trial, *g_trial; /* candidate                                  */
    double *p, *hp;          /* step and H p                               */
    double *d, *r;           /* direction and residual -(g + H p)          */
    double *work;            /* [4 n] for differences; hd is its own vector */
    double *hd;
};

static sf_status check_options(sf_context *ctx, const sf_newton_options *o)
{
    if (!(o->tolerance > 0.0 && isfinite(o->tolerance)))
        return SFI_FAIL(ctx, SF_E_ARG, "newton: tolerance is %g, want > 0",
                        o->tolerance);
    if (o->max_iterations < 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "newton: max_iterations is %lld, want at least 1",
                        (long long)o->max_iterations);
    if (!(o->radius >= 0.0 && o->radius <= largest_radius))
        return SFI_FAIL(ctx, SF_E_ARG, "newton: radius is %g, want 0 to %g",
                        o->radius, largest_radius);
    if (!(o->forcing > 0.0 && o->forcing < 1.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "newton: forcing is %g, want between 0 and 1",
                        o->forcing);
    if (o->max_products < 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "newton: max_products is %lld, want >= 0",
                        (long long)o->max_products);
    return SF_OK;
}

/* y += a x */
static void add_scaled(double *y, double a, const double *x, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        y[j] += a * x[j];
}

/* The t >= 0 with |p + t d| = radius, for |p| <= radius. */
static double to_boundary(const double *p, const double *d, double radius,
                          int64_t n)
{
    const double dd = sfi_dot(d, d, n);
    const double pd = sfi_dot(p, d, n);
    const double room = fmax(0.0, radius * radius - sfi_dot(p, p, n));
    const double root = sqrt(pd * pd + dd * room);
    /* Of the two equal forms take the one that does not cancel. */
    return pd > 0.0 ? room / (pd + root) : (root - pd) / dd;
}

/* Find the step.  *foreseen receives -m(p) >= 0 and *at_boundary whether |p| is
 * the radius. */
static sf_status steihaug(struct newton *s, double forcing, double *foreseen,
                          bool *at_boundary)
{
    const int64_t n = s->n;
    const int64_t most =
        s->options->max_products > 0 ? s->options->max_products : 2 * n + 20;
    const double want = forcing * s->result.gradient_norm;
    memset(s->p, 0, (size_t)n * sizeof *s->p);
    memset(s->hp, 0, (size_t)n * sizeof *s->hp);
    for (int64_t j = 0; j < n; j++)
        s->d[j] = s->r[j] = -s->g[j];
    double rr = sfi_dot(s->r, s->r, n);
    *at_boundary = false;
    for (int64_t k = 0; k < most; k++) {
        SFI_TRY(
            sfi_functional_curvature(s->ctx, s->f, s->hd, s->x, s->d, s->work));
        s->result.products++;
        if (sfi_first_not_finite(s->hd, n) < n) {
            if (k > 0)
                break; /* what we have is a step of descent already */
            return SFI_FAIL(s->ctx, SF_E_NUMERIC,
                            "newton: the Hessian of %s is not finite at "
                            "iteration %lld",
                            s->f->name, (long long)s->result.iterations);
        }
        const double curvature = sfi_dot(s->d, s->hd, n);
        double step = curvature > 0.0 ? rr / curvature : INFINITY;
        const double limit = to_boundary(s->p, s->d, s->radius, n);
        if (step >= limit) {
            step = limit;
            *at_boundary = true;
        }
        add_scaled(s->p, step, s->d, n);
        add_scaled(s->hp, step, s->hd, n);
        add_scaled(s->r, -step, s->hd, n);
        if (*at_boundary)
            break;
        const double rr_next = sfi_dot(s->r, s->r, n);
        if (sqrt(rr_next) <= want)
            break;
        const double ratio = rr_next / rr;
        for (int64_t j = 0; j < n; j++)
            s->d[j] = s->r[j] + ratio * s->d[j];
        rr = rr_next;
    }
    *foreseen = -(sfi_dot(s->g, s->p, n) + 0.5 * sfi_dot(s->p, s->hp, n));
    return SF_OK;
}

/* How far f fell from x to the trial point, whose value is `value`. */
static double fall(const struct newton *s, double value, double foreseen)
{
    const double rounding =
        100.0 * DBL_EPSILON * fmax(fabs(value), fabs(s->result.value));
    if (s->f->value != NULL && foreseen > rounding)
        return s->result.value - value;
    return -0.5 * (sfi_dot(s->g, s->p, s->n) + sfi_dot(s->g_trial, s->p, s->n));
}

static double target(const struct newton *s)
{
    return s->options->tolerance * fmax(1.0, sfi_norm(s->x, s->n));
}

/* One step; *shrunk is set when the radius has become rounding. */
static sf_status advance(struct newton *s, double forcing, bool *shrunk)
{
    const int64_t n = s->n;
    double foreseen = 0.0;
    bool at_boundary = false;
    SFI_TRY(steihaug(s, forcing, &foreseen, &at_boundary));
    const double length = sfi_norm(s->p, n);
    for (int64_t j = 0; j < n; j++)
        s->trial[j] = s->x[j] + s->p[j];
    double value = NAN;
    SFI_TRY(sfi_functional_gradient(s->ctx, s->f,
                                    s->f->value != NULL ? &value : NULL,
                                    s->g_trial, s->trial, 1));
    s->result.gradients++;
    const bool finite = sfi_first_not_finite(s->g_trial, n) == n &&
                        sfi_first_not_finite(s->trial, n) == n &&
                        (s->f->value == NULL || isfinite(value));
    const double ratio =
        finite && foreseen > 0.0 ? fall(s, value, foreseen) / foreseen : -1.0;
    /* Written so that a NaN ratio is a bad one. */
    if (!(ratio >= 0.25))
        s->radius = 0.25 * length;
    else if (ratio > 0.75 && at_boundary)
        s->radius = fmin(2.0 * s->radius, largest_radius);
    if (ratio > 1e-4) {
        memcpy(s->x, s->trial, (size_t)n * sizeof *s->x);
        memcpy(s->g, s->g_trial, (size_t)n * sizeof *s->g);
        s->result.value = value;
        s->result.gradient_norm = sfi_norm(s->g, n);
    }
    *shrunk = s->radius <= DBL_EPSILON * fmax(1.0, sfi_norm(s->x, n));
    return SF_OK;
}

static sf_status iterate(struct newton *s)
{
    const double started = sfi_clock();
    const bool has_value = s->f->value != NULL;
    s->result.value = NAN;
    SFI_TRY(sfi_functional_gradient(
        s->ctx, s->f, has_value ? &s->result.value : NULL, s->g, s->x, 1));
    s->result.gradients++;
    s->result.gradient_norm = sfi_norm(s->g, s->n);
    const double first = s->result.gradient_norm;
    if (!isfinite(first) || (has_value && !isfinite(s->result.value)))
        return SFI_FAIL(s->ctx, SF_E_NUMERIC,
                        "newton: %s is %g with |gradient| %g at the start, "
                        "want finite",
                        s->f->name, s->result.value, first);
    bool shrunk = false;
    while (!(s->result.gradient_norm <= target(s))) {
        if (shrunk)
            return SFI_FAIL(s->ctx, SF_E_CONVERGE,
                            "newton: no step lowers %s at iteration %lld "
                            "(|gradient| %g, want %g); the tolerance may be "
                            "below rounding, or the gradient wrong",
                            s->f->name, (long long)s->result.iterations,
                            s->result.gradient_norm, target(s));
        if (s->result.iterations >= s->options->max_iterations)
            return SFI_FAIL(s->ctx, SF_E_CONVERGE,
                            "newton: |gradient| is %g after %lld iterations, "
                            "want %g; raise max_iterations",
                            s->result.gradient_norm,
                            (long long)s->result.iterations, target(s));
        s->result.iterations++;
        const double forcing =
            fmin(s->options->forcing, s->result.gradient_norm / first);
        SFI_TRY(advance(s, forcing, &shrunk));
        const sf_progress p = {"solve",
                               s->result.iterations,
                               s->options->max_iterations,
                               s->result.value,
                               NAN,
                               sfi_clock() - started};
        if (!sfi_progress(s->ctx, &p, false))
            return SFI_FAIL(s->ctx, SF_E_CANCELLED,
                            "newton: stopped after iteration %lld",
                            (long long)s->result.iterations);
    }
    return SF_OK;
}

sf_status sfi_minimize_newton(sf_context *ctx, double *x,
                              sf_minimize_result *result,
                              const sf_functional *f,
                              const sf_newton_options *opts)
{
    const sf_minimize_result nothing = {0};
    if (result != NULL)
        *result = nothing;
    sf_newton_options o = SF_NEWTON_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check_options(ctx, &o));
    if (x == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "newton: x is NULL");
    const int64_t n = f->unknowns;
    if (n > INT64_MAX / 8 / VECTORS)
        return SFI_FAIL(ctx, SF_E_SHAPE, "newton: %lld unknowns", (long long)n);
    const size_t count = (size_t)VECTORS * (size_t)n;
    double *v = sfi_alloc(ctx, count, sizeof *v);
    if (v == NULL)
        return SF_E_NOMEM;
    struct newton s = {.ctx = ctx,
                       .f = f,
                       .options = &o,
                       .n = n,
                       .x = x,
                       .g = v,
                       .trial = v + n,
                       .g_trial = v + 2 * n,
                       .p = v + 3 * n,
                       .hp = v + 4 * n,
                       .d = v + 5 * n,
                       .r = v + 6 * n,
                       .hd = v + 7 * n,
                       .work = v + 8 * n};
    s.radius = o.radius > 0.0
                   ? o.radius
                   : fmin(10.0 * fmax(1.0, sfi_norm(x, n)), largest_radius);
    const sf_status status = iterate(&s);
    sfi_free(ctx, v, count, sizeof *v);
    if (result != NULL)
        *result = s.result;
    return status;
}

sf_status sf_minimize_newton(sf_context *ctx, double *x,
                             sf_minimize_result *result, const sf_functional *f,
                             const sf_newton_options *opts)
{
    const sf_minimize_result nothing = {0};
    if (result != NULL)
        *result = nothing;
    sf_functional seam;
    SFI_TRY(sfi_functional_take(ctx, &seam, f, "newton"));
    return sfi_minimize_newton(ctx, x, result, &seam, opts);
}
