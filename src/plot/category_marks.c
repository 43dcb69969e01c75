/* SPDX-License-Identifier: Apache-2.0 */
/* category_marks.c - boxes and tiles.
 *
 * Levels are the numbers 0, 1, ... of an axis and each has the place from half a unit
 * below to half a unit above it. */
#include "plot/category_marks.h"

#include "num/association.h"

#include <math.h>
#include <stdio.h>

static const double box_share = 0.64;  /* of a level's place */
static const double tile_share = 0.94; /* of a pair's place  */

/* The level that a cell is, -1 if it is none. */
static int64_t level_of(double cell, int64_t count)
{
    const double nearest = rint(cell); /* NaN stays */
    return nearest >= 0.0 && nearest < (double)count ? (int64_t)nearest : -1;
}

/* ---- boxes ------------------------------------------------------------------ */

typedef struct boxes {
    sfi_canvas *canvas;
    const sfi_panel *panel;
    bool upright; /* the category is on x */
} boxes;

/* A rectangle from `a` to `b` across the category's axis and `lo` to `hi` along the
 * number's. */
static void fill(const boxes *b, double from, double to, double lo, double hi,
                 sfi_rgba colour)
{
    if (b->upright)
        sfi_fill_rect(b->canvas, from, lo, to, hi, colour);
    else
        sfi_fill_rect(b->canvas, lo, from, hi, to, colour);
}

static void line(const boxes *b, double from, double to, double lo, double hi,
                 double width, sfi_rgba colour)
{
    if (b->upright)
        sfi_draw_line(b->canvas, from, lo, to, hi, width, colour);
    else
        sfi_draw_line(b->canvas, lo, from, hi, to, width, colour);
}

/* A box between two places across. */
static void draw_box(const boxes *b, double from, double to,
                     const sfi_sorted *sorted, sfi_rgba colour)
{
    static const double shares[] = {0.05, 0.25, 0.5, 0.75, 0.95};
    const sfi_axis *axis = b->upright ? &b->panel->y : &b->panel->x;
    double at[SFI_COUNT(shares)];
    if (sorted->count == 0)
        return;
    for (size_t k = 0; k < SFI_COUNT(shares); k++)
        at[k] = sfi_axis_at(axis, sfi_sorted_quantile(sorted, shares[k]));
    const double middle = 0.5 * (from + to);
    line(b, middle, middle, at[0], at[1], 0.9, colour);
    line(b, middle, middle, at[3], at[4], 0.9, colour);
    fill(b, from, to, at[1], at[3], sfi_faded(colour, 0.38));
    line(b, from, to, at[2], at[2], 1.6, colour);
    for (int k = 1; k <= 3; k += 2) /* its ends are seen where it is flat */
        line(b, from, to, at[k], at[k], 0.7, colour);
    line(b, from, from, at[1], at[3], 0.7, colour);
    line(b, to, to, at[1], at[3], 0.7, colour);
}

/* The numbers of the rows that have this level, sorted. */
static sf_status take_level(sf_context *ctx, sfi_sorted *sorted, double *room,
                            sf_cmat m, int64_t category, int64_t number,
                            int64_t level)
{
    int64_t n = 0;
    for (int64_t i = 0; i < m.rows; i++)
        if (rint(sfi_cell(m, i, category)) == (double)level)
            room[n++] = sfi_cell(m, i, number);
    return sfi_sorted_new(ctx, sorted, (sf_cmat){room, n, 1, 1}, 0);
}

static sf_status draw_table(const boxes *b, sf_cmat m, int64_t jx, int64_t jy,
                            double from, double to, sfi_rgba colour)
{
    sf_context *ctx = b->canvas->ctx;
    const sfi_axis *across = b->upright ? &b->panel->x : &b->panel->y;
    const size_t count = (size_t)m.rows;
    double *room = sfi_alloc(ctx, count, sizeof *room);
    sf_status status = room != NULL ? SF_OK : SF_E_NOMEM;
    for (int64_t l = 0; l < across->name_count && status == SF_OK; l++) {
        sfi_sorted sorted = {0};
        status = take_level(ctx, &sorted, room, m, b->upright ? jx : jy,
                            b->upright ? jy : jx, l);
        if (status == SF_OK)
            draw_box(b, sfi_axis_at(across, (double)l + from),
                     sfi_axis_at(across, (double)l + to), &sorted, colour);
        sfi_sorted_free(&sorted);
    }
    sfi_free(ctx, room, count, sizeof *room);
    return status;
}

sf_status sfi_draw_boxes(sfi_canvas *canvas, const sfi_panel *panel,
                         const sf_cmat table[2], int64_t jx, int64_t jy)
{
    const boxes b = {canvas, panel, panel->x.name_count > 0};
    const bool both = table[0].rows > 0 && table[1].rows > 0;
    const double half = 0.5 * box_share;
    for (int t = 0; t < 2; t++) {
        if (table[t].rows == 0)
            continue;
        const double from = both && t == 1 ? 0.03 : -half;
        const double to = both && t == 0 ? -0.03 : half;
        SFI_TRY(draw_table(&b, table[t], jx, jy, from, to,
                           t == 0 ? sfi_real : sfi_synthetic));
    }
    return SF_OK;
}

/* ---- tiles ------------------------------------------------------------------ */

/* Add how many rows have each pair of levels, [ny, nx]; the sum is returned. */
static int64_t count_pairs(int64_t *count, sf_cmat m, int64_t jx, int64_t jy,
                           int64_t nx, int64_t ny)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < m.rows; i++) {
        const int64_t x = level_of(sfi_cell(m, i, jx), nx);
        const int64_t y = level_of(sfi_cell(m, i, jy), ny);
        if (x < 0 || y < 0)
            continue;
        count[y * nx + x]++;
        sum++;
    }
    return sum;
}

static void write_share(sfi_canvas *canvas, double share, double left,
                        double right, double y, double height, bool dark)
{
    char text[32];
    sfi_font font = sfi_font_small;
    const double percent = 100.0 * share;
    snprintf(text, sizeof text, percent < 9.95 ? "%.1f" : "%.0f", percent);
    if (height < 1.4 * font.size ||
        right - left < sfi_text_width(canvas, text, font) + 2.0)
        return;
    font.colour = dark ? sfi_paper : sfi_ink;
    sfi_draw_text(canvas, 0.5 * (left + right), y, SFI_CENTRE, 0, 0.0, text,
                  font);
}

typedef struct shares {
    const int64_t *count; /* [ny, nx]  */
    int64_t sum;
} shares;

/* Those of a table's rows, of which the largest of both tables is `most`, between two
 * places of each level of x. */
static void draw_shares(sfi_canvas *canvas, const sfi_panel *panel, shares of,
                        double most, double from, double to, sfi_rgba colour,
                        bool with_numbers)
{
    const int64_t nx = panel->x.name_count, ny = panel->y.name_count;
    const double half = 0.5 * tile_share;
    for (int64_t y = 0; y < ny; y++)
        for (int64_t x = 0; x < nx; x++) {
            const int64_t here = of.count[y * nx + x];
            if (here == 0)
                continue;
            const double s = (double)here / (double)of.sum;
            /* The eye tells light shades better than dark ones. */
            const double alpha = 0.08 + 0.87 * sqrt(s / most);
            const double left = sfi_axis_at(&panel->x, (double)x + from),
                         right = sfi_axis_at(&panel->x, (double)x + to),
                         low = sfi_axis_at(&panel->y, (double)y - half),
                         high = sfi_axis_at(&panel->y, (double)y + half);
            sfi_fill_rect(canvas, left, low, right, high,
                          sfi_faded(colour, alpha));
            if (with_numbers)
                write_share(canvas, s, left, right, 0.5 * (low + high),
                            low - high, alpha > 0.6);
        }
}

sf_status sfi_draw_tiles(sfi_canvas *canvas, const sfi_panel *panel,
                         const sf_cmat table[2], int64_t jx, int64_t jy,
                         bool with_numbers)
{
    sf_context *ctx = canvas->ctx;
    const int64_t nx = panel->x.name_count, ny = panel->y.name_count;
    const size_t cells = (size_t)(nx * ny);
    const bool both = table[0].rows > 0 && table[1].rows > 0;
    const double half = 0.5 * tile_share;
    int64_t *count = sfi_alloc_zero(ctx, 2 * cells, sizeof *count);
    double most = 0.0;
    if (count == NULL)
        return SF_E_NOMEM;
    shares of[2] = {{count, 0}, {count + cells, 0}};
    for (size_t t = 0; t < 2; t++) {
        of[t].sum = count_pairs(count + t * cells, table[t], jx, jy, nx, ny);
        for (size_t k = 0; k < cells && of[t].sum > 0; k++)
            most = fmax(most, (double)of[t].count[k] / (double)of[t].sum);
    }
    for (int t = 0; t < 2; t++)
        draw_shares(canvas, panel, of[t], most, both && t == 1 ? 0.01 : -half,
                    both && t == 0 ? -0.01 : half,
                    t == 0 ? sfi_real : sfi_synthetic, with_numbers);
    sfi_free(ctx, count, 2 * cells, sizeof *count);
    return SF_OK;
}

/* ---- association -------------------------------------------------------------- */

double sfi_panel_cramer_v(const sfi_panel *panel, sf_cmat m, int64_t jx,
                          int64_t jy)
{
    int64_t count[SFI_CRAMER_MOST * SFI_CRAMER_MOST] = {0};
    const int64_t nx = panel->x.name_count, ny = panel->y.name_count;
    if (nx > SFI_CRAMER_MOST || ny > SFI_CRAMER_MOST)
        return NAN;
    (void)count_pairs(count, m, jx, jy, nx, ny);
    return sfi_cramer_v(count, ny, nx);
}
