/* SPDX-License-Identifier: Apache-2.0 */
/* chains.c - many Markov chains at once.
 *
 * All chains that are not done want one gradient each; it is one call, with which
 * each goes on by itself.  Rows of the call's arrays belong to chains; when a chain
 * is done, or waits, the last row moves into its place.
 *
 * Of parallel tempering every rung is a chain of its own, which waits after each
 * iteration until its ladder's others are there too. */
#include "base/parallel.h"
#include "functional/functional.h"
#include "num/linalg.h"
#include "sample/chain.h"
#include "sample/ladder.h"

#include <math.h>
#include <string.h>

enum {
    START_TRIES = 100,
    /* Multiplications of a step of some chains, besides its gradient, that are worth a
     * thread: 16 microseconds (docs/decisions/threads.md). */
    WORK_FOR_THREAD = 1 << 19
};

typedef struct run {
    sf_context *ctx;
    const sf_functional *f;
    sf_chain_options o;
    int64_t chains,
        dim;          /* chains: rungs of all ladders, if there are ladders */
    sfi_chain *chain; /* [chains]; the first `active` want gradients */
    int64_t active;
    int64_t *row; /* [chains] where chain number first_chain + i is */
    int64_t rungs, ladders;
    sfi_ladder *ladder;    /* [ladders]; none where rungs is 1     */
    int64_t *waiting;      /* [ladders] rungs that wait            */
    double *memory;        /* of all chains */
    size_t each;           /* numbers of one */
    double *q, *g, *value; /* [chains, dim], [chains] */
    const sf_chain_draws *to;
    double
        work; /* multiplications of a gradient; where nobody knows, of a product
                    with a matrix */
} run;

/* ---- options ------------------------------------------------------------------- */

static sf_status check_whole(sf_context *ctx, const char *name, int64_t value,
                             int64_t lo, int64_t hi)
{
    if (value >= lo && value <= hi)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_ARG, "chains: %s is %lld, want %lld to %lld",
                    name, (long long)value, (long long)lo, (long long)hi);
}

static sf_status check_options(sf_context *ctx, const sf_chain_options *o,
                               int64_t chains, int64_t dim)
{
    const int64_t most = INT64_C(1) << 31;
    SFI_TRY(check_whole(ctx, "the number of chains", chains, 1, most));
    SFI_TRY(check_whole(ctx, "the number of unknowns", dim, 1, 1 << 24));
    SFI_TRY(check_whole(ctx, "method", (int64_t)o->method, SF_CHAIN_NUTS,
                        SF_CHAIN_MALA));
    SFI_TRY(check_whole(ctx, "metric", (int64_t)o->metric, SF_METRIC_AUTO,
                        SF_METRIC_UNIT));
    SFI_TRY(check_whole(ctx, "warmup", o->warmup, 0, most / 2));
    SFI_TRY(check_whole(ctx, "thin", o->thin, 1, most / 2));
    SFI_TRY(check_whole(ctx, "draws", o->draws, 0, most / 2 / o->thin));
    SFI_TRY(check_whole(ctx, "max_treedepth", o->max_treedepth, 1,
                        SFI_CHAIN_DEPTH));
    SFI_TRY(check_whole(ctx, "first_chain", o->first_chain, 0, most - chains));
    if (o->metric == SF_METRIC_DENSE)
        SFI_TRY(check_whole(ctx, "the number of unknowns of a dense metric",
                            dim, 1, SFI_LINALG_MAX));
    if (!(o->step >= 0.0) || isinf(o->step))
        return SFI_FAIL(ctx, SF_E_ARG, "chains: step is %g, want > 0, or 0",
                        o->step);
    if (!(o->accept >= 0.0) || !(o->accept < 1.0))
        return SFI_FAIL(ctx, SF_E_ARG, "chains: accept is %g, want 0 to 1",
                        o->accept);
    SFI_TRY(
        check_whole(ctx, "temperatures", o->temperatures, 1, SFI_LADDER_RUNGS));
    if (!(o->max_temperature > 1.0) || isinf(o->max_temperature))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "chains: max_temperature is %g, want > 1",
                        o->max_temperature);
    if (!(o->length > 0.0) || isinf(o->length))
        return SFI_FAIL(ctx, SF_E_ARG, "chains: length is %g, want > 0",
                        o->length);
    return SF_OK;
}

/* ---- starting points ----------------------------------------------------------- */

static bool row_finite(const run *r, int64_t c)
{
    return isfinite(r->value[c]) &&
           sfi_first_not_finite(r->g + c * r->dim, r->dim) == r->dim;
}

static void draw_start(const run *r, int64_t c, uint32_t attempt)
{
    const sfi_where where = {r->o.seed,
                             (uint64_t)(r->o.first_chain * r->rungs + c),
                             attempt, SFI_STREAM_PRIOR};
    for (int64_t j = 0; j < r->dim; j++)
        r->q[c * r->dim + j] = 4.0 * sfi_uniform_at(where, (uint32_t)j) - 2.0;
}

static sf_status find_starts(run *r, const double *start)
{
    int64_t bad = 0;
    for (int64_t c = 0; c < r->chains && start != NULL; c++)
        memcpy(r->q + c * r->dim, start + c / r->rungs * r->dim,
               (size_t)r->dim * sizeof *r->q);
    for (int64_t c = 0; c < r->chains && start == NULL; c++)
        draw_start(r, c, 0);
    for (uint32_t attempt = 1;; attempt++) {
        SFI_TRY(sfi_functional_gradient(r->ctx, r->f, r->value, r->g, r->q,
                                        r->chains));
        for (bad = 0; bad < r->chains && row_finite(r, bad);)
            bad++;
        if (bad == r->chains)
            return SF_OK;
        if (start != NULL || attempt == START_TRIES)
            break;
        for (int64_t c = bad; c < r->chains; c++)
            if (!row_finite(r, c))
                draw_start(r, c, attempt);
    }
    const double logp = isnan(r->value[bad]) ? NAN : -r->value[bad];
    const int64_t j = sfi_first_not_finite(r->g + bad * r->dim, r->dim);
    if (isfinite(r->value[bad]))
        return SFI_FAIL(r->ctx, SF_E_NUMERIC,
                        "chains: at the start of chain %lld the log density is "
                        "%g, but its derivative by unknown %lld is not finite",
                        (long long)bad, logp, (long long)j);
    return SFI_FAIL(r->ctx, SF_E_NUMERIC,
                    start != NULL
                        ? "chains: at the start of chain %lld the log density "
                          "is %g, want a finite one"
                        : "chains: no start of chain %lld in (-2, 2) was found "
                          "where the log density is finite; the last has %g",
                    (long long)bad, logp);
}

/* ---- running ------------------------------------------------------------------- */

static void move_chains(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    run *r = user;
    for (int64_t c = first; c < first + count; c++)
        sfi_chain_move(&r->chain[c]);
}

static void take_chains(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    run *r = user;
    for (int64_t c = first; c < first + count; c++) {
        r->chain[c].now.f = r->value[c];
        sfi_chain_take(&r->chain[c]);
    }
}

/* In threads where it is worth them; chains have about the same metric. */
static void each_chain(run *r, sfi_range_fn body)
{
    const double step = sfi_metric_step_work(&r->chain[0].metric);
    const int64_t chunk = (int64_t)(WORK_FOR_THREAD / step) + 1;
    if (r->active <= chunk)
        body(r, 0, 0, r->active);
    else
        sfi_parallel(r->ctx, r->active, chunk, body, r);
}

static int64_t index_of(const run *r, const sfi_chain *c)
{
    return (int64_t)(c->number - (uint64_t)(r->o.first_chain * r->rungs));
}

static void place(run *r, int64_t row)
{
    r->row[index_of(r, &r->chain[row])] = row;
    r->chain[row].now.q = r->q + row * r->dim;
    r->chain[row].now.g = r->g + row * r->dim;
}

/* The chain at `row`, of which the place and the gradient are no longer wanted,
 * changes places with another. */
static void change_places(run *r, int64_t row, int64_t other)
{
    const size_t bytes = (size_t)r->dim * sizeof *r->q;
    const sfi_chain done = r->chain[row];
    if (row == other)
        return;
    memcpy(r->q + row * r->dim, r->q + other * r->dim, bytes);
    memcpy(r->g + row * r->dim, r->g + other * r->dim, bytes);
    r->chain[row] = r->chain[other];
    r->chain[other] = done;
    place(r, row);
    place(r, other);
}

/* ---- ladders -------------------------------------------------------------------- */

static sfi_chain *rung(const run *r, int64_t ladder, int64_t k)
{
    return &r->chain[r->row[ladder * r->rungs + k]];
}

/* Temperatures are placed anew after 32, 64, 128, ... iterations of the first three
 * quarters of the warm-up. */
static bool places(const run *r, int64_t iteration)
{
    enum { FIRST = 32 };
    return iteration >= FIRST && iteration <= r->o.warmup * 3 / 4 &&
           (iteration & (iteration - 1)) == 0;
}

/* All rungs of a ladder are there: pairs exchange their states, and all go on. */
static sf_status exchange(run *r, int64_t ladder)
{
    sfi_ladder *l = &r->ladder[ladder];
    const int64_t iteration = rung(r, ladder, 0)->iteration;
    for (int64_t k = iteration % 2; k + 1 < r->rungs; k += 2) {
        sfi_chain *a = rung(r, ladder, k), *b = rung(r, ladder, k + 1);
        const sfi_where where = {r->o.seed, a->number, (uint32_t)iteration,
                                 SFI_STREAM_EXCHANGE};
        const double accept =
            sfi_ladder_accept(l, k, a->at.f / a->beta, b->at.f / b->beta);
        if (sfi_uniform_at(where, 0) >= accept)
            continue;
        sfi_chain_exchange(a, b);
        sfi_ladder_exchange(l, k);
    }
    if (places(r, iteration)) {
        sfi_ladder_place(l);
        for (int64_t k = 0; k < r->rungs; k++)
            sfi_chain_temper(rung(r, ladder, k), l->beta[k]);
    }
    if (iteration == r->o.warmup) {
        sfi_ladder_forget(l);
        l->trips = 0;
    }
    for (int64_t k = 0; k < r->rungs; k++) {
        change_places(r, r->row[ladder * r->rungs + k], r->active);
        SFI_TRY(sfi_chain_resume(r->ctx, &r->chain[r->active++]));
    }
    r->waiting[ladder] = 0;
    return SF_OK;
}

/* A draw that came with the last gradient: it is where the chain is. */
static sf_status show(const run *r, sfi_chain *chain)
{
    const int64_t i = index_of(r, chain);
    if (chain->kept == chain->shown)
        return SF_OK;
    chain->shown = chain->kept;
    return r->to->draw != NULL && i % r->rungs == 0
               ? r->to->draw(r->to->user, i / r->rungs, chain->kept - 1,
                             chain->at.q, chain->at.f)
               : SF_OK;
}

/* What one thread does between steps; the number of iterations that are done. */
static sf_status tend(run *r)
{
    for (int64_t c = 0; c < r->active;) {
        sfi_chain *chain = &r->chain[c];
        if (chain->away)
            return SFI_FAIL(r->ctx, SF_E_NUMERIC,
                            "chains: chain %lld ran away beyond %g in "
                            "iteration %lld; does the density have a finite "
                            "integral?",
                            (long long)(index_of(r, chain) / r->rungs),
                            SFI_AWAY, (long long)chain->iteration);
        SFI_TRY(show(r, chain));
        if (chain->stage == SFI_CHAIN_WAIT)
            r->waiting[index_of(r, chain) / r->rungs]++;
        else if (chain->wants_metric)
            SFI_TRY(sfi_chain_refit(r->ctx, chain));
        if (chain->stage >= SFI_CHAIN_WAIT)
            change_places(r, c, --r->active);
        else
            c++;
    }
    for (int64_t i = 0; i < r->ladders && r->rungs > 1; i++)
        if (r->waiting[i] == r->rungs)
            SFI_TRY(exchange(r, i));
    return SF_OK;
}

static int64_t slowest(const run *r)
{
    int64_t least = INT64_MAX;
    for (int64_t c = 0; c < r->active; c++)
        if (r->chain[c].iteration < least)
            least = r->chain[c].iteration;
    return least;
}

static sf_status walk(run *r)
{
    enum { LOOK = 64 };
    const double begun = sfi_clock();
    const int64_t all = r->o.warmup + r->o.draws * r->o.thin;
    for (int64_t tick = 0; r->active > 0; tick++) {
        each_chain(r, move_chains);
        SFI_TRY(sfi_functional_gradient(r->ctx, r->f, r->value, r->g, r->q,
                                        r->active));
        each_chain(r, take_chains);
        SFI_TRY(tend(r));
        if (tick % LOOK != 0)
            continue;
        const int64_t step = r->active > 0 ? slowest(r) : all;
        const sf_progress progress = {step < r->o.warmup ? "warm-up" : "sample",
                                      step,
                                      all,
                                      NAN,
                                      NAN,
                                      sfi_clock() - begun};
        if (!sfi_progress(r->ctx, &progress, r->active == 0))
            return SFI_FAIL(r->ctx, SF_E_CANCELLED,
                            "chains: stopped in iteration %lld of %lld",
                            (long long)step, (long long)all);
    }
    return SF_OK;
}

/* ---- making -------------------------------------------------------------------- */

static void start_chain(run *r, int64_t c, const sf_chain_draws *to)
{
    sfi_chain *chain = &r->chain[c];
    const size_t bytes = (size_t)r->dim * sizeof *r->q;
    const int64_t k = c % r->rungs, i = c / r->rungs;
    sfi_chain_init(chain, &r->o, r->dim, r->memory + (size_t)c * r->each);
    chain->number = (uint64_t)(r->o.first_chain * r->rungs + c);
    chain->tempered = r->rungs > 1;
    sfi_chain_set_periods(chain, r->f->period);
    chain->work_gradient = r->work;
    place(r, c);
    memcpy(chain->at.q, chain->now.q, bytes);
    memcpy(chain->at.g, chain->now.g, bytes);
    chain->at.f = r->value[c];
    if (chain->tempered)
        sfi_chain_temper(chain, r->ladder[i].beta[k]);
    if (to->x != NULL && k == 0)
        chain->draws = to->x + i * r->o.draws * r->dim;
    if (to->value != NULL && k == 0)
        chain->values = to->value + i * r->o.draws;
    if (to->energy != NULL && k == 0)
        chain->energies = to->energy + i * r->o.draws;
    sfi_chain_start(chain);
}

static void report(const run *r, sf_chain_report *out)
{
    for (int64_t i = 0; i < r->ladders && out != NULL; i++) {
        const sfi_chain *c = rung(r, i, 0);
        const int64_t kept = c->iteration - r->o.warmup;
        sf_chain_report *to = &out[i];
        *to = c->report;
        to->step = c->step.step;
        to->metric =
            c->o->metric == SF_METRIC_UNIT ? SF_METRIC_UNIT : c->metric.kind;
        to->rank = c->metric.kind == SF_METRIC_LOW_RANK ? c->metric.rank : 0;
        to->divergence_before = sfi_divergence_value(&c->before);
        to->divergence_after = sfi_divergence_value(&c->after);
        to->accept = kept > 0 ? c->accept_total / (double)kept : NAN;
        to->swap_acceptance = NAN;
        for (int64_t k = 1; k < r->rungs; k++) {
            const sf_chain_report *hot = &rung(r, i, k)->report;
            to->gradients += hot->gradients;
            to->gradients_warmup += hot->gradients_warmup;
            to->swap_acceptance = sfi_ladder_least(&r->ladder[i]);
            to->round_trips = r->ladder[i].trips;
        }
    }
}

static sf_status make(run *r, const double *start, const sf_chain_draws *to)
{
    const size_t n = (size_t)r->chains, cells = n * (size_t)r->dim;
    r->chain = sfi_alloc_zero(r->ctx, n, sizeof *r->chain);
    r->memory = sfi_alloc(r->ctx, n * r->each, sizeof *r->memory);
    r->q = sfi_alloc(r->ctx, cells, sizeof *r->q);
    r->g = sfi_alloc(r->ctx, cells, sizeof *r->g);
    r->value = sfi_alloc(r->ctx, n, sizeof *r->value);
    r->row = sfi_alloc(r->ctx, n, sizeof *r->row);
    if (r->chain == NULL || r->memory == NULL || r->q == NULL || r->g == NULL ||
        r->value == NULL || r->row == NULL)
        return SF_E_NOMEM;
    if (r->rungs > 1) {
        const size_t ladders = (size_t)r->ladders;
        r->ladder = sfi_alloc(r->ctx, ladders, sizeof *r->ladder);
        r->waiting = sfi_alloc_zero(r->ctx, ladders, sizeof *r->waiting);
        if (r->ladder == NULL || r->waiting == NULL)
            return SF_E_NOMEM;
        for (int64_t i = 0; i < r->ladders; i++)
            sfi_ladder_init(&r->ladder[i], r->rungs, r->o.max_temperature);
    }
    SFI_TRY(find_starts(r, start));
    r->work = sfi_functional_work(r->f);
    if (r->work == 0.0)
        r->work = (double)r->dim * (double)r->dim;
    for (int64_t c = 0; c < r->chains; c++)
        start_chain(r, c, to);
    r->active = r->chains;
    SFI_TRY(tend(r));
    const sf_status status = walk(r);
    report(r, to->report);
    return status;
}

static void discard(run *r)
{
    const size_t n = (size_t)r->chains, cells = n * (size_t)r->dim;
    sfi_free(r->ctx, r->chain, n, sizeof *r->chain);
    sfi_free(r->ctx, r->memory, n * r->each, sizeof *r->memory);
    sfi_free(r->ctx, r->q, cells, sizeof *r->q);
    sfi_free(r->ctx, r->g, cells, sizeof *r->g);
    sfi_free(r->ctx, r->value, n, sizeof *r->value);
    sfi_free(r->ctx, r->row, n, sizeof *r->row);
    const size_t ladders = (size_t)r->ladders;
    sfi_free(r->ctx, r->ladder, ladders, sizeof *r->ladder);
    sfi_free(r->ctx, r->waiting, ladders, sizeof *r->waiting);
}

sf_status sf_chains_run(sf_context *ctx, const sf_functional *f, int64_t chains,
                        const double *start, const sf_chain_options *opts,
                        const sf_chain_draws *draws)
{
    sf_functional seam;
    run r = {.ctx = ctx, .f = &seam, .chains = chains, .to = draws};
    const sf_chain_options defaults = SF_CHAIN_OPTIONS_INIT;
    r.o = defaults;
    SFI_TRY(sfi_options(ctx, &r.o, sizeof r.o, opts));
    SFI_TRY(sfi_functional_take(ctx, &seam, f, "chains"));
    if (seam.value == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "chains: %s has gradients only, and acceptance wants "
                        "values; Langevin dynamics does not",
                        seam.name);
    r.dim = seam.unknowns;
    SFI_TRY(check_options(ctx, &r.o, chains, r.dim));
    r.rungs = r.o.temperatures;
    r.ladders = chains;
    r.chains = chains * r.rungs;
    r.each = sfi_chain_size(&r.o, r.dim);
    const sf_status status = make(&r, start, draws);
    discard(&r);
    return status;
}
