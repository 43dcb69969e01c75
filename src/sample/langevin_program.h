/* SPDX-License-Identifier: Apache-2.0 */
/* langevin_program.h - steps of Langevin dynamics as programs, for functionals whose
 * gradient is an expression. */
#ifndef SFI_LANGEVIN_PROGRAM_H
#define SFI_LANGEVIN_PROGRAM_H

#include "functional/functional.h"
#include "scorefield/program.h"
#include "scorefield/sample.h"

/* `steps` updates from one state to the next. */
typedef struct sfi_langevin_program {
    sf_program *program;
    int64_t steps;
    int64_t sources; /* the state, then the normals of each step */
    sf_source *source;
    sf_context *ctx;
    sf_langevin_options options;
} sfi_langevin_program;

/* Compile `steps` updates; or, for 0, as many as are worth it.  SF_OK; SF_E_NOMEM,
 * or what the functional's expression returned.  On failure *p is empty. */
sf_status sfi_langevin_compile(sf_context *ctx, sfi_langevin_program *p,
                               const sfi_functional *f, int64_t steps,
                               const sf_langevin_options *options);
void sfi_langevin_discard(sfi_langevin_program *p);

/* to [walkers, unknowns] <- from, in options.dtype, by the updates from number
 * `step` on.  bad [walkers] receives how many numbers of each are not finite. */
sf_status sfi_langevin_apply(sfi_langevin_program *p, int64_t walkers,
                             int64_t step, const void *from, void *to,
                             float *bad);

#endif
