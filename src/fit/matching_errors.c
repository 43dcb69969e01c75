/* SPDX-License-Identifier: Apache-2.0 */
/* matching_errors.c - how well the rows determine the numbers.
 *
 * The objective is a mean over rows of q, so at its minimum the numbers have the
 * covariance of an M-estimator, H^-1 V H^-1 / rows, with H the mean Hessian of q and V
 * the mean product of its gradients (P. J. Huber, 5th Berkeley Symp. 1 (1967)
 * 221-233).  It holds whether or not the density is right.  Where the least curvature
 * is rounding beside the largest, the rows do not tell some of the numbers apart, and
 * there are no errors. */
#include "fit/matching.h"

#include "base/random.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

/* Gradients of rows are multiplied so many numbers at a time; beyond so many numbers
 * eigenvalues are not all found. */
enum { TILE_CELLS = 1 << 21, MOST_EIGEN = 400 };

/* Curvatures below this part of the largest are none: the objective's Hessian is a
 * sum of products of numbers that agree to about 1e-16. */
static const double flat = 1e-10;

/* ---- curvature --------------------------------------------------------------------- */

/* The extreme eigenvalues of a positive definite matrix with a unit diagonal, and a
 * unit vector of the least one, by powers of the matrix and of its inverse: until they
 * move by less than a part in 10^6, which is all that judging wants.  False where the
 * matrix is not positive definite.  `l` [n, n] and `v` [2 n] are work space. */
static bool extremes(sf_context *ctx, const double *a, int64_t n, double *l,
                     double *v, double *weakest, double *least, double *most)
{
    double *w = v + n;
    if (sfi_cholesky(ctx, l, a, n, "objective's Hessian", NULL) != SF_OK)
        return false;
    for (int side = 0; side < 2; side++) {
        double before = 0.0, now = 0.0;
        for (int64_t k = 0; k < n; k++)
            v[k] = 1.0 + 0.5 * sfi_normal_at((sfi_where){0, (uint64_t)k, 0,
                                                         SFI_STREAM_PRIOR},
                                             0);
        for (int step = 0; step < 1000; step++) {
            const double norm = sfi_norm(v, n);
            for (int64_t k = 0; k < n; k++)
                v[k] /= norm;
            if (side == 0)
                memcpy(w, v, (size_t)n * sizeof *w);
            for (int64_t k = 0; k < n && side == 1; k++)
                w[k] = sfi_dot(a + k * n, v, n);
            if (side == 0)
                sfi_cholesky_solve(l, n, (sf_mat){w, 1, n, n});
            now = sfi_dot(v, w, n);
            memcpy(v, w, (size_t)n * sizeof *v);
            if (fabs(now - before) <= 1e-6 * fabs(now))
                break;
            before = now;
        }
        const double norm = sfi_norm(v, n);
        for (int64_t k = 0; k < n && side == 0; k++)
            weakest[k] = v[k] / norm;
        *(side == 0 ? least : most) = side == 0 ? 1.0 / now : now;
    }
    return true;
}

/* Scale the Hessian to a unit diagonal, and find its eigenvalues; the first vector,
 * of the least, goes to out->weakest. */
sf_status sfi_match_judge(sfi_match *m, const double *h, sf_matching *out,
                          double *work)
{
    const int64_t n = m->count;
    double *scaled = work, *values = work + n * n, *root = values + n;
    double least = 0.0, most = 0.0;
    for (int64_t i = 0; i < n; i++)
        root[i] = h[i * n + i] > 0.0 ? sqrt(h[i * n + i]) : 1.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            scaled[i * n + j] = h[i * n + j] / (root[i] * root[j]);
    /* The covariance is not there yet. */
    if (n <= MOST_EIGEN || !extremes(m->ctx, scaled, n, out->covariance, values,
                                     out->weakest, &least, &most)) {
        SFI_TRY(sfi_eigen_symmetric(m->ctx, values, scaled, scaled, n));
        memcpy(out->weakest, scaled, (size_t)n * sizeof *scaled);
        least = values[0];
        most = values[n - 1];
    }
    out->curvature = most > 0.0 ? least / most : 0.0;
    out->identified = out->curvature > flat;
    return SF_OK;
}

/* ---- errors ------------------------------------------------------------------------ */

sf_status sfi_match_each(sfi_match *m, const double *numbers,
                         sf_status (*use)(void *user, sf_mat slopes),
                         void *user)
{
    const int64_t n = m->count, cells = m->cell_count;
    const int64_t fits = TILE_CELLS / (n + cells);
    const int64_t tile = fits < 64 ? 64 : fits > 4096 ? 4096 : fits;
    const size_t size = (size_t)(tile * (n + cells));
    double *slopes = sfi_alloc(m->ctx, size, sizeof *slopes);
    if (slopes == NULL)
        return SF_E_NOMEM;
    double *folded = slopes + tile * cells;
    sfi_match_sinks(m, slopes, cells, m->sinks);
    sfi_match_place(m, numbers);
    const sf_cmat all = m->x;
    sf_status status = SF_OK;
    for (int64_t first = 0; first < all.rows && status == SF_OK;
         first += tile) {
        const int64_t left = all.rows - first;
        m->x = (sf_cmat){all.data + first * all.stride,
                         left < tile ? left : tile, all.cols, all.stride};
        status = sfi_match_run(m, m->each, numbers, NULL, m->sinks);
        for (int64_t r = 0; r < m->x.rows && status == SF_OK; r++)
            sfi_match_fold(m, slopes + r * cells, folded + r * n);
        if (status == SF_OK)
            status = use(user, (sf_mat){folded, m->x.rows, n, n});
    }
    m->x = all;
    sfi_free(m->ctx, slopes, size, sizeof *slopes);
    return status;
}

typedef struct products {
    double *v;
    int64_t n;
} products;

static sf_status add_products(void *user, sf_mat slopes)
{
    const products *p = user;
    sfi_add_products(p->v, p->n,
                     (sf_cmat){slopes.data, slopes.rows, p->n, slopes.stride});
    return SF_OK;
}

/* V: the mean of products of the rows' gradients. */
static sf_status spread_of_slopes(sfi_match *m, const double *numbers,
                                  double *v)
{
    const int64_t n = m->count;
    products p = {v, n};
    memset(v, 0, (size_t)(n * n) * sizeof *v);
    SFI_TRY(sfi_match_each(m, numbers, add_products, &p));
    sfi_mirror_lower(v, n);
    sfi_match_mean(m, v, n * n);
    return SF_OK;
}

sf_status sfi_match_variances(sfi_match *m, const double *numbers, int64_t most,
                              double *v)
{
    const int64_t n = m->count, cells = m->cell_count, tile = 64;
    const sf_cmat all = m->x;
    const int64_t step = all.rows > most ? all.rows / most : 1;
    const int64_t count = all.rows / step;
    const size_t size = (size_t)(tile * cells + 2 * n);
    double *slopes = sfi_alloc_zero(m->ctx, size, sizeof *slopes);
    if (slopes == NULL)
        return SF_E_NOMEM;
    double *row = slopes + tile * cells, *mean = row + n;
    memset(v, 0, (size_t)n * sizeof *v);
    sfi_match_sinks(m, slopes, cells, m->sinks);
    sfi_match_place(m, numbers);
    sf_status status = SF_OK;
    for (int64_t first = 0; first < count && status == SF_OK; first += tile) {
        const int64_t left = count - first;
        m->x =
            (sf_cmat){all.data + first * step * all.stride,
                      left < tile ? left : tile, all.cols, step * all.stride};
        status = sfi_match_run(m, m->each, numbers, NULL, m->sinks);
        for (int64_t r = 0; r < m->x.rows && status == SF_OK; r++) {
            sfi_match_fold(m, slopes + r * cells, row);
            for (int64_t k = 0; k < n; k++) {
                mean[k] += row[k] / (double)count;
                v[k] += row[k] * row[k] / (double)count;
            }
        }
    }
    for (int64_t k = 0; k < n; k++)
        v[k] -= mean[k] * mean[k];
    m->x = all;
    sfi_free(m->ctx, slopes, size, sizeof *slopes);
    return status;
}

/* H^-1 V H^-1 / rows, in v; h is lost. */
static sf_status sandwich(sfi_match *m, double *h, double *v)
{
    const int64_t n = m->count;
    SFI_TRY(sfi_cholesky(m->ctx, h, h, n, "objective's Hessian", NULL));
    sfi_cholesky_solve(h, n, (sf_mat){v, n, n, n}); /* V H^-1 */
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            const double swap = v[i * n + j];
            v[i * n + j] = v[j * n + i];
            v[j * n + i] = swap;
        }
    sfi_cholesky_solve(h, n, (sf_mat){v, n, n, n}); /* H^-1 V H^-1 */
    sfi_match_mean(m, v, n * n);
    return SF_OK;
}

sf_status sfi_match_errors(sfi_match *m, sf_matching *out, double *h,
                           double *work)
{
    const int64_t n = m->count;
    SFI_TRY(sfi_match_hessian(m, out->estimate, h));
    if (!out->quadratic) /* a quadratic's is that of the solution */
        SFI_TRY(sfi_match_judge(m, h, out, work));
    SFI_TRY(spread_of_slopes(m, out->estimate, out->covariance));
    if (out->identified)
        SFI_TRY(sandwich(m, h, out->covariance));
    for (int64_t k = 0; k < n * n && !out->identified; k++)
        out->covariance[k] = NAN;
    for (int64_t k = 0; k < n; k++)
        out->error[k] = sqrt(out->covariance[k * n + k]);
    return SF_OK;
}
