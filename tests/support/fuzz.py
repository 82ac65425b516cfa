"""Hostile values for every parameter of every public call, taken from signatures.

`targets()` lists the calls with arguments that work; `cases(n, seed)` puts a hostile value (now and then two)
into them; `run` makes the calls in forked children that are killed if they don't answer, and says what came
of each: see `Outcome`. A child makes many calls; one that dies is replaced and its case is named.
"""

from __future__ import annotations

import fractions
import inspect
import json
import os
import random
import re
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot

from steelyard import build_info

PATIENCE = 20.0  # seconds without an answer to Ctrl-C, on a busy machine, until a process is killed
ROOM = 2 << 30  # bytes that a child may take
OTHERS = ("steelyard's own error", "the value's own error", "scikit-learn's own check")
GOOD = ("fine", "refused", "refused by another name", *OTHERS, "long, ended by Ctrl-C")
TEXTS = {"text", "no text", "NUL", "surrogate"}
CALLED = {"K", "losses", "compose", "size_map", "oracle", "progress"}  # what these raise is the caller's


@dataclass(frozen=True)
class Target:
    """A call with arguments that work; `make` builds afresh what it is called on and with."""

    name: str
    make: Callable[[], tuple[Callable[..., Any], dict[str, Any]]]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """`values`: parameter and number of the hostile value, one or two."""

    target: int
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a case: a word of GOOD, or of what is wrong, and what was said."""

    case: str
    word: str
    said: str = ""

    @property
    def good(self) -> bool:
        return self.word in GOOD


# ---- hostile values, of the base value that they stand for


class Thorny:
    """Raises whatever it is asked, and says so."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a thorny array")

    def __len__(self) -> int:
        raise RuntimeError("a thorny length")

    def __repr__(self) -> str:
        raise RuntimeError("a thorny repr")

    def __float__(self) -> float:
        raise RuntimeError("a thorny float")

    def __index__(self) -> int:
        raise RuntimeError("a thorny index")


def _pandas() -> Any:
    return __import__("pandas")


def _sparse() -> Any:
    return __import__("scipy.sparse", fromlist=["x"])


SCALARS: dict[str, Callable[[Any], Any]] = {
    "None": lambda _: None,
    "True": lambda _: True,
    "False": lambda _: False,
    "zero": lambda _: 0,
    "one": lambda _: 1,
    "two": lambda _: 2,
    "minus one": lambda _: -1,
    "2**31 - 1": lambda _: 2**31 - 1,
    "2**31": lambda _: 2**31,
    "2**45": lambda _: 2**45,
    "2**62": lambda _: 2**62,
    "2**63 - 1": lambda _: 2**63 - 1,
    "2**63": lambda _: 2**63,
    "2**64": lambda _: 2**64,
    "-2**63": lambda _: -(2**63),
    "10**400": lambda _: 10**400,
    "10**5000": lambda _: 10**5000,
    "-10**5000": lambda _: -(10**5000),
    "half": lambda _: 0.5,
    "nan": lambda _: float("nan"),
    "inf": lambda _: float("inf"),
    "-inf": lambda _: -float("inf"),
    "1e308": lambda _: 1e308,
    "-1e308": lambda _: -1e308,
    "1e-17": lambda _: 1e-17,
    "5e-324": lambda _: 5e-324,
    "-0.0": lambda _: -0.0,
    "big fraction": lambda _: fractions.Fraction(10**400, 3),
    "int64": lambda _: np.int64(-(2**63)),
    "uint64": lambda _: np.uint64(2**64 - 1),
    "float32 nan": lambda _: np.float32("nan"),
    "float16": lambda _: np.float16(6e4),
    "longdouble": lambda _: np.longdouble("1e4000"),
    "complex": lambda _: 1 + 1j,
    "text": lambda _: "nonsense",
    "no text": lambda _: "",
    "NUL": lambda _: "a\0b",
    "long text": lambda _: "x" * 100_000,
    "bytes": lambda _: b"bytes",
    "surrogate": lambda _: "\ud800",
    "date": lambda _: np.datetime64("2020-01-01"),
    "NaT": lambda _: np.datetime64("NaT", "D"),
    "object": lambda _: object(),
    "thorny": lambda _: Thorny(),
    "class": lambda _: int,
    "function": lambda _: len,
    "lambda": lambda _: lambda *_, **__: None,
    "raises": lambda _: _raises,
    "list": lambda _: [],
    "dict": lambda _: {},
    "set": lambda _: {1, 2},
    "tuple": lambda _: (1, 2, 3),
    "generator": lambda _: (i for i in range(3)),
    "Ellipsis": lambda _: ...,
    "module": lambda _: np,
    "0-d": lambda _: np.array(1.0),
    "array": lambda _: np.arange(7.0),
}


def _raises(*_: Any, **__: Any) -> Any:
    raise ValueError("a thorny function")


def _numbers(base: Any) -> np.ndarray:
    array = np.asarray(base)
    return array.astype(float) if array.dtype.kind in "fiub" else np.zeros(array.shape)


def _with(entry: float) -> Callable[[Any], Any]:
    def spoil(base: Any) -> Any:
        array = _numbers(base).copy()
        array.flat[array.size // 2 if array.size else slice(0)] = entry
        return array

    return spoil


def _strided(base: Any) -> Any:
    array = np.asarray(base)
    wide = np.repeat(array, 3, axis=-1)
    return wide[..., ::-3]


def _readonly(base: Any) -> Any:
    array = np.array(base)
    array.flags.writeable = False
    return array


def _ragged(base: Any) -> Any:
    rows = np.asarray(base).tolist()
    return [*rows[:-1], [1.0, [2.0, 3.0]]] if rows else [[1], [2, 3]]


def _masked(base: Any) -> Any:
    array = np.asarray(base)
    mask = np.zeros(array.shape, bool)
    mask.flat[: (array.size + 1) // 2] = True
    return np.ma.array(array, mask=mask)


def _nullable(base: Any) -> Any:
    pandas, array = _pandas(), _numbers(base)
    column = pandas.array([None, *array.ravel()[1:].tolist()], dtype="Float64")
    if array.ndim == 1:
        return pandas.Series(column)
    rows = len(array)
    return pandas.DataFrame({k: column[k * rows : (k + 1) * rows] for k in range(array.size // max(rows, 1))})


ARRAYS: dict[str, Callable[[Any], Any]] = {
    "one nan": _with(np.nan),
    "one inf": _with(np.inf),
    "one 1e308": _with(1e308),
    "one 1e160": _with(1e160),
    "one 5e-324": _with(5e-324),
    "one negative": _with(-1.0),
    "one huge integer": lambda b: _with(2.0**62)(b).astype(np.int64),
    "all 1e308": lambda b: _numbers(b) * 0 + 1e308,
    "all 1e-200": lambda b: _numbers(b) * 1e-200,
    "all zero": lambda b: _numbers(b) * 0,
    "all one": lambda b: _numbers(b) * 0 + 1,
    "all minus one": lambda b: _numbers(b) * 0 - 1,
    "offset 1e15": lambda b: _numbers(b) + 1e15,
    "complex array": lambda b: _numbers(b) + 1j,
    "object array": lambda b: np.asarray(b).astype(object),
    "None inside": lambda b: np.array([None, *np.asarray(b).astype(object).ravel()[1:]], dtype=object),
    "big integers": lambda b: [10**400] * max(len(np.atleast_1d(np.asarray(b))), 1),
    "thorns inside": lambda b: [Thorny()] * max(len(np.atleast_1d(np.asarray(b))), 1),
    "text array": lambda b: np.asarray(b).astype(str),
    "bytes array": lambda b: np.asarray(b).astype(str).astype("S"),
    "variable text": lambda b: np.asarray(b).astype(np.dtypes.StringDType()),
    "dates": lambda b: _numbers(b).astype("i8").astype("M8[D]"),
    "durations": lambda b: _numbers(b).astype("i8").astype("m8[s]"),
    "records": lambda b: np.zeros(np.shape(b), dtype=[("a", float), ("b", "U3")]),
    "float16 array": lambda b: _numbers(b).astype(np.float16),
    "longdouble array": lambda b: _numbers(b).astype(np.longdouble),
    "uint64 array": lambda b: np.full(np.shape(b), 2**64 - 1, np.uint64),
    "int8 array": lambda b: np.full(np.shape(b), -128, np.int8),
    "bool array": lambda b: _numbers(b) > 0,
    "big endian": lambda b: _numbers(b).astype(">f8"),
    "strided": _strided,
    "read-only": _readonly,
    "fortran": lambda b: np.asfortranarray(b),
    "ragged": _ragged,
    "masked": _masked,
    "nullable": _nullable,
    "series": lambda b: _pandas().Series(list(np.asarray(b).ravel()), dtype=object),
    "frame": lambda b: _pandas().DataFrame(np.atleast_2d(np.asarray(b))),
    "categorical": lambda b: _pandas().Series(np.asarray(b).ravel().astype(str), dtype="category"),
    "csr": lambda b: _sparse().csr_array(np.atleast_2d(_numbers(b))),
    "empty coo": lambda b: _sparse().coo_array((3, 3)),
    "list of lists": lambda b: np.asarray(b).tolist(),
    "one entry": lambda b: np.asarray(b)[:1],
    "one less": lambda b: np.asarray(b)[:-1],
    "one more": lambda b: np.concatenate([np.asarray(b), np.asarray(b)[:1]]),
    "no rows": lambda b: np.asarray(b)[:0],
    "no columns": lambda b: np.asarray(b)[..., :0],
    "one axis more": lambda b: np.asarray(b)[..., None],
    "one axis less": lambda b: np.asarray(b)[0],
    "flipped axes": lambda b: np.asarray(b).T,
    "eight axes": lambda b: np.zeros((1,) * 8),
    "broadcast": lambda b: np.broadcast_to(_numbers(b).ravel()[:1], np.shape(b)),
    "memory view": lambda b: memoryview(np.ascontiguousarray(_numbers(b))),
}

HOSTILE: list[tuple[str, Callable[[Any], Any]]] = [*SCALARS.items(), *ARRAYS.items()]


def hostile_for(base: Any) -> range:
    """Numbers of the values that go in place of a base value: arrays only where it can be made one."""
    return range(len(HOSTILE) if isinstance(base, np.ndarray | list | tuple) else len(SCALARS))


# ---- cases


def cases(n: int, seed: int, all_targets: list[Target]) -> list[Case]:
    """n cases, the same for a seed; each target in turn, so that none is left out."""
    draw = random.Random(seed)
    bases = [target.make()[1] for target in all_targets]
    out = []
    order = list(range(len(all_targets)))
    while len(out) < n:
        draw.shuffle(order)
        for t in order:
            names = all_targets[t].parameters
            if not names:
                continue
            chosen = draw.sample(names, 2 if len(names) > 1 and draw.random() < 0.15 else 1)
            out.append(
                Case(t, tuple((name, draw.choice(hostile_for(bases[t].get(name)))) for name in chosen))
            )
    return out[:n]


def described(case: Case, all_targets: list[Target]) -> str:
    values = ", ".join(f"{name}=<{HOSTILE[k][0]}>" for name, k in case.values)
    return f"{all_targets[case.target].name}({values})"


def parameters_of(function: Callable[..., Any], base: dict[str, Any]) -> tuple[str, ...]:
    """Names that a call takes: from its signature, and those of the base where it takes any."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    return tuple(dict.fromkeys([*named, *base]))


# ---- one call


def judge(case: Case, all_targets: list[Target]) -> Outcome:
    """Makes the call and says what came of it; crashes and hangs are the caller's to see."""
    target = all_targets[case.target]
    name = described(case, all_targets)
    function, arguments = target.make()
    try:
        for parameter, k in case.values:
            arguments[parameter] = HOSTILE[k][1](arguments.get(parameter))
    except Exception:
        return Outcome(name, "fine", "this value can't be made of the base")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            signal.setitimer(signal.ITIMER_PROF, float(os.environ.get("STEELYARD_FUZZ_SECONDS", "0.5")))
            function(**arguments)
        except BaseException as error:
            signal.setitimer(signal.ITIMER_PROF, 0)
            return _judged(error, case, target, name)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            pyplot.close("all")
    odd = [w for w in caught if issubclass(w.category, RuntimeWarning | DeprecationWarning)]
    if odd:
        return Outcome(
            name, "warning of NumPy or Python", f"{odd[0].message} at {odd[0].filename}:{odd[0].lineno}"
        )
    return Outcome(name, "fine")


def _judged(error: BaseException, case: Case, target: Target, name: str) -> Outcome:
    kind, said = type(error).__name__, f"{type(error).__name__}: {error}"[:400]
    trace = traceback.extract_tb(error.__traceback__)
    said = f"{said}  [{trace[-1].filename.rpartition('steelyard/')[2]}:{trace[-1].lineno}]"
    if isinstance(error, KeyboardInterrupt):
        asked_for = any("**" in HOSTILE[k][0] for _, k in case.values)
        return Outcome(name, "long, ended by Ctrl-C" if asked_for else "long without need", said)
    text = str(error)
    if "incompatible function arguments" in text or "pybind11" in text:
        return Outcome(name, "dump of a binding", said)
    if kind in ("DisconnectedError", "SeparationError"):
        return Outcome(name, "steelyard's own error", said)
    checks = (ValueError, TypeError, OverflowError)
    if isinstance(error, checks) and any("/sklearn/" in frame.filename for frame in trace[-3:]):
        return Outcome(name, "scikit-learn's own check", said)
    if isinstance(error, RuntimeError) and "a thorny" in text:
        return Outcome(name, "the value's own error", said)
    if not isinstance(
        error, ValueError | TypeError | MemoryError | KeyError | ImportError | NotImplementedError
    ):
        return Outcome(name, "undocumented exception", said)
    texts = [SCALARS[HOSTILE[k][0]](None) for _, k in case.values if HOSTILE[k][0] in TEXTS]
    if any(_names(text, parameter) for parameter, _ in case.values) or any(repr(t) in text for t in texts):
        return Outcome(name, "refused", said)
    function, _ = target.make()
    others = {*target.parameters, *parameters_of(function, {})}
    if any(_names(text, parameter) for parameter in others):
        return Outcome(name, "refused by another name", said)
    called = any(parameter in CALLED for parameter, _ in case.values)
    if "a thorny" in text or (called and isinstance(error, TypeError)):
        return Outcome(name, "the value's own error", said)
    if isinstance(error, KeyError) and re.search(r"^['\"]?no \w+ ", text):
        return Outcome(name, "refused", said)
    return Outcome(name, "nameless exception", said)


def _names(text: str, parameter: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(parameter.removesuffix('s'))}s?(?!\w)", text) is not None


# ---- children


def run(chosen: list[Case], all_targets: list[Target], *, limit: float | None = None) -> Iterator[Outcome]:
    """The outcomes of cases, in their order; those that no time is left for are not made."""
    end = float("inf") if limit is None else time.monotonic() + limit
    k = 0
    while k < len(chosen) and time.monotonic() < end:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _serve(writer, chosen[k:], all_targets)
        os.close(writer)
        for outcome in _heard(reader, child, chosen[k:], all_targets, end):
            yield outcome
            k += 1


def _heard(
    reader: int, child: int, chosen: list[Case], all_targets: list[Target], end: float
) -> Iterator[Outcome]:
    """What a child says until it is done, dies or hangs; of the last two, what befell the case at hand."""
    heard, rest, killed = 0, b"", False
    while time.monotonic() < end:
        if not select.select([reader], [], [], PATIENCE)[0]:
            os.kill(child, signal.SIGKILL)
            yield Outcome(described(chosen[heard], all_targets), "hang", f"no answer within {PATIENCE} s")
            killed = True
            break
        part = os.read(reader, 1 << 16)
        if not part:
            break
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            heard += 1
            yield Outcome(*json.loads(line))
    else:
        os.kill(child, signal.SIGKILL)
        killed = True
    os.close(reader)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not killed and heard < len(chosen):
        yield Outcome(described(chosen[heard], all_targets), "crash", f"the process ended with {code}")


def _serve(writer: int, chosen: list[Case], all_targets: list[Target]) -> None:
    try:
        signal.signal(signal.SIGPROF, signal.default_int_handler)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        if not build_info()["sanitizers"]:  # these keep shadow memory
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for case in chosen:
            try:
                outcome = judge(case, all_targets)
            except KeyboardInterrupt:  # between two steps of the judge
                outcome = Outcome(described(case, all_targets), "long, ended by Ctrl-C")
            os.write(writer, json.dumps([outcome.case, outcome.word, outcome.said]).encode() + b"\n")
    except BaseException:
        traceback.print_exc()
        os._exit(3)
    os._exit(0)


def totals(outcomes: list[Outcome]) -> str:
    """How often each word was the outcome."""
    counts = Counter(outcome.word for outcome in outcomes)
    lines = [f"{count:7,}  {word}" for word, count in counts.most_common()]
    return "\n".join([f"{len(outcomes):7,}  calls", *lines])


def main(arguments: list[str]) -> None:
    """fuzz.py CASES SEED PART PARTS LIMIT: the outcomes of a part of the cases as lines of JSON."""
    from support.fuzz_targets import targets

    n, seed, part, parts = map(int, arguments[:4])
    limit = float(arguments[4]) if len(arguments) > 4 else None
    everything = targets()
    pyplot.figure().add_subplot().plot([1], label="fonts are found once")
    pyplot.close("all")
    chosen = cases(n, seed, everything)[part::parts]
    for outcome in run(chosen, everything, limit=limit):
        print(json.dumps([outcome.case, outcome.word, outcome.said]), flush=True)


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != os.path.dirname(__file__)]
    main(sys.argv[1:])
