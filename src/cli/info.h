/* SPDX-License-Identifier: Apache-2.0 */
/* info.h - the parts of `scorefield info`. */
#ifndef SFI_CLI_INFO_H
#define SFI_CLI_INFO_H

#include "cli/cli.h"

/* Put what a NetCDF file holds into the report: all fields, or one variable. */
sf_status info_fields(cli *c, const char *path, const char *var);

#endif
