/* SPDX-License-Identifier: Apache-2.0 */
/* loops.h - the vector loops: one table of functions for each element type and
 * instruction set, chosen when the program starts.
 *
 * Everything here works on *rows*: a row holds one component of many points, so
 * neighbours in memory are neighbouring points and every loop runs over points.
 * A row starts on a 64-byte boundary and its length is a multiple of
 * SFI_ROW_MULTIPLE elements; what lies beyond the last real point is padding
 * that is computed like everything else (it repeats a real point).  For the
 * element-wise loops, gemm, load, store and sum_rows it is enough that rows are
 * whole vectors.
 *
 * The arithmetic for one point does not depend on where in a row it stands, on
 * the length of the row, or on what its neighbours hold.
 *
 * One template (loops_template.h) is compiled for every table. */
#ifndef SFI_LOOPS_H
#define SFI_LOOPS_H

#include "base/random.h"
#include "scorefield/base.h"

enum { SFI_ROW_MULTIPLE = 16 };

/* The length of a row that holds n elements. */
static inline int64_t sfi_row_length(int64_t n)
{
    return (n + SFI_ROW_MULTIPLE - 1) / SFI_ROW_MULTIPLE * SFI_ROW_MULTIPLE;
}

typedef enum sfi_ew {
#define EW(NAME, ...) SFI_EW_##NAME,
#include "num/elementwise.def"
#undef EW
    SFI_EW_COUNT
} sfi_ew;

/* Which operands of an element-wise loop are rows and which are one number for
 * the whole row: bit 0 for a, bit 1 for b, bit 2 for c. */
enum { SFI_EW_MODES = 8 };

/* dst[i] = op(a[i], b[i], c[i]) for i < n, where an operand whose bit is set in
 * the mode is read as a[0], b[0], c[0].  dst may be one of the operands.
 * Operands that the operation does not take are ignored and may be NULL. */
typedef void (*sfi_ew_loop)(void *dst, const void *a, const void *b,
                            const void *c, int64_t n);

/* C = A B, or C += A B.
 *
 *   A [m, k]  element (i, p) at a[i*a_row + p*a_col]; any strides
 *   B [k, n]  row p at b + p*ldb, n a multiple of SFI_ROW_MULTIPLE
 *   C [m, n]  row i at c + i*ldc
 *   bias      NULL, or m numbers: row i of C starts from bias[i]
 *             (not together with accumulate)
 *
 * Strides count elements.  Sums run over p in order for every element. */
typedef struct sfi_gemm {
    int64_t m, n, k;
    const void *a;
    int64_t a_row, a_col;
    const void *b;
    int64_t ldb;
    void *c;
    int64_t ldc;
    const void *bias;
    bool accumulate;
} sfi_gemm;

/* C = A B^T, or C += A B^T, contracting over points.
 *
 *   A [m, p]  row i at a + i*lda, p a multiple of SFI_ROW_MULTIPLE
 *   B [n, p]  row j at b + j*ldb
 *   C [m, n]  row i at c + i*ldc; n is any number >= 1 and C need not be aligned
 *
 * All p columns count: the caller zeroes the padding of A and makes sure that
 * the padding of B is finite.
 *
 * The bits of an element depend on n and p, and on m only by m being less than
 * SFI_TALL or not: short products are summed in another order. */
enum { SFI_TALL = 8 };
typedef struct sfi_gemm_nt {
    int64_t m, n, p;
    const void *a;
    int64_t lda;
    const void *b;
    int64_t ldb;
    void *c;
    int64_t ldc;
    bool accumulate;
} sfi_gemm_nt;

/* Gaussians around n points y_j in at most SFI_GAUSS_DIM dimensions, seen from
 * one place x: with t_j = y_j - x,
 *
 *     l_j = bias_j + half s_j |t_j|^2,    e_j = exp(l_j - shift)
 *
 * n a multiple of SFI_ROW_MULTIPLE; component k of the points is the row at
 * points + k*ld; rows are of the table's type. */
enum { SFI_GAUSS_DIM = 3 };

typedef struct sfi_gauss {
    int64_t n, d;
    const void *points;
    int64_t ld;
    const void *bias, *scales; /* scales: NULL where every s_j is 1 */
    double x[SFI_GAUSS_DIM];
    double half, shift;
    int moments; /* the highest that is summed: 0, 1 or 2 */
} sfi_gauss;

/* One step of Adam with decoupled weight decay (Loshchilov and Hutter 2019) and
 * an exponential moving average of the weights, on n numbers.
 *     g <- g*gscale;  m <- b1 m + (1-b1) g;  v <- b2 v + (1-b2) g^2
 *     w <- w - rate*decay*w - rate*(m/c1) / (sqrt(v/c2) + eps)
 *     ema <- ema + (1-ema_keep)*(w - ema)
 * with c1 = 1-b1^t and c2 = 1-b2^t.  Any n, no alignment needed. */
typedef struct sfi_adam {
    double gscale, rate, decay, beta1, beta2, c1, c2, eps, ema_keep;
} sfi_adam;

/* What is known of values so far, of those that are no NaN: the least, the largest, the sum
 * of weights times values, of weights, and how many.  Value i of a row counts in lane
 * i modulo SFI_TALLY_LANES; begin with low = infinity, high = -infinity, and zeros. */
enum { SFI_TALLY_LANES = 8 };

typedef struct sfi_tally {
    double low[SFI_TALLY_LANES], high[SFI_TALLY_LANES], sum[SFI_TALLY_LANES],
        weight[SFI_TALLY_LANES], there[SFI_TALLY_LANES];
} sfi_tally;

typedef struct sfi_loops {
    const char *isa; /* "portable", "avx2", "avx512"               */
    sf_dtype dtype;
    int lanes; /* elements of a vector: 2 to 16 */

    /* [op][mode]; NULL where every operand the operation takes is a scalar */
    sfi_ew_loop ew[SFI_EW_COUNT][SFI_EW_MODES];

    /* `work` holds at least gemm_work(m, n, k) bytes, aligned to 64. */
    size_t (*gemm_work)(int64_t m, int64_t n, int64_t k);
    void (*gemm)(const sfi_gemm *g, void *work);
    size_t (*gemm_nt_work)(int64_t m, int64_t n, int64_t p);
    void (*gemm_nt)(const sfi_gemm_nt *g, void *work);

    /* dst[j*ld + i] = src[i*stride + j], i < points, j < dim, from double or
     * float source; then points .. padded-1 repeat point points-1.
     * rows: NULL, or which source row is point i. */
    void (*load)(void *dst, int64_t ld, const void *src, sf_dtype src_type,
                 int64_t stride, const int64_t *rows, int64_t points,
                 int64_t padded, int64_t dim);
    /* dst[i*stride + j] = src[j*ld + i], i < points, j < dim. */
    void (*store)(void *dst, sf_dtype dst_type, int64_t stride, const void *src,
                  int64_t ld, int64_t points, int64_t dim);
    /* dst [cols, rows] = transpose of src [rows, cols]; strides in elements. */
    void (*transpose)(void *dst, int64_t ldd, const void *src, int64_t lds,
                      int64_t rows, int64_t cols);

    /* dst[j*ld + i] = standard normal for point where.point + i, component
     * first + j (base/random.h), i < n (a multiple of SFI_ROW_MULTIPLE),
     * j < dim.  `uniform` likewise, in (0, 1). */
    void (*normal)(void *dst, int64_t ld, sfi_where where, uint32_t first,
                   int64_t n, int64_t dim);
    void (*uniform)(void *dst, int64_t ld, sfi_where where, uint32_t first,
                    int64_t n, int64_t dim);

    /* Sums over the first n elements, any n, in an order that depends on n
     * alone; accumulated in double. */
    double (*sum)(const void *a, int64_t n);
    double (*sum_squares)(const void *a, int64_t n);
    double (*dot)(const void *a, const void *b, int64_t n);

    /* Note n values of weights w, or w weights[i].  Of doubles alone, else NULL. */
    void (*tally)(sfi_tally *t, const double *values, int64_t n, double w,
                  const double *weights);

    /* dst[i] = rows[i] + rows[stride + i] + ... over `count` >= 1 rows, in this
     * order, or the same added to dst[i]; i < n, whole lines. */
    void (*sum_rows)(void *dst, const void *rows, int64_t stride, int64_t count,
                     int64_t n, bool accumulate);

    /* dst[i] = parts[0][i] + parts[1][i] + ... in this order, i < n; returns the
     * sum of squares of the result. */
    double (*add_parts)(void *dst, const void *const *parts, int count,
                        int64_t n);

    /* For a softmax, n a multiple of SFI_ROW_MULTIPLE:
     *   largest  of row[i]; NaN is not counted
     *   exp_sum  row[i] = exp(row[i] - shift), 0 where that would be subnormal
     *            and wrong where it would overflow; returns the sum, which is in
     *            the row's own precision over up to n/8 terms and then double,
     *            and the largest row[i] - shift */
    double (*largest)(const void *row, int64_t n);
    double (*exp_sum)(void *row, double shift, int64_t n, double *most);

    /* Sums over Gaussians.  `sums` gets, in this order,
     *     sum e_j
     *     from moments 1 on  sum e_j t_j, and where there are scales
     *                        sum e_j s_j and sum e_j s_j t_j
     *     from moments 2 on  sum e_j t_jk t_jl, l <= k, k by k
     * e_j is as in exp_sum; returns the largest l_j - shift.
     *   gauss_logits  row[j] = l_j - shift */
    double (*gauss_sums)(const sfi_gauss *g, double *sums);
    void (*gauss_logits)(const sfi_gauss *g, void *row);

    void (*adam)(void *w, void *m, void *v, void *ema, const void *g, int64_t n,
                 const sfi_adam *a);
} sfi_loops;

/* The best table this machine can run, or the one that the environment variable
 * SCOREFIELD_ISA names (portable, avx2, avx512) if this machine can run it. */
const sfi_loops *sfi_loops_for(sf_dtype dtype);

/* The table of one instruction set by name, NULL if this machine or build does
 * not have it; for the tests. */
const sfi_loops *sfi_loops_named(const char *isa, sf_dtype dtype);

/* Set flush-to-zero and denormals-are-zero in this thread; returns what was set
 * before, for sfi_restore_denormals.  Subnormals slow some loops down sevenfold
 * and carry no information here. */
unsigned sfi_flush_denormals(void);
void sfi_restore_denormals(unsigned saved);

#endif
