/* SPDX-License-Identifier: Apache-2.0 */
/* functional.c - a model's score at one noise time, for verbs that move points. */
#include "model/model.h"

static sf_status gradient(sf_context *ctx, void *user, double *value,
                          double *gradient, const double *x, int64_t walkers)
{
    (void)ctx;
    (void)value;
    const sf_model_at *at = user;
    const int64_t d = sf_model_dim(at->model);
    const sf_model_values values = {.score = {gradient, walkers, d, d}};
    SFI_TRY(sf_model_eval(at->model, (sf_cmat){x, walkers, d, d}, at->time,
                          &values));
    for (int64_t k = 0; k < walkers * d; k++)
        gradient[k] = -gradient[k];
    return SF_OK;
}

void sf_model_functional(const sf_model_at *at, sf_functional *out)
{
    const sf_functional empty = SF_FUNCTIONAL_INIT;
    *out = empty;
    out->name = "model";
    out->unknowns = sf_model_dim(at->model);
    out->user = (void *)(uintptr_t)at;
    out->gradient = gradient;
}
