#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both slopes of a plane of 4096 x 4096 doubles by numpy.gradient: points a second."""

import json
import statistics
import time

import numpy

side = 4096
x = numpy.linspace(0.0, 1.0, side)
f = numpy.sin(9.0 * x)[None, :] * x[:, None]
rates = []
for _ in range(7):
    start = time.perf_counter()
    numpy.gradient(f, 1.0 / (side - 1))
    rates.append(side * side / (time.perf_counter() - start))
print(json.dumps({"name": "numpy_gradient",
                  "points_per_s": statistics.median(rates),
                  "rate": {"best": max(rates), "median": statistics.median(rates)}}))
