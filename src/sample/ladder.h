/* SPDX-License-Identifier: Apache-2.0 */
/* ladder.h - parallel tempering: temperatures between which states are exchanged.
 *
 * Rung k of a ladder draws from exp(-beta_k f), 1 = beta_0 > beta_1 > ... .  Hot rungs
 * cross what cold ones do not, and neighbours exchange their states with the
 * probability that leaves every rung's law as it is (R. Swendsen, J.-S. Wang, Physical
 * Review Letters 57 (1986) 2607-2609; C. Geyer 1991).  Even and odd pairs take turns,
 * so that a state goes up or down rather than to and fro, and the temperatures are
 * placed where every pair refuses equally often (S. Syed, A. Bouchard-Cote, G.
 * Deligiannidis, A. Doucet, Journal of the Royal Statistical Society B 84 (2022)
 * 321-350). */
#ifndef SFI_LADDER_H
#define SFI_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SFI_LADDER_RUNGS = 64 };

typedef struct sfi_ladder {
    int64_t rungs; /* 2 to SFI_LADDER_RUNGS */
    double beta[SFI_LADDER_RUNGS];
    double
        refused[SFI_LADDER_RUNGS]; /* of pair k, k + 1: sum of probabilities */
    int64_t tried[SFI_LADDER_RUNGS];
    int64_t
        walker[SFI_LADDER_RUNGS]; /* which state is at rung k ...          */
    bool hot[SFI_LADDER_RUNGS];   /* ... and whether walker w was at the top
                                         since it was at the bottom            */
    int64_t trips;                /* there and back, of all walkers        */
} sfi_ladder;

/* Inverse temperatures from 1 to 1/hottest, each the same share of the one before. */
void sfi_ladder_init(sfi_ladder *l, int64_t rungs, double hottest);

/* The probability that rungs k and k + 1, whose states have the values f and g,
 * exchange them; it is remembered. */
double sfi_ladder_accept(sfi_ladder *l, int64_t k, double f, double g);
/* They did. */
void sfi_ladder_exchange(sfi_ladder *l, int64_t k);

/* Place the temperatures by what was refused since the last time, the ends staying as
 * they are; what is remembered is forgotten. */
void sfi_ladder_place(sfi_ladder *l);
void sfi_ladder_forget(sfi_ladder *l);

/* Mean probability of an exchange, over the pair that refuses most often. */
double sfi_ladder_least(const sfi_ladder *l);

#endif
