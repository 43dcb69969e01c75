/* SPDX-License-Identifier: Apache-2.0 */
/* matching_graph.c - the objective of one row, as nodes and as programs.
 *
 * In the chart y of the domain the objective is div S + |S|^2 / 2, S being the score
 * of y.  With weights h it is div (h s) + h s.s / 2 in x itself; the two are the same
 * for h = (dx/dy)^2, up to a constant. */
#include "fit/matching.h"

#include "graph/graph.h"

#include <math.h>
#include <string.h>

/* ---- nodes ------------------------------------------------------------------------ */

/* A symmetric matrix of its lower triangle [n (n + 1) / 2]: L + L^T - diag L, L being
 * joined of its rows. */
static sf_node mirrored(const sfi_match *m, sf_graph *g, sf_node triangle,
                        int64_t n)
{
    sf_node *rows = sfi_alloc(m->ctx, (size_t)n, sizeof *rows);
    if (rows == NULL)
        return sfi_graph_fail(g, SF_E_NOMEM, "out of memory");
    const int64_t row[] = {1, n};
    for (int64_t i = 0; i < n; i++) {
        const sf_node part =
            sf_slice(g, triangle, 0, i * (i + 1) / 2, i + 1, 1);
        rows[i] = sf_reshape(g, sf_pad(g, part, 0, 0, 1, n), 2, row);
    }
    const sf_node lower = sf_concat(g, (int)n, rows, 0);
    sfi_free(m->ctx, rows, (size_t)n, sizeof *rows);
    const sf_node diagonal = sf_mul(g, lower, sf_eye(g, n));
    return sf_sub(g, sf_add(g, lower, sf_transpose(g, lower)), diagonal);
}

/* The density's parameters, the free ones made of `numbers`. */
static void replace_free(const sfi_match *m, sf_graph *g, sf_node numbers,
                         sf_node *parameters)
{
    for (int k = 0; k < m->free_count; k++) {
        const sfi_free_parameter *f = &m->free[k];
        const sfi_density_parameter *p = &m->density->parameters[f->index];
        const sf_node own =
            sf_slice(g, numbers, 0, f->form.first, f->form.count, 1);
        parameters[f->index] = f->symmetric
                                   ? mirrored(m, g, own, p->shape[0])
                                   : sf_reshape(g, own, p->rank, p->shape);
    }
}

/* The weights h of x [dim]: 1 where there are no bounds. */
static sf_status weights(const sfi_match *m, sf_graph *g, sf_node x,
                         sf_node *out)
{
    const sfi_domain *d = &m->density->domain;
    const int64_t one = 1;
    sf_node all = {-1};
    for (int64_t i = 0; i < d->dim; i++) {
        const sfi_region *r = d->regions;
        while (d->place[i] >= r->first + r->count)
            r++;
        const sf_node value = sf_component(g, x, i);
        const sf_node up = sf_sub(g, value, sf_const(g, r->lo));
        const sf_node down = sf_sub(g, sf_const(g, r->hi), value);
        sf_node h = sf_const(g, 1.0);
        if (r->form == SFI_ABOVE || r->form == SFI_BELOW ||
            r->form == SFI_BETWEEN) {
            const sf_node distance = r->form == SFI_ABOVE ? up
                                     : r->form == SFI_BELOW
                                         ? down
                                         : sf_min(g, up, down);
            const sf_symbol symbol = {"d", distance};
            SFI_TRY(sf_parse(g, m->weight, 1, &symbol, &h));
            if (sf_node_count(g, h) != 1)
                return SFI_FAIL(m->ctx, SF_E_SHAPE,
                                "fit: the weight is not one number");
        }
        const sf_node part = sf_reshape(g, h, 1, &one);
        all = all.id < 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
    }
    *out = all;
    return sf_graph_status(g);
}

/* Directions of one row, K times as many numbers 1 or -1 as the row has; the variance
 * of v' A v is then that of the elements beside the diagonal alone.  (Normal ones add
 * 2 A_ii^2 for each.)  Without slices there are none. */
static sf_node directions_of(const sfi_match *m, sf_graph *g, int64_t n)
{
    const int64_t all = m->slices * n;
    if (all == 0)
        return (sf_node){-1};
    const sf_node u = sf_input(g, "uniform", 1, &all);
    const sf_node up = sf_less(g, sf_const(g, 0.5), u);
    return sf_sub(g, sf_mul(g, sf_const(g, 2.0), up), sf_const(g, 1.0));
}

/* div y, or the mean of v' (dy/dx) v over the row's directions: Y. Song, S. Garg,
 * J. Shi, S. Ermon, UAI 2019, PMLR 115, 574-584, section 3.2. */
static sf_node divergence(const sfi_match *m, sf_graph *g, sf_node y,
                          sf_node row, sf_node directions)
{
    const int64_t n = sf_node_count(g, row);
    if (m->slices == 0)
        return sf_divergence(g, y, row);
    sf_node sum = sf_const(g, 0.0);
    for (int64_t k = 0; k < m->slices; k++) {
        const sf_node v = sf_slice(g, directions, 0, k * n, n, 1);
        sum = sf_add(g, sum, sf_dot(g, v, sf_jvp(g, y, row, v)));
    }
    return sf_mul(g, sf_const(g, 1.0 / (double)m->slices), sum);
}

/* The objective of one row, the score s and its weights h (without: 1). */
typedef struct sides {
    sf_node j, s, h, divergence; /* that of h s */
    bool weighted;
} sides;

/* Of one row, the density's parameters being given. */
static sf_status objective(const sfi_match *m, sf_graph *g, sf_node row,
                           sf_node directions, const sf_node *parameters,
                           sides *out)
{
    const sf_node half = sf_const(g, 0.5);
    sf_node logp, volume, hs;
    out->weighted = m->weight != NULL;
    if (out->weighted) {
        SFI_TRY(sfi_density_node(m->density, g, row, parameters, &logp));
        SFI_TRY(weights(m, g, row, &out->h));
        out->s = sf_gradient(g, logp, row);
        hs = sf_mul(g, out->h, out->s);
    } else {
        const sf_node x = sfi_domain_node(&m->density->domain, g, row, &volume);
        SFI_TRY(sfi_density_node(m->density, g, x, parameters, &logp));
        out->s = hs = sf_gradient(g, sf_add(g, logp, volume), row);
    }
    out->divergence = divergence(m, g, hs, row, directions);
    out->j = sf_add(g, out->divergence, sf_mul(g, half, sf_dot(g, hs, out->s)));
    return sf_graph_status(g);
}

/* ---- programs --------------------------------------------------------------------- */

static sf_status program(const sfi_match *m, sf_program **out, sf_graph *g,
                         sf_reduce reduce, int count, const sf_node *nodes)
{
    sf_output *outputs = sfi_alloc(m->ctx, (size_t)count, sizeof *outputs);
    if (outputs == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < count; k++)
        outputs[k] = (sf_output){nodes[k], reduce};
    const sf_status status =
        sf_program_new(m->ctx, out, g, SF_F64, count, outputs);
    sfi_free(m->ctx, outputs, (size_t)count, sizeof *outputs);
    return status;
}

/* By the free parameters themselves, whose symmetry is left to sfi_match_fold(): sums
 * over rows of products of vectors are then products of matrices. */
static sf_status compile_value(sfi_match *m, sf_graph *g, const sides *o,
                               const sides *first, const sf_node *parameters)
{
    sf_node hs = o->s;
    const size_t count = (size_t)m->free_count;
    const sf_node one = sf_const(g, 1.0);
    sf_node *nodes = sfi_alloc(m->ctx, 2 * count + 1, sizeof *nodes);
    sfi_design_leaf *leaves = sfi_alloc(m->ctx, count, sizeof *leaves);
    sf_status status = nodes != NULL && leaves != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK) {
        sf_node *leaf = nodes + count + 1;
        const int64_t *number = m->number;
        nodes[0] = o->j;
        for (size_t k = 0; k < count; k++) {
            const int index = m->free[k].index;
            leaf[k] = parameters[index];
            leaves[k] = (sfi_design_leaf){leaf[k], number};
            number += m->density->parameters[index].count;
        }
        sf_vjp(g, o->j, one, (int)count, leaf, nodes + 1);
        status = sf_graph_status(g);
    }
    if (o->weighted)
        hs = sf_mul(g, o->h, o->s);
    const sfi_design_nodes design = {
        o->s, o->h, o->weighted,
        sf_add(g, o->divergence, sf_dot(g, hs, first->s)), first->j};
    if (status == SF_OK)
        status = sfi_design_new(m->ctx, &m->design, g, &design, (int)count,
                                leaves, m->count);
    if (status == SF_OK)
        status = program(m, &m->value, g, SF_SUM, (int)count + 1, nodes);
    if (status == SF_OK)
        status = program(m, &m->each, g, SF_EACH, (int)count, nodes + 1);
    sfi_free(m->ctx, leaves, count, sizeof *leaves);
    sfi_free(m->ctx, nodes, 2 * count + 1, sizeof *nodes);
    return status;
}

static sf_status compile_hessian(sfi_match *m, sf_graph *g, sf_node numbers,
                                 sf_node j)
{
    const sf_node slope = sf_gradient(g, j, numbers);
    const sf_node hessian = sf_jacobian(g, slope, numbers);
    /* A quadratic's Hessian does not hold the numbers; if a derivative of it is
     * nought, the graph knows.  The direction keeps its elements apart. */
    const int64_t n = m->count, shape[] = {n, n};
    const sf_node apart = sf_param(g, "apart", 2, shape);
    const sf_node third = sf_gradient(g, sf_dot(g, hessian, apart), numbers);
    double constant = NAN;
    SFI_TRY(sf_graph_status(g));
    m->quadratic = sfi_is_const(g, third, &constant) && constant == 0.0;
    return program(m, &m->hessian, g, SF_SUM, 1, &hessian);
}

static sf_status compile_line(sfi_match *m, sf_graph *g, sf_node line,
                              sf_node direction, sf_node j)
{
    const sf_node slope = sf_gradient(g, j, line);
    const sf_node product = sf_gradient(g, sf_dot(g, slope, direction), line);
    const sf_node value[] = {j, slope};
    SFI_TRY(program(m, &m->line, g, SF_SUM, 2, value));
    return program(m, &m->product, g, SF_SUM, 1, &product);
}

typedef enum which { BY_ELEMENTS, BY_NUMBERS, ON_LINE } which;

/* The objective where the free parameters are 0. */
static sf_status objective_at_zero(sfi_match *m, sf_graph *g, sf_node row,
                                   sf_node directions,
                                   const sf_node *parameters, sides *out)
{
    const size_t all = (size_t)m->density->parameter_count;
    sf_node *zeros = sfi_alloc(m->ctx, all, sizeof *zeros);
    if (zeros == NULL)
        return SF_E_NOMEM;
    memcpy(zeros, parameters, all * sizeof *zeros);
    for (int k = 0; k < m->free_count; k++) {
        const sfi_density_parameter *p =
            &m->density->parameters[m->free[k].index];
        zeros[m->free[k].index] =
            sf_broadcast(g, sf_const(g, 0.0), p->rank, p->shape);
    }
    const sf_status status = objective(m, g, row, directions, zeros, out);
    sfi_free(m->ctx, zeros, all, sizeof *zeros);
    return status;
}

/* All have the same inputs and parameters: a row, and its directions if there are
 * slices; the numbers, a direction, and the density's parameters. */
static sf_status compile(sfi_match *m, which w)
{
    const size_t all = (size_t)m->density->parameter_count;
    sf_node *parameters = sfi_alloc(m->ctx, all, sizeof *parameters);
    if (parameters == NULL)
        return SF_E_NOMEM;
    sf_graph *g = NULL;
    sf_status status = sf_graph_new(m->ctx, &g);
    if (status == SF_OK) {
        const int64_t n =
            m->weight != NULL ? m->density->dim : m->density->domain.unknowns;
        const sf_node row = sf_input(g, "row", 1, &n);
        const sf_node directions = directions_of(m, g, n);
        const sf_node numbers = sf_param(g, "numbers", 1, &m->count);
        const sf_node direction = sf_param(g, "direction", 1, &m->count);
        sf_node volume, values = numbers;
        sides o = {.weighted = false}, first = o;
        status = sfi_density_parameters(m->density, g, parameters);
        if (w == ON_LINE)
            values = sfi_domain_node(&m->forms, g, numbers, &volume);
        if (w != BY_ELEMENTS)
            replace_free(m, g, values, parameters);
        if (status == SF_OK)
            status = objective(m, g, row, directions, parameters, &o);
        if (status == SF_OK && w == BY_ELEMENTS)
            status =
                objective_at_zero(m, g, row, directions, parameters, &first);
        if (status == SF_OK)
            status =
                w == BY_ELEMENTS  ? compile_value(m, g, &o, &first, parameters)
                : w == BY_NUMBERS ? compile_hessian(m, g, numbers, o.j)
                                  : compile_line(m, g, numbers, direction, o.j);
    }
    sf_graph_free(g);
    sfi_free(m->ctx, parameters, all, sizeof *parameters);
    return status;
}

static bool has_bounds(const sfi_domain *d)
{
    for (int64_t k = 0; k < d->count; k++)
        if (d->regions[k].form != SFI_REAL && d->regions[k].form != SFI_CIRCLE)
            return true;
    return false;
}

sf_status sfi_match_compile(sfi_match *m)
{
    if (m->weight != NULL && !has_bounds(&m->density->domain))
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "fit: a weight is about numbers with bounds, and the "
                        "domain has none");
    if (m->weight != NULL)
        for (int64_t k = 0; k < m->density->domain.count; k++)
            if (m->density->domain.regions[k].form == SFI_SIMPLEX)
                return SFI_FAIL(m->ctx, SF_E_ARG,
                                "fit: shares have the weights of their chart, "
                                "no others");
    SFI_TRY(compile(m, BY_ELEMENTS));
    m->quadratic = m->design != NULL;
    return m->quadratic ? SF_OK : sfi_match_compile_hessian(m);
}

sf_status sfi_match_compile_hessian(sfi_match *m)
{
    return compile(m, BY_NUMBERS);
}

sf_status sfi_match_compile_line(sfi_match *m)
{
    return m->line != NULL ? SF_OK : compile(m, ON_LINE);
}
