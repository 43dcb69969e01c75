/* SPDX-License-Identifier: Apache-2.0 */
/* contour.c - marching squares with joined lines.
 *
 * A level line crosses edges between neighbouring nodes.  Edges have numbers,
 *
 *     2 (j nx + i)        from node (i, j) to (i + 1, j)
 *     2 (j nx + i) + 1    from node (i, j) to (i, j + 1)
 *
 * and every cell whose corners differ joins two (or twice two) of its edges.
 * An edge is shared by two cells and is joined at most once by each: so the
 * joins are a graph whose vertices have degree 1 or 2, that is, a set of open
 * paths and rings.  `link` holds the one or two edges each edge is joined to;
 * tracing starts at the ends of open paths, and what is left are rings. */
#include "plot/contour.h"

#include <math.h>
#include <stdlib.h>

static const int64_t none = -1;

typedef struct tracer {
    const double *values;
    int64_t nx, ny;
    double level;
    int64_t *link; /* [edges, 2] */
} tracer;

bool sfi_lines_add(sfi_lines *lines, double x, double y)
{
    double *grown = sfi_grow(lines->ctx, lines->xy, &lines->xy_capacity,
                             2 * lines->points + 2, sizeof *lines->xy);
    if (grown == NULL)
        return false;
    lines->xy = grown;
    lines->xy[2 * lines->points] = x;
    lines->xy[2 * lines->points + 1] = y;
    lines->points++;
    return true;
}

bool sfi_lines_end(sfi_lines *lines)
{
    size_t *grown = sfi_grow(lines->ctx, lines->start, &lines->start_capacity,
                             lines->lines + 2, sizeof *lines->start);
    if (grown == NULL)
        return false;
    lines->start = grown;
    if (lines->lines == 0)
        lines->start[0] = 0;
    lines->start[++lines->lines] = lines->points;
    return true;
}

void sfi_lines_free(sfi_lines *lines)
{
    sfi_free(lines->ctx, lines->xy, lines->xy_capacity, sizeof *lines->xy);
    sfi_free(lines->ctx, lines->start, lines->start_capacity,
             sizeof *lines->start);
    lines->xy = NULL;
    lines->start = NULL;
    lines->points = lines->lines = 0;
    lines->xy_capacity = lines->start_capacity = 0;
}

static void join(tracer *t, int64_t a, int64_t b)
{
    t->link[2 * a + (t->link[2 * a] != none)] = b;
    t->link[2 * b + (t->link[2 * b] != none)] = a;
}

/* Join the edges that the line crosses in the cell with corner (i, j). */
static void join_cell(tracer *t, int64_t i, int64_t j)
{
    const int64_t node = j * t->nx + i;
    const double a = t->values[node], b = t->values[node + 1];
    const double c = t->values[node + t->nx + 1], d = t->values[node + t->nx];
    if (isnan(a) || isnan(b) || isnan(c) || isnan(d))
        return;
    const bool above[4] = {a >= t->level, b >= t->level, c >= t->level,
                           d >= t->level};
    /* Edges in turn: bottom a-b, right b-c, top c-d, left d-a. */
    const int64_t edge[4] = {2 * node, 2 * (node + 1) + 1, 2 * (node + t->nx),
                             2 * node + 1};
    int64_t crossed[4];
    int count = 0;
    for (int k = 0; k < 4; k++)
        if (above[k] != above[(k + 1) % 4])
            crossed[count++] = edge[k];
    if (count == 2) {
        join(t, crossed[0], crossed[1]);
    } else if (count == 4) {
        /* The corners that agree with the middle are connected through it;
         * the lines cut off the two others. */
        const bool middle = 0.25 * a + 0.25 * b + 0.25 * c + 0.25 * d >=
                            t->level; /* inf - inf is NaN: not above */
        if (middle == above[0]) {
            join(t, edge[0], edge[1]); /* cuts off b */
            join(t, edge[2], edge[3]); /* cuts off d */
        } else {
            join(t, edge[3], edge[0]); /* cuts off a */
            join(t, edge[1], edge[2]); /* cuts off c */
        }
    }
}

/* Where between two nodes the level is reached, 0 to 1. */
static double crossing(double from, double to, double level)
{
    if (isinf(from))
        return isinf(to) ? 0.5 : 1.0;
    if (isinf(to))
        return 0.0;
    const double t = (0.5 * level - 0.5 * from) / (0.5 * to - 0.5 * from);
    return t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t;
}

static bool add_crossing(const tracer *t, sfi_lines *out, int64_t edge)
{
    const int64_t node = edge / 2;
    const bool upward = edge % 2 == 1;
    const double from = t->values[node];
    const double to = t->values[node + (upward ? t->nx : 1)];
    const double s = crossing(from, to, t->level);
    const double x = (double)(node % t->nx), y = (double)(node / t->nx);
    return sfi_lines_add(out, upward ? x : x + s, upward ? y + s : y);
}

/* Take the join from a to b out of the graph. */
static void cut(tracer *t, int64_t a, int64_t b)
{
    const int64_t ends[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        int64_t *link = t->link + 2 * ends[k];
        if (link[0] == ends[1 - k])
            link[0] = link[1];
        link[1] = none;
    }
}

static bool trace(tracer *t, sfi_lines *out, int64_t first)
{
    int64_t at = first;
    bool good = add_crossing(t, out, at);
    while (good && t->link[2 * at] != none) {
        const int64_t next = t->link[2 * at];
        cut(t, at, next);
        at = next;
        good = add_crossing(t, out, at);
    }
    return good && sfi_lines_end(out);
}

sf_status sfi_contour(sf_context *ctx, sfi_lines *out, const double *values,
                      int64_t nx, int64_t ny, double level)
{
    const sfi_lines empty = {.ctx = ctx};
    *out = empty;
    if (nx < 2 || ny < 2 || isnan(level))
        return SF_OK;
    const size_t edges = 2 * (size_t)nx * (size_t)ny;
    tracer t = {values, nx, ny, level, sfi_alloc(ctx, 2 * edges, 8)};
    if (t.link == NULL)
        return SF_E_NOMEM;
    for (size_t e = 0; e < 2 * edges; e++)
        t.link[e] = none;
    for (int64_t j = 0; j + 1 < ny; j++)
        for (int64_t i = 0; i + 1 < nx; i++)
            join_cell(&t, i, j);
    bool good = true;
    for (int64_t e = 0; e < (int64_t)edges && good; e++)
        if (t.link[2 * e] != none && t.link[2 * e + 1] == none)
            good = trace(&t, out, e);
    for (int64_t e = 0; e < (int64_t)edges && good; e++)
        if (t.link[2 * e] != none)
            good = trace(&t, out, e);
    sfi_free(ctx, t.link, 2 * edges, 8);
    return good ? SF_OK : SF_E_NOMEM;
}

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

sf_status sfi_density_levels(sf_context *ctx, const double *values,
                             int64_t count, const double *masses, int wanted,
                             double *levels)
{
    double *sorted = sfi_alloc(ctx, (size_t)count, sizeof *sorted);
    if (sorted == NULL)
        return SF_E_NOMEM;
    size_t n = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            sorted[n++] = values[i];
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, descending);
    double total = 0.0;
    for (size_t i = 0; i < n; i++)
        total += exp(sorted[i] - sorted[0]);
    for (int k = 0; k < wanted; k++) {
        /* At sorted[i] itself half of cell i is counted as enclosed, which
         * makes the sum a midpoint rule. */
        double enclosed = 0.0, level = n > 0 ? sorted[n - 1] : NAN;
        double before = 0.0, value_before = n > 0 ? sorted[0] : NAN;
        const double want = masses[k] * total;
        for (size_t i = 0; i < n; i++) {
            const double mass = exp(sorted[i] - sorted[0]);
            const double here = enclosed + 0.5 * mass;
            if (here >= want) {
                const double s =
                    here > before ? (want - before) / (here - before) : 1.0;
                level = value_before + s * (sorted[i] - value_before);
                break;
            }
            enclosed += mass;
            before = here;
            value_before = sorted[i];
        }
        levels[k] = level;
    }
    sfi_free(ctx, sorted, (size_t)count, sizeof *sorted);
    return SF_OK;
}
