/* SPDX-License-Identifier: Apache-2.0 */
/* latent.h - what `scorefield latent` is given: a decoder, its noise, and rows. */
#ifndef SFI_CLI_LATENT_H
#define SFI_CLI_LATENT_H

#include "cli/cli.h"
#include "scorefield/latent.h"

typedef struct cli_latent_options {
    const char *output, *decoder, *want;
    const char *sigma, *covariance, *log_sigma;
    const char *at, *columns;
    const char *geodesic, *between;
    int64_t latent, starts, samples, segments;
    int64_t draws, chains, warmup;
    int prior;
    cli_read read;

    /* Not options, but what the operands say (cli_latent_open()). */
    sf_model *model;   /* MODEL, or NULL: the decoder is typed */
    const char *table; /* DATA, or NULL                        */
} cli_latent_options;

/* Which operands there are; load the model, whose latent variables are then `latent`.
 * The caller frees o->model, also after a failure. */
sf_status cli_latent_open(cli *c, cli_latent_options *o);

/* What is wrong whatever the table holds. */
sf_status cli_latent_check(cli *c, const cli_latent_options *o);

/* The table's rows x, and z of --at (data NULL without), which live as long as
 * `data`.  SF_E_FORMAT for a cell that is missing: every one is needed. */
sf_status cli_latent_read(cli *c, const cli_latent_options *o, cli_data *data,
                          sf_cmat *x, sf_cmat *at);

/* How z is inferred. */
sf_latent_options cli_latent_how(const cli *c, const cli_latent_options *o);

/* "1,2,3" as numbers, to be freed with their number; rows of them are parted by
 * semicolons. */
sf_status cli_latent_numbers(cli *c, const char *option, const char *text,
                             double **out, int64_t *count, int64_t *rows);

/* Report, and end with `status`, of which `message` was said before. */
enum { CLI_LATENT_MESSAGE = 512 };
sf_status cli_latent_end(cli *c, sf_status status, const char *message);

/* --geodesic or --between (latent_geodesic.c). */
sf_status cli_latent_geodesic(cli *c, const cli_latent_options *o);

/* --draws (latent_draws.c). */
sf_status cli_latent_draws(cli *c, const cli_latent_options *o);

/* The model's decoder, or the typed one of rows of `dim` columns, whose names are those of the first of `data`
 * (NULL: x0, x1, ...); dim 0: as many as the text gives. */
sf_status cli_latent_decoder(cli *c, const cli_latent_options *o,
                             const cli_data *data, int64_t dim,
                             sf_decoder **out);

#endif
