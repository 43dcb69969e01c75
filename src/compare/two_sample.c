/* SPDX-License-Identifier: Apache-2.0 */
/* two_sample.c - can a classifier tell rows from real ones?
 *
 * The area under the ROC curve of a fold, P(score of other > score of real) with ties
 * half, is a Mann-Whitney statistic of scores that were learned without these rows: under
 * one distribution its mean is 1/2 and its variance v = (n + m + 1)/(12 n m).  The mean
 * over folds has neither the bias of scores that are pooled over folds, whose constants
 * differ, nor a threshold.
 *
 * Folds are not independent, since each is learned from in the areas of the others.  Let
 * d_f be by how much the tables differ, by chance, in fold f.  A rule that is learned
 * from the folds g but f points along their sum, and the area of f is above 1/2 by
 * about the product <sum of d_g, d_f>.  In the sum over all f every pair of folds
 * comes twice, with the same value, so that its variance is 4 K(K-1)/2 units where
 * independent areas would have K(K-1): twice as much,
 *
 *     Var(mean) = 2 v/K.
 *
 * In 300 pairs of tables each, of 30 to 500 rows and 2 or 10 normal columns, the mean
 * square of (AUC - 1/2) was .90 to 1.05 of that for the logistic rule and .55 to 1
 * for neighbours, whose scores are tied and not symmetric in this way.
 *
 * (The mean F1 of a classifier on synthetic rows alone, often given, is r/(1 + r) where
 * a proportion r is detected and jumps to 1 where all are; it is
 * not given.) */
#include "compare/compare.h"
#include "compare/features.h"
#include "compare/learners.h"

#include "base/parallel.h"
#include "num/sort.h"

#include <math.h>

enum { FOLDS = 5, MOST_ROWS = 2000, LEAST_ROWS = 10, MOST_CELLS = 2000000 };

const char *sf_learner_name(sf_learner learner)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        SF_LEARNER_LIST(NAME)
#undef NAME
    };
    const unsigned k = (unsigned)learner;
    return k < SFI_COUNT(names) ? names[k] : "unknown";
}

/* Rows of real, then of the other table; each knows its fold. */
struct trial {
    const double **x; /* [n + m] */
    double *y;        /* [n + m] */
    int64_t n, m, cols, neighbours;
    double *room;   /* [FOLDS, each] */
    int64_t *picks; /* [FOLDS, n + m + neighbours] */
    size_t each;
    double auc[SF_LEARNERS][FOLDS];
};

static bool is_in_fold(const struct trial *t, int64_t i, int64_t fold)
{
    return (i < t->n ? i : i - t->n) % FOLDS == fold;
}

/* Scores of a fold, [n + m] of which only its rows are set, to the area. */
static double area(const struct trial *t, int64_t fold, const double *score,
                   double *work)
{
    double *real = work, *other = work + t->n, *scratch = other + t->m;
    int64_t count[2] = {0, 0};
    for (int64_t i = 0; i < t->n + t->m; i++) {
        if (!is_in_fold(t, i, fold))
            continue;
        if (i < t->n)
            real[count[0]++] = score[i];
        else
            other[count[1]++] = score[i];
    }
    sfi_sort(real, scratch, count[0]);
    sfi_sort(other, scratch, count[1]);
    return sfi_share_below(other, count[1], real, count[0]);
}

static void learn_linear(const struct trial *t, int64_t fold, double *score,
                         const sfi_examples *e, double *work)
{
    double *weights = work;
    sfi_linear_fit(weights, e, SFI_LOGISTIC, work + t->cols + 1);
    for (int64_t i = 0; i < t->n + t->m; i++)
        if (is_in_fold(t, i, fold))
            score[i] = sfi_linear_value(weights, t->x[i], t->cols);
}

static void ask_neighbours(const struct trial *t, int64_t fold, double *score,
                           const sfi_examples *e, double *distance,
                           int64_t *nearest)
{
    for (int64_t i = 0; i < t->n + t->m; i++) {
        double sum = 0.0;
        if (!is_in_fold(t, i, fold))
            continue;
        const int64_t k =
            sfi_nearest_examples(nearest, distance, t->neighbours, t->x[i], e);
        for (int64_t q = 0; q < k; q++)
            sum += t->y[e->pick[nearest[q]]];
        score[i] = sum / (double)k;
    }
}

static void one_fold(void *user, int64_t part, int64_t fold, int64_t count)
{
    struct trial *t = user;
    const int64_t all = t->n + t->m;
    double *score = t->room + (size_t)fold * t->each, *work = score + all;
    int64_t *pick = t->picks + fold * (all + t->neighbours);
    sfi_examples e = {t->x, t->y, pick, 0, t->cols};
    (void)part;
    (void)count;
    for (int64_t i = 0; i < all; i++)
        if (!is_in_fold(t, i, fold))
            pick[e.count++] = i;
    learn_linear(t, fold, score, &e, work);
    t->auc[SF_LEARNER_LINEAR][fold] = area(t, fold, score, work);
    ask_neighbours(t, fold, score, &e, work, pick + all);
    t->auc[SF_LEARNER_NEIGHBOURS][fold] = area(t, fold, score, work);
}

static double area_variance(const struct trial *t, int64_t fold)
{
    const double n = (double)((t->n - fold + FOLDS - 1) / FOLDS);
    const double m = (double)((t->m - fold + FOLDS - 1) / FOLDS);
    return (n + m + 1.0) / (12.0 * n * m);
}

static void summarise(sf_frames_two_sample *out, int p, const struct trial *t)
{
    double variance = 0.0;
    for (int l = 0; l < SF_LEARNERS; l++) {
        double sum = 0.0;
        for (int fold = 0; fold < FOLDS; fold++)
            sum += t->auc[l][fold];
        out->auc[l][p] = sum / FOLDS;
    }
    for (int fold = 0; fold < FOLDS; fold++)
        variance += area_variance(t, fold);
    out->auc_se[p] = sqrt(2.0 * variance) / FOLDS;
    out->rows[p][0] = t->n;
    out->rows[p][1] = t->m;
}

/* The first n rows of real against the first m of table k. */
static sf_status try_apart(sf_context *ctx, sf_frames_two_sample *out,
                           const sfi_features *f, int k, int64_t m)
{
    struct trial t = {.n = f->rows[SFI_REAL], .m = m, .cols = f->cols};
    const int64_t all = t.n + t.m, most = t.n > t.m ? t.n : t.m;
    const sfi_examples largest = {NULL, NULL, NULL, all, f->cols};
    t.neighbours = (int64_t)sqrt(0.8 * (double)all);
    t.each = (size_t)(2 * all + most + f->cols + 1 + t.neighbours) +
             sfi_linear_work(&largest);
    const size_t picks = (size_t)(FOLDS * (all + t.neighbours));
    t.x = sfi_alloc(ctx, (size_t)all, sizeof *t.x);
    t.y = sfi_alloc(ctx, (size_t)all, sizeof *t.y);
    t.picks = sfi_alloc(ctx, picks, sizeof *t.picks);
    t.room = sfi_alloc(ctx, FOLDS * t.each, sizeof *t.room);
    const bool there =
        t.x != NULL && t.y != NULL && t.picks != NULL && t.room != NULL;
    if (there) {
        for (int64_t i = 0; i < all; i++) {
            t.x[i] = i < t.n ? f->x[SFI_REAL] + i * f->cols
                             : f->x[k] + (i - t.n) * f->cols;
            t.y[i] = i < t.n ? 0.0 : 1.0;
        }
        sfi_parallel(ctx, FOLDS, 1, one_fold, &t);
        summarise(out, k - 1, &t);
    }
    sfi_free(ctx, t.room, FOLDS * t.each, sizeof *t.room);
    sfi_free(ctx, t.picks, picks, sizeof *t.picks);
    sfi_free(ctx, t.y, (size_t)all, sizeof *t.y);
    sfi_free(ctx, (void *)t.x, (size_t)all, sizeof *t.x);
    return there ? SF_OK : SF_E_NOMEM;
}

static sf_status try_both(sf_context *ctx, sf_frames_two_sample *out,
                          const sfi_features *f)
{
    for (int k = SFI_SYNTHETIC; k < SFI_TABLES; k++) {
        const int64_t held = f->rows[SFI_HELD_OUT];
        int64_t m = f->rows[k];
        if (k == SFI_SYNTHETIC && held > 0 && held < m)
            m = held;
        if (f->rows[SFI_REAL] >= LEAST_ROWS && m >= LEAST_ROWS)
            SFI_TRY(try_apart(ctx, out, f, k, m));
    }
    return SF_OK;
}

sf_status sfi_compare_two_sample(sf_context *ctx, sf_frames_report *report,
                                 const sfi_mixed *m, const sf_frames_options *o)
{
    enum { LEAST = 100 };
    sf_frames_two_sample *out = &report->two_sample;
    const int64_t cells = MOST_CELLS / (1 + sfi_features_count(m, -1)) / 2;
    const int64_t most = cells > MOST_ROWS ? MOST_ROWS
                         : cells < LEAST   ? LEAST
                                           : cells;
    int64_t rows[SFI_TABLES];
    for (int k = 0; k < SFI_TABLES; k++)
        rows[k] = m->rows[k] < most ? m->rows[k] : most;
    for (int p = 0; p < 2; p++) {
        out->auc_se[p] = NAN;
        for (int l = 0; l < SF_LEARNERS; l++)
            out->auc[l][p] = NAN;
    }
    sfi_mixed part;
    sfi_features f;
    SFI_TRY(sfi_mixed_part(ctx, &part, m, rows, o->seed));
    sf_status status = sfi_features_new(ctx, &f, &part, report->column, -1);
    if (status == SF_OK) {
        status = try_both(ctx, out, &f);
        sfi_features_free(ctx, &f);
    }
    sfi_mixed_free(ctx, &part);
    return status;
}
