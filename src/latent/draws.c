/* SPDX-License-Identifier: Apache-2.0 */
/* draws.c - the verb that draws z given x: search, starts by their weights, chains,
 * diagnosis, block by block. */
#include "latent/geometry.h"
#include "latent/importance.h"
#include "latent/search.h"
#include "latent/mcmc.h"

#include "num/linalg.h"
#include "scorefield/diagnose.h"

#include <math.h>
#include <string.h>

enum { MOST_ROWS = 512, MOST_COUNT = 1 << 30 };

static const double unmixed = 1.05;

typedef struct latent_draw_job {
    sf_context *ctx;
    const sf_decoder *decoder;
    sf_latent_draw_options options;
    sf_latent_options how; /* of the search */
    sf_latent_draw_result result;
    sfi_latent_programs programs;
    sfi_latent_search *search;
    sfi_latent_geometry *geometry;
    sfi_importance *importance;
    sfi_walkers *walkers;
    sf_cmat x;
    int64_t block;
    double *middle; /* [block, K] */
    double *spread; /* [block, K*K] */
    double *start;  /* [block, chains, K] */
    sfi_latent_found *found;
    sfi_latent_point *point;
    double *z, *rhat, *ess; /* the caller's */
} latent_draw_job;

static sf_status check_count(const latent_draw_job *j, const char *name,
                             int64_t value, int64_t least, int64_t most)
{
    if (value >= least && value <= most)
        return SF_OK;
    return SFI_FAIL(j->ctx, SF_E_ARG,
                    "latent draw: %s is %lld, want %lld to %lld", name,
                    (long long)value, (long long)least, (long long)most);
}

static sf_status check(const latent_draw_job *j)
{
    const sf_latent_draw_options *o = &j->options;
    SFI_TRY(check_count(j, "draws", o->draws, 1, MOST_COUNT));
    SFI_TRY(check_count(j, "chains", o->chains, 1, 64));
    SFI_TRY(check_count(j, "warmup", o->warmup, 0, MOST_COUNT));
    SFI_TRY(check_count(j, "starts", o->starts, 1, 64));
    SFI_TRY(check_count(j, "samples", o->samples, 16, INT64_C(1) << 31));
    SFI_TRY(sfi_check_table(j->ctx, j->x, true, "latent draw: x"));
    if (j->x.cols != j->decoder->dim)
        return SFI_FAIL(j->ctx, SF_E_SHAPE,
                        "latent draw: x has %lld columns, the decoder %lld",
                        (long long)j->x.cols, (long long)j->decoder->dim);
    return SF_OK;
}

static sf_status plan(latent_draw_job *j)
{
    sf_context *ctx = j->ctx;
    const size_t n = (size_t)j->block, k = (size_t)j->decoder->latent;
    const size_t chains = (size_t)j->options.chains;
    SFI_TRY(sfi_latent_programs_make(ctx, &j->programs, j->decoder,
                                     SF_LATENT_NORMAL, SFI_LATENT_SLOPE));
    j->programs.x = j->x;
    SFI_TRY(sfi_latent_search_new(ctx, &j->search, j->decoder, &j->programs,
                                  &j->how, j->block));
    SFI_TRY(sfi_latent_geometry_new(ctx, &j->geometry, &j->programs, j->decoder,
                                    j->block));
    SFI_TRY(sfi_importance_new(ctx, &j->importance, &j->programs, &j->how));
    SFI_TRY(
        sfi_walkers_new(ctx, &j->walkers, &j->programs, &j->options, j->block));
    j->middle = sfi_alloc(ctx, n * k, sizeof *j->middle);
    j->spread = sfi_alloc(ctx, n * k * k, sizeof *j->spread);
    j->start = sfi_alloc(ctx, n * chains * k, sizeof *j->start);
    j->found = sfi_alloc(ctx, n, sizeof *j->found);
    j->point = sfi_alloc(ctx, n, sizeof *j->point);
    return j->middle != NULL && j->spread != NULL && j->start != NULL &&
                   j->found != NULL && j->point != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

static void release(latent_draw_job *j)
{
    sf_context *ctx = j->ctx;
    const size_t n = (size_t)j->block, k = (size_t)j->decoder->latent;
    const size_t chains = (size_t)j->options.chains;
    sfi_free(ctx, j->point, n, sizeof *j->point);
    sfi_free(ctx, j->found, n, sizeof *j->found);
    sfi_free(ctx, j->start, n * chains * k, sizeof *j->start);
    sfi_free(ctx, j->spread, n * k * k, sizeof *j->spread);
    sfi_free(ctx, j->middle, n * k, sizeof *j->middle);
    sfi_walkers_free(j->walkers);
    sfi_importance_free(j->importance);
    sfi_latent_geometry_free(j->geometry);
    sfi_latent_search_free(j->search);
    sfi_latent_programs_free(&j->programs);
}

/* ---- diagnosis ----------------------------------------------------------------- */

static sf_status diagnose_row(latent_draw_job *j, int64_t row)
{
    const int64_t k = j->decoder->latent;
    const int64_t draws = j->options.draws, chains = j->options.chains;
    sf_latent_draw_result *r = &j->result;
    sf_diagnosis d[SF_LATENT_MAX];
    const sf_draws of = {.data = j->z + row * chains * draws * k,
                         .chains = chains,
                         .draws = draws,
                         .dim = k,
                         .stride = k};
    double rhat = NAN, ess = NAN;
    SFI_TRY(sf_diagnose(j->ctx, &of, d));
    for (int64_t i = 0; i < k; i++) {
        rhat = fmax(rhat, d[i].rhat); /* of a number and NaN the number */
        ess = fmin(ess, fmin(d[i].ess_bulk, d[i].ess_tail));
    }
    if (j->rhat != NULL)
        j->rhat[row] = rhat;
    if (j->ess != NULL)
        j->ess[row] = ess;
    r->unmixed += rhat > unmixed;
    r->worst_rhat = fmax(r->worst_rhat, rhat);
    r->least_ess = fmin(r->least_ess, ess);
    return SF_OK;
}

/* ---- work ---------------------------------------------------------------------- */

static sf_status run_block(latent_draw_job *j, int64_t first, int64_t count)
{
    const int64_t k = j->decoder->latent;
    const int64_t each = j->options.chains * j->options.draws * k;
    const sf_latent_values none = SF_LATENT_VALUES_INIT;
    SFI_TRY(
        sfi_latent_search_run(j->search, first, count, j->middle, j->found));
    SFI_TRY(sfi_latent_geometry_run(j->geometry, first, count, j->middle, &none,
                                    j->point, j->spread));
    SFI_TRY(sfi_importance_pick(j->importance, first, count, j->middle,
                                j->spread, j->options.chains, j->start));
    SFI_TRY(sfi_walkers_run(j->walkers, first, count, j->start, j->middle,
                            j->spread, j->z + first * each));
    for (int64_t i = 0; i < count; i++) {
        j->result.undefined += !j->found[i].defined;
        SFI_TRY(diagnose_row(j, first + i));
    }
    return SF_OK;
}

static sf_status run_blocks(latent_draw_job *j)
{
    const int64_t n = j->x.rows;
    const double begun = sfi_clock();
    for (int64_t first = 0; first < n; first += j->block) {
        const sf_progress progress = {"latent draw",      first, n, NAN, NAN,
                                      sfi_clock() - begun};
        if (!sfi_progress(j->ctx, &progress, false))
            return SFI_FAIL(j->ctx, SF_E_CANCELLED,
                            "latent draw: stopped after %lld of %lld rows",
                            (long long)first, (long long)n);
        SFI_TRY(
            run_block(j, first, n - first < j->block ? n - first : j->block));
    }
    return SF_OK;
}

static sf_status judge(const latent_draw_job *j)
{
    const sf_latent_draw_result *r = &j->result;
    if (r->rows > 0 && r->undefined == r->rows)
        return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                        "latent draw: the decoder is not finite at any start");
    if (r->undefined > 0)
        sfi_warn(j->ctx,
                 "%lld of %lld rows are empty: the decoder is not finite at "
                 "any of their starts",
                 (long long)r->undefined, (long long)r->rows);
    if (r->unmixed > 0)
        sfi_warn(j->ctx,
                 "the chains of %lld of %lld rows have not mixed (R-hat above "
                 "%g, the largest is %.3g): more draws, or a longer warm-up?",
                 (long long)r->unmixed, (long long)r->rows, unmixed,
                 r->worst_rhat);
    return SF_OK;
}

static sf_status run(latent_draw_job *j)
{
    sf_latent_draw_result *r = &j->result;
    j->how.starts = j->decoder->is_linear ? 1 : j->options.starts;
    j->how.samples = j->options.samples;
    j->how.seed = j->options.seed;
    j->block = j->x.rows < MOST_ROWS ? j->x.rows : MOST_ROWS;
    r->rows = j->x.rows;
    r->worst_rhat = r->least_ess = NAN;
    sf_status status = plan(j);
    if (status == SF_OK)
        status = run_blocks(j);
    if (status == SF_OK)
        sfi_walkers_acceptance(j->walkers, &r->accept, &r->jumps);
    release(j);
    return status;
}

sf_status sf_latent_draw(sf_context *ctx, const sf_decoder *decoder, sf_cmat x,
                         double *z, double *rhat, double *ess,
                         sf_latent_draw_result *result,
                         const sf_latent_draw_options *options)
{
    const sf_latent_draw_options usual = SF_LATENT_DRAW_OPTIONS_INIT;
    const sf_latent_draw_result none = SF_LATENT_DRAW_RESULT_INIT;
    const sf_latent_options how = SF_LATENT_OPTIONS_INIT;
    sf_latent_draw_result size = none;
    latent_draw_job j = {.ctx = ctx,
                         .decoder = decoder,
                         .options = usual,
                         .how = how,
                         .result = none,
                         .x = x,
                         .z = z,
                         .rhat = rhat,
                         .ess = ess};
    SFI_TRY(sfi_options(ctx, &j.options, sizeof usual, options));
    SFI_TRY(sfi_options(ctx, &size, sizeof none, result));
    SFI_TRY(check(&j));
    SFI_TRY(run(&j));
    if (result != NULL)
        memcpy((char *)result + sizeof none.size,
               (char *)&j.result + sizeof none.size,
               result->size - sizeof none.size);
    return judge(&j);
}
