/* SPDX-License-Identifier: Apache-2.0 */
/* test_product_atoms.c - data sets whose columns have atoms.  Numbers that are not
 * derived here come from the definitions (kernel/cell_law.h) in double precision, by
 * another program. */
#include "faults.h"
#include "kernel/cell_law.h"
#include "scorefield/condition.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/impute.h"
#include "scorefield/store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 4, COLS = 2 };
static const double rows[ROWS * COLS] = {0.0, 0.0, 0.0, 1.0,
                                         1.0, 2.0, 2.5, 4.0};

static sf_frame *frame_of(sf_context *ctx, const double *x, int64_t n,
                          double atom)
{
    sf_frame_column c[COLS] = {SF_FRAME_COLUMN_INIT, SF_FRAME_COLUMN_INIT};
    sf_frame *f = NULL;
    for (int j = 0; j < COLS; j++) {
        c[j].name = j == 0 ? "a" : "b";
        c[j].data = x + j;
        c[j].stride = COLS * (int64_t)sizeof *x;
        c[j].kind = SF_KIND_REAL;
        c[j].atom_count = 0;
    }
    c[0].atoms = &atom;
    c[0].atom_count = 1;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, n, COLS, c));
    return f;
}

static const char *const names[] = {"a", "b"};

/* a is 0 or a number of sd 0.4 about its row's, above 0; lambda is 0.2, and an atom that
 * is forgotten a number of the prior N(0, 2^2). */
static sf_empirical_options options(const sf_frame *f)
{
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = "a=gaussian:sigma=2,path=ve; b=gaussian:sigma=3.5,path=ve";
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = 0.2;
    o.frame = f;
    return o;
}

static sf_model *four_rows(sf_context *ctx)
{
    sf_model *m = NULL;
    sf_frame *f = frame_of(ctx, rows, ROWS, 0.0);
    const sf_empirical_options o = options(f);
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){rows, ROWS, COLS, COLS},
                                   names, &o, NULL));
    sf_frame_free(f);
    return m;
}

/* ---- cells ----------------------------------------------------------------------- */

static const double at[] = {-1.0, 0.5, 2.0};
static const bool between[] = {false, true, true, false};
static const double share[] = {0.1, 0.3, 0.2, 0.4};
static const sfi_cell_atoms atoms = {3, at, between, share};

static void noise_of(sf_context *ctx, const char *kernel, sfi_noise *noise)
{
    static const char *const one[] = {"x"};
    CHECK_OK(ctx, sfi_noise_parse(ctx, noise, kernel, 1, one, NULL));
}

/* Masses of pieces sum to 1, and quantiles and moments are those of the distribution
 * that log_mass() and log_density() say: by sums over a fine grid. */
TEST(a_cell_is_a_mixture_of_atoms_and_a_number)
{
    enum { STEPS = 40000 };
    static const double from[] = {0.9, 0.5};
    sf_context *ctx = new_context();
    sfi_noise noise;
    noise_of(ctx, "gaussian:sigma=1.5,path=vp", &noise);
    for (int k = 0; k < 2; k++) {
        const sfi_cell c = sfi_cell_with_atoms(sfi_noise_block(&noise, 0),
                                               &atoms, from[k], 0.3);
        double mass = 0.0, mean = 0.0, squares = 0.0, m, v;
        CHECK_NEAR(sfi_cell_log_mass(&c, -INFINITY, INFINITY), 0.0, 1e-14);
        for (int64_t i = 0; i < 3; i++) {
            const double own = from[k] == at[i] ? 1.0 : 0.0;
            const double p = exp(sfi_cell_log_density(&c, at[i]));
            CHECK_CLOSE(p, 0.7 * own + 0.3 * share[i], 1e-14);
            CHECK_CLOSE(exp(sfi_cell_log_mass(&c, at[i], at[i])), p, 1e-14);
            mass += p;
            mean += p * at[i];
            squares += p * at[i] * at[i];
        }
        for (int i = 0; i < STEPS; i++) {
            const double x = -1.0 + 3.0 * (i + 0.5) / STEPS;
            const double p = exp(sfi_cell_log_density(&c, x)) * 3.0 / STEPS;
            mass += p;
            mean += p * x;
            squares += p * x * x;
        }
        CHECK_CLOSE(mass, 1.0, 1e-8);
        sfi_cell_moments(&c, -INFINITY, INFINITY, &m, &v);
        CHECK_CLOSE(m, mean, 1e-7);
        CHECK_CLOSE(v, squares - mean * mean, 1e-7);
        CHECK(sfi_cell_log_density(&c, -1.5) == -INFINITY);
        CHECK(sfi_cell_log_density(&c, 2.5) == -INFINITY);
        for (double p = 0.003; p < 1.0; p += 0.01) {
            const double x = sfi_cell_quantile(&c, -INFINITY, INFINITY, p);
            const double upto = exp(sfi_cell_log_mass(&c, -INFINITY, x));
            const bool atom = x == at[0] || x == at[1] || x == at[2];
            const double jump = atom ? exp(sfi_cell_log_density(&c, x)) : 0.0;
            CHECK(x >= -1.0 && x <= 2.0);
            CHECK(p <= upto + 1e-12 && p >= upto - jump - 1e-12);
            CHECK(atom || fabs(p - upto) < 1e-12);
        }
    }
    sfi_noise_free(ctx, &noise);
    sf_context_free(ctx);
}

/* Whole numbers beside atoms are never these: P sums over other whole numbers alone. */
TEST(whole_numbers_leave_atoms_out)
{
    static const double whole[] = {0.0, 3.0}, part[] = {0.5, 0.2, 0.3};
    static const bool gaps[] = {false, true, true};
    const sfi_cell_atoms a = {2, whole, gaps, part};
    sf_context *ctx = new_context();
    sfi_noise noise;
    noise_of(ctx, "integer:sigma=4,mean=2,path=ve,least=0", &noise);
    const sfi_cell c =
        sfi_cell_with_atoms(sfi_noise_block(&noise, 0), &a, 4.0, 0.25);
    double sum = 0.0;
    for (int k = -3; k < 40; k++)
        sum += exp(sfi_cell_log_density(&c, k));
    CHECK_CLOSE(sum, 1.0, 1e-12);
    CHECK_CLOSE(exp(sfi_cell_log_density(&c, 3.0)), 0.25 * 0.2, 1e-14);
    CHECK_CLOSE(exp(sfi_cell_log_density(&c, 0.0)), 0.25 * 0.5, 1e-14);
    CHECK(sfi_cell_log_density(&c, -1.0) == -INFINITY);
    sfi_noise_free(ctx, &noise);
    sf_context_free(ctx);
}

/* ---- known answers ---------------------------------------------------------------- */

TEST(densities_count_atoms)
{
    static const double want[] = {-1.6086810628627906, -3.9744068394259515,
                                  -2.8378128896027124};
    static const double x[] = {0.0, 0.5, 1.2, 0.5, 3.0, 4.0, -0.1, 0.5};
    static const double parts[] = {0.0, NAN, 1.2, NAN};
    double got[4];
    sf_context *ctx = new_context();
    sf_model *m = four_rows(ctx);
    const sf_model_values values = {.logpdf = {got, 4, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, 4, COLS, COLS}, 0.0, &values));
    for (int i = 0; i < 3; i++)
        CHECK_CLOSE(got[i], want[i], 1e-13);
    CHECK(got[3] == -INFINITY);
    CHECK_OK(ctx,
             sf_logpdf_marginal(ctx, got, m, (sf_cmat){parts, 2, COLS, COLS}));
    CHECK_CLOSE(got[0], log(0.5), 1e-13);
    CHECK_CLOSE(got[1], -1.527504338654188, 1e-13);
    CHECK(!sf_model_can(m, SF_CAN_SCORE) && !sf_model_can(m, SF_CAN_NOISE));
    CHECK(sf_model_can(m, SF_CAN_CONDITION) && sf_model_can(m, SF_CAN_LOGPDF));
    CHECK(strstr(sf_model_why_not(m, SF_CAN_SCORE), "atoms") != NULL);
    CHECK(sf_model_atom_count(m, 0) == 1 && sf_model_atom(m, 0, 0) == 0.0);
    CHECK(sf_model_atom_count(m, 1) == 0 && isnan(sf_model_atom(m, 1, 0)));
    sf_model_free(m);
    sf_context_free(ctx);
}

static sf_conditional *given(sf_context *ctx, const sf_model *m,
                             const char *text)
{
    sf_condition *where = NULL;
    sf_conditional *c = NULL;
    CHECK_OK(ctx, sf_condition_new(ctx, &where, m));
    CHECK_OK(ctx, sf_condition_add(where, text));
    CHECK_OK(ctx, sf_conditional_given(ctx, &c, m, where));
    sf_condition_free(where);
    return c;
}

static double log_probability(sf_context *ctx, const sf_model *m,
                              const char *text)
{
    double p = NAN;
    sf_conditional *c = given(ctx, m, text);
    sf_conditional_evidence(c, NULL, &p, NULL);
    sf_conditional_free(c);
    return p;
}

TEST(conditions_know_atoms)
{
    static const double zero = 0.5239629642077029;
    double mean[COLS], covariance[COLS * COLS], q[4];
    const double p[] = {0.1, zero - 0.01, zero + 0.01, 0.9};
    sf_context *ctx = new_context();
    sf_model *m = four_rows(ctx);
    sf_conditional *c = given(ctx, m, "b=1.5");
    CHECK_OK(ctx, sf_conditional_moments(c, mean, covariance));
    CHECK_CLOSE(mean[0], 0.511976724107199, 1e-12);
    CHECK_CLOSE(covariance[0], 0.4484278310295661, 1e-12);
    CHECK_OK(ctx, sf_conditional_quantiles(c, 0, 4, p, q));
    CHECK(q[0] == 0.0 && q[1] == 0.0);
    CHECK_CLOSE(q[2], 0.1836083572674799, 1e-11);
    CHECK_CLOSE(q[3], 1.3784599991780093, 1e-11);
    sf_conditional_free(c);
    CHECK_CLOSE(exp(log_probability(ctx, m, "a in 0:1")), 0.6309631875218041,
                1e-12);
    CHECK_CLOSE(exp(log_probability(ctx, m, "a>0")), 0.5, 1e-8);
    CHECK_CLOSE(exp(log_probability(ctx, m, "a>=0")), 1.0, 1e-12);
    CHECK_CLOSE(exp(log_probability(ctx, m, "a<=0")), 0.5, 1e-12);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- draws ------------------------------------------------------------------------ */

/* P(0) is 1/2: five standard errors of a share of N draws. */
TEST(draws_are_atoms_exactly_or_on_their_side)
{
    enum { N = 4000 };
    static double x[N * COLS], again[N * COLS];
    sf_context *ctx = new_context();
    sf_model *m = four_rows(ctx);
    for (int method = 0; method < 2; method++) {
        sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
        o.method = method == 0 ? SF_SAMPLER_DIRECT : SF_SAMPLER_STRATIFIED;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, COLS, COLS}, &o));
        int64_t zeros = 0;
        for (int64_t i = 0; i < N; i++) {
            CHECK(x[i * COLS] >= 0.0);
            zeros += x[i * COLS] == 0.0;
        }
        CHECK_NEAR((double)zeros / N, 0.5, 5.0 * sqrt(0.25 / N));
        o.first = 10;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){again, 50, COLS, COLS}, &o));
        CHECK(memcmp(again, x + 10 * COLS, 50 * COLS * sizeof *x) == 0);
    }
    sf_conditional *c = given(ctx, m, "a>0");
    CHECK_OK(ctx, sf_conditional_draw(c, 3, 0, (sf_mat){x, N, COLS, COLS}));
    for (int64_t i = 0; i < N; i++)
        CHECK(x[i * COLS] > 0.0);
    sf_conditional_free(c);
    float trace[2 * 5 * COLS];
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.steps = 1;
    o.trace = trace;
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){x, 5, COLS, COLS}, &o),
                SF_E_UNSUPPORTED, "no path to trace");
    sf_model_free(m);
    sf_context_free(ctx);
}

/* An atom of a scaled column comes back to the last bit, from draws, quantiles and
 * imputation, where mean + scale z would not. */
TEST(atoms_come_back_bit_for_bit)
{
    enum { N = 60, DRAWS = 300 };
    static double x[N * COLS], drawn[DRAWS * COLS];
    sf_context *ctx = new_context();
    const double atom = 0.1 + 0.2;
    for (int i = 0; i < N; i++) {
        x[COLS * i] = i % 3 == 0 ? atom : (i % 2 - 0.4) * (0.7 * i + 1.0);
        x[COLS * i + 1] = i % 7;
    }
    sf_frame *f = frame_of(ctx, x, N, atom);
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_model *m = NULL;
    sf_imputer *imputer = NULL;
    o.frame = f;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, N, COLS, COLS}, names,
                                   &o, NULL));
    CHECK_OK(ctx, sf_sample(m, (sf_mat){drawn, DRAWS, COLS, COLS}, NULL));
    int64_t same = 0;
    for (int64_t i = 0; i < DRAWS; i++) {
        same += drawn[i * COLS] == atom;
        CHECK(drawn[i * COLS] == atom || fabs(drawn[i * COLS] - atom) > 1e-9);
    }
    CHECK_NEAR((double)same / DRAWS, 1.0 / 3.0, 5.0 * sqrt(0.25 / DRAWS));
    CHECK_OK(ctx, sf_imputer_new(ctx, &imputer, m));
    for (int64_t i = 0; i < DRAWS; i++) {
        drawn[i * COLS] = NAN;
        drawn[i * COLS + 1] = 3.0;
    }
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.with = SF_IMPUTE_DRAW;
    const sf_mat out = {drawn, DRAWS, COLS, COLS};
    CHECK_OK(ctx, sf_impute(ctx, out, imputer, sf_mat_const(out), &how));
    int64_t below = 0;
    same = 0;
    for (int64_t i = 0; i < DRAWS; i++) {
        same += drawn[i * COLS] == atom;
        below += drawn[i * COLS] < atom;
    }
    CHECK(same > DRAWS / 10 && same < DRAWS * 6 / 10 && below > DRAWS / 10);
    /* A quantile in the middle of the jump. */
    const double p = ((double)below + 0.5 * (double)same) / DRAWS;
    double q = NAN;
    sf_conditional *c = given(ctx, m, "b=3");
    CHECK_OK(ctx, sf_conditional_quantiles(c, 0, 1, &p, &q));
    CHECK(q == atom);
    sf_conditional_free(c);
    sf_imputer_free(imputer);
    sf_model_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* ---- files and errors ------------------------------------------------------------- */

TEST(files_keep_atoms)
{
    static const double x[] = {0.0, 0.5, 1.2, 0.5};
    char path[64];
    double before[2], after[2];
    sf_context *ctx = new_context();
    sf_model *m = four_rows(ctx), *read = NULL;
    snprintf(path, sizeof path, "/tmp/atoms-%ld.safetensors", (long)getpid());
    CHECK_OK(ctx, sf_model_save(m, path, NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &read, path));
    CHECK(sf_model_atom_count(read, 0) == 1);
    const sf_cmat points = {x, 2, COLS, COLS};
    CHECK_OK(ctx,
             sf_model_eval(m, points, 0.0,
                           &(sf_model_values){.logpdf = {before, 2, 1, 1}}));
    CHECK_OK(ctx,
             sf_model_eval(read, points, 0.0,
                           &(sf_model_values){.logpdf = {after, 2, 1, 1}}));
    CHECK(memcmp(before, after, sizeof before) == 0);
    CHECK(remove(path) == 0);
    sf_model_free(read);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_cannot_be_is_refused)
{
    static const double other[] = {0.0, 0.0, -1.0, 1.0};
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_frame *f = frame_of(ctx, rows, ROWS, 0.0);
    sf_empirical_options o = options(f);
    const sf_cmat data = {other, 2, COLS, COLS};
    CHECK_FAILS(ctx, sf_fit_empirical(ctx, &m, data, names, &o, NULL),
                SF_E_FORMAT, "whose atoms have no number there");
    CHECK(m == NULL);
    sf_frame_free(f);
    sf_context_free(ctx);
}

static sf_status work(sf_context *ctx, const sf_frame *f)
{
    double x[8 * COLS];
    sf_model *m = NULL;
    const sf_empirical_options o = options(f);
    SFI_TRY(sf_fit_empirical(ctx, &m, (sf_cmat){rows, ROWS, COLS, COLS}, names,
                             &o, NULL));
    double logpdf[ROWS];
    sf_status status = sf_sample(m, (sf_mat){x, 8, COLS, COLS}, NULL);
    if (status == SF_OK)
        status =
            sf_model_eval(m, (sf_cmat){rows, ROWS, COLS, COLS}, 0.0,
                          &(sf_model_values){.logpdf = {logpdf, ROWS, 1, 1}});
    sf_model_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *good = new_context();
    sf_frame *f = frame_of(good, rows, ROWS, 0.0);
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = work(ctx, f);
    CHECK(faults.tries > 10);
    sf_context_free(ctx);
    sf_frame_free(f);
    sf_context_free(good);
}

TESTS(CASE(a_cell_is_a_mixture_of_atoms_and_a_number),
      CASE(whole_numbers_leave_atoms_out), CASE(densities_count_atoms),
      CASE(conditions_know_atoms),
      CASE(draws_are_atoms_exactly_or_on_their_side),
      CASE(atoms_come_back_bit_for_bit), CASE(files_keep_atoms),
      CASE(what_cannot_be_is_refused), CASE(every_allocation_may_fail))
