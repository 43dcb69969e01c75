/* SPDX-License-Identifier: Apache-2.0 */
/* autoencoder.c - variational autoencoders: columns made of latent variables by a network,
 *
 *     y = f(z) + s n,            z ~ N(0, I_K),  n ~ N(0, I_d),
 *     q(z | y) = N(m(y), diag s(y)^2),   the encoder's guess of the posterior.
 *
 * Both networks are a linear map plus a residual perceptron, so that the model contains
 * principal components, where it begins.  ln p(y) is an integral over z, which is done
 * where latent points are inferred; here are the expressions.  The noise s is learned, of
 * all columns or of each, and not below noise_floor in the standardised columns: on a
 * table with repeated values ln p would grow without bound as it falls. */
#include "model/autoencoder.h"

#include "base/random.h"
#include "model/network.h"

#include <math.h>
#include <string.h>

enum { MAX_LAYERS = 64, MAX_WIDTH = 1 << 14 };

static const double noise_floor = SFI_AUTOENCODER_FLOOR;
static const double log_two_pi = 1.8378770664093453;

/* Weights in order: for each network its linear map and its perceptron, of which without
 * layers the last bias is left; then the noise. */
typedef struct vae_parts {
    int64_t latent, layers;
    int64_t each; /* weights of a network */
    bool encodes;
} vae_parts;

bool sfi_autoencoder_encodes(const sf_model *m)
{
    bool missing = false; /* of older files, which have one */
    return sfi_model_number(m, "encoder", &missing) != 0.0 || missing;
}

static vae_parts parts_of(const sf_model *m)
{
    const int64_t layers = (int64_t)sfi_number_of(m, "layers");
    return (vae_parts){(int64_t)sfi_number_of(m, "latent"), layers,
                       layers > 0 ? 2 * layers + 3 : 2,
                       sfi_autoencoder_encodes(m)};
}

static int64_t encoder_of(const vae_parts *p)
{
    return p->each;
}

static int64_t noise_of(const vae_parts *p)
{
    return p->encodes ? 2 * p->each : p->each;
}

/* ---- weights ------------------------------------------------------------------- */

static sf_status declare_network(sf_model *m, const char *network,
                                 int64_t layers, const int64_t *linear,
                                 int64_t inputs, int64_t outputs)
{
    const bool decodes = strcmp(network, "decoder.") == 0;
    SFI_TRY(sfi_add_weight(m, decodes ? "decoder.linear" : "encoder.linear", 2,
                           linear));
    if (layers > 0)
        return sfi_perceptron_declare(m, network, inputs, outputs);
    return sfi_add_weight(
        m, decodes ? "decoder.output.bias" : "encoder.output.bias", 1,
        &outputs);
}

/* A number of 0 or 1 that older files do not have. */
static sf_status check_optional(sf_model *m, const char *key)
{
    bool missing = false;
    int64_t value;
    (void)sfi_model_number(m, key, &missing);
    return missing ? SF_OK : sfi_whole_number(m, key, 0, 1, &value);
}

sf_status sfi_autoencoder_declare(sf_model *m, int64_t outputs)
{
    int64_t latent, width, layers, diagonal, one_scale;
    const int64_t most = m->dim - 1 < SFI_AUTOENCODER_LATENT
                             ? m->dim - 1
                             : SFI_AUTOENCODER_LATENT;
    SFI_TRY(sfi_whole_number(m, "latent", 1, most, &latent));
    SFI_TRY(sfi_whole_number(m, "width", 1, MAX_WIDTH, &width));
    SFI_TRY(sfi_whole_number(m, "layers", 0, MAX_LAYERS, &layers));
    SFI_TRY(sfi_whole_number(m, "diagonal", 0, 1, &diagonal));
    SFI_TRY(sfi_whole_number(m, "one_scale", 0, 1, &one_scale));
    SFI_TRY(check_optional(m, "encoder"));
    m->weight_dtype = SF_F32;
    const int64_t decoder[] = {m->dim, latent}, encoder[] = {latent, m->dim};
    const int64_t noise = diagonal ? m->dim : 1;
    SFI_TRY(declare_network(m, "decoder.", layers, decoder, latent, m->dim));
    if (sfi_autoencoder_encodes(m))
        SFI_TRY(declare_network(m, "encoder.", layers, encoder, m->dim,
                                outputs * latent));
    SFI_TRY(sfi_add_weight(m, "noise.log_sd", 1, &noise));
    return sfi_codes_declare(m, latent, !sfi_autoencoder_encodes(m));
}

static double *values_of(const sf_model *m, int64_t weight)
{
    return m->weights + m->layout[weight].offset;
}

sf_status sfi_autoencoder_check(const sf_model *m)
{
    const vae_parts p = parts_of(m);
    const sfi_weight *w = &m->layout[noise_of(&p)];
    const double *log_sd = values_of(m, noise_of(&p));
    for (int64_t j = 0; j < w->count; j++)
        if (!(fabs(log_sd[j]) <= 40.0))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "%s: element %lld of \"noise.log_sd\" is %g, "
                            "want -40 to 40",
                            m->ops->family, (long long)j, log_sd[j]);
    return sfi_codes_check(m);
}

/* ---- networks ---------------------------------------------------------------------- */

/* The perceptron of a network, or without layers its bias, at u. */
static sf_node bent(const sf_model *m, sf_graph *g, const vae_parts *p,
                    sf_node u, const sf_node *w)
{
    return p->layers > 0 ? sfi_perceptron(m, g, u, (sf_node){-1}, w) : w[0];
}

sf_node sfi_autoencoder_decoded(const sf_model *m, sf_graph *g, sf_node z,
                                const sf_node *weights)
{
    const vae_parts p = parts_of(m);
    return sf_add(g, sf_matmul(g, weights[0], z),
                  bent(m, g, &p, z, weights + 1));
}

sf_node sfi_autoencoder_mean(const sf_model *m, sf_graph *g, sf_node y,
                             const sf_node *weights)
{
    const vae_parts p = parts_of(m);
    const sf_node *w = weights + encoder_of(&p);
    return sf_add(g, sf_matmul(g, w[0], y),
                  sf_slice(g, bent(m, g, &p, y, w + 1), 0, 0, p.latent, 1));
}

void sfi_autoencoder_encode(const sf_model *m, sf_graph *g, sf_node y,
                            const sf_node *weights, sf_node *mean,
                            sf_node *log_sd)
{
    const vae_parts p = parts_of(m);
    const sf_node *w = weights + encoder_of(&p);
    const sf_node both = bent(m, g, &p, y, w + 1);
    *mean =
        sf_add(g, sf_matmul(g, w[0], y), sf_slice(g, both, 0, 0, p.latent, 1));
    *log_sd = sf_slice(g, both, 0, p.latent, p.latent, 1);
}

/* ln s of the noise [1] or [d]. */
sf_node sfi_autoencoder_noise(const sf_model *m, sf_graph *g,
                              const sf_node *weights)
{
    const vae_parts p = parts_of(m);
    return sf_max(g, weights[noise_of(&p)], sf_const(g, log(noise_floor)));
}

/* ---- the bound ----------------------------------------------------------------------- */

/* KL(N(mean, diag sd^2) || N(0, I)). */
static sf_node divergence_of(sf_graph *g, sf_node mean, sf_node log_sd,
                             int64_t latent)
{
    const sf_node two = sf_const(g, 2.0);
    const sf_node variance = sf_exp(g, sf_mul(g, two, log_sd));
    const sf_node sum = sf_sub(g, sf_add(g, sf_square(g, mean), variance),
                               sf_mul(g, two, log_sd));
    return sf_mul(g, sf_const(g, 0.5),
                  sf_sub(g, sf_sum_all(g, sum), sf_const(g, (double)latent)));
}

sf_node sfi_autoencoder_loss_at(const sf_model *m, sf_graph *g, sf_node y,
                                sf_node z, sf_node divergence,
                                const sf_node *weights)
{
    const vae_parts p = parts_of(m);
    const double d = (double)m->dim;
    const sf_node log_noise = sfi_autoencoder_noise(m, g, weights);
    const sf_node error =
        sf_mul(g, sf_exp(g, sf_neg(g, log_noise)),
               sf_sub(g, y, sfi_autoencoder_decoded(m, g, z, weights)));
    const double copies = (double)m->layout[noise_of(&p)].count;
    const sf_node log_det =
        sf_mul(g, sf_const(g, d / copies), sf_sum_all(g, log_noise));
    const sf_node half =
        sf_mul(g, sf_const(g, 0.5),
               sf_add(g, sf_dot(g, error, error), sf_const(g, d * log_two_pi)));
    return sf_add(g, sf_add(g, half, log_det), divergence);
}

sf_node sfi_autoencoder_loss(const sf_model *m, sf_graph *g, sf_node y,
                             sf_node n, sf_node share, const sf_node *weights)
{
    sf_node mean, log_sd;
    sfi_autoencoder_encode(m, g, y, weights, &mean, &log_sd);
    const sf_node z = sf_add(g, mean, sf_mul(g, sf_exp(g, log_sd), n));
    const sf_node kl = divergence_of(g, mean, log_sd, parts_of(m).latent);
    return sfi_autoencoder_loss_at(m, g, y, z, sf_mul(g, share, kl), weights);
}

/* ---- what the encoder says of rows ------------------------------------------------------ */

static sf_status build_encoder(const sf_model *m, sf_graph *g, sf_node *w,
                               sf_program **out)
{
    sf_node mean, log_sd;
    const sf_node y = sf_input(g, "y", 1, &m->dim);
    sfi_weight_constants(m, g, w);
    sfi_autoencoder_encode(m, g, y, w, &mean, &log_sd);
    const sf_output outputs[] = {{mean, SF_EACH}, {sf_exp(g, log_sd), SF_EACH}};
    SFI_TRY(sf_graph_status(g));
    return sf_program_new(m->ctx, out, g, SF_F64, 2, outputs);
}

sf_status sfi_autoencoder_codes(const sf_model *m, sf_cmat y, double *mean,
                                double *sd)
{
    const int64_t latent = parts_of(m).latent;
    sf_graph *g = NULL;
    sf_program *program = NULL;
    SFI_TRY(sf_graph_new(m->ctx, &g));
    sf_node *w = sfi_alloc(m->ctx, m->layout_count, sizeof *w);
    sf_status status =
        w != NULL ? build_encoder(m, g, w, &program) : SF_E_NOMEM;
    sfi_free(m->ctx, w, m->layout_count, sizeof *w);
    sf_graph_free(g);
    const sf_source source = {
        .data = y.data, .dtype = SF_F64, .stride = y.stride};
    const sf_sink sinks[] = {{mean, SF_F64, latent}, {sd, SF_F64, latent}};
    if (status == SF_OK)
        status = sf_program_run(program, y.rows, &source, NULL, sinks);
    sf_program_free(program);
    return status;
}

/* ---- the family ------------------------------------------------------------------------ */

static sf_status vae_declare(sf_model *m)
{
    return sfi_autoencoder_declare(m, 2);
}

sf_status sfi_autoencoder_decode(const sf_model *m, sf_graph *g, sf_node z,
                                 sf_node noise, const sf_node *weights,
                                 sf_node *out)
{
    *out = sfi_autoencoder_decoded(m, g, z, weights);
    if (noise.id >= 0)
        *out = sf_add(
            g, *out,
            sf_mul(g, sf_exp(g, sfi_autoencoder_noise(m, g, weights)), noise));
    return sf_graph_status(g);
}

void sfi_autoencoder_spread(const sf_model *m, double *sd)
{
    const vae_parts p = parts_of(m);
    const double *log_sd = values_of(m, noise_of(&p));
    const bool each = m->layout[noise_of(&p)].count > 1;
    for (int64_t j = 0; j < m->dim; j++)
        sd[j] = fmax(exp(log_sd[each ? j : 0]), noise_floor);
}

const sfi_model_ops sfi_vae_ops = {.family = "vae",
                                   .noiseless = true,
                                   .inferred = true,
                                   .trained = true,
                                   .no_kernels = true,
                                   .declare = vae_declare,
                                   .code = sfi_autoencoder_mean,
                                   .decode = sfi_autoencoder_decode,
                                   .spread = sfi_autoencoder_spread,
                                   .check = sfi_autoencoder_check};

/* ---- making ------------------------------------------------------------------------------ */

int sfi_autoencoder_numbers(sfi_number *out, const sfi_autoencoder_shape *shape)
{
    const sfi_number numbers[] = {
        {"latent", (double)shape->latent}, {"width", (double)shape->width},
        {"layers", (double)shape->layers}, {"diagonal", shape->diagonal},
        {"one_scale", shape->one_scale},   {"encoder", !shape->no_encoder},
        {"codes", (double)shape->codes}};
    memcpy(out, numbers, sizeof numbers);
    return (int)SFI_COUNT(numbers);
}

/* Inner layers have the spread 1/sqrt(inputs); all else is 0. */
static void draw_inner(sf_model *m, uint64_t seed)
{
    for (size_t k = 0; k < m->layout_count; k++) {
        const sfi_weight *w = &m->layout[k];
        const bool inner = strstr(w->name, ".input.weight") != NULL ||
                           strstr(w->name, ".hidden.") != NULL;
        const double spread =
            inner && w->rank == 2 ? 1.0 / sqrt((double)w->shape[1]) : 0.0;
        for (int64_t i = 0; i < w->count; i++) {
            const sfi_where where = {seed, (uint64_t)i, (uint32_t)k,
                                     SFI_STREAM_WEIGHTS};
            m->weights[w->offset + i] =
                spread > 0.0 ? (float)(spread * sfi_normal_at(where, 0)) : 0.0;
        }
    }
}

/* The posterior of principal components. */
static void begin_encoder(sf_model *m, const vae_parts *p, const double *middle,
                          const double *loadings, double sd)
{
    const int64_t d = m->dim, latent = p->latent;
    double *encoder = values_of(m, encoder_of(p));
    double *bias = values_of(m, 2 * p->each - 1);
    const int64_t outputs = m->layout[2 * p->each - 1].count;
    for (int64_t k = 0; k < latent; k++) {
        double square = sd * sd, at_middle = 0.0;
        for (int64_t j = 0; j < d; j++)
            square += loadings[j * latent + k] * loadings[j * latent + k];
        for (int64_t j = 0; j < d; j++) {
            const double w = loadings[j * latent + k];
            encoder[k * d + j] = (float)(w / square);
            at_middle += w / square * middle[j];
        }
        bias[k] = (float)-at_middle;
        if (outputs > latent)
            bias[latent + k] = (float)log(sd / sqrt(square));
    }
}

void sfi_autoencoder_begin(sf_model *m, const double *middle,
                           const double *loadings, double sd, uint64_t seed)
{
    const vae_parts p = parts_of(m);
    const int64_t d = m->dim, latent = p.latent;
    double *decoder = values_of(m, 0);
    double *decoder_bias = values_of(m, p.each - 1);
    draw_inner(m, seed);
    for (int64_t j = 0; j < d; j++)
        decoder_bias[j] = (float)middle[j];
    for (int64_t i = 0; i < d * latent; i++)
        decoder[i] = (float)loadings[i];
    if (p.encodes)
        begin_encoder(m, &p, middle, loadings, sd);
    const sfi_weight *noise = &m->layout[noise_of(&p)];
    for (int64_t j = 0; j < noise->count; j++)
        m->weights[noise->offset + j] = (float)fmax(log(sd), log(noise_floor));
}
