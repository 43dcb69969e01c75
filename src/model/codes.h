/* SPDX-License-Identifier: Apache-2.0 */
/* codes.h - where the rows were that an autoencoder was trained on: the aggregate
 * posterior
 *
 *     q(z) = (1/C) sum_i q(z | y_i),   q(z | y_i) = N(m_i, F_i F_i')
 *
 * of C of its rows, which is what the decoder has seen, while N(0, I) is what it was meant
 * to see.  Draws of q(z), decoded, are more like the data where the two differ; they can
 * come close to copying rows. */
#ifndef SFI_CODES_H
#define SFI_CODES_H

#include "model/model.h"

/* At most so many rows are kept, fewer where F is a matrix of many numbers. */
enum {
    SFI_CODES_ROWS = 10000,
    SFI_CODES_CELLS = 1 << 20,
    SFI_CODES_LATENT = 32 /* the most latent variables */
};
int64_t sfi_codes_room(int64_t rows, int64_t latent, bool full);

/* Declare the fixed weights of the number "codes", if it is there and above 0:
 * codes.mean [C, K], and codes.sd [C, K], or, if F is `full`, codes.factor [C, K, K], a
 * lower triangle.  After all others.  SF_OK, SF_E_FORMAT or SF_E_NOMEM. */
sf_status sfi_codes_declare(sf_model *m, int64_t latent, bool full);
/* SF_OK, or SF_E_FORMAT: a standard deviation that is negative. */
sf_status sfi_codes_check(const sf_model *m);

/* How many there are, C. */
int64_t sfi_codes_count(const sf_model *m);

/* A copy of m, which has none, that keeps C of them: mean [C, K], and spread [C, K] or
 * [C, K, K].  SF_OK or SF_E_NOMEM. */
sf_status sfi_codes_keep(const sf_model *m, int64_t count, const double *mean,
                         const double *spread, sf_model **out);

/* Draw z [n, K] of q(z): row i is a function of the seed and of first + i. */
void sfi_codes_draw(const sf_model *m, uint64_t seed, int64_t first, sf_mat z);

#endif
