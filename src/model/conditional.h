/* SPDX-License-Identifier: Apache-2.0 */
/* conditional.h - what a conditional distribution is made of. */
#ifndef SFI_CONDITIONAL_H
#define SFI_CONDITIONAL_H

#include "model/conditional_product.h"
#include "model/parts.h"
#include "scorefield/condition.h"

struct sf_conditional {
    sf_context *ctx;
    int64_t dim;                /* d                                          */
    sfi_product_given *product; /* all there is, of a data set under kernels of
                                   one column each; else NULL, and what follows */
    int64_t others, intervals;  /* m, r                                       */
    sfi_parts parts;
    sfi_given given;
    sfi_point point;
    double *value;         /* [d] of columns that are known                  */
    int64_t *order;        /* [m] of `others`: those with intervals first    */
    double *lower, *upper; /* [m] in that order                              */
    double *factor;        /* [groups, m, m] T                               */
    double *first;         /* [count] weight times e_1, cumulated            */
    double log_density, log_probability, se;
};

/* sf_conditional_new() with levels [dim] of columns of categories: [levels] of what is
 * allowed, or NULL. */
sf_status sfi_conditional_new(sf_context *ctx, sf_conditional **out,
                              const sf_model *m, const double *lower,
                              const double *upper,
                              const unsigned char *const *levels);

/* T of component k. */
static inline const double *sfi_factor_of(const sf_conditional *c, int64_t k)
{
    return c->factor + sfi_parts_group(&c->parts, k) * c->others * c->others;
}

/* Its mean of column i in the order. */
static inline double sfi_mean_of(const sf_conditional *c, int64_t k, int64_t i)
{
    return c->point.mean[k * c->others + c->order[i]];
}

/* The column of the model that is number i in the order. */
static inline int64_t sfi_column_of(const sf_conditional *c, int64_t i)
{
    return c->given.index[c->order[i]];
}

/* Bounds of z_i, where `at` is what x_i is for z_i = 0. */
static inline void sfi_bounds_of(const sf_conditional *c, const double *t,
                                 int64_t i, double at, double *a, double *b)
{
    const double scale = t[i * c->others + i];
    *a = (c->lower[i] - at) / scale;
    *b = (c->upper[i] - at) / scale;
}

#endif
