/* SPDX-License-Identifier: Apache-2.0 */
/* test_ladder.c - temperatures: where they are placed, and who exchanges states. */
#include "check.h"
#include "sample/ladder.h"

TEST(temperatures_begin_as_a_geometric_sequence)
{
    sfi_ladder l;
    sfi_ladder_init(&l, 4, 27.0);
    CHECK(l.beta[0] == 1.0);
    for (int k = 1; k < 4; k++)
        CHECK_NEAR(l.beta[k], l.beta[k - 1] / 3.0, 1e-15);
}

/* exp((1 - 1/4) (f - g)), at most 1. */
TEST(an_exchange_has_its_probability)
{
    sfi_ladder l;
    sfi_ladder_init(&l, 2, 4.0);
    CHECK_NEAR(sfi_ladder_accept(&l, 0, 1.0, 3.0), exp(-1.5), 1e-15);
    CHECK(sfi_ladder_accept(&l, 0, 3.0, 1.0) == 1.0);
    CHECK(sfi_ladder_accept(&l, 0, -1e300, 1e300) == 0.0);
    CHECK_NEAR(sfi_ladder_least(&l), (exp(-1.5) + 1.0) / 3.0, 1e-15);
    sfi_ladder_forget(&l);
    CHECK(sfi_ladder_least(&l) == 1.0);
}

/* Pairs that refuse .6, .3, .0 and .0 of what they try: each of four is to refuse
 * .225, and the barrier reaches .225 at 3/8 of the first pair, .45 at 6/8, and .675 a
 * quarter into the second. */
TEST(temperatures_go_where_all_pairs_refuse_alike)
{
    enum { TRIED = 100000000 };
    sfi_ladder l;
    sfi_ladder_init(&l, 5, 16.0);
    const double refused[] = {0.6, 0.3, 0.0, 0.0};
    for (int k = 0; k < 4; k++) {
        l.refused[k] = refused[k] * TRIED;
        l.tried[k] = TRIED;
    }
    sfi_ladder_place(&l);
    CHECK(l.beta[0] == 1.0);
    CHECK_NEAR(l.beta[1], pow(2.0, -0.375), 1e-7);
    CHECK_NEAR(l.beta[2], pow(2.0, -0.75), 1e-7);
    CHECK_NEAR(l.beta[3], pow(2.0, -1.25), 1e-7);
    CHECK_NEAR(l.beta[4], 1.0 / 16.0, 1e-15);
    CHECK(l.tried[0] == 0 && l.refused[0] == 0.0);
    /* Nothing was tried: they stay. */
    sfi_ladder_init(&l, 5, 16.0);
    sfi_ladder_place(&l);
    for (int k = 0; k < 5; k++)
        CHECK_NEAR(l.beta[k], pow(2.0, -k), 1e-14);
}

/* The state of the top goes down and up again. */
TEST(trips_from_the_top_to_the_bottom_are_counted)
{
    sfi_ladder l;
    sfi_ladder_init(&l, 3, 9.0);
    sfi_ladder_exchange(&l, 0); /* 1 0 2: neither has been at the top */
    CHECK(l.trips == 0);
    sfi_ladder_exchange(&l, 1); /* 1 2 0 */
    sfi_ladder_exchange(&l, 0); /* 2 1 0: state 2 came down           */
    CHECK(l.trips == 1);
    sfi_ladder_exchange(&l, 0);
    sfi_ladder_exchange(&l, 0); /* up one and down: not from the top  */
    CHECK(l.trips == 1);
    sfi_ladder_exchange(&l, 1); /* 2 0 1 */
    sfi_ladder_exchange(&l, 0); /* 0 2 1: state 0 was at the top      */
    CHECK(l.trips == 2);
    CHECK(l.walker[0] == 0 && l.walker[1] == 2 && l.walker[2] == 1);
}

TESTS(CASE(temperatures_begin_as_a_geometric_sequence),
      CASE(an_exchange_has_its_probability),
      CASE(temperatures_go_where_all_pairs_refuse_alike),
      CASE(trips_from_the_top_to_the_bottom_are_counted))
