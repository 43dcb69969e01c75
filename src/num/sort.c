/* SPDX-License-Identifier: Apache-2.0 */
/* sort.c - least-significant-digit radix sort, eight digits of eight bits.
 *
 * One pass counts all digits; a digit that is the same everywhere (the upper
 * bits of small numbers, the lower bits of whole ones) costs nothing more.  The
 * bits of a double become a key of the same order by flipping the sign bit of
 * what is positive and all bits of what is negative. */
#include "num/sort.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { DIGITS = 8, VALUES = 256, SMALL = 48 };

static void count_digits(int64_t count[DIGITS][VALUES], const uint64_t *keys,
                         int64_t n)
{
    memset(count, 0, DIGITS * VALUES * sizeof count[0][0]);
    for (int64_t i = 0; i < n; i++) {
        for (int digit = 0; digit < DIGITS; digit++)
            count[digit][keys[i] >> (8 * digit) & 0xff]++;
    }
}

/* Turn counts into first positions; false if one value has all n. */
static bool positions(int64_t count[VALUES], int64_t n)
{
    int64_t sum = 0;
    for (int v = 0; v < VALUES; v++) {
        const int64_t here = count[v];
        if (here == n)
            return false;
        count[v] = sum;
        sum += here;
    }
    return true;
}

static void insertion_sort(uint64_t *keys, int64_t *index, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        const uint64_t key = keys[i];
        const int64_t at = index != NULL ? index[i] : 0;
        int64_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--) {
            keys[j] = keys[j - 1];
            if (index != NULL)
                index[j] = index[j - 1];
        }
        keys[j] = key;
        if (index != NULL)
            index[j] = at;
    }
}

void sfi_sort_keys(uint64_t *keys, int64_t *index, uint64_t *key_scratch,
                   int64_t *index_scratch, int64_t n)
{
    if (n <= SMALL) {
        insertion_sort(keys, index, n);
        return;
    }
    int64_t count[DIGITS][VALUES];
    count_digits(count, keys, n);
    uint64_t *from = keys, *to = key_scratch;
    int64_t *index_from = index, *index_to = index_scratch;
    for (int digit = 0; digit < DIGITS; digit++) {
        if (!positions(count[digit], n))
            continue;
        for (int64_t i = 0; i < n; i++) {
            const int64_t at = count[digit][from[i] >> (8 * digit) & 0xff]++;
            to[at] = from[i];
            if (index != NULL)
                index_to[at] = index_from[i];
        }
        uint64_t *const keys_done = to;
        to = from;
        from = keys_done;
        int64_t *const index_done = index_to;
        index_to = index_from;
        index_from = index_done;
    }
    if (from != keys) {
        memcpy(keys, from, (size_t)n * sizeof *keys);
        if (index != NULL)
            memcpy(index, index_from, (size_t)n * sizeof *index);
    }
}

void sfi_sort_with(double *x, int64_t *index, double *scratch,
                   int64_t *index_scratch, int64_t n)
{
    const uint64_t sign = UINT64_C(1) << 63;
    /* The keys live in the same memory as the numbers: every access goes through
     * memcpy or through uint64_t after the whole array has become keys. */
    uint64_t *keys = (uint64_t *)(void *)x;
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits = (bits & sign) != 0 ? ~bits : bits | sign;
        memcpy(x + i, &bits, sizeof bits);
    }
    sfi_sort_keys(keys, index, (uint64_t *)(void *)scratch, index_scratch, n);
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits = (bits & sign) != 0 ? bits & ~sign : ~bits;
        memcpy(x + i, &bits, sizeof bits);
    }
}

void sfi_sort(double *x, double *scratch, int64_t n)
{
    sfi_sort_with(x, NULL, scratch, NULL, n);
}

double sfi_quantile(const double *x, int64_t n, double p)
{
    const double at = p * (double)(n - 1);
    const int64_t i = (int64_t)at;
    if (i >= n - 1)
        return x[n - 1];
    const double share = at - (double)i, gap = x[i + 1] - x[i];
    return isfinite(gap) ? x[i] + share * gap
                         : (1.0 - share) * x[i] + share * x[i + 1];
}
