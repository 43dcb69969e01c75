/* SPDX-License-Identifier: Apache-2.0 */
/* nested.c - regrid() within expressions becomes fields.
 *
 * The text is only looked at: names, quotes and parentheses.  What it means, and whether it
 * means anything, is said by who reads it. */
#include "calc/nested.h"

#include "calc/calculation.h"

#include <ctype.h>
#include <string.h>

enum { MOST_DEFINITIONS = SFI_CALC_MOST_OUTPUTS };

typedef struct nesting {
    sf_context *ctx;
    sfi_nested_fn make;
    void *user;
    bool found;
    int count; /* definitions so far */
    sfi_definition before[MOST_DEFINITIONS];
} nesting;

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* The length of what begins at text[0]: a text in quotes, a name or number, or one byte. */
static size_t token(const char *text, size_t size)
{
    size_t i = 1;
    if (text[0] == '"') {
        while (i < size && text[i] != '"')
            i++;
        return i < size ? i + 1 : i;
    }
    while (in_name(text[0]) && i < size && in_name(text[i]))
        i++;
    return i;
}

bool sfi_text_names(const char *text, const char *name)
{
    const size_t size = strlen(text), length = strlen(name);
    for (size_t i = 0; i < size;) {
        const size_t n = token(text + i, size - i);
        const bool in_quotes = text[i] == '"' && n >= 2;
        if (is_word(text + i, n, name) ||
            (in_quotes && n - 2 == length &&
             memcmp(text + i + 1, name, length) == 0))
            return true;
        i += n;
    }
    return false;
}

/* The length of a call that begins at text[0], its parentheses included; 0: it is none. */
static size_t call(const char *text, size_t size, const char *name)
{
    size_t i = token(text, size);
    int depth = 0;
    if (!is_word(text, i, name))
        return 0;
    while (i < size && isspace((unsigned char)text[i]))
        i++;
    if (i == size || text[i] != '(')
        return 0;
    while (i < size) {
        depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
        i += token(text + i, size - i);
        if (depth == 0)
            return i;
    }
    return 0; /* not closed: an error to be said by who reads it */
}

/* A text with the expressions of earlier definitions for their names. */
static sf_status inlined(const nesting *n, const char *text, size_t size,
                         int earlier, sfi_growing *out)
{
    for (size_t i = 0; i < size;) {
        const size_t length = token(text + i, size - i);
        int k = earlier - 1;
        while (k >= 0 && (n->before[k].name_length != length ||
                          memcmp(n->before[k].name, text + i, length) != 0))
            k--;
        if (k >= 0) {
            SFI_TRY(sfi_growing_put(n->ctx, out, "("));
            SFI_TRY(inlined(n, n->before[k].text, n->before[k].text_length, k,
                            out));
            SFI_TRY(sfi_growing_put(n->ctx, out, ")"));
        } else {
            SFI_TRY(sfi_growing_add(n->ctx, out, text + i, length));
        }
        i += length;
    }
    return SF_OK;
}

static sf_status make_field(nesting *n, const char *text, size_t size,
                            sfi_growing *out)
{
    sfi_growing name = {0}, definition = {0};
    sf_status status = sfi_growing_add(n->ctx, &name, text, size);
    for (size_t i = 0; status == SF_OK && i < size; i++)
        if (name.text[i] == '"')
            name.text[i] = '\'';
    if (status == SF_OK)
        status = sfi_growing_put(n->ctx, &definition, "regrid = ");
    if (status == SF_OK)
        status = inlined(n, text, size, n->count, &definition);
    if (status == SF_OK)
        status = n->make(n->user, name.text, definition.text);
    if (status == SF_OK)
        status = sfi_growing_put(n->ctx, out, "\"");
    if (status == SF_OK)
        status = sfi_growing_put(n->ctx, out, name.text);
    if (status == SF_OK)
        status = sfi_growing_put(n->ctx, out, "\"");
    sfi_growing_free(n->ctx, &name);
    sfi_growing_free(n->ctx, &definition);
    return status;
}

static sf_status replace(nesting *n, const char *text, size_t size,
                         bool is_whole, sfi_growing *out)
{
    for (size_t i = 0; i < size;) {
        const size_t length = call(text + i, size - i, "regrid");
        if (length > 0 && !(is_whole && i == 0 && length == size)) {
            n->found = true;
            SFI_TRY(make_field(n, text + i, length, out));
            i += length;
            continue;
        }
        const size_t step = token(text + i, size - i);
        SFI_TRY(sfi_growing_add(n->ctx, out, text + i, step));
        i += step;
    }
    return SF_OK;
}

/* Whether later definitions use this one. */
static sf_status is_used(const nesting *n, const sfi_definition *d,
                         const char *rest, bool *out)
{
    sfi_growing name = {0};
    SFI_TRY(sfi_growing_add(n->ctx, &name, d->name, d->name_length));
    *out = sfi_text_names(rest, name.text);
    sfi_growing_free(n->ctx, &name);
    return SF_OK;
}

sf_status sfi_nested_replace(sf_context *ctx, const char *list,
                             sfi_growing *out, sfi_nested_fn make, void *user,
                             bool *found)
{
    nesting n = {.ctx = ctx, .make = make, .user = user};
    size_t at = 0;
    SFI_TRY(sfi_growing_put(ctx, out, ""));
    for (bool more = true;;) {
        sfi_definition d;
        bool used = false;
        SFI_TRY(sfi_definition_next(ctx, list, &at, &d, &more));
        if (!more || n.count == MOST_DEFINITIONS)
            break;
        SFI_TRY(is_used(&n, &d, list + at, &used));
        SFI_TRY(sfi_growing_add(ctx, out, d.name, d.name_length));
        SFI_TRY(sfi_growing_put(ctx, out, " = "));
        SFI_TRY(replace(&n, d.text, d.text_length, !used, out));
        SFI_TRY(sfi_growing_put(ctx, out, "; "));
        n.before[n.count++] = d;
    }
    *found = n.found;
    return SF_OK;
}
