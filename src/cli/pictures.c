/* SPDX-License-Identifier: Apache-2.0 */
/* pictures.c - a program that draws (SCOREFIELD_PLOT=ON); the other is no_pictures.c. */
#include "cli/cli.h"

sf_status cli_need_pictures(sf_context *ctx)
{
    (void)ctx;
    return SF_OK;
}
