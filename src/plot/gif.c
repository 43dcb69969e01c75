/* SPDX-License-Identifier: Apache-2.0 */
/* gif.c - animations as GIF89a, by giflib.
 *
 * One palette for all frames, so that what stands still keeps its colours.  A
 * frame holds only the rectangle that changed, and in it the pixels that did
 * not change are transparent: long runs of one index are what the format
 * compresses well.  There is no dithering, for the same reason. */
#include "plot/movie.h"

#include <math.h>
#include <string.h>

#include <gif_lib.h>

enum { TRANSPARENT = 255, PALETTE = 256 };

typedef struct gif {
    sf_context *ctx;
    sfi_movie_size size;
    sfi_colours colours;
    sfi_output *bytes; /* the file so far, in memory */
    GifFileType *file;
    uint8_t *shown, *row; /* what is seen: [height, width]; a row of a frame */
    bool started;
} gif;

static int collect(GifFileType *file, const GifByteType *data, int count)
{
    gif *g = file->UserData;
    return sfi_output_write(g->bytes, data, (size_t)count) == SF_OK ? count : 0;
}

static sf_status failed(gif *g)
{
    if (sfi_output_status(g->bytes) != SF_OK)
        return sfi_output_status(g->bytes);
    const int error =
        g->file != NULL ? g->file->Error : E_GIF_ERR_NOT_ENOUGH_MEM;
    const char *text = GifErrorString(error);
    return SFI_FAIL(g->ctx, SF_E_INTERNAL, "plot: giflib: %s",
                    text != NULL ? text : "unknown error");
}

static sf_status gif_close(void *state, sf_status status, sfi_output *out)
{
    gif *g = state;
    sf_context *ctx = g->ctx;
    const size_t pixels = (size_t)g->size.width * (size_t)g->size.height;
    if (g->file != NULL) {
        int error = 0;
        const bool closed = EGifCloseFile(g->file, &error) == GIF_OK;
        g->file = NULL;
        if (!closed && status == SF_OK)
            status = failed(g);
    }
    if (status == SF_OK) {
        size_t size = 0;
        const void *bytes = sfi_output_bytes(g->bytes, &size);
        status = sfi_output_write(out, bytes, size);
    }
    sfi_output_abort(g->bytes);
    sfi_colours_free(&g->colours);
    sfi_free(ctx, g->shown, pixels, 1);
    sfi_free(ctx, g->row, (size_t)g->size.width, 1);
    sfi_free(ctx, g, 1, sizeof *g);
    return status;
}

static sf_status gif_open(sf_context *ctx, void **state, sfi_movie_size size)
{
    *state = NULL;
    gif *g = sfi_alloc_zero(ctx, 1, sizeof *g);
    if (g == NULL)
        return SF_E_NOMEM;
    g->ctx = ctx;
    g->size = size;
    g->shown = sfi_alloc(ctx, (size_t)size.width * (size_t)size.height, 1);
    g->row = sfi_alloc(ctx, (size_t)size.width, 1);
    sf_status status = sfi_output_memory(ctx, &g->bytes);
    if (status == SF_OK)
        status = sfi_colours_new(ctx, &g->colours);
    if (g->shown == NULL || g->row == NULL)
        status = SF_E_NOMEM;
    if (status == SF_OK) {
        int error = 0;
        g->file = EGifOpen(g, collect, &error);
        if (g->file == NULL)
            status = SFI_FAIL(ctx, SF_E_NOMEM, "plot: no memory for a GIF");
    }
    if (status != SF_OK)
        return gif_close(g, status, NULL);
    *state = g;
    return SF_OK;
}

static sf_status gif_learn(void *state, const uint32_t *pixels)
{
    gif *g = state;
    sfi_colours_count(&g->colours, pixels,
                      (int64_t)g->size.width * g->size.height);
    return SF_OK;
}

/* Header, palette, and the application block that asks for endless repeats. */
static sf_status start(gif *g)
{
    SFI_TRY(sfi_colours_choose(&g->colours, TRANSPARENT));
    ColorMapObject *map = GifMakeMapObject(PALETTE, NULL);
    if (map == NULL)
        return SFI_FAIL(g->ctx, SF_E_NOMEM, "plot: no memory for a GIF");
    for (int i = 0; i < g->colours.count; i++) {
        map->Colors[i].Red = g->colours.rgb[i][0];
        map->Colors[i].Green = g->colours.rgb[i][1];
        map->Colors[i].Blue = g->colours.rgb[i][2];
    }
    EGifSetGifVersion(g->file, true);
    const bool good =
        EGifPutScreenDesc(g->file, g->size.width, g->size.height, 8, 0, map) ==
            GIF_OK &&
        EGifPutExtensionLeader(g->file, APPLICATION_EXT_FUNC_CODE) == GIF_OK &&
        EGifPutExtensionBlock(g->file, 11, "NETSCAPE2.0") == GIF_OK &&
        EGifPutExtensionBlock(g->file, 3, "\x01\x00\x00") == GIF_OK &&
        EGifPutExtensionTrailer(g->file) == GIF_OK;
    GifFreeMapObject(map);
    return good ? SF_OK : failed(g);
}

typedef struct area {
    int left, top, right, bottom; /* right and bottom are outside */
} area;

/* The smallest rectangle that holds every pixel whose colour changes; one
 * pixel if none does, since a frame can not be empty. */
static area changed(gif *g, const uint32_t *pixels)
{
    const int width = g->size.width, height = g->size.height;
    area a = {width, height, 0, 0};
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const size_t at = (size_t)y * (size_t)width + (size_t)x;
            if (g->started &&
                g->shown[at] == sfi_colours_nearest(&g->colours, pixels[at]))
                continue;
            a.left = x < a.left ? x : a.left;
            a.right = x >= a.right ? x + 1 : a.right;
            a.top = y < a.top ? y : a.top;
            a.bottom = y + 1;
        }
    const area one = {0, 0, 1, 1};
    return a.right > 0 ? a : one;
}

static sf_status gif_add(void *state, const uint32_t *pixels)
{
    gif *g = state;
    const bool first = !g->started;
    if (first)
        SFI_TRY(start(g));
    const area a = changed(g, pixels);
    const double hundredths =
        fmin(floor(100.0 * g->size.seconds + 0.5), 65535.0);
    const GraphicsControlBlock control = {DISPOSE_DO_NOT, false,
                                          (int)hundredths, TRANSPARENT};
    GifByteType block[4];
    EGifGCBToExtension(&control, block);
    if (EGifPutExtension(g->file, GRAPHICS_EXT_FUNC_CODE, 4, block) != GIF_OK ||
        EGifPutImageDesc(g->file, a.left, a.top, a.right - a.left,
                         a.bottom - a.top, false, NULL) != GIF_OK)
        return failed(g);
    for (int y = a.top; y < a.bottom; y++) {
        for (int x = a.left; x < a.right; x++) {
            const size_t at = (size_t)y * (size_t)g->size.width + (size_t)x;
            const int index = sfi_colours_nearest(&g->colours, pixels[at]);
            const bool same = !first && g->shown[at] == index;
            g->row[x - a.left] = same ? TRANSPARENT : (uint8_t)index;
            g->shown[at] = (uint8_t)index;
        }
        if (EGifPutLine(g->file, g->row, a.right - a.left) != GIF_OK)
            return failed(g);
    }
    g->started = true;
    return SF_OK;
}

const sfi_codec sfi_gif = {gif_open, gif_learn, gif_add, gif_close};
