/* SPDX-License-Identifier: Apache-2.0 */
/* closeness.c - how near draws of local models are to their rows.
 *
 * Draws from rows and their neighbours are nearer to these rows than other rows of
 * their distribution are, the nearer the fewer neighbours: the median distance to the
 * nearest row over that of rows that were held out says how much.
 *
 * Each fold has one model, of the most neighbours, which are kept nearest first, so that
 * another number of them is another number in the model and no other search. */
#include "base/parallel.h"
#include "base/random.h"
#include "fit/local_fit.h"
#include "model/local.h"
#include "model/model.h"
#include "num/sort.h"
#include "scorefield/flow.h"

#include <math.h>
#include <string.h>

enum {
    LEAST_ROWS = 40,
    LEAST_K = 3,
    TENTH = 10,
    ROWS_OF_ALL_FOLDS = 5000, /* above that one fold tells enough            */
    MOST_HELD_OUT = 2000,
    DRAWS = 400, /* of a fold of ten                                         */
    WORTH = 1 << 14
};

typedef struct closeness_job {
    sf_context *ctx;
    sf_cmat data;
    const char *const *names;
    const sf_local_options *o;
    uint64_t seed;
    sf_closeness *r;
    int64_t *order;      /* [n] rows at random                               */
    int64_t held, draws; /* of a fold                                        */
    double *train;       /* [n, d] the first are those of a fold             */
    double *queries;     /* [held or draws, d]                               */
    double *unit;        /* [d] ranges, 0 of levels                          */
    double *held_dcr;    /* [folds held]                                     */
    double *drawn_dcr;   /* [count, folds draws]                             */
    double *scratch;     /* [the longer of these]                            */
} closeness_job;

/* ---- distances --------------------------------------------------------------- */

typedef struct nearest_job {
    const closeness_job *c;
    const double *x; /* [count, d] */
    int64_t rows;    /* of c->train */
    double *out;     /* [count] */
} nearest_job;

/* The distance of x and y, or any number above `bound` beyond it. */
static double distance(const closeness_job *c, const double *x, const double *y,
                       double bound)
{
    double sum = 0.0;
    for (int64_t j = 0; j < c->data.cols && !(sum > bound); j++)
        sum += c->unit[j] > 0.0 ? fabs(x[j] - y[j]) / c->unit[j]
                                : (x[j] != y[j] ? 1.0 : 0.0);
    return sum;
}

static void find_nearest(void *user, int64_t part, int64_t first, int64_t count)
{
    const nearest_job *job = user;
    const int64_t d = job->c->data.cols;
    (void)part;
    for (int64_t q = first; q < first + count; q++) {
        double least = INFINITY;
        for (int64_t i = 0; i < job->rows; i++)
            least = fmin(least, distance(job->c, job->x + q * d,
                                         job->c->train + i * d, least));
        job->out[q] = least;
    }
}

static void nearest(const closeness_job *c, int64_t count, int64_t rows,
                    double *out)
{
    nearest_job job = {c, c->queries, rows, out};
    sfi_parallel(c->ctx, count, 1 + WORTH / (rows * c->data.cols), find_nearest,
                 &job);
}

/* ---- a fold -------------------------------------------------------------------- */

static void take_row(const closeness_job *c, int64_t row, double *to)
{
    memcpy(to, c->data.data + c->order[row] * c->data.stride,
           (size_t)c->data.cols * sizeof *to);
}

/* Rows of the fold to c->queries, and all others to c->train: how many of these. */
static int64_t split(const closeness_job *c, int64_t fold)
{
    const int64_t first = fold * c->held, d = c->data.cols;
    int64_t rows = 0;
    for (int64_t i = 0; i < c->data.rows; i++)
        if (i >= first && i < first + c->held)
            take_row(c, i, c->queries + (i - first) * d);
        else
            take_row(c, i, c->train + rows++ * d);
    return rows;
}

static void set_neighbours(sf_model *m, int64_t k)
{
    for (int i = 0; i < m->number_count; i++)
        if (strcmp(m->numbers[i].key, "neighbours") == 0)
            m->numbers[i].value = (double)k;
}

/* Draws as a table of theirs would have them. */
static void round_draws(const closeness_job *c, const sf_model *m)
{
    const int64_t d = c->data.cols;
    for (int64_t j = 0; j < d; j++) {
        const int decimals = sf_model_decimals(m, j);
        const sf_support support = sf_model_support(m, j);
        for (int64_t i = 0; i < c->draws && decimals >= 0; i++)
            c->queries[i * d + j] =
                sfi_on_grid(c->queries[i * d + j], decimals, support);
    }
}

static sf_status draw_points(const closeness_job *c, sf_model *m, int64_t fold,
                             int64_t rows)
{
    const int64_t drawn = c->r->folds * c->draws;
    const sf_mat out = {c->queries, c->draws, c->data.cols, c->data.cols};
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    s.seed = c->seed;
    s.first = fold * c->draws;
    for (int64_t p = 0; p < c->r->count; p++) {
        const sf_progress progress = {.stage = "closeness",
                                      .step = fold * c->r->count + p,
                                      .steps = c->r->folds * c->r->count,
                                      .loss = (double)NAN,
                                      .held_out = (double)NAN};
        if (!sfi_progress(c->ctx, &progress, false))
            return SFI_FAIL(c->ctx, SF_E_CANCELLED, "closeness: stopped");
        set_neighbours(m, c->r->point[p].neighbours);
        SFI_TRY(sf_sample(m, out, &s));
        round_draws(c, m);
        nearest(c, c->draws, rows, c->drawn_dcr + p * drawn + fold * c->draws);
    }
    return SF_OK;
}

static sf_status take_fold(const closeness_job *c, int64_t fold)
{
    const int64_t rows = split(c, fold), d = c->data.cols;
    sf_local_options o = *c->o;
    sf_local_report report = {0};
    sf_model *m = NULL;
    o.neighbours = c->r->point[c->r->count - 1].neighbours;
    SFI_TRY(sfi_fit_local(c->ctx, &m, (sf_cmat){c->train, rows, d, d}, c->names,
                          &o, &report));
    for (int64_t j = 0; j < d; j++)
        if (sfi_local_of(m).levels[j] > 0.0)
            c->unit[j] = 0.0;
    nearest(c, c->held, rows, c->held_dcr + fold * c->held);
    const sf_status status = draw_points(c, m, fold, rows);
    sf_model_free(m);
    return status;
}

/* ---- the curve ------------------------------------------------------------------ */

/* The median of x [n], sorted, and its standard error: half the distance of the
 * quantiles that are a standard deviation of the median's rank away. */
static double median_of(const double *x, int64_t n, double *se)
{
    const double step = 0.5 / sqrt((double)n);
    *se =
        0.5 * (sfi_quantile(x, n, 0.5 + step) - sfi_quantile(x, n, 0.5 - step));
    return sfi_quantile(x, n, 0.5);
}

static sf_status judge(const closeness_job *c, double ratio)
{
    const int64_t held = c->r->held_out, drawn = c->r->drawn;
    double held_se, se;
    sfi_sort(c->held_dcr, c->scratch, held);
    const double usual = median_of(c->held_dcr, held, &held_se);
    const double least = sfi_quantile(c->held_dcr, held, 0.05);
    if (!(usual > 0.0))
        return SFI_FAIL(c->ctx, SF_E_NUMERIC,
                        "closeness: half of the held-out rows equal another "
                        "row, so that there is no distance to compare with");
    for (int64_t p = 0; p < c->r->count; p++) {
        double *x = c->drawn_dcr + p * drawn;
        sf_closeness_point *point = &c->r->point[p];
        sfi_sort(x, c->scratch, drawn);
        const double median = median_of(x, drawn, &se);
        int64_t near = 0;
        while (near < drawn && x[near] < least)
            near++;
        point->ratio = median / usual;
        point->ratio_se = hypot(se, point->ratio * held_se) / usual;
        point->near = (double)near / (double)drawn;
        if (c->r->neighbours == 0 && point->ratio + point->ratio_se >= ratio)
            c->r->neighbours = point->neighbours;
    }
    return SF_OK;
}

/* k in steps of about a quarter, and the most. */
static void set_points(sf_closeness *r, int64_t rows)
{
    const int64_t quarter = rows / 4;
    const int64_t most = quarter < SFI_LOCAL_MOST ? quarter : SFI_LOCAL_MOST;
    for (int64_t k = LEAST_K; k < most; k += k < 6 ? 1 : k / 4 + 1)
        r->point[r->count++].neighbours = k;
    r->point[r->count++].neighbours = most;
}

static sf_status run(closeness_job *c, double ratio)
{
    const int64_t d = c->data.cols;
    for (int64_t j = 0; j < d; j++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < c->data.rows; i++) {
            low = fmin(low, c->data.data[i * c->data.stride + j]);
            high = fmax(high, c->data.data[i * c->data.stride + j]);
        }
        c->unit[j] = high - low;
    }
    for (int64_t i = 0; i < c->data.rows; i++)
        c->order[i] = i;
    sfi_shuffle(c->seed, 0, c->order, c->data.rows);
    for (int64_t fold = 0; fold < c->r->folds; fold++)
        SFI_TRY(take_fold(c, fold));
    return judge(c, ratio);
}

static void plan(closeness_job *c)
{
    const int64_t n = c->data.rows;
    c->r->folds = n <= ROWS_OF_ALL_FOLDS ? TENTH : 1;
    c->held = n / TENTH < MOST_HELD_OUT ? n / TENTH : MOST_HELD_OUT;
    c->draws = c->r->folds > 1 ? DRAWS : MOST_HELD_OUT;
    c->draws = c->draws < n - c->held ? c->draws : n - c->held;
    c->r->held_out = c->r->folds * c->held;
    c->r->drawn = c->r->folds * c->draws;
    set_points(c->r, n - c->held);
}

sf_status sf_local_closeness(sf_context *ctx, sf_closeness *out, sf_cmat data,
                             const char *const *names,
                             const sf_local_options *options, double ratio,
                             uint64_t seed)
{
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    sf_closeness r = SF_CLOSENESS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    if (!(ratio > 0.0) || !isfinite(ratio) || data.rows < LEAST_ROWS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "closeness: the ratio is %g and there are %lld rows; "
                        "want more than 0, and %d rows",
                        ratio, (long long)data.rows, (int)LEAST_ROWS);
    closeness_job c = {.ctx = ctx,
                       .data = data,
                       .names = names,
                       .o = &o,
                       .seed = seed,
                       .r = &r};
    plan(&c);
    const size_t n = (size_t)data.rows, d = (size_t)data.cols;
    const size_t queries = (size_t)(c.held > c.draws ? c.held : c.draws);
    const size_t held = (size_t)r.held_out, drawn = (size_t)r.drawn;
    const size_t longer = held > drawn ? held : drawn;
    const size_t cells =
        (n + queries + 1) * d + held + longer + drawn * (size_t)r.count;
    c.order = sfi_alloc(ctx, n, sizeof *c.order);
    c.train = sfi_alloc(ctx, cells, sizeof *c.train);
    sf_status status = SF_E_NOMEM;
    if (c.order != NULL && c.train != NULL) {
        c.queries = c.train + n * d;
        c.unit = c.queries + queries * d;
        c.held_dcr = c.unit + d;
        c.scratch = c.held_dcr + held;
        c.drawn_dcr = c.scratch + longer;
        status = run(&c, ratio);
    }
    sfi_free(ctx, c.train, cells, sizeof *c.train);
    sfi_free(ctx, c.order, n, sizeof *c.order);
    if (status == SF_OK)
        sfi_result(out, &r, sizeof r);
    return status;
}
