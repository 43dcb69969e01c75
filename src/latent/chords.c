/* SPDX-License-Identifier: Apache-2.0 */
/* chords.c - the residual of a chord as an expression of both of its ends a and b:
 *
 *     r = L^-1 (f(b) - f(a))                                constant noise
 *     r = (e^-(l(a) + l(b))/2 (f(b) - f(a)), sqrt(2) (l(b) - l(a)))   varying
 *
 * with |r|^2 the squared length. */
#include "latent/chords.h"

#include <math.h>

typedef struct end {
    sf_node f, log_sigma;
} end;

static sf_status make_end(const sf_decoder *d, sf_graph *g, sf_node both,
                          int64_t first, end *out)
{
    const sf_node z = sf_slice(g, both, 0, first, d->latent, 1);
    SFI_TRY(sfi_decoder_mean(d, g, z, &out->f));
    return d->noise == SF_DECODER_VARYING
               ? sfi_decoder_log_sigma(d, g, z, &out->log_sigma)
               : SF_OK;
}

static sf_status residual(const sf_decoder *d, sf_graph *g, sf_node both,
                          sf_node *out)
{
    end a = {0}, b = {0};
    sf_node l = {0};
    const bool varies = d->noise == SF_DECODER_VARYING;
    SFI_TRY(make_end(d, g, both, 0, &a));
    SFI_TRY(make_end(d, g, both, d->latent, &b));
    if (varies)
        l = sf_mul(g, sf_const(g, 0.5), sf_add(g, a.log_sigma, b.log_sigma));
    *out = sfi_decoder_whiten(d, g, l, sf_sub(g, b.f, a.f));
    if (varies) {
        const sf_node parts[] = {*out,
                                 sf_mul(g, sf_const(g, sqrt(2.0)),
                                        sf_sub(g, b.log_sigma, a.log_sigma))};
        *out = sf_concat(g, 2, parts, 0);
    }
    return sf_graph_status(g);
}

static sf_status compile(sfi_chords *c, const sf_decoder *d, sf_graph *g,
                         sf_graph *h)
{
    sf_node r, f;
    const int64_t two = 2 * d->latent;
    const sf_node both = sf_input(g, "ends", 1, &two);
    const sf_node z = sf_input(h, "z", 1, &d->latent);
    SFI_TRY(residual(d, g, both, &r));
    SFI_TRY(sfi_decoder_mean(d, h, z, &f));
    const sf_node square = sf_dot(g, r, r), j = sf_jacobian(g, r, both);
    const sf_node across = sf_transpose(g, j);
    const sf_output terms[] = {
        {square, SF_EACH},
        {sf_matmul(g, across, r), SF_EACH},
        {sf_matmul(g, across, j), SF_EACH},
        {sf_hessian(g, sf_mul(g, sf_const(g, 0.5), square), both), SF_EACH}};
    SFI_TRY(sf_program_new(c->ctx, &c->square, g, SF_F64, 1, terms));
    SFI_TRY(sf_program_new(c->ctx, &c->terms, g, SF_F64, 4, terms));
    return sf_program_new(c->ctx, &c->image, h, SF_F64, 1,
                          (sf_output[]){{f, SF_EACH}});
}

sf_status sfi_chords_make(sf_context *ctx, sfi_chords *c, const sf_decoder *d)
{
    sf_graph *g = NULL, *h = NULL;
    *c = (sfi_chords){.ctx = ctx, .latent = d->latent};
    sf_status status = sf_graph_new(ctx, &g);
    if (status == SF_OK)
        status = sf_graph_new(ctx, &h);
    if (status == SF_OK)
        status = compile(c, d, g, h);
    sf_graph_free(h);
    sf_graph_free(g);
    return status;
}

void sfi_chords_free(sfi_chords *c)
{
    sf_program_free(c->image);
    sf_program_free(c->terms);
    sf_program_free(c->square);
}

/* ---- running ----------------------------------------------------------------- */

static sf_source rows_of(const double *data, int64_t stride)
{
    return (sf_source){.data = data, .dtype = SF_F64, .stride = stride};
}

sf_status sfi_chords_square(sfi_chords *c, int64_t count, const double *points,
                            int64_t stride, double *square)
{
    const sf_source source = rows_of(points, stride);
    const sf_sink sink = {square, SF_F64, 1};
    return sf_program_run(c->square, count, &source, NULL, &sink);
}

sf_status sfi_chords_terms(sfi_chords *c, int64_t count, const double *chain,
                           double *square, double *gradient, double *gauss,
                           double *hessian)
{
    const int64_t two = 2 * c->latent;
    const sf_source source = rows_of(chain, c->latent);
    const sf_sink sinks[] = {{square, SF_F64, 1},
                             {gradient, SF_F64, two},
                             {gauss, SF_F64, two * two},
                             {hessian, SF_F64, two * two}};
    return sf_program_run(c->terms, count, &source, NULL, sinks);
}

sf_status sfi_chords_image(sfi_chords *c, int64_t count, const double *points,
                           double *x, int64_t stride)
{
    const sf_source source = rows_of(points, c->latent);
    const sf_sink sink = {x, SF_F64, stride};
    return sf_program_run(c->image, count, &source, NULL, &sink);
}
