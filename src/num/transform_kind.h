/* SPDX-License-Identifier: Apache-2.0 */
/* transform_kind.h - the real trigonometric transforms, and which of them makes the
 * second difference diagonal.
 *
 * The transforms of n numbers x_0 ... x_{n-1} are sums of cosines or sines
 *
 *     X_k = sum over j of w_j x_j cos(pi (j + a)(k + b)/q)
 *
 * with a, b and q of the table.  w_j is 2, but 1 for a j at an end of the period,
 * where the cosine or sine is 1 or -1 for every k: the first of DCT-III, the last
 * of DST-III, the first and the last of DCT-I.  Those are the definitions of FFTW,
 * and of Martucci, IEEE Trans. Signal Process. 42 (1994) 1038-1051.
 *
 * R2HC is the discrete Fourier transform of real numbers.  Place k <= n/2 of its
 * result holds the real part of
 *
 *     sum over j of x_j exp(-2 pi i j k/n),
 *
 * place n - k its imaginary part; HC2R goes back.  They have no row of a and b. */
#ifndef SFI_TRANSFORM_KIND_H
#define SFI_TRANSFORM_KIND_H

#include <stdbool.h>
#include <stdint.h>

/*  X(kind, goes back, 2a, 2b, q - n, sine) */
#define SFI_TRANSFORM_KINDS(X)                                                 \
    X(R2HC, HC2R, 0, 0, 0, false)                                              \
    X(HC2R, R2HC, 0, 0, 0, false)                                              \
    X(DCT1, DCT1, 0, 0, -1, false)                                             \
    X(DCT2, DCT3, 1, 0, 0, false)                                              \
    X(DCT3, DCT2, 0, 1, 0, false)                                              \
    X(DCT4, DCT4, 1, 1, 0, false)                                              \
    X(DST1, DST1, 2, 2, 1, true)                                               \
    X(DST2, DST3, 1, 2, 0, true)                                               \
    X(DST3, DST2, 2, 1, 0, true)                                               \
    X(DST4, DST4, 1, 1, 0, true)

typedef enum sfi_transform_kind {
#define X(kind, ...) SFI_##kind,
    SFI_TRANSFORM_KINDS(X)
#undef X
        SFI_TRANSFORM_COUNT
} sfi_transform_kind;

/* The angle of j and k is pi (2j + a2)(2k + b2)/(4q). */
typedef struct sfi_transform_angles {
    int a2, b2;
    int64_t q; /* n/2 of R2HC and HC2R would be halves: they are not asked */
    bool is_sine;
} sfi_transform_angles;

sfi_transform_angles sfi_transform_angles_of(sfi_transform_kind kind,
                                             int64_t n);

/* "DST-II", as messages and reports say it. */
const char *sfi_transform_name(sfi_transform_kind kind);

/* The kind that goes back: X, then this, is sfi_transform_scale(kind, n) x. */
sfi_transform_kind sfi_transform_inverse(sfi_transform_kind kind);
double sfi_transform_scale(sfi_transform_kind kind, int64_t n);

/* The fewest numbers a line may have: 2 for DCT-I, 1 otherwise. */
int64_t sfi_transform_least(sfi_transform_kind kind);

/* ---- walls ------------------------------------------------------------------
 *
 * On a uniform axis of spacing h, (-D^2 u)_j = (2 u_j - u_{j-1} - u_{j+1})/h^2,
 * where values beyond a wall follow from it: a pinned field is 0 on the wall and
 * odd about it, a natural one has derivative 0 and is even about it.  Points are
 * *nodes* (a wall at a point; a pinned one is not stored) or *cells* (walls half a
 * cell outside the first and the last point). */
typedef enum sfi_wall {
    SFI_WALL_PERIODIC, /* of both sides or of none */
    SFI_WALL_PIN,
    SFI_WALL_NATURAL,
    SFI_WALL_OPEN /* the grid goes on without end and without sources: no
                     transform has it                                          */
} sfi_wall;

/* The transform whose result is the coefficients of the modes:
 *
 *     low, high          nodes     cells
 *     periodic           R2HC      R2HC
 *     pin, pin           DST-I     DST-II
 *     natural, natural   DCT-I     DCT-II
 *     pin, natural       DST-III   DST-IV
 *     natural, pin       DCT-III   DCT-IV
 *
 * Its lines hold the unknown points alone, in order.  At a natural wall of nodes
 * the point on the wall has half a cell. */
sfi_transform_kind sfi_transform_of_walls(sfi_wall low, sfi_wall high,
                                          bool cells);

/* The eigenvalue of -D^2 for h = 1 of the mode at place k of the result of such a
 * transform of n points: (2 sin(theta/2))^2, where the mode turns by theta from one
 * point to the next.  In [0, 4], exactly 0 for a constant mode. */
double sfi_transform_eigenvalue(sfi_transform_kind kind, int64_t n, int64_t k);

#endif
