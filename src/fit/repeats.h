/* SPDX-License-Identifier: Apache-2.0 */
/* repeats.h - columns with values that many rows share. */
#ifndef SFI_REPEATS_H
#define SFI_REPEATS_H

#include "base/context.h"
#include "scorefield/array.h"

/* A column has repeated values where more than SFI_REPEATS_SHARE of its rows, and two at
 * least, have one value, or where more than SFI_REPEATS_TIES of them have a value that
 * another row has: it was rounded, or has atoms. */
#define SFI_REPEATS_SHARE 0.05
#define SFI_REPEATS_TIES  0.5

/* Warn of the columns in which more than SFI_REPEATS_SHARE of the rows, and two at least,
 * have one value: there a likelihood has no bound, since a density may grow as narrow there
 * as it will.  `names` may be NULL.  SF_OK or SF_E_NOMEM. */
sf_status sfi_warn_of_repeats(sf_context *ctx, sf_cmat data,
                              const char *const *names);

#endif
