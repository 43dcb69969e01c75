/* SPDX-License-Identifier: Apache-2.0 */
/* fit_candidates.c - the models that may be kept, and which of them is.
 *
 * `auto` fits the candidates to the same rows, from the simplest on, compares them on
 * the same rows that none was fitted to, and keeps the simplest one unless the mean log
 * likelihood of another is larger by more than the standard error of the
 * difference. */
#include "cli/fit.h"

#include "base/text.h"
#include "num/decimal.h"
#include "scorefield/flow.h"
#include "table/frame.h"

#include <math.h>
#include <string.h>

/* Below this many rows a network learns nothing that a gaussian lacks. */
enum { NETWORK_ROWS = 50 };

/* Above it the likelihoods that a bandwidth is found by cost more than they tell. */
enum { EMPIRICAL_ROWS = 50000 };

/* Rows of a likelihood between two looks at the clock. */
enum { SLICE = 64 };

/* The part of a time limit that training may take; the rest is for likelihoods. */
static const double training_part = 0.85;
/* Of what is left before these. */
static const double mixture_part = 0.4, empirical_part = 0.3, flow_part = 0.4;

/* ---- held-out rows -------------------------------------------------------- */

/* A likelihood costs d + 1 networks at some hundred noise levels. */
static int64_t likelihood_rows(int64_t held, int64_t dim)
{
    const int64_t most = dim <= 10 ? 1000 : dim >= 100 ? 100 : 10000 / dim;
    return held < most ? held : most;
}

static sf_status take_held_out(fit_job *j, uint64_t seed, double fraction)
{
    sf_context *ctx = j->c->ctx;
    held_out *h = &j->held;
    const sf_cmat x = j->data.matrix;
    h->n = x.rows;
    h->index = sfi_alloc(ctx, (size_t)h->n, sizeof *h->index);
    if (h->index == NULL)
        return SF_E_NOMEM;
    h->count = sf_split_rows(seed, h->n, fraction, h->index);
    h->rows = h->room = likelihood_rows(h->count, x.cols);
    h->points = sfi_alloc(ctx, (size_t)(h->room * x.cols), sizeof *h->points);
    if (h->points == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < h->rows; i++)
        memcpy(h->points + i * x.cols, x.data + h->index[i] * x.stride,
               (size_t)x.cols * sizeof *h->points);
    return SF_OK;
}

/* Where training spread repeated values, so are those that are judged: as it did. */
static sf_status spread_held_out(fit_job *j, const sf_trainer *trainer)
{
    const held_out *h = &j->held;
    const sf_cmat x = j->data.matrix;
    const size_t cells = (size_t)(x.rows * x.cols);
    if (sf_trainer_dequantised(trainer) == NULL)
        return SF_OK;
    double *spread = sfi_alloc(j->c->ctx, cells, sizeof *spread);
    if (spread == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sf_dequantise(j->c->ctx, (sf_mat){spread, x.rows, x.cols, x.cols}, x,
                      j->network_options.seed, NULL);
    for (int64_t i = 0; i < h->rows && status == SF_OK; i++)
        memcpy(h->points + i * x.cols, spread + h->index[i] * x.cols,
               (size_t)x.cols * sizeof *spread);
    sfi_free(j->c->ctx, spread, cells, sizeof *spread);
    return status;
}

/* What follows may take this share of the time that is left. */
static void allow(fit_job *j, double share)
{
    const double left = fmax(fit_time_left(j), 0.001);
    j->c->deadline = isfinite(left) ? sfi_clock() + share * left : 0.0;
}

static bool out_of_time(sf_status status)
{
    return status == SF_E_CANCELLED && !cli_stop_wanted();
}

/* Of all rows at once, or, under a time limit, some after the other while there is
 * time: what a row gets does not depend on the others.  *done counts them. */
static sf_status take_likelihoods(const fit_job *j, const sf_model *model,
                                  double *logpdf, int64_t *done)
{
    const held_out *h = &j->held;
    const int64_t d = j->data.dim;
    const int64_t slice = j->o->time_limit > 0.0 ? SLICE : h->rows;
    sf_status status = SF_OK;
    cli_progress_begin(j->c);
    for (*done = 0; status == SF_OK && *done < h->rows &&
                    (*done == 0 || fit_time_left(j) > 0.0);) {
        const int64_t left = h->rows - *done, n = left < slice ? left : slice;
        status = sf_logpdf(model, (sf_cmat){h->points + *done * d, n, d, d},
                           logpdf + *done, NULL, NULL);
        *done += status == SF_OK ? n : 0;
    }
    cli_progress_end(j->c);
    return status;
}

/* Log likelihood of the held-out rows; none is no error. */
static sf_status judge(fit_job *j, candidate *k)
{
    held_out *h = &j->held;
    int64_t done = 0;
    if (h->rows == 0 || cli_stop_wanted())
        return SF_OK;
    double *logpdf = sfi_alloc(j->c->ctx, (size_t)h->room, sizeof *logpdf);
    if (logpdf == NULL)
        return SF_E_NOMEM;
    const sf_status status = take_likelihoods(j, k->model, logpdf, &done);
    if (status != SF_OK) {
        sfi_free(j->c->ctx, logpdf, (size_t)h->room, sizeof *logpdf);
        /* The model was trained; that its likelihood is not known (one noise
         * level has none, an interrupt, a flow too rough to integrate) is no
         * reason to lose it. */
        if (status == SF_E_CONVERGE || status == SF_E_NUMERIC)
            cli_warn(j->c, "the held-out log likelihood is not known: %s",
                     sf_context_message(j->c->ctx));
        return status == SF_E_NOMEM ? status : SF_OK;
    }
    if (done < h->rows)
        cli_note(j->c,
                 "the time limit left time for the log likelihoods of %lld of "
                 "%lld held-out rows",
                 (long long)done, (long long)h->rows);
    h->rows = done;
    k->logpdf = logpdf;
    fit_mean_and_error(logpdf, h->rows, &k->mean, &k->se);
    return SF_OK;
}

/* ---- gaussian ------------------------------------------------------------- */

/* A gaussian of all rows, alone or because it was the better one. */
static sf_status fit_whole_gaussian(fit_job *j)
{
    cli *c = j->c;
    fit_data *d = &j->data;
    sf_model *model = NULL;
    sf_status status = SF_OK;
    sf_gaussian_options o = SF_GAUSSIAN_OPTIONS_INIT;
    j->gaussian_fit = (sf_gaussian_fit)SF_GAUSSIAN_FIT_INIT;
    if (cli_given(c, "prior-rows"))
        o.prior_rows = j->o->prior_rows;
    if (d->stream == NULL) {
        cli_progress_begin(c);
        status = sf_fit_gaussian_with(c->ctx, &model, d->matrix, d->names, &o,
                                      &j->gaussian_fit);
        cli_progress_end(c);
    } else {
        SFI_TRY(fit_rewind(d));
        status = sf_fit_gaussian_rows(c->ctx, &model, d->dim, d->names,
                                      fit_stream, d, NULL);
        if (status != SF_OK && cli_stop_wanted())
            return SFI_FAIL(c->ctx, SF_E_CANCELLED, "interrupted");
        fit_say_dropped(d);
    }
    SFI_TRY(fit_data_error(d, status));
    sf_model_free(j->gaussian.model);
    j->gaussian.model = model;
    return SF_OK;
}

/* Mean log density of the rows that a gaussian was fitted to.  Their mean
 * squared distance in units of its covariance is d, exactly, so it is d/2 less
 * than the log density at the mean. */
static sf_status own_likelihood(fit_job *j, double *value)
{
    const int64_t d = j->data.dim;
    if (j->gaussian_fit.rows > 0) {
        *value = j->gaussian_fit.log_likelihood / (double)j->gaussian_fit.rows;
        return SF_OK;
    }
    double *mean = sfi_alloc(j->c->ctx, (size_t)d, sizeof *mean);
    if (mean == NULL)
        return SF_E_NOMEM;
    double top = NAN;
    sf_status status = sf_gaussian_moments(j->gaussian.model, mean, NULL, NULL);
    if (status == SF_OK)
        status = sf_logpdf(j->gaussian.model, (sf_cmat){mean, 1, d, d}, &top,
                           NULL, NULL);
    sfi_free(j->c->ctx, mean, (size_t)d, sizeof *mean);
    *value = top - 0.5 * (double)d;
    return status;
}

/* ---- mixture -------------------------------------------------------------- */

/* A mixture of these rows, into the candidate. */
static sf_status fit_mixture(fit_job *j, sf_cmat rows)
{
    sf_model *model = NULL;
    sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
    o.components = j->o->components;
    o.seed = j->c->common.seed;
    j->mixture_fit = (sf_mixture_fit)SF_MIXTURE_FIT_INIT;
    cli_progress_begin(j->c);
    const sf_status status = sf_fit_mixture(j->c->ctx, &model, rows,
                                            j->data.names, &o, &j->mixture_fit);
    cli_progress_end(j->c);
    SFI_TRY(status == SF_E_ARG ? status : fit_data_error(&j->data, status));
    sf_model_free(j->mixture.model);
    j->mixture.model = model;
    return SF_OK;
}

static sf_status fit_whole_mixture(fit_job *j)
{
    SFI_TRY(fit_mixture(j, j->data.matrix));
    j->mixture.mean =
        j->mixture_fit.log_likelihood / (double)j->mixture_fit.rows;
    return SF_OK;
}

/* ---- network -------------------------------------------------------------- */

static sf_status fit_network(fit_job *j)
{
    return fit_train_candidate(j, &j->network, j->o, j->network_options,
                               training_part, &j->trainer);
}

static sf_status fit_flow(fit_job *j)
{
    return fit_train_candidate(j, &j->flow, j->o, j->flow_options,
                               training_part, &j->flow_trainer);
}

static void keep_warning(void *user, const char *text)
{
    fit_job *j = user;
    snprintf(j->flow_warning, sizeof j->flow_warning, "%s", text);
}

/* Among candidates a checkpoint is the network's, and warnings wait until the flow is
 * kept. */
static sf_status fit_candidate_flow(fit_job *j)
{
    fit_options o = *j->o;
    o.checkpoint = o.resume = NULL;
    sf_context_set_warning(j->c->ctx, keep_warning, j);
    const sf_status status = fit_train_candidate(
        j, &j->flow, &o, j->flow_options, flow_part, &j->flow_trainer);
    sf_context_set_warning(j->c->ctx, cli_on_warning, j->c);
    return status;
}

/* ---- empirical ------------------------------------------------------------ */

/* "loo", "adaptive" or a time. */
static sf_status read_bandwidth(fit_job *j, sf_empirical_options *e)
{
    const char *text = j->o->bandwidth;
    if (text == NULL || strcmp(text, "loo") == 0)
        return SF_OK;
    if (strcmp(text, "adaptive") == 0) {
        e->bandwidth = SF_BANDWIDTH_ADAPTIVE;
        return SF_OK;
    }
    e->bandwidth = SF_BANDWIDTH_FIXED;
    const char *end = sfi_number_parse(text, &e->time);
    if (end == NULL || *end != '\0' || !(e->time > 0.0) || !(e->time <= 1.0))
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--bandwidth is \"%s\", want loo, adaptive, local or a "
                        "time above 0 and at most 1",
                        text);
    return SF_OK;
}

/* "auto" or a share. */
static sf_status read_floor(fit_job *j, sf_empirical_options *e)
{
    const char *text = j->o->floor;
    if (text == NULL)
        return SF_OK;
    if (strcmp(text, "auto") == 0) {
        e->floor = -1.0;
        return e->bandwidth != SF_BANDWIDTH_FIXED
                   ? SF_OK
                   : SFI_FAIL(j->c->ctx, SF_E_ARG,
                              "--floor auto is found together with the "
                              "bandwidth, and --bandwidth is %s; give a number",
                              j->o->bandwidth);
    }
    const char *end = sfi_number_parse(text, &e->floor);
    if (end == NULL || *end != '\0' || !(e->floor >= 0.0) || !(e->floor < 1.0))
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--floor is \"%s\", want auto, or a number from 0 to "
                        "below 1",
                        text);
    return SF_OK;
}

/* The least number of neighbours that --privacy-ratio allows. */
static sf_status find_neighbours(fit_job *j, sf_local_options *l)
{
    cli *c = j->c;
    const fit_data *d = &j->data;
    sf_closeness *r = &j->closeness;
    *r = (sf_closeness)SF_CLOSENESS_INIT;
    cli_progress_begin(c);
    const sf_status status = sf_local_closeness(
        c->ctx, r, d->matrix, d->names, l, j->o->privacy_ratio, c->common.seed);
    cli_progress_end(c);
    SFI_TRY(status);
    const sf_closeness_point *last = &r->point[r->count - 1];
    if (r->neighbours == 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--privacy-ratio %g is not reached: of the %lld "
                        "neighbours that there may be at most, a quarter of "
                        "the rows, the ratio is %.3f +- %.3f",
                        j->o->privacy_ratio, (long long)last->neighbours,
                        last->ratio, last->ratio_se);
    l->neighbours = r->neighbours;
    cli_note(c,
             "%lld neighbours are the fewest whose ratio is within a standard "
             "error of %g, or above",
             (long long)r->neighbours, j->o->privacy_ratio);
    return SF_OK;
}

static sf_status fit_local(fit_job *j)
{
    cli *c = j->c;
    const fit_data *d = &j->data;
    sf_local_options l = SF_LOCAL_OPTIONS_INIT;
    j->is_local = true;
    l.frame = d->whole;
    l.neighbours = j->o->neighbours;
    l.agree = !j->o->no_agree;
    if (j->o->target != NULL)
        SFI_TRY(sfi_frame_find_column(c->ctx, d->whole, j->o->target,
                                      "--target", &l.target));
    sf_status status = SF_OK;
    if (j->o->privacy_ratio > 0.0)
        status = find_neighbours(j, &l);
    if (status == SF_OK)
        status = sf_fit_local(c->ctx, &j->empirical.model, d->matrix, d->names,
                              &l, NULL);
    return status == SF_E_ARG || status == SF_E_CANCELLED
               ? status
               : fit_data_error(d, status);
}

static sf_status fit_empirical(fit_job *j)
{
    cli *c = j->c;
    const fit_data *d = &j->data;
    if (j->o->bandwidth != NULL && strcmp(j->o->bandwidth, "local") == 0)
        return fit_local(j);
    sf_empirical_options e = SF_EMPIRICAL_OPTIONS_INIT;
    double *weights = NULL;
    e.kernel = j->o->kernel;
    e.seed = c->common.seed;
    /* Candidates of `auto` are densities with respect to the same measure. */
    e.frame = d->is_empirical ? d->whole : NULL;
    SFI_TRY(read_bandwidth(j, &e));
    SFI_TRY(read_floor(j, &e));
    if (d->weight >= 0) {
        weights = sfi_alloc(c->ctx, (size_t)d->complete, sizeof *weights);
        if (weights == NULL)
            return SF_E_NOMEM;
        for (int64_t i = 0; i < d->complete; i++)
            weights[i] = d->matrix.data[i * d->matrix.stride + d->dim];
        e.weights = weights;
    }
    cli_progress_begin(c);
    const sf_status status = sf_fit_empirical(
        c->ctx, &j->empirical.model, d->matrix, d->names, &e, &j->noise);
    cli_progress_end(c);
    sfi_free(c->ctx, weights, (size_t)d->complete, sizeof *weights);
    /* An argument is an option, not what the file holds. */
    SFI_TRY(status == SF_E_ARG ? status : fit_data_error(d, status));
    if (j->noise.copies > 0)
        cli_note(c, "%lld rows are copies of earlier ones%s",
                 (long long)j->noise.copies,
                 e.bandwidth == SF_BANDWIDTH_FIXED
                     ? ""
                     : "; they were left out together, since the likelihood of "
                       "a copy has no bound");
    return SF_OK;
}

/* ---- which one ------------------------------------------------------------ */

/* The candidates from the simplest on, ended by NULL. */
static candidate *in_order(fit_job *j, int i)
{
    candidate *const all[] = {&j->gaussian, &j->mixture, &j->empirical,
                              &j->flow,     &j->network, NULL};
    return all[i];
}

/* The simplest that none gains more over than the standard error of the gain. */
static void choose(fit_job *j)
{
    const candidate *kept = NULL;
    const int64_t rows = j->held.rows;
    snprintf(j->why, sizeof j->why,
             "no other gains more than its standard error on %lld held-out "
             "rows",
             (long long)rows);
    for (int i = 0; in_order(j, i) != NULL; i++) {
        const candidate *k = in_order(j, i);
        double gain = 0.0, se = 0.0;
        if (k->logpdf == NULL)
            continue;
        if (kept != NULL &&
            !fit_is_likelier(k->logpdf, kept->logpdf, rows, &gain, &se))
            continue;
        if (kept != NULL)
            snprintf(j->why, sizeof j->why,
                     "on %lld held-out rows it gains %.3g ± %.2g nats a row on "
                     "the %s",
                     (long long)rows, gain, se, sf_model_family(kept->model));
        kept = k;
    }
    const candidate *last = j->network.model != NULL ? &j->network : &j->flow;
    if (cli_stop_wanted() && last->model != NULL) {
        kept = last;
        snprintf(j->why, sizeof j->why,
                 "interrupted before the candidates were compared");
    }
    j->kept = kept;
}

/* The rows that are not held out, side by side; to be freed. */
static double *training_rows(const fit_job *j, sf_cmat *out)
{
    const held_out *h = &j->held;
    const sf_cmat x = j->data.matrix;
    const int64_t n = h->n - h->count, d = j->data.dim;
    double *rows = sfi_alloc(j->c->ctx, (size_t)(n * d), sizeof *rows);
    for (int64_t i = 0; i < n && rows != NULL; i++)
        memcpy(rows + i * d, x.data + h->index[h->count + i] * x.stride,
               (size_t)d * sizeof *rows);
    *out = (sf_cmat){rows, n, d, d};
    return rows;
}

/* A candidate that these rows do not allow is none, and said so; one that was fitted
 * is judged. */
static sf_status weigh(fit_job *j, candidate *k, sf_status status,
                       const char *name)
{
    if (status == SF_E_ARG || status == SF_E_NUMERIC || status == SF_E_FORMAT ||
        status == SF_E_CONVERGE) {
        cli_note(j->c, "%s: not fitted: %s", name,
                 sf_context_message(j->c->ctx));
        return SF_OK;
    }
    if (out_of_time(status)) {
        cli_note(j->c, "%s: not fitted: the time limit left too little time",
                 name);
        return SF_OK;
    }
    SFI_TRY(status);
    SFI_TRY(judge(j, k));
    if (k->logpdf != NULL)
        cli_note(j->c, "%s: held-out log likelihood %.5g ± %.2g nats a row",
                 name, k->mean, k->se);
    return SF_OK;
}

static sf_status weigh_all(fit_job *j, sf_cmat rows)
{
    cli *c = j->c;
    sf_empirical_options e = SF_EMPIRICAL_OPTIONS_INIT;
    e.seed = c->common.seed;
    SFI_TRY(
        weigh(j, &j->gaussian,
              sf_fit_gaussian(c->ctx, &j->gaussian.model, rows, j->data.names),
              "gaussian"));
    allow(j, mixture_part);
    sf_status status = fit_mixture(j, rows);
    c->deadline = 0.0;
    SFI_TRY(weigh(j, &j->mixture, status, "mixture"));
    if (rows.rows <= EMPIRICAL_ROWS) {
        allow(j, empirical_part);
        cli_progress_begin(c);
        status = sf_fit_empirical(c->ctx, &j->empirical.model, rows,
                                  j->data.names, &e, &j->noise);
        cli_progress_end(c);
        c->deadline = 0.0;
        SFI_TRY(weigh(j, &j->empirical, status, "empirical"));
    }
    if (j->data.complete >= NETWORK_ROWS) {
        SFI_TRY(weigh(j, &j->flow, fit_candidate_flow(j), "flow"));
        return cli_stop_wanted()
                   ? SF_OK
                   : weigh(j, &j->network, fit_network(j), "network");
    }
    cli_note(c, "flow, network: want at least %d rows, and there are %lld",
             (int)NETWORK_ROWS, (long long)j->data.complete);
    return SF_OK;
}

/* The same to all rows: in the place of the one of the training rows, if there is
 * time. */
static sf_status fit_whole(fit_job *j)
{
    if (j->kept == &j->gaussian)
        return fit_whole_gaussian(j);
    if (j->kept == &j->mixture)
        return fit_mixture(j, j->data.matrix);
    sf_model *of_training_rows = j->empirical.model;
    j->empirical.model = NULL;
    const sf_status status = fit_empirical(j);
    if (status == SF_OK)
        sf_model_free(of_training_rows);
    else
        j->empirical.model = of_training_rows;
    return status;
}

static sf_status fit_again(fit_job *j)
{
    const sf_mixture_fit mixture_fit = j->mixture_fit;
    const sf_empirical_report noise = j->noise;
    cli_note(j->c, "fits the %s again, to all rows",
             sf_model_family(j->kept->model));
    allow(j, 1.0);
    const sf_status status = fit_whole(j);
    j->c->deadline = 0.0;
    if (!out_of_time(status))
        return status;
    cli_note(j->c,
             "the time limit left too little time for all rows: the %s of "
             "the training rows is kept",
             sf_model_family(j->kept->model));
    j->mixture_fit = mixture_fit;
    j->noise = noise;
    return SF_OK;
}

static sf_status fit_auto(fit_job *j)
{
    sf_cmat rows;
    if (j->held.n < 2)
        return fit_data_error(
            &j->data, SFI_FAIL(j->c->ctx, SF_E_NUMERIC,
                               "%lld complete rows are no table to learn from",
                               (long long)j->held.n));
    if (j->held.rows < 2)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--model auto compares on held-out rows, and "
                        "--validation %g of %lld rows holds out %lld; want 2 "
                        "or more",
                        j->network_options.validation, (long long)j->held.n,
                        (long long)j->held.count);
    double *training = training_rows(j, &rows);
    if (training == NULL)
        return SF_E_NOMEM;
    const size_t cells = (size_t)(rows.rows * rows.cols);
    const sf_status status = weigh_all(j, rows);
    sfi_free(j->c->ctx, training, cells, sizeof *training);
    SFI_TRY(status);
    choose(j);
    if (j->kept == NULL) {
        cli_note(j->c,
                 "no candidate has a likelihood, so their rows are judged");
        j->by_rows = true;
        return fit_auto_rows(j);
    }
    cli_note(j->c, "keeps the %s: %s", sf_model_family(j->kept->model), j->why);
    /* What was compared without the held-out rows may as well use them now, but for a
     * network and a flow, which stopped by them. */
    if (j->kept == &j->flow && j->flow_warning[0] != '\0')
        cli_on_warning(j->c, j->flow_warning);
    if (j->kept == &j->flow)
        return fit_flow_information(j);
    return j->kept == &j->network ? SF_OK : fit_again(j);
}

/* Why `auto` compares nothing. */
static void say_atoms(fit_job *j)
{
    char shown[SFI_SHOW_SIZE];
    const fit_data *d = &j->data;
    if (j->o->model != FIT_AUTO)
        return;
    const char *name = sf_frame_name(d->all, d->atoms);
    snprintf(j->why, sizeof j->why,
             "of the candidates it alone has a place for the atoms of columns");
    cli_note(j->c,
             "keeps the empirical: %s, and \"%s\" has some (--kind "
             "'%s=%s:atoms=none' takes them as numbers)",
             j->why, sfi_show(shown, name, strlen(name)), shown,
             sf_kind_name(sf_frame_kind(d->all, d->atoms)));
}

sf_status fit_candidates(fit_job *j)
{
    const sf_network_options *n = &j->network_options;
    if (j->o->model == FIT_GAUSSIAN) {
        j->kept = &j->gaussian;
        SFI_TRY(fit_whole_gaussian(j));
        return own_likelihood(j, &j->gaussian.mean);
    }
    if (j->o->model == FIT_MIXTURE) {
        j->kept = &j->mixture;
        return fit_whole_mixture(j);
    }
    if (j->data.is_empirical) {
        j->kept = &j->empirical;
        say_atoms(j);
        return fit_empirical(j);
    }
    if (j->o->model == FIT_PCA || j->o->model == FIT_FA) {
        j->kept = &j->latent;
        return fit_low_rank(j);
    }
    if (j->o->model == FIT_AUTO && j->by_rows)
        return fit_auto_rows(j);
    SFI_TRY(take_held_out(j, n->seed, n->validation));
    if (j->o->model == FIT_VAE) {
        j->kept = &j->vae;
        SFI_TRY(fit_vae(j, training_part));
        SFI_TRY(spread_held_out(j, j->trainer));
        return sf_model_can(j->vae.model, SF_CAN_LOGPDF) ? judge(j, &j->vae)
                                                         : fit_vae_judge(j);
    }
    if (j->o->model == FIT_MANIFOLD || j->o->model == FIT_INJECTIVE) {
        j->kept = &j->vae;
        SFI_TRY(fit_manifold(j, training_part));
        SFI_TRY(spread_held_out(j, j->trainer));
        return fit_manifold_judge(j);
    }
    if (j->o->model == FIT_AUTO)
        return fit_auto(j);
    if (j->o->model == FIT_FLOW) {
        j->kept = &j->flow;
        SFI_TRY(fit_flow(j));
        SFI_TRY(spread_held_out(j, j->flow_trainer));
        SFI_TRY(judge(j, &j->flow));
        return fit_flow_information(j);
    }
    j->kept = &j->network;
    SFI_TRY(fit_network(j));
    return judge(j, &j->network);
}

void fit_job_free(fit_job *j)
{
    sf_context *ctx = j->c->ctx;
    const held_out *h = &j->held;
    sfi_free(ctx, j->gaussian.logpdf, (size_t)h->room, sizeof(double));
    sfi_free(ctx, j->mixture.logpdf, (size_t)h->room, sizeof(double));
    sfi_free(ctx, j->empirical.logpdf, (size_t)h->room, sizeof(double));
    sfi_free(ctx, j->network.logpdf, (size_t)h->room, sizeof(double));
    sfi_free(ctx, j->flow.logpdf, (size_t)h->room, sizeof(double));
    sfi_free(ctx, j->vae.logpdf, (size_t)h->room, sizeof(double));
    sfi_free(ctx, h->index, (size_t)h->n, sizeof *h->index);
    sfi_free(ctx, h->points, (size_t)(h->room * j->data.dim),
             sizeof *h->points);
    sf_model_free(j->gaussian.model);
    sf_model_free(j->mixture.model);
    sf_model_free(j->network.model);
    sf_model_free(j->empirical.model);
    sf_model_free(j->latent.model);
    sf_model_free(j->flow.model);
    sf_model_free(j->vae.model);
    fit_free_scores(j);
    sf_trainer_free(j->trainer);
    sf_trainer_free(j->flow_trainer);
    sf_checkpoint_free(ctx, &j->checkpoint);
    fit_data_free(&j->data);
}
