# SPDX-License-Identifier: Apache-2.0
"""numpy.cov on the table that bench_moments uses, in milliseconds.

    /usr/bin/python3 bench/moments.py [ROWS [COLS]]        [1000000 32]
"""
import sys
import time

import numpy

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
cols = int(sys.argv[2]) if len(sys.argv) > 2 else 32
x = 5.0 + numpy.random.default_rng(1).random((rows, cols))
times = []
for _ in range(11):
    start = time.perf_counter()
    numpy.cov(x, rowvar=False)
    times.append(1e3 * (time.perf_counter() - start))
times.sort()
print(f"numpy.cov {rows} x {cols}: best {times[0]:.1f} ms, "
      f"median {times[5]:.1f} ms")
