/* SPDX-License-Identifier: Apache-2.0 */
/* nested.h - regrid() within expressions.
 *
 *     d = t - regrid(s, "lat = ...; lon = ...", bilinear)
 *
 * What is regridded has latitudes and longitudes of its own, other ones than the rest of
 * the expression.  So such a call is a calculation by itself, whose result the expression
 * reads as a field: the call becomes its name, with 's for "s, in quotes. */
#ifndef SFI_NESTED_H
#define SFI_NESTED_H

#include "base/growing.h"

/* Add the field `name`, the result of `definition`: "regrid = regrid(...)". */
typedef sf_status (*sfi_nested_fn)(void *user, const char *name,
                                   const char *definition);

/* Write a list of definitions anew, with names for calls of regrid() that are no whole
 * definition, or one that a later definition uses.  Names of earlier definitions within a call become their expressions.
 * Sets *found if there was such a call.  Returns what `make` does, SF_E_PARSE or
 * SF_E_NOMEM. */
sf_status sfi_nested_replace(sf_context *ctx, const char *list,
                             sfi_growing *out, sfi_nested_fn make, void *user,
                             bool *found);

/* Whether a text has a name in it: not as a part of another one. */
bool sfi_text_names(const char *text, const char *name);

#endif
