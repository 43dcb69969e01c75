/* SPDX-License-Identifier: Apache-2.0 */
/* frame_reader.c - the rows of a frame, a block at a time, whether they are in
 * memory or pass by. */
#include "table/frame.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1 << 15 }; /* cells of the file that are read together */

struct sf_frame_reader {
    sf_context *ctx;
    const sf_frame *frame;
    bool complete;
    int64_t at;    /* rows of the frame that were looked at */
    int64_t count; /* rows that were handed out             */
    double *block; /* [limit, columns of the store], of a stream */
    int64_t limit;
};

static int64_t store_cols(const sf_frame_reader *r)
{
    return r->frame->store->schema.count;
}

sf_status sf_frame_reader_new(sf_context *ctx, sf_frame_reader **out,
                              const sf_frame *frame, bool complete)
{
    *out = NULL;
    sf_frame_reader *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->ctx = ctx;
    r->frame = frame;
    r->complete = complete;
    sf_status status = SF_OK;
    if (frame->store->stream != NULL) {
        const int64_t cols = store_cols(r);
        r->limit = BLOCK / cols > 0 ? BLOCK / cols : 1;
        r->block = sfi_alloc(ctx, (size_t)(r->limit * cols), sizeof *r->block);
        status = r->block != NULL ? sf_frame_reader_rewind(r) : SF_E_NOMEM;
    }
    if (status != SF_OK) {
        sf_frame_reader_free(r);
        return status;
    }
    *out = r;
    return SF_OK;
}

void sf_frame_reader_free(sf_frame_reader *r)
{
    if (r == NULL)
        return;
    sfi_free(r->ctx, r->block, (size_t)(r->limit * store_cols(r)),
             sizeof *r->block);
    sfi_free(r->ctx, r, 1, sizeof *r);
}

sf_status sf_frame_reader_rewind(sf_frame_reader *r)
{
    r->at = r->count = 0;
    return r->frame->store->stream != NULL
               ? sfi_rows_rewind(r->frame->store->stream)
               : SF_OK;
}

int64_t sf_frame_reader_count(const sf_frame_reader *r)
{
    return r->count;
}

/* Keep a row of the block if it is wanted. */
static int64_t keep(const sf_frame_reader *r, const double *row)
{
    for (int64_t k = 0; k < r->frame->cols && r->complete; k++)
        if (isnan(row[k]))
            return 0;
    return 1;
}

static int64_t take_in_memory(sf_frame_reader *r, double *block,
                              int64_t capacity)
{
    const sf_frame *f = r->frame;
    int64_t taken = 0;
    for (; taken < capacity && r->at < f->rows; r->at++) {
        double *row = block + taken * f->cols;
        for (int64_t k = 0; k < f->cols; k++)
            row[k] = sf_frame_cell(f, r->at, k);
        taken += keep(r, row);
    }
    return taken;
}

/* A cell of the file; of dates, what its level means. */
static double cell_of(const sfi_frame_cells *c, double x)
{
    return c->of_level != NULL && !isnan(x) ? c->of_level[(int64_t)x] : x;
}

static int64_t take_stream(sf_frame_reader *r, double *block, int64_t capacity)
{
    const sf_frame *f = r->frame;
    const sfi_store *s = f->store;
    const int64_t limit = capacity < r->limit ? capacity : r->limit;
    int64_t taken = 0, got = 1;
    while (taken == 0 && got > 0) {
        if (sfi_rows_next(s->stream, r->block, limit, &got) != SF_OK)
            return -1;
        for (int64_t i = 0; i < got; i++) {
            const double *from = r->block + i * store_cols(r);
            double *row = block + taken * f->cols;
            for (int64_t k = 0; k < f->cols; k++)
                row[k] = cell_of(&s->cells[f->index[k]], from[f->index[k]]);
            taken += keep(r, row);
        }
        r->at += got;
    }
    return taken;
}

int64_t sf_frame_reader_next(void *reader, double *block, int64_t capacity)
{
    sf_frame_reader *r = reader;
    const int64_t taken = r->frame->store->stream != NULL
                              ? take_stream(r, block, capacity)
                              : take_in_memory(r, block, capacity);
    r->count += taken > 0 ? taken : 0;
    return taken;
}
