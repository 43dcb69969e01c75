/* SPDX-License-Identifier: Apache-2.0 */
/* fft.c - decimation in frequency forward, decimation in time backward.
 *
 * A butterfly of the stage with `half` takes j and j + half of every block of
 * 2 half numbers.  Its factors exp(-pi i j/half), j < half, stand in order at
 * half + j of the table, cosines first, then sines, so that each stage reads its
 * own without gaps. */
#include "num/fft.h"

#include <math.h>

void sfi_fft_table(double *table, int64_t n)
{
    const double pi = 3.14159265358979323846;
    double *cosine = table, *sine = table + n;
    cosine[0] = sine[0] = 0.0; /* in no stage */
    for (int64_t half = 1; half < n; half *= 2) {
        for (int64_t j = 0; j < half; j++) {
            cosine[half + j] = cos(pi * (double)j / (double)half);
            sine[half + j] = -sin(pi * (double)j / (double)half);
        }
    }
}

void sfi_fft_forward(double *re, double *im, const double *table, int64_t n)
{
    for (int64_t half = n / 2; half >= 1; half /= 2) {
        const double *c = table + half, *s = table + n + half;
        for (int64_t block = 0; block < n; block += 2 * half) {
            double *a = re + block, *b = im + block;
            for (int64_t j = 0; j < half; j++) {
                const double x = a[j] - a[j + half], y = b[j] - b[j + half];
                a[j] += a[j + half];
                b[j] += b[j + half];
                a[j + half] = x * c[j] - y * s[j];
                b[j + half] = x * s[j] + y * c[j];
            }
        }
    }
}

void sfi_fft_backward(double *re, double *im, const double *table, int64_t n)
{
    for (int64_t half = 1; half < n; half *= 2) {
        const double *c = table + half, *s = table + n + half;
        for (int64_t block = 0; block < n; block += 2 * half) {
            double *a = re + block, *b = im + block;
            for (int64_t j = 0; j < half; j++) {
                const double x = a[j + half] * c[j] + b[j + half] * s[j];
                const double y = b[j + half] * c[j] - a[j + half] * s[j];
                a[j + half] = a[j] - x;
                b[j + half] = b[j] - y;
                a[j] += x;
                b[j] += y;
            }
        }
    }
}
