/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - an action in words: its equation of motion, and how it is solved.
 *
 * With P_mu = dE/d(phi_mu) and P = dE/dphi the equation is
 *
 *     a phi_tt - sum_mu (1/J) d/dx_mu (J/h_mu P_mu) = -P,      J = prod h,
 *
 * printed as -c*phi_xx where P_x is c*phi_x with a number c and h is 1. */
#include "action/action.h"
#include "base/growing.h"
#include "graph/print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct telling {
    sf_action *a;
    sfi_print_style style;
    sf_status (*line)(void *user, const char *name, const char *text);
    void *user;
    sfi_growing text; /* of the line that is being written */
} telling;

static sf_status put(telling *t, const char *text)
{
    return sfi_growing_put(t->a->ctx, &t->text, text);
}

static sf_status put_node(telling *t, sf_node node, const char *before,
                          const char *after)
{
    char *text = NULL;
    SFI_TRY(sfi_print(t->a->graph, node, t->style, &text, NULL));
    sf_status status = put(t, before);
    if (status == SF_OK)
        status = put(t, text);
    if (status == SF_OK)
        status = put(t, after);
    sfi_free_text(t->a->ctx, text);
    return status;
}

static sf_status end_line(telling *t, const char *name)
{
    const sf_status status = t->line(t->user, name, t->text.text);
    t->text.size = 0;
    return status;
}

/* ---- the equation ---------------------------------------------------------------------- */

/* What stands before d/dx and in it, on each geometry. */
static void metric(const sf_action *a, int axis, char *before, char *inside,
                   size_t size)
{
    const sf_role role = sf_grid_axis(a->grid, axis)->role;
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    const bool ball =
        geometry == SF_GEOMETRY_SPHERICAL || geometry == SF_GEOMETRY_RADIAL;
    char radius[32] = "r";
    if (geometry == SF_GEOMETRY_SPHERE)
        snprintf(radius, sizeof radius, "%.10g", sf_grid_radius(a->grid));
    *before = *inside = '\0';
    if (role == SF_ROLE_R && geometry != SF_GEOMETRY_CARTESIAN) {
        snprintf(before, size, ball ? "1/r^2*" : "1/r*");
        snprintf(inside, size, ball ? "r^2*" : "r*");
    } else if (role == SF_ROLE_THETA) {
        snprintf(before, size, "1/r*");
    } else if (role == SF_ROLE_LAT || role == SF_ROLE_LON) {
        snprintf(before, size, "1/(%s*cos(lat))*", radius);
        if (role == SF_ROLE_LAT)
            snprintf(inside, size, "cos(lat)*");
    }
}

/* Whether P is c times this slope; then c. */
static bool is_plain(sf_action *a, sf_node p, sf_node slope, double *c)
{
    sf_graph *g = a->graph;
    const sf_node by = sf_gradient(g, p, slope);
    if (!sfi_is_const(g, by, c))
        return false;
    /* By its own slope alone: everything else in it would be a derivative. */
    for (size_t i = 0; i < a->leaf_count; i++) {
        double none = 1.0;
        if (a->leaves[i].node.id == slope.id)
            continue;
        const sf_node other = sf_gradient(g, p, a->leaves[i].node);
        if (!sfi_is_const(g, other, &none) || none != 0.0)
            return false;
    }
    return true;
}

static sf_status put_flux(telling *t, int u, int axis, bool *is_first)
{
    sf_action *a = t->a;
    sf_graph *g = a->graph;
    const char *name = sf_grid_axis(a->grid, axis)->name;
    const sf_node slope = sfi_action_leaf(a, SFI_LEAF_SLOPE, u, axis);
    const sf_node p = sf_gradient(g, a->energy, slope);
    char before[80], inside[80], text[400];
    double c = 0.0;
    metric(a, axis, before, inside, sizeof before);
    const bool plain = is_plain(a, p, slope, &c);
    if (plain && c == 0.0)
        return SF_OK;
    const bool curved = *before != '\0' || *inside != '\0';
    if (plain && !curved) {
        const bool negative = c > 0.0; /* of -c phi_xx */
        const char *sign =
            *is_first ? (negative ? "-" : "") : (negative ? " - " : " + ");
        char factor[40] = "";
        if (fabs(c) != 1.0)
            snprintf(factor, sizeof factor, "%.10g*", fabs(c));
        snprintf(text, sizeof text,
                 t->style == SFI_PRINT_TEX ? "%s%s%s_{%s%s}" : "%s%s%s_%s%s",
                 sign, factor, a->names[u], name, name);
        *is_first = false;
        return put(t, text);
    }
    const bool is_tex = t->style == SFI_PRINT_TEX;
    const bool bracket = *inside != '\0';
    snprintf(text, sizeof text,
             is_tex ? "%s%s\\tfrac{d}{d%s}\\bigl(%s%s" : "%s%sd/d%s(%s%s",
             *is_first ? "-" : " - ", before, name, inside, bracket ? "(" : "");
    *is_first = false;
    return put_node(t, p, text,
                    is_tex ? (bracket ? ")\\bigr)" : "\\bigr)")
                           : (bracket ? "))" : ")"));
}

static sf_status put_equation(telling *t, int u)
{
    sf_action *a = t->a;
    sf_graph *g = a->graph;
    bool is_first = true;
    double one = 0.0;
    if (a->inertia[u].id >= 0) {
        char rate[200];
        snprintf(rate, sizeof rate,
                 t->style == SFI_PRINT_TEX ? "%s_{tt}" : "%s_tt", a->names[u]);
        if (sfi_is_const(g, a->inertia[u], &one) && one == 1.0) {
            SFI_TRY(put(t, rate));
        } else {
            SFI_TRY(put_node(t, a->inertia[u], "(", ")*"));
            SFI_TRY(put(t, rate));
        }
        is_first = false;
    }
    for (int k = a->rank - 1; k >= 0; k--) /* x before y */
        SFI_TRY(put_flux(t, u, k, &is_first));
    const sf_node rest = sf_neg(
        g, sf_gradient(g, a->energy, sfi_action_leaf(a, SFI_LEAF_VALUE, u, 0)));
    SFI_TRY(put_node(t, rest, is_first ? "0 = " : " = ", ""));
    return end_line(t, "equation");
}

/* ---- the other lines --------------------------------------------------------------------- */

static sf_status tell_unknown(telling *t)
{
    const sf_action *a = t->a;
    char text[200];
    for (int u = 0; u < a->unknowns; u++) {
        SFI_TRY(put(t, u > 0 ? ", " : ""));
        SFI_TRY(put(t, a->names[u]));
    }
    SFI_TRY(put(t, "("));
    SFI_TRY(put(t, a->has_motion ? "t, " : ""));
    for (int k = 0; k < a->rank; k++) {
        SFI_TRY(put(t, k > 0 ? ", " : ""));
        SFI_TRY(put(t, sf_grid_axis(a->grid, k)->name));
    }
    SFI_TRY(put(t, "), "));
    for (int k = 0; k < a->rank; k++) {
        snprintf(text, sizeof text, "%s%lld", k > 0 ? " x " : "",
                 (long long)a->count[k]);
        SFI_TRY(put(t, text));
    }
    snprintf(text, sizeof text, " points, %s, %lld free numbers",
             sf_geometry_name(sf_grid_geometry(a->grid)),
             (long long)a->free_count);
    SFI_TRY(put(t, text));
    return end_line(t, "unknown");
}

static sf_status tell_stencil(telling *t)
{
    sf_action *a = t->a;
    static const sfi_place_class inside[SF_MAX_AXES] = {SFI_INSIDE, SFI_INSIDE,
                                                        SFI_INSIDE, SFI_INSIDE};
    sfi_class_program p = {0};
    char text[120];
    SFI_TRY(sfi_class_program_make(a, SFI_GRADIENT, inside, &p));
    const int values = p.value_count;
    sfi_class_program_free(a, &p);
    snprintf(text, sizeof text,
             "corner rule, %d values at each point, order 2 in space%s", values,
             a->has_motion ? " and time" : "");
    SFI_TRY(put(t, text));
    return end_line(t, "stencil");
}

static sf_status tell_sides(telling *t)
{
    static const char *const kinds[] = {"natural", "periodic", "pin",
                                        "flux",    "robin",    "open"};
    const sf_action *a = t->a;
    for (int w = 0; w < 2 * a->rank; w++) {
        const sf_axis *axis = sf_grid_axis(a->grid, w / 2);
        const sf_side *side = w % 2 == 0 ? &axis->low : &axis->high;
        SFI_TRY(put(t, w > 0 ? "; " : ""));
        SFI_TRY(put(t, axis->name));
        SFI_TRY(put(t, w % 2 == 0 ? "-: " : "+: "));
        SFI_TRY(put(t, kinds[a->walls[w].kind]));
        if (side->factor != NULL) {
            SFI_TRY(put(t, " "));
            SFI_TRY(put(t, side->factor));
            SFI_TRY(put(t, ","));
        }
        if (side->value != NULL) {
            SFI_TRY(put(t, " "));
            SFI_TRY(put(t, side->value));
        }
    }
    return end_line(t, "sides");
}

static sf_status tell_method(telling *t)
{
    const sf_action *a = t->a;
    SFI_TRY(put(t, a->is_linear ? "linear" : "nonlinear"));
    if (a->has_motion)
        SFI_TRY(put(t, a->motion_problem[0] == '\0'
                           ? ", kinetic term diagonal"
                           : ", kinetic term not diagonal"));
    SFI_TRY(end_line(t, "kind"));
    SFI_TRY(put(t, a->has_motion && a->motion_problem[0] == '\0'
                       ? "evolve: Stoermer-Verlet, dt = 0.9 of the stability "
                         "bound"
                   : a->has_motion ? "no motion: "
                   : a->is_open    ? "solve: transforms in open space, by the "
                                     "lattice's Green's function or e^-mu"
                   : a->is_linear
                       ? "solve: transforms if all is constant on a box, "
                         "else conjugate gradients with multigrid; flow: "
                         "exponentials of modes, else Runge-Kutta-Chebyshev"
                       : "solve: Newton with conjugate gradients; flow: "
                         "Runge-Kutta-Chebyshev"));
    if (a->has_motion)
        SFI_TRY(put(t, a->motion_problem[0] == '\0' && a->is_open
                           ? ", layers that absorb beyond open sides"
                           : a->motion_problem));
    SFI_TRY(end_line(t, "method"));
    if (a->is_singular && !a->has_motion) {
        SFI_TRY(put(t,
                    "constants: no side holds a value; sources and flux have "
                    "to balance"));
        SFI_TRY(end_line(t, "null space"));
    }
    if (a->has_motion && a->motion_problem[0] == '\0') {
        SFI_TRY(put(t, a->form != NULL && a->is_linear
                           ? "energy, exactly; charge, div B = 0"
                       : a->is_linear
                           ? "energy V sum(a v^2/2) + phi . K phi'/2, exactly"
                           : "energy, within O(dt^2)"));
        SFI_TRY(end_line(t, "conserved"));
    }
    return SF_OK;
}

static sf_status tell(telling *t)
{
    sf_action *a = t->a;
    SFI_TRY(tell_unknown(t));
    SFI_TRY(put(t, a->text));
    SFI_TRY(end_line(t, a->kind == SF_ENERGY ? "energy" : "lagrangian"));
    for (int u = 0; u < a->unknowns; u++)
        SFI_TRY(put_equation(t, u));
    SFI_TRY(tell_stencil(t));
    SFI_TRY(tell_sides(t));
    return tell_method(t);
}

sf_status sf_action_explain(sf_action *a, bool is_tex,
                            sf_status (*line)(void *user, const char *name,
                                              const char *text),
                            void *user)
{
    sf_action_info info;
    telling t = {.a = a,
                 .style = is_tex ? SFI_PRINT_TEX : SFI_PRINT_TEXT,
                 .line = line,
                 .user = user};
    SFI_TRY(sf_action_describe(a, &info));
    const sf_status status = tell(&t);
    sfi_growing_free(a->ctx, &t.text);
    return status;
}
