/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_csv.c - CSV from anyone, in all its forms, also compressed.  The size of the reader's buffer must make no
 * difference, nor reading in blocks, nor writing and reading again. */
#include "fuzz.h"

#include "io/csv.h"

/* With what was written in mind, `is_ours`: commas, and a header line. */
static sf_status read_table(sf_context *ctx, sf_table *out, const void *data,
                            size_t size, size_t buffer, bool is_ours)
{
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.max_bytes = 1 << 20;
    o.sep = is_ours ? "," : NULL;
    o.header = is_ours ? SF_HEADER_YES : SF_HEADER_AUTO;
    sfi_rows *rows = NULL;
    memset(out, 0, sizeof *out);
    SFI_TRY(sfi_rows_open_memory(ctx, &rows, ".csv", data, size, buffer, &o));
    const sf_status status = sfi_rows_read_all(rows, out);
    sfi_rows_close(rows);
    return status;
}

static void require_same(const sf_table *a, const sf_table *b)
{
    REQUIRE(a->rows == b->rows && a->cols == b->cols);
    REQUIRE(same_cells(a->data, b->data, a->rows * a->cols));
    for (int64_t j = 0; j < a->cols; j++) {
        const sf_column *x = &a->columns[j], *y = &b->columns[j];
        REQUIRE(strcmp(x->name, y->name) == 0);
        REQUIRE(x->kind == y->kind && x->missing == y->missing);
        REQUIRE(x->level_count == y->level_count);
        for (int64_t k = 0; k < x->level_count; k++)
            REQUIRE(strcmp(x->levels[k], y->levels[k]) == 0);
    }
}

static void check_round_trip(sf_context *ctx, const sf_table *table)
{
    sfi_output *out = NULL;
    sf_table back;
    size_t size = 0;
    REQUIRE(sfi_output_memory(ctx, &out) == SF_OK);
    REQUIRE(sfi_csv_write(ctx, table, out) == SF_OK);
    const void *bytes = sfi_output_bytes(out, &size);
    REQUIRE(read_table(ctx, &back, bytes, size, 0, true) == SF_OK);
    require_same(table, &back);
    sf_table_free(ctx, &back);
    sfi_output_abort(out);
}

/* Passes of two rows at a time: one that is broken off, one to learn, two more. */
static void check_blocks(sf_context *ctx, const sf_table *table,
                         const void *data, size_t size)
{
    sfi_rows *rows = NULL;
    int64_t got = 0, done = 0;
    double *cells = sfi_alloc(ctx, 2 * (size_t)table->cols, sizeof *cells);
    REQUIRE(cells != NULL);
    REQUIRE(sfi_rows_open_memory(ctx, &rows, ".csv", data, size, 1, NULL) ==
            SF_OK);
    REQUIRE(sfi_rows_next(rows, cells, 2, &got) == SF_OK && got > 0);
    REQUIRE(sfi_rows_rewind(rows) == SF_OK);
    REQUIRE(sfi_rows_learn(rows, cells, 2, NULL, NULL) == SF_OK);
    REQUIRE(sfi_rows_rewind(rows) == SF_OK);
    for (int pass = 0; pass < 2; pass++) {
        done = 0;
        do {
            REQUIRE(sfi_rows_next(rows, cells, 2, &got) == SF_OK);
            REQUIRE(got <= table->rows - done);
            REQUIRE(same_cells(cells, table->data + done * table->cols,
                               got * table->cols));
            done += got;
        } while (got > 0);
        REQUIRE(done == table->rows);
        REQUIRE(sfi_rows_rewind(rows) == SF_OK);
    }
    sfi_rows_close(rows);
    sfi_free(ctx, cells, 2 * (size_t)table->cols, sizeof *cells);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sf_table table, again;
    char message[1024];
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    const sf_status status = read_table(ctx, &table, data, size, 0, false);
    snprintf(message, sizeof message, "%s", sf_context_message(ctx));
    const sf_status second =
        read_table(ctx, &again, data, size, 1 + size % 61, false);
    REQUIRE(second == status);
    if (status == SF_OK) {
        require_same(&table, &again);
        check_round_trip(ctx, &table);
        check_blocks(ctx, &table, data, size);
    } else {
        REQUIRE(strcmp(message, sf_context_message(ctx)) == 0);
        REQUIRE(strncmp(message, "<memory>:", 9) == 0);
    }
    sf_table_free(ctx, &table);
    sf_table_free(ctx, &again);
    sf_context_free(ctx);
    return 0;
}
