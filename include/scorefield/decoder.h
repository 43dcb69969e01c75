/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.h - decoders: x = f(z) + eps, a row of d numbers made of K latent ones.
 *
 *     f : R^K -> R^d,     eps ~ N(0, Sigma),     J = df/dz [d, K]
 *
 * A decoder is a noun: it says what f and Sigma are.  What can be inferred through
 * it is in latent.h. */
#ifndef SCOREFIELD_DECODER_H
#define SCOREFIELD_DECODER_H

#include "scorefield/array.h"
#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SF_LATENT_MAX = 32 }; /* the most latent numbers */

typedef struct sf_decoder sf_decoder;

/* What Sigma is. */
typedef enum sf_decoder_noise {
    SF_DECODER_ISOTROPIC =
        0,               /* sigma^2 I                                     */
    SF_DECODER_DIAGONAL, /* sigma_k^2 of each column                      */
    SF_DECODER_FULL,     /* a symmetric positive definite matrix          */
    SF_DECODER_VARYING   /* sigma_k(z)^2 of each column, a function of z  */
} sf_decoder_noise;

typedef struct sf_decoder_options {
    size_t size; /* set by _INIT                                             */

    /* Columns of x, and their names.  dim 0: as many as the text gives, or the
     * noise says; names [dim] are x0, x1, ... where they are NULL. */
    int64_t dim;
    const char *const *names;

    /* The noise; at most one of the three, and if none sigma = 1.  Standard
     * deviations are in the units of the columns.
     *   sigma       [sigma_count] > 0, one for all columns or one each
     *   covariance  [dim, dim], symmetric positive definite
     *   log_sigma   text, as that of f: the logarithm of the standard deviations,
     *               one number for all columns or one each */
    int64_t sigma_count;
    const double *sigma;
    const double *covariance;
    const char *log_sigma;
} sf_decoder_options;

#define SF_DECODER_OPTIONS_INIT                                                \
    {                                                                          \
        sizeof(sf_decoder_options), 0, NULL, 0, NULL, NULL, NULL               \
    }

/* Make a decoder of `latent` numbers, 1 to SF_LATENT_MAX, whose f is typed:
 *
 *     "z0 + 0.3*z1^2; z1 + 0.2*z0*z1; z0^2 - 0.5*z1"
 *
 * Pieces (docs/EXPRESSIONS.md) are parted by semicolons outside of quotes and
 * brackets.  Their names are z0, z1, ... and z, all of them as a vector.  Each is a
 * number or a vector; one after the other they are the numbers of x.
 *
 * Returns SF_OK; SF_E_PARSE (a piece that cannot be understood, or whose operands
 * do not fit: the message numbers it); SF_E_ARG (latent, a number of columns that
 * is not that of the text or of the noise, sigma not > 0, a covariance that is not
 * symmetric positive definite: the message has its first pivot, more than one
 * kind of noise); SF_E_NOMEM.  On failure *out is NULL. */
SF_API sf_status sf_decoder_new(sf_context *ctx, sf_decoder **out,
                                const char *text, int64_t latent,
                                const sf_decoder_options *options);

/* The decoder of a model that can SF_CAN_DECODE (model.h): of principal components and
 * factors f(z) = mean + W z with their noise, of an autoencoder its network with the
 * noise that it has learned.  Its columns are the model's, in the data's units; the
 * model must outlive it.
 *
 * Returns SF_OK; SF_E_UNSUPPORTED (another model: what it is); SF_E_ARG (more than
 * SF_LATENT_MAX latent variables); SF_E_NOMEM.  On failure *out is NULL. */
SF_API sf_status sf_decoder_from_model(sf_context *ctx, sf_decoder **out,
                                       const sf_model *model);

/* Free a decoder; NULL is allowed. */
SF_API void sf_decoder_free(sf_decoder *decoder);

/* K and d. */
SF_API int64_t sf_decoder_latent(const sf_decoder *decoder);
SF_API int64_t sf_decoder_dim(const sf_decoder *decoder);

/* Name of column j, 0 <= j < d; it lives as long as the decoder. */
SF_API const char *sf_decoder_column(const sf_decoder *decoder, int64_t j);

/* Which kind of noise. */
SF_API sf_decoder_noise sf_decoder_noise_kind(const sf_decoder *decoder);

/* Whether f is linear and Sigma constant, so that z given x is normal. */
SF_API bool sf_decoder_is_linear(const sf_decoder *decoder);

#ifdef __cplusplus
}
#endif
#endif
