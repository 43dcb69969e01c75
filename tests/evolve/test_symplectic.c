/* SPDX-License-Identifier: Apache-2.0 */
/* test_symplectic.c - splitting schemes: their order, that they can be taken back,
 * and what they conserve. */
#include "check.h"
#include "evolve/symplectic.h"

/* A pendulum in each unknown: f = -cos q. */
static sf_status pendulum(sf_context *ctx, void *user, double *value,
                          double *gradient, const double *x, int64_t walkers)
{
    (void)ctx;
    (void)value;
    const int64_t n = *(const int64_t *)user;
    for (int64_t i = 0; i < walkers * n; i++)
        gradient[i] = sin(x[i]);
    return SF_OK;
}

/* A spring, whose motion is known. */
static sf_status spring(sf_context *ctx, void *user, double *value,
                        double *gradient, const double *x, int64_t walkers)
{
    (void)ctx;
    (void)value;
    const int64_t n = *(const int64_t *)user;
    memcpy(gradient, x, (size_t)(walkers * n) * sizeof *x);
    return SF_OK;
}

static sf_functional functional_with(
    sf_status (*gradient)(sf_context *ctx, void *user, double *value,
                          double *gradient, const double *x, int64_t walkers),
    int64_t *n)
{
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.unknowns = *n;
    f.user = n;
    f.gradient = gradient;
    return f;
}

static const sfi_splitting *const schemes[] = {&sfi_leapfrog, &sfi_yoshida};

/* After t = 1 from q = 1, p = 0 with the mass 1/4: q = cos 2t / ..., in time of
 * w = 1/sqrt(mass) = 2. */
static double error_of(sf_context *ctx, const sfi_splitting *s, int64_t steps)
{
    int64_t n = 1;
    const sf_functional f = functional_with(spring, &n);
    const double inverse_mass = 4.0;
    double q = 1.0, p = 0.0, slope = 1.0;
    CHECK_OK(ctx,
             sfi_symplectic_run(ctx, &f, s, &inverse_mass, 1.0 / (double)steps,
                                steps, 1, &q, &p, &slope));
    CHECK(slope == q);
    return hypot(q - cos(2.0), p + 0.5 * sin(2.0));
}

TEST(schemes_have_their_order)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(schemes); k++) {
        const double coarse = error_of(ctx, schemes[k], 40);
        const double fine = error_of(ctx, schemes[k], 80);
        CHECK_NEAR(log2(coarse / fine), schemes[k]->order, 0.05);
    }
    sf_context_free(ctx);
}

TEST(motion_can_be_taken_back)
{
    sf_context *ctx = new_context();
    int64_t n = 2;
    const sf_functional f = functional_with(pendulum, &n);
    for (size_t k = 0; k < SFI_COUNT(schemes); k++) {
        const double start[] = {1.0, -0.4, 0.3, 2.0};
        double q[4], p[4] = {0.5, 0.1, -0.7, 0.0}, slope[4];
        const double began[] = {0.5, 0.1, -0.7, 0.0};
        memcpy(q, start, sizeof q);
        for (int i = 0; i < 4; i++)
            slope[i] = sin(q[i]);
        for (int way = 0; way < 2; way++)
            CHECK_OK(ctx, sfi_symplectic_run(ctx, &f, schemes[k], NULL,
                                             way == 0 ? 0.1 : -0.1, 200, 2, q,
                                             p, slope));
        for (int i = 0; i < 4; i++) {
            CHECK_NEAR(q[i], start[i], 1e-12);
            CHECK_NEAR(p[i], began[i], 1e-12);
        }
    }
    sf_context_free(ctx);
}

/* The energy's error does not grow: its largest over the last hundred periods is
 * that over the first. */
TEST(the_energy_stays)
{
    sf_context *ctx = new_context();
    int64_t n = 1;
    const sf_functional f = functional_with(pendulum, &n);
    for (size_t k = 0; k < SFI_COUNT(schemes); k++) {
        double q = 1.5, p = 0.0, slope = sin(q), most[2] = {0.0, 0.0};
        const double energy = -cos(q);
        for (int t = 0; t < 20000; t++) {
            CHECK_OK(ctx, sfi_symplectic_run(ctx, &f, schemes[k], NULL, 0.2, 1,
                                             1, &q, &p, &slope));
            const double error = fabs(0.5 * p * p - cos(q) - energy);
            const int part = t < 4000 ? 0 : t >= 16000 ? 1 : -1;
            if (part >= 0)
                most[part] = fmax(most[part], error);
        }
        CHECK(most[0] > 0.0 && most[0] < 0.02);
        CHECK_NEAR(most[1] / most[0], 1.0, 0.01);
    }
    sf_context_free(ctx);
}

TESTS(CASE(schemes_have_their_order), CASE(motion_can_be_taken_back),
      CASE(the_energy_stays))
