/* SPDX-License-Identifier: Apache-2.0 */
/* outer.h - what a model with kernels says in its chart, in the data's own units.
 *
 * With y = Y(x), the chart of (x - mean)/scale, and ln p(y) = ln p(x) + S(y),
 *
 *     score       Y'(x)^T s_y - grad S(Y(x))      as a function of x ...
 *     jacobian    ... and its derivative, where s_y changes by its own Jacobian
 *     velocity    X'(y) u_y,   X the inverse of Y
 *     divergence  div u_y + u_y.grad S(y)
 *
 * so all of it are derivatives of the two charts, which the graph takes. */
#ifndef SFI_OUTER_H
#define SFI_OUTER_H

#include "model/model.h"

typedef struct sfi_outer sfi_outer;

/* For these wants (SFI_WANT_SCORE to SFI_WANT_DIVERGENCE); a Jacobian
 * needs the score too, a divergence the drift.  SF_OK or SF_E_NOMEM. */
sf_status sfi_outer_new(const sf_model *m, sfi_outer **out, unsigned wants);
void sfi_outer_free(sfi_outer *o);

/* n points x [n, dim] and y [n, inner] with what was computed for them (inner.c), by bits
 * of the wants, to `to`: an array [n, columns] with its stride for each want. */
sf_status sfi_outer_run(sfi_outer *o, int64_t n, sf_cmat x, const double *y,
                        const double *const *from, const sf_mat *to);

/* Bits of the wants above. */
enum { SFI_OUTER_WANTS = 5 };

#endif
