/* SPDX-License-Identifier: Apache-2.0 */
/* category_marks.h - what stands in a panel of a category, whose axis has names, and a
 * number or another category.  Rows that lack one of both are not in it. */
#ifndef SFI_PLOT_CATEGORY_MARKS_H
#define SFI_PLOT_CATEGORY_MARKS_H

#include "plot/panel.h"
#include "plot/values.h"

/* Of each level of the category, which is on one of both axes, a box from the first
 * to the third quartile of the number, a mark at the median, and lines to the 5 and
 * 95 % quantiles; of two tables side by side.  Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_boxes(sfi_canvas *canvas, const sfi_panel *panel,
                         const sf_cmat table[2], int64_t jx, int64_t jy);

/* Of each pair of levels a tile, the darker the more rows have both; of two tables a
 * half each.  `with_numbers` writes the percentage into those with room for it.
 * Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_tiles(sfi_canvas *canvas, const sfi_panel *panel,
                         const sf_cmat table[2], int64_t jx, int64_t jy,
                         bool with_numbers);

/* Cramer's V of the rows of a table; NaN where the axes have more than SFI_CRAMER_MOST
 * names. */
double sfi_panel_cramer_v(const sfi_panel *panel, sf_cmat m, int64_t jx,
                          int64_t jy);

#endif
