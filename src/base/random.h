/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - random numbers that are a function of where they are used.
 *
 * The draw for point i, step t, component j under a seed is a pure function of
 * (seed, stream, i, t, j): no generator state exists, so points may be split
 * among blocks and threads in any way.  Philox4x32-10: J. K. Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC11.
 *
 *   key      = seed (64 bits)
 *   counter  = { point low, point high (24 bits) + stream (8 bits) << 24,
 *                step (32 bits), component / 4 }
 *
 * Word j % 4 of the output belongs to component j.  Streams keep the different
 * uses of one seed apart. */
#ifndef SFI_RANDOM_H
#define SFI_RANDOM_H

#include <stdint.h>

/* What a draw is for; append only, since saved results depend on it. */
typedef enum sfi_stream {
    SFI_STREAM_PRIOR = 0, /* starting points of a sampler         */
    SFI_STREAM_STEP,      /* noise of a sampler's steps           */
    SFI_STREAM_WEIGHTS,   /* initial weights                      */
    SFI_STREAM_SHUFFLE,   /* order of rows within an epoch        */
    SFI_STREAM_NOISE,     /* noise added to training points       */
    SFI_STREAM_TIME,      /* noise level of training points       */
    SFI_STREAM_PROBE,     /* Hutchinson and sliced directions     */
    SFI_STREAM_SPLIT,     /* training and held-out rows           */
    SFI_STREAM_USER,      /* tests and examples                   */
    SFI_STREAM_MOMENTUM,  /* momenta of Markov chains             */
    SFI_STREAM_CHOICE,    /* what a Markov chain decides by chance */
    SFI_STREAM_EXCHANGE,  /* of states between temperatures       */
    SFI_STREAM_LATENT,    /* latent points of a row                */
    SFI_STREAM_GIVEN,     /* rows given some of their columns     */
    SFI_STREAM_SPREAD     /* rounded values within their cells    */
} sfi_stream;

typedef struct sfi_where {
    uint64_t seed;
    uint64_t point; /* < 2^56 */
    uint32_t step;
    sfi_stream stream;
} sfi_where;

/* One block of Philox4x32-10. */
void sfi_philox(const uint32_t counter[4], const uint32_t key[2],
                uint32_t out[4]);

/* 32 uniform bits for component j. */
uint32_t sfi_bits_at(sfi_where where, uint32_t j);

/* Uniform in (0, 1): (bits + 0.5) / 2^32. */
double sfi_uniform_at(sfi_where where, uint32_t j);

/* Standard normal by Box-Muller from words (2k, 2k+1) of the block: component
 * j even takes the cosine, odd the sine.  The vector loops of num/ give the
 * same numbers to within the rounding of their logarithm and cosine. */
double sfi_normal_at(sfi_where where, uint32_t j);

/* Shuffle index[0..n-1] (Fisher-Yates); the order depends on (seed, epoch) and
 * n alone.  n < 2^32. */
void sfi_shuffle(uint64_t seed, uint32_t epoch, int64_t *index, int64_t n);

#endif
