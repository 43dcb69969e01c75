/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.h - a decoder as expressions of one point.
 *
 * Where f comes from, a text (decoder.c) or a model (model_decoder.c), only its
 * constructor and the functions that it points to know. */
#ifndef SFI_DECODER_H
#define SFI_DECODER_H

#include "base/context.h"
#include "scorefield/decoder.h"
#include "scorefield/graph.h"
#include "scorefield/model.h"

struct sf_decoder {
    sf_context *ctx;
    int64_t latent, dim;
    sf_status (*mean)(const sf_decoder *d, sf_graph *g, sf_node z, sf_node *f);
    /* OPTIONAL.  A guess of z for a row x, of a model that has one. */
    sf_status (*code)(const sf_decoder *d, sf_graph *g, sf_node x, sf_node *z);
    const sf_model *model; /* or NULL; the caller's */
    char *text;            /* of f, or NULL */
    char *log_sigma;       /* of ln sigma(z), or NULL */
    char **names;          /* [dim] */
    sf_decoder_noise noise;
    double *sigma;    /* [dim], isotropic and diagonal */
    double *whitener; /* [dim, dim] L^-1 with Sigma = L L', full */
    double log_norm;  /* -sum_k ln L_kk - (d/2) ln 2 pi; without the sum where
                         the noise varies */
    bool is_linear;
};

/* ---- making (decoder.c) ---------------------------------------------------------- */

/* One without f, names and noise; NULL without memory. */
sf_decoder *sfi_decoder_begin(sf_context *ctx, int64_t latent);

/* Copies of d->dim names; x0, x1, ... where they are NULL. */
sf_status sfi_decoder_name(sf_decoder *d, const char *const *names);

/* Standard deviations of the noise, one for all columns or one each: SF_E_ARG if one is
 * not above 0 and finite. */
sf_status sfi_decoder_take_sigma(sf_decoder *d, int64_t count,
                                 const double *sigma);

/* Whether f, of z, is linear and the noise constant. */
bool sfi_decoder_looks_linear(const sf_decoder *d, sf_graph *g, sf_node f,
                              sf_node z);

/* ---- of a latent point ------------------------------------------------------------- */

/* f(z) [d] of z [K], and ln sigma(z) [d] of a noise that varies.  A decoder of
 * another kind answers here, and nothing above this line knows which it is. */
sf_status sfi_decoder_mean(const sf_decoder *d, sf_graph *g, sf_node z,
                           sf_node *f);
sf_status sfi_decoder_log_sigma(const sf_decoder *d, sf_graph *g, sf_node z,
                                sf_node *log_sigma);

/* L^-1 a of a [d] or [d, k]; log_sigma is read where the noise varies. */
sf_node sfi_decoder_whiten(const sf_decoder *d, sf_graph *g, sf_node log_sigma,
                           sf_node a);

/* ---- of a pair of z and x (expressions.c) ------------------------------------- */

typedef struct sfi_decoder_nodes {
    sf_node z, x;       /* the inputs, in this order: [K], [d] */
    sf_node f;          /* [d] */
    sf_node jacobian;   /* J [d, K] */
    sf_node whitened;   /* A = L^-1 J [d, K] */
    sf_node residual;   /* eps = x - f [d] */
    sf_node error;      /* e = L^-1 eps [d] */
    sf_node slopes;     /* d ln sigma/dz [d, K] of a noise that varies */
    sf_node log_sigma;  /* [d], likewise */
    sf_node loglik;     /* ln p(x|z) */
    sf_node tangential; /* J' Sigma^-1 eps [K] */
    sf_node score;      /* grad_z ln p(x|z) [K] */
    sf_node metric;     /* I(z) = A'A + 2 slopes' slopes [K, K] */
} sfi_decoder_nodes;

/* Make them in a graph without inputs.  SF_OK, or an error of the graph. */
sf_status sfi_decoder_expand(const sf_decoder *d, sf_graph *g,
                             sfi_decoder_nodes *out);

#endif
