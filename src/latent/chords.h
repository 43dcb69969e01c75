/* SPDX-License-Identifier: Apache-2.0 */
/* chords.h - a chord between two latent points, and the energy of a chain of them. */
#ifndef SFI_LATENT_CHORDS_H
#define SFI_LATENT_CHORDS_H

#include "decoder/decoder.h"
#include "scorefield/program.h"

typedef struct sfi_chords {
    sf_context *ctx;
    int64_t latent; /* K */
    sf_program *square, *terms, *image;
} sfi_chords;

/* Compile; what *out holds may be freed also after a failure. */
sf_status sfi_chords_make(sf_context *ctx, sfi_chords *out,
                          const sf_decoder *d);
void sfi_chords_free(sfi_chords *c);

/* Squared lengths [count] of the chords between points `stride` numbers apart: chord i
 * from the K numbers at i stride to the K that follow them.  So stride K is that of a
 * chain, and 2 K that of pairs. */
sf_status sfi_chords_square(sfi_chords *c, int64_t count, const double *points,
                            int64_t stride, double *square);

/* The same with the derivatives of half of it by both ends, numbers of a: gradient
 * [count, 2 K], Gauss and Newton's matrix and the Hessian, [count, 2 K, 2 K]. */
sf_status sfi_chords_terms(sfi_chords *c, int64_t count, const double *chain,
                           double *square, double *gradient, double *gauss,
                           double *hessian);

/* Images f(z) [count, stride] of points [count, K]. */
sf_status sfi_chords_image(sfi_chords *c, int64_t count, const double *points,
                           double *x, int64_t stride);

/* A path of count + 1 points [count + 1, K] from the first to the last, at equal
 * lengths along the shortest path among points that are decoded between and around
 * them.  *found is false where there is none. */
sf_status sfi_shortest_path(sfi_chords *c, const double *from, const double *to,
                            uint64_t seed, int64_t count, double *points,
                            bool *found);

#endif
