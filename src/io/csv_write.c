/* SPDX-License-Identifier: Apache-2.0 */
/* csv_write.c - a table as comma-separated text. */
#include "io/csv.h"

#include "base/text.h"
#include "io/cell.h"
#include "base/dictionary.h"
#include "num/decimal.h"

#include <math.h>
#include <string.h>

/* ---- what cannot be written ----------------------------------------------- */

static sf_status check_text(sf_context *ctx, const char *text, size_t most,
                            const char *what)
{
    char shown[SFI_SHOW_SIZE];
    const size_t size = strlen(text);
    const char *fault = size == 0     ? "empty"
                        : size > most ? "too long to be read back"
                        : sfi_utf8_prefix(text, size) < size ? "not UTF-8"
                                                             : NULL;
    if (fault == NULL)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_ARG, "csv: the %s \"%s\" is %s", what,
                    sfi_show(shown, text, size), fault);
}

/* As the reader sees it: blanks around a number do not count. */
static bool is_number(const char *text)
{
    double value = 0.0;
    const char *end = sfi_number_parse(text + strspn(text, " \t"), &value);
    return end != NULL && end[strspn(end, " \t")] == '\0';
}

static sf_status check_names(sf_context *ctx, const sf_table *table)
{
    sfi_dictionary names = {0};
    sf_status status = SF_OK;
    bool all_numbers = true;
    if (table->cols < 1 || table->cols > SFI_CSV_MOST_COLUMNS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "csv: the table has %lld columns, want 1 to %d",
                        (long long)table->cols, (int)SFI_CSV_MOST_COLUMNS);
    for (int64_t j = 0; j < table->cols && status == SF_OK; j++) {
        const char *name = table->columns[j].name;
        const size_t size = strlen(name);
        status = check_text(ctx, name, SFI_CSV_MOST_NAME, "column name");
        if (status == SF_OK && sfi_dictionary_find(&names, name, size) >= 0)
            status = SFI_FAIL(ctx, SF_E_ARG,
                              "csv: two columns are called \"%.200s\", want "
                              "distinct names",
                              name);
        if (status == SF_OK)
            status = sfi_dictionary_add(ctx, &names, name, size);
        all_numbers =
            all_numbers && (is_number(name) ||
                            sfi_cell_absence(NULL, name, size) == SFI_ABSENT);
    }
    sfi_dictionary_free(ctx, &names);
    if (status == SF_OK && all_numbers)
        status = SFI_FAIL(ctx, SF_E_ARG,
                          "csv: every column name is a number, so that the "
                          "header line would be taken for data");
    return status;
}

static sf_status check_levels(sf_context *ctx, const sf_table *table, int64_t j)
{
    const sf_column *column = &table->columns[j];
    char place[SFI_PLACE_SIZE];
    for (int64_t k = 0; k < column->level_count; k++)
        SFI_TRY(
            check_text(ctx, column->levels[k], SFI_CSV_MOST_FIELD, "level"));
    for (int64_t i = 0; i < table->rows; i++) {
        const double cell = table->data[i * table->cols + j];
        const bool fits = cell >= 0.0 && cell < (double)column->level_count &&
                          cell == (double)(int64_t)cell;
        if (!fits && !isnan(cell))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "csv: %s: %g is not the index of one of its %lld "
                            "levels",
                            sfi_table_place(table, i, j, place), cell,
                            (long long)column->level_count);
    }
    return SF_OK;
}

static sf_status check_table(sf_context *ctx, const sf_table *table)
{
    SFI_TRY(check_names(ctx, table));
    for (int64_t j = 0; j < table->cols; j++)
        if (table->columns[j].kind == SF_COLUMN_TEXT)
            SFI_TRY(check_levels(ctx, table, j));
    return SF_OK;
}

/* ---- writing -------------------------------------------------------------- */

/* Quotes protect commas and what else might separate, quotes, line ends, blanks at
 * either end (and within, where no comma shows what separates), what would be a
 * comment or a byte order mark at the beginning of the file; around a name they
 * say that it is no number. */
static bool needs_quotes(const char *text, int64_t cols)
{
    const size_t size = strlen(text);
    return text[strcspn(text, cols == 1 ? ",;\t \"\r\n" : ",;\t\"\r\n")] !=
               '\0' ||
           text[0] == '#' || strncmp(text, "\xEF\xBB\xBF", 3) == 0 ||
           strchr(" \t", text[0]) != NULL ||
           strchr(" \t", text[size - 1]) != NULL;
}

static void put_text(sfi_output *out, const char *text, bool quote,
                     int64_t cols)
{
    if (!quote && !needs_quotes(text, cols)) {
        sfi_output_text(out, text);
        return;
    }
    sfi_output_byte(out, '"');
    for (const char *p = text; *p != '\0';) {
        const size_t plain = strcspn(p, "\"");
        sfi_output_write(out, p, plain);
        p += plain;
        if (*p == '"') {
            sfi_output_text(out, "\"\"");
            p++;
        }
    }
    sfi_output_byte(out, '"');
}

static sf_status put_header(sfi_output *out, const sf_table *table)
{
    for (int64_t j = 0; j < table->cols; j++) {
        const char *name = table->columns[j].name;
        if (j > 0)
            sfi_output_byte(out, ',');
        put_text(out, name, is_number(name), table->cols);
    }
    return sfi_output_byte(out, '\n');
}

static sf_status put_row(sfi_output *out, const sf_table *table, int64_t i)
{
    const int64_t cols = table->cols;
    const double *row = table->data + i * cols;
    for (int64_t j = 0; j < cols; j++) {
        const sf_column *column = &table->columns[j];
        if (isnan(row[j])) {
            if (cols == 1)
                sfi_output_text(out, "\"\"");
        } else if (column->kind == SF_COLUMN_TEXT) {
            put_text(out, column->levels[(int64_t)row[j]], false, cols);
        } else {
            sfi_output_number(out, row[j]);
        }
        sfi_output_byte(out, j + 1 < cols ? ',' : '\n');
    }
    return sfi_output_status(out);
}

sf_status sfi_csv_write(sf_context *ctx, const sf_table *table, sfi_output *out)
{
    SFI_TRY(check_table(ctx, table));
    SFI_TRY(put_header(out, table));
    for (int64_t i = 0; i < table->rows; i++)
        SFI_TRY(put_row(out, table, i));
    return SF_OK;
}
