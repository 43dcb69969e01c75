/* SPDX-License-Identifier: Apache-2.0 */
/* test_downhill.c - flows whose sources and sides depend on the time, their order, their
 * limit, and how they are taken up again. */
#include "faults.h"

#include "scorefield/action.h"

enum { POINTS = 17 };

typedef struct setup {
    sf_context *ctx;
    sf_grid *grid;
    sf_action *action;
    sf_field phi;
    sf_action_flow_options o;
    sf_action_motion m;
} setup;

static setup begin(const char *grid, const char *energy)
{
    setup s = {.ctx = new_context()};
    const sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    s.o = o;
    CHECK_OK(s.ctx, sf_grid_parse(s.ctx, &s.grid, grid));
    CHECK_OK(s.ctx, sf_action_new(s.ctx, &s.action, s.grid, energy, SF_ENERGY,
                                  1, (const char *const[]){"phi"}));
    return s;
}

static void start(setup *s, const char *phi)
{
    if (s->phi.grid == NULL)
        CHECK_OK(s->ctx, sf_action_field(s->action, &s->phi, 0));
    CHECK_OK(s->ctx, sf_field_set(s->ctx, &s->phi, 0, phi));
}

static void end(setup *s)
{
    sf_field_free(s->ctx, &s->phi);
    sf_action_free(s->action);
    sf_grid_free(s->grid);
    sf_context_free(s->ctx);
}

static double at(const setup *s, int64_t i)
{
    return ((const double *)s->phi.data[0])[i * s->phi.step[0]];
}

/* phi = (1 + x^2) cos(3 t), which is exact in space; a step for each frame. */
static double error_of(int steps)
{
    setup s = begin("x = 0:1:17 pin cos(3*t), robin 1 + t, (4 + 2*t)*cos(3*t)",
                    "0.5*grad2(phi) - s*phi");
    CHECK_OK(s.ctx, sf_action_set(s.action, "s",
                                  "-3*(1 + x^2)*sin(3*t) - 2*cos(3*t)"));
    start(&s, "1 + x^2");
    s.o.frames = steps;
    s.o.step = 1.0;
    s.o.tolerance = 1e3;
    CHECK_OK(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m));
    CHECK(s.m.accepted == steps && s.m.rejected == 0);
    double error = 0.0;
    for (int64_t i = 0; i < POINTS; i++) {
        const double x = (double)i / (POINTS - 1);
        error = fmax(error, fabs(at(&s, i) - (1.0 + x * x) * cos(3.0)));
    }
    CHECK_NEAR(at(&s, 0), cos(3.0), 1e-15);
    /* At the start again, pins are those of the start. */
    sf_field again;
    CHECK_OK(s.ctx, sf_action_field(s.action, &again, 0));
    CHECK(*(const double *)again.data[0] == 1.0);
    sf_field_free(s.ctx, &again);
    end(&s);
    return error;
}

TEST(what_depends_on_time_is_taken_at_each_stage)
{
    const double error = error_of(40), half = error_of(80);
    CHECK_NEAR(log2(error / half), 2.0, 0.1);
    CHECK_NEAR(log2(half / error_of(160)), 2.0, 0.1);
    CHECK(error < 2e-3);
}

TEST(a_tolerance_is_kept_where_sides_move)
{
    setup s = begin("x = 0:1:17 pin cos(3*t), flux 2*cos(3*t)",
                    "0.5*grad2(phi) + (3*(1 + x^2)*sin(3*t) + "
                    "2*cos(3*t))*phi");
    start(&s, "1 + x^2");
    s.o.tolerance = 1e-8;
    CHECK_OK(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m));
    for (int64_t i = 0; i < POINTS; i++) {
        const double x = (double)i / (POINTS - 1);
        CHECK_NEAR(at(&s, i), (1.0 + x * x) * cos(3.0), 1e-5);
    }
    end(&s);
}

/* Point sources that are turned up: all that flows in is there. */
TEST(a_point_source_may_depend_on_time)
{
    setup s = begin("x = 0:1:17", "0.5*grad2(phi) - s*phi");
    CHECK_OK(s.ctx, sf_action_set(s.action, "s",
                                  "2*t*delta(x - 0.3) + delta(x - 1) - 1"));
    start(&s, "0");
    s.o.until = 2.0;
    CHECK_OK(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m));
    double mass = 0.0;
    for (int64_t i = 0; i < POINTS; i++)
        mass += at(&s, i) * sf_grid_volume(s.grid, &i);
    CHECK_NEAR(mass, 4.0, 1e-9);
    end(&s);
    s = begin("x = 0:1:17", "0.5*grad2(phi)");
    CHECK_FAILS(s.ctx, sf_action_set(s.action, "moving", "delta(x - 0.1*t)"),
                SF_E_ARG, "want arguments like x - 0.5");
    end(&s);
}

TEST(steps_have_a_limit)
{
    setup s = begin("x = 0:1:17", "0.5*grad2(phi)");
    start(&s, "cos(3.14159265*x)");
    s.o.max_steps = 3;
    s.o.step = 1e-4;
    s.o.tolerance = 1e-9;
    CHECK_FAILS(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m),
                SF_E_CONVERGE, "flow: 3 steps led to time ");
    CHECK(s.m.accepted + s.m.rejected == 3);
    s.o.max_steps = 0;
    CHECK_FAILS(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m), SF_E_ARG,
                "max_steps 0");
    end(&s);
}

/* Linear flows with constant coefficients are exact: as the steps are, and in seven parts as
 * in one. */
TEST(exponentials_agree_with_steps)
{
    static const char *const grids[] = {
        "x = 0:1:17 pin 1, natural", "x = 0:1:17 flux 2, pin 0",
        "x = 0:1:17 cells pin 1, natural", "x = 0:1:17 periodic", "x = 0:1:17"};
    for (size_t g = 0; g < SFI_COUNT(grids); g++) {
        double values[3][POINTS];
        for (int how = 0; how < 3; how++) {
            setup s = begin(grids[g], "0.5*grad2(phi) + 0.3*phi^2 - x*phi");
            start(&s, "sin(5*x)");
            s.o.until = 0.3;
            s.o.tolerance = 1e-9;
            s.o.step = how == 2 ? 1e-4 : 0.0;
            s.o.frames = how == 1 ? 7 : 1;
            CHECK_OK(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m));
            CHECK((strcmp(s.m.engine, "exponentials of modes") == 0) ==
                  (how < 2));
            CHECK(how == 2 || s.m.accepted == s.o.frames);
            for (int64_t i = 0; i < POINTS; i++)
                values[how][i] = at(&s, i);
            end(&s);
        }
        for (int64_t i = 0; i < POINTS; i++) {
            CHECK_NEAR(values[1][i], values[0][i], 1e-12);
            CHECK_NEAR(values[2][i], values[0][i], 1e-6);
        }
    }
}

typedef struct kept {
    double state[128];
    size_t count;
    int levels;
    double last, energy, fastest;
} kept;

static sf_status keep(void *user, int64_t k, const double *state, size_t count)
{
    kept *to = user;
    CHECK(count <= SFI_COUNT(to->state));
    if (k == 2) {
        memcpy(to->state, state, count * sizeof *state);
        to->count = count;
    }
    return SF_OK;
}

static sf_status count_level(void *user, const sf_motion_level *level)
{
    kept *to = user;
    CHECK(level->time > to->last || to->levels == 0);
    CHECK(level->energy <= to->energy || to->levels == 0);
    to->last = level->time;
    to->energy = level->energy;
    to->fastest = level->fastest;
    to->levels++;
    return SF_OK;
}

TEST(a_flow_goes_on_with_the_same_bits)
{
    setup s = begin("x = 0:1:17 pin 0", "0.5*grad2(phi) + phi^4");
    kept last = {{0}, 0, 0, 0.0, 0.0, 0.0};
    double whole[POINTS];
    start(&s, "sin(3.14159265358979*x)");
    s.o.until = 0.5;
    s.o.frames = 5;
    s.o.told =
        (sf_motion_told){.user = &last, .level = count_level, .save = keep};
    CHECK_OK(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m));
    const sf_action_motion m = s.m;
    CHECK(last.levels == m.accepted + 1 && last.last == 0.5);
    CHECK(last.energy == m.energy_end);
    /* phi falls at about pi^2 in the end. */
    CHECK_NEAR(last.fastest / at(&s, POINTS / 2), 9.87, 0.1);
    for (int i = 0; i < POINTS; i++)
        whole[i] = at(&s, i);
    start(&s, "sin(3.14159265358979*x)");
    last.levels = 0;
    s.o.resume = last.state;
    s.o.resume_count = last.count;
    CHECK_OK(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m));
    for (int i = 0; i < POINTS; i++)
        CHECK(whole[i] == at(&s, i));
    CHECK(m.energy_end == s.m.energy_end && m.accepted == s.m.accepted &&
          m.gradients == s.m.gradients && m.step == s.m.step &&
          m.energy_start == s.m.energy_start);
    s.o.resume_count--;
    CHECK_FAILS(s.ctx, sf_action_flow(s.action, &s.phi, &s.o, &s.m), SF_E_ARG,
                "another motion");
    end(&s);
}

TESTS(CASE(exponentials_agree_with_steps),
      CASE(what_depends_on_time_is_taken_at_each_stage),
      CASE(a_tolerance_is_kept_where_sides_move),
      CASE(a_point_source_may_depend_on_time), CASE(steps_have_a_limit),
      CASE(a_flow_goes_on_with_the_same_bits))
