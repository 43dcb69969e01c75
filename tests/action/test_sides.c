/* SPDX-License-Identifier: Apache-2.0 */
/* test_sides.c - known answers at sides: of cells, of boundary terms, of single fields, and
 * where rows of a grid are one point; the order of every side on every geometry. */
#include "faults.h"

#include "scorefield/action.h"

#define PI 3.14159265358979323846

static const char *const names[] = {"phi", "psi"};

static sf_grid *grid_of(sf_context *ctx, const char *text)
{
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, text));
    return g;
}

static sf_action *action_of(sf_context *ctx, const sf_grid *g, const char *text)
{
    sf_action *a = NULL;
    CHECK_OK(ctx, sf_action_new(ctx, &a, g, text, SF_ENERGY,
                                strstr(text, "psi") != NULL ? 2 : 1, names));
    return a;
}

/* A problem of one field, solved from 0. */
typedef struct solved {
    sf_grid *g;
    sf_action *a;
    sf_field fields[2];
    int64_t points;
    double *x; /* [points] of the first field */
    sf_action_solution s;
} solved;

static void begin(sf_context *ctx, const char *grid, const char *density,
                  solved *out)
{
    memset(out, 0, sizeof *out);
    out->g = grid_of(ctx, grid);
    out->a = action_of(ctx, out->g, density);
    out->points = sf_grid_points(out->g);
}

static void finish(sf_context *ctx, solved *p)
{
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    sf_action_info info;
    o.tolerance = 1e-13;
    CHECK_OK(ctx, sf_action_describe(p->a, &info));
    CHECK_OK(ctx, sf_action_field(p->a, &p->fields[0], 0));
    if (info.unknowns > p->points)
        CHECK_OK(ctx, sf_action_field(p->a, &p->fields[1], 1));
    CHECK_OK(ctx, sf_action_solve(p->a, p->fields, &o, &p->s));
    p->x = malloc((size_t)p->points * sizeof *p->x);
    CHECK(p->x != NULL);
    sf_field_get(&p->fields[0], 0, p->x);
}

static void end(sf_context *ctx, solved *p)
{
    sf_field_free(ctx, &p->fields[0]);
    sf_field_free(ctx, &p->fields[1]);
    sf_action_free(p->a);
    sf_grid_free(p->g);
    free(p->x);
}

/* ---- rows that are one point ------------------------------------------------------------ */

/* -div grad u = 4 on the disc: u = 1 - r^2, exactly on any radial axis. */
TEST(a_quadratic_on_the_disc_is_exact)
{
    static const char *const axes[] = {"", "map s^1.5"};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(axes); i++) {
        solved p;
        char grid[160];
        snprintf(grid, sizeof grid,
                 "r = 0:1:18 %s natural, pin 0; theta = 0:6.283185307179586:9 "
                 "periodic",
                 axes[i]);
        begin(ctx, grid, "0.5*grad2(phi) - 4*phi", &p);
        finish(ctx, &p);
        sf_action_info info;
        CHECK_OK(ctx, sf_action_describe(p.a, &info));
        CHECK(info.unknowns == 16 * 9 + 1);
        for (int64_t k = 0; k < p.points; k++) {
            const double r = sf_grid_axis(p.g, 0)->coords[k / 9];
            CHECK_NEAR(p.x[k], 1.0 - r * r, 1e-12);
        }
        end(ctx, &p);
    }
    sf_context_free(ctx);
}

/* div grad u = 0 on the disc with cos 3 theta at r = 1: numbers of the same scheme from
 * elsewhere, the solution being r^3 cos 3 theta = 1/8. */
TEST(a_mode_of_the_disc_has_its_value)
{
    static const double want[] = {0.1261227517025519, 0.12598719956855584,
                                  0.1259532964379673};
    sf_context *ctx = new_context();
    for (int i = 0; i < 3; i++) {
        solved p;
        char grid[160];
        const int n = 16 << i;
        snprintf(grid, sizeof grid,
                 "r = 0:1:%d natural, pin cos(3*theta); theta = "
                 "0:6.283185307179586:64 periodic",
                 n + 1);
        begin(ctx, grid, "0.5*grad2(phi)", &p);
        finish(ctx, &p);
        CHECK_NEAR(p.x[n / 2 * 64], want[i], 1e-11);
        for (int k = 0; k < 64; k++)
            CHECK_NEAR(p.x[k], 0.0, 1e-12);
        end(ctx, &p);
    }
    sf_context_free(ctx);
}

/* f = P3(sin phi) has div grad f = -12 f on the unit sphere: numbers of the same scheme from
 * elsewhere, in the middle, at the pole, and the largest error. */
TEST(the_sphere_has_its_laplacian_up_to_the_poles)
{
    static const struct {
        int rows;
        double at_30, at_pole, worst;
    } want[] = {
        {37, 5.213217058893428, -11.92973560359248, 0.10217413813621512},
        {73, 5.240784711568007, -11.982400466207812, 0.026018527665842228},
        {145, 5.247694954015273, -11.99559802408379, 0.006534530013706075}};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(want); i++) {
        enum { LON = 12 };
        char grid[120];
        const int n = want[i].rows;
        snprintf(grid, sizeof grid,
                 "lat = -90:90:%d; lon = 0:360:%d periodic; radius = 1", n,
                 (int)LON);
        sf_grid *g = grid_of(ctx, grid);
        sf_action *a = action_of(ctx, g, "0.5*grad2(phi)");
        sf_functional f;
        sf_field phi;
        CHECK_OK(ctx, sf_action_functional(a, &f));
        CHECK(f.unknowns == (n - 2) * LON + 2);
        double *x = malloc(2 * (size_t)f.unknowns * sizeof *x);
        double *d = x + f.unknowns;
        CHECK(x != NULL);
        CHECK_OK(ctx, sf_action_field(a, &phi, 0));
        CHECK_OK(ctx,
                 sf_field_set(ctx, &phi, 0,
                              "2.5*sin(lat*pi/180)^3 - 1.5*sin(lat*pi/180)"));
        CHECK_OK(ctx, sf_action_pack(a, &phi, x));
        double value;
        CHECK_OK(ctx, f.gradient(ctx, f.user, &value, d, x, 1));
        double worst = 0.0, at_30 = 0.0, at_pole = 0.0;
        for (int64_t row = 0; row < n; row++) {
            const bool pole = row == 0 || row == n - 1;
            const int64_t at = row == 0 ? 0 : 1 + (row - 1) * LON;
            const double volume =
                sf_grid_volume(g, (int64_t[]){row, 0}) * (pole ? LON : 1);
            const double laplacian = -d[at] / volume;
            const double error = laplacian + 12.0 * x[at];
            worst = fmax(worst, fabs(error));
            at_30 = row == (n - 1) * 2 / 3 ? laplacian : at_30;
            at_pole = row == n - 1 ? laplacian : at_pole;
        }
        CHECK_NEAR(at_30, want[i].at_30, 1e-8);
        CHECK_NEAR(at_pole, want[i].at_pole, 1e-8);
        CHECK_NEAR(worst, want[i].worst, 1e-8);
        free(x);
        sf_field_free(ctx, &phi);
        sf_action_free(a);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* A point source at a pole of the sphere flows over it, and the whole is kept; at the end all
 * of it is even, 1/(4 pi). */
TEST(heat_goes_over_a_pole)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "lat = -90:90:31; lon = 0:360:12 periodic; "
                              "radius = 1");
    sf_action *a = action_of(ctx, g, "0.5*grad2(phi)");
    sf_field phi;
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    double x[31 * 12];
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    memset(x, 0, sizeof x);
    double pole = 0.0;
    for (int k = 0; k < 12; k++)
        pole += sf_grid_volume(g, (int64_t[]){30, k});
    for (int k = 0; k < 12; k++)
        x[30 * 12 + k] = 1.0 / pole;
    sf_field_put(&phi, 0, x);
    o.until = 8.0;
    CHECK_OK(ctx, sf_action_flow(a, &phi, &o, NULL));
    sf_field_get(&phi, 0, x);
    double mass = 0.0;
    for (int i = 0; i < 31; i++)
        for (int k = 0; k < 12; k++)
            mass += sf_grid_volume(g, (int64_t[]){i, k}) * x[i * 12 + k];
    CHECK_NEAR(mass, 1.0, 1e-12);
    CHECK_NEAR(x[5], 1.0 / (4.0 * PI), 1e-6);
    CHECK(x[30 * 12] == x[30 * 12 + 7]);
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* In a sector with cold sides the tip is pinned, though it lies on none of the points of the
 * sides between them: r^2 sin 2 theta. */
TEST(a_tip_between_pinned_sides_is_pinned)
{
    sf_context *ctx = new_context();
    solved p;
    begin(ctx,
          "r = 0:1:33 natural, pin sin(2*theta); theta = "
          "0:1.5707963267948966:33 pin 0",
          "0.5*grad2(phi)", &p);
    finish(ctx, &p);
    sf_action_info info;
    CHECK_OK(ctx, sf_action_describe(p.a, &info));
    CHECK(info.unknowns == 31 * 31);
    for (int i = 0; i < 33; i++)
        for (int k = 0; k < 33; k++)
            CHECK_NEAR(p.x[i * 33 + k],
                       i * i / 1024.0 * sin(2.0 * k * PI / 64.0), 5e-4);
    CHECK(p.x[16] == 0.0);
    end(ctx, &p);
    sf_context_free(ctx);
}

/* Values along such a row that differ are made one, and that is said. */
static void count_warnings(void *user, const char *text)
{
    *(int *)user += strstr(text, "one point") != NULL;
}

TEST(a_row_has_one_value)
{
    sf_context *ctx = new_context();
    int warnings = 0;
    sf_context_set_warning(ctx, count_warnings, &warnings);
    sf_grid *g =
        grid_of(ctx, "r = 0:1:5; theta = 0:6.283185307179586:8 periodic");
    sf_action *a = action_of(ctx, g, "0.5*grad2(phi) + 0.5*phi^2");
    sf_field phi;
    double x[40], free_numbers[33];
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_field_set(ctx, &phi, 0, "1 + r*cos(theta)"));
    CHECK_OK(ctx, sf_action_pack(a, &phi, free_numbers));
    CHECK(warnings == 0 && free_numbers[0] == 1.0);
    CHECK_NEAR(free_numbers[1], 1.25, 1e-15);
    CHECK_OK(ctx, sf_field_set(ctx, &phi, 0, "theta"));
    CHECK_OK(ctx, sf_action_pack(a, &phi, free_numbers));
    CHECK(warnings == 1);
    CHECK_NEAR(free_numbers[0], 0.875 * PI, 1e-14);
    CHECK_OK(ctx, sf_action_unpack(a, free_numbers, &phi));
    sf_field_get(&phi, 0, x);
    for (int k = 0; k < 8; k++)
        CHECK(x[k] == free_numbers[0]);
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- flux, Robin and other terms ----------------------------------------------------------- */

/* -u'' = 1, u(0) = 0, u' + 2 u = 3 at 1: the half cell at the wall makes the quadratic exact.
 * The same by a boundary term. */
TEST(a_robin_side_is_exact_for_a_quadratic)
{
    static const char *const grids[] = {"x = 0:1:11 pin 0, robin 2, 3",
                                        "x = 0:1:11 pin 0, natural"};
    sf_context *ctx = new_context();
    for (int i = 0; i < 2; i++) {
        solved p;
        begin(ctx, grids[i], "0.5*grad2(phi) - phi", &p);
        if (i == 1)
            CHECK_OK(ctx, sf_action_boundary(p.a, "x+", "phi^2 - 3*phi"));
        finish(ctx, &p);
        CHECK_NEAR(p.x[5], 0.7083333333333329, 1e-12);
        CHECK_NEAR(p.x[10], 1.1666666666666665, 1e-12);
        end(ctx, &p);
    }
    sf_context_free(ctx);
}

/* -u'' + u = f on cells, u = sin(1.3 x + 0.4): the largest errors of the same scheme from
 * elsewhere; with the cell's value in place of the wall's the second would be 0.0124. */
TEST(walls_of_cells_have_their_values)
{
    static const struct {
        const char *side;
        int n;
        double want;
    } cases[] = {
        {"flux -1.3*cos(0.4), flux 1.3*cos(1.7)", 32, 0.00010806055836787287},
        {"flux -1.3*cos(0.4), flux 1.3*cos(1.7)", 64, 2.7017515782712387e-05},
        {"robin 2, 2*sin(0.4) - 1.3*cos(0.4), robin 2, 2*sin(1.7) + "
         "1.3*cos(1.7)",
         32, 0.00017217154308346583},
        {"robin 2, 2*sin(0.4) - 1.3*cos(0.4), robin 2, 2*sin(1.7) + "
         "1.3*cos(1.7)",
         64, 4.314507532177103e-05}};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        solved p;
        char grid[200];
        snprintf(grid, sizeof grid, "x = 0:1:%d cells %s", cases[i].n,
                 cases[i].side);
        begin(ctx, grid,
              "0.5*grad2(phi) + 0.5*phi^2 - (1 + 1.3^2)*sin(1.3*x + 0.4)*phi",
              &p);
        finish(ctx, &p);
        double worst = 0.0;
        for (int64_t k = 0; k < p.points; k++)
            worst = fmax(
                worst, fabs(p.x[k] -
                            sin(1.3 * sf_grid_axis(p.g, 0)->coords[k] + 0.4)));
        CHECK_NEAR(worst, cases[i].want, 1e-6 * cases[i].want + 1e-12);
        end(ctx, &p);
    }
    sf_context_free(ctx);
}

/* Without a value anywhere the mean is that of half cells at the walls. */
TEST(a_natural_square_has_its_mode)
{
    sf_context *ctx = new_context();
    solved p;
    begin(ctx, "y = 0:1:17; x = 0:1:17", "0.5*grad2(phi) + rho*phi", &p);
    CHECK_OK(ctx, sf_action_set(p.a, "rho", "cos(pi*x)*cos(2*pi*y)"));
    finish(ctx, &p);
    CHECK_NEAR(p.x[0], -0.020486926807504142, 1e-12);
    end(ctx, &p);
    sf_context_free(ctx);
}

/* A bar that is heated at one end, u' = 1 inwards, and radiates at the other, u' = -u^4: u = 1
 * there, and 2 at the hot end.  By Newton's method, for the term is u^5/5. */
TEST(a_boundary_term_may_be_anything)
{
    sf_context *ctx = new_context();
    solved p;
    begin(ctx, "x = 0:1:9 flux 1, natural; y = 0:1:4", "0.5*grad2(phi)", &p);
    CHECK_OK(ctx, sf_action_boundary(p.a, "x+", "0.2*abs(phi)^5"));
    sf_action_info info;
    CHECK_OK(ctx, sf_action_describe(p.a, &info));
    CHECK(!info.is_linear && !info.is_singular);
    CHECK_OK(ctx, sf_action_field(p.a, &p.fields[0], 0));
    CHECK_OK(ctx, sf_field_set(ctx, &p.fields[0], 0, "1.5"));
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    o.tolerance = 1e-12;
    CHECK_OK(ctx, sf_action_solve(p.a, p.fields, &o, &p.s));
    const double *x = p.fields[0].data[0];
    for (int i = 0; i < 9; i++)
        CHECK_NEAR(x[i], 2.0 - i / 8.0, 1e-9);
    CHECK(p.s.kind == SF_POINT_MINIMUM);
    end(ctx, &p);
    sf_context_free(ctx);
}

/* A linear term leaves transforms as they are, a quadratic one does not. */
TEST(transforms_know_of_boundary_terms)
{
    static const struct {
        const char *term, *engine;
    } cases[] = {{"-3*phi", "transforms"},
                 {"phi^2 - 3*phi", "conjugate gradients"}};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        solved p;
        begin(ctx, "y = 0:1:5; x = 0:1:9 pin 0, natural", "0.5*grad2(phi)", &p);
        CHECK_OK(ctx, sf_action_boundary(p.a, "x+", cases[i].term));
        finish(ctx, &p);
        CHECK(strcmp(p.s.engine, cases[i].engine) == 0);
        CHECK_NEAR(p.x[8], i == 0 ? 3.0 : 1.0, 1e-12);
        end(ctx, &p);
    }
    sf_context_free(ctx);
}

/* ---- sides of single fields ------------------------------------------------------------------ */

/* Two bars side by side, u'' = u - v and v'' = v - u, with sides of their own: the sum is a
 * line, the difference d'' = 2 d. u is pinned to 0 and 1, v has natural ends: with k = sqrt 2
 * u + v = a + b x, u - v = d, and u' = -v' there. */
TEST(fields_have_sides_of_their_own)
{
    sf_context *ctx = new_context();
    solved p;
    begin(ctx, "x = 0:1:65",
          "0.5*grad2(phi) + 0.5*grad2(psi) + 0.5*(phi - psi)^2", &p);
    CHECK_OK(ctx, sf_action_side(p.a, "phi", "x-", "pin 0"));
    CHECK_OK(ctx, sf_action_side(p.a, "phi", "x+", "pin 1"));
    finish(ctx, &p);
    sf_action_info info;
    CHECK_OK(ctx, sf_action_describe(p.a, &info));
    CHECK(info.unknowns == 63 + 65);
    /* By symmetry around (1/2, 1/2): d = c sinh(k (x - 1/2)), s - 1 = b (x - 1/2), where
     * v' = 0 gives b = c k cosh(k/2) and u = 1 gives b/2 + c sinh(k/2) = 1. */
    const double k = sqrt(2.0);
    const double c = 1.0 / (0.5 * k * cosh(0.5 * k) + sinh(0.5 * k));
    const double b = c * k * cosh(0.5 * k);
    const double *u = p.fields[0].data[0], *v = p.fields[1].data[0];
    for (int i = 0; i < 65; i++) {
        const double x = i / 64.0 - 0.5;
        const double s = 1.0 + b * x, d = c * sinh(k * x);
        CHECK_NEAR(u[i], 0.5 * (s + d), 2e-5);
        CHECK_NEAR(v[i], 0.5 * (s - d), 2e-5);
    }
    CHECK(u[0] == 0.0 && u[64] == 1.0);
    end(ctx, &p);
    sf_context_free(ctx);
}

/* One field that nothing holds beside another that is pinned: the mean of the first is 0. */
TEST(a_field_may_float_beside_another)
{
    sf_context *ctx = new_context();
    solved p;
    begin(ctx, "x = 0:1:17", "0.5*grad2(phi) - cos(pi*x)*phi + grad2(psi)", &p);
    CHECK_OK(ctx, sf_action_side(p.a, "psi", "x-", "pin 2"));
    finish(ctx, &p);
    sf_action_info info;
    CHECK_OK(ctx, sf_action_describe(p.a, &info));
    CHECK(info.is_singular);
    const double lambda = pow(2.0 * 16.0 * sin(PI / 32.0), 2.0);
    const double *v = p.fields[1].data[0];
    for (int i = 0; i < 17; i++) {
        CHECK_NEAR(p.x[i], cos(PI * i / 16.0) / lambda, 1e-11);
        CHECK_NEAR(v[i], 2.0, 1e-11);
    }
    end(ctx, &p);
    sf_context_free(ctx);
}

/* ---- refusals -------------------------------------------------------------------------------- */

TEST(what_is_no_side_is_refused)
{
    static const struct {
        const char *grid, *name, *side, *text, *part;
        sf_status status;
    } sides[] = {
        {"x = 0:1:5", "phi", "x", "pin 0", "\"x\" is no side", SF_E_ARG},
        {"x = 0:1:5", "phi", "y-", "pin 0", "\"y-\" is no side", SF_E_ARG},
        {"x = 0:1:5", "chi", "x-", "pin 0", "\"chi\" is no field", SF_E_ARG},
        {"x = 0:1:5", "phi", "x-", "periodic", "belongs to the grid", SF_E_ARG},
        {"x = 0:1:5 periodic", "phi", "x-", "pin 0", "belongs to the grid",
         SF_E_ARG},
        {"x = 0:1:5", "phi", "x-", "pinned", "want natural", SF_E_PARSE},
        {"x = 0:1:5", "phi", "x-", "pin 0, pin 1", "want one side", SF_E_PARSE},
        {"x = 0:1:5", "phi", "x-", "robin 1", "robin ALPHA, Q", SF_E_PARSE},
    };
    static const struct {
        const char *grid, *side, *text, *part;
        sf_status status;
    } terms[] = {
        {"x = 0:1:5", "z+", "phi^2", "is no side", SF_E_ARG},
        {"x = 0:1:5 periodic", "x+", "phi^2", "is periodic", SF_E_ARG},
        {"x = 0:1:5 cells", "x+", "phi^2", "points on the wall",
         SF_E_UNSUPPORTED},
    };
    static const struct {
        const char *grid, *density, *side, *term, *part;
    } later[] = {
        {"x = 0:1:5", "grad2(phi)", "x+", "dx(phi)", "for the density"},
        {"x = 0:1:5", "grad2(phi)", "x+", "x^2", "no unknown field"},
        {"x = 0:1:5", "grad2(phi)", "x+", "foo*phi", "unknown name"},
        {"x = 0:1:5 pin 0", "grad2(phi)", "x+", "phi^2", "leaves nothing"},
        {"r = 0:1:5 flux 1, natural; theta = 0:1:5", "grad2(phi)", NULL, NULL,
         "has no area"},
        {"lat = -90:0:5 cells robin 1, 2; lon = 0:360:8 periodic", "grad2(phi)",
         NULL, NULL, "has no area"},
        {"r = 0:1:5 pin theta, natural; theta = 0:1:5", "grad2(phi)", NULL,
         NULL, "is one point and is pinned"},
        {"r = 0:1:5; theta = 0:1:5 pin 0, pin 1", "grad2(phi)", NULL, NULL,
         "do not agree; use cells"},
        {"x = 0:1:5 cells flux 1", "sqrt(1 + grad2(phi))", NULL, NULL,
         "second order in the slope"},
        {"x = 0:1:5 cells flux 1; y = 0:1:5 cells flux 1",
         "grad2(phi) + dx(phi)*dy(phi)", NULL, NULL,
         "second order in the slope"},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(sides); i++) {
        sf_grid *g = grid_of(ctx, sides[i].grid);
        sf_action *a = action_of(ctx, g, "grad2(phi)");
        CHECK_FAILS(
            ctx, sf_action_side(a, sides[i].name, sides[i].side, sides[i].text),
            sides[i].status, sides[i].part);
        sf_action_free(a);
        sf_grid_free(g);
    }
    for (size_t i = 0; i < SFI_COUNT(terms); i++) {
        sf_grid *g = grid_of(ctx, terms[i].grid);
        sf_action *a = action_of(ctx, g, "grad2(phi)");
        CHECK_FAILS(ctx, sf_action_boundary(a, terms[i].side, terms[i].text),
                    terms[i].status, terms[i].part);
        sf_action_free(a);
        sf_grid_free(g);
    }
    for (size_t i = 0; i < SFI_COUNT(later); i++) {
        sf_grid *g = grid_of(ctx, later[i].grid);
        sf_action *a = action_of(ctx, g, later[i].density);
        sf_action_info info;
        if (later[i].side != NULL)
            CHECK_OK(ctx, sf_action_boundary(a, later[i].side, later[i].term));
        const sf_status status = sf_action_describe(a, &info);
        if (status == SF_OK ||
            strstr(sf_context_message(ctx), later[i].part) == NULL)
            fprintf(stderr, "%s: %s\n", later[i].grid, sf_context_message(ctx));
        CHECK(status != SF_OK &&
              strstr(sf_context_message(ctx), later[i].part) != NULL);
        sf_action_free(a);
        sf_grid_free(g);
    }
    sf_grid *g = grid_of(ctx, "x = 0:1:5");
    sf_action *a = action_of(ctx, g, "grad2(phi)");
    sf_action_info info;
    CHECK_OK(ctx, sf_action_boundary(a, "x+", "phi^2"));
    CHECK_FAILS(ctx, sf_action_boundary(a, "x+", "phi^2"), SF_E_ARG, "already");
    CHECK_OK(ctx, sf_action_describe(a, &info));
    CHECK_FAILS(ctx, sf_action_boundary(a, "x-", "phi^2"), SF_E_ARG,
                "after the action was used");
    CHECK_FAILS(ctx, sf_action_side(a, "phi", "x-", "pin 0"), SF_E_ARG,
                "after the action was used");
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sf_grid *g = NULL;
        sf_action *a = NULL;
        sf_field phi[2] = {{0}, {0}};
        status = sf_grid_parse(ctx, &g,
                               "r = 0:1:4 natural, robin 1, 2; theta = 0:2:3 "
                               "cells flux 1");
        if (status == SF_OK)
            status =
                sf_action_new(ctx, &a, g, "grad2(phi) + grad2(psi) + psi^2",
                              SF_ENERGY, 2, names);
        if (status == SF_OK)
            status = sf_action_side(a, "psi", "r+", "robin 2, theta");
        if (status == SF_OK)
            status = sf_action_boundary(a, "r+", "phi^2 + phi*psi");
        for (int u = 0; u < 2 && status == SF_OK; u++)
            status = sf_action_field(a, &phi[u], u);
        if (status == SF_OK)
            status = sf_action_solve(a, phi, NULL, NULL);
        for (int u = 0; u < 2; u++)
            sf_field_free(ctx, &phi[u]);
        sf_action_free(a);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

TESTS(CASE(a_quadratic_on_the_disc_is_exact),
      CASE(a_mode_of_the_disc_has_its_value),
      CASE(the_sphere_has_its_laplacian_up_to_the_poles),
      CASE(heat_goes_over_a_pole), CASE(a_row_has_one_value),
      CASE(a_tip_between_pinned_sides_is_pinned),
      CASE(a_robin_side_is_exact_for_a_quadratic),
      CASE(walls_of_cells_have_their_values),
      CASE(a_natural_square_has_its_mode),
      CASE(a_boundary_term_may_be_anything),
      CASE(transforms_know_of_boundary_terms),
      CASE(fields_have_sides_of_their_own),
      CASE(a_field_may_float_beside_another), CASE(what_is_no_side_is_refused),
      CASE(every_allocation_may_fail))
