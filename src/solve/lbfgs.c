/* SPDX-License-Identifier: Apache-2.0 */
/* lbfgs.c - L-BFGS by liblbfgs, behind our contract.
 *
 * liblbfgs knows neither failing callbacks nor values that are not numbers.
 * Both become +infinity here: its backtracking line search then halves the step,
 * and after a failure every further trial is refused without a call, until it
 * gives up.  (Its default search interpolates values, and an infinity turns its
 * iterates into NaN; so backtracking it is.)  Where such a wall cuts the line
 * off before the slope has flattened, the Wolfe condition can not be met; then
 * we go on from the last iterate with sufficient decrease alone.
 *
 * Next to a wall a step can become so short that it moves nothing; its pair
 * (0, 0) then makes the next direction NaN, and NaN passes the tests of the line
 * search.  So we keep the last good iterate ourselves, and end a run at the first
 * step that does not move or is not finite. */
#include "solve/solve.h"

#include "num/linalg.h"

#include <lbfgs.h>
#include <math.h>
#include <string.h>

struct lbfgs_run {
    sf_context *ctx;
    const sf_functional *f;
    const sf_lbfgs_options *options;
    sf_minimize_result result;
    int64_t before;      /* iterations of earlier runs of liblbfgs          */
    sf_status status;    /* of the functional, or SF_E_CANCELLED            */
    bool outside;        /* a trial since the last step was not finite      */
    double *last;        /* [n] last iterate accepted                       */
    const double *first; /* gradient at the start until it has been handed
                          * over, then NULL                                 */
    double started;
};

enum { STUCK = 1000, STOPPED = 1001 }; /* our own codes, none of theirs */

static lbfgsfloatval_t evaluate(void *user, const lbfgsfloatval_t *x,
                                lbfgsfloatval_t *g, const int n,
                                const lbfgsfloatval_t step)
{
    (void)step;
    struct lbfgs_run *s = user;
    if (s->first != NULL) {
        memcpy(g, s->first, (size_t)n * sizeof *g);
        s->first = NULL;
        return s->result.value;
    }
    double value = INFINITY;
    if (s->status == SF_OK) {
        s->status = sfi_functional_gradient(s->ctx, s->f, &value, g, x, 1);
        s->result.gradients++;
    }
    if (s->status == SF_OK && isfinite(value) &&
        sfi_first_not_finite(g, n) == n)
        return value;
    s->outside = true;
    memset(g, 0, (size_t)n * sizeof *g);
    return INFINITY;
}

/* Called after every step that the line search accepted. */
static int accepted(void *user, const lbfgsfloatval_t *x,
                    const lbfgsfloatval_t *g, const lbfgsfloatval_t fx,
                    const lbfgsfloatval_t xnorm, const lbfgsfloatval_t gnorm,
                    const lbfgsfloatval_t step, int n, int k, int trials)
{
    (void)g, (void)xnorm, (void)step, (void)trials;
    struct lbfgs_run *s = user;
    const size_t bytes = (size_t)n * sizeof *x;
    if (!isfinite(fx) || !isfinite(gnorm) || memcmp(x, s->last, bytes) == 0)
        return STUCK;
    memcpy(s->last, x, bytes);
    s->result.value = fx;
    s->result.gradient_norm = gnorm;
    s->result.iterations = s->before + k;
    s->outside = false;
    const sf_progress p = {
        "solve", s->result.iterations,    s->options->max_iterations, fx,
        NAN,     sfi_clock() - s->started};
    if (!sfi_progress(s->ctx, &p, false)) {
        s->status = SFI_FAIL(s->ctx, SF_E_CANCELLED,
                             "lbfgs: stopped after iteration %lld",
                             (long long)s->result.iterations);
        return STOPPED;
    }
    return 0;
}

static sf_status check_options(sf_context *ctx, const sf_lbfgs_options *o)
{
    if (!(o->tolerance > 0.0 && isfinite(o->tolerance)))
        return SFI_FAIL(ctx, SF_E_ARG, "lbfgs: tolerance is %g, want > 0",
                        o->tolerance);
    if (o->max_iterations < 1 || o->max_iterations > INT32_MAX)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "lbfgs: max_iterations is %lld, want 1 to %d",
                        (long long)o->max_iterations, (int)INT32_MAX);
    if (o->memory < 3 || o->memory > 1000)
        return SFI_FAIL(ctx, SF_E_ARG, "lbfgs: memory is %d, want 3 to 1000",
                        o->memory);
    if (o->max_trials < 2 || o->max_trials > 1000)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "lbfgs: max_trials is %d, want 2 to 1000",
                        o->max_trials);
    return SF_OK;
}

/* Did a line search come to nothing? */
static bool is_stuck(int code)
{
    switch (code) {
    case STUCK:
    case LBFGSERR_OUTOFINTERVAL:
    case LBFGSERR_INCORRECT_TMINMAX:
    case LBFGSERR_ROUNDING_ERROR:
    case LBFGSERR_MINIMUMSTEP:
    case LBFGSERR_MAXIMUMSTEP:
    case LBFGSERR_MAXIMUMLINESEARCH:
    case LBFGSERR_WIDTHTOOSMALL:
    case LBFGSERR_INCREASEGRADIENT:
        return true;
    default:
        return false;
    }
}

/* What a code of liblbfgs means to the caller. */
static sf_status explain(const struct lbfgs_run *s, int code)
{
    const double want = s->options->tolerance;
    const long long iterations = s->result.iterations;
    if (code == LBFGS_SUCCESS || code == LBFGS_STOP ||
        code == LBFGS_ALREADY_MINIMIZED)
        return SF_OK;
    if (code == LBFGSERR_OUTOFMEMORY)
        return SFI_FAIL(s->ctx, SF_E_NOMEM, "lbfgs: %d pairs of %lld unknowns",
                        s->options->memory, (long long)s->f->unknowns);
    if (code == LBFGSERR_MAXIMUMITERATION)
        return SFI_FAIL(s->ctx, SF_E_CONVERGE,
                        "lbfgs: |gradient| is %g after %lld iterations, want "
                        "%g max(1, |x|); raise max_iterations",
                        s->result.gradient_norm, iterations, want);
    if (!is_stuck(code))
        return SFI_FAIL(s->ctx, SF_E_INTERNAL, "lbfgs: liblbfgs gave %d", code);
    return SFI_FAIL(s->ctx, SF_E_CONVERGE,
                    "lbfgs: no acceptable step at iteration %lld (|gradient| "
                    "%g, want %g max(1, |x|)); %s",
                    iterations, s->result.gradient_norm, want,
                    s->outside
                        ? "the functional is not finite next to the iterate"
                        : "the tolerance may be below rounding, or the "
                          "gradient may not belong to the value");
}

/* Run liblbfgs, and again with the other condition on steps each time that it
 * is stopped by a wall but has moved; returns its last code.  at: padded. */
static int search(struct lbfgs_run *s, double *at)
{
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.m = s->options->memory;
    parameters.epsilon = s->options->tolerance;
    parameters.max_linesearch = s->options->max_trials;
    parameters.linesearch = LBFGS_LINESEARCH_BACKTRACKING_WOLFE;
    bool moved_before = true;
    for (;;) {
        s->before = s->result.iterations;
        parameters.max_iterations =
            (int)(s->options->max_iterations - s->before);
        const int code = lbfgs((int)s->f->unknowns, at, NULL, evaluate,
                               accepted, s, &parameters);
        memcpy(at, s->last, (size_t)s->f->unknowns * sizeof *at);
        const bool moved = s->result.iterations > s->before;
        if (!is_stuck(code) || !s->outside || s->status != SF_OK ||
            !(moved || moved_before))
            return code;
        if (s->result.iterations >= s->options->max_iterations)
            return LBFGSERR_MAXIMUMITERATION;
        moved_before = moved;
        parameters.linesearch =
            parameters.linesearch == LBFGS_LINESEARCH_BACKTRACKING_WOLFE
                ? LBFGS_LINESEARCH_BACKTRACKING_ARMIJO
                : LBFGS_LINESEARCH_BACKTRACKING_WOLFE;
    }
}

static sf_status minimize(struct lbfgs_run *s, double *x)
{
    const int n = (int)s->f->unknowns;
    /* liblbfgs may work on whole vector registers: its x is padded with zeros
     * to a multiple of 16. */
    const size_t padded = ((size_t)n + 15) / 16 * 16;
    double *at = sfi_alloc_zero(s->ctx, padded, sizeof *at);
    double *g = sfi_alloc(s->ctx, (size_t)n, sizeof *g);
    sf_status status = SF_E_NOMEM;
    s->last = sfi_alloc(s->ctx, (size_t)n, sizeof *s->last);
    if (at == NULL || g == NULL || s->last == NULL)
        goto done;
    memcpy(at, x, (size_t)n * sizeof *at);
    memcpy(s->last, x, (size_t)n * sizeof *s->last);
    SFI_CHECK(
        sfi_functional_gradient(s->ctx, s->f, &s->result.value, g, at, 1));
    s->result.gradients++;
    s->result.gradient_norm = sfi_norm(g, n);
    if (!isfinite(s->result.value) || !isfinite(s->result.gradient_norm)) {
        status = SFI_FAIL(s->ctx, SF_E_NUMERIC,
                          "lbfgs: %s is %g with |gradient| %g at the start, "
                          "want finite",
                          s->f->name, s->result.value, s->result.gradient_norm);
        goto done;
    }
    s->first = g;
    const int code = search(s, at);
    status = s->status != SF_OK ? s->status : explain(s, code);
    memcpy(x, s->last, (size_t)n * sizeof *x);

done:
    sfi_free(s->ctx, s->last, (size_t)n, sizeof *s->last);
    sfi_free(s->ctx, g, (size_t)n, sizeof *g);
    sfi_free(s->ctx, at, padded, sizeof *at);
    return status;
}

sf_status sfi_minimize_lbfgs(sf_context *ctx, double *x,
                             sf_minimize_result *result, const sf_functional *f,
                             const sf_lbfgs_options *opts)
{
    const sf_minimize_result nothing = {0};
    if (result != NULL)
        *result = nothing;
    sf_lbfgs_options o = SF_LBFGS_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check_options(ctx, &o));
    if (x == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "lbfgs: x is NULL");
    if (f->unknowns > INT32_MAX - 16)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "lbfgs: %lld unknowns, want at most 2^31 - 16",
                        (long long)f->unknowns);
    if (f->value == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "lbfgs: %s has gradients only, and the line search "
                        "needs values; Newton's method does not",
                        f->name);
    struct lbfgs_run s = {
        .ctx = ctx, .f = f, .options = &o, .started = sfi_clock()};
    const sf_status status = minimize(&s, x);
    if (result != NULL && status != SF_E_NOMEM)
        *result = s.result;
    return status;
}

sf_status sf_minimize_lbfgs(sf_context *ctx, double *x,
                            sf_minimize_result *result, const sf_functional *f,
                            const sf_lbfgs_options *opts)
{
    const sf_minimize_result nothing = {0};
    if (result != NULL)
        *result = nothing;
    sf_functional seam;
    SFI_TRY(sfi_functional_take(ctx, &seam, f, "lbfgs"));
    return sfi_minimize_lbfgs(ctx, x, result, &seam, opts);
}
