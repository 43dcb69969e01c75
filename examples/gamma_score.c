/* SPDX-License-Identifier: Apache-2.0 */
/* gamma_score.c - the exact score of three positive numbers under gamma noise.
 *
 * The data .3, 1.2 and 4 have the shares .2, .5 and .3.  At time t each of them,
 * x0, is spread over a gamma law of shape k = 1/t^2 and mean m = (1 - t) x0 + 1.5 t,
 * so that at t = 1 there is the exponential law of mean 1.5.  Of the sum
 *
 *     p_t(x) = sum_i w_i p(x | x0_i; t)
 *
 * everything is known: log density, score, the velocity that carries p_t along, and
 * the mean of the datum that x came from.
 *
 * Known values.  At x = .9 and t = .4 the weights of the data given x are
 * .3506423315779352, .6252492769094224 and .02410839151264238; the mean of
 * (k - 1)/x - k/m under them is the score, that of x0 the denoised value, and the
 * velocity is -(dF/dt)/p with the distribution function F:
 *
 *     ln p     = -0.5392168507222991
 *     score    =  0.0130128591239147
 *     velocity = -0.08104185940166728
 *
 *     denoised =  0.951925397815257
 *
 * The program fails if it finds others. */
#include <scorefield/fit.h>
#include <scorefield/flow.h>

#include <math.h>
#include <stdio.h>

enum { DATA = 3, POINTS = 6, KNOWN = 2 };

static int is_near(double value, double known)
{
    return fabs(value - known) <= 1e-10 * (1.0 + fabs(known));
}

int main(void)
{
    const double data[DATA] = {0.3, 1.2, 4.0};
    const double weights[DATA] = {0.2, 0.5, 0.3};
    const double x[POINTS] = {0.1, 0.3, 0.9, 1.2, 2.5, 4.0};
    double logp[POINTS], score[POINTS], velocity[POINTS], denoised[POINTS];
    const double time = 0.4;

    sf_empirical_options options = SF_EMPIRICAL_OPTIONS_INIT;
    options.kernel = "gamma:shape=1,mean=1.5";
    options.bandwidth = SF_BANDWIDTH_FIXED;
    options.time = 0.01; /* the least; the model answers at all above it */
    options.weights = weights;
    sf_likelihood_options at = SF_LIKELIHOOD_OPTIONS_INIT;
    at.time = time;
    const sf_cmat points = {x, POINTS, 1, 1};
    const sf_model_values values = {.score = {score, POINTS, 1, 1},
                                    .velocity = {velocity, POINTS, 1, 1},
                                    .denoised = {denoised, POINTS, 1, 1}};

    sf_context *ctx = NULL;
    sf_model *model = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    sf_status status = sf_fit_empirical(
        ctx, &model, (sf_cmat){data, DATA, 1, 1}, NULL, &options, NULL);
    if (status == SF_OK)
        status = sf_logpdf(model, points, logp, NULL, &at);
    if (status == SF_OK)
        status = sf_model_eval(model, points, time, &values);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return 1;
    }

    printf("    x      ln p     score  velocity  denoised   at t = %g\n", time);
    for (int i = 0; i < POINTS; i++)
        printf("%5.2f %9.5f %9.5f %9.5f %9.5f\n", x[i], logp[i], score[i],
               velocity[i], denoised[i]);
    sf_model_free(model);
    sf_context_free(ctx);

    return is_near(logp[KNOWN], -0.5392168507222991) &&
                   is_near(score[KNOWN], 0.0130128591239147) &&
                   is_near(velocity[KNOWN], -0.08104185940166728) &&
                   is_near(denoised[KNOWN], 0.951925397815257)
               ? 0
               : 1;
}
