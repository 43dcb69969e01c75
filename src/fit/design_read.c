/* SPDX-License-Identifier: Apache-2.0 */
/* design_read.c - which functions of a row multiply the numbers, read from the graph.
 *
 * A node that depends on the numbers has a form: for each of its elements a list of
 * terms (number, function, factor).  Functions are products of elements of nodes that
 * do not depend on the numbers, followed through what only moves elements about, so
 * that two functions that are the same have the same name.  Forms go up the graph by
 * the rules of linear operations; an operation that has none ends it. */
#include "fit/design_read.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH = 24, MOST_TERMS = 1 << 25 };

/* ---- where elements come from ----------------------------------------------------- */

static void unravel(const sfi_shape *s, int64_t index, int64_t *at)
{
    for (int i = s->rank; i-- > 0; index /= s->extent[i])
        at[i] = index % s->extent[i];
}

static int64_t ravel(const sfi_shape *s, const int64_t *at)
{
    int64_t index = 0;
    for (int i = 0; i < s->rank; i++)
        index = index * s->extent[i] + at[i];
    return index;
}

static bool moves_elements(sfi_op op)
{
    return op == SFI_OP_BROADCAST || op == SFI_OP_RESHAPE ||
           op == SFI_OP_PERMUTE || op == SFI_OP_SLICE || op == SFI_OP_PAD ||
           op == SFI_OP_CONCAT;
}

/* The argument and its element that element `index` of a node is; -1 for zero. */
static int64_t origin(const sf_graph *g, sf_node n, int64_t index, sf_node *arg)
{
    const sfi_node *node = sfi_at(g, n);
    int64_t at[SF_MAX_RANK] = {0}, from[SF_MAX_RANK] = {0};
    *arg = sfi_arg(g, n, 0);
    if (node->op == SFI_OP_RESHAPE)
        return index;
    unravel(&node->shape, index, at);
    const int64_t axis = node->attr[0];
    if (node->op == SFI_OP_CONCAT) {
        int k = 0;
        while (at[axis] >= sfi_at(g, sfi_arg(g, n, k))->shape.extent[axis])
            at[axis] -= sfi_at(g, sfi_arg(g, n, k++))->shape.extent[axis];
        *arg = sfi_arg(g, n, k);
        return ravel(&sfi_at(g, *arg)->shape, at);
    }
    const sfi_shape *s = &sfi_at(g, *arg)->shape;
    if (node->op == SFI_OP_PERMUTE) {
        for (int i = 0; i < s->rank; i++)
            from[node->attr[i]] = at[i];
        return ravel(s, from);
    }
    if (node->op == SFI_OP_BROADCAST) {
        const int more = node->shape.rank - s->rank;
        for (int i = 0; i < s->rank; i++)
            from[i] = s->extent[i] == 1 ? 0 : at[i + more];
        return ravel(s, from);
    }
    const int64_t first = node->attr[1], step = node->attr[2];
    if (node->op == SFI_OP_SLICE) {
        at[axis] = first + at[axis] * step;
        return ravel(s, at);
    }
    const int64_t beyond = at[axis] - first; /* PAD */
    if (beyond < 0 || beyond % step != 0 || beyond / step >= s->extent[axis])
        return -1;
    at[axis] = beyond / step;
    return ravel(s, at);
}

/* ---- functions -------------------------------------------------------------------- */

static bool multiply(sfi_product *p, int64_t element)
{
    if (p->count == SFI_DESIGN_FACTORS)
        return false;
    int k = p->count++;
    for (; k > 0 && p->of[k - 1] > element; k--)
        p->of[k] = p->of[k - 1];
    p->of[k] = element;
    return true;
}

bool sfi_design_multiply_all(sfi_product *p, const sfi_product *by)
{
    p->factor *= by->factor;
    for (int k = 0; k < by->count; k++)
        if (!multiply(p, by->of[k]))
            return false;
    return true;
}

/* *p times an element of a node without numbers; false: too many factors. */
static bool expand(const sf_graph *g, sf_node n, int64_t index, int depth,
                   sfi_product *p)
{
    const sfi_node *node = sfi_at(g, n);
    sf_node arg;
    double value;
    if (sfi_is_const(g, n, &value)) {
        p->factor *= value;
        return true;
    }
    if (node->op == SFI_OP_ARRAY) {
        p->factor *= g->arrays[node->attr[0]].values[index];
        return true;
    }
    if (depth > 0 && node->op == SFI_OP_NEG) {
        p->factor = -p->factor;
        return expand(g, sfi_arg(g, n, 0), index, depth - 1, p);
    }
    if (depth > 0 && node->op == SFI_OP_MUL) {
        const sfi_product before = *p;
        if (expand(g, sfi_arg(g, n, 0), index, depth - 1, p) &&
            expand(g, sfi_arg(g, n, 1), index, depth - 1, p))
            return true;
        *p = before;
    }
    if (depth > 0 && moves_elements(node->op)) {
        index = origin(g, n, index, &arg);
        if (index >= 0)
            return expand(g, arg, index, depth - 1, p);
        p->factor = 0.0;
        return true;
    }
    return multiply(p, (int64_t)n.id << 32 | index);
}

sfi_product sfi_design_element_of(sfi_reader *r, sf_node n, int64_t index)
{
    sfi_product p = {1.0, 0, {0}};
    r->linear &= expand(r->g, n, index, DEPTH, &p);
    return p;
}

static uint64_t hash_of(const sfi_product *p)
{
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (int k = 0; k < p->count; k++)
        h = (h ^ (uint64_t)p->of[k]) * 0xff51afd7ed558ccdu, h ^= h >> 29;
    return h;
}

bool sfi_design_same(const sfi_product *a, const sfi_product *b)
{
    return a->count == b->count &&
           memcmp(a->of, b->of, (size_t)a->count * sizeof *a->of) == 0;
}

static bool grow_table(sfi_reader *r)
{
    const size_t size = r->table_size > 0 ? 2 * r->table_size : 256;
    int32_t *table = sfi_alloc_zero(r->ctx, size, sizeof *table);
    if (table == NULL)
        return r->memory = false;
    for (size_t k = 0; k < r->function_count; k++) {
        size_t at = hash_of(&r->functions[k]) & (size - 1);
        while (table[at] != 0)
            at = (at + 1) & (size - 1);
        table[at] = (int32_t)k + 1;
    }
    sfi_free(r->ctx, r->table, r->table_size, sizeof *r->table);
    r->table = table;
    r->table_size = size;
    return true;
}

int32_t sfi_design_function_of(sfi_reader *r, const sfi_product *p)
{
    if (2 * r->function_count >= r->table_size && !grow_table(r))
        return -1;
    size_t at = hash_of(p) & (r->table_size - 1);
    for (; r->table[at] != 0; at = (at + 1) & (r->table_size - 1))
        if (sfi_design_same(&r->functions[r->table[at] - 1], p))
            return r->table[at] - 1;
    sfi_product *grown = sfi_grow(r->ctx, r->functions, &r->function_capacity,
                                  r->function_count + 1, sizeof *grown);
    if (grown == NULL) {
        r->memory = false;
        return -1;
    }
    r->functions = grown;
    grown[r->function_count] = *p;
    grown[r->function_count].factor = 1.0;
    r->table[at] = (int32_t)++r->function_count;
    return r->table[at] - 1;
}

/* ---- forms ------------------------------------------------------------------------ */

static void found(sfi_reader *r, sfi_design_term t)
{
    sfi_design_term *grown = sfi_grow(r->ctx, r->found, &r->found_capacity,
                                      r->found_count + 1, sizeof *grown);
    if (grown == NULL) {
        r->memory = false;
        return;
    }
    r->found = grown;
    r->found[r->found_count++] = t;
}

/* The terms of an element of a node, times a product. */
static void found_times(sfi_reader *r, sf_node n, int64_t index,
                        const sfi_product *by)
{
    const sfi_design_form *f = &r->forms[n.id];
    if (f->start == NULL || by->factor == 0.0)
        return;
    for (int64_t k = f->start[index]; k < f->start[index + 1]; k++) {
        sfi_design_term t = f->terms[k];
        t.factor *= by->factor;
        if (by->count > 0) {
            sfi_product p = *by;
            if (!sfi_design_multiply_all(&p, &r->functions[t.function])) {
                r->linear = false;
                return;
            }
            t.function = sfi_design_function_of(r, &p);
            if (t.function < 0)
                return;
        }
        found(r, t);
        if (!r->memory)
            return;
    }
}

static void found_same(sfi_reader *r, sf_node n, int64_t index, double factor)
{
    const sfi_product by = {factor, 0, {0}};
    found_times(r, n, index, &by);
}

static bool depends(const sfi_reader *r, sf_node n)
{
    return (size_t)n.id < r->form_count && r->forms[n.id].start != NULL;
}

static void read_sum(sfi_reader *r, sf_node n, int64_t index)
{
    const sfi_node *node = sfi_at(r->g, n);
    const sf_node a = sfi_arg(r->g, n, 0);
    const sfi_shape *s = &sfi_at(r->g, a)->shape;
    sfi_shape kept = {0}, summed = {0};
    int64_t outer[SF_MAX_RANK], inner[SF_MAX_RANK], at[SF_MAX_RANK];
    for (int i = 0; i < s->rank; i++) {
        sfi_shape *to = node->attr[0] >> i & 1 ? &summed : &kept;
        to->extent[to->rank++] = s->extent[i];
    }
    unravel(&kept, index, outer);
    for (int64_t k = 0; k < sfi_shape_count(&summed); k++) {
        unravel(&summed, k, inner);
        for (int i = 0, in = 0, out = 0; i < s->rank; i++)
            at[i] = node->attr[0] >> i & 1 ? inner[in++] : outer[out++];
        found_same(r, a, ravel(s, at), 1.0);
    }
}

static void read_matmul(sfi_reader *r, sf_node n, int64_t index)
{
    const sf_node a = sfi_arg(r->g, n, 0), b = sfi_arg(r->g, n, 1);
    const int64_t inner = sfi_at(r->g, a)->shape.extent[1];
    const sfi_shape *s = &sfi_at(r->g, b)->shape;
    const int64_t cols = s->rank == 2 ? s->extent[1] : 1;
    const int64_t i = index / cols, j = index % cols;
    for (int64_t p = 0; p < inner && r->linear && r->memory; p++) {
        const int64_t left = i * inner + p, right = p * cols + j;
        const bool first = depends(r, a);
        const sfi_product by = first ? sfi_design_element_of(r, b, right)
                                     : sfi_design_element_of(r, a, left);
        found_times(r, first ? a : b, first ? left : right, &by);
    }
}

/* The terms of one element. */
static void read_element(sfi_reader *r, sf_node n, int64_t index,
                         sf_node inverse)
{
    const sfi_op op = sfi_at(r->g, n)->op;
    sf_node a = sfi_arg(r->g, n, 0);
    const sf_node b = sfi_at(r->g, n)->arg_count > 1 ? sfi_arg(r->g, n, 1) : a;
    if (moves_elements(op)) {
        index = origin(r->g, n, index, &a);
        if (index >= 0)
            found_same(r, a, index, 1.0);
        return;
    }
    sfi_product by;
    switch (op) {
    case SFI_OP_NEG:
        found_same(r, a, index, -1.0);
        return;
    case SFI_OP_ADD:
    case SFI_OP_SUB:
        found_same(r, a, index, 1.0);
        found_same(r, b, index, op == SFI_OP_ADD ? 1.0 : -1.0);
        return;
    case SFI_OP_MUL:
        by = depends(r, a) ? sfi_design_element_of(r, b, index)
                           : sfi_design_element_of(r, a, index);
        found_times(r, depends(r, a) ? a : b, index, &by);
        return;
    case SFI_OP_DIV:
        by = sfi_design_element_of(r, inverse, index);
        found_times(r, a, index, &by);
        return;
    case SFI_OP_SUM:
        read_sum(r, n, index);
        return;
    default:
        read_matmul(r, n, index);
    }
}

/* Whether the operation is linear in those of its arguments that have forms. */
static bool is_linear(const sfi_reader *r, sf_node n)
{
    const sfi_op op = sfi_at(r->g, n)->op;
    const sf_node a = sfi_arg(r->g, n, 0);
    const sf_node b = sfi_at(r->g, n)->arg_count > 1 ? sfi_arg(r->g, n, 1) : a;
    switch (op) {
    case SFI_OP_NEG:
    case SFI_OP_ADD:
    case SFI_OP_SUB:
    case SFI_OP_SUM:
        return true;
    case SFI_OP_MUL:
    case SFI_OP_MATMUL:
        return !depends(r, a) || !depends(r, b);
    case SFI_OP_DIV:
        return !depends(r, b);
    default:
        return moves_elements(op);
    }
}

static int by_number(const void *pa, const void *pb)
{
    const sfi_design_term *a = pa, *b = pb;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->function > b->function) - (a->function < b->function);
}

/* Sort, add up equal terms, and keep what is not nought as the next element's. */
static void end_element(sfi_reader *r, sfi_design_form *f, int64_t index)
{
    size_t kept = 0;
    if (r->found_count > 1)
        qsort(r->found, r->found_count, sizeof *r->found, by_number);
    for (size_t k = 0; k < r->found_count; k++) {
        if (kept > 0 && by_number(&r->found[kept - 1], &r->found[k]) == 0)
            r->found[kept - 1].factor += r->found[k].factor;
        else
            r->found[kept++] = r->found[k];
    }
    const int64_t first = f->start[index];
    sfi_design_term *grown = sfi_grow(r->ctx, f->terms, &f->capacity,
                                      (size_t)first + kept + 1, sizeof *grown);
    r->found_count = 0;
    f->start[index + 1] = first;
    if (grown == NULL) {
        r->memory = false;
        return;
    }
    f->terms = grown;
    for (size_t k = 0; k < kept; k++)
        if (r->found[k].factor != 0.0)
            grown[f->start[index + 1]++] = r->found[k];
    r->total += kept;
    r->linear &= r->total < MOST_TERMS;
}

bool sfi_design_begin_form(sfi_reader *r, sfi_design_form *f, int64_t elements)
{
    f->elements = elements;
    f->start = sfi_alloc_zero(r->ctx, (size_t)elements + 1, sizeof *f->start);
    return r->memory &= f->start != NULL;
}

void sfi_design_free_form(sf_context *ctx, sfi_design_form *f)
{
    if (f->start != NULL)
        sfi_free(ctx, f->start, (size_t)f->elements + 1, sizeof *f->start);
    sfi_free(ctx, f->terms, f->capacity, sizeof *f->terms);
    *f = (sfi_design_form){.elements = 0};
}

static void read_leaf(sfi_reader *r, const sfi_design_leaf *leaf)
{
    const sfi_product one = {1.0, 0, {0}};
    const int64_t count = sf_node_count(r->g, leaf->node);
    sfi_design_form *f = &r->forms[leaf->node.id];
    const int32_t function = sfi_design_function_of(r, &one);
    if (function < 0 || !sfi_design_begin_form(r, f, count))
        return;
    for (int64_t e = 0; e < count && r->memory; e++) {
        found(r, (sfi_design_term){(int32_t)leaf->number[e], function, 1.0});
        if (r->memory)
            end_element(r, f, e);
    }
}

static void read_node(sfi_reader *r, sf_node n)
{
    bool any = false;
    for (int k = 0; k < sfi_at(r->g, n)->arg_count; k++)
        any |= depends(r, sfi_arg(r->g, n, k));
    if (!any || r->forms[n.id].start != NULL)
        return;
    if (!is_linear(r, n)) {
        r->linear = false;
        return;
    }
    const int64_t count = sf_node_count(r->g, n);
    const bool divides = sfi_at(r->g, n)->op == SFI_OP_DIV;
    sf_node inverse = n;
    if (divides)
        inverse = sf_div(r->g, sf_const(r->g, 1.0), sfi_arg(r->g, n, 1));
    if (r->g->status != SF_OK || count >= INT32_MAX) {
        r->linear = false;
        return;
    }
    if (!sfi_design_begin_form(r, &r->forms[n.id], count))
        return;
    for (int64_t e = 0; e < count && r->linear && r->memory; e++) {
        read_element(r, n, e, inverse);
        if (r->memory)
            end_element(r, &r->forms[n.id], e);
    }
}

void sfi_design_begin_reader(sfi_reader *r, int32_t last, int leaf_count,
                             const sfi_design_leaf *leaves)
{
    r->form_count = (size_t)last + 1;
    r->forms = sfi_alloc_zero(r->ctx, r->form_count, sizeof *r->forms);
    r->memory = r->forms != NULL;
    for (int k = 0; k < leaf_count && r->memory; k++)
        if ((size_t)leaves[k].node.id < r->form_count)
            read_leaf(r, &leaves[k]);
}

void sfi_design_read_node(sfi_reader *r, sf_node root)
{
    const size_t count = (size_t)root.id + 1;
    bool *part = sfi_alloc_zero(r->ctx, count, sizeof *part);
    if (part == NULL) {
        r->memory = false;
        return;
    }
    part[root.id] = true;
    for (size_t id = count; id-- > 0;) {
        const sfi_node *n = &r->g->nodes[id];
        for (int k = 0; k < n->arg_count && part[id]; k++)
            part[r->g->args[n->arg_first + k]] = true;
    }
    for (size_t id = 0; id < count && r->memory && r->linear; id++)
        if (part[id])
            read_node(r, (sf_node){(int32_t)id});
    sfi_free(r->ctx, part, count, sizeof *part);
}

void sfi_design_free_reader(sfi_reader *r)
{
    for (size_t id = 0; id < r->form_count && r->forms != NULL; id++)
        sfi_design_free_form(r->ctx, &r->forms[id]);
    sfi_free(r->ctx, r->forms, r->form_count, sizeof *r->forms);
    sfi_free(r->ctx, r->functions, r->function_capacity, sizeof *r->functions);
    sfi_free(r->ctx, r->table, r->table_size, sizeof *r->table);
    sfi_free(r->ctx, r->found, r->found_capacity, sizeof *r->found);
}
