/* SPDX-License-Identifier: Apache-2.0 */
/* hadamard.c - Hadamard's inequality of a Gram matrix as a graph: ln det M comes from the
 * factors of Cholesky, written out entry by entry. */
#include "model/hadamard.h"

sf_node sfi_gram(sf_graph *g, sf_node f, sf_node z, sf_node scale)
{
    sf_node j = sf_jacobian(g, f, z);
    const int64_t column[] = {sf_node_extent(g, f, 0), 1};
    if (scale.id >= 0 && sf_node_extent(g, scale, 0) > 1)
        j = sf_mul(g, sf_reshape(g, scale, 2, column), j);
    else if (scale.id >= 0)
        j = sf_mul(g, sf_reshape(g, scale, 0, NULL), j);
    return sf_matmul(g, sf_transpose(g, j), j);
}

static sf_node cell(sf_graph *g, sf_node matrix, int64_t i, int64_t j)
{
    const sf_node row = sf_slice(g, matrix, 0, i, 1, 1);
    return sf_reshape(g, sf_slice(g, row, 1, j, 1, 1), 0, NULL);
}

/* sum_k ln M_kk / 2 - ln det M / 2 by the factors of Cholesky, written out. */
sf_node sfi_hadamard(sf_graph *g, sf_node m, int64_t k)
{
    sf_node l[SFI_HADAMARD_COLUMNS][SFI_HADAMARD_COLUMNS];
    sf_node sum = sf_const(g, 0.0);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j <= i; j++) {
            sf_node rest = cell(g, m, i, j);
            for (int64_t a = 0; a < j; a++)
                rest = sf_sub(g, rest, sf_mul(g, l[i][a], l[j][a]));
            if (j < i) {
                l[i][j] = sf_div(g, rest, l[j][j]);
                continue;
            }
            /* ln M_ii/2 - ln l_ii */
            const sf_node ratio = sf_div(g, cell(g, m, i, i), rest);
            sum = sf_add(g, sum, sf_log(g, ratio));
            l[i][i] = sf_sqrt(g, rest);
        }
    return sf_mul(g, sf_const(g, 0.5), sum);
}

sf_node sfi_half_log_diagonal(sf_graph *g, sf_node m, int64_t k)
{
    sf_node sum = sf_const(g, 0.0);
    for (int64_t i = 0; i < k; i++)
        sum = sf_add(g, sum, sf_log(g, cell(g, m, i, i)));
    return sf_mul(g, sf_const(g, 0.5), sum);
}
