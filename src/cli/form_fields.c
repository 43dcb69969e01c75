/* SPDX-License-Identifier: Apache-2.0 */
/* form_fields.c - A, E and B of a one-form, as they lie or at points. */
#include "cli/form_fields.h"

#include <string.h>

enum { FORM = 0, ELECTRIC = SF_FORM_COMPONENTS, MAGNETIC = 2 * ELECTRIC };

/* Is E beside A and B? */
static bool has_rates(const shown_fields *s)
{
    return s->count == SHOWN_FIELDS;
}

static int magnetic(const shown_fields *s)
{
    return has_rates(s) ? MAGNETIC : ELECTRIC;
}

/* A field, or its negative, by another name as number i. */
static sf_status take(cli *c, shown_fields *s, int i, const sf_field *from,
                      const char *name, double sign)
{
    sf_context *ctx = c->ctx;
    sf_field *to = &s->own[i];
    const size_t n = (size_t)sf_grid_points(from->grid);
    sf_field_free(ctx, to);
    SFI_TRY(s->at_points
                ? sf_field_collocate(ctx, to, from, 0)
                : sf_field_new(ctx, to, from->grid, 1, from->place, SF_F64, 0));
    SFI_TRY(sf_field_set_name(ctx, to, name));
    double *room = sfi_alloc(ctx, n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    sf_field_get(s->at_points ? to : from, 0, room);
    const int64_t count = sf_field_points(to, 0);
    for (int64_t k = 0; k < count; k++)
        room[k] = sign < 0.0 ? 0.0 - room[k] : room[k];
    sf_field_put(to, 0, room);
    sfi_free(ctx, room, n, sizeof *room);
    return SF_OK;
}

sf_status shown_fields_take(cli *c, shown_fields *s, sf_problem *p,
                            const sf_field *fields)
{
    sf_field curl[SF_FORM_COMPONENTS];
    if (s->fields != s->own)
        return SF_OK; /* they are the problem's */
    SFI_TRY(sf_action_curl(p->action, fields, 'B', curl));
    sf_status status = SF_OK;
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        if (status == SF_OK)
            status = take(c, s, FORM + u, &fields[u], p->fields[u].name, 1.0);
        if (status == SF_OK)
            status = take(c, s, magnetic(s) + u, &curl[u], curl[u].name, 1.0);
        sf_field_free(c->ctx, &curl[u]);
    }
    return status;
}

sf_status shown_fields_take_rates(cli *c, shown_fields *s,
                                  const sf_field *rates)
{
    for (int u = 0; u < SF_FORM_COMPONENTS; u++) {
        const char name[] = {'E', '_', "xyz"[u], '\0'};
        SFI_TRY(take(c, s, ELECTRIC + u, &rates[u], name, -1.0));
    }
    return SF_OK;
}

sf_status shown_fields_new(cli *c, shown_fields *s, sf_problem *p,
                           bool is_motion, bool at_points)
{
    memset(s, 0, sizeof *s);
    s->fields = p->fields;
    s->count = p->unknowns;
    s->at_points = at_points;
    if (!p->is_form)
        return at_points ? SFI_FAIL(c->ctx, SF_E_ARG,
                                    "--collocate is for forms; these fields "
                                    "are at the points already")
                         : SF_OK;
    s->fields = s->own;
    s->count = is_motion ? SHOWN_FIELDS : 2 * SF_FORM_COMPONENTS;
    SFI_TRY(shown_fields_take(c, s, p, p->fields));
    return is_motion ? shown_fields_take_rates(c, s, p->rates) : SF_OK;
}

void shown_fields_free(cli *c, shown_fields *s)
{
    for (int i = 0; i < SHOWN_FIELDS; i++)
        sf_field_free(c->ctx, &s->own[i]);
}
