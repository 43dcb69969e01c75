/* SPDX-License-Identifier: Apache-2.0 */
/* plot.h - the parts of the command `plot`: what was given, and the numbers
 * that a picture of it needs. */
#ifndef SFI_CLI_PLOT_H
#define SFI_CLI_PLOT_H

#include "cli/levels.h"
#include "cli/typed_density.h"

#include "field/calendar.h"
#include "scorefield/plot.h"

typedef struct plot_options {
    const char *output, *range, *title, *trace, *var, *select, *contours;
    const char *contours_of, *vector, *over, *grid;
    cli_density density; /* its columns are those of tables, too            */
    double width, height, scale, time, centre;
    int64_t rows;
    int colours;
    bool chains, streamlines;
    bool latent;         /* a picture of a model's latent variables         */
    const char *between; /* rows whose geodesic is drawn in it              */
    const char *pixels;  /* its rows as pictures                            */
    cli_read read; /* of the first table                                   */
} plot_options;

enum { PLOT_MOST_TICKS = 24, PLOT_TICK = 32 };

/* Marks of an axis of dates. */
typedef struct plot_dates {
    double at[PLOT_MOST_TICKS];
    char text[PLOT_MOST_TICKS][PLOT_TICK];
    const char *labels[PLOT_MOST_TICKS];
    sf_plot_ticks ticks; /* none of other axes                               */
} plot_dates;

/* What a picture shows of a column. */
typedef struct plot_column {
    bool is_category; /* then `levels` are shown                            */
    bool is_whole;    /* what a model draws is rounded                      */
    cli_levels levels;
    sf_support turn;  /* of a circle: its period is above 0                 */
    double date_unit; /* of dates: seconds of 1; else 0                     */
    plot_dates dates;
} plot_column;

/* Levels of a category that are shown of more than two columns. */
enum { PLOT_LEVELS = 12 };

typedef struct plot_job plot_job;

struct plot_job {
    cli *c;
    const plot_options *o;
    sf_model *model;        /* or NULL                                      */
    cli_data data, samples; /* tables in the order given; no rows if none   */
    sf_table drawn; /* rows that were drawn from the model                  */
    sf_cmat reach;  /* rows that say where the model is, if no table does   */
    sf_array trace;
    int64_t dim;          /* of the picture                                  */
    const char **names;   /* [dim]                                           */
    plot_column *columns; /* [dim], or NULL where cells are numbers         */
    double lo[2], hi[2];  /* what of the first two columns is shown          */
    bool has_range[2];    /* it was asked for                                */
    double *values;       /* [grid^dim] log density                          */
    double *arrows;       /* [ARROWS^2, 4]                                   */
    int64_t grid;         /* points of an axis                               */
};

enum { PLOT_ARROWS = 18 };

/* ---- columns (plot_columns.c) ---------------------------------------------------- */

/* Choose the columns: the model's, else the first table's; and put the cells of
 * tables that are shown of them into j->data.x and j->samples.x. */
sf_status plot_choose_columns(plot_job *j);
void plot_free_columns(plot_job *j);

/* Whether a column is a category. */
bool plot_has_categories(const plot_job *j);

/* The same for j->drawn. */
sf_status plot_show_drawn(plot_job *j);

/* What the picture is told of a column, for which its numbers are known. */
sf_status plot_describe_column(plot_job *j, int64_t k, sf_plot_column *out);

/* Seconds of 1 in a column of dates of this unit, "d" or "s". */
double plot_date_unit(const char *unit);

/* Round dates between two numbers of a clock, up to nine; out->ticks points into
 * *out (plot_axes.c). */
void plot_mark_dates(const sfi_clock_unit *clock, double lo, double hi,
                     plot_dates *out);

/* ---- what a picture asks of a model (plot_model.c) ------------------------------ */

/* Whether its density can be drawn as a curve or a map: of one or two columns that
 * may be any two numbers. */
bool plot_has_map(const plot_job *j);

/* ln p [n] at x [n, dim], -inf where there is nothing; the score [n, dim], NaN
 * there. */
sf_status plot_logpdf(plot_job *j, sf_cmat x, double *out);
sf_status plot_score(plot_job *j, sf_cmat x, sf_mat out);

/* Rows of a model for j->samples where nothing else shows it, or its density cannot
 * be drawn. */
sf_status plot_draw_samples(plot_job *j);

/* Rows of a model for j->reach. */
sf_status plot_find_reach(plot_job *j);

/* ---- numbers (plot_density.c) --------------------------------------------------- */

/* The interval of column k (0 or 1) that is shown: as asked for, or so that data
 * and samples are in it, or where rows of the model are. */
sf_status plot_choose_range(plot_job *j, int k);

/* Log density of the model at j->grid points of the first column, or on a grid
 * over the first two; *has_density if it has one. */
sf_status plot_density_line(plot_job *j, bool *has_density);
sf_status plot_density_plane(plot_job *j, bool *has_density);

/* Its score at PLOT_ARROWS x PLOT_ARROWS points. */
sf_status plot_score_plane(plot_job *j);

/* Log density of two columns as a smoothed histogram of the data, for a picture
 * without a model. */
sf_status plot_smooth_data(plot_job *j);

/* What plot_density_plane() and plot_score_plane() found, for a picture. */
sf_plot_grid plot_plane_grid(const plot_job *j);
sf_cmat plot_plane_arrows(const plot_job *j);

/* ---- pictures (plot_trace.c) ---------------------------------------------------- */

/* Read --trace, of rank 3. */
sf_status plot_read_trace(plot_job *j);

/* Paths or a film of it. */
sf_status plot_draw_trace(plot_job *j);
bool plot_is_film(const char *path);

/* Fields of NetCDF files, the operands, as a map (plot_map.c). */
sf_status plot_draw_map(cli *c, const plot_options *o);

/* A table's chains over their draws (plot_chains.c), or those of --trace. */
sf_status plot_draw_chains(plot_job *j);

/* The latent variables of a model (plot_latent.c): what their lines become among the rows,
 * or with --pixels what they decode to. */
sf_status plot_draw_latent(plot_job *j);

#endif
