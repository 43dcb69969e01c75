/* SPDX-License-Identifier: Apache-2.0 */
/* phase.c - points of a path, and what all kinds of paths ask of a chain.
 *
 * A point is a place and a momentum, with what a step needs of both: the velocity
 * v = M^-1 p, the slope g and M^-1 g.  Its energy
 *
 *     H = f(q) + p.v/2
 *
 * is what a path keeps but for the errors of its steps, by which it is judged.  The
 * chain (chain.c) makes paths of a given length, and nuts.c those that double; neither
 * knows how the other one does it. */
#include "sample/chain.h"

#include <math.h>
#include <string.h>

/* Iterations of the search for a first step have numbers of their own. */
static const uint32_t search_step = 0xFFFFFF00u;

sfi_where sfi_chain_where(const sfi_chain *c, sfi_stream stream)
{
    const uint32_t step = c->stage == SFI_CHAIN_SEARCH
                              ? search_step + (uint32_t)c->searches
                              : (uint32_t)c->iteration;
    return (sfi_where){c->o->seed, c->number, step, stream};
}

double sfi_chain_uniform(const sfi_chain *c, uint32_t what)
{
    return sfi_uniform_at(sfi_chain_where(c, SFI_STREAM_CHOICE), what);
}

void sfi_phase_copy(sfi_phase *to, const sfi_phase *from, int64_t dim)
{
    const size_t bytes = (size_t)dim * sizeof *to->q;
    memcpy(to->q, from->q, bytes);
    memcpy(to->p, from->p, bytes);
    memcpy(to->v, from->v, bytes);
    memcpy(to->g, from->g, bytes);
    memcpy(to->w, from->w, bytes);
    to->f = from->f;
}

void sfi_chain_place(sfi_chain *c, const double *q, const double *g,
                     const double *w, double f)
{
    const size_t bytes = (size_t)c->dim * sizeof *q;
    memcpy(c->at.q, q, bytes);
    memcpy(c->at.g, g, bytes);
    memcpy(c->at.w, w, bytes);
    c->at.f = f;
}

double sfi_phase_energy(const sfi_phase *p, int64_t dim)
{
    double twice = 0.0;
    for (int64_t j = 0; j < dim; j++)
        twice += p->p[j] * p->v[j];
    return p->f + 0.5 * twice;
}

/* The sum of momenta times the step is, but for half a step at each end, mass times the
 * way.  Like the turn it is a property of the part alone, so the path that ends by it
 * could have come from each of its points. */
bool sfi_chain_goes_around(const sfi_chain *c, const double *momenta)
{
    sfi_metric_velocity(&c->metric, momenta, c->span);
    for (int64_t j = 0; j < c->dim; j++)
        if (c->period[j] > 0.0 &&
            fabs(c->path_step * c->span[j]) > 0.5 * c->period[j])
            return true;
    return false;
}

/* Beyond a wall f is infinite, and so is the loss; no number there is is something
 * else. */
bool sfi_chain_diverges(sfi_chain *c, double loss)
{
    c->diverged = !(loss <= SFI_DIVERGENCE);
    c->undefined = c->diverged && isnan(loss) && !isinf(c->now.f);
    return c->diverged;
}
