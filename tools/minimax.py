#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Minimax polynomials for src/num/loops_math.h, by Remez' exchange.

Every polynomial P below minimises max |w(x) (P(x) - f(x))| over an interval.
Run it to print the coefficients, lowest power first, rounded to the type that
uses them, and the largest weighted error before rounding.  Needs mpmath.
"""
from mpmath import mp, mpf, matrix, lu_solve, cos, pi, exp, expm1, log, sin
from mpmath import log1p, sqrt, atanh, erfc

mp.dps = 50


def extrema(g, lo, hi, count):
    """The `count` alternating extrema of g, found on a fine grid."""
    n = 60 * count
    xs = [(lo + hi) / 2 - (hi - lo) / 2 * cos(pi * i / n) for i in range(n + 1)]
    ys = [g(x) for x in xs]
    found = []
    for i in range(n + 1):
        left = i == 0 or abs(ys[i]) >= abs(ys[i - 1])
        right = i == n or abs(ys[i]) >= abs(ys[i + 1])
        if not (left and right):
            continue
        if found and (ys[found[-1]] > 0) == (ys[i] > 0):
            if abs(ys[i]) > abs(ys[found[-1]]):
                found[-1] = i
        else:
            found.append(i)
    while len(found) > count:
        found.pop(0 if abs(ys[found[0]]) < abs(ys[found[-1]]) else -1)
    return [xs[i] for i in found]


def remez(f, w, lo, hi, degree):
    count = degree + 2
    lo, hi = mpf(lo), mpf(hi)
    nodes = [(lo + hi) / 2 - (hi - lo) / 2 * cos(pi * (2 * i + 1) / (2 * count))
             for i in range(count)]
    for _ in range(12):
        a = matrix(count, count)
        b = matrix(count, 1)
        for i, x in enumerate(nodes):
            for j in range(degree + 1):
                a[i, j] = x ** j
            a[i, degree + 1] = (-1) ** i / w(x)
            b[i] = f(x)
        solution = lu_solve(a, b)
        c = [solution[j] for j in range(degree + 1)]
        level = abs(solution[degree + 1])
        error = lambda x: w(x) * (mp.polyval(c[::-1], x) - f(x))
        nodes = extrema(error, lo, hi, count)
        worst = max(abs(error(x)) for x in nodes)
        if len(nodes) < count or worst < level * mpf("1.0001"):
            break
    return c, worst


def to_float(x):
    """Round to 24 bits."""
    with mp.workprec(24):
        return +x


def show(name, f, w, lo, hi, degree, single):
    c, worst = remez(f, w, lo, hi, degree)
    print("%s: error %s (2^%s)" % (name, mp.nstr(worst, 3),
                                   mp.nstr(log(worst) / log(2), 4)))
    for x in c:
        if single:
            print("    %sF," % float(to_float(x)).hex())
        else:
            print("    %s," % float(x).hex())


half = log(2) / 2 * mpf("1.001")
tiny = mpf("1e-9")

# exp(r) = 1 + r + r^2 q(r): the error that counts is relative to exp(r) - 1
# over |r|, so that one polynomial serves exp and expm1 (tanh).
q_exp = lambda r: (expm1(r) - r) / r ** 2 if abs(r) > tiny else 0.5 + r / 6
w_exp = lambda r: r ** 2 / expm1(r) if abs(r) > tiny else r
q_weight = lambda r: abs(w_exp(r)) + tiny
# log(1 + f) = f - f^2/2 + f^3 q(f) on [sqrt(1/2), sqrt(2)], relative error.
lo_f, hi_f = sqrt(mpf(1) / 2) - 1 - mpf("1e-3"), sqrt(mpf(2)) - 1 + mpf("1e-3")
q_log = lambda f: ((log1p(f) - f + f ** 2 / 2) / f ** 3 if abs(f) > tiny
                   else mpf(1) / 3 - f / 4)
w_log = lambda f: abs(f ** 3 / log1p(f)) + tiny if abs(f) > tiny else tiny
# log((1+s)/(1-s)) = 2s + s z q(z), z = s^2.
z_log = (hi_f / (2 + hi_f)) ** 2 * mpf("1.05")
q_atanh = lambda z: ((2 * atanh(sqrt(z)) / sqrt(z) - 2) / z if z > tiny
                     else mpf(2) / 3 + 2 * z / 5)
# sin x = x + x z q(z), cos x = 1 - z/2 + z^2 q(z), z = x^2, |x| <= pi/4.
z_trig = (pi / 4) ** 2 * mpf("1.01")
q_sin = lambda z: ((sin(sqrt(z)) / sqrt(z) - 1) / z if z > tiny
                   else -mpf(1) / 6 + z / 120)
q_cos = lambda z: ((cos(sqrt(z)) - 1 + z / 2) / z ** 2 if z > mpf("1e-6")
                   else mpf(1) / 24 - z / 720 + z ** 2 / 40320)


def mills_rest(t):
    """(1/R - z)(z + 1) for Mills' ratio R(z), z = 4 (1 + t)/(1 - t): far out by
    its continued fraction."""
    z = 4 * (1 + t) / max(1 - t, mpf("1e-40"))
    if z < 30:
        return (sqrt(2 / pi) * exp(-z ** 2 / 2) / erfc(z / sqrt(2)) - z) * (z + 1)
    rest = mpf(0)
    for k in range(100, 0, -1):
        rest = k / (z + rest)
    return rest * (z + 1)


if __name__ == "__main__":
    for single, de, dl, da, ds, dc in ((True, 4, 7, 3, 2, 2),
                                       (True, 5, 8, 3, 3, 2),
                                       (False, 10, 0, 6, 5, 5)):
        print("float" if single else "double")
        show("exp", q_exp, q_weight, -half, half, de, single)
        if dl:
            show("log", q_log, w_log, lo_f, hi_f, dl, single)
        show("atanh", q_atanh, lambda z: z / 2 + tiny, 0, z_log, da, single)
        show("sin", q_sin, lambda z: z + tiny, 0, z_trig, ds, single)
        show("cos", q_cos, lambda z: z ** 2 + tiny, 0, z_trig, dc, single)
        show("mills", mills_rest, lambda t: 1 / mills_rest(t), -1, 1,
             11 if single else 28, single)
