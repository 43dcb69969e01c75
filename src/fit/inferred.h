/* SPDX-License-Identifier: Apache-2.0 */
/* inferred.h - the latent points of the rows that a decoder without an encoder is trained
 * on: the other half of training, which alternates with updates of the decoder. */
#ifndef SFI_INFERRED_H
#define SFI_INFERRED_H

#include "model/model.h"

/* Rows that may be trained on: each is inferred again and again. */
enum { SFI_INFERRED_ROWS = 10000 };

/* Updates between two inferences of all rows. */
enum { SFI_INFERRED_EVERY = 50 };

typedef struct sfi_inferred {
    sf_context *ctx;
    sf_model *
        asked; /* the decoder as it was when it was asked last, in units of y */
    int64_t rows, dim, latent, most;
    double *y;         /* [rows, d]                                     */
    double *mean;      /* [rows, K]                                     */
    double *factor;    /* [rows, K, K]                                  */
    float *z;          /* [most, K] draws of a batch                    */
    float *divergence; /* [most] of its rows                            */
} sfi_inferred;

/* For rows y [rows, m->dim], which are copied, and batches of at most `most`.  On failure
 * *out is to be freed too.  SF_OK or SF_E_NOMEM. */
sf_status sfi_inferred_new(sfi_inferred *out, const sf_model *m, const float *y,
                           int64_t rows, int64_t most);
void sfi_inferred_free(sfi_inferred *s);

/* Infer rows first to first + count - 1 by a decoder of these weights, as the layout of m
 * has them.  Without warnings and progress.  SF_OK, SF_E_NUMERIC or SF_E_NOMEM. */
sf_status sfi_inferred_find(sfi_inferred *s, const float *weights,
                            int64_t first, int64_t count);

/* Draws of the rows of a batch, of which number i is a function of (seed, i, step). */
void sfi_inferred_draw(sfi_inferred *s, const int64_t *rows, int64_t count,
                       uint64_t seed, uint32_t step);

/* All that was found: mean [rows, K] and factor [rows, K, K]. */
void sfi_inferred_take(const sfi_inferred *s, double *mean, double *factor);

#endif
