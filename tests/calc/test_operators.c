/* SPDX-License-Identifier: Apache-2.0 */
/* test_operators.c - operators against derivatives that are written down: their orders on
 * every geometry, at ends and at poles; identities; missing values; units; refusals. */
#include "faults.h"

#include "field/units.h"
#include "scorefield/calc.h"

enum { MOST = 4, MOST_FIELDS = 3 };

static sf_grid *grid_of(sf_context *ctx, const char *format, int n)
{
    char text[256];
    sf_grid *g = NULL;
    /* Twice as many intervals; a closed axis has as many points. */
    snprintf(text, sizeof text, format, n,
             2 * n - (strstr(format, "periodic") != NULL ? 2 : 1));
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

/* A case: fields f, g, h by expressions, what is computed, what it is. */
struct formula {
    const char *grid;
    const char *fields[MOST_FIELDS]; /* of names f g h */
    const char *text, *exact;
    bool
        inside; /* root mean square over the middle half of axes that have ends; else the
                    largest error of all */
};

static bool is_inside(const sf_grid *g, int64_t i)
{
    for (int k = sf_grid_rank(g) - 1; k >= 0; k--) {
        const sf_axis *a = sf_grid_axis(g, k);
        const int64_t at = i % a->count;
        i /= a->count;
        if (!(a->period > 0.0) && (4 * at < a->count || 4 * at > 3 * a->count))
            return false;
    }
    return true;
}

static double error_of(sf_context *ctx, const struct formula *c, int n,
                       int order)
{
    static const char *const names[] = {"f", "g", "h"};
    sf_grid *g = grid_of(ctx, c->grid, n);
    sf_field in[MOST_FIELDS], out[MOST];
    int fields = 0, count = 0;
    for (; fields < MOST_FIELDS && c->fields[fields] != NULL; fields++)
        in[fields] = field_of(ctx, g, names[fields], c->fields[fields]);
    sf_field exact = field_of(ctx, g, "exact", c->exact);
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = order;
    CHECK_OK(ctx, sf_calc(ctx, MOST, out, &count, c->text, fields, in, &o));
    const int64_t points = sf_grid_points(g);
    double *a = malloc(sizeof *a * (size_t)points);
    double *b = malloc(sizeof *b * (size_t)points);
    CHECK(a != NULL && b != NULL);
    sf_field_get(&out[0], 0, a);
    sf_field_get(&exact, 0, b);
    double sum = 0.0;
    int64_t used = 0;
    for (int64_t i = 0; i < points; i++)
        if (!c->inside || is_inside(g, i)) {
            const double e = fabs(a[i] - b[i]);
            sum = c->inside ? sum + e * e : fmax(sum, e * e);
            used += c->inside || used == 0;
        }
    free(a);
    free(b);
    for (int i = 0; i < count; i++)
        sf_field_free(ctx, &out[i]);
    for (int i = 0; i < fields; i++)
        sf_field_free(ctx, &in[i]);
    sf_field_free(ctx, &exact);
    sf_grid_free(g);
    return sqrt(sum / (double)used);
}

/* The slope of ln error against ln h from n and 2 n points. */
static void check_order(sf_context *ctx, const struct formula *c, int n,
                        int order, double tolerance)
{
    const double coarse = error_of(ctx, c, n, order);
    const double fine = error_of(ctx, c, 2 * n - 1, order);
    const double found = log2(coarse / fine);
    if (!(fabs(found - order) <= tolerance))
        fprintf(stderr, "%s on %s: order %.3f, want %d\n", c->text, c->grid,
                found, order);
    CHECK(fabs(found - order) <= tolerance);
}

/* With c = cos(lat) and s = sin(lat), radius 2:
 *   f = c^3 sin 2 lon:    f_lon = 2 c^3 cos 2 lon,  f_lat = -3 c^2 s sin 2 lon
 *   u = c^2 sin lon, v = s c cos lon
 *   s c cos lon is a spherical harmonic of degree 2: its Laplacian is -6/a^2 of it. */
#define LAT  "(lat*pi/180)"
#define LON  "(lon*pi/180)"
#define BAND "lat = -60:70:%d; lon = -180:180:%d periodic; radius = 2"
#define U    "cos" LAT "^2*sin" LON
#define V    "sin" LAT "*cos" LAT "*cos" LON
static const struct formula sphere[] = {
    {BAND,
     {"cos" LAT "^3*sin(2*" LON ")"},
     "r = dx(f)",
     "cos" LAT "^2*cos(2*" LON ")",
     true},
    {BAND,
     {"cos" LAT "^3*sin(2*" LON ")"},
     "r = dy(f)",
     "-1.5*cos" LAT "^2*sin" LAT "*sin(2*" LON ")",
     true},
    {BAND,
     {U, V},
     "r = div(f, g)",
     "0.5*cos" LON "*(cos" LAT " + cos(2*" LAT ") - sin" LAT "^2)",
     true},
    {BAND,
     {U, V},
     "r = curl(f, g)",
     "0.5*sin" LON "*sin" LAT "*(3*cos" LAT " - 1)",
     true},
    {BAND, {V}, "r = laplacian(f)", "-1.5*" V, true},
    {BAND,
     {U, V, V},
     "r = advection(f, g, h)",
     "0.5*(cos" LAT "*sin" LAT "*sin" LON "^2*cos" LAT " - sin" LAT "*cos" LAT
     "*cos(2*" LAT ")*cos" LON "^2)",
     true},
};

#define PLANE "y = 0:2:%d map exp(0.5*s); x = 0:2:%d"
#define F     "sin(3*x)*cos(y)"
#define DISC  "r = 1:2:%d; theta = 0:6.283185307179586:%d periodic"
#define BALL  "r = 1:3:%d; geometry = radial"
#define PIPE  "r = 1:4:%d; z = 0:6:%d"
static const struct formula elsewhere[] = {
    {PLANE, {F}, "r = dx(f)", "3*cos(3*x)*cos(y)", false},
    {PLANE, {F}, "r = dy(f)", "-sin(3*x)*sin(y)", false},
    {PLANE, {F}, "r = d(f, y)", "-sin(3*x)*sin(y)", false},
    {PLANE, {F}, "r = laplacian(f)", "-10*" F, true},
    {PLANE,
     {F, "cos(x)*y^2"},
     "r = div(f, g)",
     "3*cos(3*x)*cos(y) + 2*cos(x)*y",
     false},
    {PLANE,
     {F, "cos(x)*sin(y)"},
     "r = curl(f, g)",
     "-sin(x)*sin(y) + sin(3*x)*sin(y)",
     false},
    {PLANE, {F}, "r = dx(dy(f)) + dy(dx(f))", "-6*cos(3*x)*sin(y)", true},
    {DISC,
     {"r^4*cos(2*theta)"},
     "r1 = laplacian(f)",
     "12*r^2*cos(2*theta)",
     true},
    {DISC,
     {"r^5*cos(2*theta)", "exp(r)*sin(theta)"},
     "r1 = div(f, g)",
     "6*r^4*cos(2*theta) + exp(r)*cos(theta)/r",
     true},
    {DISC,
     {"r^3*cos(2*theta)", "exp(r)*sin(theta)"},
     "r1 = curl(f, g)",
     "exp(r)*sin(theta)*(1 + 1/r) + 2*r^2*sin(2*theta)",
     true},
    {BALL, {"sin(r)/r"}, "r1 = laplacian(f)", "-sin(r)/r", true},
    {BALL, {"exp(r)"}, "r1 = div(f)", "exp(r)*(1 + 2/r)", true},
    {PIPE, {"exp(r)*cos(z)"}, "r1 = laplacian(f)", "exp(r)*cos(z)/r", true},
};

TEST(operators_on_a_sphere_have_their_order)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(sphere); i++)
        for (int order = 2; order <= 6; order += 2)
            check_order(ctx, &sphere[i], 41, order, 0.15);
    sf_context_free(ctx);
}

TEST(operators_elsewhere_have_their_order)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(elsewhere); i++)
        for (int order = 2; order <= 6; order += 2)
            check_order(ctx, &elsewhere[i],
                        elsewhere[i].inside ? (order < 6 ? 41 : 21)
                        : order < 6         ? 81
                                            : 45,
                        order, 0.15);
    sf_context_free(ctx);
}

/* ---- poles ------------------------------------------------------------------------ */

/* Solid rotation has the vorticity 2 sin(lat)/a, and a flow that leaves the poles a
 * divergence; 3 sin^2 - 1 is a harmonic of degree 2. */
TEST(poles_are_of_order_two)
{
    static const char grid[] =
        "lat = -90:90:%d; lon = 0:360:%d periodic; radius = 2";
    static const struct {
        const char *f, *g, *text;
        double south, north;
    } cases[] = {
        {"cos" LAT, "0*lat", "r = curl(f, g)", -1.0, 1.0},
        {"0*lat", "sin(2*" LAT ")/2", "r = div(f, g)", 1.0, 1.0},
        {"3*sin" LAT "^2 - 1", "0*lat", "r = laplacian(f) + 0*g", -3.0, -3.0},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        for (int order = 2; order <= 4; order += 2) {
            double error[2][2];
            for (int level = 0; level < 2; level++) {
                sf_grid *g = grid_of(ctx, grid, level == 0 ? 31 : 61);
                sf_field in[] = {field_of(ctx, g, "f", cases[i].f),
                                 field_of(ctx, g, "g", cases[i].g)};
                sf_field out;
                int count = 0;
                sf_calc_options o = SF_CALC_OPTIONS_INIT;
                o.order = order;
                CHECK_OK(ctx, sf_calc(ctx, 1, &out, &count, cases[i].text, 2,
                                      in, &o));
                const int64_t rows = sf_field_count(&out, 0, 0);
                const double *a = out.data[0];
                const double south = a[3], north = a[(rows - 1) * out.step[0]];
                const double sign = i == 1 ? -1.0 : 1.0;
                error[level][0] = fabs(south - sign * cases[i].south);
                error[level][1] = fabs(north - sign * cases[i].north);
                sf_field_free(ctx, &out);
                sf_field_free(ctx, &in[0]);
                sf_field_free(ctx, &in[1]);
                sf_grid_free(g);
            }
            for (int k = 0; k < 2; k++)
                CHECK_NEAR(log2(error[0][k] / error[1][k]), 2.0, 0.15);
        }
    sf_context_free(ctx);
}

/* ---- the same field stored otherwise ------------------------------------------------- */

static double value_at(const sf_field *f, double lat, double lon)
{
    sf_context *ctx = new_context();
    const int a = sf_grid_find(f->grid, "lat"),
              b = sf_grid_find(f->grid, "lon");
    double point[2], value;
    point[a] = lat;
    point[b] = lon;
    CHECK_OK(ctx, sf_field_at(ctx, f, 0, (sf_cmat){point, 1, 2, 2}, &value));
    sf_context_free(ctx);
    return value;
}

/* Axis k of a grid, the other way round. */
static sf_axis reversed(const sf_grid *g, int k, double *coords)
{
    sf_axis a = *sf_grid_axis(g, k);
    for (int64_t i = 0; i < a.count; i++)
        coords[i] = a.coords[a.count - 1 - i];
    a.coords = coords;
    a.edges = NULL;
    return a;
}

TEST(the_order_of_axes_and_coordinates_changes_nothing)
{
    sf_context *ctx = new_context();
    static const char u[] = "cos" LAT "*sin(3*" LON ")+" V;
    static const char v[] = "sin" LAT "*cos(2*" LON ")";
    const sf_grid_options o = {.size = sizeof o, .radius = 3.0};
    sf_grid *plain =
        grid_of(ctx, "lat = -80:80:33; lon = 0:360:48 periodic; radius = 3", 0);
    double first[3] = {0.0}, coords[2][48];
    for (int way = 0; way < 8; way++) {
        sf_axis lat = *sf_grid_axis(plain, 0), lon = *sf_grid_axis(plain, 1);
        if (way & 1)
            lat = reversed(plain, 0, coords[0]);
        if (way & 2)
            lon = reversed(plain, 1, coords[1]);
        const sf_axis axes[] = {way & 4 ? lon : lat, way & 4 ? lat : lon};
        sf_grid *g = NULL;
        CHECK_OK(ctx, sf_grid_new(ctx, &g, 2, axes, &o));
        sf_field in[] = {field_of(ctx, g, "u", u), field_of(ctx, g, "v", v)};
        sf_field out[3];
        int count = 0;
        CHECK_OK(ctx, sf_calc(ctx, 3, out, &count,
                              "z = curl(u, v); d = div(u, v); l = laplacian(u)",
                              2, in, NULL));
        for (int k = 0; k < 3; k++) {
            const double sum = value_at(&out[k], 35.0, 0.0) +
                               3.0 * value_at(&out[k], -45.0, 172.5) +
                               7.0 * value_at(&out[k], 80.0, 352.5);
            if (way == 0)
                first[k] = sum;
            CHECK_NEAR(sum, first[k], 1e-12);
            sf_field_free(ctx, &out[k]);
        }
        sf_field_free(ctx, &in[0]);
        sf_field_free(ctx, &in[1]);
        sf_grid_free(g);
    }
    sf_grid_free(plain);
    sf_context_free(ctx);
}

/* ---- missing values ------------------------------------------------------------------ */

static int64_t missing_in(const sf_field *f)
{
    double values[200];
    int64_t count = 0;
    const int64_t n = sf_field_points(f, 0);
    sf_field_get(f, 0, values);
    for (int64_t i = 0; i < n; i++)
        count += isnan(values[i]) != 0;
    return count;
}

TEST(a_result_is_missing_where_what_it_reads_is)
{
    static const struct {
        const char *text;
        int64_t missing;
    } cases[] = {
        {"r = f + 1", 1},        {"r = 0*f", 1},
        {"r = min(f, 3)", 1},    {"r = max(0, sign(f))", 1},
        {"r = f > 0", 1},        {"r = where(x > 0.5, f, 1)", 1},
        {"r = f - f", 1},        {"r = dx(f)", 2},
        {"r = laplacian(f)", 5}, {"r = where(missing(f), 7, f)", 0},
        {"r = 0*dx(f)", 2},      {"r = f^0", 1},
        {"r = missing(f)", 0},   {"r = f + 0*x", 1},
        {"r = mean(f)", 0},      {"r = f - mean(f, x)", 1},
    };
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:9; x = 0:1:11", 0);
    sf_field f = field_of(ctx, g, "f", "x + y^2");
    ((double *)f.data[0])[4 * f.step[0] + 5] = NAN;
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_field out;
        int count = 0;
        CHECK_OK(ctx,
                 sf_calc(ctx, 1, &out, &count, cases[i].text, 1, &f, NULL));
        if (missing_in(&out) != cases[i].missing)
            fprintf(stderr, "%s: %lld missing\n", cases[i].text,
                    (long long)missing_in(&out));
        CHECK(missing_in(&out) == cases[i].missing);
        sf_field_free(ctx, &out);
    }
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.any_missing = true;
    sf_field out;
    int count = 0;
    CHECK_OK(ctx, sf_calc(ctx, 1, &out, &count, "r = mean(f, x)", 1, &f, &o));
    CHECK(missing_in(&out) == 1 && sf_field_points(&out, 0) == 9);
    sf_field_free(ctx, &out);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- reductions ----------------------------------------------------------------------- */

static double number_of(sf_context *ctx, const sf_field *f, const char *text)
{
    sf_field out;
    int count = 0;
    CHECK_OK(ctx, sf_calc(ctx, 1, &out, &count, text, 1, f, NULL));
    CHECK(sf_field_points(&out, 0) == 1);
    const double value = *(const double *)out.data[0];
    sf_field_free(ctx, &out);
    return value;
}

/* On the whole sphere of radius a the mean of sin^2 lat is 1/3, to the order of the cells;
 * cells are exact, so the area is 4 pi a^2 to rounding. */
TEST(means_have_the_weights_of_their_cells)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(
        ctx, "lat = -90:90:181 cells; lon = 0:360:36 periodic; radius = 3", 0);
    sf_field f = field_of(ctx, g, "f", "sin" LAT "^2");
    CHECK_NEAR(number_of(ctx, &f, "r = integral(1 + 0*f)"),
               36.0 * 3.14159265358979323846, 1e-11);
    CHECK_NEAR(number_of(ctx, &f, "r = mean(f)"), 1.0 / 3.0, 1e-4);
    CHECK_NEAR(number_of(ctx, &f, "r = mean(mean(f, lon), lat)"),
               number_of(ctx, &f, "r = mean(f, x, y)"), 1e-13);
    /* <f^2> - <f>^2 with <sin^4> = 1/5. */
    CHECK_NEAR(number_of(ctx, &f, "r = var(f)"), 1.0 / 5.0 - 1.0 / 9.0, 1e-4);
    CHECK_NEAR(number_of(ctx, &f, "r = sum(1 + 0*f)"), 181.0 * 36.0, 1e-9);
    CHECK_NEAR(number_of(ctx, &f, "r = max(f, lat, lon) - min(f, lat, lon)"),
               1.0, 1e-4);
    CHECK_NEAR(number_of(ctx, &f, "r = min(f + 2, lat, lon)"), 2.0, 1e-4);
    CHECK_NEAR(number_of(ctx, &f, "r = max(f - 2, lat, lon)"), -1.0, 1e-4);
    CHECK_NEAR(number_of(ctx, &f, "r = max(anomaly(f, lon), lat, lon)"), 0.0,
               1e-15);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- units -------------------------------------------------------------------------------- */

TEST(units_follow_the_expression)
{
    static const struct {
        const char *unit, *text, *want;
        double value; /* at x = 0, where the field is 2 */
    } cases[] = {
        {"m s-1", "r = f*f", "m2 s-2", 4.0},
        {"m s-1", "r = f^0.5", NULL, 1.4142135623730951},
        {"m2 s-2", "r = sqrt(f)", "m s-1", 1.4142135623730951},
        {"degC", "r = f - f/1*1", NULL, NAN},
        {"degC", "r = f*f", "K2", 275.15 * 275.15},
        {"degC", "r = dx(f)", "K m-1", 3.0},
        {"degF", "r = dx(f)", "K m-1", 3.0 * 5.0 / 9.0},
        {"degF", "r = units(f, \"degC\")", "degC", -150.0 / 9.0},
        {"km", "r = units(f, \"m\") + f", "m", 4000.0},
        {"hPa", "r = f + units(f, \"Pa\")", "hPa", 4.0},
        {"hPa", "r = f > 1", "1", 1.0},
        {"hPa", "r = 1/f", "hPa-1", 0.5},
        {"degree", "r = cos(30*f)", "1", 0.5},
        {"m", "r = units(f/f, \"percent\")", "percent", 100.0},
        {"K", "r = var(f, x)", "K2", 11.25},
        {"K", "r = integral(f, x)", "K m", 26.0},
        {"degC", "r = var(f, x)", "K2", 11.25},
    };
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    static const double x[] = {0.0, 1.0, 2.0, 3.0};
    const sf_axis axis = {
        .name = "x", .unit = "m", .role = SF_ROLE_X, .count = 4, .coords = x};
    CHECK_OK(ctx, sf_grid_new(ctx, &g, 1, &axis, NULL));
    sf_field f = field_of(ctx, g, "f", "2 + 3*x");
    for (size_t i = 0; sfi_units_available() && i < SFI_COUNT(cases); i++) {
        sf_field out;
        int count = 0;
        CHECK_OK(ctx, sf_field_set_unit(ctx, &f, cases[i].unit));
        CHECK_OK(ctx,
                 sf_calc(ctx, 1, &out, &count, cases[i].text, 1, &f, NULL));
        if (cases[i].want != NULL &&
            (out.unit == NULL || strcmp(out.unit, cases[i].want) != 0))
            fprintf(stderr, "%s: unit %s\n", cases[i].text, out.unit);
        if (cases[i].want != NULL)
            CHECK(out.unit != NULL && strcmp(out.unit, cases[i].want) == 0);
        if (!isnan(cases[i].value))
            CHECK_NEAR(*(const double *)out.data[0], cases[i].value, 1e-10);
        sf_field_free(ctx, &out);
    }
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Solid rotation u = U cos(lat) is in balance with -a Omega U sin(lat)^2, whether that is
 * a geopotential, a height, or bare numbers. */
TEST(a_geostrophic_wind_balances)
{
    static const struct {
        const char *unit;
        double gravity;
    } cases[] = {{"m2 s-2", 1.0}, {"m", 9.80665}, {"gpm", 9.80665}, {"", 1.0}};
    const double a = 6371229.0, omega = 7.292115e-5, speed = 20.0;
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "lat = -80:80:161; lon = 0:360:36 periodic", 0);
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = 6;
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        if (cases[i].unit[0] != '\0' && !sfi_units_available())
            continue;
        char text[128];
        snprintf(text, sizeof text, "-%.17g*sin" LAT "^2",
                 a * omega * speed / cases[i].gravity);
        sf_field f = field_of(ctx, g, "z", text), out[2];
        int count = 0;
        CHECK_OK(ctx, sf_field_set_unit(ctx, &f, cases[i].unit));
        CHECK_OK(ctx,
                 sf_calc(ctx, 2, out, &count, "w = geostrophic(z)", 1, &f, &o));
        for (int64_t j = 10; j <= 150; j += 20) {
            const double lat = sf_grid_axis(g, 0)->coords[j];
            const double *u = out[0].data[0];
            if (fabs(lat) < 5.0)
                continue;
            CHECK_CLOSE(u[j * out[0].step[0] + 7],
                        speed * cos(lat * 3.14159265358979323846 / 180.0),
                        1e-6);
        }
        sf_field_free(ctx, &out[0]);
        if (count > 1)
            sf_field_free(ctx, &out[1]);
        sf_field_free(ctx, &f);
    }
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- refusals ------------------------------------------------------------------------------ */

TEST(what_can_not_be_computed_is_refused)
{
    static const struct {
        const char *text, *part;
        sf_status status;
    } cases[] = {
        {"", "nothing to compute", SF_E_PARSE},
        {"f", "NAME = EXPRESSION", SF_E_PARSE},
        {"r = f; r = f", "defined twice", SF_E_PARSE},
        {"r = nothing", "unknown name", SF_E_PARSE},
        {"r = foo(f)", "grad, div", SF_E_PARSE},
        {"r = curl(f)", "1 components", SF_E_ARG},
        {"r = coriolis() + f", "no axis of latitudes", SF_E_UNSUPPORTED},
        {"r = dz(f)", "no axis z", SF_E_UNSUPPORTED},
        {"r = dt(f)", "no such axis", SF_E_UNSUPPORTED},
        {"r = mean(f, f)", "names of axes", SF_E_PARSE},
        {"r = mean(mean(f, x), x)", "no axis \"x\"", SF_E_ARG},
        {"r = shift(f, x, 0.5)", "whole number", SF_E_PARSE},
        {"r = units(f, \"furlong per\")", "is no unit", SF_E_ARG},
        {"r = dx(f, 2)", "takes 1 argument", SF_E_PARSE},
        {"r = f + \"text\"", "not a value", SF_E_ARG},
        {"r = div(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx(dx("
         "dx(dx(dx(dx(dx(dx(f))))))))))))))))))))))))), f)",
         "nest so deeply", SF_E_UNSUPPORTED},
    };
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:9; x = 0:1:11", 0);
    sf_field f = field_of(ctx, g, "f", "x + y^2"), out[2];
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        int count = 7;
        CHECK_FAILS(ctx,
                    sf_calc(ctx, 2, out, &count, cases[i].text, 1, &f, NULL),
                    cases[i].status, cases[i].part);
        CHECK(count == 0);
    }
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    int count;
    o.order = 3;
    CHECK_FAILS(ctx, sf_calc(ctx, 2, out, &count, "r = f", 1, &f, &o), SF_E_ARG,
                "order is 3");
    CHECK_FAILS(ctx, sf_calc(ctx, 1, out, &count, "r = f; s = f", 1, &f, NULL),
                SF_E_ARG, "room for 1");
    sf_grid *other = grid_of(ctx, "y = 0:1:9; x = 0:1.1:11", 0);
    sf_field both[] = {f, field_of(ctx, other, "g", "x")};
    CHECK_FAILS(ctx, sf_calc(ctx, 1, out, &count, "r = f + g", 2, both, NULL),
                SF_E_ARG, "point 2 is 0.1 in \"f\" and 0.11 in \"g\"");
    sf_field_free(ctx, &both[1]);
    sf_field_free(ctx, &f);
    sf_grid_free(other);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- memory, threads -------------------------------------------------------------------------- */

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_grid *g = grid_of(ctx, "lat = -90:90:9; lon = 0:360:8 periodic", 0);
    sf_field f = field_of(ctx, g, "f", "sin" LAT "*lon"), out[3];
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        int count = 0;
        status = sf_calc(ctx, 3, out, &count,
                         "a = laplacian(f) - mean(f, lon); b = grad(f)", 1, &f,
                         NULL);
        CHECK(status == SF_OK || count == 0);
        for (int i = 0; i < count; i++)
            sf_field_free(ctx, &out[i]);
    }
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

/* On a closed axis fields are copied to slabs, elsewhere they are read where they lie. */
TEST(threads_do_not_change_a_bit)
{
    enum { POINTS = 181 * 360 };
    static double values[3][POINTS];
    static const int threads[] = {1, 2, 7};
    static const char *const grids[] = {
        "lat = -90:90:181; lon = 0:360:360 periodic",
        "lat = -60:60:181; lon = 10:50:360"};
    for (int i = 0; i < 6; i++) {
        const int t = i % 3;
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        sf_grid *g = grid_of(ctx, grids[i / 3], 0);
        sf_field f = field_of(ctx, g, "f", "sin(3*" LAT ")*cos(5*" LON ")"),
                 out;
        int count = 0;
        CHECK_OK(ctx,
                 sf_calc(ctx, 1, &out, &count,
                         "r = laplacian(f)*exp(f) - mean(f)", 1, &f, NULL));
        sf_field_get(&out, 0, values[t]);
        CHECK(t == 0 || memcmp(values[0], values[t], sizeof values[0]) == 0);
        sf_field_free(ctx, &out);
        sf_field_free(ctx, &f);
        sf_grid_free(g);
        sf_context_free(ctx);
    }
}

/* A field of the library, the same numbers in a dense array of the caller's, which ends
 * with its last value, and floats give the same; and what lies between the rows of results
 * is 0. */
TEST(fields_are_read_where_they_lie)
{
    static const char *const grids[] = {
        "y = 0:1:7; x = 0:1:5", "y = 0:1:130; x = 0:2:301",
        "z = 0:1:3; y = 0:1:4; x = 0:1:33", "x = 0:1:9"};
    static const char *const texts[] = {"r = grad(f)", "r = laplacian(f) + f*x",
                                        "r = d(exp(f), x)",
                                        "r = mean(f, x); s = f - mean(f)"};
    sf_context *ctx = new_context();
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.without_units = true;
    for (size_t i = 0; i < SFI_COUNT(grids) * SFI_COUNT(texts); i++) {
        sf_grid *g = grid_of(ctx, grids[i / SFI_COUNT(texts)], 0);
        const char *text = texts[i % SFI_COUNT(texts)];
        const int64_t n = sf_grid_points(g);
        double *x = malloc(sizeof *x * (size_t)n),
               *y = malloc(sizeof *y * (size_t)n);
        float *small = malloc(sizeof *small * (size_t)n);
        CHECK(x != NULL && y != NULL && small != NULL);
        sf_field own, seen, narrow, want[3], got[3];
        CHECK_OK(ctx, sf_field_new(ctx, &own, g, 1, NULL, SF_F64, 0));
        for (int64_t k = 0; k < n; k++)
            x[k] = small[k] = (float)sin(0.3 * (double)k);
        sf_field_put(&own, 0, x);
        CHECK_OK(ctx, sf_field_wrap(ctx, &seen, g, SF_F64, 0, x, NULL));
        CHECK_OK(ctx, sf_field_wrap(ctx, &narrow, g, SF_F32, 0, small, NULL));
        const sf_field *fields[] = {&own, &seen, &narrow};
        int count = 0, again = 0;
        for (int k = 0; k < 3; k++) {
            CHECK_OK(ctx, sf_field_set_name(ctx, (sf_field *)fields[k], "f"));
            CHECK_OK(ctx,
                     sf_calc(ctx, 3, k == 0 ? want : got,
                             k == 0 ? &count : &again, text, 1, fields[k], &o));
            for (int c = 0; c < count && k > 0; c++) {
                const int64_t points = sf_grid_points(want[c].grid);
                CHECK(again == count);
                sf_field_get(&want[c], 0, x + 0);
                sf_field_get(&got[c], 0, y);
                CHECK(memcmp(x, y, sizeof *x * (size_t)points) == 0);
                const double *row = got[c].data[0];
                const int64_t last =
                    sf_grid_axis(got[c].grid, sf_grid_rank(got[c].grid) - 1)
                        ->count;
                for (int64_t e = 1; e <= 16; e++)
                    CHECK(row[-e] == 0.0 &&
                          (last % 16 == 0 || row[last] == 0.0));
                sf_field_free(ctx, &got[c]);
            }
            /* x was written over. */
            for (int64_t e = 0; e < n; e++)
                x[e] = small[e];
        }
        for (int c = 0; c < count; c++)
            sf_field_free(ctx, &want[c]);
        for (int k = 0; k < 3; k++)
            sf_field_free(ctx, (sf_field *)fields[k]);
        free(x);
        free(y);
        free(small);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* A unit of time has its seconds in any calendar, months want one that is known, and times
 * whose unit is none have neither. */
TEST(times_are_in_seconds_and_months_of_their_calendar)
{
    static const struct {
        const char *unit, *calendar, *text;
        double value;
        sf_status status;
    } cases[] = {
        {"days since 2000-01-01", "noleap", "r = dt(f)", 1.0 / 86400, SF_OK},
        {"days since 2000-01-01", "martian", "r = dt(f)", 1.0 / 86400, SF_OK},
        {"hours since 2000-01-01", "", "r = d(f, t)", 1.0 / 3600, SF_OK},
        {"days since 2000-01-01", "martian", "r = anomaly(f, month)", 0.0,
         SF_E_UNSUPPORTED},
        {"fortnights since 2000-01-01", "", "r = dt(f)", 0.0, SF_E_UNSUPPORTED},
        {"fortnights since 2000-01-01", "", "r = d(f, t)", 0.0,
         SF_E_UNSUPPORTED},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        double days[] = {0, 1, 2, 3};
        const sf_axis axis = {
            .name = "t",
            .unit = cases[i].unit,
            .calendar = cases[i].calendar[0] != '\0' ? cases[i].calendar : NULL,
            .role = SF_ROLE_T,
            .count = 4,
            .coords = days};
        sf_grid *g = NULL;
        CHECK_OK(ctx, sf_grid_new(ctx, &g, 1, &axis, NULL));
        sf_field f, out;
        CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 0));
        CHECK_OK(ctx, sf_field_set_name(ctx, &f, "f"));
        sf_field_put(&f, 0, days);
        int count = 0;
        const sf_status status =
            sf_calc(ctx, 1, &out, &count, cases[i].text, 1, &f, NULL);
        CHECK(status == cases[i].status);
        if (status == SF_OK) {
            CHECK_CLOSE(((const double *)out.data[0])[1], cases[i].value,
                        1e-12);
            sf_field_free(ctx, &out);
        }
        sf_field_free(ctx, &f);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* Into arrays of the caller, doubles or floats, which end with their last value: the values
 * of sf_calc(), and nothing else. */
TEST(results_go_to_fields_that_are_there)
{
    static const char *const texts[] = {
        "r = grad(f)", "r = laplacian(f) + f; s = mean(f)",
        "r = mean(f, lat); s = regrid(f, \"lat = -60:60:3; lon = 0:270:4\")"};
    enum { ROOM = 13 * 16 };
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "lat = -90:90:13; lon = 0:360:16 periodic", 0);
    sf_field f = field_of(ctx, g, "f", "sin(2*" LON ")*cos(" LAT ")^2");
    for (size_t i = 0; i < 2 * SFI_COUNT(texts); i++) {
        const char *text = texts[i / 2];
        const sf_dtype dtype = i % 2 == 0 ? SF_F64 : SF_F32;
        double want[ROOM], got[ROOM], room[3][ROOM];
        sf_field made[3], out[3];
        int count = 0;
        CHECK_OK(ctx, sf_calc(ctx, 3, made, &count, text, 1, &f, NULL));
        for (int k = 0; k < count; k++) {
            memset(room[k], 77, sizeof room[k]);
            CHECK_OK(ctx, sf_field_wrap(ctx, &out[k], made[k].grid, dtype, 0,
                                        room[k], NULL));
        }
        CHECK_OK(ctx, sf_calc_into(ctx, count, out, text, 1, &f, NULL));
        for (int k = 0; k < count; k++) {
            const int64_t n = sf_grid_points(made[k].grid);
            sf_field_get(&made[k], 0, want);
            sf_field_get(&out[k], 0, got);
            for (int64_t e = 0; e < n; e++) {
                const double x =
                    dtype == SF_F64 ? want[e] : (double)(float)want[e];
                CHECK(got[e] == x || (isnan(got[e]) && isnan(x)));
            }
            const char *bytes = (const char *)room[k];
            for (size_t e = (size_t)n * sf_dtype_size(dtype);
                 e < sizeof room[k]; e++)
                CHECK(bytes[e] == 77);
        }
        /* One field too few; one of another result. */
        CHECK_FAILS(ctx, sf_calc_into(ctx, count - 1, out, text, 1, &f, NULL),
                    SF_E_ARG, "fields for");
        CHECK_FAILS(ctx, sf_calc_into(ctx, 1, &f, "r = mean(f)", 1, &f, NULL),
                    SF_E_SHAPE, "axes and points");
        for (int k = 0; k < count; k++) {
            sf_field_free(ctx, &out[k]);
            sf_field_free(ctx, &made[k]);
        }
    }
    CHECK_FAILS(ctx, sf_calc_into(ctx, 1, &f, "r = laplacian(f)", 1, &f, NULL),
                SF_E_ARG, "overlaps");
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TESTS(CASE(operators_on_a_sphere_have_their_order),
      CASE(a_geostrophic_wind_balances),
      CASE(operators_elsewhere_have_their_order), CASE(poles_are_of_order_two),
      CASE(the_order_of_axes_and_coordinates_changes_nothing),
      CASE(a_result_is_missing_where_what_it_reads_is),
      CASE(means_have_the_weights_of_their_cells),
      CASE(units_follow_the_expression),
      CASE(what_can_not_be_computed_is_refused),
      CASE(every_allocation_may_fail), CASE(fields_are_read_where_they_lie),
      CASE(results_go_to_fields_that_are_there),
      CASE(times_are_in_seconds_and_months_of_their_calendar),
      CASE(threads_do_not_change_a_bit))
