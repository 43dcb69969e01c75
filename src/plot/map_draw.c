/* SPDX-License-Identifier: Apache-2.0 */
/* map_draw.c - what is inside the frame of a map.
 *
 * Layers from below: hatching over the whole frame, the cells as an image that is
 * transparent where a number is missing, coastlines, contours, vectors, the levels of
 * the contours.  A cell has one colour: what is seen are the values that there are.
 *
 * On a map of longitude and latitude a degree of longitude is cos(m) times as long
 * as one of latitude, m the middle latitude: lengths are true there, and a map of the
 * whole sphere is twice as wide as high. */
#include "plot/map.h"

#include <math.h>

#include "plot/coast.h"
#include "plot/image.h"

enum { SHADES = 512 };

/* Of coasts, where other lines are over them. */
static const sfi_rgba brown = {0.50, 0.28, 0.10, 1.0};

/* ---- cells ------------------------------------------------------------------ */

static uint32_t opaque(sfi_rgba c)
{
    return UINT32_C(255) << 24 | (uint32_t)(255.0 * c.r + 0.5) << 16 |
           (uint32_t)(255.0 * c.g + 0.5) << 8 | (uint32_t)(255.0 * c.b + 0.5);
}

static void paint(const sfi_map_page *m, const double *values, sfi_image *image)
{
    const sfi_colour_bar *bar = &m->bar;
    const sfi_raster *raster = &m->raster;
    uint32_t colours[SHADES];
    for (int k = 0; k < SHADES; k++)
        colours[k] = opaque(sfi_map_at(bar->map, k / (SHADES - 1.0)));
    for (int r = 0; r < image->height; r++) {
        uint32_t *row = image->pixels + (size_t)r * (size_t)image->stride;
        const int32_t *cell = raster->cell + (size_t)r * (size_t)raster->width;
        for (int c = 0; c < image->width; c++) {
            if (cell[c] < 0) { /* no cell, so that nothing is missing */
                row[c] = opaque(sfi_paper);
                continue;
            }
            const double value = values[cell[c]];
            const double share = (value - bar->lo) / (bar->hi - bar->lo);
            row[c] =
                isnan(share)
                    ? 0
                    : colours[(int)(fmin(fmax(share, 0.0), 1.0) * (SHADES - 1) +
                                    0.5)];
        }
    }
}

static sf_status draw_cells(sfi_canvas *canvas, sfi_map_page *m,
                            const sfi_panel *panel, const double *values)
{
    sfi_image image;
    if (m->raster.cell == NULL)
        SFI_TRY(sfi_raster_new(canvas, &m->raster, &m->tiling, panel));
    SFI_TRY(sfi_image_new(canvas, &image, "map", panel->frame,
                          CAIRO_FORMAT_ARGB32));
    paint(m, values, &image);
    sfi_image_paint(canvas, &image, panel->frame);
    return SF_OK;
}

/* Lines at 45 degrees, 5 points apart. */
static void draw_hatching(sfi_canvas *canvas, sfi_rect f)
{
    const double height = f.bottom - f.top;
    sfi_fill_rect(canvas, f.left, f.top, f.right, f.bottom, sfi_paper);
    for (double x = f.left - height; x < f.right; x += 5.0)
        sfi_draw_line(canvas, x, f.bottom, x + height, f.top, 0.5,
                      sfi_faded(sfi_soft_ink, 0.55));
}

/* The rim of a disc, and of a hole in it. */
static void draw_rim(sfi_canvas *canvas, const sfi_map_page *m,
                     const sfi_panel *panel)
{
    const sfi_tiling *t = &m->tiling;
    enum { SIDES = 360 };
    for (int64_t j = 0; j <= t->ny; j += t->ny) {
        const double first = t->x_edges[0], last = t->x_edges[t->nx];
        cairo_new_path(canvas->cr);
        for (int k = 0; k <= SIDES; k++) {
            const double angle = first + (last - first) * k / SIDES;
            cairo_line_to(canvas->cr,
                          sfi_axis_at(&panel->x, t->y_edges[j] * cos(angle)),
                          sfi_axis_at(&panel->y, t->y_edges[j] * sin(angle)));
        }
        sfi_set_colour(canvas, sfi_ink);
        cairo_set_line_width(canvas->cr, 0.6);
        cairo_stroke(canvas->cr);
    }
}

/* ---- panels ----------------------------------------------------------------- */

/* The length of a degree of longitude in those of latitude, in the middle of the
 * map; maps that end at a pole are no narrower than a third. */
static double narrowing(const sfi_map_page *m)
{
    sfi_axis x, y;
    sfi_tiling_axes(&m->tiling, &y, &x);
    return m->o->is_geographic
               ? fmax(cos((y.lo + y.hi) * 3.141592653589793 / 360.0), 1.0 / 3.0)
               : 1.0;
}

/* Whether both axes have one scale. */
static bool has_scale(const sf_plot_map_options *o)
{
    return o->is_geographic || o->is_equal || o->is_disc;
}

static const char *letters_of(sf_plot_degrees degrees)
{
    return degrees == SF_PLOT_EAST    ? "EW"
           : degrees == SF_PLOT_NORTH ? "NS"
                                      : NULL;
}

void sfi_map_set_panel(const sfi_map_page *m, sfi_panel *panel)
{
    const sf_plot_map_options *o = m->o;
    sfi_tiling_axes(&m->tiling, &panel->y, &panel->x);
    panel->x.label = o->x_label;
    panel->y.label = o->y_label;
    panel->x.given = o->x_ticks.count > 0 ? &o->x_ticks : NULL;
    panel->y.given = o->y_ticks.count > 0 ? &o->y_ticks : NULL;
    panel->y.falls = o->y_falls;
    panel->y.log = o->y_log;
    panel->box = true;
    panel->equal = has_scale(o);
    panel->narrow = narrowing(m);
    panel->x.letters =
        letters_of(o->is_geographic ? SF_PLOT_EAST : o->x_degrees);
    panel->y.letters =
        letters_of(o->is_geographic ? SF_PLOT_NORTH : o->y_degrees);
}

double sfi_map_aspect(const sfi_map_page *m)
{
    sfi_axis x = {0}, y = {0};
    if (!has_scale(m->o))
        return 0.0;
    sfi_tiling_axes(&m->tiling, &y, &x);
    return (y.hi - y.lo) / (narrowing(m) * (x.hi - x.lo));
}

void sfi_map_set_scale(sfi_map_page *m, const sfi_panel *panel)
{
    char number[SFI_TICK_BYTES];
    const char *unit = m->o->vector_unit;
    const bool has_unit = unit != NULL && unit[0] != '\0';
    m->scale = sfi_arrow_scale_of(m->largest, m->rms, &m->tiling, panel);
    m->legend.count = 0;
    if (!m->has_vectors || m->o->streamlines || m->scale.full == 0.0)
        return;
    sfi_number_text(m->scale.reference, 3, number, sizeof number);
    m->legend.entry[0].length = sfi_arrow_length(&m->scale, m->scale.reference);
    sfi_legend_add(&m->legend, SFI_SWATCH_SCALE, sfi_ink, "%s%s%s", number,
                   has_unit ? " " : "", has_unit ? unit : "");
}

static sf_status draw_vectors(sfi_canvas *canvas, const sfi_map_page *m,
                              const sfi_panel *panel,
                              const sf_plot_map_frame *f)
{
    const sfi_vectors vectors = {f->u, f->v, m->o->is_geographic};
    if (f->u == NULL)
        return SF_OK;
    if (m->o->streamlines)
        return sfi_draw_streamlines(canvas, panel, &m->tiling, &vectors);
    sfi_draw_vectors(canvas, panel, &m->tiling, &vectors, &m->scale);
    return SF_OK;
}

sf_status sfi_map_draw(sfi_canvas *canvas, sfi_map_page *m,
                       const sfi_panel *panel, const sf_plot_map_frame *f)
{
    sfi_isolines lines = {0};
    draw_hatching(canvas, panel->frame);
    SFI_TRY(draw_cells(canvas, m, panel, f->values));
    if (m->o->is_disc)
        draw_rim(canvas, m, panel);
    if (m->o->is_geographic)
        sfi_draw_coast(canvas, panel,
                       m->level_count > 0 || f->u != NULL ? brown : sfi_ink);
    if (m->level_count > 0)
        SFI_TRY(sfi_draw_isolines(canvas, panel, &m->tiling, f->contoured,
                                  m->levels, m->level_count, &lines));
    SFI_TRY(draw_vectors(canvas, m, panel, f));
    sfi_draw_isoline_labels(canvas, &lines);
    return SF_OK;
}
