/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_fit.c - an imputer of the table itself.
 *
 * Every row is a component, whose numbers and levels are those of the row; a row that
 * is to be imputed is explained by the other rows. */
#include "base/random.h"
#include "fit/em_missing.h"
#include "impute/imputer_atoms.h"
#include "impute/imputer_job.h"
#include "num/linalg.h"
#include "num/patterns.h"

#include <math.h>
#include <string.h>

/* Multiplications and additions that imputing a table may take. */
static const double most_work = 2e10;

/* ---- columns ---------------------------------------------------------------------- */

/* What the frame says of column j. */
static sf_status describe_column(sf_imputer *m, const sf_frame *f, int64_t j)
{
    sfi_imputed_column *c = &m->column[j];
    sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
    const sf_kind kind = sf_frame_kind(f, j);
    if (kind == SF_KIND_BOOLEAN || sf_frame_level_count(f, j) > 0) {
        c->levels = sf_frame_level_count(f, j);
        c->levels = c->levels > 0 ? c->levels : 2;
        return SF_OK;
    }
    SFI_TRY(sf_frame_summarise(m->ctx, &s, f, j));
    c->decimals = sf_frame_decimals(f, j);
    if (kind == SF_KIND_DATE) {
        c->decimals = strcmp(sf_frame_unit(f, j), "d") == 0 ? 0 : -1;
    } else if (kind == SF_KIND_INTEGER) {
        c->decimals = 0;
        c->lower = s.min >= 0.0 ? -0.5 : -INFINITY;
    } else if (kind == SF_KIND_POSITIVE || s.min == 0.0) {
        c->lower = 0.0;
        c->is_open = kind == SF_KIND_POSITIVE;
    }
    if (kind == SF_KIND_PROPORTION) {
        c->lower = 0.0;
        c->upper = 1.0;
    }
    return SF_OK;
}

static sf_status describe(sf_imputer *m, const sf_imputer_options *o)
{
    int64_t pair = m->table;
    for (int64_t j = 0; j < m->table && o->frame != NULL; j++) {
        SFI_TRY(describe_column(m, o->frame, j));
        if (sf_frame_atom_count(o->frame, j) > 0 && j != o->target)
            SFI_TRY(sfi_take_atoms(m, o->frame, j, pair++));
    }
    if (o->target >= 0 && m->column[o->target].levels == 0)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "impute: the target, column %lld, is no category",
                        (long long)o->target);
    sfi_imputer_place(m, o->target);
    return SF_OK;
}

static sf_status check_levels(const sfi_imputer_job *j, sf_cmat data, int64_t k)
{
    const int64_t levels = j->m->column[k].levels;
    for (int64_t i = 0; i < data.rows; i++) {
        const double x = data.data[i * data.stride + k];
        if (!isnan(x) && !(x >= 0.0 && x < (double)levels && x == floor(x)))
            return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                            "impute: row %lld, column %lld: there is no level "
                            "%g, want 0 to %lld",
                            (long long)i + 1, (long long)k + 1, x,
                            (long long)levels - 1);
    }
    return SF_OK;
}

/* Numbers in standard deviations of the cells that are there; work [rows, numbers]. */
static sf_status measure(const sfi_imputer_job *j, sf_cmat data,
                         const char *const *names, double *work,
                         const char **name)
{
    const sf_imputer *m = j->m;
    const int64_t d = m->numbers;
    double *x = work, *mean = x + data.rows * d, *sd = mean + d;
    int64_t rows;
    for (int64_t i = 0; i < data.rows; i++)
        for (int64_t p = 0; p < d; p++)
            x[i * d + p] = data.data[i * data.stride + m->number[p]];
    for (int64_t p = 0; p < d && names != NULL; p++)
        name[p] = names[m->number[p]];
    SFI_TRY(sfi_standardise_cells(j->ctx, (sf_cmat){x, data.rows, d, d},
                                  names != NULL ? name : NULL, "impute", x,
                                  &rows, mean, sd));
    for (int64_t p = 0; p < d; p++) {
        m->column[m->number[p]].mean = mean[p];
        m->column[m->number[p]].sd = sd[p];
    }
    return SF_OK;
}

static sf_status standardise(sfi_imputer_job *j, sf_cmat data,
                             const char *const *names)
{
    const size_t d = (size_t)j->m->numbers;
    const size_t cells = ((size_t)data.rows + 2) * d;
    double *work = sfi_alloc(j->ctx, cells, sizeof *work);
    const char **name = sfi_alloc(j->ctx, d, sizeof *name);
    sf_status status = work != NULL && name != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = measure(j, data, names, work, name);
    sfi_free(j->ctx, name, d, sizeof *name);
    sfi_free(j->ctx, work, cells, sizeof *work);
    for (int64_t k = 0; k < j->d && status == SF_OK; k++)
        if (j->m->column[k].levels > 0)
            status = check_levels(j, data, k);
    return status;
}

/* ---- rows ------------------------------------------------------------------------- */

/* Rows with a cell; of these the donors have a class. */
static void take_rows(sfi_imputer_job *j, sf_cmat data,
                      sf_imputer_report *report)
{
    for (int64_t i = 0; i < data.rows; i++) {
        double *to = j->z + j->n * j->d;
        bool any = false;
        for (int64_t k = 0; k < j->d; k++) {
            const sfi_imputed_column *c = &j->m->column[k];
            const double x = data.data[i * data.stride + k];
            to[k] = c->levels > 0 ? x : (x - c->mean) / c->sd;
            any = any || !isnan(x);
            report->missing += k < j->m->table && isnan(x);
        }
        if (!any) {
            report->missing -= j->m->table;
            continue;
        }
        if (j->o->target >= 0 && isnan(to[j->o->target]))
            report->unclassed++;
        else
            j->donor[j->donors++] = j->n;
        j->row[j->n++] = i;
    }
    report->rows = j->n;
    sfi_shuffle(j->o->seed, 0, j->donor, j->donors);
}

/* Rows that lack a cell, first in `row`: how many. */
static int64_t list_queries(const sfi_imputer_job *j, int64_t *row)
{
    int64_t count = 0;
    for (int64_t i = 0; i < j->n; i++) {
        bool lacks = false;
        for (int64_t k = 0; k < j->d; k++)
            lacks = lacks || isnan(j->z[i * j->d + k]);
        if (lacks)
            row[count++] = i;
    }
    return count;
}

/* How many donors there are, when all that is asked of them is counted. */
static sf_status count_donors(const sfi_imputer_job *j, int64_t *donors)
{
    const size_t n = (size_t)j->n;
    int64_t *row = sfi_alloc(j->ctx, n, sizeof *row);
    sfi_patterns *queries = NULL, *all = NULL;
    sf_status status = row != NULL ? SF_OK : SF_E_NOMEM;
    const int64_t count = status == SF_OK ? list_queries(j, row) : 0;
    if (status == SF_OK)
        status = sfi_imputer_patterns(j, row, count, &queries);
    if (status == SF_OK)
        status = sfi_imputer_patterns(j, NULL, j->n, &all);
    if (status == SF_OK)
        *donors = sfi_imputer_affordable(j, count, queries->count, all->count,
                                         most_work);
    sfi_patterns_free(queries);
    sfi_patterns_free(all);
    sfi_free(j->ctx, row, n, sizeof *row);
    if (status == SF_OK && j->o->donors > 0 && j->o->donors < *donors)
        *donors = j->o->donors;
    return status;
}

/* Rows that lack a cell and are the only donor of their class. */
static int64_t count_alone(const sfi_imputer_job *j, const sf_imputer *m)
{
    int64_t count = 0;
    for (int64_t i = 0; i < j->n && j->o->target >= 0; i++) {
        const double k = j->z[i * j->d + j->o->target];
        bool lacks = false;
        for (int64_t q = 0; q < j->d; q++)
            lacks = lacks || isnan(j->z[i * j->d + q]);
        if (lacks && !isnan(k))
            count += m->donors.members[(int64_t)k] <= (j->own[i] >= 0 ? 1 : 0);
    }
    return count;
}

/* ---- the imputer ------------------------------------------------------------------ */

static sf_status make_imputer(sfi_imputer_job *j, sf_imputer_report *report,
                              sf_imputer *m)
{
    SFI_TRY(count_donors(j, &report->donors));
    SFI_TRY(sfi_imputer_moments(j));
    SFI_TRY(sfi_imputer_components(j, report->donors, m));
    report->bandwidth = m->numbers > 0 ? j->bandwidth : 0.0;
    report->forget = m->donors.count > 0 ? j->forget : 0.0;
    report->alone = count_alone(j, m);
    for (int64_t i = 0; i < m->rows; i++)
        m->own[i] = -1;
    for (int64_t i = 0; i < j->n; i++)
        m->own[j->row[i]] = j->own[i];
    return SF_OK;
}

static bool allocate(sfi_imputer_job *j)
{
    const size_t n = (size_t)j->room, p = (size_t)j->m->numbers;
    j->row = sfi_alloc(j->ctx, n, sizeof *j->row);
    j->z = sfi_alloc(j->ctx, n * (size_t)j->d, sizeof *j->z);
    j->centre =
        sfi_alloc_zero(j->ctx, (size_t)j->classes * p, sizeof *j->centre);
    j->s = sfi_alloc(j->ctx, p * p, sizeof *j->s);
    j->donor = sfi_alloc(j->ctx, n, sizeof *j->donor);
    j->own = sfi_alloc(j->ctx, n, sizeof *j->own);
    return j->row != NULL && j->z != NULL && j->centre != NULL &&
           j->s != NULL && j->donor != NULL && j->own != NULL;
}

static void release(sfi_imputer_job *j)
{
    const size_t n = (size_t)j->room, p = (size_t)j->m->numbers;
    sfi_free(j->ctx, j->own, n, sizeof *j->own);
    sfi_free(j->ctx, j->donor, n, sizeof *j->donor);
    sfi_free(j->ctx, j->s, p * p, sizeof *j->s);
    sfi_free(j->ctx, j->centre, (size_t)j->classes * p, sizeof *j->centre);
    sfi_free(j->ctx, j->z, n * (size_t)j->d, sizeof *j->z);
    sfi_free(j->ctx, j->row, n, sizeof *j->row);
}

static sf_status fit(sfi_imputer_job *j, sf_cmat data, const char *const *names,
                     sf_imputer_report *report, sf_imputer *m)
{
    SFI_TRY(standardise(j, data, names));
    take_rows(j, data, report);
    if (j->donors < 2)
        return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                        "impute: %lld rows have a cell%s, want at least 2",
                        (long long)j->donors,
                        j->o->target >= 0 ? " and a class" : "");
    SFI_TRY(sfi_imputer_guess(j, report));
    return make_imputer(j, report, m);
}

static sf_status fit_wide(sf_context *ctx, sf_imputer *m, sf_cmat data,
                          const char *const *names, const sf_imputer_options *o,
                          sf_imputer_report *report)
{
    sfi_imputer_job j = {
        .ctx = ctx, .o = o, .m = m, .room = data.rows, .d = m->dim};
    j.classes = o->target >= 0 ? m->column[o->target].levels : 1;
    const sf_status status =
        allocate(&j) ? fit(&j, data, names, report, m) : SF_E_NOMEM;
    release(&j);
    return status;
}

/* Behind the table's columns are the categories of its atoms. */
static sf_status fit_described(sf_context *ctx, sf_imputer *m, sf_cmat data,
                               const char *const *names,
                               const sf_imputer_options *o,
                               sf_imputer_report *report)
{
    double *wide = NULL;
    SFI_TRY(describe(m, o));
    if (m->dim == m->table)
        return fit_wide(ctx, m, data, names, o, report);
    SFI_TRY(sfi_add_pairs(m, data, &wide));
    const size_t cells = (size_t)(data.rows * m->dim);
    const sf_status status = fit_wide(
        ctx, m, (sf_cmat){wide, data.rows, m->dim, m->dim}, names, o, report);
    sfi_free(ctx, wide, cells, sizeof *wide);
    return status;
}

static sf_status check(sf_context *ctx, sf_cmat data,
                       const sf_imputer_options *o)
{
    SFI_TRY(sfi_check_table(ctx, data, false, "impute: data"));
    if (data.rows < 2)
        return SFI_FAIL(ctx, SF_E_ARG, "impute: %lld rows, want at least 2",
                        (long long)data.rows);
    if (!(o->bandwidth >= 0.0) || !isfinite(o->bandwidth) ||
        !(o->hidden > 0.0 && o->hidden <= 0.5) || !(o->prior_rows >= 0.0) ||
        !isfinite(o->prior_rows) || o->donors < 0 || o->donors == 1)
        return SFI_FAIL(
            ctx, SF_E_ARG,
            "impute: bandwidth is %g, hidden %g, prior_rows %g and "
            "donors %lld; want >= 0, (0, 0.5], >= 0, and 0 or more than 1",
            o->bandwidth, o->hidden, o->prior_rows, (long long)o->donors);
    if (!(o->forget >= 0.0 && o->forget < 1.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "impute: forget is %g, want 0, or within (0, 1)",
                        o->forget);
    if (o->frame != NULL && sf_frame_cols(o->frame) < data.cols)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "impute: the frame has %lld columns, and the data %lld",
                        (long long)sf_frame_cols(o->frame),
                        (long long)data.cols);
    if (o->target < -1 || o->target >= data.cols)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "impute: the target is column %lld of %lld; want one "
                        "of them, or -1",
                        (long long)o->target, (long long)data.cols);
    return SF_OK;
}

sf_status sf_imputer_fit(sf_context *ctx, sf_imputer **out, sf_cmat data,
                         const char *const *names,
                         const sf_imputer_options *options,
                         sf_imputer_report *report)
{
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_imputer_report found = SF_IMPUTER_REPORT_INIT;
    sf_imputer *m = NULL;
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check(ctx, data, &o));
    const int64_t pairs = sfi_count_pairs(o.frame, data.cols) -
                          (o.target >= 0 && o.frame != NULL &&
                           sf_frame_atom_count(o.frame, o.target) > 0);
    sf_status status = sfi_imputer_new(ctx, &m, data.cols + pairs, data.rows);
    if (status == SF_OK) {
        m->table = data.cols;
        status = fit_described(ctx, m, data, names, &o, &found);
    }
    if (status != SF_OK) {
        sf_imputer_free(m);
        return status;
    }
    if (report != NULL)
        sfi_result(report, &found, sizeof found);
    *out = m;
    return SF_OK;
}
