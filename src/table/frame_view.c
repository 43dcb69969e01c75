/* SPDX-License-Identifier: Apache-2.0 */
/* frame_view.c - some columns and some rows of a frame, and all its cells as a
 * matrix.
 *
 * A view is two lists of numbers, of columns and of rows, so that whatever was left
 * out, a row still knows where in the file it was. */
#include "table/frame.h"

#include "base/random.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- columns -------------------------------------------------------------- */

sf_status sf_frame_select(sf_context *ctx, sf_frame **out, const sf_frame *f,
                          const int64_t *index, int64_t count)
{
    *out = NULL;
    bool *seen = sfi_alloc_zero(ctx, (size_t)f->cols, sizeof *seen);
    if (seen == NULL)
        return SF_E_NOMEM;
    sf_status status =
        count >= 1 ? SF_OK
                   : SFI_FAIL(ctx, SF_E_ARG, "frame: no column is selected");
    for (int64_t k = 0; k < count && status == SF_OK; k++) {
        const bool there = index[k] >= 0 && index[k] < f->cols;
        if (!there || seen[index[k]])
            status = SFI_FAIL(ctx, SF_E_ARG, "frame: column %lld of %lld %s",
                              (long long)index[k], (long long)f->cols,
                              there ? "is selected twice" : "is not there");
        else
            seen[index[k]] = true;
    }
    if (status == SF_OK)
        status = sfi_frame_view(ctx, out, f, index, count, NULL, f->rows);
    sfi_free(ctx, seen, (size_t)f->cols, sizeof *seen);
    return status;
}

static const char *name_at(const void *user, int i)
{
    const sf_frame *f = user;
    return i < f->cols ? sf_frame_name(f, i) : NULL;
}

sf_status sfi_frame_find_column(sf_context *ctx, const sf_frame *f,
                                const char *name, const char *where,
                                int64_t *found)
{
    char shown[SFI_SHOW_SIZE], other[SFI_SHOW_SIZE];
    *found = sf_frame_find(f, name);
    if (*found >= 0)
        return SF_OK;
    const char *nearest = sfi_nearest_word(name, name_at, f);
    sfi_show(shown, name, strlen(name));
    if (nearest != NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: there is no column \"%s\"; did you mean \"%s\"?",
                        where, shown,
                        sfi_show(other, nearest, strlen(nearest)));
    const char *first = sf_frame_name(f, 0);
    return SFI_FAIL(ctx, SF_E_ARG,
                    "%s: there is no column \"%s\" among the %lld, which begin "
                    "with \"%s\"",
                    where, shown, (long long)f->cols,
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

static sf_status pick(sf_context *ctx, const sf_frame *f, const char *list,
                      int64_t *index, int64_t *count, char *name, size_t size)
{
    static const char where[] = "--columns";
    *count = 0;
    for (;;) {
        list = take_name(list, name, size);
        if (list == NULL || name[0] == '\0')
            return SFI_FAIL(ctx, SF_E_ARG,
                            "%s: want names of columns with commas between "
                            "them, e.g. a,\"b, c\"",
                            where);
        int64_t found = 0;
        SFI_TRY(sfi_frame_find_column(ctx, f, name, where, &found));
        for (int64_t i = 0; i < *count; i++)
            if (index[i] == found) {
                char shown[SFI_SHOW_SIZE];
                return SFI_FAIL(ctx, SF_E_ARG,
                                "%s: column \"%s\" is named twice", where,
                                sfi_show(shown, name, strlen(name)));
            }
        index[(*count)++] = found;
        if (*list == '\0')
            return SF_OK;
        list++;
    }
}

sf_status sf_frame_pick(sf_context *ctx, sf_frame **out, const sf_frame *f,
                        const char *list)
{
    const size_t size = strlen(list) + 1;
    int64_t count = 0;
    *out = NULL;
    char *name = sfi_alloc(ctx, size, 1);
    int64_t *index = sfi_alloc(ctx, (size_t)f->cols, sizeof *index);
    sf_status status = SF_E_NOMEM;
    if (name != NULL && index != NULL)
        status = pick(ctx, f, list, index, &count, name, size);
    if (status == SF_OK)
        status = sfi_frame_view(ctx, out, f, index, count, NULL, f->rows);
    sfi_free(ctx, index, (size_t)f->cols, sizeof *index);
    sfi_free(ctx, name, size, 1);
    return status;
}

const char *sf_frame_left_out(const sf_frame *f, int64_t col, bool constants)
{
    sf_frame_summary sum = SF_FRAME_SUMMARY_INIT;
    if (sf_frame_kind(f, col) == SF_KIND_KEY)
        return sf_frame_level_count(f, col) > 0 ? "it names the rows"
                                                : "it numbers the rows";
    if (sf_frame_kind(f, col) == SF_KIND_DATE)
        return "it holds dates";
    if (!sf_frame_is_number(f, col))
        return sf_frame_kind(f, col) == SF_KIND_CONSTANT
                   ? "it is the same text in every row"
                   : "it holds text";
    (void)sf_frame_summarise(f->ctx, &sum, f, col);
    if (sum.present == 0)
        return "it is missing in every row";
    return sum.present > 1 && sum.min == sum.max && !constants
               ? "it is the same number in every row"
               : NULL;
}

/* No column is left; say why the last one is not that might have been. */
static sf_status fail_none(sf_context *ctx, const sf_frame *f, bool constants)
{
    char shown[SFI_SHOW_SIZE];
    const char *file = f->store->name != NULL ? f->store->name : "frame";
    int64_t j = f->cols - 1;
    while (j >= 0 &&
           (!sf_frame_is_number(f, j) || sf_frame_left_out(f, j, true) != NULL))
        j--;
    if (j < 0 || constants)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: no column holds numbers; want at least one", file);
    sf_frame_summary sum = SF_FRAME_SUMMARY_INIT;
    SFI_TRY(sf_frame_summarise(ctx, &sum, f, j));
    const char *name = sf_frame_name(f, j);
    return SFI_FAIL(ctx, SF_E_FORMAT,
                    "%s: column \"%s\" is %g in every row, and no other "
                    "column holds numbers; a constant has no density",
                    file, sfi_show(shown, name, strlen(name)), sum.min);
}

sf_status sf_frame_numbers(sf_context *ctx, sf_frame **out, const sf_frame *f,
                           bool constants)
{
    int64_t count = 0;
    *out = NULL;
    int64_t *index = sfi_alloc(ctx, (size_t)f->cols, sizeof *index);
    if (index == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < f->cols; j++)
        if (sf_frame_left_out(f, j, constants) == NULL)
            index[count++] = j;
    const sf_status status =
        count > 0 ? sfi_frame_view(ctx, out, f, index, count, NULL, f->rows)
                  : fail_none(ctx, f, constants);
    sfi_free(ctx, index, (size_t)f->cols, sizeof *index);
    return status;
}

/* ---- rows ----------------------------------------------------------------- */

/* Cells that are there, of the first `cols` columns. */
static int64_t count_cells(const sf_frame *f, int64_t row, int64_t cols)
{
    int64_t count = 0;
    for (int64_t j = 0; j < cols; j++)
        count += !isnan(sfi_store_cell(f->store, row, f->index[j]));
    return count;
}

/* Rows with `least` cells of the first `cols` columns; *out is NULL where there is
 * none. */
static sf_status keep_rows(sf_context *ctx, sf_frame **out, const sf_frame *f,
                           int64_t cols, int64_t least)
{
    int64_t count = 0;
    int64_t *rows = sfi_alloc(ctx, (size_t)f->rows, sizeof *rows);
    if (rows == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < f->rows; i++)
        if (count_cells(f, sf_frame_row(f, i), cols) >= least)
            rows[count++] = i;
    const sf_status status =
        count == 0 ? SF_OK
                   : sfi_frame_view(ctx, out, f, NULL, f->cols,
                                    count < f->rows ? rows : NULL, count);
    sfi_free(ctx, rows, (size_t)f->rows, sizeof *rows);
    return status;
}

static const char *name_of(const sf_frame *f)
{
    return f->store->name != NULL ? f->store->name : "frame";
}

sf_status sf_frame_complete(sf_context *ctx, sf_frame **out, const sf_frame *f)
{
    *out = NULL;
    SFI_TRY(sfi_frame_need_cells(ctx, f, "complete rows"));
    SFI_TRY(keep_rows(ctx, out, f, f->cols, f->cols));
    return *out != NULL
               ? SF_OK
               : SFI_FAIL(ctx, SF_E_FORMAT,
                          "%s: no row has a number in each of the %lld "
                          "columns; choose fewer with --columns",
                          name_of(f), (long long)f->cols);
}

sf_status sf_frame_with_cells(sf_context *ctx, sf_frame **out,
                              const sf_frame *f, int64_t cols)
{
    *out = NULL;
    if (cols < 1 || cols > f->cols)
        return SFI_FAIL(ctx, SF_E_ARG, "frame: cols is %lld, want 1 to %lld",
                        (long long)cols, (long long)f->cols);
    SFI_TRY(sfi_frame_need_cells(ctx, f, "rows with cells"));
    SFI_TRY(keep_rows(ctx, out, f, cols, 1));
    return *out != NULL ? SF_OK
                        : SFI_FAIL(ctx, SF_E_FORMAT,
                                   "%s: no row has a cell of the %lld columns",
                                   name_of(f), (long long)cols);
}

/* index[0..n-1], shuffled, is put in the order of rows on both sides of `count`. */
static void sort_parts(int64_t *index, int64_t n, int64_t count, bool *first)
{
    for (int64_t i = 0; i < n; i++)
        first[index[i]] = i < count;
    int64_t at[2] = {count, 0};
    for (int64_t i = 0; i < n; i++)
        index[at[first[i]]++] = i;
}

sf_status sf_frame_split(sf_context *ctx, sf_frame **part, sf_frame **others,
                         const sf_frame *f, double fraction, uint64_t seed)
{
    const int64_t n = f->rows;
    *part = *others = NULL;
    if (!(fraction >= 0.0 && fraction <= 1.0))
        return SFI_FAIL(ctx, SF_E_ARG, "split: the fraction is %g, want 0 to 1",
                        fraction);
    SFI_TRY(sfi_frame_need_cells(ctx, f, "splitting"));
    int64_t *index = sfi_alloc(ctx, (size_t)n, sizeof *index);
    bool *first = sfi_alloc(ctx, (size_t)n, sizeof *first);
    sf_status status = SF_E_NOMEM;
    if (index != NULL && first != NULL) {
        const int64_t count = (int64_t)floor(fraction * (double)n + 0.5);
        for (int64_t i = 0; i < n; i++)
            index[i] = i;
        sfi_shuffle(seed, 0, index, n);
        sort_parts(index, n, count, first);
        status = sfi_frame_view(ctx, part, f, NULL, f->cols, index, count);
        if (status == SF_OK)
            status = sfi_frame_view(ctx, others, f, NULL, f->cols,
                                    index + count, n - count);
    }
    if (status != SF_OK) {
        sf_frame_free(*part);
        *part = NULL;
    }
    sfi_free(ctx, first, (size_t)n, sizeof *first);
    sfi_free(ctx, index, (size_t)n, sizeof *index);
    return status;
}

/* ---- all cells ------------------------------------------------------------ */

/* The cells as they lie, if that is a matrix of doubles; data NULL if not. */
static sf_cmat as_it_lies(const sf_frame *f)
{
    const sf_cmat none = {NULL, f->rows, f->cols, f->cols};
    const sfi_frame_cells *cells = f->store->cells;
    const sfi_frame_cells *first = &cells[f->index[0]];
    const int64_t size = (int64_t)sizeof(double);
    for (int64_t j = 0; j < f->cols; j++) {
        const sfi_frame_cells *c = &cells[f->index[j]];
        if (c->type != SF_CELL_F64 || c->validity != NULL ||
            c->stride != first->stride || c->data != first->data + j * size)
            return none;
    }
    if (f->map != NULL || first->stride < f->cols * size ||
        first->stride % size != 0 || (uintptr_t)first->data % sizeof(double))
        return none;
    return (sf_cmat){(const double *)(const void *)first->data, f->rows,
                     f->cols, first->stride / size};
}

sf_status sf_frame_matrix(sf_context *ctx, sf_frame *f, sf_cmat *out)
{
    SFI_TRY(sfi_frame_need_cells(ctx, f, "a matrix"));
    *out = as_it_lies(f);
    if (out->data != NULL)
        return SF_OK;
    if (f->matrix == NULL) {
        double *to = sfi_alloc(f->ctx, (size_t)(f->rows * f->cols), sizeof *to);
        if (to == NULL)
            return SF_E_NOMEM;
        f->matrix = to;
        for (int64_t i = 0; i < f->rows; i++)
            for (int64_t j = 0; j < f->cols; j++)
                *to++ = sf_frame_cell(f, i, j);
    }
    out->data = f->matrix;
    return SF_OK;
}
