/* SPDX-License-Identifier: Apache-2.0 */
/* test_posteriors.c - Markov chains against posteriors that another program drew:
 * every mean and every deviation within four standard errors of the difference. */
#include "check.h"
#include "typed.h"
#include "scorefield/density.h"
#include "scorefield/diagnose.h"
#include "scorefield/sample.h"

/* What is known of one number, with standard errors: by tests/reference/posteriors.R,
 * 8 chains of Stan's NUTS (rstan 2.21.7), seeds 1981 and 24.  Those of the eight
 * schools are within 1.6 of their standard errors of an integral over tau. */
typedef struct reference {
    double mean, mean_error, sd, sd_error;
} reference;

static const reference schools[] = {
    {4.40391, 0.0049, 3.31707, 0.0056}, /* mu */
    {3.5926, 0.0056, 3.21025, 0.009},   /* tau */
    {6.21673, 0.0086, 5.57595, 0.012},  /* theta[1] */
    {4.9504, 0.0066, 4.6758, 0.0082},   /* theta[2] */
    {3.92876, 0.008, 5.24727, 0.011},   /* theta[3] */
    {4.75691, 0.0069, 4.76788, 0.0084}, /* theta[4] */
    {3.62255, 0.0067, 4.64947, 0.0079}, /* theta[5] */
    {4.03886, 0.007, 4.82547, 0.0087},  /* theta[6] */
    {6.29509, 0.0076, 5.08378, 0.0092}, /* theta[7] */
    {4.85797, 0.0079, 5.28426, 0.011},  /* theta[8] */
};

static const reference logistic[] = {
    {0.993684, 0.00035, 0.0875177, 0.00042},   /* b[1] */
    {-0.211717, 0.00028, 0.0833875, 0.00044},  /* b[2] */
    {-0.0338193, 0.00027, 0.0821051, 0.00047}, /* b[3] */
    {-0.313299, 0.00029, 0.0841548, 0.00046},  /* b[4] */
    {0.19823, 0.00027, 0.0814016, 0.00049},    /* b[5] */
    {-0.436776, 0.0003, 0.0823784, 0.00044},   /* b[6] */
    {0.160731, 0.00028, 0.0825992, 0.00045},   /* b[7] */
    {-0.813281, 0.00035, 0.0881497, 0.00046},  /* b[8] */
    {0.287916, 0.00027, 0.0788639, 0.00043},   /* b[9] */
    {0.428448, 0.00029, 0.0836321, 0.00045},   /* b[10] */
    {-0.115563, 0.00028, 0.0813937, 0.00045},  /* b[11] */
    {0.177931, 0.00027, 0.0790417, 0.00044},   /* b[12] */
    {-0.231832, 0.00029, 0.0846021, 0.00045},  /* b[13] */
    {-0.523297, 0.0003, 0.0840095, 0.00045},   /* b[14] */
    {-0.0808232, 0.00028, 0.083753, 0.00048},  /* b[15] */
    {-0.0142603, 0.00027, 0.0798403, 0.00044}, /* b[16] */
    {0.514959, 0.0003, 0.0839295, 0.00045},    /* b[17] */
    {-0.068685, 0.00027, 0.0814733, 0.00048},  /* b[18] */
    {-0.149573, 0.00027, 0.080594, 0.00043},   /* b[19] */
    {0.00442896, 0.00026, 0.0777624, 0.00044}, /* b[20] */
    {0.525456, 0.00031, 0.0873045, 0.00049},   /* b[21] */
    {-0.0864527, 0.00027, 0.081601, 0.00047},  /* b[22] */
    {0.300578, 0.00028, 0.0805038, 0.00045},   /* b[23] */
    {0.287239, 0.00029, 0.0838425, 0.00047},   /* b[24] */
};

/* The logistic regression's outcomes that are 1. */
enum { ONES = 668 };

/* Draw from d, take each draw to `dim` numbers of interest, and hold their means and
 * deviations against what is known. */
static void check_posterior(sf_context *ctx, const sf_model *d,
                            const sf_chain_options *o,
                            void (*interest)(double *to, const double *x),
                            int64_t dim, const reference *want)
{
    enum { CHAINS = 4 };
    const int64_t n = sf_model_unknowns(d), rows = CHAINS * o->draws;
    const double limit = 4.0; /* passed once in 16000 numbers that are right */
    double *y = malloc((size_t)(rows * n) * sizeof *y);
    double *at = malloc((size_t)(rows * n) * sizeof *at);
    double *x = malloc((size_t)(rows * dim) * sizeof *x);
    sf_diagnosis *found = malloc((size_t)dim * sizeof *found);
    sf_chain_report report[CHAINS];
    CHECK(y != NULL && at != NULL && x != NULL && found != NULL);
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    const sf_chain_draws to = {.x = y, .report = report};
    CHECK_OK(ctx, sf_chains_run(ctx, &f, CHAINS, NULL, o, &to));
    CHECK_OK(ctx, sf_model_from_unknowns(d, (sf_cmat){y, rows, n, n},
                                         (sf_mat){at, rows, n, n}));
    for (int64_t i = 0; i < rows; i++)
        interest(x + i * dim, at + i * n);
    const sf_draws draws = {x, CHAINS, o->draws, dim, dim, NULL};
    CHECK_OK(ctx, sf_diagnose(ctx, &draws, found));
    for (int64_t j = 0; j < dim; j++) {
        const sf_diagnosis *s = &found[j];
        CHECK(s->rhat < 1.02);
        CHECK_NEAR(s->mean, want[j].mean,
                   limit * hypot(s->mcse_mean, want[j].mean_error));
        CHECK_NEAR(s->sd, want[j].sd,
                   limit * hypot(s->mcse_sd, want[j].sd_error));
        /* The errors are small enough to mean something. */
        CHECK(s->mcse_mean < 0.04 * want[j].sd);
        CHECK(s->mcse_sd < 0.04 * want[j].sd);
        CHECK(want[j].mean_error < 0.01 * want[j].sd);
        CHECK(want[j].sd_error < 0.01 * want[j].sd);
    }
    for (int c = 0; c < CHAINS; c++)
        CHECK(report[c].divergences <= o->draws / 200);
    free(found);
    free(x);
    free(at);
    free(y);
    sf_evaluator_free(owner);
}

/* ---- eight schools --------------------------------------------------------------- */

/* mu, tau and theta_j = mu + tau eta_j */
static void effects(double *to, const double *x)
{
    to[0] = x[0];
    to[1] = x[1];
    for (int j = 0; j < 8; j++)
        to[2 + j] = x[0] + x[1] * x[2 + j];
}

/* D. B. Rubin, J. Educational Statistics 6 (1981) 377-401: y_j ~ N(theta_j, s_j^2),
 * mu ~ N(0, 5^2), tau ~ half-Cauchy(5).  The point is mu, tau, eta; the parameters
 * have no weight at the first two, so that it may be taken as one vector. */
TEST(eight_schools)
{
    const double y[] = {0, 0, 28, 8, -3, 7, -1, 1, 18, 12};
    const double s[] = {0, 0, 15, 10, 16, 11, 9, 11, 10, 18};
    double w[10] = {0};
    for (int j = 2; j < 10; j++)
        w[j] = 1.0 / (s[j] * s[j]);
    const sf_parameter parameters[] = {{"y", 1, {10}, y}, {"w", 1, {10}, w}};
    sf_density_options how = SF_DENSITY_OPTIONS_INIT;
    how.domain = "x1=positive";
    how.parameter_count = 2;
    how.parameters = parameters;
    sf_context *ctx = new_context();
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d,
                                 "-x0^2/50 - log(1 + x1^2/25)"
                                 " - 0.5*(x*x - x0^2 - x1^2)"
                                 " - 0.5*w*(x0 + x1*x - y)^2",
                                 10, &how));
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 1000;
    o.draws = 3000;
    o.accept = 0.95;
    check_posterior(ctx, d, &o, effects, 10, schools);
    o.method = SF_CHAIN_HMC;
    o.draws = 6000;
    check_posterior(ctx, d, &o, effects, 10, schools);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* ---- logistic regression ----------------------------------------------------------- */

enum { ROWS = 1000, COLUMNS = 24 };

/* S. K. Park, K. W. Miller, CACM 31 (1988) 1192-1201, and pairs by Box and Muller:
 * numbers that any language can draw. */
static double uniform(uint64_t *state)
{
    *state = *state * 16807 % 2147483647;
    return (double)*state / 2147483647.0;
}

static double normal(uint64_t *state)
{
    const double r = sqrt(-2.0 * log(uniform(state)));
    return r * cos(6.283185307179586 * uniform(state));
}

static void coefficients(double *to, const double *x)
{
    memcpy(to, x, COLUMNS * sizeof *to);
}

/* The shape of the German credit data: a constant and 23 columns, coefficients with
 * the prior N(0, 1). */
TEST(logistic_regression)
{
    static double x[ROWS][COLUMNS], y[ROWS];
    uint64_t state = 1;
    double b[COLUMNS], ones = 0.0;
    for (int j = 0; j < COLUMNS; j++)
        b[j] = 0.3 * normal(&state);
    for (int i = 0; i < ROWS; i++) {
        double logit = b[0];
        x[i][0] = 1.0;
        for (int j = 1; j < COLUMNS; j++) {
            x[i][j] = normal(&state);
            logit += x[i][j] * b[j];
        }
        y[i] = uniform(&state) < 1.0 / (1.0 + exp(-logit)) ? 1.0 : 0.0;
        ones += y[i];
    }
    CHECK(ones == ONES); /* as the reference has it */
    const sf_parameter parameters[] = {{"X", 2, {ROWS, COLUMNS}, x[0]},
                                       {"y", 1, {ROWS}, y}};
    sf_density_options how = SF_DENSITY_OPTIONS_INIT;
    how.parameter_count = 2;
    how.parameters = parameters;
    sf_context *ctx = new_context();
    sf_model *d = NULL;
    CHECK_OK(ctx,
             sf_density_new(ctx, &d, "y*(X*x) - sum(softplus(X*x)) - 0.5*x*x",
                            COLUMNS, &how));
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 400;
    o.draws = 1000;
    check_posterior(ctx, d, &o, coefficients, COLUMNS, logistic);
    o.method = SF_CHAIN_HMC;
    check_posterior(ctx, d, &o, coefficients, COLUMNS, logistic);
    sf_model_free(d);
    sf_context_free(ctx);
}

TESTS(CASE(eight_schools), CASE(logistic_regression))
