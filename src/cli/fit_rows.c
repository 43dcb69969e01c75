/* SPDX-License-Identifier: Apache-2.0 */
/* fit_rows.c - `auto` on tables with categories or missing cells: the candidates are
 * judged by the rows they draw.
 *
 *     gaussian, mixture        of tables of numbers alone; rows with missing cells by EM
 *     empirical                such rows by marginal posteriors
 *     empirical, adaptive      holes filled with draws (impute.h)
 *     local                    likewise
 *
 * Each is fitted to a part of the rows and draws tables as long as the held-out part, with
 * cells missing where they are there: one for each of five parts that are held out, or
 * of many rows five for one.  One is left out if its rows are less than half as far from
 * the rows it was fitted to as held-out ones are, or if more of them are copies than
 * chance gives.  Of the others the smallest energy distance to the held-out rows is kept;
 * those whose distance is larger by no more than the standard error of the difference
 * are as good, and of these the likeliest is kept where likelihoods are of one measure,
 * else the simplest. */
#include "cli/fit.h"

#include "scorefield/compare_frames.h"
#include "scorefield/flow.h"
#include "scorefield/impute.h"
#include "table/frame.h"

#include <math.h>
#include <string.h>

enum { MODEL_ROWS = 60000, COMPARED_ROWS = 5000, JUDGED_ROWS = 1000 };

/* Of many rows so many are left out to find an adaptive bandwidth, for the time that each
 * takes. */
enum { FEW_LEFT_OUT = 500 };

/* Rows that others are filled by. */
enum { DONORS = 2000 };

/* From so many rows on a single part is held out. */
enum { MANY_ROWS = 2000 };

static const double least_ratio = 0.5, most_copies = 0.02;

/* The parts of the rows, as views of the columns that are used. */
typedef struct row_parts {
    sf_frame *fitted, *judged;
    sf_cmat fitted_rows, judged_rows;
} row_parts;

static const char *const names[] = {"gaussian", "mixture", "empirical",
                                    "empirical, adaptive", "local"};

/* ---- rows ------------------------------------------------------------------- */

/* At most so many rows of a frame, drawn at random. */
static sf_status cut(sf_context *ctx, sf_frame **frame, int64_t most,
                     uint64_t seed)
{
    sf_frame *part = NULL, *others = NULL;
    const int64_t rows = sf_frame_rows(*frame);
    if (rows <= most)
        return SF_OK;
    SFI_TRY(sf_frame_split(ctx, &part, &others, *frame,
                           (double)most / (double)rows, seed));
    sf_frame_free(others);
    sf_frame_free(*frame);
    *frame = part;
    return SF_OK;
}

/* Part number `fold` is held out. */
static sf_status take_parts(fit_job *j, row_parts *p, int fold)
{
    sf_context *ctx = j->c->ctx;
    const uint64_t seed = j->network_options.seed + 16 * (uint64_t)fold;
    SFI_TRY(sf_frame_split(ctx, &p->judged, &p->fitted, j->data.whole,
                           j->network_options.validation, seed));
    if (sf_frame_rows(p->judged) < 2 || sf_frame_rows(p->fitted) < 2)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "--model auto compares on held-out rows, and "
                        "--validation %g of %lld rows holds out %lld; want 2 "
                        "or more",
                        j->network_options.validation,
                        (long long)j->data.complete,
                        (long long)sf_frame_rows(p->judged));
    SFI_TRY(cut(ctx, &p->judged, JUDGED_ROWS, seed + 1));
    SFI_TRY(cut(ctx, &p->fitted, COMPARED_ROWS, seed + 2));
    SFI_TRY(sf_frame_matrix(ctx, p->judged, &p->judged_rows));
    SFI_TRY(sf_frame_matrix(ctx, p->fitted, &p->fitted_rows));
    if (sf_frame_rows(p->fitted) == COMPARED_ROWS && fold == 0)
        cli_note(j->c, "candidates are fitted to %d rows and judged by %lld",
                 (int)COMPARED_ROWS, (long long)sf_frame_rows(p->judged));
    return SF_OK;
}

static bool has_missing(sf_cmat x)
{
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t k = 0; k < x.cols; k++)
            if (isnan(x.data[i * x.stride + k]))
                return true;
    return false;
}

/* A copy of the rows whose missing cells are one draw each; NULL where none is
 * missing, then *out is x. */
static sf_status fill(const fit_job *j, sf_cmat x, const sf_frame *frame,
                      double **own, sf_cmat *out)
{
    sf_context *ctx = j->c->ctx;
    sf_imputer *imputer = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_impute_options draw = SF_IMPUTE_OPTIONS_INIT;
    *out = x;
    if (!has_missing(x))
        return SF_OK;
    *own = sfi_alloc(ctx, (size_t)(x.rows * x.cols), sizeof **own);
    if (*own == NULL)
        return SF_E_NOMEM;
    *out = (sf_cmat){*own, x.rows, x.cols, x.cols};
    o.seed = draw.seed = j->c->common.seed;
    o.frame = frame;
    /* What suits most tables, without a search: these are draws, not answers. */
    o.bandwidth = 1.0;
    o.forget = 0.1;
    o.donors = x.rows < DONORS ? 0 : DONORS;
    draw.with = SF_IMPUTE_DRAW;
    draw.own_rows = true;
    SFI_TRY(sf_imputer_fit(ctx, &imputer, x, j->data.names, &o, NULL));
    const sf_status status = sf_impute(
        ctx, (sf_mat){*own, x.rows, x.cols, x.cols}, imputer, x, &draw);
    sf_imputer_free(imputer);
    return status;
}

/* ---- candidates --------------------------------------------------------------- */

/* Whether a candidate has a place for these columns. */
static bool is_possible(const fit_job *j, int kind)
{
    return kind >= FIT_ROWS_EMPIRICAL || !j->data.has_levels;
}

static sf_status fit_one(fit_job *j, sf_model **out, int kind, sf_cmat rows,
                         const sf_frame *frame)
{
    sf_context *ctx = j->c->ctx;
    const char *const *columns = j->data.names;
    sf_gaussian_options g = SF_GAUSSIAN_OPTIONS_INIT;
    sf_mixture_options m = SF_MIXTURE_OPTIONS_INIT;
    sf_empirical_options e = SF_EMPIRICAL_OPTIONS_INIT;
    sf_local_options l = SF_LOCAL_OPTIONS_INIT;
    m.seed = e.seed = j->c->common.seed;
    e.frame = l.frame = frame;
    if (kind == FIT_ROWS_ADAPTIVE)
        e.bandwidth = SF_BANDWIDTH_ADAPTIVE;
    if (kind == FIT_ROWS_ADAPTIVE && rows.rows > COMPARED_ROWS)
        e.loo_rows = FEW_LEFT_OUT;
    switch (kind) {
    case FIT_ROWS_GAUSSIAN:
        j->gaussian_fit = (sf_gaussian_fit)SF_GAUSSIAN_FIT_INIT;
        return sf_fit_gaussian_with(ctx, out, rows, columns, &g,
                                    &j->gaussian_fit);
    case FIT_ROWS_MIXTURE:
        j->mixture_fit = (sf_mixture_fit)SF_MIXTURE_FIT_INIT;
        return sf_fit_mixture(ctx, out, rows, columns, &m, &j->mixture_fit);
    case FIT_ROWS_LOCAL:
        return sf_fit_local(ctx, out, rows, columns, &l, NULL);
    default:
        return sf_fit_empirical(ctx, out, rows, columns, &e, &j->noise);
    }
}

/* Whether a candidate's rows may lack cells. */
static bool takes_missing(int kind)
{
    return kind <= FIT_ROWS_EMPIRICAL;
}

static sf_status fit_kind(fit_job *j, sf_model **out, int kind, sf_cmat rows,
                          const sf_frame *frame)
{
    double *own = NULL;
    sf_cmat used = rows;
    cli_progress_begin(j->c);
    sf_status status = SF_OK;
    if (!takes_missing(kind))
        status = fill(j, rows, frame, &own, &used);
    if (status == SF_OK)
        status = fit_one(j, out, kind, used, frame);
    cli_progress_end(j->c);
    sfi_free(j->c->ctx, own, (size_t)(rows.rows * rows.cols), sizeof *own);
    if (status == SF_OK)
        status = sf_model_describe(*out, j->data.all);
    return status;
}

/* ---- judging -------------------------------------------------------------------- */

/* Dates are numbers here, rounded to days where they are such. */
static void keep_dates(const fit_data *d, const sf_frame *like, sf_table *table,
                       const double *before)
{
    for (int64_t k = 0; k < d->dim; k++) {
        const char *unit = sf_frame_unit(like, k);
        const bool days = unit != NULL && strcmp(unit, "d") == 0;
        if (sf_frame_kind(like, k) != SF_KIND_DATE)
            continue;
        for (int64_t i = 0; i < table->rows; i++) {
            const double x = before[i * table->cols + k];
            table->data[i * table->cols + k] = days ? rint(x) : x;
        }
    }
}

/* The drawn cells as the table has them, missing where its rows miss them. */
static sf_status finish_cells(const fit_job *j, const sf_model *model,
                              const row_parts *p, sf_table *table)
{
    sf_context *ctx = j->c->ctx;
    const size_t cells = (size_t)(table->rows * table->cols);
    double *before = sfi_alloc(ctx, cells, sizeof *before);
    if (before == NULL)
        return SF_E_NOMEM;
    memcpy(before, table->data, cells * sizeof *before);
    sf_context_set_warning(ctx, NULL, NULL);
    const sf_status status = sf_model_cells(model, table);
    sf_context_set_warning(ctx, cli_on_warning, j->c);
    keep_dates(&j->data, p->judged, table, before);
    sfi_free(ctx, before, cells, sizeof *before);
    for (int64_t i = 0; i < table->rows; i++)
        for (int64_t k = 0; k < table->cols; k++)
            if (isnan(p->judged_rows.data[i * p->judged_rows.stride + k]))
                table->data[i * table->cols + k] = (double)NAN;
    return status;
}

/* A frame over a drawn table, whose levels are those of `like`. */
static sf_status frame_drawn(const fit_job *j, sf_frame **out,
                             const sf_frame *like, const sf_table *table)
{
    sf_context *ctx = j->c->ctx;
    const size_t cols = (size_t)table->cols;
    sf_frame_column *columns = sfi_alloc(ctx, cols, sizeof *columns);
    if (columns == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < table->cols; k++) {
        sf_frame_column *column = &columns[k];
        const sf_kind kind = sf_frame_kind(like, k);
        *column = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        column->name = j->data.names[k];
        column->data = table->data + k;
        column->stride = table->cols * (int64_t)sizeof(double);
        if (kind == SF_KIND_DATE) {
            column->kind = kind;
            column->unit = sf_frame_unit(like, k);
        }
        if (sf_frame_level_count(like, k) == 0)
            continue;
        column->kind = SF_KIND_CATEGORY;
        column->levels = (const char *const *)table->columns[k].levels;
        column->level_count = table->columns[k].level_count;
    }
    const sf_status status =
        sf_frame_new(ctx, out, table->rows, table->cols, columns);
    sfi_free(ctx, columns, cols, sizeof *columns);
    return status;
}

/* Table number `draw` of a model, compared. */
static sf_status judge_table(fit_job *j, const sf_model *model,
                             const row_parts *p, int draw, sf_frames_draws *out)
{
    cli *c = j->c;
    sf_table table = {0};
    sf_frame *drawn = NULL;
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    sf_compare_options test = SF_COMPARE_OPTIONS_INIT;
    sf_frames_options f = SF_FRAMES_OPTIONS_INIT;
    s.seed = c->common.seed + 1 + (uint64_t)draw;
    f.seed = c->common.seed;
    f.held_out = p->judged;
    test.permutations = draw == 0 ? 199 : 0;
    f.numbers = &test;
    SFI_TRY(cli_model_table(c, model, p->judged_rows.rows, &table));
    const sf_mat cells = {table.data, table.rows, table.cols, table.cols};
    sf_status status = sf_sample(model, cells, &s);
    if (status == SF_OK)
        status = finish_cells(j, model, p, &table);
    if (status == SF_OK)
        status = frame_drawn(j, &drawn, p->judged, &table);
    if (status == SF_OK)
        status = sf_compare_draws(c->ctx, out, p->fitted, drawn, &f);
    sf_frame_free(drawn);
    sf_table_free(c->ctx, &table);
    return status;
}

static sf_status judge_draws(fit_job *j, fit_score *score, const row_parts *p,
                             int tables)
{
    for (int t = 0; t < tables; t++) {
        sf_frames_draws d = SF_FRAMES_DRAWS_INIT;
        SFI_TRY(judge_table(j, score->model, p, score->tables, &d));
        score->energies[score->tables] = d.energy;
        score->ratio += d.closeness_ratio / FIT_TABLES;
        score->copies += (d.copies[1] - d.copies[0]) / FIT_TABLES;
        if (score->tables == 0)
            score->p = d.energy_p;
        score->tables++;
    }
    return SF_OK;
}

/* Log likelihoods of the judged rows that lack no cell, which are rows for every
 * candidate. */
static sf_status judge_likelihood(fit_job *j, fit_score *score,
                                  const row_parts *p)
{
    sf_context *ctx = j->c->ctx;
    sf_frame *whole = NULL;
    sf_cmat x;
    if (!sf_model_can(score->model, SF_CAN_LOGPDF))
        return SF_OK;
    if (sf_frame_complete(ctx, &whole, p->judged) != SF_OK) {
        sfi_message_clear(ctx);
        return SF_OK;
    }
    sf_status status = sf_frame_matrix(ctx, whole, &x);
    const size_t want = (size_t)(score->rows + x.rows);
    double *grown =
        sfi_grow(ctx, score->logpdf, &score->room, want, sizeof *score->logpdf);
    if (grown != NULL)
        score->logpdf = grown;
    else
        status = SF_E_NOMEM;
    if (status == SF_OK)
        status =
            sf_logpdf(score->model, x, score->logpdf + score->rows, NULL, NULL);
    score->rows += status == SF_OK ? x.rows : 0;
    sf_frame_free(whole);
    return status;
}

/* Densities with respect to counting in the same columns can be compared. */
static bool has_one_measure(const sf_model *a, const sf_model *b)
{
    static const char *const counted[] = {"integer", "poisson", "binomial"};
    char text[2][SF_KERNEL_TEXT];
    for (int64_t k = 0; k < sf_model_dim(a); k++) {
        bool counts[2] = {false, false};
        sf_model_kernel(a, k, text[0]);
        sf_model_kernel(b, k, text[1]);
        for (int m = 0; m < 2; m++)
            for (size_t i = 0; i < SFI_COUNT(counted); i++)
                counts[m] |=
                    strncmp(text[m], counted[i], strlen(counted[i])) == 0;
        if (counts[0] != counts[1])
            return false;
    }
    return true;
}

/* A candidate that these rows or the time limit do not allow is none. */
static bool is_forgivable(sf_status status)
{
    return (status == SF_E_CANCELLED && !cli_stop_wanted()) ||
           status == SF_E_ARG || status == SF_E_NUMERIC ||
           status == SF_E_FORMAT || status == SF_E_CONVERGE;
}

/* What follows may take this share of the time that is left. */
static void set_deadline(fit_job *j, double share)
{
    const double left = fmax(fit_time_left(j), 0.001);
    j->c->deadline = isfinite(left) ? sfi_clock() + share * left : 0.0;
}

/* Fit a candidate to a part, and judge `tables` tables of it. */
static sf_status weigh(fit_job *j, int kind, const row_parts *p, int tables)
{
    cli *c = j->c;
    fit_score *score = &j->scores[kind];
    if (score->failed || !is_possible(j, kind))
        return SF_OK;
    sf_model_free(score->model);
    score->model = NULL;
    set_deadline(j, 0.35);
    sf_status status =
        fit_kind(j, &score->model, kind, p->fitted_rows, p->fitted);
    if (status == SF_OK)
        status = judge_draws(j, score, p, tables);
    if (status == SF_OK)
        status = judge_likelihood(j, score, p);
    c->deadline = 0.0;
    if (!is_forgivable(status))
        return status;
    cli_note(c, "%s: not fitted: %s", score->name,
             status == SF_E_CANCELLED ? "the time limit left too little time"
                                      : sf_context_message(c->ctx));
    sfi_message_clear(c->ctx);
    sf_model_free(score->model);
    score->model = NULL;
    score->failed = true;
    return SF_OK;
}

static void sum_up(fit_job *j, fit_score *s)
{
    if (s->model == NULL)
        return;
    fit_mean_and_error(s->energies, s->tables, &s->energy, &s->energy_se);
    if (s->rows >= 2)
        fit_mean_and_error(s->logpdf, s->rows, &s->mean, &s->se);
    cli_note(j->c, "%s: energy distance %.4f ± %.4f, closeness ratio %.2f",
             s->name, s->energy, s->energy_se, s->ratio);
}

/* ---- which one -------------------------------------------------------------------- */

static const char *reason_to_drop(const fit_score *s)
{
    return s->copies > most_copies  ? "copies"
           : s->ratio < least_ratio ? "too close"
                                    : NULL;
}

/* Those that may be kept: of rows neither copied nor too close, or, where there is
 * none, all. */
static bool mark_allowed(fit_job *j, bool allowed[FIT_ROWS_KINDS])
{
    bool any = false;
    for (int k = 0; k < FIT_ROWS_KINDS; k++) {
        fit_score *s = &j->scores[k];
        allowed[k] = s->model != NULL && reason_to_drop(s) == NULL;
        s->verdict = s->model != NULL ? reason_to_drop(s) : NULL;
        any |= allowed[k];
    }
    for (int k = 0; k < FIT_ROWS_KINDS && !any; k++)
        allowed[k] = j->scores[k].model != NULL;
    return any;
}

static int nearest(const fit_job *j, const bool allowed[FIT_ROWS_KINDS])
{
    int best = -1;
    for (int k = 0; k < FIT_ROWS_KINDS; k++)
        if (allowed[k] &&
            (best < 0 || j->scores[k].energy < j->scores[best].energy))
            best = k;
    return best;
}

/* Of those allowed the one that no other gains more over than its standard error in
 * likelihood, from the simplest on; -1 if none has one. */
static int likeliest(const fit_job *j, const bool allowed[FIT_ROWS_KINDS])
{
    int kept = -1;
    for (int k = 0; k < FIT_ROWS_KINDS; k++) {
        const fit_score *s = &j->scores[k];
        double gain, se;
        if (!allowed[k] || s->rows < 2)
            continue;
        if (kept < 0 || (has_one_measure(s->model, j->scores[kept].model) &&
                         fit_is_likelier(s->logpdf, j->scores[kept].logpdf,
                                         s->rows, &gain, &se)))
            kept = k;
    }
    return kept;
}

/* Whether a distance is larger than the smallest by more than chance, as far as the
 * same held-out rows tell. */
static bool is_farther(const fit_score *s, const fit_score *best)
{
    double off[FIT_TABLES], mean, se;
    for (int t = 0; t < best->tables; t++)
        off[t] = s->energies[t] - best->energies[t];
    fit_mean_and_error(off, best->tables, &mean, &se);
    return mean > se;
}

static int choose_by_rows(fit_job *j)
{
    bool allowed[FIT_ROWS_KINDS];
    const bool any = mark_allowed(j, allowed);
    const int best = nearest(j, allowed);
    if (best < 0)
        return -1;
    int ties = 0, simplest = -1;
    for (int k = FIT_ROWS_KINDS - 1; k >= 0; k--) {
        allowed[k] = allowed[k] && (k == best || !is_farther(&j->scores[k],
                                                             &j->scores[best]));
        ties += allowed[k];
        simplest = allowed[k] ? k : simplest;
    }
    const int most = likeliest(j, allowed);
    const int kept = ties > 1 && most >= 0 ? most : simplest;
    int others = 0;
    for (int k = 0; k < FIT_ROWS_KINDS; k++)
        others += j->scores[k].model != NULL;
    snprintf(j->why, sizeof j->why, "its rows are %s%s%s",
             others > 1 ? "nearest to the held-out ones"
                        : "the only ones that could be drawn",
             ties <= 1      ? ""
             : kept == best ? ", and of those as near it is the likeliest"
             : kept == most ? ", within a standard error, and of those as "
                              "near it is the likeliest"
                            : ", within a standard error, and it is the "
                              "simplest of these",
             any ? ""
                 : "; all candidates draw rows that are too close to those "
                   "they were fitted to");
    return kept;
}

static int choose_by_likelihood(fit_job *j)
{
    bool allowed[FIT_ROWS_KINDS];
    for (int k = 0; k < FIT_ROWS_KINDS; k++)
        allowed[k] = j->scores[k].model != NULL;
    const int kept = likeliest(j, allowed);
    if (kept >= 0)
        snprintf(j->why, sizeof j->why,
                 "no other gains more than its standard error in likelihood "
                 "on %lld held-out rows",
                 (long long)j->scores[kept].rows);
    return kept;
}

/* ---- all rows ------------------------------------------------------------------------ */

static candidate *place_of(fit_job *j, int kind)
{
    return kind == FIT_ROWS_GAUSSIAN  ? &j->gaussian
           : kind == FIT_ROWS_MIXTURE ? &j->mixture
                                      : &j->empirical;
}

/* All rows, or as many as models of rows hold. */
static sf_status fit_all_rows(fit_job *j, int kind, sf_model **out)
{
    sf_context *ctx = j->c->ctx;
    const fit_data *d = &j->data;
    sf_frame *frame = NULL;
    sf_cmat rows = d->matrix;
    if (rows.rows <= MODEL_ROWS || kind < FIT_ROWS_EMPIRICAL)
        return fit_kind(j, out, kind, rows, d->whole);
    SFI_TRY(
        sfi_frame_view(ctx, &frame, d->whole, NULL, d->dim, NULL, rows.rows));
    sf_status status =
        cut(ctx, &frame, MODEL_ROWS, j->network_options.seed + 3);
    if (status == SF_OK)
        status = sf_frame_matrix(ctx, frame, &rows);
    cli_note(j->c, "holds %d of %lld rows, drawn at random", (int)MODEL_ROWS,
             (long long)d->complete);
    if (status == SF_OK)
        status = fit_kind(j, out, kind, rows, frame);
    sf_frame_free(frame);
    return status;
}

/* The same to all rows; where there is no time left, the one of a part of them. */
static sf_status fit_whole(fit_job *j, int kind)
{
    candidate *k = place_of(j, kind);
    const fit_score before = j->scores[kind];
    const sf_gaussian_fit gaussian = j->gaussian_fit;
    const sf_mixture_fit mixture = j->mixture_fit;
    const sf_empirical_report noise = j->noise;
    j->kept = k;
    j->is_local = kind == FIT_ROWS_LOCAL;
    if (!takes_missing(kind) && j->data.missing > 0)
        cli_note(j->c,
                 "%lld missing cells are filled with draws given the others of "
                 "their rows, since its rows want all cells",
                 (long long)j->data.missing);
    sf_status status = SF_E_CANCELLED;
    if (!cli_stop_wanted()) {
        set_deadline(j, 1.0);
        status = fit_all_rows(j, kind, &k->model);
        j->c->deadline = 0.0;
    }
    if (status == SF_E_CANCELLED) {
        cli_warn(j->c, "%s: the model of a part of the rows is kept",
                 cli_stop_wanted() ? "interrupted" : "no time is left");
        j->gaussian_fit = gaussian;
        j->mixture_fit = mixture;
        j->noise = noise;
        k->model = before.model;
        j->scores[kind].model = NULL;
        return SF_OK;
    }
    SFI_TRY(fit_data_error(&j->data, status));
    if (kind == FIT_ROWS_GAUSSIAN)
        k->mean = j->gaussian_fit.log_likelihood / (double)j->gaussian_fit.rows;
    if (kind == FIT_ROWS_MIXTURE)
        k->mean = j->mixture_fit.log_likelihood / (double)j->mixture_fit.rows;
    return SF_OK;
}

/* One part is held out, or, of few rows, one after the other. */
static sf_status judge_all(fit_job *j)
{
    const int folds = j->data.complete < MANY_ROWS ? FIT_TABLES : 1;
    sf_status status = SF_OK;
    for (int kind = 0; kind < FIT_ROWS_KINDS; kind++)
        j->scores[kind] = (fit_score){.name = names[kind]};
    for (int f = 0; f < folds && status == SF_OK; f++) {
        row_parts p = {0};
        status = take_parts(j, &p, f);
        for (int kind = 0; kind < FIT_ROWS_KINDS && status == SF_OK; kind++)
            status = weigh(j, kind, &p, FIT_TABLES / folds);
        j->held.count = p.judged != NULL ? sf_frame_rows(p.judged) : 0;
        sf_frame_free(p.judged);
        sf_frame_free(p.fitted);
    }
    for (int kind = 0; kind < FIT_ROWS_KINDS && status == SF_OK; kind++)
        sum_up(j, &j->scores[kind]);
    return status;
}

sf_status fit_auto_rows(fit_job *j)
{
    SFI_TRY(judge_all(j));
    const int kept = j->o->purpose == FIT_FOR_DENSITY ? choose_by_likelihood(j)
                                                      : choose_by_rows(j);
    if (kept < 0)
        return SFI_FAIL(j->c->ctx, SF_E_NUMERIC, "%s: no candidate could be %s",
                        cli_shown_path(j->data.path),
                        j->o->purpose == FIT_FOR_DENSITY
                            ? "judged by its likelihood"
                            : "fitted and drawn from");
    j->scores[kept].verdict = "kept";
    cli_note(j->c, "keeps %s: %s", names[kept], j->why);
    return fit_whole(j, kept);
}

void fit_report_scores(const fit_job *j, json_t *list)
{
    for (int k = 0; k < FIT_ROWS_KINDS; k++) {
        const fit_score *s = &j->scores[k];
        if (s->tables == 0 || s->failed)
            continue;
        json_t *row = cli_add_object(j->c, list);
        cli_put_text(j->c, row, "family", s->name);
        cli_put_number(j->c, row, "energy_distance", s->energy);
        cli_put_number(j->c, row, "energy_distance_se", s->energy_se);
        cli_put_number(j->c, row, "p", s->p);
        cli_put_number(j->c, row, "closeness_ratio", s->ratio);
        cli_put_number(j->c, row, "copies_beyond_chance", s->copies);
        cli_put_number(j->c, row, "held_out_log_likelihood",
                       s->rows >= 2 ? s->mean : NAN);
        cli_put_number(j->c, row, "held_out_log_likelihood_se",
                       s->rows >= 2 ? s->se : NAN);
        cli_put_text(j->c, row, "verdict",
                     s->verdict != NULL ? s->verdict : "");
    }
}

void fit_free_scores(fit_job *j)
{
    for (int k = 0; k < FIT_ROWS_KINDS; k++) {
        sfi_free(j->c->ctx, j->scores[k].logpdf, j->scores[k].room,
                 sizeof(double));
        sf_model_free(j->scores[k].model);
    }
}
