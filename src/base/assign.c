/* SPDX-License-Identifier: Apache-2.0 */
/* assign.c - assignments are parted by ';', columns by ',', and a name ends where one of
 * the known names does.  So names may hold any of these signs, "a,b=c" too, and of
 * several that fit the longest is meant. */
#include "base/assign.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

sfi_piece sfi_trimmed(const char *at, size_t size)
{
    while (size > 0 && is_blank(*at)) {
        at++;
        size--;
    }
    while (size > 0 && is_blank(at[size - 1]))
        size--;
    return (sfi_piece){at, size};
}

/* The column whose name `p` begins with, up to a ',' or a '='; -1 for none.
 * *after is what follows the name.  Names may hold blanks, ',' and '=': every place
 * before one of these is tried, from the longest that a name can be. */
static int64_t column_of(sfi_piece p, const sfi_dictionary *names,
                         sfi_piece *after)
{
    size_t end = p.size > 0 ? p.size - 1 : 0;
    if (end > names->longest)
        end = names->longest;
    size_t next = end; /* where what follows the blanks at `end` begins */
    while (next < p.size && is_blank(p.at[next]))
        next++;
    for (; end > 0; end--) {
        if (end < next && !is_blank(p.at[end]))
            next = end;
        if (next == p.size || (p.at[next] != '=' && p.at[next] != ','))
            continue;
        const int64_t found = sfi_dictionary_find(names, p.at, end);
        if (found < 0)
            continue;
        *after = sfi_trimmed(p.at + next, p.size - next);
        return found;
    }
    return -1;
}

static void read_one(sfi_piece p, const sfi_dictionary *names, int64_t most,
                     int64_t *columns, sfi_assignment *out)
{
    sfi_piece rest = p, after = {"", 0};
    *out = (sfi_assignment){.text = p};
    do {
        const int64_t j = column_of(rest, names, &after);
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

bool sfi_next_assignment(const char **text, const sfi_dictionary *names,
                         int64_t most, int64_t *columns, sfi_assignment *out)
{
    while (**text != '\0') {
        const size_t size = strcspn(*text, ";");
        const sfi_piece p = sfi_trimmed(*text, size);
        *text += size + ((*text)[size] == ';');
        if (p.size == 0)
            continue;
        read_one(p, names, most, columns, out);
        return true;
    }
    return false;
}
