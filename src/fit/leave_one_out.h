/* SPDX-License-Identifier: Apache-2.0 */
/* leave_one_out.h - the likelihood of rows under all others, each of which rests at
 * some noise. */
#ifndef SFI_LEAVE_ONE_OUT_H
#define SFI_LEAVE_ONE_OUT_H

#include "fit/neighbours.h"
#include "scorefield/program.h"

/* No row rests at less: below it nothing is resolved by doubles or by a plot. */
#define SFI_LEAST_TIME 1e-5

typedef struct sfi_left_out {
    sf_context *ctx;
    const sf_model *m;
    int64_t n, columns, d; /* distinct rows, their columns, numbers of y */
    int64_t copies;
    double *x, *y;       /* [n, columns] them, and [n, d] in the chart      */
    double *log_weights; /* [n] of all their copies, together               */
    int64_t *of;         /* [all rows] which distinct row each one is       */
    int64_t all;
    int64_t rows;      /* that are left out, one by one                   */
    int64_t *left_out; /* [rows]                                          */
    double *points;    /* [rows, d]                                       */
    double *volume;    /* [rows] ln |dx/dy|                               */
    double *logp;      /* [rows]                                          */
    double *times;     /* [n]                                             */
    double mass;       /* of all weights                                  */
    sfi_mixture *mixture;
    sf_program *pair; /* ln p of a kernel, for a point, a datum and a time */
    int64_t evaluations;

    double floor;      /* its weight, or < 0: what is best */
    double *log_floor; /* [rows] ln of the law at t = 1 */

    /* With a time for each row. */
    sfi_neighbours near;
    double *distance; /* [n] to the K-th neighbour, over their mean; or NULL */
    int64_t *place;   /* [n] of a row among those that are left out, or -1   */
    double *top, *share;          /* [rows] of change_likelihoods() */
    int64_t changes, change_room; /* pairs whose datum has another distance
                                     without the point ... */
    int64_t *change_point, *change_datum; /* [2 change_room] */
    double *change_distance, *change_time, *change_term;
    int64_t *again_point, *again_datum; /* [n] of sum_again() */
    double *again_time, *again_term;
} sfi_left_out;

/* What an h gives. */
typedef struct sfi_left_out_result {
    double h, mean, se, floor;
} sfi_left_out_result;

/* The rows of the data that m, an empirical model, holds, and those that are left out:
 * `wanted` of them, 0: as many as make 10^7 pairs.  `floor` is the weight of the law at
 * t = 1, or < 0: the best one for each h.  SF_OK; SF_E_ARG (all rows are copies of
 * one), SF_E_NOMEM.  On failure, too, it is to be closed. */
sf_status sfi_left_out_open(sfi_left_out *s, const sf_model *m, int64_t wanted,
                            uint64_t seed, double floor);
void sfi_left_out_close(sfi_left_out *s);

/* Before the first likelihood: all rows rest at one time, or each at its own, by its
 * distance to neighbour K <= most, which sfi_left_out_distances() then chooses.
 * SF_OK, SF_E_NUMERIC, SF_E_NOMEM. */
sf_status sfi_left_out_alike(sfi_left_out *s);
sf_status sfi_left_out_each(sfi_left_out *s, int64_t most);
sf_status sfi_left_out_distances(sfi_left_out *s, int64_t k);

/* Mean and standard error of the rows' log density under all others, as a density of
 * the data, at time h, or h times each row's distance.  SF_OK, SF_E_CANCELLED. */
sf_status sfi_left_out_likelihood(sfi_left_out *s, double h,
                                  sfi_left_out_result *out);

#endif
