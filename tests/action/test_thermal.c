/* SPDX-License-Identifier: Apache-2.0 */
/* test_thermal.c - fields at a temperature: their coordinates, and laws that are known. */
#include "faults.h"

#include "scorefield/sample.h"
#include "scorefield/thermal.h"

struct made {
    sf_grid *grid;
    sf_action *action;
    sf_thermal *thermal;
    sf_field phi;
    sf_functional f;
};

static sf_status make(sf_context *ctx, struct made *m, const char *grid,
                      const char *density, double temperature)
{
    static const char *const names[] = {"phi", "psi"};
    const int count = strstr(density, "psi") != NULL ? 2 : 1;
    memset(m, 0, sizeof *m);
    SFI_TRY(sf_grid_parse(ctx, &m->grid, grid));
    SFI_TRY(sf_action_new(ctx, &m->action, m->grid, density, SF_ENERGY, count,
                          names));
    SFI_TRY(sf_action_field(m->action, &m->phi, 0));
    SFI_TRY(sf_thermal_new(ctx, &m->thermal, m->action, temperature));
    return sf_thermal_functional(m->thermal, &m->f);
}

static void done(sf_context *ctx, struct made *m)
{
    sf_thermal_free(m->thermal);
    if (m->phi.grid != NULL)
        sf_field_free(ctx, &m->phi);
    sf_action_free(m->action);
    sf_grid_free(m->grid);
}

/* ---- coordinates ---------------------------------------------------------------------- */

static const char *const boxes[] = {
    "x = 0:1:7 pin 0, natural; y = 0:2:6 periodic",
    "x = 0:1:6 natural; y = 0:2:5 pin 0",
    "x = 0:1:5 cells pin 0, natural; y = 0:2:6 cells natural",
    "x = 0:1:5 cells pin 0; y = 0:2:8 natural, pin 0",
    "x = 0:1:4 periodic; y = 0:1:5 natural; z = 0:1:5 pin 0",
    "x = 0:3:9 periodic"};

/* Of an action that is quadratic, E/T = |y|^2/2 whatever the walls. */
TEST(modes_of_a_quadratic_action_are_standard_normal)
{
    sf_context *ctx = new_context();
    for (size_t b = 0; b < SFI_COUNT(boxes); b++) {
        struct made m;
        CHECK_OK(ctx, make(ctx, &m, boxes[b],
                           "0.5*dx(phi)^2 + grad2(phi) + 0.35*phi^2", 1.3));
        CHECK(sf_thermal_has_modes(m.thermal));
        const size_t n = (size_t)m.f.unknowns;
        double *room = malloc(4 * n * sizeof *room);
        CHECK(room != NULL);
        double *y = room, *g = room + n, *back = room + 2 * n,
               *lambda = room + 3 * n;
        double value = 0.0, half = 0.0;
        for (size_t i = 0; i < n; i++) {
            y[i] = sin(1.0 + 2.3 * (double)i);
            half += 0.5 * y[i] * y[i];
        }
        CHECK_OK(ctx, m.f.gradient(ctx, m.f.user, &value, g, y, 1));
        CHECK_NEAR(value, half, 1e-12 * half);
        for (size_t i = 0; i < n; i++)
            CHECK_NEAR(g[i], y[i], 1e-12);
        CHECK_OK(ctx, sf_thermal_field(m.thermal, y, &m.phi));
        CHECK_OK(ctx, sf_thermal_coordinates(m.thermal, &m.phi, back));
        for (size_t i = 0; i < n; i++)
            CHECK_NEAR(back[i], y[i], 1e-12);
        sf_thermal_eigenvalues(m.thermal, lambda);
        for (size_t i = 0; i < n; i++)
            CHECK(lambda[i] >= 0.7 - 1e-14);
        free(room);
        done(ctx, &m);
    }
    sf_context_free(ctx);
}

static const struct {
    const char *grid, *density;
    bool modes;
} others[] = {
    {"x = 0:1:7 pin 1, natural; y = 0:2:6 periodic",
     "0.5*grad2(phi) - phi^2 + phi^4 + x*phi", true},
    {"x = 0:1:6 periodic", "0.5*grad2(phi) + 0.25*phi^4", true},
    {"x = 0:1:6 robin 1, 2; y = 0:1:5", "0.5*grad2(phi) + phi^4", false},
    {"x = 0:1:6 pin 1; y = 0:1:5", "(1 + x)*grad2(phi) + phi^2", false},
    {"r = 1:2:6 pin 1; theta = 0:1:5", "grad2(phi) + phi^2", false},
    {"x = 0:1:6 pin 1; y = 0:1:5",
     "grad2(phi) + grad2(psi) + phi^2*psi^2 + psi^2", false}};

TEST(gradients_are_those_of_the_values)
{
    sf_context *ctx = new_context();
    for (size_t b = 0; b < SFI_COUNT(others); b++) {
        struct made m;
        CHECK_OK(ctx, make(ctx, &m, others[b].grid, others[b].density, 0.7));
        CHECK(sf_thermal_has_modes(m.thermal) == others[b].modes);
        const size_t n = (size_t)m.f.unknowns;
        double *y = malloc(n * sizeof *y), error = 1.0;
        CHECK(y != NULL);
        for (size_t i = 0; i < n; i++)
            y[i] = 0.5 * sin(1.0 + 2.3 * (double)i);
        CHECK_OK(ctx, sf_functional_check(ctx, &error, NULL, &m.f, y, 4, 1));
        CHECK(error < 1e-7);
        free(y);
        done(ctx, &m);
    }
    sf_context_free(ctx);
}

/* ---- laws ----------------------------------------------------------------------------- */

/* Means over draws of some numbers, and their standard errors from chains that are
 * independent. */
enum { MOST = 4, CHAINS = 16 };

struct means {
    struct made *m;
    sf_context *ctx;
    void (*look)(const sf_field *phi, double *out);
    double sum[CHAINS][MOST];
    int64_t count;
};

static sf_status take(void *user, int64_t chain, int64_t i, const double *y,
                      double value)
{
    struct means *s = user;
    double now[MOST] = {0.0};
    (void)i;
    (void)value;
    SFI_TRY(sf_thermal_field(s->m->thermal, y, &s->m->phi));
    s->look(&s->m->phi, now);
    for (int k = 0; k < MOST; k++)
        s->sum[chain][k] += now[k];
    s->count++;
    return SF_OK;
}

static void sample(sf_context *ctx, struct made *m,
                   void (*look)(const sf_field *, double *), int64_t draws,
                   const double *want, int count)
{
    struct means s = {.m = m, .ctx = ctx, .look = look};
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.draws = draws;
    o.warmup = 200;
    o.metric = SF_METRIC_DIAGONAL;
    o.seed = 3;
    const sf_chain_draws to = {.draw = take, .user = &s};
    CHECK_OK(ctx, sf_chains_run(ctx, &m->f, CHAINS, NULL, &o, &to));
    CHECK(s.count == CHAINS * draws);
    for (int k = 0; k < count; k++) {
        double mean = 0.0, spread = 0.0;
        for (int c = 0; c < CHAINS; c++)
            mean += s.sum[c][k] / (double)draws / CHAINS;
        for (int c = 0; c < CHAINS; c++) {
            const double d = s.sum[c][k] / (double)draws - mean;
            spread += d * d / (CHAINS - 1) / CHAINS;
        }
        if (!(fabs(mean - want[k]) < 4.0 * sqrt(spread)))
            fprintf(stderr, "number %d: %g, want %g, standard error %g\n", k,
                    mean, want[k], sqrt(spread));
        CHECK(fabs(mean - want[k]) < 4.0 * sqrt(spread));
        CHECK(sqrt(spread) < 0.02 * fabs(want[k]));
    }
}

static void look_at_plane(const sf_field *phi, double *out)
{
    enum { N = 16 };
    const double *x = phi->data[0];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            const double here = x[i * phi->step[0] + j];
            const double next = x[i * phi->step[0] + (j + 1) % N];
            out[0] += here * here / (N * N);
            out[1] += here * next / (N * N);
        }
}

/* The free field on 16 x 16 points: sums over its modes, T/(h^2 (k^2 + m^2)). */
TEST(a_free_field_has_its_variance)
{
    static const double want[] = {0.5300836415728731, 0.22827480089168625};
    sf_context *ctx = new_context();
    struct made m;
    CHECK_OK(ctx, make(ctx, &m, "x = 0:8:16 periodic; y = 0:8:16 periodic",
                       "0.5*grad2(phi) + 0.5*0.7*phi^2", 1.3));
    sample(ctx, &m, look_at_plane, 300, want, 2);
    done(ctx, &m);
    sf_context_free(ctx);
}

static void look_at_chain(const sf_field *phi, double *out)
{
    enum { N = 32 };
    const double *x = phi->data[0];
    for (int i = 0; i < N; i++) {
        out[0] += x[i] * x[i] / N;
        out[1] += x[i] * x[i] * x[i] * x[i] / N;
        out[2] += x[i] * x[(i + 1) % N] / N;
    }
}

/* phi^4 on a circle of 32 points, by its transfer matrix (300 nodes of Gauss's rule): a
 * double well whose quadratic part holds nothing. */
TEST(a_chain_of_double_wells_has_its_moments)
{
    static const double want[] = {0.4516321063472773, 0.49172833844643876,
                                  0.2681101776654774};
    sf_context *ctx = new_context();
    struct made m;
    CHECK_OK(ctx, make(ctx, &m, "x = 0:16:32 periodic",
                       "0.5*grad2(phi) - 0.5*phi^2 + 0.5*phi^4", 1.0));
    sample(ctx, &m, look_at_chain, 1500, want, 3);
    done(ctx, &m);
    sf_context_free(ctx);
}

static void look_at_string(const sf_field *phi, double *out)
{
    const double *x = phi->data[0];
    out[0] = x[1];
    out[1] = x[1] * x[1];
}

/* Two free numbers x1, x2 between 1 and a Robin side, E = (x1 - 1)^2/2 + (x2 - x1)^2/2 +
 * x2^2/2 at h = 1: H = [[2, -1], [-1, 2]], mean 2/3, variance T 2/3. */
TEST(without_modes_the_law_is_the_same)
{
    static const double want[] = {2.0 / 3.0, 4.0 / 9.0 + 0.5 * 2.0 / 3.0};
    sf_context *ctx = new_context();
    struct made m;
    CHECK_OK(ctx, make(ctx, &m, "x = 0:2:3 pin 1, robin 1, 0", "0.5*grad2(phi)",
                       0.5));
    CHECK(!sf_thermal_has_modes(m.thermal) && m.f.unknowns == 2);
    sample(ctx, &m, look_at_string, 4000, want, 2);
    done(ctx, &m);
    sf_context_free(ctx);
}

/* ---- failures --------------------------------------------------------------------------- */

TEST(what_has_no_law_is_refused)
{
    sf_context *ctx = new_context();
    struct made m;
    CHECK_FAILS(ctx, make(ctx, &m, "x = 0:1:5 open", "grad2(phi)", 1.0),
                SF_E_UNSUPPORTED, "beyond an open side");
    done(ctx, &m);
    CHECK_FAILS(ctx, make(ctx, &m, "x = 0:1:5", "grad2(phi)", 1.0),
                SF_E_UNSUPPORTED, "no integral");
    done(ctx, &m);
    CHECK_FAILS(ctx, make(ctx, &m, "x = 0:1:5 pin 0", "grad2(phi)", 0.0),
                SF_E_ARG, "temperature is 0");
    done(ctx, &m);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK && k < 100000; k++) {
        struct made m;
        faults.left = k;
        status = make(ctx, &m, "x = 0:1:5 pin 0; y = 0:1:4 periodic",
                      "grad2(phi) + phi^2", 1.0);
        faults.left = INT64_MAX;
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        done(ctx, &m);
        CHECK(faults.bytes == faults.own);
    }
    CHECK_OK(ctx, status);
    sf_context_free(ctx);
}

TESTS(CASE(modes_of_a_quadratic_action_are_standard_normal),
      CASE(gradients_are_those_of_the_values),
      CASE(a_free_field_has_its_variance),
      CASE(a_chain_of_double_wells_has_its_moments),
      CASE(without_modes_the_law_is_the_same), CASE(what_has_no_law_is_refused),
      CASE(every_allocation_may_fail))
