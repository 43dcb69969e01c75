/* SPDX-License-Identifier: Apache-2.0 */
/* open_space.c - a fold by transforms of padded lines.
 *
 * Lines of n points are padded to a ring of m >= 2n - 2, round which the way is not
 * shorter than n - 1.  The field of a point on the ring is G(min(j, m - j)), whose coefficients are
 * those of DCT-I of G(0) ... G(m/2): place k and place m - k of R2HC's result, the cosine
 * and the sine of one frequency, are multiplied by the same one.  Lines of zeros are not
 * transformed, nor lines that nobody reads transformed back. */
#include "num/open_space.h"

#include "base/parallel.h"
#include "num/lattice_green.h"
#include "num/transform.h"

#include <math.h>
#include <string.h>

struct sfi_open_space {
    sf_context *ctx;
    int rank;
    int64_t count[SFI_OPEN_AXES], ring[SFI_OPEN_AXES];
    sfi_transform *there[SFI_OPEN_AXES], *back[SFI_OPEN_AXES];
    double *factor; /* [ring/2 + 1 of each axis]  */
    double *room;   /* [ring of each axis]        */
    size_t factor_count, room_count;
};

/* The least even length of 2^a 3^b 5^c that is as large. */
static int64_t ring_of(int64_t least)
{
    for (int64_t m = least + least % 2;; m += 2) {
        int64_t rest = m;
        for (int f = 2; f <= 5; f += f == 2 ? 1 : 2)
            while (rest % f == 0)
                rest /= f;
        if (rest == 1)
            return m;
    }
}

/* Axes of an array that is a part of one with rows of these lengths. */
static sfi_line_array lines_of(double *data, int rank, const int64_t *part,
                               const int64_t *whole)
{
    sfi_line_array lines = {.dtype = SF_F64, .data = data, .rank = rank};
    int64_t step = 1;
    for (int k = rank - 1; k >= 0; k--) {
        lines.count[k] = part[k];
        lines.step[k] = step;
        step *= whole[k];
    }
    return lines;
}

/* The coefficients of G on the ring, over the volume of a point and the scale of a
 * transform there and back. */
static sf_status find_factor(sfi_open_space *s, const double *h, double mass)
{
    int64_t half[SFI_OPEN_AXES];
    double scale = 1.0;
    for (int k = 0; k < s->rank; k++) {
        half[k] = s->ring[k] / 2 + 1;
        scale *= h[k] / sfi_transform_scale(SFI_R2HC, s->ring[k]);
    }
    SFI_TRY(sfi_lattice_green(s->ctx, s->factor, s->rank, half, h, mass));
    for (int k = 0; k < s->rank; k++) {
        sfi_transform *t = NULL;
        sfi_line_array lines = lines_of(s->factor, s->rank, half, half);
        lines.axis = k;
        SFI_TRY(sfi_transform_new(s->ctx, &t, SFI_DCT1, half[k],
                                  SFI_TRANSFORM_BEST));
        sfi_transform_run(t, &lines);
        sfi_transform_free(t);
    }
    for (size_t i = 0; i < s->factor_count; i++)
        s->factor[i] *= scale;
    return SF_OK;
}

static sf_status plan(sfi_open_space *s, const double *h, double m2)
{
    s->factor_count = s->room_count = 1;
    for (int k = 0; k < s->rank; k++) {
        if (s->count[k] < 1 || s->count[k] > SFI_GREEN_MOST / 2)
            return SFI_FAIL(s->ctx, SF_E_SHAPE,
                            "open space: axis %d has %lld points, want 1 to %d",
                            k, (long long)s->count[k], SFI_GREEN_MOST / 2);
        /* DCT-I has two numbers at least. */
        s->ring[k] = ring_of(s->count[k] > 1 ? 2 * s->count[k] - 2 : 2);
        s->factor_count *= (size_t)(s->ring[k] / 2 + 1);
        s->room_count *= (size_t)s->ring[k];
        SFI_TRY(sfi_transform_new(s->ctx, &s->there[k], SFI_R2HC, s->ring[k],
                                  SFI_TRANSFORM_BEST));
        SFI_TRY(sfi_transform_new(s->ctx, &s->back[k], SFI_HC2R, s->ring[k],
                                  SFI_TRANSFORM_BEST));
    }
    s->factor = sfi_alloc(s->ctx, s->factor_count, sizeof *s->factor);
    s->room = sfi_alloc(s->ctx, s->room_count, sizeof *s->room);
    if (s->factor == NULL || s->room == NULL)
        return SF_E_NOMEM;
    return find_factor(s, h, sqrt(m2));
}

sf_status sfi_open_space_new(sf_context *ctx, sfi_open_space **out, int rank,
                             const int64_t *count, const double *h, double m2)
{
    *out = NULL;
    if (rank < 1 || rank > SFI_OPEN_AXES || !(m2 >= 0.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "open space: rank is %d and m^2 %g, want 1 to %d and "
                        ">= 0",
                        rank, m2, (int)SFI_OPEN_AXES);
    sfi_open_space *s = sfi_alloc_zero(ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = ctx;
    s->rank = rank;
    memcpy(s->count, count, (size_t)rank * sizeof *count);
    const sf_status status = plan(s, h, m2);
    if (status != SF_OK)
        sfi_open_space_free(s);
    else
        *out = s;
    return status;
}

void sfi_open_space_free(sfi_open_space *s)
{
    if (s == NULL)
        return;
    for (int k = 0; k < s->rank; k++) {
        sfi_transform_free(s->there[k]);
        sfi_transform_free(s->back[k]);
    }
    sfi_free(s->ctx, s->factor, s->factor_count, sizeof *s->factor);
    sfi_free(s->ctx, s->room, s->room_count, sizeof *s->room);
    sfi_free(s->ctx, s, 1, sizeof *s);
}

/* ---- folding -------------------------------------------------------------------------- */

/* Leading axes of one point before those there are. */
static void three_axes(int rank, const int64_t *from, int64_t *to)
{
    for (int k = 0; k < SFI_OPEN_AXES; k++) {
        const int at = k - (SFI_OPEN_AXES - rank);
        to[k] = at >= 0 ? from[at] : 1;
    }
}

/* Copy the box to the corner of the room, zeros beside it; or back. */
static void copy_box(const sfi_open_space *s, double *data, bool back)
{
    int64_t n[SFI_OPEN_AXES], m[SFI_OPEN_AXES];
    three_axes(s->rank, s->count, n);
    three_axes(s->rank, s->ring, m);
    const size_t row = (size_t)n[2] * sizeof *data;
    for (int64_t i = 0; i < n[0]; i++)
        for (int64_t j = 0; j < n[1]; j++) {
            double *const in = s->room + (i * m[1] + j) * m[2];
            double *const out = data + (i * n[1] + j) * n[2];
            if (back)
                memcpy(out, in, row);
            else
                memcpy(in, out, row);
        }
}

/* Rows of the spectrum, by what G has there. */
static void multiply(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    sfi_open_space *const s = user;
    int64_t m[SFI_OPEN_AXES];
    three_axes(s->rank, s->ring, m);
    for (int64_t row = first; row < first + count; row++) {
        const int64_t i = row / m[1], j = row % m[1];
        const int64_t fi = i <= m[0] / 2 ? i : m[0] - i;
        const int64_t fj = j <= m[1] / 2 ? j : m[1] - j;
        const int64_t h1 = m[1] > 1 ? m[1] / 2 + 1 : 1, h2 = m[2] / 2 + 1;
        const double *const f = s->factor + (fi * h1 + fj) * h2;
        double *const x = s->room + row * m[2];
        for (int64_t k = 0; k < h2; k++)
            x[k] *= f[k];
        for (int64_t k = h2; k < m[2]; k++)
            x[k] *= f[m[2] - k];
    }
}

void sfi_open_space_solve(sfi_open_space *s, double *data)
{
    int64_t part[SFI_OPEN_AXES], m[SFI_OPEN_AXES];
    memset(s->room, 0, s->room_count * sizeof *s->room);
    copy_box(s, data, false);
    memcpy(part, s->count, sizeof part);
    for (int k = s->rank - 1; k >= 0; k--) {
        part[k] = s->ring[k];
        sfi_line_array lines = lines_of(s->room, s->rank, part, s->ring);
        lines.axis = k;
        sfi_transform_run(s->there[k], &lines);
    }
    three_axes(s->rank, s->ring, m);
    sfi_parallel(s->ctx, m[0] * m[1], 64, multiply, s);
    for (int k = 0; k < s->rank; k++) {
        sfi_line_array lines = lines_of(s->room, s->rank, part, s->ring);
        lines.axis = k;
        sfi_transform_run(s->back[k], &lines);
        part[k] = s->count[k];
    }
    copy_box(s, data, true);
}
