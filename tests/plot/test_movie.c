/* SPDX-License-Identifier: Apache-2.0 */
#include "io/io_check.h"

#include <gif_lib.h>

#include "base/random.h"
#include "plot/movie.h"

enum { WIDTH = 40, HEIGHT = 30, FRAMES = 3 };

static uint32_t frame[FRAMES][WIDTH * HEIGHT];

/* Flat ground, a gradient of 100 colours, and a square that moves: fewer
 * colours than a palette holds, all in different bins, so a GIF keeps them. */
static void draw_frames(void)
{
    for (int k = 0; k < FRAMES; k++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                uint32_t *p = &frame[k][y * WIDTH + x];
                *p = 0xFFFFFF;
                if (y < 10)
                    *p = (uint32_t)(4 * x + 4) << 16 | 0x1000u |
                         (uint32_t)(8 * (y / 4));
                if (y >= 20 && x / 5 == 2 * k + 1)
                    *p = 0xD55E00;
            }
}

static sf_status encode(sf_context *ctx, const sfi_codec *codec,
                        sfi_output *out)
{
    const sfi_movie_size size = {WIDTH, HEIGHT, 0.1};
    void *state = NULL;
    SFI_TRY(codec->open(ctx, &state, size));
    sf_status status = SF_OK;
    for (int k = 0; k < FRAMES && status == SF_OK; k++)
        if (codec->learn != NULL)
            status = codec->learn(state, frame[k]);
    for (int k = 0; k < FRAMES && status == SF_OK; k++)
        status = codec->add(state, frame[k]);
    return codec->close(state, status, out);
}

static sf_status to_file(sf_context *ctx, const sfi_codec *codec,
                         const char *path)
{
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    return sfi_output_close(out, encode(ctx, codec, out));
}

/* Draw a saved image over what is shown, transparent pixels left out. */
static void put_image(const GifFileType *gif, int k, uint32_t *shown)
{
    const SavedImage *image = &gif->SavedImages[k];
    GraphicsControlBlock control;
    assert_int_equal(
        DGifSavedExtensionToGCB((GifFileType *)(uintptr_t)gif, k, &control),
        GIF_OK);
    assert_int_equal(control.DelayTime, 10);
    const GifImageDesc d = image->ImageDesc;
    for (int y = 0; y < d.Height; y++)
        for (int x = 0; x < d.Width; x++) {
            const int index = image->RasterBits[y * d.Width + x];
            if (index == control.TransparentColor)
                continue;
            const GifColorType c = gif->SColorMap->Colors[index];
            shown[(d.Top + y) * WIDTH + d.Left + x] =
                (uint32_t)c.Red << 16 | (uint32_t)c.Green << 8 | c.Blue;
        }
}

/* giflib reads back every frame exactly, frames after the first are smaller
 * than the picture, and the file asks to be repeated for ever. */
TEST(a_gif_holds_the_frames)
{
    sf_context *ctx = new_context();
    draw_frames();
    const char *path = in_folder("a.gif");
    CHECK_OK(ctx, to_file(ctx, &sfi_gif, path));
    int error = 0;
    GifFileType *gif = DGifOpenFileName(path, &error);
    CHECK(gif != NULL);
    assert_int_equal(DGifSlurp(gif), GIF_OK);
    assert_int_equal(gif->SWidth, WIDTH);
    assert_int_equal(gif->SHeight, HEIGHT);
    assert_int_equal(gif->ImageCount, FRAMES);
    static uint32_t shown[WIDTH * HEIGHT];
    for (int k = 0; k < FRAMES; k++) {
        put_image(gif, k, shown);
        assert_memory_equal(shown, frame[k], sizeof shown);
    }
    /* Frame 1 differs from frame 0 in columns 5 to 19 of rows 20 to 29. */
    const GifImageDesc d = gif->SavedImages[1].ImageDesc;
    assert_int_equal(d.Left, 5);
    assert_int_equal(d.Top, 20);
    assert_int_equal(d.Width, 15);
    assert_int_equal(d.Height, 10);
    DGifCloseFile(gif, &error);
    size_t size = 0;
    char *bytes = get_file(path, &size);
    CHECK(size > 300 && memcmp(bytes, "GIF89a", 6) == 0);
    bool repeats = false;
    for (size_t i = 0; i + 16 < size; i++)
        repeats = repeats ||
                  memcmp(bytes + i, "NETSCAPE2.0\x03\x01\x00\x00", 15) == 0;
    CHECK(repeats);
    free(bytes);
    sf_context_free(ctx);
}

/* A frame that shows nothing new is one pixel. */
TEST(a_still_frame_is_small)
{
    sf_context *ctx = new_context();
    draw_frames();
    for (int k = 1; k < FRAMES; k++)
        memcpy(frame[k], frame[0], sizeof frame[0]);
    const char *path = in_folder("still.gif");
    CHECK_OK(ctx, to_file(ctx, &sfi_gif, path));
    int error = 0;
    GifFileType *gif = DGifOpenFileName(path, &error);
    CHECK(gif != NULL);
    assert_int_equal(DGifSlurp(gif), GIF_OK);
    assert_int_equal(gif->SavedImages[2].ImageDesc.Width, 1);
    assert_int_equal(gif->SavedImages[2].ImageDesc.Height, 1);
    DGifCloseFile(gif, &error);
    sf_context_free(ctx);
}

static uint32_t little(const char *p, int bytes)
{
    uint32_t value = 0;
    for (int k = bytes - 1; k >= 0; k--)
        value = value << 8 | (unsigned char)p[k];
    return value;
}

/* RIFF, "WEBP", VP8X (canvas size less one at offset 4), ANIM, one ANMF with a
 * duration at offset 12 for each frame: the WebP container specification. */
TEST(a_webp_has_its_chunks)
{
    sf_context *ctx = new_context();
    draw_frames();
    const char *path = in_folder("a.webp");
    CHECK_OK(ctx, to_file(ctx, &sfi_webp, path));
    size_t size = 0;
    char *bytes = get_file(path, &size);
    CHECK(size > 100);
    CHECK(memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0);
    assert_int_equal(little(bytes + 4, 4) + 8, size);
    int frames = 0, loops = -1;
    for (size_t at = 12; at + 8 <= size;) {
        const char *chunk = bytes + at;
        const size_t length = little(chunk + 4, 4);
        if (memcmp(chunk, "VP8X", 4) == 0) {
            assert_int_equal(little(chunk + 12, 3), WIDTH - 1);
            assert_int_equal(little(chunk + 15, 3), HEIGHT - 1);
        }
        if (memcmp(chunk, "ANIM", 4) == 0)
            loops = (int)little(chunk + 12, 2);
        if (memcmp(chunk, "ANMF", 4) == 0) {
            assert_int_equal(little(chunk + 8 + 12, 3), 100);
            frames++;
        }
        at += 8 + length + length % 2;
    }
    assert_int_equal(loops, 0);
    assert_int_equal(frames, FRAMES);
    free(bytes);
    sf_context_free(ctx);
}

/* 65536 colours become 200, each pixel close to its own: with 200 boxes in a
 * square of 256 x 256 a box is 18 wide, so no colour need be farther than
 * about twice that from its box's mean. */
TEST(many_colours_become_few)
{
    sf_context *ctx = new_context();
    sfi_colours c;
    CHECK_OK(ctx, sfi_colours_new(ctx, &c));
    uint32_t row[256];
    for (uint32_t g = 0; g < 256; g++) {
        for (uint32_t r = 0; r < 256; r++)
            row[r] = r << 16 | g << 8 | 0x80;
        sfi_colours_count(&c, row, 256);
    }
    CHECK_OK(ctx, sfi_colours_choose(&c, 200));
    assert_int_equal(c.count, 200);
    for (uint32_t g = 0; g < 256; g += 5)
        for (uint32_t r = 0; r < 256; r += 5) {
            const int k = sfi_colours_nearest(&c, r << 16 | g << 8 | 0x80);
            CHECK(hypot((double)r - c.rgb[k][0], (double)g - c.rgb[k][1]) <
                  36.0);
            assert_int_equal(c.rgb[k][2], 0x80);
        }
    sfi_colours_free(&c);
    CHECK_OK(ctx, sfi_colours_new(ctx, &c));
    const uint32_t one = 0x123456;
    sfi_colours_count(&c, &one, 1);
    CHECK_OK(ctx, sfi_colours_choose(&c, 200));
    assert_int_equal(c.count, 1);
    assert_int_equal(c.rgb[0][1], 0x34);
    sfi_colours_free(&c);
    sf_context_free(ctx);
}

static sf_status work(sf_context *ctx, void *user)
{
    return to_file(ctx, user, in_folder("x.bin"));
}

TEST(every_allocation_may_fail)
{
    draw_frames();
    check_every_allocation(work, (void *)(uintptr_t)&sfi_gif);
    check_every_allocation(work, (void *)(uintptr_t)&sfi_webp);
    assert_int_equal(count_files(), 1);
}

IO_TESTS(IO_CASE(a_gif_holds_the_frames), IO_CASE(a_still_frame_is_small),
         IO_CASE(a_webp_has_its_chunks), IO_CASE(many_colours_become_few),
         IO_CASE(every_allocation_may_fail))
