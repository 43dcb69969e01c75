/* SPDX-License-Identifier: Apache-2.0 */
/* transform_portable.c - our own transforms in the instructions that every
 * processor of this family has. */
#include "num/transform_lanes.h"

sfi_own_loop sfi_own_loop_portable(sfi_own_way way)
{
    return loops[way];
}
