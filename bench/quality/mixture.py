# SPDX-License-Identifier: Apache-2.0
"""The Gaussian mixture of mixture.json: draws and its log density."""

import json
import pathlib

import numpy

FILE = pathlib.Path(__file__).with_name("mixture.json")


class Mixture:
    def __init__(self, path=FILE):
        with open(path, encoding="utf-8") as file:
            self.json = json.load(file)
        parts = self.json["components"]
        self.columns = self.json["columns"]
        self.weight = numpy.array([part["weight"] for part in parts])
        self.mean = numpy.array([part["mean"] for part in parts])
        covariance = numpy.array([part["covariance"] for part in parts])
        self.root = numpy.linalg.cholesky(covariance)
        if abs(self.weight.sum() - 1.0) > 1e-12:
            raise ValueError(f"{path}: weights sum to {self.weight.sum()}")

    def draw(self, count, random):
        which = random.choice(len(self.weight), count, p=self.weight)
        z = random.standard_normal((count, self.mean.shape[1]))
        return self.mean[which] + numpy.einsum("nij,nj->ni",
                                               self.root[which], z)

    def logpdf(self, x):
        terms = []
        for weight, mean, root in zip(self.weight, self.mean, self.root):
            z = numpy.linalg.solve(root, (x - mean).T)
            terms.append(numpy.log(weight) - 0.5 * (z * z).sum(0)
                         - numpy.log(numpy.diag(root)).sum()
                         - 0.5 * len(mean) * numpy.log(2 * numpy.pi))
        return numpy.logaddexp.reduce(terms)
