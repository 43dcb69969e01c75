/* SPDX-License-Identifier: Apache-2.0 */
/* compare_words.c - the report in five sentences: columns, pairs, rows, copies, and what
 * was learned or is not known.
 *
 * A column differs where chance gives that once in a thousand reports: its p-value is
 * below 0.001 over the number of columns.  Of categories with L levels in n and m rows
 * the mean of the total variation is at most sqrt((L - 1)(1/n + 1/m))/2 under one
 * distribution (Cauchy and Schwarz), and it is above its mean by t with a probability of at
 * most exp(-2 t^2/(1/n + 1/m)), since one row changes it by no more than 1/n or 1/m (C.
 * McDiarmid, Surveys in Combinatorics (1989) 148-188).  The area of a classifier is taken
 * at three standard errors. */
#include "cli/compare_job.h"

#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double LEVEL = 0.001;

/* Append to a text that is cut where it is full. */
static void SFI_PRINTF(2, 3) add(compare_words *w, const char *format, ...)
{
    va_list list;
    const size_t used = strlen(w->text);
    va_start(list, format);
    vsnprintf(w->text + used, sizeof w->text - used, format, list);
    va_end(list);
}

static void add_name(compare_words *w, const compare_job *j, int64_t column)
{
    char shown[SFI_SHOW_SIZE];
    const char *name = cli_data_name(&j->synthetic, column);
    add(w, "%s", sfi_show(shown, name, strlen(name)));
}

/* ---- columns -------------------------------------------------------------- */

static bool differs(const sf_frames_column *c, int64_t columns)
{
    const double level = LEVEL / (double)columns;
    if (c->compared != SF_COMPARED_CATEGORY)
        return c->ks_p[0] < level;
    const double n = (double)c->present[0], m = (double)c->present[1];
    const double rows = 1.0 / n + 1.0 / m;
    const double levels = (double)(c->distinct[0] + c->distinct[1]);
    const double mean = 0.5 * sqrt(fmax(0.0, levels - 1.0) * rows);
    return c->total_variation[0] > mean + sqrt(-0.5 * log(level) * rows);
}

static void about_columns(const compare_job *j, compare_words *w)
{
    enum { NAMED = 6 };
    const sf_frames_report *r = j->report;
    int64_t others = 0;
    for (int64_t k = 0; k < r->cols; k++)
        others += differs(&r->column[k], r->cols);
    if (others == 0) {
        add(w,
            "%s %lld column%s agree%s with the real ones, as far as these "
            "rows can tell.",
            r->cols == 1 ? "The" : "All", (long long)r->cols,
            r->cols == 1 ? "" : "s", r->cols == 1 ? "s" : "");
        return;
    }
    add(w,
        "%lld of %lld columns agree with the real ones, as far as these "
        "rows can tell; not so ",
        (long long)(r->cols - others), (long long)r->cols);
    int named = 0;
    for (int64_t k = 0; k < r->cols && named <= NAMED; k++) {
        if (!differs(&r->column[k], r->cols))
            continue;
        if (named == NAMED) {
            add(w, " and %lld more", (long long)(others - NAMED));
            break;
        }
        add(w, "%s", named++ > 0 ? ", " : "");
        add_name(w, j, k);
    }
    add(w, ".");
}

/* ---- pairs ---------------------------------------------------------------- */

static void about_pairs(const compare_job *j, compare_words *w)
{
    const sf_frames_report *r = j->report;
    const sf_frames_pair *p = r->pairs > 0 ? &r->pair[r->largest[0]] : NULL;
    if (p == NULL || isnan(p->difference[0])) {
        add(w, "No pair of columns could be compared.");
        return;
    }
    add(w, "Of %lld pair%s of columns, ", (long long)r->pairs,
        r->pairs == 1 ? "" : "s");
    add_name(w, j, p->columns[0]);
    add(w, " with ");
    add_name(w, j, p->columns[1]);
    add(w,
        " differs most: its %s is %.2f in the real table and %.2f in the "
        "synthetic one",
        sf_association_name(p->association), p->value[0], p->value[1]);
    if (!isnan(p->value[2]))
        add(w, " (%.2f in the held-out rows)", p->value[2]);
    add(w, ".");
}

/* ---- rows ----------------------------------------------------------------- */

static void about_rows(const compare_job *j, compare_words *w)
{
    const sf_frames_report *r = j->report;
    const sf_frames_two_sample *t = &r->two_sample;
    const double *linear = t->auc[SF_LEARNER_LINEAR];
    const double *near = t->auc[SF_LEARNER_NEIGHBOURS];
    if (isnan(linear[0])) {
        add(w, "There are too few rows to learn what tells them apart");
    } else {
        const double best = fmax(linear[0], near[0]);
        const double least = fmin(linear[0], near[0]);
        const double se = t->auc_se[0];
        const bool apart = best > 0.5 + 3.0 * se;
        const bool twins = !apart && least < 0.5 - 3.0 * se;
        add(w,
            "A classifier ranks synthetic rows above real ones with an AUC of "
            "%.3f (chance is 0.5, with a standard error of %.3f), so that ",
            twins ? least : best, se);
        add(w, "%s",
            apart   ? "they can be told apart"
            : twins ? "rows have twins in the other table"
                    : "it does not tell them apart");
    }
    if (r->joint.transport[1] > 0.0)
        add(w,
            "; transport from the real rows is %.2f times that of held-out "
            "rows",
            r->joint.transport[0] / r->joint.transport[1]);
    add(w, ".");
}

/* ---- copies --------------------------------------------------------------- */

static void about_copies(const compare_job *j, compare_words *w)
{
    const sf_frames_report *r = j->report;
    const sf_compare_copies *c = &r->copies;
    add(w, "%s: ",
        c->suspicious ? "Rows were copied, or nearly"
                      : "There is no sign that rows were copied");
    add(w,
        "%.1f %% of the synthetic rows and %.1f %% of the %s equal a real one, "
        "and %.1f %% are nearer to one than 95 %% of those are (chance: 5 %%)",
        100.0 * (double)c->copies / (double)r->rows[1],
        100.0 * (double)c->reference_copies / (double)c->reference_rows,
        c->held_out ? "held-out rows" : "other real rows", 100.0 * c->closer);
    if (!isnan(r->closeness_ratio))
        add(w, "; the closeness ratio is %.2f (chance: 1)", r->closeness_ratio);
    if (!c->held_out)
        add(w, "; real rows that repeat hide copies, and held-out rows would "
               "say more");
    add(w, ".");
}

/* ---- what was learned, or is not known ------------------------------------ */

static void about_target(const compare_job *j, compare_words *w)
{
    const sf_frames_usefulness *u = &j->report->usefulness;
    const char *measure = u->classes ? "a mean F1" : "an R squared";
    add_name(w, j, u->target);
    add(w,
        " is predicted on held-out rows with %s of %.3f (linear) and %.3f "
        "(neighbours) from synthetic rows, and of %.3f and %.3f from real "
        "ones.",
        measure, u->synthetic[0], u->synthetic[1], u->real[0], u->real[1]);
}

static void about_inference(const compare_job *j, compare_words *w)
{
    const sf_frames_report *r = j->report;
    int64_t most = 0;
    for (int64_t k = 1; k < r->cols; k++)
        if (r->inference[k].advantage > r->inference[most].advantage)
            most = k;
    const sf_frames_inference *f = &r->inference[most];
    add(w, "Who knows the rest of a row guesses ");
    add_name(w, j, most);
    add(w,
        " right in %.1f %% of real rows and %.1f %% of held-out ones (a "
        "difference of %.1f +- %.1f points), the most of all columns.",
        100.0 * f->success[0], 100.0 * f->success[1], 100.0 * f->advantage,
        100.0 * f->advantage_se);
}

void compare_describe(const compare_job *j, compare_words words[COMPARE_WORDS])
{
    memset(words, 0, COMPARE_WORDS * sizeof *words);
    about_columns(j, &words[0]);
    about_pairs(j, &words[1]);
    about_rows(j, &words[2]);
    about_copies(j, &words[3]);
    if (j->report->usefulness.target >= 0)
        about_target(j, &words[4]);
    else if (j->report->inference != NULL)
        about_inference(j, &words[4]);
    else
        add(&words[4],
            "How far real rows are from each other by chance is not "
            "known: --held-out FILE would add it to every figure, "
            "and with it --target COLUMN what is learned from rows.");
}
