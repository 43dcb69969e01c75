/* SPDX-License-Identifier: Apache-2.0 */
/* loops_normal.h - the normal distribution function Phi, its logarithm and that
 * one's derivatives, of one vector; part of loops_template.h.
 *
 * All of them come from one polynomial.  For z >= 0 let h = phi(z)/Phi(-z), the
 * inverse of Mills' ratio, and u = h - z, which falls from 0.8 to 1/z.  Then
 *
 *     ln Phi(-z) = -z^2/2 - ln(sqrt(2 pi) h),
 *     (ln Phi)'(-z) = h,      (ln Phi)''(-z) = -h u,
 *
 * and nothing cancels, however large z; on the other side Phi(z) = 1 - phi(z)/h.
 * (z + 1) u is smooth on all of [0, inf] in t = (z - 4)/(z + 4).  Derivatives of
 * third and higher orders are those of special.h, lane by lane. */

/* u(z) for 0 <= z <= 1e15: relative error 9e-18 (f64), 5e-8 (f32) before
 * rounding. */
SFI_INLINE V FN(mills_rest)(V z)
{
#if LOOPS_F64
    static const REAL c[] = {
        0x1.20c6f2f8a1916p+0,   -0x1.fc5da950de3fcp-5,  -0x1.896db09f59674p-3,
        0x1.8b202da160a2cp-3,   -0x1.f44b58ac4d72ep-5,  -0x1.f8202f1cdc0a5p-6,
        0x1.099e7c88f0c0dp-5,   -0x1.27fbaffc9f7f5p-10, -0x1.5b85b596fab2dp-7,
        0x1.af935bf477f7ep-9,   0x1.68b70ef1a78c7p-9,   -0x1.bbff411c5bc58p-10,
        -0x1.25cda2dad87dap-11, 0x1.4f05b2b4a328bp-11,  0x1.20589c4b70250p-14,
        -0x1.a88aa1ac172c4p-13, 0x1.3493eeff95b90p-17,  0x1.d01718cca1623p-15,
        -0x1.57cb1163667bbp-17, -0x1.ad30217437bb2p-17, 0x1.31e734cce2497p-18,
        0x1.38ad550545ed2p-19,  -0x1.94737cecfe89cp-20, -0x1.2b064788c70cbp-22,
        0x1.9d68b471e4530p-22,  0x1.4abad5fee8d03p-27,  -0x1.261c53be6f5c9p-24,
        0x1.dda1d26c3c0a6p-30,  0x1.ac9f8c32f6af1p-28};
#else
    static const REAL c[] = {
        0x1.20c6f4p+0F,  -0x1.fc5f28p-5F, -0x1.896e4p-3F, 0x1.8b2af6p-3F,
        -0x1.f42aep-5F,  -0x1.faf222p-6F, 0x1.08e968p-5F, -0x1.04ac2ep-11F,
        -0x1.53d15ep-7F, 0x1.14b03p-9F,   0x1.3ca04ap-9F, -0x1.0ba9d4p-11F,
        -0x1.4b80c2p-12F};
#endif
    const V t = (z - C(4.0)) / (z + C(4.0));
    return FN(polynomial)(t, c, (int)SFI_COUNT(c)) / (z + C(1.0));
}

/* |x|, at most 1e15: beyond, u is 1/z to the last bit, and h is z. */
SFI_INLINE V FN(tail_size)(V x)
{
    return FN(lesser)(FN(splat)(C(1e15)), FN(size)(x));
}

/* What rounding took from x^2, |x| < 1e15. */
SFI_INLINE V FN(square_rest)(V x, V square)
{
#if HAVE_FMA
    return FN(fma)(x, x, -square);
#else
    /* The upper half of the bits of x squares exactly. */
    const VI upper = (VI)x & -((BITS)1 << (MANTISSA + 2) / 2);
    const V high = (V)upper, low = x - (V)upper;
    return ((high * high - square) + C(2.0) * high * low) + low * low;
#endif
}

/* phi(z) sqrt(2 pi), z >= 0: exp(-z^2/2), with what the square lost put back, since
 * the exponential magnifies it. */
SFI_INLINE V FN(bell)(V z)
{
    const V bound = FN(splat)(C(LOOPS_F64 ? 39.0 : 15.0));
    const V x = FN(lesser)(bound, z);
    const V square = x * x;
    const V rest = C(-0.5) * FN(square_rest)(x, square);
    const V e = FN(exp)(C(-0.5) * square);
    return FN(fma)(rest, e, e);
}

/* Phi(-z) from h, z >= 0. */
SFI_INLINE V FN(lower_tail)(V z, V h)
{
    return FN(bell)(z) / (h * C(2.50662827463100050242));
}

SFI_INLINE V FN(ndtr)(V x)
{
    const V z = FN(tail_size)(x);
    const V tail = FN(lower_tail)(z, z + FN(mills_rest)(z));
    return FN(select)(x < 0, tail, C(1.0) - tail);
}

SFI_INLINE V FN(log_ndtr)(V x)
{
    const V z = FN(tail_size)(x);
    const V h = z + FN(mills_rest)(z);
    const V size = FN(size)(x); /* the square may be infinite, not 1e30 */
    const V log_h = FN(log)(h) + C(0.91893853320467274178);
    const V left = C(-0.5) * size * size - log_h;
    const V right = FN(log1p)(-FN(lower_tail)(z, h));
    return FN(select)(x < 0, left, right);
}

/* The derivative of an order, which is a whole number in each lane. */
SFI_INLINE V FN(log_ndtr_slope)(V order, V x)
{
    const V z = FN(tail_size)(x);
    const V u = FN(mills_rest)(z);
    const V h = z + u, tail = FN(lower_tail)(z, h);
    const V phi = tail * h;
    const V right = phi / (C(1.0) - tail);
    const VI left = x < 0;
    const V first = FN(select)(left, FN(greater)(FN(size)(x), h), right);
    const V second = FN(select)(left, -(h * u), -(right * (z + right)));
    V y = FN(select)(order == C(1.0), first, second);
    for (int i = 0; i < LANES; i++)
        if (!(order[i] == C(1.0) || order[i] == C(2.0)))
            y[i] = (REAL)sfi_log_ndtr_slope((int)order[i], (double)x[i]);
    return y;
}
