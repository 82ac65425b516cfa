"""Counting inside DuckDB: what comes back has one row per distinct combination, not one per comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import WordError
from ..._spelling import row_of_relation, shown
from .labels import Coded, RowName
from .votes import Read
from .wanted import Wanted, require_columns

_ROW = "steelyard_row"
_SAMPLE = 2**17
_MOST_LABELS = 2**14  # that are written into a query
_LABELS = ("left", "right", "outcome", "cluster", "group", "judge")

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE", "HUGEINT", "UHUGEINT", "DECIMAL")
_SCORE_FAULTS = {3: "left_score", 4: "right_score", 5: "left_score", 6: "right_score"}


def count_relation(relation: Any, wanted: Wanted) -> tuple[dict[str, Any], RowName]:
    """The parts as columns of the grouped rows, and what the first row of a group is called.

    `count` and `weight` stand for the sums of c w and c w^2.
    """
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    require_columns(list(types), wanted.columns)
    keys = _keys(wanted, types)
    amounts = {
        p: f"TRY_CAST({_quoted(c)} AS DOUBLE)" for p, c in wanted.parts.items() if p in ("count", "weight")
    }
    projected = [f"{sql} AS {_quoted(part)}" for part, sql in {**keys, **amounts}.items()]
    groups = [_quoted(part) for part in keys]

    def first_of(group: int) -> str:
        """Where the first row of a group stands; seldom asked, so that nobody pays for numbers else."""
        numbered = _numbered(relation).project(", ".join([*projected, _ROW]))
        firsts = numbered.aggregate(", ".join([*groups, f"min({_ROW}) AS {_ROW}"]), ", ".join(groups))
        found = firsts.order(", ".join(groups)).limit(1, offset=group).project(_ROW).fetchall()
        return row_of_relation(found[0][0])

    if wanted.covariates and _hardly_repeats(relation, projected, groups):
        return _one_by_one(relation, wanted, keys, amounts, types)
    counted = relation.project(", ".join(projected)).aggregate(
        ", ".join(groups + _sums(amounts)), ", ".join(groups)
    )
    grouped = counted.order(", ".join(groups))  # DuckDB's threads give groups in any order
    found = {name: _plain(column) for name, column in grouped.fetchnumpy().items()}
    _refuse_bad_amounts(found, relation, wanted)
    data: dict[str, Any] = {part: found[part] for part in keys if not part.startswith("covariate_")}
    if wanted.covariates:
        data["covariates"] = {name: found[f"covariate_{k}"] for k, name in enumerate(wanted.covariates)}
    data["count"], data["weight"] = _as_count_and_weight(found)
    return (_with_scores(data, relation, wanted) if wanted.outcome is None else data), first_of


def _hardly_repeats(relation: Any, projected: list[str], groups: list[str]) -> bool:
    """Are nearly all of the first rows different, so that to group would cost more than it saves?"""
    some = relation.limit(_SAMPLE).project(", ".join(projected))
    ((rows, distinct),) = some.aggregate(
        f"count(*), approx_count_distinct(hash({', '.join(groups)}))"
    ).fetchall()
    return bool(distinct > 0.8 * rows)  # the number of distinct ones is known to some 2 %


def _one_by_one(
    relation: Any, wanted: Wanted, keys: dict[str, str], amounts: dict[str, str], types: dict[str, str]
) -> tuple[dict[str, Any], RowName]:
    """The rows as they are; strings of few kinds as numbers."""
    if amounts:
        checked = relation.project(", ".join(f"{sql} AS {_quoted(part)}" for part, sql in amounts.items()))
        sums = checked.aggregate(", ".join(_sums(amounts))).fetchnumpy()
        _refuse_bad_amounts({name: _plain(column) for name, column in sums.items()}, relation, wanted)
    kinds = {
        part: _distinct(relation, keys[part])
        for part in _LABELS
        if part in keys and types[wanted.parts[part]].startswith(("VARCHAR", "ENUM"))
    }
    coded = {part: labels for part, labels in kinds.items() if labels}
    codes = {part: _code_sql(keys[part], labels) for part, labels in coded.items()}
    parts = {**keys, **amounts, **codes}
    read = relation.project(", ".join(f"{sql} AS {_quoted(part)}" for part, sql in parts.items()))
    found = Read(read.fetchnumpy())
    data: dict[str, Any] = {"count": None, "weight": None}
    for part in [part for part in parts if not part.startswith("covariate_")]:
        column = found.pop(part)
        if part in coded:
            codes_of = np.ma.filled(column.astype(np.int32), -1).astype(np.int32)
            data[part] = Coded(np.array(coded[part], dtype=object), codes_of)
        else:
            data[part] = _plain(column)
    columns = Read()
    for k, name in enumerate(wanted.covariates):
        columns[name] = _plain(found.pop(f"covariate_{k}"))
    data["covariates"] = columns
    return (_with_scores(data, relation, wanted) if wanted.outcome is None else data), row_of_relation


def _distinct(relation: Any, key: str) -> list[str]:
    """The distinct strings of a column, in order; none where they are many."""
    found = relation.project(f"{key} AS label").distinct().limit(_MOST_LABELS + 1).fetchall()
    labels = sorted(label for (label,) in found if label is not None)
    return labels if len(labels) < _MOST_LABELS else []


def _code_sql(key: str, labels: list[str]) -> str:
    listed = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
    return f"enum_code(CAST(CAST({key} AS VARCHAR) AS ENUM({listed})))"


def _numbered(relation: Any) -> Any:
    """The relation with the place of each row, from 0."""
    return relation.project(f"*, row_number() OVER () - 1 AS {_ROW}")


def _first_where(relation: Any, condition: str) -> str:
    """What the first row is called of which a condition holds."""
    row = _numbered(relation).filter(condition).aggregate(f"min({_ROW})").fetchall()[0][0]
    return row_of_relation(row)


def _keys(wanted: Wanted, types: dict[str, str]) -> dict[str, str]:
    """SQL of each part that rows are grouped by."""
    parts = wanted.parts
    keys = {part: _plain_sql(parts[part], types[parts[part]]) for part in _LABELS if part in parts}
    keys.update({p: _quoted(c) for p, c in parts.items() if p in ("neutral", "home")})
    if wanted.outcome is None:
        keys["score"] = _score_sql(parts["left_score"], parts["right_score"])
    if "time" in parts:
        keys["time"] = _time_sql(parts["time"], types[parts["time"]])
    for k, name in enumerate(wanted.covariates):
        keys[f"covariate_{k}"] = f"TRY_CAST({_quoted(name)} AS DOUBLE)"
    return keys


def _plain_sql(column: str, kind: str) -> str:
    if kind.startswith(_NUMBERS) or kind in ("VARCHAR", "BOOLEAN", "DATE", "FLOAT", "DOUBLE"):
        return _quoted(column)
    return f"CAST({_quoted(column)} AS VARCHAR)"


def _time_sql(column: str, kind: str) -> str:
    if kind.startswith((*_NUMBERS, *_FLOATS)):
        return f"CAST({_quoted(column)} AS DOUBLE)"
    return _quoted(column) if kind == "VARCHAR" else f"CAST({_quoted(column)} AS DATE)"


def _score_sql(left: str, right: str) -> str:
    """1, 0, -1; 2 not played; 3, 4: left, right is no number; 5, 6: left, right alone is missing."""
    text = {side: f"trim(CAST({_quoted(side)} AS VARCHAR))" for side in (left, right)}
    absent = {side: f"coalesce({text[side]} IN ('', 'NA', 'nan', '-nan'), true)" for side in (left, right)}
    number = {side: f"TRY_CAST({text[side]} AS DOUBLE)" for side in (left, right)}
    return (
        f"CASE WHEN {absent[left]} AND {absent[right]} THEN 2 "
        f"WHEN {absent[left]} THEN 5 WHEN {absent[right]} THEN 6 "
        f"WHEN {number[left]} IS NULL THEN 3 WHEN {number[right]} IS NULL THEN 4 "
        f"ELSE CAST(sign({number[left]} - {number[right]}) AS INTEGER) END"
    )


def _sums(amounts: dict[str, str]) -> list[str]:
    count = '"count"' if "count" in amounts else "1.0::DOUBLE"
    sums = [f"sum({count}) AS total"]
    for part in amounts:
        sums += [f'min("{part}") AS least_{part}', f'count(*) - count("{part}") AS missing_{part}']
    if "weight" in amounts:
        sums += [f"sum({count} * weight) AS weights", f"sum({count} * weight * weight) AS squares"]
    return sums


def _plain(column: Any) -> npt.NDArray[Any]:
    """Nulls as NaN, NaT or None instead of a mask."""
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    mask, data = np.ma.getmaskarray(column), np.asarray(column.data)
    if not mask.any():
        return data
    filled = data.copy() if data.dtype.kind in "fM" else data.astype(object)
    filled[mask] = {"f": np.nan, "M": np.datetime64("NaT", "us")}.get(data.dtype.kind)
    return filled


def _refuse_bad_amounts(found: dict[str, npt.NDArray[Any]], relation: Any, wanted: Wanted) -> None:
    for part in ("count", "weight"):
        if f"least_{part}" not in found:
            continue
        column = wanted.parts[part]
        value = f"TRY_CAST({_quoted(column)} AS DOUBLE)"
        if found[f"missing_{part}"].any():
            first = _first_where(relation, f"{value} IS NULL")
            words = f"nullif(trim(CAST({_quoted(column)} AS VARCHAR)), '')"
            word = relation.filter(f"{value} IS NULL").project(words).limit(1).fetchall()[0][0]
            if word is not None:
                raise WordError(f"column {column!r} must hold numbers, got {word!r} in {first}", word)
            raise ValueError(f"column {column!r} has missing entries (first: {first})")
        if not np.isfinite(found["total" if part == "count" else "squares"]).all():
            first = _first_where(relation, f"NOT isfinite({value})")
            raise ValueError(f"column {column!r} has entries that are NaN or infinite (first: {first})")
        least = found[f"least_{part}"].min(initial=0.0)
        if least < 0:
            first = _first_where(relation, f"{value} = {float(least)!r}")
            raise ValueError(f"column {column!r} must be zero or positive, got {least} in {first}")


def _as_count_and_weight(found: dict[str, npt.NDArray[Any]]) -> tuple[Any, Any]:
    """Count W^2/Q and weight Q/W have the sums W = sum c w and Q = sum c w^2 of their rows."""
    if "weights" not in found:
        return found["total"], None
    weights, squares = found["weights"], found["squares"]
    ratio = np.divide(squares, weights, out=np.zeros_like(weights), where=weights > 0)
    return np.divide(weights, ratio, out=np.zeros_like(weights), where=ratio > 0), ratio


def _with_scores(data: dict[str, Any], relation: Any, wanted: Wanted) -> dict[str, Any]:
    score = data.pop("score")
    for fault in np.unique(score[score > 2]).tolist():
        part = _SCORE_FAULTS[fault]
        column = wanted.parts[part]
        scores = _score_sql(wanted.parts["left_score"], wanted.parts["right_score"])
        row = _first_where(relation, f"({scores}) = {fault}")
        if fault > 4:
            other = wanted.parts[_SCORE_FAULTS[11 - fault]]
            raise ValueError(f"column {column!r} has no score in {row}, but column {other!r} has")
        text = f"trim(CAST({_quoted(column)} AS VARCHAR))"
        wrong = f"{text} NOT IN ('', 'NA') AND TRY_CAST({text} AS DOUBLE) IS NULL"
        value = relation.filter(wrong).project(_quoted(column)).limit(1).fetchall()[0][0]
        raise WordError(f"column {column!r} must hold numbers, got {shown(value)} in {row}", value)
    sign = np.where(score == 2, np.nan, score.astype(np.float64))
    return {**data, "left_score": sign, "right_score": np.where(score == 2, np.nan, 0.0)}


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
