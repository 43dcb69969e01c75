/* SPDX-License-Identifier: Apache-2.0 */
/* plot_model.c - what a picture asks of a model: its density, its score, rows of
 * it. */
#include "cli/plot.h"

#include "scorefield/diagnose.h"
#include "scorefield/flow.h"
#include "scorefield/sample.h"

#include <math.h>

/* ---- asking ----------------------------------------------------------------- */

bool plot_has_map(const plot_job *j)
{
    return j->model != NULL && sf_model_dim(j->model) <= 2 &&
           !plot_has_categories(j) &&
           sf_model_unknowns(j->model) == sf_model_dim(j->model) &&
           sf_model_can(j->model, SF_CAN_LOGPDF);
}

/* Half of a picture may be outside the support, which is no news. */
static void be_silent(const plot_job *j, bool silent)
{
    sf_context_set_warning(j->c->ctx, silent ? NULL : cli_on_warning, j->c);
}

sf_status plot_logpdf(plot_job *j, sf_cmat x, double *out)
{
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = j->o->time;
    l.rtol = l.atol = 1e-3; /* to the precision that a picture shows */
    l.seed = j->c->common.seed;
    cli_progress_begin(j->c);
    be_silent(j, true);
    const sf_status status = sf_logpdf(j->model, x, out, NULL, &l);
    be_silent(j, false);
    cli_progress_end(j->c);
    /* Where a text has no value is as good as outside. */
    for (int64_t i = 0; i < x.rows && status == SF_OK; i++)
        if (isnan(out[i]))
            out[i] = -INFINITY;
    return status;
}

/* Derivatives may have values where a text has none. */
sf_status plot_score(plot_job *j, sf_cmat x, sf_mat out)
{
    const size_t n = (size_t)x.rows;
    double *logp = sfi_alloc(j->c->ctx, n, sizeof *logp);
    if (logp == NULL)
        return SF_E_NOMEM;
    const bool closed = sf_model_can(j->model, SF_CAN_LOGPDF_CLOSED);
    const sf_model_values values = {
        .score = out, .logpdf = {closed ? logp : NULL, x.rows, 1, 1}};
    be_silent(j, true);
    const sf_status status = sf_model_eval(j->model, x, j->o->time, &values);
    be_silent(j, false);
    for (int64_t i = 0; i < x.rows && status == SF_OK && closed; i++)
        for (int64_t k = 0; k < out.cols && !isfinite(logp[i]); k++)
            out.data[i * out.stride + k] = NAN;
    sfi_free(j->c->ctx, logp, n, sizeof *logp);
    return status;
}

/* ---- rows of a model ------------------------------------------------------------ */

enum { CHAINS = 4, WARMUP = 500, DRAWS = 500 };

static sf_status run_chains(plot_job *j, double *y)
{
    cli *c = j->c;
    sf_evaluator *owner = NULL;
    sf_functional f;
    SFI_TRY(sf_model_functional(c->ctx, &owner, &f, j->model, j->o->time));
    sf_chain_options s = SF_CHAIN_OPTIONS_INIT;
    s.warmup = WARMUP;
    s.draws = DRAWS;
    s.seed = c->common.seed;
    const sf_chain_draws to = {.x = y};
    cli_progress_begin(c);
    const sf_status status = sf_chains_run(c->ctx, &f, CHAINS, NULL, &s, &to);
    cli_progress_end(c);
    sf_evaluator_free(owner);
    return status;
}

/* Chains that do not agree have not found where the density is. */
static sf_status warn_of_chains(plot_job *j)
{
    const double far = 1e100; /* sample warns there */
    const int64_t d = sf_model_dim(j->model);
    const size_t count = (size_t)d;
    sf_diagnosis *found = sfi_alloc(j->c->ctx, count, sizeof *found);
    if (found == NULL)
        return SF_E_NOMEM;
    const sf_draws draws = {j->drawn.data, CHAINS, DRAWS, d, d, NULL};
    const sf_status status = sf_diagnose(j->c->ctx, &draws, found);
    for (int64_t k = 0; k < d && status == SF_OK; k++)
        if (found[k].rhat > 1.1 || found[k].q95 > far || found[k].q05 < -far) {
            cli_warn(j->c,
                     "warning: what is shown is of chains which do not agree "
                     "or run away: R-hat of \"%s\" is %.3f; has the density a "
                     "finite integral?%s",
                     sf_model_column(j->model, k), found[k].rhat,
                     d == 1   ? "  --range A:B says what to show"
                     : d == 2 ? "  --range A:B,C:D says what to show"
                              : "");
            break;
        }
    sfi_free(j->c->ctx, found, count, sizeof *found);
    return status;
}

static sf_status name_drawn(plot_job *j, int64_t rows)
{
    cli *c = j->c;
    const int64_t d = sf_model_dim(j->model);
    const char **names = sfi_alloc(c->ctx, (size_t)d, sizeof *names);
    if (names == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < d; k++)
        names[k] = sf_model_column(j->model, k);
    const sf_status status = sf_table_new(c->ctx, &j->drawn, rows, d, names);
    sfi_free(c->ctx, names, (size_t)d, sizeof *names);
    return status;
}

/* A model without noise is found by a short run of chains. */
static sf_status draw_by_chains(plot_job *j)
{
    cli *c = j->c;
    const int64_t n = CHAINS * DRAWS, d = sf_model_dim(j->model);
    const int64_t u = sf_model_unknowns(j->model);
    const size_t cells = (size_t)(n * u);
    SFI_TRY(name_drawn(j, n));
    double *y = sfi_alloc(c->ctx, cells, sizeof *y);
    if (y == NULL)
        return SF_E_NOMEM;
    sf_status status = run_chains(j, y);
    if (status == SF_OK)
        status = sf_model_from_unknowns(j->model, (sf_cmat){y, n, u, u},
                                        (sf_mat){j->drawn.data, n, d, d});
    else if (status == SF_E_NUMERIC && d <= 2)
        sfi_message_prefix(c->ctx, "no range was found, want --range %s: ",
                           d > 1 ? "A:B,C:D" : "A:B");
    sfi_free(c->ctx, y, cells, sizeof *y);
    return status == SF_OK ? warn_of_chains(j) : status;
}

static sf_status draw_by_flow(plot_job *j)
{
    cli *c = j->c;
    SFI_TRY(name_drawn(j, j->o->rows));
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    s.seed = c->common.seed;
    const sf_mat out = {j->drawn.data, j->o->rows, j->drawn.cols,
                        j->drawn.cols};
    cli_progress_begin(c);
    const sf_status status = sf_sample(j->model, out, &s);
    cli_progress_end(c);
    return status;
}

/* Chains need values, which a network of one noise level has not, and are for what cannot
 * be drawn directly. */
static bool needs_chains(const plot_job *j)
{
    return !sf_model_can(j->model, SF_CAN_NOISE) &&
           !sf_model_can(j->model, SF_CAN_DRAW) &&
           sf_model_can(j->model, SF_CAN_LOGPDF_CLOSED);
}

static sf_status draw_rows(plot_job *j)
{
    if (j->drawn.rows > 0)
        return SF_OK;
    return needs_chains(j) ? draw_by_chains(j) : draw_by_flow(j);
}

sf_status plot_find_reach(plot_job *j)
{
    SFI_TRY(draw_rows(j));
    j->reach =
        (sf_cmat){j->drawn.data, j->drawn.rows, j->drawn.cols, j->drawn.cols};
    return SF_OK;
}

sf_status plot_draw_samples(plot_job *j)
{
    if (j->model == NULL || j->samples.rows > 0 ||
        (j->dim <= 2 && j->data.rows > 0 && !plot_has_categories(j)) ||
        (needs_chains(j) && plot_has_map(j)))
        return SF_OK;
    SFI_TRY(draw_rows(j));
    SFI_TRY(plot_show_drawn(j));
    j->samples.x =
        (sf_cmat){j->drawn.data, j->drawn.rows, j->drawn.cols, j->drawn.cols};
    return SF_OK;
}
