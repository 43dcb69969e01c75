/* SPDX-License-Identifier: Apache-2.0 */
/* loops_elementwise.h - the loops of elementwise.def; part of
 * loops_template.h.
 *
 * Each operation is a function op_name(a, b, c) of vectors: the plain ones are
 * written out here, the others are made by the table from functions of
 * loops_math.h, loops_normal.h, libraries and special.h.  `map` makes a loop of
 * it for each mode.  The compiler sees operation and mode as constants, so every
 * loop is specialised. */

SFI_INLINE V FN(flag)(VI mask)
{
    return (V)(mask & (VI)FN(splat)(C(1.0)));
}

#undef OP
#define OP(name)                                                               \
    SFI_INLINE V FN(op_##name)(SFI_UNUSED V a, SFI_UNUSED V b, SFI_UNUSED V c)
OP(neg)
{
    return -a;
}
OP(abs)
{
    return FN(size)(a);
}
OP(sign)
{
    return FN(flag)(a > 0) - FN(flag)(a < 0);
}
OP(add)
{
    return a + b;
}
OP(sub)
{
    return a - b;
}
OP(mul)
{
    return a * b;
}
OP(div)
{
    return a / b;
}
/* fmin and fmax: the number where one operand is NaN.  `lesser` gives its
 * second operand if either is NaN (or NaN), which leaves the case of a NaN
 * there. */
OP(min)
{
    const V r = FN(select)(a == a, FN(lesser)(a, b), b);
    return FN(select)(b == b, r, a);
}
OP(max)
{
    const V r = FN(select)(a == a, FN(greater)(a, b), b);
    return FN(select)(b == b, r, a);
}
OP(less)
{
    return FN(flag)(a < b);
}
OP(less_equal)
{
    return FN(flag)(a <= b);
}
OP(equal)
{
    return FN(flag)(a == b);
}
OP(keep)
{
    return FN(select)(b == b, a, b);
}
OP(select)
{
    return FN(select)(a != 0, b, c);
}

/* The other loops of the table, each by where it comes from. */
SFI_INLINE V FN(lanes)(V a, V b, V c, double (*f)(double, double, double))
{
    for (int i = 0; i < LANES; i++)
        a[i] = (REAL)f((double)a[i], (double)b[i], (double)c[i]);
    return a;
}

#undef OWN_1
#undef OWN_2
#undef OWN_3
#define OWN_1(name) FN(name)(a)
#define OWN_2(name) FN(name)(a, b)
#define OWN_3(name) FN(name)(a, b, c)
#undef OP_WRITTEN
#undef OP_OWN
#undef OP_LIBRARY
#undef OP_DEFINED
#define OP_WRITTEN(name, arity, value)
#define OP_OWN(name, arity, value)                                             \
    OP(name)                                                                   \
    {                                                                          \
        return OWN_##arity(name);                                              \
    }
#define OP_LIBRARY(name, arity, value) OP_OWN(name, arity, value)
#define OP_DEFINED(name, arity, value)                                         \
    static double FN(defined_##name)(double a, SFI_UNUSED double b,            \
                                     SFI_UNUSED double c)                      \
    {                                                                          \
        return value;                                                          \
    }                                                                          \
    OP(name)                                                                   \
    {                                                                          \
        return FN(lanes)(a, b, c, FN(defined_##name));                         \
    }
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    OP_##loop(name, arity, value)
#include "num/elementwise.def"
#undef EW

/* `rows` are the operands read along the row, `uniform` those read once.  A
 * last part shorter than a vector goes through one, so that its elements see
 * the same instructions as all others. */
SFI_INLINE void FN(map)(void *dst, const void *a, const void *b, const void *c,
                        int64_t n, int rows, int uniform, V (*op)(V, V, V))
{
    REAL *to = dst;
    const REAL *from[3] = {a, b, c};
    V x[3] = {{0}, {0}, {0}};
    SFI_UNROLL(3)
    for (int k = 0; k < 3; k++)
        if (uniform >> k & 1)
            x[k] = FN(splat)(from[k][0]);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        SFI_UNROLL(3)
        for (int k = 0; k < 3; k++)
            if (rows >> k & 1)
                x[k] = FN(load)(from[k] + i);
        FN(store)(to + i, op(x[0], x[1], x[2]));
    }
    if (i == n)
        return;
    const size_t bytes = (size_t)(n - i) * sizeof *to;
    for (int k = 0; k < 3; k++)
        if (rows >> k & 1)
            memcpy(&x[k], from[k] + i, bytes);
    const V y = op(x[0], x[1], x[2]);
    memcpy(to + i, &y, bytes);
}

#undef EW_LOOP
#undef EW_LOOPS_1
#undef EW_LOOPS_2
#undef EW_LOOPS_3
#define EW_LOOP(name, taken, mode)                                             \
    static void FN(ew_##name##_##mode)(                                        \
        void *dst, const void *a, const void *b, const void *c, int64_t n)     \
    {                                                                          \
        FN(map)                                                                \
        (dst, a, b, c, n, (taken) & ~(mode), (taken) & (mode), FN(op_##name)); \
    }
#define EW_LOOPS_1(name) EW_LOOP(name, 1, 0)
#define EW_LOOPS_2(name)                                                       \
    EW_LOOP(name, 3, 0) EW_LOOP(name, 3, 1) EW_LOOP(name, 3, 2)
#define EW_LOOPS_3(name)                                                       \
    EW_LOOP(name, 7, 0)                                                        \
    EW_LOOP(name, 7, 1)                                                        \
    EW_LOOP(name, 7, 2)                                                        \
    EW_LOOP(name, 7, 3)                                                        \
    EW_LOOP(name, 7, 4) EW_LOOP(name, 7, 5) EW_LOOP(name, 7, 6)
#define EW(NAME, name, arity, ...) EW_LOOPS_##arity(name)
#include "num/elementwise.def"
#undef EW

/* Bits of operands that an operation does not take change nothing. */
#undef EW_TABLE
#undef EW_MODES_1
#undef EW_MODES_2
#undef EW_MODES_3
#define EW_MODES_1(f)                                                          \
    {                                                                          \
        FN(f##_0), NULL, FN(f##_0), NULL, FN(f##_0), NULL, FN(f##_0), NULL     \
    }
#define EW_MODES_2(f)                                                          \
    {                                                                          \
        FN(f##_0), FN(f##_1), FN(f##_2), NULL, FN(f##_0), FN(f##_1),           \
            FN(f##_2), NULL                                                    \
    }
#define EW_MODES_3(f)                                                          \
    {                                                                          \
        FN(f##_0), FN(f##_1), FN(f##_2), FN(f##_3), FN(f##_4), FN(f##_5),      \
            FN(f##_6), NULL                                                    \
    }
