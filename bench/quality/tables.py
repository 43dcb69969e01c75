# SPDX-License-Identifier: Apache-2.0
"""Tables as files, and random numbers, the same for every script here."""

import os

import numpy


def generator(*key):
    """Independent numbers for each key, for instance (toy, seed, part)."""
    words = [int.from_bytes(str(part).encode()[:8], "little") for part in key]
    return numpy.random.Generator(numpy.random.PCG64(words))


def write(path, columns, table):
    """A .csv with a header and 17 digits, which any double survives, or a
    .npy; to a temporary name first, so that a file is whole or not there."""
    part = f"{path}.part"
    if str(path).endswith(".npy"):
        with open(part, "wb") as file:
            numpy.save(file, table)
    else:
        with open(part, "w", encoding="ascii", newline="\n") as file:
            numpy.savetxt(file, table, fmt="%.17g", delimiter=",",
                          header=",".join(columns), comments="")
    os.replace(part, path)


def read(path):
    if str(path).endswith(".npy"):
        table = numpy.load(path)
    else:
        table = numpy.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    if table.ndim != 2 or not numpy.isfinite(table).all():
        raise ValueError(f"{path}: want a table of finite numbers, "
                         f"have shape {table.shape}")
    return table.astype(float)
