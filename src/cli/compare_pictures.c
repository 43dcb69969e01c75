/* SPDX-License-Identifier: Apache-2.0 */
/* compare_pictures.c - pictures in the report of the command compare.
 *
 * The plot library writes files.  Each picture becomes one in a folder of its own, is
 * read, and goes into the page without its first line.  Names within a picture (glyphs,
 * clips) are made those of the picture, since all share the page. */
#define _POSIX_C_SOURCE 200809L
#include "cli/compare_job.h"
#include "cli/levels.h"
#include "cli/plot.h"

#include "io/output.h"
#include "scorefield/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PICTURES = 24, MOST_ROWS = 50000, MOST_BARS = 12 };

typedef struct pictures {
    compare_job *j;
    sf_context *ctx;
    sfi_output *out;
    char folder[200], path[220];
    int count;
} pictures;

/* ---- a picture into the page ---------------------------------------------- */

static sf_status read_file(sf_context *ctx, const char *path, char **text,
                           size_t *size)
{
    FILE *f = fopen(path, "rb");
    *text = NULL;
    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || ftell(f) < 0) {
        if (f != NULL)
            fclose(f);
        return SFI_FAIL(ctx, SF_E_IO, "%s: cannot be read", path);
    }
    *size = (size_t)ftell(f) + 1;
    rewind(f);
    *text = sfi_alloc(ctx, *size, 1);
    const bool read =
        *text != NULL && fread(*text, 1, *size - 1, f) == *size - 1;
    fclose(f);
    if (*text == NULL)
        return SF_E_NOMEM;
    (*text)[*size - 1] = '\0';
    if (read)
        return SF_OK;
    sfi_free(ctx, *text, *size, 1);
    return SFI_FAIL(ctx, SF_E_IO, "%s: cannot be read", path);
}

/* Copy the picture, with names of its own. */
static void put_svg(pictures *p, const char *text)
{
    static const char *const names[] = {" id=\"", "href=\"#", "url(#"};
    const char *at = strstr(text, "<svg");
    const char *from = at;
    while (at != NULL && *at != '\0') {
        size_t found = 0;
        for (size_t k = 0; k < SFI_COUNT(names) && found == 0; k++)
            if (strncmp(at, names[k], strlen(names[k])) == 0)
                found = strlen(names[k]);
        at += found > 0 ? found : 1;
        if (found == 0)
            continue;
        sfi_output_write(p->out, from, (size_t)(at - from));
        sfi_output_format(p->out, "p%d-", p->count);
        from = at;
    }
    if (at != NULL)
        sfi_output_write(p->out, from, (size_t)(at - from));
}

static sf_status put_picture(pictures *p, const char *caption)
{
    char *text = NULL;
    size_t size = 0;
    SFI_TRY(read_file(p->ctx, p->path, &text, &size));
    p->count++;
    sfi_output_text(p->out, "<figure>");
    put_svg(p, text);
    sfi_output_text(p->out, "<figcaption>");
    compare_html_text(p->out, caption);
    sfi_output_text(p->out, "</figcaption></figure>\n");
    sfi_free(p->ctx, text, size, 1);
    return SF_OK;
}

/* ---- columns -------------------------------------------------------------- */

/* Rows of a large table are taken at equal distances. */
static int64_t rows_of(const sf_frame *f)
{
    const int64_t rows = sf_frame_rows(f);
    return rows < MOST_ROWS ? rows : MOST_ROWS;
}

static int64_t row_of(const sf_frame *f, int64_t i)
{
    const int64_t rows = sf_frame_rows(f);
    return rows <= MOST_ROWS ? i
                             : (int64_t)((double)i * (double)rows / MOST_ROWS);
}

static void take_numbers(double *to, const sf_frame *f, int64_t col,
                         double period)
{
    for (int64_t i = 0; i < rows_of(f); i++) {
        to[i] = sf_frame_cell(f, row_of(f, i), col);
        if (period > 0.0)
            to[i] -= period * floor(to[i] / period);
    }
}

static sf_status mark_dates(pictures *p, const sf_frame *real, int64_t col,
                            sf_cmat x, sf_cmat samples, plot_dates *out)
{
    const sfi_clock_unit clock = {.seconds =
                                      plot_date_unit(sf_frame_unit(real, col))};
    double lo, hi;
    SFI_TRY(sf_plot_range(p->ctx, x, samples, 0, 0.02, &lo, &hi));
    plot_mark_dates(&clock, lo, hi, out);
    return SF_OK;
}

static sf_status draw_numbers(pictures *p, int64_t col)
{
    const sf_frames_column *c = &p->j->report->column[col];
    const sf_frame *real = p->j->real.some, *synthetic = p->j->synthetic.some;
    const int64_t n = rows_of(real), m = rows_of(synthetic);
    double *x = sfi_alloc(p->ctx, (size_t)(n + m), sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    take_numbers(x, real, col, c->period);
    take_numbers(x + n, synthetic, col, c->period);
    sf_plot_histogram_options o = SF_PLOT_HISTOGRAM_OPTIONS_INIT;
    o.width = 380;
    o.height = 260;
    o.x_label = cli_data_name(&p->j->synthetic, col);
    o.data_label = "real";
    o.samples_label = "synthetic";
    o.samples = (sf_cmat){x + n, m, 1, 1};
    if (c->compared == SF_COMPARED_CIRCLE)
        o.x_to = c->period;
    plot_dates dates = {.ticks = {0}};
    sf_status status = SF_OK;
    if (c->kind == SF_KIND_DATE)
        status =
            mark_dates(p, real, col, (sf_cmat){x, n, 1, 1}, o.samples, &dates);
    o.x_ticks = dates.ticks;
    if (status == SF_OK)
        status = sf_plot_histogram(p->ctx, p->path, (sf_cmat){x, n, 1, 1}, &o);
    sfi_free(p->ctx, x, (size_t)(n + m), sizeof *x);
    return status;
}

/* The share of each level that is shown among the cells of a table, series `t`. */
static sf_status count_levels(pictures *p, const cli_levels *levels,
                              double share[][2], int t, const sf_frame *f,
                              int64_t col)
{
    const int64_t rows = sf_frame_rows(f);
    double present = 0.0;
    double *place = sfi_alloc(p->ctx, (size_t)rows, sizeof *place);
    if (place == NULL)
        return SF_E_NOMEM;
    const sf_status status = cli_levels_place(p->ctx, levels, f, col, place, 1);
    for (int64_t i = 0; i < rows && status == SF_OK; i++)
        if (!isnan(place[i])) {
            share[(int64_t)place[i]][t] += 1.0;
            present += 1.0;
        }
    for (int64_t k = 0; k < levels->count && present > 0.0; k++)
        share[k][t] /= present;
    sfi_free(p->ctx, place, (size_t)rows, sizeof *place);
    return status;
}

static sf_status plot_levels(pictures *p, cli_levels *levels, int64_t col)
{
    static const char *const series[] = {"real", "synthetic"};
    const sf_frame *const tables[] = {p->j->real.some, p->j->synthetic.some};
    double share[MOST_BARS][2] = {{0.0}};
    for (int t = 0; t < 2; t++)
        SFI_TRY(cli_levels_see(p->ctx, levels, tables[t], col));
    SFI_TRY(cli_levels_choose(p->ctx, levels, MOST_BARS));
    for (int t = 0; t < 2; t++)
        SFI_TRY(count_levels(p, levels, share, t, tables[t], col));
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.width = 380;
    o.height = 260;
    o.x_label = cli_data_name(&p->j->synthetic, col);
    o.y_label = "proportion";
    return sf_plot_bars(p->ctx, p->path,
                        (sf_cmat){&share[0][0], levels->count, 2, 2},
                        levels->names, series, &o);
}

static sf_status draw_levels(pictures *p, int64_t col)
{
    cli_levels levels = {0};
    const sf_status status = plot_levels(p, &levels, col);
    cli_levels_free(p->ctx, &levels);
    return status;
}

static void describe_column(const compare_job *j, int64_t col, char *text,
                            size_t size)
{
    const sf_frames_column *c = &j->report->column[col];
    const bool category = c->compared == SF_COMPARED_CATEGORY;
    const double *figure = category ? c->total_variation : c->ks;
    int n =
        snprintf(text, size, "%s: %s %.3f", cli_data_name(&j->synthetic, col),
                 category                            ? "total variation"
                 : c->compared == SF_COMPARED_CIRCLE ? "Kuiper"
                                                     : "KS",
                 figure[0]);
    if (!isnan(figure[1]) && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, " (held-out %.3f)", figure[1]);
}

static sf_status draw_columns(pictures *p)
{
    const sf_frames_report *r = p->j->report;
    const int64_t shown = r->cols < MOST_PICTURES ? r->cols : MOST_PICTURES;
    sfi_output_text(p->out, "<h2>Each column</h2>\n");
    if (shown < r->cols)
        sfi_output_format(p->out, "<p>The first %lld of %lld.</p>\n",
                          (long long)shown, (long long)r->cols);
    for (int64_t k = 0; k < shown; k++) {
        char caption[300];
        const sf_frames_column *c = &r->column[k];
        if (c->present[0] == 0 || c->present[1] == 0)
            continue;
        SFI_TRY(c->compared == SF_COMPARED_CATEGORY ? draw_levels(p, k)
                                                    : draw_numbers(p, k));
        describe_column(p->j, k, caption, sizeof caption);
        SFI_TRY(put_picture(p, caption));
    }
    return SF_OK;
}

/* ---- closeness ------------------------------------------------------------ */

/* Distribution functions of the distance to the closest record, through the quantiles
 * of the report. */
static sf_status draw_closeness(pictures *p)
{
    const sf_frames_report *r = p->j->report;
    double points[2][SF_COMPARE_QUANTILES][2];
    sf_plot_curve curve[2];
    for (int k = 0; k < 2; k++) {
        for (int q = 0; q < SF_COMPARE_QUANTILES; q++) {
            points[k][q][0] = r->copies.dcr[k][q];
            points[k][q][1] = sf_compare_probability(q);
        }
        curve[k] = (sf_plot_curve){
            .label = k == 1               ? "synthetic"
                     : r->copies.held_out ? "held-out"
                                          : "real, to other real rows",
            .points = {&points[k][0][0], SF_COMPARE_QUANTILES, 2, 2},
            .colour = k,
            .dash = k == 0};
    }
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.width = 450;
    o.height = 300;
    o.x_label = "Gower distance to the nearest real row";
    o.y_label = "proportion of rows";
    SFI_TRY(sf_plot_curves(p->ctx, p->path, curve, 2, &o));
    sfi_output_text(p->out, "<h2>Closeness</h2>\n<p>Copies are to the left of "
                            "the reference, which cannot have been "
                            "copied.</p>\n");
    char caption[120];
    snprintf(caption, sizeof caption,
             "closeness ratio %.3f; %.1f %% nearer than 95 %% of the reference",
             r->closeness_ratio, 100.0 * r->copies.closer);
    return put_picture(p, caption);
}

sf_status compare_put_pictures(compare_job *j, sfi_output *out)
{
    pictures p = {.j = j, .ctx = j->c->ctx, .out = out};
    const char *folder = getenv("TMPDIR");
    if (cli_need_pictures(p.ctx) != SF_OK) {
        sfi_message_clear(p.ctx);
        sfi_output_text(out, "<p class=\"warning\">This program was built "
                             "without pictures of columns.</p>\n");
        return SF_OK;
    }
    snprintf(p.folder, sizeof p.folder, "%s/scorefield-XXXXXX",
             folder != NULL && strlen(folder) < 150 ? folder : "/tmp");
    if (mkdtemp(p.folder) == NULL)
        return SFI_FAIL(p.ctx, SF_E_IO, "%s: cannot be created", p.folder);
    snprintf(p.path, sizeof p.path, "%s/picture.svg", p.folder);
    sf_status status = draw_columns(&p);
    if (status == SF_OK)
        status = draw_closeness(&p);
    unlink(p.path);
    rmdir(p.folder);
    return status;
}
