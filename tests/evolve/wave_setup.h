/* SPDX-License-Identifier: Apache-2.0 */
/* wave_setup.h - a wave of one field: its grid, action, start and run, for tests. */
#ifndef SFI_TESTS_WAVE_SETUP_H
#define SFI_TESTS_WAVE_SETUP_H

#include "faults.h"

#include "scorefield/action.h"

typedef struct setup {
    sf_context *ctx;
    sf_grid *grid;
    sf_action *action;
    sf_field phi, rate;
    sf_action_evolve_options o;
    sf_action_motion m;
} setup;

SFI_UNUSED static setup begin(const char *grid, const char *lagrangian)
{
    setup s = {.ctx = new_context()};
    const sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    s.o = o;
    CHECK_OK(s.ctx, sf_grid_parse(s.ctx, &s.grid, grid));
    CHECK_OK(s.ctx,
             sf_action_new(s.ctx, &s.action, s.grid, lagrangian, SF_LAGRANGIAN,
                           1, (const char *const[]){"phi"}));
    return s;
}

SFI_UNUSED static void start(setup *s, const char *phi, const char *rate)
{
    CHECK_OK(s->ctx, sf_action_field(s->action, &s->phi, 0));
    CHECK_OK(s->ctx,
             sf_field_new(s->ctx, &s->rate, s->grid, 1, NULL, SF_F64, 0));
    CHECK_OK(s->ctx, sf_field_set(s->ctx, &s->phi, 0, phi));
    CHECK_OK(s->ctx, sf_field_set(s->ctx, &s->rate, 0, rate));
}

SFI_UNUSED static void run(setup *s)
{
    CHECK_OK(s->ctx,
             sf_action_evolve(s->action, &s->phi, &s->rate, &s->o, &s->m));
}

SFI_UNUSED static void end(setup *s)
{
    sf_field_free(s->ctx, &s->phi);
    sf_field_free(s->ctx, &s->rate);
    sf_action_free(s->action);
    sf_grid_free(s->grid);
    sf_context_free(s->ctx);
}

#endif
