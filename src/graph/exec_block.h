/* SPDX-License-Identifier: Apache-2.0 */
/* exec_block.h - where a step finds its numbers in a block of points; for the files
 * exec_*.c that follow one kind of step each.
 *
 * A component of a buffer is a row of ld numbers if it varies, else one number.
 * Steps walk the components of their views and hand rows to the vector loops. */
#ifndef SFI_EXEC_BLOCK_H
#define SFI_EXEC_BLOCK_H

#include "graph/exec_steps.h"

#include "num/array.h"

#include <string.h>

enum {
    SFI_STRIP_BYTES = 16 << 10, /* temporaries of a fused step: half of an L1 */
    SFI_WHOLE_ROWS = 12,        /* of a product: whole tiles                  */
    SFI_WHOLE_SUMS = 24         /* of sums of products: wide ones             */
};

/* ---- addresses -------------------------------------------------------------- */

/* This thread's part of `count` pieces, [*from, *to), in multiples of `whole`. */
static inline void sfi_part_of(const sfi_point_block *b, int64_t count,
                               int64_t whole, int64_t *from, int64_t *to)
{
    const int64_t wholes = (count + whole - 1) / whole;
    *from = wholes * b->part / b->parts * whole;
    *to = wholes * (b->part + 1) / b->parts * whole;
    if (*to > count)
        *to = count;
}

/* The same in pieces of at least `whole`: what is left over goes with the last.  Sums of
 * products over points have another order where a piece is narrower than
 * SFI_WHOLE_SUMS. */
static inline void sfi_large_part_of(const sfi_point_block *b, int64_t count,
                                     int64_t whole, int64_t *from, int64_t *to)
{
    const int64_t wholes = count / whole;
    *from = wholes * b->part / b->parts * whole;
    *to = b->part + 1 == b->parts ? count
                                  : wholes * (b->part + 1) / b->parts * whole;
}

/* Channels of a convolution whose taps are enough for such a piece. */
static inline int64_t sfi_whole_channels(int64_t taps)
{
    return (SFI_WHOLE_SUMS + taps - 1) / taps;
}

/* Component `comp` of a buffer: a row if it varies, else one number. */
static inline char *sfi_address(const sfi_point_block *b, int32_t buffer,
                                int64_t comp)
{
    const sfi_exec *e = b->e;
    const sfi_buffer *f = &e->plan->buffers[buffer];
    if (f->varies && b->w->direct[buffer] != NULL)
        return b->w->direct[buffer]; /* a single row */
    if (f->varies)
        return b->w->arena + (size_t)((f->offset + comp) * b->ld) * e->elem;
    if (f->place == SFI_IN_PARAM) {
        /* Parameters are only read. */
        const char *base = b->run->params[f->offset];
        return (char *)(uintptr_t)base + (size_t)comp * e->elem;
    }
    return e->uniform + (size_t)(f->offset + comp) * e->elem;
}

static inline bool sfi_varies(const sfi_point_block *b, int32_t buffer)
{
    return b->e->plan->buffers[buffer].varies;
}

/* ---- boxes ------------------------------------------------------------------ */

/* Where an array of a box has the point with indices `at`. */
static inline char *sfi_source_at(const sf_source *s, const sf_box *box,
                                  const int64_t *at)
{
    int64_t element = 0;
    for (int k = 0; k < box->rank; k++)
        element += at[k] * s->steps[k];
    const char *data = s->data;
    return (char *)(uintptr_t)data + element * (int64_t)sf_dtype_size(s->dtype);
}

static inline char *sfi_sink_at(const sf_box_sink *s, const sf_box *box,
                                const int64_t *at)
{
    int64_t element = 0;
    for (int k = 0; k < box->rank; k++)
        element += at[k] * s->steps[k];
    return (char *)s->to.data + element * (int64_t)sf_dtype_size(s->to.dtype);
}

/* Go to the next row; false behind the last one. */
static inline bool sfi_next_row(const sf_box *box, int64_t *at)
{
    for (int k = box->rank - 2; k >= 0; k--) {
        if (++at[k] < box->extent[k])
            return true;
        at[k] = 0;
    }
    return false;
}

/* ---- components ------------------------------------------------------------- */

/* Walks the elements of a shape in row-major order and knows the component
 * that each has in up to four views. */
typedef struct sfi_walk {
    int rank, views;
    int64_t extent[SF_MAX_RANK], index[SF_MAX_RANK];
    const int64_t *stride[4];
    int64_t at[4];
} sfi_walk;

static inline sfi_walk sfi_walk_start(const sfi_shape *shape, int views,
                                      const sfi_view *const *v)
{
    sfi_walk k = {.rank = shape->rank, .views = views};
    memcpy(k.extent, shape->extent, sizeof k.extent);
    for (int i = 0; i < views; i++) {
        k.stride[i] = v[i]->stride;
        k.at[i] = v[i]->offset;
    }
    return k;
}

static inline bool sfi_walk_next(sfi_walk *k)
{
    for (int i = k->rank - 1; i >= 0; i--) {
        if (++k->index[i] < k->extent[i]) {
            for (int v = 0; v < k->views; v++)
                k->at[v] += k->stride[v][i];
            return true;
        }
        k->index[i] = 0;
        for (int v = 0; v < k->views; v++)
            k->at[v] -= k->stride[v][i] * (k->extent[i] - 1);
    }
    return false;
}

/* ---- single numbers (uniform steps) ----------------------------------------- */

static inline double sfi_get(const sfi_point_block *b, const sfi_view *v,
                             int64_t comp)
{
    return sfi_number_get(b->e->plan->dtype, sfi_address(b, v->buffer, comp),
                          0);
}

static inline void sfi_put(const sfi_point_block *b, const sfi_view *v,
                           int64_t comp, double value)
{
    sfi_number_put(b->e->plan->dtype, sfi_address(b, v->buffer, comp), 0,
                   value);
}

/* ---- rows ------------------------------------------------------------------- */

/* A row (or a number to fill one with) from `from` to row `to`. */
static inline void sfi_copy_row(const sfi_point_block *b, char *to,
                                const char *from, bool row)
{
    const size_t elem = b->e->elem;
    if (row) {
        memcpy(to, from, (size_t)b->ld * elem);
        return;
    }
    if (elem == sizeof(float)) {
        const float x = *(const float *)(const void *)from;
        float *d = (float *)(void *)to;
        for (int64_t i = 0; i < b->ld; i++)
            d[i] = x;
    } else {
        const double x = *(const double *)(const void *)from;
        double *d = (double *)(void *)to;
        for (int64_t i = 0; i < b->ld; i++)
            d[i] = x;
    }
}

/* dst += a*b, rows or numbers; both loops exist for every mode but all-scalar,
 * which cannot happen since one operand varies. */
static inline void sfi_multiply_add(const sfi_point_block *b, char *dst,
                                    const char *x, bool x_row, const char *y,
                                    bool y_row, bool first)
{
    const sfi_loops *l = b->e->loops;
    const int mode = (x_row ? 0 : 1) | (y_row ? 0 : 2);
    if (first)
        l->ew[SFI_EW_MUL][mode](dst, x, y, NULL, b->ld);
    else
        l->ew[SFI_EW_FMA][mode](dst, x, y, dst, b->ld);
}

static inline void sfi_clear_view(const sfi_point_block *b, const sfi_view *out)
{
    const int64_t comps = sfi_shape_count(&out->shape);
    const int64_t each = sfi_varies(b, out->buffer) ? b->ld : 1;
    memset(sfi_address(b, out->buffer, 0), 0,
           (size_t)(comps * each) * b->e->elem);
}

/* y [m, n] <- a x (+ bias), where a has strides, and rows of x and y ldx and ldy
 * numbers from each other. */
static inline void sfi_gemm_rows(const sfi_point_block *b, int64_t m, int64_t n,
                                 int64_t k, const char *a, int64_t a_row,
                                 int64_t a_col, const char *x, int64_t ldx,
                                 char *y, int64_t ldy, const char *bias)
{
    const sfi_gemm g = {.m = m,
                        .n = n,
                        .k = k,
                        .a = a,
                        .a_row = a_row,
                        .a_col = a_col,
                        .b = x,
                        .ldb = ldx,
                        .c = y,
                        .ldc = ldy,
                        .bias = bias};
    b->e->loops->gemm(&g, b->w->pack);
}

/* ---- sums over points (exec_ends.c) ------------------------------------------ */

/* Where products of a step's output accumulate, and whether they hold anything yet in
 * this lane. */
char *sfi_product_sum(const sfi_point_block *b, const sfi_step *s, bool *begun);

/* ---- steps ------------------------------------------------------------------- */

/* exec_fused.c: a step; and the mode in which an instruction reads as numbers what
 * stands still along the rows of a box. */
void sfi_step_fused(const sfi_point_block *b, const sfi_step *s);
int sfi_number_mode(const sfi_exec *e, const sfi_fused *f,
                    const sfi_instruction *in);
sfi_ew_loop sfi_fused_loop(const sfi_exec *e, const sfi_fused *f,
                           const sfi_instruction *in);

/* exec_products.c */
void sfi_step_matmul(const sfi_point_block *b, const sfi_step *s);

/* exec_convolutions.c */
void sfi_step_conv(const sfi_point_block *b, const sfi_step *s);
void sfi_step_conv_grad_x(const sfi_point_block *b, const sfi_step *s);
void sfi_step_conv_grad_w(const sfi_point_block *b, const sfi_step *s);
void sfi_step_reduce_conv(const sfi_point_block *b, const sfi_step *s);
void sfi_step_resample(const sfi_point_block *b, const sfi_step *s);

/* exec_ends.c */
void sfi_step_load(const sfi_point_block *b, const sfi_step *s);
void sfi_step_store(const sfi_point_block *b, const sfi_step *s);
void sfi_step_reduce(const sfi_point_block *b, const sfi_step *s);
void sfi_step_reduce_nt(const sfi_point_block *b, const sfi_step *s);

#endif
