/* SPDX-License-Identifier: Apache-2.0 */
/* select.h - which points of a variable's axes are wanted. */
#ifndef SFI_SELECT_H
#define SFI_SELECT_H

#include "field/cf.h"

/* Of one axis: points first, first + 1, ..., round the end where the axis is
 * closed. */
typedef struct sfi_span {
    int64_t first, count;
    bool is_single; /* one value was asked for, and it is one point          */
} sfi_span;

/* Understand "lev=500; lat=30:60; time=1990-01" (NULL: everything); spans
 * [cf->rank].
 *
 * An axis is named by its name or its role.  A value must be a coordinate, to a
 * thousandth of a step; a range takes the points from one of its ends to the other.
 * Longitudes count modulo a turn.  A date stands for all of its day, month or
 * minute as far as it is given.
 *
 * Returns SF_OK; SF_E_ARG (the message names the nearest points), SF_E_PARSE. */
sf_status sfi_select(const sfi_cf *cf, const char *text, sfi_span *spans);

/* The axis of a name or role; -1. */
int sfi_select_axis(const sfi_cf *cf, const char *name);

#endif
