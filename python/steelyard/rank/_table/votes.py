"""From columns of votes to the grouped table: check, encode, turn, group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._spelling import row_words
from ..._validate import check_each, check_threads, check_vector, is_one, refuse_masked
from .labels import Encoded, RowName, encode, encode_into, encode_one
from .times import check_times

Values = npt.NDArray[Any]


class Extras(NamedTuple):
    """The columns that split rows beyond the pair and the home sign; None where absent."""

    cluster: npt.NDArray[np.int32] | None = None
    cluster_labels: Values | None = None
    time: Values | None = None
    covariates: npt.NDArray[np.float64] | None = None
    covariate_names: tuple[str, ...] = ()
    group: npt.NDArray[np.int32] | None = None
    group_labels: Values | None = None
    judge: npt.NDArray[np.int32] | None = None
    judge_labels: Values | None = None
    grade: npt.NDArray[np.int32] | None = None
    outcome_levels: tuple[str, ...] = ()

    def take(self, rows: Any) -> Extras:
        """The columns at some rows."""
        names = ("cluster", "time", "covariates", "group", "judge", "grade")
        there = {name: getattr(self, name) for name in names}
        return self._replace(**{name: x[rows] for name, x in there.items() if x is not None})

    def turned(self, flip: npt.NDArray[np.bool_]) -> Extras:
        """Covariates are differences first minus second: negated where the row is turned."""
        if self.covariates is None:
            return self
        matrix = np.ascontiguousarray(self.covariates)
        # + 0.0 makes -0.0 the same row as 0.0
        if matrix.flags.writeable:  # made by this module: many covariates are not held twice
            np.negative(matrix, out=matrix, where=flip[:, None])
            matrix += 0.0
        else:
            matrix = np.where(flip[:, None], -matrix, matrix) + 0.0
        return self._replace(covariates=matrix)

    def codes(self) -> npt.NDArray[np.int64] | None:
        """One integer a row; equal and in order exactly as the columns but the covariates are, if any."""
        parts = (self.cluster, self.group, self.judge, self.grade)
        columns = [x.astype(np.int64) for x in parts if x is not None]
        if self.time is not None:
            columns.append(_sortable(self.time))
        if not columns:
            return None
        code = columns[0]
        for column in columns[1:]:
            distinct, code = _dense(code)
            if distinct == len(code):  # no further column tells more apart
                break
            size, low = _dense(column)
            code = code * size + low
        return code


def _dense(values: npt.NDArray[np.int64]) -> tuple[int, npt.NDArray[np.int64]]:
    """How many distinct values, and each one's place among them."""
    labels, codes, _ = _core.rank._encode_integers(values, np.zeros(0, dtype=np.int64))
    return len(labels), codes.astype(np.int64)


def _sortable(values: Values) -> npt.NDArray[np.int64]:
    """Integers in the order of the values: days as they are, floats by their bits."""
    if values.dtype.kind == "M":
        return values.view(np.int64)
    bits = (np.ascontiguousarray(values, dtype=np.float64) + 0.0).view(np.int64)
    return np.where(bits < 0, np.bitwise_xor(bits, np.int64(2**63 - 1)), bits)


class Read(dict[str, Any]):
    """Columns that were read for this table alone: each is let go once it is understood."""


class Columns(NamedTuple):
    """What `Comparisons` is made of."""

    items: Values
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    left_wins: npt.NDArray[np.float64]
    right_wins: npt.NDArray[np.float64]
    ties: npt.NDArray[np.float64] | None
    left_squared: npt.NDArray[np.float64] | None
    right_squared: npt.NDArray[np.float64] | None
    ties_squared: npt.NDArray[np.float64] | None
    home: npt.NDArray[np.int8] | None
    extras: Extras


def encode_items(
    first: Any, second: Any, items: Any, names: tuple[str, str], row_name: RowName = row_words
) -> Encoded:
    """Labels of both sides of at least one comparison; none meets itself."""
    encoded = (
        encode(first, second, names, row_name)
        if items is None
        else encode_into(items, first, second, names, row_name)
    )
    labels, a, b = encoded
    if len(b) != len(a):
        raise ValueError(f"{names[0]} and {names[1]} must have equal length, got {len(a)} and {len(b)}")
    if len(a) == 0:
        raise ValueError(f"{names[0]} is empty: there is nothing to compare")
    _refuse_self(labels, a, b, names, row_name)
    return encoded


def count_votes(
    encoded: Encoded,
    *,
    outcome: npt.NDArray[np.int8] | None = None,
    weight: Any = None,
    count: Any = None,
    home: Any = None,
    cluster: Any = None,
    time: Any = None,
    formats: tuple[str, ...] = (),
    covariates: Any = None,
    group: Any = None,
    judge: Any = None,
    grade: npt.NDArray[np.int32] | None = None,
    outcome_levels: tuple[str, ...] = (),
    row_name: RowName = row_words,
) -> Columns:
    """Validates the columns and groups them. `row_name` says how messages call a row."""
    labels, a, b = encoded
    n = len(a)
    columns: dict[str, Any] = {
        "outcome": outcome,
        "weight": None if weight is None else _amounts(weight, "weight", n, row_name),
        "count": None if count is None else _amounts(count, "count", n, row_name),
        "home": None if home is None else home_signs(home, n, row_name),
    }
    extras = check_extras(cluster, time, covariates, n, row_name, formats)
    if group is not None:
        group_labels, codes = _codes_of(group, "group", n, row_name)
        extras = extras._replace(group=codes, group_labels=group_labels)
    if judge is not None:
        judge_labels, codes = _codes_of(judge, "judge", n, row_name)
        extras = extras._replace(judge=codes, judge_labels=judge_labels)
    extras = extras._replace(grade=grade, outcome_levels=outcome_levels)
    happened = _happened(columns["weight"], columns["count"])
    if happened is not None:
        a, b, extras = a[happened], b[happened], extras.take(happened)
        columns = {name: None if x is None else x[happened] for name, x in columns.items()}
    if columns["weight"] is not None and np.all(columns["weight"] == 1.0):
        columns["weight"] = None
    if extras.covariates is not None:
        extras = extras.turned(a > b)
    table = _core.rank._group(
        a,
        b,
        extra=extras.codes(),
        covariates=None if extras.covariates is None else extras.covariates.ravel(),
        items=len(labels),
        n_threads=check_threads(None),
        **columns,
    )
    return _columns(labels, table, extras)


def merge_rows(
    items: Values,
    first: npt.NDArray[np.int32],
    second: npt.NDArray[np.int32],
    sums: Mapping[str, Any],
    home: npt.NDArray[np.int8] | None,
    extras: Extras,
) -> Columns:
    """Groups rows that were counted before; `sums` are those of the first item."""
    extras = extras.turned(first > second)
    table = _core.rank._merge(
        first,
        second,
        home=home,
        extra=extras.codes(),
        covariates=None if extras.covariates is None else extras.covariates.ravel(),
        items=len(items),
        n_threads=check_threads(None),
        **sums,
    )
    return _columns(items, table, extras)


def _columns(items: Values, table: dict[str, Any], extras: Extras) -> Columns:
    source = table.pop("source")
    return Columns(items=items, extras=extras if source is None else extras.take(source), **table)


def _refuse_self(labels: Values, a: Any, b: Any, names: tuple[str, str], row_name: RowName) -> None:
    same = np.flatnonzero(a == b)
    if len(same) == 0:
        return
    if len(labels) == 1:
        raise ValueError(
            f"{names[0]} and {names[1]} hold a single item, {labels[0]!s}: there is nothing to compare"
        )
    raise ValueError(
        f"{len(same)} rows compare an item with itself "
        f"(first: {row_name(int(same[0]))}, {labels[a[same[0]]]!s} in {names[0]} and {names[1]})"
    )


def _amounts(values: Any, name: str, n: int, row_name: RowName) -> npt.NDArray[np.float64]:
    """Finite numbers >= 0, one a row; a single number stands for all."""
    array = check_each(values, name, n, row_name=row_name)
    negative = np.flatnonzero(array < 0)
    if len(negative):
        row = int(negative[0])
        raise ValueError(f"{name} must be zero or positive, got {array[row]} in {row_name(row)}")
    return array


def _happened(*amounts: npt.NDArray[np.float64] | None) -> npt.NDArray[np.bool_] | None:
    """Which votes have positive weight and count; None if all have."""
    mask: npt.NDArray[np.bool_] | None = None
    for array in amounts:
        if array is not None and array.min() == 0:
            mask = (array > 0) if mask is None else mask & (array > 0)
    if mask is not None and not mask.any():
        raise ValueError("all weights or counts are zero: there is nothing to compare")
    return mask


def home_signs(values: Any, n: int, row_name: RowName) -> npt.NDArray[np.int8]:
    """+1, -1 or 0 a row."""
    array = np.full(n, values) if is_one(values, "home") else refuse_masked(values, "home")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"home must hold -1, 0 or 1, got dtype {array.dtype}")
    if array.shape != (n,):
        raise ValueError(f"home must have shape ({n},), got {array.shape}")
    signs = np.zeros(n, dtype=np.int8)
    signs[array == 1] = 1
    signs[array == -1] = -1
    wrong = np.flatnonzero(signs != array)
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(f"home must be -1, 0 or 1, got {array[row]} in {row_name(row)}")
    return signs


def check_extras(
    cluster: Any, time: Any, covariates: Any, n: int, row_name: RowName, formats: tuple[str, ...] = ()
) -> Extras:
    """The columns that split rows, checked."""
    codes = labels = None
    if cluster is not None:
        labels, codes = _codes_of(cluster, "cluster", n, row_name)
    times = None if time is None else check_times(time, "time", n, row_name, formats=formats)
    matrix, names = (None, ()) if covariates is None else _check_covariates(covariates, n, row_name)
    return Extras(codes, labels, times, matrix, names)


def _codes_of(
    values: Any, name: str, n: int, row_name: RowName
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32]]:
    """Labels of a column, one a row, and their positions."""
    labels, codes = encode_one(values, name, row_name)
    if len(codes) != n:
        raise ValueError(f"{name} must have length {n}, got {len(codes)}")
    return labels, codes


def by_name(values: Any) -> Any:
    """The columns of a data frame that names them, as a mapping; anything else as it is."""
    if isinstance(values, Mapping | np.ndarray) or not hasattr(values, "columns"):
        return values
    import narwhals as nw

    frame = nw.from_native(values, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame) or not all(isinstance(name, str) for name in frame.columns):
        return values
    return {name: frame.get_column(name).to_numpy() for name in frame.columns}


def _check_covariates(
    values: Any, n: int, row_name: RowName
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    values = by_name(values)
    if isinstance(values, Mapping):
        if not values:
            raise ValueError("covariates must name at least one column")
        names = tuple(map(str, values))
        if len(set(names)) < len(names):
            raise ValueError(f"covariates must have distinct names, got {names}")
        columns = np.empty((n, len(names)))
        for place, name in enumerate(list(values)):
            column = values.pop(name) if isinstance(values, Read) else values[name]
            columns[:, place] = check_vector(column, f"covariates[{name!r}]", length=n, row_name=row_name)
        return columns, names
    array = refuse_masked(values, "covariates")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"covariates must hold real numbers, got dtype {array.dtype}")
    if array.ndim != 2 or array.shape[0] != n or array.shape[1] == 0:
        raise ValueError(f"covariates must have shape ({n}, number of covariates), got {array.shape}")
    matrix = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(bad):
        raise ValueError(
            f"covariates has {len(bad)} rows with NaN or infinite entries (first: {row_name(int(bad[0]))})"
        )
    return matrix, tuple(f"x{k}" for k in range(matrix.shape[1]))
