/* SPDX-License-Identifier: Apache-2.0 */
/* adapt.c - step, windows and moments, each a few numbers that are updated in place.
 *
 * What is learnt comes from the chain alone, in the order of its iterations, and costs
 * a fixed number of operations for each: nothing is kept of the draws themselves. */
#include "sample/adapt.h"

#include <math.h>
#include <string.h>

/* ---- step ---------------------------------------------------------------------- */

void sfi_step_size_begin(sfi_step_size *s, double step)
{
    *s = (sfi_step_size){.target = s->target,
                         .centre = log(10.0 * step),
                         .average = log(step),
                         .step = step};
}

void sfi_step_size_learn(sfi_step_size *s, double accept)
{
    const double slowness = 10.0, gain = 0.05, decay = 0.75;
    const double n = (double)++s->count;
    const double weight = 1.0 / (n + slowness);
    s->lack += weight * (s->target - accept - s->lack);
    const double next = s->centre - sqrt(n) / gain * s->lack;
    const double share = pow(n, -decay);
    s->average = share * next + (1.0 - share) * s->average;
    s->step = exp(next);
}

double sfi_step_size_end(const sfi_step_size *s)
{
    return exp(s->average);
}

/* ---- windows ------------------------------------------------------------------- */

void sfi_windows_init(sfi_windows *w, int64_t warmup)
{
    enum { LEAST = 20, STEP_ALONE = 60 };
    const int64_t part = (3 * warmup + 19) / 20;
    *w = (sfi_windows){0, 0};
    if (warmup >= LEAST)
        w->last = warmup - (part < STEP_ALONE ? part : STEP_ALONE);
}

bool sfi_windows_counts(const sfi_windows *w, int64_t i)
{
    return i < w->last;
}

bool sfi_windows_turn(sfi_windows *w, int64_t i)
{
    enum { LEAST = 10 };
    const int64_t newer = i + 1 - w->newer;
    if (newer < LEAST || 3 * newer < i + 1)
        return false;
    w->newer = i + 1;
    return true;
}

/* ---- moments ------------------------------------------------------------------- */

void sfi_pair_moments_init(sfi_pair_moments *m, int64_t dim, double *memory)
{
    *m = (sfi_pair_moments){
        dim, 0, memory, memory + dim, memory + 2 * dim, memory + 3 * dim};
    sfi_pair_moments_clear(m);
}

void sfi_pair_moments_clear(sfi_pair_moments *m)
{
    m->count = 0;
    memset(m->x, 0, SFI_PAIR_MOMENTS * (size_t)m->dim * sizeof *m->x);
}

void sfi_pair_moments_add(sfi_pair_moments *m, const double *x,
                          const double *slope)
{
    const double share = 1.0 / (double)++m->count;
    for (int64_t j = 0; j < m->dim; j++) {
        const double dx = x[j] - m->x[j], ds = -slope[j] - m->s[j];
        m->x[j] += share * dx;
        m->s[j] += share * ds;
        m->xx[j] += dx * (x[j] - m->x[j]);
        m->ss[j] += ds * (-slope[j] - m->s[j]);
    }
}

/* Sums of squares of two parts add up, and the distance of their means counts as often
 * as their draws' harmonic mean (T. F. Chan, G. H. Golub, R. J. LeVeque, The American
 * Statistician 37 (1983) 242-247). */
void sfi_pair_moments_scale(const sfi_pair_moments part[2], const double *first,
                            double *scale)
{
    const double prior = 2.0;
    const sfi_pair_moments *a = &part[0], *b = &part[1];
    const double all = (double)a->count + (double)b->count;
    const double weight = (double)a->count * (double)b->count / all;
    const double trust = all / (all + prior);
    for (int64_t j = 0; j < a->dim; j++) {
        const double dx = a->x[j] - b->x[j], ds = a->s[j] - b->s[j];
        const double xx = a->xx[j] + b->xx[j] + weight * dx * dx;
        const double ss = a->ss[j] + b->ss[j] + weight * ds * ds;
        const double found = sqrt(ss > 0.0 ? sqrt(xx / ss) : xx / all);
        scale[j] = found > 0.0 && isfinite(found)
                       ? first[j] * pow(found / first[j], trust)
                       : first[j];
    }
}
