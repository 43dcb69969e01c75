/* SPDX-License-Identifier: Apache-2.0 */
/* compare_report.c - the report of the command compare.
 *
 * In text, what no column has is left out; JSON has all of it.  Figures of held-out
 * rows against real ones end in _held_out. */
#include "cli/compare_job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What some column has. */
typedef struct shown {
    bool all, numbers, categories, missing, held_out;
} shown;

static shown find_shown(const compare_job *j)
{
    const sf_frames_report *r = j->report;
    shown s = {.all = j->c->common.json, .held_out = r->rows[2] > 0};
    for (int64_t k = 0; k < r->cols; k++) {
        const sf_frames_column *c = &r->column[k];
        const bool category = c->compared == SF_COMPARED_CATEGORY;
        s.numbers = s.numbers || !category;
        s.categories = s.categories || !isnan(c->total_variation[0]);
        for (int t = 0; t < 3; t++)
            s.missing = s.missing || c->missing[t] > 0.0;
    }
    s.numbers = s.numbers || s.all;
    s.categories = s.categories || s.all;
    s.missing = s.missing || s.all;
    return s;
}

/* KEY and, where there are held-out rows, KEY_held_out. */
static void put_two(const compare_job *j, json_t *o, const char *key,
                    const double value[2])
{
    char second[80];
    cli_put_number(j->c, o, key, value[0]);
    if (j->report->rows[2] == 0)
        return;
    snprintf(second, sizeof second, "%s_held_out", key);
    cli_put_number(j->c, o, second, value[1]);
}

/* KEY_real, KEY_synthetic, and KEY_held_out if `all` are shown. */
static void put_three(const compare_job *j, json_t *o, const char *key,
                      const double value[3], bool all)
{
    static const char *const of[] = {"real", "synthetic", "held_out"};
    const int tables = all && j->report->rows[2] > 0 ? 3 : 2;
    char name[80];
    for (int k = 0; k < tables; k++) {
        snprintf(name, sizeof name, "%s_%s", key, of[k]);
        cli_put_number(j->c, o, name, value[k]);
    }
}

static void put_quantiles(cli *c, json_t *object, const char *key,
                          const double *quantiles)
{
    json_t *list = cli_put_list(c, object, key);
    for (int k = 0; k < SF_COMPARE_QUANTILES; k++)
        cli_add_number(c, list, quantiles[k]);
}

/* What the text has no room for. */
static void put_details(compare_job *j, json_t *row, const sf_frames_column *k)
{
    cli *c = j->c;
    cli_put_text(c, row, "compared_as", sf_compared_name(k->compared));
    if (k->compared == SF_COMPARED_CIRCLE)
        cli_put_number(c, row, "period", k->period);
    cli_put(c, row, "ks_p_exact", json_boolean(k->ks_exact[0]));
    put_two(j, row, "energy", k->energy);
    cli_put_count(c, row, "distinct_real", k->distinct[0]);
    cli_put_count(c, row, "distinct_synthetic", k->distinct[1]);
    put_quantiles(c, row, "quantiles_real", k->quantile[0]);
    put_quantiles(c, row, "quantiles_synthetic", k->quantile[1]);
    if (j->report->rows[2] > 0)
        put_quantiles(c, row, "quantiles_held_out", k->quantile[2]);
}

static const char *kind_of(const sf_frames_column *k)
{
    return k->compared == SF_COMPARED_CIRCLE ? sf_compared_name(k->compared)
                                             : sf_kind_name(k->kind);
}

static void put_columns(compare_job *j)
{
    cli *c = j->c;
    const shown s = find_shown(j);
    json_t *list = cli_put_list(c, c->report, "columns");
    for (int64_t i = 0; i < j->report->cols; i++) {
        const sf_frames_column *k = &j->report->column[i];
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", cli_data_name(&j->synthetic, i));
        cli_put_text(c, row, "kind", kind_of(k));
        if (s.missing)
            put_three(j, row, "missing", k->missing, s.all);
        if (s.numbers) {
            put_three(j, row, "mean", k->mean, s.all);
            put_three(j, row, "sd", k->sd, s.all);
            put_two(j, row, "ks", k->ks);
            put_two(j, row, "ks_p", k->ks_p);
            put_two(j, row, "wasserstein", k->wasserstein);
        }
        if (s.categories)
            put_two(j, row, "total_variation", k->total_variation);
        put_two(j, row, "outside", k->outside);
        if (s.all)
            put_details(j, row, k);
    }
}

/* ---- pairs of columns ----------------------------------------------------- */

enum { LARGEST = 10 };

static void put_pair(compare_job *j, json_t *list, const sf_frames_pair *p)
{
    cli *c = j->c;
    json_t *row = cli_add_object(c, list);
    cli_put_text(c, row, "column", cli_data_name(&j->synthetic, p->columns[0]));
    cli_put_text(c, row, "with", cli_data_name(&j->synthetic, p->columns[1]));
    cli_put_text(c, row, "association", sf_association_name(p->association));
    put_three(j, row, "value", p->value, c->common.json);
    put_two(j, row, "difference", p->difference);
    put_two(j, row, "total_variation", p->total_variation);
}

/* Mean and maximum of what is a number of all pairs. */
static void put_all_pairs(compare_job *j, json_t *o, const char *key,
                          const double *(*figure)(const sf_frames_pair *))
{
    const sf_frames_report *r = j->report;
    double mean[2] = {NAN, NAN}, most[2] = {NAN, NAN};
    char name[80];
    for (int t = 0; t < 2; t++) {
        int64_t n = 0;
        double sum = 0.0;
        for (int64_t i = 0; i < r->pairs; i++) {
            const double value = fabs(figure(&r->pair[i])[t]);
            if (isnan(value))
                continue;
            sum += value;
            most[t] = fmax(most[t], value);
            n++;
        }
        mean[t] = n > 0 ? sum / (double)n : NAN;
    }
    snprintf(name, sizeof name, "%s_mean", key);
    put_two(j, o, name, mean);
    snprintf(name, sizeof name, "%s_max", key);
    put_two(j, o, name, most);
}

static const double *difference_of(const sf_frames_pair *p)
{
    return p->difference;
}

static const double *variation_of(const sf_frames_pair *p)
{
    return p->total_variation;
}

/* How many rows took part and why, where it is not all of them. */
static void put_rows(cli *c, json_t *object, const char *key,
                     const int64_t rows[2], const int64_t of[2],
                     const char *why)
{
    char text[120];
    if (rows[0] == of[0] && rows[1] == of[1])
        return;
    snprintf(text, sizeof text, "%lld of %lld and %lld of %lld, %s",
             (long long)rows[0], (long long)of[0], (long long)rows[1],
             (long long)of[1], why);
    cli_put_text(c, object, key, text);
}

static void put_part(cli *c, json_t *object, const char *key,
                     const int64_t rows[2], const int64_t of[2])
{
    put_rows(c, object, key, rows, of, "at random");
}

static void put_pairs(compare_job *j)
{
    cli *c = j->c;
    const sf_frames_report *r = j->report;
    if (r->pairs == 0)
        return;
    json_t *o = cli_put_object(c, c->report, "pairs");
    put_part(c, o, "rows_of_pairs", r->pair_rows, r->rows);
    cli_put_count(c, o, "compared", r->pairs);
    put_all_pairs(j, o, "difference", difference_of);
    put_all_pairs(j, o, "total_variation", variation_of);
    json_t *list = cli_put_list(c, o, "largest");
    for (int64_t i = 0; i < r->pairs && i < LARGEST; i++)
        put_pair(j, list, &r->pair[r->largest[i]]);
}

/* ---- rows of numbers ------------------------------------------------------ */

/* Which rows took part in a figure of both tables, one text each. */
static void put_taking_part(const compare_job *j, json_t *o, const char *key,
                            const int64_t rows[2][2], const int parts[2])
{
    const int64_t *of = j->report->rows;
    for (int p = 0; p < (of[2] > 0 ? 2 : 1); p++) {
        char text[120], name[80];
        if (rows[p][0] == of[0] && rows[p][1] == of[p + 1])
            continue;
        int n = parts != NULL
                    ? snprintf(text, sizeof text, "%d parts of ", parts[p])
                    : 0;
        snprintf(text + n, sizeof text - (size_t)n,
                 "%lld of %lld and %lld of %lld, at random",
                 (long long)rows[p][0], (long long)of[0], (long long)rows[p][1],
                 (long long)of[p + 1]);
        snprintf(name, sizeof name, "%s%s", key, p == 1 ? "_held_out" : "");
        cli_put_text(j->c, o, name, text);
    }
}

/* Whole rows. */
static void put_joint(compare_job *j, json_t *d)
{
    const sf_frames_rows *r = &j->report->joint;
    put_taking_part(j, d, "rows_of_transport", r->transport_rows,
                    r->transport_parts);
    put_two(j, d, "transport", r->transport);
    if (j->c->common.json || r->transport_parts[0] > 1 ||
        r->transport_parts[1] > 1)
        put_two(j, d, "transport_sd", r->transport_sd);
    put_taking_part(j, d, "rows_of_coverage", r->coverage_rows, NULL);
    put_two(j, d, "coverage", r->coverage);
    put_taking_part(j, d, "rows_of_mmd", r->mmd_rows, NULL);
    put_two(j, d, "mmd", r->mmd);
    if (!isnan(r->mmd_p[0]) || j->c->common.json)
        put_two(j, d, "mmd_p_value", r->mmd_p);
}

/* Rows of the columns of numbers. */
static void put_numbers(compare_job *j, json_t *d)
{
    cli *c = j->c;
    const sf_compare_report *r = j->report->numbers;
    put_rows(c, d, "rows_with_all_numbers", r->rows, j->report->rows,
             "complete");
    put_part(c, d, "rows_of_the_energy_distance", r->energy_rows, r->rows);
    if (r->test.permutations > 0)
        put_part(c, d, "rows_of_its_test", r->test.rows, r->rows);
    cli_put_number(c, d, "energy_distance", r->energy.distance);
    cli_put_number(c, d, "energy_distance_unbiased", r->energy.unbiased);
    cli_put_number(c, d, "energy_distance_relative", r->energy.relative);
    if (r->test.permutations > 0) {
        cli_put_number(c, d, "null_mean", r->test.null_mean);
        cli_put_number(c, d, "distance_of_tested_rows", r->test.distance);
        cli_put_number(c, d, "p_value", r->test.p);
    }
    if (r->projections > 0) {
        cli_put_number(c, d, "sliced_wasserstein_1", r->sliced_w1);
        cli_put_number(c, d, "sliced_wasserstein_1_se", r->sliced_w1_se);
        cli_put_number(c, d, "sliced_wasserstein_2", r->sliced_w2);
    }
    if (r->cols > 1) {
        cli_put_number(c, d, "correlation_difference_max", r->correlation_max);
        cli_put_number(c, d, "correlation_difference_rms", r->correlation_rms);
    }
    cli_put_text(c, d, "unit",
                 j->o->raw ? "the columns' own"
                           : "standard deviations of REAL");
}

/* ---- copies --------------------------------------------------------------- */

/* Numbers of columns, by the advantage of an attacker, the largest first. */
static void sort_by_advantage(const sf_frames_report *r, int64_t *index)
{
    for (int64_t i = 0; i < r->cols; i++) {
        int64_t at = i;
        for (; at > 0 && r->inference[index[at - 1]].advantage <
                             r->inference[i].advantage;
             at--)
            index[at] = index[at - 1];
        index[at] = i;
    }
}

static void put_inference(compare_job *j, json_t *o)
{
    enum { NAMED = 3 };
    cli *c = j->c;
    const sf_frames_report *r = j->report;
    int64_t *index = sfi_alloc(c->ctx, (size_t)r->cols, sizeof *index);
    if (index == NULL) {
        c->report_failed = true;
        return;
    }
    sort_by_advantage(r, index);
    json_t *list = cli_put_list(c, o, "inference");
    for (int64_t i = 0; i < r->cols && (i < NAMED || c->common.json); i++) {
        const sf_frames_inference *f = &r->inference[index[i]];
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", cli_data_name(&j->synthetic, index[i]));
        cli_put_number(c, row, "guessed_real", f->success[0]);
        cli_put_number(c, row, "guessed_held_out", f->success[1]);
        cli_put_number(c, row, "advantage", f->advantage);
        cli_put_number(c, row, "advantage_se", f->advantage_se);
    }
    sfi_free(c->ctx, index, (size_t)r->cols, sizeof *index);
}

/* Numbers that come up again although nothing makes them. */
static void put_outliers(compare_job *j, json_t *o)
{
    int64_t singular = 0, reproduced[2] = {0, 0};
    for (int64_t i = 0; i < j->report->cols; i++) {
        const sf_frames_column *k = &j->report->column[i];
        singular += k->singular;
        for (int p = 0; p < 2; p++)
            reproduced[p] += k->reproduced[p];
    }
    if (singular == 0 && !j->c->common.json)
        return;
    cli_put_count(j->c, o, "singular_values_real", singular);
    cli_put_count(j->c, o, "singular_values_reproduced", reproduced[0]);
    if (j->report->rows[2] > 0)
        cli_put_count(j->c, o, "singular_values_reproduced_held_out",
                      reproduced[1]);
}

static void put_copies(compare_job *j)
{
    cli *c = j->c;
    const sf_frames_report *r = j->report;
    const sf_compare_copies *k = &r->copies;
    json_t *o = cli_put_object(c, c->report, "copies");
    cli_put_count(c, o, "rows_equal_to_a_real_row", k->copies);
    cli_put_count(c, o, "equal_rows_of_the_reference", k->reference_copies);
    cli_put_text(c, o, "reference",
                 k->held_out ? "held-out rows"
                             : "real rows against the other real rows, which "
                               "is weaker");
    cli_put_count(c, o, "repeated_rows_real", k->duplicates[0]);
    cli_put_count(c, o, "repeated_rows_synthetic", k->duplicates[1]);
    put_part(c, o, "rows_whose_dcr_is_taken", k->rows,
             (int64_t[]){k->reference_rows, r->rows[1]});
    cli_put_number(c, o, "closeness_ratio", r->closeness_ratio);
    cli_put_number(c, o, "dcr_below_5_percent_quantile", k->closer);
    cli_put_number(c, o, "dcr_below_p_value", k->closer_p);
    cli_put_number(c, o, "prob_closer_than_reference", k->nearer);
    cli_put_number(c, o, "prob_closer_than_reference_se", k->nearer_se);
    cli_put_number(c, o, "second_neighbour", r->second_neighbour[1]);
    cli_put_number(c, o, "second_neighbour_reference", r->second_neighbour[0]);
    if (c->common.json) {
        put_quantiles(c, o, "dcr_reference", k->dcr[0]);
        put_quantiles(c, o, "dcr_synthetic", k->dcr[1]);
    } else {
        cli_put_number(c, o, "median_dcr", k->dcr[1][SF_COMPARE_QUANTILES / 2]);
        cli_put_number(c, o, "median_dcr_reference",
                       k->dcr[0][SF_COMPARE_QUANTILES / 2]);
    }
    put_outliers(j, o);
    if (r->inference != NULL)
        put_inference(j, o);
    cli_put(c, o, "suspicious", json_boolean(k->suspicious));
    cli_put(c, o, "repetitive", json_boolean(k->repetitive));
}

/* ---- what learns from rows ------------------------------------------------ */

static void put_two_sample(compare_job *j)
{
    cli *c = j->c;
    const sf_frames_two_sample *t = &j->report->two_sample;
    json_t *o = cli_put_object(c, c->report, "two_sample");
    put_taking_part(j, o, "rows", t->rows, NULL);
    put_two(j, o, "auc_logistic", t->auc[SF_LEARNER_LINEAR]);
    put_two(j, o, "auc_neighbours", t->auc[SF_LEARNER_NEIGHBOURS]);
    put_two(j, o, "standard_error_if_alike", t->auc_se);
}

static void put_usefulness(compare_job *j)
{
    cli *c = j->c;
    const sf_frames_usefulness *u = &j->report->usefulness;
    if (u->target < 0)
        return;
    json_t *o = cli_put_object(c, c->report, "usefulness");
    cli_put_text(c, o, "target", cli_data_name(&j->synthetic, u->target));
    cli_put_text(c, o, "measure", u->classes ? "macro F1" : "R squared");
    cli_put_count(c, o, "rows_learned_synthetic", u->rows[1]);
    cli_put_count(c, o, "rows_learned_real", u->rows[0]);
    cli_put_count(c, o, "rows_judged", u->rows[2]);
    for (int l = 0; l < SF_LEARNERS; l++) {
        char name[80];
        const char *learner = sf_learner_name((sf_learner)l);
        snprintf(name, sizeof name, "%s_synthetic", learner);
        cli_put_number(c, o, name, u->synthetic[l]);
        snprintf(name, sizeof name, "%s_real", learner);
        cli_put_number(c, o, name, u->real[l]);
    }
}

/* ---- all ------------------------------------------------------------------ */

static void put_words(compare_job *j)
{
    compare_words words[COMPARE_WORDS];
    compare_describe(j, words);
    json_t *list = cli_put_list(j->c, j->c->report, "summary");
    for (int k = 0; k < COMPARE_WORDS; k++)
        if (json_array_append_new(list, json_string(words[k].text)) != 0)
            j->c->report_failed = true;
}

void compare_put_report(compare_job *j)
{
    cli *c = j->c;
    const sf_frames_report *r = j->report;
    cli_put_count(c, c->report, "rows_real", r->rows[0]);
    cli_put_count(c, c->report, "rows_synthetic", r->rows[1]);
    if (r->rows[2] > 0)
        cli_put_count(c, c->report, "rows_held_out", r->rows[2]);
    if (c->common.json)
        put_words(j);
    put_columns(j);
    put_pairs(j);
    json_t *distances = cli_put_object(c, c->report, "distances");
    put_joint(j, distances);
    if (r->numbers != NULL)
        put_numbers(j, distances);
    put_two_sample(j);
    put_usefulness(j);
    put_copies(j);
}
