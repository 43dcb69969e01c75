/* SPDX-License-Identifier: Apache-2.0 */
/* test_open_waves.c - waves that leave by open sides, against larger boxes; two slits. */
#include "evolve/wave_setup.h"

#include <math.h>

/* A pulse in an open box, against one in a box whose walls are too far to answer in the
 * time: the largest difference at 8 times. */
enum { OPEN = 41, MOMENTS = 8 };

typedef struct pictures {
    double at[MOMENTS][OPEN][OPEN];
    int64_t edge; /* of the box, from that of the small one */
    int k;
    bool compare;
    double worst;
} pictures;

static sf_status look_at(void *user, double time, const sf_field *fields)
{
    pictures *p = user;
    const double *x = fields[0].data[0];
    (void)time;
    for (int64_t j = 0; j < OPEN; j++)
        for (int64_t i = 0; i < OPEN; i++) {
            const double now =
                x[(j + p->edge) * fields[0].step[0] + i + p->edge];
            if (p->compare)
                p->worst = fmax(p->worst, fabs(now - p->at[p->k][j][i]));
            else
                p->at[p->k][j][i] = now;
        }
    p->k++;
    return SF_OK;
}

static void watch_pulse(setup *s, pictures *p)
{
    start(s, "exp(-((x - 5)^2 + y^2)/12)", "0");
    p->k = 0;
    s->o.until = 80.0;
    s->o.step = 0.5;
    s->o.frames = MOMENTS;
    s->o.told.frame = look_at;
    s->o.told.user = p;
    run(s);
    CHECK(s->m.accepted == 160 && p->k == MOMENTS);
}

TEST(waves_that_go_out_do_not_come_back)
{
    static const int cells[] = {8, 12, 16};
    static const double most[] = {5e-5, 1e-5, 3e-6};
    const char *wave = "0.5*(dt(phi)^2 - grad2(phi))";
    static pictures p;
    setup s = begin("y = -65:65:131 pin 0; x = -65:65:131 pin 0", wave);
    p.edge = 45;
    watch_pulse(&s, &p);
    end(&s);
    p.edge = 0;
    p.compare = true;
    for (int k = 0; k < 3; k++) {
        s = begin("y = -20:20:41 open; x = -20:20:41 open", wave);
        s.o.absorb = cells[k];
        p.worst = 0.0;
        watch_pulse(&s, &p);
        CHECK(p.worst < most[k] && p.worst > 0.1 * most[k]);
        end(&s);
    }
}

/* Along one axis with another speed than one, one side open and the other natural. */
TEST(a_string_that_goes_on_takes_its_wave_along)
{
    const char *wave = "0.5*(2 + k)*dt(phi)^2 - 0.5*grad2(phi)*(1 + 0.3*k)";
    double far[101], worst = 0.0;
    for (int k = 0; k < 4; k++) {
        static const char *const grids[] = {
            "x = 0:400:401", "x = 0:100:101 natural, open", "x = -300:100:401",
            "x = 0:100:101 open, natural"};
        setup s = begin(grids[k], wave);
        CHECK_OK(s.ctx, sf_action_set(s.action, "k", "exp(-(x - 50)^2/50)"));
        start(&s, k < 2 ? "exp(-(x - 40)^2/40)" : "exp(-(x - 60)^2/40)", "0");
        s.o.until = 280.0;
        s.o.step = 0.7;
        run(&s);
        for (int64_t i = 0; i < 101; i++) {
            const double x =
                ((const double *)
                     s.phi.data[0])[(k == 2 ? i + 300 : i) * s.phi.step[0]];
            if (k % 2 == 0)
                far[i] = x;
            else
                worst = fmax(worst, fabs(x - far[i]));
        }
        end(&s);
    }
    CHECK(worst < 2e-5);
}

/* Two fields that do not know each other are what each is by itself. */
TEST(open_sides_are_those_of_all_fields)
{
    sf_context *ctx = new_context();
    sf_grid *grid = NULL;
    sf_action *both = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &grid, "x = 0:1:31 open"));
    CHECK_OK(ctx, sf_action_new(ctx, &both, grid,
                                "0.5*(dt(phi)^2 - grad2(phi)) + "
                                "0.5*(dt(psi)^2 - 0.5*grad2(psi))",
                                SF_LAGRANGIAN, 2,
                                (const char *const[]){"phi", "psi"}));
    sf_field fields[2];
    for (int u = 0; u < 2; u++) {
        CHECK_OK(ctx, sf_action_field(both, &fields[u], u));
        CHECK_OK(ctx, sf_field_set(ctx, &fields[u], 0, "exp(-80*(x - 0.4)^2)"));
    }
    sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    o.step = 0.01;
    CHECK_OK(ctx, sf_action_evolve(both, fields, NULL, &o, NULL));
    for (int u = 0; u < 2; u++) {
        setup s = begin("x = 0:1:31 open",
                        u == 0 ? "0.5*(dt(phi)^2 - grad2(phi))"
                               : "0.5*(dt(phi)^2 - 0.5*grad2(phi))");
        start(&s, "exp(-80*(x - 0.4)^2)", "0");
        s.o.step = 0.01;
        run(&s);
        for (int64_t i = 0; i < 31; i++)
            CHECK_NEAR(
                ((const double *)s.phi.data[0])[i * s.phi.step[0]],
                ((const double *)fields[u].data[0])[i * fields[u].step[0]],
                1e-14);
        end(&s);
        sf_field_free(ctx, &fields[u]);
    }
    sf_action_free(both);
    sf_grid_free(grid);
    sf_context_free(ctx);
}

/* ---- fringes ------------------------------------------------------------------------------ */

enum { COLUMN = 160, ROWS = 161 };

static sf_status add_light(void *user, double time, const sf_field *fields)
{
    double *sum = user;
    const sf_field *f = &fields[0];
    const int kx = sf_grid_find(f->grid, "x"), ky = sf_grid_find(f->grid, "y");
    for (int64_t j = 0; time > 2.2 && j < ROWS; j++) {
        const double x =
            ((const double *)
                 f->data[0])[j * f->step[ky] + COLUMN * f->step[kx]];
        sum[j] += x * x;
    }
    return SF_OK;
}

TEST(fringes_of_two_slits_are_as_far_apart_as_they_should)
{
    sf_context *ctx = new_context();
    sf_problem p;
    double light[ROWS] = {0.0};
    CHECK_OK(ctx, sf_problem_read(ctx, &p, "data/slits.ini"));
    sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    o.until = p.until;
    o.frames = (int64_t)round(p.until / p.every);
    o.told = (sf_motion_told){.user = light, .frame = add_light};
    CHECK_OK(ctx, sf_action_evolve(p.action, p.fields, NULL, &o, NULL));
    /* The middle one is at y = 0, row 80; the next one where? */
    int bright = 100;
    for (int j = 100; j < 125; j++)
        bright = light[j] > light[bright] ? j : bright;
    const double slope = 0.5 * (light[bright + 1] - light[bright - 1]);
    const double bend =
        light[bright + 1] - 2.0 * light[bright] + light[bright - 1];
    const double apart = 0.01 * (bright - 80 - slope / bend);
    CHECK_NEAR(apart, 0.1 * 1.2 / 0.4, 0.03);
    CHECK_NEAR(light[80 - 31] / light[80 + 31], 1.0, 1e-9);
    CHECK(light[80] > light[bright] && light[96] < 0.1 * light[80]);
    sf_problem_free(ctx, &p);
    sf_context_free(ctx);
}

/* ---- taken up again; refusals -------------------------------------------------------------- */

typedef struct kept {
    double *state;
    size_t count;
} kept;

static sf_status keep(void *user, int64_t k, const double *state, size_t count)
{
    kept *to = user;
    if (k == 2) {
        to->state = malloc(count * sizeof *state);
        CHECK(to->state != NULL);
        memcpy(to->state, state, count * sizeof *state);
        to->count = count;
    }
    return SF_OK;
}

TEST(the_memory_of_layers_goes_on)
{
    setup s = begin("y = 0:1:13 open; x = 0:1:13 open, pin 0",
                    "0.5*(dt(phi)^2 - grad2(phi))");
    kept last = {NULL, 0};
    double whole[13];
    start(&s, "exp(-30*((x - 0.6)^2 + (y - 0.4)^2))", "x*(1 - x)");
    s.o.frames = 4;
    s.o.told = (sf_motion_told){.user = &last, .save = keep};
    run(&s);
    for (int64_t i = 0; i < 13; i++)
        whole[i] = ((const double *)s.phi.data[0])[i * s.phi.step[0] + i];
    CHECK_OK(s.ctx, sf_field_set(s.ctx, &s.phi, 0,
                                 "exp(-30*((x - 0.6)^2 + (y - 0.4)^2))"));
    s.o.resume = last.state;
    s.o.resume_count = last.count;
    run(&s);
    for (int64_t i = 0; i < 13; i++)
        CHECK(whole[i] ==
              ((const double *)s.phi.data[0])[i * s.phi.step[0] + i]);
    free(last.state);
    end(&s);
}

TEST(layers_say_what_they_cannot_absorb)
{
    static const struct {
        const char *grid, *text, *says;
    } bad[] = {
        {"x = 0:1:9 open; y = 0:1:9", "0.5*dt(phi)^2 - grad2(phi)^2",
         "squares of single slopes"},
        {"x = 0:1:9 open; y = 0:1:9", "0.5*dt(phi)^2 - (dx(phi) + dy(phi))^2",
         "squares of single slopes"},
        {"x = 0:1:9 open", "0.5*dt(phi)^2 - (1 + phi^2)*grad2(phi)",
         "squares of single slopes"},
        {"x = 0:1:9 open", "0.5*dt(phi)^2 - (1 + t)*grad2(phi)",
         "squares of single slopes"},
        {"x = 0:1:9 cells open", "0.5*dt(phi)^2 - grad2(phi)",
         "open wants nodes"},
        {"x = 0:1:9 open", "0.5*dt(phi)^2 - grad2(phi) - rho*phi",
         "\"rho\" is a field, and not known beyond"},
    };
    for (size_t i = 0; i < SFI_COUNT(bad); i++) {
        setup s = begin(bad[i].grid, bad[i].text);
        sf_field rho;
        CHECK_OK(s.ctx, sf_field_new(s.ctx, &rho, s.grid, 1, NULL, SF_F64, 0));
        if (i == 5)
            CHECK_OK(s.ctx, sf_action_source(s.action, "rho", &rho));
        start(&s, "0", "0");
        CHECK_FAILS(s.ctx, sf_action_evolve(s.action, &s.phi, NULL, &s.o, &s.m),
                    SF_E_UNSUPPORTED, bad[i].says);
        s.o.absorb = 1;
        CHECK_FAILS(s.ctx, sf_action_evolve(s.action, &s.phi, NULL, &s.o, &s.m),
                    SF_E_ARG, "absorb 1");
        s.o.absorb = 4;
        s.o.method = SF_METHOD_YOSHIDA4;
        CHECK_FAILS(s.ctx, sf_action_evolve(s.action, &s.phi, NULL, &s.o, &s.m),
                    SF_E_UNSUPPORTED, "leapfrog");
        sf_field_free(s.ctx, &rho);
        end(&s);
    }
}

TESTS(CASE(waves_that_go_out_do_not_come_back),
      CASE(a_string_that_goes_on_takes_its_wave_along),
      CASE(open_sides_are_those_of_all_fields),
      CASE(fringes_of_two_slits_are_as_far_apart_as_they_should),
      CASE(the_memory_of_layers_goes_on),
      CASE(layers_say_what_they_cannot_absorb))
