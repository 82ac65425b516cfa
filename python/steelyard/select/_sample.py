"""Weighted samples and what they say of totals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._results import Result
from .._sampling import CERTAIN, by_inversion, systematic
from .._validate import check_flag, check_level, check_vector

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_FEWEST = 1.05  # items left to chance below which nothing is known of their scatter


@dataclass(frozen=True, repr=False)
class Estimate(Result):
    """An estimate of a total over the population, and of its mean.

    Attributes
    ----------
    total, standard_error : float
        The error is infinite where one item alone was left to chance, which says nothing of its scatter.
    lower, upper : float
        Of the interval for the total, by Student's t.
    mean, mean_standard_error : float
        The same divided by the size of the population.
    level : float
    """

    total: float
    standard_error: float
    lower: float
    upper: float
    mean: float
    mean_standard_error: float
    level: float

    def __repr__(self) -> str:
        return (
            f"Estimate: total {self.total:.6g} +- {self.standard_error:.3g}, {100 * self.level:g} % interval "
            f"{self.lower:.6g} to {self.upper:.6g}; mean {self.mean:.6g} +- {self.mean_standard_error:.3g}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Sample(Result):
    """Items drawn with known probabilities.

    Attributes
    ----------
    indices : ndarray of int, shape (size,)
        Rows; with replacement they may repeat.
    weights : ndarray, shape (size,)
        1 / (size * probability), or 1 / inclusion probability without replacement: weighted sums over the
        sample are unbiased for sums over the population.
    probabilities : ndarray, shape (size,)
        Of one draw; without replacement the inclusion probabilities.
    inclusion_probabilities : ndarray, shape (size,)
        That the item is in the sample at all.
    replace : bool
    population : int
        Items that could be drawn.
    queries : ndarray of int
        Rows whose losses were asked for beforehand (centre points and probes).
    controls : ndarray, shape (size,), or None
        Predicted losses of the items; None where losses were not used.
    control_total : float
        Sum of the predictions over the population.
    """

    indices: Indices
    weights: Floats
    probabilities: Floats
    inclusion_probabilities: Floats
    replace: bool
    population: int
    queries: Indices
    controls: Floats | None = field(default=None)
    control_total: float = 0.0

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        how = "with" if self.replace else "without"
        return (
            f"Sample: {len(self):,} of {self.population:,} items {how} replacement, effective sample size "
            f"{self.effective_sample_size:,.1f}, {self.labels_used:,} labels"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row``, ``weight``, ``inclusion_probability`` (and ``control``), one row a draw."""
        table: dict[str, npt.NDArray[Any]] = {
            "row": self.indices,
            "weight": self.weights,
            "inclusion_probability": self.inclusion_probabilities,
        }
        return table if self.controls is None else {**table, "control": self.controls}

    @property
    def effective_sample_size(self) -> float:
        """(sum of weights)^2 / sum of squared weights."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    @property
    def labels_used(self) -> int:
        """Distinct items whose loss is known in the end: queries and draws."""
        return len(np.union1d(self.queries, self.indices))

    def unique(self) -> tuple[Indices, Floats]:
        """The items drawn, each once, with their weights added up.

        Returns
        -------
        indices : ndarray of int
        weights : ndarray
        """
        items, place = np.unique(self.indices, return_inverse=True)
        return items, np.bincount(place, weights=self.weights).astype(np.float64)

    def estimate(self, values: Any, *, control: bool = False, level: float = 0.95) -> Estimate:
        """The total of a quantity over the population.

        Parameters
        ----------
        values : array_like, shape (size,)
            The quantity at `indices`, in their order.
        control : bool, default False
            Take the predicted losses as a control variate: their exact total plus the weighted residuals. For
            quantities that are close to the predictions, such as the losses themselves. Still unbiased.
        level : float, default 0.95

        Returns
        -------
        Estimate

        Raises
        ------
        ValueError
            If the sample has no predictions, or fewer than two items.

        Notes
        -----
        With replacement the variance is that of independent draws, unbiased. Without, it is Deville's
        approximation for designs of fixed size and high entropy [1]_. An item counts by how much it was left
        to chance, 1 - inclusion probability: m of these that are alike, and any number of certain ones beside
        them, give the variance a factor m / (m - 1) and Student's t m - 1 degrees of freedom; unequal ones
        count as fewer. With one the error is infinite, with none it is 0.

        References
        ----------
        .. [1] J.-C. Deville, "Variance estimation for complex statistics and estimators", Survey Methodology
           25 (1999).
        """
        y = check_vector(values, "values", length=len(self))
        if np.abs(y).max(initial=0.0) > 1e150:
            raise ValueError(f"values must lie within +-1e150, got {np.abs(y).max():.3g}: scale them")
        wide = check_level(level)
        if len(y) < 2:
            raise ValueError("an estimate needs a sample of at least two items")
        base = 0.0
        if check_flag(control, "control"):
            if self.controls is None:
                raise ValueError("control=True needs a sample that was drawn with losses")
            y, base = y - self.controls, self.control_total
        total = base + float(self.weights @ y)
        variance, freedom = self._variance(y)
        error = float(np.sqrt(variance))
        half = student_quantile(0.5 + 0.5 * wide, freedom) * error if 0.0 < error < np.inf else error
        n = self.population
        return Estimate(total, error, total - half, total + half, total / n, error / n, wide)

    def _variance(self, y: Floats) -> tuple[float, float]:
        """Of the estimated total, and the degrees of freedom behind it."""
        each = y / self.probabilities
        if self.replace:
            size = len(y)
            return float(((each - each.mean()) ** 2).sum() / (size * (size - 1))), size - 1.0
        chance = 1.0 - self.probabilities
        if not chance.any():
            return 0.0, 0.0
        shares = chance / chance.sum()
        count = 1.0 / float(shares @ shares)  # of items as open as the most open ones
        if count < _FEWEST:
            return np.inf, 0.0
        scatter = float(chance @ (each - shares @ each) ** 2)
        return scatter * count / (count - 1.0), count - 1.0


def student_quantile(probability: float, freedom: float) -> float:
    from scipy import special

    return float(special.stdtrit(freedom, probability))


def draw(
    chances: Floats, size: int, replace: bool, rng: np.random.Generator
) -> tuple[Indices, Floats, Floats]:
    """Rows, weights and draw (or inclusion) probabilities; `chances` sum to 1."""
    if replace:
        rows = np.sort(by_inversion(chances, rng.random(size)))
        return rows, 1.0 / (size * chances[rows]), chances[rows]
    possible = int(np.count_nonzero(chances))
    if possible < size:
        raise ValueError(
            f"size must be at most {possible} without replacement, got {size}: no other item has a positive "
            "probability; mix > 0 gives all of them one"
        )
    inclusion = inclusion_probabilities(chances, size)
    order = rng.permutation(np.flatnonzero(inclusion))
    rows = np.sort(order[systematic(inclusion[order], size, rng)[0]]).astype(np.int64)
    return rows, 1.0 / inclusion[rows], inclusion[rows]


def inclusion_probabilities(chances: Floats, size: int) -> Floats:
    """min(1, c p) with c such that they add up to `size`."""
    certain = np.zeros(len(chances), dtype=bool)
    while True:
        left = size - int(certain.sum())
        rest = chances[~certain].sum()
        scaled = np.where(certain, 1.0, chances * (left / rest if rest > 0 else 0.0))
        more = (scaled >= CERTAIN) & ~certain
        if not more.any():
            return scaled
        certain |= more
