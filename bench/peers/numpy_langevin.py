# SPDX-License-Identifier: Apache-2.0
"""Unadjusted Langevin dynamics of 10^4 chains in numpy: steps of a chain, a
second.  The law is that of bench_chains.c."""

import argparse

import numpy

from timing import rate, report, windows

CHAINS = 10_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--dim", type=int, default=2)
    parser.add_argument("--dtype", default="float64",
                        choices=["float64", "float32"])
    args = parser.parse_args()
    dtype = numpy.dtype(args.dtype).type
    generator = numpy.random.default_rng(0)
    index = numpy.arange(args.dim)
    covariance = 0.8 ** numpy.abs(index[:, None] - index)
    precision = numpy.linalg.inv(covariance).astype(dtype)
    h = dtype(0.05)
    x = numpy.zeros((CHAINS, args.dim), dtype)
    z, force = numpy.empty_like(x), numpy.empty_like(x)

    def call():
        generator.standard_normal(dtype=dtype, out=z)
        numpy.matmul(x, precision, out=force)
        numpy.multiply(force, h / 2, out=force)
        numpy.multiply(z, numpy.sqrt(h), out=z)
        numpy.subtract(x, force, out=x)
        numpy.add(x, z, out=x)

    steps = rate(windows(call, args.seconds), CHAINS)
    report(name=f"ula_d{args.dim}", chain_steps_per_s=steps["median"],
           rate=steps, gflops=2e-9 * args.dim**2 * steps["median"],
           numpy=numpy.__version__, settings=vars(args))


if __name__ == "__main__":
    main()
