/* SPDX-License-Identifier: Apache-2.0 */
/* test_density.c - typed densities, their domains, and what solvers see. */
#include "check.h"
#include "typed.h"
#include "model/model.h"

enum { MOST = 8 };

static sf_model *density_of(sf_context *ctx, const char *text, int64_t dim,
                            const char *const *names, const char *domain)
{
    sf_model *d = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.names = names;
    o.domain = domain;
    CHECK_OK(ctx, sf_density_new(ctx, &d, text, dim, &o));
    return d;
}

/* Oracle B15: the score of a normal law is -M (x - mu), its Jacobian -M. */
TEST(a_normal_law_with_parameters)
{
    sf_context *ctx = new_context();
    const double mu[] = {0.5, 0.1}, m[] = {1.2, -0.3, -0.3, 0.8};
    const sf_parameter parameters[] = {{"mu", 1, {2}, mu}, {"M", 2, {2, 2}, m}};
    const char *text = "-0.5*(x - mu)*M*(x - mu)";
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.parameter_count = 2;
    o.parameters = parameters;
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, text, 2, &o));
    const double x[] = {1.0, 2.0, -0.3, 0.4};
    double logp[2], score[4];
    CHECK_OK(ctx, eval_typed(d, (sf_cmat){x, 2, 2, 2}, logp,
                             (sf_mat){score, 2, 2, 2}));
    for (int i = 0; i < 2; i++) {
        const double u = x[2 * i] - mu[0], v = x[2 * i + 1] - mu[1];
        CHECK_NEAR(score[2 * i], -(m[0] * u + m[1] * v), 1e-15);
        CHECK_NEAR(score[2 * i + 1], -(m[2] * u + m[3] * v), 1e-15);
        CHECK_NEAR(logp[i],
                   -0.5 * (m[0] * u * u + 2 * m[1] * u * v + m[3] * v * v),
                   1e-15);
    }
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    const double e[] = {1.0, 0.0};
    double hv[2];
    CHECK_OK(ctx, f.hvp(ctx, f.user, hv, x, e, 1));
    CHECK_NEAR(hv[0], m[0], 1e-15);
    CHECK_NEAR(hv[1], m[2], 1e-15);
    /* Without one of the two answers. */
    double alone[2];
    CHECK_OK(ctx, eval_typed(d, (sf_cmat){x, 2, 2, 2}, alone, (sf_mat){0}));
    CHECK(memcmp(alone, logp, sizeof logp) == 0);
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

typedef struct setting {
    const char *domain, *text;
    int64_t dim;
    double x[MOST];
} setting;

static const char *const letters[] = {"a", "b", "c", "d"};

static const setting settings[] = {
    {"real", "-0.5*a^2 - a*b", 2, {0.3, -1.2}},
    {"positive", "2*log(a) - 3*a", 1, {0.7}},
    {"a=-2:", "-(a + 2)^2", 1, {-1.5}},
    {"a=:5", "a", 1, {4.2}},
    {"-1:3", "-a^2*b", 2, {0.5, 2.9}},
    {"b=circle", "3*cos(b - 0.4) - a^2", 2, {0.2, 2.5}},
    {"simplex", "2*log(a) + 3*log(b) + log(c)", 3, {0.2, 0.7, 0.1}},
    {"c,a=simplex; b=0:1; d=positive",
     "log(a) + 2*log(c) + 4*log(b) - b*d - d",
     4,
     {0.25, 0.4, 0.75, 1.7}}};

/* The logarithm of the volume by differences of the map, by elimination; of
 * shares without the last of them. */
static double volume_by_differences(const sfi_domain *d, const double *y)
{
    double jacobian[MOST][MOST], up[MOST], down[MOST], moved[MOST];
    const double h = 1e-5;
    int64_t kept[MOST], n = 0;
    for (int64_t k = 0; k < d->count; k++)
        for (int64_t i = 0; i < d->regions[k].inner; i++)
            kept[n++] = d->columns[d->regions[k].first + i];
    CHECK(n == d->unknowns);
    for (int64_t j = 0; j < n; j++) {
        memcpy(moved, y, (size_t)n * sizeof *y);
        moved[j] = y[j] + h;
        sfi_domain_from_line(d, moved, up);
        moved[j] = y[j] - h;
        sfi_domain_from_line(d, moved, down);
        for (int64_t i = 0; i < n; i++)
            jacobian[i][j] = (up[kept[i]] - down[kept[i]]) / (2 * h);
    }
    double sum = 0.0;
    for (int64_t k = 0; k < n; k++) {
        sum += log(fabs(jacobian[k][k]));
        for (int64_t i = k + 1; i < n; i++) {
            const double factor = jacobian[i][k] / jacobian[k][k];
            for (int64_t j = k; j < n; j++)
                jacobian[i][j] -= factor * jacobian[k][j];
        }
    }
    return sum;
}

TEST(domains_are_mapped_onto_the_line)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        sf_model *d = density_of(ctx, s->text, s->dim, letters, s->domain);
        const int64_t n = sf_model_unknowns(d);
        double y[MOST], x[MOST], value, logp;
        CHECK_OK(ctx,
                 sf_model_to_unknowns(d, (sf_cmat){s->x, 1, s->dim, s->dim},
                                      (sf_mat){y, 1, n, n}));
        CHECK_OK(ctx, sf_model_from_unknowns(d, (sf_cmat){y, 1, n, n},
                                             (sf_mat){x, 1, s->dim, s->dim}));
        for (int64_t j = 0; j < s->dim; j++)
            CHECK_NEAR(x[j], s->x[j], 1e-14);
        sf_functional f;
        sf_evaluator *owner = functional_of(ctx, d, &f);
        CHECK_OK(ctx, f.value(ctx, f.user, &value, y, 1));
        CHECK_OK(ctx, eval_typed(d, (sf_cmat){s->x, 1, s->dim, s->dim}, &logp,
                                 (sf_mat){0}));
        CHECK_NEAR(-value, logp + volume_by_differences(&d->density->domain, y),
                   1e-8);
        double slope_error, product_error;
        CHECK_OK(ctx, sf_functional_check(ctx, &slope_error, &product_error, &f,
                                          y, 8, 1));
        CHECK_NEAR(slope_error, 0.0, 1e-7);
        CHECK_NEAR(product_error, 0.0, 1e-7);
        sf_evaluator_free(owner);
        sf_model_free(d);
    }
    sf_context_free(ctx);
}

/* Far out the maps stay inside, without overflow of what lies between. */
TEST(far_points_have_finite_values)
{
    sf_context *ctx = new_context();
    sf_model *d =
        density_of(ctx, "2*log(a) + 3*log(b) + log(c)", 3, letters, "simplex");
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    const double y[] = {300.0, -200.0, -350.0, 100.0};
    double value[2], slope[4];
    CHECK_OK(ctx, f.gradient(ctx, f.user, value, slope, y, 2));
    for (int i = 0; i < 4; i++)
        CHECK(isfinite(slope[i]));
    CHECK(isfinite(value[0]) && isfinite(value[1]));
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(angles_come_back_into_one_turn)
{
    sf_context *ctx = new_context();
    const double pi = 3.14159265358979324;
    sf_model *d = density_of(ctx, "cos(a)", 1, letters, "circle");
    const double y[] = {0.5 + 6 * pi, pi, -pi, -3.0 - 4 * pi};
    const double want[] = {0.5, pi, pi, -3.0};
    double x[4];
    CHECK_OK(ctx, sf_model_from_unknowns(d, (sf_cmat){y, 4, 1, 1},
                                         (sf_mat){x, 4, 1, 1}));
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(x[i], want[i], 1e-14);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(outside_its_domain_a_density_is_zero)
{
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-a - b", 2, letters, "a=positive; b=0:1");
    const double x[] = {1.0, 0.5, 0.0, 0.5, 1.0, 1.0, 2.0, 0.1};
    double logp[4], score[8];
    CHECK_OK(ctx, eval_typed(d, (sf_cmat){x, 4, 2, 2}, logp,
                             (sf_mat){score, 4, 2, 2}));
    CHECK(logp[0] == -1.5 && logp[3] == -2.1);
    CHECK(isinf(logp[1]) && logp[1] < 0.0 && isinf(logp[2]));
    CHECK(score[0] == -1.0 && isnan(score[2]) && isnan(score[5]));
    double y[8];
    CHECK_FAILS(
        ctx,
        sf_model_to_unknowns(d, (sf_cmat){x, 4, 2, 2}, (sf_mat){y, 4, 2, 2}),
        SF_E_NUMERIC, "row 2, column \"a\": 0, want a value > 0");
    sf_model_free(d);
    d = density_of(ctx, "log(a)", 2, letters, "simplex");
    CHECK_FAILS(ctx,
                sf_model_to_unknowns(d, (sf_cmat){x + 6, 1, 2, 2},
                                     (sf_mat){y, 1, 1, 1}),
                SF_E_NUMERIC, "want shares > 0 whose sum is 1");
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(free_names_are_found_in_their_order)
{
    sf_context *ctx = new_context();
    char **names = NULL;
    int64_t count = 0;
    const double s = 2.0;
    const sf_parameter known = {"s", 0, {0}, &s};
    CHECK_OK(ctx, sf_density_find_names(
                      ctx, "-0.5*(y^2 + exp(x)*y - 1e-3*e*pi)/s - \"a b\"", 1,
                      &known, &names, &count));
    CHECK(count == 3);
    CHECK(strcmp(names[0], "y") == 0 && strcmp(names[1], "x") == 0 &&
          strcmp(names[2], "a b") == 0);
    sf_density_free_names(ctx, names, count);
    CHECK_OK(ctx, sf_density_find_names(ctx, "1", 0, NULL, &names, &count));
    CHECK(count == 0 && names == NULL);
    CHECK_FAILS(ctx,
                sf_density_find_names(ctx, "1 + ", 0, NULL, &names, &count),
                SF_E_PARSE, "expected");
    CHECK(names == NULL);
    sf_context_free(ctx);
}

static void refused(sf_context *ctx, const char *text, int64_t dim,
                    const char *domain, sf_status status, const char *part)
{
    sf_model *d = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = domain;
    o.names = dim <= 4 ? letters : NULL;
    CHECK_FAILS(ctx, sf_density_new(ctx, &d, text, dim, &o), status, part);
    CHECK(d == NULL);
}

TEST(what_is_no_density_is_refused)
{
    sf_context *ctx = new_context();
    refused(ctx, "-a^2", 0, NULL, SF_E_ARG, "0 numbers");
    refused(ctx, "-q^2", 2, NULL, SF_E_PARSE, "unknown name \"q\"");
    refused(ctx, "x", 2, NULL, SF_E_SHAPE, "2 values, [2]");
    refused(ctx, "a", 2, "a=positiv", SF_E_ARG, "\"a=positiv\"");
    refused(ctx, "a", 2, "q=positive", SF_E_ARG, "\"q=positive\"");
    refused(ctx, "a", 2, "a=3:1", SF_E_ARG, "\"a=3:1\"");
    refused(ctx, "a", 2, "a=0:1; a=0:2", SF_E_ARG, "named twice");
    refused(ctx, "a", 2, "a=simplex", SF_E_ARG, "simplex of 1");
    refused(ctx, "a", 2, "a,b,a=0:1", SF_E_ARG, "twice");
    const char *const same[] = {"a", "a"};
    sf_model *d = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.names = same;
    CHECK_FAILS(ctx, sf_density_new(ctx, &d, "a", 2, &o), SF_E_ARG,
                "\"a\" is used twice");
    const double bad = NAN;
    const sf_parameter nan = {"s", 0, {0}, &bad};
    o.names = NULL;
    o.parameter_count = 1;
    o.parameters = &nan;
    CHECK_FAILS(ctx, sf_density_new(ctx, &d, "s*x0", 2, &o), SF_E_ARG,
                "parameter \"s\" is not finite");
    /* Neither would say which it is. */
    const double one = 1.0;
    const sf_parameter hidden = {"x1", 0, {0}, &one};
    o.parameters = &hidden;
    CHECK_FAILS(ctx, sf_density_new(ctx, &d, "x1*x0", 2, &o), SF_E_ARG,
                "\"x1\" is used twice");
    sf_context_free(ctx);
}

TESTS(CASE(a_normal_law_with_parameters),
      CASE(domains_are_mapped_onto_the_line),
      CASE(far_points_have_finite_values), CASE(angles_come_back_into_one_turn),
      CASE(outside_its_domain_a_density_is_zero),
      CASE(free_names_are_found_in_their_order),
      CASE(what_is_no_density_is_refused))
