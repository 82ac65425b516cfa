"""What can be asked for."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from .usage import UsageError

SCALE_RULES = ("fraction", "convergence", "median", "positive_cutoff", "strong_cutoff")
METHODS = ("auto", "line", "cholesky", "mixed", "cg", "local", "direct")
TABLES = (".csv", ".json", ".parquet")
PICTURES = (".png", ".svg", ".pdf")

_RANK = """\
From paired comparisons to a leaderboard with 95 % intervals and rank sets (the ranks that an item can have).

FILE is CSV (also .gz), Parquet or JSON. Columns named model_a, model_b, winner, or left, right, winner, or
home_team, away_team, home_score, away_score are found unaided; name others by the options. 'football' (men's
internationals, the eight years up to the last match, prior 1) and 'llmfao' (votes on language models,
clustered by worker) come with the package.
"""
_RANK_EXAMPLES = """\
Only items that a chain of comparisons joins can be ranked together: the largest such group is, the rest
is named. Without --prior, maximum likelihood is used where its optimum is finite, else a prior of 1; the
output says which. Home advantage is fitted by default where the columns say who was at home.

examples:
  steelyard rank football --top 10
  steelyard rank votes.csv --bootstrap 1000 --output board.parquet
  steelyard rank games.csv --left white --right black --outcome won --outcome-map W=left,B=right,D=tie
"""
_HISTORY = """\
From paired comparisons with dates to strengths over time: every item and date together, with intervals that
do not take opponents as known.

FILE is as for steelyard rank, with a column of dates (date, time, timestamp, day or year; --time names it).
'football' comes with the package, 1872 to 2026.
"""
_HISTORY_EXAMPLES = """\
The volatility is the standard deviation of the change of a natural-log strength in one unit of time; without
--volatility it is estimated, which takes some fifteen fits.

examples:
  steelyard history football --teams Brazil,Germany,Spain --plot history.png
  steelyard history games.csv --volatility 0.1 --unit month --at 2024-06-30 --output strengths.csv
"""
_WEIGH = """\
How much does each point count? Large weights mark outliers and the boundary of the data, weights near 0 its
inside; their sum, the magnitude, is the effective number of points.

FILE is CSV (also .gz), Parquet or JSON with a header and one point a row. Columns that hold only numbers are
used, the others shown beside them; rows with a missing number are left out. 'iris' (Fisher's 150 flowers)
comes with the package.
"""
_WEIGH_EXAMPLES = """\
Similarity is exp(-T * distance). Columns are standardised first, unless distances are of angles or of equal
values (cosine, angular, hamming, jaccard). Rows are counted from 0. In the table that is written, a column of
the file called rank, row or weight gets an underscore.

examples:
  steelyard weigh iris --outliers 5
  steelyard weigh sensors.parquet --columns pressure,flow --scale median --plot weights.png
  steelyard weigh answers.csv --metric hamming --output weights.csv
"""
_METRIC = """\
Do distances satisfy the triangle inequality? check says where they do not; repair finds the nearest distances
that do, and proves how near. cluster groups items by who agrees with whom, and proves how good that is.

For check and repair FILE is CSV (also .gz), Parquet or JSON: a square symmetric table with a header of item
names, one row an item in the same order, zeros on the diagonal. A column of words (names again) is kept.
For cluster FILE has one pair a row: two items and, if there is a column for it, a weight. Without negative
weights pairs that are not listed disagree.
"""
_METRIC_EXAMPLES = """\
examples:
  steelyard metric check judgements.csv --top 5
  steelyard metric repair judgements.csv --output repaired.csv
  steelyard metric repair measured.csv --missing free --output complete.csv
  steelyard metric cluster matches.csv --left record --right other --output clusters.csv
"""
_SELECT = """\
Which rows stand for all? Draws rows by sensitivity sampling: cluster, then draw by how much a row can matter
to a sum over all rows. Each row comes with a weight, and weighted sums are unbiased.

FILE is an array (.npy, shape n x d, read where it lies), or CSV (also .gz), Parquet or JSON with a header and
one point a row, of which the columns of numbers are used. 'digits' are scikit-learn's 1,797 digits.
A Parquet file is read in blocks, and its numbers are kept in a temporary file (TMPDIR), 4 or 8 bytes each:
an array and a Parquet file may be larger than memory.
"""
_SELECT_EXAMPLES = """\
With --losses (a column, or a .npy file) rows are drawn by the losses of the cluster centres and of a few
probes, and the mean loss is estimated from the rows drawn.

examples:
  steelyard select digits --size 100 --clusters 40
  steelyard select embeddings.npy --size 1000 --clusters 200 --output rows.csv
  steelyard select results.parquet --size 500 --clusters 50 --losses loss
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def make_parser() -> argparse.ArgumentParser:
    """The parser of `steelyard`."""
    parser = _Parser(
        prog="steelyard",
        description="Rankings, weights, metrics, samples that you can defend. See: steelyard COMMAND --help",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"steelyard {version('steelyard')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, add, says, description, examples in (
        ("rank", _add_rank, "rank a file of paired comparisons", _RANK, _RANK_EXAMPLES),
        ("history", _add_history, "follow strengths over time", _HISTORY, _HISTORY_EXAMPLES),
        ("weigh", _add_weigh, "weigh the points of a file", _WEIGH, _WEIGH_EXAMPLES),
        ("select", _add_select, "draw the rows that stand for all", _SELECT, _SELECT_EXAMPLES),
        ("metric", _add_metric, "check and repair distances, cluster pairs", _METRIC, _METRIC_EXAMPLES),
    ):
        command = commands.add_parser(
            name,
            help=says,
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        # The command itself is imported when it runs.
        command.set_defaults(command=name)
        add(command)
    return parser


def _add_columns(parser: argparse.ArgumentParser, more: dict[str, str]) -> None:
    columns = parser.add_argument_group("columns")
    roles = {
        "left": "one item",
        "right": "the other item",
        "outcome": "who won: left, right, the winner, or tie...",
        "left-score": "points of the left item; the higher score wins",
        "right-score": "points of the right item",
        "neutral": "true where neither was at home",
    }
    for role, what in (roles | more).items():
        columns.add_argument(f"--{role}", metavar="COLUMN", help=what)
    columns.add_argument(
        "--outcome-map",
        metavar="VALUE=MEANING,...",
        type=_outcome_map,
        help="what the values of the outcome column mean: left, right, tie or skip",
    )


def _add_model(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
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


def _add_rank(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a file, or football, or llmfao")
    times = {
        "time": "dates, for --since and --until",
        "cluster": "groups of dependent rows, such as the judge",
    }
    _add_columns(parser, times)
    model = _add_model(parser)
    model.add_argument(
        "--covariates",
        metavar="COLUMN,...",
        type=lambda text: tuple(text.split(",")),
        default=(),
        help="numbers, left minus right, to take out of the ratings, such as a difference of lengths",
    )
    model.add_argument(
        "--prior",
        metavar="A",
        type=_number(0),
        help="as if each item had won and lost A times against an average one",
    )
    model.add_argument("--since", metavar="WHEN", help="first year, month or day to use")
    model.add_argument("--until", metavar="WHEN", help="last year, month or day to use")
    model.add_argument(
        "--min-games", metavar="N", type=_number(0), help="leave out items with fewer comparisons"
    )
    model.add_argument(
        "--bootstrap",
        metavar="N",
        type=_integer(2),
        help="intervals and rank sets from N refits to resampled comparisons (seed 0), not from a formula",
    )

    output = parser.add_argument_group("output")
    output.add_argument(
        "--top", metavar="N", type=_integer(0), default=20, help="rows to show, 0 for all (default: 20)"
    )
    output.add_argument(
        "--scale", choices=("elo", "log", "probability"), default="elo", help="of the ratings (default: elo)"
    )
    output.add_argument(
        "--plot", metavar="PICTURE", type=_path(PICTURES), help="draw what is shown: .png, .svg or .pdf"
    )
    output.add_argument(
        "--output", metavar="TABLE", type=_path(TABLES), help="write all rows: .csv, .json or .parquet"
    )


def _add_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a file, or football")
    _add_columns(parser, {"time": "dates"})
    model = _add_model(parser)
    model.add_argument(
        "--volatility",
        metavar="W",
        type=_number(1e-12),
        help="change of a natural-log strength in one unit of time (default: estimated)",
    )
    model.add_argument(
        "--unit", choices=("day", "week", "month", "year"), default="year", help="of time (default: year)"
    )
    model.add_argument(
        "--prior",
        metavar="A",
        type=_number(1e-12),
        default=1.0,
        help="as if each item had won and lost A times on its first date against strength 0 (default: 1)",
    )
    model.add_argument("--since", metavar="WHEN", help="first year, month or day to use")
    model.add_argument("--until", metavar="WHEN", help="last year, month or day to use")

    output = parser.add_argument_group("output")
    output.add_argument("--at", metavar="WHEN", help="the day to show (default: the last one)")
    output.add_argument(
        "--teams", "--items", metavar="A,B,...", type=_names, help="show, draw and write only these"
    )
    output.add_argument(
        "--top", metavar="N", type=_integer(0), default=20, help="rows to show, 0 for all (default: 20)"
    )
    output.add_argument(
        "--scale", choices=("elo", "log"), default="elo", help="of the ratings (default: elo)"
    )
    output.add_argument(
        "--plot",
        metavar="PICTURE",
        type=_path(PICTURES),
        help="draw --teams, or the first five shown, over time: .png, .svg or .pdf",
    )
    output.add_argument(
        "--output",
        metavar="TABLE",
        type=_path(TABLES),
        help="write the strengths on all dates: .csv, .json or .parquet",
    )


def _add_select(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a file, or digits")
    parser.add_argument("--size", metavar="N", type=_integer(2), required=True, help="rows to draw")
    parser.add_argument("--clusters", metavar="K", type=_integer(1), required=True, help="clusters to make")
    parser.add_argument(
        "--losses", metavar="COLUMN", help="a column of losses, or a .npy file with one a row"
    )
    parser.add_argument(
        "--metric",
        choices=("euclidean", "cosine"),
        default="euclidean",
        help="of distances (default: euclidean)",
    )
    parser.add_argument(
        "--replace",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="draw with replacement (default: distinct rows)",
    )
    parser.add_argument("--seed", metavar="S", type=_integer(0), default=0, help="of the draws (default: 0)")
    parser.add_argument(
        "--top", metavar="N", type=_integer(0), default=20, help="rows to show, 0 for all (default: 20)"
    )
    parser.add_argument(
        "--output", metavar="TABLE", type=_path(TABLES), help="write all rows drawn: .csv, .json or .parquet"
    )


def _add_weigh(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a file, or iris")

    data = parser.add_argument_group("data")
    data.add_argument(
        "--columns", metavar="A,B,...", type=_names, help="columns to use (default: all that are numeric)"
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
        type=_share,
        help="the scale at which the magnitude is F of the number of points (default: 0.3)",
    )
    space.add_argument(
        "--metric",
        default="euclidean",
        help="euclidean, cityblock, chebyshev, minkowski(p), cosine, angular, hamming, jaccard "
        "(default: euclidean)",
    )
    space.add_argument("--method", choices=METHODS, default="auto", help="the solver (default: auto)")
    space.add_argument(
        "--tol", metavar="R", type=_tolerance, default=1e-8, help="largest residual to accept (default: 1e-8)"
    )

    output = parser.add_argument_group("output")
    output.add_argument(
        "--outliers",
        metavar="N",
        type=_integer(0),
        default=10,
        help="points to show, 0 for all (default: 10)",
    )
    output.add_argument(
        "--plot",
        metavar="PICTURE",
        type=_path(PICTURES),
        help="draw the first two columns with the weights: .png, .svg or .pdf",
    )
    output.add_argument(
        "--output", metavar="TABLE", type=_path(TABLES), help="write all points: .csv, .json or .parquet"
    )


def _add_metric(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("check", "repair", "cluster"), help="what to do")
    parser.add_argument("file", metavar="FILE", help="a square table of distances, or pairs")
    parser.add_argument(
        "--slack", metavar="S", type=_number(0), default=0.0, help="excess to let pass (default: 0)"
    )
    parser.add_argument(
        "--top",
        metavar="N",
        type=_integer(0),
        default=10,
        help="broken pairs or clusters to show (default: 10)",
    )
    parser.add_argument(
        "--tol",
        metavar="R",
        type=_tolerance,
        help="largest relative gap (default: repair 1e-6, cluster 0.01)",
    )
    parser.add_argument(
        "--output",
        metavar="TABLE",
        type=_path(TABLES),
        help="write the distances or clusters: .csv, .json or .parquet",
    )

    repair = parser.add_argument_group("repair")
    repair.add_argument(
        "--norm",
        choices=("l2", "l1", "linf"),
        default="l2",
        help="least squares, least sum of changes, or the least largest change (default: l2)",
    )
    repair.add_argument("--decrease-only", action="store_true", help="only lower distances")
    repair.add_argument(
        "--missing",
        choices=("error", "free"),
        default="error",
        help="free: an empty cell is an unknown pair, which costs nothing and becomes a shortest path",
    )

    pairs = parser.add_argument_group("cluster")
    for option, what in (
        ("--left", "column of one item"),
        ("--right", "column of the other item"),
        ("--weight", "column of weights (default: weight, else each pair counts 1)"),
    ):
        pairs.add_argument(option, metavar="COLUMN", help=what)
    pairs.add_argument(
        "--formulation",
        choices=("auto", "signed", "graph", "wang"),
        default="auto",
        help="signed: pairs that are not listed say nothing; graph: they disagree; wang: weights from common "
        "neighbours (default: signed where a weight is negative, else graph)",
    )
    pairs.add_argument(
        "--resolution",
        metavar="R",
        type=_tolerance,
        default=0.5,
        help="of graph: higher makes smaller clusters (default: 0.5)",
    )


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if "" in names:
        raise argparse.ArgumentTypeError(f"must be names with commas between them, got {text!r}")
    return names


def _scale(text: str) -> float | str:
    if text in SCALE_RULES:
        return text
    value = _as_number(text)
    if isinstance(value, str) or not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(
            f"must be a number above 0 or one of {', '.join(SCALE_RULES)}, got {text!r}"
        )
    return value


def _share(text: str) -> float:
    value = _as_number(text)
    if isinstance(value, str) or not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, got {text!r}")
    return value


def _tolerance(text: str) -> float:
    value = _as_number(text)
    if isinstance(value, str) or not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return value


def _number(least: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            raise argparse.ArgumentTypeError(f"must be a number of at least {least:g}, got {text!r}")
        return value

    return number


def _integer(least: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, got {text!r}")
        return int(text)

    return integer


def _path(suffixes: tuple[str, ...]) -> Callable[[str], Path]:
    def path(text: str) -> Path:
        value = Path(text)
        if value.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"must end in {', '.join(suffixes)}, got {text!r}")
        if not value.parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {str(value.parent)!r}")
        return value

    return path


_MEANINGS = {"left": 1, "tie": 0, "right": -1, "skip": None}


def _outcome_map(text: str) -> dict[object, int | None]:
    meanings: dict[object, int | None] = {}
    for part in text.split(","):
        value, _, meaning = part.rpartition("=")
        if meaning not in _MEANINGS:
            raise argparse.ArgumentTypeError(
                f"must be VALUE=MEANING,... with meanings {', '.join(_MEANINGS)}, got {part!r}"
            )
        # A Parquet file may hold the number; an empty value stands for a missing one.
        for key in {value, _as_number(value) if value else None}:
            meanings[key] = _MEANINGS[meaning]
    return meanings


def _as_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
