/* SPDX-License-Identifier: Apache-2.0 */
/* text_values.c - values of texts at all points, or on a wall, and at later times.
 *
 * What depends on t is compiled once; when the time changes, the arrays that programs read
 * are filled again, and the programs stay as they are. */
#include "action/action.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct sfi_values {
    char *text;
    sf_program *program; /* NULL: a number */
    double number;
    sf_source *sources;
    size_t source_count;
    sf_box box;
    int64_t count;
    double wall; /* coordinate of the wall */
    bool is_timed;
    int deltas;
    double at[SFI_MOST_ARGUMENTS][SF_MAX_AXES];
    sf_program *amounts; /* of point sources, over a box of one point */
};

/* ---- programs of nodes --------------------------------------------------------------------- */

/* What the leaves of the graph read at a box of points with coordinates x[axis]. */
static sf_status sources_of(sf_action *a, double *const *x, sf_source **out,
                            size_t *count)
{
    *count = a->graph->input_count;
    *out = sfi_alloc_zero(a->ctx, *count + 1, sizeof **out);
    if (*out == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < a->leaf_count; i++) {
        const sfi_density_leaf *l = &a->leaves[i];
        sf_source *s = &(*out)[i];
        *s = (sf_source){.kind = SF_GRID, .dtype = SF_F64, .data = &a->time};
        if (l->kind == SFI_LEAF_COORD) {
            s->data = x[l->axis];
            s->steps[l->axis] = 1;
        } else if (l->kind == SFI_LEAF_SOURCE) { /* of a box of all points */
            s->data = a->named[l->index].values;
            memcpy(s->steps, a->stride, sizeof s->steps);
        } /* nothing depends on others but the time */
    }
    return SF_OK;
}

static sf_status run(sf_program *program, const sf_box *box,
                     const sf_source *sources, double *values)
{
    sf_box_sink sink = {.to = {values, SF_F64, 0}};
    int64_t step = 1;
    for (int k = box->rank - 1; k >= 0; k--) {
        sink.steps[k] = step;
        step *= box->extent[k];
    }
    return sf_program_run_box(program, box, sources, NULL, &sink);
}

sf_status sfi_action_run(sf_action *a, sf_node node, const sf_box *box,
                         double *const *x, double *values)
{
    sf_program *program = NULL;
    const sf_output output = {node, SF_EACH};
    sf_source *sources = NULL;
    size_t count = 0;
    SFI_TRY(sources_of(a, x, &sources, &count));
    sf_status status =
        sf_program_new(a->ctx, &program, a->graph, SF_F64, 1, &output);
    if (status == SF_OK)
        status = run(program, box, sources, values);
    sf_program_free(program);
    sfi_free(a->ctx, sources, count + 1, sizeof *sources);
    return status;
}

/* ---- point sources -------------------------------------------------------------------------- */

/* Add a source of strength `amount` at a point: its weights on the points around it are
 * multilinear. */
static sf_status add_delta(const sf_action *a, const double *at, double amount,
                           double *values)
{
    int64_t low[SF_MAX_AXES];
    double part[SF_MAX_AXES];
    for (int k = 0; k < a->rank; k++) {
        const sf_axis *axis = sf_grid_axis(a->grid, k);
        const int64_t n = axis->count;
        const bool closed = sfi_is_closed(a, k);
        double x = at[k];
        if (closed)
            x -= axis->period * floor((x - axis->coords[0]) / axis->period);
        const double end =
            closed ? axis->coords[0] + axis->period : axis->coords[n - 1];
        if (!(x >= axis->coords[0]) || !(x <= end))
            return SFI_FAIL(
                a->ctx, SF_E_ARG,
                "action: a point source at %s = %g lies outside the "
                "points of the grid, %g to %g",
                axis->name, at[k], axis->coords[0], end);
        int64_t i = 0;
        while (i < n - (closed ? 1 : 2) && axis->coords[i + 1] <= x)
            i++;
        const double next = i + 1 < n ? axis->coords[i + 1] : end;
        low[k] = i;
        part[k] = (x - axis->coords[i]) / (next - axis->coords[i]);
    }
    for (int corner = 0; corner < 1 << a->rank; corner++) {
        int64_t index[SF_MAX_AXES] = {0}, element = 0;
        double w = amount;
        for (int k = 0; k < a->rank; k++) {
            const bool high = corner >> k & 1;
            w *= high ? part[k] : 1.0 - part[k];
            index[k] = (low[k] + high) % a->count[k];
            element += index[k] * a->stride[k];
        }
        if (w != 0.0)
            values[element] += w / sf_grid_volume(a->grid, index);
    }
    return SF_OK;
}

/* ---- values ----------------------------------------------------------------------------------- */

/* At points with coordinates x[axis], if they are those of the grid or one for each. */
static sf_status check_finite(const sf_action *a, const char *text,
                              const double *values, int64_t count,
                              double *const *x, bool is_timed)
{
    for (int64_t i = 0; i < count; i++) {
        char where[160] = "";
        int64_t rest = i;
        if (isfinite(values[i]))
            continue;
        for (int k = 0; k < a->rank && x != NULL; k++) {
            const size_t used = strlen(where);
            snprintf(where + used, sizeof where - used, "%s%s = %g",
                     k > 0 ? ", " : "", sf_grid_axis(a->grid, k)->name,
                     x[k][rest / a->stride[k] % a->count[k]]);
        }
        char when[40] = "";
        if (is_timed)
            snprintf(when, sizeof when, "%st = %g", *where != '\0' ? ", " : "",
                     a->time);
        return SFI_FAIL(a->ctx, SF_E_ARG, "action: \"%s\" is %g%s%s%s", text,
                        values[i], *where != '\0' || is_timed ? " at " : "",
                        where, when);
    }
    return SF_OK;
}

void sfi_values_free(sf_action *a, sfi_values *v)
{
    if (v == NULL)
        return;
    sfi_free_text(a->ctx, v->text);
    sf_program_free(v->program);
    sf_program_free(v->amounts);
    sfi_free(a->ctx, v->sources, v->source_count + 1, sizeof *v->sources);
    sfi_free(a->ctx, v, 1, sizeof *v);
}

static sf_status compile(sf_action *a, sfi_values *v, const sfi_spread_text *s,
                         int wall)
{
    sf_graph *g = a->graph;
    double *x[SF_MAX_AXES];
    sf_output amounts[SFI_MOST_ARGUMENTS];
    v->box.rank = a->rank;
    v->count = 1;
    for (int k = 0; k < a->rank; k++) {
        const bool is_flat = wall >= 0 && k == wall / 2;
        x[k] = is_flat ? &v->wall : a->lines[k][SFI_LINE_COORD];
        v->box.extent[k] = is_flat ? 1 : a->count[k];
        v->count *= v->box.extent[k];
    }
    if (s->deltas == 0 && sfi_is_const(g, s->rest, &v->number))
        return SF_OK;
    const sf_output rest = {s->rest, SF_EACH};
    for (int i = 0; i < s->deltas; i++)
        amounts[i] = (sf_output){s->amount[i], SF_EACH};
    SFI_TRY(sources_of(a, x, &v->sources, &v->source_count));
    SFI_TRY(sf_program_new(a->ctx, &v->program, g, SF_F64, 1, &rest));
    return s->deltas > 0 ? sf_program_new(a->ctx, &v->amounts, g, SF_F64,
                                          (size_t)s->deltas, amounts)
                         : SF_OK;
}

sf_status sfi_values_new(sf_action *a, sfi_values **out, const char *text,
                         int wall, bool deltas, bool time)
{
    sfi_spread_text s;
    *out = NULL;
    SFI_TRY(sfi_action_parse_spread(a, text, deltas, time, &s));
    sfi_values *v = sfi_alloc_zero(a->ctx, 1, sizeof *v);
    if (v == NULL)
        return SF_E_NOMEM;
    v->is_timed = s.is_timed;
    v->deltas = s.deltas;
    memcpy(v->at, s.at, sizeof v->at);
    if (wall >= 0) {
        const sf_axis *line = sf_grid_axis(a->grid, wall / 2);
        const bool is_high = wall % 2 == 1;
        v->wall = sfi_is_cells(a, wall / 2)
                      ? line->edges[is_high ? line->count : 0]
                      : line->coords[is_high ? line->count - 1 : 0];
    }
    v->text = sfi_copy_text(a->ctx, text);
    const sf_status status =
        v->text != NULL ? compile(a, v, &s, wall) : SF_E_NOMEM;
    if (status != SF_OK)
        sfi_values_free(a, v);
    else
        *out = v;
    return status;
}

bool sfi_values_is_timed(const sfi_values *v)
{
    return v->is_timed;
}

bool sfi_values_is_number(const sfi_values *v)
{
    return v->program == NULL;
}

sf_status sfi_values_run(sf_action *a, const sfi_values *v, double *out)
{
    double *coords[SF_MAX_AXES];
    for (int k = 0; k < a->rank; k++)
        coords[k] = a->lines[k][SFI_LINE_COORD];
    double amount[SFI_MOST_ARGUMENTS];
    sf_box one = {.rank = 1, .extent = {1}};
    sf_box_sink sinks[SFI_MOST_ARGUMENTS] = {{{0}, {0}}};
    if (v->program == NULL)
        for (int64_t i = 0; i < v->count; i++)
            out[i] = v->number;
    else
        SFI_TRY(run(v->program, &v->box, v->sources, out));
    SFI_TRY(check_finite(a, v->text, out, v->count,
                         v->count == a->points ? coords : NULL, v->is_timed));
    for (int i = 0; i < v->deltas; i++)
        sinks[i].to = (sf_sink){&amount[i], SF_F64, 0};
    if (v->deltas > 0) {
        SFI_TRY(sf_program_run_box(v->amounts, &one, v->sources, NULL, sinks));
        SFI_TRY(check_finite(a, v->text, amount, v->deltas, NULL, v->is_timed));
    }
    for (int i = 0; i < v->deltas; i++)
        SFI_TRY(add_delta(a, v->at[i], amount[i], out));
    return SF_OK;
}

/* Midway between the points of the axis; the last number, which is none, has the place of
 * the one before. */
static sf_status evaluate_between(sf_action *a, int axis, const char *text,
                                  double *values)
{
    const sf_axis *line = sf_grid_axis(a->grid, axis);
    const size_t n = (size_t)line->count;
    double *x[SF_MAX_AXES];
    sf_box box = {.rank = a->rank};
    sfi_spread_text s;
    SFI_TRY(sfi_action_parse_spread(a, text, false, false, &s));
    double *middle = sfi_alloc(a->ctx, n, sizeof *middle);
    if (middle == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i + 1 < n; i++)
        middle[i] = 0.5 * (line->coords[i] + line->coords[i + 1]);
    middle[n - 1] = sfi_is_closed(a, axis)
                        ? middle[n - 2] + line->coords[1] - line->coords[0]
                        : middle[n - 2];
    for (int k = 0; k < a->rank; k++) {
        x[k] = k == axis ? middle : a->lines[k][SFI_LINE_COORD];
        box.extent[k] = a->count[k];
    }
    sf_status status = sfi_action_run(a, s.rest, &box, x, values);
    if (status == SF_OK)
        status = check_finite(a, text, values, a->points, x, false);
    sfi_free(a->ctx, middle, n, sizeof *middle);
    return status;
}

sf_status sfi_action_evaluate(sf_action *a, int u, const char *text,
                              double *values)
{
    sfi_values *v = NULL;
    if (u >= 0 && a->half[u] >= 0)
        return evaluate_between(a, a->half[u], text, values);
    SFI_TRY(sfi_values_new(a, &v, text, -1, true, false));
    const sf_status status = sfi_values_run(a, v, values);
    sfi_values_free(a, v);
    return status;
}

/* ---- at a time ---------------------------------------------------------------------------------- */

sf_status sfi_action_at(sf_action *a, double time)
{
    if (!a->is_timed || a->time == time)
        return SF_OK;
    bool has_pins = false;
    a->time = time;
    for (size_t i = 0; i < a->named_count; i++)
        if (a->named[i].timed != NULL)
            SFI_TRY(sfi_values_run(a, a->named[i].timed, a->named[i].values));
    for (int w = 0; w < 2 * a->rank; w++) {
        const sfi_action_wall *wall = &a->walls[w];
        if (wall->timed[0] != NULL)
            SFI_TRY(sfi_values_run(a, wall->timed[0], wall->values));
        if (wall->timed[1] != NULL)
            SFI_TRY(sfi_values_run(a, wall->timed[1], wall->factors));
        has_pins |= wall->kind == SF_SIDE_PIN && wall->timed[0] != NULL;
    }
    return has_pins ? sfi_action_check_pins(a) : SF_OK;
}
