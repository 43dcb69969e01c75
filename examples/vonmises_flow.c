/* SPDX-License-Identifier: Apache-2.0 */
/* vonmises_flow.c - from a ring of all directions to three.
 *
 * Wind blows from three directions, for .2, .5 and .3 of the time.  Under von Mises
 * noise each direction x0 spreads over a law of concentration 1/t^2 - 1 around it,
 * which is uniform at t = 1, whatever x0 is.  The flow carries this uniform law back
 * to the data: of a ring of equally spaced angles, the share of each direction must
 * end near it.  Between two neighbours of a ring of N angles lies the mass 1/N at
 * all times, so that the share w is met by N w of them, give or take one.
 *
 * The program fails if it is not, or if an angle ends far from all three. */
#include <scorefield/fit.h>
#include <scorefield/flow.h>

#include <math.h>
#include <stdio.h>

enum { DATA = 3, RING = 400 };

static const double pi = 3.14159265358979324;

/* The angle between two directions, 0 to pi. */
static double apart(double a, double b)
{
    return fabs(remainder(a - b, 2.0 * pi));
}

int main(void)
{
    const double data[DATA] = {-2.0, 0.3, 1.5};
    const double share[DATA] = {0.2, 0.5, 0.3};
    static double start[RING], end[RING];
    for (int i = 0; i < RING; i++)
        start[i] = -pi + 2.0 * pi * (i + 0.5) / RING;

    sf_empirical_options options = SF_EMPIRICAL_OPTIONS_INIT;
    options.kernel = "vonmises:kappa=1";
    options.bandwidth = SF_BANDWIDTH_FIXED;
    options.time = 0.03; /* where the noise is .03 radians wide */
    options.weights = share;

    sf_context *ctx = NULL;
    sf_model *model = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    sf_status status = sf_fit_empirical(
        ctx, &model, (sf_cmat){data, DATA, 1, 1}, NULL, &options, NULL);
    if (status == SF_OK)
        status = sf_decode(model, (sf_cmat){start, RING, 1, 1},
                           (sf_mat){end, RING, 1, 1}, NULL);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return 1;
    }

    int far = 0, wrong = 0, count[DATA] = {0};
    for (int i = 0; i < RING; i++) {
        int nearest = 0;
        for (int k = 1; k < DATA; k++)
            if (apart(end[i], data[k]) < apart(end[i], data[nearest]))
                nearest = k;
        count[nearest]++;
        /* five widths, in radians */
        far += !(apart(end[i], data[nearest]) < 5.0 * options.time);
    }
    printf("direction   share   of the ring\n");
    for (int k = 0; k < DATA; k++) {
        const double found = (double)count[k] / RING;
        printf("%9.1f %7.3f %13.3f\n", data[k], share[k], found);
        wrong += !(fabs(found - share[k]) < 1.5 / RING);
    }
    printf("%d of %d angles end more than .15 from all\n", far, RING);
    sf_model_free(model);
    sf_context_free(ctx);
    return wrong + far == 0 ? 0 : 1;
}
