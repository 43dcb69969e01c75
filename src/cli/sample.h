/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - the two halves of the command `sample`: models, and densities. */
#ifndef SFI_CLI_SAMPLE_H
#define SFI_CLI_SAMPLE_H

#include "cli/density.h"

/* Order of the choices of --method: those of models as in sf_sampler, then those of
 * densities. */
enum {
    SAMPLE_AUTO = 0,
    SAMPLE_FLOW = 1,
    SAMPLE_NUTS = 12,
    SAMPLE_HMC,
    SAMPLE_MALA,
    SAMPLE_ULA,
    SAMPLE_LM
};

typedef struct sample_options {
    const char *output;
    int64_t rows, first;
    bool raw; /* numbers, not cells like the table's */
    int method;
    int64_t steps, corrections;
    double step, churn;
    const char *trace;
    cli_density density;
    int64_t chains, warmup, thin, max_treedepth;
    int metric; /* of sf_metric */
    double accept;
    int64_t temperatures;
    double max_temperature;
} sample_options;

/* Names of the methods, "auto|flow|...". */
extern const char sample_methods[];
/* Names of metrics, likewise. */
extern const char sample_metrics[];

/* Draw from a model by Markov chains or Langevin dynamics, write, and report. */
sf_status sample_density(cli *c, const sample_options *o,
                         const sf_model *model);

#endif
