/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - Philox4x32-10 and what is drawn from it, one number at a time.
 * The loops that fill arrays are in num/loops; they follow this file. */
#include "base/random.h"

#include <math.h>

static const double two_pi = 6.283185307179586;

void sfi_philox(const uint32_t counter[4], const uint32_t key[2],
                uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        const uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void block_at(sfi_where where, uint32_t j, uint32_t out[4])
{
    const uint32_t counter[4] = {(uint32_t)where.point,
                                 ((uint32_t)(where.point >> 32) & 0xFFFFFFu) |
                                     ((uint32_t)where.stream << 24),
                                 where.step, j / 4};
    const uint32_t key[2] = {(uint32_t)where.seed,
                             (uint32_t)(where.seed >> 32)};
    sfi_philox(counter, key, out);
}

static double unit_interval(uint32_t bits)
{
    return ((double)bits + 0.5) * 0x1p-32;
}

uint32_t sfi_bits_at(sfi_where where, uint32_t j)
{
    uint32_t words[4];
    block_at(where, j, words);
    return words[j % 4];
}

double sfi_uniform_at(sfi_where where, uint32_t j)
{
    return unit_interval(sfi_bits_at(where, j));
}

double sfi_normal_at(sfi_where where, uint32_t j)
{
    uint32_t words[4];
    block_at(where, j, words);
    const uint32_t *pair = words + (j % 4) / 2 * 2;
    const double radius = sqrt(-2.0 * log(unit_interval(pair[0])));
    const double angle = two_pi * unit_interval(pair[1]);
    return radius * (j % 2 == 0 ? cos(angle) : sin(angle));
}

void sfi_shuffle(uint64_t seed, uint32_t epoch, int64_t *index, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const sfi_where where = {seed, (uint64_t)i, epoch, SFI_STREAM_SHUFFLE};
        const uint64_t bits = sfi_bits_at(where, 0);
        const int64_t j = (int64_t)(bits * (uint64_t)(i + 1) >> 32);
        const int64_t kept = index[i];
        index[i] = index[j];
        index[j] = kept;
    }
}
