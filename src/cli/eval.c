/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c - scorefield eval: what a model or a typed density says about points. */
#include "cli/cli.h"
#include "cli/typed_density.h"

#include "scorefield/condition.h"
#include "scorefield/flow.h"
#include "scorefield/latent.h"
#include "scorefield/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct eval_options {
    const char *output;
    const char *want;
    double time;
    double tolerance;
    int64_t probes, rank;
    cli_density density;
    cli_read read;
} eval_options;

#define OPTION(...) CLI_OPTION(eval_options, __VA_ARGS__)

static const cli_option options[] = {
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".csv or .npy; - is CSV on stdout"),
    OPTION(CLI_TEXT, 0, "want", "LIST", want, "logpdf", NULL,
           "Of the names below, with commas"),
    OPTION(CLI_NUMBER, 0, "time", "T", time, "0", "[0, 1]",
           "Noise time: 0 is the data, 1 is noise"),
    {.kind = CLI_NUMBER,
     .name = "tolerance",
     .argument = "R",
     .offset = offsetof(eval_options, tolerance),
     .initial = "1e-5",
     .range = "(0, 0.1]",
     .rare = true},
    {.kind = CLI_WHOLE,
     .name = "probes",
     .argument = "K",
     .offset = offsetof(eval_options, probes),
     .initial = "8",
     .range = "[2, 1e6]",
     .rare = true},
    {.kind = CLI_WHOLE,
     .name = "rank",
     .argument = "R",
     .offset = offsetof(eval_options, rank),
     .range = "[1, 1e6]",
     .rare = true},
    CLI_DENSITY_OPTIONS(eval_options, density, "names in EXPR",
                        "Names of its variables: a,b"),
    CLI_READ_OPTIONS(eval_options, read),
    {0}};

/* ---- what is wanted ------------------------------------------------------- */

/* How many columns one asks for. */
typedef enum extent {
    ONE,
    EACH_COLUMN,
    EACH_PAIR,
    EACH_DATUM,
    EACH_CODE, /* latent variables, or columns of a code at time 1 */
    EACH_DIRECTION,
    VALUE_AND_RANK
} extent;

/* Posterior weights that are told. */
enum { MOST_DATA = 5 };

/*   WANT(NAME, columns, what a model must be able to) */
#define WANT_LIST(WANT)                                                        \
    WANT(logpdf, ONE, SF_CAN_LOGPDF)                                           \
    WANT(score, EACH_COLUMN, SF_CAN_SCORE)                                     \
    WANT(velocity, EACH_COLUMN, SF_CAN_FLOW)                                   \
    WANT(divergence, ONE, SF_CAN_FLOW)                                         \
    WANT(jacobian, EACH_PAIR, SF_CAN_SCORE)                                    \
    WANT(denoised, EACH_COLUMN, SF_CAN_NOISE)                                  \
    WANT(code, EACH_CODE, SF_CAN_FLOW)                                         \
    WANT(posterior, EACH_DATUM, SF_CAN_ROWS)                                   \
    WANT(stability, ONE, SF_CAN_FLOW)                                          \
    WANT(contours, EACH_CODE, SF_CAN_PRINCIPAL)                                \
    WANT(information, ONE, SF_CAN_PRINCIPAL)                                   \
    WANT(principal, EACH_DIRECTION, SF_CAN_PRINCIPAL)                          \
    WANT(manifold, VALUE_AND_RANK, SF_CAN_PRINCIPAL)

typedef enum want {
#define WANT_ENUM(name, columns, ability) WANT_##name,
    WANT_LIST(WANT_ENUM)
#undef WANT_ENUM
        WANT_COUNT
} want;

static const struct {
    const char *name;
    extent columns;
    sf_ability ability;
} wants[] = {
#define WANT_ROW(name, columns, ability) {#name, columns, ability},
    WANT_LIST(WANT_ROW)
#undef WANT_ROW
};

static const char *want_name(const void *user, int i)
{
    (void)user;
    return i < WANT_COUNT ? wants[i].name : NULL;
}

typedef struct eval_job {
    cli *c;
    const eval_options *o;
    sf_model *model;
    sf_run_record *record; /* of the model, NULL if it was typed */
    cli_data points;
    sf_cmat x; /* its complete rows */
    int count;
    int list[WANT_COUNT];      /* in the order they are wanted */
    sf_mat values[WANT_COUNT]; /* [rows, columns], by want */
    double *se;                /* [rows], of logpdf */
    bool has_se;
    int64_t copies;  /* points that are rows of an empirical model's data */
    int64_t missing; /* cells of the points */
} eval_job;

static int64_t columns_of(const eval_job *j, want w)
{
    const int64_t d = sf_model_dim(j->model);
    const int64_t latents = sf_model_latents(j->model);
    return wants[w].columns == ONE              ? 1
           : wants[w].columns == EACH_COLUMN    ? d
           : wants[w].columns == EACH_CODE      ? (latents > 0 ? latents : d)
           : wants[w].columns == EACH_PAIR      ? d * d
           : wants[w].columns == EACH_DIRECTION ? d * (d + 1)
           : wants[w].columns == VALUE_AND_RANK ? 2
                                                : 2 * MOST_DATA;
}

/* ---- evaluating ----------------------------------------------------------- */

static sf_status allocate(eval_job *j)
{
    const int64_t n = j->x.rows;
    j->se = sfi_alloc_zero(j->c->ctx, (size_t)n, sizeof *j->se);
    if (j->se == NULL)
        return SF_E_NOMEM;
    for (int i = 0; i < j->count; i++) {
        const int64_t d = columns_of(j, j->list[i]);
        double *data = sfi_alloc(j->c->ctx, (size_t)(n * d), sizeof *data);
        if (data == NULL)
            return SF_E_NOMEM;
        j->values[j->list[i]] = (sf_mat){data, n, d, d};
    }
    return SF_OK;
}

/* Rows count from 1, over all rows of the table that the model was fitted to; 0
 * where there is no further one. */
static sf_status put_posterior(eval_job *j)
{
    const sf_mat to = j->values[WANT_posterior];
    const size_t count = (size_t)(j->x.rows * MOST_DATA);
    int64_t *datum = sfi_alloc(j->c->ctx, count, sizeof *datum);
    double *weight = sfi_alloc(j->c->ctx, count, sizeof *weight);
    const sf_status status =
        datum != NULL && weight != NULL
            ? sf_model_posterior(j->model, j->x, j->o->time, MOST_DATA, datum,
                                 weight)
            : SF_E_NOMEM;
    for (int64_t i = 0; i < j->x.rows && status == SF_OK; i++)
        for (int64_t k = 0; k < MOST_DATA; k++) {
            double *pair = to.data + i * to.stride + 2 * k;
            const int64_t row = datum[i * MOST_DATA + k];
            pair[0] =
                (double)(row < 0 ? row : sf_run_record_row(j->record, row)) +
                1.0;
            pair[1] = weight[i * MOST_DATA + k];
        }
    sfi_free(j->c->ctx, weight, count, sizeof *weight);
    sfi_free(j->c->ctx, datum, count, sizeof *datum);
    return status;
}

/* Points that are data have a likelihood under an empirical model that grows
 * without bound as its noise shrinks. */
static sf_status count_copies(eval_job *j)
{
    if (!sf_model_can(j->model, SF_CAN_ROWS))
        return SF_OK;
    SFI_TRY(sf_model_copies(j->model, j->x, &j->copies));
    if (j->copies > 0)
        cli_warn(j->c,
                 "%lld of %lld points are rows of the model's data; their "
                 "likelihood says more of the bandwidth than of the model",
                 (long long)j->copies, (long long)j->x.rows);
    return SF_OK;
}

/* Whether its log density is an integral over latent variables. */
static bool is_inferred(const eval_job *j)
{
    return sf_model_can(j->model, SF_CAN_DECODE) &&
           sf_model_can(j->model, SF_CAN_NORMALISED) &&
           !sf_model_can(j->model, SF_CAN_LOGPDF);
}

/* The log density and its gradient, by importance sampling around the latent points. */
static sf_status infer(eval_job *j)
{
    sf_decoder *d = NULL;
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    o.seed = j->c->common.seed;
    v.logpdf = j->values[WANT_logpdf];
    v.data_score = j->values[WANT_score];
    v.logpdf_se =
        (sf_mat){v.logpdf.data != NULL ? j->se : NULL, j->x.rows, 1, 1};
    if (v.logpdf.data == NULL && v.data_score.data == NULL)
        return SF_OK;
    SFI_TRY(sf_decoder_from_model(j->c->ctx, &d, j->model));
    const sf_status status = sf_latent_infer(j->c->ctx, d, j->x, &v, NULL, &o);
    sf_decoder_free(d);
    return status;
}

/* What a model cannot answer is refused before its points are read. */
static sf_status check_wants(const eval_job *j)
{
    for (int k = 0; k < j->count; k++) {
        const bool coded =
            j->list[k] == WANT_code && sf_model_latents(j->model) > 0;
        const bool inferred = is_inferred(j) && (j->list[k] == WANT_logpdf ||
                                                 j->list[k] == WANT_score);
        const sf_ability ability = coded      ? SF_CAN_CODE
                                   : inferred ? SF_CAN_DECODE
                                              : wants[j->list[k]].ability;
        const char *why = sf_model_why_not(j->model, ability);
        if (why != NULL)
            return SFI_FAIL(j->c->ctx, SF_E_UNSUPPORTED,
                            "--want %s: the model %s", wants[j->list[k]].name,
                            why);
        if (coded && j->o->time > 0.0)
            return SFI_FAIL(j->c->ctx, SF_E_ARG,
                            "--want code: latent variables are those of points "
                            "without noise; want --time 0");
    }
    const char *why = sf_model_why_not(j->model, SF_CAN_NOISE);
    if (j->o->time > 0.0 && why != NULL)
        return SFI_FAIL(j->c->ctx, SF_E_ARG, "--time: the model %s", why);
    return SF_OK;
}

/* The columns from `first` on of what was wanted; of what was not wanted, nothing. */
static sf_mat part_of(const eval_job *j, want w, int64_t first, int64_t columns)
{
    sf_mat m = j->values[w];
    if (m.data == NULL)
        return m;
    m.data += first;
    m.cols = columns;
    return m;
}

static sf_status put_principal(const eval_job *j)
{
    const int64_t d = sf_model_dim(j->model);
    const sf_principal p = {.contours = j->values[WANT_contours],
                            .information = j->values[WANT_information],
                            .sd = part_of(j, WANT_principal, 0, d),
                            .directions = part_of(j, WANT_principal, d, d * d),
                            .manifold = part_of(j, WANT_manifold, 0, 1),
                            .rank = part_of(j, WANT_manifold, 1, 1)};
    return p.contours.data != NULL || p.information.data != NULL ||
                   p.sd.data != NULL || p.manifold.data != NULL
               ? sf_model_principal(j->model, j->x, j->o->rank, &p)
               : SF_OK;
}

/* Whether `direct` is asked for anything. */
static bool asks(const sf_model_values *direct)
{
    return direct->score.data != NULL || direct->velocity.data != NULL ||
           direct->denoised.data != NULL || direct->jacobian.data != NULL ||
           direct->divergence.data != NULL || direct->logpdf.data != NULL;
}

static sf_status evaluate(eval_job *j)
{
    const sf_mat none = {0}, logpdf = j->values[WANT_logpdf];
    const bool inferred = is_inferred(j);
    const bool closed = sf_model_can(j->model, SF_CAN_LOGPDF_CLOSED);
    const sf_model_values direct = {.score =
                                        inferred ? none : j->values[WANT_score],
                                    .velocity = j->values[WANT_velocity],
                                    .denoised = j->values[WANT_denoised],
                                    .jacobian = j->values[WANT_jacobian],
                                    .divergence = j->values[WANT_divergence],
                                    .logpdf = closed ? logpdf : none};
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = j->o->time;
    l.rtol = l.atol = j->o->tolerance;
    l.probes = j->o->probes;
    l.seed = j->c->common.seed;
    if (j->missing > 0)
        return sf_logpdf_marginal(j->c->ctx, logpdf.data, j->model, j->x);
    if (asks(&direct))
        SFI_TRY(sf_model_eval(j->model, j->x, j->o->time, &direct));
    if (inferred)
        SFI_TRY(infer(j));
    if (logpdf.data != NULL && !closed && !inferred)
        SFI_TRY(sf_logpdf(j->model, j->x, logpdf.data, j->se, &l));
    if (logpdf.data != NULL)
        SFI_TRY(count_copies(j));
    if (j->values[WANT_posterior].data != NULL)
        SFI_TRY(put_posterior(j));
    if (j->values[WANT_stability].data != NULL)
        SFI_TRY(sf_model_stability(j->model, j->x, j->o->time,
                                   j->values[WANT_stability].data));
    if (j->values[WANT_code].data != NULL)
        SFI_TRY(sf_model_can(j->model, SF_CAN_CODE)
                    ? sf_model_code(j->model, j->x, j->values[WANT_code])
                    : sf_encode(j->model, j->x, j->values[WANT_code], &l));
    SFI_TRY(put_principal(j));
    for (int64_t i = 0; i < j->x.rows; i++)
        j->has_se = j->has_se || j->se[i] > 0.0;
    return SF_OK;
}

/* ---- the output table ----------------------------------------------------- */

static sf_status add_names(const eval_job *j, cli_names *names, want w)
{
    const int64_t d = sf_model_dim(j->model);
    const char *prefix = wants[w].name;
    if (wants[w].columns == ONE)
        return cli_add_name(names, prefix, "", "");
    for (int k = 1; k <= MOST_DATA && wants[w].columns == EACH_DATUM; k++) {
        char number[8];
        snprintf(number, sizeof number, "%d", k);
        SFI_TRY(cli_add_name(names, prefix, "row", number));
        SFI_TRY(cli_add_name(names, prefix, "weight", number));
    }
    if (wants[w].columns == EACH_DATUM)
        return SF_OK;
    const int64_t latents = sf_model_latents(j->model);
    for (int64_t k = 0; k < latents && wants[w].columns == EACH_CODE; k++) {
        char number[24];
        snprintf(number, sizeof number, "z%lld", (long long)k);
        SFI_TRY(cli_add_name(names, prefix, number, ""));
    }
    if (wants[w].columns == EACH_CODE && latents > 0)
        return SF_OK;
    if (wants[w].columns == VALUE_AND_RANK) {
        SFI_TRY(cli_add_name(names, prefix, "", ""));
        return cli_add_name(names, prefix, "rank", "");
    }
    for (int64_t k = 1; k <= d && wants[w].columns == EACH_DIRECTION; k++) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)k);
        SFI_TRY(cli_add_name(names, prefix, "sd", number));
    }
    for (int64_t k = 1; k <= d && wants[w].columns == EACH_DIRECTION; k++)
        for (int64_t a = 0; a < d; a++) {
            char number[24];
            snprintf(number, sizeof number, "%lld", (long long)k);
            SFI_TRY(cli_add_name(names, prefix, number,
                                 sf_model_column(j->model, a)));
        }
    if (wants[w].columns == EACH_DIRECTION)
        return SF_OK;
    for (int64_t a = 0; a < d; a++) {
        const char *row = sf_model_column(j->model, a);
        if (wants[w].columns != EACH_PAIR)
            SFI_TRY(cli_add_name(names, prefix, row, ""));
        for (int64_t b = 0; b < d && wants[w].columns == EACH_PAIR; b++)
            SFI_TRY(
                cli_add_name(names, prefix, row, sf_model_column(j->model, b)));
    }
    return SF_OK;
}

/* Every point has the row of its file; where a cell was missing, all are. */
static void fill_table(const eval_job *j, sf_table *table)
{
    int64_t at = 0;
    cli_clear(table);
    for (int k = 0; k < j->count; k++) {
        const sf_mat m = j->values[j->list[k]];
        cli_scatter(&j->points, sf_mat_const(m), table, at);
        at += m.cols;
        if (j->list[k] != WANT_logpdf || !j->has_se)
            continue;
        cli_scatter(&j->points, (sf_cmat){j->se, m.rows, 1, 1}, table, at);
        at++;
    }
}

/* Clean levels are spelled as in the model's table. */
static sf_status spell_levels(const eval_job *j, sf_table *table)
{
    int64_t at = 0;
    for (int k = 0; k < j->count; k++) {
        const int64_t columns = columns_of(j, j->list[k]);
        for (int64_t c = 0; c < columns && j->list[k] == WANT_denoised; c++)
            SFI_TRY(sf_model_copy_levels(j->model, c, &table->columns[at + c]));
        at += columns + (j->list[k] == WANT_logpdf && j->has_se);
    }
    return SF_OK;
}

static sf_status write_named(const eval_job *j, cli_names *names)
{
    sf_table table;
    for (int k = 0; k < j->count; k++) {
        SFI_TRY(add_names(j, names, j->list[k]));
        if (j->list[k] == WANT_logpdf && j->has_se)
            SFI_TRY(cli_add_name(names, "logpdf_se", "", ""));
    }
    SFI_TRY(sf_table_new(j->c->ctx, &table, j->points.rows, names->count,
                         (const char *const *)names->list));
    fill_table(j, &table);
    sf_status status = spell_levels(j, &table);
    if (status == SF_OK)
        status = sf_table_write(j->c->ctx, &table, j->o->output);
    sf_table_free(j->c->ctx, &table);
    return status;
}

static sf_status write_table(const eval_job *j)
{
    cli_names names;
    int64_t capacity = 1;
    for (int k = 0; k < j->count; k++)
        capacity += columns_of(j, j->list[k]);
    sf_status status = cli_names_make(j->c->ctx, &names, capacity);
    if (status == SF_OK)
        status = write_named(j, &names);
    cli_names_free(&names);
    return status;
}

/* ---- the command ---------------------------------------------------------- */

static void make_report(const eval_job *j, double seconds)
{
    cli *c = j->c;
    const int64_t n = j->x.rows;
    cli_put_count(c, c->report, "rows", n);
    if (n < j->points.rows)
        cli_put_count(c, c->report, "dropped_rows", j->points.rows - n);
    if (j->missing > 0)
        cli_put_count(c, c->report, "missing_cells", j->missing);
    cli_put_number(c, c->report, "time",
                   sf_model_used_time(j->model, j->o->time));
    const double *logpdf = j->values[WANT_logpdf].data;
    if (logpdf != NULL) {
        double mean = 0.0, squares = 0.0;
        int64_t outside = 0;
        for (int64_t i = 0; i < n; i++)
            outside += isinf(logpdf[i]);
        if (outside > 0)
            cli_put_count(c, c->report, "rows_without_density", outside);
        for (int64_t i = 0; i < n; i++)
            mean += logpdf[i] / (double)n;
        for (int64_t i = 0; i < n; i++)
            squares += (logpdf[i] - mean) * (logpdf[i] - mean);
        cli_put_number(c, c->report, "mean_log_likelihood", mean);
        cli_put_number(c, c->report, "mean_log_likelihood_se",
                       n > 1 ? sqrt(squares / (double)(n - 1) / (double)n)
                             : NAN);
        cli_put_text(c, c->report, "unit",
                     sf_model_can(j->model, SF_CAN_NORMALISED)
                         ? "nats a row"
                         : "nats a row, up to a constant");
        if (sf_model_can(j->model, SF_CAN_ROWS))
            cli_put_count(c, c->report, "copies_of_data", j->copies);
    }
    const double *information = j->values[WANT_information].data;
    if (information != NULL) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++)
            sum += information[i];
        cli_put_number(c, c->report, "mean_information", sum / (double)n);
    }
    cli_put_number(c, c->report, "seconds", seconds);
}

/* Whether rows may lack cells: what has a marginal density, and nothing else is
 * wanted. */
static bool takes_parts(const eval_job *j)
{
    return j->count == 1 && j->list[0] == WANT_logpdf && j->o->time == 0.0 &&
           sf_model_can(j->model, SF_CAN_CONDITION);
}

static sf_status take_parts(eval_job *j)
{
    SFI_TRY(cli_data_take_any(j->c, &j->points, &j->missing));
    if (j->missing > 0)
        cli_note(j->c,
                 "%lld of %lld cells are missing; log densities are those of "
                 "the others",
                 (long long)j->missing,
                 (long long)(j->points.x.rows * j->points.dim));
    return SF_OK;
}

static sf_status read_operands(eval_job *j)
{
    cli *c = j->c;
    SFI_TRY(cli_open_model(c, &j->o->density, &j->model, &j->record));
    SFI_TRY(check_wants(j));
    const cli_named columns = cli_model_columns(j->model);
    SFI_TRY(cli_data_locate(c, &j->points, c->operands[c->operand_count - 1],
                            &j->o->read, &columns));
    SFI_TRY(takes_parts(j) ? take_parts(j) : cli_data_take(c, &j->points));
    SFI_TRY(cli_data_levels(c, &j->points, &columns));
    j->x = j->points.x;
    return SF_OK;
}

static sf_status eval(eval_job *j)
{
    cli *c = j->c;
    const double begun = sfi_clock();
    SFI_TRY(read_operands(j));
    SFI_TRY(allocate(j));
    cli_progress_begin(c);
    const sf_status status = evaluate(j);
    cli_progress_end(c);
    SFI_TRY(status);
    SFI_TRY(write_table(j));
    make_report(j, sfi_clock() - begun);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

static sf_status run(cli *c, const void *values)
{
    eval_job j = {.c = c, .o = values};
    const cli_want_names names = {want_name, NULL};
    SFI_TRY(cli_parse_wants(c, j.o->want, &names, j.list, &j.count));
    SFI_TRY(cli_check_density(c, &j.o->density, 2));
    const cli_file out = {.option = "-o",
                          .path = j.o->output,
                          .is_output = true,
                          .endings = CLI_TABLE_ENDINGS,
                          .want = CLI_TABLE_WANT};
    SFI_TRY(cli_check_files(c, &out, 1));
    cli_catch_signals();
    const sf_status status = eval(&j);
    for (int w = 0; w < WANT_COUNT; w++)
        sfi_free(c->ctx, j.values[w].data,
                 (size_t)(j.values[w].rows * j.values[w].cols), sizeof(double));
    sfi_free(c->ctx, j.se, (size_t)j.x.rows, sizeof *j.se);
    cli_data_free(&j.points);
    sf_run_record_free(c->ctx, j.record);
    sf_model_free(j.model);
    return status;
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "Log density, score, velocity and more at points",
    .usage = "[OPTIONS] MODEL POINTS -o OUT",
    .operands =
        "  MODEL                    As `scorefield fit` writes it\n"
        "  POINTS                   A table with the columns of the model or "
        "density\n",
    .least = 1,
    .most = 2,
    .size = sizeof(eval_options),
    .options = options,
    .notes =
        "What may be wanted, and the columns of OUT:\n"
        "  logpdf      log density in nats, in the units of the data: logpdf, "
        "and\n              logpdf_se if its trace is estimated\n"
        "  score       gradient of the log density: score_COLUMN, in 1/unit\n"
        "  velocity    of the probability flow: velocity_COLUMN\n"
        "  divergence  of the velocity: divergence\n"
        "  jacobian    of the score: jacobian_ROW_COLUMN\n"
        "  denoised    mean of the clean point: denoised_COLUMN\n"
        "  code        latent variables code_zK, or the point at noise: "
        "code_COLUMN\n"
        "  posterior   empirical models: the rows it may be of, "
        "posterior_row_K "
        "and\n              posterior_weight_K, K = 1 to 5\n"
        "  stability   above 0 where paths of the flow split: stability\n"
        "  contours, information, principal, manifold  of --model flow; see "
        "the "
        "manual\n",
    .example = "  scorefield eval faithful.safetensors data/faithful.csv "
               "-o densities.csv\n",
    .run = run};
