/* SPDX-License-Identifier: Apache-2.0 */
/* trainer.h - a training run, for the files that it is written in: trainer.c runs it,
 * trainer_state.c saves and restores it. */
#ifndef SFI_TRAINER_H
#define SFI_TRAINER_H

#include "fit/inferred.h"
#include "fit/loss.h"
#include "fit/noised.h"

/* Everything that changes while training, besides the weight arrays. */
typedef struct progress_state {
    int64_t step;
    int64_t epoch, position; /* where in the shuffled order the next batch is */
    int64_t best_step;
    double best_loss;
    double seconds;
    double recent_loss; /* sum over the updates since the last curve point */
    int64_t recent_count;
    int64_t curve_count;
    int64_t stop; /* an sf_stop */
} progress_state;

struct sf_trainer {
    sf_context *ctx;
    sf_network_options o;
    sf_model *model;
    sf_model *start; /* of an autoencoder: principal components */
    int64_t columns;
    int64_t rows, held;  /* training and held-out rows */
    float *data;         /* [held + rows, d] standardised, held-out first */
    size_t cells;        /* numbers in it */
    int64_t *order;      /* [rows] training rows as shuffled, + held */
    int64_t *batch_rows; /* [batch] */
    int64_t judged;      /* points of a held-out evaluation */
    int64_t *judged_rows;
    /* With kernels: */
    sfi_noise noise;
    double *exact; /* [held + rows, d] the data in f64             */
    double *unit;  /* [2, d] mean and scale                        */
    sfi_noised noised;
    sfi_loss loss;     /* judges, and trains where targets are no means */
    sfi_loss averaged; /* trains where they are                         */
    /* Without an encoder: */
    sfi_inferred inferred; /* of all rows, held-out ones first            */
    float *asked;          /* [count] the weights that training rows were
                              inferred by                                 */
    double *share;         /* [d] of rows with repeated values, or NULL       */
    int64_t count;         /* weights */
    int64_t trained;       /* of them, the first */
    float *weights, *moment1, *moment2, *average, *best, *gradient;
    double *norms; /* one for each chunk      */
    uint64_t fingerprint;
    progress_state s;
    sf_curve_point *curve;
    size_t curve_capacity;
};

/* The order of the rows in the epoch that s.epoch numbers. */
void sfi_trainer_shuffle(sf_trainer *t);

/* Without an encoder: infer the training rows by the weights t->asked. */
sf_status sfi_trainer_infer(sf_trainer *t);

/* In the model's place one that keeps where its rows were; on failure *m is NULL.  And give
 * the latent variables of a manifold the scale of its rows', and its noise the size of what
 * they miss.  SF_OK or SF_E_NOMEM. */
sf_status sfi_trainer_keep_codes(const sf_trainer *t, sf_model **m);
sf_status sfi_trainer_finish_manifold(const sf_trainer *t, sf_model *m);

#endif
