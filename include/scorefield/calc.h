/* SPDX-License-Identifier: Apache-2.0 */
/* calc.h - the field calculator: fields from fields by typed expressions.
 *
 *     sf_field u, v, out[2];
 *     int count;
 *     sf_field_read(ctx, &u, "wind.nc", "u10", NULL);
 *     sf_field_read(ctx, &v, "wind.nc", "v10", NULL);
 *     sf_calc(ctx, 2, out, &count, "speed = norm(u10, v10); zeta = curl(u10, v10)",
 *             2, (const sf_field[]){u, v}, NULL);
 *
 * docs/FIELDS.md has the language: the functions of docs/EXPRESSIONS.md, and operators
 * of fields: dx dy dz d dt grad div curl laplacian norm advection coriolis geostrophic
 * theta frontogenesis wind_dir, reductions over axes (mean sum min max var integral),
 * anomaly, shift, units, missing, regrid.  Lengths follow from the geometry of the grid; a result
 * has the unit that follows from those of the fields; it is missing wherever a value
 * that its formula reads is. */
#ifndef SCOREFIELD_CALC_H
#define SCOREFIELD_CALC_H

#include "scorefield/field.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SF_CALC_SPECTRAL = -1 }; /* an order: of a Fourier series            */

typedef enum sf_calc_precision {
    SF_CALC_DOUBLE = 0,
    SF_CALC_SINGLE = 1
} sf_calc_precision;

typedef struct sf_calc_options {
    size_t size; /* set by _INIT                                        */
    int order; /* of difference formulas: 2, 4 or 6, or SF_CALC_SPECTRAL: along
                    closed axes of equal steps alone [2]                */
    bool without_units; /* compute with bare numbers [false]                 */
    bool any_missing;   /* a mean, sum, ... is missing if one of its values is
                         [false: of those that are there]                    */
    double radius; /* of files: as sf_field_read_options [0]              */
    const char *select; /* of files, likewise [NULL]                         */
    const char *grid;   /* of .npy files, likewise [NULL]                    */
    sf_file_format format; /* of the file that is written [AUTO]             */
    int deflate; /* likewise [0]                                        */
    const char *history; /* a line put before its history [NULL]             */
    sf_calc_precision
        precision; /* of arithmetic at points; sums and the numbers
                                    of axes are double in any case [DOUBLE]   */
} sf_calc_options;

#define SF_CALC_OPTIONS_INIT                                                   \
    {                                                                          \
        .size = sizeof(sf_calc_options), .order = 2                            \
    }

/* What the values of a component are; volumes are those of sf_grid_volume(). */
typedef struct sf_field_stats {
    double min, max, mean; /* of the values that are there, the mean weighted by
                              the volumes of their cells; NaN if there are none */
    int64_t count, missing;
} sf_field_stats;

/* Compute the outputs of a list "name = expression; ..." from fields in memory.
 *
 *   most     room for fields in `out`
 *   out      [*count] out, in the order of the list; to be freed
 *   inputs   known by their names; axes of equal names must have equal coordinates, but
 *            for what is named within calls of regrid() alone
 *
 * Returns SF_OK; SF_E_PARSE (with the column), SF_E_ARG (options, names, axes that
 * differ: the first coordinate that does; units that do not convert: both; no room),
 * SF_E_UNSUPPORTED (an operator that the geometry does not have: why), SF_E_SHAPE,
 * SF_E_NOMEM.  On failure *count is 0 and there is nothing to free. */
SF_API sf_status sf_calc(sf_context *ctx, int most, sf_field *out, int *count,
                         const char *text, int input_count,
                         const sf_field *inputs, const sf_calc_options *opts);

/* The same into fields that are there: results go to the caller's arrays, and a large one
 * costs no new memory, which takes as long to be made as the values to be computed.
 *
 *   out  [count] in: as many as results, in the order of the list, each of one component
 *        on the points of a grid with as many axes and points as the result, doubles or
 *        floats; out: their values.  Names, units and descriptions stay what they are.
 *        Their arrays overlap no other one, of `out` or of `inputs`.
 *
 * Returns as sf_calc(); SF_E_ARG also for another number of fields and for arrays that
 * overlap, SF_E_SHAPE for a field that does not fit.  On failure the values mean
 * nothing. */
SF_API sf_status sf_calc_into(sf_context *ctx, int count, sf_field *out,
                              const char *text, int input_count,
                              const sf_field *inputs,
                              const sf_calc_options *opts);

/* What was computed, one for each component of each output. */
typedef struct sf_calc_result {
    char name[128];
    char unit[160]; /* "": unknown */
    char scheme[128];
    sf_field_stats stats;
} sf_calc_result;

/* The same of files: names are those of the variables of `paths`, and are looked for in
 * the files in order.  Values are read, computed and written slab by slab, so memory is
 * bounded whatever the size of the files: a few slabs of about a million points for each
 * variable.
 *
 *   path     .nc, .npy, .vti, .vtr; the last three are put together in memory
 *   results  [*count] out, of at most `most`; NULL: not wanted
 *
 * Returns as sf_calc(), and as sf_field_read() and sf_field_write(); SF_E_ARG also if
 * `path` is one of `paths`. */
SF_API sf_status sf_calc_files(sf_context *ctx, const char *path,
                               const char *text, int path_count,
                               const char *const *paths,
                               const sf_calc_options *opts, int most,
                               sf_calc_result *results, int *count);

#ifdef __cplusplus
}
#endif
#endif
