/* SPDX-License-Identifier: Apache-2.0 */
/* ini.c - a line at a time, into the assignment that is open.
 *
 * A line without blanks in front closes it, and so does every semicolon.  Until then
 * its parts are collected in `text`, each with the place where it stood, so that a
 * message about any byte of a value can name a line and a column. */
#include "io/ini.h"

#include "base/dictionary.h"
#include "base/growing.h"
#include "base/text.h"
#include "io/input.h"

#include <stdio.h>
#include <string.h>

enum { MOST_KEY = 256 };

/* What an entry owns. */
typedef struct ini_memory {
    char *text; /* key and value */
    size_t text_size;
    sfi_ini_place *places;
    size_t place_count;
} ini_memory;

struct sfi_ini {
    sf_context *ctx;
    char *name;
    sfi_ini_entry *entries;
    ini_memory *memory;
    size_t count, entry_capacity, memory_capacity;
    sfi_dictionary sections;
    sfi_dictionary
        keys; /* "section]key"; as many, and in the order, as entries */
};

typedef struct ini_reader {
    sfi_ini *ini;
    sf_context *ctx;
    int64_t line;
    int64_t section;       /* number in the dictionary, -1 before the first */
    bool is_open;          /* a line with blanks in front may follow        */
    sfi_growing text;      /* of the open assignment                       */
    sfi_ini_place *places; /* their offsets are in `text`             */
    size_t place_count, place_capacity;
} ini_reader;

/* ---- messages ------------------------------------------------------------------- */

static sf_status refuse(const ini_reader *r, int64_t line, int64_t column,
                        const char *what)
{
    return SFI_FAIL(r->ctx, SF_E_FORMAT, "%s:%lld:%lld: %s", r->ini->name,
                    (long long)line, (long long)column, what);
}

/* Characters: bytes but those that continue one. */
static int64_t characters(const char *text, size_t size)
{
    int64_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static sfi_ini_place locate(const char *text, const sfi_ini_place *places,
                            size_t count, size_t offset)
{
    size_t i = count - 1;
    while (i > 0 && places[i].offset > offset)
        i--;
    sfi_ini_place found = places[i];
    if (offset > found.offset)
        found.column += characters(text + found.offset, offset - found.offset);
    found.offset = offset;
    return found;
}

static sf_status refuse_at(const ini_reader *r, size_t offset, const char *what)
{
    const sfi_ini_place at =
        locate(r->text.text, r->places, r->place_count, offset);
    return refuse(r, at.line, at.column, what);
}

/* ---- one assignment --------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c != '\0' && strchr("_-+.", c) != NULL);
}

/* Copy text[from..to-1] with one blank between words; -1, or the offset of what may
 * not be in a name. */
static int64_t copy_name(char *name, const char *text, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        if (is_blank(text[i])) {
            if (n > 0 && name[n - 1] != ' ')
                name[n++] = ' ';
        } else if (is_word(text[i])) {
            name[n++] = text[i];
        } else {
            return (int64_t)i;
        }
    }
    while (n > 0 && name[n - 1] == ' ')
        n--;
    name[n] = '\0';
    return -1;
}

/* The texts of an entry: the key, and the value from `start` of the open assignment
 * on. */
static sf_status keep_texts(ini_reader *r, ini_memory *m, const char *key,
                            size_t start)
{
    const size_t key_size = strlen(key) + 1, size = r->text.size - start;
    size_t first = 0; /* the place where the value begins */
    while (first + 1 < r->place_count && r->places[first + 1].offset <= start)
        first++;
    *m = (ini_memory){.text_size = key_size + size + 1,
                      .place_count = r->place_count - first};
    m->text = sfi_alloc(r->ctx, m->text_size, 1);
    m->places = sfi_alloc(r->ctx, m->place_count, sizeof *m->places);
    if (m->text == NULL || m->places == NULL) {
        sfi_free(r->ctx, m->text, m->text_size, 1);
        sfi_free(r->ctx, m->places, m->place_count, sizeof *m->places);
        return SF_E_NOMEM;
    }
    memcpy(m->text, key, key_size);
    memcpy(m->text + key_size, r->text.text + start, size);
    m->text[key_size + size] = '\0';
    m->places[0] = locate(r->text.text, r->places, r->place_count, start);
    m->places[0].offset = 0;
    for (size_t i = 1; i < m->place_count; i++) {
        m->places[i] = r->places[first + i];
        m->places[i].offset -= start;
    }
    return SF_OK;
}

static sf_status keep_entry(ini_reader *r, const char *key, size_t start)
{
    sfi_ini *const ini = r->ini;
    if (ini->count == SFI_INI_MOST_ENTRIES)
        return refuse_at(r, 0, "more than 65536 assignments");
    char full[2 * MOST_KEY + 2];
    int64_t number = 0;
    snprintf(full, sizeof full, "%s]%s", ini->sections.texts[r->section], key);
    SFI_TRY(sfi_dictionary_number(r->ctx, &ini->keys, full, &number));
    if (number < (int64_t)ini->count) {
        const sfi_ini_place at = r->places[0];
        return SFI_FAIL(
            r->ctx, SF_E_FORMAT,
            "%s:%lld:%lld: \"%s\" has a value already, of line %lld", ini->name,
            (long long)at.line, (long long)at.column, key,
            (long long)ini->entries[number].line);
    }
    void *grown = sfi_grow(r->ctx, ini->entries, &ini->entry_capacity,
                           ini->count + 1, sizeof *ini->entries);
    if (grown == NULL)
        return SF_E_NOMEM;
    ini->entries = grown;
    grown = sfi_grow(r->ctx, ini->memory, &ini->memory_capacity, ini->count + 1,
                     sizeof *ini->memory);
    if (grown == NULL)
        return SF_E_NOMEM;
    ini->memory = grown;
    ini_memory *const m = &ini->memory[ini->count];
    SFI_TRY(keep_texts(r, m, key, start));
    const sfi_ini_place at = r->places[0];
    ini->entries[ini->count++] =
        (sfi_ini_entry){.section = ini->sections.texts[r->section],
                        .key = m->text,
                        .value = m->text + strlen(m->text) + 1,
                        .size = r->text.size - start,
                        .line = at.line,
                        .column = at.column,
                        .places = m->places,
                        .place_count = m->place_count};
    return SF_OK;
}

/* Close the open assignment; nothing is one too, as between two semicolons. */
static sf_status close_assignment(ini_reader *r)
{
    if (r->text.size == 0)
        return SF_OK;
    const char *const sign = memchr(r->text.text, '=', r->text.size);
    if (sign == NULL)
        return refuse_at(r, 0, "want KEY = VALUE");
    const size_t equals = (size_t)(sign - r->text.text);
    if (equals == 0)
        return refuse_at(r, 0, "a key is missing before \"=\"");
    if (equals >= MOST_KEY)
        return refuse_at(r, 0, "a key is longer than 255 bytes");
    char key[MOST_KEY];
    const int64_t bad = copy_name(key, r->text.text, 0, equals);
    if (bad >= 0)
        return refuse_at(r, (size_t)bad,
                         "a key has letters, digits, blanks and _ - + .");
    size_t start = equals + 1;
    while (start < r->text.size && is_blank(r->text.text[start]))
        start++;
    if (start == r->text.size)
        return refuse_at(r, equals, "no value after \"=\"");
    if (r->section < 0)
        return refuse_at(r, 0, "an assignment before the first [section]");
    return keep_entry(r, key, start);
}

/* Add what stands at a column of the line to the open assignment. */
static sf_status append(ini_reader *r, const char *text, size_t size,
                        int64_t column)
{
    const bool is_first = r->text.size == 0;
    if (r->text.size + size + 1 > SFI_INI_MOST_VALUE)
        return refuse(r, r->line, column,
                      "an assignment is longer than 65536 bytes");
    sfi_ini_place *const grown =
        sfi_grow(r->ctx, r->places, &r->place_capacity, r->place_count + 1,
                 sizeof *r->places);
    if (grown == NULL)
        return SF_E_NOMEM;
    r->places = grown;
    if (!is_first)
        SFI_TRY(sfi_growing_put(r->ctx, &r->text, " "));
    r->places[r->place_count++] =
        (sfi_ini_place){r->text.size, r->line, column};
    return sfi_growing_add(r->ctx, &r->text, text, size);
}

/* ---- lines ------------------------------------------------------------------------ */

static sf_status open_section(ini_reader *r, const char *text, size_t size)
{
    while (size > 0 && is_blank(text[size - 1]))
        size--;
    const char *const end = memchr(text, ']', size);
    if (end == NULL)
        return refuse(r, r->line, 1, "a section's name ends in \"]\"");
    const size_t length = (size_t)(end - text);
    if (length + 1 < size)
        return refuse(r, r->line, 1 + characters(text, length + 1),
                      "a section stands on a line of its own");
    char name[MOST_KEY];
    if (length >= MOST_KEY)
        return refuse(r, r->line, 1,
                      "a section's name is longer than 255 bytes");
    const int64_t bad = copy_name(name, text, 1, length);
    if (bad >= 0)
        return refuse(
            r, r->line, 1 + characters(text, (size_t)bad),
            "a section's name has letters, digits, blanks and _ - + .");
    if (name[0] == '\0')
        return refuse(r, r->line, 1, "a section has no name");
    r->is_open = false;
    return sfi_dictionary_number(r->ctx, &r->ini->sections, name, &r->section);
}

static void begin_assignment(ini_reader *r)
{
    r->text.size = r->place_count = 0;
    r->is_open = true;
}

static sf_status read_assignments(ini_reader *r, const char *text, size_t size)
{
    size_t at = 0;
    for (;;) {
        while (at < size && is_blank(text[at]))
            at++;
        const char *const stop = memchr(text + at, ';', size - at);
        const size_t next = stop != NULL ? (size_t)(stop - text) : size;
        size_t end = next;
        while (end > at && is_blank(text[end - 1]))
            end--;
        if (end > at)
            SFI_TRY(append(r, text + at, end - at, 1 + characters(text, at)));
        if (stop == NULL)
            return SF_OK;
        SFI_TRY(close_assignment(r));
        begin_assignment(r);
        at = next + 1;
    }
}

static sf_status read_line(ini_reader *r, const char *text, size_t size)
{
    if (size > 0 && text[size - 1] == '\r')
        size--;
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') ||
            text[i] == 0x7f)
            return refuse(r, r->line, 1 + characters(text, i),
                          "a control character");
    const char *const comment = memchr(text, '#', size);
    if (comment != NULL)
        size = (size_t)(comment - text);
    size_t first = 0;
    while (first < size && is_blank(text[first]))
        first++;
    if (first == size)
        return SF_OK;
    if (first == 0) {
        SFI_TRY(close_assignment(r));
        begin_assignment(r);
        if (text[0] == '[')
            return open_section(r, text, size);
    } else if (!r->is_open) {
        return refuse(r, r->line, 1 + (int64_t)first,
                      "a line with blanks in front continues an assignment, "
                      "and there is none");
    }
    return read_assignments(r, text, size);
}

static sf_status read_lines(ini_reader *r, const char *text, size_t size)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t good = sfi_utf8_prefix(text, size);
    const size_t skip = size >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    for (size_t at = skip; at < size;) {
        const char *const stop = memchr(text + at, '\n', size - at);
        const size_t end = stop != NULL ? (size_t)(stop - text) : size;
        r->line++;
        if (good < end)
            return refuse(r, r->line, 1 + characters(text + at, good - at),
                          "a byte that is not UTF-8");
        SFI_TRY(read_line(r, text + at, end - at));
        at = end + 1;
    }
    return close_assignment(r);
}

/* ---- all --------------------------------------------------------------------------- */

sf_status sfi_ini_read_bytes(sf_context *ctx, sfi_ini **out, const char *name,
                             const void *bytes, size_t size)
{
    *out = NULL;
    if (size > SFI_INI_MOST_BYTES)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: has more than %d bytes", name,
                        SFI_INI_MOST_BYTES);
    sfi_ini *ini = sfi_alloc_zero(ctx, 1, sizeof *ini);
    if (ini == NULL)
        return SF_E_NOMEM;
    ini->ctx = ctx;
    ini->name = sfi_copy_text(ctx, name);
    ini_reader r = {.ini = ini, .ctx = ctx, .section = -1};
    const sf_status status =
        ini->name != NULL ? read_lines(&r, bytes, size) : SF_E_NOMEM;
    sfi_growing_free(ctx, &r.text);
    sfi_free(ctx, r.places, r.place_capacity, sizeof *r.places);
    if (status != SF_OK) {
        sfi_ini_free(ini);
        return status;
    }
    *out = ini;
    return SF_OK;
}

/* All that is left of an input, to one byte more than a text may have. */
static sf_status read_all(sf_context *ctx, sfi_input *input, char **bytes,
                          size_t *capacity, size_t *size)
{
    size_t got = 1;
    while (got > 0 && *size <= SFI_INI_MOST_BYTES) {
        char *const grown =
            sfi_grow(ctx, *bytes, capacity, *size + SFI_INI_MOST_VALUE, 1);
        if (grown == NULL)
            return SF_E_NOMEM;
        *bytes = grown;
        SFI_TRY(sfi_input_read(input, grown + *size, SFI_INI_MOST_VALUE, &got));
        *size += got;
    }
    return SF_OK;
}

sf_status sfi_ini_read(sf_context *ctx, sfi_ini **out, const char *path)
{
    *out = NULL;
    sfi_input *input = NULL;
    SFI_TRY(sfi_input_open(ctx, &input, path));
    char *bytes = NULL;
    size_t capacity = 0, size = 0;
    sf_status status = read_all(ctx, input, &bytes, &capacity, &size);
    if (status == SF_OK)
        status =
            sfi_ini_read_bytes(ctx, out, sfi_input_name(input), bytes, size);
    sfi_free(ctx, bytes, capacity, 1);
    sfi_input_close(input);
    return status;
}

void sfi_ini_free(sfi_ini *ini)
{
    if (ini == NULL)
        return;
    sf_context *const ctx = ini->ctx;
    for (size_t i = 0; i < ini->count; i++) {
        const ini_memory *const m = &ini->memory[i];
        sfi_free(ctx, m->text, m->text_size, 1);
        sfi_free(ctx, m->places, m->place_count, sizeof *m->places);
    }
    sfi_free(ctx, ini->entries, ini->entry_capacity, sizeof *ini->entries);
    sfi_free(ctx, ini->memory, ini->memory_capacity, sizeof *ini->memory);
    sfi_dictionary_free(ctx, &ini->sections);
    sfi_dictionary_free(ctx, &ini->keys);
    sfi_free_text(ctx, ini->name);
    sfi_free(ctx, ini, 1, sizeof *ini);
}

size_t sfi_ini_count(const sfi_ini *ini)
{
    return ini->count;
}

const sfi_ini_entry *sfi_ini_entry_at(const sfi_ini *ini, size_t index)
{
    return &ini->entries[index];
}

const sfi_ini_entry *sfi_ini_find(const sfi_ini *ini, const char *section,
                                  const char *key)
{
    char full[2 * MOST_KEY + 2];
    const int size = snprintf(full, sizeof full, "%s]%s", section, key);
    if (size < 0 || (size_t)size >= sizeof full)
        return NULL;
    const int64_t number = sfi_dictionary_find(&ini->keys, full, (size_t)size);
    return number >= 0 ? &ini->entries[number] : NULL;
}

sfi_ini_place sfi_ini_locate(const sfi_ini_entry *entry, size_t offset)
{
    return locate(entry->value, entry->places, entry->place_count, offset);
}

void sfi_ini_blame(const sfi_ini *ini, const sfi_ini_entry *entry,
                   size_t offset)
{
    const sfi_ini_place at = sfi_ini_locate(entry, offset);
    sfi_message_prefix(ini->ctx, "%s:%lld:%lld: ", ini->name,
                       (long long)at.line, (long long)at.column);
}
