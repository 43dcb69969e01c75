/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - tables from files and into files. */
#include "io/rows.h"

#include <string.h>

sf_status sf_table_read_with(sf_context *ctx, sf_table *out, const char *path,
                             const sf_read_options *options)
{
    memset(out, 0, sizeof *out);
    sfi_rows *rows = NULL;
    SFI_TRY(sfi_rows_open(ctx, &rows, path, options));
    const sf_status status = sfi_rows_read_all(rows, out);
    sfi_rows_close(rows);
    return status;
}

sf_status sf_table_read(sf_context *ctx, sf_table *out, const char *path)
{
    return sf_table_read_with(ctx, out, path, NULL);
}

sf_status sf_table_write(sf_context *ctx, const sf_table *table,
                         const char *path)
{
    const sfi_table_format *format = sfi_table_format_to_write(path);
    if (format == NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: tables are written as .csv and .npy, and to - as "
                        "CSV",
                        path);
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    return sfi_output_close(out, format->write(ctx, table, out));
}
