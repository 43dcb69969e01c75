/* SPDX-License-Identifier: Apache-2.0 */
/* plot.c - scorefield plot: a picture of what the files hold.
 *
 *     a training curve            losses against steps
 *     a trace                     paths of walkers, or a film of them
 *     draws of chains             each column over the draw
 *     one column                  histogram, and the model's density; bars
 *     two columns                 density with contours, score, points; boxes, tiles
 *     more                        all pairs, real and synthetic
 *     a file of fields            a map
 *
 * The columns of a model lead; without one, those of the
 * first table. */
#include "cli/plot.h"

#include "scorefield/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of a picture of all pairs. */
enum { MOST_PAIRED = 12 };

#define OPTION(...) CLI_OPTION(plot_options, __VA_ARGS__)
#define SHOWN(...)  CLI_SHOWN(plot_options, __VA_ARGS__)

static const cli_option options[] = {
    OPTION(CLI_TEXT, 'o', "output", "PICTURE", output, NULL, NULL,
           ".png, .svg, .pdf; .gif, .webp for films"),
    CLI_DENSITY_OPTIONS(plot_options, density, "all of numbers",
                        "Show these columns; or EXPR's"),
    SHOWN(CLI_TEXT, "range", "A:B[,C:D]", range, "of the data", NULL,
          "Of the first two columns; of colours"),
    OPTION(CLI_NUMBER, 0, "time", "T", time, "0", "[0, 1]",
           "Noise time of the model"),
    OPTION(CLI_TEXT, 0, "trace", "FILE", trace, NULL, NULL,
           "Paths, as `sample --trace` writes them"),
    OPTION(CLI_TEXT, 0, "var", "NAME", var, NULL, NULL,
           "Of a file of fields (.nc), this variable"),
    OPTION(CLI_TEXT, 0, "select", "'A=V; ...'", select, NULL, NULL,
           "Points of its axes: 'lev=500; lon=-30:60'"),
    {.kind = CLI_CHOICE,
     .name = "colours",
     .argument = "C",
     .offset = offsetof(plot_options, colours),
     .initial = "auto",
     .choices = "auto|sequential|diverging|cyclic|light",
     .help = "sequential, diverging, cyclic or light"},
    OPTION(CLI_TEXT, 0, "contours", "LEVELS", contours, NULL, NULL,
           "A:B:STEP; A,B,C; or auto"),
    OPTION(CLI_TEXT, 0, "vector", "U,V", vector, NULL, NULL,
           "Arrows of these variables; --streamlines"),
    OPTION(CLI_TEXT, 0, "over", "AXIS", over, NULL, NULL,
           "A panel for each of its points, or a frame"),
    {.kind = CLI_FLAG,
     .name = "streamlines",
     .offset = offsetof(plot_options, streamlines),
     .rare = true},
    {.kind = CLI_TEXT,
     .name = "contours-of",
     .argument = "NAME",
     .offset = offsetof(plot_options, contours_of),
     .rare = true},
    {.kind = CLI_NUMBER,
     .name = "centre",
     .argument = "X",
     .offset = offsetof(plot_options, centre),
     .initial = "0",
     .rare = true},
    OPTION(CLI_FLAG, 0, "chains", NULL, chains, NULL, NULL,
           "Draws of each chain over their number"),
    {.kind = CLI_FLAG,
     .name = "latent",
     .offset = offsetof(plot_options, latent),
     .rare = true},
    {.kind = CLI_TEXT,
     .name = "between",
     .argument = "I,J",
     .offset = offsetof(plot_options, between),
     .rare = true},
    {.kind = CLI_TEXT,
     .name = "pixels",
     .argument = "WxH",
     .offset = offsetof(plot_options, pixels),
     .rare = true},
    {.kind = CLI_TEXT,
     .name = "grid",
     .argument = "K",
     .offset = offsetof(plot_options, grid),
     .rare = true},
    OPTION(CLI_WHOLE, 'n', "rows", "N", rows, "1000", "[2, 1e7]",
           "Rows drawn from a model without a table"),
    {.kind = CLI_TEXT,
     .name = "title",
     .argument = "TEXT",
     .offset = offsetof(plot_options, title),
     .rare = true},
    {.kind = CLI_NUMBER,
     .name = "width",
     .argument = "W",
     .offset = offsetof(plot_options, width),
     .range = "(0, 20000]",
     .rare = true},
    {.kind = CLI_NUMBER,
     .name = "height",
     .argument = "H",
     .offset = offsetof(plot_options, height),
     .range = "(0, 20000]",
     .rare = true},
    {.kind = CLI_NUMBER,
     .name = "scale",
     .argument = "S",
     .offset = offsetof(plot_options, scale),
     .initial = "2",
     .range = "[0.1, 20]",
     .rare = true},
    CLI_READ_OPTIONS(plot_options, read),
    {0}};

/* ---- options -------------------------------------------------------------- */

static sf_status parse_range(plot_job *j)
{
    const char *text = j->o->range;
    for (int k = 0; k < 2 && text != NULL; k++) {
        char *end = NULL;
        j->lo[k] = strtod(text, &end);
        const bool has_lo = end > text && *end == ':';
        text = end + has_lo;
        j->hi[k] = has_lo ? strtod(text, &end) : NAN;
        if (!has_lo || end == text || (*end != ',' && *end != '\0') ||
            !(j->lo[k] < j->hi[k]) || !isfinite(j->lo[k]) ||
            !isfinite(j->hi[k]) || (k == 1 && *end != '\0'))
            return SFI_FAIL(j->c->ctx, SF_E_ARG,
                            "--range is \"%s\", want A:B or A:B,C:D with A < B "
                            "and C < D",
                            j->o->range);
        j->has_range[k] = true;
        text = *end == ',' ? end + 1 : NULL;
    }
    return SF_OK;
}

static sf_status check_about(const plot_job *j)
{
    static const char *const texts[] = {"dim", "domain", "param"};
    static const char *const of_latent[] = {"between", "pixels"};
    const cli *c = j->c;
    for (size_t i = 0; i < SFI_COUNT(texts); i++)
        if (j->o->density.text == NULL && cli_given(c, texts[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s applies only to --density",
                            texts[i]);
    for (size_t i = 0; i < SFI_COUNT(of_latent) && !j->o->latent; i++)
        if (cli_given(c, of_latent[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s applies only to --latent",
                            of_latent[i]);
    return SF_OK;
}

/* Whether a file holds fields: NetCDF, or an array whose grid is given. */
static bool holds_fields(const plot_options *o, const char *path)
{
    return cli_holds_fields(path) ||
           (cli_has_extension(path, ".npy") && o->grid != NULL &&
            strchr(o->grid, '=') != NULL);
}

static bool any_fields(const plot_job *j)
{
    for (int i = 0; i < j->c->operand_count; i++)
        if (holds_fields(j->o, j->c->operands[i]))
            return true;
    return false;
}

/* Points of an axis of a density. */
static sf_status parse_grid(plot_job *j)
{
    char *end = NULL;
    if (j->o->grid == NULL)
        return SF_OK;
    j->grid = strtoll(j->o->grid, &end, 10);
    if (*end != '\0' || j->grid < 8 || j->grid > 1025)
        return SFI_FAIL(
            j->c->ctx, SF_E_ARG,
            "--grid is \"%s\", want 8 to 1025 points of an axis of a "
            "density; axes, as 'x=0:1:64; y=0:1:64', apply only to "
            ".npy files of fields",
            j->o->grid);
    return SF_OK;
}

static sf_status check_options(plot_job *j)
{
    const plot_options *o = j->o;
    SFI_TRY(cli_need_pictures(j->c->ctx));
    SFI_TRY(check_about(j));
    const cli_file files[] = {
        {.option = "-o",
         .path = o->output,
         .is_output = true,
         .is_binary = true,
         .endings = ".png|.svg|.pdf|.gif|.webp",
         .want = ".png, .svg or .pdf, or .gif or .webp for films"},
        {.option = "--trace", .path = o->trace}};
    SFI_TRY(cli_check_files(j->c, files, (int)SFI_COUNT(files)));
    if (plot_is_film(o->output) && o->trace == NULL && !any_fields(j))
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "%s: films are made of paths and of fields; want "
                        "--trace FILE, or a file of fields (.nc)",
                        o->output);
    if (o->trace == NULL && o->density.text == NULL && j->c->operand_count == 0)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "want a model, a table, --density EXPR or --trace FILE "
                        "to draw");
    if (o->chains && plot_is_film(o->output))
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "%s: --chains gives a picture, want .png, .svg or .pdf",
                        o->output);
    return SF_OK;
}

/* ---- what is given -------------------------------------------------------- */

/* At most one model or density and two tables, in any order. */
static sf_status read_files(plot_job *j)
{
    cli *c = j->c;
    cli_data *tables[] = {&j->data, &j->samples};
    size_t count = 0;
    for (int i = 0; i < c->operand_count; i++) {
        const char *path = c->operands[i];
        if (cli_has_extension(path, ".safetensors")) {
            if (j->o->density.text != NULL)
                return SFI_FAIL(c->ctx, SF_E_ARG,
                                "%s: a model, and --density EXPR; want one of "
                                "them",
                                path);
            if (j->model != NULL)
                return SFI_FAIL(c->ctx, SF_E_ARG,
                                "%s: a second model; want at most one", path);
            SFI_TRY(sf_model_load(c->ctx, &j->model, path));
            continue;
        }
        if (count == SFI_COUNT(tables))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "%s: a third table; want at most two", path);
        SFI_TRY(cli_data_read(c, tables[count], path,
                              count == 0 ? &j->o->read : NULL));
        count++;
    }
    return SF_OK;
}

static bool is_curve(const cli_data *d)
{
    static const char *const names[] = {"step", "train", "held_out"};
    if (d->all == NULL || sf_frame_cols(d->all) != 3)
        return false;
    for (int k = 0; k < 3; k++)
        if (strcmp(sf_frame_name(d->all, k), names[k]) != 0)
            return false;
    return true;
}

/* ---- pictures ------------------------------------------------------------- */

static sf_status draw_curve(plot_job *j)
{
    sf_cmat t;
    SFI_TRY(sf_frame_matrix(j->c->ctx, j->data.all, &t));
    sf_plot_training_options p = SF_PLOT_TRAINING_OPTIONS_INIT;
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    /* Columns 0 and 1, then 0 and 2: the middle one is given the steps. */
    double *held = sfi_alloc(j->c->ctx, (size_t)t.rows * 2, sizeof *held);
    if (held == NULL)
        return SF_E_NOMEM;
    int64_t n = 0;
    for (int64_t i = 0; i < t.rows; i++) {
        const double *row = t.data + i * t.stride;
        held[2 * n] = row[0];
        held[2 * n + 1] = row[2];
        n += !isnan(row[2]);
    }
    const sf_status status = sf_plot_training(
        j->c->ctx, j->o->output, (sf_cmat){t.data, t.rows, 2, t.stride},
        (sf_cmat){held, n, 2, 2}, &p);
    sfi_free(j->c->ctx, held, (size_t)t.rows * 2, sizeof *held);
    return status;
}

/* What the rows of a table are called: chains have draws. */
static const char *rows_label(const cli_data *d, const char *otherwise)
{
    return d->all != NULL && sf_frame_cols(d->all) > 2 &&
                   strcmp(sf_frame_name(d->all, 0), "chain") == 0 &&
                   strcmp(sf_frame_name(d->all, 1), "draw") == 0
               ? "draws"
               : otherwise;
}

static sf_status draw_line(plot_job *j)
{
    bool has_density = false;
    sf_plot_histogram_options p = SF_PLOT_HISTOGRAM_OPTIONS_INIT;
    SFI_TRY(plot_choose_range(j, 0));
    SFI_TRY(plot_density_line(j, &has_density));
    double *curve = sfi_alloc(j->c->ctx, (size_t)j->grid * 2, sizeof *curve);
    if (curve == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < j->grid && has_density; i++) {
        curve[2 * i] = j->lo[0] + (j->hi[0] - j->lo[0]) * (double)i /
                                      (double)(j->grid - 1);
        /* Outside the domain there is no curve. */
        curve[2 * i + 1] = j->values[i] > -INFINITY ? exp(j->values[i]) : NAN;
    }
    const sf_plot_curve curves[] = {{"model", {curve, j->grid, 2, 2}, -1, 0}};
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    p.x_label = j->names[0];
    p.x_from = j->lo[0];
    p.x_to = j->hi[0];
    p.curves = curves;
    p.curve_count = has_density ? 1 : 0;
    const bool has_data = j->data.x.rows > 0;
    sf_plot_column column;
    SFI_TRY(plot_describe_column(j, 0, &column));
    p.x_ticks = column.ticks;
    p.data_label = has_data ? rows_label(&j->data, NULL) : "samples";
    p.samples_label = rows_label(&j->samples, NULL);
    if (has_data)
        p.samples = j->samples.x;
    const sf_status status = sf_plot_histogram(
        j->c->ctx, j->o->output, has_data ? j->data.x : j->samples.x, &p);
    sfi_free(j->c->ctx, curve, (size_t)j->grid * 2, sizeof *curve);
    return status;
}

/* How many rows of a table are in each place of the only column, the last one for the
 * missing cells. */
static void count_places(sf_cmat x, double *counts, int64_t places, int table)
{
    for (int64_t i = 0; i < x.rows; i++) {
        const double cell = x.data[i * x.stride];
        counts[2 * (isnan(cell) ? places : (int64_t)cell) + table] += 1.0;
    }
}

/* Bars of a category: rows of one table, proportions of two. */
static sf_status draw_levels(plot_job *j)
{
    const cli_levels *levels = &j->columns[0].levels;
    const sf_cmat table[2] = {j->data.x, j->samples.x};
    const char *names[CLI_LEVELS_SHOWN + 1], *series[2] = {NULL, NULL};
    double counts[CLI_LEVELS_SHOWN + 1][2] = {{0.0}};
    int shown[2], tables = 0;
    for (int t = 0; t < 2; t++)
        if (table[t].rows > 0) {
            count_places(table[t], &counts[0][0], levels->count, tables);
            series[tables] = rows_label(t == 0 ? &j->data : &j->samples,
                                        t == 0 ? "data" : "samples");
            shown[tables++] = t;
        }
    for (int64_t k = 0; k < levels->count; k++)
        names[k] = levels->names[k];
    names[levels->count] = "(missing)";
    const double *missing = counts[levels->count];
    const int64_t groups =
        levels->count + (missing[0] + missing[1] > 0.0 ? 1 : 0);
    for (int64_t k = 0; k < groups && tables > 1; k++)
        for (int t = 0; t < tables; t++)
            counts[k][t] /= (double)table[shown[t]].rows;
    sf_plot_curves_options p = SF_PLOT_CURVES_OPTIONS_INIT;
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    p.x_label = j->names[0];
    p.y_label = tables > 1 ? "proportion" : "rows";
    return sf_plot_bars(j->c->ctx, j->o->output,
                        (sf_cmat){&counts[0][0], groups, tables, 2}, names,
                        tables > 1 ? series : NULL, &p);
}

/* Two columns of which one at least is a category. */
static sf_status draw_two_kinds(plot_job *j)
{
    sf_plot_plane_options p = SF_PLOT_PLANE_OPTIONS_INIT;
    sf_plot_column columns[2];
    for (int k = 0; k < 2; k++)
        SFI_TRY(plot_describe_column(j, k, &columns[k]));
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    p.x_label = j->names[0];
    p.y_label = j->names[1];
    p.columns = columns;
    p.data_label = rows_label(&j->data, NULL);
    p.samples_label = rows_label(&j->samples, NULL);
    p.samples = j->samples.x;
    return sf_plot_plane(j->c->ctx, j->o->output, j->data.x, &p);
}

static sf_status draw_plane(plot_job *j)
{
    bool has_density = false;
    sf_plot_plane_options p = SF_PLOT_PLANE_OPTIONS_INIT;
    SFI_TRY(plot_choose_range(j, 0));
    SFI_TRY(plot_choose_range(j, 1));
    SFI_TRY(plot_density_plane(j, &has_density));
    if (j->model == NULL)
        SFI_TRY(plot_smooth_data(j));
    else if (sf_model_can(j->model, SF_CAN_SCORE) &&
             sf_model_unknowns(j->model) == 2)
        SFI_TRY(plot_score_plane(j));
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    p.x_label = j->names[0];
    p.y_label = j->names[1];
    p.grid = plot_plane_grid(j);
    sf_plot_column columns[2];
    for (int k = 0; k < 2; k++)
        SFI_TRY(plot_describe_column(j, k, &columns[k]));
    p.columns = columns;
    if (j->model == NULL) {
        p.bar_label = "log density, smoothed";
        p.mass_count = -1;
    } else if (!has_density) {
        p.grid.values = NULL;
    }
    p.arrows = plot_plane_arrows(j);
    p.data_label = rows_label(&j->data, NULL);
    p.samples_label = rows_label(&j->samples, NULL);
    /* Without a table, what was drawn stands where data would. */
    p.samples = j->samples.x;
    const sf_cmat none = {NULL, 0, 0, 0};
    return sf_plot_plane(j->c->ctx, j->o->output,
                         j->data.x.rows > 0 ? j->data.x : none, &p);
}

static sf_status draw_pairs(plot_job *j)
{
    sf_plot_pairs_options p = SF_PLOT_PAIRS_OPTIONS_INIT;
    const int64_t drawn = j->dim < MOST_PAIRED ? j->dim : MOST_PAIRED;
    if (drawn < j->dim)
        cli_note(j->c,
                 "the first %lld of %lld columns are drawn; --columns chooses "
                 "others%s",
                 (long long)drawn, (long long)j->dim,
                 j->model != NULL ? ", of tables" : "");
    sf_plot_column *columns =
        sfi_alloc_zero(j->c->ctx, (size_t)drawn, sizeof *columns);
    if (columns == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    for (int64_t k = 0; k < drawn && status == SF_OK; k++)
        status = plot_describe_column(j, k, &columns[k]);
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    p.columns = columns;
    sf_cmat data = j->data.x, samples = j->samples.x;
    data.cols = samples.cols = drawn;
    const bool has_data = data.rows > 0;
    const sf_cmat none = {NULL, 0, 0, 0};
    if (!has_data || samples.rows == 0)
        p.real_label = rows_label(has_data ? &j->data : &j->samples,
                                  has_data ? "data" : "samples");
    if (status == SF_OK)
        status =
            sf_plot_pairs(j->c->ctx, j->o->output, has_data ? data : samples,
                          has_data ? samples : none, &p);
    sfi_free(j->c->ctx, columns, (size_t)drawn, sizeof *columns);
    return status;
}

/* ---- the command ---------------------------------------------------------- */

/* Whether the operands are files of fields; then all of them are. */
static sf_status find_fields(const plot_job *j, bool *are_fields)
{
    static const char *const own[] = {"var",    "select",      "colours",
                                      "centre", "contours",    "contours-of",
                                      "vector", "streamlines", "over"};
    const cli *c = j->c;
    const char *path = NULL;
    int count = 0;
    for (int i = 0; i < c->operand_count; i++)
        if (holds_fields(j->o, c->operands[i])) {
            path = c->operands[i];
            count++;
        }
    *are_fields = count > 0;
    if (count > 0 && (c->operand_count > count || j->o->density.text != NULL ||
                      j->o->trace != NULL))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "%s: fields are drawn alone, without models, tables or "
                        "densities",
                        path);
    for (size_t i = 0; i < SFI_COUNT(own) && count == 0; i++)
        if (cli_given(c, own[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to files of fields (.nc)",
                            own[i]);
    return SF_OK;
}

/* Levels are shown all. */
static sf_status refuse_range(const plot_job *j)
{
    return !j->has_range[0]
               ? SF_OK
               : SFI_FAIL(j->c->ctx, SF_E_ARG,
                          "--range applies only to columns of numbers, and "
                          "one is a category");
}

static sf_status plot(plot_job *j)
{
    bool are_fields = false;
    SFI_TRY(check_options(j));
    SFI_TRY(find_fields(j, &are_fields));
    if (are_fields)
        return plot_draw_map(j->c, j->o);
    SFI_TRY(parse_range(j));
    SFI_TRY(read_files(j));
    if (j->o->density.text != NULL)
        SFI_TRY(cli_open_model(j->c, &j->o->density, &j->model, NULL));
    if (j->model != NULL && j->o->time > 0.0 &&
        !sf_model_can(j->model, SF_CAN_NOISE))
        return SFI_FAIL(j->c->ctx, SF_E_ARG, "--time: the model %s",
                        sf_model_why_not(j->model, SF_CAN_NOISE));
    /* An integral for each point has its price. */
    const bool slow =
        j->model != NULL && !sf_model_can(j->model, SF_CAN_LOGPDF_CLOSED);
    j->grid = slow ? 49 : 129;
    SFI_TRY(parse_grid(j));
    if (j->o->chains)
        return plot_draw_chains(j);
    if (j->o->trace != NULL)
        return plot_draw_trace(j);
    if (j->model == NULL && j->samples.rows == 0 && is_curve(&j->data))
        return draw_curve(j);
    SFI_TRY(plot_choose_columns(j));
    if (j->o->latent)
        return plot_draw_latent(j);
    SFI_TRY(plot_draw_samples(j));
    if (j->dim > 2)
        return draw_pairs(j);
    if (plot_has_categories(j)) {
        SFI_TRY(refuse_range(j));
        return j->dim == 1 ? draw_levels(j) : draw_two_kinds(j);
    }
    return j->dim == 1 ? draw_line(j) : draw_plane(j);
}

static sf_status run(cli *c, const void *values)
{
    plot_job j = {.c = c, .o = values};
    cli_catch_signals();
    const sf_status status = plot(&j);
    const size_t cells = (size_t)(j.grid * j.grid);
    sfi_free(c->ctx, j.values, cells, sizeof *j.values);
    sfi_free(c->ctx, j.arrows, (size_t)PLOT_ARROWS * PLOT_ARROWS * 4,
             sizeof *j.arrows);
    plot_free_columns(&j);
    sf_array_free(c->ctx, &j.trace);
    sf_table_free(c->ctx, &j.drawn);
    cli_data_free(&j.data);
    cli_data_free(&j.samples);
    sf_model_free(j.model);
    SFI_TRY(status);
    cli_put_text(c, c->report, "picture", j.o->output);
    return c->common.json ? cli_report(c, stderr) : SF_OK;
}

const cli_command cli_plot = {
    .name = "plot",
    .summary = "Draw data, samples, densities, scores, curves, paths and maps",
    .usage = "[OPTIONS] FILE... -o PICTURE",
    .operands =
        "  FILE...                  A model or density, a table (data), a "
        "second one\n"
        "                           (samples), the curve of `fit --curve`, "
        "fields "
        "(.nc)\n",
    .least = 0,
    .most = 3,
    .size = sizeof(plot_options),
    .options = options,
    .notes =
        "One column gives a histogram or bars, two a map with the score, boxes "
        "or tiles,\nmore all pairs; a model of more than two columns is shown "
        "by its samples.\nA typed density is made one over what is shown; "
        "tables give points on top.\n",
    .example = "  scorefield plot faithful.safetensors data/faithful.csv "
               "-o density.png\n"
               "  scorefield plot --density '-x^4 - (x - y)^2' -o typed.png\n",
    .run = run};
