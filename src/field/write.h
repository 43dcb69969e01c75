/* SPDX-License-Identifier: Apache-2.0 */
/* write.h - fields to files, a format each. */
#ifndef SFI_FIELD_WRITE_H
#define SFI_FIELD_WRITE_H

#include "field/layout.h"
#include "field/slabs.h"

sf_status sfi_write_netcdf(sf_context *ctx, const char *path, int n,
                           const sf_field *fields,
                           const sf_field_write_options *o);

/* A .vti file if the grid is to be uniform, else .vtr. */
sf_status sfi_write_vtk(sf_context *ctx, const char *path, bool is_uniform,
                        int n, const sf_field *fields);
sf_status sfi_write_pvd(sf_context *ctx, const char *path, int n,
                        const sf_field *fields, const double *times);

/* The same in parts: "out.pvd" lists out_0000.vti, out_0001.vti, ... beside it. */
sf_status sfi_write_pvd_frame(sf_context *ctx, const char *path, int64_t frame,
                              int n, const sf_field *fields);
sf_status sfi_write_pvd_list(sf_context *ctx, const char *path, int64_t frames,
                             const sf_grid *grid, const double *times);

/* Whether a path ends in this extension, in any case. */
bool sfi_path_ends(const char *path, const char *extension);

/* ---- NetCDF in two parts, for results that come slab by slab ----------------
 *
 * A *sheet* is the header of a file to be: sfi_sheet_add() describes fields, whose
 * values are not looked at, and sfi_sheet_create() makes the file with all its
 * coordinates, scalar variables and grid mappings written.  Values follow by
 * sfi_sheet_put(). */
typedef struct sfi_sheet sfi_sheet;

sf_status sfi_sheet_new(sf_context *ctx, sfi_sheet **out,
                        const sf_field_write_options *o);
void sfi_sheet_free(sfi_sheet *s);

/* Describe component c of a field; *var is its number in the file.
 * Returns SF_OK; SF_E_ARG (its name is taken, or an axis of an equal name differs:
 * the message has the first coordinate that does), SF_E_NOMEM. */
sf_status sfi_sheet_add(sfi_sheet *s, const sf_field *f, int c, int *var);

/* SF_E_ARG if `path` is the file that the sheet is made like. */
sf_status sfi_sheet_create(sfi_sheet *s, const char *path);

/* Write a box of values, packed row-major; NaN becomes the fill value.  `count`
 * counts points of the grid: where an axis repeats its first point and the box
 * reaches its end, that is written, too, if the box begins at point 0. */
sf_status sfi_sheet_put(sfi_sheet *s, int var, const int64_t *start,
                        const int64_t *count, const double *values);

/* Finish the file; it appears if `status` is SF_OK and nothing failed. */
sf_status sfi_sheet_close(sfi_sheet *s, sf_status status);

#endif
