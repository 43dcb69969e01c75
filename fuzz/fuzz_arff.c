/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_arff.c - ARFF from anyone.  The size of the reader's buffer must make no
 * difference. */
#include "fuzz.h"

#include "io/gzip.h"
#include "io/rows.h"

static sf_status read_table(sf_context *ctx, sf_table *out, const void *data,
                            size_t size, size_t buffer)
{
    sfi_rows *rows = NULL;
    memset(out, 0, sizeof *out);
    SFI_TRY(
        sfi_rows_open_memory(ctx, &rows, ".arff", data, size, buffer, NULL));
    const sf_status status = sfi_rows_read_all(rows, out);
    sfi_rows_close(rows);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sf_table table, again;
    char message[1024];
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    const sf_status status = read_table(ctx, &table, data, size, 0);
    snprintf(message, sizeof message, "%s", sf_context_message(ctx));
    const sf_status second = read_table(ctx, &again, data, size, 1 + size % 61);
    REQUIRE(second == status);
    if (status == SF_OK) {
        REQUIRE(table.rows == again.rows && table.cols == again.cols);
        REQUIRE(same_cells(table.data, again.data, table.rows * table.cols));
    } else {
        /* Where gzip's bytes end too early, one that reads less may see another
         * error first. */
        REQUIRE(sfi_gzip_begins(data, size) ||
                strcmp(message, sf_context_message(ctx)) == 0);
        REQUIRE(strncmp(message, "<memory>:", 9) == 0);
    }
    sf_table_free(ctx, &table);
    sf_table_free(ctx, &again);
    sf_context_free(ctx);
    return 0;
}
