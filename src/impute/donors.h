/* SPDX-License-Identifier: Apache-2.0 */
/* donors.h - categories of the rows that explain others: what a row's levels say of
 * them, and what they say of its levels.
 *
 * Donor k says of a category
 *
 *     P(x) = (1 - forget) [x = x_k] + forget pi_x,    pi_x where it has no level,
 *
 * pi the proportions in the class of k, as they are with one more row that is
 * divided as the whole table is, so that no level of the table is impossible.  The
 * target never forgets: donors of another class say nothing, unless the class has no
 * other donor. */
#ifndef SFI_DONORS_H
#define SFI_DONORS_H

#include "base/context.h"
#include "scorefield/array.h"

typedef struct sfi_donors {
    int64_t count;           /* categories, without the target                */
    int64_t donors, classes; /* 1 class without a target                      */
    int64_t target;          /* its column, or -1                             */
    int64_t *column;         /* [count] of the table                          */
    int64_t *first;          /* [count + 1] where a category's levels begin   */
    double *share;           /* [classes, first[count]] pi                    */
    int32_t *cell;           /* [donors, count] levels, -1: missing           */
    int32_t *class_of;       /* [donors]                                      */
    int64_t *members;        /* [classes] donors                              */
    double forget;
} sfi_donors;

/* Room for categories of these columns and numbers of levels [count], the target of
 * `classes` levels.  SF_OK or SF_E_NOMEM, and then *l is zero. */
sf_status sfi_donors_new(sf_context *ctx, sfi_donors *l, int64_t count,
                         const int64_t *column, const int64_t *levels,
                         int64_t target, int64_t classes, int64_t donors);
/* Zeroed is allowed. */
void sfi_donors_free(sf_context *ctx, sfi_donors *l);

/* Take proportions from rows z of the table (NaN: missing), and the donors
 * row[donors] of it, which all have their class. */
void sfi_donors_set(sfi_donors *l, sf_cmat z, const int64_t *row);

/* out [donors] = ln of the factor by which a row x of the table's columns weighs them;
 * donor `without` (-1: none) weighs nothing. */
void sfi_donors_weigh(const sfi_donors *l, const double *x, int64_t without,
                      double *out);

/* out = the probabilities of the levels of category c (`count`: of the target), given
 * the donors' weights [donors], which sum to 1. */
void sfi_donors_mix(const sfi_donors *l, int64_t c, const double *weight,
                    double *out);

/* The level that donor k says for category c, from u in (0, 1), and another such
 * number; of the target its class. */
int64_t sfi_donors_draw(const sfi_donors *l, int64_t c, int64_t k, double u,
                        double v);

/* How many levels category c has. */
static inline int64_t sfi_donors_level_count(const sfi_donors *l, int64_t c)
{
    return c == l->count ? l->classes : l->first[c + 1] - l->first[c];
}

/* The level that donor k has of category c < count; INT64_MAX where it is missing. */
static inline int64_t sfi_donors_level(const sfi_donors *l, int64_t c,
                                       int64_t k)
{
    const int32_t own = l->cell[k * l->count + c];
    return own < 0 ? INT64_MAX : own;
}

/* The column of the table that category c is. */
static inline int64_t sfi_donors_column(const sfi_donors *l, int64_t c)
{
    return c == l->count ? l->target : l->column[c];
}

/* How many categories there are with the target. */
static inline int64_t sfi_donors_categories(const sfi_donors *l)
{
    return l->count + (l->target >= 0 ? 1 : 0);
}

#endif
