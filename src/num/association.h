/* SPDX-License-Identifier: Apache-2.0 */
/* association.h - how much two categories say of each other. */
#ifndef SFI_ASSOCIATION_H
#define SFI_ASSOCIATION_H

#include <stdint.h>

enum { SFI_CRAMER_MOST = 32 };

/* Cramer's V of a table of counts [rows, cols], without the bias of few rows (W.
 * Bergsma, J. Korean Stat. Soc. 42 (2013) 323-328); empty rows and columns do not
 * count, at most SFI_CRAMER_MOST of each.  NaN below three counts, 0 if there is one
 * row or column. */
double sfi_cramer_v(const int64_t *count, int64_t rows, int64_t cols);

#endif
