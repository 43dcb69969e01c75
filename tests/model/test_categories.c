/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of levels: their kernel, what a data set of them says, files, draws. */
#include "io/tables_check.h"

#include "faults.h"
#include "model/model.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

/* ---- one column ------------------------------------------------------------- */

static const double levels[] = {0.0, 0.0, 1.0, 2.0, 1.0};
static const double weights[] = {0.1, 0.2, 0.3, 0.25, 0.15};
static const double prior[] = {0.5, 0.3, 0.2};
static const double three[] = {0.0, 1.0, 2.0};

static sf_model *one_column(sf_context *ctx, double time)
{
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = "category";
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = time;
    o.weights = weights;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){levels, 5, 1, 1}, NULL,
                                   &o, NULL));
    CHECK(sf_model_categories(m, 0) == 3);
    return m;
}

/* Another prior than the shares of the rows, 0.3, 0.45 and 0.25. */
static sf_model *with_prior(sf_context *ctx)
{
    sf_model *m = one_column(ctx, 0.01);
    const sfi_block *b = sfi_noise_block(&m->noise, 0);
    CHECK_CLOSE(b->prior[0], 0.3, 1e-15);
    CHECK_CLOSE(b->prior[1], 0.45, 1e-15);
    CHECK_CLOSE(b->prior[2], 0.25, 1e-15);
    CHECK_OK(ctx, sfi_noise_set_prior(ctx, &m->noise.blocks[0], 3, prior));
    return m;
}

/* From the definitions, in double precision, by independent code: lambda is 0.3,
 * which is t at the rate 1. */
TEST(what_is_asked_of_levels_is_exact)
{
    (void)state_;
    static const double logp[] = {-1.0216512475319812, -0.903868211875598,
                                  -1.448169764837978};
    static const double denoised[][3] = {
        {0.7083333333333333, 0.18749999999999994, 0.10416666666666662},
        {0.06666666666666668, 0.8777777777777777, 0.055555555555555566},
        {0.07659574468085104, 0.11489361702127657, 0.8085106382978724}};
    static const double reverse[][3] = {
        {0.0, 0.8035714285714284, 0.4662698412698412},
        {0.38095238095238104, 0.0, 0.2486772486772487},
        {0.4376899696048633, 0.49240121580547114, 0.0}};
    static const double posterior[][5] = {
        {0.23611111111111108, 0.4722222222222222, 0.12499999999999997,
         0.10416666666666662, 0.06249999999999998},
        {0.022222222222222227, 0.04444444444444445, 0.585185185185185,
         0.055555555555555566, 0.2925925925925926},
        {0.02553191489361701, 0.051063829787234026, 0.07659574468085105,
         0.8085106382978724, 0.038297872340425525}};
    sf_context *ctx = new_context();
    sf_model *m = with_prior(ctx);
    const sf_cmat x = {three, 3, 1, 1};
    double l[3], pmf[9], rates[9], mode[3], r[15];
    int64_t datum[15];
    const sf_model_values values = {.logpdf = {l, 3, 1, 1},
                                    .denoised = {mode, 3, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, x, 0.3, &values));
    CHECK_OK(ctx, sf_model_pmf(m, x, 0.3, 0, (sf_mat){pmf, 3, 3, 3}));
    CHECK_OK(ctx, sf_model_jump_rates(m, x, 0.3, 0, (sf_mat){rates, 3, 3, 3}));
    CHECK_OK(ctx, sf_model_posterior(m, x, 0.3, 5, datum, r));
    for (int i = 0; i < 3; i++) {
        CHECK_CLOSE(l[i], logp[i], 1e-12);
        CHECK(mode[i] == i);
        for (int k = 0; k < 3; k++) {
            CHECK_CLOSE(pmf[3 * i + k], denoised[i][k], 1e-12);
            CHECK_NEAR(rates[3 * i + k], reverse[i][k], 1e-12);
        }
        for (int k = 0; k < 5; k++)
            CHECK_CLOSE(r[5 * i + k], posterior[i][datum[5 * i + k]], 1e-12);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Forward, x goes at the rate r and becomes y with pi_y, so that dp_x/dt is
 * r (pi_x - p_x); and what flows backward from x to y is what flows forward from y
 * to x. */
TEST(rates_are_those_of_the_law)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = with_prior(ctx);
    const sf_cmat x = {three, 3, 1, 1};
    const double t = 0.4, h = 1e-5, hazard = 1.0 / (1.0 - t);
    double p[3][3], rates[9];
    for (int k = 0; k < 3; k++) {
        const sf_model_values values = {.logpdf = {p[k], 3, 1, 1}};
        CHECK_OK(ctx, sf_model_eval(m, x, t + h * (k - 1), &values));
    }
    CHECK_OK(ctx, sf_model_jump_rates(m, x, t, 0, (sf_mat){rates, 3, 3, 3}));
    for (int i = 0; i < 3; i++) {
        CHECK_NEAR((exp(p[2][i]) - exp(p[0][i])) / (2.0 * h),
                   hazard * (prior[i] - exp(p[1][i])), 1e-8);
        for (int k = 0; k < 3; k++)
            CHECK_NEAR(exp(p[1][i]) * rates[3 * i + k],
                       i != k ? exp(p[1][k]) * hazard * prior[i] : 0.0, 1e-12);
    }
    /* Below the bandwidth nothing moves. */
    CHECK_OK(ctx, sf_model_jump_rates(m, x, 0.0, 0, (sf_mat){rates, 3, 3, 3}));
    for (int k = 0; k < 9; k++)
        CHECK(rates[k] == 0.0);
    CHECK_FAILS(ctx,
                sf_model_jump_rates(m, x, 1.0, 0, (sf_mat){rates, 3, 3, 3}),
                SF_E_ARG, "want below 1");
    sf_model_free(m);
    sf_context_free(ctx);
}

/* At t = 1 it is the prior, whatever the data, and at any time the sum is 1; the
 * rate is that of forgetting. */
TEST(levels_end_in_the_prior)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    double l[4];
    static const double four[] = {0.0, 1.0, 2.0, 3.0};
    o.kernel = "category:rate=3,prior=uniform";
    o.bandwidth = SF_BANDWIDTH_FIXED;
    const double rows[] = {2.0, 3.0};
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){rows, 2, 1, 1}, NULL, &o,
                                   NULL));
    const sf_model_values values = {.logpdf = {l, 4, 1, 1}};
    for (int k = 1; k <= 10; k++) {
        const double t = 0.1 * k, kept = pow(1.0 - t, 3.0);
        CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){four, 4, 1, 1}, t, &values));
        for (int c = 0; c < 4; c++)
            CHECK_CLOSE(exp(l[c]), 0.5 * kept * (c >= 2) + 0.25 * (1.0 - kept),
                        1e-12);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* 20000 rows of five with a share of 0.4 of forgotten levels: five standard errors
 * of a frequency are exceeded once in 1.7 million runs, and the seed is fixed. */
TEST(draws_have_the_probabilities)
{
    (void)state_;
    enum { N = 20000 };
    sf_context *ctx = new_context();
    sf_model *m = one_column(ctx, 0.4);
    double *x = malloc(N * sizeof *x), l[3];
    int count[3] = {0, 0, 0};
    CHECK(x != NULL);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 1, 1}, NULL));
    for (int i = 0; i < N; i++)
        count[(int)x[i]]++;
    const sf_model_values values = {.logpdf = {l, 3, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){three, 3, 1, 1}, 0.0, &values));
    for (int c = 0; c < 3; c++) {
        const double p = exp(l[c]);
        CHECK_NEAR((double)count[c] / N, p, 5.0 * sqrt(p * (1.0 - p) / N));
    }
    free(x);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Two levels, a thrice and b twice: left out, an a has two of four others, a b one
 * of four, so that with l = t the mean log likelihood is
 *
 *     (3 ln((1 - l)/2 + 0.6 l) + 2 ln((1 - l)/4 + 0.4 l))/5,
 *
 * which rises to l = 1.  Copies stay, since a probability has a bound. */
TEST(the_likelihood_of_levels_left_out_is_known)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_empirical_report report;
    static const double rows[] = {0.0, 1.0, 0.0, 0.0, 1.0};
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = "category";
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){rows, 5, 1, 1}, NULL, &o,
                                   &report));
    CHECK_NEAR(report.time_least, 1.0, 1e-3);
    CHECK_CLOSE(report.loo, (3.0 * log(0.6) + 2.0 * log(0.4)) / 5.0, 1e-3);
    CHECK(report.copies == 0 && report.loo_rows == 5);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- a table ---------------------------------------------------------------- */

static const char *make_table(const char *name, const char *text)
{
    const char *path = in_folder(name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

static const char birds[] = "species,mass,sex,flag\n"
                            "Adelie,3.75,male,0\nGentoo,5.1,female,1\n"
                            "Adelie,3.8,female,0\nGentoo,5.4,male,1\n"
                            "\"Chinstrap, pale\",3.6,female,0\n"
                            "Adelie,3.2,female,1\nGentoo,4.9,female,1\n";

static sf_status fit_birds(sf_context *ctx, sf_model **out,
                           sf_bandwidth bandwidth)
{
    sf_frame *f = NULL;
    sf_cmat x;
    const char *names[4];
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    *out = NULL;
    SFI_TRY(sf_frame_read(ctx, &f, in_folder("birds.csv"), NULL));
    for (int j = 0; j < 4; j++)
        names[j] = sf_frame_name(f, j);
    o.frame = f;
    o.bandwidth = bandwidth;
    sf_status status = sf_frame_matrix(ctx, f, &x);
    if (status == SF_OK)
        status = sf_fit_empirical(ctx, out, x, names, &o, NULL);
    sf_frame_free(f);
    return status;
}

/* Texts and 0 and 1 are levels, the rest is what it was; what is drawn is spelled as
 * in the table, and the file keeps it. */
TEST(a_table_of_texts_is_fitted_and_drawn)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL, *back = NULL;
    sf_table t;
    char kernel[SF_KERNEL_TEXT];
    double a[200][4], b[200][4];
    make_table("birds.csv", birds);
    CHECK_OK(ctx, fit_birds(ctx, &m, SF_BANDWIDTH_LOO));
    CHECK(sf_model_categories(m, 0) == 3 && sf_model_categories(m, 1) == 0 &&
          sf_model_categories(m, 2) == 2 && sf_model_categories(m, 3) == 2);
    sf_model_kernel(m, 0, kernel);
    assert_string_equal(kernel, "category:rate=1,prior=data");
    CHECK_OK(ctx, sf_model_save(m, in_folder("b.safetensors"), NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &back, in_folder("b.safetensors")));
    CHECK_OK(ctx, sf_sample(m, (sf_mat){a[0], 200, 4, 4}, NULL));
    CHECK_OK(ctx, sf_sample(back, (sf_mat){b[0], 200, 4, 4}, NULL));
    assert_memory_equal(a, b, sizeof a);
    static const char *const names[] = {"species", "mass", "sex", "flag"};
    CHECK_OK(ctx, sf_table_new(ctx, &t, 200, 4, names));
    memcpy(t.data, a, sizeof a);
    CHECK_OK(ctx, sf_model_cells(back, &t));
    bool pale = false;
    for (int i = 0; i < 200; i++) {
        const char *species = cell_text(&t, i, 0);
        pale |= strcmp(species, "Chinstrap, pale") == 0;
        CHECK(strcmp(species, "Adelie") == 0 ||
              strcmp(species, "Gentoo") == 0 ||
              strcmp(species, "Chinstrap, pale") == 0);
        CHECK(a[i][3] == 0.0 || a[i][3] == 1.0);
    }
    CHECK(pale);
    sf_table_free(ctx, &t);
    sf_model_free(back);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The numbers of levels are those of a file's order; spellings are what counts. */
TEST(levels_of_another_file_are_matched_by_their_spelling)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_frame *f = NULL;
    sf_cmat x;
    double own[2][4];
    make_table("birds.csv", birds);
    CHECK_OK(ctx, fit_birds(ctx, &m, SF_BANDWIDTH_LOO));
    CHECK_OK(ctx, sf_frame_read(ctx, &f,
                                make_table("o.csv", "species,mass,sex,flag\n"
                                                    "Gentoo,5,female,1\n"
                                                    "Adelie,4,male,0\n"),
                                NULL));
    CHECK_OK(ctx, sf_frame_matrix(ctx, f, &x));
    memcpy(own, x.data, sizeof own);
    CHECK_OK(ctx, sf_model_match_levels(m, f, (sf_mat){own[0], 2, 4, 4}));
    CHECK(own[0][0] == 1.0 && own[1][0] == 0.0);
    CHECK(own[0][2] == 1.0 && own[1][2] == 0.0);
    CHECK(own[0][1] == 5.0 && own[0][3] == 1.0);
    sf_frame_free(f);
    CHECK_OK(ctx, sf_frame_read(ctx, &f,
                                make_table("o.csv", "species,mass,sex,flag\n"
                                                    "Gentoo,5,female,1\n"
                                                    "Emperor,4,male,0\n"),
                                NULL));
    CHECK_OK(ctx, sf_frame_matrix(ctx, f, &x));
    memcpy(own, x.data, sizeof own);
    CHECK_FAILS(ctx, sf_model_match_levels(m, f, (sf_mat){own[0], 2, 4, 4}),
                SF_E_FORMAT,
                "o.csv:3: column \"species\": \"Emperor\" is no level that the "
                "model knows, which has \"Adelie\", \"Gentoo\", \"Chinstrap, "
                "pale\"");
    sf_frame_free(f);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A time for each row: levels differ or not, whatever their numbers. */
TEST(bandwidths_of_rows_know_levels)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    char text[4096] = "c,x\n";
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%c%d,%g\n",
                 "abcd"[i % 4], i % 4, i % 4 + 0.01 * i * (i % 7));
    sf_frame *f = NULL;
    sf_cmat x;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_empirical_report report;
    static const char *const names[] = {"c", "x"};
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_table("a.csv", text), NULL));
    CHECK_OK(ctx, sf_frame_matrix(ctx, f, &x));
    o.frame = f;
    o.bandwidth = SF_BANDWIDTH_ADAPTIVE;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, x, names, &o, &report));
    CHECK(report.time_most > report.time_least && isfinite(report.loo));
    sf_model_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* The same bits from 1, 2 and 7 threads. */
TEST(threads_do_not_matter)
{
    (void)state_;
    enum { N = 300 };
    static double rows[N][2];
    static double first[N][4], again[N][4];
    for (int i = 0; i < N; i++) {
        rows[i][0] = (i * 7) % 4;
        rows[i][1] = 0.1 * ((i * 13) % 31) + rows[i][0];
    }
    static const int threads[] = {1, 2, 7};
    for (size_t k = 0; k < SFI_COUNT(threads); k++) {
        sf_context *ctx = new_context();
        sf_model *m = NULL;
        sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        o.kernel = "c0=category; c1=gaussian";
        CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){rows[0], N, 2, 2},
                                       NULL, &o, NULL));
        CHECK_OK(ctx, sf_model_pmf(m, (sf_cmat){rows[0], N, 2, 2}, 0.3, 0,
                                   (sf_mat){again[0], N, 4, 4}));
        if (k == 0)
            memcpy(first, again, sizeof first);
        assert_memory_equal(again, first, sizeof first);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

TEST(what_cannot_be_asked_of_levels_is_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = one_column(ctx, 0.1), *other = NULL;
    double out[9];
    const double half = 0.5, beyond = 3.0;
    const sf_model_values score = {.score = {out, 3, 1, 1}};
    CHECK_FAILS(ctx, sf_model_eval(m, (sf_cmat){three, 3, 1, 1}, 0.3, &score),
                SF_E_UNSUPPORTED, "counts or categories, which jump");
    CHECK_FAILS(ctx,
                sf_model_pmf(m, (sf_cmat){&half, 1, 1, 1}, 0.3, 0,
                             (sf_mat){out, 1, 3, 3}),
                SF_E_NUMERIC, "wants a value that is the number of a level");
    CHECK_FAILS(ctx,
                sf_model_pmf(m, (sf_cmat){&beyond, 1, 1, 1}, 0.3, 0,
                             (sf_mat){out, 1, 3, 3}),
                SF_E_NUMERIC, "wants a value that is the number of a level");
    CHECK_FAILS(ctx,
                sf_model_pmf(m, (sf_cmat){three, 3, 1, 1}, 0.3, 1,
                             (sf_mat){out, 3, 3, 3}),
                SF_E_ARG, "column 1 has no kernel of levels");
    CHECK_FAILS(ctx,
                sf_model_pmf(m, (sf_cmat){three, 3, 1, 1}, 0.3, 0,
                             (sf_mat){out, 3, 2, 3}),
                SF_E_SHAPE, "want [n, 1] and [n, 3]");
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = "category";
    CHECK_FAILS(ctx,
                sf_fit_empirical(ctx, &other, (sf_cmat){&half, 1, 1, 1}, NULL,
                                 &o, NULL),
                SF_E_NUMERIC, "0.5 is not the number of one of");
    o.kernel = "category:prior=mine";
    CHECK_FAILS(ctx,
                sf_fit_empirical(ctx, &other, (sf_cmat){three, 3, 1, 1}, NULL,
                                 &o, NULL),
                SF_E_ARG, "want data|uniform");
    static const double wrong[] = {0.5, 0.3, 0.3};
    CHECK_FAILS(ctx, sfi_noise_set_prior(ctx, &m->noise.blocks[0], 3, wrong),
                SF_E_ARG, "the prior sums to 1.1, want 1");
    sf_model_free(m);
    sf_context_free(ctx);
}

static sf_status do_all(sf_context *ctx, void *user)
{
    sf_model *m = NULL, *back = NULL;
    double x[8] = {0.0, 4.0, 0.0, 1.0, 1.0, 5.0, 1.0, 0.0}, out[6];
    (void)user;
    sf_status status = fit_birds(ctx, &m, SF_BANDWIDTH_FIXED);
    if (status == SF_OK)
        status = sf_model_save(m, in_folder("f.safetensors"), NULL);
    if (status == SF_OK)
        status = sf_model_load(ctx, &back, in_folder("f.safetensors"));
    if (status == SF_OK)
        status = sf_model_pmf(back, (sf_cmat){x, 2, 4, 4}, 0.3, 0,
                              (sf_mat){out, 2, 3, 3});
    if (status == SF_OK)
        status = sf_model_jump_rates(back, (sf_cmat){x, 2, 4, 4}, 0.3, 0,
                                     (sf_mat){out, 2, 3, 3});
    sf_model_free(back);
    sf_model_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    make_table("birds.csv", birds);
    check_every_allocation(do_all, NULL);
}

IO_TESTS(IO_CASE(what_is_asked_of_levels_is_exact),
         IO_CASE(rates_are_those_of_the_law), IO_CASE(levels_end_in_the_prior),
         IO_CASE(draws_have_the_probabilities),
         IO_CASE(the_likelihood_of_levels_left_out_is_known),
         IO_CASE(a_table_of_texts_is_fitted_and_drawn),
         IO_CASE(levels_of_another_file_are_matched_by_their_spelling),
         IO_CASE(bandwidths_of_rows_know_levels),
         IO_CASE(threads_do_not_matter),
         IO_CASE(what_cannot_be_asked_of_levels_is_refused),
         IO_CASE(every_allocation_may_fail))
