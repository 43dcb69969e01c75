/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - an action solved for a solution that is known.
 *
 * With E(phi, grad phi, x) and a field e(x), the source
 *
 *     S = -(dE/dphi - div dE/dgrad phi) at phi = e
 *
 * makes e a stationary point of E + S phi; at the sides e gives the values, or the flux
 * n.dE/dgrad phi.  All of it comes from derivatives of expressions, so what is compared is
 * the discrete equation and the solver alone. */
#include "action/action.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A coarser copy of an action. */
typedef struct verify_level {
    sf_context *ctx;
    const sf_action *fine;
    int skip; /* every skip-th point */
    sf_grid *grid;
    sf_action *a;
    double *coords[SF_MAX_AXES], *edges[SF_MAX_AXES];
    double *exact; /* [unknowns][points] */
} verify_level;

/* ---- the grid ------------------------------------------------------------------------ */

static int64_t coarse_count(const sf_action *a, int k, int skip)
{
    const int64_t n = a->count[k];
    return sfi_is_closed(a, k) || sfi_is_cells(a, k) ? n / skip
                                                     : (n - 1) / skip + 1;
}

static bool divides(const sf_action *a, int skip)
{
    for (int k = 0; k < a->rank; k++) {
        const int64_t n = a->count[k];
        const int64_t intervals =
            sfi_is_closed(a, k) || sfi_is_cells(a, k) ? n : n - 1;
        if (intervals % skip != 0 || coarse_count(a, k, skip) < 4)
            return false;
    }
    return true;
}

/* Which side an axis of the copy has: pinned ones to e, the others by flux. */
static sf_side side_of(const sf_action *a, int w, const char *exact)
{
    const sf_axis *axis = sf_grid_axis(a->grid, w / 2);
    sf_side side = w % 2 == 0 ? axis->low : axis->high;
    if (side.kind == SF_SIDE_NATURAL && !sfi_is_cells(a, w / 2))
        side.kind = SF_SIDE_FLUX;
    if (side.kind == SF_SIDE_PIN)
        side.value = exact;
    else if (side.kind == SF_SIDE_FLUX || side.kind == SF_SIDE_ROBIN)
        side.value = "0"; /* fill_wall() knows better */
    return side;
}

static sf_status make_grid(verify_level *l, const char *exact)
{
    const sf_action *fine = l->fine;
    sf_axis axes[SF_MAX_AXES];
    for (int k = 0; k < fine->rank; k++) {
        const sf_axis *from = sf_grid_axis(fine->grid, k);
        const int64_t n = coarse_count(fine, k, l->skip);
        l->coords[k] = sfi_alloc(l->ctx, (size_t)n, sizeof(double));
        l->edges[k] = sfi_alloc(l->ctx, (size_t)n + 1, sizeof(double));
        if (l->coords[k] == NULL || l->edges[k] == NULL)
            return SF_E_NOMEM;
        const bool cells = sfi_is_cells(fine, k);
        for (int64_t i = 0; i <= n && cells; i++)
            l->edges[k][i] = from->edges[i * l->skip];
        for (int64_t i = 0; i < n; i++)
            l->coords[k][i] = cells
                                  ? 0.5 * (l->edges[k][i] + l->edges[k][i + 1])
                                  : from->coords[i * l->skip];
        axes[k] = *from;
        axes[k].count = n;
        axes[k].coords = l->coords[k];
        axes[k].edges = cells ? l->edges[k] : NULL;
        axes[k].low = side_of(fine, 2 * k, exact);
        axes[k].high = side_of(fine, 2 * k + 1, exact);
    }
    const sf_grid_options o = sfi_grid_options(fine->grid);
    return sf_grid_new(l->ctx, &l->grid, fine->rank, axes, &o);
}

/* ---- names ----------------------------------------------------------------------------- */

/* Values of every skip-th point. */
static sf_status thin(verify_level *l, const sfi_named *s)
{
    sf_field f;
    const sf_action *fine = l->fine;
    for (int k = 0; k < fine->rank; k++)
        if (sfi_is_cells(fine, k) && l->skip > 1)
            return SFI_FAIL(
                l->ctx, SF_E_UNSUPPORTED,
                "verify: \"%s\" has values on cells, which a coarser "
                "grid lacks; type it in the density",
                s->name);
    SFI_TRY(sf_field_new(l->ctx, &f, l->grid, 1, NULL, SF_F64, 0));
    int64_t index[SF_MAX_AXES] = {0};
    for (bool more = true; more;) {
        int64_t from = 0, to = 0;
        for (int k = 0; k < fine->rank; k++) {
            from += index[k] * l->skip * fine->stride[k];
            to += index[k] * f.step[k];
        }
        ((double *)f.data[0])[to] = s->values[from];
        more = false;
        for (int k = fine->rank - 1; k >= 0 && !more; k--) {
            more = ++index[k] < sf_grid_axis(l->grid, k)->count;
            if (!more)
                index[k] = 0;
        }
    }
    const sf_status status = sf_action_source(l->a, s->name, &f);
    sf_field_free(l->ctx, &f);
    return status;
}

static sf_status copy_names(verify_level *l)
{
    for (size_t i = 0; i < l->fine->named_count; i++) {
        const sfi_named *s = &l->fine->named[i];
        if (s->is_number)
            SFI_TRY(sf_action_constant(l->a, s->name, s->number));
        else
            SFI_TRY(thin(l, s));
    }
    return SF_OK;
}

/* ---- what makes e stationary -------------------------------------------------------------- */

/* d e / d axis as a length. */
static sf_node slope(sf_action *a, sf_node e, int axis)
{
    sf_graph *g = a->graph;
    const sf_node by =
        sf_gradient(g, e, sfi_action_leaf(a, SFI_LEAF_COORD, 0, axis));
    return sf_mul(g, sf_const(g, 1.0 / a->grid->radian[axis]),
                  sf_mul(g, sfi_action_inverse_h(a, axis), by));
}

/* A derivative of the energy with e in place of the fields. */
static sf_node at_exact(sf_action *a, sf_node node, const sf_node *exact)
{
    enum { MOST = 256 };
    sf_node leaves[MOST];
    if (a->leaf_count > MOST)
        return sfi_graph_fail(a->graph, SF_E_UNSUPPORTED,
                              "verify: more than %d names", (int)MOST);
    /* Leaves that are made on the way stand behind these. */
    const size_t count = a->leaf_count;
    for (size_t i = 0; i < count; i++) {
        const sfi_density_leaf leaf = a->leaves[i];
        leaves[i] = leaf.kind == SFI_LEAF_VALUE ? exact[leaf.index]
                    : leaf.kind == SFI_LEAF_SLOPE
                        ? slope(a, exact[leaf.index], leaf.axis)
                    : leaf.kind == SFI_LEAF_RATE ? sf_const(a->graph, 0.0)
                                                 : leaf.node;
    }
    return sfi_substitute(a->graph, a->graph, node, leaves, NULL);
}

/* n.dE/dgrad phi without its sign, along an axis. */
static sf_node flux(sf_action *a, int u, int axis, const sf_node *exact)
{
    const sf_node s = sfi_action_leaf(a, SFI_LEAF_SLOPE, u, axis);
    return at_exact(a, sf_gradient(a->graph, a->energy, s), exact);
}

/* div of the fluxes: (1/J) sum d(J flux/h)/dx, J = prod h. */
static sf_node divergence(sf_action *a, int u, const sf_node *exact)
{
    sf_graph *g = a->graph;
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    sf_node volume = sf_const(g, 1.0), sum = sf_const(g, 0.0);
    for (int k = 0; k < a->rank; k++)
        volume = sf_div(g, volume, sfi_action_inverse_h(a, k));
    const int r = sf_grid_find_role(a->grid, SF_ROLE_R);
    if (geometry == SF_GEOMETRY_AXISYMMETRIC || geometry == SF_GEOMETRY_RADIAL)
        volume = sfi_action_leaf(a, SFI_LEAF_COORD, 0, r);
    if (geometry == SF_GEOMETRY_RADIAL)
        volume = sf_square(g, volume);
    for (int k = 0; k < a->rank; k++) {
        const sf_node inverse = sfi_action_inverse_h(a, k);
        const sf_node p =
            sf_mul(g, sf_mul(g, volume, inverse), flux(a, u, k, exact));
        if (sfi_action_depends(a, p, SFI_LEAF_SOURCE))
            return sfi_graph_fail(g, SF_E_UNSUPPORTED,
                                  "verify: a coefficient of slopes is given by "
                                  "values; type it in the density");
        const sf_node by =
            sf_gradient(g, p, sfi_action_leaf(a, SFI_LEAF_COORD, 0, k));
        sum = sf_add(g, sum,
                     sf_mul(g, sf_const(g, 1.0 / a->grid->radian[k]), by));
    }
    return sf_div(g, sum, volume);
}

static void coordinates(const sf_action *a, sf_box *box, double **x)
{
    box->rank = a->rank;
    for (int k = 0; k < a->rank; k++) {
        x[k] = a->lines[k][SFI_LINE_COORD];
        box->extent[k] = a->count[k];
    }
}

/* Values of the flux, plus alpha e, on a wall. */
static sf_status fill_wall(sf_action *a, int w, const sf_node *exact)
{
    sfi_action_wall *wall = &a->walls[w];
    sf_graph *g = a->graph;
    const int axis = w / 2;
    const bool high = w % 2 == 1;
    sf_box box = {0};
    double *x[SF_MAX_AXES];
    if (wall->kind != SF_SIDE_FLUX && wall->kind != SF_SIDE_ROBIN)
        return SF_OK;
    coordinates(a, &box, x);
    box.extent[axis] = 1;
    if (high)
        x[axis] += a->count[axis] - 1;
    int64_t step = 1;
    for (int k = a->rank - 1; k >= 0; k--) {
        wall->step[k] = k == axis ? 0 : step;
        step *= box.extent[k];
    }
    sf_node q = flux(a, 0, axis, exact);
    if (!high)
        q = sf_neg(g, q);
    if (wall->kind == SF_SIDE_ROBIN)
        q = sf_add(g, q, sf_mul(g, sf_const(g, wall->factor), exact[0]));
    SFI_TRY(sf_graph_status(g));
    sfi_free(a->ctx, wall->values, wall->count, sizeof *wall->values);
    sfi_free(a->ctx, wall->factors, wall->count, sizeof *wall->factors);
    wall->values = sfi_alloc(a->ctx, (size_t)step, sizeof *wall->values);
    wall->factors = sfi_alloc(a->ctx, (size_t)step, sizeof *wall->factors);
    wall->count = (size_t)step;
    wall->is_number = false;
    if (wall->values == NULL || wall->factors == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < step; i++)
        wall->factors[i] = wall->factor;
    return sfi_action_run(a, q, &box, x, wall->values);
}

/* Add S phi to the energy, and remember e at all points. */
static sf_status manufacture(verify_level *l, const sf_node *exact)
{
    sf_action *a = l->a;
    sf_graph *g = a->graph;
    sf_box box = {0};
    double *x[SF_MAX_AXES];
    coordinates(a, &box, x);
    sf_node energy = a->energy;
    for (int u = 0; u < a->unknowns; u++) {
        const sf_node value = sfi_action_leaf(a, SFI_LEAF_VALUE, u, 0);
        const sf_node lagrange =
            sf_sub(g, at_exact(a, sf_gradient(g, a->energy, value), exact),
                   divergence(a, u, exact));
        SFI_TRY(sf_graph_status(g));
        double *values = sfi_alloc(l->ctx, (size_t)a->points, sizeof *values);
        sfi_named *grown = sfi_grow(l->ctx, a->named, &a->named_capacity,
                                    a->named_count + 1, sizeof *grown);
        if (grown != NULL)
            a->named = grown;
        char *name = sfi_copy_text(l->ctx, "manufactured");
        if (values == NULL || grown == NULL || name == NULL) {
            sfi_free(l->ctx, values, (size_t)a->points, sizeof *values);
            sfi_free_text(l->ctx, name);
            return SF_E_NOMEM;
        }
        a->named[a->named_count] = (sfi_named){.name = name, .values = values};
        const int number = (int)a->named_count++;
        SFI_TRY(sfi_action_run(a, lagrange, &box, x, values));
        energy = sf_sub(
            g, energy,
            sf_mul(g, sfi_action_leaf(a, SFI_LEAF_SOURCE, number, 0), value));
        SFI_TRY(sfi_action_run(a, exact[u], &box, x, l->exact + u * a->points));
    }
    a->energy = energy;
    for (int w = 0; w < 2 * a->rank; w++)
        SFI_TRY(fill_wall(a, w, exact));
    return sf_graph_status(g);
}

/* ---- a verify_level -------------------------------------------------------------------------------- */

static void free_level(verify_level *l)
{
    if (l->a != NULL)
        sfi_free(l->ctx, l->exact, (size_t)(l->a->unknowns * l->a->points),
                 sizeof *l->exact);
    sf_action_free(l->a);
    sf_grid_free(l->grid);
    for (int k = 0; k < l->fine->rank; k++) {
        const size_t n = (size_t)coarse_count(l->fine, k, l->skip);
        sfi_free(l->ctx, l->coords[k], n, sizeof(double));
        sfi_free(l->ctx, l->edges[k], n + 1, sizeof(double));
    }
}

static sf_status make_level(verify_level *l, const char *const *exact)
{
    const sf_action *fine = l->fine;
    sf_node nodes[SF_MOST_UNKNOWNS];
    SFI_TRY(make_grid(l, exact[0]));
    SFI_TRY(sf_action_new(l->ctx, &l->a, l->grid, fine->text, fine->kind,
                          fine->unknowns, (const char *const *)fine->names));
    sf_action *a = l->a;
    SFI_TRY(copy_names(l));
    l->exact =
        sfi_alloc(l->ctx, (size_t)(a->unknowns * a->points), sizeof *l->exact);
    if (l->exact == NULL)
        return SF_E_NOMEM;
    sf_action_info info;
    SFI_TRY(sf_action_describe(a, &info));
    for (int w = 0; w < 2 * a->rank; w++)
        if (a->walls[w].kind == SF_SIDE_ROBIN && !a->walls[w].is_number)
            return SFI_FAIL(l->ctx, SF_E_UNSUPPORTED,
                            "verify: the coefficient of a Robin side is to be "
                            "one number");
    for (int u = 0; u < a->unknowns; u++)
        SFI_TRY(sfi_action_parse(a, exact[u], &nodes[u]));
    return manufacture(l, nodes);
}

static sf_status solve_level(verify_level *l, sf_action_level *out)
{
    sf_action *a = l->a;
    sf_field fields[SF_MOST_UNKNOWNS] = {{0}};
    sf_action_solution s;
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    sf_status status = SF_OK;
    o.tolerance = a->is_linear ? 1e-11 : 1e-8; /* from near the solution */
    o.project = true;
    double *x = sfi_alloc(l->ctx, (size_t)a->points, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    for (int u = 0; u < a->unknowns && status == SF_OK; u++) {
        status = sf_action_field(a, &fields[u], u);
        /* Where there are several solutions, near the right one. */
        if (status == SF_OK && !a->is_linear)
            sf_field_put(&fields[u], 0, l->exact + u * a->points);
    }
    if (status == SF_OK)
        status = sf_action_solve(a, fields, &o, &s);
    *out = (sf_action_level){.order = NAN, .residual = s.residual};
    for (int u = 0; u < a->unknowns && status == SF_OK; u++) {
        const double *exact = l->exact + u * a->points;
        double shift = 0.0;
        sf_field_get(&fields[u], 0, x);
        for (int64_t i = 0; i < a->points && a->is_singular; i++)
            shift += (exact[i] - x[i]) / (double)a->points;
        for (int64_t i = 0; i < a->points; i++)
            out->error = fmax(out->error, fabs(x[i] + shift - exact[i]));
    }
    for (int k = 0; k < a->rank; k++)
        out->points = a->count[k] > out->points ? a->count[k] : out->points;
    for (int u = 0; u < a->unknowns; u++)
        sf_field_free(l->ctx, &fields[u]);
    sfi_free(l->ctx, x, (size_t)a->points, sizeof *x);
    return status;
}

sf_status sf_action_verify(sf_action *a, const char *const *exact,
                           sf_action_level *levels, int *count)
{
    sf_action_info info;
    *count = 0;
    SFI_TRY(sf_action_describe(a, &info));
    SFI_TRY(sfi_action_check_rest(a));
    SFI_TRY(sfi_action_check_scalars(a, "verify"));
    if (a->unknowns > 1)
        for (int w = 0; w < 2 * a->rank; w++)
            if (a->walls[w].kind != SF_SIDE_PERIODIC)
                return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                                "verify: several fields want periodic sides");
    int skip = 1 << (SF_MOST_LEVELS - 1);
    while (skip > 1 && !divides(a, skip))
        skip /= 2;
    if (skip == 1)
        return SFI_FAIL(
            a->ctx, SF_E_ARG,
            "verify: every second point of an axis is to be a grid, "
            "too: want 2^k n + 1 nodes, or 2^k n points of closed "
            "axes and of cells");
    for (; skip >= 1; skip /= 2) {
        verify_level l = {.ctx = a->ctx, .fine = a, .skip = skip};
        sf_action_level *out = &levels[*count];
        sf_status status = make_level(&l, exact);
        if (status == SF_OK)
            status = solve_level(&l, out);
        free_level(&l);
        SFI_TRY(status);
        if (*count > 0)
            out->order = log2(levels[*count - 1].error / out->error);
        (*count)++;
    }
    return SF_OK;
}
