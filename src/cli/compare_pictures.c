/* SPDX-License-Identifier: Apache-2.0 */
/* compare_pictures.c - pictures in the report of the command compare.
 *
 * The plot library writes files.  Each picture becomes one in a folder of its own, is
 * read, and goes into the page without its first line.  Names within a picture (glyphs,
 * clips) are made those of the picture, since all share the page. */
#define _POSIX_C_SOURCE 200809L
#include "cli/compare_job.h"

#include "base/dictionary.h"
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

static sf_status draw_numbers(pictures *p, int64_t col)
{
    const sf_frames_column *c = &p->j->report->column[col];
    const sf_frame *real = p->j->real.some, *synthetic = p->j->synthetic.some;
    const int64_t n = rows_of(real), m = rows_of(synthetic);
    double *x = sfi_alloc(p->ctx, (size_t)(n + m), sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    char label[300];
    const char *unit = sf_frame_unit(real, col);
    const char *since = c->kind != SF_KIND_DATE ? ""
                        : unit != NULL && strcmp(unit, "d") == 0
                            ? " (days since 1970)"
                            : " (seconds since 1970)";
    snprintf(label, sizeof label, "%s%s", cli_data_name(&p->j->synthetic, col),
             since);
    take_numbers(x, real, col, c->period);
    take_numbers(x + n, synthetic, col, c->period);
    sf_plot_histogram_options o = SF_PLOT_HISTOGRAM_OPTIONS_INIT;
    o.width = 380;
    o.height = 260;
    o.x_label = label;
    o.data_label = "real";
    o.samples_label = "synthetic";
    o.samples = (sf_cmat){x + n, m, 1, 1};
    if (c->compared == SF_COMPARED_CIRCLE)
        o.x_to = c->period;
    const sf_status status =
        sf_plot_histogram(p->ctx, p->path, (sf_cmat){x, n, 1, 1}, &o);
    sfi_free(p->ctx, x, (size_t)(n + m), sizeof *x);
    return status;
}

/* The text of a category's cell, in `number` where the file has numbers; NULL if it
 * is missing. */
static const char *level_of(const sf_frame *f, int64_t row, int64_t col,
                            char number[40])
{
    const double cell = sf_frame_cell(f, row, col);
    if (isnan(cell))
        return NULL;
    if (sf_frame_level_count(f, col) > 0)
        return sf_frame_level(f, col, (int64_t)cell);
    snprintf(number, 40, "%.15g", cell);
    return number;
}

typedef struct bars {
    sfi_dictionary levels;
    size_t room;
    double (*share)[2]; /* [room]: in real, in synthetic */
} bars;

static sf_status count_levels(pictures *p, bars *b, int table,
                              const sf_frame *f, int64_t col)
{
    char number[40];
    int64_t present = 0;
    for (int64_t i = 0; i < rows_of(f); i++) {
        const char *level = level_of(f, row_of(f, i), col, number);
        int64_t at = 0;
        if (level == NULL)
            continue;
        SFI_TRY(sfi_dictionary_number(p->ctx, &b->levels, level, &at));
        if ((size_t)at >= b->room) {
            const size_t before = b->room;
            void *grown = sfi_grow(p->ctx, b->share, &b->room, (size_t)at + 1,
                                   sizeof *b->share);
            if (grown == NULL)
                return SF_E_NOMEM;
            b->share = grown;
            memset(b->share + before, 0, (b->room - before) * sizeof *b->share);
        }
        b->share[at][table] += 1.0;
        present++;
    }
    for (size_t l = 0; l < b->room && present > 0; l++)
        b->share[l][table] /= (double)present;
    return SF_OK;
}

/* The commonest levels, and the others as one. */
static sf_status plot_levels(pictures *p, const bars *b, int64_t col)
{
    static const char *const series[] = {"real", "synthetic"};
    const int64_t levels = (int64_t)b->levels.count;
    const int64_t shown = levels <= MOST_BARS ? levels : MOST_BARS;
    const char *names[MOST_BARS];
    double share[MOST_BARS][2] = {{0.0}};
    bool *used = sfi_alloc_zero(p->ctx, (size_t)levels, sizeof *used);
    if (used == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < shown; k++) {
        int64_t best = -1;
        const bool rest = k + 1 == shown && shown < levels;
        names[k] = "(others)";
        for (int64_t l = 0; l < levels; l++) {
            if (used[l])
                continue;
            if (rest) {
                share[k][0] += b->share[l][0];
                share[k][1] += b->share[l][1];
            } else if (best < 0 || b->share[l][0] + b->share[l][1] >
                                       b->share[best][0] + b->share[best][1]) {
                best = l;
            }
        }
        if (rest)
            break;
        used[best] = true;
        names[k] = b->levels.texts[best];
        memcpy(share[k], b->share[best], sizeof share[k]);
    }
    sfi_free(p->ctx, used, (size_t)levels, sizeof *used);
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.width = 380;
    o.height = 260;
    o.x_label = cli_data_name(&p->j->synthetic, col);
    o.y_label = "proportion";
    return sf_plot_bars(p->ctx, p->path, (sf_cmat){&share[0][0], shown, 2, 2},
                        names, series, &o);
}

static sf_status draw_levels(pictures *p, int64_t col)
{
    bars b = {{0}, 0, NULL};
    sf_status status = count_levels(p, &b, 0, p->j->real.some, col);
    if (status == SF_OK)
        status = count_levels(p, &b, 1, p->j->synthetic.some, col);
    if (status == SF_OK)
        status = plot_levels(p, &b, col);
    sfi_free(p->ctx, b.share, b.room, sizeof *b.share);
    sfi_dictionary_free(p->ctx, &b.levels);
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
