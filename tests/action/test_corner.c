/* SPDX-License-Identifier: Apache-2.0 */
/* test_corner.c - the discrete action of every geometry and side, beside one that is written
 * here by itself for complex numbers.
 *
 * The imaginary part of S(x + i h e_k) over h is dS/dx_k without the rounding of differences, so
 * gradients agree to that of sums. */
#include "faults.h"

#include "scorefield/action.h"

#include <complex.h>

#define PI 3.14159265358979323846

typedef double complex number;

/* ---- densities ---------------------------------------------------------------------- */

/* Of phi, its physical slopes and the coordinate of the last axis, which %s names. */
typedef struct density {
    const char *text;
    number (*at)(number phi, int rank, const number *p, double x);
    bool is_quadratic; /* in the slopes */
} density;

static number grad2(int rank, const number *p)
{
    number sum = 0.0;
    for (int k = 0; k < rank; k++)
        sum += p[k] * p[k];
    return sum;
}

static number quartic(number u, int rank, const number *p, double x)
{
    (void)x;
    return 0.5 * grad2(rank, p) + 0.25 * u * u * u * u;
}

static number conducting(number u, int rank, const number *p, double x)
{
    (void)x;
    return cexp(0.3 * u) * grad2(rank, p) + ccos(u);
}

static number leaning(number u, int rank, const number *p, double x)
{
    return grad2(rank, p) / (1.0 + u * u) + csin(u) * p[rank - 1] + x * u;
}

static number placed(number u, int rank, const number *p, double x)
{
    return (2.0 + cos(x)) * grad2(rank, p) * (2.0 + ccos(u)) + cexp(u);
}

static number stiff(number u, int rank, const number *p, double x)
{
    return grad2(rank, p) * (1.0 + 0.2 * u * u * u * u) + x * u * u * u;
}

static number twisted(number u, int rank, const number *p, double x)
{
    (void)x;
    return grad2(rank, p) + 0.3 * p[0] * p[rank - 1] * u + u * u * u;
}

static number film(number u, int rank, const number *p, double x)
{
    (void)x;
    return csqrt(1.0 + grad2(rank, p)) + u;
}

static number squared(number u, int rank, const number *p, double x)
{
    const number g = grad2(rank, p);
    (void)x;
    return g * g + 0.1 * u * u * g;
}

static const density densities[] = {
    {"0.5*grad2(phi) + 0.25*phi^4", quartic, true},
    {"exp(0.3*phi)*grad2(phi) + cos(phi)", conducting, true},
    {"grad2(phi)/(1 + phi^2) + sin(phi)*SLOPE + COORD*phi", leaning, true},
    {"(2 + cos(COORD))*grad2(phi)*(2 + cos(phi)) + exp(phi)", placed, true},
    {"grad2(phi)*(1 + 0.2*phi^4) + COORD*phi^3", stiff, true},
    {"grad2(phi) + 0.3*FIRST*SLOPE*phi + phi^3", twisted, true},
    {"sqrt(1 + grad2(phi)) + phi", film, false},
    {"grad2(phi)^2 + 0.1*phi^2*grad2(phi)", squared, false},
};

static number border(number u)
{
    return 0.3 * u * u * u * u - csin(u);
}
static const char border_text[] = "0.3*phi^4 - sin(phi)";

/* ---- grids ----------------------------------------------------------------------------- */

static const struct {
    const char *grid, *border; /* a side with border(), or NULL */
} grids[] = {
    {"x = 0:1:7 map s^1.5 pin sin(y)*0.3, natural; y = 0:2:6 periodic", NULL},
    {"x = 0:1:6 flux 1, robin 2, 3; y = 0:2:5 map s^2 pin 0.5, flux -1", NULL},
    {"x = 0:1:6; y = 0:2:5 natural, robin 1, 2", "x+"},
    {"x = 0:1:6 flux 0.5; y = 0:2:5", "x-"},
    {"x = 0:1:6 cells pin 1, natural; y = 0:2:5 cells natural, pin 2", NULL},
    {"x = 0:1:6 cells flux 0.7, robin 2, 3; y = 0:2:5 cells periodic", NULL},
    {"x = 0:1:5 cells map s^1.3 flux 0.7; y = 0:2:4 robin 1, 2", NULL},
    {"x = 0:1:5 cells robin 0.7, 1; y = 0:2:4 cells natural, flux 1", NULL},
    {"r = 1:2:6 pin theta, flux 2; theta = 0:6.283185307179586:7 periodic",
     NULL},
    {"r = 0:2:5; theta = 0:6.283185307179586:7 periodic", "r+"},
    {"r = 0:2:5 natural, robin 1, 2; theta = 0:2:4 flux 0.3, robin 1, 2", NULL},
    {"r = 0:2:5 cells map s^1.5 natural, robin 1, 2; theta = 0:2:5 pin 1",
     NULL},
    {"r = 0:2:5; z = 0:1:6 robin 1, 2", "r+"},
    {"r = 0:2:5 cells; z = 0:1:6 cells robin 1, 2", NULL},
    {"r = 0:2:4 natural, pin 1; theta = 0:6.283185307179586:5 periodic; z = "
     "0:1:4 flux 1, natural",
     "z+"},
    {"lat = -60:70:7 natural, robin 1, 2; lon = 0:360:8 periodic; radius = 2",
     NULL},
    {"lat = -90:90:6; lon = 0:360:7 periodic; radius = 2", NULL},
    {"lat = -90:40:6; lon = 0:100:5 flux 1, natural; radius = 2", "lat+"},
    {"lat = -90:50:6 cells natural, flux 1; lon = 0:90:5 flux 1; radius = 2",
     NULL},
    {"r = 1:2:4 natural, flux 1; lat = -50:60:5; lon = 0:90:4 pin 0, natural",
     "lat-"},
    {"r = 0:2:4 natural, robin 1, 2; lat = -90:90:5; lon = 0:360:5 periodic",
     NULL},
    {"r = 1:3:7 pin 1, robin 1, 2; geometry = radial", NULL},
    {"r = 0:3:7; geometry = radial", "r+"},
    {"r = 0:3:7 cells natural, robin 1, 2; geometry = radial", NULL},
    {"x = 0:1:4 natural; y = 0:1:4 pin 0; z = 0:2:5 periodic", NULL},
    {"x = 0:1:4 cells flux 1; y = 0:1:4 robin 1, 2; z = 0:2:3 cells flux 2",
     "y-"},
};

static bool has_flux_on_cells(const sf_grid *g)
{
    for (int k = 0; k < sf_grid_rank(g); k++) {
        const sf_axis *a = sf_grid_axis(g, k);
        const sf_side *sides[2] = {&a->low, &a->high};
        for (int h = 0; h < 2; h++)
            if (a->placement == SF_CELLS && (sides[h]->kind == SF_SIDE_FLUX ||
                                             sides[h]->kind == SF_SIDE_ROBIN))
                return true;
    }
    return false;
}

static sf_grid *grid_of(sf_context *ctx, const char *text)
{
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, text));
    return g;
}

/* The text of a density on a grid. */
static void write_density(const sf_grid *g, const char *text, char *out)
{
    const int rank = sf_grid_rank(g);
    const sf_axis *first = sf_grid_axis(g, 0),
                  *last = sf_grid_axis(g, rank - 1);
    const struct {
        const char *word, *with;
        const char *name;
    } words[] = {{"SLOPE", "d(phi,%s)", last->name},
                 {"FIRST", "d(phi,%s)", first->name},
                 {"COORD", "%s", last->name}};
    while (*text != '\0') {
        size_t i = 0;
        while (i < SFI_COUNT(words) &&
               strncmp(text, words[i].word, strlen(words[i].word)) != 0)
            i++;
        if (i == SFI_COUNT(words)) {
            *out++ = *text++;
            continue;
        }
        out += sprintf(out, words[i].with, words[i].name);
        text += strlen(words[i].word);
    }
    *out = '\0';
}

/* ---- the reference ---------------------------------------------------------------------- */

typedef struct reference {
    const sf_grid *g;
    const density *l;
    int rank;
    int64_t count[3], stride[3];
    double unit[3]; /* radians of a degree, or 1 */
    int border;     /* side 2 axis + (high), or -1 */
} reference;

static sf_role role_of(const reference *r, int k)
{
    return sf_grid_axis(r->g, k)->role;
}

/* The coordinate of a role at a point, 1 where there is none. */
static double coord(const reference *r, sf_role role, const int64_t *at)
{
    const int k = sf_grid_find_role(r->g, role);
    return k < 0 ? 1.0 : sf_grid_axis(r->g, k)->coords[at[k]] * r->unit[k];
}

static bool is_ball(const reference *r)
{
    return sf_grid_geometry(r->g) == SF_GEOMETRY_SPHERICAL ||
           sf_grid_geometry(r->g) == SF_GEOMETRY_RADIAL;
}

/* Length of a unit of axis k at a point. */
static double length(const reference *r, int k, const int64_t *at)
{
    const sf_role role = role_of(r, k);
    const double radius =
        sf_grid_geometry(r->g) == SF_GEOMETRY_SPHERE ? sf_grid_radius(r->g)
        : role == SF_ROLE_THETA || is_ball(r)        ? coord(r, SF_ROLE_R, at)
                                                     : 1.0;
    if (role == SF_ROLE_LON) {
        const double c = cos(coord(r, SF_ROLE_LAT, at));
        return fabs(c) < 1e-12 ? 0.0 : radius * c;
    }
    return role == SF_ROLE_THETA || role == SF_ROLE_LAT ? radius : 1.0;
}

/* Integral of x^power, or of cos(x)^power of a latitude. */
static double integral(double a, double b, int power)
{
    return fabs(pow(b, power + 1) - pow(a, power + 1)) / (power + 1);
}

/* The part of a measure along axis k from the point a on, of a volume or (wall >= 0) of the face
 * on the wall of that axis: how r and cos(lat) enter it, at a point where they are not 0. */
static double part(const reference *r, int k, int wall, double a, double b)
{
    const sf_geometry geometry = sf_grid_geometry(r->g);
    const sf_role role = role_of(r, k);
    const sf_role other = wall >= 0 ? role_of(r, wall) : SF_ROLE_NONE;
    a *= r->unit[k];
    b *= r->unit[k];
    if (role == SF_ROLE_R) {
        int power = is_ball(r) ? 2 : geometry == SF_GEOMETRY_CARTESIAN ? 0 : 1;
        double over = 1.0;
        if (other == SF_ROLE_THETA ||
            (is_ball(r) && (other == SF_ROLE_LAT || other == SF_ROLE_LON))) {
            power -= a == 0.0;
            over = a == 0.0 ? 1.0 : a;
        }
        const double turn = geometry == SF_GEOMETRY_AXISYMMETRIC ? 2.0 * PI
                            : geometry == SF_GEOMETRY_RADIAL     ? 4.0 * PI
                                                                 : 1.0;
        return turn * integral(a, b, power) / over;
    }
    const double radius =
        geometry == SF_GEOMETRY_SPHERE ? sf_grid_radius(r->g) : 1.0;
    if (role == SF_ROLE_LAT)
        return radius * (other != SF_ROLE_LON ? fabs(sin(b) - sin(a))
                         : fabs(cos(a)) < 1e-12
                             ? fabs(b - a)
                             : fabs(sin(b) - sin(a)) / cos(a));
    if (role == SF_ROLE_LON)
        return radius * fabs(b - a);
    return fabs(b - a);
}

/* How the face on a wall grows with where that is. */
static double growth(const reference *r, int k, double x)
{
    const sf_geometry geometry = sf_grid_geometry(r->g);
    if (role_of(r, k) == SF_ROLE_R)
        return geometry == SF_GEOMETRY_AXISYMMETRIC ? 2.0 * PI * x
               : geometry == SF_GEOMETRY_RADIAL     ? 4.0 * PI * x * x
               : geometry == SF_GEOMETRY_SPHERICAL  ? x * x
                                                    : x;
    return role_of(r, k) == SF_ROLE_LAT ? cos(x * r->unit[k]) : 1.0;
}

/* From a point half-way to the next one on a side, or to the wall. */
static double middle(const sf_axis *a, int64_t i, int side)
{
    const int64_t n = a->count, j = i + side;
    if (j >= 0 && j < n)
        return 0.5 * (a->coords[i] + a->coords[j]);
    if (a->period > 0.0)
        return a->coords[i] + 0.5 * side * (a->coords[1] - a->coords[0]);
    return a->placement == SF_CELLS ? a->edges[side > 0 ? n : 0] : a->coords[i];
}

static const sf_side *side_at(const reference *r, int k, int side)
{
    const sf_axis *a = sf_grid_axis(r->g, k);
    return side > 0 ? &a->high : &a->low;
}

/* One corner, with values on walls of cells: those that a flux leads to from w. */
static number corner(const reference *r, const number *phi, const int64_t *at,
                     int64_t here, const int *s, const number *w)
{
    number p[3], sum = 0.0;
    double volume = 1.0;
    for (int k = 0; k < r->rank; k++) {
        const sf_axis *a = sf_grid_axis(r->g, k);
        const int64_t n = a->count;
        const int64_t j = at[k] + s[k];
        const double h = length(r, k, at), unit = r->unit[k];
        const double x = a->coords[at[k]];
        volume *= part(r, k, -1, x, middle(a, at[k], s[k]));
        p[k] = 0.0;
        if (a->period > 0.0 || (j >= 0 && j < n)) {
            const int64_t wrapped = (j + n) % n;
            const double step = j == wrapped
                                    ? fabs(a->coords[j] - x)
                                    : a->period - fabs(a->coords[wrapped] - x);
            if (h > 0.0)
                p[k] =
                    s[k] *
                    (phi[here + (wrapped - at[k]) * r->stride[k]] - phi[here]) /
                    (step * unit * h);
            continue;
        }
        const double step = fabs(middle(a, at[k], s[k]) - x) * unit * h;
        const sf_side *side = side_at(r, k, s[k]);
        if (side->kind == SF_SIDE_PIN || side->kind == SF_SIDE_FLUX ||
            side->kind == SF_SIDE_ROBIN)
            p[k] = s[k] *
                   ((side->kind == SF_SIDE_PIN ? atof(side->value) : w[k]) -
                    phi[here]) /
                   step;
    }
    const int last = r->rank - 1;
    sum = volume * r->l->at(phi[here], r->rank, p,
                            sf_grid_axis(r->g, last)->coords[at[last]]);
    return sum;
}

/* What the sides add: at the value w on the wall of axis k. */
static number side_energy(const reference *r, const int64_t *at, const int *s,
                          int k, int side, number w)
{
    const sf_side *said = side_at(r, k, side);
    const double wall = middle(sf_grid_axis(r->g, k), at[k], side);
    double area = growth(r, k, wall);
    for (int j = 0; j < r->rank; j++)
        if (j != k) {
            const sf_axis *a = sf_grid_axis(r->g, j);
            area *= part(r, j, k, a->coords[at[j]], middle(a, at[j], s[j]));
        }
    number sum = 0.0;
    if (said->kind == SF_SIDE_FLUX)
        sum = -atof(said->value) * w;
    if (said->kind == SF_SIDE_ROBIN)
        sum = 0.5 * atof(said->factor) * w * w - atof(said->value) * w;
    if (r->border == 2 * k + (side > 0))
        sum += border(w);
    return area * sum;
}

/* All of a corner: what is quadratic in the value on a wall of cells is known from three of
 * them, and is stationary at its vertex. */
static number whole_corner(const reference *r, const number *phi,
                           const int64_t *at, int64_t here, const int *s)
{
    number w[3], sum = 0.0;
    for (int k = 0; k < 3; k++)
        w[k] = phi[here];
    sum = corner(r, phi, at, here, s, w);
    for (int k = 0; k < r->rank; k++) {
        const sf_axis *a = sf_grid_axis(r->g, k);
        const bool ends = a->period == 0.0;
        const bool low = ends && at[k] == 0,
                   high = ends && at[k] == a->count - 1;
        if (a->placement == SF_NODES || a->period > 0.0) {
            if (low)
                sum += side_energy(r, at, s, k, -1, phi[here]);
            if (high)
                sum += side_energy(r, at, s, k, 1, phi[here]);
            continue;
        }
        const sf_side *side = side_at(r, k, s[k]);
        if (!(s[k] < 0 ? low : high) ||
            (side->kind != SF_SIDE_FLUX && side->kind != SF_SIDE_ROBIN))
            continue;
        number e[3];
        const number base = corner(r, phi, at, here, s, w);
        for (int i = 0; i < 3; i++) {
            w[k] = phi[here] + (i - 1);
            e[i] = corner(r, phi, at, here, s, w) - base +
                   side_energy(r, at, s, k, s[k], w[k]);
        }
        w[k] = phi[here];
        const number one = 0.5 * (e[2] - e[0]),
                     two = 0.5 * (e[2] + e[0]) - e[1];
        sum += e[1] - one * one / (4.0 * two);
    }
    return sum;
}

static number action(const reference *r, const number *phi)
{
    number sum = 0.0;
    int64_t at[3] = {0}, here = 0;
    for (int k = r->rank - 1; k >= 0;) {
        for (int bits = 0; bits < 1 << r->rank; bits++) {
            int s[3] = {1, 1, 1};
            bool is_inside = true;
            for (int j = 0; j < r->rank; j++) {
                const sf_axis *a = sf_grid_axis(r->g, j);
                s[j] = bits >> j & 1 ? 1 : -1;
                is_inside &= a->period > 0.0 || a->placement == SF_CELLS ||
                             (at[j] + s[j] >= 0 && at[j] + s[j] < a->count);
            }
            if (is_inside)
                sum += whole_corner(r, phi, at, here, s);
        }
        here++;
        for (k = r->rank - 1; k >= 0 && ++at[k] == r->count[k]; k--)
            at[k] = 0;
    }
    return sum;
}

static reference reference_of(const sf_grid *g, const density *l,
                              const char *border_side)
{
    reference r = {.g = g, .l = l, .rank = sf_grid_rank(g), .border = -1};
    int64_t stride = 1;
    for (int k = r.rank - 1; k >= 0; k--) {
        const sf_axis *a = sf_grid_axis(g, k);
        r.count[k] = a->count;
        r.stride[k] = stride;
        stride *= a->count;
        r.unit[k] =
            a->role == SF_ROLE_LAT || a->role == SF_ROLE_LON ? PI / 180.0 : 1.0;
        if (border_side != NULL &&
            strncmp(border_side, a->name, strlen(a->name)) == 0)
            r.border = 2 * k + (border_side[strlen(a->name)] == '+');
    }
    return r;
}

/* ---- the tests ---------------------------------------------------------------------------- */

/* The largest difference of a gradient, over the largest of its numbers, and of the value. */
static double difference(sf_context *ctx, const reference *r, sf_action *a)
{
    sf_functional f;
    sf_field phi = {0}, moved = {0};
    CHECK_OK(ctx, sf_action_functional(a, &f));
    const size_t n = (size_t)f.unknowns, points = (size_t)sf_grid_points(r->g);
    double *x = malloc(2 * n * sizeof *x), *g = x + n;
    double *from = malloc(2 * points * sizeof *from), *to = from + points;
    number *z = malloc(points * sizeof *z);
    CHECK(x != NULL && from != NULL && z != NULL);
    for (size_t k = 0; k < n; k++)
        x[k] = 0.4 * sin(1.7 * (double)k + 0.3) + 0.1;
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_action_field(a, &moved, 0));
    double value = 0.0, worst = 0.0, size = 0.0;
    CHECK_OK(ctx, f.gradient(ctx, f.user, &value, g, x, 1));
    CHECK_OK(ctx, sf_action_unpack(a, x, &phi));
    sf_field_get(&phi, 0, from);
    for (size_t k = 0; k < n; k++) {
        const double h = 1e-30;
        x[k] += 1.0;
        CHECK_OK(ctx, sf_action_unpack(a, x, &moved));
        x[k] -= 1.0;
        sf_field_get(&moved, 0, to);
        for (size_t i = 0; i < points; i++)
            z[i] = from[i] + (fabs(to[i] - from[i]) > 0.5 ? h : 0.0) * I;
        const number s = action(r, z);
        worst = fmax(worst, fabs(cimag(s) / h - g[k]));
        size = fmax(size, fabs(g[k]));
        if (k == 0)
            CHECK_NEAR(value, creal(s), 1e-12 * (fabs(value) + 1.0));
    }
    sf_field_free(ctx, &phi);
    sf_field_free(ctx, &moved);
    free(x);
    free(from);
    free(z);
    return worst / size;
}

static sf_action *action_of(sf_context *ctx, size_t i, const sf_grid *g,
                            const density *l)
{
    char text[200];
    sf_action *a = NULL;
    write_density(g, l->text, text);
    CHECK_OK(ctx, sf_action_new(ctx, &a, g, text, SF_ENERGY, 1,
                                (const char *const[]){"phi"}));
    if (grids[i].border != NULL)
        CHECK_OK(ctx, sf_action_boundary(a, grids[i].border, border_text));
    return a;
}

TEST(gradients_are_those_of_a_complex_step)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(grids); i++) {
        sf_grid *g = grid_of(ctx, grids[i].grid);
        int tried = 0;
        for (size_t j = 0; j < SFI_COUNT(densities); j++) {
            if (!densities[j].is_quadratic && has_flux_on_cells(g))
                continue;
            const reference r = reference_of(g, &densities[j], grids[i].border);
            if (r.rank == 1 && densities[j].at == twisted)
                continue; /* it is another one there */
            sf_action *a = action_of(ctx, i, g, &densities[j]);
            sf_action_info info;
            if (sf_action_describe(a, &info) == SF_E_UNSUPPORTED &&
                densities[j].at == twisted) { /* both slopes are left out */
                sf_action_free(a);
                continue;
            }
            const double worst = difference(ctx, &r, a);
            if (!(worst < 1e-13))
                fprintf(stderr, "%s on %s: %g\n", densities[j].text,
                        grids[i].grid, worst);
            CHECK(worst < 1e-13);
            sf_action_free(a);
            tried++;
        }
        CHECK(tried >= 5);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* u.H v = v.H u, and H v is what the gradient changes by. */
TEST(hessians_are_symmetric_at_every_side)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(grids); i++)
        for (size_t j = 0; j < 4; j++) {
            sf_grid *g = grid_of(ctx, grids[i].grid);
            sf_action *a = action_of(ctx, i, g, &densities[j]);
            sf_functional f;
            CHECK_OK(ctx, sf_action_functional(a, &f));
            const size_t n = (size_t)f.unknowns;
            double *room = malloc(5 * n * sizeof *room);
            CHECK(room != NULL);
            double *x = room, *u = room + n, *v = room + 2 * n,
                   *hu = room + 3 * n, *hv = room + 4 * n;
            for (size_t k = 0; k < n; k++) {
                x[k] = sin(0.3 * (double)k);
                u[k] = cos(1.1 * (double)k);
                v[k] = sin(2.3 * (double)k + 1.0);
            }
            CHECK_OK(ctx, f.hvp(ctx, f.user, hu, x, u, 1));
            CHECK_OK(ctx, f.hvp(ctx, f.user, hv, x, v, 1));
            double uhv = 0.0, vhu = 0.0, size = 0.0;
            for (size_t k = 0; k < n; k++) {
                uhv += u[k] * hv[k];
                vhu += v[k] * hu[k];
                size += fabs(u[k] * hv[k]);
            }
            CHECK_NEAR(uhv, vhu, 1e-13 * size);
            double gradient = 1.0, hvp = 1.0;
            CHECK_OK(ctx,
                     sf_functional_check(ctx, &gradient, &hvp, &f, x, 3, 1));
            CHECK(gradient < 1e-6 && hvp < 1e-6);
            free(room);
            sf_action_free(a);
            sf_grid_free(g);
        }
    sf_context_free(ctx);
}

TESTS(CASE(gradients_are_those_of_a_complex_step),
      CASE(hessians_are_symmetric_at_every_side))
