/* SPDX-License-Identifier: Apache-2.0 */
/* motion.c - what waves and flows share. */
#include "evolve/motion.h"

#include <math.h>
#include <string.h>

enum { POWER_STEPS = 40 };

/* ---- forces --------------------------------------------------------------------------- */

sf_status sfi_motion_pin(sfi_motion *m, double time, double *x)
{
    sf_action *a = m->a;
    if (!a->is_timed)
        return SF_OK;
    SFI_TRY(sfi_action_at(a, time));
    for (int u = 0; u < a->unknowns; u++)
        sfi_action_pin(a, u, x + u * a->points);
    return SF_OK;
}

sf_status sfi_motion_force(sfi_motion *m, double time, double *x, double *out)
{
    m->out->gradients++;
    SFI_TRY(sfi_motion_pin(m, time, x));
    if (m->a->form != NULL && m->a->is_timed && m->gauss.a != NULL)
        SFI_TRY(sfi_gauss_read(&m->gauss));
    if (m->yee.fits && m->gauss.a != NULL) {
        sfi_yee_force(&m->yee, m->gauss.current, m->mass, NULL, out);
        return SF_OK;
    }
    SFI_TRY(sfi_action_gradient(m->a, x, out));
    for (int64_t i = 0; i < m->n; i++)
        out[i] = m->mass[i] > 0.0 ? -out[i] / m->mass[i] : 0.0;
    return SF_OK;
}

/* From POWER_STEPS products. */
sf_status sfi_motion_rate(sfi_motion *m, const double *x, double *out)
{
    double *v = m->spare[0], *w = m->spare[1], size = 0.0;
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

sf_status sfi_motion_check_finite(const sfi_motion *m, const double *x,
                                  double time)
{
    for (int64_t i = 0; i < m->n; i++)
        if (!isfinite(x[i]))
            return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                            "%s: the field is not finite at time %g", m->name,
                            time);
    return SF_OK;
}

/* ---- who is told ------------------------------------------------------------------------ */

sf_status sfi_motion_go_on(const sfi_motion *m, double time)
{
    const sf_progress p = {"motion", (int64_t)(1000.0 * time / m->until),
                           1000,     time,
                           NAN,      sfi_clock() - m->begun};
    return sfi_progress(m->ctx, &p, false)
               ? SF_OK
               : SFI_FAIL(m->ctx, SF_E_CANCELLED, "%s: stopped", m->name);
}

void sfi_motion_scatter(const sfi_motion *m, const double *x)
{
    if (m->absorb == NULL) {
        sfi_action_scatter(m->a, x, m->fields);
        return;
    }
    sfi_absorb_crop(m->absorb, x, m->shown);
    sfi_action_scatter(m->absorb->inner, m->shown, m->fields);
}

sf_status sfi_motion_show(const sfi_motion *m, const double *x, double time)
{
    SFI_TRY(sfi_motion_check_finite(m, x, time));
    if (m->told.frame == NULL)
        return SF_OK;
    sfi_motion_scatter(m, x);
    return m->told.frame(m->told.user, time, m->fields);
}

sf_status sfi_motion_show_rates(const sfi_motion *m, const double *v,
                                double time)
{
    if (m->told.rates == NULL)
        return SF_OK;
    sfi_motion_scatter(m, v);
    return m->told.rates(m->told.user, time, m->fields);
}

sf_status sfi_motion_level(sfi_motion *m, double time, double energy)
{
    sf_motion_level level = {
        .time = time, .energy = energy, .fields = m->fields};
    if (m->told.level == NULL)
        return SF_OK;
    if (isnan(energy))
        SFI_TRY(sfi_action_value(m->a, m->x, &level.energy));
    for (int64_t i = 0; i < m->n; i++)
        level.fastest = fmax(level.fastest, fabs(m->v[i]));
    sfi_motion_scatter(m, m->x);
    return m->told.level(m->told.user, &level);
}

/* ---- to be taken up again ------------------------------------------------------------------ */

enum { VERSION = 1, REPORTED = 7, HEAD = 4 + REPORTED };

static uint64_t hash(uint64_t h, const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) { /* FNV-1a over mixed words */
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits *= 0x9E3779B97F4A7C15u;
        h = (h ^ bits ^ bits >> 32) * 0x100000001B3u;
    }
    return h;
}

sf_status sfi_motion_mark(sfi_motion *m, const double *numbers, int count)
{
    uint64_t h = 0xCBF29CE484222325u;
    SFI_TRY(sfi_motion_force(m, 0.0, m->x, m->force));
    h = hash(h, numbers, count);
    h = hash(h, m->x, m->n);
    h = hash(h, m->v, m->n);
    h = hash(h, m->force, m->n);
    h = m->loss != NULL ? hash(h, m->loss, m->n) : h;
    m->mark = (double)(h >> 12); /* exact in a double */
    return SF_OK;
}

/* The numbers of a report that go on. */
static void store_report(const sf_action_motion *out, double *to)
{
    const double numbers[REPORTED] = {out->energy_start,
                                      out->energy_end,
                                      out->drift,
                                      out->step,
                                      (double)out->accepted,
                                      (double)out->rejected,
                                      (double)out->gradients};
    memcpy(to, numbers, sizeof numbers);
}

static void take_report(sf_action_motion *out, const double *from)
{
    out->energy_start = from[0];
    out->energy_end = from[1];
    out->drift = from[2];
    out->step = from[3];
    out->accepted = (int64_t)from[4];
    out->rejected = (int64_t)from[5];
    out->gradients = (int64_t)from[6];
}

/* The arrays that go on with a motion. */
typedef struct kept {
    double *x[5];
    size_t count[5], all;
} kept;

static kept kept_of(const sfi_motion *m)
{
    const size_t n = (size_t)m->n;
    kept k = {{m->x, m->v, NULL, m->gauss.moved, NULL},
              {n, n, 0, m->gauss.count, 0},
              0};
    if (m->absorb != NULL) {
        k.x[2] = m->absorb->memory;
        k.count[2] = m->absorb->memory_count;
    }
    if (m->yee.fits) {
        k.x[4] = m->yee.flux;
        k.count[4] = m->yee.count;
    }
    for (size_t i = 0; i < SFI_COUNT(k.x); i++)
        k.all += k.count[i];
    return k;
}

sf_status sfi_motion_save(sfi_motion *m, double *const *numbers, int count,
                          int64_t k)
{
    const kept parts = kept_of(m);
    const size_t all = HEAD + (size_t)count + parts.all;
    if (m->told.save == NULL)
        return SF_OK;
    double *state = sfi_alloc(m->ctx, all, sizeof *state), *to = state;
    if (state == NULL)
        return SF_E_NOMEM;
    *to++ = VERSION;
    *to++ = (double)m->n;
    *to++ = (double)k;
    *to++ = m->mark;
    store_report(m->out, to);
    to += REPORTED;
    for (int i = 0; i < count; i++)
        *to++ = *numbers[i];
    for (size_t i = 0; i < SFI_COUNT(parts.x); to += parts.count[i++])
        if (parts.count[i] > 0)
            memcpy(to, parts.x[i], parts.count[i] * sizeof *to);
    const sf_status status = m->told.save(m->told.user, k, state, all);
    sfi_free(m->ctx, state, all, sizeof *state);
    return status;
}

sf_status sfi_motion_resume(sfi_motion *m, const double *state,
                            size_t state_count, double *const *numbers,
                            int count, int64_t *k)
{
    const kept parts = kept_of(m);
    if (state_count != HEAD + (size_t)count + parts.all ||
        state[0] != VERSION || state[1] != (double)m->n || !(state[2] >= 0.0) ||
        !(state[2] <= 1e15) || state[3] != m->mark)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "%s: the state to resume from is that of another "
                        "motion; want the same problem and options",
                        m->name);
    *k = (int64_t)state[2];
    take_report(m->out, state + 4);
    state += HEAD;
    for (int i = 0; i < count; i++)
        *numbers[i] = *state++;
    for (size_t i = 0; i < SFI_COUNT(parts.x); state += parts.count[i++])
        if (parts.count[i] > 0)
            memcpy(parts.x[i], state, parts.count[i] * sizeof *state);
    return sfi_motion_check_finite(m, m->x, NAN);
}

/* ---- making ----------------------------------------------------------------------------- */

sf_status sfi_motion_begin(sfi_motion *m, sf_action *a, const char *name,
                           sf_field *fields, sfi_absorb *absorb,
                           sf_action_motion *out)
{
    sf_action_info info;
    memset(m, 0, sizeof *m);
    memset(out, 0, sizeof *out);
    out->gauss = out->div_b = NAN;
    SFI_TRY(sf_action_describe(a, &info));
    SFI_TRY(sfi_action_at(a, 0.0));
    if (a->is_open)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: what flows does not stop at an open side; "
                        "they are for waves and for fields at rest");
    m->a = a;
    m->ctx = a->ctx;
    m->name = name;
    m->n = a->unknowns * a->points;
    m->fields = fields;
    m->out = out;
    m->begun = sfi_clock();
    double **arrays[SFI_MOTION_ARRAYS] = {
        &m->x,        &m->mass,     &m->v,        &m->force,
        &m->spare[0], &m->spare[1], &m->spare[2], &m->spare[3]};
    double *room =
        sfi_alloc_zero(m->ctx, SFI_MOTION_ARRAYS * (size_t)m->n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < SFI_MOTION_ARRAYS; i++)
        *arrays[i] = room + i * (size_t)m->n;
    if (absorb != NULL) {
        const sf_action *inner = absorb->inner;
        m->absorb = absorb;
        m->shown = sfi_alloc(m->ctx, (size_t)(inner->unknowns * inner->points),
                             sizeof *m->shown);
        if (m->shown == NULL)
            return SF_E_NOMEM;
    }
    SFI_TRY(
        sfi_action_gather(a, absorb != NULL ? absorb->fields : fields, m->x));
    for (int u = 0; u < a->unknowns; u++) {
        sfi_action_pin(a, u, m->x + u * a->points);
        sfi_action_cells(a, sfi_action_place(a, u), NULL,
                         m->mass + u * a->points);
    }
    SFI_TRY(sfi_motion_check_finite(m, m->x, 0.0));
    return sfi_action_value(a, m->x, &out->energy_start);
}

void sfi_motion_end(sfi_motion *m)
{
    sfi_gauss_free(&m->gauss);
    sfi_yee_free(&m->yee);
    sfi_free(m->ctx, m->loss, (size_t)m->n, sizeof *m->loss);
    if (m->shown != NULL)
        sfi_free(
            m->ctx, m->shown,
            (size_t)(m->absorb->inner->unknowns * m->absorb->inner->points),
            sizeof *m->shown);
    if (m->x != NULL)
        sfi_free(m->ctx, m->x, SFI_MOTION_ARRAYS * (size_t)m->n, sizeof *m->x);
}
