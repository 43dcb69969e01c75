/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c - the tables that commands read: the columns they mean, of those the
 * complete rows, and what they write of a model's columns. */
#include "cli/cli.h"

#include "base/text.h"
#include "model/model.h"
#include "table/frame.h"

#include <math.h>
#include <string.h>

const char *cli_shown_path(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

sf_status cli_data_error(const cli_data *d, sf_status status)
{
    return sfi_frame_error(d->whole != NULL  ? d->whole
                           : d->some != NULL ? d->some
                                             : d->all,
                           status);
}

sf_status cli_data_read(cli *c, cli_data *d, const char *path,
                        const cli_read *how)
{
    memset(d, 0, sizeof *d);
    d->path = path;
    const cli_read usual = {0};
    const sf_read_options options =
        cli_read_options(how != NULL ? how : &usual);
    SFI_TRY(sf_frame_read(c->ctx, &d->all, path, &options));
    d->rows = sf_frame_rows(d->all);
    return SF_OK;
}

void cli_data_free(cli_data *d)
{
    if (d->own != NULL)
        sfi_free(d->whole->ctx, d->own, (size_t)(d->x.rows * d->x.cols),
                 sizeof *d->own);
    sf_frame_free(d->whole);
    sf_frame_free(d->some);
    sf_frame_free(d->all);
    memset(d, 0, sizeof *d);
}

const char *cli_data_name(const cli_data *d, int64_t k)
{
    return sf_frame_name(d->some, k);
}

/* ---- columns -------------------------------------------------------------- */

static const char *model_column(const void *of, int64_t j)
{
    return sf_model_column(of, j);
}

/* The model whose columns they are; NULL for others. */
static const sf_model *model_of(const cli_named *of)
{
    return of->name == model_column ? of->of : NULL;
}

/* The columns hold numbers, or what `levels`, a model or NULL, has levels of. */
static sf_status check_numbers(cli *c, const cli_data *d, const sf_frame *f,
                               const sf_model *levels)
{
    char shown[SFI_SHOW_SIZE], level[SFI_SHOW_SIZE];
    for (int64_t k = 0; k < sf_frame_cols(f); k++) {
        const char *name = sf_frame_name(f, k);
        if (sf_frame_is_number(f, k) || sf_frame_kind(f, k) == SF_KIND_DATE ||
            (levels != NULL && sf_model_level_count(levels, k) > 0))
            continue;
        const char *first = sf_frame_level(f, k, 0);
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: column \"%s\" holds text (\"%s\", ...), want "
                        "numbers",
                        cli_shown_path(d->path),
                        sfi_show(shown, name, strlen(name)),
                        sfi_show(level, first, strlen(first)));
    }
    return SF_OK;
}

sf_status cli_data_choose(cli *c, cli_data *d, const char *list)
{
    SFI_TRY(list != NULL ? sf_frame_pick(c->ctx, &d->some, d->all, list)
                         : sf_frame_numbers(c->ctx, &d->some, d->all, true));
    SFI_TRY(check_numbers(c, d, d->some, NULL));
    d->dim = sf_frame_cols(d->some);
    return SF_OK;
}

int64_t cli_numbering(const sf_frame *f, int64_t wanted)
{
    double chain = 0.0, draw = -1.0;
    const int64_t rows = sf_frame_rows(f);
    if (rows < 2 || wanted < 1 || sf_frame_cols(f) != wanted + 2)
        return 0;
    for (int64_t i = 0; i < rows; i++) {
        const double now[] = {sf_frame_cell(f, i, 0), sf_frame_cell(f, i, 1)};
        const bool next = now[0] == chain && now[1] == draw + 1.0;
        if (!next && !(i > 0 && now[0] == chain + 1.0 && now[1] == 0.0))
            return 0;
        chain = now[0];
        draw = now[1];
    }
    return 2;
}

/* Names that are wanted and the table lacks, as one text. */
static void list_missing(const cli_named *of, const sf_frame *f, char *text,
                         size_t size)
{
    size_t n = 0;
    text[0] = '\0';
    for (int64_t j = 0; j < of->dim; j++) {
        const char *name = of->name(of->of, j);
        char shown[SFI_SHOW_SIZE];
        if (sf_frame_find(f, name) >= 0)
            continue;
        if (n > size / 2) {
            snprintf(text + n, size - n, ", ...");
            return;
        }
        n += (size_t)snprintf(text + n, size - n, "%s\"%s\"", n > 0 ? ", " : "",
                              sfi_show(shown, name, strlen(name)));
    }
}

static sf_status fail_missing(cli *c, const cli_data *d, const cli_named *of)
{
    char names[400];
    list_missing(of, d->all, names, sizeof names);
    return SFI_FAIL(c->ctx, SF_E_FORMAT,
                    "%s: columns of the %s are missing: %s",
                    cli_shown_path(d->path), of->noun, names);
}

/* Where the table has the columns that are wanted, index [dim]. */
static sf_status find_columns(cli *c, const cli_data *d, const cli_named *of,
                              int64_t *index)
{
    const int64_t cols = sf_frame_cols(d->all);
    int64_t found = 0;
    for (; found < of->dim; found++) {
        index[found] = sf_frame_find(d->all, of->name(of->of, found));
        if (index[found] < 0)
            break;
    }
    /* Without names these are the numbers of columns, by which a model of some
     * columns finds them; one of all, or of a table with names, goes by their
     * order. */
    const int64_t skipped = cli_numbering(d->all, of->dim);
    if (!sf_frame_has_names(d->all) &&
        (found < of->dim || cols == of->dim + skipped)) {
        if (cols != of->dim + skipped)
            return SFI_FAIL(c->ctx, SF_E_FORMAT,
                            "%s: has %lld column(s), and the %s has %lld; "
                            "without names they are matched by their order",
                            cli_shown_path(d->path), (long long)cols, of->noun,
                            (long long)of->dim);
        for (int64_t j = 0; j < of->dim; j++)
            index[j] = skipped + j;
        return SF_OK;
    }
    return found < of->dim ? fail_missing(c, d, of) : SF_OK;
}

/* The columns by their numbers, of any kinds. */
static sf_status take_columns(cli *c, cli_data *d, const int64_t *index,
                              int64_t count)
{
    sf_frame_free(d->some);
    d->some = NULL;
    SFI_TRY(sf_frame_select(c->ctx, &d->some, d->all, index, count));
    d->dim = count;
    return SF_OK;
}

sf_status cli_data_select(cli *c, cli_data *d, const int64_t *index,
                          int64_t count)
{
    SFI_TRY(take_columns(c, d, index, count));
    return check_numbers(c, d, d->some, NULL);
}

sf_status cli_data_find(cli *c, cli_data *d, const cli_named *of)
{
    const size_t dim = (size_t)of->dim;
    /* Names that come from elsewhere may be more than there are columns. */
    if (of->dim > sf_frame_cols(d->all) && sf_frame_has_names(d->all))
        return fail_missing(c, d, of);
    int64_t *index = sfi_alloc(c->ctx, dim, sizeof *index);
    if (index == NULL)
        return SF_E_NOMEM;
    sf_status status = find_columns(c, d, of, index);
    if (status == SF_OK)
        status = take_columns(c, d, index, of->dim);
    sfi_free(c->ctx, index, dim, sizeof *index);
    return status;
}

sf_status cli_data_match(cli *c, cli_data *d, const cli_named *of)
{
    SFI_TRY(cli_data_find(c, d, of));
    return check_numbers(c, d, d->some, model_of(of));
}

/* ---- rows ----------------------------------------------------------------- */

sf_status cli_data_take(cli *c, cli_data *d)
{
    SFI_TRY(sf_frame_complete(c->ctx, &d->whole, d->some));
    SFI_TRY(sf_frame_matrix(c->ctx, d->whole, &d->x));
    if (d->x.rows < d->rows)
        cli_note(c,
                 "%s: %lld of %lld rows are dropped: a cell of theirs is "
                 "missing",
                 cli_shown_path(d->path), (long long)(d->rows - d->x.rows),
                 (long long)d->rows);
    return SF_OK;
}

/* Numbers of the rows that have a cell, into map; cells of these that are missing are
 * counted.  Returns how many rows that are. */
static int64_t find_any(const sf_frame *f, int64_t *map, int64_t *missing)
{
    int64_t count = 0;
    *missing = 0;
    for (int64_t i = 0; i < sf_frame_rows(f); i++) {
        int64_t lacks = 0;
        for (int64_t j = 0; j < sf_frame_cols(f); j++)
            lacks += isnan(sf_frame_cell(f, i, j));
        if (lacks == sf_frame_cols(f))
            continue;
        *missing += lacks;
        map[count++] = i;
    }
    return count;
}

sf_status cli_data_take_any(cli *c, cli_data *d, int64_t *missing)
{
    const size_t n = (size_t)d->rows;
    int64_t *map = sfi_alloc(c->ctx, n, sizeof *map);
    if (map == NULL)
        return SF_E_NOMEM;
    const int64_t count = find_any(d->some, map, missing);
    sf_status status =
        count > 0 ? sfi_frame_view(c->ctx, &d->whole, d->some, NULL, d->dim,
                                   count < d->rows ? map : NULL, count)
                  : SFI_FAIL(c->ctx, SF_E_FORMAT,
                             "%s: no row has a number in any of the %lld "
                             "columns",
                             cli_shown_path(d->path), (long long)d->dim);
    sfi_free(c->ctx, map, n, sizeof *map);
    if (status == SF_OK)
        status = sf_frame_matrix(c->ctx, d->whole, &d->x);
    if (status == SF_OK && count < d->rows)
        cli_note(c, "%s: %lld of %lld rows have none of the columns",
                 cli_shown_path(d->path), (long long)(d->rows - count),
                 (long long)d->rows);
    return status;
}

sf_status cli_data_levels(cli *c, cli_data *d, const cli_named *of)
{
    const sf_model *model = model_of(of);
    bool any = false;
    for (int64_t j = 0; j < d->dim && model != NULL; j++)
        any |= sf_model_level_count(model, j) > 0;
    if (!any)
        return SF_OK;
    const sf_cmat from = d->x;
    d->own = sfi_alloc(c->ctx, (size_t)(from.rows * from.cols), sizeof *d->own);
    if (d->own == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < from.rows; i++)
        memcpy(d->own + i * from.cols, from.data + i * from.stride,
               (size_t)from.cols * sizeof *d->own);
    d->x = (sf_cmat){d->own, from.rows, from.cols, from.cols};
    return sf_model_match_levels(
        model, d->whole, (sf_mat){d->own, from.rows, from.cols, from.cols});
}

sf_status cli_data_locate(cli *c, cli_data *d, const char *path,
                          const cli_read *how, const cli_named *of)
{
    SFI_TRY(cli_data_read(c, d, path, how));
    SFI_TRY(cli_data_match(c, d, of));
    const int64_t others = sf_frame_cols(d->all) - d->dim;
    if (others > 0 && sf_frame_has_names(d->all))
        cli_note(c, "%s: %lld column%s that the %s does not have %s ignored",
                 cli_shown_path(path), (long long)others,
                 others == 1 ? "" : "s", of->noun, others == 1 ? "is" : "are");
    return SF_OK;
}

sf_status cli_data_points(cli *c, cli_data *d, const char *path,
                          const cli_read *how, const cli_named *of)
{
    SFI_TRY(cli_data_locate(c, d, path, how, of));
    SFI_TRY(cli_data_take(c, d));
    return cli_data_levels(c, d, of);
}

cli_named cli_model_columns(const sf_model *model)
{
    return (cli_named){"model", sf_model_dim(model), model_column, model};
}

sf_status cli_read_points(cli *c, const sf_model *model, const char *path,
                          const cli_read *how, cli_data *d)
{
    const cli_named of = cli_model_columns(model);
    SFI_TRY(cli_data_points(c, d, path, how, &of));
    return cli_data_error(d, sfi_check_support(model, d->x, "points"));
}

void cli_scatter(const cli_data *d, sf_cmat from, sf_table *to, int64_t at)
{
    for (int64_t i = 0; i < from.rows; i++)
        memcpy(to->data + sf_frame_row(d->whole, i) * to->cols + at,
               from.data + i * from.stride,
               (size_t)from.cols * sizeof *from.data);
}

void cli_clear(sf_table *table)
{
    for (int64_t i = 0; i < table->rows * table->cols; i++)
        table->data[i] = (double)NAN;
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
