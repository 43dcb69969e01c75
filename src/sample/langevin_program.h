/* SPDX-License-Identifier: Apache-2.0 */
/* langevin_program.h - steps of Langevin dynamics as programs, for functionals whose
 * gradient is an expression. */
#ifndef SFI_LANGEVIN_PROGRAM_H
#define SFI_LANGEVIN_PROGRAM_H

#include "base/random.h"
#include "functional/functional.h"
#include "scorefield/program.h"
#include "scorefield/sample.h"

/* Draws come in fours (base/random.h), so the noise of so many updates of few unknowns
 * is one draw, with its components one update behind the other: 1, 2 or 4. */
int64_t sfi_langevin_shared(int64_t unknowns);

/* Where the noise of update `step` is drawn, and its first component there. */
sfi_where sfi_langevin_noise(const sf_langevin_options *options,
                             int64_t unknowns, int64_t step, uint32_t *first);

/* `steps` updates from one state to the next. */
typedef struct sfi_langevin_program {
    sf_program *program;
    int64_t steps;   /* 1, or a multiple of sfi_langevin_shared()  */
    int64_t sources; /* the state, then the normals                */
    int64_t drawn;   /* updates that one source of normals is for  */
    int64_t unknowns;
    sf_source *source;
    sf_context *ctx;
    sf_langevin_options options;
} sfi_langevin_program;

/* Compile `steps` updates; or, for 0, as many as are worth it.  SF_OK; SF_E_NOMEM,
 * or what the functional's expression returned.  On failure *p is empty. */
sf_status sfi_langevin_compile(sf_context *ctx, sfi_langevin_program *p,
                               const sf_functional *f, int64_t steps,
                               const sf_langevin_options *options);
void sfi_langevin_discard(sfi_langevin_program *p);

/* to [walkers, unknowns] <- from, in options.dtype, by the updates from number
 * `step` on.  bad [walkers] receives how many numbers of each are not finite. */
sf_status sfi_langevin_apply(sfi_langevin_program *p, int64_t walkers,
                             int64_t step, const void *from, void *to,
                             float *bad);

#endif
