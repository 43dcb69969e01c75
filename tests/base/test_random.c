/* SPDX-License-Identifier: Apache-2.0 */
/* test_random.c - the generator against known answers, and what is drawn. */
#include "check.h"

#include <Random123/philox.h>

#include "base/random.h"

/* The known-answer vectors of philox4x32 with 10 rounds that Random123 ships:
 * zeros, ones, and the digits of pi. */
TEST(philox_gives_the_published_answers)
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } known[] = {
        {{0, 0, 0, 0},
         {0, 0},
         {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < SFI_COUNT(known); i++) {
        uint32_t got[4];
        sfi_philox(known[i].counter, known[i].key, got);
        assert_memory_equal(got, known[i].want, sizeof got);
    }
}

/* The address of a draw is packed as random.h says, and the words are those of
 * Random123's own generator: seeds, points, streams, steps and components are
 * chosen so that every bit field is used. */
TEST(a_draw_is_the_documented_word_of_random123)
{
    uint64_t mix = 12345;
    for (int trial = 0; trial < 1000; trial++) {
        mix = mix * 6364136223846793005u + 1442695040888963407u;
        const uint64_t other = mix ^ mix >> 31;
        const sfi_where where = {.seed = mix * 3,
                                 .point = other & 0xFFFFFFFFFFFFFFu,
                                 .step = (uint32_t)(mix >> 13),
                                 .stream = (sfi_stream)(trial % 9)};
        const uint32_t j = (uint32_t)(mix >> 40);
        const philox4x32_ctr_t counter = {
            {(uint32_t)where.point,
             (uint32_t)(where.point >> 32) + ((uint32_t)where.stream << 24),
             where.step, j / 4}};
        const philox4x32_key_t key = {
            {(uint32_t)where.seed, (uint32_t)(where.seed >> 32)}};
        const philox4x32_ctr_t want = philox4x32(counter, key);
        assert_int_equal(sfi_bits_at(where, j), want.v[j % 4]);
    }
}

/* (bits + 0.5) / 2^32 is exact in double precision, and never 0 or 1. */
TEST(uniform_numbers_are_the_bits_scaled)
{
    const sfi_where where = {.seed = 7, .stream = SFI_STREAM_USER};
    for (uint32_t j = 0; j < 1000; j++) {
        const double got = sfi_uniform_at(where, j);
        CHECK(got == (sfi_bits_at(where, j) + 0.5) / 4294967296.0);
        CHECK(got > 0.0 && got < 1.0);
    }
}

/* Words 2k and 2k+1 give the normal numbers 2k and 2k+1 together: their radius
 * and their angle are those of the two uniform numbers. */
TEST(normal_numbers_are_box_muller_pairs)
{
    const double two_pi = 8.0 * atan(1.0);
    for (uint32_t step = 0; step < 200; step++) {
        const sfi_where where = {
            .seed = 7, .point = 1, .step = step, .stream = SFI_STREAM_USER};
        for (uint32_t k = 0; k < 8; k += 2) {
            const double a = sfi_normal_at(where, k);
            const double b = sfi_normal_at(where, k + 1);
            const double radius2 = -2.0 * log(sfi_uniform_at(where, k));
            const double turn = sfi_uniform_at(where, k + 1);
            CHECK_CLOSE(a * a + b * b, radius2, 1e-13);
            CHECK_NEAR(a, sqrt(radius2) * cos(two_pi * turn), 1e-14 * 8);
            CHECK_NEAR(b, sqrt(radius2) * sin(two_pi * turn), 1e-14 * 8);
        }
    }
}

/* N = 65536 draws.  Standard errors: mean 1/sqrt(N), variance sqrt(2/N), fourth
 * moment sqrt(96/N), product of a pair 1/sqrt(N).  Five of each (false alarm
 * below 3e-6, and the seed is fixed). */
TEST(normal_numbers_have_the_moments)
{
    enum { N = 65536 };
    double sum = 0.0, square = 0.0, fourth = 0.0, product = 0.0;
    for (uint64_t i = 0; i < N / 2; i++) {
        const sfi_where where = {.seed = 3, .point = i};
        const double a = sfi_normal_at(where, 0);
        const double b = sfi_normal_at(where, 1);
        sum += a + b;
        square += a * a + b * b;
        fourth += a * a * a * a + b * b * b * b;
        product += a * b;
    }
    CHECK_NEAR(sum / N, 0.0, 5.0 / sqrt(N));
    CHECK_NEAR(square / N, 1.0, 5.0 * sqrt(2.0 / N));
    CHECK_NEAR(fourth / N, 3.0, 5.0 * sqrt(96.0 / N));
    CHECK_NEAR(product / (N / 2), 0.0, 5.0 / sqrt(N / 2));
}

/* No two uses of one seed may share numbers: change one part of the address at
 * a time, by one and by its highest bit, and another word must come. */
TEST(every_part_of_the_address_matters)
{
    const sfi_where here = {
        .seed = 1, .point = 2, .step = 3, .stream = SFI_STREAM_NOISE};
    sfi_where there[7] = {here, here, here, here, here, here, here};
    there[0].seed ^= 1;
    there[1].seed ^= (uint64_t)1 << 63;
    there[2].point ^= 1;
    there[3].point ^= (uint64_t)1 << 55;
    there[4].step ^= 1;
    there[5].step ^= (uint32_t)1 << 31;
    there[6].stream = SFI_STREAM_TIME;
    for (size_t i = 0; i < SFI_COUNT(there); i++)
        assert_int_not_equal(sfi_bits_at(here, 0), sfi_bits_at(there[i], 0));
    assert_int_not_equal(sfi_bits_at(here, 0), sfi_bits_at(here, 4));
}

/* All 24 orders of four things over 24000 epochs: each count has standard
 * deviation 31; the sum of squared deviations over the mean is chi-squared with
 * 23 degrees of freedom, which exceeds 60 with probability 4e-5. */
TEST(every_order_of_a_shuffle_is_equally_likely)
{
    enum { EPOCHS = 24000, ORDERS = 24 };
    int count[256] = {0};
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        int64_t index[4] = {0, 1, 2, 3};
        int seen = 0;
        sfi_shuffle(11, epoch, index, 4);
        for (int i = 0; i < 4; i++) {
            CHECK(index[i] >= 0 && index[i] < 4);
            seen |= 1 << index[i];
        }
        assert_int_equal(seen, 15);
        count[index[0] * 64 + index[1] * 16 + index[2] * 4 + index[3]]++;
    }
    const double mean = (double)EPOCHS / ORDERS;
    double chi2 = 0.0;
    int orders = 0;
    for (size_t i = 0; i < SFI_COUNT(count); i++) {
        if (count[i] == 0)
            continue;
        orders++;
        chi2 += (count[i] - mean) * (count[i] - mean) / mean;
    }
    assert_int_equal(orders, ORDERS);
    CHECK(chi2 < 60.0);
}

TEST(a_shuffle_of_nothing_or_one_changes_nothing)
{
    int64_t index[1] = {42};
    sfi_shuffle(1, 1, NULL, 0);
    sfi_shuffle(1, 1, index, 1);
    assert_int_equal(index[0], 42);
}

TESTS(CASE(philox_gives_the_published_answers),
      CASE(a_draw_is_the_documented_word_of_random123),
      CASE(uniform_numbers_are_the_bits_scaled),
      CASE(normal_numbers_are_box_muller_pairs),
      CASE(normal_numbers_have_the_moments),
      CASE(every_part_of_the_address_matters),
      CASE(every_order_of_a_shuffle_is_equally_likely),
      CASE(a_shuffle_of_nothing_or_one_changes_nothing))
