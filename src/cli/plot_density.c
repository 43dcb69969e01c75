/* SPDX-License-Identifier: Apache-2.0 */
/* plot_density.c - the numbers on a grid that a picture of a density needs. */
#include "cli/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what is shown -------------------------------------------------------- */

sf_status plot_choose_range(plot_job *j, int k)
{
    if (j->has_range[k])
        return SF_OK;
    const double period =
        j->model != NULL && !sf_model_can(j->model, SF_CAN_NOISE)
            ? sf_model_support(j->model, k).period
            : 0.0;
    if (period > 0.0) { /* all of it */
        j->lo[k] = -0.5 * period;
        j->hi[k] = 0.5 * period;
        return SF_OK;
    }
    if (j->columns != NULL && j->columns[k].turn.period > 0.0) {
        j->lo[k] = j->columns[k].turn.lower;
        j->hi[k] = j->lo[k] + j->columns[k].turn.period;
        return SF_OK;
    }
    const sf_cmat none = {NULL, 0, 0, 0};
    const sf_cmat data = j->data.x;
    if (data.rows == 0 && j->samples.x.rows == 0) {
        SFI_TRY(plot_find_reach(j));
        return sf_plot_range(j->c->ctx, j->reach, none, k, 0.05, &j->lo[k],
                             &j->hi[k]);
    }
    const sf_cmat samples = j->samples.x.rows > 0 ? j->samples.x : none;
    if (data.rows > 0)
        return sf_plot_range(j->c->ctx, data, samples, k, 0.05, &j->lo[k],
                             &j->hi[k]);
    return sf_plot_range(j->c->ctx, samples, none, k, 0.05, &j->lo[k],
                         &j->hi[k]);
}

static double node(const plot_job *j, int k, int64_t i, int64_t count)
{
    return j->lo[k] + (j->hi[k] - j->lo[k]) * (double)i / (double)(count - 1);
}

/* ---- densities ------------------------------------------------------------ */

/* Of a density whose constant is unknown, make one of what is shown: n^dim nodes
 * each stand for a cell about them, of which that at an edge shows half. */
static sf_status normalise(plot_job *j)
{
    const int64_t n = j->grid, rows = j->dim > 1 ? n : 1;
    double cell = 1.0, most = -INFINITY, sum = 0.0;
    for (int64_t k = 0; k < j->dim; k++)
        cell *= (j->hi[k] - j->lo[k]) / (double)(n - 1);
    for (int64_t i = 0; i < n * rows; i++)
        if (j->values[i] < INFINITY)
            most = fmax(most, j->values[i]);
    if (!(most > -INFINITY)) {
        char second[64] = "";
        if (j->dim > 1)
            snprintf(second, sizeof second, ",%g:%g", j->lo[1], j->hi[1]);
        return SFI_FAIL(j->c->ctx, SF_E_NUMERIC,
                        "the density is nowhere finite in the range %g:%g%s",
                        j->lo[0], j->hi[0], second);
    }
    for (int64_t k = 0; k < rows; k++)
        for (int64_t i = 0; i < n; i++) {
            const double share = (i % (n - 1) == 0 ? 0.5 : 1.0) *
                                 (rows > 1 && k % (n - 1) == 0 ? 0.5 : 1.0);
            if (j->values[k * n + i] < INFINITY)
                sum += share * exp(j->values[k * n + i] - most);
        }
    const double constant = most + log(sum * cell);
    for (int64_t i = 0; i < n * rows; i++)
        j->values[i] -= constant;
    return SF_OK;
}

static sf_status log_density(plot_job *j, sf_cmat x, bool *has_density)
{
    SFI_TRY(plot_logpdf(j, x, j->values));
    *has_density = true;
    return sf_model_can(j->model, SF_CAN_NORMALISED) ? SF_OK : normalise(j);
}

static sf_status allocate_values(plot_job *j, size_t count)
{
    j->values = sfi_alloc_zero(j->c->ctx, count, sizeof *j->values);
    return j->values != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status plot_density_line(plot_job *j, bool *has_density)
{
    const size_t n = (size_t)j->grid;
    *has_density = false;
    if (!plot_has_map(j))
        return SF_OK;
    SFI_TRY(allocate_values(j, n * n));
    double *x = sfi_alloc(j->c->ctx, n, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < j->grid; i++)
        x[i] = node(j, 0, i, j->grid);
    const sf_status status =
        log_density(j, (sf_cmat){x, j->grid, 1, 1}, has_density);
    sfi_free(j->c->ctx, x, n, sizeof *x);
    return status;
}

/* Points (x_i, y_k) of a grid, k * count + i the row. */
static void fill_plane(const plot_job *j, double *x, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < count; i++) {
            x[2 * (k * count + i)] = node(j, 0, i, count);
            x[2 * (k * count + i) + 1] = node(j, 1, k, count);
        }
}

sf_status plot_density_plane(plot_job *j, bool *has_density)
{
    const size_t n = (size_t)(j->grid * j->grid);
    *has_density = false;
    if (!plot_has_map(j))
        return SF_OK;
    SFI_TRY(allocate_values(j, n));
    double *x = sfi_alloc(j->c->ctx, 2 * n, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    fill_plane(j, x, j->grid);
    const sf_status status =
        log_density(j, (sf_cmat){x, (int64_t)n, 2, 2}, has_density);
    sfi_free(j->c->ctx, x, 2 * n, sizeof *x);
    return status;
}

sf_status plot_score_plane(plot_job *j)
{
    const int64_t n = (int64_t)PLOT_ARROWS * PLOT_ARROWS;
    j->arrows = sfi_alloc(j->c->ctx, (size_t)n * 4, sizeof *j->arrows);
    double *x = sfi_alloc(j->c->ctx, (size_t)n * 2, sizeof *x);
    sf_status status = SF_E_NOMEM;
    if (j->arrows != NULL && x != NULL) {
        fill_plane(j, x, PLOT_ARROWS);
        for (int64_t i = 0; i < n; i++)
            memcpy(j->arrows + 4 * i, x + 2 * i, 2 * sizeof *x);
        status = plot_score(j, (sf_cmat){x, n, 2, 2},
                            (sf_mat){j->arrows + 2, n, 2, 4});
    }
    sfi_free(j->c->ctx, x, (size_t)n * 2, sizeof *x);
    return status;
}

sf_plot_grid plot_plane_grid(const plot_job *j)
{
    const sf_plot_grid grid = {j->values, j->grid,  j->grid, j->lo[0],
                               j->hi[0],  j->lo[1], j->hi[1]};
    return grid;
}

sf_cmat plot_plane_arrows(const plot_job *j)
{
    const int64_t n =
        j->arrows != NULL ? (int64_t)PLOT_ARROWS * PLOT_ARROWS : 0;
    return (sf_cmat){j->arrows, n, 4, 4};
}

/* ---- without a model ------------------------------------------------------ */

/* Standard deviation of a column within what is shown, in grid steps. */
static double spread(const plot_job *j, int k)
{
    const sf_cmat x = j->data.x;
    const double step = (j->hi[k] - j->lo[k]) / (double)(j->grid - 1);
    double mean = 0.0, squares = 0.0, n = 0.0;
    for (int64_t i = 0; i < x.rows; i++) {
        const double v = x.data[i * x.stride + k];
        if (!(v >= j->lo[k] && v <= j->hi[k]))
            continue; /* so is what is missing */
        n += 1.0;
        const double off = v - mean;
        mean += off / n;
        squares += off * (v - mean);
    }
    return n > 1.0 ? sqrt(squares / n) / step : 1.0;
}

/* Convolve the lines of cells, `step` apart, with a normal density. */
static void smooth(const double *from, double *to, int64_t n, int64_t step,
                   double width)
{
    const int64_t reach = (int64_t)ceil(3.0 * width);
    for (int64_t line = 0; line < n; line++)
        for (int64_t i = 0; i < n; i++) {
            const double *at = from + line * (step == 1 ? n : 1);
            double sum = 0.0;
            for (int64_t k = -reach; k <= reach; k++)
                if (i + k >= 0 && i + k < n)
                    sum += at[(i + k) * step] *
                           exp(-0.5 * (double)(k * k) / (width * width));
            to[line * (step == 1 ? n : 1) + i * step] = sum;
        }
}

/* A normal kernel of Scott's width, sd n^(-1/6) (D. W. Scott, Multivariate
 * Density Estimation, 1992, equation 6.43), on counts in cells about the nodes.
 * Half of that: we show shapes, and two modes make the sd, not the detail. */
sf_status plot_smooth_data(plot_job *j)
{
    const sf_cmat x = j->data.x;
    const int64_t n = j->grid;
    const size_t count = (size_t)(n * n);
    SFI_TRY(allocate_values(j, count));
    double *other = sfi_alloc(j->c->ctx, count, sizeof *other);
    if (other == NULL)
        return SF_E_NOMEM;
    for (int64_t r = 0; r < x.rows; r++) {
        const double u = (x.data[r * x.stride] - j->lo[0]) /
                         (j->hi[0] - j->lo[0]) * (double)(n - 1);
        const double v = (x.data[r * x.stride + 1] - j->lo[1]) /
                         (j->hi[1] - j->lo[1]) * (double)(n - 1);
        if (u >= 0.0 && v >= 0.0 && u <= (double)(n - 1) &&
            v <= (double)(n - 1))
            j->values[(int64_t)(v + 0.5) * n + (int64_t)(u + 0.5)] += 1.0;
    }
    const double narrow = 0.5 * pow((double)x.rows, -1.0 / 6.0);
    smooth(j->values, other, n, 1, fmax(0.7, narrow * spread(j, 0)));
    smooth(other, j->values, n, n, fmax(0.7, narrow * spread(j, 1)));
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += j->values[i];
    const double cell = (j->hi[0] - j->lo[0]) * (j->hi[1] - j->lo[1]) /
                        (double)((n - 1) * (n - 1));
    for (size_t i = 0; i < count; i++)
        j->values[i] = log(j->values[i] / (sum * cell));
    sfi_free(j->c->ctx, other, count, sizeof *other);
    return SF_OK;
}
