/* SPDX-License-Identifier: Apache-2.0 */
/* langevin_program.c - several updates
 *
 *     x' = x - (h/2) grad f(x) + sqrt(h T) z
 *
 * as one program of x and of the normals z of each step.  A block of walkers then
 * stays in the cache for all of them, and neither gradients nor noise are stored.
 * The numbers that are not finite are counted by the same program. */
#include "sample/langevin_program.h"

#include "base/random.h"

#include <math.h>

/* Chosen by bench_chains.  In two dimensions 16 steps against 4 are worth 1.2; of 100
 * numbers, 16 against 4 are worth 1.07, of 400, 4 against 2 1.02. */
enum {
    MOST_STEPS = 16,
    LEAST_STEPS = 2,
    NORMALS = 1600,
    MOST_NODES = 4096,
    FEW_UNKNOWNS = 16 /* of more, draws waste little as they are */
};

int64_t sfi_langevin_shared(int64_t unknowns)
{
    if (unknowns > FEW_UNKNOWNS || unknowns % 4 == 0)
        return 1;
    return unknowns % 2 == 0 ? 2 : 4;
}

sfi_where sfi_langevin_noise(const sf_langevin_options *options,
                             int64_t unknowns, int64_t step, uint32_t *first)
{
    const int64_t shared = sfi_langevin_shared(unknowns);
    *first = (uint32_t)(step % shared * unknowns);
    return (sfi_where){options->seed, (uint64_t)options->first_walker,
                       (uint32_t)(step / shared), SFI_STREAM_STEP};
}

/* How many updates a program is worth, whose gradient has so many nodes. */
static int64_t unrolled(int64_t unknowns, int64_t nodes)
{
    const int64_t shared = sfi_langevin_shared(unknowns);
    int64_t steps = NORMALS / unknowns;
    if (steps > MOST_NODES / nodes)
        steps = MOST_NODES / nodes;
    if (steps > MOST_STEPS)
        steps = MOST_STEPS;
    if (steps < LEAST_STEPS)
        steps = LEAST_STEPS;
    return (steps + shared - 1) / shared * shared;
}

/* The state after one update with noise z. */
static sf_status update(sf_context *ctx, const sf_langevin_options *o,
                        const sf_functional *f, sf_graph *g, sf_node z,
                        sf_node *x)
{
    sf_node slope;
    SFI_TRY(sfi_functional_node(ctx, f, g, *x, &slope));
    const sf_node drift = sf_mul(g, sf_const(g, -0.5 * o->step), slope);
    const sf_node spread = sf_const(g, sqrt(o->step * o->temperature));
    *x = sf_add(g, sf_add(g, *x, drift), sf_mul(g, spread, z));
    return sf_graph_status(g);
}

/* The normals of update number t of the program; `drawn`: of the last that was drawn. */
static sf_node normals(sf_graph *g, const sfi_langevin_program *p, int64_t t,
                       sf_node *drawn)
{
    const int64_t d = p->unknowns, all = d * p->drawn;
    if (t % p->drawn == 0)
        *drawn = sf_input(g, "z", 1, t < p->steps ? &all : &d);
    return all == d ? *drawn : sf_slice(g, *drawn, 0, t % p->drawn * d, d, 1);
}

static sf_status build(sf_context *ctx, sfi_langevin_program *p,
                       const sf_functional *f, sf_graph *g, int64_t steps,
                       sf_node *out)
{
    const bool averaged = p->options.method == SF_LANGEVIN_LM;
    sf_node drawn, x = sf_input(g, "x", 1, &f->unknowns);
    p->steps = steps > 0 ? steps : MOST_STEPS;
    p->drawn = steps == 1 ? 1 : sfi_langevin_shared(f->unknowns);
    sf_node next = normals(g, p, 0, &drawn);
    for (int64_t t = 0; t < p->steps; t++) {
        sf_node z = next;
        next = averaged || t + 1 < p->steps ? normals(g, p, t + 1, &drawn) : z;
        if (averaged)
            z = sf_mul(g, sf_const(g, 0.5), sf_add(g, z, next));
        SFI_TRY(update(ctx, &p->options, f, g, z, &x));
        if (t == 0 && steps == 0)
            p->steps = unrolled(f->unknowns, x.id + 1);
    }
    p->sources = 1 + p->steps / p->drawn + (averaged ? 1 : 0);
    *out = x;
    return SF_OK;
}

sf_status sfi_langevin_compile(sf_context *ctx, sfi_langevin_program *p,
                               const sf_functional *f, int64_t steps,
                               const sf_langevin_options *options)
{
    *p = (sfi_langevin_program){
        .ctx = ctx, .options = *options, .unknowns = f->unknowns};
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    sf_node x;
    sf_status status = build(ctx, p, f, g, steps, &x);
    if (status == SF_OK) {
        const sf_node finite = sf_less(g, sf_abs(g, x), sf_const(g, INFINITY));
        const sf_node bad = sf_sum_all(g, sf_sub(g, sf_const(g, 1.0), finite));
        const sf_output out[] = {{x, SF_EACH}, {bad, SF_EACH}};
        status = sf_program_new(ctx, &p->program, g, options->dtype, 2, out);
    }
    sf_graph_free(g);
    if (status == SF_OK) {
        p->source = sfi_alloc(ctx, (size_t)p->sources, sizeof *p->source);
        status = p->source != NULL ? SF_OK : SF_E_NOMEM;
    }
    for (int64_t k = 0; k < p->sources && status == SF_OK; k++)
        p->source[k] = (sf_source){.kind = k == 0 ? SF_ROWS : SF_NORMAL,
                                   .dtype = options->dtype,
                                   .stride = f->unknowns};
    if (status != SF_OK)
        sfi_langevin_discard(p);
    return status;
}

void sfi_langevin_discard(sfi_langevin_program *p)
{
    sf_program_free(p->program);
    if (p->source != NULL)
        sfi_free(p->ctx, p->source, (size_t)p->sources, sizeof *p->source);
    *p = (sfi_langevin_program){0};
}

sf_status sfi_langevin_apply(sfi_langevin_program *p, int64_t walkers,
                             int64_t step, const void *from, void *to,
                             float *bad)
{
    const sf_sink sinks[] = {{to, p->options.dtype, p->unknowns},
                             {bad, SF_F32, 1}};
    p->source[0].data = from;
    for (int64_t k = 1; k < p->sources; k++) {
        sf_source *z = &p->source[k];
        const sfi_where where =
            sfi_langevin_noise(&p->options, p->unknowns,
                               step + (k - 1) * p->drawn, &z->first_component);
        z->seed = where.seed;
        z->first_point = where.point;
        z->step = where.step;
        z->stream = where.stream;
    }
    return sf_program_run(p->program, walkers, p->source, NULL, sinks);
}
