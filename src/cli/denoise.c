/* SPDX-License-Identifier: Apache-2.0 */
/* denoise.c - scorefield denoise: the clean points behind noisy ones. */
#include "cli/cli.h"

#include "scorefield/store.h"

#include <math.h>

typedef struct denoise_options {
    const char *output;
    double time, sigma;
    bool draw;
    cli_read read;
} denoise_options;

#define OPTION(...) CLI_OPTION(denoise_options, __VA_ARGS__)

static const cli_option options[] = {
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".csv or .npy; - is CSV on stdout"),
    OPTION(CLI_NUMBER, 0, "time", "T", time, NULL, "[0, 1]",
           "Noise time of the points"),
    OPTION(CLI_NUMBER, 0, "sigma", "S", sigma, NULL, ">= 0",
           "Or their noise, in standard deviations"),
    OPTION(CLI_FLAG, 0, "draw", NULL, draw, NULL, NULL,
           "A draw from the posterior, not its mean"),
    CLI_READ_OPTIONS(denoise_options, read),
    {0}};

/* The clean points of the complete rows, in the rows of their file. */
static sf_status find_clean(cli *c, const denoise_options *o, sf_model *model,
                            const cli_data *points, double time,
                            sf_table *clean)
{
    const sf_cmat x = points->x;
    const size_t cells = (size_t)(x.rows * x.cols);
    double *values = sfi_alloc(c->ctx, cells, sizeof *values);
    if (values == NULL)
        return SF_E_NOMEM;
    const sf_mat out = {values, x.rows, x.cols, x.cols};
    const sf_model_values wanted = {.denoised = out};
    const sf_status status = cli_data_error(
        points, o->draw
                    ? sf_model_draw_clean(model, x, time, c->common.seed, out)
                    : sf_model_eval(model, x, time, &wanted));
    cli_clear(clean);
    cli_scatter(points, sf_mat_const(out), clean, 0);
    sfi_free(c->ctx, values, cells, sizeof *values);
    return status;
}

static sf_status denoise(cli *c, const denoise_options *o, sf_model *model,
                         cli_data *points, sf_table *clean)
{
    const double begun = sfi_clock();
    SFI_TRY(cli_read_points(c, model, c->operands[1], &o->read, points));
    const double time =
        cli_given(c, "sigma") ? sf_model_time(model, o->sigma) : o->time;
    const double sigma = sf_model_sigma(model, time);
    if (cli_given(c, "sigma") && fabs(sigma - o->sigma) > 1e-9 * o->sigma)
        sfi_warn(c->ctx,
                 "--sigma %g is outside the model's noise levels, and the "
                 "answer is the one at %g",
                 o->sigma, sigma);
    SFI_TRY(cli_model_table(c, model, points->rows, clean));
    SFI_TRY(find_clean(c, o, model, points, time, clean));
    for (int64_t j = 0; j < clean->cols; j++)
        SFI_TRY(sf_model_copy_levels(model, j, &clean->columns[j]));
    SFI_TRY(sf_table_write(c->ctx, clean, o->output));
    cli_put_count(c, c->report, "rows", points->x.rows);
    if (points->x.rows < points->rows)
        cli_put_count(c, c->report, "dropped_rows",
                      points->rows - points->x.rows);
    cli_put_number(c, c->report, "time", sf_model_used_time(model, time));
    cli_put_text(c, c->report, "result",
                 o->draw ? "draws from the posterior" : "posterior means");
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

static sf_status run(cli *c, const void *values)
{
    const denoise_options *o = values;
    sf_model *model = NULL;
    cli_data points = {0};
    sf_table clean = {0};
    if (cli_given(c, "time") == cli_given(c, "sigma"))
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "want --time T or --sigma S: how noisy are the points?");
    const cli_file out = {.option = "-o",
                          .path = o->output,
                          .is_output = true,
                          .endings = CLI_TABLE_ENDINGS,
                          .want = CLI_TABLE_WANT};
    SFI_TRY(cli_check_files(c, &out, 1));
    SFI_TRY(sf_model_load(c->ctx, &model, c->operands[0]));
    cli_catch_signals();
    const sf_status status = denoise(c, o, model, &points, &clean);
    sf_table_free(c->ctx, &clean);
    cli_data_free(&points);
    sf_model_free(model);
    return status;
}

const cli_command cli_denoise = {
    .name = "denoise",
    .summary = "The clean points behind noisy ones",
    .usage = "[OPTIONS] MODEL NOISY -o OUT",
    .operands =
        "  MODEL                    As `scorefield fit` writes it\n"
        "  NOISY                    A table with the model's columns, in any "
        "order\n",
    .least = 2,
    .most = 2,
    .size = sizeof(denoise_options),
    .options = options,
    .notes =
        "The mean of the clean point given the noisy one, or with --draw a row "
        "of an\nempirical model's data by its posterior weight.  The noise is "
        "the model's: for\nkernels their distribution at time T, for gaussian "
        "and network models normal\nnoise of S standard deviations of each "
        "column.\n",
    .example = "  scorefield denoise faithful.safetensors data/faithful.csv "
               "--sigma 1 -o new.csv\n",
    .run = run};
