/* SPDX-License-Identifier: Apache-2.0 */
/* langevin.h - Langevin dynamics for whatever provides a functional. */
#ifndef SFI_LANGEVIN_H
#define SFI_LANGEVIN_H

#include "functional/functional.h"
#include "scorefield/sample.h"

/* sf_langevin_run() behind the seam; same contract. */
sf_status sfi_langevin_run(sf_context *ctx, sf_mat x, const sfi_functional *f,
                           const sf_langevin_options *opts);

#endif
