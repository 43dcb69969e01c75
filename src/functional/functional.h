/* SPDX-License-Identifier: Apache-2.0 */
/* functional.h - the seam between nouns and verbs.
 *
 * A noun (a density, an objective, an action, a model's score) provides a table
 * of functions; a verb (solve, flow, evolve, sample) calls it through the
 * wrappers below and knows nothing else about it.  Meaning, shapes and sign are
 * those of scorefield/functional.h: f is minimised by `solve`, and
 * log density = -f. */
#ifndef SFI_FUNCTIONAL_H
#define SFI_FUNCTIONAL_H

#include "base/context.h"
#include "scorefield/functional.h"

/* x, gradient, v, hv: [walkers, unknowns]; value: [walkers]. */
struct sfi_functional_ops {
    const char *name; /* REQUIRED: for messages, e.g. "density" */

    /* OPTIONAL: NULL for providers of gradients only (scores). */
    sf_status (*value)(sf_context *ctx, void *self, double *value,
                       const double *x, int64_t walkers);

    /* REQUIRED.  `value` is NULL unless the values are wanted as well, which
     * they never are from a provider without `value`. */
    sf_status (*gradient)(sf_context *ctx, void *self, double *value,
                          double *gradient, const double *x, int64_t walkers);

    /* OPTIONAL: Hessian times v_i at x_i. */
    sf_status (*hvp)(sf_context *ctx, void *self, double *hv, const double *x,
                     const double *v, int64_t walkers);

    /* OPTIONAL: the gradient at a vector of a graph, as a vector of it. */
    sf_status (*node)(sf_context *ctx, void *self, sf_graph *g, sf_node x,
                      sf_node *gradient);
};

typedef struct sfi_functional {
    const struct sfi_functional_ops *ops;
    void *self;
    int64_t unknowns; /* >= 1 */
} sfi_functional;

/* Call the provider.  A failure without a message gets one that names the
 * functional. */
sf_status sfi_functional_value(sf_context *ctx, const sfi_functional *f,
                               double *value, const double *x, int64_t walkers);
sf_status sfi_functional_gradient(sf_context *ctx, const sfi_functional *f,
                                  double *value, double *gradient,
                                  const double *x, int64_t walkers);
sf_status sfi_functional_hvp(sf_context *ctx, const sfi_functional *f,
                             double *hv, const double *x, const double *v,
                             int64_t walkers);

sf_status sfi_functional_node(sf_context *ctx, const sfi_functional *f,
                              sf_graph *g, sf_node x, sf_node *gradient);

/* A caller's functional as the verbs see it: everything that *f points to lives
 * in `adapter`, which must stay where it is while f is used. */
struct sfi_functional_adapter {
    sf_functional given;
    struct sfi_functional_ops ops;
};

/* Check what the caller filled in.  `verb` begins the messages.
 * Returns SF_OK; SF_E_ARG (given or its gradient is NULL, a wrong size),
 * SF_E_SHAPE (unknowns < 1). */
sf_status sfi_functional_adopt(sf_context *ctx, sfi_functional *f,
                               struct sfi_functional_adapter *adapter,
                               const sf_functional *given, const char *verb);

/* The other way round: *out calls *f, which must outlive it. */
void sfi_functional_publish(sf_functional *out, const sfi_functional *f);

/* hv = Hessian times v for one walker: from the provider if it has `hvp`, else by
 * central differences of the gradient, whose relative error is about 1e-10.
 * work [4 * unknowns] is used for the differences only. */
sf_status sfi_functional_curvature(sf_context *ctx, const sfi_functional *f,
                                   double *hv, const double *x, const double *v,
                                   double *work);

#endif
