/* SPDX-License-Identifier: Apache-2.0 */
/* field.h - axes, grids, and fields on them; files that hold fields.
 *
 * A grid is a product of one to four named axes, the slowest first and the last
 * one fastest in memory.  A field maps the points of a grid to numbers; missing
 * ones are NaN.  Coordinates stay as they are given, ascending or descending, in
 * the unit that they have: degrees where a file says degrees.
 *
 *     sf_field t;
 *     sf_field_read(ctx, &t, "in.nc", "t2m", NULL);
 *     sf_field_units(ctx, &t, "degC");
 *     sf_field_write(ctx, "out.nc", 1, &t, NULL);
 *     sf_field_free(ctx, &t);
 *
 * Threads.  libnetcdf and udunits2 are not made for several threads; every call
 * of theirs is made under one lock, so that contexts of different threads may
 * read and write at the same time. */
#ifndef SCOREFIELD_FIELD_H
#define SCOREFIELD_FIELD_H

#include "scorefield/array.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SF_MAX_AXES = 4, SF_MAX_HALO = 3 };

/* The mean radius of the Earth in metres that weather models use (GRIB 2, code
 * table 3.2, entry 6), where a file names none. */
#define SF_EARTH_RADIUS 6371229.0

/* ---- axes ------------------------------------------------------------------ */

/* What an axis measures.  The geometry of a grid follows from the roles. */
typedef enum sf_role {
    SF_ROLE_NONE = 0,
    SF_ROLE_X,
    SF_ROLE_Y,
    SF_ROLE_Z,
    SF_ROLE_R,
    SF_ROLE_THETA, /* angle around r = 0                                    */
    SF_ROLE_LAT,
    SF_ROLE_LON,
    SF_ROLE_LEV, /* a vertical coordinate beside latitude and longitude     */
    SF_ROLE_T
} sf_role;

/* "x", "lat", ..., "" for SF_ROLE_NONE; not to be freed. */
SF_API const char *sf_role_name(sf_role role);

/* Where the first and the last point are, seen from the walls. */
typedef enum sf_placement {
    SF_CELLS = 0, /* half a cell before them: the points of files            */
    SF_NODES      /* on them                                                 */
} sf_placement;

/* What holds at a wall. */
typedef enum sf_side_kind {
    SF_SIDE_NATURAL = 0,
    SF_SIDE_PERIODIC, /* both sides or none                                  */
    SF_SIDE_PIN,      /* value                                               */
    SF_SIDE_FLUX,     /* outward flux `value`                                */
    SF_SIDE_ROBIN,    /* coefficient `factor`, `value`                       */
    SF_SIDE_OPEN
} sf_side_kind;

/* A side; texts are expressions of coordinates, NULL where the kind has none. */
typedef struct sf_side {
    sf_side_kind kind;
    const char *value;
    const char *factor;
} sf_side;

typedef struct sf_axis {
    const char *name;     /* not empty, distinct within a grid               */
    const char *unit;     /* NULL: unknown; an angle is then in degrees if it
                             is a latitude or longitude, else in radians     */
    const char *calendar; /* of dates, as CF names it; NULL: standard        */
    sf_role role;
    sf_placement placement;
    int64_t count;        /* >= 1                                            */
    const double *coords; /* [count], finite, strictly monotonic             */
    const double *edges;  /* [count + 1], monotonic likewise; NULL: midway, at
                             the ends extrapolated or, with SF_NODES, the
                             points themselves; latitudes end at the poles   */
    double period;        /* > 0 closes the axis; 0: it has ends             */
    bool repeats;         /* in files, the first point follows again after the
                             last one, a period further on                   */
    sf_side low, high;    /* before the first and behind the last point      */
} sf_axis;

/* ---- grids ----------------------------------------------------------------- */

typedef enum sf_geometry {
    SF_GEOMETRY_AUTO = 0,     /* by the roles                                 */
    SF_GEOMETRY_CARTESIAN,    /* x, y, z                                      */
    SF_GEOMETRY_POLAR,        /* r, theta                                     */
    SF_GEOMETRY_CYLINDRICAL,  /* r, theta, z                                  */
    SF_GEOMETRY_AXISYMMETRIC, /* r, z                                        */
    SF_GEOMETRY_SPHERE,       /* lat, lon on a sphere of a given radius      */
    SF_GEOMETRY_SPHERICAL,    /* r, lat, lon                                 */
    SF_GEOMETRY_RADIAL,       /* r alone, in three dimensions                */
    SF_GEOMETRY_NONE          /* positions unknown: coordinates of several
                                 dimensions, meshes; no lengths or areas     */
} sf_geometry;

/* "cartesian", "sphere", ...; not to be freed. */
SF_API const char *sf_geometry_name(sf_geometry geometry);

typedef struct sf_grid_options {
    size_t size;          /* set by _INIT                                    */
    sf_geometry geometry; /* [by the roles; of r alone it must be said]      */
    double radius;        /* of the sphere [SF_EARTH_RADIUS, metres]         */
    bool is_rotated;      /* lat, lon are seen from another pole, which is at */
    double pole_lat;      /*   this latitude and longitude in degrees         */
    double pole_lon;
} sf_grid_options;

#define SF_GRID_OPTIONS_INIT                                                   \
    {                                                                          \
        .size = sizeof(sf_grid_options), .radius = SF_EARTH_RADIUS             \
    }

typedef struct sf_grid sf_grid;

/* Make a grid; everything is copied.
 *
 *   axes  [rank], the slowest first
 *   opts  NULL: defaults
 *
 * Axes with no role, t and lev are allowed beside those of any geometry; they
 * count as lengths.  On a sphere one of lat and lon may be missing.
 *
 * Returns SF_OK; SF_E_ARG (the message names the axis and the first value that
 * is wrong: rank, names, coordinates that are not monotonic or not finite, edges
 * that do not enclose their points, a latitude beyond a pole, r < 0, a period
 * shorter than the axis, roles that make no geometry); SF_E_NOMEM.  On failure
 * *out is NULL. */
SF_API sf_status sf_grid_new(sf_context *ctx, sf_grid **out, int rank,
                             const sf_axis *axes, const sf_grid_options *opts);

/* Free a grid; NULL is allowed. */
SF_API void sf_grid_free(sf_grid *grid);

/* Make a grid from text: assignments that ';' or a line end separates,
 *
 *     NAME = A:B:N [nodes|cells] [map EXPR] [LOW[, HIGH]]
 *     NAME = [X0, X1, ...] [nodes|cells] [LOW[, HIGH]]
 *     geometry = cartesian | polar | cylindrical | axisymmetric | sphere |
 *                spherical | radial
 *     radius = NUMBER
 *
 * with sides `periodic`, `pin EXPR`, `natural`, `flux EXPR`, `robin ALPHA, Q`,
 * `open`; one side stands for both.  The roles are the axes' names: x y z r theta
 * lat lon lev t.  N >= 2 points lie from wall to wall (nodes, the default of
 * axes with ends, h = (B-A)/(N-1)), half a cell off the walls (cells, h =
 * (B-A)/N), or, periodic, from A on (h = (B-A)/N).  A map is an expression of s
 * that grows or falls over 0 to 1; it is scaled to run from A to B.  lat and lon
 * are in degrees, theta is in radians.  Whatever their order in the text, axes
 * are stored t, others, lev, z, y, r, x, theta, lat, lon.
 *
 * Returns as sf_grid_new(), or SF_E_PARSE: the message gives the column. */
SF_API sf_status sf_grid_parse(sf_context *ctx, sf_grid **out,
                               const char *text);

/* Number of axes. */
SF_API int sf_grid_rank(const sf_grid *grid);

/* Number of points. */
SF_API int64_t sf_grid_points(const sf_grid *grid);

/* Axis k, 0 <= k < rank; its edges are there.  Lives as long as the grid. */
SF_API const sf_axis *sf_grid_axis(const sf_grid *grid, int k);

/* The axis of a role, or of a name; -1 if there is none. */
SF_API int sf_grid_find_role(const sf_grid *grid, sf_role role);
SF_API int sf_grid_find(const sf_grid *grid, const char *name);

/* What the axes measure; never SF_GEOMETRY_AUTO. */
SF_API sf_geometry sf_grid_geometry(const sf_grid *grid);

/* Radius of the sphere, in the unit of lengths (metres, for the Earth). */
SF_API double sf_grid_radius(const sf_grid *grid);

/* Where the north pole of rotated coordinates is, in degrees; false if they are
 * not rotated. */
SF_API bool sf_grid_pole(const sf_grid *grid, double *lat, double *lon);

/* Exact volume of the cell of a point, index [rank]: the product over the axes of
 *
 *     lat       a^2 (sin e+ - sin e-)  on a sphere of radius a, else without a
 *     lon, theta   e+ - e- in radians
 *     r         (e+^2 - e-^2)/2        polar, cylindrical
 *               pi (e+^2 - e-^2)       axisymmetric
 *               (e+^3 - e-^3)/3        spherical;  4 pi times that: radial
 *     others    e+ - e-
 *
 * with e- and e+ the edges of the cell; positive.  Unit: that of the axes, m^2
 * on the sphere.  NaN with SF_GEOMETRY_NONE. */
SF_API double sf_grid_volume(const sf_grid *grid, const int64_t *index);

/* The factors of these products for axis k: [count]; NULL with
 * SF_GEOMETRY_NONE.  Lives as long as the grid. */
SF_API const double *sf_grid_weights(const sf_grid *grid, int k);

/* Scale factor h of axis k at `point` [rank] in the axes' units: the length of a
 * step of one unit of the coordinate, of one radian of an angle.  1, r, r cos lat
 * or a cos lat; exactly 0 at a pole (a row within 1e-6 degrees of one) and where
 * r is 0.  NaN with SF_GEOMETRY_NONE, and for lon without lat. */
SF_API double sf_grid_scale(const sf_grid *grid, int k, const double *point);

/* ---- fields ----------------------------------------------------------------
 *
 * Values of a component lie at data[c][sum_k index[k] * step[k]].  A field that
 * was made by the library has rows of
 *
 *     16 elements of lead, count values, at least `halo` elements of tail
 *
 * a multiple of 16 elements long and never a power of two; the first value of a
 * row is aligned to 64 bytes.  A loop may run past the end of a row to the next
 * multiple of 16: it reads finite numbers there.  `halo` more rows lie before the
 * first and behind the last one along every other axis. */
typedef struct sf_field {
    const sf_grid *grid;
    int components;              /* 1, or one for each axis                  */
    unsigned place[SF_MAX_AXES]; /* of each: bit k = half-way along axis k,
                                    where there is one point less unless the
                                    axis is periodic                         */
    sf_dtype dtype;
    int halo;                  /* 0 to SF_MAX_HALO                           */
    void *data[SF_MAX_AXES];   /* first element of each component            */
    int64_t step[SF_MAX_AXES]; /* elements between neighbours along axis k;
                                  1 along the last one                       */
    const char *name;          /* or NULL                                    */
    const char *unit;          /* NULL: unknown                              */
    void *owner;               /* the library's own business                 */
} sf_field;

/* Make a field of zeros.
 *
 *   grid   must outlive the field
 *   place  [components]; NULL: all on the points of the grid
 *
 * Returns SF_OK; SF_E_ARG (components, dtype, halo, place), SF_E_SHAPE (too
 * many elements, an axis of fewer points than the halo), SF_E_NOMEM; on failure
 * *out is zeroed. */
SF_API sf_status sf_field_new(sf_context *ctx, sf_field *out,
                              const sf_grid *grid, int components,
                              const unsigned *place, sf_dtype dtype, int halo);

/* See the caller's array as a field of one component on the grid's points.
 *
 *   stride  [rank] elements between neighbours; NULL: dense, row-major
 *
 * The array must outlive the field.  If stride[rank - 1] is not 1, or there is
 * to be a halo, the values are copied instead, and changes of either are not
 * seen by the other.  Returns as sf_field_new(). */
SF_API sf_status sf_field_wrap(sf_context *ctx, sf_field *out,
                               const sf_grid *grid, sf_dtype dtype, int halo,
                               void *data, const int64_t *stride);

/* Free what the field owns, and zero it; NULL is allowed. */
SF_API void sf_field_free(sf_context *ctx, sf_field *field);

/* Number of points of component c along axis k, and in all. */
SF_API int64_t sf_field_count(const sf_field *field, int c, int k);
SF_API int64_t sf_field_points(const sf_field *field, int c);

/* Copy component c to, or from, a dense row-major array of doubles. */
SF_API void sf_field_get(const sf_field *field, int c, double *array);
SF_API void sf_field_put(sf_field *field, int c, const double *array);

/* Set component c to an expression of the coordinates, by the names of the axes
 * and in their units ("sin(lat*pi/180)"); docs/EXPRESSIONS.md.
 * Returns SF_OK; SF_E_ARG (c), SF_E_PARSE, SF_E_NOMEM; the field is then
 * unchanged. */
SF_API sf_status sf_field_set(sf_context *ctx, sf_field *field, int c,
                              const char *text);

/* Name the field, or its unit; the text is copied, NULL removes it.
 * Returns SF_OK or SF_E_NOMEM (nothing has changed). */
SF_API sf_status sf_field_set_name(sf_context *ctx, sf_field *field,
                                   const char *name);
SF_API sf_status sf_field_set_unit(sf_context *ctx, sf_field *field,
                                   const char *unit);

/* An attribute of text that files keep, such as "standard_name": set (NULL
 * removes it) and find (NULL: there is none; valid until it is set again).
 * Returns SF_OK, SF_E_ARG (an empty name), SF_E_NOMEM. */
SF_API sf_status sf_field_describe(sf_context *ctx, sf_field *field,
                                   const char *key, const char *text);
SF_API const char *sf_field_description(const sf_field *field, const char *key);

/* Convert the values of all components to another unit, as udunits2 knows it.
 * Returns SF_OK; SF_E_ARG (units that do not convert: both are named; the unit
 * of the field is unknown), SF_E_UNSUPPORTED (built without udunits2),
 * SF_E_NOMEM.  On failure the field is unchanged. */
SF_API sf_status sf_field_units(sf_context *ctx, sf_field *field,
                                const char *unit);

/* Interpolate component c multilinearly.
 *
 *   points  [n, rank] coordinates in the axes' units and order
 *   values  [n] out
 *
 * A periodic axis takes any coordinate.  Between the last row and a pole, on a
 * sphere closed in longitude, the neighbour beyond is the same row half a turn
 * away.  A point outside the first and last coordinate, or with a missing value
 * among those that count, gets NaN.
 *
 * Returns SF_OK; SF_E_ARG (c), SF_E_SHAPE (columns, stride), SF_E_NOMEM. */
SF_API sf_status sf_field_at(sf_context *ctx, const sf_field *field, int c,
                             sf_cmat points, double *values);

/* Make a field at the points of the grid from component c, which may lie between them: the
 * mean of the neighbours along each axis; at an end, the line through the two nearest.
 *
 * Returns SF_OK; SF_E_ARG (c), SF_E_SHAPE (no value between points), SF_E_NOMEM. */
SF_API sf_status sf_field_collocate(sf_context *ctx, sf_field *out,
                                    const sf_field *field, int c);

/* Add a density of points to component c: the transpose of sf_field_at(), over the volumes
 * of the grid's points.  So the integral grows by the sum of the weights and, away from
 * ends, the mean along a Cartesian axis is that of the points.
 *
 *   points   [n, rank], as there; all within the grid
 *   weights  [n]; NULL: 1/n
 *
 * Returns SF_OK; SF_E_ARG (c, or a component between points; the first point outside, to which
 * points before it were added), SF_E_SHAPE. */
SF_API sf_status sf_field_deposit(sf_context *ctx, sf_field *field, int c,
                                  sf_cmat points, const double *weights);

/* ---- files ----------------------------------------------------------------- */

typedef struct sf_field_read_options {
    size_t size;        /* set by _INIT                                      */
    const char *select; /* "lev=500; lat=30:60; time=1990-01-16" [all], or with
                           commas: a value must be that of a point; a range has both
                           ends; longitudes count modulo 360 degrees; dates
                           by the calendar of the file                       */
    const char *grid;   /* of .npy files: as sf_grid_parse() takes it        */
    sf_dtype dtype;     /* of the field [SF_F64]                             */
    int halo;           /* [0]                                               */
    double radius;      /* of the Earth, where the file names none
                           [SF_EARTH_RADIUS]                                 */
} sf_field_read_options;

#define SF_FIELD_READ_OPTIONS_INIT                                             \
    {                                                                          \
        .size = sizeof(sf_field_read_options), .dtype = SF_F64                 \
    }

/* Read a variable of a NetCDF file (.nc, .nc4, .cdf), of any of its formats, by
 * the CF conventions; or an .npy file.  docs/FIELDS.md says how roles, packing,
 * missing values, periods and edges are found.  What had to be guessed is
 * reported as warnings.
 *
 *   var   NULL: the only field of the file; "/group/name" in a group
 *   opts  NULL: defaults
 *
 * The grid belongs to the field.  An axis of which one point is selected is left
 * out; four may remain.
 *
 * Returns SF_OK; SF_E_IO; SF_E_FORMAT (no such variable: the nearest one; a file
 * that is cut off or no NetCDF; a variable of text), SF_E_ARG (a selection
 * that meets no point: the nearest ones), SF_E_SHAPE (more than four axes
 * remain, or an axis of no points), SF_E_UNSUPPORTED (built without NetCDF), SF_E_NOMEM; on failure *out
 * is zeroed. */
SF_API sf_status sf_field_read(sf_context *ctx, sf_field *out, const char *path,
                               const char *var,
                               const sf_field_read_options *opts);

typedef enum sf_file_format {
    SF_FILE_AUTO = 0, /* that of `like`, else classic; NetCDF-4 if too large  */
    SF_FILE_CLASSIC,
    SF_FILE_64BIT_OFFSET,
    SF_FILE_CDF5,
    SF_FILE_NETCDF4
} sf_file_format;

typedef struct sf_field_write_options {
    size_t size;           /* set by _INIT                                   */
    sf_file_format format; /* of .nc [AUTO]                                  */
    int deflate;           /* 0 to 9; > 0 wants NetCDF-4 [0]                 */
    const char *like;      /* a file whose attributes, scalar variables, grid
                              mappings, bounds and unlimited dimension are
                              kept [none]                                    */
    const char *history;   /* a line put before its history [none]           */
    const double *times;   /* of .pvd: [n], one for each field [0, 1, ...]   */
} sf_field_write_options;

#define SF_FIELD_WRITE_OPTIONS_INIT                                            \
    {                                                                          \
        .size = sizeof(sf_field_write_options)                                 \
    }

/* Write fields by the extension of `path`; the file appears under its name only
 * when it is complete.
 *
 *     .nc   any fields whose axes of equal names are equal; a component
 *           between points gets axes NAME_half; components of a vector are
 *           NAME_AXIS.  Type: that of the field
 *     .npy  one field of one component (several: a first axis for them)
 *     .vti  fields on the points of one uniform grid of up to three axes, and
 *     .vtr  of any other
 *     .pvd  a list of times, and beside it a .vti or .vtr for each field
 *
 * Returns SF_OK; SF_E_ARG (extension, options, names, grids that do not fit),
 * SF_E_IO, SF_E_UNSUPPORTED (built without NetCDF), SF_E_NOMEM. */
SF_API sf_status sf_field_write(sf_context *ctx, const char *path, int n,
                                const sf_field *fields,
                                const sf_field_write_options *opts);

#ifdef __cplusplus
}
#endif
#endif
