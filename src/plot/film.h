/* SPDX-License-Identifier: Apache-2.0 */
/* film.h - frames that are drawn one after the other on a canvas, as an animation. */
#ifndef SFI_PLOT_FILM_H
#define SFI_PLOT_FILM_H

#include "plot/canvas.h"

typedef struct sfi_film {
    const char *what;   /* for messages                                      */
    sfi_canvas *canvas; /* of sfi_canvas_open_image()                        */
    int64_t count;
    double seconds; /* of a frame                                            */
    /* Draw frame k on the canvas, which holds the one before; called in any order,
     * and for some frames twice. */
    sf_status (*draw)(void *user, int64_t k);
    void *user;
} sfi_film;

/* Whether the path ends in .gif or .webp. */
bool sfi_is_film(const char *path);

/* Draw and encode all frames.  Progress is reported once a frame.
 * Returns SF_OK; SF_E_CANCELLED, SF_E_NOMEM, SF_E_IO, SF_E_INTERNAL, or what `draw`
 * returned; nothing is left behind. */
sf_status sfi_film_write(const sfi_film *film, const char *path);

/* Pixels 0xRRGGBB of a canvas in memory, and back. */
void sfi_canvas_get(const sfi_canvas *canvas, uint32_t *out);
void sfi_canvas_put(sfi_canvas *canvas, const uint32_t *in);

#endif
