/* SPDX-License-Identifier: Apache-2.0 */
/* operators.h - the functions that expressions of fields have beside those of
 * densities. */
#ifndef SFI_OPERATORS_H
#define SFI_OPERATORS_H

#include "calc/calculation.h"

/* Who asks: sfi_parse_hooks.user. */
typedef struct sfi_asker {
    sfi_calc *c;
    const char *name; /* of the operator */
} sfi_asker;

/* Hooks of the parser: a function of fields, and a text in quotes. */
bool sfi_operator_call(void *user, const char *name, size_t length, int count,
                       const sf_node *args, sf_node *out);
bool sfi_operator_text(void *user, const char *text, size_t length,
                       sf_node *out);

/* The names of these functions, for messages. */
extern const char sfi_operator_names[];

/* Component k of a vector. */
sf_node sfi_component(const sfi_calc *c, sf_node v, int k);

/* What CF calls a term; NULL: nothing. */
const char *sfi_mark_of(const sfi_calc *c, sf_node node);

#endif
