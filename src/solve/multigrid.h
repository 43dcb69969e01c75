/* SPDX-License-Identifier: Apache-2.0 */
/* multigrid.h - an approximate inverse of an action's Hessian, for conjugate gradients.
 *
 * One V-cycle: Chebyshev polynomials of D^-1 H, D the diagonal, damp what a grid is too
 * coarse to carry over to a coarser one; there the same action of fewer points stands for
 * the rest; on the coarsest the matrix itself is factored.  An axis is halved while points
 * along it hold together a quarter as strongly as along the axis where they do most, so that
 * stretched cells become square ones first.  The cycle is symmetric and positive definite
 * where H is; without any order among points, it has the same bits for any number of
 * threads.
 *
 * W. L. Briggs, V. E. Henson and S. F. McCormick, A Multigrid Tutorial (2000), 3 and 7;
 * M. Adams et al., J. Comput. Phys. 188 (2003) 593-610, for the polynomials. */
#ifndef SFI_MULTIGRID_H
#define SFI_MULTIGRID_H

#include "action/action.h"

typedef struct sfi_multigrid sfi_multigrid;

/* Levels for an action, which is to outlive them, and its Hessian times sign at x
 * [unknowns][points].
 *
 * Returns SF_OK; SF_E_NOMEM; what making an action does.  On failure *out is NULL. */
sf_status sfi_multigrid_new(sf_action *a, const double *x, double sign,
                            sfi_multigrid **out);
void sfi_multigrid_free(sfi_multigrid *m);

/* Take the Hessian at another x. */
sf_status sfi_multigrid_at(sfi_multigrid *m, const double *x);

/* Whether the diagonal is positive on all levels, and the coarsest matrix definite; else
 * the cycle is not to be applied. */
bool sfi_multigrid_is_definite(const sfi_multigrid *m);

/* z ~ H^-1 r, both [unknowns][points]; 0 at pinned points. */
sf_status sfi_multigrid_apply(sfi_multigrid *m, const double *r, double *z);

/* Levels, the finest among them. */
int sfi_multigrid_levels(const sfi_multigrid *m);

#endif
