/* SPDX-License-Identifier: Apache-2.0 */
/* loops_gemm.h - matrix products; part of loops_template.h.
 *
 * The inner loop computes a tile of C, up to GEMM_ROWS rows by GEMM_VECTORS
 * vectors, in registers while p runs over a block of k: one vector of B is used
 * for every row, one element of A for every vector.  Around it, as in K. Goto
 * and R. van de Geijn, ACM TOMS 34 (2008), article 12:
 *
 *   for a block of columns of C     (columns of B: B_COLS)
 *   for a block of p                (DEPTH: one panel of B stays in L1)
 *       copy B there into panels of one tile's width, so that the inner loop
 *       reads it in order whatever the stride (strides that are a power of two
 *       would map the rows to a few sets of the cache)
 *   for a block of rows of C        (A there stays in L2)
 *   for every panel, every tile:    the inner loop
 *
 * A is read in place where its elements along p are neighbours, and copied into
 * strips of GEMM_ROWS rows otherwise.
 *
 * Every element of C is the chain c <- fma(a, b, c) over p = 0, 1, ..., k-1;
 * blocks of p split the chain but do not reorder it, so the bits depend on k
 * alone. */

#undef GEMM_ROWS
#undef GEMM_VECTORS
#undef GEMM_COLS
#if SIMD_AVX512
#define GEMM_ROWS 12 /* 24 sums, 2 of B: 26 of 32 registers */
#elif SIMD_AVX2
#define GEMM_ROWS 6 /* 12 sums, 2 of B, 1 of A: 15 of 16 registers */
#elif SIMD_NEON
#define GEMM_ROWS 8 /* 16 sums, 2 of B, 2 of A: 20 of 32 registers */
#else
#define GEMM_ROWS 4 /* 8 sums, 2 of B, 1 of A, 1 product: 12 of 16 */
#endif
#define GEMM_VECTORS 2
#define GEMM_COLS    (GEMM_VECTORS * LANES)

/* Blocks: a panel of B is DEPTH*GEMM_COLS elements, the copy of B DEPTH*B_COLS,
 * the strips of A A_TILES*GEMM_ROWS*DEPTH. */
#undef DEPTH
#undef B_COLS
#undef A_TILES
#define DEPTH   256
#define B_COLS  (LOOPS_F64 ? 128 : 256)
#define A_TILES (GEMM_ROWS > 8 ? 8 : 16)

typedef struct FN(tile_job) {
    int64_t depth;
    const REAL *a; /* element (r, p) at a[r*a_row + p*a_col]       */
    int64_t a_row, a_col;
    const REAL *b; /* row p at b + p*ldb                           */
    int64_t ldb;
    REAL *c;
    int64_t ldc;
    const REAL *bias; /* of these rows, or NULL                     */
    bool accumulate;  /* start from C; else from bias or 0          */
} FN(tile_job);

SFI_INLINE void FN(tile)(const FN(tile_job) * job, const int rows,
                         const int vectors, const bool packed)
{
    V sum[GEMM_ROWS][GEMM_VECTORS];
    const int64_t ldb = job->ldb, ldc = job->ldc, depth = job->depth;
    const int64_t a_row = packed ? 1 : job->a_row;
    const int64_t a_col = packed ? GEMM_ROWS : 1;
    const REAL *a = job->a, *b = job->b;
    if (job->accumulate) {
        SFI_UNROLL(16)
        for (int r = 0; r < rows; r++) {
            SFI_UNROLL(4)
            for (int v = 0; v < vectors; v++)
                sum[r][v] = FN(load)(job->c + r * ldc + v * LANES);
        }
    } else {
        SFI_UNROLL(16)
        for (int r = 0; r < rows; r++) {
            const V start =
                FN(splat)(job->bias != NULL ? job->bias[r] : C(0.0));
            SFI_UNROLL(4)
            for (int v = 0; v < vectors; v++)
                sum[r][v] = start;
        }
    }
    for (int64_t p = 0; p < depth; p++) {
        V x[GEMM_VECTORS];
        SFI_UNROLL(4)
        for (int v = 0; v < vectors; v++)
            x[v] = FN(load)(b + v * LANES);
        SFI_UNROLL(16)
        for (int r = 0; r < rows; r++) {
            const V y = FN(splat)(a[r * a_row]);
            SFI_UNROLL(4)
            for (int v = 0; v < vectors; v++)
                sum[r][v] = FN(fma)(y, x[v], sum[r][v]);
        }
        a += a_col;
        b += ldb;
    }
    SFI_UNROLL(16)
    for (int r = 0; r < rows; r++) {
        SFI_UNROLL(4)
        for (int v = 0; v < vectors; v++)
            FN(store)(job->c + r * ldc + v * LANES, sum[r][v]);
    }
}

#undef TILE_ROWS_LIST
#if SIMD_AVX512
#define TILE_ROWS_LIST(X)                                                      \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#elif SIMD_AVX2
#define TILE_ROWS_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6)
#elif SIMD_NEON
#define TILE_ROWS_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#else
#define TILE_ROWS_LIST(X) X(1) X(2) X(3) X(4)
#endif

#undef TILE_FUNCTIONS
#define TILE_FUNCTIONS(rows)                                                   \
    static void FN(tile_##rows##_1)(const FN(tile_job) * job)                  \
    {                                                                          \
        FN(tile)(job, rows, 1, false);                                         \
    }                                                                          \
    static void FN(tile_##rows##_2)(const FN(tile_job) * job)                  \
    {                                                                          \
        FN(tile)(job, rows, 2, false);                                         \
    }                                                                          \
    static void FN(tile_##rows##_1_packed)(const FN(tile_job) * job)           \
    {                                                                          \
        FN(tile)(job, rows, 1, true);                                          \
    }                                                                          \
    static void FN(tile_##rows##_2_packed)(const FN(tile_job) * job)           \
    {                                                                          \
        FN(tile)(job, rows, 2, true);                                          \
    }
TILE_ROWS_LIST(TILE_FUNCTIONS)

typedef void (*FN(tile_loop))(const FN(tile_job) * job);

/* [packed][vectors - 1][rows - 1] */
#undef TILE_ENTRY
static const FN(tile_loop) FN(tile_loops)[2][2][GEMM_ROWS] = {
#define TILE_ENTRY(rows) FN(tile_##rows##_1),
    {{TILE_ROWS_LIST(TILE_ENTRY)},
#undef TILE_ENTRY
#define TILE_ENTRY(rows) FN(tile_##rows##_2),
     {TILE_ROWS_LIST(TILE_ENTRY)}},
#undef TILE_ENTRY
#define TILE_ENTRY(rows) FN(tile_##rows##_1_packed),
    {{TILE_ROWS_LIST(TILE_ENTRY)},
#undef TILE_ENTRY
#define TILE_ENTRY(rows) FN(tile_##rows##_2_packed),
     {TILE_ROWS_LIST(TILE_ENTRY)}},
};

/* m rows are split into as few tiles as can be, of nearly equal heights: a last
 * tile of one or two rows would leave the multipliers idle. */
SFI_INLINE int64_t FN(tile_count)(int64_t m)
{
    return (m + GEMM_ROWS - 1) / GEMM_ROWS;
}

SFI_INLINE int64_t FN(tile_start)(int64_t m, int64_t tile)
{
    const int64_t tiles = FN(tile_count)(m);
    const int64_t height = m / tiles, taller = m % tiles;
    return tile * height + (tile < taller ? tile : taller);
}

SFI_INLINE int64_t FN(smaller)(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Bytes for one copy of B and one of A. */
static size_t FN(packed_bytes)(int64_t m, int64_t cols, int64_t k)
{
    const int64_t depth = FN(smaller)(k, DEPTH);
    const int64_t b = depth * FN(smaller)(cols, B_COLS);
    const int64_t tiles = FN(smaller)(FN(tile_count)(m), A_TILES);
    return (size_t)(b + depth * tiles * GEMM_ROWS + GEMM_COLS) * sizeof(REAL);
}

static size_t FN(gemm_work)(int64_t m, int64_t n, int64_t k)
{
    return FN(packed_bytes)(m, n, k);
}

/* Strip t holds element (r, p) of its rows at [p*GEMM_ROWS + r]. */
static void FN(pack_a)(REAL *to, const REAL *a, int64_t a_row, int64_t a_col,
                       int64_t rows, int64_t depth)
{
    if (a_row == 1 && rows == GEMM_ROWS) {
        for (int64_t p = 0; p < depth; p++)
            memcpy(to + p * GEMM_ROWS, a + p * a_col, GEMM_ROWS * sizeof(REAL));
        return;
    }
    for (int64_t p = 0; p < depth; p++)
        for (int64_t r = 0; r < rows; r++)
            to[p * GEMM_ROWS + r] = a[r * a_row + p * a_col];
}

static void FN(pack_b)(REAL *to, const REAL *b, int64_t ldb, int64_t depth,
                       int64_t width)
{
    for (int64_t p = 0; p < depth; p++)
        for (int64_t j = 0; j < width; j += LANES)
            FN(store)(to + p * width + j, FN(load)(b + p * ldb + j));
}

static void FN(gemm)(const sfi_gemm *g, void *work)
{
    const int64_t m = g->m, n = g->n, k = g->k;
    const int64_t tiles = FN(tile_count)(m);
    const REAL *a = g->a, *b = g->b, *bias = g->bias;
    REAL *c = g->c;
    const bool packed = g->a_col != 1 && k > 1;
    /* Copying B pays where it is read more than a few times. */
    const bool copy = tiles > 2 && k > 1;
    const int64_t depth_most = FN(smaller)(k, DEPTH);
    REAL *b_copy = work;
    REAL *a_copy = b_copy + depth_most * FN(smaller)(n, B_COLS);

    for (int64_t j0 = 0; j0 < n; j0 += B_COLS) {
        const int64_t cols = FN(smaller)(n - j0, B_COLS);
        int64_t p0 = 0;
        do {
            const int64_t depth = FN(smaller)(k - p0, DEPTH);
            if (copy)
                for (int64_t j = 0; j < cols; j += GEMM_COLS)
                    FN(pack_b)
                    (b_copy + depth * j, b + p0 * g->ldb + j0 + j, g->ldb,
                     depth, FN(smaller)(cols - j, GEMM_COLS));
            for (int64_t t0 = 0; t0 < tiles; t0 += A_TILES) {
                const int64_t t1 = FN(smaller)(t0 + A_TILES, tiles);
                for (int64_t t = t0; packed && t < t1; t++) {
                    const int64_t i = FN(tile_start)(m, t);
                    FN(pack_a)
                    (a_copy + (t - t0) * GEMM_ROWS * depth,
                     a + i * g->a_row + p0 * g->a_col, g->a_row, g->a_col,
                     FN(tile_start)(m, t + 1) - i, depth);
                }
                for (int64_t j = 0; j < cols; j += GEMM_COLS) {
                    const int64_t width = FN(smaller)(cols - j, GEMM_COLS);
                    for (int64_t t = t0; t < t1; t++) {
                        const int64_t i = FN(tile_start)(m, t);
                        const int64_t rows = FN(tile_start)(m, t + 1) - i;
                        const FN(tile_job) job = {
                            .depth = depth,
                            .a = packed ? a_copy + (t - t0) * GEMM_ROWS * depth
                                        : a + i * g->a_row + p0,
                            .a_row = g->a_row,
                            .b = copy ? b_copy + depth * j
                                      : b + p0 * g->ldb + j0 + j,
                            .ldb = copy ? width : g->ldb,
                            .c = c + i * g->ldc + j0 + j,
                            .ldc = g->ldc,
                            .bias = bias != NULL ? bias + i : NULL,
                            .accumulate = g->accumulate || p0 > 0,
                        };
                        FN(tile_loops)
                        [packed][width / LANES - 1][rows - 1](&job);
                    }
                }
            }
            p0 += DEPTH;
        } while (p0 < k);
    }
}

/* The copy of B^T is padded with zeros to whole panels. */
static size_t FN(gemm_nt_work)(int64_t m, int64_t n, int64_t p)
{
    (void)m;
    const int64_t cols = (n + GEMM_COLS - 1) / GEMM_COLS * GEMM_COLS;
    return (size_t)(FN(smaller)(p, DEPTH) * FN(smaller)(cols, B_COLS) +
                    GEMM_ROWS * GEMM_COLS) *
           sizeof(REAL);
}

/* to[q*GEMM_COLS + j] = b[j*ldb + q], j < width; zero beyond. */
static void FN(pack_transposed)(REAL *to, const REAL *b, int64_t ldb,
                                int64_t depth, int64_t width)
{
    int64_t j = 0;
    for (; j + TILE <= width; j += TILE) {
        for (int64_t q = 0; q < depth; q += TILE) {
            T x[TILE];
            SFI_UNROLL(8)
            for (int i = 0; i < TILE; i++)
                x[i] = FN(tile_load)(b + (j + i) * ldb + q, LOOPS_F64);
            FN(tile_transpose)(x);
            SFI_UNROLL(8)
            for (int i = 0; i < TILE; i++)
                FN(tile_store)(to + (q + i) * GEMM_COLS + j, x[i], LOOPS_F64);
        }
    }
    for (; j < GEMM_COLS; j++)
        for (int64_t q = 0; q < depth; q++)
            to[q * GEMM_COLS + j] = j < width ? b[j * ldb + q] : C(0.0);
}

/* One tile at the right edge of C goes through a whole tile in memory. */
static void FN(edge_tile)(FN(tile_job) * job, int64_t rows, int64_t width,
                          REAL *whole)
{
    REAL *c = job->c;
    const int64_t ldc = job->ldc;
    memset(whole, 0, (size_t)(rows * GEMM_COLS) * sizeof(REAL));
    for (int64_t r = 0; job->accumulate && r < rows; r++)
        memcpy(whole + r * GEMM_COLS, c + r * ldc,
               (size_t)width * sizeof(REAL));
    job->c = whole;
    job->ldc = GEMM_COLS;
    FN(tile_loops)[0][1][rows - 1](job);
    for (int64_t r = 0; r < rows; r++)
        memcpy(c + r * ldc, whole + r * GEMM_COLS,
               (size_t)width * sizeof(REAL));
}

static void FN(gemm_nt)(const sfi_gemm_nt *g, void *work)
{
    const int64_t m = g->m, n = g->n, p = g->p;
    const int64_t tiles = FN(tile_count)(m);
    const REAL *a = g->a, *b = g->b;
    REAL *c = g->c, *whole = work;
    REAL *b_copy = whole + GEMM_ROWS * GEMM_COLS;
    for (int64_t j0 = 0; j0 < n; j0 += B_COLS) {
        const int64_t cols = FN(smaller)(n - j0, B_COLS);
        for (int64_t q0 = 0; q0 < p; q0 += DEPTH) {
            const int64_t depth = FN(smaller)(p - q0, DEPTH);
            for (int64_t j = 0; j < cols; j += GEMM_COLS)
                FN(pack_transposed)
                (b_copy + depth * j, b + (j0 + j) * g->ldb + q0, g->ldb, depth,
                 FN(smaller)(cols - j, GEMM_COLS));
            for (int64_t t0 = 0; t0 < tiles; t0 += A_TILES) {
                const int64_t t1 = FN(smaller)(t0 + A_TILES, tiles);
                for (int64_t j = 0; j < cols; j += GEMM_COLS) {
                    const int64_t width = FN(smaller)(cols - j, GEMM_COLS);
                    for (int64_t t = t0; t < t1; t++) {
                        const int64_t i = FN(tile_start)(m, t);
                        const int64_t rows = FN(tile_start)(m, t + 1) - i;
                        FN(tile_job)
                        job = {
                            .depth = depth,
                            .a = a + i * g->lda + q0,
                            .a_row = g->lda,
                            .b = b_copy + depth * j,
                            .ldb = GEMM_COLS,
                            .c = c + i * g->ldc + j0 + j,
                            .ldc = g->ldc,
                            .accumulate = g->accumulate || q0 > 0,
                        };
                        if (width == GEMM_COLS)
                            FN(tile_loops)[0][1][rows - 1](&job);
                        else
                            FN(edge_tile)(&job, rows, width, whole);
                    }
                }
            }
        }
    }
}
