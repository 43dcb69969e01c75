/* SPDX-License-Identifier: Apache-2.0 */
/* impute_table.c - the table of `scorefield impute`.
 *
 * The table is read as it is and written as it is, but for the cells that are filled.
 * What an imputer has to see in another way, dates as days and the whole numbers of
 * a target as classes, lies in columns of its own beside it. */
#include "cli/impute_table.h"

#include "base/dictionary.h"
#include "base/text.h"
#include "num/array.h"
#include "num/decimal.h"
#include "num/sort.h"
#include "scorefield/model.h"
#include "table/frame.h"

#include <math.h>
#include <string.h>

enum {
    MOST_CLASSES = 100,
    FEW_LEVELS = 20 /* texts may all differ by chance below that */
};

static const double day = 86400.0;

/* ---- memory ------------------------------------------------------------------ */

void impute_table_free(impute_table *t)
{
    if (t->c == NULL)
        return;
    sf_context *ctx = t->c->ctx;
    const size_t rows = (size_t)t->table.rows, room = (size_t)t->room;
    sfi_free(ctx, t->x, rows * (size_t)t->dim, sizeof *t->x);
    sf_frame_free(t->chosen);
    sf_frame_free(t->frame);
    for (size_t k = 0; k < room && t->recoded != NULL; k++) {
        sfi_free(ctx, t->recoded[k].cells, rows, sizeof(double));
        sfi_free(ctx, t->recoded[k].value, MOST_CLASSES, sizeof(double));
    }
    sfi_free(ctx, t->told, room, sizeof *t->told);
    sfi_free(ctx, t->recoded, room, sizeof *t->recoded);
    sfi_free(ctx, t->names, room, sizeof *t->names);
    sfi_free(ctx, t->index, room, sizeof *t->index);
    sf_table_free(ctx, &t->table);
}

static sf_status allocate(impute_table *t)
{
    sf_context *ctx = t->c->ctx;
    const size_t cols = (size_t)t->table.cols;
    t->room = t->table.cols;
    t->index = sfi_alloc(ctx, cols, sizeof *t->index);
    t->names = sfi_alloc(ctx, cols, sizeof *t->names);
    t->recoded = sfi_alloc_zero(ctx, cols, sizeof *t->recoded);
    t->told = sfi_alloc_zero(ctx, cols, sizeof *t->told);
    return t->index != NULL && t->names != NULL && t->recoded != NULL &&
                   t->told != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

static double cell_of(const impute_table *t, int64_t row, int64_t col)
{
    return t->table.data[row * t->table.cols + col];
}

/* ---- dates ------------------------------------------------------------------------ */

/* A column of texts that are all dates becomes days, or seconds if some have a time.
 * of_level is scratch. */
static bool read_dates(const sf_column *column, double *of_level,
                       sfi_date_style *style)
{
    bool times = false;
    for (int64_t k = 0; k < column->level_count; k++) {
        bool has_time = false;
        if (!sfi_date_parse(column->levels[k], &of_level[k], &has_time))
            return false;
        sfi_date_see(style, column->levels[k]);
        times = times || has_time;
    }
    for (int64_t k = 0; k < column->level_count && !times; k++)
        of_level[k] /= day;
    return column->level_count > 1;
}

static sf_status recode_dates(impute_table *t, int64_t col)
{
    sf_context *ctx = t->c->ctx;
    const sf_column *column = &t->table.columns[col];
    impute_recoded *r = &t->recoded[col];
    const size_t levels = (size_t)column->level_count;
    double *of_level = sfi_alloc(ctx, levels, sizeof *of_level);
    if (of_level == NULL)
        return SF_E_NOMEM;
    if (read_dates(column, of_level, &r->style)) {
        r->cells = sfi_alloc(ctx, (size_t)t->table.rows, sizeof *r->cells);
        for (int64_t i = 0; i < t->table.rows && r->cells != NULL; i++) {
            const double level = cell_of(t, i, col);
            r->cells[i] = isnan(level) ? level : of_level[(int64_t)level];
        }
    } else {
        r->style = (sfi_date_style){0};
    }
    sfi_free(ctx, of_level, levels, sizeof *of_level);
    return r->style.is_known && r->cells == NULL ? SF_E_NOMEM : SF_OK;
}

/* ---- classes ---------------------------------------------------------------------- */

static sf_status fail_target(const impute_table *t, const char *has)
{
    char shown[SFI_SHOW_SIZE];
    const char *name = t->table.columns[t->target].name;
    return SFI_FAIL(t->c->ctx, SF_E_FORMAT,
                    "%s: --target: column \"%s\" %s; want texts, or whole "
                    "numbers of at most %d values",
                    cli_shown_path(t->path),
                    sfi_show(shown, name, strlen(name)), has,
                    (int)MOST_CLASSES);
}

/* The distinct values of the target, rising. */
static sf_status find_classes(const impute_table *t, impute_recoded *r)
{
    for (int64_t i = 0; i < t->table.rows; i++) {
        const double x = cell_of(t, i, t->target);
        int64_t at = r->value_count;
        if (isnan(x))
            continue;
        if (x != floor(x))
            return fail_target(t, "holds numbers that are not whole");
        while (at > 0 && r->value[at - 1] > x)
            at--;
        if (at > 0 && r->value[at - 1] == x)
            continue;
        if (r->value_count == MOST_CLASSES)
            return fail_target(t, "holds too many numbers");
        memmove(r->value + at + 1, r->value + at,
                (size_t)(r->value_count++ - at) * sizeof *r->value);
        r->value[at] = x;
    }
    return r->value_count > 1 ? SF_OK
                              : fail_target(t, "does not hold two classes");
}

static sf_status recode_target(impute_table *t)
{
    sf_context *ctx = t->c->ctx;
    impute_recoded *r = &t->recoded[t->target];
    const sf_column *column = &t->table.columns[t->target];
    if (column->kind == SF_COLUMN_TEXT)
        return r->cells != NULL          ? fail_target(t, "holds dates")
               : column->level_count < 2 ? fail_target(t, "has one class")
                                         : SF_OK;
    r->cells = sfi_alloc(ctx, (size_t)t->table.rows, sizeof *r->cells);
    r->value = sfi_alloc(ctx, MOST_CLASSES, sizeof *r->value);
    if (r->cells == NULL || r->value == NULL)
        return SF_E_NOMEM;
    SFI_TRY(find_classes(t, r));
    for (int64_t i = 0; i < t->table.rows; i++) {
        const double x = cell_of(t, i, t->target);
        int64_t level = 0;
        while (!isnan(x) && r->value[level] < x)
            level++;
        r->cells[i] = isnan(x) ? x : (double)level;
    }
    return SF_OK;
}

/* ---- reading ---------------------------------------------------------------------- */

/* What column k is, but for its kind. */
static void describe_column(const impute_table *t, int64_t k,
                            sf_frame_column *to)
{
    const sf_column *from = &t->table.columns[k];
    const impute_recoded *r = &t->recoded[k];
    *to = (sf_frame_column)SF_FRAME_COLUMN_INIT;
    to->name = from->name;
    to->data = r->cells != NULL ? r->cells : t->table.data + k;
    to->stride =
        r->cells != NULL ? 0 : t->table.cols * (int64_t)sizeof *t->table.data;
    if (r->style.is_known) {
        to->kind = SF_KIND_DATE;
        to->unit = r->style.has_time ? "s" : "d";
    } else if (r->value == NULL) {
        to->levels = (const char *const *)from->levels;
        to->level_count = from->level_count;
    }
}

static sf_status name_classes(const impute_table *t, sfi_dictionary *classes)
{
    const impute_recoded *r = &t->recoded[t->target];
    for (int64_t i = 0; i < r->value_count; i++) {
        char number[SFI_NUMBER_SIZE];
        const int size = sfi_number_format(r->value[i], number);
        SFI_TRY(sfi_dictionary_add(t->c->ctx, classes, number, (size_t)size));
    }
    return SF_OK;
}

static sf_status describe(impute_table *t, sf_frame_column *columns,
                          sfi_dictionary *classes)
{
    const int64_t cols = t->table.cols;
    for (int64_t j = 0; j < cols; j++) {
        describe_column(t, j, &columns[j]);
        /* categories, booleans and dates are what the reader made of them */
        if (t->told[j].is_told && columns[j].kind < 0 &&
            columns[j].level_count == 0)
            columns[j].kind = (int)t->told[j].kind;
        if (t->told[j].has_atoms) {
            columns[j].atoms = t->told[j].atoms;
            columns[j].atom_count = t->told[j].atom_count;
        }
    }
    if (t->target >= 0 && t->recoded[t->target].value != NULL) {
        SFI_TRY(name_classes(t, classes));
        columns[t->target].kind = SF_KIND_CATEGORY;
        columns[t->target].levels = (const char *const *)classes->texts;
        columns[t->target].level_count = (int64_t)classes->count;
    }
    return sf_frame_new(t->c->ctx, &t->frame, t->table.rows, cols, columns);
}

static sf_status make_frame(impute_table *t)
{
    sf_context *ctx = t->c->ctx;
    const size_t cols = (size_t)t->table.cols;
    sfi_dictionary classes = {0};
    sf_frame_column *columns = sfi_alloc(ctx, cols, sizeof *columns);
    const sf_status status =
        columns != NULL ? describe(t, columns, &classes) : SF_E_NOMEM;
    sfi_dictionary_free(ctx, &classes);
    sfi_free(ctx, columns, cols, sizeof *columns);
    return status;
}

/* ---- kinds that are told ---------------------------------------------------------- */

static sf_status read_told(impute_table *t, const char *kinds)
{
    sf_context *ctx = t->c->ctx;
    const size_t cols = (size_t)t->table.cols;
    if (kinds == NULL)
        return SF_OK;
    const char **names = sfi_alloc(ctx, cols, sizeof *names);
    if (names == NULL)
        return SF_E_NOMEM;
    for (size_t j = 0; j < cols; j++)
        names[j] = t->table.columns[j].name;
    const sf_status status =
        sfi_kinds_read(ctx, kinds, t->table.cols, names, t->told);
    sfi_free(ctx, names, cols, sizeof *names);
    return status;
}

/* The least and the largest number of a column beside its atoms. */
static void take_range(const impute_table *t, int64_t j, sf_frame_summary *s)
{
    s->min = INFINITY;
    s->max = -INFINITY;
    for (int64_t i = 0; i < t->table.rows; i++) {
        const double x = sf_frame_cell(t->frame, i, j);
        bool atom = false;
        for (int64_t k = 0; k < sf_frame_atom_count(t->frame, j); k++)
            atom = atom || x == sf_frame_atom(t->frame, j, k);
        if (isnan(x) || atom)
            continue;
        s->min = fmin(s->min, x);
        s->max = fmax(s->max, x);
    }
}

/* Whether the cells of column j can be what they are told to be. */
static bool can_be(const impute_table *t, int64_t j, const sf_frame_summary *s)
{
    const sf_column *column = &t->table.columns[j];
    const bool text = column->kind == SF_COLUMN_TEXT;
    switch (t->told[j].kind) {
    case SF_KIND_DATE:
        return t->recoded[j].style.is_known;
    case SF_KIND_BOOLEAN:
        return text && column->level_count == 2;
    case SF_KIND_INTEGER:
        return column->kind == SF_COLUMN_INTEGER;
    case SF_KIND_PROPORTION:
        return !text && s->min >= 0.0 && s->max <= 1.0;
    case SF_KIND_POSITIVE:
        return !text && s->min > 0.0;
    case SF_KIND_REAL:
        return !text;
    default:
        return true;
    }
}

static sf_status check_told(const impute_table *t)
{
    for (int64_t j = 0; j < t->table.cols; j++) {
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        take_range(t, j, &s);
        if (t->told[j].is_told && !can_be(t, j, &s))
            return SFI_FAIL(t->c->ctx, SF_E_FORMAT,
                            "%s: column \"%.200s\" is said to be of kind %s, "
                            "and its cells are not",
                            cli_shown_path(t->path), t->table.columns[j].name,
                            sf_kind_name(t->told[j].kind));
    }
    return SF_OK;
}

static sf_status find_target(impute_table *t, const char *target)
{
    char shown[SFI_SHOW_SIZE];
    for (int64_t k = 0; k < t->table.cols; k++)
        if (strcmp(t->table.columns[k].name, target) == 0)
            t->target = k;
    return t->target >= 0 ? recode_target(t)
                          : SFI_FAIL(t->c->ctx, SF_E_ARG,
                                     "--target: %s has no column \"%s\"",
                                     cli_shown_path(t->path),
                                     sfi_show(shown, target, strlen(target)));
}

sf_status impute_table_read(impute_table *t, cli *c, const char *path,
                            const cli_read *how, const char *target)
{
    const sf_read_options options = cli_read_options(how);
    *t = (impute_table){.c = c, .path = path, .target = -1};
    SFI_TRY(sf_table_read_with(c->ctx, &t->table, path, &options));
    SFI_TRY(allocate(t));
    SFI_TRY(read_told(t, how->kinds));
    for (int64_t k = 0; k < t->table.cols; k++)
        if (t->table.columns[k].kind == SF_COLUMN_TEXT &&
            (!t->told[k].is_told || t->told[k].kind == SF_KIND_DATE))
            SFI_TRY(recode_dates(t, k));
    if (target != NULL)
        SFI_TRY(find_target(t, target));
    SFI_TRY(make_frame(t));
    return check_told(t);
}

/* ---- which columns ---------------------------------------------------------------- */

static void use_column(impute_table *t, int64_t col)
{
    t->index[t->dim] = col;
    t->names[t->dim++] = t->table.columns[col].name;
}

sf_status impute_choose_model(impute_table *t, const sf_model *model)
{
    char shown[SFI_SHOW_SIZE], level[SFI_SHOW_SIZE];
    t->model = model;
    for (int64_t k = 0; k < sf_model_dim(model); k++) {
        const char *name = sf_model_column(model, k);
        const int64_t col = sf_frame_find(t->frame, name);
        if (col < 0)
            return SFI_FAIL(t->c->ctx, SF_E_FORMAT,
                            "%s: the model's column \"%s\" is missing",
                            cli_shown_path(t->path),
                            sfi_show(shown, name, strlen(name)));
        const sf_column *column = &t->table.columns[col];
        if (column->kind == SF_COLUMN_TEXT && t->recoded[col].cells == NULL &&
            sf_model_level_count(model, k) == 0)
            return SFI_FAIL(
                t->c->ctx, SF_E_FORMAT,
                "%s: column \"%s\" holds text (\"%s\", ...), want numbers",
                cli_shown_path(t->path), sfi_show(shown, name, strlen(name)),
                sfi_show(level, column->levels[0], strlen(column->levels[0])));
        use_column(t, col);
    }
    return SF_OK;
}

sf_status impute_choose_list(impute_table *t, const char *list)
{
    sf_frame *some = NULL;
    bool has_target = false;
    SFI_TRY(sf_frame_pick(t->c->ctx, &some, t->frame, list));
    for (int64_t k = 0; k < sf_frame_cols(some); k++) {
        use_column(t, sf_frame_find(t->frame, sf_frame_name(some, k)));
        has_target = has_target || t->index[k] == t->target;
    }
    if (t->target >= 0 && !has_target)
        use_column(t, t->target);
    sf_frame_free(some);
    return SF_OK;
}

/* The missing cells of a column that is the same everywhere else. */
static void fill_constant(impute_table *t, int64_t col, double value)
{
    char number[SFI_NUMBER_SIZE];
    const sf_column *column = &t->table.columns[col];
    int64_t filled = 0;
    for (int64_t i = 0; i < t->table.rows; i++)
        if (isnan(cell_of(t, i, col))) {
            t->table.data[i * t->table.cols + col] = value;
            filled++;
        }
    if (filled == 0)
        return;
    number[sfi_number_format(value, number)] = '\0';
    cli_note(t->c,
             "column \"%s\" is %s wherever it is there, and so are its %lld "
             "missing cells",
             column->name,
             column->kind == SF_COLUMN_TEXT ? column->levels[0] : number,
             (long long)filled);
}

/* Why a column that differs is left out, or NULL. */
static const char *left_out(const impute_table *t, int64_t col, int64_t present)
{
    const int64_t levels = sf_frame_level_count(t->frame, col);
    if (sf_frame_kind(t->frame, col) == SF_KIND_KEY)
        return sf_frame_left_out(t->frame, col, false);
    if (col != t->target && levels > FEW_LEVELS && 2 * levels > present)
        return "most of its texts appear once";
    return present == 1 ? "it has one cell" : NULL;
}

sf_status impute_choose_all(impute_table *t)
{
    char shown[SFI_SHOW_SIZE];
    for (int64_t k = 0; k < t->table.cols; k++) {
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        SFI_TRY(sf_frame_summarise(t->c->ctx, &s, t->frame, k));
        const char *name = t->table.columns[k].name;
        const char *reason = s.present > 0 ? left_out(t, k, s.present)
                                           : "it is missing in every row";
        int64_t row = 0;
        while (row + 1 < t->table.rows && isnan(cell_of(t, row, k)))
            row++;
        if (s.present > 0 && k != t->target &&
            sf_frame_is_constant(t->frame, k))
            fill_constant(t, k, cell_of(t, row, k));
        else if (reason == NULL)
            use_column(t, k);
        else if (s.missing > 0)
            cli_note(t->c, "column \"%s\" keeps its %lld missing cells: %s",
                     sfi_show(shown, name, strlen(name)), (long long)s.missing,
                     reason);
    }
    return t->dim > 0 ? SF_OK
                      : SFI_FAIL(t->c->ctx, SF_E_FORMAT,
                                 "%s: no column holds numbers or levels that "
                                 "differ",
                                 cli_shown_path(t->path));
}

/* ---- cells ------------------------------------------------------------------------ */

/* Level `level` of the model's column k, NULL if it has none. */
static const char *model_level(const impute_table *t, int64_t k, int64_t level)
{
    return t->model != NULL ? sf_model_level(t->model, k, level) : NULL;
}

/* The table's column of chosen column k gets the model's levels, which are texts. */
static sf_status set_levels(impute_table *t, int64_t k)
{
    sf_context *ctx = t->c->ctx;
    const int64_t count = sf_model_level_count(t->model, k), col = t->index[k];
    const char **levels = sfi_alloc(ctx, (size_t)count, sizeof *levels);
    if (levels == NULL)
        return SF_E_NOMEM;
    for (int64_t l = 0; l < count; l++)
        levels[l] = sf_model_level(t->model, k, l);
    const sf_status status =
        sfi_table_set_levels(ctx, &t->table, col, levels, count);
    sfi_free(ctx, levels, (size_t)count, sizeof *levels);
    for (int64_t i = 0; i < t->table.rows; i++)
        t->table.data[i * t->table.cols + col] = t->x[i * t->dim + k];
    return status;
}

/* Levels are those of the model, and so are the texts of the table, which may lack
 * some. */
static sf_status match_levels(impute_table *t)
{
    SFI_TRY(sfi_frame_error(
        t->chosen,
        sf_model_match_levels(t->model, t->chosen,
                              (sf_mat){t->x, t->table.rows, t->dim, t->dim})));
    for (int64_t k = 0; k < t->dim; k++) {
        const sf_column *column = &t->table.columns[t->index[k]];
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        SFI_TRY(sf_frame_summarise(t->c->ctx, &s, t->frame, t->index[k]));
        if (sf_model_level_count(t->model, k) > 0 &&
            (column->kind == SF_COLUMN_TEXT || s.present == 0))
            SFI_TRY(set_levels(t, k));
    }
    return SF_OK;
}

sf_status impute_take_cells(impute_table *t)
{
    const size_t cells = (size_t)(t->table.rows * t->dim);
    t->x = sfi_alloc(t->c->ctx, cells, sizeof *t->x);
    if (t->x == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < t->table.rows; i++)
        for (int64_t k = 0; k < t->dim; k++) {
            const double x = sf_frame_cell(t->frame, i, t->index[k]);
            t->x[i * t->dim + k] = x;
            t->missing += isnan(x);
        }
    SFI_TRY(sf_frame_select(t->c->ctx, &t->chosen, t->frame, t->index, t->dim));
    return t->model != NULL ? match_levels(t) : SF_OK;
}

/* Spell what was filled of a column of dates, whose texts become more. */
static sf_status put_dates(impute_table *t, const double *filled, int64_t k)
{
    sf_context *ctx = t->c->ctx;
    const int64_t col = t->index[k];
    const sf_column *column = &t->table.columns[col];
    const sfi_date_style *style = &t->recoded[col].style;
    sfi_dictionary texts = {0};
    sf_status status = SF_OK;
    for (int64_t v = 0; v < column->level_count && status == SF_OK; v++)
        status = sfi_dictionary_add(ctx, &texts, column->levels[v],
                                    strlen(column->levels[v]));
    for (int64_t i = 0; i < t->table.rows && status == SF_OK; i++) {
        char text[SFI_DATE_TEXT];
        int64_t level = 0;
        if (!isnan(t->x[i * t->dim + k]))
            continue;
        sfi_date_spell(style,
                       filled[i * t->dim + k] * (style->has_time ? 1.0 : day),
                       text);
        status = sfi_dictionary_number(ctx, &texts, text, &level);
        t->table.data[i * t->table.cols + col] = (double)level;
    }
    if (status == SF_OK)
        status = sfi_table_set_levels(ctx, &t->table, col,
                                      (const char *const *)texts.texts,
                                      (int64_t)texts.count);
    sfi_dictionary_free(ctx, &texts);
    return status;
}

sf_status impute_put_back(impute_table *t, const double *filled)
{
    for (int64_t k = 0; k < t->dim; k++) {
        const int64_t col = t->index[k];
        const impute_recoded *r = &t->recoded[col];
        if (r->style.is_known) {
            SFI_TRY(put_dates(t, filled, k));
            continue;
        }
        for (int64_t i = 0; i < t->table.rows; i++) {
            double x = filled[i * t->dim + k];
            const char *level = model_level(t, k, (int64_t)x);
            if (level != NULL && t->table.columns[col].kind != SF_COLUMN_TEXT)
                (void)sfi_number_parse(level, &x);
            if (isnan(t->x[i * t->dim + k]))
                t->table.data[i * t->table.cols + col] =
                    r->value != NULL ? r->value[(int64_t)x] : x;
        }
    }
    return SF_OK;
}

int64_t impute_target_place(const impute_table *t)
{
    for (int64_t k = 0; k < t->dim; k++)
        if (t->target >= 0 && t->index[k] == t->target)
            return k;
    return -1;
}

const char *impute_level(const impute_table *t, int64_t k, int64_t level,
                         char number[SFI_NUMBER_SIZE])
{
    if (model_level(t, k, level) != NULL)
        return model_level(t, k, level);
    if (t->model == NULL && sf_frame_level_count(t->chosen, k) > 0)
        return sf_frame_level(t->chosen, k, level);
    number[sfi_number_format((double)level, number)] = '\0';
    return number;
}
