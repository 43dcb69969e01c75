/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_job.h - the parts of fitting an imputer to a table: its components
 * (imputer_components.c), what is found by hiding cells (imputer_guess.c), and the
 * whole (imputer_fit.c). */
#ifndef SFI_IMPUTER_JOB_H
#define SFI_IMPUTER_JOB_H

#include "impute/imputer.h"
#include "num/patterns.h"

typedef struct sfi_imputer_job {
    sf_context *ctx;
    const sf_imputer_options *o;
    const sf_imputer *m; /* what its columns are; without components        */
    int64_t room;        /* rows of the table                                */
    int64_t n, d;        /* rows with a cell; columns                        */
    int64_t *row;        /* [n] where they are in the table                  */
    double *z;           /* [n, d] numbers standardised, levels as they are  */
    int64_t classes;     /* 1 without a target                               */
    double *centre;      /* [classes, numbers] means of numbers              */
    double *s;           /* [numbers, numbers] their covariance in a class   */
    int64_t *donor;      /* [donors] rows that explain, in random order      */
    int64_t donors;
    int64_t *own; /* [n] the component that a row is, or -1                  */
    double bandwidth, forget;
} sfi_imputer_job;

/* Find centre and s, of the numbers that z has.  SF_OK; SF_E_NUMERIC (singular),
 * SF_E_CANCELLED, SF_E_NOMEM. */
sf_status sfi_imputer_moments(const sfi_imputer_job *j);

/* Give m, whose columns are those of j->m, the first `count` donors as components, and
 * set j->own.  SF_OK; SF_E_NUMERIC (singular), SF_E_NOMEM. */
sf_status sfi_imputer_components(const sfi_imputer_job *j, int64_t count,
                                 sf_imputer *m);

/* The patterns of the numbers of rows z[row[i]] of the table, row NULL: of all n.
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_imputer_patterns(const sfi_imputer_job *j, const int64_t *row,
                               int64_t n, sfi_patterns **out);

/* How many donors may be had for `queries` rows whose numbers have `patterns` patterns
 * where the donors' have at most `most_patterns`, in `work` multiplications. */
int64_t sfi_imputer_affordable(const sfi_imputer_job *j, int64_t queries,
                               int64_t patterns, int64_t most_patterns,
                               double work);

/* Set j->bandwidth and j->forget to those of the options, or those by which hidden
 * cells are guessed best, and tell the report.  Returns as the above. */
sf_status sfi_imputer_guess(sfi_imputer_job *j, sf_imputer_report *report);

#endif
