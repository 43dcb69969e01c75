/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - the latent points of a block of rows. */
#ifndef SFI_LATENT_SEARCH_H
#define SFI_LATENT_SEARCH_H

#include "latent/codebook.h"
#include "latent/programs.h"

typedef struct sfi_latent_search sfi_latent_search;

/* What the search knows of a row. */
typedef struct sfi_latent_found {
    bool defined;       /* f was finite at a start */
    bool converged;     /* see sf_latent_result */
    bool ambiguous;     /* likewise */
    int64_t iterations; /* of its slowest start */
} sfi_latent_found;

/* Room for blocks of `most` rows.  SF_OK or SF_E_NOMEM; on failure *out is NULL.
 * The programs must outlive it. */
sf_status sfi_latent_search_new(sf_context *ctx, sfi_latent_search **out,
                                const sf_decoder *d,
                                sfi_latent_programs *programs,
                                const sf_latent_options *o, int64_t most);
void sfi_latent_search_free(sfi_latent_search *s);

/* The best points z [count, K] of the rows from `first` on of the programs' x; NaN
 * where a row is not defined. */
sf_status sfi_latent_search_run(sfi_latent_search *s, int64_t first,
                                int64_t count, double *z,
                                sfi_latent_found *found);

/* Where -H has an eigenvalue this small beside the largest, the point is not
 * determined. */
static const double sfi_latent_singular = 1e-10;

/* 1 if the symmetric matrix -H is positive definite, 0 if it is singular, -1 else; a
 * copy of it, which is overwritten.  lowest [K] receives the unit vector of its least
 * eigenvalue. */
int sfi_latent_kind(double *minus_hessian, int latent, double *lowest);

#endif
