/* SPDX-License-Identifier: Apache-2.0 */
/* test_maxwell.c - one-forms in motion: a cavity, charge, currents, what goes out. */
#include "check.h"
#include "base/random.h"
#include "scorefield/action.h"

#include <math.h>

#define VACUUM "0.5*dt(A)^2 - 0.5*curl2(A)"

static const double pi = 3.14159265358979323846;

typedef struct setup {
    sf_context *ctx;
    sf_grid *grid;
    sf_action *action;
    sf_field a[3], v[3]; /* v = -E */
    sf_action_evolve_options o;
    sf_action_motion m;
} setup;

static setup begin(const char *grid, const char *density)
{
    setup s = {.ctx = new_context()};
    const sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    s.o = o;
    CHECK_OK(s.ctx, sf_grid_parse(s.ctx, &s.grid, grid));
    CHECK_OK(s.ctx, sf_action_new_form(s.ctx, &s.action, s.grid, density,
                                       SF_LAGRANGIAN, "A"));
    return s;
}

/* Fields, when names are defined. */
static void start(setup *s)
{
    for (int u = 0; u < 3; u++) {
        CHECK_OK(s->ctx, sf_action_field(s->action, &s->a[u], u));
        CHECK_OK(s->ctx, sf_field_new(s->ctx, &s->v[u], s->grid, 1,
                                      s->a[u].place, SF_F64, 0));
    }
}

static void run(setup *s)
{
    CHECK_OK(s->ctx, sf_action_evolve(s->action, s->a, s->v, &s->o, &s->m));
}

static void end(setup *s)
{
    for (int u = 0; u < 3; u++) {
        sf_field_free(s->ctx, &s->a[u]);
        sf_field_free(s->ctx, &s->v[u]);
    }
    sf_action_free(s->action);
    sf_grid_free(s->grid);
    sf_context_free(s->ctx);
}

/* Number i of a field, as coordinates midway or on points, slowest first. */
static void fill(sf_field *f, double (*value)(const double *x))
{
    const int rank = sf_grid_rank(f->grid);
    int64_t index[SF_MAX_AXES] = {0}, at = 0;
    const int64_t n = sf_field_points(f, 0);
    double *all = malloc((size_t)n * sizeof *all);
    for (int64_t i = 0; i < n; i++) {
        double x[SF_MAX_AXES];
        for (int k = 0; k < rank; k++) {
            const sf_axis *axis = sf_grid_axis(f->grid, k);
            const double h = axis->coords[1] - axis->coords[0];
            x[k] = axis->coords[index[k]] +
                   (f->place[0] >> k & 1u ? 0.5 * h : 0.0);
        }
        all[at++] = value(x);
        for (int k = rank - 1; k >= 0; k--) {
            if (++index[k] < sf_field_count(f, 0, k))
                break;
            index[k] = 0;
        }
    }
    sf_field_put(f, 0, all);
    free(all);
}

static double *values(const sf_field *f)
{
    double *all = malloc((size_t)sf_field_points(f, 0) * sizeof *all);
    sf_field_get(f, 0, all);
    return all;
}

/* ---- oracles ------------------------------------------------------------------------ */

static double cavity_mode(const double *x) /* z, y, x: mode (1, 0, 2) of E_y */
{
    return sin(pi * x[2] / 1.0) * sin(2.0 * pi * x[0] / 0.6);
}

/* Oracle F20.  The form itself follows the same steps as E. */
TEST(a_cavity_rings_with_the_frequency_of_the_grid)
{
    setup s = begin("z = 0:0.6:13 pin 0; y = 0:0.8:17 pin 0; x = 0:1:21 pin 0",
                    VACUUM);
    start(&s);
    assert_int_equal(sf_field_count(&s.a[1], 0, 1), 16);
    fill(&s.a[1], cavity_mode);
    double *before = values(&s.a[1]);
    const double dt = 0.025980762113533156, omega = 10.85392146855953;
    s.o.step = dt;
    s.o.until = 200.0 * dt;
    run(&s);
    assert_int_equal(s.m.accepted, 200);
    double *after = values(&s.a[1]);
    for (int64_t i = 0; i < sf_field_points(&s.a[1], 0); i++)
        CHECK_NEAR(after[i], before[i] * 0.9887654837900791, 1e-9);
    CHECK_NEAR(cos(200.0 * omega * dt), 0.9887654837900791, 1e-9);
    CHECK(s.m.drift < 1e-12 && s.m.gauss < 1e-12 && s.m.div_b < 1e-12);
    for (int u = 0; u < 3; u += 2) { /* the others stay 0 */
        double *rest = values(&s.a[u]);
        for (int64_t i = 0; i < sf_field_points(&s.a[u], 0); i++)
            CHECK_NEAR(rest[i], 0.0, 1e-13);
        free(rest);
    }
    free(before);
    free(after);
    end(&s);
}

static double one_mode(const double *x)
{
    return sin(pi * x[0]);
}

/* Oracle B12, with E = -dA/dt at time t and B where it is midway: the form starts as E of
 * the oracle does, so that it is at level n what E is there. */
TEST(a_cavity_of_one_axis_is_that_of_yee)
{
    setup s = begin("x = 0:1:33 pin 0", VACUUM);
    start(&s);
    fill(&s.a[1], one_mode);
    s.o.step = 0.02;
    s.o.until = 37.0 * 0.02;
    run(&s);
    double *a = values(&s.a[1]);
    CHECK_NEAR(a[16], -0.6841450575920066, 1e-10);
    sf_field b[3];
    CHECK_OK(s.ctx, sf_action_curl(s.action, s.a, 'B', b));
    assert_string_equal(b[2].name, "B_z");
    double *curl = values(&b[2]);
    for (int i = 0; i < 32; i++)
        CHECK_CLOSE(curl[i], 32.0 * (a[i + 1] - a[i]), 1e-13);
    free(a);
    free(curl);
    for (int u = 0; u < 3; u++)
        sf_field_free(s.ctx, &b[u]);
    end(&s);
}

/* Oracle B13, along x and with E along y: c = 2, k = 3, mu = 1. */
static double potential_of_wave(const double *x)
{
    return sin(3.0 * x[0]) / 6.0;
}

static double rate_of_wave(const double *x)
{
    return -cos(3.0 * x[0]);
}

typedef struct wave_at {
    double e, b;
    setup *s;
} wave_at;

static sf_status look_at_wave(void *user, double time, const sf_field *rates)
{
    wave_at *w = user;
    double x = 0.1;
    (void)time;
    SFI_TRY(
        sf_field_at(w->s->ctx, &rates[1], 0, (sf_cmat){&x, 1, 1, 1}, &w->e));
    w->e = -w->e;
    return SF_OK;
}

TEST(a_plane_wave_has_e_across_b)
{
    setup s = begin("x = 0:2.0943951023931953:300 periodic",
                    "0.5*0.25*dt(A)^2 - 0.5*curl2(A)");
    wave_at w = {.s = &s};
    double x = 0.1;
    start(&s);
    fill(&s.a[1], potential_of_wave);
    fill(&s.v[1], rate_of_wave);
    s.o.until = 0.2;
    s.o.told.rates = look_at_wave;
    s.o.told.user = &w;
    run(&s);
    sf_field b[3];
    CHECK_OK(s.ctx, sf_action_curl(s.action, s.a, 'B', b));
    CHECK_OK(s.ctx, sf_field_at(s.ctx, &b[2], 0, (sf_cmat){&x, 1, 1, 1}, &w.b));
    CHECK_NEAR(w.e, 0.6216099682706645, 1e-4);
    CHECK_NEAR(w.b, 0.31080498413533225, 1e-4);
    for (int u = 0; u < 3; u++)
        sf_field_free(s.ctx, &b[u]);
    end(&s);
}

/* A motion that is taken up again has the same bits, of the law of Gauss as well. */
typedef struct keeping {
    double state[20000];
    size_t count;
    int64_t at;
} keeping;

static sf_status keep(void *user, int64_t k, const double *state, size_t count)
{
    keeping *kept = user;
    assert_true(count <= SFI_COUNT(kept->state));
    if (k != kept->at)
        return SF_OK;
    memcpy(kept->state, state, count * sizeof *state);
    kept->count = count;
    return SF_OK;
}

TEST(a_form_is_taken_up_again)
{
    static keeping kept = {.at = 2};
    double *whole[3], gauss = 0.0;
    for (int k = 0; k < 2; k++) {
        setup s = begin("y = 0:1:9 open; x = 0:1:9 pin 0",
                        VACUUM " + sin(9*t)*J*A_y");
        CHECK_OK(s.ctx, sf_action_set(s.action, "J", "x*(1-x)*y"));
        start(&s);
        fill(&s.a[2], one_mode);
        s.o.until = 2.0;
        s.o.frames = 4;
        s.o.absorb = 4;
        s.o.told.save = keep;
        s.o.told.user = &kept;
        if (k == 1) {
            s.o.resume = kept.state;
            s.o.resume_count = kept.count;
            s.o.told.save = NULL;
        }
        run(&s);
        for (int u = 0; u < 3; u++) {
            double *now = values(&s.a[u]);
            if (k == 0) {
                whole[u] = now;
                continue;
            }
            CHECK(memcmp(now, whole[u],
                         (size_t)sf_field_points(&s.a[u], 0) * sizeof *now) ==
                  0);
            free(now);
            free(whole[u]);
        }
        if (k == 0)
            gauss = s.m.gauss;
        CHECK(s.m.gauss == gauss && gauss > 0.0);
        end(&s);
    }
}

/* Where A itself has an energy, as of a photon with a mass, it is A that is followed. */
TEST(a_mass_makes_the_form_itself_swing)
{
    setup s = begin("x = 0:1:32 periodic", VACUUM " - 0.5*9*A^2");
    start(&s);
    double one[32];
    for (int i = 0; i < 32; i++)
        one[i] = 1.0;
    sf_field_put(&s.a[0], 0, one);
    sf_field_put(&s.a[2], 0, one);
    s.o.step = 0.01;
    s.o.until = 1.0;
    run(&s);
    const double omega = 2.0 / 0.01 * asin(0.5 * 0.01 * 3.0);
    double *x = values(&s.a[0]), *z = values(&s.a[2]);
    CHECK_NEAR(x[5], cos(omega), 1e-12);
    CHECK_NEAR(z[5], cos(omega), 1e-12);
    CHECK(isnan(s.m.gauss) && s.m.drift < 1e-12);
    free(x);
    free(z);
    end(&s);
}

/* ---- charge -------------------------------------------------------------------------- */

static double noise(const double *x)
{
    const sfi_where where = {
        5, (uint64_t)llround(1e6 * (x[0] + 7.0 * x[1] + 49.0 * x[2])), 0,
        SFI_STREAM_USER};
    return sfi_normal_at(where, 0);
}

/* Oracle F37: currents at random, which vary in time. */
TEST(charge_is_where_currents_took_it)
{
    setup s = begin("z = 0:1:12 periodic; y = 0:1:12 periodic; "
                    "x = 0:1:12 periodic",
                    VACUUM " + sin(3*t)*(J_x*A_x + J_y*A_y + J_z*A_z)");
    static const char *const names[] = {"J_x", "J_y", "J_z"};
    for (int u = 0; u < 3; u++) {
        sf_field j;
        CHECK_OK(s.ctx, sf_field_new(s.ctx, &j, s.grid, 1, NULL, SF_F64, 0));
        fill(&j, noise);
        CHECK_OK(s.ctx, sf_action_source(s.action, names[u], &j));
        sf_field_free(s.ctx, &j);
    }
    start(&s);
    s.o.step = 0.04;
    s.o.until = 300 * 0.04;
    run(&s);
    assert_int_equal(s.m.accepted, 300);
    CHECK(s.m.gauss < 1e-12 && s.m.div_b < 1e-12);
    double *e = values(&s.v[0]); /* not changed */
    CHECK(e[0] == 0.0);
    free(e);
    end(&s);
}

/* A constant current between two walls that conduct, in a medium that conducts, too, and
 * whose eps is not the same everywhere. */
TEST(losses_carry_charge_too)
{
    setup s = begin("y = 0:1:17 natural; x = 0:1.5:25 pin 0",
                    "0.5*eps*dt(A)^2 - 0.5*curl2(A)/mu + J*A_x - J*A_z");
    sf_field sigma;
    CHECK_OK(s.ctx, sf_action_set(s.action, "eps", "2 + sin(3*x)*cos(2*y)"));
    CHECK_OK(s.ctx, sf_action_set(s.action, "mu", "1 + 0.3*x*y"));
    CHECK_OK(s.ctx,
             sf_action_set(s.action, "J", "exp(-20*((x-0.7)^2+(y-0.4)^2))"));
    start(&s);
    fill(&s.v[0], one_mode);
    CHECK_OK(s.ctx, sf_field_new(s.ctx, &sigma, s.grid, 1, NULL, SF_F64, 0));
    double all[17 * 25];
    for (int i = 0; i < 17 * 25; i++)
        all[i] = 0.3 + 0.2 * sin(i);
    sf_field_put(&sigma, 0, all);
    s.o.conductivity = &sigma;
    s.o.until = 12.0;
    run(&s);
    CHECK(s.m.gauss < 1e-12 && s.m.div_b < 1e-12 && s.m.accepted > 200);
    all[3] = -1.0;
    sf_field_put(&sigma, 0, all);
    CHECK_FAILS(s.ctx, sf_action_evolve(s.action, s.a, s.v, &s.o, &s.m),
                SF_E_ARG, "the conductivity is -1 at point 3");
    sf_field_free(s.ctx, &sigma);
    end(&s);
}

/* The mode of a cavity in a lossy medium: (1 + h) c_(n+1) = (2 - q) c_n - (1 - h) c_(n-1),
 * h = sigma dt/2, q = 4 (dt/h_x)^2 sin^2(pi h_x/2), and c_1 by the natural condition of the
 * start. */
TEST(a_lossy_cavity_follows_its_recurrence)
{
    setup s = begin("x = 0:1:33 pin 0", VACUUM);
    sf_field sigma;
    double all[33];
    start(&s);
    fill(&s.a[1], one_mode);
    for (int i = 0; i < 33; i++)
        all[i] = 0.8;
    CHECK_OK(s.ctx, sf_field_new(s.ctx, &sigma, s.grid, 1, NULL, SF_F64, 0));
    sf_field_put(&sigma, 0, all);
    const double dt = 0.02, loss = 0.5 * 0.8 * dt, by = sin(pi / 64.0);
    const double q = 4.0 * 32.0 * 32.0 * dt * dt * by * by;
    double before = 1.0, now = 1.0 - 0.5 * q;
    for (int n = 1; n < 90; n++) {
        const double next =
            ((2.0 - q) * now - (1.0 - loss) * before) / (1.0 + loss);
        before = now;
        now = next;
    }
    s.o.conductivity = &sigma;
    s.o.step = dt;
    s.o.until = 90 * dt;
    run(&s);
    double *a = values(&s.a[1]);
    CHECK_NEAR(a[16], now, 1e-12);
    free(a);
    sf_field_free(s.ctx, &sigma);
    end(&s);
}

/* The field of a charge at rest stays as it is, and its flux is the charge. */
TEST(a_charge_at_rest_has_a_field_that_stays)
{
    setup s = begin("z = 0:1:13 pin 0; y = 0:1:13 natural; x = 0:1:13 pin 0",
                    "0.5*eps*dt(A)^2 - 0.5*curl2(A)");
    sf_field rho;
    sf_action_solution solved;
    double all[13 * 13 * 13] = {0.0};
    CHECK_OK(s.ctx, sf_action_set(s.action, "eps", "1 + x*y"));
    start(&s);
    CHECK_OK(s.ctx, sf_field_new(s.ctx, &rho, s.grid, 1, NULL, SF_F64, 0));
    const int64_t at = (6 * 13 + 5) * 13 + 4;
    const double h = 1.0 / 12.0;
    all[at] = 2.0 / (h * h * h); /* a charge of 2 */
    sf_field_put(&rho, 0, all);
    CHECK_OK(s.ctx, sf_action_charge(s.action, &rho, s.v, &solved));
    CHECK(solved.residual < 1e-11);
    /* Out of the cell of the point, eps on edges the mean of both ends. */
    double *e[3], flux = 0.0;
    for (int u = 0; u < 3; u++)
        e[u] = values(&s.v[u]);
    const int64_t edge[3][2] = {{(6 * 13 + 5) * 12 + 4, (6 * 13 + 5) * 12 + 3},
                                {(6 * 12 + 5) * 13 + 4, (6 * 12 + 4) * 13 + 4},
                                {(6 * 13 + 5) * 13 + 4, (5 * 13 + 5) * 13 + 4}};
    const double eps[3][2] = {
        {1.0 + 4.5 * 5.0 * h * h, 1.0 + 3.5 * 5.0 * h * h},
        {1.0 + 4.0 * 5.5 * h * h, 1.0 + 4.0 * 4.5 * h * h},
        {1.0 + 20.0 * h * h, 1.0 + 20.0 * h * h}};
    for (int u = 0; u < 3; u++)
        flux -= h * h *
                (eps[u][0] * e[u][edge[u][0]] - eps[u][1] * e[u][edge[u][1]]);
    CHECK_CLOSE(flux, 2.0, 1e-10);
    s.o.until = 1.0;
    run(&s);
    for (int u = 0; u < 3; u++) {
        double *a = values(&s.a[u]); /* A = -E t, and no B */
        for (int64_t i = 0; i < sf_field_points(&s.a[u], 0); i++)
            CHECK_NEAR(a[i], e[u][i], 1e-9);
        free(a);
        free(e[u]);
    }
    CHECK(s.m.gauss < 1e-12);
    sf_field_free(s.ctx, &rho);
    end(&s);
}

/* ---- open sides ------------------------------------------------------------------------ */

enum { SMALL = 31, LARGE = 111, MOMENTS = 6 };

typedef struct pictures {
    double at[MOMENTS][3][SMALL * SMALL];
    int64_t edge; /* of the box, from that of the small one */
    int k;
    bool compare;
    double worst, most;
} pictures;

static sf_status look_at(void *user, double time, const sf_field *fields)
{
    pictures *p = user;
    (void)time;
    for (int u = 0; u < 3; u++)
        for (int64_t j = 0; j < SMALL - 1; j++)
            for (int64_t i = 0; i < SMALL - 1; i++) {
                const double *x = fields[u].data[0];
                const double now =
                    x[(j + p->edge) * fields[u].step[0] + i + p->edge];
                double *then = &p->at[p->k][u][j * SMALL + i];
                if (p->compare)
                    p->worst = fmax(p->worst, fabs(now - *then));
                else
                    *then = now;
                p->most = fmax(p->most, fabs(now));
            }
    p->k++;
    return SF_OK;
}

static double zero(const double *x)
{
    (void)x;
    return 0.0;
}

static double ring(const double *x) /* around a magnetic field in z */
{
    return -x[0] * exp(-(x[0] * x[0] + x[1] * x[1]) / 8.0);
}

static double other_ring(const double *x)
{
    return x[1] * exp(-(x[0] * x[0] + x[1] * x[1]) / 8.0);
}

static double blob(const double *x)
{
    return exp(-((x[0] - 3.0) * (x[0] - 3.0) + x[1] * x[1]) / 10.0);
}

/* A pulse of both kinds of waves, against a box whose walls are too far to answer. */
static void watch(const char *grid, pictures *p)
{
    setup s = begin(grid, VACUUM);
    p->k = 0;
    start(&s);
    fill(&s.a[0], zero);
    fill(&s.v[0], ring);
    fill(&s.v[1], other_ring);
    fill(&s.v[2], blob);
    s.o.step = 0.5;
    s.o.until = 60.0;
    s.o.frames = MOMENTS;
    s.o.told.rates = look_at;
    s.o.told.user = p;
    run(&s);

    end(&s);
}

TEST(what_goes_out_does_not_come_back)
{
    static pictures p;
    p.edge = (LARGE - SMALL) / 2;
    watch("y = -55:55:111 pin 0; x = -55:55:111 natural", &p);
    p.edge = 0;
    p.compare = true;
    p.most = 0.0;
    watch("y = -15:15:31 open; x = -15:15:31 open", &p);
    CHECK(p.most > 0.01);
    CHECK(p.worst < 2e-5 && p.worst > 1e-9);
}

static sf_status highest(void *user, const sf_motion_level *level)
{
    double *most = user;
    *most = fmax(*most, level->energy);
    return SF_OK;
}

/* A dipole that swings in an open box in space, once: its charge is where its current took
 * it, and what it sent out is lost. */
TEST(a_dipole_in_an_open_box)
{
    setup s = begin("z = 0:1:13 open; y = 0:1:13 open; x = 0:1:13 open",
                    VACUUM " + J*A_z");
    double most = 0.0;
    CHECK_OK(s.ctx, sf_action_set(s.action, "J",
                                  "delta(x-0.5, y-0.5, z-0.5)*"
                                  "exp(-40*(t-0.7)^2)*(t-0.7)"));
    start(&s);
    s.o.until = 4.0;
    s.o.told.level = highest;
    s.o.told.user = &most;
    run(&s);
    CHECK(s.m.gauss < 1e-12 && s.m.div_b < 1e-12);
    CHECK(most > 1e-4 && fabs(s.m.energy_end) < 1e-3 * most);
    end(&s);
}

/* ---- what cannot be -------------------------------------------------------------------- */

TEST(forms_say_what_they_want)
{
    static const struct {
        const char *grid, *density, *part;
    } cases[] = {{"r = 1:2:9; theta = 0:360:8 periodic", VACUUM,
                  "axes among x, y and z"},
                 {"x = 0:1:9 pin 1", VACUUM, "pin 0 is a perfect conductor"},
                 {"x = 0:1:9 flux 1", VACUUM, "a form wants nodes"},
                 {"x = 0:1:9 cells", VACUUM, "a form wants nodes"},
                 {"x = 0:1:9", "0.5*dt(A)^2 - 0.5*dx(A_y)^2", "only curl(A)"},
                 {"x = 0:1:9", "0.5*dt(A)^2 - 0.5*curl2(A_y)", "want a form"},
                 {"x = 0:1:9", "0.5*dt(A)^3 - 0.5*curl2(A)", "the only power"},
                 {"x = 0:1:9", "0.5*dt(A) - 0.5*curl2(A)", "is a vector"},
                 {"x = 0:1:9 open", "0.5*dt(A)^2 - 0.25*curl2(A)^2",
                  "beyond an open side"},
                 {"x = 0:1:9 open", "0.5*dt(A)^2 - 0.5*curl2(A) - A^2",
                  "the energy of a form"}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_context *ctx = new_context();
        sf_grid *grid = NULL;
        sf_action *a = NULL;
        sf_field fields[3] = {{0}};
        CHECK_OK(ctx, sf_grid_parse(ctx, &grid, cases[i].grid));
        sf_status status = sf_action_new_form(ctx, &a, grid, cases[i].density,
                                              SF_LAGRANGIAN, "A");
        for (int u = 0; u < 3 && status == SF_OK; u++)
            status = sf_action_field(a, &fields[u], u);
        if (status == SF_OK)
            status = sf_action_evolve(a, fields, NULL, NULL, NULL);
        CHECK(status != SF_OK);
        if (strstr(sf_context_message(ctx), cases[i].part) == NULL) {
            fprintf(stderr, "%s\n", sf_context_message(ctx));
            fail();
        }
        for (int u = 0; u < 3; u++)
            sf_field_free(ctx, &fields[u]);
        sf_action_free(a);
        sf_grid_free(grid);
        sf_context_free(ctx);
    }
}

TESTS(CASE(a_plane_wave_has_e_across_b), CASE(a_form_is_taken_up_again),
      CASE(a_mass_makes_the_form_itself_swing),
      CASE(what_goes_out_does_not_come_back), CASE(a_dipole_in_an_open_box),
      CASE(forms_say_what_they_want),
      CASE(a_cavity_rings_with_the_frequency_of_the_grid),
      CASE(a_cavity_of_one_axis_is_that_of_yee),
      CASE(charge_is_where_currents_took_it), CASE(losses_carry_charge_too),
      CASE(a_lossy_cavity_follows_its_recurrence),
      CASE(a_charge_at_rest_has_a_field_that_stays))
