/* SPDX-License-Identifier: Apache-2.0 */
/* mcmc.h - the chains of a block of rows. */
#ifndef SFI_LATENT_MCMC_H
#define SFI_LATENT_MCMC_H

#include "latent/programs.h"

typedef struct sfi_walkers sfi_walkers;

/* Room for the chains of `most` rows.  SF_OK or SF_E_NOMEM; on failure *out is NULL.
 * The programs, with SFI_LATENT_SLOPE, must outlive it. */
sf_status sfi_walkers_new(sf_context *ctx, sfi_walkers **out,
                          sfi_latent_programs *programs,
                          const sf_latent_draw_options *o, int64_t most);
void sfi_walkers_free(sfi_walkers *w);

/* Run the chains of the rows first..first+count-1 from start [count, chains, K], with
 * the proposals' middle z [count, K] and factor spread [count, K*K]; to
 * [count, chains, draws, K] receives the draws. */
sf_status sfi_walkers_run(sfi_walkers *w, int64_t first, int64_t count,
                          const double *start, const double *z,
                          const double *spread, double *to);

/* Mean probabilities of acceptance, over all runs, of local steps and of jumps. */
void sfi_walkers_acceptance(const sfi_walkers *w, double *local, double *jumps);

#endif
