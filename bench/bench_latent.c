/* SPDX-License-Identifier: Apache-2.0 */
/* bench_latent.c - latent points of rows through typed decoders; the cases of
 * bench/README.md.
 *
 *   map_d16_k2     rows a second of maxima from four starts, f = V tanh(W z + b) of 16
 *                  columns and 16 units, noise 0.05, 20000 rows that f made
 *   map_d16_k2_s1  the same from one start
 *   logpdf_d16_k2  the same with ln p(x) by 256 samples, 2000 rows
 *   draw_d16_k2    draws a second of z given x, 100 rows, 4 chains of 100 */
#include "bench.h"

#include "base/random.h"
#include "scorefield/latent.h"

#include <math.h>

enum { DIM = 16, UNITS = 16, ROWS = 20000, FEW = 2000, DRAWN = 100 };

struct state {
    sf_context *ctx;
    sf_decoder *decoder;
    sf_latent_options options;
    sf_latent_values values;
    int64_t rows;
    double *x, *z;
    double logpdf[FEW];
};

static void must(const sf_context *ctx, sf_status status)
{
    if (status == SF_OK)
        return;
    fprintf(stderr, "bench_latent: %s\n",
            ctx != NULL ? sf_context_message(ctx) : "no memory");
    exit(1);
}

static double normal(int64_t i, int j)
{
    return sfi_normal_at((sfi_where){1, (uint64_t)i, 0, SFI_STREAM_USER},
                         (uint32_t)j);
}

/* Weight j of unit i: of z0, z1, 1, and then of the columns. */
static double weight(int i, int j)
{
    return normal(ROWS + i, j) / (j < 3 ? 1.0 : 4.0);
}

static void make_decoder(struct state *s)
{
    enum { SIZE = DIM * UNITS * 96 };
    char *text = malloc(SIZE);
    const double sigma = 0.05;
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    size_t used = 0;
    must(NULL, text != NULL ? SF_OK : SF_E_NOMEM);
    for (int j = 0; j < DIM; j++)
        for (int i = 0; i < UNITS; i++)
            used += (size_t)snprintf(
                text + used, SIZE - used, "%s%.9g*tanh(%.9g*z0+%.9g*z1+%.9g)",
                i > 0   ? "+"
                : j > 0 ? ";"
                        : "",
                weight(i, 3 + j), weight(i, 0), weight(i, 1), weight(i, 2));
    o.sigma = &sigma;
    o.sigma_count = 1;
    must(s->ctx, sf_decoder_new(s->ctx, &s->decoder, text, 2, &o));
    free(text);
}

static void make_rows(struct state *s)
{
    s->x = malloc(ROWS * DIM * sizeof *s->x);
    s->z = malloc(2 * DRAWN * 400 * sizeof *s->z);
    must(NULL, s->x != NULL && s->z != NULL ? SF_OK : SF_E_NOMEM);
    for (int64_t r = 0; r < ROWS; r++)
        for (int j = 0; j < DIM; j++) {
            double sum = 0.05 * normal(r, 2 + j);
            for (int i = 0; i < UNITS; i++)
                sum += weight(i, 3 + j) *
                       tanh(weight(i, 0) * normal(r, 0) +
                            weight(i, 1) * normal(r, 1) + weight(i, 2));
            s->x[r * DIM + j] = sum;
        }
}

static void infer(void *user)
{
    struct state *s = user;
    must(s->ctx,
         sf_latent_infer(s->ctx, s->decoder, (sf_cmat){s->x, s->rows, DIM, DIM},
                         &s->values, NULL, &s->options));
}

static void draw(void *user)
{
    struct state *s = user;
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    o.draws = 100;
    o.warmup = 50;
    must(s->ctx,
         sf_latent_draw(s->ctx, s->decoder, (sf_cmat){s->x, DRAWN, DIM, DIM},
                        s->z, NULL, NULL, NULL, &o));
}

int main(int argc, char **argv)
{
    bench_args args;
    const sf_latent_options options = SF_LATENT_OPTIONS_INIT;
    const sf_latent_values values = SF_LATENT_VALUES_INIT;
    static struct state s;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    must(NULL, sf_context_new(&s.ctx, NULL));
    must(s.ctx, sf_context_set_threads(s.ctx, args.threads));
    make_decoder(&s);
    make_rows(&s);
    s.options = options;
    s.values = values;
    s.rows = ROWS;
    s.values.z = (sf_mat){s.z, ROWS, 2, 2};
    if (bench_wanted(&args, "map_d16_k2"))
        bench_print("map_d16_k2", "rows_per_s", bench_windows(&args, infer, &s),
                    ROWS, 0.0);
    s.options.starts = 1;
    if (bench_wanted(&args, "map_d16_k2_s1"))
        bench_print("map_d16_k2_s1", "rows_per_s",
                    bench_windows(&args, infer, &s), ROWS, 0.0);
    s.options = options;
    s.rows = FEW;
    s.values.z = (sf_mat){s.z, FEW, 2, 2};
    s.values.logpdf = (sf_mat){s.logpdf, FEW, 1, 1};
    if (bench_wanted(&args, "logpdf_d16_k2"))
        bench_print("logpdf_d16_k2", "rows_per_s",
                    bench_windows(&args, infer, &s), FEW, 0.0);
    if (bench_wanted(&args, "draw_d16_k2"))
        bench_print("draw_d16_k2", "draws_per_s",
                    bench_windows(&args, draw, &s), DRAWN * 400.0, 0.0);
    free(s.z);
    free(s.x);
    sf_decoder_free(s.decoder);
    sf_context_free(s.ctx);
    return 0;
}
