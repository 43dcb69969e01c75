/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - scorefield sample: draw from a model. */
#include "cli/sample.h"

#include "io/npy.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

#include <math.h>
#include <string.h>

#define OPTION(kind_, letter_, name_, argument_, member, initial_, range_,     \
               help_)                                                          \
    {                                                                          \
        .kind = kind_, .letter = letter_, .name = name_,                       \
        .argument = argument_, .offset = offsetof(sample_options, member),     \
        .initial = initial_, .range = range_, .help = help_                    \
    }

/* A default that is not a value of the option. */
#define SHOWN(kind_, name_, argument_, member, shown_, range_, help_)          \
    {                                                                          \
        .kind = kind_, .name = name_, .argument = argument_,                   \
        .offset = offsetof(sample_options, member), .shown = shown_,           \
        .range = range_, .help = help_                                         \
    }

#define RARE(kind_, name_, argument_, member, initial_, range_)                \
    {                                                                          \
        .kind = kind_, .name = name_, .argument = argument_,                   \
        .offset = offsetof(sample_options, member), .initial = initial_,       \
        .range = range_, .rare = true                                          \
    }

/* After the first in the order of sf_sampler, then of SAMPLE_NUTS ... */
const char sample_methods[] =
    "auto|flow|sde|annealed|pc|langevin|direct|stratified|posterior|jumps|"
    "tauleap|nuts|hmc|mala|ula|lm";

static const cli_option options[] = {
    OPTION(CLI_WHOLE, 'n', "rows", "N", rows, NULL, ">= 1",
           "How many rows to draw"),
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".csv or .npy; - is CSV on stdout"),
    {.kind = CLI_CHOICE,
     .name = "method",
     .argument = "M",
     .offset = offsetof(sample_options, method),
     .initial = "auto",
     .choices = sample_methods,
     .help = "Models: flow, sde, annealed, ...; see below"},
    SHOWN(CLI_WHOLE, "steps", "K", steps,
          "64; sde 128; annealed, pc 200; langevin 1000", "[1, 1e9]",
          "Noise levels; langevin: updates"),
    SHOWN(CLI_NUMBER, "step", "H", step, "by method", "> 0",
          "Langevin or leapfrog step"),
    SHOWN(CLI_WHOLE, "corrections", "K", corrections, "annealed 10; pc 1",
          "[1, 1e6]", "Langevin updates at a noise level"),
    OPTION(CLI_NUMBER, 0, "churn", "S", churn, "30", ">= 0",
           "sde: how much noise is put back"),
    OPTION(CLI_TEXT, 0, "trace", "FILE", trace, NULL, NULL,
           "Paths, .npy of [step, walker, column]"),
    CLI_DENSITY_OPTIONS(sample_options, density, "names in EXPR",
                        "Names of its numbers: a,b"),
    OPTION(CLI_WHOLE, 0, "chains", "C", chains, "4", "[1, 1e6]",
           "Markov chains"),
    OPTION(CLI_WHOLE, 0, "warmup", "W", warmup, "1000", "[0, 1e9]",
           "Iterations before draws are kept"),
    OPTION(CLI_WHOLE, 0, "thin", "T", thin, "1", "[1, 1e6]",
           "Iterations for each draw"),
    OPTION(CLI_NUMBER, 0, "accept", "A", accept, NULL, "(0, 1)",
           "Acceptance to adapt the step to"),
    {.kind = CLI_CHOICE,
     .name = "metric",
     .argument = "M",
     .offset = offsetof(sample_options, metric),
     .initial = "diagonal",
     .choices = "diagonal|dense|unit",
     .help = "Masses to adapt: diagonal, dense, unit"},
    OPTION(CLI_WHOLE, 0, "temper", "R", temperatures, "1", "[1, 64]",
           "Temperatures, where there are many modes"),
    RARE(CLI_WHOLE, "depth", "D", depth, "10", "[1, 20]"),
    RARE(CLI_WHOLE, "first", "I", first, "0", ">= 0"),
    RARE(CLI_NUMBER, "hottest", "T", hottest, "30", "> 1"),
    {0}};

/* ---- drawing -------------------------------------------------------------- */

static sf_status draw(cli *c, const sf_model *model, sf_table *table,
                      const sf_sample_options *how)
{
    const int64_t d = table->cols;
    cli_progress_begin(c);
    const sf_status status =
        sf_sample(model, (sf_mat){table->data, table->rows, d, d}, how);
    cli_progress_end(c);
    return status;
}

static sf_status sample(cli *c, const sample_options *o, const sf_model *model,
                        sf_table *table, sf_array *trace)
{
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    const double begun = sfi_clock();
    const int chosen = o->method == SAMPLE_AUTO ? SAMPLE_FLOW : o->method;
    s.method = (sf_sampler)(chosen - SAMPLE_FLOW);
    s.steps = o->steps;
    s.corrections = o->corrections;
    s.step = o->step;
    s.churn = o->churn;
    s.seed = c->common.seed;
    s.first = o->first;
    SFI_TRY(cli_model_table(c, model, o->rows, table));
    if (o->trace != NULL) {
        const int64_t shape[] = {sf_sample_steps(&s) + 1, o->rows,
                                 sf_model_dim(model)};
        SFI_TRY(sf_array_new(c->ctx, trace, SF_F32, 3, shape));
        s.trace = trace->data;
    }
    SFI_TRY(draw(c, model, table, &s));
    SFI_TRY(sf_table_write(c->ctx, table, o->output));
    if (o->trace != NULL)
        SFI_TRY(sfi_npy_write_array(c->ctx, trace, o->trace));
    char method[16];
    cli_choice(sample_methods, chosen, method, sizeof method);
    cli_put_count(c, c->report, "rows", o->rows);
    cli_put_count(c, c->report, "first", o->first);
    cli_put_text(c, c->report, "method", method);
    cli_put_count(c, c->report, "steps", sf_sample_steps(&s));
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
    if (c->common.json)
        SFI_TRY(cli_report(c, stderr));
    return SF_OK;
}

/* Options that are about models alone, or about densities alone. */
static sf_status check_about(cli *c, const sample_options *o, bool typed)
{
    static const char *const models[] = {"steps", "corrections", "churn",
                                         "first"};
    static const char *const densities[] = {
        "dim",  "columns", "domain", "param", "chains", "warmup",
        "thin", "accept",  "metric", "depth", "temper", "hottest"};
    const char *const *other = typed ? models : densities;
    const size_t count = typed ? SFI_COUNT(models) : SFI_COUNT(densities);
    for (size_t i = 0; i < count; i++)
        if (cli_given(c, other[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s is about %s", other[i],
                            typed ? "models" : "densities");
    SFI_TRY(cli_check_density(c, &o->density, 1));
    char method[16];
    cli_choice(sample_methods, o->method, method, sizeof method);
    if (o->method != SAMPLE_AUTO && typed != (o->method >= SAMPLE_NUTS))
        return SFI_FAIL(c->ctx, SF_E_ARG, "--method %s is about %s", method,
                        typed ? "models; want nuts, hmc, mala, ula or lm"
                              : "densities");
    return SF_OK;
}

static sf_status check_options(cli *c, const sample_options *o, bool typed)
{
    const int sampler = o->method - SAMPLE_FLOW;
    if (!cli_given(c, "rows"))
        return SFI_FAIL(c->ctx, SF_E_ARG, "-n N is missing: how many rows?");
    SFI_TRY(check_about(c, o, typed));
    if (cli_given(c, "churn") && sampler != SF_SAMPLER_SDE)
        return SFI_FAIL(c->ctx, SF_E_ARG, "--churn is about --method sde");
    if (cli_given(c, "corrections") && sampler != SF_SAMPLER_ANNEALED &&
        sampler != SF_SAMPLER_PC)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--corrections is about the methods annealed and pc");
    if (cli_given(c, "step") && !typed &&
        (o->method == SAMPLE_AUTO || sampler == SF_SAMPLER_FLOW ||
         sampler == SF_SAMPLER_SDE))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--step is about the methods annealed, pc and "
                        "langevin, and about densities");
    SFI_TRY(cli_check_output(c, o->output, false));
    if (o->trace != NULL && !cli_has_extension(o->trace, ".npy"))
        return SFI_FAIL(c->ctx, SF_E_ARG, "--trace is \"%s\", want a .npy file",
                        o->trace);
    if (o->trace != NULL)
        SFI_TRY(cli_check_folder(c, o->trace));
    return cli_check_table_output(c, o->output);
}

static sf_status run(cli *c, const void *values)
{
    const sample_options *o = values;
    sf_model *model = NULL;
    sf_table table = {0};
    sf_array trace = {0};
    const bool typed =
        o->density.text != NULL ||
        (c->operand_count > 0 && sf_is_density(c->ctx, c->operands[0]));
    SFI_TRY(check_options(c, o, typed));
    if (typed)
        return sample_density(c, o);
    SFI_TRY(sf_model_load(c->ctx, &model, c->operands[0]));
    cli_catch_signals();
    const sf_status status = sample(c, o, model, &table, &trace);
    sf_array_free(c->ctx, &trace);
    sf_table_free(c->ctx, &table);
    sf_model_free(model);
    return status;
}

const cli_command cli_sample = {
    .name = "sample",
    .summary = "Draw rows from a model or a density",
    .usage = "[OPTIONS] MODEL -n N -o OUT",
    .operands = "  MODEL                    As `scorefield fit` writes it\n",
    .least = 0,
    .most = 1,
    .size = sizeof(sample_options),
    .options = options,
    .later = " given ",
    .notes = "Methods: flow [of models], sde, annealed, pc, langevin; direct, "
             "stratified,\nposterior, jumps, tauleap [empirical]; nuts [of "
             "densities], hmc, mala, ula, lm.\n",
    .example = "  scorefield sample faithful.safetensors -n 1000 --seed 7 "
               "-o new.csv\n",
    .run = run};
