# SPDX-License-Identifier: Apache-2.0
"""Mean and covariance of a table of 10^6 rows and 32 columns: tables a second.

`cov` is numpy.cov as called by anybody; `product` centres the table with the
mean and multiplies, X'X, which is the fastest way to write it in numpy.
"""

import argparse

import numpy

from timing import rate, report, windows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=32)
    parser.add_argument("--dtype", choices=["float64", "float32"],
                        default="float64")
    parser.add_argument("--method", choices=["cov", "product"],
                        default="cov")
    args = parser.parse_args()
    generator = numpy.random.default_rng(0)
    x = generator.standard_normal((args.rows, args.columns), args.dtype)
    dtype = x.dtype

    def cov():
        return x.mean(axis=0), numpy.cov(x, rowvar=False, dtype=dtype)

    def product():
        mean = x.mean(axis=0)
        centred = x - mean
        return mean, (centred.T @ centred) / (len(x) - 1)

    call = cov if args.method == "cov" else product
    tables = rate(windows(call, args.seconds))
    flop = args.rows * args.columns * (args.columns + 1)
    report(name="moments_1e6x32" if args.dtype == "float64"
           else "moments_1e6x32_f32", tables_per_s=tables["median"],
           seconds=1 / tables["median"], gflops=1e-9 * flop
           * tables["median"], gbytes_per_s=1e-9 * x.nbytes
           * tables["median"], rate=tables, numpy=numpy.__version__,
           settings=vars(args))


if __name__ == "__main__":
    main()
