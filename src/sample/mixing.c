/* SPDX-License-Identifier: Apache-2.0 */
/* mixing.c - spread, R-hat and effective draws of m chains of n draws.
 *
 * With the mean W of the chains' variances, the variance B of their means and
 * the mean c_t of their autocovariances at lag t (divisor n at every lag), all
 * draws together have
 *
 *     V     = (n - 1)/n W + B
 *     rhat  = sqrt(V/W)
 *     rho_t = 1 - (W - c_t)/V
 *     tau   = -1 + 2 (P_0 + ... + P_{K-1}) + rho_2K,     ess = m n/tau
 *
 * where P_k = min(rho_2k + rho_2k+1, P_{k-1}) and K is the first k at which
 * rho_2k + rho_2k+1 <= 0, or the last one of which there are lags (Geyer's initial
 * monotone sequence).  rho_2K counts where it is positive, which helps chains of
 * negative autocorrelation.
 *
 * Lags are asked for in order and few are: most chains that one wishes to look at
 * become uncorrelated soon.  So the first LAGS are sums of products, a pass over
 * the draws each; if more are wanted, all come from the power spectrum.  The cost
 * is that of min(lags, LAGS) passes and of m/2 + 1 transforms of 2n numbers at
 * most, which take about as long as LAGS passes.  Two chains are transformed as
 * one, as the real and imaginary part of z: the real part of z's autocovariance
 * is the sum of theirs. */
#include "sample/mixing.h"

#include "num/fft.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { LAGS = 96 };

static int64_t padded_length(int64_t length)
{
    if (length <= LAGS)
        return 0;
    int64_t padded = 1;
    while (padded < 2 * length) /* the end must not meet the beginning */
        padded *= 2;
    return padded;
}

size_t sfi_chains_size(int64_t count, int64_t length)
{
    return (size_t)(count * length + count + 5 * padded_length(length));
}

void sfi_chains_init(sfi_chains *chains, double *memory, int64_t count,
                     int64_t length)
{
    const int64_t padded = padded_length(length);
    double *mean = memory + count * length, *re = mean + count;
    *chains = (sfi_chains){.loops = sfi_loops_for(SF_F64),
                           .count = count,
                           .length = length,
                           .draws = memory,
                           .mean = mean,
                           .padded = padded,
                           .re = re,
                           .im = re + padded,
                           .power = re + 2 * padded,
                           .table = re + 3 * padded};
    if (padded > 0)
        sfi_fft_table(chains->table, padded);
}

/* ---- spread ---- */

static bool all_alike(const double *x, int64_t n)
{
    double least = x[0], most = x[0];
    for (int64_t i = 1; i < n; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    return !(most - least > 4.0 * DBL_EPSILON * fmax(most, -least));
}

/* Subtract the mean and return it; exact for a chain that never moves. */
static double centre(const sfi_loops *loops, double *x, int64_t n)
{
    const double first = x[0];
    for (int64_t i = 0; i < n; i++)
        x[i] -= first;
    const double mean = loops->sum(x, n) / (double)n;
    for (int64_t i = 0; i < n; i++)
        x[i] -= mean;
    return first + mean;
}

sfi_spread sfi_chains_centre(sfi_chains *chains)
{
    const int64_t m = chains->count, n = chains->length;
    if (all_alike(chains->draws, m * n))
        return (sfi_spread){NAN, NAN};
    for (int64_t c = 0; c < m; c++)
        chains->mean[c] = centre(chains->loops, chains->draws + c * n, n);
    centre(chains->loops, chains->mean, m);
    const double squares = chains->loops->sum_squares(chains->draws, m * n);
    return (sfi_spread){squares / ((double)m * (double)(n - 1)),
                        chains->loops->sum_squares(chains->mean, m) /
                            (double)(m - 1)};
}

static double joint_variance(const sfi_chains *chains, sfi_spread spread)
{
    const double n = (double)chains->length;
    return (n - 1.0) / n * spread.within + spread.between;
}

double sfi_chains_rhat(const sfi_chains *chains, sfi_spread spread)
{
    return sqrt(joint_variance(chains, spread) / spread.within);
}

/* ---- autocovariances ---- */

/* The sums over chains of c_t for all t, into re. */
static void transform(sfi_chains *chains)
{
    const int64_t m = chains->count, n = chains->length, size = chains->padded;
    const size_t bytes = (size_t)n * sizeof(double);
    const size_t rest = (size_t)(size - n) * sizeof(double);
    memset(chains->power, 0, (size_t)size * sizeof(double));
    for (int64_t c = 0; c < m; c += 2) {
        memcpy(chains->re, chains->draws + c * n, bytes);
        memset(chains->re + n, 0, rest);
        memset(chains->im, 0, (size_t)size * sizeof(double));
        if (c + 1 < m)
            memcpy(chains->im, chains->draws + (c + 1) * n, bytes);
        sfi_fft_forward(chains->re, chains->im, chains->table, size);
        for (int64_t f = 0; f < size; f++)
            chains->power[f] +=
                chains->re[f] * chains->re[f] + chains->im[f] * chains->im[f];
    }
    memcpy(chains->re, chains->power, (size_t)size * sizeof(double));
    memset(chains->im, 0, (size_t)size * sizeof(double));
    sfi_fft_backward(chains->re, chains->im, chains->table, size);
    const double scale = 1.0 / (double)size;
    for (int64_t t = 0; t < n; t++)
        chains->re[t] *= scale;
}

/* c_t; asked for in the order of t. */
static double autocovariance(sfi_chains *chains, int64_t t)
{
    const int64_t m = chains->count, n = chains->length;
    double sum = 0.0;
    if (t < LAGS) {
        for (int64_t c = 0; c < m; c++) {
            const double *x = chains->draws + c * n;
            sum += chains->loops->dot(x, x + t, n - t);
        }
    } else {
        if (t == LAGS)
            transform(chains);
        sum = chains->re[t];
    }
    return sum / ((double)m * (double)n);
}

/* ---- effective draws ---- */

double sfi_chains_ess(sfi_chains *chains, sfi_spread spread)
{
    const int64_t n = chains->length;
    const double draws = (double)chains->count * (double)n;
    if (n < SFI_CHAIN_LEAST || isnan(spread.within))
        return NAN;
    const double variance = joint_variance(chains, spread);
    double tau = -1.0, least = INFINITY, even = 1.0;
    for (int64_t t = 0;; t += 2) {
        if (t > 0)
            even = 1.0 - (spread.within - autocovariance(chains, t)) / variance;
        const double odd =
            1.0 - (spread.within - autocovariance(chains, t + 1)) / variance;
        const double pair = even + odd;
        /* The last lags, of few products each, are left alone. */
        const bool last = t >= n - 5;
        if (!(pair > 0.0) || last) {
            if (even > 0.0 || pair >= 0.0)
                tau += even;
            break;
        }
        least = fmin(least, pair);
        tau += 2.0 * least;
    }
    return draws / fmax(tau, 1.0 / log10(draws));
}
