/* SPDX-License-Identifier: Apache-2.0 */
/* terms.c - the leaves of the graph of terms, and how far a term reaches. */
#include "calc/calculation.h"

#include <string.h>

sf_node sfi_term_new(sfi_calc *c, const sfi_field_term *term)
{
    sf_graph *g = c->terms_graph;
    const sf_node node = sf_input(g, "term", 0, NULL);
    if (g->status != SF_OK) {
        sfi_free_text(c->ctx, term->text);
        return node;
    }
    const size_t input = (size_t)sfi_at(g, node)->attr[0];
    sfi_field_term *terms = sfi_grow(c->ctx, c->terms, &c->term_capacity,
                                     c->term_count + 1, sizeof *terms);
    if (terms != NULL)
        c->terms = terms;
    int *of = sfi_grow(c->ctx, c->term_of, &c->term_of_capacity, input + 1,
                       sizeof *of);
    if (of != NULL)
        c->term_of = of;
    if (terms == NULL || of == NULL) {
        sfi_free_text(c->ctx, term->text);
        return sfi_graph_fail(g, SF_E_NOMEM, "calc: no memory for a term");
    }
    of[input] = (int)c->term_count;
    terms[c->term_count] = *term;
    terms[c->term_count].node = node;
    terms[c->term_count].stage = -1;
    c->term_count++;
    return node;
}

const sfi_field_term *sfi_term_of(const sfi_calc *c, sf_node node)
{
    const sfi_node *n = sfi_at(c->terms_graph, node);
    return n->op == SFI_OP_INPUT ? &c->terms[c->term_of[n->attr[0]]] : NULL;
}

/* ---- stored terms ----------------------------------------------------------------- */

int sfi_stored_of(const sfi_calc *c, sf_node node)
{
    for (size_t i = 0; i < c->stored_count; i++)
        if (c->stored[i].term.id == node.id && (int)i != c->own)
            return (int)i;
    return -1;
}

/* ---- what a term depends on --------------------------------------------------- */

static unsigned mask_of_term(const sfi_calc *c, const sfi_field_term *t)
{
    switch (t->kind) {
    case SFI_TERM_FIELD:
        return c->inputs[t->index].mask;
    case SFI_TERM_AXIS:
        return 1u << t->axis;
    case SFI_TERM_TABLE:
        return 1u << c->tables[t->index].axis;
    case SFI_TERM_TEXT:
    case SFI_TERM_WORD:
        return 0;
    case SFI_TERM_REDUCE:
        return t->reduction == SFI_REDUCE_MONTH
                   ? sfi_term_mask(c, t->arg[0])
                   : sfi_term_mask(c, t->arg[0]) & ~t->mask;
    case SFI_TERM_POLE:
        return t->pole == SFI_POLE_MISSING
                   ? sfi_term_mask(c, t->arg[0])
                   : sfi_term_mask(c, t->arg[0]) | sfi_term_mask(c, t->arg[1]);
    default:
        return sfi_term_mask(c, t->arg[0]);
    }
}

unsigned sfi_term_mask(const sfi_calc *c, sf_node node)
{
    const sfi_field_term *t = sfi_term_of(c, node);
    if (t != NULL)
        return mask_of_term(c, t);
    unsigned mask = 0;
    const int count = sfi_at(c->terms_graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        mask |= sfi_term_mask(c, sfi_arg(c->terms_graph, node, k));
    return mask;
}

/* ---- how far it goes ------------------------------------------------------------ */

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static bool has_pole(const sfi_calc *c, int axis)
{
    return sfi_axis_pole_at(c, axis, 0) ||
           sfi_axis_pole_at(c, axis, sf_grid_axis(c->grid, axis)->count - 1);
}

static void reach_of_term(const sfi_calc *c, const sfi_field_term *t,
                          int *radius, int *reach)
{
    if (t->kind == SFI_TERM_FIELD || t->kind == SFI_TERM_AXIS ||
        t->kind == SFI_TERM_TABLE || t->kind == SFI_TERM_TEXT ||
        t->kind == SFI_TERM_WORD || t->kind == SFI_TERM_REDUCE)
        return;
    if (t->kind == SFI_TERM_DERIV && c->o.order == SF_CALC_SPECTRAL)
        return; /* it is stored */
    sfi_term_reach(c, t->arg[0], radius, reach);
    const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
    switch (t->kind) {
    case SFI_TERM_DERIV:
        radius[t->axis] += c->o.order / 2;
        reach[t->axis] += c->o.order;
        break;
    case SFI_TERM_LAPLAT:
        radius[t->axis] += 1;
        reach[t->axis] += c->o.order;
        break;
    case SFI_TERM_SHIFT:
        radius[t->axis] += t->shift < 0 ? -t->shift : t->shift;
        reach[t->axis] += t->shift < 0 ? -t->shift : t->shift;
        break;
    case SFI_TERM_POLE:
        if (lat < 0 || !has_pole(c, lat))
            break;
        radius[lat] = larger(radius[lat], 1);
        if (t->pole != SFI_POLE_MISSING) {
            int other[2][SF_MAX_AXES] = {{0}};
            sfi_term_reach(c, t->arg[1], other[0], other[1]);
            for (int k = 0; k < SF_MAX_AXES; k++) {
                radius[k] = larger(radius[k], other[0][k] + (k == lat));
                reach[k] = larger(reach[k], other[1][k] + (k == lat));
            }
        }
        break;
    default:
        break;
    }
}

void sfi_term_reach(const sfi_calc *c, sf_node node, int *radius, int *reach)
{
    if (sfi_stored_of(c, node) >= 0)
        return;
    const sfi_field_term *t = sfi_term_of(c, node);
    if (t != NULL) {
        reach_of_term(c, t, radius, reach);
        return;
    }
    const int count = sfi_at(c->terms_graph, node)->arg_count;
    int most[2][SF_MAX_AXES] = {{0}};
    for (int k = 0; k < count; k++) {
        int one[2][SF_MAX_AXES] = {{0}};
        sfi_term_reach(c, sfi_arg(c->terms_graph, node, k), one[0], one[1]);
        for (int a = 0; a < SF_MAX_AXES; a++) {
            most[0][a] = larger(most[0][a], one[0][a]);
            most[1][a] = larger(most[1][a], one[1][a]);
        }
    }
    for (int a = 0; a < SF_MAX_AXES; a++) {
        radius[a] += most[0][a];
        reach[a] += most[1][a];
    }
}

/* ---- missing values --------------------------------------------------------------- */

static bool may_hide(sfi_op op)
{
    return op == SFI_OP_MIN || op == SFI_OP_MAX || op == SFI_OP_SELECT ||
           op == SFI_OP_LESS || op == SFI_OP_LESS_EQUAL || op == SFI_OP_EQUAL ||
           op == SFI_OP_SIGN || op == SFI_OP_POW;
}

static void ask_inputs(const sfi_calc *c, sf_node node, sfi_asked *asked)
{
    const sfi_field_term *t = sfi_term_of(c, node);
    const int stored = sfi_stored_of(c, node);
    if (stored >= 0)
        asked->stored |= 1ull << stored;
    if (t != NULL && t->kind == SFI_TERM_FIELD)
        asked->inputs |= 1u << t->index;
    if (t != NULL && t->kind == SFI_TERM_REDUCE && t->stage >= 0 &&
        t->stage < 64)
        asked->stages |= 1ull << t->stage;
    const int count = sfi_at(c->terms_graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        ask_inputs(c, sfi_arg(c->terms_graph, node, k), asked);
    for (int k = 0; t != NULL && k < 2 && t->arg[k].id > 0; k++)
        ask_inputs(c, t->arg[k], asked);
}

void sfi_term_missing(const sfi_calc *c, sf_node node, bool *hides,
                      sfi_asked *asked)
{
    if (sfi_stored_of(c, node) >= 0)
        return; /* what it hides, it hides by itself */
    const sf_graph *g = c->terms_graph;
    const sfi_node *n = sfi_at(g, node);
    const sfi_field_term *t = sfi_term_of(c, node);
    *hides = *hides || may_hide(n->op);
    /* missing(x) is x != x. */
    if (n->op == SFI_OP_EQUAL &&
        sfi_arg(g, node, 0).id == sfi_arg(g, node, 1).id)
        ask_inputs(c, sfi_arg(g, node, 0), asked);
    for (int k = 0; k < n->arg_count; k++)
        sfi_term_missing(c, sfi_arg(g, node, k), hides, asked);
    for (int k = 0;
         t != NULL && t->kind != SFI_TERM_REDUCE && k < 2 && t->arg[k].id > 0;
         k++)
        sfi_term_missing(c, t->arg[k], hides, asked);
}
