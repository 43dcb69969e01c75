/* SPDX-License-Identifier: Apache-2.0 */
/* test_waves.c - waves against discrete solutions that are known, the orders of their
 * methods, what they conserve, and what depends on the time. */
#include "evolve/wave_setup.h"

#define PI 3.14159265358979323846

/* Of a grid of one axis. */
static double at(const setup *s, int64_t i)
{
    return ((const double *)s->phi.data[0])[i * s->phi.step[0]];
}

/* ---- discrete solutions ------------------------------------------------------------- */

TEST(a_string_has_the_frequency_of_its_lattice)
{
    setup s = begin("x = 0:1:33 pin 0", "0.5*(dt(phi)^2 - grad2(phi))");
    start(&s, "sin(pi*x)", "0");
    s.o.until = 37 * 0.02;
    s.o.step = 0.02;
    run(&s);
    CHECK_NEAR(at(&s, 16), -0.6841450575920066, 1e-12);
    CHECK(s.m.accepted == 37);
    end(&s);
}

/* dt^2 K/2 is where 1-D waves have their bound: h. */
TEST(a_membrane_has_its_frequency_energy_and_bound)
{
    setup s = begin("y = 0:1.5:24 periodic; x = 0:1:32 periodic",
                    "0.5*(dt(phi)^2 - grad2(phi))");
    start(&s, "cos(4*pi*x)*cos(4*pi*y)", "0");
    s.o.until = 1.5;
    s.o.step = 0.015;
    run(&s);
    CHECK_NEAR(((const double *)s.phi.data[0])[0], 0.3844551415851006, 1e-11);
    CHECK_NEAR(s.m.energy_start, 56.36137029733383, 1e-10 * 56.0);
    CHECK(s.m.drift < 1e-13);
    s.o.step = 0.0280;
    CHECK_FAILS(s.ctx, sf_action_evolve(s.action, &s.phi, NULL, &s.o, &s.m),
                SF_E_ARG, "step is 0.028, above the stability bound 0.027");
    end(&s);
}

/* phi(x - t) for a step of just h: d'Alembert's solution without any error. */
TEST(dalembert_is_exact_where_a_step_is_a_point)
{
    setup s = begin("x = 0:1:100 periodic", "0.5*(dt(phi)^2 - grad2(phi))");
    const double h = 0.01;
    start(&s, "exp(-200*(x - 0.3)^2)", "0");
    s.o.until = 20 * h;
    s.o.step = h / 1.05; /* the bound is known with a margin of 5 % */
    run(&s);
    /* Halves go both ways. */
    const double moved = 0.5 * (1.0 + exp(-200.0 * 0.16));
    CHECK_NEAR(at(&s, 50), moved, 0.02 * moved);
    CHECK_NEAR(at(&s, 10), moved, 0.02 * moved);
    CHECK_NEAR(at(&s, 30), 2.0 * 0.5 * exp(-200.0 * 0.04), 2e-3);
    end(&s);
}

/* ---- energies -------------------------------------------------------------------------- */

static const sf_motion_method methods[] = {
    SF_METHOD_LEAPFROG, SF_METHOD_YOSHIDA4, SF_METHOD_MIDPOINT};

/* The start has it, too. */
static sf_status compare(void *user, const sf_motion_level *level)
{
    double *first = user;
    if (level->time == 0.0)
        *first = level->energy;
    CHECK_NEAR(level->energy, *first, 1e-12 * fabs(*first));
    return SF_OK;
}

TEST(quadratic_energies_are_constant_for_long)
{
    for (int k = 0; k < 3; k += 2) {
        setup s = begin("x = 0:1:17 pin 0, natural",
                        "0.5*(1 + x)*dt(phi)^2 - 0.5*(2 - x)*grad2(phi) - "
                        "phi^2");
        start(&s, "sin(pi*x)^3 + x", "cos(3*x)*x");
        s.o.method = methods[k];
        s.o.until = k == 0 ? 100000 * 0.02 : 2000 * 0.2;
        s.o.step = k == 0 ? 0.02 : 0.2; /* six times above the bound */
        run(&s);
        CHECK(s.m.accepted == (k == 0 ? 100000 : 2000));
        CHECK(s.m.drift < 1e-12);
        double first = 0.0;
        s.o.until = 5.0;
        s.o.told.level = compare;
        s.o.told.user = &first;
        run(&s);
        end(&s);
    }
}

static setup phi4(double until, double step, sf_motion_method method)
{
    setup s = begin("x = 0:20:256 periodic",
                    "0.5*(dt(phi)^2 - grad2(phi)) - 0.5*phi^2 - 0.25*phi^4");
    start(&s, "exp(-(x - 10)^2)", "0");
    s.o.until = until;
    s.o.step = step;
    s.o.method = method;
    return s;
}

TEST(a_nonlinear_energy_oscillates_and_does_not_drift)
{
    const double h = 20.0 / 256.0;
    setup s = phi4(200 * 0.4 * h, 0.4 * h, SF_METHOD_LEAPFROG);
    run(&s);
    CHECK_NEAR(s.m.energy_start, 1.472377220674087, 1e-9);
    CHECK_NEAR(at(&s, 128), 0.06195432242604371, 1e-9);
    end(&s);
    double worst[2];
    for (int k = 0; k < 2; k++) {
        s = phi4((k == 0 ? 2000 : 20000) * 0.4 * h, 0.4 * h,
                 SF_METHOD_LEAPFROG);
        s.o.frames = k == 0 ? 1 : 10;
        run(&s);
        worst[k] = s.m.drift;
        end(&s);
    }
    CHECK_NEAR(worst[0], 0.00146794, 0.05 * 0.00147);
    CHECK_NEAR(worst[1], 0.00148861, 0.05 * 0.00149);
}

TEST(a_million_steps_do_not_drift)
{
    setup s = begin("x = 0:4:8 periodic",
                    "0.5*(dt(phi)^2 - grad2(phi)) - 0.5*phi^2 - 0.25*phi^4");
    start(&s, "1.2*sin(pi*x/2)", "0.3");
    s.o.step = 0.1;
    s.o.until = 1e4;
    run(&s);
    const double early = s.m.drift;
    CHECK_OK(s.ctx, sf_field_set(s.ctx, &s.phi, 0, "1.2*sin(pi*x/2)"));
    s.o.until = 1e5;
    s.o.frames = 100;
    run(&s);
    CHECK(s.m.accepted == 1000000);
    CHECK(s.m.drift < 1.2 * early && early < 0.02);
    end(&s);
}

/* ---- orders ------------------------------------------------------------------------------ */

/* The largest difference from a reference. */
static double worst(const setup *s, const double *x)
{
    double out = 0.0;
    for (int64_t i = 0; i < 256; i++)
        out = fmax(out, fabs(at(s, i) - x[i]));
    return out;
}

TEST(methods_have_their_orders)
{
    static const double orders[] = {2.0, 4.0, 2.0};
    const double h = 20.0 / 256.0;
    double reference[256], errors[3][2];
    setup s = phi4(5.0, 0.02 * h, SF_METHOD_YOSHIDA4);
    run(&s);
    for (int i = 0; i < 256; i++)
        reference[i] = at(&s, i);
    end(&s);
    for (int k = 0; k < 3; k++) {
        for (int j = 0; j < 2; j++) {
            s = phi4(5.0, (j == 0 ? 0.4 : 0.2) * h, methods[k]);
            run(&s);
            errors[k][j] = worst(&s, reference);
            end(&s);
        }
        CHECK_NEAR(log2(errors[k][0] / errors[k][1]), orders[k], 0.05);
    }
    CHECK_NEAR(errors[0][0], 0.0006990195840119173, 0.05 * 7e-4);
    CHECK_NEAR(errors[1][0], 1.0014412652775695e-05, 0.05 * 1e-5);
}

/* phi = (1 + x^2) cos(3 t) is exact in space: what is left is the method's. */
static double timed_error(sf_motion_method method, int steps, double damping)
{
    setup s = begin("x = 0:1:17 pin cos(3*t), flux 2*cos(3*t)",
                    "0.5*dt(phi)^2 - 0.5*grad2(phi) + s*phi + "
                    "(t^2 - u)*phi");
    CHECK_OK(s.ctx, sf_action_constant(s.action, "g", damping));
    CHECK_OK(s.ctx, sf_action_set(s.action, "s",
                                  "-(9*(1 + x^2) + 2)*cos(3*t) - "
                                  "3*g*(1 + x^2)*sin(3*t)"));
    CHECK_OK(s.ctx, sf_action_set(s.action, "u", "t^2"));
    start(&s, "1 + x^2", "0");
    s.o.until = 1.0;
    s.o.frames = 4;
    s.o.step = 1.0 / (double)steps;
    s.o.method = method;
    s.o.damping = damping;
    run(&s);
    CHECK(s.m.accepted == steps);
    double error = 0.0;
    for (int64_t i = 0; i < 17; i++) {
        const double x = (double)i / 16.0;
        error = fmax(error, fabs(at(&s, i) - (1.0 + x * x) * cos(3.0)));
    }
    CHECK_NEAR(at(&s, 0), cos(3.0), 1e-15);
    end(&s);
    return error;
}

TEST(what_depends_on_time_is_taken_at_its_levels)
{
    static const double orders[] = {2.0, 4.0, 2.0};
    for (int k = 0; k < 3; k++)
        for (int damped = 0; damped < 2; damped++) {
            const double gamma = damped ? 1.5 : 0.0;
            const double error = timed_error(methods[k], 40, gamma);
            CHECK_NEAR(log2(error / timed_error(methods[k], 80, gamma)),
                       orders[k], 0.1);
            CHECK(error < 6e-3);
        }
}

/* ---- damping ------------------------------------------------------------------------------ */

/* The static source of the telegraph equation: phi_tt + 4 phi_t = phi_xx - g rho. */
TEST(a_telegraph_line_falls_to_rest)
{
    for (int k = 0; k < 3; k++) {
        setup s = begin("x = 0:1:201 pin 0",
                        "0.5*(dt(phi)^2 - grad2(phi)) - 1.5*sin(pi*x)*phi");
        start(&s, "0", "0");
        s.o.until = 0.3;
        s.o.step = 0.003;
        s.o.damping = 4.0;
        s.o.method = methods[k];
        run(&s);
        CHECK_NEAR(at(&s, 100), -0.04389624250278436, 3e-5);
        end(&s);
    }
}

/* ---- kinks --------------------------------------------------------------------------------- */

TEST(a_kink_of_phi4_has_its_energy)
{
    static const double energies[] = {0.9418228842538885, 0.9425632665110556};
    for (int k = 0; k < 2; k++) {
        setup s = begin(k == 0 ? "x = -10:10:81 pin -1, pin 1"
                               : "x = -10:10:161 pin -1, pin 1",
                        "0.5*(dt(phi)^2 - grad2(phi)) - 0.25*(phi^2 - 1)^2");
        start(&s, "tanh(x/sqrt(2))", "0");
        sf_action_solution r;
        CHECK_OK(s.ctx, sf_action_solve(s.action, &s.phi, NULL, &r));
        CHECK_NEAR(r.energy, energies[k], 1e-8);
        s.o.until = 10.0; /* it is at rest */
        run(&s);
        CHECK_NEAR(at(&s, k == 0 ? 50 : 100), tanh(2.5 / sqrt(2.0)), 5e-3);
        CHECK_NEAR(s.m.energy_end, energies[k], 1e-8);
        end(&s);
    }
}

/* The mean of phi at x = 0 over the last 20 units of time. */
typedef struct window {
    double sum;
    int count;
} window;

static sf_status watch(void *user, double time, const sf_field *fields)
{
    window *w = user;
    if (time > 90.0) {
        const double *x = fields[0].data[0];
        w->sum +=
            0.5 * (x[499 * fields[0].step[0]] + x[500 * fields[0].step[0]]);
        w->count++;
    }
    return SF_OK;
}

TEST(kinks_that_meet_separate_if_they_are_fast)
{
    static const double speeds[] = {0.18, 0.2, 0.3};
    for (int k = 0; k < 3; k++) {
        char phi[200], rate[300];
        const double v = speeds[k], b = 1.0 / sqrt(2.0 * (1.0 - v * v));
        setup s = begin("x = -25:25:1000 cells",
                        "0.5*(dt(phi)^2 - grad2(phi)) - 0.25*(phi^2 - 1)^2");
        window w = {0};
        snprintf(phi, sizeof phi,
                 "tanh(%.17g*(x + 7)) - tanh(%.17g*(x - 7)) - 1", b, b);
        snprintf(rate, sizeof rate,
                 "%.17g*(-1/cosh(%.17g*(x + 7))^2 - 1/cosh(%.17g*(x - 7))^2)",
                 v * b, b, b);
        start(&s, phi, rate);
        s.o.until = 110.0;
        s.o.step = 0.02;
        s.o.frames = 550;
        s.o.told.frame = watch;
        s.o.told.user = &w;
        run(&s);
        const double mean = w.sum / w.count;
        if (k > 0)
            CHECK_NEAR(mean, 1.0, 0.05);
        else
            CHECK(mean < 0.9);
        end(&s);
    }
}

/* A kink of sine-Gordon moves at its speed. */
TEST(a_kink_of_sine_gordon_moves)
{
    setup s = begin("x = -20:20:801",
                    "0.5*(dt(phi)^2 - grad2(phi)) - (1 - cos(phi))");
    start(&s, "4*atan(exp((x + 5)/0.8))", "-0.6/0.8*2/cosh((x + 5)/0.8)");
    s.o.until = 10.0;
    s.o.method = SF_METHOD_YOSHIDA4;
    run(&s);
    CHECK_NEAR(at(&s, 420), PI, 0.01); /* at -5 + 6 */
    CHECK_NEAR(s.m.energy_end, 8.0 / 0.8, 0.01);
    end(&s);
}

/* ---- refusals ---------------------------------------------------------------------------- */

TEST(motion_says_what_it_cannot_do)
{
    static const struct {
        const char *grid, *text, *says;
    } bad[] = {
        {"x = 0:1:9", "0.5*(1 + t)*dt(phi)^2 - grad2(phi)", "depends on t"},
        {"x = 0:1:9", "0.5*(1 + phi^2)*dt(phi)^2 - grad2(phi)",
         "depends on the fields"},
        {"x = 0:1:9", "0.5*dt(phi)^2 + t*dt(phi) - grad2(phi)",
         "no function of x and phi alone"},
        {"x = 0:1:9 pin 1/(t - 0.5)", "0.5*dt(phi)^2 - grad2(phi)",
         "\"1/(t - 0.5)\" is inf at t = 0.5"},
        {"y = 0:1:9 pin t; x = 0:1:9 pin 0", "0.5*dt(phi)^2 - grad2(phi)",
         "do not agree"},
    };
    for (size_t i = 0; i < SFI_COUNT(bad); i++) {
        setup s = begin(bad[i].grid, bad[i].text);
        sf_field phi = {0};
        sf_status status = sf_action_field(s.action, &phi, 0);
        s.o.step = 0.03125;
        if (status == SF_OK)
            status = sf_action_evolve(s.action, &phi, NULL, &s.o, &s.m);
        CHECK(status == SF_E_ARG || status == SF_E_UNSUPPORTED);
        if (strstr(sf_context_message(s.ctx), bad[i].says) == NULL)
            fprintf(stderr, "%s\n", sf_context_message(s.ctx));
        CHECK(strstr(sf_context_message(s.ctx), bad[i].says) != NULL);
        sf_field_free(s.ctx, &phi);
        end(&s);
    }
    setup s = begin("x = 0:1:9", "0.5*dt(phi)^2 - grad2(phi) + sin(t)*phi");
    sf_functional f;
    start(&s, "0", "0");
    CHECK_FAILS(s.ctx, sf_action_solve(s.action, &s.phi, NULL, NULL),
                SF_E_UNSUPPORTED, "nothing is at rest");
    CHECK_FAILS(s.ctx, sf_action_functional(s.action, &f), SF_E_UNSUPPORTED,
                "nothing is at rest");
    end(&s);
}

/* A bound that falls under way. */
TEST(a_step_that_becomes_too_long_is_noticed)
{
    setup s = begin("x = 0:1:9 periodic",
                    "0.5*dt(phi)^2 - 0.5*(1 + 0.01*t)*grad2(phi)");
    start(&s, "sin(2*pi*x)", "0");
    s.o.until = 1000.0;
    CHECK_FAILS(s.ctx, sf_action_evolve(s.action, &s.phi, NULL, &s.o, &s.m),
                SF_E_NUMERIC, "which has become");
    end(&s);
}

/* ---- taken up again ---------------------------------------------------------------------- */

typedef struct kept {
    double state[512];
    size_t count;
    int64_t k;
} kept;

static sf_status keep(void *user, int64_t k, const double *state, size_t count)
{
    kept *to = user;
    CHECK(count <= SFI_COUNT(to->state));
    if (k == 3) {
        memcpy(to->state, state, count * sizeof *state);
        to->count = count;
    }
    to->k = k;
    return SF_OK;
}

TEST(a_motion_goes_on_with_the_same_bits)
{
    for (int k = 0; k < 3; k++) {
        setup s = begin("x = 0:1:33 pin sin(t)",
                        "0.5*(dt(phi)^2 - grad2(phi)) - phi^4 - t*phi");
        kept last = {{0}, 0, 0};
        double whole[33];
        start(&s, "sin(pi*x)", "x");
        s.o.method = methods[k];
        s.o.frames = 7;
        s.o.damping = 0.1;
        s.o.told.save = keep;
        s.o.told.user = &last;
        run(&s);
        const sf_action_motion m = s.m;
        CHECK(last.k == 7);
        for (int i = 0; i < 33; i++)
            whole[i] = at(&s, i);
        CHECK_OK(s.ctx, sf_field_set(s.ctx, &s.phi, 0, "sin(pi*x)"));
        s.o.resume = last.state;
        s.o.resume_count = last.count;
        run(&s);
        for (int i = 0; i < 33; i++)
            CHECK(whole[i] == at(&s, i));
        CHECK(m.energy_end == s.m.energy_end && m.drift == s.m.drift &&
              m.accepted == s.m.accepted && m.energy_start == s.m.energy_start);
        s.o.resume_count--;
        CHECK_FAILS(s.ctx, sf_action_evolve(s.action, &s.phi, NULL, &s.o, &s.m),
                    SF_E_ARG, "another motion");
        s.o.resume_count++;
        s.o.frames = 8;
        CHECK_OK(s.ctx, sf_field_set(s.ctx, &s.phi, 0, "sin(pi*x)"));
        CHECK_FAILS(s.ctx, sf_action_evolve(s.action, &s.phi, NULL, &s.o, &s.m),
                    SF_E_ARG, "want the same problem and options");
        end(&s);
    }
}

TESTS(CASE(a_string_has_the_frequency_of_its_lattice),
      CASE(a_membrane_has_its_frequency_energy_and_bound),
      CASE(dalembert_is_exact_where_a_step_is_a_point),
      CASE(quadratic_energies_are_constant_for_long),
      CASE(a_nonlinear_energy_oscillates_and_does_not_drift),
      CASE(a_million_steps_do_not_drift), CASE(methods_have_their_orders),
      CASE(what_depends_on_time_is_taken_at_its_levels),
      CASE(a_telegraph_line_falls_to_rest), CASE(a_kink_of_phi4_has_its_energy),
      CASE(kinks_that_meet_separate_if_they_are_fast),
      CASE(a_kink_of_sine_gordon_moves), CASE(motion_says_what_it_cannot_do),
      CASE(a_step_that_becomes_too_long_is_noticed),
      CASE(a_motion_goes_on_with_the_same_bits))
