/* SPDX-License-Identifier: Apache-2.0 */
/* design.c - blocks of the Hessian that share their functions, and their products.
 *
 * Of the functions of a block a common factor is taken out: in the chart of positive
 * numbers s_j is x_j times a sum of 1 and x_k, and the blocks differ by the weight
 * x_j^2 alone.  Blocks of one weight and the same functions share their products. */
#include "fit/design_read.h"

#include <stdlib.h>
#include <string.h>

enum {
    GROUP = 1 << 19
}; /* cells of one program: it has several copies of them */

/* Blocks of one weight, and the functions that are multiplied. */
typedef struct kind {
    sfi_product weight; /* its factor is taken into `products` */
    int32_t *functions;
    int64_t width;
    int64_t offset; /* among all products */
    int group;
} kind;

struct sfi_design {
    sf_context *ctx;
    int64_t numbers;
    sfi_design_form
        score; /* of a term, `function` is the column of its block's kind */
    int64_t *kind_of;
    kind *kinds;
    int64_t kind_count;
    sf_program **groups;
    int group_count;
    double *products;
    int64_t cells;

    /* The linear part: one element, `function` likewise; the functions' means, and
     * that of the objective where the numbers are 0. */
    bool has_linear;
    sfi_design_form linear;
    kind functions;
    sf_program *sums;
    double *means, first;
};

/* ---- blocks ----------------------------------------------------------------------- */

/* What all functions of a block have in common. */
static sfi_product common_factor(const sfi_reader *r, const sfi_design_form *f,
                                 int64_t j)
{
    sfi_product all = {1.0, 0, {0}};
    for (int64_t k = f->start[j]; k < f->start[j + 1]; k++) {
        const sfi_product *p = &r->functions[f->terms[k].function];
        if (k == f->start[j]) {
            all = *p;
            continue;
        }
        int kept = 0;
        for (int a = 0, b = 0; a < all.count && b < p->count;) {
            if (all.of[a] == p->of[b]) {
                all.of[kept++] = all.of[a++];
                b++;
            } else if (all.of[a] < p->of[b]) {
                a++;
            } else {
                b++;
            }
        }
        all.count = kept;
    }
    return all;
}

static sfi_product without(const sfi_product *p, const sfi_product *factor)
{
    sfi_product q = {1.0, 0, {0}};
    for (int k = 0, f = 0; k < p->count; k++) {
        if (f < factor->count && factor->of[f] == p->of[k])
            f++;
        else
            q.of[q.count++] = p->of[k];
    }
    return q;
}

/* The weight of block j: h_j times the square of what its functions share, which
 * they lose. */
static sfi_product weight_of(sfi_reader *r, sfi_design_form *f, int64_t j,
                             const sf_node *weights)
{
    sfi_product w = {1.0, 0, {0}};
    if (weights != NULL)
        w = sfi_design_element_of(r, *weights, j);
    const sfi_product shared = common_factor(r, f, j);
    sfi_product with = w;
    if (shared.count == 0 || !sfi_design_multiply_all(&with, &shared) ||
        !sfi_design_multiply_all(&with, &shared))
        return w;
    for (int64_t k = f->start[j]; k < f->start[j + 1]; k++) {
        const sfi_product rest =
            without(&r->functions[f->terms[k].function], &shared);
        f->terms[k].function = sfi_design_function_of(r, &rest);
    }
    return with;
}

static int by_value(const void *pa, const void *pb)
{
    const int32_t a = *(const int32_t *)pa, b = *(const int32_t *)pb;
    return (a > b) - (a < b);
}

static int64_t unique(int32_t *list, int64_t count)
{
    int64_t kept = 0;
    qsort(list, (size_t)count, sizeof *list, by_value);
    for (int64_t k = 0; k < count; k++)
        if (kept == 0 || list[kept - 1] != list[k])
            list[kept++] = list[k];
    return kept;
}

static bool same_functions(const kind *a, const kind *b)
{
    return a->width == b->width &&
           memcmp(a->functions, b->functions,
                  (size_t)a->width * sizeof *a->functions) == 0;
}

/* Exactly `width` of the list, owned by k. */
static bool own_functions(sfi_reader *r, kind *k, const int32_t *list,
                          int64_t width)
{
    k->width = width;
    k->functions = sfi_alloc(r->ctx, (size_t)width + 1, sizeof *list);
    if (k->functions == NULL)
        return r->memory = false;
    if (width > 0)
        memcpy(k->functions, list, (size_t)width * sizeof *list);
    return true;
}

/* Blocks of one weight and the same functions are of one kind. */
static void find_kinds(sfi_reader *r, sfi_design *d, const sf_node *weights)
{
    sfi_design_form *f = &d->score;
    for (int64_t j = 0; j < f->elements && r->memory; j++) {
        const sfi_product w = weight_of(r, f, j, weights);
        const int64_t first = f->start[j], count = f->start[j + 1] - first;
        kind *k = &d->kinds[d->kind_count];
        int32_t *list = sfi_alloc(r->ctx, (size_t)count + 1, sizeof *list);
        if (list == NULL) {
            r->memory = false;
            return;
        }
        for (int64_t i = 0; i < count; i++)
            list[i] = f->terms[first + i].function;
        k->weight = w;
        if (r->memory && own_functions(r, k, list, unique(list, count))) {
            d->kind_count++;
            int64_t known = 0;
            while (d->kinds[known].weight.factor != w.factor ||
                   !sfi_design_same(&d->kinds[known].weight, &w) ||
                   !same_functions(&d->kinds[known], k))
                known++;
            if (known < d->kind_count - 1) {
                sfi_free(r->ctx, k->functions, (size_t)k->width + 1,
                         sizeof *list);
                d->kind_count--;
            }
            d->kind_of[j] = known;
        }
        sfi_free(r->ctx, list, (size_t)count + 1, sizeof *list);
    }
}

static bool same_weight(const kind *a, const kind *b)
{
    return a->weight.factor == b->weight.factor &&
           sfi_design_same(&a->weight, &b->weight);
}

/* Kinds of the weight of kind `first` become one, where that is not more work. */
static void join_kinds(sfi_reader *r, sfi_design *d, int64_t first)
{
    int64_t all = 0, cells = 0, used = 0;
    for (int64_t k = first; k < d->kind_count; k++) {
        if (!same_weight(&d->kinds[first], &d->kinds[k]))
            continue;
        all += d->kinds[k].width;
        cells += d->kinds[k].width * d->kinds[k].width;
    }
    int32_t *list = sfi_alloc(r->ctx, (size_t)all + 1, sizeof *list);
    if (list == NULL) {
        r->memory = false;
        return;
    }
    for (int64_t k = first; k < d->kind_count; k++)
        for (int64_t i = 0; i < d->kinds[k].width &&
                            same_weight(&d->kinds[first], &d->kinds[k]);
             i++)
            list[used++] = d->kinds[k].functions[i];
    kind joined = {.weight = d->kinds[first].weight};
    const int64_t width = unique(list, all);
    if (width * width < cells && own_functions(r, &joined, list, width)) {
        int64_t kept = 0;
        for (int64_t k = 0; k < d->kind_count; k++) {
            const bool goes = k > first && same_weight(&joined, &d->kinds[k]);
            if (goes || k == first)
                sfi_free(r->ctx, d->kinds[k].functions,
                         (size_t)d->kinds[k].width + 1, sizeof *list);
            for (int64_t j = 0; j < d->score.elements; j++)
                if (d->kind_of[j] == k)
                    d->kind_of[j] = goes ? first : kept;
            if (!goes)
                d->kinds[kept++] = k == first ? joined : d->kinds[k];
        }
        d->kind_count = kept;
    }
    sfi_free(r->ctx, list, (size_t)all + 1, sizeof *list);
}

/* Functions of an element's terms become columns of a kind. */
static void number_columns(sfi_design_form *f, int64_t j, const kind *k)
{
    {
        for (int64_t i = f->start[j]; i < f->start[j + 1]; i++) {
            const int32_t *at =
                bsearch(&f->terms[i].function, k->functions, (size_t)k->width,
                        sizeof *k->functions, by_value);
            f->terms[i].function = (int32_t)(at - k->functions);
        }
    }
}

/* ---- programs --------------------------------------------------------------------- */

/* `count` elements of one node, in steps of 0 or 1, or ones. */
static sf_node piece(sf_graph *g, int64_t element, int64_t count, int64_t step)
{
    if (element < 0)
        return sf_broadcast(g, sf_const(g, 1.0), 1, &count);
    const sf_node n = {(int32_t)(element >> 32)};
    const int64_t all = sf_node_count(g, n), first = element & 0xffffffff;
    const sf_node flat = sf_reshape(g, n, 1, &all);
    if (step == 0 || count == 1) {
        const sf_node one = sf_slice(g, flat, 0, first, 1, 1);
        return sf_broadcast(g, one, 1, &count);
    }
    return sf_slice(g, flat, 0, first, count, 1);
}

/* The factors number `which` of all functions of a kind, as a vector. */
static sf_node gather(sfi_reader *r, const kind *k, int which)
{
    sf_node *parts = sfi_alloc(r->ctx, (size_t)k->width, sizeof *parts);
    if (parts == NULL) {
        r->memory = false;
        return sfi_graph_fail(r->g, SF_E_NOMEM, "out of memory");
    }
    int count = 0;
    for (int64_t i = 0; i < k->width;) {
        const sfi_product *p = &r->functions[k->functions[i]];
        const int64_t element = which < p->count ? p->of[which] : -1;
        int64_t step = -1, length = 1;
        for (; i + length < k->width; length++) {
            const sfi_product *q = &r->functions[k->functions[i + length]];
            const int64_t next = which < q->count ? q->of[which] : -1;
            if (step != 1 && next == element)
                step = 0;
            else if (step != 0 && element >= 0 && next == element + length &&
                     next >> 32 == element >> 32)
                step = 1;
            else
                break;
        }
        parts[count++] = piece(r->g, element, length, step);
        i += length;
    }
    const sf_node all =
        count == 1 ? parts[0] : sf_concat(r->g, count, parts, 0);
    sfi_free(r->ctx, parts, (size_t)k->width, sizeof *parts);
    return all;
}

static sf_node functions_node(sfi_reader *r, const kind *k)
{
    sf_node functions = gather(r, k, 0);
    int most = 0;
    for (int64_t i = 0; i < k->width; i++)
        if (r->functions[k->functions[i]].count > most)
            most = r->functions[k->functions[i]].count;
    for (int f = 1; f < most; f++)
        functions = sf_mul(r->g, functions, gather(r, k, f));
    return functions;
}

static sf_node products_node(sfi_reader *r, const kind *k)
{
    const sf_node functions = functions_node(r, k);
    sf_node weighted = functions;
    for (int f = 0; f < k->weight.count; f++)
        weighted = sf_mul(
            r->g, sf_reshape(r->g, piece(r->g, k->weight.of[f], 1, 1), 0, NULL),
            weighted);
    return sf_outer(r->g, weighted, functions);
}

static void find_groups(sfi_design *d)
{
    int64_t used = 0;
    for (int64_t i = 0; i < d->kind_count; i++) {
        kind *k = &d->kinds[i];
        const int64_t cells = k->width * k->width;
        if (i == 0 || (used > 0 && used + cells > GROUP)) {
            d->group_count++;
            used = 0;
        }
        used += cells;
        k->group = d->group_count - 1;
        k->offset = d->cells;
        d->cells += cells;
    }
}

static sf_status compile(sfi_reader *r, sfi_design *d)
{
    const size_t kinds = (size_t)d->kind_count;
    find_groups(d);
    d->groups =
        sfi_alloc_zero(r->ctx, (size_t)d->group_count, sizeof *d->groups);
    d->products =
        sfi_alloc_zero(r->ctx, (size_t)d->cells + 1, sizeof *d->products);
    sf_output *outputs = sfi_alloc(r->ctx, kinds, sizeof *outputs);
    sf_status status =
        d->groups != NULL && d->products != NULL && outputs != NULL
            ? SF_OK
            : SF_E_NOMEM;
    for (int group = 0; group < d->group_count && status == SF_OK; group++) {
        int count = 0;
        for (size_t k = 0; k < kinds; k++)
            if (d->kinds[k].group == group && d->kinds[k].width > 0)
                outputs[count++] =
                    (sf_output){products_node(r, &d->kinds[k]), SF_SUM};
        if (count > 0)
            status = sf_program_new(r->ctx, &d->groups[group], r->g, SF_F64,
                                    count, outputs);
    }
    sfi_free(r->ctx, outputs, kinds, sizeof *outputs);
    return status;
}

/* The linear part, whose form has been read. */
static sf_status build_linear(sfi_reader *r, sfi_design *d,
                              const sfi_design_nodes *nodes)
{
    d->linear = r->forms[nodes->linear.id];
    r->forms[nodes->linear.id] = (sfi_design_form){.elements = 0};
    if (d->linear.start == NULL && !sfi_design_begin_form(r, &d->linear, 1))
        return SF_E_NOMEM;
    const int64_t count = d->linear.start[1];
    int32_t *list = sfi_alloc(r->ctx, (size_t)count + 1, sizeof *list);
    if (list == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < count; k++)
        list[k] = d->linear.terms[k].function;
    own_functions(r, &d->functions, list, unique(list, count));
    sfi_free(r->ctx, list, (size_t)count + 1, sizeof *list);
    const size_t width = (size_t)d->functions.width + 1;
    if (r->memory)
        d->means = sfi_alloc_zero(r->ctx, width, sizeof *d->means);
    if (d->means == NULL)
        return SF_E_NOMEM;
    number_columns(&d->linear, 0, &d->functions);
    sf_output outputs[2] = {{nodes->first, SF_SUM}};
    if (width > 1)
        outputs[1] = (sf_output){functions_node(r, &d->functions), SF_SUM};
    SFI_TRY(sf_program_new(r->ctx, &d->sums, r->g, SF_F64, width > 1 ? 2 : 1,
                           outputs));
    d->has_linear = true;
    return SF_OK;
}

static sf_status build(sfi_reader *r, sfi_design *d, sf_node score,
                       const sf_node *weights)
{
    /* A score without numbers has no form: an empty one. */
    d->score = r->forms[score.id];
    r->forms[score.id] = (sfi_design_form){.elements = 0};
    const int64_t dim = sf_node_count(r->g, score);
    if (d->score.start == NULL && !sfi_design_begin_form(r, &d->score, dim))
        return SF_E_NOMEM;
    d->kind_of = sfi_alloc(r->ctx, (size_t)dim, sizeof *d->kind_of);
    d->kinds = sfi_alloc_zero(r->ctx, (size_t)dim, sizeof *d->kinds);
    if (d->kind_of == NULL || d->kinds == NULL)
        return SF_E_NOMEM;
    find_kinds(r, d, weights);
    for (int64_t k = 0; k < d->kind_count && r->memory; k++)
        join_kinds(r, d, k);
    if (!r->memory)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < dim; j++)
        number_columns(&d->score, j, &d->kinds[d->kind_of[j]]);
    return compile(r, d);
}

sf_status sfi_design_new(sf_context *ctx, sfi_design **out, sf_graph *g,
                         const sfi_design_nodes *nodes, int leaf_count,
                         const sfi_design_leaf *leaves, int64_t numbers)
{
    *out = NULL;
    SFI_TRY(sf_graph_status(g));
    const sf_node score = nodes->score, linear = nodes->linear;
    sfi_reader r = {.ctx = ctx, .g = g, .linear = true, .memory = true};
    sfi_design *d = sfi_alloc_zero(ctx, 1, sizeof *d);
    if (d == NULL)
        return SF_E_NOMEM;
    d->ctx = ctx;
    d->numbers = numbers;
    sfi_design_begin_reader(&r, score.id > linear.id ? score.id : linear.id,
                            leaf_count, leaves);
    if (r.memory)
        sfi_design_read_node(&r, score);
    const bool quadratic = r.linear;
    if (r.memory && r.linear)
        sfi_design_read_node(&r, linear);
    sf_status status = r.memory ? sf_graph_status(g) : SF_E_NOMEM;
    if (status == SF_OK && r.linear)
        status = build_linear(&r, d, nodes);
    r.linear = quadratic;
    if (status == SF_OK && r.linear)
        status = build(&r, d, score, nodes->weighted ? &nodes->weights : NULL);
    if (status == SF_OK && r.linear)
        *out = d;
    else
        sfi_design_free(d);
    sfi_design_free_reader(&r);
    return status;
}

void sfi_design_free(sfi_design *d)
{
    if (d == NULL)
        return;
    sf_context *ctx = d->ctx;
    const size_t dim = (size_t)d->score.elements;
    for (int64_t k = 0; k < d->kind_count && d->kinds != NULL; k++)
        sfi_free(ctx, d->kinds[k].functions, (size_t)d->kinds[k].width + 1,
                 sizeof *d->kinds[k].functions);
    for (int k = 0; k < d->group_count && d->groups != NULL; k++)
        sf_program_free(d->groups[k]);
    sfi_free(ctx, d->groups, (size_t)d->group_count, sizeof *d->groups);
    sfi_free(ctx, d->products, (size_t)d->cells + 1, sizeof *d->products);
    sfi_free(ctx, d->kinds, dim, sizeof *d->kinds);
    sfi_free(ctx, d->kind_of, dim, sizeof *d->kind_of);
    sfi_design_free_form(ctx, &d->score);
    sfi_design_free_form(ctx, &d->linear);
    const size_t width = (size_t)d->functions.width + 1;
    sfi_free(ctx, d->functions.functions, width,
             sizeof *d->functions.functions);
    sfi_free(ctx, d->means, width, sizeof *d->means);
    sf_program_free(d->sums);
    sfi_free(ctx, d, 1, sizeof *d);
}

/* ---- taking, and what is asked ------------------------------------------------------ */

sf_status sfi_design_take(sfi_design *d, int64_t points, const sf_source *rows,
                          const void *const *params)
{
    const size_t kinds = (size_t)d->kind_count;
    sf_sink *sinks = sfi_alloc(d->ctx, kinds, sizeof *sinks);
    sf_status status = sinks != NULL ? SF_OK : SF_E_NOMEM;
    for (int group = 0; group < d->group_count && status == SF_OK; group++) {
        int count = 0;
        for (size_t k = 0; k < kinds; k++)
            if (d->kinds[k].group == group && d->kinds[k].width > 0)
                sinks[count++] =
                    (sf_sink){d->products + d->kinds[k].offset, SF_F64, 0};
        if (d->groups[group] != NULL)
            status =
                sf_program_run(d->groups[group], points, rows, params, sinks);
    }
    sfi_free(d->ctx, sinks, kinds, sizeof *sinks);
    for (size_t k = 0; k < kinds; k++)
        for (int64_t i = 0; i < d->kinds[k].width * d->kinds[k].width; i++)
            d->products[d->kinds[k].offset + i] *=
                d->kinds[k].weight.factor / (double)points;
    if (status == SF_OK && d->has_linear) {
        const sf_sink sums[] = {{&d->first, SF_F64, 0}, {d->means, SF_F64, 0}};
        status = sf_program_run(d->sums, points, rows, params, sums);
        d->first /= (double)points;
        for (int64_t k = 0; k < d->functions.width; k++)
            d->means[k] /= (double)points;
    }
    return status;
}

int64_t sfi_design_cells(const sfi_design *d)
{
    return d->cells;
}

void sfi_design_hessian(const sfi_design *d, double *h)
{
    const int64_t n = d->numbers;
    memset(h, 0, (size_t)(n * n) * sizeof *h);
    for (int64_t j = 0; j < d->score.elements; j++) {
        const kind *k = &d->kinds[d->kind_of[j]];
        const sfi_design_term *first = d->score.terms + d->score.start[j];
        const int64_t count = d->score.start[j + 1] - d->score.start[j];
        for (int64_t a = 0; a < count; a++) {
            const double *row =
                d->products + k->offset + first[a].function * k->width;
            double *to = h + first[a].number * n;
            for (int64_t b = 0; b < count; b++)
                to[first[b].number] +=
                    first[a].factor * first[b].factor * row[first[b].function];
        }
    }
}

bool sfi_design_first(const sfi_design *d, double *value, double *b)
{
    if (!d->has_linear)
        return false;
    *value = d->first;
    memset(b, 0, (size_t)d->numbers * sizeof *b);
    for (int64_t k = 0; k < d->linear.start[1]; k++) {
        const sfi_design_term *t = &d->linear.terms[k];
        b[t->number] += t->factor * d->means[t->function];
    }
    return true;
}

int64_t sfi_design_blocks(const sfi_design *d)
{
    return d->score.elements;
}

int64_t sfi_design_block_size(const sfi_design *d, int64_t j)
{
    const sfi_design_form *f = &d->score;
    int64_t size = 0;
    for (int64_t k = f->start[j]; k < f->start[j + 1]; k++)
        size +=
            k == f->start[j] || f->terms[k].number != f->terms[k - 1].number;
    return size;
}

void sfi_design_block(const sfi_design *d, int64_t j, int64_t *numbers,
                      double *block)
{
    const sfi_design_form *f = &d->score;
    const kind *of = &d->kinds[d->kind_of[j]];
    const int64_t size = sfi_design_block_size(d, j);
    memset(block, 0, (size_t)(size * size) * sizeof *block);
    for (int64_t a = f->start[j], row = -1; a < f->start[j + 1]; a++) {
        const sfi_design_term *ta = &f->terms[a];
        if (row < 0 || numbers[row] != ta->number)
            numbers[++row] = ta->number;
        const double *products =
            d->products + of->offset + ta->function * of->width;
        for (int64_t b = f->start[j], col = -1; b < f->start[j + 1]; b++) {
            const sfi_design_term *tb = &f->terms[b];
            col += b == f->start[j] || tb->number != tb[-1].number;
            block[row * size + col] +=
                ta->factor * tb->factor * products[tb->function];
        }
    }
}
