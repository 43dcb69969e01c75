/* SPDX-License-Identifier: Apache-2.0 */
/* loops_random.h - Philox4x32-10 on vectors of points, and uniform and normal
 * draws from it; part of loops_template.h.
 *
 * One block of Philox gives the four words of components 4q to 4q+3 of one
 * point, so a vector of points gives four vectors of words.  The counters stand
 * in 64-bit lanes, of which the products read the low halves only: the even
 * points in one vector, the odd ones in another, and joining the two at the end
 * puts the points in order. */

#if !defined(PHILOX)
#define PHILOX

/* Vectors of counters that are worked on together.  Each round waits for the
 * one before it; several vectors fill the gaps. */
enum { PHILOX_CHAINS = 4 };

typedef struct philox_lanes {
    vu64 c[4]; /* only the low halves count */
} philox_lanes;

SFI_INLINE void philox_rounds(philox_lanes s[PHILOX_CHAINS], uint64_t seed)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    SFI_UNROLL(10)
    for (int round = 0; round < 10; round++) {
        SFI_UNROLL(8)
        for (int i = 0; i < PHILOX_CHAINS; i++) {
            const vu64 p = multiply_low_halves(s[i].c[0], 0xD2511F53u);
            const vu64 q = multiply_low_halves(s[i].c[2], 0xCD9E8D57u);
            s[i].c[0] = (q >> 32) ^ (s[i].c[1] ^ (uint64_t)k0);
            s[i].c[1] = q;
            s[i].c[2] = (p >> 32) ^ (s[i].c[3] ^ (uint64_t)k1);
            s[i].c[3] = p;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* Points whose words are made at a time: they stay in the first cache until
 * they are used. */
enum { PHILOX_POINTS = 128 };

/* words[w][i] is word w of component block `block` for point where.point + i,
 * i < n <= PHILOX_POINTS; n is rounded up to whole vectors. */
static void philox_words(uint32_t words[4][PHILOX_POINTS], sfi_where where,
                         uint32_t block, int64_t n)
{
    const int lanes = VECTOR_BYTES / 4;
    vu64 steps = {0};
    for (int i = 0; i < lanes / 2; i++)
        steps[i] = 2 * (uint64_t)i;
    const uint64_t stream = (uint64_t)(uint32_t)where.stream << 24;
    for (int64_t i = 0; i < n; i += PHILOX_CHAINS / 2 * lanes) {
        philox_lanes s[PHILOX_CHAINS];
        SFI_UNROLL(8)
        for (int k = 0; k < PHILOX_CHAINS; k++) {
            const vu64 point =
                steps + (where.point + (uint64_t)(i + k / 2 * lanes + k % 2));
            s[k].c[0] = point;
            s[k].c[1] = ((point >> 32) & 0xFFFFFFu) | stream;
            s[k].c[2] = (vu64){0} + where.step;
            s[k].c[3] = (vu64){0} + block;
        }
        philox_rounds(s, where.seed);
        SFI_UNROLL(8)
        for (int k = 0; k < PHILOX_CHAINS; k += 2) {
            SFI_UNROLL(4)
            for (int w = 0; w < 4; w++)
                *(vu32 *)(void *)&words[w][i + k / 2 * lanes] =
                    (vu32)((s[k].c[w] & 0xFFFFFFFFu) | (s[k + 1].c[w] << 32));
        }
    }
}
#endif

/* A vector of words makes PARTS vectors of REAL. */
#undef PARTS
#define PARTS (LOOPS_F64 ? 2 : 1)

SFI_INLINE V FN(real_part)(vi32 x, int part)
{
#if LOOPS_F64
    return part == 0 ? real_low(x) : real_high(x);
#else
    (void)part;
    return __builtin_convertvector(x, vf32);
#endif
}

SFI_INLINE VI FN(int_part)(vi32 x, int part)
{
#if LOOPS_F64
    return part == 0 ? widen_low(x) : widen_high(x);
#else
    (void)part;
    return x;
#endif
}

/* u = (word + 1/2)/2^32 with the word read as a signed number: that gives
 * `from_end` = u for the lower half of the words and u - 1 < 0 for the upper,
 * so that u and 1 - u are both known to full relative precision. */
SFI_INLINE V FN(from_end)(vi32 word, int part)
{
    return FN(fma)(FN(real_part)(word, part), FN(splat)(C(0x1p-32)),
                   FN(splat)(C(0x1p-33)));
}

SFI_INLINE V FN(unit)(V from_end)
{
    const V u = from_end + FN(flag)(from_end < 0);
    /* In single precision the last few would round to 1. */
    return LOOPS_F64 ? u : FN(lesser)(FN(splat)(C(1.0 - 0x1p-24)), u);
}

/* ln u < 0.  What u lost when 1 was added is put back into f: it matters where
 * u is next to 1. */
SFI_INLINE V FN(log_unit)(V from_end)
{
    const V end = FN(flag)(from_end < 0);
    const V u = from_end + end;
    const V lost = from_end - (u - end);
    V f;
    const V k = FN(log_parts)(u, &f);
    return FN(fma)(k, FN(splat)(C(0x1.62e42fefa39efp-1)),
                   FN(log1p_near_0)(f + lost));
}

/* Cosine and sine of 2 pi (word + 1/2)/2^32.  The quadrant is the two highest
 * bits after an eighth of a turn has been added; what remains is in
 * [-pi/4, pi/4]. */
SFI_INLINE void FN(turn)(vu32 word, int part, V *cosine, V *sine)
{
#if LOOPS_F64
    static const REAL s[] = {-0x1.5555555555548p-3,  0x1.111111110f741p-7,
                             -0x1.a01a019be8a28p-13, 0x1.71de3552d6905p-19,
                             -0x1.ae5e486553551p-26, 0x1.5d8a198594b49p-33};
    static const REAL c[] = {0x1.555555555554bp-5,  -0x1.6c16c16c1502ap-10,
                             0x1.a01a019c8f1e2p-16, -0x1.27e4f7eff34a0p-22,
                             0x1.1ee9d9a173f82p-29, -0x1.8fa4d9ab62fb8p-37};
#else
    static const REAL s[] = {-0x1.555546p-3F, 0x1.11072ep-7F, -0x1.993d72p-13F};
    static const REAL c[] = {0x1.55554ap-5F, -0x1.6c0c58p-10F, 0x1.99f2dep-16F};
#endif
    const REAL step = C(0x1.921fb54442d18p-30); /* 2 pi/2^32 */
    const vu32 ahead = word + 0x20000000u;
    const vi32 rest = (vi32)(word << 2) >> 2;
    const VI odd = FN(int_part)((vi32)(ahead << 1) >> 31, part);
    const VI sin_sign = FN(int_part)((vi32)ahead, part) & SIGN;
    const VI cos_sign = FN(int_part)((vi32)(ahead + 0x40000000u), part) & SIGN;
    const V t = FN(fma)(FN(real_part)(rest, part), FN(splat)(step),
                        FN(splat)(C(0.5) * step));
    const V z = t * t;
    const V sin_t = FN(fma)(t * z, FN(polynomial)(z, s, (int)SFI_COUNT(s)), t);
    const V cos_t = FN(fma)(
        z,
        FN(fma)(z, FN(polynomial)(z, c, (int)SFI_COUNT(c)), FN(splat)(C(-0.5))),
        FN(splat)(C(1.0)));
    *cosine = (V)((VI)FN(select)(odd, sin_t, cos_t) ^ cos_sign);
    *sine = (V)((VI)FN(select)(odd, cos_t, sin_t) ^ sin_sign);
}

/* Box and Muller's pairs from two words of each point.  The radius squared and the
 * angle are two loops: both are long chains of dependent operations, and the processor
 * keeps more points under way when each is short. */
SFI_INLINE void FN(normal_pairs)(const uint32_t *first, const uint32_t *second,
                                 REAL *even, REAL *odd, int64_t n,
                                 const bool want_even, const bool want_odd)
{
    SFI_ALIGNED(64) REAL square[PHILOX_POINTS];
    for (int64_t i = 0; i < n; i += PARTS * LANES) {
        const vi32 word = *(const vi32 *)(const void *)(first + i);
        SFI_UNROLL(2)
        for (int part = 0; part < PARTS; part++) {
            const V log_u = FN(log_unit)(FN(from_end)(word, part));
            FN(store)(square + i + part * LANES, log_u * C(-2.0));
        }
    }
    for (int64_t i = 0; i < n; i += PARTS * LANES) {
        const vu32 word = *(const vu32 *)(const void *)(second + i);
        SFI_UNROLL(2)
        for (int part = 0; part < PARTS; part++) {
            const V r = FN(sqrt)(FN(load)(square + i + part * LANES));
            V cosine, sine;
            FN(turn)(word, part, &cosine, &sine);
            if (want_even)
                FN(store)(even + i + part * LANES, r * cosine);
            if (want_odd)
                FN(store)(odd + i + part * LANES, r * sine);
        }
    }
}

static void FN(uniforms)(const uint32_t *word, REAL *to, int64_t n)
{
    for (int64_t i = 0; i < n; i += PARTS * LANES) {
        const vi32 a = *(const vi32 *)(const void *)(word + i);
        SFI_UNROLL(2)
        for (int part = 0; part < PARTS; part++)
            FN(store)(to + i + part * LANES, FN(unit)(FN(from_end)(a, part)));
    }
}

/* Either kind of draw; rows that are not wanted are NULL. */
SFI_INLINE void FN(draw)(REAL *dst, int64_t ld, sfi_where where, uint32_t first,
                         int64_t n, int64_t dim, const bool normal)
{
    const int64_t end = (int64_t)first + dim;
    SFI_ALIGNED(64) uint32_t words[4][PHILOX_POINTS];
    for (int64_t i = 0; i < n; i += PHILOX_POINTS) {
        const int64_t points = smaller(n - i, PHILOX_POINTS);
        for (int64_t block = first / 4; 4 * block < end; block++) {
            sfi_where from = where;
            from.point += (uint64_t)i;
            philox_words(words, from, (uint32_t)block, points);
            REAL *row[4];
            for (int64_t w = 0; w < 4; w++) {
                const int64_t j = 4 * block + w - (int64_t)first;
                row[w] = j >= 0 && j < dim ? dst + j * ld + i : NULL;
            }
            for (int w = 0; w < 4 && !normal; w++)
                if (row[w] != NULL)
                    FN(uniforms)(words[w], row[w], points);
            for (int w = 0; w < 4 && normal; w += 2) {
                if (row[w] != NULL && row[w + 1] != NULL)
                    FN(normal_pairs)
                (words[w], words[w + 1], row[w], row[w + 1], points, true,
                 true);
                else if (row[w] != NULL) FN(normal_pairs)(
                    words[w], words[w + 1], row[w], NULL, points, true, false);
                else if (row[w + 1] != NULL)
                    FN(normal_pairs)(words[w], words[w + 1], NULL, row[w + 1],
                                     points, false, true);
            }
        }
    }
}

static void FN(normal)(void *dst, int64_t ld, sfi_where where, uint32_t first,
                       int64_t n, int64_t dim)
{
    FN(draw)(dst, ld, where, first, n, dim, true);
}

static void FN(uniform)(void *dst, int64_t ld, sfi_where where, uint32_t first,
                        int64_t n, int64_t dim)
{
    FN(draw)(dst, ld, where, first, n, dim, false);
}
