/* SPDX-License-Identifier: Apache-2.0 */
/* seen.c - what the cells of a column say of it, one after the other.
 *
 * Decimals.  A double x was written with at most k decimals if it is the one
 * nearest to m/10^k for a whole m.  10^k is exact up to k = 22 and a whole number
 * below 2^53 is, so that this division, rounded once, gives that double. */
#include "table/seen.h"

#include <math.h>

void sfi_seen_begin(sfi_seen *seen)
{
    *seen = (sfi_seen){.summary = SF_FRAME_SUMMARY_INIT, .runs = true};
    seen->summary.min = INFINITY;
    seen->summary.max = -INFINITY;
}

static bool has_decimals(double x, int decimals)
{
    static const double powers[SF_MOST_DECIMALS + 1] = {1e0, 1e1, 1e2, 1e3,
                                                        1e4, 1e5, 1e6};
    const double whole = rint(x * powers[decimals]);
    return fabs(whole) < 0x1p53 && whole / powers[decimals] == x;
}

/* Mean and squares by Welford's recurrence (Technometrics 4 (1962) 419-420). */
void sfi_seen_add(sfi_seen *seen, double x)
{
    sf_frame_summary *s = &seen->summary;
    seen->runs &= s->present + s->missing == 0 || x == seen->last + 1.0;
    seen->last = x;
    if (isnan(x)) {
        s->missing++;
        return;
    }
    s->present++;
    const double from = x - s->mean;
    s->min = x < s->min ? x : s->min;
    s->max = x > s->max ? x : s->max;
    s->mean += from / (double)s->present;
    s->sd += from * (x - s->mean);
    while (seen->decimals <= SF_MOST_DECIMALS &&
           !has_decimals(x, seen->decimals))
        seen->decimals++;
}

void sfi_seen_end(sfi_seen *seen)
{
    sf_frame_summary *s = &seen->summary;
    if (s->present == 0)
        s->min = s->max = s->mean = (double)NAN;
    s->sd =
        s->present > 1 ? sqrt(s->sd / (double)(s->present - 1)) : (double)NAN;
}
