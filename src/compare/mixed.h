/* SPDX-License-Identifier: Apache-2.0 */
/* mixed.h - tables of any kinds of columns, made alike: what the parts of
 * sf_compare_frames() read.
 *
 * Tables are REAL, SYNTHETIC and HELD_OUT, of which the last may have no rows.
 * Cells lie by columns; a missing one is NaN.  A category is the number of its
 * level among those of all tables. */
#ifndef SFI_MIXED_H
#define SFI_MIXED_H

#include "base/context.h"
#include "scorefield/compare_frames.h"

enum { SFI_REAL, SFI_SYNTHETIC, SFI_HELD_OUT, SFI_TABLES };

typedef struct sfi_mixed_column {
    sf_kind kind;
    sf_compared compared;
    double period;    /* of a circle                                          */
    int64_t levels;   /* of categories                                        */
    double low, high; /* of the numbers of real; 0, 0 if there are none       */
    int64_t atoms;    /* of the numbers of real, and which they are           */
    double atom[SF_MOST_ATOMS];
} sfi_mixed_column;

typedef struct sfi_mixed {
    int64_t cols;
    int64_t rows[SFI_TABLES];
    double *cells[SFI_TABLES]; /* [cols, rows]: see sfi_mixed_cells()         */
    sfi_mixed_column *column;  /* [cols]                                      */
    bool is_part;              /* `column` belongs to another                 */
} sfi_mixed;

/* Column j of table k, [rows[k]]. */
static inline double *sfi_mixed_cells(const sfi_mixed *m, int k, int64_t j)
{
    return m->cells[k] + j * m->rows[k];
}

/* Copy the tables; held_out may be NULL.  Returns SF_OK; SF_E_ARG, SF_E_SHAPE,
 * SF_E_FORMAT, SF_E_NUMERIC, SF_E_UNSUPPORTED, SF_E_NOMEM as sf_compare_frames();
 * on failure *out is zero. */
sf_status sfi_mixed_new(sf_context *ctx, sfi_mixed *out,
                        const sf_frame *const frames[SFI_TABLES],
                        const sf_circle *circles, int64_t circle_count);

/* Zeroed is allowed. */
void sfi_mixed_free(sf_context *ctx, sfi_mixed *m);

/* rows[k] rows of each table in random order, the same ones for the same seed: the
 * part of fewer rows is the beginning of that of more.  `whole` must outlive it.
 * Returns SF_OK or SF_E_NOMEM; then *out is zero. */
sf_status sfi_mixed_part(sf_context *ctx, sfi_mixed *out,
                         const sfi_mixed *whole, const int64_t rows[SFI_TABLES],
                         uint64_t seed);

/* ---- mixed_columns.c ---- */

/* Fill report->column, which has kinds and nothing else. */
sf_status sfi_compare_mixed_columns(sf_context *ctx, sf_frames_report *report,
                                    const sfi_mixed *m);

/* The distances of two samples on a circle of circumference 1, sorted, in [0, 1).
 * work [4 (n + m)]. */
typedef struct sfi_circle_gap {
    double kuiper;
    double wasserstein;
} sfi_circle_gap;
sfi_circle_gap sfi_circle_distance(const double *x, int64_t n, const double *y,
                                   int64_t m, double *work);

/* P(V >= kuiper) for samples of n and m of one continuous distribution. */
double sfi_kuiper_p(double kuiper, int64_t n, int64_t m);

/* ---- associations.c ---- */

/* group [levels]: 0, 1, ... for the commonest levels of a column of categories in the
 * first `tables` tables, equally common ones in their order, and SFI_COMMON_LEVELS for
 * the others.  count [levels] is scratch. */
enum { SFI_COMMON_LEVELS = 30 };
void sfi_number_common(const sfi_mixed *m, int64_t j, int tables,
                       unsigned char *group, int64_t *count);

/* Fill report->pair and report->largest, which are there, from a part of the rows;
 * `variation_rows` of synthetic enter total variations. */
sf_status sfi_compare_pairs(sf_context *ctx, sf_frames_report *report,
                            const sfi_mixed *part, int64_t variation_rows);

#endif
