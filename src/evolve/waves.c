/* SPDX-License-Identifier: Apache-2.0 */
/* waves.c - the equation of motion of a Lagrangian, a phi_tt = -dE/dphi - gamma a phi_t.
 *
 * Applying the corner rule to time, too, gives Stoermer and Verlet's steps:
 *
 *     aV (phi^(n+1) - 2 phi^n + phi^(n-1))/dt^2 = -dE/dphi(phi^n)
 *
 * with phi^1 = phi^0 + dt v - dt^2/2 dE/dphi/(aV), the natural condition of the time axis.
 * What is kept is v = (phi^(n+1) - phi^n)/dt, so that differences of nearly equal levels
 * are never taken.  For quadratic E with Hessian K,
 *
 *     V sum a v^2/2 + [E(phi^n) + E(phi^(n+1))]/2 - d.K d/4,   d = dt v,
 *
 * is constant; otherwise the last term is left out, and the energy stays within O(dt^2).
 *
 * Three such steps, the middle one back, are of order 4 (evolve/symplectic.h).  Damping
 * enters each step so that it stays symmetric in time, and keeps the order.
 *
 * The implicit midpoint has no bound of its step; for quadratic E it keeps the energy.  With
 * d = phi^(n+1) - phi^n, and v at levels,
 *
 *     aV [(1 + gamma dt/2) d - dt v] + dt^2/2 dE/dphi(phi^n + d/2) = 0,
 *
 * by Newton's method, whose matrix aV (1 + gamma dt/2) + dt^2/4 H is positive where the
 * step resolves what grows. */
#include "action/form.h"
#include "evolve/motion.h"
#include "evolve/symplectic.h"

#include <math.h>
#include <string.h>

/* Of the largest frequency times the step: 2 of one leapfrog; that of three is where the
 * trace of their matrix leaves [-2, 2]. */
#define LEAPFROG_BOUND 2.0
#define YOSHIDA_BOUND  1.5734

enum {
    LOOKS = 50,  /* at the energy, in a frame */
    RENEW = 200, /* steps, then the bound is found again */
    MOST_NEWTON = 30,
    MOST_PRODUCTS = 10000
};

typedef struct wave {
    sfi_motion *m;
    const sf_action_evolve_options *o;
    double dt, each; /* a step; from frame to frame */
    int64_t steps;   /* in a frame                  */
} wave;

/* Of level n. */
static double time_of(const wave *w, int64_t n)
{
    return w->each * (double)(n / w->steps) + w->dt * (double)(n % w->steps);
}

/* ---- energy --------------------------------------------------------------------------- */

static double kinetic(const sfi_motion *m)
{
    double sum = 0.0;
    for (int64_t i = 0; i < m->n; i++)
        sum += 0.5 * m->mass[i] * m->v[i] * m->v[i];
    return sum;
}

/* Of the leapfrog to level n; of other methods, at level n. */
static sf_status energy_of(const wave *w, int64_t n, double *out)
{
    sfi_motion *m = w->m;
    double e[2] = {0.0, 0.0}, bend = 0.0;
    double *before = m->spare[0], *product = m->spare[1];
    if (m->yee.fits) {
        SFI_TRY(sfi_action_value(m->a, m->gauss.still, &e[0]));
        for (int64_t i = 0; i < m->n; i++)
            bend += m->gauss.current[i] * (m->x[i] - 0.5 * w->dt * m->v[i]);
        *out = kinetic(m) + e[0] - bend +
               sfi_yee_energy(&m->yee, w->dt, m->v, before);
        return SF_OK;
    }
    SFI_TRY(sfi_action_value(m->a, m->x, &e[0]));
    if (w->o->method != SF_METHOD_LEAPFROG) {
        *out = kinetic(m) + e[0];
        return SF_OK;
    }
    for (int64_t i = 0; i < m->n; i++)
        before[i] = m->x[i] - w->dt * m->v[i];
    SFI_TRY(sfi_motion_pin(m, time_of(w, n - 1), before));
    SFI_TRY(sfi_action_value(m->a, before, &e[1]));
    SFI_TRY(sfi_motion_pin(m, time_of(w, n), m->x));
    if (m->a->is_linear) {
        SFI_TRY(sfi_action_product(m->a, m->x, m->v, product));
        for (int64_t i = 0; i < m->n; i++)
            bend += m->v[i] * product[i];
    }
    *out = kinetic(m) + 0.5 * (e[0] + e[1]) - 0.25 * w->dt * w->dt * bend;
    return SF_OK;
}

/* ---- steps ---------------------------------------------------------------------------- */

/* The same with a loss at each point; its current carries charge. */
static void lose(const wave *w, double half, double kick, bool is_first)
{
    sfi_motion *m = w->m;
    for (int64_t i = 0; i < m->n; i++) {
        const double h = half + 0.5 * w->dt * m->loss[i], before = m->v[i];
        m->v[i] = ((1.0 - h) * before + kick * m->force[i]) /
                  (is_first ? 1.0 : 1.0 + h);
        if (m->a->form != NULL)
            m->gauss.moved[i] -=
                m->mass[i] * h * (is_first ? before : before + m->v[i]);
    }
}

/* phi^n and v^(n-1/2) to phi^(n+1) and v^(n+1/2); at n = 0 v is that of level 0. */
static sf_status leapfrog(const wave *w, int64_t n)
{
    sfi_motion *m = w->m;
    const double dt = w->dt, half = 0.5 * w->o->damping * dt;
    const double kick = n == 0 ? 0.5 * dt : dt;
    SFI_TRY(sfi_motion_force(m, time_of(w, n), m->x, m->force));
    if (m->yee.fits)
        sfi_yee_force(&m->yee, m->gauss.current, m->mass, m->absorb, m->force);
    else if (m->absorb != NULL)
        sfi_absorb_step(m->absorb, m->mass, m->x, m->force);
    if (m->a->form != NULL)
        sfi_gauss_kick(&m->gauss, kick);
    if (m->loss != NULL) {
        lose(w, half, kick, n == 0);
    } else {
        const double fall = n == 0 ? 1.0 : 1.0 / (1.0 + half);
        for (int64_t i = 0; i < m->n; i++)
            m->v[i] = fall * ((1.0 - half) * m->v[i] + kick * m->force[i]);
    }
    sfi_drift(m->x, m->v, dt, m->n);
    if (m->yee.fits)
        sfi_yee_drift(&m->yee, dt, m->v, m->absorb);
    return sfi_motion_pin(m, time_of(w, n + 1), m->x);
}

static void damp(sfi_motion *m, double gamma, double time)
{
    const double keep = exp(-gamma * time);
    for (int64_t i = 0; i < m->n && gamma > 0.0; i++)
        m->v[i] *= keep;
}

/* m->force is that of phi^n, and then of phi^(n+1). */
static sf_status yoshida(const wave *w, int64_t n)
{
    sfi_motion *m = w->m;
    double time = time_of(w, n);
    for (int s = 0; s < sfi_yoshida.stages; s++) {
        const double part = w->dt * sfi_yoshida.drift[s];
        damp(m, w->o->damping, 0.5 * part);
        sfi_kick(m->v, m->force, -0.5 * part, m->n);
        sfi_drift(m->x, m->v, part, m->n);
        time = s < sfi_yoshida.stages - 1 ? time + part : time_of(w, n + 1);
        SFI_TRY(sfi_motion_force(m, time, m->x, m->force));
        sfi_kick(m->v, m->force, -0.5 * part, m->n);
        damp(m, w->o->damping, 0.5 * part);
    }
    return SF_OK;
}

static double over_mass(const sfi_motion *m, const double *r, int64_t i)
{
    return m->mass[i] > 0.0 ? r[i] / m->mass[i] : 0.0;
}

/* Add to d what makes the residual r of the midpoint vanish to first order, by conjugate
 * gradients; r becomes what is left of it. */
static sf_status midpoint_correct(const wave *w, const double *mid, double *r,
                                  double *d)
{
    sfi_motion *m = w->m;
    const double mass = 1.0 + 0.5 * w->o->damping * w->dt;
    const double bend = 0.25 * w->dt * w->dt;
    double *p = m->spare[2], *q = m->spare[3], size = 0.0;
    for (int64_t i = 0; i < m->n; i++) {
        p[i] = -over_mass(m, r, i);
        size -= p[i] * r[i];
    }
    const double enough = 1e-32 * size;
    for (int k = 0; k < MOST_PRODUCTS && size > enough; k++) {
        double curve = 0.0, next = 0.0;
        SFI_TRY(sfi_action_product(m->a, mid, p, q));
        for (int64_t i = 0; i < m->n; i++) {
            q[i] = mass * m->mass[i] * p[i] + bend * q[i];
            curve += p[i] * q[i];
        }
        if (!(curve > 0.0))
            return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                            "evolve: a midpoint step of %g is too long for "
                            "what grows at time %g",
                            w->dt, m->a->time);
        const double alpha = size / curve;
        for (int64_t i = 0; i < m->n; i++) {
            d[i] += alpha * p[i];
            r[i] += alpha * q[i];
            next += r[i] * over_mass(m, r, i);
        }
        for (int64_t i = 0; i < m->n; i++)
            p[i] = next / size * p[i] - over_mass(m, r, i);
        size = next;
    }
    return SF_OK;
}

/* The residual of d, and its size. */
static sf_status midpoint_residual(const wave *w, double middle,
                                   const double *d, double *mid, double *r,
                                   double *size)
{
    sfi_motion *m = w->m;
    const double dt = w->dt, mass = 1.0 + 0.5 * w->o->damping * dt;
    for (int64_t i = 0; i < m->n; i++)
        mid[i] = m->x[i] + 0.5 * d[i];
    SFI_TRY(sfi_motion_force(m, middle, mid, r));
    *size = 0.0;
    for (int64_t i = 0; i < m->n; i++) {
        r[i] = m->a->pinned[i] ? 0.0
                               : m->mass[i] * (mass * d[i] - dt * m->v[i] -
                                               0.5 * dt * dt * r[i]);
        *size += r[i] * over_mass(m, r, i);
    }
    return SF_OK;
}

static sf_status midpoint(const wave *w, int64_t n)
{
    sfi_motion *m = w->m;
    const double middle = 0.5 * (time_of(w, n) + time_of(w, n + 1));
    double *d = m->spare[0], *mid = m->spare[1], *r = m->force;
    double first = 0.0, last = INFINITY, size = 0.0;
    for (int64_t i = 0; i < m->n; i++)
        d[i] = w->dt * m->v[i];
    for (int k = 0;; k++) {
        SFI_TRY(midpoint_residual(w, middle, d, mid, r, &size));
        first = k == 0 ? size : first;
        /* Until rounding is left: each correction squares what was there. */
        if (size <= 1e-30 * first || (k > 1 && !(size < 0.25 * last)))
            break;
        if (k == MOST_NEWTON)
            return SFI_FAIL(m->ctx, SF_E_CONVERGE,
                            "evolve: the midpoint step at time %g was not "
                            "found; take a shorter one than %g",
                            middle, w->dt);
        last = size;
        SFI_TRY(midpoint_correct(w, mid, r, d));
    }
    for (int64_t i = 0; i < m->n; i++) {
        m->x[i] += d[i];
        m->v[i] = m->a->pinned[i] ? 0.0 : 2.0 / w->dt * d[i] - m->v[i];
    }
    return sfi_motion_pin(m, time_of(w, n + 1), m->x);
}

static sf_status step(const wave *w, int64_t n)
{
    return w->o->method == SF_METHOD_LEAPFROG   ? leapfrog(w, n)
           : w->o->method == SF_METHOD_YOSHIDA4 ? yoshida(w, n)
                                                : midpoint(w, n);
}

/* ---- a run ---------------------------------------------------------------------------- */

static sf_status find_bound(const wave *w, double *out)
{
    double rate = 0.0;
    SFI_TRY(sfi_motion_rate(w->m, w->m->x, &rate));
    *out = rate > 0.0 ? (w->o->method == SF_METHOD_YOSHIDA4 ? YOSHIDA_BOUND
                                                            : LEAPFROG_BOUND) /
                            sqrt(rate)
                      : INFINITY;
    return SF_OK;
}

/* Whether the bound has fallen below the step, where that may be. */
static sf_status check_bound(const wave *w, int64_t n)
{
    const sf_action *a = w->m->a;
    double bound = INFINITY;
    if (n == 0 || n % RENEW != 0 || w->o->method == SF_METHOD_MIDPOINT ||
        (a->is_linear && !a->has_aging_hessian))
        return SF_OK;
    SFI_TRY(find_bound(w, &bound));
    return w->dt <= bound
               ? SF_OK
               : SFI_FAIL(a->ctx, SF_E_NUMERIC,
                          "evolve: at time %g the step, %g, is above the "
                          "stability bound, which has become %g; give a "
                          "shorter step",
                          time_of(w, n), w->dt, bound);
}

/* After step n: what is measured, and who is told. */
static sf_status look(const wave *w, int64_t n, int64_t every)
{
    sfi_motion *m = w->m;
    const bool is_due = n % every == 0 || n == 1 || n % w->steps == 0;
    double now = NAN;
    if (!is_due && m->told.level == NULL)
        return SF_OK;
    SFI_TRY(energy_of(w, n, &now));
    m->out->energy_end = now;
    if (n == 1 && w->o->method == SF_METHOD_LEAPFROG)
        m->out->energy_start = now;
    const double start = m->out->energy_start;
    if (start != 0.0)
        m->out->drift = fmax(m->out->drift, fabs(now - start) / fabs(start));
    SFI_TRY(sfi_motion_level(m, time_of(w, n), now));
    if (!is_due)
        return SF_OK;
    SFI_TRY(sfi_motion_check_finite(m, m->x, time_of(w, n)));
    return sfi_motion_go_on(m, time_of(w, n));
}

/* What the energy of a leapfrog that is constant has less than that at a level, with the
 * force of it: dt^2/8 K phi.M^-1 K phi. */
static double half_step(const wave *w)
{
    const sfi_motion *m = w->m;
    double sum = 0.0;
    for (int64_t i = 0; i < m->n; i++)
        sum += m->mass[i] * m->force[i] * m->force[i];
    return w->o->method == SF_METHOD_LEAPFROG && m->a->is_linear
               ? 0.125 * w->dt * w->dt * sum
               : 0.0;
}

/* From the state that is kept, or from the start; *first is the frame. */
static sf_status take_up(wave *w, int64_t *first)
{
    sfi_motion *m = w->m;
    const sf_action_evolve_options *o = w->o;
    const double numbers[] = {w->dt, w->each, (double)o->frames, o->damping,
                              (double)o->method};
    *first = 0;
    if (m->absorb != NULL)
        SFI_TRY(sfi_absorb_prepare(m->absorb, w->dt, m->mass, m->spare[0],
                                   m->spare[1]));
    SFI_TRY(sfi_motion_mark(m, numbers, (int)SFI_COUNT(numbers)));
    if (o->resume != NULL)
        SFI_TRY(
            sfi_motion_resume(m, o->resume, o->resume_count, NULL, 0, first));
    else
        m->out->energy_start += kinetic(m) - half_step(w);
    m->out->step = w->dt;
    if (o->method == SF_METHOD_YOSHIDA4)
        SFI_TRY(
            sfi_motion_force(m, time_of(w, *first * w->steps), m->x, m->force));
    return *first == 0 ? sfi_motion_level(m, 0.0, m->out->energy_start) : SF_OK;
}

/* The leapfrog has them half a step before: half a kick is to come. */
static sf_status show_rates(const wave *w, int64_t n)
{
    sfi_motion *m = w->m;
    double *v = m->spare[0];
    if (m->told.rates == NULL)
        return SF_OK;
    memcpy(v, m->v, (size_t)m->n * sizeof *v);
    if (w->o->method == SF_METHOD_LEAPFROG) {
        SFI_TRY(sfi_motion_force(m, time_of(w, n), m->x, m->force));
        for (int64_t i = 0; i < m->n; i++)
            v[i] +=
                0.5 * w->dt *
                (m->force[i] -
                 (w->o->damping + (m->loss != NULL ? m->loss[i] : 0.0)) * v[i]);
    }
    return sfi_motion_show_rates(m, v, time_of(w, n));
}

/* Of a form: what is to hold to rounding. */
static sf_status check_laws(const wave *w)
{
    sfi_motion *m = w->m;
    const size_t n = (size_t)m->n;
    if (m->a->form == NULL)
        return SF_OK;
    double *b = sfi_alloc(m->ctx, 2 * n, sizeof *b);
    if (b == NULL)
        return SF_E_NOMEM;
    if (m->yee.fits)
        sfi_yee_curl(&m->yee, b);
    else
        sfi_form_curl(m->a, m->x, b);
    m->out->div_b = sfi_form_curl_divergence(m->a, b, m->gauss.is_seen, b + n);
    if (w->o->method == SF_METHOD_LEAPFROG)
        m->out->gauss = sfi_gauss_residual(&m->gauss, m->mass, m->v);
    sfi_free(m->ctx, b, 2 * n, sizeof *b);
    return SF_OK;
}

static sf_status evolve(wave *w)
{
    sfi_motion *m = w->m;
    const int64_t frames = w->o->frames;
    int64_t first = 0;
    w->each = w->o->until / (double)frames;
    w->steps = (int64_t)ceil(w->each / w->dt * (1.0 - 1e-12));
    w->dt = w->each / (double)w->steps;
    const int64_t every = w->steps > LOOKS ? w->steps / LOOKS : 1;
    SFI_TRY(take_up(w, &first));
    for (int64_t n = first * w->steps; n < frames * w->steps;) {
        SFI_TRY(check_bound(w, n));
        SFI_TRY(step(w, n++));
        m->out->accepted = n;
        SFI_TRY(look(w, n, every));
        if (n % w->steps != 0)
            continue;
        SFI_TRY(sfi_motion_show(m, m->x, time_of(w, n)));
        SFI_TRY(show_rates(w, n));
        SFI_TRY(sfi_motion_save(m, NULL, 0, n / w->steps));
    }
    return SF_OK;
}

/* ---- the start ------------------------------------------------------------------------ */

/* The conductivity over the mass, of each number. */
static sf_status find_loss(const wave *w)
{
    sfi_motion *m = w->m;
    sf_action *a = m->a;
    const sf_field *sigma = w->o->conductivity;
    const sf_action *inner = m->absorb != NULL ? m->absorb->inner : a;
    if (sigma == NULL)
        return SF_OK;
    if (sigma->grid == NULL || sigma->components != 1 || sigma->place[0] != 0 ||
        sf_field_points(sigma, 0) != inner->points)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "evolve: the conductivity is to lie on the points of "
                        "the action's grid");
    double *nodal = m->spare[0], *from = m->spare[1];
    sf_field_get(sigma, 0, from);
    for (int64_t i = 0; i < inner->points; i++)
        if (!(from[i] >= 0.0) || !isfinite(from[i]))
            return SFI_FAIL(m->ctx, SF_E_ARG,
                            "evolve: the conductivity is %g at point %lld, "
                            "want >= 0",
                            from[i], (long long)i);
    if (m->absorb != NULL)
        sfi_absorb_extend(m->absorb, from, nodal);
    else
        memcpy(nodal, from, (size_t)a->points * sizeof *nodal);
    m->loss = sfi_alloc(m->ctx, (size_t)m->n, sizeof *m->loss);
    if (m->loss == NULL)
        return SF_E_NOMEM;
    for (int u = 0; u < a->unknowns; u++)
        sfi_action_cells(a, sfi_action_place(a, u), nodal,
                         m->loss + u * a->points);
    for (int64_t i = 0; i < m->n; i++)
        m->loss[i] = m->mass[i] > 0.0 ? m->loss[i] / m->mass[i] : 0.0;
    return SF_OK;
}

static sf_status begin_gauss(const wave *w)
{
    sfi_motion *m = w->m;
    const sf_action *inner = m->absorb != NULL ? m->absorb->inner : m->a;
    int64_t first[SF_MAX_AXES] = {0}, count[SF_MAX_AXES] = {0};
    if (m->a->form == NULL)
        return SF_OK;
    for (int k = 0; k < m->a->rank; k++) { /* not at what is absorbed */
        first[k] = m->absorb != NULL ? m->absorb->before[k] : 0;
        count[k] = inner->count[k];
        if (m->absorb != NULL && inner->walls[2 * k].kind == SF_SIDE_OPEN) {
            first[k]++;
            count[k]--;
        }
        if (m->absorb != NULL && inner->walls[2 * k + 1].kind == SF_SIDE_OPEN)
            count[k]--;
    }
    SFI_TRY(sfi_gauss_begin(&m->gauss, m->a, m->mass, m->v, first, count));
    if (w->o->method == SF_METHOD_LEAPFROG)
        SFI_TRY(sfi_yee_begin(&m->yee, m->a, m->x, m->spare[0], m->spare[1]));
    if (m->yee.fits)
        m->out->engine = "Yee";
    return m->absorb == NULL || m->yee.fits
               ? SF_OK
               : SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                          "evolve: beyond an open side the energy of a form is "
                          "to be the square of its curl, with factors that "
                          "depend on the coordinates alone");
}

/* Rates at the start, masses, and the step. */
static sf_status prepare(wave *w, const sf_field *rates)
{
    sfi_motion *m = w->m;
    double bound = INFINITY;
    for (int u = 0; u < m->a->unknowns; u++) {
        const int64_t first = u * m->a->points;
        double *mass = m->mass + first;
        SFI_TRY(sfi_action_inertia(m->a, u, m->spare[0]));
        sfi_action_cells(m->a, sfi_action_place(m->a, u), m->spare[0], mass);
        for (int64_t i = 0; i < m->a->points; i++)
            if (!(mass[i] > 0.0) && !m->a->pinned[first + i])
                return SFI_FAIL(
                    m->ctx, SF_E_ARG,
                    "evolve: the factor of dt(%s)^2 is not positive",
                    m->a->names[u]);
    }
    if (rates != NULL)
        SFI_TRY(sfi_action_gather(m->a, rates, m->v));
    for (int64_t i = 0; i < m->n; i++)
        if (m->a->pinned[i])
            m->v[i] = 0.0;
    SFI_TRY(sfi_motion_check_finite(m, m->v, 0.0));
    SFI_TRY(find_loss(w));
    SFI_TRY(begin_gauss(w));
    SFI_TRY(find_bound(w, &bound));
    w->dt = w->o->step > 0.0 ? w->o->step : 0.9 * bound;
    if (w->dt > bound && w->o->method != SF_METHOD_MIDPOINT)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "evolve: step is %g, above the stability bound %g",
                        w->dt, bound);
    w->dt = fmin(w->dt, w->o->until);
    return SF_OK;
}

sf_status sf_action_evolve(sf_action *a, sf_field *fields,
                           const sf_field *rates,
                           const sf_action_evolve_options *opts,
                           sf_action_motion *out)
{
    static const char *const engines[] = {"Stoermer-Verlet", "Yoshida",
                                          "implicit midpoint"};
    sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    sf_action_motion none;
    sfi_motion m;
    wave w = {.m = &m, .o = &o};
    out = out != NULL ? out : &none;
    SFI_TRY(sfi_options(a->ctx, &o, sizeof o, opts));
    if (!(o.until > 0.0) || !(o.step >= 0.0) || !(o.damping >= 0.0) ||
        o.frames < 1 || (unsigned)o.method > SF_METHOD_MIDPOINT || o.absorb < 2)
        return SFI_FAIL(
            a->ctx, SF_E_ARG,
            "evolve: until is %g, step %g, damping %g, frames %lld, "
            "method %d, absorb %d; want > 0, >= 0, >= 0, >= 1, 0 to 2, >= 2",
            o.until, o.step, o.damping, (long long)o.frames, (int)o.method,
            o.absorb);
    if (o.conductivity != NULL && o.method != SF_METHOD_LEAPFROG)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "evolve: a conductivity wants the method leapfrog");
    if (a->is_open && o.method != SF_METHOD_LEAPFROG)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "evolve: open sides want the method leapfrog");
    sfi_absorb beyond = {0};
    sf_status status = SF_OK;
    memset(&m, 0, sizeof m);
    if (a->is_open)
        status = sfi_absorb_new(&beyond, a, o.absorb, fields, rates);
    if (status == SF_OK)
        status = sfi_motion_begin(&m, a->is_open ? beyond.a : a, "evolve",
                                  fields, a->is_open ? &beyond : NULL, out);
    if (a->is_open && rates != NULL)
        rates = beyond.rates;
    out->engine = engines[o.method];
    m.until = o.until;
    m.told = o.told;
    if (status == SF_OK)
        status = prepare(&w, rates);
    if (status == SF_OK)
        status = evolve(&w);
    if (status == SF_OK)
        status = check_laws(&w);
    if (status == SF_OK)
        sfi_motion_scatter(&m, m.x);
    sfi_motion_end(&m);
    sfi_absorb_free(&beyond);
    return status;
}
