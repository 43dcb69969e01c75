/* SPDX-License-Identifier: Apache-2.0 */
/* sample_density.c - scorefield sample --density: Markov chains, and how far they
 * may be trusted. */
#include "cli/sample.h"

#include "io/npy.h"
#include "scorefield/diagnose.h"
#include "scorefield/flow.h"
#include "scorefield/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct drawn {
    cli *c;
    const sample_options *o;
    const sf_model *model;
    int64_t chains, draws; /* of each */
    int64_t dim, unknowns;
    double *y;               /* [chains, draws, unknowns] */
    double *x;               /* [chains, draws, dim]      */
    double *energy;          /* [chains, draws]           */
    sf_chain_report *report; /* [chains], of those that have one */
    sf_diagnosis *diagnosis; /* [dim] */
    double *period;          /* [dim] of angles, 0: none */
    int64_t gradients;
} drawn;

static bool accepts(const sample_options *o)
{
    return o->method <= SAMPLE_MALA;
}

/* ---- drawing ----------------------------------------------------------------- */

/* Chains of a typed density begin near 0, those of other models at samples of them,
 * which are where the model is. */
static sf_status take_start(drawn *d, double *start)
{
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    s.seed = d->c->common.seed;
    const int64_t n = d->dim;
    return sf_sample(d->model, (sf_mat){start, d->chains, n, n}, &s);
}

static sf_status run_chains(drawn *d, const sf_functional *f)
{
    const sample_options *o = d->o;
    sf_chain_options s = sample_chain_options(d->c, o);
    s.draws = d->draws;
    const sf_chain_draws to = {
        .x = d->y, .energy = d->energy, .report = d->report};
    const size_t cells = (size_t)(d->chains * d->unknowns);
    double *start = NULL;
    sf_status status = SF_OK;
    if (sf_model_can(d->model, SF_CAN_NOISE)) {
        start = sfi_alloc(d->c->ctx, cells, sizeof *start);
        status = start != NULL ? take_start(d, start) : SF_E_NOMEM;
    }
    if (status == SF_OK)
        status = sf_chains_run(d->c->ctx, f, d->chains, start, &s, &to);
    sfi_free(d->c->ctx, start, cells, sizeof *start);
    SFI_TRY(status);
    for (int64_t i = 0; i < d->chains; i++)
        d->gradients += d->report[i].gradients + d->report[i].gradients_warmup;
    return SF_OK;
}

/* One plan for the walkers `now`: `draws` of them, each `thin` steps on, or, for 0,
 * `thin` steps that nobody sees. */
static sf_status run_plan(drawn *d, const sf_functional *f,
                          sf_langevin_options *s, double *now, int64_t draws,
                          int64_t thin)
{
    const int64_t n = d->unknowns;
    sf_langevin *plan = NULL;
    SFI_TRY(sf_langevin_new(d->c->ctx, &plan, f, d->chains, s));
    const sf_mat walkers = {now, d->chains, n, n};
    sf_status status = SF_OK;
    if (draws == 0)
        status = sf_langevin_advance(plan, walkers, thin);
    for (int64_t i = 0; i < draws && status == SF_OK; i++) {
        status = sf_langevin_advance(plan, walkers, thin);
        for (int64_t c = 0; c < d->chains; c++)
            memcpy(d->y + (c * d->draws + i) * n, now + c * n,
                   (size_t)n * sizeof *now);
    }
    s->first_step += (draws > 0 ? draws : 1) * thin;
    sf_langevin_free(plan);
    return status;
}

/* Langevin dynamics, from the middle of the line.  If it is to begin hot, the
 * warm-up cools in stages, by the same factor each. */
static sf_status run_langevin(drawn *d, const sf_functional *f)
{
    enum { STAGES = 32 };
    const sample_options *o = d->o;
    const size_t cells = (size_t)(d->chains * d->unknowns);
    const int64_t stages = cli_given(d->c, "max-temperature") ? STAGES : 1;
    sf_langevin_options s = SF_LANGEVIN_OPTIONS_INIT;
    s.method = o->method == SAMPLE_LM ? SF_LANGEVIN_LM : SF_LANGEVIN_ULA;
    s.step = o->step;
    s.seed = d->c->common.seed;
    double *now = sfi_alloc_zero(d->c->ctx, cells, sizeof *now);
    if (now == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    for (int64_t k = 0; k < stages && status == SF_OK; k++) {
        const int64_t steps =
            o->warmup * (k + 1) / stages - o->warmup * k / stages;
        if (stages > 1)
            s.temperature =
                pow(o->max_temperature, 1.0 - (double)(k + 1) / STAGES);
        status = run_plan(d, f, &s, now, 0, steps);
    }
    if (status == SF_OK)
        status = run_plan(d, f, &s, now, d->draws, o->thin);
    d->gradients = d->chains * s.first_step;
    sfi_free(d->c->ctx, now, cells, sizeof *now);
    return status;
}

static sf_status draw(drawn *d)
{
    sf_evaluator *owner = NULL;
    sf_functional f;
    SFI_TRY(sf_model_functional(d->c->ctx, &owner, &f, d->model, 0.0));
    cli_progress_begin(d->c);
    sf_status status = accepts(d->o) ? run_chains(d, &f) : run_langevin(d, &f);
    cli_progress_end(d->c);
    const int64_t rows = d->chains * d->draws;
    if (status == SF_OK)
        status = sf_model_from_unknowns(
            d->model, (sf_cmat){d->y, rows, d->unknowns, d->unknowns},
            (sf_mat){d->x, rows, d->dim, d->dim});
    sf_evaluator_free(owner);
    return status;
}

/* ---- files ------------------------------------------------------------------- */

static sf_status write_rows(drawn *d)
{
    cli *c = d->c;
    const size_t cols = (size_t)d->dim + 2;
    const char **names = sfi_alloc(c->ctx, cols, sizeof *names);
    sf_table table = {0};
    if (names == NULL)
        return SF_E_NOMEM;
    names[0] = "chain";
    names[1] = "draw";
    for (int64_t j = 0; j < d->dim; j++)
        names[2 + j] = sf_model_column(d->model, j);
    sf_status status =
        sf_table_new(c->ctx, &table, d->o->rows, (int64_t)cols, names);
    for (int64_t i = 0; i < d->o->rows && status == SF_OK; i++) {
        double *row = table.data + (size_t)i * cols;
        row[0] = (double)(i / d->draws);
        row[1] = (double)(i % d->draws);
        memcpy(row + 2, d->x + i * d->dim, (size_t)d->dim * sizeof *row);
    }
    if (status == SF_OK) {
        table.columns[0].kind = table.columns[1].kind = SF_COLUMN_INTEGER;
        status = sf_table_write(c->ctx, &table, d->o->output);
    }
    sf_table_free(c->ctx, &table);
    sfi_free(c->ctx, names, cols, sizeof *names);
    return status;
}

/* [draw, chain, column] */
static sf_status write_trace(drawn *d)
{
    if (d->o->trace == NULL)
        return SF_OK;
    sf_array trace = {0};
    const int64_t shape[] = {d->draws, d->chains, d->dim};
    SFI_TRY(sf_array_new(d->c->ctx, &trace, SF_F32, 3, shape));
    float *to = trace.data;
    for (int64_t i = 0; i < d->draws; i++)
        for (int64_t c = 0; c < d->chains; c++)
            for (int64_t j = 0; j < d->dim; j++)
                *to++ = (float)d->x[(c * d->draws + i) * d->dim + j];
    const sf_status status =
        sfi_npy_write_array(d->c->ctx, &trace, d->o->trace);
    sf_array_free(d->c->ctx, &trace);
    return status;
}

/* ---- report ------------------------------------------------------------------ */

static void report_columns(drawn *d)
{
    json_t *list = cli_put_list(d->c, d->c->report, "columns");
    for (int64_t j = 0; j < d->dim; j++)
        sample_put_diagnosis(d->c, list, sf_model_column(d->model, j),
                             &d->diagnosis[j]);
}

/* The worst of the columns. */
static void warn_of_columns(drawn *d)
{
    double rhat = 0.0, ess = INFINITY;
    int64_t apart = 0, few = 0;
    for (int64_t j = 0; j < d->dim; j++) {
        const sf_diagnosis *s = &d->diagnosis[j];
        const double least = fmin(s->ess_bulk, s->ess_tail);
        if (s->rhat > rhat) {
            rhat = s->rhat;
            apart = j;
        }
        if (least < ess) {
            ess = least;
            few = j;
        }
    }
    if (d->draws < 12)
        cli_warn(d->c,
                 "warning: %lld draw%s a chain %s too few to tell "
                 "whether the chains converged",
                 (long long)d->draws, d->draws == 1 ? "" : "s",
                 d->draws == 1 ? "is" : "are");
    if (rhat > 1.01)
        cli_warn(d->c,
                 "warning: the chains do not agree: R-hat of \"%s\" is %.3f, "
                 "want at most 1.01; draw more (-n, --warmup)%s",
                 sf_model_column(d->model, apart), rhat,
                 rhat <= 1.1 ? ""
                 : accepts(d->o)
                     ? ", or the density has parts that chains do not leave "
                       "(--temperatures), or no finite integral"
                     : ", or the density has parts that chains do not leave "
                       "(--method nuts --temperatures), or no finite integral");
    if (ess < 100.0 * (double)d->chains)
        cli_warn(d->c,
                 "warning: \"%s\" has %.0f effective draws, want 100 for each "
                 "chain; draw more (-n, --thin)",
                 sf_model_column(d->model, few), ess);
}

/* On a line that ends, a chain that runs away does so in the logarithm, and stays
 * where the numbers end. */
static void warn_of_reach(drawn *d)
{
    const double far = 1e100;
    for (int64_t j = 0; j < d->dim; j++) {
        double most = 0.0;
        for (int64_t i = 0; i < d->chains * d->draws; i++)
            most = fmax(most, fabs(d->x[i * d->dim + j]));
        if (most > far) {
            cli_warn(d->c,
                     "warning: draws of \"%s\" reach %.0e: the density has no "
                     "finite integral?",
                     sf_model_column(d->model, j), most);
            return;
        }
    }
}

static void warn_of_chains(drawn *d)
{
    int64_t divergences = 0, undefined = 0, ended = 0, low = 0;
    double least = INFINITY;
    for (int64_t i = 0; i < d->chains; i++) {
        const double ebfmi = sf_ebfmi(d->energy + i * d->draws, d->draws);
        divergences += d->report[i].divergences - d->report[i].undefined;
        undefined += d->report[i].undefined;
        ended += d->report[i].reached_max_treedepth;
        low += ebfmi < 0.3;
        least = fmin(least, ebfmi);
    }
    const long long all = (long long)(d->chains * d->draws * d->o->thin);
    if (undefined > 0)
        cli_warn(
            d->c,
            "warning: %lld of %lld iterations came to where the log "
            "density or its gradient is undefined (NaN); where may the names "
            "be (--domain)?",
            (long long)undefined, all);
    if (divergences > 0)
        cli_warn(d->c,
                 "warning: %lld of %lld iterations diverged: where the density "
                 "is narrow the step is too long, and draws are missing there; "
                 "try --accept 0.95 or other parameters",
                 (long long)divergences, all);
    if (ended > 0)
        cli_warn(
            d->c,
            "warning: %lld of %lld paths reached the maximum treedepth %lld "
            "before they turned; try --metric dense or --max-treedepth %lld",
            (long long)ended, all, (long long)d->o->max_treedepth,
            (long long)d->o->max_treedepth + 2);
    if (low > 0)
        cli_warn(d->c,
                 "warning: E-BFMI of %lld chains is below 0.3 (least %.2f): "
                 "the tails are reached too seldom; try other parameters",
                 (long long)low, least);
}

/* Parallel tempering works where states go to the highest temperature and come back. */
static void warn_of_ladders(drawn *d)
{
    int64_t round_trips = 0;
    double least = 1.0;
    for (int64_t i = 0; i < d->chains; i++) {
        round_trips += d->report[i].round_trips;
        least = fmin(least, d->report[i].swap_acceptance);
    }
    if (least < 0.2)
        cli_warn(d->c,
                 "warning: two temperatures swap their states with "
                 "probability %.2f, want 0.2 and more; try --temperatures %lld",
                 least, (long long)(2 * d->o->temperatures));
    else if (round_trips < 10 * d->chains)
        cli_warn(
            d->c,
            "warning: %lld round trips to the highest temperature and back, "
            "want 10 for each chain; draw more (-n)",
            (long long)round_trips);
}

static sf_status tell(drawn *d, double seconds)
{
    cli *c = d->c;
    char method[16];
    const sf_draws draws = {d->x,   d->chains, d->draws,
                            d->dim, d->dim,    d->period};
    SFI_TRY(sf_diagnose(c->ctx, &draws, d->diagnosis));
    cli_choice(SAMPLE_METHODS, d->o->method, method, sizeof method);
    cli_put_count(c, c->report, "rows", d->o->rows);
    cli_put_text(c, c->report, "method", method);
    cli_put_count(c, c->report, "warmup", d->o->warmup);
    cli_put_count(c, c->report, "gradients", d->gradients);
    cli_put_number(c, c->report, "seconds", seconds);
    report_columns(d);
    if (accepts(d->o)) {
        const sample_chains run = {d->chains, d->draws, d->o->temperatures,
                                   d->report, d->energy};
        sample_put_chains(c, &run);
    }
    if (c->common.json || !c->common.quiet)
        SFI_TRY(cli_report(c, stderr));
    warn_of_columns(d);
    warn_of_reach(d);
    if (accepts(d->o))
        warn_of_chains(d);
    if (d->o->temperatures > 1)
        warn_of_ladders(d);
    return SF_OK;
}

/* ---- the command ------------------------------------------------------------- */

static sf_status work(drawn *d)
{
    const double begun = sfi_clock();
    SFI_TRY(draw(d));
    const double seconds = sfi_clock() - begun;
    SFI_TRY(write_rows(d));
    SFI_TRY(write_trace(d));
    return tell(d, seconds);
}

static sf_status allocate_and_work(drawn *d)
{
    sf_context *ctx = d->c->ctx;
    const size_t all = (size_t)(d->chains * d->draws);
    const size_t x = all * (size_t)d->dim, y = all * (size_t)d->unknowns;
    const size_t chains = (size_t)d->chains, dim = (size_t)d->dim;
    d->y = sfi_alloc(ctx, y, sizeof *d->y);
    d->x = sfi_alloc(ctx, x, sizeof *d->x);
    d->energy = sfi_alloc(ctx, all, sizeof *d->energy);
    d->report = sfi_alloc_zero(ctx, chains, sizeof *d->report);
    d->diagnosis = sfi_alloc(ctx, dim, sizeof *d->diagnosis);
    d->period = sfi_alloc(ctx, dim, sizeof *d->period);
    for (size_t j = 0; j < dim && d->period != NULL; j++)
        d->period[j] = sf_model_support(d->model, (int64_t)j).period;
    sf_status status = SF_E_NOMEM;
    if (d->y != NULL && d->x != NULL && d->energy != NULL &&
        d->report != NULL && d->diagnosis != NULL && d->period != NULL)
        status = work(d);
    sfi_free(ctx, d->period, dim, sizeof *d->period);
    sfi_free(ctx, d->y, y, sizeof *d->y);
    sfi_free(ctx, d->x, x, sizeof *d->x);
    sfi_free(ctx, d->energy, all, sizeof *d->energy);
    sfi_free(ctx, d->report, chains, sizeof *d->report);
    sfi_free(ctx, d->diagnosis, dim, sizeof *d->diagnosis);
    return status;
}

sf_status sample_density(cli *c, const sample_options *o, const sf_model *model)
{
    SFI_TRY(sample_check_chains(c, o));
    drawn d = {.c = c,
               .o = o,
               .model = model,
               .chains = o->chains,
               .draws = (o->rows + o->chains - 1) / o->chains,
               .dim = sf_model_dim(model),
               .unknowns = sf_model_unknowns(model)};
    return allocate_and_work(&d);
}
