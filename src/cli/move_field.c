/* SPDX-License-Identifier: Apache-2.0 */
/* move_field.c - scorefield flow and evolve: fields that move, downhill or as waves. */
#include "cli/motion_record.h"

#include <math.h>

#define TIMES                                                                  \
    PROBLEM_NUMBER("until", "T", until, "> 0", "How long"),                    \
        PROBLEM_NUMBER("every", "DT", every, "> 0",                            \
                       "Write the field so often [at the end]"),               \
        PROBLEM_TEXT("curves", "FILE", curves,                                 \
                     "Each step's energy and probes, .csv"),                   \
        PROBLEM_TEXTS("probe", "X,Y", probes, "A point of the curves"),        \
        PROBLEM_TEXT("checkpoint", "FILE", checkpoint,                         \
                     "Keep the run there, for --resume"),                      \
        PROBLEM_TEXT("resume", "FILE", resume,                                 \
                     "Go on with the run of a checkpoint")

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
    {.kind = CLI_CHOICE,
     .name = "method",
     .argument = "M",
     .offset = offsetof(problem_options, method),
     .choices = "leapfrog|yoshida4|midpoint",
     .shown = "leapfrog",
     .help = "Of order 2, 4 and 2"},
    PROBLEM_NUMBER("damping", "G", damping, ">= 0", "Of phi_tt + G phi_t [0]"),
    PROBLEM_COLLOCATE,
    {0}};

/* Nothing but the step's error changes the energy of a motion that is kept. */
static void tell(cli *c, const sf_action_motion *m, bool is_wave, bool is_kept,
                 double begun)
{
    cli_put_text(c, c->report, "engine", m->engine);
    cli_put_count(c, c->report, "steps", m->accepted);
    if (!is_wave)
        cli_put_count(c, c->report, "rejected_steps", m->rejected);
    cli_put_number(c, c->report, "step", m->step);
    cli_put_number(c, c->report, "energy_at_start", m->energy_start);
    cli_put_number(c, c->report, "energy_at_end", m->energy_end);
    if (is_wave && is_kept)
        cli_put_number(c, c->report, "drift_of_energy", m->drift);
    if (m->gauss == m->gauss)
        cli_put_number(c, c->report, "residual_of_gauss_law", m->gauss);
    if (m->div_b == m->div_b)
        cli_put_number(c, c->report, "divergence_of_b", m->div_b);
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
}

static sf_status move(motion_record *r, sf_action_motion *m, bool is_wave)
{
    sf_problem *p = r->p;
    if (is_wave) {
        sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
        o.until = p->until;
        o.step = p->step;
        o.damping = p->damping;
        o.method = p->method;
        o.absorb = p->absorb > 0 ? p->absorb : o.absorb;
        o.conductivity = p->has_conductivity ? &p->conductivity : NULL;
        o.frames = r->frames;
        o.told = motion_record_told(r);
        o.resume = r->state;
        o.resume_count = r->state_count;
        return sf_action_evolve(p->action, p->fields,
                                p->has_rates ? p->rates : NULL, &o, m);
    }
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    o.until = p->until;
    o.step = p->step;
    o.tolerance = p->motion_tolerance;
    o.frames = r->frames;
    o.told = motion_record_told(r);
    o.resume = r->state;
    o.resume_count = r->state_count;
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
    if (p->has_charge) {
        SFI_TRY(sf_action_charge(p->action, &p->charge, p->rates, NULL));
        p->has_rates = true;
    }
    motion_record r;
    SFI_TRY(cli_put_problem(c, p));
    sf_status status = motion_record_open(&r, c, o, p, (int64_t)frames);
    if (status == SF_OK) {
        cli_progress_begin(c);
        status = move(&r, &m, is_wave);
        cli_progress_end(c);
    }
    SFI_TRY(motion_record_close(&r, status));
    sf_action_info info;
    SFI_TRY(sf_action_describe(p->action, &info));
    tell(c, &m, is_wave,
         !info.is_timed && p->damping == 0.0 && !p->has_conductivity, begun);
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
    .notes =
        "The equation of motion of a Lagrangian with dt(phi)^2 in it.  Of a "
        "form "
        "A,\nMaxwell's equations: A, E = -dt(A) and B = curl(A) are written.\n",
    .example = "  scorefield evolve data/drum.ini -o drum.nc\n",
    .run = run_evolve};
