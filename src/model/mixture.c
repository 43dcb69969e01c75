/* SPDX-License-Identifier: Apache-2.0 */
/* mixture.c - posterior means over a data set, for any noise.
 *
 * Pairs of a point and a datum are the points of two programs.  The first gives
 * the log density of every pair of a block of points; from these come ln p_t and
 * the posterior weights.  Pairs that matter are then listed, and the second
 * program, which may be a hundred times as dear, runs on those alone: near t = 0
 * they are few.  What is left out weighs less than e^-40 in all.
 *
 * What a streamed reduction of num/ can give goes there: Gaussian noise
 * (mixture_gaussian.c), densities and scores of exponential families
 * (mixture_family.c). */
#include "model/mixture.h"

#include "base/parallel.h"
#include "model/mixture_family.h"
#include "model/mixture_gaussian.h"
#include "model/velocity_table.h"
#include "scorefield/program.h"

#include <math.h>
#include <string.h>

/* Pairs of a block of points, at least; of a run of a program. */
enum { BLOCK_PAIRS = 1 << 18, TILE = 1 << 14 };

/* Numbers of the sums of a block and of the values of a run, nearly: with hundreds of
 * columns a point has as many sums as they have squares. */
enum { MOST_CELLS = 1 << 21 };

/* Pairs, or numbers, that are worth a thread of their own. */
enum { WORTH = 1 << 12 };

/* Lighter pairs than e^-CUT/n are left out. */
static const double cut = 40.0;

/* Outputs of the second program, in this order. */
enum { SCORE = 1, HESSIAN = 2, RATE = 4, VELOCITY = 8, ALL_VALUES = 16 };

/* Their number, and that of those with what tables are read at. */
enum { OUTPUTS = 4, REDUCED = OUTPUTS, ALL_OUTPUTS };

/* The pairs of one point within a tile. */
typedef struct segment {
    int64_t point; /* in the block */
    int64_t first, count;
} segment;

struct sfi_mixture {
    sf_context *ctx;
    const sfi_noise *noise;
    int64_t n, d; /* data, numbers of y */
    bool floor;   /* the last datum is the floor */
    sf_cmat data;
    double *own;         /* [n, dim] the data, or NULL: they are the caller's */
    double *log_weights; /* [n] or NULL: all -ln n */
    double *least;       /* [n] or NULL: all least_all */
    double least_all;
    sfi_velocity how;
    sfi_mixture_gaussian *gaussian; /* or NULL */
    sfi_mixture_family *family;     /* or NULL */

    int64_t block;  /* points of a block */
    int64_t tile;   /* pairs of a run of a program */
    size_t pairs;   /* block * n */
    double *weight; /* [block, n] log densities, then weights of the kept */
    int64_t *datum; /* [block, n] which data these are                     */
    int64_t *kept;  /* [block] how many                                    */
    double *lse;    /* [block] */

    int64_t *tile_point, *tile_datum; /* [tile] */
    double *tile_weight;              /* [tile] */
    segment *segments;                /* [block] */
    double *values;                   /* [tile, values_each] */
    int64_t values_each;
    double *times, *moving; /* [n]: time of each datum, 1 if it is not held */
    double *sums;           /* [block, sums_each]                           */
    int64_t sums_each;
    double *pmf; /* [block, most_levels] of a column of levels              */
    int64_t most_levels;
    sf_program *log_density;
    sf_program *programs[ALL_VALUES];

    /* Blocks whose velocity is read from tables; none where exactness is
     * wanted, or data have times of their own. */
    int64_t table_count;
    int64_t *table_block;        /* [blocks] */
    sfi_velocity_table **tables; /* [blocks] */
};

/* ---- programs ---------------------------------------------------------------- */

/* What the tables are read at, for a pair. */
static sf_node reduced_node(const sfi_mixture *p, sf_graph *g, sf_node y,
                            sf_node x0, sf_node t)
{
    const int64_t one = 1;
    sf_node all = {-1};
    for (int64_t k = 0; k < p->table_count; k++) {
        const sfi_block *b = &p->noise->blocks[p->table_block[k]];
        const int64_t column = sfi_noise_columns(p->noise, b)[0];
        const sf_node r = sf_reshape(
            g,
            sfi_kernel_reduced(&b->kernel, g, sf_component(g, y, b->at),
                               sf_component(g, x0, column), t),
            1, &one);
        all = k == 0 ? r : sf_concat(g, 2, (sf_node[]){all, r}, 0);
    }
    return all;
}

/* Sources: points, data and, where data have their own, times; else the time is
 * a parameter, and what follows from it alone is computed once for all pairs. */
static sfi_kernel_nodes pair_nodes(const sfi_mixture *p, sf_graph *g,
                                   sf_node *reduced)
{
    const sf_node y = sf_input(g, "y", 1, &p->d);
    const sf_node x0 = sf_input(g, "x0", 1, &p->noise->dim);
    const sf_node t = p->least != NULL ? sf_input(g, "t", 0, NULL)
                                       : sf_param(g, "t", 0, NULL);
    if (reduced != NULL && p->table_count > 0)
        *reduced = reduced_node(p, g, y, x0, t);
    return sfi_noise_at(p->noise, g, y, x0, t,
                        p->table_count > 0 ? SFI_VELOCITY_REST : p->how);
}

static sf_status compile_log_density(sfi_mixture *p)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(p->ctx, &g));
    const sf_output out = {pair_nodes(p, g, NULL).logp, SF_EACH};
    const sf_status status =
        sf_program_new(p->ctx, &p->log_density, g, SF_F64, 1, &out);
    sf_graph_free(g);
    return status;
}

static sf_status compile_values(sfi_mixture *p, unsigned which)
{
    if (p->programs[which] != NULL)
        return SF_OK;
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(p->ctx, &g));
    sf_node reduced = {-1};
    const sfi_kernel_nodes n = pair_nodes(p, g, &reduced);
    const sf_node nodes[] = {n.score, n.hessian, n.rate, n.velocity};
    sf_output outputs[ALL_OUTPUTS];
    int count = 0;
    for (unsigned k = 0; k < SFI_COUNT(nodes); k++)
        if ((which >> k & 1) != 0)
            outputs[count++] = (sf_output){nodes[k], SF_EACH};
    if ((which & VELOCITY) != 0 && p->table_count > 0)
        outputs[count++] = (sf_output){reduced, SF_EACH};
    const sf_status status =
        sf_program_new(p->ctx, &p->programs[which], g, SF_F64, count, outputs);
    sf_graph_free(g);
    return status;
}

/* ---- making ------------------------------------------------------------------ */

static int64_t least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool allocate(sfi_mixture *p)
{
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->n;
    p->sums_each = p->d * (p->d + 2) + 1;
    p->values_each = 3 * p->d + p->noise->squares + 1;
    p->block = least_of(BLOCK_PAIRS / p->n, 1 + MOST_CELLS / p->sums_each);
    p->block = p->block > 1 ? p->block : 1;
    p->tile = least_of(TILE, 64 + MOST_CELLS / p->values_each);
    p->pairs = (size_t)(p->block * p->n);
    p->weight = sfi_alloc(ctx, p->pairs, sizeof *p->weight);
    p->datum = sfi_alloc(ctx, p->pairs, sizeof *p->datum);
    p->kept = sfi_alloc(ctx, (size_t)p->block, sizeof *p->kept);
    p->lse = sfi_alloc(ctx, (size_t)p->block, sizeof *p->lse);
    p->tile_point = sfi_alloc(ctx, (size_t)p->tile, sizeof *p->tile_point);
    p->tile_datum = sfi_alloc(ctx, (size_t)p->tile, sizeof *p->tile_datum);
    p->tile_weight = sfi_alloc(ctx, (size_t)p->tile, sizeof *p->tile_weight);
    p->segments = sfi_alloc(ctx, (size_t)p->block, sizeof *p->segments);
    const size_t blocks = (size_t)p->noise->count;
    for (size_t k = 0; k < blocks; k++)
        if (p->noise->blocks[k].levels > p->most_levels)
            p->most_levels = p->noise->blocks[k].levels;
    p->pmf =
        sfi_alloc(ctx, (size_t)(p->block * p->most_levels), sizeof *p->pmf);
    p->values =
        sfi_alloc(ctx, (size_t)(p->tile * p->values_each), sizeof *p->values);
    p->table_block = sfi_alloc(ctx, blocks, sizeof *p->table_block);
    p->tables = sfi_alloc_zero(ctx, blocks, sizeof *p->tables);
    p->times = sfi_alloc(ctx, n, sizeof *p->times);
    p->moving = sfi_alloc(ctx, n, sizeof *p->moving);
    p->sums =
        sfi_alloc(ctx, (size_t)(p->block * p->sums_each), sizeof *p->sums);
    return p->weight != NULL && p->datum != NULL && p->kept != NULL &&
           p->lse != NULL && p->tile_point != NULL && p->tile_datum != NULL &&
           p->tile_weight != NULL && p->segments != NULL && p->values != NULL &&
           p->times != NULL && p->moving != NULL && p->sums != NULL &&
           p->table_block != NULL && p->tables != NULL && p->pmf != NULL;
}

/* The weights, so that they sum to 1. */
static void take_weights(sfi_mixture *p, const double *log_weights, int64_t n)
{
    double top = -INFINITY, sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        top = fmax(top, log_weights[i]);
    for (int64_t i = 0; i < n; i++)
        sum += exp(log_weights[i] - top);
    for (int64_t i = 0; i < n; i++)
        p->log_weights[i] = log_weights[i] - top - log(sum);
}

static sf_status make_tables(sfi_mixture *p)
{
    double *spread = sfi_alloc(p->ctx, (size_t)p->d, sizeof *spread);
    if (spread == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_noise_spread(p->ctx, p->noise, spread);
    for (int64_t k = 0; k < p->noise->count && status == SF_OK; k++) {
        const sfi_block *b = &p->noise->blocks[k];
        if (b->kernel.ops->reduced == NULL)
            continue;
        p->table_block[p->table_count] = k;
        status = sfi_velocity_table_new(p->ctx, &p->tables[p->table_count],
                                        &b->kernel, spread[b->at]);
        p->table_count += status == SF_OK;
    }
    sfi_free(p->ctx, spread, (size_t)p->d, sizeof *spread);
    return status;
}

void sfi_mixture_rest(sfi_mixture *p, const double *least)
{
    const int64_t rows = p->n - p->floor;
    memcpy(p->least, least, (size_t)rows * sizeof *least);
    p->least_all = least[0];
    for (int64_t i = 1; i < rows; i++)
        p->least_all = fmin(p->least_all, least[i]);
    if (p->floor)
        p->least[rows] = 1.0;
}

/* The floor is a datum anywhere, since at t = 1 it does not matter where. */
static sf_status add_floor(sfi_mixture *p, const sfi_mixture_options *o)
{
    const int64_t rows = p->n - 1, dim = p->noise->dim;
    p->own = sfi_alloc(p->ctx, (size_t)(p->n * dim), sizeof *p->own);
    p->log_weights = sfi_alloc(p->ctx, (size_t)p->n, sizeof *p->log_weights);
    p->least = sfi_alloc(p->ctx, (size_t)p->n, sizeof *p->least);
    if (p->own == NULL || p->log_weights == NULL || p->least == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < rows; i++) {
        memcpy(p->own + i * dim, p->data.data + i * p->data.stride,
               (size_t)dim * sizeof *p->own);
        p->log_weights[i] = o->log_weights != NULL ? o->log_weights[i] : 0.0;
        p->least[i] = o->least != NULL ? o->least[i] : o->least_all;
    }
    sfi_noise_middle(p->noise, p->own + rows * dim);
    p->data = (sf_cmat){p->own, p->n, dim, dim};
    take_weights(p, p->log_weights, rows);
    for (int64_t i = 0; i < rows; i++)
        p->log_weights[i] += log1p(-o->floor);
    p->log_weights[rows] = log(o->floor);
    sfi_mixture_rest(p, p->least);
    return SF_OK;
}

static sf_status fill(sfi_mixture *p, const sfi_mixture_options *o)
{
    const size_t n = (size_t)p->n;
    if (p->floor)
        SFI_TRY(add_floor(p, o));
    if (o->log_weights != NULL && !p->floor) {
        p->log_weights = sfi_alloc(p->ctx, n, sizeof *p->log_weights);
        if (p->log_weights == NULL)
            return SF_E_NOMEM;
        take_weights(p, o->log_weights, p->n);
    }
    if (o->least != NULL && !p->floor) {
        p->least = sfi_alloc(p->ctx, n, sizeof *p->least);
        if (p->least == NULL)
            return SF_E_NOMEM;
        sfi_mixture_rest(p, o->least);
    }
    if (!allocate(p))
        return SF_E_NOMEM;
    if (p->how == SFI_VELOCITY_TRAINING && p->least == NULL)
        SFI_TRY(make_tables(p));
    SFI_TRY(compile_log_density(p));
    if (p->least == NULL)
        SFI_TRY(sfi_mixture_gaussian_new(p->ctx, &p->gaussian, p->noise,
                                         p->data, p->log_weights, o->spread));
    return p->gaussian == NULL
               ? sfi_mixture_family_new(p->ctx, &p->family, p->noise, p->data,
                                        p->log_weights, p->least_all, p->how)
               : SF_OK;
}

sf_status sfi_mixture_new(sf_context *ctx, sfi_mixture **out,
                          const sfi_noise *noise, sf_cmat data,
                          const sfi_mixture_options *options)
{
    *out = NULL;
    sfi_mixture *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->noise = noise;
    p->floor = options->floor > 0.0;
    p->n = data.rows + p->floor;
    p->d = noise->inner;
    p->data = data;
    p->least_all = options->least_all;
    p->how = options->how;
    const sf_status status = fill(p, options);
    if (status != SF_OK) {
        sfi_mixture_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sfi_mixture_free(sfi_mixture *p)
{
    if (p == NULL)
        return;
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->n;
    for (int k = 0; k < ALL_VALUES; k++)
        sf_program_free(p->programs[k]);
    sf_program_free(p->log_density);
    sfi_mixture_gaussian_free(p->gaussian);
    sfi_mixture_family_free(p->family);
    sfi_free(ctx, p->sums, (size_t)(p->block * p->sums_each), sizeof *p->sums);
    sfi_free(ctx, p->pmf, (size_t)(p->block * p->most_levels), sizeof *p->pmf);
    sfi_free(ctx, p->moving, n, sizeof *p->moving);
    sfi_free(ctx, p->times, n, sizeof *p->times);
    for (int64_t k = 0; k < p->table_count; k++)
        sfi_velocity_table_free(p->tables[k]);
    const size_t blocks = (size_t)p->noise->count;
    sfi_free(ctx, p->tables, blocks, sizeof *p->tables);
    sfi_free(ctx, p->table_block, blocks, sizeof *p->table_block);
    sfi_free(ctx, p->values, (size_t)(p->tile * p->values_each),
             sizeof *p->values);
    sfi_free(ctx, p->segments, (size_t)p->block, sizeof *p->segments);
    sfi_free(ctx, p->tile_weight, (size_t)p->tile, sizeof *p->tile_weight);
    sfi_free(ctx, p->tile_datum, (size_t)p->tile, sizeof *p->tile_datum);
    sfi_free(ctx, p->tile_point, (size_t)p->tile, sizeof *p->tile_point);
    sfi_free(ctx, p->lse, (size_t)p->block, sizeof *p->lse);
    sfi_free(ctx, p->kept, (size_t)p->block, sizeof *p->kept);
    sfi_free(ctx, p->datum, p->pairs, sizeof *p->datum);
    sfi_free(ctx, p->weight, p->pairs, sizeof *p->weight);
    sfi_free(ctx, p->least, n, sizeof *p->least);
    sfi_free(ctx, p->log_weights, n, sizeof *p->log_weights);
    sfi_free(ctx, p->own, n * (size_t)p->noise->dim, sizeof *p->own);
    sfi_free(ctx, p, 1, sizeof *p);
}

double sfi_mixture_least(const sfi_mixture *p)
{
    return p->least_all;
}

/* ---- weights ----------------------------------------------------------------- */

typedef struct job {
    sfi_mixture *p;
    const sfi_mixture_want *want;
    sf_cmat y;
    int64_t first, points; /* of the block, in y */
    double t;
    unsigned which;
    int columns[ALL_OUTPUTS]; /* of the second program's outputs, in order */
    int64_t
        at[ALL_OUTPUTS]; /* where their arrays begin in p->values          */
} job;

static sf_status run_tile(const job *b, sf_program *program, int64_t count,
                          const sf_sink *sinks)
{
    sfi_mixture *p = b->p;
    const double time = fmax(b->t, p->least_all);
    const void *const params[] = {&time};
    const sf_source sources[] = {{.kind = SF_ROWS,
                                  .data = b->y.data + b->first * b->y.stride,
                                  .dtype = SF_F64,
                                  .stride = b->y.stride,
                                  .rows = p->tile_point},
                                 {.kind = SF_ROWS,
                                  .data = p->data.data,
                                  .dtype = SF_F64,
                                  .stride = p->data.stride,
                                  .rows = p->tile_datum},
                                 {.kind = SF_ROWS,
                                  .data = p->times,
                                  .dtype = SF_F64,
                                  .stride = 1,
                                  .rows = p->tile_datum}};
    return sf_program_run(program, count, sources, params, sinks);
}

static sf_status log_densities(const job *b)
{
    sfi_mixture *p = b->p;
    const int64_t all = b->points * p->n;
    int64_t point = 0, datum = 0;
    for (int64_t at = 0; at < all; at += p->tile) {
        const int64_t count = least_of(all - at, p->tile);
        for (int64_t i = 0; i < count; i++) {
            p->tile_point[i] = point;
            p->tile_datum[i] = datum;
            if (++datum == p->n) {
                datum = 0;
                point++;
            }
        }
        const sf_sink sink = {p->weight + at, SF_F64, 1};
        SFI_TRY(run_tile(b, p->log_density, count, &sink));
    }
    return SF_OK;
}

/* A point's log densities become logarithms of weighted ones, without the datum
 * that is left out; their largest, NaN if one of them is. */
static double add_weights(const sfi_mixture *p, double *l, int64_t without)
{
    const double equal = -log((double)p->n);
    double top = -INFINITY, rest = 0.0; /* rest: ln of the weights left */
    if (without >= 0) {
        l[without] = -INFINITY;
        rest = log1p(
            -exp(p->log_weights != NULL ? p->log_weights[without] : equal));
    }
    bool strange = false;
    for (int64_t i = 0; i < p->n; i++) {
        l[i] += (p->log_weights != NULL ? p->log_weights[i] : equal) - rest;
        strange = strange || l[i] != l[i];
        top = l[i] > top ? l[i] : top;
    }
    return strange ? NAN : top;
}

/* ln p_t of a point, and its posterior weights, of those that matter: an
 * exponential for each, since weights below e^-CUT/n of the largest add nothing
 * to the sum either. */
static void weigh(void *user, int64_t part, int64_t first, int64_t count)
{
    const job *b = user;
    sfi_mixture *p = b->p;
    (void)part;
    for (int64_t q = first; q < first + count; q++) {
        double *l = p->weight + q * p->n;
        int64_t *datum = p->datum + q * p->n;
        const double top = add_weights(
            p, l,
            b->want->without != NULL ? b->want->without[b->first + q] : -1);
        const double least = top - cut - log((double)p->n);
        double sum = 0.0;
        int64_t kept = 0;
        p->lse[q] = top;
        p->kept[q] = 0;
        if (!isfinite(top))
            continue;
        for (int64_t i = 0; i < p->n; i++)
            if (l[i] >= least) {
                datum[kept] = i;
                sum += l[kept++] = exp(l[i] - top);
            }
        for (int64_t k = 0; k < kept; k++)
            l[k] /= sum;
        p->lse[q] = top + log(sum);
        p->kept[q] = kept;
    }
}

/* ---- means ------------------------------------------------------------------- */

/* Sums of a point, in this order: score, velocity, E[H + s s'], rate. */
typedef struct sums {
    double *score, *velocity, *square, *rate;
} sums;

static sums sums_of(const sfi_mixture *p, int64_t q)
{
    double *at = p->sums + q * p->sums_each;
    const int64_t d = p->d;
    return (sums){at, at + d, at + 2 * d, at + d * (d + 2)};
}

static const double *value_at(const job *b, unsigned which, int64_t pair)
{
    int k = 0;
    while (which >> (k + 1) != 0)
        k++;
    return b->p->values + b->at[k] + pair * b->columns[k];
}

static void add_from_tables(const job *b, int64_t pair, double weight,
                            double *velocity)
{
    const sfi_mixture *p = b->p;
    const double *r = p->values + b->at[REDUCED] + pair * b->columns[REDUCED];
    for (int64_t k = 0; k < p->table_count && weight > 0.0; k++)
        velocity[p->noise->blocks[p->table_block[k]].at] +=
            weight * sfi_velocity_table_at(p->tables[k], r[k]);
}

/* The tables are to cover all that a tile reads. */
static sf_status cover(const job *b, int64_t pairs)
{
    const sfi_mixture *p = b->p;
    for (int64_t k = 0; k < p->table_count; k++) {
        const double *r = p->values + b->at[REDUCED] + k;
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < pairs; i++) {
            const double at = r[i * b->columns[REDUCED]];
            low = at < low ? at : low;
            high = at > high ? at : high;
        }
        if (low <= high)
            SFI_TRY(sfi_velocity_table_cover(
                p->tables[k], fmax(b->t, p->least_all), low, high));
    }
    return SF_OK;
}

/* The matrices of the blocks, times r, to where they are in [d, d]. */
static void add_hessians(const sfi_noise *noise, const double *h, double r,
                         double *square)
{
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        for (int64_t i = 0; i < b->inner; i++)
            for (int64_t j = 0; j < b->inner; j++)
                square[(b->at + i) * noise->inner + b->at + j] += r * *h++;
    }
}

/* Add a segment's pairs of a tile to the sums of its point. */
static void add_segments(void *user, int64_t part, int64_t first, int64_t count)
{
    const job *b = user;
    sfi_mixture *p = b->p;
    const int64_t d = p->d;
    (void)part;
    for (int64_t k = first; k < first + count; k++) {
        const segment *seg = &p->segments[k];
        const sums m = sums_of(p, seg->point);
        for (int64_t i = seg->first; i < seg->first + seg->count; i++) {
            const double r = p->tile_weight[i];
            const double moving = p->moving[p->tile_datum[i]];
            const double *s = NULL;
            if ((b->which & SCORE) != 0) {
                s = value_at(b, SCORE, i);
                for (int64_t j = 0; j < d; j++)
                    m.score[j] += r * s[j];
            }
            if ((b->which & HESSIAN) != 0) {
                for (int64_t j = 0; j < d; j++)
                    for (int64_t l = 0; l < d; l++)
                        m.square[j * d + l] += r * s[j] * s[l];
                add_hessians(p->noise, value_at(b, HESSIAN, i), r, m.square);
            }
            if ((b->which & RATE) != 0)
                *m.rate += r * moving * *value_at(b, RATE, i);
            if ((b->which & VELOCITY) != 0) {
                const double *u = value_at(b, VELOCITY, i);
                for (int64_t j = 0; j < d; j++)
                    m.velocity[j] += r * moving * u[j];
                add_from_tables(b, i, r * moving, m.velocity);
            }
        }
    }
}

static sf_status flush(const job *b, int64_t pairs, int64_t segments)
{
    sfi_mixture *p = b->p;
    sf_sink sinks[ALL_OUTPUTS];
    int count = 0;
    for (int k = 0; k < OUTPUTS; k++)
        if ((b->which >> k & 1) != 0)
            sinks[count++] =
                (sf_sink){p->values + b->at[k], SF_F64, b->columns[k]};
    const bool tables = (b->which & VELOCITY) != 0 && p->table_count > 0;
    if (tables)
        sinks[count++] =
            (sf_sink){p->values + b->at[REDUCED], SF_F64, b->columns[REDUCED]};
    SFI_TRY(run_tile(b, p->programs[b->which], pairs, sinks));
    if (tables)
        SFI_TRY(cover(b, pairs));
    sfi_parallel(p->ctx, segments, 1 + WORTH * segments / pairs, add_segments,
                 (void *)(uintptr_t)b);
    return SF_OK;
}

/* The second program on all kept pairs of the block. */
static sf_status means(const job *b)
{
    sfi_mixture *p = b->p;
    int64_t pairs = 0, segments = 0;
    for (int64_t q = 0; q < b->points; q++)
        for (int64_t i = 0; i < p->kept[q];) {
            const int64_t left = p->kept[q] - i, room = p->tile - pairs;
            const int64_t count = left < room ? left : room;
            for (int64_t k = 0; k < count; k++) {
                p->tile_point[pairs + k] = q;
                p->tile_datum[pairs + k] = p->datum[q * p->n + i + k];
                p->tile_weight[pairs + k] = p->weight[q * p->n + i + k];
            }
            p->segments[segments++] = (segment){q, pairs, count};
            pairs += count;
            i += count;
            if (pairs < p->tile)
                continue;
            SFI_TRY(flush(b, pairs, segments));
            pairs = segments = 0;
        }
    return pairs > 0 ? flush(b, pairs, segments) : SF_OK;
}

/* The number of a datum for others. */
static int64_t name_of(const sfi_mixture *p, int64_t datum)
{
    return p->floor && datum == p->n - 1 ? SFI_FLOOR_DATUM : datum;
}

/* sfi_block_vector() of a datum.  Of the floor it is that of the point y. */
static int64_t vector_of(const sfi_mixture *p, const sfi_block *b,
                         int64_t datum, const double *y, double *out)
{
    const sfi_joint_ops *joint = b->kernel.ops->joint;
    const int64_t *columns = sfi_noise_columns(p->noise, b);
    const double *row = p->data.data + datum * p->data.stride;
    double part[SFI_BLOCK_COLUMNS];
    for (int64_t j = 0; j < b->columns; j++)
        part[j] = row[columns[j]];
    if (name_of(p, datum) == SFI_FLOOR_DATUM && joint != NULL)
        joint->from_chart(b, y + b->at, part);
    else if (name_of(p, datum) == SFI_FLOOR_DATUM)
        part[0] = sfi_chart_from_number(b->kernel.ops->chart, y[b->at]);
    return sfi_block_vector(b, part, out);
}

/* P(x_0 | x) of the levels of a block, [levels]. */
static const double *find_pmf(const sfi_mixture *p, int64_t q,
                              const sfi_block *b, const double *y)
{
    double *pmf = p->pmf + q * p->most_levels, level = 0.0;
    for (int64_t c = 0; c < b->levels; c++)
        pmf[c] = 0.0;
    for (int64_t k = 0; k < p->kept[q]; k++) {
        vector_of(p, b, p->datum[q * p->n + k], y, &level);
        pmf[(int64_t)level] += p->weight[q * p->n + k];
    }
    return pmf;
}

static double mode_of(const double *pmf, int64_t levels)
{
    int64_t best = 0;
    for (int64_t c = 1; c < levels; c++)
        if (pmf[c] > pmf[best])
            best = c;
    return (double)best;
}

static void denoise(const sfi_mixture *p, int64_t q, const double *y,
                    double *out)
{
    double vector[SFI_BLOCK_COLUMNS], part[SFI_BLOCK_COLUMNS];
    for (int64_t l = 0; l < p->noise->count; l++) {
        const sfi_block *b = &p->noise->blocks[l];
        double mean[SFI_BLOCK_COLUMNS] = {0.0};
        if (b->levels > 0) {
            out[sfi_noise_columns(p->noise, b)[0]] =
                mode_of(find_pmf(p, q, b, y), b->levels);
            continue;
        }
        for (int64_t k = 0; k < p->kept[q]; k++) {
            const int64_t size =
                vector_of(p, b, p->datum[q * p->n + k], y, vector);
            for (int64_t j = 0; j < size; j++)
                mean[j] += p->weight[q * p->n + k] * vector[j];
        }
        sfi_block_mean(b, mean, part);
        for (int64_t j = 0; j < b->columns; j++)
            out[sfi_noise_columns(p->noise, b)[j]] = part[j];
    }
}

/* The largest weights, sorted; data of lower number first among equals. */
static void largest(const sfi_mixture *p, int64_t q, int64_t most,
                    int64_t *datum, double *weight)
{
    int64_t have = 0;
    for (int64_t k = 0; k < p->kept[q]; k++) {
        const double r = p->weight[q * p->n + k];
        if (have == most && !(r > weight[most - 1]))
            continue;
        int64_t at = have < most ? have++ : most - 1;
        for (; at > 0 && r > weight[at - 1]; at--) {
            weight[at] = weight[at - 1];
            datum[at] = datum[at - 1];
        }
        weight[at] = r;
        datum[at] = name_of(p, p->datum[q * p->n + k]);
    }
    for (; have < most; have++) {
        weight[have] = 0.0;
        datum[have] = SFI_NO_DATUM;
    }
}

static int64_t draw(const sfi_mixture *p, int64_t q, double uniform)
{
    double sum = 0.0;
    for (int64_t k = 0; k < p->kept[q]; k++) {
        sum += p->weight[q * p->n + k];
        if (uniform < sum)
            return name_of(p, p->datum[q * p->n + k]);
    }
    return p->kept[q] > 0 ? name_of(p, p->datum[q * p->n + p->kept[q] - 1])
                          : SFI_NO_DATUM;
}

/* Means of the rates of counts; places to put them may be missing. */
static void mean_rates(const sfi_mixture *p, int64_t q, const double *x,
                       double *birth, double *death, double *ratio)
{
    for (int64_t j = 0; j < p->noise->dim; j++) {
        const sfi_block *block = sfi_noise_block(p->noise, j);
        const sfi_kernel *kernel = &block->kernel;
        const double at = x[block->at];
        double up = 0.0, down = 0.0, step = 0.0;
        for (int64_t k = 0; k < p->kept[q] && kernel->ops->counts != NULL;
             k++) {
            const int64_t i = p->datum[q * p->n + k];
            const double r = p->weight[q * p->n + k];
            const double stay = 1.0 - p->times[i];
            const double b = kernel->ops->counts->birth(
                kernel, at, p->data.data[i * p->data.stride + j], p->times[i]);
            up += r * p->moving[i] * b;
            down += at > 0.0 ? r * p->moving[i] * at / stay : 0.0;
            step += r * b * stay / (at + 1.0);
        }
        if (birth != NULL)
            birth[j] = up;
        if (death != NULL)
            death[j] = down;
        if (ratio != NULL)
            ratio[j] = step;
    }
}

static double *row_of(sf_mat m, int64_t row)
{
    return m.data != NULL ? m.data + row * m.stride : NULL;
}

static void copy(sf_mat to, int64_t row, const double *from, bool known)
{
    if (to.data == NULL)
        return;
    for (int64_t j = 0; j < to.cols; j++)
        to.data[row * to.stride + j] = known ? from[j] : NAN;
}

/* What is wanted of the points of a block, from their sums. */
static void answer(void *user, int64_t part, int64_t first, int64_t count)
{
    const job *b = user;
    sfi_mixture *p = b->p;
    const sfi_mixture_want *w = b->want;
    const int64_t d = p->d;
    (void)part;
    for (int64_t q = first; q < first + count; q++) {
        const sums m = sums_of(p, q);
        const int64_t row = b->first + q;
        const bool known = isfinite(p->lse[q]);
        if (w->logp != NULL)
            w->logp[row] = p->lse[q];
        copy(w->score, row, m.score, known);
        copy(w->velocity, row, m.velocity, known);
        if (w->divergence != NULL) {
            double along = 0.0;
            for (int64_t j = 0; j < d; j++)
                along += m.velocity[j] * m.score[j];
            w->divergence[row] = known ? -*m.rate - along : NAN;
        }
        for (int64_t j = 0; j < d * d && w->jacobian.data != NULL; j++)
            m.square[j] -= m.score[j / d] * m.score[j % d];
        copy(w->jacobian, row, m.square, known);
        if (w->denoised.data != NULL) {
            double *out = w->denoised.data + row * w->denoised.stride;
            denoise(p, q, b->y.data + row * b->y.stride, out);
            copy(w->denoised, row, out, known);
        }
        if (w->pmf.data != NULL)
            copy(w->pmf, row,
                 find_pmf(p, q, sfi_noise_block(p->noise, w->pmf_column),
                          b->y.data + row * b->y.stride),
                 known);
        if (w->birth.data != NULL || w->death.data != NULL ||
            w->ratio.data != NULL) {
            double *birth = row_of(w->birth, row),
                   *death = row_of(w->death, row),
                   *ratio = row_of(w->ratio, row);
            mean_rates(p, q, b->y.data + row * b->y.stride, birth, death,
                       ratio);
            copy(w->birth, row, birth, known);
            copy(w->death, row, death, known);
            copy(w->ratio, row, ratio, known);
        }
        if (w->most > 0)
            largest(p, q, w->most, w->datum + row * w->most,
                    w->weight + row * w->most);
        if (w->drawn != NULL)
            w->drawn[row] = draw(p, q, w->uniform[row]);
    }
}

/* ---- running ----------------------------------------------------------------- */

static unsigned values_for(const sfi_mixture_want *w)
{
    unsigned which = 0;
    if (w->score.data != NULL)
        which |= SCORE;
    if (w->jacobian.data != NULL)
        which |= SCORE | HESSIAN;
    if (w->velocity.data != NULL)
        which |= VELOCITY;
    if (w->divergence != NULL)
        which |= SCORE | VELOCITY | RATE;
    return which;
}

static sf_status run_block(job *b)
{
    sfi_mixture *p = b->p;
    SFI_TRY(log_densities(b));
    sfi_parallel(p->ctx, b->points, 1 + WORTH / p->n, weigh, b);
    memset(p->sums, 0, (size_t)(b->points * p->sums_each) * sizeof *p->sums);
    if (b->which != 0)
        SFI_TRY(means(b));
    sfi_parallel(p->ctx, b->points, 1 + WORTH / (p->d * p->d), answer, b);
    return SF_OK;
}

sf_status sfi_mixture_run(sfi_mixture *p, sf_cmat y, double t,
                          const sfi_mixture_want *want)
{
    if (p->gaussian != NULL && sfi_mixture_gaussian_gives(p->gaussian, want))
        return sfi_mixture_gaussian_run(p->gaussian, y, fmax(t, p->least_all),
                                        t > p->least_all, want);
    for (int64_t i = 0; i < p->n; i++) {
        const double least = p->least != NULL ? p->least[i] : p->least_all;
        p->times[i] = t > least ? t : least;
        p->moving[i] = t > least ? 1.0 : 0.0;
    }
    /* The floor's clean point is the point itself, which is no row of numbers. */
    if (p->family != NULL && sfi_mixture_family_gives(p->family, want) &&
        (!p->floor || want->denoised.data == NULL))
        return sfi_mixture_family_run(p->family, y, t, p->times, p->moving,
                                      want);
    job b = {.p = p, .want = want, .y = y, .t = t, .which = values_for(want)};
    const int columns[ALL_OUTPUTS] = {(int)p->d, (int)p->noise->squares, 1,
                                      (int)p->d, (int)p->table_count};
    int64_t at = 0;
    for (int k = 0; k < ALL_OUTPUTS; k++) {
        b.columns[k] = columns[k];
        b.at[k] = at;
        at += p->tile * columns[k];
    }
    if (b.which != 0)
        SFI_TRY(compile_values(p, b.which));
    for (int64_t first = 0; first < y.rows; first += p->block) {
        const int64_t left = y.rows - first;
        b.first = first;
        b.points = left < p->block ? left : p->block;
        SFI_TRY(run_block(&b));
    }
    return SF_OK;
}
