"""Seeds that spread over the data: k-means++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import interrupted, warn
from .._points import (
    METRICS,
    Points,
    computed,
    read_in_range,
    read_weights,
    shifted,
    stored,
    unit_power,
)
from .._results import Result
from .._validate import check_choice, check_count, check_positive, check_progress, check_threads, seed_words


@dataclass(frozen=True, repr=False, eq=False)
class Seeding(Result):
    """Points of the data that stand for the rest.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        Rows of the data, in the order in which they were drawn.
    centers : ndarray, shape (k, d)
        These rows (float16 as float32); for metric='cosine' scaled to length 1.
    labels : ndarray of int, shape (n,)
        Which of them is nearest to each point.
    cost : float
        Sum of weight * distance^power to the nearest.
    power : float
    metric : str
    """

    indices: npt.NDArray[np.int64]
    centers: Points
    labels: npt.NDArray[np.int64]
    cost: float
    power: float
    metric: str

    def __repr__(self) -> str:
        return (
            f"Seeding: {len(self.indices):,} of {len(self.labels):,} points, cost {self.cost:.6g} "
            f"({self.metric} distance to the power {self.power:g})"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``points``, how many are nearest to it, in the order of the draws."""
        return {"row": self.indices, "points": cluster_sizes(self.labels, len(self.indices))["points"]}


def cluster_sizes(labels: npt.NDArray[np.int64], k: int) -> dict[str, npt.NDArray[Any]]:
    """Columns ``cluster`` and ``points`` of k clusters."""
    return {"cluster": np.arange(k), "points": np.bincount(labels, minlength=k)}


def kmeans_plusplus(
    X: Any,
    k: int,
    *,
    sample_weight: Any = None,
    power: float = 2.0,
    metric: str = "euclidean",
    n_local_trials: int | None = 1,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> Seeding:
    """Draw k points, each with probability proportional to weight * distance^power to those drawn so far.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Finite. float32 stays float32; float16 is read as float32 in blocks, without a copy of all; all else
        becomes float64. Never altered; a memory-mapped file is read where it lies. Where squares would
        overflow or vanish (largest entry above 1e150 or below 1e-100; 1e17 and 1e-8 in float32) it works on a
        copy times a power of two, and only the cost may be 0 or infinite.
    k : int
        Points to draw, 1 to n.
    sample_weight : array_like, shape (n,), optional
        >= 0; default all 1. Points of weight 0 are never drawn.
    power : float, default 2
        Of the distance: 2 for k-means, 1 for k-medians.
    metric : {'euclidean', 'cosine'}, default 'euclidean'
        'cosine': Euclidean distance of the rows scaled to length 1, whose square is twice the cosine
        distance. Makes a scaled copy of X.
    n_local_trials : int or None, default 1
        Candidates drawn at each step (but the first), of which the one that lowers the cost most is kept:
        greedy k-means++, by an exact comparison. None: 2 + ln k, scikit-learn's default.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
    n_threads : int, optional
        Default: see `steelyard.build_info`. The draws do not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(drawn, k).

    Returns
    -------
    Seeding
        With fewer than k points where the data has fewer that differ (and have weight).

    Raises
    ------
    ValueError
        If X is not finite, k is not in 1 .. n, weights are negative or all zero, or a row has no direction.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the points drawn so far.

    Warns
    -----
    UserWarning
        If there are fewer than k points that differ.

    Notes
    -----
    The law of k-means++ [1]_ exactly, with distances of all points brought up to date once in 128 draws: a
    draw from the older distances is accepted with the probability that corrects it. O(n d k) time in one pass
    over the data for 128 draws; 40 to 48 bytes a point beside X.

    Greedy [1]_ [2]_: candidates of many steps are drawn at once and compared with all points in one pass, and
    each keeps the points that it is nearer to than the seeds are: one in t after t seeds, as a rule. O(n d k)
    time for each local trial; up to some 200 bytes a point beside X. Costs are lower in practice, most where
    clusters are apart; what is proven of them is worse [2]_.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA (2007).
    .. [2] A. Bhattacharya, J. Eube, H. Roeglin, M. Schmidt, "Noisy, Greedy and Not So Greedy k-Means++", ESA
       (2020).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [0.1, 0.0], [9.0, 9.0], [9.0, 9.1]])
    >>> seeds = kmeans_plusplus(X, 2, rng=0)
    >>> print(np.sort(seeds.indices // 2))  # one of each group
    [0 1]
    """
    found = seeds(
        X,
        k,
        sample_weight=sample_weight,
        power=power,
        metric=metric,
        n_local_trials=n_local_trials,
        rng=rng,
        n_threads=n_threads,
        progress=progress,
    )
    if len(found.indices) < k:
        warn(
            f"k={k}, but only {len(found.indices)} points differ and have weight: no more were drawn",
            UserWarning,
        )
    return found


def seeds(
    X: Any,
    k: int,
    *,
    sample_weight: Any,
    power: float,
    metric: str,
    n_local_trials: int | None,
    rng: Any,
    n_threads: int | None,
    progress: Any,
) -> Seeding:
    """`kmeans_plusplus` that says nothing where fewer than k points differ."""
    metric = check_choice(metric, "metric", METRICS)
    power = check_positive(power, "power")
    count = check_count(k, "k")
    trials = check_trials(n_local_trials, count)
    points, shift = read_in_range(X, "X", metric)
    if count > len(points):
        raise ValueError(f"k must be at most the number of points, {len(points)}, got {count}")
    weights = read_weights(sample_weight, len(points))
    indices, labels, cost, _, stopped = _core.select._seed_centers(
        stored(points),
        weights,
        count,
        power,
        seed_words(rng),
        n_threads=check_threads(n_threads),
        progress=check_progress(progress),
        candidates=trials,
    )
    centers = shifted(computed(points[indices]), shift)
    found = Seeding(indices, centers, labels, scaled_cost(cost, shift, power), power, metric)
    if stopped:
        raise interrupted(found)
    return found


def scaled_cost(cost: float, shift: int, power: float) -> float:
    """A cost of points that were divided by 2^shift, as it is of the points themselves."""
    return cost if shift == 0 else cost * unit_power(shift, power)


def check_trials(n_local_trials: Any, k: int) -> int:
    """A number of candidates; 2 + ln k for None."""
    return 2 + int(np.log(k)) if n_local_trials is None else check_count(n_local_trials, "n_local_trials")
