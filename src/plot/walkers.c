/* SPDX-License-Identifier: Apache-2.0 */
/* walkers.c - where walkers went: one picture of all paths, or an animation.
 *
 * Both copy the walkers and steps they show into `tracks` first: doubles,
 * [walker, moment, 2], whatever the trace's type and number of columns.
 *
 * An animation draws what stands still once, keeps those pixels, and for every
 * frame puts them back and draws walkers and tails on top. */
#include "scorefield/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "num/array.h"
#include "plot/marks.h"
#include "plot/film.h"

enum { MOST_MOMENTS = 5000, MOST_FRAMES = 1000 };

typedef struct tracks {
    sf_context *ctx;
    double *xy; /* [walkers, moments, 2] */
    int64_t walkers, moments;
    int64_t all_walkers, all_steps; /* of the trace */
} tracks;

/* ---- the trace ----------------------------------------------------------- */

static double trace_at(const sf_array *trace, int64_t step, int64_t walker,
                       int64_t j)
{
    const int64_t at = (step * trace->shape[1] + walker) * trace->shape[2] + j;
    return sfi_number_get(trace->dtype, trace->data, at);
}

/* The step that moment k of `moments` shows: the first one shows the first
 * step, the last one the last. */
static int64_t step_of(int64_t k, int64_t moments, int64_t steps)
{
    if (moments < 2)
        return 0;
    return (int64_t)floor(
        (double)k * (double)(steps - 1) / (double)(moments - 1) + 0.5);
}

static sf_status copy_tracks(sf_context *ctx, tracks *t, const sf_array *trace,
                             int64_t most_walkers, int64_t most_moments)
{
    const int64_t steps = trace->shape[0], walkers = trace->shape[1];
    const bool plane = trace->shape[2] >= 2;
    memset(t, 0, sizeof *t);
    t->ctx = ctx;
    t->all_walkers = walkers;
    t->all_steps = steps;
    t->walkers = walkers < most_walkers ? walkers : most_walkers;
    t->moments = steps < most_moments ? steps : most_moments;
    const size_t n = (size_t)t->walkers * (size_t)t->moments;
    t->xy = sfi_alloc(ctx, 2 * n, sizeof *t->xy);
    if (t->xy == NULL)
        return SF_E_NOMEM;
    double *at = t->xy;
    for (int64_t w = 0; w < t->walkers; w++) {
        const int64_t walker = sfi_pick(w, t->walkers, walkers);
        for (int64_t k = 0; k < t->moments; k++, at += 2) {
            const int64_t step = step_of(k, t->moments, steps);
            at[0] = plane ? trace_at(trace, step, walker, 0) : (double)step;
            at[1] = trace_at(trace, step, walker, plane ? 1 : 0);
        }
    }
    return SF_OK;
}

static void free_tracks(tracks *t)
{
    if (t->xy != NULL)
        sfi_free(t->ctx, t->xy, 2 * (size_t)t->walkers * (size_t)t->moments,
                 sizeof *t->xy);
    t->xy = NULL;
}

/* One walker's path, and all walkers at one moment, as tables. */
static sf_cmat path_of(const tracks *t, int64_t walker)
{
    const sf_cmat m = {t->xy + 2 * walker * t->moments, t->moments, 2, 2};
    return m;
}

static sf_cmat walkers_at(const tracks *t, int64_t moment)
{
    const sf_cmat m = {t->xy + 2 * moment, t->walkers, 2, 2 * t->moments};
    return m;
}

static sf_status check(sf_context *ctx, const char *what, const sf_array *trace,
                       int64_t least_dim, sf_plot_paths_options *o)
{
    if (trace == NULL || trace->rank != 3 || trace->shape[0] < 0 ||
        trace->shape[1] < 0 || trace->shape[2] < least_dim)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: trace has rank %d, want [steps, walkers, dim] "
                        "with dim >= %lld",
                        what, trace != NULL ? trace->rank : 0,
                        (long long)least_dim);
    if (trace->data == NULL && trace->shape[0] > 0 && trace->shape[1] > 0)
        return SFI_FAIL(ctx, SF_E_SHAPE, "%s: trace has no data", what);
    SFI_TRY(sfi_check_grid(ctx, what, &o->grid));
    SFI_TRY(sfi_plot_check(ctx, what, "arrows", o->arrows, 4));
    if (o->depth == 0.0)
        o->depth = 10.0;
    if (!(o->depth > 0.0 && o->depth < INFINITY))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: depth is %g, want > 0", what,
                        o->depth);
    SFI_TRY(sfi_plot_most(ctx, what, "most_walkers", &o->most_walkers, 0));
    if (o->frames == 0)
        o->frames = 60;
    if (o->frames < 2 || o->frames > MOST_FRAMES)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: frames is %d, want 2 to %d", what,
                        o->frames, (int)MOST_FRAMES);
    if (o->frame_time == 0.0)
        o->frame_time = 0.08;
    if (!(o->frame_time >= 0.02 && o->frame_time <= 10.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: frame_time is %g s, want 0.02 to 10", what,
                        o->frame_time);
    if (o->tail < -1)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: tail is %d, want >= -1", what,
                        o->tail);
    o->tail = o->tail == 0 ? 8 : o->tail < 0 ? 0 : o->tail;
    return SF_OK;
}

/* ---- what both pictures share -------------------------------------------- */

static sf_status set_axes(sf_context *ctx, sfi_panel *panel, const tracks *t,
                          const sf_plot_grid *g)
{
    if (g->values != NULL) {
        panel->x.lo = g->x_first;
        panel->x.hi = g->x_last;
        panel->y.lo = g->y_first;
        panel->y.hi = g->y_last;
        sfi_ticks_range(&panel->x.lo, &panel->x.hi, false);
        sfi_ticks_range(&panel->y.lo, &panel->y.hi, false);
        return SF_OK;
    }
    const sf_cmat all = {t->xy, t->walkers * t->moments, 2, 2}, none = {0};
    SFI_TRY(sf_plot_range(ctx, all, none, 0, 0.05, &panel->x.lo, &panel->x.hi));
    return sf_plot_range(ctx, all, none, 1, 0.05, &panel->y.lo, &panel->y.hi);
}

static sf_status draw_ground(sfi_canvas *canvas, const sfi_panel *panel,
                             const sf_plot_paths_options *o,
                             const sfi_heat *heat)
{
    const sfi_rgba arrow = {0.25, 0.28, 0.33, 0.6};
    if (o->grid.values != NULL)
        SFI_TRY(sfi_draw_heat(canvas, panel, heat));
    return sfi_draw_arrows(canvas, panel, o->arrows, o->arrow_kind, arrow);
}

static sf_status new_heat(sf_context *ctx, sfi_heat *heat,
                          const sf_plot_paths_options *o)
{
    if (o->grid.values == NULL)
        return SF_OK;
    return sfi_heat_new(ctx, heat, &o->grid, SF_PLOT_HEAT_LOG, o->depth, NULL);
}

/* ---- one picture --------------------------------------------------------- */

/* Starts are open, ends are filled; both have a rim that sets them off. */
static void draw_ends(sfi_canvas *canvas, const sfi_panel *panel,
                      const tracks *t)
{
    const sf_cmat at[2] = {walkers_at(t, 0), walkers_at(t, t->moments - 1)};
    const double radius[2] = {2.6, 1.7};
    const sfi_rgba colour[2][2] = {{sfi_ink, sfi_paper},
                                   {sfi_paper, sfi_synthetic}};
    for (int end = 0; end < 2; end++)
        for (int layer = 0; layer < 2; layer++) {
            const sfi_dots dots = {radius[layer],
                                   colour[end][layer],
                                   false,
                                   INT64_MAX,
                                   {0.0, 0.0}};
            sfi_draw_dots(canvas, panel, at[end], 0, 1, dots);
        }
}

/* How often paths of this width would cover the panel, were they spread evenly. */
static double coverage(const tracks *t, const sfi_panel *panel, double width)
{
    const sfi_rect f = panel->frame;
    double length = 0.0;
    for (int64_t w = 0; w < t->walkers; w++) {
        const sf_cmat p = path_of(t, w);
        double before[2] = {NAN, NAN};
        for (int64_t i = 0; i < p.rows; i++) {
            const double at[2] = {sfi_axis_at(&panel->x, sfi_cell(p, i, 0)),
                                  sfi_axis_at(&panel->y, sfi_cell(p, i, 1))};
            const bool inside = at[0] >= f.left && at[0] <= f.right &&
                                at[1] >= f.top && at[1] <= f.bottom;
            const double step = hypot(at[0] - before[0], at[1] - before[1]);
            if (inside && step < INFINITY)
                length += step;
            before[0] = inside ? at[0] : NAN;
            before[1] = at[1];
        }
    }
    return length * width / ((f.right - f.left) * (f.bottom - f.top));
}

static sf_status draw_paths(sfi_canvas *canvas, const tracks *t, bool plane,
                            const sf_plot_paths_options *o)
{
    sfi_legend legend = {0};
    sfi_heat heat = {0};
    sfi_panel panel = {
        .x = {.label = plane || o->x_label != NULL ? o->x_label : "step"},
        .y = {.label = o->y_label},
        .title = o->title,
        .legend = &legend,
        .box = plane};
    sf_status status = set_axes(canvas->ctx, &panel, t, &o->grid);
    if (status == SF_OK)
        status = new_heat(canvas->ctx, &heat, o);
    if (status != SF_OK)
        goto done;
    if (o->grid.values != NULL)
        panel.bar = &heat.bar;
    else
        panel.grid_x = panel.grid_y = true;
    /* Many long paths must be thin to be told apart. */
    const double crowd = (double)t->walkers;
    const double alpha = crowd <= 5.0 ? 0.8 : crowd <= 20.0 ? 0.5 : 0.3;
    sfi_stroke stroke = {crowd <= 20.0 ? 0.9 : 0.7,
                         sfi_faded(sfi_synthetic, alpha), 0};
    if (t->walkers < t->all_walkers)
        sfi_legend_add(&legend, SFI_SWATCH_LINE, sfi_faded(sfi_synthetic, 0.6),
                       "paths (%lld of %lld walkers, %lld steps)",
                       (long long)t->walkers, (long long)t->all_walkers,
                       (long long)(t->all_steps - 1));
    else
        sfi_legend_add(&legend, SFI_SWATCH_LINE, sfi_faded(sfi_synthetic, 0.6),
                       "paths (%lld walkers, %lld steps)",
                       (long long)t->walkers, (long long)(t->all_steps - 1));
    sfi_legend_add(&legend, SFI_SWATCH_RING, sfi_ink, "start");
    sfi_legend_add(&legend, SFI_SWATCH_DOT, sfi_synthetic, "end");

    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    /* So must paths that jump to and fro, as those of chains do. */
    const double covered = coverage(t, &panel, stroke.width);
    if (plane && covered > 0.25) {
        const double fade = fmax(0.35, sqrt(0.25 / covered));
        stroke.width *= fade;
        stroke.colour.a *= fade;
    }
    sfi_panel_begin(canvas, &panel);
    status = draw_ground(canvas, &panel, o, &heat);
    for (int64_t w = 0; w < t->walkers; w++)
        sfi_draw_curve(canvas, &panel, path_of(t, w), stroke);
    if (t->moments > 0)
        draw_ends(canvas, &panel, t);
    sfi_panel_end(canvas, &panel);

done:
    sfi_heat_free(&heat);
    return status;
}

sf_status sf_plot_paths(sf_context *ctx, const char *path,
                        const sf_array *trace,
                        const sf_plot_paths_options *opts)
{
    static const char what[] = "plot_paths";
    sf_plot_paths_options o = SF_PLOT_PATHS_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, what, trace, 1, &o));
    const bool plane = trace->shape[2] >= 2;
    if (!plane) /* a density of the plane says nothing here */
        memset(&o.grid, 0, sizeof o.grid);
    tracks t;
    sf_status status = copy_tracks(
        ctx, &t, trace, o.most_walkers > 0 ? o.most_walkers : 60, MOST_MOMENTS);
    if (status == SF_OK) {
        sfi_canvas canvas;
        status = sfi_canvas_open(
            ctx, &canvas, what, path,
            sfi_page_or(o.width, o.height, o.scale, 450.0, 370.0));
        if (status == SF_OK)
            status =
                sfi_canvas_close(&canvas, draw_paths(&canvas, &t, plane, &o));
    }
    free_tracks(&t);
    return status;
}

/* ---- animation ----------------------------------------------------------- */

typedef struct moving {
    sfi_canvas canvas;
    sfi_panel panel;
    const tracks *t;
    int tail;
    size_t pixels;   /* of a frame             */
    uint32_t *still; /* [pixels] the ground    */
} moving;

/* The path of each walker over the last frames, fading with age. */
static void draw_tails(moving *f, int64_t moment)
{
    cairo_t *cr = f->canvas.cr;
    cairo_set_line_width(cr, 0.9);
    const int64_t reach = moment < f->tail ? moment : f->tail;
    for (int64_t age = reach; age >= 1; age--) {
        const double fade = 1.0 - (double)(age - 1) / (double)f->tail;
        sfi_set_colour(&f->canvas, sfi_faded(sfi_synthetic, 0.55 * fade));
        for (int64_t w = 0; w < f->t->walkers; w++) {
            const sf_cmat p = path_of(f->t, w);
            double at[4];
            for (int k = 0; k < 2; k++) {
                const int64_t row = moment - age + k;
                at[2 * k] = sfi_axis_at(&f->panel.x, sfi_cell(p, row, 0));
                at[2 * k + 1] = sfi_axis_at(&f->panel.y, sfi_cell(p, row, 1));
            }
            if (!isfinite(at[0] + at[1] + at[2] + at[3]))
                continue;
            cairo_new_path(cr);
            cairo_move_to(cr, at[0], at[1]);
            cairo_line_to(cr, at[2], at[3]);
            cairo_stroke(cr);
        }
    }
}

static sf_status draw_frame(void *user, int64_t moment)
{
    moving *f = user;
    const sfi_rect frame = f->panel.frame;
    cairo_t *cr = f->canvas.cr;
    sfi_canvas_put(&f->canvas, f->still);
    cairo_save(cr);
    cairo_rectangle(cr, frame.left, frame.top, frame.right - frame.left,
                    frame.bottom - frame.top);
    cairo_clip(cr);
    draw_tails(f, moment);
    const sfi_dots rim = {2.3, sfi_paper, false, INT64_MAX, {0.0, 0.0}};
    const sfi_dots dots = {1.8, sfi_synthetic, false, INT64_MAX, {0.0, 0.0}};
    sfi_draw_dots(&f->canvas, &f->panel, walkers_at(f->t, moment), 0, 1, rim);
    sfi_draw_dots(&f->canvas, &f->panel, walkers_at(f->t, moment), 0, 1, dots);
    cairo_restore(cr);
    char text[64];
    snprintf(text, sizeof text, "step %lld of %lld",
             (long long)step_of(moment, f->t->moments, f->t->all_steps),
             (long long)(f->t->all_steps - 1));
    sfi_draw_text(&f->canvas, frame.right, frame.top - 7.0, SFI_RIGHT, 0, 0.0,
                  text, sfi_font_tick);
    return SF_OK;
}

static sf_status draw_still(moving *f, const sf_plot_paths_options *o)
{
    sf_context *ctx = f->canvas.ctx;
    sfi_heat heat = {0};
    sf_status status = set_axes(ctx, &f->panel, f->t, &o->grid);
    if (status == SF_OK)
        status = new_heat(ctx, &heat, o);
    if (status == SF_OK) {
        sfi_rect page = sfi_whole_page(&f->canvas);
        page.top += 10.0; /* a row for the step */
        sfi_panel_layout(&f->canvas, &f->panel, page);
        f->panel.outer.top = 0.0;
        sfi_panel_begin(&f->canvas, &f->panel);
        status = draw_ground(&f->canvas, &f->panel, o, &heat);
        sfi_panel_end(&f->canvas, &f->panel);
        sfi_canvas_get(&f->canvas, f->still);
    }
    sfi_heat_free(&heat);
    return status;
}

static sf_status make_film(sf_context *ctx, const char *path, const tracks *t,
                           const sf_plot_paths_options *o)
{
    moving f = {.t = t,
                .tail = o->tail,
                .panel = {.x = {.label = o->x_label},
                          .y = {.label = o->y_label},
                          .title = o->title,
                          .box = true,
                          .equal = o->equal}};
    SFI_TRY(sfi_canvas_open_image(
        ctx, &f.canvas,
        sfi_page_or(o->width, o->height, o->scale, 240.0, 240.0)));
    cairo_surface_t *s = f.canvas.surface;
    f.pixels = (size_t)cairo_image_surface_get_width(s) *
               (size_t)cairo_image_surface_get_height(s);
    f.still = sfi_alloc(ctx, f.pixels, sizeof *f.still);
    sf_status status = f.still != NULL ? draw_still(&f, o) : SF_E_NOMEM;
    if (status == SF_OK) {
        const sfi_film film = {.what = "plot_animation",
                               .canvas = &f.canvas,
                               .count = t->moments,
                               .seconds = o->frame_time,
                               .draw = draw_frame,
                               .user = &f};
        status = sfi_film_write(&film, path);
    }
    status = sfi_canvas_close(&f.canvas, status);
    sfi_free(ctx, f.still, f.pixels, sizeof *f.still);
    return status;
}

sf_status sf_plot_animation(sf_context *ctx, const char *path,
                            const sf_array *trace,
                            const sf_plot_paths_options *opts)
{
    static const char what[] = "plot_animation";
    sf_plot_paths_options o = SF_PLOT_PATHS_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, what, trace, 2, &o));
    if (!sfi_is_film(path))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: \"%s\" does not end in .gif or .webp", what,
                        path != NULL ? path : "(null)");
    if (trace->shape[0] < 1 || trace->shape[1] < 1)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: %lld steps of %lld walkers, want at least one",
                        what, (long long)trace->shape[0],
                        (long long)trace->shape[1]);
    tracks t;
    sf_status status = copy_tracks(
        ctx, &t, trace, o.most_walkers > 0 ? o.most_walkers : 400, o.frames);
    if (status == SF_OK)
        status = make_film(ctx, path, &t, &o);
    free_tracks(&t);
    return status;
}
