/* SPDX-License-Identifier: Apache-2.0 */
/* sparse_path.c - sf_match_sparse(): penalties from the largest down, a fit without
 * penalty on each support, and which of them is chosen. */
#include "base/assign.h"
#include "base/text.h"
#include "fit/matching.h"
#include "fit/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REFIT = 3000, MOST_LAMBDAS = 10000, SCALE_ROWS = 2000 };

/* Of the largest penalty: how far optimality conditions may be missed. */
static const double tolerance = 1e-9;

static sf_status check_options(sf_context *ctx, const sf_sparse_options *o)
{
    if (o->sparse == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: no parameter is named");
    if (o->lambda_count < 1 || o->lambda_count > MOST_LAMBDAS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: lambda_count is %lld, want 1 to %d",
                        (long long)o->lambda_count, MOST_LAMBDAS);
    if (!(o->ratio > 0.0 && o->ratio < 1.0))
        return SFI_FAIL(ctx, SF_E_ARG, "fit: ratio is %g, want in (0, 1)",
                        o->ratio);
    if (!(o->gamma >= 0.0 && o->gamma <= 1.0))
        return SFI_FAIL(ctx, SF_E_ARG, "fit: gamma is %g, want in [0, 1]",
                        o->gamma);
    if (o->multiplier != 0.0 && !(o->multiplier >= 1.0 && o->multiplier < 1e6))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "fit: multiplier is %g, want 0 or at least 1",
                        o->multiplier);
    if (!(o->scale >= 0.0 && isfinite(o->scale)))
        return SFI_FAIL(ctx, SF_E_ARG, "fit: scale is %g, want 0 or more",
                        o->scale);
    for (int64_t l = 0; l < o->lambda_count && o->lambdas != NULL; l++)
        if (!(o->lambdas[l] >= 0.0 && isfinite(o->lambdas[l])) ||
            (l > 0 && o->lambdas[l] > o->lambdas[l - 1]))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "fit: lambda %lld is %g, want numbers >= 0 that "
                            "do not ascend",
                            (long long)l, o->lambdas[l]);
    return SF_OK;
}

/* ---- what is penalised ------------------------------------------------------------- */

static void penalise(const sfi_match *m, const sfi_free_parameter *f,
                     bool *penalty)
{
    const sfi_density_parameter *p = &m->density->parameters[f->index];
    const bool square = p->rank == 2 && p->shape[0] == p->shape[1];
    const int64_t across = square ? p->shape[0] : 1;
    const int64_t *number = m->number;
    for (const sfi_free_parameter *g = m->free; g < f; g++)
        number += m->density->parameters[g->index].count;
    for (int64_t e = 0; e < p->count; e++)
        if (!square || e / across != e % across)
            penalty[number[e]] = true;
}

static sf_status read_sparse(const sfi_match *m, const char *text,
                             bool *penalty)
{
    char shown[SFI_SHOW_SIZE];
    while (*text != '\0') {
        const size_t size = strcspn(text, ",");
        const sfi_piece name = sfi_trimmed(text, size);
        int found = -1;
        for (int k = 0; k < m->free_count; k++) {
            const char *known = m->density->parameters[m->free[k].index].name;
            if (strlen(known) == name.size &&
                memcmp(known, name.at, name.size) == 0)
                found = k;
        }
        if (found < 0)
            return SFI_FAIL(m->ctx, SF_E_ARG,
                            "fit: \"%s\" is no parameter that is estimated",
                            sfi_show(shown, name.at, name.size));
        penalise(m, &m->free[found], penalty);
        text += size + (text[size] == ',');
    }
    return SF_OK;
}

/* ---- the path ------------------------------------------------------------------------ */

static double default_multiplier(const sfi_sparse *s, int64_t rows)
{
    if (rows >= s->block_most)
        return 1.0;
    const double a = 6.0 * log((double)s->blocks) / (double)rows;
    return 2.0 - 1.0 / (1.0 + 4.0 * 2.718281828459045 * fmax(a, sqrt(a)));
}

/* ln binomial(p, e). */
static double ln_choices(int64_t p, int64_t e)
{
    return lgamma((double)p + 1.0) - lgamma((double)e + 1.0) -
           lgamma((double)(p - e) + 1.0);
}

/* Of one block. */
static int64_t most_edges(const sfi_sparse *s, const double *t)
{
    int64_t most = 0;
    for (int64_t j = 0; j < s->blocks; j++) {
        int64_t count = 0;
        for (int64_t at = s->first[j]; at < s->first[j + 1]; at++)
            count += s->penalty[s->index[at]] && t[s->index[at]] != 0.0;
        most = count > most ? count : most;
    }
    return most;
}

/* The fit without penalty on the support of row l; the same as the row before has
 * its result. */
static sf_status judge_support(const sfi_sparse *s, sf_sparse_path *out,
                               int64_t l, double constant, double gamma,
                               int64_t *support, double *estimate)
{
    const double rows = (double)out->rows / out->scale;
    const double *t = out->estimates + l * out->numbers;
    int64_t count = 0;
    bool same = l > 0;
    for (int64_t k = 0; k < out->numbers; k++) {
        if (t[k] != 0.0 || !out->penalty[k])
            support[count++] = k;
        same = same && (!out->penalty[k] ||
                        (t[k] != 0.0) == (t[k - out->numbers] != 0.0));
    }
    out->refit[l] = NAN;
    out->criterion[l] = INFINITY;
    if (same) {
        out->refit[l] = out->refit[l - 1];
        out->criterion[l] = out->criterion[l - 1];
        return SF_OK;
    }
    if (count <= MOST_REFIT && 2 * most_edges(s, t) <= out->rows)
        SFI_TRY(sfi_sparse_refit(s, count, support, estimate, &out->refit[l]));
    if (isnan(out->refit[l]))
        return SF_OK;
    const double edges = (double)out->edges[l];
    out->refit[l] += constant;
    out->criterion[l] = 2.0 * rows * out->refit[l] +
                        edges * log((double)out->rows) +
                        2.0 * gamma * ln_choices(out->penalised, out->edges[l]);
    if (out->chosen < 0 || out->criterion[l] < out->criterion[out->chosen]) {
        out->chosen = l;
        memcpy(out->estimate, estimate,
               (size_t)out->numbers * sizeof *estimate);
    }
    return SF_OK;
}

/* Where every penalised number is 0; returns the least penalty for that. */
static double first_point(sfi_sparse *s, double scale)
{
    double most = 0.0;
    if (!sfi_sparse_descend(s, INFINITY, 1e-3 * tolerance * scale))
        return NAN;
    sfi_sparse_slope(s);
    for (int64_t k = 0; k < s->numbers; k++)
        if (s->penalty[k])
            most = fmax(most, fabs(s->slope[k]));
    return most;
}

static int by_size(const void *pa, const void *pb)
{
    const double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* What a number that is 0 gains in 2 n J by being estimated, in the mean: the variance
 * of its slope over its curvature.  The median over the penalised numbers, where they
 * are 0. */
static sf_status find_scale(sfi_match *m, const sfi_sparse *s,
                            sf_sparse_path *out, double *v)
{
    int64_t count = 0;
    SFI_TRY(sfi_match_variances(m, s->estimate, SCALE_ROWS, v));
    for (int64_t k = 0; k < s->numbers; k++)
        if (s->penalty[k] && s->diagonal[k] > 0.0)
            v[count++] = v[k] / s->diagonal[k];
    qsort(v, (size_t)count, sizeof *v, by_size);
    if (count > 0 && isfinite(v[count / 2]) && v[count / 2] > 0.0)
        out->scale = v[count / 2];
    return SF_OK;
}

static sf_status follow(sfi_match *m, sfi_sparse *s, const sf_sparse_options *o,
                        double constant, sf_sparse_path *out, int64_t *support,
                        double *work)
{
    const double begun = sfi_clock();
    double scale = 0.0;
    for (int64_t k = 0; k < s->numbers; k++)
        scale = fmax(scale, fabs(s->b[k]));
    if (scale == 0.0)
        scale = 1.0;
    const double multiplier = s->multiplier;
    out->scale = o->scale != 0.0 ? o->scale : 1.0;
    s->multiplier = 1.0;
    if (o->scale == 0.0 && !isnan(first_point(s, scale)))
        SFI_TRY(find_scale(m, s, out, work));
    s->multiplier = multiplier;
    sfi_sparse_slope(s);
    const double most = first_point(s, scale);
    if (isnan(most))
        return SFI_FAIL(s->ctx, SF_E_NUMERIC,
                        "fit: the rows do not tell the parameters without "
                        "penalty apart, or the objective is unbounded");
    const double level = tolerance * fmax(most, 1e-3 * scale);
    const int64_t n = out->numbers;
    for (int64_t l = 0; l < out->asked; l++) {
        const double part =
            out->asked > 1 ? (double)l / (double)(out->asked - 1) : 0.0;
        const double lambda =
            o->lambdas != NULL ? o->lambdas[l] : most * pow(o->ratio, part);
        const bool begins = o->lambdas == NULL && l == 0;
        if (!begins && !sfi_sparse_descend(s, lambda, 0.1 * level))
            break;
        sfi_sparse_slope(s);
        out->lambdas[l] = lambda;
        out->violation[l] =
            sfi_sparse_violation(s, lambda) / fmax(most, 1e-3 * scale);
        out->objective[l] = constant + sfi_sparse_value(s);
        out->edges[l] = 0;
        for (int64_t k = 0; k < n; k++)
            out->edges[l] += s->penalty[k] && s->estimate[k] != 0.0;
        memcpy(out->estimates + l * n, s->estimate, (size_t)n * sizeof *work);
        out->count = l + 1;
        SFI_TRY(judge_support(s, out, l, constant, o->gamma, support, work));
        const sf_progress progress = {.stage = "fit",
                                      .step = l + 1,
                                      .steps = out->asked,
                                      .loss = NAN,
                                      .held_out = NAN,
                                      .seconds = sfi_clock() - begun};
        if (!sfi_progress(s->ctx, &progress, false))
            return SFI_FAIL(s->ctx, SF_E_CANCELLED, "fit: stopped");
    }
    return out->chosen >= 0
               ? SF_OK
               : SFI_FAIL(s->ctx, SF_E_NUMERIC,
                          "fit: no support on the path tells its numbers "
                          "apart; want more rows, or fewer parameters");
}

/* ---- all of it ------------------------------------------------------------------------ */

static sf_status allocate(const sfi_match *m, sf_sparse_path *out,
                          int64_t asked)
{
    sf_context *ctx = m->ctx;
    const size_t n = (size_t)m->count, l = (size_t)asked;
    out->numbers = m->count;
    out->rows = m->x.rows;
    out->asked = asked;
    out->chosen = -1;
    out->names = sfi_alloc_zero(ctx, n, sizeof *out->names);
    out->penalty = sfi_alloc_zero(ctx, n, sizeof *out->penalty);
    out->estimate = sfi_alloc_zero(ctx, n, sizeof *out->estimate);
    out->estimates = sfi_alloc_zero(ctx, n * l, sizeof *out->estimates);
    out->lambdas = sfi_alloc_zero(ctx, l, sizeof *out->lambdas);
    out->edges = sfi_alloc_zero(ctx, l, sizeof *out->edges);
    out->objective = sfi_alloc_zero(ctx, l, sizeof *out->objective);
    out->violation = sfi_alloc_zero(ctx, l, sizeof *out->violation);
    out->refit = sfi_alloc_zero(ctx, l, sizeof *out->refit);
    out->criterion = sfi_alloc_zero(ctx, l, sizeof *out->criterion);
    if (out->names == NULL || out->penalty == NULL || out->estimate == NULL ||
        out->estimates == NULL || out->lambdas == NULL || out->edges == NULL ||
        out->objective == NULL || out->violation == NULL ||
        out->refit == NULL || out->criterion == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < m->count; k++) {
        char name[256];
        sfi_match_name(m, k, name, sizeof name);
        out->names[k] = sfi_copy_text(ctx, name);
        if (out->names[k] == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

/* The quadratic; *constant is J where the numbers are 0. */
static sf_status read_quadratic(sfi_match *m, sfi_sparse *s,
                                const sf_sparse_path *out, double *constant)
{
    SFI_TRY(sfi_match_take_design(m));
    SFI_TRY(sfi_sparse_new(m->ctx, s, m->design, m->count));
    SFI_TRY(sfi_match_first(m, constant, s->b));
    bool finite = isfinite(*constant);
    for (int64_t k = 0; k < m->count; k++)
        finite &= isfinite(s->b[k]) && isfinite(s->diagonal[k]);
    if (!finite)
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "fit: the objective is not finite on these rows: a "
                        "log density without second derivatives there?");
    memcpy(s->slope, s->b, (size_t)m->count * sizeof *s->b);
    memcpy(s->penalty, out->penalty, (size_t)m->count * sizeof *s->penalty);
    return SF_OK;
}

static sf_status fit(sfi_match *m, const sf_sparse_options *o, sf_cmat x,
                     sf_sparse_path *out, sfi_sparse *s)
{
    const size_t n = (size_t)m->count;
    double constant = 0.0;
    if (m->bounded)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "fit: parameters with bounds are not estimated "
                        "along a path; want real or symmetric");
    if (m->design == NULL)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "fit: the objective is not a quadratic of the "
                        "parameters");
    SFI_TRY(allocate(m, out, o->lambda_count));
    SFI_TRY(read_sparse(m, o->sparse, out->penalty));
    for (size_t k = 0; k < n; k++)
        out->penalised += out->penalty[k];
    if (out->penalised == 0)
        return SFI_FAIL(m->ctx, SF_E_ARG, "fit: no number is penalised");
    SFI_TRY(read_quadratic(m, s, out, &constant));
    s->multiplier =
        o->multiplier != 0.0 ? o->multiplier : default_multiplier(s, out->rows);
    out->multiplier = s->multiplier;
    out->blocks = s->blocks;
    out->block_most = s->block_most;
    double *work = sfi_alloc(m->ctx, n, sizeof *work);
    int64_t *support = sfi_alloc(m->ctx, n, sizeof *support);
    sf_status status = work != NULL && support != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = follow(m, s, o, constant, out, support, work);
    if (status == SF_OK)
        status = sfi_match_adopt(m, out->estimate, x, work);
    sfi_free(m->ctx, support, n, sizeof *support);
    sfi_free(m->ctx, work, n, sizeof *work);
    return status;
}

sf_status sf_match_sparse(sf_context *ctx, sf_sparse_path *out,
                          sf_model *density, sf_cmat x,
                          const sf_sparse_options *options)
{
    *out = (sf_sparse_path){.rows = 0};
    sf_sparse_options o = SF_SPARSE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check_options(ctx, &o));
    sfi_match m = {.ctx = ctx, .model = density, .weight = o.weight};
    sfi_sparse s = {.ctx = ctx};
    sf_status status = sfi_match_begin(&m, o.parameters, x);
    if (status == SF_OK)
        status = fit(&m, &o, x, out, &s);
    sfi_sparse_free(&s);
    sfi_match_end(&m);
    if (status != SF_OK)
        sf_sparse_path_free(ctx, out);
    return status;
}

void sf_sparse_path_free(sf_context *ctx, sf_sparse_path *p)
{
    if (p == NULL)
        return;
    const size_t n = (size_t)p->numbers, l = (size_t)p->asked;
    for (size_t k = 0; k < n && p->names != NULL; k++)
        sfi_free_text(ctx, p->names[k]);
    sfi_free(ctx, p->names, n, sizeof *p->names);
    sfi_free(ctx, p->penalty, n, sizeof *p->penalty);
    sfi_free(ctx, p->estimate, n, sizeof *p->estimate);
    sfi_free(ctx, p->estimates, n * l, sizeof *p->estimates);
    sfi_free(ctx, p->lambdas, l, sizeof *p->lambdas);
    sfi_free(ctx, p->edges, l, sizeof *p->edges);
    sfi_free(ctx, p->objective, l, sizeof *p->objective);
    sfi_free(ctx, p->violation, l, sizeof *p->violation);
    sfi_free(ctx, p->refit, l, sizeof *p->refit);
    sfi_free(ctx, p->criterion, l, sizeof *p->criterion);
    *p = (sf_sparse_path){.rows = 0};
}
