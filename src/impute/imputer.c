/* SPDX-License-Identifier: Apache-2.0 */
/* imputer.c - missing cells from their distribution given the others.
 *
 * Rows are sorted by their patterns of missing numbers; each pattern splits the
 * components once, and its rows are dealt to lanes, which have the scratch of one row.
 * A row's levels weigh the components besides, and their weights are all that its
 * missing levels need. */
#include "impute/imputer_atoms.h"

#include "base/parallel.h"
#include "base/random.h"
#include "model/model.h"
#include "num/linalg.h"
#include "num/normal_sum.h"
#include "num/patterns.h"
#include "num/probability.h"
#include "num/truncated.h"

#include <math.h>
#include <string.h>

enum { MOST_LANES = 16, ATTEMPTS = 100 };

/* Components of the random numbers of a row: the component, then normal ones for each
 * attempt; uniform ones of categories. */
enum { LEVEL_UNIFORMS = 1 << 30 };

/* Components of less weight than this are not seen in an answer; of many, all that are
 * left out together move a quantile by less than a millionth of its spread. */
static double least_weight(int64_t count)
{
    return count > 1000 ? 1e-7 / (double)count : 1e-13;
}

/* ---- memory ------------------------------------------------------------------ */

void sf_imputer_free(sf_imputer *m)
{
    if (m == NULL)
        return;
    sf_context *ctx = m->ctx;
    const size_t d = (size_t)m->dim;
    for (size_t j = 0; j < d && m->column != NULL; j++)
        sfi_free(ctx, m->column[j].at, (size_t)m->column[j].atoms,
                 sizeof *m->column[j].at);
    sfi_free(ctx, m->own, (size_t)m->rows, sizeof *m->own);
    sfi_free(ctx, m->number, d, sizeof *m->number);
    sfi_free(ctx, m->column, d, sizeof *m->column);
    sfi_donors_free(ctx, &m->donors);
    sfi_parts_free(ctx, &m->parts);
    sfi_product_free(m->product);
    sfi_free(ctx, m, 1, sizeof *m);
}

sf_status sfi_imputer_new(sf_context *ctx, sf_imputer **out, int64_t dim,
                          int64_t rows)
{
    const size_t d = (size_t)dim;
    *out = NULL;
    sf_imputer *m = sfi_alloc_zero(ctx, 1, sizeof *m);
    if (m == NULL)
        return SF_E_NOMEM;
    m->ctx = ctx;
    m->table = dim;
    m->dim = dim;
    m->rows = rows;
    m->column = sfi_alloc_zero(ctx, d, sizeof *m->column);
    m->number = sfi_alloc(ctx, d, sizeof *m->number);
    m->own = sfi_alloc(ctx, (size_t)rows, sizeof *m->own);
    if (m->column == NULL || m->number == NULL || m->own == NULL) {
        sf_imputer_free(m);
        return SF_E_NOMEM;
    }
    for (size_t j = 0; j < d; j++)
        m->column[j] = (sfi_imputed_column){.sd = 1.0,
                                            .lower = -INFINITY,
                                            .upper = INFINITY,
                                            .decimals = -1,
                                            .pair = -1};
    *out = m;
    return SF_OK;
}

void sfi_imputer_place(sf_imputer *m, int64_t target)
{
    int64_t categories = 0;
    m->numbers = 0;
    for (int64_t j = 0; j < m->dim; j++)
        if (m->column[j].levels == 0) {
            m->column[j].place = m->numbers;
            m->number[m->numbers++] = j;
        } else if (j != target) {
            m->column[j].place = categories++;
        }
    if (target >= 0)
        m->column[target].place = categories;
}

/* The components of a model, which are of numbers, or a data set under kernels. */
static sf_status take_parts(sf_imputer *m, const sf_model *model)
{
    const bool product = sfi_product_is_needed(model);
    SFI_TRY(product ? sfi_product_new(model, &m->product)
                    : model->ops->parts(m->ctx, model, &m->parts));
    for (int64_t j = 0; j < m->dim; j++) {
        m->column[j].decimals = sf_model_decimals(model, j);
        m->column[j].levels = product ? sf_model_categories(model, j) : 0;
    }
    sfi_imputer_place(m, -1);
    if (product)
        return SF_OK;
    return sfi_donors_new(m->ctx, &m->donors, 0, NULL, NULL, -1, 1,
                          m->parts.count);
}

sf_status sf_imputer_new(sf_context *ctx, sf_imputer **out,
                         const sf_model *model)
{
    *out = NULL;
    SFI_TRY(sfi_want_ability(ctx, model, SF_CAN_CONDITION, "impute"));
    SFI_TRY(sfi_imputer_new(ctx, out, sf_model_dim(model), 0));
    const sf_status status = take_parts(*out, model);
    if (status != SF_OK) {
        sf_imputer_free(*out);
        *out = NULL;
    }
    return status;
}

int64_t sf_imputer_levels(const sf_imputer *m, int64_t column)
{
    return column >= 0 && column < m->table ? m->column[column].levels : 0;
}

/* ---- a row -------------------------------------------------------------------- */

typedef struct scratch {
    sfi_point point;
    double *y;                  /* [numbers] standardised                     */
    double *log_factor;         /* [count] what levels say of components      */
    double *weight, *mean, *sd; /* [count] of one column: those that are seen */
    double *factor, *z;         /* [numbers, numbers], [numbers] of a draw    */
    double *level;              /* [most levels of a category]                */
    double *drawn; /* [numbers] the level that a draw has of its pair, NaN where
                      the number is free of bounds                            */
    int64_t *atom; /* [numbers] that level                                    */
} scratch;

typedef struct impute_job {
    const sf_imputer *m;
    const sf_impute_options *o;
    const sfi_impute_guess *guess; /* or NULL                                */
    sf_cmat x;
    sf_mat out;             /* or                                             */
    sf_imputed_cell *cells; /* for all missing cells, and                     */
    double *levels;         /* probabilities of those that are categories     */
    int64_t *first;         /* [n] a row's first of the cells                 */
    int64_t *first_level;   /* [n] a row's first of the probabilities         */
    const int64_t *without; /* [n] or NULL                                    */
    double *numbers;        /* [n, numbers] of x                              */
    const sfi_patterns *patterns; /* of these                                 */
    int64_t *todo, *begin;        /* rows with a missing cell, by patterns    */
    sfi_given given;
    int64_t pattern;
    int lanes;
    scratch *lane; /* [MOST_LANES] */
} impute_job;

/* The column of missing number a of a row. */
static const sfi_imputed_column *column_of(const impute_job *job, int64_t a)
{
    return &job->m->column[job->m->number[job->given.index[a]]];
}

/* Whether component k is a number of the column, and no atom of it. */
static bool is_number(const impute_job *job, const sfi_imputed_column *c,
                      int64_t k)
{
    const sfi_donors *l = &job->m->donors;
    return c->pair < 0 ||
           !(sfi_donors_level(l, job->m->column[c->pair].place, k) < c->atoms);
}

/* What all components that are numbers of the column weigh. */
static double weight_of_numbers(const impute_job *job, const scratch *s,
                                const sfi_imputed_column *c)
{
    double sum = 0.0;
    for (int64_t k = 0; k < job->m->parts.count && c->pair >= 0; k++)
        sum += is_number(job, c, k) ? s->point.weight[k] : 0.0;
    return c->pair >= 0 ? sum : 1.0;
}

/* The distribution of missing number a of a row, standardised, given that it is no
 * atom: by the components that are none either, if there are some. */
static sfi_normal_sum sum_of(const impute_job *job, const scratch *s, int64_t a)
{
    const sfi_parts *p = &job->m->parts;
    const sfi_imputed_column *c = column_of(job, a);
    const double numbers = weight_of_numbers(job, s, c);
    const bool all = !(numbers > 0.0);
    const double total = all ? 1.0 : numbers;
    const int64_t m = job->given.others;
    const double least = least_weight(p->count);
    int64_t count = 0;
    for (int64_t g = 0; g < p->groups; g++) {
        const double sd = sqrt(job->given.split[g].rest[a * m + a]);
        for (int64_t k = p->first[g]; k < p->first[g + 1]; k++) {
            const double weight = s->point.weight[k] / total;
            if (!(weight > least) || !(all || is_number(job, c, k)))
                continue;
            s->weight[count] = weight;
            s->mean[count] = s->point.mean[k * m + a];
            s->sd[count++] = sd;
        }
    }
    return (sfi_normal_sum){.count = count,
                            .weight = s->weight,
                            .mean = s->mean,
                            .sd = s->sd,
                            .lower = (c->lower - c->mean) / c->sd,
                            .upper = (c->upper - c->mean) / c->sd};
}

/* Mean and variance of component k of a sum, within the bounds. */
static void component_moments(const sfi_normal_sum *s, int64_t k, double *mean,
                              double *variance)
{
    *mean = s->mean[k];
    *variance = s->sd[k] * s->sd[k];
    if (s->lower == -INFINITY && s->upper == INFINITY)
        return;
    double m, v;
    sfi_truncated_moments((s->lower - s->mean[k]) / s->sd[k],
                          (s->upper - s->mean[k]) / s->sd[k], &m, &v);
    *mean += s->sd[k] * m;
    *variance *= v;
}

static double mean_of(const sfi_normal_sum *s)
{
    double sum = 0.0, total = 0.0;
    for (int64_t k = 0; k < s->count; k++) {
        double mean, variance;
        component_moments(s, k, &mean, &variance);
        sum += s->weight[k] * mean;
        total += s->weight[k];
    }
    return sum / total;
}

static double sd_of(const sfi_normal_sum *s, double about)
{
    double sum = 0.0, total = 0.0;
    for (int64_t k = 0; k < s->count; k++) {
        double mean, variance;
        component_moments(s, k, &mean, &variance);
        sum += s->weight[k] * (variance + (mean - about) * (mean - about));
        total += s->weight[k];
    }
    return sqrt(sum / total);
}

static sfi_where where_of(const impute_job *job, int64_t row)
{
    return (sfi_where){job->o->seed, (uint64_t)row, job->o->draw,
                       SFI_STREAM_GIVEN};
}

/* A component by its weight. */
static int64_t draw_component(const scratch *s, int64_t count, sfi_where w)
{
    const double u = sfi_uniform_at(w, 0);
    int64_t k = 0;
    for (double sum = s->point.weight[0]; sum < u && k + 1 < count;)
        sum += s->point.weight[++k];
    return k;
}

/* Move z to its bounds where it is beyond them, unless an atom is drawn instead;
 * whether it was. */
static bool clip(const impute_job *job, scratch *s)
{
    bool was_outside = false;
    for (int64_t a = 0; a < job->given.others; a++) {
        const sfi_imputed_column *c = column_of(job, a);
        if (c->pair >= 0 && isnan(s->drawn[a]))
            continue;
        const double inside = fmin(fmax(s->z[a], (c->lower - c->mean) / c->sd),
                                   (c->upper - c->mean) / c->sd);
        was_outside = was_outside || inside != s->z[a];
        s->z[a] = inside;
    }
    return was_outside;
}

/* A joint draw of the missing numbers from component k, in s->z: drawn again while one
 * is beyond its bounds, which is exact, and in the end moved there. */
static void draw_numbers(const impute_job *job, scratch *s, int64_t k,
                         sfi_where w)
{
    const int64_t m = job->given.others;
    memcpy(s->factor, sfi_given_covariance(&job->given, k),
           (size_t)(m * m) * sizeof *s->factor);
    sfi_root_semidefinite(s->factor, m);
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        const uint32_t at = attempt * (uint32_t)m + 1;
        for (int64_t i = 0; i < m; i++)
            s->y[i] = sfi_normal_quantile(sfi_uniform_at(w, at + (uint32_t)i));
        for (int64_t i = 0; i < m; i++) {
            s->z[i] = s->point.mean[k * m + i];
            for (int64_t j = 0; j <= i; j++)
                s->z[i] += s->factor[i * m + j] * s->y[j];
        }
        if (!clip(job, s))
            return;
    }
}

/* Where a number is drawn that component k, which is an atom, does not have: of another
 * component by its weight, within the bounds; standardised. */
static double draw_other(const impute_job *job, scratch *s, int64_t a,
                         sfi_where w)
{
    const sfi_imputed_column *c = column_of(job, a);
    const sfi_donors *l = &job->m->donors;
    const sfi_normal_sum sum = sum_of(job, s, a);
    const uint32_t at = LEVEL_UNIFORMS +
                        3 * (uint32_t)sfi_donors_categories(l) +
                        (uint32_t)job->m->column[c->pair].place;
    return sfi_normal_sum_quantile(&sum, sfi_uniform_at(w, at));
}

/* Which atom each missing number is in a draw from component k, if it is one. */
static void draw_atoms(const impute_job *job, scratch *s, int64_t k,
                       sfi_where w)
{
    const sfi_donors *l = &job->m->donors;
    for (int64_t a = 0; a < job->given.others; a++) {
        const sfi_imputed_column *c = column_of(job, a);
        if (c->pair < 0)
            continue;
        const int64_t place = job->m->column[c->pair].place;
        const uint32_t at = LEVEL_UNIFORMS + 3 * (uint32_t)place;
        const int64_t level = sfi_donors_draw(
            l, place, k, sfi_uniform_at(w, at), sfi_uniform_at(w, at + 1));
        s->drawn[a] = level < c->atoms || !is_number(job, c, k) ? (double)NAN
                                                                : (double)level;
        s->atom[a] = level;
    }
}

/* What was drawn of missing number a, in the data's units. */
static double drawn_number(const impute_job *job, scratch *s, int64_t a,
                           sfi_where w)
{
    const sfi_imputed_column *c = column_of(job, a);
    if (c->pair >= 0 && s->atom[a] < c->atoms)
        return c->at[s->atom[a]];
    return c->mean + c->sd * (c->pair >= 0 && isnan(s->drawn[a])
                                  ? draw_other(job, s, a, w)
                                  : s->z[a]);
}

/* Its quantile, in the data's units; *level is what its category says, if it has one. */
static double quantile_of(const impute_job *job, scratch *s, int64_t a,
                          const sfi_normal_sum *sum, double p)
{
    const sfi_imputed_column *c = column_of(job, a);
    return c->pair >= 0 ? sfi_atoms_quantile(c, s->level, sum, p)
                        : c->mean + c->sd * sfi_normal_sum_quantile(sum, p);
}

/* The probabilities of its atoms, to s->level. */
static void mix_atoms(const impute_job *job, scratch *s, int64_t a)
{
    const sfi_imputed_column *c = column_of(job, a);
    if (c->pair >= 0)
        sfi_donors_mix(&job->m->donors, job->m->column[c->pair].place,
                       s->point.weight, s->level);
}

static void moments_of(const impute_job *job, scratch *s, int64_t a,
                       const sfi_normal_sum *sum, double *mean, double *sd)
{
    const sfi_imputed_column *c = column_of(job, a);
    const double middle = mean_of(sum), spread = c->sd * sd_of(sum, middle);
    double variance = spread * spread;
    *mean = c->mean + c->sd * middle;
    if (c->pair >= 0)
        sfi_atoms_moments(c, s->level, mean, &variance);
    *sd = sqrt(variance);
}

static double fill_number(const impute_job *job, scratch *s, int64_t a,
                          sfi_where w)
{
    const sf_impute_options *o = job->o;
    const sfi_imputed_column *c = column_of(job, a);
    const bool draws = o->with == SF_IMPUTE_DRAW;
    double x = draws ? drawn_number(job, s, a, w) : 0.0, sd;
    if (!draws || o->contract > 0.0) {
        const sfi_normal_sum sum = sum_of(job, s, a);
        double middle;
        mix_atoms(job, s, a);
        if (o->with == SF_IMPUTE_MEAN) {
            moments_of(job, s, a, &sum, &middle, &sd);
            return middle;
        }
        middle = quantile_of(job, s, a, &sum, 0.5);
        x = draws ? middle + (1.0 - o->contract) * (x - middle) : middle;
    }
    return sfi_settle_number(c, x);
}

/* The likeliest level, or one that component k draws. */
static double fill_level(const impute_job *job, const scratch *s, int64_t c,
                         int64_t k, sfi_where w)
{
    const sfi_donors *l = &job->m->donors;
    const uint32_t at = LEVEL_UNIFORMS + 3 * (uint32_t)c;
    if (job->o->with == SF_IMPUTE_DRAW &&
        sfi_uniform_at(w, at + 2) >= job->o->contract)
        return (double)sfi_donors_draw(l, c, k, sfi_uniform_at(w, at),
                                       sfi_uniform_at(w, at + 1));
    int64_t best = 0;
    sfi_donors_mix(l, c, s->point.weight, s->level);
    for (int64_t v = 1; v < sfi_donors_level_count(l, c); v++)
        if (s->level[v] > s->level[best])
            best = v;
    return (double)best;
}

static void fill_row(const impute_job *job, scratch *s, int64_t row)
{
    const sf_imputer *m = job->m;
    const double *x = job->x.data + row * job->x.stride;
    double *to = job->out.data + row * job->out.stride;
    const sfi_where w = where_of(job, row);
    int64_t k = 0, a = 0;
    if (job->o->with == SF_IMPUTE_DRAW) {
        k = draw_component(s, m->parts.count, w);
        draw_atoms(job, s, k, w);
        draw_numbers(job, s, k, w);
    }
    for (int64_t j = 0; j < m->table; j++)
        if (!isnan(x[j]))
            continue;
        else if (m->column[j].levels == 0)
            to[j] = fill_number(job, s, a++, w);
        else
            to[j] = fill_level(job, s, m->column[j].place, k, w);
}

/* The mean over the probabilities p of the loss of their quantiles q of a number x,
 * (p - [x < q]) (x - q), in standard deviations. */
static double quantile_loss(const impute_job *job, const scratch *s, int64_t a,
                            double x)
{
    const sfi_normal_sum sum = sum_of(job, s, a);
    double loss = 0.0;
    for (int i = 0; i < SF_IMPUTE_QUANTILES; i++) {
        const double p = sf_impute_probabilities[i];
        const double q = sfi_normal_sum_quantile(&sum, p);
        loss += (p - (x < q ? 1.0 : 0.0)) * (x - q) / SF_IMPUTE_QUANTILES;
    }
    return loss;
}

/* What the row says of its cells, where they are known. */
static void judge_row(const impute_job *job, scratch *s, int64_t row)
{
    const sf_imputer *m = job->m;
    const double *x = job->x.data + row * job->x.stride;
    const double *known = job->guess->truth + row * m->dim;
    sfi_impute_loss *loss = &job->guess->loss[row];
    *loss = (sfi_impute_loss){0};
    for (int64_t j = 0, a = 0; j < m->dim; j++) {
        const sfi_imputed_column *c = &m->column[j];
        const int64_t number = isnan(x[j]) && c->levels == 0 ? a++ : -1;
        if (!isnan(x[j]) || isnan(known[j]))
            continue;
        if (number >= 0 && c->pair >= 0 && known[c->pair] < (double)c->atoms)
            continue; /* which atom it is says its category */
        if (number >= 0) {
            loss->number +=
                quantile_loss(job, s, number, (known[j] - c->mean) / c->sd);
            loss->numbers++;
            continue;
        }
        sfi_donors_mix(&m->donors, c->place, s->point.weight, s->level);
        loss->level -= log(fmax(s->level[(int64_t)known[j]], 1e-300));
        loss->levels++;
    }
}

static void spread_number(const impute_job *job, scratch *s, int64_t a,
                          sf_imputed_cell *cell)
{
    const sfi_imputed_column *c = &job->m->column[cell->column];
    const sfi_normal_sum sum = sum_of(job, s, a);
    mix_atoms(job, s, a);
    cell->first_level = -1;
    moments_of(job, s, a, &sum, &cell->mean, &cell->sd);
    for (int q = 0; q < SF_IMPUTE_QUANTILES; q++)
        cell->quantile[q] = sfi_settle_number(
            c, quantile_of(job, s, a, &sum, sf_impute_probabilities[q]));
}

static void spread_row(const impute_job *job, scratch *s, int64_t row)
{
    const sf_imputer *m = job->m;
    const double *x = job->x.data + row * job->x.stride;
    sf_imputed_cell *cell = job->cells + job->first[row];
    int64_t a = 0, level = job->first_level[row];
    for (int64_t j = 0; j < m->table; j++) {
        if (!isnan(x[j]))
            continue;
        cell->row = row;
        cell->column = j;
        if (m->column[j].levels == 0) {
            spread_number(job, s, a++, cell++);
            continue;
        }
        cell->mean = cell->sd = (double)NAN;
        for (int q = 0; q < SF_IMPUTE_QUANTILES; q++)
            cell->quantile[q] = (double)NAN;
        cell++->first_level = level;
        sfi_donors_mix(&m->donors, m->column[j].place, s->point.weight,
                       job->levels + level);
        level += m->column[j].levels;
    }
}

static void take_lane(void *user, int64_t lane, int64_t first, int64_t count)
{
    const impute_job *job = user;
    const sf_imputer *m = job->m;
    const int64_t begin = job->begin[job->pattern];
    const int64_t rows = job->begin[job->pattern + 1] - begin;
    scratch *s = &job->lane[lane];
    (void)first;
    (void)count;
    for (int64_t i = rows * lane / job->lanes;
         i < rows * (lane + 1) / job->lanes; i++) {
        const int64_t row = job->todo[begin + i];
        const double *x = job->x.data + row * job->x.stride;
        for (int64_t p = 0; p < m->numbers; p++) {
            const sfi_imputed_column *c = &m->column[m->number[p]];
            s->y[p] = (x[m->number[p]] - c->mean) / c->sd;
        }
        sfi_donors_weigh(&m->donors, x,
                         job->without != NULL ? job->without[row] : -1,
                         s->log_factor);
        sfi_given_weighed(&job->given, s->y, s->log_factor, &s->point);
        if (job->guess != NULL)
            judge_row(job, s, row);
        else if (job->cells != NULL)
            spread_row(job, s, row);
        else
            fill_row(job, s, row);
    }
}

/* ---- all rows ------------------------------------------------------------------- */

static sf_status take_patterns(sf_context *ctx, impute_job *job)
{
    const sfi_patterns *p = job->patterns;
    for (job->pattern = 0; job->pattern < p->count; job->pattern++) {
        const int64_t rows =
            job->begin[job->pattern + 1] - job->begin[job->pattern];
        const sf_progress progress = {.stage = "impute",
                                      .step = job->begin[job->pattern],
                                      .steps = job->begin[p->count],
                                      .loss = (double)NAN,
                                      .held_out = (double)NAN};
        if (rows == 0)
            continue;
        if (!sfi_progress(ctx, &progress, false))
            return SFI_FAIL(ctx, SF_E_CANCELLED, "impute: stopped");
        SFI_TRY(sfi_given_columns(ctx, &job->given,
                                  p->present + job->pattern * p->cols));
        job->lanes = rows < MOST_LANES ? (int)rows : MOST_LANES;
        sfi_parallel(ctx, job->lanes, 1, take_lane, job);
    }
    return SF_OK;
}

/* The most levels that a category has. */
static size_t most_levels(const sfi_donors *l)
{
    int64_t most = 1;
    for (int64_t c = 0; c < sfi_donors_categories(l); c++)
        most = sfi_donors_level_count(l, c) > most
                   ? sfi_donors_level_count(l, c)
                   : most;
    return (size_t)most;
}

static void free_scratch(sf_context *ctx, scratch *s, const sf_imputer *m)
{
    const size_t d = (size_t)m->numbers, n = (size_t)m->parts.count;
    sfi_free(ctx, s->atom, d, sizeof *s->atom);
    sfi_free(ctx, s->drawn, d, sizeof *s->drawn);
    sfi_free(ctx, s->level, most_levels(&m->donors), sizeof *s->level);
    sfi_free(ctx, s->z, d, sizeof *s->z);
    sfi_free(ctx, s->factor, d * d, sizeof *s->factor);
    sfi_free(ctx, s->sd, n, sizeof *s->sd);
    sfi_free(ctx, s->mean, n, sizeof *s->mean);
    sfi_free(ctx, s->weight, n, sizeof *s->weight);
    sfi_free(ctx, s->log_factor, n, sizeof *s->log_factor);
    sfi_free(ctx, s->y, d, sizeof *s->y);
    sfi_point_free(ctx, &s->point, &m->parts);
}

static sf_status new_scratch(sf_context *ctx, scratch *s, const sf_imputer *m)
{
    const size_t d = (size_t)m->numbers, n = (size_t)m->parts.count;
    SFI_TRY(sfi_point_new(ctx, &s->point, &m->parts));
    s->y = sfi_alloc(ctx, d, sizeof *s->y);
    s->log_factor = sfi_alloc(ctx, n, sizeof *s->log_factor);
    s->weight = sfi_alloc(ctx, n, sizeof *s->weight);
    s->mean = sfi_alloc(ctx, n, sizeof *s->mean);
    s->sd = sfi_alloc(ctx, n, sizeof *s->sd);
    s->factor = sfi_alloc(ctx, d * d, sizeof *s->factor);
    s->z = sfi_alloc(ctx, d, sizeof *s->z);
    s->level = sfi_alloc(ctx, most_levels(&m->donors), sizeof *s->level);
    s->drawn = sfi_alloc(ctx, d, sizeof *s->drawn);
    s->atom = sfi_alloc(ctx, d, sizeof *s->atom);
    return s->y != NULL && s->log_factor != NULL && s->weight != NULL &&
                   s->mean != NULL && s->sd != NULL && s->factor != NULL &&
                   s->z != NULL && s->level != NULL && s->drawn != NULL &&
                   s->atom != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* The most rows of a pattern that have work decide how many lanes there are. */
static int lanes_for(const impute_job *job)
{
    int64_t most = 0;
    for (int64_t k = 0; k < job->patterns->count; k++)
        most = job->begin[k + 1] - job->begin[k] > most
                   ? job->begin[k + 1] - job->begin[k]
                   : most;
    return most < MOST_LANES ? (int)most : MOST_LANES;
}

static sf_status run(sf_context *ctx, impute_job *job)
{
    const sf_imputer *m = job->m;
    const int lanes = lanes_for(job);
    job->lane = sfi_alloc_zero(ctx, (size_t)lanes, sizeof *job->lane);
    sf_status status = job->lane != NULL ? SF_OK : SF_E_NOMEM;
    for (int l = 0; l < lanes && status == SF_OK; l++)
        status = new_scratch(ctx, &job->lane[l], m);
    if (status == SF_OK)
        status = sfi_given_new(ctx, &job->given, &m->parts);
    if (status == SF_OK)
        status = take_patterns(ctx, job);
    sfi_given_free(ctx, &job->given);
    for (int l = 0; l < lanes && job->lane != NULL; l++)
        free_scratch(ctx, &job->lane[l], m);
    sfi_free(ctx, job->lane, (size_t)lanes, sizeof *job->lane);
    return status;
}

/* Whether row i lacks a cell. */
static bool has_work(const impute_job *job, int64_t i)
{
    const double *x = job->x.data + i * job->x.stride;
    for (int64_t j = 0; j < job->m->table; j++)
        if (isnan(x[j]))
            return true;
    return false;
}

static sf_status list_rows(sf_context *ctx, impute_job *job)
{
    const sfi_patterns *p = job->patterns;
    int64_t at = 0;
    job->begin = sfi_alloc(ctx, (size_t)p->count + 1, sizeof *job->begin);
    if (job->begin == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < p->count; k++) {
        job->begin[k] = at;
        for (int64_t i = p->first[k]; i < p->first[k + 1]; i++)
            if (has_work(job, p->order[i]))
                job->todo[at++] = p->order[i];
    }
    job->begin[p->count] = at;
    const sf_status status = at > 0 ? run(ctx, job) : SF_OK;
    sfi_free(ctx, job->begin, (size_t)p->count + 1, sizeof *job->begin);
    return status;
}

static sf_status find_patterns(sf_context *ctx, impute_job *job)
{
    const sf_imputer *m = job->m;
    sfi_patterns *patterns = NULL;
    for (int64_t i = 0; i < job->x.rows; i++)
        for (int64_t p = 0; p < m->numbers; p++)
            job->numbers[i * m->numbers + p] =
                job->x.data[i * job->x.stride + m->number[p]];
    SFI_TRY(sfi_patterns_new(
        ctx, &patterns,
        (sf_cmat){job->numbers, job->x.rows, m->numbers, m->numbers}));
    job->patterns = patterns;
    const sf_status status = list_rows(ctx, job);
    sfi_patterns_free(patterns);
    return status;
}

static sf_status run_rows(sf_context *ctx, impute_job *job)
{
    const size_t n = (size_t)job->x.rows, d = (size_t)job->m->numbers;
    job->numbers = sfi_alloc(ctx, n * d, sizeof *job->numbers);
    job->todo = sfi_alloc(ctx, n, sizeof *job->todo);
    const sf_status status = job->numbers != NULL && job->todo != NULL
                                 ? find_patterns(ctx, job)
                                 : SF_E_NOMEM;
    sfi_free(ctx, job->todo, n, sizeof *job->todo);
    sfi_free(ctx, job->numbers, n * d, sizeof *job->numbers);
    return status;
}

/* Of a table, whose atoms get their categories. */
static sf_status run_table(sf_context *ctx, impute_job *job)
{
    const sf_imputer *m = job->m;
    double *wide = NULL;
    if (m->dim == m->table)
        return run_rows(ctx, job);
    SFI_TRY(sfi_add_pairs(m, job->x, &wide));
    const int64_t rows = job->x.rows;
    job->x = (sf_cmat){wide, rows, m->dim, m->dim};
    const sf_status status = run_rows(ctx, job);
    sfi_free(ctx, wide, (size_t)(rows * m->dim), sizeof *wide);
    return status;
}

/* ---- the verbs ------------------------------------------------------------------ */

static sf_status check_cell(sf_context *ctx, const sf_imputer *m, sf_cmat x,
                            int64_t i, int64_t j)
{
    const double cell = x.data[i * x.stride + j];
    const int64_t levels = m->column[j].levels;
    if (isinf(cell))
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "impute: row %lld, column %lld: the value is not "
                        "finite",
                        (long long)i + 1, (long long)j + 1);
    if (levels > 0 && !isnan(cell) &&
        !(cell >= 0.0 && cell < (double)levels && cell == floor(cell)))
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "impute: row %lld, column %lld: there is no level %g, "
                        "want 0 to %lld",
                        (long long)i + 1, (long long)j + 1, cell,
                        (long long)levels - 1);
    return SF_OK;
}

static sf_status check(sf_context *ctx, const sf_imputer *m, sf_cmat x,
                       const sf_impute_options *o)
{
    SFI_TRY(sfi_check_table(ctx, x, false, "impute: x"));
    if (x.cols != m->table)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "impute: rows have %lld columns, want %lld",
                        (long long)x.cols, (long long)m->table);
    if (o->own_rows && x.rows != m->rows)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "impute: %lld rows, and the imputer was fitted to %lld",
                        (long long)x.rows, (long long)m->rows);
    if ((int)o->with < 0 || o->with > SF_IMPUTE_DRAW ||
        !(o->contract >= 0.0 && o->contract <= 1.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "impute: with is %d and contract %g, want 0 to 2 and "
                        "0 to 1",
                        (int)o->with, o->contract);
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            SFI_TRY(check_cell(ctx, m, x, i, j));
    return SF_OK;
}

sf_status sfi_impute_judge(sf_context *ctx, const sf_imputer *m, sf_cmat x,
                           const int64_t *without,
                           const sfi_impute_guess *guess)
{
    const sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    impute_job job = {
        .m = m, .o = &o, .guess = guess, .x = x, .without = without};
    return run_rows(ctx, &job);
}

sf_status sf_impute(sf_context *ctx, sf_mat out, const sf_imputer *m, sf_cmat x,
                    const sf_impute_options *options)
{
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check(ctx, m, x, &o));
    if (out.rows != x.rows || out.cols != x.cols || out.stride < out.cols)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "impute: the result is [%lld, %lld], want [%lld, %lld]",
                        (long long)out.rows, (long long)out.cols,
                        (long long)x.rows, (long long)x.cols);
    impute_job job = {.m = m,
                      .o = &o,
                      .x = x,
                      .out = out,
                      .without = o.own_rows ? m->own : NULL};
    for (int64_t i = 0; i < x.rows; i++)
        memmove(out.data + i * out.stride, x.data + i * x.stride,
                (size_t)x.cols * sizeof *out.data);
    if (m->product != NULL)
        return sfi_impute_product(ctx, out, m, x, &o, NULL, NULL, NULL, NULL);
    return run_table(ctx, &job);
}

/* Where the cells of each row begin, and their probabilities. */
static void number_cells(impute_job *job)
{
    int64_t cells = 0, levels = 0;
    for (int64_t i = 0; i < job->x.rows; i++) {
        job->first[i] = cells;
        job->first_level[i] = levels;
        for (int64_t j = 0; j < job->x.cols; j++)
            if (isnan(job->x.data[i * job->x.stride + j])) {
                cells++;
                levels += job->m->column[j].levels;
            }
    }
}

sf_status sf_impute_spread(sf_context *ctx, sf_imputed_cell *cells,
                           double *levels, const sf_imputer *m, sf_cmat x,
                           const sf_impute_options *options)
{
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check(ctx, m, x, &o));
    bool has_levels = false;
    for (int64_t j = 0; j < m->table; j++)
        has_levels = has_levels || m->column[j].levels > 0;
    if (levels == NULL && has_levels)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "impute: some columns are categories, and there is no "
                        "room for the probabilities of their levels");
    const size_t n = (size_t)x.rows;
    int64_t *first = sfi_alloc(ctx, 2 * n, sizeof *first);
    if (first == NULL)
        return SF_E_NOMEM;
    impute_job job = {.m = m,
                      .o = &o,
                      .x = x,
                      .cells = cells,
                      .levels = levels,
                      .first = first,
                      .first_level = first + n,
                      .without = o.own_rows ? m->own : NULL};
    number_cells(&job);
    const sf_status status =
        m->product != NULL
            ? sfi_impute_product(ctx, (sf_mat){0}, m, x, &o, cells, levels,
                                 job.first, job.first_level)
            : run_table(ctx, &job);
    sfi_free(ctx, first, 2 * n, sizeof *first);
    return status;
}
