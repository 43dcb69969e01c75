# SPDX-License-Identifier: Apache-2.0
"""Write the train and test tables on which held-out likelihood is measured.

    python3 bench/quality/splits.py FOLDER [--format csv|npy]

For each seed 0..4:

    faithful_SEED_train, _test   Old Faithful (data/faithful.csv: minutes of an
                                 eruption, minutes of waiting) in a random
                                 order; the last 54 of its 272 rows are held
                                 out
    mixture_SEED_train, _test    10^4 and 10^4 draws of mixture.json

Source of the table: A. Azzalini and A. W. Bowman, Applied Statistics 39
(1990) 357-365.
"""

import argparse
import pathlib

import tables
from mixture import Mixture

SEEDS = range(5)
HELD_OUT = 54
FAITHFUL = pathlib.Path(__file__).parents[2] / "data" / "faithful.csv"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--format", choices=["csv", "npy"], default="csv")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)

    faithful = tables.read(FAITHFUL)
    columns = FAITHFUL.read_text(encoding="ascii").split("\n")[0].split(",")
    truth = Mixture()
    for seed in SEEDS:
        def put(name, names, table, seed=seed):
            case, part = name.split()
            tables.write(args.folder / f"{case}_{seed}_{part}.{args.format}",
                         names, table)

        order = tables.generator("faithful", seed).permutation(len(faithful))
        put("faithful train", columns, faithful[order[:-HELD_OUT]])
        put("faithful test", columns, faithful[order[-HELD_OUT:]])
        for part in ("train", "test"):
            random = tables.generator("mixture", seed, part)
            put(f"mixture {part}", truth.columns, truth.draw(10_000, random))


if __name__ == "__main__":
    main()
