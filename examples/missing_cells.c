/* SPDX-License-Identifier: Apache-2.0 */
/* missing_cells.c - what a table with missing cells still says.
 *
 * Of two in three penguins with a long bill the mass is hidden: complete rows alone are
 * then of light penguins.  A mixture fitted to the cells that are there knows
 * better, and so does multiple imputation: of M filled tables the means m_i, each with
 * the variance u_i, are combined by Rubin's rules,
 *
 *     mean of m_i  +-  sqrt(mean of u_i + (1 + 1/M) variance of m_i). */
#include <scorefield/condition.h>
#include <scorefield/frame.h>
#include <scorefield/impute.h>
#include <scorefield/mixture.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 400, COLS = 3, BILL = 0, MASS = 2, TABLES = 20 };

static int fail(sf_context *ctx)
{
    fprintf(stderr, "missing_cells: %s\n", sf_context_message(ctx));
    return EXIT_FAILURE;
}

/* Bills, flippers and masses; how many rows, or -1. */
static int64_t read_rows(sf_context *ctx, const char *path, double *x)
{
    sf_frame *all = NULL, *some = NULL;
    int64_t n = -1;
    if (sf_frame_read(ctx, &all, path, NULL) == SF_OK &&
        sf_frame_pick(ctx, &some, all,
                      "bill_length_mm,flipper_length_mm,body_mass_g") ==
            SF_OK) {
        n = sf_frame_rows(some) < MOST ? sf_frame_rows(some) : MOST;
        for (int64_t i = 0; i < n * COLS; i++)
            x[i] = sf_frame_cell(some, i / COLS, i % COLS);
    }
    sf_frame_free(some);
    sf_frame_free(all);
    return n;
}

/* Mean of the masses that are there, and the variance of this mean. */
static double mean_mass(const double *x, int64_t n, double *variance)
{
    double sum = 0.0, squares = 0.0, count = 0.0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(x[i * COLS + MASS])) {
            const double mass = x[i * COLS + MASS];
            sum += mass;
            squares += mass * mass;
            count += 1.0;
        }
    const double mean = sum / count;
    *variance = (squares / count - mean * mean) / (count - 1.0);
    return mean;
}

static sf_status ask_mixture(sf_context *ctx, const sf_model *m)
{
    double lower[COLS], upper[COLS], mean[COLS], log_probability = 0.0;
    sf_conditional *c = NULL;
    sf_condition_clear(COLS, lower, upper);
    upper[BILL] = 40.0;
    sf_status status = sf_conditional_new(ctx, &c, m, lower, upper);
    if (status == SF_OK)
        status = sf_conditional_moments(c, mean, NULL);
    if (status == SF_OK) {
        sf_conditional_evidence(c, NULL, &log_probability, NULL);
        printf("bills below 40 mm: probability %.3f, mean mass %.0f g\n",
               exp(log_probability), mean[MASS]);
    }
    sf_conditional_free(c);
    return status;
}

static sf_status combine(sf_context *ctx, const sf_imputer *imputer,
                         const double *x, int64_t n)
{
    static double filled[MOST * COLS];
    double first = 0.0, second = 0.0, within = 0.0;
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    o.with = SF_IMPUTE_DRAW;
    o.own_rows = true;
    for (o.draw = 0; o.draw < TABLES; o.draw++) {
        double variance;
        const sf_status status =
            sf_impute(ctx, (sf_mat){filled, n, COLS, COLS}, imputer,
                      (sf_cmat){x, n, COLS, COLS}, &o);
        if (status != SF_OK)
            return status;
        const double mean = mean_mass(filled, n, &variance);
        first += mean / TABLES;
        second += mean * mean / TABLES;
        within += variance / TABLES;
    }
    const double between = (second - first * first) * TABLES / (TABLES - 1.0);
    printf("%d imputed tables: mean mass %.0f +- %.0f g\n", TABLES, first,
           sqrt(within + (1.0 + 1.0 / TABLES) * between));
    return SF_OK;
}

int main(int argc, char **argv)
{
    static double x[MOST * COLS];
    double variance;
    sf_context *ctx = NULL;
    sf_model *m = NULL;
    sf_imputer *imputer = NULL;
    int result = EXIT_FAILURE;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return EXIT_FAILURE;
    const int64_t n =
        read_rows(ctx, argc > 1 ? argv[1] : "data/penguins.csv", x);
    const sf_cmat data = {x, n, COLS, COLS};
    if (n > 0) {
        printf("all masses: mean %.0f g\n", mean_mass(x, n, &variance));
        for (int64_t i = 0; i < n; i++)
            if (x[i * COLS + BILL] > 45.0 && i % 3 != 0)
                x[i * COLS + MASS] = NAN;
        const double mean = mean_mass(x, n, &variance);
        printf("those that are left: mean %.0f +- %.0f g\n", mean,
               sqrt(variance));
    }
    if (n > 0 && sf_fit_mixture(ctx, &m, data, NULL, NULL, NULL) == SF_OK &&
        ask_mixture(ctx, m) == SF_OK &&
        sf_imputer_fit(ctx, &imputer, data, NULL, NULL, NULL) == SF_OK &&
        combine(ctx, imputer, x, n) == SF_OK)
        result = EXIT_SUCCESS;
    else
        fail(ctx);
    sf_imputer_free(imputer);
    sf_model_free(m);
    sf_context_free(ctx);
    return result;
}
