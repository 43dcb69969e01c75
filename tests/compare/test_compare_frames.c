/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of any kinds of columns: each figure of a column and of a pair with known
 * answers, what real alone decides, and the sweep of failing allocations. */
#include "faults.h"
#include "base/random.h"
#include "compare/gower.h"

enum { MOST = 600 };

static double uniform(uint64_t seed, int64_t i)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_uniform_at(where, 0);
}

static sf_frame_column numbers(const char *name, const double *x)
{
    sf_frame_column c = SF_FRAME_COLUMN_INIT;
    c.name = name;
    c.data = x;
    return c;
}

static sf_frame_column texts(const char *name, const double *x, int64_t count,
                             const char *const *levels)
{
    sf_frame_column c = numbers(name, x);
    c.kind = SF_KIND_CATEGORY;
    c.levels = levels;
    c.level_count = count;
    return c;
}

static sf_frame *frame(sf_context *ctx, int64_t rows, int64_t cols,
                       const sf_frame_column *columns)
{
    sf_frame *f = NULL;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, rows, cols, columns));
    return f;
}

static sf_frames_report *compare(sf_context *ctx, const sf_frame *real,
                                 const sf_frame *synthetic,
                                 const sf_frames_options *o)
{
    sf_frames_report *r = NULL;
    CHECK_OK(ctx, sf_compare_frames(ctx, &r, real, synthetic, o));
    return r;
}

static const char *const abcd[] = {"a", "b", "c", "d"};
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
    CHECK(r->numbers == NULL);
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

/* Under one distribution z = (AUC - 1/2)/se has mean 0 and variance 1, whatever was
 * learned: over 60 trials the mean is within 5/sqrt(60) and the mean square within
 * 5 sqrt(2/60) of 1 for both learners; scores of neighbours are tied, which only
 * lessens it. */
TEST(rows_of_one_distribution_are_not_told_apart)
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
            two_normals(x[k], 2 * trial + k, 0.0);
            const sf_frame_column a[] = {numbers("x", x[k][0]),
                                         numbers("y", x[k][1])};
            f[k] = frame(ctx, ROWS, 2, a);
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
        CHECK(squares[l] / TRIALS > 0.4);
    }
    sf_context_free(ctx);
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

TESTS(CASE(columns_have_known_distances),
      CASE(missing_cells_are_counted_and_left_out),
      CASE(held_out_rows_fill_the_second_figure),
      CASE(levels_are_matched_by_their_spelling),
      CASE(angles_are_near_across_zero),
      CASE(the_distance_on_a_circle_is_that_of_the_best_shift),
      CASE(kuipers_probabilities_are_the_tabulated_ones),
      CASE(pairs_have_known_associations), CASE(cramers_v_is_known),
      CASE(joint_distributions_are_told_apart),
      CASE(whole_rows_have_known_distances),
      CASE(missing_cells_and_angles_have_distances),
      CASE(honest_rows_are_no_closer_than_held_out_ones),
      CASE(copies_are_found_out), CASE(large_tables_enter_in_part),
      CASE(rows_of_one_distribution_are_not_told_apart),
      CASE(a_shift_is_told_as_well_as_can_be),
      CASE(usefulness_is_that_of_what_was_learned),
      CASE(the_number_of_threads_does_not_matter),
      CASE(every_allocation_may_fail), CASE(what_cannot_be_compared_is_refused))
