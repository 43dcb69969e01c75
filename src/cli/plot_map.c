/* SPDX-License-Identifier: Apache-2.0 */
/* plot_map.c - a field of a file as a map.
 *
 * The picture has two axes: longitude or x to the right, latitude or y upwards, or,
 * without those, the last two axes of the variable.  Of every other axis one point is
 * shown, the first unless --select says which, and the title names it.
 *
 * Colours follow the field: a turn of hues for directions, white for 0 where both signs
 * occur and 0 is no convention, dark to light else. */
#include "cli/plot_field.h"

#include "base/assign.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEVELS = 100 };

/* What is read of the files, and what is said of it. */
typedef struct map_job {
    cli *c;
    const plot_options *o;
    plot_files files;
    plot_field field;
    plot_field contoured; /* of --contours-of                                */
    plot_field vector[2]; /* of --vector; the first leads where no --var does */
    int x, y;             /* axes of the fields                              */
    int64_t at[SFI_CF_MOST_AXES]; /* points of the others                    */
    int64_t nx, ny;
    double *values, *lines, *u, *v;
    double levels[MOST_LEVELS];
    int level_count;  /* -1: chosen by the picture                            */
    double low, high; /* of --range, or both 0                               */
    bool is_geographic, is_equal;
    char title[640], bar[320], x_label[160], y_label[160], unit[96];
} map_job;

/* ---- axes ----------------------------------------------------------------------- */

/* The axis of one of two roles, -1 if there is none. */
static int find_role(const plot_field *f, sf_role role, sf_role other)
{
    for (int k = 0; k < f->rank; k++)
        if (f->axis[k].role == role || f->axis[k].role == other)
            return k;
    return -1;
}

static bool is_length(const plot_axis *a)
{
    return a->role == SF_ROLE_X || a->role == SF_ROLE_Y || a->role == SF_ROLE_Z;
}

/* The last axis but `taken`. */
static int last_but(const plot_field *f, int taken)
{
    return f->rank - 1 == taken ? f->rank - 2 : f->rank - 1;
}

static sf_status choose_axes(map_job *j)
{
    const plot_field *f = &j->field;
    if (f->rank < 2)
        return SFI_FAIL(j->c->ctx, SF_E_SHAPE,
                        "%s: a map wants two axes with several points, "
                        "\"%s\" has %d",
                        f->file, f->name, f->rank);
    j->x = find_role(f, SF_ROLE_LON, SF_ROLE_X);
    j->y = find_role(f, SF_ROLE_LAT, SF_ROLE_Y);
    if (j->x < 0)
        j->x = last_but(f, j->y);
    if (j->y < 0)
        j->y = last_but(f, j->x);
    const plot_axis *x = &f->axis[j->x], *y = &f->axis[j->y];
    j->nx = x->count;
    j->ny = y->count;
    j->is_geographic = x->role == SF_ROLE_LON && y->role == SF_ROLE_LAT &&
                       !f->is_rotated && x->turn == 360.0;
    j->is_equal = is_length(x) && is_length(y);
    return SF_OK;
}

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
        if (k == j->x || k == j->y)
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

static void make_labels(map_job *j)
{
    const plot_field *f = &j->field;
    const plot_axis *x = &f->axis[j->x], *y = &f->axis[j->y];
    char speed[200];
    speed[0] = '\0';
    if (shows_speed(j))
        speed_words(j, speed, sizeof speed);
    plot_label(shows_speed(j) ? speed : f->name, f->unit, j->bar,
               sizeof j->bar);
    plot_unit_text(j->vector[0].unit, j->unit, sizeof j->unit);
    plot_label(x->name, x->unit, j->x_label, sizeof j->x_label);
    plot_label(y->name, y->unit, j->y_label, sizeof j->y_label);
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

static sf_status draw(map_job *j)
{
    const plot_field *f = &j->field;
    const plot_axis *x = &f->axis[j->x], *y = &f->axis[j->y];
    sf_plot_map_options p = SF_PLOT_MAP_OPTIONS_INIT;
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.is_geographic = j->is_geographic;
    p.is_equal = j->is_equal;
    make_title(j);
    make_labels(j);
    p.title = j->o->title != NULL ? j->o->title : j->title;
    p.bar_label = j->bar;
    p.x_label = p.is_geographic ? NULL : j->x_label;
    p.y_label = p.is_geographic ? NULL : j->y_label;
    p.x = x->coords;
    p.y = y->coords;
    p.contoured = j->lines;
    p.contours = j->levels;
    p.contour_count = j->level_count;
    p.u = j->u;
    p.v = j->v;
    p.streamlines = j->o->streamlines;
    p.vector_unit = j->unit;
    choose_colours(j, &p);
    return sf_plot_map(j->c->ctx, j->o->output, j->values, j->ny, j->nx,
                       y->edges, x->edges, &p);
}

static sf_status read_plane(map_job *j, plot_field *f, double **out)
{
    *out = sfi_alloc(j->c->ctx, (size_t)(j->nx * j->ny), sizeof **out);
    return *out != NULL ? plot_field_plane(f, j->y, j->x, j->at, *out)
                        : SF_E_NOMEM;
}

/* Vectors are along both axes, so these must be of one kind. */
static sf_status check_vectors(const map_job *j)
{
    const plot_field *f = &j->field, *u = &j->vector[0], *v = &j->vector[1];
    const plot_axis *x = &f->axis[j->x], *y = &f->axis[j->y];
    if (!((x->role == SF_ROLE_LON && y->role == SF_ROLE_LAT) || j->is_equal))
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
    SFI_TRY(plot_files_open(j->c, &j->files));
    if (o->var == NULL && o->vector == NULL && j->files.count > 1)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "%d files; want --var NAME, or --vector U,V",
                        j->files.count);
    SFI_TRY(plot_field_open(j->c, &j->field, &j->files,
                            shows_speed(j) ? name[0] : o->var, o->select));
    SFI_TRY(choose_axes(j));
    for (int k = 0; k < 2 && o->vector != NULL; k++) {
        SFI_TRY(plot_field_open(j->c, &j->vector[k], &j->files, name[k],
                                o->select));
        SFI_TRY(check_same(j, &j->vector[k]));
    }
    if (o->vector != NULL)
        SFI_TRY(check_vectors(j));
    return SF_OK;
}

static sf_status draw_fields(map_job *j)
{
    const plot_options *o = j->o;
    SFI_TRY(read_contours(j));
    SFI_TRY(read_range(j));
    SFI_TRY(open_fields(j));
    if (!shows_speed(j))
        SFI_TRY(read_plane(j, &j->field, &j->values));
    if (o->vector != NULL) {
        SFI_TRY(read_plane(j, &j->vector[0], &j->u));
        SFI_TRY(read_plane(j, &j->vector[1], &j->v));
    }
    if (o->contours_of != NULL) {
        SFI_TRY(plot_field_open(j->c, &j->contoured, &j->files, o->contours_of,
                                o->select));
        SFI_TRY(check_same(j, &j->contoured));
        SFI_TRY(read_plane(j, &j->contoured, &j->lines));
    }
    sfi_field_reader_warn(&j->field.reader);
    return draw(j);
}

static void put_words(const map_job *j)
{
    cli_put_text(j->c, j->c->report, "title", j->title);
    cli_put_text(j->c, j->c->report, "values", j->bar);
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
    plot_field_close(&j.vector[0]);
    plot_field_close(&j.vector[1]);
    plot_field_close(&j.contoured);
    plot_field_close(&j.field);
    plot_files_close(&j.files);
    return status;
}
