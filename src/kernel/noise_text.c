/* SPDX-License-Identifier: Apache-2.0 */
/* noise_text.c - kernels and their columns as text. */
#include "base/assign.h"
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

static sf_status parse_piece(sf_context *ctx, sfi_kernel *out, sfi_piece p,
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

/* "COLUMN,COLUMN=KERNEL; ...", a block each. */
static sf_status parse_blocks(sf_context *ctx, sfi_noise *out, const char *text,
                              const char *const *names,
                              const sfi_dictionary *places, bool *bare)
{
    int64_t columns[SFI_BLOCK_COLUMNS];
    char shown[SFI_SHOW_SIZE];
    sfi_assignment a;
    while (sfi_next_assignment(&text, places, SFI_BLOCK_COLUMNS, columns, &a)) {
        sfi_kernel kernel;
        bool without = false;
        if (a.count < 0)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: \"%s\", want KERNEL for all columns, or "
                            "COLUMN=KERNEL with a column of the data",
                            sfi_show(shown, a.text.at, a.text.size));
        if (a.count > SFI_BLOCK_COLUMNS)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "kernel: \"%s\" has more than %d columns",
                            sfi_show(shown, a.text.at, a.text.size),
                            (int)SFI_BLOCK_COLUMNS);
        SFI_TRY(parse_piece(ctx, &kernel, a.value, &without));
        SFI_TRY(sfi_noise_add(ctx, out, &kernel, a.count, columns, names));
        for (int64_t i = 0; i < a.count; i++)
            bare[columns[i]] = without;
    }
    return SF_OK;
}

/* One kernel for all columns: each has it, or together. */
static sf_status parse_all(sf_context *ctx, sfi_noise *out, const char *text,
                           const char *const *names, bool *bare)
{
    sfi_kernel kernel;
    bool without = false;
    SFI_TRY(
        parse_piece(ctx, &kernel, sfi_trimmed(text, strlen(text)), &without));
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
    sfi_dictionary places = {0};
    if (text[word] != '=') {
        SFI_TRY(parse_all(ctx, out, text, names, bare));
        return sfi_noise_complete(ctx, out, names);
    }
    SFI_TRY(sfi_dictionary_fill(ctx, &places, out->dim, names));
    const sf_status status = parse_blocks(ctx, out, text, names, &places, bare);
    sfi_dictionary_free(ctx, &places);
    SFI_TRY(status);
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
