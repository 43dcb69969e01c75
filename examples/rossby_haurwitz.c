/* SPDX-License-Identifier: Apache-2.0 */
/* rossby_haurwitz.c - a wave on the rotating sphere, as panels and as a film.
 *
 *     rossby_haurwitz [FOLDER]
 *
 * The barotropic vorticity equation has waves that move east without changing their
 * shape.  With wave number R and frequencies w, K their stream function is
 *
 *     psi = a^2 (-w sin(lat) + K cos(lat)^R sin(lat) cos(R (lon - n t)))
 *     n   = (R (3 + R) w - 2 Omega) / ((1 + R) (2 + R))
 *
 * and the wind u = -psi_lat / a, v = psi_lon / (a cos(lat)),
 *
 *     u = a w cos(lat)
 *       + a K cos(lat)^(R-1) (R sin(lat)^2 - cos(lat)^2) cos(R (lon - n t))
 *     v = -a K R cos(lat)^(R-1) sin(lat) sin(R (lon - n t)).
 *
 * Known values.  With R = 4 and w = K = 7.848e-6 / s the wave goes once past itself,
 * pi/2 of longitude, in 7.380 days; the fastest wind on this grid is 99.8 m/s.  The
 * program fails if it finds others.
 *
 * B. Haurwitz, J. Marine Research 3 (1940) 254-267; test 6 of D. L. Williamson et al.,
 * J. Comp. Phys. 102 (1992) 211-224.
 *
 * Without FOLDER the pictures are drawn to temporary files, which are removed. */
#define _POSIX_C_SOURCE 200809L
#include <scorefield/plot.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LATS = 60, LONS = 120, PANELS = 4, FRAMES = 24, R = 4 };

static const double pi = 3.141592653589793;
static const double radius = 6371220.0, omega = 7.292e-5, w = 7.848e-6;

/* The wave at one time: what a panel shows. */
typedef struct wave {
    double step; /* seconds from one panel to the next                       */
    double psi[LATS * LONS], u[LATS * LONS], v[LATS * LONS];
    double fastest;
    char title[32];
} wave;

static double drift(void)
{
    return (R * (3 + R) * w - 2.0 * omega) / ((1 + R) * (2 + R));
}

static sf_status at_time(void *user, int64_t k, sf_plot_map_frame *out)
{
    wave *s = user;
    const double t = (double)k * s->step;
    for (int j = 0; j < LATS; j++)
        for (int i = 0; i < LONS; i++) {
            const double lat = (-90.0 + 180.0 * (j + 0.5) / LATS) * pi / 180.0;
            const double lon = 2.0 * pi * (i + 0.5) / LONS;
            const double phase = R * (lon - drift() * t);
            const double c = cos(lat), d = sin(lat), c3 = c * c * c;
            const int at = j * LONS + i;
            s->psi[at] = radius * radius * w * d * (-1.0 + c3 * c * cos(phase));
            s->u[at] = radius * w * (c + c3 * (R * d * d - c * c) * cos(phase));
            s->v[at] = -radius * w * R * c3 * d * sin(phase);
            s->fastest = fmax(s->fastest, hypot(s->u[at], s->v[at]));
        }
    snprintf(s->title, sizeof s->title, "day %.1f", t / 86400.0);
    out->title = s->title;
    out->contoured = s->psi;
    out->u = s->u;
    out->v = s->v; /* the values are their lengths */
    return SF_OK;
}

static sf_status draw(sf_context *ctx, wave *s, const char *folder, int is_film)
{
    double lats[LATS + 1], lons[LONS + 1];
    char path[600];
    for (int j = 0; j <= LATS; j++)
        lats[j] = -90.0 + 180.0 * j / LATS;
    for (int i = 0; i <= LONS; i++)
        lons[i] = 360.0 * i / LONS;
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    o.title = "Rossby-Haurwitz wave";
    o.bar_label = "wind speed (m/s)";
    o.vector_unit = "m/s";
    o.is_geographic = true;
    o.contour_count = -1;
    o.streamlines = is_film;
    o.frame_time = 0.1;
    const int count = is_film ? FRAMES : PANELS;
    s->step = pi / 2.0 / drift() / count;
    snprintf(path, sizeof path, "%s/%s", folder,
             is_film ? "wave.webp" : "wave.png");
    return sf_plot_maps(ctx, path, count, at_time, s, LATS, LONS, lats, lons,
                        &o);
}

int main(int argc, char **argv)
{
    char folder[512] = "/tmp/rossby-haurwitz-XXXXXX";
    if (argc > 1)
        snprintf(folder, sizeof folder, "%s", argv[1]);
    else if (mkdtemp(folder) == NULL)
        return 3;
    sf_context *ctx = NULL;
    wave *s = calloc(1, sizeof *s);
    sf_status status = s != NULL ? sf_context_new(&ctx, NULL) : SF_E_NOMEM;
    for (int is_film = 0; is_film < 2 && status == SF_OK; is_film++)
        status = draw(ctx, s, folder, is_film);
    if (status != SF_OK)
        fprintf(stderr, "rossby_haurwitz: %s\n",
                ctx != NULL ? sf_context_message(ctx) : sf_status_text(status));
    const double days = pi / 2.0 / drift() / 86400.0;
    if (status == SF_OK)
        printf("once past itself in %.2f days, at most %.1f m/s\n", days,
               s->fastest);
    const int is_known = status == SF_OK && fabs(days - 7.380) < 0.001 &&
                         fabs(s->fastest - 99.8) < 0.1;
    if (argc <= 1) {
        char path[600];
        snprintf(path, sizeof path, "%s/wave.png", folder);
        unlink(path);
        snprintf(path, sizeof path, "%s/wave.webp", folder);
        unlink(path);
        rmdir(folder);
    }
    free(s);
    sf_context_free(ctx);
    return is_known ? 0 : 1;
}
