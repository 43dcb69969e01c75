/* SPDX-License-Identifier: Apache-2.0 */
/* exec_convolutions.c - convolutions of images, their gradients, and pooling.
 *
 *     y[o, i, j] = sum_{c, a, b} w[o, c, a, b] x[c, i+a-pad, j+b-pad]
 *
 * With the weights uniform, an output row is a product of the weights [o, c*a*b]
 * with the input rows it sees, unrolled to [c*a*b, j*points]; since points are
 * innermost, unrolling copies whole runs of pixels. */
#include "graph/exec_block.h"

typedef struct conv {
    int64_t ci, h, w, co, kh, kw, ho, wo, pad;
} conv;

static conv conv_shape(const sfi_shape *x, const sfi_shape *weights,
                       const sfi_shape *y, int64_t pad)
{
    const conv c = {x->extent[0],       x->extent[1],       x->extent[2],
                    weights->extent[0], weights->extent[2], weights->extent[3],
                    y->extent[1],       y->extent[2],       pad};
    return c;
}

/* Output columns whose tap `b` falls inside the image: [*from, *to). */
static void inside(const conv *c, int64_t tap, int64_t *from, int64_t *to)
{
    *from = c->pad - tap > 0 ? c->pad - tap : 0;
    *to = c->w + c->pad - tap < c->wo ? c->w + c->pad - tap : c->wo;
    if (*from > c->wo)
        *from = c->wo;
    if (*to < *from)
        *to = *from;
}

/* columns [channels*kh*kw, wo*ld] <- what output row i sees of channels from <= ch < to
 * of x; or, back, add the columns to x. */
static void unroll(const sfi_point_block *b, const conv *c, const sfi_view *x,
                   int64_t i, int64_t first, int64_t last, bool back)
{
    const size_t elem = b->e->elem;
    const size_t pixel = (size_t)b->ld * elem;
    char *column = b->w->columns;
    for (int64_t ch = first; ch < last; ch++)
        for (int64_t a = 0; a < c->kh; a++)
            for (int64_t t = 0; t < c->kw;
                 t++, column += (size_t)c->wo * pixel) {
                const int64_t row = i + a - c->pad;
                int64_t from, to;
                inside(c, t, &from, &to);
                if (row < 0 || row >= c->h)
                    to = from = 0;
                if (!back) {
                    memset(column, 0, (size_t)from * pixel);
                    memset(column + (size_t)to * pixel, 0,
                           (size_t)(c->wo - to) * pixel);
                }
                if (to == from)
                    continue;
                char *image = sfi_address(b, x->buffer,
                                          x->offset + (ch * c->h + row) * c->w +
                                              from + t - c->pad);
                char *there = column + (size_t)from * pixel;
                if (back)
                    b->e->loops->ew[SFI_EW_ADD][0](image, image, there, NULL,
                                                   (to - from) * b->ld);
                else
                    memcpy(there, image, (size_t)(to - from) * pixel);
            }
}

/* One product of the sum: out, weight and input components, as the loops over
 * (o, c, a, b, i, j) meet them. */
typedef void (*conv_visit)(const sfi_point_block *b, const sfi_step *s,
                           int64_t y, int64_t w, int64_t x);

static void conv_each(const sfi_point_block *b, const sfi_step *s,
                      const conv *c, conv_visit visit)
{
    for (int64_t o = 0; o < c->co; o++)
        for (int64_t ch = 0; ch < c->ci; ch++)
            for (int64_t a = 0; a < c->kh; a++)
                for (int64_t t = 0; t < c->kw; t++)
                    for (int64_t i = 0; i < c->ho; i++)
                        for (int64_t j = 0; j < c->wo; j++) {
                            const int64_t r = i + a - c->pad;
                            const int64_t q = j + t - c->pad;
                            if (r < 0 || r >= c->h || q < 0 || q >= c->w)
                                continue;
                            visit(b, s, (o * c->ho + i) * c->wo + j,
                                  ((o * c->ci + ch) * c->kh + a) * c->kw + t,
                                  (ch * c->h + r) * c->w + q);
                        }
}

/* out[k] += in[0][p] in[1][q] for rows and numbers alike. */
static void accumulate(const sfi_point_block *b, const sfi_step *s, int64_t k,
                       int64_t p, int64_t q)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    if (!s->varies) {
        sfi_put(b, &s->out, k,
                sfi_get(b, &s->out, k) + sfi_get(b, x, x->offset + p) *
                                             sfi_get(b, y, y->offset + q));
        return;
    }
    sfi_multiply_add(b, sfi_address(b, s->out.buffer, k),
                     sfi_address(b, x->buffer, x->offset + p),
                     sfi_varies(b, x->buffer),
                     sfi_address(b, y->buffer, y->offset + q),
                     sfi_varies(b, y->buffer), false);
}

static void visit_conv(const sfi_point_block *b, const sfi_step *s, int64_t y,
                       int64_t w, int64_t x)
{
    accumulate(b, s, y, x, w);
}

static void visit_grad_x(const sfi_point_block *b, const sfi_step *s, int64_t y,
                         int64_t w, int64_t x)
{
    accumulate(b, s, x, y, w);
}

static void visit_grad_w(const sfi_point_block *b, const sfi_step *s, int64_t y,
                         int64_t w, int64_t x)
{
    accumulate(b, s, w, x, y);
}

void sfi_step_conv(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *w = &s->in[1];
    const conv c = conv_shape(&x->shape, &w->shape, &s->out.shape, s->pad);
    if (!sfi_varies(b, x->buffer) || sfi_varies(b, w->buffer)) {
        sfi_clear_view(b, &s->out);
        conv_each(b, s, &c, visit_conv);
        return;
    }
    const int64_t taps = c.ci * c.kh * c.kw;
    int64_t from, to;
    sfi_part_of(b, c.ho, 1, &from, &to);
    for (int64_t i = from; i < to; i++) {
        unroll(b, &c, x, i, 0, c.ci, false);
        sfi_gemm_rows(
            b, c.co, c.wo * b->ld, taps, sfi_address(b, w->buffer, w->offset),
            taps, 1, b->w->columns, c.wo * b->ld,
            sfi_address(b, s->out.buffer, i * c.wo), c.ho * c.wo * b->ld, NULL);
    }
}

void sfi_step_conv_grad_x(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *dy = &s->in[0], *w = &s->in[1];
    const conv c = conv_shape(&s->out.shape, &w->shape, &dy->shape, s->pad);
    if (!sfi_varies(b, dy->buffer) || sfi_varies(b, w->buffer)) {
        sfi_clear_view(b, &s->out);
        conv_each(b, s, &c, visit_grad_x);
        return;
    }
    /* Rows of the output overlap in x, channels do not. */
    int64_t from, to;
    sfi_part_of(b, c.ci, 1, &from, &to);
    if (from == to)
        return;
    const int64_t each = c.kh * c.kw, taps = c.ci * each;
    memset(sfi_address(b, s->out.buffer, from * c.h * c.w), 0,
           (size_t)((to - from) * c.h * c.w * b->ld) * b->e->elem);
    for (int64_t i = 0; i < c.ho; i++) {
        sfi_gemm_rows(b, (to - from) * each, c.wo * b->ld, c.co,
                      sfi_address(b, w->buffer, w->offset + from * each), 1,
                      taps, sfi_address(b, dy->buffer, dy->offset + i * c.wo),
                      c.ho * c.wo * b->ld, b->w->columns, c.wo * b->ld, NULL);
        unroll(b, &c, &s->out, i, from, to, true);
    }
}

void sfi_step_conv_grad_w(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *dy = &s->in[1];
    const conv c = conv_shape(&x->shape, &s->out.shape, &dy->shape, s->pad);
    sfi_clear_view(b, &s->out);
    conv_each(b, s, &c, visit_grad_w);
}

void sfi_step_reduce_conv(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *dy = &s->in[1];
    const int64_t pad = s->pad;
    sfi_shape weights = {
        4,
        {dy->shape.extent[0], x->shape.extent[0],
         x->shape.extent[1] + 2 * pad - dy->shape.extent[1] + 1,
         x->shape.extent[2] + 2 * pad - dy->shape.extent[2] + 1}};
    const conv c = conv_shape(&x->shape, &weights, &dy->shape, pad);
    bool begun;
    char *sum = sfi_product_sum(b, s, &begun);
    const int64_t each = c.kh * c.kw, taps = c.ci * each;
    int64_t from, to;
    sfi_large_part_of(b, c.ci, sfi_whole_channels(each), &from, &to);
    if (from == to)
        return;
    for (int64_t i = 0; i < c.ho; i++) {
        unroll(b, &c, x, i, from, to, false);
        const sfi_gemm_nt g = {
            .m = c.co,
            .n = (to - from) * each,
            .p = c.wo * b->ld,
            .a = sfi_address(b, dy->buffer, dy->offset + i * c.wo),
            .lda = c.ho * c.wo * b->ld,
            .b = b->w->columns,
            .ldb = c.wo * b->ld,
            .c = sum + (size_t)(from * each) * b->e->elem,
            .ldc = taps,
            .accumulate = begun || i > 0};
        b->e->loops->gemm_nt(&g, b->w->pack);
    }
}

/* ---- pooling ---------------------------------------------------------------- */

static void add_rows(const sfi_point_block *b, char *dst, const char *x)
{
    b->e->loops->ew[SFI_EW_ADD][0](dst, dst, x, NULL, b->ld);
}

/* Cell (i, j) of channel c, small [h,w], large [2h,2w]: visit its four pixels.
 * POOL: small = mean; UPSAMPLE: each of large = small. */
void sfi_step_resample(const sfi_point_block *b, const sfi_step *s)
{
    const bool pool = s->kind == SFI_STEP_POOL;
    const sfi_view *in = &s->in[0];
    const sfi_shape *small = pool ? &s->out.shape : &in->shape;
    const int64_t h = small->extent[1], w = small->extent[2];
    int64_t first, last;
    sfi_part_of(b, small->extent[0], 1, &first, &last);
    for (int64_t c = first; c < last; c++)
        for (int64_t i = 0; i < h; i++)
            for (int64_t j = 0; j < w; j++) {
                const int64_t cell = (c * h + i) * w + j;
                double total = 0.0;
                for (int64_t q = 0; q < 4; q++) {
                    const int64_t pixel =
                        (c * 2 * h + 2 * i + q / 2) * 2 * w + 2 * j + q % 2;
                    const int64_t from = in->offset + (pool ? pixel : cell);
                    const int64_t to = pool ? cell : pixel;
                    if (!s->varies && pool)
                        total += 0.25 * sfi_get(b, in, from);
                    else if (!s->varies)
                        sfi_put(b, &s->out, to, sfi_get(b, in, from));
                    else if (!pool || q == 0)
                        sfi_copy_row(b, sfi_address(b, s->out.buffer, to),
                                     sfi_address(b, in->buffer, from), true);
                    else
                        add_rows(b, sfi_address(b, s->out.buffer, to),
                                 sfi_address(b, in->buffer, from));
                }
                if (!pool)
                    continue;
                if (!s->varies) {
                    sfi_put(b, &s->out, cell, total);
                    continue;
                }
                const float quarter32 = 0.25f;
                const double quarter64 = 0.25;
                const void *quarter = b->e->elem == sizeof(float)
                                          ? (const void *)&quarter32
                                          : (const void *)&quarter64;
                char *row = sfi_address(b, s->out.buffer, cell);
                b->e->loops->ew[SFI_EW_MUL][2](row, row, quarter, NULL, b->ld);
            }
}
