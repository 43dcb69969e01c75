/* SPDX-License-Identifier: Apache-2.0 */
/* current.c - currents at rest: their divergence, and a current without it.
 *
 * With a potential phi at points and the volume V of each edge of length l,
 *
 *     g -> g - V (phi_next - phi)/l,      the divergence of the second as that of g,
 *
 * is the corner rule's Poisson equation of phi. */
#include "solve/current.h"

#include "action/form.h"
#include "solve/stationary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 160 };

/* What flows along a closed axis in the mean does not return. */
static double mean_of(const sf_action *a, int u, const double *g)
{
    double sum = 0.0, size = 0.0;
    for (int w = 0; w < 2 * a->rank; w++)
        if (a->walls[w].kind == SF_SIDE_PIN)
            return 0.0; /* a wall that conducts leads it back */
    for (int64_t i = 0; i < a->points; i++) {
        sum += g[u * a->points + i];
        size += fabs(g[u * a->points + i]);
    }
    return size > 0.0 ? fabs(sum) / size : 0.0;
}

/* On a conductor, which takes what comes. */
static bool is_on_conductor(const sf_action *a, int64_t i)
{
    for (int k = 0; k < a->rank; k++) {
        const int64_t at = i / a->stride[k] % a->count[k];
        if ((at == 0 && a->walls[2 * k].kind == SF_SIDE_PIN) ||
            (at == a->count[k] - 1 && a->walls[2 * k + 1].kind == SF_SIDE_PIN))
            return true;
    }
    return false;
}

static void put_place(const sf_action *a, int64_t i, char *text)
{
    *text = '\0';
    for (int k = a->rank - 1; k >= 0; k--) {
        const sf_axis *axis = sf_grid_axis(a->grid, k);
        const size_t used = strlen(text);
        snprintf(text + used, WORDS - used, "%s%s = %g", used > 0 ? ", " : "",
                 axis->name, axis->coords[i / a->stride[k] % a->count[k]]);
    }
}

/* g without the gradient of phi. */
static void subtract(const sf_action *a, const double *phi, double *volume,
                     double *g)
{
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const int axis = a->half[u];
        if (axis < 0)
            continue;
        const int64_t n = a->count[axis], stride = a->stride[axis];
        sfi_action_cells(a, sfi_action_place(a, u), NULL, volume);
        for (int64_t i = 0; i < a->points; i++) {
            const int64_t at = i / stride % n;
            const int64_t next = at < n - 1 ? i + stride : i - at * stride;
            if (!a->pinned[u * a->points + i])
                g[u * a->points + i] -= volume[i] * (phi[next] - phi[i]) *
                                        a->lines[axis][SFI_LINE_EDGE][at];
        }
    }
}

/* Solve for the potential of a divergence [points]. */
static sf_status find_potential(sf_action *a, const double *divergence,
                                double *phi)
{
    sf_action *potential = NULL;
    sf_field field = {0}, density = {0};
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    sf_action_solution solved = {0};
    o.tolerance = 1e-12;
    o.project = true;
    sfi_action_volumes(a, phi);
    for (int64_t i = 0; i < a->points; i++)
        phi[i] = divergence[i] / phi[i];
    sf_status status =
        sf_field_new(a->ctx, &density, a->grid, 1, NULL, SF_F64, 0);
    if (status == SF_OK) {
        sfi_action_put(a, phi, &density);
        status = sf_action_new(a->ctx, &potential, a->grid,
                               "0.5*grad2(phi) + rho*phi", SF_ENERGY, 1,
                               (const char *const[]){"phi"});
    }
    if (status == SF_OK)
        status = sf_action_source(potential, "rho", &density);
    if (status == SF_OK)
        status = sf_action_field(potential, &field, 0);
    if (status == SF_OK)
        status = sfi_stationary(potential, &field, &o, NULL, &solved);
    if (status == SF_OK)
        status = sfi_action_gather(potential, &field, phi);
    sf_field_free(a->ctx, &field);
    sf_field_free(a->ctx, &density);
    sf_action_free(potential);
    return status;
}

/* Without what flows along u in the mean. */
static void subtract_mean(const sf_action *a, int u, double *volume, double *g)
{
    double sum = 0.0, all = 0.0, *part = g + u * a->points;
    sfi_action_cells(a, sfi_action_place(a, u), NULL, volume);
    for (int64_t i = 0; i < a->points; i++) {
        sum += part[i];
        all += volume[i];
    }
    for (int64_t i = 0; i < a->points; i++)
        part[i] -= volume[i] * sum / all;
}

/* Put into `out` what is to be taken from g. */
static sf_status balance(sf_action *a, const double *g, bool project,
                         double *imbalance, double *out, double *room)
{
    double *divergence = room, *phi = room + a->points, most = 0.0;
    double *volume = divergence; /* when that is not needed any more */
    const size_t n = (size_t)(SF_FORM_COMPONENTS * a->points);
    int64_t where = 0;
    char text[WORDS];
    const double size = sfi_form_divergence(a, g, divergence);
    for (int64_t i = 0; i < a->points; i++)
        if (!is_on_conductor(a, i) && fabs(divergence[i]) > most) {
            most = fabs(divergence[i]);
            where = i;
        }
    *imbalance = size > 0.0 ? most / size : 0.0;
    put_place(a, where, text);
    for (int u = 0; u < SF_FORM_COMPONENTS; u++)
        if (mean_of(a, u, g) > *imbalance) {
            *imbalance = mean_of(a, u, g);
            snprintf(text, sizeof text, "its mean along %c", "xyz"[u]);
        }
    memset(out, 0, n * sizeof *out);
    if (*imbalance <= 1e-10)
        return SF_OK;
    if (*imbalance >= 0.1 && !project)
        return SFI_FAIL(a->ctx, SF_E_NUMERIC,
                        "solve: the current is not closed, and no field at "
                        "rest has such one: its divergence, or its mean, is "
                        "%.3g of its size (%s).  Close it, or let that part be "
                        "subtracted (project)",
                        *imbalance, text);
    sfi_warn(a->ctx,
             "solve: the current is closed to %.3g of its size (%s); what is "
             "not was subtracted",
             *imbalance, text);
    SFI_TRY(find_potential(a, divergence, phi));
    memcpy(out, g, n * sizeof *out);
    subtract(a, phi, volume, out);
    for (int u = 0; u < SF_FORM_COMPONENTS; u++)
        if (mean_of(a, u, out) > 0.0)
            subtract_mean(a, u, volume, out);
    double left = 0.0, most_g = 0.0;
    for (size_t i = 0; i < n; i++) {
        left = fmax(left, fabs(out[i]));
        most_g = fmax(most_g, fabs(g[i]));
    }
    for (size_t i = 0; i < n; i++) /* nothing, if that is rounding */
        out[i] = left > 1e-12 * most_g ? g[i] - out[i] : g[i];
    return SF_OK;
}

sf_status sfi_balance_current(sf_action *a, const double *g, bool project,
                              double *imbalance, double *out)
{
    const size_t n = 2 * (size_t)a->points;
    if (!sfi_form_is_gauge(a))
        return sf_graph_status(a->graph);
    double *room = sfi_alloc(a->ctx, n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    const sf_status status = balance(a, g, project, imbalance, out, room);
    sfi_free(a->ctx, room, n, sizeof *room);
    return status;
}
