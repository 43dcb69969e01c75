/* SPDX-License-Identifier: Apache-2.0 */
/* langevin.c - Langevin dynamics on a batch of walkers.
 *
 * One update is
 *
 *     x' = x - (h/2) grad f(x) + sqrt(h) noise
 *
 * the Euler-Maruyama step of dX = -(1/2) grad f dt + dW.  Two arrays [n, d]
 * are kept, `state` and `move`:
 *
 *     gradient :  move <- grad f(state)
 *     propose  :  move <- state - (h/2) move + sqrt(h) noise
 *     publish  :  exchange state and move            (only if all are finite)
 *
 * A step is published whole or not at all, which is how the header can promise
 * that x ends as the last finite state.
 *
 * The noise of walker i at step t is sfi_normal_at(seed, i, t, j): no generator
 * state exists, so walkers are split into fixed tiles that threads take in any
 * order.  Leimkuhler-Matthews averages the normals of steps t and t+1; the
 * latter wait in `kept` [n, d] for the next step. */
#include "sample/langevin.h"

#include "base/random.h"
#include "num/linalg.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

/* A thread takes TILE walkers at a time, and of them CHUNK components: its noise
 * is 16 KiB, half of a first-level cache. */
enum { TILE = 64, CHUNK = 32 };

_Static_assert(TILE % SFI_ROW_MULTIPLE == 0, "a tile is whole rows");

struct run {
    const sfi_loops *loops;
    const sf_langevin_options *options;
    int64_t walkers;
    int64_t unknowns;
    double *state; /* [walkers, unknowns] */
    double *move;  /* [walkers, unknowns] */
    double *kept;  /* [walkers, unknowns] normals of the last step; NULL: ULA */
};

static sf_status check_options(sf_context *ctx, const sf_langevin_options *o,
                               int64_t walkers)
{
    if (!(o->step > 0.0 && isfinite(o->step)))
        return SFI_FAIL(ctx, SF_E_ARG, "langevin: step is %g, want > 0",
                        o->step);
    if (o->steps < 0)
        return SFI_FAIL(ctx, SF_E_ARG, "langevin: steps is %lld, want >= 0",
                        (long long)o->steps);
    if (o->method != SF_LANGEVIN_ULA && o->method != SF_LANGEVIN_LM)
        return SFI_FAIL(ctx, SF_E_ARG, "langevin: method is %d, want 0 or 1",
                        (int)o->method);
    const int64_t last_step = INT64_C(1) << 32;
    if (o->first_step < 0 || o->first_step >= last_step ||
        o->steps >= last_step - o->first_step)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "langevin: steps %lld to %lld + %lld, want numbers "
                        "from 0 below 2^32",
                        (long long)o->first_step, (long long)o->first_step,
                        (long long)o->steps);
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
static void normals(const struct run *r, double *z, int64_t first,
                    int64_t walkers, int64_t from, int64_t count, int64_t step)
{
    const sfi_where where = {
        r->options->seed, (uint64_t)(r->options->first_walker + first),
        (uint32_t)(r->options->first_step + step), SFI_STREAM_STEP};
    r->loops->normal(z, TILE, where, (uint32_t)from, sfi_row_length(walkers),
                     count);
}

/* Turn the gradients in `move` into proposals, for `count` <= CHUNK components
 * from `from` on, of the walkers from `first` to `end`.  Returns the first of
 * them whose proposal is not finite, or `end`. */
static int64_t propose_chunk(const struct run *r, int64_t first, int64_t end,
                             int64_t from, int64_t count, int64_t step)
{
    SFI_ALIGNED(64) double z[CHUNK * TILE];
    SFI_ALIGNED(64) double before[CHUNK * TILE];
    const double drift = 0.5 * r->options->step;
    const double spread = sqrt(r->options->step);
    int64_t first_bad = end;
    if (r->kept == NULL) {
        normals(r, z, first, end - first, from, count, step);
    } else {
        normals(r, z, first, end - first, from, count, step + 1);
        if (step == 0)
            normals(r, before, first, end - first, from, count, 0);
    }
    for (int64_t i = first; i < end; i++) {
        const double *state = r->state + i * r->unknowns + from;
        double *move = r->move + i * r->unknowns + from;
        double bad = 0.0;
        if (r->kept == NULL) {
            for (int64_t j = 0; j < count; j++) {
                const double noise = z[j * TILE + i - first];
                move[j] = state[j] - drift * move[j] + spread * noise;
                bad += move[j] * 0.0; /* inf*0 and nan*0 are nan */
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
                bad += move[j] * 0.0;
            }
        }
        if (isnan(bad) && i < first_bad)
            first_bad = i;
    }
    return first_bad;
}

/* All walkers; returns the first one whose proposal is not finite, or
 * r->walkers. */
static int64_t propose(sf_context *ctx, const struct run *r, int64_t step)
{
    const int64_t tiles = (r->walkers + TILE - 1) / TILE;
    const int threads = sf_context_threads(ctx);
    int64_t first_bad = r->walkers;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)             \
    reduction(min                                                              \
              : first_bad)
    for (int64_t tile = 0; tile < tiles; tile++) {
        const int64_t first = tile * TILE;
        const int64_t end =
            first + TILE < r->walkers ? first + TILE : r->walkers;
        for (int64_t from = 0; from < r->unknowns; from += CHUNK) {
            const int64_t left = r->unknowns - from;
            const int64_t bad = propose_chunk(
                r, first, end, from, left < CHUNK ? left : CHUNK, step);
            if (bad < end && bad < first_bad)
                first_bad = bad;
        }
    }
    return first_bad;
}

/* All steps; r->state ends as the last finite state. */
static sf_status walk(sf_context *ctx, struct run *r, const sfi_functional *f)
{
    const sf_langevin_options *o = r->options;
    const double start = sfi_clock();
    for (int64_t t = 0; t < o->steps; t++) {
        SFI_TRY(sfi_functional_gradient(ctx, f, NULL, r->move, r->state,
                                        r->walkers));
        const int64_t bad = propose(ctx, r, t);
        if (bad < r->walkers)
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "langevin: walker %lld is not finite at step %lld "
                            "of %lld; try a step below %g",
                            (long long)(o->first_walker + bad), (long long)t,
                            (long long)o->steps, o->step);
        double *published = r->move;
        r->move = r->state;
        r->state = published;
        const sf_progress progress = {"sample", t + 1, o->steps,
                                      NAN,      NAN,   sfi_clock() - start};
        if (!sfi_progress(ctx, &progress, t + 1 == o->steps))
            return SFI_FAIL(ctx, SF_E_CANCELLED,
                            "langevin: stopped after step %lld of %lld",
                            (long long)t, (long long)o->steps);
    }
    return SF_OK;
}

sf_status sfi_langevin_run(sf_context *ctx, sf_mat x, const sfi_functional *f,
                           const sf_langevin_options *opts)
{
    sf_langevin_options o = SF_LANGEVIN_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(sfi_check_table(ctx, sf_mat_const(x), true, "langevin: x"));
    if (x.cols != f->unknowns)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "langevin: x has %lld columns, %s has %lld unknowns",
                        (long long)x.cols, f->ops->name,
                        (long long)f->unknowns);
    SFI_TRY(check_options(ctx, &o, x.rows));
    if (x.rows == 0)
        return SF_OK;

    const size_t count = (size_t)x.rows * (size_t)x.cols;
    const bool averaged = o.method == SF_LANGEVIN_LM;
    double *one = sfi_alloc(ctx, count, sizeof *one);
    double *two = sfi_alloc(ctx, count, sizeof *two);
    double *kept = averaged ? sfi_alloc(ctx, count, sizeof *kept) : NULL;
    sf_status status = SF_E_NOMEM;
    if (one != NULL && two != NULL && (kept != NULL || !averaged)) {
        struct run r = {
            sfi_loops_for(SF_F64), &o, x.rows, x.cols, one, two, kept};
        const size_t row = (size_t)x.cols * sizeof *one;
        for (int64_t i = 0; i < x.rows; i++)
            memcpy(one + i * x.cols, x.data + i * x.stride, row);
        status = walk(ctx, &r, f);
        for (int64_t i = 0; i < x.rows; i++)
            memcpy(x.data + i * x.stride, r.state + i * x.cols, row);
    }
    sfi_free(ctx, kept, count, sizeof *kept);
    sfi_free(ctx, two, count, sizeof *two);
    sfi_free(ctx, one, count, sizeof *one);
    return status;
}

sf_status sf_langevin_run(sf_context *ctx, sf_mat x, const sf_functional *f,
                          const sf_langevin_options *opts)
{
    struct sfi_functional_adapter adapter;
    sfi_functional seam;
    SFI_TRY(sfi_functional_adopt(ctx, &seam, &adapter, f, "langevin"));
    return sfi_langevin_run(ctx, x, &seam, opts);
}
