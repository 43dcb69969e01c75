/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c - the arena of nodes.
 *
 * Nodes are only appended, and only through sfi_emit(), which first looks the
 * node up in a hash table: two equal expressions are one node.  Node 0 is the
 * constant 0 and always exists; it is what constructors return once the graph
 * carries an error, so that building can go on without a check. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NODES = 1 << 26 };

const char *sfi_op_name(sfi_op op)
{
    static const char *const names[] = {
#define EW(NAME, name, ...)   #name,
#define OP(NAME, name, arity) #name,
#include "graph/ops.def"
    };
    return names[op];
}

int64_t sfi_shape_count(const sfi_shape *s)
{
    int64_t count = 1;
    for (int i = 0; i < s->rank; i++)
        count *= s->extent[i];
    return count;
}

bool sfi_shape_equal(const sfi_shape *a, const sfi_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->extent[i] != b->extent[i])
            return false;
    return true;
}

const char *sfi_shape_text(const sfi_shape *s, char text[SFI_SHAPE_TEXT])
{
    size_t used = 0;
    text[used++] = '[';
    for (int i = 0; i < s->rank && used < SFI_SHAPE_TEXT - 24; i++)
        used += (size_t)snprintf(text + used, SFI_SHAPE_TEXT - used, "%s%lld",
                                 i > 0 ? "," : "", (long long)s->extent[i]);
    text[used++] = ']';
    text[used] = '\0';
    return text;
}

sf_node sfi_graph_fail(sf_graph *g, sf_status status, const char *format, ...)
{
    if (g->status == SF_OK) {
        g->status = status;
        va_list args;
        va_start(args, format);
        vsnprintf(g->message, sizeof g->message, format, args);
        va_end(args);
    }
    const sf_node zero = {0};
    return zero;
}

void sfi_graph_clear(sf_graph *g)
{
    g->status = SF_OK;
    g->message[0] = '\0';
}

sf_status sf_graph_status(sf_graph *g)
{
    if (g->status != SF_OK)
        return SFI_FAIL(g->ctx, g->status, "%s", g->message);
    return SF_OK;
}

/* ---- hashing --------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash ^= word + 0x9E3779B97F4A7C15u + (hash << 6) + (hash >> 2);
    return hash * 0xD6E8FEB86659FD93u;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t hash_node(const sfi_node *n, const int32_t *args)
{
    uint64_t hash = mix((uint64_t)n->op, (uint64_t)n->shape.rank);
    for (int i = 0; i < n->shape.rank; i++)
        hash = mix(hash, (uint64_t)n->shape.extent[i]);
    for (int i = 0; i < n->arg_count; i++)
        hash = mix(hash, (uint64_t)args[i]);
    for (int i = 0; i < SFI_MAX_ATTR; i++)
        hash = mix(hash, (uint64_t)n->attr[i]);
    return mix(hash, bits_of(n->value));
}

static bool same_node(const sf_graph *g, const sfi_node *a, const sfi_node *b,
                      const int32_t *b_args)
{
    return a->op == b->op && a->arg_count == b->arg_count &&
           sfi_shape_equal(&a->shape, &b->shape) &&
           bits_of(a->value) == bits_of(b->value) &&
           memcmp(a->attr, b->attr, sizeof a->attr) == 0 &&
           (a->arg_count == 0 ||
            memcmp(g->args + a->arg_first, b_args,
                   (size_t)a->arg_count * sizeof *b_args) == 0);
}

static void table_insert(sf_graph *g, int32_t id)
{
    const sfi_node *n = &g->nodes[id];
    size_t slot = hash_node(n, g->args + n->arg_first) & (g->table_size - 1);
    while (g->table[slot] != 0)
        slot = (slot + 1) & (g->table_size - 1);
    g->table[slot] = id + 1;
}

/* Keep the table at most half full. */
static bool table_reserve(sf_graph *g)
{
    if (2 * (g->node_count + 1) <= g->table_size)
        return true;
    const size_t size = g->table_size == 0 ? 256 : 2 * g->table_size;
    int32_t *table = sfi_alloc_zero(g->ctx, size, sizeof *table);
    if (table == NULL)
        return false;
    sfi_free(g->ctx, g->table, g->table_size, sizeof *table);
    g->table = table;
    g->table_size = size;
    for (size_t id = 0; id < g->node_count; id++)
        table_insert(g, (int32_t)id);
    return true;
}

static bool reserve_one(sf_graph *g, int arg_count)
{
    if (g->node_count >= MAX_NODES)
        return false;
    sfi_node *nodes = sfi_grow(g->ctx, g->nodes, &g->node_capacity,
                               g->node_count + 1, sizeof *nodes);
    if (nodes == NULL)
        return false;
    g->nodes = nodes;
    int32_t *args = sfi_grow(g->ctx, g->args, &g->arg_capacity,
                             g->arg_count + (size_t)arg_count, sizeof *args);
    if (args == NULL)
        return false;
    g->args = args;
    return table_reserve(g);
}

sf_node sfi_emit(sf_graph *g, sfi_op op, sfi_shape shape, int arg_count,
                 const sf_node *args, const int64_t *attr, double value)
{
    if (g->status != SF_OK)
        return (sf_node){0};
    if (!reserve_one(g, arg_count))
        return sfi_graph_fail(g, SF_E_NOMEM,
                              "graph: no memory for one more node (%zu so far)",
                              g->node_count);

    sfi_node node = {.op = op,
                     .shape = shape,
                     .arg_count = arg_count,
                     .arg_first = (int32_t)g->arg_count,
                     .value = value};
    for (int i = shape.rank; i < SF_MAX_RANK; i++)
        node.shape.extent[i] = 0;
    if (attr != NULL)
        memcpy(node.attr, attr, sizeof node.attr);
    node.varies = op == SFI_OP_INPUT;
    node.constant = op != SFI_OP_INPUT && op != SFI_OP_PARAM;
    int32_t *ids = g->args + g->arg_count;
    for (int i = 0; i < arg_count; i++) {
        ids[i] = args[i].id;
        node.varies = node.varies || g->nodes[ids[i]].varies;
        node.constant = node.constant && g->nodes[ids[i]].constant;
    }

    size_t slot = hash_node(&node, ids) & (g->table_size - 1);
    for (; g->table[slot] != 0; slot = (slot + 1) & (g->table_size - 1)) {
        const int32_t id = g->table[slot] - 1;
        if (same_node(g, &g->nodes[id], &node, ids))
            return (sf_node){id};
    }
    const int32_t id = (int32_t)g->node_count;
    g->nodes[g->node_count++] = node;
    g->arg_count += (size_t)arg_count;
    g->table[slot] = id + 1;
    return (sf_node){id};
}

/* ---- the graph itself ------------------------------------------------------ */

sf_status sf_graph_new(sf_context *ctx, sf_graph **out)
{
    *out = NULL;
    sf_graph *g = sfi_alloc_zero(ctx, 1, sizeof *g);
    if (g == NULL)
        return SF_E_NOMEM;
    g->ctx = ctx;
    const sfi_shape scalar = {0};
    (void)sfi_emit(g, SFI_OP_CONST, scalar, 0, NULL, NULL, 0.0);
    if (g->status != SF_OK) {
        sf_graph_free(g);
        return SF_E_NOMEM;
    }
    *out = g;
    return SF_OK;
}

void sf_graph_free(sf_graph *g)
{
    if (g == NULL)
        return;
    sf_context *ctx = g->ctx;
    for (size_t i = 0; i < g->input_count; i++)
        sfi_free_text(ctx, g->inputs[i].name);
    for (size_t i = 0; i < g->param_count; i++)
        sfi_free_text(ctx, g->params[i].name);
    for (size_t i = 0; i < g->array_count; i++)
        sfi_free(ctx, g->arrays[i].values, (size_t)g->arrays[i].count,
                 sizeof(double));
    sfi_free(ctx, g->inputs, g->input_capacity, sizeof *g->inputs);
    sfi_free(ctx, g->params, g->param_capacity, sizeof *g->params);
    sfi_free(ctx, g->arrays, g->array_capacity, sizeof *g->arrays);
    sfi_free(ctx, g->nodes, g->node_capacity, sizeof *g->nodes);
    sfi_free(ctx, g->args, g->arg_capacity, sizeof *g->args);
    sfi_free(ctx, g->table, g->table_size, sizeof *g->table);
    sfi_free(ctx, g, 1, sizeof *g);
}

int sf_node_rank(const sf_graph *g, sf_node n)
{
    return g->status == SF_OK ? sfi_at(g, n)->shape.rank : -1;
}

int64_t sf_node_extent(const sf_graph *g, sf_node n, int axis)
{
    const sfi_shape *s = &sfi_at(g, n)->shape;
    return axis >= 0 && axis < s->rank ? s->extent[axis] : 0;
}

int64_t sf_node_count(const sf_graph *g, sf_node n)
{
    return sfi_shape_count(&sfi_at(g, n)->shape);
}

bool sf_node_varies(const sf_graph *g, sf_node n)
{
    return sfi_at(g, n)->varies;
}
