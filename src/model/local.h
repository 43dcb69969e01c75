/* SPDX-License-Identifier: Apache-2.0 */
/* local.h - the family "local": each row of a data set stands for a normal
 * distribution of its neighbourhood.
 *
 * N_i is row i and its k nearest rows of the same class, mu_i and S_i their mean and
 * covariance (divisor k).  In standardised columns row i stands for
 *
 *     N(c_i, h^2 ((1 - rho) S_i + rho diag S_i + ridge I)),
 *     c_i = x_i + shrink (mu_i - x_i),
 *
 * the ridge in densities alone, and its levels for (1 - forget) [x = x_i] + forget times their shares in N_i,
 * independently.  A column with atoms is a pair of which atom it is, or none, whose
 * levels are forgotten like others, and a number where it is none: c_i and S_i are of the
 * members of N_i that have one, the deviations of the others being 0, and a row that is
 * an atom has the center mu_i.  Nothing of it is stored but the rows and who is near to whom: S_i has
 * k terms. */
#ifndef SFI_LOCAL_H
#define SFI_LOCAL_H

#include "scorefield/array.h"
#include "scorefield/model.h"

enum { SFI_LOCAL_MOST = 512 }; /* neighbours of a row that are kept, at most */

typedef struct sfi_local {
    sf_cmat data; /* [rows, dim] standardised; numbers of levels  */
    const double
        *neighbours;      /* [rows, kept] nearest first; -1: there is none */
    const double *levels; /* [dim] how many a column has, 0 for numbers   */
    int64_t rows, dim, kept, k;
    int64_t target; /* the column of classes, or -1 */
    double shrink, width, rho, ridge, forget;
    bool agrees; /* draws are to be nearest to a row of their class */
    const sf_model
        *atoms; /* whose schema says which columns have some, or NULL */
} sfi_local;

sfi_local sfi_local_of(const sf_model *m);

/* Whether column j has atoms; the atom that a standardised number is, or -1; and what
 * the number is in the data's units, of an atom to the last bit. */
bool sfi_local_has_atoms(const sfi_local *l, int64_t j);
int64_t sfi_local_atom(const sfi_local *l, int64_t j, double z);
double sfi_local_value(const sf_model *m, const sfi_local *l, int64_t j,
                       double z);

/* Row `row` and those of its `most` nearest that there are: how many in all. */
int64_t sfi_local_members(const sfi_local *l, int64_t row, int64_t most,
                          int64_t members[SFI_LOCAL_MOST + 1]);

/* The distance of two rows: the sum over columns but the target of the gaps of
 * numbers, and of 1 for levels that differ.  Beyond `bound` any number above it. */
double sfi_local_distance(const sfi_local *l, const double *a, const double *b,
                          double bound);

/* Densities of a local model.  SF_OK or SF_E_NOMEM. */
typedef struct sfi_local_law sfi_local_law;
sf_status sfi_local_law_new(const sf_model *m, sfi_local_law **out);
void sfi_local_law_free(sfi_local_law *law);

/* ln p at standardised points y [n, dim]; out[i * stride].  SF_OK, SF_E_NUMERIC (a
 * covariance without an inverse) or SF_E_NOMEM. */
sf_status sfi_local_law_run(sfi_local_law *law, sf_cmat y, double *out,
                            int64_t stride);

#endif
