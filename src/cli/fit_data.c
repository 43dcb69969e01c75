/* SPDX-License-Identifier: Apache-2.0 */
/* fit_data.c - the table that a model is fitted to.
 *
 * A gaussian needs one pass over complete rows, so a file for it is not held in
 * memory: opening it shows what the columns are, a reader hands out the rows.  Where a
 * cell is missing it needs many, and the file is read after all.  Other models, and
 * standard input, get the whole table. */
#include "cli/fit.h"

#include "base/text.h"
#include "table/frame.h"

#include <math.h>
#include <string.h>

/* ---- which columns -------------------------------------------------------- */

static const char *shown_name(const sf_frame *f, int64_t j,
                              char shown[SFI_SHOW_SIZE])
{
    const char *name = sf_frame_name(f, j);
    return sfi_show(shown, name, strlen(name));
}

/* A column that was named must be fit to be used. */
static sf_status check_named(const fit_data *d, int64_t j)
{
    char shown[SFI_SHOW_SIZE], level[SFI_SHOW_SIZE];
    sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
    sf_context *ctx = d->c->ctx;
    const char *file = cli_shown_path(d->path);
    SFI_TRY(sf_frame_summarise(ctx, &s, d->all, j));
    if (sf_frame_level_count(d->all, j) > 0 &&
        (!d->takes_levels || j == d->weight)) {
        const char *first = sf_frame_level(d->all, j, 0);
        return SFI_FAIL(
            ctx, SF_E_FORMAT, "%s: column \"%s\" holds text (\"%s\", ...)%s",
            file, shown_name(d->all, j, shown),
            sfi_show(level, first, strlen(first)),
            j == d->weight ? ", want numbers"
                           : ", which --model empirical takes; for others "
                             "leave it out of --columns");
    }
    if (s.present == 0)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: column \"%s\" is missing in every row; leave it "
                        "out of --columns",
                        file, shown_name(d->all, j, shown));
    return SF_OK;
}

static sf_status find_resumed(fit_data *d, const sf_checkpoint *resumed)
{
    if (resumed->dim > d->cols)
        return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                        "%s: has %lld column(s), and the run of --resume has "
                        "%lld",
                        cli_shown_path(d->path), (long long)d->cols,
                        (long long)resumed->dim);
    for (; d->dim < resumed->dim; d->dim++)
        SFI_TRY(sfi_frame_find_column(d->c->ctx, d->all,
                                      resumed->columns[d->dim], "--resume",
                                      &d->index[d->dim]));
    return SF_OK;
}

static sf_status find_weights(fit_data *d, const char *weights)
{
    d->weight = -1;
    if (weights == NULL)
        return SF_OK;
    SFI_TRY(sfi_frame_find_column(d->c->ctx, d->all, weights, "--weights",
                                  &d->weight));
    return check_named(d, d->weight);
}

/* The columns of a list of names. */
static sf_status find_listed(fit_data *d, const char *list)
{
    sf_frame *picked = NULL;
    SFI_TRY(sf_frame_pick(d->c->ctx, &picked, d->all, list));
    for (; d->dim < sf_frame_cols(picked); d->dim++)
        d->index[d->dim] = sf_frame_find(d->all, sf_frame_name(picked, d->dim));
    sf_frame_free(picked);
    return SF_OK;
}

/* Nothing is left; the frame knows why. */
static sf_status fail_none(const fit_data *d)
{
    sf_frame *numbers = NULL;
    SFI_TRY(sf_frame_numbers(d->c->ctx, &numbers, d->all, false));
    sf_frame_free(numbers);
    return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                    "%s: no column but that of --weights holds numbers; want "
                    "at least one",
                    cli_shown_path(d->path));
}

/* Why a column is left out that nobody named; dates are numbers like others, and
 * some models have a place for levels. */
static const char *left_out(const fit_data *d, int64_t j)
{
    const sf_kind kind = sf_frame_kind(d->all, j);
    const bool levels = kind == SF_KIND_CATEGORY || kind == SF_KIND_BOOLEAN;
    return kind == SF_KIND_DATE || (levels && d->takes_levels)
               ? NULL
               : sf_frame_left_out(d->all, j, false);
}

/* What a model keeps of pairs of columns fits a memory. */
enum { MANY_LEVELS = 1000, MOST_COLUMNS = 10000 };

/* Levels that hardly come back say little. */
static void warn_of_levels(const fit_data *d, int64_t j)
{
    char shown[SFI_SHOW_SIZE];
    const int64_t levels = sf_frame_level_count(d->all, j);
    if (levels > MANY_LEVELS || 2 * levels > d->rows)
        cli_warn(d->c,
                 "column \"%s\" has %lld levels in %lld rows; if they name the "
                 "rows, say --kind '%s=key' or leave it out of --columns",
                 shown_name(d->all, j, shown), (long long)levels,
                 (long long)d->rows, shown);
}

/* All that differ and are numbers or dates, but the weights; what is left out is
 * said. */
static sf_status find_numbers(fit_data *d)
{
    char shown[SFI_SHOW_SIZE];
    for (int64_t j = 0; j < d->cols; j++)
        if (j != d->weight && left_out(d, j) == NULL)
            d->index[d->dim++] = j;
    if (d->dim == 0)
        return fail_none(d);
    for (int64_t j = 0; j < d->cols; j++)
        if (j != d->weight && left_out(d, j) != NULL)
            cli_note(d->c, "column \"%s\" is left out: %s",
                     shown_name(d->all, j, shown), left_out(d, j));
    return SF_OK;
}

static sf_status choose_columns(fit_data *d, const char *list,
                                const sf_checkpoint *resumed)
{
    SFI_TRY(list != NULL      ? find_listed(d, list)
            : resumed != NULL ? find_resumed(d, resumed)
                              : find_numbers(d));
    if (d->dim > MOST_COLUMNS)
        return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                        "%s: %lld columns are too many for a model, want at "
                        "most %d; --columns chooses some",
                        cli_shown_path(d->path), (long long)d->dim,
                        (int)MOST_COLUMNS);
    for (int64_t k = 0; k < d->dim; k++) {
        const int64_t j = d->index[k];
        SFI_TRY(check_named(d, j));
        if (j == d->weight)
            return SFI_FAIL(d->c->ctx, SF_E_ARG,
                            "--weights and --columns name the same column");
        d->used[j] = true;
        if (sf_frame_level_count(d->all, j) > 0) {
            d->has_levels = true;
            warn_of_levels(d, j);
        }
        d->names[k] = sf_frame_name(d->all, j);
    }
    for (int64_t j = 0; j < d->cols; j++)
        if (!d->used[j])
            d->dropped[d->dropped_count++] = sf_frame_name(d->all, j);
    return SF_OK;
}

static sf_status check_range(const fit_data *d, int64_t j)
{
    char shown[SFI_SHOW_SIZE];
    sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
    SFI_TRY(sf_frame_summarise(d->c->ctx, &s, d->all, j));
    const double span = s.max - s.min;
    if (sf_frame_level_count(d->all, j) > 0 || s.present < 2 ||
        (span > 1e-140 && span < 1e140))
        return SF_OK;
    if (span == 0.0 && d->takes_constants)
        return SF_OK;
    if (span > 0.0)
        return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                        "%s: column \"%s\" goes from %g to %g, whose "
                        "squares are out of range; change its unit",
                        cli_shown_path(d->path), shown_name(d->all, j, shown),
                        s.min, s.max);
    return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                    "%s: column \"%s\" is %g in every row; a constant has "
                    "no density, so leave it out with --columns",
                    cli_shown_path(d->path), shown_name(d->all, j, shown),
                    s.min);
}

/* ---- rows ---------------------------------------------------------------- */

/* The used columns, and the weights behind them. */
static sf_status select_columns(fit_data *d)
{
    const bool weighted = d->weight >= 0;
    if (weighted) /* not one of the used columns, so there is room */
        d->index[d->dim] = d->weight;
    return sf_frame_select(d->c->ctx, &d->some, d->all, d->index,
                           d->dim + weighted);
}

/* The runs of rows before and between those that are whole, into `runs` if it is
 * not NULL; returns how many there are. */
static int64_t find_dropped(const fit_data *d, int64_t *runs)
{
    int64_t next = 0, count = 0;
    for (int64_t i = 0; i <= d->complete; i++) {
        const int64_t row =
            i < d->complete ? sf_frame_row(d->whole, i) : d->rows;
        if (row > next && runs != NULL) {
            runs[2 * count] = next;
            runs[2 * count + 1] = row - next;
        }
        count += row > next;
        next = row + 1;
    }
    return count;
}

/* Complete rows, or all with a cell. */
static sf_status take_matrix(fit_data *d, fit_rows rows)
{
    sf_context *ctx = d->c->ctx;
    SFI_TRY(rows == FIT_ROWS_WITH_CELLS
                ? sf_frame_with_cells(ctx, &d->whole, d->some, d->dim)
                : sf_frame_complete(ctx, &d->whole, d->some));
    SFI_TRY(sf_frame_matrix(ctx, d->whole, &d->matrix));
    d->matrix.cols = d->dim;
    d->complete = d->matrix.rows;
    for (int64_t i = 0; i < d->complete; i++)
        for (int64_t j = 0; j < d->dim; j++)
            d->missing += isnan(d->matrix.data[i * d->matrix.stride + j]);
    const int64_t count = find_dropped(d, NULL);
    d->dropped_rows =
        sfi_alloc(ctx, (size_t)count, 2 * sizeof *d->dropped_rows);
    if (d->dropped_rows == NULL)
        return SF_E_NOMEM;
    d->dropped_row_count = count;
    find_dropped(d, d->dropped_rows);
    return SF_OK;
}

/* All rows, NaN where a cell is missing; those without a cell are not counted. */
static sf_status take_with_missing(fit_data *d)
{
    SFI_TRY(sf_frame_matrix(d->c->ctx, d->some, &d->matrix));
    for (int64_t i = 0; i < d->matrix.rows; i++) {
        int64_t missing = 0;
        for (int64_t j = 0; j < d->dim; j++)
            missing += isnan(d->matrix.data[i * d->matrix.stride + j]);
        d->complete += missing < d->dim;
        d->missing += missing < d->dim ? missing : 0;
    }
    return SF_OK;
}

/* Whether a cell of the used columns is missing. */
static bool misses(const fit_data *d)
{
    for (int64_t k = 0; k < d->dim; k++) {
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        if (sf_frame_summarise(d->c->ctx, &s, d->all, d->index[k]) != SF_OK ||
            s.missing > 0)
            return true;
    }
    return false;
}

/* The rows of a stream after all; what is warned of a file was. */
static sf_status hold(fit_data *d, const sf_read_options *options)
{
    sf_frame *held = NULL;
    sf_context_set_warning(d->c->ctx, NULL, NULL);
    const sf_status status = sf_frame_read(d->c->ctx, &held, d->path, options);
    sf_context_set_warning(d->c->ctx, cli_on_warning, d->c);
    SFI_TRY(status);
    sf_frame_free(d->all);
    d->all = held;
    for (int64_t k = 0; k < d->dim; k++)
        d->names[k] = sf_frame_name(held, d->index[k]);
    d->dropped_count = 0;
    for (int64_t j = 0; j < d->cols; j++)
        if (!d->used[j])
            d->dropped[d->dropped_count++] = sf_frame_name(held, j);
    return SF_OK;
}

sf_status fit_rewind(fit_data *d)
{
    d->complete = 0;
    return sf_frame_reader_rewind(d->stream);
}

int64_t fit_stream(void *user, double *block, int64_t capacity)
{
    fit_data *d = user;
    if (cli_stop_wanted()) {
        (void)SFI_FAIL(d->c->ctx, SF_E_CANCELLED, "interrupted");
        return -1;
    }
    const int64_t taken = sf_frame_reader_next(d->stream, block, capacity);
    d->complete += taken > 0 ? taken : 0;
    return taken;
}

sf_status fit_data_error(const fit_data *d, sf_status status)
{
    return sfi_frame_error(d->whole != NULL ? d->whole : d->some, status);
}

void fit_say_dropped(const fit_data *d)
{
    const int64_t dropped = d->rows - d->complete;
    if (dropped > 0)
        cli_note(d->c,
                 "%lld of %lld rows are dropped: a cell of theirs is missing",
                 (long long)dropped, (long long)d->rows);
}

static void say_missing(const fit_data *d)
{
    const int64_t empty = d->rows - d->complete;
    if (empty > 0)
        cli_note(d->c, "%lld of %lld rows are dropped: they have no cell",
                 (long long)empty, (long long)d->rows);
    if (d->missing > 0)
        cli_note(d->c,
                 "%lld of %lld cells are missing; the likelihood is that of "
                 "the others",
                 (long long)d->missing, (long long)(d->complete * d->dim));
}

/* ---- opening -------------------------------------------------------------- */

static sf_status allocate(fit_data *d)
{
    sf_context *ctx = d->c->ctx;
    const size_t n = (size_t)d->cols;
    d->used = sfi_alloc_zero(ctx, n, sizeof *d->used);
    d->index = sfi_alloc_zero(ctx, n, sizeof *d->index);
    d->names = sfi_alloc_zero(ctx, n, sizeof *d->names);
    d->dropped = sfi_alloc_zero(ctx, n, sizeof *d->dropped);
    return d->used != NULL && d->index != NULL && d->names != NULL &&
                   d->dropped != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* The first used column with atoms, or -1. */
static int64_t find_atoms(const fit_data *d)
{
    for (int64_t j = 0; j < d->cols; j++)
        if (sf_frame_atom_count(d->all, j) > 0 && d->used[j])
            return j;
    return -1;
}

/* Of the models an empirical one has a place for atoms, so that `auto` has no choice;
 * what has none is told. */
static void settle_atoms(fit_data *d, const fit_options *o)
{
    char shown[SFI_SHOW_SIZE];
    d->atoms = find_atoms(d);
    d->is_empirical =
        o->model == FIT_EMPIRICAL || (o->model == FIT_AUTO && d->atoms >= 0);
    if (d->atoms >= 0 && !d->is_empirical)
        cli_note(d->c,
                 "column \"%s\" has an atom, %g, for which this model has no "
                 "place, and will have numbers about it; --model empirical has",
                 shown_name(d->all, d->atoms, shown),
                 sf_frame_atom(d->all, d->atoms, 0));
}

/* Whether rows may lack cells of an empirical model with these options. */
static bool takes_missing(const fit_data *d, const fit_options *o)
{
    sf_empirical_options e = SF_EMPIRICAL_OPTIONS_INIT;
    const char *b = o->bandwidth;
    e.kernel = o->kernel;
    e.floor = o->floor == NULL || strcmp(o->floor, "0") == 0 ? 0.0 : -1.0;
    if (b != NULL && strcmp(b, "adaptive") == 0)
        e.bandwidth = SF_BANDWIDTH_ADAPTIVE;
    return !o->complete_rows && (b == NULL || strcmp(b, "local") != 0) &&
           sf_empirical_takes_missing(d->c->ctx, d->dim, d->names, &e);
}

bool fit_takes_any(const fit_options *o, const sf_checkpoint *resumed)
{
    return o->model == FIT_AUTO && resumed == NULL;
}

sf_status fit_data_open(fit_data *d, cli *c, const char *path,
                        const fit_options *o, const sf_checkpoint *resumed,
                        fit_rows rows)
{
    bool streams = rows == FIT_ROWS_STREAM;
    memset(d, 0, sizeof *d);
    d->c = c;
    d->path = path;
    d->takes_constants = (o->model == FIT_VAE || o->model == FIT_MANIFOLD) &&
                         o->noise == FIT_NOISE_ISOTROPIC && !o->standardise;
    d->takes_levels = o->model == FIT_EMPIRICAL || fit_takes_any(o, resumed);
    const sf_read_options options = cli_read_options(&o->read);
    SFI_TRY(streams ? sf_frame_open(c->ctx, &d->all, path, &options)
                    : sf_frame_read(c->ctx, &d->all, path, &options));
    d->cols = sf_frame_cols(d->all);
    d->rows = sf_frame_rows(d->all);
    SFI_TRY(allocate(d));
    SFI_TRY(find_weights(d, o->weights));
    SFI_TRY(choose_columns(d, o->columns, resumed));
    SFI_TRY(cli_show_columns(c, d->all, d->used));
    settle_atoms(d, o);
    if (d->is_empirical && rows == FIT_ROWS_WITH_CELLS) /* as it takes them */
        rows = FIT_ROWS_COMPLETE;
    for (int64_t k = 0; k < d->dim; k++)
        SFI_TRY(check_range(d, d->index[k]));
    if (streams && misses(d)) {
        SFI_TRY(hold(d, &options));
        streams = false;
    }
    SFI_TRY(select_columns(d));
    if (streams)
        return sf_frame_reader_new(c->ctx, &d->stream, d->some, true);
    if (rows == FIT_ROWS_WITH_MISSING || rows == FIT_ROWS_STREAM) {
        SFI_TRY(take_with_missing(d));
        say_missing(d);
        return SF_OK;
    }
    if (d->is_empirical && takes_missing(d, o))
        rows = FIT_ROWS_WITH_CELLS;
    SFI_TRY(take_matrix(d, rows));
    if (rows == FIT_ROWS_WITH_CELLS)
        say_missing(d);
    else
        fit_say_dropped(d);
    return SF_OK;
}

void fit_data_free(fit_data *d)
{
    if (d->c == NULL)
        return;
    sf_context *ctx = d->c->ctx;
    const size_t n = (size_t)d->cols;
    sfi_free(ctx, d->used, n, sizeof *d->used);
    sfi_free(ctx, d->index, n, sizeof *d->index);
    sfi_free(ctx, d->names, n, sizeof *d->names);
    sfi_free(ctx, d->dropped, n, sizeof *d->dropped);
    sfi_free(ctx, d->dropped_rows, (size_t)d->dropped_row_count,
             2 * sizeof *d->dropped_rows);
    sf_frame_reader_free(d->stream);
    sf_frame_free(d->whole);
    sf_frame_free(d->some);
    sf_frame_free(d->all);
}
