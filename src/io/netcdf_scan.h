/* SPDX-License-Identifier: Apache-2.0 */
/* netcdf_scan.h - is a classic NetCDF file what its header says? */
#ifndef SFI_NETCDF_SCAN_H
#define SFI_NETCDF_SCAN_H

#include "io/input.h"

/* Go through the header of a classic, 64-bit offset or CDF-5 file of known size and
 * hold every count and every variable's place against that size.  Memory: no more
 * than the file has bytes.  Other files are left alone.
 * Returns SF_OK; SF_E_FORMAT (the message names the byte, or says how long the file
 * should be), SF_E_IO, SF_E_NOMEM. */
sf_status sfi_nc_scan(sf_context *ctx, sfi_input *input);

#endif
