/* SPDX-License-Identifier: Apache-2.0 */
/* expand.c - a term at a position: the graph of a program.
 *
 * A derivative is a sum of its argument at neighbouring points, each expanded there; so
 * operators nest, and what they share is one node.  At a single point near an end the
 * formulas are those of that point, with numbers for weights; in the interior of a
 * stretched axis the weights are read from tables. */
#include "calc/calculation.h"

#include <math.h>
#include <string.h>

/* A term that was expanded at an offset. */
typedef struct sfi_known {
    sf_node term, node;
    int offset[SF_MAX_AXES];
} sfi_known;

static sf_node expand(sfi_expansion *e, sf_node term, const int *offset);

static sf_node no_memory(sfi_expansion *e)
{
    return sfi_graph_fail(e->graph, SF_E_NOMEM, "calc: no memory to expand");
}

static sf_node missing(sfi_expansion *e)
{
    return sf_const(e->graph, NAN);
}

/* ---- what the program reads ---------------------------------------------------- */

static sf_node read_of(sfi_expansion *e, sfi_read_kind kind, int index,
                       const int *offset, unsigned mask)
{
    sfi_read want = {.kind = kind, .index = index};
    for (int k = 0; k < SF_MAX_AXES; k++)
        want.offset[k] = mask >> k & 1u ? offset[k] : 0;
    for (size_t i = 0; i < e->read_count; i++)
        if (e->reads[i].kind == kind && e->reads[i].index == index &&
            memcmp(e->reads[i].offset, want.offset, sizeof want.offset) == 0) {
            e->reads[i].is_used = true;
            return e->reads[i].node;
        }
    sfi_read *grown = sfi_grow(e->calc->ctx, e->reads, &e->read_capacity,
                               e->read_count + 1, sizeof *grown);
    if (grown == NULL)
        return no_memory(e);
    e->reads = grown;
    want.node = sf_input(e->graph, "read", 0, NULL);
    want.is_used = true;
    e->reads[e->read_count++] = want;
    return want.node;
}

static bool is_closed(const sfi_expansion *e, int axis)
{
    return sf_grid_axis(e->calc->grid, axis)->period > 0.0;
}

/* The index that an offset leads to, where the position is a single point. */
static int64_t index_at(const sfi_expansion *e, int axis, const int *offset)
{
    return e->at.index[axis] + offset[axis];
}

/* Whether an offset leads beyond an end. */
static bool is_outside(const sfi_expansion *e, unsigned mask, const int *offset)
{
    for (int k = 0; k < sf_grid_rank(e->calc->grid); k++) {
        const int64_t n = sf_grid_axis(e->calc->grid, k)->count;
        if (mask >> k & 1u && !is_closed(e, k) && e->at.is_single[k] &&
            (index_at(e, k, offset) < 0 || index_at(e, k, offset) >= n))
            return true;
    }
    return false;
}

static sf_node table_of(sfi_expansion *e, int table, const int *offset)
{
    const int axis = e->calc->tables[table].axis;
    if (e->calc->tables[table].rule == SFI_TABLE_INVERSE_A)
        return sf_const(e->graph, sfi_table_at(e->calc, table, 0));
    if (e->at.is_single[axis])
        return sf_const(
            e->graph, sfi_table_at(e->calc, table, index_at(e, axis, offset)));
    return read_of(e, SFI_READ_TABLE, table, offset, 1u << axis);
}

static sf_node table_by_rule(sfi_expansion *e, int axis, sfi_table_rule rule,
                             int q, const int *offset)
{
    const int table = sfi_table_find(e->calc, axis, rule, q);
    return table < 0 ? no_memory(e) : table_of(e, table, offset);
}

/* ---- derivatives ----------------------------------------------------------------- */

static sf_node moved(sfi_expansion *e, sf_node term, const int *offset,
                     int axis, int by)
{
    int there[SF_MAX_AXES];
    memcpy(there, offset, sizeof there);
    there[axis] += by;
    return expand(e, term, there);
}

static sf_node weighted(sfi_expansion *e, sf_node sum, sf_node weight,
                        sf_node value)
{
    const sf_node part = sf_mul(e->graph, weight, value);
    return sum.id < 0 ? part : sf_add(e->graph, sum, part);
}

/* On an axis of equal steps, points to the left and to the right have weights of equal
 * size. */
static sf_node centred(sfi_expansion *e, const sfi_field_term *t,
                       const int *offset)
{
    sf_graph *g = e->graph;
    int offsets[SFI_MOST_POINTS];
    double weights[SFI_MOST_POINTS];
    const int64_t middle = sf_grid_axis(e->calc->grid, t->axis)->count / 2;
    const int n =
        sfi_points_at(e->calc, t->axis, t->m, middle, offsets, weights);
    sf_node sum = {-1};
    for (int q = n / 2 + 1; q < n; q++) {
        const sf_node right = moved(e, t->arg[0], offset, t->axis, offsets[q]);
        const sf_node left = moved(e, t->arg[0], offset, t->axis, -offsets[q]);
        sum = weighted(e, sum, sf_const(g, weights[q]),
                       t->m == 1 ? sf_sub(g, right, left)
                                 : sf_add(g, right, left));
    }
    if (t->m == 2)
        sum = weighted(e, sum, sf_const(g, weights[n / 2]),
                       expand(e, t->arg[0], offset));
    return sum;
}

static sf_node by_tables(sfi_expansion *e, const sfi_field_term *t,
                         const int *offset)
{
    const sfi_table_rule rule = t->m == 1 ? SFI_TABLE_FIRST : SFI_TABLE_SECOND;
    sf_node sum = {-1};
    for (int q = 0; q <= e->calc->o.order; q++)
        sum = weighted(
            e, sum, table_by_rule(e, t->axis, rule, q, offset),
            moved(e, t->arg[0], offset, t->axis, q - e->calc->o.order / 2));
    return sum;
}

static sf_node at_single(sfi_expansion *e, const sfi_field_term *t,
                         const int *offset)
{
    int offsets[SFI_MOST_POINTS];
    double weights[SFI_MOST_POINTS];
    const int n = sfi_points_at(e->calc, t->axis, t->m,
                                index_at(e, t->axis, offset), offsets, weights);
    sf_node sum = {-1};
    for (int q = 0; q < n; q++)
        if (weights[q] != 0.0)
            sum = weighted(e, sum, sf_const(e->graph, weights[q]),
                           moved(e, t->arg[0], offset, t->axis, offsets[q]));
    return sum.id < 0 ? missing(e) : sum;
}

static sf_node derivative(sfi_expansion *e, const sfi_field_term *t,
                          const int *offset)
{
    const double factor =
        t->shift != 0 ? pow(sfi_axis_factor(e->calc, t->axis), t->m) : 1.0;
    const sf_node d = e->at.is_single[t->axis] ? at_single(e, t, offset)
                      : sfi_axis_is_uniform(e->calc, t->axis)
                          ? centred(e, t, offset)
                          : by_tables(e, t, offset);
    return sf_mul(e->graph, sf_const(e->graph, factor), d);
}

/* In the rows at an end of a region the formula lacks a neighbour: there it is
 * f'' - tan f', with the points that are nearest. */
static sf_node laplat(sfi_expansion *e, const sfi_field_term *t,
                      const int *offset)
{
    sf_graph *g = e->graph;
    const int64_t n = sf_grid_axis(e->calc->grid, t->axis)->count;
    const bool single = e->at.is_single[t->axis];
    const int64_t i = index_at(e, t->axis, offset);
    if (single && (i < 1 || i > n - 2)) {
        const sfi_field_term first = {
            .axis = t->axis, .m = 1, .arg = {t->arg[0], t->arg[0]}};
        sfi_field_term second = first;
        second.m = 2;
        return sf_sub(
            g, at_single(e, &second, offset),
            sf_mul(g, table_by_rule(e, t->axis, SFI_TABLE_TAN, 0, offset),
                   at_single(e, &first, offset)));
    }
    sf_node sum = {-1};
    for (int q = 0; q < 3; q++)
        sum = weighted(e, sum,
                       table_by_rule(e, t->axis, SFI_TABLE_LAPLAT, q, offset),
                       moved(e, t->arg[0], offset, t->axis, q - 1));
    return sum;
}

/* ---- poles ------------------------------------------------------------------------ */

static sf_node ring(sfi_expansion *e, sf_node term, const int *offset)
{
    const int lon = sf_grid_find_role(e->calc->grid, SF_ROLE_LON);
    sfi_ring want = {.term = term};
    memcpy(want.offset, offset, sizeof want.offset);
    want.offset[lon] = 0;
    size_t i = 0;
    while (i < e->ring_count &&
           (e->rings[i].term.id != term.id ||
            memcmp(e->rings[i].offset, want.offset, sizeof want.offset) != 0))
        i++;
    if (i == e->ring_count) {
        sfi_ring *grown = sfi_grow(e->calc->ctx, e->rings, &e->ring_capacity,
                                   e->ring_count + 1, sizeof *grown);
        if (grown == NULL)
            return no_memory(e);
        e->rings = grown;
        e->rings[e->ring_count++] = want;
    }
    static const int here[SF_MAX_AXES] = {0};
    return read_of(e, SFI_READ_RING, (int)i, here, 0);
}

/* Gauss's theorem over the cap that the ring of latitude phi encloses, or, for a
 * Laplacian, over the cap half as large. */
static sf_node at_pole(sfi_expansion *e, const sfi_field_term *t, int lat,
                       const int *offset)
{
    sf_graph *g = e->graph;
    const sf_axis *axis = sf_grid_axis(e->calc->grid, lat);
    const int lon = sf_grid_find_role(e->calc->grid, SF_ROLE_LON);
    const int64_t i = index_at(e, lat, offset);
    if (t->pole == SFI_POLE_MISSING || lon < 0 || !is_closed(e, lon) ||
        axis->count < 2)
        return missing(e);
    const int inward = i == 0 ? 1 : -1;
    int beside[SF_MAX_AXES];
    memcpy(beside, offset, sizeof beside);
    beside[lat] += inward;
    const double radian = e->calc->grid->radian[lat];
    const double a = sf_grid_radius(e->calc->grid);
    const double pole = axis->coords[i] * radian;
    const double phi = axis->coords[i + inward] * radian;
    const double north = pole > 0.0 ? 1.0 : -1.0;
    const sf_node mean = ring(e, t->arg[1], beside);
    if (t->pole == SFI_POLE_LAPLACIAN) {
        const double half = 0.5 * (pole + phi);
        const double factor =
            cos(half) / (a * fabs(pole - phi)) / (a * (1.0 - fabs(sin(half))));
        return sf_mul(g, sf_const(g, factor),
                      sf_sub(g, mean, expand(e, t->arg[1], offset)));
    }
    const double around = cos(phi) / (a * (1.0 - fabs(sin(phi))));
    return sf_mul(g,
                  sf_const(g, t->pole == SFI_POLE_CURL ? north * around
                                                       : -north * around),
                  mean);
}

static sf_node beside_poles(sfi_expansion *e, const sfi_field_term *t,
                            const int *offset)
{
    const int lat = sf_grid_find_role(e->calc->grid, SF_ROLE_LAT);
    if (lat >= 0 && e->at.is_single[lat] &&
        sfi_axis_pole_at(e->calc, lat, index_at(e, lat, offset)))
        return at_pole(e, t, lat, offset);
    return expand(e, t->arg[0], offset);
}

/* ---- terms ------------------------------------------------------------------------- */

static sf_node expand_term(sfi_expansion *e, const sfi_field_term *given,
                           const int *offset)
{
    const sfi_field_term t = *given; /* the list may move */
    const unsigned mask = t.kind == SFI_TERM_REDUCE
                              ? e->calc->stages[t.stage].mask
                              : sfi_term_mask(e->calc, t.node);
    switch (t.kind) {
    case SFI_TERM_FIELD:
        return is_outside(e, mask, offset)
                   ? missing(e)
                   : read_of(e, SFI_READ_FIELD, t.index, offset, mask);
    case SFI_TERM_REDUCE:
        return is_outside(e, mask, offset)
                   ? missing(e)
                   : read_of(e, SFI_READ_STAGE, t.stage, offset, mask);
    case SFI_TERM_AXIS:
        return table_by_rule(e, t.axis, SFI_TABLE_COORD, 0, offset);
    case SFI_TERM_TABLE:
        return table_of(e, t.index, offset);
    case SFI_TERM_DERIV:
        return derivative(e, &t, offset);
    case SFI_TERM_LAPLAT:
        return laplat(e, &t, offset);
    case SFI_TERM_POLE:
        return beside_poles(e, &t, offset);
    case SFI_TERM_SHIFT:
        return moved(e, t.arg[0], offset, t.axis, t.shift);
    case SFI_TERM_CONVERT:
    case SFI_TERM_GEOPOTENTIAL: /* with bare numbers */
        return expand(e, t.arg[0], offset);
    case SFI_TERM_REGRID:
        return sfi_graph_fail(
            e->graph, SF_E_UNSUPPORTED,
            "calc: regrid makes a whole definition, and is no "
            "part of an expression");
    case SFI_TERM_TEXT:
    case SFI_TERM_WORD:
        break;
    }
    return sfi_graph_fail(e->graph, SF_E_PARSE, "calc: \"%s\" is not a value",
                          t.text != NULL ? t.text : "a word");
}

static sf_node stored_term(sfi_expansion *e, int stored, const int *offset)
{
    const unsigned mask = sfi_term_mask(e->calc, e->calc->stored[stored].term);
    return is_outside(e, mask, offset)
               ? missing(e)
               : read_of(e, SFI_READ_STORED, stored, offset, mask);
}

static sf_node expand_operation(sfi_expansion *e, sf_node term,
                                const int *offset)
{
    const sf_graph *from = e->calc->terms_graph;
    const sfi_node n = *sfi_at(from, term);
    sf_node args[SFI_MOST_ARGUMENTS] = {{0}};
    if (n.op == SFI_OP_CONST) {
        const sf_node one = sf_const(e->graph, n.value);
        return n.shape.rank == 0
                   ? one
                   : sf_broadcast(e->graph, one, n.shape.rank, n.shape.extent);
    }
    if (n.arg_count < 1 || n.arg_count > SFI_MOST_ARGUMENTS)
        return sfi_graph_fail(e->graph, SF_E_UNSUPPORTED,
                              "calc: %s is no operation of fields",
                              sfi_op_name(n.op));
    for (int k = 0; k < n.arg_count; k++)
        args[k] = expand(e, sfi_arg(from, term, k), offset);
    if (e->graph->status != SF_OK)
        return args[0];
    return sfi_is_elementwise(n.op)
               ? sfi_elementwise(e->graph, n.op, n.arg_count, args)
               : sfi_emit(e->graph, n.op, n.shape, n.arg_count, args, n.attr,
                          n.value);
}

static sf_node remember(sfi_expansion *e, sf_node term, const int *offset,
                        sf_node node)
{
    sfi_known *grown = sfi_grow(e->calc->ctx, e->known, &e->known_capacity,
                                e->known_count + 1, sizeof *grown);
    if (grown == NULL)
        return no_memory(e);
    e->known = grown;
    sfi_known *k = &e->known[e->known_count++];
    k->term = term;
    k->node = node;
    memcpy(k->offset, offset, sizeof k->offset);
    return node;
}

static sf_node expand(sfi_expansion *e, sf_node term, const int *offset)
{
    if (e->graph->status != SF_OK)
        return (sf_node){0};
    for (size_t i = 0; i < e->known_count; i++)
        if (e->known[i].term.id == term.id &&
            memcmp(e->known[i].offset, offset, sizeof e->known[i].offset) == 0)
            return e->known[i].node;
    const sfi_field_term *t = sfi_term_of(e->calc, term);
    const int stored = sfi_stored_of(e->calc, term);
    const sf_node node = stored >= 0 ? stored_term(e, stored, offset)
                         : t != NULL ? expand_term(e, t, offset)
                                     : expand_operation(e, term, offset);
    return remember(e, term, offset, node);
}

/* ---- missing values ---------------------------------------------------------------- */

static void mark(const sf_graph *g, sf_node node, bool *seen)
{
    if (seen[node.id])
        return;
    seen[node.id] = true;
    const int count = sfi_at(g, node)->arg_count;
    for (int k = 0; k < count; k++)
        mark(g, sfi_arg(g, node, k), seen);
}

/* Which nodes a node is made from: [node_count], or NULL. */
static bool *made_from(sfi_expansion *e, sf_node node)
{
    bool *seen =
        sfi_alloc_zero(e->calc->ctx, e->graph->node_count, sizeof *seen);
    if (seen != NULL)
        mark(e->graph, node, seen);
    return seen;
}

/* x*0 is 0 also where x is missing, and min() takes the other number: what was read is
 * kept by name. */
static sf_node keep_missing(sfi_expansion *e, sf_node term, sf_node node)
{
    bool hides = false;
    sfi_asked asked = {0, 0, 0};
    sfi_term_missing(e->calc, term, &hides, &asked);
    const size_t nodes = e->graph->node_count;
    bool *seen = made_from(e, node);
    if (seen == NULL)
        return no_memory(e);
    for (size_t i = 0; i < e->read_count; i++) {
        const sfi_read r = e->reads[i];
        const bool is_asked =
            r.index < 64 &&
            ((r.kind == SFI_READ_FIELD && asked.inputs >> r.index & 1u) ||
             (r.kind == SFI_READ_STAGE && asked.stages >> r.index & 1u) ||
             (r.kind == SFI_READ_STORED && asked.stored >> r.index & 1u));
        if (r.kind != SFI_READ_TABLE && r.is_used && !is_asked &&
            (hides || !seen[r.node.id]))
            node = sf_keep(e->graph, node, r.node);
    }
    sfi_free(e->calc->ctx, seen, nodes, sizeof *seen);
    return node;
}

sf_node sfi_expand(sfi_expansion *e, sf_node term, const int *offset)
{
    e->known_count = 0;
    for (size_t i = 0; i < e->read_count; i++)
        e->reads[i].is_used = false;
    const sf_node node = expand(e, term, offset);
    return e->graph->status == SF_OK ? keep_missing(e, term, node) : node;
}

/* ---- making ------------------------------------------------------------------------ */

sf_status sfi_expansion_new(sfi_calc *c, sfi_expansion *out,
                            const sfi_position *at)
{
    memset(out, 0, sizeof *out);
    out->calc = c;
    out->at = *at;
    return sf_graph_new(c->ctx, &out->graph);
}

void sfi_expansion_free(sfi_expansion *e)
{
    if (e->calc == NULL)
        return;
    sf_context *ctx = e->calc->ctx;
    sfi_free(ctx, e->reads, e->read_capacity, sizeof *e->reads);
    sfi_free(ctx, e->rings, e->ring_capacity, sizeof *e->rings);
    sfi_free(ctx, e->known, e->known_capacity, sizeof *e->known);
    sf_graph_free(e->graph);
    memset(e, 0, sizeof *e);
}
