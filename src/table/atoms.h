/* SPDX-License-Identifier: Apache-2.0 */
/* atoms.h - point masses of a column of numbers: "no rain", or an end that values were
 * cut off at.  frame.h says which values they are. */
#ifndef SFI_ATOMS_H
#define SFI_ATOMS_H

#include "base/context.h"
#include "scorefield/frame.h"

/* Zeroed is none. */
typedef struct sfi_atoms {
    double *at; /* [count] rising                                            */
    bool *between; /* [count + 1] whether other numbers lie below at[0], between
                      at[k - 1] and at[k], and above the last                   */
    int64_t count;
} sfi_atoms;

/* Copies of at [count] and between [count + 1], of which there may be none.
 * SF_OK or SF_E_NOMEM; sfi_atoms_free() is right in either case. */
sf_status sfi_atoms_set(sf_context *ctx, sfi_atoms *atoms, int64_t count,
                        const double *at, const bool *between);
void sfi_atoms_free(sf_context *ctx, sfi_atoms *atoms);

/* The atom that x is, or -1; and the gap that it lies in, 0 to count. */
int64_t sfi_atoms_find(const sfi_atoms *atoms, double x);
int64_t sfi_atoms_gap(const sfi_atoms *atoms, double x);

/* The cells of a column that are there. */
typedef struct sfi_sorted_cells {
    double *x; /* [n] rising */
    int64_t n;
    double sd; /* of all     */
} sfi_sorted_cells;

/* What numbers other than the atoms are. */
typedef struct sfi_other_cells {
    int64_t count;
    double min, max, mean, sd; /* NaN without any; sd with divisor count - 1 */
} sfi_other_cells;

/* Write the values that are too common into at [SF_MOST_ATOMS], rising; returns how
 * many. */
int64_t sfi_common_values(const sfi_sorted_cells *cells, double *at);

/* Add a value that occurs to at [*count], unless it is there or there are too many. */
void sfi_add_atom(double *at, int64_t *count, double value);

/* What is left beside atoms at [count], and between [count + 1] which gaps it is in. */
sfi_other_cells sfi_cells_besides(const sfi_sorted_cells *cells,
                                  const double *at, int64_t count,
                                  bool *between);

/* Whether some value may be too common, of cells in any order. */
enum { SFI_SKETCHED = 24 };
typedef struct sfi_common_sketch {
    double value[SFI_SKETCHED];
    int64_t count[SFI_SKETCHED];
    int64_t n;
} sfi_common_sketch;

/* `sketch` is zeroed to begin.  NaN is no cell. */
void sfi_sketch_add(sfi_common_sketch *sketch, double x);
/* True is certain: none is. */
bool sfi_sketch_is_even(const sfi_common_sketch *sketch);

#endif
