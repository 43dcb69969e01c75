/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - which names a text leaves open: they are the columns of its point. */
#include "base/context.h"
#include "graph/graph.h"
#include "scorefield/density.h"

#include <string.h>

typedef struct search {
    sf_context *ctx;
    sf_graph *g;
    char **names;
    size_t capacity;
    int64_t count;
    bool short_of_memory;
} search;

static char *copy_name(sf_context *ctx, const char *name, size_t length)
{
    char *copy = sfi_alloc(ctx, length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, name, length);
        copy[length] = '\0';
    }
    return copy;
}

/* A name that is not known is a number of the point. */
static bool take_name(void *user, const char *name, size_t length, sf_node *out)
{
    search *s = user;
    for (int64_t i = 0; i < s->count; i++)
        if (strlen(s->names[i]) == length &&
            memcmp(s->names[i], name, length) == 0) {
            *out = sf_const(s->g, 1.0);
            return true;
        }
    char **grown = sfi_grow(s->ctx, s->names, &s->capacity,
                            (size_t)s->count + 1, sizeof *grown);
    s->short_of_memory = grown == NULL;
    if (grown == NULL)
        return false;
    s->names = grown;
    grown[s->count] = copy_name(s->ctx, name, length);
    s->short_of_memory = grown[s->count] == NULL;
    if (s->short_of_memory)
        return false;
    s->count++;
    /* Not a constant, whose value could turn out to be an error. */
    *out = sf_input(s->g, "name", 0, NULL);
    return true;
}

static sf_status find_names(search *s, const char *text, int known_count,
                            const sf_parameter *known)
{
    const size_t most = (size_t)known_count;
    sf_symbol *symbols = sfi_alloc(s->ctx, most, sizeof *symbols);
    if (symbols == NULL && most > 0)
        return SF_E_NOMEM;
    for (int k = 0; k < known_count; k++)
        symbols[k] =
            (sf_symbol){known[k].name, sf_param(s->g, known[k].name,
                                                known[k].rank, known[k].shape)};
    sf_node node;
    const sfi_parse_hooks hooks = {.name = take_name, .user = s};
    const sf_status status =
        sfi_parse_open(s->g, text, known_count, symbols, &hooks, &node);
    sfi_free(s->ctx, symbols, most, sizeof *symbols);
    return s->short_of_memory ? SF_E_NOMEM : status;
}

sf_status sf_density_find_names(sf_context *ctx, const char *text,
                                int known_count, const sf_parameter *known,
                                char ***names, int64_t *count)
{
    *names = NULL;
    *count = 0;
    search s = {.ctx = ctx};
    SFI_TRY(sf_graph_new(ctx, &s.g));
    sf_status status = find_names(&s, text, known_count, known);
    sf_graph_free(s.g);
    /* As many as there are, so that they can be freed by their count. */
    char **exact = NULL;
    if (status == SF_OK && s.count > 0) {
        exact = sfi_alloc(ctx, (size_t)s.count, sizeof *exact);
        status = exact != NULL ? SF_OK : SF_E_NOMEM;
    }
    for (int64_t i = 0; i < s.count; i++) {
        if (exact != NULL)
            exact[i] = s.names[i];
        else
            sfi_free_text(ctx, s.names[i]);
    }
    sfi_free(ctx, s.names, s.capacity, sizeof *s.names);
    *names = exact;
    *count = exact != NULL ? s.count : 0;
    return status;
}

void sf_density_free_names(sf_context *ctx, char **names, int64_t count)
{
    if (names == NULL)
        return;
    for (int64_t i = 0; i < count; i++)
        sfi_free_text(ctx, names[i]);
    sfi_free(ctx, names, (size_t)count, sizeof *names);
}
