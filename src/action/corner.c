/* SPDX-License-Identifier: Apache-2.0 */
/* corner.c - the corner rule.
 *
 *     S = sum_i sum_s V(i,s) L(phi_i, D^s phi_i, x_i),
 *     D^s_mu phi_i = s_mu (phi_(i + s_mu e_mu) - phi_i) / l_mu(i, s_mu)
 *
 * over the points i and, at each, the corners s of its cell that lie in the domain.  V is
 * the exact volume of the part of the cell towards s, l the length of the edge.  The
 * gradient at a point is that of the terms which hold its value: its own corners, and of
 * each neighbour those that face it.  These terms are written out and derived, so it is
 * the gradient of S to rounding, and no sum meets another thread's.
 *
 * A component of a one-form lies on the edges; at a corner it is that of the edge from the
 * point along its axis towards the corner, and a slope along another axis is the difference
 * of two parallel edges of one face.
 *
 * Where an axis has cells (points half a cell off its walls), the corner towards a wall
 * stays: with half an edge to a pinned value, and without a slope at another wall. */
#include "action/action.h"

#include <math.h>
#include <string.h>

/* A graph for one class of points. */
typedef struct building {
    sf_action *a;
    sf_graph *g;
    const sfi_place_class *place;
    sfi_class_program *into;
} building;

/* A point beside the one at hand, and the corner of its cell. */
typedef struct corner {
    int at[SF_MAX_AXES];
    int side[SF_MAX_AXES]; /* -1 or 1 */
} corner;

/* ---- what is read -------------------------------------------------------------------- */

static sf_node read_at(building *b, sfi_read_of of, int index, const int *at)
{
    sfi_class_program *p = b->into;
    sfi_point_read want = {.of = of, .index = index};
    memcpy(want.offset, at, sizeof want.offset);
    for (size_t i = 0; i < p->read_count; i++)
        if (p->reads[i].of == of && p->reads[i].index == index &&
            memcmp(p->reads[i].offset, at, sizeof want.offset) == 0)
            return p->reads[i].node;
    sfi_point_read *grown = sfi_grow(b->a->ctx, p->reads, &p->read_capacity,
                                     p->read_count + 1, sizeof *grown);
    if (grown == NULL)
        return sfi_graph_fail(b->g, SF_E_NOMEM, "action: no memory");
    p->reads = grown;
    want.node = sf_input(b->g, "read", 0, NULL);
    p->reads[p->read_count++] = want;
    return want.node;
}

/* A table of an axis; a number where it is the same at all inner points. */
static sf_node line_at(building *b, int axis, sfi_line_rule rule, int at)
{
    const sf_action *a = b->a;
    const double *line = a->lines[axis][rule];
    const int64_t n = a->count[axis];
    int offset[SF_MAX_AXES] = {0};
    offset[axis] = at;
    if (b->place[axis] != SFI_INSIDE) { /* one point */
        const int64_t here = b->place[axis] == SFI_AT_LOW ? 0 : n - 1;
        return sf_const(b->g, line[(here + at + n) % n]);
    }
    if (a->is_uniform[axis] && rule != SFI_LINE_COORD) {
        /* A wall's half cell is not in reach of an inner point's own corners, but of
         * its neighbours': their corners towards it are whole. */
        return sf_const(b->g, line[n / 2]);
    }
    return read_at(b, SFI_READ_LINE, axis * SFI_LINES + (int)rule, offset);
}

/* ---- geometry -------------------------------------------------------------------------- */

static bool is_at(const building *b, int axis, int at, int side)
{
    /* Whether the point at this offset is the last one on that side. */
    if (sfi_is_closed(b->a, axis))
        return false;
    if (b->a->count[axis] == 2 && at != 0)
        return (at > 0) == (side > 0);
    return at == 0 && b->place[axis] == (side < 0 ? SFI_AT_LOW : SFI_AT_HIGH);
}

/* Whether a corner lies in the domain. */
static bool is_inside(const building *b, const corner *c)
{
    for (int k = 0; k < b->a->rank; k++)
        if (is_at(b, k, c->at[k], c->side[k]) &&
            sfi_is_end(b->a, k, c->side[k] > 0))
            return false;
    return true;
}

static sf_node volume(building *b, const corner *c)
{
    sf_node v = sf_const(b->g, 1.0);
    for (int k = 0; k < b->a->rank; k++)
        v = sf_mul(b->g, v,
                   line_at(b, k, c->side[k] < 0 ? SFI_LINE_LOW : SFI_LINE_HIGH,
                           c->at[k]));
    return v;
}

/* The axis on which the length of a step along another one depends, or -1. */
static int metric_axis(const sf_action *a, int axis, bool second)
{
    const sf_role role = sf_grid_axis(a->grid, axis)->role;
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    const int r = sf_grid_find_role(a->grid, SF_ROLE_R);
    const int lat = sf_grid_find_role(a->grid, SF_ROLE_LAT);
    if (role == SF_ROLE_THETA)
        return second ? -1 : r;
    if (geometry == SF_GEOMETRY_SPHERICAL && role == SF_ROLE_LAT)
        return second ? -1 : r;
    if (role == SF_ROLE_LON && geometry == SF_GEOMETRY_SPHERICAL)
        return second ? lat : r;
    if (role == SF_ROLE_LON)
        return second ? -1 : lat;
    return -1;
}

/* 1 / length of a step along an axis at the point of a corner, from that of its
 * coordinate. */
static sf_node over_h(building *b, const corner *c, int axis, sf_node l)
{
    sf_graph *g = b->g;
    const sf_action *a = b->a;
    const sf_role role = sf_grid_axis(a->grid, axis)->role;
    if (sf_grid_geometry(a->grid) == SF_GEOMETRY_SPHERE &&
        (role == SF_ROLE_LAT || role == SF_ROLE_LON))
        l = sf_mul(g, sf_const(g, 1.0 / sf_grid_radius(a->grid)), l);
    for (int second = 0; second < 2; second++) {
        const int by = metric_axis(a, axis, second);
        if (by >= 0)
            l = sf_mul(g, l, line_at(b, by, SFI_LINE_INVERSE_H, c->at[by]));
    }
    return l;
}

static sf_node inverse_length(building *b, const corner *c, int axis)
{
    return over_h(b, c, axis,
                  line_at(b, axis, SFI_LINE_EDGE,
                          c->at[axis] + (c->side[axis] < 0 ? -1 : 0)));
}

/* From the last point of an axis of cells to its wall. */
static sf_node inverse_half(building *b, const corner *c, int axis)
{
    const sf_axis *line = sf_grid_axis(b->a->grid, axis);
    const int64_t n = line->count;
    const double length = c->side[axis] < 0
                              ? fabs(line->coords[0] - line->edges[0])
                              : fabs(line->edges[n] - line->coords[n - 1]);
    return over_h(b, c, axis,
                  sf_const(b->g, 1.0 / (length * b->a->grid->radian[axis])));
}

/* The value of an unknown that a corner sees, or, with an axis, the one a step further: on
 * the point, or from it towards the corner. */
static sf_node value_at(building *b, const corner *c, int unknown, int axis)
{
    const int half = b->a->half[unknown];
    int at[SF_MAX_AXES];
    memcpy(at, c->at, sizeof at);
    if (half >= 0 && c->side[half] < 0)
        at[half]--;
    if (axis >= 0)
        at[axis] += c->side[axis];
    return read_at(b, SFI_READ_VALUE, unknown, at);
}

/* D^s_mu phi. */
static sf_node slope(building *b, const corner *c, int unknown, int axis)
{
    sf_graph *g = b->g;
    const sf_action *a = b->a;
    const sf_node here = value_at(b, c, unknown, -1);
    if (is_at(b, axis, c->at[axis], c->side[axis])) {
        const int w = 2 * axis + (c->side[axis] > 0);
        const sfi_action_wall *wall = &a->walls[w];
        if (wall->kind == SF_SIDE_OPEN)
            return sf_mul(
                g,
                sf_mul(g, sf_const(g, c->side[axis]),
                       inverse_length(b, c, axis)),
                sf_sub(g, read_at(b, SFI_READ_WALL_VALUE, w, c->at), here));
        /* of cells */
        if (wall->kind != SF_SIDE_PIN)
            return sf_const(g, 0.0);
        const sf_node value = wall->is_number
                                  ? sf_const(g, wall->value)
                                  : read_at(b, SFI_READ_WALL_VALUE, w, c->at);
        return sf_mul(
            g, sf_mul(g, sf_const(g, c->side[axis]), inverse_half(b, c, axis)),
            sf_sub(g, value, here));
    }
    const sf_node there = value_at(b, c, unknown, axis);
    return sf_mul(g, inverse_length(b, c, axis),
                  c->side[axis] > 0 ? sf_sub(g, there, here)
                                    : sf_sub(g, here, there));
}

/* ---- terms -------------------------------------------------------------------------------- */

/* V L of one corner; or, with an axis that is open on that side, of the corner of the point
 * beyond, which faces this one.  That has the same slope along the axis; those along others
 * do not hold this point's value, and are left out of a density that couples none. */
static sf_node term(building *b, const corner *c, int facing)
{
    static const int here[SF_MAX_AXES] = {0};
    sf_action *a = b->a;
    sf_graph *g = b->g;
    sf_node *values = sfi_alloc(a->ctx, a->leaf_count + 1, sizeof *values);
    if (values == NULL)
        return sfi_graph_fail(g, SF_E_NOMEM, "action: no memory");
    for (size_t i = 0; i < a->leaf_count; i++) {
        const sfi_density_leaf *l = &a->leaves[i];
        values[i] =
            facing >= 0 && (l->kind == SFI_LEAF_VALUE ||
                            (l->kind == SFI_LEAF_SLOPE && l->axis != facing))
                ? sf_const(g, 0.0)
            : l->kind == SFI_LEAF_VALUE ? value_at(b, c, l->index, -1)
            : l->kind == SFI_LEAF_SLOPE ? slope(b, c, l->index, l->axis)
            : l->kind == SFI_LEAF_COORD
                ? line_at(b, l->axis, SFI_LINE_COORD, c->at[l->axis])
            : l->kind == SFI_LEAF_TIME ? read_at(b, SFI_READ_TIME, 0, here)
            : l->kind == SFI_LEAF_SOURCE
                ? read_at(b, SFI_READ_SOURCE, l->index, c->at)
                : sf_const(g, 0.0);
    }
    const sf_node density =
        sfi_substitute(g, a->graph, a->energy, values, NULL);
    sfi_free(a->ctx, values, a->leaf_count + 1, sizeof *values);
    return sf_mul(g, volume(b, c), density);
}

/* Area of the cell's face on a wall: of what the volume grows by there. */
static sf_node area(building *b, int axis)
{
    sf_graph *g = b->g;
    const sf_action *a = b->a;
    const sf_axis *line = sf_grid_axis(a->grid, axis);
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    const double x = b->place[axis] == SFI_AT_LOW
                         ? line->coords[0]
                         : line->coords[line->count - 1];
    const double pi = 3.14159265358979323846;
    double grows = 1.0;
    if (line->role == SF_ROLE_R)
        grows = geometry == SF_GEOMETRY_RADIAL         ? 4.0 * pi * x * x
                : geometry == SF_GEOMETRY_SPHERICAL    ? x * x
                : geometry == SF_GEOMETRY_AXISYMMETRIC ? 2.0 * pi * x
                : geometry == SF_GEOMETRY_CARTESIAN    ? 1.0
                                                       : x;
    if (line->role == SF_ROLE_LAT) {
        const double r =
            geometry == SF_GEOMETRY_SPHERE ? sf_grid_radius(a->grid) : 1.0;
        grows = r * cos(x * a->grid->radian[axis]); /* a^2 cos / a */
    } else if (line->role == SF_ROLE_LON && geometry == SF_GEOMETRY_SPHERE) {
        grows = 1.0 / sf_grid_radius(a->grid);
    }
    sf_node out = sf_const(g, grows);
    for (int k = 0; k < a->rank; k++) {
        if (k == axis)
            continue;
        const bool at_low = is_at(b, k, 0, -1) && sfi_is_end(a, k, false);
        const bool at_high = is_at(b, k, 0, 1) && sfi_is_end(a, k, true);
        const sf_node below =
            at_low ? sf_const(g, 0.0) : line_at(b, k, SFI_LINE_LOW, 0);
        const sf_node above =
            at_high ? sf_const(g, 0.0) : line_at(b, k, SFI_LINE_HIGH, 0);
        out = sf_mul(g, out, sf_add(g, below, above));
    }
    for (int second = 0; second < 2; second++) {
        const int by = metric_axis(a, axis, second);
        if (by >= 0)
            out = sf_mul(g, out, line_at(b, by, SFI_LINE_INVERSE_H, 0));
    }
    return out;
}

/* alpha phi^2/2 - q phi on the walls that the point lies on. */
static sf_node wall_terms(building *b)
{
    static const int here[SF_MAX_AXES] = {0};
    sf_graph *g = b->g;
    const sf_action *a = b->a;
    sf_node sum = sf_const(g, 0.0);
    for (int w = 0; w < 2 * a->rank; w++) {
        const sfi_action_wall *wall = &a->walls[w];
        if (!is_at(b, w / 2, 0, w % 2 == 0 ? -1 : 1) ||
            (wall->kind != SF_SIDE_FLUX && wall->kind != SF_SIDE_ROBIN))
            continue;
        const sf_node q = wall->is_number
                              ? sf_const(g, wall->value)
                              : read_at(b, SFI_READ_WALL_VALUE, w, here);
        for (int u = 0; u < a->unknowns; u++) {
            const sf_node phi = read_at(b, SFI_READ_VALUE, u, here);
            sf_node e = sf_neg(g, sf_mul(g, q, phi));
            if (wall->kind == SF_SIDE_ROBIN) {
                const sf_node alpha =
                    wall->is_number ? sf_const(g, wall->factor)
                                    : read_at(b, SFI_READ_WALL_FACTOR, w, here);
                e = sf_add(g, e,
                           sf_mul(g, sf_const(g, 0.5),
                                  sf_mul(g, alpha, sf_square(g, phi))));
            }
            sum = sf_add(g, sum, sf_mul(g, area(b, w / 2), e));
        }
    }
    return sum;
}

static void set_corner(const sf_action *a, int bits, corner *c)
{
    for (int k = 0; k < SF_MAX_AXES; k++)
        c->side[k] = k < a->rank && bits >> k & 1 ? 1 : -1;
}

/* The terms of the point's own cell. */
static sf_node own_terms(building *b)
{
    sf_graph *g = b->g;
    sf_node sum = sf_const(g, 0.0);
    for (int bits = 0; bits < 1 << b->a->rank; bits++) {
        corner c = {{0}, {0}};
        set_corner(b->a, bits, &c);
        if (is_inside(b, &c))
            sum = sf_add(g, sum, term(b, &c, -1));
    }
    return sf_add(g, sum, wall_terms(b));
}

/* Of a component that lies between this point and the next along an axis: the corners of
 * both, and of their neighbours along others, that see it. */
static sf_node terms_between(building *b, int axis)
{
    sf_graph *g = b->g;
    const sf_action *a = b->a;
    sf_node sum = sf_const(g, 0.0);
    for (int bits = 0; bits < 1 << a->rank; bits++)
        for (int k = 0; k < a->rank; k++)
            for (int way = -1; way <= 1; way++) {
                corner c = {{0}, {0}};
                set_corner(a, bits, &c);
                const bool is_own = k == axis;
                c.at[axis] = c.side[axis] > 0 ? 0 : 1;
                if (is_own ? way != 0 : way == 0 || c.side[k] != -way)
                    continue;
                if (!is_own && is_at(b, k, 0, way))
                    continue; /* no neighbour */
                c.at[k] += way;
                if (is_inside(b, &c))
                    sum = sf_add(g, sum, term(b, &c, -1));
            }
    return sum;
}

/* All terms that hold the value of an unknown at the point. */
static sf_node all_terms(building *b, int unknown)
{
    if (b->a->half[unknown] >= 0)
        return terms_between(b, b->a->half[unknown]);

    sf_graph *g = b->g;
    const sf_action *a = b->a;
    sf_node sum = own_terms(b);
    for (int k = 0; k < a->rank; k++)
        for (int way = -1; way <= 1; way += 2) {
            const bool beyond = is_at(b, k, 0, way);
            if (beyond && a->walls[2 * k + (way > 0)].kind != SF_SIDE_OPEN)
                continue; /* no neighbour */
            for (int bits = 0; bits < 1 << a->rank; bits++) {
                corner c = {{0}, {0}};
                set_corner(a, bits, &c);
                c.at[k] = beyond ? 0 : way;
                if (c.side[k] == (beyond ? way : -way) && is_inside(b, &c))
                    sum = sf_add(g, sum, term(b, &c, beyond ? k : -1));
            }
        }
    return sum;
}

/* ---- programs --------------------------------------------------------------------------------- */

/* H v, and the diagonal of H, of one gradient. */
static sf_node product(building *b, sf_node gradient)
{
    sf_graph *g = b->g;
    enum { MOST = 19 * SF_MOST_UNKNOWNS }; /* of three axes; with four, 33 */
    sf_node wrt[MOST] = {{0}}, by[MOST] = {{0}};
    int offsets[MOST][SF_MAX_AXES], index[MOST], n = 0;
    for (size_t i = 0; i < b->into->read_count; i++)
        n += b->into->reads[i].of == SFI_READ_VALUE;
    if (n > MOST)
        return sfi_graph_fail(g, SF_E_UNSUPPORTED,
                              "action: the density couples %d values, want at "
                              "most %d; use fewer axes or fields",
                              n, (int)MOST);
    n = 0;
    for (size_t i = 0; i < b->into->read_count; i++)
        if (b->into->reads[i].of == SFI_READ_VALUE) {
            wrt[n] = b->into->reads[i].node;
            index[n] = b->into->reads[i].index;
            memcpy(offsets[n++], b->into->reads[i].offset, sizeof offsets[0]);
        }
    sf_gradients(g, gradient, n, wrt, by);
    sf_node sum = sf_const(g, 0.0);
    for (int i = 0; i < n; i++) {
        double none;
        if (sfi_is_const(g, by[i], &none) && none == 0.0)
            continue;
        sum = sf_add(g, sum,
                     sf_mul(g, by[i],
                            read_at(b, SFI_READ_VECTOR, index[i], offsets[i])));
    }
    return sum;
}

/* Whether a component of a form is unknown at the points of this class. */
static bool is_free(const building *b, int unknown)
{
    const sf_action *a = b->a;
    for (int k = 0; k < a->rank; k++) {
        const int w = 2 * k + (b->place[k] == SFI_AT_HIGH);
        if (b->place[k] == SFI_INSIDE || sfi_is_closed(a, k))
            continue;
        if (k == a->half[unknown] ? b->place[k] == SFI_AT_HIGH
                                  : a->walls[w].kind == SF_SIDE_PIN)
            return false;
    }
    return true;
}

static int outputs_of(building *b, sfi_task_of task, sf_output *out)
{
    static const int here[SF_MAX_AXES] = {0};
    sf_graph *g = b->g;
    if (task == SFI_VALUE) {
        out[0] = (sf_output){own_terms(b), SF_SUM};
        return 1;
    }
    sf_node phi[SF_MOST_UNKNOWNS], by[SF_MOST_UNKNOWNS];
    const int n = b->a->unknowns;
    for (int u = 0; u < n; u++)
        phi[u] = read_at(b, SFI_READ_VALUE, u, here);
    if (b->a->form == NULL)
        sf_gradients(g, all_terms(b, 0), n, phi, by);
    for (int u = 0; u < n && b->a->form != NULL; u++)
        by[u] = is_free(b, u) ? sf_gradient(g, all_terms(b, u), phi[u])
                              : sf_const(g, 0.0);
    for (int u = 0; u < n; u++)
        out[u] =
            (sf_output){task == SFI_GRADIENT  ? by[u]
                        : task == SFI_PRODUCT ? product(b, by[u])
                                              : sf_gradient(g, by[u], phi[u]),
                        SF_EACH};
    return n;
}

/* Mark what a node is made from. */
static void mark(const sf_graph *g, sf_node node, bool *seen)
{
    if (seen[node.id])
        return;
    seen[node.id] = true;
    for (int k = 0; k < sfi_at(g, node)->arg_count; k++)
        mark(g, sfi_arg(g, node, k), seen);
}

static sf_status count_values(const building *b, int count,
                              const sf_output *outputs)
{
    const size_t nodes = b->g->node_count;
    bool *seen = sfi_alloc_zero(b->a->ctx, nodes, sizeof *seen);
    if (seen == NULL)
        return SF_E_NOMEM;
    for (int i = 0; i < count; i++)
        mark(b->g, outputs[i].node, seen);
    for (size_t i = 0; i < b->into->read_count; i++)
        b->into->value_count += b->into->reads[i].of == SFI_READ_VALUE &&
                                seen[b->into->reads[i].node.id];
    sfi_free(b->a->ctx, seen, nodes, sizeof *seen);
    return SF_OK;
}

sf_status sfi_class_program_make(sf_action *a, sfi_task_of task,
                                 const sfi_place_class *place,
                                 sfi_class_program *out)
{
    building b = {.a = a, .place = place, .into = out};
    sf_output outputs[SF_MOST_UNKNOWNS];
    SFI_TRY(sf_graph_new(a->ctx, &b.g));
    const int count = outputs_of(&b, task, outputs);
    sf_status status = sf_graph_status(b.g);
    if (status == SF_OK)
        status = count_values(&b, count, outputs);
    if (status == SF_OK)
        status =
            sf_program_new(a->ctx, &out->program, b.g, SF_F64, count, outputs);
    if (status == SF_OK && out->read_count > 0) {
        out->sources =
            sfi_alloc_zero(a->ctx, out->read_capacity, sizeof *out->sources);
        status = out->sources != NULL ? SF_OK : SF_E_NOMEM;
    }
    sf_graph_free(b.g);
    out->is_made = status == SF_OK;
    if (status != SF_OK)
        sfi_class_program_free(a, out);
    return status;
}

void sfi_class_program_free(sf_action *a, sfi_class_program *p)
{
    sf_program_free(p->program);
    sfi_free(a->ctx, p->sources, p->read_capacity, sizeof *p->sources);
    sfi_free(a->ctx, p->reads, p->read_capacity, sizeof *p->reads);
    memset(p, 0, sizeof *p);
}
