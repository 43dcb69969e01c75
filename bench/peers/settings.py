# SPDX-License-Identifier: Apache-2.0
"""How a peer is started: what a user gets, and the best that can be had.

A setting is one dictionary.  Its first keys become environment variables of
the peer's process, the others options of its script:

    blas     serial | pthread | openmp   which build of OpenBLAS
    core     OPENBLAS_CORETYPE, '' for what OpenBLAS detects
    malloc   '' | keep | jemalloc        keep: glibc never returns memory to
             the system, so that a large tensor costs no page faults each step
    spin     1: an idle OpenMP thread spins (OMP_WAIT_POLICY=active)
    bind     1: OpenMP threads stay on their core (OMP_PROC_BIND=true)
    threads  of OpenMP and of torch; 0: what torch chooses itself

and the options named in CASES.  `as installed` is Debian's choice of OpenBLAS
and every default.  `tuned` is the outcome of peers/tune.py on this machine.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "peers"
TUNED = CACHE / "tuned.json"
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") \
    else sys.executable

INSTALLED = {"blas": "pthread", "core": "", "malloc": "", "spin": 0,
             "bind": 0, "threads": 0}

# Where a search begins, and what is used until one was made.
START = {"blas": "openmp", "core": "", "malloc": "keep", "spin": 0,
         "bind": 0, "threads": os.cpu_count()}

TRAIN = {"adam": ["plain", "foreach", "flat"], "layer": ["linear", "conv"],
         "flush-denormal": [0, 1]}

# With all queries at once the logits of a posterior mean leave every cache, and
# without flushing most of its weights are denormal numbers.
POSTERIOR = {"chunk": [1024, 128, 64, 256], "flush-denormal": [0, 1]}
POSTERIOR_START = {"chunk": 256, "flush-denormal": 1}

# name: script, its fixed options, the options to search (the first is the
# script's default).
CASES = {
    "train_4x128_b256": ("torch_train.py", ["--batch", "256"], TRAIN),
    "train_4x128_b4096": ("torch_train.py", ["--batch", "4096"], TRAIN),
    "train_4x512_b4096": ("torch_train.py",
                          ["--width", "512", "--batch", "4096"], TRAIN),
    "sample_4x128_heun100": ("torch_sample.py", [], {
        "chunk": [10000, 4096, 2048, 1024, 512, 256], "workers": [1, 2],
        "flush-denormal": [0, 1]}),
    "normal_f32_torch": ("torch_normal.py", [], {
        "count": [1 << 18, 1 << 14, 1 << 16, 1 << 20]}),
    "normal_f32_numpy": ("numpy_normal.py", [], {
        "count": [1 << 18, 1 << 14, 1 << 16, 1 << 20],
        "generator": ["PCG64", "SFC64", "PCG64DXSM", "Philox"]}),
    "moments_1e6x32": ("numpy_moments.py", [], {
        "method": ["cov", "product"]}),
    "posterior_d2": ("torch_posterior.py", ["--columns", "2"], POSTERIOR),
    "posterior_d16": ("torch_posterior.py", ["--columns", "16"], POSTERIOR),
    "posterior_d784": ("torch_posterior.py",
                       ["--columns", "784", "--width", "3.5", "--queries",
                        "256"], POSTERIOR),
} | {
    f"family_{family}_d{columns}": (
        "torch_posterior.py",
        ["--family", family, "--columns", str(columns)], POSTERIOR)
    for family in ("gamma", "vonmises") for columns in (2, 16)
} | {
    "density_d16_sklearn": ("density.py", ["--program", "sklearn", "--queries",
                                           "20"], {}),
    "density_d16_scipy": ("density.py", ["--program", "scipy"], {}),
}


def processor_flags():
    try:
        for line in open("/proc/cpuinfo", encoding="ascii"):
            if line.startswith("flags"):
                return set(line.split(":", 1)[1].split())
    except OSError:
        pass
    return set()


def searched(case):
    """The values of each key, those of the environment first."""
    script, _, options = CASES[case]
    flags = processor_flags()
    cores = [""]
    if "avx2" in flags:
        cores += ["Haswell", "Zen"]
    if "avx512f" in flags:
        cores += ["SkylakeX", "Cooperlake"]
    values = {"blas": ["openmp", "pthread", "serial"], "core": cores}
    if script.startswith("torch"):
        values["threads"] = sorted({1, os.cpu_count()})
        values |= {"malloc": ["", "keep", "jemalloc"], "spin": [0, 1],
                   "bind": [0, 1]}
    elif "normal" in case:
        values = {}
    return values | options


def busy_ticks():
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def wait_for_quiet(limit):
    """Wait, `limit` seconds at most, until other programs leave the
    processors alone: two OpenMP threads that share a core with somebody wait
    for each other and lose far more than that share."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            busy, total = busy_ticks()
            time.sleep(0.3)
            busy_after, total_after = busy_ticks()
        except OSError:
            return False
        if busy_after - busy <= 0.1 * (total_after - total):
            return True
    return False


def unpacked(part):
    found = sorted(CACHE.glob(f"usr/lib/*/{part}"))
    if not found:
        raise FileNotFoundError(f"{CACHE}: no {part}; run bench/setup-peers")
    return str(found[0])


def environment(setting):
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG")
            if key in os.environ}
    env = keep | {"PYTHONDONTWRITEBYTECODE": "1"}
    if setting["blas"] != "serial":
        env["LD_LIBRARY_PATH"] = unpacked(f"openblas-{setting['blas']}")
    if setting["core"]:
        env["OPENBLAS_CORETYPE"] = setting["core"]
    if setting["malloc"] == "keep":
        env["MALLOC_MMAP_THRESHOLD_"] = str(1 << 30)
        env["MALLOC_TRIM_THRESHOLD_"] = str(1 << 40)
        env["MALLOC_TOP_PAD_"] = str(1 << 26)
    elif setting["malloc"] == "jemalloc":
        env["LD_PRELOAD"] = unpacked("libjemalloc.so.2")
    if setting["spin"]:
        env["OMP_WAIT_POLICY"] = "active"
    if setting["bind"]:
        env["OMP_PROC_BIND"] = "true"
    if setting["threads"]:
        env["OMP_NUM_THREADS"] = str(setting["threads"])
    return env


def command(case, setting, seconds):
    script, fixed, options = CASES[case]
    line = [PYTHON, str(HERE / script), "--seconds", str(seconds), *fixed]
    if setting["threads"] and script.startswith("torch"):
        line += ["--threads", str(setting["threads"])]
    for key in options:
        if key in setting:
            line += [f"--{key}", str(setting[key])]
    return line


def measure(case, setting, seconds, timeout=120):
    """The peer's JSON object, or a RuntimeError that says what it printed."""
    done = subprocess.run(command(case, setting, seconds),
                          env=environment(setting), capture_output=True,
                          text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        tail = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise RuntimeError(f"{case}: exit {done.returncode}: {tail[0]}")
    return json.loads(done.stdout.splitlines()[-1])


def start(case):
    """What is used until a search was made for a case."""
    return START | POSTERIOR_START \
        if case.startswith(("posterior", "family")) else START


def tuned():
    """Settings by case, those found on this machine, else the start; and the
    cases that were searched."""
    try:
        found = json.loads(TUNED.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = {}
    return {case: found.get(case, {}).get("setting", start(case))
            for case in CASES}, set(found)
