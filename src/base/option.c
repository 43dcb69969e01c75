/* SPDX-License-Identifier: Apache-2.0 */
/* option.c - members of a struct by their place in it. */
#include "base/option.h"

#include <string.h>

double sfi_option_get(const sfi_option *row, const void *options)
{
    const char *at = (const char *)options + row->offset;
    bool flag;
    int choice;
    int64_t whole;
    double real;
    switch (row->type) {
    case SFI_OPTION_FLAG:
        memcpy(&flag, at, sizeof flag);
        return flag;
    case SFI_OPTION_CHOICE:
        memcpy(&choice, at, sizeof choice);
        return choice;
    case SFI_OPTION_WHOLE:
        memcpy(&whole, at, sizeof whole);
        return (double)whole;
    default:
        memcpy(&real, at, sizeof real);
        return real;
    }
}

void sfi_option_set(const sfi_option *row, void *options, double value)
{
    char *at = (char *)options + row->offset;
    const bool flag = value != 0.0;
    const int choice = row->type == SFI_OPTION_CHOICE ? (int)value : 0;
    const int64_t whole = row->type == SFI_OPTION_WHOLE ? (int64_t)value : 0;
    switch (row->type) {
    case SFI_OPTION_FLAG:
        memcpy(at, &flag, sizeof flag);
        break;
    case SFI_OPTION_CHOICE:
        memcpy(at, &choice, sizeof choice);
        break;
    case SFI_OPTION_WHOLE:
        memcpy(at, &whole, sizeof whole);
        break;
    case SFI_OPTION_REAL:
        memcpy(at, &value, sizeof value);
        break;
    }
}

sf_status sfi_option_check(sf_context *ctx, const char *what,
                           const sfi_option *list, const void *options)
{
    for (const sfi_option *row = list; row->name != NULL; row++) {
        const double value = sfi_option_get(row, options);
        if (!(value >= row->least && value <= row->most))
            return SFI_FAIL(ctx, SF_E_ARG, "%s: %s is %g, want %g to %g", what,
                            row->name, value, row->least, row->most);
    }
    return SF_OK;
}
