/* SPDX-License-Identifier: Apache-2.0 */
/* unit_pass.c - units along the terms.
 *
 * The right operand of a sum or a comparison is converted to the unit of the left one;
 * products, quotients, powers, roots, derivatives and integrals compose.  A number that is
 * typed takes the unit of the other operand.  An unknown unit goes through everything.
 *
 * Units with an offset (degC): a difference of two, and a derivative, are in the unit
 * without it; any other product, power or function takes the value in that unit; with a
 * typed number the numbers are used as they stand, and the unit is then unknown. */
#include "calc/calculation.h"

#include <stdio.h>
#include <string.h>

typedef struct measured {
    sf_node node;
    sfi_unit unit;
    bool is_typed; /* a number of the text */
    bool is_done;
} measured;

typedef struct unit_walk {
    sfi_calc *c;
    measured *of; /* [count] of the nodes that there were before */
    size_t count;
} unit_walk;

static const sfi_unit no_unit = {0};
static const sfi_unit plain = {.is_known = true, .text = "1"};

static measured measure(unit_walk *p, sf_node node);

static sf_node refuse(const unit_walk *p, const char *format, const char *a,
                      const char *b)
{
    char text[400];
    snprintf(text, sizeof text, format, a, b);
    return sfi_graph_fail(p->c->terms_graph, SF_E_ARG, "%s", text);
}

/* ---- conversions ------------------------------------------------------------------ */

static sf_node scaled(const unit_walk *p, sf_node node, sfi_conversion k)
{
    sf_graph *g = p->c->terms_graph;
    if (k.slope != 1.0)
        node = sf_mul(g, sf_const(g, k.slope), node);
    return k.offset != 0.0 ? sf_add(g, node, sf_const(g, k.offset)) : node;
}

static measured converted(const unit_walk *p, measured from, const sfi_unit *to)
{
    sfi_conversion k = {1.0, 0.0};
    if (from.is_typed || !from.unit.is_known || !to->is_known)
        return from;
    if (sfi_unit_convert(p->c->units, &from.unit, to, &k) != SF_OK) {
        from.node = refuse(p, "units \"%s\" and \"%s\" do not convert",
                           from.unit.text, to->text);
        return from;
    }
    from.node = scaled(p, from.node, k);
    from.unit = *to;
    return from;
}

static bool has_offset(const unit_walk *p, const measured *m,
                       sfi_unit *absolute, sfi_conversion *k)
{
    return !m->is_typed && m->unit.is_known &&
           sfi_unit_has_offset(p->c->units, &m->unit, absolute, k);
}

/* In the unit whose zero is its own: as a value, or as a difference of two. */
static measured absolute(const unit_walk *p, measured m, bool is_difference)
{
    sfi_unit unit;
    sfi_conversion k;
    if (!has_offset(p, &m, &unit, &k))
        return m;
    if (is_difference)
        k.offset = 0.0;
    m.node = scaled(p, m.node, k);
    m.unit = unit;
    return m;
}

/* ---- leaves ------------------------------------------------------------------------ */

static sfi_unit axis_unit(const unit_walk *p, int axis)
{
    const sf_axis *a = sf_grid_axis(p->c->grid, axis);
    char text[SFI_UNIT_SIZE];
    sfi_unit unit = no_unit;
    if (a->unit == NULL)
        return unit;
    snprintf(text, sizeof text, "%s", a->unit);
    char *since = sfi_time_is_dated(text) ? strstr(text, " since") : NULL;
    if (since != NULL)
        *since = '\0';
    (void)sfi_unit_read(p->c->units, text, &unit);
    return unit;
}

/* What a derivative along an axis is divided by. */
static sfi_unit step_unit(const unit_walk *p, const sfi_field_term *t)
{
    const sf_axis *a = sf_grid_axis(p->c->grid, t->axis);
    if (t->shift == 0 && sfi_role_is_angle(a->role))
        return plain;
    if (t->shift == 0 && sfi_time_is_dated(a->unit))
        return (sfi_unit){.is_known = true, .text = "s"};
    return axis_unit(p, t->axis);
}

/* The unit of sf_grid_weights() of an axis. */
static sfi_unit weight_unit(const unit_walk *p, int axis)
{
    const sf_axis *a = sf_grid_axis(p->c->grid, axis);
    const sf_geometry geometry = sf_grid_geometry(p->c->grid);
    const sfi_unit own = axis_unit(p, axis);
    if (a->role == SF_ROLE_LAT && geometry == SF_GEOMETRY_SPHERE)
        return (sfi_unit){.is_known = true, .text = "m2"};
    if (sfi_role_is_angle(a->role))
        return plain;
    if (a->role == SF_ROLE_R && geometry != SF_GEOMETRY_CARTESIAN)
        return sfi_unit_product(&plain, 1, &own,
                                geometry == SF_GEOMETRY_SPHERICAL ||
                                        geometry == SF_GEOMETRY_RADIAL
                                    ? 3
                                    : 2);
    return own;
}

static measured again(const unit_walk *p, const sfi_field_term *t,
                      sf_node first, sf_node second, sfi_unit unit)
{
    sfi_field_term copy = *t;
    copy.text = NULL;
    copy.arg[0] = first;
    copy.arg[1] = second;
    const bool same = first.id == t->arg[0].id && second.id == t->arg[1].id;
    return (measured){.node = same ? t->node : sfi_term_new(p->c, &copy),
                      .unit = unit};
}

static measured reduction(unit_walk *p, const sfi_field_term *t)
{
    measured m = measure(p, t->arg[0]);
    sfi_unit unit;
    switch (t->reduction) {
    case SFI_REDUCE_SUM:
    case SFI_REDUCE_INTEGRAL:
        m = absolute(p, m, false);
        unit = m.unit;
        for (int k = 0; k < sf_grid_rank(p->c->grid); k++)
            if (t->reduction == SFI_REDUCE_INTEGRAL && t->mask >> k & 1u) {
                const sfi_unit w = weight_unit(p, k);
                unit = sfi_unit_product(&unit, 1, &w, 1);
            }
        return again(p, t, m.node, t->arg[1], unit);
    case SFI_REDUCE_VAR:
        m = absolute(p, m, true);
        return again(p, t, m.node, t->arg[1],
                     sfi_unit_product(&m.unit, 2, &plain, 1));
    default:
        return again(p, t, m.node, t->arg[1], m.unit);
    }
}

static measured conversion(unit_walk *p, const sfi_field_term *t)
{
    measured m = measure(p, t->arg[0]);
    sfi_unit unit = no_unit;
    const bool is_declared = *t->text == '=', if_known = *t->text == '~';
    if (!sfi_unit_read(p->c->units, t->text + (is_declared || if_known),
                       &unit) &&
        !is_declared && !if_known) {
        m.node = refuse(p, "units: \"%s\" is no unit%s", t->text, "");
        return m;
    }
    if (is_declared) {
        m.unit = unit;
        m.is_typed = false;
        return m;
    }
    if (!m.unit.is_known && !if_known && !m.is_typed)
        sfi_warn(p->c->ctx,
                 "units: the unit of the field is unknown; its numbers are "
                 "taken to be in \"%s\"",
                 t->text);
    m = converted(p, m, &unit);
    if (m.unit.is_known || !if_known)
        m.unit = unit;
    m.is_typed = false;
    return m;
}

/* A height of a surface of constant pressure is a geopotential divided by the standard
 * acceleration of gravity (WMO). */
static measured geopotential(unit_walk *p, const sfi_field_term *t)
{
    sf_graph *g = p->c->terms_graph;
    const sfi_unit metre = {.is_known = true, .text = "m"};
    measured m = measure(p, t->arg[0]);
    sfi_conversion k;
    if (!m.unit.is_known)
        return m;
    if (sfi_unit_convert(p->c->units, &m.unit, &metre, &k) == SF_OK) {
        m = converted(p, m, &metre);
        m.node = sf_mul(g, sf_const(g, 9.80665), m.node);
        m.unit = (sfi_unit){.is_known = true, .text = "m2 s-2"};
        return m;
    }
    const sfi_unit want = {.is_known = true, .text = "m2 s-2"};
    return converted(p, m, &want);
}

static measured measure_term(unit_walk *p, const sfi_field_term *given)
{
    const sfi_field_term t = *given; /* the list may move */
    measured m = {.node = t.node};
    measured other = {.node = t.arg[1]};
    switch (t.kind) {
    case SFI_TERM_FIELD:
        m.unit = p->c->inputs[t.index].unit;
        return m;
    case SFI_TERM_AXIS:
        m.unit = sfi_time_is_dated(sf_grid_axis(p->c->grid, t.axis)->unit)
                     ? no_unit
                     : axis_unit(p, t.axis);
        return m;
    case SFI_TERM_TABLE:
        m.unit = sfi_table_unit(p->c, t.index);
        return m;
    case SFI_TERM_DERIV: {
        const sfi_unit step = step_unit(p, &t);
        m = absolute(p, measure(p, t.arg[0]), true);
        return again(p, &t, m.node, t.arg[1],
                     sfi_unit_product(&m.unit, 1, &step, -t.m));
    }
    case SFI_TERM_LAPLAT:
        m = absolute(p, measure(p, t.arg[0]), true);
        return again(p, &t, m.node, t.arg[1], m.unit);
    case SFI_TERM_POLE:
        m = measure(p, t.arg[0]);
        if (t.pole != SFI_POLE_MISSING)
            other = absolute(p, measure(p, t.arg[1]), true);
        return again(p, &t, m.node, other.node, m.unit);
    case SFI_TERM_SHIFT:
        m = measure(p, t.arg[0]);
        return again(p, &t, m.node, t.arg[1], m.unit);
    case SFI_TERM_REDUCE:
        return reduction(p, &t);
    case SFI_TERM_CONVERT:
        return conversion(p, &t);
    case SFI_TERM_GEOPOTENTIAL:
        return geopotential(p, &t);
    case SFI_TERM_REGRID:
        m.node = refuse(p,
                        "regrid makes a whole definition, and is no part of an "
                        "expression%s%s",
                        "", "");
        return m;
    case SFI_TERM_TEXT:
    case SFI_TERM_WORD:
        break;
    }
    m.node = refuse(p, "\"%s\" is not a value%s",
                    t.text != NULL ? t.text : "month", "");
    return m;
}

/* ---- operations -------------------------------------------------------------------- */

static sf_node rebuilt(const unit_walk *p, sf_node node, int count,
                       const sf_node *args)
{
    sf_graph *g = p->c->terms_graph;
    const sfi_node n = *sfi_at(g, node);
    if (g->status != SF_OK)
        return (sf_node){0};
    return sfi_is_elementwise(n.op)
               ? sfi_elementwise(g, n.op, count, args)
               : sfi_emit(g, n.op, n.shape, count, args, n.attr, n.value);
}

/* Operands first, ..., last - 1 in one unit. */
static sfi_unit join(const unit_walk *p, measured *m, int first, int last)
{
    int leader = first;
    while (leader < last - 1 && m[leader].is_typed)
        leader++;
    for (int k = first; k < last; k++)
        if (k != leader)
            m[k] = converted(p, m[k], &m[leader].unit);
    bool all_known = true;
    for (int k = first; k < last; k++)
        all_known &= m[k].is_typed || m[k].unit.is_known;
    return all_known ? m[leader].unit : no_unit;
}

/* a + b, a - b */
static sfi_unit sum(const unit_walk *p, measured *m, bool is_difference)
{
    sfi_unit unit;
    sfi_conversion k;
    const bool offset =
        has_offset(p, &m[0], &unit, &k) || has_offset(p, &m[1], &unit, &k);
    if (!offset)
        return join(p, m, 0, 2);
    if (m[0].is_typed || m[1].is_typed) {
        sfi_warn(p->c->ctx,
                 "a number is added to a value in \"%s\": numbers are used as "
                 "they stand, and the unit of the result is unknown",
                 m[m[0].is_typed ? 1 : 0].unit.text);
        return no_unit;
    }
    if (is_difference) {
        sfi_unit joint = join(p, m, 0, 2);
        m[0].unit = m[1].unit = joint;
        m[0] = absolute(p, m[0], true);
        m[1] = absolute(p, m[1], true);
        return m[0].unit;
    }
    m[0] = absolute(p, m[0], false);
    m[1] = absolute(p, m[1], false);
    return join(p, m, 0, 2);
}

static sfi_unit product(const unit_walk *p, measured *m, int power)
{
    sfi_unit unit;
    sfi_conversion k;
    for (int i = 0; i < 2; i++)
        if (has_offset(p, &m[i], &unit, &k) && m[1 - i].is_typed) {
            sfi_warn(
                p->c->ctx,
                "a value in \"%s\" is multiplied by a number: numbers are "
                "used as they stand, and the unit of the result is unknown",
                m[i].unit.text);
            return no_unit;
        }
    m[0] = absolute(p, m[0], false);
    m[1] = absolute(p, m[1], false);
    const sfi_unit a = m[0].is_typed ? plain : m[0].unit;
    const sfi_unit b = m[1].is_typed ? plain : m[1].unit;
    return sfi_unit_product(&a, 1, &b, power);
}

static sfi_unit power(const unit_walk *p, measured *m)
{
    double exponent = 0.0;
    m[0] = absolute(p, m[0], false);
    if (m[0].is_typed || !m[0].unit.is_known)
        return m[0].is_typed ? plain : no_unit;
    if (strcmp(m[0].unit.text, "1") == 0)
        return plain;
    if (!sfi_is_const(p->c->terms_graph, m[1].node, &exponent))
        return no_unit;
    for (int root = 1; root <= 12; root++) {
        const double n = exponent * root;
        sfi_unit raised, out;
        if (n != (double)(int)n || n > 24.0 || n < -24.0)
            continue;
        raised = sfi_unit_product(&m[0].unit, (int)n, &plain, 1);
        if (sfi_unit_root(&raised, root, &out))
            return out;
    }
    return no_unit;
}

/* exp, log and the like want plain numbers; sin and cos also angles. */
static void want_plain(const unit_walk *p, sfi_op op, measured *m)
{
    double factor = 1.0;
    if (m->is_typed || !m->unit.is_known)
        return;
    *m = absolute(p, *m, false);
    if (!sfi_unit_is_plain(p->c->units, &m->unit, &factor)) {
        m->node = refuse(p,
                         "%s of a value in \"%s\": want a number without a "
                         "unit; divide it by one",
                         sfi_op_name(op), m->unit.text);
        return;
    }
    m->node = scaled(p, m->node, (sfi_conversion){factor, 0.0});
    m->unit = plain;
}

static measured operation(unit_walk *p, sf_node node)
{
    sf_graph *g = p->c->terms_graph;
    const sfi_node n = *sfi_at(g, node);
    measured m[SFI_MOST_ARGUMENTS];
    sf_node args[SFI_MOST_ARGUMENTS];
    measured out = {.node = node, .unit = plain};
    if (n.op == SFI_OP_CONST) {
        out.is_typed = true;
        return out;
    }
    if (n.arg_count < 1 || n.arg_count > SFI_MOST_ARGUMENTS) {
        out.node =
            refuse(p, "%s is no operation of fields%s", sfi_op_name(n.op), "");
        return out;
    }
    bool all_typed = true;
    for (int k = 0; k < n.arg_count; k++) {
        m[k] = measure(p, sfi_arg(g, node, k));
        all_typed &= m[k].is_typed;
    }
    switch (n.op) {
    case SFI_OP_ADD:
    case SFI_OP_SUB:
        out.unit = sum(p, m, n.op == SFI_OP_SUB);
        break;
    case SFI_OP_MIN:
    case SFI_OP_MAX:
    case SFI_OP_MOD:
        out.unit = join(p, m, 0, 2);
        break;
    case SFI_OP_LESS:
    case SFI_OP_LESS_EQUAL:
    case SFI_OP_EQUAL:
    case SFI_OP_ATAN2:
        (void)join(p, m, 0, 2);
        if (n.op == SFI_OP_ATAN2)
            out.unit = (sfi_unit){.is_known = true, .text = "radian"};
        break;
    case SFI_OP_SELECT:
        out.unit = join(p, m, 1, 3);
        break;
    case SFI_OP_CONCAT:
        out.unit = join(p, m, 0, n.arg_count);
        break;
    case SFI_OP_MUL:
    case SFI_OP_MATMUL:
        out.unit = product(p, m, 1);
        break;
    case SFI_OP_DIV:
        out.unit = product(p, m, -1);
        break;
    case SFI_OP_POW:
        out.unit = power(p, m);
        break;
    case SFI_OP_SQRT:
        m[0] = absolute(p, m[0], false);
        if (!m[0].unit.is_known || !sfi_unit_root(&m[0].unit, 2, &out.unit))
            out.unit = no_unit;
        break;
    case SFI_OP_SIGN:
        break;
    case SFI_OP_NEG:
    case SFI_OP_ABS:
        m[0] = absolute(p, m[0], false);
        out.unit = m[0].unit;
        break;
    case SFI_OP_KEEP:
    case SFI_OP_FLOOR:
    case SFI_OP_SUM:
    case SFI_OP_BROADCAST:
    case SFI_OP_RESHAPE:
    case SFI_OP_PERMUTE:
    case SFI_OP_SLICE:
    case SFI_OP_PAD:
    case SFI_OP_STOP_GRADIENT:
        out.unit = m[0].unit;
        break;
    default:
        for (int k = 0; k < n.arg_count; k++)
            want_plain(p, n.op, &m[k]);
        break;
    }
    bool same = true;
    for (int k = 0; k < n.arg_count; k++) {
        args[k] = m[k].node;
        same &= args[k].id == sfi_arg(g, node, k).id;
    }
    out.is_typed = all_typed;
    out.node = same ? node : rebuilt(p, node, n.arg_count, args);
    return out;
}

static measured measure(unit_walk *p, sf_node node)
{
    if (p->c->terms_graph->status != SF_OK)
        return (measured){.node = {0}};
    /* What was made here is in order. */
    measured *known = (size_t)node.id < p->count ? &p->of[node.id] : NULL;
    if (known != NULL && known->is_done)
        return *known;
    const sfi_field_term *t = sfi_term_of(p->c, node);
    const measured m = t != NULL ? measure_term(p, t) : operation(p, node);
    if (known != NULL) {
        *known = m;
        known->is_done = true;
    }
    return m;
}

sf_status sfi_calc_convert(sfi_calc *c)
{
    unit_walk p = {.c = c, .count = c->terms_graph->node_count};
    if (c->units == NULL)
        return SF_OK;
    p.of = sfi_alloc_zero(c->ctx, p.count, sizeof *p.of);
    if (p.of == NULL)
        return SF_E_NOMEM;
    const size_t count = p.count;
    sf_status status = SF_OK;
    for (int i = 0; i < c->output_count && status == SF_OK; i++) {
        sfi_calc_output *o = &c->outputs[i];
        for (int k = 0; k < o->components; k++) {
            const measured m = measure(&p, o->node[k]);
            o->node[k] = m.node;
            o->unit[k] = m.is_typed ? plain : m.unit;
        }
        status = sf_graph_status(c->terms_graph);
        if (status != SF_OK)
            sfi_message_prefix(c->ctx, "%s: ", o->name);
    }
    sfi_free(c->ctx, p.of, count, sizeof *p.of);
    return status;
}
