/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.c - the nearest rows, by looking at all pairs.
 *
 * The few nearest so far are kept in order by insertion, which most rows do not
 * get into: the time is that of the distances, rows^2 of them. */
#include "fit/neighbours.h"

#include "base/parallel.h"

#include <math.h>

typedef struct neighbour_search {
    sf_cmat y;
    const double *unit;  /* [inner] over the spread of the noise */
    const double *round; /* [inner] a whole turn of an angle, else 0; of levels,
                            which differ or not, infinity           */
    sfi_neighbours *out;
} neighbour_search;

static double squared_distance(const neighbour_search *b, int64_t i, int64_t k)
{
    const double *a = b->y.data + i * b->y.stride;
    const double *c = b->y.data + k * b->y.stride;
    double sum = 0.0;
    for (int64_t j = 0; j < b->y.cols; j++) {
        double gap = a[j] - c[j];
        if (b->round[j] == INFINITY)
            gap = gap != 0.0 ? 1.0 : 0.0;
        else if (b->round[j] > 0.0)
            gap = remainder(gap, b->round[j]);
        gap *= b->unit[j];
        sum += gap * gap;
    }
    return sum;
}

void sfi_keep_nearest(double distance, int64_t row, int64_t most, double *near,
                      int64_t *rows)
{
    if (!(distance < near[most - 1]) &&
        !(distance == near[most - 1] && row < rows[most - 1]))
        return;
    int64_t at = most - 1;
    for (; at > 0 && (distance < near[at - 1] ||
                      (distance == near[at - 1] && row < rows[at - 1]));
         at--) {
        near[at] = near[at - 1];
        rows[at] = rows[at - 1];
    }
    near[at] = distance;
    rows[at] = row;
}

static void find(void *user, int64_t part, int64_t first, int64_t count)
{
    const neighbour_search *b = user;
    const int64_t most = b->out->most;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        double *near = b->out->square + i * most;
        int64_t *row = b->out->row + i * most;
        for (int64_t k = 0; k < most; k++)
            near[k] = INFINITY;
        for (int64_t k = 0; k < b->y.rows; k++) {
            if (k != i)
                sfi_keep_nearest(squared_distance(b, i, k), k, most, near, row);
        }
    }
}

sf_status sfi_neighbours_find(const sf_model *m, sfi_neighbours *out, sf_cmat y,
                              int64_t most)
{
    sf_context *ctx = m->ctx;
    const size_t cells = (size_t)(y.rows * most), d = (size_t)m->inner;
    *out = (sfi_neighbours){y.rows, most, NULL, NULL};
    out->square = sfi_alloc(ctx, cells, sizeof *out->square);
    out->row = sfi_alloc_zero(ctx, cells, sizeof *out->row);
    double *unit = sfi_alloc_zero(ctx, 2 * d, sizeof *unit);
    sf_status status = out->square != NULL && out->row != NULL && unit != NULL
                           ? sfi_level_spread(m, unit)
                           : SF_E_NOMEM;
    if (status == SF_OK) {
        double *round = unit + d;
        for (size_t j = 0; j < d; j++)
            unit[j] = 1.0 / unit[j];
        for (int64_t k = 0; k < m->noise.count; k++) {
            const sfi_block *block = &m->noise.blocks[k];
            round[block->at] = sfi_block_is_angle(block)   ? 6.283185307179586
                               : block->kernel.ops->levels ? INFINITY
                                                           : 0.0;
        }
        neighbour_search b = {y, unit, round, out};
        sfi_parallel(ctx, y.rows, 16, find, &b);
    }
    sfi_free(ctx, unit, 2 * d, sizeof *unit);
    if (status != SF_OK)
        sfi_neighbours_free(ctx, out);
    return status;
}

void sfi_neighbours_free(sf_context *ctx, sfi_neighbours *p)
{
    const size_t cells = (size_t)(p->rows * p->most);
    sfi_free(ctx, p->row, cells, sizeof *p->row);
    sfi_free(ctx, p->square, cells, sizeof *p->square);
    *p = (sfi_neighbours){0};
}
