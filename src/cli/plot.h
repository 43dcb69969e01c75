/* SPDX-License-Identifier: Apache-2.0 */
/* plot.h - the parts of the command `plot`: what was given, and the numbers
 * that a picture of it needs. */
#ifndef SFI_CLI_PLOT_H
#define SFI_CLI_PLOT_H

#include "cli/cli.h"
#include "scorefield/plot.h"

typedef struct plot_options {
    const char *output, *columns, *range, *title, *trace;
    double width, height, scale, time;
    int64_t grid, rows;
} plot_options;

typedef struct plot_job {
    cli *c;
    const plot_options *o;
    sf_model *model; /* or NULL                                             */
    cli_data data, samples; /* tables in the order given; no rows if none   */
    sf_table drawn; /* samples that were drawn from the model              */
    sf_array trace;
    int64_t dim;         /* of the picture                                  */
    const char **names;  /* [dim]                                           */
    double lo[2], hi[2]; /* what of the first two columns is shown          */
    bool has_range[2];   /* it was asked for                                */
    double *values;      /* [grid^dim] log density                          */
    double *arrows;      /* [ARROWS^2, 4]                                   */
    int64_t grid;        /* points of an axis                               */
} plot_job;

enum { PLOT_ARROWS = 18 };

/* The interval of column k (0 or 1) that is shown: as asked for, or so that data
 * and samples are in it. */
sf_status plot_choose_range(plot_job *j, int k);

/* Log density of the model at j->grid points of the first column. */
sf_status plot_density_line(plot_job *j);

/* The same on a grid over the first two columns; and its score at
 * PLOT_ARROWS x PLOT_ARROWS points. */
sf_status plot_density_plane(plot_job *j);
sf_status plot_score_plane(plot_job *j);

/* Log density of two columns as a smoothed histogram of the data, for a picture
 * without a model. */
sf_status plot_smooth_data(plot_job *j);

#endif
