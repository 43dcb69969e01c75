/* SPDX-License-Identifier: Apache-2.0 */
/* action.c - actions: made, their names defined, and as functionals. */
#include "action/action.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_NAME = 60 }; /* of a form */

/* ---- lines ---------------------------------------------------------------------------- */

static double inverse_h(const sf_grid *grid, int axis, double x)
{
    const sf_axis *a = sf_grid_axis(grid, axis);
    if (a->role == SF_ROLE_LAT)
        return 1.0 / cos(x * grid->radian[axis]);
    return a->role == SF_ROLE_R ? 1.0 / x : 1.0;
}

/* Coordinate i of an axis; beyond the ends of a closed one, a period further. */
static double coordinate(const sf_axis *a, int64_t i)
{
    const double turn =
        a->count > 1 && a->coords[1] < a->coords[0] ? -a->period : a->period;
    if (i < 0)
        return a->coords[i + a->count] - turn;
    return i < a->count ? a->coords[i] : a->coords[i - a->count] + turn;
}

static sf_status make_lines(sf_action *a, int k)
{
    const sf_axis *axis = sf_grid_axis(a->grid, k);
    const int64_t n = axis->count;
    const bool closed = sfi_is_closed(a, k);
    const bool open[2] = {a->walls[2 * k].kind == SF_SIDE_OPEN,
                          a->walls[2 * k + 1].kind == SF_SIDE_OPEN};
    const double half = 0.5 * sfi_axis_step(axis); /* open axes are uniform */
    for (int r = 0; r < SFI_LINES; r++) {
        a->lines[k][r] = sfi_alloc_zero(a->ctx, (size_t)n, sizeof(double));
        if (a->lines[k][r] == NULL)
            return SF_E_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const double x = axis->coords[i];
        const double below = i > 0 || closed
                                 ? 0.5 * (coordinate(axis, i - 1) + x)
                             : open[0] ? x - half
                                       : axis->edges[0];
        const double above = i < n - 1 || closed
                                 ? 0.5 * (x + coordinate(axis, i + 1))
                             : open[1] ? x + half
                                       : axis->edges[n];
        a->lines[k][SFI_LINE_COORD][i] = x;
        a->lines[k][SFI_LINE_LOW][i] =
            fabs(sfi_grid_measure(a->grid, k, below, x));
        a->lines[k][SFI_LINE_HIGH][i] =
            fabs(sfi_grid_measure(a->grid, k, x, above));
        a->lines[k][SFI_LINE_INVERSE_H][i] = inverse_h(a->grid, k, x);
        if (i < n - 1 || closed)
            a->lines[k][SFI_LINE_EDGE][i] =
                1.0 / (fabs(coordinate(axis, i + 1) - x) * a->grid->radian[k]);
    }
    if (open[0] || open[1]) /* from an end to the point beyond it */
        a->lines[k][SFI_LINE_EDGE][n - 1] = 0.5 / fabs(half);
    a->is_uniform[k] = sfi_axis_step(axis) != 0.0 && axis->role != SF_ROLE_R &&
                       axis->role != SF_ROLE_LAT;
    return SF_OK;
}

/* ---- checks ----------------------------------------------------------------------------- */

static sf_status check_axis(const sf_action *a, int k)
{
    static const char *const names[] = {"natural", "periodic", "pin",
                                        "flux",    "robin",    "open"};
    const sf_axis *axis = sf_grid_axis(a->grid, k);
    const bool is_space = axis->role != SF_ROLE_NONE &&
                          axis->role != SF_ROLE_LEV && axis->role != SF_ROLE_T;
    if (!is_space)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: axis \"%s\" is none of x y z r theta lat lon",
                        axis->name);
    if (axis->count < 3)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: axis \"%s\" has %lld points, want 3 at least",
                        axis->name, (long long)axis->count);
    for (int64_t i = 0; i < axis->count; i++)
        if ((axis->role == SF_ROLE_R && axis->coords[i] == 0.0) ||
            (axis->role == SF_ROLE_LAT &&
             sfi_axis_is_pole(axis, axis->coords[i])))
            return SFI_FAIL(
                a->ctx, SF_E_UNSUPPORTED,
                "action: axis \"%s\" has a point at %g, where other "
                "axes have no length; use cells",
                axis->name, axis->coords[i]);
    for (int high = 0; high < 2; high++) {
        const sf_side *side = high ? &axis->high : &axis->low;
        if (side->kind == SF_SIDE_OPEN &&
            (sf_grid_geometry(a->grid) != SF_GEOMETRY_CARTESIAN ||
             sfi_axis_step(axis) == 0.0))
            return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                            "action: side %s%s: open wants Cartesian axes and "
                            "equal steps along this one",
                            axis->name, high ? "+" : "-");
        if (axis->placement == SF_CELLS &&
            (side->kind == SF_SIDE_FLUX || side->kind == SF_SIDE_ROBIN))
            return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                            "action: side %s%s: %s wants points on the wall; "
                            "use nodes",
                            axis->name, high ? "+" : "-", names[side->kind]);
    }
    return SF_OK;
}

static sf_status check_name(const sf_action *a, const char *name)
{
    if (a->form != NULL && strcmp(a->form, name) == 0)
        return SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is defined twice",
                        name);
    for (int u = 0; u < a->unknowns; u++)
        if (a->names[u] != NULL && strcmp(a->names[u], name) == 0)
            return SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is defined twice",
                            name);
    for (size_t i = 0; i < a->named_count; i++)
        if (strcmp(a->named[i].name, name) == 0)
            return SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is defined twice",
                            name);
    bool is_name = isalpha((unsigned char)name[0]) || name[0] == '_';
    for (const char *c = name; *c != '\0'; c++)
        is_name &= isalnum((unsigned char)*c) || *c == '_';
    return is_name
               ? SF_OK
               : SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is no name", name);
}

/* ---- making ----------------------------------------------------------------------------- */

void sf_action_free(sf_action *a)
{
    if (a == NULL)
        return;
    sf_context *ctx = a->ctx;
    for (int t = 0; t < SFI_TASKS; t++)
        for (int c = 0; c < SFI_CLASSES; c++)
            sfi_class_program_free(a, &a->programs[t][c]);
    for (size_t i = 0; i < a->named_count; i++) {
        sfi_free_text(ctx, a->named[i].name);
        sfi_free(ctx, a->named[i].values, (size_t)a->points, sizeof(double));
        sfi_values_free(a, a->named[i].timed);
        sfi_free_text(ctx, a->named[i].text);
    }
    for (int w = 0; w < 2 * SF_MAX_AXES; w++) {
        sfi_free(ctx, a->walls[w].values, a->walls[w].count, sizeof(double));
        sfi_free(ctx, a->walls[w].factors, a->walls[w].count, sizeof(double));
        sfi_values_free(a, a->walls[w].timed[0]);
        sfi_values_free(a, a->walls[w].timed[1]);
    }
    for (int k = 0; k < a->rank; k++)
        for (int r = 0; r < SFI_LINES; r++)
            sfi_free(ctx, a->lines[k][r], (size_t)a->count[k], sizeof(double));
    for (int u = 0; u < SF_MOST_UNKNOWNS; u++)
        sfi_free_text(ctx, a->names[u]);
    sfi_free(ctx, a->named, a->named_capacity, sizeof *a->named);
    sfi_free(ctx, a->leaves, a->leaf_capacity, sizeof *a->leaves);
    sfi_free(ctx, a->pinned, (size_t)(a->unknowns * a->points),
             sizeof *a->pinned);
    sfi_free_text(ctx, a->form);
    sf_graph_free(a->graph);
    sfi_free_text(ctx, a->text);
    sfi_free(ctx, a, 1, sizeof *a);
}

/* The values of a text on a wall; *timed, if it has others at other times. */
static sf_status read_wall_text(sf_action *a, const char *text, int w,
                                double *values, sfi_values **timed)
{
    sfi_values *v = NULL;
    SFI_TRY(sfi_values_new(a, &v, text, w, false, true));
    const sf_status status = sfi_values_run(a, v, values);
    if (sfi_values_is_timed(v))
        *timed = v;
    else
        sfi_values_free(a, v);
    return status;
}

static sf_status read_wall(sf_action *a, int w)
{
    const int axis = w / 2;
    const sf_axis *line = sf_grid_axis(a->grid, axis);
    const sf_side *side = w % 2 == 0 ? &line->low : &line->high;
    sfi_action_wall *wall = &a->walls[w];
    wall->is_number = wall->kind != SF_SIDE_OPEN;
    if ((side->value == NULL && wall->is_number) || wall->values != NULL)
        return SF_OK;
    int64_t step = 1;
    for (int k = a->rank - 1; k >= 0; k--) {
        wall->step[k] = k == axis ? 0 : step;
        step *= k == axis ? 1 : a->count[k];
    }
    wall->is_number = false;
    wall->values = sfi_alloc_zero(a->ctx, (size_t)step, sizeof *wall->values);
    wall->factors = sfi_alloc_zero(a->ctx, (size_t)step, sizeof *wall->factors);
    wall->count = (size_t)step;
    if (wall->values == NULL || wall->factors == NULL)
        return SF_E_NOMEM;
    if (wall->kind == SF_SIDE_OPEN)
        return SF_OK;
    SFI_TRY(read_wall_text(a, side->value, w, wall->values, &wall->timed[0]));
    if (side->factor != NULL)
        SFI_TRY(
            read_wall_text(a, side->factor, w, wall->factors, &wall->timed[1]));
    a->is_timed |= wall->timed[0] != NULL || wall->timed[1] != NULL;
    a->has_aging_hessian |= wall->timed[1] != NULL;
    wall->is_number = wall->timed[0] == NULL && wall->timed[1] == NULL;
    for (int64_t i = 1; i < step && wall->is_number; i++)
        wall->is_number =
            wall->values[i] == wall->values[0] &&
            (side->factor == NULL || wall->factors[i] == wall->factors[0]);
    if (a->form != NULL && !(wall->is_number && wall->values[0] == 0.0))
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: side %s%s: of a form, pin 0 is a perfect "
                        "conductor, and no other value can be pinned",
                        line->name, w % 2 == 0 ? "-" : "+");
    wall->value = wall->values[0];
    wall->factor = side->factor != NULL ? wall->factors[0] : 0.0;
    return SF_OK;
}

static sf_status find_pinned(sf_action *a)
{
    const size_t n = (size_t)(a->unknowns * a->points);
    SFI_TRY(sfi_action_check_pins(a));
    double *values = sfi_alloc(a->ctx, n, sizeof *values);
    bool *pinned = sfi_alloc_zero(a->ctx, n, sizeof *pinned);
    sf_status status = values != NULL && pinned != NULL ? SF_OK : SF_E_NOMEM;
    a->free_count = 0;
    for (size_t i = 0; i < n && status == SF_OK; i++)
        values[i] = NAN;
    for (int u = 0; u < a->unknowns && status == SF_OK; u++)
        sfi_action_pin(a, u, values + u * a->points);
    for (size_t i = 0; i < n && status == SF_OK; i++) {
        pinned[i] = !isnan(values[i]);
        a->free_count += !pinned[i];
    }
    if (status == SF_OK && a->free_count == 0)
        status = SFI_FAIL(a->ctx, SF_E_ARG, "action: all points are pinned");
    sfi_free(a->ctx, values, n, sizeof *values);
    if (status == SF_OK)
        a->pinned = pinned;
    else
        sfi_free(a->ctx, pinned, n, sizeof *pinned);
    return status;
}

/* Of a one-form: flat space, and what a side can be to it. */
static sf_status check_form(const sf_action *a)
{
    if (a->form == NULL)
        return SF_OK;
    if (sf_grid_geometry(a->grid) != SF_GEOMETRY_CARTESIAN)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: the form \"%s\" wants axes among x, y and z",
                        a->form);
    for (int w = 0; w < 2 * a->rank; w++) {
        const sf_axis *axis = sf_grid_axis(a->grid, w / 2);
        const sf_side_kind kind = a->walls[w].kind;
        if (kind == SF_SIDE_FLUX || kind == SF_SIDE_ROBIN ||
            sfi_is_cells(a, w / 2) || axis->role == SF_ROLE_R)
            return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                            "action: side %s%s: a form wants nodes and sides "
                            "that are periodic, pin 0, natural or open",
                            axis->name, w % 2 == 0 ? "-" : "+");
    }
    return SF_OK;
}

static sf_status fill(sf_action *a, const char *text, int count,
                      const char *const *names)
{
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    if (count < 1 || count > SF_MOST_UNKNOWNS)
        return SFI_FAIL(a->ctx, SF_E_ARG, "action: %d fields, want 1 to %d",
                        count, (int)SF_MOST_UNKNOWNS);
    if (geometry == SF_GEOMETRY_NONE)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: lengths on the grid are unknown");
    a->text = sfi_copy_text(a->ctx, text);
    SFI_TRY(sf_graph_new(a->ctx, &a->graph));
    if (a->text == NULL)
        return SF_E_NOMEM;
    for (int u = 0; u < count; u++) {
        SFI_TRY(check_name(a, names[u]));
        a->names[u] = sfi_copy_text(a->ctx, names[u]);
        if (a->names[u] == NULL)
            return SF_E_NOMEM;
        a->unknowns++;
    }
    for (int k = 0; k < a->rank; k++) {
        const sf_axis *axis = sf_grid_axis(a->grid, k);
        SFI_TRY(check_axis(a, k));
        a->walls[2 * k].kind = axis->low.kind;
        a->walls[2 * k + 1].kind = axis->high.kind;
        a->is_open |=
            axis->low.kind == SF_SIDE_OPEN || axis->high.kind == SF_SIDE_OPEN;
        SFI_TRY(make_lines(a, k));
    }
    for (int u = 0; u < SF_MOST_UNKNOWNS; u++)
        a->half[u] = a->form != NULL && u < count
                         ? sf_grid_find_role(a->grid, sfi_form_role(u))
                         : -1;
    return check_form(a);
}

/* Of the unknowns `names`; or, if there is one, of the components of a form. */
static sf_status make(sf_context *ctx, sf_action **out, const sf_grid *grid,
                      const char *text, sf_action_kind kind, int count,
                      const char *const *names, const char *form)
{
    *out = NULL;
    sf_action *a = sfi_alloc_zero(ctx, 1, sizeof *a);
    if (a == NULL)
        return SF_E_NOMEM;
    if (form != NULL && (a->form = sfi_copy_text(ctx, form)) == NULL) {
        sfi_free(ctx, a, 1, sizeof *a);
        return SF_E_NOMEM;
    }
    a->ctx = ctx;
    a->grid = grid;
    a->kind = kind;
    a->rank = sf_grid_rank(grid);
    a->points = sf_grid_points(grid);
    int64_t stride = 1;
    for (int k = a->rank - 1; k >= 0; k--) {
        a->count[k] = sf_grid_axis(grid, k)->count;
        a->stride[k] = stride;
        stride *= a->count[k];
    }
    const sf_status status = fill(a, text, count, names);
    if (status != SF_OK)
        sf_action_free(a);
    else
        *out = a;
    return status;
}

sf_status sf_action_new(sf_context *ctx, sf_action **out, const sf_grid *grid,
                        const char *text, sf_action_kind kind, int count,
                        const char *const *names)
{
    return make(ctx, out, grid, text, kind, count, names, NULL);
}

sf_status sf_action_new_form(sf_context *ctx, sf_action **out,
                             const sf_grid *grid, const char *text,
                             sf_action_kind kind, const char *form)
{
    char names[SF_FORM_COMPONENTS][MOST_NAME + 3];
    const char *list[SF_FORM_COMPONENTS];
    *out = NULL;
    if (strlen(form) > MOST_NAME)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "action: the name of the form has %zu bytes, want at "
                        "most %d",
                        strlen(form), (int)MOST_NAME);
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        snprintf(names[u], sizeof names[u], "%s_%c", form, "xyz"[u]);
        list[u] = names[u];
    }
    return make(ctx, out, grid, text, kind, SF_FORM_COMPONENTS, list, form);
}

/* ---- names ------------------------------------------------------------------------------ */

static sf_status new_named(sf_action *a, const char *name, sfi_named **out)
{
    SFI_TRY(check_name(a, name));
    if (a->is_read)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: \"%s\" is defined after the density was used",
                        name);
    sfi_named *grown = sfi_grow(a->ctx, a->named, &a->named_capacity,
                                a->named_count + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    a->named = grown;
    *out = &a->named[a->named_count];
    memset(*out, 0, sizeof **out);
    (*out)->name = sfi_copy_text(a->ctx, name);
    return (*out)->name != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status sf_action_constant(sf_action *a, const char *name, double value)
{
    sfi_named *s;
    if (!isfinite(value))
        return SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is %g", name, value);
    SFI_TRY(new_named(a, name, &s));
    s->is_number = true;
    s->number = value;
    a->named_count++;
    return SF_OK;
}

static sf_status add_values(sf_action *a, const char *name, double *values,
                            bool is_number)
{
    sfi_named *s;
    SFI_TRY(new_named(a, name, &s));
    s->is_number = is_number;
    s->number = values[0];
    s->values = values;
    a->named_count++;
    return SF_OK;
}

sf_status sf_action_set(sf_action *a, const char *name, const char *text)
{
    const size_t n = (size_t)a->points;
    sfi_values *v = NULL;
    double *values = sfi_alloc(a->ctx, n, sizeof *values);
    if (values == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_values_new(a, &v, text, -1, true, true);
    if (status == SF_OK)
        status = sfi_values_run(a, v, values);
    if (status != SF_OK)
        sfi_message_prefix(a->ctx, "%s: ", name);
    else
        status = add_values(a, name, values, sfi_values_is_number(v));
    if (status != SF_OK) {
        sfi_values_free(a, v);
        sfi_free(a->ctx, values, n, sizeof *values);
        return status;
    }
    sfi_named *s = &a->named[a->named_count - 1]; /* which owns the values */
    s->text = sfi_copy_text(a->ctx, text);
    if (sfi_values_is_timed(v))
        s->timed = v;
    else
        sfi_values_free(a, v);
    return s->text != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status sf_action_source(sf_action *a, const char *name,
                           const sf_field *field)
{
    const size_t n = (size_t)a->points;
    if (field->components != 1 || sf_field_points(field, 0) != a->points)
        return SFI_FAIL(
            a->ctx, SF_E_SHAPE,
            "action: \"%s\" is to lie on the points of the action's "
            "grid",
            name);
    double *values = sfi_alloc(a->ctx, n, sizeof *values);
    if (values == NULL)
        return SF_E_NOMEM;
    sf_field_get(field, 0, values);
    sf_status status = SF_OK;
    for (size_t i = 0; i < n && status == SF_OK; i++)
        if (!isfinite(values[i]))
            status =
                SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is %g at point %zu",
                         name, values[i], i);
    if (status == SF_OK)
        status = add_values(a, name, values, false);
    if (status != SF_OK)
        sfi_free(a->ctx, values, n, sizeof *values);
    return status;
}

/* Everything before the first run: walls may use constants. */
static sf_status prepare(sf_action *a)
{
    if (a->pinned != NULL)
        return sfi_action_read(a);
    for (int w = 0; w < 2 * a->rank; w++)
        SFI_TRY(read_wall(a, w));
    SFI_TRY(find_pinned(a));
    return sfi_action_read(a);
}

sf_status sf_action_field(sf_action *a, sf_field *out, int u)
{
    SFI_TRY(prepare(a));
    SFI_TRY(sfi_action_at(a, 0.0));
    if (u < 0 || u >= a->unknowns)
        return SFI_FAIL(a->ctx, SF_E_ARG, "action: field %d, want 0 to %d", u,
                        a->unknowns - 1);
    const size_t n = (size_t)a->points;
    const unsigned place = sfi_action_place(a, u);
    double *x = sfi_alloc_zero(a->ctx, n, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    sf_status status = sf_field_new(a->ctx, out, a->grid, 1, &place, SF_F64, 0);
    if (status == SF_OK)
        status = sf_field_set_name(a->ctx, out, a->names[u]);
    if (status == SF_OK) {
        sfi_action_pin(a, u, x);
        sfi_action_put(a, x, out);
    } else {
        sf_field_free(a->ctx, out);
    }
    sfi_free(a->ctx, x, n, sizeof *x);
    return status;
}

sf_status sf_action_describe(sf_action *a, sf_action_info *out)
{
    memset(out, 0, sizeof *out);
    SFI_TRY(prepare(a));
    *out = (sf_action_info){.points = a->points,
                            .unknowns = a->free_count,
                            .is_linear = a->is_linear,
                            .is_singular = a->is_singular,
                            .has_motion = a->has_motion,
                            .is_timed = a->is_timed};
    return SF_OK;
}

sf_status sfi_action_check_scalars(const sf_action *a, const char *verb)
{
    return a->form == NULL
               ? SF_OK
               : SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                          "%s: the unknowns are those of the form %s, which "
                          "evolve and solve take",
                          verb, a->form);
}

sf_status sfi_action_check_rest(const sf_action *a)
{
    return !a->is_timed ? SF_OK
                        : SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                                   "action: something in it depends on t, and "
                                   "nothing is at rest; follow it by evolve "
                                   "or flow");
}

/* ---- as a functional ----------------------------------------------------------------------- */

/* One of the three callbacks for a walker after the other. */
static sf_status each_walker(sf_action *a, double *value, double *out,
                             const double *x, const double *v, int64_t walkers)
{
    const size_t all = (size_t)(a->unknowns * a->points);
    const int64_t n = a->free_count;
    double *room = sfi_alloc(a->ctx, 3 * all, sizeof *room);
    sf_status status = room != NULL ? SF_OK : SF_E_NOMEM;
    for (int64_t w = 0; w < walkers && status == SF_OK; w++) {
        sfi_action_spread(a, x + w * n, room, true);
        if (value != NULL)
            status = sfi_action_value(a, room, &value[w]);
        if (v != NULL)
            sfi_action_spread(a, v + w * n, room + all, false);
        if (out != NULL && status == SF_OK)
            status = v != NULL ? sfi_action_product(a, room, room + all,
                                                    room + 2 * all)
                               : sfi_action_gradient(a, room, room + 2 * all);
        if (out != NULL && status == SF_OK)
            sfi_action_collect(a, room + 2 * all, out + w * n);
    }
    sfi_free(a->ctx, room, 3 * all, sizeof *room);
    return status;
}

static sf_status value(sf_context *ctx, void *user, double *out,
                       const double *x, int64_t walkers)
{
    (void)ctx;
    return each_walker(user, out, NULL, x, NULL, walkers);
}

static sf_status gradient(sf_context *ctx, void *user, double *values,
                          double *out, const double *x, int64_t walkers)
{
    (void)ctx;
    return each_walker(user, values, out, x, NULL, walkers);
}

static sf_status product(sf_context *ctx, void *user, double *out,
                         const double *x, const double *v, int64_t walkers)
{
    (void)ctx;
    return each_walker(user, NULL, out, x, v, walkers);
}

sf_status sf_action_functional(sf_action *a, sf_functional *out)
{
    const sf_functional none = SF_FUNCTIONAL_INIT;
    *out = none;
    SFI_TRY(prepare(a));
    if (a->is_open)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: the field beyond an open side belongs to the "
                        "action and is no free number of it; solve it");
    SFI_TRY(sfi_action_check_rest(a));
    out->name = "action";
    out->unknowns = a->free_count;
    out->user = a;
    out->value = value;
    out->gradient = gradient;
    out->hvp = product;
    return SF_OK;
}

sf_status sf_action_pack(sf_action *a, const sf_field *fields, double *x)
{
    const size_t all = (size_t)(a->unknowns * a->points);
    SFI_TRY(prepare(a));
    double *room = sfi_alloc(a->ctx, all, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    const sf_status status = sfi_action_gather(a, fields, room);
    if (status == SF_OK)
        sfi_action_collect(a, room, x);
    sfi_free(a->ctx, room, all, sizeof *room);
    return status;
}

sf_status sf_action_unpack(sf_action *a, const double *x, sf_field *fields)
{
    const size_t all = (size_t)(a->unknowns * a->points);
    SFI_TRY(prepare(a));
    double *room = sfi_alloc(a->ctx, all, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    sfi_action_spread(a, x, room, true);
    sfi_action_scatter(a, room, fields);
    sfi_free(a->ctx, room, all, sizeof *room);
    return SF_OK;
}
