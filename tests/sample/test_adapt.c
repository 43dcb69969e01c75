/* SPDX-License-Identifier: Apache-2.0 */
/* test_adapt.c - what chains learn while they warm up. */
#include "check.h"
#include "sample/adapt.h"

/* Acceptance that falls with the step: exp(-step) is the target's at -ln target. */
TEST(steps_find_their_target)
{
    sfi_step_size s = {.target = 0.7};
    sfi_step_size_begin(&s, 5.0);
    for (int i = 0; i < 2000; i++)
        sfi_step_size_learn(&s, exp(-s.step));
    CHECK_NEAR(sfi_step_size_end(&s), -log(0.7), 0.01);
}

typedef struct schedule {
    int64_t warmup, last, turns[16];
} schedule;

/* The newer part begins at 0, and when it is a third of all a new one does: after
 * n, n + ceil(n/2), ... iterations, 10 at least. */
static const schedule schedules[] = {
    {400, 340, {10, 20, 30, 45, 68, 102, 153, 230}},
    {1000, 940, {10, 20, 30, 45, 68, 102, 153, 230, 345, 518, 777}},
    {100, 85, {10, 20, 30, 45, 68}},
    {20, 17, {10}},
    {19, 0, {0}},
    {0, 0, {0}}};

TEST(windows_grow_by_a_half)
{
    for (size_t k = 0; k < SFI_COUNT(schedules); k++) {
        const schedule *s = &schedules[k];
        sfi_windows w;
        int64_t turns = 0;
        sfi_windows_init(&w, s->warmup);
        CHECK(w.last == s->last);
        for (int64_t i = 0; i < s->warmup; i++) {
            CHECK(sfi_windows_counts(&w, i) == (i < s->last));
            if (i + 1 < s->last && sfi_windows_turn(&w, i))
                CHECK(i + 1 == s->turns[turns++]);
        }
        CHECK(s->turns[turns] == 0);
    }
}

/* Parts of 3 and of 2 draws are one of 5: variances of x 2 and 20, sums of squares 10
 * and 100, of s 0.4 and 1 over the 5, so that scale^4 is 25 and 100; of these the
 * logarithms of two draws of 1 and of 3 take 2/7. */
TEST(scales_make_draws_and_scores_alike)
{
    const double x[][2] = {
        {1.0, 6.0}, {2.0, 11.0}, {3.0, 1.0}, {4.0, -4.0}, {5.0, 16.0}};
    const double slope[][2] = {
        {0.2, 9.6}, {-0.4, 10.1}, {0.0, 9.1}, {0.4, 10.6}, {-0.2, 8.6}};
    const double first[] = {1.0, 3.0};
    double memory[2][2 * SFI_PAIR_MOMENTS], scale[2];
    sfi_pair_moments part[2];
    for (int k = 0; k < 2; k++)
        sfi_pair_moments_init(&part[k], 2, memory[k]);
    for (int i = 0; i < 5; i++)
        sfi_pair_moments_add(&part[i / 3], x[i], slope[i]);
    sfi_pair_moments_scale(part, first, scale);
    CHECK_NEAR(scale[0], pow(25.0, 0.25 * 5.0 / 7.0), 1e-14);
    CHECK_NEAR(scale[1], pow(100.0, 0.25 * 5.0 / 7.0) * pow(3.0, 2.0 / 7.0),
               1e-14);
    /* What never moves keeps its first scale. */
    for (int k = 0; k < 2; k++)
        sfi_pair_moments_clear(&part[k]);
    for (int i = 0; i < 5; i++)
        sfi_pair_moments_add(&part[0], x[0], slope[i]);
    sfi_pair_moments_scale(part, first, scale);
    CHECK(scale[0] == 1.0 && scale[1] == 3.0);
}

TESTS(CASE(steps_find_their_target), CASE(windows_grow_by_a_half),
      CASE(scales_make_draws_and_scores_alike))
