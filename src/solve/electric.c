/* SPDX-License-Identifier: Apache-2.0 */
/* electric.c - the electric field of charges at rest, for the start of a motion.
 *
 * The corner rule gives an edge the same volume in eps E^2/2 of the form and in
 * eps |grad phi|^2/2 of a potential at points, so that the field of the potential's equation
 * obeys Gauss's law of the form. */
#include "action/action.h"

#include <stdio.h>
#include <string.h>

/* The factor of dt()^2 of component u by the name eps_u. */
static sf_status define_factor(sf_action *a, int u, sf_action *potential,
                               const char *name, sf_field *room)
{
    double number = 0.0;
    if (sfi_is_const(a->graph, a->inertia[u], &number))
        return sf_action_constant(potential, name, number);
    double *values = sfi_alloc(a->ctx, (size_t)a->points, sizeof *values);
    if (values == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_action_inertia(a, u, values);
    if (status == SF_OK) {
        sfi_action_put(a, values, room);
        status = sf_action_source(potential, name, room);
    }
    sfi_free(a->ctx, values, (size_t)a->points, sizeof *values);
    return status;
}

static sf_status define(sf_action *a, const sf_field *charge,
                        sf_action *potential)
{
    sf_field room;
    SFI_TRY(sf_field_new(a->ctx, &room, a->grid, 1, NULL, SF_F64, 0));
    sf_status status = sf_action_source(potential, "rho", charge);
    for (int u = 0; u < SF_FORM_COMPONENTS && status == SF_OK; u++) {
        char name[8];
        snprintf(name, sizeof name, "eps_%c", "xyz"[u]);
        if (a->half[u] >= 0)
            status = define_factor(a, u, potential, name, &room);
    }
    sf_field_free(a->ctx, &room);
    return status;
}

/* dA/dt = -E = grad phi, added. */
static void add_gradient(const sf_action *a, const double *phi, double *rates)
{
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const int axis = a->half[u];
        double *to = rates + u * a->points;
        for (int64_t i = 0; i < a->points && axis >= 0; i++) {
            const int64_t n = a->count[axis], stride = a->stride[axis];
            const int64_t at = i / stride % n;
            if (at == n - 1 && !sfi_is_closed(a, axis))
                continue;
            const int64_t next = at < n - 1 ? i + stride : i - at * stride;
            to[i] += (phi[next] - phi[i]) * a->lines[axis][SFI_LINE_EDGE][at];
        }
    }
}

static sf_status solve(sf_action *a, sf_action *potential, sf_field *rates,
                       sf_action_solution *out)
{
    const size_t n = (size_t)a->points;
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    sf_field phi;
    o.tolerance = 1e-12;
    SFI_TRY(sf_action_field(potential, &phi, 0));
    double *room =
        sfi_alloc(a->ctx, (1 + SF_FORM_COMPONENTS) * n, sizeof *room);
    sf_status status = room != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sf_action_solve(potential, &phi, &o, out);
    if (status == SF_OK)
        status = sfi_action_gather(potential, &phi, room);
    if (status == SF_OK)
        status = sfi_action_gather(a, rates, room + n);
    if (status == SF_OK) {
        add_gradient(a, room, room + n);
        sfi_action_scatter(a, room + n, rates);
    }
    sfi_free(a->ctx, room, (1 + SF_FORM_COMPONENTS) * n, sizeof *room);
    sf_field_free(a->ctx, &phi);
    return status;
}

sf_status sf_action_charge(sf_action *a, const sf_field *charge,
                           sf_field *rates, sf_action_solution *out)
{
    sf_action_info info;
    char text[200] = "-rho*phi";
    sf_action *potential = NULL;
    sf_action_solution none;
    if (a->form == NULL)
        return SFI_FAIL(a->ctx, SF_E_ARG,
                        "action: charge is that of a form, and the unknowns "
                        "are scalars");
    SFI_TRY(sf_action_describe(a, &info));
    if (a->is_open)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "action: the field of a charge goes on beyond open "
                        "sides, and is not known there; give E_x, ... instead");
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const size_t used = strlen(text);
        if (a->inertia[u].id < 0)
            return SFI_FAIL(a->ctx, SF_E_ARG,
                            "action: charge wants a density with the square of "
                            "dt(%s) in it",
                            a->form);
        if (a->half[u] >= 0)
            snprintf(text + used, sizeof text - used,
                     " + 0.5*eps_%c*d(phi, %s)^2", "xyz"[u],
                     sf_grid_axis(a->grid, a->half[u]) -> name);
    }
    SFI_TRY(sf_action_new(a->ctx, &potential, a->grid, text, SF_ENERGY, 1,
                          (const char *const[]){"phi"}));
    sf_status status = define(a, charge, potential);
    if (status == SF_OK)
        status = solve(a, potential, rates, out != NULL ? out : &none);
    if (status != SF_OK)
        sfi_message_prefix(a->ctx, "charge: ");
    sf_action_free(potential);
    return status;
}
