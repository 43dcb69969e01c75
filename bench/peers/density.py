# SPDX-License-Identifier: Apache-2.0
"""Log densities of kernel estimates over 5 x 10^4 points: queries a second.

scikit-learn's KernelDensity (its tree is built beforehand, tolerances are its
defaults) or scipy's gaussian_kde, in float64, which is what they have.  Time is
in proportion to the queries, of which fewer than the library's are measured.
"""

import argparse

import numpy

from timing import rate, report, windows


def estimator(program, data, width):
    """A function of the queries, and the version of what it comes from."""
    if program == "sklearn":
        import sklearn
        from sklearn.neighbors import KernelDensity
        return (KernelDensity(bandwidth=width).fit(data).score_samples,
                sklearn.__version__)
    import scipy
    from scipy.stats import gaussian_kde
    estimate = gaussian_kde(data.T, bw_method=width)  # times the deviation, 1
    return lambda x: estimate.logpdf(x.T), scipy.__version__


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--program", choices=["sklearn", "scipy"],
                        default="sklearn")
    parser.add_argument("--columns", type=int, default=16)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--queries", type=int, default=100)
    args = parser.parse_args()
    generator = numpy.random.default_rng(0)
    data = generator.standard_normal((50_000, args.columns))
    queries = generator.standard_normal((args.queries, args.columns))
    density, version = estimator(args.program, data, args.width)
    found = rate(windows(lambda: density(queries), args.seconds), args.queries)
    report(name=f"density_d{args.columns}", queries_per_s=found["median"],
           rate=found, numpy=numpy.__version__, version=version,
           settings=vars(args))


if __name__ == "__main__":
    main()
