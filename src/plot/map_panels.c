/* SPDX-License-Identifier: Apache-2.0 */
/* map_panels.c - several maps of one grid on a page.
 *
 * All frames have one size, in whole points, so that one raster serves them all.  Only
 * those at the left have labels of y, only those with no other below labels of x; one
 * colour bar stands beside them all.  The number of columns makes the page about 0.7
 * times as high as wide. */
#include "plot/map.h"

#include <math.h>

static const double edge = 8.0;       /* around the page                     */
static const double gap = 9.0;        /* between frames                      */
static const double title_row = 15.0; /* above each frame                    */
static const double page_title = 19.0;
static const double legend_row = 14.0;
static const double axis_row = 14.0;     /* tick labels of x                 */
static const double label_row = 15.0;    /* and the label below them         */
static const double usual_width = 720.0; /* of a page                        */
static const double free_aspect = 0.62;  /* of frames without a scale        */

typedef struct panel_grid {
    int columns, rows;
    double left, top, right, bottom; /* around all frames                    */
    double width, height;            /* of a frame                           */
} panel_grid;

static bool has_text(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static double aspect_of(const sfi_map_page *m)
{
    const double aspect = sfi_map_aspect(m);
    return aspect > 0.0 ? fmin(fmax(aspect, 0.15), 6.0) : free_aspect;
}

/* Room above and below the frames. */
static double room_above(const sfi_map_page *m)
{
    return edge + (has_text(m->o->title) ? page_title : 0.0) +
           (m->has_vectors && !m->o->streamlines ? legend_row : 0.0);
}

static double room_below(const sfi_map_page *m)
{
    return edge + axis_row + (has_text(m->o->x_label) ? label_row : 0.0);
}

/* The height of a page of this width whose frames have their aspect: 40 points of the
 * width are for labels at the left, 75 for the bar. */
static double height_of(const sfi_map_page *m, int columns, double width)
{
    const int rows = (int)((m->count + columns - 1) / columns);
    const double frame =
        fmax((width - 115.0 - gap * (columns - 1)) / columns, 20.0);
    return room_above(m) + room_below(m) + gap * (rows - 1) +
           rows * (title_row + frame * aspect_of(m));
}

static int choose_columns(const sfi_map_page *m)
{
    int best = 1;
    double least = INFINITY;
    if (m->o->columns > 0)
        return m->o->columns < m->count ? m->o->columns : (int)m->count;
    for (int c = 1; c <= m->count; c++) {
        const int rows = (int)((m->count + c - 1) / c);
        const double empty = (double)(rows * c - m->count) / (double)m->count;
        const double ratio = height_of(m, c, usual_width) / usual_width;
        const double cost = fabs(log(ratio / 0.7)) + 0.3 * empty;
        if (cost < least) {
            least = cost;
            best = c;
        }
    }
    return best;
}

sfi_page sfi_map_panels_page(const sfi_map_page *m)
{
    const sf_plot_map_options *o = m->o;
    const double width = o->width != 0.0 ? o->width : usual_width;
    const double height = height_of(m, choose_columns(m), width);
    return sfi_page_or(o->width, o->height, o->scale, usual_width,
                       fmin(fmax(floor(height), 160.0), 4000.0));
}

/* ---- layout ----------------------------------------------------------------- */

static double left_room(sfi_canvas *canvas, const sfi_panel *panel,
                        double height)
{
    sfi_axis y = panel->y;
    sfi_axis_place(canvas, &y, true, height, 0.0);
    return edge + sfi_widest_label(canvas, &y) + 8.0 +
           (has_text(y.label) ? sfi_font_label.size + 6.0 : 0.0);
}

static panel_grid lay_out(sfi_canvas *canvas, const sfi_map_page *m,
                          const sfi_panel *panel)
{
    panel_grid g = {.columns = choose_columns(m)};
    g.rows = (int)((m->count + g.columns - 1) / g.columns);
    g.top = room_above(m);
    g.bottom = canvas->height - room_below(m);
    g.height =
        floor((g.bottom - g.top - gap * (g.rows - 1)) / g.rows - title_row);
    g.height = fmax(g.height, 8.0);
    g.left = ceil(left_room(canvas, panel, g.height));
    const sfi_rect all = {g.left, g.top + title_row, canvas->width, g.bottom};
    g.right = canvas->width - edge - sfi_bar_room(canvas, &m->bar, all);
    g.width = fmax(
        floor((g.right - g.left - gap * (g.columns - 1)) / g.columns), 8.0);
    if (sfi_map_aspect(m) > 0.0) {
        const double aspect = sfi_map_aspect(m);
        const double width = fmin(g.width, g.height / aspect);
        if (width > 30.0 && width * aspect > 30.0) { /* or it can not be read */
            g.width = floor(width);
            g.height = floor(width * aspect);
        }
    }
    g.right = g.left + g.columns * g.width + gap * (g.columns - 1);
    g.bottom = g.top + g.rows * (g.height + title_row) + gap * (g.rows - 1);
    return g;
}

/* Leave out the label of a last mark that would reach over into the next panel. */
static void keep_within(sfi_canvas *canvas, sfi_axis *x, double right)
{
    const int last = x->ticks.count - 1;
    if (last >= 0 && sfi_axis_at(x, x->ticks.at[last]) +
                             0.5 * sfi_text_width(canvas, x->ticks.label[last],
                                                  sfi_font_tick) >
                         right + 0.5 * gap)
        x->ticks.label[last][0] = '\0';
}

static void place_panel(sfi_canvas *canvas, const sfi_map_page *m,
                        const panel_grid *g, int64_t k, sfi_panel *panel)
{
    const int column = (int)(k % g->columns), row = (int)(k / g->columns);
    sfi_rect *f = &panel->frame;
    f->left = g->left + column * (g->width + gap);
    f->right = f->left + g->width;
    f->top = g->top + title_row + row * (g->height + title_row + gap);
    f->bottom = f->top + g->height;
    panel->outer = *f;
    panel->y.bare = column > 0;
    panel->x.bare = k + g->columns < m->count;
    sfi_axis_place(canvas, &panel->x, false, f->left, f->right);
    if (column + 1 < g->columns)
        keep_within(canvas, &panel->x, f->right);
    sfi_axis_place(canvas, &panel->y, true, f->bottom, f->top);
}

/* ---- drawing ---------------------------------------------------------------- */

static sf_status draw_panel(sfi_canvas *canvas, sfi_map_page *m,
                            const panel_grid *g, int64_t k)
{
    sf_plot_map_frame frame;
    sfi_panel panel = {0};
    SFI_TRY(sfi_map_frame(m, k, &frame));
    sfi_map_set_panel(m, &panel);
    place_panel(canvas, m, g, k, &panel);
    sfi_panel_begin(canvas, &panel);
    const sf_status status = sfi_map_draw(canvas, m, &panel, &frame);
    sfi_panel_end(canvas, &panel);
    if (has_text(frame.title))
        sfi_draw_text(canvas, panel.frame.left, panel.frame.top - 6.5, SFI_LEFT,
                      0, g->width, frame.title, sfi_font_label);
    return status;
}

/* Title, legend and colour bar. */
static void draw_common(sfi_canvas *canvas, const sfi_map_page *m,
                        const panel_grid *g)
{
    double top = edge;
    if (has_text(m->o->title)) {
        sfi_draw_text(canvas, g->left, top + 6.0, SFI_LEFT, 0,
                      canvas->width - edge - g->left, m->o->title,
                      sfi_font_title);
        top += page_title;
    }
    sfi_legend_draw(canvas, &m->legend, g->left, top, g->right - g->left);
    const sfi_rect all = {g->left, g->top + title_row, g->right, g->bottom};
    sfi_bar_draw(canvas, &m->bar, all);
}

sf_status sfi_map_draw_panels(sfi_canvas *canvas, sfi_map_page *m)
{
    sfi_panel first = {0};
    sfi_map_set_panel(m, &first);
    const panel_grid g = lay_out(canvas, m, &first);
    place_panel(canvas, m, &g, 0, &first);
    sfi_map_set_scale(m, &first);
    for (int64_t k = 0; k < m->count; k++)
        SFI_TRY(draw_panel(canvas, m, &g, k));
    draw_common(canvas, m, &g);
    return SF_OK;
}
