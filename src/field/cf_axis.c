/* SPDX-License-Identifier: Apache-2.0 */
/* cf_axis.c - what a dimension of a file measures.
 *
 * The role is decided by the first of these that says something:
 *
 *     latitude or longitude by standard_name or unit    files put axis = Y on them
 *     another standard_name
 *     a unit of time, "... since ..."
 *     axis = X, Y, Z, T
 *     the name
 *
 * "degrees" alone decides nothing: it stands on both. */
#include "field/cf.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* Texts that decide, of standard names, units and names. */
typedef struct clue {
    sf_role role;
    const char *words; /* "a|b|c", in lower case                             */
} clue;

static const clue sphere_names[] = {{SF_ROLE_LAT, "latitude|grid_latitude"},
                                    {SF_ROLE_LON, "longitude|grid_longitude"}};

/* CF Conventions 1.8, 4.1 and 4.2. */
static const clue sphere_units[] = {
    {SF_ROLE_LAT,
     "degrees_north|degree_north|degree_n|degrees_n|degreen|degreesn"},
    {SF_ROLE_LON, "degrees_east|degree_east|degree_e|degrees_e|degreee|"
                  "degreese"}};

static const clue standard_names[] = {
    {SF_ROLE_T, "time"},
    {SF_ROLE_X, "projection_x_coordinate|projection_x_angular_coordinate"},
    {SF_ROLE_Y, "projection_y_coordinate|projection_y_angular_coordinate"},
    {SF_ROLE_LEV,
     "air_pressure|height|altitude|depth|geopotential_height|"
     "height_above_geopotential_datum|height_above_reference_ellipsoid|"
     "height_above_mean_sea_level|model_level_number|"
     "air_potential_temperature|atmosphere_ln_pressure_coordinate|"
     "atmosphere_sigma_coordinate|atmosphere_hybrid_sigma_pressure_coordinate|"
     "atmosphere_hybrid_height_coordinate|atmosphere_sleve_coordinate|"
     "ocean_sigma_coordinate|ocean_s_coordinate|ocean_sigma_z_coordinate|"
     "ocean_double_sigma_coordinate|sea_water_pressure|depth_below_geoid"}};

static const clue axis_letters[] = {
    {SF_ROLE_X, "x"}, {SF_ROLE_Y, "y"}, {SF_ROLE_LEV, "z"}, {SF_ROLE_T, "t"}};

static const clue usual_names[] = {{SF_ROLE_LAT, "lat|latitude"},
                                   {SF_ROLE_LON, "lon|longitude"},
                                   {SF_ROLE_T, "time|t"},
                                   {SF_ROLE_LEV, "lev|level"},
                                   {SF_ROLE_X, "x"},
                                   {SF_ROLE_Y, "y"},
                                   {SF_ROLE_Z, "z"},
                                   {SF_ROLE_R, "r"},
                                   {SF_ROLE_THETA, "theta"}};

static sf_role find_clue(const clue *clues, size_t count, const char *text)
{
    char lower[64];
    size_t n = 0;
    if (text == NULL)
        return SF_ROLE_NONE;
    for (; text[n] != '\0'; n++) {
        if (n == sizeof lower)
            return SF_ROLE_NONE;
        lower[n] = (char)tolower((unsigned char)text[n]);
    }
    for (size_t i = 0; i < count && n > 0; i++)
        if (sfi_find_choice(clues[i].words, lower, n) >= 0)
            return clues[i].role;
    return SF_ROLE_NONE;
}

#define CLUE(clues, text) find_clue(clues, SFI_COUNT(clues), text)

/* The name without its groups. */
static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

static void decide(sfi_cf_axis *a, const sfi_nc_attrs *attrs)
{
    const char *standard = sfi_nc_text(attrs, "standard_name");
    const char *name = last_part(a->name);
    const struct {
        sf_role role;
        const char *why;
    } order[] = {
        {CLUE(sphere_names, standard), "standard_name"},
        {CLUE(sphere_units, a->unit), "units"},
        {CLUE(standard_names, standard), "standard_name"},
        {sfi_time_is_dated(a->unit) ? SF_ROLE_T : SF_ROLE_NONE, "units"},
        {CLUE(axis_letters, sfi_nc_text(attrs, "axis")), "axis"},
        {CLUE(usual_names, name), "name"}};
    for (size_t i = 0; i < SFI_COUNT(order); i++)
        if (order[i].role != SF_ROLE_NONE) {
            a->role = order[i].role;
            a->why = order[i].why;
            break;
        }
    /* Our own files mark a Cartesian z with axis = Z; its name tells it from a
     * vertical coordinate of the atmosphere. */
    if (a->role == SF_ROLE_LEV && strcmp(name, "z") == 0 &&
        strcmp(a->why, "axis") == 0)
        a->role = SF_ROLE_Z;
}

/* ---- points ----------------------------------------------------------------- */

static sf_status count_from_zero(sfi_cf *cf, sfi_cf_axis *a)
{
    (void)cf;
    for (int64_t i = 0; i < a->count; i++)
        a->coords[i] = (double)i;
    return SF_OK;
}

/* Whether the coordinates can be those of an axis; if not, say so and count the
 * points instead. */
static void check_coords(sfi_cf *cf, sfi_cf_axis *a)
{
    const double *x = a->coords;
    const bool falls = a->count > 1 && x[1] < x[0];
    for (int64_t i = 0; i < a->count; i++) {
        const bool is_number = isfinite(x[i]);
        if (is_number &&
            (i == 0 || (falls ? x[i] < x[i - 1] : x[i] > x[i - 1])))
            continue;
        sfi_cf_remark(cf,
                      is_number ? "%s: its coordinates neither grow nor fall "
                                  "throughout (number %lld); points are "
                                  "counted instead"
                                : "%s: a coordinate is missing (number %lld); "
                                  "points are counted instead",
                      a->name, (long long)i);
        (void)count_from_zero(cf, a);
        a->role = SF_ROLE_NONE;
        a->why = NULL;
        a->unit = NULL;
        return;
    }
}

static sf_status read_coords(sfi_cf *cf, sfi_cf_axis *a)
{
    const sfi_nc_header *h = cf->source->header;
    a->coords = sfi_alloc(cf->ctx, (size_t)a->count, sizeof *a->coords);
    if (a->coords == NULL)
        return SF_E_NOMEM;
    if (a->var < 0)
        return count_from_zero(cf, a);
    sfi_packing p;
    sfi_packing_read(&h->vars[a->var], true, &p);
    SFI_TRY(cf->source->read(cf->source->user, a->var, a->coords));
    for (int64_t i = 0; i < a->count; i++) {
        if (p.type != h->vars[a->var].type && a->coords[i] < 0.0)
            a->coords[i] += ldexp(1.0, 8 * (int)sfi_nc_size(p.type));
        for (int k = 0; k < p.fill_count; k++)
            if (a->coords[i] == p.fill[k])
                a->coords[i] = NAN;
        if (p.is_packed)
            a->coords[i] = a->coords[i] * p.scale + p.offset;
    }
    check_coords(cf, a);
    return SF_OK;
}

/* ---- bounds ----------------------------------------------------------------- */

/* Edges from bounds [count, 2], if each cell begins where the one before it ends;
 * pairs may be the other way round than the axis runs. */
static bool join_bounds(const sfi_cf_axis *a, const double *bounds,
                        double *edges)
{
    const int64_t n = a->count;
    const bool falls =
        n > 1 ? a->coords[1] < a->coords[0] : bounds[1] < bounds[0];
    const bool turned = (bounds[1] < bounds[0]) != falls;
    const double slack = 1e-6 * fabs(bounds[1] - bounds[0]);
    edges[0] = bounds[turned];
    for (int64_t i = 0; i < n; i++) {
        if (!(fabs(bounds[2 * i + turned] - edges[i]) <= slack))
            return false;
        edges[i + 1] = bounds[2 * i + !turned];
        const double width = edges[i + 1] - edges[i];
        if (!isfinite(width) || !(falls ? width < 0.0 : width > 0.0) ||
            (a->coords[i] - edges[i]) * width < -slack * fabs(width) ||
            (edges[i + 1] - a->coords[i]) * width < -slack * fabs(width))
            return false;
    }
    return true;
}

static bool is_bounds(const sfi_nc_header *h, const sfi_cf_axis *a)
{
    if (a->bounds < 0)
        return false;
    const sfi_nc_var *v = &h->vars[a->bounds];
    return v->rank == 2 && v->dims[0] == a->dim &&
           h->dims[v->dims[1]].size == 2 && sfi_nc_size(v->type) > 0;
}

static sf_status read_bounds(sfi_cf *cf, sfi_cf_axis *a,
                             const sfi_nc_attrs *attrs)
{
    const sfi_nc_header *h = cf->source->header;
    const char *name = sfi_nc_text(attrs, "bounds");
    if (name == NULL)
        name = sfi_nc_text(attrs, "climatology");
    if (name == NULL)
        return SF_OK;
    a->bounds = sfi_cf_lookup(h, a->var, name, strlen(name));
    if (a->bounds < 0)
        sfi_cf_remark(cf, "%s: its bounds \"%s\" are not in the file", a->name,
                      name);
    if (!is_bounds(h, a)) {
        a->bounds = -1;
        return SF_OK;
    }
    const size_t n = (size_t)a->count;
    double *bounds = sfi_alloc(cf->ctx, 2 * n, sizeof *bounds);
    double *edges = sfi_alloc(cf->ctx, n + 1, sizeof *edges);
    sf_status status =
        bounds != NULL && edges != NULL
            ? cf->source->read(cf->source->user, a->bounds, bounds)
            : SF_E_NOMEM;
    if (status == SF_OK && join_bounds(a, bounds, edges)) {
        a->edges = edges;
        edges = NULL;
    } else if (status == SF_OK) {
        sfi_cf_remark(cf,
                      "%s: its bounds do not join one another; edges are "
                      "midway",
                      a->name);
    }
    sfi_free(cf->ctx, bounds, 2 * n, sizeof *bounds);
    sfi_free(cf->ctx, edges, n + 1, sizeof *edges);
    return status;
}

/* ---- longitudes ------------------------------------------------------------- */

/* A turn in the unit of an axis that is an angle. */
static double turn_of(const sfi_cf_axis *a)
{
    return a->unit != NULL && strncasecmp(a->unit, "rad", 3) == 0
               ? 2.0 * 3.14159265358979323846
           : a->role == SF_ROLE_THETA && a->unit == NULL
               ? 2.0 * 3.14159265358979323846
               : 360.0;
}

/* Closed if n steps, or n - 1 of them, are a turn to a hundredth of a step; in the
 * second case the last point is the first one again. */
static void find_period(sfi_cf_axis *a)
{
    if (a->role != SF_ROLE_LON && a->role != SF_ROLE_THETA)
        return;
    const double turn = turn_of(a);
    a->turn = turn;
    if (a->count < 3)
        return;
    const double way = fabs(a->coords[a->count - 1] - a->coords[0]);
    const double step = way / (double)(a->count - 1);
    if (fabs(way + step - turn) <= 0.01 * step)
        a->period = turn;
    if (fabs(way - turn) <= 0.01 * step) {
        a->period = turn;
        a->repeats = true;
        a->count--;
    }
}

/* ---- the whole axis --------------------------------------------------------- */

/* The variable of the same name, of this one dimension. */
static int coordinate_of(const sfi_nc_header *h, int dim)
{
    const int var = sfi_nc_find_var(h, h->dims[dim].name);
    return var >= 0 && h->vars[var].rank == 1 && h->vars[var].dims[0] == dim
               ? var
               : -1;
}

static void find_clock(sfi_cf *cf, sfi_cf_axis *a)
{
    if (!sfi_time_is_dated(a->unit))
        return;
    if (sfi_time_read(cf->ctx, &a->clock, a->unit, a->calendar) != SF_OK) {
        sfi_cf_remark(cf, "%s: %s; times stay numbers", a->name,
                      sf_context_message(cf->ctx));
        sfi_message_clear(cf->ctx);
        return;
    }
    a->is_dated = true;
    if (a->clock.is_mean)
        sfi_cf_remark(cf,
                      "%s: months or years of mean length (30.4368499 and "
                      "365.2421988 days)",
                      a->name);
}

static void note_guess(sfi_cf *cf, const sfi_cf_axis *a)
{
    static const char *const words[] = {
        "",           "x",           "y",
        "z",          "radius",      "an angle",
        "a latitude", "a longitude", "a vertical coordinate",
        "a time"};
    const bool on_sphere = a->role == SF_ROLE_LAT || a->role == SF_ROLE_LON;
    if (a->role == SF_ROLE_NONE)
        sfi_cf_remark(cf, "%s: nothing tells what it measures", a->name);
    else if (strcmp(a->why, "name") == 0)
        sfi_cf_remark(cf, "%s: taken for %s by its name%s", a->name,
                      words[a->role],
                      a->unit != NULL ? ""
                      : on_sphere     ? ", in degrees; it has no unit"
                                      : "; it has no unit");
    else if (on_sphere && a->unit == NULL)
        sfi_cf_remark(cf, "%s: taken to be in degrees; it has no unit",
                      a->name);
}

sf_status sfi_cf_read_axis(sfi_cf *cf, sfi_cf_axis *a)
{
    static const sfi_nc_attrs none = {0};
    const sfi_nc_header *h = cf->source->header;
    const sfi_nc_dim *d = &h->dims[a->dim];
    a->name = d->name;
    a->count = d->size;
    a->is_open = d->is_unlimited;
    a->bounds = -1;
    a->var = coordinate_of(h, a->dim);
    if (a->var >= 0 && (h->vars[a->var].type == SFI_NC_OTHER ||
                        h->vars[a->var].type == SFI_NC_CHAR)) {
        sfi_cf_remark(cf, "%s: its coordinates are texts; points are counted",
                      a->name);
        a->var = -1;
    }
    const sfi_nc_attrs *attrs = a->var >= 0 ? &h->vars[a->var].attrs : &none;
    a->unit = sfi_nc_text(attrs, "units");
    a->calendar = sfi_nc_text(attrs, "calendar");
    if (a->var >= 0)
        decide(a, attrs);
    if (a->count == 0)
        return SF_OK;
    SFI_TRY(read_coords(cf, a));
    note_guess(cf, a);
    SFI_TRY(a->role != SF_ROLE_NONE || a->var >= 0 ? read_bounds(cf, a, attrs)
                                                   : SF_OK);
    find_period(a);
    find_clock(cf, a);
    return SF_OK;
}
