/* SPDX-License-Identifier: Apache-2.0 */
/* transform_own.c - which way a transform is computed, and its tables.
 *
 * CHIRP serves all kinds and all n.  With jk = (j^2 + k^2 - (k - j)^2)/2 and
 * c_j = exp(-i alpha j^2/2), a sum over j of p_j x_j exp(-i alpha j k) is
 *
 *     c_k sum over j of (c_j p_j x_j) conj c_{k-j},
 *
 * a convolution (Bluestein, IEEE Trans. Audio Electroacoust. 18 (1970) 451-455).
 * The angle alpha (j + a)(k + b) of every kind has this jk; what a and b add is
 * in p_j and in a factor of k.  A sine is the real part of i exp(-i angle).
 *
 * HALF takes DCT-II as the transform of the even places followed by the odd ones
 * backward (Makhoul, IEEE Trans. Acoust. Speech Signal Process. 28 (1980) 27-34),
 * and type I as that of the line continued about its walls.  A DST-II is the
 * DCT-II of the line with every second sign turned, read backward; types III and
 * IV likewise the other way round. */
#include "num/transform_own.h"

#include "num/fft.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

static bool is_power(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

/* The numbers of a period, where a transform through its half is possible. */
static int64_t period_of(sfi_transform_kind kind, int64_t n)
{
    switch (kind) {
    case SFI_DCT1:
        return 2 * (n - 1);
    case SFI_DST1:
        return 2 * (n + 1);
    default:
        return n;
    }
}

bool sfi_own_is_fast(sfi_transform_kind kind, int64_t n)
{
    const int64_t period = period_of(kind, n);
    return period >= 4 && is_power(period);
}

static sfi_own_way way_of(sfi_transform_kind kind, int64_t n)
{
    if (!sfi_own_is_fast(kind, n))
        return SFI_OWN_CHIRP;
    switch (kind) {
    case SFI_DCT4:
    case SFI_DST4:
        return SFI_OWN_QUARTER;
    case SFI_HC2R:
    case SFI_DCT3:
    case SFI_DST3:
        return SFI_OWN_HALF_BACK;
    default:
        return SFI_OWN_HALF;
    }
}

/* exp(-i pi p/q), the angle brought into one turn while it is exact. */
static void unit(double *z, int64_t p, int64_t q)
{
    const double pi = 3.14159265358979323846;
    const double angle = pi * (double)(p % (2 * q)) / (double)q;
    z[0] = cos(angle);
    z[1] = -sin(angle);
}

/* ---- the complex transform ---------------------------------------------------- */

static void plan_turns(sfi_own_transform *t)
{
    double *w = t->turns;
    for (int64_t half = t->m / 2; half >= 2; half /= 4) {
        for (int64_t j = 0; j < half / 2; j++, w += 6) {
            unit(w, j, half);
            unit(w + 2, 2 * j, half);
            unit(w + 4, 3 * j, half);
        }
    }
    t->turns_end = w;
}

static void plan_reversal(sfi_own_transform *t)
{
    t->reversed[0] = 0;
    for (int64_t done = 1, bit = t->m / 2; bit > 0; done *= 2, bit /= 2)
        for (int64_t f = 0; f < done; f++)
            t->reversed[done + f] = t->reversed[f] + bit;
}

/* ---- HALF --------------------------------------------------------------------- */

/* Number j of the period is this place of the line. */
static sfi_own_port period_port(sfi_transform_kind kind, int64_t n, int64_t j)
{
    const int64_t m = period_of(kind, n) / 2;
    switch (kind) {
    case SFI_DCT1:
        return (sfi_own_port){j <= m ? j : 2 * m - j, 1.0};
    case SFI_DST1:
        if (j % m == 0)
            return (sfi_own_port){0, 0.0};
        return j < m ? (sfi_own_port){j - 1, 1.0}
                     : (sfi_own_port){2 * m - j - 1, -1.0};
    case SFI_DCT2:
    case SFI_DCT3:
        return (sfi_own_port){j < m ? 2 * j : 2 * (n - 1 - j) + 1, 1.0};
    case SFI_DST2:
    case SFI_DST3:
        return j < m ? (sfi_own_port){2 * j, 1.0}
                     : (sfi_own_port){2 * (n - 1 - j) + 1, -1.0};
    default:
        return (sfi_own_port){j, 1.0};
    }
}

/* Where frequency k stands, 0 <= k <= m, without the factors of its direction. */
static sfi_own_frequency frequency_of(sfi_transform_kind kind, int64_t n,
                                      int64_t k)
{
    const int64_t m = period_of(kind, n) / 2;
    const bool is_end = k == 0 || k == m;
    double u[2];
    switch (kind) {
    case SFI_DCT1:
        return (sfi_own_frequency){k, -1, 1.0, 0.0, 0.0, 0.0};
    case SFI_DST1:
        return (sfi_own_frequency){-1,  is_end ? -1 : k - 1, 0.0, 0.0, 0.0,
                                   -1.0};
    case SFI_R2HC:
    case SFI_HC2R:
        return (sfi_own_frequency){k, is_end ? -1 : n - k, 1.0, 0.0, 0.0, 1.0};
    default: /* types II and III: exp(-pi i k/2n) V, real part and the other */
        unit(u, k, 2 * n);
        sfi_own_frequency f = {k,    is_end ? -1 : n - k, u[0], -u[1], -u[1],
                               -u[0]};
        if (kind == SFI_DST2 || kind == SFI_DST3) {
            f.first = n - 1 - f.first;
            f.second = is_end ? -1 : n - 1 - f.second;
        }
        return f;
    }
}

static void scale_frequency(sfi_own_frequency *f, double by)
{
    f->a *= by;
    f->b *= by;
    f->c *= by;
    f->d *= by;
}

/* On the way back a place that is none is read as 0 times place 0.  Where types II
 * and III have frequency m, the two parts of the same number add: cos(pi/4) and
 * sin(pi/4). */
static void complete_back(sfi_own_frequency *f, bool is_both)
{
    if (f->second < 0) {
        f->second = 0;
        f->c = f->d = 0.0;
    }
    if (is_both)
        f->a *= 2.0;
}

static void plan_half(sfi_own_transform *t, sfi_transform_kind kind)
{
    const int64_t m = t->m, n = t->n;
    const bool is_back = t->way == SFI_OWN_HALF_BACK;
    const bool doubles = kind == SFI_DCT2 || kind == SFI_DST2;
    for (int64_t j = 0; j < 2 * m; j++)
        t->ports[j] = period_port(kind, n, j);
    for (int64_t k = 0; k <= m; k++) {
        sfi_own_frequency *const f = &t->frequencies[k];
        *f = frequency_of(kind, n, k);
        if (is_back)
            complete_back(f, kind != SFI_HC2R && k == m);
        else
            scale_frequency(f, (doubles ? 2.0 : 1.0) *
                                   (k == 0 || k == m ? 1.0 : 0.5));
    }
    for (int64_t k = 0; 2 * k <= m; k++)
        unit(t->twist + 2 * k, k, m);
}

/* ---- QUARTER ------------------------------------------------------------------ */

static void plan_quarter(sfi_own_transform *t, sfi_transform_kind kind)
{
    const int64_t n = t->n;
    const bool is_sine = kind == SFI_DST4;
    for (int64_t j = 0; j < t->m; j++) {
        const int64_t even = 2 * j, odd = n - 1 - 2 * j;
        t->ports[2 * j] = (sfi_own_port){is_sine ? odd : even, 1.0};
        t->ports[2 * j + 1] =
            (sfi_own_port){is_sine ? even : odd, is_sine ? 1.0 : -1.0};
        unit(t->before + 2 * j, 8 * j + 1, 8 * n);
        unit(t->after + 2 * j, 8 * j + 1, 8 * n);
        t->after[2 * j] *= 2.0;
        t->after[2 * j + 1] *= 2.0;
    }
}

/* ---- CHIRP -------------------------------------------------------------------- */

/* alpha j^2/2 is pi j^2/q; alpha = 2 pi/n for R2HC and HC2R, else pi over the q of
 * the kind. */
static int64_t chirp_period(sfi_transform_kind kind, int64_t n)
{
    const bool is_fourier = kind == SFI_R2HC || kind == SFI_HC2R;
    return is_fourier ? n : 2 * sfi_transform_angles_of(kind, n).q;
}

/* exp(-i alpha (j + a)(k + b)) as before_j, after_k and conj c_{k-j}. */
static void chirp_factors(sfi_own_transform *t, sfi_transform_kind kind)
{
    const int64_t n = t->n, q = chirp_period(kind, n);
    sfi_transform_angles g = {0, 0, 0, false};
    if (kind != SFI_R2HC && kind != SFI_HC2R)
        g = sfi_transform_angles_of(kind, n);
    for (int64_t j = 0; j < n; j++) {
        /* in units of pi/2q: 2 j^2, and 2 j b2, and (2k + b2) a2 */
        const int64_t square = 2 * (j * j % (2 * q));
        unit(t->before + 2 * j, square + 2 * j * g.b2, 2 * q);
        unit(t->after + 2 * j, square + (2 * j + g.b2) * g.a2, 2 * q);
    }
}

static void turn(double *z) /* by i */
{
    const double re = z[0];
    z[0] = -z[1];
    z[1] = re;
}

/* The weights of the places, and i for what is a sine. */
static void chirp_weights(sfi_own_transform *t, sfi_transform_kind kind)
{
    const int64_t n = t->n;
    for (int64_t j = 0; j < n; j++) {
        const bool is_first = j == 0, is_last = j == n - 1;
        double *const before = t->before + 2 * j;
        const bool is_one = kind == SFI_R2HC ||
                            (kind == SFI_HC2R && (is_first || 2 * j == n)) ||
                            (kind == SFI_DCT1 && (is_first || is_last)) ||
                            (kind == SFI_DCT3 && is_first) ||
                            (kind == SFI_DST3 && is_last);
        before[0] *= is_one ? 1.0 : 2.0;
        before[1] *= is_one ? 1.0 : 2.0;
        const bool is_sine = kind >= SFI_DST1;
        if (is_sine || (kind == SFI_HC2R && 2 * j > n))
            turn(before);
        if (kind == SFI_R2HC && 2 * j > n)
            turn(t->after + 2 * j);
    }
}

/* The transform of conj c over m, in the order in which those of the lines come. */
static sf_status chirp_spectrum(sfi_own_transform *t, sfi_transform_kind kind)
{
    const int64_t m = t->m, n = t->n, q = chirp_period(kind, n);
    const size_t count = 4 * (size_t)m;
    double *const re = sfi_alloc_zero(t->ctx, count, sizeof *re);
    if (re == NULL)
        return SF_E_NOMEM;
    double *const im = re + m, *const table = re + 2 * m;
    for (int64_t j = 0; j < n; j++) {
        double c[2];
        unit(c, j * j % (2 * q), q);
        const int64_t mirror = j == 0 ? 0 : m - j;
        re[j] = re[mirror] = c[0] / (double)m;
        im[j] = im[mirror] = -c[1] / (double)m;
    }
    sfi_fft_table(table, m);
    sfi_fft_forward(re, im, table, m);
    for (int64_t f = 0; f < m; f++) {
        t->spectrum[2 * f] = re[f];
        t->spectrum[2 * f + 1] = im[f];
    }
    sfi_free(t->ctx, re, count, sizeof *re);
    return SF_OK;
}

/* ---- all ---------------------------------------------------------------------- */

static sfi_own_loop choose_loop(sfi_own_way way)
{
    const char *const isa = sfi_loops_for(SF_F64)->isa;
    sfi_own_loop loop = NULL;
    if (strcmp(isa, "avx512") == 0)
        loop = sfi_own_loop_avx512(way);
    else if (strcmp(isa, "avx2") == 0)
        loop = sfi_own_loop_avx2(way);
    return loop != NULL ? loop : sfi_own_loop_portable(way);
}

/* The complex transform that a line takes. */
static int64_t complex_length(const sfi_own_transform *t,
                              sfi_transform_kind kind)
{
    if (t->way != SFI_OWN_CHIRP)
        return period_of(kind, t->n) / 2;
    int64_t m = 1;
    while (m < 2 * t->n - 1)
        m *= 2;
    return m;
}

static sf_status take_memory(sfi_own_transform *t)
{
    const size_t m = (size_t)t->m, n = (size_t)t->n;
    const bool is_chirp = t->way == SFI_OWN_CHIRP;
    const size_t sides = is_chirp ? 2 * n : 2 * m;
    t->number_count = 2 * m + (m + 2) + 2 * sides + (is_chirp ? 2 * m : 0);
    t->numbers = sfi_alloc(t->ctx, t->number_count, sizeof *t->numbers);
    t->reversed = sfi_alloc(t->ctx, m, sizeof *t->reversed);
    t->ports = sfi_alloc(t->ctx, 2 * m, sizeof *t->ports);
    t->frequencies = sfi_alloc(t->ctx, m + 1, sizeof *t->frequencies);
    if (t->numbers == NULL || t->reversed == NULL || t->ports == NULL ||
        t->frequencies == NULL)
        return SF_E_NOMEM;
    t->turns = t->numbers;
    t->twist = t->turns + 2 * m;
    t->before = t->twist + m + 2;
    t->after = t->before + sides;
    t->spectrum = t->after + sides;
    return SF_OK;
}

static sf_status plan(sfi_own_transform *t, sfi_transform_kind kind)
{
    SFI_TRY(take_memory(t));
    plan_turns(t);
    plan_reversal(t);
    switch (t->way) {
    case SFI_OWN_HALF:
    case SFI_OWN_HALF_BACK:
        plan_half(t, kind);
        return SF_OK;
    case SFI_OWN_QUARTER:
        plan_quarter(t, kind);
        return SF_OK;
    default:
        chirp_factors(t, kind);
        chirp_weights(t, kind);
        return chirp_spectrum(t, kind);
    }
}

sf_status sfi_own_new(sf_context *ctx, sfi_own_transform **out,
                      sfi_transform_kind kind, int64_t n)
{
    *out = NULL;
    sfi_own_transform *t = sfi_alloc_zero(ctx, 1, sizeof *t);
    if (t == NULL)
        return SF_E_NOMEM;
    t->ctx = ctx;
    t->n = n;
    t->way = way_of(kind, n);
    t->m = complex_length(t, kind);
    t->run = choose_loop(t->way);
    const sf_status status = plan(t, kind);
    if (status != SF_OK) {
        sfi_own_free(t);
        return status;
    }
    *out = t;
    return SF_OK;
}

void sfi_own_free(sfi_own_transform *t)
{
    if (t == NULL)
        return;
    const size_t m = (size_t)t->m;
    sfi_free(t->ctx, t->numbers, t->number_count, sizeof *t->numbers);
    sfi_free(t->ctx, t->reversed, m, sizeof *t->reversed);
    sfi_free(t->ctx, t->ports, 2 * m, sizeof *t->ports);
    sfi_free(t->ctx, t->frequencies, m + 1, sizeof *t->frequencies);
    sfi_free(t->ctx, t, 1, sizeof *t);
}

int64_t sfi_own_work(const sfi_own_transform *t)
{
    return 2 * t->m * SFI_LANES;
}
