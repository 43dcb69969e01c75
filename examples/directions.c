/* SPDX-License-Identifier: Apache-2.0 */
/* directions.c - from points all over the earth to three places.
 *
 * Apia, Suva and Hilo, latitudes and longitudes in degrees, have the shares .2, .5
 * and .3.  Under von Mises-Fisher noise each place x0 spreads over a law of
 * concentration 1/t^2 - 1 around it, which at t = 1 is uniform by area, whatever x0
 * is.  The flow carries this law back to the data: of points that cover the earth
 * evenly, the share of each place must end near it.  The points are a Fibonacci
 * lattice, whose share of a smooth region is wrong by less than .01 for 1000 points.
 *
 * Suva and Apia are on both sides of longitude 180.  To noise that is of the sphere
 * this is no border: what is half way between them has a mean of their longitudes
 * beyond 170 degrees, not near 0.  The program fails if one of this is not so. */
#include <scorefield/fit.h>
#include <scorefield/flow.h>

#include <math.h>
#include <stdio.h>

enum { PLACES = 3, POINTS = 1000 };

static const double degree = 3.14159265358979324 / 180.0;

/* The cosine of the angle between two places. */
static double near(const double *a, const double *b)
{
    return sin(degree * a[0]) * sin(degree * b[0]) +
           cos(degree * a[0]) * cos(degree * b[0]) *
               cos(degree * (a[1] - b[1]));
}

static void lattice(double x[POINTS][2])
{
    const double golden = 0.5 * (sqrt(5.0) - 1.0);
    for (int i = 0; i < POINTS; i++) {
        x[i][0] = asin((2 * i + 1.0) / POINTS - 1.0) / degree;
        x[i][1] = 360.0 * fmod(golden * i, 1.0) - 180.0;
    }
}

int main(void)
{
    static const char *const columns[] = {"lat", "lon"};
    static const char *const name[PLACES] = {"Apia", "Suva", "Hilo"};
    const double place[PLACES][2] = {
        {-13.8, -171.8}, {-18.1, 178.4}, {19.7, -155.1}};
    const double share[PLACES] = {0.2, 0.5, 0.3};
    static double start[POINTS][2], x[POINTS][2];
    lattice(start);

    sf_empirical_options options = SF_EMPIRICAL_OPTIONS_INIT;
    options.kernel = "lat,lon=vmf:kappa=1";
    options.bandwidth = SF_BANDWIDTH_FIXED;
    options.time = 0.02; /* where the noise is .02 radians wide */
    options.weights = share;

    const double between[2] = {-16.0, -176.7};
    double mean[2];
    const sf_model_values values = {.denoised = {mean, 1, 2, 2}};
    sf_context *ctx = NULL;
    sf_model *model = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    sf_status status =
        sf_fit_empirical(ctx, &model, (sf_cmat){place[0], PLACES, 2, 2},
                         columns, &options, NULL);
    if (status == SF_OK)
        status = sf_decode(model, (sf_cmat){start[0], POINTS, 2, 2},
                           (sf_mat){x[0], POINTS, 2, 2}, NULL);
    if (status == SF_OK)
        status =
            sf_model_eval(model, (sf_cmat){between, 1, 2, 2}, 0.1, &values);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return 1;
    }

    int far = 0, wrong = 0, count[PLACES] = {0};
    for (int i = 0; i < POINTS; i++) {
        int nearest = 0;
        for (int k = 1; k < PLACES; k++)
            if (near(x[i], place[k]) > near(x[i], place[nearest]))
                nearest = k;
        count[nearest]++;
        /* five widths, in radians */
        far += !(near(x[i], place[nearest]) > cos(5.0 * options.time));
    }
    printf("place   share   of the points\n");
    for (int k = 0; k < PLACES; k++) {
        const double found = (double)count[k] / POINTS;
        printf("%s  %7.3f %15.3f\n", name[k], share[k], found);
        wrong += !(fabs(found - share[k]) < 0.01);
    }
    printf("%d of %d points end more than .1 radians from all\n", far, POINTS);
    printf("at latitude %.1f, longitude %.1f the mean is %.1f, %.1f\n",
           between[0], between[1], mean[0], mean[1]);
    wrong += !(fabs(mean[1]) > 170.0);
    sf_model_free(model);
    sf_context_free(ctx);
    return wrong + far == 0 ? 0 : 1;
}
