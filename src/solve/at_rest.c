/* SPDX-License-Identifier: Apache-2.0 */
/* at_rest.c - actions solved: their options checked, currents of forms closed first. */
#include "solve/current.h"
#include "solve/stationary.h"

#include <string.h>

static sf_status solve_form(sf_action *a, sf_field *fields,
                            const sf_action_solve_options *o,
                            sf_action_solution *out)
{
    const size_t n = (size_t)(a->unknowns * a->points);
    double imbalance = 0.0;
    double *room = sfi_alloc(a->ctx, 3 * n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    double *x = room, *g = room + n, *open = room + 2 * n;
    memset(open, 0, n * sizeof *open);
    sf_status status = sfi_action_gather(a, fields, x);
    for (int u = 0; u < a->unknowns && status == SF_OK; u++)
        sfi_action_pin(a, u, x + u * a->points);
    if (status == SF_OK)
        status = sfi_action_gradient(a, x, g);
    if (status == SF_OK)
        status = sfi_balance_current(a, g, o->project, &imbalance, open);
    if (status == SF_OK)
        status = sfi_stationary(a, fields, o, open, out);
    out->imbalance = imbalance;
    sfi_free(a->ctx, room, 3 * n, sizeof *room);
    return status;
}

sf_status sf_action_solve(sf_action *a, sf_field *fields,
                          const sf_action_solve_options *opts,
                          sf_action_solution *out)
{
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    sf_action_solution none;
    sf_action_info info;
    out = out != NULL ? out : &none;
    memset(out, 0, sizeof *out);
    SFI_TRY(sfi_options(a->ctx, &o, sizeof o, opts));
    if (!(o.tolerance > 0.0) || o.max_iterations < 1)
        return SFI_FAIL(
            a->ctx, SF_E_ARG,
            "solve: tolerance is %g and max_iterations %lld, want > 0",
            o.tolerance, (long long)o.max_iterations);
    SFI_TRY(sf_action_describe(a, &info));
    SFI_TRY(sfi_action_check_rest(a));
    return a->form != NULL ? solve_form(a, fields, &o, out)
                           : sfi_stationary(a, fields, &o, NULL, out);
}
