/* SPDX-License-Identifier: Apache-2.0 */
/* isolines.h - contours of a map, with their levels written on them. */
#ifndef SFI_PLOT_ISOLINES_H
#define SFI_PLOT_ISOLINES_H

#include "plot/tiling.h"
#include "plot/contour.h"
#include "plot/marks.h"

enum { SFI_MOST_LEVELS = 100, SFI_MOST_LABELS = 200 };

typedef struct sfi_isoline_label {
    double x, y, turn, level;
} sfi_isoline_label;

/* Where levels are to be written, when everything else is drawn. */
typedef struct sfi_isolines {
    int label_count;
    sfi_isoline_label label[SFI_MOST_LABELS];
} sfi_isolines;

/* Draw the contours of values [ny, nx] at growing levels, those below 0 dashed if
 * there are others, and add places of labels.  SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_isolines(sfi_canvas *canvas, const sfi_panel *panel,
                            const sfi_tiling *tiling, const double *values,
                            const double *levels, int count, sfi_isolines *all);
void sfi_draw_isoline_labels(sfi_canvas *canvas, const sfi_isolines *all);

#endif
