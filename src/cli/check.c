/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - scorefield check: verify this build against known answers.
 *
 * A check computes one error and says how large it may be.  The answers come
 * from elsewhere: published vectors, closed forms worked out by hand, or
 * arithmetic with 40 digits.  The five rows X and the matrix M are those of all
 * checks about the normal law. */
#include "cli/cli.h"

#include "base/random.h"
#include "model/network.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/low_rank.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

static const double rows[10] = {0.3,  -1.1, 1.7, 0.4, -0.6,
                                -0.2, 2.1,  1.5, 0.2, 0.9};
static const sf_cmat X = {rows, 5, 2, 2};

/* One check: leaves the error it found; SF_OK also where that is too large. */
typedef sf_status (*check_fn)(sf_context *ctx, double *error);

static double larger(double error, double got, double want)
{
    const double e = fabs(got - want) / fmax(1.0, fabs(want));
    return isfinite(e) ? fmax(error, e) : INFINITY;
}

/* ---- random numbers ------------------------------------------------------- */

/* The known answers that Random123 publishes (kat_vectors, philox4x32 10). */
static sf_status check_philox(sf_context *ctx, double *error)
{
    static const uint32_t known[2][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    (void)ctx;
    for (size_t i = 0; i < SFI_COUNT(known); i++) {
        uint32_t got[4];
        sfi_philox(known[i], known[i] + 4, got);
        for (int w = 0; w < 4; w++)
            *error += got[w] != known[i][6 + w];
    }
    return SF_OK;
}

/* ---- expressions ---------------------------------------------------------- */

/* f = exp(sin(x y)): f_x = f cos(xy) y and the like, at (0.7, -1.3). */
static sf_status evaluate(sf_context *ctx, sf_graph *g, double got[3])
{
    const int64_t two = 2;
    const sf_node p = sf_input(g, "p", 1, &two);
    const sf_symbol symbols[] = {{"x", sf_component(g, p, 0)},
                                 {"y", sf_component(g, p, 1)}};
    sf_node f;
    sf_program *program = NULL;
    SFI_TRY(sf_parse(g, "exp(sin(x*y))", 2, symbols, &f));
    const sf_output outputs[] = {{sf_gradient(g, f, p), SF_EACH},
                                 {sf_laplacian(g, f, p), SF_EACH}};
    SFI_TRY(sf_program_new(ctx, &program, g, SF_F64, 2, outputs));
    const double at[] = {0.7, -1.3};
    const sf_source source = {.data = at, .dtype = SF_F64, .stride = 2};
    const sf_sink sinks[] = {{got, SF_F64, 2}, {got + 2, SF_F64, 1}};
    const sf_status status = sf_program_run(program, 1, &source, NULL, sinks);
    sf_program_free(program);
    return status;
}

static sf_status check_gradient(sf_context *ctx, double *error)
{
    const double x = 0.7, y = -1.3, c = cos(x * y), s = sin(x * y);
    const double f = exp(s);
    const double want[] = {f * c * y, f * c * x,
                           f * (c * c - s) * (x * x + y * y)};
    double got[3] = {0};
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    const sf_status status = evaluate(ctx, g, got);
    sf_graph_free(g);
    for (int k = 0; k < 3; k++)
        *error = larger(*error, got[k], want[k]);
    return status;
}

/* ---- the normal law ------------------------------------------------------- */

/* N(mu, M^-1) with M = [[1.2, -0.3], [-0.3, 0.8]], mu = (0.5, 0.1). */
static sf_status new_gaussian(sf_context *ctx, sf_model **out)
{
    static const double mean[] = {0.5, 0.1};
    static const double covariance[] = {0.8 / 0.87, 0.3 / 0.87, 0.3 / 0.87,
                                        1.2 / 0.87};
    return sf_gaussian_new(ctx, out, 2, NULL, mean, covariance);
}

/* At X_0 the score is -M (x - mu) and its Jacobian -M. */
static sf_status check_score(sf_context *ctx, double *error)
{
    static const double want[] = {-0.12, 0.9, -1.2, 0.3, 0.3, -0.8};
    double got[6] = {0}, logpdf = 0.0;
    sf_model *m = NULL;
    SFI_TRY(new_gaussian(ctx, &m));
    const sf_cmat x = {rows, 1, 2, 2};
    const sf_model_values values = {.score = {got, 1, 2, 2},
                                    .jacobian = {got + 2, 1, 4, 4}};
    sf_status status = sf_model_eval(m, x, 0.0, &values);
    if (status == SF_OK)
        status = sf_logpdf(m, x, &logpdf, NULL, NULL);
    sf_model_free(m);
    for (int k = 0; k < 6; k++)
        *error = larger(*error, got[k], want[k]);
    *error = larger(*error, logpdf, -2.4355081000760994);
    return status;
}

/* The estimate of mean and precision from X, in closed form. */
static sf_status check_fit(sf_context *ctx, double *error)
{
    static const double want[] = {0.74,
                                  0.3,
                                  1.5375271362065457,
                                  -1.0288427851730368,
                                  -1.0288427851730368,
                                  1.9322355950535992};
    double got[6] = {0};
    sf_model *m = NULL;
    SFI_TRY(sf_fit_gaussian(ctx, &m, X, NULL));
    const sf_status status = sf_gaussian_moments(m, got, NULL, got + 2);
    sf_model_free(m);
    for (int k = 0; k < 6; k++)
        *error = larger(*error, got[k], want[k]);
    return status;
}

/* The probability flow gives the closed form's log density, up to what the law of
 * pure noise, N(0, (80^2 + 1) I), differs from N(0, C + 80^2 I): for unit
 * variances and a correlation r that is r^2 / 80^4 and less, but r |y|^2 / 80^4
 * times the code's length, |y| ~ 80. */
static sf_status check_flow(sf_context *ctx, double *error)
{
    double closed[5], integrated[5];
    sf_model *m = NULL;
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    o.rtol = o.atol = 1e-8;
    o.force_flow = true;
    SFI_TRY(new_gaussian(ctx, &m));
    sf_status status = sf_logpdf(m, X, closed, NULL, NULL);
    if (status == SF_OK)
        status = sf_logpdf(m, X, integrated, NULL, &o);
    sf_model_free(m);
    for (int i = 0; i < 5 && status == SF_OK; i++)
        *error = larger(*error, integrated[i], closed[i]);
    return status;
}

/* Up the flow to noise, and back. */
static sf_status check_code(sf_context *ctx, double *error)
{
    double code[10], back[10] = {0};
    sf_model *m = NULL;
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    o.rtol = o.atol = 1e-8;
    SFI_TRY(new_gaussian(ctx, &m));
    sf_status status = sf_encode(m, X, (sf_mat){code, 5, 2, 2}, &o);
    if (status == SF_OK)
        status =
            sf_decode(m, (sf_cmat){code, 5, 2, 2}, (sf_mat){back, 5, 2, 2}, &o);
    sf_model_free(m);
    for (int k = 0; k < 10; k++)
        *error = larger(*error, back[k], rows[k]);
    return status;
}

/* ---- samples -------------------------------------------------------------- */

enum { SAMPLES = 4096 };

/* Means and variances in units of their standard errors, sd/sqrt(n) and
 * v sqrt(2/n); the 4 of them pass 5 by chance once in 400000 seeds. */
static double sample_error(const double *x)
{
    static const double mean[] = {0.5, 0.1};
    static const double variance[] = {0.8 / 0.87, 1.2 / 0.87};
    const double n = SAMPLES;
    double error = 0.0;
    for (int j = 0; j < 2; j++) {
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < SAMPLES; i++)
            sum += x[2 * i + j] / n;
        for (int i = 0; i < SAMPLES; i++)
            squares += (x[2 * i + j] - sum) * (x[2 * i + j] - sum) / n;
        error = fmax(error, fabs(sum - mean[j]) / sqrt(variance[j] / n));
        error = fmax(error, fabs(squares - variance[j]) /
                                (variance[j] * sqrt(2.0 / n)));
    }
    return error;
}

static sf_status check_sample(sf_context *ctx, double *error)
{
    sf_model *m = NULL;
    SFI_TRY(new_gaussian(ctx, &m));
    double *x = sfi_alloc(ctx, 2 * SAMPLES, sizeof *x);
    sf_status status = x != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sf_sample(m, (sf_mat){x, SAMPLES, 2, 2}, NULL);
    if (status == SF_OK)
        *error = sample_error(x);
    sfi_free(ctx, x, 2 * SAMPLES, sizeof *x);
    sf_model_free(m);
    return status;
}

/* ---- networks ------------------------------------------------------------- */

static sf_status new_network(sf_context *ctx, sf_model **out)
{
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        sfi_network_numbers(numbers, 16, 2, false, 0.002, 80.0, -1.0);
    SFI_TRY(sfi_model_new(ctx, out, &sfi_network_ops, 2, NULL, NULL, count,
                          numbers));
    sfi_network_initialise(*out, 0);
    /* The last layer begins with zeros; give it something to say. */
    for (int64_t i = 0; i < (*out)->weight_count; i++)
        (*out)->weights[i] += (float)(0.02 * cos((double)i));
    return SF_OK;
}

/* Noise levels of T. Karras et al. 2022, equation 5, 18 of them; the 40-digit
 * values of the second, the middle and the last but one. */
static sf_status check_levels(sf_context *ctx, double *error)
{
    sf_model *m = NULL;
    SFI_TRY(new_network(ctx, &m));
    *error = larger(*error, sf_model_sigma(m, 16.0 / 17.0), 57.58598472124816);
    *error = larger(*error, sf_model_sigma(m, 9.0 / 17.0), 3.256821519765538);
    *error = larger(*error, sf_model_sigma(m, 8.0 / 17.0), 1.9233398370400498);
    *error =
        larger(*error, sf_model_sigma(m, 1.0 / 17.0), 0.007528019962784071);
    sf_model_free(m);
    return SF_OK;
}

/* The Jacobian of the score against central differences of it. */
static sf_status check_jacobian(sf_context *ctx, double *error)
{
    const double h = 1e-5;
    double at[10], score[10] = {0}, jacobian[4] = {0};
    sf_model *m = NULL;
    SFI_TRY(new_network(ctx, &m));
    for (int r = 0; r < 5; r++)
        for (int j = 0; j < 2; j++)
            at[2 * r + j] = rows[j] + (r == 2 * j + 1   ? h
                                       : r == 2 * j + 2 ? -h
                                                        : 0.0);
    const sf_model_values values = {.score = {score, 5, 2, 2}};
    const sf_model_values first = {.jacobian = {jacobian, 1, 4, 4}};
    sf_status status = sf_model_eval(m, (sf_cmat){at, 5, 2, 2}, 0.5, &values);
    if (status == SF_OK)
        status = sf_model_eval(m, (sf_cmat){at, 1, 2, 2}, 0.5, &first);
    sf_model_free(m);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            *error = larger(
                *error, jacobian[2 * i + j],
                (score[2 * (2 * j + 1) + i] - score[2 * (2 * j + 2) + i]) /
                    (2.0 * h));
    return status;
}

/* A network's samples with one thread and with three; the allowed error is 0. */
static sf_status check_threads(sf_context *ctx, double *error)
{
    enum { N = 600 };
    sf_model *m = NULL;
    SFI_TRY(new_network(ctx, &m));
    const int threads = sf_context_threads(ctx);
    double *x = sfi_alloc_zero(ctx, 4 * N, sizeof *x);
    sf_status status = x != NULL ? SF_OK : SF_E_NOMEM;
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.method = SF_SAMPLER_SDE;
    o.steps = 6;
    for (int k = 0; k < 2 && status == SF_OK; k++) {
        (void)sf_context_set_threads(ctx, k == 0 ? 1 : 3);
        status = sf_sample(m, (sf_mat){x + 2 * N * k, N, 2, 2}, &o);
    }
    (void)sf_context_set_threads(ctx, threads);
    if (status == SF_OK)
        *error = memcmp(x, x + 2 * N, 2 * N * sizeof *x) == 0 ? 0.0 : 1.0;
    sfi_free(ctx, x, 4 * N, sizeof *x);
    sf_model_free(m);
    return status;
}

/* A network that went through a file has the same weights. */
static sf_status check_file(sf_context *ctx, double *error)
{
    sf_model *m = NULL, *back = NULL;
    sfi_output *out = NULL;
    SFI_TRY(new_network(ctx, &m));
    sf_status status = sfi_output_memory(ctx, &out);
    if (status == SF_OK)
        status = sfi_model_save_to(m, out, NULL);
    if (status == SF_OK) {
        size_t size = 0;
        const void *bytes = sfi_output_bytes(out, &size);
        status = sf_model_load_memory(ctx, &back, NULL, bytes, size);
    }
    for (int64_t i = 0; status == SF_OK && i < m->weight_count; i++)
        *error = larger(*error, back->weights[i], (float)m->weights[i]);
    sfi_output_abort(out);
    sf_model_free(back);
    sf_model_free(m);
    return status;
}

/* ---- latent variables ------------------------------------------------------- */

/* Two principal components of eight rows, and the density and code of a point, with 40
 * digits. */
static sf_status check_pca(sf_context *ctx, double *error)
{
    static const double table[] = {
        1.2, 0.8, 2.1,  -0.3, 0.4,  1.1,  1.0, 0.2,  -0.9, -0.2, -1.4,
        0.5, 2.0, 1.9,  3.2,  -1.1, -0.5, 0.3, -0.2, 0.1,  0.1,  -0.7,
        0.3, 0.4, -1.6, -1.2, -2.7, 0.9,  0.8, 0.2,  1.7,  -0.6};
    static const double x[] = {0.5, 0.5, 1.0, -0.2};
    sf_model *m = NULL;
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    double sd[4], z[2], logp = NAN;
    o.latent = 2;
    SFI_TRY(sf_fit_pca(ctx, &m, (sf_cmat){table, 8, 4, 4}, NULL, &o, NULL));
    sf_status status = sf_low_rank_parts(m, NULL, NULL, sd);
    const sf_cmat point = {x, 1, 4, 4};
    if (status == SF_OK)
        status = sf_model_code(m, point, (sf_mat){z, 1, 2, 2});
    if (status == SF_OK)
        status = sf_logpdf(m, point, &logp, NULL, NULL);
    if (status == SF_OK) {
        *error = larger(*error, sd[0] * sd[0], 0.03110691623179424);
        *error = larger(*error, z[0], 0.28497758273803375);
        *error = larger(*error, z[1], -0.014432033619798411);
        *error = larger(*error, logp, -0.37211986456785473);
    }
    sf_model_free(m);
    return status;
}

/* ---- the command ---------------------------------------------------------- */

static const struct {
    const char *name;
    check_fn run;
    double allowed;
} checks[] = {
    {"random numbers: Philox4x32-10, published vectors", check_philox, 0.0},
    {"expressions: gradient and Laplacian of exp(sin(x*y))", check_gradient,
     1e-13},
    {"gaussian: score, Jacobian and log density", check_score, 1e-12},
    {"gaussian: mean and precision of five rows", check_fit, 1e-12},
    {"flow: log density against the closed form", check_flow, 1e-4},
    {"flow: to noise and back", check_code, 1e-5},
    {"sample: mean and variance, in standard errors", check_sample, 5.0},
    {"network: noise levels", check_levels, 1e-13},
    {"network: Jacobian against differences", check_jacobian, 1e-7},
    {"network: the same bits for 1 and 3 threads", check_threads, 0.0},
    {"network: through a file and back", check_file, 0.0},
    {"pca: noise, codes and log density of eight rows", check_pca, 1e-12},
};

static sf_status run(cli *c, const void *values)
{
    int failed = 0;
    json_t *list = cli_put_list(c, c->report, "checks");
    (void)values;
    for (size_t i = 0; i < SFI_COUNT(checks); i++) {
        double error = 0.0;
        const sf_status status = checks[i].run(c->ctx, &error);
        const bool passed = status == SF_OK && error <= checks[i].allowed;
        failed += !passed;
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "check", checks[i].name);
        cli_put_number(c, row, "error", error);
        cli_put_number(c, row, "allowed", checks[i].allowed);
        cli_put(c, row, "passed", json_boolean(passed));
        if (status != SF_OK)
            cli_warn(c, "%s: %s", checks[i].name, sf_context_message(c->ctx));
    }
    cli_put_count(c, c->report, "passed", (int64_t)SFI_COUNT(checks) - failed);
    cli_put_count(c, c->report, "failed", failed);
    SFI_TRY(cli_report(c, stdout));
    if (failed > 0)
        return SFI_FAIL(c->ctx, SF_E_NUMERIC,
                        "%d of %zu checks failed; please report this with the "
                        "output above",
                        failed, SFI_COUNT(checks));
    return SF_OK;
}

static const cli_option options[] = {{0}};

const cli_command cli_check = {
    .name = "check",
    .summary = "Verify this build against known answers",
    .usage = "[OPTIONS]",
    .least = 0,
    .most = 0,
    .options = options,
    .notes =
        "A line for each check: the largest error found, relative where the "
        "answer is\nlarger than 1, and how large it may be.  Exit status 1 "
        "if one fails.\n",
    .example = "  scorefield check\n",
    .run = run};
