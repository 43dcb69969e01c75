/* SPDX-License-Identifier: Apache-2.0 */
/* block_chain.h - symmetric matrices of m x m blocks of n x n numbers, of which only
 * those on the diagonal and beside it are not zero: what a chain of m points leads to,
 * each of which meets its neighbours.  O(m n^3). */
#ifndef SFI_LATENT_BLOCK_CHAIN_H
#define SFI_LATENT_BLOCK_CHAIN_H

#include "num/small.h"

/* A = L L' in place, n <= SFI_SMALL_MAX: diagonal [m, n, n], and above [m-1, n, n],
 * block (i, i+1) of A, become the lower triangles of L's diagonal and its blocks
 * below, transposed.  False where A is not positive definite; then they hold nothing
 * of use. */
bool sfi_block_chain_factor(double *diagonal, double *above, int64_t m, int n);

/* b [m, n] <- A^-1 b of a factored A. */
void sfi_block_chain_solve(const double *diagonal, const double *above,
                           int64_t m, int n, double *b);

#endif
