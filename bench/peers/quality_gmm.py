# SPDX-License-Identifier: Apache-2.0
"""Held-out log likelihood of scikit-learn's best Gaussian mixture.

    python3 bench/quality/splits.py FOLDER
    python3 bench/peers/quality_gmm.py FOLDER

For each train table, GaussianMixture with 1 to 10 components, each of the
four covariance types and 5 initialisations is fitted, the one of least BIC is
taken, and its mean log density (nats a row) on the test table is printed; for
the mixture the true density's beside it.  One JSON line for each split, then
one with the means.
"""

import argparse
import json
import pathlib
import statistics
import sys
import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "quality"))
import mixture  # noqa: E402
import splits  # noqa: E402
import tables  # noqa: E402


def best_by_bic(x):
    fits = []
    for kind in ("full", "tied", "diag", "spherical"):
        for k in range(1, 11):
            fit = GaussianMixture(k, covariance_type=kind, n_init=5,
                                  random_state=0)
            fits.append(fit.fit(x))
    return min(fits, key=lambda fit: fit.bic(x))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--format", choices=["csv", "npy"], default="csv")
    args = parser.parse_args()
    # A fit that stops at 100 iterations has a worse BIC and loses; it is no
    # news.
    warnings.simplefilter("ignore", ConvergenceWarning)
    truth = mixture.Mixture()
    for case in ("faithful", "mixture"):
        held_out, true = [], []
        for seed in splits.SEEDS:
            train, test = (tables.read(args.folder / f"{case}_{seed}_{part}"
                                                     f".{args.format}")
                           for part in ("train", "test"))
            fit = best_by_bic(train)
            held_out.append(fit.score(test))
            line = {"case": case, "seed": seed,
                    "components": fit.n_components,
                    "covariance": fit.covariance_type,
                    "train": fit.score(train), "test": held_out[-1]}
            if case == "mixture":
                true.append(float(truth.logpdf(test).mean()))
                line |= {"true": true[-1]}
            print(json.dumps(line), flush=True)
        line = {"case": case, "mean_test": statistics.mean(held_out),
                "sd_test": statistics.stdev(held_out)}
        if true:
            line |= {"mean_true": statistics.mean(true)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
