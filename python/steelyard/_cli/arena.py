"""Votes as arenas publish them: features of style, prompts that come again, and parts of the votes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from .columns import require_column
from .options import names
from .readers import quoted
from .source import Source
from .text import listed
from .usage import UsageError

# Columns by their ends: a file names the sides a and b, or left and right.
_SIDES = (("_a", "_b"), ("_left", "_right"))
_TEXTS = ("response", "answer", "output", "conversation")
_COUNTS = {
    "length": ("sum_assistant_{}_tokens", "assistant_tokens", "tokens", "token", "length", "len", "chars"),
    "headers": ("header_count", "headers"),
    "lists": ("list_count", "lists"),
    "bold": ("bold_count", "bold"),
}
_IN_TEXT = {
    "length": "length({})",
    "headers": r"len(regexp_extract_all({}, '(^|\n)#{{1,6}} '))",
    "lists": r"len(regexp_extract_all({}, '(^|\n)\s*([-*+]|\d+[.)]) '))",
    "bold": r"len(regexp_extract_all({}, '\*\*[^*\n]+\*\*|__[^_\n]+__'))",
}
_GROUPS = {"markdown": ("headers", "lists", "bold")}


@dataclass(frozen=True)
class _Feature:
    name: str
    left: str
    right: str  # SQL of a number


def add_arena(parser: argparse.ArgumentParser) -> None:
    """Options of votes on answers."""
    votes = parser.add_argument_group("votes on answers")
    votes.add_argument(
        "--style",
        metavar="FEATURE,...",
        type=names,
        default=[],
        help="features of the answers to take out of the ratings: length, headers, lists, bold, or markdown "
        "for the last three; each as (left - right) / (left + right), from columns such as token_a, "
        "header_count_b, or counted in response_a and response_b",
    )
    votes.add_argument(
        "--only",
        metavar="COLUMN=VALUE",
        type=_condition,
        action="append",
        default=[],
        help="the votes where a column holds a value, such as language=English or turn=1; may be given twice",
    )
    votes.add_argument(
        "--dedup",
        metavar="COLUMN",
        help="the first vote alone of each value, such as prompt; of a column of true and false the votes "
        "where it is true",
    )


def _condition(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not column or not sign:
        raise argparse.ArgumentTypeError(f"must be COLUMN=VALUE, such as language=English, got {text!r}")
    return column, value


def select_votes(source: Source, options: argparse.Namespace) -> Source:
    """The votes asked for; how many are left out is said."""
    for column, value in options.only:
        require_column(column, "only", source.columns, source.name)
        source = _only(source, column, value)
    if options.dedup is not None:
        require_column(options.dedup, "dedup", source.columns, source.name)
        source = _once(source, options.dedup)
    return source


def _only(source: Source, column: str, value: str) -> Source:
    literal = "'" + value.replace("'", "''") + "'"
    found = source.then(
        lambda relation: relation.filter(f"lower(CAST({quoted(column)} AS VARCHAR)) = lower({literal})"),
        f"{column} {value}",
    )
    with found.reading():
        if not found.relation.limit(1).fetchall():
            some = source.relation.aggregate(f"CAST({quoted(column)} AS VARCHAR) AS v").limit(8).fetchall()
            raise UsageError(
                f"--only: {column!r} is nowhere {value!r} in {source.name} "
                f"({listed([str(row[0]) for row in some], 8)})"
            )
    return found


def _once(source: Source, column: str) -> Source:
    kinds = dict(zip(source.columns, map(str, source.relation.types), strict=True))
    if kinds[column] == "BOOLEAN":
        return source.then(
            lambda relation: relation.filter(f"coalesce({quoted(column)}, false)"), f"{column} alone"
        )
    taken = {name.casefold() for name in kinds}
    place, turn = "steelyard_place", "steelyard_turn"
    while {place, turn} & taken:
        place, turn = place + "_", turn + "_"

    def first(relation: object) -> object:
        numbered = relation.project(f"*, row_number() OVER () AS {place}")  # type: ignore[attr-defined]
        turns = numbered.project(
            f"*, row_number() OVER (PARTITION BY {quoted(column)} ORDER BY {place}) AS {turn}"
        )
        kept = turns.filter(f"{turn} = 1 OR {quoted(column)} IS NULL").order(place)
        return kept.project(f"* EXCLUDE ({place}, {turn})")

    return source.then(first, f"one vote a {column}")


def with_style(source: Source, wanted: list[str]) -> tuple[Source, tuple[str, ...]]:
    """A column of differences for each feature, and their names."""
    if not wanted:
        return source, ()
    features = [_find(source, name) for name in _spread_out(wanted)]
    taken = {column.casefold() for column in source.columns}
    columns = []
    for feature in features:
        name = feature.name
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        a, b = (f"greatest(coalesce(CAST({side} AS DOUBLE), 0), 0)" for side in (feature.left, feature.right))
        columns.append((name, f"coalesce(({a} - {b}) / nullif({a} + {b}, 0), 0)"))
    sql = ", ".join(["*", *(f"{code} AS {quoted(name)}" for name, code in columns)])
    return source.then(lambda relation: relation.project(sql)), tuple(name for name, _ in columns)


def _spread_out(wanted: list[str]) -> list[str]:
    found = dict.fromkeys(part for name in wanted for part in _GROUPS.get(name, (name,)))
    for name in found:
        if name not in _COUNTS:
            known = ", ".join([*_COUNTS, *_GROUPS])
            raise UsageError(f"--style: there is no feature {name!r}; it knows {known}")
    return list(found)


def _find(source: Source, feature: str) -> _Feature:
    """Two columns of numbers, or of texts to count in, by their names, also inside of objects."""
    ends = {column.rpartition(".")[2].casefold(): column for column in reversed(source.columns)}
    for name in _COUNTS[feature]:
        for sides in _SIDES:
            pair = [name.format(side[1:]) if "{}" in name else name + side for side in sides]
            if all(one in ends for one in pair):
                left, right = (quoted(ends[one]) for one in pair)
                return _Feature(feature, f"TRY_CAST({left} AS DOUBLE)", f"TRY_CAST({right} AS DOUBLE)")
            parts = [_parts(source.columns, one) for one in pair]
            if all(parts):
                left, right = (
                    "(" + " + ".join(f"coalesce({quoted(c)}, 0)" for c in some) + ")" for some in parts
                )
                return _Feature(feature, left, right)
    for name in _TEXTS:
        for sides in _SIDES:
            pair = [name + side for side in sides]
            if all(one in ends for one in pair):
                left, right = (
                    _IN_TEXT[feature].format(f"coalesce(CAST({quoted(ends[one])} AS VARCHAR), '')")
                    for one in pair
                )
                return _Feature(feature, left, right)
    raise UsageError(
        f"--style {feature}: {source.name} has no two columns for it, such as {_COUNTS[feature][1]}_a and "
        f"{_COUNTS[feature][1]}_b, nor response_a and response_b"
    )


def _parts(columns: list[str], name: str) -> list[str]:
    """The fields of an object of that name, whose sum counts."""
    return [column for column in columns if f".{name}." in f".{column}".casefold()]
