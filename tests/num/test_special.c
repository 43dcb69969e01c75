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
    CHECK(sfi_softplus(1000.0) ==
          1000.0); /* exp(1000) is not a number of double */
    CHECK(sfi_softplus(-INFINITY) == 0.0);
    CHECK(isnan(sfi_softplus(NAN)));
}

static const point logit_points[] = {
    {1e-300, -690.77552789821371},     {1e-10, -23.025850929840457},
    {0.1, -2.1972245773362193},        {0.25, -1.0986122886681097},
    {0.4999, -0.00040000000533328941}, {0.5, 0.0},
    {0.500001, 4.000000000120356e-6},  {0.75, 1.0986122886681097},
    {0.99, 4.595119850134589},         {0.9999999, 16.118095551484671},
};

TEST(logit_has_known_values_and_limits)
{
    check_points(sfi_logit, logit_points, SFI_COUNT(logit_points), 5e-16);
    CHECK(sfi_logit(0.0) == -INFINITY && sfi_logit(1.0) == INFINITY);
    CHECK(isnan(sfi_logit(-0.5)) && isnan(sfi_logit(1.5)));
    CHECK(isnan(sfi_logit(NAN)));
}

static const point log1mexp_points[] = {
    {-700, -9.8596765437597709e-305}, {-40, -4.248354255291589e-18},
    {-3, -0.051069180942701587},      {-0.7, -0.68634100280838515},
    {-0.69, -0.69630429714405671},    {-0.1, -2.3521684610440908},
    {-1e-10, -23.025850929990457},    {-1e-300, -690.77552789821371},
};

static const point log1mexp_slope_points[] = {
    {-700, -9.8596765437597709e-305},    {-40, -4.248354255291589e-18},
    {-3, -0.052395696491255952},         {-0.7, -0.98643386363446339},
    {-0.1, -9.5083319447750491},         {-1e-10, -9999999999.4999996},
    {-1e-300, -9.9999999999999997e+299},
};

TEST(log1mexp_has_known_values_and_limits)
{
    check_points(sfi_log1mexp, log1mexp_points, SFI_COUNT(log1mexp_points),
                 5e-16);
    check_points(sfi_log1mexp_slope, log1mexp_slope_points,
                 SFI_COUNT(log1mexp_slope_points), 5e-16);
    CHECK(sfi_log1mexp(0.0) == -INFINITY && sfi_log1mexp(-INFINITY) == 0.0);
    CHECK(isnan(sfi_log1mexp(1.0)) && isnan(sfi_log1mexp_slope(1.0)));
}

/* The remainder has the sign of b, and is exact: 1e300 is a multiple of 2, and
 * 2^53 + 2 leaves 2 by 3 (2^53 is 2 modulo 3). */
TEST(mod_is_exact_and_has_the_sign_of_its_second_operand)
{
    static const double cases[][3] = {
        {7.5, 2, 1.5}, {-7.5, 2, 0.5}, {7.5, -2, -0.5},    {-7.5, -2, -1.5},
        {6, 2, 0},     {1e300, 2, 0},  {0x1p53 + 2, 3, 1}, {5, INFINITY, 5},
    };
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        CHECK(sfi_mod(cases[i][0], cases[i][1]) == cases[i][2]);
    CHECK(isnan(sfi_mod(1.0, 0.0)) && isnan(sfi_mod(INFINITY, 2.0)));
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

/* mpmath with 50 digits: the series of 0F1, or of 10.40.1 for large w; points in
 * the three regimes and next to their borders (w = 225; 4 w = (k - 1)^4;
 * k = 25), and where Debye's series needs its last terms (k = 40). */
static const struct {
    double k, w, log, slope;
} log_bessel_points[] = {
    {40, 225.5, -4.714057369435429, -0.017722639262145465},
    {42, 226, -4.5633364592257076, -0.017326386382001567},
    {30, 300, -7.0007490820770804, -0.017168194768587944},
    {26, 250, -6.540691757670759, -0.018842347094644337},
    {24, 226, -6.2966512211352889, -0.019816277303096565},
    {1, 0, 0.0, -1.0},
    {0.5, 1e-06, -1.9999853334599097e-6, -1.9999706670463949},
    {0.125, 0.5, 0.49058884299974696, 0.60367968141428106},
    {1, 2.25, -0.57697003835495842, -0.092465336062672848},
    {3, 10, -1.4468726226924901, -0.077223412697026654},
    {0.5, 200, -0.19756625272931566, 1.1045954627832531e-5},
    {2.5, 224.5, -4.0327466707242616, -0.0041464056743624019},
    {40, 150, -3.3080544864754301, -0.019590624193686565},
    {1000000.0, 100, -9.9999999984999995e-5, -9.999999996999999e-7},
    {0.0625, 225.5, 2.7111621091803213, 0.00099423585836486434},
    {1, 226, -1.633041925316654, -0.0010789545896432231},
    {6.25, 250, -6.7196522438453222, -0.0094140246959377489},
    {3, 10000.0, -9.1171876236332898, -0.00012340408951145942},
    {7, 1000000.0, -32.60785991616951, -3.2394040802252271e-6},
    {20, 100000.0, -54.778202180224096, -9.4492119816471713e-5},
    {2.5, 1e+16, -35.322190761541457, -9.9999998968749999e-17},
    {0.5, 1e+18, -0.19314718062244531, 3.125e-29},
    {1000, 1000000000000.0, -6905.1473918286579, -4.9950024987509371e-10},
    {7, 226, -6.709705502910949, -0.01130112345870945},
    {12.5, 700, -12.048209836757101, -0.0066618409244423063},
    {20, 5000, -27.65351149532207, -0.0016827956485867332},
    {33, 10000.0, -41.6401085315794, -0.0013638042010478685},
    {40.5, 300, -5.9301094149011837, -0.016156649787980236},
    {41, 100000.0, -85.674458808818403, -0.00018954889504881151},
    {42, 100000.0, -86.846868844716467, -0.00019390288716108332},
    {150, 10000.0, -43.12008624320735, -0.0029960000246819503},
    {1000, 1000.0, -0.99850282709610553, -0.00099700897208181688},
    {1000, 10000000.0, -1308.3745267242223, -4.2173509054130373e-5},
    {30000.0, 1000000000.0, -15324.681536350945, -8.5713469384185174e-6},
    {1000000.0, 1000000.0, -0.99999850000283333, -9.9999700000899997e-7},
    {1000000.0, 1000000000.0, -998.50332411044985, -9.9700996413151183e-7},
};

/* ln 0F1 has an error of some 1e-15 of itself; the series takes from it what it
 * grows by. */
TEST(log_bessel_has_known_values)
{
    for (size_t i = 0; i < SFI_COUNT(log_bessel_points); i++) {
        const double k = log_bessel_points[i].k, w = log_bessel_points[i].w;
        const double h = sqrt(k * k + 4.0 * w), want = log_bessel_points[i].log;
        const double grown = w < 225.0 ? h - k : 0.0;
        CHECK_NEAR(sfi_log_bessel(k, w), want,
                   2e-15 * (1.0 + grown + fabs(want)));
        CHECK_NEAR(sfi_log_bessel_slope(k, w), log_bessel_points[i].slope,
                   2e-15 * 2.0 / h);
    }
    static const double bad[][2] = {{0.0, 1.0}, {-1.0, 1.0}, {1.0, -1e-9}};
    for (size_t i = 0; i < SFI_COUNT(bad); i++) {
        CHECK(isnan(sfi_log_bessel(bad[i][0], bad[i][1])));
        CHECK(isnan(sfi_log_bessel_slope(bad[i][0], bad[i][1])));
    }
    CHECK(isnan(sfi_log_bessel(NAN, 1.0)) && isnan(sfi_log_bessel(1.0, NAN)));
    CHECK(sfi_log_bessel(0.5, 0.0) == 0.0);
    CHECK(sfi_log_bessel_slope(2.0, INFINITY) == 0.0);
}

/* Order 1/2 is a hyperbolic sine, order -1/2 a cosine: 0F1(; 1/2; w) =
 * cosh(2 sqrt(w)), 0F1(; 3/2; w) = sinh(2 sqrt(w))/(2 sqrt(w)). */
TEST(log_bessel_of_half_orders_is_elementary)
{
    for (double z = 0.01; z < 200.0; z *= 1.3) {
        const double w = 0.25 * z * z;
        const double cosine = z + log1p(exp(-2.0 * z)) - log(2.0);
        const double sine = z + log1p(-exp(-2.0 * z)) - log(2.0 * z);
        CHECK_NEAR(sfi_log_bessel(0.5, w) + sqrt(0.25 + z * z) - 0.5, cosine,
                   1e-14 * (1.0 + z));
        CHECK_NEAR(sfi_log_bessel(1.5, w) + sqrt(2.25 + z * z) - 1.5, sine,
                   1e-14 * (1.0 + z));
        CHECK_NEAR(sfi_log_bessel_slope(0.5, w) + 2.0 / sqrt(0.25 + z * z),
                   2.0 * tanh(z) / z, 4e-15 / (0.25 + z));
    }
}

TESTS(CASE(sigmoid_has_known_values_and_limits),
      CASE(softplus_has_known_values_and_limits),
      CASE(logit_has_known_values_and_limits),
      CASE(log1mexp_has_known_values_and_limits),
      CASE(mod_is_exact_and_has_the_sign_of_its_second_operand),
      CASE(lgamma_has_known_values_and_poles),
      CASE(digamma_has_known_values_and_poles),
      CASE(polygamma_has_known_values), CASE(polygamma_obeys_its_recurrence),
      CASE(log_i0_has_known_values_and_is_even),
      CASE(bessel_ratio_has_known_values_and_is_odd),
      CASE(bessel_ratio_is_the_slope_of_log_i0),
      CASE(log_bessel_has_known_values),
      CASE(log_bessel_of_half_orders_is_elementary))
