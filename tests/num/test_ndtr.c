/* SPDX-License-Identifier: Apache-2.0 */
/* test_ndtr.c - the normal distribution function, its logarithm and that one's
 * derivatives, as functions of one double and as vector loops. */
#include "check.h"
#include "num/log_ndtr_values.h"

#include "num/loops.h"
#include "num/special.h"

#include <float.h>

/* erfc in 60 digits (mpmath). */
static const struct {
    double x, value;
} ndtr_values[] = {
    {-37.5, 4.6053530095819548e-308},
    {-30.0, 4.9067139271481871e-198},
    {-10.0, 7.6198530241605261e-24},
    {-5.0, 2.8665157187919391e-7},
    {-1.0, 0.15865525393145705},
    {-1e-10, 0.49999999996010577},
    {0.0, 0.5},
    {1.0, 0.84134474606854295},
    {5.0, 0.99999971334842812},
    {8.0, 0.99999999999999938},
};

TEST(ndtr_has_known_values_and_limits)
{
    for (size_t i = 0; i < SFI_COUNT(ndtr_values); i++)
        CHECK_CLOSE(sfi_ndtr(ndtr_values[i].x), ndtr_values[i].value, 1e-15);
    CHECK(sfi_ndtr(INFINITY) == 1.0 && sfi_ndtr(-INFINITY) == 0.0);
    CHECK(isnan(sfi_ndtr(NAN)));
}

/* The bounds that special.h states. */
TEST(log_ndtr_and_its_derivatives_have_known_values)
{
    static const double bound[] = {1e-15, 5e-15, 1e-13, 2e-12};
    for (size_t i = 0; i < SFI_COUNT(log_ndtr_values); i++) {
        const double x = log_ndtr_values[i].x;
        CHECK_CLOSE(sfi_log_ndtr(x), log_ndtr_values[i].value, 1e-15);
        for (int k = 0; k < 4; k++)
            CHECK_CLOSE(sfi_log_ndtr_slope(k + 1, x),
                        log_ndtr_values[i].slope[k], bound[k]);
    }
}

TEST(log_ndtr_has_limits_and_orders_an_end)
{
    CHECK(sfi_log_ndtr(INFINITY) == 0.0 && sfi_log_ndtr(-INFINITY) < -DBL_MAX);
    CHECK(sfi_log_ndtr_slope(1, -INFINITY) == INFINITY);
    CHECK(sfi_log_ndtr_slope(2, -INFINITY) == -1.0);
    CHECK(sfi_log_ndtr_slope(3, -INFINITY) == 0.0);
    CHECK(sfi_log_ndtr_slope(1, INFINITY) == 0.0);
    CHECK(isnan(sfi_log_ndtr(NAN)) && isnan(sfi_log_ndtr_slope(1, NAN)));
    CHECK(isnan(sfi_log_ndtr_slope(0, 1.0)));
    CHECK(isfinite(sfi_log_ndtr_slope(SFI_LOG_NDTR_ORDERS, -3.0)));
    CHECK(isnan(sfi_log_ndtr_slope(SFI_LOG_NDTR_ORDERS + 1, -3.0)));
}

/* From both sides of where one method hands over to another: with x one part in
 * 1e9 apart, what a derivative changes by is below 1e-8 of it. */
TEST(methods_meet_where_they_hand_over)
{
    for (int order = 1; order <= 6; order++)
        CHECK_CLOSE(sfi_log_ndtr_slope(order, -2.0 - 1e-9),
                    sfi_log_ndtr_slope(order, -2.0 + 1e-9), 2e-8);
}

/* In doubles the loops are held to 2e-15; in floats to 1e-6, against the value at
 * the float that x rounds to, where that is neither 0 nor subnormal. */
static void check_loops(const sfi_loops *l)
{
    enum { N = SFI_ROW_MULTIPLE };
    SFI_ALIGNED(64) double wide[3][N];
    SFI_ALIGNED(64) float narrow[3][N];
    const bool single = l->dtype == SF_F32;
    const double least = single ? FLT_MIN : DBL_MIN;
    for (size_t i = 0; i < SFI_COUNT(log_ndtr_values); i++)
        for (int order = 0; order <= 3; order++) {
            const double x = log_ndtr_values[i].x;
            for (int j = 0; j < N; j++) {
                wide[0][j] = narrow[0][j] = (float)order;
                wide[1][j] = x;
                narrow[1][j] = (float)x;
            }
            void *row[3];
            for (int k = 0; k < 3; k++)
                row[k] = single ? (void *)narrow[k] : (void *)wide[k];
            if (order == 0)
                l->ew[SFI_EW_LOG_NDTR][0](row[2], row[1], NULL, NULL, N);
            else
                l->ew[SFI_EW_LOG_NDTR_SLOPE][0](row[2], row[0], row[1], NULL,
                                                N);
            const double want = order == 0
                                    ? log_ndtr_values[i].value
                                    : log_ndtr_values[i].slope[order - 1];
            if (fabs(want) < least)
                continue;
            CHECK_CLOSE(single ? narrow[2][N / 2] : wide[2][N / 2], want,
                        single       ? 1e-6
                        : order == 3 ? 1e-13
                                     : 2e-15);
        }
}

TEST(loops_are_right_in_the_far_tail_in_both_types)
{
    static const char *const isas[] = {"portable", "avx2", "avx512"};
    for (size_t i = 0; i < SFI_COUNT(isas); i++)
        for (int type = 0; type < 2; type++) {
            const sfi_loops *l = sfi_loops_named(isas[i], (sf_dtype)type);
            if (l != NULL)
                check_loops(l);
        }
}

TESTS(CASE(ndtr_has_known_values_and_limits),
      CASE(log_ndtr_and_its_derivatives_have_known_values),
      CASE(log_ndtr_has_limits_and_orders_an_end),
      CASE(methods_meet_where_they_hand_over),
      CASE(loops_are_right_in_the_far_tail_in_both_types))
