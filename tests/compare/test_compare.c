/* SPDX-License-Identifier: Apache-2.0 */
/* The whole report: columns and projections with known distances, and the
 * verdict on tables that were copied, jittered, collapsed, or honestly drawn. */
#include "faults.h"
#include "base/random.h"
#include "compare/compare.h"

enum { MAX_N = 4000, MAX_D = 8 };

static double x[MAX_N * MAX_D], y[MAX_N * MAX_D], z[MAX_N * MAX_D];

static double normal(uint64_t seed, int64_t i, uint32_t j)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

static void fill(double *t, uint64_t seed, int64_t n, int64_t d)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < d; j++)
            t[i * d + j] = normal(seed, i, (uint32_t)j) +
                           (j == 1 ? normal(seed, i, 0) : 0.0);
    }
}

static sf_compare_report *compare(sf_context *ctx, int64_t n, int64_t m,
                                  int64_t d, const sf_compare_options *o)
{
    sf_compare_report *r = NULL;
    const sf_cmat a = {x, n, d, d}, b = {y, m, d, d};
    CHECK_OK(ctx, sf_compare(ctx, &r, a, b, o));
    return r;
}

/* ---- distances on the line ---- */

TEST(gaps_of_small_samples_are_known)
{
    /* F jumps at 0, 1, 2, 3 and G at 0.5 and 3 (by halves).  F - G is 1/4 on
     * (0, .5), -1/4 on (.5, 1), 0 on (1, 2), 1/4 on (2, 3). */
    const double a[4] = {0, 1, 2, 3}, b[2] = {0.5, 3};
    const sfi_gap gap = sfi_distribution_gap(a, 4, b, 2);
    CHECK_NEAR(gap.ks, 0.25, 0.0);
    CHECK_NEAR(gap.wasserstein, 0.5, 1e-15);
    CHECK_NEAR(gap.energy, 2.0 * (0.5 + 0.5 + 1.0) / 16.0, 1e-15);
    /* Quantiles pair 0-.5, 1-.5, 2-3, 3-3, a quarter each. */
    CHECK_NEAR(gap.w2_squared, (0.25 + 0.25 + 1.0 + 0.0) / 4.0, 1e-15);
    /* The same law with other multiplicities: no gap at all, ties included. */
    const double c[6] = {1, 1, 2, 2, 5, 5}, e[3] = {1, 2, 5};
    const sfi_gap none = sfi_distribution_gap(c, 6, e, 3);
    CHECK(none.ks == 0.0 && none.wasserstein == 0.0 && none.energy == 0.0 &&
          none.w2_squared == 0.0);
    /* Apart: D = 1, W1 = 4. */
    const double l[1] = {-1}, h[2] = {3, 3};
    const sfi_gap apart = sfi_distribution_gap(l, 1, h, 2);
    CHECK(apart.ks == 1.0);
    CHECK_NEAR(apart.wasserstein, 4.0, 1e-15);
    CHECK_NEAR(apart.w2_squared, 16.0, 1e-14);
    /* Symmetric. */
    const sfi_gap back = sfi_distribution_gap(b, 2, a, 4);
    CHECK(back.ks == gap.ks && back.energy == gap.energy);
    CHECK_NEAR(back.w2_squared, gap.w2_squared, 1e-15);
}

/* A uniform grid i/n, shifted by k/n + half a step, is k + 1 steps ahead right
 * after each of its points: D = (k + 1)/n.  W1 is the shift. */
TEST(a_shifted_grid_has_known_distances)
{
    enum { N = 100, K = 7 };
    double a[N], b[N];
    for (int i = 0; i < N; i++) {
        a[i] = (double)i / N;
        b[i] = a[i] + (K + 0.5) / N;
    }
    const sfi_gap gap = sfi_distribution_gap(a, N, b, N);
    CHECK_NEAR(gap.ks, (K + 1.0) / N, 1e-15);
    CHECK_NEAR(gap.wasserstein, (K + 0.5) / N, 1e-14);
    CHECK_NEAR(gap.w2_squared, (K + 0.5) * (K + 0.5) / N / N, 1e-14);
}

/* Kolmogorov's distribution: Q(1.358099) = 0.05 and Q(1.627624) = 0.01; with
 * n = m = 2e8 the root is 1e4 and the correction 1.2e-5 of it. */
TEST(kolmogorov_probabilities_are_the_tabulated_ones)
{
    const int64_t n = 200000000;
    CHECK_NEAR(sfi_kolmogorov_p(1.358099e-4 / 1.000012, n, n), 0.05, 1e-6);
    CHECK_NEAR(sfi_kolmogorov_p(1.627624e-4 / 1.000012, n, n), 0.01, 1e-6);
    CHECK(sfi_kolmogorov_p(0.0, 10, 10) == 1.0);
    CHECK_NEAR(sfi_kolmogorov_p(1.0, 1000, 1000), 0.0, 1e-100);
}

static double exact_p(const double *a, int64_t n, const double *b, int64_t m)
{
    static double work[1000];
    const sfi_gap gap = sfi_distribution_gap(a, n, b, m);
    assert_true(n + 2 * m + 1 <= (int64_t)SFI_COUNT(work));
    return sfi_kolmogorov_exact(gap.ks_steps, a, n, b, m, work);
}

/* Samples that are apart: two of the C(n+m, n) orders have D = 1. */
TEST(samples_that_are_apart_have_two_orders)
{
    const double low[] = {1, 2, 3, 4, 5}, high[] = {6, 7, 8, 9, 10};
    CHECK_CLOSE(exact_p(low, 3, high, 3), 2.0 / 20.0, 1e-15);
    CHECK_CLOSE(exact_p(low, 5, high, 5), 2.0 / 252.0, 1e-15);
    CHECK_CLOSE(exact_p(high, 2, low, 4), 2.0 / 15.0, 1e-15);
    CHECK(exact_p(low, 4, low, 4) == 1.0);
}

/* Without ties the orders are counted by lattice paths in whole numbers
 * (Python's). */
TEST(kolmogorov_probabilities_are_exact_where_there_are_no_ties)
{
    static const struct {
        int64_t n, m, steps;
        double p;
    } known[] = {{7, 12, 40, 0.18172977693101533},
                 {30, 40, 360, 0.076204610247205484},
                 {100, 90, 2250, 0.004251589908751895},
                 {100, 100, 9000, 4.9588895840601192e-43}};
    static double a[100], b[100], work[400];
    for (int i = 0; i < 100; i++) {
        a[i] = 2 * i;
        b[i] = 2 * i + 1;
    }
    for (size_t k = 0; k < SFI_COUNT(known); k++)
        CHECK_CLOSE(sfi_kolmogorov_exact(known[k].steps, a, known[k].n, b,
                                         known[k].m, work),
                    known[k].p, 1e-13);
    CHECK(sfi_kolmogorov_is_exact(1000, 1000));
    CHECK(!sfi_kolmogorov_is_exact(1000, 1001));
}

/* With ties: every way of giving labels to the values is tried. */
TEST(ties_are_given_to_the_probability)
{
    enum { N = 4, M = 5, ALL = N + M };
    for (int trial = 0; trial < 200; trial++) {
        double joined[ALL], of[2][ALL];
        for (int i = 0; i < ALL; i++)
            joined[i] =
                floor(4.0 * sfi_uniform_at((sfi_where){77, (uint64_t)trial, 0,
                                                       SFI_STREAM_USER},
                                           (uint32_t)i));
        int64_t observed = 0, all = 0, at_least = 0;
        double p = NAN;
        for (int labels = (1 << N) - 1; labels < 1 << ALL; labels++) {
            int64_t count[2] = {0, 0};
            for (int i = 0; i < ALL; i++) {
                double *to = of[labels >> i & 1 ? 0 : 1];
                int64_t at = count[labels >> i & 1 ? 0 : 1]++;
                for (; at > 0 && to[at - 1] > joined[i]; at--)
                    to[at] = to[at - 1];
                to[at] = joined[i];
            }
            if (count[0] != N)
                continue;
            const int64_t steps =
                sfi_distribution_gap(of[0], N, of[1], M).ks_steps;
            if (all++ == 0) {
                observed = steps;
                p = exact_p(of[0], N, of[1], M);
            }
            at_least += steps >= observed;
        }
        CHECK(all == 126);
        CHECK_CLOSE(p, (double)at_least / (double)all, 1e-14);
    }
}

TEST(probabilities_of_quantiles_are_listed)
{
    CHECK(sf_compare_probability(4) == 0.5 && isnan(sf_compare_probability(9)));
}

/* ---- the report ---- */

/* y is x shifted by (1, 2, -3): every column's W1 is its shift, correlations are
 * equal, and W2 along a direction u is |u . shift|.  Directions come in frames
 * of three, over which the squares add up to |shift|^2 exactly. */
TEST(a_shifted_table_has_known_distances)
{
    enum { N = 1000, D = 3 };
    static const double shift[D] = {1.0, 2.0, -3.0};
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    for (int i = 0; i < N * D; i++)
        y[i] = x[i] + shift[i % D];
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    o.raw = true;
    o.projections = 300;
    sf_compare_report *r = compare(ctx, N, N, D, &o);
    CHECK(r->cols == D && r->rows[0] == N && r->rows[1] == N);
    for (int j = 0; j < D; j++) {
        const sf_compare_column *c = &r->column[j];
        CHECK_NEAR(c->wasserstein, fabs(shift[j]), 1e-12);
        CHECK_NEAR(c->mean[1] - c->mean[0], shift[j], 1e-13);
        CHECK_NEAR(c->sd[1], c->sd[0], 1e-13);
        for (int q = 0; q < SF_COMPARE_QUANTILES; q++)
            CHECK_NEAR(c->quantile[1][q] - c->quantile[0][q], shift[j], 1e-13);
        CHECK(c->ks > 0.3 && c->ks_p < 1e-6 && c->distinct[0] == N);
        CHECK(r->scale[j] == 1.0);
    }
    CHECK_NEAR(r->correlation_max, 0.0, 1e-13);
    CHECK(r->projections == 300);
    CHECK_NEAR(r->sliced_w2, sqrt(14.0 / 3.0), 1e-12);
    /* The mean of |u . shift| over the sphere in 3 dimensions is |shift|/2. */
    CHECK_NEAR(r->sliced_w1, sqrt(14.0) / 2.0, 5.0 * r->sliced_w1_se);
    CHECK(r->sliced_w1_se < 0.1);
    CHECK_NEAR(r->test.p, 1.0 / 200.0, 1e-15);
    CHECK(r->energy.distance > 10.0 * r->test.null_95);
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

/* Units do not matter: columns multiplied by powers of ten leave all that joins
 * columns as it was (to rounding), since it works in units of real's sd. */
TEST(joined_distances_do_not_depend_on_units)
{
    enum { N = 400, M = 300, D = 3 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    fill(y, 2, M, D);
    sf_compare_report *r = compare(ctx, N, M, D, NULL);
    for (int i = 0; i < N * D; i++)
        x[i] *= i % D == 0 ? 1e6 : i % D == 1 ? 1e-3 : 1.0;
    for (int i = 0; i < M * D; i++)
        y[i] *= i % D == 0 ? 1e6 : i % D == 1 ? 1e-3 : 1.0;
    sf_compare_report *s = compare(ctx, N, M, D, NULL);
    CHECK_NEAR(r->energy.distance, s->energy.distance, 1e-12);
    CHECK_NEAR(r->sliced_w1, s->sliced_w1, 1e-12);
    CHECK_NEAR(r->sliced_w2, s->sliced_w2, 1e-12);
    CHECK_NEAR(r->copies.dcr[1][4], s->copies.dcr[1][4], 1e-12);
    CHECK(r->test.p == s->test.p);
    CHECK_CLOSE(s->column[0].wasserstein, 1e6 * r->column[0].wasserstein,
                1e-12);
    CHECK_CLOSE(s->scale[0], 1e6 * r->scale[0], 1e-12);
    CHECK_CLOSE(r->scale[1], r->column[1].sd[0], 1e-15);
    sf_compare_report_free(ctx, s);
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

/* corr(x0, x1) is 1/sqrt(2) in real and, with the sign of x1 turned, -1/sqrt(2)
 * in synthetic; a standard error of a correlation is (1 - r^2)/sqrt(n) = .011. */
TEST(correlations_are_compared)
{
    enum { N = 2000, D = 2 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    fill(y, 2, N, D);
    for (int i = 0; i < N; i++)
        y[i * D + 1] = -y[i * D + 1];
    sf_compare_report *r = compare(ctx, N, N, D, NULL);
    CHECK_NEAR(r->correlation[0][1], sqrt(0.5), 5.0 * 0.011);
    CHECK_NEAR(r->correlation[1][2], -sqrt(0.5), 5.0 * 0.011);
    CHECK(r->correlation[0][0] == 1.0 && r->correlation[1][3] == 1.0);
    CHECK_NEAR(r->correlation_max, r->correlation[0][1] - r->correlation[1][1],
               1e-15);
    CHECK_NEAR(r->correlation_rms, r->correlation_max, 1e-15);
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

TEST(a_column_that_does_not_vary_does_no_harm)
{
    enum { N = 300, D = 2 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    fill(y, 2, N, D);
    for (int i = 0; i < N; i++) {
        x[i * D + 1] = 0.1; /* not a double: its mean is rounded */
        y[i * D + 1] = i % 2 == 0 ? 0.1 : 0.4;
    }
    sf_compare_report *r = compare(ctx, N, N, D, NULL);
    CHECK(r->column[1].sd[0] == 0.0 && r->scale[1] == 1.0);
    CHECK(r->column[1].distinct[0] == 1 && r->column[1].distinct[1] == 2);
    CHECK(r->correlation[0][1] == 0.0 && r->correlation[0][3] == 1.0);
    CHECK_NEAR(r->column[1].ks, 0.5, 1e-15);
    CHECK_NEAR(r->column[1].wasserstein, 0.15, 1e-15);
    CHECK(isfinite(r->energy.distance) && isfinite(r->sliced_w1));
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

/* ---- the verdicts ---- */

/* `nearer` has a mean of 1/2 with the reported standard error if its draws were
 * independent; distances to one table of reals are nearly so. */
TEST(an_honest_sample_raises_no_flag)
{
    enum { N = 1500, D = 3 };
    sf_context *ctx = new_context();
    for (uint64_t seed = 0; seed < 5; seed++) {
        fill(x, 10 * seed + 1, N, D);
        fill(y, 10 * seed + 2, N, D);
        sf_compare_report *r = compare(ctx, N, N, D, NULL);
        CHECK(!r->copies.suspicious && !r->copies.repetitive);
        CHECK(r->copies.copies == 0 && r->copies.duplicates[1] == 0);
        CHECK(r->copies.reference_copies == 0 && !r->copies.held_out);
        CHECK_NEAR(r->copies.nearer, 0.5, 4.0 * r->copies.nearer_se);
        CHECK(r->test.p > 0.005);
        CHECK(fabs(r->energy.unbiased) < 0.01);
        sf_compare_report_free(ctx, r);
    }
    sf_context_free(ctx);
}

/* Each of the 300 has three chances of 3e-5 to be suspicious if nothing was
 * copied: 0.03 in all, and the seeds are fixed.  With the quantile of 40 rows
 * taken as exact, one in sixteen was.  Copies with noise of a thousandth are
 * found all the same. */
TEST(halves_of_a_small_table_are_not_suspicious)
{
    enum { N = 40, D = 2, TRIALS = 300 };
    sf_context *ctx = new_context();
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    o.permutations = o.projections = 0;
    double squares = 0.0, small = 0.0;
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        fill(x, 2 * seed + 1, N, D);
        fill(y, 2 * seed + 2, N, D);
        sf_compare_report *r = compare(ctx, N, N, D, &o);
        CHECK(!r->copies.suspicious);
        const double off = (r->copies.nearer - 0.5) / r->copies.nearer_se;
        squares += off * off;
        small += r->copies.closer_p < 0.05;
        sf_compare_report_free(ctx, r);
        if (seed >= 20)
            continue;
        for (int i = 0; i < N * D; i++)
            y[i] = x[i] + 1e-3 * normal(3, i, 0);
        r = compare(ctx, N, N, D, &o);
        CHECK(r->copies.suspicious && r->copies.closer_p < 1e-5);
        sf_compare_report_free(ctx, r);
    }
    /* One within five standard errors, sqrt(2/300), and not much less: 0.96 was
     * found in 2000 trials.  Of p below 0.05 there are fewer than in 20. */
    CHECK_NEAR(squares / TRIALS, 0.96, 5.0 * sqrt(2.0 / TRIALS));
    CHECK(small / TRIALS < 0.05 && small > 0.0);
    sf_context_free(ctx);
}

TEST(what_has_no_square_is_refused)
{
    enum { N = 20, D = 2 };
    sf_context *ctx = new_context();
    sf_compare_report *r = NULL;
    const sf_cmat a = {x, N, D, D}, b = {y, N, D, D};
    fill(x, 1, N, D);
    fill(y, 2, N, D);
    y[3] = 1e160;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, NULL), SF_E_NUMERIC,
                "compare: column 2 of 2 goes from ");
    CHECK(r == NULL);
    y[3] = 1e100;
    for (int i = 0; i < N; i++)
        x[i * D + 1] *= 1e-60;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, NULL), SF_E_NUMERIC,
                "standard deviations of real, whose squares are out of range");
    /* What is far apart but has squares is compared. */
    fill(x, 1, N, D);
    CHECK_OK(ctx, sf_compare(ctx, &r, a, b, NULL));
    CHECK(isfinite(r->energy.distance) && isfinite(r->column[1].sd[1]));
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

/* 600 rows, 600 records and 4: room for 1.2e6 asks 500, the least. */
TEST(the_work_of_looking_for_records_has_a_bound)
{
    enum { N = 600, D = 3 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    fill(y, 2, N, D);
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    o.permutations = o.projections = 0;
    static const struct {
        double work;
        int64_t rows;
    } cases[] = {{1.0, 500}, {550.0 * N * (D + 1), 550}, {2e10, N}, {0, N}};
    for (size_t k = 0; k < SFI_COUNT(cases); k++) {
        o.max_work = cases[k].work;
        sf_compare_report *r = compare(ctx, N, N, D, &o);
        CHECK(r->copies.rows[0] == cases[k].rows);
        CHECK(r->copies.rows[1] == cases[k].rows);
        CHECK(r->copies.reference_rows == N);
        sf_compare_report_free(ctx, r);
    }
    o.max_work = NAN;
    sf_compare_report *r = NULL;
    const sf_cmat a = {x, N, D, D}, b = {y, N, D, D};
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_ARG,
                "max_work is nan");
    sf_context_free(ctx);
}

TEST(copies_and_repetitions_are_counted_and_flagged)
{
    enum { N = 1000, M = 800, D = 3 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    fill(y, 2, M, D);
    memcpy(y + 5 * D, x + 17 * D, D * sizeof *y); /* one copied row */
    sf_compare_report *r = compare(ctx, N, M, D, NULL);
    CHECK(r->copies.copies == 1 && r->copies.suspicious);
    CHECK(r->copies.duplicates[1] == 0 && !r->copies.repetitive);
    CHECK(r->copies.dcr[1][0] == 0.0 && r->copies.dcr[0][0] > 0.0);
    sf_compare_report_free(ctx, r);

    for (int i = 100; i < 110; i++) /* that row ten times more */
        memcpy(y + i * D, x + 17 * D, D * sizeof *y);
    r = compare(ctx, N, M, D, NULL);
    CHECK(r->copies.copies == 11);
    CHECK(r->copies.duplicates[1] == 10 && r->copies.repetitive);
    CHECK(r->copies.duplicates[0] == 0);
    sf_compare_report_free(ctx, r);

    fill(y, 2, M, D); /* a negative zero is a zero */
    x[7 * D + 1] = 0.0;
    memcpy(y + 3 * D, x + 7 * D, D * sizeof *y);
    y[3 * D + 1] = -0.0;
    r = compare(ctx, N, M, D, NULL);
    CHECK(r->copies.copies == 1);
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

/* A third of the rows are real ones with noise of 0.001 sd: no row is equal, but
 * they lie far nearer than real rows lie to each other. */
TEST(jittered_copies_are_flagged)
{
    enum { N = 1000, D = 4 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    fill(y, 2, N, D);
    for (int i = 0; i < N / 3 * D; i++)
        y[i] = x[i] + 1e-3 * normal(3, i, 0);
    sf_compare_report *r = compare(ctx, N, N, D, NULL);
    CHECK(r->copies.copies == 0 && r->copies.suspicious);
    CHECK_NEAR(r->copies.closer, 1.0 / 3.0 + 0.05 * 2.0 / 3.0, 0.05);
    CHECK_NEAR(r->copies.nearer, 1.0 / 3.0 + 0.5 * 2.0 / 3.0, 0.05);
    CHECK(r->copies.dcr[1][3] < 0.01 && r->copies.dcr[0][3] > 0.1);
    sf_compare_report_free(ctx, r);

    /* The same verdict with held-out rows as the reference. */
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    fill(z, 4, 700, D);
    const sf_cmat held = {z, 700, D, D};
    o.held_out = held;
    o.permutations = o.projections = 0;
    r = compare(ctx, N, N, D, &o);
    CHECK(r->copies.held_out && r->copies.reference_rows == 700);
    CHECK(r->copies.rows[0] == 700 && r->copies.suspicious);
    CHECK(r->test.permutations == 0 && isnan(r->test.p));
    CHECK(r->projections == 0 && isnan(r->sliced_w1));
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

/* Three dice: 216 different rows, so honest samples repeat rows of each other
 * and of themselves, as the reference does. */
TEST(equal_rows_of_discrete_columns_are_no_copies)
{
    enum { N = 900, D = 3 };
    sf_context *ctx = new_context();
    for (int i = 0; i < N * D; i++) {
        const sfi_where where = {8, (uint64_t)i, 0, SFI_STREAM_USER};
        x[i] = floor(6.0 * sfi_uniform_at(where, 0));
        y[i] = floor(6.0 * sfi_uniform_at(where, 1));
        z[i] = floor(6.0 * sfi_uniform_at(where, 2));
    }
    sf_compare_report *r = compare(ctx, N, N, D, NULL);
    CHECK(r->copies.copies > 800 && r->copies.reference_copies > 800);
    CHECK(r->copies.duplicates[0] > 600 && r->copies.duplicates[1] > 600);
    CHECK(!r->copies.suspicious && !r->copies.repetitive);
    CHECK_NEAR(r->copies.nearer, 0.5, 0.02); /* nearly all are ties, at 0 */
    sf_compare_report_free(ctx, r);
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    const sf_cmat held = {z, N, D, D};
    o.held_out = held;
    r = compare(ctx, N, N, D, &o);
    CHECK(r->copies.reference_copies > 800 && !r->copies.suspicious);
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

/* Equal rows against counting all pairs. */
TEST(equal_rows_match_the_definition)
{
    enum { N = 60, M = 50, H = 40, D = 2 };
    sf_context *ctx = new_context();
    for (int i = 0; i < N * D; i++) {
        const sfi_where where = {9, (uint64_t)i, 0, SFI_STREAM_USER};
        x[i] = floor(9.0 * sfi_uniform_at(where, 0));
        y[i] = floor(9.0 * sfi_uniform_at(where, 1));
        z[i] = floor(9.0 * sfi_uniform_at(where, 2));
    }
    const sf_cmat t[3] = {{x, N, D, D}, {y, M, D, D}, {z, H, D, D}};
    int64_t copies = 0, held_copies = 0, own = 0, duplicates[2] = {0};
    for (int k = 0; k < 3; k++) {
        for (int64_t i = 0; i < t[k].rows; i++) {
            const double *a = t[k].data + i * D;
            bool in_real = false, earlier = false;
            for (int64_t j = 0; j < N; j++) {
                const bool same = x[j * D] == a[0] && x[j * D + 1] == a[1];
                in_real = in_real || (same && !(k == 0 && i == j));
            }
            for (int64_t j = 0; j < i; j++) {
                const double *b = t[k].data + j * D;
                earlier = earlier || (a[0] == b[0] && a[1] == b[1]);
            }
            copies += k == 1 && in_real;
            held_copies += k == 2 && in_real;
            own += k == 0 && in_real;
            if (k < 2)
                duplicates[k] += earlier;
        }
    }
    sf_compare_copies c;
    for (int with = 0; with < 2; with++) {
        memset(&c, 0, sizeof c);
        const sf_cmat held = {z, with ? H : 0, D, D};
        CHECK_OK(ctx, sfi_compare_equal_rows(ctx, &c, t, held));
        CHECK(c.copies == copies && c.duplicates[0] == duplicates[0] &&
              c.duplicates[1] == duplicates[1]);
        CHECK(c.reference_copies == (with ? held_copies : own));
        CHECK(c.reference_rows == (with ? H : N) && c.held_out == with);
    }
    sf_context_free(ctx);
}

/* ---- the rest ---- */

static void blank_pointers(sf_compare_report *r)
{
    r->column = NULL;
    r->scale = r->correlation[0] = r->correlation[1] = NULL;
}

TEST(threads_do_not_change_a_bit_and_the_seed_does)
{
    enum { N = 600, M = 500, D = 5 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    fill(y, 2, M, D);
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    o.max_rows = 300;
    o.test_rows = 100;
    static const int threads[] = {1, 2, 7, 1};
    sf_compare_report *r[4];
    for (int k = 0; k < 4; k++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        o.seed = k == 3;
        r[k] = compare(ctx, N, M, D, &o);
        CHECK(r[k]->energy_rows[0] == 300 && r[k]->energy_rows[1] == 300);
        CHECK(r[k]->test.rows[0] == 100 && r[k]->copies.rows[1] == 300);
        CHECK(memcmp(r[0]->column, r[k]->column, D * sizeof *r[0]->column) ==
              0);
        CHECK(memcmp(r[0]->correlation[1], r[k]->correlation[1],
                     D * D * sizeof(double)) == 0);
    }
    CHECK(r[3]->energy.distance != r[0]->energy.distance);
    CHECK(r[3]->sliced_w1 != r[0]->sliced_w1);
    for (int k = 1; k < 3; k++) {
        sf_compare_report a = *r[0], b = *r[k];
        blank_pointers(&a);
        blank_pointers(&b);
        CHECK(memcmp(&a.energy, &b.energy, sizeof a.energy) == 0);
        CHECK(memcmp(&a.test, &b.test, sizeof a.test) == 0);
        CHECK(memcmp(&a.copies, &b.copies, sizeof a.copies) == 0);
        CHECK(a.sliced_w1 == b.sliced_w1 && a.sliced_w2 == b.sliced_w2);
    }
    for (int k = 0; k < 4; k++)
        sf_compare_report_free(ctx, r[k]);
    sf_compare_report_free(ctx, NULL);
    sf_context_free(ctx);
}

/* Of two equal tables the same part would have distance 0, and hide how much a
 * part leaves to chance. */
TEST(the_parts_of_two_tables_are_chosen_apart)
{
    enum { N = 600, D = 2 };
    sf_context *ctx = new_context();
    fill(x, 1, N, D);
    memcpy(y, x, sizeof y);
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    o.max_rows = o.test_rows = 100;
    sf_compare_report *r = compare(ctx, N, N, D, &o);
    CHECK(r->energy.distance > 1e-3 && r->test.distance > 1e-3);
    CHECK(r->test.p > 0.005);
    CHECK(r->column[0].ks == 0.0 && r->copies.copies == N);
    sf_compare_report_free(ctx, r);
    o.max_rows = o.test_rows = 0;
    r = compare(ctx, N, N, D, &o);
    CHECK_NEAR(r->energy.distance, 0.0, 1e-13);
    CHECK(r->test.p == 1.0 && r->energy_rows[1] == N);
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

static bool stop_at_two(void *user, const sf_progress *progress)
{
    (void)user;
    return strcmp(progress->stage, "compare") == 0 && progress->step < 6;
}

TEST(arguments_are_checked_and_it_can_be_stopped)
{
    sf_context *ctx = new_context();
    fill(x, 1, 10, 2);
    fill(y, 2, 10, 2);
    const sf_cmat a = {x, 10, 2, 2};
    sf_cmat b = {y, 1, 2, 2};
    sf_compare_report *r = NULL;
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_SHAPE,
                "synthetic [1, 2]");
    b.rows = 10;
    o.max_rows = 1;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_ARG, "max_rows is 1");
    o.max_rows = 0;
    o.test_rows = -1;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_ARG,
                "test_rows is -1");
    o.test_rows = 0;
    o.permutations = -1;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_ARG,
                "permutations is -1");
    o.permutations = 9;
    o.projections = 100001;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_ARG,
                "projections is 100001");
    o.projections = 2;
    const sf_cmat held = {z, 3, 1, 1};
    o.held_out = held;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_SHAPE,
                "held_out [3, 1]");
    o.held_out.rows = 0;
    y[5] = INFINITY;
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_NUMERIC,
                "compare: synthetic: row 2, column 1 is inf");
    y[5] = 1.0;
    sf_context_set_progress(ctx, stop_at_two, NULL);
    CHECK_FAILS(ctx, sf_compare(ctx, &r, a, b, &o), SF_E_CANCELLED,
                "compare: stopped at");
    CHECK(r == NULL);
    sf_context_set_progress(ctx, NULL, NULL);
    CHECK_OK(ctx, sf_compare(ctx, &r, a, b, &o));
    sf_compare_report_free(ctx, r);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    fill(x, 1, 40, 2);
    fill(y, 2, 30, 2);
    fill(z, 3, 20, 2);
    const sf_cmat a = {x, 40, 2, 2}, b = {y, 30, 2, 2}, held = {z, 20, 2, 2};
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    o.held_out = held;
    o.permutations = 9;
    sf_compare_report *r = NULL;
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        status = sf_compare(ctx, &r, a, b, &o);
        CHECK(status == SF_OK || r == NULL);
        sf_compare_report_free(ctx, r);
    }
    CHECK(faults.tries > 30);
    sf_context_free(ctx);
}

TESTS(CASE(gaps_of_small_samples_are_known),
      CASE(a_shifted_grid_has_known_distances),
      CASE(kolmogorov_probabilities_are_the_tabulated_ones),
      CASE(samples_that_are_apart_have_two_orders),
      CASE(kolmogorov_probabilities_are_exact_where_there_are_no_ties),
      CASE(ties_are_given_to_the_probability),
      CASE(probabilities_of_quantiles_are_listed),
      CASE(a_shifted_table_has_known_distances),
      CASE(joined_distances_do_not_depend_on_units),
      CASE(correlations_are_compared),
      CASE(a_column_that_does_not_vary_does_no_harm),
      CASE(an_honest_sample_raises_no_flag),
      CASE(halves_of_a_small_table_are_not_suspicious),
      CASE(what_has_no_square_is_refused),
      CASE(the_work_of_looking_for_records_has_a_bound),
      CASE(copies_and_repetitions_are_counted_and_flagged),
      CASE(jittered_copies_are_flagged),
      CASE(equal_rows_of_discrete_columns_are_no_copies),
      CASE(equal_rows_match_the_definition),
      CASE(threads_do_not_change_a_bit_and_the_seed_does),
      CASE(the_parts_of_two_tables_are_chosen_apart),
      CASE(arguments_are_checked_and_it_can_be_stopped),
      CASE(every_allocation_may_fail))
