/* SPDX-License-Identifier: Apache-2.0 */
/* squarem.h - larger steps for iterations that converge slowly. */
#ifndef SFI_SQUAREM_H
#define SFI_SQUAREM_H

#include "fit/em.h"

typedef struct sfi_squarem sfi_squarem;

/* For up to `most` components in `dim` columns.  SF_OK or SF_E_NOMEM. */
sf_status sfi_squarem_new(sf_context *ctx, sfi_squarem **out, int64_t most,
                          int64_t dim);
void sfi_squarem_free(sfi_squarem *s);

/* Begin a run of this many components, from *c. */
void sfi_squarem_begin(sfi_squarem *s, const sfi_components *c);

/* After each iteration, with its result: after every second one *c may be replaced by
 * a point further along; then true is returned. */
bool sfi_squarem_leap(sfi_squarem *s, sfi_components *c);

/* Instead of the last leap, the result that it began at. */
void sfi_squarem_retreat(sfi_squarem *s, sfi_components *c);

#endif
