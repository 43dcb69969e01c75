/* SPDX-License-Identifier: Apache-2.0 */
/* latent_input.c - decoders, of a model or as they are typed on the command line, and
 * their rows. */
#include "cli/latent.h"

#include "base/text.h"
#include "num/decimal.h"
#include "scorefield/store.h"

#include <math.h>
#include <string.h>

/* Refuse those of `names`, up to a NULL, that were given: they do not apply to `what`. */
static sf_status refuse(const cli *c, const char *what,
                        const char *const *names)
{
    for (; *names != NULL; names++)
        if (cli_given(c, *names))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s does not apply %s", *names,
                            what);
    return SF_OK;
}

/* No option that is not used: points, curves and draws have their own. */
static sf_status check_unused(cli *c, const cli_latent_options *o)
{
    static const char *const of_points[] = {"want", "at", NULL};
    static const char *const of_curves[] = {"segments", NULL};
    static const char *const of_draws[] = {"draws", "chains", "warmup", NULL};
    static const char *const inferring[] = {"starts", "prior", "samples",
                                            "columns", NULL};
    const bool curve = o->geodesic != NULL || o->between != NULL;
    const bool draws = cli_given(c, "draws");
    if (curve || draws)
        SFI_TRY(refuse(c, draws ? "to --draws" : "to a curve", of_points));
    if (!curve)
        SFI_TRY(refuse(c, "without --geodesic or --between", of_curves));
    if (curve || !draws)
        SFI_TRY(refuse(c, curve ? "to a curve" : "without --draws", of_draws));
    if (o->geodesic != NULL)
        SFI_TRY(refuse(c, "where nothing is inferred", inferring));
    if (draws && o->prior != (int)SF_LATENT_NORMAL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--draws needs the normal prior: without one there is "
                        "no distribution of z");
    return SF_OK;
}

sf_status cli_latent_open(cli *c, cli_latent_options *o)
{
    const bool typed = o->decoder != NULL;
    if (typed && c->operand_count > 1)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "MODEL or --decoder EXPRS: want one of them");
    const bool one = c->operand_count < 2 && cli_given(c, "latent-dim");
    if (!typed && (c->operand_count < 1 || one))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "want MODEL, or --decoder 'EXPR; EXPR; ...': the "
                        "numbers of a row, made of z0, z1, ...");
    if (c->operand_count > (typed ? 0 : 1))
        o->table = c->operands[typed ? 0 : 1];
    if (typed)
        return SF_OK;
    SFI_TRY(sf_model_load(c->ctx, &o->model, c->operands[0]));
    const char *why = sf_model_why_not(o->model, SF_CAN_DECODE);
    if (why != NULL)
        return SFI_FAIL(c->ctx, SF_E_UNSUPPORTED, "%s: the model %s",
                        cli_shown_path(c->operands[0]), why);
    o->latent = sf_model_latents(o->model);
    /* Of a manifold nothing is known of z. */
    if (!sf_model_can(o->model, SF_CAN_NORMALISED) && !cli_given(c, "prior"))
        o->prior = (int)SF_LATENT_NONE;
    return SF_OK;
}

/* A table where there are rows, none where there are not. */
static sf_status check_table(cli *c, const cli_latent_options *o)
{
    if (o->geodesic == NULL && o->table == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "want DATA, a table of rows x; `scorefield help "
                        "latent` explains");
    if (o->geodesic != NULL && o->between != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "want --geodesic or --between, not both");
    if (o->geodesic != NULL && o->table != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--geodesic needs no table: between two of its rows, "
                        "--between I,J");
    return check_unused(c, o);
}

sf_status cli_latent_check(cli *c, const cli_latent_options *o)
{
    const int kinds =
        (o->sigma != NULL) + (o->covariance != NULL) + (o->log_sigma != NULL);
    static const char *const typed[] = {"latent-dim", "sigma",   "covariance",
                                        "log-sigma",  "columns", NULL};
    if (o->model != NULL)
        SFI_TRY(refuse(c, "to MODEL, which has its own", typed));
    if (o->model == NULL && !cli_given(c, "latent-dim"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "want --latent-dim K: how many of z0, z1, ... are "
                        "there?");
    if (kinds > 1)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "want at most one of --sigma, --covariance and "
                        "--log-sigma");
    return check_table(c, o);
}

sf_latent_options cli_latent_how(const cli *c, const cli_latent_options *o)
{
    sf_latent_options how = SF_LATENT_OPTIONS_INIT;
    how.prior = (sf_latent_prior)o->prior;
    how.starts = o->starts;
    how.samples = o->samples;
    how.seed = c->common.seed;
    return how;
}

sf_status cli_latent_end(cli *c, sf_status status, const char *message)
{
    if (c->common.json || !c->common.quiet)
        SFI_TRY(cli_report(c, stderr));
    return status == SF_OK ? SF_OK : SFI_FAIL(c->ctx, status, "%s", message);
}

/* ---- numbers -------------------------------------------------------------- */

/* A list of numbers; `*count` of them to `to`, which has room for `most`.  The
 * numbers of a row are parted by commas, rows of one length by semicolons. */
static sf_status parse_numbers(cli *c, const char *option, const char *text,
                               int64_t most, double *to, int64_t *count,
                               int64_t *rows)
{
    const char *at = text;
    int64_t width = 0; /* of the first row */
    *count = 0;
    *rows = 1;
    for (;;) {
        at += strspn(at, " ");
        double value = NAN;
        const char *end = sfi_number_parse(at, &value);
        if (end == NULL)
            break;
        if (*count < most)
            to[*count] = value;
        (*count)++;
        at = end + strspn(end, " ");
        if (*rows == 1)
            width = *count;
        if (*at != ',' && *count != *rows * width)
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "%s: row %lld has not the %lld numbers of the "
                            "first",
                            option, (long long)*rows, (long long)width);
        if (*at == '\0')
            return SF_OK;
        if (*at != ',' && *at != ';')
            break;
        *rows += *at++ == ';';
    }
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(c->ctx, SF_E_ARG, "%s: \"%s\" is no number%s", option,
                    sfi_show(shown, at, strcspn(at, ",;")),
                    *at == '\0' ? " (the list ends in a comma?)" : "");
}

sf_status cli_latent_numbers(cli *c, const char *option, const char *text,
                             double **out, int64_t *count, int64_t *rows)
{
    SFI_TRY(parse_numbers(c, option, text, 0, NULL, count, rows));
    *out = sfi_alloc(c->ctx, (size_t)*count, sizeof **out);
    if (*out == NULL)
        return SF_E_NOMEM;
    return parse_numbers(c, option, text, *count, *out, count, rows);
}

/* ---- the decoder ---------------------------------------------------------- */

/* What --sigma or --covariance says, to `d`. */
static sf_status take_noise(cli *c, const cli_latent_options *o,
                            const double *numbers, int64_t count, int64_t rows,
                            sf_decoder_options *d)
{
    if (o->sigma != NULL && rows > 1)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--sigma is a list, with commas between its numbers");
    if (o->sigma != NULL) {
        d->sigma = numbers;
        d->sigma_count = count;
        return SF_OK;
    }
    d->covariance = numbers;
    d->dim = d->dim > 0 ? d->dim : rows;
    if (rows != d->dim || count != rows * rows)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--covariance has %lld numbers in %lld rows, want "
                        "%lld rows of %lld for the columns of x",
                        (long long)count, (long long)rows, (long long)d->dim,
                        (long long)d->dim);
    return SF_OK;
}

static sf_status make_decoder(cli *c, const cli_latent_options *o,
                              sf_decoder_options *d, sf_decoder **out)
{
    const char *option = o->sigma != NULL ? "--sigma" : "--covariance";
    const char *text = o->sigma != NULL ? o->sigma : o->covariance;
    double *numbers = NULL;
    int64_t count = 0, rows = 1;
    sf_status status = SF_OK;
    d->log_sigma = o->log_sigma;
    if (text != NULL)
        status = cli_latent_numbers(c, option, text, &numbers, &count, &rows);
    if (text != NULL && status == SF_OK)
        status = take_noise(c, o, numbers, count, rows, d);
    if (status == SF_OK)
        status = sf_decoder_new(c->ctx, out, o->decoder, o->latent, d);
    sfi_free(c->ctx, numbers, (size_t)count, sizeof *numbers);
    return status;
}

sf_status cli_latent_decoder(cli *c, const cli_latent_options *o,
                             const cli_data *data, int64_t dim,
                             sf_decoder **out)
{
    sf_decoder_options d = SF_DECODER_OPTIONS_INIT;
    const char **names = NULL;
    if (o->model != NULL)
        return sf_decoder_from_model(c->ctx, out, o->model);
    d.dim = dim;
    if (data != NULL) {
        names = sfi_alloc(c->ctx, (size_t)dim, sizeof *names);
        if (names == NULL)
            return SF_E_NOMEM;
        for (int64_t j = 0; j < dim; j++)
            names[j] = cli_data_name(data, j);
        d.names = names;
    }
    const sf_status status = make_decoder(c, o, &d, out);
    sfi_free(c->ctx, names, (size_t)dim, sizeof *names);
    return status;
}

/* ---- rows ----------------------------------------------------------------- */

/* Which columns are x and then those of --at, to index [all columns]. */
static sf_status list_columns(const sf_frame *all, const sf_frame *x,
                              const sf_frame *at, int64_t *index, int64_t *dim,
                              int64_t *count)
{
    *count = 0;
    for (int64_t j = 0; j < sf_frame_cols(x != NULL ? x : all); j++) {
        const char *name = sf_frame_name(x != NULL ? x : all, j);
        if (x != NULL || at == NULL || sf_frame_find(at, name) < 0)
            index[(*count)++] = sf_frame_find(all, name);
    }
    *dim = *count;
    for (int64_t k = 0; at != NULL && k < sf_frame_cols(at); k++)
        index[(*count)++] = sf_frame_find(all, sf_frame_name(at, k));
    return SF_OK;
}

static sf_status choose_columns(cli *c, cli_data *data, const sf_frame *x,
                                const sf_frame *at, int64_t *dim)
{
    const size_t most = 2 * (size_t)sf_frame_cols(data->all);
    int64_t *index = sfi_alloc(c->ctx, most, sizeof *index), count = 0;
    if (index == NULL)
        return SF_E_NOMEM;
    sf_status status = list_columns(data->all, x, at, index, dim, &count);
    if (status == SF_OK && *dim == 0)
        status = SFI_FAIL(c->ctx, SF_E_FORMAT,
                          "%s: no column is left for x beside those of --at",
                          cli_shown_path(data->path));
    if (status == SF_OK)
        status = cli_data_select(c, data, index, count);
    sfi_free(c->ctx, index, most, sizeof *index);
    return status;
}

/* The first row with a missing cell. */
static sf_status check_complete(cli *c, const cli_data *data)
{
    const sf_frame *f = data->some;
    char place[SF_PLACE_SIZE];
    for (int64_t i = 0; i < sf_frame_rows(f); i++)
        for (int64_t j = 0; j < sf_frame_cols(f); j++)
            if (isnan(sf_frame_cell(f, i, j)))
                return SFI_FAIL(c->ctx, SF_E_FORMAT,
                                "%s is missing, and every cell of x is needed",
                                sf_frame_place(f, i, j, place));
    return SF_OK;
}

static sf_status read_columns(cli *c, const cli_latent_options *o,
                              cli_data *data, sf_frame **x, sf_frame **at,
                              int64_t *dim)
{
    SFI_TRY(cli_data_read(c, data, o->table, &o->read));
    if (o->model != NULL) {
        const cli_named of = cli_model_columns(o->model);
        SFI_TRY(cli_data_match(c, data, &of));
    }
    if (o->columns != NULL)
        SFI_TRY(sf_frame_pick(c->ctx, x, data->all, o->columns));
    if (o->at != NULL)
        SFI_TRY(sf_frame_pick(c->ctx, at, data->all, o->at));
    if (o->at != NULL && sf_frame_cols(*at) != o->latent)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--at has %lld columns, want the %lld of z",
                        (long long)sf_frame_cols(*at), (long long)o->latent);
    SFI_TRY(
        choose_columns(c, data, o->model != NULL ? data->some : *x, *at, dim));
    SFI_TRY(check_complete(c, data));
    return cli_data_take(c, data);
}

sf_status cli_latent_read(cli *c, const cli_latent_options *o, cli_data *data,
                          sf_cmat *x, sf_cmat *at)
{
    sf_frame *of_x = NULL, *of_at = NULL;
    int64_t dim = 0;
    const sf_status status = read_columns(c, o, data, &of_x, &of_at, &dim);
    sf_frame_free(of_at);
    sf_frame_free(of_x);
    SFI_TRY(status);
    *x = data->x;
    x->cols = dim;
    if (o->at != NULL)
        *at = (sf_cmat){data->x.data + dim, data->x.rows, o->latent,
                        data->x.stride};
    return SF_OK;
}
