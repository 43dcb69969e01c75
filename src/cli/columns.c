/* SPDX-License-Identifier: Apache-2.0 */
/* columns.c - the columns of a table: what they hold, which are meant. */
#include "cli/cli.h"

#include "base/text.h"
#include "model/model.h"
#include "num/decimal.h"

#include <math.h>
#include <string.h>

const char *cli_kind_name(sf_column_kind kind)
{
    switch (kind) {
    case SF_COLUMN_REAL:
        return "real";
    case SF_COLUMN_INTEGER:
        return "integer";
    case SF_COLUMN_TEXT:
        break;
    }
    return "text";
}

/* ---- summaries ------------------------------------------------------------ */

void cli_summarise(cli_summary *summaries, int64_t before, int64_t count,
                   int64_t cols, const double *cells)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < cols; j++) {
            cli_summary *s = &summaries[j];
            const double x = cells[i * cols + j];
            if (isnan(x)) {
                s->missing++;
                continue;
            }
            const int64_t present = before + i + 1 - s->missing;
            if (present == 1) {
                *s = (cli_summary){s->missing, x, x, x};
                continue;
            }
            s->least = fmin(s->least, x);
            s->most = fmax(s->most, x);
            s->mean += (x - s->mean) / (double)present;
        }
}

enum { NAME_WIDTH = 24 };

/* A name for a table of fixed width: what is too long loses its end. */
static void print_name(FILE *to, const char *name, int width)
{
    char shown[SFI_SHOW_SIZE];
    sfi_show(shown, name, strlen(name));
    int n = cli_width(shown);
    if (n <= width) {
        fprintf(to, "%s%*s", shown, width - n, "");
        return;
    }
    char *end = shown;
    for (n = 0; n < width - 3 || ((unsigned char)*end & 0xc0) == 0x80; end++)
        n += ((unsigned char)*end & 0xc0) != 0x80;
    fprintf(to, "%.*s%*s", (int)(end - shown), shown, 3 + width - 3 - n, "...");
}

static int name_width(const sf_column *columns, int64_t cols)
{
    int width = 6;
    for (int64_t j = 0; j < cols; j++) {
        char shown[SFI_SHOW_SIZE];
        const int n = cli_width(
            sfi_show(shown, columns[j].name, strlen(columns[j].name)));
        width = n > width ? n : width;
    }
    return width < NAME_WIDTH ? width : NAME_WIDTH;
}

void cli_show_columns(const cli *c, const sf_column *columns,
                      const cli_summary *summaries, int64_t rows, int64_t cols,
                      const bool *used)
{
    if (c->common.quiet)
        return;
    const int width = name_width(columns, cols);
    fprintf(stderr, "%-*s  kind     %9s %8s %10s %10s %10s\n", width, "column",
            "rows", "missing", "min", "mean", "max");
    for (int64_t j = 0; j < cols; j++) {
        const cli_summary *s = &summaries[j];
        print_name(stderr, columns[j].name, width);
        fprintf(stderr, "  %-8s %9lld %8lld", cli_kind_name(columns[j].kind),
                (long long)(rows - s->missing), (long long)s->missing);
        if (columns[j].kind == SF_COLUMN_TEXT)
            fprintf(stderr, " %10s %10s %10s", "", "", "");
        else if (s->missing == rows)
            fprintf(stderr, " %10s %10s %10s", "-", "-", "-");
        else
            fprintf(stderr, " %10.5g %10.5g %10.5g", s->least, s->mean,
                    s->most);
        fprintf(stderr, "%s\n", used[j] ? "" : "  left out");
    }
}

/* ---- lists of names ------------------------------------------------------- */

typedef struct column_list {
    const sf_column *columns;
    int64_t count;
} column_list;

static const char *column_name(const void *user, int i)
{
    const column_list *list = user;
    return i < list->count ? list->columns[i].name : NULL;
}

sf_status cli_find_column(cli *c, const char *name, const sf_column *columns,
                          int64_t cols, const char *where, int64_t *found)
{
    const column_list all = {columns, cols}, *list = &all;
    for (int64_t j = 0; j < list->count; j++)
        if (strcmp(list->columns[j].name, name) == 0) {
            *found = j;
            return SF_OK;
        }
    char shown[SFI_SHOW_SIZE], other[SFI_SHOW_SIZE];
    const char *nearest = cli_nearest(name, column_name, list);
    sfi_show(shown, name, strlen(name));
    if (nearest != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "%s: there is no column \"%s\"; did you mean \"%s\"?",
                        where, shown,
                        sfi_show(other, nearest, strlen(nearest)));
    const char *first = list->columns[0].name;
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "%s: there is no column \"%s\" among the %lld, which begin "
                    "with \"%s\"",
                    where, shown, (long long)list->count,
                    sfi_show(other, first, strlen(first)));
}

/* Copy the first name of a list to `name` [size] without its quotes; returns
 * where the list goes on, NULL if it is malformed. */
static const char *take_name(const char *list, char *name, size_t size)
{
    const bool is_quoted = *list == '"';
    size_t n = 0;
    list += is_quoted;
    for (; *list != '\0' && n + 1 < size; list++) {
        if (is_quoted && *list == '"' && list[1] == '"')
            list++;
        else if (*list == (is_quoted ? '"' : ','))
            break;
        name[n++] = *list;
    }
    name[n] = '\0';
    if (is_quoted && *list++ != '"')
        return NULL;
    return *list == ',' || *list == '\0' ? list : NULL;
}

static sf_status pick(cli *c, const char *list, const column_list *all,
                      const char *where, int64_t *index, int64_t *count,
                      char *name, size_t size)
{
    *count = 0;
    for (;;) {
        list = take_name(list, name, size);
        if (list == NULL || name[0] == '\0')
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "%s: want names of columns with commas between "
                            "them, e.g. a,\"b, c\"",
                            where);
        int64_t found = 0;
        SFI_TRY(
            cli_find_column(c, name, all->columns, all->count, where, &found));
        for (int64_t i = 0; i < *count; i++)
            if (index[i] == found) {
                char shown[SFI_SHOW_SIZE];
                return SFI_FAIL(c->ctx, SF_E_ARG,
                                "%s: column \"%s\" is named twice", where,
                                sfi_show(shown, name, strlen(name)));
            }
        index[(*count)++] = found;
        if (*list == '\0')
            return SF_OK;
        list++;
    }
}

sf_status cli_pick_columns(cli *c, const char *list, const sf_column *columns,
                           int64_t cols, const char *where, int64_t *index,
                           int64_t *count)
{
    const column_list all = {columns, cols};
    const size_t size = strlen(list) + 1;
    char *name = sfi_alloc(c->ctx, size, 1);
    if (name == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        pick(c, list, &all, where, index, count, name, size);
    sfi_free(c->ctx, name, size, 1);
    return status;
}

/* ---- the columns of a model ----------------------------------------------- */

/* Names that the model wants and the table lacks, as one text. */
static void list_missing(const cli_named *of, const sf_table *table, char *text,
                         size_t size)
{
    size_t n = 0;
    text[0] = '\0';
    for (int64_t j = 0; j < of->dim; j++) {
        const char *name = of->name(of->of, j);
        char shown[SFI_SHOW_SIZE];
        bool found = false;
        for (int64_t k = 0; k < table->cols && !found; k++)
            found = strcmp(table->columns[k].name, name) == 0;
        if (found)
            continue;
        if (n > size / 2) {
            snprintf(text + n, size - n, ", ...");
            return;
        }
        n += (size_t)snprintf(text + n, size - n, "%s\"%s\"", n > 0 ? ", " : "",
                              sfi_show(shown, name, strlen(name)));
    }
}

/* index[j] is where the table has the model's column j. */
static sf_status match_columns(cli *c, const cli_named *of, const char *path,
                               const sf_table *table, int64_t *index)
{
    const int64_t d = of->dim;
    if (cli_has_extension(path, ".npy")) {
        const int64_t skipped = cli_numbering(table, d);
        if (table->cols != d + skipped)
            return SFI_FAIL(c->ctx, SF_E_FORMAT,
                            "%s: has %lld column(s), and the %s has %lld; "
                            "without names they are matched by their order",
                            path, (long long)table->cols, of->noun,
                            (long long)d);
        for (int64_t j = 0; j < d; j++)
            index[j] = skipped + j;
        return SF_OK;
    }
    int64_t found = 0;
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k < table->cols; k++)
            if (strcmp(table->columns[k].name, of->name(of->of, j)) == 0) {
                index[j] = k;
                found++;
                break;
            }
    if (found < d || d > table->cols) {
        char names[400];
        list_missing(of, table, names, sizeof names);
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: columns of the %s are missing: %s",
                        cli_shown_path(path), of->noun, names);
    }
    if (table->cols > d)
        cli_note(c, "%s: %lld column%s that the %s does not have %s ignored",
                 cli_shown_path(path), (long long)(table->cols - d),
                 table->cols - d == 1 ? "" : "s", of->noun,
                 table->cols - d == 1 ? "is" : "are");
    return SF_OK;
}

/* Check the cells of a row and move them to the front of all cells. */
static sf_status take_row(cli *c, const sf_table *table, int64_t row,
                          const int64_t *index, int64_t d, double *cells)
{
    const double *from = table->data + row * table->cols;
    for (int64_t j = 0; j < d; j++) {
        cells[j] = from[index[j]];
        if (isnan(cells[j])) {
            char place[SFI_PLACE_SIZE];
            return SFI_FAIL(c->ctx, SF_E_FORMAT,
                            "%s: the cell is missing, and every one is wanted",
                            sfi_table_place(table, row, index[j], place));
        }
    }
    return SF_OK;
}

static sf_status take_points(cli *c, const cli_named *of, const char *path,
                             sf_table *table, int64_t *index, double *row,
                             sf_cmat *x)
{
    const int64_t d = of->dim;
    SFI_TRY(match_columns(c, of, path, table, index));
    for (int64_t j = 0; j < d; j++)
        if (table->columns[index[j]].kind == SF_COLUMN_TEXT) {
            char place[SFI_PLACE_SIZE];
            return SFI_FAIL(c->ctx, SF_E_FORMAT,
                            "%s: holds text, and the %s wants a number",
                            sfi_table_place(table, 0, index[j], place),
                            of->noun);
        }
    for (int64_t i = 0; i < table->rows; i++) {
        SFI_TRY(take_row(c, table, i, index, d, row));
        memcpy(table->data + i * d, row, (size_t)d * sizeof *row);
    }
    *x = (sf_cmat){table->data, table->rows, d, d};
    return SF_OK;
}

sf_status cli_read_named(cli *c, const cli_named *of, const char *path,
                         sf_table *table, sf_cmat *x)
{
    const size_t d = (size_t)of->dim;
    SFI_TRY(sf_table_read(c->ctx, table, path));
    int64_t *index = sfi_alloc_zero(c->ctx, d, sizeof *index);
    double *row = sfi_alloc(c->ctx, d, sizeof *row);
    sf_status status = SF_E_NOMEM;
    if (index != NULL && row != NULL)
        status = take_points(c, of, path, table, index, row, x);
    sfi_free(c->ctx, row, d, sizeof *row);
    sfi_free(c->ctx, index, d, sizeof *index);
    if (status != SF_OK)
        sf_table_free(c->ctx, table);
    return status;
}

static const char *model_column(const void *of, int64_t j)
{
    return sf_model_column(of, j);
}

sf_status cli_read_points(cli *c, const sf_model *model, const char *path,
                          sf_table *table, sf_cmat *x)
{
    const cli_named of = {"model", sf_model_dim(model), model_column, model};
    SFI_TRY(cli_read_named(c, &of, path, table, x));
    const sf_status status =
        cli_data_error(c, sfi_check_support(model, *x, "points"), path);
    if (status != SF_OK)
        sf_table_free(c->ctx, table);
    return status;
}
