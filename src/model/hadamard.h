/* SPDX-License-Identifier: Apache-2.0 */
/* hadamard.h - how far from orthogonal the columns of a Jacobian are, as expressions. */
#ifndef SFI_HADAMARD_H
#define SFI_HADAMARD_H

#include "scorefield/graph.h"

/* With more columns the factors, which are written out, are too large a graph. */
enum { SFI_HADAMARD_COLUMNS = 8 };

/* M = J'J of df/dz [d, k], each row of J times scale, [d], [1] or of id -1 for none. */
sf_node sfi_gram(sf_graph *g, sf_node f, sf_node z, sf_node scale);

/* I = sum_k (1/2) ln M_kk - (1/2) ln det M >= 0 (J. Hadamard) of M [k, k], positive definite,
 * k <= SFI_HADAMARD_COLUMNS; 0 where the columns of J are orthogonal. */
sf_node sfi_hadamard(sf_graph *g, sf_node m, int64_t k);

/* sum_k (1/2) ln M_kk. */
sf_node sfi_half_log_diagonal(sf_graph *g, sf_node m, int64_t k);

#endif
