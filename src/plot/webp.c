/* SPDX-License-Identifier: Apache-2.0 */
/* webp.c - animations as WebP, by libwebp's animation encoder, which finds the
 * changed rectangles itself.  Lossy: walkers with fading tails take three times
 * as many bytes without loss (3.9 MB for 60 frames of 480 x 480, 1.3 MB at
 * quality 88); a sharp colour conversion keeps thin lines from fraying. */
#include "plot/movie.h"

#include <math.h>
#include <string.h>

#include <webp/encode.h>
#include <webp/mux.h>

typedef struct movie {
    sf_context *ctx;
    sfi_movie_size size;
    WebPAnimEncoder *encoder;
    WebPConfig config;
    uint8_t *rgb; /* one frame */
    int64_t frames;
} movie;

static size_t frame_bytes(const movie *m)
{
    return 3 * (size_t)m->size.width * (size_t)m->size.height;
}

/* Milliseconds at which a frame begins. */
static int time_of(const movie *m, int64_t frame)
{
    return (int)floor(1000.0 * m->size.seconds * (double)frame + 0.5);
}

static sf_status failed(movie *m, const char *cause)
{
    return SFI_FAIL(m->ctx, SF_E_INTERNAL, "plot: libwebp: %s", cause);
}

static sf_status webp_close(void *state, sf_status status, sfi_output *out)
{
    movie *m = state;
    WebPData data;
    WebPDataInit(&data);
    if (status == SF_OK) {
        if (!WebPAnimEncoderAdd(m->encoder, NULL, time_of(m, m->frames),
                                NULL) ||
            !WebPAnimEncoderAssemble(m->encoder, &data))
            status = failed(m, WebPAnimEncoderGetError(m->encoder));
        else
            status = sfi_output_write(out, data.bytes, data.size);
    }
    WebPDataClear(&data);
    if (m->encoder != NULL)
        WebPAnimEncoderDelete(m->encoder);
    sfi_free(m->ctx, m->rgb, frame_bytes(m), 1);
    sfi_free(m->ctx, m, 1, sizeof *m);
    return status;
}

static sf_status webp_open(sf_context *ctx, void **state, sfi_movie_size size)
{
    *state = NULL;
    movie *m = sfi_alloc_zero(ctx, 1, sizeof *m);
    if (m == NULL)
        return SF_E_NOMEM;
    m->ctx = ctx;
    m->size = size;
    m->rgb = sfi_alloc(ctx, frame_bytes(m), 1);
    sf_status status = m->rgb != NULL ? SF_OK : SF_E_NOMEM;
    WebPAnimEncoderOptions options;
    if (status == SF_OK &&
        (!WebPAnimEncoderOptionsInit(&options) || !WebPConfigInit(&m->config)))
        status = failed(m, "the library's version is not the header's");
    if (status == SF_OK) {
        m->config.quality = 88.0f;
        m->config.method = 4;
        m->config.use_sharp_yuv = 1;
        options.anim_params.loop_count = 0; /* for ever */
        m->encoder = WebPAnimEncoderNew(size.width, size.height, &options);
        if (m->encoder == NULL)
            status = SFI_FAIL(ctx, SF_E_NOMEM, "plot: no memory for a WebP");
    }
    if (status != SF_OK)
        return webp_close(m, status, NULL);
    *state = m;
    return SF_OK;
}

static sf_status webp_add(void *state, const uint32_t *pixels)
{
    movie *m = state;
    const size_t count = (size_t)m->size.width * (size_t)m->size.height;
    for (size_t i = 0; i < count; i++) {
        m->rgb[3 * i] = (uint8_t)(pixels[i] >> 16);
        m->rgb[3 * i + 1] = (uint8_t)(pixels[i] >> 8);
        m->rgb[3 * i + 2] = (uint8_t)pixels[i];
    }
    WebPPicture picture;
    if (!WebPPictureInit(&picture))
        return failed(m, "the library's version is not the header's");
    picture.use_argb = 1;
    picture.width = m->size.width;
    picture.height = m->size.height;
    sf_status status = SF_OK;
    if (!WebPPictureImportRGB(&picture, m->rgb, 3 * m->size.width))
        status = SFI_FAIL(m->ctx, SF_E_NOMEM, "plot: no memory for a frame");
    else if (!WebPAnimEncoderAdd(m->encoder, &picture, time_of(m, m->frames),
                                 &m->config))
        status = failed(m, WebPAnimEncoderGetError(m->encoder));
    WebPPictureFree(&picture);
    m->frames++;
    return status;
}

const sfi_codec sfi_webp = {webp_open, NULL, webp_add, webp_close};
