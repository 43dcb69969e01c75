/* SPDX-License-Identifier: Apache-2.0 */
/* wants.c - what a command is to compute, as a list of names, and the names of the
 * columns that it becomes. */
#include "cli/cli.h"

#include "base/text.h"

#include <string.h>

enum { LIST_SIZE = 400 };

/* "a, b or c" of all names. */
static void list_names(char text[LIST_SIZE], const cli_want_names *names)
{
    size_t n = 0;
    text[0] = '\0';
    for (int i = 0; names->name(names->user, i) != NULL; i++) {
        const bool is_last = names->name(names->user, i + 1) == NULL;
        const char *before = i == 0 ? "" : is_last ? " or " : ", ";
        n += (size_t)snprintf(text + n, LIST_SIZE - n, "%s%s", before,
                              names->name(names->user, i));
        if (n >= LIST_SIZE)
            return;
    }
}

static sf_status fail_unknown(cli *c, const cli_want_names *names,
                              const char *word, size_t size)
{
    char shown[SFI_SHOW_SIZE], all[LIST_SIZE], copy[SFI_LONGEST_WORD];
    snprintf(copy, sizeof copy, "%.*s", (int)size, word);
    sfi_show(shown, word, size);
    const char *nearest = sfi_nearest_word(copy, names->name, names->user);
    if (nearest != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--want: unknown \"%s\"; did you mean %s?", shown,
                        nearest);
    list_names(all, names);
    return SFI_FAIL(c->ctx, SF_E_ARG, "--want: unknown \"%s\", want %s", shown,
                    all);
}

/* The number of a name, or -1. */
static int find_name(const cli_want_names *names, const char *word, size_t size)
{
    for (int i = 0; names->name(names->user, i) != NULL; i++) {
        const char *name = names->name(names->user, i);
        if (strlen(name) == size && memcmp(name, word, size) == 0)
            return i;
    }
    return -1;
}

sf_status cli_parse_wants(cli *c, const char *text, const cli_want_names *names,
                          int *list, int *count)
{
    *count = 0;
    for (;; text++) {
        const size_t size = strcspn(text, ",");
        const int found = find_name(names, text, size);
        if (found < 0)
            return fail_unknown(c, names, text, size);
        for (int i = 0; i < *count; i++)
            if (list[i] == found)
                return SFI_FAIL(c->ctx, SF_E_ARG,
                                "--want: \"%.*s\" is named twice", (int)size,
                                text);
        list[(*count)++] = found;
        text += size;
        if (*text == '\0')
            return SF_OK;
    }
}

/* ---- names of columns ------------------------------------------------------- */

sf_status cli_names_make(sf_context *ctx, cli_names *names, int64_t capacity)
{
    *names = (cli_names){.ctx = ctx, .capacity = capacity};
    names->list = sfi_alloc_zero(ctx, (size_t)capacity, sizeof *names->list);
    return names->list != NULL ? SF_OK : SF_E_NOMEM;
}

void cli_names_free(cli_names *names)
{
    for (int64_t k = 0; k < names->count; k++)
        sfi_free_text(names->ctx, names->list[k]);
    sfi_free(names->ctx, names->list, (size_t)names->capacity,
             sizeof *names->list);
}

sf_status cli_add_name(cli_names *names, const char *prefix, const char *first,
                       const char *second)
{
    const size_t size = strlen(prefix) + strlen(first) + strlen(second) + 3;
    char *name = sfi_alloc(names->ctx, size, 1);
    if (name == NULL)
        return SF_E_NOMEM;
    const bool parted = prefix[0] != '\0' && first[0] != '\0';
    snprintf(name, size, "%s%s%s%s%s", prefix, parted ? "_" : "", first,
             second[0] != '\0' ? "_" : "", second);
    /* Freed by its length. */
    names->list[names->count] = sfi_copy_text(names->ctx, name);
    sfi_free(names->ctx, name, size, 1);
    return names->list[names->count++] != NULL ? SF_OK : SF_E_NOMEM;
}
