/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that gzip made smaller: as they were, or an error that says why not. */
#include "tables_check.h"

#include <zlib.h>

/* Compress with zlib itself; returns the size. */
static size_t compress_into(unsigned char *to, size_t room, const void *from,
                            size_t size)
{
    z_stream z = {0};
    CHECK(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)from;
    z.avail_in = (uInt)size;
    z.next_out = to;
    z.avail_out = (uInt)room;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    const size_t made = room - z.avail_out;
    deflateEnd(&z);
    return made;
}

static const char text[] = "x,k\n1,a\n2,\"b\nc\"\n3,a\n";
static const char holds[] = "x k|1 a|2 b\nc|3 a";

TEST(a_compressed_table_is_the_table)
{
    (void)state_;
    unsigned char bytes[400];
    const size_t size =
        compress_into(bytes, sizeof bytes, text, sizeof text - 1);
    check_reads(".csv", (const char *)bytes, size, NULL, holds, NULL);
    check_reads(".csv.gz", (const char *)bytes, size, NULL, holds, NULL);
    /* Members one after another, and zeros to fill a block. */
    size_t n = compress_into(bytes, sizeof bytes, text, 10);
    n += compress_into(bytes + n, sizeof bytes - n, text + 10,
                       sizeof text - 1 - 10);
    memset(bytes + n, 0, 16);
    check_reads(".csv", (const char *)bytes, n + 16, NULL, holds, NULL);
}

static void check_broken(const unsigned char *bytes, size_t size,
                         const sf_read_options *options, const char *message)
{
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_FAILS(ctx, read_bytes(ctx, &t, ".csv", bytes, size, 0, options),
                SF_E_FORMAT, message);
    sf_context_free(ctx);
}

TEST(what_is_cut_off_or_changed_is_noticed)
{
    (void)state_;
    unsigned char bytes[400];
    const size_t size =
        compress_into(bytes, sizeof bytes, text, sizeof text - 1);
    for (size_t n = 2; n < size; n++)
        check_broken(bytes, n, NULL,
                     "<memory>: ends within what gzip wrote; the file was cut "
                     "off");
    bytes[size - 5] ^= 1; /* the check sum */
    check_broken(bytes, size, NULL, "<memory>: is broken where gzip wrote it");
    bytes[size - 5] ^= 1;
    bytes[size] = 'x';
    check_broken(bytes, size + 1, NULL, "ends within what gzip wrote");
}

/* 300 kB of compressed blanks are 300 MB. */
TEST(what_expands_without_end_has_an_end)
{
    (void)state_;
    enum { SIZE = 1 << 22 };
    static unsigned char bytes[1 << 16];
    char *blanks = malloc(SIZE);
    CHECK(blanks != NULL);
    memset(blanks, ' ', SIZE);
    memcpy(blanks, "x\n", 2);
    for (int i = 2; i < SIZE; i += 2)
        memcpy(blanks + i, "1\n", 2);
    const size_t size = compress_into(bytes, sizeof bytes, blanks, SIZE);
    free(blanks);
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.max_bytes = 1 << 20;
    check_broken(bytes, size, &o,
                 "<memory>: expands to more than 1048576 bytes; if that is "
                 "meant, expand it with gunzip first");
    o.max_bytes = SIZE;
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_OK(ctx, read_bytes(ctx, &t, ".csv", bytes, size, 0, &o));
    CHECK(t.rows == SIZE / 2 - 1);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(a_compressed_array_is_refused_with_its_cure)
{
    (void)state_;
    unsigned char bytes[400];
    sf_context *ctx = new_context();
    sf_table t;
    const size_t size =
        compress_into(bytes, sizeof bytes, text, sizeof text - 1);
    put_file(in_folder("a.npy"), bytes, size);
    CHECK_FAILS(ctx, sf_table_read(ctx, &t, in_folder("a.npy")), SF_E_FORMAT,
                "a.npy: compressed by gzip; expand it with gunzip");
    put_file(in_folder("b.npy"), "PK\x03\x04 and so on", 14);
    CHECK_FAILS(ctx, sf_table_read(ctx, &t, in_folder("b.npy")), SF_E_FORMAT,
                "b.npy: a zip archive (.npz), which holds several arrays");
    CHECK_FAILS(ctx, sf_table_read(ctx, &t, "a.npz"), SF_E_ARG,
                "an archive holds several: take one out of it");
    sf_context_free(ctx);
}

static sf_status read_compressed(sf_context *ctx, void *user)
{
    unsigned char bytes[400];
    (void)user;
    sf_table t;
    const size_t size =
        compress_into(bytes, sizeof bytes, text, sizeof text - 1);
    const sf_status status = read_bytes(ctx, &t, ".csv", bytes, size, 3, NULL);
    sf_table_free(ctx, &t);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    check_every_allocation(read_compressed, NULL);
}

IO_TESTS(IO_CASE(a_compressed_table_is_the_table),
         IO_CASE(what_is_cut_off_or_changed_is_noticed),
         IO_CASE(what_expands_without_end_has_an_end),
         IO_CASE(a_compressed_array_is_refused_with_its_cure),
         IO_CASE(every_allocation_may_fail))
