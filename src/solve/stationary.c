/* SPDX-License-Identifier: Apache-2.0 */
/* stationary.c - where an action is stationary.
 *
 * An equation of constant coefficients on a box is solved by transforms (direct.c,
 * open_sides.c), another linear one by conjugate gradients with the diagonal as
 * preconditioner, or with multigrid once that has been slow; if it has directions of both
 * signs, by minimal residuals (C. C. Paige and M. A. Saunders, SIAM J. Numer. Anal. 12 (1975)
 * 617-629).  Otherwise Newton's equation is solved so, as well as is worth while, and a step is taken that lowers the action, which
 * is a sum of the density over linear maps of the fields: convex where the density is.
 *
 * A singular action does not change with a constant.  Its right-hand side must then have
 * no mean, and the solution is the one without: both are projected. */
#include "solve/stationary.h"

#include "solve/direct.h"
#include "solve/multigrid.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Levels are made when products have visited LEVELS_COST numbers, which takes about as long
 * as to make them, and SOON products at least were not enough. */
enum { MOST_PRODUCTS = 20000, SOON = 20, LEVELS_COST = 5000000, LANCZOS = 20 };

typedef struct point_search {
    sf_action *a;
    sf_context *ctx;
    int64_t n;
    double *x, *g, *diagonal, *volume;
    double *p, *r, *z, *q, *step, *other;
    const double *open; /* what is left out of each gradient, or NULL */
    bool is_projected;
    double sign; /* -1: of a concave action, whose negative is minimised */
    int64_t products;
    double begun;
    sfi_multigrid
        *grids;      /* NULL until they are worth it                      */
    bool with_grids; /* whether they precondition the Hessian at x        */
} point_search;

enum { ARRAYS = 10 };

/* ---- vectors ------------------------------------------------------------------------ */

static double dot(int64_t n, const double *a, const double *b)
{
    double lanes[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            lanes[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        lanes[0] += a[i] * b[i];
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

static void add(int64_t n, double *y, double factor, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

static double norm(int64_t n, const double *x)
{
    return sqrt(dot(n, x, x));
}

/* Of a gradient, of which the sum is the mean's: each point gets its share by volume. */
static void project_gradient(const point_search *s, double *g)
{
    const int64_t points = s->a->points;
    if (!s->is_projected)
        return;
    for (int u = 0; u < s->a->unknowns; u++) {
        double sum = 0.0, volume = 0.0;
        double *part = g + u * points;
        for (int64_t i = 0; i < points; i++) {
            sum += part[i];
            volume += s->volume[i];
        }
        for (int64_t i = 0; i < points; i++)
            part[i] -= s->volume[i] * sum / volume;
    }
}

/* What is left of the gradient at x when what cannot be balanced is left out. */
static void close_gradient(point_search *s)
{
    if (s->open != NULL)
        add(s->n, s->g, -1.0, s->open);
    project_gradient(s, s->g);
}

/* Of a field: without its mean. */
static void project_field(const point_search *s, double *x)
{
    const int64_t points = s->a->points;
    if (!s->is_projected)
        return;
    for (int u = 0; u < s->a->unknowns; u++) {
        double *part = x + u * points;
        double sum = 0.0, volume = 0.0;
        for (int64_t i = 0; i < points; i++) {
            sum += s->volume[i] * part[i];
            volume += s->volume[i];
        }
        for (int64_t i = 0; i < points; i++)
            part[i] -= sum / volume;
    }
}

/* out = sign H v */
static sf_status product(point_search *s, const double *v, double *out)
{
    s->products++;
    SFI_TRY(sfi_action_product(s->a, s->x, v, out));
    if (s->sign < 0.0)
        for (int64_t i = 0; i < s->n; i++)
            out[i] = -out[i];
    project_gradient(s, out);
    return SF_OK;
}

static sf_status precondition(const point_search *s, const double *r, double *z)
{
    if (s->with_grids)
        SFI_TRY(sfi_multigrid_apply(s->grids, r, z));
    for (int64_t i = 0; i < s->n && !s->with_grids; i++)
        z[i] = s->diagonal[i] != 0.0 ? r[i] / fabs(s->diagonal[i]) : 0.0;
    project_field(s, z);
    return SF_OK;
}

static sf_status go_on(const point_search *s, int64_t step, int64_t steps,
                       double loss)
{
    const sf_progress p = {"solve", step, steps,
                           loss,    NAN,  sfi_clock() - s->begun};
    return sfi_progress(s->ctx, &p, false)
               ? SF_OK
               : SFI_FAIL(s->ctx, SF_E_CANCELLED, "solve: stopped");
}

/* ---- linear equations --------------------------------------------------------------- */

typedef enum outcome { SOLVED, NOT_YET, NEGATIVE } outcome;

/* Go on from s->step with its residual s->r, for so many products. */
static sf_status iterate(point_search *s, double wanted, int64_t most,
                         outcome *how)
{
    const int64_t n = s->n;
    *how = norm(n, s->r) <= wanted ? SOLVED : NOT_YET;
    SFI_TRY(precondition(s, s->r, s->z));
    memcpy(s->p, s->z, (size_t)n * sizeof *s->p);
    double rz = dot(n, s->r, s->z);
    for (int64_t k = 0; k < most && *how == NOT_YET && rz > 0.0; k++) {
        SFI_TRY(product(s, s->p, s->q));
        const double curvature = dot(n, s->p, s->q);
        if (!(curvature > 1e-14 * fabs(rz))) {
            *how = NEGATIVE;
            break;
        }
        const double alpha = rz / curvature;
        add(n, s->step, alpha, s->p);
        add(n, s->r, -alpha, s->q);
        if (norm(n, s->r) <= wanted) {
            *how = SOLVED;
            break;
        }
        SFI_TRY(precondition(s, s->r, s->z));
        const double next = dot(n, s->r, s->z), beta = next / rz;
        rz = next;
        for (int64_t i = 0; i < n; i++)
            s->p[i] = s->z[i] + beta * s->p[i];
        if ((k & 63) == 63)
            SFI_TRY(go_on(s, k, 0, norm(n, s->r)));
    }
    return SF_OK;
}

/* Levels for the Hessian at x; whether they are of use there. */
static sf_status use_grids(point_search *s)
{
    if (s->grids == NULL)
        SFI_TRY(sfi_multigrid_new(s->a, s->x, s->sign, &s->grids));
    else if (!s->a->is_linear)
        SFI_TRY(sfi_multigrid_at(s->grids, s->x));
    s->with_grids = sfi_multigrid_is_definite(s->grids);
    return SF_OK;
}

/* step = -(sign H)^-1 sign g to |r| <= tolerance |g|; NEGATIVE at a direction of no or
 * negative curvature, with what was reached before it. */
static sf_status conjugate(point_search *s, double tolerance, outcome *how)
{
    const int64_t n = s->n;
    const double wanted = tolerance * norm(n, s->g);
    memset(s->step, 0, (size_t)n * sizeof *s->step);
    for (int64_t i = 0; i < n; i++)
        s->r[i] = -s->sign * s->g[i];
    s->with_grids = false;
    *how = NOT_YET;
    const int64_t first =
        LEVELS_COST / n > SOON ? LEVELS_COST / n : (int64_t)SOON;
    if (s->grids == NULL)
        SFI_TRY(iterate(s, wanted, first, how));
    if (*how == NOT_YET && s->a->form != NULL) /* grids are for points */
        SFI_TRY(iterate(s, wanted, MOST_PRODUCTS, how));
    if (*how == NOT_YET && s->a->form == NULL) {
        SFI_TRY(use_grids(s));
        SFI_TRY(iterate(s, wanted, MOST_PRODUCTS, how));
    }
    if (*how == NOT_YET && s->with_grids) { /* they were not definite */
        s->with_grids = false;
        SFI_TRY(iterate(s, wanted, MOST_PRODUCTS, how));
    }
    return SF_OK;
}

/* The same by minimal residuals, of a symmetric matrix of any signs: Lanczos vectors v,
 * and a QR factorisation of the tridiagonal matrix on the way. */
static sf_status minimal_residual(point_search *s, double tolerance,
                                  outcome *how)
{
    const int64_t n = s->n;
    double *v = s->r, *before = s->z, *w = s->p, *w1 = s->other;
    double *room = sfi_alloc_zero(s->ctx, (size_t)n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    double *w2 = room;
    memset(s->step, 0, (size_t)n * sizeof *s->step);
    memset(before, 0, (size_t)n * sizeof *before);
    memset(w1, 0, (size_t)n * sizeof *w1);
    for (int64_t i = 0; i < n; i++)
        v[i] = -s->sign * s->g[i];
    double beta = norm(n, v), eta = beta;
    const double wanted = tolerance * beta;
    double c0 = 1.0, c1 = 1.0, s0 = 0.0, s1 = 0.0;
    sf_status status = SF_OK;
    *how = beta == 0.0 ? SOLVED : NOT_YET;
    for (int64_t i = 0; i < n && beta > 0.0; i++)
        v[i] /= beta;
    double below = 0.0;
    for (int64_t k = 0; k < MOST_PRODUCTS && *how == NOT_YET; k++) {
        status = product(s, v, s->q);
        if (status != SF_OK)
            break;
        const double alpha = dot(n, v, s->q);
        for (int64_t i = 0; i < n; i++)
            s->q[i] -= alpha * v[i] + below * before[i];
        const double next = norm(n, s->q);
        const double delta = c1 * alpha - c0 * s1 * below;
        const double rho1 = sqrt(delta * delta + next * next);
        const double rho2 = s1 * alpha + c0 * c1 * below;
        const double rho3 = s0 * below;
        if (rho1 == 0.0)
            break;
        c0 = c1;
        s0 = s1;
        c1 = delta / rho1;
        s1 = next / rho1;
        for (int64_t i = 0; i < n; i++)
            w[i] = (v[i] - rho3 * w2[i] - rho2 * w1[i]) / rho1;
        add(n, s->step, c1 * eta, w);
        eta *= -s1;
        double *spare = w2; /* w2 <- w1 <- w */
        w2 = w1;
        w1 = w;
        w = spare;
        spare = before;
        before = v;
        v = spare;
        for (int64_t i = 0; i < n; i++)
            v[i] = next > 0.0 ? s->q[i] / next : 0.0;
        below = next;
        if (fabs(eta) <= wanted || next == 0.0)
            *how = SOLVED;
    }
    sfi_free(s->ctx, room, (size_t)n, sizeof *room);
    return status;
}

/* Whether all of the diagonal is negative: then -S is what is convex. */
static void find_sign(point_search *s)
{
    bool all = true, any = false;
    for (int64_t i = 0; i < s->n; i++) {
        all &= s->diagonal[i] <= 0.0;
        any |= s->diagonal[i] < 0.0;
    }
    s->sign = all && any ? -1.0 : 1.0;
}

/* ---- balance --------------------------------------------------------------------------- */

/* The sum of the right-hand side, relative to the sum of its size.  The gradient of a
 * singular action at any field has the same sum. */
static sf_status check_balance(point_search *s, bool project, double *imbalance)
{
    double worst = 0.0;
    if (!s->is_projected)
        return SF_OK;
    for (int u = 0; u < s->a->unknowns; u++) {
        double sum = 0.0, size = 0.0;
        for (int64_t i = 0; i < s->a->points; i++) {
            sum += s->g[u * s->a->points + i];
            size += fabs(s->g[u * s->a->points + i]);
        }
        worst = fmax(worst, size > 0.0 ? fabs(sum) / size : 0.0);
    }
    *imbalance = worst;
    if (worst >= 1e-2 && !project)
        return SFI_FAIL(
            s->ctx, SF_E_NUMERIC,
            "solve: no side holds a value, so the sources and the flux through "
            "the sides have to balance, and do not: their sum is %.3g of the "
            "sum "
            "of their sizes.  Balance them, pin a side, or let the mean be "
            "subtracted (project)",
            worst);
    if (worst >= 1e-12)
        sfi_warn(
            s->ctx,
            "solve: sources and flux balance to %.3g of their size; the mean "
            "was subtracted",
            worst);
    return SF_OK;
}

/* ---- kinds of points ---------------------------------------------------------------------- */

/* The least eigenvalue that LANCZOS steps see of D^-1/2 H D^-1/2. */
static sf_status least_eigenvalue(point_search *s, double *out)
{
    const int64_t n = s->n;
    double alpha[LANCZOS], beta[LANCZOS] = {0.0};
    double *v = s->p, *before = s->z;
    int m = 0;
    for (int64_t i = 0; i < n; i++) { /* nothing is orthogonal to it */
        const double t = sin(1.0 + 0.7390851 * (double)i) + 0.3;
        v[i] = s->diagonal[i] != 0.0 ? t : 0.0;
    }
    memset(before, 0, (size_t)n * sizeof *before);
    const double length = norm(n, v);
    for (int64_t i = 0; i < n; i++)
        v[i] /= length;
    for (; m < LANCZOS; m++) {
        for (int64_t i = 0; i < n; i++)
            s->other[i] =
                s->diagonal[i] != 0.0 ? v[i] / sqrt(fabs(s->diagonal[i])) : 0.0;
        SFI_TRY(product(s, s->other, s->q));
        for (int64_t i = 0; i < n; i++)
            s->q[i] = s->diagonal[i] != 0.0
                          ? s->q[i] / sqrt(fabs(s->diagonal[i]))
                          : 0.0;
        alpha[m] = dot(n, v, s->q);
        for (int64_t i = 0; i < n; i++)
            s->q[i] -=
                alpha[m] * v[i] + (m > 0 ? beta[m - 1] : 0.0) * before[i];
        beta[m] = norm(n, s->q);
        if (beta[m] < 1e-12)
            break;
        double *spare = before;
        before = v;
        v = spare;
        for (int64_t i = 0; i < n; i++)
            v[i] = s->q[i] / beta[m];
    }
    const int count = m < LANCZOS ? m + 1 : LANCZOS;
    /* Bisection by Sturm's count of negative pivots. */
    double low = -4.0, high = 4.0;
    for (int k = 0; k < count; k++) {
        low = fmin(low, alpha[k] - 2.0 * beta[k] - 1.0);
        high = fmax(high, alpha[k] + 2.0 * beta[k] + 1.0);
    }
    for (int pass = 0; pass < 60; pass++) {
        const double middle = 0.5 * (low + high);
        double pivot = 1.0;
        int negative = 0;
        for (int k = 0; k < count; k++) {
            const double off = k > 0 ? beta[k - 1] * beta[k - 1] : 0.0;
            pivot = alpha[k] - middle - (k > 0 ? off / pivot : 0.0);
            if (fabs(pivot) < DBL_MIN)
                pivot = -DBL_MIN;
            negative += pivot < 0.0;
        }
        if (negative > 0)
            high = middle;
        else
            low = middle;
    }
    *out = 0.5 * (low + high);
    return SF_OK;
}

/* ---- solving -------------------------------------------------------------------------------- */

/* One step, of whatever method fits; and where it leads. */
static sf_status linear_step(point_search *s, double tolerance,
                             sf_action_solution *out)
{
    outcome how = NOT_YET;
    bool is_done = s->a->is_open;
    if (is_done)
        SFI_TRY(sfi_open_step(s->a, s->g, s->volume, s->step));
    else if (out->engine == NULL && s->a->form == NULL)
        SFI_TRY(sfi_direct_step(s->a, s->g, s->volume, s->step, &is_done));
    /* Half the work of the sources: over all space, of which the grid is a part. */
    if (s->a->is_open)
        out->energy += 0.5 * dot(s->n, s->g, s->step);
    if (out->engine == NULL)
        out->engine = s->a->is_open ? "transforms in open space"
                      : is_done     ? "transforms"
                                    : "conjugate gradients";
    if (is_done)
        how = SOLVED;
    else if (out->kind != SF_POINT_SADDLE)
        SFI_TRY(conjugate(s, tolerance, &how));
    if (s->with_grids)
        out->engine = "conjugate gradients with multigrid";
    if (how == NEGATIVE || out->kind == SF_POINT_SADDLE) {
        out->engine = "minimal residuals";
        out->kind = SF_POINT_SADDLE;
        s->sign = 1.0;
        SFI_TRY(minimal_residual(s, tolerance, &how));
    }
    add(s->n, s->x, 1.0, s->step);
    project_field(s, s->x);
    SFI_TRY(sfi_action_gradient(s->a, s->x, s->g));
    close_gradient(s);
    return SF_OK;
}

/* Residuals that are carried along drift from the true ones by rounding, most where
 * coefficients jump: what is left is solved for again. */
static sf_status solve_linear(point_search *s, const sf_action_solve_options *o,
                              sf_action_solution *out)
{
    enum { PASSES = 4 };
    const double start = norm(s->n, s->g);
    double left = start;
    find_sign(s);
    out->kind = s->sign < 0.0 ? SF_POINT_MAXIMUM : SF_POINT_MINIMUM;
    while (out->iterations < PASSES &&
           (out->iterations == 0 || left > o->tolerance * start)) {
        SFI_TRY(linear_step(
            s, 0.5 * o->tolerance * (left > 0.0 ? start / left : 1.0), out));
        out->iterations++;
        left = norm(s->n, s->g);
    }
    out->residual = start > 0.0 ? left / start : 0.0;
    return out->residual <= o->tolerance
               ? SF_OK
               : SFI_FAIL(s->ctx, SF_E_CONVERGE,
                          "solve: the residual is %.3g of the right-hand side "
                          "after %lld products, want %g",
                          out->residual, (long long)s->products, o->tolerance);
}

/* Go along s->step as far as the action falls. */
static sf_status line_search(point_search *s, double *value, bool *moved)
{
    const double slope = s->sign * dot(s->n, s->g, s->step);
    memcpy(s->other, s->x, (size_t)s->n * sizeof *s->x);
    *moved = false;
    double t = 1.0;
    for (int trial = 0; trial < 40; trial++, t *= 0.5) {
        double now = 0.0;
        memcpy(s->x, s->other, (size_t)s->n * sizeof *s->x);
        add(s->n, s->x, t, s->step);
        SFI_TRY(sfi_action_value(s->a, s->x, &now));
        const double rounding =
            1e-14 * (fabs(*value) + fabs(now)) * sqrt((double)s->n);
        if (isfinite(now) &&
            s->sign * (now - *value) <= 1e-4 * t * slope + rounding) {
            *value = now;
            *moved = true;
            return SF_OK;
        }
    }
    memcpy(s->x, s->other, (size_t)s->n * sizeof *s->x);
    return SF_OK;
}

static sf_status solve_nonlinear(point_search *s,
                                 const sf_action_solve_options *o,
                                 sf_action_solution *out)
{
    const double start = norm(s->n, s->g);
    double value = 0.0, size = start;
    out->engine = "Newton with conjugate gradients";
    SFI_TRY(sfi_action_value(s->a, s->x, &value));
    while (size > o->tolerance * start && out->iterations < o->max_iterations) {
        outcome how = NOT_YET;
        bool moved = false;
        SFI_TRY(sfi_action_diagonal(s->a, s->x, s->diagonal));
        if (out->iterations == 0)
            find_sign(s);
        /* Superlinear: the better, the nearer. */
        const double forcing = fmin(0.1, fmax(size / start, 1e-10));
        SFI_TRY(conjugate(s, forcing, &how));
        if (how == NEGATIVE && norm(s->n, s->step) == 0.0)
            SFI_TRY(precondition(s, s->r, s->step)); /* downhill at least */
        SFI_TRY(line_search(s, &value, &moved));
        project_field(s, s->x);
        out->iterations++;
        SFI_TRY(sfi_action_gradient(s->a, s->x, s->g));
        close_gradient(s);
        size = norm(s->n, s->g);
        SFI_TRY(go_on(s, out->iterations, o->max_iterations, size / start));
        if (!moved)
            break;
    }
    if (s->with_grids)
        out->engine = "Newton with conjugate gradients and multigrid";
    out->residual = start > 0.0 ? size / start : 0.0;
    if (!(out->residual <= o->tolerance))
        return SFI_FAIL(
            s->ctx, SF_E_CONVERGE,
            "solve: the gradient is %.3g of that at the start after "
            "%lld steps, want %g",
            out->residual, (long long)out->iterations, o->tolerance);
    double least = 0.0;
    SFI_TRY(sfi_action_diagonal(s->a, s->x, s->diagonal));
    SFI_TRY(least_eigenvalue(s, &least));
    out->kind = least < -1e-8   ? SF_POINT_SADDLE
                : s->sign < 0.0 ? SF_POINT_MAXIMUM
                                : SF_POINT_MINIMUM;
    return SF_OK;
}

static sf_status run(point_search *s, sf_field *fields,
                     const sf_action_solve_options *o, sf_action_solution *out)
{
    if (!s->a->is_open) /* there it starts from 0 */
        SFI_TRY(sfi_action_gather(s->a, fields, s->x));
    for (int u = 0; u < s->a->unknowns; u++)
        sfi_action_pin(s->a, u, s->x + u * s->a->points);
    sfi_action_volumes(s->a, s->volume);
    SFI_TRY(sfi_action_gradient(s->a, s->x, s->g));
    SFI_TRY(sfi_action_diagonal(s->a, s->x, s->diagonal));
    for (int64_t i = 0; i < s->n; i++)
        if (!isfinite(s->g[i]) || !isfinite(s->diagonal[i]))
            return SFI_FAIL(
                s->ctx, SF_E_NUMERIC,
                "solve: the action's derivatives are not finite at "
                "the start: a density like sqrt(grad2(phi)) has none "
                "where the slope is 0; add a small number");
    SFI_TRY(check_balance(s, o->project, &out->imbalance));
    close_gradient(s);
    project_field(s, s->x);
    if (s->a->is_open) {
        if (!s->a->is_linear)
            return SFI_FAIL(s->ctx, SF_E_UNSUPPORTED,
                            "solve: open sides want a linear equation");
        SFI_TRY(sfi_action_value(s->a, s->x, &out->energy));
    }
    sf_status status =
        s->a->is_linear ? solve_linear(s, o, out) : solve_nonlinear(s, o, out);
    out->products = s->products;
    if (status == SF_OK || status == SF_E_CONVERGE) {
        sfi_action_scatter(s->a, s->x, fields);
        const sf_status last =
            s->a->is_open ? SF_OK : sfi_action_value(s->a, s->x, &out->energy);
        status = status == SF_OK ? last : status;
    }
    return status;
}

sf_status sfi_stationary(sf_action *a, sf_field *fields,
                         const sf_action_solve_options *o, const double *open,
                         sf_action_solution *out)
{
    point_search s = {.a = a,
                      .ctx = a->ctx,
                      .n = a->unknowns * a->points,
                      .sign = 1.0,
                      .begun = sfi_clock(),
                      .open = open,
                      .is_projected = a->is_singular && a->form == NULL};
    const size_t n = (size_t)s.n;
    double *room = sfi_alloc_zero(a->ctx, ARRAYS * n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    double **arrays[ARRAYS] = {&s.x, &s.g, &s.diagonal, &s.volume, &s.p,
                               &s.r, &s.z, &s.q,        &s.step,   &s.other};
    for (size_t i = 0; i < ARRAYS; i++)
        *arrays[i] = room + i * n;
    const sf_status status = run(&s, fields, o, out);
    sfi_multigrid_free(s.grids);
    sfi_free(a->ctx, room, ARRAYS * n, sizeof *room);
    return status;
}
