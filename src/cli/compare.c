/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - scorefield compare: how alike two tables are. */
#include "cli/compare_job.h"

#include "base/assign.h"
#include "base/text.h"
#include "table/frame.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
     .shown = "of SYNTHETIC, but keys",
     .help = "Compare these: a,\"b, c\""},
    {.kind = CLI_TEXT,
     .letter = 'o',
     .name = "output",
     .argument = "FILE",
     .offset = offsetof(compare_options, output),
     .help = "The report as a page, .html"},
    OPTION(CLI_TEXT, "held-out", "FILE", held_out, NULL, NULL,
           "Real rows that no model was fitted to"),
    OPTION(CLI_TEXT, "target", "COL", target, NULL, NULL,
           "Is it learned as well from SYNTHETIC?"),
    OPTION(CLI_TEXT, "domain", "F", domain, NULL, NULL,
           "Angles: wind=circle:360; phase=circle"),
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

static const char *name_of(const void *user, int64_t k)
{
    return cli_data_name(user, k);
}

/* Whether a table says that this column only names its rows. */
static bool is_key(const sf_frame *f, const char *name)
{
    const int64_t k = sf_frame_find(f, name);
    return k >= 0 && sf_frame_kind(f, k) == SF_KIND_KEY;
}

static void say_unused(const compare_job *j)
{
    const sf_frame *all = j->real.all;
    for (int64_t k = 0; k < sf_frame_cols(all); k++) {
        char shown[SFI_SHOW_SIZE];
        const char *name = sf_frame_name(all, k);
        if (sf_frame_find(j->real.some, name) < 0)
            cli_note(j->c, "column \"%s\" is left out%s",
                     sfi_show(shown, name, strlen(name)),
                     is_key(all, name) ? ": it numbers or names the rows" : "");
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

/* The columns that --columns names; else all of synthetic that no table says are
 * keys. */
static sf_status choose_columns(compare_job *j)
{
    cli_data *d = &j->synthetic;
    const sf_frame *all = d->all;
    const int64_t cols = sf_frame_cols(all);
    if (j->o->columns != NULL) {
        SFI_TRY(sf_frame_pick(j->c->ctx, &d->some, all, j->o->columns));
        d->dim = sf_frame_cols(d->some);
        return SF_OK;
    }
    int64_t *index = sfi_alloc(j->c->ctx, (size_t)cols, sizeof *index);
    if (index == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < cols; k++) {
        const char *name = sf_frame_name(all, k);
        if (!is_key(all, name) && !is_key(j->real.all, name))
            index[d->dim++] = k;
    }
    const sf_status status =
        d->dim > 0
            ? sf_frame_select(j->c->ctx, &d->some, all, index, d->dim)
            : SFI_FAIL(j->c->ctx, SF_E_FORMAT,
                       "%s: all columns number or name the rows; choose some "
                       "with --columns",
                       cli_shown_path(d->path));
    sfi_free(j->c->ctx, index, (size_t)cols, sizeof *index);
    return status;
}

/* The synthetic table leads: a model may have left columns out. */
static sf_status read_tables(compare_job *j)
{
    cli *c = j->c;
    const cli_read *how = &j->o->read;
    SFI_TRY(cli_data_read(c, &j->real, c->operands[0], how));
    SFI_TRY(cli_data_read(c, &j->synthetic, c->operands[1], NULL));
    SFI_TRY(choose_columns(j));
    SFI_TRY(check_common(j));
    const cli_named wanted = {"synthetic table", j->synthetic.dim, name_of,
                              &j->synthetic};
    SFI_TRY(cli_data_find(c, &j->real, &wanted));
    if (j->o->columns == NULL)
        say_unused(j);
    if (j->o->held_out == NULL)
        return SF_OK;
    SFI_TRY(cli_data_read(c, &j->held_out, j->o->held_out, how));
    return cli_data_find(c, &j->held_out, &wanted);
}

/* ---- circles -------------------------------------------------------------- */

/* "circle" is of 2 pi, "circle:360" of 360; 0 is neither. */
static double read_period(sfi_piece value)
{
    static const char word[] = "circle";
    const size_t size = strlen(word);
    char text[40], *end;
    if (value.size < size || memcmp(value.at, word, size) != 0)
        return 0.0;
    if (value.size == size)
        return 2.0 * 3.14159265358979323846;
    const size_t digits = value.size - size - 1;
    if (value.at[size] != ':' || digits >= sizeof text)
        return 0.0;
    memcpy(text, value.at + size + 1, digits);
    text[digits] = '\0';
    const double period = strtod(text, &end);
    return end > text && *end == '\0' && isfinite(period) ? fmax(0.0, period)
                                                          : 0.0;
}

static sf_status read_circles(compare_job *j, const sfi_dictionary *names)
{
    enum { MOST = 256 };
    int64_t columns[MOST];
    sfi_assignment a;
    const char *text = j->o->domain;
    while (sfi_next_assignment(&text, names, MOST, columns, &a)) {
        char shown[SFI_SHOW_SIZE];
        const double period = read_period(a.value);
        if (a.count < 1 || a.count > MOST || !(period > 0.0))
            return SFI_FAIL(j->c->ctx, SF_E_ARG,
                            "--domain: \"%s\", want COLUMN=circle:PERIOD (or "
                            "circle, of 2 pi) of a column that is compared",
                            sfi_show(shown, a.text.at, a.text.size));
        for (int64_t k = 0; k < a.count; k++) {
            int64_t at = 0;
            while (at < j->circle_count && j->circles[at].column != columns[k])
                at++;
            j->circle_count += at == j->circle_count;
            j->circles[at] = (sf_circle){columns[k], period};
        }
    }
    return SF_OK;
}

static sf_status find_circles(compare_job *j)
{
    sf_context *ctx = j->c->ctx;
    const size_t dim = (size_t)j->synthetic.dim;
    sfi_dictionary names = {0};
    if (j->o->domain == NULL)
        return SF_OK;
    const char **list = sfi_alloc(ctx, dim, sizeof *list);
    j->circles = sfi_alloc(ctx, dim, sizeof *j->circles);
    sf_status status = list != NULL && j->circles != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK) {
        for (int64_t k = 0; k < j->synthetic.dim; k++)
            list[k] = cli_data_name(&j->synthetic, k);
        status = sfi_dictionary_fill(ctx, &names, j->synthetic.dim, list);
    }
    if (status == SF_OK)
        status = read_circles(j, &names);
    sfi_dictionary_free(ctx, &names);
    sfi_free(ctx, list, dim, sizeof *list);
    return status;
}

static sf_status find_target(compare_job *j, int64_t *target)
{
    if (j->o->held_out == NULL)
        return SFI_FAIL(j->c->ctx, SF_E_ARG,
                        "--target wants --held-out, rows to be judged on");
    return sfi_frame_find_column(j->c->ctx, j->synthetic.some, j->o->target,
                                 "--target", target);
}

/* ---- the command ---------------------------------------------------------- */

static sf_status compare(compare_job *j)
{
    cli *c = j->c;
    const compare_options *o = j->o;
    SFI_TRY(read_tables(j));
    SFI_TRY(find_circles(j));
    sf_compare_options numbers = SF_COMPARE_OPTIONS_INIT;
    numbers.raw = o->raw;
    numbers.max_rows = o->max_rows;
    numbers.permutations = (int)o->permutations;
    numbers.test_rows = o->test_rows;
    numbers.projections = (int)o->projections;
    numbers.seed = c->common.seed;
    sf_frames_options p = SF_FRAMES_OPTIONS_INIT;
    p.held_out = j->held_out.some;
    p.circles = j->circles;
    p.circle_count = j->circle_count;
    p.max_rows = o->max_rows;
    if (cli_given(c, "max-rows"))
        p.max_work = 0.0; /* as many as were asked for */
    p.seed = c->common.seed;
    p.numbers = &numbers;
    if (o->target != NULL)
        SFI_TRY(find_target(j, &p.target));
    cli_progress_begin(c);
    const sf_status status = sf_compare_frames(c->ctx, &j->report, j->real.some,
                                               j->synthetic.some, &p);
    cli_progress_end(c);
    if (status == SF_E_NUMERIC) /* a matter of what the files hold */
        return SF_E_FORMAT;
    SFI_TRY(status);
    compare_put_report(j);
    if (o->output != NULL)
        SFI_TRY(compare_write_html(j, o->output));
    return c->common.json || !c->common.quiet || o->output == NULL
               ? cli_report(c, stdout)
               : SF_OK;
}

static sf_status run(cli *c, const void *values)
{
    compare_job j = {.c = c, .o = values};
    const cli_file files[] = {{.option = "-o",
                               .path = j.o->output,
                               .is_output = true,
                               .optional = true,
                               .endings = ".html",
                               .want = ".html"},
                              {.option = "--held-out", .path = j.o->held_out}};
    SFI_TRY(cli_check_files(c, files, (int)SFI_COUNT(files)));
    cli_catch_signals();
    const sf_status status = compare(&j);
    sf_frames_report_free(c->ctx, j.report);
    sfi_free(c->ctx, j.circles, (size_t)j.synthetic.dim, sizeof *j.circles);
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
