/* SPDX-License-Identifier: Apache-2.0 */
/* vorticity.c - relative vorticity of a wind, from files and from arrays.
 *
 *     vorticity [IN.nc U V OUT.nc]
 *
 * On a sphere of radius a the vorticity of a wind (u, v) is
 *
 *     zeta = (dv/dlon - d(u cos lat)/dlat) / (a cos lat).
 *
 * Known value.  For the Rossby-Haurwitz wave of rossby_haurwitz.c at t = 0,
 *
 *     zeta = 2 w sin(lat) - K cos(lat)^R sin(lat) (R^2 + 3 R + 2) cos(R lon),
 *
 * so that halving the steps divides the largest error by 16 where formulas are of
 * order 4.  The program fails if it does not.
 *
 * D. L. Williamson et al., J. Comp. Phys. 102 (1992) 211-224, eq. 142. */
#include <scorefield/calc.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double pi = 3.141592653589793;
static const double radius = 6371220.0, w = 7.848e-6;

/* ---- from a file to a file ------------------------------------------------- */

static sf_status convert(sf_context *ctx, const char *in, const char *u_name,
                         const char *v_name, const char *out)
{
    sf_field wind[2] = {0}, zeta = {0};
    char text[300];
    int count = 0;
    snprintf(text, sizeof text, "vorticity = curl(%s, %s)", u_name, v_name);
    sf_status status = sf_field_read(ctx, &wind[0], in, u_name, NULL);
    if (status == SF_OK)
        status = sf_field_read(ctx, &wind[1], in, v_name, NULL);
    if (status == SF_OK)
        status = sf_calc(ctx, 1, &zeta, &count, text, 2, wind, NULL);
    if (status == SF_OK) {
        sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
        o.like =
            in; /* dates, attributes, and the shape of the Earth are kept */
        status = sf_field_write(ctx, out, 1, &zeta, &o);
    }
    if (status == SF_OK)
        printf("%s: vorticity in %s\n", out, zeta.unit);
    sf_field_free(ctx, &zeta);
    sf_field_free(ctx, &wind[1]);
    sf_field_free(ctx, &wind[0]);
    return status;
}

/* ---- the same on arrays of our own ----------------------------------------- */

/* The wave's wind, and its vorticity, at latitude and longitude in radians. */
static void wave(double lat, double lon, double *u, double *v, double *zeta)
{
    const double c = cos(lat), s = sin(lat), c3 = c * c * c;
    *u = radius * w * (c + c3 * (4.0 * s * s - c * c) * cos(4.0 * lon));
    *v = -radius * w * 4.0 * c3 * s * sin(4.0 * lon);
    *zeta = 2.0 * w * s - w * c3 * c * s * 30.0 * cos(4.0 * lon);
}

/* The largest error on lats x 2 lats points between 60 degrees south and north. */
static sf_status error_of(sf_context *ctx, int lats, double *worst)
{
    const int lons = 2 * lats;
    const int64_t n = (int64_t)lats * lons;
    double *u = calloc((size_t)n * 4, sizeof *u);
    if (u == NULL)
        return SF_E_NOMEM;
    double *v = u + n, *exact = v + n, *found = exact + n;
    for (int j = 0; j < lats; j++)
        for (int i = 0; i < lons; i++) {
            const double lat = (-60.0 + 120.0 * j / (lats - 1)) * pi / 180.0;
            const int64_t at = (int64_t)j * lons + i;
            wave(lat, 2.0 * pi * i / lons, &u[at], &v[at], &exact[at]);
        }
    char axes[200];
    snprintf(axes, sizeof axes,
             "lat = -60:60:%d nodes; lon = 0:360:%d periodic; radius = %.0f",
             lats, lons, radius);
    sf_grid *grid = NULL;
    sf_field wind[2] = {0}, zeta = {0};
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.order = 4;
    int count = 0;
    sf_status status = sf_grid_parse(ctx, &grid, axes);
    for (int k = 0; k < 2 && status == SF_OK; k++) {
        status = sf_field_wrap(ctx, &wind[k], grid, SF_F64, 0, k ? v : u, NULL);
        if (status == SF_OK)
            status = sf_field_set_name(ctx, &wind[k], k ? "v" : "u");
        if (status == SF_OK)
            status = sf_field_set_unit(ctx, &wind[k], "m s-1");
    }
    if (status == SF_OK)
        status =
            sf_calc(ctx, 1, &zeta, &count, "zeta = curl(u, v)", 2, wind, &o);
    if (status == SF_OK) {
        sf_field_get(&zeta, 0, found);
        *worst = 0.0;
        for (int64_t at = 0; at < n; at++)
            *worst = fmax(*worst, fabs(found[at] - exact[at]));
    }
    sf_field_free(ctx, &zeta);
    sf_field_free(ctx, &wind[1]);
    sf_field_free(ctx, &wind[0]);
    sf_grid_free(grid);
    free(u);
    return status;
}

static sf_status check(sf_context *ctx, int *is_known)
{
    double coarse = 0.0, fine = 0.0;
    sf_status status = error_of(ctx, 61, &coarse);
    if (status == SF_OK)
        status = error_of(ctx, 121, &fine);
    if (status != SF_OK)
        return status;
    const double order = log2(coarse / fine);
    printf("largest error %.1e / s, with half the steps %.1e / s: order %.1f\n",
           coarse, fine, order);
    *is_known = order > 3.7 && order < 4.5 && fine < 1e-3 * w;
    return SF_OK;
}

int main(int argc, char **argv)
{
    if (argc != 1 && argc != 5) {
        fprintf(stderr, "usage: vorticity [IN.nc U V OUT.nc]\n");
        return 2;
    }
    sf_context *ctx = NULL;
    int is_known = argc == 5;
    sf_status status = sf_context_new(&ctx, NULL);
    if (status == SF_OK)
        status = argc == 5 ? convert(ctx, argv[1], argv[2], argv[3], argv[4])
                           : check(ctx, &is_known);
    if (status != SF_OK)
        fprintf(stderr, "vorticity: %s\n",
                ctx != NULL ? sf_context_message(ctx) : sf_status_text(status));
    sf_context_free(ctx);
    return status == SF_OK && is_known ? 0 : 1;
}
