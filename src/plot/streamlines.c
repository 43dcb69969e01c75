/* SPDX-License-Identifier: Apache-2.0 */
/* streamlines.c - evenly spaced streamlines.
 *
 * The vectors are brought to a lattice on the page, where they are velocities of the
 * page,
 *
 *     (u / cos(lat) sx, v sy)    or    (u sx, v sy)
 *
 * sx and sy points of the page to a unit of the axes; those of a disc are turned by the
 * angle of their place first.  A streamline is followed by
 * the method of Runge and Kutta of order 4, in steps of equal length, both ways from
 * a seed, until it leaves the frame, meets a missing value or a point without
 * motion, or comes nearer than half a spacing to another line or to itself.  Seeds lie
 * a spacing beside the lines that there are, then wherever there is still room.
 *
 * B. Jobard and W. Lefer, "Creating evenly-spaced streamlines of arbitrary density",
 * Visualization in Scientific Computing '97, Springer (1997) 43-55. */
#include "plot/vectors.h"

#include <math.h>
#include <string.h>

#include "plot/contour.h"
#include "plot/marks.h"

static const double spacing =
    13.0;                          /* between lines, points of the page       */
static const double nearest = 6.5; /* to another one, where a line ends       */
static const double stride = 1.5;  /* length of a step                        */
static const double cell = 3.0;    /* of the lattice                          */
static const double least = 22.0;  /* length of a line                        */

enum { MOST_STEPS = 1500 }; /* of a line, one way */

typedef struct stream_page {
    sf_context *ctx;
    sfi_rect frame;
    int width, height; /* nodes of the lattice                               */
    double *flow; /* [height, width, 2] velocity, NaN where there is none */
    sfi_lines lines;
    int columns, rows; /* boxes of a side `nearest`                          */
    int32_t *first;    /* [rows, columns] the last point in a box, or -1     */
    int32_t *next;     /* [capacity] the one before it                       */
    size_t next_capacity, boxed;
    double *way; /* [2 MOST_STEPS + 1, 2] the line that grows                */
} stream_page;

/* ---- the flow on the page --------------------------------------------------- */

/* Component at a place of the grid, by the four points around; NaN beside missing
 * ones.  Beyond the outermost points it is that of the nearest. */
static double mixed(const sfi_tiling *t, const double *values, double v,
                    double u)
{
    const bool closes = t->period > 0.0;
    v = fmin(fmax(v, 0.0), (double)(t->ny - 1));
    u = closes ? u : fmin(fmax(u, 0.0), (double)(t->nx - 1));
    const int64_t j = (int64_t)floor(v), i = (int64_t)floor(u);
    const double b = v - (double)j, a = u - (double)i;
    double sum = 0.0;
    for (int k = 0; k < 4; k++) {
        const double weight = (k & 1 ? a : 1.0 - a) * (k & 2 ? b : 1.0 - b);
        int64_t at = i + (k & 1);
        at = closes ? (at + t->nx) % t->nx : at;
        if (weight > 0.0)
            sum += weight * values[(j + (k >> 1)) * t->nx + at];
    }
    return sum;
}

static void fill_flow(stream_page *s, const sfi_panel *panel,
                      const sfi_tiling *t, const sfi_vectors *vectors)
{
    const sfi_axis *x = &panel->x, *y = &panel->y;
    const double sx = (x->to - x->from) / (x->hi - x->lo);
    const double sy = (y->to - y->from) / (y->hi - y->lo);
    for (int r = 0; r < s->height; r++)
        for (int c = 0; c < s->width; c++) {
            double *flow =
                s->flow + 2 * ((size_t)r * (size_t)s->width + (size_t)c);
            const double px = s->frame.left + c * cell,
                         py = s->frame.top + r * cell;
            double v, u;
            flow[0] = flow[1] = NAN;
            if (!sfi_tiling_find(t, panel, px, py, &v, &u))
                continue;
            /* Cosines below 0.02 are of the last degree before a pole. */
            const double lat = sfi_axis_value(y, py) * 3.141592653589793 / 180;
            const double narrow =
                vectors->is_geographic ? fmax(cos(lat), 0.02) : 1.0;
            const double along = mixed(t, vectors->u, v, u) / narrow,
                         across = mixed(t, vectors->v, v, u);
            const double angle =
                t->is_disc ? sfi_tiling_angle(panel, px, py) : 0.0;
            flow[0] = (along * cos(angle) - across * sin(angle)) * sx;
            flow[1] = (along * sin(angle) + across * cos(angle)) * sy;
        }
}

/* The direction of the flow at a place of the page; false where there is none. */
static bool direction_at(const stream_page *s, const double at[2],
                         double way[2])
{
    const double u = (at[0] - s->frame.left) / cell,
                 v = (at[1] - s->frame.top) / cell;
    if (!(u >= 0.0 && v >= 0.0 && u <= s->width - 1 && v <= s->height - 1))
        return false;
    const int i = u >= s->width - 1 ? s->width - 2 : (int)u;
    const int j = v >= s->height - 1 ? s->height - 2 : (int)v;
    const double a = u - i, b = v - j;
    const double *p = s->flow + 2 * ((size_t)j * (size_t)s->width + (size_t)i);
    const double *q = p + 2 * s->width;
    for (int k = 0; k < 2; k++)
        way[k] = (1.0 - b) * ((1.0 - a) * p[k] + a * p[2 + k]) +
                 b * ((1.0 - a) * q[k] + a * q[2 + k]);
    const double size = hypot(way[0], way[1]);
    if (!(size > 0.0) || !isfinite(size))
        return false;
    way[0] /= size;
    way[1] /= size;
    return true;
}

/* One step of length `h`, back if it is negative. */
static bool step(const stream_page *s, const double from[2], double h,
                 double to[2])
{
    double k1[2], k2[2], k3[2], k4[2], at[2];
    if (!direction_at(s, from, k1))
        return false;
    for (int c = 0; c < 2; c++)
        at[c] = from[c] + 0.5 * h * k1[c];
    if (!direction_at(s, at, k2))
        return false;
    for (int c = 0; c < 2; c++)
        at[c] = from[c] + 0.5 * h * k2[c];
    if (!direction_at(s, at, k3))
        return false;
    for (int c = 0; c < 2; c++)
        at[c] = from[c] + h * k3[c];
    if (!direction_at(s, at, k4))
        return false;
    for (int c = 0; c < 2; c++)
        to[c] = from[c] + h / 6.0 * (k1[c] + 2.0 * k2[c] + 2.0 * k3[c] + k4[c]);
    /* Directions that cancel are those around a point without motion. */
    return hypot(to[0] - from[0], to[1] - from[1]) > 0.3 * fabs(h);
}

/* ---- who is near ------------------------------------------------------------ */

static int box_of(double x, double low, int count)
{
    const int i = (int)((x - low) / nearest);
    return i < 0 ? 0 : i >= count ? count - 1 : i;
}

/* Whether a point of a finished line is nearer than `distance`, at most two boxes
 * wide. */
static bool is_near_lines(const stream_page *s, const double at[2],
                          double distance)
{
    const int c = box_of(at[0], s->frame.left, s->columns),
              r = box_of(at[1], s->frame.top, s->rows);
    for (int j = r < 2 ? 0 : r - 2; j <= r + 2 && j < s->rows; j++)
        for (int i = c < 2 ? 0 : c - 2; i <= c + 2 && i < s->columns; i++)
            for (int32_t p = s->first[j * s->columns + i]; p >= 0;
                 p = s->next[p])
                if (hypot(s->lines.xy[2 * p] - at[0],
                          s->lines.xy[2 * p + 1] - at[1]) < distance)
                    return true;
    return false;
}

/* Put the points of the last line into their boxes. */
static bool box_points(stream_page *s)
{
    int32_t *grown = sfi_grow(s->ctx, s->next, &s->next_capacity,
                              s->lines.points, sizeof *s->next);
    if (grown == NULL)
        return false;
    s->next = grown;
    for (; s->boxed < s->lines.points; s->boxed++) {
        const double *at = s->lines.xy + 2 * s->boxed;
        int32_t *first =
            &s->first[box_of(at[1], s->frame.top, s->rows) * s->columns +
                      box_of(at[0], s->frame.left, s->columns)];
        s->next[s->boxed] = *first;
        *first = (int32_t)s->boxed;
    }
    return true;
}

/* ---- lines ------------------------------------------------------------------ */

/* Whether the point comes back to the line it ends: to points [from, to) of it that
 * are more than three times `nearest` of the way behind. */
static bool is_near_itself(const double *way, int from, int to,
                           const double at[2])
{
    for (int p = from; p < to; p++)
        if (hypot(way[2 * p] - at[0], way[2 * p + 1] - at[1]) < 0.5 * nearest)
            return true;
    return false;
}

/* Follow the flow both ways from `seed`: points [*from, *to) of s->way. */
static void follow(stream_page *s, const double seed[2], int *from, int *to)
{
    const int behind = (int)(3.0 * nearest / stride);
    double *way = s->way;
    double at[2];
    *from = MOST_STEPS;
    *to = MOST_STEPS + 1;
    way[2 * *from] = seed[0];
    way[2 * *from + 1] = seed[1];
    while (*to < 2 * MOST_STEPS + 1 &&
           step(s, way + 2 * (*to - 1), stride, at) &&
           !is_near_lines(s, at, nearest) &&
           !is_near_itself(way, *from, *to - behind, at)) {
        way[2 * *to] = at[0];
        way[2 * *to + 1] = at[1];
        ++*to;
    }
    while (*from > 0 && step(s, way + 2 * *from, -stride, at) &&
           !is_near_lines(s, at, nearest) &&
           !is_near_itself(way, *from + behind, *to, at)) {
        --*from;
        way[2 * *from] = at[0];
        way[2 * *from + 1] = at[1];
    }
}

/* Draw a line through a seed, if there is room and it is long enough. */
static sf_status try_seed(stream_page *s, const double seed[2])
{
    double way[2];
    int from, to;
    if (!direction_at(s, seed, way) || is_near_lines(s, seed, 0.99 * spacing))
        return SF_OK;
    follow(s, seed, &from, &to);
    if ((to - from - 1) * stride < least)
        return SF_OK;
    bool good = true;
    for (int p = from; p < to && good; p++)
        good = sfi_lines_add(&s->lines, s->way[2 * p], s->way[2 * p + 1]);
    good = good && sfi_lines_end(&s->lines) && box_points(s);
    return good ? SF_OK : SF_E_NOMEM;
}

/* Seeds on both sides of a line. */
static sf_status seed_beside(stream_page *s, size_t line)
{
    const size_t every = (size_t)(spacing / stride);
    for (size_t p = s->lines.start[line]; p < s->lines.start[line + 1];
         p += every) {
        const double at[2] = {s->lines.xy[2 * p], s->lines.xy[2 * p + 1]};
        double way[2];
        if (!direction_at(s, at, way))
            continue;
        for (double side = -spacing; side <= spacing; side += 2.0 * spacing) {
            const double seed[2] = {at[0] - side * way[1],
                                    at[1] + side * way[0]};
            SFI_TRY(try_seed(s, seed));
        }
    }
    return SF_OK;
}

static sf_status find_lines(stream_page *s)
{
    const sfi_rect f = s->frame;
    size_t done = 0;
    for (double y = f.top + 0.5 * spacing; y < f.bottom; y += spacing)
        for (double x = f.left + 0.5 * spacing; x < f.right; x += spacing) {
            SFI_TRY(try_seed(s, (const double[]){x, y}));
            for (; done < s->lines.lines; done++)
                SFI_TRY(seed_beside(s, done));
        }
    return SF_OK;
}

/* ---- drawing ---------------------------------------------------------------- */

/* Heads along the lines, one in the middle of each 80 points. */
static void draw_heads(sfi_canvas *canvas, const sfi_lines *lines)
{
    const size_t every = (size_t)(80.0 / stride);
    for (size_t l = 0; l < lines->lines; l++) {
        const size_t first = lines->start[l], end = lines->start[l + 1];
        const size_t heads = (end - first) / every + 1;
        for (size_t h = 0; h < heads; h++) {
            const size_t p = first + (end - first) * (2 * h + 1) / (2 * heads);
            const double *b = lines->xy + 2 * p;
            const double *a = p > first ? b - 2 : b;
            const double *c = p > first ? b : b + 2;
            sfi_draw_arrow(canvas, b[0], b[1], atan2(c[1] - a[1], c[0] - a[0]),
                           7.0, sfi_ink, sfi_rim);
        }
    }
}

static sf_status make_room(stream_page *s)
{
    const sfi_rect f = s->frame;
    s->width = (int)ceil((f.right - f.left) / cell) + 1;
    s->height = (int)ceil((f.bottom - f.top) / cell) + 1;
    s->columns = (int)((f.right - f.left) / nearest) + 1;
    s->rows = (int)((f.bottom - f.top) / nearest) + 1;
    const size_t boxes = (size_t)s->columns * (size_t)s->rows;
    s->flow = sfi_alloc(s->ctx, 2 * (size_t)s->width * (size_t)s->height,
                        sizeof *s->flow);
    s->first = sfi_alloc(s->ctx, boxes, sizeof *s->first);
    s->way = sfi_alloc(s->ctx, 2 * (2 * MOST_STEPS + 1), sizeof *s->way);
    for (size_t k = 0; k < boxes && s->first != NULL; k++)
        s->first[k] = -1;
    return s->flow != NULL && s->first != NULL && s->way != NULL ? SF_OK
                                                                 : SF_E_NOMEM;
}

static void free_room(stream_page *s)
{
    sfi_free(s->ctx, s->flow, 2 * (size_t)s->width * (size_t)s->height,
             sizeof *s->flow);
    sfi_free(s->ctx, s->first, (size_t)s->columns * (size_t)s->rows,
             sizeof *s->first);
    sfi_free(s->ctx, s->next, s->next_capacity, sizeof *s->next);
    sfi_free(s->ctx, s->way, 2 * (2 * MOST_STEPS + 1), sizeof *s->way);
}

sf_status sfi_streamlines(sf_context *ctx, sfi_lines *out,
                          const sfi_panel *panel, const sfi_tiling *tiling,
                          const sfi_vectors *vectors)
{
    stream_page s = {.ctx = ctx, .frame = panel->frame, .lines = {.ctx = ctx}};
    sf_status status = make_room(&s);
    if (status == SF_OK) {
        fill_flow(&s, panel, tiling, vectors);
        status = find_lines(&s);
    }
    *out = s.lines;
    free_room(&s);
    return status;
}

sf_status sfi_draw_streamlines(sfi_canvas *canvas, const sfi_panel *panel,
                               const sfi_tiling *tiling,
                               const sfi_vectors *vectors)
{
    const sfi_stroke rim = {1.6, sfi_faded(sfi_paper, 0.4), 0};
    const sfi_stroke line = {0.65, sfi_ink, 0};
    sfi_lines lines;
    const sf_status status =
        sfi_streamlines(canvas->ctx, &lines, panel, tiling, vectors);
    if (status == SF_OK) {
        sfi_draw_lines(canvas, &lines, rim);
        sfi_draw_lines(canvas, &lines, line);
        draw_heads(canvas, &lines);
    }
    sfi_lines_free(&lines);
    return status;
}
