# SPDX-License-Identifier: Apache-2.0
"""How drawn tables are judged in the benchmark of A. Jolicoeur-Martineau,
K. Fatras and T. Kachman, Generating and imputing tabular data via diffusion and
flow-based gradient-boosted trees (AISTATS 2024), from its description.

A table is an array of numbers, where a category is the number of its level, and
`kinds` says of each column how many levels it has (0: a number).  Columns of two
levels stay 0 and 1; others become a column for each level.  For distances numbers
are scaled to [0, 1] by the training rows, and one-hot columns are halved, so that
the L1 distance of two rows counts each column once.
"""

import warnings

import numpy
import xgboost
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import eye, kron, vstack
from scipy.spatial.distance import cdist
from sklearn.ensemble import (AdaBoostClassifier, AdaBoostRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, r2_score

K = 2  # of coverage: the first k with which 95 % of the real rows are covered


def expand(table, kinds):
    """One column for each level of a category of more than two."""
    columns = []
    for j, levels in enumerate(kinds):
        if levels > 2:
            columns += [(table[:, j] == k).astype(float) for k in range(levels)]
        else:
            columns.append(table[:, j])
    return numpy.column_stack(columns)


def scale(table, train, kinds):
    """Rows as points whose L1 distance is that of Gower."""
    parts = []
    for j, levels in enumerate(kinds):
        if levels > 2:
            parts += [(table[:, j] == k) / 2.0 for k in range(levels)]
            continue
        low, high = train[:, j].min(), train[:, j].max()
        parts.append((table[:, j] - low) / (high - low if high > low else 1.0))
    return numpy.column_stack(parts).astype(float)


def transport(x, y):
    """The exact W1 between two tables of points under the L1 distance."""
    cost = cdist(x, y, "cityblock")
    n, m = cost.shape
    if n == m:
        return cost[linear_sum_assignment(cost)].mean()
    rows = vstack([kron(eye(n), numpy.ones(m)), kron(numpy.ones(n), eye(m))])
    mass = numpy.concatenate([numpy.full(n, 1.0 / n), numpy.full(m, 1.0 / m)])
    found = linprog(cost.ravel(), A_eq=rows.tocsr(), b_eq=mass,
                    method="highs-ds")
    if found.status != 0:
        raise RuntimeError(f"transport: {found.message}")
    return found.fun


def share_covered(real, fake, k):
    """The share of real rows that have a fake one nearer than their k-th
    neighbour."""
    among = numpy.sort(cdist(real, real, "cityblock"), axis=1)
    radius = among[:, min(k, among.shape[1] - 1)]
    return (cdist(real, fake, "cityblock").min(axis=1) < radius).mean()


def coverage(real, fake):
    k = 1
    while share_covered(real, real, k) < 0.95:
        k += 1
    return share_covered(real, fake, k + 1)


def closest(x, records):
    return cdist(x, records, "cityblock").min(axis=1)


def closeness(train, test, fake):
    """(ratio, near, copies): the median distance to the closest training row over
    that of test rows; the share of rows that are nearer than 95 % of these; the
    share at distance 0."""
    held, drawn = closest(test, train), closest(fake, train)
    middle = numpy.median(held)
    ratio = numpy.median(drawn) / middle if middle > 0 else float("nan")
    return (ratio, (drawn < numpy.quantile(held, 0.05)).mean(),
            (drawn < 1e-12).mean())


def quiet(run):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run()


def classifiers(seed):
    return [LogisticRegression(penalty="none", max_iter=500, random_state=seed),
            AdaBoostClassifier(random_state=seed),
            RandomForestClassifier(max_depth=28, random_state=seed),
            xgboost.XGBClassifier(reg_lambda=0.0, random_state=seed, n_jobs=1)]


def regressors(seed):
    return [LinearRegression(), AdaBoostRegressor(random_state=seed),
            RandomForestRegressor(max_depth=28, random_state=seed),
            xgboost.XGBRegressor(reg_lambda=0.0, random_state=seed, n_jobs=1)]


def usefulness(fake, test, kinds, seed=0):
    """Macro F1 or R2 of the last column on test rows, learned from fake ones, the
    mean over four learners."""
    x, y = expand(fake[:, :-1], kinds[:-1]), fake[:, -1]
    x_test, y_test = expand(test[:, :-1], kinds[:-1]), test[:, -1]
    if kinds[-1] == 0:
        return quiet(lambda: numpy.mean(
            [r2_score(y_test, m.fit(x, y).predict(x_test))
             for m in regressors(seed)]))
    names, number = numpy.unique(y, return_inverse=True)
    if not numpy.isin(numpy.unique(y_test), names).all():
        return 0.0  # a class was not drawn
    return quiet(lambda: numpy.mean(
        [f1_score(y_test, names[m.fit(x, number).predict(x_test)],
                  average="macro") for m in classifiers(seed)]))


def detected(train, fake, other, kinds, seed=0):
    """class_score: learn real from fake rows, and judge another fake table by the
    macro F1 of its rows, all of which are fake."""
    x = numpy.concatenate([expand(train, kinds), expand(fake, kinds)])
    y = numpy.concatenate([numpy.ones(len(train)), numpy.zeros(len(fake))])
    x_test, zeros = expand(other, kinds), numpy.zeros(len(other))
    return quiet(lambda: numpy.mean(
        [f1_score(zeros, m.fit(x, y.astype(int)).predict(x_test),
                  average="macro") for m in classifiers(seed)]))
