/* SPDX-License-Identifier: Apache-2.0 */
/* plot_field.h - what maps ask of files of fields: axes with their points, planes of
 * values, and words. */
#ifndef SFI_CLI_PLOT_FIELD_H
#define SFI_CLI_PLOT_FIELD_H

#include "cli/plot.h"

#include "field/reader.h"

/* ---- fields (plot_field.c) -------------------------------------------------------- */

/* An axis along which more than one point is selected, or may be. */
typedef struct plot_axis {
    const char *name, *unit; /* the file's; unit may be NULL                 */
    sf_role role;
    int64_t count;
    double *coords, *edges; /* [count], [count + 1]                          */
    double turn;            /* of an angle, else 0                           */
    bool is_dated;          /* then `clock` tells dates                      */
    sfi_clock_unit clock;
    bool falls; /* larger numbers are lower down: pressures, depths          */
} plot_axis;

typedef struct plot_field {
    cli *c;
    const char *file, *name, *unit, *long_name, *standard_name;
    bool is_rotated;
    int rank;
    plot_axis axis[SFI_CF_MOST_AXES];
    char points[400]; /* "lev 500 hPa": single points that were asked for   */
    const sf_field *array; /* of an .npy file, in the place of the reader     */
    sfi_field_reader reader;
} plot_field;

enum { PLOT_MOST_FILES = 3 };

/* A NetCDF file, or an array, whose name is that of its file without the ending. */
typedef struct plot_file {
    bool is_array;
    const char *path;
    sfi_field_file nc;
    sf_field array;
    char name[SFI_NC_NAME];
} plot_file;

typedef struct plot_files {
    sf_context *ctx;
    plot_file file[PLOT_MOST_FILES];
    int count;
} plot_files;

/* Open all operands; `grid` is that of .npy files.  plot_files_close() closes what is
 * open, also on failure. */
sf_status plot_files_open(cli *c, plot_files *files, const char *grid);
void plot_files_close(plot_files *files);

/* Open the variable of this name (NULL: the only field) of the first file that has
 * it.  On failure there is nothing to close. */
sf_status plot_field_open(cli *c, plot_field *f, const plot_files *files,
                          const char *name, const char *select);
void plot_field_close(plot_field *f);

/* What had to be guessed, as warnings; where axes have positions in two dimensions,
 * not that they tell none. */
void plot_field_warn(const plot_field *f, bool has_positions);

/* Where the points of axes y and x lie by coordinates of two dimensions, latitude and
 * longitude [y's points, x's points]: *has_positions if there are such.
 * Returns SF_OK, SF_E_NOMEM, or what reading gave; the arrays are the caller's. */
sf_status plot_field_positions(plot_field *f, int y, int x, bool *has_positions,
                               double **lat, double **lon);

/* Values [axis y's points, axis x's points] at point at[k] of every other axis. */
sf_status plot_field_plane(plot_field *f, int y, int x, const int64_t *at,
                           double *out);

/* ---- axes of a picture (plot_axes.c) ---------------------------------------------- */

/* What a map shows of a field: axes, and what they are to the picture. */
typedef struct plot_plane {
    int x, y, over;     /* axes of the field; over: of panels, or -1         */
    bool is_geographic; /* degrees on a sphere                               */
    bool is_equal;      /* both axes are lengths in one unit                 */
    bool is_disc;       /* x is an angle around r = 0, y is r                */
    bool is_horizontal; /* vectors may be drawn on it                        */
} plot_plane;

/* Choose the axes; `over` is the name or role of one that has a panel for each point
 * (NULL: none), or with `is_film` a frame (NULL: time, or the first one that is not
 * shown).
 * Returns SF_OK; SF_E_SHAPE, SF_E_ARG: the message names the axes there are. */
sf_status plot_choose_plane(const plot_field *f, const char *over, bool is_film,
                            plot_plane *out);

/* Round dates on an axis, as plot_mark_dates() finds them; none on other axes. */
void plot_date_ticks(const plot_axis *a, plot_dates *out);

/* Whether pressures span so much that only a logarithm shows them. */
bool plot_axis_is_log(const plot_axis *a);

/* ---- words (plot_words.c) --------------------------------------------------------- */

/* A unit as people write it: "m s**-1" is "m s" with a superscript; "" where there is
 * none. */
void plot_unit_text(const char *unit, char *text, size_t size);

/* Whether the zero of a unit is a convention: degrees Celsius, Fahrenheit. */
bool plot_unit_is_shifted(const char *unit);

/* "name (unit)". */
void plot_label(const char *name, const char *unit, char *text, size_t size);

/* "lev 500 hPa", "time 1990-01-16": point i of an axis, behind what is in `text`. */
void plot_append_point(const plot_axis *a, int64_t i, char *text, size_t size);

/* "air temperature". */
void plot_field_words(const plot_field *f, char *text, size_t size);

/* The period of a field of directions; 0 if it is not one. */
double plot_direction_period(const plot_field *f);

#endif
