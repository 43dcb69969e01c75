/* SPDX-License-Identifier: Apache-2.0 */
/* sampler.c - from noise to samples.
 *
 * Every method is one or two kinds of move, and a move is a graph: it takes a
 * walker y, fresh noise z and a few numbers, and gives the walker's next place.
 * A whole Heun step with its two network evaluations is thus one program, and a
 * block of walkers stays in cache through it.
 *
 *     EULER     y' = y + (s1 - s0) drift(y, s0)
 *     HEUN      y' = y + (s1 - s0) (drift(y, s0) + drift(y_euler, s1)) / 2
 *     CHURNED   first y <- y + sqrt(sh^2 - s0^2) z, then HEUN from sh to s1
 *     REVERSE   y' = y + (s0^2 - s1^2) score(y, s0) + sqrt(s0^2 - s1^2) z
 *     LANGEVIN  y' = y + (h/2) score(y, s0) + sqrt(h) z
 *
 * Noise for walker i at move k is that of (seed, first + i, k), and a program's
 * result for one walker does not depend on the others: so row i of a sample is
 * a function of the seed and i. */
#include "base/random.h"
#include "model/model.h"
#include "scorefield/flow.h"

#include <math.h>
#include <string.h>

typedef enum move_kind {
    MOVE_START,
    MOVE_EULER,
    MOVE_HEUN,
    MOVE_CHURNED,
    MOVE_REVERSE,
    MOVE_LANGEVIN,
    MOVE_COUNT
} move_kind;

/* Parameters of a move, in order; each uses what it needs. */
enum { P_S0, P_S1, P_HAT, P_STEP, MOVE_PARAMS };

/* sigma at and below this is the end of a grid whose model goes down to 0. */
static const double least_sigma = 0.002;

typedef struct sampler {
    sf_context *ctx;
    const sf_model *m;
    sf_sample_options o;
    int64_t n, d;
    float *y;
    float *weights;
    const void **params;
    float numbers[MOVE_PARAMS];
    sf_program *moves[MOVE_COUNT];
    uint32_t noise_step;
    int64_t recorded;
} sampler;

/* ---- moves ------------------------------------------------------------------ */

static sf_node step_to(sf_graph *g, sf_node y, sf_node from, sf_node to,
                       sf_node drift)
{
    return sf_add(g, y, sf_mul(g, sf_sub(g, to, from), drift));
}

static sf_node heun(const sf_model *m, sf_graph *g, sf_node y, sf_node from,
                    sf_node to, const sf_node *w)
{
    const sf_node first = m->ops->answer(m, g, y, from, w).drift;
    const sf_node there = step_to(g, y, from, to, first);
    const sf_node second = m->ops->answer(m, g, there, to, w).drift;
    const sf_node mean = sf_mul(g, sf_const(g, 0.5), sf_add(g, first, second));
    return step_to(g, y, from, to, mean);
}

static sf_node difference_of_squares(sf_graph *g, sf_node a, sf_node b)
{
    return sf_sub(g, sf_square(g, a), sf_square(g, b));
}

static sf_node build_move(const sf_model *m, sf_graph *g, move_kind kind,
                          sf_node y, sf_node z, const sf_node *p,
                          const sf_node *w)
{
    switch (kind) {
    case MOVE_EULER:
        return step_to(g, y, p[P_S0], p[P_S1],
                       m->ops->answer(m, g, y, p[P_S0], w).drift);
    case MOVE_HEUN:
        return heun(m, g, y, p[P_S0], p[P_S1], w);
    case MOVE_CHURNED: {
        const sf_node added =
            sf_sqrt(g, difference_of_squares(g, p[P_HAT], p[P_S0]));
        return heun(m, g, sf_add(g, y, sf_mul(g, added, z)), p[P_HAT], p[P_S1],
                    w);
    }
    case MOVE_REVERSE: {
        const sf_node lost = difference_of_squares(g, p[P_S0], p[P_S1]);
        const sf_node s = m->ops->answer(m, g, y, p[P_S0], w).score;
        return sf_add(g, sf_add(g, y, sf_mul(g, lost, s)),
                      sf_mul(g, sf_sqrt(g, lost), z));
    }
    case MOVE_LANGEVIN: {
        const sf_node h = p[P_STEP];
        const sf_node s = m->ops->answer(m, g, y, p[P_S0], w).score;
        const sf_node half = sf_mul(g, sf_const(g, 0.5), h);
        return sf_add(g, sf_add(g, y, sf_mul(g, half, s)),
                      sf_mul(g, sf_sqrt(g, h), z));
    }
    default: /* MOVE_START: noise of standard deviation s0 */
        return sf_mul(g, p[P_S0], z);
    }
}

static sf_status compile_move(sampler *s, move_kind kind)
{
    static const char *const names[MOVE_PARAMS] = {"s0", "s1", "hat", "step"};
    const sf_model *m = s->m;
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(s->ctx, &g));
    sf_node *w = sfi_alloc(s->ctx, m->layout_count, sizeof *w);
    sf_status status = w != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK) {
        const sf_node y = sf_input(g, "y", 1, &m->dim);
        const sf_node z = sf_input(g, "z", 1, &m->dim);
        sf_node p[MOVE_PARAMS];
        for (int k = 0; k < MOVE_PARAMS; k++)
            p[k] = sf_param(g, names[k], 0, NULL);
        status = sfi_weight_nodes(m, g, w);
        if (status == SF_OK) {
            const sf_output out = {build_move(m, g, kind, y, z, p, w), SF_EACH};
            status =
                sf_program_new(s->ctx, &s->moves[kind], g, SF_F32, 1, &out);
        }
    }
    sfi_free(s->ctx, w, m->layout_count, sizeof *w);
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
                    "sample: walker %lld left the finite numbers at "
                    "move %u; more steps or a smaller step may help",
                    (long long)(s->o.first + i), s->noise_step);
    return SF_OK;
}

static sf_status move(sampler *s, move_kind kind)
{
    const sf_source sources[2] = {
        {.kind = SF_ROWS, .data = s->y, .dtype = SF_F32, .stride = s->d},
        {.kind = SF_NORMAL,
         .seed = s->o.seed,
         .first_point = (uint64_t)s->o.first,
         .step = kind == MOVE_START ? 0 : s->noise_step++,
         .stream = kind == MOVE_START ? SFI_STREAM_PRIOR : SFI_STREAM_STEP}};
    const sf_sink sink = {s->y, SF_F32, s->d};
    SFI_TRY(sf_program_run(s->moves[kind], s->n, sources, s->params, &sink));
    return first_bad_walker(s);
}

static void set(sampler *s, double s0, double s1)
{
    s->numbers[P_S0] = (float)s0;
    s->numbers[P_S1] = (float)s1;
}

/* ---- methods ---------------------------------------------------------------- */

/* After every level: the trace, and progress. */
static sf_status record(sampler *s, int64_t level)
{
    if (s->o.trace != NULL) {
        float *out = s->o.trace + s->recorded++ * s->n * s->d;
        for (int64_t i = 0; i < s->n; i++)
            for (int64_t j = 0; j < s->d; j++)
                out[i * s->d + j] =
                    (float)(s->m->mean[j] +
                            s->m->scale[j] * s->y[i * s->d + j]);
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

/* Level i of `steps`: the rho grid, then 0. */
static double level(const sampler *s, int64_t i)
{
    const int64_t steps = s->o.steps;
    if (i >= steps)
        return 0.0;
    const double high = sfi_number_of(s->m, "sigma_max");
    const double low = fmax(sfi_number_of(s->m, "sigma_min"), least_sigma);
    const double rho = sfi_number_of(s->m, "rho");
    const double a = pow(high, 1.0 / rho), b = pow(low, 1.0 / rho);
    const double along = steps > 1 ? (double)i / (double)(steps - 1) : 0.0;
    return pow(a + along * (b - a), rho);
}

static sf_status run_flow(sampler *s)
{
    const bool churned = s->o.method == SF_SAMPLER_SDE;
    const double gamma = fmin(s->o.churn / (double)s->o.steps, sqrt(2.0) - 1.0);
    for (int64_t i = 0; i < s->o.steps; i++) {
        const double from = level(s, i), to = level(s, i + 1);
        set(s, from, to);
        s->numbers[P_HAT] = (float)(from * (1.0 + gamma));
        SFI_TRY(move(s, to == 0.0 ? MOVE_EULER
                        : churned ? MOVE_CHURNED
                                  : MOVE_HEUN));
        SFI_TRY(record(s, i + 1));
    }
    return SF_OK;
}

static sf_status corrections(sampler *s, double sigma)
{
    set(s, sigma, sigma);
    s->numbers[P_STEP] = (float)(s->o.step * sigma * sigma);
    for (int64_t c = 0; c < s->o.corrections; c++)
        SFI_TRY(move(s, MOVE_LANGEVIN));
    return SF_OK;
}

/* The last level ends with the posterior mean: an Euler step to no noise. */
static sf_status run_levels(sampler *s)
{
    for (int64_t i = 0; i < s->o.steps; i++) {
        const double here = level(s, i), next = level(s, i + 1);
        if (s->o.method == SF_SAMPLER_ANNEALED)
            SFI_TRY(corrections(s, here));
        set(s, here, next);
        if (next == 0.0) {
            SFI_TRY(move(s, MOVE_EULER));
        } else if (s->o.method == SF_SAMPLER_PC) {
            SFI_TRY(move(s, MOVE_REVERSE));
            SFI_TRY(corrections(s, next));
        }
        SFI_TRY(record(s, i + 1));
    }
    return SF_OK;
}

static sf_status run_langevin(sampler *s)
{
    const double sigma =
        sfi_single_level(s->m)
            ? 1.0
            : fmax(sfi_number_of(s->m, "sigma_min"), least_sigma);
    set(s, sigma, sigma);
    s->numbers[P_STEP] = (float)s->o.step;
    for (int64_t i = 0; i < s->o.steps; i++) {
        SFI_TRY(move(s, MOVE_LANGEVIN));
        SFI_TRY(record(s, i + 1));
    }
    return SF_OK;
}

static sf_status compile_all(sampler *s)
{
    SFI_TRY(compile_move(s, MOVE_START));
    switch (s->o.method) {
    case SF_SAMPLER_FLOW:
        SFI_TRY(compile_move(s, MOVE_HEUN));
        return compile_move(s, MOVE_EULER);
    case SF_SAMPLER_SDE:
        SFI_TRY(compile_move(s, MOVE_CHURNED));
        return compile_move(s, MOVE_EULER);
    case SF_SAMPLER_PC:
        SFI_TRY(compile_move(s, MOVE_REVERSE));
        SFI_TRY(compile_move(s, MOVE_LANGEVIN));
        return compile_move(s, MOVE_EULER);
    case SF_SAMPLER_ANNEALED:
        SFI_TRY(compile_move(s, MOVE_LANGEVIN));
        return compile_move(s, MOVE_EULER);
    case SF_SAMPLER_LANGEVIN:
        return compile_move(s, MOVE_LANGEVIN);
    }
    return SF_OK;
}

/* Langevin at one level starts from the standardised data's own spread; all
 * others from the law of data plus the most noise. */
static sf_status run_method(sampler *s)
{
    const double high = sfi_number_of(s->m, "sigma_max");
    const bool langevin = s->o.method == SF_SAMPLER_LANGEVIN;
    set(s, langevin ? 1.0 : sqrt(1.0 + high * high), 0.0);
    SFI_TRY(move(s, MOVE_START));
    SFI_TRY(record(s, 0));
    switch (s->o.method) {
    case SF_SAMPLER_FLOW:
    case SF_SAMPLER_SDE:
        return run_flow(s);
    case SF_SAMPLER_ANNEALED:
    case SF_SAMPLER_PC:
        return run_levels(s);
    case SF_SAMPLER_LANGEVIN:
        break;
    }
    return run_langevin(s);
}

/* ---- options ---------------------------------------------------------------- */

int64_t sf_sample_steps(const sf_sample_options *o)
{
    static const int64_t steps[] = {64, 128, 200, 200, 1000};
    return o->steps > 0 ? o->steps : steps[o->method];
}

static sf_status check(const sf_model *m, sf_mat out, sf_sample_options *o)
{
    sf_context *ctx = m->ctx;
    if (o->method < SF_SAMPLER_FLOW || o->method > SF_SAMPLER_LANGEVIN)
        return SFI_FAIL(ctx, SF_E_ARG, "sample: method is %d, want 0 to %d",
                        (int)o->method, (int)SF_SAMPLER_LANGEVIN);
    o->steps = o->steps == 0 ? sf_sample_steps(o) : o->steps;
    const bool langevin = o->method == SF_SAMPLER_LANGEVIN;
    if (o->corrections == 0)
        o->corrections = o->method == SF_SAMPLER_ANNEALED ? 10 : 1;
    if (o->step == 0.0)
        o->step = langevin                           ? 0.001
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
    if (sfi_single_level(m) && !langevin)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "sample: the model was trained at one noise level: use "
                        "the method langevin");
    return SF_OK;
}

static bool allocate(sampler *s)
{
    const sf_model *m = s->m;
    s->y = sfi_alloc_zero(s->ctx, (size_t)(s->n * s->d), sizeof *s->y);
    s->weights = sfi_alloc(s->ctx, (size_t)m->weight_count, sizeof *s->weights);
    s->params =
        sfi_alloc(s->ctx, m->layout_count + MOVE_PARAMS, sizeof *s->params);
    if (s->y == NULL || s->weights == NULL || s->params == NULL)
        return false;
    for (int64_t i = 0; i < m->weight_count; i++)
        s->weights[i] = (float)m->weights[i];
    for (int k = 0; k < MOVE_PARAMS; k++)
        s->params[k] = &s->numbers[k];
    for (size_t k = 0; k < m->layout_count; k++)
        s->params[MOVE_PARAMS + k] = s->weights + m->layout[k].offset;
    return true;
}

sf_status sf_sample(const sf_model *m, sf_mat out,
                    const sf_sample_options *options)
{
    sampler s = {.ctx = m->ctx, .m = m, .n = out.rows, .d = m->dim};
    s.o = (sf_sample_options)SF_SAMPLE_OPTIONS_INIT;
    SFI_TRY(sfi_options(m->ctx, &s.o, sizeof s.o, options));
    SFI_TRY(check(m, out, &s.o));
    sf_status status = allocate(&s) ? compile_all(&s) : SF_E_NOMEM;
    if (status == SF_OK)
        status = run_method(&s);
    for (int64_t i = 0; status == SF_OK && i < s.n; i++)
        for (int64_t j = 0; j < s.d; j++)
            out.data[i * out.stride + j] =
                m->mean[j] + m->scale[j] * (double)s.y[i * s.d + j];
    for (int k = 0; k < MOVE_COUNT; k++)
        sf_program_free(s.moves[k]);
    sfi_free(s.ctx, s.params, m->layout_count + MOVE_PARAMS, sizeof *s.params);
    sfi_free(s.ctx, s.weights, (size_t)m->weight_count, sizeof *s.weights);
    sfi_free(s.ctx, s.y, (size_t)(s.n * s.d), sizeof *s.y);
    return status;
}
