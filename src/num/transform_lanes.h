/* SPDX-License-Identifier: Apache-2.0 */
/* transform_lanes.h - the loops of our own transforms, compiled for each
 * instruction set.
 *
 * Complex numbers stand as pairs of vectors, real parts of eight lines and
 * imaginary parts of the same.  The butterflies are those of fft.c, two stages at
 * once so that every number is moved half as often: with W = exp(-pi i j/2q) and
 * the quarters a_0 ... a_3 of a block, q numbers apart,
 *
 *     a_0 <-  (a_0 + a_2) + (a_1 + a_3)
 *     a_1 <- ((a_0 + a_2) - (a_1 + a_3)) W^2
 *     a_2 <- ((a_0 - a_2) - i (a_1 - a_3)) W
 *     a_3 <- ((a_0 - a_2) + i (a_1 - a_3)) W^3
 *
 * and the frequencies come in bit-reversed order.  The table holds for every stage
 * and j the real and imaginary parts of W, W^2 and W^3. */
#include "base/compiler.h"
#include "num/transform_own.h"

typedef double lanes SFI_VECTOR(64);
typedef double lanes_memory SFI_VECTOR_MEMORY(64, 8);

#define LINE(place) (*(lanes_memory *)(line + (place)*step))

/* Stages of two numbers: of an odd power of two one is left. */
static void pairs(lanes *z, int64_t m)
{
    for (int64_t j = 0; j < m; j += 2, z += 4) {
        const lanes r = z[2], i = z[3];
        z[2] = z[0] - r;
        z[3] = z[1] - i;
        z[0] += r;
        z[1] += i;
    }
}

static void forward(lanes *z, const double *w, int64_t m)
{
    int64_t half = m / 2;
    for (; half >= 2; half /= 4) {
        const int64_t q = half / 2;
        for (int64_t block = 0; block < m; block += 4 * q) {
            lanes *a = z + 2 * block, *b = a + 2 * q, *c = b + 2 * q,
                  *d = c + 2 * q;
            for (int64_t j = 0; j < q; j++, a += 2, b += 2, c += 2, d += 2) {
                const double *const t = w + 6 * j;
                const lanes sr = a[0] + c[0], si = a[1] + c[1];
                const lanes dr = a[0] - c[0], di = a[1] - c[1];
                const lanes tr = b[0] + d[0], ti = b[1] + d[1];
                const lanes er = b[0] - d[0], ei = b[1] - d[1];
                const lanes ur = sr - tr, ui = si - ti;
                const lanes vr = dr + ei, vi = di - er;
                const lanes yr = dr - ei, yi = di + er;
                a[0] = sr + tr;
                a[1] = si + ti;
                b[0] = ur * t[2] - ui * t[3];
                b[1] = ur * t[3] + ui * t[2];
                c[0] = vr * t[0] - vi * t[1];
                c[1] = vr * t[1] + vi * t[0];
                d[0] = yr * t[4] - yi * t[5];
                d[1] = yr * t[5] + yi * t[4];
            }
        }
        w += 6 * q;
    }
    if (half == 1)
        pairs(z, m);
}

/* The way back, stages in the opposite order; `w` is the end of the table. */
static void backward(lanes *z, const double *w, int64_t m)
{
    const bool is_odd_power = (m & INT64_C(0x2aaaaaaaaaaaaaaa)) != 0;
    if (is_odd_power)
        pairs(z, m);
    int64_t q = is_odd_power ? 2 : 1;
    for (; 4 * q <= m; q *= 4) {
        w -= 6 * q;
        for (int64_t block = 0; block < m; block += 4 * q) {
            lanes *a = z + 2 * block, *b = a + 2 * q, *c = b + 2 * q,
                  *d = c + 2 * q;
            for (int64_t j = 0; j < q; j++, a += 2, b += 2, c += 2, d += 2) {
                const double *const t = w + 6 * j;
                const lanes ur = b[0] * t[2] + b[1] * t[3];
                const lanes ui = b[1] * t[2] - b[0] * t[3];
                const lanes vr = c[0] * t[0] + c[1] * t[1];
                const lanes vi = c[1] * t[0] - c[0] * t[1];
                const lanes yr = d[0] * t[4] + d[1] * t[5];
                const lanes yi = d[1] * t[4] - d[0] * t[5];
                const lanes sr = a[0] + ur, si = a[1] + ui;
                const lanes tr = a[0] - ur, ti = a[1] - ui;
                const lanes dr = vr + yr, di = vi + yi;
                const lanes er = yi - vi, ei = vr - yr;
                a[0] = sr + dr;
                a[1] = si + di;
                b[0] = tr + er;
                b[1] = ti + ei;
                c[0] = sr - dr;
                c[1] = si - di;
                d[0] = tr - er;
                d[1] = ti - ei;
            }
        }
    }
}

/* ---- HALF ------------------------------------------------------------------ */

static void put(const sfi_own_frequency *f, const lanes *re, const lanes *im,
                double *line, int64_t step)
{
    if (f->first >= 0)
        LINE(f->first) = *re * f->a + *im * f->b;
    if (f->second >= 0)
        LINE(f->second) = *re * f->c + *im * f->d;
}

/* With Z the transform of the even places plus i times that of the odd ones, and
 * conj for the complex conjugate,
 *     2 V_k = Z_k + conj Z_{m-k} - i exp(-pi i k/m) (Z_k - conj Z_{m-k});
 * the factor 2 is in the table of the frequencies. */
static void half(const sfi_own_transform *t, double *line, int64_t step,
                 double *work)
{
    lanes *const z = (lanes *)work;
    const int64_t m = t->m;
    for (int64_t j = 0; j < 2 * m; j++)
        z[j] = LINE(t->ports[j].place) * t->ports[j].weight;
    forward(z, t->turns, m);

    const lanes none = {0};
    const lanes low = z[0] + z[1], high = z[0] - z[1];
    put(&t->frequencies[0], &low, &none, line, step);
    put(&t->frequencies[m], &high, &none, line, step);
    for (int64_t k = 1; 2 * k <= m; k++) {
        const double c = t->twist[2 * k], s = t->twist[2 * k + 1];
        const lanes *const a = z + 2 * t->reversed[k];
        const lanes *const b = z + 2 * t->reversed[m - k];
        const lanes er = a[0] + b[0], ei = a[1] - b[1];
        const lanes dr = a[0] - b[0], di = a[1] + b[1];
        const lanes pr = di * c + dr * s, pi = di * s - dr * c;
        const lanes vr = er + pr, vi = ei + pi;
        const lanes ur = er - pr, ui = pi - ei;
        put(&t->frequencies[k], &vr, &vi, line, step);
        put(&t->frequencies[m - k], &ur, &ui, line, step);
    }
}

static void get(const sfi_own_frequency *f, lanes *re, lanes *im, double *line,
                int64_t step)
{
    const lanes first = LINE(f->first), second = LINE(f->second);
    *re = first * f->a + second * f->c;
    *im = first * f->b + second * f->d;
}

/* Z_k = V_k + conj V_{m-k} + i exp(pi i k/m) (V_k - conj V_{m-k}). */
static void half_back(const sfi_own_transform *t, double *line, int64_t step,
                      double *work)
{
    lanes *const z = (lanes *)work;
    const int64_t m = t->m;
    lanes vr, vi, ur, ui;
    get(&t->frequencies[0], &vr, &vi, line, step);
    get(&t->frequencies[m], &ur, &ui, line, step);
    z[0] = vr + ur;
    z[1] = vr - ur;
    for (int64_t k = 1; 2 * k <= m; k++) {
        const double c = t->twist[2 * k], s = t->twist[2 * k + 1];
        get(&t->frequencies[k], &vr, &vi, line, step);
        get(&t->frequencies[m - k], &ur, &ui, line, step);
        const lanes sr = vr + ur, si = vi - ui;
        const lanes dr = vr - ur, di = vi + ui;
        const lanes qr = dr * s - di * c, qi = dr * c + di * s;
        lanes *const a = z + 2 * t->reversed[k];
        lanes *const b = z + 2 * t->reversed[m - k];
        b[0] = sr - qr;
        b[1] = qi - si;
        a[0] = sr + qr;
        a[1] = si + qi;
    }
    backward(z, t->turns_end, m);
    for (int64_t j = 0; j < 2 * m; j++)
        LINE(t->ports[j].place) = z[j] * t->ports[j].weight;
}

/* ---- QUARTER and CHIRP ------------------------------------------------------ */

/* With phi = (pi/n)(4jk + j + k + 1/4), the angle of places 2j and 2k, the angle of
 * 2j and n-1-2k is an odd number of right angles less phi, and so on: the sums over
 * even and odd places are the real and imaginary part of one. */
static void quarter(const sfi_own_transform *t, double *line, int64_t step,
                    double *work)
{
    lanes *const z = (lanes *)work;
    const int64_t m = t->m;
    for (int64_t j = 0; j < m; j++) {
        const double c = t->before[2 * j], s = t->before[2 * j + 1];
        const lanes even = LINE(t->ports[2 * j].place);
        const lanes odd = LINE(t->ports[2 * j + 1].place);
        z[2 * j] = even * c - odd * s;
        z[2 * j + 1] = even * s + odd * c;
    }
    forward(z, t->turns, m);
    for (int64_t k = 0; k < m; k++) {
        const double c = t->after[2 * k], s = t->after[2 * k + 1];
        const lanes *const a = z + 2 * t->reversed[k];
        LINE(2 * k) = a[0] * c - a[1] * s;
        LINE(2 * m - 1 - 2 * k) =
            (a[0] * s + a[1] * c) * t->ports[2 * k + 1].weight;
    }
}

/* X_k = Re(after_k (before x * conj chirp)_k). */
static void chirp(const sfi_own_transform *t, double *line, int64_t step,
                  double *work)
{
    lanes *const z = (lanes *)work;
    const int64_t m = t->m, n = t->n;
    const lanes none = {0};
    for (int64_t j = 0; j < n; j++) {
        z[2 * j] = LINE(j) * t->before[2 * j];
        z[2 * j + 1] = LINE(j) * t->before[2 * j + 1];
    }
    for (int64_t j = 2 * n; j < 2 * m; j++)
        z[j] = none;
    forward(z, t->turns, m);
    for (int64_t f = 0; f < m; f++) {
        const double c = t->spectrum[2 * f], s = t->spectrum[2 * f + 1];
        const lanes r = z[2 * f], i = z[2 * f + 1];
        z[2 * f] = r * c - i * s;
        z[2 * f + 1] = r * s + i * c;
    }
    backward(z, t->turns_end, m);
    for (int64_t k = 0; k < n; k++)
        LINE(k) =
            z[2 * k] * t->after[2 * k] - z[2 * k + 1] * t->after[2 * k + 1];
}

#undef LINE

static const sfi_own_loop loops[] = {half, half_back, quarter, chirp};
