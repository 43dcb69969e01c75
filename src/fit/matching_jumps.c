/* SPDX-License-Identifier: Apache-2.0 */
/* matching_jumps.c - densities for which score matching is wrong.
 *
 * Its objective comes from an integration by parts, E s.psi = -E div psi for the law's
 * score s and the density's psi, which holds where psi is continuous.  Where it jumps,
 * as that of -|x| does, a term for each jump is missing, and the estimate is wrong
 * without a sign of it.  (A. Hyvarinen, JMLR 6 (2005) 695-709, asks for derivatives.)
 *
 * Whether an expression can jump is seen from its operations.  Whether it does, as
 * where(x > 0, x^2, 2 x^2) does not, is found on straight lines between rows: each is
 * cut in panels, and each panel halved again and again, to the half across which the
 * score changes more.  What is continuous changes by nothing in the end. */
#include "fit/matching.h"

#include "base/random.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

enum { LINES = 16, CUTS = 16, HALVINGS = 40 };

/* Changes below these are none: of a score, in units of its root mean square, and of
 * a log density.  Scores that are so much larger are near a pole, which is not looked
 * into. */
static const double small = 1e-3, pole = 1e4;

/* ---- what can jump ----------------------------------------------------------------- */

static bool may_jump(sfi_op op)
{
    switch (op) {
    case SFI_OP_ABS:
    case SFI_OP_SIGN:
    case SFI_OP_FLOOR:
    case SFI_OP_MIN:
    case SFI_OP_MAX:
    case SFI_OP_LESS:
    case SFI_OP_LESS_EQUAL:
    case SFI_OP_EQUAL:
    case SFI_OP_SELECT:
    case SFI_OP_SQRT: /* of a square */
    case SFI_OP_ACOS: /* of a cosine */
    case SFI_OP_ASIN:
    case SFI_OP_POW:
    case SFI_OP_ATAN2:
    case SFI_OP_MOD:
        return true;
    default:
        return false;
    }
}

static sf_status look_for_kinks(const sfi_match *m, sf_graph *g, bool *found)
{
    const sfi_density *d = m->density;
    const size_t all = (size_t)d->parameter_count;
    sf_node *parameters = sfi_alloc(m->ctx, all, sizeof *parameters), logp;
    if (parameters == NULL)
        return SF_E_NOMEM;
    const sf_node x = sf_input(g, "x", 1, &d->dim);
    sf_status status = sfi_density_parameters(d, g, parameters);
    if (status == SF_OK)
        status = sfi_density_node(d, g, x, parameters, &logp);
    for (size_t k = 0; k < g->node_count && status == SF_OK; k++)
        *found |= g->nodes[k].varies && may_jump(g->nodes[k].op);
    sfi_free(m->ctx, parameters, all, sizeof *parameters);
    return status;
}

/* ---- panels ------------------------------------------------------------------------ */

/* Points, and what the density says of them. */
typedef struct points {
    double *x, *score; /* [count, dim] */
    double *logp;      /* [count]      */
} points;

typedef struct panels {
    sf_evaluator *evaluator;
    int64_t count, dim;
    points from, to, middle;
    double *half; /* [count] changes after half of the halvings  */
    double scale; /* root mean square of the scores at the ends  */
    int64_t row[LINES][2];
} panels;

static sf_status ask(const panels *p, points *at)
{
    const int64_t d = p->dim;
    const sf_model_values values = {.score = {at->score, p->count, d, d},
                                    .logpdf = {at->logp, p->count, 1, 1}};
    sfi_evaluator_count count;
    return sfi_evaluator_rows(p->evaluator, (sf_cmat){at->x, p->count, d, d},
                              0.0, &values, &count);
}

/* The rows where a line ends: of the first half of the lines, those with the least and
 * the greatest number of a column, between which is whatever happens at one of its
 * values; of the others, any. */
static int64_t end_row(sf_cmat x, int64_t line, int end, uint64_t seed)
{
    if (line >= LINES / 2 || line >= x.cols) {
        const sfi_where where = {seed, (uint64_t)line, 0, SFI_STREAM_PROBE};
        return (int64_t)((double)x.rows * sfi_uniform_at(where, (uint32_t)end));
    }
    int64_t found = 0;
    for (int64_t i = 1; i < x.rows; i++) {
        const double more =
            x.data[i * x.stride + line] - x.data[found * x.stride + line];
        if (end == 0 ? more < 0.0 : more > 0.0)
            found = i;
    }
    return found;
}

/* The ends of all panels; those without a score are looked at no more. */
static sf_status cut(panels *p, sf_cmat x, uint64_t seed)
{
    for (int64_t k = 0; k < p->count; k++) {
        const int64_t line = k / CUTS;
        const double a = (double)(k % CUTS) / CUTS;
        const double b = (double)(k % CUTS + 1) / CUTS;
        for (int end = 0; end < 2 && k % CUTS == 0; end++)
            p->row[line][end] = end_row(x, line, end, seed);
        const double *first = x.data + p->row[line][0] * x.stride;
        const double *last = x.data + p->row[line][1] * x.stride;
        for (int64_t j = 0; j < p->dim; j++) {
            p->from.x[k * p->dim + j] = first[j] + a * (last[j] - first[j]);
            p->to.x[k * p->dim + j] = first[j] + b * (last[j] - first[j]);
        }
    }
    SFI_TRY(ask(p, &p->from));
    SFI_TRY(ask(p, &p->to));
    double sum = 0.0, count = 0.0;
    for (int64_t k = 0; k < p->count; k++) {
        double square = 0.0;
        for (int64_t j = 0; j < p->dim; j++)
            square +=
                p->from.score[k * p->dim + j] * p->from.score[k * p->dim + j];
        sum += isfinite(square) ? square : 0.0;
        count += isfinite(square);
    }
    p->scale = count > 0.0 ? sqrt(sum / count) : 0.0;
    return SF_OK;
}

/* How much the score changes; or how much more the log density does than its score
 * tells. */
static double change(const panels *p, const points *a, const points *b,
                     int64_t k, bool of_score)
{
    const int64_t first = k * p->dim;
    double square = 0.0, told = 0.0;
    for (int64_t j = first; j < first + p->dim; j++) {
        const double difference = b->score[j] - a->score[j];
        square += difference * difference;
        told += 0.5 * (a->score[j] + b->score[j]) * (b->x[j] - a->x[j]);
    }
    return of_score ? sqrt(square) : fabs(b->logp[k] - a->logp[k] - told);
}

static void take(points *to, const points *from, int64_t k, int64_t dim)
{
    const size_t bytes = (size_t)dim * sizeof *to->x;
    memcpy(to->x + k * dim, from->x + k * dim, bytes);
    memcpy(to->score + k * dim, from->score + k * dim, bytes);
    to->logp[k] = from->logp[k];
}

/* NaN is no larger than anything, so a panel with one shrinks to its end. */
static sf_status halve(panels *p, bool of_score)
{
    for (int64_t i = 0; i < p->count * p->dim; i++)
        p->middle.x[i] = 0.5 * (p->from.x[i] + p->to.x[i]);
    SFI_TRY(ask(p, &p->middle));
    for (int64_t k = 0; k < p->count; k++) {
        const bool first = change(p, &p->from, &p->middle, k, of_score) >
                           change(p, &p->middle, &p->to, k, of_score);
        take(first ? &p->to : &p->from, &p->middle, k, p->dim);
    }
    return SF_OK;
}

static bool near_pole(const panels *p, const points *at, int64_t k)
{
    double square = 0.0;
    for (int64_t j = k * p->dim; j < (k + 1) * p->dim; j++)
        square += at->score[j] * at->score[j];
    return !(sqrt(square) <= pole * p->scale);
}

/* The panel with the largest jump, or -1.  What is continuous but steep, as |x|^0.1,
 * goes on shrinking. */
static int64_t find(const panels *p, bool of_score)
{
    double most = of_score ? small * p->scale : small;
    int64_t found = -1;
    for (int64_t k = 0; k < p->count; k++) {
        const double jump = change(p, &p->from, &p->to, k, of_score);
        if (!(jump > most) || !(jump > 0.9 * p->half[k]) ||
            near_pole(p, &p->from, k) || near_pole(p, &p->to, k))
            continue;
        most = jump;
        found = k;
    }
    return found;
}

static sf_status tell(const sfi_match *m, const panels *p, int64_t k,
                      bool of_score)
{
    const int64_t *row = p->row[k / CUTS];
    const double *a = p->from.score + k * p->dim, *b = p->to.score + k * p->dim;
    int64_t most = 0;
    for (int64_t j = 1; j < p->dim; j++)
        if (fabs(b[j] - a[j]) > fabs(b[most] - a[most]))
            most = j;
    return SFI_FAIL(
        m->ctx, SF_E_NUMERIC,
        "fit: the log density%s jumps from %.4g to %.4g between rows %lld and "
        "%lld, at \"%s\" = %.6g, which score matching takes no account of; "
        "want a smooth one%s",
        of_score ? "'s derivative" : "", of_score ? a[most] : p->from.logp[k],
        of_score ? b[most] : p->to.logp[k], (long long)row[0] + 1,
        (long long)row[1] + 1, m->density->names[most],
        p->from.x[k * p->dim + most],
        of_score ? ": sqrt(z^2 + 0.01) and not abs(z)" : "");
}

static sf_status search(const sfi_match *m, panels *p, sf_cmat x, uint64_t seed)
{
    for (int of_score = 1; of_score >= 0; of_score--) {
        SFI_TRY(cut(p, x, seed));
        for (int k = 0; k < HALVINGS; k++) {
            SFI_TRY(halve(p, of_score == 1));
            for (int64_t i = 0; i < p->count && k == HALVINGS / 2; i++)
                p->half[i] = change(p, &p->from, &p->to, i, of_score == 1);
        }
        const int64_t found = find(p, of_score == 1);
        if (found >= 0)
            return tell(m, p, found, of_score == 1);
    }
    return SF_OK;
}

/* At the parameters' values as they are now. */
static sf_status search_at(const sfi_match *m, panels *p, sf_cmat x,
                           uint64_t seed)
{
    SFI_TRY(sf_evaluator_new(m->ctx, &p->evaluator, m->model,
                             SF_WANT_SCORE | SF_WANT_LOGPDF));
    const sf_status status = search(m, p, x, seed);
    sf_evaluator_free(p->evaluator);
    return status;
}

/* ---- parameters -------------------------------------------------------------------- */

/* At the parameters' values, and at others: first values may be 0, where nothing
 * jumps. */
static sf_status search_twice(sfi_match *m, panels *p, sf_cmat x, uint64_t seed,
                              double *kept, double *numbers, double *y)
{
    char want[SFI_DOMAIN_WANT];
    sfi_match_read(m, kept);
    if (sfi_domain_outside(&m->forms, kept, want) >= 0)
        return SF_OK;
    SFI_TRY(search_at(m, p, x, seed));
    sfi_domain_to_line(&m->forms, kept, y);
    for (int64_t k = 0; k < m->count; k++)
        y[k] += sfi_normal_at((sfi_where){seed, 0, 1, SFI_STREAM_PROBE},
                              (uint32_t)k);
    sfi_domain_from_line(&m->forms, y, numbers);
    sfi_match_write(m, numbers);
    const sf_status status = search_at(m, p, x, seed);
    sfi_match_write(m, kept);
    return status;
}

sf_status sfi_match_check_jumps(sfi_match *m, sf_cmat x, uint64_t seed)
{
    sf_graph *g = NULL;
    bool kinks = false;
    SFI_TRY(sf_graph_new(m->ctx, &g));
    sf_status status = look_for_kinks(m, g, &kinks);
    sf_graph_free(g);
    if (status != SF_OK || !kinks)
        return status;
    panels p = {NULL, LINES * CUTS, m->density->dim, .scale = 0.0};
    const size_t cells = (size_t)(p.count * p.dim), each = (size_t)p.count;
    const size_t all = 3 * (2 * cells + each) + each + 3 * (size_t)m->count;
    double *memory = sfi_alloc(m->ctx, all, sizeof *memory), *at = memory;
    if (memory == NULL)
        return SF_E_NOMEM;
    points *const groups[] = {&p.from, &p.to, &p.middle};
    for (size_t k = 0; k < SFI_COUNT(groups); k++, at += 2 * cells + each)
        *groups[k] = (points){at, at + cells, at + 2 * cells};
    p.half = at;
    at += each;
    status = search_twice(m, &p, x, seed, at, at + m->count, at + 2 * m->count);
    sfi_free(m->ctx, memory, all, sizeof *memory);
    return status;
}
