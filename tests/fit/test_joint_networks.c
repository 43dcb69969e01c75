/* SPDX-License-Identifier: Apache-2.0 */
/* test_joint_networks.c - networks trained with noise of several columns.  A few
 * steps make no good model of the data, but one that is of its surface. */
#include "check.h"
#include "model/model.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"

enum { ROWS = 300, MOST = 4, POINTS = 3, N = 200, DRAWS = 64 };

static const double degree = 3.14159265358979324 / 180.0;

typedef struct setting {
    const char *kernel;
    int64_t columns;
    double data[3][MOST], points[POINTS][MOST];
} setting;

/* In the last the direction's columns are turned round and apart from each other,
 * between shares of two. */
static const setting settings[] = {
    {"vmf:kappa=1",
     3,
     {{0.36, 0.48, 0.8}, {0, -0.6, 0.8}, {-0.8, 0, -0.6}},
     {{0.6, 0, 0.8}, {0, 0, -1}, {-0.48, 0.8, 0.36}}},
    {"vmf:kappa=1",
     2,
     {{48.9, 2.3}, {-33.9, 151.2}, {35.7, 139.7}},
     {{30, 100}, {-60, -170}, {50, 0}}},
    {"dirichlet:alpha=1",
     3,
     {{0.2, 0.3, 0.5}, {0.6, 0.3, 0.1}, {0.1, 0.2, 0.7}},
     {{0.2, 0.4, 0.4}, {0.5, 0.3, 0.2}, {0.1, 0.1, 0.8}}},
    {"c2,c0=vmf; c1,c3=dirichlet",
     4,
     {{2.3, 20, 48.9, 80}, {151.2, 60, -33.9, 40}, {139.7, 30, 35.7, 70}},
     {{100, 50, 30, 50}, {-170, 20, -60, 80}, {0, 30, 50, 70}}}};

/* Rows of the three data in the masses .2, .5, .3. */
static sf_cmat rows_of(const setting *s, double *rows)
{
    for (int i = 0; i < ROWS; i++)
        memcpy(rows + i * s->columns,
               s->data[i % 10 < 2   ? 0
                       : i % 10 < 7 ? 1
                                    : 2],
               (size_t)s->columns * sizeof *rows);
    return (sf_cmat){rows, ROWS, s->columns, s->columns};
}

/* `curve` receives the mean loss of the first and of the last tenth. */
static sf_model *train(sf_context *ctx, const setting *s, sf_cmat data,
                       double *curve)
{
    sf_model *m = NULL;
    sf_trainer *t = NULL;
    const sf_curve_point *points = NULL;
    bool finished = false;
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.kernel = s->kernel;
    o.width = 32;
    o.layers = 2;
    o.steps = 300;
    o.batch = 256;
    o.rate = 0.01;
    o.sigma_min = 0.1;
    o.validation = 0.0;
    CHECK_OK(ctx, sf_trainer_new(ctx, &t, data, NULL, &o));
    CHECK_OK(ctx, sf_trainer_run(t, 0, &finished));
    CHECK(finished);
    CHECK_OK(ctx, sf_trainer_model(t, &m));
    const int64_t count = sf_trainer_curve(t, &points);
    CHECK(count >= 2);
    curve[0] = points[0].train;
    curve[1] = points[count - 1].train;
    sf_trainer_free(t);
    return m;
}

/* A row's direction as a vector, or its columns. */
static int64_t place_of(const setting *s, const double *x, double *out)
{
    memcpy(out, x, (size_t)s->columns * sizeof *out);
    if (s->columns % 2 == 1)
        return 3;
    const double lat = degree * x[s->columns == 4 ? 2 : 0];
    const double lon = degree * x[s->columns == 4 ? 0 : 1];
    out[0] = cos(lat) * cos(lon);
    out[1] = cos(lat) * sin(lon);
    out[2] = sin(lat);
    return 3;
}

static void check_support(const setting *s, const double *x)
{
    double sum = 0.0, length = 0.0;
    for (int64_t j = 0; j < s->columns; j++) {
        CHECK(isfinite(x[j]));
        sum += x[j];
        length += x[j] * x[j];
    }
    if (strncmp(s->kernel, "dir", 3) == 0) {
        CHECK_NEAR(sum, 1.0, 1e-12);
        CHECK(x[0] >= 0.0 && x[1] >= 0.0 && x[2] >= 0.0);
    } else if (s->columns == 3) {
        CHECK_NEAR(length, 1.0, 1e-12);
    } else if (s->columns == 2) {
        CHECK(fabs(x[0]) <= 90.0 && fabs(x[1]) <= 180.0);
    } else {
        CHECK(fabs(x[2]) <= 90.0 && fabs(x[0]) <= 180.0);
        CHECK_NEAR(x[1] + x[3], 100.0, 1e-10);
    }
}

/* Scores and velocities are along the surface: across a vector they are 0, in the
 * chart as well, where training does not make them so by itself; shares sum to what
 * they summed to. */
static void check_answers(sf_context *ctx, const setting *s, const sf_model *m)
{
    const int64_t d = s->columns;
    if (d == 3 && s->kernel[0] == 'v') {
        double chart[2][POINTS * 3];
        sfi_inner *f = NULL;
        CHECK_OK(ctx,
                 sfi_inner_new(m, &f, SF_F64, SFI_WANT_SCORE | SFI_WANT_DRIFT));
        CHECK_OK(ctx, sfi_inner_run(f, POINTS, s->points[0], MOST, 0.4, NULL,
                                    (void *[]){chart[0], chart[1]},
                                    (int64_t[]){3, 3}));
        for (int i = 0; i < 2 * POINTS; i++) {
            const double *n = s->points[i % POINTS];
            const double *v = chart[i / POINTS] + 3 * (i % POINTS);
            CHECK_NEAR(v[0] * n[0] + v[1] * n[1] + v[2] * n[2], 0.0, 1e-12);
        }
        sfi_inner_free(f);
    }
    double score[POINTS * MOST], velocity[POINTS * MOST],
        denoised[POINTS * MOST], divergence[POINTS];
    const sf_model_values values = {.score = {score, POINTS, d, d},
                                    .velocity = {velocity, POINTS, d, d},
                                    .denoised = {denoised, POINTS, d, d},
                                    .divergence = {divergence, POINTS, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){s->points[0], POINTS, d, MOST},
                                0.4, &values));
    for (int i = 0; i < POINTS; i++) {
        double along = 0.0, moved = 0.0, total = 0.0, size = 0.0;
        for (int64_t j = 0; j < d; j++) {
            const double v = velocity[i * d + j];
            along += score[i * d + j] * s->points[i][j];
            moved += v * s->points[i][j];
            total += v;
            size += fabs(score[i * d + j]) + fabs(v);
        }
        CHECK(size > 0.01);
        if (d == 3 && s->kernel[0] == 'v') {
            CHECK_NEAR(along, 0.0, 1e-12 * size);
            CHECK_NEAR(moved, 0.0, 1e-12 * size);
        } else if (d == 3) {
            CHECK_NEAR(total, 0.0, 1e-12 * size);
        }
        /* Means of directions are directions. */
        if (s->kernel[0] == 'v')
            check_support(s, denoised + i * d);
    }
}

/* Against the exact law of the data, at draws of it: the root mean square error of
 * scores, velocities and
 * denoised means in a column, relative to its size. */
static double error_of(sf_context *ctx, const setting *s, const sf_model *m,
                       sf_cmat data)
{
    const int64_t d = s->columns;
    const double t = 0.4;
    static double x[DRAWS * MOST], answer[2][3][DRAWS * MOST];
    double most = 0.0;
    sf_model *law = NULL;
    sf_empirical_options e = SF_EMPIRICAL_OPTIONS_INIT;
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    e.kernel = s->kernel;
    e.bandwidth = SF_BANDWIDTH_FIXED;
    e.time = 0.999999 * t; /* at its least time its velocity is 0 */
    o.method = SF_SAMPLER_DIRECT;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &law, data, NULL, &e, NULL));
    CHECK_OK(ctx, sf_sample(law, (sf_mat){x, DRAWS, d, d}, &o));
    for (int k = 0; k < 2; k++) {
        const sf_model_values values = {
            .score = {answer[k][0], DRAWS, d, d},
            .velocity = {answer[k][1], DRAWS, d, d},
            .denoised = {answer[k][2], DRAWS, d, d}};
        CHECK_OK(ctx, sf_model_eval(k == 0 ? law : m, (sf_cmat){x, DRAWS, d, d},
                                    t, &values));
    }
    for (int64_t j = 0; j < 3 * d; j++) {
        double gap = 0.0, size = 0.0;
        for (int64_t i = j % d; i < DRAWS * d; i += d) {
            const double want = answer[0][j / d][i];
            gap += pow(answer[1][j / d][i] - want, 2.0);
            size += want * want;
        }
        most = fmax(most, sqrt(gap / size));
    }
    sf_model_free(law);
    return most;
}

/* The mass of what likelihoods by the flow say at t = .4: a sum over cells of the
 * sphere by area, or of the triangle of two shares.  The flow keeps it, however good
 * or bad a model it is of. */
static double mass_of(sf_context *ctx, const setting *s, const sf_model *m)
{
    enum { GRID = 16, CELLS = 2 * GRID * GRID };
    static double x[CELLS * 3], size[CELLS], logp[CELLS];
    const bool shares = s->kernel[0] == 'd';
    const double side = shares ? 1.0 / GRID : 180.0 / GRID;
    double mass = 0.0;
    for (int i = 0; i < CELLS; i++) {
        const int p = i % GRID, q = i / GRID;
        double *at = x + i * s->columns;
        if (shares) { /* two triangles for a square; the others weigh nothing */
            const double third = q < GRID ? 1.0 / 3.0 : 2.0 / 3.0;
            const int r = q % GRID;
            const bool inside = p + r + (q >= GRID) < GRID;
            at[0] = inside ? side * (p + third) : 0.25;
            at[1] = inside ? side * (r + third) : 0.25;
            at[2] = 1.0 - at[0] - at[1];
            size[i] = inside ? 0.5 * side * side : 0.0;
        } else {
            at[0] = -90.0 + side * (p + 0.5);
            at[1] = side * (q + 0.5);
            size[i] = cos(degree * at[0]) * degree * side * degree * side;
        }
    }
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.rtol = l.atol = 1e-4;
    l.time = 0.4;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, CELLS, s->columns, s->columns},
                            logp, NULL, &l));
    for (int i = 0; i < CELLS; i++)
        mass += size[i] * exp(logp[i]);
    return mass;
}

TEST(a_few_steps_make_a_model_of_the_surface)
{
    static double rows[ROWS * MOST], x[N * MOST];
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        const int64_t d = s->columns;
        const sf_cmat data = rows_of(s, rows);
        double curve[2], logp[POINTS], away = 0.0;
        sf_model *m = train(ctx, s, data, curve);
        CHECK(curve[1] < 0.5 * curve[0]);
        CHECK(error_of(ctx, s, m, data) < 0.6);
        check_answers(ctx, s, m);

        sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
        o.steps = 16;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, d, d}, &o));
        for (int i = 0; i < N; i++) {
            double at[MOST], least = INFINITY;
            check_support(s, x + i * d);
            place_of(s, x + i * d, at);
            for (int q = 0; q < 3; q++) {
                double datum[MOST], gap = 0.0;
                const int64_t size = place_of(s, s->data[q], datum);
                for (int64_t j = 0; j < size; j++)
                    gap += (at[j] - datum[j]) * (at[j] - datum[j]);
                least = fmin(least, sqrt(gap));
            }
            away += least / N;
        }
        CHECK(away < 0.15);

        sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
        l.rtol = l.atol = 1e-4;
        CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){s->points[0], POINTS, d, MOST},
                                logp, NULL, &l));
        for (int i = 0; i < POINTS; i++)
            CHECK(isfinite(logp[i]));
        if (k == 1 || k == 2)
            CHECK_NEAR(mass_of(ctx, s, m), 1.0, 0.02);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

TESTS(CASE(a_few_steps_make_a_model_of_the_surface))
