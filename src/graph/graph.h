/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - the arena of nodes as the graph floor sees it. */
#ifndef SFI_GRAPH_H
#define SFI_GRAPH_H

#include "base/context.h"
#include "num/loops.h"
#include "scorefield/graph.h"

/* Element-wise operations come first and have the numbers of sfi_ew. */
typedef enum sfi_op {
#define EW(NAME, ...)         SFI_OP_##NAME,
#define OP(NAME, name, arity) SFI_OP_##NAME,
#include "graph/ops.def"
    SFI_OP_COUNT
} sfi_op;

enum { SFI_MAX_ATTR = 6 };

typedef struct sfi_shape {
    int rank;
    int64_t extent[SF_MAX_RANK];
} sfi_shape;

/* One node.  Arguments have smaller ids than the node itself, so a loop over
 * ids is a topological order.
 *
 * What the attributes hold:
 *   INPUT, PARAM   index among the inputs or parameters
 *   ARRAY          index among the graph's constant arrays
 *   SUM            mask of axes
 *   PERMUTE        order
 *   SLICE, PAD     axis, first, step
 *   CONCAT         axis
 *   CONV2D...      pad, and for the gradients the two lost extents */
typedef struct sfi_node {
    sfi_op op;
    bool varies;   /* depends on an input                 */
    bool constant; /* depends on no input and no parameter */
    int arg_count;
    int32_t arg_first; /* into graph->args */
    sfi_shape shape;
    int64_t attr[SFI_MAX_ATTR];
    double value; /* CONST */
} sfi_node;

typedef struct sfi_leaf {
    char *name;
    int32_t node;
} sfi_leaf;

typedef struct sfi_const_array {
    double *values;
    int64_t count;
} sfi_const_array;

struct sf_graph {
    sf_context *ctx;
    sfi_node *nodes;
    size_t node_count, node_capacity;
    int32_t *args;
    size_t arg_count, arg_capacity;
    int32_t *table; /* hash table of node ids + 1, 0 = empty */
    size_t table_size;
    sfi_leaf *inputs, *params;
    size_t input_count, input_capacity, param_count, param_capacity;
    sfi_const_array *arrays;
    size_t array_count, array_capacity;
    bool forgets_nothing; /* x*0, x - x and the like stay, as x may be missing;
                             so does the order of operands            */
    sf_status status;
    char message[512];
};

static inline const sfi_node *sfi_at(const sf_graph *g, sf_node n)
{
    return &g->nodes[n.id];
}

static inline sf_node sfi_arg(const sf_graph *g, sf_node n, int k)
{
    const sf_node a = {g->args[g->nodes[n.id].arg_first + k]};
    return a;
}

static inline bool sfi_is_elementwise(sfi_op op)
{
    return (int)op < (int)SFI_EW_COUNT;
}

/* Name of an operation, for messages. */
const char *sfi_op_name(sfi_op op);

int64_t sfi_shape_count(const sfi_shape *s);
bool sfi_shape_equal(const sfi_shape *a, const sfi_shape *b);

/* "[3,4]" into text[]; returns text. */
enum { SFI_SHAPE_TEXT = 128 };
const char *sfi_shape_text(const sfi_shape *s, char text[SFI_SHAPE_TEXT]);

/* Remember the first error of a graph; returns a node that is safe to use. */
sf_node sfi_graph_fail(sf_graph *g, sf_status status, const char *format, ...)
    SFI_PRINTF(3, 4);

/* Forget an error that the caller reports itself. */
void sfi_graph_clear(sf_graph *g);

/* Find or append the node; `attr` may be NULL. */
sf_node sfi_emit(sf_graph *g, sfi_op op, sfi_shape shape, int arg_count,
                 const sf_node *args, const int64_t *attr, double value);

/* Element-wise operation on operands of one shape, simplified and folded.
 * (The public functions broadcast first.) */
sf_node sfi_elementwise(sf_graph *g, sfi_op op, int count, const sf_node *args);

/* Zeros or ones of the shape of another node. */
sf_node sfi_full(sf_graph *g, const sfi_shape *shape, double value);

/* Whether every element is this constant. */
bool sfi_is_const(const sf_graph *g, sf_node n, double *value);

/* ln 0F1(; k; w) - (sqrt(k^2 + 4 w) - k) and its derivative by w, for w >= 0 and
 * a constant k > 0 (num/special.h). */
sf_node sfi_log_bessel_node(sf_graph *g, double k, sf_node w);
sf_node sfi_log_bessel_slope_node(sf_graph *g, double k, sf_node w);

/* The derivative of an order >= 1 of ln Phi, the logarithm of the normal
 * distribution function (num/special.h). */
sf_node sfi_log_ndtr_slope_node(sf_graph *g, int order, sf_node a);

/* Convolution gradients (public code reaches them by differentiation).
 *   grad_x: dy [co,ho,wo], w [co,ci,kh,kw] -> [ci,h,w]
 *   grad_w: x [ci,h,w], dy [co,ho,wo] -> [co,ci,kh,kw] */
sf_node sfi_conv2d_grad_x(sf_graph *g, sf_node dy, sf_node w, int64_t pad);
sf_node sfi_conv2d_grad_w(sf_graph *g, sf_node x, sf_node dy, int64_t pad);

/* Stretch every element of `a` along new last axes: [s...] -> [s..., extent]. */
sf_node sfi_stretch_last(sf_graph *g, sf_node a, int64_t extent);

/* What a text may use beside the caller's symbols.  Each may be NULL, says whether it
 * has made a node, and may leave the graph with an error, which is then one at that
 * place of the text.
 *
 *   name  asked for a name that is neither a symbol nor pi or e
 *   text  ... for one in quotes, instead
 *   call  asked for every function, before those of docs/EXPRESSIONS.md */
enum { SFI_MOST_ARGUMENTS = 8 };
typedef struct sfi_parse_hooks {
    bool (*name)(void *user, const char *name, size_t length, sf_node *out);
    bool (*text)(void *user, const char *text, size_t length, sf_node *out);
    bool (*call)(void *user, const char *name, size_t length, int count,
                 const sf_node *args, sf_node *out);
    const char *functions; /* that `call` knows, for messages */
    bool squares_vectors; /* v^2 is v*v; no other power of a vector           */
    void *user;
} sfi_parse_hooks;

/* sf_parse() with these; `hooks` may be NULL. */
sf_status sfi_parse_open(sf_graph *g, const char *text, int symbol_count,
                         const sf_symbol *symbols, const sfi_parse_hooks *hooks,
                         sf_node *out);

/* A node of `from` written again in `to`, which may be the same, with nodes of `to` in
 * place of its inputs [from->input_count] and parameters [from->param_count], of the same shapes;
 * those that are not met may be anything (substitute.c). */
sf_node sfi_substitute(sf_graph *to, const sf_graph *from, sf_node node,
                       const sf_node *inputs, const sf_node *params);

/* The rules (rules.c).
 *
 * partial: d node / d arg k for an element-wise node, same shape as the node.
 * vjp:     add to args' cotangents; cot[k] is set to a node or left at id -1
 *          for "zero"; k runs over the node's arguments.  wanted[k] says which,
 *          and whether the caller asked for that very argument: a rule that
 *          takes a short cut past an argument must not do so then.
 * jvp:     the tangent of the node from the tangents of its arguments (id -1 =
 *          zero).  Tangents carry one more axis, last, of `width` directions. */
typedef enum sfi_wanted {
    SFI_NOT_WANTED = 0, /* does not depend on what the derivative is by */
    SFI_WANTED,         /* depends on it                                */
    SFI_ASKED           /* is it                                        */
} sfi_wanted;

sf_node sfi_partial(sf_graph *g, sf_node n, int k);
void sfi_rule_vjp(sf_graph *g, sf_node n, sf_node cotangent,
                  const sfi_wanted *wanted, sf_node *cot);
sf_node sfi_rule_jvp(sf_graph *g, sf_node n, const sf_node *tangent,
                     int64_t width);

static inline bool sfi_none(sf_node n)
{
    return n.id < 0;
}

#endif
