/* SPDX-License-Identifier: Apache-2.0 */
/* geodesic.h - shortest curves on the manifold of a decoder.
 *
 * Lengths are those of L^-1 f(z), Sigma = L L': in standard deviations of the noise,
 * and with sigma = 1 in the units of x.  A curve is a chain of N chords between
 * latent points z_0, ..., z_N, of which the first and the last are given; it minimises
 *
 *     E = (N/2) sum_i |L^-1 (f(z_(i+1)) - f(z_i))|^2
 *
 * which makes the chords nearly equal, and their sum l_N short of the length of the
 * arc by a part in N^2.  Noise that varies is measured by Fisher's metric: L is that
 * of the mean of ln sigma at both ends of a chord, and sqrt(2) ln sigma_k(z) are
 * further coordinates.  (That is exact where f does not change, or sigma does not;
 * elsewhere to the order of N^-2.) */
#ifndef SCOREFIELD_GEODESIC_H
#define SCOREFIELD_GEODESIC_H

#include "scorefield/decoder.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_geodesic_options {
    size_t size;            /* set by _INIT                                   */
    double tolerance;       /* > 0, of the gradient, see below  [1e-8]        */
    int64_t max_iterations; /* of each grid, >= 1               [200]         */
    uint64_t seed;          /* of the points through which a path is looked
                               for                              [0]           */
} sf_geodesic_options;

#define SF_GEODESIC_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_geodesic_options), 1e-8, 200, 0                              \
    }

/* What was found. */
typedef struct sf_geodesic_result {
    size_t size;                /* set by _INIT                               */
    double energy;              /* E                                          */
    double length;              /* l_N; sqrt(2 E) where the chords are equal  */
    double length_extrapolated; /* l_N + (l_N - l_(N/2))/3; NaN for odd N     */
    double straight;            /* length of the image of the straight latent
                                   line, as N chords                          */
    double gradient;            /* |grad E| in the inverse of Gauss and Newton's
                                   matrix, over 1 + E                         */
    double uneven;              /* largest difference of a chord from their
                                   mean, relative to it                       */
    int64_t iterations;         /* of all grids                               */
    bool converged;             /* gradient <= tolerance                      */
    bool minimum;               /* the Hessian of E is positive definite      */
} sf_geodesic_result;

#define SF_GEODESIC_RESULT_INIT                                                \
    {                                                                          \
        .size = sizeof(sf_geodesic_result)                                     \
    }

/* Find the curve from `from` [K] to `to` [K].
 *
 *   z       [N + 1, K]  out: its points; N >= 2 is z.rows - 1
 *   x       [N + 1, d]  out: their images f(z); data NULL: not wanted
 *   length  [N + 1]     out: the sum of the chords up to each point, or NULL
 *   result              NULL, or receives what was found
 *
 * Method.  Newton's steps where the Hessian is positive definite and Levenberg's
 * elsewhere, on block tridiagonal matrices, O(N K^3) each; first on a grid of 8 chords
 * or so, which is then halved until there are N (an even N is best, a power of two
 * better).  They start from the straight latent line, and for K > 1 from the shortest
 * path among 2048 decoded points, since around a hole the straight line leads to a
 * saddle; the curve of less energy is kept.  Nothing proves that no shorter one exists.
 *
 * Warnings tell of a curve that is a saddle, and of chords that differ by more than
 * a hundredth.
 *
 * Returns SF_OK, or
 *   SF_E_SHAPE      z or x has the wrong shape, N < 2
 *   SF_E_ARG        an option out of range, an end that is not finite
 *   SF_E_NUMERIC    the decoder is not finite on the way, from both starts
 *   SF_E_CONVERGE   max_iterations were not enough; all is filled
 *   SF_E_NOMEM */
SF_API sf_status sf_geodesic(sf_context *ctx, const sf_decoder *decoder,
                             sf_mat z, sf_mat x, double *length,
                             sf_geodesic_result *result, const double *from,
                             const double *to,
                             const sf_geodesic_options *options);

#ifdef __cplusplus
}
#endif
#endif
