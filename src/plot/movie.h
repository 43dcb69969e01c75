/* SPDX-License-Identifier: Apache-2.0 */
/* movie.h - images in, one animation out: GIF or WebP. */
#ifndef SFI_PLOT_MOVIE_H
#define SFI_PLOT_MOVIE_H

#include "plot/canvas.h"

typedef struct sfi_movie_size {
    int width, height; /* pixels                                   */
    double seconds;    /* each frame is shown; rounded by the format */
} sfi_movie_size;

/* A way to write animations.  A frame is width * height pixels 0xRRGGBB.
 *
 *   open    make *state.  On failure there is nothing to close.
 *   learn   OPTIONAL: see a frame before the first add, to choose colours
 *   add     append a frame
 *   close   if `status` is SF_OK write the whole file to `out`; free *state.
 *           Returns `status` or what went wrong. */
typedef struct sfi_codec {
    sf_status (*open)(sf_context *ctx, void **state, sfi_movie_size size);
    sf_status (*learn)(void *state, const uint32_t *pixels);
    sf_status (*add)(void *state, const uint32_t *pixels);
    sf_status (*close)(void *state, sf_status status, sfi_output *out);
} sfi_codec;

extern const sfi_codec sfi_gif, sfi_webp;

/* ---- few colours --------------------------------------------------------- */

enum { SFI_COLOUR_BITS = 6, SFI_COLOUR_BINS = 1 << (3 * SFI_COLOUR_BITS) };

/* Colours that stand for many.  Pixels are counted in bins of 6 bits a channel;
 * sfi_colours_choose() splits the box of bins with the largest variance until
 * there are enough boxes (after P. Heckbert, "Color image quantization for
 * frame buffer display", SIGGRAPH 1982). */
typedef struct sfi_colours {
    sf_context *ctx;
    uint32_t *number; /* [SFI_COLOUR_BINS] pixels in a bin              */
    uint64_t *sum[3]; /* [SFI_COLOUR_BINS] of their red, green, blue    */
    uint8_t *nearest; /* [SFI_COLOUR_BINS] chosen colour + known        */
    bool *known;      /* [SFI_COLOUR_BINS] nearest has been computed    */
    int count;        /* chosen colours                                 */
    uint8_t rgb[256][3];
} sfi_colours;

/* SF_OK or SF_E_NOMEM; free it in either case. */
sf_status sfi_colours_new(sf_context *ctx, sfi_colours *colours);
void sfi_colours_free(sfi_colours *colours);
void sfi_colours_count(sfi_colours *colours, const uint32_t *pixels,
                       int64_t count);
/* Choose at most `most` (<= 256) colours; SF_OK or SF_E_NOMEM. */
sf_status sfi_colours_choose(sfi_colours *colours, int most);
/* The chosen colour nearest to a pixel (to its bin's mean). */
int sfi_colours_nearest(sfi_colours *colours, uint32_t pixel);

#endif
