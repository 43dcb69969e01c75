/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - the parts of the command `sample`: models, densities, conditions. */
#ifndef SFI_CLI_SAMPLE_H
#define SFI_CLI_SAMPLE_H

#include "cli/typed_density.h"

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
} sample_options;

/* Draw from a model by Markov chains or Langevin dynamics, write, and report. */
sf_status sample_density(cli *c, const sample_options *o,
                         const sf_model *model);

/* Draw rows from a model given conditions, write, and report. */
sf_status sample_given(cli *c, const sample_options *o, const sf_model *model);

#endif
