/* SPDX-License-Identifier: Apache-2.0 */
/* posterior_tree.c - a k-d tree, built from the root down: a node is cut across
 * the widest side of its box, at the whole leaf nearest to half of its rows.  Ties go by the number of the row, so that equal rows do no harm and
 * the order is a function of the data. */
#include "num/posterior_tree.h"

#include <math.h>

/* A row on its way to its place. */
typedef struct keyed_row {
    double key;
    int64_t row;
} keyed_row;

typedef struct builder {
    sfi_posterior_tree *tree;
    sf_cmat data;
    const double *log_weights, *scales;
    keyed_row *entries; /* [n] */
} builder;

/* ---- building ---------------------------------------------------------------- */

static bool before(keyed_row a, keyed_row b)
{
    return a.key < b.key || (a.key == b.key && a.row < b.row);
}

static void swap(keyed_row *a, keyed_row *b)
{
    const keyed_row keep = *a;
    *a = *b;
    *b = keep;
}

static keyed_row median(keyed_row a, keyed_row b, keyed_row c)
{
    if (before(b, a))
        swap(&a, &b);
    if (before(c, b))
        swap(&b, &c);
    return before(b, a) ? a : b;
}

/* Put the k smallest of n entries first (C. A. R. Hoare, Find, 1961). */
static void select_first(keyed_row *x, int64_t n, int64_t k)
{
    int64_t from = 0, to = n - 1;
    while (from < to) {
        const keyed_row pivot =
            median(x[from], x[from + (to - from) / 2], x[to]);
        int64_t i = from, j = to;
        while (i <= j) {
            while (before(x[i], pivot))
                i++;
            while (before(pivot, x[j]))
                j--;
            if (i <= j)
                swap(&x[i++], &x[j--]);
        }
        if (k <= j)
            to = j;
        else if (k >= i)
            from = i;
        else
            return;
    }
}

static const double *point(const builder *b, int64_t at)
{
    return b->data.data + b->entries[at].row * b->data.stride;
}

/* The box of places first to last - 1. */
static void enclose(const builder *b, int64_t first, int64_t last, double *box)
{
    const int64_t d = b->tree->d;
    for (int64_t k = 0; k < d; k++) {
        box[k] = INFINITY;
        box[d + k] = -INFINITY;
    }
    for (int64_t at = first; at < last; at++) {
        const double *y = point(b, at);
        for (int64_t k = 0; k < d; k++) {
            box[k] = y[k] < box[k] ? y[k] : box[k];
            box[d + k] = y[k] > box[d + k] ? y[k] : box[d + k];
        }
    }
}

/* ln of the sum of their weights, and the least of their scales. */
static void weigh(const builder *b, int64_t first, int64_t last,
                  sfi_posterior_node *node)
{
    double top = b->log_weights == NULL ? 0.0 : -INFINITY;
    double sum = 0.0, least = b->scales == NULL ? 1.0 : INFINITY;
    for (int64_t at = first; at < last; at++) {
        const int64_t row = b->entries[at].row;
        if (b->log_weights != NULL)
            top = fmax(top, b->log_weights[row]);
        if (b->scales != NULL)
            least = fmin(least, b->scales[row]);
    }
    for (int64_t at = first; at < last; at++)
        sum += b->log_weights == NULL
                   ? 1.0
                   : exp(b->log_weights[b->entries[at].row] - top);
    /* Rounded up: the sum of a leaf is good to fewer ulps than that. */
    node->lightest = node->heaviest = top + log(sum) + 1e-9;
    node->flattest = node->steepest = least;
}

static void build(const builder *b, int64_t number)
{
    sfi_posterior_tree *t = b->tree;
    sfi_posterior_node *node = &t->node[number];
    const int64_t first = node->first * t->size;
    const int64_t end = (node->first + node->leaves) * t->size;
    const int64_t last = end < t->n ? end : t->n;
    double *box = t->box + number * 2 * t->d;
    enclose(b, first, last, box);
    if (node->leaves == 1) {
        weigh(b, first, last, node);
        return;
    }
    int64_t widest = 0;
    for (int64_t k = 1; k < t->d; k++)
        if (box[t->d + k] - box[k] > box[t->d + widest] - box[widest])
            widest = k;
    for (int64_t at = first; at < last; at++)
        b->entries[at].key = point(b, at)[widest];
    const int64_t half = node->leaves / 2;
    select_first(b->entries + first, last - first, half * t->size);

    node->right = number + 2 * half;
    sfi_posterior_node *left = &t->node[number + 1];
    sfi_posterior_node *right = &t->node[node->right];
    *left = (sfi_posterior_node){.first = node->first, .leaves = half};
    *right = (sfi_posterior_node){.first = node->first + half,
                                  .leaves = node->leaves - half};
    build(b, number + 1);
    build(b, node->right);
    node->lightest = fmin(left->lightest, right->lightest);
    node->heaviest = fmax(left->heaviest, right->heaviest);
    node->flattest = fmin(left->flattest, right->flattest);
    node->steepest = fmax(left->steepest, right->steepest);
}

static int64_t count(int64_t rows, const double *log_weights)
{
    int64_t n = 0;
    for (int64_t j = 0; j < rows; j++)
        n += log_weights == NULL || log_weights[j] > -INFINITY;
    return n;
}

sf_status sfi_posterior_tree_new(sf_context *ctx, sfi_posterior_tree *tree,
                                 sf_cmat data, const double *log_weights,
                                 const double *scales, int64_t size, bool split)
{
    sfi_posterior_tree t = {.ctx = ctx, .rows = data.rows, .d = data.cols};
    t.n = count(data.rows, log_weights);
    t.size = split ? size : t.n;
    t.leaves = (t.n + t.size - 1) / t.size;
    t.nodes = 2 * t.leaves - 1;
    t.row = sfi_alloc(ctx, (size_t)t.n, sizeof *t.row);
    t.place = sfi_alloc(ctx, (size_t)t.rows, sizeof *t.place);
    t.node = sfi_alloc_zero(ctx, (size_t)t.nodes, sizeof *t.node);
    t.box = sfi_alloc(ctx, (size_t)(t.nodes * 2 * t.d), sizeof *t.box);
    keyed_row *entries = sfi_alloc(ctx, (size_t)t.n, sizeof *entries);
    *tree = t;
    if (t.row == NULL || t.place == NULL || t.node == NULL || t.box == NULL ||
        entries == NULL) {
        sfi_free(ctx, entries, (size_t)t.n, sizeof *entries);
        sfi_posterior_tree_free(tree);
        return SF_E_NOMEM;
    }
    for (int64_t j = 0, at = 0; j < t.rows; j++) {
        t.place[j] = -1;
        if (log_weights == NULL || log_weights[j] > -INFINITY)
            entries[at++] = (keyed_row){0.0, j};
    }
    const builder b = {tree, data, log_weights, scales, entries};
    t.node[0].leaves = t.leaves;
    build(&b, 0);
    for (int64_t at = 0; at < t.n; at++) {
        t.row[at] = (int32_t)entries[at].row;
        t.place[entries[at].row] = (int32_t)at;
    }
    sfi_free(ctx, entries, (size_t)t.n, sizeof *entries);
    return SF_OK;
}

void sfi_posterior_tree_free(sfi_posterior_tree *t)
{
    if (t->ctx == NULL)
        return;
    sfi_free(t->ctx, t->row, (size_t)t->n, sizeof *t->row);
    sfi_free(t->ctx, t->place, (size_t)t->rows, sizeof *t->place);
    sfi_free(t->ctx, t->node, (size_t)t->nodes, sizeof *t->node);
    sfi_free(t->ctx, t->box, (size_t)(t->nodes * 2 * t->d), sizeof *t->box);
    *t = (sfi_posterior_tree){0};
}

size_t sfi_posterior_tree_memory(const sfi_posterior_tree *t)
{
    return (size_t)t->n * sizeof *t->row + (size_t)t->rows * sizeof *t->place +
           (size_t)t->nodes *
               (sizeof *t->node + 2 * (size_t)t->d * sizeof *t->box);
}

/* ---- bounds ------------------------------------------------------------------ */

/* Comparisons and not fmax: they cost a call each here, and no number is NaN. */
static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

double sfi_posterior_bound_above(const sfi_posterior_tree *tree, int64_t node,
                                 const sfi_posterior_queries *q)
{
    const sfi_posterior_node *c = &tree->node[node];
    const int64_t d = tree->d;
    const double *low = tree->box + node * 2 * d, *high = low + d;
    double sum = 0.0;
    if (q->product) {
        for (int64_t k = 0; k < d; k++)
            sum += larger(larger(q->low[k] * low[k], q->low[k] * high[k]),
                          larger(q->high[k] * low[k], q->high[k] * high[k]));
        return c->heaviest + q->scale * sum;
    }
    for (int64_t k = 0; k < d; k++) {
        const double gap =
            larger(larger(low[k] - q->high[k], q->low[k] - high[k]), 0.0);
        sum += gap * gap;
    }
    return c->heaviest - 0.5 * q->scale * c->flattest * sum;
}

/* Boxes of leaves lie somewhere in the box of an inner node: what is known of
 * them is that they hold a point of it. */
double sfi_posterior_bound_below(const sfi_posterior_tree *tree, int64_t node,
                                 const sfi_posterior_queries *q)
{
    const sfi_posterior_node *c = &tree->node[node];
    const int64_t d = tree->d;
    const double *low = tree->box + node * 2 * d, *high = low + d;
    const bool leaf = c->right == 0;
    double sum = 0.0;
    if (q->product) {
        for (int64_t k = 0; k < d; k++) {
            const double a = smaller(q->low[k] * low[k], q->high[k] * low[k]);
            const double b = smaller(q->low[k] * high[k], q->high[k] * high[k]);
            sum += leaf ? larger(a, b) : smaller(a, b);
        }
        return c->lightest + q->scale * sum;
    }
    for (int64_t k = 0; k < d; k++) {
        const double gap =
            leaf ? larger(larger(low[k] - q->low[k], q->high[k] - high[k]), 0.0)
                 : larger(high[k] - q->low[k], q->high[k] - low[k]);
        sum += gap * gap;
    }
    return c->lightest - 0.5 * q->scale * c->steepest * sum;
}

int64_t sfi_posterior_home(const sfi_posterior_tree *tree,
                           const sfi_posterior_queries *q)
{
    int64_t node = 0;
    while (tree->node[node].right != 0) {
        const int64_t right = tree->node[node].right;
        node = sfi_posterior_bound_above(tree, right, q) >
                       sfi_posterior_bound_above(tree, node + 1, q)
                   ? right
                   : node + 1;
    }
    return node;
}
