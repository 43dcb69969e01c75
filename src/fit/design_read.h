/* SPDX-License-Identifier: Apache-2.0 */
/* design_read.h - the score of a graph as sums of (number, function, factor). */
#ifndef SFI_DESIGN_READ_H
#define SFI_DESIGN_READ_H

#include "fit/design.h"

enum { SFI_DESIGN_FACTORS = 12 }; /* of one function */

/* A product of elements; each is (node << 32 | element), ascending. */
typedef struct sfi_product {
    double factor;
    int count;
    int64_t of[SFI_DESIGN_FACTORS];
} sfi_product;

typedef struct sfi_design_term {
    int32_t number, function;
    double factor;
} sfi_design_term;

/* The terms of element e are start[e] .. start[e + 1]. */
typedef struct sfi_design_form {
    int64_t elements;
    int64_t *start; /* NULL: does not depend on the numbers */
    sfi_design_term *terms;
    size_t capacity;
} sfi_design_form;

typedef struct sfi_reader {
    sf_context *ctx;
    sf_graph *g;
    bool linear, memory;
    sfi_product *functions;
    size_t function_count, function_capacity;
    int32_t *table; /* of functions, by hash; function + 1, 0 = empty */
    size_t table_size;
    sfi_design_form *forms;
    size_t form_count;
    sfi_design_term *found; /* of one element */
    size_t found_count, found_capacity;
    size_t total;
} sfi_reader;

/* An element of a node that does not depend on the numbers; r->linear becomes false
 * where it has too many factors. */
sfi_product sfi_design_element_of(sfi_reader *r, sf_node n, int64_t index);

/* *p times another; false: too many factors. */
bool sfi_design_multiply_all(sfi_product *p, const sfi_product *by);

/* Whether they are the same but for their factors. */
bool sfi_design_same(const sfi_product *a, const sfi_product *b);

/* The function that is this product but for its factor; -1 without memory. */
int32_t sfi_design_function_of(sfi_reader *r, const sfi_product *p);

/* A form without terms, and its end. */
bool sfi_design_begin_form(sfi_reader *r, sfi_design_form *f, int64_t elements);
void sfi_design_free_form(sf_context *ctx, sfi_design_form *f);

/* Leaves have forms, of nodes up to id `last`; then all that a node is made of.
 * r->linear becomes false where an operation has no rule. */
void sfi_design_begin_reader(sfi_reader *r, int32_t last, int leaf_count,
                             const sfi_design_leaf *leaves);
void sfi_design_read_node(sfi_reader *r, sf_node root);
void sfi_design_free_reader(sfi_reader *r);

#endif
