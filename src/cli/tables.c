/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c - some columns of a table, and of those the complete rows.
 *
 * Cells move to the front of the table's own memory: row r of what is used
 * never lies behind row r of what was read. */
#include "cli/cli.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

const char *cli_shown_path(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

int64_t cli_take_complete(const double *cells, int64_t count, int64_t cols,
                          const int64_t *index, int64_t dim, double *to,
                          double *row)
{
    int64_t taken = 0;
    for (int64_t i = 0; i < count; i++) {
        const double *from = cells + i * cols;
        bool complete = true;
        for (int64_t k = 0; k < dim; k++) {
            row[k] = from[index[k]];
            complete = complete && !isnan(row[k]);
        }
        if (complete)
            memcpy(to + taken++ * dim, row, (size_t)dim * sizeof *row);
    }
    return taken;
}

sf_status cli_data_read(cli *c, cli_data *d, const char *path)
{
    memset(d, 0, sizeof *d);
    d->path = path;
    SFI_TRY(sf_table_read(c->ctx, &d->table, path));
    d->rows = d->table.rows;
    d->index = sfi_alloc_zero(c->ctx, (size_t)d->table.cols, sizeof *d->index);
    return d->index != NULL ? SF_OK : SF_E_NOMEM;
}

void cli_data_free(cli *c, cli_data *d)
{
    sfi_free(c->ctx, d->index, (size_t)d->table.cols, sizeof *d->index);
    sf_table_free(c->ctx, &d->table);
    memset(d, 0, sizeof *d);
}

const char *cli_data_name(const cli_data *d, int64_t k)
{
    return d->table.columns[d->index[k]].name;
}

static sf_status check_numbers(cli *c, const cli_data *d, int64_t k)
{
    char shown[SFI_SHOW_SIZE];
    const sf_column *column = &d->table.columns[d->index[k]];
    if (column->kind != SF_COLUMN_TEXT)
        return SF_OK;
    return SFI_FAIL(c->ctx, SF_E_FORMAT,
                    "%s: column \"%s\" holds text, want numbers",
                    cli_shown_path(d->path),
                    sfi_show(shown, column->name, strlen(column->name)));
}

sf_status cli_data_choose(cli *c, cli_data *d, const char *list)
{
    d->dim = 0;
    if (list != NULL)
        SFI_TRY(cli_pick_columns(c, list, d->table.columns, d->table.cols,
                                 "--columns", d->index, &d->dim));
    for (int64_t k = 0; k < d->dim; k++)
        SFI_TRY(check_numbers(c, d, k));
    for (int64_t j = 0; j < d->table.cols && list == NULL; j++)
        if (d->table.columns[j].kind != SF_COLUMN_TEXT &&
            d->table.columns[j].missing < d->rows)
            d->index[d->dim++] = j;
    if (d->dim == 0)
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: no column holds numbers; want at least one",
                        cli_shown_path(d->path));
    return SF_OK;
}

int64_t cli_numbering(const sf_table *t, int64_t wanted)
{
    double chain = 0.0, draw = -1.0;
    if (t->rows < 2 || wanted < 1 || t->cols != wanted + 2)
        return 0;
    for (int64_t i = 0; i < t->rows; i++) {
        const double *row = t->data + i * t->cols;
        const bool next = row[0] == chain && row[1] == draw + 1.0;
        if (!next && !(i > 0 && row[0] == chain + 1.0 && row[1] == 0.0))
            return 0;
        chain = row[0];
        draw = row[1];
    }
    return 2;
}

sf_status cli_data_match(cli *c, cli_data *d, int64_t count,
                         const char *(*name)(const void *user, int64_t k),
                         const void *user)
{
    const bool has_names = !cli_has_extension(d->path, ".npy");
    const int64_t skipped = has_names ? 0 : cli_numbering(&d->table, count);
    if (!has_names && count + skipped != d->table.cols)
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: has %lld column(s), want %lld",
                        cli_shown_path(d->path), (long long)d->table.cols,
                        (long long)count);
    for (d->dim = 0; d->dim < count; d->dim++) {
        const int64_t k = d->dim;
        if (!has_names) {
            d->index[k] = skipped + k;
            continue;
        }
        /* Names that are found differ, so there are no more than columns; but
         * they come from elsewhere. */
        if (k == d->table.cols)
            return SFI_FAIL(c->ctx, SF_E_FORMAT, "%s: has too few columns",
                            cli_shown_path(d->path));
        sf_status status =
            cli_find_column(c, name(user, k), d->table.columns, d->table.cols,
                            cli_shown_path(d->path), &d->index[k]);
        if (status != SF_OK)
            return status == SF_E_ARG ? SF_E_FORMAT : status;
        SFI_TRY(check_numbers(c, d, k));
    }
    return SF_OK;
}

sf_status cli_data_take(cli *c, cli_data *d)
{
    double *row = sfi_alloc(c->ctx, (size_t)d->dim, sizeof *row);
    if (row == NULL)
        return SF_E_NOMEM;
    const int64_t n = cli_take_complete(d->table.data, d->rows, d->table.cols,
                                        d->index, d->dim, d->table.data, row);
    sfi_free(c->ctx, row, (size_t)d->dim, sizeof *row);
    d->x = (sf_cmat){d->table.data, n, d->dim, d->dim};
    if (n < d->rows)
        cli_note(c,
                 "%s: %lld of %lld rows are dropped: a cell of theirs is "
                 "missing",
                 cli_shown_path(d->path), (long long)(d->rows - n),
                 (long long)d->rows);
    if (n == 0)
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: no row has a number in each of the %lld columns; "
                        "choose fewer with --columns",
                        cli_shown_path(d->path), (long long)d->dim);
    return SF_OK;
}

sf_status cli_model_table(cli *c, const sf_model *model, int64_t rows,
                          sf_table *table)
{
    const int64_t d = sf_model_dim(model);
    const char **names = sfi_alloc(c->ctx, (size_t)d, sizeof *names);
    if (names == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < d; j++)
        names[j] = sf_model_column(model, j);
    const sf_status status = sf_table_new(c->ctx, table, rows, d, names);
    sfi_free(c->ctx, names, (size_t)d, sizeof *names);
    return status;
}
