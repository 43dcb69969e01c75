# SPDX-License-Identifier: Apache-2.0
"""Standard normal numbers of numpy into an existing float32 array, a second."""

import argparse

import numpy

from timing import rate, report, windows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--count", type=int, default=1 << 18,
                        help="numbers a call; the default fits a cache")
    parser.add_argument("--generator", default="PCG64",
                        choices=["PCG64", "PCG64DXSM", "SFC64", "Philox"],
                        help="PCG64 is what default_rng() gives")
    args = parser.parse_args()
    bits = getattr(numpy.random, args.generator)(0)
    generator = numpy.random.Generator(bits)
    x = numpy.empty(args.count, numpy.float32)

    def call():
        generator.standard_normal(dtype=numpy.float32, out=x)

    numbers = rate(windows(call, args.seconds), args.count)
    report(name="normal_f32", normals_per_s=numbers["median"], rate=numbers,
           numpy=numpy.__version__, threads=1, settings=vars(args))


if __name__ == "__main__":
    main()
