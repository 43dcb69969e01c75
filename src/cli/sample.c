/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - scorefield sample: draw from a model. */
#include "cli/cli.h"

#include "io/npy.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

#include <math.h>
#include <string.h>

typedef struct sample_options {
    const char *output;
    int64_t rows, first;
    int method;
    int64_t steps, corrections;
    double step, churn;
    const char *trace;
} sample_options;

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

/* In the order of sf_sampler. */
static const char methods[] =
    "flow|sde|annealed|pc|langevin|direct|stratified|posterior|jumps|tauleap";

static const cli_option options[] = {
    OPTION(CLI_WHOLE, 'n', "rows", "N", rows, NULL, ">= 1",
           "How many rows to draw"),
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".csv or .npy; - is CSV on stdout"),
    {.kind = CLI_CHOICE,
     .name = "method",
     .argument = "M",
     .offset = offsetof(sample_options, method),
     .initial = "flow",
     .choices = methods,
     .help = "flow, sde, annealed, pc, langevin, or see below"},
    SHOWN(CLI_WHOLE, "steps", "K", steps,
          "64; sde 128; annealed, pc 200; langevin 1000", "[1, 1e9]",
          "Noise levels; langevin: updates"),
    SHOWN(CLI_NUMBER, "step", "H", step, "annealed 1; pc 0.1; langevin 0.001",
          "> 0", "Langevin step in units of sigma^2"),
    SHOWN(CLI_WHOLE, "corrections", "K", corrections, "annealed 10; pc 1",
          "[1, 1e6]", "Langevin updates at a noise level"),
    OPTION(CLI_NUMBER, 0, "churn", "S", churn, "30", ">= 0",
           "sde: how much noise is put back"),
    OPTION(CLI_WHOLE, 0, "first", "I", first, "0", ">= 0",
           "Number of the first row"),
    OPTION(CLI_TEXT, 0, "trace", "FILE", trace, NULL, NULL,
           "Paths, .npy of [step, walker, column]"),
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
    s.method = (sf_sampler)o->method;
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
    cli_choice(methods, o->method, method, sizeof method);
    cli_put_count(c, c->report, "rows", o->rows);
    cli_put_count(c, c->report, "first", o->first);
    cli_put_text(c, c->report, "method", method);
    cli_put_count(c, c->report, "steps", sf_sample_steps(&s));
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
    if (c->common.json)
        SFI_TRY(cli_report(c, stderr));
    return SF_OK;
}

static sf_status check_options(cli *c, const sample_options *o)
{
    if (!cli_given(c, "rows"))
        return SFI_FAIL(c->ctx, SF_E_ARG, "-n N is missing: how many rows?");
    if (cli_given(c, "churn") && o->method != SF_SAMPLER_SDE)
        return SFI_FAIL(c->ctx, SF_E_ARG, "--churn is about --method sde");
    if (cli_given(c, "corrections") && o->method != SF_SAMPLER_ANNEALED &&
        o->method != SF_SAMPLER_PC)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--corrections is about the methods annealed and pc");
    if (cli_given(c, "step") &&
        (o->method == SF_SAMPLER_FLOW || o->method == SF_SAMPLER_SDE))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--step is about the methods annealed, pc and "
                        "langevin");
    SFI_TRY(cli_check_output(c, o->output, false));
    if (o->trace != NULL && !cli_has_extension(o->trace, ".npy"))
        return SFI_FAIL(c->ctx, SF_E_ARG, "--trace is \"%s\", want a .npy file",
                        o->trace);
    return cli_check_table_output(c, o->output);
}

static sf_status run(cli *c, const void *values)
{
    const sample_options *o = values;
    sf_model *model = NULL;
    sf_table table = {0};
    sf_array trace = {0};
    SFI_TRY(check_options(c, o));
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
    .summary = "Draw rows from a model",
    .usage = "[OPTIONS] MODEL -n N -o OUT",
    .operands = "  MODEL                    As `scorefield fit` writes it\n",
    .least = 1,
    .most = 1,
    .size = sizeof(sample_options),
    .options = options,
    .later = " density dim param given chains warmup thin ",
    .notes =
        "Empirical models can also be drawn from exactly: direct (a row of the "
        "data plus\nits noise), stratified (each row equally often), posterior "
        "(from the prior by\n--steps levels); counts by jumps, exact, or "
        "tauleap.\n"
        "Row i depends on the seed and on i alone, not on N or the threads.  "
        "Columns of\nwhole numbers are drawn as real ones: rounding is up to "
        "you.\n",
    .example = "  scorefield sample faithful.safetensors -n 1000 --seed 7 "
               "-o new.csv\n",
    .run = run};
