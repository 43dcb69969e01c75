/* SPDX-License-Identifier: Apache-2.0 */
/* plot_axes.c - the axes of a picture of a field.
 *
 *     longitude, latitude; x, y             a map
 *     theta, r                              a disc
 *     one of them or r, and a vertical one  a section, which is upright
 *     longitude or x, and time              time upwards
 *     latitude or y or vertical, and time   time to the right
 *     others                                the last two
 *
 * One axis may be set aside, for panels or frames. */
#include "cli/plot_field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- which axes ------------------------------------------------------------------- */

/* The axis of one of two roles that is not set aside, -1 if there is none. */
static int find_role(const plot_field *f, int aside, sf_role role,
                     sf_role other)
{
    for (int k = 0; k < f->rank; k++)
        if (k != aside && (f->axis[k].role == role || f->axis[k].role == other))
            return k;
    return -1;
}

/* The last axis that is none of these two. */
static int last_but(const plot_field *f, int one, int other)
{
    int k = f->rank - 1;
    while (k == one || k == other)
        k--;
    return k;
}

static void choose_pair(const plot_field *f, plot_plane *p)
{
    const int x = find_role(f, p->over, SF_ROLE_LON, SF_ROLE_X),
              y = find_role(f, p->over, SF_ROLE_LAT, SF_ROLE_Y),
              up = find_role(f, p->over, SF_ROLE_LEV, SF_ROLE_Z),
              r = find_role(f, p->over, SF_ROLE_R, SF_ROLE_R),
              time = find_role(f, p->over, SF_ROLE_T, SF_ROLE_T);
    const int theta = find_role(f, p->over, SF_ROLE_THETA, SF_ROLE_THETA);
    const int level = x >= 0 ? x : y >= 0 ? y : r;
    if (r >= 0 && theta >= 0) {
        p->x = theta;
        p->y = r;
    } else if (x >= 0 && y >= 0) {
        p->x = x;
        p->y = y;
    } else if (up >= 0 && level >= 0) {
        p->x = level;
        p->y = up;
    } else if (time >= 0 && x >= 0) {
        p->x = x;
        p->y = time;
    } else if (time >= 0 && (y >= 0 || up >= 0)) {
        p->x = time;
        p->y = y >= 0 ? y : up;
    } else {
        p->x = last_but(f, p->over, -1);
        p->y = last_but(f, p->over, p->x);
    }
}

/* The names of the axes, as a list. */
static void list_axes(const plot_field *f, char *text, size_t size)
{
    text[0] = '\0';
    for (int k = 0; k < f->rank; k++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", k > 0 ? ", " : "",
                 f->axis[k].name);
    }
}

static sf_status find_over(const plot_field *f, const char *name, int *out)
{
    char names[400];
    for (int k = 0; k < f->rank; k++)
        if (strcmp(f->axis[k].name, name) == 0 ||
            strcmp(sf_role_name(f->axis[k].role), name) == 0) {
            *out = k;
            return SF_OK;
        }
    list_axes(f, names, sizeof names);
    return SFI_FAIL(f->c->ctx, SF_E_ARG,
                    "--over: \"%s\" has no axis \"%s\" with several points; it "
                    "has %s",
                    f->name, name, names);
}

static bool is_length(const plot_axis *a)
{
    return a->role == SF_ROLE_X || a->role == SF_ROLE_Y ||
           a->role == SF_ROLE_Z || a->role == SF_ROLE_R;
}

static bool have_one_unit(const plot_axis *a, const plot_axis *b)
{
    if (a->unit == NULL || b->unit == NULL)
        return a->unit == b->unit;
    return strcmp(a->unit, b->unit) == 0;
}

/* The axis of a film that nothing was said of: time, or the first that is not shown;
 * -1. */
static int choose_over(const plot_field *f)
{
    plot_plane p = {.over = find_role(f, -1, SF_ROLE_T, SF_ROLE_T)};
    if (p.over >= 0 || f->rank < 3)
        return f->rank < 3 ? -1 : p.over;
    choose_pair(f, &p);
    int k = 0;
    while (k == p.x || k == p.y)
        k++;
    return k;
}

sf_status plot_choose_plane(const plot_field *f, const char *over, bool is_film,
                            plot_plane *out)
{
    plot_plane p = {.over = -1};
    if (over != NULL)
        SFI_TRY(find_over(f, over, &p.over));
    else if (is_film)
        p.over = choose_over(f);
    if (is_film && p.over < 0)
        return SFI_FAIL(f->c->ctx, SF_E_SHAPE,
                        "%s: a film of a map wants three axes with several "
                        "points, \"%s\" has %d",
                        f->file, f->name, f->rank);
    const int rank = f->rank - (p.over >= 0);
    if (rank < 2)
        return SFI_FAIL(f->c->ctx, SF_E_SHAPE,
                        "%s: a map wants two axes with several points, "
                        "\"%s\" has %d%s",
                        f->file, f->name, rank,
                        p.over >= 0 ? " beside that of --over" : "");
    choose_pair(f, &p);
    const plot_axis *x = &f->axis[p.x], *y = &f->axis[p.y];
    const bool is_sphere = x->role == SF_ROLE_LON && y->role == SF_ROLE_LAT;
    p.is_geographic = is_sphere && !f->is_rotated && x->turn == 360.0;
    p.is_equal = is_length(x) && is_length(y) && have_one_unit(x, y);
    p.is_disc =
        x->role == SF_ROLE_THETA && y->role == SF_ROLE_R && x->turn > 0.0;
    p.is_horizontal = is_sphere || p.is_equal || p.is_disc;
    *out = p;
    return SF_OK;
}

bool plot_axis_is_log(const plot_axis *a)
{
    const double one = a->coords[0], other = a->coords[a->count - 1];
    return a->falls && a->role == SF_ROLE_LEV &&
           fmin(a->edges[0], a->edges[a->count]) > 0.0 &&
           fmax(one, other) > 20.0 * fmin(one, other);
}

/* ---- dates ------------------------------------------------------------------------ */

/* Steps of marks; months for the longer ones, seconds for the others. */
static const struct {
    int months;
    double seconds;
} steps[] = {{0, 1},         {0, 5},          {0, 15},    {0, 60},
             {0, 300},       {0, 900},        {0, 3600},  {0, 10800},
             {0, 21600},     {0, 43200},      {0, 86400}, {0, 2 * 86400},
             {0, 5 * 86400}, {0, 10 * 86400}, {1, 0},     {3, 0},
             {6, 0},         {12, 0},         {24, 0},    {60, 0},
             {120, 0},       {240, 0},        {600, 0},   {1200, 0},
             {6000, 0},      {12000, 0}};

/* As much of a date as marks of this step need. */
static void write_date(const sfi_date *d, int months, double seconds,
                       char *text)
{
    if (months >= 12)
        snprintf(text, PLOT_TICK, "%lld", (long long)d->year);
    else if (months > 0)
        snprintf(text, PLOT_TICK, "%lld-%02d", (long long)d->year, d->month);
    else if (seconds >= 86400.0 || (d->hour == 0 && d->minute == 0))
        snprintf(text, PLOT_TICK, "%lld-%02d-%02d", (long long)d->year,
                 d->month, d->day);
    else
        snprintf(text, PLOT_TICK, "%02d:%02d", d->hour, d->minute);
}

/* Marks of one step between two numbers of the axis; how many there are. */
static int mark_dates(const sfi_clock_unit *clock, double lo, double hi,
                      int months, double seconds, plot_dates *out)
{
    sfi_date d;
    int count = 0;
    if (!sfi_time_date(clock, lo, &d))
        return 0;
    d.hour = d.minute = 0;
    d.second = 0.0;
    if (months > 0) {
        d.day = 1;
        d.month = months >= 12 ? 1 : 1 + (d.month - 1) / months * months;
        const int64_t years = months / 12;
        if (years > 1)
            d.year -= ((d.year % years) + years) % years;
    }
    const double start = sfi_time_number(clock, &d);
    for (int64_t k = 0;; k++) {
        double at = start + (double)k * seconds / clock->seconds;
        if (months > 0) {
            sfi_date e = d;
            const int64_t month = d.month - 1 + k * months;
            e.year += month / 12;
            e.month = (int)(month % 12) + 1;
            at = sfi_time_number(clock, &e);
        }
        if (!(at <= hi))
            return count;
        if (at < lo)
            continue;
        if (count < PLOT_MOST_TICKS) {
            sfi_date shown;
            if (!sfi_time_date(clock, at, &shown))
                return 0;
            out->at[count] = at;
            write_date(&shown, months, seconds, out->text[count]);
        }
        if (++count > PLOT_MOST_TICKS)
            return count;
    }
}

void plot_mark_dates(const sfi_clock_unit *clock, double lo, double hi,
                     plot_dates *out)
{
    out->ticks = (sf_plot_ticks){0};
    for (size_t i = 0; i < SFI_COUNT(steps); i++) {
        const double usual = steps[i].months > 0 ? steps[i].months * 2629746.0
                                                 : steps[i].seconds;
        if ((hi - lo) * clock->seconds / usual > 8.0)
            continue;
        const int count =
            mark_dates(clock, lo, hi, steps[i].months, steps[i].seconds, out);
        if (count < 1 || count > PLOT_MOST_TICKS)
            return;
        for (int k = 0; k < count; k++)
            out->labels[k] = out->text[k];
        out->ticks = (sf_plot_ticks){count, out->at, out->labels};
        return;
    }
}

void plot_date_ticks(const plot_axis *a, plot_dates *out)
{
    out->ticks = (sf_plot_ticks){0};
    if (a->is_dated)
        plot_mark_dates(&a->clock, fmin(a->edges[0], a->edges[a->count]),
                        fmax(a->edges[0], a->edges[a->count]), out);
}
