/* SPDX-License-Identifier: Apache-2.0 */
/* downhill.c - V dphi/dt = -dE/dphi by Runge-Kutta-Chebyshev steps of second order.
 *
 * The number of stages s of a step grows as the square root of dt times the largest rate.
 * The time is one more number of the state, whose rate is 1: sources and sides that depend
 * on it are those of each stage's own time. */
#include "evolve/exact_flow.h"
#include "evolve/motion.h"

#include <math.h>
#include <string.h>

enum { RENEW = 25, MOST_STAGES = 2000 };

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

/* One step of s stages from m->x, whose rates are in m->v, to spare[2]. */
static sf_status chebyshev_step(sfi_motion *m, double time, double h,
                                int stages)
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
    double *now = m->spare[0], *last = m->spare[1], *next = m->spare[2];
    double now_at = time + b2 * w1 * h, last_at = time;
    memcpy(last, m->x, (size_t)m->n * sizeof *last);
    for (int64_t i = 0; i < m->n; i++)
        now[i] = m->x[i] + b2 * w1 * h * m->v[i];
    c = chebyshev_first(w0);
    for (int j = 2; j <= stages; j++) {
        chebyshev_next(&c, w0);
        b[2] = b[1];
        b[1] = b[0];
        b[0] = c.dd[0] / (c.d[0] * c.d[0]);
        const double mu = 2.0 * b[0] * w0 / b[1], nu = -b[0] / b[2];
        const double mu1 = 2.0 * b[0] * w1 / b[1], gamma = -a_before * mu1;
        a_before = 1.0 - b[0] * c.t[0];
        SFI_TRY(sfi_motion_force(m, now_at, now, m->force));
        for (int64_t i = 0; i < m->n; i++)
            next[i] = (1.0 - mu - nu) * m->x[i] + mu * now[i] + nu * last[i] +
                      mu1 * h * m->force[i] + gamma * h * m->v[i];
        const double next_at = (1.0 - mu - nu) * time + mu * now_at +
                               nu * last_at + (mu1 + gamma) * h;
        double *spare = last;
        last = now;
        now = next;
        next = spare;
        last_at = now_at;
        now_at = next_at;
    }
    if (now != m->spare[2])
        memcpy(m->spare[2], now, (size_t)m->n * sizeof *now);
    return SF_OK;
}

/* The error of the step to spare[2], of which m->force then has the rates, in units of
 * the tolerance. */
static sf_status step_error(sfi_motion *m, double time, double h,
                            double tolerance, double *out)
{
    const double *after = m->spare[2];
    double worst = 0.0, size = 0.0;
    SFI_TRY(sfi_motion_force(m, time + h, m->spare[2], m->force));
    for (int64_t i = 0; i < m->n; i++) {
        const double e =
            0.8 * (m->x[i] - after[i]) + 0.4 * h * (m->v[i] + m->force[i]);
        size = fmax(size, fabs(after[i]));
        if (m->a->pinned[i])
            continue; /* it is where it is to be */
        worst = fmax(worst, fabs(e));
        if (!isfinite(e))
            worst = INFINITY;
    }
    *out = worst / (tolerance * (size > 0.0 ? size : 1.0));
    return SF_OK;
}

/* ---- a run ------------------------------------------------------------------------------ */

/* What is not in arrays. */
typedef struct descent {
    double time, h, rate;
} descent;

/* One step to a time; m->spare[2] is scratch. */
static sf_status leap(sfi_motion *m, const sfi_modes *modes, descent *d,
                      double stop)
{
    sfi_exact_flow(modes, stop - d->time, m->v, m->spare[2], m->x);
    SFI_TRY(sfi_motion_force(m, stop, m->x, m->v));
    m->out->step = stop - d->time;
    m->out->accepted++;
    d->time = stop;
    SFI_TRY(sfi_motion_level(m, d->time, NAN));
    return sfi_motion_go_on(m, d->time);
}

/* Steps until a time. */
static sf_status go_to(sfi_motion *m, const sf_action_flow_options *o,
                       descent *d, double stop)
{
    while (d->time < stop) {
        const bool last = d->time + d->h >= stop * (1.0 - 1e-12);
        const double used = last ? stop - d->time : d->h;
        int stages = 1 + (int)sqrt(1.0 + 1.54 * used * d->rate);
        if (stages < 2)
            stages = 2;
        if (stages > MOST_STAGES) {
            d->h = 0.5 * used;
            continue;
        }
        if (m->out->accepted + m->out->rejected >= o->max_steps)
            return SFI_FAIL(m->ctx, SF_E_CONVERGE,
                            "flow: %lld steps led to time %g of %g, the last "
                            "one was %g; a larger tolerance makes them longer",
                            (long long)o->max_steps, d->time, o->until, used);
        double error = 0.0;
        SFI_TRY(chebyshev_step(m, d->time, used, stages));
        SFI_TRY(step_error(m, d->time, used, o->tolerance, &error));
        const double factor =
            fmin(5.0, fmax(0.1, 0.8 / cbrt(fmax(error, 1e-9))));
        if (error > 1.0) {
            m->out->rejected++;
            d->h = used * factor;
            if (d->h < 1e-14 * o->until)
                return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                                "flow: no step is small enough at time %g",
                                d->time);
            continue;
        }
        memcpy(m->x, m->spare[2], (size_t)m->n * sizeof *m->x);
        memcpy(m->v, m->force, (size_t)m->n * sizeof *m->v);
        d->time = last ? stop : d->time + used;
        m->out->step = used;
        if (!last || factor < 1.0)
            d->h = used * factor;
        if (++m->out->accepted % RENEW == 0 &&
            (!m->a->is_linear || m->a->has_aging_hessian))
            SFI_TRY(sfi_motion_rate(m, m->x, &d->rate));
        SFI_TRY(sfi_motion_level(m, d->time, NAN));
        SFI_TRY(sfi_motion_go_on(m, d->time));
    }
    return SF_OK;
}

static sf_status flow(sfi_motion *m, const sf_action_flow_options *o,
                      const sfi_modes *modes)
{
    descent d = {0};
    double *const kept[] = {&d.time, &d.h, &d.rate};
    const int count = (int)SFI_COUNT(kept);
    const double numbers[] = {o->until, o->tolerance, o->step,
                              (double)o->frames};
    int64_t first = 0;
    SFI_TRY(sfi_motion_mark(m, numbers, (int)SFI_COUNT(numbers)));
    if (o->resume != NULL) {
        SFI_TRY(sfi_motion_resume(m, o->resume, o->resume_count, kept, count,
                                  &first));
        SFI_TRY(sfi_action_at(m->a, d.time));
    } else {
        SFI_TRY(sfi_motion_force(m, 0.0, m->x, m->v));
        SFI_TRY(sfi_motion_rate(m, m->x, &d.rate));
        d.h = o->step > 0.0
                  ? o->step
                  : fmin(o->until, d.rate > 0.0 ? 0.25 / d.rate : o->until);
        SFI_TRY(sfi_motion_level(m, 0.0, NAN));
    }
    for (int64_t k = first + 1; k <= o->frames; k++) {
        const double stop = o->until * (double)k / (double)o->frames;
        SFI_TRY(modes != NULL ? leap(m, modes, &d, stop)
                              : go_to(m, o, &d, stop));
        SFI_TRY(sfi_action_value(m->a, m->x, &m->out->energy_end));
        SFI_TRY(sfi_motion_show(m, m->x, d.time));
        SFI_TRY(sfi_motion_save(m, kept, count, k));
    }
    return SF_OK;
}

sf_status sf_action_flow(sf_action *a, sf_field *fields,
                         const sf_action_flow_options *opts,
                         sf_action_motion *out)
{
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    sf_action_motion none;
    sfi_motion m;
    out = out != NULL ? out : &none;
    SFI_TRY(sfi_action_check_scalars(a, "flow"));
    SFI_TRY(sfi_options(a->ctx, &o, sizeof o, opts));
    if (!(o.until > 0.0) || !(o.tolerance > 0.0) || !(o.step >= 0.0) ||
        o.frames < 1 || o.max_steps < 1)
        return SFI_FAIL(
            a->ctx, SF_E_ARG,
            "flow: until is %g, tolerance %g, step %g, frames %lld, "
            "max_steps %lld; want > 0, > 0, >= 0, >= 1, >= 1",
            o.until, o.tolerance, o.step, (long long)o.frames,
            (long long)o.max_steps);
    sf_status status = sfi_motion_begin(&m, a, "flow", fields, NULL, out);
    out->engine = "Runge-Kutta-Chebyshev";
    m.until = o.until;
    m.told = o.told;
    sfi_modes modes = {0};
    bool is_exact = false;
    if (status == SF_OK && a->is_linear && !a->is_timed && o.step == 0.0)
        status = sfi_modes_new(a, &modes, &is_exact);
    if (is_exact)
        out->engine = "exponentials of modes";
    if (status == SF_OK)
        status = flow(&m, &o, is_exact ? &modes : NULL);
    sfi_modes_free(&modes);
    if (status == SF_OK)
        sfi_motion_scatter(&m, m.x);
    sfi_motion_end(&m);
    return status;
}
