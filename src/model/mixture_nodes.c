/* SPDX-License-Identifier: Apache-2.0 */
/* mixture_nodes.c - the chart of x0 is the kernel's own, of
 *
 *     x0' = (1 - s) x0 + s middle,     s = min(t, 1/2),
 *
 * middle being the mean that the law goes to: like the law it is away from the ends of
 * a support by s, and a clean number may be at an end.  Where x0 is a location of a
 * law in the chart u is linear in it, and s is 0.  Nodes are those of Chebyshev in the range of the data.
 *
 * Measured on beta laws, the error in units of the noise's width falls as 10^-(R/3)
 * with R nodes over a range of 4 of the chart and as 10^-(R/6) over one of 9, down to
 * 1e-12: three nodes for each unit of the range are good to 1e-7, five to 1e-11. */
#include "model/mixture_nodes.h"

#include "scorefield/program.h"

#include <math.h>
#include <string.h>

enum { LEAST_NODES = 12, MOST_NODES = 64, CHUNK = 1024 };

static const double pi = 3.14159265358979324;

struct sfi_mixture_nodes {
    sf_context *ctx;
    const sfi_noise *noise;
    sf_cmat data;
    double t;
    int64_t d, dim, nodes;
    double *low, *high;  /* [dim] of the data */
    double *place;       /* [dim, nodes] of the nodes, in the chart */
    double *clean;       /* [nodes, dim] x0 there */
    double *velocity;    /* [CHUNK, d] at a node */
    sf_program *program; /* y, x0 -> u */
};

/* ---- the chart of x0 ---------------------------------------------------------- */

static const sfi_kernel *kernel_of(const sfi_mixture_nodes *p, int64_t column)
{
    return &sfi_noise_block(p->noise, column)->kernel;
}

/* x0' is (1 - s) x0 + s middle. */
typedef struct blend {
    sfi_chart chart;
    double s, middle;
} blend;

static blend blend_at(const sfi_mixture_nodes *p, int64_t column, double t)
{
    const sfi_kernel *k = kernel_of(p, column);
    const double mean = sfi_kernel_number_of(k, "mean");
    const sfi_chart chart = k->ops->chart;
    return (blend){chart, k->ops->location_scale ? 0.0 : fmin(t, 0.5),
                   isnan(mean) ? sfi_chart_from_number(chart, 0.0) : mean};
}

static double to_place(blend b, double x0)
{
    return sfi_chart_to_number(b.chart, (1.0 - b.s) * x0 + b.s * b.middle);
}

static double from_place(blend b, double place)
{
    return (sfi_chart_from_number(b.chart, place) - b.s * b.middle) /
           (1.0 - b.s);
}

/* The range of a column in its chart, nothing less than what rounding leaves. */
static void range_of(const sfi_mixture_nodes *p, int64_t column, double t,
                     double *low, double *high)
{
    const blend b = blend_at(p, column, t);
    *low = to_place(b, p->low[column]);
    *high = to_place(b, p->high[column]);
    const double least = 1e-6 * (1.0 + fabs(*low));
    if (*high - *low < least)
        *high = *low + least;
}

/* ---- making ------------------------------------------------------------------ */

static bool suits(const sfi_noise *noise)
{
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        if (b->kernel.ops->joint != NULL || b->kernel.ops->counts != NULL ||
            sfi_block_is_angle(b))
            return false;
    }
    return true;
}

static sf_status compile(sfi_mixture_nodes *p, sfi_velocity how)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(p->ctx, &g));
    const sf_node y = sf_input(g, "y", 1, &p->d);
    const sf_node x0 = sf_param(g, "x0", 1, &p->dim);
    const sf_node t = sf_param(g, "t", 0, NULL);
    const sf_output out = {sfi_noise_at(p->noise, g, y, x0, t, how).velocity,
                           SF_EACH};
    const sf_status status =
        sf_program_new(p->ctx, &p->program, g, SF_F64, 1, &out);
    sf_graph_free(g);
    return status;
}

static void find_range(sfi_mixture_nodes *p)
{
    for (int64_t j = 0; j < p->dim; j++) {
        p->low[j] = INFINITY;
        p->high[j] = -INFINITY;
        for (int64_t i = 0; i < p->data.rows; i++) {
            const double x = p->data.data[i * p->data.stride + j];
            p->low[j] = fmin(p->low[j], x);
            p->high[j] = fmax(p->high[j], x);
        }
    }
}

/* The widest range at the earliest time says how many nodes there are. */
static int64_t nodes_for(const sfi_mixture_nodes *p, double least,
                         sfi_velocity how)
{
    double widest = 0.0;
    for (int64_t j = 0; j < p->dim; j++) {
        double low, high;
        range_of(p, j, least, &low, &high);
        if (!kernel_of(p, j)->ops->location_scale)
            widest = fmax(widest, high - low);
    }
    const double each = how == SFI_VELOCITY_EXACT ? 5.0 : 3.0;
    return (int64_t)fmin(fmax(each * widest, LEAST_NODES), MOST_NODES);
}

static sf_status fill(sfi_mixture_nodes *p, double least, sfi_velocity how)
{
    sf_context *ctx = p->ctx;
    const size_t dim = (size_t)p->dim;
    p->low = sfi_alloc(ctx, dim, sizeof *p->low);
    p->high = sfi_alloc(ctx, dim, sizeof *p->high);
    if (p->low == NULL || p->high == NULL)
        return SF_E_NOMEM;
    find_range(p);
    p->nodes = nodes_for(p, least, how);
    const size_t cells = dim * (size_t)p->nodes;
    p->place = sfi_alloc(ctx, cells, sizeof *p->place);
    p->clean = sfi_alloc(ctx, cells, sizeof *p->clean);
    p->velocity = sfi_alloc(ctx, CHUNK * (size_t)p->d, sizeof *p->velocity);
    return p->place != NULL && p->clean != NULL && p->velocity != NULL
               ? compile(p, how)
               : SF_E_NOMEM;
}

sf_status sfi_mixture_nodes_new(sf_context *ctx, sfi_mixture_nodes **out,
                                const sfi_noise *noise, sf_cmat data,
                                double least, sfi_velocity how)
{
    *out = NULL;
    if (!suits(noise))
        return SF_OK;
    sfi_mixture_nodes *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->noise = noise;
    p->data = data;
    p->d = noise->inner;
    p->dim = noise->dim;
    const sf_status status = fill(p, least, how);
    if (status != SF_OK || data.rows <= p->nodes) {
        sfi_mixture_nodes_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sfi_mixture_nodes_free(sfi_mixture_nodes *p)
{
    if (p == NULL)
        return;
    const size_t dim = (size_t)p->dim, cells = dim * (size_t)p->nodes;
    sf_program_free(p->program);
    sfi_free(p->ctx, p->velocity, CHUNK * (size_t)p->d, sizeof *p->velocity);
    sfi_free(p->ctx, p->clean, cells, sizeof *p->clean);
    sfi_free(p->ctx, p->place, cells, sizeof *p->place);
    sfi_free(p->ctx, p->high, dim, sizeof *p->high);
    sfi_free(p->ctx, p->low, dim, sizeof *p->low);
    sfi_free(p->ctx, p, 1, sizeof *p);
}

int64_t sfi_mixture_nodes_count(const sfi_mixture_nodes *p)
{
    return p->dim * p->nodes;
}

/* ---- running ----------------------------------------------------------------- */

static double angle_of(const sfi_mixture_nodes *p, int64_t k)
{
    return pi * ((double)k + 0.5) / (double)p->nodes;
}

/* All L_k at a place, by the barycentric formula (J.-P. Berrut and L. N. Trefethen,
 * Barycentric Lagrange interpolation, SIAM Review 46 (2004) 501-517). */
static void polynomials(const sfi_mixture_nodes *p, const double *nodes,
                        double place, double *out)
{
    double sum = 0.0;
    for (int64_t k = 0; k < p->nodes; k++) {
        const double gap = place - nodes[k];
        if (gap == 0.0) {
            memset(out, 0, (size_t)p->nodes * sizeof *out);
            out[k] = 1.0;
            return;
        }
        out[k] = (k % 2 == 0 ? 1.0 : -1.0) * sin(angle_of(p, k)) / gap;
        sum += out[k];
    }
    for (int64_t k = 0; k < p->nodes; k++)
        out[k] /= sum;
}

void sfi_mixture_nodes_fill(sfi_mixture_nodes *p, double t, sf_mat out)
{
    p->t = t;
    for (int64_t j = 0; j < p->dim; j++) {
        const blend b = blend_at(p, j, t);
        double *nodes = p->place + j * p->nodes;
        double low, high;
        range_of(p, j, t, &low, &high);
        for (int64_t k = 0; k < p->nodes; k++) {
            nodes[k] =
                0.5 * (low + high) - 0.5 * (high - low) * cos(angle_of(p, k));
            p->clean[k * p->dim + j] = from_place(b, nodes[k]);
        }
        for (int64_t i = 0; i < p->data.rows; i++)
            polynomials(p, nodes,
                        to_place(b, p->data.data[i * p->data.stride + j]),
                        out.data + i * out.stride + j * p->nodes);
    }
}

sf_status sfi_mixture_nodes_run(sfi_mixture_nodes *p, int64_t n, sf_cmat y,
                                sf_cmat mean, sf_mat velocity)
{
    const sf_sink sink = {p->velocity, SF_F64, p->d};
    for (int64_t at = 0; at < n; at += CHUNK) {
        const int64_t rows = n - at < CHUNK ? n - at : CHUNK;
        const sf_source source = {.kind = SF_ROWS,
                                  .data = y.data + at * y.stride,
                                  .dtype = SF_F64,
                                  .stride = y.stride};
        for (int64_t i = 0; i < rows; i++)
            memset(velocity.data + (at + i) * velocity.stride, 0,
                   (size_t)p->d * sizeof(double));
        for (int64_t k = 0; k < p->nodes; k++) {
            const void *const params[] = {p->clean + k * p->dim, &p->t};
            SFI_TRY(sf_program_run(p->program, rows, &source, params, &sink));
            for (int64_t l = 0; l < p->noise->count; l++) {
                const sfi_block *b = &p->noise->blocks[l];
                const int64_t j = sfi_noise_columns(p->noise, b)[0];
                for (int64_t i = 0; i < rows; i++)
                    velocity.data[(at + i) * velocity.stride + b->at] +=
                        mean.data[(at + i) * mean.stride + j * p->nodes + k] *
                        p->velocity[i * p->d + b->at];
            }
        }
    }
    return SF_OK;
}
