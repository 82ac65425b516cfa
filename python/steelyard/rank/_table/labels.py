"""Labels of any kind to codes 0 .. n - 1, sorted unless the order is given."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._labels import warn_of_twins
from ..._spelling import row_words
from ..._validate import refuse_masked

Codes = npt.NDArray[np.int32]
RowName = Callable[[int], str]
"""What a message calls a row: "row 17", or a file and its line."""

_MOST_CODES = 2**30


class Encoded(NamedTuple):
    labels: npt.NDArray[Any]
    first: Codes
    second: Codes


class Coded(NamedTuple):
    """A column of few distinct strings: these, and each row's place among them, -1 where it is missing."""

    labels: npt.NDArray[Any]
    codes: Codes

    @property
    def whole(self) -> bool:
        return len(self.codes) == 0 or int(self.codes.min()) >= 0

    def objects(self) -> npt.NDArray[Any]:
        """The strings themselves, None where missing."""
        return np.append(self.labels, [None])[self.codes]

    def rows(self, some: Any) -> Coded:
        """Some of the rows."""
        return Coded(self.labels, self.codes[some])


def encode(first: Any, second: Any, names: tuple[str, str], row_name: RowName = row_words) -> Encoded:
    """Sorted unique labels of both columns, and each column as positions in them."""
    if isinstance(first, Coded) and isinstance(second, Coded):
        if first.whole and second.whole:
            found = encode(first.labels, second.labels, names, row_name)
            return Encoded(found.labels, found.first[first.codes], found.second[second.codes])
        first, second = first.objects(), second.objects()
    a, b = label_column(first, names[0]), label_column(second, names[1])
    if _kind(a) != _kind(b) and "object" not in (_kind(a), _kind(b)):
        raise TypeError(
            f"{names[0]} and {names[1]} must hold labels of one kind, got {_kind(a)} and {_kind(b)}"
        )
    for column, name in ((a, names[0]), (b, names[1])):
        _refuse_missing(column, name, row_name)
    if a.dtype.kind in "biu" and b.dtype.kind in "biu" and _fit_int64(a) and _fit_int64(b):
        labels, x, y = _core.rank._encode_integers(
            a.astype(np.int64, copy=False), b.astype(np.int64, copy=False)
        )
        if a.dtype.kind == b.dtype.kind == "b":
            labels = labels.astype(bool)
        return Encoded(labels, x, y)
    if a.dtype.kind in "OTSU" or b.dtype.kind in "OTSU":
        return _encode_objects(a, b, names, row_name)
    labels, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    x, y = codes[: len(a)].astype(np.int32), codes[len(a) :].astype(np.int32)
    return Encoded(labels, x, y)


def encode_one(values: Any, name: str, row_name: RowName = row_words) -> tuple[npt.NDArray[Any], Codes]:
    """Sorted unique labels of one column, and the column as positions in them."""
    if isinstance(values, Coded):
        if values.whole:
            labels, places, _ = encode(values.labels, values.labels[:0], (name, name), row_name)
            return labels, places[values.codes]
        values = values.objects()
    column = label_column(values, name)
    labels, codes, _ = encode(column, column[:0], (name, name), row_name)
    return labels, codes


def encode_into(
    items: Any, first: Any, second: Any, names: tuple[str, str], row_name: RowName = row_words
) -> Encoded:
    """Like `encode`, but the labels and their order are given; others are refused."""
    labels = given_labels(items, "items")
    found = encode(first, second, names, row_name)
    place = positions(labels)
    table = np.array([place.get(label, -1) for label in hashable(found.labels)], dtype=np.int32)
    for codes, name in ((found.first, names[0]), (found.second, names[1])):
        unknown = np.flatnonzero(table[codes] < 0)
        if len(unknown):
            label = found.labels[codes[unknown[0]]]
            raise ValueError(
                f"{name} holds {_shown(label)} ({row_name(int(unknown[0]))}), which is not in items"
            )
    return Encoded(labels, table[found.first], table[found.second])


def given_labels(items: Any, name: str) -> npt.NDArray[Any]:
    """Labels whose order the caller fixes: unique, none missing."""
    labels = label_column(items, name).copy()
    _refuse_missing(labels, name, row_words)
    if labels.dtype.kind in "OTSU":
        labels = label_array(labels.tolist())
    if len(labels) > _MOST_CODES:
        raise ValueError(f"{name} must hold at most 2^30 labels, got {len(labels)}")
    place = positions(labels)
    if len(place) < len(labels):
        repeated = next(x for k, x in enumerate(hashable(labels)) if place[x] != k)
        raise ValueError(f"{name} must be unique, got {_shown(repeated)} more than once")
    return labels


def positions(labels: npt.NDArray[Any]) -> dict[Any, int]:
    """Where each label stands."""
    return {label: k for k, label in enumerate(hashable(labels))}


def hashable(labels: npt.NDArray[Any]) -> Iterable[Any]:
    """The labels as objects that compare equal to what users write."""
    return list(labels) if labels.dtype.kind in "mM" else labels.tolist()


def label_column(values: Any, name: str) -> npt.NDArray[Any]:
    """One dimension of labels; what a list of strings holds is left as it is."""
    if type(values).__module__.split(".")[0] == "polars":
        values = values.to_numpy()  # np.asarray gives strings the width of the longest
    array = refuse_masked(values, name)
    if (
        isinstance(values, list | tuple)
        and values
        and (array.dtype.kind in "US" or isinstance(values[0], tuple))
    ):
        # NumPy makes strings of numbers, cuts trailing NULs, and unpacks tuples
        array = np.fromiter(values, dtype=object, count=len(values))
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-dimensional, got shape {array.shape}")
    if array.dtype.kind in "cV":
        raise TypeError(f"{name} must hold labels (integers, strings, ...), got dtype {array.dtype}")
    return array


def label_array(labels: list[Any]) -> npt.NDArray[Any]:
    """As a compact array where all are strings or integers, as objects otherwise."""
    if all(type(x) is int for x in labels):
        try:
            return np.array(labels, dtype=np.int64)
        except OverflowError:
            pass
    elif all(isinstance(x, str) for x in labels):
        widest = max(map(len, labels))
        if widest * len(labels) <= 2**26 and not any(x.endswith("\0") for x in labels):
            return np.array(labels, dtype=np.str_)
    return np.fromiter(labels, dtype=object, count=len(labels))


def is_missing(value: Any) -> bool:
    """None, NaN, NaT, pandas.NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth value
        return True


def _encode_objects(
    a: npt.NDArray[Any], b: npt.NDArray[Any], names: tuple[str, str], row_name: RowName
) -> Encoded:
    first, second = a.tolist(), b.tolist()
    try:
        seen = dict.fromkeys(first)
        seen.update(dict.fromkeys(second))
    except TypeError as error:
        raise TypeError(f"{names[0]} and {names[1]} must hold hashable labels: {error}") from None
    if any(map(is_missing, seen)):
        name, values = next(
            (n, v) for n, v in zip(names, (first, second), strict=True) if any(map(is_missing, v))
        )
        row = next(k for k, x in enumerate(values) if is_missing(x))
        raise ValueError(f"{name} has missing labels (first: {row_name(row)}); drop those rows")
    try:
        labels = sorted(seen)
    except TypeError:
        kinds = sorted({type(x).__name__ for x in seen})
        raise TypeError(
            f"{names[0]} and {names[1]} mix labels that can't be sorted ({', '.join(kinds)}); use one type"
        ) from None
    warn_of_twins(labels, f"labels in {names[0]}" + (f" and {names[1]}" if names[1] != names[0] else ""))
    place = {label: k for k, label in enumerate(labels)}
    code = place.__getitem__
    x = np.fromiter(map(code, first), dtype=np.int32, count=len(first))
    y = np.fromiter(map(code, second), dtype=np.int32, count=len(second))
    return Encoded(label_array(labels), x, y)


def _refuse_missing(column: npt.NDArray[Any], name: str, row_name: RowName) -> None:
    kind = column.dtype.kind
    if kind == "f":
        bad = np.flatnonzero(~np.isfinite(column))
    elif kind in "mM":
        bad = np.flatnonzero(np.isnat(column))
    else:
        return
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} missing or infinite labels (first: {row_name(int(bad[0]))}); "
            "drop those rows"
        )


def _kind(column: npt.NDArray[Any]) -> str:
    kinds = {"b": "numbers", "i": "numbers", "u": "numbers", "f": "numbers", "U": "strings", "T": "strings"}
    return kinds.get(column.dtype.kind, {"O": "object"}.get(column.dtype.kind, column.dtype.name))


def _fit_int64(column: npt.NDArray[Any]) -> bool:
    return column.dtype != np.uint64 or len(column) == 0 or int(column.max()) < 2**63


def _shown(label: Any) -> str:
    return repr(
        label.item() if isinstance(label, np.generic) and not isinstance(label, np.datetime64) else label
    )


def as_day(value: Any) -> Any:
    """A date or datetime object as the calendar day that it names."""
    return value.date() if isinstance(value, datetime.datetime) else value
