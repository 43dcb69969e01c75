/* SPDX-License-Identifier: Apache-2.0 */
/* plot_trace.c - pictures of paths: where walkers or chains went. */
#include "cli/plot.h"

#include "io/npy.h"

#include <math.h>

/* ---- paths ---------------------------------------------------------------- */

bool plot_is_film(const char *path)
{
    return cli_has_extension(path, ".gif") || cli_has_extension(path, ".webp");
}

/* Walkers of a model without noise follow its score at every step. */
static bool moves_by_score(const plot_job *j)
{
    return j->model != NULL && !sf_model_can(j->model, SF_CAN_NOISE) &&
           plot_has_map(j);
}

/* Where the walkers of a model end is what they are to show; the noise that they
 * begin in may be 80 times as wide.  Chains show the density all along. */
static sf_status range_of_trace(plot_job *j)
{
    const int64_t dim = j->trace.shape[2];
    const int64_t all = j->trace.shape[0] * j->trace.shape[1];
    const int64_t rows = moves_by_score(j) ? all : j->trace.shape[1];
    const double margin = moves_by_score(j) ? 0.05 : 0.3;
    const float *from = (const float *)j->trace.data + (all - rows) * dim;
    double *copy = sfi_alloc(j->c->ctx, (size_t)(rows * dim), sizeof *copy);
    if (copy == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < rows * dim; i++)
        copy[i] = (double)from[i];
    const sf_cmat x = {copy, rows, dim, dim}, none = {NULL, 0, 0, 0};
    sf_status status = SF_OK;
    for (int k = 0; k < 2 && k < dim && status == SF_OK; k++)
        if (!j->has_range[k])
            status = sf_plot_range(j->c->ctx, x, none, k, margin, &j->lo[k],
                                   &j->hi[k]);
    sfi_free(j->c->ctx, copy, (size_t)(rows * dim), sizeof *copy);
    return status;
}

sf_status plot_read_trace(plot_job *j)
{
    cli *c = j->c;
    SFI_TRY(sfi_npy_read_array(c->ctx, &j->trace, SF_F32, j->o->trace));
    const int64_t *shape = j->trace.shape;
    if (j->trace.rank != 3 || shape[0] < 2 || shape[1] < 1 || shape[2] < 1)
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: want an array [step, walker, column] of at least "
                        "2 steps",
                        j->o->trace);
    return SF_OK;
}

sf_status plot_draw_trace(plot_job *j)
{
    cli *c = j->c;
    const sf_model *m = j->model;
    const int64_t dim = m != NULL ? sf_model_dim(m) : 0;
    sf_plot_paths_options p = SF_PLOT_PATHS_OPTIONS_INIT;
    bool has_density = false;
    SFI_TRY(plot_read_trace(j));
    const int64_t *shape = j->trace.shape;
    if (m != NULL && dim != shape[2])
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: has %lld columns, and the model has %lld",
                        j->o->trace, (long long)shape[2], (long long)dim);
    j->dim = dim;
    if (dim == 1)
        p.y_label = sf_model_column(m, 0); /* against the step */
    if (dim == 2) {
        p.x_label = sf_model_column(m, 0);
        p.y_label = sf_model_column(m, 1);
        SFI_TRY(range_of_trace(j));
        SFI_TRY(plot_density_plane(j, &has_density));
        p.grid = plot_plane_grid(j);
        if (!has_density)
            p.grid.values = NULL;
    }
    if (dim == 2 && moves_by_score(j)) {
        SFI_TRY(plot_score_plane(j));
        p.arrows = plot_plane_arrows(j);
    }
    p.width = j->o->width;
    p.height = j->o->height;
    p.scale = j->o->scale;
    p.title = j->o->title;
    return plot_is_film(j->o->output)
               ? sf_plot_animation(c->ctx, j->o->output, &j->trace, &p)
               : sf_plot_paths(c->ctx, j->o->output, &j->trace, &p);
}
