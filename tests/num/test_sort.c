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

TEST(an_index_follows_its_number_too)
{
    static double x[N], before[N], scratch[N];
    static int64_t index[N], index_scratch[N];
    for (int64_t i = 0; i < N; i++) {
        const sfi_where where = {3, (uint64_t)i, 0, SFI_STREAM_USER};
        x[i] = before[i] = floor(5.0 * sfi_normal_at(where, 0)) + 0.5;
        index[i] = i;
    }
    sfi_sort_with(x, index, scratch, index_scratch, N);
    for (int64_t i = 0; i < N; i++) {
        CHECK(x[i] == before[index[i]]);
        CHECK(i == 0 || x[i - 1] < x[i] ||
              (x[i - 1] == x[i] && index[i - 1] < index[i]));
    }
}

TEST(quantiles_interpolate_order_statistics)
{
    const double a[5] = {10, 20, 40, 80, 160};
    CHECK(sfi_quantile(a, 5, 0.0) == 10.0 && sfi_quantile(a, 5, 1.0) == 160.0);
    CHECK(sfi_quantile(a, 5, 0.5) == 40.0 && sfi_quantile(a, 1, 0.3) == 10.0);
    CHECK_NEAR(sfi_quantile(a, 5, 0.05), 12.0, 1e-14);
    CHECK_NEAR(sfi_quantile(a, 5, 0.95), 144.0, 1e-12);
    /* The gap is no double. */
    const double far[2] = {-1.5e308, 1.5e308};
    CHECK_NEAR(sfi_quantile(far, 2, 0.5), 0.0, 1e292);
    CHECK_CLOSE(sfi_quantile(far, 2, 0.75), 0.75e308, 1e-15);
}

TESTS(CASE(doubles_come_out_ascending), CASE(an_index_follows_its_number_too),
      CASE(quantiles_interpolate_order_statistics),
      CASE(an_index_follows_its_key_and_ties_keep_their_order))
