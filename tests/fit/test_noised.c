/* SPDX-License-Identifier: Apache-2.0 */
/* test_noised.c - targets that are means over rows. */
#include "base/random.h"
#include "check.h"
#include "fit/noised.h"
#include "model/network.h"
#include "scorefield/fit.h"

enum { ROWS = 10, POINTS = 400 };

static const uint64_t seed = 3;

/* Of one number: chart, and how to see data and answers in it. */
typedef struct setting {
    const char *kernel;
    double data[3];
    bool logarithm; /* the chart is ln x */
} setting;

static const setting settings[] = {
    {"gaussian:path=linear,sigma=1", {-1.0, 0.5, 2.0}, false},
    {"gamma:shape=1,mean=1.5", {0.3, 1.2, 4.0}, true},
    {"vonmises:kappa=1", {-2.0, 0.3, 1.5}, false}};

/* A network that nobody trained, for its layout and its scales. */
static sf_model *network_of(sf_context *ctx, const setting *s,
                            const double *rows)
{
    sf_model *m = NULL;
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.kernel = s->kernel;
    o.width = 4;
    o.layers = 1;
    o.steps = 1;
    o.batch = 64;
    o.sigma_min = 0.05;
    o.validation = 0.0;
    CHECK_OK(ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, ROWS, 1, 1}, NULL, &o,
                                 NULL));
    return m;
}

/* The law of rows, from an earlier time than the network's. */
static sf_model *law_of(sf_context *ctx, const setting *s, const double *rows,
                        int64_t n)
{
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = s->kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = 0.0499;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){rows, n, 1, 1}, NULL, &o,
                                   NULL));
    return m;
}

/* What the heads for score and velocity are to say at y, by the law. */
static void exact_targets(sf_context *ctx, const setting *s,
                          const sf_model *network, const sf_model *law,
                          double y, double t, double target[2])
{
    const double x = s->logarithm ? exp(y) : y;
    const double dx = s->logarithm ? x : 1.0;
    double score, velocity, spread;
    const sf_model_values values = {.score = {&score, 1, 1, 1},
                                    .velocity = {&velocity, 1, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(law, (sf_cmat){&x, 1, 1, 1}, t, &values));
    CHECK_OK(ctx, sfi_level_spread(network, &spread));
    target[0] = t * spread * (dx * score + (s->logarithm ? 1.0 : 0.0));
    target[1] = velocity / dx / spread;
}

static void fill(const setting *s, double *rows)
{
    for (int i = 0; i < ROWS; i++)
        rows[i] = s->data[i < 2 ? 0 : i < 7 ? 1 : 2];
}

/* Each target is the mean by the law of the rows it is taken over. */
static void check_targets(sf_context *ctx, const setting *s, const double *rows,
                          const sf_model *network, int64_t target_rows)
{
    int64_t index[ROWS];
    for (int i = 0; i < ROWS; i++)
        index[i] = (i * 3) % ROWS;
    sfi_noised z;
    CHECK_OK(ctx, sfi_noised_new(&z, network, (sf_cmat){rows, ROWS, 1, 1}, ROWS,
                                 target_rows));
    for (int i = 0; i < ROWS; i++) {
        double own[ROWS];
        for (int64_t k = 0; k < target_rows; k++)
            own[k] = rows[index[(i + k) % ROWS]];
        sf_model *law = law_of(ctx, s, own, target_rows);
        for (uint32_t step = 0; step < 6; step++) {
            double want[2];
            CHECK_OK(ctx, sfi_noised_draw(&z, index, ROWS, seed, step));
            CHECK_OK(ctx, sfi_noised_targets(&z, index, ROWS));
            exact_targets(ctx, s, network, law, z.y[i], z.t[i], want);
            const float *got = z.targets + i * z.targets_size;
            CHECK_NEAR(got[0], want[0], 2e-6 * (1.0 + fabs(want[0])));
            CHECK_NEAR(got[1], want[1], 1e-4 * (1.0 + fabs(want[1])));
        }
        sf_model_free(law);
    }
    sfi_noised_free(&z);
}

TEST(means_are_by_the_law_of_the_rows_they_are_taken_over)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        double rows[ROWS];
        fill(&settings[k], rows);
        sf_model *network = network_of(ctx, &settings[k], rows);
        check_targets(ctx, &settings[k], rows, network, 3);
        check_targets(ctx, &settings[k], rows, network, ROWS);
        sf_model_free(network);
    }
    sf_context_free(ctx);
}

/* Mean square distance of the velocity's targets from the exact ones. */
static double scatter(sf_context *ctx, const setting *s,
                      const sf_model *network, const sf_model *law,
                      const double *rows, int64_t target_rows)
{
    int64_t index[POINTS];
    for (int i = 0; i < POINTS; i++)
        index[i] =
            (int64_t)(sfi_uniform_at((sfi_where){7, (uint64_t)i, 0, 0}, 0) *
                      ROWS);
    sfi_noised z;
    CHECK_OK(ctx, sfi_noised_new(&z, network, (sf_cmat){rows, ROWS, 1, 1},
                                 POINTS, target_rows));
    CHECK_OK(ctx, sfi_noised_draw(&z, index, POINTS, seed, 0));
    CHECK_OK(ctx, sfi_noised_targets(&z, index, POINTS));
    double sum = 0.0;
    for (int i = 0; i < POINTS; i++) {
        double want[2];
        exact_targets(ctx, s, network, law, z.y[i], z.t[i], want);
        const double gap = z.targets[i * z.targets_size + 1] - want[1];
        sum += gap * gap / POINTS;
    }
    sfi_noised_free(&z);
    return sum;
}

TEST(more_rows_scatter_less)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        double rows[ROWS];
        fill(&settings[k], rows);
        sf_model *network = network_of(ctx, &settings[k], rows);
        sf_model *law = law_of(ctx, &settings[k], rows, ROWS);
        double before = INFINITY;
        for (int64_t n = 2; n <= 128; n *= 4) {
            const double now =
                scatter(ctx, &settings[k], network, law, rows, n);
            CHECK(now < before / 2.5);
            before = now;
        }
        sf_model_free(law);
        sf_model_free(network);
    }
    sf_context_free(ctx);
}

TESTS(CASE(means_are_by_the_law_of_the_rows_they_are_taken_over),
      CASE(more_rows_scatter_less))
