"""Animals (generators of one kind of data), transformations of them, and instances drawn from both.

    @animal("points")
    def lattice(rng, n): return {"X": ...}           about n of what the kind counts

    @transformation("points")
    def rounded(rng, data): return {...} or None     None where it does not apply

A kind says by `kind(...)` which arrays share an axis of items, so that a failing instance can be cut down.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Data = dict[str, Any]
Generator = Callable[[np.random.Generator, int], Data]
Change = Callable[[np.random.Generator, Data], Data | None]
Take = Callable[[Data, np.ndarray], Data]

_ANIMALS: dict[str, dict[str, Generator]] = {}
_CHANGES: dict[str, dict[str, Change]] = {}
_KINDS: dict[str, tuple[Callable[[Data], int], Take, Change]] = {}

USUAL = 60  # instances are no larger, but for one in ten where a trial allows more


@dataclass(frozen=True)
class Instance:
    """Data of one kind, by whom it was made, and a seed for what a trial chooses beside it."""

    kind: str
    name: str
    seed: int
    data: Data
    recipe: tuple[int, int, int] = field(default=(0, 0, 0), repr=False)  # seed, index, largest

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def rng(self) -> np.random.Generator:
        """The same choices (a scale, a model) whenever the instance is tried."""
        return np.random.default_rng(self.seed)

    def code(self) -> str:
        """Python that makes it again: its numbers where they are few, else how it was drawn."""
        if sum(np.size(value) for value in self.data.values()) > 1500:
            seed, index, largest = self.recipe
            return (
                f"instance = zoo.instance({self.kind!r}, {seed}, {index}, largest={largest})  # {self.name}"
            )
        lines = [f"    {key!r}: {_literal(value)}," for key, value in self.data.items()]
        head = f"instance = zoo.Instance({self.kind!r}, {self.name!r}, {self.seed}, {{"
        return "\n".join([head, *lines, "})"])


def _literal(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value) if value == value else "np.nan"
    text = repr(value.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({text}, dtype={value.dtype.name!r})"


def kind(name: str, *, size: Callable[[Data], int], take: Take, complete: Change | None = None) -> None:
    """Declare a kind: how many items its data has, how some of them are kept, what each instance also has."""
    _KINDS[name] = size, take, complete or (lambda rng, data: data)


def animal(*kinds: str) -> Callable[[Generator], Generator]:
    """Register a generator under one or several kinds."""

    def register(function: Generator) -> Generator:
        for name in kinds:
            _ANIMALS.setdefault(name, {})[function.__name__] = function
        return function

    return register


def transformation(*kinds: str) -> Callable[[Change], Change]:
    """Register a change of data that every animal of the kind can undergo."""

    def register(function: Change) -> Change:
        for name in kinds:
            _CHANGES.setdefault(name, {})[function.__name__] = function
        return function

    return register


def kinds() -> list[str]:
    return list(_KINDS)


def animals(name: str) -> list[str]:
    return list(_ANIMALS[name])


def instance(name: str, seed: int, index: int, *, largest: int = USUAL) -> Instance:
    """The instance of that number: each animal in turn, with up to two transformations."""
    _, _, complete = _KINDS[name]
    order = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(len(_ANIMALS[name]))
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), index])
    which = list(_ANIMALS[name])[order[index % len(order)]]
    data = _ANIMALS[name][which](rng, _draw_size(rng, largest))
    words = [which.replace("_", " ")]
    changes = list(_CHANGES.get(name, {}))
    for k in rng.permutation(len(changes))[: rng.choice(3, p=[0.4, 0.4, 0.2])]:
        changed = _CHANGES[name][changes[k]](rng, data)
        if changed is not None:
            data = changed
            words.append(changes[k].replace("_", " "))
    made = complete(rng, data)
    assert made is not None
    return Instance(name, ", ".join(words), int(rng.integers(2**31)), made, (seed, index, largest))


def instances(name: str, count: int, seed: int, *, largest: int = USUAL) -> Iterator[Instance]:
    """`count` instances of a kind; the same for the same seed."""
    for index in range(count):
        yield instance(name, seed, index, largest=largest)


def _draw_size(rng: np.random.Generator, largest: int) -> int:
    usual = min(largest, USUAL)
    if rng.random() < 0.25:
        return int(min(rng.integers(1, 6), largest))
    if largest > USUAL and rng.random() < 0.1:
        return int(np.exp(rng.uniform(np.log(USUAL), np.log(largest))))
    return int(np.exp(rng.uniform(min(1.0, np.log(usual)), np.log(usual + 0.999))))


def size_of(made: Instance) -> int:
    """How many items an instance has."""
    return _KINDS[made.kind][0](made.data)


def reduced(made: Instance, keep: np.ndarray) -> Instance:
    """The instance with some of its items."""
    return replace(made, data=_KINDS[made.kind][1](made.data, keep))


# ---- changes that serve several kinds


def unit_of(rng: np.random.Generator) -> float:
    """Some power of ten from 1e-150 to 1e150: the ends more often than the middle."""
    return float(10.0 ** rng.choice([-150, -100, -30, -12, -6, -3, 3, 6, 12, 30, 100, 150]))


def scaled(array: np.ndarray, unit: float) -> np.ndarray | None:
    """In another unit; None where that overflows or the values are integers."""
    if array.dtype.kind != "f":
        return None
    with np.errstate(over="ignore", under="ignore"):
        result = array.astype(np.float64) * unit
    return result if np.isfinite(result).all() and np.abs(result).max(initial=0) < 1e153 else None


def rounded_to(array: np.ndarray, digits: int) -> np.ndarray:
    """To so many decimals at the scale of the largest value."""
    size = np.abs(array[np.isfinite(array)]).max(initial=0.0)
    if size == 0 or array.dtype.kind != "f":
        return array
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        step = 10.0 ** (np.ceil(np.log10(size)) - digits)
        result = np.round(array / step) * step
    return result if np.isfinite(result).all() else array


def cast(array: np.ndarray, dtype: Any) -> np.ndarray | None:
    """In a narrower type; None where it overflows or all is lost to zero."""
    with np.errstate(over="ignore", under="ignore"):
        result = array.astype(dtype)
    kept = np.isfinite(result).all() and bool(result.any()) == bool(array.any())
    return result if kept else None
