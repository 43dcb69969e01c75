/* SPDX-License-Identifier: Apache-2.0 */
/* codebook.c - all rows against all decoded points, as one matrix product.
 *
 * With m the mean of the decoded points, what a row x gives a point z is, but for
 * what does not depend on z,
 *
 *     constant noise   <L^-1 (x - m), w> + b,         w = L^-1 (f(z) - m)
 *                      b = -w'w/2 - z' Lambda z/2
 *     varying noise    <(x - m)^2, -a/2> + <x - m, a (f - m)> + b,   a = e^(-2 l)
 *                      b = -sum a (f - m)^2/2 - sum l - z' Lambda z/2
 *
 * so features of the row, with a 1 at their end, times features of the points, with
 * b at theirs.  The points are taken from their mean because distances that are small
 * beside the coordinates would cancel.
 *
 * Points.  Halton's numbers of prime base b, of which each digit is scrambled by a
 * random a x + c mod b (J. Matousek, J. Complexity 14 (1998) 527-556): without it
 * those of two large bases lie on lines. */
#include "latent/codebook.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/linalg.h"
#include "num/loops.h"
#include "num/probability.h"

#include <math.h>
#include <string.h>

/* Rows of the table that are held at a time, and of one range. */
enum { WAVE = 256, CHUNK = 16 };

static const double apart = 0.5, scale_without_prior = 1.5;

struct sfi_codebook {
    sf_context *ctx;
    sf_program *row_features; /* of (x, m) */
    const sfi_loops *loops;
    int64_t latent, features, starts, most;
    int64_t planned; /* points before some were left out */
    int64_t count, padded;
    double *z;      /* [K, padded], a row for each component */
    double *code;   /* [features, padded] */
    double *middle; /* m [d] */
    double *rows;   /* [most, features] */
    double *table;  /* [WAVE, padded] */
    char *work;     /* [WAVE / CHUNK, work_size] of products */
    size_t work_size;
    int64_t dim;
    /* Of a wave. */
    int64_t first;
    double *out;
    int64_t *found;
};

/* ---- points ------------------------------------------------------------------ */

static const int primes[SF_LATENT_MAX] = {
    2,  3,  5,  7,  11, 13, 17, 19, 23, 29,  31,  37,  41,  43,  47,  53,
    59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131};

/* Digits of a base that a double tells apart, of base 2 the most. */
enum { MOST_DIGITS = 52 };

/* One component: base, digits, and how they are scrambled. */
typedef struct scramble {
    int64_t base;
    int digits;
    int64_t factor[MOST_DIGITS], shift[MOST_DIGITS];
} scramble;

static scramble make_scramble(uint64_t seed, int64_t k)
{
    scramble s = {.base = primes[k]};
    const double base = (double)s.base;
    for (double place = 1.0; place > 1e-15 && s.digits < MOST_DIGITS;
         place /= base) {
        const sfi_where where = {seed, (uint64_t)k, (uint32_t)s.digits,
                                 SFI_STREAM_PRIOR};
        s.factor[s.digits] =
            1 + (int64_t)(sfi_uniform_at(where, 0) * (base - 1.0));
        s.shift[s.digits++] = (int64_t)(sfi_uniform_at(where, 1) * base);
    }
    return s;
}

/* The i-th number, in (0, 1). */
static double halton(const scramble *s, int64_t i)
{
    double value = 0.0, place = 1.0;
    for (int digit = 0; digit < s->digits; digit++, i /= s->base) {
        place /= (double)s->base;
        value += place *
                 (double)((s->factor[digit] * (i % s->base) + s->shift[digit]) %
                          s->base);
    }
    return fmin(value + 0.5 * place, 1.0 - 1e-15);
}

/* Rows of points [planned, K]; the first is the origin. */
static void make_points(const sfi_codebook *c, const sf_latent_options *o,
                        double *z)
{
    const double scale = o->prior == SF_LATENT_NONE ? scale_without_prior : 1.0;
    for (int64_t k = 0; k < c->latent; k++) {
        const scramble s = make_scramble(o->seed, k);
        z[k] = 0.0;
        for (int64_t i = 1; i < c->planned; i++)
            z[i * c->latent + k] = scale * sfi_normal_quantile(halton(&s, i));
    }
}

/* ---- features ---------------------------------------------------------------- */

static sf_node with_last(sf_graph *g, int count, const sf_node *parts,
                         sf_node number)
{
    sf_node all[3];
    for (int i = 0; i < count; i++)
        all[i] = parts[i];
    all[count] = sf_reshape(g, number, 1, (int64_t[]){1});
    return sf_concat(g, count + 1, all, 0);
}

static sf_node half_square(sf_graph *g, sf_node a)
{
    return sf_mul(g, sf_const(g, -0.5), sf_dot(g, a, a));
}

/* The features of a point z, in a graph of inputs z and m; *f is f(z). */
static sf_status point_node(const sf_decoder *d, sf_graph *g,
                            sf_latent_prior prior, sf_node *f, sf_node *out)
{
    sf_node l = {0};
    const sf_node z = sf_input(g, "z", 1, &d->latent);
    const sf_node m = sf_input(g, "m", 1, &d->dim);
    SFI_TRY(sfi_decoder_mean(d, g, z, f));
    if (d->noise == SF_DECODER_VARYING)
        SFI_TRY(sfi_decoder_log_sigma(d, g, z, &l));
    const sf_node w = sfi_decoder_whiten(d, g, l, sf_sub(g, *f, m));
    sf_node b = half_square(g, w);
    if (prior == SF_LATENT_NORMAL)
        b = sf_add(g, b, half_square(g, z));
    if (d->noise != SF_DECODER_VARYING) {
        *out = with_last(g, 1, &w, b);
        return sf_graph_status(g);
    }
    const sf_node inverse = sf_exp(g, sf_neg(g, l));
    const sf_node parts[] = {
        sf_mul(g, sf_const(g, -0.5), sf_square(g, inverse)),
        sf_mul(g, inverse, w)};
    *out = with_last(g, 2, parts, sf_sub(g, b, sf_sum_all(g, l)));
    return sf_graph_status(g);
}

static sf_status row_node(const sf_decoder *d, sf_graph *g, sf_node *out)
{
    const sf_node x = sf_input(g, "x", 1, &d->dim);
    const sf_node m = sf_input(g, "m", 1, &d->dim);
    const sf_node from = sf_sub(g, x, m), one = sf_const(g, 1.0);
    if (d->noise == SF_DECODER_VARYING) {
        const sf_node parts[] = {sf_square(g, from), from};
        *out = with_last(g, 2, parts, one);
    } else {
        const sf_node w = sfi_decoder_whiten(d, g, one, from);
        *out = with_last(g, 1, &w, one);
    }
    return sf_graph_status(g);
}

/* Programs for both, and for f(z) alone. */
static sf_status compile(sfi_codebook *c, const sf_decoder *d,
                         sf_latent_prior prior, sf_program **points,
                         sf_program **decode)
{
    sf_graph *g = NULL, *h = NULL;
    sf_node f, point, row;
    sf_status status;
    SFI_CHECK(sf_graph_new(c->ctx, &g));
    SFI_CHECK(sf_graph_new(c->ctx, &h));
    SFI_CHECK(point_node(d, g, prior, &f, &point));
    SFI_CHECK(row_node(d, h, &row));
    SFI_CHECK(sf_program_new(c->ctx, points, g, SF_F64, 1,
                             (sf_output[]){{point, SF_EACH}}));
    SFI_CHECK(sf_program_new(c->ctx, decode, g, SF_F64, 1,
                             (sf_output[]){{f, SF_EACH}}));
    status = sf_program_new(c->ctx, &c->row_features, h, SF_F64, 1,
                            (sf_output[]){{row, SF_EACH}});
done:
    sf_graph_free(h);
    sf_graph_free(g);
    return status;
}

static sf_status map(sf_program *program, int64_t points, sf_cmat from,
                     const double *middle, double *to, int64_t cols)
{
    const sf_source sources[] = {
        {.data = from.data, .dtype = SF_F64, .stride = from.stride},
        {.data = middle, .dtype = SF_F64}};
    const sf_sink sink = {to, SF_F64, cols};
    return sf_program_run(program, points, sources, NULL, &sink);
}

static bool is_finite(const double *a, int64_t n)
{
    return sfi_first_not_finite(a, n) == n;
}

/* The mean of those rows of f [planned, d] that are finite. */
static void find_middle(const sfi_codebook *c, const double *f)
{
    int64_t count = 0;
    memset(c->middle, 0, (size_t)c->dim * sizeof *c->middle);
    for (int64_t i = 0; i < c->planned; i++)
        count += is_finite(f + i * c->dim, c->dim);
    for (int64_t i = 0; i < c->planned; i++)
        for (int64_t j = 0; j < c->dim && is_finite(f + i * c->dim, c->dim);
             j++)
            c->middle[j] += f[i * c->dim + j] / (double)count;
}

/* Keep the points whose features are finite, component by component. */
static void keep_points(sfi_codebook *c, const double *z,
                        const double *features)
{
    c->count = 0;
    for (int64_t i = 0; i < c->planned; i++) {
        const double *at = features + i * c->features;
        if (!is_finite(at, c->features))
            continue;
        for (int64_t k = 0; k < c->latent; k++)
            c->z[k * c->padded + c->count] = z[i * c->latent + k];
        for (int64_t q = 0; q < c->features; q++)
            c->code[q * c->padded + c->count] = at[q];
        c->count++;
    }
    /* What fills up the rows is never chosen. */
    for (int64_t i = c->count; i < c->padded; i++)
        c->code[(c->features - 1) * c->padded + i] = -INFINITY;
}

static sf_status decode_points(sfi_codebook *c, const sf_decoder *d,
                               const sf_latent_options *o, double *z,
                               double *values)
{
    sf_program *points = NULL, *decode = NULL;
    const sf_cmat from = {z, c->planned, c->latent, c->latent};
    sf_status status;
    SFI_CHECK(compile(c, d, o->prior, &points, &decode));
    make_points(c, o, z);
    SFI_CHECK(map(decode, c->planned, from, c->middle, values, c->dim));
    find_middle(c, values);
    SFI_CHECK(map(points, c->planned, from, c->middle, values, c->features));
    keep_points(c, z, values);
done:
    sf_program_free(decode);
    sf_program_free(points);
    return status;
}

/* ---- memory ------------------------------------------------------------------ */

static bool make_room(sfi_codebook *c)
{
    const size_t wide = (size_t)c->padded, d = sizeof(double);
    sf_context *ctx = c->ctx;
    c->z = sfi_alloc_zero(ctx, (size_t)c->latent * wide, d);
    c->code = sfi_alloc_zero(ctx, (size_t)c->features * wide, d);
    c->middle = sfi_alloc_zero(ctx, (size_t)c->dim, d);
    c->rows = sfi_alloc(ctx, (size_t)(c->most * c->features), d);
    c->table = sfi_alloc(ctx, WAVE * wide, d);
    c->work_size = c->loops->gemm_work(CHUNK, c->padded, c->features);
    c->work_size = (c->work_size + 63) / 64 * 64;
    c->work = sfi_alloc(ctx, WAVE / CHUNK, c->work_size);
    return c->z != NULL && c->code != NULL && c->middle != NULL &&
           c->rows != NULL && c->table != NULL && c->work != NULL;
}

static sf_status fill(sfi_codebook *c, const sf_decoder *d,
                      const sf_latent_options *o)
{
    /* decode_points() maps to f and then to features, of which there are more. */
    const size_t n = (size_t)(c->planned * c->features);
    const size_t m = (size_t)(c->planned * c->latent);
    double *z = sfi_alloc(c->ctx, m, sizeof *z);
    double *values = sfi_alloc(c->ctx, n, sizeof *values);
    const sf_status status = z != NULL && values != NULL && make_room(c)
                                 ? decode_points(c, d, o, z, values)
                                 : SF_E_NOMEM;
    sfi_free(c->ctx, values, n, sizeof *values);
    sfi_free(c->ctx, z, m, sizeof *z);
    return status;
}

sf_status sfi_codebook_new(sf_context *ctx, sfi_codebook **out,
                           const sf_decoder *d, const sf_latent_options *o,
                           int64_t most)
{
    *out = NULL;
    sfi_codebook *c = sfi_alloc_zero(ctx, 1, sizeof *c);
    if (c == NULL)
        return SF_E_NOMEM;
    c->ctx = ctx;
    c->loops = sfi_loops_for(SF_F64);
    c->latent = d->latent;
    c->dim = d->dim;
    c->features = (d->noise == SF_DECODER_VARYING ? 2 : 1) * d->dim + 1;
    c->starts = o->starts;
    c->most = most;
    c->planned = d->latent == 1 ? 2048 : d->latent == 2 ? 4096 : 8192;
    c->padded = sfi_row_length(c->planned);
    const sf_status status = fill(c, d, o);
    if (status != SF_OK) {
        sfi_codebook_free(c);
        return status;
    }
    *out = c;
    return SF_OK;
}

void sfi_codebook_free(sfi_codebook *c)
{
    if (c == NULL)
        return;
    const size_t wide = (size_t)c->padded, d = sizeof(double);
    sf_context *ctx = c->ctx;
    sf_program_free(c->row_features);
    sfi_free(ctx, c->work, WAVE / CHUNK, c->work_size);
    sfi_free(ctx, c->table, WAVE * wide, d);
    sfi_free(ctx, c->rows, (size_t)(c->most * c->features), d);
    sfi_free(ctx, c->middle, (size_t)c->dim, d);
    sfi_free(ctx, c->code, (size_t)c->features * wide, d);
    sfi_free(ctx, c->z, (size_t)c->latent * wide, d);
    sfi_free(ctx, c, 1, sizeof *c);
}

/* ---- looking up -------------------------------------------------------------- */

/* The points within `apart` of the one at `best` are no candidates any more.  Loops
 * that vector units take: SFI_ROW_MULTIPLE points side by side. */
static void strike(const sfi_codebook *c, int64_t best, double *scores)
{
    for (int64_t first = 0; first < c->padded; first += SFI_ROW_MULTIPLE) {
        double square[SFI_ROW_MULTIPLE] = {0.0};
        for (int64_t k = 0; k < c->latent; k++) {
            const double *z = c->z + k * c->padded + first;
            const double from = c->z[k * c->padded + best];
            for (int i = 0; i < SFI_ROW_MULTIPLE; i++)
                square[i] += (z[i] - from) * (z[i] - from);
        }
        for (int i = 0; i < SFI_ROW_MULTIPLE; i++)
            scores[first + i] =
                square[i] <= apart * apart ? -INFINITY : scores[first + i];
    }
}

static void choose(const sfi_codebook *c, int64_t row, double *scores)
{
    c->found[row] = 0;
    for (int64_t s = 0; s < c->starts; s++) {
        const double most = c->loops->largest(scores, c->padded);
        int64_t best = 0;
        while (best < c->count && scores[best] != most)
            best++;
        if (best == c->count || most == -INFINITY)
            return;
        for (int64_t k = 0; k < c->latent; k++)
            c->out[(row * c->starts + s) * c->latent + k] =
                c->z[k * c->padded + best];
        c->found[row]++;
        if (s + 1 < c->starts)
            strike(c, best, scores);
    }
}

static void look_up(void *user, int64_t part, int64_t first, int64_t count)
{
    const sfi_codebook *c = user;
    double *table = c->table + first * c->padded;
    const sfi_gemm product = {.m = count,
                              .n = c->padded,
                              .k = c->features,
                              .a = c->rows + (c->first + first) * c->features,
                              .a_row = c->features,
                              .a_col = 1,
                              .b = c->code,
                              .ldb = c->padded,
                              .c = table,
                              .ldc = c->padded};
    c->loops->gemm(&product, c->work + (size_t)part * c->work_size);
    for (int64_t i = 0; i < count; i++)
        choose(c, c->first + first + i, table + i * c->padded);
}

sf_status sfi_codebook_find(sfi_codebook *c, sf_cmat x, double *z,
                            int64_t *found)
{
    SFI_TRY(map(c->row_features, x.rows, x, c->middle, c->rows, c->features));
    c->out = z;
    c->found = found;
    for (c->first = 0; c->first < x.rows; c->first += WAVE) {
        const int64_t left = x.rows - c->first;
        sfi_parallel(c->ctx, left < WAVE ? left : WAVE, CHUNK, look_up, c);
    }
    return SF_OK;
}
