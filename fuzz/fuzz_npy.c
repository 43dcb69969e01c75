/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_npy.c - NPY from anyone, as a table and as an array. */
#include "fuzz.h"

#include "io/npy.h"

static sf_status read_table(sf_context *ctx, sf_table *out, const void *data,
                            size_t size)
{
    sfi_rows *rows = NULL;
    memset(out, 0, sizeof *out);
    SFI_TRY(sfi_rows_open_memory(ctx, &rows, ".npy", data, size, 0, NULL));
    const sf_status status = sfi_rows_read_all(rows, out);
    sfi_rows_close(rows);
    return status;
}

static void check_round_trip(sf_context *ctx, const sf_table *table)
{
    sfi_output *out = NULL;
    sf_table back;
    size_t size = 0;
    REQUIRE(sfi_output_memory(ctx, &out) == SF_OK);
    REQUIRE(sfi_npy_write(ctx, table, out) == SF_OK);
    const void *bytes = sfi_output_bytes(out, &size);
    REQUIRE(read_table(ctx, &back, bytes, size) == SF_OK);
    REQUIRE(back.rows == table->rows && back.cols == table->cols);
    REQUIRE(same_cells(back.data, table->data, back.rows * back.cols));
    sf_table_free(ctx, &back);
    sfi_output_abort(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sf_table table;
    sf_array wide, narrow;
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    const sf_status status = read_table(ctx, &table, data, size);
    const sf_status as_wide =
        sfi_npy_read_array_memory(ctx, &wide, SF_F64, data, size);
    const sf_status as_narrow =
        sfi_npy_read_array_memory(ctx, &narrow, SF_F32, data, size);
    REQUIRE(as_wide == as_narrow);
    if (status == SF_OK) {
        REQUIRE(as_wide == SF_OK);
        REQUIRE(table.rows * table.cols == sf_array_count(&wide));
        REQUIRE(same_cells(table.data, wide.data, table.rows * table.cols));
        check_round_trip(ctx, &table);
    }
    if (as_wide == SF_OK)
        for (int64_t i = 0; i < sf_array_count(&wide); i++) {
            const float x = (float)((const double *)wide.data)[i];
            const float y = ((const float *)narrow.data)[i];
            /* Whole numbers of 64 bits are rounded once or twice. */
            REQUIRE(isnan(x) ? isnan(y)
                             : x == y || fabsf(x - y) <= 1.2e-7f * fabsf(x));
        }
    sf_table_free(ctx, &table);
    sf_array_free(ctx, &wide);
    sf_array_free(ctx, &narrow);
    sf_context_free(ctx);
    return 0;
}
