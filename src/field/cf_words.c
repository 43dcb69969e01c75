/* SPDX-License-Identifier: Apache-2.0 */
/* cf_words.c - references between the variables of a file, and remarks. */
#include "field/cf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sfi_cf_remark(sfi_cf *cf, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (cf->remark_count == SFI_CF_MOST_REMARKS)
        return;
    /* A remark for which there is no memory is one fewer. */
    char *copy = sfi_copy_text(cf->ctx, text);
    if (copy != NULL)
        cf->remarks[cf->remark_count++] = copy;
}

void sfi_cf_words(const char *list,
                  void (*use)(void *user, const char *word, size_t size),
                  void *user)
{
    while (list != NULL && *list != '\0') {
        const size_t blanks = strspn(list, " \t\n");
        const size_t size = strcspn(list + blanks, " \t\n");
        if (size > 0)
            use(user, list + blanks, size);
        list += blanks + size;
    }
}

int sfi_cf_lookup(const sfi_nc_header *h, int var, const char *reference,
                  size_t size)
{
    char full[2 * SFI_NC_NAME];
    if (size == 0 || size >= SFI_NC_NAME)
        return -1;
    if (reference[0] == '/') {
        snprintf(full, sizeof full, "%.*s", (int)size, reference);
        const int found = sfi_nc_find_var(h, full);
        return found >= 0 ? found : sfi_nc_find_var(h, full + 1);
    }
    /* "/a/b/name": look for it as /a/b/reference, /a/reference, reference. */
    size_t folder = strlen(h->vars[var].name);
    for (;;) {
        while (folder > 0 && h->vars[var].name[folder - 1] != '/')
            folder--;
        const size_t kept = folder > 1 ? folder : 0;
        snprintf(full, sizeof full, "%.*s%.*s", (int)kept, h->vars[var].name,
                 (int)size, reference);
        const int found = sfi_nc_find_var(h, full);
        if (found >= 0 || kept == 0)
            return found;
        folder--;
    }
}
