/* SPDX-License-Identifier: Apache-2.0 */
/* impute.c - scorefield impute: fill the missing cells of a table.
 *
 * The table is read as it is and written as it is, but for the cells that are filled:
 * columns of text, dates and names pass through. */
#include "cli/cli.h"

#include "base/text.h"
#include "num/array.h"
#include "num/decimal.h"
#include "scorefield/frame.h"
#include "scorefield/impute.h"
#include "scorefield/store.h"
#include "table/frame.h"

#include <math.h>
#include <string.h>

typedef struct impute_options {
    const char *output, *spread, *columns;
    int with;
    int64_t draws, donors;
    double contract, bandwidth, prior_rows;
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
           "Mean, sd and quantiles of each cell, .csv"),
    SHOWN(CLI_TEXT, "columns", "LIST", columns, "all of numbers", NULL,
          "Without MODEL, use these columns: a,\"b, c\""),
    SHOWN(CLI_NUMBER, "bandwidth", "H", bandwidth, "found", "> 0",
          "Without MODEL: noise over the spread"),
    SHOWN(CLI_WHOLE, "donors", "K", donors, "all that time allows", "[2, 1e9]",
          "Without MODEL: rows that explain others"),
    OPTION(CLI_NUMBER, 0, "prior-rows", "N", prior_rows, "5", ">= 0",
           "Without MODEL: of the covariance"),
    CLI_READ_OPTIONS(impute_options, read),
    {0}};

typedef struct impute_run {
    cli *c;
    const impute_options *o;
    const char *path; /* of the table */
    sf_table table;
    sf_frame *frame; /* over the table: what its columns are */
    sf_model *model;
    sf_imputer *imputer;
    sf_imputer_report fit;
    int64_t *index;     /* [dim] columns of the table that are imputed */
    const char **names; /* [dim] */
    int64_t dim, room;  /* room of both */
    sf_mat x, filled;   /* [rows, dim] */
    int64_t missing;    /* of these */
} impute_run;

/* ---- which columns -------------------------------------------------------------- */

/* What the columns of the table hold, over its own memory. */
static sf_status make_frame(impute_run *j)
{
    sf_context *ctx = j->c->ctx;
    const sf_table *t = &j->table;
    const size_t cols = (size_t)t->cols;
    sf_frame_column *columns = sfi_alloc(ctx, cols, sizeof *columns);
    if (columns == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < t->cols; k++) {
        columns[k] = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        columns[k].name = t->columns[k].name;
        columns[k].data = t->data + k;
        columns[k].stride = t->cols * (int64_t)sizeof *t->data;
        columns[k].levels = (const char *const *)t->columns[k].levels;
        columns[k].level_count = t->columns[k].level_count;
    }
    const sf_status status =
        sf_frame_new(ctx, &j->frame, t->rows, t->cols, columns);
    sfi_free(ctx, columns, cols, sizeof *columns);
    return status;
}

static sf_status read_table(impute_run *j)
{
    const sf_read_options how = cli_read_options(&j->o->read);
    SFI_TRY(sf_table_read_with(j->c->ctx, &j->table, j->path, &how));
    SFI_TRY(make_frame(j));
    j->room = j->table.cols;
    j->index = sfi_alloc(j->c->ctx, (size_t)j->room, sizeof *j->index);
    j->names = sfi_alloc(j->c->ctx, (size_t)j->room, sizeof *j->names);
    return j->index != NULL && j->names != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status use_column(impute_run *j, int64_t col)
{
    char shown[SFI_SHOW_SIZE], level[SFI_SHOW_SIZE];
    const sf_column *column = &j->table.columns[col];
    const bool levels =
        j->model != NULL && sf_model_level_count(j->model, j->dim) > 0;
    if (column->kind == SF_COLUMN_TEXT && !levels)
        return SFI_FAIL(
            j->c->ctx, SF_E_FORMAT,
            "%s: column \"%s\" holds text (\"%s\", ...), want "
            "numbers",
            cli_shown_path(j->path),
            sfi_show(shown, column->name, strlen(column->name)),
            sfi_show(level, column->levels[0], strlen(column->levels[0])));
    j->index[j->dim] = col;
    j->names[j->dim++] = column->name;
    return SF_OK;
}

/* Those of the model, by their names. */
static sf_status find_model_columns(impute_run *j)
{
    char shown[SFI_SHOW_SIZE];
    for (int64_t k = 0; k < sf_model_dim(j->model); k++) {
        const char *name = sf_model_column(j->model, k);
        const int64_t col = sf_frame_find(j->frame, name);
        if (col < 0)
            return SFI_FAIL(j->c->ctx, SF_E_FORMAT,
                            "%s: the model's column \"%s\" is missing",
                            cli_shown_path(j->path),
                            sfi_show(shown, name, strlen(name)));
        SFI_TRY(use_column(j, col));
    }
    return SF_OK;
}

static sf_status find_listed_columns(impute_run *j)
{
    sf_frame *some = NULL;
    SFI_TRY(sf_frame_pick(j->c->ctx, &some, j->frame, j->o->columns));
    sf_status status = SF_OK;
    for (int64_t k = 0; k < sf_frame_cols(some) && status == SF_OK; k++)
        status = use_column(j, sf_frame_find(j->frame, sf_frame_name(some, k)));
    sf_frame_free(some);
    return status;
}

/* The missing cells of a column that is the same everywhere else. */
static void fill_constant(impute_run *j, int64_t col, double value)
{
    sf_table *t = &j->table;
    int64_t filled = 0;
    for (int64_t i = 0; i < t->rows; i++)
        if (isnan(t->data[i * t->cols + col])) {
            t->data[i * t->cols + col] = value;
            filled++;
        }
    if (filled > 0)
        cli_note(j->c,
                 "column \"%s\" is %g wherever it is there, and so are "
                 "its %lld missing cells",
                 t->columns[col].name, value, (long long)filled);
}

/* All of numbers that differ; what is left out of those with missing cells is said. */
static sf_status find_numbers(impute_run *j)
{
    char shown[SFI_SHOW_SIZE];
    for (int64_t k = 0; k < j->table.cols; k++) {
        const char *reason = sf_frame_left_out(j->frame, k, false);
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        SFI_TRY(sf_frame_summarise(j->c->ctx, &s, j->frame, k));
        const char *name = j->table.columns[k].name;
        if (reason == NULL && s.present > 1)
            SFI_TRY(use_column(j, k));
        else if (s.present > 0 && s.min == s.max)
            fill_constant(j, k, s.min);
        else if (s.missing > 0)
            cli_note(j->c, "column \"%s\" keeps its %lld missing cells: %s",
                     sfi_show(shown, name, strlen(name)), (long long)s.missing,
                     reason != NULL ? reason : "it has one cell");
    }
    return j->dim > 0 ? SF_OK
                      : SFI_FAIL(j->c->ctx, SF_E_FORMAT,
                                 "%s: no column holds numbers that differ",
                                 cli_shown_path(j->path));
}

/* Levels are those of the model; where the table has texts, or nothing, it takes the
 * model's. */
static sf_status match_levels(impute_run *j)
{
    sf_context *ctx = j->c->ctx;
    sf_table *t = &j->table;
    sf_frame *some = NULL;
    SFI_TRY(sf_frame_select(ctx, &some, j->frame, j->index, j->dim));
    sf_status status =
        sfi_frame_error(j->frame, sf_model_match_levels(j->model, some, j->x));
    sf_frame_free(some);
    for (int64_t k = 0; k < j->dim && status == SF_OK; k++) {
        const int64_t count = sf_model_level_count(j->model, k);
        const int64_t col = j->index[k];
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        status = sf_frame_summarise(ctx, &s, j->frame, col);
        if (status != SF_OK || count == 0 ||
            (t->columns[col].kind != SF_COLUMN_TEXT && s.present > 0))
            continue;
        const char **levels = sfi_alloc(ctx, (size_t)count, sizeof *levels);
        for (int64_t l = 0; l < count && levels != NULL; l++)
            levels[l] = sf_model_level(j->model, k, l);
        status = levels != NULL
                     ? sfi_table_set_levels(ctx, t, col, levels, count)
                     : SF_E_NOMEM;
        sfi_free(ctx, levels, (size_t)count, sizeof *levels);
        for (int64_t i = 0; i < t->rows && status == SF_OK; i++)
            t->data[i * t->cols + col] = j->x.data[i * j->dim + k];
    }
    if (status != SF_OK)
        return status;
    sf_frame_free(j->frame); /* which may look at texts that are gone */
    j->frame = NULL;
    return make_frame(j);
}

static sf_status take_rows(impute_run *j)
{
    const sf_table *t = &j->table;
    const size_t cells = (size_t)(t->rows * j->dim);
    j->x = (sf_mat){NULL, t->rows, j->dim, j->dim};
    j->filled = j->x;
    j->x.data = sfi_alloc(j->c->ctx, cells, sizeof *j->x.data);
    j->filled.data = sfi_alloc(j->c->ctx, cells, sizeof *j->x.data);
    if (j->x.data == NULL || j->filled.data == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < t->rows; i++)
        for (int64_t k = 0; k < j->dim; k++) {
            const double cell = t->data[i * t->cols + j->index[k]];
            j->x.data[i * j->dim + k] = cell;
            j->missing += isnan(cell);
        }
    return j->model != NULL ? match_levels(j) : SF_OK;
}

static bool has_levels(const impute_run *j, int64_t k)
{
    return j->model != NULL && sf_model_categories(j->model, k) > 0;
}

/* ---- the imputer ------------------------------------------------------------------ */

static void tell_fit(const impute_run *j)
{
    if (j->fit.hidden > 0)
        cli_note(j->c, "the bandwidth %g guesses %lld hidden cells best",
                 j->fit.bandwidth, (long long)j->fit.hidden);
    if (j->fit.donors < j->fit.rows)
        cli_note(j->c,
                 "rows are explained by %lld of %lld rows, drawn at random",
                 (long long)j->fit.donors, (long long)j->fit.rows);
}

static sf_status make_imputer(impute_run *j)
{
    cli *c = j->c;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    j->fit = (sf_imputer_report)SF_IMPUTER_REPORT_INIT;
    if (j->model != NULL)
        return sf_imputer_new(c->ctx, &j->imputer, j->model);
    o.bandwidth = j->o->bandwidth;
    o.donors = j->o->donors;
    o.prior_rows = j->o->prior_rows;
    o.seed = c->common.seed;
    cli_progress_begin(c);
    const sf_status status = sf_imputer_fit(
        c->ctx, &j->imputer, sf_mat_const(j->x), j->names, &o, &j->fit);
    cli_progress_end(c);
    if (status == SF_OK)
        tell_fit(j);
    return status;
}

/* Whole numbers stay whole: the median of a rounded number is its median, rounded, and
 * a draw a rounded draw.  A mean is no value of the column. */
static double settle(const impute_run *j, int64_t k, double value)
{
    const int64_t col = j->index[k];
    if (has_levels(j, k)) {
        const char *level = sf_model_level(j->model, k, (int64_t)value);
        if (j->table.columns[col].kind != SF_COLUMN_TEXT && level != NULL)
            (void)sfi_number_parse(level, &value);
        return value;
    }
    if (j->table.columns[col].kind != SF_COLUMN_INTEGER ||
        (j->o->with == SF_IMPUTE_MEAN && j->o->draws == 0))
        return value;
    const bool boolean = sf_frame_kind(j->frame, col) == SF_KIND_BOOLEAN;
    const double whole = floor(value + 0.5);
    return boolean ? fmin(fmax(whole, 0.0), 1.0) : whole;
}

/* Impute, and put what was missing into the table. */
static sf_status impute(impute_run *j, bool draws, uint32_t draw)
{
    cli *c = j->c;
    sf_table *t = &j->table;
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    if (j->missing == 0)
        return SF_OK;
    o.with = draws ? SF_IMPUTE_DRAW : (sf_impute_with)j->o->with;
    o.contract = j->o->contract;
    o.seed = c->common.seed;
    o.draw = draw;
    o.own_rows = j->model == NULL;
    cli_progress_begin(c);
    const sf_status status =
        sf_impute(c->ctx, j->filled, j->imputer, sf_mat_const(j->x), &o);
    cli_progress_end(c);
    SFI_TRY(status);
    for (int64_t i = 0; i < t->rows; i++)
        for (int64_t k = 0; k < j->dim; k++)
            if (isnan(j->x.data[i * j->dim + k]))
                t->data[i * t->cols + j->index[k]] =
                    settle(j, k, j->filled.data[i * j->dim + k]);
    return SF_OK;
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
            status = sf_table_write(ctx, &j->table, name);
        sfi_free_text(ctx, name);
        SFI_TRY(status);
    }
    return SF_OK;
}

static const char *const spread_names[] = {
    "row",    "column", "mean", "sd",  "q05",   "q10",        "q25",
    "median", "q75",    "q90",  "q95", "level", "probability"};

enum { ALL_SPREAD = (int)SFI_COUNT(spread_names), LEVEL = ALL_SPREAD - 2 };

/* A category has a line for each level. */
static int64_t lines_of(const impute_run *j, int64_t column)
{
    return has_levels(j, column) ? sf_model_categories(j->model, column) : 1;
}

/* The lines of a category's cell; `first` is where its levels are among all. */
static sf_status put_levels(impute_run *j, const sf_imputed_cell *cell,
                            int64_t first, double *row)
{
    const int64_t count = lines_of(j, cell->column);
    double *pmf = sfi_alloc(j->c->ctx, (size_t)count, sizeof *pmf);
    sf_status status =
        pmf != NULL ? sf_impute_pmf(j->c->ctx, pmf, j->imputer, cell->column,
                                    j->x.data + cell->row * j->dim)
                    : SF_E_NOMEM;
    for (int64_t l = 0; l < count && status == SF_OK; l++) {
        double *line = row + l * ALL_SPREAD;
        for (int k = 2; k < ALL_SPREAD; k++)
            line[k] = (double)NAN;
        line[0] = (double)cell->row + 1.0;
        line[1] = (double)cell->column;
        line[LEVEL] = (double)(first + l);
        line[LEVEL + 1] = pmf[l];
    }
    sfi_free(j->c->ctx, pmf, (size_t)count, sizeof *pmf);
    return status;
}

/* Levels of all columns one after the other, as texts; returns how many. */
static int64_t list_levels(const impute_run *j, const char **texts,
                           int64_t *first)
{
    int64_t count = 0;
    for (int64_t k = 0; k < j->dim; k++) {
        first[k] = count;
        for (int64_t l = 0; has_levels(j, k) && l < lines_of(j, k); l++) {
            const char *text = sf_model_level(j->model, k, l);
            if (texts != NULL)
                texts[count] = text != NULL ? text : "";
            count++;
        }
    }
    return count;
}

static sf_status fill_spread(impute_run *j, const sf_imputed_cell *cells,
                             const int64_t *first, sf_table *t)
{
    double *row = t->data;
    for (int64_t i = 0; i < j->missing; i++) {
        const sf_imputed_cell *cell = &cells[i];
        if (has_levels(j, cell->column)) {
            SFI_TRY(put_levels(j, cell, first[cell->column], row));
            row += lines_of(j, cell->column) * t->cols;
            continue;
        }
        row[0] = (double)cell->row + 1.0;
        row[1] = (double)cell->column;
        row[2] = cell->mean;
        row[3] = cell->sd;
        memcpy(row + 4, cell->quantile, sizeof cell->quantile);
        for (int64_t k = LEVEL; k < t->cols; k++)
            row[k] = (double)NAN;
        row += t->cols;
    }
    return SF_OK;
}

static sf_status write_lines(impute_run *j, const sf_imputed_cell *cells,
                             const int64_t *first, const char *const *texts,
                             int64_t levels)
{
    sf_context *ctx = j->c->ctx;
    int64_t lines = 0;
    sf_table t;
    for (int64_t i = 0; i < j->missing; i++)
        lines += lines_of(j, cells[i].column);
    SFI_TRY(sf_table_new(ctx, &t, lines, levels > 0 ? ALL_SPREAD : LEVEL,
                         spread_names));
    sf_status status = sfi_table_set_levels(ctx, &t, 1, j->names, j->dim);
    if (status == SF_OK && levels > 0)
        status = sfi_table_set_levels(ctx, &t, LEVEL, texts, levels);
    if (status == SF_OK)
        status = fill_spread(j, cells, first, &t);
    if (status == SF_OK)
        status = sf_table_write(ctx, &t, j->o->spread);
    sf_table_free(ctx, &t);
    return status;
}

static sf_status write_cells(impute_run *j, const sf_imputed_cell *cells)
{
    sf_context *ctx = j->c->ctx;
    int64_t *first = sfi_alloc(ctx, (size_t)j->dim, sizeof *first);
    if (first == NULL)
        return SF_E_NOMEM;
    const int64_t levels = list_levels(j, NULL, first);
    const char **texts = sfi_alloc(ctx, (size_t)levels, sizeof *texts);
    if (texts != NULL)
        list_levels(j, texts, first);
    const sf_status status = texts != NULL
                                 ? write_lines(j, cells, first, texts, levels)
                                 : SF_E_NOMEM;
    sfi_free(ctx, texts, (size_t)levels, sizeof *texts);
    sfi_free(ctx, first, (size_t)j->dim, sizeof *first);
    return status;
}

static sf_status write_spread(impute_run *j)
{
    cli *c = j->c;
    const size_t count = (size_t)j->missing;
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    o.own_rows = j->model == NULL;
    sf_imputed_cell *cells = sfi_alloc(c->ctx, count, sizeof *cells);
    if (cells == NULL)
        return SF_E_NOMEM;
    cli_progress_begin(c);
    sf_status status =
        sf_impute_spread(c->ctx, cells, j->imputer, sf_mat_const(j->x), &o);
    cli_progress_end(c);
    if (status == SF_OK)
        status = write_cells(j, cells);
    sfi_free(c->ctx, cells, count, sizeof *cells);
    return status;
}

/* ---- the report ------------------------------------------------------------------- */

/* Cells that were there, or those that were filled. */
static void put_moments(const impute_run *j, json_t *row, int64_t k,
                        bool filled)
{
    int64_t count = 0;
    double sum = 0.0, squares = 0.0;
    for (int pass = 0; pass < 2; pass++) {
        const double mean = sum / (double)count;
        for (int64_t i = 0; i < j->x.rows; i++) {
            if (isnan(j->x.data[i * j->dim + k]) != filled)
                continue;
            const double cell = j->table.data[i * j->table.cols + j->index[k]];
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

static void make_report(const impute_run *j, double seconds)
{
    cli *c = j->c;
    char way[16];
    cli_choice(ways, j->o->draws > 0 ? SF_IMPUTE_DRAW : j->o->with, way,
               sizeof way);
    cli_put_count(c, c->report, "rows", j->table.rows);
    cli_put_count(c, c->report, "filled_cells", j->missing);
    cli_put_text(c, c->report, "with", way);
    if (j->o->draws > 0)
        cli_put_count(c, c->report, "draws", j->o->draws);
    if (j->model == NULL && j->missing > 0) {
        cli_put_count(c, c->report, "donors", j->fit.donors);
        cli_put_number(c, c->report, "bandwidth", j->fit.bandwidth);
    }
    json_t *list =
        j->missing > 0 ? cli_put_list(c, c->report, "columns") : NULL;
    for (int64_t k = 0; k < j->dim; k++) {
        int64_t missing = 0;
        for (int64_t i = 0; i < j->x.rows; i++)
            missing += isnan(j->x.data[i * j->dim + k]);
        if (missing == 0)
            continue;
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", j->names[k]);
        cli_put_count(c, row, "filled", missing);
        if (has_levels(j, k)) /* numbers of levels have no mean */
            continue;
        put_moments(j, row, k, false);
        put_moments(j, row, k, true);
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
    SFI_TRY(read_table(j));
    SFI_TRY(j->model != NULL        ? find_model_columns(j)
            : j->o->columns != NULL ? find_listed_columns(j)
                                    : find_numbers(j));
    SFI_TRY(take_rows(j));
    if (j->missing == 0)
        cli_note(c, "no cell is missing%s",
                 j->o->spread != NULL ? ", and --spread writes nothing" : "");
    else
        SFI_TRY(make_imputer(j));
    if (j->o->draws > 0) {
        SFI_TRY(write_draws(j));
    } else {
        SFI_TRY(impute(j, false, 0));
        SFI_TRY(sf_table_write(c->ctx, &j->table, j->o->output));
    }
    if (j->o->spread != NULL && j->missing > 0)
        SFI_TRY(write_spread(j));
    make_report(j, sfi_clock() - begun);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

static const char *const fit_only[] = {"columns", "bandwidth", "donors",
                                       "prior-rows"};

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
    if (o->read.kinds != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--kind: tables are imputed as they are; choose "
                        "columns with --columns");
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
    j.path = c->operands[c->operand_count - 1];
    SFI_TRY(check_all(c, j.o));
    cli_catch_signals();
    const sf_status status = work(&j);
    const size_t cells = (size_t)(j.x.rows * j.dim), room = (size_t)j.room;
    sfi_free(c->ctx, j.filled.data, cells, sizeof(double));
    sfi_free(c->ctx, j.x.data, cells, sizeof(double));
    sfi_free(c->ctx, j.names, room, sizeof *j.names);
    sfi_free(c->ctx, j.index, room, sizeof *j.index);
    sf_imputer_free(j.imputer);
    sf_model_free(j.model);
    sf_frame_free(j.frame);
    sf_table_free(c->ctx, &j.table);
    return status;
}

const cli_command cli_impute = {
    .name = "impute",
    .summary = "Fill the missing cells of a table",
    .usage = "[OPTIONS] [MODEL] TABLE -o OUT",
    .operands =
        "  MODEL                    A gaussian, a mixture or an empirical "
        "model "
        "that\n"
        "                           `scorefield fit` wrote; without one, TABLE "
        "explains\n"
        "                           itself\n"
        "  TABLE                    With the model's columns, among others\n",
    .least = 1,
    .most = 2,
    .size = sizeof(impute_options),
    .options = options,
    .notes =
        "A cell has the distribution that the other cells of its row give it.  "
        "Cells that\nare there come back unchanged, and so do columns of text "
        "and dates.\n",
    .example = "  scorefield impute data/penguins.csv -o whole.csv "
               "--spread cells.csv\n",
    .run = run};
