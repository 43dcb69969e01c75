/* SPDX-License-Identifier: Apache-2.0 */
/* manifold.h - principal manifolds, the family "manifold": a decoder f whose image is near
 * the rows, an encoder h that projects on it, and nothing about where on it they are. */
#ifndef SFI_MANIFOLD_H
#define SFI_MANIFOLD_H

#include "model/autoencoder.h"
#include "model/hadamard.h"

enum { SFI_MANIFOLD_LATENT = SFI_HADAMARD_COLUMNS };

/* The numbers of such a model, at most SFI_MAX_NUMBERS; returns how many.  `principal` is
 * the weight of the information in its loss. */
int sfi_manifold_numbers(sfi_number *out, const sfi_autoencoder_shape *shape,
                         double principal);

/* The loss of a row y [d],
 *
 *     |L^-1 (y - f(h(y)))|^2/2 + ln det L + (d/2) ln 2 pi + principal I,
 *     I = sum_k (1/2) ln M_kk - (1/2) ln det M,   M = J' (L L')^-1 J,  J = df/dz at h(y)
 *
 * with the standard deviations L of the noise, which are learned.  I >= 0 (J. Hadamard),
 * and 0 where the columns of J are orthogonal (E. Cunningham et al., Principal component
 * flows, 2022): then each latent variable alone follows a principal direction. */
sf_node sfi_manifold_loss(const sf_model *m, sf_graph *g, sf_node y,
                          const sf_node *weights);

/* The noise, by the squares [d] of what rows miss in y, their mean: of each of the d columns
 * a part of (d - K)/d is left, since K directions are fitted. */
void sfi_manifold_take_noise(sf_model *m, const double *squares);

/* Give the latent variables of rows, whose means and standard deviations are mean and sd
 * [K], the mean 0 and the standard deviation 1, and change nothing else. */
void sfi_manifold_standardise(sf_model *m, const double *mean,
                              const double *sd);

#endif
