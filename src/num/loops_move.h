/* SPDX-License-Identifier: Apache-2.0 */
/* loops_move.h - between points stored together and rows of one component;
 * part of loops_template.h.
 *
 * Everything is built from square tiles that are transposed in registers.  At
 * the end of a row the last tile overlaps the one before; fewer components or
 * points than a tile has go element by element. */

/* A tile is TILE vectors of TILE elements. */
#undef TILE
#if VECTOR_BYTES > 16
#define TILE (LOOPS_F64 ? 4 : 8)
#else
#define TILE (LOOPS_F64 ? 2 : 4)
#endif
#undef T
#define T FN(tile_row)
#if !defined(TILE_BYTES)
#define TILE_BYTES (VECTOR_BYTES > 16 ? 32 : 16)
typedef float tile_row_f32 SFI_VECTOR(TILE_BYTES);
typedef double tile_row_f64 SFI_VECTOR(TILE_BYTES);
typedef float tile_memory_f32 SFI_VECTOR_MEMORY(TILE_BYTES, 4);
typedef double tile_memory_f64 SFI_VECTOR_MEMORY(TILE_BYTES, 8);
/* As many floats as a tile row has doubles. */
typedef float tile_half_f32 SFI_VECTOR(TILE_BYTES / 2);
typedef float tile_half_memory_f32 SFI_VECTOR_MEMORY(TILE_BYTES / 2, 4);
#define SHUFFLE __builtin_shufflevector
#endif

/* x[i][j] <- x[j][i] */
SFI_INLINE void FN(tile_transpose)(T x[TILE])
{
#if VECTOR_BYTES > 16 && !LOOPS_F64
    T t[8], u[8];
    SFI_UNROLL(4)
    for (int i = 0; i < 8; i += 2) {
        t[i] = SHUFFLE(x[i], x[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        t[i + 1] = SHUFFLE(x[i], x[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    SFI_UNROLL(2)
    for (int i = 0; i < 8; i += 4) {
        SFI_UNROLL(2)
        for (int j = 0; j < 2; j++) {
            const T a = t[i + j], b = t[i + j + 2];
            u[i + 2 * j] = SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            u[i + 2 * j + 1] = SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    SFI_UNROLL(4)
    for (int i = 0; i < 4; i++) {
        x[i] = SHUFFLE(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        x[i + 4] = SHUFFLE(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#elif VECTOR_BYTES > 16
    const T a = SHUFFLE(x[0], x[1], 0, 4, 2, 6);
    const T b = SHUFFLE(x[0], x[1], 1, 5, 3, 7);
    const T c = SHUFFLE(x[2], x[3], 0, 4, 2, 6);
    const T d = SHUFFLE(x[2], x[3], 1, 5, 3, 7);
    x[0] = SHUFFLE(a, c, 0, 1, 4, 5);
    x[1] = SHUFFLE(b, d, 0, 1, 4, 5);
    x[2] = SHUFFLE(a, c, 2, 3, 6, 7);
    x[3] = SHUFFLE(b, d, 2, 3, 6, 7);
#elif !LOOPS_F64
    const T a = SHUFFLE(x[0], x[1], 0, 4, 1, 5);
    const T b = SHUFFLE(x[0], x[1], 2, 6, 3, 7);
    const T c = SHUFFLE(x[2], x[3], 0, 4, 1, 5);
    const T d = SHUFFLE(x[2], x[3], 2, 6, 3, 7);
    x[0] = SHUFFLE(a, c, 0, 1, 4, 5);
    x[1] = SHUFFLE(a, c, 2, 3, 6, 7);
    x[2] = SHUFFLE(b, d, 0, 1, 4, 5);
    x[3] = SHUFFLE(b, d, 2, 3, 6, 7);
#else
    const T a = SHUFFLE(x[0], x[1], 0, 2);
    x[1] = SHUFFLE(x[0], x[1], 1, 3);
    x[0] = a;
#endif
}

/* TILE consecutive numbers of either type as a tile row, and back.  Doubles that
 * become floats go in two halves; left to itself the compiler takes them through
 * memory. */
SFI_INLINE T FN(tile_load)(const void *p, bool is_f64)
{
#if LOOPS_F64
    if (is_f64)
        return *(const tile_memory_f64 *)p;
    return __builtin_convertvector(*(const tile_half_memory_f32 *)p, T);
#else
    if (!is_f64)
        return *(const tile_memory_f32 *)p;
    const tile_memory_f64 *d = p;
    const tile_half_f32 low = __builtin_convertvector(d[0], tile_half_f32);
    const tile_half_f32 high = __builtin_convertvector(d[1], tile_half_f32);
#if VECTOR_BYTES > 16
    return SHUFFLE(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
#else
    return SHUFFLE(low, high, 0, 1, 2, 3);
#endif
#endif
}

SFI_INLINE void FN(tile_store)(void *p, T x, bool is_f64)
{
#if LOOPS_F64
    if (is_f64)
        *(tile_memory_f64 *)p = x;
    else
        *(tile_half_memory_f32 *)p =
            __builtin_convertvector(x, tile_half_memory_f32);
#else
    if (!is_f64) {
        *(tile_memory_f32 *)p = x;
        return;
    }
#if VECTOR_BYTES > 16
    const tile_half_f32 low = SHUFFLE(x, x, 0, 1, 2, 3);
    const tile_half_f32 high = SHUFFLE(x, x, 4, 5, 6, 7);
#else
    const tile_half_f32 low = SHUFFLE(x, x, 0, 1);
    const tile_half_f32 high = SHUFFLE(x, x, 2, 3);
#endif
    tile_memory_f64 *d = p;
    d[0] = __builtin_convertvector(low, tile_row_f64);
    d[1] = __builtin_convertvector(high, tile_row_f64);
#endif
}

SFI_INLINE REAL FN(get)(const char *p, bool is_f64)
{
    return is_f64 ? (REAL) * (const double *)(const void *)p
                  : (REAL) * (const float *)(const void *)p;
}

SFI_INLINE void FN(put)(char *p, REAL x, bool is_f64)
{
    if (is_f64)
        *(double *)(void *)p = (double)x;
    else
        *(float *)(void *)p = (float)x;
}

/* TILE points, whose numbers start at row[k], into columns i to i + TILE-1 of
 * dst, components j to j + TILE-1. */
SFI_INLINE void FN(load_tile)(REAL *dst, int64_t ld, const char *const *row,
                              int64_t j, bool is_f64)
{
    const int64_t at = j * (is_f64 ? 8 : 4);
    T x[TILE];
    SFI_UNROLL(8)
    for (int k = 0; k < TILE; k++)
        x[k] = FN(tile_load)(row[k] + at, is_f64);
    FN(tile_transpose)(x);
    SFI_UNROLL(8)
    for (int k = 0; k < TILE; k++)
        FN(tile_store)(dst + (j + k) * ld, x[k], LOOPS_F64);
}

/* `count` points, 2 TILE, TILE or 1, into columns of dst. */
SFI_INLINE void FN(load_some)(REAL *dst, int64_t ld, const char *const *row,
                              bool is_f64, int64_t dim, const int count)
{
    const int64_t size = is_f64 ? 8 : 4;
    if (count < TILE || dim < TILE) {
        for (int64_t j = 0; j < dim; j++)
            for (int k = 0; k < count; k++)
                dst[j * ld + k] = FN(get)(row[k] + j * size, is_f64);
        return;
    }
    for (int64_t j = 0; j < dim; j += TILE) {
        const int64_t at = smaller(j, dim - TILE);
        FN(load_tile)(dst, ld, row, at, is_f64);
        if (count > TILE)
            FN(load_tile)(dst + TILE, ld, row + TILE, at, is_f64);
    }
}

/* A row of one component, in whole tiles: how many of its points that are. */
SFI_INLINE int64_t FN(load_run)(REAL *dst, const char *src, bool is_f64,
                                int64_t points)
{
    int64_t i = 0;
    for (; i + TILE <= points; i += TILE)
        FN(tile_store)
    (dst + i, FN(tile_load)(src + i * (is_f64 ? 8 : 4), is_f64), LOOPS_F64);
    return i;
}

/* Two tiles of points are loaded together, so that the lines of dst, which may
 * all lie in a few sets of the cache, are written whole. */
SFI_INLINE void FN(load_as)(REAL *dst, int64_t ld, const char *src, bool is_f64,
                            int64_t stride, const int64_t *rows, int64_t points,
                            int64_t padded, int64_t dim)
{
    const int64_t row_bytes = stride * (is_f64 ? 8 : 4);
    int64_t i = dim == 1 && stride == 1 && rows == NULL
                    ? FN(load_run)(dst, src, is_f64, points)
                    : 0;
    while (i < points) {
        const char *row[2 * TILE];
        const int count = points - i >= 2 * TILE ? 2 * TILE
                          : points - i >= TILE   ? TILE
                                                 : 1;
        for (int k = 0; k < count; k++)
            row[k] = src + (rows != NULL ? rows[i + k] : i + k) * row_bytes;
        if (count == 2 * TILE)
            FN(load_some)(dst + i, ld, row, is_f64, dim, 2 * TILE);
        else if (count == TILE)
            FN(load_some)(dst + i, ld, row, is_f64, dim, TILE);
        else
            FN(load_some)(dst + i, ld, row, is_f64, dim, 1);
        i += count;
    }
    for (int64_t j = 0; j < dim && i < padded; j++)
        for (int64_t k = i; k < padded; k++)
            dst[j * ld + k] = dst[j * ld + points - 1];
}

static void FN(load_points)(void *dst, int64_t ld, const void *src,
                            sf_dtype src_type, int64_t stride,
                            const int64_t *rows, int64_t points, int64_t padded,
                            int64_t dim)
{
    if (src_type == SF_F64)
        FN(load_as)(dst, ld, src, true, stride, rows, points, padded, dim);
    else
        FN(load_as)(dst, ld, src, false, stride, rows, points, padded, dim);
}

/* The way back: TILE components, from row src on, of TILE points. */
SFI_INLINE void FN(store_tile)(char *to, int64_t row_bytes, bool is_f64,
                               const REAL *src, int64_t ld)
{
    T x[TILE];
    SFI_UNROLL(8)
    for (int k = 0; k < TILE; k++)
        x[k] = FN(tile_load)(src + k * ld, LOOPS_F64);
    FN(tile_transpose)(x);
    SFI_UNROLL(8)
    for (int k = 0; k < TILE; k++)
        FN(tile_store)(to + k * row_bytes, x[k], is_f64);
}

SFI_INLINE void FN(store_some)(char *to, int64_t row_bytes, bool is_f64,
                               const REAL *src, int64_t ld, int64_t dim,
                               const int count)
{
    const int64_t size = is_f64 ? 8 : 4;
    if (count < TILE || dim < TILE) {
        for (int64_t j = 0; j < dim; j++)
            for (int k = 0; k < count; k++)
                FN(put)(to + k * row_bytes + j * size, src[j * ld + k], is_f64);
        return;
    }
    for (int64_t j = 0; j < dim; j += TILE) {
        const int64_t at = smaller(j, dim - TILE);
        char *first = to + at * size;
        FN(store_tile)(first, row_bytes, is_f64, src + at * ld, ld);
        if (count > TILE)
            FN(store_tile)
        (first + TILE * row_bytes, row_bytes, is_f64, src + at * ld + TILE, ld);
    }
}

SFI_INLINE int64_t FN(store_run)(char *dst, bool is_f64, const REAL *src,
                                 int64_t points)
{
    int64_t i = 0;
    for (; i + TILE <= points; i += TILE)
        FN(tile_store)
    (dst + i * (is_f64 ? 8 : 4), FN(tile_load)(src + i, LOOPS_F64), is_f64);
    return i;
}

/* Two tiles together here too: the lines of src are read whole. */
SFI_INLINE void FN(store_as)(char *dst, bool is_f64, int64_t stride,
                             const REAL *src, int64_t ld, int64_t points,
                             int64_t dim)
{
    const int64_t row_bytes = stride * (is_f64 ? 8 : 4);
    int64_t i =
        dim == 1 && stride == 1 ? FN(store_run)(dst, is_f64, src, points) : 0;
    for (; i + 2 * TILE <= points; i += 2 * TILE)
        FN(store_some)
    (dst + i * row_bytes, row_bytes, is_f64, src + i, ld, dim, 2 * TILE);
    for (; i + TILE <= points; i += TILE)
        FN(store_some)
    (dst + i * row_bytes, row_bytes, is_f64, src + i, ld, dim, TILE);
    for (; i < points; i++)
        FN(store_some)
    (dst + i * row_bytes, row_bytes, is_f64, src + i, ld, dim, 1);
}

static void FN(store_points)(void *dst, sf_dtype dst_type, int64_t stride,
                             const void *src, int64_t ld, int64_t points,
                             int64_t dim)
{
    if (dst_type == SF_F64)
        FN(store_as)(dst, true, stride, src, ld, points, dim);
    else
        FN(store_as)(dst, false, stride, src, ld, points, dim);
}

static void FN(transpose)(void *dst, int64_t ldd, const void *src, int64_t lds,
                          int64_t rows, int64_t cols)
{
    FN(store_as)(dst, LOOPS_F64, ldd, src, lds, cols, rows);
}
