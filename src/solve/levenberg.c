/* SPDX-License-Identifier: Apache-2.0 */
/* levenberg.c - damped Gauss-Newton steps, then Newton's, of many problems.
 *
 * With gradient g and the Gauss-Newton matrix B, a step solves
 *
 *     (B + mu D) p = -g,      D = diag(B) + tau I,   tau = 1e-12 max diag B
 *
 * which foresees a fall of F by (1/2) p'(mu D p - g).  With rho, the fall that was
 * over the one foreseen, a step is taken if rho > 1e-4, and
 *
 *     mu <- mu max(1/3, 1 - (2 rho - 1)^3), nu <- 2       after a step
 *     mu <- mu nu, nu <- 2 nu                             after none
 *
 * (K. Madsen, H. B. Nielsen and O. Tingleff, Methods for Non-Linear Least Squares
 * Problems, 2004).  Such steps converge linearly, at the rate of the largest
 * eigenvalue of B^-1 R where the Hessian is B - R: slowly where residuals are long and
 * the surface that they end on is curved.  So Newton's own steps follow once the
 * certificate is below 1e-3, as long as the Hessian is positive definite and they make
 * F fall; a minimum is what both are attracted by, and a saddle point is left by the
 * first of them.
 *
 * Near a minimum F changes by less than its rounding; then the fall is taken from the
 * gradients, -(1/2)(g + g_new)'p, as newton.c does.
 *
 * Every iteration asks for the trial points of all problems that still run, as one
 * batch: the list of them is compact, those that end leave it. */
#include "solve/levenberg.h"

#include "base/parallel.h"
#include "num/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Problems that one range of a parallel loop takes. */
enum { CHUNK = 64 };

static const double first_damping = 1e-3, most_damping = 1e60;
static const double newton_begins = 1e-3, least_ratio = 1e-4;

typedef enum step_kind { DAMPED = 0, NEWTON } step_kind;

/* Of one problem, beside its arrays. */
typedef struct state {
    double mu, nu;
    double foreseen;   /* fall of F by the step that is tried */
    step_kind kind;    /* of that step */
    bool newton_fails; /* the last one was not taken */
    bool running;
} state;

struct sfi_levenberg {
    sf_context *ctx;
    int64_t most;
    int n;            /* unknowns */
    state *states;    /* [most] by problem, as are ... */
    double *head;     /* ... [most, HEAD], */
    double *gradient; /* [most, n] */
    double *matrix;   /* and [most, nn] */
    int64_t *active;  /* [most] the problems that run */
    int64_t *rows;    /* [most] of a batch: its row, */
    int64_t *places;  /* and where its problem is in `active` */
    double *points;   /* [most, n] */
    double *steps;    /* [most, n] by place in `active` */
    double *trial_head, *trial_gradient, *trial_matrix; /* by place, likewise */
    double *hessian; /* [most, nn] by place */
    /* Of the run. */
    const sfi_levenberg_options *options;
    double *z;
    sfi_levenberg_end *end;
};

/* ---- memory ------------------------------------------------------------------ */

void sfi_levenberg_free(sfi_levenberg *l)
{
    if (l == NULL)
        return;
    const size_t m = (size_t)l->most, n = (size_t)l->n;
    sfi_free(l->ctx, l->hessian, m * n * n, sizeof(double));
    sfi_free(l->ctx, l->trial_matrix, m * n * n, sizeof(double));
    sfi_free(l->ctx, l->trial_gradient, m * n, sizeof(double));
    sfi_free(l->ctx, l->trial_head, m * SFI_LEVENBERG_HEAD, sizeof(double));
    sfi_free(l->ctx, l->steps, m * n, sizeof(double));
    sfi_free(l->ctx, l->points, m * n, sizeof(double));
    sfi_free(l->ctx, l->places, m, sizeof *l->places);
    sfi_free(l->ctx, l->rows, m, sizeof *l->rows);
    sfi_free(l->ctx, l->active, m, sizeof *l->active);
    sfi_free(l->ctx, l->matrix, m * n * n, sizeof(double));
    sfi_free(l->ctx, l->gradient, m * n, sizeof(double));
    sfi_free(l->ctx, l->head, m * SFI_LEVENBERG_HEAD, sizeof(double));
    sfi_free(l->ctx, l->states, m, sizeof *l->states);
    sfi_free(l->ctx, l, 1, sizeof *l);
}

static bool make_room(sfi_levenberg *l)
{
    sf_context *ctx = l->ctx;
    const size_t m = (size_t)l->most, n = (size_t)l->n, d = sizeof(double);
    return (l->states = sfi_alloc(ctx, m, sizeof *l->states)) != NULL &&
           (l->head = sfi_alloc(ctx, m * SFI_LEVENBERG_HEAD, d)) != NULL &&
           (l->gradient = sfi_alloc(ctx, m * n, d)) != NULL &&
           (l->matrix = sfi_alloc(ctx, m * n * n, d)) != NULL &&
           (l->active = sfi_alloc(ctx, m, sizeof *l->active)) != NULL &&
           (l->rows = sfi_alloc(ctx, m, sizeof *l->rows)) != NULL &&
           (l->places = sfi_alloc(ctx, m, sizeof *l->places)) != NULL &&
           (l->points = sfi_alloc(ctx, m * n, d)) != NULL &&
           (l->steps = sfi_alloc(ctx, m * n, d)) != NULL &&
           (l->trial_head = sfi_alloc(ctx, m * SFI_LEVENBERG_HEAD, d)) !=
               NULL &&
           (l->trial_gradient = sfi_alloc(ctx, m * n, d)) != NULL &&
           (l->trial_matrix = sfi_alloc(ctx, m * n * n, d)) != NULL &&
           (l->hessian = sfi_alloc(ctx, m * n * n, d)) != NULL;
}

sf_status sfi_levenberg_new(sf_context *ctx, sfi_levenberg **out, int64_t most,
                            int64_t unknowns)
{
    *out = NULL;
    sfi_levenberg *l = sfi_alloc_zero(ctx, 1, sizeof *l);
    if (l == NULL)
        return SF_E_NOMEM;
    l->ctx = ctx;
    l->most = most;
    l->n = (int)unknowns;
    if (!make_room(l)) {
        sfi_levenberg_free(l);
        return SF_E_NOMEM;
    }
    *out = l;
    return SF_OK;
}

/* ---- one problem ------------------------------------------------------------- */

static bool all_finite(const double *a, int64_t n)
{
    return sfi_first_not_finite(a, n) == n;
}

/* g' B^-1 g, or with the pseudo-inverse where B has no Cholesky factor. */
static double dual_square(const double *g, const double *b, int n)
{
    double l[SFI_SMALL_MAX * SFI_SMALL_MAX], y[SFI_SMALL_MAX];
    double vectors[SFI_SMALL_MAX * SFI_SMALL_MAX], values[SFI_SMALL_MAX];
    if (sfi_small_cholesky(l, b, n)) {
        memcpy(y, g, (size_t)n * sizeof *y);
        sfi_small_lower_solve(l, n, y);
        return sfi_dot(y, y, n);
    }
    double sum = 0.0;
    memcpy(l, b, (size_t)(n * n) * sizeof *l);
    sfi_small_eigen(values, vectors, l, n);
    for (int k = 0; k < n; k++) {
        const double part = sfi_dot(vectors + k * n, g, n);
        if (values[k] > n * DBL_EPSILON * values[n - 1])
            sum += part * part / values[k];
    }
    return sum;
}

/* The step by Newton's matrix; false where that is not positive definite. */
static bool find_newton(const double *hessian, const double *g, int n,
                        double *step, double *foreseen)
{
    double l[SFI_SMALL_MAX * SFI_SMALL_MAX];
    if (!all_finite(hessian, n * n) || !sfi_small_cholesky(l, hessian, n))
        return false;
    for (int i = 0; i < n; i++)
        step[i] = -g[i];
    sfi_small_lower_solve(l, n, step);
    sfi_small_lower_solve_t(l, n, step);
    *foreseen = -0.5 * sfi_dot(g, step, n);
    return true;
}

/* The damped step.  mu grows until the matrix has a factor: at once, but where B
 * is nearly singular to rounding. */
static void find_damped(const double *b, const double *g, int n, state *s,
                        double *step)
{
    double l[SFI_SMALL_MAX * SFI_SMALL_MAX], diagonal[SFI_SMALL_MAX];
    double most = 0.0;
    for (int i = 0; i < n; i++)
        most = fmax(most, b[i * n + i]);
    for (int i = 0; i < n; i++)
        diagonal[i] = b[i * n + i] + 1e-12 * fmax(most, DBL_MIN);
    for (;; s->mu *= 10.0) {
        memcpy(l, b, (size_t)(n * n) * sizeof *l);
        for (int i = 0; i < n; i++)
            l[i * n + i] += s->mu * diagonal[i];
        if (sfi_small_cholesky(l, l, n) || s->mu > most_damping)
            break;
    }
    for (int i = 0; i < n; i++)
        step[i] = -g[i];
    sfi_small_lower_solve(l, n, step);
    sfi_small_lower_solve_t(l, n, step);
    s->foreseen = -0.5 * sfi_dot(g, step, n);
    for (int i = 0; i < n; i++)
        s->foreseen += 0.5 * s->mu * diagonal[i] * step[i] * step[i];
}

/* ---- ranges of the active problems --------------------------------------------- */

static bool wants_newton(const sfi_levenberg *l, int64_t p)
{
    return l->end[p].certificate < newton_begins && !l->states[p].newton_fails;
}

static void choose_steps(void *user, int64_t part, int64_t first, int64_t count)
{
    sfi_levenberg *l = user;
    const int n = l->n;
    (void)part;
    for (int64_t a = first; a < first + count; a++) {
        const int64_t p = l->active[a];
        state *s = &l->states[p];
        const double *g = l->gradient + p * n;
        double *step = l->steps + a * n;
        s->kind = wants_newton(l, p) && find_newton(l->hessian + a * n * n, g,
                                                    n, step, &s->foreseen)
                      ? NEWTON
                      : DAMPED;
        if (s->kind == DAMPED)
            find_damped(l->matrix + p * n * n, g, n, s, step);
        for (int i = 0; i < n; i++)
            l->points[a * n + i] = l->z[p * n + i] + step[i];
    }
}

/* Take over the trial as the iterate. */
static void accept(sfi_levenberg *l, int64_t a, int64_t p)
{
    const int n = l->n;
    const double *head = l->trial_head + a * SFI_LEVENBERG_HEAD;
    memcpy(l->z + p * n, l->points + a * n, (size_t)n * sizeof *l->z);
    memcpy(l->head + p * SFI_LEVENBERG_HEAD, head,
           SFI_LEVENBERG_HEAD * sizeof *head);
    memcpy(l->gradient + p * n, l->trial_gradient + a * n,
           (size_t)n * sizeof *l->gradient);
    memcpy(l->matrix + p * n * n, l->trial_matrix + a * n * n,
           (size_t)(n * n) * sizeof *l->matrix);
}

/* Look at where a problem is now. */
static void certify(sfi_levenberg *l, int64_t p)
{
    const int n = l->n;
    const double *head = l->head + p * SFI_LEVENBERG_HEAD;
    sfi_levenberg_end *e = &l->end[p];
    e->value = head[SFI_LEVENBERG_VALUE];
    e->certificate =
        sqrt(dual_square(l->gradient + p * n, l->matrix + p * n * n, n)) /
        (1.0 + head[SFI_LEVENBERG_SIZE]);
    e->converged = e->certificate <=
                   fmax(l->options->tolerance, head[SFI_LEVENBERG_ROUNDING]);
    l->states[p].running =
        !e->converged && e->iterations < l->options->max_iterations;
}

static bool trial_is_finite(const sfi_levenberg *l, int64_t a)
{
    const int n = l->n;
    return all_finite(l->trial_head + a * SFI_LEVENBERG_HEAD,
                      SFI_LEVENBERG_HEAD) &&
           all_finite(l->trial_gradient + a * n, n) &&
           all_finite(l->trial_matrix + a * n * n, n * n);
}

static double fall(const sfi_levenberg *l, int64_t a, int64_t p)
{
    const int n = l->n;
    const double before = l->head[p * SFI_LEVENBERG_HEAD];
    const double after = l->trial_head[a * SFI_LEVENBERG_HEAD];
    const double rounding =
        100.0 * DBL_EPSILON * fmax(1.0, fmax(fabs(before), fabs(after)));
    if (l->states[p].foreseen > rounding)
        return before - after;
    return -0.5 * (sfi_dot(l->gradient + p * n, l->steps + a * n, n) +
                   sfi_dot(l->trial_gradient + a * n, l->steps + a * n, n));
}

/* Whether the step is below the rounding of z: nothing more can come of it. */
static bool is_rounding(const sfi_levenberg *l, int64_t a, int64_t p)
{
    double step = 0.0, size = 0.0;
    for (int i = 0; i < l->n; i++) {
        step = fmax(step, fabs(l->steps[a * l->n + i]));
        size = fmax(size, fabs(l->z[p * l->n + i]));
    }
    return step <= DBL_EPSILON * size;
}

static void judge(sfi_levenberg *l, int64_t a)
{
    const int64_t p = l->active[a];
    state *s = &l->states[p];
    const double ratio = trial_is_finite(l, a) && s->foreseen > 0.0
                             ? fall(l, a, p) / s->foreseen
                             : -1.0;
    const bool taken = ratio > least_ratio;
    l->end[p].iterations++;
    if (s->kind == NEWTON) {
        s->newton_fails = !taken;
    } else if (taken) {
        s->mu *= fmax(1.0 / 3.0, 1.0 - pow(2.0 * ratio - 1.0, 3.0));
        s->nu = 2.0;
        s->newton_fails = false;
    } else {
        s->mu *= s->nu;
        s->nu *= 2.0;
    }
    const bool stalled = is_rounding(l, a, p);
    if (taken)
        accept(l, a, p);
    certify(l, p);
    s->running = s->running && !stalled && s->mu < most_damping;
}

static void judge_range(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    for (int64_t a = first; a < first + count; a++)
        judge(user, a);
}

/* ---- all of them --------------------------------------------------------------- */

/* The Hessians of those that want one, put where their problem is. */
static sf_status find_hessians(sfi_levenberg *l,
                               const sfi_levenberg_problem *problem,
                               int64_t active, const int64_t *row)
{
    const int n = l->n;
    int64_t count = 0;
    for (int64_t a = 0; a < active; a++) {
        const int64_t p = l->active[a];
        if (!wants_newton(l, p))
            continue;
        memcpy(l->points + count * n, l->z + p * n, (size_t)n * sizeof *l->z);
        l->places[count] = a;
        l->rows[count++] = row[p];
    }
    if (count == 0)
        return SF_OK;
    SFI_TRY(problem->hessian(l->ctx, problem->user, count, l->rows, l->points,
                             l->hessian));
    /* places[i] >= i, so that the last go first. */
    for (int64_t i = count - 1; i >= 0; i--)
        memmove(l->hessian + l->places[i] * n * n, l->hessian + i * n * n,
                (size_t)(n * n) * sizeof *l->hessian);
    return SF_OK;
}

static sf_status find_terms(sfi_levenberg *l,
                            const sfi_levenberg_problem *problem,
                            int64_t active, const int64_t *row)
{
    for (int64_t a = 0; a < active; a++)
        l->rows[a] = row[l->active[a]];
    return problem->terms(l->ctx, problem->user, active, l->rows, l->points,
                          l->trial_head, l->trial_gradient, l->trial_matrix);
}

/* The values at the starts; those where they are not finite do not run. */
static sf_status begin(sfi_levenberg *l, const sfi_levenberg_problem *problem,
                       int64_t count, const int64_t *row)
{
    const int n = l->n;
    memcpy(l->points, l->z, (size_t)(count * n) * sizeof *l->points);
    for (int64_t p = 0; p < count; p++)
        l->active[p] = p;
    SFI_TRY(find_terms(l, problem, count, row));
    for (int64_t p = 0; p < count; p++) {
        l->states[p] = (state){.mu = first_damping, .nu = 2.0};
        l->end[p] = (sfi_levenberg_end){NAN, NAN, 0, false};
        if (!trial_is_finite(l, p))
            continue;
        accept(l, p, p);
        certify(l, p);
    }
    return SF_OK;
}

static int64_t list_running(sfi_levenberg *l, int64_t count)
{
    int64_t active = 0;
    for (int64_t p = 0; p < count; p++)
        if (l->states[p].running)
            l->active[active++] = p;
    return active;
}

sf_status sfi_levenberg_run(sfi_levenberg *l,
                            const sfi_levenberg_problem *problem, int64_t count,
                            const int64_t *row, double *z,
                            const sfi_levenberg_options *options,
                            sfi_levenberg_end *end)
{
    l->options = options;
    l->z = z;
    l->end = end;
    SFI_TRY(begin(l, problem, count, row));
    for (int64_t m = list_running(l, count); m > 0;
         m = list_running(l, count)) {
        SFI_TRY(find_hessians(l, problem, m, row));
        sfi_parallel(l->ctx, m, CHUNK, choose_steps, l);
        SFI_TRY(find_terms(l, problem, m, row));
        sfi_parallel(l->ctx, m, CHUNK, judge_range, l);
    }
    return SF_OK;
}
