/* SPDX-License-Identifier: Apache-2.0 */
/* cf.c - what a variable of a NetCDF file means: geometry, radius, names.
 *
 * A grid has a geometry if its axes have coordinates of their own.  Where a file
 * gives positions as two-dimensional coordinates, or as a list of the cells of a
 * mesh, values can be read, but there is nothing to take a derivative along; the
 * reason is kept, so that whoever needs a geometry can say it. */
#include "field/cf.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- which variables are fields --------------------------------------------- */

typedef struct marking {
    const sfi_nc_header *h;
    int by; /* the variable whose attribute is read                           */
    bool *is_field;
} marking;

/* "area: cell_area" names a variable after a colon. */
static void unmark(void *user, const char *word, size_t size)
{
    const marking *m = user;
    const int var = sfi_cf_lookup(m->h, m->by, word, size);
    if (var >= 0 && var != m->by)
        m->is_field[var] = false;
}

static bool may_be_field(const sfi_nc_header *h, const sfi_nc_var *v)
{
    if (v->rank == 0 || v->type == SFI_NC_CHAR || v->type == SFI_NC_OTHER ||
        sfi_nc_text(&v->attrs, "grid_mapping_name") != NULL)
        return false;
    return v->rank > 1 || strcmp(h->dims[v->dims[0]].name, v->name) != 0;
}

void sfi_cf_fields(const sfi_nc_header *h, bool *is_field)
{
    static const char *const keys[] = {"bounds",        "climatology",
                                       "grid_mapping",  "coordinates",
                                       "cell_measures", "ancillary_variables"};
    for (size_t i = 0; i < h->var_count; i++)
        is_field[i] = may_be_field(h, &h->vars[i]);
    for (size_t i = 0; i < h->var_count; i++)
        for (size_t k = 0; k < SFI_COUNT(keys); k++) {
            marking m = {h, (int)i, is_field};
            sfi_cf_words(sfi_nc_text(&h->vars[i].attrs, keys[k]), unmark, &m);
        }
}

static const char *name_of(const void *user, int i)
{
    const sfi_nc_header *h = user;
    return (size_t)i < h->var_count ? h->vars[i].name : NULL;
}

/* "u, v, z" of at most `most` fields. */
static void list_fields(const sfi_nc_header *h, const bool *is_field, int most,
                        char *text, size_t size)
{
    size_t used = 0;
    int listed = 0;
    text[0] = '\0';
    for (size_t i = 0; i < h->var_count && used < size; i++) {
        if (!is_field[i])
            continue;
        if (listed++ == most) {
            snprintf(text + used, size - used, ", ...");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 listed > 1 ? ", " : "", h->vars[i].name);
    }
}

static sf_status not_there(sf_context *ctx, const sfi_cf_source *s,
                           const char *name, const char *list)
{
    char shown[SFI_SHOW_SIZE];
    const char *nearest = sfi_nearest_word(name, name_of, s->header);
    sfi_show(shown, name, strlen(name));
    if (nearest != NULL)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: has no variable \"%s\"; did you mean %s?", s->name,
                        shown, nearest);
    return SFI_FAIL(ctx, SF_E_FORMAT,
                    "%s: has no variable \"%s\"; its fields are: %s", s->name,
                    shown, list[0] != '\0' ? list : "none");
}

sf_status sfi_cf_find(sf_context *ctx, const sfi_cf_source *s, const char *name,
                      int *var)
{
    char list[256];
    const sfi_nc_header *h = s->header;
    /* "/u" is u in the root group. */
    if (name != NULL && name[0] == '/' && strchr(name + 1, '/') == NULL)
        name++;
    *var = name != NULL ? sfi_nc_find_var(h, name) : -1;
    if (*var >= 0)
        return SF_OK;
    bool *is_field = sfi_alloc(ctx, h->var_count, sizeof *is_field);
    if (is_field == NULL)
        return SF_E_NOMEM;
    int count = 0;
    sfi_cf_fields(h, is_field);
    list_fields(h, is_field, 8, list, sizeof list);
    for (size_t i = 0; i < h->var_count; i++)
        if (is_field[i] && count++ == 0)
            *var = (int)i;
    sfi_free(ctx, is_field, h->var_count, sizeof *is_field);
    if (name != NULL)
        return not_there(ctx, s, name, list);
    if (count == 1)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_FORMAT,
                    count == 0 ? "%s: holds no field%s"
                               : "%s: holds several fields, name one: %s",
                    s->name, list);
}

/* ---- geometry --------------------------------------------------------------- */

static void obstruct(sfi_cf *cf, const char *format, const char *a,
                     const char *b)
{
    cf->geometry = SF_GEOMETRY_NONE;
    if (cf->obstacle[0] == '\0')
        snprintf(cf->obstacle, sizeof cf->obstacle, format, a, b);
}

/* Whether a variable holds latitudes or longitudes. */
static bool is_position(const sfi_nc_var *v)
{
    static const char *const units[] = {"degrees_north", "degrees_east",
                                        "degree_north", "degree_east"};
    const char *name = sfi_nc_text(&v->attrs, "standard_name"),
               *unit = sfi_nc_text(&v->attrs, "units");
    if (name != NULL &&
        (strcmp(name, "latitude") == 0 || strcmp(name, "longitude") == 0))
        return true;
    for (size_t i = 0; i < SFI_COUNT(units) && unit != NULL; i++)
        if (strcmp(unit, units[i]) == 0)
            return true;
    return false;
}

static bool has_role(const sfi_cf *cf, sf_role role)
{
    for (int k = 0; k < cf->rank; k++)
        if (cf->axis[k].role == role)
            return true;
    return false;
}

/* Positions named in `coordinates` that depend on dimensions of the field and are
 * no axes. */
static void check_coordinate(void *user, const char *word, size_t size)
{
    sfi_cf *cf = user;
    const sfi_nc_header *h = cf->source->header;
    const int var = sfi_cf_lookup(h, cf->var, word, size);
    if (var < 0 || h->vars[var].rank == 0 || !is_position(&h->vars[var]))
        return;
    const sfi_nc_var *v = &h->vars[var];
    if (v->rank > 1 && !cf->is_rotated)
        obstruct(cf, "%s has %s: there are no axes to go along", v->name,
                 "two dimensions");
    for (int k = 0; k < cf->rank && v->rank == 1; k++)
        if (cf->axis[k].dim == v->dims[0] && cf->axis[k].var != var)
            obstruct(cf, "%s lists positions of %s, which are cells of a mesh",
                     v->name, cf->axis[k].name);
}

/* A role belongs to one axis; a height beside latitudes is a level. */
static void settle_roles(sfi_cf *cf)
{
    const bool on_sphere =
        has_role(cf, SF_ROLE_LAT) || has_role(cf, SF_ROLE_LON);
    for (int k = 0; k < cf->rank; k++) {
        sfi_cf_axis *a = &cf->axis[k];
        if (on_sphere && a->role == SF_ROLE_Z)
            a->role = SF_ROLE_LEV;
        for (int j = 0; j < k; j++)
            if (a->role != SF_ROLE_NONE && cf->axis[j].role == a->role) {
                sfi_cf_remark(cf, "%s: %s has the role %s already", a->name,
                              cf->axis[j].name, sf_role_name(a->role));
                a->role = SF_ROLE_NONE;
                a->why = NULL;
            }
    }
}

/* Roles that make no geometry together, or r alone, whose meaning a file does not
 * tell. */
static void check_roles(sfi_cf *cf)
{
    const bool xy = has_role(cf, SF_ROLE_X) || has_role(cf, SF_ROLE_Y),
               z = has_role(cf, SF_ROLE_Z), r = has_role(cf, SF_ROLE_R),
               theta = has_role(cf, SF_ROLE_THETA),
               sphere = has_role(cf, SF_ROLE_LAT) || has_role(cf, SF_ROLE_LON);
    if ((sphere && (xy || z || theta)) || (r && xy) || (theta && !r))
        obstruct(cf, "%s%s", "its axes make no geometry together", "");
    else if (r && !sphere && !theta && !z)
        obstruct(cf, "%s%s",
                 "r alone may be a radius in space or a plain coordinate", "");
}

static void read_rotation(sfi_cf *cf, const sfi_nc_attrs *attrs)
{
    cf->pole_lat = sfi_nc_value(attrs, "grid_north_pole_latitude");
    cf->pole_lon = sfi_nc_value(attrs, "grid_north_pole_longitude");
    cf->is_rotated = fabs(cf->pole_lat) <= 90.0 && isfinite(cf->pole_lon);
    if (!cf->is_rotated)
        obstruct(cf, "%s%s", "a rotated pole whose position is not given", "");
}

static void read_mapping(sfi_cf *cf)
{
    const sfi_nc_header *h = cf->source->header;
    const char *text = sfi_nc_text(&h->vars[cf->var].attrs, "grid_mapping");
    if (text == NULL)
        return;
    /* "crs" or, of CF 1.7, "crs: lat lon". */
    const size_t size = strcspn(text, " :");
    cf->mapping = sfi_cf_lookup(h, cf->var, text, size);
    if (cf->mapping < 0) {
        sfi_cf_remark(cf, "the grid mapping \"%.*s\" is not in the file",
                      (int)(size < 64 ? size : 64), text);
        return;
    }
    const sfi_nc_attrs *attrs = &h->vars[cf->mapping].attrs;
    const char *name = sfi_nc_text(attrs, "grid_mapping_name");
    if (name != NULL && strcmp(name, "rotated_latitude_longitude") == 0)
        read_rotation(cf, attrs);
    else if (name != NULL && strcmp(name, "latitude_longitude") != 0)
        sfi_cf_remark(cf,
                      "distances are those on the map (%s), not those on the "
                      "Earth",
                      name);
}

static void find_radius(sfi_cf *cf, double given)
{
    const sfi_nc_header *h = cf->source->header;
    static const char *const keys[] = {"earth_radius", "semi_major_axis"};
    cf->radius = given > 0.0 ? given : SF_EARTH_RADIUS;
    cf->radius_from = given > 0.0 ? "given" : "assumed";
    for (size_t i = 0; i < SFI_COUNT(keys) && cf->mapping >= 0; i++) {
        const double r = sfi_nc_value(&h->vars[cf->mapping].attrs, keys[i]);
        if (r > 0.0 && isfinite(r)) {
            cf->radius = r;
            cf->radius_from = keys[i];
            return;
        }
    }
}

static sf_status understand(sfi_cf *cf, double radius)
{
    const sfi_nc_var *v = &cf->source->header->vars[cf->var];
    sfi_packing_read(v, false, &cf->packing);
    cf->unit = sfi_nc_text(&v->attrs, "units");
    cf->standard_name = sfi_nc_text(&v->attrs, "standard_name");
    cf->long_name = sfi_nc_text(&v->attrs, "long_name");
    for (int k = 0; k < v->rank; k++) {
        cf->rank = k + 1;
        cf->axis[k].dim = v->dims[k];
        SFI_TRY(sfi_cf_read_axis(cf, &cf->axis[k]));
    }
    settle_roles(cf);
    read_mapping(cf);
    find_radius(cf, radius);
    sfi_cf_words(sfi_nc_text(&v->attrs, "coordinates"), check_coordinate, cf);
    check_roles(cf);
    return SF_OK;
}

sf_status sfi_cf_read(sf_context *ctx, sfi_cf **out,
                      const sfi_cf_source *source, int var, double radius)
{
    const sfi_nc_var *v = &source->header->vars[var];
    *out = NULL;
    if (v->type == SFI_NC_CHAR || v->type == SFI_NC_OTHER)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: variable \"%s\" holds texts or a type of its own, "
                        "want numbers",
                        source->name, v->name);
    if (v->rank > SFI_CF_MOST_AXES)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: variable \"%s\" has %d dimensions, want at most "
                        "%d",
                        source->name, v->name, v->rank, SFI_CF_MOST_AXES);
    for (int k = 1; k < v->rank; k++)
        for (int j = 0; j < k; j++)
            if (v->dims[j] == v->dims[k])
                return SFI_FAIL(ctx, SF_E_SHAPE,
                                "%s: variable \"%s\" has the dimension \"%s\" "
                                "twice",
                                source->name, v->name,
                                source->header->dims[v->dims[k]].name);
    sfi_cf *cf = sfi_alloc_zero(ctx, 1, sizeof *cf);
    if (cf == NULL)
        return SF_E_NOMEM;
    cf->ctx = ctx;
    cf->source = source;
    cf->var = var;
    cf->mapping = -1;
    const sf_status status = understand(cf, radius);
    if (status != SF_OK)
        sfi_cf_free(cf);
    else
        *out = cf;
    return status;
}

void sfi_cf_free(sfi_cf *cf)
{
    if (cf == NULL)
        return;
    for (int k = 0; k < SFI_CF_MOST_AXES; k++) {
        sfi_cf_axis *a = &cf->axis[k];
        const size_t n = (size_t)a->count;
        sfi_free(cf->ctx, a->coords, n + a->repeats, sizeof(double));
        sfi_free(cf->ctx, a->edges, n + a->repeats + 1, sizeof(double));
    }
    for (int i = 0; i < cf->remark_count; i++)
        sfi_free_text(cf->ctx, cf->remarks[i]);
    sfi_free(cf->ctx, cf, 1, sizeof *cf);
}
