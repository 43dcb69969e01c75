/* SPDX-License-Identifier: Apache-2.0 */
/* test_matching.c - parameters by score matching: closed forms, standard errors, and
 * what cannot be estimated. */
#include "base/random.h"
#include "faults.h"
#include "typed.h"
#include "scorefield/matching.h"

enum { MOST = 4 };

/* A parameter whose first value is the same number throughout. */
typedef struct given {
    const char *name;
    int rank;
    int64_t extent;
    double value;
} given;

static sf_model *density_of(sf_context *ctx, const char *text, int64_t dim,
                            const char *domain, int count, const given *g)
{
    double values[MOST][16];
    sf_parameter parameters[MOST];
    for (int k = 0; k < count; k++) {
        for (int i = 0; i < 16; i++)
            values[k][i] =
                g[k].rank < 2 || i % (g[k].extent + 1) == 0 ? g[k].value : 0.0;
        parameters[k] = (sf_parameter){
            g[k].name, g[k].rank, {g[k].extent, g[k].extent}, values[k]};
    }
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = domain;
    o.parameter_count = count;
    o.parameters = parameters;
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, text, dim, &o));
    return d;
}

static sf_matching match(sf_context *ctx, sf_model *d, sf_cmat x,
                         const char *parameters, const char *weight)
{
    sf_matching m;
    sf_matching_options o = SF_MATCHING_OPTIONS_INIT;
    o.parameters = parameters;
    o.weight = weight;
    CHECK_OK(ctx, sf_match_scores(ctx, &m, d, x, &o));
    return m;
}

static const double pairs[] = {0.3,  -1.1, 1.7, 0.4, -0.6,
                               -0.2, 2.1,  1.5, 0.2, 0.9};
static const sf_cmat pairs_x = {pairs, 5, 2, 2};
static const double rain[] = {0.2, 0.5, 1.1, 1.9, 0.7};
static const sf_cmat rain_x = {rain, 5, 1, 1};

/* Oracle B16: mean and inverse covariance, divisor T; J is -tr M / 2.  In M and M mu
 * the objective is a quadratic, in M and mu it is not. */
TEST(normal_laws_have_their_moments)
{
    const double m00 = 1.5375271362065457, m01 = -1.0288427851730368;
    const double m11 = 1.9322355950535992, least = -1.7348813656300726;
    sf_context *ctx = new_context();
    const given linear[] = {{"M", 2, 2, 1.0}, {"b", 1, 2, 0.0}};
    sf_model *d = density_of(ctx, "-0.5*x*M*x + b*x", 2, NULL, 2, linear);
    sf_matching m = match(ctx, d, pairs_x, "M=symmetric; b", NULL);
    CHECK(m.quadratic && m.identified && m.count == 5 && m.rows == 5);
    CHECK(strcmp(m.names[1], "M[1,0]") == 0 && strcmp(m.names[4], "b[1]") == 0);
    CHECK_CLOSE(m.estimate[0], m00, 1e-10);
    CHECK_CLOSE(m.estimate[1], m01, 1e-10);
    CHECK_CLOSE(m.estimate[2], m11, 1e-10);
    CHECK_CLOSE(m.estimate[3], m00 * 0.74 + m01 * 0.3, 1e-10);
    CHECK_CLOSE(m.estimate[4], m01 * 0.74 + m11 * 0.3, 1e-10);
    CHECK_CLOSE(m.objective, least, 1e-10);
    /* The density has them now. */
    const double mu[] = {0.74, 0.3};
    double score[2];
    CHECK_OK(ctx, eval_typed(d, (sf_cmat){mu, 1, 2, 2}, NULL,
                             (sf_mat){score, 1, 2, 2}));
    CHECK_NEAR(score[0], 0.0, 1e-12);
    CHECK_NEAR(score[1], 0.0, 1e-12);
    sf_matching_free(ctx, &m);
    sf_model_free(d);

    const given curved[] = {{"M", 2, 2, 1.0}, {"mu", 1, 2, 0.0}};
    d = density_of(ctx, "-0.5*(x - mu)*M*(x - mu)", 2, NULL, 2, curved);
    m = match(ctx, d, pairs_x, "M=symmetric; mu", NULL);
    CHECK(!m.quadratic && m.identified && m.iterations > 0);
    CHECK_CLOSE(m.estimate[0], m00, 1e-9);
    CHECK_CLOSE(m.estimate[1], m01, 1e-9);
    CHECK_CLOSE(m.estimate[2], m11, 1e-9);
    CHECK_CLOSE(m.estimate[3], 0.74, 1e-9);
    CHECK_CLOSE(m.estimate[4], 0.3, 1e-9);
    CHECK_CLOSE(m.objective, least, 1e-10);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Also where a matrix was symmetric and is so no more. */
TEST(the_density_is_that_of_the_estimates)
{
    sf_context *ctx = new_context();
    const given one[] = {{"M", 2, 2, 1.0}};
    sf_model *d = density_of(ctx, "x*(M*x^2) - x0^4 - x1^4", 2, NULL, 1, one);
    sf_matching m = match(ctx, d, pairs_x, NULL, NULL);
    CHECK(m.quadratic && fabs(m.estimate[1] - m.estimate[2]) > 0.01);
    const double *e = m.estimate, x[] = {0.7, -1.3};
    const double squares[] = {x[0] * x[0], x[1] * x[1]};
    double score[2];
    CHECK_OK(ctx, eval_typed(d, (sf_cmat){x, 1, 2, 2}, NULL,
                             (sf_mat){score, 1, 2, 2}));
    for (int j = 0; j < 2; j++)
        CHECK_NEAR(score[j],
                   e[2 * j] * squares[0] + e[2 * j + 1] * squares[1] +
                       2.0 * x[j] * (x[0] * e[j] + x[1] * e[2 + j]) -
                       4.0 * x[j] * squares[j],
                   1e-12);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Oracle B19: in the chart ln x the rate of an exponential law is 2 m1/m2, and a gamma
 * law has the moments of the rows. */
TEST(positive_numbers)
{
    sf_context *ctx = new_context();
    const given rate[] = {{"r", 0, 0, 1.0}};
    sf_model *d = density_of(ctx, "-r*x0", 1, "positive", 1, rate);
    sf_matching m = match(ctx, d, rain_x, NULL, NULL);
    CHECK(m.quadratic);
    CHECK_CLOSE(m.estimate[0], 1.5714285714285714, 1e-12);
    /* By hand: psi = 1 - r x, J = (1 - r x)^2/2 - r x; V/H^2 with H = m2. */
    double v = 0.0, m2 = 0.0;
    for (int i = 0; i < 5; i++) {
        const double slope = m.estimate[0] * rain[i] * rain[i] - 2.0 * rain[i];
        v += slope * slope / 5;
        m2 += rain[i] * rain[i] / 5;
    }
    CHECK_CLOSE(m.error[0], sqrt(v / 5) / m2, 1e-12);
    sf_matching_free(ctx, &m);
    /* The same with the weight written out. */
    m = match(ctx, d, rain_x, "r", "d^2");
    CHECK_CLOSE(m.estimate[0], 1.5714285714285714, 1e-12);
    sf_matching_free(ctx, &m);
    sf_model_free(d);

    const given both[] = {{"k", 0, 0, 1.0}, {"r", 0, 0, 1.0}};
    d = density_of(ctx, "(k - 1)*log(x0) - r*x0", 1, "positive", 2, both);
    m = match(ctx, d, rain_x, "k=positive; r=positive", NULL);
    CHECK(m.quadratic);
    CHECK_CLOSE(m.estimate[0], 2.240740740740741, 1e-12);
    CHECK_CLOSE(m.estimate[1], 2.5462962962962963, 1e-12);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Oracle B20: a normal law on the positive numbers with the weight h = x. */
TEST(truncated_normal_law)
{
    sf_context *ctx = new_context();
    const given both[] = {{"a", 0, 0, 1.0}, {"b", 0, 0, 0.0}};
    sf_model *d = density_of(ctx, "b*x0 - 0.5*a*x0^2", 1, "positive", 2, both);
    sf_matching m = match(ctx, d, rain_x, NULL, "d");
    CHECK(m.quadratic);
    CHECK_CLOSE(m.estimate[0], 1.5833628736854544, 1e-12);
    CHECK_CLOSE(m.estimate[1], 0.8788254755996692, 1e-12);
    CHECK_CLOSE(m.objective, -0.9539465910433652, 1e-12);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Oracle B21: von Mises in cosine and sine. */
TEST(angles)
{
    const double theta[] = {0.3, -0.5, 1.2, 0.8, 2.4, -0.1};
    sf_context *ctx = new_context();
    const given both[] = {{"a", 0, 0, 1.0}, {"b", 0, 0, 0.0}};
    sf_model *d =
        density_of(ctx, "a*cos(x0) + b*sin(x0)", 1, "circle", 2, both);
    sf_matching m = match(ctx, d, (sf_cmat){theta, 6, 1, 1}, NULL, NULL);
    CHECK(m.quadratic);
    CHECK_CLOSE(m.estimate[0], 1.4804728182461424, 1e-12);
    CHECK_CLOSE(m.estimate[1], 0.5717428236593847, 1e-12);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    /* In kappa and mu it is no quadratic. */
    const given polar[] = {{"k", 0, 0, 1.0}, {"mu", 0, 0, 0.5}};
    d = density_of(ctx, "k*cos(x0 - mu)", 1, "circle", 2, polar);
    m = match(ctx, d, (sf_cmat){theta, 6, 1, 1}, "k=positive; mu", NULL);
    CHECK(!m.quadratic);
    CHECK_CLOSE(m.estimate[0], 1.587038002686666, 1e-9);
    CHECK_NEAR(
        remainder(m.estimate[1] - 0.36854423817014414, 6.283185307179586), 0.0,
        1e-9);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
}

static double normal_of(uint64_t point, uint32_t j)
{
    return sfi_normal_at((sfi_where){11, point, 0, SFI_STREAM_USER}, j);
}

/* Gamma variates of whole shapes as sums of exponential ones. */
static double gamma_of(uint64_t point, uint32_t first, int shape)
{
    double sum = 0.0;
    for (int i = 0; i < shape; i++)
        sum -= log(sfi_uniform_at((sfi_where){11, point, 1, SFI_STREAM_USER},
                                  first + (uint32_t)i));
    return sum;
}

/* Dirichlet(2, 3, 1): within four of its standard errors. */
TEST(shares)
{
    enum { N = 20000 };
    static double x[N * 3];
    const double want[] = {2.0, 3.0, 1.0};
    sf_context *ctx = new_context();
    for (uint64_t i = 0; i < N; i++) {
        const double g[] = {gamma_of(i, 0, 2), gamma_of(i, 4, 3),
                            gamma_of(i, 8, 1)};
        for (int j = 0; j < 3; j++)
            x[i * 3 + (uint64_t)j] = g[j] / (g[0] + g[1] + g[2]);
    }
    const given alpha[] = {{"a", 1, 3, 1.0}};
    sf_model *d = density_of(
        ctx, "(a[0]-1)*log(x0) + (a[1]-1)*log(x1) + (a[2]-1)*log(x2)", 3,
        "simplex", 1, alpha);
    sf_matching m = match(ctx, d, (sf_cmat){x, N, 3, 3}, NULL, NULL);
    CHECK(m.quadratic && m.identified);
    for (int j = 0; j < 3; j++) {
        CHECK_NEAR(m.estimate[j], want[j], 4.0 * m.error[j]);
        CHECK(m.error[j] < 0.05);
    }
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Over many data sets estimates scatter by their standard errors. */
TEST(standard_errors_are_the_scatter)
{
    enum { SETS = 400, N = 200 };
    double x[N], sum = 0.0, squares = 0.0, error = 0.0;
    sf_context *ctx = new_context();
    const given both[] = {{"m", 0, 0, 0.0}, {"s", 0, 0, 1.0}};
    sf_model *d = density_of(ctx, "-0.5*(x0 - m)^2/s^2", 1, NULL, 2, both);
    for (uint64_t k = 0; k < SETS; k++) {
        for (uint32_t i = 0; i < N; i++)
            x[i] = 3.0 + 2.0 * normal_of(k, i);
        sf_matching m =
            match(ctx, d, (sf_cmat){x, N, 1, 1}, "m; s=positive", NULL);
        sum += m.estimate[1] / SETS;
        squares += m.estimate[1] * m.estimate[1] / SETS;
        error += m.error[1] * m.error[1] / SETS;
        sf_matching_free(ctx, &m);
    }
    /* Here the estimate is that of maximum likelihood: variance s^2/(2 N). */
    CHECK_NEAR(sqrt(error), 2.0 / sqrt(2.0 * N), 0.005);
    CHECK_NEAR(sqrt(squares - sum * sum), sqrt(error), 0.01);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* ---- slices ----------------------------------------------------------------------- */

enum { WIDE = 50, WIDE_ROWS = 1000, LINKS = 16 };

static sf_matching match_slices(sf_context *ctx, sf_model *d, sf_cmat x,
                                const char *parameters, int64_t slices,
                                uint64_t seed)
{
    sf_matching m;
    sf_matching_options o = SF_MATCHING_OPTIONS_INIT;
    o.parameters = parameters;
    o.slices = slices;
    o.seed = seed;
    CHECK_OK(ctx, sf_match_scores(ctx, &m, d, x, &o));
    return m;
}

/* Of a diagonal Hessian v' A v is the trace for every v of 1 and -1. */
TEST(slices_are_exact_where_numbers_do_not_meet)
{
    static double x[WIDE_ROWS * WIDE];
    double first[WIDE];
    for (uint64_t i = 0; i < WIDE_ROWS; i++)
        for (uint32_t j = 0; j < WIDE; j++)
            x[i * WIDE + j] = (1.0 + 0.1 * j) * normal_of(i, j);
    for (int j = 0; j < WIDE; j++)
        first[j] = 1.0;
    const sf_parameter m = {"m", 1, {WIDE}, first};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.parameter_count = 1;
    o.parameters = &m;
    sf_context *ctx = new_context();
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-0.5*m*x^2", WIDE, &o));
    const sf_cmat rows = {x, WIDE_ROWS, WIDE, WIDE};
    sf_matching exact = match_slices(ctx, d, rows, "m", 0, 0);
    for (int64_t slices = 1; slices <= 3; slices += 2) {
        sf_matching sliced = match_slices(ctx, d, rows, "m", slices, 7);
        CHECK(sliced.quadratic && sliced.identified);
        for (int j = 0; j < WIDE; j++) {
            CHECK_CLOSE(sliced.estimate[j], exact.estimate[j], 1e-12);
            CHECK_CLOSE(sliced.error[j], exact.error[j], 1e-9);
        }
        CHECK_CLOSE(sliced.objective, exact.objective, 1e-12);
        sf_matching_free(ctx, &sliced);
    }
    sf_matching_free(ctx, &exact);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Neighbours of a process have the correlation r: the inverse covariance is
 * (D - r T)/(1 - r^2), T of ones beside the diagonal, D of 1 + r^2 but for 1 at the
 * ends.  The trace of T is 0 and v' T v has the variance 4 (n - 1), so b has an error
 * that an exact trace does not give it. */
static sf_model *process(sf_context *ctx, double r)
{
    static double diagonal[LINKS][LINKS], beside[LINKS][LINKS];
    for (int i = 0; i < LINKS; i++) {
        diagonal[i][i] = i == 0 || i == LINKS - 1 ? 1.0 : 1.0 + r * r;
        if (i > 0)
            beside[i][i - 1] = beside[i - 1][i] = 1.0;
    }
    const double one = 1.0;
    const sf_parameter all[] = {{"D", 2, {LINKS, LINKS}, diagonal[0]},
                                {"T", 2, {LINKS, LINKS}, beside[0]},
                                {"a", 0, {0}, &one},
                                {"b", 0, {0}, &one}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.parameter_count = 4;
    o.parameters = all;
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-0.5*(a*(x*D*x) + b*(x*T*x))", LINKS,
                                 &o));
    return d;
}

/* Over data sets and directions, errors are the scatter, which K = 1 widens. */
TEST(slices_have_the_errors_that_are_told)
{
    enum { SETS = 60, N = 200 };
    static double x[N * LINKS];
    const double r = 0.6, want[] = {1.0 / (1.0 - r * r), -r / (1.0 - r * r)};
    const int64_t slices[] = {0, 1, 8};
    double spread[3][2] = {{0.0}}, error[3][2] = {{0.0}};
    sf_context *ctx = new_context();
    sf_model *d = process(ctx, r);
    for (uint64_t set = 0; set < SETS; set++) {
        for (uint64_t i = 0; i < N; i++)
            for (uint32_t j = 0; j < LINKS; j++)
                x[i * LINKS + j] =
                    j == 0 ? normal_of(set * N + i, 0)
                           : r * x[i * LINKS + j - 1] +
                                 sqrt(1.0 - r * r) * normal_of(set * N + i, j);
        for (int k = 0; k < 3; k++) {
            sf_matching m = match_slices(ctx, d, (sf_cmat){x, N, LINKS, LINKS},
                                         "a; b", slices[k], set);
            CHECK(m.quadratic && m.identified);
            for (int j = 0; j < 2; j++) {
                const double off = m.estimate[j] - want[j];
                CHECK_NEAR(off, 0.0, 4.5 * m.error[j]); /* 360 of them */
                spread[k][j] += off * off / SETS;
                error[k][j] += m.error[j] * m.error[j] / SETS;
            }
            sf_matching_free(ctx, &m);
        }
    }
    /* A mean of 60 squares is off by sqrt(2/60) = 0.18 of it. */
    for (int k = 0; k < 3; k++)
        for (int j = 0; j < 2; j++)
            CHECK_CLOSE(spread[k][j], error[k][j], 0.8);
    /* What slices add falls as 1/K. */
    CHECK(error[1][1] > 1.5 * error[0][1]);
    CHECK_CLOSE(8.0 * (error[2][1] - error[0][1]), error[1][1] - error[0][1],
                0.1);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Directions are a function of the seed and the row. */
TEST(slices_do_not_depend_on_threads)
{
    enum { N = 3000 };
    static double x[N * 3];
    const int threads[] = {1, 2, 7};
    double told[4] = {0.0};
    sf_context *ctx = new_context();
    const given both[] = {{"a", 0, 0, 1.0}, {"b", 0, 0, 1.0}};
    for (uint64_t i = 0; i < N * 3; i++)
        x[i] = normal_of(i, 0);
    sf_model *d =
        density_of(ctx, "-0.5*a*(x*x) - b*x0*x1*x2", 3, NULL, 2, both);
    const sf_cmat rows = {x, N, 3, 3};
    for (size_t k = 0; k < SFI_COUNT(threads); k++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        sf_matching m = match_slices(ctx, d, rows, NULL, 2, 5);
        const double now[] = {m.estimate[0], m.estimate[1], m.error[0],
                              m.error[1]};
        CHECK(k == 0 || memcmp(now, told, sizeof now) == 0);
        memcpy(told, now, sizeof now);
        sf_matching_free(ctx, &m);
    }
    sf_matching other = match_slices(ctx, d, rows, NULL, 2, 6);
    CHECK(other.estimate[1] != told[1]);
    sf_matching_free(ctx, &other);
    sf_model_free(d);
    sf_context_free(ctx);
}

static void refused(sf_context *ctx, sf_model *d, sf_cmat x,
                    const char *parameters, const char *weight,
                    sf_status status, const char *part)
{
    sf_matching m;
    sf_matching_options o = SF_MATCHING_OPTIONS_INIT;
    o.parameters = parameters;
    o.weight = weight;
    CHECK_FAILS(ctx, sf_match_scores(ctx, &m, d, x, &o), status, part);
    CHECK(m.names == NULL && m.estimate == NULL);
}

static void keep_text(void *user, const char *text)
{
    snprintf(user, 400, "%s", text);
}

/* Two normal laws, 30 % of the rows in the first.  At +-2 a few hundred rows tell the
 * weight; at +-6 hardly one row in 10^8 lies where both laws count, and the text names
 * the weight alone.  Means are told by all rows. */
TEST(what_rests_on_a_few_rows_is_named)
{
    enum { ROWS = 3000 };
    static double x[ROWS];
    static const double half[] = {2.0, 6.0};
    for (int far = 0; far < 2; far++) {
        char warning[400] = "";
        sf_context *ctx = new_context();
        sf_context_set_warning(ctx, keep_text, warning);
        for (int i = 0; i < ROWS; i++)
            x[i] = normal_of((uint64_t)i, 0) +
                   (i % 10 < 3 ? -half[far] : half[far]);
        char text[200];
        snprintf(text, sizeof text,
                 "logaddexp(l - 0.5*(x - m + %g)^2, -0.5*(x - %g)^2)",
                 half[far], half[far]);
        const given g[] = {{"l", 0, 0, 0.0}, {"m", 0, 0, 0.0}};
        sf_model *d = density_of(ctx, text, 1, NULL, 2, g);
        sf_matching m = match(ctx, d, (sf_cmat){x, ROWS, 1, 1}, "l; m", NULL);
        CHECK_NEAR(m.estimate[1], 0.0, 5.0 * m.error[1]);
        if (far == 0) {
            CHECK_NEAR(m.estimate[0], log(3.0 / 7.0), 5.0 * m.error[0]);
            CHECK(warning[0] == '\0');
        } else {
            CHECK(strstr(warning, "l rests on ") == warning);
            CHECK(strstr(warning, " of 3000 rows") != NULL);
        }
        sf_matching_free(ctx, &m);
        sf_model_free(d);
        sf_context_free(ctx);
    }
}

TEST(what_cannot_be_estimated_is_told)
{
    sf_context *ctx = new_context();
    const given both[] = {{"a", 0, 0, 1.0}, {"b", 0, 0, 1.0}};
    sf_model *d = density_of(ctx, "-(a + b)*x0^2", 1, NULL, 2, both);
    refused(ctx, d, rain_x, NULL, NULL, SF_E_NUMERIC,
            "identifiable from the data: ");
    refused(ctx, d, rain_x, "q", NULL, SF_E_ARG, "\"q\" is no parameter");
    refused(ctx, d, rain_x, "a=half", NULL, SF_E_ARG, "\"a=half\"");
    refused(ctx, d, rain_x, "a=symmetric", NULL, SF_E_SHAPE, "square");
    refused(ctx, d, rain_x, "a; a", NULL, SF_E_ARG, "named twice");
    refused(ctx, d, (sf_cmat){rain, 1, 1, 1}, "a", NULL, SF_E_ARG, "1 rows");
    /* One of them can be. */
    sf_matching m = match(ctx, d, rain_x, "b", NULL);
    CHECK(m.count == 1 && m.identified);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    const given rate[] = {{"r", 0, 0, 1.0}};
    d = density_of(ctx, "-r*x0", 1, "positive", 1, rate);
    refused(ctx, d, pairs_x, NULL, NULL, SF_E_SHAPE, "columns");
    refused(ctx, d, (sf_cmat){pairs, 5, 1, 1}, NULL, NULL, SF_E_NUMERIC,
            "row 2, column \"x0\": -1.1, want a value > 0");
    refused(ctx, d, rain_x, NULL, "d +", SF_E_PARSE, "expected");
    sf_model_free(d);
    d = density_of(ctx, "-x0^2", 1, NULL, 0, NULL);
    refused(ctx, d, rain_x, NULL, NULL, SF_E_ARG, "no parameters");
    sf_model_free(d);
    sf_context_free(ctx);
}

/* A parameter that must be positive is, where the linear system says otherwise. */
TEST(forms_are_kept)
{
    const double x[] = {0.9, 1.0, 1.1, 1.05};
    sf_context *ctx = new_context();
    const given one[] = {{"a", 0, 0, 0.5}, {"b", 0, 0, 0.5}};
    sf_model *d = density_of(ctx, "-a*x0^2 - b*x0^4", 1, NULL, 2, one);
    sf_matching m = match(ctx, d, (sf_cmat){x, 4, 1, 1}, NULL, NULL);
    CHECK(m.quadratic && m.estimate[0] < 0.0 && m.estimate[1] > 0.0);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    d = density_of(ctx, "-a*x0^2 - b*x0^4", 1, NULL, 2, one);
    m = match(ctx, d, (sf_cmat){x, 4, 1, 1}, "a=0.1:2; b", NULL);
    CHECK(!m.quadratic && m.estimate[0] >= 0.1 && m.estimate[0] < 0.11);
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* ---- jumps ------------------------------------------------------------------------ */

TEST(what_jumps_is_refused)
{
    static const char *const jumping[] = {
        "-a*abs(x0 - b)", "-a*sqrt((x0 - b)^2)", "-a*norm(x) + b*x0",
        "-a*max(x0, -b*x0)", "-where(x0 > 0, a*x0^2, -b*x0)"};
    static const char *const smooth[] = {
        "-a*sqrt((x0 - b)^2 + 0.1)",
        "-where(x0 > 0, a*x0^2, b*x0^2)",
        "-a*abs(x0)^3 - b*x0^2",
        "-a*abs(x0)^1.1 - b*x0^2",
        "a*log(abs(x0)) - b*x0^2",
        "-a*x0^2 - b*max(x0, 0.3)^2 + 0.6*b*max(x0, 0.3)"};
    double x[200];
    for (uint64_t i = 0; i < 200; i++)
        x[i] = normal_of(i, 7);
    sf_context *ctx = new_context();
    const given both[] = {{"a", 0, 0, 0.0}, {"b", 0, 0, 0.0}};
    for (size_t k = 0; k < SFI_COUNT(jumping); k++) {
        sf_model *d = density_of(ctx, jumping[k], 1, NULL, 2, both);
        refused(ctx, d, (sf_cmat){x, 200, 1, 1}, NULL, NULL, SF_E_NUMERIC,
                "derivative jumps from");
        sf_model_free(d);
    }
    for (size_t k = 0; k < SFI_COUNT(smooth); k++) {
        sf_model *d = density_of(ctx, smooth[k], 1, NULL, 2, both);
        sf_matching m = match(ctx, d, (sf_cmat){x, 200, 1, 1}, NULL, NULL);
        sf_matching_free(ctx, &m);
        sf_model_free(d);
    }
    sf_model *d = density_of(ctx, "-a*(x0 - b)^2 + (x0 > 0)", 1, NULL, 2, both);
    refused(ctx, d, (sf_cmat){x, 200, 1, 1}, NULL, NULL, SF_E_NUMERIC,
            "the log density jumps from");
    sf_model_free(d);
    d = density_of(ctx, "a*log(x0) - b*x0^2", 1, NULL, 2, both);
    refused(ctx, d, (sf_cmat){x, 200, 1, 1}, NULL, NULL, SF_E_NUMERIC,
            "the fitted log density is nan");
    sf_model_free(d);
    d = density_of(ctx, "-a*x0^2 + b*x0", 1, NULL, 2, both);
    refused(ctx, d, (sf_cmat){x, 200, 1, 1}, NULL, "d^2", SF_E_ARG,
            "the domain has none");
    sf_model_free(d);
    sf_context_free(ctx);
}

/* One row alone is beyond the place of the jump. */
TEST(a_jump_before_the_last_row_is_found)
{
    enum { N = 300 };
    double x[2 * N], most = -9.0, next = -9.0;
    for (uint64_t i = 0; i < N; i++) {
        x[2 * i] = normal_of(i, 7);
        const double u = x[2 * i + 1] = normal_of(i, 8);
        next = fmax(next, fmin(most, u));
        most = fmax(most, u);
    }
    sf_context *ctx = new_context();
    const given both[] = {{"a", 0, 0, 0.0}, {"b", 0, 0, 0.0}};
    char text[128];
    for (int beyond = 0; beyond < 2; beyond++) {
        snprintf(text, sizeof text, "-a*(x*x) + b*max(x1 - %.9g, 0)",
                 beyond ? most + 0.1 : 0.5 * (most + next));
        sf_model *d = density_of(ctx, text, 2, NULL, 2, both);
        sf_matching m;
        const sf_status status =
            sf_match_scores(ctx, &m, d, (sf_cmat){x, N, 2, 2}, NULL);
        CHECK(status == SF_E_NUMERIC);
        CHECK((strstr(sf_context_message(ctx), "derivative jumps") != NULL) ==
              !beyond);
        sf_model_free(d);
    }
    sf_context_free(ctx);
}

/* Whichever allocation fails, nothing is kept and the density is what it was. */
TEST(no_memory_changes_nothing)
{
    static const char *const texts[] = {
        "-a*x0^2 - b*max(x0, 0)^2", "-(x0 - a)^2*exp(b) - log(abs(x0)) + b"};
    const double y = 0.7;
    double x[20], before[2], after[2];
    for (uint64_t i = 0; i < 20; i++)
        x[i] = normal_of(i, 7);
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const given both[] = {{"a", 0, 0, 0.2}, {"b", 0, 0, 0.1}};
    sf_matching_options o = SF_MATCHING_OPTIONS_INIT;
    o.starts = 1;
    for (size_t k = 0; k < SFI_COUNT(texts); k++)
        for (o.slices = 0; o.slices < 2; o.slices++) {
            sf_model *d = density_of(ctx, texts[k], 1, NULL, 2, both);
            CHECK_OK(ctx, eval_typed(d, (sf_cmat){&y, 1, 1, 1}, before,
                                     (sf_mat){before + 1, 1, 1, 1}));
            const int64_t held = faults.bytes;
            sf_status status = SF_E_NOMEM;
            sf_matching m;
            for (int64_t left = 0; status == SF_E_NOMEM; left++) {
                faults.left = left;
                status =
                    sf_match_scores(ctx, &m, d, (sf_cmat){x, 20, 1, 1}, &o);
                faults.left = INT64_MAX;
                if (status != SF_E_NOMEM)
                    break;
                CHECK(faults.bytes == held);
                CHECK_OK(ctx, eval_typed(d, (sf_cmat){&y, 1, 1, 1}, after,
                                         (sf_mat){after + 1, 1, 1, 1}));
                CHECK(memcmp(before, after, sizeof after) == 0);
                left += left / 8;
            }
            CHECK(status == SF_OK);
            sf_matching_free(ctx, &m);
            sf_model_free(d);
        }
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

TESTS(CASE(normal_laws_have_their_moments),
      CASE(the_density_is_that_of_the_estimates), CASE(positive_numbers),
      CASE(truncated_normal_law), CASE(angles), CASE(shares),
      CASE(standard_errors_are_the_scatter),
      CASE(slices_are_exact_where_numbers_do_not_meet),
      CASE(slices_have_the_errors_that_are_told),
      CASE(slices_do_not_depend_on_threads),
      CASE(what_rests_on_a_few_rows_is_named),
      CASE(what_cannot_be_estimated_is_told), CASE(forms_are_kept),
      CASE(what_jumps_is_refused), CASE(a_jump_before_the_last_row_is_found),
      CASE(no_memory_changes_nothing))
