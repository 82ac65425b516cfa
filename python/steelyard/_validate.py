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
from ._spelling import row_words, shown

Progress = Callable[[float, float], object]
_MOST, _MOST_STEPS = 2**63 - 1, 2**31 - 1


def check_number(value: object, name: str) -> float:
    """A finite real number."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} must be finite in float64, got {shown(value)}") from None
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


def check_count(value: object, name: str, *, least: int = 1, most: int = _MOST) -> int:
    """An integer from least to most."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {shown(value)}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {shown(number)}")
    if number > most:
        limit = "below 2**63" if most == _MOST else f"at most {most}"
        raise ValueError(f"{name} must be {limit}, got {shown(number)}")
    return number


def check_steps(value: object, name: str, *, least: int = 1) -> int:
    """An integer that counts iterations, which kernels count in 32 bits."""
    return check_count(value, name, least=least, most=_MOST_STEPS)


def check_room(number: int, name: str, *shape: int, max_memory: object = None) -> int:
    """The number again; MemoryError, before any work, where so many arrays of float64 can't be held.

    `max_memory` is the caller's argument of that name, in bytes.
    """
    size = 8.0 * number * math.prod(shape)
    if max_memory is not None and size > (most := check_positive(max_memory, "max_memory")):
        raise MemoryError(
            f"{name}={shown(number)} asks for {size / 1e9:.3g} GB (max_memory is {most / 1e9:.3g} GB); "
            f"lower {name} or raise max_memory"
        )
    try:
        np.empty((number, *shape))
    except (MemoryError, ValueError):  # ValueError: more than can be addressed
        raise MemoryError(
            f"{name}={number} asks for {size / 1e9:.3g} GB, more than there is memory; lower {name}"
        ) from None
    return number


def check_choice(value: object, name: str, choices: Collection[str]) -> str:
    """One of the strings in `choices`."""
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {shown(value)}")


def check_flag(value: object, name: str) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def check_threads(n_threads: object) -> int:
    """Number of threads for one call, as many as can be of use; None means the default (see build_info)."""
    if n_threads is None:
        return _core._default_threads()
    return min(check_count(n_threads, "n_threads"), _core._most_threads())


def check_progress(progress: Any) -> Progress | None:
    """A callable progress(done, total), or None."""
    if progress is None or callable(progress):
        return progress  # type: ignore[no-any-return]
    raise TypeError(f"progress must be callable as progress(done, total) or None, got {shown(progress)}")


def check_rng(rng: Any, name: str = "rng") -> np.random.Generator:
    """A generator, as SPEC 7 asks: from None, an integer, a SeedSequence, a BitGenerator or a Generator."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError, OverflowError):
        raise (ValueError if isinstance(rng, numbers.Integral) else TypeError)(
            f"{name} must be None, an integer >= 0, a numpy.random Generator, BitGenerator or SeedSequence, "
            f"got {shown(rng)}"
        ) from None


def seed_words(rng: Any) -> tuple[int, int]:
    """Two 64-bit words for the counter-based generators, drawn from `check_rng`; a Generator advances."""
    words = check_rng(rng).integers(0, 2**64, size=2, dtype=np.uint64)
    return int(words[0]), int(words[1])


def refuse_masked(values: Any, name: str) -> npt.NDArray[Any]:
    """As an array; masked entries, whose mask would be lost, and what is no array are refused by name."""
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.getmaskarray(values).any():
            raise ValueError(f"{name} has masked entries; drop or fill them")
        return np.asarray(values.data)
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise TypeError(
            f"{name} is a sparse {type(values).__name__}, and every entry is needed: {name}.toarray()"
        )
    try:
        return np.asarray(values)
    except Exception as error:  # ragged lists, and whatever the __array__ of an object of others raises
        if "inhomogeneous" in str(error):
            raise ValueError(f"{name} is ragged: its rows differ in length") from None
        raise ValueError(f"{name} can't be read as an array: {error}") from None


def real_array(values: Any, name: str) -> npt.NDArray[Any]:
    """As an array of floats, integers or booleans; all else is refused by name, with what to do."""
    array = refuse_masked(values, name)
    if array.dtype.kind == "O":
        array = _nullable_numbers(values, array)
    if array.dtype.kind in "fiub":
        return array
    raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}{_advice(values, array)}")


def _column_types(values: Any) -> dict[Any, Any]:
    """By name, the types of a data frame's columns; of a series its own."""
    types: Any = getattr(values, "dtypes", None)
    if hasattr(types, "items"):
        return dict(types.items())
    return {} if types is None or isinstance(types, str | list) else {getattr(values, "name", None): types}


def _nullable_numbers(values: Any, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Columns of numbers, some nullable (pandas' Int64 beside Float64), NaN for what is missing."""
    types = _column_types(values)
    if not types or not all(getattr(kind, "kind", "O") in "fiub" for kind in types.values()):
        return array
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def _advice(values: Any, array: npt.NDArray[Any]) -> str:
    """What an array holds instead of real numbers, and what to do about it."""
    for name, kind in _column_types(values).items():
        if getattr(kind, "kind", "O") not in "fiub":
            return f": column {name!r} holds {kind}; encode it as numbers or leave it out"
    if array.dtype.kind in "US":
        return " (text): convert it, or encode categories as numbers"
    if array.dtype.kind == "c":
        return ": take real parts or absolute values"
    if array.dtype.kind in "mM":
        return " (times): subtract a start and divide by a unit"
    if array.dtype.kind == "O" and array.ndim > 0 and array.size > 0:
        odd = (x for x in array.flat if isinstance(x, bool) or not isinstance(x, numbers.Real))
        first = next(odd, array.flat[0])
        return f" with entries such as {shown(first)}; .astype(float) converts objects that are numbers"
    return "" if array.ndim else f", from {shown(values)}"


def check_vector(
    values: Any, name: str, *, length: int | None = None, row_name: Callable[[int], str] = row_words
) -> npt.NDArray[np.float64]:
    """A finite 1-D float64 array; masked, complex and object arrays are refused."""
    array = real_array(values, name)
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


def check_each(
    values: Any, name: str, n: int, *, row_name: Callable[[int], str] = row_words
) -> npt.NDArray[np.float64]:
    """A finite number for each of n rows; a single one stands for all."""
    array = real_array(values, name)
    return check_vector(array if array.ndim else np.full(n, array), name, length=n, row_name=row_name)


def is_one(values: Any, name: str) -> bool:
    """Whether it is one value rather than a list, ragged lists being refused by name."""
    try:
        return np.ndim(values) == 0
    except ValueError:
        raise ValueError(f"{name} must not be ragged, lists of unequal length") from None
