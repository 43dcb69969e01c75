/* SPDX-License-Identifier: Apache-2.0 */
/* bench_normal.c - standard normal numbers a second, in float32 or float64, into
 * memory that exists; the cases of bench/README.md. */
#include "bench.h"

#include "base/context.h"
#include "base/parallel.h"
#include "num/loops.h"

enum { COUNT = 1 << 22, COMPONENTS = 4, CHUNK = 4096 };

typedef struct filling {
    sf_context *ctx;
    sf_dtype dtype;
    char *out;
    uint32_t step;
} filling;

/* Points first..first+count-1, four components each, as rows of a block. */
static void fill_chunk(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    const filling *f = user;
    const sfi_where where = {1, (uint64_t)first, f->step, SFI_STREAM_USER};
    char *to = f->out + (size_t)(first * COMPONENTS) * sf_dtype_size(f->dtype);
    sfi_loops_for(f->dtype)->normal(to, count, where, 0, count, COMPONENTS);
}

static void fill(void *user)
{
    filling *f = user;
    sfi_parallel(f->ctx, COUNT / COMPONENTS, CHUNK, fill_chunk, f);
    f->step++;
}

static int run(const bench_args *args, const char *name, sf_dtype dtype)
{
    filling f = {.dtype = dtype};
    const size_t size = sf_dtype_size(dtype);
    if (!bench_wanted(args, name))
        return 0;
    if (sf_context_new(&f.ctx, NULL) != SF_OK ||
        sf_context_set_threads(f.ctx, args->threads) != SF_OK ||
        (f.out = sfi_alloc(f.ctx, COUNT, size)) == NULL)
        return 1;
    const bench_rate rate = bench_windows(args, fill, &f);
    bench_print(name, "normals_per_s", rate, COUNT, 0.0);
    sfi_free(f.ctx, f.out, COUNT, size);
    sf_context_free(f.ctx);
    return 0;
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    return run(&args, "normal_f32", SF_F32) | run(&args, "normal_f64", SF_F64);
}
