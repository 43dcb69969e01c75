/* SPDX-License-Identifier: Apache-2.0 */
/* usefulness.c - is a column learned from the others as well from synthetic rows as
 * from real ones?  Train on synthetic, test on held-out rows, and beside it train on
 * real.
 *
 * Levels are learned one against the others, which are as many logistic regressions;
 * a level that no synthetic row has is never answered, and its F1 is 0. */
#include "compare/features.h"
#include "compare/learners.h"

#include "base/parallel.h"

#include <math.h>
#include <string.h>

enum { MOST_ROWS = 5000, LEAST_ROWS = 200, MOST_CELLS = 2000000 };
enum { MOST_LEVELS = 50, NEIGHBOURS = 5, QUERIES = 16 };

sf_status sfi_check_target(sf_context *ctx, const sfi_mixed *m,
                           const sf_frames_options *o)
{
    if (o->target == -1)
        return SF_OK;
    if (o->target < 0 || o->target >= m->cols)
        return SFI_FAIL(ctx, SF_E_ARG, "compare: target is column %lld of %lld",
                        (long long)o->target + 1, (long long)m->cols);
    const sfi_mixed_column *c = &m->column[o->target];
    if (m->rows[SFI_HELD_OUT] == 0 || m->cols < 2)
        return SFI_FAIL(ctx, SF_E_ARG, "compare: a target wants %s",
                        m->cols < 2 ? "other columns"
                                    : "held-out rows, to be judged on");
    if (c->compared == SF_COMPARED_CIRCLE)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: angles cannot be the target yet");
    if (c->compared == SF_COMPARED_CATEGORY && c->levels > MOST_LEVELS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: the target has %lld levels, want at most %d",
                        (long long)c->levels, (int)MOST_LEVELS);
    return SF_OK;
}

/* ---- learning ------------------------------------------------------------- */

/* One of the two tables that are learned from; rows without the target are left
 * out of `pick`. */
typedef struct lesson {
    const double **x; /* [rows] */
    double *y;        /* [rows] target, standardised if it is a number */
    int64_t *pick;    /* [rows] */
    int64_t rows;
    sfi_examples e;
} lesson;

struct lessons {
    const sfi_features *f;
    lesson of[SFI_TABLES]; /* the last one is the test */
    int64_t levels;        /* of the target; 0: a number */
    int64_t outputs;       /* regressions a table */
    double *weights;       /* [2, outputs, cols + 1] */
    double *room;          /* [2 outputs, each] */
    size_t each;
    int table;      /* that answers now */
    double *answer; /* [rows of the test] */
};

static double *weights_of(const struct lessons *t, int table, int64_t output)
{
    return t->weights + (table * t->outputs + output) * (t->f->cols + 1);
}

/* Regression number `part`: of level `part % outputs` in one of the tables. */
static void learn(void *user, int64_t part, int64_t first, int64_t count)
{
    const struct lessons *t = user;
    const int table = (int)(part / t->outputs);
    const int64_t output = part % t->outputs;
    const lesson *of = &t->of[table];
    double *y = t->room + (size_t)part * t->each;
    sfi_examples e = of->e;
    (void)first;
    (void)count;
    for (int64_t i = 0; i < of->rows; i++)
        y[i] = t->levels > 0 ? (of->y[i] == (double)output) : of->y[i];
    e.y = y;
    sfi_linear_fit(weights_of(t, table, output), &e,
                   t->levels > 0 ? SFI_LOGISTIC : SFI_SQUARED, y + of->rows);
}

/* ---- answering ------------------------------------------------------------ */

static void answer_linear(void *user, int64_t part, int64_t first,
                          int64_t count)
{
    const struct lessons *t = user;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        double best = -INFINITY;
        for (int64_t k = 0; k < t->outputs; k++) {
            const double z =
                sfi_linear_value(weights_of(t, t->table, k),
                                 t->of[SFI_HELD_OUT].x[i], t->f->cols);
            if (t->levels == 0) {
                t->answer[i] = z;
            } else if (z > best) {
                best = z;
                t->answer[i] = (double)k;
            }
        }
    }
}

/* The level that most have, of equally many that of the nearest. */
static double vote(const sfi_examples *e, const int64_t *nearest, int64_t k)
{
    int most = 0;
    double winner = NAN;
    for (int64_t a = 0; a < k; a++) {
        const double level = e->y[e->pick[nearest[a]]];
        int count = 0;
        for (int64_t b = 0; b < k; b++)
            count += e->y[e->pick[nearest[b]]] == level;
        if (count > most) {
            most = count;
            winner = level;
        }
    }
    return winner;
}

static void answer_by_neighbours(void *user, int64_t part, int64_t first,
                                 int64_t count)
{
    const struct lessons *t = user;
    const sfi_examples *e = &t->of[t->table].e;
    int64_t nearest[NEIGHBOURS];
    double distance[NEIGHBOURS];
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        const int64_t k = sfi_nearest_examples(nearest, distance, NEIGHBOURS,
                                               t->of[SFI_HELD_OUT].x[i], e);
        double sum = 0.0;
        for (int64_t q = 0; q < k; q++)
            sum += e->y[e->pick[nearest[q]]];
        t->answer[i] = t->levels > 0 ? vote(e, nearest, k) : sum / (double)k;
    }
}

/* ---- judging -------------------------------------------------------------- */

/* Mean over the levels that the test has. */
static double macro_f1(const lesson *test, const double *answer, int64_t levels)
{
    double sum = 0.0;
    int64_t there = 0;
    for (int64_t l = 0; l < levels; l++) {
        int64_t hits = 0, said = 0, is = 0;
        for (int64_t k = 0; k < test->e.count; k++) {
            const int64_t i = test->pick[k];
            said += answer[i] == (double)l;
            is += test->y[i] == (double)l;
            hits += answer[i] == (double)l && test->y[i] == (double)l;
        }
        there += is > 0;
        sum += is > 0 ? 2.0 * (double)hits / (double)(said + is) : 0.0;
    }
    return sum / (double)there;
}

static double r_squared(const lesson *test, const double *answer)
{
    double mean = 0.0, error = 0.0, spread = 0.0;
    for (int64_t k = 0; k < test->e.count; k++)
        mean += test->y[test->pick[k]];
    mean /= (double)test->e.count;
    for (int64_t k = 0; k < test->e.count; k++) {
        const double y = test->y[test->pick[k]];
        const double off = answer[test->pick[k]] - y;
        error += off * off;
        spread += (y - mean) * (y - mean);
    }
    return spread > 0.0 ? 1.0 - error / spread : NAN;
}

static double judge(const struct lessons *t)
{
    const lesson *test = &t->of[SFI_HELD_OUT];
    return t->levels > 0 ? macro_f1(test, t->answer, t->levels)
                         : r_squared(test, t->answer);
}

static void answer_and_judge(sf_context *ctx, sf_frames_usefulness *out,
                             struct lessons *t)
{
    const int64_t rows = t->of[SFI_HELD_OUT].rows;
    for (t->table = SFI_REAL; t->table <= SFI_SYNTHETIC; t->table++) {
        double *score = t->table == SFI_REAL ? out->real : out->synthetic;
        sfi_parallel(ctx, rows, QUERIES, answer_linear, t);
        score[SF_LEARNER_LINEAR] = judge(t);
        sfi_parallel(ctx, rows, QUERIES, answer_by_neighbours, t);
        score[SF_LEARNER_NEIGHBOURS] = judge(t);
    }
}

/* ---- setting up ----------------------------------------------------------- */

static sf_status set_lesson(sf_context *ctx, lesson *l, const sfi_features *f,
                            int k, const double *y,
                            const sf_frames_column *about)
{
    const bool number = about->compared == SF_COMPARED_NUMBER;
    const double sd = about->sd[SFI_REAL];
    const double unit = sd > 0.0 ? sd : 1.0;
    l->rows = f->rows[k];
    l->x = sfi_alloc(ctx, (size_t)l->rows, sizeof *l->x);
    l->y = sfi_alloc(ctx, (size_t)l->rows, sizeof *l->y);
    l->pick = sfi_alloc(ctx, (size_t)l->rows, sizeof *l->pick);
    if (l->x == NULL || l->y == NULL || l->pick == NULL)
        return SF_E_NOMEM;
    l->e = (sfi_examples){l->x, l->y, l->pick, 0, f->cols};
    for (int64_t i = 0; i < l->rows; i++) {
        l->x[i] = f->x[k] + i * f->cols;
        l->y[i] = number ? (y[i] - about->mean[SFI_REAL]) / unit : y[i];
        if (!isnan(y[i]))
            l->pick[l->e.count++] = i;
    }
    return SF_OK;
}

static sf_status allocate(sf_context *ctx, struct lessons *t)
{
    int64_t most = 0;
    for (int k = SFI_REAL; k <= SFI_SYNTHETIC; k++)
        most = t->of[k].rows > most ? t->of[k].rows : most;
    const sfi_examples largest = {NULL, NULL, NULL, most, t->f->cols};
    t->each = (size_t)most + sfi_linear_work(&largest);
    const size_t outputs = 2 * (size_t)t->outputs;
    t->weights =
        sfi_alloc(ctx, outputs * (size_t)(t->f->cols + 1), sizeof *t->weights);
    t->room = sfi_alloc(ctx, outputs * t->each, sizeof *t->room);
    t->answer =
        sfi_alloc(ctx, (size_t)t->of[SFI_HELD_OUT].rows, sizeof *t->answer);
    return t->weights != NULL && t->room != NULL && t->answer != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

static void free_task(sf_context *ctx, struct lessons *t)
{
    const size_t outputs = 2 * (size_t)t->outputs;
    sfi_free(ctx, t->answer, (size_t)t->of[SFI_HELD_OUT].rows,
             sizeof *t->answer);
    sfi_free(ctx, t->room, outputs * t->each, sizeof *t->room);
    sfi_free(ctx, t->weights, outputs * (size_t)(t->f->cols + 1),
             sizeof *t->weights);
    for (int k = 0; k < SFI_TABLES; k++) {
        lesson *l = &t->of[k];
        sfi_free(ctx, l->pick, (size_t)l->rows, sizeof *l->pick);
        sfi_free(ctx, l->y, (size_t)l->rows, sizeof *l->y);
        sfi_free(ctx, (void *)l->x, (size_t)l->rows, sizeof *l->x);
    }
}

static sf_status learn_and_judge(sf_context *ctx, sf_frames_report *r,
                                 const sfi_mixed *part, const sfi_features *f)
{
    sf_frames_usefulness *out = &r->usefulness;
    struct lessons t = {.f = f};
    sf_status status = SF_OK;
    t.levels = out->classes ? part->column[out->target].levels : 0;
    t.outputs = out->classes ? t.levels : 1;
    for (int k = 0; k < SFI_TABLES; k++)
        SFI_CHECK(set_lesson(ctx, &t.of[k], f, k,
                             sfi_mixed_cells(part, k, out->target),
                             &r->column[out->target]));
    for (int k = 0; k < SFI_TABLES; k++)
        out->rows[k] = t.of[k].e.count;
    if (out->rows[0] == 0 || out->rows[1] == 0 || out->rows[2] == 0) {
        sfi_warn(ctx, "the target is missing in all rows of a table: no "
                      "usefulness");
        goto done;
    }
    SFI_CHECK(allocate(ctx, &t));
    sfi_parallel(ctx, 2 * t.outputs, 1, learn, &t);
    answer_and_judge(ctx, out, &t);

done:
    free_task(ctx, &t);
    return status;
}

sf_status sfi_compare_usefulness(sf_context *ctx, sf_frames_report *r,
                                 const sfi_mixed *m, const sf_frames_options *o)
{
    sf_frames_usefulness *out = &r->usefulness;
    out->target = o->target;
    for (int l = 0; l < SF_LEARNERS; l++)
        out->synthetic[l] = out->real[l] = NAN;
    if (o->target < 0)
        return SF_OK;
    out->classes = m->column[o->target].compared == SF_COMPARED_CATEGORY;
    const int64_t cells = MOST_CELLS / (1 + sfi_features_count(m, o->target));
    const int64_t most = cells > MOST_ROWS    ? MOST_ROWS
                         : cells < LEAST_ROWS ? LEAST_ROWS
                                              : cells;
    int64_t rows[SFI_TABLES];
    for (int k = 0; k < SFI_TABLES; k++)
        rows[k] = m->rows[k] < most ? m->rows[k] : most;
    sfi_mixed part;
    sfi_features f;
    SFI_TRY(sfi_mixed_part(ctx, &part, m, rows, o->seed));
    sf_status status = sfi_features_new(ctx, &f, &part, r->column, o->target);
    if (status == SF_OK) {
        status = learn_and_judge(ctx, r, &part, &f);
        sfi_features_free(ctx, &f);
    }
    sfi_mixed_free(ctx, &part);
    return status;
}
