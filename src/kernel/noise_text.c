/* SPDX-License-Identifier: Apache-2.0 */
/* noise_text.c - kernels and their columns as text. */
#include "base/text.h"
#include "kernel/noise.h"
#include "num/decimal.h"

#include <stdio.h>
#include <string.h>

void sfi_kernel_format(const sfi_kernel *k, char text[SF_KERNEL_TEXT])
{
    size_t used = (size_t)snprintf(text, SF_KERNEL_TEXT, "%s", k->ops->family);
    for (int i = 0; i < k->ops->number_count && used < SF_KERNEL_TEXT; i++) {
        const sfi_kernel_number *n = &k->ops->numbers[i];
        char number[SFI_NUMBER_SIZE];
        const char *word = number;
        int size = sfi_number_format(k->numbers[i], number);
        if (n->words != NULL) {
            word = n->words;
            for (int at = 0; at < (int)k->numbers[i]; at++)
                word = strchr(word, '|') + 1;
            size = (int)strcspn(word, "|");
        }
        used +=
            (size_t)snprintf(text + used, SF_KERNEL_TEXT - used, "%s%s=%.*s",
                             i == 0 ? ":" : ",", n->name, size, word);
    }
}

/* A piece of the text, without blanks at its ends. */
typedef struct piece {
    const char *at;
    size_t size;
} piece;

static piece trimmed(const char *at, size_t size)
{
    while (size > 0 && (*at == ' ' || *at == '\t')) {
        at++;
        size--;
    }
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    return (piece){at, size};
}

static sf_status parse_piece(sf_context *ctx, sfi_kernel *out, piece p,
                             bool *bare)
{
    char text[256], shown[SFI_SHOW_SIZE];
    if (p.size >= sizeof text)
        return SFI_FAIL(ctx, SF_E_ARG, "kernel \"%s\": the text is too long",
                        sfi_show(shown, p.at, p.size));
    memcpy(text, p.at, p.size);
    text[p.size] = '\0';
    *bare = memchr(text, ':', p.size) == NULL;
    return sfi_kernel_parse(ctx, out, text);
}

/* The column whose name `p` begins with, up to a ',' or a '='; of several the one
 * of the longest name; -1 for none.  *after is what follows the name. */
static int64_t column_of(piece p, int64_t dim, const char *const *names,
                         piece *after)
{
    int64_t found = -1;
    size_t longest = 0;
    for (int64_t j = 0; j < dim; j++) {
        const size_t size = strlen(names[j]);
        if (size >= p.size || size < longest ||
            memcmp(names[j], p.at, size) != 0)
            continue;
        const piece rest = trimmed(p.at + size, p.size - size);
        if (rest.size > 0 && (rest.at[0] == '=' || rest.at[0] == ',')) {
            found = j;
            longest = size;
            *after = rest;
        }
    }
    return found;
}

/* "COLUMN,COLUMN=KERNEL", a block. */
static sf_status parse_block(sf_context *ctx, sfi_noise *out, piece p,
                             const char *const *names, bool *bare)
{
    int64_t columns[SFI_BLOCK_COLUMNS], count = 0;
    char shown[SFI_SHOW_SIZE];
    sfi_kernel kernel;
    bool without = false;
    piece rest = p, after = {"", 0};
    do {
        const int64_t j = column_of(rest, out->dim, names, &after);
        if (j < 0)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: \"%s\", want KERNEL for all columns, or "
                            "COLUMN=KERNEL with a column of the data",
                            sfi_show(shown, p.at, p.size));
        if (count == SFI_BLOCK_COLUMNS)
            return SFI_FAIL(
                ctx, SF_E_ARG, "kernel: \"%s\" has more than %d columns",
                sfi_show(shown, p.at, p.size), (int)SFI_BLOCK_COLUMNS);
        columns[count++] = j;
        rest = trimmed(after.at + 1, after.size - 1);
    } while (after.at[0] == ',');
    SFI_TRY(parse_piece(ctx, &kernel, rest, &without));
    SFI_TRY(sfi_noise_add(ctx, out, &kernel, count, columns, names));
    for (int64_t i = 0; i < count; i++)
        bare[columns[i]] = without;
    return SF_OK;
}

/* "COLUMN=KERNEL; ..." */
static sf_status parse_blocks(sf_context *ctx, sfi_noise *out, const char *text,
                              const char *const *names, bool *bare)
{
    while (*text != '\0') {
        const size_t size = strcspn(text, ";");
        const piece p = trimmed(text, size);
        text += size + (text[size] == ';');
        if (p.size > 0)
            SFI_TRY(parse_block(ctx, out, p, names, bare));
    }
    return SF_OK;
}

/* One kernel for all columns: each has it, or together. */
static sf_status parse_all(sf_context *ctx, sfi_noise *out, const char *text,
                           const char *const *names, bool *bare)
{
    sfi_kernel kernel;
    bool without = false;
    SFI_TRY(parse_piece(ctx, &kernel, trimmed(text, strlen(text)), &without));
    const int64_t each = kernel.ops->joint != NULL ? out->dim : 1;
    int64_t columns[SFI_BLOCK_COLUMNS];
    for (int64_t j = 0; j < out->dim; j += each) {
        for (int64_t i = 0; i < each && i < SFI_BLOCK_COLUMNS; i++)
            columns[i] = j + i;
        SFI_TRY(sfi_noise_add(ctx, out, &kernel, each, columns, names));
    }
    for (int64_t j = 0; j < out->dim; j++)
        bare[j] = without;
    return SF_OK;
}

static sf_status parse(sf_context *ctx, sfi_noise *out, const char *text,
                       const char *const *names, bool *bare)
{
    const size_t word = strcspn(text, ":=;");
    SFI_TRY(text[word] == '=' ? parse_blocks(ctx, out, text, names, bare)
                              : parse_all(ctx, out, text, names, bare));
    return sfi_noise_complete(ctx, out, names);
}

sf_status sfi_noise_parse(sf_context *ctx, sfi_noise *out, const char *text,
                          int64_t dim, const char *const *names, bool *bare)
{
    const size_t n = (size_t)dim;
    *out = (sfi_noise){0};
    bool *spare = sfi_alloc_zero(ctx, n, sizeof *spare);
    sf_status status =
        spare != NULL ? sfi_noise_new(ctx, out, dim) : SF_E_NOMEM;
    if (status == SF_OK)
        status = parse(ctx, out, text, names, spare);
    if (status == SF_OK && bare != NULL)
        memcpy(bare, spare, n * sizeof *bare);
    sfi_free(ctx, spare, n, sizeof *spare);
    if (status != SF_OK)
        sfi_noise_free(ctx, out);
    return status;
}
