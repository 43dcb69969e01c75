/* SPDX-License-Identifier: Apache-2.0 */
/* mixing.h - what chains of one number, all of one length, say about each other
 * and about how many of their draws are effective. */
#ifndef SFI_MIXING_H
#define SFI_MIXING_H

#include "base/context.h"
#include "num/loops.h"

typedef struct sfi_chains {
    const sfi_loops *loops;
    int64_t count,
        length;      /* >= 2 chains of >= 2 draws each                   */
    double *draws;   /* [count, length]                                  */
    double *mean;    /* [count]                                          */
    int64_t padded;  /* numbers to transform; 0: chains are short        */
    double *re, *im; /* [padded]                                         */
    double *power;   /* [padded]                                         */
    double *table;   /* [2 padded], of num/fft.h                         */
} sfi_chains;

/* How many doubles chains of these extents work in. */
size_t sfi_chains_size(int64_t count, int64_t length);

/* Lay them out in `memory` and prepare what does not depend on draws. */
void sfi_chains_init(sfi_chains *chains, double *memory, int64_t count,
                     int64_t length);

/* The spread of draws: both NaN if no draw differs from any other by more than
 * rounding. */
typedef struct sfi_spread {
    double within;  /* mean of the chains' variances, divisor length - 1 */
    double between; /* variance of their means, divisor count - 1        */
} sfi_spread;

/* Centres each chain at its mean. */
sfi_spread sfi_chains_centre(sfi_chains *chains);

/* The root of the variance of all draws over that within chains, as estimated
 * from their spread; inf where no chain ever moves. */
double sfi_chains_rhat(const sfi_chains *chains, sfi_spread spread);

/* The effective number of draws for their mean; chains are centred.  NaN for
 * fewer than SFI_CHAIN_LEAST draws a chain. */
enum { SFI_CHAIN_LEAST = 6 };
double sfi_chains_ess(sfi_chains *chains, sfi_spread spread);

#endif
