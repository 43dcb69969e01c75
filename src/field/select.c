/* SPDX-License-Identifier: Apache-2.0 */
/* select.c - which points of a variable's axes are wanted.
 *
 * A value or a range becomes an interval [from, to] of coordinates; the points within
 * it are a run, since coordinates are monotonic.  On a closed axis the interval is
 * measured from its lower end onwards, modulo the period, and the run may go over
 * the end of the axis to its beginning. */
#include "field/select.h"

#include "base/assign.h"
#include "base/text.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_VALUE = 96 };

/* Coordinates that are asked for; the upper end of dates does not belong to them. */
typedef struct interval {
    double from, to;
    bool is_date;
} interval;

static const char *axis_name(const void *user, int k)
{
    const sfi_cf *cf = user;
    return k < cf->rank ? cf->axis[k].name : NULL;
}

int sfi_select_axis(const sfi_cf *cf, const char *name)
{
    for (int k = 0; k < cf->rank; k++)
        if (strcmp(cf->axis[k].name, name) == 0)
            return k;
    for (int k = 0; k < cf->rank; k++) {
        const char *role = sf_role_name(cf->axis[k].role);
        if (role[0] != '\0' &&
            (strcmp(role, name) == 0 ||
             (cf->axis[k].role == SF_ROLE_T && strcmp(name, "time") == 0)))
            return k;
    }
    return -1;
}

static sf_status no_axis(const sfi_cf *cf, const char *name)
{
    const char *nearest = sfi_nearest_word(name, axis_name, cf);
    char list[200] = "";
    size_t used = 0;
    for (int k = 0; k < cf->rank && used < sizeof list; k++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 k > 0 ? ", " : "", cf->axis[k].name);
    return SFI_FAIL(cf->ctx, SF_E_ARG,
                    nearest != NULL
                        ? "select: no axis is called \"%s\"; did you mean %s?"
                        : "select: no axis is called \"%s\"; they are: %s",
                    name, nearest != NULL ? nearest : list);
}

/* ---- values ----------------------------------------------------------------- */

/* The number of the first moment behind the span of a date. */
static double after_date(const sfi_clock_unit *clock, const sfi_date *d,
                         int fields)
{
    static const double seconds[] = {0.0, 0.0, 0.0, 86400.0, 3600.0, 60.0, 1.0};
    sfi_date next = *d;
    if (fields == 1)
        next.year++;
    if (fields == 2 && next.month++ == 12) {
        next.month = 1;
        next.year++;
    }
    return sfi_time_number(clock, &next) + seconds[fields] / clock->seconds;
}

/* A value as an interval; false if it is none. */
static bool read_value(const sfi_cf_axis *a, const char *text, interval *out)
{
    const char *end = sfi_number_parse(text, &out->from);
    out->is_date = false;
    if (end != NULL && *end == '\0' && isfinite(out->from)) {
        out->to = out->from;
        return true;
    }
    sfi_date date;
    int fields = 0;
    if (!a->is_dated || !sfi_date_read(a->clock.calendar, text, &date, &fields))
        return false;
    out->from = sfi_time_number(&a->clock, &date);
    out->to = after_date(&a->clock, &date, fields);
    out->is_date = true;
    return true;
}

/* "A" or "A:B"; a time of day has colons too, so every one is tried. */
static bool read_interval(const sfi_cf_axis *a, const char *text, interval *out,
                          bool *is_range)
{
    char low[LONGEST_VALUE];
    interval upper;
    *is_range = false;
    if (read_value(a, text, out))
        return true;
    for (const char *colon = strchr(text, ':'); colon != NULL;
         colon = strchr(colon + 1, ':')) {
        const sfi_piece first = sfi_trimmed(text, (size_t)(colon - text)),
                        second = sfi_trimmed(colon + 1, strlen(colon + 1));
        if (first.size >= sizeof low)
            return false;
        memcpy(low, first.at, first.size);
        low[first.size] = '\0';
        if (!read_value(a, low, out) || !read_value(a, second.at, &upper))
            continue;
        out->to = upper.to;
        out->is_date = upper.is_date;
        *is_range = true;
        return true;
    }
    return false;
}

static sf_status no_value(const sfi_cf *cf, const sfi_cf_axis *a,
                          const char *text)
{
    char shown[SFI_SHOW_SIZE];
    sfi_show(shown, text, strlen(text));
    if (!a->is_dated && strchr(text, '-') != NULL && strlen(text) > 6)
        return SFI_FAIL(cf->ctx, SF_E_ARG,
                        "select: \"%s\" looks like a date, but %s has no unit "
                        "\"... since ...\" in a known calendar; give numbers",
                        shown, a->name);
    return SFI_FAIL(cf->ctx, SF_E_ARG,
                    a->is_dated
                        ? "select: %s: \"%s\" is no number and no date of the "
                          "calendar %s (YYYY-MM-DD hh:mm)"
                        : "select: %s: \"%s\" is not a number or a range A:B%s",
                    a->name, shown,
                    a->is_dated ? sfi_calendar_name(a->clock.calendar) : "");
}

/* ---- points ----------------------------------------------------------------- */

/* A thousandth of the step at point i: what is typed is rounded, and coordinates
 * in float are too. */
static double slack_at(const sfi_cf_axis *a, int64_t i)
{
    if (a->count < 2)
        return 1e-6 * fabs(a->coords[0]);
    const int64_t j = i > 0 ? i - 1 : 1;
    return 1e-3 * fabs(a->coords[i] - a->coords[j]);
}

static bool is_within(const sfi_cf_axis *a, int64_t i, const interval *v)
{
    const double x = a->coords[i], slack = slack_at(a, i);
    if (!(a->period > 0.0))
        return x >= v->from - slack &&
               (v->is_date ? x < v->to : x <= v->to + slack);
    double way = fmod(x - v->from, a->period);
    if (way < -slack)
        way += a->period;
    if (way > a->period - slack)
        way -= a->period;
    return way <= v->to - v->from + slack;
}

/* The run of points within the interval.  On a closed axis it begins behind a point
 * that is not in it. */
static sfi_span run_of(const sfi_cf_axis *a, const interval *v)
{
    const int64_t n = a->count;
    int64_t begin = 0;
    if (a->period > 0.0 && v->to - v->from < a->period)
        while (begin < n && is_within(a, begin, v))
            begin++;
    sfi_span span = {0, 0, false};
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = (begin + i) % n;
        if (!is_within(a, at, v)) {
            if (span.count > 0)
                break;
            continue;
        }
        if (span.count++ == 0)
            span.first = at;
    }
    return span;
}

/* The same a turn on or back, for longitudes of a region. */
static sfi_span run_of_angle(const sfi_cf_axis *a, interval v)
{
    sfi_span span = run_of(a, &v);
    if (span.count > 0 || a->turn == 0.0 || a->period > 0.0)
        return span;
    for (double shift = -a->turn; shift <= a->turn && span.count == 0;
         shift += 2.0 * a->turn) {
        const interval moved = {v.from + shift, v.to + shift, false};
        span = run_of(a, &moved);
    }
    return span;
}

static void show_point(const sfi_cf_axis *a, int64_t i, char *text, size_t size)
{
    sfi_date date;
    char shown[SFI_DATE_SIZE], number[SFI_NUMBER_SIZE];
    if (a->is_dated && sfi_time_date(&a->clock, a->coords[i], &date)) {
        snprintf(text, size, "%s", sfi_date_write(&date, shown));
        return;
    }
    (void)sfi_number_format(a->coords[i], number);
    snprintf(text, size, "%s", number);
}

/* No point lies in the interval: which ones are next to it? */
static sf_status no_point(const sfi_cf *cf, const sfi_cf_axis *a,
                          const interval *v, const char *text)
{
    char one[SFI_DATE_SIZE], other[SFI_DATE_SIZE];
    int64_t nearest = 0;
    for (int64_t i = 1; i < a->count; i++)
        if (fabs(a->coords[i] - v->from) < fabs(a->coords[nearest] - v->from))
            nearest = i;
    show_point(a, nearest, one, sizeof one);
    if (a->count == 1)
        return SFI_FAIL(cf->ctx, SF_E_ARG,
                        "select: %s has no point at %s; its only one is %s",
                        a->name, text, one);
    /* The other one is on the other side, if there is one there. */
    const bool is_past =
        nearest > 0 &&
        (a->coords[nearest] - v->from) * (a->coords[nearest - 1] - v->from) <
            0.0;
    const int64_t second =
        is_past || nearest == a->count - 1 ? nearest - 1 : nearest + 1;
    show_point(a, second, other, sizeof other);
    return SFI_FAIL(cf->ctx, SF_E_ARG,
                    "select: %s has no point at %s; the nearest ones are %s "
                    "and %s",
                    a->name, text, one, other);
}

/* One "NAME=VALUE". */
static sf_status select_one(const sfi_cf *cf, sfi_piece piece, sfi_span *spans)
{
    char name[SFI_NC_NAME], value[LONGEST_VALUE];
    interval v;
    bool is_range = false;
    const char *equals = memchr(piece.at, '=', piece.size);
    const sfi_piece left =
        sfi_trimmed(piece.at, equals != NULL ? (size_t)(equals - piece.at) : 0);
    const sfi_piece right =
        equals != NULL
            ? sfi_trimmed(equals + 1,
                          (size_t)(piece.at + piece.size - equals) - 1)
            : left;
    if (left.size == 0 || left.size >= sizeof name || right.size == 0 ||
        right.size >= sizeof value) {
        char shown[SFI_SHOW_SIZE];
        return SFI_FAIL(cf->ctx, SF_E_PARSE,
                        "select: want AXIS=VALUE or AXIS=A:B, not \"%s\"",
                        sfi_show(shown, piece.at, piece.size));
    }
    snprintf(name, sizeof name, "%.*s", (int)left.size, left.at);
    snprintf(value, sizeof value, "%.*s", (int)right.size, right.at);
    const int k = sfi_select_axis(cf, name);
    if (k < 0)
        return no_axis(cf, name);
    const sfi_cf_axis *a = &cf->axis[k];
    if (a->count == 0)
        return SFI_FAIL(cf->ctx, SF_E_ARG, "select: %s has no points", a->name);
    if (!read_interval(a, value, &v, &is_range))
        return no_value(cf, a, value);
    if (a->period > 0.0 && v.to < v.from)
        v.to += a->period;
    if (v.to < v.from) {
        const double from = v.to;
        v.to = v.from;
        v.from = from;
    }
    spans[k] = run_of_angle(a, v);
    if (spans[k].count == 0)
        return no_point(cf, a, &v, value);
    spans[k].is_single = !is_range && spans[k].count == 1;
    return SF_OK;
}

sf_status sfi_select(const sfi_cf *cf, const char *text, sfi_span *spans)
{
    for (int k = 0; k < cf->rank; k++)
        spans[k] = (sfi_span){0, cf->axis[k].count, false};
    for (const char *p = text; p != NULL && *p != '\0';) {
        const size_t size = strcspn(p, ";,");
        const sfi_piece piece = sfi_trimmed(p, size);
        if (piece.size > 0)
            SFI_TRY(select_one(cf, piece, spans));
        p += size + (p[size] != '\0');
    }
    return SF_OK;
}
