/* SPDX-License-Identifier: Apache-2.0 */
/* block_chain.c - Cholesky's factor of a block tridiagonal matrix:
 *
 *     L_i L_i' = A_ii - C_i' C_i,      C_(i+1) = L_i^-1 A_(i, i+1),     C_0 = 0 */
#include "latent/block_chain.h"

/* c [n, n] <- L^-1 c, column by column. */
static void divide_block(const double *l, double *c, int n)
{
    double column[SFI_SMALL_MAX];
    for (int j = 0; j < n; j++) {
        for (int i = 0; i < n; i++)
            column[i] = c[i * n + j];
        sfi_small_lower_solve(l, n, column);
        for (int i = 0; i < n; i++)
            c[i * n + j] = column[i];
    }
}

/* a <- a - c'c, the lower triangle. */
static void subtract_square(double *a, const double *c, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            for (int k = 0; k < n; k++)
                a[i * n + j] -= c[k * n + i] * c[k * n + j];
}

bool sfi_block_chain_factor(double *diagonal, double *above, int64_t m, int n)
{
    const int64_t block = (int64_t)n * n;
    for (int64_t i = 0; i < m; i++) {
        double *l = diagonal + i * block;
        if (i > 0)
            subtract_square(l, above + (i - 1) * block, n);
        if (!sfi_small_cholesky(l, l, n))
            return false;
        if (i + 1 < m)
            divide_block(l, above + i * block, n);
    }
    return true;
}

void sfi_block_chain_solve(const double *diagonal, const double *above,
                           int64_t m, int n, double *b)
{
    const int64_t block = (int64_t)n * n;
    for (int64_t i = 0; i < m; i++) {
        double *to = b + i * n;
        for (int j = 0; j < n && i > 0; j++)
            for (int k = 0; k < n; k++)
                to[j] -= above[(i - 1) * block + k * n + j] * to[k - n];
        sfi_small_lower_solve(diagonal + i * block, n, to);
    }
    for (int64_t i = m - 1; i >= 0; i--) {
        double *to = b + i * n;
        for (int j = 0; j < n && i + 1 < m; j++)
            for (int k = 0; k < n; k++)
                to[j] -= above[i * block + j * n + k] * to[n + k];
        sfi_small_lower_solve_t(diagonal + i * block, n, to);
    }
}
