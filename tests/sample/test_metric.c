/* SPDX-License-Identifier: Apache-2.0 */
/* test_metric.c - metrics: what they do, and what draws and scores make of them. */
#include "faults.h"
#include "num/linalg.h"
#include "sample/adapt.h"
#include "sample/score_metric.h"

enum { D = 12, PAIRS = 60, MOST = 12 };

static double normal(uint64_t i, uint32_t j)
{
    const sfi_where where = {3, i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

/* ---- distributions whose scores are known --------------------------------------- */

/* A normal distribution of covariance S (I + U'(L - I) U) S with three directions of
 * stretches 9, 1/16 and 1.2 among D; scales from 0.1 to 10. */
typedef struct law {
    double scale[D], u[3][D], stretch[3];
    double covariance[D * D];
} law;

static law make_law(void)
{
    law l = {.stretch = {9.0, 1.0 / 16.0, 1.2}};
    for (int k = 0; k < 3; k++) {
        for (int j = 0; j < D; j++)
            l.u[k][j] = normal((uint64_t)(900 + k), (uint32_t)j);
        for (int m = 0; m < k; m++) {
            const double part = sfi_dot(l.u[k], l.u[m], D);
            for (int j = 0; j < D; j++)
                l.u[k][j] -= part * l.u[m][j];
        }
        const double norm = sfi_norm(l.u[k], D);
        for (int j = 0; j < D; j++)
            l.u[k][j] /= norm;
    }
    for (int j = 0; j < D; j++)
        l.scale[j] = pow(10.0, 2.0 * j / (D - 1.0) - 1.0);
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            double sum = i == j;
            for (int k = 0; k < 3; k++)
                sum += (l.stretch[k] - 1.0) * l.u[k][i] * l.u[k][j];
            l.covariance[i * D + j] = sum * l.scale[i] * l.scale[j];
        }
    return l;
}

/* y <- S (I + U'(L^power - I) U) y, or with 1/S before it. */
static void apply(const law *l, double power, double *y)
{
    for (int j = 0; j < D && power < 0.0; j++)
        y[j] /= l->scale[j];
    for (int k = 0; k < 3; k++) {
        const double part =
            (pow(l->stretch[k], power) - 1.0) * sfi_dot(l->u[k], y, D);
        for (int j = 0; j < D; j++)
            y[j] += part * l->u[k][j];
    }
    for (int j = 0; j < D; j++)
        y[j] *= power > 0.0 ? l->scale[j] : 1.0 / l->scale[j];
}

/* A draw around 100, and the slope C^-1 (x - mean) there. */
static void draw_pair(const law *l, uint64_t i, double *x, double *slope)
{
    for (int j = 0; j < D; j++)
        x[j] = normal(i, (uint32_t)j);
    apply(l, 0.5, x);
    memcpy(slope, x, D * sizeof *x);
    apply(l, -1.0, slope);
    for (int j = 0; j < D; j++)
        x[j] += 100.0;
}

typedef struct setting {
    double pair_memory[2 * PAIRS * D];
    double metric_memory[2 * D + 2 * D * MOST + 4 * MOST + 2 * D * D];
    sfi_pairs pairs;
    sfi_metric m;
} setting;

/* A metric of this kind with the scales of a diagonal one, and pairs to fit it to. */
static void prepare(setting *s, const law *l, sf_metric kind, int64_t pairs)
{
    double memory[2][SFI_PAIR_MOMENTS * D], one[D], x[D], slope[D];
    sfi_pair_moments part[2];
    CHECK(sfi_metric_size(kind, D, MOST) <= SFI_COUNT(s->metric_memory));
    sfi_pairs_init(&s->pairs, D, PAIRS, s->pair_memory);
    sfi_metric_init(&s->m, kind, D, MOST, s->metric_memory);
    for (int k = 0; k < 2; k++)
        sfi_pair_moments_init(&part[k], D, memory[k]);
    for (int64_t i = 0; i < pairs; i++) {
        draw_pair(l, (uint64_t)i, x, slope);
        sfi_pairs_add(&s->pairs, x, slope);
        sfi_pair_moments_add(&part[i % 2], x, slope);
    }
    for (int j = 0; j < D; j++)
        one[j] = 1.0;
    if (pairs > 0)
        sfi_pair_moments_scale(part, one, s->m.scale);
}

/* The Fisher divergence of new draws. */
static double divergence(const law *l, const sfi_metric *m)
{
    double mean[D] = {0.0}, x[D], slope[D], residual[D];
    sfi_divergence d = {.dim = D, .mean = mean};
    CHECK(isnan(sfi_divergence_value(&d)));
    for (uint64_t i = 1000; i < 1100; i++) {
        draw_pair(l, i, x, slope);
        sfi_metric_residual(m, x, slope, residual);
        sfi_divergence_add(&d, residual);
    }
    return sfi_divergence_value(&d);
}

/* M^-1, column by column. */
static void inverse_of(const sfi_metric *m, double *out)
{
    double p[D] = {0.0};
    for (int j = 0; j < D; j++) {
        p[j] = 1.0;
        sfi_metric_velocity(m, p, out + j * D);
        p[j] = 0.0;
    }
}

static double worst(const double *a, const double *b, const law *l)
{
    double error = 0.0;
    for (int i = 0; i < D * D; i++)
        error = fmax(error,
                     fabs(a[i] - b[i]) / (l->scale[i / D] * l->scale[i % D]));
    return error;
}

/* ---- what a metric does ---------------------------------------------------------- */

/* Of rank 5 in 12 a product takes U and its transpose, of rank 7 the matrix. */
static void fill(setting *s, const law *l, int64_t rank)
{
    prepare(s, l, SF_METRIC_LOW_RANK, 0);
    memcpy(s->m.scale, l->scale, sizeof l->scale);
    for (int64_t k = 0; k < rank; k++)
        for (int64_t j = 0; j < D; j++)
            s->m.rows[k * D + j] = k < 3 ? l->u[k][j] : 0.0;
    for (int64_t k = 0; k < rank; k++)
        s->m.stretch[k] = k < 3 ? l->stretch[k] : 1.0;
    sfi_metric_set_rank(&s->m, rank);
}

TEST(products_are_with_the_covariance)
{
    const law l = make_law();
    setting s;
    double inverse[D * D];
    for (int64_t rank = 3; rank <= 7; rank += 4) {
        fill(&s, &l, rank);
        CHECK(s.m.kind == SF_METRIC_LOW_RANK);
        inverse_of(&s.m, inverse);
        CHECK(worst(inverse, l.covariance, &l) < 1e-13);
        CHECK_NEAR(divergence(&l, &s.m), 0.0, 1e-20);
    }
    sfi_metric_set_rank(&s.m, 0);
    inverse_of(&s.m, inverse);
    for (int i = 0; i < D * D; i++)
        CHECK_NEAR(inverse[i],
                   i % (D + 1) == 0 ? l.scale[i / D] * l.scale[i / D] : 0.0,
                   1e-12);
    CHECK(sfi_metric_work(12, 6) == 12.0 * 76.0);
    CHECK(sfi_metric_work(12, 7) == 12.0 * 76.0);
    CHECK(sfi_metric_work(12, 3) == 12.0 * 70.0);
    CHECK(sfi_metric_step_work(&s.m) == 12.0 * 64.0);
}

/* With p ~ N(0, M) velocities M^-1 p have the covariance M^-1, and p' M^-1 p is a
 * chi-squared variable of D degrees. */
TEST(momenta_have_the_mass_matrix)
{
    enum { N = 20000 };
    const law l = make_law();
    sf_context *ctx = new_context();
    static setting s[4];
    prepare(&s[0], &l, SF_METRIC_DIAGONAL, PAIRS);
    fill(&s[1], &l, 3);
    fill(&s[2], &l, 7);
    prepare(&s[3], &l, SF_METRIC_DENSE, PAIRS);
    CHECK_OK(ctx, sfi_metric_fit(ctx, &s[3].m, SF_METRIC_DENSE, &s[3].pairs,
                                 PAIRS, 0.0));
    CHECK(s[3].m.kind == SF_METRIC_DENSE);
    for (int k = 0; k < 4; k++) {
        double want[D * D], sums[D * D] = {0}, squares = 0.0, p[D], v[D];
        inverse_of(&s[k].m, want);
        for (uint32_t i = 0; i < N; i++) {
            sfi_metric_draw(&s[k].m, (sfi_where){1, 5, i, SFI_STREAM_MOMENTUM},
                            p);
            sfi_metric_velocity(&s[k].m, p, v);
            squares += sfi_dot(p, v, D) / N;
            for (int a = 0; a < D * D; a++)
                sums[a] += v[a / D] * v[a % D] / N;
        }
        /* Five standard errors. */
        CHECK_NEAR(squares, D, 5.0 * sqrt(2.0 * D / N));
        for (int a = 0; a < D * D; a++) {
            const double both = want[a / D * (D + 1)] * want[a % D * (D + 1)] +
                                want[a] * want[a];
            CHECK_NEAR(sums[a], want[a], 5.0 * sqrt(both / N));
        }
    }
    sf_context_free(ctx);
}

/* ---- what draws and scores make of it --------------------------------------------- */

/* Two pairs a component, and the dense metric is the covariance to rounding, whatever
 * the draws were. */
TEST(the_dense_metric_of_a_normal_distribution_is_its_covariance)
{
    const law l = make_law();
    sf_context *ctx = new_context();
    setting s;
    double inverse[D * D];
    prepare(&s, &l, SF_METRIC_DENSE, PAIRS);
    CHECK(divergence(&l, &s.m) > 0.5);
    CHECK_OK(ctx,
             sfi_metric_fit(ctx, &s.m, SF_METRIC_DENSE, &s.pairs, 2 * D, 0.0));
    CHECK(s.m.kind == SF_METRIC_DENSE);
    inverse_of(&s.m, inverse);
    CHECK(worst(inverse, l.covariance, &l) < 1e-9);
    CHECK_NEAR(divergence(&l, &s.m), 0.0, 1e-9);
    sf_context_free(ctx);
}

/* In scales other than the distribution's own nothing is of rank 3, but what is left
 * is within the cutoff: no more than 2 + 1/2 - 2 a component.  AUTO takes smaller ones
 * too, where they cost nothing beside a gradient, and none where they cost more. */
TEST(a_low_rank_is_found_and_judged)
{
    const law l = make_law();
    sf_context *ctx = new_context();
    setting s;
    prepare(&s, &l, SF_METRIC_LOW_RANK, PAIRS);
    const double diagonal = divergence(&l, &s.m);
    CHECK_OK(ctx, sfi_metric_fit(ctx, &s.m, SF_METRIC_LOW_RANK, &s.pairs, PAIRS,
                                 0.0));
    CHECK(s.m.kind == SF_METRIC_LOW_RANK);
    const int64_t rank = s.m.rank;
    CHECK(rank >= 2 && rank < D);
    const double low = divergence(&l, &s.m);
    CHECK(low < 0.5 && low < 0.5 * diagonal);
    for (int64_t k = 0; k < rank; k++)
        CHECK(s.m.stretch[k] >= 2.0 || s.m.stretch[k] <= 0.5);
    prepare(&s, &l, SF_METRIC_AUTO, PAIRS);
    CHECK_OK(ctx,
             sfi_metric_fit(ctx, &s.m, SF_METRIC_AUTO, &s.pairs, PAIRS, 1e6));
    CHECK(s.m.rank >= rank);
    CHECK(divergence(&l, &s.m) < low);
    sf_context_free(ctx);
}

/* Draws and scores that have nothing to do with each other show directions in plenty,
 * none of which is there in the pairs that were held back. */
TEST(chance_directions_are_not_kept)
{
    const law l = make_law();
    sf_context *ctx = new_context();
    setting s;
    double x[D], slope[D], scale[D];
    prepare(&s, &l, SF_METRIC_AUTO, 0);
    for (uint64_t i = 0; i < PAIRS; i++) {
        for (int j = 0; j < D; j++) {
            x[j] = normal(i, (uint32_t)j);
            slope[j] = x[j] + 0.7 * normal(i + 5000, (uint32_t)j);
        }
        sfi_pairs_add(&s.pairs, x, slope);
    }
    memcpy(scale, s.m.scale, sizeof scale);
    CHECK_OK(ctx,
             sfi_metric_fit(ctx, &s.m, SF_METRIC_AUTO, &s.pairs, PAIRS, 1e6));
    CHECK(s.m.kind == SF_METRIC_DIAGONAL && s.m.rank == 0);
    /* The middle eigenvalue is all that was learnt. */
    for (int j = 1; j < D; j++)
        CHECK_CLOSE(s.m.scale[j] / scale[j], s.m.scale[0] / scale[0], 1e-14);
    sf_context_free(ctx);
}

/* Pairs are kept in a ring: the last ones count, and no others. */
TEST(a_fit_is_of_the_last_pairs)
{
    const law l = make_law();
    sf_context *ctx = new_context();
    static setting a, b;
    double x[D], slope[D], before[D * D], after[D * D];
    prepare(&a, &l, SF_METRIC_DENSE, PAIRS);
    prepare(&b, &l, SF_METRIC_DENSE, 0);
    memcpy(b.m.scale, a.m.scale, D * sizeof *a.m.scale);
    for (int j = 0; j < D; j++)
        x[j] = slope[j] = 1e6 * j;
    for (int i = 0; i < PAIRS - 7; i++)
        sfi_pairs_add(&b.pairs, x, slope);
    for (int i = 0; i < 40; i++) {
        draw_pair(&l, (uint64_t)(PAIRS - 40 + i), x, slope);
        sfi_pairs_add(&b.pairs, x, slope);
    }
    CHECK_OK(ctx,
             sfi_metric_fit(ctx, &a.m, SF_METRIC_DENSE, &a.pairs, 40, 0.0));
    CHECK_OK(ctx,
             sfi_metric_fit(ctx, &b.m, SF_METRIC_DENSE, &b.pairs, 40, 0.0));
    inverse_of(&a.m, before);
    inverse_of(&b.m, after);
    CHECK(memcmp(before, after, sizeof after) == 0);
    sf_context_free(ctx);
}

/* A chain that did not move, and one of 19 draws. */
TEST(what_shows_no_metric_changes_none)
{
    const law l = make_law();
    sf_context *ctx = new_context();
    const sf_metric kinds[] = {SF_METRIC_AUTO, SF_METRIC_LOW_RANK,
                               SF_METRIC_DENSE};
    for (size_t k = 0; k < SFI_COUNT(kinds); k++) {
        setting s;
        double x[D] = {1.0}, slope[D] = {2.0}, scale[D];
        prepare(&s, &l, kinds[k], 19);
        memcpy(scale, s.m.scale, sizeof scale);
        CHECK_OK(ctx,
                 sfi_metric_fit(ctx, &s.m, kinds[k], &s.pairs, PAIRS, 1e6));
        for (int i = 0; i < PAIRS; i++)
            sfi_pairs_add(&s.pairs, x, slope);
        CHECK_OK(ctx,
                 sfi_metric_fit(ctx, &s.m, kinds[k], &s.pairs, PAIRS, 1e6));
        CHECK(s.m.kind == SF_METRIC_DIAGONAL);
        CHECK(memcmp(scale, s.m.scale, sizeof scale) == 0);
    }
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    const law l = make_law();
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const sf_metric kinds[] = {SF_METRIC_LOW_RANK, SF_METRIC_DENSE};
    for (size_t k = 0; k < SFI_COUNT(kinds); k++) {
        setting s;
        prepare(&s, &l, kinds[k], PAIRS);
        sf_status status = SF_E_NOMEM;
        while (NEXT_FAULT(&faults, status)) {
            /* 24 pairs span more than D components, 4 of them none. */
            status = sfi_metric_fit(ctx, &s.m, kinds[k], &s.pairs, 24, 0.0);
            CHECK(status == SF_OK || s.m.kind == SF_METRIC_DIAGONAL);
        }
        CHECK(faults.tries <= 12);
        CHECK(s.m.kind == kinds[k]);
    }
    sf_context_free(ctx);
}

TESTS(CASE(products_are_with_the_covariance),
      CASE(momenta_have_the_mass_matrix),
      CASE(the_dense_metric_of_a_normal_distribution_is_its_covariance),
      CASE(a_low_rank_is_found_and_judged),
      CASE(chance_directions_are_not_kept), CASE(a_fit_is_of_the_last_pairs),
      CASE(what_shows_no_metric_changes_none), CASE(every_allocation_may_fail))
