/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_fit.c - an imputer of the table itself: a kernel estimate whose noise has the
 * covariance of a normal distribution that was fitted to the cells that are there.
 *
 * Rows of one pattern of missing cells are a group of components, which differ by
 * what they have and share a covariance: h^2 S, and beside it what is not known of the
 * cells that they lack.  A row that is to be imputed is explained by the other rows.
 *
 * The bandwidth is the one that guesses best what is known: a part of the cells is
 * hidden, everything is fitted without them, and they are imputed by medians. */
#include "impute/imputer.h"

#include "base/random.h"
#include "fit/em_missing.h"
#include "fit/normal_em.h"
#include "num/linalg.h"
#include "num/patterns.h"

#include <math.h>
#include <string.h>

enum {
    EM_ITERATIONS = 1000,
    GUESSED_ROWS = 300, /* at most, of which hidden cells are guessed  */
    PAIR_WORK = 200     /* of a pair of rows, beside its distance      */
};

static const double em_tolerance = 1e-10;
static const double bandwidths[SF_IMPUTER_BANDWIDTHS] = {0.35, 0.5, 0.7, 1.0,
                                                         1.4};

/* Multiplications and additions that imputing a table may take, and a bandwidth. */
static const double most_work = 2e10, most_work_of_bandwidth = 1e9;

typedef struct imputer_job {
    sf_context *ctx;
    const sf_imputer_options *o;
    int64_t n, d;       /* rows with a cell                       */
    int64_t room;       /* rows of the table                      */
    double *y;          /* [room, d] standardised, the first n    */
    double *mean, *sd;  /* [d]                                    */
    double *centre, *s; /* [d], [d, d] of y                       */
    int64_t *donor;     /* [n] a permutation: who comes first     */
    int64_t *own;       /* [n] the component that a row is, or -1 */
} imputer_job;

/* ---- components ----------------------------------------------------------------- */

static int64_t given_of(const unsigned char *present, int64_t d)
{
    int64_t o = 0;
    for (int64_t j = 0; j < d; j++)
        o += present[j];
    return o;
}

/* The covariance of rows of a pattern, which `split` has as their given columns. */
static void set_covariance(const imputer_job *j, const sfi_split *split,
                           double h, double *covariance)
{
    const int64_t d = j->d, o = split->given, m = d - o;
    for (int64_t i = 0; i < d * d; i++)
        covariance[i] = h * h * j->s[i];
    for (int64_t a = 0; a < m; a++)
        for (int64_t b = 0; b < m; b++)
            covariance[split->index[o + a] * d + split->index[o + b]] +=
                split->rest[a * m + b];
}

/* A row with the means of what it lacks. */
static void set_mean(const imputer_job *j, const sfi_split *split,
                     const double *y, double *mean)
{
    const int64_t d = j->d, o = split->given;
    memcpy(mean, y, (size_t)d * sizeof *mean);
    for (int64_t a = 0; a < d - o; a++) {
        const int64_t row = split->index[o + a];
        mean[row] = j->centre[row];
        for (int64_t b = 0; b < o; b++) {
            const int64_t col = split->index[b];
            mean[row] += split->slope[a * o + b] * (y[col] - j->centre[col]);
        }
    }
}

/* Components of the donors [count] of y, and which of them each row is. */
static sf_status set_groups(const imputer_job *j, const sfi_patterns *p,
                            int64_t count, double h, sfi_parts *parts)
{
    const int64_t d = j->d;
    sfi_split split;
    SFI_TRY(sfi_split_new(j->ctx, &split, d));
    sf_status status = SF_OK;
    for (int64_t i = 0; i < j->n; i++)
        j->own[i] = -1;
    for (int64_t g = 0; g < p->count && status == SF_OK; g++) {
        if (!sfi_split_set(&split, j->s, p->present + g * d))
            status = SFI_FAIL(j->ctx, SF_E_NUMERIC,
                              "impute: the covariance of the columns is "
                              "singular; give a prior");
        if (status != SF_OK)
            break;
        set_covariance(j, &split, h, parts->covariance + g * d * d);
        parts->first[g] = p->first[g];
        for (int64_t k = p->first[g]; k < p->first[g + 1]; k++) {
            const int64_t row = j->donor[p->order[k]];
            set_mean(j, &split, j->y + row * d, parts->mean + k * d);
            parts->log_weight[k] = -log((double)count);
            j->own[row] = k;
        }
    }
    parts->first[p->count] = count;
    sfi_split_free(j->ctx, &split);
    return status;
}

/* The first `count` donors as components, with the bandwidth h. */
static sf_status make_parts(const imputer_job *j, int64_t count, double h,
                            sfi_parts *parts)
{
    const size_t cells = (size_t)(count * j->d);
    sfi_patterns *patterns = NULL;
    double *rows = sfi_alloc(j->ctx, cells, sizeof *rows);
    if (rows == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < count; i++)
        memcpy(rows + i * j->d, j->y + j->donor[i] * j->d,
               (size_t)j->d * sizeof *rows);
    sf_status status =
        sfi_patterns_new(j->ctx, &patterns, (sf_cmat){rows, count, j->d, j->d});
    sfi_free(j->ctx, rows, cells, sizeof *rows);
    if (status == SF_OK)
        status = sfi_parts_new(j->ctx, parts, j->d, count, patterns->count);
    if (status == SF_OK)
        status = set_groups(j, patterns, count, h, parts);
    if (status != SF_OK)
        sfi_parts_free(j->ctx, parts);
    sfi_patterns_free(patterns);
    return status;
}

/* How many donors may be had for `queries` rows of `patterns` patterns: a pair of
 * patterns costs d^3, a pair of rows d and some evaluations of a distribution function,
 * and as many patterns are among donors as among the rows at most. */
static int64_t affordable(int64_t n, int64_t d, int64_t queries,
                          int64_t patterns, int64_t most_patterns, double work)
{
    const double row = (double)queries * ((double)d + PAIR_WORK);
    const double pattern = (double)patterns * (double)d * (double)d * (double)d;
    const double share = (double)most_patterns / (double)n;
    const double donors = work / (row + pattern * share);
    const int64_t least = n < 50 ? n : 50;
    return donors >= (double)n      ? n
           : donors > (double)least ? (int64_t)donors
                                    : least;
}

/* ---- the bandwidth -------------------------------------------------------------- */

/* Hide cells at random, but of each row one, in y; returns how many. */
static int64_t hide(const imputer_job *j)
{
    int64_t hidden = 0;
    for (int64_t i = 0; i < j->n; i++) {
        double *row = j->y + i * j->d;
        int64_t left = 0;
        for (int64_t k = 0; k < j->d; k++)
            left += !isnan(row[k]);
        for (int64_t k = 0; k < j->d; k++) {
            const sfi_where w = {j->o->seed, (uint64_t)i, 0, SFI_STREAM_SPLIT};
            if (isnan(row[k]) || left == 1 ||
                !(sfi_uniform_at(w, (uint32_t)k) < j->o->hidden))
                continue;
            row[k] = (double)NAN;
            left--;
            hidden++;
        }
    }
    return hidden;
}

/* Rows of which a cell was hidden: up to GUESSED_ROWS numbers into rows. */
static int64_t find_guessed(const imputer_job *j, const double *truth,
                            int64_t *rows)
{
    int64_t count = 0;
    for (int64_t i = 0; i < j->n && count < GUESSED_ROWS; i++) {
        const int64_t row = j->donor[j->n - 1 - i];
        bool any = false;
        for (int64_t k = 0; k < j->d; k++)
            any = any || (isnan(j->y[row * j->d + k]) &&
                          !isnan(truth[row * j->d + k]));
        if (any)
            rows[count++] = row;
    }
    return count;
}

/* Rows [count, d] each, and the component that each is. */
typedef struct guesses {
    int64_t count;
    double *x, *out;
    int64_t *without;
} guesses;

static double error_of(const imputer_job *j, const guesses *g,
                       const int64_t *rows, const double *truth, int64_t *cells)
{
    double sum = 0.0;
    *cells = 0;
    for (int64_t i = 0; i < g->count; i++)
        for (int64_t k = 0; k < j->d; k++) {
            const double known = truth[rows[i] * j->d + k];
            if (!isnan(g->x[i * j->d + k]) || isnan(known))
                continue;
            sum += fabs(g->out[i * j->d + k] - known);
            ++*cells;
        }
    return sum / (double)*cells;
}

static sf_status try_bandwidth(const imputer_job *j, double h, int64_t donors,
                               const int64_t *rows, const guesses *g)
{
    const sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    const sf_mat out = {g->out, g->count, j->d, j->d};
    sf_imputer *m = NULL;
    SFI_TRY(sfi_imputer_new(j->ctx, &m, j->d, 0));
    sf_status status = make_parts(j, donors, h, &m->parts);
    for (int64_t i = 0; i < g->count && status == SF_OK; i++)
        g->without[i] = j->own[rows[i]];
    if (status == SF_OK)
        status =
            sfi_impute(j->ctx, out, m, (sf_cmat){g->x, g->count, j->d, j->d},
                       g->without, &how);
    sf_imputer_free(m);
    return status;
}

static sf_status count_patterns(sf_context *ctx, sf_cmat x, int64_t *count)
{
    sfi_patterns *p = NULL;
    SFI_TRY(sfi_patterns_new(ctx, &p, x));
    *count = p->count;
    sfi_patterns_free(p);
    return SF_OK;
}

/* How far off the guesses of each bandwidth are. */
static sf_status try_all(const imputer_job *j, const double *truth,
                         const int64_t *rows, const guesses *g,
                         sf_imputer_report *report)
{
    const int64_t d = j->d;
    int64_t patterns = 0, all = 0;
    for (int64_t i = 0; i < g->count; i++)
        memcpy(g->x + i * d, j->y + rows[i] * d, (size_t)d * sizeof *g->x);
    SFI_TRY(count_patterns(j->ctx, (sf_cmat){g->x, g->count, d, d}, &patterns));
    SFI_TRY(count_patterns(j->ctx, (sf_cmat){j->y, j->n, d, d}, &all));
    const int64_t donors =
        affordable(j->n, d, g->count, patterns, all, most_work_of_bandwidth);
    int best = 0;
    for (int k = 0; k < SF_IMPUTER_BANDWIDTHS; k++) {
        SFI_TRY(try_bandwidth(j, bandwidths[k], donors, rows, g));
        report->error[k] = error_of(j, g, rows, truth, &report->hidden);
        best = report->error[k] < report->error[best] ? k : best;
    }
    report->bandwidth = bandwidths[best];
    return SF_OK;
}

static sf_status fit_covariance(const imputer_job *j)
{
    sfi_em_result r;
    return sfi_normal_em(j->ctx, (sf_cmat){j->y, j->n, j->d, j->d},
                         j->o->prior_rows, EM_ITERATIONS, em_tolerance,
                         j->centre, j->s, &r);
}

/* `truth` [n, d] are the rows as they are, y those with hidden cells. */
static sf_status guess(const imputer_job *j, const double *truth,
                       sf_imputer_report *report)
{
    sf_context *ctx = j->ctx;
    const size_t most = GUESSED_ROWS, cells = most * (size_t)j->d;
    double *x = sfi_alloc(ctx, cells, sizeof *x);
    double *out = sfi_alloc(ctx, cells, sizeof *out);
    int64_t *without = sfi_alloc(ctx, most, sizeof *without);
    int64_t *rows = sfi_alloc(ctx, most, sizeof *rows);
    sf_status status = SF_E_NOMEM;
    if (x != NULL && out != NULL && without != NULL && rows != NULL) {
        guesses g = {find_guessed(j, truth, rows), x, out, without};
        status = fit_covariance(j);
        if (status == SF_OK)
            status = try_all(j, truth, rows, &g, report);
    }
    sfi_free(ctx, rows, most, sizeof *rows);
    sfi_free(ctx, without, most, sizeof *without);
    sfi_free(ctx, out, cells, sizeof *out);
    sfi_free(ctx, x, cells, sizeof *x);
    return status;
}

/* Where nothing can be hidden, the bandwidth is that of the covariance itself. */
static sf_status find_bandwidth(const imputer_job *j, sf_imputer_report *report)
{
    const size_t cells = (size_t)(j->n * j->d);
    report->bandwidth = j->o->bandwidth > 0.0 ? j->o->bandwidth : 1.0;
    if (j->o->bandwidth > 0.0)
        return SF_OK;
    double *truth = sfi_alloc(j->ctx, cells, sizeof *truth);
    if (truth == NULL)
        return SF_E_NOMEM;
    memcpy(truth, j->y, cells * sizeof *truth);
    const sf_status status = hide(j) > 0 ? guess(j, truth, report) : SF_OK;
    memcpy(j->y, truth, cells * sizeof *truth);
    sfi_free(j->ctx, truth, cells, sizeof *truth);
    return status;
}

/* ---- the imputer ----------------------------------------------------------------- */

static int64_t donors_of(const imputer_job *j, const sfi_patterns *p)
{
    int64_t queries = 0, patterns = 0;
    for (int64_t k = 0; k < p->count; k++) {
        if (given_of(p->present + k * j->d, j->d) == j->d)
            continue;
        queries += p->first[k + 1] - p->first[k];
        patterns++;
    }
    const int64_t most =
        affordable(j->n, j->d, queries, patterns, p->count, most_work);
    return j->o->donors > 0 && j->o->donors < most ? j->o->donors : most;
}

static sf_status make_imputer(const imputer_job *j, sf_cmat data,
                              sf_imputer_report *report, sf_imputer *m)
{
    sfi_patterns *p = NULL;
    SFI_TRY(sfi_patterns_new(j->ctx, &p, (sf_cmat){j->y, j->n, j->d, j->d}));
    report->rows = j->n;
    report->missing = p->missing;
    report->donors = donors_of(j, p);
    sfi_patterns_free(p);
    SFI_TRY(fit_covariance(j));
    SFI_TRY(make_parts(j, report->donors, report->bandwidth, &m->parts));
    memcpy(m->mean, j->mean, (size_t)j->d * sizeof *m->mean);
    memcpy(m->sd, j->sd, (size_t)j->d * sizeof *m->sd);
    int64_t at = 0;
    for (int64_t i = 0; i < data.rows; i++) {
        bool any = false;
        for (int64_t k = 0; k < j->d; k++)
            any = any || !isnan(data.data[i * data.stride + k]);
        m->own[i] = any ? j->own[at++] : -1;
    }
    return SF_OK;
}

static bool allocate(imputer_job *j)
{
    const size_t n = (size_t)j->room, d = (size_t)j->d;
    j->y = sfi_alloc(j->ctx, n * d, sizeof *j->y);
    j->mean = sfi_alloc(j->ctx, d, sizeof *j->mean);
    j->sd = sfi_alloc(j->ctx, d, sizeof *j->sd);
    j->centre = sfi_alloc(j->ctx, d, sizeof *j->centre);
    j->s = sfi_alloc(j->ctx, d * d, sizeof *j->s);
    j->donor = sfi_alloc(j->ctx, n, sizeof *j->donor);
    j->own = sfi_alloc(j->ctx, n, sizeof *j->own);
    return j->y != NULL && j->mean != NULL && j->sd != NULL &&
           j->centre != NULL && j->s != NULL && j->donor != NULL &&
           j->own != NULL;
}

static void release(imputer_job *j)
{
    const size_t n = (size_t)j->room, d = (size_t)j->d;
    sfi_free(j->ctx, j->own, n, sizeof *j->own);
    sfi_free(j->ctx, j->donor, n, sizeof *j->donor);
    sfi_free(j->ctx, j->s, d * d, sizeof *j->s);
    sfi_free(j->ctx, j->centre, d, sizeof *j->centre);
    sfi_free(j->ctx, j->sd, d, sizeof *j->sd);
    sfi_free(j->ctx, j->mean, d, sizeof *j->mean);
    sfi_free(j->ctx, j->y, n * d, sizeof *j->y);
}

static sf_status fit(imputer_job *j, sf_cmat data, const char *const *names,
                     sf_imputer_report *report, sf_imputer *m)
{
    SFI_TRY(sfi_standardise_cells(j->ctx, data, names, "impute", j->y, &j->n,
                                  j->mean, j->sd));
    for (int64_t i = 0; i < j->n; i++)
        j->donor[i] = i;
    sfi_shuffle(j->o->seed, 0, j->donor, j->n);
    SFI_TRY(find_bandwidth(j, report));
    return make_imputer(j, data, report, m);
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
    imputer_job j = {.ctx = ctx, .o = &o, .room = data.rows, .d = data.cols};
    sf_status status = allocate(&j) ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_imputer_new(ctx, &m, data.cols, data.rows);
    if (status == SF_OK)
        status = fit(&j, data, names, &found, m);
    release(&j);
    if (status != SF_OK) {
        sf_imputer_free(m);
        return status;
    }
    if (report != NULL)
        sfi_result(report, &found, sizeof found);
    *out = m;
    return SF_OK;
}
