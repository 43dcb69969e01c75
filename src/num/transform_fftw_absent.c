/* SPDX-License-Identifier: Apache-2.0 */
/* transform_fftw_absent.c - what takes the place of transform_fftw.c where FFTW is
 * not wanted (cmake -DSCOREFIELD_FFTW=OFF): all transforms are our own. */
#include "num/transform_fftw.h"

const char *sfi_fftw_version(void)
{
    return NULL;
}

sf_status sfi_fftw_new(sf_context *ctx, sfi_fftw **out, sfi_transform_kind kind,
                       int64_t n)
{
    *out = NULL;
    return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                    "%s of %lld numbers: this build has no FFTW; build with "
                    "libfftw3-dev and -DSCOREFIELD_FFTW=ON",
                    sfi_transform_name(kind), (long long)n);
}

void sfi_fftw_free(sfi_fftw *t)
{
    (void)t;
}

void sfi_fftw_run(const sfi_fftw *t, double *line)
{
    (void)t;
    (void)line;
}
