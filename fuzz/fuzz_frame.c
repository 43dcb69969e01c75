/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_frame.c - text tables from anyone, read as anyone says: the first bytes are
 * the options.  A frame in memory and one that passes by must know the same, and
 * complete rows must be complete and know their lines. */
#include "fuzz.h"

#include "table/frame.h"

#include <unistd.h>

enum { CHOICES = 6 };

/* Options from the first bytes. */
static sf_read_options choose(const uint8_t *data)
{
    static const char *const seps[] = {NULL, ",", ";", "tab", "blank", "|"};
    static const char *const comments[] = {NULL, "", "#", "%"};
    static const char *const words[] = {NULL, "", "-9", "a,b,none"};
    static const char *const kinds[] = {NULL, "a=category", "a=real; b=date",
                                        "c0,c1=category"};
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.sep = seps[data[0] % SFI_COUNT(seps)];
    o.header = (sf_header)(data[1] % 3);
    o.comment = comments[data[2] % SFI_COUNT(comments)];
    o.na = words[data[3] % SFI_COUNT(words)];
    o.decimal = data[4] % 3 == 0 ? "," : NULL;
    o.kinds = kinds[data[5] % SFI_COUNT(kinds)];
    o.max_bytes = 1 << 20;
    return o;
}

/* Frames are read from files; one in memory has a name as well. */
static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    REQUIRE(f != NULL);
    REQUIRE(fwrite(data, 1, size, f) == size);
    REQUIRE(fclose(f) == 0);
}

static void require_same(sf_context *ctx, const sf_frame *a, const sf_frame *b)
{
    REQUIRE(sf_frame_rows(a) == sf_frame_rows(b));
    REQUIRE(sf_frame_cols(a) == sf_frame_cols(b));
    for (int64_t j = 0; j < sf_frame_cols(a); j++) {
        sf_frame_summary x = SF_FRAME_SUMMARY_INIT, y = SF_FRAME_SUMMARY_INIT;
        REQUIRE(strcmp(sf_frame_name(a, j), sf_frame_name(b, j)) == 0);
        REQUIRE(sf_frame_find(a, sf_frame_name(a, j)) == j);
        REQUIRE(sf_frame_kind(a, j) == sf_frame_kind(b, j));
        REQUIRE(sf_frame_level_count(a, j) == sf_frame_level_count(b, j));
        REQUIRE(sf_frame_is_constant(a, j) == sf_frame_is_constant(b, j));
        REQUIRE(sf_frame_summarise(ctx, &x, a, j) == SF_OK);
        REQUIRE(sf_frame_summarise(ctx, &y, b, j) == SF_OK);
        REQUIRE(x.present == y.present && x.missing == y.missing);
        REQUIRE(same_cells(&x.min, &y.min, 1) && same_cells(&x.max, &y.max, 1));
    }
}

/* Rows of a reader are those of the frame. */
static void check_reader(sf_context *ctx, const sf_frame *a, const sf_frame *b)
{
    const int64_t cols = sf_frame_cols(a);
    sf_frame_reader *r = NULL;
    double *block = sfi_alloc(ctx, 3 * (size_t)cols, sizeof *block);
    int64_t row = 0, got = 0;
    REQUIRE(block != NULL);
    REQUIRE(sf_frame_reader_new(ctx, &r, b, false) == SF_OK);
    while ((got = sf_frame_reader_next(r, block, 3)) > 0)
        for (int64_t i = 0; i < got; i++, row++)
            for (int64_t j = 0; j < cols; j++) {
                const double cell = sf_frame_cell(a, row, j);
                REQUIRE(same_cells(&block[i * cols + j], &cell, 1));
            }
    REQUIRE(got == 0 && row == sf_frame_rows(a));
    sf_frame_reader_free(r);
    sfi_free(ctx, block, 3 * (size_t)cols, sizeof *block);
}

static void check_views(sf_context *ctx, const sf_frame *f)
{
    sf_frame *whole = NULL, *part = NULL, *others = NULL;
    sf_cmat x;
    if (sf_frame_complete(ctx, &whole, f) != SF_OK)
        return;
    REQUIRE(sf_frame_matrix(ctx, whole, &x) == SF_OK);
    int64_t line = 0;
    for (int64_t i = 0; i < x.rows; i++) {
        for (int64_t j = 0; j < x.cols; j++)
            REQUIRE(!isnan(x.data[i * x.stride + j]));
        REQUIRE(sf_frame_line(whole, i) > line);
        line = sf_frame_line(whole, i);
    }
    REQUIRE(sf_frame_split(ctx, &part, &others, whole, 0.3, 1) == SF_OK);
    REQUIRE(sf_frame_rows(part) + sf_frame_rows(others) == x.rows);
    sf_frame_free(part);
    sf_frame_free(others);
    sf_frame_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sf_frame *a = NULL, *b = NULL;
    char path[64];
    if (size < CHOICES)
        return 0;
    const sf_read_options o = choose(data);
    snprintf(path, sizeof path, "/tmp/fuzz_frame_%ld.csv", (long)getpid());
    write_file(path, data + CHOICES, size - CHOICES);
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    const sf_status first = sf_frame_read(ctx, &a, path, &o);
    const sf_status second = sf_frame_open(ctx, &b, path, &o);
    REQUIRE(first == second);
    REQUIRE((first == SF_OK) == (a != NULL) && (a != NULL) == (b != NULL));
    if (first == SF_OK) {
        require_same(ctx, a, b);
        check_reader(ctx, a, b);
        check_views(ctx, a);
    }
    sf_frame_free(a);
    sf_frame_free(b);
    sf_context_free(ctx);
    remove(path);
    return 0;
}
