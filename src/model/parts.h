/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - a mixture of normal distributions whose components come in groups that
 * share a covariance: a Gaussian is one of one, a fitted mixture groups of one, a kernel
 * estimate one group of all rows.  What is given of a row splits each group once
 * (num/split.h). */
#ifndef SFI_PARTS_H
#define SFI_PARTS_H

#include "base/context.h"
#include "num/split.h"

typedef struct sfi_parts {
    int64_t dim, count, groups;
    double *log_weight; /* [count], of weights that sum to 1          */
    double *mean;       /* [count, dim]                               */
    int64_t *first;     /* [groups + 1]: a group's components         */
    double *covariance; /* [groups, dim, dim]                         */
} sfi_parts;

/* Arrays to be filled.  SF_OK or SF_E_NOMEM. */
sf_status sfi_parts_new(sf_context *ctx, sfi_parts *p, int64_t dim,
                        int64_t count, int64_t groups);
/* What was zeroed, or freed before, is allowed. */
void sfi_parts_free(sf_context *ctx, sfi_parts *p);

/* ---- given some columns ---------------------------------------------------------- */

/* The components given columns of a pattern.  `others` are the m columns that are not
 * given, in their order, index [m]. */
typedef struct sfi_given {
    const sfi_parts *parts;
    int64_t given, others;
    const int64_t *index; /* [others], of the model            */
    sfi_split *split;     /* [groups]                          */
    double *white;        /* [count, given] whitened means     */
    double *still;        /* [count, others] mean_m - B mean_o */
} sfi_given;

/* What they say of one point; several may be asked at a time. */
typedef struct sfi_point {
    double *weight;   /* [count] posterior, sums to 1                         */
    double *mean;     /* [count, others]                                      */
    double *z, *line; /* [dim] scratch                                        */
    double
        log_density; /* of what was given                                    */
} sfi_point;

/* Room for any pattern; `parts` must outlive it.  SF_OK or SF_E_NOMEM. */
sf_status sfi_given_new(sf_context *ctx, sfi_given *g, const sfi_parts *parts);
void sfi_given_free(sf_context *ctx, sfi_given *g);
sf_status sfi_point_new(sf_context *ctx, sfi_point *p, const sfi_parts *parts);
void sfi_point_free(sf_context *ctx, sfi_point *p, const sfi_parts *parts);

/* Which columns are given.  SF_OK; SF_E_NUMERIC (a covariance that is singular in
 * these). */
sf_status sfi_given_columns(sf_context *ctx, sfi_given *g,
                            const unsigned char *present);

/* What they hold: the cells of x [dim] that are present. */
void sfi_given_at(const sfi_given *g, const double *x, sfi_point *p);

/* The same where component k counts exp(log_factor[k]) times, -INFINITY being 0 times;
 * one of them counts. */
void sfi_given_weighed(const sfi_given *g, const double *x,
                       const double *log_factor, sfi_point *p);

/* Covariance [others, others] of component k. */
const double *sfi_given_covariance(const sfi_given *g, int64_t k);

/* The group that component k is in. */
int64_t sfi_parts_group(const sfi_parts *p, int64_t k);

#endif
