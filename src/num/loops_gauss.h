/* SPDX-License-Identifier: Apache-2.0 */
/* loops_gauss.h - sums over Gaussians around points in few dimensions; part of
 * loops_template.h.
 *
 * Differences, exponential and sums of a vector of points stay in registers: no
 * logit is stored, and none is the difference of large numbers. */

/* Second moments, k >= l. */
#undef GAUSS_PAIRS
#define GAUSS_PAIRS (SFI_GAUSS_DIM * (SFI_GAUSS_DIM + 1) / 2)

/* Vectors that go together; rows are whole numbers of 16. */
#undef GAUSS_WIDE
#define GAUSS_WIDE (LANES > 8 ? 1 : 2)

/* t and l - shift of the points at i. */
SFI_INLINE V FN(gauss_logit)(const sfi_gauss *g, const int d, bool scaled,
                             int64_t i, V *t, V *scale)
{
    const REAL *points = g->points;
    V square = FN(splat)(C(0.0));
    SFI_UNROLL(4)
    for (int k = 0; k < d; k++) {
        t[k] = FN(load)(points + k * g->ld + i) - C(g->x[k]);
        square = k == 0 ? t[k] * t[k] : FN(fma)(t[k], t[k], square);
    }
    V half = FN(splat)(C(g->half));
    if (scaled) {
        *scale = FN(load)((const REAL *)g->scales + i);
        half = half * *scale;
    }
    return FN(fma)(square, half, FN(load)((const REAL *)g->bias + i)) -
           C(g->shift);
}

SFI_INLINE double FN(gauss)(const sfi_gauss *g, double *sums, const int d,
                            const bool first, const bool second,
                            const bool scaled)
{
    const V zero = FN(splat)(C(0.0));
    V mass = zero, sum_s = zero, top = FN(splat)(C(-INFINITY));
    V sum[SFI_GAUSS_DIM], sum_st[SFI_GAUSS_DIM], pairs[GAUSS_PAIRS];
    SFI_UNROLL(4)
    for (int k = 0; k < SFI_GAUSS_DIM; k++)
        sum[k] = sum_st[k] = zero;
    SFI_UNROLL(8)
    for (int k = 0; k < GAUSS_PAIRS; k++)
        pairs[k] = zero;
    for (int64_t i = 0; i < g->n; i += GAUSS_WIDE * LANES) {
        V t[GAUSS_WIDE][SFI_GAUSS_DIM], s[GAUSS_WIDE], e[GAUSS_WIDE];
        SFI_UNROLL(4)
        for (int v = 0; v < GAUSS_WIDE; v++) {
            e[v] = FN(gauss_logit)(g, d, scaled, i + v * LANES, t[v], &s[v]);
            top = FN(greater)(e[v], top);
        }
        FN(exp_normal_of)(e, GAUSS_WIDE);
        SFI_UNROLL(4)
        for (int v = 0; v < GAUSS_WIDE; v++) {
            mass = mass + e[v];
            const V es = scaled ? e[v] * s[v] : zero;
            if (first && scaled)
                sum_s = sum_s + es;
            SFI_UNROLL(4)
            for (int k = 0; k < d && first; k++) {
                sum[k] = FN(fma)(e[v], t[v][k], sum[k]);
                if (scaled)
                    sum_st[k] = FN(fma)(es, t[v][k], sum_st[k]);
                const V et = e[v] * t[v][k];
                SFI_UNROLL(4)
                for (int j = 0; j <= k && second; j++)
                    pairs[k * (k + 1) / 2 + j] =
                        FN(fma)(et, t[v][j], pairs[k * (k + 1) / 2 + j]);
            }
        }
    }
    *sums++ = (double)FN(add_lanes)(mass);
    if (first) {
        SFI_UNROLL(4)
        for (int k = 0; k < d; k++)
            *sums++ = (double)FN(add_lanes)(sum[k]);
    }
    if (first && scaled) {
        *sums++ = (double)FN(add_lanes)(sum_s);
        SFI_UNROLL(4)
        for (int k = 0; k < d; k++)
            *sums++ = (double)FN(add_lanes)(sum_st[k]);
    }
    if (second) {
        SFI_UNROLL(8)
        for (int k = 0; k < d * (d + 1) / 2; k++)
            *sums++ = (double)FN(add_lanes)(pairs[k]);
    }
    return FN(largest_lane)(top);
}

#undef GAUSS_CASE
#define GAUSS_CASE(d, moments, scaled)                                         \
    case 8 * (d) + 2 * (moments) + (scaled):                                   \
        return FN(gauss)(g, sums, d, (moments) > 0, (moments) > 1, scaled);
#undef GAUSS_CASES
#define GAUSS_CASES(d)                                                         \
    GAUSS_CASE(d, 0, 0)                                                        \
    GAUSS_CASE(d, 1, 0)                                                        \
    GAUSS_CASE(d, 2, 0)                                                        \
    GAUSS_CASE(d, 0, 1)                                                        \
    GAUSS_CASE(d, 1, 1)                                                        \
    GAUSS_CASE(d, 2, 1)

static double FN(gauss_sums)(const sfi_gauss *g, double *sums)
{
    switch (8 * (int)g->d + 2 * g->moments + (g->scales != NULL)) {
        GAUSS_CASES(1)
        GAUSS_CASES(2)
        GAUSS_CASES(3)
    default:
        return NAN;
    }
}

static void FN(gauss_logits)(const sfi_gauss *g, void *row)
{
    REAL *to = row;
    for (int64_t i = 0; i < g->n; i += LANES) {
        V t[SFI_GAUSS_DIM], s;
        FN(store)
        (to + i, FN(gauss_logit)(g, (int)g->d, g->scales != NULL, i, t, &s));
    }
}
