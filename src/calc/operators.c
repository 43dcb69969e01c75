/* SPDX-License-Identifier: Apache-2.0 */
/* operators.c - operators of fields as terms.
 *
 * An operator is written out in derivatives, metric factors and what holds at a pole;
 * what it is on each geometry stands here once.  On a sphere of radius a, with u to the
 * east and v to the north:
 *
 *     grad f       (f_lon/(a cos), f_lat/a)
 *     div (u,v)    u_lon/(a cos) + v_lat/a - v tan/a
 *     curl (u,v)   v_lon/(a cos) - u_lat/a + u tan/a
 *     laplacian f  f_lonlon/(a cos)^2 + (cos f_lat)_lat/(a^2 cos)
 *
 * Elsewhere grad is f_mu/h_mu, and div and curl are expanded likewise.  The expanded forms
 * are those of CDO and NCL, and have smaller errors than the flux form. */
#include "calc/operators.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_SPACE = 3 };

static sf_graph *graph_of(const sfi_asker *a)
{
    return a->c->terms_graph;
}

#define REFUSE(a, status, ...) sfi_graph_fail(graph_of(a), status, __VA_ARGS__)

/* ---- terms ---------------------------------------------------------------------- */

static sf_node table(const sfi_asker *a, int axis, sfi_table_rule rule, int q)
{
    const int number = sfi_table_find(a->c, axis, rule, q);
    if (number < 0)
        return REFUSE(a, SF_E_NOMEM, "calc: no memory for a table");
    for (size_t i = 0; i < a->c->term_count; i++)
        if (a->c->terms[i].kind == SFI_TERM_TABLE &&
            a->c->terms[i].index == number)
            return a->c->terms[i].node;
    return sfi_term_new(
        a->c, &(sfi_field_term){.kind = SFI_TERM_TABLE, .index = number});
}

/* `shift`: by the axis's own unit, whatever that of lengths and times is. */
static sf_node deriv_in(const sfi_asker *a, sf_node f, int axis, int m,
                        int shift)
{
    const sf_axis *of = sf_grid_axis(a->c->grid, axis);
    const bool is_spectral = a->c->o.order == SF_CALC_SPECTRAL;
    if (is_spectral && !(of->period > 0.0))
        return REFUSE(a, SF_E_UNSUPPORTED,
                      "%s: a spectral derivative goes along a closed axis, and "
                      "\"%s\" has ends; want order 2, 4 or 6",
                      a->name, of->name);
    if (is_spectral && !sfi_axis_is_uniform(a->c, axis))
        return REFUSE(a, SF_E_UNSUPPORTED,
                      "%s: a spectral derivative needs equal steps, and those "
                      "of \"%s\" differ; want order 2, 4 or 6",
                      a->name, of->name);
    if (is_spectral) /* lines are read whole */
        a->c->whole |= 1u << axis;
    return sfi_term_new(a->c, &(sfi_field_term){.kind = SFI_TERM_DERIV,
                                                .axis = axis,
                                                .m = m,
                                                .shift = shift,
                                                .arg = {f}});
}

static sf_node deriv(const sfi_asker *a, sf_node f, int axis, int m)
{
    return deriv_in(a, f, axis, m, 0);
}

static sf_node pole(const sfi_asker *a, sfi_pole_rule rule, sf_node body,
                    sf_node of)
{
    if (sf_grid_geometry(a->c->grid) != SF_GEOMETRY_SPHERE)
        return body;
    return sfi_term_new(a->c, &(sfi_field_term){.kind = SFI_TERM_POLE,
                                                .pole = rule,
                                                .arg = {body, of}});
}

static void mark(const sfi_asker *a, sf_node node, const char *standard_name)
{
    sfi_calc *c = a->c;
    sfi_mark *grown = sfi_grow(c->ctx, c->marks, &c->mark_capacity,
                               c->mark_count + 1, sizeof *grown);
    if (grown == NULL)
        return; /* a name less */
    c->marks = grown;
    c->marks[c->mark_count++] = (sfi_mark){node, standard_name};
}

const char *sfi_mark_of(const sfi_calc *c, sf_node node)
{
    for (size_t i = 0; i < c->mark_count; i++)
        if (c->marks[i].node.id == node.id)
            return c->marks[i].standard_name;
    return NULL;
}

/* ---- vectors ---------------------------------------------------------------------- */

sf_node sfi_component(const sfi_calc *c, sf_node v, int k)
{
    sf_graph *g = c->terms_graph;
    return sf_reshape(g, sf_slice(g, v, 0, k, 1, 1), 0, NULL);
}

static sf_node vector(const sfi_asker *a, int count, const sf_node *parts)
{
    sf_graph *g = graph_of(a);
    const int64_t one = 1;
    sf_node rows[MOST_SPACE];
    for (int k = 0; k < count; k++)
        rows[k] = sf_reshape(g, parts[k], 1, &one);
    return sf_concat(g, count, rows, 0);
}

/* The arguments as numbers: a vector stands for its components. */
static int flatten(const sfi_asker *a, int count, const sf_node *args,
                   sf_node *flat, int most)
{
    sf_graph *g = graph_of(a);
    int n = 0;
    for (int i = 0; i < count; i++) {
        const int rank = sf_node_rank(g, args[i]);
        if (rank == 0 && n < most)
            flat[n] = args[i];
        for (int64_t k = 0; rank == 1 && k < sf_node_count(g, args[i]); k++)
            if (n + k < most)
                flat[n + k] = sfi_component(a->c, args[i], (int)k);
        n += rank == 0 ? 1 : (int)sf_node_count(g, args[i]);
    }
    return n;
}

static bool all_numbers(const sfi_asker *a, int count, const sf_node *args)
{
    for (int i = 0; i < count; i++)
        if (sf_node_rank(graph_of(a), args[i]) != 0)
            return false;
    return true;
}

/* ---- geometry ---------------------------------------------------------------------- */

/* The axes along which lengths are measured, in the order of components; none is a
 * refusal. */
static int space(const sfi_asker *a, int *axes)
{
    static const sf_role orders[][MOST_SPACE + 1] = {
        [SF_GEOMETRY_CARTESIAN] = {SF_ROLE_X, SF_ROLE_Y, SF_ROLE_Z},
        [SF_GEOMETRY_POLAR] = {SF_ROLE_R, SF_ROLE_THETA},
        [SF_GEOMETRY_CYLINDRICAL] = {SF_ROLE_R, SF_ROLE_THETA, SF_ROLE_Z},
        [SF_GEOMETRY_AXISYMMETRIC] = {SF_ROLE_R, SF_ROLE_Z},
        [SF_GEOMETRY_SPHERE] = {SF_ROLE_LON, SF_ROLE_LAT},
        [SF_GEOMETRY_SPHERICAL] = {SF_ROLE_LON, SF_ROLE_LAT, SF_ROLE_R},
        [SF_GEOMETRY_RADIAL] = {SF_ROLE_R},
        [SF_GEOMETRY_NONE] = {SF_ROLE_NONE}};
    const sf_geometry geometry = sf_grid_geometry(a->c->grid);
    int n = 0;
    for (int k = 0; orders[geometry][k] != SF_ROLE_NONE; k++) {
        const int axis = sf_grid_find_role(a->c->grid, orders[geometry][k]);
        if (axis >= 0)
            axes[n++] = axis;
    }
    if (n == 0 && geometry == SF_GEOMETRY_NONE)
        (void)REFUSE(a, SF_E_UNSUPPORTED,
                     "%s: the positions of the points are given by coordinates "
                     "of several dimensions, so lengths are unknown; regrid "
                     "the file first",
                     a->name);
    else if (n == 0)
        (void)REFUSE(a, SF_E_UNSUPPORTED,
                     "%s: the grid has no axes x, y, z, r or lat, lon",
                     a->name);
    return n;
}

/* f / h of an axis, h being the length of a step of one unit (radian). */
static sf_node over_h(const sfi_asker *a, int axis, sf_node f)
{
    sf_graph *g = graph_of(a);
    const sf_grid *grid = a->c->grid;
    const sf_geometry geometry = sf_grid_geometry(grid);
    const sf_role role = sf_grid_axis(grid, axis)->role;
    const int lat = sf_grid_find_role(grid, SF_ROLE_LAT);
    const int r = sf_grid_find_role(grid, SF_ROLE_R);
    if (role == SF_ROLE_THETA)
        return sf_mul(g, f, table(a, r, SFI_TABLE_INVERSE_R, 0));
    if (geometry == SF_GEOMETRY_SPHERICAL && role != SF_ROLE_R)
        f = sf_mul(g, f, table(a, r, SFI_TABLE_INVERSE_R, 0));
    if (geometry == SF_GEOMETRY_SPHERICAL && role == SF_ROLE_LON)
        return sf_mul(g, f, table(a, lat, SFI_TABLE_INVERSE_COS, 0));
    if (geometry == SF_GEOMETRY_SPHERE && role == SF_ROLE_LAT)
        return sf_mul(g, f, table(a, lat, SFI_TABLE_INVERSE_A, 0));
    if (geometry == SF_GEOMETRY_SPHERE && role == SF_ROLE_LON && lat >= 0)
        return sf_mul(g, f, table(a, lat, SFI_TABLE_INVERSE_ACOS, 0));
    if (geometry == SF_GEOMETRY_SPHERE && role == SF_ROLE_LON)
        return REFUSE(a, SF_E_UNSUPPORTED,
                      "%s: the length of a degree of longitude needs an axis "
                      "of latitudes",
                      a->name);
    return f;
}

static sf_node slope(const sfi_asker *a, sf_node f, int axis)
{
    return over_h(a, axis, deriv(a, f, axis, 1));
}

/* ---- operators ---------------------------------------------------------------------- */

static sf_node grad(const sfi_asker *a, int count, const sf_node *args)
{
    int axes[MOST_SPACE];
    sf_node parts[MOST_SPACE];
    (void)count;
    const int n = space(a, axes);
    for (int k = 0; k < n; k++)
        parts[k] =
            pole(a, SFI_POLE_MISSING, slope(a, args[0], axes[k]), args[0]);
    return n > 0 ? vector(a, n, parts) : args[0];
}

/* The sum over the axes of (1/h) d v/d axis, and what curvature adds: the derivative of
 * the area across the axis. */
static sf_node div(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    const sf_grid *grid = a->c->grid;
    const sf_geometry geometry = sf_grid_geometry(grid);
    int axes[MOST_SPACE];
    sf_node v[MOST_SPACE];
    const int n = space(a, axes);
    if (n == 0)
        return args[0];
    const int given = flatten(a, count, args, v, MOST_SPACE);
    if (given != n)
        return REFUSE(a, SF_E_ARG,
                      "div: %d components, want one for each of the %d axes of "
                      "the %s grid",
                      given, n, sf_geometry_name(geometry));
    const int lat = sf_grid_find_role(grid, SF_ROLE_LAT);
    const int r = sf_grid_find_role(grid, SF_ROLE_R);
    sf_node sum = slope(a, v[0], axes[0]);
    for (int k = 1; k < n; k++)
        sum = sf_add(g, sum, slope(a, v[k], axes[k]));
    for (int k = 0; k < n; k++) {
        const sf_role role = sf_grid_axis(grid, axes[k])->role;
        if (role == SF_ROLE_R) {
            const double powers = geometry == SF_GEOMETRY_SPHERICAL ||
                                          geometry == SF_GEOMETRY_RADIAL
                                      ? 2.0
                                      : 1.0;
            sum = sf_add(
                g, sum,
                sf_mul(g, sf_const(g, powers),
                       sf_mul(g, table(a, r, SFI_TABLE_INVERSE_R, 0), v[k])));
        }
        if (role == SF_ROLE_LAT && geometry == SF_GEOMETRY_SPHERE)
            sum = sf_sub(g, sum,
                         sf_mul(g, table(a, lat, SFI_TABLE_TAN_A, 0), v[k]));
        if (role == SF_ROLE_LAT && geometry == SF_GEOMETRY_SPHERICAL)
            sum = sf_sub(
                g, sum,
                sf_mul(g, table(a, r, SFI_TABLE_INVERSE_R, 0),
                       sf_mul(g, table(a, lat, SFI_TABLE_TAN, 0), v[k])));
    }
    /* Across a pole v alone flows out of the cap. */
    const sf_node north = n > 1 ? v[1] : v[0];
    const sf_node out = pole(a, SFI_POLE_DIV, sum, north);
    if (geometry == SF_GEOMETRY_SPHERE)
        mark(a, out, "divergence_of_wind");
    return out;
}

/* Of two components: the one across their plane. */
static sf_node curl_plane(const sfi_asker *a, const int *axes, const sf_node *v)
{
    sf_graph *g = graph_of(a);
    const sf_geometry geometry = sf_grid_geometry(a->c->grid);
    const sf_node both =
        sf_sub(g, slope(a, v[1], axes[0]), slope(a, v[0], axes[1]));
    if (geometry == SF_GEOMETRY_POLAR)
        return sf_add(
            g, both,
            sf_mul(g, table(a, axes[0], SFI_TABLE_INVERSE_R, 0), v[1]));
    if (geometry != SF_GEOMETRY_SPHERE)
        return both;
    const sf_node body =
        sf_add(g, both, sf_mul(g, table(a, axes[1], SFI_TABLE_TAN_A, 0), v[0]));
    const sf_node out = pole(a, SFI_POLE_CURL, body, v[0]);
    mark(a, out, "atmosphere_upward_relative_vorticity");
    return out;
}

static sf_node curl(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    const sf_geometry geometry = sf_grid_geometry(a->c->grid);
    int axes[MOST_SPACE];
    sf_node v[MOST_SPACE];
    const int n = space(a, axes);
    if (n == 0)
        return args[0];
    const int given = flatten(a, count, args, v, MOST_SPACE);
    const bool plane = geometry == SF_GEOMETRY_CARTESIAN ||
                       geometry == SF_GEOMETRY_POLAR ||
                       geometry == SF_GEOMETRY_SPHERE;
    if (n == 2 && given == 2 && plane)
        return curl_plane(a, axes, v);
    if (n != 3 || given != 3 || geometry == SF_GEOMETRY_SPHERICAL)
        return REFUSE(
            a, n == given ? SF_E_UNSUPPORTED : SF_E_ARG,
            "curl: %d components on a %s grid of %d axes; want 2 on x "
            "y, r theta or lat lon, or 3 on x y z or r theta z",
            given, sf_geometry_name(geometry), n);
    sf_node parts[MOST_SPACE];
    for (int k = 0; k < 3; k++) {
        const int i = (k + 1) % 3, j = (k + 2) % 3;
        parts[k] = sf_sub(g, slope(a, v[j], axes[i]), slope(a, v[i], axes[j]));
    }
    if (geometry == SF_GEOMETRY_CYLINDRICAL)
        parts[2] =
            sf_add(g, parts[2],
                   sf_mul(g, table(a, axes[0], SFI_TABLE_INVERSE_R, 0), v[1]));
    return vector(a, 3, parts);
}

/* (1/cos) (cos f_lat)_lat, in radians. */
static sf_node along_meridian(const sfi_asker *a, sf_node f, int lat)
{
    sf_graph *g = graph_of(a);
    if (a->c->o.order == 2)
        return sfi_term_new(a->c, &(sfi_field_term){.kind = SFI_TERM_LAPLAT,
                                                    .axis = lat,
                                                    .arg = {f}});
    return sf_sub(
        g, deriv(a, f, lat, 2),
        sf_mul(g, table(a, lat, SFI_TABLE_TAN, 0), deriv(a, f, lat, 1)));
}

static sf_node laplacian(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    const sf_geometry geometry = sf_grid_geometry(a->c->grid);
    const sf_node f = args[0];
    int axes[MOST_SPACE];
    (void)count;
    const int n = space(a, axes);
    sf_node sum = {-1};
    for (int k = 0; k < n; k++) {
        const sf_role role = sf_grid_axis(a->c->grid, axes[k])->role;
        sf_node part = role == SF_ROLE_LAT ? along_meridian(a, f, axes[k])
                                           : deriv(a, f, axes[k], 2);
        part = over_h(a, axes[k], over_h(a, axes[k], part));
        if (role == SF_ROLE_R) {
            const double powers = geometry == SF_GEOMETRY_SPHERICAL ||
                                          geometry == SF_GEOMETRY_RADIAL
                                      ? 2.0
                                      : 1.0;
            part = sf_add(
                g, part,
                sf_mul(g, sf_const(g, powers),
                       sf_mul(g, table(a, axes[k], SFI_TABLE_INVERSE_R, 0),
                              deriv(a, f, axes[k], 1))));
        }
        sum = sum.id < 0 ? part : sf_add(g, sum, part);
    }
    return sum.id < 0 ? f : pole(a, SFI_POLE_LAPLACIAN, sum, f);
}

static bool is_called(const sfi_asker *a, sf_node node,
                      const char *standard_name)
{
    const sfi_field_term *t = sfi_term_of(a->c, node);
    const char *own = t != NULL && t->kind == SFI_TERM_FIELD
                          ? a->c->inputs[t->index].standard_name
                          : NULL;
    return own != NULL && strcmp(own, standard_name) == 0;
}

static sf_node norm(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    sf_node sum = sf_square(g, args[0]);
    for (int k = 1; k < count; k++)
        sum = sf_add(g, sum, sf_square(g, args[k]));
    const sf_node out = sf_sqrt(g, sum);
    if (count == 2 && is_called(a, args[0], "eastward_wind") &&
        is_called(a, args[1], "northward_wind"))
        mark(a, out, "wind_speed");
    return out;
}

/* -(v . grad f) */
static sf_node advection(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    int axes[MOST_SPACE];
    sf_node v[MOST_SPACE + 1];
    const int n = space(a, axes);
    if (n == 0)
        return args[0];
    const int given = flatten(a, count, args, v, MOST_SPACE + 1);
    if (given != n + 1)
        return REFUSE(a, SF_E_ARG,
                      "advection: %d values, want the %d components of the "
                      "velocity and what it carries",
                      given, n);
    sf_node sum = sf_mul(g, v[0], slope(a, v[n], axes[0]));
    for (int k = 1; k < n; k++)
        sum = sf_add(g, sum, sf_mul(g, v[k], slope(a, v[n], axes[k])));
    return pole(a, SFI_POLE_MISSING, sf_neg(g, sum), v[n]);
}

/* The latitudes of a sphere that turns about its own poles; -1 is a refusal. */
static int turning_lat(const sfi_asker *a)
{
    const int lat = sf_grid_find_role(a->c->grid, SF_ROLE_LAT);
    if (lat >= 0 && !a->c->grid->is_rotated &&
        sf_grid_geometry(a->c->grid) == SF_GEOMETRY_SPHERE)
        return lat;
    (void)REFUSE(a, SF_E_UNSUPPORTED,
                 lat < 0 ? "%s: the grid has no axis of latitudes"
                         : "%s: the latitudes are those of another pole than "
                           "the Earth's",
                 a->name);
    return -1;
}

static sf_node coriolis(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    (void)args;
    const int lat = turning_lat(a);
    if (lat < 0)
        return (sf_node){0};
    const sf_node f = table(a, lat, SFI_TABLE_CORIOLIS, 0);
    mark(a, f, "coriolis_parameter");
    return f;
}

/* (-dy z, dx z)/f of geopotential z, off the equator. */
static sf_node geostrophic(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    (void)count;
    const int lat = turning_lat(a);
    const int lon = sf_grid_find_role(a->c->grid, SF_ROLE_LON);
    if (lat < 0 || lon < 0)
        return lat < 0 ? args[0]
                       : REFUSE(a, SF_E_UNSUPPORTED,
                                "geostrophic: the grid has no axis of "
                                "longitudes");
    const sf_node z =
        sfi_term_new(a->c, &(sfi_field_term){.kind = SFI_TERM_GEOPOTENTIAL,
                                             .arg = {args[0]}});
    const sf_node f = table(a, lat, SFI_TABLE_CORIOLIS, 1);
    const sf_node east = sf_neg(g, sf_div(g, slope(a, z, lat), f));
    const sf_node north = sf_div(g, slope(a, z, lon), f);
    const sf_node parts[] = {pole(a, SFI_POLE_MISSING, east, z),
                             pole(a, SFI_POLE_MISSING, north, z)};
    const sf_node out = vector(a, 2, parts);
    mark(a, out, "geostrophic_eastward_wind\0geostrophic_northward_wind");
    return out;
}

/* In a unit if its own is known ("~K"); or declared to be in it ("=degree"). */
static sf_node convert(const sfi_asker *a, sf_node f, const char *unit)
{
    char *text = sfi_copy_text(a->c->ctx, unit);
    if (text == NULL)
        return REFUSE(a, SF_E_NOMEM, "calc: no memory for a unit");
    return sfi_term_new(
        a->c,
        &(sfi_field_term){.kind = SFI_TERM_CONVERT, .text = text, .arg = {f}});
}

/* t (1000 hPa / p)^(2/7) */
static sf_node theta(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    (void)count;
    const sf_node t = convert(a, args[0], "~K"),
                  p = convert(a, args[1], "~hPa");
    const sf_node ratio =
        convert(a, sf_div(g, convert(a, sf_const(g, 1000.0), "=hPa"), p), "=1");
    const sf_node out = sf_mul(g, t, sf_pow(g, ratio, sf_const(g, 2.0 / 7.0)));
    mark(a, out, "air_potential_temperature");
    return out;
}

/* -[q_x^2 U_x + q_x q_y (V_x + U_y) + q_y^2 V_y] / |grad q| with U_x = dx u - v tan/a and
 * V_x = dx v + u tan/a. */
static sf_node frontogenesis(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    int axes[MOST_SPACE];
    (void)count;
    const int n = space(a, axes);
    if (n == 0)
        return args[0];
    const sf_geometry geometry = sf_grid_geometry(a->c->grid);
    if (n != 2 ||
        (geometry != SF_GEOMETRY_SPHERE && geometry != SF_GEOMETRY_CARTESIAN))
        return REFUSE(a, SF_E_UNSUPPORTED,
                      "frontogenesis: want a grid of x y or lat lon");
    const sf_node q = args[0], u = args[1], v = args[2];
    const sf_node qx = slope(a, q, axes[0]), qy = slope(a, q, axes[1]);
    sf_node ux = slope(a, u, axes[0]), vx = slope(a, v, axes[0]);
    const sf_node uy = slope(a, u, axes[1]), vy = slope(a, v, axes[1]);
    if (geometry == SF_GEOMETRY_SPHERE) {
        const sf_node tan_a = table(a, axes[1], SFI_TABLE_TAN_A, 0);
        ux = sf_sub(g, ux, sf_mul(g, tan_a, v));
        vx = sf_add(g, vx, sf_mul(g, tan_a, u));
    }
    const sf_node sum =
        sf_add(g,
               sf_add(g, sf_mul(g, sf_square(g, qx), ux),
                      sf_mul(g, sf_mul(g, qx, qy), sf_add(g, vx, uy))),
               sf_mul(g, sf_square(g, qy), vy));
    const sf_node size = norm(a, 2, (sf_node[]){qx, qy});
    return pole(a, SFI_POLE_MISSING, sf_neg(g, sf_div(g, sum, size)), q);
}

/* 180 + atan2(u, v) 180/pi, in [0, 360). */
static sf_node wind_dir(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    (void)count;
    const sf_node angle = convert(a, sf_atan2(g, args[0], args[1]), "=1");
    const sf_node degrees =
        sf_add(g, sf_const(g, 180.0),
               sf_mul(g, sf_const(g, 180.0 / 3.14159265358979323846), angle));
    const sf_node out =
        convert(a,
                sf_select(g, sf_less(g, degrees, sf_const(g, 360.0)), degrees,
                          sf_sub(g, degrees, sf_const(g, 360.0))),
                "=degree");
    mark(a, out, "wind_from_direction");
    return out;
}

static sf_node missing(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    (void)count;
    return sf_sub(g, sf_const(g, 1.0), sf_equal(g, args[0], args[0]));
}

/* ---- operators along an axis that is named ------------------------------------------- */

static int axis_of(const sfi_asker *a, sf_node node)
{
    const sfi_field_term *t = sfi_term_of(a->c, node);
    return t != NULL && t->kind == SFI_TERM_AXIS ? t->axis : -1;
}

/* Refuse an operator where a dated axis cannot be read: the message says why. */
static void want_clock(const sfi_asker *a, int t, bool dates)
{
    sfi_clock_unit clock;
    char why[256];
    if (t < 0 || !sfi_time_is_dated(sf_grid_axis(a->c->grid, t)->unit) ||
        sfi_axis_clock(a->c, t, dates, &clock) == SF_OK)
        return;
    snprintf(why, sizeof why, "%s", sf_context_message(a->c->ctx));
    (void)REFUSE(a, SF_E_UNSUPPORTED, "%s: %s", a->name, why);
}

static sf_node along(const sfi_asker *a, sf_node f, int axis)
{
    if (axis < 0)
        return REFUSE(a, SF_E_UNSUPPORTED, "%s: the grid has no such axis",
                      a->name);
    want_clock(a, axis, false);
    return deriv_in(a, f, axis, 1,
                    sf_grid_axis(a->c->grid, axis)->role != SF_ROLE_T);
}

static sf_node d(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    const int axis = axis_of(a, args[1]);
    if (axis < 0)
        return REFUSE(a, SF_E_PARSE,
                      "d: the second argument is to be the name of an axis");
    return along(a, args[0], axis);
}

/* A length along an axis: of x, or to the east, and so on. */
static sf_node by_length(const sfi_asker *a, sf_node f, sf_role role,
                         sf_role other)
{
    int axis = sf_grid_find_role(a->c->grid, role);
    if (axis < 0 && other != SF_ROLE_NONE)
        axis = sf_grid_find_role(a->c->grid, other);
    int axes[MOST_SPACE];
    const int n = space(a, axes);
    if (n == 0)
        return f;
    for (int k = 0; k < n; k++)
        if (axes[k] == axis)
            return pole(a, SFI_POLE_MISSING, slope(a, f, axis), f);
    return REFUSE(a, SF_E_UNSUPPORTED, "%s: the grid has no axis %s%s%s",
                  a->name, sf_role_name(role),
                  other != SF_ROLE_NONE ? " or " : "",
                  other != SF_ROLE_NONE ? sf_role_name(other) : "");
}

static sf_node dx(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    return by_length(a, args[0], SF_ROLE_X, SF_ROLE_LON);
}

static sf_node dy(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    return by_length(a, args[0], SF_ROLE_Y, SF_ROLE_LAT);
}

static sf_node dz(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    return by_length(a, args[0], SF_ROLE_Z, SF_ROLE_NONE);
}

static sf_node dlat(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    return along(a, args[0], sf_grid_find_role(a->c->grid, SF_ROLE_LAT));
}

static sf_node dlon(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    return along(a, args[0], sf_grid_find_role(a->c->grid, SF_ROLE_LON));
}

static sf_node dt(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    return along(a, args[0], sf_grid_find_role(a->c->grid, SF_ROLE_T));
}

static sf_node shift(const sfi_asker *a, int count, const sf_node *args)
{
    double by = 0.0;
    (void)count;
    const int axis = axis_of(a, args[1]);
    if (axis < 0)
        return REFUSE(
            a, SF_E_PARSE,
            "shift: the second argument is to be the name of an axis");
    if (!sfi_is_const(graph_of(a), args[2], &by) || by != floor(by) ||
        fabs(by) > SFI_MOST_REACH)
        return REFUSE(a, SF_E_PARSE,
                      "shift: by how many points? want a whole number from -%d "
                      "to %d",
                      (int)SFI_MOST_REACH, (int)SFI_MOST_REACH);
    return sfi_term_new(a->c, &(sfi_field_term){.kind = SFI_TERM_SHIFT,
                                                .axis = axis,
                                                .shift = (int)by,
                                                .arg = {args[0]}});
}

static sf_node units(const sfi_asker *a, int count, const sf_node *args)
{
    (void)count;
    const sfi_field_term *t = sfi_term_of(a->c, args[1]);
    if (t == NULL || t->kind != SFI_TERM_TEXT)
        return REFUSE(a, SF_E_PARSE,
                      "units: the second argument is to be a unit in quotes");
    if (*t->text == '=' || *t->text == '~')
        return REFUSE(a, SF_E_PARSE, "units: \"%s\" is no unit", t->text);
    return convert(a, args[0], t->text);
}

static sf_node regrid(const sfi_asker *a, int count, const sf_node *args)
{
    const sfi_field_term *grid = sfi_term_of(a->c, args[1]);
    const sfi_field_term *how = count > 2 ? sfi_term_of(a->c, args[2]) : NULL;
    const bool is_bilinear = how != NULL && how->kind == SFI_TERM_WORD &&
                             strcmp(how->text, "bilinear") == 0;
    const bool is_conservative = how != NULL && how->kind == SFI_TERM_WORD &&
                                 strcmp(how->text, "conservative") == 0;
    if (grid == NULL || grid->kind != SFI_TERM_TEXT ||
        (count > 2 && !is_bilinear && !is_conservative) ||
        sf_node_rank(graph_of(a), args[0]) != 0)
        return REFUSE(a, SF_E_PARSE,
                      "regrid: want a field, a grid in quotes, and bilinear or "
                      "conservative");
    char *text = sfi_copy_text(a->c->ctx, grid->text);
    if (text == NULL)
        return REFUSE(a, SF_E_NOMEM, "calc: no memory for a grid");
    return sfi_term_new(a->c, &(sfi_field_term){.kind = SFI_TERM_REGRID,
                                                .m = is_conservative,
                                                .text = text,
                                                .arg = {args[0]}});
}

/* ---- reductions ---------------------------------------------------------------------- */

/* Whether all arguments behind the first are axes; their mask, or all axes that f has. */
static bool reduced_axes(const sfi_asker *a, int count, const sf_node *args,
                         unsigned *mask)
{
    *mask = 0;
    for (int k = 1; k < count; k++) {
        const int axis = axis_of(a, args[k]);
        if (axis < 0)
            return false;
        *mask |= 1u << axis;
    }
    const unsigned have = sfi_term_mask(a->c, args[0]);
    if (count == 1)
        *mask = have;
    return true;
}

static sf_node reduce(const sfi_asker *a, sfi_reduction how, int count,
                      const sf_node *args, unsigned mask)
{
    (void)count;
    const unsigned have = sfi_term_mask(a->c, args[0]);
    for (int k = 0; k < sf_grid_rank(a->c->grid); k++)
        if (mask & ~have & 1u << k)
            return REFUSE(a, SF_E_ARG, "%s: what is reduced has no axis \"%s\"",
                          a->name, sf_grid_axis(a->c->grid, k)->name);
    if (mask == 0)
        return REFUSE(a, SF_E_ARG, "%s: a single number has no axes", a->name);
    if (sf_grid_geometry(a->c->grid) == SF_GEOMETRY_NONE &&
        (how == SFI_REDUCE_MEAN || how == SFI_REDUCE_VAR ||
         how == SFI_REDUCE_INTEGRAL))
        for (int k = 0; k < sf_grid_rank(a->c->grid); k++)
            if (mask >> k & 1u &&
                sf_grid_axis(a->c->grid, k)->role != SF_ROLE_T &&
                sf_grid_axis(a->c->grid, k)->role != SF_ROLE_LEV)
                return REFUSE(a, SF_E_UNSUPPORTED,
                              "%s: the positions of the points are given by "
                              "coordinates of several dimensions, so areas are "
                              "unknown; regrid the file first",
                              a->name);
    return sfi_term_new(a->c, &(sfi_field_term){.kind = SFI_TERM_REDUCE,
                                                .reduction = how,
                                                .mask = mask,
                                                .arg = {args[0]}});
}

static sf_node anomaly(const sfi_asker *a, int count, const sf_node *args)
{
    sf_graph *g = graph_of(a);
    const sfi_field_term *word = count == 2 ? sfi_term_of(a->c, args[1]) : NULL;
    if (word != NULL && word->kind == SFI_TERM_WORD) {
        const int t = sf_grid_find_role(a->c->grid, SF_ROLE_T);
        const sf_axis *axis = t >= 0 ? sf_grid_axis(a->c->grid, t) : NULL;
        if (axis == NULL || !sfi_time_is_dated(axis->unit))
            return REFUSE(a, SF_E_UNSUPPORTED,
                          "anomaly: months need an axis of time with a "
                          "calendar (\"days since ...\")");
        want_clock(a, t, true);
        return sf_sub(g, args[0],
                      reduce(a, SFI_REDUCE_MONTH, count, args, 1u << t));
    }
    unsigned mask = 0;
    if (!reduced_axes(a, count, args, &mask))
        return REFUSE(a, SF_E_PARSE,
                      "anomaly: want names of axes behind the field, or month");
    return sf_sub(g, args[0], reduce(a, SFI_REDUCE_MEAN, count, args, mask));
}

/* ---- names of functions --------------------------------------------------------------- */

typedef sf_node (*operator_fn)(const sfi_asker *a, int count,
                               const sf_node *args);

typedef struct operator_row {
    const char *name;
    int least, most; /* arguments */
    operator_fn make;
} operator_row;

static const operator_row operators[] = {
    {"grad", 1, 1, grad},
    {"div", 1, 3, div},
    {"curl", 1, 3, curl},
    {"laplacian", 1, 1, laplacian},
    {"advection", 2, 4, advection},
    {"coriolis", 0, 0, coriolis},
    {"geostrophic", 1, 1, geostrophic},
    {"theta", 2, 2, theta},
    {"frontogenesis", 3, 3, frontogenesis},
    {"wind_dir", 2, 2, wind_dir},
    {"missing", 1, 1, missing},
    {"d", 2, 2, d},
    {"dx", 1, 1, dx},
    {"dy", 1, 1, dy},
    {"dz", 1, 1, dz},
    {"dt", 1, 1, dt},
    {"dlat", 1, 1, dlat},
    {"dlon", 1, 1, dlon},
    {"shift", 3, 3, shift},
    {"units", 2, 2, units},
    {"regrid", 2, 3, regrid},
    {"anomaly", 1, 1 + SF_MAX_AXES, anomaly},
};

static const struct {
    const char *name;
    sfi_reduction how;
} reductions[] = {
    {"mean", SFI_REDUCE_MEAN}, {"sum", SFI_REDUCE_SUM},
    {"min", SFI_REDUCE_MIN},   {"max", SFI_REDUCE_MAX},
    {"var", SFI_REDUCE_VAR},   {"integral", SFI_REDUCE_INTEGRAL},
};

static bool is_word(const char *word, const char *name, size_t length)
{
    return strlen(word) == length && memcmp(word, name, length) == 0;
}

/* min(f, lat) is over an axis; min(f, g) is of two numbers, and sum(v) of a vector. */
static bool call_reduction(sfi_asker *a, const char *name, size_t length,
                           int count, const sf_node *args, sf_node *out)
{
    for (size_t i = 0; i < SFI_COUNT(reductions); i++) {
        unsigned mask = 0;
        if (!is_word(reductions[i].name, name, length) || count < 1 ||
            sf_node_rank(graph_of(a), args[0]) != 0)
            continue;
        a->name = reductions[i].name;
        if (reduced_axes(a, count, args, &mask)) {
            *out = reduce(a, reductions[i].how, count, args, mask);
            return true;
        }
        if (is_word("min", name, length) || is_word("max", name, length))
            return false;
        *out = REFUSE(a, SF_E_PARSE, "%s: want names of axes behind the field",
                      a->name);
        return true;
    }
    return false;
}

bool sfi_operator_call(void *user, const char *name, size_t length, int count,
                       const sf_node *args, sf_node *out)
{
    sfi_asker *a = user;
    if (is_word("norm", name, length) && count >= 2 && count <= MOST_SPACE &&
        all_numbers(a, count, args)) {
        *out = norm(a, count, args);
        return true;
    }
    for (size_t i = 0; i < SFI_COUNT(operators); i++) {
        const operator_row *o = &operators[i];
        if (!is_word(o->name, name, length))
            continue;
        a->name = o->name;
        if (count < o->least || count > o->most)
            *out =
                o->least == o->most
                    ? REFUSE(a, SF_E_PARSE, "%s takes %d argument%s, found %d",
                             o->name, o->least, o->least == 1 ? "" : "s", count)
                    : REFUSE(a, SF_E_PARSE,
                             "%s takes %d to %d arguments, found %d", o->name,
                             o->least, o->most, count);
        else
            *out = o->make(a, count, args);
        return true;
    }
    return call_reduction(a, name, length, count, args, out);
}

bool sfi_operator_text(void *user, const char *text, size_t length,
                       sf_node *out)
{
    sfi_asker *a = user;
    char *copy = sfi_alloc(a->c->ctx, length + 1, 1);
    if (copy == NULL) {
        *out = REFUSE(a, SF_E_NOMEM, "calc: no memory for a text");
        return true;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    *out = sfi_term_new(a->c,
                        &(sfi_field_term){.kind = SFI_TERM_TEXT, .text = copy});
    return true;
}

const char sfi_operator_names[] =
    "grad, div, curl, laplacian, advection, coriolis, geostrophic, theta, "
    "frontogenesis, wind_dir, missing, d, dx, dy, dz, dt, dlat, dlon, shift, "
    "units, regrid, anomaly, mean, var, integral";
