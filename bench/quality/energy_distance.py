# SPDX-License-Identifier: Apache-2.0
"""The energy distance of two tables, an independent reference.

    python3 bench/quality/energy_distance.py A B
    python3 bench/quality/energy_distance.py --toys FOLDER

It is the V-statistic

    E = 2 mean |x_i - y_j| - mean |x_i - x_j| - mean |y_i - y_j|

over all pairs, those of a row with itself included, with the Euclidean norm
in the units of the tables (no column is rescaled).  E >= 0, and E = 0 only if
both tables are the same; for two samples of n rows of one law its expectation
is (2/n) mean |x - x'|, which is printed as `expected`.  The second form does
this for fresh1 against fresh2 of every toy that toys.py wrote to FOLDER.

Source: G. J. Szekely and M. L. Rizzo, Journal of Statistical Planning and
Inference 143 (2013) 1249-1272.
"""

import argparse
import json
import pathlib
import sys

import numpy

import tables
import toys


TILE = (64, 1024)  # of distances: two buffers of 512 KiB stay in a cache


def mean_distance(x, y):
    """Differences, not |x|^2 - 2 x.y + |y|^2, which cancels for near rows.

    >>> float(mean_distance(numpy.array([[0., 0.]]), numpy.array([[3., 4.]])))
    5.0
    """
    total = 0.0
    buffers = numpy.empty((2,) + TILE)
    x_columns = numpy.ascontiguousarray(x.T)
    y_columns = numpy.ascontiguousarray(y.T)
    for i in range(0, len(x), TILE[0]):
        left = x_columns[:, i:i + TILE[0], None]
        for j in range(0, len(y), TILE[1]):
            right = y_columns[:, None, j:j + TILE[1]]
            square, gap = buffers[:, :left.shape[1], :right.shape[2]]
            square[:] = 0.0
            for a, b in zip(left, right):
                numpy.subtract(a, b, out=gap)
                numpy.multiply(gap, gap, out=gap)
                numpy.add(square, gap, out=square)
            total += numpy.sqrt(square, out=square).sum()
    return total / (len(x) * len(y))


def energy_distance(x, y):
    """
    >>> x, y = numpy.array([[0.0], [1.0]]), numpy.array([[1.0], [3.0]])
    >>> float(energy_distance(x, y)[0])     # 2 (1+3+0+2)/4 - 2/4 - 4/4
    1.5
    """
    xx, yy = mean_distance(x, x), mean_distance(y, y)
    value = 2.0 * mean_distance(x, y) - xx - yy
    return value, xx / len(x) + yy / len(y)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="A B")
    parser.add_argument("--toys", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--format", choices=["npy", "csv"], default="npy")
    args = parser.parse_args()
    if (args.toys is None) == (len(args.files) != 2):
        parser.error("want two files, or --toys FOLDER")
    if args.toys is None:
        x, y = (tables.read(name) for name in args.files)
        if x.shape[1] != y.shape[1]:
            sys.exit(f"energy_distance: {args.files[0]} has {x.shape[1]} "
                     f"columns, {args.files[1]} has {y.shape[1]}")
        value, expected = energy_distance(x, y)
        print(json.dumps({"energy_distance": value, "expected": expected}))
        return
    for toy in toys.TOYS:
        values = []
        for seed in toys.SEEDS:
            x, y = (tables.read(args.toys / f"{toy}_{seed}_{part}"
                                            f".{args.format}")
                    for part in ("fresh1", "fresh2"))
            value, expected = energy_distance(x, y)
            values.append(value)
        print(json.dumps({"toy": toy, "fresh_vs_fresh": values,
                          "mean": float(numpy.mean(values)),
                          "expected": expected}), flush=True)


if __name__ == "__main__":
    main()
