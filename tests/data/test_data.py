# SPDX-License-Identifier: Apache-2.0
"""The files in data/ are what data/README.md says.

    test_data.py BUILD
"""

import csv
import hashlib
import pathlib
import re
import sys
import unittest

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
del sys.argv[1:2]


def table(name):
    with open(DATA / name, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


def mean(rows, column):
    return sum(float(row[column]) for row in rows) / len(rows)


class Data(unittest.TestCase):
    def test_checksums(self):
        lines = (DATA / "SHA256SUMS").read_text().splitlines()
        noted = dict(reversed(line.split()) for line in lines)
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                 for kind in ("*.csv", "*.nc") for path in DATA.glob(kind)}
        self.assertEqual(noted, found)

    def test_extents_are_as_documented(self):
        text = (DATA / "README.md").read_text(encoding="utf-8")
        noted = re.findall(r"\((\w+\.csv)\) \| (\d+) \| (\d+) \| (\d+)", text)
        self.assertEqual(sorted(row[0] for row in noted),
                         sorted(path.name for path in DATA.glob("*.csv")))
        for name, *extents in noted:
            header, rows = table(name)
            self.assertEqual({len(row) for row in rows}, {len(header)}, name)
            missing = sum(cell == "" for row in rows for cell in row)
            self.assertEqual(list(map(int, extents)),
                             [len(rows), len(header), missing], name)

    def test_known_means(self):
        # R's summary() of the same data prints 3.488 and 70.9; 5.843, 3.057,
        # 3.758 and 1.199.
        _, faithful = table("faithful.csv")
        self.assertAlmostEqual(mean(faithful, 0), 3.488, delta=5e-4)
        self.assertAlmostEqual(mean(faithful, 1), 70.90, delta=5e-3)
        _, iris = table("iris.csv")
        for column, want in enumerate((5.843, 3.057, 3.758, 1.199)):
            self.assertAlmostEqual(mean(iris, column), want, delta=5e-4)

    def test_iris_has_fishers_values(self):
        _, iris = table("iris.csv")
        self.assertEqual(iris[34][:4], ["4.9", "3.1", "1.5", "0.2"])
        self.assertEqual(iris[37][:4], ["4.9", "3.6", "1.4", "0.1"])


if __name__ == "__main__":
    unittest.main()
