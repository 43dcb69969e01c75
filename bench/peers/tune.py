# SPDX-License-Identifier: Apache-2.0
"""Find the settings with which each peer is fastest on this machine.

    python3 bench/peers/tune.py [--seconds S] [--passes P] [--rounds R]
                                 [--wait W] [CASE...]

Key by key, every value is tried against the best setting so far; the values
of one key are measured in turn, R times over (default 3), so that a slow spell
of the machine hits all of them, and a value must win by MARGIN to be taken.
The outcome goes to .cache/peers/tuned.json, which peers/settings.py reads;
each key is printed.  A trial waits up to W seconds for a quiet machine.
"""

import argparse
import json

import settings

MARGIN = 1.02


def trial(case, setting, seconds, wait):
    settings.wait_for_quiet(wait)
    try:
        return settings.measure(case, setting, seconds)["rate"]["best"]
    except (RuntimeError, FileNotFoundError) as error:
        print(f"  {case}: {setting}: {error}", flush=True)
        return 0.0


def tune(case, args):
    best = dict(settings.START)
    searched = settings.searched(case)
    if "threads" not in searched:
        best["threads"] = 0
    rate = 0.0
    for _ in range(args.passes):
        before = dict(best)
        for key, values in searched.items():
            now = best.get(key, values[0])
            rates = {value: 0.0 for value in values}
            for _ in range(args.rounds):
                for value in values:
                    rates[value] = max(rates[value], trial(
                        case, best | {key: value}, args.seconds, args.wait))
            winner = max(rates, key=rates.get)
            if rates[winner] < MARGIN * rates[now]:
                winner = now
            best[key] = winner
            rate = rates[winner]
            shown = "  ".join(f"{value or '-'}: {rates[value]:.5g}"
                              for value in values)
            print(f"{case} {key} -> {winner or '-'}   ({shown})", flush=True)
        if best == before:
            break
    return {"setting": best, "best": rate}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", type=float, default=20.0)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    args = parser.parse_args()
    unknown = set(args.cases) - set(settings.CASES)
    if unknown:
        parser.error(f"no case {sorted(unknown)}: "
                     f"there are {', '.join(settings.CASES)}")
    try:
        found = json.loads(settings.TUNED.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = {}
    for case in args.cases or settings.CASES:
        found[case] = tune(case, args)
        settings.CACHE.mkdir(parents=True, exist_ok=True)
        settings.TUNED.write_text(json.dumps(found, indent=1) + "\n",
                                  encoding="utf-8")


if __name__ == "__main__":
    main()
