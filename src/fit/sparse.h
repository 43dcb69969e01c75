/* SPDX-License-Identifier: Apache-2.0 */
/* sparse.h - a quadratic that is a sum of blocks, with a penalty on some numbers. */
#ifndef SFI_SPARSE_H
#define SFI_SPARSE_H

#include "fit/design.h"

/* Q = b.t + t.H t / 2 + (multiplier - 1) sum_k H_kk t_k^2 / 2. */
typedef struct sfi_sparse {
    sf_context *ctx;
    int64_t numbers, blocks, block_most;
    int64_t *first;    /* [blocks + 1] of a block's numbers in `index` */
    int64_t *index;    /* which number each is */
    double **block;    /* [blocks] [size, size] */
    int64_t *uses;     /* [numbers + 1] of a number's places in `place` */
    int64_t *place;    /* where in `index` it is */
    int64_t *block_at; /* the block of that place */
    double *b;         /* [numbers] */
    double *diagonal;  /* [numbers] of H */
    double multiplier;
    bool *penalty;    /* [numbers] */
    double *estimate; /* [numbers] t */
    double *slope;    /* [numbers] of Q there */
    int64_t *active;  /* [numbers] work space, as the next two */
    double *work;     /* [5 numbers] */
    double *local;    /* [block_most] */
} sfi_sparse;

/* Of a design that has been taken.  b and penalty are for the caller to set; t is 0.
 * SF_OK or SF_E_NOMEM; sfi_sparse_free() either way. */
sf_status sfi_sparse_new(sf_context *ctx, sfi_sparse *s,
                         const sfi_design *design, int64_t numbers);
void sfi_sparse_free(sfi_sparse *s);

/* Take the slope of t anew. */
void sfi_sparse_slope(sfi_sparse *s);

/* Go down from t to the minimum of Q + lambda sum |t_p|, until no number's slope
 * changes by more than `tolerance`; false if it does not come to one. */
bool sfi_sparse_descend(sfi_sparse *s, double lambda, double tolerance);

/* How far from it t is, the slope being that of t. */
double sfi_sparse_violation(const sfi_sparse *s, double lambda);

/* b.t + t.H t / 2, without the multiplier. */
double sfi_sparse_value(const sfi_sparse *s);

/* Minimise b.t + t.H t / 2 over the numbers that are listed, ascending; *value NaN
 * where that has no single minimum. */
sf_status sfi_sparse_refit(const sfi_sparse *s, int64_t count,
                           const int64_t *support, double *estimate,
                           double *value);

#endif
