"""`steelyard weigh`: read, weigh, show."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._errors import ConvergenceWarning
from .picture import new_figure, save
from .points import Points, read_points
from .show import progress_bar, show
from .source import Preset, open_source
from .table import Table
from .text import listed
from .usage import UsageError, require
from .write import write

if TYPE_CHECKING:
    from ..weigh import Weighting

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


def run(options: argparse.Namespace) -> None:
    """From the file to the table on the screen, the picture and the table in a file."""
    require("rich", "cli")
    if options.plot:
        require("matplotlib", "plot")
    if options.fraction is not None and options.scale != "fraction":
        raise UsageError("--fraction goes with --scale fraction")
    if options.metric == "precomputed":
        raise UsageError(
            "--metric precomputed: a file has points; weigh distances by steelyard.weigh in Python"
        )
    source = open_source(options.file, _PRESETS, "point")
    points = read_points(source, options.columns)
    standardise = options.metric not in _AS_THEY_ARE if options.standardise is None else options.standardise
    notes = _headline(source.name, points)
    values, how = _standardised(points) if standardise else (points.values, "Columns as they are")
    with _explained(source.name), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weighting = _weigh(values, options)
    notes.append(f"{how}; {options.metric} distances")
    notes += [*_method(weighting, options), *_warned(weighting, caught)]
    columns = _columns(weighting, points)
    show(_table(columns, options.outliers), notes, sys.stdout)
    if options.output:
        write(columns, options.output)
    if options.plot:
        _draw(weighting, points, options)


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


@contextmanager
def _explained(file: str) -> Iterator[None]:
    """The library's errors in the words of the command line."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise UsageError(re.sub(r"^X (?=has|must)", f"{file} ", _in_options(str(error)))) from None


def _in_options(text: str) -> str:
    text = re.sub(r"\b(method|scale|metric)='?([\w().]+)'?", r"--\1 \2", text)
    if text.startswith("fraction must be above"):
        text += "; or give --scale a number"
    text = re.sub(r"^(metric|fraction|scale)(?= must|:)", r"--\1", text)
    return (
        text.replace(", precomputed, got", ", got")
        .replace("larger tol", "larger --tol")
        .replace("lower tol", "lower --tol")
    )


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
    others = [str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)]
    said = dict.fromkeys([weighting.info.message, *others])  # a missed tolerance is in info.message
    merged = weighting.info.merged
    texts = [
        re.sub(rf"^{merged} rows? repeats? another and shares? its weight(?:; )?", "", text) for text in said
    ]
    notes = [f"Note: {_in_options(text)}" for text in texts if text]
    if merged:
        verbs = "repeats another and shares" if merged == 1 else "repeat another and share"
        notes.insert(0, f"{_number(merged, 'row')} {verbs} its weight")
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
    names = list(columns)[: 3 + _SHOWN]
    cells = [
        tuple(_cell(name, value) for name, value in zip(names, row, strict=True))
        for row in zip(*(columns[name][:count].tolist() for name in names), strict=True)
    ]
    notes = []
    if n > count:
        notes.append(f"... and {_number(n - count, 'point')} with less weight; rows count from 0")
    else:
        notes.append("Rows count from 0")
    if len(columns) > len(names):
        notes.append(f"{_number(len(columns) - len(names), 'column')} more by --output")
    left = frozenset(k for k, name in enumerate(names) if columns[name].dtype == object)
    return Table(tuple(names), cells, left, "; ".join(notes))


def _cell(name: str, value: object) -> str:
    if name == "weight":
        return f"{value:.4f}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def _number(amount: int, noun: str) -> str:
    return f"{amount:,} {noun if amount == 1 else noun + 's'}"


def _draw(weighting: Weighting, points: Points, options: argparse.Namespace) -> None:
    from ..plotting import plot_weights

    figure = new_figure(7, 5)
    axes = plot_weights(weighting, points.values, ax=figure.subplots())
    names = [name.replace("$", r"\$") for name in points.names[:2]]
    axes.set_xlabel(names[0])
    if len(names) > 1:
        axes.set_ylabel(names[1])
    save(figure, options.plot)
