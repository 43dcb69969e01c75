/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - scorefield compare: how alike two tables are. */
#include "cli/cli.h"

#include "base/text.h"
#include "scorefield/compare.h"

#include <stdio.h>
#include <string.h>

typedef struct compare_options {
    const char *columns, *held_out;
    bool raw;
    int64_t max_rows, permutations, test_rows, projections;
    cli_read read; /* of REAL and --held-out                               */
} compare_options;

#define OPTION(kind_, name_, argument_, member, initial_, range_, help_)       \
    {                                                                          \
        .kind = kind_, .name = name_, .argument = argument_,                   \
        .offset = offsetof(compare_options, member), .initial = initial_,      \
        .range = range_, .help = help_                                         \
    }

static const cli_option options[] = {
    {.kind = CLI_TEXT,
     .name = "columns",
     .argument = "LIST",
     .offset = offsetof(compare_options, columns),
     .shown = "numbers of SYNTHETIC",
     .help = "Compare these: a,\"b, c\""},
    OPTION(CLI_TEXT, "held-out", "FILE", held_out, NULL, NULL,
           "Real rows that no model was fitted to"),
    OPTION(CLI_FLAG, "raw", NULL, raw, NULL, NULL,
           "Distances in the columns' own units"),
    OPTION(CLI_WHOLE, "max-rows", "N", max_rows, "10000", "[2, 1e9]",
           "Rows of a table that sums over pairs take"),
    OPTION(CLI_WHOLE, "permutations", "N", permutations, "199", "[0, 100000]",
           "Of the test of the energy distance"),
    OPTION(CLI_WHOLE, "test-rows", "N", test_rows, "1000", "[2, 1e9]",
           "Rows of a table that the test takes"),
    OPTION(CLI_WHOLE, "projections", "N", projections, "64", "[0, 100000]",
           "Directions of sliced Wasserstein"),
    CLI_READ_OPTIONS(compare_options, read),
    {0}};

/* ---- the tables ----------------------------------------------------------- */

typedef struct compare_job {
    cli *c;
    const compare_options *o;
    cli_data real, synthetic, held_out;
    sf_compare_report *report;
} compare_job;

static const char *name_of(const void *user, int64_t k)
{
    return cli_data_name(user, k);
}

static void say_unused(const compare_job *j)
{
    const sf_frame *all = j->real.all;
    for (int64_t k = 0; k < sf_frame_cols(all); k++) {
        char shown[SFI_SHOW_SIZE];
        const char *name = sf_frame_name(all, k);
        if (sf_frame_find(j->real.some, name) < 0)
            cli_note(j->c, "column \"%s\" is left out",
                     sfi_show(shown, name, strlen(name)));
    }
}

/* Append "NAME" to a list; false if it is full. */
static bool list_name(char *list, size_t size, const char *name)
{
    char shown[SFI_SHOW_SIZE];
    const size_t used = strlen(list);
    sfi_show(shown, name, strlen(name));
    if (used + strlen(shown) + 10 > size)
        return false;
    snprintf(list + used, size - used, "%s\"%s\"", used > 0 ? ", " : "", shown);
    return true;
}

/* What one table has and the other has not, and what both have. */
typedef struct differences {
    int64_t missing, common;
    char missing_list[200], common_list[300];
} differences;

static void add_to(int64_t *count, char *list, size_t size, const char *name)
{
    const bool fits = strstr(list, ", ...") == NULL;
    (*count)++;
    if (fits && !list_name(list, size - 6, name))
        strcat(list, ", ...");
}

/* Columns that real lacks are named, beside those that both have and can be
 * compared. */
static sf_status check_common(const compare_job *j)
{
    differences found = {0};
    if (!sf_frame_has_names(j->real.all))
        return SF_OK;
    for (int64_t k = 0; k < j->synthetic.dim; k++) {
        const char *name = cli_data_name(&j->synthetic, k);
        if (sf_frame_find(j->real.all, name) < 0)
            add_to(&found.missing, found.missing_list,
                   sizeof found.missing_list, name);
        else
            add_to(&found.common, found.common_list, sizeof found.common_list,
                   name);
    }
    if (found.missing == 0)
        return SF_OK;
    const char *path = cli_shown_path(j->real.path);
    const char *other = cli_shown_path(j->synthetic.path);
    if (found.common == 0)
        return SFI_FAIL(j->c->ctx, SF_E_FORMAT,
                        "%s: has none of the columns of %s: %s", path, other,
                        found.missing_list);
    return SFI_FAIL(j->c->ctx, SF_E_FORMAT,
                    "%s: lacks %s of %s; both have %s: compare these with "
                    "--columns",
                    path, found.missing_list, other, found.common_list);
}

/* The synthetic table leads: a model may have left columns out. */
static sf_status read_tables(compare_job *j)
{
    cli *c = j->c;
    const cli_read *how = &j->o->read;
    SFI_TRY(cli_data_read(c, &j->real, c->operands[0], how));
    SFI_TRY(cli_data_read(c, &j->synthetic, c->operands[1], NULL));
    SFI_TRY(cli_data_choose(c, &j->synthetic, j->o->columns));
    SFI_TRY(check_common(j));
    const cli_named wanted = {"synthetic table", j->synthetic.dim, name_of,
                              &j->synthetic};
    SFI_TRY(cli_data_match(c, &j->real, &wanted));
    if (j->o->columns == NULL)
        say_unused(j);
    if (j->o->held_out != NULL) {
        SFI_TRY(cli_data_read(c, &j->held_out, j->o->held_out, how));
        SFI_TRY(cli_data_match(c, &j->held_out, &wanted));
        SFI_TRY(cli_data_take(c, &j->held_out));
    }
    SFI_TRY(cli_data_take(c, &j->real));
    return cli_data_take(c, &j->synthetic);
}

/* ---- the report ----------------------------------------------------------- */

static void put_quantiles(cli *c, json_t *object, const char *key,
                          const double *quantiles)
{
    json_t *list = cli_put_list(c, object, key);
    for (int k = 0; k < SF_COMPARE_QUANTILES; k++)
        cli_add_number(c, list, quantiles[k]);
}

static void put_columns(compare_job *j)
{
    cli *c = j->c;
    json_t *list = cli_put_list(c, c->report, "columns");
    for (int64_t k = 0; k < j->report->cols; k++) {
        const sf_compare_column *column = &j->report->column[k];
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", cli_data_name(&j->synthetic, k));
        cli_put_number(c, row, "mean_real", column->mean[0]);
        cli_put_number(c, row, "mean_synthetic", column->mean[1]);
        cli_put_number(c, row, "sd_real", column->sd[0]);
        cli_put_number(c, row, "sd_synthetic", column->sd[1]);
        cli_put_number(c, row, "ks", column->ks);
        cli_put_number(c, row, "ks_p", column->ks_p);
        cli_put_number(c, row, "wasserstein", column->wasserstein);
        if (!c->common.json)
            continue;
        cli_put(c, row, "ks_p_exact", json_boolean(column->ks_exact));
        cli_put_number(c, row, "energy", column->energy);
        cli_put_count(c, row, "distinct_real", column->distinct[0]);
        cli_put_count(c, row, "distinct_synthetic", column->distinct[1]);
        put_quantiles(c, row, "quantiles_real", column->quantile[0]);
        put_quantiles(c, row, "quantiles_synthetic", column->quantile[1]);
    }
}

/* How many rows took part, where it is not all of them. */
static void put_part(cli *c, json_t *object, const char *key,
                     const int64_t rows[2], const int64_t of[2])
{
    char text[120];
    if (rows[0] == of[0] && rows[1] == of[1])
        return;
    snprintf(text, sizeof text, "%lld of %lld and %lld of %lld, at random",
             (long long)rows[0], (long long)of[0], (long long)rows[1],
             (long long)of[1]);
    cli_put_text(c, object, key, text);
}

static void put_distances(compare_job *j)
{
    cli *c = j->c;
    const sf_compare_report *r = j->report;
    json_t *d = cli_put_object(c, c->report, "distances");
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

static void put_copies(compare_job *j)
{
    cli *c = j->c;
    const sf_compare_copies *k = &j->report->copies;
    json_t *o = cli_put_object(c, c->report, "copies");
    cli_put_count(c, o, "rows_equal_to_a_real_row", k->copies);
    cli_put_count(c, o, "equal_rows_of_the_reference", k->reference_copies);
    cli_put_text(c, o, "reference",
                 k->held_out ? "held-out rows"
                             : "real rows against the other real rows");
    cli_put_count(c, o, "repeated_rows_real", k->duplicates[0]);
    cli_put_count(c, o, "repeated_rows_synthetic", k->duplicates[1]);
    put_part(c, o, "rows_whose_dcr_is_taken", k->rows,
             (int64_t[]){k->reference_rows, j->report->rows[1]});
    cli_put_number(c, o, "dcr_below_5_percent_quantile", k->closer);
    cli_put_number(c, o, "dcr_below_p_value", k->closer_p);
    cli_put_number(c, o, "prob_closer_than_reference", k->nearer);
    cli_put_number(c, o, "prob_closer_than_reference_se", k->nearer_se);
    if (c->common.json) {
        put_quantiles(c, o, "dcr_reference", k->dcr[0]);
        put_quantiles(c, o, "dcr_synthetic", k->dcr[1]);
    } else {
        cli_put_number(c, o, "median_dcr", k->dcr[1][SF_COMPARE_QUANTILES / 2]);
        cli_put_number(c, o, "median_dcr_reference",
                       k->dcr[0][SF_COMPARE_QUANTILES / 2]);
    }
    cli_put(c, o, "suspicious", json_boolean(k->suspicious));
    cli_put(c, o, "repetitive", json_boolean(k->repetitive));
}

static sf_status compare(compare_job *j)
{
    cli *c = j->c;
    const compare_options *o = j->o;
    SFI_TRY(read_tables(j));
    sf_compare_options p = SF_COMPARE_OPTIONS_INIT;
    p.raw = o->raw;
    p.max_rows = o->max_rows;
    p.permutations = (int)o->permutations;
    p.test_rows = o->test_rows;
    p.projections = (int)o->projections;
    p.seed = c->common.seed;
    p.held_out = j->held_out.x;
    if (cli_given(c, "max-rows"))
        p.max_work = 0.0; /* as many as were asked for */
    cli_progress_begin(c);
    const sf_status status =
        sf_compare(c->ctx, &j->report, j->real.x, j->synthetic.x, &p);
    cli_progress_end(c);
    if (status == SF_E_NUMERIC) /* a matter of what the files hold */
        return SF_E_FORMAT;
    SFI_TRY(status);
    cli_put_count(c, c->report, "rows_real", j->report->rows[0]);
    cli_put_count(c, c->report, "rows_synthetic", j->report->rows[1]);
    put_columns(j);
    put_distances(j);
    put_copies(j);
    return cli_report(c, stdout);
}

static sf_status run(cli *c, const void *values)
{
    compare_job j = {.c = c, .o = values};
    cli_catch_signals();
    const sf_status status = compare(&j);
    sf_compare_report_free(c->ctx, j.report);
    cli_data_free(&j.real);
    cli_data_free(&j.synthetic);
    cli_data_free(&j.held_out);
    return status;
}

const cli_command cli_compare = {
    .name = "compare",
    .summary = "How alike two tables are, and whether rows were copied",
    .usage = "[OPTIONS] REAL SYNTHETIC",
    .operands =
        "  REAL, SYNTHETIC          Tables, .csv or .npy; columns are found by "
        "name\n",
    .least = 2,
    .most = 2,
    .size = sizeof(compare_options),
    .options = options,
    .notes =
        "The report goes to stdout.  ks is the Kolmogorov-Smirnov statistic.  "
        "A small p\nvalue says that chance does not explain the energy "
        "distance; `suspicious` that\nsynthetic rows are nearer to real ones "
        "than other real rows are.\n",
    .example = "  scorefield compare data/faithful.csv new.csv\n",
    .run = run};
