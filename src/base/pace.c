/* SPDX-License-Identifier: Apache-2.0 */
/* pace.c - the mean cost of each way, and a budget for the one that was slower.
 *
 * The slower way is tried when that takes no more than a 32nd of the time since it was
 * tried last: however slow it is it costs a 33rd of the whole, and what it would cost now
 * is never long unknown. */
#include "base/pace.h"

static int faster(const sfi_pace *p)
{
    return p->cost[1] < p->cost[0];
}

int sfi_pace_choose(const sfi_pace *p, double units)
{
    const double patience = 32.0;
    const int best = faster(p);
    return p->since >= patience * units * p->cost[1 - best] ? 1 - best : best;
}

/* A mean of about the last eight, and not a median: what waits now and then, but long,
 * is slow. */
void sfi_pace_learn(sfi_pace *p, int way, double units, double seconds)
{
    const double share = p->cost[way] > 0.0 ? 0.125 : 1.0;
    p->since = way == faster(p) ? p->since + seconds : 0.0;
    p->cost[way] += share * (seconds / units - p->cost[way]);
}
