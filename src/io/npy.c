/* SPDX-License-Identifier: Apache-2.0 */
/* npy.c - tables and arrays in NPY files.
 *
 * The elements are read by their offset, a block at a time, so that a file
 * may be larger than the memory. */
#include "io/npy.h"

#include "io/dialect.h"
#include "io/npy_header.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "elements are copied as they are stored, least significant byte first"
#endif

enum { SCRATCH = 1 << 18, PAD = 64, MOST_COLUMNS = 1000000 };

/* ---- elements ------------------------------------------------------------- */

#define CONVERT(name, from, to)                                                \
    static void name(void *out, const unsigned char *in, size_t count)         \
    {                                                                          \
        to *cells = out;                                                       \
        for (size_t i = 0; i < count; i++) {                                   \
            from element_;                                                     \
            memcpy(&element_, in + i * sizeof element_, sizeof element_);      \
            cells[i] = (to)element_;                                           \
        }                                                                      \
    }

CONVERT(u1_to_f8, uint8_t, double)
CONVERT(i4_to_f8, int32_t, double)
CONVERT(i8_to_f8, int64_t, double)
CONVERT(f4_to_f8, float, double)
CONVERT(f8_to_f8, double, double)
CONVERT(u1_to_f4, uint8_t, float)
CONVERT(i4_to_f4, int32_t, float)
CONVERT(i8_to_f4, int64_t, float)
CONVERT(f4_to_f4, float, float)
CONVERT(f8_to_f4, double, float)

static void (*const converters[][5])(void *, const unsigned char *, size_t) = {
    [SF_F32] = {[SFI_NPY_U1] = u1_to_f4,
                [SFI_NPY_I4] = i4_to_f4,
                [SFI_NPY_I8] = i8_to_f4,
                [SFI_NPY_F4] = f4_to_f4,
                [SFI_NPY_F8] = f8_to_f4},
    [SF_F64] = {[SFI_NPY_U1] = u1_to_f8,
                [SFI_NPY_I4] = i4_to_f8,
                [SFI_NPY_I8] = i8_to_f8,
                [SFI_NPY_F4] = f4_to_f8,
                [SFI_NPY_F8] = f8_to_f8}};

/* Read elements first, ..., first + count - 1, as they lie in the file, and
 * convert them. */
static sf_status read_elements(sfi_input *input, const sfi_npy_header *h,
                               sf_dtype dtype, void *out, int64_t first,
                               int64_t count, unsigned char *scratch)
{
    const size_t size = sfi_npy_size(h->type);
    char *to = out;
    const bool same = (h->type == SFI_NPY_F8 && dtype == SF_F64) ||
                      (h->type == SFI_NPY_F4 && dtype == SF_F32);
    if (same)
        return sfi_input_read_at(input, h->offset + (uint64_t)first * size, out,
                                 (size_t)count * size);
    while (count > 0) {
        const int64_t most = (int64_t)(SCRATCH / size);
        const int64_t n = count < most ? count : most;
        SFI_TRY(sfi_input_read_at(input, h->offset + (uint64_t)first * size,
                                  scratch, (size_t)n * size));
        converters[dtype][h->type](to, scratch, (size_t)n);
        to += (size_t)n * sf_dtype_size(dtype);
        first += n;
        count -= n;
    }
    return SF_OK;
}

/* ---- rows ----------------------------------------------------------------- */

typedef struct npy_reader {
    sf_context *ctx;
    sfi_input *input;
    sfi_npy_header header;
    int64_t rows, cols;
    int64_t row;            /* the next one                                */
    unsigned char *scratch; /* [SCRATCH]                                   */
    double *column;         /* [SCRATCH doubles]: a piece, Fortran order   */
} npy_reader;

static void npy_close(void *state)
{
    npy_reader *r = state;
    if (r == NULL)
        return;
    sfi_free(r->ctx, r->scratch, SCRATCH, 1);
    sfi_free(r->ctx, r->column, SCRATCH, sizeof *r->column);
    sfi_free(r->ctx, r, 1, sizeof *r);
}

static sf_status open_table(npy_reader *r, sf_table *head)
{
    const sfi_npy_header *h = &r->header;
    const char *name = sfi_input_name(r->input);
    SFI_TRY(sfi_npy_read_header(r->ctx, r->input, &r->header));
    if (h->rank < 1 || h->rank > 2)
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s: an array of %d axes, want 2 (rows and columns) or "
                        "1 (one column)",
                        name, h->rank);
    r->rows = h->shape[0];
    r->cols = h->rank == 2 ? h->shape[1] : 1;
    if (r->rows < 1 || r->cols < 1)
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s: %lld rows and %lld columns, want at least one of "
                        "each",
                        name, (long long)r->rows, (long long)r->cols);
    if (r->cols > MOST_COLUMNS)
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s: %lld columns, want at most %d", name,
                        (long long)r->cols, (int)MOST_COLUMNS);
    r->scratch = sfi_alloc(r->ctx, SCRATCH, 1);
    if (r->scratch == NULL)
        return SF_E_NOMEM;
    if (h->is_fortran) {
        r->column = sfi_alloc(r->ctx, SCRATCH, sizeof *r->column);
        if (r->column == NULL)
            return SF_E_NOMEM;
    }
    SFI_TRY(sf_table_new(r->ctx, head, 0, r->cols, NULL));
    return sfi_table_set_source(r->ctx, head, SFI_SOURCE_ROWS, name);
}

static sf_status npy_open(sf_context *ctx, void **state, sfi_input *input,
                          sf_table *head, size_t buffer,
                          const sf_read_options *options)
{
    (void)buffer;
    *state = NULL;
    SFI_TRY(sfi_dialect_refuse(ctx, options, sfi_input_name(input)));
    npy_reader *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->ctx = ctx;
    r->input = input;
    const sf_status status = open_table(r, head);
    if (status != SF_OK)
        npy_close(r);
    else
        *state = r;
    return status;
}

/* Column by column, as they lie in the file. */
static sf_status read_fortran(npy_reader *r, double *cells, int64_t got)
{
    for (int64_t j = 0; j < r->cols; j++)
        for (int64_t done = 0; done < got;) {
            const int64_t n = got - done < SCRATCH ? got - done : SCRATCH;
            SFI_TRY(read_elements(r->input, &r->header, SF_F64, r->column,
                                  j * r->rows + r->row + done, n, r->scratch));
            for (int64_t i = 0; i < n; i++)
                cells[(done + i) * r->cols + j] = r->column[i];
            done += n;
        }
    return SF_OK;
}

static sf_status check_finite(npy_reader *r, const double *cells, int64_t got)
{
    const int64_t count = got * r->cols;
    int64_t i = 0;
    while (i < count && !isinf(cells[i]))
        i++;
    if (i == count)
        return SF_OK;
    return SFI_FAIL(r->ctx, SF_E_FORMAT,
                    "%s: row %lld (counted from 0), column \"c%lld\": %g is "
                    "not a finite number; a missing cell is NaN",
                    sfi_input_name(r->input), (long long)(r->row + i / r->cols),
                    (long long)(i % r->cols), cells[i]);
}

static sf_status npy_next(void *state, double *cells, int64_t limit,
                          int64_t *got, bool first)
{
    npy_reader *r = state;
    (void)first;
    const int64_t left = r->rows - r->row;
    const int64_t n = limit < left ? limit : left;
    *got = 0;
    if (r->header.is_fortran)
        SFI_TRY(read_fortran(r, cells, n));
    else
        SFI_TRY(read_elements(r->input, &r->header, SF_F64, cells,
                              r->row * r->cols, n * r->cols, r->scratch));
    SFI_TRY(check_finite(r, cells, n));
    r->row += n;
    *got = n;
    return SF_OK;
}

static sf_status npy_complete(void *state, bool *again)
{
    (void)state;
    *again = false;
    return SF_OK;
}

static sf_status npy_rewind(void *state)
{
    ((npy_reader *)state)->row = 0;
    return SF_OK;
}

static bool npy_has_names(const void *state)
{
    (void)state;
    return false;
}

static int64_t npy_count(const void *state)
{
    return ((const npy_reader *)state)->rows;
}

static sf_status npy_bound(void *state, int64_t *rows)
{
    *rows = npy_count(state);
    return SF_OK;
}

/* ---- arrays --------------------------------------------------------------- */

/* Reorder: element k in row-major order of the array of this shape comes from
 * its place in column-major order. */
static void from_fortran(char *to, const char *from, size_t size,
                         const sfi_npy_header *h)
{
    int64_t index[SF_MAX_RANK] = {0};
    for (int64_t k = 0; k < h->count; k++) {
        int64_t place = 0;
        for (int a = h->rank - 1; a >= 0; a--)
            place = place * h->shape[a] + index[a];
        memcpy(to + (size_t)k * size, from + (size_t)place * size, size);
        for (int a = h->rank - 1; a >= 0; a--) {
            if (++index[a] < h->shape[a])
                break;
            index[a] = 0;
        }
    }
}

static sf_status read_reordered(sf_context *ctx, sfi_input *input,
                                const sfi_npy_header *h, sf_array *out,
                                unsigned char *scratch)
{
    const size_t size = sf_dtype_size(out->dtype);
    char *copy = sfi_alloc(ctx, (size_t)h->count, size);
    if (copy == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        read_elements(input, h, out->dtype, copy, 0, h->count, scratch);
    if (status == SF_OK)
        from_fortran(out->data, copy, size, h);
    sfi_free(ctx, copy, (size_t)h->count, size);
    return status;
}

static sf_status read_array(sf_context *ctx, sf_array *out, sf_dtype dtype,
                            sfi_input *input)
{
    sfi_npy_header h;
    SFI_TRY(sfi_npy_read_header(ctx, input, &h));
    SFI_TRY(sf_array_new(ctx, out, dtype, h.rank, h.shape));
    unsigned char *scratch = sfi_alloc(ctx, SCRATCH, 1);
    sf_status status = SF_E_NOMEM;
    if (scratch != NULL)
        status = h.is_fortran && h.rank > 1
                     ? read_reordered(ctx, input, &h, out, scratch)
                     : read_elements(input, &h, dtype, out->data, 0, h.count,
                                     scratch);
    sfi_free(ctx, scratch, SCRATCH, 1);
    if (status != SF_OK)
        sf_array_free(ctx, out);
    return status;
}

sf_status sfi_npy_read_array(sf_context *ctx, sf_array *out, sf_dtype dtype,
                             const char *path)
{
    sfi_input *input = NULL;
    memset(out, 0, sizeof *out);
    SFI_TRY(sfi_input_open(ctx, &input, path));
    const sf_status status = read_array(ctx, out, dtype, input);
    sfi_input_close(input);
    return status;
}

sf_status sfi_npy_read_array_memory(sf_context *ctx, sf_array *out,
                                    sf_dtype dtype, const void *bytes,
                                    size_t size)
{
    sfi_input *input = NULL;
    memset(out, 0, sizeof *out);
    SFI_TRY(sfi_input_memory(ctx, &input, "<memory>", bytes, size));
    const sf_status status = read_array(ctx, out, dtype, input);
    sfi_input_close(input);
    return status;
}

/* ---- writing -------------------------------------------------------------- */

sf_status sfi_npy_write_header(sfi_output *out, sf_dtype dtype, int rank,
                               const int64_t *shape)
{
    char text[512];
    size_t n = (size_t)snprintf(
        text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
        sfi_npy_name(dtype == SF_F32 ? SFI_NPY_F4 : SFI_NPY_F8));
    for (int i = 0; i < rank; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%lld%s",
                              (long long)shape[i],
                              rank == 1      ? ","
                              : i + 1 < rank ? ", "
                                             : "");
    n += (size_t)snprintf(text + n, sizeof text - n, "), }");

    /* Spaces and a line end make the elements begin at a multiple of 64. */
    const size_t before = 10; /* the prefix and the length */
    const size_t length = (before + n + 1 + PAD - 1) / PAD * PAD - before;
    while (n + 1 < length)
        text[n++] = ' ';
    text[n] = '\n';
    const unsigned char prefix[] = {0x93,
                                    'N',
                                    'U',
                                    'M',
                                    'P',
                                    'Y',
                                    1,
                                    0,
                                    (unsigned char)length,
                                    (unsigned char)(length >> 8)};
    SFI_TRY(sfi_output_write(out, prefix, sizeof prefix));
    return sfi_output_write(out, text, length);
}

sf_status sfi_npy_write_array(sf_context *ctx, const sf_array *array,
                              const char *path)
{
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    sf_status status =
        sfi_npy_write_header(out, array->dtype, array->rank, array->shape);
    if (status == SF_OK)
        status = sfi_output_write(out, array->data,
                                  (size_t)sf_array_count(array) *
                                      sf_dtype_size(array->dtype));
    return sfi_output_close(out, status);
}

sf_status sfi_npy_write(sf_context *ctx, const sf_table *table, sfi_output *out)
{
    (void)ctx;
    const int64_t shape[2] = {table->rows, table->cols};
    SFI_TRY(sfi_npy_write_header(out, SF_F64, 2, shape));
    return sfi_output_write(out, table->data,
                            (size_t)(table->rows * table->cols) *
                                sizeof *table->data);
}

const sfi_table_format sfi_npy_format = {.extensions = ".npy",
                                         .writes = ".npy",
                                         .open = npy_open,
                                         .next = npy_next,
                                         .complete = npy_complete,
                                         .rewind = npy_rewind,
                                         .has_names = npy_has_names,
                                         .count = npy_count,
                                         .bound = npy_bound,
                                         .close = npy_close,
                                         .write = sfi_npy_write};
