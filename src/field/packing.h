/* SPDX-License-Identifier: Apache-2.0 */
/* packing.h - raw numbers of a file as values.
 *
 *     value = raw * scale_factor + add_offset        in double
 *
 * A raw number is missing if it equals a fill value or a missing value, lies outside
 * the valid range (all of these in raw units), or is NaN.  CF Conventions 1.8, 2.5.1
 * and 8.1. */
#ifndef SFI_PACKING_H
#define SFI_PACKING_H

#include "io/netcdf.h"

enum { SFI_MOST_FILLS = 8 };

typedef struct sfi_packing {
    sfi_nc_type type; /* with _Unsigned taken into account                   */
    double scale, offset;
    bool is_packed;
    int fill_count;
    double fill[SFI_MOST_FILLS]; /* as the type holds them                   */
    double least, most;          /* of valid raw numbers; may be infinite    */
} sfi_packing;

/* How a variable is packed.  A fill value that the type cannot hold (NaN of a
 * short) matches nothing.  Without _FillValue that of libnetcdf counts, but not
 * for bytes and characters, nor where `is_coordinate`. */
void sfi_packing_read(const sfi_nc_var *var, bool is_coordinate,
                      sfi_packing *out);

/* Values of `count` raw numbers, NaN where they are missing. */
void sfi_unpack(const sfi_packing *p, const void *raw, size_t count,
                double *values);

/* Whether results of these values are written as floats: they are floats, or were
 * packed. */
bool sfi_packing_is_float(const sfi_packing *p);

#endif
