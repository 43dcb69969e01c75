/* SPDX-License-Identifier: Apache-2.0 */
/* transform_kind.c - one row of the table for each transform. */
#include "num/transform_kind.h"

#include <assert.h>
#include <math.h>

static const struct {
    const char *name;
    sfi_transform_kind inverse;
    int a2, b2, more;
    bool is_sine;
} rows[SFI_TRANSFORM_COUNT] = {
#define X(kind, inverse, a2, b2, more, is_sine)                                \
    {#kind, SFI_##inverse, a2, b2, more, is_sine},
    SFI_TRANSFORM_KINDS(X)
#undef X
};

static bool is_fourier(sfi_transform_kind kind)
{
    return kind == SFI_R2HC || kind == SFI_HC2R;
}

sfi_transform_angles sfi_transform_angles_of(sfi_transform_kind kind, int64_t n)
{
    assert(!is_fourier(kind));
    return (sfi_transform_angles){rows[kind].a2, rows[kind].b2,
                                  n + rows[kind].more, rows[kind].is_sine};
}

const char *sfi_transform_name(sfi_transform_kind kind)
{
    return rows[kind].name;
}

sfi_transform_kind sfi_transform_inverse(sfi_transform_kind kind)
{
    return rows[kind].inverse;
}

double sfi_transform_scale(sfi_transform_kind kind, int64_t n)
{
    return is_fourier(kind) ? (double)n : 2.0 * (double)(n + rows[kind].more);
}

int64_t sfi_transform_least(sfi_transform_kind kind)
{
    return kind == SFI_DCT1 ? 2 : 1;
}

sfi_transform_kind sfi_transform_of_walls(sfi_wall low, sfi_wall high,
                                          bool cells)
{
    if (low == SFI_WALL_PERIODIC) {
        assert(high == SFI_WALL_PERIODIC);
        return SFI_R2HC;
    }
    if (low == high) {
        if (low == SFI_WALL_PIN)
            return cells ? SFI_DST2 : SFI_DST1;
        return cells ? SFI_DCT2 : SFI_DCT1;
    }
    if (low == SFI_WALL_PIN)
        return cells ? SFI_DST4 : SFI_DST3;
    return cells ? SFI_DCT4 : SFI_DCT3;
}

double sfi_transform_eigenvalue(sfi_transform_kind kind, int64_t n, int64_t k)
{
    const double pi = 3.14159265358979323846;
    double half_turn; /* theta/2 */
    if (is_fourier(kind)) {
        half_turn = pi * (double)(2 * k <= n ? k : n - k) / (double)n;
    } else {
        const double q = (double)(n + rows[kind].more);
        half_turn = pi * (double)(2 * k + rows[kind].b2) / (4.0 * q);
    }
    const double s = 2.0 * sin(half_turn);
    return s * s;
}
