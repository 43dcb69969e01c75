/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/exec_steps.h"

#include "num/array.h"

#include <string.h>

enum {
    STRIP_BYTES = 16 << 10, /* temporaries of a fused step: half of an L1  */
    MAX_STRIP = 512,
    FEW_POINTS = SFI_ROW_MULTIPLE, /* rows as short as this, of which a strip
                                      holds a whole number, are not worth a
                                      loop each */
    STEP_WORTH = 1 << 12, /* units of sfi_step_work(): less is not shared    */
    WHOLE_ROWS = 12,      /* of a product: whole tiles                       */
    MUCH = 1 << 16        /* units that an image is worth in any case        */
};

/* This thread's part of `count` pieces, [*from, *to), in multiples of `whole`. */
static void part_of(const sfi_block *b, int64_t count, int64_t whole,
                    int64_t *from, int64_t *to)
{
    const int64_t wholes = (count + whole - 1) / whole;
    *from = wholes * b->part / b->parts * whole;
    *to = wholes * (b->part + 1) / b->parts * whole;
    if (*to > count)
        *to = count;
}

/* ---- addresses -------------------------------------------------------------- */

/* Component `comp` of a buffer: a row if it varies, else one number. */
static char *address(const sfi_block *b, int32_t buffer, int64_t comp)
{
    const sfi_exec *e = b->e;
    const sfi_buffer *f = &e->plan->buffers[buffer];
    if (f->varies)
        return b->w->arena + (size_t)((f->offset + comp) * b->ld) * e->elem;
    if (f->place == SFI_IN_PARAM) {
        /* Parameters are only read. */
        const char *base = b->run->params[f->offset];
        return (char *)(uintptr_t)base + (size_t)comp * e->elem;
    }
    return e->uniform + (size_t)(f->offset + comp) * e->elem;
}

static bool varies(const sfi_block *b, int32_t buffer)
{
    return b->e->plan->buffers[buffer].varies;
}

/* Walks the elements of a shape in row-major order and knows the component
 * that each has in up to four views. */
typedef struct walk {
    int rank, views;
    int64_t extent[SF_MAX_RANK], index[SF_MAX_RANK];
    const int64_t *stride[4];
    int64_t at[4];
} walk;

static walk walk_start(const sfi_shape *shape, int views,
                       const sfi_view *const *v)
{
    walk k = {.rank = shape->rank, .views = views};
    memcpy(k.extent, shape->extent, sizeof k.extent);
    for (int i = 0; i < views; i++) {
        k.stride[i] = v[i]->stride;
        k.at[i] = v[i]->offset;
    }
    return k;
}

static bool walk_next(walk *k)
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

static double get(const sfi_block *b, const sfi_view *v, int64_t comp)
{
    return sfi_number_get(b->e->plan->dtype, address(b, v->buffer, comp), 0);
}

static void put(const sfi_block *b, const sfi_view *v, int64_t comp,
                double value)
{
    sfi_number_put(b->e->plan->dtype, address(b, v->buffer, comp), 0, value);
}

/* ---- rows ------------------------------------------------------------------- */

/* A row (or a number to fill one with) from `from` to row `to`. */
static void copy_row(const sfi_block *b, char *to, const char *from, bool row)
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
static void multiply_add(const sfi_block *b, char *dst, const char *x,
                         bool x_row, const char *y, bool y_row, bool first)
{
    const sfi_loops *l = b->e->loops;
    const int mode = (x_row ? 0 : 1) | (y_row ? 0 : 2);
    if (first)
        l->ew[SFI_EW_MUL][mode](dst, x, y, NULL, b->ld);
    else
        l->ew[SFI_EW_FMA][mode](dst, x, y, dst, b->ld);
}

static void add_rows(const sfi_block *b, char *dst, const char *x)
{
    b->e->loops->ew[SFI_EW_ADD][0](dst, dst, x, NULL, b->ld);
}

/* ---- copies ----------------------------------------------------------------- */

static void copy_view(const sfi_block *b, const sfi_view *out,
                      const sfi_view *in)
{
    const sfi_view *const both[2] = {out, in};
    walk k = walk_start(&in->shape, 2, both);
    const bool row_in = varies(b, in->buffer);
    const bool row_out = varies(b, out->buffer);
    do {
        char *to = address(b, out->buffer, k.at[0]);
        const char *from = address(b, in->buffer, k.at[1]);
        if (row_out)
            copy_row(b, to, from, row_in);
        else
            memcpy(to, from, b->e->elem);
    } while (walk_next(&k));
}

static void clear_view(const sfi_block *b, const sfi_view *out)
{
    const int64_t comps = sfi_shape_count(&out->shape);
    const int64_t each = varies(b, out->buffer) ? b->ld : 1;
    memset(address(b, out->buffer, 0), 0, (size_t)(comps * each) * b->e->elem);
}

static void step_concat(const sfi_block *b, const sfi_step *s)
{
    int64_t first = 0;
    for (int i = 0; i < s->in_count; i++) {
        sfi_view part = s->out;
        const int64_t extent = s->in[i].shape.extent[s->index];
        part.offset += first * part.stride[s->index];
        part.shape.extent[s->index] = extent;
        copy_view(b, &part, &s->in[i]);
        first += extent;
    }
}

/* ---- fused chains ----------------------------------------------------------- */

static int64_t strip_length(const sfi_exec *e, int rows)
{
    int64_t strip = STRIP_BYTES / (int64_t)e->elem / (rows + 1);
    strip = strip / SFI_ROW_MULTIPLE * SFI_ROW_MULTIPLE;
    if (strip > MAX_STRIP)
        strip = MAX_STRIP;
    return strip < 4 * SFI_ROW_MULTIPLE ? 4 * SFI_ROW_MULTIPLE : strip;
}

/* Numbers that are one for each element of the last axis, and not for each point:
 * they would make every row a loop of its own.  Of few points, they are written out as
 * rows, so that the last axis and the points are one run all the same. */
static bool written_out(const sfi_fused *f, int k)
{
    return f->operands[k].scalar && f->operands[k].stride[f->rank - 1] != 0;
}

/* Elements first, ..., first + n - 1 of such an operand, from its numbers. */
static void write_out(const sfi_block *b, const sfi_operand *o, int rank,
                      char *to, const char *numbers, int64_t first, int64_t n)
{
    const size_t elem = b->e->elem;
    for (int64_t i = 0; i < n; i += b->ld) {
        const int64_t number = (first + i) / b->ld * o->stride[rank - 1];
        copy_row(b, to + (size_t)i * elem, numbers + (size_t)number * elem,
                 false);
    }
}

/* Where the operands begin for the strip of n elements from `first` on. */
static void start_strip(const sfi_block *b, const sfi_fused *f,
                        char *const *base, bool few, size_t temp_stride,
                        int64_t first, int64_t n)
{
    char *row = b->w->temps + (size_t)f->temp_count * temp_stride;
    for (int k = 0; k < f->operand_count; k++) {
        const sfi_operand *o = &f->operands[k];
        b->w->starts[k] =
            o->scalar ? base[k] : base[k] + (size_t)first * b->e->elem;
        if (!few || !written_out(f, k))
            continue;
        write_out(b, o, f->rank, row, base[k], first, n);
        b->w->starts[k] = row;
        row += temp_stride;
    }
}

static char *operand_at(const sfi_block *b, int where, size_t temp_stride)
{
    return where >= 0 ? b->w->temps + (size_t)where * temp_stride
                      : b->w->starts[~where];
}

/* Which operands the loop reads as one number. */
static int mode_of(const sfi_fused *f, const sfi_instruction *in, bool few)
{
    const int where[] = {in->a, in->b, in->c};
    int mode = in->mode;
    for (int k = 0; k < 3 && few; k++)
        if (where[k] < 0 && written_out(f, ~where[k]))
            mode &= ~(1 << k);
    return mode;
}

/* `few`: operands are written out where that makes rows of them. */
static void run_strips(const sfi_block *b, const sfi_fused *f,
                       char *const *base, int64_t count, bool few)
{
    const sfi_exec *e = b->e;
    int rows = f->temp_count;
    for (int k = 0; k < f->operand_count && few; k++)
        rows += written_out(f, k);
    const int64_t strip = strip_length(e, rows);
    const size_t stride = (size_t)strip * e->elem;
    int64_t from, to;
    part_of(b, count, SFI_ROW_MULTIPLE, &from, &to);
    for (int64_t i = from; i < to; i += strip) {
        const int64_t n = to - i < strip ? to - i : strip;
        start_strip(b, f, base, few, stride, i, n);
        for (int k = 0; k < f->instruction_count; k++) {
            const sfi_instruction *in = &f->instructions[k];
            e->loops->ew[in->op][mode_of(f, in, few)](
                operand_at(b, in->dst, stride), operand_at(b, in->a, stride),
                operand_at(b, in->b, stride), operand_at(b, in->c, stride), n);
        }
    }
}

/* Instructions that take fewer than three operands leave the others 0, which
 * names the first temporary: harmless, since the loops ignore them. */
static void step_fused(const sfi_block *b, const sfi_step *s)
{
    const sfi_fused *f = s->fused;
    char **base = b->w->bases;
    const int64_t row = s->varies ? b->ld : 1;
    const bool few =
        !f->flat && f->lined_up && s->varies && b->ld <= FEW_POINTS;
    const int outer = (f->flat || few) && f->rank > 0 ? f->rank - 1 : f->rank;
    int64_t count = row;
    if (outer < f->rank)
        count *= f->extent[f->rank - 1];
    if (!s->varies)
        count = sfi_row_length(count);
    int64_t index[SF_MAX_RANK] = {0};
    for (;;) {
        for (int k = 0; k < f->operand_count; k++) {
            const sfi_operand *o = &f->operands[k];
            int64_t comp = o->offset;
            for (int i = 0; i < outer; i++)
                comp += index[i] * o->stride[i];
            base[k] = address(b, o->buffer, comp);
        }
        run_strips(b, f, base, count, few);
        int i = outer - 1;
        while (i >= 0 && ++index[i] == f->extent[i])
            index[i--] = 0;
        if (i < 0)
            return;
    }
}

/* ---- sums within a point ---------------------------------------------------- */

static void step_sum(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *in = &s->in[0];
    const int64_t kept = sfi_shape_count(&s->out.shape);
    const int64_t summed = sfi_shape_count(&in->shape) / kept;
    sfi_shape outer = in->shape;
    const int last = outer.rank - 1;
    int64_t length = 1, stride = 0;
    if (s->varies && last >= 0 && summed % outer.extent[last] == 0) {
        length = outer.extent[last];
        stride = in->stride[last] * b->ld;
        outer.rank--;
    }
    walk k = walk_start(&outer, 1, &in);
    for (int64_t i = 0; i < kept; i++) {
        char *dst = address(b, s->out.buffer, i);
        double total = 0.0;
        for (int64_t j = 0; j < summed; j += length) {
            if (s->varies)
                b->e->loops->sum_rows(dst, address(b, in->buffer, k.at[0]),
                                      stride, length, b->ld, j > 0);
            else
                total += get(b, in, k.at[0]);
            (void)walk_next(&k);
        }
        if (!s->varies)
            put(b, &s->out, i, total);
    }
}

/* ---- products --------------------------------------------------------------- */

static void gemm(const sfi_block *b, int64_t m, int64_t n, int64_t k,
                 const char *a, int64_t a_row, int64_t a_col, const char *x,
                 int64_t ldx, char *y, int64_t ldy, const char *bias)
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

static void matmul_uniform(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    const int64_t m = x->shape.extent[0], k = x->shape.extent[1];
    const int64_t n = y->shape.extent[1];
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double total = 0.0;
            for (int64_t p = 0; p < k; p++)
                total +=
                    get(b, x, x->offset + i * x->stride[0] + p * x->stride[1]) *
                    get(b, y, y->offset + p * y->stride[0] + j * y->stride[1]);
            put(b, &s->out, i * n + j, total);
        }
}

/* Both factors vary: the points run innermost. */
static void matmul_varying(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    const int64_t m = x->shape.extent[0], k = x->shape.extent[1];
    const int64_t n = y->shape.extent[1];
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t p = 0; p < k; p++)
                multiply_add(
                    b, address(b, s->out.buffer, i * n + j),
                    address(b, x->buffer,
                            x->offset + i * x->stride[0] + p * x->stride[1]),
                    true,
                    address(b, y->buffer,
                            y->offset + p * y->stride[0] + j * y->stride[1]),
                    true, p == 0);
}

static void step_matmul(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    const int64_t m = x->shape.extent[0], k = x->shape.extent[1];
    const int64_t n = y->shape.extent[1];
    const bool vx = varies(b, x->buffer), vy = varies(b, y->buffer);
    if (!vx && !vy) {
        matmul_uniform(b, s);
    } else if (vx && vy) {
        matmul_varying(b, s);
    } else if (vy) {
        const char *bias = s->in_count > 2
                               ? address(b, s->in[2].buffer, s->in[2].offset)
                               : NULL;
        int64_t from, to;
        part_of(b, m, WHOLE_ROWS, &from, &to);
        if (from == to)
            return; /* more threads than tiles */
        gemm(b, to - from, n * b->ld, k,
             address(b, x->buffer, x->offset + from * x->stride[0]),
             x->stride[0], x->stride[1], address(b, y->buffer, y->offset),
             y->stride[0] * b->ld, address(b, s->out.buffer, from * n),
             n * b->ld, bias != NULL ? bias + (size_t)from * b->e->elem : NULL);
    } else {
        /* Row i of X Y is Y^T times row i of X. */
        for (int64_t i = 0; i < m; i++)
            gemm(b, n, b->ld, k, address(b, y->buffer, y->offset), y->stride[1],
                 y->stride[0],
                 address(b, x->buffer, x->offset + i * x->stride[0]),
                 x->stride[1] * b->ld, address(b, s->out.buffer, i * n), b->ld,
                 NULL);
    }
}

/* ---- convolutions ------------------------------------------------------------
 *
 *     y[o, i, j] = sum_{c, a, b} w[o, c, a, b] x[c, i+a-pad, j+b-pad]
 *
 * With the weights uniform, an output row is a product of the weights [o, c*a*b]
 * with the input rows it sees, unrolled to [c*a*b, j*points]; since points are
 * innermost, unrolling copies whole runs of pixels. */
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

/* columns [ci*kh*kw, wo*ld] <- what output row i sees of x; or, back, add the
 * columns to x. */
static void unroll(const sfi_block *b, const conv *c, const sfi_view *x,
                   int64_t i, bool back)
{
    const size_t elem = b->e->elem;
    const size_t pixel = (size_t)b->ld * elem;
    char *column = b->w->columns;
    for (int64_t ch = 0; ch < c->ci; ch++)
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
                char *image = address(b, x->buffer,
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
typedef void (*conv_visit)(const sfi_block *b, const sfi_step *s, int64_t y,
                           int64_t w, int64_t x);

static void conv_each(const sfi_block *b, const sfi_step *s, const conv *c,
                      conv_visit visit)
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
static void accumulate(const sfi_block *b, const sfi_step *s, int64_t k,
                       int64_t p, int64_t q)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    if (!s->varies) {
        put(b, &s->out, k,
            get(b, &s->out, k) +
                get(b, x, x->offset + p) * get(b, y, y->offset + q));
        return;
    }
    multiply_add(b, address(b, s->out.buffer, k),
                 address(b, x->buffer, x->offset + p), varies(b, x->buffer),
                 address(b, y->buffer, y->offset + q), varies(b, y->buffer),
                 false);
}

static void visit_conv(const sfi_block *b, const sfi_step *s, int64_t y,
                       int64_t w, int64_t x)
{
    accumulate(b, s, y, x, w);
}

static void visit_grad_x(const sfi_block *b, const sfi_step *s, int64_t y,
                         int64_t w, int64_t x)
{
    accumulate(b, s, x, y, w);
}

static void visit_grad_w(const sfi_block *b, const sfi_step *s, int64_t y,
                         int64_t w, int64_t x)
{
    accumulate(b, s, w, x, y);
}

static void step_conv(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *w = &s->in[1];
    const conv c = conv_shape(&x->shape, &w->shape, &s->out.shape, s->pad);
    if (!varies(b, x->buffer) || varies(b, w->buffer)) {
        clear_view(b, &s->out);
        conv_each(b, s, &c, visit_conv);
        return;
    }
    const int64_t taps = c.ci * c.kh * c.kw;
    for (int64_t i = 0; i < c.ho; i++) {
        unroll(b, &c, x, i, false);
        gemm(b, c.co, c.wo * b->ld, taps, address(b, w->buffer, w->offset),
             taps, 1, b->w->columns, c.wo * b->ld,
             address(b, s->out.buffer, i * c.wo), c.ho * c.wo * b->ld, NULL);
    }
}

static void step_conv_grad_x(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *dy = &s->in[0], *w = &s->in[1];
    const conv c = conv_shape(&s->out.shape, &w->shape, &dy->shape, s->pad);
    clear_view(b, &s->out);
    if (!varies(b, dy->buffer) || varies(b, w->buffer)) {
        conv_each(b, s, &c, visit_grad_x);
        return;
    }
    const int64_t taps = c.ci * c.kh * c.kw;
    for (int64_t i = 0; i < c.ho; i++) {
        gemm(b, taps, c.wo * b->ld, c.co, address(b, w->buffer, w->offset), 1,
             taps, address(b, dy->buffer, dy->offset + i * c.wo),
             c.ho * c.wo * b->ld, b->w->columns, c.wo * b->ld, NULL);
        unroll(b, &c, &s->out, i, true);
    }
}

static void step_conv_grad_w(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *dy = &s->in[1];
    const conv c = conv_shape(&x->shape, &s->out.shape, &dy->shape, s->pad);
    clear_view(b, &s->out);
    conv_each(b, s, &c, visit_grad_w);
}

/* ---- pooling ---------------------------------------------------------------- */

/* Cell (i, j) of channel c, small [h,w], large [2h,2w]: visit its four pixels.
 * POOL: small = mean; UPSAMPLE: each of large = small. */
static void step_resample(const sfi_block *b, const sfi_step *s)
{
    const bool pool = s->kind == SFI_STEP_POOL;
    const sfi_view *in = &s->in[0];
    const sfi_shape *small = pool ? &s->out.shape : &in->shape;
    const int64_t h = small->extent[1], w = small->extent[2];
    for (int64_t c = 0; c < small->extent[0]; c++)
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
                        total += 0.25 * get(b, in, from);
                    else if (!s->varies)
                        put(b, &s->out, to, get(b, in, from));
                    else if (!pool || q == 0)
                        copy_row(b, address(b, s->out.buffer, to),
                                 address(b, in->buffer, from), true);
                    else
                        add_rows(b, address(b, s->out.buffer, to),
                                 address(b, in->buffer, from));
                }
                if (!pool)
                    continue;
                if (!s->varies) {
                    put(b, &s->out, cell, total);
                    continue;
                }
                const float quarter32 = 0.25f;
                const double quarter64 = 0.25;
                const void *quarter = b->e->elem == sizeof(float)
                                          ? (const void *)&quarter32
                                          : (const void *)&quarter64;
                char *row = address(b, s->out.buffer, cell);
                b->e->loops->ew[SFI_EW_MUL][2](row, row, quarter, NULL, b->ld);
            }
}

/* ---- in and out ------------------------------------------------------------- */

static void step_load(const sfi_block *b, const sfi_step *s)
{
    const sfi_exec *e = b->e;
    const sf_source *src = &b->run->sources[s->index];
    const int64_t dim = sfi_shape_count(&s->out.shape);
    char *dst = address(b, s->out.buffer, 0);
    if (src->kind == SF_ROWS) {
        const size_t skip =
            src->rows != NULL
                ? 0
                : (size_t)(b->first * src->stride) * sf_dtype_size(src->dtype);
        const int64_t *rows = src->rows != NULL ? src->rows + b->first : NULL;
        e->loops->load(dst, b->ld, (const char *)src->data + skip, src->dtype,
                       src->stride, rows, b->points, b->ld, dim);
        return;
    }
    const sfi_where where = {src->seed, src->first_point + (uint64_t)b->first,
                             src->step, (sfi_stream)src->stream};
    if (src->kind == SF_NORMAL)
        e->loops->normal(dst, b->ld, where, src->first_component, b->ld, dim);
    else
        e->loops->uniform(dst, b->ld, where, src->first_component, b->ld, dim);
}

static void step_store(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *in = &s->in[0];
    const sf_sink *sink = &b->run->sinks[s->index];
    const size_t bytes = sf_dtype_size(sink->dtype);
    char *dst = (char *)sink->data + (size_t)(b->first * sink->stride) * bytes;
    const sfi_loops *l = b->e->loops;
    if (sfi_view_contiguous(in)) {
        l->store(dst, sink->dtype, sink->stride,
                 address(b, in->buffer, in->offset), b->ld, b->points,
                 sfi_shape_count(&in->shape));
        return;
    }
    walk k = walk_start(&in->shape, 1, &in);
    do {
        l->store(dst, sink->dtype, sink->stride,
                 address(b, in->buffer, k.at[0]), b->ld, b->points, 1);
        dst += bytes;
    } while (walk_next(&k));
}

static void step_reduce(const sfi_block *b, const sfi_step *s)
{
    const sfi_exec *e = b->e;
    const sfi_view *in = &s->in[0];
    double *sum = e->sums + (int64_t)b->lane * e->plan->sum_comps +
                  e->plan->outputs[s->index].sum_offset;
    walk k = walk_start(&in->shape, 1, &in);
    do
        *sum++ += e->loops->sum(address(b, in->buffer, k.at[0]), b->points);
    while (walk_next(&k));
}

/* Where products of output `index` accumulate, and whether they hold anything
 * yet in this lane. */
static char *product_sum(const sfi_block *b, int64_t index, bool *begun)
{
    const sfi_exec *e = b->e;
    bool *flag = &e->started[(int64_t)b->lane * e->plan->output_count + index];
    *begun = *flag;
    *flag = true;
    return e->products + (size_t)((int64_t)b->lane * e->plan->product_comps +
                                  e->plan->outputs[index].product_offset) *
                             e->elem;
}

/* Places beyond the last point must not count: zero them in every row that a
 * product over points reads.  Both factors, since 0 * NaN is NaN. */
static void clear_padding(const sfi_block *b, const sfi_view *v)
{
    const size_t elem = b->e->elem;
    const size_t tail = (size_t)(b->ld - b->points) * elem;
    if (tail == 0)
        return;
    walk k = walk_start(&v->shape, 1, &v);
    do
        memset(address(b, v->buffer, k.at[0]) + (size_t)b->points * elem, 0,
               tail);
    while (walk_next(&k));
}

static void step_reduce_nt(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    clear_padding(b, x);
    clear_padding(b, y);
    bool begun;
    char *sum = product_sum(b, s->index, &begun);
    const int64_t m = x->shape.extent[0], n = y->shape.extent[0];
    const sfi_gemm_nt g = {.m = m,
                           .n = n,
                           .p = x->shape.extent[1] * b->ld,
                           .a = address(b, x->buffer, x->offset),
                           .lda = x->stride[0] * b->ld,
                           .b = address(b, y->buffer, y->offset),
                           .ldb = y->stride[0] * b->ld,
                           .c = sum,
                           .ldc = n,
                           .accumulate = begun};
    b->e->loops->gemm_nt(&g, b->w->pack);
}

static void step_reduce_conv(const sfi_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *dy = &s->in[1];
    const int64_t pad = s->pad;
    sfi_shape weights = {
        4,
        {dy->shape.extent[0], x->shape.extent[0],
         x->shape.extent[1] + 2 * pad - dy->shape.extent[1] + 1,
         x->shape.extent[2] + 2 * pad - dy->shape.extent[2] + 1}};
    const conv c = conv_shape(&x->shape, &weights, &dy->shape, pad);
    clear_padding(b, x);
    clear_padding(b, dy);
    bool begun;
    char *sum = product_sum(b, s->index, &begun);
    const int64_t taps = c.ci * c.kh * c.kw;
    for (int64_t i = 0; i < c.ho; i++) {
        unroll(b, &c, x, i, false);
        const sfi_gemm_nt g = {
            .m = c.co,
            .n = taps,
            .p = c.wo * b->ld,
            .a = address(b, dy->buffer, dy->offset + i * c.wo),
            .lda = c.ho * c.wo * b->ld,
            .b = b->w->columns,
            .ldb = c.wo * b->ld,
            .c = sum,
            .ldc = taps,
            .accumulate = begun || i > 0};
        b->e->loops->gemm_nt(&g, b->w->pack);
    }
}

void sfi_write_uniform(const sfi_block *b, const sfi_plan_output *o,
                       const sf_sink *sink)
{
    const sfi_view *v = &o->value;
    walk k = walk_start(&v->shape, 1, &v);
    int64_t j = 0;
    do {
        const double value = get(b, v, k.at[0]);
        if (o->reduce == SF_SUM)
            sfi_number_put(sink->dtype, sink->data, j,
                           value * (double)b->run->points);
        else
            for (int64_t i = 0; i < b->run->points; i++)
                sfi_number_put(sink->dtype, sink->data, i * sink->stride + j,
                               value);
        j++;
    } while (walk_next(&k));
}

/* ---- running ---------------------------------------------------------------- */

void sfi_run_step(const sfi_block *b, const sfi_step *s)
{
    switch (s->kind) {
    case SFI_STEP_LOAD:
        step_load(b, s);
        break;
    case SFI_STEP_FUSED:
        step_fused(b, s);
        break;
    case SFI_STEP_COPY:
        copy_view(b, &s->out, &s->in[0]);
        break;
    case SFI_STEP_PAD:
        clear_view(b, &s->out);
        copy_view(b, &s->window, &s->in[0]);
        break;
    case SFI_STEP_CONCAT:
        step_concat(b, s);
        break;
    case SFI_STEP_SUM:
        step_sum(b, s);
        break;
    case SFI_STEP_MATMUL:
        step_matmul(b, s);
        break;
    case SFI_STEP_CONV:
        step_conv(b, s);
        break;
    case SFI_STEP_CONV_GRAD_X:
        step_conv_grad_x(b, s);
        break;
    case SFI_STEP_CONV_GRAD_W:
        step_conv_grad_w(b, s);
        break;
    case SFI_STEP_POOL:
    case SFI_STEP_UPSAMPLE:
        step_resample(b, s);
        break;
    case SFI_STEP_STORE:
        step_store(b, s);
        break;
    case SFI_STEP_REDUCE:
        step_reduce(b, s);
        break;
    case SFI_STEP_REDUCE_NT:
        step_reduce_nt(b, s);
        break;
    case SFI_STEP_REDUCE_CONV:
        step_reduce_conv(b, s);
        break;
    }
}

/* ---- what steps cost and need --------------------------------------------------- */

/* What an element-wise operation costs beside an addition, roughly. */
static double price(sfi_ew op)
{
    switch (op) {
    case SFI_EW_NEG:
    case SFI_EW_ABS:
    case SFI_EW_SIGN:
    case SFI_EW_FLOOR:
    case SFI_EW_ADD:
    case SFI_EW_SUB:
    case SFI_EW_MUL:
    case SFI_EW_MIN:
    case SFI_EW_MAX:
    case SFI_EW_LESS:
    case SFI_EW_LESS_EQUAL:
    case SFI_EW_EQUAL:
    case SFI_EW_SELECT:
    case SFI_EW_FMA:
        return 1.0;
    case SFI_EW_SQRT:
    case SFI_EW_DIV:
        return 3.0;
    default:
        return 8.0;
    }
}

double sfi_step_work(const sfi_step *s)
{
    const double out = (double)sfi_shape_count(&s->out.shape);
    double in = 1.0, sum = 0.0;
    switch (s->kind) {
    case SFI_STEP_FUSED:
        for (int i = 0; i < s->fused->rank; i++)
            in *= (double)s->fused->extent[i];
        for (int i = 0; i < s->fused->instruction_count; i++)
            sum += price(s->fused->instructions[i].op);
        return in * sum;
    case SFI_STEP_MATMUL:
        return out * (double)s->in[0].shape.extent[1] / 8.0;
    case SFI_STEP_REDUCE_NT:
        return (double)sfi_shape_count(&s->in[0].shape) *
               (double)s->in[1].shape.extent[0] / 8.0;
    case SFI_STEP_CONV:
    case SFI_STEP_CONV_GRAD_X:
    case SFI_STEP_CONV_GRAD_W:
    case SFI_STEP_REDUCE_CONV:
        return MUCH;
    default:
        for (int i = 0; i < s->in_count; i++)
            in += (double)sfi_shape_count(&s->in[i].shape);
        return in;
    }
}

bool sfi_step_shared(const sfi_block *b, const sfi_step *s)
{
    const bool product = s->kind == SFI_STEP_MATMUL &&
                         !varies(b, s->in[0].buffer) &&
                         s->out.shape.extent[0] >= 2 * WHOLE_ROWS;
    return (product || s->kind == SFI_STEP_FUSED) &&
           sfi_step_work(s) * (double)b->ld >= STEP_WORTH;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Work space that the products and convolutions of one step need. */
static void measure_step(sfi_exec *e, const sfi_step *s)
{
    const sfi_loops *l = e->loops;
    const int64_t ld = e->ld_max;
    int64_t m, n, k, p, wide;
    switch (s->kind) {
    case SFI_STEP_MATMUL:
        m = s->in[0].shape.extent[0];
        k = s->in[0].shape.extent[1];
        n = s->in[1].shape.extent[1];
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(m, n * ld, k));
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(n, ld, k));
        break;
    case SFI_STEP_REDUCE_NT:
        m = s->in[0].shape.extent[0];
        p = s->in[0].shape.extent[1] * ld;
        n = s->in[1].shape.extent[0];
        e->pack_bytes = larger(e->pack_bytes, l->gemm_nt_work(m, n, p));
        break;
    case SFI_STEP_CONV:
    case SFI_STEP_CONV_GRAD_X:
        k = sfi_shape_count(&s->in[1].shape) / s->in[1].shape.extent[0];
        m = s->in[1].shape.extent[0];
        wide = (s->kind == SFI_STEP_CONV ? s->out : s->in[0]).shape.extent[2];
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(m, wide * ld, k));
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(k, wide * ld, m));
        e->column_bytes =
            larger(e->column_bytes, (size_t)(k * wide * ld) * e->elem);
        break;
    case SFI_STEP_REDUCE_CONV: {
        const sfi_shape *x = &s->in[0].shape, *dy = &s->in[1].shape;
        k = x->extent[0] * (x->extent[1] + 2 * s->pad - dy->extent[1] + 1) *
            (x->extent[2] + 2 * s->pad - dy->extent[2] + 1);
        wide = dy->extent[2];
        e->pack_bytes =
            larger(e->pack_bytes, l->gemm_nt_work(dy->extent[0], k, wide * ld));
        e->column_bytes =
            larger(e->column_bytes, (size_t)(k * wide * ld) * e->elem);
        break;
    }
    default:
        break;
    }
}

void sfi_measure_steps(sfi_exec *e)
{
    const sfi_plan *plan = e->plan;
    for (size_t i = 0; i < plan->step_count; i++)
        measure_step(e, &plan->steps[i]);
    e->temp_bytes = larger(STRIP_BYTES, (size_t)(plan->temp_rows + 1) * 4 *
                                            SFI_ROW_MULTIPLE * e->elem);
}
