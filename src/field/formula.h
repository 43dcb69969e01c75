/* SPDX-License-Identifier: Apache-2.0 */
/* formula.h - typed functions of one number: the maps of stretched axes. */
#ifndef SFI_FIELD_FORMULA_H
#define SFI_FIELD_FORMULA_H

#include "base/context.h"

/* values[i] = text at `name` = at[i]; the two arrays may be one.
 * Returns SF_OK; SF_E_PARSE, SF_E_SHAPE, SF_E_NOMEM. */
sf_status sfi_formula_run(sf_context *ctx, const char *text, const char *name,
                          int64_t count, const double *at, double *values);

#endif
