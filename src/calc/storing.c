/* SPDX-License-Identifier: Apache-2.0 */
/* storing.c - which terms are put by before others read them.
 *
 * A derivative of an expression is the expression at several points, all of it in one
 * program, and that is the fastest way as long as it is cheap: what it reads is in the
 * cache, and neighbours share operations.  An argument with a function that costs as
 * much as several additions, or with more than a few instructions, is computed once for
 * each point instead, and its values are read like those of a field; and so is one that
 * would be read at too many places at once.
 *
 * The derivative by a Fourier series needs whole lines, and is always stored. */
#include "calc/calculation.h"

#include <math.h>

enum {
    MOST_INSTRUCTIONS = 8,
    MOST_ROWS = 40, /* that a formula reads at once               */
    COSTLY = 8,     /* additions: as much as exp                  */
    MOST_STORED = 32
};

static const int costs[] = {
#define EW(NAME, name, arity, scope, loop, cost, ...) cost,
#include "num/elementwise.def"
#undef EW
};

static sf_status add(sfi_calc *c, const sfi_stored *s)
{
    sfi_stored *grown = sfi_grow(c->ctx, c->stored, &c->stored_capacity,
                                 c->stored_count + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    c->stored = grown;
    c->stored[c->stored_count++] = *s;
    return SF_OK;
}

/* What a term takes at a point off all ends. */
typedef struct price {
    int instructions, rows;
    bool has_costly;
} price;

static sf_status measure(sfi_calc *c, sf_node node, price *out)
{
    static const int here[SF_MAX_AXES] = {0};
    const sfi_position inside = {{false}, {0}};
    sfi_expansion e;
    *out = (price){0, 0, false};
    sf_status status = sfi_expansion_new(c, &e, &inside);
    if (status == SF_OK) {
        (void)sfi_expand(&e, node, here);
        status = sf_graph_status(e.graph);
    }
    for (size_t i = 0; status == SF_OK && i < e.graph->node_count; i++) {
        const sfi_op op = sfi_at(e.graph, (sf_node){(int32_t)i})->op;
        if (!sfi_is_elementwise(op))
            continue;
        out->instructions++;
        out->has_costly |= costs[op] >= COSTLY;
    }
    for (size_t i = 0; status == SF_OK && i < e.read_count; i++)
        out->rows += e.reads[i].kind != SFI_READ_TABLE;
    sfi_expansion_free(&e);
    return status;
}

static bool is_leaf(const sfi_calc *c, sf_node node)
{
    const sfi_field_term *t = sfi_term_of(c, node);
    const bool is_read =
        t != NULL && (t->kind == SFI_TERM_FIELD || t->kind == SFI_TERM_AXIS ||
                      t->kind == SFI_TERM_TABLE || t->kind == SFI_TERM_REDUCE);
    return is_read || sfi_stored_of(c, node) >= 0 ||
           sfi_at(c->terms_graph, node)->op == SFI_OP_CONST;
}

/* Of a derivative, whose argument's own ones are decided. */
static sf_status decide(sfi_calc *c, const sfi_field_term *t)
{
    if (t->kind == SFI_TERM_DERIV && c->o.order == SF_CALC_SPECTRAL)
        return add(c, &(sfi_stored){
                          .term = t->node,
                          .of = t->arg[0],
                          .m = t->m,
                          .axis = t->axis,
                          .factor = t->shift != 0
                                        ? pow(sfi_axis_factor(c, t->axis), t->m)
                                        : 1.0});
    if (is_leaf(c, t->arg[0]) || sfi_term_mask(c, t->arg[0]) == 0 ||
        c->stored_count == MOST_STORED)
        return SF_OK;
    price inner, whole;
    SFI_TRY(measure(c, t->arg[0], &inner));
    SFI_TRY(measure(c, t->node, &whole));
    if (inner.has_costly || inner.instructions > MOST_INSTRUCTIONS ||
        whole.rows > MOST_ROWS)
        return add(c, &(sfi_stored){.term = t->arg[0], .of = t->arg[0]});
    return SF_OK;
}

sf_status sfi_store_terms(sfi_calc *c, sf_node node)
{
    const sfi_field_term *found = sfi_term_of(c, node);
    if (sfi_stored_of(c, node) >= 0 ||
        (found != NULL && found->kind == SFI_TERM_REDUCE))
        return SF_OK; /* it has been asked, or is a pass of its own */
    const int count = sfi_at(c->terms_graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        SFI_TRY(sfi_store_terms(c, sfi_arg(c->terms_graph, node, k)));
    if (found == NULL)
        return SF_OK;
    const sfi_field_term t = *found; /* the list may move */
    for (int k = 0; k < 2 && t.arg[k].id > 0; k++)
        SFI_TRY(sfi_store_terms(c, t.arg[k]));
    return t.kind == SFI_TERM_DERIV || t.kind == SFI_TERM_LAPLAT ? decide(c, &t)
                                                                 : SF_OK;
}
