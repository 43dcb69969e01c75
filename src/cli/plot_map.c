/* SPDX-License-Identifier: Apache-2.0 */
/* plot_map.c - fields of files as maps, sections and films.
 *
 * The picture has two axes (plot_axes.c), and a panel or frame for each point of the one
 * that --over names.  Of every other axis one point is shown, the first unless --select
 * says which, and the title names it.
 *
 * Colours follow the field: a turn of hues for directions, white for 0 where both signs
 * occur and 0 is no convention, dark to light else. */
#include "cli/plot_field.h"

#include "base/assign.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEVELS = 100, MOST_PANELS = 60 };

/* What is read of the files, and what is said of it. */
typedef struct map_job {
    cli *c;
    const plot_options *o;
    plot_files files;
    plot_field field;
    plot_field contoured; /* of --contours-of                                */
    plot_field vector[2]; /* of --vector; the first leads where no --var does */
    plot_plane plane;
    int64_t at[SFI_CF_MOST_AXES]; /* points of the axes that are not shown    */
    int64_t nx, ny;
    double *values, *lines, *u, *v;
    bool has_positions; /* of two dimensions                                 */
    double *lat, *lon;
    double levels[MOST_LEVELS];
    int level_count;  /* -1: chosen by the picture                            */
    double low, high; /* of --range, or both 0                               */
    plot_dates x_dates, y_dates;
    char title[640], panel[256], bar[320], x_label[160], y_label[160], unit[96];
} map_job;

/* ---- fields --------------------------------------------------------------------- */

/* Whether two fields have the same axes. */
static sf_status check_same(const map_job *j, const plot_field *other)
{
    const plot_field *f = &j->field;
    for (int k = 0; k < f->rank || k < other->rank; k++) {
        const plot_axis *a = &f->axis[k], *b = &other->axis[k];
        if (k >= f->rank || k >= other->rank || a->count != b->count)
            return SFI_FAIL(j->c->ctx, SF_E_SHAPE,
                            "%s: \"%s\" does not have the axes of \"%s\"",
                            other->file, other->name, f->name);
        for (int64_t i = 0; i < a->count; i++)
            if (!(fabs(a->coords[i] - b->coords[i]) <=
                  1e-6 * fabs(a->edges[i + 1] - a->edges[i])))
                return SFI_FAIL(j->c->ctx, SF_E_SHAPE,
                                "%s: %s of \"%s\" has %g at point %lld, that "
                                "of \"%s\" %g",
                                other->file, b->name, other->name, b->coords[i],
                                (long long)i, f->name, a->coords[i]);
    }
    return SF_OK;
}

/* ---- options -------------------------------------------------------------------- */

/* The first number of a text, which `end` follows; false if there is none. */
static bool take_number(const char **text, double *out, char *end)
{
    char *stop = NULL;
    *out = strtod(*text, &stop);
    if (stop == *text || !isfinite(*out))
        return false;
    *end = *stop;
    *text = stop + (*stop != '\0');
    return true;
}

/* "A:B:STEP" as levels; false if it is not that. */
static bool read_steps(const char *text, double *levels, int *count)
{
    double v[3];
    char end = ':';
    int n = 0;
    while (n < 3 && end == ':' && take_number(&text, &v[n], &end))
        n++;
    if (n != 3 || end != '\0' || !(v[2] > 0.0) || !(v[0] <= v[1]) ||
        (v[1] - v[0]) / v[2] > MOST_LEVELS - 1)
        return false;
    *count = (int)floor((v[1] - v[0]) / v[2] + 1e-9) + 1;
    for (int k = 0; k < *count; k++)
        levels[k] = v[0] + k * v[2];
    return true;
}

static bool read_list(const char *text, double *levels, int *count)
{
    char end = ',';
    *count = 0;
    while (end == ',' && *count < MOST_LEVELS &&
           take_number(&text, &levels[*count], &end)) {
        if (*count > 0 && !(levels[*count] > levels[*count - 1]))
            return false;
        ++*count;
    }
    return *count > 0 && end == '\0' && text[0] == '\0';
}

/* The names of "U,V". */
static sf_status read_vector(const map_job *j, char name[2][SFI_NC_NAME])
{
    const char *text = j->o->vector;
    const char *comma = strchr(text, ',');
    const size_t left = comma != NULL ? (size_t)(comma - text) : 0;
    const sfi_piece u = sfi_trimmed(text, left),
                    v = comma != NULL
                            ? sfi_trimmed(comma + 1, strlen(comma + 1))
                            : u;
    if (u.size == 0 || v.size == 0 || u.size >= SFI_NC_NAME ||
        v.size >= SFI_NC_NAME || memchr(v.at, ',', v.size) != NULL)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--vector is \"%s\", want the names of two variables, "
                        "U,V",
                        text);
    snprintf(name[0], SFI_NC_NAME, "%.*s", (int)u.size, u.at);
    snprintf(name[1], SFI_NC_NAME, "%.*s", (int)v.size, v.at);
    return SF_OK;
}

static sf_status read_contours(map_job *j)
{
    const char *text = j->o->contours;
    if (text == NULL)
        j->level_count = j->o->contours_of != NULL ? -1 : 0;
    else if (strcmp(text, "auto") == 0)
        j->level_count = -1;
    else if (!read_steps(text, j->levels, &j->level_count) &&
             !read_list(text, j->levels, &j->level_count))
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--contours is \"%s\", want auto, A:B:STEP or growing "
                        "levels A,B,..., at most %d",
                        text, (int)MOST_LEVELS);
    return SF_OK;
}

static sf_status read_range(map_job *j)
{
    const char *text = j->o->range;
    char end = '\0';
    if (text == NULL)
        return SF_OK;
    if (!take_number(&text, &j->low, &end) || end != ':' ||
        !take_number(&text, &j->high, &end) || end != '\0' ||
        !(j->low < j->high))
        return SFI_FAIL(
            j->c->ctx, SF_E_ARG,
            "--range is \"%s\", want A:B with A < B for the colours "
            "of a map",
            j->o->range);
    return SF_OK;
}

/* ---- words ---------------------------------------------------------------------- */

/* Whether the values are lengths of the vectors. */
static bool shows_speed(const map_job *j)
{
    return j->o->vector != NULL && j->o->var == NULL;
}

static void speed_words(const map_job *j, char *text, size_t size)
{
    const char *u = j->vector[0].standard_name, *v = j->vector[1].standard_name;
    const bool is_wind = u != NULL && v != NULL &&
                         strcmp(u, "eastward_wind") == 0 &&
                         strcmp(v, "northward_wind") == 0;
    if (is_wind)
        snprintf(text, size, "wind speed");
    else
        snprintf(text, size, "length of (%s, %s)", j->vector[0].name,
                 j->vector[1].name);
}

/* "temperature: time 1990-01-16, lev 500 hPa"; a note tells which points were taken
 * without being asked for. */
static void make_title(map_job *j)
{
    const plot_field *f = &j->field;
    char points[400], taken[400] = "", words[200];
    snprintf(points, sizeof points, "%s", f->points);
    for (int k = 0; k < f->rank; k++) {
        if (k == j->plane.x || k == j->plane.y || k == j->plane.over)
            continue;
        plot_append_point(&f->axis[k], j->at[k], points, sizeof points);
        if (f->axis[k].count > 1)
            plot_append_point(&f->axis[k], j->at[k], taken, sizeof taken);
    }
    if (shows_speed(j))
        speed_words(j, words, sizeof words);
    else
        plot_field_words(f, words, sizeof words);
    snprintf(j->title, sizeof j->title, "%s%s%s", words,
             points[0] != '\0' ? ": " : "", points);
    if (taken[0] != '\0')
        cli_note(j->c,
                 "the first of several points is shown: %s; --select "
                 "chooses",
                 taken);
}

/* The label of an axis that is not marked as degrees. */
static void label_axis(const plot_axis *a, bool is_degrees, char *text,
                       size_t size)
{
    text[0] = '\0';
    if (!is_degrees)
        plot_label(a->name, a->is_dated ? NULL : a->unit, text, size);
}

static sf_plot_degrees degrees_of(const plot_axis *a)
{
    if (a->turn != 360.0 && a->role == SF_ROLE_LON)
        return SF_PLOT_NUMBERS;
    return a->role == SF_ROLE_LON   ? SF_PLOT_EAST
           : a->role == SF_ROLE_LAT ? SF_PLOT_NORTH
                                    : SF_PLOT_NUMBERS;
}

static void make_labels(map_job *j)
{
    const plot_field *f = &j->field;
    char speed[200];
    speed[0] = '\0';
    if (shows_speed(j))
        speed_words(j, speed, sizeof speed);
    plot_label(shows_speed(j) ? speed : f->name, f->unit, j->bar,
               sizeof j->bar);
    plot_unit_text(j->vector[0].unit, j->unit, sizeof j->unit);
}

/* The axes of a disc are distances along x and y; its angles become radians. */
static void set_disc(map_job *j, sf_plot_map_options *p)
{
    const plot_axis *r = &j->field.axis[j->plane.y];
    plot_axis *theta = &j->field.axis[j->plane.x];
    for (int64_t i = 0; i <= theta->count; i++) {
        theta->edges[i] *= 6.283185307179586 / theta->turn;
        if (i < theta->count)
            theta->coords[i] *= 6.283185307179586 / theta->turn;
    }
    p->is_disc = true;
    plot_label(r->name, r->unit, j->x_label, sizeof j->x_label);
    p->y_label = NULL;
}

/* Labels and marks of both axes. */
static void set_axes(map_job *j, sf_plot_map_options *p)
{
    const plot_field *f = &j->field;
    const plot_axis *x = &f->axis[j->plane.x], *y = &f->axis[j->plane.y];
    p->is_geographic = j->plane.is_geographic;
    p->is_equal = j->plane.is_equal;
    if (!f->is_rotated) {
        p->x_degrees = degrees_of(x);
        p->y_degrees = degrees_of(y);
    }
    label_axis(x, p->x_degrees != SF_PLOT_NUMBERS, j->x_label,
               sizeof j->x_label);
    label_axis(y, p->y_degrees != SF_PLOT_NUMBERS, j->y_label,
               sizeof j->y_label);
    p->x_label = j->x_label;
    p->y_label = j->y_label;
    plot_date_ticks(x, &j->x_dates);
    plot_date_ticks(y, &j->y_dates);
    p->x_ticks = j->x_dates.ticks;
    p->y_ticks = j->y_dates.ticks;
    if (j->plane.is_disc)
        set_disc(j, p);
    if (j->has_positions) {
        p->x_points = j->lon;
        p->y_points = j->lat;
        p->x_label = p->y_label = NULL;
    }
    p->x = x->coords;
    p->y = y->coords;
    p->y_falls = y->falls;
    p->y_log = plot_axis_is_log(y);
}

/* ---- the picture ---------------------------------------------------------------- */

static void choose_colours(const map_job *j, sf_plot_map_options *p)
{
    const double period = plot_direction_period(&j->field);
    p->low = j->low;
    p->high = j->high;
    p->colours = (sf_plot_colours)j->o->colours;
    p->centre = j->o->centre;
    if (p->colours == SF_PLOT_COLOURS_AUTO && cli_given(j->c, "centre"))
        p->colours = SF_PLOT_DIVERGING;
    if (p->colours == SF_PLOT_COLOURS_AUTO && period > 0.0)
        p->colours = SF_PLOT_CYCLIC;
    if (p->colours == SF_PLOT_COLOURS_AUTO &&
        plot_unit_is_shifted(j->field.unit))
        p->colours = SF_PLOT_SEQUENTIAL;
    if (p->colours == SF_PLOT_CYCLIC && period > 0.0 && j->o->range == NULL)
        p->high = period;
}

/* Panel k, or the only one. */
static sf_status read_frame(void *user, int64_t k, sf_plot_map_frame *out)
{
    map_job *j = user;
    const plot_plane *p = &j->plane;
    plot_field *fields[] = {&j->field, &j->contoured, &j->vector[0],
                            &j->vector[1]};
    double *values[] = {j->values, j->lines, j->u, j->v};
    if (p->over >= 0)
        j->at[p->over] = k;
    for (size_t i = 0; i < SFI_COUNT(fields); i++)
        if (values[i] != NULL)
            SFI_TRY(plot_field_plane(fields[i], p->y, p->x, j->at, values[i]));
    j->panel[0] = '\0';
    if (p->over >= 0)
        plot_append_point(&j->field.axis[p->over], k, j->panel,
                          sizeof j->panel);
    *out = (sf_plot_map_frame){j->panel, j->values, j->lines, j->u, j->v};
    return SF_OK;
}

static sf_status draw(map_job *j)
{
    const plot_field *f = &j->field;
    const plot_plane *a = &j->plane;
    sf_plot_map_options p = SF_PLOT_MAP_OPTIONS_INIT;
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = cli_given(j->c, "scale") ? j->o->scale : 0.0;
    make_title(j);
    make_labels(j);
    set_axes(j, &p);
    p.title = j->o->title != NULL ? j->o->title : j->title;
    p.bar_label = j->bar;
    p.contours = j->levels;
    p.contour_count = j->level_count;
    p.streamlines = j->o->streamlines;
    p.vector_unit = j->unit;
    choose_colours(j, &p);
    cli_progress_begin(j->c);
    const sf_status status = sf_plot_maps(
        j->c->ctx, j->o->output, a->over >= 0 ? f->axis[a->over].count : 1,
        read_frame, j, j->ny, j->nx, f->axis[a->y].edges, f->axis[a->x].edges,
        &p);
    cli_progress_end(j->c);
    return status;
}

static sf_status make_room(map_job *j, double **out)
{
    *out = sfi_alloc(j->c->ctx, (size_t)(j->nx * j->ny), sizeof **out);
    return *out != NULL ? SF_OK : SF_E_NOMEM;
}

/* Vectors are along both axes, so these must be of one kind. */
static sf_status check_vectors(const map_job *j)
{
    const plot_field *f = &j->field, *u = &j->vector[0], *v = &j->vector[1];
    const plot_axis *x = &f->axis[j->plane.x], *y = &f->axis[j->plane.y];
    if (j->has_positions && j->o->streamlines)
        return SFI_FAIL(
            j->c->ctx, SF_E_ARG,
            "--streamlines: \"%s\" has positions in two dimensions; "
            "arrows can be drawn",
            f->name);
    if (!j->plane.is_horizontal && !j->has_positions)
        return SFI_FAIL(
            j->c->ctx, SF_E_ARG,
            "--vector: arrows want a map, of longitude and latitude "
            "or of two lengths; the axes are %s and %s",
            x->name, y->name);
    if (u->unit != NULL && v->unit != NULL && strcmp(u->unit, v->unit) != 0)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--vector: \"%s\" is in %s and \"%s\" in %s, want one "
                        "unit",
                        u->name, u->unit, v->name, v->unit);
    return SF_OK;
}

static sf_status open_fields(map_job *j)
{
    const plot_options *o = j->o;
    char name[2][SFI_NC_NAME];
    if (o->streamlines && o->vector == NULL)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--streamlines wants --vector U,V");
    if (o->vector != NULL)
        SFI_TRY(read_vector(j, name));
    SFI_TRY(plot_files_open(j->c, &j->files, o->grid));
    if (o->var == NULL && o->vector == NULL && j->files.count > 1)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "%d files; want --var NAME, or --vector U,V",
                        j->files.count);
    SFI_TRY(plot_field_open(j->c, &j->field, &j->files,
                            shows_speed(j) ? name[0] : o->var, o->select));
    SFI_TRY(plot_choose_plane(&j->field, o->over, plot_is_film(o->output),
                              &j->plane));
    j->nx = j->field.axis[j->plane.x].count;
    j->ny = j->field.axis[j->plane.y].count;
    for (int k = 0; k < 2 && o->vector != NULL; k++) {
        SFI_TRY(plot_field_open(j->c, &j->vector[k], &j->files, name[k],
                                o->select));
        SFI_TRY(check_same(j, &j->vector[k]));
    }
    return SF_OK;
}

static sf_status check_panels(const map_job *j)
{
    const plot_plane *p = &j->plane;
    if (p->over < 0 || plot_is_film(j->o->output) ||
        j->field.axis[p->over].count <= MOST_PANELS)
        return SF_OK;
    return SFI_FAIL(j->c->ctx, SF_E_ARG,
                    "--over %s: a picture of %lld panels, want at most %d; "
                    "--select chooses some of them",
                    j->o->over, (long long)j->field.axis[p->over].count,
                    (int)MOST_PANELS);
}

static sf_status draw_fields(map_job *j)
{
    const plot_options *o = j->o;
    SFI_TRY(read_contours(j));
    SFI_TRY(read_range(j));
    SFI_TRY(open_fields(j));
    if (o->contours_of != NULL) {
        SFI_TRY(plot_field_open(j->c, &j->contoured, &j->files, o->contours_of,
                                o->select));
        SFI_TRY(check_same(j, &j->contoured));
        SFI_TRY(make_room(j, &j->lines));
    }
    if (!shows_speed(j))
        SFI_TRY(make_room(j, &j->values));
    if (o->vector != NULL) {
        SFI_TRY(make_room(j, &j->u));
        SFI_TRY(make_room(j, &j->v));
    }
    SFI_TRY(plot_field_positions(&j->field, j->plane.y, j->plane.x,
                                 &j->has_positions, &j->lat, &j->lon));
    plot_field_warn(&j->field, j->has_positions);
    if (j->has_positions)
        j->plane.is_geographic = true;
    if (o->vector != NULL)
        SFI_TRY(check_vectors(j));
    SFI_TRY(check_panels(j));
    return draw(j);
}

/* "time: 1996-01-06, 1996-01-07": an axis, and its marks if they are dates. */
static void put_axis(const map_job *j, const char *key, const plot_axis *a,
                     const plot_dates *dates)
{
    char text[PLOT_MOST_TICKS * (PLOT_TICK + 2) + SFI_NC_NAME];
    int used = snprintf(text, sizeof text, "%s", a->name);
    for (int k = 0; k < dates->ticks.count; k++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s",
                         k == 0 ? ": " : ", ", dates->text[k]);
    cli_put_text(j->c, j->c->report, key, text);
}

static void put_words(const map_job *j)
{
    cli_put_text(j->c, j->c->report, "title", j->title);
    cli_put_text(j->c, j->c->report, "values", j->bar);
    put_axis(j, "x", &j->field.axis[j->plane.x], &j->x_dates);
    put_axis(j, "y", &j->field.axis[j->plane.y], &j->y_dates);
    if (j->plane.over >= 0)
        cli_put_text(j->c, j->c->report, "over",
                     j->field.axis[j->plane.over].name);
}

sf_status plot_draw_map(cli *c, const plot_options *o)
{
    map_job j = {.c = c, .o = o};
    const sf_status status = draw_fields(&j);
    if (status == SF_OK)
        put_words(&j);
    const size_t points = (size_t)(j.nx * j.ny);
    sfi_free(c->ctx, j.values, points, sizeof *j.values);
    sfi_free(c->ctx, j.lines, points, sizeof *j.lines);
    sfi_free(c->ctx, j.u, points, sizeof *j.u);
    sfi_free(c->ctx, j.v, points, sizeof *j.v);
    sfi_free(c->ctx, j.lat, points, sizeof *j.lat);
    sfi_free(c->ctx, j.lon, points, sizeof *j.lon);
    plot_field_close(&j.vector[0]);
    plot_field_close(&j.vector[1]);
    plot_field_close(&j.contoured);
    plot_field_close(&j.field);
    plot_files_close(&j.files);
    return status;
}
