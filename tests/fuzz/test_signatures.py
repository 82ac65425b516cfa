"""Hostile values for each parameter of each public call: no signal, no hang, errors that name arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from support import fuzz

FEW = 400  # in the plain suite
FUZZ = Path(fuzz.__file__)


def outcomes_of(n: int, seed: int) -> list[fuzz.Outcome]:
    """All outcomes, from two processes that fork a child for many calls each."""
    parts = min(2, os.cpu_count() or 1)
    path = os.pathsep.join(filter(None, [str(FUZZ.parents[1]), os.environ.get("PYTHONPATH")]))
    runs = [
        subprocess.Popen(
            [sys.executable, str(FUZZ), str(n), str(seed), str(part), str(parts)],
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in range(parts)
    ]
    said = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * parts
    return [fuzz.Outcome(*json.loads(line)) for part in said for line in part.splitlines()]


def test_hostile_values_meet_errors_that_name_the_argument(pytestconfig):
    n = pytestconfig.getoption("--cases", default=None) or FEW
    found = outcomes_of(n, pytestconfig.getoption("--fuzz-seed", default=0))
    print("\n" + fuzz.totals(found))
    bad = [f"{each.word}: {each.case}\n    {each.said}" for each in found if not each.good]
    assert not bad, f"{len(bad)} of {n}:\n" + "\n".join(bad)
    assert len(found) == n
