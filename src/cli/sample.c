/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c - scorefield sample: draw from a model. */
#include "cli/sample.h"

#include "field/write.h"
#include "io/npy.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

#include <math.h>
#include <string.h>

#define OPTION(...) CLI_OPTION(sample_options, __VA_ARGS__)
#define SHOWN(...)  CLI_SHOWN(sample_options, __VA_ARGS__)
#define RARE(...)   CLI_RARE(sample_options, __VA_ARGS__)

static const cli_option options[] = {
    OPTION(CLI_WHOLE, 'n', "rows", "N", rows, NULL, ">= 1",
           "How many rows to draw"),
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".csv or .npy; - is CSV on stdout; of fields .nc, .npy, .vti, .vtr, "
           ".pvd"),
    {.kind = CLI_CHOICE,
     .name = "method",
     .argument = "M",
     .offset = offsetof(sample_options, method),
     .initial = "auto",
     .choices = SAMPLE_METHODS,
     .help = "direct, flow, sde, annealed, ...; see below"},
    SHOWN(CLI_WHOLE, "steps", "K", steps,
          "64; sde 128; annealed, pc 200; langevin 1000", "[1, 1e9]",
          "Noise levels; langevin: updates"),
    SHOWN(CLI_NUMBER, "step", "H", step, "by method", "> 0",
          "Langevin or leapfrog step"),
    RARE(CLI_WHOLE, "corrections", "K", corrections, NULL, "[1, 1e6]"),
    OPTION(CLI_NUMBER, 0, "churn", "S", churn, "30", ">= 0",
           "sde: how much noise is put back"),
    OPTION(CLI_TEXTS, 0, "given", "CONDITION", given, NULL, NULL,
           "\"a=1\", \"b>2\", \"c in 1:3\", \"s in x,y\"; many times"),
    OPTION(CLI_TEXT, 0, "trace", "FILE", trace, NULL, NULL,
           "Paths, .npy of [step, walker, column]"),
    CLI_DENSITY_OPTIONS(sample_options, density, "names in EXPR",
                        "Names of its variables: a,b"),
    OPTION(CLI_WHOLE, 0, "chains", "C", chains, "4", "[1, 1e6]",
           "Markov chains"),
    OPTION(CLI_WHOLE, 0, "warmup", "W", warmup, "400", "[0, 1e9]",
           "Iterations before draws are kept"),
    OPTION(CLI_WHOLE, 0, "thin", "T", thin, "1", "[1, 1e6]",
           "Iterations for each draw"),
    OPTION(CLI_NUMBER, 0, "accept", "A", accept, NULL, "(0, 1)",
           "Acceptance to adapt the step to"),
    {.kind = CLI_CHOICE,
     .name = "metric",
     .argument = "M",
     .offset = offsetof(sample_options, metric),
     .initial = "auto",
     .choices = SAMPLE_METRICS,
     .help = "Mass matrix: diagonal, lowrank, dense, unit"},
    OPTION(CLI_NUMBER, 0, "temperature", "T", temperature, NULL, "> 0",
           "Of the field of a problem"),
    OPTION(CLI_WHOLE, 0, "temperatures", "R", temperatures, "1", "[1, 64]",
           "Parallel tempering, where there are many modes"),
    RARE(CLI_WHOLE, "max-treedepth", "D", max_treedepth, "10", "[1, 20]"),
    {.kind = CLI_CHOICE,
     .name = "noise",
     .argument = "N",
     .offset = offsetof(sample_options, noise),
     .initial = "on",
     .choices = "on|off",
     .rare = true},
    {.kind = CLI_CHOICE,
     .name = "latent-law",
     .argument = "L",
     .offset = offsetof(sample_options, latent_law),
     .initial = "prior",
     .choices = "prior|fitted",
     .rare = true},
    RARE(CLI_FLAG, "raw", NULL, raw, NULL, NULL),
    RARE(CLI_WHOLE, "first", "I", first, "0", ">= 0"),
    RARE(CLI_NUMBER, "max-temperature", "T", max_temperature, "30", "> 1"),
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
    s.method = (sf_sampler)(o->method - SAMPLE_FLOW);
    s.steps = o->steps;
    s.corrections = o->corrections;
    s.step = o->step;
    s.churn = o->churn;
    s.seed = c->common.seed;
    s.first = o->first;
    s.no_noise = o->noise == 1;
    s.latent_fitted = o->latent_law == 1;
    SFI_TRY(cli_model_table(c, model, o->rows, table));
    if (o->trace != NULL) {
        const int64_t shape[] = {sf_sample_steps(&s) + 1, o->rows,
                                 sf_model_dim(model)};
        SFI_TRY(sf_array_new(c->ctx, trace, SF_F32, 3, shape));
        s.trace = trace->data;
    }
    SFI_TRY(draw(c, model, table, &s));
    if (!o->raw)
        SFI_TRY(sf_model_cells(model, table));
    SFI_TRY(sf_table_write(c->ctx, table, o->output));
    if (o->trace != NULL)
        SFI_TRY(sfi_npy_write_array(c->ctx, trace, o->trace));
    char method[16];
    cli_choice(SAMPLE_METHODS, o->method, method, sizeof method);
    cli_put_count(c, c->report, "rows", o->rows);
    cli_put_count(c, c->report, "first", o->first);
    cli_put_text(c, c->report, "method", method);
    cli_put_count(c, c->report, "steps", sf_sample_steps(&s));
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
    if (c->common.json)
        SFI_TRY(cli_report(c, stderr));
    return SF_OK;
}

/* Options that are about walks through noise alone, or about chains alone, or about a
 * text. */
static sf_status check_about(const cli *c, bool chains)
{
    static const char *const noise[] = {"steps", "corrections", "churn",
                                        "first"};
    static const char *const walks[] = {
        "chains", "warmup",        "thin",         "accept",
        "metric", "max-treedepth", "temperatures", "max-temperature"};
    const char *const *other = chains ? noise : walks;
    const size_t count = chains ? SFI_COUNT(noise) : SFI_COUNT(walks);
    for (size_t i = 0; i < count; i++)
        if (cli_given(c, other[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s applies only to the methods %s", other[i],
                            chains ? "flow, sde, annealed, pc, langevin and "
                                     "those of empirical models"
                                   : "nuts, hmc, mala, ula and lm");
    return SF_OK;
}

static sf_status check_outputs(cli *c, const sample_options *o)
{
    const cli_file files[] = {{.option = "-o",
                               .path = o->output,
                               .is_output = true,
                               .endings = CLI_TABLE_ENDINGS,
                               .want = CLI_TABLE_WANT},
                              {.option = "--trace",
                               .path = o->trace,
                               .is_output = true,
                               .is_binary = true,
                               .optional = true,
                               .endings = ".npy",
                               .want = "a .npy file"}};
    return cli_check_files(c, files, (int)SFI_COUNT(files));
}

/* What the method has to be known for, but not the model. */
static sf_status check_options(cli *c, const sample_options *o, bool chains)
{
    const int sampler = o->method - SAMPLE_FLOW;
    SFI_TRY(check_about(c, chains));
    if (cli_given(c, "churn") && sampler != SF_SAMPLER_SDE)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--churn applies only to --method sde");
    if (cli_given(c, "corrections") && sampler != SF_SAMPLER_ANNEALED &&
        sampler != SF_SAMPLER_PC)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--corrections applies only to the methods annealed "
                        "and pc");
    if (cli_given(c, "steps") &&
        (sampler == SF_SAMPLER_DIRECT || sampler == SF_SAMPLER_STRATIFIED ||
         sampler == SF_SAMPLER_CHORDS))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--steps does not apply to the methods direct, which "
                        "is what empirical models and those of latent "
                        "variables are sampled by, stratified and chords; want "
                        "another --method with it");
    if (cli_given(c, "step") && !chains && sampler != SF_SAMPLER_ANNEALED &&
        sampler != SF_SAMPLER_PC && sampler != SF_SAMPLER_LANGEVIN)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--step applies only to the methods annealed, pc, "
                        "langevin, nuts, hmc, mala, ula and lm");
    return SF_OK;
}

/* What is exact and at once, where the model holds data; what moves through noise,
 * where it has that; else chains. */
static int choose_method(const sample_options *o, const sf_model *m)
{
    if (o->method != SAMPLE_AUTO)
        return o->method;
    const sf_sample_options usual = SF_SAMPLE_OPTIONS_INIT;
    const sf_sampler method = sf_sample_method(m, &usual);
    if (method == SF_SAMPLER_DIRECT || method == SF_SAMPLER_STRATIFIED)
        return SAMPLE_FLOW + (int)method;
    return sf_model_can(m, SF_CAN_NOISE) || sf_model_can(m, SF_CAN_TRAIN)
               ? SAMPLE_FLOW
               : SAMPLE_NUTS;
}

static sf_status run_model(cli *c, const sample_options *o,
                           const sf_model *model)
{
    sf_table table = {0};
    sf_array trace = {0};
    cli_catch_signals();
    if (o->given.count > 0)
        return sample_given(c, o, model);
    if (o->method >= SAMPLE_NUTS)
        return sample_density(c, o, model);
    const sf_status status = sample(c, o, model, &table, &trace);
    sf_array_free(c->ctx, &trace);
    sf_table_free(c->ctx, &table);
    return status;
}

static sf_status run(cli *c, const void *values)
{
    sample_options o = *(const sample_options *)values;
    sf_model *model = NULL;
    if (!cli_given(c, "rows"))
        return SFI_FAIL(c->ctx, SF_E_ARG, "-n N is missing: how many rows?");
    if (c->operand_count > 0 && sfi_path_ends(c->operands[0], ".ini"))
        return sample_field(c, &o);
    if (cli_given(c, "temperature"))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--temperature applies only to a PROBLEM (.ini)");
    SFI_TRY(cli_check_density(c, &o.density, 1));
    SFI_TRY(check_outputs(c, &o));
    if (o.given.count > 0 && o.method == SAMPLE_AUTO)
        o.method = SAMPLE_FLOW + (int)SF_SAMPLER_DIRECT;
    if (o.given.count > 0 && o.method != SAMPLE_FLOW + (int)SF_SAMPLER_DIRECT)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--given applies only to the method direct");
    if (o.method != SAMPLE_AUTO)
        SFI_TRY(check_options(c, &o, o.method >= SAMPLE_NUTS));
    SFI_TRY(cli_open_model(c, &o.density, &model, NULL));
    o.method = choose_method(&o, model);
    sf_status status = check_options(c, &o, o.method >= SAMPLE_NUTS);
    const char *why = sf_model_why_not(model, SF_CAN_DECODE);
    if (status == SF_OK && cli_given(c, "noise") && why != NULL)
        status = SFI_FAIL(c->ctx, SF_E_ARG, "--noise: the model %s", why);
    why = sf_model_why_not(model, SF_CAN_FITTED);
    if (status == SF_OK && cli_given(c, "latent-law") && why != NULL)
        status = SFI_FAIL(c->ctx, SF_E_ARG, "--latent-law: the model %s", why);
    if (status == SF_OK)
        status = run_model(c, &o, model);
    sf_model_free(model);
    return status;
}

const cli_command cli_sample = {
    .name = "sample",
    .summary = "Draw rows from a model or a density, or fields",
    .usage = "[OPTIONS] MODEL | PROBLEM -n N -o OUT",
    .operands = "  MODEL                    As `scorefield fit` writes it\n"
                "  PROBLEM                  A file of sections (.ini), whose "
                "energy E over\n"
                "                           a temperature T gives fields the "
                "density exp(-E/T)\n",
    .least = 0,
    .most = 1,
    .size = sizeof(sample_options),
    .options = options,
    .notes = "Methods: direct [of data], stratified, posterior, jumps, "
             "tauleap, chords;\nflow [of other models], sde, annealed, pc, "
             "langevin; nuts, hmc, mala, ula, lm.\n",
    .example = "  scorefield sample faithful.safetensors -n 1000 --seed 7 "
               "-o new.csv\n",
    .run = run};
