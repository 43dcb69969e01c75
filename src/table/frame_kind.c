/* SPDX-License-Identifier: Apache-2.0 */
/* frame_kind.c - what the columns of a frame hold.
 *
 * The reader says of each column whether it has numbers, all of them whole, or
 * texts; the rest is found here, from all cells.  The order is that of frame.h, but
 * that dates come before keys: the days of a series all differ. */
#include "table/frame.h"

#include "base/text.h"
#include "io/kinds.h"
#include "table/date.h"

#include <math.h>
#include <string.h>

enum { LEAST_KEYS = 20 };

/* ---- dates ---------------------------------------------------------------- */

/* What the levels mean as days or seconds, if all of them are dates. */
static sf_status read_dates(sfi_store *s, int64_t j, const sf_column *column,
                            bool *is_date)
{
    sfi_frame_cells *cells = &s->cells[j];
    const int64_t n = column->level_count;
    double *of_level = sfi_alloc(s->ctx, (size_t)n, sizeof *of_level);
    bool all = n > 0, times = false;
    if (of_level == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < n && all; k++) {
        bool has_time = false;
        all = sfi_date_parse(column->levels[k], &of_level[k], &has_time);
        times |= has_time;
    }
    *is_date = all;
    if (!all) {
        sfi_free(s->ctx, of_level, (size_t)n, sizeof *of_level);
        return SF_OK;
    }
    for (int64_t k = 0; k < n && !times; k++)
        of_level[k] /= 86400.0;
    cells->of_level = of_level;
    cells->level_count = n;
    s->schema.columns[j].unit = sfi_copy_text(s->ctx, times ? "s" : "d");
    return s->schema.columns[j].unit != NULL ? SF_OK : SF_E_NOMEM;
}

/* Cells in memory that are numbers of levels become what the levels mean. */
static void put_dates(sfi_store *s, int64_t j)
{
    sfi_frame_cells *c = &s->cells[j];
    if (s->stream != NULL)
        return;
    for (int64_t i = 0; i < s->rows; i++) {
        double *cell = s->table.data + i * s->table.cols + j;
        if (!isnan(*cell))
            *cell = c->of_level[(int64_t)*cell];
    }
    sfi_free(s->ctx, c->of_level, (size_t)c->level_count, sizeof *c->of_level);
    c->of_level = NULL;
    c->level_count = 0;
}

/* ---- kinds ---------------------------------------------------------------- */

static sf_kind kind_of_numbers(const sfi_store *s, int64_t j,
                               const sf_column *column, bool runs)
{
    const sfi_schema_column *about = &s->schema.columns[j];
    if (column->kind != SF_COLUMN_INTEGER)
        return SF_KIND_REAL;
    if (runs && column->missing == 0 && s->rows >= LEAST_KEYS &&
        s->schema.count > 1)
        return SF_KIND_KEY;
    return about->min == 0.0 && about->max == 1.0 ? SF_KIND_BOOLEAN
                                                  : SF_KIND_INTEGER;
}

static sf_kind kind_of_texts(const sfi_store *s, const sf_column *column)
{
    if (column->level_count == s->rows && s->rows >= LEAST_KEYS &&
        s->schema.count > 1)
        return SF_KIND_KEY;
    return column->level_count == 2 ? SF_KIND_BOOLEAN : SF_KIND_CATEGORY;
}

static sf_status fail_told(const sfi_store *s, const sf_column *column,
                           sf_kind told, const char *has)
{
    return SFI_FAIL(s->ctx, SF_E_FORMAT,
                    "%s: column \"%.200s\" is said to be of kind %s, and %s",
                    s->name, column->name, sf_kind_name(told), has);
}

/* Whether cells can be what they are told to be. */
static sf_status check_told(const sfi_store *s, int64_t j, sf_kind told,
                            const sf_column *column)
{
    const bool text = column->kind == SF_COLUMN_TEXT;
    const bool date = s->cells[j].of_level != NULL;
    const sfi_schema_column *about = &s->schema.columns[j];
    switch (told) {
    case SF_KIND_REAL:
        return text ? fail_told(s, column, told, "it holds text") : SF_OK;
    case SF_KIND_INTEGER:
        return text ? fail_told(s, column, told, "it holds text")
               : column->kind == SF_COLUMN_INTEGER
                   ? SF_OK
                   : fail_told(s, column, told,
                               "not all its numbers are whole");
    case SF_KIND_BOOLEAN:
        return (text && column->level_count == 2) ||
                       (!text && about->min == 0.0 && about->max == 1.0 &&
                        column->kind == SF_COLUMN_INTEGER)
                   ? SF_OK
                   : fail_told(s, column, told, "it does not have two values");
    case SF_KIND_DATE:
        return date ? SF_OK
                    : fail_told(s, column, told,
                                "not all its cells are like 2024-05-01 or "
                                "2024-05-01T12:30");
    case SF_KIND_CATEGORY:
        return text ? SF_OK
                    : fail_told(s, column, told, "it holds an array's numbers");
    case SF_KIND_KEY:
        break;
    }
    return SF_OK;
}

static sf_status find_kind(sfi_store *s, int64_t j, const sf_column *column,
                           bool runs, const sfi_told_kind *told)
{
    sfi_schema_column *about = &s->schema.columns[j];
    bool is_date = false;
    const bool text = column->kind == SF_COLUMN_TEXT;
    if (text && (!told->is_told || told->kind == SF_KIND_DATE))
        SFI_TRY(read_dates(s, j, column, &is_date));
    if (told->is_told)
        SFI_TRY(check_told(s, j, told->kind, column));
    about->kind = told->is_told ? told->kind
                  : is_date     ? SF_KIND_DATE
                  : text        ? kind_of_texts(s, column)
                                : kind_of_numbers(s, j, column, runs);
    s->is_constant[j] =
        column->missing < s->rows &&
        (text ? column->level_count == 1 : about->min == about->max);
    if (is_date)
        put_dates(s, j);
    /* A date's cells are numbers now.  A table in memory gives its levels away,
     * which may be as many as it has rows; the reader of a stream needs them. */
    const bool keeps = text && !is_date;
    sf_column *own = s->table.columns != NULL ? &s->table.columns[j] : NULL;
    SFI_TRY(sfi_schema_set(s->ctx, about, column->name, NULL,
                           (const char *const *)column->levels,
                           keeps && own == NULL ? column->level_count : 0));
    if (keeps && own != NULL) {
        about->levels = own->levels;
        about->level_count = own->level_count;
        own->levels = NULL;
        own->level_count = 0;
    }
    return SF_OK;
}

sf_status sfi_find_kinds(sfi_store *s, const sf_column *columns,
                         const bool *runs, const char *told)
{
    const size_t n = (size_t)s->schema.count;
    sfi_told_kind *kinds = sfi_alloc_zero(s->ctx, n, sizeof *kinds);
    const char **names = sfi_alloc(s->ctx, n, sizeof *names);
    sf_status status = kinds != NULL && names != NULL ? SF_OK : SF_E_NOMEM;
    for (size_t j = 0; j < n && status == SF_OK; j++)
        names[j] = columns[j].name;
    if (status == SF_OK && told != NULL)
        status = sfi_kinds_read(s->ctx, told, (int64_t)n, names, kinds);
    for (size_t j = 0; j < n && status == SF_OK; j++)
        status = find_kind(s, (int64_t)j, &columns[j], runs[j], &kinds[j]);
    sfi_free(s->ctx, names, n, sizeof *names);
    sfi_free(s->ctx, kinds, n, sizeof *kinds);
    return status;
}
