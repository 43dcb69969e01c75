/* SPDX-License-Identifier: Apache-2.0 */
/* grid.c - products of axes, and their geometry.
 *
 * In all orthogonal coordinates that are known here the volume of a box is a product
 * of one factor an axis, each an integral of its own: r dr, cos(lat) dlat, ...  So a
 * grid keeps one array of weights for each axis, and no array of volumes.
 *
 * Differences of sines, squares and cubes are written as products, so that thin
 * cells lose no digits:
 *
 *     sin b - sin a = 2 cos((a+b)/2) sin((b-a)/2)
 *     b^2 - a^2     = (b - a)(b + a)
 *     b^3 - a^3     = (b - a)(a^2 + a b + b^2) */
#include "field/grid.h"

#include "num/array.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

static const char *const geometry_names[] = {
    "auto",   "cartesian", "polar",  "cylindrical", "axisymmetric",
    "sphere", "spherical", "radial", "none"};

const char *sf_geometry_name(sf_geometry geometry)
{
    return geometry_names[geometry];
}

/* ---- which geometry --------------------------------------------------------- */

static bool has(const sf_grid *g, sf_role role)
{
    return sf_grid_find_role(g, role) >= 0;
}

/* The geometry that the roles make, NONE if they make none. */
static sf_geometry geometry_of_roles(const sf_grid *g)
{
    const bool xy = has(g, SF_ROLE_X) || has(g, SF_ROLE_Y),
               z = has(g, SF_ROLE_Z), r = has(g, SF_ROLE_R),
               theta = has(g, SF_ROLE_THETA),
               sphere = has(g, SF_ROLE_LAT) || has(g, SF_ROLE_LON);
    if (sphere)
        return xy || z || theta ? SF_GEOMETRY_NONE
               : r              ? SF_GEOMETRY_SPHERICAL
                                : SF_GEOMETRY_SPHERE;
    if (!r && !theta)
        return SF_GEOMETRY_CARTESIAN;
    if (xy || !r)
        return SF_GEOMETRY_NONE;
    return theta ? (z ? SF_GEOMETRY_CYLINDRICAL : SF_GEOMETRY_POLAR)
           : z   ? SF_GEOMETRY_AXISYMMETRIC
                 : SF_GEOMETRY_AUTO;
}

static sf_status choose_geometry(sf_grid *g, sf_geometry wanted)
{
    const sf_geometry found = geometry_of_roles(g);
    g->geometry = wanted == SF_GEOMETRY_AUTO ? found : wanted;
    if (wanted == SF_GEOMETRY_NONE)
        return SF_OK;
    if (wanted == SF_GEOMETRY_AUTO && found == SF_GEOMETRY_AUTO)
        return SFI_FAIL(g->ctx, SF_E_ARG,
                        "grid: r alone may be a radius in space or a plain "
                        "coordinate; want geometry = radial or cartesian");
    if (g->geometry == SF_GEOMETRY_NONE)
        return SFI_FAIL(g->ctx, SF_E_ARG,
                        "grid: these axes make no geometry together, want x y "
                        "z, r theta z, r z, lat lon or r lat lon");
    const bool r_alone = found == SF_GEOMETRY_AUTO;
    const bool fits = r_alone ? wanted == SF_GEOMETRY_RADIAL ||
                                    wanted == SF_GEOMETRY_CARTESIAN
                              : wanted == found;
    if (wanted != SF_GEOMETRY_AUTO && !fits)
        return SFI_FAIL(g->ctx, SF_E_ARG,
                        "grid: geometry is %s, but its axes are %s",
                        sf_geometry_name(wanted),
                        r_alone ? "r alone" : sf_geometry_name(found));
    return SF_OK;
}

/* ---- measures --------------------------------------------------------------- */

double sfi_grid_measure(const sf_grid *g, int k, double a, double b)
{
    const double radian = g->radian[k];
    switch (g->axis[k].role) {
    case SF_ROLE_LAT: {
        const double radius =
            g->geometry == SF_GEOMETRY_SPHERE ? g->radius : 1.0;
        return radius * radius * 2.0 * cos(0.5 * (a + b) * radian) *
               sin(0.5 * (b - a) * radian);
    }
    case SF_ROLE_LON:
    case SF_ROLE_THETA:
        return (b - a) * radian;
    case SF_ROLE_R: {
        const double square = (b - a) * (b + a),
                     cube = (b - a) * (a * a + a * b + b * b) / 3.0;
        switch (g->geometry) {
        case SF_GEOMETRY_POLAR:
        case SF_GEOMETRY_CYLINDRICAL:
            return 0.5 * square;
        case SF_GEOMETRY_AXISYMMETRIC:
            return PI * square;
        case SF_GEOMETRY_SPHERICAL:
            return cube;
        case SF_GEOMETRY_RADIAL:
            return 4.0 * PI * cube;
        default:
            return b - a;
        }
    }
    default:
        return b - a;
    }
}

static sf_status measure(sf_grid *g)
{
    if (g->geometry == SF_GEOMETRY_NONE)
        return SF_OK;
    for (int k = 0; k < g->rank; k++) {
        const sf_axis *axis = &g->axis[k];
        g->weights[k] = sfi_alloc(g->ctx, (size_t)axis->count, sizeof(double));
        if (g->weights[k] == NULL)
            return SF_E_NOMEM;
        for (int64_t i = 0; i < axis->count; i++)
            g->weights[k][i] = fabs(
                sfi_grid_measure(g, k, axis->edges[i], axis->edges[i + 1]));
    }
    return SF_OK;
}

/* ---- making ----------------------------------------------------------------- */

static void free_side(sf_context *ctx, sf_side *side)
{
    sfi_free_text(ctx, (char *)side->value);
    sfi_free_text(ctx, (char *)side->factor);
}

void sf_grid_free(sf_grid *g)
{
    if (g == NULL)
        return;
    sf_context *ctx = g->ctx;
    for (int k = 0; k < SF_MAX_AXES; k++) {
        sf_axis *a = &g->axis[k];
        const size_t n = (size_t)a->count;
        sfi_free(ctx, (double *)a->coords, n, sizeof(double));
        sfi_free(ctx, (double *)a->edges, n + 1, sizeof(double));
        sfi_free(ctx, g->weights[k], n, sizeof(double));
        sfi_free_text(ctx, (char *)a->name);
        sfi_free_text(ctx, (char *)a->unit);
        sfi_free_text(ctx, (char *)a->calendar);
        free_side(ctx, &a->low);
        free_side(ctx, &a->high);
    }
    sfi_free(ctx, g, 1, sizeof *g);
}

/* Copy a text that may be NULL. */
static sf_status copy_text(sf_context *ctx, const char **out, const char *text)
{
    *out = text != NULL ? sfi_copy_text(ctx, text) : NULL;
    return text == NULL || *out != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status copy_side(sf_context *ctx, sf_side *out, const sf_side *side)
{
    out->kind = side->kind;
    SFI_TRY(copy_text(ctx, &out->value, side->value));
    return copy_text(ctx, &out->factor, side->factor);
}

/* Copy a checked axis; what was copied before a failure is the grid's to free. */
static sf_status copy_axis(sf_context *ctx, sf_axis *out, const sf_axis *axis)
{
    const size_t n = (size_t)axis->count;
    out->role = axis->role;
    out->placement = axis->placement;
    out->count = axis->count;
    out->period = axis->period;
    out->repeats = axis->repeats;
    double *coords = sfi_alloc(ctx, n, sizeof *coords);
    out->coords = coords;
    double *edges = sfi_alloc(ctx, n + 1, sizeof *edges);
    out->edges = edges;
    if (coords == NULL || edges == NULL)
        return SF_E_NOMEM;
    memcpy(coords, axis->coords, n * sizeof *coords);
    sfi_axis_edges(axis, edges);
    SFI_TRY(copy_text(ctx, &out->name, axis->name));
    SFI_TRY(copy_text(ctx, &out->unit, axis->unit));
    SFI_TRY(copy_text(ctx, &out->calendar, axis->calendar));
    SFI_TRY(copy_side(ctx, &out->low, &axis->low));
    SFI_TRY(copy_side(ctx, &out->high, &axis->high));
    if (out->period > 0.0)
        out->low.kind = out->high.kind = SF_SIDE_PERIODIC;
    return SF_OK;
}

static sf_status check_together(sf_context *ctx, int rank, const sf_axis *axes)
{
    int64_t shape[SF_MAX_AXES] = {0};
    for (int k = 0; k < rank; k++) {
        SFI_TRY(sfi_axis_check(ctx, &axes[k]));
        shape[k] = axes[k].count;
        for (int j = 0; j < k; j++) {
            if (strcmp(axes[j].name, axes[k].name) == 0)
                return SFI_FAIL(ctx, SF_E_ARG,
                                "grid: two axes are called \"%s\"",
                                axes[k].name);
            if (axes[j].role == axes[k].role && axes[k].role != SF_ROLE_NONE)
                return SFI_FAIL(ctx, SF_E_ARG,
                                "grid: axes \"%s\" and \"%s\" both have the "
                                "role %s",
                                axes[j].name, axes[k].name,
                                sf_role_name(axes[k].role));
        }
    }
    if (sfi_count_elements(rank, shape, sizeof(double)) < 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "grid: its points exceed the address space");
    return SF_OK;
}

static sf_status check_options(sf_context *ctx, const sf_grid_options *o)
{
    if ((unsigned)o->geometry > SF_GEOMETRY_NONE)
        return SFI_FAIL(ctx, SF_E_ARG, "grid: geometry is %d, want 0 to %d",
                        (int)o->geometry, SF_GEOMETRY_NONE);
    if (!(o->radius > 0.0) || !isfinite(o->radius))
        return SFI_FAIL(ctx, SF_E_ARG, "grid: radius is %g, want > 0",
                        o->radius);
    if (o->is_rotated &&
        (!(fabs(o->pole_lat) <= 90.0) || !isfinite(o->pole_lon)))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "grid: a pole at latitude %g, longitude %g",
                        o->pole_lat, o->pole_lon);
    return SF_OK;
}

static sf_status fill(sf_grid *g, const sf_axis *axes, sf_geometry geometry)
{
    for (int k = 0; k < g->rank; k++) {
        SFI_TRY(copy_axis(g->ctx, &g->axis[k], &axes[k]));
        g->radian[k] = sfi_axis_radian(&axes[k]);
    }
    SFI_TRY(choose_geometry(g, geometry));
    return measure(g);
}

sf_status sf_grid_new(sf_context *ctx, sf_grid **out, int rank,
                      const sf_axis *axes, const sf_grid_options *opts)
{
    sf_grid_options o = SF_GRID_OPTIONS_INIT;
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check_options(ctx, &o));
    if (rank < 1 || rank > SF_MAX_AXES)
        return SFI_FAIL(ctx, SF_E_ARG, "grid: %d axes, want 1 to %d", rank,
                        SF_MAX_AXES);
    SFI_TRY(check_together(ctx, rank, axes));
    sf_grid *g = sfi_alloc_zero(ctx, 1, sizeof *g);
    if (g == NULL)
        return SF_E_NOMEM;
    g->ctx = ctx;
    g->rank = rank;
    g->radius = o.radius;
    g->is_rotated = o.is_rotated;
    g->pole_lat = o.pole_lat;
    g->pole_lon = o.pole_lon;
    const sf_status status = fill(g, axes, o.geometry);
    if (status != SF_OK)
        sf_grid_free(g);
    else
        *out = g;
    return status;
}

/* ---- asking ----------------------------------------------------------------- */

int sf_grid_rank(const sf_grid *grid)
{
    return grid->rank;
}

int64_t sf_grid_points(const sf_grid *grid)
{
    int64_t points = 1;
    for (int k = 0; k < grid->rank; k++)
        points *= grid->axis[k].count;
    return points;
}

const sf_axis *sf_grid_axis(const sf_grid *grid, int k)
{
    return &grid->axis[k];
}

int sf_grid_find_role(const sf_grid *grid, sf_role role)
{
    for (int k = 0; k < grid->rank; k++)
        if (grid->axis[k].role == role)
            return k;
    return -1;
}

int sf_grid_find(const sf_grid *grid, const char *name)
{
    for (int k = 0; k < grid->rank; k++)
        if (strcmp(grid->axis[k].name, name) == 0)
            return k;
    return -1;
}

sf_geometry sf_grid_geometry(const sf_grid *grid)
{
    return grid->geometry;
}

double sf_grid_radius(const sf_grid *grid)
{
    return grid->radius;
}

bool sf_grid_pole(const sf_grid *grid, double *lat, double *lon)
{
    *lat = grid->pole_lat;
    *lon = grid->pole_lon;
    return grid->is_rotated;
}

sf_grid_options sfi_grid_options(const sf_grid *grid)
{
    return (sf_grid_options){.size = sizeof(sf_grid_options),
                             .geometry = grid->geometry,
                             .radius = grid->radius,
                             .is_rotated = grid->is_rotated,
                             .pole_lat = grid->pole_lat,
                             .pole_lon = grid->pole_lon};
}

double sf_grid_volume(const sf_grid *grid, const int64_t *index)
{
    if (grid->geometry == SF_GEOMETRY_NONE)
        return NAN;
    double volume = 1.0;
    for (int k = 0; k < grid->rank; k++)
        volume *= grid->weights[k][index[k]];
    return volume;
}

const double *sf_grid_weights(const sf_grid *grid, int k)
{
    return grid->weights[k];
}

/* cos(lat), exactly 0 at a pole. */
static double cosine(const sf_grid *g, int lat, const double *point)
{
    return sfi_axis_is_pole(&g->axis[lat], point[lat])
               ? 0.0
               : cos(point[lat] * g->radian[lat]);
}

double sf_grid_scale(const sf_grid *g, int k, const double *point)
{
    if (g->geometry == SF_GEOMETRY_NONE)
        return NAN;
    const int r = sf_grid_find_role(g, SF_ROLE_R);
    const int lat = sf_grid_find_role(g, SF_ROLE_LAT);
    switch (g->axis[k].role) {
    case SF_ROLE_THETA:
        return point[r];
    case SF_ROLE_LAT:
        return r >= 0 ? point[r] : g->radius;
    case SF_ROLE_LON:
        if (lat < 0)
            return NAN;
        return (r >= 0 ? point[r] : g->radius) * cosine(g, lat, point);
    default:
        return 1.0;
    }
}
