/* SPDX-License-Identifier: Apache-2.0 */
/* test_count_kernels.c - the kernels of counts, one clean number at a time. */
#include "check.h"
#include "chi_squared.h"
#include "kernel/families.h"
#include "scorefield/program.h"

enum { MOST = 4096, DRAWS = 20000 };

static sfi_kernel kernel_of(sf_context *ctx, const char *text)
{
    sfi_kernel k;
    CHECK_OK(ctx, sfi_kernel_parse(ctx, &k, text));
    return k;
}

/* ln p at x = 0..count-1, and the parameters of the law. */
static void law(sf_context *ctx, const char *text, double x0, double t,
                int64_t count, double *logp, double *theta)
{
    const sfi_kernel k = kernel_of(ctx, text);
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node x = sf_input(g, "x", 0, NULL);
    const sf_node x0n = sf_param(g, "x0", 0, NULL);
    const sf_node tn = sf_param(g, "t", 0, NULL);
    sf_node nodes[SFI_KERNEL_THETA];
    k.ops->theta(&k, g, x0n, tn, nodes);
    const sf_output outputs[3] = {
        {sfi_kernel_at(&k, g, x, x0n, tn, SFI_VELOCITY_EXACT).logp, SF_EACH},
        {nodes[0], SF_EACH},
        {nodes[k.ops->theta_count - 1], SF_EACH}};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 3, outputs));
    sf_graph_free(g);
    static double at[MOST], first[MOST], last[MOST];
    for (int64_t i = 0; i < count; i++)
        at[i] = (double)i;
    const sf_source source = {
        .kind = SF_ROWS, .data = at, .dtype = SF_F64, .stride = 1};
    const void *const params[] = {&x0, &t};
    const sf_sink sinks[3] = {
        {logp, SF_F64, 1}, {first, SF_F64, 1}, {last, SF_F64, 1}};
    CHECK_OK(ctx, sf_program_run(p, count, &source, params, sinks));
    sf_program_free(p);
    theta[0] = first[0];
    theta[1] = last[0];
}

typedef struct place {
    const char *text;
    double x0, t;
} place;

static const place places[] = {
    {"poisson", 0.0, 0.3},          {"poisson", 3.7, 0.4},
    {"poisson", 7.0, 1.0},          {"poisson:scale=10", 8.0, 0.01},
    {"poisson:scale=0.01", 3, 0.5}, {"poisson", 2500.0, 0.2},
    {"binomial", 0.0, 0.3},         {"binomial", 7.0, 0.4},
    {"binomial", 7.0, 1.0},         {"binomial", 100.0, 1e-9},
    {"binomial", 3000.0, 0.35},     {"binomial", 40.0, 0.98}};

/* Logarithms of the plain formulas; at t = 1 nothing is left, and a datum
 * of 0 gives nothing. */
TEST(laws_have_the_known_values)
{
    sf_context *ctx = new_context();
    double p[10], theta[2];
    law(ctx, "poisson", 3.7, 0.4, 10, p, theta); /* of mean 2.22 */
    CHECK_CLOSE(p[0], -2.22, 1e-14);
    CHECK_CLOSE(p[3], -1.6192378815754913, 1e-13);
    CHECK_CLOSE(p[9], -7.844262717123774, 1e-13);
    law(ctx, "binomial", 7.0, 0.4, 10, p, theta);
    CHECK_CLOSE(p[0], -6.414035123119085, 1e-13);
    CHECK_CLOSE(p[3], -1.6422917373051786, 1e-13);
    CHECK_CLOSE(p[7], -3.575779366361935, 1e-13);
    CHECK(p[8] == -INFINITY && p[9] == -INFINITY);
    static const place empty[] = {{"poisson", 5.0, 1.0},
                                  {"poisson", 0.0, 0.5},
                                  {"binomial", 5.0, 1.0},
                                  {"binomial", 0.0, 0.5}};
    for (size_t i = 0; i < SFI_COUNT(empty); i++) {
        law(ctx, empty[i].text, empty[i].x0, empty[i].t, 3, p, theta);
        CHECK(p[0] == 0.0 && p[1] == -INFINITY && p[2] == -INFINITY);
    }
    sf_context_free(ctx);
}

/* Logarithms of factorials near 3000 have an error of 1e-12 or so. */
TEST(probabilities_sum_to_one)
{
    sf_context *ctx = new_context();
    static double p[MOST];
    double theta[2];
    for (size_t i = 0; i < SFI_COUNT(places); i++) {
        double sum = 0.0;
        law(ctx, places[i].text, places[i].x0, places[i].t, MOST, p, theta);
        for (int j = 0; j < MOST; j++)
            sum += exp(p[j]);
        CHECK_NEAR(sum, 1.0, 1e-10);
    }
    sf_context_free(ctx);
}

/* b(x | x0) = (x + 1) p(x + 1)/((1 - t) p(x)). */
TEST(births_are_deaths_seen_backward)
{
    sf_context *ctx = new_context();
    static double p[MOST];
    double theta[2];
    for (size_t i = 0; i < SFI_COUNT(places); i++) {
        const place *at = &places[i];
        const sfi_kernel k = kernel_of(ctx, at->text);
        law(ctx, at->text, at->x0, at->t, MOST, p, theta);
        for (int x = 0; x + 1 < MOST && at->t < 1.0; x++) {
            if (!(p[x] > -600.0))
                continue;
            const double want = exp(p[x + 1] - p[x]) * (x + 1) / (1.0 - at->t);
            CHECK_NEAR(k.ops->counts->birth(&k, x, at->x0, at->t), want,
                       1e-10 * (1.0 + want));
            CHECK(x <= k.ops->counts->most(&k, at->x0));
        }
    }
    sf_context_free(ctx);
}

/* Of those that are there at s each is still there at t with probability
 * (1 - t)/(1 - s). */
TEST(later_laws_are_earlier_ones_thinned)
{
    sf_context *ctx = new_context();
    static double early[200], late[200], thin[200];
    static const place pairs[] = {{"poisson:scale=2", 9.5, 0.3},
                                  {"binomial", 23.0, 0.3}};
    double theta[2];
    const double t = 0.72;
    for (size_t i = 0; i < SFI_COUNT(pairs); i++) {
        const place *at = &pairs[i];
        double got[200] = {0};
        law(ctx, at->text, at->x0, at->t, 200, early, theta);
        law(ctx, at->text, at->x0, t, 200, late, theta);
        for (int x = 0; x < 200; x++) {
            if (!(early[x] > -100.0))
                continue;
            law(ctx, "binomial", x, 1.0 - (1.0 - t) / (1.0 - at->t), 200, thin,
                theta);
            for (int y = 0; y < 200; y++)
                got[y] += exp(early[x] + thin[y]);
        }
        for (int y = 0; y < 200; y++)
            CHECK_NEAR(got[y], exp(late[y]), 1e-13);
    }
    sf_context_free(ctx);
}

static void count_at(int64_t *seen, double x)
{
    CHECK(x >= 0.0 && x < MOST && x == floor(x));
    seen[(int64_t)x]++;
}

TEST(draws_follow_the_law)
{
    sf_context *ctx = new_context();
    static double p[MOST];
    double theta[2];
    for (size_t i = 0; i < SFI_COUNT(places); i++) {
        const place *at = &places[i];
        const sfi_kernel k = kernel_of(ctx, at->text);
        static int64_t seen[MOST];
        memset(seen, 0, sizeof seen);
        law(ctx, at->text, at->x0, at->t, MOST, p, theta);
        for (int j = 0; j < MOST; j++)
            p[j] = exp(p[j]);
        for (uint64_t n = 0; n < DRAWS; n++)
            count_at(seen, k.ops->draw(&k, theta,
                                       (sfi_where){3, n, 0, SFI_STREAM_USER}));
        CHECK_FOLLOWS(seen, p, MOST);
    }
    sf_context_free(ctx);
}

/* From nothing at t = 1, in three pieces. */
TEST(births_make_the_law)
{
    sf_context *ctx = new_context();
    static double p[MOST];
    double theta[2];
    for (size_t i = 0; i < SFI_COUNT(places); i++) {
        const place *at = &places[i];
        const sfi_kernel k = kernel_of(ctx, at->text);
        static int64_t seen[MOST];
        memset(seen, 0, sizeof seen);
        law(ctx, at->text, at->x0, at->t, MOST, p, theta);
        for (int j = 0; j < MOST; j++)
            p[j] = exp(p[j]);
        const double times[] = {1.0, 1.0 - 0.4 * (1.0 - at->t),
                                1.0 - 0.6 * (1.0 - at->t), at->t};
        for (uint64_t n = 0; n < DRAWS; n++) {
            double x = 0.0;
            for (uint32_t s = 0; s < 3; s++)
                x += k.ops->counts->births(
                    &k, x, at->x0, times[s], times[s + 1],
                    (sfi_where){3, n, s, SFI_STREAM_USER});
            count_at(seen, x);
        }
        CHECK_FOLLOWS(seen, p, MOST);
    }
    sf_context_free(ctx);
}

/* Means and variances of numbers too large to be tabled, within five standard
 * errors: of a mean of N draws of variance v it is sqrt(v/N), of their variance
 * v sqrt(2/N). */
TEST(large_numbers_have_the_right_moments)
{
    enum { N = 4000 };
    static const double n = 0x1p40, p[] = {0.5, 1e-3, 1.0 - 1e-6};
    for (int c = 0; c < 4; c++) {
        double mean = 0.0, variance = 0.0;
        const double expect = c < 3 ? n * p[c] : 1e15;
        const double spread = c < 3 ? n * p[c] * (1.0 - p[c]) : 1e15;
        static double gap[N];
        for (int i = 0; i < N; i++) {
            const sfi_where where = {5, (uint64_t)i, (uint32_t)c,
                                     SFI_STREAM_USER};
            uint32_t component = 0;
            gap[i] = (c < 3 ? sfi_draw_binomial(n, p[c], where, &component)
                            : sfi_draw_poisson(expect, where, &component)) -
                     expect;
            mean += gap[i] / N;
        }
        for (int i = 0; i < N; i++)
            variance += (gap[i] - mean) * (gap[i] - mean) / N;
        CHECK_NEAR(mean, 0.0, 5.0 * sqrt(spread / N));
        CHECK_NEAR(variance, spread, 5.0 * spread * sqrt(2.0 / N));
    }
}

/* Nobody is to take a derivative of a law of counts for its score. */
TEST(counts_have_no_score_and_no_velocity)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    for (int i = 0; sfi_kernel_families[i] != NULL; i++) {
        const sfi_kernel_ops *ops = sfi_kernel_families[i];
        CHECK((!ops->discrete && ops->joint == NULL) ==
              (ops->velocity != NULL));
        CHECK(ops->discrete || ops->counts == NULL);
        if (ops->counts == NULL)
            continue;
        CHECK_OK(ctx, sf_graph_new(ctx, &g));
        const sfi_kernel k = kernel_of(ctx, ops->family);
        const sf_node x = sf_input(g, "x", 0, NULL);
        const sfi_kernel_nodes n =
            sfi_kernel_at_chart(&k, g, x, sf_const(g, 3.0), sf_const(g, 0.5),
                                SFI_VELOCITY_TRAINING);
        const sf_output outputs[] = {{n.logp, SF_EACH},
                                     {n.score, SF_EACH},
                                     {n.hessian, SF_EACH},
                                     {n.rate, SF_EACH},
                                     {n.velocity, SF_EACH}};
        sf_program *p = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 5, outputs));
        sf_graph_free(g);
        double one = 1.0, got[5];
        const sf_source source = {
            .kind = SF_ROWS, .data = &one, .dtype = SF_F64, .stride = 1};
        sf_sink sinks[5];
        for (int j = 0; j < 5; j++)
            sinks[j] = (sf_sink){&got[j], SF_F64, 1};
        CHECK_OK(ctx, sf_program_run(p, 1, &source, NULL, sinks));
        sf_program_free(p);
        CHECK(isfinite(got[0]));
        for (int j = 1; j < 5; j++)
            CHECK(isnan(got[j]));
    }
    sf_context_free(ctx);
}

TESTS(CASE(laws_have_the_known_values), CASE(probabilities_sum_to_one),
      CASE(births_are_deaths_seen_backward),
      CASE(later_laws_are_earlier_ones_thinned), CASE(draws_follow_the_law),
      CASE(births_make_the_law), CASE(large_numbers_have_the_right_moments),
      CASE(counts_have_no_score_and_no_velocity))
