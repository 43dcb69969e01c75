/* SPDX-License-Identifier: Apache-2.0 */
/* Whole rows of any kinds of columns: distances and copies with known answers, honest
 * tables within standard errors, and what learns from rows. */
#include "frames_check.h"
#include "compare/mmd.h"

/* ---- rows ---- */

/* Three real and four synthetic rows of a number and a category: distances, transport and
 * coverage by definition.  The range of real is 1. */
TEST(whole_rows_have_known_distances)
{
    static const double rx[] = {0, 1, 0.5}, rc[] = {0, 0, 1};
    static const double sx[] = {0.1, 0.9, 0.4, 1.2}, sc[] = {1, 0, 0, 1};
    static const char *const ba[] = {"b", "a"};
    static const double first[] = {0.1, 0.4, 0.1, 0.2};
    static const double second[] = {0.9, 1.1, 1.4, 1.2};
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("x", rx), texts("c", rc, 2, abcd)};
    const sf_frame_column b[] = {numbers("x", sx), texts("c", sc, 2, ba)};
    sf_frame *real = frame(ctx, 3, 2, a), *synthetic = frame(ctx, 4, 2, b);
    sf_frames_report *r = compare(ctx, real, synthetic, NULL);
    CHECK_CLOSE(r->joint.transport[0], 0.3666666666666667, 1e-9);
    CHECK(r->joint.transport_parts[0] == 1 && isnan(r->joint.transport[1]));
    CHECK(r->joint.transport_rows[0][0] == 3);
    CHECK(r->joint.transport_rows[0][1] == 4);
    CHECK(r->joint.coverage[0] == 1.0 && isnan(r->joint.coverage[1]));
    CHECK(r->copies.copies == 0 && !r->copies.held_out && r->inference == NULL);
    CHECK_CLOSE(r->copies.dcr[1][0], 0.1, 1e-12);
    CHECK_CLOSE(r->copies.dcr[1][8], 0.4, 1e-12);
    CHECK_CLOSE(r->closeness_ratio, 0.15 / 1.0, 1e-12);
    CHECK(r->second_neighbour[1] == 1.0); /* .1/.9, .4/1.1, .1/1.4, .2/1.2 */
    sf_frames_report_free(ctx, r);

    const sf_frame *const frames[SFI_TABLES] = {real, synthetic, NULL};
    sfi_mixed m;
    sfi_gower g[2];
    double nearest[4], next[4];
    CHECK_OK(ctx, sfi_mixed_new(ctx, &m, frames, NULL, 0));
    for (int k = 0; k < 2; k++)
        CHECK_OK(ctx, sfi_gower_new(ctx, &g[k], &m, k));
    sfi_gower_nearest(ctx, nearest, next, &g[1], 4, &g[0]);
    for (int i = 0; i < 4; i++) {
        CHECK_CLOSE(nearest[i], first[i], 1e-9);
        CHECK_CLOSE(next[i], second[i], 1e-9);
    }
    for (int k = 0; k < 2; k++)
        sfi_gower_free(ctx, &g[k]);
    sfi_mixed_free(ctx, &m);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* By definition, with bandwidth 1; without one it is the median of positive distances. */
TEST(the_mean_discrepancy_is_known)
{
    static const double joined[] = {-1.11, -0.38, 2.04, 0.65,  0.66,  -0.51,
                                    -1.65, 0.17,  0.11, -1.23, -0.68, -0.07};
    static const double three[] = {0, 1, 0, 3}, same[] = {2, 2, 2, 2, 2};
    static const int64_t rows[] = {5, 7}, two[] = {2, 2}, five[] = {2, 3};
    sf_context *ctx = new_context();
    sfi_mmd mmd;
    const sf_cmat all = {joined, 12, 1, 1}, few = {three, 4, 1, 1};
    const sf_cmat one = {same, 5, 1, 1};
    CHECK_OK(ctx, sfi_mmd_test(ctx, &mmd, all, rows, 1.0, 0, 0));
    CHECK_CLOSE(mmd.squared, 0.03270248226454675, 1e-9);
    CHECK(mmd.bandwidth == 1.0 && isnan(mmd.p));
    CHECK_OK(ctx, sfi_mmd_test(ctx, &mmd, few, two, 0.0, 0, 0));
    CHECK(mmd.bandwidth == 2.0); /* of 1 1 2 3 3 */
    CHECK_OK(ctx, sfi_mmd_test(ctx, &mmd, one, five, 0.0, 9, 0));
    CHECK(mmd.squared == 0.0 && mmd.p == 1.0);
    sf_context_free(ctx);
}

/* Of 5 + 5 rows that are apart, 2 of the 252 labellings are as far: of 2999 at random
 * about 24, with a standard error of 5. */
TEST(the_test_counts_labellings)
{
    double joined[10];
    static const int64_t rows[] = {5, 5};
    sf_context *ctx = new_context();
    sfi_mmd mmd;
    for (int i = 0; i < 10; i++)
        joined[i] = i < 5 ? uniform(1, i) : 10.0 + uniform(1, i);
    const sf_cmat all = {joined, 10, 1, 1};
    CHECK_OK(ctx, sfi_mmd_test(ctx, &mmd, all, rows, 1.0, 2999, 3));
    CHECK_NEAR(mmd.p, 24.8 / 3000.0, 5.0 * 4.9 / 3000.0);
    CHECK(mmd.squared > 1.0);
    sf_context_free(ctx);
}

/* Distances of rows with missing cells and angles, by the definition. */
TEST(missing_cells_and_angles_have_distances)
{
    static const double rx[] = {0, 10, NAN}, ra[] = {350, 90, NAN};
    static const double rc[] = {0, NAN, 1}, constant[] = {3, 3, 3};
    static const double sx[] = {5, NAN}, sa[] = {10, NAN}, sc[] = {0, NAN};
    static const double other[] = {3, 4};
    static const double want[2][3] = {
        {0.5 + 20.0 / 180.0, 0.5 + 80.0 / 180 + 1, 3.0},
        {1 + 1 + 1 + 1, 1 + 1 + 0 + 1, 0 + 0 + 1 + 1}};
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("x", rx), numbers("a", ra),
                                 texts("c", rc, 2, abcd),
                                 numbers("k", constant)};
    const sf_frame_column b[] = {numbers("x", sx), numbers("a", sa),
                                 texts("c", sc, 2, abcd), numbers("k", other)};
    sf_frame *real = frame(ctx, 3, 4, a), *synthetic = frame(ctx, 2, 4, b);
    const sf_frame *const frames[SFI_TABLES] = {real, synthetic, NULL};
    const sf_circle circle = {1, 360.0};
    sfi_mixed m;
    sfi_gower g[2];
    double got[3], scratch[3];
    CHECK_OK(ctx, sfi_mixed_new(ctx, &m, frames, &circle, 1));
    for (int k = 0; k < 2; k++)
        CHECK_OK(ctx, sfi_gower_new(ctx, &g[k], &m, k));
    for (int i = 0; i < 2; i++) {
        sfi_gower_distances(got, scratch, &g[1], i, &g[0], 0, 3);
        for (int k = 0; k < 3; k++)
            CHECK_NEAR(got[k], want[i][k], 1e-14);
    }
    for (int k = 0; k < 2; k++)
        sfi_gower_free(ctx, &g[k]);
    sfi_mixed_free(ctx, &m);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Rows of three independent uniform numbers and a category, of which `jitter` makes
 * copies of the table of another seed. */
static sf_frame *cloud(sf_context *ctx, double (*x)[MOST], uint64_t seed,
                       int64_t rows, double jitter)
{
    for (int i = 0; i < rows; i++) {
        const uint64_t of = jitter >= 0.0 ? 1 : seed;
        for (uint64_t j = 0; j < 3; j++)
            x[j][i] = uniform(10 * of + j, i) +
                      fmax(jitter, 0.0) * (uniform(10 * seed + j, i) - 0.5);
        x[3][i] = floor(4.0 * uniform(10 * of + 3, i));
    }
    const sf_frame_column a[] = {numbers("x", x[0]), numbers("y", x[1]),
                                 numbers("z", x[2]), texts("c", x[3], 4, abcd)};
    return frame(ctx, rows, 4, a);
}

/* Honest rows: the ratio of medians of 300 and 300 nearest distances has a standard
 * error of about 1.25 sqrt(2/300) times their coefficient of variation, .35: .036; and
 * the attacker's advantage is within 4.5 of its standard errors (4 columns, twice). */
TEST(honest_rows_are_no_closer_than_held_out_ones)
{
    enum { N = 600, M = 300 };
    static double x[3][4][MOST];
    sf_context *ctx = new_context();
    sf_frame *real = cloud(ctx, x[0], 1, N, -1.0);
    sf_frame *drawn = cloud(ctx, x[1], 2, M, -1.0);
    sf_frame *held = cloud(ctx, x[2], 3, M, -1.0);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    o.held_out = held;
    sf_frames_report *r = compare(ctx, real, drawn, &o);
    CHECK(r->copies.held_out && !r->copies.suspicious);
    CHECK_NEAR(r->closeness_ratio, 1.0, 5.0 * 0.036);
    CHECK_NEAR(r->copies.closer, 0.05, 5.0 * sqrt(2 * 0.05 * 0.95 / M));
    CHECK_NEAR(r->second_neighbour[1], r->second_neighbour[0], 0.12);
    CHECK_NEAR(r->joint.transport[0], r->joint.transport[1], 0.03);
    CHECK(r->joint.mmd_p[0] > 0.004 && r->joint.mmd_p[1] > 0.004);
    CHECK_NEAR(r->joint.mmd[0], 0.0, 0.01);
    /* Not covered if the two nearest of all 899 are both of real. */
    for (int p = 0; p < 2; p++)
        CHECK_NEAR(r->joint.coverage[p], 1.0 - 4.0 / 9.0, 0.12);
    for (int j = 0; j < 4; j++) {
        const sf_frames_inference *f = &r->inference[j];
        CHECK(f->rows[0] == N && f->rows[1] == M);
        CHECK_NEAR(f->advantage, 0.0, 4.5 * f->advantage_se);
    }
    /* A quarter of the categories are guessed, and of the numbers those within .1 sd to
     * both sides, .2/sqrt(12). */
    CHECK_NEAR(r->inference[3].success[1], 0.25, 5.0 * sqrt(0.19 / M));
    CHECK_NEAR(r->inference[0].success[1], 0.2 / sqrt(12.0),
               5.0 * sqrt(0.06 / M));
    CHECK(r->column[0].singular == N && r->column[0].reproduced[0] == 0);
    sf_frames_report_free(ctx, r);
    sf_frame_free(held);
    sf_frame_free(drawn);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Copies with noise of a hundredth of the range: the attacker knows nearly all of real, and
 * of held-out rows what chance gives.  Exact copies have ratio 0 and are counted. */
TEST(copies_are_found_out)
{
    enum { N = 300 };
    static double x[4][4][MOST];
    sf_context *ctx = new_context();
    sf_frame *real = cloud(ctx, x[0], 1, N, -1.0);
    sf_frame *noisy = cloud(ctx, x[1], 2, N, 0.01);
    sf_frame *held = cloud(ctx, x[2], 3, N, -1.0);
    sf_frame *copy = cloud(ctx, x[3], 4, N, 0.0);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    o.held_out = held;
    sf_frames_report *r = compare(ctx, real, noisy, &o);
    CHECK(r->copies.suspicious && r->copies.copies == 0);
    CHECK(r->closeness_ratio < 0.15 && r->copies.closer > 0.9);
    CHECK(r->second_neighbour[1] > 0.9 && r->second_neighbour[0] < 0.4);
    CHECK(r->joint.transport[0] < 0.02 && r->joint.transport[1] > 0.1);
    CHECK(r->joint.coverage[0] == 1.0);
    for (int j = 0; j < 4; j++)
        CHECK(r->inference[j].success[0] > 0.9 &&
              r->inference[j].success[1] < 0.4);
    sf_frames_report_free(ctx, r);
    r = compare(ctx, real, copy, &o);
    CHECK(r->copies.copies == N && r->copies.suspicious);
    CHECK(r->closeness_ratio == 0.0 && r->column[1].reproduced[0] == N);
    CHECK(r->column[1].reproduced[1] == 0 && r->column[3].singular == 0);
    CHECK(r->joint.transport[0] < 1e-12);
    sf_frames_report_free(ctx, r);
    sf_frame_free(copy);
    sf_frame_free(held);
    sf_frame_free(noisy);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Above 2000 rows transport is a mean over five parts, and where there are held-out
 * rows as many synthetic ones take part; less work is fewer rows, but 500. */
TEST(large_tables_enter_in_part)
{
    enum { N = 2100, M = 900, H = 550 };
    static double x[N], y[N];
    for (int i = 0; i < N; i++) {
        x[i] = uniform(1, i);
        y[i] = uniform(2, i);
    }
    sf_context *ctx = new_context();
    const sf_frame_column a = numbers("x", x), b = numbers("x", y);
    sf_frame *real = frame(ctx, N, 1, &a), *drawn = frame(ctx, M, 1, &b);
    sf_frame *held = frame(ctx, H, 1, &b);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    o.held_out = held;
    o.max_work = 1.0;
    sf_frames_report *r = compare(ctx, real, drawn, &o);
    for (int p = 0; p < 2; p++) {
        CHECK(r->joint.transport_parts[p] == 5);
        CHECK(r->joint.transport_rows[p][0] == 2000);
        CHECK(r->joint.transport_rows[p][1] == H);
        CHECK(r->joint.transport_sd[p] > 0.0);
        CHECK(r->joint.coverage_rows[p][0] == 500);
        CHECK(r->joint.coverage_rows[p][1] == 500);
        CHECK(r->copies.rows[p] == 500);
        CHECK(r->inference[0].rows[p] == 500);
    }
    /* E W1 of uniform samples of n and m is about .31 sqrt(1/n + 1/m). */
    CHECK(r->joint.transport[0] > 0.005 && r->joint.transport[0] < 0.03);
    sf_frames_report_free(ctx, r);
    sf_frame_free(held);
    sf_frame_free(drawn);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* ---- what learns from rows ---- */

static double normal(uint64_t seed, int64_t i)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, 0);
}

static void two_normals(double (*x)[MOST], uint64_t seed, double shift)
{
    for (int i = 0; i < MOST; i++) {
        x[0][i] = normal(seed, i) + shift;
        x[1][i] = 3.0 * normal(seed + 1000, i);
    }
}

/* So many levels that those which are common are so by chance. */
static sf_frame *many_levels(sf_context *ctx, double *x, uint64_t seed,
                             int64_t rows)
{
    enum { LEVELS = 90 };
    static char texts_of[LEVELS][4];
    static const char *levels[LEVELS];
    for (int l = 0; l < LEVELS; l++) {
        snprintf(texts_of[l], sizeof texts_of[l], "%d", l);
        levels[l] = texts_of[l];
    }
    for (int i = 0; i < rows; i++)
        x[i] = floor(LEVELS * uniform(seed, i));
    const sf_frame_column a = texts("c", x, LEVELS, levels);
    return frame(ctx, rows, 1, &a);
}

/* Under one distribution z = (AUC - 1/2)/se has mean 0 and variance 1, whatever was
 * learned: over 60 trials the mean is within 5/sqrt(60) and the mean square within
 * 5 sqrt(2/60) of 1 for both learners; scores of neighbours are tied, which only
 * lessens it. */
static void check_null(bool levels)
{
    enum { TRIALS = 60, ROWS = 60 };
    static double x[2][2][MOST];
    double sum[SF_LEARNERS] = {0.0}, squares[SF_LEARNERS] = {0.0};
    sf_context *ctx = new_context();
    sf_compare_options none = SF_COMPARE_OPTIONS_INIT;
    none.permutations = none.projections = 0;
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    o.numbers = &none;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        sf_frame *f[2];
        for (uint64_t k = 0; k < 2; k++) {
            const uint64_t seed = 2 * trial + k;
            two_normals(x[k], seed, 0.0);
            const sf_frame_column a[] = {numbers("x", x[k][0]),
                                         numbers("y", x[k][1])};
            f[k] = levels ? many_levels(ctx, x[k][0], seed, 2 * ROWS)
                          : frame(ctx, ROWS, 2, a);
        }
        sf_frames_report *r = compare(ctx, f[0], f[1], &o);
        for (int l = 0; l < SF_LEARNERS; l++) {
            const double z =
                (r->two_sample.auc[l][0] - 0.5) / r->two_sample.auc_se[0];
            sum[l] += z;
            squares[l] += z * z;
        }
        sf_frames_report_free(ctx, r);
        for (int k = 0; k < 2; k++)
            sf_frame_free(f[k]);
    }
    for (int l = 0; l < SF_LEARNERS; l++) {
        CHECK_NEAR(sum[l] / TRIALS, 0.0, 5.0 / sqrt(TRIALS));
        CHECK(squares[l] / TRIALS < 1.0 + 5.0 * sqrt(2.0 / TRIALS));
        CHECK(squares[l] / TRIALS > (levels ? 0.0 : 0.4));
    }
    sf_context_free(ctx);
}

TEST(rows_of_one_distribution_are_not_told_apart)
{
    check_null(false);
}

TEST(nor_are_they_by_levels_that_are_common_by_chance)
{
    check_null(true);
}

/* Normal numbers that differ by their mean alone: the best score is the number itself,
 * and its AUC is Phi(shift/sqrt 2), .7602 for 1; a standard error is below .0163, and
 * what is learned from 960 rows of two columns costs less than .01.  Tables that are
 * apart have 1. */
TEST(a_shift_is_told_as_well_as_can_be)
{
    static double x[3][2][MOST];
    sf_context *ctx = new_context();
    sf_frame *f[3];
    for (uint64_t k = 0; k < 3; k++) {
        static const double shift[3] = {0.0, 1.0, 20.0};
        two_normals(x[k], k + 7, shift[k]);
        const sf_frame_column a[] = {numbers("x", x[k][0]),
                                     numbers("y", x[k][1])};
        f[k] = frame(ctx, MOST, 2, a);
    }
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    o.held_out = f[2];
    sf_frames_report *r = compare(ctx, f[0], f[1], &o);
    const sf_frames_two_sample *t = &r->two_sample;
    CHECK(t->rows[0][0] == MOST && t->rows[1][1] == MOST);
    CHECK_NEAR(t->auc[SF_LEARNER_LINEAR][0], 0.7602, 5.0 * 0.0163);
    CHECK(t->auc[SF_LEARNER_LINEAR][0] > 0.72);
    CHECK(t->auc[SF_LEARNER_NEIGHBOURS][0] > 0.68);
    CHECK_NEAR(t->auc_se[0], sqrt(2.0 * 241.0 / (12.0 * 120 * 120) / 5.0),
               1e-12);
    for (int l = 0; l < SF_LEARNERS; l++)
        CHECK(t->auc[l][1] > 0.9999);
    CHECK(r->usefulness.target == -1 && isnan(r->usefulness.real[0]));
    sf_frames_report_free(ctx, r);
    for (int k = 0; k < 3; k++)
        sf_frame_free(f[k]);
    sf_context_free(ctx);
}

/* x decides the class and y is 2x and noise of a tenth of its variance: R^2 = .9.  In
 * the synthetic table the classes a and b are exchanged and x is noise, so that every
 * answer is wrong, and nothing is known of y. */
static sf_frame *lesson(sf_context *ctx, double (*x)[MOST], uint64_t seed,
                        bool wrong)
{
    for (int i = 0; i < MOST; i++) {
        x[0][i] = normal(seed, i);
        x[1][i] = (x[0][i] > 0.0) != wrong;
        x[2][i] = 2.0 * (wrong ? normal(seed + 99, i) : x[0][i]) +
                  2.0 / 3.0 * normal(seed + 50, i);
    }
    const sf_frame_column a[] = {numbers("x", x[0]), texts("c", x[1], 4, abcd),
                                 numbers("y", x[2])};
    return frame(ctx, MOST, 3, a);
}

TEST(usefulness_is_that_of_what_was_learned)
{
    static double x[4][3][MOST];
    sf_context *ctx = new_context();
    sf_frame *real = lesson(ctx, x[0], 1, false);
    sf_frame *good = lesson(ctx, x[1], 2, false);
    sf_frame *held = lesson(ctx, x[2], 3, false);
    sf_frame *bad = lesson(ctx, x[3], 4, true);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    o.held_out = held;
    o.target = 1;
    sf_frames_report *r = compare(ctx, real, good, &o);
    const sf_frames_usefulness *u = &r->usefulness;
    CHECK(u->target == 1 && u->classes && u->rows[0] == MOST);
    for (int l = 0; l < SF_LEARNERS; l++)
        CHECK(u->real[l] > 0.9 && u->synthetic[l] > 0.9);
    sf_frames_report_free(ctx, r);
    r = compare(ctx, real, bad, &o);
    CHECK(r->usefulness.real[0] > 0.9 && r->usefulness.synthetic[0] < 0.1);
    CHECK(r->usefulness.synthetic[1] < 0.1);
    sf_frames_report_free(ctx, r);
    o.target = 2;
    r = compare(ctx, real, good, &o);
    CHECK(!r->usefulness.classes);
    /* The variance of R^2 is 4 R^2 (1 - R^2)^2/n; five of its roots are .04. */
    CHECK_NEAR(r->usefulness.synthetic[0], 0.9, 0.04);
    CHECK_NEAR(r->usefulness.real[0], 0.9, 0.04);
    CHECK(r->usefulness.real[1] > 0.8);
    sf_frames_report_free(ctx, r);
    r = compare(ctx, real, bad, &o);
    CHECK(r->usefulness.synthetic[0] < 0.1 && r->usefulness.real[0] > 0.8);
    sf_frames_report_free(ctx, r);
    o.target = 3;
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, real, good, &o), SF_E_ARG,
                "target is column 4 of 3");
    o.target = 1;
    o.held_out = NULL;
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, real, good, &o), SF_E_ARG,
                "a target wants held-out rows");
    CHECK(strcmp(sf_learner_name(SF_LEARNER_NEIGHBOURS), "neighbours") == 0);
    CHECK(strcmp(sf_learner_name((sf_learner)9), "unknown") == 0);
    sf_frame_free(bad);
    sf_frame_free(held);
    sf_frame_free(good);
    sf_frame_free(real);
    sf_context_free(ctx);
}

TESTS(CASE(whole_rows_have_known_distances),
      CASE(the_mean_discrepancy_is_known), CASE(the_test_counts_labellings),
      CASE(missing_cells_and_angles_have_distances),
      CASE(honest_rows_are_no_closer_than_held_out_ones),
      CASE(copies_are_found_out), CASE(large_tables_enter_in_part),
      CASE(rows_of_one_distribution_are_not_told_apart),
      CASE(nor_are_they_by_levels_that_are_common_by_chance),
      CASE(a_shift_is_told_as_well_as_can_be),
      CASE(usefulness_is_that_of_what_was_learned))
