/* SPDX-License-Identifier: Apache-2.0 */
/* clean.c - what is known of the clean point behind a noised one, beyond its
 * mean: which data it may be, draws of it, and where it is about to split. */
#include "model/evaluator.h"

#include "base/random.h"
#include "kernel/path.h"
#include "model/product.h"
#include "num/equal_rows.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

static sf_status check(const sf_model *m, sf_cmat x, double time,
                       const char *what)
{
    SFI_TRY(sfi_check_time(m->ctx, m, time, what));
    SFI_TRY(sfi_check_table(m->ctx, x, true, what));
    if (x.cols != m->dim)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "%s: points have %lld columns, the model has %lld",
                        what, (long long)x.cols, (long long)m->dim);
    return SF_OK;
}

sf_status sfi_ask_data(const sf_model *m, sf_cmat x, double time,
                       const sfi_mixture_want *want)
{
    const size_t cells = (size_t)(x.rows * m->inner);
    double *y = sfi_alloc(m->ctx, cells, sizeof *y);
    if (y == NULL)
        return SF_E_NOMEM;
    const sf_mat inner = {y, x.rows, m->inner, m->inner};
    sfi_to_inner(m, x, inner);
    sfi_mixture *p = NULL;
    sf_status status = m->ops->mixture(m, &p, SFI_VELOCITY_EXACT, false);
    if (status == SF_OK)
        status =
            sfi_mixture_run(p, sf_mat_const(inner), sfi_level(m, time), want);
    sfi_mixture_free(p);
    sfi_free(m->ctx, y, cells, sizeof *y);
    return status;
}

/* The `most` largest of r [n], the first among equals first. */
static void take_largest(const double *r, int64_t n, int64_t most,
                         int64_t *datum, double *weight)
{
    int64_t have = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(r[i] > 0.0) || (have == most && !(r[i] > weight[most - 1])))
            continue;
        int64_t at = have < most ? have++ : most - 1;
        for (; at > 0 && r[i] > weight[at - 1]; at--) {
            weight[at] = weight[at - 1];
            datum[at] = datum[at - 1];
        }
        weight[at] = r[i];
        datum[at] = i;
    }
    for (; have < most; have++) {
        weight[have] = 0.0;
        datum[have] = SFI_NO_DATUM;
    }
}

static sf_status posterior_with_holes(const sf_model *m, sf_cmat x,
                                      int64_t most, int64_t *datum,
                                      double *weight)
{
    sfi_product_law *p = NULL;
    SFI_TRY(sfi_product_new(m, &p));
    const size_t room = (size_t)(2 * (p->rows + p->dim));
    double *r = sfi_alloc(m->ctx, room, sizeof *r);
    double *z = r + 2 * p->rows, values, bounds;
    for (int64_t i = 0; i < x.rows && r != NULL; i++) {
        for (int64_t j = 0; j < m->dim; j++)
            z[j] = (x.data[i * x.stride + j] - m->mean[j]) / m->scale[j];
        const sfi_product_query q = {z, z, NULL};
        sfi_product_weigh(p, &q, -1, r, r + p->rows, &values, &bounds);
        take_largest(r, p->rows, most, datum + i * most, weight + i * most);
    }
    sfi_free(m->ctx, r, room, sizeof *r);
    sfi_product_free(p);
    return r != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status sf_model_posterior(const sf_model *m, sf_cmat x, double time,
                             int64_t most, int64_t *datum, double *weight)
{
    SFI_TRY(check(m, x, time, "posterior"));
    SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_ROWS, "posterior"));
    if (most < 1)
        return SFI_FAIL(m->ctx, SF_E_ARG, "posterior: most is %lld, want >= 1",
                        (long long)most);
    const sfi_mixture_want want = {
        .most = most, .datum = datum, .weight = weight};
    return sfi_is_product(m) ? posterior_with_holes(m, x, most, datum, weight)
                             : sfi_ask_data(m, x, time, &want);
}

sf_status sf_model_copies(const sf_model *m, sf_cmat x, int64_t *copies)
{
    SFI_TRY(check(m, x, 0.0, "copies"));
    SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_ROWS, "copies"));
    const sf_cmat data = sfi_empirical_of(m).data;
    const size_t cells = (size_t)(x.rows * m->dim);
    const size_t rows = (size_t)(data.rows + x.rows);
    double *z = sfi_alloc(m->ctx, cells, sizeof *z);
    int64_t *first = sfi_alloc(m->ctx, rows, sizeof *first);
    sf_status status = z != NULL && first != NULL ? SF_OK : SF_E_NOMEM;
    *copies = 0;
    if (status == SF_OK) {
        for (size_t i = 0; i < cells; i++) {
            const int64_t row = (int64_t)i / m->dim, j = (int64_t)i % m->dim;
            z[i] = (x.data[row * x.stride + j] - m->mean[j]) / m->scale[j];
        }
        const sf_cmat both[] = {data, {z, x.rows, m->dim, m->dim}};
        status = sfi_find_copies(m->ctx, 2, both, first, NULL);
    }
    for (int64_t i = data.rows; i < data.rows + x.rows && status == SF_OK; i++)
        *copies += first[i] < data.rows;
    sfi_free(m->ctx, first, rows, sizeof *first);
    sfi_free(m->ctx, z, cells, sizeof *z);
    return status;
}

sf_status sf_model_draw_clean(const sf_model *m, sf_cmat x, double time,
                              uint64_t seed, sf_mat out)
{
    SFI_TRY(check(m, x, time, "draw_clean"));
    SFI_TRY(sfi_check_support(m, x, "draw_clean"));
    SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_ROWS, "draw_clean"));
    SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_NOISE, "draw_clean"));
    if (out.rows != x.rows || out.cols != m->dim || out.stride < out.cols)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "draw_clean: the result is [%lld, %lld], want [%lld, "
                        "%lld]",
                        (long long)out.rows, (long long)out.cols,
                        (long long)x.rows, (long long)m->dim);
    const size_t n = (size_t)x.rows;
    double *uniform = sfi_alloc(m->ctx, n, sizeof *uniform);
    int64_t *drawn = sfi_alloc(m->ctx, n, sizeof *drawn);
    sf_status status = uniform != NULL && drawn != NULL ? SF_OK : SF_E_NOMEM;
    for (size_t i = 0; i < n && status == SF_OK; i++)
        uniform[i] = sfi_uniform_at(
            (sfi_where){seed, (uint64_t)i, 0, SFI_STREAM_STEP}, 0);
    const sfi_mixture_want want = {.uniform = uniform, .drawn = drawn};
    if (status == SF_OK)
        status = sfi_ask_data(m, x, time, &want);
    const sfi_empirical e = sfi_empirical_of(m);
    for (size_t i = 0; i < n && status == SF_OK; i++) {
        double *row = out.data + (int64_t)i * out.stride;
        if (drawn[i] == SFI_NO_DATUM)
            status = SFI_FAIL(m->ctx, SF_E_NUMERIC,
                              "draw_clean: row %lld is too far from all data",
                              (long long)i + 1);
        for (int64_t j = 0; j < m->dim && status == SF_OK; j++)
            row[j] = drawn[i] == SFI_FLOOR_DATUM
                         ? x.data[(int64_t)i * x.stride + j]
                         : m->mean[j] +
                               m->scale[j] * e.data.data[drawn[i] * m->dim + j];
    }
    sfi_free(m->ctx, drawn, n, sizeof *drawn);
    sfi_free(m->ctx, uniform, n, sizeof *uniform);
    return status;
}

/* ---- where paths split -------------------------------------------------------- */

/* The spread of the noise at a level from that over the level, as it goes to 0: a
 * path has its own, and of others it is taken to be proportional to the level. */
static void spread_at(const sf_model *m, double level, double *spread)
{
    for (int64_t j = 0; j < m->inner; j++)
        spread[j] *= level;
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        const double path = sfi_kernel_number_of(&b->kernel, "path");
        if (isnan(path))
            continue;
        const double line = level * sfi_path_at((int)path, 0.0).spread_rate;
        for (int64_t i = b->at; i < b->at + b->inner; i++)
            spread[i] *= sfi_path_at((int)path, level).spread / line;
    }
}

/* The largest eigenvalue of diag(s) J diag(s), s the spread of the noise. */
static double largest(const sf_model *m, const double *y, double *jacobian,
                      const double *spread, double *values, sf_status *status)
{
    const int64_t d = m->inner;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double both =
                0.5 * (jacobian[i * d + j] + jacobian[j * d + i]);
            jacobian[i * d + j] = jacobian[j * d + i] =
                both * spread[i] * spread[j];
        }
    if (sfi_first_not_finite(jacobian, d * d) < d * d)
        return NAN;
    sfi_noise_project(&m->noise, y, jacobian, -1.0);
    *status = sfi_eigen_symmetric(m->ctx, values, jacobian, jacobian, d);
    return values[d - 1];
}

static sf_status splits(const sf_model *m, sfi_inner *f, sf_cmat x, double time,
                        double *work, double *out)
{
    const int64_t d = m->inner;
    double *jacobian = work, *y = work + d * d, *spread = y + d,
           *values = spread + d;
    const double level = fmax(sfi_level(m, time), sfi_lowest_level(m));
    SFI_TRY(sfi_level_spread(m, spread));
    spread_at(m, level, spread);
    for (int64_t i = 0; i < x.rows; i++) {
        void *outputs[] = {jacobian};
        sf_status status = SF_OK;
        sfi_to_inner(m, (sf_cmat){x.data + i * x.stride, 1, m->dim, m->dim},
                     (sf_mat){y, 1, d, d});
        SFI_TRY(sfi_inner_run(f, 1, y, d, level, NULL, outputs,
                              (int64_t[]){d * d}));
        out[i] = largest(m, y, jacobian, spread, values, &status);
        SFI_TRY(status);
    }
    return SF_OK;
}

sf_status sf_model_stability(const sf_model *m, sf_cmat x, double time,
                             double *out)
{
    SFI_TRY(check(m, x, time, "stability"));
    const size_t cells = (size_t)(m->inner * (m->inner + 3));
    double *work = sfi_alloc(m->ctx, cells, sizeof *work);
    sfi_inner *f = NULL;
    sf_status status = work != NULL
                           ? sfi_inner_new(m, &f, SF_F64, SFI_WANT_JACOBIAN)
                           : SF_E_NOMEM;
    if (status == SF_OK)
        status = splits(m, f, x, time, work, out);
    sfi_inner_free(f);
    sfi_free(m->ctx, work, cells, sizeof *work);
    return status;
}
