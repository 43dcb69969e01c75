/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of any kinds of columns: each figure of a column and of a pair with known
 * answers, what real alone decides, and the sweep of failing allocations. */
#include "frames_check.h"

#include "num/association.h"

static const char *const cbxa[] = {"c", "b", "x", "a"};

/* ---- columns ---- */

/* Numbers by definition; categories a a b c c against a b b b d c a, whose levels the
 * second table numbers in another order. */
TEST(columns_have_known_distances)
{
    static const double x[] = {-1.11, -0.38, 2.04, 0.65, 0.66};
    static const double y[] = {-0.51, -1.65, 0.17, 0.11, -1.23, -0.68, -0.07};
    static const double cx[] = {0, 0, 1, 2, 2};
    static const double cy[] = {3, 1, 1, 1, 2, 0, 3};
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("x", x), texts("c", cx, 4, abcd)};
    const sf_frame_column b[] = {numbers("x", y), texts("c", cy, 4, cbxa)};
    sf_frame *real = frame(ctx, 5, 2, a), *synthetic = frame(ctx, 7, 2, b);
    sf_frames_report *r = compare(ctx, real, synthetic, NULL);
    CHECK(r->cols == 2 && r->rows[0] == 5 && r->rows[1] == 7 &&
          r->rows[2] == 0);
    const sf_frames_column *n = &r->column[0], *c = &r->column[1];
    CHECK(n->compared == SF_COMPARED_NUMBER && n->kind == SF_KIND_REAL);
    CHECK(c->compared == SF_COMPARED_CATEGORY && c->kind == SF_KIND_CATEGORY);
    CHECK_CLOSE(n->wasserstein[0], 0.9234285714285712, 1e-14);
    CHECK_CLOSE(n->ks[0], 0.6, 1e-14);
    CHECK(n->ks_exact[0] && isnan(n->ks[1]) && isnan(n->wasserstein[1]));
    CHECK_CLOSE(n->outside[0], 2.0 / 7.0, 1e-14);
    CHECK_CLOSE(c->total_variation[0], 0.37142857142857144, 1e-14);
    CHECK_CLOSE(c->outside[0], 1.0 / 7.0, 1e-14);
    CHECK(c->distinct[0] == 3 && c->distinct[1] == 4);
    CHECK(isnan(c->mean[0]) && isnan(c->ks[0]) && isnan(n->total_variation[0]));
    CHECK_CLOSE(n->mean[0], 1.86 / 5.0, 1e-14);
    CHECK(r->number_count == 1 && r->number_columns[0] == 0);
    CHECK_CLOSE(r->numbers->column[0].wasserstein, n->wasserstein[0], 1e-15);
    CHECK(r->numbers->column[0].ks_p == n->ks_p[0]);
    for (int q = 0; q < SF_COMPARE_QUANTILES; q++)
        CHECK(r->numbers->column[0].quantile[1][q] == n->quantile[1][q]);
    CHECK_CLOSE(r->numbers->column[0].sd[1], n->sd[1], 1e-14);
    sf_frames_report_free(ctx, r);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Missing cells are no values: the others are compared, and their share is told. */
TEST(missing_cells_are_counted_and_left_out)
{
    static const double x[] = {1, NAN, 2, 3}, y[] = {NAN, 1, NAN, 2, 3, NAN};
    static const double gone[] = {NAN, NAN, NAN, NAN, NAN, NAN};
    static const double cx[] = {0, 1, NAN, 1}, cy[] = {1, 1, 0, NAN, NAN, NAN};
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("x", x), texts("c", cx, 2, abcd),
                                 numbers("g", gone)};
    const sf_frame_column b[] = {numbers("x", y), texts("c", cy, 2, abcd),
                                 numbers("g", y)};
    sf_frame *real = frame(ctx, 4, 3, a), *synthetic = frame(ctx, 6, 3, b);
    sf_frames_report *r = compare(ctx, real, synthetic, NULL);
    CHECK(r->column[0].wasserstein[0] == 0.0 && r->column[0].ks[0] == 0.0);
    CHECK_CLOSE(r->column[0].missing[0], 0.25, 1e-15);
    CHECK_CLOSE(r->column[0].missing[1], 0.5, 1e-15);
    CHECK(isnan(r->column[0].missing[2]) && r->column[0].present[1] == 3);
    CHECK_NEAR(r->column[1].total_variation[0], 0.0, 1e-15);
    CHECK(r->column[2].missing[0] == 1.0 && isnan(r->column[2].ks[0]));
    CHECK(isnan(r->column[2].mean[0]) && r->column[2].mean[1] == 2.0);
    CHECK(r->number_count == 1 && r->numbers->rows[1] == 3);
    sf_frames_report_free(ctx, r);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Half of real is 0 and a tenth the atom 9, of synthetic a quarter and none: the
 * proportions differ by 1/4, 1/10 and, of what is none, -7/20. */
TEST(atoms_have_a_total_variation)
{
    static double x[100], y[200];
    for (int i = 0; i < 100; i++)
        x[i] = i < 50 ? 0.0 : i < 60 ? 9.0 : 1.0 + uniform(4, i);
    for (int i = 0; i < 200; i++)
        y[i] = i < 50 ? 0.0 : 1.0 + uniform(5, i);
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("x", x)}, b[] = {numbers("x", y)};
    sf_frame *real = frame(ctx, 100, 1, a), *synthetic = frame(ctx, 200, 1, b);
    CHECK(sf_frame_atom_count(real, 0) == 2);
    sf_frames_report *r = compare(ctx, real, synthetic, NULL);
    CHECK_CLOSE(r->column[0].total_variation[0], 0.35, 1e-13);
    CHECK(isnan(r->column[0].total_variation[1]));
    sf_frames_report_free(ctx, r);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Held-out rows are compared with real in the same way: here they are the synthetic
 * rows, and everything that both have is equal. */
TEST(held_out_rows_fill_the_second_figure)
{
    static double x[MOST], y[MOST], c[MOST], e[MOST];
    for (int i = 0; i < MOST; i++) {
        x[i] = uniform(1, i);
        y[i] = i % 5 == 0 ? NAN : uniform(2, i) * 1.2;
        c[i] = i % 3;
        e[i] = i % 4;
    }
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("x", x), texts("c", c, 4, abcd),
                                 numbers("z", y)};
    const sf_frame_column b[] = {numbers("x", y), texts("c", e, 4, abcd),
                                 numbers("z", x)};
    sf_frame *real = frame(ctx, MOST, 3, a), *other = frame(ctx, 100, 3, b);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    const sf_circle circle = {2, 0.7};
    o.held_out = other;
    o.circles = &circle;
    o.circle_count = 1;
    sf_frames_report *r = compare(ctx, real, other, &o);
    for (int j = 0; j < 3; j++) {
        const sf_frames_column *k = &r->column[j];
        CHECK(j == 1 ? k->total_variation[0] == k->total_variation[1]
                     : k->ks[0] == k->ks[1] && k->ks_p[0] == k->ks_p[1] &&
                           k->wasserstein[0] == k->wasserstein[1]);
        CHECK(k->missing[1] == k->missing[2]);
        CHECK(j == 2 || k->outside[0] == k->outside[1]);
        CHECK_NEAR(r->pair[j].difference[0], r->pair[j].difference[1], 1e-13);
        CHECK(r->pair[j].total_variation[0] == r->pair[j].total_variation[1]);
        CHECK(r->pair[j].total_variation[0] > 0.0);
    }
    CHECK(r->column[0].outside[0] > 0.1 && r->column[1].outside[0] == 0.25);
    sf_frames_report_free(ctx, r);
    sf_frame_free(other);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Levels are texts.  Real's 0 and 1 meet "0" and "1" of a file of text, and its
 * category of numbers as text meets numbers. */
TEST(levels_are_matched_by_their_spelling)
{
    static const double flag[] = {0, 1, 1, 0}, as_text[] = {1, 0, 0, 1};
    static const double coded[] = {0, 1, 2, 1}, plain[] = {7, 10, 2.5, 10};
    static const char *const ten[] = {"1", "0"};
    static const char *const codes[] = {"7", "10", "2.5"};
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("f", flag),
                                 texts("k", coded, 3, codes)};
    const sf_frame_column b[] = {texts("f", as_text, 2, ten),
                                 numbers("k", plain)};
    sf_frame *real = frame(ctx, 4, 2, a), *synthetic = frame(ctx, 4, 2, b);
    CHECK(sf_frame_kind(real, 0) == SF_KIND_BOOLEAN);
    sf_frames_report *r = compare(ctx, real, synthetic, NULL);
    for (int j = 0; j < 2; j++) {
        CHECK(r->column[j].compared == SF_COMPARED_CATEGORY);
        CHECK(r->column[j].total_variation[0] == 0.0);
        CHECK(r->column[j].outside[0] == 0.0);
    }
    CHECK(r->numbers == NULL && r->number_count == 0);
    sf_frames_report_free(ctx, r);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* ---- circles ---- */

/* All of one angle against all of another: the way between them, across 0; and what a
 * straight column of the same numbers says. */
TEST(angles_are_near_across_zero)
{
    static const double x[] = {350, 350, 710}, y[] = {5, 365, -355};
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("dir", x), numbers("dir2", x)};
    const sf_frame_column b[] = {numbers("dir", y), numbers("dir2", y)};
    sf_frame *real = frame(ctx, 3, 2, a), *synthetic = frame(ctx, 3, 2, b);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    const sf_circle circle = {0, 360.0};
    o.circles = &circle;
    o.circle_count = 1;
    sf_frames_report *r = compare(ctx, real, synthetic, &o);
    CHECK(r->column[0].compared == SF_COMPARED_CIRCLE);
    CHECK(r->column[0].period == 360.0 && isnan(r->column[1].period));
    CHECK_CLOSE(r->column[0].wasserstein[0], 15.0, 1e-13);
    CHECK(r->column[0].ks[0] == 1.0 && r->column[1].wasserstein[0] > 300.0);
    CHECK_NEAR(r->column[0].mean[0], 350.0, 1e-11);
    CHECK_NEAR(r->column[0].mean[1], 5.0, 1e-11);
    CHECK(r->column[0].sd[0] == 0.0 && isnan(r->column[0].outside[0]));
    CHECK(isnan(r->column[0].quantile[0][4]));
    CHECK(r->number_count == 1 && r->number_columns[0] == 1);
    sf_frames_report_free(ctx, r);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The transport of n points of a circle to n others pairs them in their order, from
 * some shift on: all shifts of the lifted points are tried. */
TEST(the_distance_on_a_circle_is_that_of_the_best_shift)
{
    enum { N = 23 };
    double x[N], y[N], work[8 * N];
    for (uint64_t trial = 0; trial < 50; trial++) {
        for (int i = 0; i < N; i++) {
            x[i] = uniform(2 * trial, i);
            y[i] = trial % 2 == 0 ? uniform(2 * trial + 1, i)
                                  : 0.3 * uniform(2 * trial + 1, i);
        }
        qsort(x, N, sizeof *x, by_size);
        qsort(y, N, sizeof *y, by_size);
        double best = INFINITY;
        for (int shift = -N; shift <= N; shift++) {
            double sum = 0.0;
            for (int i = 0; i < N; i++) {
                const int to = i + shift + 2 * N;
                sum += fabs(x[i] - (y[to % N] + to / N - 2));
            }
            best = fmin(best, sum / N);
        }
        const sfi_circle_gap gap = sfi_circle_distance(x, N, y, N, work);
        CHECK_CLOSE(gap.wasserstein, best, 1e-13);
        CHECK(gap.kuiper > 0.0 && gap.kuiper <= 1.0);
    }
    const double three[] = {0.1, 0.4, 0.8},
                 six[] = {0.1, 0.1, 0.4, 0.4, 0.8, 0.8};
    const sfi_circle_gap none = sfi_circle_distance(three, 3, six, 6, work);
    CHECK(none.wasserstein == 0.0 && none.kuiper == 0.0);
}

/* The limit of Kuiper's statistic: 1.747 and 2.001 are exceeded with probability 5 and
 * 1 % (Stephens 1970, table 1); with n = m = 2e8 the root is 1e4 and the correction
 * 1.55e-5 of it. */
TEST(kuipers_probabilities_are_the_tabulated_ones)
{
    const int64_t n = 200000000;
    CHECK_NEAR(sfi_kuiper_p(1.747e-4, n, n), 0.05, 2e-4);
    CHECK_NEAR(sfi_kuiper_p(2.001e-4, n, n), 0.01, 1e-4);
    CHECK(sfi_kuiper_p(0.0, 10, 10) == 1.0);
    CHECK_NEAR(sfi_kuiper_p(1.0, 1000, 1000), 0.0, 1e-100);
}

/* ---- pairs ---- */

/* Each figure by its definition (NumPy): the multiple correlation by least squares on
 * cosine and sine, the others as the header has them. */
TEST(pairs_have_known_associations)
{
    static const double angle[] = {10, 80, 200, 350, 120, 275};
    static const double other[] = {20, 60, 230, 10, 100, 300};
    static const double x[] = {1, 2.5, -1, 0.5, 2, -2},
                        z[] = {3, 1, 4, 1, 5, 9};
    static const double c[] = {0, 0, 1, 1, 2, 2};
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("angle", angle),
                                 numbers("other", other), numbers("x", x),
                                 numbers("z", z), texts("c", c, 3, abcd)};
    sf_frame *f = frame(ctx, 6, 5, a);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    const sf_circle circles[] = {{0, 360.0}, {1, 360.0}};
    o.circles = circles;
    o.circle_count = 2;
    sf_frames_report *r = compare(ctx, f, f, &o);
    static const struct {
        int64_t a, b;
        sf_association kind;
        double value;
    } known[] = {
        {0, 1, SF_ASSOCIATION_CIRCULAR, 0.8251470544168723},
        {0, 2, SF_ASSOCIATION_CIRCULAR, 0.9984140728237746},
        {2, 3, SF_ASSOCIATION_PEARSON, -0.6748261513697367},
        {2, 4, SF_ASSOCIATION_RATIO, 0.5627314338711378},
        {0, 4, SF_ASSOCIATION_RATIO, 0.4928892213645973},
    };
    CHECK(r->pairs == 10);
    for (size_t k = 0; k < SFI_COUNT(known); k++) {
        const sf_frames_pair *p = NULL;
        for (int64_t i = 0; i < r->pairs; i++)
            if (r->pair[i].columns[0] == known[k].a &&
                r->pair[i].columns[1] == known[k].b)
                p = &r->pair[i];
        CHECK(p != NULL && p->association == known[k].kind);
        CHECK_CLOSE(p->value[0], known[k].value, 1e-12);
        CHECK_NEAR(p->difference[0], 0.0, 1e-13); /* in another order */
        CHECK(p->total_variation[0] == 0.0 && isnan(p->value[2]));
    }
    CHECK_CLOSE(r->column[0].mean[0], 32.9548376857978, 1e-12);
    CHECK_CLOSE(r->column[0].sd[0], 110.24447563987424, 1e-12);
    sf_frames_report_free(ctx, r);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* Bergsma's V (NumPy); 1 for one level each, 0 for independence. */
TEST(cramers_v_is_known)
{
    static const int64_t counts[] = {12, 5, 3, 9, 4, 7};
    static const int64_t same[] = {10, 0, 0, 10}, free_[] = {6, 3, 4, 2};
    static const int64_t one[] = {5, 7}, with_gap[] = {10, 0, 0, 0, 0, 10};
    CHECK_CLOSE(sfi_cramer_v(counts, 3, 2), 0.34226991951820707, 1e-12);
    CHECK_CLOSE(sfi_cramer_v(same, 2, 2), 1.0, 1e-14);
    CHECK_CLOSE(sfi_cramer_v(with_gap, 3, 2), 1.0, 1e-14);
    CHECK(sfi_cramer_v(free_, 2, 2) == 0.0);
    CHECK(sfi_cramer_v(one, 1, 2) == 0.0);
}

/* x and y are equal in real and not in synthetic: halves of the joint distribution are
 * where the other has nothing, but for the tenths that meet by chance: 1 - 1/10, with
 * 3600 rows to .03.  The marginals agree.  The pair with the largest difference comes
 * first. */
TEST(joint_distributions_are_told_apart)
{
    enum { N = 3600 };
    static double x[N], y[N], z[N], w[N];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = i % 60 * 60 + i / 60;
        z[i] = uniform(5, i);
        w[i] = uniform(6, i);
    }
    sf_context *ctx = new_context();
    const sf_frame_column a[] = {numbers("z", z), numbers("x", x),
                                 numbers("y", x)};
    const sf_frame_column b[] = {numbers("z", w), numbers("x", x),
                                 numbers("y", y)};
    sf_frame *real = frame(ctx, N, 3, a), *synthetic = frame(ctx, N, 3, b);
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    sf_compare_options none = SF_COMPARE_OPTIONS_INIT;
    none.permutations = none.projections = 0;
    o.numbers = &none;
    sf_frames_report *r = compare(ctx, real, synthetic, &o);
    CHECK(r->largest[0] == 2 && r->pair[2].columns[0] == 1);
    CHECK_NEAR(r->pair[2].total_variation[0], 0.9, 0.01);
    CHECK_NEAR(r->pair[2].difference[0], -1.0, 0.05);
    CHECK(r->pair[0].total_variation[0] < 0.2);
    CHECK(r->pair_rows[0] == N && r->numbers->projections == 0);
    sf_frames_report_free(ctx, r);
    o.max_rows = 50;
    r = compare(ctx, real, synthetic, &o);
    CHECK(r->pair_rows[0] == 50 && r->pair_rows[1] == 50);
    CHECK(r->pair[2].total_variation[0] > 0.6);
    sf_frames_report_free(ctx, r);
    sf_frame_free(synthetic);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* ---- threads, failures ---- */

static sf_frame *mixed_frame(sf_context *ctx, uint64_t seed, int64_t rows)
{
    static double cells[4][2][MOST];
    double(*x)[MOST] = cells[seed % 4];
    static double angle[4][MOST];
    for (int i = 0; i < MOST; i++) {
        x[0][i] = i % 11 == 3 ? NAN : uniform(seed, i);
        x[1][i] = i % 7 == 2 ? NAN : floor(4.0 * uniform(seed + 50, i));
        angle[seed % 4][i] = 360.0 * uniform(seed + 100, i);
    }
    const sf_frame_column a[] = {numbers("x", x[0]), texts("c", x[1], 4, abcd),
                                 numbers("angle", angle[seed % 4])};
    return frame(ctx, rows, 3, a);
}

static const sf_circle angle_circle = {2, 360.0};

static sf_frames_options mixed_options(const sf_frame *held_out)
{
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    o.held_out = held_out;
    o.circles = &angle_circle;
    o.circle_count = 1;
    o.target = 1;
    return o;
}

TEST(the_number_of_threads_does_not_matter)
{
    static const int threads[] = {1, 2, 7};
    sf_frames_report *first = NULL;
    sf_context *ctx = new_context();
    sf_frame *real = mixed_frame(ctx, 0, 500),
             *drawn = mixed_frame(ctx, 1, 400);
    sf_frame *held = mixed_frame(ctx, 2, 90);
    sf_frames_options o = mixed_options(held);
    for (size_t k = 0; k < SFI_COUNT(threads); k++) {
        sf_context_set_threads(ctx, threads[k]);
        sf_frames_report *r = compare(ctx, real, drawn, &o);
        if (first == NULL) {
            first = r;
            continue;
        }
        CHECK(memcmp(r->column, first->column, 3 * sizeof *r->column) == 0);
        CHECK(memcmp(r->pair, first->pair, 3 * sizeof *r->pair) == 0);
        CHECK(memcmp(&r->joint, &first->joint, sizeof r->joint) == 0);
        CHECK(memcmp(r->inference, first->inference,
                     3 * sizeof *r->inference) == 0);
        CHECK(memcmp(r->copies.dcr, first->copies.dcr, sizeof r->copies.dcr) ==
              0);
        CHECK(memcmp(&r->two_sample, &first->two_sample,
                     sizeof r->two_sample) == 0);
        CHECK(memcmp(&r->usefulness, &first->usefulness,
                     sizeof r->usefulness) == 0);
        CHECK(memcmp(r->second_neighbour, first->second_neighbour,
                     sizeof r->second_neighbour) == 0);
        sf_frames_report_free(ctx, r);
    }
    sf_frames_report_free(ctx, first);
    sf_frame_free(held);
    sf_frame_free(drawn);
    sf_frame_free(real);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_frame *real = mixed_frame(ctx, 0, 60), *drawn = mixed_frame(ctx, 1, 50);
    sf_frame *held = mixed_frame(ctx, 2, 30);
    sf_frames_options o = mixed_options(held);
    const int64_t own = faults.bytes;
    sf_status status = SF_E_NOMEM;
    sf_frames_report *r = NULL;
    for (int k = 0; status != SF_OK; k++) {
        faults.left = k;
        status = sf_compare_frames(ctx, &r, real, drawn, &o);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && r == NULL));
        CHECK(status == SF_OK || faults.bytes == own);
        CHECK(k < 1000);
    }
    faults.left = INT64_MAX;
    sf_frames_report_free(ctx, r);
    CHECK(faults.bytes == own);
    sf_frame_free(held);
    sf_frame_free(drawn);
    sf_frame_free(real);
    sf_context_free(ctx);
}

/* Held-out rows against themselves: no distance, the ratio 1, copies as by chance.  Rows
 * of real: all are copies, at the distance 0.  And a distance known in one column: with sd
 * 1 in real, 0 0 0 1 against 0 1 1 1 is 2 (1/2)^2. */
TEST(draws_have_known_figures)
{
    sf_context *ctx = new_context();
    sf_frame *real = mixed_frame(ctx, 0, 60), *held = mixed_frame(ctx, 2, 30);
    sf_compare_options test = SF_COMPARE_OPTIONS_INIT;
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    sf_frames_draws d = SF_FRAMES_DRAWS_INIT;
    test.permutations = 19;
    o.held_out = held;
    o.numbers = &test;
    CHECK_OK(ctx, sf_compare_draws(ctx, &d, real, held, &o));
    CHECK(fabs(d.energy) < 1e-12 && d.energy_p == 1.0);
    CHECK_CLOSE(d.closeness_ratio, 1.0, 1e-14);
    CHECK(d.copies[0] == d.copies[1]);
    CHECK_OK(ctx, sf_compare_draws(ctx, &d, real, real, &o));
    CHECK(d.copies[1] == 1.0 && d.copies[0] < 1.0);
    CHECK(d.closeness_ratio == 0.0 && d.energy > 0.0);
    const double a[] = {0, 0, 0, 1}, b[] = {0, 1, 1, 1},
                 c[] = {-1, 0, 1, 0.5, -0.5};
    const double sd = sqrt((2.0 + 0.5) / 4.0);
    const sf_frame_column columns[] = {numbers("x", a), numbers("x", b),
                                       numbers("x", c)};
    sf_frame *drawn = frame(ctx, 4, 1, &columns[0]),
             *other = frame(ctx, 4, 1, &columns[1]),
             *unit = frame(ctx, 5, 1, &columns[2]);
    o.held_out = other;
    test.permutations = 0;
    CHECK_OK(ctx, sf_compare_draws(ctx, &d, unit, drawn, &o));
    CHECK_CLOSE(d.energy, 0.5 / sd, 1e-12);
    CHECK(isnan(d.energy_p));
    o.held_out = NULL;
    CHECK_FAILS(ctx, sf_compare_draws(ctx, &d, unit, drawn, &o), SF_E_ARG,
                "there are none");
    CHECK_CLOSE(d.energy, 0.5 / sd, 1e-12);
    o.held_out = other;
    test.permutations = -1;
    CHECK_FAILS(ctx, sf_compare_draws(ctx, &d, unit, drawn, &o), SF_E_ARG,
                "permutations is -1");
    sf_frame_free(unit);
    sf_frame_free(other);
    sf_frame_free(drawn);
    sf_frame_free(held);
    sf_frame_free(real);
    sf_context_free(ctx);
}

TEST(failing_allocations_leave_draws_alone)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_frame *real = mixed_frame(ctx, 0, 60), *drawn = mixed_frame(ctx, 1, 50);
    sf_frame *held = mixed_frame(ctx, 2, 30);
    sf_frames_options o = mixed_options(held);
    const int64_t own = faults.bytes;
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sf_frames_draws d = SF_FRAMES_DRAWS_INIT;
        faults.left = k;
        status = sf_compare_draws(ctx, &d, real, drawn, &o);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && d.energy == 0.0));
        CHECK(faults.bytes == own);
        CHECK(k < 1000);
    }
    faults.left = INT64_MAX;
    sf_frame_free(held);
    sf_frame_free(drawn);
    sf_frame_free(real);
    sf_context_free(ctx);
}

TEST(what_cannot_be_compared_is_refused)
{
    static const double x[] = {1, 2, 3, 4}, c[] = {0, 1, 0, 2};
    static const double far_[] = {1e160, -1e160, 0, 0};
    sf_context *ctx = new_context();
    const sf_frame_column of[] = {numbers("x", x), texts("x", c, 3, abcd),
                                  numbers("x", far_)};
    sf_frame *number = frame(ctx, 4, 1, &of[0]),
             *text = frame(ctx, 4, 1, &of[1]);
    sf_frame *wide = frame(ctx, 4, 1, &of[2]), *one = frame(ctx, 1, 1, &of[0]);
    sf_frame_column date = of[0];
    date.kind = SF_KIND_DATE;
    date.unit = "d";
    sf_frame *days = frame(ctx, 4, 1, &date);
    sf_frames_report *r = NULL;
    sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, number, text, NULL),
                SF_E_FORMAT,
                "column \"x\" of synthetic holds text, and in real");
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, number, days, NULL),
                SF_E_FORMAT, "holds dates, and in real it holds numbers");
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, days, number, NULL),
                SF_E_FORMAT, "holds numbers, and in real it holds dates");
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, text, days, NULL), SF_E_FORMAT,
                "holds dates, and in real it holds categories");
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, number, wide, NULL),
                SF_E_NUMERIC, "\"x\" goes from -1e+160 to 1e+160, whose");
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, one, number, NULL), SF_E_SHAPE,
                "real is [1, 1], want 2 rows or more");
    o.max_rows = 1;
    CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, number, number, &o), SF_E_ARG,
                "max_rows is 1");
    o.max_rows = 0;
    const sf_circle bad[] = {{0, 0.0}, {1, 1.0}, {0, INFINITY}};
    for (size_t k = 0; k < SFI_COUNT(bad); k++) {
        o.circles = &bad[k];
        o.circle_count = 1;
        CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, number, number, &o),
                    SF_E_ARG, "want a period > 0, and a column of numbers");
        CHECK_FAILS(ctx, sf_compare_frames(ctx, &r, text, text, &o), SF_E_ARG,
                    "a circle of period");
    }
    CHECK(r == NULL);
    CHECK(strcmp(sf_compared_name(SF_COMPARED_CIRCLE), "circular") == 0);
    CHECK(strcmp(sf_compared_name((sf_compared)9), "unknown") == 0);
    CHECK(strcmp(sf_association_name(SF_ASSOCIATION_CRAMER), "Cramer's V") ==
          0);
    CHECK(strcmp(sf_association_name((sf_association)9), "unknown") == 0);
    sf_frame_free(days);
    sf_frame_free(one);
    sf_frame_free(wide);
    sf_frame_free(text);
    sf_frame_free(number);
    sf_context_free(ctx);
}

TESTS(CASE(columns_have_known_distances), CASE(atoms_have_a_total_variation),
      CASE(missing_cells_are_counted_and_left_out),
      CASE(held_out_rows_fill_the_second_figure),
      CASE(levels_are_matched_by_their_spelling),
      CASE(angles_are_near_across_zero),
      CASE(the_distance_on_a_circle_is_that_of_the_best_shift),
      CASE(kuipers_probabilities_are_the_tabulated_ones),
      CASE(pairs_have_known_associations), CASE(cramers_v_is_known),
      CASE(joint_distributions_are_told_apart),
      CASE(the_number_of_threads_does_not_matter),
      CASE(draws_have_known_figures),
      CASE(failing_allocations_leave_draws_alone),
      CASE(every_allocation_may_fail), CASE(what_cannot_be_compared_is_refused))
