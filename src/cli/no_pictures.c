/* SPDX-License-Identifier: Apache-2.0 */
/* no_pictures.c - stands for libscorefield_plot in a program that is built without it
 * (SCOREFIELD_PLOT=OFF): the commands and their options are there, and whatever draws
 * is refused before anything is computed. */
#include "cli/cli.h"

#include "scorefield/plot.h"

sf_status cli_need_pictures(sf_context *ctx)
{
    return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                    "this program was built without pictures; build it with "
                    "-DSCOREFIELD_PLOT=ON, which needs Cairo, libwebp and "
                    "GIFLIB");
}

/* What commands call that have asked cli_need_pictures() before. */
#define MISSING(name, ...)                                                     \
    sf_status name(sf_context *ctx, __VA_ARGS__)                               \
    {                                                                          \
        return cli_need_pictures(ctx);                                         \
    }
MISSING(sf_plot_range, sf_cmat data, sf_cmat more, int64_t column,
        double margin, double *lo, double *hi)
MISSING(sf_plot_histogram, const char *path, sf_cmat data,
        const sf_plot_histogram_options *opts)
MISSING(sf_plot_plane, const char *path, sf_cmat data,
        const sf_plot_plane_options *opts)
MISSING(sf_plot_map, const char *path, const double *values, int64_t ny,
        int64_t nx, const double *y_edges, const double *x_edges,
        const sf_plot_map_options *opts)
MISSING(sf_plot_maps, const char *path, int64_t count, sf_plot_map_fn frame,
        void *user, int64_t ny, int64_t nx, const double *y_edges,
        const double *x_edges, const sf_plot_map_options *opts)
MISSING(sf_plot_pairs, const char *path, sf_cmat real, sf_cmat synthetic,
        const sf_plot_pairs_options *opts)
MISSING(sf_plot_training, const char *path, sf_cmat train, sf_cmat held_out,
        const sf_plot_training_options *opts)
MISSING(sf_plot_curves, const char *path, const sf_plot_curve *curves,
        int64_t curve_count, const sf_plot_curves_options *opts)
MISSING(sf_plot_quantiles, const char *path, sf_cmat real, sf_cmat synthetic,
        const sf_plot_curves_options *opts)
MISSING(sf_plot_bars, const char *path, sf_cmat values,
        const char *const *groups, const char *const *series,
        const sf_plot_curves_options *opts)
MISSING(sf_plot_paths, const char *path, const sf_array *trace,
        const sf_plot_paths_options *opts)
MISSING(sf_plot_animation, const char *path, const sf_array *trace,
        const sf_plot_paths_options *opts)
MISSING(sf_plot_chains, const char *path, const sf_array *trace,
        const sf_plot_chains_options *opts)
