/* SPDX-License-Identifier: Apache-2.0 */
/* codebook.h - where inference begins: the decoded points under which a row is
 * likeliest.  Local maxima are the rule for curled decoders. */
#ifndef SFI_LATENT_CODEBOOK_H
#define SFI_LATENT_CODEBOOK_H

#include "decoder/decoder.h"
#include "scorefield/latent.h"
#include "scorefield/program.h"

typedef struct sfi_codebook sfi_codebook;

/* Decode 2048 points for one latent number, 4096 for two, 8192 for more: a Halton
 * set, scrambled by the seed, through the normal quantile, 1.5 times as wide without
 * a prior; the origin is the first of them.  Points where the decoder is not finite
 * are left out.
 *
 *   most    rows that sfi_codebook_find() will be asked for at a time
 *   starts  of each row
 *
 * SF_OK or SF_E_NOMEM; on failure *out is NULL.  NULL may be freed. */
sf_status sfi_codebook_new(sf_context *ctx, sfi_codebook **out,
                           const sf_decoder *d, const sf_latent_options *o,
                           int64_t most);
void sfi_codebook_free(sfi_codebook *c);

/* For each row x: the likeliest point, then of those farther than 0.5 from it the
 * likeliest, and so on.  z [rows, starts, K], found [rows] how many there were. */
sf_status sfi_codebook_find(sfi_codebook *c, sf_cmat x, double *z,
                            int64_t *found);

#endif
