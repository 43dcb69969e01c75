/* SPDX-License-Identifier: Apache-2.0 */
/* The fast transform against its definition, and what it is for: products. */
#include "check.h"

#include "base/random.h"
#include "num/fft.h"

enum { N = 512 };

static double re[N], im[N], x[N], y[N], table[2 * N];

static void fill(int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where where = {7, (uint64_t)i, (uint32_t)n, SFI_STREAM_USER};
        re[i] = x[i] = sfi_normal_at(where, 0);
        im[i] = y[i] = sfi_normal_at(where, 1);
    }
    sfi_fft_table(table, n);
}

static int64_t reversed(int64_t f, int64_t n)
{
    int64_t r = 0;
    for (int64_t bit = 1; bit < n; bit *= 2)
        r = 2 * r + (f / bit) % 2;
    return r;
}

/* Sums of n normals times factors of size 1 have size sqrt(2 n); each term of
 * the reference, at the angle 2 pi k/n, errs by 1e-15. */
TEST(forward_is_the_discrete_transform_in_reversed_order)
{
    for (int64_t n = 1; n <= N; n *= 2) {
        fill(n);
        sfi_fft_forward(re, im, table, n);
        for (int64_t f = 0; f < n; f++) {
            double a = 0.0, b = 0.0;
            for (int64_t j = 0; j < n; j++) {
                const double angle =
                    6.283185307179586 * (double)(f * j % n) / (double)n;
                a += x[j] * cos(angle) + y[j] * sin(angle);
                b += y[j] * cos(angle) - x[j] * sin(angle);
            }
            CHECK_NEAR(re[reversed(f, n)], a, 1e-14 * (double)n);
            CHECK_NEAR(im[reversed(f, n)], b, 1e-14 * (double)n);
        }
    }
}

TEST(backward_undoes_forward)
{
    for (int64_t n = 1; n <= N; n *= 2) {
        fill(n);
        sfi_fft_forward(re, im, table, n);
        sfi_fft_backward(re, im, table, n);
        for (int64_t i = 0; i < n; i++) {
            CHECK_NEAR(re[i] / (double)n, x[i], 1e-14);
            CHECK_NEAR(im[i] / (double)n, y[i], 1e-14);
        }
    }
}

/* The transform back of |X|^2 is the circular autocovariance, whose real part is
 * that of x plus that of y. */
TEST(the_power_spectrum_gives_autocovariances)
{
    fill(N);
    sfi_fft_forward(re, im, table, N);
    for (int64_t f = 0; f < N; f++) {
        re[f] = re[f] * re[f] + im[f] * im[f];
        im[f] = 0.0;
    }
    sfi_fft_backward(re, im, table, N);
    for (int64_t t = 0; t < N; t++) {
        double want = 0.0;
        for (int64_t i = 0; i < N; i++)
            want += x[i] * x[(i + t) % N] + y[i] * y[(i + t) % N];
        CHECK_NEAR(re[t] / N, want, 1e-12 * N);
    }
}

TESTS(CASE(forward_is_the_discrete_transform_in_reversed_order),
      CASE(backward_undoes_forward),
      CASE(the_power_spectrum_gives_autocovariances))
