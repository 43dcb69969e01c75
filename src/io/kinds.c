/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.c - kinds of columns as text. */
#include "io/kinds.h"

#include "base/assign.h"
#include "base/text.h"

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
        const int kind = sfi_find_choice(choices + 1, a.value.at, a.value.size);
        if (kind < 0)
            return SFI_FAIL(ctx, SF_E_ARG, "--kind: \"%s\", want one of %s",
                            shown, choices + 1);
        for (int64_t k = 0; k < a.count; k++)
            kinds[columns[k]] = (sfi_told_kind){true, (sf_kind)kind};
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
