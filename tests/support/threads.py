"""Same bits for any number of threads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

COUNTS = (1, 2, 4)
_CLOCKS = {"seconds"}  # what may differ between two runs


def bits(value: Any) -> Any:
    """A value that compares equal exactly when every bit of `value` does (times left out)."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float | np.floating):
        return np.float64(value).tobytes()
    if dataclasses.is_dataclass(value):
        return {
            f.name: bits(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name not in _CLOCKS
        }
    if isinstance(value, Mapping):
        return {key: bits(entry) for key, entry in value.items() if key not in _CLOCKS}
    if isinstance(value, list | tuple):
        return [bits(entry) for entry in value]
    return value


def equal_over_threads(call: Callable[[int], Any], counts: tuple[int, ...] = COUNTS) -> Any:
    """Assert that call(n_threads) agrees bit for bit over `counts`; returns the answer."""
    first = call(counts[0])
    for n_threads in counts[1:]:
        assert bits(call(n_threads)) == bits(first), f"{n_threads} threads differ from {counts[0]}"
    return first
