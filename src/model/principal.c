/* SPDX-License-Identifier: Apache-2.0 */
/* principal.c - contours and principal directions of a flow.
 *
 * A program gives z and G = dz/dy at a chunk of rows; what is left is small linear algebra
 * for each: J = G^-1 by elimination with pivots, the lengths of its columns, and its
 * singular values by rotations of pairs of columns until all are orthogonal (M. R. Hestenes,
 * J. SIAM 6 (1958) 51-90), which leaves the columns s_k u_k themselves. */
#include "model/model.h"

#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { CHUNK_CELLS = 1 << 18, SWEEPS = 40 };

/* Columns that are this near to being orthogonal are. */
static const double orthogonal_below = 1e-14;
/* Entries of a direction that count as the largest. */
static const double nearly_largest = 1.0 - 1e-9;

typedef struct surveyor {
    const sf_model *m;
    int64_t d, rank, chunk;
    double unit;    /* geometric mean of the scales        */
    double *z, *g;  /* [chunk, d], [chunk, d, d]           */
    double *a, *j;  /* [d, d] a copy of G; columns of J as rows */
    double *length; /* [d] ln |J_k|                        */
    int64_t *order; /* [d] columns by length or value      */
} surveyor;

/* ---- one row ---------------------------------------------------------------------- */

static void swap_rows(double *a, int64_t d, int64_t i, int64_t k)
{
    for (int64_t j = 0; j < d && i != k; j++) {
        const double t = a[i * d + j];
        a[i * d + j] = a[k * d + j];
        a[k * d + j] = t;
    }
}

/* The inverse of a, which is destroyed, and ln |det a|; false where a is singular. */
static bool invert(double *a, double *inverse, int64_t d, double *log_det)
{
    *log_det = 0.0;
    for (int64_t i = 0; i < d * d; i++)
        inverse[i] = i % (d + 1) == 0;
    for (int64_t k = 0; k < d; k++) {
        int64_t best = k;
        for (int64_t i = k + 1; i < d; i++)
            if (fabs(a[i * d + k]) > fabs(a[best * d + k]))
                best = i;
        const double pivot = a[best * d + k];
        if (!(fabs(pivot) > 0.0) || !isfinite(pivot))
            return false;
        *log_det += log(fabs(pivot));
        swap_rows(a, d, k, best);
        swap_rows(inverse, d, k, best);
        for (int64_t j = 0; j < d; j++) {
            a[k * d + j] /= pivot;
            inverse[k * d + j] /= pivot;
        }
        for (int64_t i = 0; i < d; i++) {
            const double factor = a[i * d + k];
            for (int64_t j = 0; j < d && i != k; j++) {
                a[i * d + j] -= factor * a[k * d + j];
                inverse[i * d + j] -= factor * inverse[k * d + j];
            }
        }
    }
    return true;
}

/* Rotate two rows so that they are orthogonal; whether they were. */
static bool rotate(double *p, double *q, int64_t d)
{
    const double a = sfi_dot(p, p, d), b = sfi_dot(q, q, d);
    const double c = sfi_dot(p, q, d);
    if (fabs(c) <= orthogonal_below * sqrt(a * b))
        return true;
    const double t = 0.5 * (b - a) / c;
    const double tangent = copysign(1.0, t) / (fabs(t) + hypot(1.0, t));
    const double cosine = 1.0 / hypot(1.0, tangent), sine = cosine * tangent;
    for (int64_t j = 0; j < d; j++) {
        const double u = p[j], v = q[j];
        p[j] = cosine * u - sine * v;
        q[j] = sine * u + cosine * v;
    }
    return false;
}

/* The rows of j, columns of J, become s_k u_k. */
static void take_singular(double *j, int64_t d)
{
    bool done = false;
    for (int sweep = 0; sweep < SWEEPS && !done; sweep++) {
        done = true;
        for (int64_t p = 0; p < d; p++)
            for (int64_t q = p + 1; q < d; q++)
                done = rotate(j + p * d, j + q * d, d) && done;
    }
}

/* Indices by values, largest first. */
static void sort_descending(int64_t *order, const double *values, int64_t d)
{
    for (int64_t k = 0; k < d; k++) {
        int64_t at = k;
        for (; at > 0 && values[order[at - 1]] < values[k]; at--)
            order[at] = order[at - 1];
        order[at] = k;
    }
}

/* The columns up to the largest gap in their lengths, or as many as wanted. */
static int64_t count_large(const surveyor *s)
{
    int64_t best = 1;
    double most = -INFINITY;
    if (s->rank > 0)
        return s->rank;
    for (int64_t k = 1; k < s->d; k++) {
        const double gap = s->length[s->order[k - 1]] - s->length[s->order[k]];
        if (gap > most) {
            most = gap;
            best = k;
        }
    }
    return best;
}

/* ln N(z_k) - ln |J_k| */
static double contour(const surveyor *s, const double *z, int64_t k)
{
    const double half_log_two_pi = 0.91893853320467267;
    return -0.5 * z[k] * z[k] - half_log_two_pi - s->length[k];
}

static double *at_row(sf_mat m, int64_t i)
{
    return m.data != NULL ? m.data + i * m.stride : NULL;
}

static void put_contours(surveyor *s, const double *z, double log_det,
                         int64_t row, const sf_principal *out)
{
    const int64_t d = s->d;
    double *contours = at_row(out->contours, row), sum = log_det;
    double *information = at_row(out->information, row);
    double *manifold = at_row(out->manifold, row);
    double *rank = at_row(out->rank, row);
    for (int64_t k = 0; k < d; k++) {
        const double length = log(sfi_norm(s->j + k * d, d));
        s->length[k] = log(s->unit) + length;
        sum += length;
    }
    for (int64_t k = 0; k < d && contours != NULL; k++)
        contours[k] = contour(s, z, k);
    if (information != NULL)
        *information = sum;
    sort_descending(s->order, s->length, d);
    const int64_t large = count_large(s);
    if (rank != NULL)
        *rank = (double)large;
    if (manifold != NULL)
        *manifold = 0.0;
    for (int64_t k = 0; k < large && manifold != NULL; k++)
        *manifold += contour(s, z, s->order[k]);
}

/* A vector of y in the data's units, of length 1, and the length that it had. */
static double to_unit(const surveyor *s, const double *from, double *to)
{
    double most = 0.0;
    int64_t at = 0;
    for (int64_t j = 0; j < s->d; j++)
        to[j] = s->m->scale[j] * from[j];
    const double length = sfi_norm(to, s->d);
    for (int64_t j = 0; j < s->d; j++)
        most = fmax(most, fabs(to[j]));
    while (fabs(to[at]) < nearly_largest * most)
        at++;
    const double sign = to[at] < 0.0 ? -1.0 : 1.0;
    for (int64_t j = 0; j < s->d; j++)
        to[j] *= sign / length;
    return length;
}

static void put_directions(surveyor *s, int64_t row, const sf_principal *out)
{
    const int64_t d = s->d;
    double *sd = at_row(out->sd, row);
    double *directions = at_row(out->directions, row);
    take_singular(s->j, d);
    for (int64_t k = 0; k < d; k++)
        s->length[k] = sfi_norm(s->j + k * d, d);
    sort_descending(s->order, s->length, d);
    for (int64_t k = 0; k < d; k++) {
        double *to = directions != NULL ? directions + k * d : s->a;
        const double length = to_unit(s, s->j + s->order[k] * d, to);
        if (sd != NULL)
            sd[k] = length;
    }
}

/* ---- rows --------------------------------------------------------------------------- */

static sf_status survey(surveyor *s, int64_t i, int64_t row,
                        const sf_principal *out)
{
    const int64_t d = s->d;
    double log_det, *j = s->j;
    memcpy(s->a, s->g + i * d * d, (size_t)(d * d) * sizeof *s->a);
    if (!invert(s->a, j, d, &log_det))
        return SFI_FAIL(s->m->ctx, SF_E_NUMERIC,
                        "principal: the derivative of the flow is singular at "
                        "row %lld",
                        (long long)row + 1);
    for (int64_t p = 0; p < d; p++) /* rows are the columns of J */
        for (int64_t q = 0; q < p; q++) {
            const double t = j[p * d + q];
            j[p * d + q] = j[q * d + p];
            j[q * d + p] = t;
        }
    put_contours(s, s->z + i * d, log_det, row, out);
    if (out->sd.data != NULL || out->directions.data != NULL)
        put_directions(s, row, out);
    return SF_OK;
}

static sf_status run(surveyor *s, sf_cmat x, const sf_principal *out)
{
    sfi_code_program *program = NULL;
    SFI_TRY(sfi_code_program_new(s->m, &program));
    sf_status status = SF_OK;
    for (int64_t at = 0; at < x.rows && status == SF_OK; at += s->chunk) {
        const int64_t left = x.rows - at, n = left < s->chunk ? left : s->chunk;
        const sf_cmat rows = {x.data + at * x.stride, n, x.cols, x.stride};
        status = sfi_code_program_run(program, rows, s->z, s->g);
        for (int64_t i = 0; i < n && status == SF_OK; i++)
            status = survey(s, i, at + i, out);
    }
    sfi_code_program_free(program);
    return status;
}

static sf_status check_member(const sf_model *m, sf_mat member, sf_cmat x,
                              int64_t columns)
{
    if (member.data == NULL ||
        (member.rows == x.rows && member.cols == columns &&
         member.stride >= columns))
        return SF_OK;
    return SFI_FAIL(m->ctx, SF_E_SHAPE,
                    "principal: a result is [%lld, %lld], want [%lld, %lld]",
                    (long long)member.rows, (long long)member.cols,
                    (long long)x.rows, (long long)columns);
}

static sf_status check(const sf_model *m, sf_cmat x, int64_t rank,
                       const sf_principal *out)
{
    const int64_t d = m->dim;
    const struct {
        sf_mat member;
        int64_t columns;
    } members[] = {{out->contours, d}, {out->information, 1},
                   {out->sd, d},       {out->directions, d * d},
                   {out->manifold, 1}, {out->rank, 1}};
    SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_PRINCIPAL, "principal"));
    SFI_TRY(sfi_check_table(m->ctx, x, true, "principal: x"));
    if (x.cols != d)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "principal: points have %lld columns, the model has "
                        "%lld",
                        (long long)x.cols, (long long)d);
    if (rank < 0 || rank > d)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "principal: rank is %lld, want 0 to %lld",
                        (long long)rank, (long long)d);
    for (size_t k = 0; k < SFI_COUNT(members); k++)
        SFI_TRY(check_member(m, members[k].member, x, members[k].columns));
    return SF_OK;
}

sf_status sf_model_principal(const sf_model *m, sf_cmat x, int64_t rank,
                             const sf_principal *out)
{
    const int64_t d = m->dim;
    SFI_TRY(check(m, x, rank, out));
    surveyor s = {.m = m, .d = d, .rank = rank};
    s.chunk = 1 + CHUNK_CELLS / (d * d);
    const size_t square = (size_t)(d * d);
    const size_t room =
        (size_t)s.chunk * (square + (size_t)d) + 2 * square + (size_t)d;
    double logs = 0.0;
    for (int64_t j = 0; j < d; j++)
        logs += log(m->scale[j]);
    s.unit = exp(logs / (double)d);
    double *work = sfi_alloc(m->ctx, room, sizeof *work);
    s.order = sfi_alloc(m->ctx, (size_t)d, sizeof *s.order);
    sf_status status = SF_E_NOMEM;
    if (work != NULL && s.order != NULL) {
        s.z = work;
        s.g = s.z + s.chunk * d;
        s.a = s.g + s.chunk * d * d;
        s.j = s.a + d * d;
        s.length = s.j + d * d;
        status = run(&s, x, out);
    }
    sfi_free(m->ctx, s.order, (size_t)d, sizeof *s.order);
    sfi_free(m->ctx, work, room, sizeof *work);
    return status;
}
