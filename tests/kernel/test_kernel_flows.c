/* SPDX-License-Identifier: Apache-2.0 */
/* test_kernel_flows.c - the mean of the conditional velocities carries the prior
 * to the data, whatever the kernel. */
#include "check.h"
#include "kernel/kernel.h"
#include "scorefield/program.h"

enum { DATA = 3, STEPS = 400, MOST = 8 };

static const double weight[DATA] = {0.2, 0.5, 0.3};

/* Velocity and log density, in the chart, of three data points under a kernel at
 * y [walkers] and time t. */
typedef struct flow {
    sf_program *program;
    double t;
    double velocity[MOST], logp[MOST];
} flow;

static void make(sf_context *ctx, flow *f, const sfi_kernel *k,
                 const double *x0)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node y = sf_input(g, "y", 0, NULL), t = sf_param(g, "t", 0, NULL);
    sfi_kernel_nodes n[DATA];
    sf_node top = sf_const(g, -1e300);
    for (int j = 0; j < DATA; j++) {
        n[j] = sfi_kernel_at_chart(k, g, y, sf_const(g, x0[j]), t,
                                   SFI_VELOCITY_EXACT);
        top = sf_max(g, top, n[j].logp);
    }
    sf_node mass = sf_const(g, 0.0), carried = mass;
    for (int j = 0; j < DATA; j++) {
        const sf_node r = sf_mul(g, sf_const(g, weight[j]),
                                 sf_exp(g, sf_sub(g, n[j].logp, top)));
        mass = sf_add(g, mass, r);
        carried = sf_add(g, carried, sf_mul(g, r, n[j].velocity));
    }
    const sf_output outputs[2] = {{sf_div(g, carried, mass), SF_EACH},
                                  {sf_add(g, top, sf_log(g, mass)), SF_EACH}};
    CHECK_OK(ctx, sf_program_new(ctx, &f->program, g, SF_F64, 2, outputs));
    sf_graph_free(g);
}

static void evaluate(sf_context *ctx, flow *f, const double *y, int count,
                     double t)
{
    f->t = t;
    const sf_source source = {
        .kind = SF_ROWS, .data = y, .dtype = SF_F64, .stride = 1};
    const void *params[1] = {&f->t};
    const sf_sink sinks[2] = {{f->velocity, SF_F64, 1}, {f->logp, SF_F64, 1}};
    CHECK_OK(ctx, sf_program_run(f->program, count, &source, params, sinks));
}

/* From t = 1 to t = 0.1 by the classical Runge-Kutta method in ln t. */
static void carry(sf_context *ctx, flow *f, double *y, int count)
{
    const double h = log(0.1) / STEPS;
    for (int i = 0; i < STEPS; i++) {
        double slope[4][MOST], at[MOST];
        for (int stage = 0; stage < 4; stage++) {
            const double part = stage == 0 ? 0.0 : stage == 3 ? 1.0 : 0.5;
            const double t = exp(h * (i + part));
            for (int w = 0; w < count; w++)
                at[w] =
                    y[w] + (stage > 0 ? part * h * slope[stage - 1][w] : 0.0);
            evaluate(ctx, f, at, count, t);
            for (int w = 0; w < count; w++)
                slope[stage][w] = t * f->velocity[w];
        }
        for (int w = 0; w < count; w++)
            y[w] += h / 6.0 *
                    (slope[0][w] + 2.0 * slope[1][w] + 2.0 * slope[2][w] +
                     slope[3][w]);
    }
}

/* Rows: where a walker starts, where it ends; the ends are quantiles of the law
 * at t = 0.1, computed without any flow. */
static void check_rows(const char *text, const double *x0,
                       const double rows[][2], int count)
{
    sf_context *ctx = new_context();
    sfi_kernel k;
    CHECK_OK(ctx, sfi_kernel_parse(ctx, &k, text));
    flow f;
    make(ctx, &f, &k, x0);
    double y[MOST];
    for (int w = 0; w < count; w++)
        y[w] = sfi_chart_to_number(k.ops->chart, rows[w][0]);
    carry(ctx, &f, y, count);
    for (int w = 0; w < count; w++)
        CHECK_CLOSE(sfi_chart_from_number(k.ops->chart, y[w]), rows[w][1],
                    1e-7);
    sf_program_free(f.program);
    sf_context_free(ctx);
}

/* Oracle C19. */
TEST(gamma_quantiles_stay_quantiles)
{
    static const double x0[DATA] = {0.3, 1.2, 4.0};
    static const double rows[][2] = {{0.15804077348673945, 0.4186008326611251},
                                     {0.6461743741386814, 1.162648882114233},
                                     {1.039720770839918, 1.2572671493044687},
                                     {1.3744360978112327, 1.3321440169138736},
                                     {3.4538776394910684, 3.901042686871198}};
    check_rows("gamma:shape=1,mean=1.5", x0, rows, SFI_COUNT(rows));
}

/* Of the gamma law of shape 1.5 and mean 1.2, and of the mixture of non-central
 * chi-squared laws (scipy.stats.ncx2) that the data become. */
TEST(cir_quantiles_stay_quantiles)
{
    static const double x0[DATA] = {0.3, 1.2, 4.0};
    static const double rows[][2] = {{0.1, 0.23848763089952582},
                                     {0.5, 1.0379085650918252},
                                     {1.0, 1.2495891445211729},
                                     {1.6, 3.6876198691042794},
                                     {3.5, 4.283807866024343}};
    check_rows("cir:shape=1.5,mean=1.2", x0, rows, SFI_COUNT(rows));
}

/* Oracle C20. */
TEST(beta_quantiles_stay_quantiles)
{
    static const double x0[DATA] = {1.0 / 7, 3.0 / 7, 5.0 / 7};
    static const double rows[][2] = {{0.1, 0.17749877534754743},
                                     {0.35, 0.4171568944728078},
                                     {0.5, 0.44440606489762796},
                                     {0.6, 0.46516997518114095},
                                     {0.9, 0.7074361991140318}};
    check_rows("beta:concentration=2,mean=0.5", x0, rows, SFI_COUNT(rows));
}

/* Oracle C21: on the circle no quantile is fixed, but the mass between two
 * trajectories is, and so is the density that they meet. */
TEST(von_mises_walkers_end_where_they_must)
{
    static const double x0[DATA] = {-2.0, 0.3, 1.5};
    static const double rows[][3] = {
        {-3.0, -4.595078996040716, -1.5729691851353091},
        {-1.0, 0.22160105699885901, 0.38011442690599984},
        {0.9, 0.3932340364585946, 0.2542337540279222},
        {2.5, 1.5135413500599675, 0.16430293090289574}};
    sf_context *ctx = new_context();
    sfi_kernel k;
    CHECK_OK(ctx, sfi_kernel_parse(ctx, &k, "vonmises:kappa=1"));
    flow f;
    make(ctx, &f, &k, x0);
    double y[4];
    for (int w = 0; w < 4; w++)
        y[w] = rows[w][0];
    carry(ctx, &f, y, 4);
    evaluate(ctx, &f, y, 4, 0.1);
    for (int w = 0; w < 4; w++) {
        CHECK_CLOSE(y[w], rows[w][1], 1e-7);
        CHECK_NEAR(f.logp[w], rows[w][2], 1e-5);
    }
    sf_program_free(f.program);
    sf_context_free(ctx);
}

/* A wrapped normal angle's distribution function from minus infinity on, images
 * and all, grows by 1 a turn; the mass between two walkers is as it was. */
static double wrapped_cdf(double y, const double *x0, double sd)
{
    double sum = 0.0;
    for (int j = 0; j < DATA; j++)
        for (int n = -4; n <= 4; n++) {
            const double image = x0[j] + 6.28318530717958648 * n;
            sum += weight[j] * 0.5 * erfc((image - y) / (sd * sqrt(2.0)));
        }
    return sum;
}

TEST(wrapped_normal_walkers_keep_the_mass_between_them)
{
    enum { WALKERS = 5 };
    static const double x0[DATA] = {-2.0, 0.3, 1.5};
    static const double start[WALKERS] = {-3.0, -1.4, 0.2, 0.9, 2.5};
    sf_context *ctx = new_context();
    sfi_kernel k;
    CHECK_OK(ctx, sfi_kernel_parse(ctx, &k, "wrappednormal"));
    flow f;
    make(ctx, &f, &k, x0);
    double y[WALKERS];
    memcpy(y, start, sizeof y);
    carry(ctx, &f, y, WALKERS);
    const double sd = 0.1 / sqrt(1.0 - 0.1 * 0.1);
    for (int w = 1; w < WALKERS; w++)
        CHECK_NEAR(wrapped_cdf(y[w], x0, sd) - wrapped_cdf(y[w - 1], x0, sd),
                   (start[w] - start[w - 1]) / 6.28318530717958648, 1e-7);
    sf_program_free(f.program);
    sf_context_free(ctx);
}

/* The other kernels against the law itself: the distribution function of the
 * prior at the start is that of the mixture at the end, where both are sums of
 * closed forms. */
static double normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2.0));
}

static double laplace_cdf(double z)
{
    return z < 0.0 ? 0.5 * exp(z) : 1.0 - 0.5 * exp(-z);
}

TEST(location_scale_quantiles_stay_quantiles)
{
    static const double x0[DATA] = {-1.0, 0.5, 2.0};
    static const struct {
        const char *text;
        double (*cdf)(double);
        bool logarithm;
        double tolerance; /* Laplace has kinks, which cost the integrator */
    } cases[] = {{"gaussian", normal_cdf, false, 1e-8},
                 {"lognormal", normal_cdf, true, 1e-8},
                 {"laplace", laplace_cdf, false, 2e-5}};
    sf_context *ctx = new_context();
    for (size_t c = 0; c < SFI_COUNT(cases); c++) {
        sfi_kernel k;
        CHECK_OK(ctx, sfi_kernel_parse(ctx, &k, cases[c].text));
        double data[DATA];
        for (int j = 0; j < DATA; j++)
            data[j] = cases[c].logarithm ? exp(x0[j]) : x0[j];
        flow f;
        make(ctx, &f, &k, data);
        double y[5], start[5] = {-2.0, -0.6, 0.1, 0.9, 2.1};
        memcpy(y, start, sizeof y);
        carry(ctx, &f, y, 5);
        for (int w = 0; w < 5; w++) {
            double cdf = 0.0;
            for (int j = 0; j < DATA; j++)
                cdf += weight[j] * cases[c].cdf((y[w] - 0.9 * x0[j]) / 0.1);
            CHECK_NEAR(cdf, cases[c].cdf(start[w]), cases[c].tolerance);
        }
        sf_program_free(f.program);
    }
    sf_context_free(ctx);
}

TESTS(CASE(gamma_quantiles_stay_quantiles), CASE(cir_quantiles_stay_quantiles),
      CASE(beta_quantiles_stay_quantiles),
      CASE(von_mises_walkers_end_where_they_must),
      CASE(wrapped_normal_walkers_keep_the_mass_between_them),
      CASE(location_scale_quantiles_stay_quantiles))
