/* SPDX-License-Identifier: Apache-2.0 */
/* code.c - models with latent variables: their codes, what codes decode to, and draws.
 *
 *     z ~ N(0, I),   y = f(z) + noise,   x = mean + scale y
 *
 * Each is one program over the rows, from x to the code or back; a draw is the decoder
 * of random numbers that belong to the seed and the number of the row. */
#include "model/model.h"

#include "base/random.h"
#include "model/codes.h"
#include "num/linalg.h"

/* A graph that is being made, with one node for each weight, and its program. */
struct sfi_code_program {
    const sf_model *m;
    sf_graph *g;
    sf_node *weights;
    const void **params;
    sf_program *program;
};

typedef struct sfi_code_program coder;

static sf_status open_coder(coder *c, const sf_model *m)
{
    *c = (coder){.m = m};
    SFI_TRY(sf_graph_new(m->ctx, &c->g));
    c->weights = sfi_alloc(m->ctx, m->layout_count, sizeof *c->weights);
    c->params = sfi_alloc(m->ctx, m->layout_count, sizeof *c->params);
    if (c->weights == NULL || c->params == NULL)
        return SF_E_NOMEM;
    for (size_t k = 0; k < m->layout_count; k++)
        c->params[k] = m->weights + m->layout[k].offset;
    return SF_OK;
}

static void close_coder(coder *c)
{
    sf_program_free(c->program);
    sfi_free(c->m->ctx, c->params, c->m->layout_count, sizeof *c->params);
    sfi_free(c->m->ctx, c->weights, c->m->layout_count, sizeof *c->weights);
    sf_graph_free(c->g);
}

static sf_status compile(coder *c, int count, const sf_output *outputs)
{
    SFI_TRY(sf_graph_status(c->g));
    return sf_program_new(c->m->ctx, &c->program, c->g, SF_F64, count, outputs);
}

static sf_status run(coder *c, sf_node out, int64_t rows,
                     const sf_source *sources, sf_mat to)
{
    const sf_output output = {out, SF_EACH};
    const sf_sink sink = {to.data, SF_F64, to.stride};
    SFI_TRY(compile(c, 1, &output));
    return sf_program_run(c->program, rows, sources, c->params, &sink);
}

/* Of codes, or of decoders, of which some have no codes. */
static sf_status check_rows(const sf_model *m, bool decodes, sf_cmat from,
                            int64_t columns, sf_mat to, int64_t wanted,
                            const char *what)
{
    if (!decodes || m->ops->decode == NULL)
        SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_CODE, what));
    SFI_TRY(sfi_check_table(m->ctx, from, true, what));
    if (from.cols != columns || to.rows != from.rows || to.cols != wanted ||
        to.stride < to.cols)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "%s: rows are [%lld, %lld] and the result [%lld, "
                        "%lld], want %lld and %lld columns",
                        what, (long long)from.rows, (long long)from.cols,
                        (long long)to.rows, (long long)to.cols,
                        (long long)columns, (long long)wanted);
    return SF_OK;
}

/* ---- codes ---------------------------------------------------------------------- */

int64_t sf_model_latents(const sf_model *m)
{
    bool missing = false;
    if (m->ops->code == NULL)
        return 0;
    if (m->ops->invertible) /* whatever numbers its file has besides */
        return m->dim;
    const double latent = sfi_model_number(m, "latent", &missing);
    return missing ? m->dim : (int64_t)latent;
}

/* The code of an input in the data's units, and *y, which it goes through. */
static sf_status code_node(coder *c, sf_node *y, sf_node *z)
{
    const sf_model *m = c->m;
    sf_graph *g = c->g;
    const sf_node row = sf_input(g, "x", 1, &m->dim);
    const sf_node mean = sf_const_array(g, 1, &m->dim, m->mean);
    const sf_node scale = sf_const_array(g, 1, &m->dim, m->scale);
    SFI_TRY(sfi_weight_nodes(m, g, c->weights));
    *y = sf_div(g, sf_sub(g, row, mean), scale);
    *z = m->ops->code(m, g, *y, c->weights);
    return sf_graph_status(g);
}

static sf_source rows_of(sf_cmat x)
{
    return (sf_source){
        .kind = SF_ROWS, .data = x.data, .dtype = SF_F64, .stride = x.stride};
}

static sf_status encode(coder *c, sf_cmat x, sf_mat to)
{
    sf_node y, z;
    const sf_source source = rows_of(x);
    SFI_TRY(code_node(c, &y, &z));
    return run(c, z, x.rows, &source, to);
}

sf_status sf_model_code(const sf_model *m, sf_cmat x, sf_mat z)
{
    coder c;
    SFI_TRY(check_rows(m, false, x, m->dim, z, sf_model_latents(m), "code"));
    sf_status status = open_coder(&c, m);
    if (status == SF_OK)
        status = encode(&c, x, z);
    close_coder(&c);
    return status;
}

/* ---- codes and their derivatives ------------------------------------------------------ */

static sf_status compile_derivatives(coder *c)
{
    const int64_t d = c->m->dim, cells = d * d;
    sf_node y, z;
    SFI_TRY(open_coder(c, c->m));
    SFI_TRY(code_node(c, &y, &z));
    const sf_output outputs[] = {
        {z, SF_EACH},
        {sf_reshape(c->g, sf_jacobian(c->g, z, y), 1, &cells), SF_EACH}};
    return compile(c, 2, outputs);
}

sf_status sfi_code_program_new(const sf_model *m, sfi_code_program **out)
{
    *out = NULL;
    coder *c = sfi_alloc_zero(m->ctx, 1, sizeof *c);
    if (c == NULL)
        return SF_E_NOMEM;
    c->m = m;
    const sf_status status = compile_derivatives(c);
    if (status != SF_OK) {
        sfi_code_program_free(c);
        return status;
    }
    *out = c;
    return SF_OK;
}

void sfi_code_program_free(sfi_code_program *c)
{
    if (c == NULL)
        return;
    sf_context *ctx = c->m->ctx;
    close_coder(c);
    sfi_free(ctx, c, 1, sizeof *c);
}

sf_status sfi_code_program_run(sfi_code_program *c, sf_cmat x, double *z,
                               double *jacobian)
{
    const int64_t d = c->m->dim;
    const sf_source source = rows_of(x);
    const sf_sink sinks[] = {{z, SF_F64, d}, {jacobian, SF_F64, d * d}};
    return sf_program_run(c->program, x.rows, &source, c->params, sinks);
}

/* ---- back ----------------------------------------------------------------------- */

/* From sources of z and, if there is one, of the noise. */
static sf_status decode(coder *c, int64_t rows, const sf_source *sources,
                        bool noisy, sf_mat x)
{
    const sf_model *m = c->m;
    sf_graph *g = c->g;
    const int64_t latents = sf_model_latents(m);
    const sf_node z = sf_input(g, "z", 1, &latents);
    const sf_node noise =
        noisy ? sf_input(g, "noise", 1, &m->dim) : (sf_node){-1};
    const sf_node mean = sf_const_array(g, 1, &m->dim, m->mean);
    const sf_node scale = sf_const_array(g, 1, &m->dim, m->scale);
    sf_node y = {-1};
    SFI_TRY(sfi_weight_nodes(m, g, c->weights));
    SFI_TRY(m->ops->decode(m, g, z, noise, c->weights, &y));
    return run(c, sf_add(g, mean, sf_mul(g, scale, y)), rows, sources, x);
}

sf_status sf_model_decode(const sf_model *m, sf_cmat z, sf_mat x)
{
    coder c;
    SFI_TRY(check_rows(m, true, z, sf_model_latents(m), x, m->dim, "decode"));
    const sf_source source = rows_of(z);
    sf_status status = open_coder(&c, m);
    if (status == SF_OK)
        status = decode(&c, z.rows, &source, false, x);
    close_coder(&c);
    return status;
}

static sf_status draw(const sf_model *m, sf_source z, uint64_t seed,
                      int64_t first, bool noisy, sf_mat x)
{
    coder c;
    const sf_source sources[] = {z,
                                 {.kind = SF_NORMAL,
                                  .seed = seed,
                                  .stream = SFI_STREAM_NOISE,
                                  .first_point = (uint64_t)first}};
    sf_status status = open_coder(&c, m);
    if (status == SF_OK)
        status = decode(&c, x.rows, sources, noisy, x);
    close_coder(&c);
    return status;
}

sf_status sfi_draw_decoded(const sf_model *m, uint64_t seed, int64_t first,
                           bool noisy, sf_mat x)
{
    const sf_source z = {.kind = SF_NORMAL,
                         .seed = seed,
                         .stream = SFI_STREAM_PRIOR,
                         .first_point = (uint64_t)first};
    return draw(m, z, seed, first, noisy, x);
}

sf_status sfi_draw_fitted(const sf_model *m, uint64_t seed, int64_t first,
                          bool noisy, sf_mat x)
{
    const int64_t latents = sf_model_latents(m);
    const size_t count = (size_t)(x.rows * latents);
    double *z = sfi_alloc(m->ctx, count, sizeof *z);
    if (z == NULL)
        return SF_E_NOMEM;
    const sf_mat codes = {z, x.rows, latents, latents};
    sfi_codes_draw(m, seed, first, codes);
    const sf_status status =
        draw(m, rows_of(sf_mat_const(codes)), seed, first, noisy, x);
    sfi_free(m->ctx, z, count, sizeof *z);
    return status;
}
