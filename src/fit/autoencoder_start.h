/* SPDX-License-Identifier: Apache-2.0 */
/* autoencoder_start.h - where the training of an autoencoder begins. */
#ifndef SFI_FIT_AUTOENCODER_START_H
#define SFI_FIT_AUTOENCODER_START_H

#include "model/model.h"

/* Give a "vae" m the weights of the probabilistic principal components of standardised
 * rows y [n, d], and *pca, which the caller frees, those components as a model in the units
 * of m's columns.  SF_OK, or what sf_fit_pca() returns; on failure *pca is NULL. */
sf_status sfi_autoencoder_start(sf_model *m, const float *y, int64_t rows,
                                uint64_t seed, sf_model **pca);

#endif
