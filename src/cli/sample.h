/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - the parts of the command `sample`: models, densities, conditions. */
#ifndef SFI_CLI_SAMPLE_H
#define SFI_CLI_SAMPLE_H

#include "cli/typed_density.h"
#include "scorefield/diagnose.h"
#include "scorefield/sample.h"

/* Choices of --method: after the first those of models, as in sf_sampler, then those of
 * densities. */
#define SAMPLE_METHODS                                                         \
    "auto|flow|sde|annealed|pc|langevin|direct|stratified|posterior|jumps|"    \
    "tauleap|chords|nuts|hmc|mala|ula|lm"
enum {
    SAMPLE_AUTO = 0,
    SAMPLE_FLOW = 1,
    SAMPLE_NUTS = 12,
    SAMPLE_HMC,
    SAMPLE_MALA,
    SAMPLE_ULA,
    SAMPLE_LM
};

/* Of --metric, as in sf_metric. */
#define SAMPLE_METRICS "auto|diagonal|lowrank|dense|unit"

typedef struct sample_options {
    const char *output;
    int64_t rows, first;
    bool raw; /* numbers, not cells like the table's */
    int method;
    int64_t steps, corrections;
    double step, churn;
    const char *trace;
    cli_texts given; /* conditions */
    cli_density density;
    int64_t chains, warmup, thin, max_treedepth;
    int metric; /* of sf_metric */
    double accept;
    int64_t temperatures;
    double max_temperature;
    int noise;          /* 0 on, 1 off */
    int latent_law;     /* 0 the prior, 1 fitted */
    double temperature; /* of a field */
} sample_options;

/* Whether what is typed about chains fits the method. */
sf_status sample_check_chains(const cli *c, const sample_options *o);

/* What is typed about chains, but for the number of draws. */
sf_chain_options sample_chain_options(const cli *c, const sample_options *o);

/* Chains that were run. */
typedef struct sample_chains {
    int64_t chains, draws, temperatures;
    const sf_chain_report *report; /* [chains]        */
    const double *energy;          /* [chains, draws] */
} sample_chains;

/* Put a row of diagnostics into a list; tables of the chains into the report. */
void sample_put_diagnosis(cli *c, json_t *list, const char *name,
                          const sf_diagnosis *s);
void sample_put_chains(cli *c, const sample_chains *s);

/* Draw fields of a problem at a temperature, write, and report. */
sf_status sample_field(cli *c, const sample_options *o);

/* Draw from a model by Markov chains or Langevin dynamics, write, and report. */
sf_status sample_density(cli *c, const sample_options *o,
                         const sf_model *model);

/* Draw rows from a model given conditions, write, and report. */
sf_status sample_given(cli *c, const sample_options *o, const sf_model *model);

#endif
