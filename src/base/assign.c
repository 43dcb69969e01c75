/* SPDX-License-Identifier: Apache-2.0 */
/* assign.c - assignments are parted by ';', columns by ',', and a name ends where one of
 * the known names does.  So names may hold any of these signs, "a,b=c" too, and of
 * several that fit the longest is meant. */
#include "base/assign.h"

#include <string.h>

sfi_piece sfi_trimmed(const char *at, size_t size)
{
    while (size > 0 && (*at == ' ' || *at == '\t')) {
        at++;
        size--;
    }
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    return (sfi_piece){at, size};
}

/* The column whose name `p` begins with, up to a ',' or a '='; -1 for none.
 * *after is what follows the name. */
static int64_t column_of(sfi_piece p, int64_t dim, const char *const *names,
                         sfi_piece *after)
{
    int64_t found = -1;
    size_t longest = 0;
    for (int64_t j = 0; j < dim; j++) {
        const size_t size = strlen(names[j]);
        if (size >= p.size || size < longest ||
            memcmp(names[j], p.at, size) != 0)
            continue;
        const sfi_piece rest = sfi_trimmed(p.at + size, p.size - size);
        if (rest.size > 0 && (rest.at[0] == '=' || rest.at[0] == ',')) {
            found = j;
            longest = size;
            *after = rest;
        }
    }
    return found;
}

static void read_one(sfi_piece p, int64_t dim, const char *const *names,
                     int64_t most, int64_t *columns, sfi_assignment *out)
{
    sfi_piece rest = p, after = {"", 0};
    *out = (sfi_assignment){.text = p};
    do {
        const int64_t j = column_of(rest, dim, names, &after);
        if (j < 0) {
            out->count = -1;
            return;
        }
        if (out->count++ == most)
            return;
        columns[out->count - 1] = j;
        rest = sfi_trimmed(after.at + 1, after.size - 1);
    } while (after.at[0] == ',');
    out->value = rest;
}

bool sfi_next_assignment(const char **text, int64_t dim,
                         const char *const *names, int64_t most,
                         int64_t *columns, sfi_assignment *out)
{
    while (**text != '\0') {
        const size_t size = strcspn(*text, ";");
        const sfi_piece p = sfi_trimmed(*text, size);
        *text += size + ((*text)[size] == ';');
        if (p.size == 0)
            continue;
        read_one(p, dim, names, most, columns, out);
        return true;
    }
    return false;
}
