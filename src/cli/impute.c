/* SPDX-License-Identifier: Apache-2.0 */
/* impute.c - scorefield impute: fill the missing cells of a table (impute_table.c). */
#include "cli/impute_table.h"

#include "base/dictionary.h"
#include "base/text.h"
#include "num/array.h"
#include "scorefield/impute.h"
#include "scorefield/store.h"

#include <math.h>
#include <string.h>

typedef struct impute_options {
    const char *output, *spread, *columns, *target;
    int with;
    int64_t draws, donors;
    double contract, bandwidth, forget, prior_rows;
    cli_read read;
} impute_options;

#define OPTION(...) CLI_OPTION(impute_options, __VA_ARGS__)
#define SHOWN(...)  CLI_SHOWN(impute_options, __VA_ARGS__)

enum { MOST_DRAWS = 1000 };

/* In the order of sf_impute_with. */
static const char ways[] = "median|mean|draw";

static const cli_option options[] = {
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".csv or .npy; - is CSV on stdout"),
    {.kind = CLI_CHOICE,
     .name = "with",
     .argument = "W",
     .offset = offsetof(impute_options, with),
     .initial = "median",
     .choices = ways,
     .help = "What a cell becomes: median, mean, draw"},
    OPTION(CLI_WHOLE, 0, "draws", "M", draws, NULL, "[1, 1000]",
           "Write M tables of draws, FILE with -1, -2, ..."),
    OPTION(CLI_NUMBER, 0, "contract", "C", contract, "0", "[0, 1]",
           "Move draws towards the median by this part"),
    OPTION(CLI_TEXT, 0, "spread", "FILE", spread, NULL, NULL,
           "What is known of each cell, .csv"),
    OPTION(CLI_TEXT, 0, "target", "COLUMN", target, NULL, NULL,
           "Without MODEL: classes explain themselves alone"),
    SHOWN(CLI_TEXT, "columns", "LIST", columns, "all that differ", NULL,
          "Without MODEL, use these columns: a,\"b, c\""),
    SHOWN(CLI_NUMBER, "bandwidth", "H", bandwidth, "found", "> 0",
          "Without MODEL: noise over the spread"),
    SHOWN(CLI_NUMBER, "forget", "L", forget, "found", "(0, 1)",
          "Without MODEL: how much categories forget"),
    SHOWN(CLI_WHOLE, "donors", "K", donors, "all that time allows", "[2, 1e9]",
          "Without MODEL: rows that explain others"),
    OPTION(CLI_NUMBER, 0, "prior-rows", "N", prior_rows, "5", ">= 0",
           "Without MODEL: of the covariance"),
    CLI_READ_OPTIONS(impute_options, read),
    {0}};

typedef struct impute_run {
    cli *c;
    const impute_options *o;
    impute_table t;
    sf_model *model;
    sf_imputer *imputer;
    sf_imputer_report fit;
    double *filled; /* [rows, dim] */
} impute_run;

static sf_cmat cells_of(const impute_run *j)
{
    return (sf_cmat){j->t.x, j->t.table.rows, j->t.dim, j->t.dim};
}

/* ---- the imputer ------------------------------------------------------------------ */

static void tell_fit(const impute_run *j)
{
    const sf_imputer_report *f = &j->fit;
    if (f->hidden > 0)
        cli_note(j->c, "the bandwidth %g is best for %lld hidden numbers",
                 f->bandwidth, (long long)f->hidden);
    if (f->hidden_levels > 0)
        cli_note(j->c,
                 "%lld hidden levels are likeliest if categories forget %g",
                 (long long)f->hidden_levels, f->forget);
    if (f->donors < f->rows - f->unclassed)
        cli_note(j->c,
                 "rows are explained by %lld of %lld rows, drawn at random",
                 (long long)f->donors, (long long)(f->rows - f->unclassed));
    if (f->unclassed > 0)
        cli_note(j->c,
                 "rows that lack their class, and explain no others: %lld",
                 (long long)f->unclassed);
    if (f->alone > 0)
        cli_note(
            j->c,
            "rows that are alone in their class, and explained by those of "
            "all classes: %lld",
            (long long)f->alone);
}

static sf_status make_imputer(impute_run *j)
{
    cli *c = j->c;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    j->fit = (sf_imputer_report)SF_IMPUTER_REPORT_INIT;
    if (j->model != NULL)
        return sf_imputer_new(c->ctx, &j->imputer, j->model);
    o.bandwidth = j->o->bandwidth;
    o.forget = j->o->forget;
    o.donors = j->o->donors;
    o.prior_rows = j->o->prior_rows;
    o.seed = c->common.seed;
    o.frame = j->t.chosen;
    o.target = impute_target_place(&j->t);
    cli_progress_begin(c);
    const sf_status status = sf_imputer_fit(c->ctx, &j->imputer, cells_of(j),
                                            j->t.names, &o, &j->fit);
    cli_progress_end(c);
    if (status == SF_OK)
        tell_fit(j);
    return status;
}

/* Impute, and put what was missing into the table. */
static sf_status impute(impute_run *j, bool draws, uint32_t draw)
{
    cli *c = j->c;
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    if (j->t.missing == 0)
        return SF_OK;
    o.with = draws ? SF_IMPUTE_DRAW : (sf_impute_with)j->o->with;
    o.contract = j->o->contract;
    o.seed = c->common.seed;
    o.draw = draw;
    o.own_rows = j->model == NULL;
    const sf_mat filled = {j->filled, j->t.table.rows, j->t.dim, j->t.dim};
    cli_progress_begin(c);
    const sf_status status =
        sf_impute(c->ctx, filled, j->imputer, cells_of(j), &o);
    cli_progress_end(c);
    SFI_TRY(status);
    return impute_put_back(&j->t, j->filled);
}

/* ---- writing ---------------------------------------------------------------------- */

/* "a/b.csv" and 3 make "a/b-3.csv"; to be freed with sfi_free_text(). */
static char *numbered(sf_context *ctx, const char *path, int64_t number)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    const size_t size = strlen(path) + 24;
    char *name = sfi_alloc(ctx, size, 1);
    if (name == NULL)
        return NULL;
    const size_t stem = dot != NULL && (slash == NULL || dot > slash)
                            ? (size_t)(dot - path)
                            : strlen(path);
    snprintf(name, size, "%.*s-%lld%s", (int)stem, path, (long long)number,
             path + stem);
    char *copy = sfi_copy_text(ctx, name);
    sfi_free(ctx, name, size, 1);
    return copy;
}

static sf_status write_draws(impute_run *j)
{
    sf_context *ctx = j->c->ctx;
    for (int64_t m = 1; m <= j->o->draws; m++) {
        char *name = numbered(ctx, j->o->output, m);
        sf_status status =
            name != NULL ? impute(j, true, (uint32_t)m - 1) : SF_E_NOMEM;
        if (status == SF_OK)
            status = sf_table_write(ctx, &j->t.table, name);
        sfi_free_text(ctx, name);
        SFI_TRY(status);
    }
    return SF_OK;
}

static const char *const spread_names[] = {
    "row", "column", "level",  "probability", "mean", "sd", "q05",
    "q10", "q25",    "median", "q75",         "q90",  "q95"};

enum { SPREAD_LEVEL = 2, SPREAD_COLS = (int)SFI_COUNT(spread_names) };

/* What is known of all cells, and how many lines say it. */
typedef struct known_cells {
    sf_imputed_cell *cells; /* [missing]                                      */
    double *levels;         /* [level_count] probabilities                    */
    int64_t level_count, lines;
} known_cells;

static void count_lines(const impute_run *j, known_cells *k)
{
    for (int64_t i = 0; i < j->t.table.rows; i++)
        for (int64_t q = 0; q < j->t.dim; q++) {
            const int64_t levels = sf_imputer_levels(j->imputer, q);
            if (!isnan(j->t.x[i * j->t.dim + q]))
                continue;
            k->level_count += levels;
            k->lines += levels > 0 ? levels : 1;
        }
}

/* The lines of a cell from `row` on; returns how many. */
static sf_status put_cell(const impute_run *j, const sf_imputed_cell *cell,
                          const double *levels, sfi_dictionary *texts,
                          double *row, int64_t *lines)
{
    const int64_t count = sf_imputer_levels(j->imputer, cell->column);
    *lines = count > 0 ? count : 1;
    for (int64_t v = 0; v < *lines; v++, row += SPREAD_COLS) {
        row[0] = (double)cell->row + 1.0;
        row[1] = (double)cell->column;
        row[2] = row[3] = (double)NAN;
        row[4] = cell->mean;
        row[5] = cell->sd;
        memcpy(row + 6, cell->quantile, sizeof cell->quantile);
        if (count == 0)
            continue;
        char number[32];
        int64_t level = 0;
        SFI_TRY(sfi_dictionary_number(
            j->c->ctx, texts, impute_level(&j->t, cell->column, v, number),
            &level));
        row[SPREAD_LEVEL] = (double)level;
        row[SPREAD_LEVEL + 1] = levels[cell->first_level + v];
    }
    return SF_OK;
}

static sf_status put_cells(const impute_run *j, const known_cells *k,
                           sf_table *to)
{
    sf_context *ctx = j->c->ctx;
    sfi_dictionary texts = {0};
    double *row = to->data;
    sf_status status = sfi_table_set_levels(ctx, to, 1, j->t.names, j->t.dim);
    for (int64_t i = 0; i < j->t.missing && status == SF_OK; i++) {
        int64_t lines = 0;
        status = put_cell(j, &k->cells[i], k->levels, &texts, row, &lines);
        row += lines * SPREAD_COLS;
    }
    if (status == SF_OK && texts.count > 0)
        status = sfi_table_set_levels(ctx, to, SPREAD_LEVEL,
                                      (const char *const *)texts.texts,
                                      (int64_t)texts.count);
    sfi_dictionary_free(ctx, &texts);
    return status;
}

static sf_status write_cells(impute_run *j, const known_cells *k)
{
    sf_context *ctx = j->c->ctx;
    sf_table t;
    SFI_TRY(sf_table_new(ctx, &t, k->lines, SPREAD_COLS, spread_names));
    sf_status status = put_cells(j, k, &t);
    if (status == SF_OK)
        status = sf_table_write(ctx, &t, j->o->spread);
    sf_table_free(ctx, &t);
    return status;
}

static sf_status write_spread(impute_run *j)
{
    cli *c = j->c;
    const size_t count = (size_t)j->t.missing;
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    known_cells k = {0};
    o.own_rows = j->model == NULL;
    count_lines(j, &k);
    k.cells = sfi_alloc(c->ctx, count, sizeof *k.cells);
    k.levels = sfi_alloc(c->ctx, (size_t)k.level_count, sizeof *k.levels);
    sf_status status = SF_E_NOMEM;
    if (k.cells != NULL && k.levels != NULL) {
        cli_progress_begin(c);
        status = sf_impute_spread(c->ctx, k.cells, k.levels, j->imputer,
                                  cells_of(j), &o);
        cli_progress_end(c);
    }
    if (status == SF_OK)
        status = write_cells(j, &k);
    sfi_free(c->ctx, k.levels, (size_t)k.level_count, sizeof *k.levels);
    sfi_free(c->ctx, k.cells, count, sizeof *k.cells);
    return status;
}

/* ---- the report ------------------------------------------------------------------- */

/* A cell after filling. */
static double cell_of(const impute_run *j, int64_t i, int64_t k)
{
    const double x = j->t.x[i * j->t.dim + k];
    return isnan(x) ? j->filled[i * j->t.dim + k] : x;
}

/* Numbers that were there, or those that were filled. */
static void put_moments(const impute_run *j, json_t *row, int64_t k,
                        bool filled)
{
    int64_t count = 0;
    double sum = 0.0, squares = 0.0;
    for (int pass = 0; pass < 2; pass++) {
        const double mean = sum / (double)count;
        for (int64_t i = 0; i < j->t.table.rows; i++) {
            const double cell = cell_of(j, i, k);
            if (isnan(j->t.x[i * j->t.dim + k]) != filled)
                continue;
            sum += pass == 0 ? cell : 0.0;
            count += pass == 0;
            squares += pass == 1 ? (cell - mean) * (cell - mean) : 0.0;
        }
    }
    cli_put_number(j->c, row, filled ? "mean_filled" : "mean",
                   count > 0 ? sum / (double)count : (double)NAN);
    cli_put_number(j->c, row, filled ? "sd_filled" : "sd",
                   count > 1 ? sqrt(squares / (double)(count - 1))
                             : (double)NAN);
}

/* How often a level is among the cells that were there, or those that were filled. */
static double share_of(const impute_run *j, int64_t k, int64_t level,
                       bool filled)
{
    double count = 0.0, same = 0.0;
    for (int64_t i = 0; i < j->t.table.rows; i++) {
        if (isnan(j->t.x[i * j->t.dim + k]) != filled)
            continue;
        count += 1.0;
        same += cell_of(j, i, k) == (double)level;
    }
    return same / count;
}

/* The commonest level, and how often it is there and was filled. */
static void put_level(const impute_run *j, json_t *row, int64_t k)
{
    char number[32];
    int64_t best = 0;
    double most = -1.0;
    for (int64_t v = 0; v < sf_imputer_levels(j->imputer, k); v++) {
        const double share = share_of(j, k, v, false);
        if (share > most) {
            most = share;
            best = v;
        }
    }
    cli_put_text(j->c, row, "commonest", impute_level(&j->t, k, best, number));
    cli_put_number(j->c, row, "proportion", most);
    cli_put_number(j->c, row, "proportion_filled", share_of(j, k, best, true));
}

/* The columns of numbers, or of categories, of which cells were filled. */
static void put_columns(const impute_run *j, bool levels)
{
    cli *c = j->c;
    json_t *list = NULL;
    for (int64_t k = 0; k < j->t.dim; k++) {
        int64_t missing = 0;
        for (int64_t i = 0; i < j->t.table.rows; i++)
            missing += isnan(j->t.x[i * j->t.dim + k]);
        if (missing == 0 || (sf_imputer_levels(j->imputer, k) > 0) != levels)
            continue;
        if (list == NULL)
            list =
                cli_put_list(c, c->report, levels ? "categories" : "columns");
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", j->t.names[k]);
        cli_put_count(c, row, "filled", missing);
        if (levels) {
            put_level(j, row, k);
            continue;
        }
        put_moments(j, row, k, false);
        put_moments(j, row, k, true);
    }
}

static void make_report(const impute_run *j, double seconds)
{
    cli *c = j->c;
    char way[16];
    cli_choice(ways, j->o->draws > 0 ? SF_IMPUTE_DRAW : j->o->with, way,
               sizeof way);
    cli_put_count(c, c->report, "rows", j->t.table.rows);
    cli_put_count(c, c->report, "filled_cells", j->t.missing);
    cli_put_text(c, c->report, "with", way);
    if (j->o->draws > 0)
        cli_put_count(c, c->report, "draws", j->o->draws);
    if (j->o->target != NULL)
        cli_put_text(c, c->report, "target", j->o->target);
    if (j->model == NULL && j->t.missing > 0) {
        cli_put_count(c, c->report, "donors", j->fit.donors);
        if (j->fit.bandwidth > 0.0)
            cli_put_number(c, c->report, "bandwidth", j->fit.bandwidth);
        if (j->fit.forget > 0.0)
            cli_put_number(c, c->report, "forget", j->fit.forget);
    }
    if (j->t.missing > 0) {
        put_columns(j, false);
        put_columns(j, true);
    }
    cli_put_number(c, c->report, "seconds", seconds);
}

/* ---- the command ------------------------------------------------------------------ */

static sf_status work(impute_run *j)
{
    cli *c = j->c;
    const double begun = sfi_clock();
    if (c->operand_count == 2)
        SFI_TRY(sf_model_load(c->ctx, &j->model, c->operands[0]));
    SFI_TRY(impute_table_read(&j->t, c, c->operands[c->operand_count - 1],
                              &j->o->read, j->o->target));
    SFI_TRY(j->model != NULL        ? impute_choose_model(&j->t, j->model)
            : j->o->columns != NULL ? impute_choose_list(&j->t, j->o->columns)
                                    : impute_choose_all(&j->t));
    SFI_TRY(impute_take_cells(&j->t));
    j->filled = sfi_alloc(c->ctx, (size_t)(j->t.table.rows * j->t.dim),
                          sizeof *j->filled);
    if (j->filled == NULL)
        return SF_E_NOMEM;
    if (j->t.missing == 0)
        cli_note(c, "no cell is missing%s",
                 j->o->spread != NULL ? ", and --spread writes nothing" : "");
    else
        SFI_TRY(make_imputer(j));
    if (j->o->draws > 0) {
        SFI_TRY(write_draws(j));
    } else {
        SFI_TRY(impute(j, false, 0));
        SFI_TRY(sf_table_write(c->ctx, &j->t.table, j->o->output));
    }
    if (j->o->spread != NULL && j->t.missing > 0)
        SFI_TRY(write_spread(j));
    make_report(j, sfi_clock() - begun);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

static const char *const fit_only[] = {
    "columns", "target", "kind", "bandwidth", "forget", "donors", "prior-rows"};

static sf_status check_options(cli *c, const impute_options *o)
{
    for (size_t i = 0; i < SFI_COUNT(fit_only); i++)
        if (c->operand_count == 2 && cli_given(c, fit_only[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s applies only without MODEL",
                            fit_only[i]);
    if (o->draws > 0 && cli_given(c, "with") && o->with != SF_IMPUTE_DRAW)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--draws writes draws, and --with is not draw");
    if (cli_given(c, "contract") && o->draws == 0 && o->with != SF_IMPUTE_DRAW)
        return SFI_FAIL(c->ctx, SF_E_ARG, "--contract applies only to draws");
    return SF_OK;
}

/* Names of all files of draws, [draws], some of which may be NULL. */
static sf_status check_files(cli *c, const impute_options *o, char **names)
{
    const size_t count = (size_t)o->draws;
    cli_file spread = {.option = "--spread",
                       .path = o->spread,
                       .is_output = true,
                       .optional = true,
                       .endings = ".csv",
                       .want = "a .csv file"};
    cli_file out = {.option = "-o",
                    .path = o->output,
                    .is_output = true,
                    .endings = CLI_TABLE_ENDINGS,
                    .want = CLI_TABLE_WANT};
    if (count == 0 || o->output == NULL)
        return cli_check_files(c, (cli_file[]){out, spread}, 2);
    if (strcmp(o->output, "-") == 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--draws writes files, so -o must name one");
    for (size_t m = 0; m < count; m++) {
        names[m] = numbered(c->ctx, o->output, (int64_t)m + 1);
        if (names[m] == NULL)
            return SF_E_NOMEM;
        out.path = names[m];
        SFI_TRY(cli_check_files(c, (cli_file[]){out, spread}, 2));
    }
    return SF_OK;
}

static sf_status check_all(cli *c, const impute_options *o)
{
    const size_t count = (size_t)o->draws;
    SFI_TRY(check_options(c, o));
    char **names = sfi_alloc_zero(c->ctx, count, sizeof *names);
    if (names == NULL)
        return SF_E_NOMEM;
    const sf_status status = check_files(c, o, names);
    for (size_t m = 0; m < count; m++)
        sfi_free_text(c->ctx, names[m]);
    sfi_free(c->ctx, names, count, sizeof *names);
    return status;
}

static sf_status run(cli *c, const void *values)
{
    impute_run j = {.c = c, .o = values};
    SFI_TRY(check_all(c, j.o));
    cli_catch_signals();
    const sf_status status = work(&j);
    sfi_free(c->ctx, j.filled, (size_t)(j.t.table.rows * j.t.dim),
             sizeof *j.filled);
    sf_imputer_free(j.imputer);
    sf_model_free(j.model);
    impute_table_free(&j.t);
    return status;
}

const cli_command cli_impute = {
    .name = "impute",
    .summary = "Fill the missing cells of a table",
    .usage = "[OPTIONS] [MODEL] TABLE -o OUT",
    .operands =
        "  MODEL                    A gaussian or a mixture that `scorefield "
        "fit` wrote;\n"
        "                           without one, TABLE explains itself\n"
        "  TABLE                    With the model's columns, among others\n",
    .least = 1,
    .most = 2,
    .size = sizeof(impute_options),
    .options = options,
    .notes =
        "A cell has the distribution that the other cells of its row give it: "
        "numbers get\nits median, categories the likeliest level.  Cells that "
        "are there come back\nunchanged.\n",
    .example = "  scorefield impute data/penguins.csv -o whole.csv "
               "--spread cells.csv\n",
    .run = run};
