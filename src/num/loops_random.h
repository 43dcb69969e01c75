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
typedef struct philox_lanes {
    vu64 c[4]; /* only the low halves count */
} philox_lanes;

SFI_INLINE void philox_rounds(philox_lanes *x, philox_lanes *y, uint64_t seed)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    SFI_UNROLL(10)
    for (int round = 0; round < 10; round++) {
        SFI_UNROLL(2)
        for (int i = 0; i < 2; i++) {
            philox_lanes *s = i == 0 ? x : y;
            const vu64 p = multiply_low_halves(s->c[0], 0xD2511F53u);
            const vu64 q = multiply_low_halves(s->c[2], 0xCD9E8D57u);
            s->c[0] = (q >> 32) ^ s->c[1] ^ (uint64_t)k0;
            s->c[1] = q;
            s->c[2] = (p >> 32) ^ s->c[3] ^ (uint64_t)k1;
            s->c[3] = p;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* The four words of component block `block` for VECTOR_BYTES/4 points from
 * where.point + offset on. */
SFI_INLINE void philox_words(vu32 words[4], sfi_where where, int64_t offset,
                             uint32_t block)
{
    vu64 steps = {0};
    for (int i = 0; i < VECTOR_BYTES / 8; i++)
        steps[i] = 2 * (uint64_t)i;
    const vu64 even = steps + (where.point + (uint64_t)offset);
    const vu64 odd = even + 1;
    const uint64_t stream = (uint64_t)(uint32_t)where.stream << 24;
    philox_lanes x, y;
    x.c[0] = even;
    x.c[1] = ((even >> 32) & 0xFFFFFFu) | stream;
    x.c[2] = (vu64){0} + where.step;
    x.c[3] = (vu64){0} + block;
    y.c[0] = odd;
    y.c[1] = ((odd >> 32) & 0xFFFFFFu) | stream;
    y.c[2] = x.c[2];
    y.c[3] = x.c[3];
    philox_rounds(&x, &y, where.seed);
    SFI_UNROLL(4)
    for (int i = 0; i < 4; i++)
        words[i] = (vu32)((x.c[i] & 0xFFFFFFFFu) | (y.c[i] << 32));
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

/* From here on x is the word as a signed number, plus a half: for the lower
 * half of the words u = x/2^32, and for the upper half u = 1 + x/2^32 with
 * x < 0, so that u and 1 - u are both known to full relative precision. */
SFI_INLINE V FN(unit)(V x)
{
    const V small = x * C(0x1p-32);
    const V u = FN(select)(x < 0, small + C(1.0), small);
    /* In single precision the last few would round to 1. */
    return LOOPS_F64 ? u : FN(lesser)(FN(splat)(C(1.0 - 0x1p-24)), u);
}

/* ln u < 0.  u = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2). */
SFI_INLINE V FN(log_unit)(V x)
{
    const V small = x * C(0x1p-32);
    const VI upper = x < 0;
    const V u = FN(select)(upper, small + C(1.0), small);
#if LOOPS_F64
    const BITS root_half = 0x3FE6A09E667F3BCD;
    const REAL magic = 0x1p52;
#else
    const BITS root_half = 0x3F3504F3;
    const REAL magic = 0x1p23F;
#endif
    /* The exponent field counted from sqrt(1/2), as a number: BIAS means 0. */
    const VU above = (VU)((VI)u - root_half) + ((BITS)BIAS << MANTISSA);
    const VI field = (VI)(above >> MANTISSA);
    const V k = (V)(field | (VI)FN(splat)(magic)) - (magic + C(BIAS));
    const V reduced = (V)((VI)u - ((field - BIAS) << MANTISSA));
    const VI near_1 = upper & (field == BIAS);
    const V f = FN(select)(near_1, small, reduced - C(1.0));
    return FN(fma)(k, FN(splat)(C(0x1.62e42fefa39efp-1)), FN(log1p_near_0)(f));
}

/* The angle is 2 pi u.  The quadrant is taken off in integers; what remains is
 * in [-pi/4, pi/4]. */
SFI_INLINE void FN(turn)(V rest, VI quadrant, V *cosine, V *sine)
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
    const V t = rest * C(0x1.921fb54442d18p-30);
    const V z = t * t;
    const V sin_t = FN(fma)(t * z, FN(polynomial)(z, s, (int)SFI_COUNT(s)), t);
    const V cos_t = FN(fma)(z * z, FN(polynomial)(z, c, (int)SFI_COUNT(c)),
                            FN(fma)(z, FN(splat)(C(-0.5)), FN(splat)(C(1.0))));
    const int top = (int)sizeof(REAL) * 8 - 1;
    const VI odd = -(quadrant & 1);
    const VI cos_sign = (VI)((VU)(quadrant + 1) >> 1 << top);
    const VI sin_sign = (VI)((VU)quadrant >> 1 << top);
    *cosine = (V)((VI)FN(select)(odd, sin_t, cos_t) ^ cos_sign);
    *sine = (V)((VI)FN(select)(odd, cos_t, sin_t) ^ sin_sign);
}

/* Box and Muller's pair from two words of each point; dst NULL: not wanted. */
SFI_INLINE void FN(normal_pair)(vu32 word0, vu32 word1, REAL *dst0, REAL *dst1)
{
    const vi32 rest = (vi32)(word1 << 2) >> 2;
    const vi32 quadrant = (vi32)((word1 + 0x20000000u) >> 30);
    SFI_UNROLL(2)
    for (int part = 0; part < PARTS; part++) {
        const V x = FN(real_part)((vi32)word0, part) + C(0.5);
        const V radius = FN(sqrt)(FN(log_unit)(x) * C(-2.0));
        V cosine, sine;
        FN(turn)
        (FN(real_part)(rest, part) + C(0.5), FN(int_part)(quadrant, part),
         &cosine, &sine);
        if (dst0 != NULL)
            FN(store)(dst0 + part * LANES, radius * cosine);
        if (dst1 != NULL)
            FN(store)(dst1 + part * LANES, radius * sine);
    }
}

static void FN(normal)(void *dst, int64_t ld, sfi_where where, uint32_t first,
                       int64_t n, int64_t dim)
{
    REAL *to = dst;
    const int64_t end = (int64_t)first + dim;
    for (int64_t block = first / 4; 4 * block < end; block++) {
        REAL *row[4];
        for (int64_t w = 0; w < 4; w++) {
            const int64_t j = 4 * block + w - (int64_t)first;
            row[w] = j >= 0 && j < dim ? to + j * ld : NULL;
        }
        const bool pair[2] = {row[0] != NULL || row[1] != NULL,
                              row[2] != NULL || row[3] != NULL};
        for (int64_t i = 0; i < n; i += PARTS * LANES) {
            vu32 words[4];
            philox_words(words, where, i, (uint32_t)block);
            SFI_UNROLL(2)
            for (int h = 0; h < 2; h++)
                if (pair[h])
                    FN(normal_pair)
            (words[2 * h], words[2 * h + 1],
             row[2 * h] != NULL ? row[2 * h] + i : NULL,
             row[2 * h + 1] != NULL ? row[2 * h + 1] + i : NULL);
        }
    }
}

static void FN(uniform)(void *dst, int64_t ld, sfi_where where, uint32_t first,
                        int64_t n, int64_t dim)
{
    REAL *to = dst;
    const int64_t end = (int64_t)first + dim;
    for (int64_t block = first / 4; 4 * block < end; block++) {
        for (int64_t i = 0; i < n; i += PARTS * LANES) {
            vu32 words[4];
            philox_words(words, where, i, (uint32_t)block);
            for (int64_t w = 0; w < 4; w++) {
                const int64_t j = 4 * block + w - (int64_t)first;
                if (j < 0 || j >= dim)
                    continue;
                for (int part = 0; part < PARTS; part++) {
                    const V x = FN(real_part)((vi32)words[w], part) + C(0.5);
                    FN(store)(to + j * ld + i + part * LANES, FN(unit)(x));
                }
            }
        }
    }
}
