/* SPDX-License-Identifier: Apache-2.0 */
/* test_data_law.c - the ways of computing a mixture agree: pairs by programs, the
 * streamed reduction, velocities by their nodes and from tables. */
#include "check.h"
#include "model/mixture.h"

enum { N = 37, M = 50, D = 2 };

typedef struct answers {
    double logp[M], score[M * D], velocity[M * D], denoised[M * D],
        jacobian[M * D * D], divergence[M];
} answers;

static void ask(sf_context *ctx, const char *text, const double *data,
                const double *y, double t, const sfi_mixture_options *o,
                const int64_t *without, answers *a)
{
    static const char *const names[] = {"a", "b"};
    sfi_noise noise;
    sfi_mixture *p = NULL;
    CHECK_OK(ctx, sfi_noise_parse(ctx, &noise, text, D, names, NULL));
    CHECK_OK(ctx,
             sfi_mixture_new(ctx, &p, &noise, (sf_cmat){data, N, D, D}, o));
    const sfi_mixture_want want = {.logp = a->logp,
                                   .score = {a->score, M, D, D},
                                   .velocity = {a->velocity, M, D, D},
                                   .denoised = {a->denoised, M, D, D},
                                   .jacobian = {a->jacobian, M, D * D, D * D},
                                   .divergence = a->divergence,
                                   .without = without};
    CHECK_OK(ctx, sfi_mixture_run(p, (sf_cmat){y, M, D, D}, t, &want));
    sfi_mixture_free(p);
    sfi_noise_free(ctx, &noise);
}

static void fill(double *x, int count, double low, double width, int seed)
{
    for (int i = 0; i < count; i++)
        x[i] = low + width * fmod(0.5 + 0.6180339887498949 * (i + seed) +
                                      0.3819660112501051 * (i % D) * seed,
                                  1.0);
}

static void check_same(const double *got, const double *want, int count,
                       double tolerance)
{
    for (int i = 0; i < count; i++)
        CHECK_NEAR(got[i], want[i], tolerance * (1.0 + fabs(want[i])));
}

/* Times of the data's own, all alike, go by pairs; else Gaussian noise goes
 * through the reduction. */
TEST(the_reduction_and_the_pairs_agree)
{
    static const char *const texts[] = {
        "gaussian:path=linear,sigma=0.7", "gaussian:path=vp,sigma=1.3",
        "gaussian:path=ve,sigma=1",
        "a=gaussian:path=vp,sigma=2; b=lognormal:path=vp,sigma=0.6"};
    static const double times[] = {1.0, 0.5, 0.06};
    static double data[N * D], y[M * D], least[N], weights[N];
    static answers pairs, reduced;
    int64_t without[M];
    sf_context *ctx = new_context();
    fill(data, N * D, 0.2, 3.0, 3);
    fill(y, M * D, -2.0, 7.0, 11);
    for (int i = 0; i < N; i++) {
        least[i] = 0.01;
        weights[i] = 0.3 * (i % 5);
    }
    for (int i = 0; i < M; i++)
        without[i] = i % 3 ? i % N : -1;
    for (size_t k = 0; k < SFI_COUNT(texts); k++)
        for (size_t j = 0; j < SFI_COUNT(times); j++)
            for (int weighted = 0; weighted < 2; weighted++) {
                sfi_mixture_options o = {.least_all = 0.01,
                                         .how = SFI_VELOCITY_EXACT,
                                         .spread = true};
                o.log_weights = weighted ? weights : NULL;
                ask(ctx, texts[k], data, y, times[j], &o, without, &reduced);
                o.least = least;
                ask(ctx, texts[k], data, y, times[j], &o, without, &pairs);
                const double tol = 1e-7; /* a path may end at t = 1 */
                check_same(reduced.logp, pairs.logp, M, tol);
                check_same(reduced.score, pairs.score, M * D, tol);
                check_same(reduced.velocity, pairs.velocity, M * D, tol);
                check_same(reduced.denoised, pairs.denoised, M * D, tol);
                check_same(reduced.jacobian, pairs.jacobian, M * D * D, tol);
                check_same(reduced.divergence, pairs.divergence, M, tol);
            }
    sf_context_free(ctx);
}

/* Without velocities, exponential families go through the reduction too. */
TEST(families_give_what_pairs_give)
{
    static const char *const texts[] = {
        "gaussian:path=vp,sigma=1.3",
        "lognormal:path=linear,sigma=0.7",
        "gamma:shape=2,mean=1.5",
        "a=vonmises:kappa=2; b=gamma:shape=1,mean=1",
        "a=beta:concentration=3,mean=0.4; b=gaussian:path=ve,sigma=1",
        "mvgaussian:path=linear,sigma=0.8"};
    static const double times[] = {1.0, 0.5, 0.06};
    static double data[N * D], y[M * D], least[N], weights[N], logp[M],
        score[M * D], jacobian[M * D * D], denoised[M * D];
    static answers pairs;
    static const char *const names[] = {"a", "b"};
    int64_t without[M];
    sf_context *ctx = new_context();
    fill(data, N * D, 0.05, 0.9, 3);
    fill(y, M * D, -2.0, 4.0, 11);
    for (int i = 0; i < N; i++) {
        least[i] = 0.03 + 0.2 * (i % 4);
        weights[i] = 0.3 * (i % 5);
    }
    for (int i = 0; i < M; i++)
        without[i] = i % 3 ? i % N : -1;
    for (size_t k = 0; k < SFI_COUNT(texts); k++)
        for (size_t j = 0; j < SFI_COUNT(times); j++)
            for (int weighted = 0; weighted < 2; weighted++) {
                const sfi_mixture_options o = {.log_weights =
                                                   weighted ? weights : NULL,
                                               .least = least,
                                               .how = SFI_VELOCITY_EXACT};
                ask(ctx, texts[k], data, y, times[j], &o, without, &pairs);
                sfi_noise noise;
                sfi_mixture *p = NULL;
                CHECK_OK(ctx, sfi_noise_parse(ctx, &noise, texts[k], D, names,
                                              NULL));
                CHECK_OK(ctx, sfi_mixture_new(ctx, &p, &noise,
                                              (sf_cmat){data, N, D, D}, &o));
                const sfi_mixture_want want = {
                    .logp = logp,
                    .score = {score, M, D, D},
                    .jacobian = {jacobian, M, D * D, D * D},
                    .denoised = {denoised, M, D, D},
                    .without = without};
                CHECK_OK(ctx, sfi_mixture_run(p, (sf_cmat){y, M, D, D},
                                              times[j], &want));
                check_same(logp, pairs.logp, M, 1e-11);
                check_same(score, pairs.score, M * D, 1e-9);
                check_same(jacobian, pairs.jacobian, M * D * D, 1e-7);
                check_same(denoised, pairs.denoised, M * D, 1e-9);
                sfi_mixture_free(p);
                sfi_noise_free(ctx, &noise);
            }
    sf_context_free(ctx);
}

/* Of gamma and von Mises the dear part is read from a table, where f32 is enough;
 * far from all data its steps grow, but only relative to a velocity that is
 * large there too. */
TEST(tables_give_the_velocities_of_their_nodes)
{
    static const char *const texts[] = {"gamma:shape=1,mean=1.5",
                                        "vonmises:kappa=1",
                                        "a=gamma:shape=9,mean=2; b=vonmises"};
    static const double times[] = {0.7, 1.0, 0.2, 0.03, 0.2};
    static double data[N * D], y[M * D];
    static answers exact, tabled;
    sf_context *ctx = new_context();
    fill(data, N * D, 0.1, 3.0, 3);
    fill(y, M * D, -2.5, 5.0, 7);
    for (size_t k = 0; k < SFI_COUNT(texts); k++)
        for (size_t j = 0; j < SFI_COUNT(times); j++) {
            sfi_mixture_options o = {.least_all = 0.01,
                                     .how = SFI_VELOCITY_EXACT};
            ask(ctx, texts[k], data, y, times[j], &o, NULL, &exact);
            o.how = SFI_VELOCITY_TRAINING;
            ask(ctx, texts[k], data, y, times[j], &o, NULL, &tabled);
            check_same(tabled.velocity, exact.velocity, M * D, 5e-6);
            check_same(tabled.divergence, exact.divergence, M, 1e-4);
            check_same(tabled.score, exact.score, M * D, 1e-12);
        }
    sf_context_free(ctx);
}

/* Against a plain loop: what is left of a posterior is told, and drawn. */
TEST(posterior_weights_are_told_and_drawn_from)
{
    enum { DRAWS = 20000, MOST = 3 };
    static const double data[4] = {0.0, 1.0, 1.5, 4.0};
    static double y[DRAWS], uniform[DRAWS], weight[DRAWS * MOST];
    static int64_t drawn[DRAWS], datum[DRAWS * MOST];
    static const char *const names[] = {"a"};
    double share[4] = {0}, exact[4], sum = 0.0;
    sf_context *ctx = new_context();
    sfi_noise noise;
    sfi_mixture *p = NULL;
    CHECK_OK(ctx, sfi_noise_parse(ctx, &noise, "laplace:path=ve,scale=1", 1,
                                  names, NULL));
    const sfi_mixture_options o = {.least_all = 0.01};
    CHECK_OK(ctx,
             sfi_mixture_new(ctx, &p, &noise, (sf_cmat){data, 4, 1, 1}, &o));
    for (int i = 0; i < DRAWS; i++) {
        y[i] = 1.2;
        uniform[i] = (i + 0.5) / DRAWS;
    }
    const sfi_mixture_want want = {.most = MOST,
                                   .datum = datum,
                                   .weight = weight,
                                   .uniform = uniform,
                                   .drawn = drawn};
    CHECK_OK(ctx, sfi_mixture_run(p, (sf_cmat){y, DRAWS, 1, 1}, 0.8, &want));
    for (int i = 0; i < 4; i++)
        sum += exact[i] = exp(-fabs(1.2 - data[i]) / 0.8);
    for (int i = 0; i < DRAWS; i++)
        share[drawn[i]] += 1.0 / DRAWS;
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(share[i], exact[i] / sum, 2.0 / DRAWS);
    CHECK(datum[0] == 1 && datum[1] == 2 && datum[2] == 0);
    for (int k = 0; k < MOST; k++)
        CHECK_CLOSE(weight[k], exact[datum[k]] / sum, 1e-12);
    sfi_mixture_free(p);
    sfi_noise_free(ctx, &noise);
    sf_context_free(ctx);
}

/* Nothing explains a point at which every density is 0; one far away is
 * explained by what is nearest. */
TEST(points_out_of_reach_are_safe)
{
    static const char *const names[] = {"a"};
    const double data[] = {0.0, 1.0}, y[] = {1e30, -1e6, NAN, 0.5};
    double logp[4], score[4];
    sf_context *ctx = new_context();
    sfi_noise noise;
    sfi_mixture *p = NULL;
    CHECK_OK(ctx, sfi_noise_parse(ctx, &noise, "laplace:path=ve,scale=1", 1,
                                  names, NULL));
    const sfi_mixture_options o = {.least_all = 1e-4};
    CHECK_OK(ctx,
             sfi_mixture_new(ctx, &p, &noise, (sf_cmat){data, 2, 1, 1}, &o));
    const sfi_mixture_want want = {.logp = logp, .score = {score, 4, 1, 1}};
    CHECK_OK(ctx, sfi_mixture_run(p, (sf_cmat){y, 4, 1, 1}, 0.0, &want));
    CHECK(isfinite(logp[1]) && isfinite(logp[3]));
    CHECK_CLOSE(score[1], 1e4, 1e-9);
    CHECK(isnan(logp[2]) && isnan(score[2]));
    sfi_mixture_free(p);
    sfi_noise_free(ctx, &noise);
    sf_context_free(ctx);
}

TESTS(CASE(the_reduction_and_the_pairs_agree),
      CASE(families_give_what_pairs_give),
      CASE(tables_give_the_velocities_of_their_nodes),
      CASE(posterior_weights_are_told_and_drawn_from),
      CASE(points_out_of_reach_are_safe))
