/* SPDX-License-Identifier: Apache-2.0 */
/* frame_memory.c - frames over memory that is already there: the caller's, or a
 * file's that is mapped.
 *
 * Nothing is copied but names, levels and units.  Cells are looked at once, for the
 * kinds, the range, and what cannot be: infinities and numbers of no level. */
#define _POSIX_C_SOURCE 200809L
#include "table/frame.h"

#include "io/npy_header.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int64_t size_of(sf_cell_type type)
{
    static const int64_t sizes[] = {[SF_CELL_F64] = 8,
                                    [SF_CELL_F32] = 4,
                                    [SF_CELL_I64] = 8,
                                    [SF_CELL_I32] = 4,
                                    [SF_CELL_U8] = 1};
    return (size_t)type < SFI_COUNT(sizes) ? sizes[type] : 0;
}

/* ---- looking at the cells ------------------------------------------------- */

static sf_status look_at(const sfi_store *s, int64_t j, int64_t levels,
                         sfi_seen *seen, sf_column *column)
{
    bool whole = true;
    sfi_seen_begin(seen);
    for (int64_t i = 0; i < s->rows; i++) {
        const double x = sfi_store_cell(s, i, j);
        sfi_seen_add(seen, x);
        if (isnan(x))
            continue;
        if (isinf(x) ||
            (levels > 0 && !(x >= 0.0 && x < (double)levels && x == floor(x))))
            return SFI_FAIL(s->ctx, SF_E_ARG,
                            "frame: row %lld (counted from 0), column "
                            "\"%.200s\": %g is not %s",
                            (long long)i, column->name, x,
                            levels > 0 ? "the number of a level"
                                       : "a finite number");
        whole = whole && x == floor(x) && fabs(x) <= 0x1p53;
    }
    sfi_seen_end(seen);
    column->missing = seen->summary.missing;
    column->kind = levels > 0                           ? SF_COLUMN_TEXT
                   : whole && seen->summary.present > 0 ? SF_COLUMN_INTEGER
                                                        : SF_COLUMN_REAL;
    return SF_OK;
}

/* Find kinds where none is told. */
static sf_status look(sfi_store *s, sf_column *columns,
                      const sfi_told_kind *told)
{
    const int64_t cols = s->schema.count;
    sfi_seen *seen = sfi_alloc(s->ctx, (size_t)cols, sizeof *seen);
    sf_status status = seen != NULL ? SF_OK : SF_E_NOMEM;
    for (int64_t j = 0; j < cols && status == SF_OK; j++)
        status = look_at(s, j, columns[j].level_count, &seen[j], &columns[j]);
    if (status == SF_OK)
        status = told != NULL ? sfi_take_kinds(s, columns, seen, told)
                              : sfi_find_kinds(s, columns, seen, NULL);
    sfi_free(s->ctx, seen, (size_t)cols, sizeof *seen);
    return status;
}

/* ---- the caller's --------------------------------------------------------- */

static sf_status fail_column(sf_context *ctx, int64_t j, const char *what)
{
    return SFI_FAIL(ctx, SF_E_ARG, "frame: column %lld: %s", (long long)j,
                    what);
}

static sf_status check_column(sf_context *ctx, int64_t j,
                              const sf_frame_column *c)
{
    const int64_t size = size_of(c->type);
    if (c->size != sizeof *c)
        return fail_column(ctx, j,
                           "its size is not that of "
                           "SF_FRAME_COLUMN_INIT");
    if (c->data == NULL || size == 0)
        return fail_column(ctx, j, "it has no data, or of no known type");
    if (c->validity != NULL && c->validity_first < 0)
        return fail_column(ctx, j, "validity_first is negative");
    if (c->kind < -1 || c->kind >= SF_KIND_COUNT ||
        (c->kind == SF_KIND_CATEGORY && c->level_count == 0))
        return fail_column(ctx, j, "its kind is none, or wants levels");
    if (c->atom_count < -1 || c->atom_count > SF_MOST_ATOMS ||
        (c->atom_count > 0 && c->atoms == NULL))
        return fail_column(ctx, j, "its atoms are not -1 to 24");
    return c->name != NULL && c->name[0] == '\0'
               ? fail_column(ctx, j, "its name is empty")
               : SF_OK;
}

static void tell(const sf_frame_column *c, sfi_told_kind *told)
{
    *told = (sfi_told_kind){.is_told = c->kind >= 0};
    if (told->is_told)
        told->kind = (sf_kind)c->kind;
    told->has_atoms = c->atom_count >= 0;
    for (int64_t k = 0; k < c->atom_count; k++)
        sfi_add_atom(told->atoms, &told->atom_count, c->atoms[k]);
}

static sf_status take_columns(sfi_store *s, const sf_frame_column *columns,
                              sf_column *about, sfi_told_kind *told,
                              char (*names)[32])
{
    const int64_t cols = s->schema.count;
    for (int64_t j = 0; j < cols; j++) {
        const sf_frame_column *c = &columns[j];
        SFI_TRY(check_column(s->ctx, j, c));
        snprintf(names[j], sizeof names[j], "c%lld", (long long)j);
        /* Only read, but sf_column owns its texts elsewhere. */
        about[j].name = c->name != NULL ? (char *)(uintptr_t)c->name : names[j];
        about[j].levels = (char **)(uintptr_t)c->levels;
        about[j].level_count = c->level_count;
        tell(c, &told[j]);
        s->has_names |= c->name != NULL;
        s->cells[j] = (sfi_frame_cells){
            .data = c->data,
            .type = c->type,
            .stride = c->stride != 0 ? c->stride : size_of(c->type),
            .validity = c->validity,
            .validity_first = c->validity_first};
    }
    SFI_TRY(look(s, about, told));
    for (int64_t j = 0; j < cols; j++) {
        sfi_schema_column *column = &s->schema.columns[j];
        if (columns[j].unit == NULL)
            continue;
        column->unit = sfi_copy_text(s->ctx, columns[j].unit);
        if (column->unit == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

sf_status sf_frame_new(sf_context *ctx, sf_frame **out, int64_t rows,
                       int64_t cols, const sf_frame_column *columns)
{
    sfi_store *s = NULL;
    *out = NULL;
    const int64_t shape[] = {rows, cols};
    if (rows < 1 || cols < 1 ||
        sfi_count_elements(2, shape, sizeof(double)) < 0)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "frame: %lld rows and %lld columns, want one or more, "
                        "and no more than there is memory for",
                        (long long)rows, (long long)cols);
    const size_t n = (size_t)cols;
    SFI_TRY(sfi_store_new(ctx, &s, rows, cols));
    sf_column *about = sfi_alloc_zero(ctx, n, sizeof *about);
    sfi_told_kind *told = sfi_alloc(ctx, n, sizeof *told);
    char(*names)[32] = sfi_alloc(ctx, n, sizeof *names);
    sf_status status = SF_E_NOMEM;
    if (about != NULL && told != NULL && names != NULL)
        status = take_columns(s, columns, about, told, names);
    sfi_free(ctx, names, n, sizeof *names);
    sfi_free(ctx, told, n, sizeof *told);
    sfi_free(ctx, about, n, sizeof *about);
    if (status != SF_OK) {
        sfi_store_drop(s);
        return status;
    }
    return sfi_frame_of(ctx, out, s);
}

/* ---- mapped --------------------------------------------------------------- */

static sf_cell_type type_of(sfi_npy_element element)
{
    switch (element) {
    case SFI_NPY_F8:
        return SF_CELL_F64;
    case SFI_NPY_F4:
        return SF_CELL_F32;
    case SFI_NPY_I8:
        return SF_CELL_I64;
    case SFI_NPY_I4:
        return SF_CELL_I32;
    case SFI_NPY_U1:
        break;
    }
    return SF_CELL_U8;
}

/* Read the header, which has checked that the file has all elements. */
static sf_status read_header(sf_context *ctx, const char *path,
                             sfi_npy_header *h)
{
    sfi_input *input = NULL;
    SFI_TRY(sfi_input_open(ctx, &input, path));
    sf_status status = sfi_npy_read_header(ctx, input, h);
    sfi_input_close(input);
    if (status != SF_OK)
        return status;
    if (h->rank < 1 || h->rank > 2 || h->shape[0] < 1 ||
        (h->rank == 2 && h->shape[1] < 1))
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: no table of rows and columns, of which there is "
                        "at least one each",
                        path);
    return SF_OK;
}

static sf_status map_file(sfi_store *s, const char *path,
                          const sfi_npy_header *h)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    s->mapped_size =
        (size_t)h->offset + (size_t)h->count * sfi_npy_size(h->type);
    void *bytes =
        file < 0 ? MAP_FAILED
                 : mmap(NULL, s->mapped_size, PROT_READ, MAP_PRIVATE, file, 0);
    const int error = errno;
    if (file >= 0)
        close(file);
    if (bytes == MAP_FAILED)
        return SFI_FAIL(s->ctx, SF_E_IO, "%s: cannot be mapped: %s", path,
                        strerror(error));
    s->mapped = bytes;
    return SF_OK;
}

static sf_status lay_out(sfi_store *s, const sfi_npy_header *h)
{
    const int64_t rows = s->rows, cols = s->schema.count;
    const int64_t size = (int64_t)sfi_npy_size(h->type);
    const int64_t next_row = h->is_fortran ? size : size * cols;
    const int64_t next_col = h->is_fortran ? size * rows : size;
    const size_t n = (size_t)cols;
    sf_column *about = sfi_alloc_zero(s->ctx, n, sizeof *about);
    char(*names)[32] = sfi_alloc(s->ctx, n, sizeof *names);
    sf_status status = about != NULL && names != NULL ? SF_OK : SF_E_NOMEM;
    for (int64_t j = 0; j < cols && status == SF_OK; j++) {
        snprintf(names[j], sizeof names[j], "c%lld", (long long)j);
        about[j].name = names[j];
        s->cells[j] = (sfi_frame_cells){
            .data = (const unsigned char *)s->mapped + h->offset + j * next_col,
            .type = type_of(h->type),
            .stride = next_row};
    }
    if (status == SF_OK)
        status = look(s, about, NULL);
    sfi_free(s->ctx, names, n, sizeof *names);
    sfi_free(s->ctx, about, n, sizeof *about);
    return status;
}

sf_status sf_frame_map(sf_context *ctx, sf_frame **out, const char *path)
{
    sfi_npy_header h;
    sfi_store *s = NULL;
    *out = NULL;
    SFI_TRY(read_header(ctx, path, &h));
    SFI_TRY(sfi_store_new(ctx, &s, h.shape[0], h.rank == 2 ? h.shape[1] : 1));
    sf_status status = map_file(s, path, &h);
    if (status == SF_OK) {
        s->name = sfi_copy_text(ctx, path);
        status = s->name != NULL ? lay_out(s, &h) : SF_E_NOMEM;
    }
    /* An infinite cell is one of the file's. */
    if (status == SF_E_ARG) {
        sfi_message_prefix(ctx, "%s: ", path);
        status = SF_E_FORMAT;
    }
    if (status != SF_OK) {
        sfi_store_drop(s);
        return status;
    }
    return sfi_frame_of(ctx, out, s);
}
