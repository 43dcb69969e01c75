/* SPDX-License-Identifier: Apache-2.0 */
/* fit_data.c - the table that a model is fitted to.
 *
 * A gaussian needs one pass over the rows, so a file for it is never held in
 * memory: the first pass shows what the columns are, the second one fits.  Other
 * models, and standard input, get the whole table, in which the used columns of
 * the complete rows are moved to the front. */
#include "cli/fit.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- the first pass ------------------------------------------------------- */

static sf_status allocate(fit_data *d)
{
    sf_context *ctx = d->c->ctx;
    const size_t n = (size_t)d->cols;
    d->summaries = sfi_alloc_zero(ctx, n, sizeof *d->summaries);
    d->used = sfi_alloc_zero(ctx, n, sizeof *d->used);
    d->index = sfi_alloc_zero(ctx, n, sizeof *d->index);
    d->names = sfi_alloc_zero(ctx, n, sizeof *d->names);
    d->kinds = sfi_alloc_zero(ctx, n, sizeof *d->kinds);
    d->dropped = sfi_alloc_zero(ctx, n, sizeof *d->dropped);
    return d->summaries != NULL && d->used != NULL && d->index != NULL &&
                   d->names != NULL && d->kinds != NULL && d->dropped != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

static sf_status scan_stream(fit_data *d)
{
    sf_context *ctx = d->c->ctx;
    SFI_TRY(sfi_rows_open(ctx, &d->stream, d->path));
    d->cols = sfi_rows_cols(d->stream);
    SFI_TRY(allocate(d));
    d->block = sfi_alloc(ctx, (size_t)(FIT_BLOCK * d->cols), sizeof *d->block);
    if (d->block == NULL)
        return SF_E_NOMEM;
    for (;;) {
        int64_t got = 0;
        SFI_TRY(sfi_rows_next(d->stream, d->block, FIT_BLOCK, &got));
        if (got == 0)
            break;
        cli_summarise(d->summaries, d->rows, got, d->cols, d->block);
        d->rows += got;
    }
    d->columns = sfi_rows_columns(d->stream);
    return SF_OK;
}

static sf_status scan_table(fit_data *d)
{
    SFI_TRY(sf_table_read(d->c->ctx, &d->table, d->path));
    d->cols = d->table.cols;
    d->rows = d->table.rows;
    d->columns = d->table.columns;
    SFI_TRY(allocate(d));
    cli_summarise(d->summaries, 0, d->rows, d->cols, d->table.data);
    return SF_OK;
}

/* ---- which columns -------------------------------------------------------- */

/* Columns that were named must be fit to be used. */
static sf_status check_named(const fit_data *d, int64_t j)
{
    char shown[SFI_SHOW_SIZE], level[SFI_SHOW_SIZE];
    const sf_column *column = &d->columns[j];
    sfi_show(shown, column->name, strlen(column->name));
    if (column->kind == SF_COLUMN_TEXT)
        return SFI_FAIL(
            d->c->ctx, SF_E_FORMAT,
            "%s: column \"%s\" holds text (\"%s\", ...); categories "
            "are not in this version, leave it out of --columns",
            cli_shown_path(d->path), shown,
            sfi_show(level, column->levels[0], strlen(column->levels[0])));
    if (d->summaries[j].missing == d->rows)
        return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                        "%s: column \"%s\" is missing in every row; leave it "
                        "out of --columns",
                        cli_shown_path(d->path), shown);
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
        SFI_TRY(cli_find_column(d->c, resumed->columns[d->dim], d->columns,
                                d->cols, "--resume", &d->index[d->dim]));
    return SF_OK;
}

static sf_status find_weights(fit_data *d, const char *weights)
{
    d->weight = -1;
    if (weights == NULL)
        return SF_OK;
    SFI_TRY(cli_find_column(d->c, weights, d->columns, d->cols, "--weights",
                            &d->weight));
    return check_named(d, d->weight);
}

static sf_status choose_columns(fit_data *d, const char *list,
                                const sf_checkpoint *resumed)
{
    if (list == NULL && resumed != NULL) {
        SFI_TRY(find_resumed(d, resumed));
        for (int64_t k = 0; k < d->dim; k++)
            SFI_TRY(check_named(d, d->index[k]));
    } else if (list != NULL) {
        SFI_TRY(cli_pick_columns(d->c, list, d->columns, d->cols, "--columns",
                                 d->index, &d->dim));
        for (int64_t k = 0; k < d->dim; k++)
            SFI_TRY(check_named(d, d->index[k]));
    } else {
        for (int64_t j = 0; j < d->cols; j++)
            if (d->columns[j].kind != SF_COLUMN_TEXT &&
                d->summaries[j].missing < d->rows && j != d->weight)
                d->index[d->dim++] = j;
    }
    for (int64_t k = 0; k < d->dim; k++) {
        const int64_t j = d->index[k];
        if (j == d->weight)
            return SFI_FAIL(d->c->ctx, SF_E_ARG,
                            "--weights and --columns name the same column");
        d->used[j] = true;
        d->names[k] = d->columns[j].name;
        d->kinds[k] = d->columns[j].kind;
    }
    for (int64_t j = 0; j < d->cols; j++)
        if (!d->used[j])
            d->dropped[d->dropped_count++] = d->columns[j].name;
    return SF_OK;
}

/* What is left out without being asked for is said. */
static void say_left_out(const fit_data *d)
{
    for (int64_t j = 0; j < d->cols; j++) {
        char shown[SFI_SHOW_SIZE];
        const sf_column *column = &d->columns[j];
        if (d->used[j] || j == d->weight)
            continue;
        sfi_show(shown, column->name, strlen(column->name));
        if (column->kind == SF_COLUMN_TEXT)
            cli_note(d->c, "column \"%s\" is left out: it holds text", shown);
        else
            cli_note(d->c,
                     "column \"%s\" is left out: it is missing in every row",
                     shown);
    }
}

static sf_status check_columns(const fit_data *d)
{
    if (d->dim == 0)
        return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                        "%s: no column holds numbers; want at least one",
                        cli_shown_path(d->path));
    for (int64_t k = 0; k < d->dim; k++) {
        char shown[SFI_SHOW_SIZE];
        const int64_t j = d->index[k];
        const cli_summary *s = &d->summaries[j];
        const char *name = d->columns[j].name;
        const double span = s->most - s->least;
        sfi_show(shown, name, strlen(name));
        if (d->rows - s->missing < 2 || (span > 1e-140 && span < 1e140))
            continue;
        if (span > 0.0)
            return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                            "%s: column \"%s\" goes from %g to %g, whose "
                            "squares are out of range; change its unit",
                            cli_shown_path(d->path), shown, s->least, s->most);
        return SFI_FAIL(d->c->ctx, SF_E_FORMAT,
                        "%s: column \"%s\" is %g in every row; a constant has "
                        "no density, so leave it out with --columns",
                        cli_shown_path(d->path), shown, s->least);
    }
    return SF_OK;
}

/* ---- complete rows -------------------------------------------------------- */

static sf_status take_matrix(fit_data *d)
{
    const bool weighted = d->weight >= 0;
    const int64_t taken = d->dim + weighted;
    double *row = sfi_alloc(d->c->ctx, (size_t)taken, sizeof *row);
    if (row == NULL)
        return SF_E_NOMEM;
    if (weighted) /* not one of the used columns, so there is room */
        d->index[d->dim] = d->weight;
    d->complete = cli_take_complete(d->table.data, d->rows, d->cols, d->index,
                                    taken, d->table.data, row);
    d->matrix = (sf_cmat){d->table.data, d->complete, d->dim, taken};
    sfi_free(d->c->ctx, row, (size_t)taken, sizeof *row);
    return SF_OK;
}

sf_status fit_rewind(fit_data *d)
{
    d->complete = 0;
    return sfi_rows_rewind(d->stream);
}

int64_t fit_stream(void *user, double *block, int64_t capacity)
{
    fit_data *d = user;
    int64_t taken = 0;
    double *row = sfi_alloc(d->c->ctx, (size_t)d->dim, sizeof *row);
    if (row == NULL)
        return -1;
    while (taken == 0) {
        int64_t got = 0;
        const int64_t limit = capacity < FIT_BLOCK ? capacity : FIT_BLOCK;
        if (cli_stop_wanted()) {
            (void)SFI_FAIL(d->c->ctx, SF_E_CANCELLED, "interrupted");
            taken = -1;
        } else if (sfi_rows_next(d->stream, d->block, limit, &got) != SF_OK) {
            taken = -1;
        } else if (got == 0) {
            break;
        } else {
            taken = cli_take_complete(d->block, got, d->cols, d->index, d->dim,
                                      block, row);
        }
    }
    sfi_free(d->c->ctx, row, (size_t)d->dim, sizeof *row);
    d->complete += taken > 0 ? taken : 0;
    return taken;
}

void fit_say_dropped(const fit_data *d)
{
    const int64_t dropped = d->rows - d->complete;
    if (dropped > 0)
        cli_note(d->c,
                 "%lld of %lld rows are dropped: a cell of theirs is missing",
                 (long long)dropped, (long long)d->rows);
}

/* ---- opening -------------------------------------------------------------- */

sf_status fit_data_open(fit_data *d, cli *c, const char *path, const char *list,
                        const char *weights, const sf_checkpoint *resumed,
                        bool streams)
{
    memset(d, 0, sizeof *d);
    d->c = c;
    d->path = path;
    SFI_TRY(streams ? scan_stream(d) : scan_table(d));
    SFI_TRY(find_weights(d, weights));
    SFI_TRY(choose_columns(d, list, resumed));
    cli_show_columns(c, d->columns, d->summaries, d->rows, d->cols, d->used);
    if (list == NULL && resumed == NULL)
        say_left_out(d);
    SFI_TRY(check_columns(d));
    if (streams)
        return SF_OK;
    SFI_TRY(take_matrix(d));
    fit_say_dropped(d);
    if (d->complete == 0)
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: no row has a number in each of the %lld columns; "
                        "choose fewer with --columns",
                        cli_shown_path(d->path), (long long)d->dim);
    return SF_OK;
}

void fit_data_free(fit_data *d)
{
    if (d->c == NULL)
        return;
    sf_context *ctx = d->c->ctx;
    const size_t n = (size_t)d->cols;
    sfi_free(ctx, d->summaries, n, sizeof *d->summaries);
    sfi_free(ctx, d->used, n, sizeof *d->used);
    sfi_free(ctx, d->index, n, sizeof *d->index);
    sfi_free(ctx, d->names, n, sizeof *d->names);
    sfi_free(ctx, d->kinds, n, sizeof *d->kinds);
    sfi_free(ctx, d->dropped, n, sizeof *d->dropped);
    sfi_free(ctx, d->block, (size_t)(FIT_BLOCK * d->cols), sizeof *d->block);
    sfi_rows_close(d->stream);
    sf_table_free(ctx, &d->table);
}
