"""`steelyard balance`: read groups, weigh them until they are alike, show what is left and the effect."""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._errors import ConvergenceWarning
from .columns import require_column
from .command import Command
from .inputs import add_files
from .options import add_output, add_plot, add_top, as_number, integer, names, number, share, tolerance
from .picture import new_figure, save
from .points import Points, number_columns, read_points
from .show import progress_bar, show
from .source import Preset, Source, open_source
from .table import Table
from .text import listed
from .usage import UsageError, explained, require
from .write import write

if TYPE_CHECKING:
    from ..weigh import Balance, Effect

ESTIMANDS = ("att", "atc", "ate", "population")
KERNELS = ("energy", "laplacian", "gaussian", "matern")

_PRESETS = {"nsw": Preset(), "lalonde": Preset()}
_SHOWN = 8  # columns of the file
_FLAGS = {"true": True, "false": False}
_WHOM = {
    "att": "the others weighted to be like the treated",
    "atc": "the treated weighted to be like the others",
    "ate": "each arm weighted to be like all rows",
    "population": "the treated arm weighted to be like all rows",
}

_DESCRIPTION = """\
What was the effect, had the groups been alike? Weights that make the groups of a study alike in all the
columns that were measured beforehand, how alike they became, and with --outcome the effect.

FILE is CSV of any separator, JSON or Parquet, also packed, with a header and one person, patient or visit a
row; several, patterns, or - for the standard input. All columns of numbers are made alike, but for
--treatment and --outcome, unless --columns names some; never name one that the treatment can have changed.
Rows with a gap in what is used are left out. 'nsw' (a job training experiment of 445 men) and 'lalonde' (its
trained men beside 15,992 people of a survey) come with the package.
"""
_EXAMPLES = """\
Differences of means are over the standard deviation of the treated (att), of the controls (atc), of all rows
(population) or sqrt((s1^2 + s0^2) / 2) (ate): above .1 a difference matters.

examples:
  steelyard balance nsw --treatment treat --outcome re78
  steelyard balance visits.csv --treatment group --treated new --outcome sales --plot love.png
  steelyard balance survey.parquet --treatment answered --estimand population --output weights.csv
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_files(parser, "files or patterns, - for the standard input, nsw or lalonde")

    data = parser.add_argument_group("data")
    data.add_argument("--treatment", metavar="COLUMN", required=True, help="that says who is in which arm")
    data.add_argument(
        "--treated",
        metavar="LABEL",
        help="the treated arm; 'population': who answered (default: of two numbers the larger)",
    )
    data.add_argument("--outcome", metavar="COLUMN", help="of which to estimate the effect")
    data.add_argument(
        "--against", metavar="LABEL", help="the arm to compare with, where there are more than two"
    )
    data.add_argument(
        "--columns", metavar="A,B,...", type=names, help="to make alike (default: all that are numeric)"
    )

    weights = parser.add_argument_group("weights")
    weights.add_argument("--estimand", choices=ESTIMANDS, default="att", help="(default: att)")
    weights.add_argument("--kernel", choices=KERNELS, default="energy", help="(default: energy)")
    weights.add_argument(
        "--ridge", metavar="R", type=number(0), default=0.0, help="larger effective sizes (default: 0)"
    )
    weights.add_argument(
        "--tol",
        metavar="R",
        type=tolerance,
        default=1e-4,
        help="largest gap, as a share of the imbalance before (default: 1e-4)",
    )

    errors = parser.add_argument_group("effect")
    errors.add_argument(
        "--errors", choices=("residual", "subsample"), default="residual", help="(default: residual)"
    )
    errors.add_argument(
        "--level", metavar="P", type=share, default=0.95, help="of the interval (default: 0.95)"
    )
    errors.add_argument("--seed", metavar="S", type=integer(0), default=0, help="of subsamples (default: 0)")

    output = parser.add_argument_group("output")
    add_top(output, what="covariates")
    add_plot(output, "draw the differences before and after (love plot)")
    add_output(output, "write all rows with their weights")


@dataclass(frozen=True)
class _Study:
    """What was read: covariates by name, labels, outcomes (NaN for a gap) and the rows of the file."""

    covariates: npt.NDArray[np.float64]
    names: tuple[str, ...]
    labels: npt.NDArray[Any]
    outcome: npt.NDArray[np.float64] | None
    table: dict[str, npt.NDArray[Any]]
    notes: tuple[str, ...]


class _Named:
    """Covariates with the names of their columns, as a data frame has them."""

    def __init__(self, values: npt.NDArray[np.float64], columns: tuple[str, ...]) -> None:
        self._values, self.columns = values, columns

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:
        return np.asarray(self._values, dtype=dtype)


def run(options: argparse.Namespace) -> None:
    """From the file to the table on the screen, the picture and the weights in a file."""
    from ..weigh import balance

    require("rich", "cli")
    if options.plot:
        require("matplotlib", "plot")
    source = open_source(options, _PRESETS, "row")
    study = _read(source, options)
    with explained(source.name, "X"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with progress_bar("balancing") as progress:
            found = balance(
                _Named(study.covariates, study.names),
                study.labels,
                treated=_label(options.treated, study.labels),
                estimand=options.estimand,
                kernel=options.kernel,
                ridge=options.ridge,
                tol=options.tol,
                progress=progress,
            )
        effect = _effect(found, study, options)
    notes = [_headline(source.name, study), *study.notes, *_account(found, options), *_warned(found, caught)]
    if effect is not None:
        notes.append(_effect_words(effect, found, options))
    show(_table(found, options.top), notes, sys.stdout)
    if options.output:
        write(_columns(found, study), options.output, verbatim=options.verbatim)
    if options.plot:
        figure = new_figure(7, 1.6 + 0.26 * min(30, len(found.table()["variable"])))
        found.plot(ax=figure.subplots())
        save(figure, options.plot)


def _read(source: Source, options: argparse.Namespace) -> _Study:
    require_column(options.treatment, "treatment", source.columns, source.name)
    if options.outcome is not None:
        require_column(options.outcome, "outcome", source.columns, source.name)
        if options.outcome == options.treatment:
            raise UsageError(f"--treatment and --outcome name the same column, {options.outcome!r}")
    roles = [options.treatment, *filter(None, [options.outcome])]
    chosen = options.columns or [c for c in number_columns(source, "; try --columns") if c not in roles]
    if not chosen:
        raise UsageError(f"{source.name} has no column of numbers beside {listed(roles)}: nothing to balance")
    for column in set(chosen) & set(roles):
        raise UsageError(f"--columns: {column!r} is the treatment or the outcome, which is not made alike")
    asked = [*chosen, *filter(None, [options.outcome])]
    points = read_points(source, asked, gaps=True)
    labels = [_text(value) for value in points.table[options.treatment].tolist()]
    return _whole(points, chosen, labels, options)


def _text(value: Any) -> str | None:
    text = "" if value is None or value != value else str(value).strip()
    return text or None


def _whole(
    points: Points, chosen: list[str], labels: list[str | None], options: argparse.Namespace
) -> _Study:
    """The rows without a gap in what is used of them."""
    values = points.values[:, [points.names.index(name) for name in chosen]]
    known = np.array([label is not None for label in labels])
    full = np.isfinite(values).all(axis=1)
    outcome = None if options.outcome is None else points.values[:, points.names.index(options.outcome)]
    kept, notes = known & full, []
    parsed = _parsed([label or "" for label in labels])
    if outcome is not None:
        answered = np.isfinite(outcome)
        if options.estimand == "population":
            answered |= parsed != _label(options.treated, parsed[known])
        kept &= answered
    left = int(len(kept) - kept.sum()) + points.dropped
    if left:
        notes.append(f"{left:,} {'row' if left == 1 else 'rows'} left out: a value is missing or infinite")
    constant = [name for name, column in zip(chosen, values[kept].T, strict=True) if _still(column)]
    if constant:
        notes.append(f"{listed(constant)}: constant, left out")
        keep = [k for k, name in enumerate(chosen) if name not in constant]
        values, chosen = values[:, keep], [chosen[k] for k in keep]
    if not kept.any() or not chosen:
        raise UsageError(f"--treatment {options.treatment}: no rows or no columns are left to balance")
    again = _parsed([label or "" for label, keep in zip(labels, kept, strict=True) if keep])
    table = {name: column[kept] for name, column in points.table.items()}
    return _Study(
        values[kept], tuple(chosen), again, None if outcome is None else outcome[kept], table, tuple(notes)
    )


def _still(column: npt.NDArray[np.float64]) -> bool:
    return len(column) > 0 and bool((column == column[0]).all())


def _parsed(texts: list[str]) -> npt.NDArray[Any]:
    """Numbers where all are numbers, flags where all are true or false, else the texts."""
    flags = [_FLAGS.get(text.lower()) for text in texts]
    if texts and all(flag is not None for flag in flags):
        return np.array(flags, dtype=bool)
    numbers = [as_number(text) for text in texts]
    if numbers and all(isinstance(value, float) for value in numbers):
        values = np.array(numbers, dtype=np.float64)
        whole = bool((np.abs(values) < 2**53).all()) and bool((values == np.rint(values)).all())
        return values.astype(np.int64) if whole else values
    return np.array(texts, dtype=object)


def _label(asked: str | None, labels: npt.NDArray[Any]) -> Any:
    """What was typed, as the labels are; of two numbers the larger where nothing was."""
    if asked is None:
        return labels.max() if labels.dtype.kind in "bif" and len(np.unique(labels)) == 2 else None
    if labels.dtype.kind == "b":
        return _FLAGS.get(asked.lower(), asked)
    return as_number(asked) if labels.dtype.kind in "if" else asked


def _effect(found: Balance, study: _Study, options: argparse.Namespace) -> Effect | None:
    if study.outcome is None:
        if options.against is not None:
            raise UsageError("--against goes with --outcome")
        return None
    y = study.outcome
    if options.estimand == "population":  # who did not answer has no outcome, and none is used
        y = np.where(np.isfinite(y), y, 0.0)
    return found.effect(
        y,
        options.errors,
        against=_label(options.against, study.labels) if options.against is not None else None,
        level=options.level,
        rng=options.seed,
    )


def _headline(name: str, study: _Study) -> str:
    n, d = study.covariates.shape
    return f"{name}: {n:,} rows, {d} {'column' if d == 1 else 'columns'}: {listed(study.names, _SHOWN)}"


def _spelt(label: Any) -> str:
    return f"{label:g}" if isinstance(label, float) else str(label)


def _account(found: Balance, options: argparse.Namespace) -> list[str]:
    """The arms, and the certificate."""
    sizes = [int((found.to_frame()["arm"] == label).sum()) for label in found.arms]
    arms = [
        f"{_spelt(label)}: {size:,} rows" + ("" if np.isnan(effective) else f", effective {effective:.1f}")
        for label, size, effective in zip(
            found.arms.tolist(), sizes, found.effective_sample_size, strict=True
        )
    ]
    distance = "energy distance" if found.kernel == "energy" else f"squared discrepancy ({found.kernel})"
    kind = "proven" if found.info.error_kind == "rigorous" else "an estimate"
    least = f"at most {max(found.gap, 1e-16):.1g} of that before above the least ({kind})"
    return [
        f"{options.treatment}, treated {_spelt(found.treated)}; {'; '.join(arms)}",
        f"{found.estimand}: {_WHOM[found.estimand]}",
        f"{distance} {found.imbalance_before:.4g} before, {found.imbalance:.4g} after; {least}",
    ]


def _warned(found: Balance, caught: list[warnings.WarningMessage]) -> list[str]:
    missed = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    return [f"Note: {text}" for text in dict.fromkeys([*found.notes, *missed])]


def _effect_words(effect: Effect, found: Balance, options: argparse.Namespace) -> str:
    what = f"Mean of {options.outcome}" if found.estimand == "population" else f"Effect on {options.outcome}"
    return (
        f"{what}: {effect.estimate:.6g}, standard error {effect.standard_error:.3g}, "
        f"{100 * effect.level:g} % interval {effect.lower:.6g} to {effect.upper:.6g} ({effect.errors})"
    )


def _table(found: Balance, top: int) -> Table:
    table = found.table()
    order = np.argsort(-np.nan_to_num(np.abs(table["smd_before"])), kind="stable")
    count = min(top or len(order), len(order))
    several = len({*zip(map(str, table["arm"]), map(str, table["against"]), strict=True)}) > 1
    titles = ["covariate", *(["arm", "against"] if several else [])]
    titles += ["target", "before", "after", "SMD before", "SMD after", "variance ratio", "KS after"]
    cells = []
    for k in order[:count]:
        row = [str(table["variable"][k])]
        row += [_spelt(table["arm"][k]), _spelt(table["against"][k])] if several else []
        row += [f"{table[name][k]:.4g}" for name in ("mean_target", "mean_before", "mean_after")]
        row += [f"{table[name][k]:+.3f}" for name in ("smd_before", "smd_after")]
        row += [f"{table['variance_ratio_after'][k]:.2f}", f"{table['ks_after'][k]:.3f}"]
        cells.append(tuple(row))
    more = len(order) - count
    footer = f"... and {more} more (--top 0 shows all)" if more else ""
    return Table(tuple(titles), cells, frozenset(range(3 if several else 1)), footer)


def _columns(found: Balance, study: _Study) -> dict[str, npt.NDArray[Any]]:
    """The columns of the file, then the weights; a column of that name gets an underscore."""
    name = "weight"
    while name in study.table:
        name += "_"
    return {**study.table, name: found.weights}


COMMAND = Command(
    name="balance",
    family="weights",
    says="make the groups of a study alike, and estimate the effect",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
