/* SPDX-License-Identifier: Apache-2.0 */
/* autoencoder.h - how good a variational autoencoder is on rows it was not trained on.
 *
 *     ELBO(x) = E_q[ ln p(x|z) ] - KL(q(z|x) || N(0, I)) = ln p(x) - KL(q || p(z|x))
 *
 * with the encoder's q = N(m(x), diag s(x)^2).  Models of the family "vae" come from
 * sf_fit_network() with SF_OBJECTIVE_ELBO; what else is asked of them goes through
 * their decoder (sf_decoder_from_model()). */
#ifndef SCOREFIELD_AUTOENCODER_H
#define SCOREFIELD_AUTOENCODER_H

#include "scorefield/latent.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_autoencoder_options {
    size_t size;     /* set by _INIT                                          */
    int64_t draws;   /* of q for each row, 2 to 2^20             [16]         */
    int64_t samples; /* of each row, for ln p(x): as sf_latent_options [256]  */
    int64_t starts;  /* likewise, of its search                  [4]          */
    uint64_t seed;   /*                                          [0]          */
} sf_autoencoder_options;

#define SF_AUTOENCODER_OPTIONS_INIT                                            \
    {                                                                          \
        sizeof(sf_autoencoder_options), 16, 256, 4, 0                          \
    }

/* Means over the rows, in nats a row and the data's units; each se is the standard error
 * of the mean, by the scatter of the rows. */
typedef struct sf_autoencoder_report {
    size_t size;          /* set by _INIT                                     */
    int64_t rows;         /*                                                  */
    int64_t latent;       /* K                                                */
    double elbo, elbo_se; /*                                                  */
    double logpdf, logpdf_se; /* ln p(x) by importance sampling               */
    double worst_se;          /* of a row's ln p(x), by its samples           */
    double gap;               /* amortisation: the ELBO with Laplace's
                                 posterior in q's place, less the ELBO.  Rows that
                                 have none (kind not 1) count 0               */
    double rms;               /* of the cells of x - f(m(x))                  */
    double noise;             /* root mean square of the noise's standard
                                 deviations                                   */
    int64_t active;      /* latent variables whose m varies by more than 0.01 */
    double aggregate_kl; /* KL of the normal distribution with the mean and the
                            covariance of m + s n over the rows from N(0, I); above
                            0.1 draws of the prior are not like the data; NaN where
                            that covariance is singular                       */
} sf_autoencoder_report;

#define SF_AUTOENCODER_REPORT_INIT                                             \
    {                                                                          \
        .size = sizeof(sf_autoencoder_report)                                  \
    }

/* Judge a model of the family "vae" on rows x [n, d], n >= 2.
 *
 *   kl        [K], or NULL  out: the mean of KL(q(z_k|x) || N(0, 1))
 *   variance  [K], or NULL  out: of m_k over the rows
 *
 * Warnings are those of sf_latent_infer().  The same bits for any number of threads.
 *
 * Returns SF_OK; SF_E_UNSUPPORTED (another family); SF_E_ARG (an option out of range,
 * fewer than 2 rows); SF_E_SHAPE; SF_E_NUMERIC (x is not finite); SF_E_CANCELLED;
 * SF_E_NOMEM.  `options` may be NULL. */
SF_API sf_status sf_autoencoder_judge(sf_context *ctx, const sf_model *model,
                                      sf_cmat x, sf_autoencoder_report *report,
                                      double *kl, double *variance,
                                      const sf_autoencoder_options *options);

#ifdef __cplusplus
}
#endif
#endif
