/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting against the C library's, for every size around the switch from one
 * method to the other, and for keys whose digits are special. */
#include "check.h"
#include "base/random.h"
#include "num/sort.h"

enum { N = 3000 };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

TEST(doubles_come_out_ascending)
{
    static double x[N], want[N], scratch[N];
    for (int64_t n = 0; n <= N; n = n < 60 ? n + 1 : n * 3) {
        for (int kind = 0; kind < 4; kind++) {
            for (int64_t i = 0; i < n; i++) {
                const sfi_where where = {1, (uint64_t)i, (uint32_t)kind,
                                         SFI_STREAM_USER};
                const double z = sfi_normal_at(where, 0);
                x[i] = kind == 0   ? z
                       : kind == 1 ? floor(3.0 * z)
                       : kind == 2 ? exp(200.0 * z) * (z > 0.0 ? -1.0 : 1.0)
                                   : 7.0;
            }
            if (n > 2 && kind == 2) {
                x[0] = INFINITY;
                x[1] = -INFINITY;
            }
            memcpy(want, x, sizeof x);
            qsort(want, (size_t)n, sizeof *want, ascending);
            sfi_sort(x, scratch, n);
            for (int64_t i = 0; i < n; i++)
                CHECK(x[i] == want[i]);
        }
    }
}

TEST(an_index_follows_its_key_and_ties_keep_their_order)
{
    static uint64_t keys[N], before[N], key_scratch[N];
    static int64_t index[N], index_scratch[N];
    for (int64_t n = 1; n <= N; n = n < 60 ? n + 1 : n * 3) {
        for (int64_t i = 0; i < n; i++) {
            const sfi_where where = {2, (uint64_t)i, 0, SFI_STREAM_USER};
            keys[i] = (uint64_t)(sfi_bits_at(where, 0) % 97) << 37;
            before[i] = keys[i];
            index[i] = i;
        }
        sfi_sort_keys(keys, index, key_scratch, index_scratch, n);
        for (int64_t i = 0; i < n; i++) {
            CHECK(keys[i] == before[index[i]]);
            CHECK(i == 0 || keys[i - 1] < keys[i] ||
                  (keys[i - 1] == keys[i] && index[i - 1] < index[i]));
        }
    }
}

TESTS(CASE(doubles_come_out_ascending),
      CASE(an_index_follows_its_key_and_ties_keep_their_order))
