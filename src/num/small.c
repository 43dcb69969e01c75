/* SPDX-License-Identifier: Apache-2.0 */
/* small.c - factors of the matrices that belong to one point.
 *
 * Both decompositions are cyclic Jacobi: the rotation with
 *
 *     t = sign(zeta) / (|zeta| + sqrt(1 + zeta^2)),   zeta = (b - a) / (2 g)
 *
 * makes the off-diagonal number g between the diagonal numbers a and b vanish; the
 * smaller of the two angles is taken, with which sweeps converge quadratically (G. E.
 * Forsythe and P. Henrici, Trans. AMS 94 (1960) 1-23).  Matrices of a few unknowns
 * need four to eight sweeps. */
#include "num/small.h"

#include "num/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST_SWEEPS = 60 };

/* ---- Cholesky ---------------------------------------------------------------- */

bool sfi_small_cholesky(double *l, const double *a, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; k++)
                sum -= l[i * n + k] * l[j * n + k];
            if (i != j)
                l[i * n + j] = sum / l[j * n + j];
            else if (sum > n * DBL_EPSILON * fabs(a[i * n + i]))
                l[i * n + i] = sqrt(sum);
            else
                return false;
        }
    return true;
}

void sfi_small_lower_solve(const double *l, int n, double *b)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= l[i * n + k] * b[k];
        b[i] /= l[i * n + i];
    }
}

void sfi_small_lower_solve_t(const double *l, int n, double *b)
{
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            b[i] -= l[k * n + i] * b[k];
        b[i] /= l[i * n + i];
    }
}

void sfi_small_inverse(double *inverse, const double *l, int n)
{
    memset(inverse, 0, (size_t)(n * n) * sizeof *inverse);
    for (int i = 0; i < n; i++) {
        double *row = inverse + i * n;
        row[i] = 1.0;
        sfi_small_lower_solve(l, n, row);
        sfi_small_lower_solve_t(l, n, row);
    }
}

/* ---- rotations --------------------------------------------------------------- */

typedef struct rotation {
    double cosine, sine;
} rotation;

static rotation find_rotation(double a, double b, double g)
{
    const double zeta = (b - a) / (2.0 * g);
    const double t = copysign(1.0, zeta) / (fabs(zeta) + hypot(1.0, zeta));
    const double cosine = 1.0 / sqrt(1.0 + t * t);
    return (rotation){cosine, cosine * t};
}

/* (x, y) <- (c x - s y, s x + c y) for `count` pairs, `step` numbers apart. */
static void rotate(rotation r, double *x, double *y, int64_t count, int step)
{
    for (int64_t i = 0; i < count * step; i += step) {
        const double kept = x[i];
        x[i] = r.cosine * kept - r.sine * y[i];
        y[i] = r.sine * kept + r.cosine * y[i];
    }
}

static void set_unit(double *a, int n)
{
    memset(a, 0, (size_t)(n * n) * sizeof *a);
    for (int i = 0; i < n; i++)
        a[i * n + i] = 1.0;
}

static void swap(double *a, double *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const double kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

/* ---- eigenvalues ------------------------------------------------------------- */

void sfi_small_eigen(double *values, double *vectors, double *a, int n)
{
    bool turned = true;
    set_unit(vectors, n);
    for (int sweep = 0; sweep < MOST_SWEEPS && turned; sweep++) {
        turned = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) {
                const double g = a[p * n + q];
                const double size =
                    sqrt(fabs(a[p * n + p])) * sqrt(fabs(a[q * n + q]));
                if (!(fabs(g) > 0.5 * DBL_EPSILON * size) || g == 0.0)
                    continue;
                const rotation r = find_rotation(a[p * n + p], a[q * n + q], g);
                rotate(r, a + p, a + q, n, n);
                rotate(r, a + p * n, a + q * n, n, 1);
                rotate(r, vectors + p * n, vectors + q * n, n, 1);
                a[p * n + q] = a[q * n + p] = 0.0;
                turned = true;
            }
    }
    for (int k = 0; k < n; k++)
        values[k] = a[k * n + k];
    for (int k = 0; k < n; k++) {
        int least = k;
        for (int i = k + 1; i < n; i++)
            least = values[i] < values[least] ? i : least;
        swap(values + k, values + least, 1);
        swap(vectors + k * n, vectors + least * n, n);
    }
}

/* ---- singular values --------------------------------------------------------- */

void sfi_small_svd(double *values, double *vectors, double *columns, int64_t m,
                   int n)
{
    bool turned = true;
    set_unit(vectors, n);
    for (int sweep = 0; sweep < MOST_SWEEPS && turned; sweep++) {
        turned = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) {
                double *x = columns + p * m, *y = columns + q * m;
                const double a = sfi_dot(x, x, m), b = sfi_dot(y, y, m);
                const double g = sfi_dot(x, y, m);
                if (!(fabs(g) > DBL_EPSILON * sqrt(a) * sqrt(b)))
                    continue;
                const rotation r = find_rotation(a, b, g);
                rotate(r, x, y, m, 1);
                rotate(r, vectors + p * n, vectors + q * n, n, 1);
                turned = true;
            }
    }
    for (int k = 0; k < n; k++)
        values[k] = sqrt(sfi_dot(columns + k * m, columns + k * m, m));
    for (int k = 0; k < n; k++) {
        int most = k;
        for (int i = k + 1; i < n; i++)
            most = values[i] > values[most] ? i : most;
        swap(values + k, values + most, 1);
        swap(vectors + k * n, vectors + most * n, n);
        swap(columns + k * m, columns + most * m, m);
    }
}
