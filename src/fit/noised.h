/* SPDX-License-Identifier: Apache-2.0 */
/* noised.h - rows noised by kernels, to train a network on, and what its heads are
 * to say there.
 *
 * Given the clean row x_0 that y was drawn from, the kernels know score, velocity
 * and x_0 itself; their means given y are what a network learns.  Those means can
 * be taken beforehand, over rows of the batch weighed by p(y | x_0; t): targets
 * that vary less, at the price of a bias of order 1/(rows of the mean) (Y. Xu,
 * S. Tong, T. Jaakkola, Stable target field, ICLR 2023). */
#ifndef SFI_NOISED_H
#define SFI_NOISED_H

#include "fit/objective.h"

typedef struct sfi_noised {
    const sf_model *model;
    sf_cmat x0; /* [rows, dim] in the coordinates of the kernels */
    int64_t most, target_rows, targets_size;
    struct sfi_noiser *noiser;
    sf_program *pairs; /* log density and targets of one (y, x_0) */
    const void **params;
    double *y, *t;  /* [most, inner], [most] */
    float *rows;    /* the same in f32, one after the other */
    float *targets; /* [most, targets_size] */
    /* Of a tile of pairs: */
    int64_t tile; /* points of it */
    int64_t *point, *clean;
    double *logp, *given;
} sfi_noised;

/* For up to `most` points of the model's rows x0, which must outlive it.
 * `target_rows` <= most is how many rows a target is the mean of; 1: no targets
 * are made.  On failure *out is empty.  Returns SF_OK, SF_E_NOMEM, or what the
 * graph of the kernels carries. */
sf_status sfi_noised_new(sfi_noised *out, const sf_model *model, sf_cmat x0,
                         int64_t most, int64_t target_rows);
void sfi_noised_free(sfi_noised *z);

/* Draw a time and a noised row for each of x0's rows index[i], i = 0..count-1: a
 * function of (seed, i, step).  Times are as dense as the steps of a sampler, so
 * that each of its steps is learned as well as the others. */
sf_status sfi_noised_draw(sfi_noised *z, const int64_t *index, int64_t count,
                          uint64_t seed, uint32_t step);

/* The targets of what was drawn last, each the mean over its own row and the
 * target_rows - 1 that follow it in `index`, round its end. */
sf_status sfi_noised_targets(sfi_noised *z, const int64_t *index,
                             int64_t count);

#endif
