# SPDX-License-Identifier: Apache-2.0
"""Timing in windows, and the one JSON line that every peer prints.

A window is a fixed number of calls, long enough (about 0.1 s) for the clock
and short enough that some windows are free of the neighbours' noise.  `best`
is the machine left alone, `median` the machine as it was; ratios are taken
best to best and median to median, never across.
"""

import json
import statistics
import time


def windows(call, seconds, window=0.1, warm=0.2):
    """Calls a second, for each window of about `window` seconds."""
    for limit in (0.0, warm):  # the first calls allocate and are no measure
        begin = time.perf_counter()
        calls = 0
        while calls < 1 or time.perf_counter() - begin < limit:
            call()
            calls += 1
    each = (time.perf_counter() - begin) / calls
    turns = max(1, round(window / each))
    rates = []
    start = time.perf_counter()
    while len(rates) < 3 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        for _ in range(turns):
            call()
        rates.append(turns / (time.perf_counter() - begin))
    return rates


def rate(rates, scale=1.0):
    return {
        "best": scale * max(rates),
        "median": scale * statistics.median(rates),
        "windows": len(rates),
    }


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def report(**fields):
    print(json.dumps(rounded(fields)), flush=True)
