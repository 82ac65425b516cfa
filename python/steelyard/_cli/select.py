"""`steelyard select`: read points, draw the few that stand for all."""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .blocks import store_points
from .command import Command
from .inputs import add_files
from .options import add_output, add_report, add_top, integer
from .pages import ROWS, require_pages, write_page
from .points import read_points
from .scores import read_scores, refuse_more_than_there_is, refuse_one_model
from .show import show
from .source import Source, open_source
from .table import Table
from .usage import UsageError, require
from .write import write

if TYPE_CHECKING:
    from ..select import Sample

_DESCRIPTION = """\
Which rows stand for all? Draws rows by sensitivity sampling: cluster, then draw by how much a row can matter
to a sum over all rows. Each row comes with a weight, and weighted sums are unbiased.

FILE is an array (.npy, shape n x d, read where it lies), or CSV of any separator, JSON or Parquet, also
packed, with a header and one point a row, of which the columns of numbers are used. 'digits' are
scikit-learn's 1,797 digits.
A Parquet file is read in blocks, and its numbers are kept in a temporary file (TMPDIR), 4 or 8 bytes each:
an array and a Parquet file may be larger than memory.

--method medoids finds the rows that all lie near to, --method facility chooses rows similar to all, one after
the other; both say what the best rows can be better by, at most. Weights are then numbers of points.

--method items chooses what people should judge: FILE then holds scores that a metric gave, one item a row,
one model a column, and the items chosen are those that tell most of which model is better.
"""
_EXAMPLES = """\
With --losses (a column, or a .npy file) rows are drawn by the losses of the cluster centres and of a few
probes, and the mean loss is estimated from the rows drawn.

examples:
  steelyard select digits --size 100 --clusters 40
  steelyard select embeddings.npy --size 1000 --clusters 200 --output rows.csv
  steelyard select digits --size 40 --method medoids
  steelyard select metric.csv --size 50 --method items --utility variance
  steelyard select results.parquet --size 500 --clusters 50 --losses loss
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_files(parser, "files or patterns, - for the standard input, or digits")
    parser.add_argument("--size", metavar="N", type=integer(2), required=True, help="rows to draw")
    parser.add_argument(
        "--clusters", metavar="K", type=integer(1), help="clusters to make, for --method sensitivity"
    )
    parser.add_argument(
        "--method",
        choices=("sensitivity", "medoids", "facility", "items"),
        default="sensitivity",
        help="how to choose (default: sensitivity)",
    )
    parser.add_argument(
        "--utility",
        choices=("consistency", "variance", "diversity", "information"),
        help="of an item, for --method items (default: consistency)",
    )
    parser.add_argument("--item", metavar="COLUMN", help="that names the items, for --method items")
    parser.add_argument(
        "--losses", metavar="COLUMN", help="a column of losses, or a .npy file with one a row"
    )
    parser.add_argument(
        "--metric",
        choices=("euclidean", "cosine"),
        help="of distances (default: euclidean)",
    )
    parser.add_argument(
        "--replace",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="draw with replacement (default: distinct rows)",
    )
    parser.add_argument("--seed", metavar="S", type=integer(0), default=0, help="of the draws (default: 0)")
    add_top(parser)
    add_output(parser, "write all rows drawn")
    add_report(parser, "write the rows drawn")


@dataclass(frozen=True)
class _Data:
    name: str
    points: npt.NDArray[Any]
    rows: npt.NDArray[np.intp]  # in the file
    losses: npt.NDArray[np.float64] | None
    note: str


def run(options: argparse.Namespace) -> None:
    """From the file to a table of rows with weights."""
    from ..select import sensitivity_sample

    require("rich", "cli")
    require_pages(options)
    _refuse_strangers(options)
    options.metric = options.metric or "euclidean"
    if options.method == "items":
        _run_items(options)
        return
    if options.method != "sensitivity":
        _run_standing(options)
        return
    if options.clusters is None:
        raise UsageError("--method sensitivity needs --clusters")
    data = _read(options)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sample = sensitivity_sample(
                data.points,
                options.size,
                clusters=options.clusters,
                losses=data.losses,
                metric=options.metric,
                replace=options.replace,
                rng=options.seed,
            )
    except (ValueError, TypeError) as error:
        raise UsageError(f"{data.name}: {error}") from None
    columns = _columns(sample, data)
    notes = _notes(sample, data, options)
    notes += [f"Note: {warning.message}" for warning in caught]
    show(_table(columns, options.top), notes, sys.stdout)
    if options.output:
        write(columns, options.output, verbatim=options.verbatim)
    if options.report:
        title, table = f"Sample of {data.name}", _table(columns, ROWS)
        write_page(options.report, title, table, notes, name="sample", columns=columns)


_ONLY = {
    "clusters": ("sensitivity",),
    "losses": ("sensitivity",),
    "replace": ("sensitivity",),
    "metric": ("sensitivity", "medoids", "facility"),
    "utility": ("items",),
    "item": ("items",),
}


def _refuse_strangers(options: argparse.Namespace) -> None:
    for name, methods in _ONLY.items():
        if getattr(options, name) and options.method not in methods:
            raise UsageError(f"--{name} is for --method {' or '.join(methods)}")


def _run_items(options: argparse.Namespace) -> None:
    """The items that people should judge, with what each tells."""
    from ..select import item_utility

    scores = read_scores(options, options.file)
    refuse_one_model(scores)
    models, items = scores.values.shape
    refuse_more_than_there_is(scores, options.size)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            useful = item_utility(scores.values, options.utility or "consistency")
    except (ValueError, TypeError) as error:
        raise UsageError(f"{scores.name}: {error}") from None
    chosen = useful.choose(options.size).indices
    columns = {
        "item": np.array([scores.items[k] for k in chosen], dtype=object),
        "utility": useful.values[chosen],
    }
    told = f"{len(chosen):,} items by {useful.kind}"
    if len(chosen) < options.size:
        told += f"; the other {items - len(chosen):,} tell nothing"
    notes = [f"{scores.name}: {models:,} models, {items:,} items", told]
    notes += [f"Note: {warning.message}" for warning in caught]
    show(_standing_table(columns, options.top), notes, sys.stdout)
    if options.output:
        write(columns, options.output, verbatim=options.verbatim)
    if options.report:
        title, table = f"Items of {scores.name}", _standing_table(columns, ROWS)
        write_page(options.report, title, table, notes, name="items", columns=columns)


_BOUND_PASSES = 50


def _run_standing(options: argparse.Namespace) -> None:
    """Medoids or facility locations, as a table of rows with the points that each stands for."""
    data = _read(options)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            columns, told = (_medoids if options.method == "medoids" else _locations)(data, options)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{data.name}: {error}") from None
    n, d = data.points.shape
    notes = [f"{data.name}: {n:,} points of {d:,} columns" + (f" ({data.note})" if data.note else ""), told]
    notes += [f"Note: {warning.message}" for warning in caught]
    show(_standing_table(columns, options.top), notes, sys.stdout)
    if options.output:
        write(columns, options.output, verbatim=options.verbatim)
    if options.report:
        title, table = f"Sample of {data.name}", _standing_table(columns, ROWS)
        write_page(options.report, title, table, notes, name="sample", columns=columns)


def _medoids(data: _Data, options: argparse.Namespace) -> tuple[dict[str, npt.NDArray[Any]], str]:
    from ..select import medoids

    found = medoids(
        data.points, options.size, metric=options.metric, bound_iter=_BOUND_PASSES, rng=options.seed
    )
    counts = np.bincount(found.labels, minlength=len(found.indices))
    error = found.info.error_bound
    proven = "" if error is None else f"; no {len(found.indices):,} points cost less by more than {error:.2%}"
    told = f"{len(found.indices):,} medoids, sum of {found.metric} distances {found.cost:,.6g}{proven}"
    return {"row": data.rows[found.indices], "weight": counts}, told


def _locations(data: _Data, options: argparse.Namespace) -> tuple[dict[str, npt.NDArray[Any]], str]:
    from ..select import facility_location

    found = facility_location(data.points, options.size, metric=options.metric)
    counts = np.bincount(found.labels[found.labels >= 0], minlength=len(found.indices))
    told = (
        f"{len(found.indices):,} rows by {found.metric} similarity, value {found.value:,.6g}: at least "
        f"{found.share:.1%} of the best"
    )
    return {"row": data.rows[found.indices], "weight": counts, "gain": found.gains}, told


def _standing_table(columns: dict[str, npt.NDArray[Any]], top: int) -> Table:
    shown = {name: column[: top or None] for name, column in columns.items()}
    cells = [
        tuple(f"{x:.6g}" if isinstance(x, float) else str(x) for x in row)
        for row in zip(*shown.values(), strict=True)
    ]
    named, hidden = "item" in columns, len(next(iter(columns.values()))) - len(cells)
    words = "items (--top 0 shows all)" if named else "rows (--top 0 shows all); rows count from 0"
    footer = f"... and {hidden} more {words}" if hidden else ""
    return Table(tuple(columns), cells, frozenset({0}) if named else frozenset(), footer)


def _read(options: argparse.Namespace) -> _Data:
    if options.file == ["digits"]:
        digits = require("sklearn.datasets", "sklearn").load_digits().data / 16
        losses = _losses_file(options.losses, "digits", len(digits)) if options.losses else None
        note = "digits of scikit-learn, pixels divided by 16"
        return _Data("digits", digits, np.arange(len(digits)), losses, note)
    (name, *more) = options.file
    if not more and Path(name).suffix.lower() == ".npy":
        points = _array(Path(name), "points")
        if points.ndim != 2:
            raise UsageError(f"{name} must hold an array of shape (n, d), got {points.shape}")
        losses = _losses_file(options.losses, name, len(points)) if options.losses else None
        return _Data(name, points, np.arange(len(points)), losses, "")
    source = open_source(options, {}, "point", ("an array (.npy)", "digits"))
    if all(reader.file.kind == "parquet" for reader in source.readers):
        return _stored(options, source)
    column = None if options.losses is None or options.losses.endswith(".npy") else options.losses
    found = read_points(source, None)
    names = [one for one in found.names if one != column]
    if column is not None and column not in found.names:
        raise UsageError(f"--losses: {source.name} has no column of numbers {column!r}")
    if not names:
        raise UsageError(f"{source.name} has no column of numbers beside {column!r}")
    values = found.values[:, [found.names.index(one) for one in names]]
    losses = found.values[:, found.names.index(column)] if column is not None else None
    if options.losses is not None and column is None:
        losses = _losses_file(options.losses, source.name, len(found.rows) + found.dropped)[found.rows]
    return _Data(source.name, values, found.rows, losses, _note(names, found.dropped))


def _stored(options: argparse.Namespace, source: Source) -> _Data:
    apart = options.losses is not None and options.losses.endswith(".npy")
    found = store_points(source, None if apart else options.losses)
    losses = found.aside
    if apart:
        losses = _losses_file(options.losses, source.name, len(found.rows) + found.dropped)[found.rows]
    return _Data(source.name, found.values, found.rows, losses, _note(list(found.names), found.dropped))


def _note(names: list[str], dropped: int) -> str:
    return f"columns {', '.join(names)}" + (f"; {dropped} rows with a gap left out" if dropped else "")


def _array(path: Path, what: str) -> npt.NDArray[Any]:
    try:
        array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UsageError(f"there is no file {str(path)!r}") from None
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"can't read {what} from {str(path)!r}: {str(error).splitlines()[0]}") from None
    if not isinstance(array, np.ndarray):
        raise UsageError(
            f"{str(path)!r} is an archive (.npz); give a file with one array, as numpy.save writes"
        )
    found: npt.NDArray[Any] = array
    return found


def _losses_file(text: str, name: str, n: int) -> npt.NDArray[np.float64]:
    if not text.endswith(".npy"):
        raise UsageError(f"--losses must be a .npy file for {name}, got {text!r}")
    losses = _array(Path(text), "losses")
    if losses.shape != (n,) or losses.dtype.kind not in "fiub":
        raise UsageError(f"--losses must hold {n} numbers, got {losses.dtype} of shape {losses.shape}")
    return np.asarray(losses, dtype=np.float64)


def _columns(sample: Sample, data: _Data) -> dict[str, npt.NDArray[Any]]:
    items, first = np.unique(sample.indices, return_index=True)
    merged = sample.unique()[1]
    return {
        "row": data.rows[items],
        "weight": merged,
        "draws": np.bincount(np.searchsorted(items, sample.indices)),
        "inclusion_probability": sample.inclusion_probabilities[first],
    }


def _table(columns: dict[str, npt.NDArray[Any]], top: int) -> Table:
    order = np.argsort(-columns["inclusion_probability"], kind="stable")[: top or None]
    cells = [
        (
            str(columns["row"][k]),
            f"{columns['weight'][k]:.4g}",
            str(columns["draws"][k]),
            f"{columns['inclusion_probability'][k]:.4g}",
        )
        for k in order
    ]
    hidden = len(columns["row"]) - len(cells)
    footer = f"... and {hidden} more rows (--top 0 shows all); rows count from 0" if hidden else ""
    return Table(("row", "weight", "draws", "inclusion"), cells, frozenset(), footer)


def _notes(sample: Sample, data: _Data, options: argparse.Namespace) -> list[str]:
    n, d = data.points.shape
    notes = [f"{data.name}: {n:,} points of {d:,} columns" + (f" ({data.note})" if data.note else "")]
    how = "with" if sample.replace else "without"
    by = "losses at the centre points" if data.losses is not None else "the clusters' sensitivities"
    notes.append(
        f"{options.size:,} draws {how} replacement by {by} of {options.clusters:,} clusters, effective "
        f"sample size {sample.effective_sample_size:,.1f}; weights add up to {sample.weights.sum():,.6g}"
    )
    if data.losses is not None:
        found = sample.estimate(data.losses[sample.indices], control=True)
        notes.append(
            f"Mean loss {found.mean:.6g} +- {found.mean_standard_error:.2g} from {sample.labels_used:,} of "
            f"them (true mean {data.losses.mean():.6g})"
        )
    return notes


COMMAND = Command(
    name="select",
    family="samples",
    says="draw the rows that stand for all",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
