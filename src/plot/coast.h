/* SPDX-License-Identifier: Apache-2.0 */
/* coast.h - coastlines, for maps of longitude and latitude. */
#ifndef SFI_PLOT_COAST_H
#define SFI_PLOT_COAST_H

#include "plot/panel.h"

/* Draw them within the frame, whatever turn of longitude it shows. */
void sfi_draw_coast(sfi_canvas *canvas, const sfi_panel *panel,
                    sfi_rgba colour);

#endif
