/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.c - kinds of columns as text. */
#include "io/kinds.h"

#include "base/assign.h"
#include "base/text.h"
#include "num/decimal.h"

#include <math.h>
#include <string.h>

static const char choices[] =
#define CHOICE(name, word, say, why) "|" word
    SF_KIND_LIST(CHOICE);
#undef CHOICE

const char *sf_kind_name(sf_kind kind)
{
    static const char *const names[] = {
#define NAME(name, word, say, why) word,
        SF_KIND_LIST(NAME)
#undef NAME
    };
    return (size_t)kind < SFI_COUNT(names) ? names[kind] : "unknown";
}

static bool has_atoms(sf_kind kind)
{
    return kind == SF_KIND_REAL || kind == SF_KIND_INTEGER ||
           kind == SF_KIND_PROPORTION || kind == SF_KIND_POSITIVE;
}

/* "none", or numbers with colons between them; false if it is neither. */
static bool read_atoms(const char *at, const char *end, sfi_told_kind *to)
{
    to->has_atoms = true;
    if (end - at == 4 && memcmp(at, "none", 4) == 0)
        return true;
    for (;; at++) {
        double x = 0.0;
        const int64_t n = to->atom_count;
        at = sfi_number_parse(at, &x);
        if (at == NULL || at > end || !isfinite(x) || n == SF_MOST_ATOMS ||
            (n > 0 && !(x > to->atoms[n - 1])))
            return false;
        to->atoms[to->atom_count++] = x + 0.0; /* no -0 */
        if (at == end)
            return true;
        if (*at != ':')
            return false;
    }
}

/* A kind, with or without its atoms; SF_E_ARG if it is none. */
static sf_status read_kind(sf_context *ctx, const sfi_assignment *a,
                           const char *shown, sfi_told_kind *to)
{
    static const char word[] = ":atoms=";
    const size_t length = sizeof word - 1;
    const char *at = a->value.at, *end = at + a->value.size;
    const char *colon = memchr(at, ':', a->value.size);
    const size_t size = colon != NULL ? (size_t)(colon - at) : a->value.size;
    const int kind = sfi_find_choice(choices + 1, at, size);
    *to = (sfi_told_kind){.is_told = true, .kind = (sf_kind)kind};
    if (kind < 0)
        return SFI_FAIL(ctx, SF_E_ARG, "--kind: \"%s\", want one of %s", shown,
                        choices + 1);
    if (colon == NULL)
        return SF_OK;
    if (has_atoms(to->kind) && (size_t)(end - colon) > length &&
        memcmp(colon, word, length) == 0 && read_atoms(colon + length, end, to))
        return SF_OK;
    return SFI_FAIL(
        ctx, SF_E_ARG,
        "--kind: \"%s\", want %s:atoms=none, or :atoms= and at most "
        "%d rising numbers with colons between them",
        shown, has_atoms(to->kind) ? sf_kind_name(to->kind) : "real",
        (int)SF_MOST_ATOMS);
}

static sf_status read_kinds(sf_context *ctx, const char *text,
                            const sfi_dictionary *names, sfi_told_kind *kinds)
{
    enum { MOST = 256 };
    int64_t columns[MOST];
    sfi_assignment a;
    char shown[SFI_SHOW_SIZE];
    while (sfi_next_assignment(&text, names, MOST, columns, &a)) {
        sfi_show(shown, a.text.at, a.text.size);
        if (a.count < 1 || a.count > MOST)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "--kind: \"%s\", want COLUMN=KIND of a column that "
                            "is there",
                            shown);
        sfi_told_kind kind;
        SFI_TRY(read_kind(ctx, &a, shown, &kind));
        for (int64_t k = 0; k < a.count; k++)
            kinds[columns[k]] = kind;
    }
    return SF_OK;
}

sf_status sfi_kinds_read(sf_context *ctx, const char *text, int64_t count,
                         const char *const *names, sfi_told_kind *kinds)
{
    sfi_dictionary places = {0};
    SFI_TRY(sfi_dictionary_fill(ctx, &places, count, names));
    const sf_status status = read_kinds(ctx, text, &places, kinds);
    sfi_dictionary_free(ctx, &places);
    return status;
}
