/* SPDX-License-Identifier: Apache-2.0 */
/* grid_text.h - parts of typed grids, and where an error in one is. */
#ifndef SFI_FIELD_GRID_TEXT_H
#define SFI_FIELD_GRID_TEXT_H

#include "field/grid.h"

/* sf_grid_parse() with messages that have no column: *at is the byte of the text that is to
 * blame, -1 where it is none. */
sf_status sfi_grid_parse_at(sf_context *ctx, sf_grid **out, const char *text,
                            int64_t *at);

/* A side by itself, "pin EXPR": its kind and texts, which sfi_free_text() frees and which are
 * NULL where the kind has none.  *at as above.
 *
 * Returns SF_OK; SF_E_PARSE, SF_E_NOMEM, and no texts. */
sf_status sfi_side_parse(sf_context *ctx, const char *text, sf_side_kind *kind,
                         char **value, char **factor, int64_t *at);

#endif
