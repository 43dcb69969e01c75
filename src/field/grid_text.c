/* SPDX-License-Identifier: Apache-2.0 */
/* grid_text.c - grids typed as text; field.h has the grammar.
 *
 * A line is read from the left: the range or list, then words until a side begins.
 * Expressions may hold commas and blanks, so they end where only something else can
 * follow: a map at a side's word, a side at a comma before a side's word, both at
 * bracket depth 0. */
#include "field/grid_text.h"

#include "field/formula.h"

#include "base/assign.h"
#include "base/text.h"
#include "num/decimal.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { MOST_POINTS = 1 << 24 };

/* What is being read: one line of the text. */
typedef struct reader {
    sf_context *ctx;
    const char *text; /* all of it                                           */
    const char *at, *end;
    int64_t *failed; /* the byte that is to blame                            */
} reader;

/* An axis as it is being made. */
typedef struct made {
    sf_axis axis;
    char name[64];
    double *coords, *edges;
    size_t room; /* of coords; edges have one more                           */
    char *texts[4];
} made;

static sf_status fail(const reader *r, const char *what)
{
    char shown[SFI_SHOW_SIZE];
    *r->failed = r->at - r->text;
    return SFI_FAIL(r->ctx, SF_E_PARSE, "want %s, not \"%s\"", what,
                    sfi_show(shown, r->at, (size_t)(r->end - r->at)));
}

static void skip(reader *r)
{
    while (r->at < r->end && isspace((unsigned char)*r->at))
        r->at++;
}

static bool take(reader *r, char c)
{
    skip(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Length of the word at p. */
static size_t word_at(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && is_letter(p[n]))
        n++;
    return n;
}

static bool take_word(reader *r, const char *word)
{
    skip(r);
    const size_t n = strlen(word);
    if (word_at(r->at, r->end) != n || memcmp(r->at, word, n) != 0)
        return false;
    r->at += n;
    return true;
}

static sf_status take_number(reader *r, double *out)
{
    skip(r);
    const char *after = r->at < r->end ? sfi_number_parse(r->at, out) : NULL;
    if (after == NULL || after > r->end || !isfinite(*out))
        return fail(r, "a number");
    r->at = after;
    return SF_OK;
}

/* ---- points ----------------------------------------------------------------- */

static const char side_words[] = "natural|periodic|pin|flux|robin|open";

/* The kind of the side whose word is at p; -1. */
static int side_at(const char *p, const char *end)
{
    return sfi_find_choice(side_words, p, word_at(p, end));
}

static sf_status grow(reader *r, made *m, int64_t count)
{
    m->coords = sfi_alloc_zero(r->ctx, (size_t)count, sizeof(double));
    if (m->coords == NULL)
        return SF_E_NOMEM;
    m->room = (size_t)count;
    m->edges = sfi_alloc_zero(r->ctx, (size_t)count + 1, sizeof(double));
    m->axis.coords = m->coords;
    m->axis.count = count;
    return m->edges != NULL ? SF_OK : SF_E_NOMEM;
}

typedef struct range {
    double from, to;
    bool is_list;
    const char *map, *map_end;
} range;

/* [X0, X1, ...]: counted first. */
static sf_status take_list(reader *r, made *m)
{
    const char *const begin = r->at;
    double x = 0.0;
    int64_t count = 0;
    do {
        SFI_TRY(take_number(r, &x));
        count++;
    } while (take(r, ','));
    if (!take(r, ']'))
        return fail(r, "a comma or ]");
    SFI_TRY(grow(r, m, count));
    reader again = *r;
    again.at = begin;
    for (int64_t i = 0; i < count; i++) {
        SFI_TRY(take_number(&again, &m->coords[i]));
        (void)take(&again, ',');
    }
    return SF_OK;
}

static sf_status take_range(reader *r, made *m, range *g)
{
    double count = 0.0;
    if (take(r, '[')) {
        g->is_list = true;
        return take_list(r, m);
    }
    SFI_TRY(take_number(r, &g->from));
    if (!take(r, ':'))
        return fail(r, "A:B:N");
    SFI_TRY(take_number(r, &g->to));
    if (!take(r, ':'))
        return fail(r, "A:B:N");
    const reader before = *r;
    SFI_TRY(take_number(r, &count));
    if (!(count >= 2.0 && count <= MOST_POINTS) || count != floor(count))
        return fail(&before, "a number of points from 2 to 16777216");
    if (!(g->from < g->to))
        return fail(&before, "A < B in A:B:N");
    return grow(r, m, (int64_t)count);
}

/* The text of a map ends where a side begins. */
static void take_map(reader *r, range *g)
{
    int depth = 0;
    skip(r);
    g->map = r->at;
    while (r->at < r->end) {
        const bool begins_word = r->at == g->map || !is_letter(r->at[-1]);
        if (depth == 0 && begins_word && side_at(r->at, r->end) >= 0)
            break;
        depth += (*r->at == '(') - (*r->at == ')');
        r->at++;
    }
    g->map_end = r->at;
}

/* ---- sides ------------------------------------------------------------------ */

static sf_status keep_text(reader *r, made *m, int which, const char *begin,
                           const char *end, const char **out)
{
    const sfi_piece piece = sfi_trimmed(begin, (size_t)(end - begin));
    if (piece.size == 0) {
        reader at = *r;
        at.at = begin;
        return fail(&at, "an expression");
    }
    char *copy = sfi_alloc(r->ctx, piece.size + 1, 1);
    if (copy == NULL)
        return SF_E_NOMEM;
    memcpy(copy, piece.at, piece.size);
    copy[piece.size] = '\0';
    m->texts[which] = copy;
    *out = copy;
    return SF_OK;
}

/* Where the values of a side end; *comma is the first comma at depth 0 that
 * belongs to them, NULL if there is none. */
static const char *values_end(const reader *r, const char **comma)
{
    int depth = 0;
    *comma = NULL;
    for (const char *p = r->at; p < r->end; p++) {
        depth += (*p == '(') - (*p == ')');
        if (*p != ',' || depth != 0)
            continue;
        const char *next = p + 1;
        while (next < r->end && isspace((unsigned char)*next))
            next++;
        if (side_at(next, r->end) >= 0)
            return p;
        if (*comma == NULL)
            *comma = p;
    }
    return r->end;
}

static sf_status take_side(reader *r, made *m, int which, sf_side *side)
{
    skip(r);
    const int kind = side_at(r->at, r->end);
    if (kind < 0)
        return fail(r, "natural, periodic, pin, flux, robin or open");
    r->at += word_at(r->at, r->end);
    side->kind = (sf_side_kind)kind;
    const char *comma = NULL, *const begin = r->at;
    const char *const end = values_end(r, &comma);
    const bool has_value =
        kind == SF_SIDE_PIN || kind == SF_SIDE_FLUX || kind == SF_SIDE_ROBIN;
    if (!has_value && sfi_trimmed(begin, (size_t)(end - begin)).size > 0)
        return fail(r, "a comma and another side, or nothing");
    r->at = end;
    if (!has_value)
        return SF_OK;
    if (kind != SF_SIDE_ROBIN)
        return keep_text(r, m, which, begin, end, &side->value);
    if (comma == NULL)
        return fail(r, "robin ALPHA, Q");
    SFI_TRY(keep_text(r, m, which, begin, comma, &side->factor));
    return keep_text(r, m, which + 1, comma + 1, end, &side->value);
}

/* LOW, HIGH or one for both. */
static sf_status take_sides(reader *r, made *m)
{
    sf_axis *a = &m->axis;
    SFI_TRY(take_side(r, m, 0, &a->low));
    if (take(r, ',')) {
        SFI_TRY(take_side(r, m, 2, &a->high));
        if (r->at < r->end)
            return fail(r, "the end of the axis: two sides are given");
    } else {
        a->high = a->low;
    }
    if ((a->low.kind == SF_SIDE_PERIODIC) != (a->high.kind == SF_SIDE_PERIODIC))
        return fail(r, "periodic of both sides or of none");
    return SF_OK;
}

/* ---- coordinates ------------------------------------------------------------ */

/* Where point i + part of n lies on 0 to 1. */
static double place(const sf_axis *a, double i)
{
    const bool is_node = a->placement == SF_NODES && !(a->period > 0.0);
    return i / (double)(is_node ? a->count - 1 : a->count);
}

static double at_edge(const range *g, double s)
{
    return s == 1.0 ? g->to : g->from + s * (g->to - g->from);
}

static sf_status fill_coords(reader *r, made *m, const range *g)
{
    sf_axis *a = &m->axis;
    const int64_t n = a->count;
    const double shift = a->placement == SF_CELLS ? 0.5 : 0.0;
    for (int64_t i = 0; i < n; i++)
        m->coords[i] = place(a, (double)i + shift);
    for (int64_t i = 0; i <= n; i++)
        m->edges[i] = (double)i / (double)n;
    if (g->map == NULL) {
        for (int64_t i = 0; i < n; i++)
            m->coords[i] = at_edge(g, m->coords[i]);
        for (int64_t i = 0; i <= n; i++)
            m->edges[i] = at_edge(g, m->edges[i]);
        return SF_OK;
    }
    char map[1024];
    const size_t size = (size_t)(g->map_end - g->map);
    const reader where = {r->ctx, r->text, g->map, g->map_end, r->failed};
    if (size >= sizeof map)
        return fail(&where, "an expression of less than 1024 bytes");
    memcpy(map, g->map, size);
    map[size] = '\0';
    double ends[2] = {0.0, 1.0};
    SFI_TRY(sfi_formula_run(r->ctx, map, "s", 2, ends, ends));
    SFI_TRY(sfi_formula_run(r->ctx, map, "s", n, m->coords, m->coords));
    SFI_TRY(sfi_formula_run(r->ctx, map, "s", n + 1, m->edges, m->edges));
    const double width = ends[1] - ends[0];
    if (!isfinite(width) || width == 0.0)
        return fail(&where,
                    "a map that is finite at 0 and 1 and differs there");
    for (int64_t i = 0; i < n; i++)
        m->coords[i] = at_edge(g, (m->coords[i] - ends[0]) / width);
    for (int64_t i = 0; i <= n; i++)
        m->edges[i] = at_edge(g, (m->edges[i] - ends[0]) / width);
    return SF_OK;
}

/* Edges at the walls are known where the points are half a cell off them. */
static void set_edges(made *m, const range *g)
{
    m->axis.edges =
        m->axis.placement == SF_CELLS && !g->is_list ? m->edges : NULL;
}

static sf_status take_axis(reader *r, made *m)
{
    range g = {0};
    sf_axis *a = &m->axis;
    a->role = sfi_role_find(m->name);
    a->unit = a->role == SF_ROLE_LAT   ? "degrees_north"
              : a->role == SF_ROLE_LON ? "degrees_east"
                                       : NULL;
    a->placement = SF_NODES;
    SFI_TRY(take_range(r, m, &g));
    if (take_word(r, "cells"))
        a->placement = SF_CELLS;
    else
        (void)take_word(r, "nodes");
    if (!g.is_list && take_word(r, "map"))
        take_map(r, &g);
    skip(r);
    if (r->at < r->end)
        SFI_TRY(take_sides(r, m));
    if (a->low.kind == SF_SIDE_PERIODIC) {
        if (g.is_list)
            return fail(r, "A:B:N of a periodic axis");
        a->period = g.to - g.from;
    }
    if (!g.is_list)
        SFI_TRY(fill_coords(r, m, &g));
    set_edges(m, &g);
    return SF_OK;
}

/* ---- the whole text --------------------------------------------------------- */

/* The place of a role in memory, the slowest first. */
static int order_of(sf_role role)
{
    static const int order[] = {1, 6, 4, 3, 5, 7, 8, 9, 2, 0};
    return order[role];
}

static void sort_axes(int count, const sf_axis **axes)
{
    for (int i = 1; i < count; i++)
        for (int j = i;
             j > 0 && order_of(axes[j]->role) < order_of(axes[j - 1]->role);
             j--) {
            const sf_axis *moved = axes[j];
            axes[j] = axes[j - 1];
            axes[j - 1] = moved;
        }
}

static sf_status take_geometry(reader *r, sf_grid_options *o)
{
    static const char words[] = "auto|cartesian|polar|cylindrical|axisymmetric|"
                                "sphere|spherical|radial";
    skip(r);
    const size_t size = word_at(r->at, r->end);
    const int found = sfi_find_choice(words, r->at, size);
    if (found < 1)
        return fail(r, "a geometry: cartesian, polar, cylindrical, "
                       "axisymmetric, sphere, spherical or radial");
    r->at += size;
    o->geometry = (sf_geometry)found;
    return SF_OK;
}

static sf_status take_line(reader *r, made *axes, int *count,
                           sf_grid_options *o)
{
    skip(r);
    const size_t size = word_at(r->at, r->end);
    if (size == 0 || isdigit((unsigned char)*r->at))
        return fail(r, "the name of an axis");
    const char *const name = r->at;
    r->at += size;
    if (!take(r, '='))
        return fail(r, "=");
    if (size == 8 && memcmp(name, "geometry", size) == 0) {
        SFI_TRY(take_geometry(r, o));
    } else if (size == 6 && memcmp(name, "radius", size) == 0) {
        SFI_TRY(take_number(r, &o->radius));
    } else {
        if (*count == SF_MAX_AXES || size >= sizeof axes->name)
            return fail(r, "at most four axes, and names below 64 bytes");
        made *m = &axes[(*count)++];
        memcpy(m->name, name, size);
        m->axis.name = m->name;
        SFI_TRY(take_axis(r, m));
    }
    skip(r);
    return r->at == r->end ? SF_OK : fail(r, "';' or the end of the line");
}

static void free_made(sf_context *ctx, made *m)
{
    sfi_free(ctx, m->coords, m->room, sizeof(double));
    sfi_free(ctx, m->edges, m->room + 1, sizeof(double));
    for (size_t i = 0; i < SFI_COUNT(m->texts); i++)
        sfi_free_text(ctx, m->texts[i]);
}

sf_status sfi_side_parse(sf_context *ctx, const char *text, sf_side_kind *kind,
                         char **value, char **factor, int64_t *at)
{
    made m;
    sf_side side = {0};
    *at = -1;
    *value = *factor = NULL;
    memset(&m, 0, sizeof m);
    reader r = {ctx, text, text, text + strlen(text), at};
    sf_status status = take_side(&r, &m, 0, &side);
    if (status == SF_OK && r.at < r.end)
        status = fail(&r, "one side");
    *kind = side.kind;
    const bool is_robin = side.kind == SF_SIDE_ROBIN;
    if (status == SF_OK) {
        *factor = is_robin ? m.texts[0] : NULL;
        *value = is_robin ? m.texts[1] : m.texts[0];
        m.texts[0] = m.texts[1] = NULL;
    }
    free_made(ctx, &m);
    return status;
}

sf_status sf_grid_parse(sf_context *ctx, sf_grid **out, const char *text)
{
    int64_t at;
    const sf_status status = sfi_grid_parse_at(ctx, out, text, &at);
    if (status != SF_OK && at >= 0)
        sfi_message_prefix(ctx, "grid: column %lld: ", (long long)at + 1);
    return status;
}

sf_status sfi_grid_parse_at(sf_context *ctx, sf_grid **out, const char *text,
                            int64_t *at)
{
    made axes[SF_MAX_AXES];
    const sf_axis *sorted[SF_MAX_AXES];
    sf_axis list[SF_MAX_AXES];
    sf_grid_options o = SF_GRID_OPTIONS_INIT;
    int count = 0;
    sf_status status = SF_OK;
    *out = NULL;
    *at = -1;
    memset(axes, 0, sizeof axes);
    for (const char *p = text; status == SF_OK && *p != '\0';) {
        const size_t size = strcspn(p, ";\n");
        reader r = {ctx, text, p, p + size, at};
        if (sfi_trimmed(p, size).size > 0)
            status = take_line(&r, axes, &count, &o);
        p += size + (p[size] != '\0');
    }
    for (int k = 0; k < count; k++)
        sorted[k] = &axes[k].axis;
    sort_axes(count, sorted);
    for (int k = 0; k < count; k++)
        list[k] = *sorted[k];
    if (status == SF_OK)
        status = sf_grid_new(ctx, out, count, list, &o);
    for (int k = 0; k < count; k++)
        free_made(ctx, &axes[k]);
    return status;
}
