/* SPDX-License-Identifier: Apache-2.0 */
/* transform.c - lines are taken in bundles of eight.
 *
 * The lines of an array are numbered by its other axes, and eight neighbours along
 * the fastest of these are a bundle.  Our own transforms want number j of the eight
 * side by side, FFTW's want each line in one piece.  Where lines stand so in the
 * array they are transformed there; else they are copied to a panel, and back. */
#include "num/transform.h"

#include "base/parallel.h"
#include "num/transform_fftw.h"
#include "num/transform_own.h"

#include <assert.h>
#include <string.h>

/* Below this many numbers threads cost more than they bring. */
enum { LEAST_PARALLEL = 1 << 15 };

struct sfi_transform {
    sf_context *ctx;
    int64_t n;
    sfi_own_transform *own; /* one of the two */
    sfi_fftw *fftw;
    int threads;
    int64_t
        work_size; /* doubles of a thread: the panel, then what `own` needs */
    double *work;
    size_t work_count;
};

/* ---- planning ----------------------------------------------------------------- */

/* FFTW has loops of its own for the factors up to 13 of a period. */
static bool is_best_by_fftw(sfi_transform_kind kind, int64_t n)
{
    if (sfi_fftw_version() == NULL || sfi_own_is_fast(kind, n))
        return false;
    int64_t rest = (int64_t)sfi_transform_scale(kind, n);
    for (int64_t factor = 2; factor <= 13; factor++)
        while (rest % factor == 0)
            rest /= factor;
    return rest == 1;
}

static sf_status plan(sfi_transform *t, sfi_transform_kind kind,
                      sfi_transform_engine engine)
{
    if (engine == SFI_TRANSFORM_BEST)
        engine = is_best_by_fftw(kind, t->n) ? SFI_TRANSFORM_FFTW
                                             : SFI_TRANSFORM_OWN;
    t->work_size = t->n * SFI_LANES;
    if (engine == SFI_TRANSFORM_FFTW) {
        SFI_TRY(sfi_fftw_new(t->ctx, &t->fftw, kind, t->n));
    } else {
        SFI_TRY(sfi_own_new(t->ctx, &t->own, kind, t->n));
        t->work_size += sfi_own_work(t->own);
    }
    t->threads = sf_context_threads(t->ctx);
    t->work_count = (size_t)t->work_size * (size_t)t->threads;
    t->work = sfi_alloc(t->ctx, t->work_count, sizeof *t->work);
    return t->work != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_transform_new(sf_context *ctx, sfi_transform **out,
                            sfi_transform_kind kind, int64_t n,
                            sfi_transform_engine engine)
{
    *out = NULL;
    const int64_t least = sfi_transform_least(kind), most = INT64_C(1) << 30;
    if (n < least || n > most)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "transform: %s of %lld numbers, want %lld to %lld",
                        sfi_transform_name(kind), (long long)n,
                        (long long)least, (long long)most);
    sfi_transform *t = sfi_alloc_zero(ctx, 1, sizeof *t);
    if (t == NULL)
        return SF_E_NOMEM;
    t->ctx = ctx;
    t->n = n;
    const sf_status status = plan(t, kind, engine);
    if (status != SF_OK) {
        sfi_transform_free(t);
        return status;
    }
    *out = t;
    return SF_OK;
}

void sfi_transform_free(sfi_transform *t)
{
    if (t == NULL)
        return;
    sfi_own_free(t->own);
    sfi_fftw_free(t->fftw);
    sfi_free(t->ctx, t->work, t->work_count, sizeof *t->work);
    sfi_free(t->ctx, t, 1, sizeof *t);
}

const char *sfi_transform_engine_name(const sfi_transform *t)
{
    return t->own != NULL ? "own" : sfi_fftw_version();
}

/* ---- running ------------------------------------------------------------------ */

typedef struct bundles {
    sfi_transform *t;
    const sfi_line_array *lines;
    int others[SFI_TRANSFORM_AXES -
               1]; /* longer than 1, but that of the lines */
    int other_count;
    int64_t along;     /* lines along the fastest of them   */
    int64_t per_row;   /* bundles that these make           */
    int64_t count;     /* of bundles                        */
    int64_t neighbour; /* elements from a line to the next  */
    bool is_direct;    /* full ones are transformed where they stand */
} bundles;

/* The axis whose neighbours are nearest in memory is the fastest. */
static bundles bundle(sfi_transform *t, const sfi_line_array *lines)
{
    bundles b = {.t = t, .lines = lines, .along = 1, .count = 1};
    for (int k = 0; k < lines->rank; k++)
        if (k != lines->axis && lines->count[k] != 1)
            b.others[b.other_count++] = k;
    for (int i = 0; i + 1 < b.other_count; i++) {
        const int a = b.others[i], z = b.others[b.other_count - 1];
        if (lines->step[a] < lines->step[z]) {
            b.others[i] = z;
            b.others[b.other_count - 1] = a;
        }
    }
    for (int i = 0; i + 1 < b.other_count; i++)
        b.count *= lines->count[b.others[i]];
    if (b.other_count > 0) {
        const int fast = b.others[b.other_count - 1];
        b.along = lines->count[fast];
        b.neighbour = lines->step[fast];
    }
    b.per_row = sfi_parallel_parts(b.along, SFI_LANES);
    b.count *= b.per_row;
    const int64_t side_by_side =
        t->own != NULL ? b.neighbour : lines->step[lines->axis];
    b.is_direct = lines->dtype == SF_F64 && side_by_side == 1;
    return b;
}

/* The element at which bundle number `at` begins, and the lines it has. */
static int64_t locate(const bundles *b, int64_t at, int *width)
{
    const int64_t first = at % b->per_row * SFI_LANES;
    int64_t rest = at / b->per_row, offset = first * b->neighbour;
    for (int i = b->other_count - 2; i >= 0; i--) {
        const int axis = b->others[i];
        offset += rest % b->lines->count[axis] * b->lines->step[axis];
        rest /= b->lines->count[axis];
    }
    const int64_t left = b->along - first;
    *width = left < SFI_LANES ? (int)left : SFI_LANES;
    return offset;
}

/* A copy of some lines between steps of any size, in squares of eight by eight, so
 * that what is near in either array is used while it is. */
typedef struct copy_shape {
    int64_t n, lines;
    int64_t from_step, from_line, to_step, to_line;
} copy_shape;

#define DEFINE_COPY(name, FROM, TO)                                            \
    static void name(const FROM *from, TO *to, const copy_shape *s)            \
    {                                                                          \
        for (int64_t j0 = 0; j0 < s->n; j0 += SFI_LANES) {                     \
            const int64_t end = j0 + SFI_LANES < s->n ? j0 + SFI_LANES : s->n; \
            for (int64_t i = 0; i < s->lines; i++)                             \
                for (int64_t j = j0; j < end; j++)                             \
                    to[j * s->to_step + i * s->to_line] =                      \
                        (TO)from[j * s->from_step + i * s->from_line];         \
        }                                                                      \
    }
DEFINE_COPY(copy_f64, double, double)
DEFINE_COPY(copy_from_f32, float, double)
DEFINE_COPY(copy_to_f32, double, float)
#undef DEFINE_COPY

static void transform_here(const sfi_transform *t, double *x, int64_t step,
                           int64_t neighbour, int width, double *beside)
{
    if (t->own != NULL)
        t->own->run(t->own, x, step, beside);
    for (int i = 0; t->fftw != NULL && i < width; i++)
        sfi_fftw_run(t->fftw, x + i * neighbour);
}

static void run_bundle(const bundles *b, int64_t at, double *work)
{
    const sfi_transform *const t = b->t;
    const sfi_line_array *const lines = b->lines;
    const int64_t step = lines->step[lines->axis];
    int width = 0;
    const int64_t offset = locate(b, at, &width);
    double *const panel = work, *const beside = work + t->n * SFI_LANES;
    double *const x64 = (double *)lines->data + offset;
    float *const x32 = (float *)lines->data + offset;

    if (b->is_direct && (width == SFI_LANES || t->fftw != NULL)) {
        transform_here(t, x64, step, b->neighbour, width, beside);
        return;
    }
    const int64_t panel_step = t->own != NULL ? SFI_LANES : 1;
    const int64_t panel_line = t->own != NULL ? 1 : t->n;
    const copy_shape in = {t->n,         width,      step,
                           b->neighbour, panel_step, panel_line};
    const copy_shape out = {t->n,       width, panel_step,
                            panel_line, step,  b->neighbour};
    if (width < SFI_LANES) /* a bundle that is not full is filled up with 0 */
        memset(panel, 0, (size_t)t->n * SFI_LANES * sizeof *panel);
    if (lines->dtype == SF_F64)
        copy_f64(x64, panel, &in);
    else
        copy_from_f32(x32, panel, &in);
    transform_here(t, panel, panel_step, panel_line, width, beside);
    if (lines->dtype == SF_F64)
        copy_f64(panel, x64, &out);
    else
        copy_to_f32(panel, x32, &out);
}

static void run_bundles(void *user, int64_t part, int64_t first, int64_t count)
{
    const bundles *const b = user;
    double *const work = b->t->work + part * b->t->work_size;
    for (int64_t at = first; at < first + count; at++)
        run_bundle(b, at, work);
}

void sfi_transform_run(sfi_transform *t, const sfi_line_array *lines)
{
    assert(lines->rank >= 1 && lines->rank <= SFI_TRANSFORM_AXES);
    assert(lines->count[lines->axis] == t->n);
    bundles b = bundle(t, lines);
    if (b.count == 0)
        return;
    const bool is_small = b.count * t->n * SFI_LANES < LEAST_PARALLEL;
    const int64_t parts = is_small ? 1 : t->threads;
    sfi_parallel(t->ctx, b.count, sfi_parallel_parts(b.count, parts),
                 run_bundles, &b);
}
