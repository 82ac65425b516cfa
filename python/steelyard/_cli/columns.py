"""Which column of a file is what."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .text import listed
from .usage import UsageError


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Names of columns, None where a role is not filled."""

    left: str | None = None
    right: str | None = None
    winner: str | None = None
    loser: str | None = None
    outcome: str | None = None
    winners: tuple[str, ...] = ()  # columns of 0 and 1: left won, right won, and perhaps tie
    left_score: str | None = None
    right_score: str | None = None
    neutral: str | None = None
    weight: str | None = None
    count: str | None = None
    time: str | None = None
    cluster: str | None = None
    status: str | None = None  # how a game ended, which tells draws from games that were not played
    left_is_home: bool = False
    meanings: Mapping[object, int | None] = field(default_factory=dict)  # of words in the outcome


_SIDES: Mapping[object, int | None] = {"white": 1, "black": -1, "draw": 0}
_LAYOUTS = (
    Roles(left="model_a", right="model_b", outcome="winner"),
    Roles(left="model_a", right="model_b", winners=("winner_model_a", "winner_model_b", "winner_tie")),
    Roles(left="left", right="right", outcome="winner"),
    Roles(left="left", right="right", outcome="outcome"),
    Roles(
        left="home_team",
        right="away_team",
        left_score="home_score",
        right_score="away_score",
        neutral="neutral",
        left_is_home=True,
    ),
    Roles(left="HomeTeam", right="AwayTeam", left_score="FTHG", right_score="FTAG", left_is_home=True),
    Roles(left="Home", right="Away", left_score="HG", right_score="AG", left_is_home=True),
    Roles(left="white", right="black", outcome="result", left_is_home=True),
    Roles(left="white_id", right="black_id", outcome="winner", left_is_home=True, meanings=_SIDES),
    Roles(
        left="players.white.user.name",
        right="players.black.user.name",
        outcome="winner",
        status="status",
        left_is_home=True,
        meanings=_SIDES,
    ),
    Roles(winner="winner_name", loser="loser_name"),
    Roles(winner="winner", loser="loser"),
)
_TIMES = (
    "date", "time", "timestamp", "tstamp", "day", "year",
    "utcdate", "match_date", "game_date", "tourney_date", "created_at", "createdAt",
)  # fmt: skip
SINGLE = (
    "left", "right", "winner", "loser", "outcome", "left_score", "right_score", "neutral", "weight", "count",
    "time", "cluster", "status",
)  # fmt: skip
_OUTCOMES = ("outcome", "winners", "left_score", "right_score")


def recognise(columns: Sequence[str], asked: Roles, file: str) -> Roles:
    """The columns asked for, and for the rest those of a layout that is known by its names."""
    for name in SINGLE:
        column = getattr(asked, name)
        if column is not None and (column or name not in ("weight", "count")):
            require_column(column, name, columns, file)
    for column in asked.winners:
        require_column(column, "winners", columns, file)
    known = {column.casefold(): column for column in reversed(columns)}
    roles = _filled(asked, _layout(asked, known))
    roles = replace(roles, time=time_column(columns, roles.time, file))
    for name in ("weight", "count"):
        if getattr(asked, name) is None:
            roles = replace(roles, **{name: known.get(name)})  # type: ignore[arg-type]
        elif not getattr(asked, name):
            roles = replace(roles, **{name: None})  # type: ignore[arg-type]
    _require_enough(roles, columns, file)
    return roles


def time_column(columns: Sequence[str], asked: str | None, file: str) -> str | None:
    """The column of times that was asked for, or that is known by its name."""
    if asked is not None:
        require_column(asked, "time", columns, file)
        return asked
    known = {column.casefold(): column for column in reversed(columns)}
    return next((known[name.casefold()] for name in _TIMES if name.casefold() in known), None)


def _filled(asked: Roles, found: Roles) -> Roles:
    """What was asked for takes the place of what was found, and of what says the same in another way."""
    if asked.winner or asked.loser:
        found = replace(
            found, left=None, right=None, outcome=None, winners=(), left_score=None, right_score=None
        )
    if asked.left or asked.right:
        found = replace(found, winner=None, loser=None)
    for name in _OUTCOMES:
        if getattr(asked, name):
            others = {other: () if other == "winners" else None for other in _OUTCOMES if other != name}
            if name in ("left_score", "right_score"):
                others = {other: way for other, way in others.items() if not other.endswith("_score")}
            found = replace(found, **others)  # type: ignore[arg-type]
    given = {name: getattr(asked, name) for name in (*SINGLE, "winners") if getattr(asked, name)}
    home = found.left_is_home or asked.neutral is not None
    return replace(found, **given, left_is_home=home)


def _layout(asked: Roles, known: dict[str, str]) -> Roles:
    """The first known layout whose columns are all there; else the first whose items are there or given."""
    partly = None
    for layout in _LAYOUTS:
        if layout.winner and (asked.left or asked.right):
            continue
        if layout.left and (asked.winner or asked.loser):
            continue
        pair = ("winner", "loser") if layout.winner else ("left", "right")
        wanted = [getattr(asked, name) or getattr(layout, name) for name in pair]
        if not all(name in known.values() or name.casefold() in known for name in wanted):
            continue
        found = {name: known.get((getattr(layout, name) or "").casefold()) for name in SINGLE}
        winners = tuple(known[name.casefold()] for name in layout.winners if name.casefold() in known)
        unaided = asked.left is None and asked.right is None
        roles = Roles(
            **found,
            winners=winners if len(winners) > 1 else (),
            left_is_home=layout.left_is_home and unaided,
            meanings=layout.meanings,
        )
        if roles.loser or roles.outcome or roles.winners or (roles.left_score and roles.right_score):
            return roles
        partly = partly or roles
    return partly or Roles()


def _require_enough(roles: Roles, columns: Sequence[str], file: str) -> None:
    its = f"columns of {file}: {listed(columns, 12)}"
    if roles.winner or roles.loser:
        if not (roles.winner and roles.loser):
            raise UsageError(f"--winner and --loser go together ({its})")
        if (
            roles.left
            or roles.right
            or roles.outcome
            or roles.winners
            or roles.left_score
            or roles.right_score
        ):
            raise UsageError(
                "--winner and --loser say who won: leave out the other columns of items and outcomes"
            )
        if roles.winner == roles.loser:
            raise UsageError(f"--winner and --loser name the same column, {roles.winner!r} ({its})")
        return
    if roles.left is None or roles.right is None:
        raise UsageError(
            "can't tell which columns hold the two items and who won: name them by --left, --right and "
            f"--outcome, or --left-score and --right-score, or by --winner and --loser ({its})"
        )
    if roles.left == roles.right:
        raise UsageError(f"--left and --right name the same column, {roles.left!r} ({its})")
    if (
        roles.outcome is None
        and not roles.winners
        and (roles.left_score is None or roles.right_score is None)
    ):
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
