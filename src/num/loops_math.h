/* SPDX-License-Identifier: Apache-2.0 */
/* loops_math.h - functions of one vector; part of loops_template.h.
 *
 * exp, sigmoid, tanh, softplus and what the random draws need are written out
 * here; the other functions are SLEEF's.  Of SLEEF we take the `finz`/`cinz`
 * versions, whose lanes do not look at each other: its faster ones leave a
 * short cut as soon as one lane is out of range, and the result for a point
 * would depend on its neighbours.
 *
 * Polynomial coefficients come from tools/minimax.py. */

/* c[0] + c[1] x + ..., at most 32 terms: neighbours are joined in pairs, and the
 * pairs by Horner's scheme in x^2.  That halves the chain of steps that wait for
 * each other, for one multiplication more. */
SFI_INLINE V FN(polynomial)(V x, const REAL *c, int count)
{
    const V x2 = x * x;
    int i = count - 1 - (count - 1) % 2;
    V sum = FN(splat)(c[i]);
    if (i + 1 < count)
        sum = FN(fma)(FN(splat)(c[i + 1]), x, sum);
    SFI_UNROLL(16)
    for (i -= 2; i >= 0; i -= 2)
        sum =
            FN(fma)(sum, x2, FN(fma)(FN(splat)(c[i + 1]), x, FN(splat)(c[i])));
    return sum;
}

SFI_INLINE V FN(size)(V x)
{
    return (V)((VI)x & ~SIGN);
}

SFI_INLINE V FN(with_sign_of)(V size, V sign)
{
    return (V)((VI)size | ((VI)sign & SIGN));
}

/* -|x| */
SFI_INLINE V FN(minus_size)(V x)
{
    return (V)((VI)x | SIGN);
}

/* Vectors of which a loop takes the exponential together: the steps of one wait
 * for each other, those of another do not. */
#undef EXP_MOST
#undef EXP_EACH
#define EXP_MOST 4
#define EXP_EACH                                                               \
    SFI_UNROLL(4)                                                              \
    for (int v = 0; v < count; v++)

/* exp(x) = 2^n (1 + p) with n whole and |p| < 0.42: r = x - n ln 2 is taken off
 * in two parts, the first of which times n is exact, and p = r + r^2 q(r).
 * The lowest bits of *n_bits hold n + bias, above them are zeros up to the
 * width of an exponent.  |x| is at most 200 (f32), 2000 (f64). */
SFI_INLINE void FN(exp_parts_of)(V *p, VU *n_bits, const V *x, const int count,
                                 int bias)
{
#if LOOPS_F64
    static const REAL q[] = {
        0x1.0000000000000p-1,  0x1.5555555555559p-3,  0x1.555555555553ep-5,
        0x1.111111110f6aap-7,  0x1.6c16c16c1f175p-10, 0x1.a01a01afe9a82p-13,
        0x1.a01a017b91e87p-16, 0x1.71ddf841ff443p-19, 0x1.27e53666d13d5p-22,
        0x1.af5ee8513ff93p-26, 0x1.1ee87edc32b4fp-29};
    const REAL magic = 0x1.8p52 + bias, ln2_high = 0x1.62e42feep-1,
               ln2_low = 0x1.a39ef35793c76p-33;
#else
    static const REAL q[] = {0x1.fffffep-2F, 0x1.5554bp-3F, 0x1.555674p-5F,
                             0x1.1227f6p-7F, 0x1.6bebd6p-10F};
    const REAL magic = 0x1.8p23F + (float)bias, ln2_high = 0x1.62e4p-1F,
               ln2_low = 0x1.7f7d1cp-20F;
#endif
    const int last = (int)SFI_COUNT(q) - 1;
    V n[EXP_MOST], r[EXP_MOST], r2[EXP_MOST], sum[EXP_MOST];
    /* Adding 1.5 2^MANTISSA rounds to a whole number, which then stands in the
     * lowest bits. */
    EXP_EACH
    {
        const V shifted =
            FN(fma)(x[v], FN(splat)(C(0x1.71547652b82fep+0)), FN(splat)(magic));
        n[v] = shifted - magic;
        n_bits[v] = (VU)shifted;
    }
    EXP_EACH r[v] = FN(fnma)(n[v], FN(splat)(ln2_high), x[v]);
    EXP_EACH r[v] = FN(fnma)(n[v], FN(splat)(ln2_low), r[v]);
    EXP_EACH r2[v] = r[v] * r[v];
    /* The last coefficient of q stands alone: their number is odd. */
    EXP_EACH sum[v] = FN(splat)(q[last]);
    SFI_UNROLL(8)
    for (int i = last - 2; i >= 0; i -= 2) {
        EXP_EACH
        sum[v] = FN(fma)(sum[v], r2[v],
                         FN(fma)(FN(splat)(q[i + 1]), r[v], FN(splat)(q[i])));
    }
    EXP_EACH p[v] = FN(fma)(r2[v], sum[v], r[v]);
}

SFI_INLINE V FN(exp_parts)(V x, int bias, VU *n_bits)
{
    V p;
    FN(exp_parts_of)(&p, n_bits, &x, 1, bias);
    return p;
}

/* 2^n is multiplied in two halves, so that the result may be subnormal,
 * infinite or 0 although each factor is not.  The bounds are where the result
 * has become infinite and 0; NaN passes through both comparisons. */
SFI_INLINE V FN(exp)(V x)
{
    x = FN(lesser)(FN(splat)(C(LOOPS_F64 ? 710.0 : 89.0)), x);
    x = FN(greater)(FN(splat)(C(LOOPS_F64 ? -746.0 : -104.0)), x);
    VU n_bits;
    const V p = FN(exp_parts)(x, 2 * BIAS, &n_bits);
    const VU half = n_bits >> 1;
    const V first = (V)(half << MANTISSA);
    const V second = (V)((n_bits - half) << MANTISSA);
    return FN(fma)(p, first, first) * second;
}

/* exp(-|x|), where what would be subnormal is 0: at the bound n + BIAS is 0,
 * and so is the factor with that exponent. */
SFI_INLINE V FN(exp_fall)(V x)
{
    const V bound = FN(splat)(C(LOOPS_F64 ? -709.0 : -88.0));
    VU n_bits;
    const V p =
        FN(exp_parts)(FN(greater)(bound, FN(minus_size)(x)), BIAS, &n_bits);
    const V scale = (V)(n_bits << MANTISSA);
    return FN(fma)(p, scale, scale);
}

/* exp(x) where that is neither subnormal, which gives 0, nor infinite, which
 * gives a wrong number. */
SFI_INLINE void FN(exp_normal_of)(V *x, const int count)
{
    V p[EXP_MOST];
    VU n_bits[EXP_MOST];
    EXP_EACH x[v] = FN(lesser)(FN(splat)(C(LOOPS_F64 ? 709.0 : 88.0)), x[v]);
    EXP_EACH x[v] = FN(greater)(FN(splat)(C(LOOPS_F64 ? -709.0 : -88.0)), x[v]);
    FN(exp_parts_of)(p, n_bits, x, count, BIAS);
    EXP_EACH
    {
        const V scale = (V)(n_bits[v] << MANTISSA);
        x[v] = FN(fma)(p[v], scale, scale);
    }
}

/* (a + a_low)/(b + b_low) with 1/2 <= b <= 4, where the low parts are what was
 * lost when a and b were rounded.  With fused multiply-add the remainder of the
 * division is known exactly, and one correction removes all but the last
 * rounding; without it only the low parts can be put right. */
SFI_INLINE V FN(quotient)(V a, V a_low, V b, V b_low)
{
#if HAVE_FMA
    const V inverse = C(1.0) / b;
    const V q = a * inverse;
    const V rest = FN(fnma)(q, b, a) + FN(fnma)(q, b_low, a_low);
    return FN(fma)(rest, inverse, q);
#else
    const V q = a / b;
    return q + (a_low - q * b_low) / b;
#endif
}

/* With e = exp(-|x|), 1/(1+e) or e/(1+e): no cancellation and no overflow. */
SFI_INLINE V FN(sigmoid_of)(V x, V e)
{
    const V one = FN(splat)(C(1.0));
    const V b = one + e;
    const V b_low = (one - b) + e;
    const V a = FN(select)(x < 0, e, one);
    return FN(quotient)(a, FN(splat)(C(0.0)), b, b_low);
}

SFI_INLINE V FN(sigmoid)(V x)
{
    return FN(sigmoid_of)(x, FN(exp_fall)(x));
}

/* With exp(-2|x|) = s (1 + p), s = 2^n,
 *     tanh |x| = (1 - s - s p)/(1 + s + s p),
 * and for small x, s = 1 and this is -p/(2 + p): no cancellation.  Beyond the
 * bound it is 1 to the last bit. */
SFI_INLINE V FN(tanh)(V x)
{
    const V fall =
        FN(greater)(FN(splat)(C(LOOPS_F64 ? -20.0 : -9.5)), FN(minus_size)(x));
    VU n_bits;
    const V p = FN(exp_parts)(fall + fall, BIAS, &n_bits);
    const V s = (V)(n_bits << MANTISSA);
    const V a0 = C(1.0) - s, b0 = C(1.0) + s;
    const V a = FN(fnma)(s, p, a0), b = FN(fma)(s, p, b0);
    const V a_low = FN(fnma)(s, p, a0 - a);
    /* What b0 lost counts too: s may lie just below the last bit of 1. */
    const V b_low = FN(fma)(s, p, b0 - b) + ((C(1.0) - b0) + s);
    return FN(with_sign_of)(FN(quotient)(a, a_low, b, b_low), x);
}

/* log(1 + f) for 1 + f from sqrt(1/2) to sqrt(2): with s = f/(2 + f),
 * log(1 + f) = 2s + s z q(z) where z = s^2, and 2s = f - s f. */
SFI_INLINE V FN(log1p_near_0)(V f)
{
#if LOOPS_F64
    static const REAL q[] = {0x1.55555555555aep-1, 0x1.99999999760c4p-2,
                             0x1.2492494b0a53bp-2, 0x1.c71c4a5a197b5p-3,
                             0x1.7467df99d0d63p-3, 0x1.397699b393531p-3,
                             0x1.30c1b4c872fb8p-3};
#else
    static const REAL q[] = {0x1.555554p-1F, 0x1.999aa2p-2F, 0x1.242e94p-2F,
                             0x1.e48a1p-3F};
#endif
    const V s = f / (f + C(2.0));
    const V z = s * s;
    const V inner = FN(fnma)(z, FN(polynomial)(z, q, (int)SFI_COUNT(q)), f);
    return FN(fnma)(s, inner, f);
}

/* x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2), for normal x > 0.  The
 * exponent field is counted from sqrt(1/2), so that BIAS in it means k = 0; it
 * becomes a number as the lowest bits of a power of two. */
SFI_INLINE V FN(log_parts)(V x, V *f)
{
#if LOOPS_F64
    const BITS root_half = 0x3FE6A09E667F3BCD;
    const REAL magic = 0x1p52;
#else
    const BITS root_half = 0x3F3504F3;
    const REAL magic = 0x1p23F;
#endif
    /* Without sign, since NaN, which the caller sorts out, would overflow. */
    const VI above =
        (VI)((VU)x - (UBITS)(root_half - ((BITS)BIAS << MANTISSA)));
    const VI field = (VI)((VU)above >> MANTISSA);
    const VI fraction = above & (((BITS)1 << MANTISSA) - 1);
    *f = (V)(fraction + root_half) - C(1.0);
    return (V)(field | (VI)FN(splat)(magic)) - (magic + C(BIAS));
}

/* Subnormal numbers are scaled up first; what is not positive and finite is
 * sorted out last. */
SFI_INLINE V FN(log)(V x)
{
#if LOOPS_F64
    const REAL least = 0x1p-1022, ln2_high = 0x1.62e42feep-1,
               ln2_low = 0x1.a39ef35793c76p-33;
#else
    const REAL least = 0x1p-126F, ln2_high = 0x1.62e4p-1F,
               ln2_low = 0x1.7f7d1cp-20F;
#endif
    const VI small = x < least;
    const V scaled = FN(select)(small, x * C(0x1p64), x);
    V f;
    V k = FN(log_parts)(scaled, &f);
    k = k - (V)(small & (VI)FN(splat)(C(64.0)));
    const V tail = FN(fma)(k, FN(splat)(ln2_low), FN(log1p_near_0)(f));
    const V result = FN(fma)(k, FN(splat)(ln2_high), tail);
    /* Left to do: 0, below 0, infinity and NaN. */
    const V edge = FN(select)(x == 0, FN(splat)(-INFINITY), x);
    const V invalid = FN(select)(x < 0, FN(splat)(NAN), edge);
    return FN(select)((x > 0) & (x < INFINITY), result, invalid);
}

/* max(x, 0) + log(1 + e), e = exp(-|x|); for 1 + e above sqrt(2) we take ln 2
 * off first. */
SFI_INLINE V FN(softplus_of)(V x, V e)
{
    const VI large = e > C(0.41421356);
    const V f = FN(select)(large, C(0.5) * e - C(0.5), e);
    const V base = (V)(large & (VI)FN(splat)(C(0x1.62e42fefa39efp-1)));
    const V tail = FN(log1p_near_0)(f) + base;
    return FN(greater)(FN(splat)(C(0.0)), x) + tail;
}

SFI_INLINE V FN(softplus)(V x)
{
    return FN(softplus_of)(x, FN(exp_fall)(x));
}

/* SLEEF(name) is the function of that name for these lanes. */
#undef SLEEF
#undef SLEEF_V
#if SIMD_AVX512 && LOOPS_F64
#define SLEEF(name, units) (V) Sleef_finz_##name##d8_##units##avx512f
#define SLEEF_V            __m512d
#elif SIMD_AVX512
#define SLEEF(name, units) (V) Sleef_finz_##name##f16_##units##avx512f
#define SLEEF_V            __m512
#elif SIMD_AVX2 && LOOPS_F64
#define SLEEF(name, units) (V) Sleef_finz_##name##d4_##units##avx2
#define SLEEF_V            __m256d
#elif SIMD_AVX2
#define SLEEF(name, units) (V) Sleef_finz_##name##f8_##units##avx2
#define SLEEF_V            __m256
#elif SIMD_SSE2 && LOOPS_F64
#define SLEEF(name, units) (V) Sleef_cinz_##name##d2_##units##sse2
#define SLEEF_V            __m128d
#elif SIMD_SSE2
#define SLEEF(name, units) (V) Sleef_cinz_##name##f4_##units##sse2
#define SLEEF_V            __m128
#elif SIMD_NEON && LOOPS_F64
#define SLEEF(name, units) (V) Sleef_finz_##name##d2_##units##advsimd
#define SLEEF_V            float64x2_t
#elif SIMD_NEON
#define SLEEF(name, units) (V) Sleef_finz_##name##f4_##units##advsimd
#define SLEEF_V            float32x4_t
#endif

/* One lane at a time, in double precision, by a function of libm. */
SFI_INLINE SFI_UNUSED V FN(each)(V a, double (*f)(double))
{
    for (int i = 0; i < LANES; i++)
        a[i] = (REAL)f((double)a[i]);
    return a;
}

SFI_INLINE SFI_UNUSED V FN(each_pair)(V a, V b, double (*f)(double, double))
{
    for (int i = 0; i < LANES; i++)
        a[i] = (REAL)f((double)a[i], (double)b[i]);
    return a;
}

#undef FROM_LIBRARY_1
#undef FROM_LIBRARY_2
#if defined(SLEEF)
#define FROM_LIBRARY_1(name)                                                   \
    SFI_INLINE V FN(name)(V a)                                                 \
    {                                                                          \
        return SLEEF(name, u10)((SLEEF_V)a);                                   \
    }
#define FROM_LIBRARY_2(name)                                                   \
    SFI_INLINE V FN(name)(V a, V b)                                            \
    {                                                                          \
        return SLEEF(name, u10)((SLEEF_V)a, (SLEEF_V)b);                       \
    }
#else
#define FROM_LIBRARY_1(name)                                                   \
    SFI_INLINE V FN(name)(V a)                                                 \
    {                                                                          \
        return FN(each)(a, name);                                              \
    }
#define FROM_LIBRARY_2(name)                                                   \
    SFI_INLINE V FN(name)(V a, V b)                                            \
    {                                                                          \
        return FN(each_pair)(a, b, name);                                      \
    }
#endif
#undef FROM_WRITTEN
#undef FROM_OWN
#undef FROM_DEFINED
#undef FROM_LIBRARY
#define FROM_WRITTEN(name, arity)
#define FROM_OWN(name, arity)
#define FROM_DEFINED(name, arity)
#define FROM_LIBRARY(name, arity)               FROM_LIBRARY_##arity(name)
#define EW(NAME, name, arity, scope, loop, ...) FROM_##loop(name, arity)
#include "num/elementwise.def"
#undef EW

/* SLEEF's has no version to one unit. */
SFI_INLINE V FN(erfc)(V x)
{
#if defined(SLEEF)
    return SLEEF(erfc, u15)((SLEEF_V)x);
#else
    return FN(each)(x, erfc);
#endif
}

/* log(x/(1-x)); near 1/2, where it is 0, log(1 + (2x-1)/(1-x)). */
SFI_INLINE V FN(logit)(V x)
{
    const VI middle = FN(size)(x - C(0.5)) <= C(0.25);
    const V rest = C(1.0) - x;
    const V less_one = FN(select)(middle, C(2.0) * (x - C(0.5)) / rest, -x);
    const V part = FN(log1p)(less_one);
    return FN(select)(middle, part, FN(log)(x) - part);
}

/* log(1-exp(x)), by log1p below log(1/2) and by expm1 above. */
SFI_INLINE V FN(log1mexp)(V x)
{
    const VI near = x > C(-0.69314718055994530942);
    return FN(select)(near, FN(log)(-FN(expm1)(x)), FN(log1p)(-FN(exp)(x)));
}

SFI_INLINE V FN(log1mexp_slope)(V x)
{
    const V slope = C(-1.0) / FN(expm1)(-x);
    return FN(select)(x > 0, FN(splat)(NAN), slope);
}
