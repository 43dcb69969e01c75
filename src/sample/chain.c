/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c - a chain as a machine: where a gradient is wanted next, and what follows.
 *
 * An iteration draws a momentum, makes a path from it, and ends in a new state.  Its
 * stages follow each other:
 *
 *     search    steps are doubled or halved until one is of a fair length
 *     path      a step, and another one, until the path has ended (here for HMC and
 *               MALA, in nuts.c for paths that double)
 *     wait      for the other rungs of a ladder
 *     done
 *
 * sfi_chain_move() and sfi_chain_take() are the two halves of one step in whichever
 * stage the chain is; between them its owner finds the gradient. */
#include "sample/chain.h"

#include "evolve/symplectic.h"

#include <math.h>
#include <string.h>

enum { DRAW_ACCEPT = 1 << 26, DRAW_JITTER = 1 << 27 };

enum { SEARCHES = 100 }; /* for a first step */

/* ---- memory -------------------------------------------------------------------- */

static bool adapts(const sf_chain_options *o)
{
    return o->warmup > 0 && o->metric != SF_METRIC_UNIT;
}

/* Of more than scales: not more pairs than a window can hold, and of large dimensions as
 * many as keep the memory of a chain below a multiple of what a path takes. */
static int64_t pair_count(const sf_chain_options *o, int64_t dim)
{
    enum { NUMBERS = 1 << 20, LEAST = 24 };
    if (!adapts(o) || o->metric == SF_METRIC_DIAGONAL)
        return 0;
    const int64_t longest = 5 * o->warmup / 9 + 1;
    const int64_t room = NUMBERS / dim > LEAST ? NUMBERS / dim : LEAST;
    return o->metric == SF_METRIC_DENSE || longest < room ? longest : room;
}

static int64_t most_rank(const sf_chain_options *o, int64_t dim)
{
    const int64_t pairs = pair_count(o, dim);
    return pairs < dim ? pairs : dim;
}

/* first, and the means of before and after */
enum { LEARNT = 2 * SFI_PAIR_MOMENTS + 3 };

size_t sfi_chain_size(const sf_chain_options *o, int64_t dim)
{
    const size_t d = (size_t)dim;
    /* at, now without its rows, work, zeros, way, span */
    const size_t arrays = 5 + 3 + 4 + (adapts(o) ? LEARNT : 0);
    return arrays * d + 2 * d * (size_t)pair_count(o, dim) +
           sfi_metric_size(o->metric, dim, most_rank(o, dim)) +
           sfi_nuts_size(o, dim);
}

static double *init_learning(sfi_chain *c, double *memory)
{
    const int64_t d = c->dim;
    memset(memory, 0, LEARNT * (size_t)d * sizeof *memory);
    c->first = memory;
    c->before = (sfi_divergence){.dim = d, .mean = memory + d};
    c->after = (sfi_divergence){.dim = d, .mean = memory + 2 * d};
    memory += 3 * d;
    for (int k = 0; k < 2; k++, memory += SFI_PAIR_MOMENTS * d)
        sfi_pair_moments_init(&c->part[k], d, memory);
    const int64_t pairs = pair_count(c->o, d);
    sfi_pairs_init(&c->pairs, d, pairs, memory);
    return memory + 2 * pairs * d;
}

void sfi_chain_init(sfi_chain *c, const sf_chain_options *o, int64_t dim,
                    double *memory)
{
    *c =
        (sfi_chain){.o = o, .dim = dim, .beta = 1.0, .stage = SFI_CHAIN_SEARCH};
    double **const arrays[] = {&c->at.q, &c->at.p,  &c->at.v,  &c->at.g,
                               &c->at.w, &c->now.p, &c->now.v, &c->now.w,
                               &c->work, &c->none,  &c->way,   &c->span};
    for (size_t k = 0; k < SFI_COUNT(arrays); k++, memory += dim)
        *arrays[k] = memory;
    memset(c->none, 0, (size_t)dim * sizeof *c->none);
    if (adapts(o))
        memory = init_learning(c, memory);
    memory = sfi_nuts_init(c, memory);
    sfi_metric_init(&c->metric, o->metric, dim, most_rank(o, dim), memory);
    sfi_windows_init(&c->windows, o->warmup);
}

void sfi_chain_set_periods(sfi_chain *c, const double *period)
{
    c->period = period;
}

/* ---- circles ----------------------------------------------------------------- */

/* The middle of the draws so far, about which angles are counted: so their spread is not
 * that of turns. */
static double middle(const sfi_chain *c, int64_t j)
{
    if (!adapts(c->o))
        return 0.0;
    return c->part[1].count >= 10 ? c->part[1].x[j]
           : c->part[0].count > 0 ? c->part[0].x[j]
                                  : 0.0;
}

static void stay_on_circles(sfi_chain *c)
{
    for (int64_t j = 0; j < c->dim && c->period != NULL; j++)
        if (c->period[j] > 0.0)
            c->at.q[j] -= c->period[j] *
                          round((c->at.q[j] - middle(c, j)) / c->period[j]);
}

/* ---- one step ------------------------------------------------------------------ */

static void kick(sfi_chain *c, double part)
{
    sfi_kick(c->now.p, c->now.g, c->path_step * part, c->dim);
    sfi_kick(c->now.v, c->now.w, c->path_step * part, c->dim);
}

void sfi_chain_move(sfi_chain *c)
{
    kick(c, sfi_leapfrog.first);
    sfi_drift(c->now.q, c->now.v, c->path_step * sfi_leapfrog.drift[0], c->dim);
}

static void finish_step(sfi_chain *c)
{
    if (c->beta != 1.0) {
        c->now.f *= c->beta;
        for (int64_t j = 0; j < c->dim; j++)
            c->now.g[j] *= c->beta;
    }
    sfi_metric_velocity(&c->metric, c->now.g, c->now.w);
    kick(c, sfi_leapfrog.kick[0]);
    if (c->iteration < c->o->warmup || c->stage == SFI_CHAIN_SEARCH)
        c->report.gradients_warmup++;
    else
        c->report.gradients++;
}

/* ---- paths --------------------------------------------------------------------- */

static void draw_momentum(sfi_chain *c)
{
    sfi_metric_draw(&c->metric, sfi_chain_where(c, SFI_STREAM_MOMENTUM),
                    c->at.p);
    sfi_metric_velocity(&c->metric, c->at.p, c->at.v);
    if (c->new_metric)
        sfi_metric_velocity(&c->metric, c->at.g, c->at.w);
    c->new_metric = false;
    c->energy = sfi_phase_energy(&c->at, c->dim);
}

/* Along an angle on which f hardly depends any step is accepted; one that goes a quarter
 * around, with a momentum of its deviation, is long enough. */
static double longest_step(const sfi_chain *c)
{
    double longest = INFINITY;
    for (int64_t j = 0; j < c->dim && c->period != NULL; j++)
        if (c->period[j] > 0.0)
            longest =
                fmin(longest, 0.25 * c->period[j] /
                                  sqrt(sfi_metric_variance(&c->metric, j)));
    return longest;
}

static void begin_path(sfi_chain *c)
{
    const int64_t most = 1 << 20;
    c->stage = SFI_CHAIN_PATH;
    c->step.step = fmin(c->step.step, longest_step(c));
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
    if (!c->diverged && sfi_chain_uniform(c, DRAW_ACCEPT) < accept)
        sfi_chain_place(c, c->now.q, c->now.g, c->now.w, c->now.f);
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
    if (direction != c->direction || ++c->steps == SEARCHES ||
        (good && fabs(c->path_step) > longest_step(c))) {
        end_search(c);
        return;
    }
    c->path_step *= c->direction > 0 ? 2.0 : 0.5;
    sfi_phase_copy(&c->now, &c->at, c->dim);
}

/* One slope is all that is known: of a component of deviation sigma it is about
 * 1/sigma, so that 1/|slope| is the variance halfway between 1 and sigma^2. */
static void first_metric(sfi_chain *c)
{
    for (int64_t j = 0; j < c->dim; j++) {
        const double scale = 1.0 / sqrt(fabs(c->at.g[j]));
        c->first[j] = scale > 1e-10 && scale < 1e10 ? scale : 1.0;
        c->metric.scale[j] = c->first[j];
    }
}

void sfi_chain_start(sfi_chain *c)
{
    const sf_chain_options *o = c->o;
    c->new_metric = true;
    if (adapts(o))
        first_metric(c);
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

/* Where the metric no longer changes, draws show how good it is and the first one was. */
static void judge(sfi_chain *c)
{
    for (int64_t j = 0; j < c->dim; j++)
        c->work[j] = c->at.q[j] / c->first[j] - c->at.g[j] * c->first[j];
    sfi_divergence_add(&c->before, c->work);
    sfi_metric_residual(&c->metric, c->at.q, c->at.g, c->work);
    sfi_divergence_add(&c->after, c->work);
}

static void learn_scales(sfi_chain *c)
{
    sfi_pair_moments_scale(c->part, c->first, c->metric.scale);
    c->new_metric = true;
}

/* Scales follow every draw, and of long windows every sixteenth of it, as long as
 * nothing else was fitted in units of them. */
static void learn_metric(sfi_chain *c)
{
    const int64_t i = c->iteration;
    sfi_pair_moments_add(&c->part[1], c->at.q, c->at.g);
    if (c->pairs.capacity > 0)
        sfi_pairs_add(&c->pairs, c->at.q, c->at.g);
    const int64_t count = c->part[0].count + c->part[1].count;
    const bool last = i + 1 == c->windows.last;
    const bool turn = !last && sfi_windows_turn(&c->windows, i);
    c->wants_metric = last || turn;
    c->turns = turn;
    if (!c->wants_metric && c->metric.kind == SF_METRIC_DIAGONAL &&
        count % (1 + count / 16) == 0)
        learn_scales(c);
}

static void learn(sfi_chain *c)
{
    sfi_step_size_learn(&c->step, c->accept_sum / (double)c->accept_count);
    if (adapts(c->o) && sfi_windows_counts(&c->windows, c->iteration))
        learn_metric(c);
    else if (adapts(c->o))
        judge(c);
    if (c->iteration + 1 == c->o->warmup)
        c->step.step = sfi_step_size_end(&c->step);
}

static void record(sfi_chain *c)
{
    const int64_t since = c->iteration - c->o->warmup;
    c->accept_total += c->accept_sum / (double)c->accept_count;
    c->report.divergences += c->diverged;
    c->report.undefined += c->undefined;
    c->report.reached_max_treedepth += c->deepest;
    if ((since + 1) % c->o->thin != 0)
        return;
    const int64_t i = since / c->o->thin;
    c->kept = i + 1;
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
    stay_on_circles(c);
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

sf_status sfi_chain_refit(sf_context *ctx, sfi_chain *c)
{
    const int64_t count = c->part[0].count + c->part[1].count;
    c->wants_metric = false;
    sfi_metric_set_rank(&c->metric, 0);
    learn_scales(c);
    if (c->pairs.capacity > 0)
        SFI_TRY(sfi_metric_fit(ctx, &c->metric, c->o->metric, &c->pairs, count,
                               c->work_gradient));
    if (c->turns) {
        const sfi_pair_moments older = c->part[0];
        c->part[0] = c->part[1];
        c->part[1] = older;
        sfi_pair_moments_clear(&c->part[1]);
    }
    if (c->stage == SFI_CHAIN_PATH)
        begin_path(c);
    return SF_OK;
}

/* ---- rungs of a ladder --------------------------------------------------------- */

sf_status sfi_chain_resume(sf_context *ctx, sfi_chain *c)
{
    c->stage = SFI_CHAIN_PATH;
    if (c->wants_metric)
        return sfi_chain_refit(ctx, c);
    begin_path(c);
    return SF_OK;
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
    a->new_metric = b->new_metric = true;
}

void sfi_chain_temper(sfi_chain *c, double beta)
{
    const double factor = beta / c->beta;
    c->beta = beta;
    c->at.f *= factor;
    for (int64_t j = 0; j < c->dim; j++)
        c->at.g[j] *= factor;
    c->new_metric = true;
}
