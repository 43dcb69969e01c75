/* SPDX-License-Identifier: Apache-2.0 */
/* latent_draws.c - scorefield latent --draws: the posterior of each row's latent point,
 * as draws. */
#include "cli/latent.h"

#include <math.h>
#include <string.h>

typedef struct draws {
    cli *c;
    const cli_latent_options *o;
    cli_data data;
    sf_cmat x;
    sf_decoder *decoder;
    int64_t each;       /* of a chain */
    double *z;          /* [rows, chains, each, K] */
    double *rhat, *ess; /* [rows] */
    sf_table table;     /* row, chain, draw, z, rhat, ess */
    sf_latent_draw_result result;
} draws;

static size_t numbers(const draws *d)
{
    return (size_t)(d->x.rows * d->o->draws * d->o->latent);
}

static sf_status draw(draws *d)
{
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    o.draws = d->each;
    o.chains = d->o->chains;
    o.warmup = d->o->warmup;
    o.starts = d->o->starts;
    o.samples = d->o->samples;
    o.seed = d->c->common.seed;
    cli_progress_begin(d->c);
    const sf_status status = sf_latent_draw(d->c->ctx, d->decoder, d->x, d->z,
                                            d->rhat, d->ess, &d->result, &o);
    cli_progress_end(d->c);
    return status;
}

/* ---- the output ----------------------------------------------------------- */

static sf_status name_columns(const draws *d, cli_names *names)
{
    static const char *const before[] = {"row", "chain", "draw"};
    for (int i = 0; i < 3; i++)
        SFI_TRY(cli_add_name(names, before[i], "", ""));
    for (int64_t k = 0; k < d->o->latent; k++) {
        char name[8];
        snprintf(name, sizeof name, "z%d", (int)k);
        SFI_TRY(cli_add_name(names, name, "", ""));
    }
    SFI_TRY(cli_add_name(names, "rhat", "", ""));
    return cli_add_name(names, "ess", "", "");
}

/* Rows count from 1, as those of --between; chains and draws from 0, as those of
 * `scorefield sample`. */
static void fill_table(draws *d)
{
    const int64_t k = d->o->latent;
    double *to = d->table.data;
    for (int64_t i = 0; i < d->table.rows; i++, to += d->table.cols) {
        const int64_t row = i / d->o->draws, of_row = i % d->o->draws;
        to[0] = (double)row + 1.0;
        to[1] = (double)(of_row / d->each);
        to[2] = (double)(of_row % d->each);
        memcpy(to + 3, d->z + i * k, (size_t)k * sizeof *to);
        to[3 + k] = d->rhat[row];
        to[4 + k] = d->ess[row];
    }
}

static sf_status write_draws(draws *d)
{
    cli_names names;
    sf_status status = cli_names_make(d->c->ctx, &names, d->o->latent + 5);
    if (status == SF_OK)
        status = name_columns(d, &names);
    if (status == SF_OK)
        status = sf_table_new(d->c->ctx, &d->table, d->x.rows * d->o->draws,
                              names.count, (const char *const *)names.list);
    cli_names_free(&names);
    SFI_TRY(status);
    fill_table(d);
    return sf_table_write(d->c->ctx, &d->table, d->o->output);
}

static void make_report(const draws *d, double seconds)
{
    cli *c = d->c;
    const sf_latent_draw_result *r = &d->result;
    cli_put_count(c, c->report, "rows", r->rows);
    if (r->undefined > 0)
        cli_put_count(c, c->report, "undefined", r->undefined);
    cli_put_count(c, c->report, "chains", d->o->chains);
    cli_put_count(c, c->report, "draws", d->o->draws);
    cli_put_number(c, c->report, "worst_rhat", r->worst_rhat);
    cli_put_count(c, c->report, "unmixed", r->unmixed);
    cli_put_number(c, c->report, "least_ess", r->least_ess);
    cli_put_number(c, c->report, "accept", r->accept);
    cli_put_number(c, c->report, "jumps", r->jumps);
    cli_put_number(c, c->report, "seconds", seconds);
}

/* ---- the work ------------------------------------------------------------- */

static sf_status run(draws *d)
{
    cli *c = d->c;
    sf_cmat at;
    const double begun = sfi_clock();
    SFI_TRY(cli_latent_read(c, d->o, &d->data, &d->x, &at));
    SFI_TRY(cli_latent_decoder(c, d->o, &d->data, d->x.cols, &d->decoder));
    const size_t rows = (size_t)d->x.rows;
    d->z = sfi_alloc(c->ctx, numbers(d), sizeof *d->z);
    d->rhat = sfi_alloc(c->ctx, rows, sizeof *d->rhat);
    d->ess = sfi_alloc(c->ctx, rows, sizeof *d->ess);
    if (d->z == NULL || d->rhat == NULL || d->ess == NULL)
        return SF_E_NOMEM;
    SFI_TRY(draw(d));
    SFI_TRY(write_draws(d));
    make_report(d, sfi_clock() - begun);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

sf_status cli_latent_draws(cli *c, const cli_latent_options *o)
{
    const sf_latent_draw_result none = SF_LATENT_DRAW_RESULT_INIT;
    draws d = {.c = c, .o = o, .result = none};
    if (o->draws % o->chains != 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--draws is %lld, want a multiple of the %lld chains",
                        (long long)o->draws, (long long)o->chains);
    d.each = o->draws / o->chains;
    const sf_status status = run(&d);
    const size_t rows = (size_t)d.x.rows;
    sf_table_free(c->ctx, &d.table);
    sfi_free(c->ctx, d.ess, rows, sizeof *d.ess);
    sfi_free(c->ctx, d.rhat, rows, sizeof *d.rhat);
    sfi_free(c->ctx, d.z, numbers(&d), sizeof *d.z);
    sf_decoder_free(d.decoder);
    cli_data_free(&d.data);
    return status;
}
