/* SPDX-License-Identifier: Apache-2.0 */
/* two_kinds.h - two columns of which one at least is a category. */
#ifndef SFI_PLOT_TWO_KINDS_H
#define SFI_PLOT_TWO_KINDS_H

#include "plot/canvas.h"
#include "scorefield/plot.h"

/* Whether the columns of a plane have levels. */
bool sfi_has_levels(const sf_plot_plane_options *o);

/* Draw them, with options that sf_plot_plane() has checked.  Returns SF_OK or
 * SF_E_NOMEM. */
sf_status sfi_draw_two_kinds(sfi_canvas *canvas, sf_cmat data,
                             const sf_plot_plane_options *o);

#endif
