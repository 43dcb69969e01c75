/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - pictures made pixel by pixel, as parts of a page. */
#ifndef SFI_PLOT_IMAGE_H
#define SFI_PLOT_IMAGE_H

#include "plot/panel.h"

typedef struct sfi_image {
    cairo_surface_t *surface;
    int width, height;
    int stride; /* pixels                                                    */
    uint32_t *pixels;
} sfi_image;

/* How many pixels an image of a part of the page has. */
void sfi_image_size(const sfi_canvas *canvas, sfi_rect part, int *width,
                    int *height);

/* An image for a part of the page: as many pixels as it has there, twice its size in
 * points in vector formats.  CAIRO_FORMAT_RGB24, or _ARGB32 premultiplied.
 * Returns SF_OK or SF_E_NOMEM; `what` is for the message. */
sf_status sfi_image_new(sfi_canvas *canvas, sfi_image *image, const char *what,
                        sfi_rect part, cairo_format_t format);

/* Paint it there, and free it. */
void sfi_image_paint(sfi_canvas *canvas, sfi_image *image, sfi_rect part);

#endif
