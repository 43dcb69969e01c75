/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - pictures made pixel by pixel, as parts of a page. */
#include "plot/image.h"

#include <math.h>

void sfi_image_size(const sfi_canvas *canvas, sfi_rect part, int *width,
                    int *height)
{
    const bool is_vector =
        canvas->format == SFI_FORMAT_SVG || canvas->format == SFI_FORMAT_PDF;
    const double scale = is_vector ? 2.0 : canvas->scale;
    *width = (int)ceil((part.right - part.left) * scale);
    *height = (int)ceil((part.bottom - part.top) * scale);
}

sf_status sfi_image_new(sfi_canvas *canvas, sfi_image *image, const char *what,
                        sfi_rect part, cairo_format_t format)
{
    sfi_image_size(canvas, part, &image->width, &image->height);
    image->surface =
        cairo_image_surface_create(format, image->width, image->height);
    if (cairo_surface_status(image->surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(image->surface);
        return SFI_FAIL(canvas->ctx, SF_E_NOMEM,
                        "plot: no memory for a %s of %d x %d", what,
                        image->width, image->height);
    }
    image->stride =
        cairo_image_surface_get_stride(image->surface) / (int)sizeof(uint32_t);
    image->pixels =
        (uint32_t *)(void *)cairo_image_surface_get_data(image->surface);
    return SF_OK;
}

void sfi_image_paint(sfi_canvas *canvas, sfi_image *image, sfi_rect part)
{
    cairo_t *cr = canvas->cr;
    cairo_surface_mark_dirty(image->surface);
    cairo_save(cr);
    cairo_translate(cr, part.left, part.top);
    cairo_scale(cr, (part.right - part.left) / image->width,
                (part.bottom - part.top) / image->height);
    cairo_set_source_surface(cr, image->surface, 0.0, 0.0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_rectangle(cr, 0.0, 0.0, image->width, image->height);
    cairo_fill(cr);
    cairo_restore(cr);
    cairo_surface_destroy(image->surface);
}
