/* SPDX-License-Identifier: Apache-2.0 */
/* mass_matrices.c - what a mass matrix saves: a level that wanders, seen through noise.
 *
 * A level x makes steps of deviation 1/20 and is seen N times with errors of deviation 1:
 *
 *     -log p(x | y) = 200 sum (x[i] - x[i - 1])^2 + 1/2 sum (y[i] - x[i])^2
 *
 * All components have the same scale, but neighbours can hardly move apart while all of
 * them together can: the widest variance is 1600 times the narrowest, which no scales of
 * single components mend.  Here the functional is the caller's own, in C, and says what a
 * gradient of it takes; the program draws with each metric, holds the means against
 * the exact ones (a tridiagonal system), and fails if they differ by five standard
 * errors, or if metric auto does not save three quarters of the gradients. */
#include <scorefield/diagnose.h>
#include <scorefield/functional.h>
#include <scorefield/sample.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { N = 60, CHAINS = 4, DRAWS = 1000 };

static const double stiffness = 400.0; /* 1/(1/20)^2 */

static sf_status slope(sf_context *ctx, void *user, double *value,
                       double *gradient, const double *x, int64_t walkers)
{
    const double *y = user;
    (void)ctx;
    for (int64_t w = 0; w < walkers; w++, x += N, gradient += N) {
        double f = 0.0;
        memset(gradient, 0, N * sizeof *gradient);
        for (int i = 0; i < N; i++) {
            const double error = x[i] - y[i];
            f += 0.5 * error * error;
            gradient[i] += error;
            if (i == 0)
                continue;
            const double step = x[i] - x[i - 1];
            f += 0.5 * stiffness * step * step;
            gradient[i] += stiffness * step;
            gradient[i - 1] -= stiffness * step;
        }
        if (value != NULL)
            value[w] = f;
    }
    return SF_OK;
}

static sf_status height(sf_context *ctx, void *user, double *value,
                        const double *x, int64_t walkers)
{
    double unused[N];
    for (int64_t w = 0; w < walkers; w++)
        (void)slope(ctx, user, value + w, unused, x + w * N, 1);
    return SF_OK;
}

static double work(void *user)
{
    (void)user;
    return 6.0 * N;
}

/* The mean of p solves (I + stiffness D'D) x = y, tridiagonal. */
static void exact_mean(const double *y, double *mean)
{
    double above[N], right[N];
    for (int i = 0; i < N; i++) {
        const double own = 1.0 + stiffness * (i == 0 || i == N - 1 ? 1.0 : 2.0);
        const double pivot = own + (i > 0 ? stiffness * above[i - 1] : 0.0);
        above[i] = -stiffness / pivot;
        right[i] = (y[i] + (i > 0 ? stiffness * right[i - 1] : 0.0)) / pivot;
    }
    for (int i = N - 1; i >= 0; i--)
        mean[i] = right[i] - (i < N - 1 ? above[i] * mean[i + 1] : 0.0);
}

/* Gradients for one effective draw; negative after a failure. */
static double draw(sf_context *ctx, const sf_functional *f, const double *mean,
                   sf_metric metric, const char *name)
{
    static double x[CHAINS * DRAWS * N];
    sf_chain_report report[CHAINS];
    sf_diagnosis found[N];
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.metric = metric;
    o.draws = DRAWS;
    const sf_chain_draws to = {.x = x, .report = report};
    const sf_draws draws = {x, CHAINS, DRAWS, N, N, NULL};
    if (sf_chains_run(ctx, f, CHAINS, NULL, &o, &to) != SF_OK ||
        sf_diagnose(ctx, &draws, found) != SF_OK) {
        fprintf(stderr, "mass_matrices: %s\n", sf_context_message(ctx));
        return -1.0;
    }
    double ess = INFINITY, gradients = 0.0, error = 0.0;
    for (int j = 0; j < N; j++) {
        ess = fmin(ess, found[j].ess_bulk);
        error = fmax(error, fabs(found[j].mean - mean[j]) / found[j].mcse_mean);
    }
    for (int c = 0; c < CHAINS; c++)
        gradients += (double)report[c].gradients;
    printf("%-9s rank %2d  divergence %7.2f -> %7.4f  gradients: warm-up %6d, "
           "an effective draw %6.1f\n",
           name, (int)report[0].rank, report[0].divergence_before,
           report[0].divergence_after, (int)report[0].gradients_warmup,
           gradients / ess);
    return error < 5.0 ? gradients / ess : -1.0;
}

int main(void)
{
    static const char *const name[] = {"auto", "diagonal", "low rank", "dense"};
    double y[N], mean[N], taken[4];
    for (int i = 0; i < N; i++)
        y[i] = sin(0.1 * i) + cos(12.9898 * i * i);
    exact_mean(y, mean);
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "level";
    f.unknowns = N;
    f.user = y;
    f.value = height;
    f.gradient = slope;
    f.work = work;
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    bool good = true;
    for (int k = 0; k < 4; k++) {
        taken[k] =
            draw(ctx, &f, mean, (sf_metric)(SF_METRIC_AUTO + k), name[k]);
        good = good && taken[k] > 0.0;
    }
    sf_context_free(ctx);
    return good && taken[0] < 0.25 * taken[1] ? 0 : 1;
}
