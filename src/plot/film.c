/* SPDX-License-Identifier: Apache-2.0 */
/* film.c - frames that are drawn one after the other on a canvas, as an animation.
 *
 * A codec that has one palette for all frames sees every eighth of them first. */
#include "plot/film.h"

#include <math.h>
#include <string.h>

#include "plot/movie.h"

bool sfi_is_film(const char *path)
{
    const sfi_format format = sfi_format_of(path);
    return format == SFI_FORMAT_GIF || format == SFI_FORMAT_WEBP;
}

void sfi_canvas_get(const sfi_canvas *canvas, uint32_t *out)
{
    cairo_surface_t *s = canvas->surface;
    cairo_surface_flush(s);
    const unsigned char *data = cairo_image_surface_get_data(s);
    const size_t stride = (size_t)cairo_image_surface_get_stride(s);
    const size_t width = (size_t)cairo_image_surface_get_width(s);
    for (int y = 0; y < cairo_image_surface_get_height(s); y++) {
        uint32_t *row = out + (size_t)y * width;
        memcpy(row, data + (size_t)y * stride, 4 * width);
        for (size_t x = 0; x < width; x++)
            row[x] &= 0xFFFFFFu;
    }
}

void sfi_canvas_put(sfi_canvas *canvas, const uint32_t *in)
{
    cairo_surface_t *s = canvas->surface;
    unsigned char *data = cairo_image_surface_get_data(s);
    const size_t stride = (size_t)cairo_image_surface_get_stride(s);
    const size_t width = (size_t)cairo_image_surface_get_width(s);
    cairo_surface_flush(s);
    for (int y = 0; y < cairo_image_surface_get_height(s); y++)
        memcpy(data + (size_t)y * stride, in + (size_t)y * width, 4 * width);
    cairo_surface_mark_dirty(s);
}

static sf_status make_frame(const sfi_film *f, int64_t k, uint32_t *pixels)
{
    SFI_TRY(f->draw(f->user, k));
    sfi_canvas_get(f->canvas, pixels);
    return SF_OK;
}

static sf_status encode(const sfi_film *f, const sfi_codec *codec, void *state,
                        uint32_t *pixels)
{
    sf_context *ctx = f->canvas->ctx;
    for (int64_t k = 0; k < f->count && codec->learn != NULL; k += 8) {
        SFI_TRY(make_frame(f, k, pixels));
        SFI_TRY(codec->learn(state, pixels));
    }
    for (int64_t k = 0; k < f->count; k++) {
        SFI_TRY(make_frame(f, k, pixels));
        SFI_TRY(codec->add(state, pixels));
        const sf_progress progress = {"animation", k + 1, f->count,
                                      NAN,         NAN,   NAN};
        if (!sfi_progress(ctx, &progress, k + 1 == f->count))
            return SFI_FAIL(ctx, SF_E_CANCELLED,
                            "%s: stopped at frame %lld of %lld", f->what,
                            (long long)(k + 1), (long long)f->count);
    }
    return SF_OK;
}

static sf_status write_frames(const sfi_film *f, const char *path,
                              sfi_movie_size size, uint32_t *pixels)
{
    const sfi_codec *codec =
        sfi_format_of(path) == SFI_FORMAT_GIF ? &sfi_gif : &sfi_webp;
    sf_context *ctx = f->canvas->ctx;
    sfi_output *out = NULL;
    void *state = NULL;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    sf_status status = codec->open(ctx, &state, size);
    if (status == SF_OK)
        status = codec->close(state, encode(f, codec, state, pixels), out);
    return sfi_output_close(out, status);
}

sf_status sfi_film_write(const sfi_film *f, const char *path)
{
    cairo_surface_t *s = f->canvas->surface;
    const sfi_movie_size size = {cairo_image_surface_get_width(s),
                                 cairo_image_surface_get_height(s), f->seconds};
    const size_t count = (size_t)size.width * (size_t)size.height;
    uint32_t *pixels = sfi_alloc(f->canvas->ctx, count, sizeof *pixels);
    if (pixels == NULL)
        return SF_E_NOMEM;
    const sf_status status = write_frames(f, path, size, pixels);
    sfi_free(f->canvas->ctx, pixels, count, sizeof *pixels);
    return status;
}
