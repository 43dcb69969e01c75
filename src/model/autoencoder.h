/* SPDX-License-Identifier: Apache-2.0 */
/* autoencoder.h - variational autoencoders, the family "vae", for models and trainers. */
#ifndef SFI_AUTOENCODER_H
#define SFI_AUTOENCODER_H

#include "model/codes.h"

/* What one is made of; a manifold (manifold.h) is made of the same. */
typedef struct sfi_autoencoder_shape {
    int64_t
        latent; /* K, 1 to d - 1 and at most SFI_AUTOENCODER_LATENT        */
    int64_t width,
        layers;      /* of both networks; 0 layers: they are linear      */
    bool diagonal;   /* each column has its own noise                   */
    bool one_scale;  /* of all columns, not each its standard deviation */
    bool no_encoder; /* the decoder alone: latent points are inferred   */
    int64_t codes;   /* rows whose q(z | y) is kept (codes.h), 0 none   */
} sfi_autoencoder_shape;

/* The least standard deviation of noise, in the standardised columns. */
#define SFI_AUTOENCODER_FLOOR 1e-3

enum { SFI_AUTOENCODER_LATENT = SFI_CODES_LATENT };

/* The numbers of such a model, at most SFI_MAX_NUMBERS; returns how many. */
int sfi_autoencoder_numbers(sfi_number *out,
                            const sfi_autoencoder_shape *shape);

/* Whether a model of the family has an encoder. */
bool sfi_autoencoder_encodes(const sf_model *m);

/* What the encoder says of y [d]: the mean of q(z | y) = N(m, diag s^2) and ln s [K]. */
void sfi_autoencoder_encode(const sf_model *m, sf_graph *g, sf_node y,
                            const sf_node *weights, sf_node *mean,
                            sf_node *log_sd);

/* Means and standard deviations of q(z | y) of rows y [n, d], by the encoder: [n, K]
 * each.  SF_OK or SF_E_NOMEM. */
sf_status sfi_autoencoder_codes(const sf_model *m, sf_cmat y, double *mean,
                                double *sd);

/* The parts that a manifold has, too: its declaration, whose encoder says `outputs`
 * numbers, with the checks of both; ln s of the noise [1] or [d], and what z decodes to. */
sf_status sfi_autoencoder_declare(sf_model *m, int64_t outputs);
sf_status sfi_autoencoder_check(const sf_model *m);
sf_node sfi_autoencoder_noise(const sf_model *m, sf_graph *g,
                              const sf_node *weights);
sf_node sfi_autoencoder_decoded(const sf_model *m, sf_graph *g, sf_node z,
                                const sf_node *weights);
/* The operations `decode` and `spread` of both. */
sf_status sfi_autoencoder_decode(const sf_model *m, sf_graph *g, sf_node z,
                                 sf_node noise, const sf_node *weights,
                                 sf_node *out);
void sfi_autoencoder_spread(const sf_model *m, double *sd);
/* The mean alone of what the encoder says. */
sf_node sfi_autoencoder_mean(const sf_model *m, sf_graph *g, sf_node y,
                             const sf_node *weights);

/* The evidence lower bound of a row y [d] with a draw n [K] of N(0, I), as the loss
 *
 *     -ln p(y | m + s n) + share KL(q(z | y) || N(0, I)),
 *
 * whose mean over n with a share of 1 is at least -ln p(y).  The divergence of the
 * encoder's normal distribution is in closed form (D. P. Kingma and M. Welling,
 * Auto-encoding variational Bayes, 2014). */
sf_node sfi_autoencoder_loss(const sf_model *m, sf_graph *g, sf_node y,
                             sf_node n, sf_node share, const sf_node *weights);

/* The same of a posterior that is given, by a draw z [K] of it and its divergence from
 * N(0, I): -ln p(y | z) + divergence. */
sf_node sfi_autoencoder_loss_at(const sf_model *m, sf_graph *g, sf_node y,
                                sf_node z, sf_node divergence,
                                const sf_node *weights);

/* Begin as probabilistic principal components of y, loadings W [d, K] with orthogonal
 * columns, middle [d] and noise sd:
 *
 *     f(z) = W z + middle,  m = W'(y - middle)/(|W_k|^2 + sd^2),
 *     s_k = sd/sqrt(|W_k|^2 + sd^2)
 *
 * which is their posterior; what is not linear begins at 0, with inner layers drawn by the
 * seed. */
void sfi_autoencoder_begin(sf_model *m, const double *middle,
                           const double *loadings, double sd, uint64_t seed);

#endif
