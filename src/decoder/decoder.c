/* SPDX-License-Identifier: Apache-2.0 */
/* decoder.c - a typed decoder: its text in pieces, and its noise.
 *
 * The texts are parsed once when the decoder is made, so that what is wrong with
 * them is said then, and again for each program that is built of it. */
#include "decoder/decoder.h"

#include "graph/graph.h"
#include "num/linalg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- pieces ------------------------------------------------------------------ */

/* Bytes up to the next semicolon outside of quotes and brackets, or to the end. */
static size_t piece_size(const char *text)
{
    int depth = 0;
    bool quoted = false;
    size_t i = 0;
    for (; text[i] != '\0' && (text[i] != ';' || quoted || depth > 0); i++) {
        quoted ^= text[i] == '"';
        if (quoted)
            continue;
        depth += (text[i] == '(' || text[i] == '[');
        depth -= (text[i] == ')' || text[i] == ']');
    }
    return i;
}

static int count_pieces(const char *text)
{
    int count = 1;
    for (size_t n = piece_size(text); text[n] == ';'; n = piece_size(text)) {
        text += n + 1;
        count++;
    }
    return count;
}

/* Where a text is parsed: what it is called in messages, and its names. */
typedef struct spelling {
    const sf_decoder *d;
    sf_graph *g;
    const char *what;
    int name_count;
    sf_symbol names[SF_LATENT_MAX + 1];
    char spelled[SF_LATENT_MAX][8];
} spelling;

static void name_latents(spelling *p, sf_node z)
{
    const int count = (int)p->d->latent;
    for (int k = 0; k < count; k++) {
        snprintf(p->spelled[k], sizeof p->spelled[k], "z%d", k);
        p->names[k] = (sf_symbol){p->spelled[k], sf_component(p->g, z, k)};
    }
    p->names[count] = (sf_symbol){"z", z};
    p->name_count = count + 1;
}

/* One piece as a vector. */
static sf_status parse_piece(const spelling *p, const char *text, size_t size,
                             int number, sf_node *out)
{
    sf_context *ctx = p->g->ctx;
    char *copy = sfi_alloc(ctx, size + 1, 1);
    if (copy == NULL)
        return SF_E_NOMEM;
    memcpy(copy, text, size);
    copy[size] = '\0';
    sf_status status = sf_parse(p->g, copy, p->name_count, p->names, out);
    sfi_free(ctx, copy, size + 1, 1);
    if (status == SF_OK && sf_node_rank(p->g, *out) > 1)
        status = SFI_FAIL(ctx, SF_E_PARSE,
                          "it is a matrix, want a number or a vector");
    if (status != SF_OK && status != SF_E_NOMEM)
        sfi_message_prefix(ctx, "%s: piece %d: ", p->what, number);
    if (status == SF_OK)
        *out =
            sf_reshape(p->g, *out, 1, (int64_t[]){sf_node_count(p->g, *out)});
    return status == SF_E_SHAPE ? SF_E_PARSE : status;
}

static sf_status parse_all(const spelling *p, const char *text, int count,
                           sf_node *parts, sf_node *out)
{
    for (int i = 0; i < count; i++) {
        const size_t size = piece_size(text);
        SFI_TRY(parse_piece(p, text, size, i + 1, &parts[i]));
        text += size + 1;
    }
    *out = sf_concat(p->g, count, parts, 0);
    return sf_graph_status(p->g);
}

/* A text as a vector of all its numbers. */
static sf_status parse_text(const sf_decoder *d, sf_graph *g, const char *what,
                            const char *text, sf_node z, sf_node *out)
{
    spelling p = {.d = d, .g = g, .what = what};
    const int count = count_pieces(text);
    sf_node *parts = sfi_alloc(g->ctx, (size_t)count, sizeof *parts);
    if (parts == NULL)
        return SF_E_NOMEM;
    name_latents(&p, z);
    const sf_status status = parse_all(&p, text, count, parts, out);
    sfi_free(g->ctx, parts, (size_t)count, sizeof *parts);
    return status;
}

static sf_status typed_mean(const sf_decoder *d, sf_graph *g, sf_node z,
                            sf_node *f)
{
    return parse_text(d, g, "decoder", d->text, z, f);
}

sf_status sfi_decoder_mean(const sf_decoder *d, sf_graph *g, sf_node z,
                           sf_node *f)
{
    return d->mean(d, g, z, f);
}

sf_status sfi_decoder_log_sigma(const sf_decoder *d, sf_graph *g, sf_node z,
                                sf_node *log_sigma)
{
    SFI_TRY(parse_text(d, g, "log_sigma", d->log_sigma, z, log_sigma));
    *log_sigma = sf_broadcast(g, *log_sigma, 1, &d->dim);
    return sf_graph_status(g);
}

/* ---- noise ------------------------------------------------------------------- */

static void begin_norm(sf_decoder *d)
{
    d->log_norm = -0.5 * (double)d->dim * log(2.0 * 3.14159265358979323846);
}

sf_status sfi_decoder_take_sigma(sf_decoder *d, int64_t count,
                                 const double *sigma)
{
    if (count != 1 && count != d->dim)
        return SFI_FAIL(d->ctx, SF_E_ARG,
                        "decoder: %lld standard deviations for %lld columns, "
                        "want one for all or one each",
                        (long long)count, (long long)d->dim);
    d->sigma = sfi_alloc(d->ctx, (size_t)d->dim, sizeof *d->sigma);
    if (d->sigma == NULL)
        return SF_E_NOMEM;
    begin_norm(d);
    for (int64_t j = 0; j < d->dim; j++) {
        d->sigma[j] = sigma[count > 1 ? j : 0];
        if (!(d->sigma[j] > 0.0 && isfinite(d->sigma[j])))
            return SFI_FAIL(d->ctx, SF_E_ARG,
                            "decoder: the standard deviation of column \"%s\" "
                            "is %g, want > 0",
                            d->names[j], d->sigma[j]);
        d->log_norm -= log(d->sigma[j]);
    }
    d->noise = count > 1 ? SF_DECODER_DIAGONAL : SF_DECODER_ISOTROPIC;
    return SF_OK;
}

static sf_status check_symmetric(const sf_decoder *d, const double *covariance)
{
    const int64_t n = d->dim;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            const double a = covariance[i * n + j], b = covariance[j * n + i];
            const double scale = sqrt(fabs(covariance[i * n + i])) *
                                 sqrt(fabs(covariance[j * n + j]));
            if (!(fabs(a - b) <= 1e-12 * scale))
                return SFI_FAIL(d->ctx, SF_E_ARG,
                                "decoder: the covariance of \"%s\" and \"%s\" "
                                "is %g in one place and %g in the other, want "
                                "a symmetric matrix",
                                d->names[i], d->names[j], a, b);
        }
    return SF_OK;
}

/* L^-1 of Sigma = L L'; row i of the unit matrix becomes column i of it. */
static sf_status factor_covariance(sf_decoder *d, double *lower,
                                   const double *covariance)
{
    const int64_t n = d->dim;
    int64_t pivot = n;
    const sf_status status =
        sfi_cholesky(d->ctx, lower, covariance, n, "covariance", &pivot);
    if (status == SF_E_NUMERIC)
        return SFI_FAIL(d->ctx, SF_E_ARG,
                        "decoder: the covariance is not positive definite: "
                        "pivot %lld, of column \"%s\", is not above 0",
                        (long long)(pivot + 1),
                        d->names[pivot < n ? pivot : n - 1]);
    SFI_TRY(status);
    for (int64_t i = 0; i < n; i++) {
        d->log_norm -= log(lower[i * n + i]);
        d->whitener[i * n + i] = 1.0;
    }
    /* Rows b become L'^-1 b: row i of the unit matrix, row i of L^-1. */
    sfi_lower_solve_t(lower, n, (sf_mat){d->whitener, n, n, n});
    return SF_OK;
}

static sf_status take_covariance(sf_decoder *d, const double *covariance)
{
    const size_t count = (size_t)(d->dim * d->dim);
    SFI_TRY(check_symmetric(d, covariance));
    begin_norm(d);
    d->noise = SF_DECODER_FULL;
    d->whitener = sfi_alloc_zero(d->ctx, count, sizeof *d->whitener);
    double *lower = sfi_alloc(d->ctx, count, sizeof *lower);
    const sf_status status = d->whitener != NULL && lower != NULL
                                 ? factor_covariance(d, lower, covariance)
                                 : SF_E_NOMEM;
    sfi_free(d->ctx, lower, count, sizeof *lower);
    return status;
}

static sf_status take_noise(sf_decoder *d, const sf_decoder_options *o)
{
    const double usual = 1.0;
    if (d->log_sigma != NULL) {
        begin_norm(d);
        d->noise = SF_DECODER_VARYING;
        return SF_OK;
    }
    if (o->covariance != NULL)
        return take_covariance(d, o->covariance);
    return o->sigma != NULL
               ? sfi_decoder_take_sigma(d, o->sigma_count, o->sigma)
               : sfi_decoder_take_sigma(d, 1, &usual);
}

/* ---- making ------------------------------------------------------------------ */

static sf_status check_options(sf_context *ctx, int64_t latent,
                               const sf_decoder_options *o)
{
    const int kinds =
        (o->sigma != NULL) + (o->covariance != NULL) + (o->log_sigma != NULL);
    if (latent < 1 || latent > SF_LATENT_MAX)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "decoder: %lld latent numbers, want 1 to %d",
                        (long long)latent, (int)SF_LATENT_MAX);
    if (kinds > 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "decoder: %d kinds of noise, want at most one of "
                        "sigma, covariance and log_sigma",
                        kinds);
    if (o->dim < 0 || o->dim > SFI_LINALG_MAX)
        return SFI_FAIL(ctx, SF_E_ARG, "decoder: %lld columns, want 1 to %d",
                        (long long)o->dim, (int)SFI_LINALG_MAX);
    if (o->dim == 0 && (o->covariance != NULL || o->names != NULL))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "decoder: dim is 0, want the number of columns beside "
                        "their %s",
                        o->names != NULL ? "names" : "covariance");
    return SF_OK;
}

sf_status sfi_decoder_name(sf_decoder *d, const char *const *names)
{
    d->names = sfi_alloc_zero(d->ctx, (size_t)d->dim, sizeof *d->names);
    if (d->names == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < d->dim; j++) {
        char made[24];
        snprintf(made, sizeof made, "x%lld", (long long)j);
        d->names[j] = sfi_copy_text(d->ctx, names != NULL ? names[j] : made);
        if (d->names[j] == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

bool sfi_decoder_looks_linear(const sf_decoder *d, sf_graph *g, sf_node f,
                              sf_node z)
{
    return d->log_sigma == NULL && !sf_node_varies(g, sf_jacobian(g, f, z));
}

/* How many numbers the text gives, whether it is linear in z, and that the text
 * of the noise fits. */
static sf_status look_at_texts(sf_decoder *d, sf_graph *g, int64_t dim)
{
    sf_node f, l;
    const sf_node z = sf_input(g, "z", 1, &d->latent);
    SFI_TRY(sfi_decoder_mean(d, g, z, &f));
    d->dim = sf_node_count(g, f);
    if (dim > 0 && dim != d->dim)
        return SFI_FAIL(d->ctx, SF_E_ARG,
                        "decoder: its %d piece(s) give %lld numbers, and x has "
                        "%lld columns",
                        count_pieces(d->text), (long long)d->dim,
                        (long long)dim);
    d->is_linear = sfi_decoder_looks_linear(d, g, f, z);
    if (d->log_sigma != NULL) {
        SFI_TRY(parse_text(d, g, "log_sigma", d->log_sigma, z, &l));
        const int64_t count = sf_node_count(g, l);
        if (count != 1 && count != d->dim)
            return SFI_FAIL(d->ctx, SF_E_ARG,
                            "log_sigma: %lld numbers for %lld columns, want "
                            "one for all or one each",
                            (long long)count, (long long)d->dim);
    }
    return sf_graph_status(g);
}

static sf_status make(sf_decoder *d, const char *text,
                      const sf_decoder_options *o)
{
    d->text = sfi_copy_text(d->ctx, text);
    if (d->text == NULL)
        return SF_E_NOMEM;
    if (o->log_sigma != NULL) {
        d->log_sigma = sfi_copy_text(d->ctx, o->log_sigma);
        if (d->log_sigma == NULL)
            return SF_E_NOMEM;
    }
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(d->ctx, &g));
    const sf_status status = look_at_texts(d, g, o->dim);
    sf_graph_free(g);
    SFI_TRY(status);
    SFI_TRY(sfi_decoder_name(d, o->names));
    return take_noise(d, o);
}

sf_decoder *sfi_decoder_begin(sf_context *ctx, int64_t latent)
{
    sf_decoder *d = sfi_alloc_zero(ctx, 1, sizeof *d);
    if (d != NULL) {
        d->ctx = ctx;
        d->latent = latent;
    }
    return d;
}

sf_status sf_decoder_new(sf_context *ctx, sf_decoder **out, const char *text,
                         int64_t latent, const sf_decoder_options *options)
{
    *out = NULL;
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check_options(ctx, latent, &o));
    sf_decoder *d = sfi_decoder_begin(ctx, latent);
    if (d == NULL)
        return SF_E_NOMEM;
    d->mean = typed_mean;
    const sf_status status = make(d, text, &o);
    if (status != SF_OK) {
        sf_decoder_free(d);
        return status;
    }
    *out = d;
    return SF_OK;
}

void sf_decoder_free(sf_decoder *d)
{
    if (d == NULL)
        return;
    sf_context *ctx = d->ctx;
    const size_t dim = (size_t)d->dim;
    sfi_free(ctx, d->whitener, dim * dim, sizeof *d->whitener);
    sfi_free(ctx, d->sigma, dim, sizeof *d->sigma);
    for (size_t j = 0; j < dim && d->names != NULL; j++)
        sfi_free_text(ctx, d->names[j]);
    sfi_free(ctx, d->names, dim, sizeof *d->names);
    sfi_free_text(ctx, d->log_sigma);
    sfi_free_text(ctx, d->text);
    sfi_free(ctx, d, 1, sizeof *d);
}

int64_t sf_decoder_latent(const sf_decoder *d)
{
    return d->latent;
}

int64_t sf_decoder_dim(const sf_decoder *d)
{
    return d->dim;
}

const char *sf_decoder_column(const sf_decoder *d, int64_t j)
{
    return d->names[j];
}

sf_decoder_noise sf_decoder_noise_kind(const sf_decoder *d)
{
    return d->noise;
}

bool sf_decoder_is_linear(const sf_decoder *d)
{
    return d->is_linear;
}
