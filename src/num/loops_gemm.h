/* SPDX-License-Identifier: Apache-2.0 */
/* loops_gemm.h - matrix products; part of loops_template.h.
 *
 * The inner loop computes a tile of C, up to GEMM_ROWS rows by GEMM_VECTORS
 * vectors, in registers while p runs over a block of k: one vector of B is used
 * for every row, one element of A for every vector.  Around it, in the manner
 * of K. Goto and R. van de Geijn, ACM TOMS 34 (2008), article 12:
 *
 *   for a chunk of p and of columns     (B there, B_COPY elements, stays in L2)
 *       copy B there into panels of one tile's width, so that the inner loop
 *       reads it in order whatever the stride (strides that are a power of two
 *       would map its rows to a few sets of the cache)
 *   for a block of rows of C            (C there stays in L2)
 *   for a block of p                    (DEPTH: one panel of B stays in L1,
 *                                        the block of A in L2)
 *   for every panel, every tile:        the inner loop
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
#undef GEMM_TALL
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
/* Where C is one vector wide, a tile has twice the rows: as many sums. */
#define GEMM_TALL (2 * GEMM_ROWS)
#define GEMM_COLS (GEMM_VECTORS * LANES)
/* Rows of a copied strip of A lie this far apart: whole vectors. */
#undef STRIP
#define STRIP ((GEMM_ROWS + LANES - 1) / LANES * LANES)

/* A panel of B is DEPTH*GEMM_COLS elements: 16 KiB with AVX2, 32 KiB with
 * AVX-512, whose processors have 48 KiB of L1.  The copy of B is 256 KiB, half
 * of the smallest L2 we care for.  A block of A is A_TILES*GEMM_ROWS*DEPTH
 * elements, about 100 KiB. */
#undef DEPTH
#undef CHUNK
#undef B_COPY
#undef A_TILES
#define DEPTH   256
#define CHUNK   (4 * DEPTH)
#define B_COPY  (LOOPS_F64 ? 32768 : 65536)
#define A_TILES (GEMM_ROWS > 8 ? 8 : 16)

/* `tiles` tiles of the same height below each other. */
typedef struct FN(tile_job) {
    int64_t tiles, depth;
    const REAL *a; /* element (r, p) at a[r*a_row + p] or, packed,
                      a[p*STRIP + r]                                */
    int64_t a_row;
    int64_t a_step; /* from one tile to the next                    */
    const REAL *b;  /* row p at b + p*ldb                           */
    int64_t ldb;
    REAL *c;
    int64_t ldc;
    const REAL *bias; /* of these rows, or NULL                     */
    bool accumulate;  /* start from C; else from bias or 0          */
} FN(tile_job);

SFI_INLINE void FN(tile)(const FN(tile_job) * job, const int rows,
                         const int vectors, const bool packed)
{
    const int64_t ldb = job->ldb, ldc = job->ldc, depth = job->depth;
    const int64_t a_row = packed ? 1 : job->a_row;
    const int64_t a_col = packed ? STRIP : 1;
    const int64_t a_step = job->a_step;
    const REAL *a_tile = job->a, *bias = job->bias;
    const bool accumulate = job->accumulate;
    REAL *c = job->c;
    for (int64_t t = job->tiles; t > 0; t--) {
        V sum[GEMM_TALL][GEMM_VECTORS];
        if (accumulate) {
            SFI_UNROLL(24)
            for (int r = 0; r < rows; r++) {
                SFI_UNROLL(4)
                for (int v = 0; v < vectors; v++)
                    sum[r][v] = FN(load)(c + r * ldc + v * LANES);
            }
        } else {
            SFI_UNROLL(24)
            for (int r = 0; r < rows; r++) {
                const V start = FN(splat)(bias != NULL ? bias[r] : C(0.0));
                SFI_UNROLL(4)
                for (int v = 0; v < vectors; v++)
                    sum[r][v] = start;
            }
        }
        /* Tall tiles take their lower half through a second pointer: the
         * multiples of a_row would not fit into the registers. */
        const int half = rows > 6 ? rows / 2 : rows;
        const REAL *a = a_tile, *lower = a_tile + half * a_row;
        const REAL *b = job->b;
        for (int64_t p = 0; p < depth; p++) {
            V x[GEMM_VECTORS];
            SFI_UNROLL(4)
            for (int v = 0; v < vectors; v++)
                x[v] = FN(load)(b + v * LANES);
            SFI_UNROLL(24)
            for (int r = 0; r < rows; r++) {
                const V y = FN(splat)(r < half ? a[r * a_row]
                                               : lower[(r - half) * a_row]);
                SFI_UNROLL(4)
                for (int v = 0; v < vectors; v++)
                    sum[r][v] = FN(fma)(y, x[v], sum[r][v]);
            }
            a += a_col;
            lower += a_col;
            b += ldb;
        }
        SFI_UNROLL(24)
        for (int r = 0; r < rows; r++) {
            SFI_UNROLL(4)
            for (int v = 0; v < vectors; v++)
                FN(store)(c + r * ldc + v * LANES, sum[r][v]);
        }
        a_tile += a_step;
        c += rows * ldc;
        bias = bias != NULL ? bias + rows : NULL;
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

#undef TALL_ROWS_LIST
#if SIMD_AVX512
#define TALL_ROWS_LIST(X)                                                      \
    X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24)
#elif SIMD_AVX2
#define TALL_ROWS_LIST(X) X(7) X(8) X(9) X(10) X(11) X(12)
#elif SIMD_NEON
#define TALL_ROWS_LIST(X) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)
#else
#define TALL_ROWS_LIST(X) X(5) X(6) X(7) X(8)
#endif

#undef TALL_FUNCTION
#define TALL_FUNCTION(rows)                                                    \
    static void FN(tall_##rows)(const FN(tile_job) * job)                      \
    {                                                                          \
        FN(tile)(job, rows, 1, false);                                         \
    }
TALL_ROWS_LIST(TALL_FUNCTION)

/* [rows - GEMM_ROWS - 1] */
#undef TILE_ENTRY
#define TILE_ENTRY(rows) FN(tall_##rows),
static const FN(tile_loop)
    FN(tall_loops)[GEMM_TALL - GEMM_ROWS] = {TALL_ROWS_LIST(TILE_ENTRY)};

/* m rows are split into as few tiles as can be, of nearly equal heights: a last
 * tile of one or two rows would leave the multipliers idle.  The first `taller`
 * tiles have one row more than the others. */
typedef struct FN(heights) {
    int64_t tiles, height, taller;
} FN(heights);

SFI_INLINE FN(heights) FN(split_rows)(int64_t m, int64_t most)
{
    const int64_t tiles = (m + most - 1) / most;
    const FN(heights) h = {tiles, m / tiles, m % tiles};
    return h;
}

SFI_INLINE int64_t FN(tile_start)(FN(heights) h, int64_t tile)
{
    return tile * h.height + smaller(tile, h.taller);
}

/* Tiles t0 to t1 of one panel: `job` describes tile t0.  Where the heights
 * change, the job is split. */
static void FN(run_tiles)(FN(tile_job) job, FN(heights) h, int64_t t0,
                          int64_t t1, int64_t vectors, bool packed)
{
    while (t0 < t1) {
        const bool taller = t0 < h.taller;
        const int64_t end = taller ? smaller(t1, h.taller) : t1;
        const int64_t rows = h.height + taller;
        job.tiles = end - t0;
        if (!packed)
            job.a_step = rows * job.a_row;
        if (rows > GEMM_ROWS)
            FN(tall_loops)[rows - GEMM_ROWS - 1](&job);
        else
            FN(tile_loops)[packed][vectors - 1][rows - 1](&job);
        job.a += job.tiles * job.a_step;
        job.c += job.tiles * rows * job.ldc;
        if (job.bias != NULL)
            job.bias += job.tiles * rows;
        t0 = end;
    }
}

/* A copied strip of A is a little longer than it need be: strips a power of two
 * apart would meet in the same sets of the cache while they are written. */
SFI_INLINE int64_t FN(strip_size)(int64_t depth)
{
    return depth * STRIP + 64 / (int64_t)sizeof(REAL);
}

/* How many of n columns are copied together when `chunk` rows are. */
SFI_INLINE int64_t FN(copy_cols)(int64_t n, int64_t chunk)
{
    const int64_t most = B_COPY / (chunk > 0 ? chunk : 1);
    const int64_t whole = most - most % GEMM_COLS;
    return smaller(n, whole > GEMM_COLS ? whole : GEMM_COLS);
}

static size_t FN(gemm_work)(int64_t m, int64_t n, int64_t k)
{
    const int64_t chunk = smaller(k, CHUNK);
    const int64_t b = chunk * FN(copy_cols)(n, chunk);
    const int64_t tiles = smaller((m + GEMM_ROWS - 1) / GEMM_ROWS, A_TILES);
    const int64_t a = tiles * FN(strip_size)(smaller(k, DEPTH));
    return (size_t)(a + b) * sizeof(REAL);
}

/* Copy `count` neighbouring groups of `rows` elements to strips. */
SFI_INLINE void FN(copy_groups)(REAL *strip, int64_t step, const REAL *from,
                                int64_t rows, int64_t count)
{
    for (; count > 0; count--) {
        SFI_UNROLL(4)
        for (int v = 0; v < STRIP; v += LANES)
            FN(store)(strip + v, FN(load)(from + v));
        from += rows;
        strip += step;
    }
}

/* Copy tiles t0 to t1 of A into strips; element (r, p) of a strip is at
 * [p*STRIP + r].  Where the rows of A are neighbours whole vectors are copied:
 * first the tiles that are taller, then the others; the last ones, where that
 * would read beyond A, go element by element. */
static void FN(pack_a)(REAL *to, const sfi_gemm *g, FN(heights) h, int64_t t0,
                       int64_t t1, int64_t p0, int64_t depth)
{
    const int64_t step = FN(strip_size)(depth);
    const int64_t first = FN(tile_start)(h, t0);
    int64_t whole = t0;
    while (g->a_row == 1 && whole < t1 &&
           FN(tile_start)(h, whole) + STRIP <= g->m)
        whole++;
    const int64_t t_taller = smaller(whole, h.taller);
    const int64_t taller = t_taller > t0 ? t_taller - t0 : 0;
    const int64_t others = whole - t0 - taller;
    for (int64_t p = 0; p < depth; p++) {
        const REAL *from =
            (const REAL *)g->a + first * g->a_row + (p0 + p) * g->a_col;
        REAL *strip = to + p * STRIP;
        FN(copy_groups)(strip, step, from, h.height + 1, taller);
        from += taller * (h.height + 1);
        strip += taller * step;
        FN(copy_groups)(strip, step, from, h.height, others);
        from += others * h.height;
        strip += others * step;
        for (int64_t t = whole; t < t1; t++) {
            const int64_t rows = h.height + (t < h.taller);
            for (int64_t r = 0; r < rows; r++)
                strip[r] = from[r * g->a_row];
            from += rows * g->a_row;
            strip += step;
        }
    }
}

/* Panel after panel: to[p*width + j] = b[p*ldb + j], where the last panel may be
 * narrower. */
static void FN(pack_b)(REAL *to, const REAL *b, int64_t ldb, int64_t depth,
                       int64_t cols)
{
    for (int64_t j0 = 0; j0 < cols; j0 += GEMM_COLS) {
        const int64_t width = smaller(cols - j0, GEMM_COLS);
        for (int64_t p = 0; p < depth; p++)
            for (int64_t j = 0; j < width; j += LANES)
                FN(store)(to + p * width + j, FN(load)(b + p * ldb + j0 + j));
        to += depth * width;
    }
}

/* One product under way. */
typedef struct FN(gemm_run) {
    const sfi_gemm *g;
    FN(heights) h;
    bool pack_a, copy_b;
    REAL *a_copy, *b_copy;
    int64_t j0, cols; /* the columns and ...                */
    int64_t chunk0;   /* ... the p that b_copy begins with  */
} FN(gemm_run);

/* Tiles t0 to t1, all columns of the chunk, `depth` steps from p0. */
static void FN(gemm_block)(const FN(gemm_run) * run, int64_t t0, int64_t t1,
                           int64_t p0, int64_t depth)
{
    const sfi_gemm *g = run->g;
    const REAL *a = g->a, *b = g->b, *bias = g->bias;
    const int64_t i = FN(tile_start)(run->h, t0);
    FN(tile_job)
    job = {
        .depth = depth,
        .a = run->pack_a ? run->a_copy : a + i * g->a_row + p0,
        .a_row = g->a_row,
        .a_step = FN(strip_size)(depth),
        .ldc = g->ldc,
        .bias = bias != NULL ? bias + i : NULL,
        .accumulate = g->accumulate || p0 > 0,
    };
    if (run->pack_a)
        FN(pack_a)(run->a_copy, g, run->h, t0, t1, p0, depth);
    for (int64_t j = 0; j < run->cols; j += GEMM_COLS) {
        const int64_t width = smaller(run->cols - j, GEMM_COLS);
        job.b = run->copy_b
                    ? run->b_copy + (p0 - run->chunk0) * run->cols + depth * j
                    : b + p0 * g->ldb + run->j0 + j;
        job.ldb = run->copy_b ? width : g->ldb;
        job.c = (REAL *)g->c + i * g->ldc + run->j0 + j;
        FN(run_tiles)(job, run->h, t0, t1, width / LANES, run->pack_a);
    }
}

/* All rows of C, `chunk` steps from run->chunk0. */
static void FN(gemm_chunk)(const FN(gemm_run) * run, int64_t chunk)
{
    const sfi_gemm *g = run->g;
    const int64_t end = run->chunk0 + chunk;
    const REAL *b = g->b;
    for (int64_t p = run->chunk0; run->copy_b && p < end; p += DEPTH)
        FN(pack_b)
    (run->b_copy + (p - run->chunk0) * run->cols, b + p * g->ldb + run->j0,
     g->ldb, smaller(end - p, DEPTH), run->cols);
    for (int64_t t = 0; t < run->h.tiles; t += A_TILES) {
        const int64_t t1 = smaller(t + A_TILES, run->h.tiles);
        int64_t p = run->chunk0;
        do { /* once where k is 0 */
            FN(gemm_block)(run, t, t1, p, smaller(end - p, DEPTH));
            p += DEPTH;
        } while (p < end);
    }
}

static void FN(gemm)(const sfi_gemm *g, void *work)
{
    const int64_t most = smaller(g->k, CHUNK);
    const int64_t cols = FN(copy_cols)(g->n, most);
    FN(gemm_run)
    run = {.g = g,
           .pack_a = g->a_col != 1 && g->k > 1,
           .b_copy = work,
           .a_copy = (REAL *)work + most * cols};
    run.h = FN(split_rows)(g->m,
                           run.pack_a || g->n > LANES ? GEMM_ROWS : GEMM_TALL);
    /* Copying B pays where it is read more than a few times, and is no panel as it
     * stands. */
    run.copy_b =
        run.h.tiles > 2 && g->k > 4 && (g->n > GEMM_COLS || g->ldb != g->n);
    for (run.j0 = 0; run.j0 < g->n; run.j0 += cols) {
        run.cols = smaller(g->n - run.j0, cols);
        run.chunk0 = 0;
        do {
            FN(gemm_chunk)(&run, smaller(g->k - run.chunk0, CHUNK));
            run.chunk0 += CHUNK;
        } while (run.chunk0 < g->k);
    }
}

/* ---- contraction over points ---------------------------------------------- */

/* Where one side of C is shorter than NARROW, its elements are computed as dot
 * products, vectors along the points; else B^T is copied into panels for the
 * tiles above. */
#undef NARROW
#undef DOT_LONG
#undef DOT_SHORT
#define NARROW    SFI_TALL
#define DOT_LONG  4 /* a block: 4 rows of the longer side */
#define DOT_SHORT 3 /* by up to 3 of the shorter          */

typedef struct FN(dot_job) {
    int64_t p;
    const REAL *x, *y; /* the longer and the shorter operand */
    int64_t ldx, ldy;
    REAL *c; /* element (long i, short j) at c[i*c_x + j*c_y] */
    int64_t c_x, c_y;
    bool accumulate;
} FN(dot_job);

SFI_INLINE void FN(dot_block)(const FN(dot_job) * d, int64_t i, int64_t j,
                              const int nx, const int ny)
{
    V sum[DOT_LONG][DOT_SHORT];
    SFI_UNROLL(4)
    for (int r = 0; r < nx; r++) {
        SFI_UNROLL(4)
        for (int s = 0; s < ny; s++)
            sum[r][s] = FN(splat)(C(0.0));
    }
    for (int64_t p = 0; p < d->p; p += LANES) {
        V y[DOT_SHORT];
        SFI_UNROLL(4)
        for (int s = 0; s < ny; s++)
            y[s] = FN(load)(d->y + (j + s) * d->ldy + p);
        SFI_UNROLL(4)
        for (int r = 0; r < nx; r++) {
            const V x = FN(load)(d->x + (i + r) * d->ldx + p);
            SFI_UNROLL(4)
            for (int s = 0; s < ny; s++)
                sum[r][s] = FN(fma)(x, y[s], sum[r][s]);
        }
    }
    SFI_UNROLL(4)
    for (int r = 0; r < nx; r++) {
        SFI_UNROLL(4)
        for (int s = 0; s < ny; s++) {
            REAL *c = d->c + (i + r) * d->c_x + (j + s) * d->c_y;
            const REAL total = FN(add_lanes)(sum[r][s]);
            *c = d->accumulate ? *c + total : total;
        }
    }
}

SFI_INLINE void FN(dot_columns)(const FN(dot_job) * d, int64_t nx, int64_t j,
                                const int ny)
{
    int64_t i = 0;
    for (; i + DOT_LONG <= nx; i += DOT_LONG)
        FN(dot_block)(d, i, j, DOT_LONG, ny);
    for (; i < nx; i++)
        FN(dot_block)(d, i, j, 1, ny);
}

static void FN(dot_products)(const FN(dot_job) * d, int64_t nx, int64_t ny)
{
    int64_t j = 0;
    for (; ny - j > 4 || ny - j == 3; j += 3)
        FN(dot_columns)(d, nx, j, 3);
    for (; ny - j >= 2; j += 2)
        FN(dot_columns)(d, nx, j, 2);
    if (j < ny)
        FN(dot_columns)(d, nx, j, 1);
}

/* The copy of B^T is padded with zeros to whole panels; one tile of C beside
 * it. */
static size_t FN(gemm_nt_work)(int64_t m, int64_t n, int64_t p)
{
    (void)m;
    const int64_t cols = (n + GEMM_COLS - 1) / GEMM_COLS * GEMM_COLS;
    return (size_t)(smaller(p, DEPTH) * FN(copy_cols)(cols, smaller(p, DEPTH)) +
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

/* The last panel of C, narrower than a tile: each tile goes through a whole one
 * in memory. */
static void FN(run_edge)(FN(tile_job) job, FN(heights) h, int64_t t0,
                         int64_t t1, int64_t width, REAL *whole)
{
    const size_t bytes = (size_t)width * sizeof(REAL);
    REAL *c = job.c;
    const int64_t ldc = job.ldc;
    job.c = whole;
    job.ldc = GEMM_COLS;
    for (int64_t t = t0; t < t1; t++) {
        const int64_t rows = h.height + (t < h.taller);
        memset(whole, 0, (size_t)(rows * GEMM_COLS) * sizeof(REAL));
        for (int64_t r = 0; job.accumulate && r < rows; r++)
            memcpy(whole + r * GEMM_COLS, c + r * ldc, bytes);
        FN(run_tiles)(job, h, t, t + 1, GEMM_VECTORS, false);
        for (int64_t r = 0; r < rows; r++)
            memcpy(c + r * ldc, whole + r * GEMM_COLS, bytes);
        job.a += rows * job.a_row;
        c += rows * ldc;
    }
}

static void FN(gemm_nt)(const sfi_gemm_nt *g, void *work)
{
    const int64_t m = g->m, n = g->n, p = g->p;
    const REAL *a = g->a, *b = g->b;
    REAL *c = g->c, *whole = work;
    if (m < NARROW && m < n) {
        const FN(dot_job)
            d = {p, b, a, g->ldb, g->lda, c, 1, g->ldc, g->accumulate};
        FN(dot_products)(&d, n, m);
        return;
    }
    if (n < NARROW) {
        const FN(dot_job)
            d = {p, a, b, g->lda, g->ldb, c, g->ldc, 1, g->accumulate};
        FN(dot_products)(&d, m, n);
        return;
    }
    const FN(heights) h = FN(split_rows)(m, GEMM_ROWS);
    REAL *b_copy = whole + GEMM_ROWS * GEMM_COLS;
    const int64_t most = FN(copy_cols)(
        (n + GEMM_COLS - 1) / GEMM_COLS * GEMM_COLS, smaller(p, DEPTH));
    for (int64_t j0 = 0; j0 < n; j0 += most) {
        const int64_t cols = smaller(n - j0, most);
        for (int64_t q0 = 0; q0 < p; q0 += DEPTH) {
            const int64_t depth = smaller(p - q0, DEPTH);
            for (int64_t j = 0; j < cols; j += GEMM_COLS)
                FN(pack_transposed)
            (b_copy + depth * j, b + (j0 + j) * g->ldb + q0, g->ldb, depth,
             smaller(cols - j, GEMM_COLS));
            for (int64_t t0 = 0; t0 < h.tiles; t0 += A_TILES) {
                const int64_t t1 = smaller(t0 + A_TILES, h.tiles);
                const int64_t i = FN(tile_start)(h, t0);
                for (int64_t j = 0; j < cols; j += GEMM_COLS) {
                    const int64_t width = smaller(cols - j, GEMM_COLS);
                    const FN(tile_job) job = {
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
                        FN(run_tiles)(job, h, t0, t1, GEMM_VECTORS, false);
                    else
                        FN(run_edge)(job, h, t0, t1, width, whole);
                }
            }
        }
    }
}
