/* SPDX-License-Identifier: Apache-2.0 */
/* shortest.c - a way around holes: the shortest path through latent points, each of
 * which is joined to its eight nearest.
 *
 * Neighbours are near in z, not in x, where the sheets of a rolled strip touch; an edge
 * is as long as its chord.  The points are normal around the middle between the two
 * ends, 1.5 or as far as these are apart, and the ends themselves.  Lengths settle by
 * sweeps over all edges (Bellman and Ford), of which there are as many as the path has
 * edges, at the most. */
#include "latent/chords.h"

#include "base/random.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { POINTS = 2048, NEIGHBOURS = 8 };

static const double least_spread = 1.5;

/* Points 0 and 1 are the ends. */
typedef struct net {
    sfi_chords *chords;
    int n;            /* K */
    double *z;        /* [POINTS, K] */
    double *ends;     /* [POINTS, NEIGHBOURS, 2, K] of edges */
    double *length;   /* [POINTS, NEIGHBOURS] */
    double *distance; /* [POINTS] from point 0 */
    int32_t *next;    /* [POINTS, NEIGHBOURS] */
    int32_t *before;  /* [POINTS] on the path from 0, or -1 */
} net;

static void make_points(const net *t, const double *from, const double *to,
                        uint64_t seed)
{
    double square = 0.0;
    for (int k = 0; k < t->n; k++)
        square += (to[k] - from[k]) * (to[k] - from[k]);
    const double spread = fmax(least_spread, sqrt(square));
    memcpy(t->z, from, (size_t)t->n * sizeof *t->z);
    memcpy(t->z + t->n, to, (size_t)t->n * sizeof *t->z);
    for (int64_t i = 2; i < POINTS; i++)
        for (int k = 0; k < t->n; k++) {
            const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_LATENT};
            t->z[i * t->n + k] = 0.5 * (from[k] + to[k]) +
                                 spread * sfi_normal_at(where, (uint32_t)k);
        }
}

/* The nearest points of point i, by insertion. */
static void find_neighbours(const net *t, int64_t i)
{
    double nearest[NEIGHBOURS];
    int32_t *next = t->next + i * NEIGHBOURS;
    int count = 0;
    for (int32_t j = 0; j < POINTS; j++) {
        double square = 0.0;
        for (int k = 0; k < t->n; k++)
            square += (t->z[i * t->n + k] - t->z[j * t->n + k]) *
                      (t->z[i * t->n + k] - t->z[j * t->n + k]);
        if (j == i || (count == NEIGHBOURS && square >= nearest[count - 1]))
            continue;
        int at = count < NEIGHBOURS ? count++ : count - 1;
        for (; at > 0 && nearest[at - 1] > square; at--) {
            nearest[at] = nearest[at - 1];
            next[at] = next[at - 1];
        }
        nearest[at] = square;
        next[at] = j;
    }
}

static sf_status measure_edges(const net *t)
{
    const size_t size = (size_t)t->n * sizeof *t->z;
    double *to = t->ends;
    for (int64_t i = 0; i < POINTS; i++)
        for (int e = 0; e < NEIGHBOURS; e++, to += 2 * t->n) {
            memcpy(to, t->z + i * t->n, size);
            memcpy(to + t->n, t->z + t->next[i * NEIGHBOURS + e] * t->n, size);
        }
    SFI_TRY(sfi_chords_square(t->chords, POINTS * NEIGHBOURS, t->ends, 2 * t->n,
                              t->length));
    for (int64_t e = 0; e < POINTS * NEIGHBOURS; e++)
        t->length[e] = sqrt(t->length[e]);
    return SF_OK;
}

/* Go from a to b if that is shorter than the way to b so far; NaN never is. */
static bool relax(const net *t, int32_t a, int32_t b, double length)
{
    if (!(t->distance[a] + length < t->distance[b]))
        return false;
    t->distance[b] = t->distance[a] + length;
    t->before[b] = a;
    return true;
}

static void find_distances(const net *t)
{
    bool changed = true;
    for (int i = 0; i < POINTS; i++) {
        t->distance[i] = i == 0 ? 0.0 : INFINITY;
        t->before[i] = -1;
    }
    for (int sweep = 0; sweep < POINTS && changed; sweep++) {
        changed = false;
        for (int32_t i = 0; i < POINTS; i++)
            for (int e = 0; e < NEIGHBOURS; e++) {
                const int64_t edge = (int64_t)i * NEIGHBOURS + e;
                changed |= relax(t, i, t->next[edge], t->length[edge]);
                changed |= relax(t, t->next[edge], i, t->length[edge]);
            }
    }
}

/* The path backwards from its end, at equal lengths. */
static void resample(const net *t, int64_t count, double *points)
{
    const double total = t->distance[1];
    int32_t b = 1, a = t->before[1];
    for (int64_t i = count; i >= 0; i--) {
        const double want = total * (double)i / (double)count;
        while (t->before[a] >= 0 && t->distance[a] > want) {
            b = a;
            a = t->before[a];
        }
        const double span = t->distance[b] - t->distance[a];
        const double part =
            span > 0.0 ? fmin((want - t->distance[a]) / span, 1.0) : 1.0;
        for (int k = 0; k < t->n; k++)
            points[i * t->n + k] =
                (1.0 - part) * t->z[a * t->n + k] + part * t->z[b * t->n + k];
    }
    memcpy(points, t->z, (size_t)t->n * sizeof *points);
    memcpy(points + count * t->n, t->z + t->n, (size_t)t->n * sizeof *points);
}

static sf_status find_path(const net *t, int64_t count, double *points,
                           bool *found)
{
    for (int64_t i = 0; i < POINTS; i++)
        find_neighbours(t, i);
    SFI_TRY(measure_edges(t));
    find_distances(t);
    *found = t->distance[1] > 0.0 && isfinite(t->distance[1]);
    if (*found)
        resample(t, count, points);
    return SF_OK;
}

sf_status sfi_shortest_path(sfi_chords *c, const double *from, const double *to,
                            uint64_t seed, int64_t count, double *points,
                            bool *found)
{
    enum { EDGES = POINTS * NEIGHBOURS };
    sf_context *ctx = c->ctx;
    const size_t n = (size_t)c->latent;
    net t = {.chords = c, .n = (int)c->latent};
    sf_status status = SF_E_NOMEM;
    *found = false;
    t.z = sfi_alloc(ctx, POINTS * n, sizeof *t.z);
    t.ends = sfi_alloc(ctx, EDGES * 2 * n, sizeof *t.ends);
    t.length = sfi_alloc(ctx, EDGES, sizeof *t.length);
    t.distance = sfi_alloc(ctx, POINTS, sizeof *t.distance);
    t.next = sfi_alloc(ctx, EDGES, sizeof *t.next);
    t.before = sfi_alloc(ctx, POINTS, sizeof *t.before);
    if (t.z != NULL && t.ends != NULL && t.length != NULL &&
        t.distance != NULL && t.next != NULL && t.before != NULL) {
        make_points(&t, from, to, seed);
        status = find_path(&t, count, points, found);
    }
    sfi_free(ctx, t.before, POINTS, sizeof *t.before);
    sfi_free(ctx, t.next, EDGES, sizeof *t.next);
    sfi_free(ctx, t.distance, POINTS, sizeof *t.distance);
    sfi_free(ctx, t.length, EDGES, sizeof *t.length);
    sfi_free(ctx, t.ends, EDGES * 2 * n, sizeof *t.ends);
    sfi_free(ctx, t.z, POINTS * n, sizeof *t.z);
    return status;
}
