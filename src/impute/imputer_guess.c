/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_guess.c - the bandwidth of numbers and how much categories forget, by what
 * is known: a part of the cells is hidden, everything is fitted without them, and they
 * are imputed.
 *
 * The bandwidth is the one whose quantiles are best: medians hardly depend on it, and
 * what is said of their spread does.  Then the forgetting is the one under which the
 * hidden levels are likeliest; only where hardly any could be hidden the one that helps
 * the numbers. */
#include "base/random.h"
#include "impute/imputer_job.h"
#include "num/patterns.h"

#include <math.h>
#include <string.h>

enum {
    GUESSED_ROWS = 300, /* at most, of which hidden cells are guessed */
    FEW_CELLS = 10      /* by which no forgetting is chosen           */
};

static const double bandwidths[SF_IMPUTER_BANDWIDTHS] = {0.35, 0.5, 0.7, 1.0,
                                                         1.4};
static const double forgets[SF_IMPUTER_FORGETS] = {0.02, 0.05, 0.1,
                                                   0.2,  0.35, 0.6};

/* What is taken while the other is found, or where nothing can be hidden. */
static const double usual_bandwidth = 1.0, usual_forget = 0.2;

/* Multiplications and additions that a bandwidth may take. */
static const double most_work = 1e9;

/* Hide cells at random, but of each row one, in z, with the atoms that they are; returns
 * how many. */
static int64_t hide(const sfi_imputer_job *j)
{
    const int64_t columns = j->m->table;
    int64_t hidden = 0;
    for (int64_t i = 0; i < j->n; i++) {
        double *row = j->z + i * j->d;
        int64_t left = 0;
        for (int64_t k = 0; k < columns; k++)
            left += !isnan(row[k]);
        for (int64_t k = 0; k < columns; k++) {
            const sfi_where w = {j->o->seed, (uint64_t)i, 0, SFI_STREAM_SPLIT};
            if (isnan(row[k]) || left == 1 || k == j->o->target ||
                !(sfi_uniform_at(w, (uint32_t)k) < j->o->hidden))
                continue;
            row[k] = (double)NAN;
            if (j->m->column[k].pair >= 0)
                row[j->m->column[k].pair] = (double)NAN;
            left--;
            hidden++;
        }
    }
    return hidden;
}

/* Rows [count, d] each, which row of the table and which component each is. */
typedef struct guesses {
    int64_t count, donors;
    int64_t *row, *without;
    double *x, *truth;
    sfi_impute_loss *loss;
} guesses;

/* Rows of which a cell was hidden, from the last donor on. */
static void find_guessed(const sfi_imputer_job *j, const double *truth,
                         guesses *g)
{
    const size_t bytes = (size_t)j->d * sizeof *truth;
    for (int64_t i = 0; i < j->donors && g->count < GUESSED_ROWS; i++) {
        const int64_t row = j->donor[j->donors - 1 - i];
        bool any = false;
        for (int64_t k = 0; k < j->d; k++)
            any = any || (isnan(j->z[row * j->d + k]) &&
                          !isnan(truth[row * j->d + k]));
        if (!any)
            continue;
        memcpy(g->x + g->count * j->d, j->z + row * j->d, bytes);
        memcpy(g->truth + g->count * j->d, truth + row * j->d, bytes);
        g->row[g->count++] = row;
    }
}

/* An imputer of standardised numbers. */
static sf_status new_trial(const sfi_imputer_job *j, sf_imputer **out)
{
    SFI_TRY(sfi_imputer_new(j->ctx, out, j->d, 0));
    for (int64_t k = 0; k < j->d; k++) {
        const sfi_imputed_column *c = &j->m->column[k];
        (*out)->column[k].levels = c->levels;
        (*out)->column[k].pair = c->pair;
        (*out)->column[k].atoms = c->atoms;
    }
    sfi_imputer_place(*out, j->o->target);
    return SF_OK;
}

/* The mean losses with the bandwidth and the forgetting of the job. */
static sf_status try_pair(const sfi_imputer_job *j, const guesses *g,
                          sfi_impute_loss *mean)
{
    const sfi_impute_guess guess = {g->truth, g->loss};
    sf_imputer *m = NULL;
    SFI_TRY(new_trial(j, &m));
    sf_status status = sfi_imputer_components(j, g->donors, m);
    for (int64_t i = 0; i < g->count && status == SF_OK; i++)
        g->without[i] = j->own[g->row[i]];
    if (status == SF_OK)
        status =
            sfi_impute_judge(j->ctx, m, (sf_cmat){g->x, g->count, j->d, j->d},
                             g->without, &guess);
    sf_imputer_free(m);
    *mean = (sfi_impute_loss){0};
    for (int64_t i = 0; i < g->count && status == SF_OK; i++) {
        mean->number += g->loss[i].number;
        mean->level += g->loss[i].level;
        mean->numbers += g->loss[i].numbers;
        mean->levels += g->loss[i].levels;
    }
    mean->number /= (double)mean->numbers;
    mean->level /= (double)mean->levels;
    return status;
}

static sf_status find_bandwidth(sfi_imputer_job *j, const guesses *g,
                                sf_imputer_report *report)
{
    int best = -1;
    sfi_impute_loss e = {0};
    for (int k = 0; k < SF_IMPUTER_BANDWIDTHS; k++) {
        j->bandwidth = bandwidths[k];
        SFI_TRY(try_pair(j, g, &e));
        report->error[k] = e.number;
        if (e.numbers > 0 &&
            (best < 0 || report->error[k] < report->error[best]))
            best = k;
    }
    j->bandwidth = best >= 0 ? bandwidths[best] : usual_bandwidth;
    report->hidden = e.numbers;
    return SF_OK;
}

static sf_status find_forget(sfi_imputer_job *j, const guesses *g,
                             sf_imputer_report *report)
{
    int best = -1;
    double least = INFINITY;
    sfi_impute_loss e = {0};
    for (int k = 0; k < SF_IMPUTER_FORGETS; k++) {
        j->forget = forgets[k];
        SFI_TRY(try_pair(j, g, &e));
        report->surprise[k] = e.level;
        const bool few = e.levels < FEW_CELLS;
        const double error = few ? e.number : e.level;
        if ((few ? e.numbers : e.levels) >= FEW_CELLS && error < least) {
            least = error;
            best = k;
        }
    }
    j->forget = best >= 0 ? forgets[best] : usual_forget;
    report->hidden_levels = best >= 0 ? e.levels : 0;
    return SF_OK;
}

/* How many donors explain the guessed rows. */
static sf_status count_donors(const sfi_imputer_job *j, guesses *g)
{
    sfi_patterns *rows = NULL, *all = NULL;
    sf_status status = sfi_imputer_patterns(j, g->row, g->count, &rows);
    if (status == SF_OK)
        status = sfi_imputer_patterns(j, NULL, j->n, &all);
    if (status == SF_OK)
        g->donors = sfi_imputer_affordable(j, g->count, rows->count, all->count,
                                           most_work);
    sfi_patterns_free(rows);
    sfi_patterns_free(all);
    return status;
}

static sf_status find(sfi_imputer_job *j, guesses *g, sf_imputer_report *report)
{
    const int64_t target = j->o->target >= 0 ? 1 : 0;
    SFI_TRY(sfi_imputer_moments(j));
    SFI_TRY(count_donors(j, g));
    if (j->m->numbers > 0 && j->o->bandwidth == 0.0)
        SFI_TRY(find_bandwidth(j, g, report));
    if (j->d - j->m->numbers > target && j->o->forget == 0.0)
        SFI_TRY(find_forget(j, g, report));
    return SF_OK;
}

static sf_status guess(sfi_imputer_job *j, const double *truth,
                       sf_imputer_report *report)
{
    sf_context *ctx = j->ctx;
    const size_t n = GUESSED_ROWS, cells = n * (size_t)j->d;
    double *x = sfi_alloc(ctx, 2 * cells, sizeof *x);
    int64_t *row = sfi_alloc(ctx, 2 * n, sizeof *row);
    sfi_impute_loss *loss = sfi_alloc(ctx, n, sizeof *loss);
    sf_status status = SF_E_NOMEM;
    if (x != NULL && row != NULL && loss != NULL) {
        guesses g = {.row = row,
                     .without = row + n,
                     .x = x,
                     .truth = x + cells,
                     .loss = loss};
        find_guessed(j, truth, &g);
        status = g.count > 0 ? find(j, &g, report) : SF_OK;
    }
    sfi_free(ctx, loss, n, sizeof *loss);
    sfi_free(ctx, row, 2 * n, sizeof *row);
    sfi_free(ctx, x, 2 * cells, sizeof *x);
    return status;
}

sf_status sfi_imputer_guess(sfi_imputer_job *j, sf_imputer_report *report)
{
    const size_t cells = (size_t)(j->n * j->d);
    const bool has_levels = j->d - j->m->numbers > (j->o->target >= 0 ? 1 : 0);
    j->bandwidth = j->o->bandwidth > 0.0 ? j->o->bandwidth : usual_bandwidth;
    j->forget = j->o->forget > 0.0 ? j->o->forget : usual_forget;
    if (!((j->m->numbers > 0 && j->o->bandwidth == 0.0) ||
          (has_levels && j->o->forget == 0.0)))
        return SF_OK;
    double *truth = sfi_alloc(j->ctx, cells, sizeof *truth);
    if (truth == NULL)
        return SF_E_NOMEM;
    memcpy(truth, j->z, cells * sizeof *truth);
    const sf_status status = hide(j) > 0 ? guess(j, truth, report) : SF_OK;
    memcpy(j->z, truth, cells * sizeof *truth);
    sfi_free(j->ctx, truth, cells, sizeof *truth);
    return status;
}
