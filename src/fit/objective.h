/* SPDX-License-Identifier: Apache-2.0 */
/* objective.h - training objectives as graphs of one point. */
#ifndef SFI_OBJECTIVE_H
#define SFI_OBJECTIVE_H

#include "model/model.h"
#include "scorefield/fit.h"

/* The inputs of an objective, in order: the clean point y_0 [d]; noise z [d],
 * normal; and what draws the noise level (DSM: normal, FLOW: uniform), the
 * direction v [d] (SLICED: normal) or the row (LIKELIHOOD: uniform).  Of ELBO the noise is
 * [K], and the third input the share of the divergence, a number that the batch has for
 * all points; without an encoder draws z [K] and the divergence of what they are drawn from
 * come with the batch instead. */
enum { SFI_OBJECTIVE_INPUTS = 3 };

typedef struct sfi_objective {
    sf_node loss;         /* of one point */
    sf_source_kind third; /* kind of the third input */
    bool given;           /* the second and the third come with the batch */
} sfi_objective;

/* A model with kernels has other inputs: x_0 [d], in the coordinates of the
 * kernels, y [d], drawn from them given x_0, and the time t of that; its loss is
 * that of DSM and velocity matching together.  If it is `averaged` the first input
 * is what the heads are to say instead of x_0. */

/* Build the loss of model m.  `weights` are parameter nodes. */
sfi_objective sfi_objective_new(const sf_model *m, sf_graph *g,
                                sf_objective objective, bool averaged,
                                const sf_node *weights);

/* What the heads of a network with kernels are to say if y comes from x0:
 * [sfi_kernel_network_outputs(m)]; `logp` receives ln p(y | x0; t). */
sf_node sfi_objective_targets(const sf_model *m, sf_graph *g, sf_node x0,
                              sf_node y, sf_node t, const sf_node *weights,
                              sf_node *logp);

#endif
