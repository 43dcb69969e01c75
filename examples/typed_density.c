/* SPDX-License-Identifier: Apache-2.0 */
/* typed_density.c - a log density written down: its parameters from data by score
 * matching, draws from it by the no-U-turn sampler, and how far they may be trusted.
 *
 * The waits between eruptions of Old Faithful that are over an hour, as a gamma law:
 *
 *     ln p = (k - 1) ln wait - rate wait + constant */
#include <scorefield/density.h>
#include <scorefield/diagnose.h>
#include <scorefield/matching.h>
#include <scorefield/sample.h>

#include <stdio.h>
#include <stdlib.h>

enum { CHAINS = 4, DRAWS = 1000, MOST = 300 };

static int fail(sf_context *ctx)
{
    fprintf(stderr, "typed_density: %s\n", sf_context_message(ctx));
    return EXIT_FAILURE;
}

/* The waits over an hour; how many, or -1. */
static int64_t long_waits(sf_context *ctx, const char *path, double *waits)
{
    sf_table t;
    int64_t n = 0;
    if (sf_table_read(ctx, &t, path) != SF_OK)
        return -1;
    for (int64_t i = 0; i < t.rows && n < MOST; i++)
        if (t.data[i * t.cols + 1] > 60.0)
            waits[n++] = t.data[i * t.cols + 1];
    sf_table_free(ctx, &t);
    return n;
}

static int draw(sf_context *ctx, const sf_model *d)
{
    static double y[CHAINS * DRAWS], wait[CHAINS * DRAWS];
    const int64_t rows = CHAINS * DRAWS;
    sf_functional f;
    sf_diagnosis found;
    const sf_chain_draws to = {.x = y};
    const sf_draws draws = {wait, CHAINS, DRAWS, 1, 1, NULL};
    sf_evaluator *owner = NULL;
    /* Chains move on the line, the logarithm of the wait. */
    if (sf_model_functional(ctx, &owner, &f, d, 0.0) != SF_OK ||
        sf_chains_run(ctx, &f, CHAINS, NULL, NULL, &to) != SF_OK ||
        sf_model_from_unknowns(d, (sf_cmat){y, rows, 1, 1},
                               (sf_mat){wait, rows, 1, 1}) != SF_OK ||
        sf_diagnose(ctx, &draws, &found) != SF_OK)
        return fail(ctx);
    sf_evaluator_free(owner);
    printf("%d draws: mean %.2f +- %.2f minutes, 5 %% below %.1f, 5 %% above "
           "%.1f; R-hat %.3f, %.0f effective\n",
           CHAINS * DRAWS, found.mean, found.mcse_mean, found.q05, found.q95,
           found.rhat, found.ess_bulk);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"wait"};
    const double one = 1.0;
    const sf_parameter parameters[] = {{.name = "k", .value = &one},
                                       {.name = "rate", .value = &one}};
    double waits[MOST];
    sf_context *ctx = NULL;
    sf_model *d = NULL;
    sf_matching m = {0};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.names = names;
    o.domain = "positive";
    o.parameter_count = 2;
    o.parameters = parameters;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return EXIT_FAILURE;
    const int64_t n =
        long_waits(ctx, argc > 1 ? argv[1] : "data/faithful.csv", waits);
    int result = EXIT_FAILURE;
    if (n < 0 ||
        sf_density_new(ctx, &d, "(k - 1)*log(wait) - rate*wait", 1, &o) !=
            SF_OK ||
        sf_match_scores(ctx, &m, d, (sf_cmat){waits, n, 1, 1}, NULL) != SF_OK) {
        result = fail(ctx);
    } else {
        for (int64_t k = 0; k < m.count; k++)
            printf("%-5s %8.3f +- %.3f\n", m.names[k], m.estimate[k],
                   m.error[k]);
        result = draw(ctx, d);
    }
    sf_matching_free(ctx, &m);
    sf_model_free(d);
    sf_context_free(ctx);
    return result;
}
