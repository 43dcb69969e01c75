/* SPDX-License-Identifier: Apache-2.0 */
/* fit_latent.c - models with latent variables for the command `fit`. */
#include "cli/fit.h"

#include "num/decimal.h"

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
