/* SPDX-License-Identifier: Apache-2.0 */
/* frame_kind.c - what the columns of a frame hold.
 *
 * The reader says of each column whether it has numbers, all of them whole, or
 * texts; the rest is found here, from all cells.  The order is that of frame.h, but
 * that dates come before keys: the days of a series all differ.  What a name and a
 * range only suggest is a hint, and changes nothing. */
#include "table/frame.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
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
    sfi_date_style *style = &s->schema.columns[j].date;
    bool all = n > 0, times = false;
    if (of_level == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < n && all; k++) {
        bool has_time = false;
        all = sfi_date_parse(column->levels[k], &of_level[k], &has_time);
        times |= has_time;
        if (all)
            sfi_date_see(style, column->levels[k]);
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

enum { LEAST_ROWS_OF_A_CONSTANT = 2 };

/* Numbers, all of them or those beside their atoms, that are not whole. */
static sf_kind kind_of_reals(const sf_frame_summary *sum)
{
    if (sum->min >= 0.0 && sum->max <= 1.0)
        return SF_KIND_PROPORTION;
    return sum->min > 0.0 && sum->sd > SFI_WIDE * sum->mean ? SF_KIND_POSITIVE
                                                            : SF_KIND_REAL;
}

static bool is_key(const sfi_store *s, const sf_column *column,
                   const sfi_seen *seen)
{
    return column->kind == SF_COLUMN_INTEGER && seen->runs &&
           column->missing == 0 && s->rows >= LEAST_KEYS && s->schema.count > 1;
}

static bool is_boolean(const sf_column *column, const sfi_seen *seen)
{
    return column->kind == SF_COLUMN_INTEGER && seen->summary.min == 0.0 &&
           seen->summary.max == 1.0;
}

static sf_kind kind_of_texts(const sfi_store *s, const sf_column *column)
{
    if (column->level_count == s->rows && s->rows >= LEAST_KEYS &&
        s->schema.count > 1)
        return SF_KIND_KEY;
    return column->level_count == 2 ? SF_KIND_BOOLEAN : SF_KIND_CATEGORY;
}

static void tell_kind(sfi_schema_column *about, sf_kind kind)
{
    about->kind = kind;
    about->is_told = true;
}

static sf_status fail_told(const sfi_store *s, const sf_column *column,
                           sf_kind told, const char *has)
{
    return SFI_FAIL(s->ctx, SF_E_FORMAT,
                    "%s: column \"%.200s\" is said to be of kind %s, and %s",
                    s->name, column->name, sf_kind_name(told), has);
}

/* Whether cells can be what they are told to be; of numbers those beside atoms. */
static sf_status check_told(const sfi_store *s, int64_t j, sf_kind told,
                            const sf_column *column, const sfi_seen *seen,
                            const sf_frame_summary *rest)
{
    const bool text = column->kind == SF_COLUMN_TEXT;
    const bool date = s->cells[j].of_level != NULL;
    const sf_frame_summary *sum = &seen->summary;
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
                       (!text && sum->min == 0.0 && sum->max == 1.0 &&
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
    case SF_KIND_PROPORTION:
        return !text && !(rest->min < 0.0) && !(rest->max > 1.0)
                   ? SF_OK
                   : fail_told(s, column, told,
                               "not all its cells are numbers from 0 to 1");
    case SF_KIND_POSITIVE:
        return !text && !(rest->min <= 0.0)
                   ? SF_OK
                   : fail_told(s, column, told,
                               "not all its cells are numbers above 0");
    case SF_KIND_CONSTANT:
        return s->is_constant[j]
                   ? SF_OK
                   : fail_told(s, column, told, "its cells differ");
    case SF_KIND_KEY:
    case SF_KIND_COUNT:
        break;
    }
    return SF_OK;
}

/* What the numbers of a column say to those who draw others like them. */
static void keep_numbers(sfi_schema_column *about, const sf_column *column,
                         const sfi_seen *seen)
{
    if (column->kind == SF_COLUMN_TEXT)
        return;
    about->min = seen->summary.min;
    about->max = seen->summary.max;
    if (seen->summary.present > 0 && seen->decimals <= SF_MOST_DECIMALS)
        about->decimals = seen->decimals;
}

/* A date's cells are numbers now.  A table in memory gives its levels away, which
 * may be as many as it has rows; the reader of a stream needs them. */
static sf_status keep_texts(sfi_store *s, int64_t j, const sf_column *column,
                            bool is_date)
{
    sfi_schema_column *about = &s->schema.columns[j];
    const bool keeps = column->kind == SF_COLUMN_TEXT && !is_date;
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

/* Whether its cells may have atoms, told or not. */
static bool may_have_atoms(const sfi_store *s, int64_t j,
                           const sf_column *column, const sfi_seen *seen,
                           const sfi_told_kind *told)
{
    const bool number =
        told->is_told
            ? told->kind == SF_KIND_REAL || told->kind == SF_KIND_INTEGER ||
                  told->kind == SF_KIND_POSITIVE ||
                  told->kind == SF_KIND_PROPORTION
            : !is_key(s, column, seen) && !is_boolean(column, seen);
    return number && column->kind != SF_COLUMN_TEXT && !s->is_constant[j] &&
           s->stream == NULL && seen->summary.present > 0;
}

static sf_kind kind_of_numbers(const sfi_store *s, const sf_column *column,
                               const sfi_seen *seen,
                               const sf_frame_summary *rest)
{
    return is_key(s, column, seen)             ? SF_KIND_KEY
           : is_boolean(column, seen)          ? SF_KIND_BOOLEAN
           : column->kind == SF_COLUMN_INTEGER ? SF_KIND_INTEGER
                                               : kind_of_reals(rest);
}

static sf_status find_kind(sfi_store *s, int64_t j, const sf_column *column,
                           const sfi_seen *seen, const sfi_told_kind *told,
                           bool checks)
{
    sfi_schema_column *about = &s->schema.columns[j];
    const sf_frame_summary *sum = &seen->summary;
    sf_frame_summary rest = *sum;
    bool is_date = false;
    const bool text = column->kind == SF_COLUMN_TEXT;
    const bool own = s->table.data != NULL || s->stream != NULL;
    s->is_constant[j] = sum->present > 0 && (text ? column->level_count == 1
                                                  : sum->min == sum->max);
    const bool constant =
        s->is_constant[j] && s->rows >= LEAST_ROWS_OF_A_CONSTANT;
    if (text && own && (told->is_told ? told->kind == SF_KIND_DATE : !constant))
        SFI_TRY(read_dates(s, j, column, &is_date));
    if (may_have_atoms(s, j, column, seen, told))
        SFI_TRY(sfi_find_atoms(s, j, column, seen, told, &rest));
    if (told->is_told) {
        if (checks)
            SFI_TRY(check_told(s, j, told->kind, column, seen, &rest));
        tell_kind(about, told->kind);
    } else {
        about->kind = constant  ? SF_KIND_CONSTANT
                      : is_date ? SF_KIND_DATE
                      : text    ? kind_of_texts(s, column)
                                : kind_of_numbers(s, column, seen, &rest);
    }
    keep_numbers(about, column, seen);
    if (is_date)
        put_dates(s, j);
    return keep_texts(s, j, column, is_date);
}

sf_status sfi_take_kinds(sfi_store *s, const sf_column *columns,
                         const sfi_seen *seen, const sfi_told_kind *told)
{
    for (int64_t j = 0; j < s->schema.count; j++)
        SFI_TRY(find_kind(s, j, &columns[j], &seen[j], &told[j], false));
    return SF_OK;
}

sf_status sfi_find_kinds(sfi_store *s, const sf_column *columns,
                         const sfi_seen *seen, const char *told)
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
        status =
            find_kind(s, (int64_t)j, &columns[j], &seen[j], &kinds[j], true);
    sfi_free(s->ctx, names, n, sizeof *names);
    sfi_free(s->ctx, kinds, n, sizeof *kinds);
    return status;
}

const char *sf_frame_why(const sf_frame *f, int64_t col)
{
    static const char *const reasons[] = {
#define WHY(name, word, say, why) why,
        SF_KIND_LIST(WHY)
#undef WHY
    };
    const sfi_schema_column *about = sfi_frame_about(f, col);
    const bool is_empty = about->kind == SF_KIND_REAL && isnan(about->min);
    return about->is_told ? "told"
           : is_empty     ? "no cell is there"
                          : reasons[about->kind];
}

int sf_frame_decimals(const sf_frame *f, int64_t col)
{
    return sfi_frame_about(f, col)->decimals;
}

int64_t sf_frame_atom_count(const sf_frame *f, int64_t col)
{
    return sfi_frame_about(f, col)->atoms.count;
}

double sf_frame_atom(const sf_frame *f, int64_t col, int64_t atom)
{
    const sfi_atoms *a = &sfi_frame_about(f, col)->atoms;
    return atom >= 0 && atom < a->count ? a->at[atom] : (double)NAN;
}

bool sf_frame_between(const sf_frame *f, int64_t col, int64_t gap)
{
    const sfi_atoms *a = &sfi_frame_about(f, col)->atoms;
    return a->count == 0 || (gap >= 0 && gap <= a->count && a->between[gap]);
}

/* ---- hints ---------------------------------------------------------------- */

static const char LATITUDE[] = "lat|latitude";

static bool is_within(const sfi_schema_column *about, double low, double high)
{
    return about->level_count == 0 && about->kind != SF_KIND_DATE &&
           about->min >= low && about->max <= high && about->max > about->min;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether `name` is one of the words of "a|b", or, with `within`, holds one. */
static bool has_word(const char *name, const char *words, bool within)
{
    char small[SFI_LONGEST_WORD + 1];
    size_t n = 0;
    for (; name[n] != '\0' && n < SFI_LONGEST_WORD; n++)
        small[n] = lower(name[n]);
    small[n] = '\0';
    if (!within)
        return sfi_find_choice(words, small, n) >= 0;
    for (size_t i = 0; i < n; i++)
        for (size_t size = 1; i + size <= n; size++)
            if (sfi_find_choice(words, small + i, size) >= 0)
                return true;
    return false;
}

/* The first column whose name is one of `words` and whose numbers are within. */
static int64_t find_named(const sf_frame *f, const char *words, double low,
                          double high)
{
    for (int64_t j = 0; j < f->cols; j++)
        if (has_word(sf_frame_name(f, j), words, false) &&
            is_within(sfi_frame_about(f, j), low, high))
            return j;
    return -1;
}

bool sf_frame_hint(const sf_frame *f, int64_t col, char text[SF_HINT_SIZE])
{
    const sfi_schema_column *about = sfi_frame_about(f, col);
    /* Others are looked for only where this one has such a name: there may be very many
     * columns. */
    const int64_t longitude =
        has_word(about->name, LATITUDE, false) &&
                find_named(f, LATITUDE, -90.0, 90.0) == col
            ? find_named(f, "lon|lng|long|longitude", -180.0, 360.0)
            : -1;
    if (longitude >= 0) {
        snprintf(text, SF_HINT_SIZE, "%.200s,%.200s=vmf", about->name,
                 sf_frame_name(f, longitude));
        return true;
    }
    if (!has_word(about->name, "deg|dir|angle", true) ||
        !is_within(about, 0.0, 360.0) || about->max <= 1.0)
        return false;
    snprintf(text, SF_HINT_SIZE, "%.200s=vonmises:unit=degrees", about->name);
    return true;
}
