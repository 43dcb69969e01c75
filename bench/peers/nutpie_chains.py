#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Effective samples a second of nutpie; the cases of bench/README.md.

    nutpie_chains.py --case NAME [--adapt diag|low_rank] [--chains C]
                     [--warmup W] [--draws D] [--threads N] [--runs R]

Prints one line of JSON.  Models are those of bench_chains.c, through PyMC and
numba; compiling is not measured.  Chains share cores, so that sampling alone is
the whole time by the share of gradients that were not of the warm-up.
"""

import argparse
import json
import logging
import math
import statistics
import time
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import arviz  # noqa: E402
import numpy as np  # noqa: E402
import nutpie  # noqa: E402
import pymc as pm  # noqa: E402
import pytensor.tensor as pt  # noqa: E402


class ParkMiller:
    """CACM 31 (1988) 1192-1201, and pairs by Box and Muller."""

    def __init__(self, state=1):
        self.state = state

    def uniform(self):
        self.state = self.state * 16807 % 2147483647
        return self.state / 2147483647.0

    def normal(self):
        r = math.sqrt(-2.0 * math.log(self.uniform()))
        return r * math.cos(2.0 * math.pi * self.uniform())


def ar1(d, r):
    """The inverse of the covariance r^|i - j|."""
    p = np.diag(np.full(d, (1.0 + r * r) / (1.0 - r * r)))
    p[0, 0] = p[-1, -1] = 1.0 / (1.0 - r * r)
    at = np.arange(d - 1)
    p[at, at + 1] = p[at + 1, at] = -r / (1.0 - r * r)
    return p


def flat(d, logp):
    """A vector x of d numbers with this log density."""
    with pm.Model() as model:
        x = pm.Flat("x", shape=d, initval=np.zeros(d))
        pm.Potential("logp", logp(x))
    return model


def gauss100():
    p = ar1(100, 0.8)
    return flat(100, lambda x: -0.5 * pt.dot(x, pt.dot(p, x)))


def ar500():
    """Its three diagonals alone, as bench_chains.c has them."""
    r, d = 0.9, 500
    return flat(d, lambda x: -0.5 * (x[0] ** 2 + pt.sum(
        (x[1:] - r * x[:-1]) ** 2) / (1.0 - r * r)))


def logistic():
    g, n, k = ParkMiller(), 1000, 24
    b = [0.3 * g.normal() for _ in range(k)]
    x, y = np.ones((n, k)), np.zeros(n)
    for i in range(n):
        logit = b[0]
        for j in range(1, k):
            x[i, j] = g.normal()
            logit += x[i, j] * b[j]
        y[i] = g.uniform() < 1.0 / (1.0 + math.exp(-logit))

    def logp(b):
        eta = pt.dot(x, b)
        return pt.dot(y, eta) - pt.sum(pt.softplus(eta)) - 0.5 * pt.dot(b, b)
    return flat(k, logp)


def stiff1000():
    """Ten directions of deviation 0.01 among a thousand of 1."""
    g, d, k = ParkMiller(), 1000, 10
    u = np.array([[g.normal() for _ in range(d)] for _ in range(k)])
    for i in range(k):
        for j in range(i):
            u[i] -= np.dot(u[i], u[j]) * u[j]
        u[i] /= np.linalg.norm(u[i])
    return flat(d, lambda x: -0.5 * pt.dot(x, x) - 0.5 * (1e4 - 1.0) * pt.sum(
        pt.dot(u, x) ** 2))


def schools():
    y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    s = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])

    def logp(x):
        tau = pt.exp(x[1])
        return (-x[0] ** 2 / 50 - pt.log(1 + tau ** 2 / 25) + x[1]
                - 0.5 * pt.sum(x[2:] ** 2)
                - 0.5 * pt.sum(((x[0] + tau * x[2:] - y) / s) ** 2))
    return flat(10, logp)


def funnel():
    """Non-centred: v = 3 x0, y = exp(v/2) z; what is diagnosed is x."""
    return flat(10, lambda x: -0.5 * pt.dot(x, x) - x[0] ** 2 * (1 / 18 - 0.5))


MODELS = {"nuts_gauss100": gauss100, "nuts_logistic": logistic,
          "nuts_schools": schools, "nuts_funnel": funnel,
          "nuts_stiff1000": stiff1000, "nuts_ar500": ar500}


def run(compiled, args, seed):
    begin = time.perf_counter()
    trace = nutpie.sample(
        compiled, chains=args.chains, tune=args.warmup, draws=args.draws,
        cores=args.threads, seed=seed, progress_bar=False, save_warmup=True,
        low_rank_modified_mass_matrix=args.adapt == "low_rank")
    seconds = time.perf_counter() - begin
    steps = float(trace.sample_stats["n_steps"].sum())
    warmup = float(trace.warmup_sample_stats["n_steps"].sum())
    ess = float(arviz.ess(trace.posterior, method="bulk")["x"].min())
    rhat = float(arviz.rhat(trace.posterior)["x"].max())
    return ess, seconds * steps / (steps + warmup), seconds, steps, warmup, rhat


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", required=True, choices=MODELS)
    parser.add_argument("--adapt", default="diag", choices=("diag", "low_rank"))
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--warmup", type=int, default=400)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    args = parser.parse_args()
    compiled = nutpie.compile_pymc_model(MODELS[args.case]())
    short = argparse.Namespace(**vars(args))
    short.draws = short.warmup = 10
    run(compiled, short, 0)  # numba compiles here
    found = [run(compiled, args, 1 + i) for i in range(args.runs)]
    ess = statistics.mean(one[0] for one in found)
    rates = [ess / one[1] for one in found]
    whole = [ess / one[2] for one in found]
    steps = statistics.mean(one[3] for one in found)
    print(json.dumps({
        "name": args.case, "ess": ess, "ess_per_s": statistics.median(rates),
        "rate": {"best": max(rates), "median": statistics.median(rates)},
        "with_warmup": {"best": max(whole), "median": statistics.median(whole)},
        "ess_per_gradient": ess / steps,
        "gradients_warmup": statistics.mean(one[4] for one in found),
        "gradients_per_s": statistics.median(one[3] / one[1] for one in found),
        "rhat": statistics.median(one[5] for one in found),
        "nutpie": nutpie.__version__}))


if __name__ == "__main__":
    main()
