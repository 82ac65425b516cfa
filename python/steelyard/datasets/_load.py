"""The data sets that ship with the package."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._validate import check_choice

if TYPE_CHECKING:
    from ..rank import Comparisons

NAMES = ("football", "iris", "lalonde", "llmfao", "nsw")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A table with its origin.

    Attributes
    ----------
    columns : dict of str to ndarray
        The columns; ready for the constructor of any data frame.
    description : str
        What a row is.
    source : str
        Where it comes from.
    licence : str
        On what terms.
    defaults : dict of str to str
        What `comparisons` hands to `Comparisons.from_frame`; empty where a row is no comparison.
    """

    columns: dict[str, npt.NDArray[Any]]
    description: str
    source: str
    licence: str
    defaults: dict[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __repr__(self) -> str:
        head = f"Dataset({len(self):,} rows: {', '.join(self.columns)})"
        return "\n".join([head, self.description, f"Source: {self.source}", f"Licence: {self.licence}"])

    def comparisons(self, **options: Any) -> Comparisons:
        """The table as comparisons.

        Parameters
        ----------
        **options
            Of `Comparisons.from_frame`; they override `defaults`.

        Returns
        -------
        Comparisons

        Raises
        ------
        ValueError
            If the rows are no comparisons, and the options don't say who was compared with whom.

        Examples
        --------
        >>> from steelyard.datasets import load_football
        >>> load_football().comparisons().n_items
        337
        """
        from ..rank import Comparisons

        roles = {**self.defaults, **options}
        if not {"left", "right"} <= roles.keys():
            raise ValueError(f"{self.description} No comparisons: name left= and right= if there are some")
        return Comparisons.from_frame(self.columns, **roles)

    def points(self) -> npt.NDArray[np.float64]:
        """The numeric columns side by side, one point a row.

        Returns
        -------
        ndarray of float64, shape (n, d)
            A new array; its columns are those of integer or floating dtype, in the order of `columns`.

        Examples
        --------
        >>> from steelyard.datasets import load_iris
        >>> load_iris().points()[0].tolist()
        [5.1, 3.5, 1.4, 0.2]
        """
        numeric = [column for column in self.columns.values() if column.dtype.kind in "iuf"]
        return np.stack(numeric, axis=1, dtype=np.float64)


def path(name: str) -> Path:
    """File of a data set: CSV with a header, compressed by gzip.

    Parameters
    ----------
    name : {'football', 'iris', 'lalonde', 'llmfao', 'nsw'}
        Which one.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If there is no such data set.

    Examples
    --------
    >>> from steelyard.datasets import path
    >>> path("football").name
    'football.csv.gz'
    """
    return Path(__file__).with_name(f"{check_choice(name, 'name', NAMES)}.csv.gz")


def load_football() -> Dataset:
    """Men's full international football matches from 1872 to July 2026.

    Returns
    -------
    Dataset
        Columns ``date`` (datetime64[D]), ``home_team``, ``away_team`` (str), ``home_score``, ``away_score``
        (int64) and ``neutral`` (bool: played on neutral ground).

    Notes
    -----
    49,520 matches of 337 teams, 22.7 % ties. Collected by Mart Jürisoo and contributors, CC0 1.0 (public
    domain).

    Examples
    --------
    >>> from steelyard.datasets import load_football
    >>> football = load_football()
    >>> print(football.columns["home_team"][0], football.columns["away_team"][0], football.columns["date"][0])
    Scotland England 1872-11-30
    """
    text = _read("football")
    return Dataset(
        columns={
            "date": text["date"].astype("datetime64[D]"),
            "home_team": text["home_team"],
            "away_team": text["away_team"],
            "home_score": text["home_score"].astype(np.int64),
            "away_score": text["away_score"].astype(np.int64),
            "neutral": text["neutral"] == "TRUE",
        },
        description="Men's full international football matches, 1872-2026; one row a match.",
        source="Mart Jürisoo and contributors, https://github.com/martj42/international_results",
        licence="CC0 1.0",
        defaults={
            "left": "home_team",
            "right": "away_team",
            "left_score": "home_score",
            "right_score": "away_score",
            "neutral": "neutral",
            "time": "date",
        },
    )


def load_iris() -> Dataset:
    """Fisher's measurements of 150 iris flowers.

    Returns
    -------
    Dataset
        Columns ``sepal_length``, ``sepal_width``, ``petal_length``, ``petal_width`` (float64, in centimetres)
        and ``species`` (str: 'setosa', 'versicolor' or 'virginica', 50 of each). `Dataset.points` gives the
        four measurements as an array.

    Notes
    -----
    The numbers are those of Fisher's paper (some copies in circulation differ from it in rows 34 and 37).
    Rows 101 and 142 are equal. Edgar Anderson measured the flowers.

    References
    ----------
    .. [1] R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7
       (1936).

    Examples
    --------
    >>> from steelyard.datasets import load_iris
    >>> iris = load_iris()
    >>> iris.points().shape, str(iris.columns["species"][0])
    ((150, 4), 'setosa')
    """
    text = _read("iris")
    species = text.pop("species")
    return Dataset(
        columns={**{name: column.astype(np.float64) for name, column in text.items()}, "species": species},
        description="Measurements of iris flowers of three species, in centimetres; one row a flower.",
        source="R. A. Fisher, The use of multiple measurements in taxonomic problems, "
        "Annals of Eugenics 7 (1936), https://doi.org/10.1111/j.1469-1809.1936.tb02137.x",
        licence="public domain",
        defaults={},
    )


def load_llmfao() -> Dataset:
    """Crowd judgements between the answers of 59 language models.

    Returns
    -------
    Dataset
        Columns ``left``, ``right`` (str: the models), ``winner`` ('left', 'right' or 'tie'), ``worker`` and
        ``prompt`` (int64).

    Notes
    -----
    8,931 judgements by 124 workers on 13 prompts, 39 % ties. By Dmitry Ustalov, CC BY 4.0: name the author
    and the source (https://github.com/dustalov/llmfao) where you pass the data on.

    Examples
    --------
    >>> from steelyard.datasets import load_llmfao
    >>> load_llmfao().comparisons()
    Comparisons(59 items, 8,931 comparisons in 7,486 rows, 38.9 % ties, 124 clusters)
    """
    text = _read("llmfao")
    return Dataset(
        columns={
            "left": text["left"],
            "right": text["right"],
            "winner": text["winner"],
            "worker": text["worker"].astype(np.int64),
            "prompt": text["prompt"].astype(np.int64),
        },
        description="Crowd judgements between the answers of 59 language models, 2023; one row a judgement.",
        source="Dmitry Ustalov, https://github.com/dustalov/llmfao (cut to five columns)",
        licence="CC BY 4.0",
        defaults={"left": "left", "right": "right", "outcome": "winner", "cluster": "worker"},
    )


def load_nsw() -> Dataset:
    """The National Supported Work experiment: 185 men drawn into job training and 260 who were not.

    Returns
    -------
    Dataset
        Columns ``treat`` (1: trained), ``age``, ``educ`` (years of school), ``black``, ``hisp``, ``marr``,
        ``nodegree`` (all int64), and ``re74``, ``re75``, ``re78`` (float64): earnings in dollars, two years
        before and one after. The effect on ``re78`` is 1,794 dollars, with a standard error of some 670.

    See Also
    --------
    load_lalonde : The same trained men beside people of a survey.

    References
    ----------
    .. [1] R. J. LaLonde, "Evaluating the econometric evaluations of training programs with experimental
       data", American Economic Review 76 (1986).
    .. [2] R. H. Dehejia, S. Wahba, "Causal effects in nonexperimental studies", Journal of the American
       Statistical Association 94 (1999).

    Examples
    --------
    >>> from steelyard.datasets import load_nsw
    >>> nsw = load_nsw().columns
    >>> trained = nsw["treat"] == 1
    >>> print(round(nsw["re78"][trained].mean() - nsw["re78"][~trained].mean()))
    1794
    """
    return _earnings("nsw", "Earnings of 445 men in the National Supported Work experiment; one row a man.")


def load_lalonde() -> Dataset:
    """LaLonde's problem: the 185 trained men of the experiment beside 15,992 people of a survey.

    Returns
    -------
    Dataset
        Columns as `load_nsw`; ``treat`` is 1 for the trained and 0 for the Current Population Survey (CPS-1).
        The experiment says 1,794 dollars; a plain difference of means here says -8,498.

    See Also
    --------
    load_nsw : The experiment itself.

    References
    ----------
    .. [1] R. J. LaLonde, "Evaluating the econometric evaluations of training programs with experimental
       data", American Economic Review 76 (1986).
    .. [2] R. H. Dehejia, S. Wahba, "Causal effects in nonexperimental studies", Journal of the American
       Statistical Association 94 (1999).

    Examples
    --------
    >>> from steelyard.datasets import load_lalonde
    >>> len(load_lalonde())
    16177
    """
    return _earnings(
        "lalonde",
        "Earnings of 185 trained men of the National Supported Work experiment and of 15,992 people of the "
        "Current Population Survey; one row a person.",
    )


def _earnings(name: str, description: str) -> Dataset:
    text = _read(name)
    return Dataset(
        columns={
            column: values.astype(np.float64 if column.startswith("re") else np.int64)
            for column, values in text.items()
        },
        description=description,
        source="R. J. LaLonde (1986), R. H. Dehejia and S. Wahba (1999), "
        "https://users.nber.org/~rdehejia/nswdata.html, as in the package causaldata",
        licence="public domain",
        defaults={},
    )


def _read(name: str) -> dict[str, npt.NDArray[np.str_]]:
    """Columns of text."""
    with gzip.open(path(name), "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, (np.array(column) for column in zip(*rows, strict=True)), strict=True))
