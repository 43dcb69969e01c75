/* SPDX-License-Identifier: Apache-2.0 */
/* em.h - a mixture of normal distributions with K components, by expectation and
 * maximisation; cells may be missing (NaN). */
#ifndef SFI_EM_H
#define SFI_EM_H

#include "base/context.h"
#include "scorefield/array.h"

/* Components in standardised columns. */
typedef struct sfi_components {
    int64_t count, dim;
    double *weight;     /* [count]           */
    double *mean;       /* [count, dim]      */
    double *covariance; /* [count, dim, dim] */
} sfi_components;

typedef struct sfi_em_options {
    int64_t starts, iterations;
    double tolerance;
    uint64_t seed;
    double pseudo_rows; /* < 0: the conjugate prior; else as many rows whose
                           scatter is the prior's scale, 0 for no prior */
} sfi_em_options;

typedef struct sfi_em_result {
    double log_likelihood; /* of all rows           */
    double posterior;      /* with the log prior    */
    int64_t iterations;
    bool converged;
} sfi_em_result;

typedef struct sfi_em sfi_em;

/* Plan for rows y [n, d], standardised, of which a copy is kept, with the prior's scale
 * `correlation` [d, d] and up to `most` components.  Each row has a cell that is not
 * missing.  SF_OK or SF_E_NOMEM. */
sf_status sfi_em_new(sf_context *ctx, sfi_em **out, sf_cmat y,
                     const double *correlation, int64_t most);
void sfi_em_free(sfi_em *e);

/* Fit `out->count` components, which is at most the plan's and the rows', into
 * the arrays of *out.  SF_OK, SF_E_NUMERIC, SF_E_CANCELLED. */
sf_status sfi_em_fit(sfi_em *e, sfi_components *out, const sfi_em_options *o,
                     sfi_em_result *result);

/* Go on from the components in *c, of other rows. */
sf_status sfi_em_refine(sfi_em *e, sfi_components *c, const sfi_em_options *o,
                        sfi_em_result *result);

#endif
