/* SPDX-License-Identifier: Apache-2.0 */
/* compare_html.c - the report of the command compare as one file: no scripts, no
 * fonts, nothing from elsewhere.
 *
 * Sentences come first, then what the columns are, pictures of each, maps of the
 * associations, and all numbers, which are the command's JSON report as tables: they
 * exist once.  Whatever comes from a user's file is escaped on its way in. */
#include "cli/compare_job.h"

#include "base/text.h"
#include "io/output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char style[] =
    "body{font:16px/1.5 sans-serif;color:#222;max-width:75em;margin:2em "
    "auto;padding:0 1em}"
    "h1,h2,h3{line-height:1.2}h2{margin-top:2em;border-bottom:1px solid #ccc}"
    "ol li{margin:.4em 0}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;font-size:13px;margin:1em 0}"
    "th,td{padding:.2em .7em;text-align:right;border-bottom:1px solid #e4e4e4;"
    "white-space:nowrap}"
    "th{background:#f4f4f4;text-align:right;vertical-align:bottom;"
    "white-space:normal}"
    "td.text,th.text{text-align:left}"
    "figure{display:inline-block;margin:.5em;vertical-align:top}"
    "figure svg{max-width:100%;height:auto}"
    "figcaption{font-size:13px;color:#555}"
    "pre{background:#f4f4f4;padding:.7em;overflow-x:auto;white-space:pre-wrap}"
    ".warning{background:#fff3d6;padding:.5em .8em}";

/* ---- tables of JSON ------------------------------------------------------- */

/* Underscores are spaces. */
static void put_label(sfi_output *out, const char *key)
{
    char label[200];
    snprintf(label, sizeof label, "%s", key);
    for (char *p = label; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : *p;
    compare_html_text(out, label);
}

static void put_value(sfi_output *out, const json_t *value)
{
    if (json_is_string(value))
        compare_html_text(out, json_string_value(value));
    else if (json_is_integer(value))
        sfi_output_format(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        sfi_output_format(out, "%.5g", json_real_value(value));
    else if (json_is_boolean(value))
        sfi_output_text(out, json_is_true(value) ? "yes" : "no");
    else
        sfi_output_text(out, "&ndash;");
}

static void put_cell(sfi_output *out, const json_t *value)
{
    sfi_output_text(out,
                    json_is_string(value) ? "<td class=\"text\">" : "<td>");
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value);
         i++) {
        sfi_output_text(out, i > 0 ? ", " : "");
        put_value(out, json_array_get(value, i));
    }
    if (!json_is_array(value))
        put_value(out, value);
    sfi_output_text(out, "</td>");
}

/* A list of objects with the keys of its first one. */
static void put_list(sfi_output *out, const json_t *list)
{
    json_t *head = json_array_get(list, 0);
    const char *key;
    json_t *value;
    sfi_output_text(out, "<div class=\"wide\"><table><tr>");
    json_object_foreach(head, key, value)
    {
        sfi_output_text(out,
                        json_is_string(value) ? "<th class=\"text\">" : "<th>");
        put_label(out, key);
        sfi_output_text(out, "</th>");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        sfi_output_text(out, "</tr>\n<tr>");
        json_object_foreach(head, key, value)
            put_cell(out, json_object_get(json_array_get(list, i), key));
    }
    sfi_output_text(out, "</tr></table></div>\n");
}

static bool is_list(const json_t *value)
{
    return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

static void put_object(sfi_output *out, json_t *object)
{
    const char *key;
    json_t *value;
    sfi_output_text(out, "<div class=\"wide\"><table>\n");
    json_object_foreach(object, key, value)
    {
        if (json_is_object(value) || is_list(value))
            continue;
        sfi_output_text(out, "<tr><td class=\"text\">");
        put_label(out, key);
        sfi_output_text(out, "</td>");
        put_cell(out, value);
        sfi_output_text(out, "</tr>\n");
    }
    sfi_output_text(out, "</table></div>\n");
    json_object_foreach(object, key, value)
    {
        if (!is_list(value))
            continue;
        sfi_output_text(out, "<h3>");
        put_label(out, key);
        sfi_output_text(out, "</h3>\n");
        put_list(out, value);
    }
}

/* ---- maps of associations ------------------------------------------------- */

enum { CELL = 16, LABELS = 130, MOST_IN_MAPS = 40 };

/* White at 0, towards red at 1 and blue at -1. */
static void put_colour(sfi_output *out, double x)
{
    const double part = fmin(1.0, fabs(x));
    const int pale = (int)(255.0 - 200.0 * part + 0.5);
    const int middle = (int)(255.0 - 165.0 * part + 0.5);
    if (isnan(x))
        sfi_output_text(out, "#ddd");
    else if (x > 0.0)
        sfi_output_format(out, "rgb(%d,%d,%d)", 235 + pale / 13, middle, pale);
    else
        sfi_output_format(out, "rgb(%d,%d,%d)", pale, middle, 235 + pale / 13);
}

/* Value of a pair in a map: 0 real, 1 synthetic, 2 their difference. */
static double map_value(const sf_frames_report *r, int map, int64_t a,
                        int64_t b)
{
    const int64_t first = a < b ? a : b, second = a < b ? b : a;
    if (a == b)
        return map == 2 ? 0.0 : 1.0;
    const int64_t at =
        first * (2 * r->cols - first - 1) / 2 + second - first - 1;
    return map == 2 ? r->pair[at].difference[0] : r->pair[at].value[map];
}

static void put_square(sfi_output *out, const compare_job *j, int map,
                       int64_t a, int64_t b)
{
    const double x = map_value(j->report, map, a, b);
    sfi_output_format(out,
                      "<rect x=\"%lld\" y=\"%lld\" width=\"%d\" height=\"%d\" "
                      "fill=\"",
                      (long long)(LABELS + b * CELL), (long long)(a * CELL),
                      CELL - 1, CELL - 1);
    put_colour(out, x);
    sfi_output_text(out, "\"><title>");
    compare_html_text(out, cli_data_name(&j->synthetic, a));
    sfi_output_text(out, ", ");
    compare_html_text(out, cli_data_name(&j->synthetic, b));
    sfi_output_format(out, ": %.3g</title></rect>\n", x);
}

static void put_map(sfi_output *out, const compare_job *j, int map, int64_t d)
{
    static const char *const captions[] = {"real", "synthetic",
                                           "synthetic less real"};
    const long long side = LABELS + d * CELL, high = d * CELL;
    sfi_output_format(out,
                      "<figure><svg width=\"%lld\" height=\"%lld\" "
                      "viewBox=\"0 0 %lld %lld\" "
                      "xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">\n",
                      side, high, side, high);
    for (int64_t a = 0; a < d; a++) {
        sfi_output_format(out,
                          "<text x=\"%d\" y=\"%lld\" font-size=\"11\" "
                          "text-anchor=\"end\">",
                          LABELS - 4, (long long)(a * CELL + 12));
        char name[24];
        snprintf(name, sizeof name, "%.20s", cli_data_name(&j->synthetic, a));
        name[sfi_utf8_prefix(name, strlen(name))] = '\0';
        compare_html_text(out, name);
        sfi_output_text(out, "</text>\n");
        for (int64_t b = 0; b < d; b++)
            put_square(out, j, map, a, b);
    }
    sfi_output_format(out, "</svg><figcaption>%s</figcaption></figure>\n",
                      captions[map]);
}

static void put_maps(sfi_output *out, const compare_job *j)
{
    const int64_t d =
        j->report->cols < MOST_IN_MAPS ? j->report->cols : MOST_IN_MAPS;
    if (j->report->pairs == 0)
        return;
    sfi_output_text(
        out, "<h2>Associations of pairs</h2>\n<p>From blue (-1) over white (0) "
             "to red (1); a rectangle names its pair. Columns are in the order "
             "of rows.");
    if (d < j->report->cols)
        sfi_output_format(out, " The first %lld of %lld columns.", (long long)d,
                          (long long)j->report->cols);
    sfi_output_text(out, "</p>\n");
    for (int map = 0; map < 3; map++)
        put_map(out, j, map, d);
}

/* ---- the document --------------------------------------------------------- */

static void put_head(sfi_output *out, const compare_job *j)
{
    compare_words words[COMPARE_WORDS];
    compare_describe(j, words);
    sfi_output_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
                         "charset=\"utf-8\"><meta name=\"viewport\" "
                         "content=\"width=device-width\"><title>");
    compare_html_text(out, j->synthetic.path);
    sfi_output_text(out, " against ");
    compare_html_text(out, j->real.path);
    sfi_output_format(out, "</title><style>%s", style);
    sfi_output_text(out, "</style></head><body>\n<h1>");
    compare_html_text(out, j->synthetic.path);
    sfi_output_text(out, " against ");
    compare_html_text(out, j->real.path);
    sfi_output_text(out, "</h1>\n<ol>\n");
    for (int k = 0; k < COMPARE_WORDS; k++) {
        sfi_output_text(out, "<li>");
        compare_html_text(out, words[k].text);
        sfi_output_text(out, "</li>\n");
    }
    sfi_output_text(out, "</ol>\n");
    const json_t *warnings = json_object_get(j->c->report, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        sfi_output_text(out, "<p class=\"warning\">");
        compare_html_text(out, json_string_value(json_array_get(warnings, i)));
        sfi_output_text(out, "</p>\n");
    }
}

/* Everything else in the report, block by block. */
static void put_numbers(sfi_output *out, const compare_job *j)
{
    const char *key;
    json_t *value;
    sfi_output_text(out, "<h2>All numbers</h2>\n");
    json_object_foreach(j->c->report, key, value)
    {
        if (!json_is_object(value))
            continue;
        sfi_output_text(out, "<h3>");
        put_label(out, key);
        sfi_output_text(out, "</h3>\n");
        put_object(out, value);
    }
}

static void put_foot(sfi_output *out, const compare_job *j)
{
    sfi_output_text(out, "<h2>How it was made</h2>\n<pre>");
    compare_html_text(out, j->c->command_line);
    sfi_output_format(out,
                      "</pre>\n<p>scorefield %s, seed %llu. Figures of "
                      "held-out rows are what rows of the real distribution "
                      "give; everything is scaled by the real table "
                      "alone.</p>\n</body></html>\n",
                      sf_version(), (unsigned long long)j->c->common.seed);
}

sf_status compare_write_html(compare_job *j, const char *path)
{
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(j->c->ctx, &out, path));
    put_head(out, j);
    sfi_output_text(out, "<h2>Columns</h2>\n");
    put_list(out, json_object_get(j->c->report, "columns"));
    sf_status status = compare_put_pictures(j, out);
    put_maps(out, j);
    put_numbers(out, j);
    put_foot(out, j);
    return sfi_output_close(out, status);
}
