"""Every layout of comparisons to one: two items and who won, as steps in DuckDB."""

from __future__ import annotations

from dataclasses import replace

from .columns import Roles
from .readers import quoted
from .source import Source


def one_layout(source: Source, roles: Roles, *, skip_blank: bool, skip_self: bool) -> tuple[Source, Roles]:
    """Winners and losers, and columns of 0 and 1, as an outcome; rows that are left out are said."""
    said = [roles.left, roles.right, roles.outcome, *roles.winners, roles.left_score, roles.right_score]
    if roles.winner is not None and roles.loser is not None:
        said = [roles.winner, roles.loser]
        source, roles = _with_outcome(source, roles, f"{roles.winner} against {roles.loser}", "'left'")
        roles = replace(roles, left=roles.winner, right=roles.loser)
    elif roles.winners:
        source, roles = _with_outcome(source, roles, ", ".join(roles.winners), _one_hot(roles.winners))
    elif roles.status is not None and roles.outcome is not None:
        source, roles = _with_outcome(source, roles, f"{roles.outcome}, {roles.status}", _ended(roles))
        said = [roles.left, roles.right, roles.outcome]
    blanks = [_blank(column) for column in said if column is not None]
    # Rows that hold nothing go without being counted: that would read the file once more.
    nothing = " AND ".join(f"{quoted(column)} IS NULL" for column in said if column is not None)
    source = source.then(lambda relation: relation.filter(f"NOT ({nothing})"))
    if skip_blank:
        source = _without(source, " OR ".join(blanks), "row with a blank")
    if skip_self:
        left, right = (f"CAST({quoted(column or '')} AS VARCHAR)" for column in (roles.left, roles.right))
        source = _without(source, f"{left} IS NOT DISTINCT FROM {right}", "row of an item with itself")
    amounts = (("weighted", roles.weight), ("counted", roles.count))
    return source.noted(*(f"{done} by {column!r}" for done, column in amounts if column)), roles


def _with_outcome(source: Source, roles: Roles, name: str, sql: str) -> tuple[Source, Roles]:
    taken = {column.casefold() for column in source.columns}
    while name.casefold() in taken:
        name += "_"
    read = source.then(lambda relation: relation.project(f"*, {sql} AS {quoted(name)}"))
    return read, replace(roles, outcome=name)


def _one_hot(columns: tuple[str, ...]) -> str:
    """left, right or tie where that column alone is set; nothing where none is."""
    on = [
        f"coalesce(lower(trim(CAST({quoted(c)} AS VARCHAR))) IN ('1', '1.0', 'true', 't', 'yes'), false)"
        for c in columns
    ]
    sides = " ".join(
        f"WHEN {one} AND NOT ({' OR '.join(on[:k] + on[k + 1 :])}) THEN '{side}'"
        for k, (one, side) in enumerate(zip(on, ("left", "right", "tie"), strict=False))
    )
    return f"CASE {sides} WHEN {' OR '.join(on)} THEN 'several of them' END"


def _ended(roles: Roles) -> str:
    """The winner; a draw where a game was played to an end without one."""
    unplayed = "'aborted', 'noStart', 'created', 'started', 'unknownFinish'"
    outcome, status = quoted(roles.outcome or ""), quoted(roles.status or "")
    return f"coalesce({outcome}, CASE WHEN {status} NOT IN ({unplayed}) THEN 'draw' END)"


def _blank(column: str) -> str:
    return f"coalesce(trim(CAST({quoted(column)} AS VARCHAR)), '') = ''"


def _without(source: Source, condition: str, what: str) -> Source:
    """The rows of which the condition does not hold, and how many others there were."""
    with source.reading():
        skipped = source.relation.filter(condition).aggregate("count(*)").fetchall()[0][0]
    if not skipped:
        return source
    head, gap, tail = what.partition(" ")
    plural = f"{head}s{gap}{tail}" if head == "row" else f"{head}{gap}{tail}s"
    return source.then(
        lambda relation: relation.filter(f"NOT ({condition})"),
        f"{skipped:,} {what if skipped == 1 else plural} left out",
    )
