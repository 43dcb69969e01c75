# SPDX-License-Identifier: Apache-2.0
"""The tables of the benchmark, as files that are commonly passed around.

Each set has a file (with or without .gz), which columns of it are left out, how many
levels its target has (0: a number), and what the peer published, by
A. Jolicoeur-Martineau and others, https://github.com/SamsungSAILMontreal/
ForestDiffusion, for its flow with conditions on the class: W_train, W_test, F1 or R2,
coverage of training and of test rows, class_score, seconds.
"""

import csv
import gzip
import pathlib

import numpy

EIGHT = {
    "iris": ("sk_iris.csv", [], 3,
             (.1966, .3282, .9764, .9356, .9311, .378, 12.4)),
    "wine": ("sk_wine.csv", [], 3,
             (.8447, 1.4206, .9444, .9737, .9537, .3219, 68.0)),
    "seeds": ("jb_wheat-seeds.csv", [], 3,
              (.3065, .5152, .8847, .9385, .9698, .2726, 24.5)),
    "glass": ("jb_glass.csv", [], 6,
              (.3569, .6829, .5675, .9244, .9163, .3875, 61.4)),
    "ecoli": ("jb_ecoli.csv", [], 8,
              (.2444, .4495, .6836, .9338, .9578, .3936, 49.6)),
    "breast cancer": ("sk_breast_cancer.csv", [], 2,
                      (1.2814, 1.7488, .9445, .9502, .9760, .3607, 254.8)),
    "ionosphere": ("jb_ionosphere.csv", [], 2,
                   (3.2392, 4.2982, .8754, .8278, .9014, .3880, 271.0)),
    "sonar": ("jb_sonar.csv", [], 2,
              (6.3460, 8.3797, .7694, .8558, .9492, .399, 759.0)),
}
OTHERS = {
    "yacht": ("te_yacht.csv", [], 0,
              (.2474, .5373, .8921, .8298, .9409, .4889, 10.6)),
    "blood transfusion": ("ddalpha_bloodtransfusion.csv", [], 2,
                          (.0729, .1279, .5974, .8333, .9556, .4034, 9.9)),
    "concrete": ("modeldata_concrete.csv", ["rownames"], 0,
                 (.3191, .5423, .7401, .7235, .8890, .4074, 25.8)),
    "airfoil": ("te_airfoil.csv", [], 0,
                (.1329, .2563, .7040, .8210, .9446, .4533, 17.3)),
    "vowel": ("mlbench_Vowel.csv", [], 11,
              (.4087, .7274, .6138, .8305, .9273, .3093, 162.1)),
    "tic-tac-toe": ("arff_tic-tac-toe.arff", [], 2,
                    (1.2304, 1.9455, .7459, .8023, .7278, .3002, 126.5)),
    "car": ("arff_car.arff", [], 4,
            (.5095, 1.0023, .6598, .5274, .6158, .3073, 157.7)),
    "red wine quality": ("jb_winequality-red.csv", [], 0,
                         (.3852, .5160, .2591, .9203, .9727, .4374, 46.7)),
}


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_lines(folder, name):
    for path in (pathlib.Path(folder) / name, pathlib.Path(folder) / f"{name}.gz"):
        if path.exists():
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", encoding="utf-8") as file:
                return file.read().splitlines()
    return None


def read(folder, name, left_out):
    """(names, rows of texts), or None where there is no such file."""
    lines = read_lines(folder, name)
    if lines is None:
        return None
    names = None
    if name.endswith(".arff"):
        names = [line.split()[1].strip("'\"") for line in lines
                 if line.lower().startswith("@attribute")]
        at = [line.strip().lower() for line in lines].index("@data")
        lines = lines[at + 1:]
    mark = ";" if lines[0].count(";") > lines[0].count(",") else ","
    rows = [[cell.strip() for cell in row]
            for row in csv.reader(lines, delimiter=mark) if row]
    if names is None and not any(is_number(cell) for cell in rows[0]):
        names, rows = rows[0], rows[1:]
    if names is None:
        names = [f"c{j}" for j in range(len(rows[0]))]
    keep = [j for j, column in enumerate(names) if column not in left_out]
    return ([names[j] for j in keep], [[row[j] for j in keep] for row in rows])


def levels_of(rows, target_levels):
    """The levels of each column, None of numbers; the last is the target."""
    found = []
    for j in range(len(rows[0])):
        cells = [row[j] for row in rows]
        is_target = j == len(rows[0]) - 1 and target_levels > 0
        texts = not all(is_number(cell) for cell in cells)
        found.append(sorted(set(cells)) if is_target or texts else None)
    return found


def numbers(rows, levels):
    """Texts as an array, categories as numbers of levels."""
    out = numpy.empty((len(rows), len(levels)))
    for j, known in enumerate(levels):
        place = {text: k for k, text in enumerate(known)} if known else None
        for i, row in enumerate(rows):
            out[i, j] = place[row[j]] if known else float(row[j])
    return out


def write(path, names, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names] + rows)
