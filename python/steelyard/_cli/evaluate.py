"""`steelyard evaluate`: which items to ask a new model, and its whole score from few answers."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .command import Command
from .inputs import add_files
from .options import add_output, add_top, integer, share
from .scores import Scores, read_scores, refuse_more_than_there_is, refuse_one_model
from .show import show
from .table import Table
from .usage import UsageError, require
from .write import write

if TYPE_CHECKING:
    from ..select import ItemEstimate, ItemPlan

_DESCRIPTION = """\
What would a new model score on a whole benchmark? FILE holds the scores of models that answered it: one item
a row, one model a column, right or wrong as 1 and 0 or any numbers, with gaps where there is none. CSV of any
separator, JSON or Parquet, also packed.

Without --new it lists the items to ask. With --new ANSWERS (one answered item a row, one new model a column)
it prints each new model's score over all items with its standard error and interval, and how many times the
answers a random sample would take for that.
"""
_EXAMPLES = """\
Items have a name in a column called item, or in the first column of texts. Ask the items listed by --size,
and give --new the same --design and --seed: these are then read as they were drawn. Any other items are taken
as drawn at random.

examples:
  steelyard evaluate scores.csv --size 100 --output ask.csv
  steelyard evaluate scores.csv --new answers.csv
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_files(parser, "files or patterns, or - for the standard input")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--size", metavar="M", type=integer(2), help="items to ask")
    what.add_argument("--new", metavar="ANSWERS", help="a file of answers by new models")
    parser.add_argument("--item", metavar="COLUMN", help="that names the items")
    parser.add_argument(
        "--design",
        choices=("systematic", "stratified", "random"),
        default="systematic",
        help="of the items (default: systematic, along difficulty)",
    )
    parser.add_argument(
        "--level", metavar="P", type=share, default=0.95, help="of the intervals (default: 0.95)"
    )
    parser.add_argument("--seed", metavar="S", type=integer(0), default=0, help="of the draws (default: 0)")
    add_top(parser)
    add_output(parser, "write the whole table")


def run(options: argparse.Namespace) -> None:
    """From files to a table of items, or of scores."""
    from ..select import plan_items

    require("rich", "cli")
    scores = read_scores(options, options.file)
    refuse_one_model(scores)
    if options.size is not None:
        refuse_more_than_there_is(scores, options.size)
    new = None if options.new is None else read_scores(options, [options.new])
    places = None if new is None else _places(scores, new)
    size = options.size if places is None else len(places)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            plan = plan_items(scores.values, size, design=options.design, rng=options.seed)
            if new is None or places is None:
                _show_plan(plan, scores, options, caught)
                return
            if not np.array_equal(np.sort(places), plan.items):
                plan = plan_items(scores.values, size, items=places)
            found = plan.estimate(new.values[:, np.argsort(places)], level=options.level)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{scores.name}: {error}") from None
    _show_estimate(found, plan, scores, new, options, caught)


def _places(scores: Scores, new: Scores) -> npt.NDArray[np.intp]:
    at = {item: k for k, item in enumerate(scores.items)}
    strange = [item for item in new.items if item not in at]
    if strange:
        raise UsageError(f"--new: {scores.name} has no item {strange[0]!r} ({len(strange)} are not there)")
    if np.isnan(new.values).any():
        model, item = np.argwhere(np.isnan(new.values))[0]
        raise UsageError(
            f"--new: {new.models[model]} has no answer to the item {new.items[item]!r}; ask it, or give "
            "models that answered different items one by one"
        )
    return np.array([at[item] for item in new.items], dtype=np.intp)


def _show_plan(plan: ItemPlan, scores: Scores, options: argparse.Namespace, caught: Any) -> None:
    columns = {
        "item": np.array([scores.items[k] for k in plan.items], dtype=object),
        "inclusion_probability": plan.inclusion_probabilities,
    }
    every = list(zip(columns["item"], map("{:.4g}".format, plan.inclusion_probabilities), strict=True))
    cells = every[: options.top or None]
    hidden = len(plan) - len(cells)
    footer = f"... and {hidden} more items (--top 0 shows all)" if hidden else ""
    table = Table(("item", "inclusion"), cells, frozenset({0}), footer)
    show(
        table, [_of_scores(scores), f"{len(plan):,} items to ask, {plan.design}", *_notes(caught)], sys.stdout
    )
    if options.output:
        write(columns, options.output, verbatim=options.verbatim)


def _show_estimate(
    found: ItemEstimate,
    plan: ItemPlan,
    scores: Scores,
    new: Scores,
    options: argparse.Namespace,
    caught: Any,
) -> None:
    columns = {**found.to_frame(), "model": np.array(new.models, dtype=object)}
    numbers = ("mean", "standard_error", "lower", "upper", "relative_efficiency")
    order = np.argsort(-found.mean, kind="stable")
    cells = [
        (new.models[k], *(f"{columns[name][k]:.4g}" for name in numbers))
        for k in order[: options.top or None]
    ]
    hidden = len(new.models) - len(cells)
    titles = ("model", "score", "error", "lower", "upper", "worth")
    footer = f"... and {hidden} more models (--top 0 shows all)" if hidden else ""
    how = (
        "items drawn at random" if plan.design == "random" else f"{plan.design} items of seed {options.seed}"
    )
    told = (
        f"{new.name}: {len(plan):,} answers, read as {how}; intervals of {100 * options.level:g} %; worth: "
        "times the answers of a random sample"
    )
    notes = [_of_scores(scores), told, *_notes(caught)]
    show(Table(titles, cells, frozenset({0}), footer), notes, sys.stdout)
    if options.output:
        write(columns, options.output, verbatim=options.verbatim)


def _of_scores(scores: Scores) -> str:
    models, items = scores.values.shape
    return f"{scores.name}: {models:,} source models, {items:,} items"


def _notes(caught: Any) -> list[str]:
    return [f"Note: {warning.message}" for warning in caught]


COMMAND = Command(
    name="evaluate",
    family="samples",
    says="a whole benchmark score from few answers",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_options=_add_options,
    run=run,
)
