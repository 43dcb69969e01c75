# SPDX-License-Identifier: Apache-2.0
"""Score matching of a normal law with free mean and precision: tables a second.

The objective of bench_matching's estimate_dD as one would write it in numpy: x with
a column of ones, its products, the linear system of the d (d + 3) / 2 numbers made
of them, and its solution by scipy's Cholesky.
"""

import argparse

import numpy
import scipy.linalg

from timing import rate, report, windows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=20)
    args = parser.parse_args()
    d = args.columns
    x = numpy.random.default_rng(0).standard_normal((args.rows, d))
    size = d * (d + 1) // 2
    rows, cols = numpy.tril_indices(d)
    number = numpy.zeros((d, d), int)
    number[rows, cols] = number[cols, rows] = numpy.arange(size)

    def estimate():
        a = numpy.column_stack([x, numpy.ones(len(x))])
        products = a.T @ a / len(x)
        signs = numpy.append(-numpy.ones(d), 1.0)
        products *= numpy.outer(signs, signs)
        h = numpy.zeros((size + d, size + d))
        for j in range(d):
            index = numpy.append(number[j], size + j)
            h[numpy.ix_(index, index)] += products
        b = numpy.zeros(size + d)
        b[number.diagonal()] = -1.0
        return scipy.linalg.solve(h, -b, assume_a="pos")

    want = numpy.linalg.inv(numpy.cov(x, rowvar=False, bias=True))
    if not numpy.allclose(estimate()[:size], want[rows, cols], atol=1e-8):
        raise SystemExit("numpy_matching: not the inverse covariance")
    tables = rate(windows(estimate, args.seconds))
    report(name=f"estimate_d{d}", tables_per_s=tables["median"], rate=tables,
           numpy=numpy.__version__, settings=vars(args))


if __name__ == "__main__":
    main()
