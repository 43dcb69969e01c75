/* SPDX-License-Identifier: Apache-2.0 */
/* isolines.c - contours of a map, with their levels written on them.
 *
 * Lines are found among the points of the grid and then moved to the page.  Where x
 * closes, a column is added on both sides, so that lines go on over the seam.
 *
 * A level is written where its line is straightest: where the chord of a piece as
 * long as the text is longest, away from other levels and from the frame. */
#include "plot/isolines.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double least_length = 70.0; /* of a line with a label, points   */
static const double least_gap = 45.0;    /* between labels                   */

/* ---- lines ------------------------------------------------------------------ */

/* Values with a column more behind the last and, if `before` is 1, before the first:
 * [ny, nx + 1 + before]. */
static double *with_neighbours(sf_context *ctx, const sfi_tiling *tiling,
                               const double *values, int64_t before)
{
    const int64_t nx = tiling->nx, wide = nx + 1 + before;
    double *out = sfi_alloc(ctx, (size_t)(tiling->ny * wide), sizeof *out);
    for (int64_t j = 0; j < tiling->ny && out != NULL; j++) {
        double *row = out + j * wide;
        const double *from = values + j * nx;
        row[0] = from[nx - 1];
        memcpy(row + before, from, (size_t)nx * sizeof *row);
        row[before + nx] = from[0];
    }
    return out;
}

/* Lines among the points of the grid, `before` columns more on the left, to the page;
 * where the same places are `aside` points to the side as well, no line jumps. */
static void to_page(const sfi_tiling *tiling, const sfi_panel *panel,
                    double before, double aside, sfi_lines *lines)
{
    for (size_t l = 0; l < lines->lines; l++)
        for (size_t p = lines->start[l]; p < lines->start[l + 1]; p++) {
            double *at = lines->xy + 2 * p;
            sfi_tiling_spot(tiling, panel, at[1], at[0] - before, &at[0],
                            &at[1]);
            if (p > lines->start[l])
                at[0] = sfi_beside(at[0], at[-2], aside);
        }
}

/* ---- labels ----------------------------------------------------------------- */

typedef struct page_point {
    double x, y;
} page_point;

static page_point point_of(const sfi_lines *lines, size_t p)
{
    return (page_point){lines->xy[2 * p], lines->xy[2 * p + 1]};
}

static double apart(page_point a, page_point b)
{
    return hypot(a.x - b.x, a.y - b.y);
}

/* Whether a label may stand there. */
static bool is_free(const sfi_isolines *all, const sfi_panel *panel,
                    page_point at, double half)
{
    const sfi_rect f = panel->frame;
    if (!(at.x > f.left + half && at.x < f.right - half &&
          at.y > f.top + half && at.y < f.bottom - half))
        return false;
    for (int i = 0; i < all->label_count; i++)
        if (apart(at, (page_point){all->label[i].x, all->label[i].y}) <
            least_gap)
            return false;
    return true;
}

/* Where the piece of line `l` as long as `width` that begins at point p ends, and
 * its middle; false if the line ends before. */
static bool find_piece(const sfi_lines *lines, size_t l, size_t p, double width,
                       size_t *end, size_t *middle)
{
    double length = 0.0;
    *middle = p;
    for (size_t q = p + 1; q < lines->start[l + 1]; q++) {
        length += apart(point_of(lines, q - 1), point_of(lines, q));
        if (length < 0.5 * width)
            *middle = q;
        if (length >= width) {
            *end = q;
            return true;
        }
    }
    return false;
}

static double length_of(const sfi_lines *lines, size_t l)
{
    double length = 0.0;
    for (size_t p = lines->start[l] + 1; p < lines->start[l + 1]; p++)
        length += apart(point_of(lines, p - 1), point_of(lines, p));
    return length;
}

/* Take the straightest free place of a line, if there is one. */
static void place_label(sfi_isolines *all, const sfi_lines *lines, size_t l,
                        const sfi_panel *panel, double level, double width)
{
    if (all->label_count == SFI_MOST_LABELS ||
        length_of(lines, l) < fmax(least_length, 2.0 * width))
        return;
    double best = 0.9 * width; /* or the line turns too much to be read along */
    bool found = false;
    sfi_isoline_label label = {.level = level};
    for (size_t p = lines->start[l]; p < lines->start[l + 1]; p++) {
        size_t end, middle;
        if (!find_piece(lines, l, p, width, &end, &middle))
            break;
        const page_point a = point_of(lines, p), b = point_of(lines, end);
        const page_point at = point_of(lines, middle);
        /* Coarse grids have long segments: only the share of a piece. */
        const double long_way = apart(a, at) + apart(at, b);
        const double chord = width * apart(a, b) / fmax(long_way, 1e-9);
        if (chord > best && is_free(all, panel, at, 0.5 * width + 2.0)) {
            best = chord;
            found = true;
            label.x = at.x;
            label.y = at.y;
            label.turn =
                remainder(atan2(b.y - a.y, b.x - a.x), 3.141592653589793);
        }
    }
    if (found)
        all->label[all->label_count++] = label;
}

static void label_text(double level, char text[SFI_TICK_BYTES])
{
    sfi_number_text(level, 6, text, SFI_TICK_BYTES);
}

/* ---- drawing ---------------------------------------------------------------- */

/* A level; `aside` > 0: once more that far to the sides. */
static void draw_level(sfi_canvas *canvas, const sfi_panel *panel,
                       const sfi_lines *lines, double level, bool is_dashed,
                       double aside, sfi_isolines *all)
{
    const sfi_stroke rim = {1.5, sfi_faded(sfi_paper, 0.35), 0};
    const sfi_stroke line = {0.55, sfi_faded(sfi_ink, 0.9), is_dashed};
    const int sides = aside > 0.0 ? 2 : 0;
    for (int side = -sides; side <= sides; side++) {
        cairo_save(canvas->cr);
        cairo_translate(canvas->cr, side * aside, 0.0);
        sfi_draw_lines(canvas, lines, rim);
        sfi_draw_lines(canvas, lines, line);
        cairo_restore(canvas->cr);
    }
    char text[SFI_TICK_BYTES];
    label_text(level, text);
    const double width = 5.0 + sfi_text_width(canvas, text, sfi_font_small);
    for (size_t l = 0; l < lines->lines; l++)
        place_label(all, lines, l, panel, level, width);
}

sf_status sfi_draw_isolines(sfi_canvas *canvas, const sfi_panel *panel,
                            const sfi_tiling *tiling, const double *values,
                            const double *levels, int count, sfi_isolines *all)
{
    sf_context *ctx = canvas->ctx;
    const bool is_curved = sfi_tiling_is_curved(tiling);
    const bool closes = tiling->period > 0.0 && !is_curved;
    const double aside = is_curved ? tiling->period *
                                         fabs(panel->x.to - panel->x.from) /
                                         (panel->x.hi - panel->x.lo)
                                   : 0.0;
    /* On a disc one more column closes the circle. */
    const int64_t before = closes && !tiling->is_disc;
    const int64_t nx = tiling->nx + (closes ? 1 + before : 0);
    double *more = closes ? with_neighbours(ctx, tiling, values, before) : NULL;
    sf_status status = closes && more == NULL ? SF_E_NOMEM : SF_OK;
    for (int k = 0; k < count && status == SF_OK; k++) {
        sfi_lines lines;
        status = sfi_contour(ctx, &lines, closes ? more : values, nx,
                             tiling->ny, levels[k]);
        if (status == SF_OK) {
            to_page(tiling, panel, (double)before, aside, &lines);
            draw_level(canvas, panel, &lines, levels[k],
                       levels[k] < 0.0 && levels[count - 1] > 0.0, aside, all);
        }
        sfi_lines_free(&lines);
    }
    sfi_free(ctx, more, (size_t)(tiling->ny * nx), sizeof *more);
    return status;
}

void sfi_draw_isoline_labels(sfi_canvas *canvas, const sfi_isolines *all)
{
    for (int i = 0; i < all->label_count; i++) {
        const sfi_isoline_label *l = &all->label[i];
        char text[SFI_TICK_BYTES];
        label_text(l->level, text);
        sfi_font font = sfi_font_small;
        font.colour = sfi_ink;
        sfi_draw_halo_text(canvas, l->x, l->y, l->turn, text, font);
    }
}
