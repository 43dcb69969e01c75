/* SPDX-License-Identifier: Apache-2.0 */
/* workload.h - the plain network of bench/README.md as a graph, so that training
 * and sampling measure the same thing as the peers do. */
#ifndef SFI_BENCH_WORKLOAD_H
#define SFI_BENCH_WORKLOAD_H

#include "scorefield/program.h"

#include <stdio.h>
#include <stdlib.h>

enum { NET_LAYERS = 5, NET_WEIGHTS = 2 * NET_LAYERS };

typedef struct net_shape {
    int64_t width;
    int64_t count[NET_WEIGHTS];  /* numbers in each weight */
    int64_t offset[NET_WEIGHTS]; /* in one flat array      */
    int64_t total;
} net_shape;

static inline net_shape net_of(int64_t width)
{
    net_shape n = {.width = width};
    for (int l = 0; l < NET_LAYERS; l++) {
        const int64_t in = l == 0 ? 3 : width;
        const int64_t out = l == NET_LAYERS - 1 ? 2 : width;
        n.count[2 * l] = in * out;
        n.count[2 * l + 1] = out;
    }
    for (int k = 0; k < NET_WEIGHTS; k++) {
        n.offset[k] = n.total;
        n.total += n.count[k];
    }
    return n;
}

static inline void net_params(sf_graph *g, int64_t width, sf_node *w)
{
    for (int l = 0; l < NET_LAYERS; l++) {
        const int64_t in = l == 0 ? 3 : width;
        const int64_t out = l == NET_LAYERS - 1 ? 2 : width;
        w[2 * l] = sf_param(g, "w", 2, (int64_t[]){out, in});
        w[2 * l + 1] = sf_param(g, "b", 1, &out);
    }
}

/* f(y, s), y [2], s a number. */
static inline sf_node net_value(sf_graph *g, sf_node y, sf_node s,
                                const sf_node *w)
{
    const sf_node root =
        sf_sqrt(g, sf_add(g, sf_const(g, 1.0), sf_square(g, s)));
    const int64_t one = 1;
    const sf_node c =
        sf_reshape(g, sf_mul(g, sf_const(g, 0.25), sf_log(g, s)), 1, &one);
    sf_node h = sf_concat(g, 2, (sf_node[]){sf_div(g, y, root), c}, 0);
    for (int l = 0; l < NET_LAYERS; l++) {
        h = sf_add(g, sf_matmul(g, w[2 * l], h), w[2 * l + 1]);
        if (l + 1 < NET_LAYERS)
            h = sf_silu(g, h);
    }
    return h;
}

/* Stop with the library's message: a bench has nobody to return to. */
static inline void must(sf_context *ctx, sf_status status)
{
    if (status == SF_OK)
        return;
    fprintf(stderr, "bench: %s\n", sf_context_message(ctx));
    exit(1);
}

#endif
