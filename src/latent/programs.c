/* SPDX-License-Identifier: Apache-2.0 */
/* programs.c - the objective of a row as expressions, and what is asked of it.
 *
 *     O(z) = ln p(x|z) [- z'z/2 - (K/2) ln 2 pi],     F = -O
 *
 * Gradient and Gauss-Newton matrix are made of J, which carries K directions forward:
 * no second pass goes back.  Hessians are the graph's own. */
#include "latent/programs.h"

#include <float.h>
#include <math.h>

/* The objective and its first derivatives, beside those of the decoder. */
typedef struct objective {
    sfi_decoder_nodes n;
    sf_node value;  /* O */
    sf_node score;  /* grad O [K] */
    sf_node matrix; /* I(z) + Lambda [K, K] */
    sf_node length; /* sqrt(e'e + z' Lambda z) */
} objective;

static sf_status expand(const sf_decoder *d, sf_graph *g, sf_latent_prior prior,
                        objective *o)
{
    SFI_TRY(sfi_decoder_expand(d, g, &o->n));
    const sf_node zz = sf_dot(g, o->n.z, o->n.z);
    sf_node square = sf_dot(g, o->n.error, o->n.error);
    o->value = o->n.loglik;
    o->score = o->n.score;
    o->matrix = o->n.metric;
    if (prior == SF_LATENT_NORMAL) {
        const double norm =
            -0.5 * (double)d->latent * log(2.0 * 3.14159265358979323846);
        o->value = sf_add(
            g, o->value,
            sf_add(g, sf_const(g, norm), sf_mul(g, sf_const(g, -0.5), zz)));
        o->score = sf_sub(g, o->score, o->n.z);
        o->matrix = sf_add(g, o->matrix, sf_eye(g, d->latent));
        square = sf_add(g, square, zz);
    }
    o->length = sf_sqrt(g, square);
    return sf_graph_status(g);
}

/* The certificate is in doubt by 8 u (|L^-1 x| + |L^-1 f|)/(1 + |e|), u = eps/2: a
 * large x and a small sigma leave that of the rounding of x - f alone. */
static sf_node rounding(const sf_decoder *d, sf_graph *g, const objective *o)
{
    const sf_node x = sfi_decoder_whiten(d, g, o->n.log_sigma, o->n.x);
    const sf_node f = sfi_decoder_whiten(d, g, o->n.log_sigma, o->n.f);
    const sf_node lengths =
        sf_add(g, sf_sqrt(g, sf_dot(g, x, x)), sf_sqrt(g, sf_dot(g, f, f)));
    return sf_div(g, sf_mul(g, sf_const(g, 4.0 * DBL_EPSILON), lengths),
                  sf_add(g, sf_const(g, 1.0), o->length));
}

static sf_node head(const sf_decoder *d, sf_graph *g, const objective *o)
{
    const sf_node parts[] = {sf_neg(g, o->value), o->length, rounding(d, g, o)};
    sf_node rows[SFI_LEVENBERG_HEAD];
    for (int i = 0; i < SFI_LEVENBERG_HEAD; i++)
        rows[i] = sf_reshape(g, parts[i], 1, (int64_t[]){1});
    return sf_concat(g, SFI_LEVENBERG_HEAD, rows, 0);
}

/* The guess of an encoder, of a graph of its own: it has no z. */
static sf_status compile_code(sfi_latent_programs *p, const sf_decoder *d)
{
    sf_graph *g = NULL;
    sf_node z;
    if (d->code == NULL)
        return SF_OK;
    SFI_TRY(sf_graph_new(p->ctx, &g));
    sf_status status = d->code(d, g, sf_input(g, "x", 1, &d->dim), &z);
    const sf_output output[] = {{z, SF_EACH}};
    if (status == SF_OK)
        status = sf_program_new(p->ctx, &p->code, g, SF_F64, 1, output);
    sf_graph_free(g);
    return status;
}

static sf_status compile_extras(sfi_latent_programs *p, sf_graph *g,
                                unsigned extras, const objective *o)
{
    const sf_output slope[] = {{o->value, SF_EACH}, {o->score, SF_EACH}};
    if ((extras & SFI_LATENT_SLOPE) != 0)
        SFI_TRY(sf_program_new(p->ctx, &p->slope, g, SF_F64, 2, slope));
    if ((extras & SFI_LATENT_PULL) != 0) {
        sf_node by_x;
        sf_gradients(g, o->n.loglik, 1, &o->n.x, &by_x);
        const sf_output pull[] = {{by_x, SF_EACH}};
        SFI_TRY(sf_program_new(p->ctx, &p->pull, g, SF_F64, 1, pull));
    }
    if ((extras & SFI_LATENT_CURVATURE) == 0)
        return SF_OK;
    const sf_output curvature[] = {
        {sfi_gaussian_curvature(g, o->n.metric, o->n.z), SF_EACH}};
    return sf_program_new(p->ctx, &p->curvature, g, SF_F64, 1, curvature);
}

static sf_status compile(sfi_latent_programs *p, const sf_decoder *d,
                         unsigned extras, sf_graph *g)
{
    objective o;
    SFI_TRY(expand(d, g, p->prior, &o));
    const sf_node hessian = sf_hessian(g, o.value, o.n.z);
    const sf_output terms[] = {{head(d, g, &o), SF_EACH},
                               {sf_neg(g, o.score), SF_EACH},
                               {o.matrix, SF_EACH}};
    const sf_output second[] = {{sf_neg(g, hessian), SF_EACH}};
    const sf_output value[] = {{o.value, SF_EACH}};
    const sf_output geometry[] = {
        {o.n.f, SF_EACH},        {o.n.error, SF_EACH},
        {o.n.jacobian, SF_EACH}, {o.n.whitened, SF_EACH},
        {o.n.loglik, SF_EACH},   {o.n.tangential, SF_EACH},
        {o.score, SF_EACH},      {o.n.metric, SF_EACH},
        {hessian, SF_EACH},      {p->varies ? o.n.slopes : o.n.f, SF_EACH}};
    SFI_TRY(sf_program_new(p->ctx, &p->terms, g, SF_F64, 3, terms));
    SFI_TRY(sf_program_new(p->ctx, &p->hessian, g, SF_F64, 1, second));
    SFI_TRY(sf_program_new(p->ctx, &p->value, g, SF_F64, 1, value));
    SFI_TRY(sf_program_new(p->ctx, &p->geometry, g, SF_F64, p->varies ? 10 : 9,
                           geometry));
    return compile_extras(p, g, extras, &o);
}

sf_status sfi_latent_programs_make(sf_context *ctx, sfi_latent_programs *p,
                                   const sf_decoder *d, sf_latent_prior prior,
                                   unsigned extras)
{
    sf_graph *g = NULL;
    *p = (sfi_latent_programs){.ctx = ctx,
                               .latent = d->latent,
                               .dim = d->dim,
                               .varies = d->noise == SF_DECODER_VARYING,
                               .prior = prior};
    SFI_TRY(sf_graph_new(ctx, &g));
    const sf_status status = compile(p, d, extras, g);
    sf_graph_free(g);
    return status == SF_OK ? compile_code(p, d) : status;
}

void sfi_latent_programs_free(sfi_latent_programs *p)
{
    sf_program_free(p->pull);
    sf_program_free(p->code);
    sf_program_free(p->slope);
    sf_program_free(p->curvature);
    sf_program_free(p->geometry);
    sf_program_free(p->value);
    sf_program_free(p->hessian);
    sf_program_free(p->terms);
}

/* ---- running ----------------------------------------------------------------- */

static sf_sink each(double *to, int64_t stride)
{
    return (sf_sink){to, SF_F64, stride};
}

static sf_status run(const sfi_latent_programs *p, sf_program *program,
                     int64_t count, const int64_t *row, const double *z,
                     const sf_sink *sinks)
{
    const sf_source sources[] = {
        {.data = z, .dtype = SF_F64, .stride = p->latent},
        {.data = p->x.data,
         .dtype = SF_F64,
         .stride = p->x.stride,
         .rows = row}};
    return sf_program_run(program, count, sources, NULL, sinks);
}

static sf_status terms_at(sf_context *ctx, void *user, int64_t count,
                          const int64_t *row, const double *z, double *head_at,
                          double *gradient, double *matrix)
{
    const sfi_latent_programs *p = user;
    const sf_sink sinks[] = {each(head_at, SFI_LEVENBERG_HEAD),
                             each(gradient, p->latent),
                             each(matrix, p->latent * p->latent)};
    (void)ctx;
    return run(p, p->terms, count, row, z, sinks);
}

static sf_status hessian_at(sf_context *ctx, void *user, int64_t count,
                            const int64_t *row, const double *z,
                            double *hessian)
{
    const sfi_latent_programs *p = user;
    const sf_sink sinks[] = {each(hessian, p->latent * p->latent)};
    (void)ctx;
    return run(p, p->hessian, count, row, z, sinks);
}

sfi_levenberg_problem sfi_latent_problem(sfi_latent_programs *p)
{
    return (sfi_levenberg_problem){p->latent, p, terms_at, hessian_at};
}

sf_status sfi_latent_values_at(sfi_latent_programs *p, int64_t count,
                               const int64_t *row, const double *z,
                               double *value)
{
    const sf_sink sinks[] = {each(value, 1)};
    return run(p, p->value, count, row, z, sinks);
}

sf_status sfi_latent_slope_at(sfi_latent_programs *p, int64_t count,
                              const int64_t *row, const double *z,
                              double *value, double *gradient)
{
    const sf_sink sinks[] = {each(value, 1), each(gradient, p->latent)};
    return run(p, p->slope, count, row, z, sinks);
}

sf_status sfi_latent_pull_at(sfi_latent_programs *p, int64_t count,
                             const int64_t *row, const double *z, double *pull,
                             int64_t stride)
{
    const sf_sink sinks[] = {each(pull, stride)};
    return run(p, p->pull, count, row, z, sinks);
}

sf_status sfi_latent_guess(sfi_latent_programs *p, int64_t first, int64_t count,
                           double *z)
{
    const sf_source source = {.data = p->x.data + first * p->x.stride,
                              .dtype = SF_F64,
                              .stride = p->x.stride};
    const sf_sink sink = each(z, p->latent);
    return sf_program_run(p->code, count, &source, NULL, &sink);
}

sf_status sfi_latent_parts_at(sfi_latent_programs *p, int64_t count,
                              const int64_t *row, const double *z,
                              const sfi_latent_parts *out)
{
    const int64_t k = p->latent, d = p->dim;
    const sf_sink sinks[] = {each(out->f, d),
                             each(out->error, d),
                             each(out->jacobian, d * k),
                             each(out->whitened, d * k),
                             each(out->loglik, 1),
                             each(out->tangential, k),
                             each(out->score, k),
                             each(out->metric, k * k),
                             each(out->hessian, k * k),
                             each(out->slopes, d * k)};
    return run(p, p->geometry, count, row, z, sinks);
}

sf_status sfi_latent_curvature_at(sfi_latent_programs *p, int64_t count,
                                  const double *z, double *curvature,
                                  int64_t stride)
{
    const sf_sink sinks[] = {each(curvature, stride)};
    return run(p, p->curvature, count, NULL, z, sinks);
}
