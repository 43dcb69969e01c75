/* SPDX-License-Identifier: Apache-2.0 */
/* pair_panels.c - every column against every other, real and synthetic.
 *
 *     diagonal       histograms of column i, and how many cells are missing
 *     below it       points (column j, column i); boxes of a number for each level
 *                    of a category; tiles of two categories
 *     above it       outlines of the regions that hold 50 and 90 % of a
 *                    smoothed histogram, and both correlation coefficients; points
 *                    for each level; tiles of the other table with Cramer's V
 *
 * All panels of a column of panels share the horizontal axis, all but the
 * diagonal ones of a row share the vertical axis; so only the outer panels
 * carry tick labels.  Columns are looked at one by one first (prepare), then
 * pair by pair. */
#include "scorefield/plot.h"

#include <math.h>
#include <stdio.h>

#include "plot/category_marks.h"
#include "plot/marks.h"

enum { MOST_COLUMNS = 12, MOST_POINTS = 1500, GRID = 96 };

static const double gap = 7.0;  /* between panels */
static const double edge = 8.0; /* around the picture */

/* Smoothed histograms reach this share of an axis beyond both of its ends, so
 * that outlines leave the frame and come back, as they should. */
static const double beyond = 0.2;

typedef struct pair_column {
    sfi_axis axis;
    sfi_bins bins;
    double density[2][SFI_MAX_BINS];
    double tallest;
    int64_t missing[2];
    bool discrete; /* categories, or a few integers: points are spread out */
    char name[32]; /* where none was given */
} pair_column;

typedef struct pairs_page {
    sf_plot_pairs_options o;
    sf_cmat table[2]; /* real, synthetic */
    int d;
    pair_column column[MOST_COLUMNS];
    double cell[GRID * GRID], other[GRID * GRID]; /* smoothed histograms */
} pairs_page;

/* ---- columns ------------------------------------------------------------- */

static void set_column_axis(const sf_plot_column *c, sfi_axis *axis, double lo,
                            double hi)
{
    if (sfi_axis_of_column(axis, c))
        return;
    sfi_ticks_range(&lo, &hi, false);
    const double room = 0.06 * (hi - lo);
    axis->lo = lo - room;
    axis->hi = hi + room;
}

static sf_status prepare(sf_context *ctx, pairs_page *w, int j)
{
    pair_column *c = &w->column[j];
    snprintf(c->name, sizeof c->name, "c%d", j);
    sfi_sorted sorted[2] = {{0}, {0}};
    sf_status status = SF_OK;
    for (int t = 0; t < 2 && status == SF_OK; t++)
        status = sfi_sorted_new(ctx, &sorted[t], w->table[t], j);
    if (status == SF_OK) {
        double lo, hi;
        const sf_plot_column *known =
            w->o.columns != NULL ? &w->o.columns[j] : NULL;
        sfi_sorted_view_both(&sorted[0], &sorted[1], &lo, &hi);
        set_column_axis(known, &c->axis, lo, hi);
        const bool is_given = known != NULL && known->lower < known->upper;
        if (is_given) {
            lo = known->lower;
            hi = known->upper;
        }
        const sfi_sorted *guide = sorted[0].count > 0 ? &sorted[0] : &sorted[1];
        c->bins = sfi_bins_choose(guide, lo, hi, 0);
        const int most = w->d <= 4 ? 40 : 25; /* bars of 3 points or so */
        if (c->bins.count > most)
            c->bins = sfi_bins_choose(guide, lo, hi, most);
        const double span = hi - lo;
        c->discrete = c->axis.name_count > 0 ||
                      (sorted[0].whole && sorted[1].whole && span <= 12.0);
        c->axis.whole = c->discrete;
        if (c->axis.name_count > 0) {
            const double levels =
                fmin((double)c->axis.name_count, SFI_MAX_BINS);
            const sfi_bins whole = {-0.5, 1.0, (int)levels};
            c->bins = whole;
        } else if (!is_given) {
            c->axis.lo = fmin(c->axis.lo, c->bins.lo);
            c->axis.hi =
                fmax(c->axis.hi, c->bins.lo + c->bins.count * c->bins.width);
        }
        for (int t = 0; t < 2; t++) {
            c->missing[t] = w->table[t].rows - sorted[t].count;
            if (sorted[t].count == 0)
                continue;
            sfi_bins_fill(c->bins, &sorted[t], c->density[t]);
            for (int b = 0; b < c->bins.count; b++)
                c->tallest = fmax(c->tallest, c->density[t][b]);
        }
    }
    sfi_sorted_free(&sorted[0]);
    sfi_sorted_free(&sorted[1]);
    return status;
}

/* ---- pairs --------------------------------------------------------------- */

/* Pearson's correlation of the rows in which both columns are finite, from
 * values scaled to the axes so that nothing overflows; NaN if undefined. */
static double correlation(const pairs_page *w, int t, int jx, int jy)
{
    const sf_cmat m = w->table[t];
    const sfi_axis *ax = &w->column[jx].axis, *ay = &w->column[jy].axis;
    double n = 0.0, mx = 0.0, my = 0.0, xx = 0.0, xy = 0.0, yy = 0.0;
    for (int64_t i = 0; i < m.rows; i++) {
        const double x = (sfi_cell(m, i, jx) - ax->lo) / (ax->hi - ax->lo);
        const double y = (sfi_cell(m, i, jy) - ay->lo) / (ay->hi - ay->lo);
        if (!isfinite(x) || !isfinite(y))
            continue;
        n += 1.0; /* Welford's update */
        const double dx = x - mx, dy = y - my;
        mx += dx / n;
        my += dy / n;
        xx += dx * (x - mx);
        yy += dy * (y - my);
        xy += dx * (y - my);
    }
    return xx > 0.0 && yy > 0.0 ? xy / sqrt(xx * yy) : NAN;
}

/* Standard deviation of a column over its axis, of the rows inside. */
static double relative_spread(const pairs_page *w, int t, int j)
{
    const sf_cmat m = w->table[t];
    const sfi_axis *a = &w->column[j].axis;
    double n = 0.0, mean = 0.0, squares = 0.0;
    for (int64_t i = 0; i < m.rows; i++) {
        const double x = (sfi_cell(m, i, j) - a->lo) / (a->hi - a->lo);
        if (!(x >= 0.0 && x <= 1.0))
            continue;
        n += 1.0;
        const double dx = x - mean;
        mean += dx / n;
        squares += dx * (x - mean);
    }
    return n > 1.0 ? sqrt(squares / n) : 0.0;
}

/* One pass of a Gaussian of the given width (in cells) along lines of GRID
 * numbers, `step` apart; what would leave is reflected. */
static void smooth(const double *from, double *to, int step, double width)
{
    enum { MOST_REACH = 24 };
    int reach = (int)ceil(3.0 * width);
    reach = reach > MOST_REACH ? MOST_REACH : reach;
    double weight[MOST_REACH + 1], total = 0.0;
    for (int k = 0; k <= reach; k++) {
        weight[k] = exp(-0.5 * k * k / (width * width));
        total += k == 0 ? weight[k] : 2.0 * weight[k];
    }
    const int line_step = step == 1 ? GRID : 1;
    for (int line = 0; line < GRID; line++)
        for (int i = 0; i < GRID; i++) {
            double sum = 0.0;
            for (int k = -reach; k <= reach; k++) {
                int at = i + k;
                at = at < 0 ? -1 - at : at >= GRID ? 2 * GRID - 1 - at : at;
                sum +=
                    weight[k < 0 ? -k : k] * from[line * line_step + at * step];
            }
            to[line * line_step + i * step] = sum / total;
        }
}

/* Where a value lies on the grid of a smoothed histogram, in cells. */
static double cell_of(const sfi_axis *axis, double value)
{
    const double share = (value - axis->lo) / (axis->hi - axis->lo);
    return GRID * (share + beyond) / (1.0 + 2.0 * beyond);
}

/* The log of a smoothed histogram of a pair on GRID x GRID cells; false if no
 * row is inside.  The width is less than that of D. W. Scott (Biometrika 66
 * (1979) 605-610), which is for a single mode. */
static bool smooth_pair(pairs_page *w, int t, int jx, int jy)
{
    const sf_cmat m = w->table[t];
    const sfi_axis *ax = &w->column[jx].axis, *ay = &w->column[jy].axis;
    for (int k = 0; k < GRID * GRID; k++)
        w->cell[k] = 0.0;
    double n = 0.0;
    for (int64_t i = 0; i < m.rows; i++) {
        const double u = cell_of(ax, sfi_cell(m, i, jx));
        const double v = cell_of(ay, sfi_cell(m, i, jy));
        if (!(u >= 0.0 && u < GRID && v >= 0.0 && v < GRID))
            continue;
        w->cell[(int)v * GRID + (int)u] += 1.0;
        n += 1.0;
    }
    if (n == 0.0)
        return false;
    const double narrow = 0.6 * GRID / (1.0 + 2.0 * beyond) / pow(n, 1.0 / 6.0);
    smooth(w->cell, w->other, 1, fmax(1.0, narrow * relative_spread(w, t, jx)));
    smooth(w->other, w->cell, GRID,
           fmax(1.0, narrow * relative_spread(w, t, jy)));
    for (int k = 0; k < GRID * GRID; k++)
        w->cell[k] = log(w->cell[k]);
    return true;
}

/* ---- panels -------------------------------------------------------------- */

static void draw_diagonal(sfi_canvas *canvas, sfi_panel *panel,
                          const pair_column *c, const pairs_page *w)
{
    /* Bars of levels do not touch each other. */
    const bool apart = c->axis.name_count > 0;
    const int groups = apart ? c->bins.count : 1;
    for (int g = 0; g < groups; g++) {
        const sfi_bins one = {(double)g - 0.38, 0.76, 1};
        const sfi_bins bins = apart ? one : c->bins;
        if (w->table[0].rows > 0)
            sfi_draw_bars(canvas, panel, bins, c->density[0] + g,
                          sfi_faded(sfi_real, 0.38), sfi_faded(sfi_real, 0.7));
        if (w->table[1].rows > 0)
            sfi_draw_bars(canvas, panel, bins, c->density[1] + g,
                          sfi_faded(sfi_paper, 0.0), sfi_synthetic);
    }
    double x = panel->frame.right - 4.0;
    for (int t = 1; t >= 0; t--) {
        if (c->missing[t] == 0)
            continue;
        char text[40];
        sfi_font font = sfi_font_small;
        font.colour = t == 0 ? sfi_real : sfi_synthetic;
        const double room = x - panel->frame.left;
        snprintf(text, sizeof text, "%lld missing", (long long)c->missing[t]);
        if (sfi_text_width(canvas, text, font) > (t == 1 ? 0.5 * room : room))
            snprintf(text, sizeof text, "%lld NA", (long long)c->missing[t]);
        const double width = sfi_text_width(canvas, text, font);
        if (width > room)
            return;
        sfi_draw_halo_text(canvas, x - 0.5 * width, panel->frame.top + 7.0, 0.0,
                           text, font);
        x -= width + 6.0;
    }
}

/* Points; those of categories and of a few integers are spread out. */
static void draw_points(sfi_canvas *canvas, const sfi_panel *panel,
                        const pairs_page *w, int i, int j)
{
    sfi_dots dots[2];
    for (int t = 0; t < 2; t++) {
        const sf_cmat m = w->table[t];
        const int64_t n = m.rows < w->o.most_points ? m.rows : w->o.most_points;
        const double alpha = n <= 300 ? 0.6 : n <= 1000 ? 0.42 : 0.32;
        const double radius = w->d <= 4 ? 1.3 : 1.05;
        const sfi_dots part = {
            n <= 300 ? radius : 0.8 * radius,
            sfi_faded(t == 0 ? sfi_real : sfi_synthetic, alpha),
            false,
            w->o.most_points,
            {w->column[j].discrete ? 0.28 : 0.0,
             w->column[i].discrete ? 0.28 : 0.0}};
        dots[t] = part;
    }
    sfi_draw_dots_of_two(canvas, panel, w->table, j, i, dots);
}

static sf_status draw_below(sfi_canvas *canvas, const sfi_panel *panel,
                            const pairs_page *w, int i, int j)
{
    const bool across = panel->x.name_count > 0, up = panel->y.name_count > 0;
    if (across && up) {
        /* The other table has its own above the diagonal. */
        const sf_cmat none = {NULL, 0, 0, 0};
        const sf_cmat shown[2] = {w->table[0],
                                  w->table[0].rows > 0 ? none : w->table[1]};
        return sfi_draw_tiles(canvas, panel, shown, j, i, false);
    }
    /* Quartiles of a few integers say nothing. */
    if (across ? !w->column[i].discrete : up && !w->column[j].discrete)
        return sfi_draw_boxes(canvas, panel, w->table, j, i);
    draw_points(canvas, panel, w, i, j);
    return SF_OK;
}

/* Coefficients of both tables, in a corner; NaN where there is none. */
static void draw_coefficients(sfi_canvas *canvas, const sfi_panel *panel,
                              const double of[2])
{
    double x = panel->frame.left + 4.0;
    for (int t = 0; t < 2; t++) {
        if (isnan(of[t]))
            continue;
        char text[32];
        snprintf(text, sizeof text, "%s%.2f",
                 of[t] < -0.005 ? "\xe2\x88\x92" : "", fabs(of[t]));
        sfi_font font = sfi_font_small;
        font.colour = t == 0 ? sfi_real : sfi_synthetic;
        const double width = sfi_text_width(canvas, text, font);
        sfi_draw_halo_text(canvas, x + 0.5 * width, panel->frame.top + 7.0, 0.0,
                           text, font);
        x += width + 6.0;
    }
}

static void draw_correlations(sfi_canvas *canvas, const sfi_panel *panel,
                              const pairs_page *w, int i, int j)
{
    draw_coefficients(
        canvas, panel,
        (double[]){correlation(w, 0, j, i), correlation(w, 1, j, i)});
}

/* Tiles of the second table, or of the only one. */
static sf_status draw_association(sfi_canvas *canvas, const sfi_panel *panel,
                                  const pairs_page *w, int i, int j)
{
    const sf_cmat none = {NULL, 0, 0, 0};
    const bool both = w->table[0].rows > 0 && w->table[1].rows > 0;
    const sf_cmat shown[2] = {both ? none : w->table[0], w->table[1]};
    SFI_TRY(sfi_draw_tiles(canvas, panel, shown, j, i, false));
    draw_coefficients(canvas, panel,
                      (double[]){sfi_panel_cramer_v(panel, w->table[0], j, i),
                                 sfi_panel_cramer_v(panel, w->table[1], j, i)});
    return SF_OK;
}

static sf_status draw_above(sfi_canvas *canvas, sfi_panel *panel, pairs_page *w,
                            int i, int j)
{
    static const double masses[] = {0.5, 0.9};
    const bool discrete = w->column[i].discrete || w->column[j].discrete;
    const sfi_axis *ax = &panel->x, *ay = &panel->y;
    const double dx = ax->hi - ax->lo, dy = ay->hi - ay->lo;
    /* Nodes are the middles of the cells. */
    const double margin = beyond - 0.5 * (1.0 + 2.0 * beyond) / GRID;
    const sf_plot_grid grid = {w->cell,
                               GRID,
                               GRID,
                               ax->lo - margin * dx,
                               ax->hi + margin * dx,
                               ay->lo - margin * dy,
                               ay->hi + margin * dy};
    for (int t = 0; t < 2 && !discrete; t++) {
        const sfi_stroke stroke = {1.1, t == 0 ? sfi_real : sfi_synthetic, 0};
        if (smooth_pair(w, t, j, i))
            SFI_TRY(sfi_draw_regions(canvas, panel, &grid, masses, 2, stroke,
                                     NULL));
    }
    if (ax->name_count > 0 && ay->name_count > 0)
        return draw_association(canvas, panel, w, i, j);
    if (discrete)
        draw_points(canvas, panel, w, i, j);
    else if (panel->frame.right - panel->frame.left > 58.0)
        draw_correlations(canvas, panel, w, i, j);
    return SF_OK;
}

/* Take the labels away that would touch those of the next panel. */
static void clear_outer_labels(sfi_canvas *canvas, sfi_axis *axis)
{
    for (int i = 0; i < axis->ticks.count && axis->name_count == 0; i++) {
        const double at = sfi_axis_at(axis, axis->ticks.at[i]);
        const double half =
            0.5 * sfi_text_width(canvas, axis->ticks.label[i], sfi_font_tick);
        if (at - half < axis->from - 0.5 * gap + 1.5 ||
            at + half > axis->to + 0.5 * gap - 1.5)
            axis->ticks.label[i][0] = '\0';
    }
}

static sf_status draw_panel(sfi_canvas *canvas, pairs_page *w, int i, int j,
                            sfi_rect frame)
{
    sfi_panel panel = {.x = w->column[j].axis,
                       .y = w->column[i].axis,
                       .frame = frame,
                       .box = true};
    panel.x.bare = i < w->d - 1;
    panel.y.bare = j > 0;
    if (i == j) {
        panel.y.lo = 0.0;
        panel.y.hi =
            w->column[i].tallest > 0.0 ? 1.14 * w->column[i].tallest : 1.0;
        panel.y.whole = false;
        panel.y.names = NULL;
        panel.y.name_count = 0;
        panel.y.given = NULL;
    }
    sfi_axis_place(canvas, &panel.x, false, frame.left, frame.right);
    sfi_axis_place(canvas, &panel.y, true, frame.bottom, frame.top);
    clear_outer_labels(canvas, &panel.x);
    if (i == j) /* the heights of densities are of no interest here */
        panel.y.ticks.count = panel.y.ticks.minor_count = 0;
    panel.x.ticks.minor_count = panel.y.ticks.minor_count = 0;
    panel.x.ticks.note[0] = panel.y.ticks.note[0] = '\0'; /* draw_names() */
    sf_status status = SF_OK;
    sfi_panel_begin(canvas, &panel);
    if (i == j)
        draw_diagonal(canvas, &panel, &w->column[i], w);
    else if (i > j)
        status = draw_below(canvas, &panel, w, i, j);
    else
        status = draw_above(canvas, &panel, w, i, j);
    sfi_panel_end(canvas, &panel);
    return status;
}

/* Rows that lie on all axes, but for values that are missing. */
static int64_t count_inside(const pairs_page *w, int t)
{
    int64_t inside = 0;
    for (int64_t i = 0; i < w->table[t].rows; i++) {
        bool in = true;
        for (int j = 0; j < w->d && in; j++) {
            const double x = sfi_cell(w->table[t], i, j);
            in = !isfinite(x) || sfi_axis_has(&w->column[j].axis, x);
        }
        inside += in;
    }
    return inside;
}

static bool has_categories(const pairs_page *w)
{
    int count = 0;
    for (int j = 0; j < w->d; j++)
        count += w->column[j].axis.name_count > 0;
    return count > 1;
}

static void describe(const pairs_page *w, sfi_legend *legend)
{
    static const sfi_swatch swatch[2] = {SFI_SWATCH_BAR, SFI_SWATCH_STEP};
    const char *name[2] = {w->o.real_label != NULL ? w->o.real_label : "real",
                           w->o.synthetic_label != NULL ? w->o.synthetic_label
                                                        : "synthetic"};
    const sfi_rgba colour[2] = {sfi_faded(sfi_real, 0.6), sfi_synthetic};
    for (int t = 0; t < 2; t++)
        if (w->table[t].rows > 0)
            sfi_legend_dots(legend, swatch[t], colour[t], name[t],
                            w->table[t].rows, count_inside(w, t),
                            w->o.most_points, 0);
    if (w->d > 1)
        sfi_legend_add(legend, SFI_SWATCH_LINE, sfi_soft_ink,
                       "HDR 50, 90 %%; correlation%s",
                       has_categories(w) ? ", Cramer's V" : "");
}

/* The names of row k and column k of panels, with the multipliers of their
 * ticks, which have no place in the gaps between panels. */
static void draw_names(sfi_canvas *canvas, const pairs_page *w, int k,
                       sfi_rect row, sfi_rect column)
{
    const char *name = w->column[k].name;
    if (w->o.columns != NULL && w->o.columns[k].name != NULL)
        name = w->o.columns[k].name;
    char text[512];
    sfi_axis x = w->column[k].axis, y = w->column[k].axis;
    sfi_axis_place(canvas, &x, false, column.left, column.right);
    sfi_axis_place(canvas, &y, true, row.bottom, row.top);
    sfi_font font = sfi_font_label;
    font.size = w->d <= 5 ? font.size : 8.5;
    snprintf(text, sizeof text, "%s  %s", name, x.ticks.note);
    sfi_draw_text(canvas, 0.5 * (column.left + column.right),
                  canvas->height - edge - 4.0, SFI_CENTRE, 0,
                  column.right - column.left,
                  x.ticks.note[0] != '\0' ? text : name, font);
    snprintf(text, sizeof text, "%s  %s", name, y.ticks.note);
    sfi_draw_text(canvas, edge + 4.0, 0.5 * (row.top + row.bottom), SFI_CENTRE,
                  90, row.bottom - row.top,
                  k > 0 && y.ticks.note[0] != '\0' ? text : name, font);
}

/* Room for the names that stand upright below the columns of panels. */
static double bottom_room(sfi_canvas *canvas, const pairs_page *w, double width)
{
    double room = 0.0;
    for (int j = 0; j < w->d; j++) {
        sfi_axis axis = w->column[j].axis;
        sfi_axis_place(canvas, &axis, false, 0.0, width);
        if (axis.upright)
            room = fmax(room, sfi_widest_label(canvas, &axis) - 6.0);
    }
    return room;
}

/* Room for the tick labels left of the rows of panels. */
static double left_room(sfi_canvas *canvas, const pairs_page *w, double height)
{
    double room = 0.0;
    for (int i = 1; i < w->d; i++) {
        sfi_axis axis = w->column[i].axis;
        sfi_axis_place(canvas, &axis, true, height, 0.0);
        room = fmax(room, sfi_widest_label(canvas, &axis));
    }
    return room;
}

static sf_status draw(sfi_canvas *canvas, pairs_page *w)
{
    sfi_legend legend = {0};
    describe(w, &legend);
    double left = edge + 22.0, top = edge + 2.0;
    const double right = canvas->width - edge;
    double bottom = canvas->height - edge - 28.0;
    left += left_room(canvas, w, (bottom - top - 30.0) / w->d - gap);
    const double width = right - left;
    bottom -= bottom_room(canvas, w, (width + gap) / w->d - gap);
    top += sfi_draw_head(canvas, w->o.title, &legend, left, top, width) + 4.0;

    const double step_x = fmax((width + gap) / w->d, gap + 4.0);
    const double step_y = fmax((bottom - top + gap) / w->d, gap + 4.0);
    for (int i = 0; i < w->d; i++) {
        for (int j = 0; j < w->d; j++) {
            const sfi_rect frame = {left + j * step_x, top + i * step_y,
                                    left + (j + 1) * step_x - gap,
                                    top + (i + 1) * step_y - gap};
            if (i == j)
                draw_names(canvas, w, i, frame, frame);
            SFI_TRY(draw_panel(canvas, w, i, j, frame));
        }
    }
    return SF_OK;
}

static sf_status check(sf_context *ctx, sf_cmat real, sf_cmat synthetic,
                       sf_plot_pairs_options *o)
{
    static const char what[] = "plot_pairs";
    SFI_TRY(sfi_plot_check(ctx, what, "real", real, 1));
    SFI_TRY(sfi_plot_check(ctx, what, "synthetic", synthetic, 1));
    const int64_t d = real.cols;
    if (d < 1 || d > MOST_COLUMNS ||
        (synthetic.rows > 0 && synthetic.cols != d))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: %lld real and %lld synthetic columns, want equal "
                        "numbers, 1 to %d",
                        what, (long long)d, (long long)synthetic.cols,
                        (int)MOST_COLUMNS);
    return sfi_plot_most(ctx, what, "most_points", &o->most_points,
                         MOST_POINTS);
}

sf_status sf_plot_pairs(sf_context *ctx, const char *path, sf_cmat real,
                        sf_cmat synthetic, const sf_plot_pairs_options *opts)
{
    sf_plot_pairs_options o = SF_PLOT_PAIRS_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, real, synthetic, &o));
    pairs_page *w = sfi_alloc_zero(ctx, 1, sizeof *w);
    if (w == NULL)
        return SF_E_NOMEM;
    w->o = o;
    w->table[0] = real;
    w->table[1] = synthetic;
    w->d = (int)real.cols;
    sf_status status = SF_OK;
    for (int j = 0; j < w->d && status == SF_OK; j++)
        status = prepare(ctx, w, j);
    if (status == SF_OK) {
        /* Panels of about 130 points, smaller where there are many. */
        const double side = w->d <= 4 ? 130.0 : 720.0 / w->d;
        sfi_canvas canvas;
        status = sfi_canvas_open(ctx, &canvas, "plot_pairs", path,
                                 sfi_page_or(o.width, o.height, o.scale,
                                             fmax(70.0 + side * w->d, 330.0),
                                             80.0 + side * w->d));
        if (status == SF_OK)
            status = sfi_canvas_close(&canvas, draw(&canvas, w));
    }
    sfi_free(ctx, w, 1, sizeof *w);
    return status;
}
