/* SPDX-License-Identifier: Apache-2.0 */
/* motion.c - the equation of motion of a Lagrangian, and what goes downhill.
 *
 * Waves.  Applying the corner rule to time, too, gives Stoermer and Verlet's steps:
 *
 *     aV (phi^(n+1) - 2 phi^n + phi^(n-1))/dt^2 = -dE/dphi(phi^n)
 *
 * with phi^1 = phi^0 + dt v - dt^2/2 dE/dphi/(aV), the natural condition of the time axis.
 * For quadratic E with Hessian K,
 *
 *     V sum a v^2/2 + [E(phi^n) + E(phi^(n+1))]/2 - d.K d/4,   d = phi^(n+1) - phi^n = dt v,
 *
 * is constant; otherwise the last term is left out, and the energy stays within O(dt^2).
 *
 * Flows.  V dphi/dt = -dE/dphi by Runge-Kutta-Chebyshev steps of second order, whose
 * number of stages s grows as the square root of dt times the largest rate. */
#include "action/action.h"

#include <math.h>
#include <string.h>

enum { ARRAYS = 8, POWER_STEPS = 40, RENEW = 25, MOST_STAGES = 2000 };

typedef struct motion {
    sf_action *a;
    sf_context *ctx;
    int64_t n;
    double *x, *g, *mass, *before, *y1, *y2, *force, *other;
    sf_action_motion *out;
    double begun;
} motion;

/* ---- what both need ------------------------------------------------------------------- */

static sf_status rates_of(motion *m, const double *x, double *out)
{
    m->out->gradients++;
    SFI_TRY(sfi_action_gradient(m->a, x, out));
    for (int64_t i = 0; i < m->n; i++)
        out[i] = m->mass[i] > 0.0 ? -out[i] / m->mass[i] : 0.0;
    return SF_OK;
}

/* The largest eigenvalue of mass^-1 H at x, from POWER_STEPS products; a little more than
 * that. */
static sf_status largest_rate(motion *m, const double *x, double *out)
{
    double *v = m->y1, *w = m->y2, size = 0.0;
    for (int64_t i = 0; i < m->n; i++)
        v[i] = m->mass[i] > 0.0 ? (i % 2 == 0 ? 1.0 : -1.0) +
                                      0.5 * sin(1.0 + 0.737 * (double)i)
                                : 0.0;
    /* Not at the points that are pinned, which have no gradient. */
    SFI_TRY(sfi_action_diagonal(m->a, x, w));
    for (int64_t i = 0; i < m->n; i++)
        v[i] = w[i] != 0.0 ? v[i] : 0.0;
    *out = 0.0;
    for (int k = 0; k < POWER_STEPS; k++) {
        size = 0.0;
        for (int64_t i = 0; i < m->n; i++)
            size += v[i] * v[i];
        size = sqrt(size);
        if (!(size > 0.0))
            return SF_OK;
        for (int64_t i = 0; i < m->n; i++)
            v[i] /= size;
        SFI_TRY(sfi_action_product(m->a, x, v, w));
        double rayleigh = 0.0, weight = 0.0;
        for (int64_t i = 0; i < m->n; i++) {
            rayleigh += v[i] * w[i];
            weight += v[i] * m->mass[i] * v[i];
            w[i] = m->mass[i] > 0.0 ? w[i] / m->mass[i] : 0.0;
        }
        *out = fmax(*out, fabs(rayleigh) / weight);
        memcpy(v, w, (size_t)m->n * sizeof *v);
    }
    *out *= 1.05;
    return SF_OK;
}

static sf_status check_finite(const motion *m, const double *x, double time)
{
    for (int64_t i = 0; i < m->n; i++)
        if (!isfinite(x[i]))
            return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                            "motion: the field is not finite at time %g", time);
    return SF_OK;
}

static sf_status go_on(const motion *m, double time, double until)
{
    const sf_progress p = {"motion", (int64_t)(1000.0 * time / until),
                           1000,     time,
                           NAN,      sfi_clock() - m->begun};
    return sfi_progress(m->ctx, &p, false)
               ? SF_OK
               : SFI_FAIL(m->ctx, SF_E_CANCELLED, "motion: stopped");
}

typedef struct frames {
    sf_status (*frame)(void *user, double time, const sf_field *fields);
    void *user;
    sf_field *fields;
} frames;

static sf_status show(const motion *m, const frames *f, const double *x,
                      double time)
{
    SFI_TRY(check_finite(m, x, time));
    if (f->frame == NULL)
        return SF_OK;
    sfi_action_scatter(m->a, x, f->fields);
    return f->frame(f->user, time, f->fields);
}

/* ---- making ----------------------------------------------------------------------------- */

static sf_status begin(motion *m, sf_action *a, sf_field *fields,
                       sf_action_motion *out)
{
    sf_action_info info;
    memset(m, 0, sizeof *m);
    memset(out, 0, sizeof *out);
    SFI_TRY(sf_action_describe(a, &info));
    if (a->is_open)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: what moves does not stop at an open side; "
                        "they are for fields at rest");
    m->a = a;
    m->ctx = a->ctx;
    m->n = a->unknowns * a->points;
    m->out = out;
    m->begun = sfi_clock();
    double **arrays[ARRAYS] = {&m->x,  &m->g,  &m->mass,  &m->before,
                               &m->y1, &m->y2, &m->force, &m->other};
    double *room = sfi_alloc_zero(m->ctx, ARRAYS * (size_t)m->n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < ARRAYS; i++)
        *arrays[i] = room + i * (size_t)m->n;
    SFI_TRY(sfi_action_gather(a, fields, m->x));
    for (int u = 0; u < a->unknowns; u++) {
        sfi_action_pin(a, m->x + u * a->points);
        sfi_action_volumes(a, m->mass + u * a->points);
    }
    SFI_TRY(check_finite(m, m->x, 0.0));
    return sfi_action_value(a, m->x, &out->energy_start);
}

static void end(motion *m)
{
    sfi_free(m->ctx, m->x, ARRAYS * (size_t)m->n, sizeof *m->x);
}

/* ---- downhill ------------------------------------------------------------------------------ */

/* T_j, T'_j and T''_j at w, by their recursion. */
typedef struct chebyshev {
    double t[3], d[3], dd[3]; /* of j, j - 1, j - 2 */
} chebyshev;

static chebyshev chebyshev_first(double w)
{
    return (chebyshev){{w, 1.0, 0.0}, {1.0, 0.0, 0.0}, {0.0, 0.0, 0.0}};
}

static void chebyshev_next(chebyshev *c, double w)
{
    for (int k = 2; k > 0; k--) {
        c->t[k] = c->t[k - 1];
        c->d[k] = c->d[k - 1];
        c->dd[k] = c->dd[k - 1];
    }
    c->t[0] = 2.0 * w * c->t[1] - c->t[2];
    c->d[0] = 2.0 * c->t[1] + 2.0 * w * c->d[1] - c->d[2];
    c->dd[0] = 4.0 * c->d[1] + 2.0 * w * c->dd[1] - c->dd[2];
}

/* One step of s stages from m->x, whose rates are in m->g, to m->before. */
static sf_status chebyshev_step(motion *m, double h, int stages)
{
    const double w0 = 1.0 + 2.0 / 13.0 / ((double)stages * (double)stages);
    chebyshev c = chebyshev_first(w0);
    for (int j = 2; j <= stages; j++)
        chebyshev_next(&c, w0);
    const double w1 = c.d[0] / c.dd[0];
    c = chebyshev_first(w0);
    chebyshev_next(&c, w0);
    const double b2 = c.dd[0] / (c.d[0] * c.d[0]);
    double b[3] = {b2, b2, b2}; /* of j, j - 1, j - 2 */
    double a_before = 1.0 - b2 * w0;
    double *now = m->y1, *last = m->other, *next = m->before;
    memcpy(last, m->x, (size_t)m->n * sizeof *last);
    for (int64_t i = 0; i < m->n; i++)
        now[i] = m->x[i] + b2 * w1 * h * m->g[i];
    c = chebyshev_first(w0);
    for (int j = 2; j <= stages; j++) {
        chebyshev_next(&c, w0);
        b[2] = b[1];
        b[1] = b[0];
        b[0] = c.dd[0] / (c.d[0] * c.d[0]);
        const double mu = 2.0 * b[0] * w0 / b[1], nu = -b[0] / b[2];
        const double mu1 = 2.0 * b[0] * w1 / b[1], gamma = -a_before * mu1;
        a_before = 1.0 - b[0] * c.t[0];
        SFI_TRY(rates_of(m, now, m->force));
        for (int64_t i = 0; i < m->n; i++)
            next[i] = (1.0 - mu - nu) * m->x[i] + mu * now[i] + nu * last[i] +
                      mu1 * h * m->force[i] + gamma * h * m->g[i];
        double *spare = last;
        last = now;
        now = next;
        next = spare;
    }
    if (now != m->before)
        memcpy(m->before, now, (size_t)m->n * sizeof *now);
    return SF_OK;
}

/* The error of the step to m->before, of which m->force then has the rates, in units of
 * the tolerance. */
static sf_status step_error(motion *m, double h, double tolerance, double *out)
{
    double worst = 0.0, size = 0.0;
    SFI_TRY(rates_of(m, m->before, m->force));
    for (int64_t i = 0; i < m->n; i++) {
        const double e =
            0.8 * (m->x[i] - m->before[i]) + 0.4 * h * (m->g[i] + m->force[i]);
        worst = fmax(worst, fabs(e));
        size = fmax(size, fabs(m->before[i]));
        if (!isfinite(e))
            worst = INFINITY;
    }
    *out = worst / (tolerance * (size > 0.0 ? size : 1.0));
    return SF_OK;
}

static sf_status flow(motion *m, const sf_action_flow_options *o,
                      const frames *f)
{
    double time = 0.0, rate = 0.0;
    SFI_TRY(rates_of(m, m->x, m->g));
    SFI_TRY(largest_rate(m, m->x, &rate));
    double h = o->step > 0.0
                   ? o->step
                   : fmin(o->until, rate > 0.0 ? 0.25 / rate : o->until);
    for (int64_t k = 1; k <= o->frames; k++) {
        const double stop = o->until * (double)k / (double)o->frames;
        while (time < stop) {
            const bool last = time + h >= stop * (1.0 - 1e-12);
            const double used = last ? stop - time : h;
            int stages = 1 + (int)sqrt(1.0 + 1.54 * used * rate);
            if (stages < 2)
                stages = 2;
            if (stages > MOST_STAGES) {
                h = 0.5 * used;
                continue;
            }
            double error = 0.0;
            SFI_TRY(chebyshev_step(m, used, stages));
            SFI_TRY(step_error(m, used, o->tolerance, &error));
            const double factor =
                fmin(5.0, fmax(0.1, 0.8 / cbrt(fmax(error, 1e-9))));
            if (error > 1.0) {
                m->out->rejected++;
                h = used * (isfinite(factor) ? factor : 0.1);
                if (h < 1e-14 * o->until)
                    return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                                    "flow: no step is small enough at time %g",
                                    time);
                continue;
            }
            memcpy(m->x, m->before, (size_t)m->n * sizeof *m->x);
            memcpy(m->g, m->force, (size_t)m->n * sizeof *m->g);
            time = last ? stop : time + used;
            m->out->step = used;
            if (!last || factor < 1.0)
                h = used * factor;
            if (++m->out->accepted % RENEW == 0 && !m->a->is_linear)
                SFI_TRY(largest_rate(m, m->x, &rate));
            SFI_TRY(go_on(m, time, o->until));
        }
        SFI_TRY(show(m, f, m->x, time));
    }
    return SF_OK;
}

sf_status sf_action_flow(sf_action *a, sf_field *fields,
                         const sf_action_flow_options *opts,
                         sf_action_motion *out)
{
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    sf_action_motion none;
    motion m;
    out = out != NULL ? out : &none;
    SFI_TRY(sfi_options(a->ctx, &o, sizeof o, opts));
    if (!(o.until > 0.0) || !(o.tolerance > 0.0) || !(o.step >= 0.0) ||
        o.frames < 1)
        return SFI_FAIL(
            a->ctx, SF_E_ARG,
            "flow: until is %g, tolerance %g, step %g, frames %lld; "
            "want > 0, > 0, >= 0, >= 1",
            o.until, o.tolerance, o.step, (long long)o.frames);
    const frames f = {o.frame, o.user, fields};
    sf_status status = begin(&m, a, fields, out);
    out->engine = "Runge-Kutta-Chebyshev";
    if (status == SF_OK)
        status = flow(&m, &o, &f);
    if (status == SF_OK) {
        sfi_action_scatter(a, m.x, fields);
        status = sfi_action_value(a, m.x, &out->energy_end);
    }
    if (m.x != NULL)
        end(&m);
    return status;
}

/* ---- waves ------------------------------------------------------------------------------------ */

/* Energy between the levels m->before and m->x, a step dt apart. */
static sf_status wave_energy(motion *m, double dt, double *out)
{
    double kinetic = 0.0, e[2] = {0.0, 0.0}, bend = 0.0;
    for (int64_t i = 0; i < m->n; i++) {
        m->y1[i] = m->x[i] - m->before[i];
        kinetic += 0.5 * m->mass[i] * m->y1[i] * m->y1[i] / (dt * dt);
    }
    SFI_TRY(sfi_action_value(m->a, m->x, &e[0]));
    SFI_TRY(sfi_action_value(m->a, m->before, &e[1]));
    if (m->a->is_linear) {
        SFI_TRY(sfi_action_product(m->a, m->x, m->y1, m->y2));
        for (int64_t i = 0; i < m->n; i++)
            bend += m->y1[i] * m->y2[i];
    }
    *out = kinetic + 0.5 * (e[0] + e[1]) - 0.25 * bend;
    return SF_OK;
}

/* phi^(n+1) over phi^(n-1). */
static sf_status wave_step(motion *m, double dt, double damping)
{
    const double fall = 1.0 / (1.0 + 0.5 * damping * dt);
    const double keep = 1.0 - 0.5 * damping * dt;
    SFI_TRY(rates_of(m, m->x, m->force));
    for (int64_t i = 0; i < m->n; i++)
        m->before[i] = fall * (2.0 * m->x[i] - keep * m->before[i] +
                               dt * dt * m->force[i]);
    double *spare = m->x;
    m->x = m->before;
    m->before = spare;
    return SF_OK;
}

static sf_status evolve(motion *m, const sf_action_evolve_options *o,
                        const frames *f, double dt)
{
    const double each = o->until / (double)o->frames;
    const int64_t steps = (int64_t)ceil(each / dt * (1.0 - 1e-12));
    dt = each / (double)steps;
    m->out->step = dt;
    double start = 0.0;
    /* Half a kick, and a drift. */
    SFI_TRY(rates_of(m, m->x, m->force));
    memcpy(m->before, m->x, (size_t)m->n * sizeof *m->x);
    for (int64_t i = 0; i < m->n; i++)
        m->x[i] += dt * m->g[i] * (1.0 - 0.5 * o->damping * dt) +
                   0.5 * dt * dt * m->force[i];
    SFI_TRY(wave_energy(m, dt, &start));
    m->out->energy_start = start;
    m->out->accepted = 1;
    const int64_t looks = steps > 50 ? steps / 50 : 1;
    for (int64_t k = 0; k < o->frames; k++) {
        for (int64_t i = k == 0; i < steps; i++) {
            double now = 0.0;
            SFI_TRY(wave_step(m, dt, o->damping));
            m->out->accepted++;
            if (m->out->accepted % looks != 0)
                continue;
            SFI_TRY(wave_energy(m, dt, &now));
            m->out->energy_end = now;
            m->out->drift =
                fmax(m->out->drift, fabs(now - start) / fabs(start));
            SFI_TRY(check_finite(m, m->x, each * (double)(k + 1)));
            SFI_TRY(go_on(m, (double)m->out->accepted * dt, o->until));
        }
        SFI_TRY(show(m, f, m->x, each * (double)(k + 1)));
    }
    return SF_OK;
}

/* Rates at the start, masses, and the step. */
static sf_status prepare_wave(motion *m, const sf_field *rates, double *dt)
{
    double fastest = 0.0;
    for (int u = 0; u < m->a->unknowns; u++) {
        double *mass = m->mass + u * m->a->points;
        SFI_TRY(sfi_action_inertia(m->a, u, m->other));
        for (int64_t i = 0; i < m->a->points; i++)
            mass[i] *= m->other[i];
        for (int64_t i = 0; i < m->a->points; i++)
            if (!(mass[i] > 0.0))
                return SFI_FAIL(
                    m->ctx, SF_E_ARG,
                    "evolve: the factor of dt(%s)^2 is not positive",
                    m->a->names[u]);
    }
    if (rates != NULL)
        SFI_TRY(sfi_action_gather(m->a, rates, m->g));
    for (int u = 0; u < m->a->unknowns; u++)
        for (int64_t i = 0; i < m->a->points; i++)
            if (m->a->pinned[i])
                m->g[u * m->a->points + i] = 0.0;
    SFI_TRY(largest_rate(m, m->x, &fastest));
    const double bound = fastest > 0.0 ? 2.0 / sqrt(fastest) : INFINITY;
    if (*dt > bound)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "evolve: step is %g, above the stability bound %g", *dt,
                        bound);
    if (*dt == 0.0)
        *dt = 0.9 * bound;
    return SF_OK;
}

sf_status sf_action_evolve(sf_action *a, sf_field *fields,
                           const sf_field *rates,
                           const sf_action_evolve_options *opts,
                           sf_action_motion *out)
{
    sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    sf_action_motion none;
    motion m;
    out = out != NULL ? out : &none;
    SFI_TRY(sfi_options(a->ctx, &o, sizeof o, opts));
    if (!(o.until > 0.0) || !(o.step >= 0.0) || !(o.damping >= 0.0) ||
        o.frames < 1)
        return SFI_FAIL(
            a->ctx, SF_E_ARG,
            "evolve: until is %g, step %g, damping %g, frames %lld; "
            "want > 0, >= 0, >= 0, >= 1",
            o.until, o.step, o.damping, (long long)o.frames);
    const frames f = {o.frame, o.user, fields};
    double dt = o.step;
    sf_status status = begin(&m, a, fields, out);
    double *room = m.x;
    out->engine = "Stoermer-Verlet";
    if (status == SF_OK)
        status = prepare_wave(&m, rates, &dt);
    if (status == SF_OK)
        status = evolve(&m, &o, &f, fmin(dt, o.until));
    if (status == SF_OK)
        sfi_action_scatter(a, m.x, fields);
    m.x = room; /* levels change places */
    if (room != NULL)
        end(&m);
    return status;
}
