/* SPDX-License-Identifier: Apache-2.0 */
/* equal_rows.h - which rows of tables are equal. */
#ifndef SFI_EQUAL_ROWS_H
#define SFI_EQUAL_ROWS_H

#include "base/context.h"
#include "scorefield/array.h"

/* Number the rows of `tables` tables of the same columns one after the other:
 * first[i] is the number of the first row that row i is equal to, i itself where
 * it is the first; 0 and -0 are equal.  *copies, if not NULL, is how many are
 * not.  Takes time in proportion to the rows.  SF_OK or SF_E_NOMEM. */
sf_status sfi_find_copies(sf_context *ctx, int tables, const sf_cmat *table,
                          int64_t *first, int64_t *copies);

#endif
