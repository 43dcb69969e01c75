/* SPDX-License-Identifier: Apache-2.0 */
/* plot_columns.c - the columns that a picture shows of tables and of a model, and their
 * cells as it shows them.
 *
 *     a category    the places of its commonest levels, matched by spelling
 *     a date        days or seconds, with dates for marks
 *     on a circle   the same within one turn
 *     whole         rounded, where a model draws other numbers
 *     a number      as it is
 *
 * No row is left out: what is missing is NaN, and pictures count it. */
#include "cli/plot.h"

#include "base/text.h"
#include "model/model.h"
#include "table/frame.h"

#include <math.h>
#include <string.h>

static const char *name_of_model(const void *user, int64_t k)
{
    return sf_model_column(user, k);
}

static const char *name_of_data(const void *user, int64_t k)
{
    return cli_data_name(user, k);
}

static bool has_rows(const cli_data *d)
{
    return d->some != NULL;
}

/* ---- which columns ------------------------------------------------------------- */

/* Of a table alone all but keys and what is missing in every row. */
static sf_status choose_shown(plot_job *j)
{
    cli *c = j->c;
    cli_data *d = &j->data;
    const int64_t cols = sf_frame_cols(d->all);
    int64_t *index = sfi_alloc(c->ctx, (size_t)cols, sizeof *index), count = 0;
    if (index == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    for (int64_t k = 0; k < cols && status == SF_OK; k++) {
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        status = sf_frame_summarise(c->ctx, &s, d->all, k);
        if (status == SF_OK && s.present > 0 &&
            sf_frame_kind(d->all, k) != SF_KIND_KEY)
            index[count++] = k;
    }
    if (status == SF_OK && count == 0)
        status = SFI_FAIL(c->ctx, SF_E_FORMAT,
                          "%s: no column to draw: all are keys or empty; "
                          "--columns names one all the same",
                          cli_shown_path(d->path));
    if (status == SF_OK)
        status = sf_frame_select(c->ctx, &d->some, d->all, index, count);
    sfi_free(c->ctx, index, (size_t)cols, sizeof *index);
    return status;
}

static sf_status choose_own(plot_job *j, const char *list)
{
    if (list == NULL)
        SFI_TRY(choose_shown(j));
    else
        SFI_TRY(sf_frame_pick(j->c->ctx, &j->data.some, j->data.all, list));
    j->data.dim = sf_frame_cols(j->data.some);
    return SF_OK;
}

/* ---- what they are ---------------------------------------------------------------- */

static bool is_text(const cli_data *d, int64_t k)
{
    return has_rows(d) && !sf_frame_is_number(d->some, k) &&
           sf_frame_kind(d->some, k) != SF_KIND_DATE;
}

static bool is_boolean(const cli_data *d, int64_t k)
{
    return !has_rows(d) || sf_frame_kind(d->some, k) == SF_KIND_BOOLEAN;
}

/* Texts have levels; of a model they are what it knows, and without one two numbers
 * are levels, too. */
static bool is_category(const plot_job *j, int64_t k)
{
    if (j->model != NULL)
        return sf_model_level_count(j->model, k) > 0;
    return is_text(&j->data, k) || is_text(&j->samples, k) ||
           (is_boolean(&j->data, k) && is_boolean(&j->samples, k));
}

static sf_status check_numbers(const plot_job *j, const cli_data *d, int64_t k)
{
    char shown[SFI_SHOW_SIZE], level[SFI_SHOW_SIZE];
    if (!is_text(d, k) || is_category(j, k))
        return SF_OK;
    const char *name = j->names[k], *first = sf_frame_level(d->some, k, 0);
    return SFI_FAIL(j->c->ctx, SF_E_FORMAT,
                    "%s: column \"%s\" holds text (\"%s\", ...), and the model "
                    "numbers",
                    cli_shown_path(d->path),
                    sfi_show(shown, name, strlen(name)),
                    sfi_show(level, first, strlen(first)));
}

static sf_status find_levels(plot_job *j, int64_t k)
{
    sf_context *ctx = j->c->ctx;
    plot_column *column = &j->columns[k];
    const cli_data *tables[] = {&j->data, &j->samples};
    if (!is_category(j, k))
        return SF_OK;
    column->is_category = true;
    if (j->model != NULL)
        SFI_TRY(cli_levels_see_model(ctx, &column->levels, j->model, k));
    for (int t = 0; t < 2; t++)
        if (has_rows(tables[t]))
            SFI_TRY(cli_levels_see(ctx, &column->levels, tables[t]->some, k));
    return cli_levels_choose(ctx, &column->levels,
                             j->dim <= 2 ? CLI_LEVELS_SHOWN : PLOT_LEVELS);
}

double plot_date_unit(const char *unit)
{
    return unit != NULL && strcmp(unit, "d") == 0 ? 86400.0 : 1.0;
}

/* Seconds of one unit of a column of dates; 0 of others. */
static double date_unit(const plot_job *j, int64_t k)
{
    const cli_data *tables[] = {&j->data, &j->samples};
    for (int t = 0; t < 2; t++)
        if (has_rows(tables[t]) &&
            sf_frame_kind(tables[t]->some, k) == SF_KIND_DATE)
            return plot_date_unit(sf_frame_unit(tables[t]->some, k));
    return j->model != NULL && sf_model_kind(j->model, k) == SF_KIND_DATE
               ? plot_date_unit(sfi_model_about(j->model, k)->unit)
               : 0.0;
}

/* The turn of a circle that is shown: from 0 on, or about it where a table has angles
 * below 0. */
static sf_support find_turn(const plot_job *j, int64_t k)
{
    sf_support turn = sf_model_support(j->model, k);
    const cli_data *tables[] = {&j->data, &j->samples};
    turn.lower = 0.0;
    for (int t = 0; t < 2 && turn.period > 0.0; t++)
        for (int64_t i = 0; has_rows(tables[t]) && i < tables[t]->rows; i++)
            if (sf_frame_cell(tables[t]->some, i, k) < 0.0)
                turn.lower = -0.5 * turn.period;
    return turn;
}

static sf_status describe_columns(plot_job *j)
{
    const cli_data *tables[] = {&j->data, &j->samples};
    for (int64_t k = 0; k < j->dim; k++) {
        plot_column *column = &j->columns[k];
        for (int t = 0; t < 2; t++)
            SFI_TRY(check_numbers(j, tables[t], k));
        SFI_TRY(find_levels(j, k));
        column->date_unit = column->is_category ? 0.0 : date_unit(j, k);
        if (j->model != NULL && sf_density_text(j->model) == NULL)
            column->turn = find_turn(j, k);
        column->is_whole = j->model != NULL && !column->is_category &&
                           (sf_model_kind(j->model, k) == SF_KIND_INTEGER ||
                            sf_model_kind(j->model, k) == SF_KIND_BOOLEAN);
    }
    return SF_OK;
}

/* ---- cells --------------------------------------------------------------------------- */

static double within_turn(double x, sf_support turn)
{
    return x - turn.period * floor((x - turn.lower) / turn.period);
}

/* Turn the cells of a column, which are those of a table or of the model, into what
 * is shown. */
static sf_status show_column(plot_job *j, const sf_frame *frame, int64_t k,
                             double *cells, int64_t rows, int64_t stride)
{
    const plot_column *column = &j->columns[k];
    sf_context *ctx = j->c->ctx;
    if (column->is_category)
        return frame != NULL
                   ? cli_levels_place(ctx, &column->levels, frame, k, cells,
                                      stride)
                   : cli_levels_place_model(ctx, &column->levels, j->model, k,
                                            cells, rows, stride);
    for (int64_t i = 0; i < rows; i++) {
        double *cell = cells + i * stride;
        if (column->turn.period > 0.0)
            *cell = within_turn(*cell, column->turn);
        if (frame == NULL && column->is_whole)
            *cell = rint(*cell);
    }
    return SF_OK;
}

static sf_status take_cells(plot_job *j, cli_data *d)
{
    sf_context *ctx = j->c->ctx;
    sf_cmat from;
    SFI_TRY(sfi_frame_view(ctx, &d->whole, d->some, NULL, d->dim, NULL,
                           sf_frame_rows(d->some)));
    SFI_TRY(sf_frame_matrix(ctx, d->whole, &from));
    d->own = sfi_alloc(ctx, (size_t)(from.rows * from.cols), sizeof *d->own);
    if (d->own == NULL)
        return SF_E_NOMEM;
    d->x = (sf_cmat){d->own, from.rows, from.cols, from.cols};
    for (int64_t i = 0; i < from.rows; i++)
        memcpy(d->own + i * from.cols, from.data + i * from.stride,
               (size_t)from.cols * sizeof *d->own);
    for (int64_t k = 0; k < d->dim; k++)
        SFI_TRY(show_column(j, d->some, k, d->own + k, from.rows, from.cols));
    return SF_OK;
}

sf_status plot_show_drawn(plot_job *j)
{
    for (int64_t k = 0; k < j->dim; k++)
        SFI_TRY(show_column(j, NULL, k, j->drawn.data + k, j->drawn.rows,
                            j->drawn.cols));
    return SF_OK;
}

/* ---- the columns --------------------------------------------------------------------- */

static sf_status name_columns(plot_job *j)
{
    sf_context *ctx = j->c->ctx;
    const size_t dim = (size_t)j->dim;
    j->names = sfi_alloc(ctx, dim, sizeof *j->names);
    j->columns = sfi_alloc_zero(ctx, dim, sizeof *j->columns);
    if (j->names == NULL || j->columns == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < j->dim; k++)
        j->names[k] = j->model != NULL ? sf_model_column(j->model, k)
                                       : cli_data_name(&j->data, k);
    return SF_OK;
}

sf_status plot_choose_columns(plot_job *j)
{
    cli *c = j->c;
    const sf_model *m = j->model;
    const int64_t dim = m != NULL ? sf_model_dim(m) : 0;
    const char *list = j->o->density.columns;
    if (m != NULL && j->o->density.text == NULL && list != NULL &&
        !j->o->latent)
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "--columns applies only to tables; a density has all columns "
            "of its model");
    if (m == NULL && j->data.rows > 0)
        SFI_TRY(choose_own(j, list));
    const cli_named own = {m != NULL && sf_density_text(m) != NULL ? "density"
                                                                   : "model",
                           dim, name_of_model, m};
    if (m != NULL && j->data.rows > 0)
        SFI_TRY(cli_data_find(c, &j->data, &own));
    j->dim = m != NULL ? dim : j->data.dim;
    const cli_named first = {"first table", j->dim, name_of_data, &j->data};
    if (j->samples.rows > 0)
        SFI_TRY(cli_data_find(c, &j->samples, m != NULL ? &own : &first));
    SFI_TRY(name_columns(j));
    SFI_TRY(describe_columns(j));
    if (j->data.rows > 0)
        SFI_TRY(take_cells(j, &j->data));
    return j->samples.rows > 0 ? take_cells(j, &j->samples) : SF_OK;
}

bool plot_has_categories(const plot_job *j)
{
    for (int64_t k = 0; k < j->dim && j->columns != NULL; k++)
        if (j->columns[k].is_category)
            return true;
    return false;
}

sf_status plot_describe_column(plot_job *j, int64_t k, sf_plot_column *out)
{
    plot_column *column = &j->columns[k];
    *out = (sf_plot_column){.name = j->names[k]};
    if (column->is_category) {
        out->levels = column->levels.names;
        out->level_count = column->levels.count;
    }
    if (column->turn.period > 0.0) {
        out->lower = column->turn.lower;
        out->upper = column->turn.lower + column->turn.period;
    }
    if (column->date_unit > 0.0) {
        const sf_cmat none = {NULL, 0, 0, 0};
        const bool has_data = j->data.x.rows > 0;
        const sfi_clock_unit clock = {.seconds = column->date_unit};
        double lo, hi;
        SFI_TRY(sf_plot_range(j->c->ctx, has_data ? j->data.x : j->samples.x,
                              has_data && j->samples.x.rows > 0 ? j->samples.x
                                                                : none,
                              k, 0.06, &lo, &hi));
        plot_mark_dates(&clock, lo, hi, &column->dates);
        out->ticks = column->dates.ticks;
    }
    return SF_OK;
}

void plot_free_columns(plot_job *j)
{
    for (int64_t k = 0; k < j->dim && j->columns != NULL; k++)
        cli_levels_free(j->c->ctx, &j->columns[k].levels);
    sfi_free(j->c->ctx, j->columns, (size_t)j->dim, sizeof *j->columns);
    sfi_free(j->c->ctx, j->names, (size_t)j->dim, sizeof *j->names);
}
