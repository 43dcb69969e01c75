/* SPDX-License-Identifier: Apache-2.0 */
/* loss_functional.c - the training objective of a network over a whole table, as
 * a functional of the network's weights. */
#include "fit/loss.h"
#include "scorefield/functional.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

struct sf_loss {
    sf_context *ctx;
    sf_model *model;
    sfi_loss loss;
    double *data;  /* [rows, dim], standardised       */
    int64_t *rows; /* [count]: each row, draws times  */
    int64_t row_count, count;
    uint64_t seed;
};

static sfi_batch whole(const sf_loss *l)
{
    return (sfi_batch){
        .data = l->data, .rows = l->rows, .count = l->count, .seed = l->seed};
}

static sf_status value(sf_context *ctx, void *self, double *values,
                       const double *x, int64_t walkers)
{
    (void)ctx;
    sf_loss *l = self;
    const sfi_batch batch = whole(l);
    const int64_t n = l->model->weight_count;
    for (int64_t w = 0; w < walkers; w++) {
        SFI_TRY(sfi_loss_value(&l->loss, &batch, x + w * n, &values[w]));
        values[w] /= (double)l->count;
    }
    return SF_OK;
}

static void take_mean(const sf_loss *l, double *sums)
{
    for (int64_t j = 0; j < l->model->weight_count; j++)
        sums[j] /= (double)l->count;
}

static sf_status gradient(sf_context *ctx, void *self, double *values,
                          double *gradients, const double *x, int64_t walkers)
{
    (void)ctx;
    sf_loss *l = self;
    const sfi_batch batch = whole(l);
    const int64_t n = l->model->weight_count;
    for (int64_t w = 0; w < walkers; w++) {
        double sum;
        SFI_TRY(sfi_loss_gradient(&l->loss, &batch, x + w * n, &sum,
                                  gradients + w * n));
        take_mean(l, gradients + w * n);
        if (values != NULL)
            values[w] = sum / (double)l->count;
    }
    return SF_OK;
}

static sf_status hvp(sf_context *ctx, void *self, double *hv, const double *x,
                     const double *v, int64_t walkers)
{
    (void)ctx;
    sf_loss *l = self;
    const sfi_batch batch = whole(l);
    const int64_t n = l->model->weight_count;
    for (int64_t w = 0; w < walkers; w++) {
        SFI_TRY(sfi_loss_product(&l->loss, &batch, x + w * n, v + w * n,
                                 hv + w * n));
        take_mean(l, hv + w * n);
    }
    return SF_OK;
}

static sf_status check(sf_context *ctx, const sf_model *m, sf_cmat data,
                       const sf_loss_options *o)
{
    SFI_TRY(sfi_want_ability(ctx, m, SF_CAN_TRAIN, "loss"));
    if (sfi_has_kernels(m) || m->ops == &sfi_flow_ops)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "loss: of networks with kernels and of flows it is not "
                        "offered");
    const bool one_level = o->objective == SF_OBJECTIVE_IMPLICIT ||
                           o->objective == SF_OBJECTIVE_SLICED;
    if ((int)o->objective < SF_OBJECTIVE_DSM ||
        (int)o->objective > SF_OBJECTIVE_SLICED)
        return SFI_FAIL(ctx, SF_E_ARG, "loss: objective is %d, want 0 to %d",
                        (int)o->objective, SF_OBJECTIVE_SLICED);
    if (one_level != sfi_single_level(m))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "loss: the network was made for %s, want objective %s",
                        one_level ? "all noise levels" : "one noise level",
                        one_level ? "DSM or FLOW" : "IMPLICIT or SLICED");
    if (o->draws < 1 || o->draws > 1 << 20)
        return SFI_FAIL(ctx, SF_E_ARG, "loss: draws is %lld, want 1 to %d",
                        (long long)o->draws, 1 << 20);
    SFI_TRY(sfi_check_table(ctx, data, true, "loss: data"));
    if (data.cols != m->dim)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "loss: the data has %lld columns, the model has %lld",
                        (long long)data.cols, (long long)m->dim);
    if (data.rows < 1)
        return SFI_FAIL(ctx, SF_E_ARG, "loss: no rows, want at least 1");
    return SF_OK;
}

static sf_status make(sf_loss *l, const sf_model *m, sf_cmat data,
                      const sf_loss_options *o)
{
    SFI_TRY(sfi_model_like(m, &l->model));
    memcpy(l->model->weights, m->weights,
           (size_t)m->weight_count * sizeof *m->weights);
    l->seed = o->seed;
    l->row_count = data.rows;
    l->count = data.rows * o->draws;
    l->data =
        sfi_alloc(l->ctx, (size_t)(data.rows * data.cols), sizeof *l->data);
    l->rows = sfi_alloc(l->ctx, (size_t)l->count, sizeof *l->rows);
    if (l->data == NULL || l->rows == NULL)
        return SF_E_NOMEM;
    sfi_to_inner(m, data, (sf_mat){l->data, data.rows, data.cols, data.cols});
    for (int64_t i = 0; i < l->count; i++)
        l->rows[i] = i % data.rows;
    return sfi_loss_new(&l->loss, l->model, o->objective, SF_F64,
                        SFI_LOSS_VALUE | SFI_LOSS_GRADIENT | SFI_LOSS_PRODUCT);
}

sf_status sf_loss_new(sf_context *ctx, sf_loss **out, const sf_model *model,
                      sf_cmat data, const sf_loss_options *options)
{
    *out = NULL;
    sf_loss_options o = SF_LOSS_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check(ctx, model, data, &o));
    sf_loss *l = sfi_alloc_zero(ctx, 1, sizeof *l);
    if (l == NULL)
        return SF_E_NOMEM;
    l->ctx = ctx;
    const sf_status status = make(l, model, data, &o);
    if (status != SF_OK) {
        sf_loss_free(l);
        return status;
    }
    *out = l;
    return SF_OK;
}

void sf_loss_free(sf_loss *l)
{
    if (l == NULL)
        return;
    sfi_loss_free(&l->loss);
    if (l->model != NULL)
        sfi_free(l->ctx, l->data, (size_t)(l->row_count * l->model->dim),
                 sizeof *l->data);
    sfi_free(l->ctx, l->rows, (size_t)l->count, sizeof *l->rows);
    sf_model_free(l->model);
    sfi_free(l->ctx, l, 1, sizeof *l);
}

void sf_loss_functional(sf_loss *l, sf_functional *out)
{
    const sf_functional empty = SF_FUNCTIONAL_INIT;
    *out = empty;
    out->name = "training objective";
    out->unknowns = l->model->weight_count;
    out->user = l;
    out->value = value;
    out->gradient = gradient;
    out->hvp = hvp;
}

void sf_loss_weights(const sf_loss *l, double *weights)
{
    memcpy(weights, l->model->weights,
           (size_t)l->model->weight_count * sizeof *weights);
}

sf_status sf_loss_model(const sf_loss *l, const double *weights, sf_model **out)
{
    *out = NULL;
    const int64_t n = l->model->weight_count;
    for (int64_t j = 0; j < n; j++)
        if (!isfinite((float)weights[j]))
            return SFI_FAIL(l->ctx, SF_E_NUMERIC,
                            "loss: weight %lld is %g, want a finite number of "
                            "single precision",
                            (long long)j, weights[j]);
    SFI_TRY(sfi_model_like(l->model, out));
    for (int64_t j = 0; j < n; j++)
        (*out)->weights[j] = (float)weights[j];
    return SF_OK;
}
