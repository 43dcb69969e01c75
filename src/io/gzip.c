/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.c - what gzip made smaller, as it was.
 *
 * A file is one member or several, one after another, each with its own length
 * and CRC, which zlib checks; zeros may fill it up.  A megabyte can stand for a
 * gigabyte of blanks, so what comes out is counted and has a bound; nothing is
 * kept but zlib's window of 32 KiB and a piece of the input. */
#include "io/gzip.h"

#include <string.h>
#include <zlib.h>

enum { PIECE = 1 << 16, PREFIX = 64 };

struct sfi_gzip {
    sf_context *ctx;
    const char *name;
    sfi_read_fn read;
    void *user;
    int64_t most, given; /* bytes that come out */
    bool is_made;        /* `z` is to be ended */
    bool has_ended;
    z_stream z;
    unsigned char piece[PIECE];
};

/* zlib frees without the size, so it stands before the memory. */
static void *allocate(void *user, uInt items, uInt size)
{
    const size_t bytes = (size_t)items * size + PREFIX;
    unsigned char *p = sfi_alloc(user, bytes, 1);
    if (p == NULL)
        return NULL;
    memcpy(p, &bytes, sizeof bytes);
    return p + PREFIX;
}

static void release(void *user, void *pointer)
{
    unsigned char *p = (unsigned char *)pointer - PREFIX;
    size_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    sfi_free(user, p, bytes, 1);
}

bool sfi_gzip_begins(const void *bytes, size_t size)
{
    return size >= 2 && memcmp(bytes, "\x1F\x8B", 2) == 0;
}

sf_status sfi_gzip_new(sf_context *ctx, sfi_gzip **out, const char *name,
                       sfi_read_fn read, void *user, int64_t most)
{
    *out = NULL;
    sfi_gzip *g = sfi_alloc_zero(ctx, 1, sizeof *g);
    if (g == NULL)
        return SF_E_NOMEM;
    g->ctx = ctx;
    g->name = name;
    g->read = read;
    g->user = user;
    g->most = most;
    g->z.zalloc = allocate;
    g->z.zfree = release;
    g->z.opaque = ctx;
    /* 16: gzip's header and no other. */
    g->is_made = inflateInit2(&g->z, 15 + 16) == Z_OK;
    if (!g->is_made) {
        sfi_gzip_free(g);
        return SF_E_NOMEM;
    }
    *out = g;
    return SF_OK;
}

void sfi_gzip_free(sfi_gzip *g)
{
    if (g == NULL)
        return;
    if (g->is_made)
        inflateEnd(&g->z);
    sfi_free(g->ctx, g, 1, sizeof *g);
}

void sfi_gzip_rewind(sfi_gzip *g)
{
    inflateReset(&g->z);
    g->z.avail_in = 0;
    g->given = 0;
    g->has_ended = false;
}

/* Have input, unless there is none left. */
static sf_status refill(sfi_gzip *g)
{
    size_t got = 0;
    if (g->z.avail_in > 0)
        return SF_OK;
    SFI_TRY(g->read(g->user, g->piece, PIECE, &got));
    g->z.next_in = g->piece;
    g->z.avail_in = (uInt)got;
    return SF_OK;
}

/* Behind a member: another one, zeros, or nothing. */
static sf_status begin_member(sfi_gzip *g)
{
    SFI_TRY(refill(g));
    while (g->z.avail_in > 0 && *g->z.next_in == 0) {
        g->z.next_in++;
        g->z.avail_in--;
        SFI_TRY(refill(g));
    }
    if (g->z.avail_in == 0)
        g->has_ended = true;
    else
        inflateReset(&g->z);
    return SF_OK;
}

static sf_status expand(sfi_gzip *g)
{
    SFI_TRY(refill(g));
    if (g->z.avail_in == 0)
        return SFI_FAIL(g->ctx, SF_E_FORMAT,
                        "%s: ends within what gzip wrote; the file was cut off",
                        g->name);
    const int result = inflate(&g->z, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
        return begin_member(g);
    if (result == Z_MEM_ERROR)
        return SF_E_NOMEM;
    /* Z_BUF_ERROR: no step was possible, for want of input. */
    return result == Z_OK || result == Z_BUF_ERROR
               ? SF_OK
               : SFI_FAIL(g->ctx, SF_E_FORMAT,
                          "%s: is broken where gzip wrote it: %s", g->name,
                          g->z.msg != NULL ? g->z.msg : "a wrong check sum");
}

sf_status sfi_gzip_read(sfi_gzip *g, void *bytes, size_t want, size_t *got)
{
    *got = 0;
    while (*got < want && !g->has_ended) {
        const size_t portion = want - *got < PIECE ? want - *got : PIECE;
        g->z.next_out = (unsigned char *)bytes + *got;
        g->z.avail_out = (uInt)portion;
        SFI_TRY(expand(g));
        const size_t made = portion - g->z.avail_out;
        *got += made;
        g->given += (int64_t)made;
        if (g->given > g->most)
            return SFI_FAIL(g->ctx, SF_E_FORMAT,
                            "%s: expands to more than %lld bytes; if that is "
                            "meant, expand it with gunzip first",
                            g->name, (long long)g->most);
    }
    return SF_OK;
}
