/* SPDX-License-Identifier: Apache-2.0 */
/* functional.h - the seam between nouns and verbs.
 *
 * A noun (a density, an objective, an action, a model's score) fills in an
 * sf_functional, which is the only kind there is; a verb (solve, flow, evolve, sample)
 * calls it through the wrappers below and knows nothing else about it. */
#ifndef SFI_FUNCTIONAL_H
#define SFI_FUNCTIONAL_H

#include "base/context.h"
#include "scorefield/functional.h"

/* Call the provider.  A failure without a message gets one that names the
 * functional. */
sf_status sfi_functional_value(sf_context *ctx, const sf_functional *f,
                               double *value, const double *x, int64_t walkers);
sf_status sfi_functional_gradient(sf_context *ctx, const sf_functional *f,
                                  double *value, double *gradient,
                                  const double *x, int64_t walkers);
sf_status sfi_functional_hvp(sf_context *ctx, const sf_functional *f,
                             double *hv, const double *x, const double *v,
                             int64_t walkers);

sf_status sfi_functional_node(sf_context *ctx, const sf_functional *f,
                              sf_graph *g, sf_node x, sf_node *gradient);

/* About the multiplications of a gradient at one point; 0 if nobody knows. */
double sfi_functional_work(const sf_functional *f);

/* Take over what a caller filled in: members that an older header did not have get
 * their defaults, `name` is never NULL.  `verb` begins the messages.
 * Returns SF_OK; SF_E_ARG (given or its gradient is NULL, a wrong size),
 * SF_E_SHAPE (unknowns < 1). */
sf_status sfi_functional_take(sf_context *ctx, sf_functional *out,
                              const sf_functional *given, const char *verb);

/* hv = Hessian times v for one walker: from the provider if it has `hvp`, else by
 * central differences of the gradient, whose relative error is about 1e-10.
 * work [4 * unknowns] is used for the differences only. */
sf_status sfi_functional_curvature(sf_context *ctx, const sf_functional *f,
                                   double *hv, const double *x, const double *v,
                                   double *work);

#endif
