/* SPDX-License-Identifier: Apache-2.0 */
/* density_text.c - texts of an action: its density, its sources, values at its walls.
 *
 * A derivative of an expression is a total one, by the chain rule:
 *
 *     d e/dx_mu = sum_u (de/dphi_u) d phi_u/dx_mu + de/dx_mu
 *
 * so that the density becomes a function of values, first derivatives and coordinates. */
#include "action/action.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Who asks: sfi_parse_hooks.user. */
typedef struct asking {
    sf_action *a;
    const char *name;
    bool deltas;      /* point sources are allowed                           */
    bool derivatives; /* those of unknowns are                               */
    bool time;        /* t may be named                                      */
    double at[SFI_MOST_ARGUMENTS][SF_MAX_AXES]; /* of point sources          */
    int delta_count;
} asking;

enum { MOST_SPACE = 3, MOST_SYMBOLS = 256 };

#define REFUSE(q, ...) sfi_graph_fail((q)->a->graph, SF_E_ARG, __VA_ARGS__)

/* ---- leaves ---------------------------------------------------------------------- */

sf_node sfi_action_leaf(sf_action *a, sfi_leaf_kind kind, int index, int axis)
{
    for (size_t i = 0; i < a->leaf_count; i++)
        if (a->leaves[i].kind == kind && a->leaves[i].index == index &&
            a->leaves[i].axis == axis)
            return a->leaves[i].node;
    char name[200];
    const char *axis_name = kind == SFI_LEAF_SLOPE || kind == SFI_LEAF_COORD
                                ? sf_grid_axis(a->grid, axis)->name
                                : "";
    snprintf(name, sizeof name, "%s%s%s",
             kind == SFI_LEAF_COORD    ? ""
             : kind == SFI_LEAF_TIME   ? "t"
             : kind == SFI_LEAF_SOURCE ? a->named[index].name
             : kind == SFI_LEAF_DELTA  ? "delta"
                                       : a->names[index],
             kind == SFI_LEAF_SLOPE  ? "_"
             : kind == SFI_LEAF_RATE ? "_t"
                                     : "",
             axis_name);
    const sf_node node = sf_input(a->graph, name, 0, NULL);
    if (a->graph->status != SF_OK)
        return node;
    sfi_density_leaf *grown = sfi_grow(a->ctx, a->leaves, &a->leaf_capacity,
                                       a->leaf_count + 1, sizeof *grown);
    if (grown == NULL)
        return sfi_graph_fail(a->graph, SF_E_NOMEM, "action: no memory");
    a->leaves = grown;
    a->leaves[a->leaf_count++] = (sfi_density_leaf){kind, index, axis, node};
    return node;
}

static const sfi_density_leaf *leaf_of(const sf_action *a, sf_node node)
{
    const sfi_node *n = sfi_at(a->graph, node);
    return n->op == SFI_OP_INPUT ? &a->leaves[n->attr[0]] : NULL;
}

bool sfi_action_depends(const sf_action *a, sf_node node, sfi_leaf_kind kind)
{
    const sfi_density_leaf *l = leaf_of(a, node);
    if (l != NULL)
        return l->kind == kind;
    if (!sfi_at(a->graph, node)->varies)
        return false;
    const int count = sfi_at(a->graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        if (sfi_action_depends(a, sfi_arg(a->graph, node, k), kind))
            return true;
    return false;
}

bool sfi_action_ages(const sf_action *a, sf_node node)
{
    const sfi_density_leaf *l = leaf_of(a, node);
    if (l != NULL)
        return l->kind == SFI_LEAF_TIME ||
               (l->kind == SFI_LEAF_SOURCE && a->named[l->index].timed != NULL);
    if (!sfi_at(a->graph, node)->varies)
        return false;
    const int count = sfi_at(a->graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        if (sfi_action_ages(a, sfi_arg(a->graph, node, k)))
            return true;
    return false;
}

/* ---- derivatives --------------------------------------------------------------------- */

/* f/h: physical from that by the coordinate. */
static double scale_free(const sf_action *a, int axis)
{
    return a->grid->radian[axis];
}

sf_node sfi_action_inverse_h(sf_action *a, int axis)
{
    sf_graph *g = a->graph;
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    const sf_role role = sf_grid_axis(a->grid, axis)->role;
    const int r = sf_grid_find_role(a->grid, SF_ROLE_R);
    const int lat = sf_grid_find_role(a->grid, SF_ROLE_LAT);
    sf_node h = sf_const(g, 1.0);
    if (role == SF_ROLE_THETA ||
        (geometry == SF_GEOMETRY_SPHERICAL && role != SF_ROLE_R))
        h = sfi_action_leaf(a, SFI_LEAF_COORD, 0, r);
    if (geometry == SF_GEOMETRY_SPHERE &&
        (role == SF_ROLE_LAT || role == SF_ROLE_LON))
        h = sf_const(g, sf_grid_radius(a->grid));
    if (role == SF_ROLE_LON && lat >= 0)
        h = sf_mul(
            g, h,
            sf_cos(g, sf_mul(g, sf_const(g, scale_free(a, lat)),
                             sfi_action_leaf(a, SFI_LEAF_COORD, 0, lat))));
    return sf_div(g, sf_const(g, 1.0), h);
}

/* d e / d axis, as a length if `physical`. */
static sf_node slope(asking *q, sf_node e, int axis, bool physical)
{
    sf_action *a = q->a;
    sf_graph *g = a->graph;
    if (sfi_action_depends(a, e, SFI_LEAF_SLOPE) ||
        sfi_action_depends(a, e, SFI_LEAF_RATE))
        return REFUSE(q,
                      "second derivatives of an unknown are not allowed in an "
                      "action; integrate by parts");
    sf_node sum = sf_const(g, 0.0);
    if (a->form != NULL && sfi_action_depends(a, e, SFI_LEAF_VALUE))
        return REFUSE(q,
                      "%s: of the form %s only curl(%s) is a derivative in "
                      "space",
                      q->name, a->form, a->form);
    for (int u = 0; u < a->unknowns; u++) {
        const sf_node value = sfi_action_leaf(a, SFI_LEAF_VALUE, u, 0);
        sf_node by = sf_gradient(g, e, value);
        sf_node along = sfi_action_leaf(a, SFI_LEAF_SLOPE, u, axis);
        if (!physical) /* that leaf is physical */
            along = sf_div(g, along, sfi_action_inverse_h(a, axis));
        double none;
        if (!sfi_is_const(g, by, &none) || none != 0.0)
            sum = sf_add(g, sum, sf_mul(g, by, along));
    }
    if (sfi_action_depends(a, e, SFI_LEAF_SOURCE))
        return REFUSE(q,
                      "%s: a derivative of a source is not known; give it as "
                      "a source of its own",
                      q->name);
    sf_node by = sf_gradient(g, e, sfi_action_leaf(a, SFI_LEAF_COORD, 0, axis));
    if (physical)
        by = sf_mul(g, sf_const(g, 1.0 / scale_free(a, axis)),
                    sf_mul(g, sfi_action_inverse_h(a, axis), by));
    return sf_add(g, sum, by);
}

static int space(const sf_action *a, int *axes)
{
    static const sf_role order[] = {SF_ROLE_X,     SF_ROLE_Y,   SF_ROLE_R,
                                    SF_ROLE_THETA, SF_ROLE_LON, SF_ROLE_LAT,
                                    SF_ROLE_Z};
    int n = 0;
    for (size_t i = 0; i < SFI_COUNT(order); i++) {
        const int axis = sf_grid_find_role(a->grid, order[i]);
        if (axis >= 0 && n < MOST_SPACE)
            axes[n++] = axis;
    }
    return n;
}

static sf_node grad(asking *q, sf_node e)
{
    int axes[MOST_SPACE];
    sf_node parts[MOST_SPACE];
    const int64_t one = 1;
    const int n = space(q->a, axes);
    for (int k = 0; k < n; k++)
        parts[k] = sf_reshape(q->a->graph, slope(q, e, axes[k], true), 1, &one);
    return sf_concat(q->a->graph, n, parts, 0);
}

static sf_node grad2(asking *q, sf_node e)
{
    int axes[MOST_SPACE];
    sf_graph *g = q->a->graph;
    sf_node sum = sf_const(g, 0.0);
    const int n = space(q->a, axes);
    for (int k = 0; k < n; k++)
        sum = sf_add(g, sum, sf_square(g, slope(q, e, axes[k], true)));
    return sum;
}

/* ---- forms --------------------------------------------------------------------------- */

/* Three numbers as a vector. */
static sf_node vector(sf_graph *g, const sf_node *parts)
{
    const int64_t one = 1;
    sf_node list[SF_FORM_COMPONENTS];
    for (int u = 0; u < SF_FORM_COMPONENTS; u++)
        list[u] = sf_reshape(g, parts[u], 1, &one);
    return sf_concat(g, SF_FORM_COMPONENTS, list, 0);
}

/* The form, or its time derivative. */
static sf_node form_of(sf_action *a, sfi_leaf_kind kind)
{
    sf_node parts[SF_FORM_COMPONENTS];
    for (int u = 0; u < SF_FORM_COMPONENTS; u++)
        parts[u] = sfi_action_leaf(a, kind, u, 0);
    return vector(a->graph, parts);
}

static bool is_form(asking *q, sf_node e)
{
    return q->a->form != NULL && e.id == form_of(q->a, SFI_LEAF_VALUE).id;
}

/* d A_u/d(axis of component v); 0 where the grid has no such axis. */
static sf_node turn(const asking *q, int u, int v)
{
    const int axis = sf_grid_find_role(q->a->grid, sfi_form_role(v));
    return axis >= 0 ? sfi_action_leaf(q->a, SFI_LEAF_SLOPE, u, axis)
                     : sf_const(q->a->graph, 0.0);
}

static sf_node curl(asking *q, sf_node e)
{
    sf_node parts[SF_FORM_COMPONENTS];
    if (!is_form(q, e))
        return REFUSE(q, "%s: want a form, for instance %s(%s)", q->name,
                      q->name, q->a->form != NULL ? q->a->form : "A");
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const int v = (u + 1) % SF_FORM_COMPONENTS;
        const int w = (u + 2) % SF_FORM_COMPONENTS;
        parts[u] = sf_sub(q->a->graph, turn(q, w, v), turn(q, v, w));
    }
    return vector(q->a->graph, parts);
}

static sf_node curl2(asking *q, sf_node e)
{
    const sf_node b = curl(q, e);
    return sf_dot(q->a->graph, b, b);
}

static sf_node rate(asking *q, sf_node e)
{
    sf_action *a = q->a;
    sf_graph *g = a->graph;
    if (a->kind == SF_ENERGY)
        return REFUSE(q, "dt: an energy has no time in it; give a Lagrangian");
    if (is_form(q, e))
        return form_of(a, SFI_LEAF_RATE);
    if (sfi_action_depends(a, e, SFI_LEAF_SLOPE) ||
        sfi_action_depends(a, e, SFI_LEAF_RATE))
        return REFUSE(q,
                      "second derivatives of an unknown are not allowed in an "
                      "action; integrate by parts");
    if (sfi_action_depends(a, e, SFI_LEAF_SOURCE) && sfi_action_ages(a, e) &&
        !sfi_action_depends(a, e, SFI_LEAF_TIME))
        return REFUSE(q, "dt: a derivative of a source is not known; give it "
                         "as a source of its own");
    sf_node sum = sf_gradient(g, e, sfi_action_leaf(a, SFI_LEAF_TIME, 0, 0));
    for (int u = 0; u < a->unknowns; u++)
        sum = sf_add(
            g, sum,
            sf_mul(g,
                   sf_gradient(g, e, sfi_action_leaf(a, SFI_LEAF_VALUE, u, 0)),
                   sfi_action_leaf(a, SFI_LEAF_RATE, u, 0)));
    return sum;
}

/* The same with a number in place of all leaves of a kind. */
static sf_node with_number(sf_action *a, sf_node node, sfi_leaf_kind kind,
                           double number)
{
    sf_graph *g = a->graph;
    const size_t count = a->leaf_count + 1;
    sf_node *leaves = sfi_alloc(a->ctx, count, sizeof *leaves);
    if (leaves == NULL)
        return sfi_graph_fail(g, SF_E_NOMEM, "action: no memory");
    for (size_t i = 0; i < a->leaf_count; i++)
        leaves[i] =
            a->leaves[i].kind == kind ? sf_const(g, number) : a->leaves[i].node;
    const sf_node made = sfi_substitute(g, g, node, leaves, NULL);
    sfi_free(a->ctx, leaves, count, sizeof *leaves);
    return made;
}

/* ---- point sources ------------------------------------------------------------------- */

/* delta(x - a, y - b): where is it? */
static sf_node delta(asking *q, int count, const sf_node *args)
{
    sf_action *a = q->a;
    sf_graph *g = a->graph;
    if (!q->deltas)
        return REFUSE(q, "delta: point sources are for sources, which are "
                         "defined by a name of their own");
    if (count != a->rank || q->delta_count == SFI_MOST_ARGUMENTS)
        return REFUSE(q,
                      "delta: %d arguments, want one for each of the %d axes",
                      count, a->rank);
    bool found[SF_MAX_AXES] = {false};
    for (int i = 0; i < count; i++)
        for (int k = 0; k < a->rank; k++) {
            double slope_by = 0.0, at = 0.0;
            const sf_node x = sfi_action_leaf(a, SFI_LEAF_COORD, 0, k);
            sf_node by = sf_gradient(g, args[i], x);
            if (!sfi_is_const(g, by, &slope_by) || slope_by == 0.0)
                continue;
            const sf_node rest = with_number(a, args[i], SFI_LEAF_COORD, 0.0);
            if (!sfi_is_const(g, rest, &at) || fabs(slope_by) != 1.0)
                return REFUSE(q, "delta: want arguments like x - 0.5");
            q->at[q->delta_count][k] = -at / slope_by;
            found[k] = true;
        }
    for (int k = 0; k < a->rank; k++)
        if (!found[k])
            return REFUSE(q,
                          "delta: where along \"%s\"? want an argument like "
                          "%s - 0.5",
                          sf_grid_axis(a->grid, k)->name,
                          sf_grid_axis(a->grid, k)->name);
    return sfi_action_leaf(a, SFI_LEAF_DELTA, q->delta_count++, 0);
}

/* ---- functions ------------------------------------------------------------------------ */

static bool is_word(const char *word, const char *name, size_t length)
{
    return strlen(word) == length && memcmp(word, name, length) == 0;
}

static sf_node by_role(asking *q, sf_node e, sf_role role, sf_role other)
{
    int axis = sf_grid_find_role(q->a->grid, role);
    if (axis < 0 && other != SF_ROLE_NONE)
        axis = sf_grid_find_role(q->a->grid, other);
    return axis >= 0 ? slope(q, e, axis, true)
                     : REFUSE(q, "%s: the grid has no such axis", q->name);
}

static sf_node along_named(asking *q, const sf_node *args)
{
    const sfi_density_leaf *l = leaf_of(q->a, args[1]);
    if (l == NULL || l->kind != SFI_LEAF_COORD)
        return REFUSE(q, "d: the second argument is to be the name of an axis");
    return slope(q, args[0], l->axis, true);
}

static bool call(void *user, const char *name, size_t length, int count,
                 const sf_node *args, sf_node *out)
{
    static const struct {
        const char *name;
        int count;
    } known[] = {{"dx", 1},    {"dy", 1},    {"dz", 1}, {"dt", 1},
                 {"grad", 1},  {"grad2", 1}, {"d", 2},  {"curl", 1},
                 {"curl2", 1}, {"delta", 0}};
    asking *q = user;
    for (size_t i = 0; i < SFI_COUNT(known); i++) {
        if (!is_word(known[i].name, name, length))
            continue;
        q->name = known[i].name;
        if (known[i].count > 0 && count != known[i].count)
            *out =
                REFUSE(q, "%s takes %d argument%s, found %d", q->name,
                       known[i].count, known[i].count == 1 ? "" : "s", count);
        else if (i == SFI_COUNT(known) - 1)
            *out = delta(q, count, args);
        else if (!q->derivatives)
            *out = REFUSE(q, "%s: derivatives are for the density", q->name);
        else
            *out = i == 0   ? by_role(q, args[0], SF_ROLE_X, SF_ROLE_LON)
                   : i == 1 ? by_role(q, args[0], SF_ROLE_Y, SF_ROLE_LAT)
                   : i == 2 ? by_role(q, args[0], SF_ROLE_Z, SF_ROLE_NONE)
                   : i == 3 ? rate(q, args[0])
                   : i == 4 ? grad(q, args[0])
                   : i == 5 ? grad2(q, args[0])
                   : i == 6 ? along_named(q, args)
                   : i == 7 ? curl(q, args[0])
                            : curl2(q, args[0]);
        return true;
    }
    return false;
}

/* ---- parsing ----------------------------------------------------------------------------- */

/* What a text may name; unknowns only in the density. */
static int symbols_of(asking *q, bool unknowns, sf_symbol *out)
{
    sf_action *a = q->a;
    int n = 0;
    for (int u = 0; u < a->unknowns && unknowns; u++)
        out[n++] =
            (sf_symbol){a->names[u], sfi_action_leaf(a, SFI_LEAF_VALUE, u, 0)};
    if (a->form != NULL && unknowns)
        out[n++] = (sf_symbol){a->form, form_of(a, SFI_LEAF_VALUE)};
    for (size_t i = 0; i < a->named_count && n < MOST_SYMBOLS - 8; i++) {
        const sfi_named *s = &a->named[i];
        if (s->is_number)
            out[n++] = (sf_symbol){s->name, sf_const(a->graph, s->number)};
        else if (unknowns) /* values are for the density alone */
            out[n++] = (sf_symbol){
                s->name, sfi_action_leaf(a, SFI_LEAF_SOURCE, (int)i, 0)};
    }
    for (int k = 0; k < a->rank; k++)
        out[n++] = (sf_symbol){sf_grid_axis(a->grid, k)->name,
                               sfi_action_leaf(a, SFI_LEAF_COORD, 0, k)};
    bool is_taken = false;
    for (int i = 0; i < n; i++)
        is_taken |= strcmp(out[i].name, "t") == 0;
    if (q->time && !is_taken)
        out[n++] = (sf_symbol){"t", sfi_action_leaf(a, SFI_LEAF_TIME, 0, 0)};
    return n;
}

static sf_status parse(asking *q, const char *text, bool unknowns, sf_node *out)
{
    sf_symbol symbols[MOST_SYMBOLS];
    const sfi_parse_hooks hooks = {
        .call = call,
        .functions =
            unknowns ? "dx, dy, dz, dt, d, grad, grad2, curl, curl2" : "delta",
        .squares_vectors = true,
        .user = q};
    const int count = symbols_of(q, unknowns, symbols);
    SFI_TRY(sf_graph_status(q->a->graph));
    SFI_TRY(sfi_parse_open(q->a->graph, text, count, symbols, &hooks, out));
    if (sf_node_rank(q->a->graph, *out) != 0)
        return SFI_FAIL(q->a->ctx, SF_E_PARSE,
                        "action: \"%s\" is a vector, want a number at each "
                        "point",
                        text);
    return SF_OK;
}

/* ---- the density --------------------------------------------------------------------------- */

/* Whether b, beside dt(phi), makes a derivative by time, which moves nothing: b(phi, x) of
 * one field, b(x) of several. */
static bool is_total(const sf_action *a, sf_node b)
{
    return !sfi_action_ages(a, b) &&
           !sfi_action_depends(a, b, SFI_LEAF_SLOPE) &&
           (a->unknowns == 1 || !sfi_action_depends(a, b, SFI_LEAF_VALUE));
}

/* The kinetic term is to be sum of a(x) dt(phi)^2/2. */
static void read_motion(sf_action *a, sf_node density)
{
    sf_graph *g = a->graph;
    for (int u = 0; u < SF_MOST_UNKNOWNS; u++)
        a->inertia[u].id = -1;
    for (int u = 0; u < a->unknowns; u++) {
        const sf_node r = sfi_action_leaf(a, SFI_LEAF_RATE, u, 0);
        const sf_node first = sf_gradient(g, density, r);
        const sf_node second = sf_gradient(g, first, r);
        double none = 1.0;
        if (sfi_is_const(g, second, &none) && none == 0.0) {
            if (!sfi_is_const(g, first, &none) || none != 0.0)
                snprintf(a->motion_problem, sizeof a->motion_problem,
                         "dt(%s) stands by itself, want a square of it",
                         a->names[u]);
            continue;
        }
        a->has_motion = true;
        a->inertia[u] = second;
        bool other = false;
        for (size_t i = 0; i < a->leaf_count; i++)
            other |= a->leaves[i].kind == SFI_LEAF_RATE &&
                     a->leaves[i].index != u &&
                     sfi_action_depends(a, first, SFI_LEAF_RATE) &&
                     !(sfi_is_const(g, sf_gradient(g, first, a->leaves[i].node),
                                    &none) &&
                       none == 0.0);
        if (other || sfi_action_depends(a, second, SFI_LEAF_VALUE) ||
            sfi_action_depends(a, second, SFI_LEAF_SLOPE) ||
            sfi_action_depends(a, second, SFI_LEAF_RATE))
            snprintf(a->motion_problem, sizeof a->motion_problem,
                     "the factor of dt(%s)^2 depends on the fields",
                     a->names[u]);
        else if (sfi_action_ages(a, second))
            snprintf(a->motion_problem, sizeof a->motion_problem,
                     "the factor of dt(%s)^2 depends on t", a->names[u]);
        else if (!is_total(a, with_number(a, first, SFI_LEAF_RATE, 0.0)))
            snprintf(a->motion_problem, sizeof a->motion_problem,
                     "beside dt(%s)^2 there is dt(%s) with a factor that is "
                     "no function of x and %s alone",
                     a->names[u], a->names[u], a->names[u]);
    }
}

static sf_status read_density(sf_action *a)
{
    asking q = {.a = a, .derivatives = true, .time = true};
    sf_node density;
    SFI_TRY(parse(&q, a->text, true, &density));
    if (!sfi_action_depends(a, density, SFI_LEAF_VALUE) &&
        !sfi_action_depends(a, density, SFI_LEAF_SLOPE) &&
        !sfi_action_depends(a, density, SFI_LEAF_RATE))
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: the density \"%s\" has no unknown field in it",
                        a->text);
    if (a->kind == SF_LAGRANGIAN)
        read_motion(a, density);
    else
        for (int u = 0; u < SF_MOST_UNKNOWNS; u++)
            a->inertia[u].id = -1;
    a->energy =
        a->kind == SF_LAGRANGIAN
            ? sf_neg(a->graph, with_number(a, density, SFI_LEAF_RATE, 0.0))
            : density;
    SFI_TRY(sf_graph_status(a->graph));
    return SF_OK;
}

/* What it does not depend on is what it keeps. */
static void classify(sf_action *a)
{
    sf_graph *g = a->graph;
    a->is_linear = true;
    a->is_singular = true;
    for (size_t i = 0; i < a->leaf_count; i++) {
        const sfi_density_leaf l = a->leaves[i];
        double none;
        if (l.kind != SFI_LEAF_VALUE && l.kind != SFI_LEAF_SLOPE)
            continue;
        const sf_node first = sf_gradient(g, a->energy, l.node);
        for (size_t j = 0; j < a->leaf_count; j++) {
            const sfi_density_leaf m = a->leaves[j];
            if (m.kind != SFI_LEAF_VALUE && m.kind != SFI_LEAF_SLOPE)
                continue;
            const sf_node second = sf_gradient(g, first, m.node);
            a->is_linear &= !sfi_action_depends(a, second, SFI_LEAF_VALUE) &&
                            !sfi_action_depends(a, second, SFI_LEAF_SLOPE);
            a->has_aging_hessian |= sfi_action_ages(a, second);
            a->is_singular &= l.kind == SFI_LEAF_SLOPE ||
                              (sfi_is_const(g, second, &none) && none == 0.0);
        }
    }
    a->is_timed |= sfi_action_ages(a, a->energy);
    for (int w = 0; w < 2 * a->rank; w++)
        a->is_singular &= a->walls[w].kind == SF_SIDE_PERIODIC ||
                          a->walls[w].kind == SF_SIDE_NATURAL ||
                          a->walls[w].kind == SF_SIDE_FLUX;
}

sf_status sfi_action_read(sf_action *a)
{
    if (a->is_read)
        return SF_OK;
    SFI_TRY(read_density(a));
    classify(a);
    SFI_TRY(sf_graph_status(a->graph));
    a->is_read = true;
    return SF_OK;
}

/* ---- texts of values ----------------------------------------------------------------------- */

sf_status sfi_action_parse(sf_action *a, const char *text, sf_node *out)
{
    asking q = {.a = a};
    return parse(&q, text, false, out);
}

sf_status sfi_action_parse_spread(sf_action *a, const char *text, bool deltas,
                                  bool time, sfi_spread_text *out)
{
    asking q = {.a = a, .deltas = deltas, .time = time};
    sf_graph *g = a->graph;
    sf_node node;
    memset(out, 0, sizeof *out);
    SFI_TRY(parse(&q, text, false, &node));
    out->rest = node;
    out->deltas = q.delta_count;
    memcpy(out->at, q.at, sizeof out->at);
    for (int i = 0; i < q.delta_count; i++) { /* linear in its point sources */
        const sf_node d = sfi_action_leaf(a, SFI_LEAF_DELTA, i, 0);
        out->amount[i] = sf_gradient(g, node, d);
        if (sfi_action_depends(a, out->amount[i], SFI_LEAF_COORD) ||
            sfi_action_depends(a, out->amount[i], SFI_LEAF_DELTA))
            return SFI_FAIL(a->ctx, SF_E_ARG,
                            "action: \"%s\": the strength of a point source is "
                            "to be a number%s",
                            text, time ? ", or depend on t alone" : "");
        out->is_timed |= sfi_action_ages(a, out->amount[i]);
    }
    if (q.delta_count > 0)
        out->rest = with_number(a, node, SFI_LEAF_DELTA, 0.0);
    out->is_timed |= sfi_action_ages(a, out->rest);
    return sf_graph_status(g);
}
