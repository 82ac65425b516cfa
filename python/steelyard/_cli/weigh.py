"""`steelyard weigh`: read, weigh, show."""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._errors import ConvergenceWarning
from .._report import Picture, draw, plain
from .command import Command
from .inputs import add_files
from .options import add_output, add_plot, add_report, as_number, integer, names, share, tolerance
from .pages import ROWS, require_pictures, write_page
from .picture import new_figure, save
from .points import Points, read_points
from .show import progress_bar, show
from .source import Preset, open_source
from .table import Table
from .text import listed
from .usage import UsageError, explained, require
from .write import write

if TYPE_CHECKING:
    from ..weigh import Weighting

SCALE_RULES = ("fraction", "convergence", "median", "positive_cutoff", "strong_cutoff")
METHODS = ("auto", "line", "grid", "cholesky", "mixed", "cg", "far", "local", "direct")
METRICS = ("euclidean", "cityblock", "chebyshev", "minkowski(p)", "cosine", "angular", "hamming", "jaccard")

_PRESETS = {"iris": Preset()}
# Angles have their own origin, and counts of equal values no unit.
_AS_THEY_ARE = ("cosine", "angular", "hamming", "jaccard")
_SHOWN = 8  # columns of the file
_RULES = {
    "convergence": "where the magnitude is .95 of the number of distinct points",
    "median": "1 / median distance",
    "positive_cutoff": "from where on no weight is negative",
    "strong_cutoff": "from where on no weight is negative and Z is positive semidefinite",
}

_DESCRIPTION = """\
How much does each point count? Large weights mark outliers and the boundary of the data, weights near 0 its
inside; their sum, the magnitude, is the effective number of points.

FILE is CSV of any separator, JSON or Parquet, also packed, with a header and one point a row; several,
patterns, or - for the standard input. Columns that hold only numbers are
used, the others shown beside them; rows with a missing number are left out. 'iris' (Fisher's 150 flowers)
comes with the package.
"""
_EXAMPLES = """\
Similarity is exp(-T * distance). Columns are standardised first, unless distances are of angles or of equal
values (cosine, angular, hamming, jaccard). Rows are counted from 0. In the table that is written, a column of
the file called rank, row or weight gets an underscore.

examples:
  steelyard weigh iris --outliers 5
  steelyard weigh sensors.parquet --columns pressure,flow --scale median --plot weights.png
  steelyard weigh answers.csv --metric hamming --output weights.csv
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_files(parser, "files or patterns, - for the standard input, or iris")

    data = parser.add_argument_group("data")
    data.add_argument(
        "--columns", metavar="A,B,...", type=names, help="columns to use (default: all that are numeric)"
    )
    data.add_argument(
        "--standardise",
        action=argparse.BooleanOptionalAction,
        help="each column to mean 0 and standard deviation 1 first",
    )

    space = parser.add_argument_group("weights")
    space.add_argument(
        "--scale",
        metavar="T",
        type=_scale,
        default="fraction",
        help=f"a number, or {', '.join(SCALE_RULES)} (default: fraction)",
    )
    space.add_argument(
        "--fraction",
        metavar="F",
        type=share,
        help="the scale at which the magnitude is F of the number of points (default: 0.3)",
    )
    space.add_argument(
        "--metric",
        default="euclidean",
        help=f"{', '.join(METRICS)} (default: euclidean)",
    )
    space.add_argument("--method", choices=METHODS, default="auto", help="the solver (default: auto)")
    space.add_argument(
        "--tol", metavar="R", type=tolerance, default=1e-8, help="largest residual to accept (default: 1e-8)"
    )

    output = parser.add_argument_group("output")
    output.add_argument(
        "--outliers",
        metavar="N",
        type=integer(0),
        default=10,
        help="points to show, 0 for all (default: 10)",
    )
    add_plot(output, "draw the first two columns with the weights")
    add_output(output, "write all points")
    add_report(output, "write the weights")


def _scale(text: str) -> float | str:
    if text in SCALE_RULES:
        return text
    value = as_number(text)
    if isinstance(value, str) or not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(
            f"must be a number above 0 or one of {', '.join(SCALE_RULES)}, got {text!r}"
        )
    return value


def run(options: argparse.Namespace) -> None:
    """From the file to the table on the screen, the picture and the table in a file."""
    require("rich", "cli")
    require_pictures(options)
    if options.fraction is not None and options.scale != "fraction":
        raise UsageError("--fraction goes with --scale fraction")
    if options.metric == "precomputed":
        raise UsageError(
            "--metric precomputed: a file has points; weigh distances by steelyard.weigh in Python"
        )
    if options.metric not in METRICS and not options.metric.startswith("minkowski("):
        raise UsageError(f"--metric must be one of {', '.join(METRICS)}, got {options.metric!r}")
    source = open_source(options, _PRESETS, "point")
    points = read_points(source, options.columns, hint="; try --columns")
    standardise = options.metric not in _AS_THEY_ARE if options.standardise is None else options.standardise
    notes = _headline(source.name, points)
    values, how = _standardised(points) if standardise else (points.values, "Columns as they are")
    with explained(source.name, "X"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weighting = _weigh(values, options)
    notes.append(f"{how}; {options.metric} distances")
    notes += [*_method(weighting, options), *_warned(weighting, caught)]
    columns = _columns(weighting, points)
    show(_table(columns, options.outliers), notes, sys.stdout)
    if options.output:
        write(columns, options.output, verbatim=options.verbatim)
    if options.plot:
        _draw(weighting, points, options)
    if options.report:
        title = f"Weights of {source.name}"
        picture = _picture(weighting, points)
        table = _table(columns, ROWS)
        write_page(options.report, title, table, notes, name="weights", pictures=[picture], columns=columns)


def _weigh(values: npt.NDArray[np.float64], options: argparse.Namespace) -> Weighting:
    from ..weigh import weighting

    with progress_bar("weighing") as progress:
        return weighting(
            values,
            scale=options.scale,
            metric=options.metric,
            method=options.method,
            tol=options.tol,
            fraction=0.3 if options.fraction is None else options.fraction,
            progress=progress,
        )


def _headline(name: str, points: Points) -> list[str]:
    n, d = points.values.shape
    line = f"{name}: {n:,} points of {_number(d, 'column')}: {listed(points.names, _SHOWN)}"
    if points.ignored:
        line += f"; not used: {listed(points.ignored, _SHOWN)}"
    if not points.dropped:
        return [line]
    return [line, f"{_number(points.dropped, 'row')} left out: a value is missing or infinite"]


def _standardised(points: Points) -> tuple[npt.NDArray[np.float64], str]:
    """Each column with mean 0 and standard deviation 1; one that does not vary becomes 0."""
    values = points.values
    largest = np.abs(values).max(axis=0)
    scaled = values / np.where(largest > 0, largest, 1.0)
    flat = (values == values[0]).all(axis=0)
    centred = np.where(flat, 0.0, scaled - scaled.mean(axis=0))
    how = "Columns standardised to mean 0 and standard deviation 1 (--no-standardise takes them as they are)"
    if flat.any():
        constant = [name for name, still in zip(points.names, flat, strict=True) if still]
        how += f", but for {listed(constant)}, constant"
    return centred / np.where(flat, 1.0, centred.std(axis=0)), how


def _method(weighting: Weighting, options: argparse.Namespace) -> list[str]:
    """The scale, and the certificate."""
    scale = f"Scale {weighting.scale:.6g} per unit of distance"
    if options.scale == "fraction":
        share = 0.3 if options.fraction is None else options.fraction
        scale += f", where the magnitude is {share:g} of the number of distinct points"
    elif options.scale in _RULES:
        scale += f", {_RULES[options.scale]}"
    info = weighting.info
    size = f"Magnitude {weighting.magnitude:.6g}"
    if info.error_bound is not None:
        # Sums in float64 round, whatever the bound says.
        rounding = len(weighting) * np.finfo(float).eps * abs(weighting.magnitude)
        kind = "proven" if info.error_kind == "rigorous" else "an estimate"
        size += f", within {max(info.error_bound, rounding):.1g} ({kind})"
    elif info.lower_bound is None:
        size += ", without a bound"
    return [scale, f"{size}; residual {info.residual:.1g} by {info.solver}"]


def _warned(weighting: Weighting, caught: list[warnings.WarningMessage]) -> list[str]:
    info = weighting.info
    # A missed tolerance stands in info.remark already.
    others = [str(warning.message) for warning in caught if warning.category is not ConvergenceWarning]
    notes = [f"Note: {text}" for text in dict.fromkeys([info.remark, *others]) if text]
    if info.merged:
        verbs = "repeats another and shares" if info.merged == 1 else "repeat another and share"
        notes.insert(0, f"{_number(info.merged, 'row')} {verbs} its weight")
    return notes


def _columns(weighting: Weighting, points: Points) -> dict[str, npt.NDArray[Any]]:
    """Rank, row and weight, then the file's columns; largest weight first."""
    order = weighting.order
    columns: dict[str, npt.NDArray[Any]] = {
        "rank": np.arange(1, len(order) + 1),
        "row": points.rows[order],
        "weight": weighting.weights[order],
    }
    own = set(columns)
    for name, values in points.table.items():
        new = name
        while new.casefold() in own or (new != name and new in points.table):
            new += "_"
        columns[new] = values[order]
    return columns


def _table(columns: dict[str, npt.NDArray[Any]], shown: int) -> Table:
    n = len(columns["rank"])
    count = min(shown or n, n)
    titles = list(columns)[: 3 + _SHOWN]
    cells = [
        tuple(_cell(title, value) for title, value in zip(titles, row, strict=True))
        for row in zip(*(columns[title][:count].tolist() for title in titles), strict=True)
    ]
    notes = []
    if n > count:
        notes.append(f"... and {_number(n - count, 'point')} with less weight; rows count from 0")
    else:
        notes.append("Rows count from 0")
    if len(columns) > len(titles):
        notes.append(f"{_number(len(columns) - len(titles), 'column')} more by --output")
    left = frozenset(k for k, title in enumerate(titles) if columns[title].dtype == object)
    return Table(tuple(titles), cells, left, "; ".join(notes))


def _cell(name: str, value: object) -> str:
    if name == "weight":
        return f"{value:.4f}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def _number(amount: int, noun: str) -> str:
    return f"{amount:,} {noun if amount == 1 else noun + 's'}"


def _draw(weighting: Weighting, points: Points, options: argparse.Namespace) -> None:
    figure = new_figure(7, 5)
    _draw_on(weighting, points, figure.subplots())
    save(figure, options.plot)


def _draw_on(weighting: Weighting, points: Points, ax: Any) -> None:
    from ..plotting import plot_weights

    axes = plot_weights(weighting, points.values, ax=ax)
    axes.set_xlabel(plain(points.names[0]), parse_math=False)
    if len(points.names) > 1:
        axes.set_ylabel(plain(points.names[1]), parse_math=False)


def _picture(weighting: Weighting, points: Points) -> Picture:
    return draw(
        "The points",
        lambda axes: _draw_on(weighting, points, axes),
        key="points",
        height=5.5,
        says="The points, those of large weight drawn large; the table has the weights.",
        note="The larger a point, the more it weighs.",
    )


COMMAND = Command(
    name="weigh",
    family="weights",
    says="weigh the points of a file",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
