/* SPDX-License-Identifier: Apache-2.0 */
/* transform_own.h - our own transforms: eight lines at once, a vector element for
 * each.
 *
 * There are three ways, which transform_own.c plans and transform_lanes.h runs:
 *
 *   HALF     the period is 2m, m = 2^p: R2HC and types I and II, and the ways back,
 *            through a complex transform of m numbers, even and odd places being
 *            its real and imaginary parts
 *   QUARTER  type IV of 2m numbers, m = 2^p, through one of m
 *   CHIRP    anything: Bluestein's convolution of at least 2n - 1 numbers
 *
 * The vector elements do not meet, so what becomes of a line does not depend on
 * its neighbours, and as no multiplication is fused with an addition, it does not
 * depend on the instruction set either. */
#ifndef SFI_TRANSFORM_OWN_H
#define SFI_TRANSFORM_OWN_H

#include "base/context.h"
#include "num/transform_kind.h"

enum { SFI_LANES = 8 };

typedef enum sfi_own_way {
    SFI_OWN_HALF,
    SFI_OWN_HALF_BACK,
    SFI_OWN_QUARTER,
    SFI_OWN_CHIRP
} sfi_own_way;

/* A place of the line, and what to multiply it by. */
typedef struct sfi_own_port {
    int64_t place;
    double weight;
} sfi_own_port;

/* Where the frequency V of a real transform stands in the line:
 *   forward   line[first]  = a Re V + b Im V       line[second] = c Re V + d Im V
 *   back      Re V = a line[first] + c line[second]
 *             Im V = b line[first] + d line[second]
 * A place of -1 is none. */
typedef struct sfi_own_frequency {
    int64_t first, second;
    double a, b, c, d;
} sfi_own_frequency;

typedef struct sfi_own_transform sfi_own_transform;

/* Transform eight lines in place: their numbers j are the eight doubles from
 * line + j*step on, of any alignment; work is aligned to 64 bytes. */
typedef void (*sfi_own_loop)(const sfi_own_transform *t, double *line,
                             int64_t step, double *work);

struct sfi_own_transform {
    sf_context *ctx;
    sfi_own_way way;
    int64_t n; /* numbers in a line                                    */
    int64_t m; /* of the complex transform                             */

    double *turns;       /* [2m] of the butterflies                      */
    double *turns_end;   /* behind the last that is used                 */
    int64_t *reversed;   /* [m] where a frequency is                     */
    double *twist;       /* HALF: [m + 2] exp(-pi i k/m) for k <= m/2    */
    double *before;      /* QUARTER: [2m], CHIRP: [2n]                   */
    double *after;       /* likewise                                     */
    double *spectrum;    /* CHIRP: [2m]                                  */
    sfi_own_port *ports; /* HALF, QUARTER: [2m]             */
    sfi_own_frequency *frequencies; /* HALF: [m + 1]                   */
    double *numbers;                /* the memory of all those doubles */
    size_t number_count;
    sfi_own_loop run;
};

/* Plan a transform of lines of n numbers, sfi_transform_least(kind) <= n <= 2^30.
 * Returns SF_OK, SF_E_NOMEM. */
sf_status sfi_own_new(sf_context *ctx, sfi_own_transform **out,
                      sfi_transform_kind kind, int64_t n);
void sfi_own_free(sfi_own_transform *t);

/* Whether n is such that CHIRP is not needed. */
bool sfi_own_is_fast(sfi_transform_kind kind, int64_t n);

/* Doubles that run needs beside. */
int64_t sfi_own_work(const sfi_own_transform *t);

/* In each instruction set; NULL where this build does not have it. */
sfi_own_loop sfi_own_loop_portable(sfi_own_way way);
sfi_own_loop sfi_own_loop_avx2(sfi_own_way way);
sfi_own_loop sfi_own_loop_avx512(sfi_own_way way);

#endif
