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
 * Rows are the paths of runge_kutta.h, and the level is an input of the program:
 * every row has its own steps.  A row's state is y [d], then l, or an l for each
 * probe of a stochastic divergence. */
#include "base/parallel.h"
#include "base/random.h"
#include "flow/runge_kutta.h"
#include "model/evaluator.h"
#include "num/linalg.h"
#include "scorefield/flow.h"

#include <math.h>
#include <string.h>

/* Weights that are single precision numbers leave an answer right to about 1e-7 of
 * itself, and so does arithmetic in single precision: from this tolerance on it is
 * enough. */
static const double single_precision = 1e-6;

/* Where data have first times of their own the slopes jump as each of them begins to
 * move, which a step's error does not see as far as it is between two stages: such a
 * flow is integrated to this part of the tolerance. */
static const double jumps = 0.01;

/* Rows that are carried along the flow. */
typedef struct flow {
    const sf_model *m;
    sfi_levels levels;
    int64_t d;
    int64_t probes; /* 0: exact divergence or none */
    int64_t sums;   /* divergences followed: 0, 1 or the number of probes */
    uint64_t seed;
    sfi_inner *drift, *both; /* without, and with a divergence, or NULL */
    bool scaled;             /* s is not 1 */
    bool rests;              /* the field is 0 at the first time and before */
    double *level, *speed;   /* [LANES] of the paths that are asked about */
    double *y;               /* [LANES, d] */
    double *rate, *div;      /* [LANES, d], [LANES] */
    double *probe;           /* [LANES, d], or nothing */

    double start, stop; /* times */
    sf_cmat from;       /* rows of the data's columns, or codes */
    sf_mat to; /* [rows, d] of y, or rows of the data's columns, or codes */
    bool up;   /* from data to codes */
    double *l, *se; /* [rows] of a log density */
} flow;

/* Rademacher probes, the choice of least variance for a given matrix among
 * independent ones (M. F. Hutchinson, 1989). */
static void draw_probes(const flow *f, int64_t n, const int64_t *path,
                        uint32_t number)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where where = {f->seed, (uint64_t)path[i], number,
                                 SFI_STREAM_PROBE};
        uint32_t bits = 0;
        for (int64_t j = 0; j < f->d; j++, bits >>= 1) {
            bits = j % 32 == 0 ? sfi_bits_at(where, (uint32_t)(j / 32)) : bits;
            f->probe[i * f->d + j] = (bits & 1) != 0 ? 1.0 : -1.0;
        }
    }
}

/* s at a level. */
static double stretch(const flow *f, double level)
{
    return f->scaled ? hypot(1.0, level) : 1.0;
}

/* What is asked of n paths. */
typedef struct question {
    flow *f;
    const double *time, *state;
    double *slope;
} question;

/* Levels, and the places y there.  The law of a data set rests at its first time, and
 * its velocity there is that from which it comes. */
static void find_places(void *user, int64_t part, int64_t from, int64_t count)
{
    const question *q = user;
    const flow *f = q->f;
    const int64_t d = f->d, size = d + f->sums;
    const double first = nextafter(sfi_first_time(f->m), 1.0);
    (void)part;
    for (int64_t i = from; i < from + count; i++) {
        const double t = f->rests ? fmax(q->time[i], first) : q->time[i];
        f->level[i] = sfi_levels_at(&f->levels, t, &f->speed[i]);
        const double s = stretch(f, f->level[i]);
        for (int64_t j = 0; j < d; j++)
            f->y[i * d + j] = s * q->state[i * size + j];
    }
}

/* From u to dz/dt. */
static void take_rates(void *user, int64_t part, int64_t from, int64_t count)
{
    const question *q = user;
    const flow *f = q->f;
    const int64_t d = f->d, size = d + f->sums;
    (void)part;
    for (int64_t i = from; i < from + count; i++) {
        const double s = stretch(f, f->level[i]);
        const double grow = f->scaled ? f->level[i] / (s * s) : 0.0;
        for (int64_t j = 0; j < d; j++)
            q->slope[i * size + j] =
                f->speed[i] / s * (f->rate[i * d + j] - grow * f->y[i * d + j]);
    }
}

/* Sum k of each path, from its divergence. */
static void take_sums(const question *q, int64_t n, int64_t k)
{
    const flow *f = q->f;
    const int64_t d = f->d, size = d + f->sums;
    for (int64_t i = 0; i < n; i++) {
        const double s = stretch(f, f->level[i]);
        const double grow = f->scaled ? f->level[i] / (s * s) : 0.0;
        q->slope[i * size + d + k] =
            f->speed[i] * (f->div[i] - (double)d * grow);
    }
}

static sf_status slopes(void *user, int64_t n, const int64_t *path,
                        const double *time, const double *state, bool sums,
                        double *slope)
{
    flow *f = user;
    question q = {f, time, state, slope};
    const bool with = sums && f->sums > 0;
    const int64_t passes = with ? f->sums : 1, chunk = 1 + (1 << 10) / f->d;
    double *const outputs[] = {f->rate, f->div};
    const int64_t strides[] = {f->d, 1};
    sfi_parallel(f->m->ctx, n, chunk, find_places, &q);
    for (int64_t k = 0; k < passes; k++) {
        if (with && f->probes > 0)
            draw_probes(f, n, path, (uint32_t)k);
        SFI_TRY(sfi_inner_run_levels(with ? f->both : f->drift, n, f->y, f->d,
                                     f->level, f->probe, outputs, strides));
        if (with)
            take_sums(&q, n, k);
    }
    sfi_parallel(f->m->ctx, n, chunk, take_rates, &q);
    return SF_OK;
}

/* From y at a time to a state there, and back. */
static void scale(const flow *f, double time, bool to_state, double *y)
{
    const double s = stretch(f, sfi_levels_at(&f->levels, time, NULL));
    for (int64_t j = 0; j < f->d; j++)
        y[j] = to_state ? y[j] / s : y[j] * s;
}

static void flow_free(flow *f)
{
    sf_context *ctx = f->m->ctx;
    const size_t lanes = SFI_LANES, cells = lanes * (size_t)f->d;
    sfi_inner_free(f->drift);
    sfi_inner_free(f->both);
    sfi_free(ctx, f->probe, f->probes > 0 ? cells : 0, sizeof *f->probe);
    sfi_free(ctx, f->div, lanes, sizeof *f->div);
    sfi_free(ctx, f->rate, cells, sizeof *f->rate);
    sfi_free(ctx, f->y, cells, sizeof *f->y);
    sfi_free(ctx, f->speed, lanes, sizeof *f->speed);
    sfi_free(ctx, f->level, lanes, sizeof *f->level);
}

static sf_status flow_init(flow *f, const sf_model *m, bool divergence,
                           const sf_likelihood_options *o)
{
    sf_context *ctx = m->ctx;
    const bool data = m->ops->mixture != NULL;
    /* The law of a data set has no other divergence than the exact one. */
    const bool exact = m->inner <= o->exact_limit || data;
    const sf_dtype dtype = (data || m->weight_dtype == SF_F32) &&
                                   fmin(o->rtol, o->atol) >= single_precision
                               ? SF_F32
                               : SF_F64;
    *f = (flow){.m = m, .d = m->inner, .seed = o->seed, .rests = data};
    f->levels = sfi_levels_of(m);
    f->scaled = !sfi_has_kernels(m);
    f->probes = divergence && !exact ? o->probes : 0;
    f->sums = !divergence ? 0 : exact ? 1 : o->probes;
    const size_t lanes = SFI_LANES, cells = lanes * (size_t)f->d;
    f->level = sfi_alloc(ctx, lanes, sizeof *f->level);
    f->speed = sfi_alloc(ctx, lanes, sizeof *f->speed);
    f->y = sfi_alloc(ctx, cells, sizeof *f->y);
    f->rate = sfi_alloc(ctx, cells, sizeof *f->rate);
    f->div = sfi_alloc(ctx, lanes, sizeof *f->div);
    f->probe = sfi_alloc(ctx, f->probes > 0 ? cells : 0, sizeof *f->probe);
    sf_status status = f->level != NULL && f->speed != NULL && f->y != NULL &&
                               f->rate != NULL && f->div != NULL &&
                               f->probe != NULL
                           ? SF_OK
                           : SF_E_NOMEM;
    const unsigned drift = SFI_WANT_DRIFT | SFI_ROW_LEVELS;
    if (status == SF_OK)
        status = sfi_inner_new(m, &f->drift, dtype, drift);
    if (status == SF_OK && divergence)
        status = sfi_inner_new(
            m, &f->both, dtype,
            drift | (exact ? SFI_WANT_DIVERGENCE : SFI_WANT_PROBE));
    if (status != SF_OK)
        flow_free(f);
    return status;
}

/* Carry the rows from one time to another; what begins and ends them is the
 * caller's. */
static sf_status follow(flow *f, void (*begin)(void *, int64_t, double *),
                        void (*end)(void *, int64_t, const double *),
                        const sf_likelihood_options *o)
{
    const bool data = f->m->ops->mixture != NULL;
    const bool jumpy = data && sfi_empirical_of(f->m).least != NULL;
    const sfi_paths paths = {.count = f->from.rows,
                             .size = f->d + f->sums,
                             .sums = f->sums,
                             .from = f->start,
                             .to = f->stop,
                             .rtol = o->rtol * (jumpy ? jumps : 1.0),
                             .atol = o->atol * (jumpy ? jumps : 1.0),
                             .aligned = data,
                             .stage = "flow",
                             .begin = begin,
                             .slopes = slopes,
                             .end = end,
                             .user = f};
    return sfi_follow_paths(f->m->ctx, &paths);
}

static sf_cmat row_of(const flow *f, int64_t row)
{
    return (sf_cmat){f->from.data + row * f->from.stride, 1, f->m->dim,
                     f->from.stride};
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

/* Where to begin: earlier times are the same as this one. */
static double first_time(const sf_model *m, const sf_likelihood_options *o)
{
    return fmax(o->time, sfi_first_time(m));
}

/* ---- likelihood ------------------------------------------------------------- */

static void begin_density(void *user, int64_t row, double *state)
{
    flow *f = user;
    sfi_to_inner(f->m, row_of(f, row), (sf_mat){state, 1, f->d, f->d});
    memset(state + f->d, 0, (size_t)f->sums * sizeof *state);
    f->l[row] =
        (double)f->d *
            (log(stretch(f, sfi_levels_at(&f->levels, f->stop, NULL))) -
             log(stretch(f, sfi_levels_at(&f->levels, f->start, NULL)))) -
        sfi_log_volume(f->m, state);
    scale(f, f->start, true, state);
}

/* Mean and standard error over the probes' integrals of one point. */
static void end_density(void *user, int64_t row, const double *state)
{
    flow *f = user;
    const double *l = state + f->d, count = (double)f->sums;
    double mean = 0.0, squares = 0.0;
    memcpy(f->to.data + row * f->d, state, (size_t)f->d * sizeof *state);
    scale(f, f->stop, false, f->to.data + row * f->d);
    for (int64_t k = 0; k < f->sums; k++)
        mean += l[k] / count;
    for (int64_t k = 0; k < f->sums; k++)
        squares += (l[k] - mean) * (l[k] - mean);
    f->l[row] += mean;
    if (f->se != NULL)
        f->se[row] =
            f->sums > 1 ? sqrt(squares / (count * (count - 1.0))) : 0.0;
}

static sf_status flow_logpdf(const sf_model *m, sf_cmat x, double *logpdf,
                             double *se, const sf_likelihood_options *o)
{
    flow f;
    const int64_t d = m->inner;
    const size_t n = (size_t)x.rows, cells = n * (size_t)d;
    SFI_TRY(flow_init(&f, m, true, o));
    double *prior = sfi_alloc(m->ctx, n, sizeof *prior);
    double *y = sfi_alloc(m->ctx, cells, sizeof *y);
    f.from = x;
    f.to = (sf_mat){y, x.rows, d, d};
    f.start = first_time(m, o);
    f.stop = 1.0;
    f.l = logpdf;
    f.se = se;
    sf_status status = prior != NULL && y != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = follow(&f, begin_density, end_density, o);
    if (status == SF_OK)
        status = sfi_prior_logpdf(m, sf_mat_const(f.to), prior);
    for (size_t i = 0; i < n && status == SF_OK; i++)
        logpdf[i] += prior[i];
    sfi_free(m->ctx, y, cells, sizeof *y);
    sfi_free(m->ctx, prior, n, sizeof *prior);
    flow_free(&f);
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

/* Rows that have a chart, side by side; index[i] is where row i of them came from. */
static int64_t gather_inside(const sf_model *m, sf_cmat x, double *rows,
                             int64_t *index, int64_t *first_outside)
{
    int64_t count = 0;
    for (int64_t i = x.rows - 1; i >= 0; i--) {
        char want[SFI_SUPPORT_WANT];
        if (sfi_outside_support(m, x.data + i * x.stride, want) >= 0)
            *first_outside = i;
    }
    for (int64_t i = 0; i < x.rows; i++) {
        char want[SFI_SUPPORT_WANT];
        const double *row = x.data + i * x.stride;
        if (sfi_outside_support(m, row, want) >= 0)
            continue;
        memcpy(rows + count * m->dim, row, (size_t)m->dim * sizeof *rows);
        index[count++] = i;
    }
    return count;
}

/* The flow of rows inside the support; the others' density is 0. */
static sf_status logpdf_inside(const sf_model *m, sf_cmat x, double *logpdf,
                               double *se, const sf_likelihood_options *o)
{
    if (!sfi_has_support(m))
        return flow_logpdf(m, x, logpdf, se, o);
    sf_context *ctx = m->ctx;
    const size_t n = (size_t)x.rows, cells = n * (size_t)m->dim;
    double *rows = sfi_alloc(ctx, cells, sizeof *rows);
    double *found = sfi_alloc(ctx, 2 * n, sizeof *found);
    int64_t *index = sfi_alloc(ctx, n, sizeof *index);
    sf_status status = SF_E_NOMEM;
    if (rows != NULL && found != NULL && index != NULL) {
        int64_t first = 0;
        const int64_t count = gather_inside(m, x, rows, index, &first);
        status = flow_logpdf(m, (sf_cmat){rows, count, m->dim, m->dim}, found,
                             found + n, o);
        for (size_t i = 0; i < n && status == SF_OK; i++) {
            logpdf[i] = -INFINITY;
            if (se != NULL)
                se[i] = 0.0;
        }
        for (int64_t i = 0; i < count && status == SF_OK; i++) {
            logpdf[index[i]] = found[i];
            if (se != NULL)
                se[index[i]] = found[n + (size_t)i];
        }
        if (status == SF_OK && count < x.rows)
            sfi_warn_of_outside(m, x, x.rows - count, first);
    }
    sfi_free(ctx, index, n, sizeof *index);
    sfi_free(ctx, found, 2 * n, sizeof *found);
    sfi_free(ctx, rows, cells, sizeof *rows);
    return status;
}

sf_status sf_logpdf(const sf_model *m, sf_cmat x, double *logpdf, double *se,
                    const sf_likelihood_options *options)
{
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    SFI_TRY(check(m, x, &o, options, SF_CAN_LOGPDF, "logpdf"));
    if (sf_model_can(m, SF_CAN_LOGPDF_CLOSED) && !o.force_flow)
        return closed_logpdf(m, x, logpdf, se, o.time);
    SFI_TRY(sfi_check_time(m->ctx, m, o.time, "logpdf"));
    return logpdf_inside(m, x, logpdf, se, &o);
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

static void begin_transport(void *user, int64_t row, double *state)
{
    const flow *f = user;
    const sf_mat y = {state, 1, f->d, f->d};
    if (f->up)
        sfi_to_inner(f->m, row_of(f, row), y);
    else
        from_code(f->m, row_of(f, row), y);
    scale(f, f->start, true, state);
}

static void end_transport(void *user, int64_t row, const double *state)
{
    const flow *f = user;
    double *to = f->to.data + row * f->to.stride;
    memcpy(f->y, state, (size_t)f->d * sizeof *state); /* not in use now */
    scale(f, f->stop, false, f->y);
    if (f->up)
        to_code(f->m, f->y, to);
    else
        sfi_from_inner(f->m, f->y, to);
}

static sf_status transport(const sf_model *m, sf_cmat from, sf_mat to, bool up,
                           const sf_likelihood_options *o)
{
    flow f;
    const double early = first_time(m, o);
    SFI_TRY(flow_init(&f, m, false, o));
    f.from = from;
    f.to = to;
    f.up = up;
    f.start = up ? early : 1.0;
    f.stop = up ? 1.0 : early;
    const sf_status status = follow(&f, begin_transport, end_transport, o);
    flow_free(&f);
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
    SFI_TRY(sfi_check_time(m->ctx, m, o.time, "encode"));
    SFI_TRY(sfi_check_support(m, x, "encode"));
    SFI_TRY(check_target(m, x, code, "encode"));
    return transport(m, x, code, true, &o);
}

sf_status sf_decode(const sf_model *m, sf_cmat code, sf_mat x,
                    const sf_likelihood_options *options)
{
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    SFI_TRY(check(m, code, &o, options, SF_CAN_FLOW, "decode"));
    SFI_TRY(sfi_check_time(m->ctx, m, o.time, "decode"));
    SFI_TRY(sfi_check_support(m, code, "decode"));
    SFI_TRY(check_target(m, code, x, "decode"));
    return transport(m, code, x, false, &o);
}
