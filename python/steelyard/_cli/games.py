"""What the commands on comparisons share: their data, their columns, their model and their words."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._errors import DisconnectedError, SeparationError, WordError
from .._spelling import spelt
from .columns import SINGLE, Roles, recognise, require_column
from .layouts import one_layout
from .options import as_number, names
from .separated import decimal_hint
from .source import Preset, Source
from .usage import UsageError

if TYPE_CHECKING:
    from ..rank import Comparisons

PRESETS = {
    "football": Preset(item="team", comparison="match", prior=1.0, years=8),
    "llmfao": Preset(item="model", comparison="vote", cluster="worker"),
}

_MEANINGS = {"left": 1, "tie": 0, "right": -1, "skip": None}
_WAYS_OUT = {
    "home_advantage": "leave it out by --no-home",
    "tie_parameter": "use --ties half or --ties drop",
}


def add_columns(parser: argparse.ArgumentParser, more: dict[str, str]) -> None:
    """Which column is what, unless the names say so."""
    columns = parser.add_argument_group("columns")
    roles = {
        "left": "one item",
        "right": "the other item",
        "winner": "the item that won, in files without ties",
        "loser": "the item that lost",
        "outcome": "who won: left, right, the winner, tie..., draw, or as in chess 1-0, 0-1, 1/2-1/2",
        "left-score": "points of the left item; the higher score wins",
        "right-score": "points of the right item",
        "neutral": "true where neither was at home",
        "weight": "sampling weight of a row (default: weight, where there is one; '' for none)",
        "count": "how often a row occurred (default: count, where there is one; '' for none)",
    }
    for role, what in (roles | more).items():
        columns.add_argument(f"--{role}", metavar="COLUMN", help=what)
    columns.add_argument(
        "--winners",
        metavar="COLUMN,COLUMN[,COLUMN]",
        type=_two_or_three,
        default=(),
        help="columns of 0 and 1: left won, right won, tie",
    )
    columns.add_argument(
        "--outcome-map",
        metavar="VALUE=MEANING,...",
        type=_outcome_map,
        help="what the values of the outcome column mean: left, right, tie or skip",
    )
    columns.add_argument(
        "--skip-blank", action="store_true", help="leave out rows where an item or the outcome is blank"
    )
    columns.add_argument(
        "--skip-self", action="store_true", help="leave out rows that compare an item with itself"
    )


def add_model(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Home advantage and ties."""
    model = parser.add_argument_group("model")
    model.add_argument(
        "--home",
        action=argparse.BooleanOptionalAction,
        help="fit an advantage of the left item (at home, or shown first)",
    )
    model.add_argument(
        "--ties",
        choices=("davidson", "rao-kupper", "half", "drop"),
        default="davidson",
        help="a model of ties, or half a win each, or leave them out (default: davidson)",
    )
    return model


def add_period(parser: argparse._ActionsContainer) -> None:
    """The rows to use, by their dates."""
    parser.add_argument("--since", metavar="WHEN", help="first year, month or day to use")
    parser.add_argument("--until", metavar="WHEN", help="last year, month or day to use")
    parser.add_argument(
        "--date-format",
        metavar="FORMAT",
        action="append",
        default=[],
        type=_date_format,
        help="how dates are written, such as %%d/%%m/%%y: needed for years of two digits, and where day and "
        "month can't be told apart; may be given twice",
    )


def _date_format(text: str) -> str:
    if "%" not in text:
        raise argparse.ArgumentTypeError(f"must be a format such as %d/%m/%y, got {text!r}")
    return text


def _two_or_three(text: str) -> tuple[str, ...]:
    found = tuple(names(text))
    if not 2 <= len(set(found)) == len(found) <= 3:
        raise argparse.ArgumentTypeError(f"must be two or three different columns, got {text!r}")
    return found


def _outcome_map(text: str) -> dict[object, int | None]:
    meanings: dict[object, int | None] = {}
    for part in text.split(","):
        value, _, meaning = part.rpartition("=")
        if meaning not in _MEANINGS:
            raise argparse.ArgumentTypeError(
                f"must be VALUE=MEANING,... with meanings {', '.join(_MEANINGS)}, got {part!r}"
            )
        # A Parquet file may hold the number; an empty value stands for a missing one.
        for key in {value, as_number(value) if value else None}:
            meanings[key] = _MEANINGS[meaning]
    return meanings


def asked(options: argparse.Namespace, source: Source) -> Roles:
    """The columns that the options name."""
    given = {name: getattr(options, name, None) for name in SINGLE}
    given["cluster"] = given["cluster"] or source.preset.cluster
    return Roles(**given, winners=options.winners)  # type: ignore[arg-type]


def find_comparisons(
    source: Source, options: argparse.Namespace, more: Sequence[str] = ()
) -> tuple[Source, Roles]:
    """The rows, every layout as two items and an outcome; `more` are other columns that must be there."""
    roles = recognise(source.columns, asked(options, source), source.name)
    for column in more:
        require_column(column, "covariates", source.columns, source.name)
    return one_layout(source, roles, skip_blank=options.skip_blank, skip_self=options.skip_self)


def count(
    source: Source,
    roles: Roles,
    home: bool,
    outcome_map: dict[object, int | None] | None,
    *,
    timed: bool = False,
    clustered: bool = True,
    covariates: tuple[str, ...] = (),
    group: str | None = None,
    judge: str | None = None,
    levels: Sequence[str] = (),
) -> Comparisons:
    """The grouped table, counted in DuckDB; `timed`: by time too (see `with_times`)."""
    from ..rank import Comparisons

    with source.reading():
        return Comparisons.from_frame(
            source.relation,
            left=roles.left or "",
            right=roles.right or "",
            outcome=roles.outcome,
            outcome_map=None if levels else _meanings(roles, outcome_map),
            outcome_levels=levels or None,
            left_score=roles.left_score,
            right_score=roles.right_score,
            weight=roles.weight,
            count=roles.count,
            neutral=roles.neutral if home else None,
            home=True if home and roles.neutral is None else None,
            cluster=roles.cluster if clustered else None,
            time=roles.time if timed else None,
            covariates=covariates or None,
            group=group,
            judge=judge,
        )


def _meanings(roles: Roles, given: dict[object, int | None] | None) -> dict[object, int | None] | None:
    """Those of the layout, and over them those given."""
    return {**roles.meanings, **(given or {})} or None if roles.outcome is not None else given


@contextmanager
def explained(source: Source) -> Iterator[None]:
    """The library's errors in the words of the command line, with the lines of the files."""
    try:
        with spelt(_option, source.row):
            yield
    except DisconnectedError as error:
        words = error.report.describe() if error.report is not None else error
        raise UsageError(
            f"the ratings have no finite optimum without a prior: {words} Use --prior 1"
        ) from None
    except SeparationError as error:
        raise UsageError(_separated(error)) from None
    except WordError as error:
        raise UsageError(f"{error}{decimal_hint(error.word)}") from None
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from None


def _option(name: str, code: str) -> str:
    if name == "outcome_levels":
        return "--levels"
    if name == "date_format":
        return f"--date-format {code}"
    if name != "outcome_map":
        return f"--{name} {code}" if code else f"--{name}"
    return "--skip-blank" if code == "{None: None}" else "--outcome-map VALUE=left (or right, tie, skip)"


def _separated(error: SeparationError) -> str:
    if error.parameter.startswith("level "):
        return f"{error} (--levels)"
    why = (
        "the data does not determine it (another value fits as well, with other strengths)"
        if error.flat
        else "the likelihood keeps rising as it goes to infinity"
    )
    way = _WAYS_OUT.get(error.parameter, "leave it out of --covariates")
    if error.parameter.startswith("threshold") or error.parameter == "strengths":
        way = "merge levels that are rare, or use --prior 1"
    return f"{error.parameter} has no finite optimum on this data: {why}; {way}"


def amount(number: float, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("ch") else "s")
    return f"{number:,.12g} {noun if number == 1 else plural}"


def anchor_label(options: argparse.Namespace, items: Any, source: Source) -> Any:
    """The label of the item that --anchor names."""
    wanted = options.anchor[0]
    label = next((label for label in items.tolist() if str(label) == wanted), None)
    if label is None:
        near = difflib.get_close_matches(wanted, map(str, items.tolist()), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"--anchor: there is no item {wanted!r} among those ranked of {source.name}{hint}")
    return label
