/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_template.h - the loops of pairs.c, compiled once for every set of
 * instructions: FN(x) appends its suffix and TARGET is its attribute.
 *
 * Products and sums are not contracted (-ffp-contract=off) and every sum has
 * its fixed place, so all sets give the same bits. */

/* square[r*8 + l] = |x_r - y_l|^2 for four rows of x and one panel of y: eight
 * vectors of sums, which fit the registers together with their operands. */
TARGET static inline void FN(squares)(double *square, const double *x,
                                      const double *panel, int64_t d)
{
    v4d low[QUAD], high[QUAD];
    SFI_UNROLL(4)
    for (int r = 0; r < QUAD; r++)
        low[r] = high[r] = (v4d){0.0, 0.0, 0.0, 0.0};
    for (int64_t k = 0; k < d; k++) {
        const v4d y0 = *(const v4d_memory *)(panel + k * SFI_PANEL);
        const v4d y1 = *(const v4d_memory *)(panel + k * SFI_PANEL + 4);
        SFI_UNROLL(4)
        for (int r = 0; r < QUAD; r++) {
            const v4d a = x[r * d + k] - y0;
            const v4d b = x[r * d + k] - y1;
            low[r] += a * a;
            high[r] += b * b;
        }
    }
    SFI_UNROLL(4)
    for (int r = 0; r < QUAD; r++) {
        *(v4d_memory *)(square + r * SFI_PANEL) = low[r];
        *(v4d_memory *)(square + r * SFI_PANEL + 4) = high[r];
    }
}

/* Sum of distances from `rows` rows at x to the panels from <= p < to of y. */
TARGET static double FN(sum)(const double *x, int64_t rows, const sfi_points *y,
                             int64_t from, int64_t to)
{
    SFI_ALIGNED(64) double lanes[LANES] = {0.0};
    SFI_ALIGNED(64) double square[LANES];
    const int64_t d = y->d;
    const int64_t group = panels_in_cache(d);
    for (int64_t g = from; g < to; g += group) {
        const int64_t end = g + group < to ? g + group : to;
        for (int64_t r = 0; r < rows; r += QUAD) {
            for (int64_t p = g; p < end; p++) {
                FN(squares)
                (square, x + r * d, y->panels + p * d * SFI_PANEL, d);
                if (r + QUAD > rows || (p + 1) * SFI_PANEL > y->n)
                    mask(square, rows - r, y->n - p * SFI_PANEL, 0.0);
#pragma omp simd
                for (int l = 0; l < LANES; l++)
                    lanes[l] += sqrt(square[l]);
            }
        }
    }
    double sum = 0.0;
    for (int l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

/* best[r*8 + l] = smallest squared distance of row r to the points 8p + l of y,
 * r < rows <= BLOCK, best [BLOCK, 8]; row r is point self + r of y and does not
 * count, unless self < 0. */
TARGET static void FN(nearest)(double *best, const double *x, int64_t rows,
                               const sfi_points *y, int64_t self)
{
    SFI_ALIGNED(64) double square[LANES];
    const int64_t d = y->d;
    const int64_t panels = (y->n + SFI_PANEL - 1) / SFI_PANEL;
    const int64_t group = panels_in_cache(d);
    for (int64_t g = 0; g < panels; g += group) {
        const int64_t end = g + group < panels ? g + group : panels;
        for (int64_t r = 0; r < rows; r += QUAD) {
            double *row = best + r * SFI_PANEL;
            for (int64_t p = g; p < end; p++) {
                FN(squares)
                (square, x + r * d, y->panels + p * d * SFI_PANEL, d);
                if (r + QUAD > rows || (p + 1) * SFI_PANEL > y->n)
                    mask(square, rows - r, y->n - p * SFI_PANEL, INFINITY);
                if (self >= 0 && p == (self + r) / SFI_PANEL)
                    mask_self(square, (self + r) % SFI_PANEL);
#pragma omp simd
                for (int l = 0; l < LANES; l++)
                    row[l] = square[l] < row[l] ? square[l] : row[l];
            }
        }
    }
}

/* out[r*ld + j] = distance of row r to point j of y, zero beyond the last. */
TARGET static void FN(distances)(double *out, int64_t ld, const double *x,
                                 int64_t rows, const sfi_points *y)
{
    SFI_ALIGNED(64) double square[LANES];
    const int64_t d = y->d;
    const int64_t panels = (y->n + SFI_PANEL - 1) / SFI_PANEL;
    for (int64_t r = 0; r < rows; r += QUAD) {
        for (int64_t p = 0; p < panels; p++) {
            FN(squares)(square, x + r * d, y->panels + p * d * SFI_PANEL, d);
            mask(square, rows - r, y->n - p * SFI_PANEL, 0.0);
            const int64_t here = rows - r < QUAD ? rows - r : QUAD;
            for (int64_t i = 0; i < here; i++) {
                double *to = out + (r + i) * ld + p * SFI_PANEL;
#pragma omp simd
                for (int l = 0; l < SFI_PANEL; l++)
                    to[l] = sqrt(square[i * SFI_PANEL + l]);
            }
        }
    }
}

#undef FN
#undef TARGET
