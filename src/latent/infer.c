/* SPDX-License-Identifier: Apache-2.0 */
/* infer.c - the verb: blocks of rows through the search, the geometry and the
 * importance sampler, and what is counted on the way. */
#include "latent/geometry.h"
#include "latent/importance.h"
#include "latent/programs.h"
#include "latent/search.h"

#include "num/linalg.h"
#include "num/probability.h"

#include <math.h>
#include <string.h>

/* A row of the model exceeds such a misfit once in a million. */
static const double rare = 1e-6;
static const double doubtful_se = 0.1, doubtful_share = 0.5;

typedef struct latent_job {
    sf_context *ctx;
    const sf_decoder *decoder;
    sf_latent_options options;
    sf_latent_values values;
    sf_latent_result result;
    sfi_latent_programs programs;
    sfi_latent_search *search;
    sfi_latent_geometry *geometry;
    sfi_importance *importance; /* NULL where logpdf is not wanted */
    sf_cmat x;
    sf_cmat at; /* given points; data NULL where z is inferred */
    int64_t block;
    double *z;               /* [block, K] */
    int64_t *rows;           /* [block] */
    double *spread;          /* [block, K*K] where there is importance */
    sfi_latent_found *found; /* [block] */
    sfi_latent_point *point; /* [block] */
    sfi_evidence *evidence;  /* [block] where there is importance */
    double se_squares;       /* sum of squared standard errors */
    int64_t evident;         /* rows with a logpdf */
} latent_job;

/* ---- what is asked ------------------------------------------------------------- */

static bool wants_logpdf(const latent_job *j)
{
    return j->values.logpdf.data != NULL || j->values.logpdf_se.data != NULL ||
           j->values.data_score.data != NULL;
}

static sf_status check_options(const latent_job *j)
{
    const sf_latent_options *o = &j->options;
    const bool known =
        o->prior == SF_LATENT_NORMAL || o->prior == SF_LATENT_NONE;
    if (!known)
        return SFI_FAIL(j->ctx, SF_E_ARG, "latent: prior is %d, want 0 or 1",
                        (int)o->prior);
    if (o->starts < 1 || o->starts > 64)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "latent: starts is %lld, want 1 to 64",
                        (long long)o->starts);
    if (!(o->tolerance > 0.0 && isfinite(o->tolerance)))
        return SFI_FAIL(j->ctx, SF_E_ARG, "latent: tolerance is %g, want > 0",
                        o->tolerance);
    if (o->max_iterations < 1)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "latent: max_iterations is %lld, want >= 1",
                        (long long)o->max_iterations);
    if (o->samples < 16 || o->samples > INT64_C(1) << 31)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "latent: samples is %lld, want 16 to 2^31",
                        (long long)o->samples);
    return SF_OK;
}

static sf_status check_curvature(const latent_job *j)
{
    if (j->values.curvature.data != NULL && j->decoder->latent != 2)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "latent: there are %lld latent numbers, and the "
                        "Gaussian curvature is of 2",
                        (long long)j->decoder->latent);
    return SF_OK;
}

static sf_status check_prior(const latent_job *j)
{
    const int64_t latent = j->decoder->latent, dim = j->decoder->dim;
    const sf_latent_values *v = &j->values;
    if (j->options.prior != SF_LATENT_NONE)
        return SF_OK;
    if (latent >= dim)
        return SFI_FAIL(
            j->ctx, SF_E_ARG,
            "latent: %lld latent numbers for %lld columns without a prior: %s; "
            "want fewer, or a prior",
            (long long)latent, (long long)dim,
            latent > dim
                ? "z is not determined"
                : "every residual is 0, and orthogonality says nothing");
    if (wants_logpdf(j) || v->laplace.data != NULL || v->logjoint.data != NULL)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "latent: there is no p(x) without a prior: logpdf, "
                        "data_score, laplace and logjoint need one");
    return SF_OK;
}

static sf_status check_member(const latent_job *j, const sf_mat *m,
                              const char *name, int64_t cols)
{
    if (m->data == NULL)
        return SF_OK;
    if (m->rows != j->x.rows || m->cols != cols || m->stride < cols)
        return SFI_FAIL(j->ctx, SF_E_SHAPE,
                        "latent: %s is [%lld, %lld], want [%lld, %lld]", name,
                        (long long)m->rows, (long long)m->cols,
                        (long long)j->x.rows, (long long)cols);
    return SF_OK;
}

static sf_status check_shapes(const latent_job *j)
{
    const int64_t K = j->decoder->latent, D = j->decoder->dim;
    SFI_TRY(sfi_check_table(j->ctx, j->x, true, "latent: x"));
    if (j->x.cols != D)
        return SFI_FAIL(j->ctx, SF_E_SHAPE,
                        "latent: x has %lld columns, the decoder %lld",
                        (long long)j->x.cols, (long long)D);
    if (j->at.data != NULL)
        SFI_TRY(sfi_check_table(j->ctx, j->at, true, "latent: z"));
    if (j->at.data != NULL && (j->at.cols != K || j->at.rows != j->x.rows))
        return SFI_FAIL(j->ctx, SF_E_SHAPE,
                        "latent: z is [%lld, %lld], want [%lld, %lld]",
                        (long long)j->at.rows, (long long)j->at.cols,
                        (long long)j->x.rows, (long long)K);
#define CHECK_MEMBER(member, columns)                                          \
    SFI_TRY(check_member(j, &j->values.member, #member, columns));
    SFI_LATENT_VALUES(CHECK_MEMBER)
#undef CHECK_MEMBER
    return SF_OK;
}

/* ---- plan ---------------------------------------------------------------------- */

/* Rows at a time: some megabytes of the widest arrays. */
static int64_t choose_block(const latent_job *j)
{
    const int64_t k = j->decoder->latent, d = j->decoder->dim;
    const int64_t numbers = 5 * d * k + 6 * k * k * (j->options.starts + 1);
    const int64_t block = (INT64_C(1) << 22) / numbers;
    const int64_t most = block < 64 ? 64 : block > 4096 ? 4096 : block;
    return j->x.rows < most ? (j->x.rows > 0 ? j->x.rows : 1) : most;
}

static sf_status plan(latent_job *j)
{
    sf_context *ctx = j->ctx;
    const size_t n = (size_t)j->block, k = (size_t)j->decoder->latent;
    const unsigned extras =
        (j->values.curvature.data != NULL ? (unsigned)SFI_LATENT_CURVATURE
                                          : 0u) |
        (j->values.data_score.data != NULL ? (unsigned)SFI_LATENT_PULL : 0u);
    SFI_TRY(sfi_latent_programs_make(ctx, &j->programs, j->decoder,
                                     j->options.prior, extras));
    j->programs.x = j->x;
    if (j->at.data == NULL)
        SFI_TRY(sfi_latent_search_new(ctx, &j->search, j->decoder, &j->programs,
                                      &j->options, j->block));
    SFI_TRY(sfi_latent_geometry_new(ctx, &j->geometry, &j->programs, j->decoder,
                                    j->block));
    if (wants_logpdf(j)) {
        SFI_TRY(
            sfi_importance_new(ctx, &j->importance, &j->programs, &j->options));
        j->spread = sfi_alloc(ctx, n * k * k, sizeof *j->spread);
        j->evidence = sfi_alloc(ctx, n, sizeof *j->evidence);
        if (j->spread == NULL || j->evidence == NULL)
            return SF_E_NOMEM;
    }
    j->rows = sfi_alloc(ctx, n, sizeof *j->rows);
    if (j->rows == NULL)
        return SF_E_NOMEM;
    j->z = sfi_alloc(ctx, n * k, sizeof *j->z);
    j->found = sfi_alloc_zero(ctx, n, sizeof *j->found);
    j->point = sfi_alloc(ctx, n, sizeof *j->point);
    return j->z != NULL && j->found != NULL && j->point != NULL ? SF_OK
                                                                : SF_E_NOMEM;
}

static void release(latent_job *j)
{
    sf_context *ctx = j->ctx;
    const size_t n = (size_t)j->block, k = (size_t)j->decoder->latent;
    sfi_free(ctx, j->rows, n, sizeof *j->rows);
    sfi_free(ctx, j->point, n, sizeof *j->point);
    sfi_free(ctx, j->found, n, sizeof *j->found);
    sfi_free(ctx, j->z, n * k, sizeof *j->z);
    sfi_free(ctx, j->evidence, n, sizeof *j->evidence);
    sfi_free(ctx, j->spread, n * k * k, sizeof *j->spread);
    sfi_importance_free(j->importance);
    sfi_latent_geometry_free(j->geometry);
    sfi_latent_search_free(j->search);
    sfi_latent_programs_free(&j->programs);
}

/* ---- counting ------------------------------------------------------------------ */

static void count_row(latent_job *j, int64_t row, const sfi_latent_found *f,
                      const sfi_latent_point *p)
{
    sf_latent_result *r = &j->result;
    const sf_mat *ambiguous = &j->values.ambiguous;
    if (ambiguous->data != NULL)
        ambiguous->data[row * ambiguous->stride] = f->ambiguous ? 1.0 : 0.0;
    const int64_t degrees = j->decoder->dim - j->decoder->latent;
    if (j->at.data == NULL && !f->defined) {
        r->undefined++;
        return;
    }
    r->converged += f->converged;
    r->ambiguous += f->ambiguous;
    r->maxima += p->kind == 1;
    r->saddles += p->kind == -1;
    r->undetermined += p->kind == 0;
    r->tied += p->is_tied;
    r->unreachable +=
        degrees > 0 && sfi_chi_squared_above(degrees, p->misfit) < rare;
    if (f->iterations > r->iterations)
        r->iterations = f->iterations;
    r->worst_orthogonality = fmax(r->worst_orthogonality, p->certificate);
}

/* Of a linear decoder the posterior is normal, and Laplace's integral exact. */
static sfi_evidence exact_evidence(const latent_job *j, int64_t i)
{
    const sfi_latent_point *p = &j->point[i];
    const double half_log_two_pi = 0.91893853320467274178;
    return (sfi_evidence){.logpdf =
                              p->objective - p->half_log_det +
                              (double)j->decoder->latent * half_log_two_pi};
}

static void count_evidence(latent_job *j, int64_t row, const sfi_evidence *e)
{
    sf_latent_result *r = &j->result;
    const sf_mat *logpdf = &j->values.logpdf, *se = &j->values.logpdf_se;
    if (logpdf->data != NULL)
        logpdf->data[row * logpdf->stride] = e->logpdf;
    if (se->data != NULL)
        se->data[row * se->stride] = e->se;
    if (isnan(e->logpdf))
        return;
    j->evident++;
    r->mean_logpdf += e->logpdf;
    j->se_squares += e->se * e->se;
    r->worst_se = fmax(r->worst_se, e->se);
    r->doubtful += e->se > doubtful_se || e->share > doubtful_share;
}

/* grad_x ln p(x) of a linear decoder: of the posterior's mean, since grad_x ln p(x|z)
 * is linear in z. */
static sf_status exact_pull(latent_job *j, int64_t first, int64_t count,
                            double *pull)
{
    for (int64_t i = 0; i < count; i++)
        j->rows[i] = first + i;
    return sfi_latent_pull_at(&j->programs, count, j->rows, j->z, pull,
                              j->values.data_score.stride);
}

static sf_status add_evidence(latent_job *j, int64_t first, int64_t count)
{
    const bool exact = j->decoder->is_linear && j->at.data == NULL;
    const sf_mat *score = &j->values.data_score;
    double *pull =
        score->data != NULL ? score->data + first * score->stride : NULL;
    if (exact && pull != NULL)
        SFI_TRY(exact_pull(j, first, count, pull));
    if (!exact && pull != NULL)
        SFI_TRY(sfi_importance_pull(j->importance, first, count, j->z,
                                    j->spread, j->evidence, pull,
                                    score->stride));
    if (!exact && pull == NULL)
        SFI_TRY(sfi_importance_run(j->importance, first, count, j->z, j->spread,
                                   j->evidence));
    for (int64_t i = 0; i < count; i++) {
        if (exact)
            j->evidence[i] = exact_evidence(j, i);
        count_evidence(j, first + i, &j->evidence[i]);
    }
    return SF_OK;
}

/* ---- work ---------------------------------------------------------------------- */

static sf_status run_block(latent_job *j, int64_t first, int64_t count)
{
    const int64_t k = j->decoder->latent;
    if (j->at.data == NULL)
        SFI_TRY(sfi_latent_search_run(j->search, first, count, j->z, j->found));
    for (int64_t i = 0; i < count && j->at.data != NULL; i++)
        memcpy(j->z + i * k, j->at.data + (first + i) * j->at.stride,
               (size_t)k * sizeof *j->z);
    SFI_TRY(sfi_latent_geometry_run(j->geometry, first, count, j->z, &j->values,
                                    j->point, j->spread));
    const sf_mat *curvature = &j->values.curvature;
    if (curvature->data != NULL)
        SFI_TRY(sfi_latent_curvature_at(
            &j->programs, count, j->z,
            curvature->data + first * curvature->stride, curvature->stride));
    for (int64_t i = 0; i < count; i++)
        count_row(j, first + i, &j->found[i], &j->point[i]);
    return j->importance != NULL ? add_evidence(j, first, count) : SF_OK;
}

static sf_status run_blocks(latent_job *j)
{
    const int64_t n = j->x.rows;
    const double begun = sfi_clock();
    for (int64_t first = 0; first < n; first += j->block) {
        const sf_progress progress = {"latent", first, n,
                                      NAN,      NAN,   sfi_clock() - begun};
        if (!sfi_progress(j->ctx, &progress, false))
            return SFI_FAIL(j->ctx, SF_E_CANCELLED,
                            "latent: stopped after %lld of %lld rows",
                            (long long)first, (long long)n);
        SFI_TRY(
            run_block(j, first, n - first < j->block ? n - first : j->block));
    }
    return SF_OK;
}

static void finish(latent_job *j)
{
    sf_latent_result *r = &j->result;
    r->rows = j->x.rows;
    r->starts = j->at.data != NULL ? 0 : j->options.starts;
    if (j->importance == NULL || j->evident == 0) {
        r->mean_logpdf = r->mean_logpdf_se = r->worst_se = NAN;
        return;
    }
    r->mean_logpdf /= (double)j->evident;
    r->mean_logpdf_se = sqrt(j->se_squares) / (double)j->evident;
}

/* ---- telling -------------------------------------------------------------------- */

static void warn_of(const latent_job *j, int64_t rows, const char *what)
{
    if (rows > 0)
        sfi_warn(j->ctx, "%lld of %lld rows %s", (long long)rows,
                 (long long)j->x.rows, what);
}

static sf_status judge(const latent_job *j)
{
    const sf_latent_result *r = &j->result;
    const int64_t n = j->x.rows, defined = n - r->undefined;
    if (n > 0 && defined == 0)
        return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                        "latent: the decoder is not finite at any start");
    warn_of(j, r->undefined,
            "are empty: the decoder is not finite at any of their starts");
    if (j->at.data == NULL) {
        warn_of(j, defined - r->converged,
                "have not converged; the best point that was found is given");
        warn_of(j, r->saddles, "end at a point that is no maximum");
        warn_of(j, r->undetermined,
                "do not determine their latent point (kind 0)");
    }
    if (j->importance != NULL)
        warn_of(j, r->doubtful,
                "have a logpdf that is not to be trusted (standard error above "
                "0.1, or one weight above half of all): more samples?");
    if (n > 0 && j->at.data == NULL && r->converged == 0)
        return SFI_FAIL(j->ctx, SF_E_CONVERGE,
                        "latent: no row has converged; the worst certificate "
                        "is %.3g, want <= %g",
                        r->worst_orthogonality, j->options.tolerance);
    return SF_OK;
}

static sf_status run(latent_job *j, const sf_latent_values *values,
                     sf_latent_result *result, const sf_latent_options *options)
{
    const sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    const sf_latent_values v = SF_LATENT_VALUES_INIT;
    const sf_latent_result r = SF_LATENT_RESULT_INIT;
    sf_latent_result size = r;
    j->options = o;
    j->values = v;
    j->result = r;
    SFI_TRY(sfi_options(j->ctx, &j->options, sizeof o, options));
    SFI_TRY(sfi_options(j->ctx, &j->values, sizeof v, values));
    SFI_TRY(sfi_options(j->ctx, &size, sizeof r, result));
    SFI_TRY(check_options(j));
    SFI_TRY(check_shapes(j));
    SFI_TRY(check_prior(j));
    SFI_TRY(check_curvature(j));
    if (j->decoder->is_linear)
        j->options.starts = 1;
    j->block = choose_block(j);
    sf_status status = plan(j);
    if (status == SF_OK)
        status = run_blocks(j);
    release(j);
    SFI_TRY(status);
    finish(j);
    if (result != NULL)
        memcpy((char *)result + sizeof r.size,
               (char *)&j->result + sizeof r.size,
               result->size - sizeof r.size);
    return judge(j);
}

sf_status sf_latent_infer(sf_context *ctx, const sf_decoder *decoder, sf_cmat x,
                          const sf_latent_values *values,
                          sf_latent_result *result,
                          const sf_latent_options *options)
{
    latent_job j = {.ctx = ctx, .decoder = decoder, .x = x};
    return run(&j, values, result, options);
}

sf_status sf_latent_at(sf_context *ctx, const sf_decoder *decoder, sf_cmat x,
                       sf_cmat z, const sf_latent_values *values,
                       sf_latent_result *result,
                       const sf_latent_options *options)
{
    latent_job j = {.ctx = ctx, .decoder = decoder, .x = x, .at = z};
    if (z.data == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "latent: z is NULL");
    return run(&j, values, result, options);
}
