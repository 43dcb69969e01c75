/* SPDX-License-Identifier: Apache-2.0 */
/* expressions.c - what a decoder says of a pair of a latent point and a row:
 *
 *     ln p(x|z) = -(1/2) e'e - ln det L - (d/2) ln 2 pi,      e = L^-1 (x - f(z))
 *
 * with Sigma = L L'.  Whitening comes first: A = L^-1 J, and no d x d matrix is
 * factored for a point.  The score of the likelihood by z has a plus sign,
 *
 *     grad_z ln p(x|z) = J' Sigma^-1 (x - f)                    Sigma constant
 *                      + sum_k grad l_k (e_k^2 - 1)             l = ln sigma(z)
 *
 * and Fisher's metric is its covariance, I(z) = A'A + 2 sum_k grad l_k grad l_k'. */
#include "decoder/decoder.h"

#include <math.h>

sf_node sfi_decoder_whiten(const sf_decoder *d, sf_graph *g, sf_node log_sigma,
                           sf_node a)
{
    const int64_t column[] = {d->dim, 1}, square[] = {d->dim, d->dim};
    const int rank = sf_node_rank(g, a) < 2 ? 1 : 2;
    switch (d->noise) {
    case SF_DECODER_FULL:
        return sf_matmul(g, sf_const_array(g, 2, square, d->whitener), a);
    case SF_DECODER_VARYING:
        return sf_mul(
            g, a, sf_reshape(g, sf_exp(g, sf_neg(g, log_sigma)), rank, column));
    case SF_DECODER_ISOTROPIC:
    case SF_DECODER_DIAGONAL:
        break;
    }
    return sf_div(
        g, a,
        sf_reshape(g, sf_const_array(g, 1, column, d->sigma), rank, column));
}

static void add_slopes(sf_graph *g, sfi_decoder_nodes *n)
{
    n->slopes = sf_jacobian(g, n->log_sigma, n->z);
    const sf_node across = sf_transpose(g, n->slopes);
    const sf_node excess = sf_sub(g, sf_square(g, n->error), sf_const(g, 1.0));
    n->loglik = sf_sub(g, n->loglik, sf_sum_all(g, n->log_sigma));
    n->score = sf_add(g, n->score, sf_matmul(g, across, excess));
    n->metric =
        sf_add(g, n->metric,
               sf_mul(g, sf_const(g, 2.0), sf_matmul(g, across, n->slopes)));
}

sf_status sfi_decoder_expand(const sf_decoder *d, sf_graph *g,
                             sfi_decoder_nodes *n)
{
    const bool varies = d->noise == SF_DECODER_VARYING;
    n->z = sf_input(g, "z", 1, &d->latent);
    n->x = sf_input(g, "x", 1, &d->dim);
    SFI_TRY(sfi_decoder_mean(d, g, n->z, &n->f));
    if (varies)
        SFI_TRY(sfi_decoder_log_sigma(d, g, n->z, &n->log_sigma));
    n->jacobian = sf_jacobian(g, n->f, n->z);
    n->whitened = sfi_decoder_whiten(d, g, n->log_sigma, n->jacobian);
    n->residual = sf_sub(g, n->x, n->f);
    n->error = sfi_decoder_whiten(d, g, n->log_sigma, n->residual);
    const sf_node across = sf_transpose(g, n->whitened);
    n->tangential = sf_matmul(g, across, n->error);
    n->score = n->tangential;
    n->metric = sf_matmul(g, across, n->whitened);
    n->loglik =
        sf_add(g, sf_const(g, d->log_norm),
               sf_mul(g, sf_const(g, -0.5), sf_dot(g, n->error, n->error)));
    if (varies)
        add_slopes(g, n);
    return sf_graph_status(g);
}
