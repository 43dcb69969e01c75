/* SPDX-License-Identifier: Apache-2.0 */
/* test_joint_models.c - laws of a data set whose kernels have several columns,
 * asked in the data's own units.
 *
 * Oracles C7, C15 and C17: numbers of independent code, to as many digits as are
 * written. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

#include <unistd.h>

enum { MOST = 9, ROWS = 5, POINTS = 2 };

static const double pi = 3.14159265358979324;
static const double degree = 3.14159265358979324 / 180.0;

static sf_status fit(sf_context *ctx, sf_model **m, const char *kernel,
                     double time, sf_cmat data, const char *const *names,
                     const double *weights)
{
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = time;
    o.weights = weights;
    return sf_fit_empirical(ctx, m, data, names, &o, NULL);
}

static sf_model *model_of(sf_context *ctx, const char *kernel, double time,
                          sf_cmat data, const char *const *names,
                          const double *weights)
{
    sf_model *m = NULL;
    CHECK_OK(ctx, fit(ctx, &m, kernel, time, data, names, weights));
    return m;
}

/* ln p of n rows of x, MOST apart. */
static void logpdf_of(sf_context *ctx, const sf_model *m, int64_t n,
                      const double *x, double time, double *out)
{
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    o.time = time;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, n, sf_model_dim(m), MOST}, out,
                            NULL, &o));
}

static double logpdf_at(sf_context *ctx, const sf_model *m, const double *x,
                        double time)
{
    double out = NAN;
    logpdf_of(ctx, m, 1, x, time, &out);
    return out;
}

typedef struct answers {
    double score[MOST], velocity[MOST], denoised[MOST], jacobian[MOST * MOST],
        divergence;
} answers;

static answers answers_at(sf_context *ctx, const sf_model *m, const double *x,
                          double time)
{
    const int64_t d = sf_model_dim(m);
    answers a;
    const sf_model_values values = {.score = {a.score, 1, d, d},
                                    .velocity = {a.velocity, 1, d, d},
                                    .denoised = {a.denoised, 1, d, d},
                                    .jacobian = {a.jacobian, 1, d * d, d * d},
                                    .divergence = {&a.divergence, 1, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, 1, d, d}, time, &values));
    return a;
}

/* ---- known answers ------------------------------------------------------------- */

/* Oracle C7: two charges in two dimensions and D = 3 more, at r = .7.  The law is
 * Student's with nu = D and the scale r/sqrt(D), which is the time here. */
TEST(electric_fields_of_more_dimensions_are_student_noise)
{
    static const double data[] = {1.0, 0.5, -0.8, 0.2}, x[] = {0.2, 0.4};
    static const double jacobian[] = {10.747348595229601, 2.313958441235911,
                                      2.313958441235911, -3.655140047235966};
    sf_context *ctx = new_context();
    sf_model *m = model_of(ctx, "mvstudent:path=ve,scale=1,nu=3", 0.01,
                           (sf_cmat){data, 2, 2, 2}, NULL, NULL);
    const double root = sqrt(3.0), t = 0.7 / root;
    const answers a = answers_at(ctx, m, x, t);
    CHECK_CLOSE(logpdf_at(ctx, m, x, t), -2.438493556366117, 1e-10);
    CHECK_CLOSE(a.score[0], 1.3133276270090648, 1e-10);
    CHECK_CLOSE(a.score[1], 0.0847621936930853, 1e-10);
    CHECK_CLOSE(a.velocity[0], root * -0.3097982698395672, 1e-10);
    CHECK_CLOSE(a.velocity[1], root * -0.004013997354213582, 1e-10);
    for (int i = 0; i < 4; i++)
        CHECK_CLOSE(a.jacobian[i], jacobian[i], 1e-10);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Oracle C15: p0 = N(.3, .8^2) under Laplace noise of scale .4.  The integrals over
 * p0 are sums over Gauss-Legendre points, 40 panels of 5 from .9 - 8 to x and from
 * x to .9 + 8, so that the kink is at an end of a panel; beyond lies 1e-19. */
static sf_model *laplace_of_normal(sf_context *ctx, double x)
{
    enum { PANELS = 40, NODES = 5, N = 2 * PANELS * NODES };
    static const double node[NODES] = {-0.9061798459386640, -0.5384693101056831,
                                       0.0, 0.5384693101056831,
                                       0.9061798459386640};
    static const double part[NODES] = {0.2369268850561891, 0.4786286704993665,
                                       0.5688888888888889, 0.4786286704993665,
                                       0.2369268850561891};
    static double data[N], weights[N];
    const double ends[3] = {x - 8.0, x, x + 8.0};
    for (int i = 0; i < N; i++) {
        const int side = i / (PANELS * NODES), panel = i / NODES % PANELS;
        const double half = 0.5 * (ends[side + 1] - ends[side]) / PANELS;
        data[i] = ends[side] + half * (2 * panel + 1 + node[i % NODES]);
        const double z = (data[i] - 0.3) / 0.8;
        weights[i] =
            half * part[i % NODES] * exp(-0.5 * z * z) / (0.8 * sqrt(2.0 * pi));
    }
    return model_of(ctx, "laplace:path=ve,scale=1", 0.01,
                    (sf_cmat){data, N, 1, 1}, NULL, weights);
}

/* Where p0 has a density, p'' = (p - p0)/b^2, so the score falls faster than the
 * Jacobian of data says by p0/(b^2 p): the mass that the Hessian of the kernel's
 * logarithm has at its kink, which no datum that is not at x shows. */
TEST(laplace_noise_of_a_density_has_the_known_score)
{
    const double b = 0.4, x = 0.9, step = 1e-3;
    sf_context *ctx = new_context();
    sf_model *m = laplace_of_normal(ctx, x);
    const answers a = answers_at(ctx, m, &x, b);
    const double p = exp(logpdf_at(ctx, m, &x, b));
    CHECK_CLOSE(p, 0.34107904418490664, 1e-10);
    CHECK_CLOSE(a.score[0], -0.6918376410635686, 1e-10);
    CHECK_CLOSE(a.jacobian[0], 1.0 / (b * b) - a.score[0] * a.score[0], 1e-10);
    sf_model_free(m);

    const double z = (x - 0.3) / 0.8;
    const double p0 = exp(-0.5 * z * z) / (0.8 * sqrt(2.0 * pi));
    double score[2];
    for (int side = 0; side < 2; side++) {
        const double at = x + (side == 0 ? -step : step);
        m = laplace_of_normal(ctx, at);
        score[side] = answers_at(ctx, m, &at, b).score[0];
        sf_model_free(m);
    }
    CHECK_NEAR((score[1] - score[0]) / (2.0 * step),
               a.jacobian[0] - p0 / (b * b * p), 1e-5);
    sf_context_free(ctx);
}

/* Oracle C17: speckle of shape 6, x a gamma number of mean x0.  The kernel at t has
 * the shape k1/t^2 and the mean (1 - t) x0' + t m1: at t = 1/2 with k1 = 1.5 and
 * m1 = .2 that is shape 6 and the mean x0 of x0' = 2 x0 - .2. */
TEST(speckle_has_the_known_denoisers)
{
    static const double x0[] = {0.3, 1.2, 4.0}, weights[] = {0.2, 0.5, 0.3};
    const double x = 0.9, t = 0.5;
    double data[3], inverse = 0.0, weight[3];
    int64_t datum[3];
    sf_context *ctx = new_context();
    for (int i = 0; i < 3; i++)
        data[i] = 2.0 * x0[i] - 0.2;
    sf_model *m = model_of(ctx, "gamma:shape=1.5,mean=0.2", 0.01,
                           (sf_cmat){data, 3, 1, 1}, NULL, weights);
    const answers a = answers_at(ctx, m, &x, t);
    CHECK_CLOSE(a.score[0], 0.5575630462826892, 1e-10);
    CHECK_CLOSE(0.5 * a.denoised[0] + 0.1, 1.2262319078239, 1e-10);
    CHECK_CLOSE((5.0 / x - a.score[0]) / 6.0, 0.8329987515454778, 1e-10);
    CHECK_OK(ctx, sf_model_posterior(m, (sf_cmat){&x, 1, 1, 1}, t, 3, datum,
                                     weight));
    for (int i = 0; i < 3; i++)
        inverse += weight[i] / x0[datum[i]];
    CHECK_CLOSE(inverse, 0.8329987515454778, 1e-10);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- laws of several columns ----------------------------------------------------- */

typedef struct setting {
    const char *kernel;
    const char *names[MOST];
    int64_t columns;
    double data[ROWS][MOST], points[POINTS][MOST];
    double step[MOST]; /* a small change of a column */
} setting;

#define THIRD 0.57735026918962576

/* In the last all of them: columns of a kernel are not beside each other, not in
 * their order, and there are others between them. */
static const setting settings[] = {
    {.kernel = "vmf:kappa=1.5",
     .names = {"lat", "lon"},
     .columns = 2,
     .data = {{48.9, 2.3}, {-33.9, 151.2}, {35.7, 139.7}, {-80, 10}, {5, -179}},
     .points = {{10, 100}, {-70, -178}},
     .step = {0.05, 0.05}},
    {.kernel = "c2,c0,c1=vmf:kappa=0.7",
     .columns = 3,
     .data = {{0.36, 0.48, 0.8},
              {0, -0.6, 0.8},
              {THIRD, THIRD, THIRD},
              {-0.8, 0, -0.6},
              {0, 0, 1}},
     .points = {{2.0 / 3, -2.0 / 3, 1.0 / 3}, {-0.48, 0.8, 0.36}},
     .step = {3e-4, 3e-4, 3e-4}},
    {.kernel = "c0,c1,c2=dirichlet:alpha=1.5",
     .columns = 3,
     .data = {{0.2, 0.3, 0.5},
              {0.6, 0.3, 0.1},
              {0.1, 0.2, 0.7},
              {0.05, 0.9, 0.05},
              {0.3, 0.4, 0.3}},
     .points = {{0.2, 0.25, 0.55}, {0.5, 0.45, 0.05}},
     .step = {2e-4, 2e-4, 2e-4}},
    {.kernel = "mvgaussian",
     .columns = 2,
     .data = {{10, 300}, {12, 350}, {9, 330}, {15, 420}, {11, 310}},
     .points = {{10.5, 320}, {14, 330}},
     .step = {0.004, 0.05}},
    {.kernel = "mvstudent",
     .columns = 3,
     .data = {{1, 0, 2}, {-1, 0.5, 0}, {0, 3, 1}, {2, 1, -1}, {0.3, -2, 0.4}},
     .points = {{0.5, 0.2, 0.7}, {-3, 1, 4}},
     .step = {0.002, 0.002, 0.002}},
    {.kernel = "lat, lon=vmf:kappa=1; amount=gamma:shape=1,mean=2; "
               "x,y=mvgaussian; s2,s0 , s1=dirichlet; wind=vonmises:kappa=1,"
               "unit=degrees",
     .names = {"lon", "amount", "lat", "x", "s0", "y", "s1", "s2", "wind"},
     .columns = 9,
     .data = {{2.3, 1.1, 48.9, 10, 20, 300, 30, 50, 350},
              {151.2, 0.6, -33.9, 12, 60, 350, 30, 10, 20},
              {139.7, 4.0, 35.7, 9, 10, 330, 20, 70, 200},
              {10, 2.5, -80, 15, 5, 420, 90, 5, 90},
              {-179, 1.7, 5, 11, 30, 310, 40, 30, 120}},
     .points = {{100, 1.4, 10, 10.5, 20, 320, 25, 55, 10},
                {-178, 3, -70, 14, 50, 330, 45, 5, 170}},
     .step = {0.05, 0.001, 0.05, 0.004, 0.02, 0.05, 0.02, 0.02, 0.05}}};

static const double weights[ROWS] = {0.2, 0.3, 0.1, 0.15, 0.25};
static const double times[] = {0.9, 0.4, 0.13};

static sf_cmat data_of(const setting *s)
{
    return (sf_cmat){s->data[0], ROWS, s->columns, MOST};
}

static const char *const *names_of(const setting *s)
{
    return s->names[0] != NULL ? s->names : NULL;
}

static sf_model *model_at(sf_context *ctx, const setting *s, double time)
{
    return model_of(ctx, s->kernel, time, data_of(s), names_of(s), weights);
}

static bool is_of(const sf_model *m, int64_t j, const char *family)
{
    char text[SF_KERNEL_TEXT];
    sf_model_kernel(m, j, text);
    return strncmp(text, family, strlen(family)) == 0;
}

/* Directions in which a row may move: a column by its step; a share at the expense
 * of the next one, and a unit vector across itself. */
static int directions(const setting *s, const sf_model *m, const double *x,
                      double v[MOST][MOST])
{
    int count = 0;
    memset(v, 0, sizeof(double[MOST][MOST]));
    for (int64_t j = 0; j < s->columns; j++) {
        int64_t block[SF_JOINT_COLUMNS];
        const int64_t size = sf_model_joint(m, j, block);
        double *to = v[count++];
        to[j] = s->step[j];
        if (is_of(m, j, "dirichlet")) {
            if (j == block[size - 1])
                memset(v[--count], 0, sizeof v[0]);
            for (int64_t i = 0; i + 1 < size; i++)
                if (block[i] == j)
                    to[block[i + 1]] = -s->step[j];
        } else if (is_of(m, j, "vmf") && size == 3) {
            for (int64_t i = 0; i < size; i++)
                to[block[i]] -= s->step[j] * x[j] * x[block[i]];
        }
    }
    return count;
}

/* x + k v, with a unit vector back on the sphere: then k v is the change to first
 * order, and derivatives at k = 0 are those along v. */
static void move(const sf_model *m, const double *x, double k, const double *v,
                 double *to)
{
    const int64_t d = sf_model_dim(m);
    double length = 0.0;
    for (int64_t j = 0; j < d; j++) {
        to[j] = x[j] + k * v[j];
        length += to[j] * to[j];
    }
    for (int64_t j = 0; j < d && d == 3 && is_of(m, 0, "vmf"); j++)
        to[j] /= sqrt(length);
}

/* The derivative at 0 of values at -2, -1, 1, 2, with an error of the fifth. */
static double slope(const double *v)
{
    return (v[0] - 8.0 * v[1] + 8.0 * v[2] - v[3]) / 12.0;
}

static const double stencil[] = {-2.0, -1.0, 1.0, 2.0};

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0.0;
    for (int64_t j = 0; j < n; j++)
        sum += a[j] * b[j];
    return sum;
}

/* Along directions v, w: v.score is the change of ln p, and v.J.w that of v.score,
 * where v stays as it is. */
TEST(scores_and_jacobians_are_derivatives_of_the_density)
{
    enum { N = 4 * MOST };
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        const int64_t d = s->columns;
        sf_model *m = model_at(ctx, s, 0.1);
        for (size_t c = 0; c < SFI_COUNT(times) * POINTS; c++) {
            const double *x = s->points[c % POINTS], t = times[c / POINTS];
            const answers a = answers_at(ctx, m, x, t);
            double v[MOST][MOST], at[N][MOST], logp[N], scores[N][MOST];
            const int count = directions(s, m, x, v);
            for (int i = 0; i < 4 * count; i++)
                move(m, x, stencil[i % 4], v[i / 4], at[i]);
            const sf_model_values values = {
                .score = {scores[0], 4 * count, d, MOST}};
            logpdf_of(ctx, m, 4 * count, at[0], t, logp);
            CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){at[0], 4 * count, d, MOST},
                                        t, &values));
            for (int i = 0; i < count; i++) {
                double size = 1.0;
                for (int64_t j = 0; j < d; j++)
                    size += fabs(a.score[j] * v[i][j]);
                CHECK_NEAR(dot(d, a.score, v[i]), slope(logp + 4 * i),
                           1e-8 * size);
                for (int l = 0; l < count; l++) {
                    double along[4], want = 0.0;
                    for (int q = 0; q < 4; q++)
                        along[q] = dot(d, scores[4 * i + q], v[l]);
                    for (int64_t j = 0; j < d; j++)
                        want += v[l][j] * dot(d, a.jacobian + j * d, v[i]);
                    CHECK_NEAR(want, slope(along), 1e-8 * size);
                }
            }
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* The divergence is that on the surface: the trace in the columns, where answers do
 * not depend on a vector's length or a sum of shares; by area in latitude and
 * longitude, d(cos(lat) v_lat)/cos(lat).  And with it
 *
 *     d ln p/dt + v.score + div v = 0. */
TEST(velocities_carry_the_density)
{
    enum { N = 4 * MOST };
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        const int64_t d = s->columns;
        sf_model *m = model_at(ctx, s, 0.1);
        for (size_t c = 0; c < SFI_COUNT(times) * POINTS; c++) {
            const double *x = s->points[c % POINTS], t = times[c / POINTS];
            const answers a = answers_at(ctx, m, x, t);
            double at[N][MOST], velocity[N][MOST], logp[4], trace = 0.0;
            double size = 1.0 + fabs(a.divergence);
            for (int64_t i = 0; i < 4 * d; i++) {
                memcpy(at[i], x, sizeof at[i]);
                at[i][i / 4] += stencil[i % 4] * s->step[i / 4];
            }
            const sf_model_values values = {
                .velocity = {velocity[0], 4 * d, d, MOST}};
            CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){at[0], 4 * d, d, MOST}, t,
                                        &values));
            for (int64_t j = 0; j < d; j++) {
                double along[4];
                for (int q = 0; q < 4; q++)
                    along[q] = velocity[4 * j + q][j];
                trace += slope(along) / s->step[j];
                if (strcmp(sf_model_column(m, j), "lat") == 0)
                    trace -= degree * tan(degree * x[j]) * a.velocity[j];
                size += fabs(a.score[j] * a.velocity[j]);
            }
            CHECK_NEAR(a.divergence, trace, 1e-7 * size);
            for (int q = 0; q < 4; q++)
                logp[q] = logpdf_at(ctx, m, x, t * (1.0 + 1e-3 * stencil[q]));
            CHECK_NEAR(slope(logp) / (1e-3 * t) + dot(d, a.velocity, a.score) +
                           a.divergence,
                       0.0, 1e-7 * size / t);
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* At draws: ln p by the change of variables along the flow is ln p of the mixture,
 * and codes are decoded. */
TEST(flows_give_the_density_and_go_back)
{
    enum { N = 4 };
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        const int64_t d = s->columns;
        sf_model *m = model_at(ctx, s, 0.2);
        sf_sample_options draw = SF_SAMPLE_OPTIONS_INIT;
        sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
        double x[N * MOST], code[N * MOST], back[N * MOST];
        double direct[N], flown[N];
        const sf_cmat at = {x, N, d, d};
        draw.method = SF_SAMPLER_DIRECT;
        o.rtol = o.atol = 1e-7;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, d, d}, &draw));
        CHECK_OK(ctx, sf_logpdf(m, at, direct, NULL, &o));
        CHECK_OK(ctx, sf_encode(m, at, (sf_mat){code, N, d, d}, &o));
        CHECK_OK(ctx, sf_decode(m, (sf_cmat){code, N, d, d},
                                (sf_mat){back, N, d, d}, &o));
        o.force_flow = true;
        CHECK_OK(ctx, sf_logpdf(m, at, flown, NULL, &o));
        for (int i = 0; i < N; i++)
            CHECK_NEAR(flown[i], direct[i], 1e-4);
        for (int64_t i = 0; i < N * d; i++) {
            const bool turns = is_of(m, i % d, "v");
            const double gap = back[i] - x[i];
            CHECK_NEAR(turns ? remainder(gap, 360.0) : gap, 0.0,
                       1e-4 * (1.0 + fabs(x[i])));
            CHECK(fabs(code[i] - x[i]) > 1e-4 * (1.0 + fabs(x[i])));
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Over shares that sum to 100 or to 1 the density has the mass 1, in the units of
 * the shares and one column fewer than there are. */
TEST(densities_of_shares_are_in_their_units)
{
    enum { GRID = 400 };
    static const double data[] = {0.2, 0.8, 0.6, 0.4, 0.1, 0.9};
    static double x[GRID][MOST], logp[GRID];
    sf_context *ctx = new_context();
    for (int percent = 0; percent < 2; percent++) {
        const double unit = percent ? 100.0 : 1.0;
        double rows[6], mass = 0.0;
        for (int i = 0; i < 6; i++)
            rows[i] = unit * data[i];
        sf_model *m = model_of(ctx, "dirichlet", 0.3, (sf_cmat){rows, 3, 2, 2},
                               NULL, NULL);
        for (int i = 0; i < GRID; i++) {
            x[i][0] = unit * (i + 0.5) / GRID;
            x[i][1] = unit - x[i][0];
        }
        logpdf_of(ctx, m, GRID, x[0], 0.3, logp);
        for (int i = 0; i < GRID; i++)
            mass += exp(logp[i]) * unit / GRID;
        CHECK_NEAR(mass, 1.0, 1e-4);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* A cell of the sphere has the area cos(lat) dlat dlon, in radians. */
TEST(densities_of_directions_are_by_area)
{
    enum { GRID = 60, N = 2 * GRID * GRID };
    static double x[N][MOST], logp[N];
    sf_context *ctx = new_context();
    sf_model *m = model_at(ctx, &settings[0], 0.4);
    const double side = 180.0 / GRID;
    double mass = 0.0;
    for (int i = 0; i < N; i++) {
        x[i][0] = -90.0 + (i % GRID + 0.5) * side;
        x[i][1] = (i / GRID + 0.5) * side;
    }
    logpdf_of(ctx, m, N, x[0], 0.4, logp);
    for (int i = 0; i < N; i++)
        mass += exp(logp[i]) * cos(degree * x[i][0]) * (degree * side) *
                (degree * side);
    CHECK_NEAR(mass, 1.0, 1e-3);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- clean points ---------------------------------------------------------------- */

static void vector_of(const double *x, double *n)
{
    n[0] = cos(degree * x[0]) * cos(degree * x[1]);
    n[1] = cos(degree * x[0]) * sin(degree * x[1]);
    n[2] = sin(degree * x[0]);
}

/* Means of the vectors, by the weights that the model tells. */
TEST(a_mean_of_directions_is_the_direction_of_the_mean)
{
    const setting *s = &settings[0];
    sf_context *ctx = new_context();
    sf_model *m = model_at(ctx, s, 0.1);
    for (int i = 0; i < POINTS; i++) {
        double weight[ROWS], sum[3] = {0.0}, n[3];
        int64_t datum[ROWS];
        CHECK_OK(ctx, sf_model_posterior(m, (sf_cmat){s->points[i], 1, 2, 2},
                                         0.8, ROWS, datum, weight));
        for (int q = 0; q < ROWS; q++) {
            vector_of(s->data[datum[q]], n);
            for (int j = 0; j < 3; j++)
                sum[j] += weight[q] * n[j];
        }
        const answers a = answers_at(ctx, m, s->points[i], 0.8);
        CHECK_NEAR(a.denoised[0], atan2(sum[2], hypot(sum[0], sum[1])) / degree,
                   1e-10);
        CHECK_NEAR(a.denoised[1], atan2(sum[1], sum[0]) / degree, 1e-10);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* With one datum nothing is left to decide: with normal noise the number is -1 at
 * every time and place, on whatever path (the spread at t = 0 is that of t = 1e-4,
 * wrong by (pi t/2)^2/3 on the path "vp"); on the sphere, at the datum, the curvature
 * of kappa (1/t^2 - 1) cos(angle) times t^2/kappa is -(1 - t^2), and -1 across it.
 * In the middle between two data it is above 0. */
TEST(stability_is_known_where_one_datum_explains_all)
{
    static const char *const normal[] = {
        "mvgaussian:path=vp", "gaussian:path=vp",
        "mvgaussian:path=linear,sigma=3",
        "c0=lognormal:path=vp; c1=gaussian:path=ve"};
    static const double pair[] = {0, -30, 0, 30}, middle[] = {0, 0},
                        one[] = {2, 7}, away[] = {1, 9};
    sf_context *ctx = new_context();
    double out[POINTS];
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        sf_model *m = model_at(ctx, s, 0.05);
        for (size_t c = 0; c < SFI_COUNT(times); c++) {
            const sf_cmat x = {s->points[0], POINTS, s->columns, MOST};
            CHECK_OK(ctx, sf_model_stability(m, x, times[c], out));
            for (int i = 0; i < POINTS; i++)
                CHECK(out[i] >= -1.0 - 1e-9 && isfinite(out[i]));
        }
        sf_model_free(m);
    }
    for (size_t c = 0; c < SFI_COUNT(times) * SFI_COUNT(normal); c++) {
        sf_model *m = model_of(ctx, normal[c % SFI_COUNT(normal)], 0.1,
                               (sf_cmat){one, 1, 2, 2}, NULL, NULL);
        CHECK_OK(ctx, sf_model_stability(m, (sf_cmat){away, 1, 2, 2},
                                         times[c / SFI_COUNT(normal)], out));
        CHECK_NEAR(out[0], -1.0, 1e-7);
        sf_model_free(m);
    }
    for (size_t c = 0; c < SFI_COUNT(times); c++) {
        const double t = times[c];
        sf_model *m = model_of(ctx, "vmf:kappa=2", 0.1, (sf_cmat){one, 1, 2, 2},
                               NULL, NULL);
        CHECK_OK(ctx, sf_model_stability(m, (sf_cmat){one, 1, 2, 2}, t, out));
        CHECK_NEAR(out[0], -(1.0 - t * t), 1e-9);
        sf_model_free(m);
    }
    sf_model *m = model_of(ctx, "vmf:kappa=1", 0.05, (sf_cmat){pair, 2, 2, 2},
                           NULL, NULL);
    CHECK_OK(ctx, sf_model_stability(m, (sf_cmat){middle, 1, 2, 2}, 0.2, out));
    CHECK(out[0] > 1.0);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- samples --------------------------------------------------------------------- */

/* Every row is where its kernels have mass. */
static void check_support(const sf_model *m, int64_t n, const double *x)
{
    const int64_t d = sf_model_dim(m);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++) {
            const double *row = x + i * d, at = row[j];
            int64_t block[SF_JOINT_COLUMNS];
            const int64_t size = sf_model_joint(m, j, block);
            double sum = 0.0, length = 0.0, mean, scale;
            sf_model_unit(m, j, &mean, &scale);
            for (int64_t q = 0; q < size; q++) {
                sum += row[block[q]] / scale;
                length += row[block[q]] * row[block[q]];
            }
            CHECK(isfinite(at));
            if (is_of(m, j, "dirichlet")) {
                CHECK(at >= 0.0);
                CHECK_NEAR(sum, 1.0, 1e-12);
            } else if (is_of(m, j, "vmf") && size == 3) {
                CHECK_NEAR(length, 1.0, 1e-12);
            } else if (is_of(m, j, "vmf")) {
                CHECK(fabs(at) <= (block[0] == j ? 90.0 : 180.0));
            } else if (is_of(m, j, "gamma")) {
                CHECK(at > 0.0);
            }
        }
}

TEST(draws_stay_on_the_support)
{
    enum { N = 20 };
    static const sf_sampler methods[] = {
        SF_SAMPLER_DIRECT,   SF_SAMPLER_STRATIFIED, SF_SAMPLER_POSTERIOR,
        SF_SAMPLER_FLOW,     SF_SAMPLER_SDE,        SF_SAMPLER_PC,
        SF_SAMPLER_ANNEALED, SF_SAMPLER_LANGEVIN};
    static double x[N * MOST];
    sf_context *ctx = new_context();
    static const int some[] = {0, 1, 2, SFI_COUNT(settings) - 1};
    for (size_t k = 0; k < SFI_COUNT(some); k++) {
        const setting *s = &settings[some[k]];
        sf_model *m =
            model_of(ctx, s->kernel, 0.1, data_of(s), names_of(s), NULL);
        for (size_t q = 0; q < SFI_COUNT(methods); q++) {
            sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
            o.method = methods[q];
            o.steps = 4;
            o.seed = q;
            CHECK_OK(ctx,
                     sf_sample(m, (sf_mat){x, N, s->columns, s->columns}, &o));
            check_support(m, N, x);
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Three data of the masses .2, .5, .3, as ten rows so that stratified draws know
 * them; at t = .03 every draw is beside its datum.  4 standard errors of a mass are
 * left out once in 16000; one seed, chosen first.  `most` is how far draws may be
 * from their datum, in units of the columns: 6 times the noise or more. */
static void check_masses(const char *kernel, int64_t columns,
                         const double *three, double most)
{
    enum { N = 500 };
    static const sf_sampler methods[] = {
        SF_SAMPLER_FLOW, SF_SAMPLER_SDE, SF_SAMPLER_DIRECT,
        SF_SAMPLER_STRATIFIED, SF_SAMPLER_POSTERIOR};
    static const int of_row[10] = {0, 0, 1, 1, 1, 1, 1, 2, 2, 2};
    static const double mass[3] = {0.2, 0.5, 0.3};
    static double x[N * 3];
    double rows[10 * 3];
    sf_context *ctx = new_context();
    for (int i = 0; i < 10; i++)
        memcpy(rows + i * columns, three + of_row[i] * columns,
               (size_t)columns * sizeof *rows);
    sf_model *m = model_of(ctx, kernel, 0.03,
                           (sf_cmat){rows, 10, columns, columns}, NULL, NULL);
    for (size_t q = 0; q < SFI_COUNT(methods); q++) {
        sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
        double share[3] = {0.0};
        o.method = methods[q];
        o.seed = 3;
        o.steps = o.method == SF_SAMPLER_POSTERIOR ? 5 : 24;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, columns, columns}, &o));
        for (int i = 0; i < N; i++) {
            double least = INFINITY;
            int nearest = 0;
            for (int k = 0; k < 3; k++) {
                double a[3], b[3], gap = 0.0;
                memcpy(a, x + i * columns, (size_t)columns * sizeof *a);
                memcpy(b, three + k * columns, (size_t)columns * sizeof *b);
                if (columns == 2) {
                    vector_of(x + i * columns, a);
                    vector_of(three + k * columns, b);
                }
                for (int j = 0; j < 3; j++)
                    gap += (a[j] - b[j]) * (a[j] - b[j]);
                if (gap < least) {
                    least = gap;
                    nearest = k;
                }
            }
            CHECK(sqrt(least) < most);
            share[nearest] += 1.0 / N;
        }
        for (int k = 0; k < 3; k++)
            CHECK_NEAR(share[k], mass[k],
                       4.0 * sqrt(mass[k] * (1.0 - mass[k]) / N));
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(flows_end_at_the_data_in_their_masses)
{
    static const double places[] = {48.9, 2.3, -33.9, 151.2, 35.7, 139.7};
    static const double vectors[] = {1, 0, 0, 0, 0.6, -0.8, 0, -0.6, -0.8};
    static const double shares[] = {0.2, 0.3, 0.5, 0.6, 0.3,
                                    0.1, 0.1, 0.2, 0.7};
    check_masses("vmf:kappa=1", 2, places, 0.2);
    check_masses("vmf:kappa=1", 3, vectors, 0.2);
    check_masses("dirichlet:alpha=1", 3, shares, 0.12);
}

/* ---- files ----------------------------------------------------------------------- */

/* The factor is in the file: without it scores of bare mv kernels would change. */
TEST(a_loaded_model_gives_the_same_bits)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        char path[] = "/tmp/scorefield-joint-XXXXXX";
        const int file = mkstemp(path);
        CHECK(file >= 0);
        close(file);
        sf_model *m = model_at(ctx, s, 0.1), *back = NULL;
        CHECK_OK(ctx, sf_model_save(m, path, NULL));
        CHECK_OK(ctx, sf_model_load(ctx, &back, path));
        CHECK(unlink(path) == 0);
        for (int i = 0; i < POINTS; i++) {
            answers a = answers_at(ctx, m, s->points[i], 0.4);
            const answers b = answers_at(ctx, back, s->points[i], 0.4);
            const size_t row = (size_t)s->columns * sizeof *a.score;
            assert_memory_equal(a.score, b.score, row);
            assert_memory_equal(a.velocity, b.velocity, row);
            assert_memory_equal(a.denoised, b.denoised, row);
            assert_memory_equal(a.jacobian, b.jacobian,
                                row * (size_t)s->columns);
            CHECK(a.divergence == b.divergence);
            CHECK(logpdf_at(ctx, m, s->points[i], 0.4) ==
                  logpdf_at(ctx, back, s->points[i], 0.4));
        }
        for (int64_t j = 0; j < s->columns; j++) {
            int64_t first[SF_JOINT_COLUMNS], second[SF_JOINT_COLUMNS];
            const int64_t count = sf_model_joint(m, j, first);
            CHECK(sf_model_joint(back, j, second) == count);
            assert_memory_equal(first, second, (size_t)count * sizeof *first);
        }
        sf_model_free(back);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

TEST(columns_that_share_a_kernel_are_told_in_its_order)
{
    const setting *s = &settings[SFI_COUNT(settings) - 1];
    static const int64_t shares[] = {7, 4, 6}, place[] = {2, 0};
    int64_t columns[SF_JOINT_COLUMNS];
    sf_context *ctx = new_context();
    sf_model *m = model_at(ctx, s, 0.1);
    for (int i = 0; i < 3; i++) {
        CHECK(sf_model_joint(m, shares[i], columns) == 3);
        assert_memory_equal(columns, shares, sizeof shares);
    }
    CHECK(sf_model_joint(m, 0, columns) == 2);
    assert_memory_equal(columns, place, sizeof place);
    CHECK(sf_model_joint(m, 8, columns) == 1 && columns[0] == 8);
    CHECK(sf_model_joint(m, 1, NULL) == 1);
    CHECK(sf_model_joint(m, 9, columns) == 0);
    CHECK(sf_model_joint(m, -1, columns) == 0);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- errors ---------------------------------------------------------------------- */

/* Three rows of two columns, of which the last is given. */
static void refuse(const char *kernel, double a, double b, sf_status status,
                   const char *part)
{
    static const char *const names[] = {"a", "b"};
    const double x[] = {0.2, 0.8, 0.5, 0.5, a, b};
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    CHECK_FAILS(ctx,
                fit(ctx, &m, kernel, 0.1, (sf_cmat){x, 3, 2, 2}, names, NULL),
                status, part);
    CHECK(m == NULL);
    sf_context_free(ctx);
}

TEST(bad_input_is_refused_and_named)
{
    refuse("a,b=gamma", 1, 1, SF_E_ARG, "kernel gamma for 2 columns");
    refuse("a=vmf; b=gamma", 1, 1, SF_E_ARG, "kernel vmf for 1 column,");
    refuse("a=mvgaussian; b=gamma", 1, 1, SF_E_ARG, "want it for 2 columns");
    refuse("a=dirichlet; b=gamma", 1, 1, SF_E_ARG, "want it for 2 columns");
    refuse("a,c=vmf; b=gamma", 1, 1, SF_E_ARG, "\"a,c=vmf\"");
    refuse("c,a=vmf", 1, 1, SF_E_ARG, "\"c,a=vmf\"");
    refuse("a,b", 1, 1, SF_E_ARG, "");
    refuse("a,a=vmf; b=gamma", 1, 1, SF_E_ARG, "\"a\" is named twice");
    refuse("a,b=vmf; b,a=mvgaussian", 1, 1, SF_E_ARG, "\"b\" is named twice");
    refuse("a,b=vmf; a=gamma", 1, 1, SF_E_ARG, "\"a\" is named twice");
    refuse("a=gamma", 1, 1, SF_E_ARG, "none for column \"b\"");
    refuse("dirichlet", 1, 0, SF_E_NUMERIC,
           "row 3, column \"b\": 0, and kernel dirichlet wants a value > 0");
    refuse("dirichlet:alpha=1", 0.3, 0.9, SF_E_NUMERIC, "sums to the whole");
    refuse("b,a=vmf", 0, 95, SF_E_NUMERIC,
           "row 3, column \"b\": 95, and kernel vmf wants a value from -90");
    refuse("a,b=vmf", 0, 365, SF_E_NUMERIC, "row 3, column \"b\": 365");
    refuse("a=vonmises; b=gamma", 350, 1, SF_E_NUMERIC, "unit=degrees");
    refuse("mvgaussian", 0, 1, SF_E_NUMERIC, "\"b\" is a linear function");
    refuse("mvstudent", 0.4, 0.6, SF_E_NUMERIC, "leave one of them out");

    static const double rows[] = {1, 0, 0, 0, 1, 0, 0.5, 0.5, 0.5};
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    CHECK_FAILS(ctx,
                fit(ctx, &m, "vmf", 0.1, (sf_cmat){rows, 3, 3, 3}, NULL, NULL),
                SF_E_NUMERIC, "row 3, column \"c0\"");
    CHECK_FAILS(ctx,
                fit(ctx, &m, "vmf", 0.1, (sf_cmat){rows, 2, 4, 4}, NULL, NULL),
                SF_E_ARG, "kernel vmf for 4 columns");
    CHECK_FAILS(
        ctx,
        fit(ctx, &m, "dirichlet", 0.1, (sf_cmat){rows, 9, 1, 1}, NULL, NULL),
        SF_E_ARG, "kernel dirichlet for 1 column,");
    sf_context_free(ctx);
}

TESTS(CASE(electric_fields_of_more_dimensions_are_student_noise),
      CASE(laplace_noise_of_a_density_has_the_known_score),
      CASE(speckle_has_the_known_denoisers),
      CASE(scores_and_jacobians_are_derivatives_of_the_density),
      CASE(velocities_carry_the_density),
      CASE(flows_give_the_density_and_go_back),
      CASE(densities_of_shares_are_in_their_units),
      CASE(densities_of_directions_are_by_area),
      CASE(a_mean_of_directions_is_the_direction_of_the_mean),
      CASE(stability_is_known_where_one_datum_explains_all),
      CASE(draws_stay_on_the_support),
      CASE(flows_end_at_the_data_in_their_masses),
      CASE(a_loaded_model_gives_the_same_bits),
      CASE(columns_that_share_a_kernel_are_told_in_its_order),
      CASE(bad_input_is_refused_and_named))
