/* SPDX-License-Identifier: Apache-2.0 */
/* test_leave_one_out.c - the likelihood by which an empirical model finds its
 * times and its floor, against the plain way: for each row a model of all others.
 *
 * What is independent of the library: kernels, distances, neighbours and sums.
 * The least time of each row is read from the model; that they all are one factor
 * times the distance to the K-th neighbour is checked, and the factor is taken. */
#define _DEFAULT_SOURCE
#include "check.h"
#include "base/random.h"
#include "model/model.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

#include <unistd.h>

enum { COLUMNS = 2, DISTINCT = 48, COPIES = 12, ROWS = DISTINCT + COPIES };

static const double pi = 3.14159265358979324;
static const double degree = 3.14159265358979324 / 180.0;

/* The tables are small. */
static sf_context *one_thread(void)
{
    sf_context *ctx = new_context();
    sf_context_set_threads(ctx, 1);
    return ctx;
}

/* ---- laws, once more ------------------------------------------------------------ */

typedef double (*pair_fn)(const double *x, const double *x0);
typedef double (*kernel_fn)(const double *x, const double *x0, double t);

/* N((1 - t) x0, (t sigma)^2) */
static const double plane_sigma[COLUMNS] = {2.0, 0.5};

static double plane_logp(const double *x, const double *x0, double t)
{
    double sum = 0.0;
    for (int j = 0; j < COLUMNS; j++) {
        const double sd = t * plane_sigma[j];
        const double z = (x[j] - (1.0 - t) * x0[j]) / sd;
        sum -= 0.5 * z * z + log(sd * sqrt(2.0 * pi));
    }
    return sum;
}

static double plane_square(const double *x, const double *x0)
{
    double sum = 0.0;
    for (int j = 0; j < COLUMNS; j++)
        sum += pow((x[j] - x0[j]) / plane_sigma[j], 2.0);
    return sum;
}

/* Latitude and longitude; the chord is as long as the angle where it is short. */
static double sphere_square(const double *x, const double *x0)
{
    const double half = sin(0.5 * degree * (x[0] - x0[0])),
                 across = sin(0.5 * degree * (x[1] - x0[1]));
    return 4.0 * (half * half +
                  cos(degree * x[0]) * cos(degree * x0[0]) * across * across);
}

static double sphere_logp(const double *x, const double *x0, double t)
{
    const double kappa = 3.0 * (1.0 / (t * t) - 1.0);
    if (kappa == 0.0)
        return -log(4.0 * pi);
    return -0.5 * kappa * sphere_square(x, x0) +
           log(kappa / (2.0 * pi * -expm1(-2.0 * kappa)));
}

/* Two angles; wrapped Cauchy laws of rho = 1 - t. */
static double torus_logp(const double *x, const double *x0, double t)
{
    double sum = 0.0;
    for (int j = 0; j < COLUMNS; j++) {
        const double s = sin(0.5 * (x[j] - x0[j]));
        sum +=
            log(t * (2.0 - t) / (2.0 * pi * (t * t + 4.0 * (1.0 - t) * s * s)));
    }
    return sum;
}

static double torus_square(const double *x, const double *x0)
{
    double sum = 0.0;
    for (int j = 0; j < COLUMNS; j++)
        sum += pow(remainder(x[j] - x0[j], 2.0 * pi), 2.0);
    return sum;
}

/* Positive numbers, each of ln x = N((1 - t) ln x0, t^2). */
static double positive_logp(const double *x, const double *x0, double t)
{
    double sum = 0.0;
    for (int j = 0; j < COLUMNS; j++) {
        const double z = (log(x[j]) - (1.0 - t) * log(x0[j])) / t;
        sum -= 0.5 * z * z + log(x[j] * t * sqrt(2.0 * pi));
    }
    return sum;
}

static double positive_square(const double *x, const double *x0)
{
    return pow(log(x[0] / x0[0]), 2.0) + pow(log(x[1] / x0[1]), 2.0);
}

typedef struct law {
    const char *kernel;
    kernel_fn logp;
    pair_fn square;
    double middle[COLUMNS], spread[COLUMNS]; /* of the table    */
    double gap; /* of the three rows that are far from others, and of triples */
    bool triples; /* all rows are in such */
} law;

/* Places on both sides of longitude 180, and angles of both sides of pi. */
static const law laws[] = {
    {"c0=gaussian:path=linear,sigma=2; c1=gaussian:path=linear,sigma=0.5",
     plane_logp,
     plane_square,
     {1.0, 0.2},
     {1.5, 0.3},
     1e-7,
     false},
    {"c0=gaussian:path=linear,sigma=2; c1=gaussian:path=linear,sigma=0.5",
     plane_logp,
     plane_square,
     {1.0, 0.2},
     {1.5, 0.3},
     1e-3,
     true},
    {"c0,c1=vmf:kappa=3",
     sphere_logp,
     sphere_square,
     {40.0, 175.0},
     {9.0, 16.0},
     1e-2,
     false},
    {"wrappedcauchy:unit=radians",
     torus_logp,
     torus_square,
     {3.0, 0.5},
     {0.6, 0.8},
     1e-2,
     false},
    {"lognormal:path=linear,sigma=1",
     positive_logp,
     positive_square,
     {9.0, 20.0},
     {1.2, 3.0},
     1e-2,
     false}};

static double pseudo_normal(int i)
{
    const double u = fmod(0.5 + 0.6180339887498949 * (i + 1), 1.0);
    const double v = fmod(0.5 + 0.7548776662466927 * (i + 1), 1.0);
    return sqrt(-2.0 * log(u)) * cos(2.0 * pi * v);
}

/* The row that a row is a copy of, or itself. */
static int original_of(int i)
{
    return i < DISTINCT ? i : 3 * ((i - DISTINCT) % 9);
}

/* Every third row from a clump, three far away and close together, and at the end
 * copies of some; or triples. */
static void fill(const law *l, double (*x)[COLUMNS])
{
    for (int i = 0; i < DISTINCT; i++)
        for (int j = 0; j < COLUMNS; j++) {
            const int row = l->triples ? i / 3 : i;
            double z = pseudo_normal(COLUMNS * row + j);
            if (l->triples)
                z += l->gap * pseudo_normal(500 + COLUMNS * i + j);
            else if (i % 3 == 0)
                z *= 0.1;
            else if (i % 3 == 1 && i < 9)
                z = (j == 0 ? -5.0 : 0.0) + l->gap * z;
            x[i][j] = l->middle[j] + l->spread[j] * z;
        }
    for (int i = 0; i < COPIES; i++)
        memcpy(x[DISTINCT + i], x[original_of(DISTINCT + i)], sizeof x[0]);
}

/* Copies weigh what they weigh together. */
static void take_weights(const double *weights, double *of)
{
    for (int i = 0; i < ROWS; i++) {
        const int row = original_of(i);
        of[row] =
            (row == i ? 0.0 : of[row]) + (weights != NULL ? weights[i] : 1.0);
    }
}

static sf_status fit(sf_context *ctx, sf_model **m, const law *l,
                     const double *x, const sf_empirical_options *options,
                     sf_empirical_report *report)
{
    sf_empirical_options o = *options;
    o.kernel = l->kernel;
    return sf_fit_empirical(ctx, m, (sf_cmat){x, ROWS, COLUMNS, COLUMNS}, NULL,
                            &o, report);
}

/* ---- the plain way ---------------------------------------------------------------- */

/* The distance of row i to its K-th neighbour, if `without` were not there. */
static double reach(const law *l, const double (*x)[COLUMNS], int i,
                    int64_t count, int without)
{
    double near[DISTINCT];
    int n = 0;
    for (int k = 0; k < DISTINCT; k++) {
        if (k == i || k == without)
            continue;
        const double r = l->square(x[i], x[k]);
        int at = n++;
        for (; at > 0 && near[at - 1] > r; at--)
            near[at] = near[at - 1];
        near[at] = r;
    }
    return sqrt(near[count - 1]);
}

/* The time of row i: `factor` times its reach, or `factor` with count 0. */
static double time_of(const law *l, const double (*x)[COLUMNS], int i,
                      int64_t count, int without, double factor)
{
    const double t =
        count > 0 ? factor * reach(l, x, i, count, without) : factor;
    return fmin(fmax(t, 1e-5), 1.0);
}

/* What row r has under the others. */
static double logp_without(const law *l, const double (*x)[COLUMNS],
                           const double *of, int r, int64_t count,
                           double factor)
{
    double sum = 0.0, mass = 0.0;
    for (int i = 0; i < DISTINCT; i++) {
        if (i == r)
            continue;
        mass += of[i];
        sum += of[i] *
               exp(l->logp(x[r], x[i], time_of(l, x, i, count, r, factor)));
    }
    return log(sum / mass);
}

typedef struct outcome {
    double mean, se;
} outcome;

static outcome mean_of(const law *l, const double (*x)[COLUMNS],
                       const double *of, const double *logp,
                       const int64_t *rows, int n, double floor)
{
    double each[DISTINCT], mass = 0.0, sum = 0.0, squares = 0.0, parts = 0.0;
    for (int k = 0; k < n; k++) {
        const int64_t r = rows[k];
        const double prior = exp(l->logp(x[r], x[0], 1.0));
        each[k] = log((1.0 - floor) * exp(logp[k]) + floor * prior);
        mass += of[r];
        sum += of[r] * each[k];
    }
    for (int k = 0; k < n; k++) {
        const double w = of[rows[k]] / mass;
        squares += w * pow(each[k] - sum / mass, 2.0);
        parts += w * w;
    }
    return (outcome){sum / mass, sqrt(squares * parts)};
}

/* The factor that makes the model's times of reaches; 0: there is none. */
static double factor_of(const law *l, const double (*x)[COLUMNS],
                        const sf_model *m, int64_t count)
{
    const sfi_empirical e = sfi_empirical_of(m);
    double factor = 0.0;
    for (int i = 0; i < DISTINCT && factor == 0.0; i++)
        if (e.least[i] > 1e-5 && e.least[i] < 1.0)
            factor = e.least[i] / reach(l, x, i, count, -1);
    for (int i = 0; i < ROWS; i++) {
        const int row = original_of(i);
        CHECK_CLOSE(e.least[i], time_of(l, x, row, count, -1, factor), 1e-9);
    }
    return factor;
}

/* Sums of 48 kernels, by other expressions than the library's: distances of 1e-3
 * between numbers of size 10 have lost 4 digits in both, and enter twice as much. */
static const double tolerance = 1e-9;

static void check_fit(sf_context *ctx, const law *l, sf_bandwidth bandwidth,
                      double floor, const double *weights, int rows)
{
    double x[ROWS][COLUMNS], of[DISTINCT], logp[DISTINCT];
    int64_t order[DISTINCT];
    fill(l, x);
    take_weights(weights, of);
    sf_model *m = NULL;
    sf_empirical_report r;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.bandwidth = bandwidth;
    o.floor = floor;
    o.weights = weights;
    o.loo_rows = rows;
    o.seed = 5;
    CHECK_OK(ctx, fit(ctx, &m, l, x[0], &o, &r));
    CHECK(r.copies == COPIES && r.loo_rows == (rows > 0 ? rows : DISTINCT));
    CHECK((r.neighbours > 0) == (bandwidth == SF_BANDWIDTH_ADAPTIVE));
    CHECK(floor < 0.0 ? r.floor >= 0.0 && r.floor <= 0.5 : r.floor == floor);
    const double(*data)[COLUMNS] = (const double(*)[COLUMNS])x;
    const double factor =
        r.neighbours > 0 ? factor_of(l, data, m, r.neighbours) : r.time_least;
    for (int i = 0; i < DISTINCT; i++)
        order[i] = i;
    if (rows > 0)
        sfi_shuffle(o.seed, 0, order, DISTINCT);
    for (int k = 0; k < r.loo_rows; k++)
        logp[k] =
            logp_without(l, data, of, (int)order[k], r.neighbours, factor);
    const int n = (int)r.loo_rows;
    const outcome want = mean_of(l, data, of, logp, order, n, r.floor);
    CHECK_NEAR(r.loo, want.mean, tolerance);
    CHECK_NEAR(r.loo_se, want.se, tolerance);
    /* No weight of a floor beside the one that was found is better. */
    for (int k = r.floor > 0.0 ? 0 : 1; k < 2 && floor < 0.0; k++)
        CHECK(r.loo > mean_of(l, data, of, logp, order, n,
                              k == 0 ? 0.97 * r.floor : 1.03 * r.floor + 1e-6)
                          .mean);
    sf_model_free(m);
}

TEST(what_is_reported_is_what_leaving_out_gives)
{
    double weights[ROWS];
    sf_context *ctx = one_thread();
    for (int i = 0; i < ROWS; i++)
        weights[i] = 0.5 + fmod(0.381966 * i, 1.0);
    for (size_t k = 0; k < SFI_COUNT(laws); k++)
        for (int weighted = 0; weighted < 2; weighted++)
            for (int rows = 0; rows <= 17; rows += 17)
                for (int bandwidth = 0; bandwidth < 2; bandwidth++)
                    for (int floor = -1; floor < 2; floor++)
                        check_fit(ctx, &laws[k],
                                  bandwidth == 0 ? SF_BANDWIDTH_LOO
                                                 : SF_BANDWIDTH_ADAPTIVE,
                                  0.07 * floor, weighted ? weights : NULL,
                                  rows);
    sf_context_free(ctx);
}

/* None of the K that were tried, up to the second one above the best, is better
 * than what was found, with any factor near by. */
TEST(factor_and_count_are_the_best_of_those_tried)
{
    static const int64_t counts[] = {2, 3, 4, 6, 8, 12};
    double x[ROWS][COLUMNS], of[DISTINCT], logp[DISTINCT];
    int64_t order[DISTINCT];
    sf_context *ctx = one_thread();
    for (size_t k = 0; k < SFI_COUNT(laws); k++) {
        const law *l = &laws[k];
        sf_model *m = NULL;
        sf_empirical_report r;
        sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
        o.bandwidth = SF_BANDWIDTH_ADAPTIVE;
        fill(l, x);
        take_weights(NULL, of);
        CHECK_OK(ctx, fit(ctx, &m, l, x[0], &o, &r));
        const double(*data)[COLUMNS] = (const double(*)[COLUMNS])x;
        const double factor = factor_of(l, data, m, r.neighbours);
        size_t tried = 3;
        while (tried < SFI_COUNT(counts) && counts[tried - 3] < r.neighbours)
            tried++;
        for (size_t c = 0; c < tried; c++)
            for (int step = -4; step <= 4; step++) {
                for (int i = 0; i < DISTINCT; i++) {
                    order[i] = i;
                    logp[i] = logp_without(l, data, of, i, counts[c],
                                           factor * exp2(0.25 * step));
                }
                CHECK(mean_of(l, data, of, logp, order, DISTINCT, 0.0).mean <=
                      r.loo + 1e-6);
            }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Three of each row are one of each. */
TEST(copies_change_nothing)
{
    double x[3 * DISTINCT][COLUMNS], y[ROWS][COLUMNS];
    sf_context *ctx = one_thread();
    for (size_t k = 0; k < SFI_COUNT(laws); k++) {
        sf_empirical_report r[2];
        sf_model *m[2] = {NULL, NULL};
        sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
        o.bandwidth = SF_BANDWIDTH_ADAPTIVE;
        o.floor = -1.0;
        o.kernel = laws[k].kernel;
        fill(&laws[k], y);
        for (int i = 0; i < 3 * DISTINCT; i++)
            memcpy(x[i], y[i % DISTINCT], sizeof x[i]);
        for (int i = 0; i < 2; i++) {
            const int rows = i == 0 ? DISTINCT : 3 * DISTINCT;
            CHECK_OK(ctx,
                     sf_fit_empirical(ctx, &m[i],
                                      (sf_cmat){x[0], rows, COLUMNS, COLUMNS},
                                      NULL, &o, &r[i]));
        }
        CHECK(r[0].copies == 0 && r[1].copies == 2 * DISTINCT);
        CHECK(r[1].neighbours == r[0].neighbours);
        CHECK_NEAR(r[1].loo, r[0].loo, tolerance);
        CHECK_NEAR(r[1].floor, r[0].floor, 1e-6);
        for (int i = 0; i < DISTINCT; i++)
            CHECK_CLOSE(sfi_empirical_of(m[1]).least[i],
                        sfi_empirical_of(m[0]).least[i], 1e-6);
        sf_model_free(m[0]);
        sf_model_free(m[1]);
    }
    sf_context_free(ctx);
}

TEST(threads_change_nothing)
{
    static const int threads[] = {1, 2, 7};
    double x[ROWS][COLUMNS], times[2][ROWS];
    sf_empirical_report r[2];
    const law *l = &laws[2];
    fill(l, x);
    for (int run = 0; run < 3; run++) {
        const int to = run == 0 ? 0 : 1;
        sf_context *ctx = new_context();
        sf_model *m = NULL;
        sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
        o.bandwidth = SF_BANDWIDTH_ADAPTIVE;
        o.floor = -1.0;
        sf_context_set_threads(ctx, threads[run]);
        CHECK_OK(ctx, fit(ctx, &m, l, x[0], &o, &r[to]));
        memcpy(times[to], sfi_empirical_of(m).least, sizeof times[to]);
        assert_memory_equal(times[to], times[0], sizeof times[0]);
        assert_memory_equal(&r[to], &r[0], sizeof r[0]);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

/* ---- many columns ---------------------------------------------------------------- */

/* With 60 columns a kernel is more than e^700 times the floor, or less, and beyond
 * five there once were no models: every row of a narrow cloud but one. */
TEST(a_floor_is_found_where_densities_have_no_number)
{
    enum { D = 60, N = 40 };
    double x[N][D];
    sf_context *ctx = one_thread();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            x[i][j] = (i == 3 ? 0.3 : 0.0) + 1e-6 * pseudo_normal(D * i + j);
    for (int adaptive = 0; adaptive < 2; adaptive++) {
        sf_model *m = NULL;
        sf_empirical_report r;
        sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
        o.kernel = "gaussian:path=linear,sigma=1";
        o.bandwidth = adaptive ? SF_BANDWIDTH_ADAPTIVE : SF_BANDWIDTH_LOO;
        o.floor = -1.0;
        CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x[0], N, D, D}, NULL,
                                       &o, &r));
        /* One row of 40 is the floor's, and the others have nothing of it. */
        CHECK_NEAR(r.floor, 1.0 / N, 1e-6);
        CHECK(r.loo > 500.0 && isfinite(r.loo));
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- the law with a floor --------------------------------------------------------- */

static sf_model *model_of(sf_context *ctx, const char *kernel, double time,
                          double floor, sf_cmat data)
{
    sf_model *m = NULL;
    sf_empirical_report r;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = time;
    o.floor = floor;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, data, NULL, &o, &r));
    CHECK(r.floor == floor);
    return m;
}

static void densities(sf_context *ctx, const sf_model *m, sf_cmat x,
                      double time, double *out)
{
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = time;
    CHECK_OK(ctx, sf_logpdf(m, x, out, NULL, &l));
    for (int64_t i = 0; i < x.rows; i++)
        out[i] = exp(out[i]);
}

static const double places[3][COLUMNS] = {
    {80.0, 10.0}, {84.0, 100.0}, {78.0, -60.0}};
static const double share = 0.3;

static sf_model *places_with(sf_context *ctx, double time, double floor)
{
    return model_of(ctx, "c0,c1=vmf:kappa=3", time, floor,
                    (sf_cmat){places[0], 3, COLUMNS, COLUMNS});
}

/* On the sphere by midpoints of latitude and longitude: cos(lat) has a bend at a
 * pole, which leaves (step^2)/24 = 5e-6 times what the density is there, 4. */
TEST(a_law_with_a_floor_has_mass_one)
{
    enum { UP = 300, ROUND = 300 };
    static double x[UP * ROUND][COLUMNS], with[UP * ROUND], without[UP * ROUND];
    static const double times[] = {0.0, 0.5, 1.0};
    const sf_cmat all = {x[0], UP * ROUND, COLUMNS, COLUMNS};
    sf_context *ctx = one_thread();
    for (int i = 0; i < UP * ROUND; i++) {
        x[i][0] = 180.0 * (i / ROUND + 0.5) / UP - 90.0;
        x[i][1] = 360.0 * (i % ROUND + 0.5) / ROUND - 180.0;
    }
    sf_model *a = places_with(ctx, 0.3, share), *b = places_with(ctx, 0.3, 0.0);
    for (size_t k = 0; k < SFI_COUNT(times); k++) {
        double mass = 0.0;
        densities(ctx, a, all, times[k], with);
        densities(ctx, b, all, times[k], without);
        for (int i = 0; i < UP * ROUND; i++) {
            mass +=
                2.0 * pi * pi / (UP * ROUND) * cos(degree * x[i][0]) * with[i];
            CHECK_CLOSE(with[i],
                        (1.0 - share) * without[i] + share / (4.0 * pi), 1e-12);
        }
        CHECK_NEAR(mass, 1.0, 1e-4);
    }
    sf_model_free(a);
    sf_model_free(b);

    /* Between 0 and 1, by x = 1/(1 + e^-u): midpoints converge like e^(-1/step). */
    static const double shares[] = {0.1, 0.15, 0.6};
    static double y[2000];
    double mass = 0.0;
    for (int i = 0; i < 2000; i++)
        y[i] = 1.0 / (1.0 + exp(-0.02 * (i - 1000)));
    a = model_of(ctx, "beta:concentration=4,mean=0.4", 0.2, share,
                 (sf_cmat){shares, 3, 1, 1});
    densities(ctx, a, (sf_cmat){y, 2000, 1, 1}, 0.0, with);
    for (int i = 0; i < 2000; i++)
        mass += 0.02 * with[i] * y[i] * (1.0 - y[i]);
    CHECK_NEAR(mass, 1.0, 1e-9);
    sf_model_free(a);
    sf_context_free(ctx);
}

/* Half of the floor is south of the equator, where no kernel is; a third of the rest
 * is within .1 of each place, 3.5 standard deviations, where the floor has 8e-4. */
TEST(draws_come_from_the_floor_as_often_as_it_weighs)
{
    enum { N = 4000 };
    static const sf_sampler methods[] = {SF_SAMPLER_DIRECT,
                                         SF_SAMPLER_STRATIFIED,
                                         SF_SAMPLER_POSTERIOR, SF_SAMPLER_FLOW};
    static double x[N][COLUMNS];
    sf_context *ctx = one_thread();
    sf_model *m = places_with(ctx, 0.05, share);
    for (size_t k = 0; k < SFI_COUNT(methods); k++) {
        sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
        double south = 0.0, first = 0.0;
        s.method = methods[k];
        s.seed = 3;
        s.steps = methods[k] == SF_SAMPLER_FLOW ? 24 : 0;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x[0], N, COLUMNS, COLUMNS}, &s));
        for (int i = 0; i < N; i++) {
            south += (x[i][0] < 0.0) / (double)N;
            first += (sphere_square(x[i], places[0]) < 0.01) / (double)N;
        }
        const double p = 0.5 * share, q = (1.0 - share) / 3.0;
        /* 4 standard errors: a false alarm in 16 000. */
        CHECK_NEAR(south, p, 4.0 * sqrt(p * (1.0 - p) / N));
        CHECK_NEAR(first, q, 4.0 * sqrt(q * (1.0 - q) / N));
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_comes_from_the_floor_says_so_and_stays)
{
    static const double far[2][COLUMNS] = {{-40.0, 20.0}, {80.0, 10.0}};
    const sf_cmat x = {far[0], 2, COLUMNS, COLUMNS};
    int64_t datum[2][2];
    double weight[2][2], clean[2][COLUMNS], velocity[2][COLUMNS],
        drawn[2][COLUMNS];
    sf_context *ctx = one_thread();
    sf_model *m = places_with(ctx, 0.05, share);
    const sf_model_values values = {.denoised = {clean[0], 2, 2, 2},
                                    .velocity = {velocity[0], 2, 2, 2}};
    CHECK_OK(ctx, sf_model_posterior(m, x, 0.1, 2, datum[0], weight[0]));
    CHECK_OK(ctx, sf_model_eval(m, x, 0.1, &values));
    CHECK_OK(ctx,
             sf_model_draw_clean(m, x, 0.1, 1, (sf_mat){drawn[0], 2, 2, 2}));
    CHECK(datum[0][0] == -2 && datum[1][0] == 0);
    CHECK_NEAR(weight[0][0], 1.0, 1e-12);
    for (int j = 0; j < COLUMNS; j++) {
        CHECK_NEAR(clean[0][j], far[0][j], 1e-9);
        CHECK_NEAR(velocity[0][j], 0.0, 1e-9);
        CHECK_NEAR(drawn[0][j], far[0][j], 1e-12);
        CHECK_NEAR(drawn[1][j], places[0][j], 1e-12);
    }
    sf_model_free(m);

    /* Without one a point may be out of reach of everything. */
    const double two[] = {0.0, 1.0}, off = 1e200;
    double out;
    m = model_of(ctx, "gaussian:path=ve,sigma=1", 0.1, 0.0,
                 (sf_cmat){two, 2, 1, 1});
    CHECK_FAILS(ctx,
                sf_model_draw_clean(m, (sf_cmat){&off, 1, 1, 1}, 0.1, 1,
                                    (sf_mat){&out, 1, 1, 1}),
                SF_E_NUMERIC, "too far from all data");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_file_keeps_the_floor)
{
    double before[3], after[3];
    char path[] = "/tmp/scorefield-floor-XXXXXX.safetensors";
    const double at[3][COLUMNS] = {{80.0, 20.0}, {-70.0, 3.0}, {10.0, 170.0}};
    const sf_cmat x = {at[0], 3, COLUMNS, COLUMNS};
    sf_context *ctx = one_thread();
    sf_model *m = places_with(ctx, 0.05, share), *read = NULL;
    const int file = mkstemps(path, 12);
    CHECK(file >= 0 && close(file) == 0);
    CHECK_OK(ctx, sf_model_save(m, path, NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &read, path));
    CHECK(sfi_empirical_of(read).floor == share);
    densities(ctx, m, x, 0.0, before);
    densities(ctx, read, x, 0.0, after);
    assert_memory_equal(after, before, sizeof before);
    CHECK_CLOSE(after[1], share / (4.0 * pi), 1e-9);
    CHECK(unlink(path) == 0);
    sf_model_free(read);
    sf_model_free(m);
    sf_context_free(ctx);
}

static void refuse(const char *kernel, sf_bandwidth bandwidth, double floor,
                   const char *part)
{
    static const double x[] = {0.0, 1.0, 2.0, 5.0};
    sf_context *ctx = one_thread();
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = kernel;
    o.bandwidth = bandwidth;
    o.floor = floor;
    CHECK_FAILS(
        ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, 4, 1, 1}, NULL, &o, NULL),
        SF_E_ARG, part);
    CHECK(m == NULL);
    sf_context_free(ctx);
}

TEST(floors_that_are_none_are_refused)
{
    const char *range = "the floor is 1, want 0 to below 1";
    refuse("gaussian", SF_BANDWIDTH_LOO, 1.0, range);
    refuse("gaussian", SF_BANDWIDTH_FIXED, 1.0, range);
    refuse("gaussian", SF_BANDWIDTH_LOO, NAN, "the floor is nan");
    refuse("gaussian", SF_BANDWIDTH_FIXED, -1.0, "with a fixed bandwidth");
    refuse("poisson", SF_BANDWIDTH_FIXED, 0.1, "kernel poisson has only at 0");
    refuse("binomial", SF_BANDWIDTH_FIXED, 0.1, "has only at 0");
    refuse("gaussian:path=ve", SF_BANDWIDTH_LOO, -1.0, "on the path ve");
    refuse("student:path=ve", SF_BANDWIDTH_FIXED, 0.1, "on the path ve");
}

TESTS(CASE(what_is_reported_is_what_leaving_out_gives),
      CASE(factor_and_count_are_the_best_of_those_tried),
      CASE(copies_change_nothing), CASE(threads_change_nothing),
      CASE(a_floor_is_found_where_densities_have_no_number),
      CASE(a_law_with_a_floor_has_mass_one),
      CASE(draws_come_from_the_floor_as_often_as_it_weighs),
      CASE(what_comes_from_the_floor_says_so_and_stays),
      CASE(a_file_keeps_the_floor), CASE(floors_that_are_none_are_refused))
