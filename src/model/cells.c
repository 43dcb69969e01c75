/* SPDX-License-Identifier: Apache-2.0 */
/* cells.c - what a model keeps of the table it was fitted to, and its points as
 * cells of such a table.
 *
 * A density knows no decimals: they are given to a point last, after all that is
 * computed with it.  A value strictly inside the support stays there, at the next
 * decimal, since the bound itself may be where nothing can be. */
#include "model/model.h"

#include "base/dictionary.h"
#include "base/text.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- keeping ----------------------------------------------------------------- */

static sf_status keep_column(const sf_model *m, sfi_schema_column *to,
                             const sf_frame *frame, int64_t j)
{
    const int64_t from = sf_frame_find(frame, m->names[j]);
    if (from >= 0)
        return sfi_schema_copy(m->ctx, to, sfi_frame_about(frame, from));
    return SFI_FAIL(m->ctx, SF_E_ARG,
                    "describe: the frame has no column \"%.200s\"",
                    m->names[j]);
}

sf_status sf_model_describe(sf_model *m, const sf_frame *frame)
{
    sfi_schema made;
    SFI_TRY(sfi_schema_new(m->ctx, &made, m->dim));
    sf_status status = SF_OK;
    for (int64_t j = 0; j < m->dim && status == SF_OK; j++)
        status = keep_column(m, &made.columns[j], frame, j);
    if (status != SF_OK) {
        sfi_schema_free(m->ctx, &made);
        return status;
    }
    sfi_schema_free(m->ctx, &m->schema);
    m->schema = made;
    return SF_OK;
}

/* ---- matching ---------------------------------------------------------------- */

/* The first levels, as a message shows them. */
static void list_levels(const sfi_schema_column *about, char *text, size_t size)
{
    size_t n = 0;
    text[0] = '\0';
    for (int64_t k = 0; k < about->level_count; k++) {
        char shown[SFI_SHOW_SIZE];
        if (n + SFI_SHOW_SIZE + 8 > size) {
            snprintf(text + n, size - n, ", ...");
            return;
        }
        n += (size_t)snprintf(
            text + n, size - n, "%s\"%s\"", k > 0 ? ", " : "",
            sfi_show(shown, about->levels[k], strlen(about->levels[k])));
    }
}

static sf_status fail_level(const sf_model *m, const sf_frame *frame,
                            int64_t row, int64_t j, const char *text)
{
    char place[SF_PLACE_SIZE], shown[SFI_SHOW_SIZE], levels[300];
    list_levels(sfi_model_about(m, j), levels, sizeof levels);
    return SFI_FAIL(m->ctx, SF_E_FORMAT,
                    "%s: \"%s\" is no level that the model knows, which has %s",
                    sf_frame_place(frame, row, j, place),
                    sfi_show(shown, text, strlen(text)), levels);
}

/* A cell as it is spelled. */
static const char *spelling(const sf_frame *frame, int64_t j, double x,
                            char number[SFI_NUMBER_SIZE])
{
    if (sf_frame_level_count(frame, j) > 0)
        return sf_frame_level(frame, j, (int64_t)x);
    number[sfi_number_format(x, number)] = '\0';
    return number;
}

static sf_status match_column(const sf_model *m, const sf_frame *frame,
                              sf_mat x, int64_t j)
{
    const sfi_schema_column *about = sfi_model_about(m, j);
    sfi_dictionary levels = {0};
    SFI_TRY(sfi_dictionary_fill(m->ctx, &levels, about->level_count,
                                (const char *const *)about->levels));
    sf_status status = SF_OK;
    for (int64_t i = 0; i < x.rows && status == SF_OK; i++) {
        double *cell = x.data + i * x.stride + j;
        char number[SFI_NUMBER_SIZE];
        if (isnan(*cell))
            continue;
        const char *text = spelling(frame, j, *cell, number);
        const int64_t level = sfi_dictionary_find(&levels, text, strlen(text));
        if (level < 0)
            status = fail_level(m, frame, i, j, text);
        *cell = (double)level;
    }
    sfi_dictionary_free(m->ctx, &levels);
    return status;
}

sf_status sf_model_match_levels(const sf_model *m, const sf_frame *frame,
                                sf_mat x)
{
    if (x.cols != m->dim || sf_frame_cols(frame) < m->dim ||
        sf_frame_rows(frame) != x.rows)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "levels: points are [%lld, %lld] and the frame [%lld, "
                        "%lld], want [n, %lld] of both",
                        (long long)x.rows, (long long)x.cols,
                        (long long)sf_frame_rows(frame),
                        (long long)sf_frame_cols(frame), (long long)m->dim);
    for (int64_t j = 0; j < m->dim; j++)
        if (sfi_model_about(m, j)->level_count > 0)
            SFI_TRY(match_column(m, frame, x, j));
    return SF_OK;
}

/* ---- numbers ----------------------------------------------------------------- */

double sfi_on_grid(double x, int decimals, sf_support s)
{
    const double unit = pow(10.0, decimals), at = rint(x * unit) / unit;
    if (!isfinite(at) || s.period > 0.0)
        return x;
    if (at <= s.lower && x > s.lower)
        return (floor(s.lower * unit) + 1.0) / unit;
    if (at >= s.upper && x < s.upper)
        return (ceil(s.upper * unit) - 1.0) / unit;
    return at + 0.0; /* no -0 */
}

/* Numbers that a kind does not have, which a kernel of all reals may draw. */
static bool is_outside(const sfi_schema_column *about, double x)
{
    if (sfi_atoms_find(&about->atoms, x) >= 0)
        return false;
    return (about->kind == SF_KIND_PROPORTION && !(x >= 0.0 && x <= 1.0)) ||
           (about->kind == SF_KIND_POSITIVE && !(x > 0.0));
}

static int decimals_of(const sfi_schema_column *about)
{
    return about->kind == SF_KIND_INTEGER ? 0 : about->decimals;
}

/* Of parts of a whole the sum is rounded, and the parts so that they make it up:
 * each to the step below or, those that lost most, above; none becomes 0. */
static void round_parts(double *x, int64_t n, double unit)
{
    double step[SFI_BLOCK_COLUMNS], total = 0.0, left = 0.0;
    for (int64_t i = 0; i < n; i++) {
        step[i] = fmax(floor(x[i] * unit), 1.0);
        total += x[i];
        left -= step[i];
    }
    for (left += rint(total * unit); left != 0.0;) {
        const double change = left > 0.0 ? 1.0 : -1.0;
        int64_t best = -1;
        for (int64_t i = 0; i < n; i++)
            if ((change > 0.0 || step[i] > 1.0) &&
                (best < 0 || change * (x[i] * unit - step[i]) >
                                 change * (x[best] * unit - step[best])))
                best = i;
        if (best < 0) /* fewer steps than parts */
            break;
        step[best] += change;
        left -= change;
    }
    for (int64_t i = 0; i < n; i++)
        x[i] = step[i] / unit;
}

/* The block of a column whose values are parts of a whole, with the decimals that
 * all of them have; or NULL. */
static const sfi_block *block_of_parts(const sf_model *m, int64_t j,
                                       int *decimals)
{
    if (!sfi_has_kernels(m))
        return NULL;
    const sfi_block *b = sfi_noise_block(&m->noise, j);
    *decimals = 0;
    if (b->kernel.ops->joint == NULL || !b->kernel.ops->joint->shares)
        return NULL;
    for (int64_t i = 0; i < b->columns; i++) {
        const int64_t column = sfi_noise_columns(&m->noise, b)[i];
        const int own = decimals_of(sfi_model_about(m, column));
        *decimals = own < 0 || *decimals < 0 ? -1
                    : own > *decimals        ? own
                                             : *decimals;
    }
    return b;
}

static void round_block(const sf_model *m, const sfi_block *b, sf_table *table,
                        int decimals)
{
    const int64_t *columns = sfi_noise_columns(&m->noise, b);
    double part[SFI_BLOCK_COLUMNS];
    for (int64_t i = 0; i < table->rows && decimals >= 0; i++) {
        double *row = table->data + i * table->cols;
        for (int64_t k = 0; k < b->columns; k++)
            part[k] = row[columns[k]];
        round_parts(part, b->columns, pow(10.0, decimals));
        for (int64_t k = 0; k < b->columns; k++)
            row[columns[k]] = part[k];
    }
    for (int64_t k = 0; k < b->columns && decimals == 0; k++)
        table->columns[columns[k]].kind = SF_COLUMN_INTEGER;
}

/* Where numbers are: on their side of an atom that is an end. */
static sf_support support_of(const sf_model *m, int64_t j)
{
    sf_support s = sf_model_support(m, j);
    const sfi_atoms *a = &sfi_model_about(m, j)->atoms;
    if (a->count == 0 || (!sfi_has_atoms(m) && !m->ops->local))
        return s;
    if (!a->between[0])
        s.lower = fmax(s.lower, a->at[0]);
    if (!a->between[a->count])
        s.upper = fmin(s.upper, a->at[a->count - 1]);
    return s;
}

static void round_column(const sf_model *m, sf_table *table, int64_t j)
{
    const sfi_schema_column *about = sfi_model_about(m, j);
    const sf_support support = support_of(m, j);
    const int decimals = decimals_of(about);
    int64_t outside = 0;
    for (int64_t i = 0; i < table->rows; i++) {
        double *x = table->data + i * table->cols + j;
        if (about->kind == SF_KIND_BOOLEAN && about->level_count == 0)
            *x = *x < 0.5 ? 0.0 : 1.0; /* which has two values */
        else if (decimals >= 0 && sfi_atoms_find(&about->atoms, *x) < 0)
            *x = sfi_on_grid(*x, decimals, support);
        outside += is_outside(about, *x);
    }
    if (decimals == 0)
        table->columns[j].kind = SF_COLUMN_INTEGER;
    if (outside > 0)
        sfi_warn(m->ctx,
                 "%lld of %lld cells of column \"%.200s\" are not %s, "
                 "and all of its table's are: the model does not know it",
                 (long long)outside, (long long)table->rows, m->names[j],
                 about->kind == SF_KIND_POSITIVE ? "above 0" : "in [0, 1]");
}

/* ---- texts ------------------------------------------------------------------- */

sf_status sf_model_copy_levels(const sf_model *m, int64_t j, sf_column *column)
{
    const sfi_schema_column *about = sfi_model_about(m, j);
    const size_t n = (size_t)about->level_count;
    if (n == 0)
        return SF_OK;
    column->levels = sfi_alloc_zero(m->ctx, n, sizeof *column->levels);
    if (column->levels == NULL)
        return SF_E_NOMEM;
    column->level_count = about->level_count;
    for (size_t k = 0; k < n; k++) {
        column->levels[k] = sfi_copy_text(m->ctx, about->levels[k]);
        if (column->levels[k] == NULL)
            return SF_E_NOMEM;
    }
    column->kind = SF_COLUMN_TEXT;
    return SF_OK;
}

static sf_status spell_dates(const sf_model *m, sf_table *table, int64_t j)
{
    const sfi_schema_column *about = sfi_model_about(m, j);
    const double unit = about->date.has_time ? 1.0 : 86400.0;
    sfi_dictionary texts = {0};
    sf_status status = SF_OK;
    for (int64_t i = 0; i < table->rows && status == SF_OK; i++) {
        char text[SFI_DATE_TEXT];
        int64_t level = 0;
        double *x = table->data + i * table->cols + j;
        if (isnan(*x))
            continue;
        sfi_date_spell(&about->date, *x * unit, text);
        status = sfi_dictionary_number(m->ctx, &texts, text, &level);
        *x = (double)level;
    }
    sf_column *column = &table->columns[j];
    if (status == SF_OK)
        status = sfi_dictionary_lend(m->ctx, &texts, &column->levels);
    if (status == SF_OK) {
        column->level_count = (int64_t)texts.count;
        column->kind = SF_COLUMN_TEXT;
    }
    sfi_dictionary_free(m->ctx, &texts);
    return status;
}

sf_status sf_model_cells(const sf_model *m, sf_table *table)
{
    if (table->cols != m->dim)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "cells: the table has %lld columns, and the model %lld",
                        (long long)table->cols, (long long)m->dim);
    for (int64_t j = 0; j < m->dim; j++) {
        const sfi_schema_column *about = sfi_model_about(m, j);
        int decimals = 0;
        const sfi_block *parts = block_of_parts(m, j, &decimals);
        if (parts != NULL) {
            if (sfi_noise_columns(&m->noise, parts)[0] == j)
                round_block(m, parts, table, decimals);
        } else if (about->level_count > 0) {
            SFI_TRY(sf_model_copy_levels(m, j, &table->columns[j]));
        } else if (about->kind == SF_KIND_DATE && about->date.is_known) {
            SFI_TRY(spell_dates(m, table, j));
        } else {
            round_column(m, table, j);
        }
    }
    return SF_OK;
}
