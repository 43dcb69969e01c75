/* SPDX-License-Identifier: Apache-2.0 */
/* series.h - fields over one more axis, such as time, written as they come.
 *
 * Of .nc and .pvd nothing is kept in memory; .npy, .vti and .vtr are one array, which is
 * written at the end. */
#ifndef SFI_SERIES_H
#define SFI_SERIES_H

#include "scorefield/field.h"

typedef struct sfi_series sfi_series;

/* Begin a series of n fields, which are described by `fields`: their grid, which all have,
 * names and units; values are not looked at.
 *
 *   axis     the new one, in front of those of the grid; .pvd has its coordinates as times
 *   history  a line of the file's history, or NULL
 *
 * Returns SF_OK; SF_E_SHAPE (the grid leaves no axis), and what sf_field_write() does.  On
 * failure *out is NULL. */
sf_status sfi_series_open(sf_context *ctx, sfi_series **out, const char *path,
                          const sf_axis *axis, int n, const sf_field *fields,
                          const char *history);

/* The fields at place k of the axis, each once, in any order. */
sf_status sfi_series_put(sfi_series *f, int64_t k, const sf_field *fields);

/* Finish the file, if `status` is SF_OK, and free the series; NULL is allowed.  Returns
 * `status`, or what went wrong. */
sf_status sfi_series_close(sfi_series *f, sf_status status);

#endif
