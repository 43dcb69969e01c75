/* SPDX-License-Identifier: Apache-2.0 */
/* equal_rows.c - equal rows are found by sorting a 64-bit hash of every row; rows of
 * one hash are then compared number by number, so a collision costs time and
 * nothing else. */
#include "num/equal_rows.h"

#include "base/parallel.h"
#include "num/sort.h"

#include <string.h>

enum { CHUNK = 4096 };

typedef struct joined {
    int tables;
    const sf_cmat *table;
    uint64_t *keys;
    int64_t *index;
} joined;

static const double *row_at(const joined *r, int64_t i)
{
    int k = 0;
    for (; i >= r->table[k].rows; k++)
        i -= r->table[k].rows;
    return r->table[k].data + i * r->table[k].stride;
}

static uint64_t hash_row(const double *row, int64_t d)
{
    uint64_t h = UINT64_C(0x9E3779B97F4A7C15);
    for (int64_t k = 0; k < d; k++) {
        const double x = row[k] + 0.0; /* -0 becomes 0, which it equals */
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        h = (h ^ bits) * UINT64_C(0xFF51AFD7ED558CCD);
        h ^= h >> 32;
    }
    return h;
}

static void hash_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const joined *r = user;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        r->keys[i] = hash_row(row_at(r, i), r->table[0].cols);
        r->index[i] = i;
    }
}

static bool equal_rows(const double *a, const double *b, int64_t d)
{
    for (int64_t k = 0; k < d; k++)
        if (a[k] != b[k])
            return false;
    return true;
}

/* Rows of one hash, in their order: nearly always all equal. */
static int64_t find_in_group(const joined *r, const int64_t *index,
                             int64_t size, int64_t *first)
{
    const int64_t d = r->table[0].cols;
    int64_t copies = 0;
    for (int64_t a = 0; a < size; a++) {
        const double *row = row_at(r, index[a]);
        first[index[a]] = index[a];
        for (int64_t b = 0; b < a; b++)
            if (first[index[b]] == index[b] &&
                equal_rows(row_at(r, index[b]), row, d)) {
                first[index[a]] = index[b];
                copies++;
                break;
            }
    }
    return copies;
}

sf_status sfi_find_copies(sf_context *ctx, int tables, const sf_cmat *table,
                          int64_t *first, int64_t *copies)
{
    joined r = {.tables = tables, .table = table};
    int64_t total = 0, found = 0;
    for (int k = 0; k < tables; k++)
        total += table[k].rows;
    const size_t count = 2 * (size_t)total;
    r.keys = sfi_alloc(ctx, count, sizeof *r.keys);
    r.index = sfi_alloc(ctx, count, sizeof *r.index);
    const bool enough = r.keys != NULL && r.index != NULL;
    if (enough) {
        sfi_parallel(ctx, total, CHUNK, hash_rows, &r);
        sfi_sort_keys(r.keys, r.index, r.keys + total, r.index + total, total);
        for (int64_t from = 0, to = 0; from < total; from = to) {
            while (to < total && r.keys[to] == r.keys[from])
                to++;
            found += find_in_group(&r, r.index + from, to - from, first);
        }
    }
    if (copies != NULL)
        *copies = found;
    sfi_free(ctx, r.index, count, sizeof *r.index);
    sfi_free(ctx, r.keys, count, sizeof *r.keys);
    return enough ? SF_OK : SF_E_NOMEM;
}
