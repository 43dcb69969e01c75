/* SPDX-License-Identifier: Apache-2.0 */
/* Many least-squares problems at once: known minima, and what they do not share. */
#include "check.h"
#include "faults.h"

#include "solve/levenberg.h"

enum { ROWS = 500 };

/* Rosenbrock's problem with the minimum at (a, a^2), F = 0:
 *     e = (10 (y - x^2), a - x) */
struct valleys {
    double a[ROWS];
    int64_t points, hessians; /* that were asked for */
};

static sf_status valley_terms(sf_context *ctx, void *user, int64_t count,
                              const int64_t *row, const double *z, double *head,
                              double *gradient, double *matrix)
{
    struct valleys *v = user;
    (void)ctx;
    v->points += count;
    for (int64_t i = 0; i < count; i++) {
        const double x = z[2 * i], y = z[2 * i + 1];
        const double e[] = {10.0 * (y - x * x), v->a[row[i]] - x};
        const double j[2][2] = {{-20.0 * x, 10.0}, {-1.0, 0.0}};
        head[3 * i] = 0.5 * (e[0] * e[0] + e[1] * e[1]);
        head[3 * i + 1] = sqrt(2.0 * head[3 * i]);
        head[3 * i + 2] = 0.0;
        for (int k = 0; k < 2; k++) {
            gradient[2 * i + k] = j[0][k] * e[0] + j[1][k] * e[1];
            for (int l = 0; l < 2; l++)
                matrix[4 * i + 2 * k + l] =
                    j[0][k] * j[0][l] + j[1][k] * j[1][l];
        }
    }
    return SF_OK;
}

static sf_status valley_hessian(sf_context *ctx, void *user, int64_t count,
                                const int64_t *row, const double *z,
                                double *hessian)
{
    struct valleys *v = user;
    (void)ctx;
    (void)row;
    v->hessians += count;
    for (int64_t i = 0; i < count; i++) {
        const double x = z[2 * i], y = z[2 * i + 1];
        double *h = hessian + 4 * i;
        h[0] = 1.0 + 400.0 * x * x - 200.0 * (y - x * x);
        h[1] = h[2] = -200.0 * x;
        h[3] = 100.0;
    }
    return SF_OK;
}

static void minimise(sf_context *ctx, struct valleys *v, int64_t count,
                     const int64_t *row, double *z, sfi_levenberg_end *end)
{
    sfi_levenberg *l = NULL;
    const sfi_levenberg_problem problem = {2, v, valley_terms, valley_hessian};
    const sfi_levenberg_options o = {1e-12, 200};
    CHECK_OK(ctx, sfi_levenberg_new(ctx, &l, count, 2));
    CHECK_OK(ctx, sfi_levenberg_run(l, &problem, count, row, z, &o, end));
    sfi_levenberg_free(l);
}

static void make_valleys(struct valleys *v, int64_t *row, double *z)
{
    memset(v, 0, sizeof *v);
    for (int64_t i = 0; i < ROWS; i++) {
        v->a[i] = 0.5 + (double)(i % 50) / 25.0;
        row[i] = i;
        z[2 * i] = -1.2 - (double)(i / 50) / 10.0;
        z[2 * i + 1] = 1.0;
    }
}

TEST(all_problems_end_at_their_own_minimum)
{
    static struct valleys v;
    static int64_t row[ROWS];
    static double z[2 * ROWS];
    static sfi_levenberg_end end[ROWS];
    sf_context *ctx = new_context();
    make_valleys(&v, row, z);
    minimise(ctx, &v, ROWS, row, z, end);
    for (int64_t i = 0; i < ROWS; i++) {
        CHECK(end[i].converged && end[i].iterations < 100);
        CHECK_NEAR(z[2 * i], v.a[i], 1e-10);
        CHECK_NEAR(z[2 * i + 1], v.a[i] * v.a[i], 1e-10);
        CHECK(end[i].value < 1e-20);
    }
    sf_context_free(ctx);
}

/* Those that are done are not asked again: the points are the trials and the starts. */
TEST(rows_that_are_done_leave_the_batch)
{
    static struct valleys v;
    static int64_t row[ROWS];
    static double z[2 * ROWS];
    static sfi_levenberg_end end[ROWS];
    sf_context *ctx = new_context();
    int64_t trials = ROWS;
    make_valleys(&v, row, z);
    minimise(ctx, &v, ROWS, row, z, end);
    for (int64_t i = 0; i < ROWS; i++)
        trials += end[i].iterations;
    assert_int_equal(v.points, trials);
    CHECK(v.hessians > 0 && v.hessians < trials);
    sf_context_free(ctx);
}

TEST(a_problem_has_the_same_bits_alone_and_in_any_threads)
{
    static struct valleys v;
    static int64_t row[ROWS];
    static double z[2 * ROWS], again[2 * ROWS];
    static sfi_levenberg_end end[ROWS];
    static const int threads[] = {1, 2, 7};
    sf_context *ctx = new_context();
    for (int t = 0; t < 3; t++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        make_valleys(&v, row, again);
        minimise(ctx, &v, ROWS, row, again, end);
        if (t > 0)
            assert_memory_equal(z, again, sizeof z);
        memcpy(z, again, sizeof z);
    }
    make_valleys(&v, row, again);
    for (int64_t i = 137; i < ROWS; i += 100) {
        minimise(ctx, &v, 1, &row[i], again + 2 * i, end);
        assert_memory_equal(z + 2 * i, again + 2 * i, 2 * sizeof *z);
    }
    sf_context_free(ctx);
}

/* f(z) = (z, z^2) seen from x = (0, h) has F = (z^2 + (z^2 - h)^2)/2, whose minima for
 * h > 1/2 are at z^2 = h - 1/2.  There B^-1 R = 2 (h - z^2)/(1 + 4 z^2), so that
 * Gauss-Newton steps would leave 1/(4 h - 1) of the error each, 0.93 for h = 0.52, and
 * take 330 of them from 1e-3 to 1e-14. */
static sf_status curved_terms(sf_context *ctx, void *user, int64_t count,
                              const int64_t *row, const double *z, double *head,
                              double *gradient, double *matrix)
{
    const double h = *(const double *)user;
    (void)ctx;
    (void)row;
    for (int64_t i = 0; i < count; i++) {
        const double e = z[i] * z[i] - h;
        head[3 * i] = 0.5 * (z[i] * z[i] + e * e);
        head[3 * i + 1] = sqrt(2.0 * head[3 * i]);
        head[3 * i + 2] = 0.0;
        gradient[i] = z[i] + 2.0 * z[i] * e;
        matrix[i] = 1.0 + 4.0 * z[i] * z[i];
    }
    return SF_OK;
}

static sf_status curved_hessian(sf_context *ctx, void *user, int64_t count,
                                const int64_t *row, const double *z,
                                double *hessian)
{
    const double h = *(const double *)user;
    (void)ctx;
    (void)row;
    for (int64_t i = 0; i < count; i++)
        hessian[i] = 1.0 - 2.0 * h + 6.0 * z[i] * z[i];
    return SF_OK;
}

TEST(long_residuals_do_not_make_it_slow)
{
    double h = 0.52, z = 1.0;
    const int64_t row = 0;
    sf_context *ctx = new_context();
    sfi_levenberg *l = NULL;
    sfi_levenberg_end end;
    const sfi_levenberg_problem problem = {1, &h, curved_terms, curved_hessian};
    const sfi_levenberg_options o = {1e-14, 200};
    CHECK_OK(ctx, sfi_levenberg_new(ctx, &l, 1, 1));
    CHECK_OK(ctx, sfi_levenberg_run(l, &problem, 1, &row, &z, &o, &end));
    CHECK(end.converged);
    CHECK(end.iterations < 40);
    CHECK_NEAR(z, sqrt(0.02), 1e-12);
    z = NAN;
    CHECK_OK(ctx, sfi_levenberg_run(l, &problem, 1, &row, &z, &o, &end));
    CHECK(isnan(end.value) && !end.converged && end.iterations == 0);
    sfi_levenberg_free(l);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sfi_levenberg *l = NULL;
        faults.left = k;
        status = sfi_levenberg_new(ctx, &l, 10, 3);
        CHECK((l != NULL) == (status == SF_OK));
        sfi_levenberg_free(l);
        CHECK(faults.bytes == faults.own);
    }
    sf_context_free(ctx);
}

TESTS(CASE(all_problems_end_at_their_own_minimum),
      CASE(rows_that_are_done_leave_the_batch),
      CASE(a_problem_has_the_same_bits_alone_and_in_any_threads),
      CASE(long_residuals_do_not_make_it_slow), CASE(every_allocation_may_fail))
