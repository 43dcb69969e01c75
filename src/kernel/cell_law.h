/* SPDX-License-Identifier: Apache-2.0 */
/* cell_law.h - the law of one cell given the clean one, as numbers.
 *
 * Kernels are expressions; what is asked of a cell between bounds (how likely they are,
 * moments, quantiles) needs its distribution function, which these families have:
 * gaussian, lognormal, beta, integer and category.  Numbers are in the coordinates of
 * the kernels; densities are by x itself, not by its chart, and of what is discrete by
 * counting. */
#ifndef SFI_CELL_LAW_H
#define SFI_CELL_LAW_H

#include "kernel/noise.h"

typedef enum sfi_cell_family {
    SFI_CELL_UNKNOWN = 0,
    SFI_CELL_NORMAL,    /* x ~ N(a, b^2)                                      */
    SFI_CELL_LOGNORMAL, /* ln x ~ N(a, b^2)                                   */
    SFI_CELL_BETA,      /* x ~ beta(a, b)                                     */
    SFI_CELL_INTEGER,   /* the rounded N(a, b^2), from `least` on             */
    SFI_CELL_CATEGORY   /* (1 - b) [x = a] + b prior_x                        */
} sfi_cell_family;

/* Atoms of a column: values with a mass of their own, in the coordinates of its
 * kernel. */
typedef struct sfi_cell_atoms {
    int64_t count;
    const double *at; /* [count] rising                                     */
    const bool
        *between; /* [count + 1] gaps that the other numbers are in     */
    const double *share; /* [count + 1] how often each is in the data; the
                            last: another number                               */
} sfi_cell_atoms;

typedef struct sfi_cell {
    sfi_cell_family family;
    double a, b;
    double least;        /* of whole numbers: 0 or -inf */
    const double *prior; /* [levels] */
    int64_t levels;
    const sfi_cell_atoms
        *atoms;    /* or NULL: what follows says nothing         */
    int64_t atom;  /* the clean one, or their count for another number       */
    double forget; /* lambda                                                 */
    double
        log_open; /* ln of the mass that the family has in the gaps         */
} sfi_cell;

/* Which of them a block is of; SFI_CELL_UNKNOWN: none. */
sfi_cell_family sfi_cell_family_of(const sfi_block *b);

/* NULL if all blocks are of one of them, else why not: what follows "the model ...". */
const char *sfi_cells_why_not(const sfi_noise *noise);

/* The law given x0 at t of a block that is of one of them; `b` must outlive it. */
sfi_cell sfi_cell_at(const sfi_block *b, double x0, double t);

/* The same of a column with atoms, which is a pair of a category (which atom, or none)
 * and a number that is there where it is none:
 *
 *     P(k) = (1 - lambda) [k = k_0] + lambda share_k,    lambda = t,
 *
 * k_0 what x0 is, and a number of its family within the gaps, given that it is one:
 * that of x0, or where x0 is an atom one of the prior, which is the family at t = 1.
 * So draws are atoms exactly or in a gap, whatever the noise.  Densities of numbers are
 * by x, and of atoms by counting. */
sfi_cell sfi_cell_with_atoms(const sfi_block *b, const sfi_cell_atoms *atoms,
                             double x0, double t);

bool sfi_cell_is_discrete(const sfi_cell *c);

/* ln p(x); -inf outside the support. */
double sfi_cell_log_density(const sfi_cell *c, double x);

/* ln P(lower <= x <= upper); -inf where it is 0.  Bounds may be infinite. */
double sfi_cell_log_mass(const sfi_cell *c, double lower, double upper);

/* Mean and variance given lower <= x <= upper, which must have a mass; of levels, which
 * have none, NaN. */
void sfi_cell_moments(const sfi_cell *c, double lower, double upper,
                      double *mean, double *variance);

/* The x of which a cell within the bounds is below with probability p: of what is
 * discrete the first with at least that probability up to it. */
double sfi_cell_quantile(const sfi_cell *c, double lower, double upper,
                         double p);

/* The same of its family, whatever its atoms. */
double sfi_family_log_density(const sfi_cell *c, double x);
double sfi_family_log_mass(const sfi_cell *c, double lower, double upper);
void sfi_family_moments(const sfi_cell *c, double lower, double upper,
                        double *mean, double *variance);
double sfi_family_quantile(const sfi_cell *c, double lower, double upper,
                           double p);

#endif
