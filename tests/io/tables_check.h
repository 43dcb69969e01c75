/* SPDX-License-Identifier: Apache-2.0 */
/* tables_check.h - tables from texts in memory, and what the library warned of. */
#ifndef SFI_TESTS_TABLES_CHECK_H
#define SFI_TESTS_TABLES_CHECK_H

#include "io_check.h"

#include "io/rows.h"
#include "num/decimal.h"

/* All warnings since it was emptied, a line each. */
static char warned[4096];

SFI_UNUSED static void keep_warning(void *user, const char *text)
{
    (void)user;
    const size_t n = strlen(warned);
    snprintf(warned + n, sizeof warned - n, "%s\n", text);
}

SFI_UNUSED static sf_context *warning_context(void)
{
    sf_context *ctx = new_context();
    warned[0] = '\0';
    sf_context_set_warning(ctx, keep_warning, NULL);
    return ctx;
}

SFI_UNUSED static sf_status read_bytes(sf_context *ctx, sf_table *out,
                                       const char *format, const void *bytes,
                                       size_t size, size_t buffer,
                                       const sf_read_options *options)
{
    sfi_rows *rows = NULL;
    memset(out, 0, sizeof *out);
    SFI_TRY(
        sfi_rows_open_memory(ctx, &rows, format, bytes, size, buffer, options));
    const sf_status status = sfi_rows_read_all(rows, out);
    sfi_rows_close(rows);
    return status;
}

/* A cell of a table as text: a number, a level, or NA. */
SFI_UNUSED static const char *cell_text(const sf_table *t, int64_t i, int64_t j)
{
    static char text[64];
    const double x = t->data[i * t->cols + j];
    if (isnan(x))
        return "NA";
    if (t->columns[j].kind == SF_COLUMN_TEXT)
        return t->columns[j].levels[(int64_t)x];
    sfi_number_format(x, text);
    return text;
}

/* Names, then rows, as "a b|1 2|3 NA". */
SFI_UNUSED static void check_table(const sf_table *t, const char *want)
{
    char text[4096] = "";
    size_t n = 0;
    for (int64_t i = -1; i < t->rows; i++)
        for (int64_t j = 0; j < t->cols; j++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
                                  j > 0    ? " "
                                  : i >= 0 ? "|"
                                           : "",
                                  i < 0 ? t->columns[j].name
                                        : cell_text(t, i, j));
    if (strcmp(text, want) != 0)
        fprintf(stderr, "got:  %s\nwant: %s\n", text, want);
    CHECK(strcmp(text, want) == 0);
}

/* Read a text through buffers of several sizes, which makes no difference, and see
 * what it holds and what is warned of. */
SFI_UNUSED static void check_reads(const char *format, const char *bytes,
                                   size_t size, const sf_read_options *options,
                                   const char *want, const char *warning)
{
    static const size_t buffers[] = {0, 1, 7, 31};
    sf_context *ctx = warning_context();
    for (size_t k = 0; k < SFI_COUNT(buffers); k++) {
        sf_table t;
        warned[0] = '\0';
        CHECK_OK(ctx,
                 read_bytes(ctx, &t, format, bytes, size, buffers[k], options));
        check_table(&t, want);
        if (warning == NULL ? warned[0] != '\0'
                            : strstr(warned, warning) == NULL)
            fprintf(stderr, "warned: %swant:   %s\n", warned,
                    warning != NULL ? warning : "nothing");
        CHECK(warning == NULL ? warned[0] == '\0'
                              : strstr(warned, warning) != NULL);
        sf_table_free(ctx, &t);
    }
    sf_context_free(ctx);
}

#endif
