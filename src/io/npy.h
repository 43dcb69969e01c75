/* SPDX-License-Identifier: Apache-2.0 */
/* npy.h - arrays in NPY files; docs/FORMATS.md has the rules.
 *
 * The format: https://numpy.org/doc/stable/reference/generated/
 * numpy.lib.format.html */
#ifndef SFI_NPY_H
#define SFI_NPY_H

#include "io/rows.h"

extern const sfi_table_format sfi_npy_format;

/* Read an array of rank 0 to SF_MAX_RANK and convert its elements to `dtype`;
 * arrays in Fortran order are reordered, infinities and NaN kept.
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT (no NPY file, an element type or rank
 * that is not read, a size that does not fit), SF_E_NOMEM; on failure
 * out->data is NULL. */
sf_status sfi_npy_read_array(sf_context *ctx, sf_array *out, sf_dtype dtype,
                             const char *path);

/* The same for bytes in memory. */
sf_status sfi_npy_read_array_memory(sf_context *ctx, sf_array *out,
                                    sf_dtype dtype, const void *bytes,
                                    size_t size);

/* Write an array as it is, <f4 or <f8; "-" is standard output.
 * Returns SF_OK; SF_E_IO, SF_E_NOMEM. */
sf_status sfi_npy_write_array(sf_context *ctx, const sf_array *array,
                              const char *path);

/* Write only the header; the elements, row-major, are up to the caller. */
sf_status sfi_npy_write_header(sfi_output *out, sf_dtype dtype, int rank,
                               const int64_t *shape);

/* Write a table as an array <f8 [rows, cols]; text columns as their indices.
 * Names and levels are not kept.  Returns SF_OK or the first error of `out`. */
sf_status sfi_npy_write(sf_context *ctx, const sf_table *table,
                        sfi_output *out);

#endif
