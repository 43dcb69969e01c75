/* SPDX-License-Identifier: Apache-2.0 */
/* test_pace.c - the faster of two ways is taken, and the other one now and then. */
#include "base/pace.h"
#include "check.h"

/* Work of one unit until `seconds` have passed; how much of this the slower way took. */
static double share_of(sfi_pace *p, int slow, const double *cost,
                       double seconds)
{
    double passed = 0.0, wasted = 0.0;
    while (passed < seconds) {
        const int way = sfi_pace_choose(p, 1.0);
        sfi_pace_learn(p, way, 1.0, cost[way]);
        passed += cost[way];
        wasted += way == slow ? cost[way] : 0.0;
    }
    return wasted / seconds;
}

/* Each way is tried at once; then the slower one takes a 33rd of the time, and 32 of its
 * own turns pass before the first of these. */
TEST(the_slower_way_takes_a_33rd_of_the_time)
{
    const double cost[][2] = {{1.0, 1.5}, {2.0, 1.0}, {1.0, 40.0}};
    for (size_t k = 0; k < SFI_COUNT(cost); k++) {
        sfi_pace p = {{0.0, 0.0}, 0.0};
        const int slow = cost[k][1] > cost[k][0];
        const double share = share_of(&p, slow, cost[k], 100000.0);
        CHECK_NEAR(share, 1.0 / 33.0, 0.002);
        CHECK(p.cost[0] == cost[k][0] && p.cost[1] == cost[k][1]);
    }
}

/* Others come and make way 1 slow, and go again: each time it is noticed. */
TEST(a_change_of_the_machine_is_noticed)
{
    sfi_pace p = {{0.0, 0.0}, 0.0};
    const double quiet[] = {2.0, 1.0}, busy[] = {3.0, 30.0};
    CHECK(share_of(&p, 0, quiet, 1000.0) < 0.05);
    CHECK(share_of(&p, 1, busy, 10000.0) < 0.05);
    (void)share_of(&p, 0, quiet, 10000.0);
    CHECK(share_of(&p, 0, quiet, 1000.0) < 0.05);
}

/* Costs are of a unit, whatever the runs' sizes were. */
TEST(costs_are_of_a_unit)
{
    sfi_pace p = {{0.0, 0.0}, 0.0};
    for (int i = 1; i <= 4; i++) {
        sfi_pace_learn(&p, 0, i, 2.0 * i);
        sfi_pace_learn(&p, 1, 5 - i, 3.0 * (5 - i));
    }
    CHECK(p.cost[0] == 2.0 && p.cost[1] == 3.0);
    CHECK(sfi_pace_choose(&p, 1.0) == 0);
}

TESTS(CASE(the_slower_way_takes_a_33rd_of_the_time),
      CASE(a_change_of_the_machine_is_noticed), CASE(costs_are_of_a_unit))
