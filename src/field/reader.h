/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - a variable of a file, opened: its meaning, what of it is selected, and
 * its values a box at a time.
 *
 * Memory is bounded by the pieces that are read, whatever the size of the file. */
#ifndef SFI_READER_H
#define SFI_READER_H

#include "field/cf.h"
#include "field/grid.h"
#include "field/select.h"
#include "field/slabs.h"

/* Points that are read at once: 1 MiB as doubles, which stays in a cache while raw numbers
 * become values. */
enum { SFI_FIELD_PIECE = 1 << 17 };

/* An open file that variables are taken from. */
typedef struct sfi_field_file {
    sf_context *ctx;
    sfi_nc *nc;
    sfi_cf_source source; /* of `nc`                                         */
} sfi_field_file;

sf_status sfi_field_file_open(sf_context *ctx, sfi_field_file *out,
                              const char *path);
void sfi_field_file_close(sfi_field_file *f);

typedef struct sfi_field_reader {
    sf_context *ctx;
    const sfi_field_file *file; /* must outlive the reader                   */
    sfi_cf *cf;
    sfi_span spans[SFI_CF_MOST_AXES];
    int rank;                   /* axes that are not single points           */
    int kept[SFI_CF_MOST_AXES]; /* their places in the file                  */
    int64_t shape[SFI_CF_MOST_AXES]; /* of what is selected: [rank]          */
    void *raw; /* [piece] of the variable's type                             */
    double *values;
    size_t piece;
} sfi_field_reader;

/* Open variable `name` (NULL: the only field) of a file.
 * Returns as sf_field_read(); on failure there is nothing to close. */
sf_status sfi_field_reader_open(sf_context *ctx, sfi_field_reader *out,
                                const sfi_field_file *file, const char *name,
                                const char *select, double radius);
void sfi_field_reader_close(sfi_field_reader *r);

/* Read the box of `count` [rank] values from `start` on, of what is selected; missing ones
 * are NaN.  Value i goes to out[sum_k i_k step[k]]; without `step` they are packed
 * row-major. */
sf_status sfi_field_reader_box(sfi_field_reader *r, const int64_t *start,
                               const int64_t *count, double *out,
                               const int64_t *step);

/* The grid of what is selected.  Returns SF_OK; SF_E_SHAPE (more than four axes, or
 * none, or an axis of no points), SF_E_FORMAT, SF_E_NOMEM. */
sf_status sfi_field_reader_grid(const sfi_field_reader *r, sf_grid **out);

/* The edges [shape[j] + 1] of the cells along axis j of what is selected.
 * Returns SF_OK; SF_E_SHAPE (it has no points), SF_E_NOMEM. */
sf_status sfi_field_reader_edges(const sfi_field_reader *r, int j, double *out);

/* Hand the remarks over as warnings. */
void sfi_field_reader_warn(const sfi_field_reader *r);

#endif
