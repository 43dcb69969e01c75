/* SPDX-License-Identifier: Apache-2.0 */
/* test_low_rank.c - principal components and factor analysis: answers and fits.
 *
 * The numbers of both tables were computed with 40 digits (principal components) and by
 * another implementation in double precision (factor analysis). */
#include "base/random.h"
#include "faults.h"
#include "fit/factors.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/low_rank.h"
#include "scorefield/store.h"
#include "typed.h"

enum { PCA_ROWS = 8, PCA_COLS = 4, FA_ROWS = 40, FA_COLS = 6 };

static const double pca_table[PCA_ROWS * PCA_COLS] = {
    1.2, 0.8, 2.1,  -0.3, 0.4,  1.1,  1.0, 0.2,  -0.9, -0.2, -1.4,
    0.5, 2.0, 1.9,  3.2,  -1.1, -0.5, 0.3, -0.2, 0.1,  0.1,  -0.7,
    0.3, 0.4, -1.6, -1.2, -2.7, 0.9,  0.8, 0.2,  1.7,  -0.6};

static const double fa_table[FA_ROWS * FA_COLS] = {
    -0.414, 1.431,  0.872,  -0.774, -0.378, -0.107, -0.468, -1.832, -0.828,
    0.21,   -0.302, 1.356,  -0.471, 0.402,  1.168,  -0.3,   0.822,  -0.925,
    -0.107, 1.982,  1.626,  -1.906, 1.761,  -1.919, 0.031,  0.199,  1.557,
    -0.272, 1.115,  -1.282, 0.032,  -1.093, -0.258, 0.578,  -1.034, -0.101,
    -0.754, 0.578,  -0.309, 0.382,  0.13,   -0.758, 0.336,  2.035,  1.646,
    -1.092, 1.461,  -1.913, 0.473,  -0.413, -0.116, -0.486, -0.485, -0.622,
    0.358,  0.752,  1.652,  -0.722, 0.563,  -1.083, -0.467, 0.993,  1.059,
    -1.383, 0.018,  -1.171, 0.422,  0.026,  -0.209, -0.749, 0.964,  -0.496,
    0.181,  -1.158, -1.743, 1.771,  -0.549, 0.335,  -0.335, 0.532,  0.106,
    -0.299, -0.419, -0.934, 0.553,  -0.391, 0.032,  0.065,  -0.403, -0.177,
    0.273,  0.087,  0.406,  0.046,  1.379,  -0.233, -0.307, 0.667,  0.225,
    -1.232, 0.968,  0.043,  0.253,  0.127,  -0.094, 0.949,  -0.816, 1.221,
    0.098,  -1.089, -1.445, 3.341,  0.39,   1.142,  -0.815, -0.154, 1.251,
    -2.373, 0.36,   0.365,  -0.485, -1.8,   -0.476, 0.813,  -0.567, 0.262,
    -0.14,  -1.465, -0.675, 0.127,  -1.481, 0.404,  0.175,  -0.332, -1.126,
    0.364,  -1.081, -0.238, -0.122, -0.262, 0.194,  -0.547, 1.129,  -0.233,
    0.217,  0.303,  0.36,   -1.769, -0.135, 0.306,  -0.388, 1.071,  0.974,
    -0.66,  0.659,  -1.462, -0.336, -0.848, -1.168, -0.722, 1.34,   -0.33,
    -0.126, -1.831, -0.979, 1.715,  -1.119, 0.822,  -0.224, 1.554,  1.666,
    -0.972, 0.414,  -0.676, -0.868, 2.253,  1.046,  -2.741, 0.913,  -1.057,
    0.659,  1.09,   0.075,  0.459,  0.553,  -1.568, 0.308,  -0.995, -1.214,
    0.138,  -1.235, 0.773,  0.365,  0.619,  0.511,  0.71,   0.001,  -0.487,
    -0.272, -0.347, -0.915, 2.76,   -0.354, 0.476,  -0.005, 0.237,  0.394,
    -0.389, 1.457,  -0.04,  -0.059, -0.337, -0.358, 1.142,  0.256,  0.163,
    -0.472, 0.381,  1.161,  -0.806, 0.514,  -0.608, -0.221, 0.464,  -0.351,
    -0.784, -0.317, 0.278,  -0.112, -0.555, -0.416, 0.695,  -1.4,   0.9,
    0.199,  -1.185, -0.421, 2.507,  -0.584, 0.125};

static const sf_cmat pca_rows = {pca_table, PCA_ROWS, PCA_COLS, PCA_COLS};
static const sf_cmat fa_rows = {fa_table, FA_ROWS, FA_COLS, FA_COLS};

static sf_model *fit_pca(sf_context *ctx, int64_t latent, sf_low_rank_fit *fit)
{
    sf_model *m = NULL;
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    o.latent = latent;
    CHECK_OK(ctx, sf_fit_pca(ctx, &m, pca_rows, NULL, &o, fit));
    return m;
}

TEST(principal_components_are_the_known_ones)
{
    static const double w1[] = {1.0761441859710135, 0.8174984899168194,
                                1.7774127779341458, -0.5612007580721252};
    static const double w2[] = {1.082447495252989,   -0.09051714994397987,
                                0.8222868313739116,  0.4025122563762502,
                                1.7878236342181903,  -0.12881947208718197,
                                -0.5644878844567889, 0.004772412269057188};
    static const double z2[] = {0.28497758273803375, -0.014432033619798411};
    static const double score2[] = {-0.08745266777757954, 0.11329451880059546,
                                    0.36483155414402324, 1.6576613124890587};
    static const double x[] = {0.5, 0.5, 1.0, -0.2};
    const sf_cmat point = {x, 1, 4, 4};
    sf_context *ctx = new_context();
    sf_low_rank_fit fit = SF_LOW_RANK_FIT_INIT;
    double mean[4], w[8], sd[4], z[2], logp, score[4];
    sf_model *m = fit_pca(ctx, 1, &fit);
    CHECK_OK(ctx, sf_low_rank_parts(m, mean, w, sd));
    CHECK_NEAR(mean[0], 0.1875, 1e-15);
    for (int j = 0; j < 4; j++) {
        CHECK_CLOSE(w[j], w1[j], 1e-12);
        CHECK_CLOSE(sd[j] * sd[j], 0.09338248399004997, 1e-12);
    }
    CHECK_CLOSE(fit.log_likelihood, -2.961812637070937, 1e-13);
    CHECK_OK(ctx, sf_model_code(m, point, (sf_mat){z, 1, 1, 1}));
    CHECK_CLOSE(z[0], 0.283318101007691, 1e-12);
    sf_model_free(m);

    m = fit_pca(ctx, 2, &fit);
    CHECK(fit.latent == 2 && sf_model_latents(m) == 2);
    CHECK_OK(ctx, sf_low_rank_parts(m, mean, w, sd));
    for (int i = 0; i < 8; i++)
        CHECK_CLOSE(w[i], w2[i], 1e-11);
    CHECK_CLOSE(sd[3] * sd[3], 0.03110691623179424, 1e-12);
    CHECK_CLOSE(fit.log_likelihood, -2.286282392676718, 1e-13);
    CHECK_OK(ctx, sf_model_code(m, point, (sf_mat){z, 1, 2, 2}));
    CHECK_OK(ctx, eval_typed(m, point, &logp, (sf_mat){score, 1, 4, 4}));
    CHECK_CLOSE(logp, -0.37211986456785473, 1e-12);
    for (int k = 0; k < 2; k++)
        CHECK_CLOSE(z[k], z2[k], 1e-11);
    for (int j = 0; j < 4; j++)
        CHECK_CLOSE(score[j], score2[j], 1e-11);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(factors_are_the_known_ones)
{
    static const double psi[] = {0.10299031041557244, 0.2481123455768962,
                                 0.19730256406524915, 0.5248445960884729,
                                 0.4162196220959428,  0.15171771044227178};
    static const double covariance[] = {
        0.14190680937499997,   -0.04377570410858365, -0.06304601483360296,
        0.1441512214450128,    -0.01727842820395227, -0.006214857498199067,
        -0.04377570410858365,  1.0900031400000012,   0.7453380042110838,
        -0.848143090390363,    0.5307274030282827,   -0.6360430274117924,
        -0.06304601483360296,  0.7453380042110838,   0.873264600000001,
        -0.8172018664135858,   0.4630204176407431,   -0.5370525519808669,
        0.1441512214450128,    -0.848143090390363,   -0.8172018664135858,
        1.6524852275000015,    -0.5064950888429446,  0.533488744252961,
        -0.01727842820395227,  0.5307274030282827,   0.4630204176407431,
        -0.5064950888429446,   0.7536952600000005,   -0.4120241856256152,
        -0.006214857498199067, -0.6360430274117924,  -0.5370525519808669,
        0.533488744252961,     -0.4120241856256152,  0.6743692243750004};
    static const double x[] = {0.5, -0.2, 0.1, 0.3, 0.0, 1.0};
    sf_context *ctx = new_context();
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    sf_low_rank_fit fit = SF_LOW_RANK_FIT_INIT;
    sf_model *m = NULL;
    double w[12], sd[6], logp;
    o.latent = 2;
    CHECK_OK(ctx, sf_fit_fa(ctx, &m, fa_rows, NULL, &o, &fit));
    CHECK(fit.converged && fit.heywood == 0 && fit.iterations < 40);
    CHECK_CLOSE(fit.log_likelihood, -5.860537644244269, 1e-12);
    CHECK_OK(ctx, sf_low_rank_parts(m, NULL, w, sd));
    double cross = 0.0;
    for (int i = 0; i < 6; i++) {
        CHECK_CLOSE(sd[i] * sd[i], psi[i], 1e-6);
        cross += w[2 * i] * w[2 * i + 1] / (sd[i] * sd[i]);
        for (int j = 0; j < 6; j++)
            CHECK_NEAR(w[2 * i] * w[2 * j] + w[2 * i + 1] * w[2 * j + 1] +
                           (i == j ? sd[i] * sd[i] : 0.0),
                       covariance[6 * i + j], 1e-7);
    }
    CHECK_NEAR(cross, 0.0, 1e-12);
    CHECK_OK(ctx, eval_typed(m, (sf_cmat){x, 1, 6, 6}, &logp, (sf_mat){0}));
    CHECK_CLOSE(logp, -7.484649546518819, 1e-7);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Noise that is added is more noise of the same kind, so at every time the density is the
 * normal one of W W' + diag(s^2) + (level scale)^2; scores are its gradient. */
TEST(answers_are_those_of_the_gaussian)
{
    static const double mean[] = {1.0, -2.0, 0.5};
    static const double w[] = {1.0, 0.3, -0.5, 0.8, 0.2, 2.0};
    static const double sd[] = {0.1, 0.7, 1.3};
    static const double x[] = {1.5, -1.0, 3.0, -4.0, 0.0, 0.2};
    sf_context *ctx = new_context();
    sf_model *m = NULL, *g = NULL;
    CHECK_OK(ctx, sf_low_rank_new(ctx, &m, false, 3, NULL, 2, mean, w, sd));
    for (int t = 0; t < 2; t++) {
        const double time = 0.4 * t, level = sf_model_sigma(m, time);
        double c[9], got[2], want[2], s[6], t_s[6];
        for (int i = 0; i < 9; i++) {
            const int a = i / 3, b = i % 3;
            double shift, scale;
            sf_model_unit(m, a, &shift, &scale);
            c[i] =
                w[2 * a] * w[2 * b] + w[2 * a + 1] * w[2 * b + 1] +
                (a == b ? sd[a] * sd[a] + level * level * scale * scale : 0.0);
        }
        CHECK_OK(ctx, sf_gaussian_new(ctx, &g, 3, NULL, mean, c));
        const sf_cmat points = {x, 2, 3, 3};
        const sf_model_values a = {.score = {s, 2, 3, 3},
                                   .logpdf = {got, 2, 1, 1}};
        const sf_model_values b = {.score = {t_s, 2, 3, 3},
                                   .logpdf = {want, 2, 1, 1}};
        CHECK_OK(ctx, sf_model_eval(m, points, time, &a));
        CHECK_OK(ctx, sf_model_eval(g, points, 0.0, &b));
        for (int i = 0; i < 2; i++)
            CHECK_CLOSE(got[i], want[i], 1e-11);
        for (int i = 0; i < 6; i++)
            CHECK_CLOSE(s[i], t_s[i], 1e-10);
        sf_model_free(g);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Second moments of n draws have the standard error sqrt((c_ii c_jj + c_ij^2)/n). */
TEST(draws_have_the_covariance)
{
    enum { DRAWS = 40000 };
    static double x[3 * DRAWS], later[3];
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    double z[DRAWS], back[3];
    const double mean[] = {1.0, -2.0, 0.5}, w[] = {1.0, -0.5, 2.0};
    const double sd[] = {0.1, 0.7, 1.3};
    CHECK_OK(ctx, sf_low_rank_new(ctx, &m, false, 3, NULL, 1, mean, w, sd));
    CHECK(sf_sample_method(m, &o) == SF_SAMPLER_DIRECT);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, DRAWS, 3, 3}, &o));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j <= i; j++) {
            const double c = w[i] * w[j] + (i == j ? sd[i] * sd[i] : 0.0);
            const double ci = w[i] * w[i] + sd[i] * sd[i];
            const double cj = w[j] * w[j] + sd[j] * sd[j];
            double sum = 0.0;
            for (int k = 0; k < DRAWS; k++)
                sum += (x[3 * k + i] - mean[i]) * (x[3 * k + j] - mean[j]);
            CHECK_NEAR(sum / DRAWS, c, 5.0 * sqrt((ci * cj + c * c) / DRAWS));
        }
    o.first = 7;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){later, 1, 3, 3}, &o));
    CHECK(memcmp(later, x + 21, sizeof later) == 0);
    /* Codes are the regression on x: of the draws, with the variance 1 - 1/(1 + w'w). */
    CHECK_OK(ctx, sf_model_code(m, (sf_cmat){x, DRAWS, 3, 3},
                                (sf_mat){z, DRAWS, 1, 1}));
    double square = 0.0, strength = 0.0;
    for (int k = 0; k < DRAWS; k++)
        square += z[k] * z[k] / DRAWS;
    for (int j = 0; j < 3; j++)
        strength += w[j] * w[j] / (sd[j] * sd[j]);
    CHECK_NEAR(square, strength / (1.0 + strength), 5.0 * sqrt(2.0 / DRAWS));
    const double two = 2.0;
    CHECK_OK(ctx, sf_model_decode(m, (sf_cmat){&two, 1, 1, 1},
                                  (sf_mat){back, 1, 3, 3}));
    /* The loadings' largest entry is positive. */
    for (int j = 0; j < 3; j++)
        CHECK_NEAR(back[j], mean[j] + 2.0 * w[j], 1e-12);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* n rows of K true factors in d columns. */
static void draw_factors(double *x, int64_t n, int64_t d, int64_t latent)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++) {
            const sfi_where here = {5, (uint64_t)i, 1, SFI_STREAM_USER};
            double sum = (0.3 + 0.1 * (double)j) *
                         sfi_normal_at(here, (uint32_t)(100 + j));
            for (int64_t k = 0; k < latent; k++) {
                const sfi_where load = {5, (uint64_t)j, 2, SFI_STREAM_USER};
                sum += sfi_normal_at(load, (uint32_t)k) *
                       sfi_normal_at(here, (uint32_t)k);
            }
            x[i * d + j] = sum;
        }
}

TEST(the_number_of_latent_variables_is_found)
{
    enum { ROWS = 3000, COLS = 9 };
    static double x[ROWS * COLS];
    sf_context *ctx = new_context();
    sf_low_rank_fit fit = SF_LOW_RANK_FIT_INIT;
    sf_model *m = NULL;
    static double logp[ROWS];
    draw_factors(x, ROWS, COLS, 3);
    const sf_cmat rows = {x, ROWS, COLS, COLS};
    CHECK_OK(ctx, sf_fit_fa(ctx, &m, rows, NULL, NULL, &fit));
    CHECK(fit.latent == 3 && fit.converged);
    CHECK_OK(ctx, eval_typed(m, rows, logp, (sf_mat){0}));
    double sum = 0.0;
    for (int i = 0; i < ROWS; i++)
        sum += logp[i];
    CHECK_NEAR(sum / ROWS, fit.log_likelihood, 1e-11);
    sf_model_free(m);
    /* One noise for all columns is not what these have: more components are needed. */
    CHECK_OK(ctx, sf_fit_pca(ctx, &m, rows, NULL, NULL, &fit));
    CHECK(fit.latent > 3);
    CHECK_OK(ctx, eval_typed(m, rows, logp, (sf_mat){0}));
    for (int i = 0; i < ROWS; i++)
        logp[0] += i > 0 ? logp[i] : 0.0;
    CHECK_NEAR(logp[0] / ROWS, fit.log_likelihood, 1e-11);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Factor analysis does not see the columns' units, principal components of standardised
 * columns neither; of columns as they are they do. */
TEST(units_are_only_units)
{
    enum { ROWS = 200, COLS = 5 };
    static double x[ROWS * COLS], y[ROWS * COLS];
    static const double unit[] = {1e3, 1.0, 1e-4, 20.0, 0.3};
    sf_context *ctx = new_context();
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    double shift = 0.0;
    draw_factors(x, ROWS, COLS, 2);
    for (int i = 0; i < ROWS * COLS; i++)
        y[i] = x[i] * unit[i % COLS];
    for (int j = 0; j < COLS; j++)
        shift += log(unit[j]);
    for (int t = 0; t < 3; t++) {
        sf_low_rank_fit a = SF_LOW_RANK_FIT_INIT, b = a;
        sf_model *m = NULL;
        o.latent = 2;
        o.standardise = t == 1;
        CHECK_OK(ctx,
                 (t == 0 ? sf_fit_fa : sf_fit_pca)(
                     ctx, &m, (sf_cmat){x, ROWS, COLS, COLS}, NULL, &o, &a));
        sf_model_free(m);
        CHECK_OK(ctx,
                 (t == 0 ? sf_fit_fa : sf_fit_pca)(
                     ctx, &m, (sf_cmat){y, ROWS, COLS, COLS}, NULL, &o, &b));
        sf_model_free(m);
        const double off = fabs(a.log_likelihood - shift - b.log_likelihood);
        CHECK(t < 2 ? off < 1e-8 : off > 1.0);
    }
    sf_context_free(ctx);
}

TEST(a_file_holds_one)
{
    sf_context *ctx = new_context();
    sf_model *m = fit_pca(ctx, 2, NULL), *back = NULL;
    double before[8], after[8];
    CHECK_OK(ctx, sf_model_save(m, "pca.safetensors", NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &back, "pca.safetensors"));
    CHECK(strcmp(sf_model_family(back), "pca") == 0);
    CHECK_OK(ctx, sf_low_rank_parts(m, NULL, before, NULL));
    CHECK_OK(ctx, sf_low_rank_parts(back, NULL, after, NULL));
    CHECK(memcmp(before, after, sizeof before) == 0);
    remove("pca.safetensors");
    sf_model_free(back);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_has_no_such_model_is_refused)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    static double x[4 * 6];
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    o.latent = 4;
    CHECK_FAILS(ctx, sf_fit_pca(ctx, &m, pca_rows, names, &o, NULL), SF_E_ARG,
                "4 latent variables of 4 columns, want 1 to 3");
    CHECK(m == NULL);
    /* Rows on a plane: two components leave no noise. */
    for (int i = 0; i < 6; i++) {
        const double s = i, t = i * i;
        const double row[] = {s, t, s + t, 2.0 * s};
        memcpy(x + 4 * i, row, sizeof row);
    }
    o.latent = 2;
    const sf_cmat plane = {x, 6, 4, 4};
    CHECK_FAILS(ctx, sf_fit_pca(ctx, &m, plane, names, &o, NULL), SF_E_NUMERIC,
                "want at most 1");
    /* The corners of a cross have no direction that stands out. */
    memset(x, 0, sizeof x);
    for (int i = 0; i < 4; i++)
        x[2 * i + i / 2] = i % 2 == 0 ? 1.0 : -1.0;
    o.latent = 1;
    CHECK_FAILS(ctx,
                sf_fit_pca(ctx, &m, (sf_cmat){x, 4, 2, 2}, names, &o, NULL),
                SF_E_NUMERIC, "no direction stands out");
    for (int i = 0; i < 4; i++)
        x[2 * i] = 1.0;
    CHECK_FAILS(ctx, sf_fit_fa(ctx, &m, (sf_cmat){x, 4, 2, 2}, names, &o, NULL),
                SF_E_NUMERIC, "column \"a\" is constant");
    x[3] = NAN;
    CHECK_FAILS(ctx, sf_fit_fa(ctx, &m, (sf_cmat){x, 4, 2, 2}, names, &o, NULL),
                SF_E_NUMERIC, "row 2, column \"b\"");
    const double w[] = {1.0, 1.0, 2.0, 2.0, 3.0, 3.0}, sd[] = {1.0, 1.0, 1.0};
    CHECK_FAILS(ctx, sf_low_rank_new(ctx, &m, true, 3, NULL, 2, w, w, sd),
                SF_E_NUMERIC, "depend on each other");
    sf_context_free(ctx);
}

static void count_warning(void *user, const char *text)
{
    *(int *)user +=
        strstr(text, "column \"b\" has no noise of its own") != NULL;
}

/* The second column is the latent variable itself. */
TEST(a_column_without_noise_is_said)
{
    enum { ROWS = 300 };
    static double x[ROWS * 4];
    static const char *const names[] = {"a", "b", "c", "d"};
    sf_context *ctx = new_context();
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    sf_low_rank_fit fit = SF_LOW_RANK_FIT_INIT;
    sf_model *m = NULL;
    int said = 0;
    double sd[4];
    for (int i = 0; i < ROWS * 4; i++) {
        const sfi_where w = {2, (uint64_t)(i / 4), 0, SFI_STREAM_USER};
        x[i] = sfi_normal_at(w, 9) +
               (i % 4 == 1 ? 0.0 : sfi_normal_at(w, (uint32_t)(i % 4)));
    }
    o.latent = 1;
    sf_context_set_warning(ctx, count_warning, &said);
    CHECK_OK(ctx,
             sf_fit_fa(ctx, &m, (sf_cmat){x, ROWS, 4, 4}, names, &o, &fit));
    CHECK(fit.heywood == 1 && fit.converged && said == 1);
    CHECK_OK(ctx, sf_low_rank_parts(m, NULL, NULL, sd));
    CHECK_NEAR(sd[0], 1.0, 5.0 / sqrt(2.0 * ROWS));
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    enum { ROWS = 2000, COLS = 9 };
    static double x[ROWS * COLS], drawn[3][30];
    static const int counts[] = {1, 2, 7};
    double w[3][27];
    draw_factors(x, ROWS, COLS, 3);
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        sf_model *m = NULL;
        sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
        sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
        o.latent = 3;
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[t]));
        CHECK_OK(ctx, sf_fit_fa(ctx, &m, (sf_cmat){x, ROWS, COLS, COLS}, NULL,
                                &o, NULL));
        CHECK_OK(ctx, sf_low_rank_parts(m, NULL, w[t], NULL));
        CHECK_OK(ctx, sf_sample(m, (sf_mat){drawn[t], 3, COLS, 10}, &s));
        for (int i = 0; i < 3; i++)
            drawn[t][10 * i + 9] = 0.0;
        CHECK(memcmp(w[t], w[0], sizeof w[0]) == 0);
        CHECK(memcmp(drawn[t], drawn[0], sizeof drawn[0]) == 0);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

static sf_status work(sf_context *ctx, bool pca)
{
    sf_model *m = NULL;
    double z[FA_ROWS * 6];
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    sf_status status =
        (pca ? sf_fit_pca : sf_fit_fa)(ctx, &m, fa_rows, NULL, NULL, NULL);
    if (status == SF_OK)
        status = sf_model_code(
            m, fa_rows,
            (sf_mat){z, FA_ROWS, sf_model_latents(m), sf_model_latents(m)});
    if (status == SF_OK)
        status = sf_sample(m, (sf_mat){z, FA_ROWS, 6, 6}, &s);
    sf_model_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    for (int pca = 0; pca < 2; pca++) {
        struct faults faults;
        sf_context *ctx = faulty_context(&faults);
        sf_status status = SF_E_NOMEM;
        for (int k = 0; status != SF_OK; k++) {
            faults.left = k;
            status = work(ctx, pca == 1);
            CHECK(status == SF_OK || status == SF_E_NOMEM);
            CHECK(faults.bytes == faults.own);
        }
        sf_context_free(ctx);
    }
}

TESTS(CASE(principal_components_are_the_known_ones),
      CASE(factors_are_the_known_ones), CASE(answers_are_those_of_the_gaussian),
      CASE(draws_have_the_covariance),
      CASE(the_number_of_latent_variables_is_found), CASE(units_are_only_units),
      CASE(a_file_holds_one), CASE(what_has_no_such_model_is_refused),
      CASE(a_column_without_noise_is_said), CASE(threads_do_not_change_a_bit),
      CASE(every_allocation_may_fail))
