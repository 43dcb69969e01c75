/* SPDX-License-Identifier: Apache-2.0 */
/* info_field.c - what a file of fields holds: axes, geometry, ranges, and what had to
 * be guessed.
 *
 * The values pass by in pieces, so a file may be larger than the memory. */
#include "cli/info.h"

#include "field/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is known of the values of a variable. */
typedef struct span {
    int64_t points, missing;
    double least, most, sum;
} span;

static void look_at(span *s, const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const double x = values[i];
        if (isnan(x)) {
            s->missing++;
            continue;
        }
        s->least = fmin(s->least, x);
        s->most = fmax(s->most, x);
        s->sum += x;
    }
    s->points += count;
}

static sf_status scan(sfi_field_reader *r, span *s)
{
    *s = (span){.least = INFINITY, .most = -INFINITY};
    double *piece = sfi_alloc(r->ctx, r->piece, sizeof *piece);
    if (piece == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    sfi_slabs slabs = sfi_slabs_of(r->rank, r->shape, (int64_t)r->piece);
    while (status == SF_OK && sfi_slabs_next(&slabs)) {
        status = sfi_field_reader_box(r, slabs.start, slabs.count, piece, NULL);
        if (status == SF_OK)
            look_at(s, piece, slabs.points);
    }
    sfi_free(r->ctx, piece, r->piece, sizeof *piece);
    return status;
}

/* ---- axes ------------------------------------------------------------------- */

static void put_place(cli *c, json_t *row, const char *key,
                      const sfi_cf_axis *a, int64_t i)
{
    sfi_date date;
    char text[SFI_DATE_SIZE];
    if (i >= a->count || i < 0)
        cli_put(c, row, key, json_null());
    else if (a->is_dated && sfi_time_date(&a->clock, a->coords[i], &date))
        cli_put_text(c, row, key, sfi_date_write(&date, text));
    else
        cli_put_number(c, row, key, a->coords[i]);
}

static void put_or_null(cli *c, json_t *row, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        cli_put_text(c, row, key, text);
    else
        cli_put(c, row, key, json_null());
}

/* "periodic, with bounds", and so on. */
static void put_notes(cli *c, json_t *row, const sfi_cf_axis *a)
{
    char text[96];
    snprintf(text, sizeof text, "%s%s%s",
             a->repeats        ? ", periodic, first point repeated"
             : a->period > 0.0 ? ", periodic"
                               : "",
             a->is_open ? ", unlimited" : "",
             a->edges != NULL ? ", with bounds" : "");
    put_or_null(c, row, "notes", text[0] != '\0' ? text + 2 : NULL);
}

/* The steps of a uniform axis; NaN of another one. */
static double step_of(const sfi_cf_axis *a)
{
    const sf_axis axis = {.count = a->count, .coords = a->coords};
    const double step = sfi_axis_step(&axis);
    return step != 0.0 ? step : NAN;
}

static void put_axis(cli *c, json_t *list, const sfi_cf_axis *a)
{
    json_t *row = cli_add_object(c, list);
    cli_put_text(c, row, "axis", a->name);
    put_or_null(c, row, "role", sf_role_name(a->role));
    cli_put_count(c, row, "points", a->count);
    put_place(c, row, "first", a, 0);
    put_place(c, row, "last", a, a->count - 1);
    cli_put_number(c, row, "step", step_of(a));
    put_or_null(c, row, "unit", a->unit);
    put_or_null(c, row, "calendar",
                a->is_dated ? sfi_calendar_name(a->clock.calendar) : NULL);
    put_notes(c, row, a);
}

/* ---- fields ----------------------------------------------------------------- */

/* "sphere, radius 6371229 m (assumed)", or why there is none. */
static void geometry_text(cli *c, const sfi_field_reader *r, char *text,
                          size_t size)
{
    sf_grid *grid = NULL;
    for (int k = 0; k < r->cf->rank; k++)
        if (r->cf->axis[k].count == 0) {
            snprintf(text, size, "none: %s has no points", r->cf->axis[k].name);
            return;
        }
    if (r->cf->geometry == SF_GEOMETRY_NONE) {
        snprintf(text, size, "none: %s", r->cf->obstacle);
    } else if (sfi_field_reader_grid(r, &grid) != SF_OK) {
        snprintf(text, size, "none: %s", sf_context_message(c->ctx));
        sfi_message_clear(c->ctx);
    } else if (sf_grid_geometry(grid) == SF_GEOMETRY_SPHERE) {
        snprintf(text, size, "%ssphere, radius %.10g m (%s)",
                 r->cf->is_rotated ? "rotated " : "", r->cf->radius,
                 r->cf->radius_from);
    } else {
        snprintf(text, size, "%s", sf_geometry_name(sf_grid_geometry(grid)));
    }
    sf_grid_free(grid);
}

static void axes_text(const sfi_cf *cf, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int k = 0; k < cf->rank && used < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 k > 0 ? ", " : "", cf->axis[k].name);
}

static sf_status put_field(cli *c, json_t *list, sfi_field_reader *r)
{
    char text[256];
    span s;
    SFI_TRY(scan(r, &s));
    const sfi_nc_var *v = &r->file->source.header->vars[r->cf->var];
    const int64_t present = s.points - s.missing;
    json_t *row = cli_add_object(c, list);
    axes_text(r->cf, text, sizeof text);
    cli_put_text(c, row, "field", v->name);
    cli_put_text(c, row, "axes", text);
    put_or_null(c, row, "unit", r->cf->unit);
    snprintf(text, sizeof text, "%s%s", sfi_nc_type_name(r->cf->packing.type),
             r->cf->packing.is_packed ? ", packed" : "");
    cli_put_text(c, row, "type", text);
    cli_put_count(c, row, "missing", s.missing);
    cli_put_number(c, row, "min", present > 0 ? s.least : NAN);
    cli_put_number(c, row, "mean", present > 0 ? s.sum / (double)present : NAN);
    cli_put_number(c, row, "max", present > 0 ? s.most : NAN);
    put_or_null(c, row, "name",
                r->cf->standard_name != NULL ? r->cf->standard_name
                                             : r->cf->long_name);
    return SF_OK;
}

/* ---- the file --------------------------------------------------------------- */

/* Texts that were seen already. */
static bool is_new(json_t *seen, const char *text)
{
    if (json_object_get(seen, text) != NULL)
        return false;
    (void)json_object_set_new(seen, text, json_true());
    return true;
}

typedef struct lists {
    json_t *axes, *fields; /* of the report                                 */
    json_t *seen;          /* axes                                          */
    json_t *geometries;    /* texts, and the fields that they are of        */
    json_t *remarks;       /* texts                                         */
} lists;

/* Add a field to those of a geometry. */
static void note_geometry(cli *c, const sfi_field_reader *r, json_t *geometries)
{
    char text[320], fields[512];
    const char *name = r->file->source.header->vars[r->cf->var].name;
    geometry_text(c, r, text, sizeof text);
    const char *old = json_string_value(json_object_get(geometries, text));
    snprintf(fields, sizeof fields, "%s%s%s", old != NULL ? old : "",
             old != NULL ? ", " : "", name);
    (void)json_object_set_new(geometries, text, json_string(fields));
}

/* One geometry is a line, several are a table; so are guesses. */
static void put_texts(cli *c, const lists *l)
{
    const char *key = NULL;
    json_t *value = NULL, *list = NULL;
    if (json_object_size(l->geometries) > 1)
        list = cli_put_list(c, c->report, "geometries");
    json_object_foreach(l->geometries, key, value)
    {
        if (list == NULL) {
            cli_put_text(c, c->report, "geometry", key);
            continue;
        }
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "geometry", key);
        cli_put_text(c, row, "fields", json_string_value(value));
    }
    if (json_object_size(l->remarks) == 0)
        return;
    list = cli_put_list(c, c->report, "guesses");
    json_object_foreach(l->remarks, key, value)
    {
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "guess", key);
    }
}

static sf_status tell_variable(cli *c, const sfi_field_file *file,
                               const char *name, const lists *l)
{
    sfi_field_reader r;
    SFI_TRY(sfi_field_reader_open(c->ctx, &r, file, name, NULL, 0.0));
    for (int k = 0; k < r.cf->rank; k++)
        if (is_new(l->seen, r.cf->axis[k].name))
            put_axis(c, l->axes, &r.cf->axis[k]);
    const sf_status status = put_field(c, l->fields, &r);
    note_geometry(c, &r, l->geometries);
    for (int i = 0; i < r.cf->remark_count; i++)
        (void)is_new(l->remarks, r.cf->remarks[i]);
    sfi_field_reader_close(&r);
    return status;
}

static sf_status tell_all(cli *c, const sfi_field_file *file, const lists *l)
{
    const sfi_nc_header *h = file->source.header;
    bool *is_field = sfi_alloc(c->ctx, h->var_count, sizeof *is_field);
    sf_status status = is_field != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        sfi_cf_fields(h, is_field);
    for (size_t i = 0; i < h->var_count && status == SF_OK; i++)
        if (is_field[i])
            status = tell_variable(c, file, h->vars[i].name, l);
    sfi_free(c->ctx, is_field, h->var_count, sizeof *is_field);
    return status;
}

sf_status info_fields(cli *c, const char *path, const char *var)
{
    sfi_field_file file;
    SFI_TRY(sfi_field_file_open(c->ctx, &file, path));
    cli_put_text(c, c->report, "file", path);
    cli_put_text(c, c->report, "holds", "fields");
    cli_put_text(c, c->report, "format",
                 sfi_nc_format_name(file.source.header->format));
    const char *title = sfi_nc_text(&file.source.header->attrs, "title");
    if (title != NULL)
        cli_put_text(c, c->report, "title", title);
    const lists l = {.axes = cli_put_list(c, c->report, "axes"),
                     .fields = cli_put_list(c, c->report, "fields"),
                     .seen = json_object(),
                     .geometries = json_object(),
                     .remarks = json_object()};
    const sf_status status =
        var != NULL ? tell_variable(c, &file, var, &l) : tell_all(c, &file, &l);
    put_texts(c, &l);
    json_decref(l.seen);
    json_decref(l.geometries);
    json_decref(l.remarks);
    sfi_field_file_close(&file);
    return status;
}
