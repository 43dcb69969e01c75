/* SPDX-License-Identifier: Apache-2.0 */
/* product.c - weights of rows with missing cells, and densities of parts of points.
 *
 * A query goes by columns: the factors of a column's cells are found once, and what the
 * rows without a cell have, the column's own law, is the mean of these. */
#include "model/product.h"

#include "base/parallel.h"
#include "model/model.h"

#include <string.h>

enum { LANES = 16 };

/* ---- making -------------------------------------------------------------------- */

const char *sfi_product_why_not(const sf_model *m)
{
    if (m->ops != &sfi_empirical_ops)
        return "is no data set under kernels";
    return sfi_cells_why_not(&m->noise);
}

bool sfi_product_is_needed(const sf_model *m)
{
    return m->ops == &sfi_empirical_ops &&
           (sfi_is_product(m) || !sfi_noise_is_normal(&m->noise));
}

static void free_atoms(sf_context *ctx, sfi_product_atoms *a)
{
    const size_t n = (size_t)a->law.count;
    sfi_free(ctx, a->between, n + 1, sizeof *a->between);
    sfi_free(ctx, a->at, 2 * n + 1, sizeof *a->at);
    sfi_free(ctx, a->value, n, sizeof *a->value);
}

void sfi_product_free(sfi_product_law *p)
{
    if (p == NULL)
        return;
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->rows, d = (size_t)p->dim;
    for (size_t j = 0; j < d && p->atoms != NULL; j++)
        free_atoms(ctx, &p->atoms[j]);
    sfi_free(ctx, p->atoms, d, sizeof *p->atoms);
    sfi_free(ctx, p->cells, n * d, sizeof *p->cells);
    sfi_free(ctx, p->scale, d, sizeof *p->scale);
    sfi_free(ctx, p->mean, d, sizeof *p->mean);
    sfi_free(ctx, p->times, n, sizeof *p->times);
    sfi_free(ctx, p->weight, n, sizeof *p->weight);
    sfi_free(ctx, p->data, n * d, sizeof *p->data);
    sfi_noise_free(ctx, &p->noise);
    sfi_free(ctx, p, 1, sizeof *p);
}

static void take_cells(sfi_product_law *p)
{
    for (int64_t j = 0; j < p->dim; j++) {
        const sfi_block *b = sfi_noise_block(&p->noise, j);
        const sfi_cell_atoms *atoms = &p->atoms[j].law;
        for (int64_t i = 0; i < p->rows; i++) {
            const double z = p->data[j * p->rows + i];
            if (sfi_product_has(p, i, j))
                p->cells[j * p->rows + i] =
                    atoms->count > 0
                        ? sfi_cell_with_atoms(b, atoms, z, p->times[i])
                        : sfi_cell_at(b, z, p->times[i]);
        }
    }
}

void sfi_product_rest(sfi_product_law *p, double time)
{
    for (int64_t i = 0; i < p->rows; i++)
        p->times[i] = time;
    take_cells(p);
}

/* Rows, and the background as one more, which is anywhere at t = 1. */
static void take_rows(sfi_product_law *p, const sf_model *m,
                      const sfi_empirical *e, double *middle)
{
    const int64_t n = e->data.rows;
    double most = -INFINITY, total = 0.0;
    for (int64_t i = 0; i < n && e->log_weights != NULL; i++)
        most = fmax(most, e->log_weights[i]);
    for (int64_t i = 0; i < n; i++) {
        p->weight[i] =
            e->log_weights != NULL ? exp(e->log_weights[i] - most) : 1.0;
        total += p->weight[i];
        p->times[i] = e->least != NULL ? e->least[i] : e->least_all;
        for (int64_t j = 0; j < p->dim; j++)
            p->data[j * p->rows + i] = e->data.data[i * e->data.stride + j];
    }
    for (int64_t i = 0; i < n; i++)
        p->weight[i] *= (1.0 - e->floor) / total;
    if (p->rows > n) {
        sfi_noise_middle(&m->noise, middle);
        p->weight[n] = e->floor;
        p->times[n] = 1.0;
        for (int64_t j = 0; j < p->dim; j++)
            p->data[j * p->rows + n] = middle[j];
    }
}

/* How often each atom of column j is in the data, and what is none. */
static void take_shares(const sfi_product_law *p, int64_t j, double *share)
{
    const sfi_cell_atoms *a = &p->atoms[j].law;
    double total = 0.0;
    for (int64_t k = 0; k <= a->count; k++)
        share[k] = 0.0;
    for (int64_t i = 0; i < p->rows; i++) {
        int64_t k = 0;
        if (!sfi_product_has(p, i, j))
            continue;
        while (k < a->count && a->at[k] != p->data[j * p->rows + i])
            k++;
        share[k] += p->weight[i];
        total += p->weight[i];
    }
    for (int64_t k = 0; k <= a->count && total > 0.0; k++)
        share[k] /= total;
}

static sf_status take_atoms(sfi_product_law *p, const sf_model *m, int64_t j)
{
    const sfi_atoms *from = &sfi_model_about(m, j)->atoms;
    sfi_product_atoms *to = &p->atoms[j];
    const size_t n = (size_t)from->count;
    if (n == 0)
        return SF_OK;
    to->law.count = from->count;
    to->value = sfi_alloc(p->ctx, n, sizeof *to->value);
    to->at = sfi_alloc(p->ctx, 2 * n + 1, sizeof *to->at);
    to->between = sfi_alloc(p->ctx, n + 1, sizeof *to->between);
    if (to->value == NULL || to->at == NULL || to->between == NULL)
        return SF_E_NOMEM;
    memcpy(to->value, from->at, n * sizeof *to->value);
    memcpy(to->between, from->between, (n + 1) * sizeof *to->between);
    for (size_t k = 0; k < n; k++)
        to->at[k] = (from->at[k] - m->mean[j]) / m->scale[j];
    to->law = (sfi_cell_atoms){from->count, to->at, to->between, to->at + n};
    take_shares(p, j, to->at + n);
    return SF_OK;
}

static sf_status fill(sfi_product_law *p, const sf_model *m)
{
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->rows, d = (size_t)p->dim;
    const sfi_empirical e = sfi_empirical_of(m);
    SFI_TRY(sfi_noise_copy(ctx, &p->noise, &m->noise));
    p->data = sfi_alloc(ctx, n * d, sizeof *p->data);
    p->weight = sfi_alloc(ctx, n, sizeof *p->weight);
    p->times = sfi_alloc(ctx, n, sizeof *p->times);
    p->mean = sfi_alloc(ctx, d, sizeof *p->mean);
    p->scale = sfi_alloc(ctx, d, sizeof *p->scale);
    p->atoms = sfi_alloc_zero(ctx, d, sizeof *p->atoms);
    if (p->atoms == NULL || p->data == NULL || p->weight == NULL ||
        p->times == NULL || p->mean == NULL || p->scale == NULL)
        return SF_E_NOMEM;
    take_rows(p, m, &e, p->mean);
    memcpy(p->mean, m->mean, d * sizeof *p->mean);
    memcpy(p->scale, m->scale, d * sizeof *p->scale);
    for (size_t j = 0; j < d && sfi_has_atoms(m); j++)
        SFI_TRY(take_atoms(p, m, (int64_t)j));
    return SF_OK;
}

sf_status sfi_product_bare(const sf_model *m, sfi_product_law **out)
{
    const sfi_empirical e = sfi_empirical_of(m);
    *out = NULL;
    sfi_product_law *p = sfi_alloc_zero(m->ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = m->ctx;
    p->rows = e.data.rows + (e.floor > 0.0 ? 1 : 0);
    p->dim = m->dim;
    const sf_status status = fill(p, m);
    if (status != SF_OK) {
        sfi_product_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

double sfi_product_value(const sfi_product_law *p, int64_t j, double z)
{
    const sfi_product_atoms *a = &p->atoms[j];
    for (int64_t k = 0; k < a->law.count; k++)
        if (z == a->at[k])
            return a->value[k];
    return p->mean[j] + p->scale[j] * z;
}

double sfi_product_log_unit(const sfi_product_law *p, int64_t j, double z)
{
    const sfi_product_atoms *a = &p->atoms[j];
    for (int64_t k = 0; k < a->law.count; k++)
        if (z == a->at[k])
            return 0.0;
    return log(p->scale[j]);
}

sf_status sfi_product_new(const sf_model *m, sfi_product_law **out)
{
    SFI_TRY(sfi_product_bare(m, out));
    sfi_product_law *p = *out;
    const size_t cells = (size_t)(p->rows * p->dim);
    p->cells = sfi_alloc_zero(p->ctx, cells, sizeof *p->cells);
    if (p->cells == NULL) {
        sfi_product_free(p);
        *out = NULL;
        return SF_E_NOMEM;
    }
    take_cells(p);
    return SF_OK;
}

/* ---- factors ------------------------------------------------------------------- */

void sfi_product_bounds(int64_t dim, const double *z, double *lower,
                        double *upper)
{
    for (int64_t j = 0; j < dim; j++) {
        lower[j] = isnan(z[j]) ? -INFINITY : z[j];
        upper[j] = isnan(z[j]) ? INFINITY : z[j];
    }
}

static const unsigned char *levels_of(const sfi_product_query *q, int64_t j)
{
    return q->levels != NULL ? q->levels[j] : NULL;
}

bool sfi_product_is_value(const sfi_product_law *p, int64_t j,
                          const sfi_product_query *q)
{
    return q->lower[j] == q->upper[j] &&
           !sfi_noise_block(&p->noise, j)->kernel.ops->discrete;
}

static bool is_bounded(const sfi_product_query *q, int64_t j)
{
    return q->lower[j] > -INFINITY || q->upper[j] < INFINITY ||
           levels_of(q, j) != NULL;
}

double sfi_product_factor(const sfi_product_law *p, int64_t row, int64_t j,
                          const sfi_product_query *q)
{
    const sfi_cell *c = sfi_product_cell(p, row, j);
    const unsigned char *levels = levels_of(q, j);
    if (sfi_product_is_value(p, j, q))
        return sfi_cell_log_density(c, q->lower[j]);
    if (levels == NULL)
        return sfi_cell_log_mass(c, q->lower[j], q->upper[j]);
    double sum = 0.0;
    for (int64_t k = 0; k < c->levels; k++)
        if (levels[k] != 0)
            sum += exp(sfi_cell_log_mass(c, (double)k, (double)k));
    return log(sum);
}

/* ln of the column's own law where it is known to be. */
static double own_law(const sfi_product_law *p, int64_t j, int64_t without,
                      const double *factor)
{
    double most = -INFINITY, sum = 0.0, total = 0.0;
    for (int64_t i = 0; i < p->rows; i++)
        if (i != without && sfi_product_has(p, i, j) && p->weight[i] > 0.0)
            most = fmax(most, factor[i]);
    for (int64_t i = 0; i < p->rows && most > -INFINITY; i++) {
        if (i == without || !sfi_product_has(p, i, j))
            continue;
        sum += p->weight[i] * exp(factor[i] - most);
        total += p->weight[i];
    }
    return most > -INFINITY ? most + log(sum / total) : -INFINITY;
}

static void add_column(const sfi_product_law *p, int64_t j,
                       const sfi_product_query *q, int64_t without, double *r,
                       double *factor)
{
    bool lacks = false;
    for (int64_t i = 0; i < p->rows; i++) {
        const bool has = sfi_product_has(p, i, j);
        factor[i] = has ? sfi_product_factor(p, i, j, q) : 0.0;
        lacks = lacks || !has;
    }
    const double own = lacks ? own_law(p, j, without, factor) : 0.0;
    for (int64_t i = 0; i < p->rows; i++)
        r[i] += sfi_product_has(p, i, j) ? factor[i] : own;
}

static double log_sum(const double *r, int64_t n)
{
    double most = -INFINITY, sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, r[i]);
    for (int64_t i = 0; i < n && most > -INFINITY; i++)
        sum += exp(r[i] - most);
    return most > -INFINITY ? most + log(sum) : -INFINITY;
}

void sfi_product_weigh(const sfi_product_law *p, const sfi_product_query *q,
                       int64_t without, double *r, double *work,
                       double *log_density, double *log_probability)
{
    const int64_t n = p->rows;
    double sums[3];
    for (int64_t i = 0; i < n; i++)
        r[i] = i == without ? -INFINITY : log(p->weight[i]);
    for (int pass = 0; pass < 3; pass++) { /* all, the values, the bounds */
        for (int64_t j = 0; j < p->dim && pass > 0; j++)
            if (is_bounded(q, j) &&
                sfi_product_is_value(p, j, q) == (pass == 1))
                add_column(p, j, q, without, r, work);
        sums[pass] = log_sum(r, n);
    }
    *log_density = sums[1] > -INFINITY ? sums[1] - sums[0] : -INFINITY;
    *log_probability = sums[2] > -INFINITY ? sums[2] - sums[1] : -INFINITY;
    for (int64_t i = 0; i < n; i++)
        r[i] = sums[2] > -INFINITY ? exp(r[i] - sums[2]) : 0.0;
}

/* ---- densities of points --------------------------------------------------------- */

typedef struct law_points {
    const sfi_product_law *p;
    sf_cmat z;
    double *work; /* [lanes, 2 (rows + dim)] */
    double *out;
    int64_t stride;
} law_points;

static void take_lane(void *user, int64_t part, int64_t first, int64_t count)
{
    const law_points *job = user;
    const sfi_product_law *p = job->p;
    (void)part;
    for (int64_t lane = first; lane < first + count; lane++) {
        double *r = job->work + lane * 2 * (p->rows + p->dim);
        double *lower = r + 2 * p->rows, *upper = lower + p->dim;
        for (int64_t i = lane; i < job->z.rows; i += LANES) {
            double values, bounds;
            const sfi_product_query q = {lower, upper, NULL};
            sfi_product_bounds(p->dim, job->z.data + i * job->z.stride, lower,
                               upper);
            sfi_product_weigh(p, &q, -1, r, r + p->rows, &values, &bounds);
            job->out[i * job->stride] = values + bounds;
        }
    }
}

sf_status sfi_product_logpdf(const sfi_product_law *p, sf_cmat z, double *out,
                             int64_t stride)
{
    const size_t room = (size_t)(LANES * 2 * (p->rows + p->dim));
    double *work = sfi_alloc(p->ctx, room, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    law_points job = {p, z, work, out, stride};
    sfi_parallel(p->ctx, LANES, 1, take_lane, &job);
    sfi_free(p->ctx, work, room, sizeof *work);
    return SF_OK;
}
