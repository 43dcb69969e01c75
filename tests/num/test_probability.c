/* SPDX-License-Identifier: Apache-2.0 */
/* Normal quantiles and beta probabilities against values computed with 40 digits
 * (mpmath), and against what defines them. */
#include "check.h"

#include "num/probability.h"

TEST(normal_quantiles_are_known)
{
    static const struct {
        double p, x;
    } points[] = {
        {1e-300, -37.047096299361199},
        {1e-100, -21.273453560965324},
        {1e-20, -9.2623400897984076},
        {1e-09, -5.9978070150076869},
        {2.5e-05, -4.0556269811224012},
        {0.001, -3.0902323061678135},
        {0.02, -2.053748910631823},
        {0.2, -0.84162123357291417},
        {0.2499, -0.67480447011060999},
        {0.2501, -0.67417509707465894},
        {0.3, -0.52440051270804082},
        {0.4, -0.25334710313579974},
        {0.499, -0.0025066308995717662},
        {0.49999999, -2.5066282733116223e-8},
        {0.5, 0.0},
        {0.500001, 2.5066282747057052e-6},
        {0.55, 0.12566134685507415},
        {0.75, 0.67448975019608174},
        {0.751, 0.6776399648779957},
        {0.9, 1.2815515655446006},
        {0.975, 1.9599639845400539},
        {0.9999, 3.7190164854557084},
        {1.0 - 0x1p-40, 7.0477002566644087},
        {1.0 - 0x1p-53, 8.2095361516013869},
    };
    for (size_t i = 0; i < SFI_COUNT(points); i++)
        CHECK_CLOSE(sfi_normal_quantile(points[i].p), points[i].x, 1e-15);
    CHECK(sfi_normal_quantile(0.0) == -INFINITY);
    CHECK(sfi_normal_quantile(1.0) == INFINITY);
    CHECK(isnan(sfi_normal_quantile(-0.1)) && isnan(sfi_normal_quantile(1.1)));
    CHECK(isnan(sfi_normal_quantile(NAN)));
}

/* Phi(x(p)) = p: an error of 2e-15 in x is one of 2e-15 x f(x)/p ~ 2e-15 x^2 in
 * ln p. */
TEST(normal_quantiles_have_their_probability)
{
    double before = -INFINITY;
    for (int i = 1; i < 4000; i++) {
        const double p = i / 4000.0, x = sfi_normal_quantile(p);
        CHECK(x > before);
        before = x;
        CHECK_CLOSE(0.5 * erfc(-x * sqrt(0.5)), p, 1e-15 * (2.0 + 2.0 * x * x));
    }
    for (double p = 0.25; p > 1e-300; p *= 0.7) {
        const double x = sfi_normal_quantile(p);
        CHECK_CLOSE(0.5 * erfc(-x * sqrt(0.5)), p, 1e-15 * (2.0 + 2.0 * x * x));
    }
}

TEST(beta_probabilities_are_known)
{
    static const struct {
        double a, b, x, value;
    } points[] = {
        {1, 1, 0.3, 0.3},
        {2, 3, 0.4, 0.5248},
        {0.5, 0.5, 0.01, 0.063768560858519849},
        {1, 11, 0.2, 0.91410065408},
        {21, 381, 0.05, 0.4454450431927555},
        {21, 381, 0.06, 0.76885536162588713},
        {21, 381, 0.02, 7.8936285452392752e-5},
        {201, 3801, 0.055, 0.91391186116073801},
        {2001, 2001, 0.5, 0.5},
        {2001, 2001, 0.48, 0.0056818771181132779},
        {1001, 19001, 0.0525, 0.94273069226474475},
        {19001, 1001, 0.95, 0.5077650173095717},
        {50001, 50001, 0.501, 0.73645712746315771},
        {3.5, 0.25, 0.999, 0.73902350252580115},
    };
    for (size_t i = 0; i < SFI_COUNT(points); i++) {
        const double a = points[i].a, b = points[i].b, x = points[i].x;
        const double sum = a + b, want = points[i].value;
        const double error = fmax(1e-14, 1e-15 * sum * log(sum));
        CHECK_CLOSE(sfi_beta_probability(a, b, x), want, error);
        CHECK_CLOSE(sfi_beta_probability(b, a, 1.0 - x), 1.0 - want,
                    fmax(error, 1e-14 / (1.0 - want)));
    }
    CHECK(sfi_beta_probability(2, 3, 0.0) == 0.0);
    CHECK(sfi_beta_probability(2, 3, -1.0) == 0.0);
    CHECK(sfi_beta_probability(2, 3, 1.0) == 1.0);
    CHECK(isnan(sfi_beta_probability(0, 3, 0.5)));
    CHECK(isnan(sfi_beta_probability(2, 3, NAN)));
}

/* Whole a and b: at least a of n = a + b - 1 coins show heads. */
TEST(beta_probabilities_are_binomial_tails)
{
    for (int n = 1; n <= 40; n++) {
        for (double x = 0.05; x < 1.0; x += 0.1) {
            double tail = 0.0, term = pow(x, n);
            for (int heads = n; heads >= 1; heads--) {
                tail += term;
                CHECK_CLOSE(sfi_beta_probability(heads, n + 1 - heads, x), tail,
                            1e-15 * 41.0 * log(41.0));
                term *= heads * (1.0 - x) / ((n + 1 - heads) * x);
            }
        }
    }
}

TESTS(CASE(normal_quantiles_are_known),
      CASE(normal_quantiles_have_their_probability),
      CASE(beta_probabilities_are_known),
      CASE(beta_probabilities_are_binomial_tails))
