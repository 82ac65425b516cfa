"""Which column of a file is what."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .text import listed
from .usage import UsageError


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Names of columns, None where a role is not filled."""

    left: str | None = None
    right: str | None = None
    outcome: str | None = None
    left_score: str | None = None
    right_score: str | None = None
    neutral: str | None = None
    time: str | None = None
    cluster: str | None = None
    left_is_home: bool = False


_LAYOUTS = (
    Roles(left="model_a", right="model_b", outcome="winner"),
    Roles(left="left", right="right", outcome="winner"),
    Roles(
        left="home_team",
        right="away_team",
        left_score="home_score",
        right_score="away_score",
        neutral="neutral",
        left_is_home=True,
    ),
)
_TIMES = ("date", "time", "timestamp", "tstamp", "day", "year")
_NAMES = tuple(name for name in Roles.__dataclass_fields__ if name != "left_is_home")


def recognise(columns: Sequence[str], asked: Roles, file: str) -> Roles:
    """The columns asked for, and for the rest those of a layout that is known by its names."""
    for name in _NAMES:
        column = getattr(asked, name)
        if column is not None:
            require_column(column, name, columns, file)
    known = {column.casefold(): column for column in reversed(columns)}
    roles = _layout(asked, known)
    if asked.outcome:
        roles = replace(roles, left_score=None, right_score=None)
    if asked.left_score or asked.right_score:
        roles = replace(roles, outcome=None)
    roles = replace(roles, **{name: getattr(asked, name) for name in _NAMES if getattr(asked, name)})
    if roles.time is None:
        roles = replace(roles, time=next((known[name] for name in _TIMES if name in known), None))
    if asked.neutral:
        roles = replace(roles, left_is_home=True)
    _require_enough(roles, columns, file)
    return roles


def _layout(asked: Roles, known: dict[str, str]) -> Roles:
    """What a known layout fills in; its item columns must be there or be given."""
    for layout in _LAYOUTS:
        wanted = (asked.left or layout.left, asked.right or layout.right)
        if all(name in known.values() or (name or "").casefold() in known for name in wanted):
            found = {name: known.get((getattr(layout, name) or "").casefold()) for name in _NAMES}
            same = asked.left is None and asked.right is None
            return Roles(**found, left_is_home=layout.left_is_home and same)
    return Roles()


def _require_enough(roles: Roles, columns: Sequence[str], file: str) -> None:
    its = f"columns of {file}: {listed(columns, 12)}"
    if roles.left is None or roles.right is None:
        raise UsageError(
            "can't tell which columns hold the two items and who won: name them by --left, --right and "
            f"--outcome, or --left-score and --right-score ({its})"
        )
    if roles.left == roles.right:
        raise UsageError(f"--left and --right name the same column, {roles.left!r} ({its})")
    if roles.outcome is None and (roles.left_score is None or roles.right_score is None):
        raise UsageError(
            f"can't tell who won: name one column by --outcome, or two by --left-score, --right-score ({its})"
        )


def require_column(column: str, role: str, columns: Sequence[str], file: str) -> None:
    """Refuses a column that the file does not have; `role` is the option that names it."""
    if column in columns:
        return
    close = difflib.get_close_matches(column, columns, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {listed(columns, 12)}"
    raise UsageError(f"--{role.replace('_', '-')}: there is no column {column!r} in {file}; {hint}")
