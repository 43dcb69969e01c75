/* SPDX-License-Identifier: Apache-2.0 */
/* transform_fftw.c - the transforms by FFTW 3: Frigo and Johnson, Proc. IEEE 93
 * (2005) 216-231.
 *
 * FFTW's planner has state of its own, so planning and freeing take turns; running
 * needs no turn.  Planning is given a line of its own, which it may overwrite. */
#define _POSIX_C_SOURCE 200809L
#include "num/transform_fftw.h"

#include <fftw3.h>
#include <pthread.h>

struct sfi_fftw {
    sf_context *ctx;
    fftw_plan plan;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static const fftw_r2r_kind kinds[SFI_TRANSFORM_COUNT] = {
    [SFI_R2HC] = FFTW_R2HC,    [SFI_HC2R] = FFTW_HC2R,
    [SFI_DCT1] = FFTW_REDFT00, [SFI_DCT2] = FFTW_REDFT10,
    [SFI_DCT3] = FFTW_REDFT01, [SFI_DCT4] = FFTW_REDFT11,
    [SFI_DST1] = FFTW_RODFT00, [SFI_DST2] = FFTW_RODFT10,
    [SFI_DST3] = FFTW_RODFT01, [SFI_DST4] = FFTW_RODFT11,
};

const char *sfi_fftw_version(void)
{
    return fftw_version;
}

sf_status sfi_fftw_new(sf_context *ctx, sfi_fftw **out, sfi_transform_kind kind,
                       int64_t n)
{
    *out = NULL;
    sfi_fftw *t = sfi_alloc(ctx, 1, sizeof *t);
    double *line = sfi_alloc(ctx, (size_t)n, sizeof *line);
    sf_status status = SF_E_NOMEM;
    if (t == NULL || line == NULL)
        goto done;

    (void)pthread_mutex_lock(&turn);
    t->ctx = ctx;
    t->plan = fftw_plan_r2r_1d((int)n, line, line, kinds[kind],
                               FFTW_ESTIMATE | FFTW_UNALIGNED);
    (void)pthread_mutex_unlock(&turn);
    if (t->plan == NULL) {
        status =
            SFI_FAIL(ctx, SF_E_NOMEM, "FFTW cannot plan %s of %lld numbers",
                     sfi_transform_name(kind), (long long)n);
        goto done;
    }
    *out = t;
    t = NULL;
    status = SF_OK;
done:
    sfi_free(ctx, line, (size_t)n, sizeof *line);
    sfi_free(ctx, t, 1, sizeof *t);
    return status;
}

void sfi_fftw_free(sfi_fftw *t)
{
    if (t == NULL)
        return;
    (void)pthread_mutex_lock(&turn);
    fftw_destroy_plan(t->plan);
    (void)pthread_mutex_unlock(&turn);
    sfi_free(t->ctx, t, 1, sizeof *t);
}

void sfi_fftw_run(const sfi_fftw *t, double *line)
{
    fftw_execute_r2r(t->plan, line, line);
}
