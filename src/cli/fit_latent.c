/* SPDX-License-Identifier: Apache-2.0 */
/* fit_latent.c - models with latent variables for the command `fit`. */
#include "cli/fit.h"

#include "model/model.h"
#include "num/decimal.h"
#include "num/small.h"

#include <math.h>
#include <string.h>

/* "auto" or a whole number of at least 1. */
static sf_status read_latent(cli *c, const char *text, int64_t *latent)
{
    double value = 0.0;
    *latent = 0;
    if (text == NULL || strcmp(text, "auto") == 0)
        return SF_OK;
    const char *end = sfi_number_parse(text, &value);
    if (end == NULL || *end != '\0' || value != floor(value) ||
        !(value >= 1.0) || !(value <= 1e6))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent is \"%s\", want auto or a whole number of "
                        "at least 1",
                        text);
    *latent = (int64_t)value;
    return SF_OK;
}

sf_status fit_low_rank(fit_job *j)
{
    cli *c = j->c;
    const fit_data *d = &j->data;
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    SFI_TRY(read_latent(c, j->o->latent, &o.latent));
    o.standardise = j->o->standardise;
    o.validation = j->o->validation;
    o.seed = c->common.seed;
    j->low_rank_fit = (sf_low_rank_fit)SF_LOW_RANK_FIT_INIT;
    cli_progress_begin(c);
    const sf_status status = (j->o->model == FIT_PCA ? sf_fit_pca : sf_fit_fa)(
        c->ctx, &j->latent.model, d->matrix, d->names, &o, &j->low_rank_fit);
    cli_progress_end(c);
    SFI_TRY(status == SF_E_ARG ? status : fit_data_error(d, status));
    j->latent.mean = j->low_rank_fit.log_likelihood;
    return SF_OK;
}

sf_status fit_flow_information(fit_job *j)
{
    const held_out *h = &j->held;
    const int64_t d = j->data.dim;
    const size_t rows = (size_t)h->rows;
    j->information = NAN;
    if (j->flow.logpdf == NULL)
        return SF_OK;
    double *each = sfi_alloc(j->c->ctx, rows, sizeof *each);
    if (each == NULL)
        return SF_E_NOMEM;
    const sf_principal out = {.information = {each, h->rows, 1, 1}};
    const sf_status status = sf_model_principal(
        j->flow.model, (sf_cmat){h->points, h->rows, d, d}, 0, &out);
    double sum = 0.0;
    for (size_t i = 0; i < rows && status == SF_OK; i++)
        sum += each[i];
    if (status == SF_OK)
        j->information = sum / (double)rows;
    sfi_free(j->c->ctx, each, rows, sizeof *each);
    return status;
}

/* ---- autoencoders --------------------------------------------------------- */

static double held_out_loss(const sf_trainer *t)
{
    sf_fit_report r;
    sf_trainer_report(t, &r);
    return r.best_loss;
}

/* K = 1, 2, 4, ... while the held-out bound gets better. */
static sf_status choose_latent(fit_job *j, double part)
{
    int64_t most = j->data.dim - 1;
    most = most < SF_LATENT_MAX ? most : SF_LATENT_MAX;
    for (int64_t k = 1; k <= most && !cli_stop_wanted(); k *= 2) {
        sf_trainer *trainer = NULL;
        candidate next = {0};
        sf_network_options n = j->network_options;
        n.latent = k;
        const sf_status status =
            fit_train_candidate(j, &next, j->o, n, 0.4 * part, &trainer);
        const bool better = status == SF_OK && (j->trainer == NULL ||
                                                held_out_loss(trainer) <
                                                    held_out_loss(j->trainer));
        if (status == SF_OK)
            cli_note(j->c, "%lld latent: held-out loss %.5g", (long long)k,
                     held_out_loss(trainer));
        sf_model_free(better ? j->vae.model : next.model);
        sf_trainer_free(better ? j->trainer : trainer);
        /* That fewer directions stand out from the noise ends the search. */
        if (status == SF_E_NUMERIC && j->trainer != NULL)
            break;
        SFI_TRY(status);
        if (!better)
            break;
        j->vae.model = next.model;
        j->trainer = trainer;
        j->network_options.latent = k;
    }
    return SF_OK;
}

sf_status fit_vae(fit_job *j, double part)
{
    cli *c = j->c;
    int64_t latent = 0;
    SFI_TRY(read_latent(c, j->o->latent, &latent));
    if (latent == 0 && (j->o->checkpoint != NULL || j->o->resume != NULL))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent auto trains several models, which are no "
                        "single run to keep: want --latent K with --%s",
                        j->o->checkpoint != NULL ? "checkpoint" : "resume");
    if (latent > SF_LATENT_MAX)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent is %lld, want at most %d for --model vae",
                        (long long)latent, (int)SF_LATENT_MAX);
    if (latent == 0)
        return choose_latent(j, part);
    if (j->o->resume != NULL && latent != j->network_options.latent)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent was %lld when the run of --resume began and "
                        "must stay so",
                        (long long)j->network_options.latent);
    j->network_options.latent = latent;
    return fit_train_candidate(j, &j->vae, j->o, j->network_options, part,
                               &j->trainer);
}

sf_status fit_vae_judge(fit_job *j)
{
    const held_out *h = &j->held;
    const int64_t d = j->data.dim;
    sf_autoencoder_options o = SF_AUTOENCODER_OPTIONS_INIT;
    j->bound = (sf_autoencoder_report)SF_AUTOENCODER_REPORT_INIT;
    if (h->rows < 2 || cli_stop_wanted())
        return SF_OK;
    o.seed = j->c->common.seed;
    cli_progress_begin(j->c);
    const sf_status status = sf_autoencoder_judge(
        j->c->ctx, j->vae.model, (sf_cmat){h->points, h->rows, d, d}, &j->bound,
        j->kl, NULL, &o);
    cli_progress_end(j->c);
    return status;
}

void fit_vae_report(const fit_job *j, json_t *report)
{
    cli *c = j->c;
    const sf_autoencoder_report *r = &j->bound;
    cli_put_count(c, report, "latent", sf_model_latents(j->vae.model));
    if (sf_model_can(j->vae.model, SF_CAN_LOGPDF)) {
        cli_note(c, "the held-out bound was never better than the principal "
                    "components that training began with: these are kept");
        return;
    }
    if (r->rows == 0)
        return;
    cli_put_count(c, report, "judged_rows", r->rows);
    cli_put_number(c, report, "held_out_log_likelihood", r->logpdf);
    cli_put_number(c, report, "held_out_log_likelihood_se", r->logpdf_se);
    cli_put_text(c, report, "unit", "nats a row");
    cli_put_number(c, report, "elbo", r->elbo);
    cli_put_number(c, report, "elbo_se", r->elbo_se);
    cli_put_number(c, report, "worst_row_se", r->worst_se);
    cli_put_number(c, report, "amortisation_gap", r->gap);
    cli_put_number(c, report, "reconstruction_rms", r->rms);
    cli_put_number(c, report, "noise_sd", r->noise);
    cli_put_count(c, report, "active_latents", r->active);
    cli_put_number(c, report, "aggregate_kl", r->aggregate_kl);
    json_t *list = cli_put_list(c, report, "kl");
    for (int64_t k = 0; k < r->latent; k++)
        cli_add_number(c, list, j->kl[k]);
    if (r->active < r->latent)
        cli_note(c,
                 "%lld of %lld latent variables are not used: fewer of them "
                 "(--latent) say as much; --kl-warmup 0.3 may wake some",
                 (long long)(r->latent - r->active), (long long)r->latent);
    if (r->aggregate_kl > 0.1)
        cli_note(c,
                 "the codes of the rows are not like draws of the prior (%.2g "
                 "nats apart): samples will differ from the data",
                 r->aggregate_kl);
}

/* ---- manifolds ------------------------------------------------------------ */

sf_status fit_manifold(fit_job *j, double part)
{
    cli *c = j->c;
    int64_t latent = 0;
    SFI_TRY(read_latent(c, j->o->latent, &latent));
    if (latent == 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "want --latent K, the dimension of the manifold: no "
                        "likelihood of rows chooses it");
    if (j->o->resume != NULL && latent != j->network_options.latent)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--latent was %lld when the run of --resume began and "
                        "must stay so",
                        (long long)j->network_options.latent);
    j->network_options.latent = latent;
    return fit_train_candidate(j, &j->vae, j->o, j->network_options, part,
                               &j->trainer);
}

/* sum_k ln M_kk / 2 - ln det M / 2. */
static double information_of(const double *metric, int64_t k)
{
    double l[SF_LATENT_MAX * SF_LATENT_MAX], sum = 0.0;
    if (!sfi_small_cholesky(l, metric, (int)k))
        return NAN;
    for (int64_t a = 0; a < k; a++)
        sum += 0.5 * log(metric[a * k + a]) - log(l[a * k + a]);
    return sum;
}

/* Of a manifold with a prior, by importance sampling. */
static sf_status infer_likelihood(fit_job *j, const sf_decoder *decoder,
                                  sf_cmat x)
{
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    double *logpdf = sfi_alloc(j->c->ctx, (size_t)x.rows, sizeof *logpdf);
    if (logpdf == NULL)
        return SF_E_NOMEM;
    o.seed = j->c->common.seed;
    v.logpdf = (sf_mat){logpdf, x.rows, 1, 1};
    cli_progress_begin(j->c);
    const sf_status status = sf_latent_infer(j->c->ctx, decoder, x, &v, &r, &o);
    cli_progress_end(j->c);
    j->logpdf = r.mean_logpdf;
    sfi_free(j->c->ctx, logpdf, (size_t)x.rows, sizeof *logpdf);
    return status == SF_E_CONVERGE ? SF_OK : status;
}

static sf_status survey(fit_job *j, const sf_decoder *decoder, sf_cmat x,
                        double *z, double *residual, double *metric)
{
    const int64_t n = x.rows, d = x.cols, k = sf_decoder_latent(decoder);
    sf_latent_options how = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    double squares = 0.0;
    how.prior = SF_LATENT_NONE;
    v.residual = (sf_mat){residual, n, d, d};
    v.metric = (sf_mat){metric, n, k * k, k * k};
    SFI_TRY(sf_model_code(j->vae.model, x, (sf_mat){z, n, k, k}));
    SFI_TRY(sf_latent_at(j->c->ctx, decoder, x, (sf_cmat){z, n, k, k}, &v, NULL,
                         &how));
    j->information = 0.0;
    for (int64_t i = 0; i < n; i++)
        j->information += information_of(metric + i * k * k, k) / (double)n;
    for (int64_t i = 0; i < n * d; i++)
        squares += residual[i] * residual[i];
    j->logpdf = NAN;
    if (sf_model_can(j->vae.model, SF_CAN_NORMALISED))
        SFI_TRY(infer_likelihood(j, decoder, x));
    j->rms = sqrt(squares / (double)(n * d));
    return SF_OK;
}

sf_status fit_manifold_judge(fit_job *j)
{
    const held_out *h = &j->held;
    const sf_model *m = j->vae.model;
    const int64_t d = j->data.dim, k = sf_model_latents(m);
    const size_t each = (size_t)(k + d + k * k), room = (size_t)h->rows * each;
    sf_decoder *decoder = NULL;
    j->logpdf = NAN;
    if (h->rows < 1 || cli_stop_wanted())
        return SF_OK;
    double *z = sfi_alloc(j->c->ctx, room, sizeof *z);
    if (z == NULL)
        return SF_E_NOMEM;
    sf_status status = sf_decoder_from_model(j->c->ctx, &decoder, m);
    if (status == SF_OK)
        status = survey(j, decoder, (sf_cmat){h->points, h->rows, d, d}, z,
                        z + h->rows * k, z + h->rows * (k + d));
    sf_decoder_free(decoder);
    sfi_free(j->c->ctx, z, room, sizeof *z);
    double sum = 0.0;
    double *sd = sfi_alloc(j->c->ctx, (size_t)d, sizeof *sd);
    if (sd == NULL)
        return SF_E_NOMEM;
    m->ops->spread(m, sd);
    for (int64_t a = 0; a < d; a++)
        sum += sd[a] * sd[a] * m->scale[a] * m->scale[a];
    sfi_free(j->c->ctx, sd, (size_t)d, sizeof *sd);
    j->noise_sd = sqrt(sum / (double)d);
    return status;
}

void fit_manifold_report(const fit_job *j, json_t *report)
{
    cli *c = j->c;
    cli_put_count(c, report, "latent", sf_model_latents(j->vae.model));
    if (j->held.rows > 0) {
        cli_put_count(c, report, "judged_rows", j->held.rows);
        if (isfinite(j->logpdf)) {
            cli_put_number(c, report, "held_out_log_likelihood", j->logpdf);
            cli_put_text(c, report, "unit", "nats a row");
        }
        cli_put_number(c, report, "reconstruction_rms", j->rms);
    }
    cli_put_number(c, report, "noise_sd", j->noise_sd);
    cli_put_number(c, report, "principal", j->network_options.principal);
    if (j->held.rows > 0)
        cli_put_number(c, report, "mean_information", j->information);
    if (sf_model_can(j->vae.model, SF_CAN_NORMALISED))
        return;
    cli_note(c, "a manifold has no density: `scorefield latent` projects rows "
                "on it and tells its geometry");
}
