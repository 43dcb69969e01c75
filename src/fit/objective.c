/* SPDX-License-Identifier: Apache-2.0 */
/* objective.c - what a network is trained to minimise, for one point.
 *
 * The conditional path y = y_0 + sigma z has dy/dsigma = z, so the drift of the
 * probability flow is E[z | y], and least squares finds it:
 *
 *     DSM    (1 + sigma^2) |drift - z|^2,  ln sigma ~ N(mean, spread^2)
 *     FLOW   (1 + sigma)^2 |drift - z|^2,  sigma = t/(1-t), t uniform
 *
 * The first is the loss of Karras et al. 2022 with lambda(sigma) = 1/c_out^2:
 * every noise level asks for an output of variance one.  The second is flow
 * matching on the line (1-t) y_0 + t z: its velocity error is (1 + sigma) times
 * the drift's.
 *
 *     IMPLICIT  div S + |S|^2 / 2
 *     SLICED    v' (dS/dy) v + (v' S)^2 / 2
 *
 * whose expectations equal E|S - grad ln p|^2 / 2 up to a constant.
 *
 *     LIKELIHOOD  -ln p + alpha I,   I = sum_k ln |G_k| - ln |det G|
 *
 * of a flow z = g(y) with the rows G_k of its Jacobian.  I >= 0 (J. Hadamard), and 0 where
 * the rows are orthogonal, as then are the contours of the latent variables (E. Cunningham
 * et al., Principal component flows, 2022).  Up to 3 columns all rows are taken; of more
 * one, drawn at random, of which d ln |G_k| - ln |det G| has the mean I. */
#include "fit/objective.h"

#include "model/autoencoder.h"
#include "model/coupling_flow.h"
#include "model/injective.h"
#include "model/manifold.h"
#include "model/network.h"

/* Where the noise levels of DSM lie: the middle where the structure of a
 * standardised table is, wide enough to reach both ends. */
static const double log_sigma_mean = -1.2, log_sigma_spread = 1.6;

static sf_node squared_norm(sf_graph *g, sf_node a)
{
    return sf_dot(g, a, a);
}

static sf_node clamp(sf_graph *g, sf_node a, double lo, double hi)
{
    return sf_min(g, sf_max(g, a, sf_const(g, lo)), sf_const(g, hi));
}

static sf_node drift_loss(const sf_model *m, sf_graph *g, sf_node y0, sf_node z,
                          sf_node sigma, sf_node weight, const sf_node *weights)
{
    const sf_node y = sf_add(g, y0, sf_mul(g, sigma, z));
    const sfi_answer a = m->ops->answer(m, g, y, sigma, weights);
    const sf_node error = sf_sub(g, a.drift, z);
    const double per_column = 1.0 / (double)m->dim;
    return sf_mul(g, sf_mul(g, sf_const(g, per_column), weight),
                  squared_norm(g, error));
}

static sf_node dsm(const sf_model *m, sf_graph *g, sf_node y0, sf_node z,
                   sf_node draw, const sf_node *weights)
{
    const sf_node log_sigma =
        sf_add(g, sf_const(g, log_sigma_mean),
               sf_mul(g, sf_const(g, log_sigma_spread), draw));
    const sf_node sigma =
        clamp(g, sf_exp(g, log_sigma), sfi_number_of(m, "sigma_min"),
              sfi_number_of(m, "sigma_max"));
    const sf_node weight = sf_add(g, sf_const(g, 1.0), sf_square(g, sigma));
    return drift_loss(m, g, y0, z, sigma, weight, weights);
}

static sf_node flow_matching(const sf_model *m, sf_graph *g, sf_node y0,
                             sf_node z, sf_node t, const sf_node *weights)
{
    const sf_node one = sf_const(g, 1.0);
    const sf_node sigma =
        clamp(g, sf_div(g, t, sf_sub(g, one, t)), sfi_number_of(m, "sigma_min"),
              sfi_number_of(m, "sigma_max"));
    const sf_node weight = sf_square(g, sf_add(g, one, sigma));
    return drift_loss(m, g, y0, z, sigma, weight, weights);
}

static sf_node score_matching(const sf_model *m, sf_graph *g, sf_node y0,
                              sf_node z, sf_node v, bool sliced,
                              const sf_node *weights)
{
    const sf_node level = sf_const(g, sfi_number_of(m, "noise_level"));
    const sf_node y = sf_add(g, y0, sf_mul(g, level, z));
    const sf_node s = m->ops->answer(m, g, y, level, weights).score;
    const sf_node half = sf_const(g, 0.5);
    if (!sliced)
        return sf_add(g, sf_divergence(g, s, y),
                      sf_mul(g, half, squared_norm(g, s)));
    return sf_add(g, sf_dot(g, v, sf_jvp(g, s, y, v)),
                  sf_mul(g, half, sf_square(g, sf_dot(g, v, s))));
}

/* sum_k ln |G_k| of all rows. */
static sf_node all_rows(sf_graph *g, sf_node jacobian)
{
    const sf_node squares = sf_sum(g, sf_square(g, jacobian), 2u);
    return sf_mul(g, sf_const(g, 0.5), sf_sum_all(g, sf_log(g, squares)));
}

/* d ln |G_k| of the row that a number in (0, 1) falls on. */
static sf_node one_row(sf_graph *g, sf_node z, sf_node y, sf_node draw)
{
    const int64_t d = sf_node_extent(g, y, 0);
    const sf_node ones = sf_broadcast(g, sf_const(g, 1.0), 1, &d);
    const sf_node after = sf_cumsum(g, ones); /* 1, 2, ..., d */
    const sf_node place = sf_mul(g, sf_const(g, (double)d), draw);
    const sf_node chosen = sf_sub(g, sf_less(g, place, after),
                                  sf_less(g, place, sf_sub(g, after, ones)));
    sf_node row;
    sf_vjp(g, z, chosen, 1, &y, &row);
    return sf_mul(g, sf_const(g, 0.5 * (double)d),
                  sf_log(g, squared_norm(g, row)));
}

static sf_node flow_loss(const sf_model *m, sf_graph *g, sf_node y,
                         sf_node draw, const sf_node *weights)
{
    const double alpha = sfi_number_of(m, "principal");
    const double log_two_pi = 1.8378770664093453;
    const bool all = alpha > 0.0 && m->dim <= SFI_FLOW_JACOBIAN;
    sf_node log_det, jacobian;
    const sf_node z =
        all ? sfi_flow_jacobian(m, g, y, weights, &log_det, &jacobian)
            : sfi_flow_forward(m, g, y, weights, &log_det);
    const sf_node half =
        sf_mul(g, sf_const(g, 0.5),
               sf_add(g, squared_norm(g, z),
                      sf_const(g, (double)m->dim * log_two_pi)));
    const sf_node loss = sf_sub(g, half, log_det);
    if (alpha == 0.0)
        return loss;
    const sf_node rows = all ? all_rows(g, jacobian) : one_row(g, z, y, draw);
    return sf_add(g, loss,
                  sf_mul(g, sf_const(g, alpha), sf_sub(g, rows, log_det)));
}

sf_node sfi_objective_targets(const sf_model *m, sf_graph *g, sf_node x0,
                              sf_node y, sf_node t, const sf_node *weights,
                              sf_node *logp)
{
    const sfi_kernel_nodes n =
        sfi_noise_at(&m->noise, g, y, x0, t, SFI_VELOCITY_TRAINING);
    const sf_node spread = sfi_kernel_network_spread(m, weights);
    const sf_node parts[] = {sf_mul(g, sf_mul(g, t, spread), n.score),
                             sf_div(g, n.velocity, spread),
                             sfi_kernel_network_clean(m, g, x0, weights)};
    *logp = n.logp;
    return sf_concat(g, SFI_COUNT(parts), parts, 0);
}

/* Least squares for the heads of a network with kernels: the conditional score,
 * velocity and x_0 have the marginal ones as their means given y.  The velocity
 * is what flows follow; x_0 only answers a question, and shares the layers. */
static sf_node kernel_matching(const sf_model *m, sf_graph *g, sf_node targets,
                               sf_node y, sf_node t, const sf_node *weights)
{
    const double clean_share = 0.25;
    const int64_t d = m->inner, clean = sfi_kernel_network_outputs(m) - 2 * d;
    const sfi_heads h = sfi_kernel_network_heads(m, g, y, t, weights);
    const sf_node score = sf_sub(g, h.score, sf_slice(g, targets, 0, 0, d, 1));
    const sf_node velocity =
        sf_sub(g, h.velocity, sf_slice(g, targets, 0, d, d, 1));
    const sf_node gap =
        sf_sub(g, h.clean, sf_slice(g, targets, 0, 2 * d, clean, 1));
    const sf_node sum =
        sf_add(g, sf_add(g, squared_norm(g, score), squared_norm(g, velocity)),
               sf_mul(g, sf_const(g, clean_share), squared_norm(g, gap)));
    return sf_mul(g, sf_const(g, 1.0 / (double)m->inner), sum);
}

static sf_node kernel_loss(const sf_model *m, sf_graph *g, bool averaged,
                           const sf_node *weights)
{
    const int64_t size = averaged ? sfi_kernel_network_outputs(m) : m->dim;
    const sf_node first = sf_input(g, averaged ? "targets" : "x0", 1, &size);
    const sf_node y = sf_input(g, "y", 1, &m->inner);
    const sf_node t = sf_input(g, "t", 0, NULL);
    sf_node logp;
    const sf_node targets =
        averaged ? first
                 : sfi_objective_targets(m, g, first, y, t, weights, &logp);
    return kernel_matching(m, g, targets, y, t, weights);
}

static sf_node autoencoder_loss(const sf_model *m, sf_graph *g,
                                const sf_node *weights)
{
    const int64_t latent = sf_model_latents(m);
    const sf_node y0 = sf_input(g, "y0", 1, &m->dim);
    const sf_node z = sf_input(g, "z", 1, &latent);
    if (!sfi_autoencoder_encodes(m)) {
        const sf_node divergence = sf_input(g, "divergence", 0, NULL);
        return sfi_autoencoder_loss_at(m, g, y0, z, divergence, weights);
    }
    const sf_node share = sf_input(g, "share", 0, NULL);
    return sfi_autoencoder_loss(m, g, y0, z, share, weights);
}

static sf_node latent_loss(const sf_model *m, sf_graph *g,
                           sf_objective objective, const sf_node *weights)
{
    const int64_t latent = sf_model_latents(m);
    const sf_node y0 = sf_input(g, "y0", 1, &m->dim);
    (void)sf_input(g, "z", 1, &latent); /* there is no noise, nor a third */
    (void)sf_input(g, "draw", 0, NULL);
    return objective == SF_OBJECTIVE_MANIFOLD
               ? sfi_manifold_loss(m, g, y0, weights)
               : sfi_injective_loss(m, g, y0, weights);
}

sfi_objective sfi_objective_new(const sf_model *m, sf_graph *g,
                                sf_objective objective, bool averaged,
                                const sf_node *weights)
{
    if (objective == SF_OBJECTIVE_ELBO)
        return (sfi_objective){autoencoder_loss(m, g, weights), SF_ROWS,
                               !sfi_autoencoder_encodes(m)};
    if (objective >= SF_OBJECTIVE_MANIFOLD)
        return (sfi_objective){latent_loss(m, g, objective, weights),
                               SF_UNIFORM, false};
    if (sfi_has_kernels(m))
        return (sfi_objective){kernel_loss(m, g, averaged, weights), SF_NORMAL,
                               true};
    const bool levels = objective == SF_OBJECTIVE_DSM ||
                        objective == SF_OBJECTIVE_FLOW ||
                        objective == SF_OBJECTIVE_LIKELIHOOD;
    const sf_node y0 = sf_input(g, "y0", 1, &m->dim);
    const sf_node z = sf_input(g, "z", 1, &m->inner);
    const sf_node third =
        levels ? sf_input(g, "draw", 0, NULL) : sf_input(g, "v", 1, &m->inner);
    sfi_objective o = {{0}, SF_NORMAL, false};
    switch (objective) {
    case SF_OBJECTIVE_DSM:
        o.loss = dsm(m, g, y0, z, third, weights);
        break;
    case SF_OBJECTIVE_FLOW:
        o.loss = flow_matching(m, g, y0, z, third, weights);
        o.third = SF_UNIFORM;
        break;
    case SF_OBJECTIVE_IMPLICIT:
        o.loss = score_matching(m, g, y0, z, third, false, weights);
        break;
    case SF_OBJECTIVE_SLICED:
        o.loss = score_matching(m, g, y0, z, third, true, weights);
        break;
    case SF_OBJECTIVE_LIKELIHOOD:
        o.loss = flow_loss(m, g, y0, third, weights);
        o.third = SF_UNIFORM;
        break;
    case SF_OBJECTIVE_ELBO:
    case SF_OBJECTIVE_MANIFOLD:
    case SF_OBJECTIVE_INJECTIVE:
        break;
    }
    return o;
}
