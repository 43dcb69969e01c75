/* SPDX-License-Identifier: Apache-2.0 */
/* plot.h - pictures: from plain numbers to PNG, SVG, PDF, GIF or WebP.
 *
 * Nothing here knows a model.  What is to be drawn has been computed before:
 * points are rows of a matrix, a density is its logarithm on a grid, a score is
 * a table of positions and arrows.
 *
 * Files.   The extension of `path` chooses the format: .png, .svg or .pdf for
 *          pictures, .gif or .webp for animations.  The file appears under its
 *          name only when it is complete.  The same input always gives the same
 *          bytes (with the same versions of Cairo, its fonts and codecs).
 * Sizes.   Lengths are points: 1/72 inch in SVG and PDF, `scale` pixels in PNG
 *          and animations.  A size of 0 takes the picture's own, which is made
 *          to be read at 100 %.
 * Numbers. Points with a coordinate that is NaN or infinite are left out.  Of
 *          more than `most_points` points, that many are shown, one from each
 *          of as many equal runs of rows; histograms and contours use all.  A
 *          few points far from all others may fall outside the axes; the legend
 *          then says how many.
 * Texts.   UTF-8; what is not is replaced.  A text too long for its place is
 *          set smaller and then loses its middle.  The font is DejaVu Sans.
 *          Of more than 16 entries a legend shows the first 16.
 * Memory.  Everything is freed before a function returns.
 *
 * Every function returns SF_OK, or
 *   SF_E_ARG       the extension is unknown, or an option is out of its range
 *   SF_E_SHAPE     a matrix or grid is malformed or has too few columns
 *   SF_E_NOMEM     out of memory
 *   SF_E_IO        the file can not be written; nothing is left behind
 *   SF_E_INTERNAL  Cairo or a codec failed
 *
 * Matrices are sf_cmat; one with rows == 0 means "none".  In the options a
 * value in brackets is the default, which 0 or NULL stands for. */
#ifndef SCOREFIELD_PLOT_H
#define SCOREFIELD_PLOT_H

#include "scorefield/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A curve through points [n, 2] with columns x and y; NaN breaks it. */
typedef struct sf_plot_curve {
    const char *label; /* in the legend; NULL leaves it out of it */
    sf_cmat points;    /* [n, 2] */
    int colour;        /* 0 to 6 of the palette, or -1: by its place */
    int dash;          /* 0 solid, 1 dashed, 2 dotted */
} sf_plot_curve;

/* Numbers on the nodes of a regular grid: values[j * nx + i] belongs to
 * x = x_first + i (x_last - x_first) / (nx - 1), and likewise y from j. */
typedef struct sf_plot_grid {
    const double *values; /* [ny, nx]; NULL for none */
    int64_t nx;           /* >= 2 */
    int64_t ny;           /* >= 2 */
    double x_first;       /* < x_last */
    double x_last;
    double y_first; /* < y_last */
    double y_last;
} sf_plot_grid;

/* What an axis of numbers is. */
typedef enum sf_plot_scale {
    SF_PLOT_AUTO = 0, /* whichever suits the numbers */
    SF_PLOT_LINEAR,
    SF_PLOT_LOG
} sf_plot_scale;

/* Marks of an axis that are no plain numbers, such as dates. */
typedef struct sf_plot_ticks {
    int count;                 /* up to 24; 0: numbers are marked */
    const double *at;          /* [count], growing */
    const char *const *labels; /* [count] */
} sf_plot_ticks;

/* What is known of a column beside its numbers.  Zeroed: nothing. */
typedef struct sf_plot_column {
    const char *name;          /* with unit; NULL for "c0", "c1", ... */
    const char *const *levels; /* categories: texts of 0, 1, ...; or NULL */
    int64_t level_count;
    sf_plot_ticks ticks; /* of dates and the like [numbers] */
    double lower;        /* what the axis shows: a turn of a circle; */
    double upper;        /* both equal: the numbers there are */
} sf_plot_column;

/* The interval a picture of these columns would show: [lo, hi] with a margin of
 * `margin` times its width to both sides; evaluate densities on it.  `more` may
 * be a second table (samples), which widens it by half at the most.
 *
 *   column  which column of both; lo, hi  out: finite, lo < hi
 *
 * Returns SF_OK, SF_E_ARG (margin), SF_E_SHAPE, SF_E_NOMEM. */
SF_API sf_status sf_plot_range(sf_context *ctx, sf_cmat data, sf_cmat more,
                               int64_t column, double margin, double *lo,
                               double *hi);

/* ---- one column ----------------------------------------------------------
 *
 * A histogram of `data` [n, 1] as an estimated density, with curves (densities
 * of models) and the outline of a histogram of samples over it. */
typedef struct sf_plot_histogram_options {
    size_t size;                 /* set by _INIT */
    double width;                /* points [450] */
    double height;               /* points [350] */
    double scale;                /* pixels per point, 0.1 to 20 [2] */
    const char *title;           /* [none] */
    const char *x_label;         /* name and unit of the column [none] */
    const char *data_label;      /* in the legend ["data"] */
    const char *samples_label;   /* ["samples"] */
    sf_cmat samples;             /* [m, 1] [none] */
    const sf_plot_curve *curves; /* y is a density in 1/unit [none] */
    int64_t curve_count;         /* >= 0 */
    int bins;                    /* up to 150 [Freedman and Diaconis] */
    double x_from;               /* the axis [as by sf_plot_range()] */
    double x_to;                 /* > x_from, or both equal */
    sf_plot_ticks x_ticks;       /* of dates and the like [numbers] */
} sf_plot_histogram_options;

#define SF_PLOT_HISTOGRAM_OPTIONS_INIT                                         \
    {                                                                          \
        .size = sizeof(sf_plot_histogram_options)                              \
    }

/* data [n, 1]; without a finite value the axis shows samples or curves. */
SF_API sf_status sf_plot_histogram(sf_context *ctx, const char *path,
                                   sf_cmat data,
                                   const sf_plot_histogram_options *opts);

/* ---- two columns ---------------------------------------------------------
 *
 * Points in the plane over a map of a log density, with the outlines of its
 * highest-density regions and arrows of its score.
 *
 * A category and a number give, for each level, the points and a box from the first
 * to the third quartile, with lines to the 5 and 95 % quantiles; two categories give
 * tiles with the percentage of the rows that have both levels.  A grid or arrows
 * are refused then (SF_E_ARG). */
typedef enum sf_plot_arrows {
    /* (u, v) is a gradient, in 1/unit of the axes.  It is drawn as the gradient
     * with respect to position on the page, so that arrows cross the contours
     * at right angles whatever the axes' units are. */
    SF_PLOT_GRADIENT = 0,
    /* (u, v) is a displacement or velocity, in units of the axes. */
    SF_PLOT_VELOCITY
} sf_plot_arrows;

typedef enum sf_plot_heat {
    /* Values are a log density; colours follow it. */
    SF_PLOT_HEAT_LOG = 0,
    /* Values are a log density; colours follow the density. */
    SF_PLOT_HEAT_DENSITY,
    /* Any numbers; where they have both signs, white is 0.  No regions. */
    SF_PLOT_HEAT_VALUE,
    /* Values are a log density of which only the regions are drawn. */
    SF_PLOT_HEAT_NONE
} sf_plot_heat;

typedef struct sf_plot_plane_options {
    size_t size;                 /* set by _INIT */
    double width;                /* points [450] */
    double height;               /* points [370] */
    double scale;                /* pixels per point, 0.1 to 20 [2] */
    const char *title;           /* [none] */
    const char *x_label;         /* [none] */
    const char *y_label;         /* [none] */
    const char *data_label;      /* in the legend ["data"] */
    const char *samples_label;   /* ["samples"] */
    const char *bar_label;       /* ["log density" or "density" if so] */
    sf_cmat samples;             /* [m, 2] [none] */
    sf_plot_grid grid;           /* its extent is shown [none] */
    sf_plot_heat heat;           /* [SF_PLOT_HEAT_LOG] */
    double depth;                /* of colours, below the maximum [10] */
    const double *masses;        /* probabilities of the highest-density regions
                                  [0.1 0.3 0.5 0.7 0.9] */
    int mass_count;              /* up to 10; -1: no regions */
    sf_cmat arrows;              /* [k, 4]: x, y, u, v [none] */
    sf_plot_arrows arrow_kind;   /* [SF_PLOT_GRADIENT] */
    int64_t most_points;         /* of data, and of samples [3000] */
    bool equal;                  /* a unit is equally long on both axes */
    const sf_plot_curve *curves; /* over map and points [none] */
    int64_t curve_count;
    const sf_plot_column *columns; /* [2] their levels and ticks; labels are
                                      x_label and y_label [numbers] */
} sf_plot_plane_options;

#define SF_PLOT_PLANE_OPTIONS_INIT                                             \
    {                                                                          \
        .size = sizeof(sf_plot_plane_options)                                  \
    }

/* data [n, 2].  Without a grid the axes show data and samples. */
SF_API sf_status sf_plot_plane(sf_context *ctx, const char *path, sf_cmat data,
                               const sf_plot_plane_options *opts);

/* ---- maps ----------------------------------------------------------------
 *
 * Numbers of the cells of a grid, each cell in one colour; missing ones (NaN) are
 * hatched.  Over them, if wanted, contours with their levels, and vectors as arrows
 * or as evenly spaced streamlines.  Of longitude and latitude, with coastlines (Natural
 * Earth, 1:110 million). */
typedef enum sf_plot_colours {
    SF_PLOT_COLOURS_AUTO = 0, /* diverging where both signs occur, the lesser
                                 with at least 1/20 of the other's size; else
                                 sequential, or light for lengths of vectors */
    SF_PLOT_SEQUENTIAL,       /* dark to light over the range */
    SF_PLOT_DIVERGING,        /* white is the centre, the range symmetric */
    SF_PLOT_CYCLIC,           /* the ends look the same: directions */
    SF_PLOT_LIGHT             /* white to blue over the range */
} sf_plot_colours;

/* Degrees of an axis that are marked as such: "60\u00b0W". */
typedef enum sf_plot_degrees {
    SF_PLOT_NUMBERS = 0, /* no degrees */
    SF_PLOT_EAST,
    SF_PLOT_NORTH
} sf_plot_degrees;

typedef struct sf_plot_map_options {
    size_t size;             /* set by _INIT */
    double width;            /* points [540] */
    double height;           /* points [by the axes] */
    double scale;            /* pixels per point, 0.1 to 20 [2] */
    const char *title;       /* [none] */
    const char *x_label;     /* [none] */
    const char *y_label;     /* [none] */
    const char *bar_label;   /* name and unit [none] */
    sf_plot_colours colours; /* [SF_PLOT_COLOURS_AUTO] */
    double low;             /* range of the colours [that of the values]; the */
    double high;            /* bar tells if values lie beyond; > low, or both
                                0 */
    bool is_geographic;     /* degrees east and north, with coasts; lengths
                                are true in the middle latitude of the map */
    double centre;          /* of SF_PLOT_DIVERGING [0] */
    const double *contours; /* levels, [contour_count] [none] */
    int contour_count;      /* 0 to 100; -1: about ten round ones */
    const double *contoured; /* [ny, nx] whose contours are drawn [values] */
    const double *u;         /* [ny, nx] components of vectors along x, or */
    const double *v;         /* eastward, and along y or northward [none] */
    bool streamlines;        /* in the place of arrows */
    const char *vector_unit; /* of the arrow that shows the scale [none] */
    const double *x;         /* [nx] points in the cells [their middles] */
    const double *y;         /* [ny] */
    sf_plot_ticks x_ticks;
    sf_plot_ticks y_ticks;
    bool y_falls;              /* numbers grow downwards: pressures, depths */
    bool is_equal;             /* a unit is equally long on both axes */
    sf_plot_degrees x_degrees; /* of axes of a section [SF_PLOT_NUMBERS] */
    sf_plot_degrees y_degrees;
    bool y_log;        /* logarithmic; edges are then > 0 */
    int columns;       /* of panels [so that the page is wider than high] */
    double frame_time; /* of a film, in seconds, up to 60 [0.25] */
    bool is_disc;      /* x is an angle in radians, y >= 0 the distance from
                          the centre; u is outwards, v with the angle */
    const double *x_points; /* [ny, nx] where points lie, in the place of the */
    const double *y_points; /* edges; no streamlines [none] */
} sf_plot_map_options;

#define SF_PLOT_MAP_OPTIONS_INIT                                               \
    {                                                                          \
        .size = sizeof(sf_plot_map_options)                                    \
    }

/* values [ny, nx], or NULL with vectors: their lengths; x_edges [nx + 1] and y_edges [ny + 1] finite and strictly
 * monotonic in either direction (SF_E_SHAPE).  nx, ny >= 1, nx ny < 2^31.
 *
 * An arrow has the direction of its vector on a compass, and its length; every n-th
 * row and column has one.  A streamline runs as the flow does on the map.
 *
 * With x_points and y_points, NaN where there is none, edges may be NULL, nx, ny >= 2,
 * and a cell has its corners between the points. */
SF_API sf_status sf_plot_map(sf_context *ctx, const char *path,
                             const double *values, int64_t ny, int64_t nx,
                             const double *y_edges, const double *x_edges,
                             const sf_plot_map_options *opts);

/* What one panel of several shows. */
typedef struct sf_plot_map_frame {
    const char *title;       /* [none] */
    const double *values;    /* [ny, nx]; NULL with vectors: their lengths */
    const double *contoured; /* [ny, nx] [values] */
    const double *u;         /* [ny, nx] [none] */
    const double *v;
} sf_plot_map_frame;

/* Fill in panel k; what it points to stays as it is until the next call. */
typedef sf_status (*sf_plot_map_fn)(void *user, int64_t k,
                                    sf_plot_map_frame *out);

/* Several maps of one grid, with one scale of colours, levels and arrows: panels of
 * one picture, up to 60, or frames of a film (.gif, .webp; its own size is 420 x
 * about 240 points at 1.5 pixels each), up to 2000.
 *
 *   frame  called at least twice for each k from 0 to count - 1, in any order
 *   opts   as of sf_plot_map(), but for contoured, u and v
 *
 * Returns also what `frame` returned; SF_E_ARG (count); SF_E_CANCELLED if the
 * progress callback stops a film. */
SF_API sf_status sf_plot_maps(sf_context *ctx, const char *path, int64_t count,
                              sf_plot_map_fn frame, void *user, int64_t ny,
                              int64_t nx, const double *y_edges,
                              const double *x_edges,
                              const sf_plot_map_options *opts);

/* ---- more columns --------------------------------------------------------
 *
 * All pairs of columns of a real and a synthetic table: histograms on the
 * diagonal, points below it, and above it the outlines of the 50 and 90 %
 * highest-density regions of a smoothed histogram, with both correlation coefficients.
 * Columns of a few integers have points in the place of outlines, spread out a little
 * so that they can be seen.  A category and a number have boxes below the diagonal, as
 * sf_plot_plane() draws them, and points above it; two categories have tiles, those of
 * the synthetic table above, with Cramer's V (of up to 32 levels). */
typedef struct sf_plot_pairs_options {
    size_t size;                   /* set by _INIT */
    double width;                  /* points [auto] */
    double height;                 /* points [auto] */
    double scale;                  /* pixels per point, 0.1 to 20 [2] */
    const char *title;             /* [none] */
    const char *real_label;        /* in the legend ["real"] */
    const char *synthetic_label;   /* ["synthetic"] */
    const sf_plot_column *columns; /* [d] [c0, c1, ...] */
    int64_t most_points;           /* of either table [1500] */
} sf_plot_pairs_options;

#define SF_PLOT_PAIRS_OPTIONS_INIT                                             \
    {                                                                          \
        .size = sizeof(sf_plot_pairs_options)                                  \
    }

/* real [n, d], synthetic [m, d] or none; 1 <= d <= 12 (SF_E_SHAPE beyond). */
SF_API sf_status sf_plot_pairs(sf_context *ctx, const char *path, sf_cmat real,
                               sf_cmat synthetic,
                               const sf_plot_pairs_options *opts);

/* ---- curves --------------------------------------------------------------
 *
 * Losses against steps.  The best step, that of the lowest held-out loss (of
 * the lowest training loss without one), is marked. */
typedef struct sf_plot_training_options {
    size_t size;           /* set by _INIT */
    double width;          /* points [450] */
    double height;         /* points [350] */
    double scale;          /* pixels per point, 0.1 to 20 [2] */
    const char *title;     /* [none] */
    const char *x_label;   /* ["step"] */
    const char *y_label;   /* ["loss"] */
    sf_plot_scale x_scale; /* [SF_PLOT_AUTO] */
    sf_plot_scale y_scale; /* [SF_PLOT_AUTO] */
} sf_plot_training_options;

#define SF_PLOT_TRAINING_OPTIONS_INIT                                          \
    {                                                                          \
        .size = sizeof(sf_plot_training_options)                               \
    }

/* train [n, 2] and held_out [m, 2] or none: columns step, loss.  A long noisy
 * training curve is drawn faintly, with means of it on top. */
SF_API sf_status sf_plot_training(sf_context *ctx, const char *path,
                                  sf_cmat train, sf_cmat held_out,
                                  const sf_plot_training_options *opts);

typedef struct sf_plot_curves_options {
    size_t size;           /* set by _INIT */
    double width;          /* points [450] */
    double height;         /* points [350] */
    double scale;          /* pixels per point, 0.1 to 20 [2] */
    const char *title;     /* [none] */
    const char *x_label;   /* [none] */
    const char *y_label;   /* [none] */
    sf_plot_scale x_scale; /* SF_PLOT_AUTO is linear [SF_PLOT_AUTO] */
    sf_plot_scale y_scale; /* [SF_PLOT_AUTO] */
    bool marks;            /* a dot at every point */
} sf_plot_curves_options;

#define SF_PLOT_CURVES_OPTIONS_INIT                                            \
    {                                                                          \
        .size = sizeof(sf_plot_curves_options)                                 \
    }

/* Any curves.  On a logarithmic axis points that are not positive are left
 * out. */
SF_API sf_status sf_plot_curves(sf_context *ctx, const char *path,
                                const sf_plot_curve *curves,
                                int64_t curve_count,
                                const sf_plot_curves_options *opts);

/* Quantiles of `synthetic` [m, 1] against those of `real` [n, 1], at most 200:
 * points on the diagonal mean equal distributions.  Size 380 x 390; scales and
 * marks are not used.  Both must hold a finite value (SF_E_ARG). */
SF_API sf_status sf_plot_quantiles(sf_context *ctx, const char *path,
                                   sf_cmat real, sf_cmat synthetic,
                                   const sf_plot_curves_options *opts);

/* Groups of bars: values [n, m] are n groups of m bars, `groups` [n] and
 * `series` [m] their names (either may be NULL).  Cells that are not finite
 * have no bar.  1 <= m <= 7, 1 <= n <= 200 (SF_E_SHAPE beyond).  Scales and
 * marks are not used. */
SF_API sf_status sf_plot_bars(sf_context *ctx, const char *path, sf_cmat values,
                              const char *const *groups,
                              const char *const *series,
                              const sf_plot_curves_options *opts);

/* ---- walkers -------------------------------------------------------------
 *
 * The paths of walkers, trace [steps, walkers, dim] of either dtype.  With
 * dim >= 2 the first two columns are drawn as a plane, with dim == 1 the value
 * against the step.  Where two defaults are given, the second is that of an
 * animation. */
typedef struct sf_plot_paths_options {
    size_t size;               /* set by _INIT */
    double width;              /* points [450; 240] */
    double height;             /* points [370; 240] */
    double scale;              /* pixels per point, 0.1 to 20 [2] */
    const char *title;         /* [none] */
    const char *x_label;       /* [none; "step"] */
    const char *y_label;       /* [none] */
    sf_plot_grid grid;         /* log density drawn below [none] */
    double depth;              /* as in sf_plot_plane_options [10] */
    sf_cmat arrows;            /* [k, 4]: x, y, u, v [none] */
    sf_plot_arrows arrow_kind; /* [SF_PLOT_GRADIENT] */
    int64_t most_walkers;      /* shown [60; 400] */
    int frames;                /* of an animation, 2 to 1000 [60] */
    double frame_time;         /* seconds, 0.02 to 10 [0.08] */
    int tail;                  /* frames it lasts; -1: none [8] */
    bool equal;                /* a unit is equally long on both axes */
} sf_plot_paths_options;

#define SF_PLOT_PATHS_OPTIONS_INIT                                             \
    {                                                                          \
        .size = sizeof(sf_plot_paths_options)                                  \
    }

/* All paths in one picture, starts and ends marked. */
SF_API sf_status sf_plot_paths(sf_context *ctx, const char *path,
                               const sf_array *trace,
                               const sf_plot_paths_options *opts);

/* The walkers in motion, .gif or .webp, repeating for ever; dim >= 2, at least
 * one step and one walker (SF_E_SHAPE).  A trace of fewer steps than frames
 * gives fewer frames.  Progress is reported once a frame; SF_E_CANCELLED if the
 * callback stops it. */
SF_API sf_status sf_plot_animation(sf_context *ctx, const char *path,
                                   const sf_array *trace,
                                   const sf_plot_paths_options *opts);

/* ---- chains --------------------------------------------------------------
 *
 * Trace plots of Markov chains: the draws, trace [draws, chains, dim] of either
 * dtype, NaN where there is none, a panel for each column, against the iteration,
 * each chain in its own colour. */
typedef struct sf_plot_chains_options {
    size_t size;              /* set by _INIT */
    double width;             /* points [450] */
    double height;            /* points [by the number of panels] */
    double scale;             /* pixels per point, 0.1 to 20 [2] */
    const char *title;        /* [none] */
    const char *x_label;      /* ["draw"] */
    const char *const *names; /* [dim], of the columns [c0, c1, ...] */
    const char *const *notes; /* [dim], above the panels at the right [none] */
    int64_t most_chains;      /* shown [50] */
} sf_plot_chains_options;

#define SF_PLOT_CHAINS_OPTIONS_INIT                                            \
    {                                                                          \
        .size = sizeof(sf_plot_chains_options)                                 \
    }

/* 1 <= dim <= 12 (SF_E_SHAPE beyond). */
SF_API sf_status sf_plot_chains(sf_context *ctx, const char *path,
                                const sf_array *trace,
                                const sf_plot_chains_options *opts);

#ifdef __cplusplus
}
#endif
#endif
