/* SPDX-License-Identifier: Apache-2.0 */
/* latent.c - scorefield latent: the latent points of rows through a decoder, and the
 * geometry there. */
#include "cli/latent.h"

#include <math.h>
#include <string.h>

#define OPTION(...) CLI_OPTION(cli_latent_options, __VA_ARGS__)

static const cli_option options[] = {
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".csv or .npy; - is CSV on stdout"),
    OPTION(CLI_TEXT, 0, "decoder", "EXPRS", decoder, NULL, NULL,
           "Numbers of a row, of z0, z1, ...: 'z0; z0^2'"),
    OPTION(CLI_WHOLE, 0, "latent-dim", "K", latent, NULL, "[1, 32]",
           "How many latent numbers"),
    OPTION(CLI_TEXT, 0, "want", "LIST", want, "z,orthogonality", NULL,
           "Of the names below, with commas"),
    {.kind = CLI_CHOICE,
     .name = "prior",
     .argument = "P",
     .offset = offsetof(cli_latent_options, prior),
     .initial = "normal",
     .choices = "normal|none",
     .help = "Of z: normal (0, 1), or none"},
    {.kind = CLI_TEXT,
     .name = "sigma",
     .argument = "S[,S...]",
     .offset = offsetof(cli_latent_options, sigma),
     .shown = "1",
     .help = "Standard deviation of the noise, or one each"},
    OPTION(CLI_TEXT, 0, "covariance", "ROWS", covariance, NULL, NULL,
           "Or its covariance: 'A,B; B,C'"),
    OPTION(CLI_TEXT, 0, "log-sigma", "EXPRS", log_sigma, NULL, NULL,
           "Or ln of the standard deviations, of z"),
    OPTION(CLI_TEXT, 0, "at", "COLUMNS", at, NULL, NULL,
           "Columns that are z0, z1, ...: no inference"),
    {.kind = CLI_TEXT,
     .name = "columns",
     .argument = "LIST",
     .offset = offsetof(cli_latent_options, columns),
     .shown = "all others",
     .help = "Columns that are x"},
    OPTION(CLI_WHOLE, 0, "starts", "M", starts, "4", "[1, 64]",
           "Of the search, for each row"),
    OPTION(CLI_WHOLE, 0, "samples", "S", samples, "256", "[16, 1e9]",
           "Of each row, for logpdf"),
    OPTION(CLI_TEXT, 0, "geodesic", "Z,..:Z,..", geodesic, NULL, NULL,
           "Instead, the shortest curve between two points"),
    OPTION(CLI_TEXT, 0, "between", "I,J", between, NULL, NULL,
           "Or between those of rows I and J (from 1)"),
    OPTION(CLI_WHOLE, 0, "segments", "N", segments, "64", "[2, 1e6]",
           "Of the curve: a power of two is best"),
    OPTION(CLI_WHOLE, 0, "draws", "N", draws, NULL, "[1, 1e9]",
           "Instead, draws of z given x, of each row"),
    OPTION(CLI_WHOLE, 0, "chains", "C", chains, "4", "[1, 64]",
           "Markov chains that draw, for each row"),
    OPTION(CLI_WHOLE, 0, "warmup", "W", warmup, "200", "[0, 1e9]",
           "Iterations before draws are kept"),
    CLI_READ_OPTIONS(cli_latent_options, read),
    {0}};

/* ---- what is wanted ------------------------------------------------------- */

typedef enum latent_shape { ONE, LATENT, COLUMN, PAIR, DIRECTION } latent_shape;

/*   WANT(name, member, prefix of its columns, how many)
 * Rows of one name stand together. */
#define WANT_LIST(WANT)                                                        \
    WANT("z", z, "", LATENT)                                                   \
    WANT("score", score, "score", LATENT)                                      \
    WANT("tangential", tangential, "tangential", LATENT)                       \
    WANT("residual", residual, "residual", COLUMN)                             \
    WANT("reconstruction", reconstruction, "reconstruction", COLUMN)           \
    WANT("orthogonality", orthogonality, "orthogonality", ONE)                 \
    WANT("metric", metric, "metric", PAIR)                                     \
    WANT("hessian", hessian, "hessian", PAIR)                                  \
    WANT("volume", log_volume, "log_volume", ONE)                              \
    WANT("principal", principal, "principal", DIRECTION)                       \
    WANT("posterior", covariance, "cov", PAIR)                                 \
    WANT("kind", kind, "kind", ONE)                                            \
    WANT("focal", focal, "focal", ONE)                                         \
    WANT("misfit", misfit, "misfit", ONE)                                      \
    WANT("loglik", loglik, "loglik", ONE)                                      \
    WANT("logjoint", logjoint, "logjoint", ONE)                                \
    WANT("laplace", laplace, "laplace", ONE)                                   \
    WANT("logpdf", logpdf, "logpdf", ONE)                                      \
    WANT("logpdf", logpdf_se, "logpdf_se", ONE)                                \
    WANT("data_score", data_score, "data_score", COLUMN)                       \
    WANT("contours", contours, "contour", LATENT)                              \
    WANT("contours", information, "information", ONE)                          \
    WANT("curvature", curvature, "curvature", ONE)                             \
    WANT("ambiguous", ambiguous, "ambiguous", ONE)

static const struct {
    const char *name, *prefix;
    size_t member;
    latent_shape columns;
} wants[] = {
#define WANT_ROW(name, member, prefix, columns)                                \
    {name, prefix, offsetof(sf_latent_values, member), columns},
    WANT_LIST(WANT_ROW)
#undef WANT_ROW
};

enum { WANTS = sizeof wants / sizeof *wants };

/* The first row of the i-th name; WANTS after the last. */
static int want_row(int i)
{
    int row = 0;
    for (; row < WANTS; row++) {
        const bool is_first =
            row == 0 || strcmp(wants[row].name, wants[row - 1].name) != 0;
        if (is_first && i-- == 0)
            break;
    }
    return row;
}

static const char *want_name(const void *user, int i)
{
    (void)user;
    return want_row(i) < WANTS ? wants[want_row(i)].name : NULL;
}

typedef struct latent_run {
    cli *c;
    const cli_latent_options *o;
    cli_data data;
    sf_decoder *decoder;
    int64_t latent, dim;
    sf_cmat x, at;
    int count;
    int list[WANTS]; /* rows of `wants`, in the order of the columns */
    double *numbers; /* of all values, [rows, columns] */
    int64_t columns;
    sf_latent_values values;
    sf_latent_result result;
} latent_run;

static sf_status take_wants(latent_run *j)
{
    int names[WANTS], count = 0;
    const cli_want_names all = {want_name, NULL};
    SFI_TRY(cli_parse_wants(j->c, j->o->want, &all, names, &count));
    for (int i = 0; i < count; i++) {
        const int first = want_row(names[i]);
        for (int row = first;
             row < WANTS && strcmp(wants[row].name, wants[first].name) == 0;
             row++)
            j->list[j->count++] = row;
    }
    return SF_OK;
}

static int64_t columns_of(const latent_run *j, int row)
{
    const int64_t k = j->latent, d = j->dim;
    return wants[row].columns == ONE      ? 1
           : wants[row].columns == LATENT ? k
           : wants[row].columns == COLUMN ? d
           : wants[row].columns == PAIR   ? k * k
                                          : k * (2 + d);
}

/* All values are columns of one array, in the order of the output. */
static sf_status allocate(latent_run *j)
{
    const sf_latent_values none = SF_LATENT_VALUES_INIT;
    j->values = none;
    for (int i = 0; i < j->count; i++)
        j->columns += columns_of(j, j->list[i]);
    j->numbers = sfi_alloc(j->c->ctx, (size_t)(j->x.rows * j->columns),
                           sizeof *j->numbers);
    if (j->numbers == NULL)
        return SF_E_NOMEM;
    int64_t at = 0;
    for (int i = 0; i < j->count; i++) {
        const int64_t cols = columns_of(j, j->list[i]);
        sf_mat *m = (sf_mat *)((char *)&j->values + wants[j->list[i]].member);
        *m = (sf_mat){j->numbers + at, j->x.rows, cols, j->columns};
        at += cols;
    }
    return SF_OK;
}

/* ---- the output table ----------------------------------------------------- */

static sf_status add_directions(const latent_run *j, cli_names *names,
                                const char *prefix)
{
    for (int64_t k = 1; k <= j->latent; k++) {
        char number[8];
        snprintf(number, sizeof number, "%d", (int)k);
        SFI_TRY(cli_add_name(names, prefix, "sd", number));
        SFI_TRY(cli_add_name(names, prefix, "snr", number));
        for (int64_t i = 0; i < j->dim; i++)
            SFI_TRY(cli_add_name(names, prefix, number,
                                 sf_decoder_column(j->decoder, i)));
    }
    return SF_OK;
}

static sf_status add_latents(const latent_run *j, cli_names *names,
                             const char *prefix, bool pairs)
{
    for (int64_t a = 0; a < j->latent; a++) {
        char first[8], second[8] = "";
        snprintf(first, sizeof first, "z%d", (int)a);
        for (int64_t b = 0; b < (pairs ? j->latent : 1); b++) {
            if (pairs)
                snprintf(second, sizeof second, "z%d", (int)b);
            SFI_TRY(cli_add_name(names, prefix, first, second));
        }
    }
    return SF_OK;
}

static sf_status add_names(const latent_run *j, cli_names *names, int row)
{
    const char *prefix = wants[row].prefix;
    switch (wants[row].columns) {
    case ONE:
        return cli_add_name(names, prefix, "", "");
    case LATENT:
        return add_latents(j, names, prefix, false);
    case PAIR:
        return add_latents(j, names, prefix, true);
    case DIRECTION:
        return add_directions(j, names, prefix);
    case COLUMN:
        break;
    }
    for (int64_t i = 0; i < j->dim; i++)
        SFI_TRY(
            cli_add_name(names, prefix, sf_decoder_column(j->decoder, i), ""));
    return SF_OK;
}

static sf_status write_named(const latent_run *j, cli_names *names)
{
    sf_table table;
    for (int i = 0; i < j->count; i++)
        SFI_TRY(add_names(j, names, j->list[i]));
    SFI_TRY(sf_table_new(j->c->ctx, &table, j->x.rows, names->count,
                         (const char *const *)names->list));
    memcpy(table.data, j->numbers,
           (size_t)(j->x.rows * j->columns) * sizeof *j->numbers);
    const sf_status status = sf_table_write(j->c->ctx, &table, j->o->output);
    sf_table_free(j->c->ctx, &table);
    return status;
}

static sf_status write_table(const latent_run *j)
{
    cli_names names;
    sf_status status = cli_names_make(j->c->ctx, &names, j->columns);
    if (status == SF_OK)
        status = write_named(j, &names);
    cli_names_free(&names);
    return status;
}

/* ---- the command ---------------------------------------------------------- */

static void make_report(const latent_run *j, double seconds)
{
    cli *c = j->c;
    const sf_latent_result *r = &j->result;
    const bool inferred = j->at.data == NULL;
    cli_put_count(c, c->report, "rows", r->rows);
    if (inferred)
        cli_put_count(c, c->report, "converged", r->converged);
    cli_put_count(c, c->report, "maxima", r->maxima);
    cli_put_count(c, c->report, "saddles", r->saddles);
    cli_put_count(c, c->report, "undetermined", r->undetermined);
    if (inferred)
        cli_put_count(c, c->report, "ambiguous", r->ambiguous);
    if (r->undefined > 0)
        cli_put_count(c, c->report, "undefined", r->undefined);
    if (r->unreachable > 0)
        cli_put_count(c, c->report, "unreachable", r->unreachable);
    if (r->tied > 0)
        cli_put_count(c, c->report, "tied_directions", r->tied);
    cli_put_number(c, c->report, "worst_orthogonality", r->worst_orthogonality);
    if (inferred) {
        cli_put_count(c, c->report, "iterations", r->iterations);
        cli_put_count(c, c->report, "starts", r->starts);
    }
    if (j->values.logpdf.data != NULL) {
        cli_put_number(c, c->report, "mean_logpdf", r->mean_logpdf);
        cli_put_number(c, c->report, "mean_logpdf_se", r->mean_logpdf_se);
        cli_put_number(c, c->report, "worst_se", r->worst_se);
    }
    cli_put_number(c, c->report, "seconds", seconds);
    if (r->unreachable > 0)
        cli_note(c,
                 "%.3g %% of the rows are not on this manifold within its "
                 "noise",
                 100.0 * (double)r->unreachable / (double)r->rows);
}

static sf_status evaluate(latent_run *j)
{
    const sf_latent_options o = cli_latent_how(j->c, j->o);
    return j->at.data == NULL ? sf_latent_infer(j->c->ctx, j->decoder, j->x,
                                                &j->values, &j->result, &o)
                              : sf_latent_at(j->c->ctx, j->decoder, j->x, j->at,
                                             &j->values, &j->result, &o);
}

/* Rows that did not converge are written all the same; where none did, that is
 * what the program ends with. */
static sf_status infer(latent_run *j)
{
    cli *c = j->c;
    const double begun = sfi_clock();
    SFI_TRY(cli_latent_read(c, j->o, &j->data, &j->x, &j->at));
    j->latent = j->o->latent;
    j->dim = j->x.cols;
    SFI_TRY(cli_latent_decoder(c, j->o, &j->data, j->dim, &j->decoder));
    SFI_TRY(allocate(j));
    cli_progress_begin(c);
    const sf_status status = evaluate(j);
    cli_progress_end(c);
    if (status != SF_OK && status != SF_E_CONVERGE)
        return status;
    char message[CLI_LATENT_MESSAGE];
    snprintf(message, sizeof message, "%s", sf_context_message(c->ctx));
    SFI_TRY(write_table(j));
    make_report(j, sfi_clock() - begun);
    return cli_latent_end(c, status, message);
}

static sf_status run_opened(cli *c, const cli_latent_options *o)
{
    const sf_latent_result none = SF_LATENT_RESULT_INIT;
    latent_run j = {.c = c, .o = o, .result = none};
    SFI_TRY(cli_latent_check(c, o));
    SFI_TRY(take_wants(&j));
    const cli_file out = {.option = "-o",
                          .path = j.o->output,
                          .is_output = true,
                          .endings = CLI_TABLE_ENDINGS,
                          .want = CLI_TABLE_WANT};
    SFI_TRY(cli_check_files(c, &out, 1));
    cli_catch_signals();
    if (j.o->geodesic != NULL || j.o->between != NULL)
        return cli_latent_geodesic(c, j.o);
    if (cli_given(c, "draws"))
        return cli_latent_draws(c, j.o);
    const sf_status status = infer(&j);
    sfi_free(c->ctx, j.numbers, (size_t)(j.x.rows * j.columns),
             sizeof *j.numbers);
    sf_decoder_free(j.decoder);
    cli_data_free(&j.data);
    return status;
}

static sf_status run(cli *c, const void *values)
{
    cli_latent_options o = *(const cli_latent_options *)values;
    sf_status status = cli_latent_open(c, &o);
    if (status == SF_OK)
        status = run_opened(c, &o);
    sf_model_free(o.model);
    return status;
}

const cli_command cli_latent = {
    .name = "latent",
    .summary =
        "Latent points of rows through a decoder, and the geometry there",
    .usage = "[OPTIONS] MODEL [DATA] -o OUT",
    .operands =
        "  MODEL                    Of `fit --model pca`, fa, vae, manifold, "
        "...\n"
        "  DATA                     A table, of which --columns are x\n",
    .least = 0,
    .most = 2,
    .size = sizeof(cli_latent_options),
    .options = options,
    .notes =
        "What may be wanted: z, score, tangential, residual, reconstruction, "
        "metric,\northogonality, hessian, volume, principal, posterior, kind, "
        "focal, misfit,\nloglik, logjoint, laplace, logpdf, contours, "
        "curvature; the manual says more.\n",
    .example = "  scorefield latent data/faithful.csv --latent-dim 1 --decoder "
               "'3+z;71+9*z' -o -\n",
    .run = run};
