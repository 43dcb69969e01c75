/* SPDX-License-Identifier: Apache-2.0 */
/* plot_map.c - a field of a file as a map.
 *
 * The picture has two axes: longitude or x to the right, latitude or y upwards, or,
 * without those, the last two axes of the variable.  Of every other axis one point is
 * shown, the first unless --select says which, and the title names it.
 *
 * Colours follow the field: a turn of hues for directions, white for 0 where both signs
 * occur, dark to light else. */
#include "cli/plot.h"

#include "field/reader.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is read of the file. */
typedef struct map_job {
    cli *c;
    const plot_options *o;
    sfi_field_file file;
    sfi_field_reader r;
    int x, y; /* of the reader's axes                                        */
    double *values, *x_edges, *y_edges;
    int64_t nx, ny;
    char title[512], bar[256], x_label[128], y_label[128];
} map_job;

static const sfi_cf_axis *axis_of(const map_job *j, int k)
{
    return &j->r.cf->axis[j->r.kept[k]];
}

/* The axis of one of two roles, -1 if there is none. */
static int find_role(const map_job *j, sf_role role, sf_role other)
{
    for (int k = 0; k < j->r.rank; k++)
        if (axis_of(j, k)->role == role || axis_of(j, k)->role == other)
            return k;
    return -1;
}

static sf_status choose_axes(map_job *j)
{
    const char *name = j->file.source.header->vars[j->r.cf->var].name;
    for (int k = 0; k < j->r.rank; k++)
        if (j->r.shape[k] == 0)
            return SFI_FAIL(j->c->ctx, SF_E_SHAPE,
                            "%s: \"%s\" has no points along %s",
                            j->file.source.name, name, axis_of(j, k)->name);
    if (j->r.rank < 2)
        return SFI_FAIL(j->c->ctx, SF_E_SHAPE,
                        "%s: a map wants two axes with several points, "
                        "\"%s\" has %d",
                        j->file.source.name, name, j->r.rank);
    j->x = find_role(j, SF_ROLE_LON, SF_ROLE_X);
    j->y = find_role(j, SF_ROLE_LAT, SF_ROLE_Y);
    if (j->x < 0)
        j->x = j->y == j->r.rank - 1 ? j->r.rank - 2 : j->r.rank - 1;
    if (j->y < 0)
        j->y = j->x == j->r.rank - 1 ? j->r.rank - 2 : j->r.rank - 1;
    return SF_OK;
}

/* ---- numbers ---------------------------------------------------------------- */

/* Values [ny, nx] of the first point of every other axis. */
static sf_status read_values(map_job *j)
{
    int64_t start[SFI_CF_MOST_AXES] = {0}, count[SFI_CF_MOST_AXES];
    for (int k = 0; k < j->r.rank; k++)
        count[k] = k == j->x || k == j->y ? j->r.shape[k] : 1;
    j->nx = j->r.shape[j->x];
    j->ny = j->r.shape[j->y];
    const size_t points = (size_t)(j->nx * j->ny);
    sf_context *ctx = j->c->ctx;
    j->values = sfi_alloc(ctx, points, sizeof *j->values);
    double *read = sfi_alloc(ctx, points, sizeof *read);
    sf_status status = j->values != NULL && read != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_field_reader_box(&j->r, start, count, read);
    const bool is_turned = j->x < j->y;
    for (int64_t r = 0; r < j->ny && status == SF_OK; r++)
        for (int64_t i = 0; i < j->nx; i++)
            j->values[r * j->nx + i] =
                read[is_turned ? i * j->ny + r : r * j->nx + i];
    sfi_free(ctx, read, points, sizeof *read);
    return status;
}

/* Edges of the cells along an axis of the picture. */
static sf_status make_edges(map_job *j, int k, double **out)
{
    *out = sfi_alloc(j->c->ctx, (size_t)j->r.shape[k] + 1, sizeof **out);
    return *out != NULL ? sfi_field_reader_edges(&j->r, k, *out) : SF_E_NOMEM;
}

/* ---- words ------------------------------------------------------------------ */

/* Append "lev = 500 hPa" for a point of axis k of the variable. */
static void append_point(const sfi_cf_axis *a, int64_t i, char *text,
                         size_t size)
{
    sfi_date date;
    char value[SFI_DATE_SIZE];
    const size_t used = strlen(text);
    const bool is_date =
        a->is_dated && sfi_time_date(&a->clock, a->coords[i], &date);
    if (is_date)
        (void)sfi_date_write(&date, value);
    else
        (void)sfi_number_format(a->coords[i], value);
    snprintf(text + used, size - used, "%s%s %s%s%s", used > 0 ? ", " : "",
             a->name, value, is_date || a->unit == NULL ? "" : " ",
             is_date || a->unit == NULL ? "" : a->unit);
}

/* "temperature: time 1990-01-16, lev 500 hPa"; a note tells which points were taken
 * without being asked for. */
static void make_title(map_job *j)
{
    const sfi_cf *cf = j->r.cf;
    char points[400] = "", taken[400] = "";
    for (int k = 0; k < cf->rank; k++) {
        const sfi_span *span = &j->r.spans[k];
        const bool is_shown = k == j->r.kept[j->x] || k == j->r.kept[j->y];
        if (is_shown)
            continue;
        append_point(&cf->axis[k], span->first, points, sizeof points);
        if (span->count > 1)
            append_point(&cf->axis[k], span->first, taken, sizeof taken);
    }
    const char *name = cf->source->header->vars[cf->var].name;
    const char *words = cf->long_name != NULL       ? cf->long_name
                        : cf->standard_name != NULL ? cf->standard_name
                                                    : name;
    snprintf(j->title, sizeof j->title, "%s%s%s", words,
             points[0] != '\0' ? ": " : "", points);
    if (taken[0] != '\0')
        cli_note(j->c,
                 "the first of several points is shown: %s; --select "
                 "chooses",
                 taken);
}

static void label(char *text, size_t size, const char *name, const char *unit)
{
    snprintf(text, size, "%s%s%s%s", name, unit != NULL ? " (" : "",
             unit != NULL ? unit : "", unit != NULL ? ")" : "");
}

/* Whether the values are directions, which close after a turn. */
static bool is_direction(const sfi_cf *cf)
{
    return cf->standard_name != NULL && cf->unit != NULL &&
           strncmp(cf->unit, "degree", 6) == 0 &&
           (strstr(cf->standard_name, "_from_direction") != NULL ||
            strstr(cf->standard_name, "_to_direction") != NULL);
}

/* ---- the picture ------------------------------------------------------------ */

static sf_status draw(map_job *j)
{
    const sfi_cf *cf = j->r.cf;
    const sfi_cf_axis *x = axis_of(j, j->x), *y = axis_of(j, j->y);
    sf_plot_map_options p = SF_PLOT_MAP_OPTIONS_INIT;
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.is_geographic = x->role == SF_ROLE_LON && y->role == SF_ROLE_LAT &&
                      !cf->is_rotated && x->turn == 360.0;
    make_title(j);
    label(j->bar, sizeof j->bar, cf->source->header->vars[cf->var].name,
          cf->unit);
    label(j->x_label, sizeof j->x_label, x->name, x->unit);
    label(j->y_label, sizeof j->y_label, y->name, y->unit);
    p.title = j->o->title != NULL ? j->o->title : j->title;
    p.bar_label = j->bar;
    p.x_label = p.is_geographic ? NULL : j->x_label;
    p.y_label = p.is_geographic ? NULL : j->y_label;
    if (is_direction(cf)) {
        p.colours = SF_PLOT_CYCLIC;
        p.high = 360.0;
    }
    return sf_plot_map(j->c->ctx, j->o->output, j->values, j->ny, j->nx,
                       j->y_edges, j->x_edges, &p);
}

static sf_status draw_variable(map_job *j)
{
    SFI_TRY(choose_axes(j));
    SFI_TRY(read_values(j));
    SFI_TRY(make_edges(j, j->x, &j->x_edges));
    SFI_TRY(make_edges(j, j->y, &j->y_edges));
    sfi_field_reader_warn(&j->r);
    const sf_status status = draw(j);
    cli_put_text(j->c, j->c->report, "title", j->title);
    return status;
}

sf_status plot_draw_map(cli *c, const plot_options *o, const char *path)
{
    map_job j = {.c = c, .o = o};
    SFI_TRY(sfi_field_file_open(c->ctx, &j.file, path));
    sf_status status =
        sfi_field_reader_open(c->ctx, &j.r, &j.file, o->var, o->select, 0.0);
    if (status == SF_OK) {
        status = draw_variable(&j);
        sfi_field_reader_close(&j.r);
    }
    sfi_free(c->ctx, j.values, (size_t)(j.nx * j.ny), sizeof *j.values);
    sfi_free(c->ctx, j.x_edges, (size_t)j.nx + 1, sizeof *j.x_edges);
    sfi_free(c->ctx, j.y_edges, (size_t)j.ny + 1, sizeof *j.y_edges);
    sfi_field_file_close(&j.file);
    return status;
}
