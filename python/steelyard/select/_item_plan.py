"""The score of a whole benchmark from few answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import warn
from .._results import Result
from .._sampling import systematic
from .._spelling import shown
from .._validate import check_choice, check_count, check_level, check_rng, check_vector, real_array
from ._control_variate import Drawn, controlled, freedom_of
from ._difference import _labels_of
from ._item_sources import Sources, read_sources
from ._sample import Floats, Indices, inclusion_probabilities, student_quantile

DESIGNS = ("systematic", "stratified", "random")
_EVEN = 0.5  # share of the chances that does not follow the items' spread
_STRATUM = 4  # draws
_FAR = 1e100


@dataclass(frozen=True, eq=False, repr=False)
class ItemEstimate(Result):
    """Scores over all items, one a new model.

    Attributes
    ----------
    mean, standard_error, lower, upper : ndarray, shape (n_models,)
    relative_efficiency : ndarray, shape (n_models,)
        Variance of the mean without source models, from a random sample of as many items, over the variance
        here: times the answers that it would take. An estimate, as the errors are.
    ridge : ndarray, shape (n_models,)
        Of the regression on source models, infinite where they did not help.
    level, degrees_of_freedom : float
    """

    mean: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    relative_efficiency: Floats
    ridge: Floats
    level: float
    degrees_of_freedom: float

    def __len__(self) -> int:
        return len(self.mean)

    def __repr__(self) -> str:
        first = (
            f"{self.mean[0]:.6g} +- {self.standard_error[0]:.3g}, {100 * self.level:g} % interval "
            f"{self.lower[0]:.6g} to {self.upper[0]:.6g}, worth {self.relative_efficiency[0]:.2f} x the "
            "answers"
        )
        return f"ItemEstimate: {first}" + (f"; and {len(self) - 1:,} more models" if len(self) > 1 else "")

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper ends at another level, by Student's t."""
        wide = check_level(level)
        half = _half(self.standard_error, self.degrees_of_freedom, wide)
        return self.mean - half, self.mean + half

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``model``, ``mean``, ``standard_error``, ``lower``, ``upper``, ``relative_efficiency``."""
        names = ("mean", "standard_error", "lower", "upper", "relative_efficiency")
        return {"model": np.arange(len(self)), **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True, eq=False, repr=False)
class ItemPlan(Result):
    """Items to ask a new model, and how to read its answers.

    Attributes
    ----------
    items : ndarray of int, shape (m,)
        Columns of the scores, in increasing order.
    inclusion_probabilities : ndarray, shape (m,)
        With which each item was drawn.
    design : str
    n_models, n_items : int
        Of the scores.
    """

    items: Indices
    inclusion_probabilities: Floats
    design: str
    n_models: int
    n_items: int
    _drawn: Drawn = field(repr=False)
    _plain: Floats = field(repr=False)  # variance weights of a random sample, see estimate

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return (
            f"ItemPlan: {len(self):,} of {self.n_items:,} items, {self.design}, from {self.n_models:,} "
            "source models"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``item`` and ``inclusion_probability``."""
        return {"item": self.items, "inclusion_probability": self.inclusion_probabilities}

    def estimate(self, answers: Any, *, level: float = 0.95) -> ItemEstimate:
        """Scores over all items from answers to `items`.

        Parameters
        ----------
        answers : array_like, shape (m,) or (n_models, m)
            Scores of new models at `items`, in their order.
        level : float, default 0.95

        Returns
        -------
        ItemEstimate

        Raises
        ------
        ValueError
            If answers are missing, infinite, or not one an item.

        Examples
        --------
        >>> import numpy as np
        >>> scores = np.random.default_rng(0).random((20, 500)) < np.linspace(0.2, 0.9, 500)
        >>> plan = plan_items(scores[1:], 100, rng=0)
        >>> found = plan.estimate(scores[0, plan.items])
        >>> print(abs(found.mean[0] - scores[0].mean()) < 2 * found.standard_error[0])
        True
        """
        wide = check_level(level)
        y = real_array(answers, "answers")
        if y.ndim not in (1, 2) or y.shape[-1] != len(self) or y.size == 0:
            raise ValueError(
                f"answers must have shape ({len(self)},) or (n_models, {len(self)}), got {y.shape}"
            )
        y = np.atleast_2d(y).astype(np.float64)
        bad = np.flatnonzero(~(np.abs(y) <= _FAR).all(axis=0))
        if len(bad):
            raise ValueError(
                f"answers has entries that are NaN, infinite or beyond +-1e100 (first: item "
                f"{self.items[bad[0]]})"
            )
        if (np.ptp(y, axis=1) == 0).any() and self.n_items > len(self):
            warn(
                f"answers of model {int((np.ptp(y, axis=1) == 0).argmax())} are all equal: the error of its "
                "score is not known from them",
                UserWarning,
            )
        mean, variance, _, ridge = controlled(self._drawn, y)
        error = np.sqrt(variance)
        with np.errstate(divide="ignore", invalid="ignore"):
            worth = np.where(variance > 0, self._random_variance(y) / variance, 1.0)
        freedom = freedom_of(self._drawn)
        half = _half(error, freedom, wide)
        return ItemEstimate(mean, error, mean - half, mean + half, worth, ridge, wide, freedom)

    def _random_variance(self, y: Floats) -> Floats:
        """Of the mean of as many items drawn with chances by their weights alone, estimated from these."""
        drawn = self._drawn
        total = np.zeros((len(drawn.chance), len(y)))
        np.add.at(total, drawn.unit, (y * drawn.shares).T)
        size = np.bincount(drawn.unit, drawn.shares)
        centre = (total.T @ (1 / drawn.chance)) / (size @ (1 / drawn.chance))
        away = total.T - np.outer(centre, size)  # of the units, about the mean score
        count = len(drawn.chance)
        return np.asarray(away**2 @ self._plain * count / max(count - 1.0, 1.0))


def plan_items(
    scores: Any,
    m: int,
    *,
    design: str = "systematic",
    weights: Any = None,
    clusters: Any = None,
    items: Any = None,
    rng: Any = None,
) -> ItemPlan:
    """Choose the items of a benchmark to ask new models, so that few answers tell the whole score.

    Parameters
    ----------
    scores : array_like, shape (n_models, n_items)
        Of source models: right or wrong, or any numbers; NaN where there is none. Kept as it is and not
        copied.
    m : int
        Items to ask. With clusters about so many, and no more in expectation.
    design : {'systematic', 'stratified', 'random'}, default 'systematic'
        'systematic': at even steps along the items in order of their difficulty and, in bands of it, of what
        else tells the sources apart; items on which sources differ are up to three times as likely as items
        on which they agree. 'stratified': with the same chances, about four at random from each stretch of
        that order, which gives smaller samples honest errors. 'random': evenly.
    weights : array_like, shape (n_items,), optional
        Of the items in the score, >= 0. To count subtasks alike give each item 1 / (items of its subtask).
    clusters : array_like, shape (n_items,), optional
        Labels of items that are drawn together, such as questions on one text; errors count clusters.
    items : array_like of int, shape (m,), optional
        Distinct items drawn elsewhere, evenly and without regard to difficulty; `design` then is 'random'.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional

    Returns
    -------
    ItemPlan
        Its `items` are to be asked; ``estimate(answers)`` gives the score.

    Raises
    ------
    ValueError
        If there are fewer than two source models, no item has weight, or m is not between 2 and the number of
        items.

    Warns
    -----
    UserWarning
        If all scores are equal, which tells nothing of the items.

    Notes
    -----
    A new model's answers are regressed on those of the sources (ridge, with an intercept). The score is the
    mean of predictions for items not asked and of answers to those asked, plus the mean of leave-one-out
    residuals as what remains, each weighed by how unlikely its item was: so the sources lower the error and
    no more, and a new model that is better than all of them, or unlike them, is estimated without their bias
    up to terms of order 1 / m^1.5 [1]_. The ridge is that of the least variance, by leave-one-out in closed
    form; sources that help by less than 3 % are not used. The standard error is that of the residuals under
    the design (Deville's formula; for systematic samples that of as many draws at random order, which is too
    large rather than too small where order matters). benchmarks/README.md has what it is worth on tables of
    real models.

    References
    ----------
    .. [1] C.-E. Sarndal, B. Swensson, J. Wretman, "Model Assisted Survey Sampling", Springer (1992).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> easy, skill = rng.normal(size=2000), rng.normal(size=(40, 1))
    >>> right = rng.random((40, 2000)) < 1 / (1 + np.exp(-skill - 2 * easy))
    >>> plan = plan_items(right[1:], 100, rng=0)
    >>> print(plan)
    ItemPlan: 100 of 2,000 items, systematic, from 39 source models
    >>> found = plan.estimate(right[0, plan.items])
    >>> print(abs(found.mean[0] - right[0].mean()) < 2 * found.standard_error[0])
    True
    """
    check_choice(design, "design", DESIGNS)
    generator = check_rng(rng)
    weight = None if weights is None else _weights_of(weights)
    sources = read_sources(scores, weight)
    n = len(sources.shares)
    unit = np.arange(n) if clusters is None else _labels_of(clusters, "clusters")
    if len(unit) != n:
        raise ValueError(f"clusters must have length {n:,}, one label an item, got {len(unit):,}")
    wanted = check_count(m, "m", least=2)
    possible = int((sources.shares > 0).sum())
    if wanted > possible:
        raise ValueError(f"m must be at most the number of items that count, {possible:,}, got {wanted:,}")
    flat = bool(np.ptp(sources.difficulty) == 0 and sources.spread.max() == 0)
    if flat:
        warn("all scores are equal: they tell nothing of the items, which are drawn evenly", UserWarning)
    plain: Floats = np.bincount(unit, sources.shares).astype(np.float64)
    if items is not None:
        own = _given(items, wanted, n, clusters)
        even = np.full(n, wanted / n)
        return _planned(sources, "random", own, own, unit, even, np.zeros(n, dtype=np.intp), even)
    size: Floats = plain
    if design != "random" and not flat:
        keen = _EVEN + (1.0 - _EVEN) * sources.spread / (sources.shares @ sources.spread)
        size = np.bincount(unit, sources.shares * keen).astype(np.float64)
    sizes = np.bincount(unit)
    count = wanted if len(sizes) == n else _units(size, sizes, wanted)
    chance = inclusion_probabilities(size / size.sum(), count)
    order = generator.permutation(len(size))
    stratum = np.zeros(len(size), dtype=np.intp)
    if design != "random":
        order = _order(sources, unit, chance, count, generator)
    if design == "stratified":
        stratum, chance = _strata(size, chance, order, count)
    found = np.sort(_draw(chance, stratum, order, design, generator))
    own = np.flatnonzero(np.isin(unit, found))
    even = inclusion_probabilities(plain / plain.sum(), count)
    return _planned(sources, design, found, own, unit, chance, stratum, even)


def _planned(
    sources: Sources,
    design: str,
    units: npt.NDArray[np.intp],
    items: npt.NDArray[np.intp],
    unit: npt.NDArray[np.intp],
    chance: Floats,
    stratum: npt.NDArray[np.intp],
    even: Floats,
) -> ItemPlan:
    drawn = Drawn(
        sources.columns(items),
        sources.shares[items],
        np.searchsorted(units, unit[items]),
        chance[units],
        np.unique(stratum[units], return_inverse=True)[1].reshape(-1),
    )
    plain = (1.0 / even[units] - 1.0) / drawn.chance  # sum over all units of (1 / p - 1) away^2
    return ItemPlan(
        items.astype(np.int64),
        chance[unit[items]],
        design,
        len(sources.table),
        len(sources.shares),
        drawn,
        plain,
    )


def _units(size: Floats, sizes: npt.NDArray[np.intp], wanted: int) -> int:
    """The most clusters that hold so many items in expectation."""
    low, high = 0, int(np.count_nonzero(size))
    while low < high:
        middle = (low + high + 1) // 2
        expected = float(inclusion_probabilities(size / size.sum(), middle) @ sizes)
        low, high = (middle, high) if expected <= wanted * (1 + 1e-12) else (low, middle - 1)
    if low < 2:
        raise ValueError(f"m={wanted} is too few for two clusters; give more items or smaller clusters")
    return low


def _order(
    sources: Sources, unit: npt.NDArray[np.intp], chance: Floats, count: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Units along difficulty, and to and fro along the second direction within bands of it."""
    size = np.maximum(np.bincount(unit), 1)
    easy = np.bincount(unit, sources.difficulty) / size
    other = np.bincount(unit, sources.second_direction(rng)) / size
    ties = rng.permutation(len(size))
    along = np.lexsort((ties, easy))
    bands = max(1, round(float(np.sqrt(count))))
    mass = np.empty(len(size))
    mass[along] = np.cumsum(chance[along]) - 0.5 * chance[along]
    band = np.minimum((mass * bands / chance.sum()).astype(np.intp), bands - 1)
    return np.lexsort((ties, np.where(band % 2 == 0, other, -other), band))


def _strata(
    size: Floats, chance: Floats, order: npt.NDArray[np.intp], count: int
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Stretches of the order of about four draws, with chances that add up to whole numbers."""
    middle = np.cumsum(chance[order]) - 0.5 * chance[order]
    several = max(1, count // _STRATUM)
    while True:
        draws = np.diff(np.linspace(0, count, several + 1).round().astype(np.intp))
        stratum = np.zeros(len(size), dtype=np.intp)
        stratum[order] = np.searchsorted(np.cumsum(draws), middle, side="right").clip(0, several - 1)
        members = np.bincount(stratum[size > 0], minlength=several)
        if several == 1 or (members >= draws + 1).all():
            break
        several = max(1, several // 2)
    found = np.zeros(len(size))
    for k in range(several):
        own = stratum == k
        found[own] = inclusion_probabilities(size[own] / size[own].sum(), int(draws[k]))
    return stratum, found


def _draw(
    chance: Floats,
    stratum: npt.NDArray[np.intp],
    order: npt.NDArray[np.intp],
    design: str,
    rng: np.random.Generator,
) -> npt.NDArray[np.intp]:
    found = []
    for k in range(int(stratum.max()) + 1):
        own = order[stratum[order] == k]
        if design == "stratified":
            own = rng.permutation(own)
        count = round(float(chance[own].sum()))
        found.append(own[systematic(chance[own], count, rng)[0]])
    return np.concatenate(found)


def _given(items: Any, m: int, n: int, clusters: Any) -> npt.NDArray[np.intp]:
    if clusters is not None:
        raise ValueError("clusters can't be given with items, which were drawn one by one")
    array = real_array(items, "items")
    if array.shape != (m,) or array.dtype.kind not in "iu":
        raise ValueError(f"items must be {m} whole numbers, as m says, got {shown(items)}")
    found = np.sort(array.astype(np.intp))
    if found[0] < 0 or found[-1] >= n or (np.diff(found) == 0).any():
        raise ValueError(f"items must be distinct and lie in 0 .. {n - 1}, got {shown(items)}")
    return found


def _weights_of(weights: Any) -> Floats:
    found = check_vector(weights, "weights")
    if (found < 0).any():
        raise ValueError(f"weights must be >= 0, got {found.min()}")
    top = float(found.max(initial=0.0))
    if top <= 0:
        raise ValueError("weights are all 0: no item counts")
    return np.asarray(found / top)


def _half(error: Floats, freedom: float, level: float) -> Floats:
    if freedom <= 0:
        return np.where(error > 0, np.inf, 0.0)
    return np.asarray(student_quantile(0.5 + 0.5 * level, freedom) * error)
