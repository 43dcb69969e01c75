/* SPDX-License-Identifier: Apache-2.0 */
/* netcdf_absent.c - what takes the place of netcdf_file.c where libnetcdf is not
 * wanted (cmake -DSCOREFIELD_NETCDF=OFF): every file is refused by name. */
#include "io/netcdf.h"

bool sfi_nc_available(void)
{
    return false;
}

static sf_status refuse(sf_context *ctx, const char *path)
{
    return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                    "%s: this build has no NetCDF; build with libnetcdf-dev "
                    "and -DSCOREFIELD_NETCDF=ON",
                    path);
}

sf_status sfi_nc_open(sf_context *ctx, sfi_nc **out, const char *path)
{
    *out = NULL;
    return refuse(ctx, path);
}

sf_status sfi_nc_open_memory(sf_context *ctx, sfi_nc **out, const char *name,
                             const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    *out = NULL;
    return refuse(ctx, name);
}

void sfi_nc_close(sfi_nc *file)
{
    (void)file;
}

/* No file was opened, so nothing below is ever called. */
const sfi_nc_header *sfi_nc_header_of(const sfi_nc *file)
{
    (void)file;
    return NULL;
}

const char *sfi_nc_name_of(const sfi_nc *file)
{
    (void)file;
    return "";
}

sf_status sfi_nc_read(sfi_nc *file, int var, const int64_t *start,
                      const int64_t *count, void *values)
{
    (void)file;
    (void)var;
    (void)start;
    (void)count;
    (void)values;
    return SF_E_UNSUPPORTED;
}

sf_status sfi_nc_create(sf_context *ctx, sfi_nc_writer **out, const char *path,
                        const sfi_nc_header *header)
{
    (void)header;
    *out = NULL;
    return refuse(ctx, path);
}

sf_status sfi_nc_write(sfi_nc_writer *w, int var, const int64_t *start,
                       const int64_t *count, const void *values)
{
    (void)w;
    (void)var;
    (void)start;
    (void)count;
    (void)values;
    return SF_E_UNSUPPORTED;
}

sf_status sfi_nc_writer_close(sfi_nc_writer *w, sf_status status)
{
    (void)w;
    return status;
}
