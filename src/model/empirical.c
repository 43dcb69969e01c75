/* SPDX-License-Identifier: Apache-2.0 */
/* empirical.c - the law of a data set under noise, as a model (mixture.h).
 *
 * Its weights are the data itself, in the coordinates of the kernels, with what
 * belongs to each row: a log weight, a least time.  At times below the least
 * ones it answers at those: p_0 is the data with that noise, a kernel density
 * estimate. */
#include "model/model.h"

#include "base/random.h"
#include "kernel/cell_law.h"

#include <math.h>

enum { MOST_ROWS = 1 << 28 };

bool sfi_has_holes(const sf_model *m)
{
    bool missing = false;
    return m->ops == &sfi_empirical_ops &&
           sfi_model_number(m, "holes", &missing) > 0.0;
}

bool sfi_has_atoms(const sf_model *m)
{
    bool missing = false;
    return m->ops == &sfi_empirical_ops &&
           sfi_model_number(m, "atoms", &missing) > 0.0;
}

bool sfi_is_product(const sf_model *m)
{
    return sfi_has_holes(m) || sfi_has_atoms(m);
}

bool sfi_is_atom(const sf_model *m, int64_t column, double x)
{
    return sfi_has_atoms(m) &&
           sfi_atoms_find(&sfi_model_about(m, column)->atoms, x) >= 0;
}

/* Rows with missing cells, or columns with atoms, have one bandwidth, and kernels that
 * product.h knows. */
static sf_status check_product(sf_model *m, const char *key, const char *what,
                               bool others)
{
    bool none = false;
    const double value = sfi_model_number(m, key, &none);
    const char *why = sfi_cells_why_not(&m->noise);
    if (none)
        return SF_OK;
    if (value != 1.0)
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"%s\" is %g, want 1 or none", key, value);
    if (why != NULL)
        return SFI_FAIL(m->ctx, SF_E_FORMAT, "model: %s, and the model %s",
                        what, why);
    return !others ? SF_OK
                   : SFI_FAIL(m->ctx, SF_E_FORMAT,
                              "model: %s, which have one bandwidth and no "
                              "background",
                              what);
}

static sf_status empirical_declare(sf_model *m)
{
    int64_t rows, weighted, adaptive;
    bool missing = false;
    SFI_TRY(sfi_whole_number(m, "rows", 1, MOST_ROWS, &rows));
    SFI_TRY(sfi_whole_number(m, "weighted", 0, 1, &weighted));
    SFI_TRY(sfi_whole_number(m, "adaptive", 0, 1, &adaptive));
    const double least = sfi_model_number(m, "t_min", &missing);
    if (missing || !(least > 0.0) || !(least <= 1.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"t_min\" is %g, want > 0 and at most 1",
                        least);
    if (!sfi_has_kernels(m))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: an empirical model has a kernel for each "
                        "column");
    bool no_floor = false;
    const double floor = sfi_model_number(m, "floor", &no_floor);
    if (!no_floor && !(floor >= 0.0 && floor < 1.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "model: \"floor\" is %g, want 0 to below 1", floor);
    const bool others = adaptive != 0 || (!no_floor && floor > 0.0);
    SFI_TRY(
        check_product(m, "holes", "there are rows with missing cells", others));
    SFI_TRY(check_product(m, "atoms", "there are columns with atoms", others));
    m->weight_dtype = SF_F64;
    SFI_TRY(sfi_add_weight(m, "data", 2, (int64_t[]){rows, m->dim}));
    if (weighted != 0)
        SFI_TRY(sfi_add_weight(m, "log_weights", 1, &rows));
    if (adaptive != 0)
        SFI_TRY(sfi_add_weight(m, "times", 1, &rows));
    return SF_OK;
}

sfi_empirical sfi_empirical_of(const sf_model *m)
{
    bool no_floor = false;
    const double floor = sfi_model_number(m, "floor", &no_floor);
    const bool weighted = sfi_number_of(m, "weighted") != 0.0;
    const bool adaptive = sfi_number_of(m, "adaptive") != 0.0;
    return (sfi_empirical){
        .data = {m->weights, m->layout[0].shape[0], m->dim, m->dim},
        .log_weights = weighted ? m->weights + m->layout[1].offset : NULL,
        .least = adaptive ? m->weights + m->layout[m->layout_count - 1].offset
                          : NULL,
        .least_all = sfi_number_of(m, "t_min"),
        .floor = no_floor ? 0.0 : floor};
}

sf_status sfi_check_floor(const sf_model *m, sf_status status)
{
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_kernel *kernel = &m->noise.blocks[k].kernel;
        if (kernel->ops->counts != NULL || sfi_kernel_remembers(kernel))
            return SFI_FAIL(
                m->ctx, status,
                "empirical: a background is the prior at t = 1, which "
                "kernel %s%s; leave it out",
                kernel->ops->family,
                kernel->ops->counts != NULL ? " has only at 0"
                                            : " has none of on the path ve");
    }
    return SF_OK;
}

/* Whether a number of the data's coordinates is an atom. */
static bool is_atom(const sf_model *m, int64_t j, double z)
{
    const sfi_atoms *a = &sfi_model_about(m, j)->atoms;
    for (int64_t k = 0; k < a->count && sfi_has_atoms(m); k++)
        if (z == (a->at[k] - m->mean[j]) / m->scale[j])
            return true;
    return false;
}

/* Numbers of a column lie where its atoms leave room for them. */
static sf_status check_gaps(const sf_model *m, const sfi_empirical *e,
                            int64_t j)
{
    const sfi_atoms *a = &sfi_model_about(m, j)->atoms;
    for (int64_t i = 0; i < e->data.rows; i++) {
        const double z = e->data.data[i * m->dim + j];
        int64_t gap = 0;
        while (gap < a->count && z > (a->at[gap] - m->mean[j]) / m->scale[j])
            gap++;
        if (!isnan(z) && !is_atom(m, j, z) && !a->between[gap])
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "empirical: datum %lld is %g in column \"%s\", "
                            "whose atoms have no number there",
                            (long long)i, z, m->names[j]);
    }
    return SF_OK;
}

/* What is wrong with datum i; `row` [2 dim]: a clean row, and room for one. */
static int64_t outside(const sf_model *m, const sfi_empirical *e, int64_t i,
                       double *row, const char **want)
{
    const double *z = e->data.data + i * m->dim;
    double *filled = row + m->dim;
    for (int64_t j = 0; j < m->dim; j++)
        filled[j] = (sfi_has_holes(m) && isnan(z[j])) || is_atom(m, j, z[j])
                        ? row[j]
                        : z[j];
    return sfi_noise_outside_clean(&m->noise, (sfi_units){0}, filled, want);
}

/* Every row and every column has a cell. */
static sf_status check_cells(const sf_model *m, const sfi_empirical *e)
{
    for (int64_t i = 0; i < e->data.rows; i++) {
        int64_t have = 0;
        for (int64_t j = 0; j < m->dim; j++)
            have += !isnan(e->data.data[i * m->dim + j]);
        if (have == 0)
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "empirical: datum %lld has no cell", (long long)i);
    }
    for (int64_t j = 0; j < m->dim; j++) {
        int64_t have = 0;
        for (int64_t i = 0; i < e->data.rows; i++)
            have += !isnan(e->data.data[i * m->dim + j]);
        if (have < 1)
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "empirical: column \"%s\" has no cell",
                            m->names[j]);
    }
    return SF_OK;
}

static sf_status check_rows(const sf_model *m, const sfi_empirical *e,
                            double *row)
{
    sfi_noise_middle(&m->noise, row);
    for (int64_t i = 0; i < e->data.rows; i++) {
        const char *want = NULL;
        const int64_t j = outside(m, e, i, row, &want);
        if (j >= 0)
            return SFI_FAIL(
                m->ctx, SF_E_FORMAT,
                "empirical: datum %lld is %g in column \"%s\", "
                "and kernel %s wants a value %s",
                (long long)i, e->data.data[i * m->dim + j], m->names[j],
                sfi_noise_block(&m->noise, j)->kernel.ops->family, want);
        if (e->least != NULL &&
            !(e->least[i] >= e->least_all && e->least[i] <= 1.0))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "empirical: the time of datum %lld is %g, want "
                            "%g to 1",
                            (long long)i, e->least[i], e->least_all);
    }
    return SF_OK;
}

static sf_status empirical_check(const sf_model *m)
{
    const sfi_empirical e = sfi_empirical_of(m);
    if (e.floor > 0.0)
        SFI_TRY(sfi_check_floor(m, SF_E_FORMAT));
    for (int64_t j = 0; j < m->dim; j++)
        if (sfi_noise_block(&m->noise, j)->kernel.ops->discrete &&
            (m->mean[j] != 0.0 || m->scale[j] != 1.0))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "empirical: column \"%s\" is discrete, and its "
                            "mean is %g, its scale %g; want 0 and 1",
                            m->names[j], m->mean[j], m->scale[j]);
    if (sfi_has_holes(m))
        SFI_TRY(check_cells(m, &e));
    for (int64_t j = 0; j < m->dim && sfi_has_atoms(m); j++)
        if (sfi_model_about(m, j)->atoms.count > 0)
            SFI_TRY(check_gaps(m, &e, j));
    double *row = sfi_alloc(m->ctx, 2 * (size_t)m->dim, sizeof *row);
    if (row == NULL)
        return SF_E_NOMEM;
    const sf_status status = check_rows(m, &e, row);
    sfi_free(m->ctx, row, 2 * (size_t)m->dim, sizeof *row);
    return status;
}

/* The datum whose share of [0, 1) holds u; `sum` [n] is the running sum of the
 * weights. */
static int64_t datum_at(const double *sum, int64_t n, double u)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (u < sum[middle] / sum[n - 1])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

sf_status sfi_empirical_choose(const sf_model *m, uint64_t seed, int64_t first,
                               int64_t n, int64_t *index)
{
    const sfi_empirical e = sfi_empirical_of(m);
    const int64_t rows = e.data.rows;
    double *sum = sfi_alloc(m->ctx, (size_t)rows, sizeof *sum);
    if (sum == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < rows; i++)
        sum[i] = (i > 0 ? sum[i - 1] : 0.0) +
                 (e.log_weights != NULL ? exp(e.log_weights[i]) : 1.0);
    for (int64_t i = 0; i < n; i++) {
        const sfi_where where = {seed, (uint64_t)(first + i), 0,
                                 SFI_STREAM_PRIOR};
        const double u = sfi_uniform_at(where, 0);
        index[i] = u < e.floor
                       ? SFI_FLOOR_DATUM
                       : datum_at(sum, rows, (u - e.floor) / (1.0 - e.floor));
    }
    sfi_free(m->ctx, sum, (size_t)rows, sizeof *sum);
    return SF_OK;
}

static sf_status empirical_mixture(const sf_model *m, sfi_mixture **out,
                                   sfi_velocity how, bool spread)
{
    const sfi_empirical e = sfi_empirical_of(m);
    const sfi_mixture_options options = {e.log_weights, e.least, e.least_all,
                                         e.floor,       how,     spread};
    return sfi_mixture_new(m->ctx, out, &m->noise, e.data, &options);
}

static sf_status empirical_parts(sf_context *ctx, const sf_model *m,
                                 sfi_parts *out)
{
    const sfi_empirical e = sfi_empirical_of(m);
    return sfi_empirical_parts(ctx, m, &e, out);
}

const sfi_model_ops sfi_empirical_ops = {.family = "empirical",
                                         .closed = true,
                                         .declare = empirical_declare,
                                         .mixture = empirical_mixture,
                                         .parts = empirical_parts,
                                         .check = empirical_check};
