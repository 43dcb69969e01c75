/* SPDX-License-Identifier: Apache-2.0 */
/* nuts.c - paths that double until they would turn back.
 *
 * A path of 2^k points is doubled by as many, before or behind it, until its ends
 * move towards each other: with r the sum of its momenta and v, w the velocities of
 * its ends, until v.r <= 0 or w.r <= 0; or until it has gone half around a circle, where
 * an unknown is an angle: on the line that covers it a path need not turn.  The same must hold for the halves, quarters,
 * ... of what is added, or else the path could not have come from each of its points.
 *
 * A path may miss its turn where a step is near a part of its period; so each half
 * with the next point of the other must not turn either.
 *
 * These parts need not be kept as trees.  Leaf n (from 0) ends the parts of 2, 4, ...,
 * 2^m leaves, m being the number of ones at the end of n in binary; what must be
 * remembered is the first leaf of each part that is still open, and there are as many
 * as n/2 has ones.
 *
 * A point's weight is exp(energy at the start - its energy).  The draw from what is
 * added is by these weights; it replaces the path's draw with the probability
 * min(1, weight of what is added / weight of the path). */
#include "sample/chain.h"

#include <math.h>
#include <string.h>

/* What a uniform number decides; leaves take theirs by their number. */
enum { DRAW_SIDE = 1 << 24, DRAW_HALF = 1 << 25 };

size_t sfi_nuts_size(const sf_chain_options *o, int64_t dim)
{
    const size_t arrays = 2 * 5 + 5 + SFI_TREE_KEPT * (size_t)o->max_treedepth;
    return o->method == SF_CHAIN_NUTS ? arrays * (size_t)dim : 0;
}

double *sfi_nuts_init(sfi_chain *c, double *memory)
{
    sfi_tree *t = &c->tree;
    const int64_t d = c->dim;
    double **const arrays[] = {
        &t->end[0].q, &t->end[0].p, &t->end[0].v, &t->end[0].g, &t->end[0].w,
        &t->end[1].q, &t->end[1].p, &t->end[1].v, &t->end[1].g, &t->end[1].w,
        &t->sum,      &t->half_sum, &t->q,        &t->g,        &t->w};
    if (c->o->method != SF_CHAIN_NUTS)
        return memory;
    for (size_t k = 0; k < SFI_COUNT(arrays); k++, memory += d)
        *arrays[k] = memory;
    t->kept = memory;
    return memory + SFI_TREE_KEPT * c->o->max_treedepth * d;
}

/* ln(exp(a) + exp(b)). */
static double log_add(double a, double b)
{
    const double most = fmax(a, b), least = fmin(a, b);
    return isinf(most) ? most : most + log1p(exp(least - most));
}

/* Whether a part with the momenta `after` - `before`, whose ends have the velocities
 * v and w, turns, or goes so far around a circle that it comes nearer again. */
static bool turns(const sfi_chain *c, const double *after, const double *before,
                  const double *v, const double *w)
{
    double left = 0.0, right = 0.0;
    for (int64_t j = 0; j < c->dim; j++) {
        const double sum = after[j] - before[j];
        c->way[j] = sum;
        left += v[j] * sum;
        right += w[j] * sum;
    }
    if (!(left > 0.0 && right > 0.0))
        return true;
    return c->period != NULL && sfi_chain_goes_around(c, c->way);
}

static double *kept(const sfi_chain *c, int level, int what)
{
    return c->tree.kept + (level * SFI_TREE_KEPT + what) * c->dim;
}

static void begin_half(sfi_chain *c)
{
    sfi_tree *t = &c->tree;
    t->side =
        sfi_chain_uniform(c, (uint32_t)(DRAW_SIDE + t->depth)) < 0.5 ? 0 : 1;
    t->leaf = 0;
    t->leaves = INT64_C(1) << t->depth;
    t->half_log_weight = -INFINITY;
    memset(t->half_sum, 0, (size_t)c->dim * sizeof *t->half_sum);
    sfi_phase_copy(&c->now, &t->end[t->side], c->dim);
    c->path_step = t->side == 0 ? -fabs(c->path_step) : fabs(c->path_step);
}

void sfi_nuts_begin(sfi_chain *c)
{
    sfi_tree *t = &c->tree;
    c->path_step = c->step.step;
    sfi_phase_copy(&t->end[0], &c->at, c->dim);
    sfi_phase_copy(&t->end[1], &c->at, c->dim);
    memcpy(t->sum, c->at.p, (size_t)c->dim * sizeof *t->sum);
    t->log_weight = 0.0;
    t->depth = 0;
    begin_half(c);
}

static int ones(int64_t n)
{
    int count = 0;
    for (; n != 0; n &= n - 1)
        count++;
    return count;
}

/* Whether the part of 2^(m+1) leaves that c->now ends turns, or either of its halves
 * with the next leaf of the other; it begins at the leaf in slot `open`. */
static bool part_turns(const sfi_chain *c, int open, int m)
{
    const double *sum = c->tree.half_sum, *v = c->now.v;
    const double *before = kept(c, open, SFI_FIRST_BEFORE);
    const double *first = kept(c, open, SFI_FIRST_VELOCITY);
    if (turns(c, sum, before, first, v))
        return true;
    if (m == 0)
        return false;
    /* Its second half begins one slot further, and the first ended level m - 1. */
    return turns(c, kept(c, open + 1, SFI_FIRST_AFTER), before, first,
                 kept(c, open + 1, SFI_FIRST_VELOCITY)) ||
           turns(c, sum, kept(c, m - 1, SFI_LAST_BEFORE),
                 kept(c, m - 1, SFI_LAST_VELOCITY), v);
}

/* Take the leaf into the parts it belongs to; whether one of those that it ends
 * turns. */
static bool leaf_turns(sfi_chain *c)
{
    sfi_tree *t = &c->tree;
    const int64_t d = c->dim;
    const size_t bytes = (size_t)d * sizeof *c->now.v;
    int open = ones(t->leaf >> 1), level = 0;
    if (t->leaf % 2 == 0) {
        double *before = kept(c, open, SFI_FIRST_BEFORE);
        for (int64_t j = 0; j < d; j++)
            before[j] = t->half_sum[j] - c->now.p[j];
        memcpy(kept(c, open, SFI_FIRST_AFTER), t->half_sum, bytes);
        memcpy(kept(c, open, SFI_FIRST_VELOCITY), c->now.v, bytes);
        return false;
    }
    for (int64_t n = t->leaf; n % 2 == 1; n /= 2, open--, level++)
        if (part_turns(c, open, level))
            return true;
    /* It ends the first half of a part of twice the size. */
    double *before = kept(c, level - 1, SFI_LAST_BEFORE);
    for (int64_t j = 0; j < d; j++)
        before[j] = t->half_sum[j] - c->now.p[j];
    memcpy(kept(c, level - 1, SFI_LAST_VELOCITY), c->now.v, bytes);
    return false;
}

/* Whether the path with what is added to it turns, or either with the next point of
 * the other. */
static bool path_turns(sfi_chain *c)
{
    const sfi_tree *t = &c->tree;
    const int64_t d = c->dim;
    const sfi_phase *far = &t->end[1 - t->side], *near = &t->end[t->side];
    const double *next = kept(c, 0, SFI_FIRST_AFTER);
    double *all = c->work, *none = c->none;
    for (int64_t j = 0; j < d; j++)
        all[j] = t->sum[j] + t->half_sum[j];
    if (turns(c, all, none, far->v, c->now.v))
        return true;
    for (int64_t j = 0; j < d; j++)
        all[j] = t->sum[j] + next[j];
    if (turns(c, all, none, far->v, kept(c, 0, SFI_FIRST_VELOCITY)))
        return true;
    for (int64_t j = 0; j < d; j++)
        all[j] = t->half_sum[j] + near->p[j];
    return turns(c, all, none, near->v, c->now.v);
}

/* The half is complete: it becomes part of the path. */
static bool join(sfi_chain *c)
{
    sfi_tree *t = &c->tree;
    const double gain = t->half_log_weight - t->log_weight;
    if (sfi_chain_uniform(c, (uint32_t)(DRAW_HALF + t->depth)) < exp(gain))
        sfi_chain_place(c, t->q, t->g, t->w, t->f);
    if (path_turns(c))
        return true;
    t->log_weight = log_add(t->log_weight, t->half_log_weight);
    sfi_phase_copy(&t->end[t->side], &c->now, c->dim);
    for (int64_t j = 0; j < c->dim; j++)
        t->sum[j] += t->half_sum[j];
    t->depth++;
    c->deepest = t->depth == c->o->max_treedepth;
    if (c->deepest)
        return true;
    begin_half(c);
    return false;
}

bool sfi_nuts_take(sfi_chain *c)
{
    sfi_tree *t = &c->tree;
    const int64_t d = c->dim;
    const double loss = sfi_phase_energy(&c->now, d) - c->energy;
    const double weight = isnan(loss) ? -INFINITY : -loss;
    c->accept_sum += fmin(1.0, exp(weight));
    c->accept_count++;
    if (sfi_chain_diverges(c, loss))
        return true;
    t->half_log_weight = log_add(t->half_log_weight, weight);
    const double u = sfi_chain_uniform(c, (uint32_t)(t->leaves + t->leaf));
    if (u < exp(weight - t->half_log_weight)) {
        memcpy(t->q, c->now.q, (size_t)d * sizeof *t->q);
        memcpy(t->g, c->now.g, (size_t)d * sizeof *t->g);
        memcpy(t->w, c->now.w, (size_t)d * sizeof *t->w);
        t->f = c->now.f;
    }
    for (int64_t j = 0; j < d; j++)
        t->half_sum[j] += c->now.p[j];
    if (leaf_turns(c))
        return true;
    return ++t->leaf == t->leaves && join(c);
}
