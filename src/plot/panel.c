/* SPDX-License-Identifier: Apache-2.0 */
/* panel.c - layout by measurement: every text is measured before the frame is
 * placed, so nothing is cut or covered whatever the names and numbers are.
 *
 * From the outside in, each side of the frame gives room to
 *
 *   top      title, rows of the legend, the vertical axis's multiplier
 *   bottom   marks, tick labels, label (with the multiplier at its right end)
 *   left     label, tick labels, marks
 *   right    colour bar with tick labels and label, or half a tick label
 *
 * The height is settled first, then the marks of the vertical axis, whose
 * widest label settles the width, then the marks of the horizontal axis.  The
 * rows of the legend depend on the width, so this is done three times. */
#include "plot/panel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double pad = 7.0;         /* page edge                      */
static const double mark = 3.5;        /* length of a tick               */
static const double mark_gap = 3.0;    /* tick to its label              */
static const double label_gap = 6.5;   /* tick labels to the axis label  */
static const double label_space = 5.5; /* between neighbouring labels */
static const double title_row = 19.0;  /* title with its gap below       */
static const double note_row = 12.0;   /* multiplier above the axis      */
static const double bar_gap = 11.0;    /* frame to colour bar            */
static const double bar_width = 9.0;
static const double axis_width = 0.8;

/* Heights of a line of text: capitals, and what hangs below them. */
static double capital_of(sfi_font font)
{
    return 0.729 * font.size;
}

static double descent_of(sfi_font font)
{
    return 0.236 * font.size;
}

static bool has_text(const char *text)
{
    return text != NULL && text[0] != '\0';
}

sfi_rect sfi_whole_page(const sfi_canvas *canvas)
{
    const sfi_rect page = {0.0, 0.0, canvas->width, canvas->height};
    return page;
}

double sfi_axis_at(const sfi_axis *axis, double value)
{
    double t;
    if (axis->log)
        t = value > 0.0
                ? (log(value) - log(axis->lo)) / (log(axis->hi) - log(axis->lo))
                : NAN;
    else
        t = (value - axis->lo) / (axis->hi - axis->lo);
    const double at = axis->from + t * (axis->to - axis->from);
    return at < -1e5 ? -1e5 : at > 1e5 ? 1e5 : at;
}

double sfi_axis_value(const sfi_axis *axis, double at)
{
    const double t = (at - axis->from) / (axis->to - axis->from);
    return axis->log ? axis->lo * exp(t * (log(axis->hi) - log(axis->lo)))
                     : axis->lo + t * (axis->hi - axis->lo);
}

bool sfi_axis_has(const sfi_axis *axis, double value)
{
    return value >= axis->lo && value <= axis->hi;
}

bool sfi_axis_of_column(sfi_axis *axis, const sf_plot_column *column)
{
    if (column == NULL)
        return false;
    if (column->ticks.count > 0)
        axis->given = &column->ticks;
    if (column->levels != NULL && column->level_count > 0) {
        axis->names = column->levels;
        axis->name_count = column->level_count;
        axis->lo = -0.6;
        axis->hi = (double)column->level_count - 0.4;
        return true;
    }
    axis->lo = column->lower;
    axis->hi = column->upper;
    return column->lower < column->upper;
}

/* ---- marks --------------------------------------------------------------- */

static const char *mark_label(const sfi_axis *axis, int i)
{
    if (axis->name_count == 0)
        return axis->ticks.label[i];
    const char *name = axis->names[(int64_t)axis->ticks.at[i]];
    return name != NULL ? name : "";
}

/* Do the horizontal labels of the axis keep a gap between them? */
static bool labels_fit(sfi_canvas *canvas, const sfi_axis *axis)
{
    double end = -1e9;
    for (int i = 0; i < axis->ticks.count; i++) {
        const double at = sfi_axis_at(axis, axis->ticks.at[i]);
        const double half =
            0.5 * sfi_text_width(canvas, axis->ticks.label[i], sfi_font_tick);
        if (at - half < end + label_space)
            return false;
        end = at + half;
    }
    return true;
}

static double mark_step(const sfi_axis *axis)
{
    return axis->ticks.count > 1 ? axis->ticks.at[1] - axis->ticks.at[0] : 1.0;
}

/* Every one of the marks that were given, every second, ... */
static void take_marks(sfi_axis *axis, int most)
{
    const sf_plot_ticks *given = axis->given;
    const int stride = (given->count + most - 1) / most;
    memset(&axis->ticks, 0, sizeof axis->ticks);
    for (int i = 0; i<given->count; i += stride> 0 ? stride : 1) {
        if (!sfi_axis_has(axis, given->at[i]))
            continue;
        const int k = axis->ticks.count++;
        axis->ticks.at[k] = given->at[i];
        snprintf(axis->ticks.label[k], SFI_TICK_BYTES, "%s", given->labels[i]);
    }
}

static void choose_marks(sfi_axis *axis, int most)
{
    if (axis->given != NULL)
        take_marks(axis, most);
    else if (axis->log)
        sfi_ticks_log(axis->lo, axis->hi, most, &axis->ticks);
    else if (axis->letters != NULL)
        sfi_ticks_degrees(axis->lo, axis->hi, most, axis->letters,
                          &axis->ticks);
    else
        sfi_ticks_linear(axis->lo, axis->hi, most, &axis->ticks);
}

/* Below a horizontal axis names stand upright where the widest has no room beside its
 * neighbours, even set smaller.  A line of text needs 10 points, else only every
 * second, third, ... is shown. */
static void place_names(sfi_canvas *canvas, sfi_axis *axis, bool vertical)
{
    const double length = fabs(axis->to - axis->from);
    const double slot = length / (axis->hi - axis->lo);
    double widest = 0.0;
    for (int64_t i = 0; i < axis->name_count && !vertical; i++)
        if (axis->names[i] != NULL)
            widest = fmax(widest, 4.0 + sfi_text_width(canvas, axis->names[i],
                                                       sfi_font_tick));
    axis->upright = !vertical && slot < 0.8 * widest;
    const double need = vertical ? 12.0 : 10.0;
    int64_t stride = 1;
    while ((double)stride * slot < need && stride < axis->name_count)
        stride++;
    sfi_ticks_categories(axis->lo, axis->hi, axis->name_count, stride,
                         &axis->ticks);
}

void sfi_axis_place(sfi_canvas *canvas, sfi_axis *axis, bool vertical,
                    double from, double to)
{
    axis->from = axis->falls ? to : from;
    axis->to = axis->falls ? from : to;
    if (axis->name_count > 0) {
        place_names(canvas, axis, vertical);
        return;
    }
    const double length = fabs(to - from);
    int most = (int)(length / (vertical ? 26.0 : 36.0)) + 1;
    most = most < 2 ? 2 : most > 9 ? 9 : most;
    choose_marks(axis, most);
    while (most > 2 && ((axis->whole && mark_step(axis) < 1.0) ||
                        (!vertical && !labels_fit(canvas, axis))))
        choose_marks(axis, --most);
    if (axis->whole && mark_step(axis) <= 1.0)
        axis->ticks.minor_count = 0;
}

double sfi_widest_label(sfi_canvas *canvas, const sfi_axis *axis)
{
    double widest = 0.0;
    for (int i = 0; i < axis->ticks.count; i++)
        widest = fmax(
            widest, sfi_text_width(canvas, mark_label(axis, i), sfi_font_tick));
    return fmin(widest, 90.0); /* names of categories may be very long */
}

/* ---- layout -------------------------------------------------------------- */

/* The marks of a colour bar over its height. */
static sfi_axis bar_axis(sfi_canvas *canvas, const sfi_colour_bar *bar,
                         sfi_rect frame)
{
    sfi_axis axis = {.lo = bar->lo, .hi = bar->hi};
    sfi_axis_place(canvas, &axis, true, frame.bottom, frame.top);
    return axis;
}

double sfi_bar_room(sfi_canvas *canvas, const sfi_colour_bar *bar,
                    sfi_rect frame)
{
    const sfi_axis axis = bar_axis(canvas, bar, frame);
    double room =
        bar_gap + bar_width + mark_gap + sfi_widest_label(canvas, &axis);
    if (has_text(bar->label))
        room += label_gap + sfi_font_label.size;
    return room;
}

bool sfi_bar_has_note(sfi_canvas *canvas, const sfi_colour_bar *bar,
                      sfi_rect frame)
{
    return bar_axis(canvas, bar, frame).ticks.note[0] != '\0';
}

/* How far the last label of a horizontal axis would reach beyond `limit`. */
static double overhang(sfi_canvas *canvas, sfi_axis *axis, double left,
                       double right, double limit)
{
    sfi_axis_place(canvas, axis, false, left, right);
    const sfi_ticks *marks = &axis->ticks;
    if (marks->count == 0 || axis->name_count > 0)
        return 0.0;
    const int last = marks->count - 1;
    const double end =
        sfi_axis_at(axis, marks->at[last]) +
        0.5 * sfi_text_width(canvas, marks->label[last], sfi_font_tick);
    return fmax(end - limit, 0.0);
}

/* One pass; the legend's rows are those of a frame that starts at the frame's
 * present left edge. */
static void lay_out(sfi_canvas *canvas, sfi_panel *panel)
{
    const sfi_rect outer = panel->outer;
    sfi_rect *frame = &panel->frame;
    double left = outer.left + pad, right = outer.right - pad;

    double bottom = outer.bottom - pad;
    if (has_text(panel->x.label))
        bottom -= descent_of(sfi_font_label) + capital_of(sfi_font_label) +
                  label_gap - 3.0;
    bottom -= descent_of(sfi_font_tick) + mark_gap + mark +
              (panel->x.upright ? sfi_widest_label(canvas, &panel->x)
                                : capital_of(sfi_font_tick));
    double top = outer.top + pad + (has_text(panel->title) ? title_row : 3.0);
    panel->legend_width = outer.right - pad - frame->left;
    if (panel->legend != NULL && panel->legend->count > 0)
        top +=
            sfi_legend_height(canvas, panel->legend, panel->legend_width) + 3.0;
    frame->top = top;
    frame->bottom = bottom;

    sfi_axis_place(canvas, &panel->y, true, bottom, top);
    const bool bar_note =
        panel->bar != NULL && sfi_bar_has_note(canvas, panel->bar, *frame);
    if (panel->y.ticks.note[0] != '\0' || bar_note) {
        frame->top += note_row;
        sfi_axis_place(canvas, &panel->y, true, bottom, frame->top);
    }
    left += sfi_widest_label(canvas, &panel->y) + mark_gap + mark;
    if (has_text(panel->y.label))
        left += sfi_font_label.size + label_gap;
    if (panel->bar != NULL)
        right -= sfi_bar_room(canvas, panel->bar, *frame);
    if (panel->bar == NULL)
        right -= overhang(canvas, &panel->x, left, right, outer.right - 2.0);
    if (panel->equal) {
        const double narrow = panel->narrow > 0.0 ? panel->narrow : 1.0;
        const double w = narrow * (panel->x.hi - panel->x.lo);
        const double h = panel->y.hi - panel->y.lo;
        const double unit =
            fmin((right - left) / w, (frame->bottom - frame->top) / h);
        if (unit * w > 60.0 && unit * h > 60.0) { /* or it can not be read */
            right = left + unit * w;
            frame->bottom = frame->top + unit * h;
        }
    }
    /* On a page too small for its texts they overlap, but there is a frame. */
    right = fmax(right, left + 8.0);
    frame->bottom = fmax(frame->bottom, frame->top + 8.0);
    frame->left = left;
    frame->right = right;
    sfi_axis_place(canvas, &panel->y, true, frame->bottom, frame->top);
    sfi_axis_place(canvas, &panel->x, false, left, right);
}

void sfi_panel_layout(sfi_canvas *canvas, sfi_panel *panel, sfi_rect outer)
{
    panel->outer = outer;
    panel->frame.left = outer.left + pad + 40.0;
    for (int pass = 0; pass < 3; pass++)
        lay_out(canvas, panel);
}

/* ---- drawing ------------------------------------------------------------- */

void sfi_panel_begin(sfi_canvas *canvas, sfi_panel *panel)
{
    const sfi_rect f = panel->frame;
    for (int i = 0; panel->grid_x && i < panel->x.ticks.count; i++) {
        const double x = sfi_axis_at(&panel->x, panel->x.ticks.at[i]);
        sfi_draw_line(canvas, x, f.top, x, f.bottom, 0.6, sfi_hairline);
    }
    for (int i = 0; panel->grid_y && i < panel->y.ticks.count; i++) {
        const double y = sfi_axis_at(&panel->y, panel->y.ticks.at[i]);
        sfi_draw_line(canvas, f.left, y, f.right, y, 0.6, sfi_hairline);
    }
    cairo_save(canvas->cr);
    cairo_rectangle(canvas->cr, f.left, f.top, f.right - f.left,
                    f.bottom - f.top);
    cairo_clip(canvas->cr);
}

static void draw_x_axis(sfi_canvas *canvas, const sfi_panel *panel)
{
    const sfi_axis *axis = &panel->x;
    const sfi_rect f = panel->frame;
    for (int i = 0; i < axis->ticks.minor_count; i++) {
        const double x = sfi_axis_at(axis, axis->ticks.minor[i]);
        sfi_draw_line(canvas, x, f.bottom, x, f.bottom + 0.55 * mark, 0.5,
                      sfi_ink);
    }
    const double top = f.bottom + mark + mark_gap;
    const double tall = axis->upright ? sfi_widest_label(canvas, axis)
                                      : capital_of(sfi_font_tick);
    const double y = top + 0.5 * capital_of(sfi_font_tick);
    double slot = 0.0;
    if (axis->name_count > 0 && axis->ticks.count > 1)
        slot = fabs(sfi_axis_at(axis, axis->ticks.at[1]) -
                    sfi_axis_at(axis, axis->ticks.at[0])) -
               3.0;
    for (int i = 0; i < axis->ticks.count; i++) {
        const double x = sfi_axis_at(axis, axis->ticks.at[i]);
        sfi_draw_line(canvas, x, f.bottom, x, f.bottom + mark, axis_width,
                      sfi_ink);
        /* A name keeps to its place, and to its panel where others follow. */
        const double beside = 2.0 * (fmin(x - f.left, f.right - x) + 2.0);
        if (!axis->bare && axis->upright)
            sfi_draw_text(canvas, x, top, SFI_RIGHT, 90, tall,
                          mark_label(axis, i), sfi_font_tick);
        else if (!axis->bare)
            sfi_draw_text(canvas, x, y, SFI_CENTRE, 0,
                          slot > 0.0 ? fmax(fmin(slot, beside), 8.0) : 0.0,
                          mark_label(axis, i), sfi_font_tick);
    }
    if (axis->bare)
        return;
    const double label_y =
        top + tall + label_gap + 0.5 * capital_of(sfi_font_label);
    double room = f.right - f.left;
    if (axis->ticks.note[0] != '\0') {
        sfi_draw_text(canvas, f.right, label_y, SFI_RIGHT, 0, 0.0,
                      axis->ticks.note, sfi_font_tick);
        room -= 2.0 * sfi_text_width(canvas, axis->ticks.note, sfi_font_tick) +
                12.0;
    }
    if (has_text(axis->label))
        sfi_draw_text(canvas, 0.5 * (f.left + f.right), label_y, SFI_CENTRE, 0,
                      fmax(room, 20.0), axis->label, sfi_font_label);
}

static void draw_y_axis(sfi_canvas *canvas, const sfi_panel *panel)
{
    const sfi_axis *axis = &panel->y;
    const sfi_rect f = panel->frame;
    for (int i = 0; i < axis->ticks.minor_count; i++) {
        const double y = sfi_axis_at(axis, axis->ticks.minor[i]);
        sfi_draw_line(canvas, f.left - 0.55 * mark, y, f.left, y, 0.5, sfi_ink);
    }
    const double x = f.left - mark - mark_gap;
    for (int i = 0; i < axis->ticks.count; i++) {
        const double y = sfi_axis_at(axis, axis->ticks.at[i]);
        sfi_draw_line(canvas, f.left - mark, y, f.left, y, axis_width, sfi_ink);
        if (!axis->bare)
            sfi_draw_text(canvas, x, y, SFI_RIGHT, 0, 90.0, mark_label(axis, i),
                          sfi_font_tick);
    }
    if (axis->bare)
        return;
    if (axis->ticks.note[0] != '\0')
        sfi_draw_text(canvas, f.left, f.top - 7.5, SFI_LEFT, 0, 0.0,
                      axis->ticks.note, sfi_font_tick);
    if (has_text(axis->label))
        sfi_draw_text(canvas,
                      x - sfi_widest_label(canvas, axis) - label_gap -
                          0.5 * capital_of(sfi_font_label),
                      0.5 * (f.top + f.bottom), SFI_CENTRE, 90,
                      f.bottom - f.top, axis->label, sfi_font_label);
}

/* An end of the bar: a point in its colour if there are values beyond. */
static void draw_point(sfi_canvas *canvas, double left, double right, double y,
                       double tip, sfi_rgba colour)
{
    cairo_t *cr = canvas->cr;
    cairo_move_to(cr, left, y);
    cairo_line_to(cr, 0.5 * (left + right), y + tip);
    cairo_line_to(cr, right, y);
    sfi_set_colour(canvas, colour);
    cairo_fill_preserve(cr);
    sfi_set_colour(canvas, sfi_ink);
    cairo_set_line_width(cr, 0.6);
    cairo_stroke(cr);
}

void sfi_bar_draw(sfi_canvas *canvas, const sfi_colour_bar *bar, sfi_rect f)
{
    const double left = f.right + bar_gap, right = left + bar_width;
    const double point = 8.0;
    const sfi_axis axis = bar_axis(canvas, bar, f);
    cairo_t *cr = canvas->cr;

    /* A gradient with a stop for each of the map's colours; Cairo writes it as
     * a vector gradient, not as an image. */
    cairo_pattern_t *colours =
        cairo_pattern_create_linear(0.0, f.bottom, 0.0, f.top);
    for (int i = 0; i <= 64; i++) {
        const sfi_rgba c = sfi_map_at(bar->map, i / 64.0);
        cairo_pattern_add_color_stop_rgb(colours, i / 64.0, c.r, c.g, c.b);
    }
    cairo_rectangle(cr, left, f.top, bar_width, f.bottom - f.top);
    cairo_set_source(cr, colours);
    cairo_fill(cr);
    cairo_pattern_destroy(colours);
    cairo_rectangle(cr, left, f.top, bar_width, f.bottom - f.top);
    sfi_set_colour(canvas, sfi_ink);
    cairo_set_line_width(cr, 0.6);
    cairo_stroke(cr);
    if (bar->more_below)
        draw_point(canvas, left, right, f.bottom, point,
                   sfi_map_at(bar->map, 0.0));
    if (bar->more_above)
        draw_point(canvas, left, right, f.top, -point,
                   sfi_map_at(bar->map, 1.0));

    for (int i = 0; i < axis.ticks.count; i++) {
        const double y = sfi_axis_at(&axis, axis.ticks.at[i]);
        sfi_draw_line(canvas, right - 2.5, y, right, y, 0.6, sfi_ink);
        sfi_draw_text(canvas, right + mark_gap, y, SFI_LEFT, 0, 0.0,
                      axis.ticks.label[i], sfi_font_tick);
    }
    if (axis.ticks.note[0] != '\0')
        sfi_draw_text(canvas, left, f.top - 7.5, SFI_LEFT, 0, 0.0,
                      axis.ticks.note, sfi_font_tick);
    if (has_text(bar->label))
        sfi_draw_text(canvas,
                      right + mark_gap + sfi_widest_label(canvas, &axis) +
                          label_gap + 0.5 * capital_of(sfi_font_label),
                      0.5 * (f.top + f.bottom), SFI_CENTRE, 90,
                      f.bottom - f.top, bar->label, sfi_font_label);
}

void sfi_draw_nothing(sfi_canvas *canvas, const sfi_panel *panel)
{
    const sfi_rect f = panel->frame;
    sfi_font font = sfi_font_label;
    font.colour = sfi_soft_ink;
    sfi_draw_text(canvas, 0.5 * (f.left + f.right), 0.5 * (f.top + f.bottom),
                  SFI_CENTRE, 0, f.right - f.left - 8.0, "no finite values",
                  font);
}

void sfi_panel_end(sfi_canvas *canvas, sfi_panel *panel)
{
    const sfi_rect f = panel->frame, o = panel->outer;
    cairo_t *cr = canvas->cr;
    cairo_restore(cr); /* the clip of sfi_panel_begin */
    sfi_set_colour(canvas, sfi_ink);
    cairo_set_line_width(cr, axis_width);
    if (panel->box) {
        cairo_rectangle(cr, f.left, f.top, f.right - f.left, f.bottom - f.top);
    } else {
        cairo_move_to(cr, f.left, f.top);
        cairo_line_to(cr, f.left, f.bottom);
        cairo_line_to(cr, f.right, f.bottom);
    }
    cairo_stroke(cr);
    draw_x_axis(canvas, panel);
    draw_y_axis(canvas, panel);
    if (panel->bar != NULL)
        sfi_bar_draw(canvas, panel->bar, f);

    double y = o.top + pad;
    if (has_text(panel->title)) {
        sfi_draw_text(canvas, f.left,
                      y + 0.5 * capital_of(sfi_font_title) + 2.0, SFI_LEFT, 0,
                      o.right - pad - f.left, panel->title, sfi_font_title);
        y += title_row;
    }
    if (panel->legend != NULL && panel->legend->count > 0)
        sfi_legend_draw(canvas, panel->legend, f.left, y, panel->legend_width);
}
