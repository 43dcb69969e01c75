# SPDX-License-Identifier: Apache-2.0
"""Write the four two-dimensional toy tables.

    python3 bench/quality/toys.py FOLDER [--points N] [--format npy|csv]

For each toy and each seed 0..4 three independent tables of N = 10^4 rows:
TOY_SEED_train, TOY_SEED_fresh1, TOY_SEED_fresh2.  A generator is as good as
it can be when its sample is as far from fresh1 as fresh2 is.

With u, v uniform on [0, 1), n ~ N(0, I_2) and k a uniform integer, all
independent from row to row:

  moons         a = pi u; (cos a, sin a) or, with probability 1/2,
                (1 - cos a, 1/2 - sin a); plus 0.05 n
  gaussians     2 (cos(pi k / 4), sin(pi k / 4)), k in 0..7; plus 0.2 n
  checkerboard  x = 4 u - 2 and y = v - 2 k + (floor(x) mod 2), k in 0..1;
                then 2 (x, y): 8 of the 16 squares of side 2 that tile
                [-4, 4]^2, with density 1/32 in each
  roll          a = 3 pi / 2 (1 + 2 u); (a cos a, a sin a) / 5, plus 0.1 n
"""

import argparse
import pathlib

import numpy

import tables

SEEDS = range(5)
PARTS = ("train", "fresh1", "fresh2")


def moons(count, random):
    a = numpy.pi * random.random(count)
    outer = numpy.stack([numpy.cos(a), numpy.sin(a)], 1)
    inner = numpy.stack([1.0 - numpy.cos(a), 0.5 - numpy.sin(a)], 1)
    which = random.integers(0, 2, (count, 1))
    noise = random.standard_normal((count, 2))
    return numpy.where(which == 0, outer, inner) + 0.05 * noise


def gaussians(count, random):
    a = numpy.pi / 4 * random.integers(0, 8, count)
    centre = 2.0 * numpy.stack([numpy.cos(a), numpy.sin(a)], 1)
    return centre + 0.2 * random.standard_normal((count, 2))


def checkerboard(count, random):
    x = 4.0 * random.random(count) - 2.0
    y = random.random(count) - 2.0 * random.integers(0, 2, count)
    return 2.0 * numpy.stack([x, y + numpy.floor(x) % 2], 1)


def roll(count, random):
    a = 1.5 * numpy.pi * (1.0 + 2.0 * random.random(count))
    curve = numpy.stack([a * numpy.cos(a), a * numpy.sin(a)], 1) / 5.0
    return curve + 0.1 * random.standard_normal((count, 2))


TOYS = {"moons": moons, "gaussians": gaussians,
        "checkerboard": checkerboard, "roll": roll}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--format", choices=["npy", "csv"], default="npy")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for toy, draw in TOYS.items():
        for seed in SEEDS:
            for part in PARTS:
                table = draw(args.points, tables.generator(toy, seed, part))
                tables.write(
                    args.folder / f"{toy}_{seed}_{part}.{args.format}",
                    ["x", "y"], table)


if __name__ == "__main__":
    main()
