/* SPDX-License-Identifier: Apache-2.0 */
/* lattice_green.c - as an integral over the time of a heat equation.
 *
 * What was 1/V at one node of an infinite line is, after diffusion for a time tau,
 * e^{-x} I_n(x)/h with x = 2 tau/h^2 and the modified Bessel function I_n.  Axes do
 * not mix, a mass decays, and the operator's inverse is the integral of that:
 *
 *     G(n) = integral from 0 to infinity of
 *            e^{-m^2 tau} product over mu of e^{-x_mu} I_{n_mu}(x_mu)/h_mu  d tau.
 *
 * By Gauss's rule in ln tau it is a sum of some two hundred terms, each a product of
 * one vector for each axis: a plane of it is a product of matrices.
 *
 * Beyond the last time T, which is large against the squared size of the box, the
 * product is (4 pi tau)^{-d/2} whatever n.  In three dimensions that leaves
 * 2 (4 pi)^{-3/2} T^{-1/2}.  In two it has no integral; since that of
 * exp(-r^2/4 tau)/(4 pi tau) to T is (ln(4T) - gamma - 2 ln r)/(4 pi), subtracting
 * (ln(4T) - gamma)/(4 pi) leaves what tends to -ln(r)/(2 pi), for any spacings.
 *
 * In one dimension G = h e^{-mu |n|}/(2 sinh mu) with cosh mu = 1 + (m h)^2/2. */
#include "num/lattice_green.h"

#include "base/parallel.h"
#include "num/legendre.h"
#include "num/loops.h"

#include <math.h>

/* PANEL: width of a panel in ln tau without a mass; e^{-m^2 tau} needs them
 * narrower.  NODES in each.  Measured: errors below 1e-10 of G(0). */
enum { NODES = 12, PANEL = 2, MOST_PANELS = 128, AXES = 3 };

typedef struct quadrature {
    int count;
    double tau[MOST_PANELS * NODES], weight[MOST_PANELS * NODES];
    double tail; /* to be added to the sum */
} quadrature;

typedef struct green_sum {
    int64_t
        count[AXES]; /* leading axes of one element before those there are */
    int terms;
    int64_t row;                 /* length of a padded row */
    const double *slow, *middle; /* [count, terms] */
    const double *fast;          /* [terms, row]   */
    const double *weight;
    double tail;
    double *out;
    double *left, *plane; /* of all parts: [count[1], terms], [count[1], row] */
    double *pack;         /* what a product of matrices wants besides         */
    int64_t pack_size;
    const sfi_loops *loops;
} green_sum;

/* ---- the terms ------------------------------------------------------------------ */

static void add_panel(quadrature *q, double from, double to, bool is_log)
{
    double x[NODES], w[NODES];
    sfi_gauss_legendre(NODES, x, w);
    for (int i = 0; i < NODES; i++, q->count++) {
        const double s = from + (to - from) * x[i];
        q->tau[q->count] = is_log ? exp(s) : s;
        q->weight[q->count] = (to - from) * w[i] * (is_log ? exp(s) : 1.0);
    }
}

/* The first panel is even in tau and ends where little has happened: the fastest
 * rate is `rate`.  The last time is 45/m^2, when e^{-m^2 tau} is 3e-20, or large
 * against the box. */
static void choose_terms(quadrature *q, int rank, const int64_t *count,
                         const double *h, double mass)
{
    const double pi = 3.14159265358979323846, gamma = 0.57721566490153286;
    double rate = mass * mass, size = 0.0;
    for (int k = 0; k < rank; k++) {
        rate += 4.0 / (h[k] * h[k]);
        size += (double)count[k] * (double)count[k] * h[k] * h[k];
    }
    const double first = 0.5 / rate;
    const double last = mass > 0.0 ? 45.0 / (mass * mass) : 1e10 * size;
    const double range = log(last / first);
    int panels = (int)ceil(range / (mass > 0.0 ? 0.5 : PANEL));
    panels = panels > MOST_PANELS - 1 ? MOST_PANELS - 1 : panels;
    q->count = 0;
    add_panel(q, 0.0, first, false);
    for (int i = 0; i < panels; i++)
        add_panel(q, log(first) + range * i / panels,
                  log(first) + range * (i + 1) / panels, true);
    for (int i = 0; i < q->count; i++)
        q->weight[i] *= exp(-mass * mass * q->tau[i]);
    q->tail = 0.0;
    if (mass == 0.0 && rank == 3)
        q->tail = 2.0 * pow(4.0 * pi, -1.5) / sqrt(last);
    if (mass == 0.0 && rank == 2)
        q->tail = -(log(4.0 * last) - gamma) / (4.0 * pi);
}

/* ---- e^{-x} I_n(x) -------------------------------------------------------------- */

/* The expansion for large x, Abramowitz and Stegun 9.7.1. */
static double scaled_bessel_far(double x, int64_t n)
{
    const double pi = 3.14159265358979323846;
    const double mu = 4.0 * (double)n * (double)n;
    double term = 1.0, sum = 1.0;
    for (int k = 1; k < 60 && fabs(term) > 1e-17 * fabs(sum); k++) {
        const double odd = 2.0 * k - 1.0;
        term *= -(mu - odd * odd) / (8.0 * x * k);
        sum += term;
    }
    return sum / sqrt(2.0 * pi * x);
}

/* For n = 0 ... count - 1 at out[n*step].  Downward recurrence
 * I_{n-1} = I_{n+1} + (2n/x) I_n from where I_n/I_0 is below 1e-17, scaled by
 * I_0 + 2 (I_1 + I_2 + ...) = e^x; what has become too small to be kept is 0. */
static void scaled_bessel(double *out, int64_t count, int64_t step, double x)
{
    const double most = (double)count * (double)count;
    if (x > 1e6 && x > most) {
        for (int64_t n = 0; n < count; n++)
            out[n * step] = scaled_bessel_far(x, n);
        return;
    }
    const double huge = 1e250;
    double above = 0.0, here = 1e-250, sum = 0.0;
    int64_t n = count + 30 + (int64_t)(9.0 * sqrt(x));
    for (; n > 0; n--) {
        if (n < count)
            out[n * step] = here;
        sum += here;
        const double below = above + 2.0 * (double)n / x * here;
        above = here;
        here = below;
        if (here > huge) {
            for (int64_t k = n; k < count; k++)
                out[k * step] /= huge;
            above /= huge;
            here /= huge;
            sum /= huge;
        }
    }
    out[0] = here;
    const double scale = 1.0 / (here + 2.0 * sum);
    for (int64_t k = 0; k < count; k++)
        out[k * step] *= scale;
}

/* ---- the sum -------------------------------------------------------------------- */

static void sum_planes(void *user, int64_t part, int64_t first, int64_t planes)
{
    const green_sum *const j = user;
    const int64_t ny = j->count[1], nx = j->count[2];
    double *const left = j->left + part * ny * j->terms;
    const double *const plane = j->plane + part * ny * j->row;
    for (int64_t i = first; i < first + planes; i++) {
        for (int64_t y = 0; y < ny; y++)
            for (int t = 0; t < j->terms; t++)
                left[y * j->terms + t] = j->weight[t] *
                                         j->slow[i * j->terms + t] *
                                         j->middle[y * j->terms + t];
        const sfi_gemm g = {.m = ny,
                            .n = j->row,
                            .k = j->terms,
                            .a = left,
                            .a_row = j->terms,
                            .a_col = 1,
                            .b = j->fast,
                            .ldb = j->row,
                            .c = j->plane + part * ny * j->row,
                            .ldc = j->row};
        j->loops->gemm(&g, j->pack + part * j->pack_size);
        for (int64_t y = 0; y < ny; y++)
            for (int64_t x = 0; x < nx; x++)
                j->out[(i * ny + y) * nx + x] = plane[y * j->row + x] + j->tail;
    }
}

/* [count, terms] of e^{-x} I_n(x)/h, or of 1 for an axis that is not there. */
static void fill_axis(double *table, int64_t count, int64_t element,
                      int64_t term, const quadrature *q, const double *h)
{
    for (int t = 0; t < q->count; t++) {
        double *const out = table + t * term;
        if (h == NULL) {
            out[0] = 1.0;
            continue;
        }
        scaled_bessel(out, count, element, 2.0 * q->tau[t] / (*h * *h));
        for (int64_t n = 0; n < count; n++)
            out[n * element] /= *h;
    }
}

static sf_status sum_terms(sf_context *ctx, double *out, int rank,
                           const int64_t *count, const double *h,
                           const quadrature *q)
{
    green_sum j = {
        .count = {1, 1, 1}, .terms = q->count, .tail = q->tail, .out = out};
    const double *step[AXES] = {NULL, NULL, NULL};
    for (int k = 0; k < rank; k++) {
        j.count[AXES - rank + k] = count[k];
        step[AXES - rank + k] = &h[k];
    }
    j.row = sfi_row_length(j.count[2]);
    j.weight = q->weight;
    const int64_t chunk =
        sfi_parallel_parts(j.count[0], sf_context_threads(ctx));
    const int64_t parts = sfi_parallel_parts(j.count[0], chunk);
    j.loops = sfi_loops_for(SF_F64);
    j.pack_size = sfi_row_length(
        (int64_t)(j.loops->gemm_work(j.count[1], j.row, j.terms) / sizeof *out +
                  1));
    const size_t slow = (size_t)(j.count[0] * j.terms);
    const size_t middle = (size_t)(j.count[1] * j.terms);
    const size_t fast = (size_t)(j.row * j.terms);
    const size_t plane = (size_t)(j.count[1] * j.row);
    const size_t all = slow + middle + fast +
                       (size_t)parts * (middle + plane + (size_t)j.pack_size);
    double *const memory = sfi_alloc_zero(ctx, all, sizeof *memory);
    if (memory == NULL)
        return SF_E_NOMEM;
    /* What is a multiple of a row first, for its alignment. */
    double *const rows = memory;
    j.plane = rows + fast;
    j.pack = j.plane + (size_t)parts * plane;
    double *const tables = j.pack + parts * j.pack_size;
    fill_axis(tables, j.count[0], j.terms, 1, q, step[0]);
    fill_axis(tables + slow, j.count[1], j.terms, 1, q, step[1]);
    fill_axis(rows, j.count[2], 1, j.row, q, step[2]);
    j.slow = tables;
    j.middle = tables + slow;
    j.fast = rows;
    j.left = tables + slow + middle;
    sfi_parallel(ctx, j.count[0], chunk, sum_planes, &j);
    sfi_free(ctx, memory, all, sizeof *memory);
    return SF_OK;
}

static void on_a_line(double *out, int64_t count, double h, double mass)
{
    /* cosh mu - 1 = 2 sinh^2(mu/2) */
    const double mu = 2.0 * asinh(0.5 * mass * h);
    for (int64_t n = 0; n < count; n++)
        out[n] = mass > 0.0 ? h * exp(-mu * (double)n) / (2.0 * sinh(mu))
                            : -0.5 * h * (double)n;
}

static sf_status check(sf_context *ctx, int rank, const int64_t *count,
                       const double *h, double mass)
{
    if (rank < 1 || rank > AXES)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "lattice Green's function: rank is %d, want 1 to 3",
                        rank);
    if (!(mass >= 0.0 && mass <= 1e150))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "lattice Green's function: mass is %g, want >= 0",
                        mass);
    double least = INFINITY, most = 0.0;
    for (int k = 0; k < rank; k++) {
        if (count[k] < 1 || count[k] > SFI_GREEN_MOST)
            return SFI_FAIL(ctx, SF_E_SHAPE,
                            "lattice Green's function: axis %d has %lld nodes, "
                            "want 1 to %d",
                            k, (long long)count[k], SFI_GREEN_MOST);
        if (!(h[k] > 1e-100 && h[k] < 1e100))
            return SFI_FAIL(
                ctx, SF_E_ARG,
                "lattice Green's function: spacing of axis %d is %g, want > 0",
                k, h[k]);
        least = h[k] < least ? h[k] : least;
        most = h[k] > most ? h[k] : most;
    }
    if (most > 1000.0 * least || mass * most > 100.0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "lattice Green's function: spacings %g to %g, mass %g: "
                        "want a ratio "
                        "to 1000, and mass times spacing to 100",
                        least, most, mass);
    return SF_OK;
}

sf_status sfi_lattice_green(sf_context *ctx, double *out, int rank,
                            const int64_t *count, const double *h, double mass)
{
    SFI_TRY(check(ctx, rank, count, h, mass));
    if (rank == 1) {
        on_a_line(out, count[0], h[0], mass);
        return SF_OK;
    }
    quadrature *q = sfi_alloc(ctx, 1, sizeof *q);
    if (q == NULL)
        return SF_E_NOMEM;
    choose_terms(q, rank, count, h, mass);
    const sf_status status = sum_terms(ctx, out, rank, count, h, q);
    sfi_free(ctx, q, 1, sizeof *q);
    return status;
}
