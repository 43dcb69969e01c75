/* SPDX-License-Identifier: Apache-2.0 */
/* geyser.c - learn a table's score, draw new rows, and check the answer: the
 * means of the samples are those of the data within five standard errors. */
#include <scorefield/array.h>
#include <scorefield/fit.h>
#include <scorefield/flow.h>

#include <math.h>
#include <stdio.h>

enum { SAMPLES = 2000 };

static double mean(sf_cmat x, int64_t column)
{
    double sum = 0.0;
    for (int64_t i = 0; i < x.rows; i++)
        sum += x.data[i * x.stride + column];
    return sum / (double)x.rows;
}

static double variance(sf_cmat x, int64_t column)
{
    const double m = mean(x, column);
    double sum = 0.0;
    for (int64_t i = 0; i < x.rows; i++)
        sum += pow(x.data[i * x.stride + column] - m, 2.0);
    return sum / (double)x.rows;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "data/faithful.csv";
    sf_context *ctx = NULL;
    sf_table table = {0};
    sf_model *model = NULL;
    double new_rows[SAMPLES * 2], logp[4];
    sf_network_options options = SF_NETWORK_OPTIONS_INIT;
    options.steps = 1500;

    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    sf_status status = sf_table_read(ctx, &table, path);
    const sf_cmat x = {table.data, table.rows, table.cols, table.cols};
    if (status == SF_OK && table.cols != 2) {
        fprintf(stderr, "%s: %lld columns, want 2\n", path,
                (long long)table.cols);
        return 1;
    }
    if (status == SF_OK)
        status = sf_fit_network(ctx, &model, x, NULL, &options, NULL);
    if (status == SF_OK)
        status = sf_sample(model, (sf_mat){new_rows, SAMPLES, 2, 2}, NULL);
    if (status == SF_OK)
        status = sf_logpdf(model, (sf_cmat){x.data, 4, 2, 2}, logp, NULL, NULL);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return 1;
    }

    int wrong = 0;
    const sf_cmat drawn = {new_rows, SAMPLES, 2, 2};
    for (int64_t j = 0; j < 2; j++) {
        const double error =
            sqrt(variance(x, j) * (1.0 / (double)x.rows + 1.0 / SAMPLES));
        const double gap = mean(drawn, j) - mean(x, j);
        printf("column %lld: mean of the data %.3f, of the samples %.3f\n",
               (long long)j, mean(x, j), mean(drawn, j));
        wrong += !(fabs(gap) < 5.0 * error);
    }
    printf("log density of the first row: %.3f nats\n", logp[0]);
    sf_model_free(model);
    sf_table_free(ctx, &table);
    sf_context_free(ctx);
    return wrong == 0 ? 0 : 1;
}
