/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_netcdf.c - classic NetCDF images from anyone: headers, then the values of
 * variables, then what they mean.
 *
 * NetCDF-4 is HDF5, whose own parser is not ours to harden: images that are not
 * classic are left alone. */
#include "fuzz.h"

#include "field/reader.h"

enum { MOST_VALUES = 1 << 16 };

/* What takes the place of sfi_field_file_open(), for bytes in memory. */
static sf_status read_all(void *user, int var, double *values)
{
    sfi_nc *f = user;
    const sfi_nc_header *h = sfi_nc_header_of(f);
    const sfi_nc_var *v = &h->vars[var];
    int64_t start[SFI_NC_MOST_RANK] = {0}, shape[SFI_NC_MOST_RANK] = {0};
    static double raw[MOST_VALUES];
    for (int k = 0; k < v->rank; k++)
        shape[k] = h->dims[v->dims[k]].size;
    const int64_t count = sfi_nc_var_count(h, var);
    REQUIRE(count <= MOST_VALUES);
    SFI_TRY(sfi_nc_read(f, var, start, shape, raw));
    sfi_nc_numbers(v->type, raw, (size_t)count, values);
    return SF_OK;
}

static void read_variable(sf_context *ctx, sfi_nc *f, int var)
{
    static double raw[MOST_VALUES], values[MOST_VALUES];
    const sfi_nc_header *h = sfi_nc_header_of(f);
    const sfi_cf_source source = {"<memory>", h, read_all, f};
    sfi_cf *cf = NULL;
    const int64_t count = sfi_nc_var_count(h, var);
    /* Its dimensions may have far more points than it has bytes. */
    for (int k = 0; k < h->vars[var].rank; k++)
        if (h->dims[h->vars[var].dims[k]].size > MOST_VALUES)
            return;
    for (size_t i = 0; i < h->var_count; i++)
        if (sfi_nc_var_count(h, (int)i) > MOST_VALUES)
            return;
    if (sfi_cf_read(ctx, &cf, &source, var, 0.0) != SF_OK)
        return;
    int64_t start[SFI_NC_MOST_RANK] = {0}, shape[SFI_NC_MOST_RANK] = {0};
    for (int k = 0; k < h->vars[var].rank; k++)
        shape[k] = h->dims[h->vars[var].dims[k]].size;
    if (sfi_nc_read(f, var, start, shape, raw) == SF_OK)
        sfi_unpack(&cf->packing, raw, (size_t)count, values);
    sfi_cf_free(cf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sfi_nc *f = NULL;
    if (size < 4 || memcmp(data, "CDF", 3) != 0 || !sfi_nc_available())
        return 0;
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    if (sfi_nc_open_memory(ctx, &f, "<memory>", data, size) == SF_OK) {
        const sfi_nc_header *h = sfi_nc_header_of(f);
        for (size_t i = 0; i < h->var_count && i < 64; i++)
            read_variable(ctx, f, (int)i);
    }
    sfi_nc_close(f);
    sf_context_free(ctx);
    return 0;
}
