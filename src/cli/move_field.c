/* SPDX-License-Identifier: Apache-2.0 */
/* move_field.c - scorefield flow and evolve: fields that move, downhill or as waves. */
#include "cli/problem_options.h"

#include "field/series.h"

#include <math.h>

#define TIMES                                                                  \
    PROBLEM_NUMBER("until", "T", until, "> 0", "How long"),                    \
        PROBLEM_NUMBER("every", "DT", every, "> 0",                            \
                       "Write the field so often [at the end]")

static const cli_option flow_options[] = {
    PROBLEM_OPTIONS,
    TIMES,
    PROBLEM_NUMBER("step", "DT", step, "> 0", "The first step [by itself]"),
    PROBLEM_NUMBER("tolerance", "E", tolerance, "> 0",
                   "Of the error of a step [1e-5]"),
    {0}};

static const cli_option evolve_options[] = {
    PROBLEM_OPTIONS,
    TIMES,
    PROBLEM_NUMBER("step", "DT", step, "> 0",
                   "Of time [0.9 of the stability bound]"),
    PROBLEM_NUMBER("damping", "G", damping, ">= 0", "Of phi_tt + G phi_t [0]"),
    {0}};

/* Levels of time as they come. */
typedef struct time_levels {
    cli *c;
    sf_problem *p;
    int64_t frames, shown; /* the start is one of them */
    double *times;
    sfi_series *series;
} time_levels;

static sf_status take(void *user, double time, const sf_field *fields)
{
    time_levels *f = user;
    (void)time;
    return sfi_series_put(f->series, f->shown++, fields);
}

static sf_status open_series(time_levels *f, const char *path, double until)
{
    sf_context *ctx = f->c->ctx;
    f->times = sfi_alloc(ctx, (size_t)(f->frames + 1), sizeof *f->times);
    if (f->times == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k <= f->frames; k++)
        f->times[k] = until * (double)k / (double)f->frames;
    const sf_axis axis = {.name = "t",
                          .role = SF_ROLE_T,
                          .count = f->frames + 1,
                          .coords = f->times};
    char *history = cli_history(f->c);
    sf_status status =
        history != NULL ? sfi_series_open(ctx, &f->series, path, &axis,
                                          f->p->unknowns, f->p->fields, history)
                        : SF_E_NOMEM;
    sfi_free_text(ctx, history);
    return status == SF_OK ? take(f, 0.0, f->p->fields) : status;
}

static void tell(cli *c, const sf_action_motion *m, bool is_wave, double begun)
{
    cli_put_text(c, c->report, "engine", m->engine);
    cli_put_count(c, c->report, "steps", m->accepted);
    if (!is_wave)
        cli_put_count(c, c->report, "rejected_steps", m->rejected);
    cli_put_number(c, c->report, "step", m->step);
    cli_put_number(c, c->report, "energy_at_start", m->energy_start);
    cli_put_number(c, c->report, "energy_at_end", m->energy_end);
    if (is_wave)
        cli_put_number(c, c->report, "drift_of_energy", m->drift);
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
}

static sf_status move(time_levels *f, sf_action_motion *m, bool is_wave)
{
    sf_problem *p = f->p;
    if (is_wave) {
        sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
        o.until = p->until;
        o.step = p->step;
        o.damping = p->damping;
        o.frames = f->frames;
        o.told.frame = take;
        o.told.user = f;
        return sf_action_evolve(p->action, p->fields,
                                p->has_rates ? p->rates : NULL, &o, m);
    }
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    o.until = p->until;
    o.step = p->step;
    o.tolerance = p->motion_tolerance;
    o.frames = f->frames;
    o.told.frame = take;
    o.told.user = f;
    return sf_action_flow(p->action, p->fields, &o, m);
}

static sf_status move_problem(cli *c, const problem_options *o, sf_problem *p,
                              bool is_wave)
{
    const double begun = sfi_clock();
    sf_action_motion m;
    if (!(p->until > 0.0))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "how long? want --until T, or until = T in [motion]");
    const double frames = p->every > 0.0 ? round(p->until / p->every) : 1.0;
    if (!(frames >= 1.0) || frames > 1e6 ||
        fabs(frames * p->every - p->until) >
            1e-9 * p->until * (p->every > 0.0 ? 1.0 : INFINITY))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "every is %g, want a whole part of until, %g", p->every,
                        p->until);
    time_levels f = {.c = c, .p = p, .frames = (int64_t)frames};
    SFI_TRY(cli_put_problem(c, p));
    sf_status status = open_series(&f, o->output, p->until);
    if (status == SF_OK) {
        cli_progress_begin(c);
        status = move(&f, &m, is_wave);
        cli_progress_end(c);
    }
    status = sfi_series_close(f.series, status);
    sfi_free(c->ctx, f.times, (size_t)(f.frames + 1), sizeof *f.times);
    SFI_TRY(status);
    tell(c, &m, is_wave, begun);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

static sf_status flow(cli *c, const void *values, sf_problem *p)
{
    return move_problem(c, values, p, false);
}

static sf_status evolve(cli *c, const void *values, sf_problem *p)
{
    return move_problem(c, values, p, true);
}

static sf_status run_flow(cli *c, const void *values)
{
    return cli_make_series(c, values, flow);
}

static sf_status run_evolve(cli *c, const void *values)
{
    return cli_make_series(c, values, evolve);
}

const cli_command cli_flow = {
    .name = "flow",
    .summary = "Fields that move downhill: heat, diffusion",
    .usage = "[OPTIONS] [PROBLEM] --until T -o OUT",
    .operands = PROBLEM_OPERANDS,
    .least = 0,
    .most = 1,
    .size = sizeof(problem_options),
    .options = flow_options,
    .notes = "phi_t = -dE/dphi, with the energy of the density.\n",
    .example = "  scorefield flow data/plate.ini -o plate.nc\n",
    .run = run_flow};

const cli_command cli_evolve = {
    .name = "evolve",
    .summary = "Fields in motion: waves",
    .usage = "[OPTIONS] [PROBLEM] --until T -o OUT",
    .operands = PROBLEM_OPERANDS,
    .least = 0,
    .most = 1,
    .size = sizeof(problem_options),
    .options = evolve_options,
    .notes = "The equation of motion of a Lagrangian with dt(phi)^2 in it.\n",
    .example = "  scorefield evolve data/drum.ini -o drum.nc\n",
    .run = run_evolve};
