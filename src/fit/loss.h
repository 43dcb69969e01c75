/* SPDX-License-Identifier: Apache-2.0 */
/* loss.h - an objective summed over a batch of rows: its value, its gradient by
 * the weights, and its Hessian times a direction.
 *
 * The trainer calls it on small batches in f32, the functional of
 * scorefield/fit.h on whole tables in f64. */
#ifndef SFI_LOSS_H
#define SFI_LOSS_H

#include "fit/objective.h"

/* Which programs to make; a gradient brings the value along. */
enum {
    SFI_LOSS_VALUE = 1,
    SFI_LOSS_GRADIENT = 2,
    SFI_LOSS_PRODUCT = 4,
    SFI_LOSS_AVERAGED = 8 /* not a program: batches come with targets */
};

typedef struct sfi_loss {
    sf_context *ctx;
    const sf_model *model; /* gives the layout; its weights are not read */
    sf_dtype dtype;
    sf_source_kind third;
    bool averaged;
    bool given; /* the second and the third input come with the batch */
    sf_program *value, *gradient, *product;
    const void **params; /* [weights of the layout, then directions] */
    sf_sink *sinks;      /* [1 + weights of the layout]              */
} sfi_loss;

/* Rows of standardised data with the noise that goes with them.  The noise of
 * place i is a function of (seed, i, step) alone. */
typedef struct sfi_batch {
    const void *data; /* [*, dim] in the loss's dtype            */
    const int64_t *rows;
    int64_t count;
    uint64_t seed;
    uint32_t step;
    double share;        /* of ELBO: of the divergence */
    const void *noised;  /* of a model with kernels: [count, inner] and ... */
    const void *times;   /* ... [count], drawn beforehand; without an encoder
                            z [count, K] and divergences [count]           */
    const void *targets; /* of a loss that is averaged, instead of data    */
} sfi_batch;

/* `model` must outlive the loss.  On failure *out is empty.
 * Returns SF_OK, SF_E_NOMEM, or what the objective's graph carries. */
sf_status sfi_loss_new(sfi_loss *out, const sf_model *model,
                       sf_objective objective, sf_dtype dtype, unsigned wants);
void sfi_loss_free(sfi_loss *l);

/* Sums over the batch.  weights, direction, gradient and hv hold
 * model->weight_count numbers of the loss's dtype, *value is one of them. */
sf_status sfi_loss_value(sfi_loss *l, const sfi_batch *batch,
                         const void *weights, void *value);
sf_status sfi_loss_gradient(sfi_loss *l, const sfi_batch *batch,
                            const void *weights, void *value, void *gradient);
sf_status sfi_loss_product(sfi_loss *l, const sfi_batch *batch,
                           const void *weights, const void *direction,
                           void *hv);

#endif
