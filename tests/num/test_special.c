/* SPDX-License-Identifier: Apache-2.0 */
/* test_special.c - the functions of special.h against values computed with 50
 * digits (mpmath), their recurrences and their identities. */
#include "check.h"

#include "num/special.h"

typedef struct point {
    double x, value;
} point;

static void check_points(double (*f)(double), const point *points, size_t count,
                         double rtol)
{
    for (size_t i = 0; i < count; i++)
        CHECK_CLOSE(f(points[i].x), points[i].value, rtol);
}

static const point sigmoid_points[] = {
    {-700.0, 9.85967654375977e-305},
    {-40.0, 4.248354255291589e-18},
    {-5.0, 0.0066928509242848554},
    {-0.5, 0.37754066879814546},
    {0.0, 0.5},
    {0.5, 0.6224593312018546},
    {5.0, 0.9933071490757152},
    {40.0, 1.0},
    {700.0, 1.0},
};

TEST(sigmoid_has_known_values_and_limits)
{
    check_points(sfi_sigmoid, sigmoid_points, SFI_COUNT(sigmoid_points), 4e-16);
    CHECK(sfi_sigmoid(INFINITY) == 1.0);
    CHECK(sfi_sigmoid(-INFINITY) == 0.0);
    CHECK(isnan(sfi_sigmoid(NAN)));
}

static const point softplus_points[] = {
    {-700.0, 9.85967654375977e-305},
    {-40.0, 4.248354255291589e-18},
    {-5.0, 0.006715348489118068},
    {-0.5, 0.4740769841801067},
    {0.0, 0.6931471805599453},
    {0.5, 0.9740769841801067},
    {5.0, 5.006715348489118},
    {40.0, 40.0},
    {700.0, 700.0},
};

TEST(softplus_has_known_values_and_limits)
{
    check_points(sfi_softplus, softplus_points, SFI_COUNT(softplus_points),
                 4e-16);
    CHECK(sfi_softplus(INFINITY) == INFINITY);
    CHECK(sfi_softplus(-INFINITY) == 0.0);
    CHECK(isnan(sfi_softplus(NAN)));
}

static const point lgamma_points[] = {
    {1e-10, 23.025850929882736},  {0.1, 2.252712651734206},
    {0.5, 0.5723649429247001},    {1.5, -0.12078223763524522},
    {2.5, 0.2846828704729192},    {10.0, 12.801827480081469},
    {100.0, 359.1342053695754},   {100000.0, 1051287.7089736569},
    {-0.5, 1.2655121234846454},   {-1.25, 1.3664317612369763},
    {-10.7, -15.416789096416636},
};

TEST(lgamma_has_known_values_and_poles)
{
    check_points(sfi_lgamma, lgamma_points, SFI_COUNT(lgamma_points), 1e-14);
    for (double x = 0.0; x >= -3.0; x -= 1.0)
        CHECK(sfi_lgamma(x) == INFINITY);
    CHECK(sfi_lgamma(1.0) == 0.0 && sfi_lgamma(2.0) == 0.0);
}

static const point digamma_points[] = {
    {1e-05, -100000.57719921567},        {0.1, -10.423754940411076},
    {0.5, -1.9635100260214235},          {1.0, -0.5772156649015329},
    {1.25, -0.22745353337626542},        {1.75, 0.24747245354686118},
    {2.0, 0.42278433509846713},          {3.5, 1.103156640645243},
    {9.5, 2.1977378764029494},           {10.5, 2.3030010342976865},
    {25.0, 3.198742512851974},           {1000.0, 6.907255195648812},
    {10000000000.0, 23.025850929890456}, {-0.25, 2.9141391202135276},
    {-0.5, 0.03648997397857652},         {-1.75, -2.322691628614361},
    {-10.3, 4.662403493582087},          {-100.625, 3.3150711652156573},
};

TEST(digamma_has_known_values_and_poles)
{
    check_points(sfi_digamma, digamma_points, SFI_COUNT(digamma_points), 1e-14);
    for (double x = 0.0; x >= -3.0; x -= 1.0)
        CHECK(isnan(sfi_digamma(x)));
    CHECK(isnan(sfi_digamma(NAN)) && isnan(sfi_digamma(-INFINITY)));
    CHECK(sfi_digamma(INFINITY) == INFINITY);
}

static const struct {
    int n;
    double x, value;
} polygamma_points[] = {
    {1, 0.1, 101.43329915079275},       {1, 1, 1.6449340668482264},
    {1, 0.5, 4.934802200544679},        {1, 5.5, 0.19934238698962767},
    {1, 30, 0.033895060357739946},      {1, 1000000.0, 1.0000005000001667e-06},
    {2, 0.3, -75.27253658872604},       {2, 1, -2.4041138063191885},
    {2, 4.25, -0.06989568177725804},    {2, 50, -0.0004080799893375969},
    {3, 0.5, 97.40909103400244},        {3, 2, 0.49393940226682914},
    {3, 17.5, 0.0004063810738253195},   {5, 0.75, 678.7533428745797},
    {5, 12.5, 9.562271597107644e-05},   {10, 1.5, -42108.85876897549},
    {10, 40, -3.9130747998980846e-11},  {20, 2.5, -10709198259.124132},
    {50, 60.5, -7.308364731730742e-27},
};

TEST(polygamma_has_known_values)
{
    for (size_t i = 0; i < SFI_COUNT(polygamma_points); i++)
        CHECK_CLOSE(sfi_polygamma(polygamma_points[i].n, polygamma_points[i].x),
                    polygamma_points[i].value, 1e-14);
    CHECK(sfi_polygamma(0, -0.25) == sfi_digamma(-0.25));
    CHECK(isnan(sfi_polygamma(-1, 1.0)));
    CHECK(isnan(sfi_polygamma(1, 0.0)));
    CHECK(isnan(sfi_polygamma(1, -1.5)));
    CHECK(isnan(sfi_polygamma(1, NAN)));
    CHECK(sfi_polygamma(1, INFINITY) == 0.0);
}

/* psi^(n)(x+1) - psi^(n)(x) = (-1)^n n! x^(-n-1)  (5.15.5).  Both terms carry
 * 1e-14 of themselves. */
TEST(polygamma_obeys_its_recurrence)
{
    for (int n = 0; n < 8; n++) {
        for (double x = 0.05; x < 40; x *= 1.3) {
            const double low = sfi_polygamma(n, x);
            const double high = sfi_polygamma(n, x + 1.0);
            const double step =
                (n % 2 == 0 ? 1 : -1) * tgamma(n + 1.0) * pow(x, -n - 1);
            CHECK_NEAR(high - low, step,
                       1e-14 * (fabs(low) + fabs(high) + fabs(step)));
        }
    }
}

static const point log_i0_points[] = {
    {1e-08, 2.5e-17},
    {0.001, 2.4999998437500175e-07},
    {0.1, 0.0024984392338762438},
    {0.5, 0.06154971918548131},
    {1.0, 0.23591435850717865},
    {2.5, 1.190838671196028},
    {5.0, 3.3046817758225333},
    {10.0, 7.942972083118695},
    {15.0, 12.735669109476905},
    {19.875, 17.467786687631577},
    {20.125, 17.711454229817484},
    {30.0, 27.384701433171937},
    {100.0, 96.77973268994258},
    {700.0, 695.8056999984434},
    {10000.0, 9994.475903781433},
    {10000000000.0, 9999999987.568136},
};

TEST(log_i0_has_known_values_and_is_even)
{
    check_points(sfi_log_i0, log_i0_points, SFI_COUNT(log_i0_points), 1e-14);
    for (size_t i = 0; i < SFI_COUNT(log_i0_points); i++)
        CHECK(sfi_log_i0(-log_i0_points[i].x) ==
              sfi_log_i0(log_i0_points[i].x));
    CHECK(sfi_log_i0(0.0) == 0.0);
    CHECK(sfi_log_i0(-INFINITY) == INFINITY);
    CHECK(isnan(sfi_log_i0(NAN)));
}

static const point bessel_ratio_points[] = {
    {1e-08, 5e-09},
    {0.001, 0.0004999999375000105},
    {0.1, 0.04993760398793892},
    {0.5, 0.24249961258080194},
    {1.0, 0.4463899658965345},
    {2.5, 0.7649967475888099},
    {5.0, 0.8933831370440852},
    {10.0, 0.9485998259548459},
    {15.0, 0.9660695639865081},
    {19.875, 0.9745089995235169},
    {20.125, 0.9748299813462262},
    {30.0, 0.9831895553653361},
    {100.0, 0.9949873730051688},
    {700.0, 0.9992854588184261},
    {10000.0, 0.999949998749875},
    {10000000000.0, 0.99999999995},
};

TEST(bessel_ratio_has_known_values_and_is_odd)
{
    check_points(sfi_bessel_ratio, bessel_ratio_points,
                 SFI_COUNT(bessel_ratio_points), 1e-14);
    for (size_t i = 0; i < SFI_COUNT(bessel_ratio_points); i++)
        CHECK(sfi_bessel_ratio(-bessel_ratio_points[i].x) ==
              -sfi_bessel_ratio(bessel_ratio_points[i].x));
    CHECK(sfi_bessel_ratio(0.0) == 0.0);
    CHECK(sfi_bessel_ratio(INFINITY) == 1.0);
    CHECK(sfi_bessel_ratio(-INFINITY) == -1.0);
    CHECK(isnan(sfi_bessel_ratio(NAN)));
}

/* d/dx ln I0 = I1/I0, by central differences: their own error is h^2/6 times a
 * third derivative below 1, plus the rounding of ln I0 over h.  The grid crosses
 * the border between series and asymptotic series. */
TEST(bessel_ratio_is_the_slope_of_log_i0)
{
    const double h = 1e-4;
    for (double x = 0.25; x < 60; x += 0.25) {
        const double slope = (sfi_log_i0(x + h) - sfi_log_i0(x - h)) / (2 * h);
        const double rounding = 1e-14 * (1 + sfi_log_i0(x)) / h;
        CHECK_NEAR(sfi_bessel_ratio(x), slope, h * h + rounding);
    }
}

TESTS(CASE(sigmoid_has_known_values_and_limits),
      CASE(softplus_has_known_values_and_limits),
      CASE(lgamma_has_known_values_and_poles),
      CASE(digamma_has_known_values_and_poles),
      CASE(polygamma_has_known_values), CASE(polygamma_obeys_its_recurrence),
      CASE(log_i0_has_known_values_and_is_even),
      CASE(bessel_ratio_has_known_values_and_is_odd),
      CASE(bessel_ratio_is_the_slope_of_log_i0))
