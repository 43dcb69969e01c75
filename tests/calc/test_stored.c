/* SPDX-License-Identifier: Apache-2.0 */
/* test_stored.c - terms that are stored before others read them: arguments that cost
 * much, and derivatives by Fourier series. */
#include "faults.h"

#include "scorefield/calc.h"

#define LAT "(lat*pi/180)"
#define LON "(lon*pi/180)"
#define TAU "6.283185307179586"

static sf_grid *grid_of(sf_context *ctx, const char *text)
{
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, text));
    return g;
}

static sf_field field_of(sf_context *ctx, const sf_grid *g, const char *name,
                         const char *expression)
{
    sf_field f;
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 0));
    CHECK_OK(ctx, sf_field_set_name(ctx, &f, name));
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, expression));
    return f;
}

static sf_field result_of(sf_context *ctx, const char *text, const sf_field *f,
                          const sf_calc_options *o)
{
    sf_field out;
    int count = 0;
    CHECK_OK(ctx, sf_calc(ctx, 1, &out, &count, text, 1, f, o));
    return out;
}

static double *values_of(const sf_field *f)
{
    double *x = malloc(sizeof *x * (size_t)sf_grid_points(f->grid));
    CHECK(x != NULL);
    sf_field_get(f, 0, x);
    return x;
}

/* Equal to `tolerance` of the largest, and missing at the same points. */
static void check_same(const sf_field *a, const sf_field *b, double tolerance)
{
    const int64_t n = sf_grid_points(a->grid);
    double *x = values_of(a), *y = values_of(b), most = 0.0;
    CHECK(sf_grid_points(b->grid) == n);
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, isnan(y[i]) ? 0.0 : fabs(y[i]));
    CHECK(most > 0.0);
    for (int64_t i = 0; i < n; i++) {
        const bool same =
            isnan(y[i]) ? isnan(x[i]) : fabs(x[i] - y[i]) <= tolerance * most;
        if (!same)
            fprintf(stderr, "point %lld: %.17g, want %.17g of %g\n",
                    (long long)i, x[i], y[i], most);
        CHECK(same);
    }
    free(x);
    free(y);
}

/* ---- arguments that cost much ------------------------------------------------------ */

#define GLOBE "lat = -90:90:37; lon = 0:360:48 periodic; radius = 3"
#define WAVES "sin(3*" LON ")*cos(" LAT ")^2 + 0.3*sin(" LAT ")"
/* More than 2^19 points: three slabs, which share neighbours. */
#define LONG "t = 0:12:9; y = 0:1:300; x = 0:1:256 periodic"
/* The slowest axis is closed. */
#define RING "y = 0:1:300 periodic; x = 0:1:2000"
/* The slowest axis is read whole, and the next one is cut. */
#define TURNED "y = 0:1:64 periodic; x = 0:3:9000"

static const struct split {
    const char *grid, *field;
    const char *inner;       /* e, of f */
    const char *outer, *all; /* of e; of f */
} splits[] = {
    {GLOBE, WAVES, "e = exp(f)", "r = dx(e)", "r = dx(exp(f))"},
    {GLOBE, WAVES, "e = exp(f)", "r = laplacian(e) - e",
     "r = laplacian(exp(f)) - exp(f)"},
    {GLOBE, WAVES, "e = laplacian(f)", "r = laplacian(e)",
     "r = laplacian(laplacian(f))"},
    {GLOBE, WAVES, "e = exp(mean(f, lon))", "r = dlat(e)",
     "r = dlat(exp(mean(f, lon)))"},
    {GLOBE, WAVES, "e = log(2 + f)", "r = mean(dx(e)*dx(e), lon) + dlat(e)",
     "r = mean(dx(log(2 + f))*dx(log(2 + f)), lon) + dlat(log(2 + f))"},
    {GLOBE, WAVES, "e = exp(f)", "r = curl(e, f)", "r = curl(exp(f), f)"},
    {GLOBE, "where(abs(lat - 20) + abs(lon - 90) < 15, sqrt(-1), " WAVES ")",
     "e = exp(f)", "r = laplacian(e)", "r = laplacian(exp(f))"},
    {LONG, "sin(" TAU "*x)*y + cos(t + 3*y)", "e = exp(f)",
     "r = dt(e) + dx(e) + shift(e, t, 1)",
     "r = dt(exp(f)) + dx(exp(f)) + shift(exp(f), t, 1)"},
    {LONG, "sin(" TAU "*x)*y + cos(t + 3*y)", "e = dt(exp(f))",
     "r = dt(exp(e))", "r = dt(exp(dt(exp(f))))"},
    {RING, "sin(" TAU "*y)*x", "e = exp(f)", "r = dx(e) + dy(e)",
     "r = dx(exp(f)) + dy(exp(f))"},
};

TEST(what_is_stored_has_the_values_of_a_field)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(splits); i++)
        for (int order = 2; order <= 6; order += 4) {
            const struct split *s = &splits[i];
            sf_calc_options o = SF_CALC_OPTIONS_INIT;
            o.order = order;
            o.without_units = true;
            sf_grid *g = grid_of(ctx, s->grid);
            sf_field f = field_of(ctx, g, "f", s->field);
            sf_field all = result_of(ctx, s->all, &f, &o);
            sf_field e = result_of(ctx, s->inner, &f, &o), out[1];
            const sf_field both[] = {e, f};
            int count = 0;
            CHECK_OK(ctx, sf_calc(ctx, 1, out, &count, s->outer, 2, both, &o));
            check_same(&all, &out[0], 1e-12);
            sf_field_free(ctx, &out[0]);
            sf_field_free(ctx, &e);
            sf_field_free(ctx, &all);
            sf_field_free(ctx, &f);
            sf_grid_free(g);
        }
    sf_context_free(ctx);
}

/* missing() of what is read from a store, and of a mean, is a number. */
TEST(what_is_stored_may_be_asked_whether_it_is_missing)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:5; x = 0:1:9");
    sf_field f = field_of(ctx, g, "f", "where(x == 0.5, sqrt(-1), x)");
    sf_field r = result_of(ctx, "r = missing(dx(exp(f)))", &f, NULL);
    double *x = values_of(&r);
    for (int i = 0; i < 9; i++)
        CHECK(x[i] == (i == 3 || i == 5));
    free(x);
    sf_field_free(ctx, &r);
    r = result_of(ctx, "r = missing(mean(f, y)) + 2*missing(min(f, y))", &f,
                  NULL);
    x = values_of(&r);
    for (int i = 0; i < 9; i++)
        CHECK(x[i] == (i == 4 ? 3.0 : 0.0));
    free(x);
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- Fourier series ----------------------------------------------------------------- */

/* Waves that the points can show have their derivatives to rounding, 2^-52 times the
 * wave number and what a transform loses; 1e-11 leaves a factor of a hundred. */
static const struct wave {
    const char *grid, *field, *text, *exact;
} waves[] = {
    {"y = 0:1:3; x = 0:2:17 periodic", "sin(" TAU "*1.5*x) + y", "r = dx(f)",
     TAU "*1.5*cos(" TAU "*1.5*x)"},
    {"y = 0:1:3; x = 0:2:32 periodic", "exp(sin(" TAU "*0.5*x))*(1 + y)",
     "r = dx(f)",
     "(1 + y)*" TAU "*0.5*cos(" TAU "*0.5*x)*exp(sin(" TAU "*0.5*x))"},
    {"y = 0:1:20 periodic; x = 0:2:30 periodic", "sin(" TAU "*(2*y + 1.5*x))",
     "r = laplacian(f)", "-6.25*" TAU "^2*sin(" TAU "*(2*y + 1.5*x))"},
    {"y = 0:1:20 periodic; x = 0:1:20", "cos(" TAU "*3*y)*x", "r = dy(f)",
     "-" TAU "*3*sin(" TAU "*3*y)*x"},
    {"lat = -60:60:5; lon = -10:350:36 periodic; radius = 2", "sin(4*" LON ")",
     "r = dx(f)", "4*cos(4*" LON ")/(2*cos(" LAT "))"},
    {"lat = -60:60:5; lon = -180:180:45 periodic", "sin(4*" LON ")",
     "r = dlon(f)", "4*cos(4*" LON ")*pi/180"},
    {TURNED, "sin(" TAU "*5*y)*x", "r = dy(f)", TAU "*5*cos(" TAU "*5*y)*x"},
    {"y = 0:1:2; x = 0:1:24 periodic", "sin(" TAU "*x)", "r = dx(dx(f)*f)",
     TAU "^2*cos(2*" TAU "*x)"},
};

TEST(spectral_derivatives_of_waves_are_exact)
{
    sf_context *ctx = new_context();
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = SF_CALC_SPECTRAL;
    for (size_t i = 0; i < SFI_COUNT(waves); i++) {
        const struct wave *w = &waves[i];
        sf_grid *g = grid_of(ctx, w->grid);
        sf_field f = field_of(ctx, g, "f", w->field);
        sf_field exact = field_of(ctx, g, "exact", w->exact);
        sf_field r = result_of(ctx, w->text, &f, &o);
        check_same(&r, &exact, 1e-11);
        sf_field_free(ctx, &r);
        sf_field_free(ctx, &exact);
        sf_field_free(ctx, &f);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* The wave that alternates has no first derivative on its points; the second is
 * -(pi/h)^2 of it. */
TEST(the_shortest_wave_has_a_second_derivative_alone)
{
    sf_context *ctx = new_context();
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = SF_CALC_SPECTRAL;
    sf_grid *g = grid_of(ctx, "y = 0:1:2; x = 0:8:8 periodic");
    sf_field f = field_of(ctx, g, "f", "cos(pi*x)");
    sf_field r = result_of(ctx, "r = dx(f)", &f, &o);
    double *x = values_of(&r);
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(x[i], 0.0, 1e-14);
    free(x);
    sf_field_free(ctx, &r);
    sf_field exact = field_of(ctx, g, "exact", "-pi^2*cos(pi*x)");
    sf_grid *line = grid_of(ctx, "x = 0:8:8 periodic");
    sf_field one = field_of(ctx, line, "f", "cos(pi*x)");
    r = result_of(ctx, "r = laplacian(f)", &one, &o);
    x = values_of(&r);
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(x[i], (i % 2 == 0 ? -1.0 : 1.0) * 9.869604401089358, 1e-12);
    free(x);
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &one);
    sf_grid_free(line);
    sf_field_free(ctx, &exact);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Of x that falls, a derivative is by x all the same. */
TEST(a_spectral_derivative_goes_along_a_falling_axis)
{
    sf_context *ctx = new_context();
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = SF_CALC_SPECTRAL;
    double coords[12];
    for (int i = 0; i < 12; i++)
        coords[i] = 6.0 - 0.5 * i;
    const sf_axis axis = {.name = "x",
                          .role = SF_ROLE_X,
                          .count = 12,
                          .coords = coords,
                          .period = 6.0,
                          .low = {.kind = SF_SIDE_PERIODIC},
                          .high = {.kind = SF_SIDE_PERIODIC}};
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_new(ctx, &g, 1, &axis, NULL));
    sf_field f = field_of(ctx, g, "f", "sin(" TAU "*x/6)");
    sf_field r = result_of(ctx, "r = dx(f)", &f, &o);
    double *x = values_of(&r);
    for (int i = 0; i < 12; i++)
        CHECK_NEAR(x[i],
                   1.0471975511965976 * cos(1.0471975511965976 * coords[i]),
                   1e-13);
    free(x);
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* A line that has a gap is missing, the others are not. */
TEST(a_spectral_derivative_reads_its_whole_line)
{
    sf_context *ctx = new_context();
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = SF_CALC_SPECTRAL;
    sf_grid *g = grid_of(ctx, "y = 0:9:10; x = 0:1:12 periodic");
    sf_field f = field_of(ctx, g, "f",
                          "where(y == 3, where(x == 0.25, sqrt(-1), x), x)");
    sf_field r = result_of(ctx, "r = dx(f)", &f, &o);
    double *x = values_of(&r);
    for (int i = 0; i < 120; i++)
        CHECK(isnan(x[i]) == (i / 12 == 3));
    free(x);
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(a_spectral_derivative_needs_a_closed_axis_of_equal_steps)
{
    static const struct {
        const char *grid, *text, *part;
    } cases[] = {
        {"y = 0:1:9; x = 0:1:8 periodic", "r = dy(f)",
         "dy: a spectral derivative goes along a closed axis, and \"y\" has "
         "ends; want order 2, 4 or 6"},
        {GLOBE, "r = curl(f, f)", "\"lat\" has ends"},
        {GLOBE, "r = laplacian(f)", "\"lat\" has ends"},
        {"y = 0:1:9; x = 0:1:8 map s^2 periodic", "r = d(f, x)",
         "those of \"x\" differ"},
    };
    sf_context *ctx = new_context();
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = SF_CALC_SPECTRAL;
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_grid *g = grid_of(ctx, cases[i].grid);
        sf_field f = field_of(ctx, g, "f", "1"), out;
        int count = 0;
        CHECK_FAILS(ctx,
                    sf_calc(ctx, 1, &out, &count, cases[i].text, 1, &f, &o),
                    SF_E_UNSUPPORTED, cases[i].part);
        sf_field_free(ctx, &f);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* ---- precision -------------------------------------------------------------------------- */

/* A difference of two values near 1 over a step of 2/64 has an error of 2^-24 times 64/2,
 * 2e-6; the numbers differ from those in double. */
TEST(single_precision_is_single)
{
    static const char *const texts[] = {
        "r = dx(f)", "r = dx(exp(f))", "r = laplacian(f)*f", "r = f - mean(f)"};
    sf_context *ctx = new_context();
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.precision = SF_CALC_SINGLE;
    sf_grid *g = grid_of(ctx, "y = 0:2:65; x = 0:2:64 periodic");
    sf_field f = field_of(ctx, g, "f", "sin(pi*x)*cos(y)/3");
    for (size_t i = 0; i < SFI_COUNT(texts); i++) {
        sf_field a = result_of(ctx, texts[i], &f, &o);
        sf_field b = result_of(ctx, texts[i], &f, NULL);
        const int64_t n = sf_grid_points(g);
        double *x = values_of(&a), *y = values_of(&b);
        CHECK(memcmp(x, y, sizeof *x * (size_t)n) != 0);
        check_same(&a, &b, 2e-4);
        /* The results of floats are floats. */
        for (int64_t k = 0; k < n; k++)
            CHECK(x[k] == (double)(float)x[k]);
        free(x);
        free(y);
        sf_field_free(ctx, &a);
        sf_field_free(ctx, &b);
    }
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- memory, threads -------------------------------------------------------------------- */

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_grid *g = grid_of(ctx, "y = 0:1:8 periodic; x = 0:1:8 periodic");
    sf_field f = field_of(ctx, g, "f", "sin(" TAU "*x)"), out[2];
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    for (int order = 0; order < 2; order++) {
        sf_status status = SF_E_NOMEM;
        o.order = order == 0 ? 2 : SF_CALC_SPECTRAL;
        while (NEXT_FAULT(&faults, status)) {
            int count = 0;
            status = sf_calc(ctx, 2, out, &count, "r = laplacian(exp(f))", 1,
                             &f, &o);
            CHECK(status == SF_OK || count == 0);
            for (int i = 0; i < count; i++)
                sf_field_free(ctx, &out[i]);
        }
    }
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    enum { POINTS = 200 * 300 };
    static double values[2][3][POINTS];
    static const int threads[] = {1, 2, 7};
    for (int order = 0; order < 2; order++)
        for (int t = 0; t < 3; t++) {
            sf_context *ctx = new_context();
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
            sf_calc_options o = SF_CALC_OPTIONS_INIT;
            o.order = order == 0 ? 2 : SF_CALC_SPECTRAL;
            sf_grid *g =
                grid_of(ctx, "y = 0:1:200 periodic; x = 0:1:300 periodic");
            sf_field f = field_of(ctx, g, "f", "sin(" TAU "*(x + 2*y))");
            sf_field r = result_of(ctx, "r = laplacian(exp(f))", &f, &o);
            sf_field_get(&r, 0, values[order][t]);
            CHECK(memcmp(values[order][0], values[order][t],
                         sizeof values[order][0]) == 0);
            sf_field_free(ctx, &r);
            sf_field_free(ctx, &f);
            sf_grid_free(g);
            sf_context_free(ctx);
        }
}

TESTS(CASE(what_is_stored_has_the_values_of_a_field),
      CASE(what_is_stored_may_be_asked_whether_it_is_missing),
      CASE(spectral_derivatives_of_waves_are_exact),
      CASE(the_shortest_wave_has_a_second_derivative_alone),
      CASE(a_spectral_derivative_goes_along_a_falling_axis),
      CASE(a_spectral_derivative_reads_its_whole_line),
      CASE(a_spectral_derivative_needs_a_closed_axis_of_equal_steps),
      CASE(single_precision_is_single), CASE(every_allocation_may_fail),
      CASE(threads_do_not_change_a_bit))
