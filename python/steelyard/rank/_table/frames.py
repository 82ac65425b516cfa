"""Data frames of any kind to the grouped table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import row_words
from ..._validate import refuse_masked
from .duckdb import count_relation
from .labels import Coded, Encoded, RowName
from .outcomes import outcomes_of_scores, read_booleans, read_grades, read_outcomes
from .votes import Columns, count_votes, encode_items
from .wanted import Wanted, require_columns

Values = npt.NDArray[Any]


def count_frame(df: Any, wanted: Wanted, outcome_map: Mapping[Any, int | None] | None, items: Any) -> Columns:
    """Reads the columns wanted (DuckDB: counts them there), understands the outcomes and groups the rows."""
    wanted.check(outcome_map)
    if _is_relation(df):
        data, row_name = count_relation(df, wanted)
        return _count(data, wanted, outcome_map, items, row_name)
    columns = columns_of(df, wanted.columns)
    data = {part: columns[name] for part, name in wanted.parts.items()}
    if wanted.covariates:
        data["covariates"] = {name: columns[name] for name in wanted.covariates}
    return _count(data, wanted, outcome_map, items, row_words)


def columns_of(df: Any, names: Mapping[str, str], what: str = "df") -> dict[str, Values]:
    """Columns of a mapping or of a data frame of any kind, equally long; `names` says what each is for."""
    return _from_mapping(df, names, what) if isinstance(df, Mapping) else _from_frame(df, names, what)


def _is_relation(df: Any) -> bool:
    kind = type(df)
    return kind.__name__ == "DuckDBPyRelation" and kind.__module__.split(".")[0] in ("duckdb", "_duckdb")


def _from_mapping(df: Mapping[str, Any], names: Mapping[str, str], what: str) -> dict[str, Values]:
    require_columns(list(df), names, what)
    columns = {name: refuse_masked(df[name], f"column {name!r}") for name in names}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns must have equal length, got {sorted(lengths)}")
    return columns


def _from_frame(df: Any, names: Mapping[str, str], what: str) -> dict[str, Values]:
    import narwhals as nw

    try:
        frame = nw.from_native(df)
    except TypeError:
        raise TypeError(
            f"{what} must be a data frame that narwhals knows (pandas, polars, pyarrow, ...), a mapping of "
            f"columns, or a DuckDB relation, got {type(df).__name__}"
        ) from None
    require_columns(list(frame.collect_schema().names()), names, what)
    frame = frame.select(*names)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    text = (nw.String, nw.Categorical, nw.Enum)
    return {
        name: _objects(frame[name]) if frame[name].dtype in text else frame[name].to_numpy() for name in names
    }


def _objects(series: Any) -> Values:
    """Strings as objects: NumPy's own would all have the width of the longest."""
    return np.fromiter(series.to_list(), dtype=object, count=len(series))


def _count(
    data: dict[str, Any],
    wanted: Wanted,
    outcome_map: Mapping[Any, int | None] | None,
    items: Any,
    row_name: RowName,
) -> Columns:
    names = (f"column {wanted.left!r}", f"column {wanted.right!r}")
    encoded = encode_items(data.pop("left"), data.pop("right"), items, names, row_name)
    if wanted.levels:
        place, size = read_grades(data.pop("outcome"), wanted, row_name), len(wanted.levels)
        outcome, keep = np.sign(size - 1 - 2 * place).astype(np.int8), np.ones(len(place), dtype=bool)
        data["grade"], data["outcome_levels"] = np.minimum(place, size - 1 - place), wanted.levels
    elif wanted.outcome is not None:
        outcome, keep = read_outcomes(data.pop("outcome"), encoded, wanted, outcome_map, row_name)
    else:
        outcome, keep = outcomes_of_scores(data.pop("left_score"), data.pop("right_score"), wanted, row_name)
    data["home"] = _home(data.pop("neutral", None), data.get("home"), wanted, len(outcome), row_name)
    if keep.all():
        return count_votes(encoded, outcome=outcome, **data, formats=wanted.formats, row_name=row_name)
    kept = np.flatnonzero(keep)
    if len(kept) == 0:
        raise ValueError("no row has an outcome: there is nothing to compare")
    return count_votes(
        _some(encoded, kept, fixed=items is not None),
        outcome=outcome[kept],
        **{part: _rows(column, kept) for part, column in data.items()},
        formats=wanted.formats,
        row_name=lambda row: row_name(int(kept[row])),
    )


def _some(encoded: Encoded, rows: npt.NDArray[np.intp], fixed: bool) -> Encoded:
    """Some rows, and unless the items are fixed only those that occur there."""
    labels, first, second = encoded.labels, encoded.first[rows], encoded.second[rows]
    if fixed:
        return Encoded(labels, first, second)
    used = np.zeros(len(labels), dtype=bool)
    used[first] = used[second] = True
    place = (np.cumsum(used) - 1).astype(np.int32)
    return Encoded(labels[used], place[first], place[second])


def _home(neutral: Any, home: Any, wanted: Wanted, n: int, row_name: RowName) -> Any:
    if neutral is not None:
        nowhere = read_booleans(neutral, str(wanted.neutral), row_name)
        return np.where(nowhere, np.int8(0), np.int8(1))
    return np.ones(n, dtype=np.int8) if wanted.home is True else home


def _rows(column: Any, rows: npt.NDArray[np.intp]) -> Any:
    if isinstance(column, Mapping):
        return {name: values[rows] for name, values in column.items()}
    if isinstance(column, Coded):
        return column.rows(rows)
    return None if column is None else column[rows]
