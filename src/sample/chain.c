/* SPDX-License-Identifier: Apache-2.0 */
#include "sample/chain.h"

#include "evolve/symplectic.h"

#include <math.h>
#include <string.h>

enum { DRAW_ACCEPT = 1 << 26, DRAW_JITTER = 1 << 27 };

/* Iterations of the search for a first step have numbers of their own. */
enum { SEARCHES = 100 };
static const uint32_t search_step = 0xFFFFFF00u;

/* ---- memory -------------------------------------------------------------------- */

size_t sfi_chain_size(const sf_chain_options *o, int64_t dim)
{
    const size_t d = (size_t)dim;
    const size_t sums = o->warmup == 0                 ? 0
                        : o->metric == SF_METRIC_DENSE ? d * d
                                                       : d;
    /* at, now without its rows, work, zeros, mean and gap of running moments */
    const size_t arrays = 4 + 2 + 2 + 2;
    return arrays * d + sums + sfi_metric_size(o->metric, dim) +
           sfi_nuts_size(o, dim);
}

void sfi_chain_init(sfi_chain *c, const sf_chain_options *o, int64_t dim,
                    double *memory)
{
    *c =
        (sfi_chain){.o = o, .dim = dim, .beta = 1.0, .stage = SFI_CHAIN_SEARCH};
    c->running.dim = dim;
    c->running.dense = o->metric == SF_METRIC_DENSE;
    double **const arrays[] = {
        &c->at.q,  &c->at.p, &c->at.v, &c->at.g,         &c->now.p,
        &c->now.v, &c->work, &c->none, &c->running.mean, &c->running.gap};
    for (size_t k = 0; k < SFI_COUNT(arrays); k++, memory += dim)
        *arrays[k] = memory;
    memset(c->none, 0, (size_t)dim * sizeof *c->none);
    if (o->warmup > 0) {
        c->running.sums = memory;
        memory += c->running.dense ? dim * dim : dim;
        sfi_running_clear(&c->running);
    }
    memory = sfi_nuts_init(c, memory);
    sfi_metric_init(&c->metric, o->metric, dim, memory);
    sfi_windows_init(&c->windows, o->warmup);
}

/* ---- small things -------------------------------------------------------------- */

static sfi_where where_of(const sfi_chain *c, sfi_stream stream)
{
    const uint32_t step = c->stage == SFI_CHAIN_SEARCH
                              ? search_step + (uint32_t)c->searches
                              : (uint32_t)c->iteration;
    return (sfi_where){c->o->seed, c->number, step, stream};
}

double sfi_chain_uniform(const sfi_chain *c, uint32_t what)
{
    return sfi_uniform_at(where_of(c, SFI_STREAM_CHOICE), what);
}

void sfi_phase_copy(sfi_phase *to, const sfi_phase *from, int64_t dim)
{
    const size_t bytes = (size_t)dim * sizeof *to->q;
    memcpy(to->q, from->q, bytes);
    memcpy(to->p, from->p, bytes);
    memcpy(to->v, from->v, bytes);
    memcpy(to->g, from->g, bytes);
    to->f = from->f;
}

double sfi_phase_energy(const sfi_phase *p, int64_t dim)
{
    double twice = 0.0;
    for (int64_t j = 0; j < dim; j++)
        twice += p->p[j] * p->v[j];
    return p->f + 0.5 * twice;
}

/* Beyond a wall f is infinite, and so is the loss; no number there is is something
 * else. */
bool sfi_chain_diverges(sfi_chain *c, double loss)
{
    c->diverged = !(loss <= SFI_DIVERGENCE);
    c->undefined = c->diverged && isnan(loss) && !isinf(c->now.f);
    return c->diverged;
}

/* ---- one step ------------------------------------------------------------------ */

void sfi_chain_move(sfi_chain *c)
{
    const sfi_splitting *s = &sfi_leapfrog;
    sfi_kick(c->now.p, c->now.g, c->path_step * s->first, c->dim);
    sfi_metric_velocity(&c->metric, c->now.p, c->now.v);
    sfi_drift(c->now.q, c->now.v, c->path_step * s->drift[0], c->dim);
}

static void finish_step(sfi_chain *c)
{
    if (c->beta != 1.0) {
        c->now.f *= c->beta;
        for (int64_t j = 0; j < c->dim; j++)
            c->now.g[j] *= c->beta;
    }
    sfi_kick(c->now.p, c->now.g, c->path_step * sfi_leapfrog.kick[0], c->dim);
    sfi_metric_velocity(&c->metric, c->now.p, c->now.v);
    if (c->iteration < c->o->warmup || c->stage == SFI_CHAIN_SEARCH)
        c->report.gradients_warmup++;
    else
        c->report.gradients++;
}

/* ---- paths --------------------------------------------------------------------- */

static void draw_momentum(sfi_chain *c)
{
    sfi_metric_draw(&c->metric, where_of(c, SFI_STREAM_MOMENTUM), c->at.p);
    sfi_metric_velocity(&c->metric, c->at.p, c->at.v);
    c->energy = sfi_phase_energy(&c->at, c->dim);
}

static void begin_path(sfi_chain *c)
{
    const int64_t most = 1 << 20;
    c->stage = SFI_CHAIN_PATH;
    draw_momentum(c);
    c->accept_sum = 0.0;
    c->accept_count = 0;
    c->diverged = c->deepest = c->undefined = false;
    if (c->o->method == SF_CHAIN_NUTS) {
        sfi_nuts_begin(c);
        return;
    }
    c->path_step = c->step.step;
    c->steps = 0;
    c->wanted = 1;
    if (c->o->method == SF_CHAIN_HMC) {
        const double count = ceil(c->o->length / c->path_step);
        c->wanted = count < (double)most ? (int64_t)count : most;
        c->path_step *= 0.9 + 0.2 * sfi_chain_uniform(c, DRAW_JITTER);
    }
    sfi_phase_copy(&c->now, &c->at, c->dim);
}

/* A path of a given length is taken or not. */
static bool take_step(sfi_chain *c)
{
    const double loss = sfi_phase_energy(&c->now, c->dim) - c->energy;
    const double accept = isnan(loss) ? 0.0 : fmin(1.0, exp(-loss));
    if (!sfi_chain_diverges(c, loss) && ++c->steps < c->wanted)
        return false;
    c->accept_sum = c->diverged ? 0.0 : accept;
    c->accept_count = 1;
    if (!c->diverged && sfi_chain_uniform(c, DRAW_ACCEPT) < accept) {
        const size_t bytes = (size_t)c->dim * sizeof *c->at.q;
        memcpy(c->at.q, c->now.q, bytes);
        memcpy(c->at.g, c->now.g, bytes);
        c->at.f = c->now.f;
    }
    return true;
}

/* ---- the first step ------------------------------------------------------------ */

/* From a step that is accepted with a probability above 0.8 (below), steps are
 * doubled (halved) until one is not (is). */
static void begin_search(sfi_chain *c)
{
    c->stage = SFI_CHAIN_SEARCH;
    c->searches++;
    c->direction = 0;
    c->steps = 0;
    c->path_step = c->step.step;
    draw_momentum(c);
    sfi_phase_copy(&c->now, &c->at, c->dim);
}

static void end_search(sfi_chain *c)
{
    sfi_step_size_begin(&c->step, fabs(c->path_step));
    begin_path(c);
}

static void take_search(sfi_chain *c)
{
    const double loss = sfi_phase_energy(&c->now, c->dim) - c->energy;
    const bool good = -loss > log(0.8);
    const int direction = good ? 1 : -1;
    if (c->direction == 0)
        c->direction = direction;
    if (direction != c->direction || ++c->steps == SEARCHES) {
        end_search(c);
        return;
    }
    c->path_step *= c->direction > 0 ? 2.0 : 0.5;
    sfi_phase_copy(&c->now, &c->at, c->dim);
}

void sfi_chain_start(sfi_chain *c)
{
    const sf_chain_options *o = c->o;
    c->step.target = o->accept > 0.0              ? o->accept
                     : o->method == SF_CHAIN_MALA ? 0.574
                                                  : 0.8;
    c->step.step = o->step > 0.0 ? o->step : 1.0;
    if (o->warmup + o->draws == 0) {
        c->stage = SFI_CHAIN_DONE;
    } else if (o->step > 0.0) {
        sfi_step_size_begin(&c->step, o->step);
        begin_path(c);
    } else {
        begin_search(c);
    }
}

/* ---- iterations ---------------------------------------------------------------- */

static void learn(sfi_chain *c)
{
    sfi_step_size_learn(&c->step, c->accept_sum / (double)c->accept_count);
    if (sfi_windows_counts(&c->windows, c->iteration) &&
        c->o->metric != SF_METRIC_UNIT)
        sfi_running_add(&c->running, c->at.q);
    if (sfi_windows_closes(&c->windows, c->iteration))
        c->wants_metric = c->o->metric != SF_METRIC_UNIT;
    if (c->iteration + 1 == c->o->warmup)
        c->step.step = sfi_step_size_end(&c->step);
}

static void record(sfi_chain *c)
{
    const int64_t since = c->iteration - c->o->warmup;
    c->accept_total += c->accept_sum / (double)c->accept_count;
    c->report.divergences += c->diverged;
    c->report.undefined += c->undefined;
    c->report.saturated += c->deepest;
    if ((since + 1) % c->o->thin != 0)
        return;
    const int64_t i = since / c->o->thin;
    if (c->draws != NULL)
        memcpy(c->draws + i * c->dim, c->at.q,
               (size_t)c->dim * sizeof *c->at.q);
    if (c->values != NULL)
        c->values[i] = c->at.f;
    if (c->energies != NULL)
        c->energies[i] = c->energy;
}

static void end_path(sfi_chain *c)
{
    const int64_t last = c->o->warmup + c->o->draws * c->o->thin;
    for (int64_t j = 0; j < c->dim; j++)
        c->away |= !(fabs(c->at.q[j]) < SFI_AWAY);
    if (c->iteration < c->o->warmup)
        learn(c);
    else
        record(c);
    c->iteration++;
    if (c->iteration == last || c->away)
        c->stage = SFI_CHAIN_DONE;
    else if (c->tempered)
        c->stage = SFI_CHAIN_WAIT;
    else if (!c->wants_metric)
        begin_path(c);
}

void sfi_chain_take(sfi_chain *c)
{
    finish_step(c);
    if (c->stage == SFI_CHAIN_SEARCH)
        take_search(c);
    else if (c->o->method == SF_CHAIN_NUTS ? sfi_nuts_take(c) : take_step(c))
        end_path(c);
}

void sfi_chain_refit(sf_context *ctx, sfi_chain *c)
{
    sfi_running_finish(&c->running);
    sfi_metric_set(ctx, &c->metric, c->running.sums, c->running.count);
    sfi_running_clear(&c->running);
    c->wants_metric = false;
    if (c->stage == SFI_CHAIN_PATH)
        begin_search(c);
}

/* ---- rungs of a ladder --------------------------------------------------------- */

void sfi_chain_resume(sf_context *ctx, sfi_chain *c)
{
    c->stage = SFI_CHAIN_PATH;
    if (c->wants_metric)
        sfi_chain_refit(ctx, c);
    else
        begin_path(c);
}

static void swap_numbers(double *a, double *b, double to_a, double to_b,
                         int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        const double kept = a[j];
        a[j] = to_a * b[j];
        b[j] = to_b * kept;
    }
}

void sfi_chain_exchange(sfi_chain *a, sfi_chain *b)
{
    const double to_a = a->beta / b->beta, to_b = b->beta / a->beta;
    swap_numbers(a->at.q, b->at.q, 1.0, 1.0, a->dim);
    swap_numbers(a->at.g, b->at.g, to_a, to_b, a->dim);
    swap_numbers(&a->at.f, &b->at.f, to_a, to_b, 1);
}

void sfi_chain_temper(sfi_chain *c, double beta)
{
    const double factor = beta / c->beta;
    c->beta = beta;
    c->at.f *= factor;
    for (int64_t j = 0; j < c->dim; j++)
        c->at.g[j] *= factor;
}
