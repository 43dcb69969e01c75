/* SPDX-License-Identifier: Apache-2.0 */
/* ladder.c - temperatures, and whose state is where.
 *
 * Here are only numbers: the chains that have the states are chains.c's.  What pairs
 * refuse is summed up as probabilities, not as the events, which would be noisier, and
 * is what the temperatures are placed by. */
#include "sample/ladder.h"

#include <math.h>

void sfi_ladder_init(sfi_ladder *l, int64_t rungs, double hottest)
{
    *l = (sfi_ladder){.rungs = rungs};
    for (int64_t k = 0; k < rungs; k++) {
        l->beta[k] = pow(hottest, -(double)k / (double)(rungs - 1));
        l->walker[k] = k;
    }
    l->hot[rungs - 1] = true;
}

double sfi_ladder_accept(sfi_ladder *l, int64_t k, double f, double g)
{
    const double gain = (l->beta[k] - l->beta[k + 1]) * (f - g);
    const double accept = gain >= 0.0 ? 1.0 : exp(gain);
    l->refused[k] += 1.0 - accept;
    l->tried[k]++;
    return accept;
}

void sfi_ladder_exchange(sfi_ladder *l, int64_t k)
{
    const int64_t down = l->walker[k + 1];
    l->walker[k + 1] = l->walker[k];
    l->walker[k] = down;
    if (k + 2 == l->rungs)
        l->hot[l->walker[k + 1]] = true;
    if (k == 0 && l->hot[down]) {
        l->hot[down] = false;
        l->trips++;
    }
}

/* The barrier between two temperatures is the sum of what the pairs between them
 * refuse; each pair is to have the same share of it.  Within a pair it is taken to
 * grow in proportion to ln beta. */
void sfi_ladder_place(sfi_ladder *l)
{
    const int64_t pairs = l->rungs - 1;
    double barrier[SFI_LADDER_RUNGS] = {0.0}, from[SFI_LADDER_RUNGS];
    for (int64_t k = 0; k < l->rungs; k++)
        from[k] = log(l->beta[k]);
    for (int64_t k = 0; k < pairs; k++) {
        /* What was hardly tried, or always granted, is some barrier still. */
        const double rate = (l->refused[k] + 0.5) / ((double)l->tried[k] + 1.0);
        barrier[k + 1] = barrier[k] + rate;
    }
    int64_t at = 0;
    for (int64_t k = 1; k < pairs; k++) {
        const double want = barrier[pairs] * (double)k / (double)pairs;
        while (barrier[at + 1] < want)
            at++;
        const double part =
            (want - barrier[at]) / (barrier[at + 1] - barrier[at]);
        l->beta[k] = exp(from[at] + part * (from[at + 1] - from[at]));
    }
    sfi_ladder_forget(l);
}

void sfi_ladder_forget(sfi_ladder *l)
{
    for (int64_t k = 0; k < l->rungs; k++) {
        l->refused[k] = 0.0;
        l->tried[k] = 0;
    }
}

double sfi_ladder_least(const sfi_ladder *l)
{
    double least = 1.0;
    for (int64_t k = 0; k + 1 < l->rungs; k++)
        if (l->tried[k] > 0)
            least = fmin(least, 1.0 - l->refused[k] / (double)l->tried[k]);
    return least;
}
