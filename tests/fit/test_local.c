/* SPDX-License-Identifier: Apache-2.0 */
/* test_local.c - local normal distributions: densities, draws, chords, classes. */
#include "io/tables_check.h"

#include "base/random.h"
#include "faults.h"
#include "model/local.h"
#include "model/model.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

static const double five[5][2] = {
    {0.0, 0.0}, {1.0, 0.5}, {0.5, 1.2}, {3.0, 3.0}, {3.5, 2.4}};

static sf_model *model_of(sf_context *ctx, int64_t rows, int64_t cols,
                          const double *data, const sf_local_options *o)
{
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_fit_local(ctx, &m, (sf_cmat){data, rows, cols, cols}, NULL,
                               o, NULL));
    return m;
}

static void log_densities(sf_context *ctx, const sf_model *m, int64_t n,
                          const double *x, double *out)
{
    const int64_t d = sf_model_dim(m);
    const sf_model_values values = {.logpdf = {out, n, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, n, d, d}, 0.0, &values));
}

/* ---- densities -------------------------------------------------------------- */

/* From the definition, in double precision, by independent code: k = 2, rho = 0.1,
 * h = 0.3, a ridge of 1e-3, columns as they are. */
TEST(densities_are_those_of_the_definition)
{
    (void)state_;
    static const double x[] = {0.8, 0.9};
    sf_context *ctx = new_context();
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.neighbours = 2;
    o.rho = 0.1;
    o.width = 0.3;
    o.ridge = 1e-3;
    o.standardise = false;
    sf_model *m = model_of(ctx, 5, 2, five[0], &o);
    double logp;
    log_densities(ctx, m, 1, x, &logp);
    CHECK_CLOSE(logp, -1.362233615932392, 1e-12);
    sf_model_free(m);
    /* In standard deviations it is another law, with the same unit: its mass is 1,
     * by the midpoint rule with steps of less than half of the least sd, 0.2. */
    o.standardise = true;
    o.width = 1.0;
    o.ridge = 0.04;
    m = model_of(ctx, 5, 2, five[0], &o);
    double sum = 0.0;
    for (int i = -200; i < 200; i++)
        for (int j = -200; j < 200; j++) {
            const double at[] = {2.0 + 0.05 * i, 1.5 + 0.05 * j};
            log_densities(ctx, m, 1, at, &logp);
            sum += exp(logp) * 0.0025;
        }
    CHECK_NEAR(sum, 1.0, 1e-6);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Three rows are each other's neighbours: shares of 2/3 and 1/3, so that p(0) is
 * (2 (1/2 + 1/2 2/3) + 1/2 2/3)/3 = 2/3. */
TEST(levels_have_shares_of_the_neighbours)
{
    (void)state_;
    static const double rows[] = {0.0, 0.0, 1.0}, x[] = {0.0, 1.0};
    sf_context *ctx = new_context();
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.neighbours = 2;
    o.target = 0; /* makes it one of levels, and its own class */
    o.agree = false;
    sf_model *m = model_of(ctx, 3, 1, rows, &o);
    double logp[2];
    log_densities(ctx, m, 2, x, logp);
    CHECK_CLOSE(exp(logp[0]), 2.0 / 3.0, 1e-14);
    CHECK_CLOSE(exp(logp[1]), 1.0 / 3.0, 1e-14);
    sf_model_free(m);
    sf_frame *f = NULL;
    FILE *out = fopen(in_folder("l.csv"), "w");
    CHECK(out != NULL && fputs("c,d\na,x\na,x\nb,x\n", out) >= 0 &&
          fclose(out) == 0);
    sf_read_options r = SF_READ_OPTIONS_INIT;
    r.kinds = "c,d=category";
    CHECK_OK(ctx, sf_frame_read(ctx, &f, in_folder("l.csv"), &r));
    o.frame = f;
    o.target = -1;
    static const char *const names[] = {"c", "d"};
    static const double both[] = {0.0, 0.0, 0.0, 0.0, 1.0, 0.0};
    CHECK_OK(ctx,
             sf_fit_local(ctx, &m, (sf_cmat){both, 3, 2, 2}, names, &o, NULL));
    log_densities(ctx, m, 1, both, logp);
    CHECK_CLOSE(exp(logp[0]), 2.0 / 3.0, 1e-14);
    assert_string_equal(sf_model_level(m, 0, 1), "b");
    sf_model_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* ---- draws ------------------------------------------------------------------ */

/* Without width, shrinking and forgetting a round of draws is the data, each row
 * once. */
TEST(each_row_is_drawn_once)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.width = o.shrink = o.forget = 0.0;
    sf_model *m = model_of(ctx, 5, 2, five[0], &o);
    double x[10][2];
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x[0], 10, 2, 2}, NULL));
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5; i++) {
            int found = 0;
            for (int k = 0; k < 5; k++)
                found += fabs(x[5 * round + k][0] - five[i][0]) < 1e-12 &&
                         fabs(x[5 * round + k][1] - five[i][1]) < 1e-12;
            CHECK(found == 1);
        }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Three rows with two neighbours have the same distribution, of their mean and
 * covariance (divisor 2).  Five standard errors of 20000 draws: of a mean
 * sd/sqrt(N), of a variance v sqrt(2/N), of a covariance no more than that of
 * the larger variance. */
TEST(draws_have_the_mean_and_covariance_of_the_neighbourhood)
{
    (void)state_;
    enum { N = 20000 };
    static double x[N][2];
    static const double rows[] = {0.0, 0.0, 1.0, 0.5, 0.5, 1.2};
    const double mean[] = {0.5, 1.7 / 3.0};
    const double v00 = 0.25, v01 = 0.125, v11 = 0.36333333333333334;
    sf_context *ctx = new_context();
    for (int rho = 0; rho < 2; rho++) {
        sf_local_options o = SF_LOCAL_OPTIONS_INIT;
        sf_sample_options how = SF_SAMPLE_OPTIONS_INIT;
        o.neighbours = 2;
        o.rho = 0.4 * rho;
        how.method = rho ? SF_SAMPLER_DIRECT : SF_SAMPLER_STRATIFIED;
        sf_model *m = model_of(ctx, 3, 2, rows, &o);
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x[0], N, 2, 2}, &how));
        double s[2] = {0.0, 0.0}, q[3] = {0.0, 0.0, 0.0};
        for (int i = 0; i < N; i++) {
            const double a = x[i][0] - mean[0], b = x[i][1] - mean[1];
            s[0] += a / N;
            s[1] += b / N;
            q[0] += a * a / N;
            q[1] += a * b / N;
            q[2] += b * b / N;
        }
        const double se = 5.0 * sqrt(2.0 / N);
        CHECK_NEAR(s[0], 0.0, 5.0 * sqrt(v00 / N));
        CHECK_NEAR(s[1], 0.0, 5.0 * sqrt(v11 / N));
        CHECK_NEAR(q[0], v00, se * v00);
        CHECK_NEAR(q[1], (1.0 - 0.4 * rho) * v01, se * v11);
        CHECK_NEAR(q[2], v11, se * v11);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* From 0 to 1 a chord is u, whose distribution, beta of 4 and 4, has the mean 1/2
 * and the variance 1/36; and every draw lies between a row and one of its
 * neighbours. */
TEST(chords_lie_between_neighbours)
{
    (void)state_;
    enum { N = 20000 };
    static double x[N];
    static const double ends[] = {0.0, 1.0};
    sf_context *ctx = new_context();
    sf_sample_options how = SF_SAMPLE_OPTIONS_INIT;
    how.method = SF_SAMPLER_CHORDS;
    sf_model *m = model_of(ctx, 2, 1, ends, NULL);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 1, 1}, &how));
    double mean = 0.0, square = 0.0;
    for (int i = 0; i < N; i++) {
        mean += x[i] / N;
        square += (x[i] - 0.5) * (x[i] - 0.5) / N;
    }
    CHECK_NEAR(mean, 0.5, 5.0 * sqrt(1.0 / 36.0 / N));
    CHECK_NEAR(square, 1.0 / 36.0, 5.0 * sqrt(2.0 / N) / 36.0);
    sf_model_free(m);
    m = model_of(ctx, 5, 2, five[0], NULL);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, 200, 2, 2}, &how));
    for (int i = 0; i < 200; i++) {
        bool between = false;
        for (int a = 0; a < 5; a++)
            for (int b = 0; b < 5; b++) {
                const double dx = five[b][0] - five[a][0];
                const double dy = five[b][1] - five[a][1];
                const double px = x[2 * i] - five[a][0];
                const double py = x[2 * i + 1] - five[a][1];
                const double along = px * dx + py * dy;
                between |= a != b && fabs(px * dy - py * dx) < 1e-9 &&
                           along > 0.0 && along < dx * dx + dy * dy;
            }
        CHECK(between);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- classes ---------------------------------------------------------------- */

/* Two classes on a line that meet at 0; wide enough that draws go over. */
static void make_classes(double rows[40][2])
{
    for (int i = 0; i < 40; i++) {
        rows[i][0] = (i + 0.5) / 20.0 - 1.0;
        rows[i][1] = i < 20 ? 0.0 : 1.0;
    }
}

static int strangers(const double (*x)[2], int n)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += (x[i][0] < 0.0) != (x[i][1] == 0.0);
    return count;
}

TEST(draws_agree_with_their_class)
{
    (void)state_;
    enum { N = 400 };
    static double rows[40][2], x[N][2];
    make_classes(rows);
    sf_context *ctx = new_context();
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.target = 1;
    o.width = 3.0;
    o.agree = false;
    sf_model *m = model_of(ctx, 40, 2, rows[0], &o);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x[0], N, 2, 2}, NULL));
    CHECK(strangers(x, N) > 20);
    sf_model_free(m);
    o.agree = true;
    m = model_of(ctx, 40, 2, rows[0], &o);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x[0], N, 2, 2}, NULL));
    CHECK(strangers(x, N) == 0);
    int classes[2] = {0, 0};
    for (int i = 0; i < N; i++)
        classes[(int)x[i][1]]++;
    CHECK(classes[0] == N / 2); /* each row once: in their shares */
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(neighbours_are_of_the_class)
{
    (void)state_;
    static double rows[41][2];
    make_classes(rows);
    rows[40][0] = 0.02;
    rows[40][1] = 2.0; /* alone in its class */
    sf_context *ctx = warning_context();
    sf_model *m = NULL;
    sf_local_report report;
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.target = 1;
    CHECK_OK(ctx, sf_fit_local(ctx, &m, (sf_cmat){rows[0], 41, 2, 2}, NULL, &o,
                               &report));
    const sfi_local l = sfi_local_of(m);
    CHECK(report.alone == 1 && l.neighbours[40 * l.kept] == -1.0);
    CHECK(strstr(warned, "1 of 41 rows are alone in their class") != NULL);
    for (int i = 0; i < 40; i++)
        for (int64_t k = 0; k < l.kept; k++) {
            const int near = (int)l.neighbours[i * l.kept + k];
            CHECK(near != i && rows[near][1] == rows[i][1]);
        }
    /* Of row 0 they are the next ones, in their order. */
    for (int k = 0; k < 5; k++)
        CHECK(l.neighbours[k] == k + 1);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The same as looking at all pairs, ties by the lower number of a row: numbers on a
 * coarse grid, levels, classes. */
TEST(neighbours_are_the_nearest)
{
    (void)state_;
    enum { N = 300, D = 4 };
    static double rows[N][D];
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++) {
        const sfi_where where = {5, (uint64_t)i, 0, SFI_STREAM_USER};
        rows[i][0] = floor(8.0 * sfi_uniform_at(where, 0));
        rows[i][1] = sfi_uniform_at(where, 1) < 0.1 ? 30.0 : (double)(i % 7);
        rows[i][2] = floor(3.0 * sfi_uniform_at(where, 2));
        rows[i][3] = floor(2.0 * sfi_uniform_at(where, 3));
    }
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    for (int target = -1; target < 4; target += 3) {
        o.target = target;
        sf_model *m = model_of(ctx, N, D, rows[0], &o);
        const sfi_local l = sfi_local_of(m);
        for (int i = 0; i < N; i++) {
            const double *x = l.data.data + i * D;
            double last = -1.0;
            int last_row = -1;
            for (int64_t k = 0; k < l.kept; k++) {
                int best = -1;
                double least = INFINITY;
                for (int r = 0; r < N; r++) {
                    const double *y = l.data.data + r * D;
                    double d = 0.0;
                    for (int j = 0; j < D; j++)
                        d += j == target ? 0.0 : fabs(x[j] - y[j]);
                    if (r != i && (target < 0 || x[target] == y[target]) &&
                        (d > last || (d == last && r > last_row)) &&
                        d < least) {
                        best = r;
                        least = d;
                    }
                }
                CHECK(l.neighbours[i * l.kept + k] == best);
                last = least;
                last_row = best;
            }
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- promises --------------------------------------------------------------- */

TEST(sample_i_depends_on_the_seed_and_i_alone)
{
    (void)state_;
    static double rows[40][2], first[60][2], again[60][2];
    make_classes(rows);
    static const int threads[] = {1, 2, 7};
    for (size_t k = 0; k < SFI_COUNT(threads); k++) {
        sf_context *ctx = new_context();
        sf_local_options o = SF_LOCAL_OPTIONS_INIT;
        sf_sample_options how = SF_SAMPLE_OPTIONS_INIT;
        double logp[40];
        static double before[40];
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        o.target = 1;
        sf_model *m = model_of(ctx, 40, 2, rows[0], &o);
        CHECK_OK(ctx, sf_sample(m, (sf_mat){again[0], 60, 2, 2}, &how));
        log_densities(ctx, m, 40, rows[0], logp);
        if (k == 0) {
            memcpy(first, again, sizeof first);
            memcpy(before, logp, sizeof before);
        }
        assert_memory_equal(again, first, sizeof first);
        assert_memory_equal(logp, before, sizeof before);
        how.first = 45;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){again[0], 15, 2, 2}, &how));
        assert_memory_equal(again, first[45], 15 * sizeof *first);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

TEST(a_file_keeps_all_of_it)
{
    (void)state_;
    static double rows[40][2], a[60][2], b[60][2];
    make_classes(rows);
    sf_context *ctx = new_context();
    sf_model *back = NULL;
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.target = 1;
    sf_model *m = model_of(ctx, 40, 2, rows[0], &o);
    CHECK_OK(ctx, sf_model_save(m, in_folder("l.safetensors"), NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &back, in_folder("l.safetensors")));
    CHECK_OK(ctx, sf_sample(m, (sf_mat){a[0], 60, 2, 2}, NULL));
    CHECK_OK(ctx, sf_sample(back, (sf_mat){b[0], 60, 2, 2}, NULL));
    assert_memory_equal(a, b, sizeof a);
    sf_model_free(back);
    back = NULL;
    /* Row numbers and levels of files are checked. */
    m->weights[m->layout[1].offset + 3] = 40.0;
    CHECK_OK(ctx, sf_model_save(m, in_folder("l.safetensors"), NULL));
    CHECK_FAILS(ctx, sf_model_load(ctx, &back, in_folder("l.safetensors")),
                SF_E_FORMAT, "neighbour 3 of row 0 is 40");
    m->weights[m->layout[1].offset + 3] = 4.0;
    m->weights[1] = 2.0;
    CHECK_OK(ctx, sf_model_save(m, in_folder("l.safetensors"), NULL));
    CHECK_FAILS(ctx, sf_model_load(ctx, &back, in_folder("l.safetensors")),
                SF_E_FORMAT, "row 0 has level 2 in column \"c1\", which has 2");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_cannot_be_is_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    double out[2];
    const sf_cmat data = {five[0], 5, 2, 2};
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.neighbours = 513;
    CHECK_FAILS(ctx, sf_fit_local(ctx, &m, data, NULL, &o, NULL), SF_E_ARG,
                "neighbours is 513, want 1 to 512");
    o.neighbours = 3;
    o.target = 2;
    CHECK_FAILS(ctx, sf_fit_local(ctx, &m, data, NULL, &o, NULL), SF_E_ARG,
                "target is column 2 of 2");
    o.target = 0;
    CHECK_FAILS(ctx, sf_fit_local(ctx, &m, data, NULL, &o, NULL), SF_E_NUMERIC,
                "the target holds 0.5, want numbers of classes");
    o.target = -1;
    o.forget = 1.5;
    CHECK_FAILS(ctx, sf_fit_local(ctx, &m, data, NULL, &o, NULL), SF_E_ARG,
                "forget is 1.5, want 0 to 1");
    CHECK_FAILS(
        ctx,
        sf_fit_local(ctx, &m, (sf_cmat){five[0], 1, 2, 2}, NULL, NULL, NULL),
        SF_E_ARG, "want two rows or more");
    CHECK(m == NULL);
    m = model_of(ctx, 5, 2, five[0], NULL);
    const sf_model_values score = {.score = {out, 1, 2, 2}};
    CHECK_FAILS(ctx, sf_model_eval(m, (sf_cmat){five[0], 1, 2, 2}, 0.0, &score),
                SF_E_UNSUPPORTED, "local normal distributions");
    CHECK(!sf_model_can(m, SF_CAN_ROWS) && sf_model_can(m, SF_CAN_LOGPDF) &&
          sf_model_can(m, SF_CAN_NORMALISED) && !sf_model_can(m, SF_CAN_NOISE));
    sf_sample_options how = SF_SAMPLE_OPTIONS_INIT;
    how.method = SF_SAMPLER_FLOW;
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){out, 1, 2, 2}, &how),
                SF_E_UNSUPPORTED, "direct, stratified and chords");
    sf_model_free(m);
    const double one = 1.0, none = 0.0;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, NULL, &none, &one));
    how.method = SF_SAMPLER_CHORDS;
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){out, 1, 1, 1}, &how),
                SF_E_UNSUPPORTED, "not of the family gaussian");
    sf_model_free(m);
    sf_context_free(ctx);
}

static sf_status do_all(sf_context *ctx, void *user)
{
    sf_model *m = NULL;
    double x[6], logp[5];
    (void)user;
    sf_status status =
        sf_fit_local(ctx, &m, (sf_cmat){five[0], 5, 2, 2}, NULL, NULL, NULL);
    const sf_model_values values = {.logpdf = {logp, 5, 1, 1}};
    if (status == SF_OK)
        status = sf_sample(m, (sf_mat){x, 3, 2, 2}, NULL);
    if (status == SF_OK)
        status = sf_model_eval(m, (sf_cmat){five[0], 5, 2, 2}, 0.0, &values);
    sf_model_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    check_every_allocation(do_all, NULL);
}

/* Proportions and amounts stay in their support, and where a column ends in a value
 * that a twentieth of its rows have, nothing is beyond it: of the density's mass there
 * the end has its own.  Elsewhere no draw is at an end. */
TEST(draws_stay_within_their_column)
{
    (void)state_;
    enum { ROWS = 200, COLS = 3, DRAWS = 2000 };
    static double x[ROWS * COLS], out[DRAWS * COLS];
    static const char *const names[] = {"share", "amount", "clipped"};
    sf_context *ctx = new_context();
    sf_frame_column c[COLS];
    sf_frame *frame = NULL;
    for (int i = 0; i < ROWS; i++) {
        const sfi_where w = {9, (uint64_t)i, 0, SFI_STREAM_USER};
        x[COLS * i] = sfi_uniform_at(w, 0);
        x[COLS * i + 1] = exp(sfi_normal_at(w, 1));
        x[COLS * i + 2] = fmax(sfi_normal_at(w, 2), -1.0);
    }
    for (int j = 0; j < COLS; j++) {
        c[j] = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        c[j].name = names[j];
        c[j].data = x + j;
        c[j].stride = COLS * (int64_t)sizeof *x;
    }
    CHECK_OK(ctx, sf_frame_new(ctx, &frame, ROWS, COLS, c));
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    sf_model *m = NULL;
    o.frame = frame;
    CHECK_OK(ctx, sf_fit_local(ctx, &m, (sf_cmat){x, ROWS, COLS, COLS}, names,
                               &o, NULL));
    CHECK_OK(ctx, sf_sample(m, (sf_mat){out, DRAWS, COLS, COLS}, NULL));
    double ends = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        const double *y = out + COLS * i;
        CHECK(y[0] > 0.0 && y[0] < 1.0 && y[1] > 0.0);
        CHECK(y[2] > -1.0 - 1e-12);
        ends += y[2] < -1.0 + 1e-12;
    }
    CHECK(ends > 0.05 * DRAWS && ends < 0.25 * DRAWS); /* 0.16 of the rows */
    sf_model_free(m);
    sf_frame_free(frame);
    sf_context_free(ctx);
}

IO_TESTS(IO_CASE(draws_stay_within_their_column),
         IO_CASE(densities_are_those_of_the_definition),
         IO_CASE(levels_have_shares_of_the_neighbours),
         IO_CASE(each_row_is_drawn_once),
         IO_CASE(draws_have_the_mean_and_covariance_of_the_neighbourhood),
         IO_CASE(chords_lie_between_neighbours),
         IO_CASE(draws_agree_with_their_class),
         IO_CASE(neighbours_are_of_the_class),
         IO_CASE(neighbours_are_the_nearest),
         IO_CASE(sample_i_depends_on_the_seed_and_i_alone),
         IO_CASE(a_file_keeps_all_of_it), IO_CASE(what_cannot_be_is_refused),
         IO_CASE(every_allocation_may_fail))
