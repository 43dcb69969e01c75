/* SPDX-License-Identifier: Apache-2.0 */
/* ticks.h - where an axis is marked and what the marks say. */
#ifndef SFI_PLOT_TICKS_H
#define SFI_PLOT_TICKS_H

#include <stdbool.h>
#include <stdint.h>

enum { SFI_MAX_TICKS = 24, SFI_MAX_MINOR = 128, SFI_TICK_BYTES = 48 };

typedef struct sfi_ticks {
    int count;
    double at[SFI_MAX_TICKS];
    char label[SFI_MAX_TICKS][SFI_TICK_BYTES]; /* UTF-8 */
    int minor_count;
    double minor[SFI_MAX_MINOR];
    char note[2 * SFI_TICK_BYTES]; /* what every label is to be multiplied by
                                      and added to, or "": "\u00d710\u2076" */
} sfi_ticks;

/* Widen [*lo, *hi] until an axis can show it: finite, lo < hi, a width that is
 * at least 1e-12 of the larger end and 1e-300, ends within 1e307.  A constant
 * gets a range of 10 % to both sides (of 1 where it is 0).  NaN ends become
 * [0, 1].  With `log`, both ends are made positive. */
void sfi_ticks_range(double *lo, double *hi, bool log);

/* At most `most` (2 to SFI_MAX_TICKS) marks at multiples of 1, 2 or 5 times a
 * power of ten within [lo, hi], a range that sfi_ticks_range() accepts.  At
 * least two if `most` > 2; multiples of 4 where those of 5 are fewer. */
void sfi_ticks_linear(double lo, double hi, int most, sfi_ticks *out);

/* The same of degrees: multiples of 1, 2, 5, 10, 15, 30, 45, 60 or 90, smaller ones
 * as above, with letters for the two signs, "EW" or "NS": "60\u00b0W".  Longitudes
 * are those of -180 to 180. */
void sfi_ticks_degrees(double lo, double hi, int most, const char *letters,
                       sfi_ticks *out);

/* The same on a logarithmic axis, 0 < lo < hi: powers of ten, or 1-2-5 within
 * a decade or two; linear marks where even those are fewer than two. */
void sfi_ticks_log(double lo, double hi, int most, sfi_ticks *out);

/* One mark for every stride-th of `count` categories, for fewer if there are
 * more than SFI_MAX_TICKS: its number, with the name left to the caller (labels
 * are ""). */
void sfi_ticks_categories(double lo, double hi, int64_t count, int64_t stride,
                          sfi_ticks *out);

/* Write x for people, with at most `digits` significant digits, no trailing
 * zeros, a true minus sign and powers of ten as superscripts:
 * "\u22120.25", "1.2\u00d710\u207b\u2079". */
void sfi_number_text(double x, int digits, char *out, int bytes);

#endif
