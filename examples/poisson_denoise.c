/* SPDX-License-Identifier: Apache-2.0 */
/* poisson_denoise.c - what was there before it was counted?
 *
 * A detector counts photons in 16 channels: count y_j is a Poisson number of mean
 * x_j, and x is a spectrum, a peak of some height, place and width on a background.
 * Spectra that were measured for long, without noise, are the data of a model; the
 * best guess for a new one that was measured for a short time is the mean of the
 * data given its counts, which the model has exactly.
 *
 * The noise of `poisson` at time t has the mean scale (1 - t) x: with a scale of 2
 * and t = 1/2 that is x.  The program fails unless the error falls by a third. */
#include <scorefield/array.h>
#include <scorefield/fit.h>
#include <scorefield/model.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { CHANNELS = 16, CLEAN = 4000, NOISY = 300 };

static uint64_t state = 20;

/* Uniform in (0, 1): G. Marsaglia's xorshift, the middle bits. */
static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)(state >> 12) + 0.5) / 4503599627370496.0;
}

/* Arrivals of rate 1 until `mean`. */
static double poisson(double mean)
{
    double count = 0.0;
    for (double at = -log(uniform()); at < mean; at -= log(uniform()))
        count += 1.0;
    return count;
}

static void spectrum(double *x)
{
    const double height = 2.0 + 18.0 * uniform();
    const double place = 2.0 + 11.0 * uniform();
    const double width = 0.8 + 1.7 * uniform();
    for (int j = 0; j < CHANNELS; j++) {
        const double from = (j - place) / width;
        x[j] = 0.5 + height * exp(-0.5 * from * from);
    }
}

/* Root of the mean squared difference. */
static double distance(const double *a, const double *b)
{
    double sum = 0.0;
    for (int i = 0; i < NOISY * CHANNELS; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum / (NOISY * CHANNELS));
}

static void print_row(const char *name, const double *row)
{
    printf("%-8s", name);
    for (int j = 0; j < CHANNELS; j++)
        printf(" %4.1f", row[j]);
    printf("\n");
}

int main(void)
{
    static double clean[CLEAN * CHANNELS], truth[NOISY * CHANNELS];
    static double counts[NOISY * CHANNELS], guess[NOISY * CHANNELS];
    sf_context *ctx = NULL;
    sf_model *model = NULL;
    for (int i = 0; i < CLEAN; i++)
        spectrum(clean + i * CHANNELS);
    for (int i = 0; i < NOISY; i++)
        spectrum(truth + i * CHANNELS);
    for (int i = 0; i < NOISY * CHANNELS; i++)
        counts[i] = poisson(truth[i]);

    sf_empirical_options options = SF_EMPIRICAL_OPTIONS_INIT;
    options.kernel = "poisson:scale=2";
    options.bandwidth = SF_BANDWIDTH_FIXED;
    options.time = 0.5;
    const sf_cmat data = {clean, CLEAN, CHANNELS, CHANNELS};
    const sf_cmat seen = {counts, NOISY, CHANNELS, CHANNELS};
    const sf_model_values values = {
        .denoised = {guess, NOISY, CHANNELS, CHANNELS}};
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    sf_status status =
        sf_fit_empirical(ctx, &model, data, NULL, &options, NULL);
    if (status == SF_OK)
        status = sf_model_eval(model, seen, options.time, &values);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return 1;
    }
    const double before = distance(counts, truth);
    const double after = distance(guess, truth);
    print_row("counts", counts);
    print_row("guess", guess);
    print_row("truth", truth);
    printf("error of the counts %.3f, of the posterior mean %.3f\n", before,
           after);
    sf_model_free(model);
    sf_context_free(ctx);
    return 1.5 * after < before ? 0 : 1;
}
