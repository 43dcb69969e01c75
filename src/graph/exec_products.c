/* SPDX-License-Identifier: Apache-2.0 */
/* exec_products.c - products of matrices within a point.
 *
 * Rows run over points, so W x with W the same for all points is one product of W
 * with all points of the block at once.  If the other factor is the same for all,
 * the product is turned; if both vary, sums of products of rows are all there is. */
#include "graph/exec_block.h"

static void matmul_uniform(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    const int64_t m = x->shape.extent[0], k = x->shape.extent[1];
    const int64_t n = y->shape.extent[1];
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double total = 0.0;
            for (int64_t p = 0; p < k; p++)
                total +=
                    sfi_get(b, x,
                            x->offset + i * x->stride[0] + p * x->stride[1]) *
                    sfi_get(b, y,
                            y->offset + p * y->stride[0] + j * y->stride[1]);
            sfi_put(b, &s->out, i * n + j, total);
        }
}

/* Both factors vary: the points run innermost.  Rows from to to - 1. */
static void matmul_varying(const sfi_point_block *b, const sfi_step *s,
                           int64_t from, int64_t to)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    const int64_t k = x->shape.extent[1], n = y->shape.extent[1];
    for (int64_t i = from; i < to; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t p = 0; p < k; p++)
                sfi_multiply_add(b, sfi_address(b, s->out.buffer, i * n + j),
                                 sfi_address(b, x->buffer,
                                             x->offset + i * x->stride[0] +
                                                 p * x->stride[1]),
                                 true,
                                 sfi_address(b, y->buffer,
                                             y->offset + p * y->stride[0] +
                                                 j * y->stride[1]),
                                 true, p == 0);
}

void sfi_step_matmul(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    const int64_t m = x->shape.extent[0], k = x->shape.extent[1];
    const int64_t n = y->shape.extent[1];
    const bool vx = sfi_varies(b, x->buffer), vy = sfi_varies(b, y->buffer);
    if (!vx && !vy) {
        matmul_uniform(b, s);
        return;
    }
    int64_t from, to;
    sfi_part_of(b, m, SFI_WHOLE_ROWS, &from, &to);
    if (from == to)
        return; /* more threads than tiles */
    if (vx && vy) {
        matmul_varying(b, s, from, to);
    } else if (vy) {
        const char *bias =
            s->in_count > 2 ? sfi_address(b, s->in[2].buffer, s->in[2].offset)
                            : NULL;
        sfi_gemm_rows(
            b, to - from, n * b->ld, k,
            sfi_address(b, x->buffer, x->offset + from * x->stride[0]),
            x->stride[0], x->stride[1], sfi_address(b, y->buffer, y->offset),
            y->stride[0] * b->ld, sfi_address(b, s->out.buffer, from * n),
            n * b->ld, bias != NULL ? bias + (size_t)from * b->e->elem : NULL);
    } else {
        /* Row i of X Y is Y^T times row i of X. */
        for (int64_t i = from; i < to; i++)
            sfi_gemm_rows(
                b, n, b->ld, k, sfi_address(b, y->buffer, y->offset),
                y->stride[1], y->stride[0],
                sfi_address(b, x->buffer, x->offset + i * x->stride[0]),
                x->stride[1] * b->ld, sfi_address(b, s->out.buffer, i * n),
                b->ld, NULL);
    }
}
