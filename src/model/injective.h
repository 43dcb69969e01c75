/* SPDX-License-Identifier: Apache-2.0 */
/* injective.h - injective flows, the family "injective": K latent variables, carried to d
 * columns by an invertible map F of which d - K inputs are 0,
 *
 *     y = F(z, 0) + s n,     z ~ N(0, I_K),  n ~ N(0, I_d),     code  z = (F^-1(y))_1..K
 *
 * (E. Cunningham et al., Principal component flows, 2022, section 5). */
#ifndef SFI_INJECTIVE_H
#define SFI_INJECTIVE_H

#include "model/coupling_flow.h"
#include "model/hadamard.h"

enum { SFI_INJECTIVE_LATENT = SFI_HADAMARD_COLUMNS };

/* The numbers of such a model, at most SFI_MAX_NUMBERS; returns how many. */
int sfi_injective_numbers(sfi_number *out, const sfi_flow_shape *shape,
                          int64_t latent);

/* The loss of a row y = F(z, r) [d] with the code z and J = dF/dz,
 *
 *     -ln N(z) + (1/2) ln det J'J + principal I(J'J) + 100 |y - F(z, 0)|^2/2,
 *
 * of which the first two are -ln of a density on the K-dimensional contour through the row.
 * I >= 0 is 0 where the columns of J are orthogonal (hadamard.h).  J is taken at the row: where
 * it projects it could shrink to a point, which costs no more than the spread of the rows.
 * The last term has the precision of a tenth of the columns' scale; a weaker one lets contours
 * tilt to where rows are dense (with 10 the manifold of an arc whose noise is 0.15 lies 0.33
 * beside the rows).  A noise that is learned in its place would leave open which directions
 * are those of the noise. */
sf_node sfi_injective_loss(const sf_model *m, sf_graph *g, sf_node y,
                           const sf_node *weights);

/* Its noise s in y, which is not trained. */
void sfi_injective_take_noise(sf_model *m, double sd);

#endif
