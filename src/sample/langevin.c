/* SPDX-License-Identifier: Apache-2.0 */
/* langevin.c - Langevin dynamics on a batch of walkers.
 *
 * One update is
 *
 *     x' = x - (h/2) grad f(x) + sqrt(h T) noise
 *
 * the Euler-Maruyama step of dX = -(1/2) grad f dt + dW.  Where grad f is an
 * expression, several updates are one program (langevin_program.h).  Else, with two
 * arrays [n, d], `state` and `move`:
 *
 *     gradient :  move <- grad f(state)
 *     propose  :  move <- state - (h/2) move + sqrt(h T) noise
 *     publish  :  exchange state and move            (only if all are finite)
 *
 * A step is published whole or not at all, which is how the header can promise
 * that x ends as the last finite state; a program of several steps that ends badly
 * is gone through again step by step.
 *
 * The noise of walker i at step t is a function of (seed, i, t, j)
 * (sfi_langevin_noise()): no generator state exists, so the table is split into
 * fixed tiles of walkers and slabs of components, which threads take in any order.
 * Leimkuhler-Matthews averages the normals of steps t and t+1; the latter wait in
 * `kept` [n, d] for the next step. */
#include "sample/langevin_program.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/array.h"
#include "num/linalg.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

/* A thread takes TILE walkers at a time and of them SLAB components, CHUNK by CHUNK:
 * its noise is 16 KiB, half of a first-level cache. */
enum { TILE = 64, CHUNK = 32, SLAB = 128 * CHUNK };

_Static_assert(TILE % SFI_ROW_MULTIPLE == 0, "a tile is whole rows");

struct sf_langevin {
    sf_context *ctx;
    sf_functional f;
    const sfi_loops *loops;
    sf_langevin_options options; /* steps: those of this run; first_step: their
                                    first one                              */
    int64_t walkers;
    int64_t unknowns;
    size_t elem;
    int64_t done; /* steps of this run */
    void *state;  /* [walkers, unknowns], of options.dtype */
    void *move;   /* [walkers, unknowns]                   */
    double *kept; /* [walkers, unknowns] normals of the last step; NULL: ULA */
    bool compiled;
    sfi_langevin_program many, one;
    int64_t slabs; /* of a walker; 1 where programs take the steps */
    float *
        bad; /* [slabs, walkers] not 0: there are numbers that are not finite */
};

static sf_status check_steps(sf_context *ctx, const sf_langevin_options *o,
                             int64_t steps)
{
    const int64_t last_step = INT64_C(1) << 32;
    if (steps < 0)
        return SFI_FAIL(ctx, SF_E_ARG, "langevin: steps is %lld, want >= 0",
                        (long long)steps);
    if (o->first_step < 0 || o->first_step >= last_step ||
        steps >= last_step - o->first_step)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "langevin: steps %lld to %lld + %lld, want numbers "
                        "from 0 below 2^32",
                        (long long)o->first_step, (long long)o->first_step,
                        (long long)steps);
    return SF_OK;
}

static sf_status check_options(sf_context *ctx, const sf_langevin_options *o,
                               int64_t walkers)
{
    if (!(o->step > 0.0 && isfinite(o->step)))
        return SFI_FAIL(ctx, SF_E_ARG, "langevin: step is %g, want > 0",
                        o->step);
    if (!(o->temperature > 0.0 && isfinite(o->temperature)))
        return SFI_FAIL(ctx, SF_E_ARG, "langevin: temperature is %g, want > 0",
                        o->temperature);
    if (o->method != SF_LANGEVIN_ULA && o->method != SF_LANGEVIN_LM)
        return SFI_FAIL(ctx, SF_E_ARG, "langevin: method is %d, want 0 or 1",
                        (int)o->method);
    if (o->dtype != SF_F64 && o->dtype != SF_F32)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "langevin: dtype is %d, want SF_F64 or SF_F32",
                        (int)o->dtype);
    const int64_t last_walker = INT64_C(1) << 56;
    if (o->first_walker < 0 || o->first_walker >= last_walker ||
        walkers >= last_walker - o->first_walker)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "langevin: walkers %lld to %lld + %lld, want numbers "
                        "from 0 below 2^56",
                        (long long)o->first_walker, (long long)o->first_walker,
                        (long long)walkers);
    return SF_OK;
}

/* z[j*TILE + i] = the normal of walker first + i, component from + j, at `step`;
 * i < walkers (rounded up to whole rows of the loops), j < count. */
static void normals(const sf_langevin *r, double *z, int64_t first,
                    int64_t walkers, int64_t from, int64_t count, int64_t step)
{
    uint32_t component;
    sfi_where where = sfi_langevin_noise(
        &r->options, r->unknowns, r->options.first_step + step, &component);
    where.point += (uint64_t)first;
    r->loops->normal(z, TILE, where, component + (uint32_t)from,
                     sfi_row_length(walkers), count);
}

/* Turn the gradients in `move` into proposals, for `count` <= CHUNK components
 * from `from` on, of the walkers from `first` to `end`; `bad`, by walker, learns
 * whose are not finite. */
static void propose_chunk(const sf_langevin *r, int64_t first, int64_t end,
                          int64_t from, int64_t count, int64_t step, float *bad)
{
    SFI_ALIGNED(64) double z[CHUNK * TILE];
    SFI_ALIGNED(64) double before[CHUNK * TILE];
    const double drift = 0.5 * r->options.step;
    const double spread = sqrt(r->options.step * r->options.temperature);
    if (r->kept == NULL) {
        normals(r, z, first, end - first, from, count, step);
    } else {
        normals(r, z, first, end - first, from, count, step + 1);
        if (step == 0)
            normals(r, before, first, end - first, from, count, 0);
    }
    for (int64_t i = first; i < end; i++) {
        const double *state = (const double *)r->state + i * r->unknowns + from;
        double *move = (double *)r->move + i * r->unknowns + from;
        double lost = 0.0;
        if (r->kept == NULL) {
            for (int64_t j = 0; j < count; j++) {
                const double noise = z[j * TILE + i - first];
                move[j] = state[j] - drift * move[j] + spread * noise;
                lost += move[j] * 0.0; /* inf*0 and nan*0 are nan */
            }
        } else {
            double *kept = r->kept + i * r->unknowns + from;
            for (int64_t j = 0; j < count; j++) {
                const double next = z[j * TILE + i - first];
                const double old =
                    step == 0 ? before[j * TILE + i - first] : kept[j];
                move[j] =
                    state[j] - drift * move[j] + spread * (0.5 * (old + next));
                kept[j] = next;
                lost += move[j] * 0.0;
            }
        }
        if (isnan(lost))
            bad[i] = 1.0f;
    }
}

typedef struct proposal {
    const sf_langevin *r;
    int64_t step;
} proposal;

/* One slab of the walkers of one tile. */
static void propose_slab(void *user, int worker, int64_t task)
{
    (void)worker;
    const proposal *p = user;
    const sf_langevin *r = p->r;
    const int64_t slab = task % r->slabs, first = task / r->slabs * TILE;
    const int64_t end = sfi_smaller(first + TILE, r->walkers);
    const int64_t to = sfi_smaller((slab + 1) * SLAB, r->unknowns);
    float *bad = r->bad + slab * r->walkers;
    for (int64_t i = first; i < end; i++)
        bad[i] = 0.0f;
    for (int64_t from = slab * SLAB; from < to; from += CHUNK)
        propose_chunk(r, first, end, from, sfi_smaller(CHUNK, to - from),
                      p->step, bad);
}

/* The first walker of which r->bad says that it is not finite, or r->walkers. */
static int64_t find_bad(const sf_langevin *r)
{
    int64_t bad = r->walkers;
    for (int64_t slab = 0; slab < r->slabs; slab++)
        for (int64_t i = 0; i < bad; i++)
            if (r->bad[slab * r->walkers + i] != 0.0f)
                bad = i;
    return bad;
}

static void exchange(sf_langevin *r)
{
    void *published = r->move;
    r->move = r->state;
    r->state = published;
}

/* Either the step is too long or there is no gradient at the last finite state; an
 * expression is asked which, as r->move is free. */
static sf_status not_finite(sf_langevin *r, int64_t walker, int64_t step)
{
    const int64_t n = r->unknowns;
    const bool again = r->compiled && r->options.dtype == SF_F64 &&
                       sfi_functional_gradient(r->ctx, &r->f, NULL, r->move,
                                               r->state, r->walkers) == SF_OK;
    const double *slope = (const double *)r->move + walker * n;
    const double *at = (const double *)r->state + walker * n;
    const double away = 1e100; /* it is the step that has led there */
    for (int64_t j = 0; j < n && again; j++)
        if (!isfinite(slope[j]) && fabs(at[j]) < away)
            return SFI_FAIL(r->ctx, SF_E_NUMERIC,
                            "langevin: the gradient at walker %lld is not "
                            "finite at step %lld: number %lld of its point is "
                            "%g, the gradient %g",
                            (long long)(r->options.first_walker + walker),
                            (long long)(r->options.first_step + step),
                            (long long)j, at[j],
                            isnan(slope[j]) ? (double)NAN : slope[j]);
    return SFI_FAIL(r->ctx, SF_E_NUMERIC,
                    "langevin: walker %lld is not finite at step %lld; try a "
                    "step below %g, if exp(-f) has a finite integral",
                    (long long)(r->options.first_walker + walker),
                    (long long)(r->options.first_step + step), r->options.step);
}

/* One step by the callback. */
static sf_status take_step(sf_langevin *r, int64_t step)
{
    SFI_TRY(sfi_functional_gradient(r->ctx, &r->f, NULL, r->move, r->state,
                                    r->walkers));
    proposal p = {r, step};
    const int64_t tiles = sfi_parallel_parts(r->walkers, TILE);
    sfi_parallel_tasks(sf_context_threads(r->ctx), tiles * r->slabs,
                       propose_slab, &p);
    const int64_t bad = find_bad(r);
    if (bad < r->walkers)
        return not_finite(r, bad, step);
    exchange(r);
    r->done++;
    return SF_OK;
}

/* The steps of one program; if they end badly, those of them that do not. */
static sf_status run_program(sf_langevin *r, sfi_langevin_program *p,
                             int64_t step)
{
    SFI_TRY(sfi_langevin_apply(p, r->walkers, r->options.first_step + step,
                               r->state, r->move, r->bad));
    const int64_t bad = find_bad(r);
    if (bad == r->walkers) {
        exchange(r);
        r->done += p->steps;
        return SF_OK;
    }
    if (p->steps == 1)
        return not_finite(r, bad, step);
    for (int64_t k = 0; k < p->steps; k++)
        SFI_TRY(run_program(r, &r->one, step + k));
    return SF_OK;
}

/* All steps; r->state ends as the last finite state. */
static sf_status walk(sf_langevin *r)
{
    const sf_langevin_options *o = &r->options;
    const double start = sfi_clock();
    while (r->done < o->steps) {
        const bool whole =
            o->steps - r->done >= r->many.steps &&
            (o->first_step + r->done) % sfi_langevin_shared(r->unknowns) == 0;
        sfi_langevin_program *p = whole ? &r->many : &r->one;
        SFI_TRY(r->compiled ? run_program(r, p, r->done)
                            : take_step(r, r->done));
        const sf_progress progress = {"sample", r->done, o->steps,
                                      NAN,      NAN,     sfi_clock() - start};
        if (!sfi_progress(r->ctx, &progress, r->done == o->steps))
            return SFI_FAIL(r->ctx, SF_E_CANCELLED,
                            "langevin: stopped after step %lld of %lld",
                            (long long)(r->done - 1), (long long)o->steps);
    }
    return SF_OK;
}

/* ---- plans ------------------------------------------------------------------- */

static sf_status allocate(sf_langevin *r)
{
    const size_t count = (size_t)r->walkers * (size_t)r->unknowns;
    r->state = sfi_alloc(r->ctx, count, r->elem);
    r->move = sfi_alloc(r->ctx, count, r->elem);
    const bool keep = !r->compiled && r->options.method == SF_LANGEVIN_LM;
    if (keep)
        r->kept = sfi_alloc(r->ctx, count, sizeof *r->kept);
    r->bad = sfi_alloc(r->ctx, (size_t)(r->slabs * r->walkers), sizeof *r->bad);
    return r->state != NULL && r->move != NULL && r->bad != NULL &&
                   (r->kept != NULL || !keep)
               ? SF_OK
               : SF_E_NOMEM;
}

static sf_status make(sf_langevin *r)
{
    sf_context *ctx = r->ctx;
    const sf_langevin_options *o = &r->options;
    r->loops = sfi_loops_for(SF_F64);
    r->elem = sf_dtype_size(o->dtype);
    r->compiled = r->f.node != NULL;
    r->slabs = r->compiled ? 1 : sfi_parallel_parts(r->unknowns, SLAB);
    if (o->dtype != SF_F64 && !r->compiled)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "langevin: the gradient of %s is no expression, which "
                        "SF_F32 wants",
                        r->f.name);
    SFI_TRY(allocate(r));
    if (!r->compiled)
        return SF_OK;
    SFI_TRY(sfi_langevin_compile(ctx, &r->one, &r->f, 1, o));
    return sfi_langevin_compile(ctx, &r->many, &r->f, 0, o);
}

sf_status sf_langevin_new(sf_context *ctx, sf_langevin **out,
                          const sf_functional *f, int64_t walkers,
                          const sf_langevin_options *opts)
{
    *out = NULL;
    sf_langevin_options o = SF_LANGEVIN_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    sf_langevin *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->ctx = ctx;
    r->options = o;
    r->walkers = walkers;
    sf_status status = sfi_functional_take(ctx, &r->f, f, "langevin");
    r->unknowns = status == SF_OK ? r->f.unknowns : 0;
    if (status == SF_OK && walkers < 1)
        status =
            SFI_FAIL(ctx, SF_E_SHAPE, "langevin: %lld walkers, want at least 1",
                     (long long)walkers);
    if (status == SF_OK)
        status = check_options(ctx, &o, walkers);
    if (status == SF_OK)
        status = make(r);
    if (status != SF_OK) {
        sf_langevin_free(r);
        return status;
    }
    *out = r;
    return SF_OK;
}

static sf_status check_walkers(sf_context *ctx, sf_cmat x,
                               const sf_functional *f)
{
    SFI_TRY(sfi_check_table(ctx, x, true, "langevin: x"));
    if (x.cols != f->unknowns)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "langevin: x has %lld columns, %s has %lld unknowns",
                        (long long)x.cols, f->name, (long long)f->unknowns);
    return SF_OK;
}

sf_status sf_langevin_advance(sf_langevin *r, sf_mat x, int64_t steps)
{
    SFI_TRY(check_walkers(r->ctx, sf_mat_const(x), &r->f));
    if (x.rows != r->walkers)
        return SFI_FAIL(r->ctx, SF_E_SHAPE,
                        "langevin: x has %lld rows, the plan %lld walkers",
                        (long long)x.rows, (long long)r->walkers);
    SFI_TRY(check_steps(r->ctx, &r->options, steps));
    const sf_dtype dtype = r->options.dtype;
    r->options.steps = steps;
    r->done = 0;
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            sfi_number_put(dtype, r->state, i * x.cols + j,
                           x.data[i * x.stride + j]);
    const sf_status status = walk(r);
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            x.data[i * x.stride + j] =
                sfi_number_get(dtype, r->state, i * x.cols + j);
    r->options.first_step += r->done;
    return status;
}

void sf_langevin_free(sf_langevin *r)
{
    if (r == NULL)
        return;
    sf_context *ctx = r->ctx;
    const size_t count = (size_t)r->walkers * (size_t)r->unknowns;
    sfi_langevin_discard(&r->many);
    sfi_langevin_discard(&r->one);
    sfi_free(ctx, r->bad, (size_t)(r->slabs * r->walkers), sizeof *r->bad);
    sfi_free(ctx, r->kept, count, sizeof *r->kept);
    sfi_free(ctx, r->move, count, r->elem);
    sfi_free(ctx, r->state, count, r->elem);
    sfi_free(ctx, r, 1, sizeof *r);
}

/* ---- all at once ------------------------------------------------------------- */

sf_status sf_langevin_run(sf_context *ctx, sf_mat x, const sf_functional *f,
                          const sf_langevin_options *opts)
{
    sf_functional seam;
    sf_langevin_options o = SF_LANGEVIN_OPTIONS_INIT;
    SFI_TRY(sfi_functional_take(ctx, &seam, f, "langevin"));
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check_walkers(ctx, sf_mat_const(x), &seam));
    SFI_TRY(check_options(ctx, &o, x.rows));
    SFI_TRY(check_steps(ctx, &o, o.steps));
    if (x.rows == 0)
        return SF_OK;
    sf_langevin *r = NULL;
    SFI_TRY(sf_langevin_new(ctx, &r, f, x.rows, &o));
    const sf_status status = sf_langevin_advance(r, x, o.steps);
    sf_langevin_free(r);
    return status;
}
