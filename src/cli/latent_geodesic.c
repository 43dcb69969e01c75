/* SPDX-License-Identifier: Apache-2.0 */
/* latent_geodesic.c - scorefield latent --geodesic: the shortest curve on a decoder's
 * manifold, between points that are given or are those of two rows. */
#include "cli/latent.h"

#include "base/text.h"
#include "scorefield/geodesic.h"

#include <math.h>
#include <string.h>

typedef struct curve {
    cli *c;
    const cli_latent_options *o;
    cli_data data;
    sf_decoder *decoder;
    int64_t dim;
    double ends[2 * SF_LATENT_MAX]; /* the first and the last point */
    sf_table table;                 /* t, z, x, length */
    sf_geodesic_result result;
} curve;

/* ---- ends ----------------------------------------------------------------- */

/* "Z,Z:Z,Z". */
static sf_status take_points(curve *k)
{
    const char *text = k->o->geodesic, *middle = strchr(text, ':');
    const int64_t n = k->o->latent;
    char halves[2][1024];
    for (int side = 0; side < 2 && middle != NULL; side++) {
        double *numbers = NULL;
        int64_t count = 0, rows = 1;
        snprintf(
            halves[side], sizeof halves[side], "%.*s",
            (int)(side == 0 ? middle - text : (ptrdiff_t)strlen(middle + 1)),
            side == 0 ? text : middle + 1);
        const sf_status status = cli_latent_numbers(
            k->c, "--geodesic", halves[side], &numbers, &count, &rows);
        for (int64_t j = 0; j < n && status == SF_OK && count == n; j++)
            k->ends[side * n + j] = numbers[j];
        sfi_free(k->c->ctx, numbers, (size_t)count, sizeof *numbers);
        SFI_TRY(status);
        if (count != n || rows != 1)
            middle = NULL;
    }
    if (middle != NULL)
        return SF_OK;
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(k->c->ctx, SF_E_ARG,
                    "--geodesic is \"%s\", want two points of %lld numbers, "
                    "with : between them",
                    sfi_show(shown, text, strlen(text)), (long long)n);
}

/* "I,J" as rows of x, from 0. */
static sf_status parse_rows(const curve *k, int64_t rows, int64_t *row)
{
    double *numbers = NULL;
    int64_t count = 0, lines = 1;
    SFI_TRY(cli_latent_numbers(k->c, "--between", k->o->between, &numbers,
                               &count, &lines));
    bool good = count == 2 && lines == 1;
    for (int i = 0; i < 2 && good; i++) {
        good = numbers[i] >= 1.0 && numbers[i] <= (double)rows &&
               numbers[i] == floor(numbers[i]);
        row[i] = good ? (int64_t)numbers[i] - 1 : 0;
    }
    sfi_free(k->c->ctx, numbers, (size_t)count, sizeof *numbers);
    char shown[SFI_SHOW_SIZE];
    if (!good || row[0] == row[1])
        return SFI_FAIL(k->c->ctx, SF_E_ARG,
                        "--between is \"%s\", want two rows from 1 to %lld: "
                        "I,J",
                        sfi_show(shown, k->o->between, strlen(k->o->between)),
                        (long long)rows);
    return SF_OK;
}

static sf_status infer_ends(curve *k, sf_cmat x)
{
    const sf_latent_options how = cli_latent_how(k->c, k->o);
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    int64_t row[2] = {0};
    SFI_TRY(parse_rows(k, x.rows, row));
    for (int i = 0; i < 2; i++) {
        const sf_cmat one = {x.data + row[i] * x.stride, 1, x.cols, x.stride};
        double *at = k->ends + i * k->o->latent;
        v.z = (sf_mat){at, 1, k->o->latent, k->o->latent};
        SFI_TRY(sf_latent_infer(k->c->ctx, k->decoder, one, &v, NULL, &how));
    }
    return SF_OK;
}

static sf_status find_ends(curve *k)
{
    sf_cmat x = {0}, at = {0};
    if (k->o->geodesic != NULL) {
        SFI_TRY(take_points(k));
        return cli_latent_decoder(k->c, k->o, NULL, 0, &k->decoder);
    }
    SFI_TRY(cli_latent_read(k->c, k->o, &k->data, &x, &at));
    SFI_TRY(cli_latent_decoder(k->c, k->o, &k->data, x.cols, &k->decoder));
    return infer_ends(k, x);
}

/* ---- the output ----------------------------------------------------------- */

static sf_status name_columns(const curve *k, cli_names *names)
{
    SFI_TRY(cli_add_name(names, "t", "", ""));
    for (int64_t i = 0; i < k->o->latent; i++) {
        char name[8];
        snprintf(name, sizeof name, "z%d", (int)i);
        SFI_TRY(cli_add_name(names, name, "", ""));
    }
    for (int64_t i = 0; i < k->dim; i++)
        SFI_TRY(cli_add_name(names, sf_decoder_column(k->decoder, i), "", ""));
    return cli_add_name(names, "length", "", "");
}

static sf_status make_table(curve *k)
{
    cli_names names;
    k->dim = sf_decoder_dim(k->decoder);
    sf_status status =
        cli_names_make(k->c->ctx, &names, k->o->latent + k->dim + 2);
    if (status == SF_OK)
        status = name_columns(k, &names);
    if (status == SF_OK)
        status = sf_table_new(k->c->ctx, &k->table, k->o->segments + 1,
                              names.count, (const char *const *)names.list);
    cli_names_free(&names);
    return status;
}

static void make_report(const curve *k, double seconds)
{
    cli *c = k->c;
    const sf_geodesic_result *r = &k->result;
    cli_put_count(c, c->report, "segments", k->o->segments);
    cli_put_number(c, c->report, "energy", r->energy);
    cli_put_number(c, c->report, "length", r->length);
    cli_put_number(c, c->report, "length_extrapolated", r->length_extrapolated);
    cli_put_number(c, c->report, "straight", r->straight);
    cli_put_number(c, c->report, "gradient", r->gradient);
    cli_put_count(c, c->report, "iterations", r->iterations);
    cli_put_number(c, c->report, "seconds", seconds);
}

/* The curve into the columns of the table. */
static sf_status find_curve(curve *k, double *length)
{
    sf_geodesic_options how = SF_GEODESIC_OPTIONS_INIT;
    sf_table *t = &k->table;
    const int64_t n = k->o->latent;
    how.seed = k->c->common.seed;
    const sf_mat z = {t->data + 1, t->rows, n, t->cols};
    const sf_mat x = {t->data + 1 + n, t->rows, k->dim, t->cols};
    const sf_status status =
        sf_geodesic(k->c->ctx, k->decoder, z, x, length, &k->result, k->ends,
                    k->ends + n, &how);
    for (int64_t i = 0; i < t->rows; i++) {
        t->data[i * t->cols] = (double)i / (double)k->o->segments;
        t->data[i * t->cols + t->cols - 1] = length[i];
    }
    return status;
}

/* A curve that has not converged is written all the same. */
static sf_status draw_curve(curve *k, double begun)
{
    cli *c = k->c;
    const size_t rows = (size_t)k->table.rows;
    double *length = sfi_alloc_zero(c->ctx, rows, sizeof *length);
    if (length == NULL)
        return SF_E_NOMEM;
    const sf_status status = find_curve(k, length);
    sfi_free(c->ctx, length, rows, sizeof *length);
    if (status != SF_OK && status != SF_E_CONVERGE)
        return status;
    char message[CLI_LATENT_MESSAGE];
    snprintf(message, sizeof message, "%s", sf_context_message(c->ctx));
    SFI_TRY(sf_table_write(c->ctx, &k->table, k->o->output));
    make_report(k, sfi_clock() - begun);
    return cli_latent_end(c, status, message);
}

sf_status cli_latent_geodesic(cli *c, const cli_latent_options *o)
{
    const sf_geodesic_result none = SF_GEODESIC_RESULT_INIT;
    const double begun = sfi_clock();
    curve k = {.c = c, .o = o, .result = none};
    sf_status status = find_ends(&k);
    if (status == SF_OK)
        status = make_table(&k);
    if (status == SF_OK)
        status = draw_curve(&k, begun);
    sf_table_free(c->ctx, &k.table);
    sf_decoder_free(k.decoder);
    cli_data_free(&k.data);
    return status;
}
