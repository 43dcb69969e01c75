/* SPDX-License-Identifier: Apache-2.0 */
/* matching_search.c - where the objective is least.
 *
 * A quadratic has one place, H theta = -b, if its Hessian tells the numbers apart.
 * Everything else is minimised on the line, where bounds are none: L-BFGS comes near,
 * and Newton's method with products goes on to where rounding ends.  There may be
 * several minima, so there are several starts. */
#include "fit/matching.h"

#include "base/random.h"
#include "num/linalg.h"
#include "scorefield/solve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- as a functional on the line --------------------------------------------------- */

static sf_status call_gradient(sf_context *ctx, void *user, double *value,
                               double *gradient, const double *x,
                               int64_t walkers)
{
    (void)ctx;
    sfi_match *m = user;
    double spare;
    for (int64_t w = 0; w < walkers; w++)
        SFI_TRY(sfi_match_line(m, x + w * m->count,
                               value != NULL ? value + w : &spare,
                               gradient + w * m->count));
    return SF_OK;
}

static sf_status call_value(sf_context *ctx, void *user, double *value,
                            const double *x, int64_t walkers)
{
    sfi_match *m = user;
    const size_t count = (size_t)m->count;
    double *spare = sfi_alloc(ctx, count, sizeof *spare);
    if (spare == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    for (int64_t w = 0; w < walkers && status == SF_OK; w++)
        status = sfi_match_line(m, x + w * m->count, value + w, spare);
    sfi_free(ctx, spare, count, sizeof *spare);
    return status;
}

static sf_status call_product(sf_context *ctx, void *user, double *hv,
                              const double *x, const double *v, int64_t walkers)
{
    (void)ctx;
    sfi_match *m = user;
    for (int64_t w = 0; w < walkers; w++) {
        const sf_sink sink = {hv + w * m->count, SF_F64, 0};
        SFI_TRY(sfi_match_run(m, m->product, x + w * m->count, v + w * m->count,
                              &sink));
        sfi_match_mean(m, hv + w * m->count, m->count);
    }
    return SF_OK;
}

/* ---- going down -------------------------------------------------------------------- */

static void start_point(const sfi_match *m, const double *first, int64_t start,
                        uint64_t seed, double *y)
{
    const sfi_where where = {seed, (uint64_t)start, 0, SFI_STREAM_PRIOR};
    for (int64_t k = 0; k < m->count; k++)
        y[k] = first[k] + (start > 0 ? sfi_normal_at(where, (uint32_t)k) : 0.0);
}

/* From one start; *value is that of the minimum, NaN if none was found. */
static sf_status descend(sfi_match *m, const sf_functional *f, double *y,
                         double *value, int64_t *iterations)
{
    sf_minimize_result first = {0}, last = {0};
    sf_lbfgs_options rough = SF_LBFGS_OPTIONS_INIT;
    sf_newton_options fine = SF_NEWTON_OPTIONS_INIT;
    rough.tolerance = 1e-4;
    fine.tolerance = 1e-12; /* or as near as rounding lets it come */
    const double near = 1e-7;
    *value = NAN;
    sf_status status = sf_minimize_lbfgs(m->ctx, y, &first, f, &rough);
    if (status == SF_OK || status == SF_E_CONVERGE)
        status = sf_minimize_newton(m->ctx, y, &last, f, &fine);
    if (status == SF_E_CONVERGE && last.gradient_norm <= near)
        status = SF_OK;
    if (status == SF_E_CONVERGE || status == SF_E_NUMERIC)
        return SF_OK;
    SFI_TRY(status);
    *value = last.value;
    *iterations = first.iterations + last.iterations;
    return SF_OK;
}

/* The lowest minimum of several starts, as numbers. */
sf_status sfi_match_search(sfi_match *m, const sf_matching_options *o,
                           sf_matching *out, double *numbers, double *work)
{
    double *first = work, *y = work + m->count;
    double least = INFINITY;
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "score matching";
    f.unknowns = m->count;
    f.user = m;
    f.value = call_value;
    f.gradient = call_gradient;
    f.hvp = call_product;
    SFI_TRY(sfi_match_compile_line(m));
    sfi_domain_to_line(&m->forms, numbers, first);
    for (int64_t s = 0; s < o->starts; s++) {
        double value = NAN;
        int64_t iterations = 0;
        start_point(m, first, s, o->seed, y);
        SFI_TRY(descend(m, &f, y, &value, &iterations));
        out->failed += isnan(value);
        if (!(value < least))
            continue;
        least = value;
        out->iterations = iterations;
        sfi_domain_from_line(&m->forms, y, numbers);
    }
    if (isinf(least))
        return SFI_FAIL(m->ctx, SF_E_CONVERGE,
                        "fit: none of %lld starts came to a minimum: is the "
                        "objective unbounded, or not a number, near the "
                        "parameters' values? other first values may help",
                        (long long)o->starts);
    return SF_OK;
}

/* ---- linear systems ---------------------------------------------------------------- */

/* The parameters that a direction is made of, the largest first, as text. */
static void describe(const sfi_match *m, const double *direction, char *text,
                     size_t size)
{
    bool used[64] = {false};
    size_t at = 0;
    text[0] = '\0';
    for (int shown = 0; shown < 4; shown++) {
        int64_t most = -1;
        for (int64_t k = 0; k < m->count && k < 64; k++)
            if (!used[k] &&
                (most < 0 || fabs(direction[k]) > fabs(direction[most])))
                most = k;
        if (most < 0 || fabs(direction[most]) < 0.1)
            return;
        char name[256];
        used[most] = true;
        sfi_match_name(m, most, name, sizeof name);
        at += (size_t)snprintf(text + at, size - at, "%s%.40s",
                               shown > 0 ? ", " : "", name);
    }
}

/* H theta = -b, b being the slope where the numbers are 0. */
sf_status sfi_match_solve(sfi_match *m, sf_matching *out, double *numbers,
                          double *h, double *work)
{
    const int64_t n = m->count;
    double *slope = work, value;
    memset(numbers, 0, (size_t)n * sizeof *numbers);
    if (m->design != NULL)
        SFI_TRY(sfi_match_take_design(m));
    SFI_TRY(sfi_match_first(m, &value, slope));
    SFI_TRY(sfi_match_hessian(m, numbers, h));
    if (sfi_first_not_finite(h, n * n) < n * n ||
        sfi_first_not_finite(slope, n) < n)
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "fit: the objective is not finite on these rows: a log "
                        "density without second derivatives there?");
    SFI_TRY(sfi_match_judge(m, h, out, work + n));
    if (!out->identified) {
        char names[200];
        describe(m, out->weakest, names, sizeof names);
        return SFI_FAIL(
            m->ctx, SF_E_NUMERIC,
            "fit: these parameters are not identifiable from the data: %s "
            "(the objective's least curvature is %.2g of its "
            "largest); fix one of them, or leave one out",
            names, out->curvature);
    }
    for (int64_t k = 0; k < n; k++)
        numbers[k] = -slope[k];
    SFI_TRY(sfi_cholesky(m->ctx, h, h, n, "objective's Hessian", NULL));
    sfi_cholesky_solve(h, n, (sf_mat){numbers, 1, n, n});
    out->objective = value + 0.5 * sfi_dot(slope, numbers, n);
    return SF_OK;
}
