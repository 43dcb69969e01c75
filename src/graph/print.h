/* SPDX-License-Identifier: Apache-2.0 */
/* print.h - a node as text: what sf_parse() reads, or TeX.
 *
 * As text it has the parser's operators and no parentheses that the parser does not
 * need, so that parsing it with the graph's own inputs and parameters as symbols
 * gives the same node again.  Names that are no words are quoted. */
#ifndef SFI_PRINT_H
#define SFI_PRINT_H

#include "graph/graph.h"

typedef enum sfi_print_style { SFI_PRINT_TEXT, SFI_PRINT_TEX } sfi_print_style;

enum { SFI_PRINT_MOST = 1 << 16 }; /* bytes, as many as the parser reads */

/* *out: the text (sfi_free_text() frees it).  *is_typed, which may be NULL: whether
 * the text can be parsed to this node.  What the language has no word for (NaN,
 * arrays, polygamma, products of vectors by elements, sums over some axes, ...) is
 * written as a function of its operation's name, and then it cannot; TeX never can.
 *
 * TeX is for math mode and wants amsmath.  A name of a Greek letter is that letter,
 * what follows an underscore its index: phi_xx becomes \phi_{xx}.
 *
 * Common subexpressions are written out wherever they stand, so the text can be
 * exponentially longer than the graph.
 *
 * Returns SF_OK; or, with *out NULL,
 *   SF_E_UNSUPPORTED  longer than SFI_PRINT_MOST, or nested more than 200 deep
 *   SF_E_NOMEM
 *   (other)           the error that the graph carries */
sf_status sfi_print(sf_graph *g, sf_node node, sfi_print_style style,
                    char **out, bool *is_typed);

#endif
