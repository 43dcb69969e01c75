/* SPDX-License-Identifier: Apache-2.0 */
/* repeats.c - columns with values that many rows share: runs in the sorted column. */
#include "fit/repeats.h"

#include "num/sort.h"

#include <stdio.h>

/* The longest run of x [n], ascending, n >= 1, and its value. */
static int64_t longest_run(const double *x, int64_t n, double *value)
{
    int64_t most = 0, first = 0;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] != x[first])
            first = i;
        if (i - first + 1 > most) {
            most = i - first + 1;
            *value = x[i];
        }
    }
    return most;
}

sf_status sfi_warn_of_repeats(sf_context *ctx, sf_cmat data,
                              const char *const *names)
{
    char list[600] = "";
    size_t used = 0;
    const int64_t n = data.rows;
    double *x = sfi_alloc(ctx, 2 * (size_t)n, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < data.cols; j++) {
        double value = 0.0;
        for (int64_t i = 0; i < n; i++)
            x[i] = data.data[i * data.stride + j];
        sfi_sort(x, x + n, n);
        const int64_t run = longest_run(x, n, &value);
        const double share = (double)run / (double)n;
        if (run < 2 || !(share > SFI_REPEATS_SHARE))
            continue;
        if (used < sizeof list - 140)
            used += (size_t)snprintf(
                list + used, sizeof list - used, "%s\"%.60s\" (%.0f %% are %g)",
                used > 0 ? ", " : "", names != NULL ? names[j] : "?",
                100.0 * share, value);
    }
    sfi_free(ctx, x, 2 * (size_t)n, sizeof *x);
    if (used > 0)
        sfi_warn(ctx,
                 "many rows share a value of %s: there a likelihood "
                 "has no bound, and says less than it seems to",
                 list);
    return SF_OK;
}
