/* SPDX-License-Identifier: Apache-2.0 */
/* calculation.c - a calculation put together: what is read, on which axes, and where the
 * results go. */
#include "calc/calculation.h"

#include "calc/nested.h"
#include "num/loops.h"

#include <stdio.h>
#include <string.h>

/* ---- making and freeing -------------------------------------------------------- */

sf_status sfi_calc_new(sf_context *ctx, sfi_calc **out,
                       const sf_calc_options *opts)
{
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    if (o.order != 2 && o.order != 4 && o.order != 6 &&
        o.order != SF_CALC_SPECTRAL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "calc: order is %d, want 2, 4, 6 or spectral", o.order);
    if (o.precision != SF_CALC_DOUBLE && o.precision != SF_CALC_SINGLE)
        return SFI_FAIL(ctx, SF_E_ARG, "calc: precision is %d, want 0 or 1",
                        (int)o.precision);
    sfi_calc *c = sfi_alloc_zero(ctx, 1, sizeof *c);
    if (c == NULL)
        return SF_E_NOMEM;
    c->ctx = ctx;
    c->o = o;
    c->own = -1;
    *out = c;
    SFI_TRY(sf_graph_new(ctx, &c->terms_graph));
    c->terms_graph->forgets_nothing = true;
    if (!o.without_units && sfi_units_available())
        SFI_TRY(sfi_units_open(ctx, &c->units));
    return SF_OK;
}

void sfi_calc_free(sfi_calc *c)
{
    if (c == NULL)
        return;
    sf_context *ctx = c->ctx;
    for (size_t i = 0; i < c->term_count; i++)
        sfi_free_text(ctx, c->terms[i].text);
    for (size_t i = 0; i < c->table_count; i++) {
        const int64_t n = sf_grid_axis(c->grid, c->tables[i].axis)->count;
        sfi_free(ctx, c->tables[i].block, (size_t)(n + 2 * SFI_TABLE_PAD),
                 sizeof(double));
    }
    for (size_t i = 0; i < c->stage_count; i++)
        sfi_slab_free(c, &c->stages[i].values);
    for (int i = 0; i < c->input_count; i++)
        sfi_free_text(ctx, c->inputs[i].name);
    for (int i = 0; i < c->output_count; i++) {
        const sfi_calc_output *o = &c->outputs[i];
        sfi_free_text(ctx, o->name);
        sfi_free_text(ctx, o->expression);
        sfi_regrid_free(o->regrid);
    }
    sfi_free(ctx, c->terms, c->term_capacity, sizeof *c->terms);
    sfi_free(ctx, c->term_of, c->term_of_capacity, sizeof *c->term_of);
    sfi_free(ctx, c->tables, c->table_capacity, sizeof *c->tables);
    sfi_free(ctx, c->stages, c->stage_capacity, sizeof *c->stages);
    sfi_free(ctx, c->stored, c->stored_capacity, sizeof *c->stored);
    sfi_free(ctx, c->marks, c->mark_capacity, sizeof *c->marks);
    sf_graph_free(c->terms_graph);
    sf_grid_free(c->grid);
    sfi_units_close(c->units);
    sfi_free(ctx, c, 1, sizeof *c);
}

/* ---- the domain ------------------------------------------------------------------ */

/* Where an axis of an input belongs among those that are there: before the next one that
 * both have. */
static int place_of(const sf_axis *axes, int rank, const sf_grid *grid, int k)
{
    for (int j = k + 1; j < sf_grid_rank(grid); j++)
        for (int i = 0; i < rank; i++)
            if (strcmp(axes[i].name, sf_grid_axis(grid, j)->name) == 0)
                return i;
    return rank;
}

static sf_status merge_axis(sfi_calc *c, sf_axis *axes, int *rank,
                            const char **from, const sfi_calc_input *in, int k)
{
    const sf_axis *a = sf_grid_axis(in->grid, k);
    for (int i = 0; i < *rank; i++) {
        int64_t first = -1;
        if (strcmp(axes[i].name, a->name) != 0)
            continue;
        if (sfi_axis_same(&axes[i], a, 1e-6, &first))
            return SF_OK;
        if (first < 0)
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "calc: axis \"%s\" has %lld points in \"%s\" and "
                            "%lld in \"%s\"",
                            a->name, (long long)axes[i].count, from[i],
                            (long long)a->count, in->name);
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "calc: axis \"%s\" differs: point %lld is %.10g in "
                        "\"%s\" and %.10g in \"%s\"",
                        a->name, (long long)first + 1, axes[i].coords[first],
                        from[i], a->coords[first], in->name);
    }
    if (*rank == SF_MAX_AXES)
        return SFI_FAIL(c->ctx, SF_E_SHAPE,
                        "calc: the fields have more than %d axes together; "
                        "select points of some of them",
                        SF_MAX_AXES);
    const int at = place_of(axes, *rank, in->grid, k);
    for (int i = *rank; i > at; i--) {
        axes[i] = axes[i - 1];
        from[i] = from[i - 1];
    }
    axes[at] = *a;
    from[at] = in->name;
    (*rank)++;
    return SF_OK;
}

/* The grid on which all of the inputs lie. */
static sf_status make_domain(sfi_calc *c)
{
    sf_axis axes[SF_MAX_AXES];
    const char *from[SF_MAX_AXES];
    sf_grid_options o = SF_GRID_OPTIONS_INIT;
    int rank = 0;
    for (int i = 0; i < c->input_count; i++) {
        const sfi_calc_input *in = &c->inputs[i];
        for (int k = 0; k < sf_grid_rank(in->grid); k++)
            SFI_TRY(merge_axis(c, axes, &rank, from, in, k));
        const sf_geometry own = sf_grid_geometry(in->grid);
        if (own == SF_GEOMETRY_NONE)
            o.geometry = SF_GEOMETRY_NONE;
        else if (own == SF_GEOMETRY_RADIAL || own == SF_GEOMETRY_AXISYMMETRIC)
            o.geometry = own;
        o.radius = sf_grid_radius(in->grid);
        double lat = 0.0, lon = 0.0;
        if (sf_grid_pole(in->grid, &lat, &lon)) {
            o.is_rotated = true;
            o.pole_lat = lat;
            o.pole_lon = lon;
        }
    }
    SFI_TRY(sf_grid_new(c->ctx, &c->grid, rank, axes, &o));
    for (int i = 0; i < c->input_count; i++) {
        sfi_calc_input *in = &c->inputs[i];
        for (int k = 0; k < sf_grid_rank(in->grid); k++) {
            in->map[k] = sf_grid_find(c->grid, sf_grid_axis(in->grid, k)->name);
            in->mask |= 1u << in->map[k];
        }
        in->node = sfi_term_new(
            c, &(sfi_field_term){.kind = SFI_TERM_FIELD, .index = i});
    }
    return sf_graph_status(c->terms_graph);
}

sf_status sfi_calc_add(sfi_calc *c, const char *name, const sf_grid *grid,
                       const char *unit, sfi_box_reader read, void *user)
{
    if (c->input_count == SFI_CALC_MOST_INPUTS)
        return SFI_FAIL(c->ctx, SF_E_ARG, "calc: more than %d fields",
                        (int)SFI_CALC_MOST_INPUTS);
    sfi_calc_input *in = &c->inputs[c->input_count];
    in->name = sfi_copy_text(c->ctx, name);
    if (in->name == NULL)
        return SF_E_NOMEM;
    c->input_count++;
    in->grid = grid;
    in->read = read;
    in->user = user;
    if (c->units != NULL && !sfi_unit_read(c->units, unit, &in->unit) &&
        unit != NULL && *unit != '\0')
        sfi_warn(c->ctx, "%s: \"%s\" is no unit: it counts as unknown", name,
                 unit);
    return SF_OK;
}

/* Everything before values. */
sf_status sfi_calc_understand(sfi_calc *c, const char *text)
{
    if (c->input_count == 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "calc: no expression names a field of the input");
    SFI_TRY(make_domain(c));
    SFI_TRY(sfi_calc_read(c, text));
    return sfi_calc_convert(c);
}

/* ---- results as fields -------------------------------------------------------------- */

/* The axes of an output; it needs one at least. */
sf_status sfi_calc_grid(const sfi_calc *c, const sfi_calc_output *o,
                        sf_grid **out)
{
    sf_axis axes[SF_MAX_AXES];
    int rank = 0;
    for (int k = 0; k < sf_grid_rank(c->grid); k++)
        if (o->mask >> k & 1u) {
            const sf_axis *other =
                o->regrid != NULL ? sfi_regrid_axis(o->regrid, k) : NULL;
            axes[rank++] = other != NULL ? *other : *sf_grid_axis(c->grid, k);
        }
    static const double zero = 0.0;
    if (rank == 0) /* a single number */
        axes[rank++] = (sf_axis){.name = "value", .count = 1, .coords = &zero};
    sf_grid_options g = {.size = sizeof g,
                         .radius = sf_grid_radius(c->grid),
                         .is_rotated = c->grid->is_rotated,
                         .pole_lat = c->grid->pole_lat,
                         .pole_lon = c->grid->pole_lon};
    if (sf_grid_geometry(c->grid) == SF_GEOMETRY_NONE)
        g.geometry = SF_GEOMETRY_NONE;
    /* What is left of a ball's radii is a line. */
    for (int k = 0; k < rank; k++)
        if (rank == 1 && axes[k].role == SF_ROLE_R)
            g.geometry = SF_GEOMETRY_RADIAL;
    if (sf_grid_new(c->ctx, out, rank, axes, &g) == SF_OK)
        return SF_OK;
    /* Roles that make no geometry without those that were reduced. */
    for (int k = 0; k < rank; k++)
        if (axes[k].role != SF_ROLE_T)
            axes[k].role = SF_ROLE_NONE;
    g.geometry = SF_GEOMETRY_AUTO;
    return sf_grid_new(c->ctx, out, rank, axes, &g);
}

void sfi_calc_scheme(const sfi_calc *c, char *text, size_t size)
{
    int used = c->o.order == SF_CALC_SPECTRAL
                   ? snprintf(text, size, "spectral")
                   : snprintf(text, size, "centred order %d", c->o.order);
    if (c->o.precision == SF_CALC_SINGLE)
        used +=
            snprintf(text + used, size - (size_t)used, ", single precision");
    if (sf_grid_geometry(c->grid) == SF_GEOMETRY_SPHERE)
        used += snprintf(text + used, size - (size_t)used, ", radius %.10g m",
                         sf_grid_radius(c->grid));
    const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
    if (lon >= 0 && sf_grid_axis(c->grid, lon)->period > 0.0)
        snprintf(text + used, size - (size_t)used, ", cyclic %s",
                 sf_grid_axis(c->grid, lon)->name);
}

/* "_lon": which component of a vector it is. */
static const char *suffix(const sfi_calc *c, const sfi_calc_output *o, int k)
{
    static const sf_role orders[][3] = {{SF_ROLE_X, SF_ROLE_Y, SF_ROLE_Z},
                                        {SF_ROLE_R, SF_ROLE_THETA, SF_ROLE_Z},
                                        {SF_ROLE_LON, SF_ROLE_LAT, SF_ROLE_R}};
    static const char *const numbers[] = {"0", "1", "2"};
    const sf_geometry geometry = sf_grid_geometry(c->grid);
    const int order =
        geometry == SF_GEOMETRY_CARTESIAN ? 0
        : geometry == SF_GEOMETRY_SPHERE || geometry == SF_GEOMETRY_SPHERICAL
            ? 2
            : 1;
    int n = 0;
    for (int i = 0; i < 3; i++) {
        const int axis = sf_grid_find_role(c->grid, orders[order][i]);
        if (axis >= 0 && n++ == k)
            return sf_grid_axis(c->grid, axis)->name;
    }
    (void)o;
    return numbers[k];
}

void sfi_calc_name(const sfi_calc *c, const sfi_calc_output *o, int k,
                   char *text, size_t size)
{
    if (o->components == 1)
        snprintf(text, size, "%s", o->name);
    else
        snprintf(text, size, "%s_%s", o->name, suffix(c, o, k));
}

/* What a file says of a component; the field has no values yet. */
sf_status sfi_calc_describe(sfi_calc *c, const sfi_calc_output *o, int k,
                            sf_field *f)
{
    char scheme[128], name[160];
    sfi_calc_name(c, o, k, name, sizeof name);
    sfi_calc_scheme(c, scheme, sizeof scheme);
    SFI_TRY(sf_field_set_name(c->ctx, f, name));
    if (o->unit[k].is_known)
        SFI_TRY(sf_field_set_unit(c->ctx, f, o->unit[k].text));
    if (o->standard_name[k] != NULL)
        SFI_TRY(
            sf_field_describe(c->ctx, f, "standard_name", o->standard_name[k]));
    SFI_TRY(sf_field_describe(c->ctx, f, "long_name", o->expression));
    if (*o->cell_methods != '\0')
        SFI_TRY(sf_field_describe(c->ctx, f, "cell_methods", o->cell_methods));
    /* What says where the points are. */
    const char *keys[] = {"grid_mapping", "coordinates"};
    const char *texts[] = {c->inputs[0].grid_mapping, c->inputs[0].coordinates};
    for (int i = 0; i < 2; i++)
        if (texts[i] != NULL && (o->mask & ~c->inputs[0].mask) == 0 &&
            (c->inputs[0].mask & ~o->mask) == 0)
            SFI_TRY(sf_field_describe(c->ctx, f, keys[i], texts[i]));
    return sf_field_describe(c->ctx, f, "scorefield_scheme", scheme);
}

/* ---- in memory ---------------------------------------------------------------------- */

/* A box of a field of one component: `user` is the field. */
static sf_status read_field(void *user, const int64_t *start,
                            const int64_t *count, double *out,
                            const int64_t *step)
{
    const sf_field *f = user;
    const int rank = sf_grid_rank(f->grid), last = rank - 1;
    int64_t index[SF_MAX_AXES] = {0};
    for (;;) {
        int64_t at = 0, to = 0;
        for (int k = 0; k < rank; k++) {
            at += (start[k] + index[k]) * f->step[k];
            to += index[k] * step[k];
        }
        const int64_t n = count[last];
        if (f->dtype == SF_F64 && f->step[last] == 1 && step[last] == 1)
            memcpy(out + to, (const double *)f->data[0] + at,
                   (size_t)n * sizeof *out);
        else
            for (int64_t i = 0; i < n; i++)
                out[to + i * step[last]] = sfi_number_get(
                    f->dtype, f->data[0], at + i * f->step[last]);
        int k = last - 1;
        while (k >= 0 && ++index[k] == count[k])
            index[k--] = 0;
        if (k < 0)
            return SF_OK;
    }
}

sf_status sfi_calc_add_field(sfi_calc *c, const char *name, const char *unit,
                             const sf_field *field)
{
    SFI_TRY(sfi_calc_add(c, name, field->grid, unit, read_field,
                         (void *)(uintptr_t)field));
    c->inputs[c->input_count - 1].field = field;
    return SF_OK;
}

/* Fields that are made, in the order of outputs and components. */
typedef struct in_memory {
    sfi_calc *c;
    sf_field *out;
    int first[SFI_CALC_MOST_OUTPUTS];
} in_memory;

static sf_status put_field(void *user, int output, int component,
                           const int64_t *first, const int64_t *count,
                           const double *values)
{
    const in_memory *m = user;
    sf_field *f = &m->out[m->first[output] + component];
    const int rank = sf_grid_rank(f->grid);
    if (m->c->outputs[output].mask == 0) {
        sfi_number_put(f->dtype, f->data[0], 0, *values);
        return SF_OK;
    }
    int64_t index[SF_MAX_AXES] = {0};
    for (;;) {
        int64_t at = 0;
        for (int k = 0; k < rank; k++)
            at += (first[k] + index[k]) * f->step[k];
        const int64_t n = count[rank - 1]; /* rows of fields are dense */
        sfi_loops_for(SF_F64)->store((char *)f->data[0] +
                                         (size_t)at * sf_dtype_size(f->dtype),
                                     f->dtype, 1, values, n, n, 1);
        values += n;
        int k = rank - 2;
        while (k >= 0 && ++index[k] == count[k])
            index[k--] = 0;
        if (k < 0)
            return SF_OK;
    }
}

/* Room for all results; a field a component. */
static sf_status make_fields(in_memory *m, int most, int *made)
{
    sfi_calc *c = m->c;
    for (int i = 0; i < c->output_count; i++) {
        const sfi_calc_output *o = &c->outputs[i];
        m->first[i] = *made;
        for (int k = 0; k < o->components; k++) {
            sf_grid *grid = NULL;
            if (*made == most)
                return SFI_FAIL(c->ctx, SF_E_ARG,
                                "calc: room for %d results, which are more",
                                most);
            SFI_TRY(sfi_calc_grid(c, o, &grid));
            const sf_status status =
                sfi_field_room(c->ctx, &m->out[*made], grid, SF_F64);
            if (status != SF_OK) {
                sf_grid_free(grid);
                return status;
            }
            sfi_field_adopt(&m->out[*made], grid);
            (*made)++;
            SFI_TRY(sfi_calc_describe(c, o, k, &m->out[*made - 1]));
        }
    }
    return SF_OK;
}

sf_status sfi_calc_fields(sfi_calc *c, int most, sf_field *out, int *count,
                          bool wants_stats)
{
    in_memory m = {.c = c, .out = out};
    int made = 0;
    sf_status status = make_fields(&m, most, &made);
    if (status == SF_OK)
        status = sfi_calc_results(c, out, wants_stats, put_field, &m);
    for (int i = 0; i < made && status == SF_OK; i++)
        sfi_field_clear_margins(&out[i]);
    if (status == SF_OK)
        *count = made;
    else
        while (made > 0)
            sf_field_free(c->ctx, &out[--made]);
    return status;
}

/* The bytes between the first and the last value of a field, [*from, *to). */
static void span_of(const sf_field *f, const char **from, const char **to)
{
    int64_t last = 0;
    for (int k = 0; k < sf_grid_rank(f->grid); k++)
        last += (sf_field_count(f, 0, k) - 1) * f->step[k];
    *from = f->data[0];
    *to = *from + (size_t)(last + 1) * sf_dtype_size(f->dtype);
}

static bool overlap(const sf_field *f, const sf_field *g)
{
    const char *a, *b, *x, *y;
    span_of(f, &a, &b);
    span_of(g, &x, &y);
    return a < y && x < b;
}

static sf_status check_target(const sfi_calc *c, const sfi_calc_output *o,
                              const sf_field *f, int number)
{
    sf_grid *grid = NULL;
    bool fits = f->grid != NULL && f->components == 1 && f->place[0] == 0;
    SFI_TRY(sfi_calc_grid(c, o, &grid));
    const int rank = sf_grid_rank(grid);
    fits = fits && sf_grid_rank(f->grid) == rank;
    for (int k = 0; k < rank && fits; k++)
        fits = sf_grid_axis(f->grid, k)->count == sf_grid_axis(grid, k)->count;
    sf_grid_free(grid);
    return fits ? SF_OK
                : SFI_FAIL(c->ctx, SF_E_SHAPE,
                           "calc: field %d is to have one component and the "
                           "axes and points of \"%s\"",
                           number, o->name);
}

/* Whether the caller's fields can take the results. */
static sf_status check_targets(in_memory *m, int count, int input_count,
                               const sf_field *inputs)
{
    const sfi_calc *c = m->c;
    int made = 0;
    for (int i = 0; i < c->output_count; i++) {
        m->first[i] = made;
        for (int k = 0; k < c->outputs[i].components; k++, made++)
            if (made < count)
                SFI_TRY(check_target(c, &c->outputs[i], &m->out[made], made));
    }
    if (made != count)
        return SFI_FAIL(c->ctx, SF_E_ARG, "calc: %d fields for %d results",
                        count, made);
    for (int i = 0; i < count; i++) {
        bool taken = false;
        for (int k = 0; k < i; k++)
            taken = taken || overlap(&m->out[i], &m->out[k]);
        for (int k = 0; k < input_count; k++)
            taken = taken || overlap(&m->out[i], &inputs[k]);
        if (taken)
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "calc: the array of field %d overlaps another one; "
                            "want one of its own for each result",
                            i);
    }
    return SF_OK;
}

/* A calculation of fields in memory, and those that it made for itself. */
typedef struct memory_job {
    sf_context *ctx;
    const sf_calc_options *opts;
    int input_count;
    const sf_field *inputs;
    sfi_calc *c;
    bool is_into; /* fields that are there */
    int nested_count;
    sf_field nested[SFI_CALC_MOST_INPUTS];
} memory_job;

static sf_status add_field(memory_job *j, const sf_field *f)
{
    if (f->name == NULL || f->components != 1 || f->place[0] != 0)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "calc: field %d is to have a name, and one "
                        "component on the points of its grid",
                        (int)(f - j->inputs));
    SFI_TRY(sfi_calc_add_field(j->c, f->name, f->unit, f));
    j->c->inputs[j->c->input_count - 1].standard_name =
        sf_field_description(f, "standard_name");
    return SF_OK;
}

static sf_status add_nested(void *user, const char *name,
                            const char *definition)
{
    memory_job *j = user;
    int count = 0;
    for (int i = 0; i < j->nested_count; i++)
        if (strcmp(j->nested[i].name, name) == 0)
            return SF_OK;
    if (j->nested_count == SFI_CALC_MOST_INPUTS)
        return SFI_FAIL(j->ctx, SF_E_ARG, "calc: more than %d fields",
                        (int)SFI_CALC_MOST_INPUTS);
    sf_field *f = &j->nested[j->nested_count];
    SFI_TRY(sf_calc(j->ctx, 1, f, &count, definition, j->input_count, j->inputs,
                    j->opts));
    j->nested_count++;
    return sf_field_set_name(j->ctx, f, name);
}

static sf_status fill_fields(memory_job *j, int count, sf_field *out)
{
    in_memory m = {.c = j->c, .out = out};
    SFI_TRY(check_targets(&m, count, j->input_count, j->inputs));
    return sfi_calc_results(j->c, out, false, put_field, &m);
}

/* Where something is regridded within an expression, not all fields lie on one grid: those
 * that are named outside such calls do. */
static sf_status run_memory(memory_job *j, const char *text, int most,
                            sf_field *out, int *count)
{
    sfi_growing list = {0};
    bool is_nested = false;
    sf_status status =
        sfi_nested_replace(j->ctx, text, &list, add_nested, j, &is_nested);
    if (status == SF_OK)
        status = sfi_calc_new(j->ctx, &j->c, j->opts);
    const bool is_part = is_nested || sfi_text_names(text, "regrid");
    for (int i = 0; i < j->input_count && status == SF_OK; i++)
        if (!is_part || j->inputs[i].name == NULL ||
            sfi_text_names(list.text, j->inputs[i].name))
            status = add_field(j, &j->inputs[i]);
    for (int i = 0; i < j->nested_count && status == SF_OK; i++)
        status = add_field(j, &j->nested[i]);
    if (status == SF_OK)
        status = sfi_calc_understand(j->c, list.text);
    if (status == SF_OK)
        status = j->is_into ? fill_fields(j, most, out)
                            : sfi_calc_fields(j->c, most, out, count, false);
    sfi_growing_free(j->ctx, &list);
    return status;
}

static sf_status calculate(sf_context *ctx, bool is_into, int most,
                           sf_field *out, int *count, const char *text,
                           int input_count, const sf_field *inputs,
                           const sf_calc_options *opts)
{
    memory_job *j = sfi_alloc_zero(ctx, 1, sizeof *j);
    if (j == NULL)
        return SF_E_NOMEM;
    j->ctx = ctx;
    j->opts = opts;
    j->input_count = input_count;
    j->inputs = inputs;
    j->is_into = is_into;
    const sf_status status = run_memory(j, text, most, out, count);
    sfi_calc_free(j->c);
    for (int i = 0; i < j->nested_count; i++)
        sf_field_free(ctx, &j->nested[i]);
    sfi_free(ctx, j, 1, sizeof *j);
    return status;
}

sf_status sf_calc(sf_context *ctx, int most, sf_field *out, int *count,
                  const char *text, int input_count, const sf_field *inputs,
                  const sf_calc_options *opts)
{
    *count = 0;
    return calculate(ctx, false, most, out, count, text, input_count, inputs,
                     opts);
}

sf_status sf_calc_into(sf_context *ctx, int count, sf_field *out,
                       const char *text, int input_count,
                       const sf_field *inputs, const sf_calc_options *opts)
{
    return calculate(ctx, true, count, out, NULL, text, input_count, inputs,
                     opts);
}
