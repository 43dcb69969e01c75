/* SPDX-License-Identifier: Apache-2.0 */
/* matching.c - the parameters of a typed density by score matching, from the rows to the
 * estimate and its errors.
 *
 * What is free is read first (matching_parameters.c), and densities for which the
 * objective is wrong are refused (matching_jumps.c).  The objective of one row is
 * derived and compiled (matching_graph.c), its mean over rows (matching_values.c) is
 * made least (matching_search.c), and its curvature there gives the errors
 * (matching_errors.c), for what they rest on (matching_influence.c).
 * The density is changed at the end, if all of that went well. */
#include "fit/matching.h"

#include "num/linalg.h"

#include <math.h>

static sf_status estimate(sfi_match *m, const sf_matching_options *o, sf_cmat x,
                          sf_matching *out, double *h, double *work)
{
    const int64_t n = m->count;
    char want[SFI_DOMAIN_WANT], name[256];
    double *numbers = out->estimate, *slope = work;
    sfi_match_read(m, numbers);
    int64_t outside = sfi_domain_outside(&m->forms, numbers, want);
    if (outside >= 0) {
        sfi_match_name(m, outside, name, sizeof name);
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "fit: the first value of \"%s\" is %g, want %s", name,
                        numbers[outside], want);
    }
    out->quadratic = m->quadratic;
    if (m->quadratic) {
        SFI_TRY(sfi_match_solve(m, out, numbers, h, work));
        outside = sfi_domain_outside(&m->forms, numbers, want);
        if (outside >= 0)
            sfi_match_read(m, numbers);
    }
    if (!m->quadratic || outside >= 0) {
        out->quadratic = false;
        SFI_TRY(sfi_match_search(m, o, out, numbers, work));
        SFI_TRY(sfi_match_slope(m, numbers, &out->objective, slope));
    }
    SFI_TRY(sfi_match_errors(m, out, h, work));
    SFI_TRY(sfi_match_influence(m, out, h, work));
    for (int64_t k = 0; k < n; k++) {
        sfi_match_name(m, k, name, sizeof name);
        out->names[k] = sfi_copy_text(m->ctx, name);
        if (out->names[k] == NULL)
            return SF_E_NOMEM;
    }
    return sfi_match_adopt(m, numbers, x, work);
}

static sf_status allocate(sfi_match *m, sf_matching *out)
{
    sf_context *ctx = m->ctx;
    const size_t n = (size_t)m->count;
    out->count = m->count;
    out->rows = m->x.rows;
    out->names = sfi_alloc_zero(ctx, n, sizeof *out->names);
    out->estimate = sfi_alloc(ctx, n, sizeof *out->estimate);
    out->error = sfi_alloc(ctx, n, sizeof *out->error);
    out->weakest = sfi_alloc(ctx, n, sizeof *out->weakest);
    out->covariance = sfi_alloc(ctx, n * n, sizeof *out->covariance);
    return out->names != NULL && out->estimate != NULL && out->error != NULL &&
                   out->weakest != NULL && out->covariance != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* Rows as the objective takes them. */
static sf_status take_rows(sfi_match *m, sf_cmat x)
{
    const int64_t n = m->density->domain.unknowns;
    SFI_TRY(sfi_check_table(m->ctx, x, true, "fit: x"));
    if (x.rows < 2)
        return SFI_FAIL(m->ctx, SF_E_ARG, "fit: %lld rows, want at least 2",
                        (long long)x.rows);
    if (x.cols != m->density->dim)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "fit: x has %lld columns, the density has %lld",
                        (long long)x.cols, (long long)m->density->dim);
    m->rows = sfi_alloc(m->ctx, (size_t)(x.rows * n), sizeof *m->rows);
    if (m->rows == NULL)
        return SF_E_NOMEM;
    SFI_TRY(sfi_check_support(m->model, x, "fit"));
    SFI_TRY(sf_model_to_unknowns(m->model, x, (sf_mat){m->rows, x.rows, n, n}));
    m->x = m->weight != NULL ? x : (sf_cmat){m->rows, x.rows, n, n};
    m->base = m->x.data;
    return SF_OK;
}

sf_status sfi_match_begin(sfi_match *m, const char *parameters, sf_cmat x)
{
    SFI_TRY(sfi_want_ability(m->ctx, m->model, SF_CAN_MATCH, "fit"));
    m->density = m->model->density;
    const int all = m->density->parameter_count;
    m->rows_given = x.rows;
    SFI_TRY(take_rows(m, x));
    SFI_TRY(sfi_match_free_parameters(m, parameters));
    SFI_TRY(sfi_match_check_jumps(m, x, m->seed));
    SFI_TRY(sfi_match_compile(m));
    m->params = sfi_alloc(m->ctx, (size_t)all + 3, sizeof *m->params);
    m->sinks = sfi_alloc(m->ctx, (size_t)all + 1, sizeof *m->sinks);
    if (m->params == NULL || m->sinks == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < all; k++)
        m->params[2 + k] = m->density->parameters[k].value;
    double *cells = m->cells;
    for (int k = 0; k < m->free_count; k++) {
        const int index = m->free[k].index;
        m->params[2 + index] = cells;
        cells += m->density->parameters[index].count;
    }
    m->params[2 + all] = m->cells; /* of a parameter that nothing reads */
    return SF_OK;
}

static sf_status fit(sfi_match *m, const sf_matching_options *o, sf_cmat x,
                     sf_matching *out)
{
    SFI_TRY(sfi_match_begin(m, o->parameters, x));
    SFI_TRY(allocate(m, out));
    const size_t n = (size_t)m->count, work_size = n * n + 4 * n;
    double *h = sfi_alloc(m->ctx, n * n, sizeof *h);
    double *work = sfi_alloc(m->ctx, work_size, sizeof *work);
    sf_status status = SF_E_NOMEM;
    if (h != NULL && work != NULL)
        status = estimate(m, o, x, out, h, work);
    sfi_free(m->ctx, work, work_size, sizeof *work);
    sfi_free(m->ctx, h, n * n, sizeof *h);
    return status;
}

void sfi_match_end(sfi_match *m)
{
    sf_context *ctx = m->ctx;
    if (m->density == NULL) /* nothing was begun */
        return;
    const size_t all = (size_t)m->density->parameter_count;
    const size_t cells = (size_t)m->cell_count;
    sf_program *const programs[] = {m->value, m->line, m->product, m->hessian,
                                    m->each};
    for (size_t k = 0; k < SFI_COUNT(programs); k++)
        sf_program_free(programs[k]);
    sfi_design_free(m->design);
    if (m->forms.dim > 0)
        sfi_domain_free(ctx, &m->forms);
    sfi_free(ctx, m->number, cells, sizeof *m->number);
    sfi_free(ctx, m->cells, cells, sizeof *m->cells);
    sfi_free(ctx, m->slopes, cells, sizeof *m->slopes);
    sfi_free(ctx, m->free, all, sizeof *m->free);
    sfi_free(ctx, m->params, all + 3, sizeof *m->params);
    sfi_free(ctx, m->sinks, all + 1, sizeof *m->sinks);
    sfi_free(ctx, m->rows,
             (size_t)(m->rows_given * m->density->domain.unknowns),
             sizeof *m->rows);
}

sf_status sf_match_scores(sf_context *ctx, sf_matching *out, sf_model *density,
                          sf_cmat x, const sf_matching_options *options)
{
    *out = (sf_matching){.rows = 0};
    sf_matching_options o = SF_MATCHING_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    if (o.starts < 1 || o.starts > 1 << 20)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: starts is %lld, want 1 to 2^20",
                        (long long)o.starts);
    if (o.slices < 0 || o.slices > SF_MATCHING_SLICES)
        return SFI_FAIL(ctx, SF_E_ARG, "fit: slices is %lld, want 0 to %d",
                        (long long)o.slices, (int)SF_MATCHING_SLICES);
    sfi_match m = {.ctx = ctx,
                   .model = density,
                   .weight = o.weight,
                   .slices = o.slices,
                   .seed = o.seed};
    const sf_status status = fit(&m, &o, x, out);
    sfi_match_end(&m);
    if (status != SF_OK)
        sf_matching_free(ctx, out);
    return status;
}

void sf_matching_free(sf_context *ctx, sf_matching *m)
{
    if (m == NULL)
        return;
    const size_t n = (size_t)m->count;
    for (size_t k = 0; k < n && m->names != NULL; k++)
        sfi_free_text(ctx, m->names[k]);
    sfi_free(ctx, m->names, n, sizeof *m->names);
    sfi_free(ctx, m->estimate, n, sizeof *m->estimate);
    sfi_free(ctx, m->error, n, sizeof *m->error);
    sfi_free(ctx, m->weakest, n, sizeof *m->weakest);
    sfi_free(ctx, m->covariance, n * n, sizeof *m->covariance);
    *m = (sf_matching){.rows = 0};
}
