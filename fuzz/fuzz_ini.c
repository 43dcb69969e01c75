/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ini.c - assignments from anyone.  What was read, written out plainly, is
 * read again as the same; and every place lies in the text, with the byte that the
 * value has there. */
#include "fuzz.h"

#include "io/ini.h"

/* The text from a line and column on, or NULL. */
static const char *find_place(const char *text, size_t size, sfi_ini_place at)
{
    const char *p = text, *const end = text + size;
    if (size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    for (int64_t line = 1; line < at.line; line++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p == NULL)
            return NULL;
        p++;
    }
    for (int64_t column = 1; column < at.column; column++) {
        do {
            if (p == end || *p == '\n')
                return NULL;
            p++;
        } while (p < end && (*p & 0xc0) == 0x80);
    }
    return p;
}

static void check_places(const sfi_ini_entry *e, const char *text, size_t size)
{
    REQUIRE(e->place_count > 0 && e->places[0].offset == 0);
    REQUIRE(strlen(e->value) == e->size && e->size > 0);
    for (size_t i = 0; i < e->place_count; i++) {
        const sfi_ini_place at = sfi_ini_locate(e, e->places[i].offset);
        const char *const there = find_place(text, size, at);
        REQUIRE(there != NULL && there < text + size);
        REQUIRE(*there == e->value[e->places[i].offset]);
    }
}

static char *write_plainly(const sfi_ini *ini, size_t *size)
{
    size_t room = 1;
    for (size_t i = 0; i < sfi_ini_count(ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(ini, i);
        room += strlen(e->section) + strlen(e->key) + e->size + 8;
    }
    char *text = malloc(room);
    REQUIRE(text != NULL);
    size_t at = 0;
    for (size_t i = 0; i < sfi_ini_count(ini); i++) {
        const sfi_ini_entry *e = sfi_ini_entry_at(ini, i);
        at += (size_t)snprintf(text + at, room - at, "[%s]\n%s=%s\n",
                               e->section, e->key, e->value);
    }
    *size = at;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sfi_ini *ini = NULL, *again = NULL;
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    if (sfi_ini_read_bytes(ctx, &ini, "<memory>", data, size) != SF_OK) {
        REQUIRE(ini == NULL);
        REQUIRE(strncmp(sf_context_message(ctx), "<memory>:", 9) == 0);
        sf_context_free(ctx);
        return 0;
    }
    size_t plain_size = 0;
    char *plain = write_plainly(ini, &plain_size);
    REQUIRE(sfi_ini_read_bytes(ctx, &again, "again", plain, plain_size) ==
            SF_OK);
    REQUIRE(sfi_ini_count(again) == sfi_ini_count(ini));
    for (size_t i = 0; i < sfi_ini_count(ini); i++) {
        const sfi_ini_entry *a = sfi_ini_entry_at(ini, i);
        const sfi_ini_entry *b = sfi_ini_entry_at(again, i);
        REQUIRE(strcmp(a->section, b->section) == 0);
        REQUIRE(strcmp(a->key, b->key) == 0 && strcmp(a->value, b->value) == 0);
        REQUIRE(sfi_ini_find(ini, a->section, a->key) == a);
        check_places(a, (const char *)data, size);
    }
    free(plain);
    sfi_ini_free(ini);
    sfi_ini_free(again);
    sf_context_free(ctx);
    return 0;
}
