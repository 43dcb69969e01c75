/* SPDX-License-Identifier: Apache-2.0 */
/* dictionary.h - distinct texts, numbered in the order of their appearance. */
#ifndef SFI_DICTIONARY_H
#define SFI_DICTIONARY_H

#include "base/context.h"

/* Zeroed is empty. */
typedef struct sfi_dictionary {
    char **texts; /* [count], NUL-terminated                                */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* hash table of index + 1; 0 is free                  */
    size_t slot_count;
    size_t longest; /* bytes of the longest text                              */
    bool is_lent;   /* `texts` belongs to someone else and is complete        */
} sfi_dictionary;

/* The number of text[0..size-1], or -1. */
int64_t sfi_dictionary_find(const sfi_dictionary *d, const char *text,
                            size_t size);

/* Append a text that is not there yet and holds no NUL (not to a lent
 * dictionary); its number is the old count.  Returns SF_OK; SF_E_NOMEM, also beyond 2^32 - 2 texts. */
sf_status sfi_dictionary_add(sf_context *ctx, sfi_dictionary *d,
                             const char *text, size_t size);

/* The number of a text, which is added if it is not there yet: less than the old
 * count says that it is there twice.  Returns as sfi_dictionary_add(). */
sf_status sfi_dictionary_number(sf_context *ctx, sfi_dictionary *d,
                                const char *text, int64_t *number);

/* Fill an empty dictionary so that the number of names[j] is j (of equal ones the
 * last is found).  SF_OK, or SF_E_NOMEM, then it is empty. */
sf_status sfi_dictionary_fill(sf_context *ctx, sfi_dictionary *d, int64_t count,
                              const char *const *names);

/* Hand the texts to a sf_column: *levels is an array of exactly d->count texts
 * that now belongs to the caller.  The dictionary goes on finding them while
 * they live.  Returns SF_OK or SF_E_NOMEM (nothing has changed). */
sf_status sfi_dictionary_lend(sf_context *ctx, sfi_dictionary *d,
                              char ***levels);

/* Free what is not lent, and zero *d. */
void sfi_dictionary_free(sf_context *ctx, sfi_dictionary *d);

#endif
