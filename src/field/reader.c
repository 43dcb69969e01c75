/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c - a variable of a file, opened.
 *
 * A box of what is selected is a box of the file, or two where a selection goes over
 * the end of a closed axis: [.., first..n-1] and [.., 0..].  Both are read in pieces
 * that are contiguous in them, and unpacked to where they belong. */
#include "field/reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- files ------------------------------------------------------------------ */

/* All values of a variable, in pieces: `user` is the file. */
static sf_status read_all(void *user, int var, double *values)
{
    sfi_field_file *f = user;
    const sfi_nc_header *h = sfi_nc_header_of(f->nc);
    const sfi_nc_var *v = &h->vars[var];
    int64_t start[SFI_NC_MOST_RANK] = {0}, shape[SFI_NC_MOST_RANK] = {0};
    for (int k = 0; k < v->rank; k++)
        shape[k] = h->dims[v->dims[k]].size;
    const size_t count = (size_t)sfi_nc_var_count(h, var);
    const size_t size = sfi_nc_size(v->type);
    void *raw = sfi_alloc(f->ctx, count, size > 0 ? size : 1);
    if (raw == NULL)
        return SF_E_NOMEM;
    const sf_status status = sfi_nc_read(f->nc, var, start, shape, raw);
    if (status == SF_OK)
        sfi_nc_numbers(v->type, raw, count, values);
    sfi_free(f->ctx, raw, count, size > 0 ? size : 1);
    return status;
}

sf_status sfi_field_file_open(sf_context *ctx, sfi_field_file *out,
                              const char *path)
{
    memset(out, 0, sizeof *out);
    out->ctx = ctx;
    SFI_TRY(sfi_nc_open(ctx, &out->nc, path));
    out->source = (sfi_cf_source){.name = sfi_nc_name_of(out->nc),
                                  .header = sfi_nc_header_of(out->nc),
                                  .read = read_all,
                                  .user = out};
    return SF_OK;
}

void sfi_field_file_close(sfi_field_file *f)
{
    sfi_nc_close(f->nc);
    memset(f, 0, sizeof *f);
}

/* ---- opening ---------------------------------------------------------------- */

void sfi_field_reader_close(sfi_field_reader *r)
{
    if (r->cf != NULL) {
        const size_t size = sfi_nc_size(r->cf->packing.type);
        sfi_free(r->ctx, r->raw, r->piece, size);
        sfi_free(r->ctx, r->values, r->piece, sizeof *r->values);
    }
    sfi_cf_free(r->cf);
    memset(r, 0, sizeof *r);
}

/* Room for a piece, no larger than what is selected. */
static sf_status make_room(sfi_field_reader *r)
{
    int64_t points = 1;
    for (int k = 0; k < r->rank && points < SFI_FIELD_PIECE; k++)
        points *= r->shape[k] < SFI_FIELD_PIECE ? r->shape[k] : SFI_FIELD_PIECE;
    r->piece = (size_t)(points < SFI_FIELD_PIECE ? points : SFI_FIELD_PIECE);
    r->raw = sfi_alloc(r->ctx, r->piece, sfi_nc_size(r->cf->packing.type));
    r->values = sfi_alloc(r->ctx, r->piece, sizeof *r->values);
    return r->raw != NULL && r->values != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status open_variable(sfi_field_reader *r, const char *name,
                               const char *select, double radius)
{
    int var = 0;
    SFI_TRY(sfi_cf_find(r->ctx, &r->file->source, name, &var));
    SFI_TRY(sfi_cf_read(r->ctx, &r->cf, &r->file->source, var, radius));
    SFI_TRY(sfi_select(r->cf, select, r->spans));
    for (int k = 0; k < r->cf->rank; k++)
        if (!r->spans[k].is_single) {
            r->shape[r->rank] = r->spans[k].count;
            r->kept[r->rank++] = k;
        }
    return make_room(r);
}

sf_status sfi_field_reader_open(sf_context *ctx, sfi_field_reader *out,
                                const sfi_field_file *file, const char *name,
                                const char *select, double radius)
{
    memset(out, 0, sizeof *out);
    out->ctx = ctx;
    out->file = file;
    const sf_status status = open_variable(out, name, select, radius);
    if (status != SF_OK)
        sfi_field_reader_close(out);
    return status;
}

void sfi_field_reader_warn(const sfi_field_reader *r)
{
    for (int i = 0; i < r->cf->remark_count; i++)
        sfi_warn(r->ctx, "%s: %s", r->file->source.name, r->cf->remarks[i]);
}

/* ---- values ----------------------------------------------------------------- */

/* A box of the file, and where it goes: the box that is wanted, of which the axes from
 * some one on hold `whole` points for each index of the slower ones, this part beginning
 * at `skip`. */
typedef struct part {
    int64_t start[SFI_CF_MOST_AXES], count[SFI_CF_MOST_AXES];
    int64_t own, whole, skip; /* points for each index of the slower axes    */
    int rank;                 /* of what is wanted ...                       */
    const int64_t *shape,
        *step; /* ... its extents, and where its values go    */
    double *out;
} part;

/* Raw numbers of a part, point `first` and those that follow. */
typedef struct unpacking {
    const sfi_field_reader *r;
    const part *p;
    int64_t first;
} unpacking;

/* Unpack numbers `at`, at + 1, ... of a piece: `count` of them, whose places are points
 * `to`, to + 1, ... of the box that is wanted. */
static void put_run(const unpacking *g, int64_t at, int64_t to, int64_t count)
{
    const part *p = g->p;
    const sfi_packing *packing = &g->r->cf->packing;
    const size_t size = sfi_nc_size(packing->type);
    const int64_t row = p->rank > 0 ? p->shape[p->rank - 1] : 1;
    const int64_t step = p->rank > 0 ? p->step[p->rank - 1] : 1;
    while (count > 0) {
        int64_t rest = to / row, element = to % row * step;
        const int64_t n = sfi_smaller(row - to % row, count);
        for (int k = p->rank - 2; k >= 0; k--) {
            element += rest % p->shape[k] * p->step[k];
            rest /= p->shape[k];
        }
        const char *raw = (const char *)g->r->raw + (size_t)at * size;
        double *values = step == 1 ? p->out + element : g->r->values + at;
        sfi_unpack(packing, raw, (size_t)n, values);
        for (int64_t i = 0; step != 1 && i < n; i++)
            p->out[element + i * step] = values[i];
        at += n;
        to += n;
        count -= n;
    }
}

static void unpack(const unpacking *g, int64_t count)
{
    const part *p = g->p;
    for (int64_t at = 0; at < count;) {
        const int64_t point = g->first + at;
        const int64_t outer = point / p->own, rest = point % p->own;
        const int64_t run = sfi_smaller(p->own - rest, count - at);
        put_run(g, at, outer * p->whole + p->skip + rest, run);
        at += run;
    }
}

static sf_status read_part(sfi_field_reader *r, const part *p)
{
    const int rank = r->cf->rank;
    sfi_slabs s = sfi_slabs_of(rank, p->count, (int64_t)r->piece);
    while (sfi_slabs_next(&s)) {
        int64_t start[SFI_CF_MOST_AXES] = {0};
        for (int k = 0; k < rank; k++)
            start[k] = p->start[k] + s.start[k];
        SFI_TRY(sfi_nc_read(r->file->nc, r->cf->var, start, s.count, r->raw));
        unpacking g = {r, p, s.first};
        unpack(&g, s.points);
    }
    return SF_OK;
}

sf_status sfi_field_reader_box(sfi_field_reader *r, const int64_t *start,
                               const int64_t *count, double *out,
                               const int64_t *step)
{
    const int rank = r->cf->rank;
    int64_t dense[SFI_CF_MOST_AXES], points = 1;
    for (int j = r->rank - 1; j >= 0; j--) {
        dense[j] = points;
        points *= count[j];
    }
    part p = {.own = points > 0 ? points : 1,
              .whole = points,
              .rank = r->rank,
              .shape = count,
              .step = step != NULL ? step : dense,
              .out = out};
    int wrapped = -1;
    for (int k = 0; k < rank; k++) {
        p.start[k] = r->spans[k].first;
        p.count[k] = 1;
    }
    for (int j = 0; j < r->rank; j++) {
        const int k = r->kept[j];
        const int64_t n = r->cf->axis[k].count;
        p.start[k] = (r->spans[k].first + start[j]) % (n > 0 ? n : 1);
        p.count[k] = count[j];
        if (p.start[k] + count[j] > n)
            wrapped = k;
    }
    if (wrapped < 0)
        return read_part(r, &p);
    int64_t inner = 1;
    for (int k = wrapped + 1; k < rank; k++)
        inner *= p.count[k];
    const int64_t n = p.count[wrapped],
                  before = r->cf->axis[wrapped].count - p.start[wrapped];
    p.whole = n * inner;
    p.own = before * inner;
    p.count[wrapped] = before;
    SFI_TRY(read_part(r, &p));
    p.skip = p.own;
    p.own = (n - before) * inner;
    p.start[wrapped] = 0;
    p.count[wrapped] = n - before;
    return read_part(r, &p);
}

/* ---- the grid --------------------------------------------------------------- */

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

/* Coordinates, or edges, of a span; beyond the end of a closed axis they go on a
 * period further, and all of them begin where the typed interval does, not a turn
 * later. */
static void copy_span(const sfi_cf_axis *a, const sfi_span *span,
                      const double *from, int64_t count, double *to)
{
    const double turn =
        a->count > 1 && a->coords[1] < a->coords[0] ? -a->period : a->period;
    const bool wraps = span->first + span->count > a->count;
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = span->first + i;
        /* Edge `count` of the axis is also the first one of the next turn. */
        const bool beyond = wraps && at >= a->count;
        to[i] = beyond ? from[at - a->count] : from[at] - (wraps ? turn : 0.0);
    }
}

/* Coordinates and edges are the caller's to free. */
static sf_status make_axis(const sfi_field_reader *r, int j, sf_axis *out,
                           double **coords, double **edges)
{
    const int k = r->kept[j];
    const sfi_cf_axis *a = &r->cf->axis[k];
    const sfi_span *span = &r->spans[k];
    const size_t n = (size_t)span->count;
    const bool is_all = span->count == a->count;
    if (n == 0)
        return SFI_FAIL(r->ctx, SF_E_SHAPE,
                        "%s: dimension \"%s\" of \"%s\" has no points%s",
                        r->file->source.name, a->name,
                        r->file->source.header->vars[r->cf->var].name,
                        a->is_open ? " (it is unlimited, and nothing was "
                                     "written along it)"
                                   : "");
    *coords = sfi_alloc(r->ctx, n, sizeof **coords);
    *edges = sfi_alloc(r->ctx, n + 1, sizeof **edges);
    if (*coords == NULL || *edges == NULL)
        return SF_E_NOMEM;
    copy_span(a, span, a->coords, span->count, *coords);
    if (a->edges != NULL)
        copy_span(a, span, a->edges, span->count + 1, *edges);
    *out = (sf_axis){.name = last_part(a->name),
                     .unit = a->unit,
                     .calendar = a->calendar,
                     .role = a->role,
                     .placement = SF_CELLS,
                     .count = span->count,
                     .coords = *coords,
                     .edges = a->edges != NULL ? *edges : NULL,
                     .period = is_all ? a->period : 0.0,
                     .repeats = is_all && a->repeats};
    if (out->period > 0.0)
        out->low.kind = out->high.kind = SF_SIDE_PERIODIC;
    return SF_OK;
}

sf_status sfi_field_reader_edges(const sfi_field_reader *r, int j, double *out)
{
    sf_axis axis;
    double *coords = NULL, *edges = NULL;
    const size_t n = (size_t)r->shape[j];
    const sf_status status = make_axis(r, j, &axis, &coords, &edges);
    if (status == SF_OK)
        sfi_axis_edges(&axis, out);
    sfi_free(r->ctx, coords, n, sizeof *coords);
    sfi_free(r->ctx, edges, n + 1, sizeof *edges);
    return status;
}

sf_status sfi_field_reader_grid(const sfi_field_reader *r, sf_grid **out)
{
    sf_axis axes[SF_MAX_AXES];
    double *coords[SF_MAX_AXES] = {NULL}, *edges[SF_MAX_AXES] = {NULL};
    const char *name = r->file->source.header->vars[r->cf->var].name;
    *out = NULL;
    if (r->rank < 1 || r->rank > SF_MAX_AXES)
        return SFI_FAIL(r->ctx, SF_E_SHAPE,
                        r->rank < 1
                            ? "%s: \"%s\" is a single number, want a field%s"
                            : "%s: \"%s\" has more than four axes; select "
                              "points of some of them%s",
                        r->file->source.name, name, "");
    sf_status status = SF_OK;
    for (int j = 0; j < r->rank && status == SF_OK; j++)
        status = make_axis(r, j, &axes[j], &coords[j], &edges[j]);
    const sf_grid_options o = {
        .size = sizeof o,
        .geometry = r->cf->geometry,
        .radius = r->cf->radius,
        .is_rotated = r->cf->is_rotated,
        .pole_lat = r->cf->is_rotated ? r->cf->pole_lat : 0.0,
        .pole_lon = r->cf->is_rotated ? r->cf->pole_lon : 0.0};
    if (status == SF_OK) {
        status = sf_grid_new(r->ctx, out, r->rank, axes, &o);
        if (status == SF_E_ARG) {
            sfi_message_prefix(r->ctx, "%s: \"%s\": ", r->file->source.name,
                               name);
            status = SF_E_FORMAT;
        }
    }
    for (int j = 0; j < r->rank && j < SF_MAX_AXES; j++) {
        const size_t n = (size_t)r->shape[j];
        sfi_free(r->ctx, coords[j], n, sizeof(double));
        sfi_free(r->ctx, edges[j], n + 1, sizeof(double));
    }
    return status;
}
