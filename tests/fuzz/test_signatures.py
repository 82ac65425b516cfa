"""Hostile values for each parameter of each public call: no signal, no hang, errors that name arguments."""

from __future__ import annotations

import faulthandler
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from steelyard import build_info
from support import fuzz, fuzz_targets

ASAN = "allocator_may_return_null=1:max_allocation_size_mb=2048"  # as the limit on memory elsewhere
FEW = 250  # in the plain suite; .ci/sanitize makes 5,000
FUZZ = Path(fuzz.__file__)


def outcomes_of(n: int, seed: int) -> list[fuzz.Outcome]:
    """All outcomes, from processes that fork a child for many calls each."""
    parts = 1 if n <= FEW else min(2, os.cpu_count() or 1)  # beside other tests one is enough
    path = os.pathsep.join(filter(None, [str(FUZZ.parents[1]), os.environ.get("PYTHONPATH")]))
    runs = [
        subprocess.Popen(
            [sys.executable, str(FUZZ), str(n), str(seed), str(part), str(parts)],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "OPENBLAS_NUM_THREADS": "1",
                "MPLBACKEND": "agg",
                "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:{ASAN}",
            },
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


# ---- the fuzzer bites


def _targets(*functions):
    return [
        fuzz.Target(f.__name__, lambda f=f: (f, {"count": 3}), tuple(inspect.signature(f).parameters))
        for f in functions
    ]


def dies(count):
    faulthandler.disable()  # meant: no trace for people to wonder at
    os.kill(os.getpid(), 11)


def hangs(count):
    import signal
    import time

    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    time.sleep(60)


def spins(count):
    while True:
        pass


def nameless(count):
    raise ValueError("something is wrong")


def undocumented(count):
    raise IndexError("count")


def dumps(count):
    raise TypeError("f(): incompatible function arguments: count")


def warns(count):
    import warnings

    warnings.warn("overflow encountered", RuntimeWarning, stacklevel=1)


def refuses(count):
    raise ValueError(f"count must be something else, got {count}")


def takes(count):
    return None


@pytest.mark.serial
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fault_of_each_kind_is_told_from_good_behaviour(monkeypatch):
    monkeypatch.setattr(fuzz, "PATIENCE", 3.0)
    monkeypatch.setenv("STEELYARD_FUZZ_SECONDS", "0.05")
    everything = _targets(dies, hangs, spins, nameless, undocumented, dumps, warns, refuses, takes)
    half = [name for name, _ in fuzz.HOSTILE].index("half")
    chosen = [fuzz.Case(t, (("count", half),)) for t in range(len(everything))]
    words = {each.case.partition("(")[0]: each.word for each in fuzz.run(chosen, everything)}
    assert words == {
        "dies": "crash",
        "hangs": "hang",
        "spins": "long without need",
        "nameless": "nameless exception",
        "undocumented": "undocumented exception",
        "dumps": "dump of a binding",
        "warns": "warning of NumPy or Python",
        "refuses": "refused",
        "takes": "fine",
    }
    assert {word for word in words.values() if word in fuzz.GOOD} == {"refused", "fine"}


def test_memory_is_limited_in_a_child(monkeypatch):
    if build_info()["sanitizers"]:
        pytest.skip("a sanitizer keeps shadow memory")

    def fills(count):
        return bytearray(8 << 30)

    (outcome,) = fuzz.run([fuzz.Case(0, (("count", 0),))], _targets(fills))
    assert outcome.word == "nameless exception"
    assert "MemoryError" in outcome.said


def test_every_public_name_is_called_or_said_to_be_a_result():
    """A new function, estimator or method enters by itself; what it needs to be called is asked for here."""
    public = fuzz_targets.public()
    named = {target.name.partition(".")[0] for target in fuzz_targets.targets()}
    results_without_calls = {"Contrast", "Estimate", "Strength"}
    missing = set(public) - named - fuzz_targets.LOADERS - fuzz_targets.MADE - results_without_calls
    assert not missing


def test_arguments_of_the_targets_work():
    for target in fuzz_targets.targets():
        if target.name.partition(".")[0].startswith("plot_") or target.name.endswith(".plot"):
            continue
        with fuzz.warnings.catch_warnings():
            fuzz.warnings.simplefilter("ignore")
            function, arguments = target.make()
            function(**arguments)
