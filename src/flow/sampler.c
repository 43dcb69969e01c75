/* SPDX-License-Identifier: Apache-2.0 */
/* sampler.c - from noise to samples.
 *
 * Every method asks the model's field for drifts a and scores s at the walkers'
 * places, and adds them up:
 *
 *     y <- y + c_1 a + c_2 b + c_3 z
 *
 * With levels l falling, d = l1 - l0 < 0, and q_j = (l0^2 - l1^2) spread_j^2, the
 * variance that additive noise of this spread loses from l0 to l1,
 *
 *     EULER     y' = y + d a(y, l0)
 *     HEUN      y' = y + d (a(y, l0) + a(y_euler, l1)) / 2
 *     CHURNED   levels sigma: y <- y + sqrt(lh^2 - l0^2) z, then HEUN from lh to
 *               l1; kernels: LANGEVIN, which is the same move on any law, then
 *               HEUN from l0 to l1
 *     REVERSE   y' = y + d a(y, l0) + q s(y, l0)/2 + sqrt(q) z, an Euler step of
 *               the reverse diffusion with constant coefficients q/|d|
 *     LANGEVIN  y' = y + (h/2) s(y, l0) + sqrt(h) z
 *
 * Noise for walker i at move k is that of (seed, first + i, k), and what a field
 * gives for one walker does not depend on the others: so row i of a sample is a
 * function of the seed and i. */
#include "base/random.h"
#include "flow/jumps.h"
#include "flow/local_draws.h"
#include "flow/resample.h"
#include "model/model.h"
#include "scorefield/flow.h"
#include "scorefield/program.h"

#include <math.h>
#include <string.h>

/* Terms of an update: which of a, b and z it adds. */
enum { TERM_A = 1, TERM_B = 2, TERM_Z = 4, UPDATES = 8 };

/* What a field gives. */
typedef enum asked { WANT_DRIFT, WANT_SCORE, WANT_BOTH, WANT_COUNT } asked;

typedef struct sampler {
    sf_context *ctx;
    const sf_model *m;
    sf_sample_options o;
    int64_t n, d;             /* walkers, numbers of y    */
    float *y, *a, *b, *there; /* [n, d] */
    double *inner, *outer;    /* [d], [dim]: one walker   */
    double *spread;           /* [d] of the noise, over the level */
    float *coefficients;      /* [3, d] */
    sfi_inner *fields[WANT_COUNT];
    sf_program *updates[UPDATES];
    uint32_t noise_step;
    int64_t recorded;
} sampler;

/* ---- moves ------------------------------------------------------------------ */

static sf_status compile_update(sampler *s, int terms)
{
    static const char *const names[3] = {"c1", "c2", "c3"};
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(s->ctx, &g));
    sf_node sum = sf_input(g, "y", 1, &s->d);
    const sf_node parts[3] = {sf_input(g, "a", 1, &s->d),
                              sf_input(g, "b", 1, &s->d),
                              sf_input(g, "z", 1, &s->d)};
    for (int k = 0; k < 3; k++) {
        const sf_node c = sf_param(g, names[k], 1, &s->d);
        if ((terms >> k & 1) != 0)
            sum = sf_add(g, sum, sf_mul(g, c, parts[k]));
    }
    const sf_output out = {sum, SF_EACH};
    const sf_status status =
        sf_program_new(s->ctx, &s->updates[terms], g, SF_F32, 1, &out);
    sf_graph_free(g);
    return status;
}

static sf_status first_bad_walker(const sampler *s)
{
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < s->d; j++)
            if (!isfinite(s->y[i * s->d + j]))
                return SFI_FAIL(
                    s->ctx, SF_E_NUMERIC,
                    "sample: walker %lld became non-finite at "
                    "move %u; more steps or a smaller step may help",
                    (long long)(s->o.first + i), s->noise_step);
    return SF_OK;
}

/* A walker's y, in doubles. */
static const double *inner_of(const sampler *s, const float *y, int64_t i)
{
    for (int64_t j = 0; j < s->d; j++)
        s->inner[j] = (double)y[i * s->d + j];
    return s->inner;
}

/* Walkers on a surface have left it along a tangent. */
static void settle(sampler *s, float *y)
{
    for (int64_t i = 0; i < s->n; i++) {
        (void)inner_of(s, y, i);
        sfi_noise_settle(&s->m->noise, s->inner);
        for (int64_t j = 0; j < s->d; j++)
            y[i * s->d + j] = (float)s->inner[j];
    }
}

/* y plus the terms, each times its coefficient, -> to. */
static sf_status update(sampler *s, int terms, float *to, sfi_stream stream)
{
    const float *c = s->coefficients;
    const void *const params[3] = {c, c + s->d, c + 2 * s->d};
    const sf_source sources[4] = {
        {.kind = SF_ROWS, .data = s->y, .dtype = SF_F32, .stride = s->d},
        {.kind = SF_ROWS, .data = s->a, .dtype = SF_F32, .stride = s->d},
        {.kind = SF_ROWS, .data = s->b, .dtype = SF_F32, .stride = s->d},
        {.kind = SF_NORMAL,
         .seed = s->o.seed,
         .first_point = (uint64_t)s->o.first,
         .step = stream == SFI_STREAM_PRIOR ? 0 : s->noise_step,
         .stream = stream}};
    const sf_sink sink = {to, SF_F32, s->d};
    SFI_TRY(sf_program_run(s->updates[terms], s->n, sources, params, &sink));
    if (sfi_noise_has_surface(&s->m->noise))
        settle(s, to);
    return SF_OK;
}

/* Coefficient k of every column is x times its spread to the power `power`. */
static void set(sampler *s, int term, double x, int power)
{
    const int k = term == TERM_A ? 0 : term == TERM_B ? 1 : 2;
    for (int64_t j = 0; j < s->d; j++)
        s->coefficients[k * s->d + j] =
            (float)(x * (power == 0   ? 1.0
                         : power == 1 ? s->spread[j]
                                      : s->spread[j] * s->spread[j]));
}

/* The field at y (or at another place) and a level, into `out` and `second`. */
static sf_status ask(sampler *s, asked w, const float *y, double level,
                     float *out, float *second)
{
    void *const outputs[2] = {out, second};
    const int64_t strides[2] = {s->d, s->d};
    return sfi_inner_run(s->fields[w], s->n, y, s->d, (float)level, NULL,
                         outputs, strides);
}

/* The end of a move, which may have had noise. */
static sf_status moved(sampler *s)
{
    s->noise_step++;
    return first_bad_walker(s);
}

static sf_status euler(sampler *s, double from, double to)
{
    SFI_TRY(ask(s, WANT_DRIFT, s->y, from, s->a, NULL));
    set(s, TERM_A, to - from, 0);
    return update(s, TERM_A, s->y, SFI_STREAM_STEP);
}

static sf_status heun(sampler *s, double from, double to)
{
    SFI_TRY(ask(s, WANT_DRIFT, s->y, from, s->a, NULL));
    set(s, TERM_A, to - from, 0);
    SFI_TRY(update(s, TERM_A, s->there, SFI_STREAM_STEP));
    SFI_TRY(ask(s, WANT_DRIFT, s->there, to, s->b, NULL));
    set(s, TERM_A, 0.5 * (to - from), 0);
    set(s, TERM_B, 0.5 * (to - from), 0);
    return update(s, TERM_A | TERM_B, s->y, SFI_STREAM_STEP);
}

/* With h in units of the squared spreads. */
static sf_status langevin(sampler *s, double level, double h)
{
    SFI_TRY(ask(s, WANT_SCORE, s->y, level, s->b, NULL));
    set(s, TERM_B, 0.5 * h, 2);
    set(s, TERM_Z, sqrt(h), 1);
    return update(s, TERM_B | TERM_Z, s->y, SFI_STREAM_STEP);
}

static sf_status churned(sampler *s, double from, double to, double gamma)
{
    const double high = from * (1.0 + gamma);
    const double added = high * high - from * from;
    if (sfi_has_kernels(s->m)) {
        if (added > 0.0)
            SFI_TRY(langevin(s, from, added));
        return heun(s, from, to);
    }
    set(s, TERM_Z, sqrt(added), 1);
    SFI_TRY(update(s, TERM_Z, s->y, SFI_STREAM_STEP));
    return heun(s, high, to);
}

static sf_status reverse(sampler *s, double from, double to)
{
    const double lost = from * from - to * to;
    SFI_TRY(ask(s, WANT_BOTH, s->y, from, s->b, s->a));
    set(s, TERM_A, to - from, 0);
    set(s, TERM_B, 0.5 * lost, 2);
    set(s, TERM_Z, sqrt(lost), 1);
    return update(s, TERM_A | TERM_B | TERM_Z, s->y, SFI_STREAM_STEP);
}

/* Networks end without noise: from the lowest level one more step, which near
 * t = 0 goes to the mean of the clean point.  The law of a data set has its least
 * noise by definition. */
static sf_status finish(sampler *s)
{
    if (!sfi_has_kernels(s->m) || s->m->ops->mixture != NULL)
        return SF_OK;
    SFI_TRY(euler(s, sfi_lowest_level(s->m), 0.0));
    return moved(s);
}

/* ---- methods ---------------------------------------------------------------- */

/* After every level: the trace, and progress. */
static sf_status record(sampler *s, int64_t level)
{
    if (s->o.trace != NULL) {
        const int64_t dim = s->m->dim;
        float *out = s->o.trace + s->recorded++ * s->n * dim;
        for (int64_t i = 0; i < s->n; i++) {
            sfi_from_inner(s->m, inner_of(s, s->y, i), s->outer);
            for (int64_t j = 0; j < dim; j++)
                out[i * dim + j] = (float)s->outer[j];
        }
    }
    const sf_progress p = {.stage = "sample",
                           .step = level,
                           .steps = s->o.steps,
                           .loss = NAN,
                           .held_out = NAN};
    if (!sfi_progress(s->ctx, &p, level == s->o.steps))
        return SFI_FAIL(s->ctx, SF_E_CANCELLED, "sample: stopped");
    return SF_OK;
}

static sf_status run_flow(sampler *s)
{
    const double gamma = fmin(s->o.churn / (double)s->o.steps, sqrt(2.0) - 1.0);
    for (int64_t i = 0; i < s->o.steps; i++) {
        const double from = sfi_grid_level(s->m, i, s->o.steps);
        const double to = sfi_grid_level(s->m, i + 1, s->o.steps);
        SFI_TRY(to == 0.0                       ? euler(s, from, to)
                : s->o.method == SF_SAMPLER_SDE ? churned(s, from, to, gamma)
                                                : heun(s, from, to));
        SFI_TRY(moved(s));
        SFI_TRY(record(s, i + 1));
    }
    return SF_OK;
}

static sf_status corrections(sampler *s, double level)
{
    for (int64_t c = 0; c < s->o.corrections; c++) {
        SFI_TRY(langevin(s, level, s->o.step * level * level));
        SFI_TRY(moved(s));
    }
    return SF_OK;
}

/* Levels sigma end with the posterior mean, an Euler step to no noise; kernels
 * at their lowest level. */
static sf_status run_levels(sampler *s)
{
    for (int64_t i = 0; i < s->o.steps; i++) {
        const double here = sfi_grid_level(s->m, i, s->o.steps);
        const double next = sfi_grid_level(s->m, i + 1, s->o.steps);
        if (s->o.method == SF_SAMPLER_ANNEALED)
            SFI_TRY(corrections(s, here));
        if (next == 0.0) {
            SFI_TRY(euler(s, here, next));
            SFI_TRY(moved(s));
        } else if (s->o.method == SF_SAMPLER_PC) {
            SFI_TRY(reverse(s, here, next));
            SFI_TRY(moved(s));
            SFI_TRY(corrections(s, next));
        }
        SFI_TRY(record(s, i + 1));
    }
    return s->o.method == SF_SAMPLER_ANNEALED && sfi_has_kernels(s->m)
               ? corrections(s, sfi_lowest_level(s->m))
               : SF_OK;
}

static sf_status run_langevin(sampler *s)
{
    const double level = sfi_lowest_level(s->m);
    for (int64_t i = 0; i < s->o.steps; i++) {
        SFI_TRY(langevin(s, level, s->o.step));
        SFI_TRY(moved(s));
        SFI_TRY(record(s, i + 1));
    }
    return SF_OK;
}

/* Langevin at one level starts from the standardised data's own spread; all
 * others, and kernels, from the law at time 1. */
static sf_status start(sampler *s)
{
    if (sfi_has_kernels(s->m)) {
        const size_t cells = (size_t)(s->n * s->d);
        double *y = sfi_alloc(s->ctx, cells, sizeof *y);
        if (y == NULL)
            return SF_E_NOMEM;
        const sf_status status = sfi_prior_draw(s->m, s->o.seed, s->o.first,
                                                (sf_mat){y, s->n, s->d, s->d});
        for (size_t i = 0; i < cells && status == SF_OK; i++)
            s->y[i] = (float)y[i];
        sfi_free(s->ctx, y, cells, sizeof *y);
        return status;
    }
    const double high = sfi_level(s->m, 1.0);
    const bool one_level = s->o.method == SF_SAMPLER_LANGEVIN;
    set(s, TERM_Z, one_level ? 1.0 : sqrt(1.0 + high * high), 0);
    return update(s, TERM_Z, s->y, SFI_STREAM_PRIOR);
}

static sf_status run_method(sampler *s)
{
    SFI_TRY(start(s));
    SFI_TRY(record(s, 0));
    switch (s->o.method) {
    case SF_SAMPLER_ANNEALED:
    case SF_SAMPLER_PC:
        SFI_TRY(run_levels(s));
        return finish(s);
    case SF_SAMPLER_LANGEVIN:
        return run_langevin(s);
    default:
        SFI_TRY(run_flow(s));
        return finish(s);
    }
}

/* ---- options ---------------------------------------------------------------- */

sf_sampler sf_sample_method(const sf_model *m, const sf_sample_options *o)
{
    return o->method != SF_SAMPLER_AUTO    ? o->method
           : m->ops->local                 ? SF_SAMPLER_STRATIFIED
           : sf_model_can(m, SF_CAN_DRAW)  ? SF_SAMPLER_DIRECT
           : sf_model_can(m, SF_CAN_NOISE) ? SF_SAMPLER_FLOW
                                           : SF_SAMPLER_LANGEVIN;
}

int64_t sf_sample_steps(const sf_sample_options *o)
{
    static const int64_t steps[] = {64, 128, 200, 200, 1000, 1,
                                    1,  1,   1,   100, 1};
    const int method = o->method == SF_SAMPLER_AUTO ? 0 : (int)o->method;
    return o->steps > 0 ? o->steps : steps[method];
}

/* What is discrete has no flow; what jumps is a count. */
static sf_status check_counts(const sf_model *m, sf_sampler method)
{
    const int64_t count = sfi_noise_find(&m->noise, true);
    const int64_t other = sfi_noise_find_counts(&m->noise, false);
    if (count >= 0 && method < SF_SAMPLER_DIRECT)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "sample: column \"%s\": kernel %s is for counts or "
                        "levels, which have no score to follow; use one of "
                        "the methods direct, stratified, posterior%s",
                        m->names[count],
                        sfi_noise_block(&m->noise, count)->kernel.ops->family,
                        other < 0 ? ", jumps, tauleap" : "");
    if (method >= SF_SAMPLER_JUMPS && other >= 0)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "sample: the methods jumps and tauleap are for counts, "
                        "and column \"%s\" has kernel %s; use one of the "
                        "methods direct, stratified, posterior",
                        m->names[other],
                        sfi_noise_block(&m->noise, other)->kernel.ops->family);
    return SF_OK;
}

static sf_status check(const sf_model *m, sf_mat out, sf_sample_options *o)
{
    sf_context *ctx = m->ctx;
    o->method = sf_sample_method(m, o);
    if (o->method < SF_SAMPLER_FLOW || o->method > SF_SAMPLER_CHORDS)
        return SFI_FAIL(ctx, SF_E_ARG, "sample: method is %d, want 0 to %d",
                        (int)o->method, (int)SF_SAMPLER_CHORDS);
    if (o->method != SF_SAMPLER_DIRECT && o->method != SF_SAMPLER_STRATIFIED &&
        sfi_is_product(m))
        SFI_TRY(sfi_want_ability(ctx, m, SF_CAN_FLOW, "sample"));
    if (o->method == SF_SAMPLER_CHORDS)
        return SFI_FAIL(
            ctx, SF_E_UNSUPPORTED,
            "sample: the method chords draws between the rows of a "
            "model of local normal distributions, not of the family %s",
            m->ops->family);
    o->steps = o->steps == 0 ? sf_sample_steps(o) : o->steps;
    const bool langevin = o->method == SF_SAMPLER_LANGEVIN;
    if (o->corrections == 0)
        o->corrections = o->method == SF_SAMPLER_ANNEALED ? 10 : 1;
    if (o->step == 0.0)
        o->step = langevin && sfi_has_kernels(m)
                      ? 0.1 * sfi_first_time(m) * sfi_first_time(m)
                  : langevin                         ? 0.001
                  : o->method == SF_SAMPLER_ANNEALED ? 1.0
                                                     : 0.1;
    if (o->steps < 1 || o->steps > 100000000)
        return SFI_FAIL(ctx, SF_E_ARG, "sample: steps is %lld, want 1 to 1e8",
                        (long long)o->steps);
    if (o->corrections < 1 || o->corrections > 1000)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "sample: corrections is %lld, want 1 to 1000",
                        (long long)o->corrections);
    if (!(o->step > 0.0) || !(o->step <= 4.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "sample: step is %g, want > 0 and at most 4 (beyond it "
                        "Langevin steps do not even stay on a Gaussian)",
                        o->step);
    if (!(o->churn >= 0.0) || !isfinite(o->churn))
        return SFI_FAIL(ctx, SF_E_ARG, "sample: churn is %g, want >= 0",
                        o->churn);
    if (o->first < 0)
        return SFI_FAIL(ctx, SF_E_ARG, "sample: first is %lld, want >= 0",
                        (long long)o->first);
    if (out.rows < 0 || out.cols != m->dim || out.stride < out.cols)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "sample: the result is [%lld, %lld], want [n, %lld]",
                        (long long)out.rows, (long long)out.cols,
                        (long long)m->dim);
    if (o->method == SF_SAMPLER_DIRECT && m->ops->code != NULL)
        return o->trace == NULL
                   ? SF_OK
                   : SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                              "sample: what latent variables decode to is "
                              "drawn at once: there are no paths to trace");
    if (o->method >= SF_SAMPLER_DIRECT && m->ops->mixture == NULL)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "sample: the methods direct, stratified, posterior, "
                        "jumps and tauleap draw from data, and a %s model "
                        "holds none",
                        m->ops->family);
    SFI_TRY(check_counts(m, o->method));
    if (m->ops->noiseless)
        return sfi_want_ability(ctx, m, SF_CAN_NOISE, "sample");
    if (sfi_single_level(m) && !langevin)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "sample: the model was trained at one noise level: use "
                        "the method langevin");
    return SF_OK;
}

static sf_status allocate(sampler *s)
{
    static const int terms[] = {TERM_A, TERM_A | TERM_B, TERM_Z,
                                TERM_B | TERM_Z, TERM_A | TERM_B | TERM_Z};
    static const unsigned wants[WANT_COUNT] = {SFI_WANT_DRIFT, SFI_WANT_SCORE,
                                               SFI_WANT_SCORE | SFI_WANT_DRIFT};
    const size_t cells = (size_t)(s->n * s->d);
    const sf_sampler method = s->o.method;
    const bool needed[WANT_COUNT] = {
        method != SF_SAMPLER_LANGEVIN,
        method != SF_SAMPLER_FLOW &&
            (method != SF_SAMPLER_SDE || sfi_has_kernels(s->m)),
        method == SF_SAMPLER_PC};
    s->y = sfi_alloc_zero(s->ctx, 4 * cells, sizeof *s->y);
    s->spread = sfi_alloc_zero(s->ctx, 2 * (size_t)s->d, sizeof *s->spread);
    s->outer = sfi_alloc(s->ctx, (size_t)s->m->dim, sizeof *s->outer);
    s->coefficients =
        sfi_alloc_zero(s->ctx, 3 * (size_t)s->d, sizeof *s->coefficients);
    if (s->y == NULL || s->spread == NULL || s->outer == NULL ||
        s->coefficients == NULL)
        return SF_E_NOMEM;
    s->inner = s->spread + s->d;
    s->a = s->y + cells;
    s->b = s->a + cells;
    s->there = s->b + cells;
    SFI_TRY(sfi_level_spread(s->m, s->spread));
    for (size_t k = 0; k < SFI_COUNT(terms); k++)
        SFI_TRY(compile_update(s, terms[k]));
    for (int k = 0; k < WANT_COUNT; k++)
        if (needed[k])
            SFI_TRY(sfi_inner_new(s->m, &s->fields[k], SF_F32, wants[k]));
    return SF_OK;
}

static void release(sampler *s)
{
    for (int k = 0; k < UPDATES; k++)
        sf_program_free(s->updates[k]);
    for (int k = 0; k < WANT_COUNT; k++)
        sfi_inner_free(s->fields[k]);
    sfi_free(s->ctx, s->coefficients, 3 * (size_t)s->d,
             sizeof *s->coefficients);
    sfi_free(s->ctx, s->outer, (size_t)s->m->dim, sizeof *s->outer);
    sfi_free(s->ctx, s->spread, 2 * (size_t)s->d, sizeof *s->spread);
    sfi_free(s->ctx, s->y, 4 * (size_t)(s->n * s->d), sizeof *s->y);
}

static sf_status walk(const sf_model *m, sf_mat out, const sf_sample_options *o)
{
    sampler s = {.ctx = m->ctx, .m = m, .o = *o, .n = out.rows, .d = m->inner};
    sf_status status = allocate(&s);
    if (status == SF_OK)
        status = run_method(&s);
    for (int64_t i = 0; status == SF_OK && i < s.n; i++)
        sfi_from_inner(m, inner_of(&s, s.y, i), out.data + i * out.stride);
    release(&s);
    return status;
}

/* In the data's units what was finite may have become too large. */
static sf_status check_samples(const sf_model *m, sf_cmat x, int64_t first)
{
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            if (!isfinite(x.data[i * x.stride + j]))
                return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                                "sample: sample %lld is %g in column \"%s\", "
                                "whose mean is %g and scale %g",
                                (long long)(first + i),
                                x.data[i * x.stride + j], m->names[j],
                                m->mean[j], m->scale[j]);
    return SF_OK;
}

sf_status sf_sample(const sf_model *m, sf_mat out,
                    const sf_sample_options *options)
{
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    SFI_TRY(sfi_options(m->ctx, &o, sizeof o, options));
    if (o.latent_fitted)
        SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_FITTED, "sample"));
    if (m->ops->local) {
        SFI_TRY(sfi_draw_local(m, out, &o));
        return check_samples(m, sf_mat_const(out), o.first);
    }
    SFI_TRY(check(m, out, &o));
    if (o.no_noise &&
        (o.method != SF_SAMPLER_DIRECT || !sf_model_can(m, SF_CAN_DECODE)))
        return SFI_FAIL(
            m->ctx, SF_E_ARG,
            "sample: no_noise is of models with a decoder and noise "
            "that are drawn from directly");
    if (o.latent_fitted && o.method != SF_SAMPLER_DIRECT)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "sample: latent_fitted is of models that are drawn "
                        "from directly");
    SFI_TRY(o.latent_fitted
                ? sfi_draw_fitted(m, o.seed, o.first, !o.no_noise, out)
            : o.method >= SF_SAMPLER_JUMPS ? sfi_jump(m, out, &o)
            : o.method == SF_SAMPLER_DIRECT && m->ops->code != NULL
                ? sfi_draw_decoded(m, o.seed, o.first, !o.no_noise, out)
            : o.method >= SF_SAMPLER_DIRECT ? sfi_resample(m, out, &o)
                                            : walk(m, out, &o));
    return check_samples(m, sf_mat_const(out), o.first);
}
