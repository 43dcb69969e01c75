/* SPDX-License-Identifier: Apache-2.0 */
/* The seam: callbacks reach the verbs and come back, wrong ones are found. */
#include "faults.h"
#include "functionals.h"
#include "functional/functional.h"

static struct rosenbrock rosenbrock_of(int64_t n)
{
    const struct rosenbrock r = {.n = n};
    return r;
}

TEST(right_derivatives_agree_with_differences)
{
    sf_context *ctx = new_context();
    struct rosenbrock r = rosenbrock_of(7);
    sf_functional f = rosenbrock_functional(&r);
    const double x[7] = {0.3, -0.2, 0.5, 1.1, 0.9, -0.4, 0.2};
    double eg = -1.0, eh = -1.0;
    CHECK_OK(ctx, sf_functional_check(ctx, &eg, &eh, &f, x, 5, 1));
    CHECK_NEAR(eg, 0.0, 1e-7);
    CHECK_NEAR(eh, 0.0, 1e-7);
    f.hvp = NULL;
    f.value = NULL;
    CHECK_OK(ctx, sf_functional_check(ctx, &eg, &eh, &f, x, 5, 1));
    CHECK(isnan(eg) && isnan(eh));
    sf_context_free(ctx);
}

static sf_status wrong_gradient(sf_context *ctx, void *user, double *value,
                                double *gradient, const double *x,
                                int64_t walkers)
{
    const struct rosenbrock *r = user;
    const sf_status status =
        rosenbrock_gradient(ctx, user, value, gradient, x, walkers);
    for (int64_t w = 0; w < walkers; w++)
        gradient[w * r->n + 3] *= 1.01;
    return status;
}

static sf_status wrong_hvp(sf_context *ctx, void *user, double *hv,
                           const double *x, const double *v, int64_t walkers)
{
    const sf_status status = rosenbrock_hvp(ctx, user, hv, x, v, walkers);
    hv[0] += 0.1 * v[1];
    return status;
}

TEST(wrong_derivatives_are_found)
{
    sf_context *ctx = new_context();
    struct rosenbrock r = rosenbrock_of(7);
    sf_functional f = rosenbrock_functional(&r);
    const double x[7] = {0.3, -0.2, 0.5, 1.1, 0.9, -0.4, 0.2};
    double eg = 0.0, eh = 0.0;
    f.gradient = wrong_gradient;
    CHECK_OK(ctx, sf_functional_check(ctx, &eg, &eh, &f, x, 5, 1));
    CHECK(eg > 1e-3);
    CHECK(eh > 1e-3);
    f.gradient = rosenbrock_gradient;
    f.hvp = wrong_hvp;
    CHECK_OK(ctx, sf_functional_check(ctx, &eg, &eh, &f, x, 5, 1));
    CHECK_NEAR(eg, 0.0, 1e-7);
    CHECK(eh > 1e-6);
    sf_context_free(ctx);
}

/* No number at the first pair of points, and at all others what is right. */
static int values_asked;

static sf_status value_with_a_hole(sf_context *ctx, void *user, double *value,
                                   const double *x, int64_t walkers)
{
    const sf_status status = rosenbrock_value(ctx, user, value, x, walkers);
    if (values_asked++ == 0)
        value[0] = NAN;
    return status;
}

TEST(a_value_that_is_no_number_is_not_forgotten)
{
    sf_context *ctx = new_context();
    struct rosenbrock r = rosenbrock_of(7);
    sf_functional f = rosenbrock_functional(&r);
    const double x[7] = {0.3, -0.2, 0.5, 1.1, 0.9, -0.4, 0.2};
    f.value = value_with_a_hole;
    values_asked = 0;
    CHECK_FAILS(ctx, sf_functional_check(ctx, NULL, NULL, &f, x, 5, 1),
                SF_E_NUMERIC, "not finite");
    CHECK(values_asked == 5);
    sf_context_free(ctx);
}

/* A caller compiled against a header that ended before `node` is taken as well, and
 * what it did not know of is not read. */
TEST(a_functional_crosses_the_seam)
{
    sf_context *ctx = new_context();
    struct rosenbrock r = rosenbrock_of(3);
    sf_functional f = rosenbrock_functional(&r), again;
    f.size = offsetof(sf_functional, node);
    memset((char *)&f + f.size, 0x55, sizeof f - f.size);
    CHECK_OK(ctx, sfi_functional_take(ctx, &again, &f, "test"));
    CHECK(again.unknowns == 3 && strcmp(again.name, "rosenbrock") == 0);
    CHECK(again.node == NULL && again.size == sizeof again);
    const double x[6] = {0.5, 2.0, -1.0, 1.0, 1.0, 1.0};
    const double v[6] = {1.0, 0.5, 0.25, 0.0, 1.0, 0.0};
    double value[2], want[2], g[6], want_g[6], hv[6], want_hv[6];
    rosenbrock_gradient(ctx, &r, want, want_g, x, 2);
    rosenbrock_hvp(ctx, &r, want_hv, x, v, 2);
    CHECK_OK(ctx, sfi_functional_gradient(ctx, &again, value, g, x, 2));
    CHECK_OK(ctx, sfi_functional_hvp(ctx, &again, hv, x, v, 2));
    CHECK(memcmp(g, want_g, sizeof g) == 0);
    CHECK(memcmp(hv, want_hv, sizeof hv) == 0);
    CHECK(memcmp(value, want, sizeof value) == 0 && value[1] == 0.0);
    value[0] = 0.0;
    CHECK_OK(ctx, sfi_functional_value(ctx, &again, value, x, 2));
    CHECK(value[0] == want[0]);
    sf_context_free(ctx);
}

static double work_of(void *user)
{
    const struct rosenbrock *r = user;
    return r->n == 3 ? 7.0 : NAN;
}

TEST(work_is_what_a_functional_says_or_0)
{
    struct rosenbrock r = rosenbrock_of(3);
    sf_functional f = rosenbrock_functional(&r);
    CHECK(sfi_functional_work(&f) == 0.0);
    f.work = work_of;
    CHECK(sfi_functional_work(&f) == 7.0);
    r.n = 4;
    CHECK(sfi_functional_work(&f) == 0.0);
}

TEST(differences_stand_in_for_a_missing_hessian)
{
    sf_context *ctx = new_context();
    struct rosenbrock r = rosenbrock_of(4);
    sf_functional f = rosenbrock_functional(&r);
    sf_functional inner;
    const double x[4] = {0.5, 2.0, -1.0, 1.0}, v[4] = {3e4, -1e4, 2e4, 1.0};
    const double zero[4] = {0.0};
    double hv[4], want[4], work[16];
    rosenbrock_hvp(ctx, &r, want, x, v, 1);
    f.hvp = NULL;
    CHECK_OK(ctx, sfi_functional_take(ctx, &inner, &f, "test"));
    CHECK_OK(ctx, sfi_functional_curvature(ctx, &inner, hv, x, v, work));
    for (int j = 0; j < 4; j++)
        CHECK_NEAR(hv[j], want[j], 1e-8 * fabs(want[1]));
    CHECK_OK(ctx, sfi_functional_curvature(ctx, &inner, hv, x, zero, work));
    for (int j = 0; j < 4; j++)
        CHECK(hv[j] == 0.0);
    CHECK_FAILS(ctx, sfi_functional_hvp(ctx, &inner, hv, x, v, 1),
                SF_E_UNSUPPORTED, "rosenbrock: it has no Hessian products");
    sf_context_free(ctx);
}

TEST(what_is_missing_or_failed_is_named)
{
    sf_context *ctx = new_context();
    struct rosenbrock r = rosenbrock_of(2);
    sf_functional f = rosenbrock_functional(&r);
    sf_functional inner;
    const double x[2] = {0.0, 0.0};
    double value = 0.0, g[2], e = 0.0;
    CHECK_FAILS(ctx, sfi_functional_take(ctx, &inner, NULL, "test"), SF_E_ARG,
                "test: the functional is NULL");
    f.unknowns = 0;
    CHECK_FAILS(ctx, sfi_functional_take(ctx, &inner, &f, "test"), SF_E_SHAPE,
                "rosenbrock has 0 unknowns");
    f.unknowns = 2;
    f.size = 1;
    CHECK_FAILS(ctx, sfi_functional_take(ctx, &inner, &f, "test"), SF_E_ARG,
                "test: functional: options.size is 1");
    f.size = sizeof f;
    f.gradient = NULL;
    CHECK_FAILS(ctx, sfi_functional_take(ctx, &inner, &f, "test"), SF_E_ARG,
                "rosenbrock has no gradient");
    f.gradient = rosenbrock_gradient;
    f.value = NULL;
    CHECK_OK(ctx, sfi_functional_take(ctx, &inner, &f, "test"));
    CHECK_FAILS(ctx, sfi_functional_value(ctx, &inner, &value, x, 1),
                SF_E_UNSUPPORTED, "gradients only");
    CHECK_FAILS(ctx, sfi_functional_gradient(ctx, &inner, &value, g, x, 1),
                SF_E_UNSUPPORTED, "gradients only");
    r.trouble.fail_at = r.trouble.calls + 1;
    r.trouble.status = SF_E_IO;
    CHECK_FAILS(ctx, sfi_functional_gradient(ctx, &inner, NULL, g, x, 1),
                SF_E_IO, "rosenbrock: its gradient failed");
    CHECK_FAILS(ctx, sf_functional_check(ctx, &e, &e, &f, x, 0, 0), SF_E_ARG,
                "directions is 0");
    f.value = rosenbrock_value;
    r.trouble.wall = -1.0;
    CHECK_FAILS(ctx, sf_functional_check(ctx, &e, &e, &f, x, 3, 0),
                SF_E_NUMERIC, "rosenbrock is not finite");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    struct rosenbrock r = rosenbrock_of(3);
    const sf_functional f = rosenbrock_functional(&r);
    const double x[3] = {0.0, 1.0, 2.0};
    double eg = 0.0, eh = 0.0;
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = sf_functional_check(ctx, &eg, &eh, &f, x, 1, 0);
    assert_int_equal(faults.tries, 2);
    sf_context_free(ctx);
}

TESTS(CASE(right_derivatives_agree_with_differences),
      CASE(wrong_derivatives_are_found),
      CASE(a_value_that_is_no_number_is_not_forgotten),
      CASE(a_functional_crosses_the_seam),
      CASE(work_is_what_a_functional_says_or_0),
      CASE(differences_stand_in_for_a_missing_hessian),
      CASE(what_is_missing_or_failed_is_named), CASE(every_allocation_may_fail))
