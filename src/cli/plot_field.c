/* SPDX-License-Identifier: Apache-2.0 */
/* plot_field.c - whose density is drawn: a model's, or one typed as text. */
#include "cli/plot.h"

#include "scorefield/flow.h"

#include <math.h>

/* ---- models --------------------------------------------------------------- */

static const char *model_name(const void *of, int64_t k)
{
    return sf_model_column(of, k);
}

/* To the precision that a picture shows. */
static sf_status model_logpdf(plot_job *j, sf_cmat x, double *out)
{
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = j->o->time;
    l.rtol = l.atol = 1e-3;
    l.seed = j->c->common.seed;
    cli_progress_begin(j->c);
    const sf_status status = sf_logpdf(j->model, x, out, NULL, &l);
    cli_progress_end(j->c);
    return status;
}

static sf_status model_score(plot_job *j, sf_cmat x, sf_mat out)
{
    const sf_model_values values = {.score = out};
    return sf_model_eval(j->model, x, j->o->time, &values);
}

sf_status plot_draw_samples(plot_job *j)
{
    cli *c = j->c;
    if (j->model == NULL || j->samples.rows > 0 ||
        (j->dim <= 2 && j->data.rows > 0))
        return SF_OK;
    SFI_TRY(sf_table_new(c->ctx, &j->drawn, j->o->rows, j->dim, j->names));
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    s.seed = c->common.seed;
    const sf_mat out = {j->drawn.data, j->o->rows, j->dim, j->dim};
    cli_progress_begin(c);
    sf_status status = sf_sample(j->model, out, &s);
    if (status == SF_E_UNSUPPORTED) { /* one noise level */
        s.method = SF_SAMPLER_LANGEVIN;
        status = sf_sample(j->model, out, &s);
    }
    cli_progress_end(c);
    SFI_TRY(status);
    j->samples.x = sf_mat_const(out);
    return SF_OK;
}

/* ---- typed densities ------------------------------------------------------ */

static const char *typed_name(const void *of, int64_t k)
{
    return sf_density_name(of, k);
}

/* Where the text has no value is as good as outside the domain, as it is to
 * chains. */
static sf_status typed_logpdf(plot_job *j, sf_cmat x, double *out)
{
    const sf_mat none = {0};
    SFI_TRY(sf_density_eval(j->density, x, out, none));
    for (int64_t i = 0; i < x.rows; i++)
        if (isnan(out[i]))
            out[i] = -INFINITY;
    return SF_OK;
}

/* Derivatives may have values where the text has none. */
static sf_status typed_score(plot_job *j, sf_cmat x, sf_mat out)
{
    const size_t n = (size_t)x.rows;
    double *logp = sfi_alloc(j->c->ctx, n, sizeof *logp);
    if (logp == NULL)
        return SF_E_NOMEM;
    const sf_status status = sf_density_eval(j->density, x, logp, out);
    for (int64_t i = 0; i < x.rows && status == SF_OK; i++)
        for (int64_t k = 0; k < out.cols && !isfinite(logp[i]); k++)
            out.data[i * out.stride + k] = NAN;
    sfi_free(j->c->ctx, logp, n, sizeof *logp);
    return status;
}

static sf_status make_typed(plot_job *j)
{
    cli *c = j->c;
    if (j->density == NULL)
        SFI_TRY(cli_make_density(c, &j->o->density, &j->density));
    const int64_t dim = sf_density_dim(j->density);
    if (dim > 2)
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "the density is of %lld numbers, \"%s\", \"%s\", "
            "\"%s\"%s; a picture has one or two: plot a table of its draws "
            "(`scorefield sample --density`) alone",
            (long long)dim, sf_density_name(j->density, 0),
            sf_density_name(j->density, 1), sf_density_name(j->density, 2),
            dim > 3 ? ", ..." : "");
    if (sf_density_unknowns(j->density) != dim)
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "the density is of shares, which lie on a line; plot a "
            "table of its draws (`scorefield sample --density`) alone");
    const plot_field field = {.of = j->density,
                              .dim = dim,
                              .curve = "density",
                              .moves_by_score = true,
                              .name = typed_name,
                              .logpdf = typed_logpdf,
                              .score = typed_score};
    j->field = field;
    return SF_OK;
}

sf_status plot_make_field(plot_job *j)
{
    if (j->density != NULL || j->o->density.text != NULL)
        return make_typed(j);
    if (j->model == NULL)
        return SF_OK;
    const plot_field field = {.of = j->model,
                              .dim = sf_model_dim(j->model),
                              .curve = "model",
                              .is_normalised = true,
                              .name = model_name,
                              .logpdf = model_logpdf,
                              .score = model_score};
    j->field = field;
    return SF_OK;
}
