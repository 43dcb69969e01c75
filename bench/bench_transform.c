/* SPDX-License-Identifier: Apache-2.0 */
/* bench_transform.c - transforms of all lines of a cube of doubles along one of its
 * axes, by our own loops and by FFTW: numbers a second.
 *
 *     build/bench_transform [--seconds S] [--threads N] [CASE...]
 *
 * A case is ENGINE_KIND_LENGTH_AXIS, e.g. own_DST2_256_2; the last axis, 2, is the
 * one that is contiguous.  Rows are 16 numbers longer than their length, as those of
 * fields.  peers/scipy_transform.py does the same. */
#include "bench.h"

#include "num/transform.h"
#include "num/transform_fftw.h"

typedef struct task {
    sfi_transform *t;
    sfi_line_array lines;
} task;

static void measure(void *user)
{
    task *t = user;
    sfi_transform_run(t->t, &t->lines);
}

static sf_status bench_case(sf_context *ctx, const bench_args *args,
                            sfi_transform_engine engine,
                            sfi_transform_kind kind, int64_t n, int axis)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s_%lld_%d",
             engine == SFI_TRANSFORM_OWN ? "own" : "fftw",
             sfi_transform_name(kind), (long long)n, axis);
    if (!bench_wanted(args, name))
        return SF_OK;
    const size_t count = (size_t)(n * n * (n + 16));
    double *x = sfi_alloc_zero(ctx, count, sizeof *x);
    task t = {.lines = {.dtype = SF_F64,
                        .data = x,
                        .rank = 3,
                        .count = {n, n, n},
                        .step = {n * (n + 16), n + 16, 1},
                        .axis = axis}};
    sf_status status = x != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_transform_new(ctx, &t.t, kind, n, engine);
    if (status == SF_OK) {
        const bench_rate rate = bench_windows(args, measure, &t);
        bench_print(name, "numbers_per_s", rate, (double)(n * n * n), 0.0);
    }
    sfi_transform_free(t.t);
    sfi_free(ctx, x, count, sizeof *x);
    return status;
}

int main(int argc, char **argv)
{
    static const int64_t lengths[] = {64, 256, 240, 251};
    static const sfi_transform_kind kinds[] = {SFI_R2HC, SFI_DST2, SFI_DST3,
                                               SFI_DST4, SFI_DCT1};
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    sf_context *ctx = NULL;
    sf_status status = sf_context_new(&ctx, NULL);
    if (status == SF_OK)
        status = sf_context_set_threads(ctx, args.threads);
    for (size_t i = 0; i < SFI_COUNT(lengths) * SFI_COUNT(kinds) * 3; i++) {
        const int64_t n = lengths[i / (SFI_COUNT(kinds) * 3)];
        const sfi_transform_kind kind = kinds[i / 3 % SFI_COUNT(kinds)];
        const int64_t points = kind == SFI_DCT1 ? n + 1 : n;
        if (status == SF_OK)
            status = bench_case(ctx, &args, SFI_TRANSFORM_OWN, kind, points,
                                (int)(i % 3));
        if (status == SF_OK && sfi_fftw_version() != NULL)
            status = bench_case(ctx, &args, SFI_TRANSFORM_FFTW, kind, points,
                                (int)(i % 3));
    }
    if (status != SF_OK)
        fprintf(stderr, "bench_transform: %s\n", sf_context_message(ctx));
    sf_context_free(ctx);
    return status == SF_OK ? 0 : 1;
}
