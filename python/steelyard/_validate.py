"""Checks that every family uses. A message names the argument, what arrived and what would be right."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._spelling import row_words

Progress = Callable[[float, float], object]


def check_number(value: object, name: str) -> float:
    """A finite real number."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    return number


def check_positive(value: object, name: str) -> float:
    """A finite number > 0."""
    number = check_number(value, name)
    if number <= 0:
        raise ValueError(f"{name} must be positive, got {number}")
    return number


def check_nonnegative(value: object, name: str) -> float:
    """A finite number >= 0."""
    number = check_number(value, name)
    if number < 0:
        raise ValueError(f"{name} must be zero or positive, got {number}")
    return number


def check_level(value: object, name: str = "level") -> float:
    """A probability strictly between 0 and 1."""
    number = check_number(value, name)
    if not 0 < number < 1:
        hint = f"; did you mean {number / 100}?" if 1 < number < 100 else ""
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {number}{hint}")
    return number


def check_count(value: object, name: str, *, least: int = 1) -> int:
    """An integer >= least."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    if number >= 2**63:
        raise ValueError(f"{name} must be below 2**63, got {number}")
    return number


def check_room(number: int, name: str, *shape: int) -> int:
    """The number again; MemoryError, before any work, where so many arrays of float64 can't be held."""
    try:
        np.empty((number, *shape))
    except (MemoryError, ValueError):  # ValueError: more than can be addressed
        size = 8.0 * number * math.prod(shape)
        raise MemoryError(
            f"{name}={number} asks for {size / 1e9:.3g} GB, more than there is memory; lower {name}"
        ) from None
    return number


def check_choice(value: object, name: str, choices: Collection[str]) -> str:
    """One of the strings in `choices`."""
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def check_flag(value: object, name: str) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_threads(n_threads: object) -> int:
    """Number of threads for one call; None means the default (see build_info)."""
    return _core._default_threads() if n_threads is None else check_count(n_threads, "n_threads")


def check_progress(progress: Any) -> Progress | None:
    """A callable progress(done, total), or None."""
    if progress is None or callable(progress):
        return progress  # type: ignore[no-any-return]
    raise TypeError(f"progress must be callable as progress(done, total) or None, got {progress!r}")


def generator_of(rng: Any) -> np.random.Generator:
    """A generator from None, an integer, a SeedSequence, a BitGenerator or a Generator."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(
            f"rng must be None, an integer >= 0, a SeedSequence, a BitGenerator or a Generator, got {rng!r}"
        ) from None


def seed_words(rng: Any) -> tuple[int, int]:
    """Two 64-bit words for the counter-based generators, drawn as SPEC 7 asks.

    `rng` is None, an integer, a SeedSequence, a BitGenerator or a Generator (which advances).
    """
    words = generator_of(rng).integers(0, 2**64, size=2, dtype=np.uint64)
    return int(words[0]), int(words[1])


def refuse_masked(values: Any, name: str) -> npt.NDArray[Any]:
    """As an array; a masked array with masked entries is refused, since its mask would be lost."""
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.getmaskarray(values).any():
            raise ValueError(f"{name} has masked entries; drop or fill them")
        return np.asarray(values.data)
    return np.asarray(values)


def check_vector(
    values: Any, name: str, *, length: int | None = None, row_name: Callable[[int], str] = row_words
) -> npt.NDArray[np.float64]:
    """A finite 1-D float64 array; masked, complex and object arrays are refused."""
    array = refuse_masked(values, name)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-dimensional, got shape {array.shape}")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} must have length {length}, got {len(array)}")
    result = array.astype(np.float64, copy=False)
    bad = np.flatnonzero(~np.isfinite(result))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} entries that are NaN or infinite (first: {row_name(int(bad[0]))})"
        )
    return result
