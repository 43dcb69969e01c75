/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood.c - log densities and codes by integrating the probability flow.
 *
 * In inner coordinates, with the drift u = dy/dlevel,
 *
 *     dy/dt       = level'(t) u(y, level(t))
 *     dl/dt       = level'(t) div u              l(time) = 0
 *     ln p_time(y) = ln prior(y(1)) + l(1)
 *
 * (integrate d ln p_t(y(t))/dt = -div).  t is the time of model.h: in it all
 * noise levels take about the same effort.
 *
 * Points go through ARKODE in chunks of a fixed size with one adaptive step
 * size for a chunk; the error of the worst point decides, since the norm is the
 * largest component's, not the mean's. */
#include "base/random.h"
#include "model/model.h"
#include "num/linalg.h"
#include "scorefield/flow.h"

#include <arkode/arkode_erkstep.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>

#include <math.h>
#include <string.h>

enum { CHUNK = 256, MAX_STEPS = 100000 };

/* One chunk's right-hand side.  The state is y [n, d], then l [n] if the
 * divergence is followed, or l [probes, n] with a stochastic one. */
typedef struct flow_system {
    const sf_model *m;
    sfi_inner *field;
    int64_t n, d;
    int64_t probes; /* 0: exact divergence or none */
    bool divergence;
    double *rate;        /* [n, d] */
    double *div;         /* [n]    */
    const double *probe; /* [probes, n, d] */
    sf_status status;
} flow_system;

static int right_hand_side(realtype t, N_Vector state, N_Vector slope,
                           void *user)
{
    flow_system *s = user;
    const double *y = N_VGetArrayPointer(state);
    double *dy = N_VGetArrayPointer(slope);
    const double level = sfi_level(s->m, t);
    const double speed = sfi_level_slope(s->m, t);
    const int64_t cells = s->n * s->d;
    double *dl = dy + cells;
    void *outputs[2] = {s->rate, s->div};
    const int64_t strides[2] = {s->d, 1};
    const int64_t passes = s->probes > 0 ? s->probes : 1;
    for (int64_t k = 0; k < passes; k++) {
        const double *v = s->probes > 0 ? s->probe + k * cells : NULL;
        s->status =
            sfi_inner_run(s->field, s->n, y, s->d, level, v, outputs, strides);
        if (s->status != SF_OK)
            return -1;
        for (int64_t i = 0; s->divergence && i < s->n; i++)
            dl[k * s->n + i] = speed * s->div[i];
    }
    for (int64_t i = 0; i < cells; i++) {
        dy[i] = speed * s->rate[i];
        if (!isfinite(dy[i]))
            return 1; /* ARKODE tries again with a smaller step */
    }
    return 0;
}

/* Messages of SUNDIALS go nowhere; ours say what happened. */
static void silent(int code, const char *module, const char *function,
                   char *message, void *user)
{
    (void)code;
    (void)module;
    (void)function;
    (void)message;
    (void)user;
}

/* Errors of different points do not average out: a plain root mean square over
 * the chunk would let one point be wrong by the root of their number.  So the
 * squares are summed over points and averaged over a point's components. */
typedef struct integration {
    flow_system *s;
    double rtol, atol;
} integration;

static int rhs_adapter(realtype t, N_Vector y, N_Vector dy, void *user)
{
    return right_hand_side(t, y, dy, ((integration *)user)->s);
}

static int error_weights(N_Vector y, N_Vector weights, void *user)
{
    const integration *job = user;
    const double *x = N_VGetArrayPointer(y);
    double *w = N_VGetArrayPointer(weights);
    const int64_t length = N_VGetLength(y);
    const double each = sqrt((double)job->s->n);
    for (int64_t i = 0; i < length; i++)
        w[i] = each / (job->rtol * fabs(x[i]) + job->atol);
    return 0;
}

static sf_status explain(const flow_system *s, int code, double t)
{
    if (s->status != SF_OK)
        return s->status;
    return SFI_FAIL(s->m->ctx, SF_E_CONVERGE,
                    "flow: the integrator stopped at time %.4g (ARKODE code "
                    "%d); the model may be badly trained there, or the "
                    "tolerance too small",
                    t, code);
}

/* Carry the state from t0 to t1, in place. */
static sf_status integrate(flow_system *s, double *state, int64_t length,
                           double t0, double t1, const sf_likelihood_options *o)
{
    sf_context *ctx = s->m->ctx;
    SUNContext sun = NULL;
    N_Vector y = NULL;
    void *ark = NULL;
    integration job = {s, o->rtol, o->atol};
    sf_status status = SF_OK;
    if (t0 == t1)
        return SF_OK;
    if (SUNContext_Create(NULL, &sun) != 0 ||
        (y = N_VMake_Serial(length, state, sun)) == NULL ||
        (ark = ERKStepCreate(rhs_adapter, t0, y, sun)) == NULL) {
        status = SFI_FAIL(ctx, SF_E_INTERNAL, "flow: ARKODE could not start");
        goto done;
    }
    if (ERKStepSetErrHandlerFn(ark, silent, NULL) != ARK_SUCCESS ||
        ERKStepSetUserData(ark, &job) != ARK_SUCCESS ||
        ERKStepWFtolerances(ark, error_weights) != ARK_SUCCESS ||
        ERKStepSetOrder(ark, 5) != ARK_SUCCESS ||
        ERKStepSetMaxNumSteps(ark, MAX_STEPS) != ARK_SUCCESS ||
        ERKStepSetStopTime(ark, t1) != ARK_SUCCESS) {
        status = SFI_FAIL(ctx, SF_E_INTERNAL,
                          "flow: ARKODE did not accept its settings");
        goto done;
    }
    realtype t = t0;
    const int code = ERKStepEvolve(ark, t1, y, &t, ARK_NORMAL);
    if (code < 0)
        status = explain(s, code, t);
done:
    if (ark != NULL)
        ERKStepFree(&ark);
    if (y != NULL)
        N_VDestroy(y);
    if (sun != NULL)
        SUNContext_Free(&sun);
    return status;
}

/* ---- chunks ----------------------------------------------------------------- */

/* Work space for chunks of one kind of integration. */
typedef struct workspace {
    flow_system s;
    int64_t passes; /* divergences followed: 0, 1 or the number of probes */
    size_t state_count, probe_count;
    double *state, *probe;
} workspace;

static void workspace_free(workspace *w)
{
    sf_context *ctx = w->s.m->ctx;
    sfi_inner_free(w->s.field);
    sfi_free(ctx, w->state, w->state_count, sizeof *w->state);
    sfi_free(ctx, w->probe, w->probe_count, sizeof *w->probe);
    sfi_free(ctx, w->s.rate, (size_t)(CHUNK * w->s.d), sizeof *w->s.rate);
    sfi_free(ctx, w->s.div, CHUNK, sizeof *w->s.div);
}

static sf_status workspace_init(workspace *w, const sf_model *m,
                                bool divergence, const sf_likelihood_options *o)
{
    sf_context *ctx = m->ctx;
    /* The law of a data set has no other divergence than the exact one. */
    const bool exact = m->inner <= o->exact_limit || m->ops->mixture != NULL;
    *w = (workspace){.s = {.m = m, .d = m->inner, .divergence = divergence}};
    w->s.probes = divergence && !exact ? o->probes : 0;
    w->passes = !divergence ? 0 : exact ? 1 : o->probes;
    w->state_count = (size_t)(CHUNK * (m->inner + w->passes));
    w->probe_count = (size_t)(CHUNK * m->inner * w->s.probes);
    w->state = sfi_alloc(ctx, w->state_count, sizeof *w->state);
    w->probe = sfi_alloc(ctx, w->probe_count, sizeof *w->probe);
    w->s.probe = w->probe;
    w->s.rate = sfi_alloc(ctx, (size_t)(CHUNK * m->inner), sizeof *w->s.rate);
    w->s.div = sfi_alloc(ctx, CHUNK, sizeof *w->s.div);
    sf_status status = w->state != NULL && w->probe != NULL &&
                               w->s.rate != NULL && w->s.div != NULL
                           ? SF_OK
                           : SF_E_NOMEM;
    const unsigned wants = SFI_WANT_DRIFT | (!divergence ? 0u
                                             : exact     ? SFI_WANT_DIVERGENCE
                                                         : SFI_WANT_PROBE);
    if (status == SF_OK)
        status = sfi_inner_new(m, &w->s.field, SF_F64, wants);
    if (status != SF_OK)
        workspace_free(w);
    return status;
}

/* Rademacher probes, the choice of least variance for a given matrix among
 * independent ones (M. F. Hutchinson, 1989). */
static void draw_probes(workspace *w, uint64_t seed, int64_t first)
{
    const int64_t n = w->s.n, d = w->s.d;
    for (int64_t k = 0; k < w->s.probes; k++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < d; j++) {
                const sfi_where where = {seed, (uint64_t)(first + i),
                                         (uint32_t)k, SFI_STREAM_PROBE};
                const uint32_t bits = sfi_bits_at(where, (uint32_t)(j / 32));
                w->probe[(k * n + i) * d + j] =
                    bits >> (j % 32) & 1 ? 1.0 : -1.0;
            }
}

static sf_status check(const sf_model *m, sf_cmat x, sf_likelihood_options *o,
                       const sf_likelihood_options *given, sf_ability ability,
                       const char *what)
{
    sf_context *ctx = m->ctx;
    SFI_TRY(sfi_options(ctx, o, sizeof *o, given));
    SFI_TRY(sfi_check_table(ctx, x, true, what));
    if (x.cols != m->dim)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: points have %lld columns, the model has %lld",
                        what, (long long)x.cols, (long long)m->dim);
    if (!(o->time >= 0.0 && o->time <= 1.0))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: time is %g, want 0 to 1", what,
                        o->time);
    if (!(o->rtol >= 1e-13 && o->rtol < 1.0) ||
        !(o->atol >= 1e-13 && o->atol < 1.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: rtol is %g and atol %g, want 1e-13 to 1", what,
                        o->rtol, o->atol);
    if (o->probes < 2 || o->probes > 4096 || o->exact_limit < 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: probes is %lld and exact_limit %lld, want 2 to "
                        "4096 and >= 0",
                        what, (long long)o->probes, (long long)o->exact_limit);
    return sfi_want_ability(ctx, m, o->force_flow ? SF_CAN_FLOW : ability,
                            what);
}

static sf_status next_chunk(const sf_model *m, int64_t done, int64_t rows)
{
    const sf_progress p = {.stage = "flow",
                           .step = done,
                           .steps = rows,
                           .loss = NAN,
                           .held_out = NAN};
    if (!sfi_progress(m->ctx, &p, done == rows))
        return SFI_FAIL(m->ctx, SF_E_CANCELLED, "flow: stopped");
    return SF_OK;
}

/* ---- likelihood ------------------------------------------------------------- */

/* Mean and standard error over the probes' integrals of one point. */
static double average(const double *l, int64_t stride, int64_t count,
                      double *se)
{
    double mean = 0.0, squares = 0.0;
    for (int64_t k = 0; k < count; k++)
        mean += l[k * stride] / (double)count;
    for (int64_t k = 0; k < count; k++)
        squares += (l[k * stride] - mean) * (l[k * stride] - mean);
    *se = count > 1 ? sqrt(squares / (double)(count * (count - 1))) : 0.0;
    return mean;
}

/* Where to begin: earlier times are the same as this one. */
static double first_time(const sf_model *m, const sf_likelihood_options *o)
{
    return fmax(o->time, sfi_first_time(m));
}

static sf_status flow_logpdf(const sf_model *m, sf_cmat x, double *logpdf,
                             double *se, const sf_likelihood_options *o)
{
    workspace w;
    SFI_TRY(workspace_init(&w, m, true, o));
    const int64_t d = m->inner;
    double volume[CHUNK], prior[CHUNK];
    sf_status status = SF_OK;
    for (int64_t at = 0; status == SF_OK && at < x.rows; at += CHUNK) {
        const int64_t n = x.rows - at < CHUNK ? x.rows - at : CHUNK;
        w.s.n = n;
        const sf_cmat part = {x.data + at * x.stride, n, x.cols, x.stride};
        sfi_to_inner(m, part, (sf_mat){w.state, n, d, d});
        for (int64_t i = 0; i < n; i++)
            volume[i] = sfi_log_volume(m, w.state + i * d);
        double *l = w.state + n * d;
        memset(l, 0, (size_t)(n * w.passes) * sizeof *l);
        draw_probes(&w, o->seed, at);
        status = integrate(&w.s, w.state, n * (d + w.passes), first_time(m, o),
                           1.0, o);
        if (status == SF_OK)
            status = sfi_prior_logpdf(m, (sf_cmat){w.state, n, d, d}, prior);
        if (status != SF_OK) {
            sfi_message_prefix(m->ctx, "rows %lld to %lld: ", (long long)at + 1,
                               (long long)(at + n));
            break;
        }
        for (int64_t i = 0; i < n; i++) {
            double error;
            logpdf[at + i] =
                average(l + i, n, w.passes, &error) - volume[i] + prior[i];
            if (se != NULL)
                se[at + i] = error;
        }
        status = next_chunk(m, at + n, x.rows);
    }
    workspace_free(&w);
    return status;
}

static sf_status closed_logpdf(const sf_model *m, sf_cmat x, double *logpdf,
                               double *se, double time)
{
    for (int64_t i = 0; i < x.rows && se != NULL; i++)
        se[i] = 0.0;
    return sf_model_eval(m, x, time,
                         &(sf_model_values){.logpdf = {logpdf, x.rows, 1, 1}});
}

sf_status sf_logpdf(const sf_model *m, sf_cmat x, double *logpdf, double *se,
                    const sf_likelihood_options *options)
{
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    SFI_TRY(check(m, x, &o, options, SF_CAN_LOGPDF, "logpdf"));
    if (sf_model_can(m, SF_CAN_LOGPDF_CLOSED) && !o.force_flow)
        return closed_logpdf(m, x, logpdf, se, o.time);
    SFI_TRY(sfi_check_support(m, x, "logpdf"));
    return flow_logpdf(m, x, logpdf, se, &o);
}

double sf_bits_per_dim(double mean_logpdf, int64_t dim)
{
    return -mean_logpdf / ((double)dim * log(2.0));
}

/* ---- codes ------------------------------------------------------------------ */

/* Where points are at time 1, as codes: with levels sigma they are divided by
 * their spread, with kernels they are in the data's units. */
static void to_code(const sf_model *m, const double *y, double *code)
{
    const double high = sfi_level(m, 1.0), spread = sqrt(high * high + 1.0);
    if (sfi_has_kernels(m))
        sfi_from_inner(m, y, code);
    for (int64_t j = 0; j < m->dim && !sfi_has_kernels(m); j++)
        code[j] = y[j] / spread;
}

static void from_code(const sf_model *m, sf_cmat code, sf_mat y)
{
    const double high = sfi_level(m, 1.0), spread = sqrt(high * high + 1.0);
    if (sfi_has_kernels(m))
        sfi_to_inner(m, code, y);
    for (int64_t i = 0; i < code.rows && !sfi_has_kernels(m); i++)
        for (int64_t j = 0; j < m->dim; j++)
            y.data[i * y.stride + j] = spread * code.data[i * code.stride + j];
}

static sf_status transport(const sf_model *m, sf_cmat from, sf_mat to, bool up,
                           const sf_likelihood_options *o)
{
    workspace w;
    SFI_TRY(workspace_init(&w, m, false, o));
    const int64_t d = m->inner;
    const double early = first_time(m, o);
    sf_status status = SF_OK;
    for (int64_t at = 0; status == SF_OK && at < from.rows; at += CHUNK) {
        const int64_t n = from.rows - at < CHUNK ? from.rows - at : CHUNK;
        w.s.n = n;
        const sf_cmat part = {from.data + at * from.stride, n, m->dim,
                              from.stride};
        const sf_mat inner = {w.state, n, d, d};
        if (up)
            sfi_to_inner(m, part, inner);
        else
            from_code(m, part, inner);
        status = integrate(&w.s, w.state, n * d, up ? early : 1.0,
                           up ? 1.0 : early, o);
        if (status != SF_OK) {
            sfi_message_prefix(m->ctx, "rows %lld to %lld: ", (long long)at + 1,
                               (long long)(at + n));
            break;
        }
        for (int64_t i = 0; i < n; i++) {
            double *row = to.data + (at + i) * to.stride;
            if (up)
                to_code(m, w.state + i * d, row);
            else
                sfi_from_inner(m, w.state + i * d, row);
        }
        status = next_chunk(m, at + n, from.rows);
    }
    workspace_free(&w);
    return status;
}

static sf_status check_target(const sf_model *m, sf_cmat from, sf_mat to,
                              const char *what)
{
    if (to.rows != from.rows || to.cols != m->dim || to.stride < to.cols)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "%s: the result is [%lld, %lld], want [%lld, %lld]",
                        what, (long long)to.rows, (long long)to.cols,
                        (long long)from.rows, (long long)m->dim);
    return SF_OK;
}

sf_status sf_encode(const sf_model *m, sf_cmat x, sf_mat code,
                    const sf_likelihood_options *options)
{
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    SFI_TRY(check(m, x, &o, options, SF_CAN_FLOW, "encode"));
    SFI_TRY(sfi_check_support(m, x, "encode"));
    SFI_TRY(check_target(m, x, code, "encode"));
    return transport(m, x, code, true, &o);
}

sf_status sf_decode(const sf_model *m, sf_cmat code, sf_mat x,
                    const sf_likelihood_options *options)
{
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    SFI_TRY(check(m, code, &o, options, SF_CAN_FLOW, "decode"));
    SFI_TRY(sfi_check_support(m, code, "decode"));
    SFI_TRY(check_target(m, code, x, "decode"));
    return transport(m, code, x, false, &o);
}
