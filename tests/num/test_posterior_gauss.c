/* SPDX-License-Identifier: Apache-2.0 */
/* test_posterior_gauss.c - the loop that sums over Gaussians around points, for
 * every set of instructions this machine has. */
#include "base/random.h"
#include "check.h"
#include "num/array.h"
#include "num/loops.h"

enum { POINTS = 48, MOST_SUMS = 14 };

static double normal(uint64_t i, uint32_t j)
{
    const sfi_where where = {21, i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

/* Rows of either type: points, bias, scales. */
static _Alignas(64) double rows[(SFI_GAUSS_DIM + 2) * POINTS];

static double number(sf_dtype dtype, int row, int j)
{
    return sfi_number_get(dtype, rows, row * POINTS + j);
}

static void *row_at(sf_dtype dtype, int row)
{
    return (char *)rows + (size_t)(row * POINTS) * sf_dtype_size(dtype);
}

static void fill(sf_dtype dtype)
{
    for (int row = 0; row < SFI_GAUSS_DIM + 2; row++)
        for (int j = 0; j < POINTS; j++) {
            const double x = normal((uint64_t)j, (uint32_t)row);
            sfi_number_put(dtype, rows, row * POINTS + j,
                           row == SFI_GAUSS_DIM + 1             ? exp(x)
                           : row == SFI_GAUSS_DIM && j % 9 == 4 ? -INFINITY
                                                                : x);
        }
}

/* By the definition, in double; returns how many sums there are. */
static int define(const sfi_gauss *g, sf_dtype dtype, double *sums,
                  double *most, double *logits)
{
    const int d = (int)g->d;
    int count = 0;
    memset(sums, 0, MOST_SUMS * sizeof *sums);
    *most = -INFINITY;
    for (int j = 0; j < POINTS; j++) {
        double t[SFI_GAUSS_DIM], square = 0.0;
        const double s =
            g->scales != NULL ? number(dtype, SFI_GAUSS_DIM + 1, j) : 1.0;
        for (int k = 0; k < d; k++) {
            t[k] = number(dtype, k, j) - g->x[k];
            square += t[k] * t[k];
        }
        logits[j] =
            number(dtype, SFI_GAUSS_DIM, j) + g->half * s * square - g->shift;
        *most = fmax(*most, logits[j]);
        const double e = exp(logits[j]);
        count = 0;
        sums[count++] += e;
        for (int k = 0; k < d && g->moments > 0; k++)
            sums[count++] += e * t[k];
        if (g->moments > 0 && g->scales != NULL)
            sums[count++] += e * s;
        for (int k = 0; k < d && g->moments > 0 && g->scales != NULL; k++)
            sums[count++] += e * s * t[k];
        for (int k = 0; k < d && g->moments > 1; k++)
            for (int l = 0; l <= k; l++)
                sums[count++] += e * t[k] * t[l];
    }
    return count;
}

TEST(sums_over_gaussians_match_the_definition)
{
    static const char *const sets[] = {"portable", "avx2", "avx512"};
    static _Alignas(64) double row[POINTS];
    double want[MOST_SUMS], sums[MOST_SUMS], want_row[POINTS], want_most;
    int seen = 0;
    for (int c = 0; c < 6; c++) {
        const sf_dtype dtype = c % 2 == 0 ? SF_F32 : SF_F64;
        const sfi_loops *loops = sfi_loops_named(sets[c / 2], dtype);
        /* Logits of up to 100 are rounded before their exponential is taken. */
        const double within = dtype == SF_F32 ? 2e-5 : 2e-13;
        fill(dtype);
        for (int form = 0; form < 18 && loops != NULL; form++) {
            const sfi_gauss g = {
                .n = POINTS,
                .d = 1 + form % 3,
                .points = rows,
                .ld = POINTS,
                .bias = row_at(dtype, SFI_GAUSS_DIM),
                .scales = form >= 9 ? row_at(dtype, SFI_GAUSS_DIM + 1) : NULL,
                .x = {0.25, -0.5, 1.0},
                .half = -1.5,
                .shift = 0.75,
                .moments = form / 3 % 3};
            const int count = define(&g, dtype, want, &want_most, want_row);
            const double most = loops->gauss_sums(&g, sums);
            loops->gauss_logits(&g, row);
            CHECK_NEAR(most, want_most, within);
            for (int k = 0; k < count; k++)
                CHECK_NEAR(sums[k], want[k], within * want[0]);
            for (int j = 0; j < POINTS; j++) {
                const double l = sfi_number_get(dtype, row, j);
                CHECK(l == want_row[j] ||
                      fabs(l - want_row[j]) <=
                          within * fmax(1.0, fabs(want_row[j])));
            }
            seen++;
        }
    }
    CHECK(seen >= 36);
}

TESTS(CASE(sums_over_gaussians_match_the_definition))
