/* SPDX-License-Identifier: Apache-2.0 */
/* traces.c - every draw of every chain: a panel for each column, over the
 * iteration.
 *
 * Chains that agree look like one band of noise in all colours.  A chain that is
 * stuck is a level line, one that wanders a slow curve, and chains that disagree
 * are bands of their own colours.  So colours lie over each other, thin, and all
 * panels share the axis of iterations. */
#include "scorefield/plot.h"

#include <math.h>
#include <stdio.h>

#include "num/array.h"
#include "plot/marks.h"

enum { MOST_COLUMNS = 12, MOST_CHAINS = 50, COLOURS = 7 };

static const double edge = 8.0; /* around the picture */
static const double row = 17.0; /* of text above a panel */

typedef struct trace_page {
    sf_context *ctx;
    sf_plot_chains_options o;
    const sf_array *trace;
    int64_t draws, chains, all; /* chains that are shown, and all of them */
    int d;
    double *values; /* [all draws of all chains, 1], of one column */
    double *curve;  /* [draws, 2], of one chain */
    sfi_axis y[MOST_COLUMNS];
    char name[MOST_COLUMNS][32]; /* where none was given */
} trace_page;

static double value_at(const trace_page *w, int64_t i, int64_t chain, int64_t j)
{
    return sfi_number_get(w->trace->dtype, w->trace->data,
                          (i * w->all + chain) * w->d + j);
}

static int64_t chain_of(const trace_page *w, int64_t k)
{
    return sfi_pick(k, w->chains, w->all);
}

static const char *name_of(const trace_page *w, int j)
{
    return w->o.names != NULL && w->o.names[j] != NULL ? w->o.names[j]
                                                       : w->name[j];
}

/* ---- axes ---------------------------------------------------------------- */

static sf_status set_axis(trace_page *w, int j)
{
    const int64_t n = w->draws * w->all;
    for (int64_t i = 0; i < n; i++)
        w->values[i] = value_at(w, i / w->all, i % w->all, j);
    const sf_cmat m = {w->values, n, 1, 1}, none = {NULL, 0, 0, 0};
    return sf_plot_range(w->ctx, m, none, 0, 0.05, &w->y[j].lo, &w->y[j].hi);
}

static double left_room(sfi_canvas *canvas, const trace_page *w, double height)
{
    double room = 0.0;
    for (int j = 0; j < w->d; j++) {
        sfi_axis axis = w->y[j];
        sfi_axis_place(canvas, &axis, true, height, 0.0);
        room = fmax(room, sfi_widest_label(canvas, &axis));
    }
    return room;
}

/* ---- drawing ------------------------------------------------------------- */

static void describe(const trace_page *w, sfi_legend *legend)
{
    for (int64_t k = 0; k < w->chains && w->chains <= COLOURS; k++)
        sfi_legend_add(legend, SFI_SWATCH_LINE, sfi_palette((int)k),
                       "chain %lld", (long long)chain_of(w, k));
    if (w->chains <= COLOURS)
        return;
    if (w->chains < w->all)
        sfi_legend_add(legend, SFI_SWATCH_LINE, sfi_soft_ink,
                       "%lld of %lld chains", (long long)w->chains,
                       (long long)w->all);
    else
        sfi_legend_add(legend, SFI_SWATCH_LINE, sfi_soft_ink, "%lld chains",
                       (long long)w->chains);
}

/* The name of a panel, left, with the multiplier of its marks, and its note. */
static void draw_texts(sfi_canvas *canvas, const trace_page *w, int j,
                       const sfi_panel *panel, const char *multiplier)
{
    const sfi_rect f = panel->frame;
    const double y = f.top - 0.5 * row + 1.0;
    const char *note = w->o.notes != NULL ? w->o.notes[j] : NULL;
    sfi_font font = sfi_font_tick;
    font.colour = sfi_soft_ink;
    double room = f.right - f.left;
    if (note != NULL && note[0] != '\0') {
        sfi_draw_text(canvas, f.right, y, SFI_RIGHT, 0, 0.6 * room, note, font);
        room -= fmin(sfi_text_width(canvas, note, font), 0.6 * room) + 12.0;
    }
    char text[512];
    snprintf(text, sizeof text, "%s  %s", name_of(w, j), multiplier);
    sfi_draw_text(canvas, f.left, y, SFI_LEFT, 0, fmax(room, 20.0),
                  multiplier[0] != '\0' ? text : name_of(w, j), sfi_font_label);
}

static void draw_panel(sfi_canvas *canvas, const trace_page *w, int j,
                       sfi_rect frame)
{
    const bool last = j == w->d - 1;
    sfi_panel panel = {
        .x = {.lo = 0.0,
              .hi = w->draws > 1 ? (double)(w->draws - 1) : 1.0,
              .whole = true,
              .bare = !last,
              .label = w->o.x_label != NULL ? w->o.x_label : "draw"},
        .y = w->y[j],
        .outer = frame,
        .frame = frame,
        .box = true,
        .grid_y = true};
    sfi_axis_place(canvas, &panel.x, false, frame.left, frame.right);
    sfi_axis_place(canvas, &panel.y, true, frame.bottom, frame.top);
    char multiplier[sizeof panel.y.ticks.note];
    snprintf(multiplier, sizeof multiplier, "%s", panel.y.ticks.note);
    panel.y.ticks.note[0] = '\0'; /* draw_texts() */
    panel.x.ticks.minor_count = panel.y.ticks.minor_count = 0;
    sfi_panel_begin(canvas, &panel);
    const double alpha = w->chains <= COLOURS ? 0.75 : 0.5;
    for (int64_t k = 0; k < w->chains; k++) {
        const int64_t chain = chain_of(w, k);
        for (int64_t i = 0; i < w->draws; i++) {
            w->curve[2 * i] = (double)i;
            w->curve[2 * i + 1] = value_at(w, i, chain, j);
        }
        const sfi_stroke stroke = {0.7, sfi_faded(sfi_palette((int)k), alpha),
                                   0};
        sfi_draw_curve(canvas, &panel, (sf_cmat){w->curve, w->draws, 2, 2},
                       stroke);
    }
    if (w->draws * w->chains == 0)
        sfi_draw_nothing(canvas, &panel);
    sfi_panel_end(canvas, &panel);
    draw_texts(canvas, w, j, &panel, multiplier);
}

static void draw(sfi_canvas *canvas, const trace_page *w)
{
    sfi_legend legend = {0};
    describe(w, &legend);
    double left = edge + 6.0, top = edge + 2.0;
    const double right = canvas->width - edge - 4.0;
    const double bottom = canvas->height - edge - 30.0;
    left += left_room(canvas, w, (bottom - top) / w->d - row);
    const double width = right - left;
    top += sfi_draw_head(canvas, w->o.title, &legend, left, top, width);
    const double step = fmax((bottom - top) / w->d, row + 8.0);
    for (int j = 0; j < w->d; j++) {
        const sfi_rect frame = {left, top + j * step + row,
                                fmax(right, left + 8.0),
                                top + (j + 1) * step - 3.0};
        draw_panel(canvas, w, j, frame);
    }
}

/* ---- the picture --------------------------------------------------------- */

static sf_status check(sf_context *ctx, const sf_array *trace,
                       sf_plot_chains_options *o)
{
    static const char what[] = "plot_chains";
    if (trace == NULL || trace->rank != 3 || trace->shape[0] < 0 ||
        trace->shape[1] < 0 || trace->shape[2] < 1 ||
        trace->shape[2] > MOST_COLUMNS)
        return SFI_FAIL(
            ctx, SF_E_SHAPE,
            "%s: trace has rank %d, %lld columns, want [draws, "
            "chains, dim] with dim from 1 to %d",
            what, trace != NULL ? trace->rank : 0,
            trace != NULL && trace->rank == 3 ? (long long)trace->shape[2] : 0,
            (int)MOST_COLUMNS);
    if (trace->data == NULL && trace->shape[0] > 0 && trace->shape[1] > 0)
        return SFI_FAIL(ctx, SF_E_SHAPE, "%s: trace has no data", what);
    return sfi_plot_most(ctx, what, "most_chains", &o->most_chains,
                         MOST_CHAINS);
}

static sf_status draw_page(trace_page *w, const char *path)
{
    for (int j = 0; j < w->d; j++) {
        snprintf(w->name[j], sizeof w->name[j], "c%d", j);
        SFI_TRY(set_axis(w, j));
    }
    const sf_plot_chains_options *o = &w->o;
    const double height = w->d <= 4 ? 105.0 : 85.0;
    sfi_canvas canvas;
    SFI_TRY(sfi_canvas_open(w->ctx, &canvas, "plot_chains", path,
                            sfi_page_or(o->width, o->height, o->scale, 450.0,
                                        80.0 + height * w->d)));
    draw(&canvas, w);
    return sfi_canvas_close(&canvas, SF_OK);
}

sf_status sf_plot_chains(sf_context *ctx, const char *path,
                         const sf_array *trace,
                         const sf_plot_chains_options *opts)
{
    sf_plot_chains_options o = SF_PLOT_CHAINS_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, trace, &o));
    trace_page *w = sfi_alloc_zero(ctx, 1, sizeof *w);
    if (w == NULL)
        return SF_E_NOMEM;
    w->ctx = ctx;
    w->o = o;
    w->trace = trace;
    w->draws = trace->shape[0];
    w->all = trace->shape[1];
    w->chains = w->all < o.most_chains ? w->all : o.most_chains;
    w->d = (int)trace->shape[2];
    const size_t all = (size_t)w->draws * (size_t)w->all;
    const size_t one = 2 * (size_t)w->draws;
    w->values = sfi_alloc(ctx, all, sizeof *w->values);
    w->curve = sfi_alloc(ctx, one, sizeof *w->curve);
    const sf_status status =
        w->values != NULL && w->curve != NULL ? draw_page(w, path) : SF_E_NOMEM;
    sfi_free(ctx, w->values, all, sizeof *w->values);
    sfi_free(ctx, w->curve, one, sizeof *w->curve);
    sfi_free(ctx, w, 1, sizeof *w);
    return status;
}
