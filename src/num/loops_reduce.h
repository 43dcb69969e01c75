/* SPDX-License-Identifier: Apache-2.0 */
/* loops_reduce.h - sums, and the optimiser's step; part of loops_template.h.
 *
 * Sums are kept in SUMS vectors of doubles: element i goes to one that depends
 * on i alone, and they are added up in order at the end. */

#undef SUMS
#define SUMS 4
SFI_INLINE vf64 FN(double_part)(V x, int part)
{
#if LOOPS_F64
    (void)part;
    return x;
#else
    return part == 0 ? double_low(x) : double_high(x);
#endif
}

/* What is added for the elements x and y. */
SFI_INLINE vf64 FN(add_plain)(vf64 sum, vf64 x, SFI_UNUSED vf64 y)
{
    return sum + x;
}

SFI_INLINE vf64 FN(add_product)(vf64 sum, vf64 x, vf64 y)
{
    return fma_f64(x, y, sum);
}

/* Parts of V as doubles: 2 for float, 1 for double. */
#undef DOUBLE_PARTS
#define DOUBLE_PARTS (LOOPS_F64 ? 1 : 2)
#undef STRIDE
#define STRIDE (SUMS / DOUBLE_PARTS * LANES)

SFI_INLINE double FN(reduce)(const REAL *a, const REAL *b, int64_t n,
                             vf64 (*add)(vf64, vf64, vf64))
{
    vf64 sums[SUMS] = {{0}, {0}, {0}, {0}};
    for (int64_t i = 0; i < n; i += STRIDE) {
        V x[SUMS / DOUBLE_PARTS], y[SUMS / DOUBLE_PARTS];
        if (i + STRIDE <= n) {
            SFI_UNROLL(4)
            for (int k = 0; k < SUMS / DOUBLE_PARTS; k++) {
                x[k] = FN(load)(a + i + k * LANES);
                y[k] = FN(load)(b + i + k * LANES);
            }
        } else {
            memset(x, 0, sizeof x);
            memset(y, 0, sizeof y);
            memcpy(x, a + i, (size_t)(n - i) * sizeof *a);
            memcpy(y, b + i, (size_t)(n - i) * sizeof *b);
        }
        SFI_UNROLL(4)
        for (int k = 0; k < SUMS; k++)
            sums[k] = add(
                sums[k], FN(double_part)(x[k / DOUBLE_PARTS], k % DOUBLE_PARTS),
                FN(double_part)(y[k / DOUBLE_PARTS], k % DOUBLE_PARTS));
    }
    return add_lanes_f64((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

static double FN(sum)(const void *a, int64_t n)
{
    return FN(reduce)(a, a, n, FN(add_plain));
}

static double FN(sum_squares)(const void *a, int64_t n)
{
    return FN(reduce)(a, a, n, FN(add_product));
}

static double FN(dot)(const void *a, const void *b, int64_t n)
{
    return FN(reduce)(a, b, n, FN(add_product));
}

/* What a row of values is: see sfi_tally.  Beyond the row's end all are missing. */
#if LOOPS_F64
static void tally_f64(sfi_tally *t, const double *values, int64_t n, double w,
                      const double *weights)
{
    enum { TALLY_PARTS = SFI_TALLY_LANES / LANES };
    V low[TALLY_PARTS], high[TALLY_PARTS], sum[TALLY_PARTS],
        weight[TALLY_PARTS], there[TALLY_PARTS];
    memcpy(low, t->low, sizeof low);
    memcpy(high, t->high, sizeof high);
    memcpy(sum, t->sum, sizeof sum);
    memcpy(weight, t->weight, sizeof weight);
    memcpy(there, t->there, sizeof there);
    for (int64_t i = 0; i < n; i += SFI_TALLY_LANES) {
        double f[SFI_TALLY_LANES], c[SFI_TALLY_LANES];
        const double *from = values + i;
        const double *by = weights != NULL ? weights + i : NULL;
        if (n - i < SFI_TALLY_LANES) {
            for (int k = 0; k < SFI_TALLY_LANES; k++) {
                f[k] = i + k < n ? from[k] : (double)NAN;
                c[k] = by != NULL && i + k < n ? by[k] : 0.0;
            }
            from = f;
            by = by != NULL ? c : NULL;
        }
        SFI_UNROLL(4)
        for (int k = 0; k < TALLY_PARTS; k++) {
            const V x = load_f64(from + k * LANES), zero = splat_f64(0.0);
            const V u = by != NULL ? splat_f64(w) * load_f64(by + k * LANES)
                                   : splat_f64(w);
            low[k] = lesser_f64(x, low[k]);
            high[k] = greater_f64(x, high[k]);
            sum[k] = sum[k] + select_f64(x == x, u * x, zero);
            weight[k] = weight[k] + select_f64(x == x, u, zero);
            there[k] = there[k] + select_f64(x == x, splat_f64(1.0), zero);
        }
    }
    memcpy(t->low, low, sizeof low);
    memcpy(t->high, high, sizeof high);
    memcpy(t->sum, sum, sizeof sum);
    memcpy(t->weight, weight, sizeof weight);
    memcpy(t->there, there, sizeof there);
}
#endif

/* `vectors` of them, side by side in registers. */
SFI_INLINE void FN(sum_some_rows)(REAL *dst, const REAL *rows, int64_t stride,
                                  int64_t count, bool accumulate,
                                  const int vectors)
{
    V sum[4];
    const REAL *from = accumulate ? dst : rows;
    SFI_UNROLL(4)
    for (int v = 0; v < vectors; v++)
        sum[v] = FN(load)(from + v * LANES);
    for (int64_t j = accumulate ? 0 : 1; j < count; j++) {
        SFI_UNROLL(4)
        for (int v = 0; v < vectors; v++)
            sum[v] = sum[v] + FN(load)(rows + j * stride + v * LANES);
    }
    SFI_UNROLL(4)
    for (int v = 0; v < vectors; v++)
        FN(store)(dst + v * LANES, sum[v]);
}

static void FN(sum_rows)(void *dst, const void *rows, int64_t stride,
                         int64_t count, int64_t n, bool accumulate)
{
    REAL *to = dst;
    const REAL *from = rows;
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        FN(sum_some_rows)(to + i, from + i, stride, count, accumulate, 4);
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        FN(sum_some_rows)(to + i, from + i, stride, count, accumulate, 2);
    for (; i < n; i += LANES)
        FN(sum_some_rows)(to + i, from + i, stride, count, accumulate, 1);
}

static double FN(add_parts)(void *dst, const void *const *parts, int count,
                            int64_t n)
{
    REAL *to = dst;
    /* A stretch that stays in the first cache while the parts are added and its
     * squares are summed; the order of the sum depends on n alone. */
    enum { STRETCH = 2048 };
    double total = 0.0;
    for (int64_t i = 0; i < n; i += STRETCH) {
        const int64_t size = smaller(n - i, STRETCH);
        if (count == 0)
            memset(to + i, 0, (size_t)size * sizeof *to);
        else if (to != parts[0])
            memcpy(to + i, (const REAL *)parts[0] + i,
                   (size_t)size * sizeof *to);
        for (int k = 1; k < count; k++)
            FN(ew_add_0)
        (to + i, to + i, (const REAL *)parts[k] + i, NULL, size);
        total += FN(sum_squares)(to + i, size);
    }
    return total;
}

SFI_INLINE double FN(largest_lane)(V x)
{
    double most = -INFINITY;
    for (int k = 0; k < LANES; k++)
        most = x[k] > most ? (double)x[k] : most;
    return most;
}

static double FN(largest)(const void *row, int64_t n)
{
    const REAL *from = row;
    V top[2] = {FN(splat)(C(-INFINITY)), FN(splat)(C(-INFINITY))};
    for (int64_t i = 0; i < n; i += 16) {
        SFI_UNROLL(16)
        for (int k = 0; k < 16 / LANES; k++) {
            const V x = FN(load)(from + i + k * LANES);
            top[k % 2] = FN(greater)(x, top[k % 2]);
        }
    }
    return FN(largest_lane)(FN(greater)(top[0], top[1]));
}

static double FN(exp_sum)(void *row, double shift, int64_t n, double *most)
{
    REAL *to = row;
    const V by = FN(splat)(C(shift));
    V sums[2] = {FN(splat)(C(0.0)), FN(splat)(C(0.0))};
    V top[2] = {FN(splat)(C(-INFINITY)), FN(splat)(C(-INFINITY))};
    /* Sixteen numbers at a time, in at most four vectors of them together. */
    const int together = 16 / LANES > 4 ? 4 : 16 / LANES;
    for (int64_t i = 0; i < n; i += together * LANES) {
        V x[EXP_MOST];
        SFI_UNROLL(4)
        for (int k = 0; k < together; k++) {
            x[k] = FN(load)(to + i + k * LANES) - by;
            top[k % 2] = FN(greater)(x[k], top[k % 2]);
        }
        FN(exp_normal_of)(x, together);
        SFI_UNROLL(4)
        for (int k = 0; k < together; k++) {
            FN(store)(to + i + k * LANES, x[k]);
            sums[k % 2] = sums[k % 2] + x[k];
        }
    }
    *most = FN(largest_lane)(FN(greater)(top[0], top[1]));
    double total = 0.0;
    for (int k = 0; k < LANES; k++)
        total += (double)sums[0][k] + (double)sums[1][k];
    return total;
}

typedef struct FN(adam_state) {
    V w, m, v, ema;
} FN(adam_state);

SFI_INLINE void FN(adam_step)(FN(adam_state) * s, V g, const sfi_adam *a)
{
    const V b1 = FN(splat)(C(a->beta1)), b2 = FN(splat)(C(a->beta2));
    g = g * C(a->gscale);
    s->m = FN(fma)(b1, s->m, g * C(1.0 - a->beta1));
    s->v = FN(fma)(b2, s->v, g * g * C(1.0 - a->beta2));
    const V root = FN(sqrt)(s->v * C(1.0 / a->c2)) + C(a->eps);
    const V move = s->m * C(a->rate / a->c1) / root;
    s->w = FN(fma)(FN(splat)(C(-a->rate * a->decay)), s->w, s->w) - move;
    s->ema = FN(fma)(FN(splat)(C(1.0 - a->ema_keep)), s->w - s->ema, s->ema);
}

static void FN(adam)(void *w, void *m, void *v, void *ema, const void *g,
                     int64_t n, const sfi_adam *a)
{
    REAL *const state[4] = {w, m, v, ema};
    const REAL *gradient = g;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        FN(adam_state)
        s = {FN(load)(state[0] + i), FN(load)(state[1] + i),
             FN(load)(state[2] + i), FN(load)(state[3] + i)};
        FN(adam_step)(&s, FN(load)(gradient + i), a);
        FN(store)(state[0] + i, s.w);
        FN(store)(state[1] + i, s.m);
        FN(store)(state[2] + i, s.v);
        FN(store)(state[3] + i, s.ema);
    }
    if (i == n)
        return;
    const size_t bytes = (size_t)(n - i) * sizeof *gradient;
    FN(adam_state) s = {{0}, {0}, {0}, {0}};
    V last = {0};
    memcpy(&s.w, state[0] + i, bytes);
    memcpy(&s.m, state[1] + i, bytes);
    memcpy(&s.v, state[2] + i, bytes);
    memcpy(&s.ema, state[3] + i, bytes);
    memcpy(&last, gradient + i, bytes);
    FN(adam_step)(&s, last, a);
    memcpy(state[0] + i, &s.w, bytes);
    memcpy(state[1] + i, &s.m, bytes);
    memcpy(state[2] + i, &s.v, bytes);
    memcpy(state[3] + i, &s.ema, bytes);
}
