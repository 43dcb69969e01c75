/* SPDX-License-Identifier: Apache-2.0 */
/* plot_words.c - the words of maps: units as people write them, names, points. */
#include "cli/plot_field.h"

#include "num/decimal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- units ---------------------------------------------------------------------- */

/* Units that are no products of powers; a shifted one has its zero by convention. */
static const struct {
    const char *unit, *text;
    bool is_shifted;
} whole[] = {
    {"1", "", false},
    {"degC", "\u00b0C", true},
    {"deg_C", "\u00b0C", true},
    {"degree_C", "\u00b0C", true},
    {"degrees_C", "\u00b0C", true},
    {"celsius", "\u00b0C", true},
    {"Celsius", "\u00b0C", true},
    {"degree_Celsius", "\u00b0C", true},
    {"degrees_Celsius", "\u00b0C", true},
    {"degF", "\u00b0F", true},
    {"deg_F", "\u00b0F", true},
    {"degree_F", "\u00b0F", true},
    {"degrees_F", "\u00b0F", true},
    {"fahrenheit", "\u00b0F", true},
    {"Fahrenheit", "\u00b0F", true},
    {"degree", "\u00b0", false},
    {"degrees", "\u00b0", false},
    {"degrees_north", "\u00b0N", false},
    {"degrees_east", "\u00b0E", false},
    {"percent", "%", false},
};

/* The place of a unit in the table; -1. */
static int find_whole(const char *unit)
{
    for (size_t i = 0; unit != NULL && i < SFI_COUNT(whole); i++)
        if (strcmp(unit, whole[i].unit) == 0)
            return (int)i;
    return -1;
}

bool plot_unit_is_shifted(const char *unit)
{
    const int i = find_whole(unit);
    return i >= 0 && whole[i].is_shifted;
}

/* One factor, "s**-1", "s^-1" or "s-1": letters and an exponent.  False if it is
 * anything else. */
static bool write_factor(const char *at, size_t size, char *text, size_t room)
{
    static const char *const digits[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3",
                                         "\u2074", "\u2075", "\u2076", "\u2077",
                                         "\u2078", "\u2079"};
    size_t i = 0;
    while (i < size && (isalpha((unsigned char)at[i]) || at[i] == '%'))
        i++;
    const size_t letters = i;
    if (size - i >= 2 && at[i] == '*' && at[i + 1] == '*')
        i += 2;
    else if (i < size && at[i] == '^')
        i++;
    const bool is_negative = i < size && at[i] == '-';
    const size_t first = i + is_negative;
    for (size_t k = first; k < size; k++)
        if (!isdigit((unsigned char)at[k]))
            return false;
    if (letters == 0 || (first == size && first > letters))
        return false;
    size_t used = strlen(text);
    used += (size_t)snprintf(text + used, room - used, "%.*s%s", (int)letters,
                             at, is_negative ? "\u207b" : "");
    for (size_t k = first; k < size && used < room; k++)
        used += (size_t)snprintf(text + used, room - used, "%s",
                                 digits[at[k] - '0']);
    return used < room;
}

void plot_unit_text(const char *unit, char *text, size_t size)
{
    const int known = find_whole(unit);
    text[0] = '\0';
    if (known >= 0 || unit == NULL) {
        snprintf(text, size, "%s", unit == NULL ? "" : whole[known].text);
        return;
    }
    bool good = true;
    for (const char *p = unit; *p != '\0' && good;) {
        const size_t length = strcspn(p, " .");
        if (length > 0)
            good = write_factor(p, length, text, size);
        p += length;
        while (*p == ' ' || *p == '.')
            p++;
        const size_t used = strlen(text);
        if (*p != '\0' && used > 0)
            snprintf(text + used, size - used, " ");
    }
    if (!good)
        snprintf(text, size, "%s", unit);
}

void plot_label(const char *name, const char *unit, char *text, size_t size)
{
    char shown[96];
    plot_unit_text(unit, shown, sizeof shown);
    snprintf(text, size, "%s%s%s%s", name, shown[0] != '\0' ? " (" : "", shown,
             shown[0] != '\0' ? ")" : "");
}

/* ---- points --------------------------------------------------------------------- */

void plot_append_point(const plot_axis *a, int64_t i, char *text, size_t size)
{
    sfi_date date;
    char value[SFI_DATE_SIZE], unit[96];
    const size_t used = strlen(text);
    const bool is_date =
        a->is_dated && sfi_time_date(&a->clock, a->coords[i], &date);
    if (is_date)
        (void)sfi_date_write(&date, value);
    else
        snprintf(value, sizeof value, "%.10g",
                 a->coords[i]); /* 0.1 + 0.2 is 0.3 */
    plot_unit_text(is_date ? NULL : a->unit, unit, sizeof unit);
    const bool is_angle = strncmp(unit, "\u00b0", strlen("\u00b0")) == 0;
    snprintf(text + used, size - used, "%s%s %s%s%s", used > 0 ? ", " : "",
             a->name, value, unit[0] != '\0' && !is_angle ? " " : "", unit);
}

/* ---- fields --------------------------------------------------------------------- */

void plot_field_words(const plot_field *f, char *text, size_t size)
{
    const char *words = f->long_name != NULL       ? f->long_name
                        : f->standard_name != NULL ? f->standard_name
                                                   : f->name;
    snprintf(text, size, "%s", words);
    for (char *p = text; *p != '\0' && words == f->standard_name; p++)
        if (*p == '_')
            *p = ' ';
}

double plot_direction_period(const plot_field *f)
{
    const bool is_named =
        f->standard_name != NULL &&
        (strstr(f->standard_name, "_from_direction") != NULL ||
         strstr(f->standard_name, "_to_direction") != NULL);
    if (!is_named || f->unit == NULL)
        return 0.0;
    if (strncmp(f->unit, "degree", 6) == 0)
        return 360.0;
    return strncmp(f->unit, "rad", 3) == 0 ? 6.283185307179586 : 0.0;
}
