/* SPDX-License-Identifier: Apache-2.0 */
/* apply.c - an action and its derivatives at all points: a box for each class. */
#include "action/action.h"
#include "field/layout.h"

#include <math.h>
#include <string.h>

/* A box of points of one class. */
typedef struct class_box {
    sfi_place_class place[SF_MAX_AXES];
    int64_t first[SF_MAX_AXES], count[SF_MAX_AXES];
    int number; /* of the class */
    bool is_pinned;
} class_box;

/* What the arrays of a run are. */
typedef struct arrays {
    const double *x, *v;
    double *out; /* [unknowns][points], or one sum */
} arrays;

typedef sf_status (*box_fn)(sf_action *a, const class_box *b, sfi_task_of task,
                            const arrays *io);

/* The n-th class; false if it has no points. */
static bool make_box(const sf_action *a, int number, class_box *b)
{
    memset(b, 0, sizeof *b);
    b->number = number;
    for (int k = 0; k < a->rank; k++, number /= 3) {
        const int64_t n = a->count[k];
        b->place[k] = (sfi_place_class)(number % 3);
        b->first[k] = b->place[k] == SFI_AT_LOW   ? 0
                      : b->place[k] == SFI_INSIDE ? 1
                                                  : n - 1;
        b->count[k] = b->place[k] == SFI_INSIDE ? n - 2 : 1;
        if (b->count[k] < 1)
            return false;
        const int w = 2 * k + (b->place[k] == SFI_AT_HIGH);
        b->is_pinned |= b->place[k] != SFI_INSIDE && !sfi_is_cells(a, k) &&
                        a->walls[w].kind == SF_SIDE_PIN && a->form == NULL;
    }
    return true;
}

static int class_count(const sf_action *a)
{
    int n = 1;
    for (int k = 0; k < a->rank; k++)
        n *= 3;
    return n;
}

/* ---- sources ------------------------------------------------------------------------ */

/* The element of the first point of a box, moved by an offset, round closed axes. */
static int64_t element(const sf_action *a, const class_box *b,
                       const int *offset, const int64_t *stride)
{
    int64_t at = 0;
    for (int k = 0; k < a->rank; k++) {
        const int64_t n = a->count[k];
        at += (b->first[k] + offset[k] + n) % n * stride[k];
    }
    return at;
}

static sf_source source_of(const sf_action *a, const class_box *b,
                           const sfi_point_read *r, const arrays *io)
{
    sf_source s = {.kind = SF_GRID, .dtype = SF_F64};
    const int64_t *stride = a->stride;
    const double *base = NULL;
    switch (r->of) {
    case SFI_READ_VALUE:
        base = io->x + r->index * a->points;
        break;
    case SFI_READ_VECTOR:
        base = io->v + r->index * a->points;
        break;
    case SFI_READ_SOURCE:
        base = a->named[r->index].values;
        break;
    case SFI_READ_TIME:
        s.data = &a->time;
        return s;
    case SFI_READ_LINE: {
        const int axis = r->index / SFI_LINES;
        s.data = a->lines[axis][r->index % SFI_LINES] + b->first[axis] +
                 r->offset[axis];
        s.steps[axis] = 1;
        return s;
    }
    case SFI_READ_WALL_VALUE:
        base = a->walls[r->index].values;
        stride = a->walls[r->index].step;
        break;
    case SFI_READ_WALL_FACTOR:
        base = a->walls[r->index].factors;
        stride = a->walls[r->index].step;
        break;
    }
    s.data = base + element(a, b, r->offset, stride);
    memcpy(s.steps, stride, sizeof s.steps);
    return s;
}

/* ---- running ------------------------------------------------------------------------- */

static sf_status run_box(sf_action *a, const class_box *b, sfi_task_of task,
                         const arrays *io)
{
    static const int here[SF_MAX_AXES] = {0};
    sfi_class_program *p = &a->programs[task][b->number];
    if (!p->is_made)
        SFI_TRY(sfi_class_program_make(a, task, b->place, p));
    for (size_t i = 0; i < p->read_count; i++)
        p->sources[i] = source_of(a, b, &p->reads[i], io);
    sf_box box = {.rank = a->rank};
    memcpy(box.extent, b->count, sizeof box.extent);
    sf_box_sink sinks[SF_MOST_UNKNOWNS] = {{{0}, {0}}};
    double sum = 0.0;
    if (task == SFI_VALUE) {
        sinks[0].to = (sf_sink){&sum, SF_F64, 0};
        SFI_TRY(sf_program_run_box(p->program, &box, p->sources, NULL, sinks));
        *io->out += sum;
        return SF_OK;
    }
    for (int u = 0; u < a->unknowns; u++) {
        sinks[u].to =
            (sf_sink){io->out + u * a->points + element(a, b, here, a->stride),
                      SF_F64, 0};
        memcpy(sinks[u].steps, a->stride, sizeof a->stride);
    }
    return sf_program_run_box(p->program, &box, p->sources, NULL, sinks);
}

static sf_status run_all(sf_action *a, sfi_task_of task, const arrays *io)
{
    SFI_TRY(sfi_action_read(a));
    const int classes = class_count(a);
    for (int n = 0; n < classes; n++) {
        class_box b;
        if (make_box(a, n, &b) && (task == SFI_VALUE || !b.is_pinned))
            SFI_TRY(run_box(a, &b, task, io));
    }
    return SF_OK;
}

static sf_status run_points(sf_action *a, sfi_task_of task, const double *x,
                            const double *v, double *out)
{
    memset(out, 0, (size_t)(a->unknowns * a->points) * sizeof *out);
    const arrays io = {x, v, out};
    return run_all(a, task, &io);
}

sf_status sfi_action_value(sf_action *a, const double *x, double *out)
{
    *out = 0.0;
    const arrays io = {x, NULL, out};
    return run_all(a, SFI_VALUE, &io);
}

sf_status sfi_action_gradient(sf_action *a, const double *x, double *out)
{
    return run_points(a, SFI_GRADIENT, x, NULL, out);
}

sf_status sfi_action_product(sf_action *a, const double *x, const double *v,
                             double *out)
{
    return run_points(a, SFI_PRODUCT, x, v, out);
}

sf_status sfi_action_diagonal(sf_action *a, const double *x, double *out)
{
    return run_points(a, SFI_DIAGONAL, x, NULL, out);
}

/* ---- points ---------------------------------------------------------------------------- */

/* The widths of the cells along an axis. */
static void scale_by_widths(const sf_action *a, int k, double *x)
{
    for (int64_t i = 0; i < a->points; i++) {
        const int64_t at = i / a->stride[k] % a->count[k];
        double width = 0.0;
        if (!(sfi_is_end(a, k, false) && at == 0))
            width += a->lines[k][SFI_LINE_LOW][at];
        if (!(sfi_is_end(a, k, true) && at == a->count[k] - 1))
            width += a->lines[k][SFI_LINE_HIGH][at];
        x[i] *= width;
    }
}

/* Between two points, the half of each that is towards the other. */
static void join_halves(const sf_action *a, int k, double *x)
{
    const int64_t n = a->count[k], stride = a->stride[k];
    const double *low = a->lines[k][SFI_LINE_LOW],
                 *high = a->lines[k][SFI_LINE_HIGH];
    for (int64_t line = 0; line < a->points / n; line++) {
        double *at = x + line / stride * stride * n + line % stride;
        const double first = at[0];
        for (int64_t i = 0; i < n; i++) {
            const double here = high[i] * at[i * stride];
            at[i * stride] = i < n - 1
                                 ? here + low[i + 1] * at[(i + 1) * stride]
                             : sfi_is_closed(a, k) ? here + low[0] * first
                                                   : 0.0;
        }
    }
}

void sfi_action_cells(const sf_action *a, unsigned place, const double *c,
                      double *out)
{
    for (int64_t i = 0; i < a->points; i++)
        out[i] = c != NULL ? c[i] : 1.0;
    for (int k = 0; k < a->rank; k++)
        if (place >> k & 1u)
            join_halves(a, k, out);
        else
            scale_by_widths(a, k, out);
}

/* By the same tables as the corners. */
void sfi_action_volumes(const sf_action *a, double *out)
{
    sfi_action_cells(a, 0, NULL, out);
}

sf_status sfi_action_inertia(sf_action *a, int u, double *out)
{
    double number = 0.0;
    SFI_TRY(sfi_action_read(a));
    if (a->inertia[u].id < 0)
        return SFI_FAIL(
            a->ctx, SF_E_ARG,
            "action: the density has no square of dt(%s); follow it "
            "downhill as a flow, or solve it at rest",
            a->names[u]);
    if (a->motion_problem[0] != '\0')
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED, "action: %s",
                        a->motion_problem);
    if (sfi_is_const(a->graph, a->inertia[u], &number)) {
        for (int64_t i = 0; i < a->points; i++)
            out[i] = number;
        return SF_OK;
    }
    sf_program *program = NULL;
    const sf_output output = {a->inertia[u], SF_EACH};
    sf_source *sources =
        sfi_alloc_zero(a->ctx, a->leaf_count + 1, sizeof *sources);
    if (sources == NULL)
        return SF_E_NOMEM;
    sf_box box = {.rank = a->rank};
    sf_box_sink sink = {.to = {out, SF_F64, 0}};
    memcpy(box.extent, a->count, sizeof box.extent);
    memcpy(sink.steps, a->stride, sizeof sink.steps);
    for (size_t i = 0; i < a->leaf_count; i++) {
        const sfi_density_leaf *l = &a->leaves[i];
        sources[i] = (sf_source){.kind = SF_GRID, .dtype = SF_F64};
        if (l->kind == SFI_LEAF_COORD) {
            sources[i].data = a->lines[l->axis][SFI_LINE_COORD];
            sources[i].steps[l->axis] = 1;
        } else if (l->kind == SFI_LEAF_SOURCE) {
            sources[i].data = a->named[l->index].values;
            memcpy(sources[i].steps, a->stride, sizeof sources[i].steps);
        } else {
            sources[i].data = out; /* it depends on none of these */
        }
    }
    sf_status status =
        sf_program_new(a->ctx, &program, a->graph, SF_F64, 1, &output);
    if (status == SF_OK)
        status = sf_program_run_box(program, &box, sources, NULL, &sink);
    sf_program_free(program);
    sfi_free(a->ctx, sources, a->leaf_count + 1, sizeof *sources);
    return status;
}

/* The wall's value at a point of it. */
static double pinned_value(const sf_action *a, int w, const int64_t *index)
{
    const sfi_action_wall *wall = &a->walls[w];
    int64_t at = 0;
    if (wall->is_number)
        return wall->value;
    for (int k = 0; k < a->rank; k++)
        at += index[k] * wall->step[k];
    return wall->values[at];
}

/* Visit the points of a wall. */
static bool next_on_wall(const sf_action *a, int axis, int64_t *index)
{
    for (int k = a->rank - 1; k >= 0; k--) {
        if (k == axis)
            continue;
        if (++index[k] < a->count[k])
            return true;
        index[k] = 0;
    }
    return false;
}

static bool is_pin(const sf_action *a, int w)
{
    return a->walls[w].kind == SF_SIDE_PIN && !sfi_is_cells(a, w / 2);
}

static void pin_wall(const sf_action *a, int w, double *x)
{
    const int axis = w / 2;
    int64_t index[SF_MAX_AXES] = {0};
    if (!is_pin(a, w))
        return;
    index[axis] = w % 2 == 0 ? 0 : a->count[axis] - 1;
    do {
        int64_t at = 0;
        for (int k = 0; k < a->rank; k++)
            at += index[k] * a->stride[k];
        x[at] = pinned_value(a, w, index);
    } while (next_on_wall(a, axis, index));
}

sf_status sfi_action_check_pins(const sf_action *a)
{
    for (int w = 0; w < 2 * a->rank; w++) {
        int64_t index[SF_MAX_AXES] = {0};
        if (!is_pin(a, w))
            continue;
        index[w / 2] = w % 2 == 0 ? 0 : a->count[w / 2] - 1;
        do {
            const double one = pinned_value(a, w, index);
            for (int v = w + 1; v < 2 * a->rank; v++) {
                const int64_t end = v % 2 == 0 ? 0 : a->count[v / 2] - 1;
                if (!is_pin(a, v) || index[v / 2] != end)
                    continue;
                const double other = pinned_value(a, v, index);
                if (fabs(other - one) > 1e-12 * fmax(1.0, fabs(one)))
                    return SFI_FAIL(
                        a->ctx, SF_E_ARG,
                        "action: two pinned sides meet and do not agree: %g "
                        "on %s%s, %g on %s%s",
                        one, sf_grid_axis(a->grid, w / 2)->name,
                        w % 2 == 0 ? "-" : "+", other,
                        sf_grid_axis(a->grid, v / 2)->name,
                        v % 2 == 0 ? "-" : "+");
            }
        } while (next_on_wall(a, w / 2, index));
    }
    return SF_OK;
}

void sfi_action_pin(const sf_action *a, int u, double *x)
{
    const int half = a->half[u];
    for (int w = 0; w < 2 * a->rank; w++)
        if (w / 2 != half) /* to which it is not along */
            pin_wall(a, w, x);
    for (int64_t i = 0; i < a->points && half >= 0 && !sfi_is_closed(a, half);
         i++)
        if (i / a->stride[half] % a->count[half] == a->count[half] - 1)
            x[i] = 0.0;
}

/* ---- free numbers -------------------------------------------------------------------------- */

void sfi_action_spread(const sf_action *a, const double *free, double *x,
                       bool pinned_values)
{
    for (int u = 0; u < a->unknowns; u++) {
        double *to = x + u * a->points;
        for (int64_t i = 0; i < a->points; i++)
            to[i] = a->pinned[u * a->points + i] ? 0.0 : *free++;
        if (pinned_values)
            sfi_action_pin(a, u, to);
    }
}

void sfi_action_collect(const sf_action *a, const double *x, double *free)
{
    for (int u = 0; u < a->unknowns; u++)
        for (int64_t i = 0; i < a->points; i++)
            if (!a->pinned[u * a->points + i])
                *free++ = x[u * a->points + i];
}

/* ---- fields ------------------------------------------------------------------------------ */

/* Whether a field has the numbers of unknown u. */
static bool lies_on(const sf_action *a, int u, const sf_field *f)
{
    bool fits = f->grid != NULL && sf_grid_rank(f->grid) == a->rank &&
                f->components == 1;
    for (int k = 0; k < a->rank && fits; k++)
        fits = sf_field_count(f, 0, k) ==
               a->count[k] - (k == a->half[u] && !sfi_is_closed(a, k));
    return fits;
}

/* Element of a row of a field. */
static int64_t row_of(const sf_action *a, const sfi_row_walk *w)
{
    int64_t at = 0;
    for (int k = 0; k < a->rank - 1; k++)
        at += w->index[k] * a->stride[k];
    return at;
}

sf_status sfi_action_gather(sf_action *a, const sf_field *fields, double *x)
{
    for (int u = 0; u < a->unknowns; u++) {
        const sf_field *f = &fields[u];
        if (!lies_on(a, u, f))
            return SFI_FAIL(a->ctx, SF_E_SHAPE,
                            "action: field %d is to lie on the points of the "
                            "action's grid%s",
                            u,
                            a->half[u] >= 0 ? ", midway along its axis" : "");
        double *to = x + u * a->points;
        memset(to, 0, (size_t)a->points * sizeof *to);
        sfi_row_walk w = sfi_walk(f, 0);
        do {
            double *row = to + row_of(a, &w);
            for (int64_t i = 0; i < w.count; i++)
                row[i] = sfi_number_get(f->dtype, f->data[0], w.at + i);
        } while (sfi_walk_on(&w));
    }
    return SF_OK;
}

void sfi_action_put(const sf_action *a, const double *x, sf_field *field)
{
    sfi_row_walk w = sfi_walk(field, 0);
    do {
        const double *row = x + row_of(a, &w);
        for (int64_t i = 0; i < w.count; i++)
            sfi_number_put(field->dtype, field->data[0], w.at + i, row[i]);
    } while (sfi_walk_on(&w));
}

void sfi_action_scatter(const sf_action *a, const double *x, sf_field *fields)
{
    for (int u = 0; u < a->unknowns; u++)
        sfi_action_put(a, x + u * a->points, &fields[u]);
}
