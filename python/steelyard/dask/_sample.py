"""Sensitivity sampling over blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._points import METRICS
from .._sampling import CERTAIN, by_inversion, losses_of, slopes_of, stretch_of, systematic
from .._validate import check_choice, check_count, check_flag, check_number, check_positive
from ..select import Sample
from ..select import kmeans as kmeans_of_points
from ._blocks import Blocks, States, entropy_of
from ._coreset import merged

Floats = npt.NDArray[np.float64]


def sensitivity_sample(
    X: Any,
    size: int,
    *,
    clusters: int,
    losses: Callable[[Any], Any] | None = None,
    holder: str | float = "pooled",
    n_probes: int | None = None,
    power: float = 2.0,
    mix: float = 0.1,
    replace: bool = True,
    metric: str = "euclidean",
    rng: Any = None,
) -> Sample:
    """Sensitivity sampling over blocks: see `steelyard.select.sensitivity_sample`.

    Parameters
    ----------
    X : dask.array, shape (n, d)
    size : int
    clusters : int
        Found by k-means of a coreset.
    losses : callable or None
        Called once as losses(row numbers) for the centre points and the probes.
    holder, n_probes, power, mix, metric, rng
        As there; `holder` is 'pooled', 'quantile' or one number.
    replace : bool, default True
        The draws of a block are as many as a multinomial law over the blocks gives it. False: `size` distinct
        rows, row i with probability min(1, c p_i) as there, by systematic sampling from a random order of the
        blocks and of the rows in each: so a block has as many of the draws as it should but for one, and
        standard errors, made for one random order of all, are too large where blocks differ.

    Returns
    -------
    Sample
        Of row numbers of X.

    Notes
    -----
    Four passes over the blocks: coresets, centre points, distances to them, draws. Labels and distances stay
    with their blocks, 16 bytes a row, and as much again without replacement, where a few more passes over
    these find c. Only sums and the rows drawn travel.
    """
    again = check_flag(replace, "replace")
    count, k = check_count(size, "size"), check_count(clusters, "clusters")
    exponent, kind = check_positive(power, "power"), check_choice(metric, "metric", METRICS)
    share = check_number(mix, "mix")
    if not 0 <= share <= 1:
        raise ValueError(f"mix must lie between 0 and 1, got {share}")
    if losses is not None and not callable(losses):
        raise TypeError("losses must be callable or None")
    blocks, entropy = Blocks(X), entropy_of(rng)
    if not again and count > blocks.first[-1]:
        raise ValueError(f"size must be at most {blocks.first[-1]} without replacement, got {count}")
    small = merged(blocks, max(40 * k, 1000), k, exponent, kind, entropy)
    centers = kmeans_of_points(
        small.points,
        k,
        sample_weight=small.weights,
        metric=kind,
        tol=1e-2,
        rng=np.random.default_rng([*entropy, 1]),
    ).centers
    state = States(blocks, centers, exponent, kind)
    generator = np.random.default_rng([*entropy, 2])
    if losses is None:
        queries, predicted, slopes = np.zeros(0, dtype=np.int64), None, np.zeros(len(state.speakers))
    else:
        queries, predicted, slopes = _asked(state, losses, holder, n_probes, generator)
    law = _law(state, predicted, slopes, share)
    draw = _drawn_with if again else _drawn_without
    return _sample(state, queries, predicted, count, again, draw(state, law, count, entropy, generator))


def _asked(
    state: States, losses: Callable[[Any], Any], holder: Any, n_probes: int | None, rng: np.random.Generator
) -> tuple[Any, Floats, Floats]:
    """Row numbers asked for, the centre points' losses, and the slopes."""
    n, k = int(state.blocks.first[-1]), state.k
    probes = np.zeros(0, dtype=np.int64)
    if isinstance(holder, str):
        count = k // 20 + 10 if n_probes is None else check_count(n_probes, "n_probes", least=0)
        drawn = rng.choice(n, min(count + k, n), replace=False)
        probes = np.sort(drawn[~np.isin(drawn, state.speakers)][:count])
    queries = np.union1d(state.speakers, probes)
    values = losses_of(losses(queries.copy()), "losses", len(queries))
    predicted = values[np.searchsorted(queries, state.speakers)]
    labels, distances = state.look_up(probes)
    gaps = np.abs(values[np.searchsorted(queries, probes)] - predicted[labels])
    mean = float(state.spreads.sum() / n)
    wanted = holder if isinstance(holder, str) else holder * state.unit
    return queries, predicted, slopes_of(wanted, gaps, distances, mean, k)


def _law(state: States, predicted: Floats | None, slopes: Floats, mix: float) -> _Law:
    sizes, spreads = state.sizes.sum(axis=0), state.spreads.sum(axis=0)
    if predicted is None:
        with np.errstate(divide="ignore"):
            even, steep = 1.0 / sizes, np.where(spreads > 0, 1.0 / spreads, 0.0)
    else:
        even, steep = predicted, np.broadcast_to(slopes, state.k)
    total = float(even @ sizes + steep @ spreads)
    scale = (1.0 - mix) / total if total > 0 else 0.0
    return _Law(even * scale, steep * scale, (mix if total > 0 else 1.0) / int(state.blocks.first[-1]))


def _drawn_with(
    state: States, law: _Law, size: int, entropy: list[int], rng: np.random.Generator
) -> list[_Draws]:
    masses = state.sizes @ law.even + state.spreads @ law.steep + law.floor * np.array(state.blocks.lengths)
    counts = rng.multinomial(size, masses / masses.sum())
    return state.on_blocks(_draws, law, each=[(int(c), [*entropy, 90, b]) for b, c in enumerate(counts)])


def _drawn_without(
    state: States, law: _Law, size: int, entropy: list[int], rng: np.random.Generator
) -> list[_Draws]:
    certain, factor = -1, float(size)
    while True:  # as in select._sample.inclusion_probabilities: more become certain as c grows
        found = state.on_blocks(_open_mass, law, factor)
        now, possible, rest = (sum(values) for values in zip(*found, strict=True))
        if possible < size:
            raise ValueError(
                f"size must be at most {possible} without replacement, got {size}: no other item has a "
                "positive probability; mix > 0 gives all of them one"
            )
        if now == size:  # what rounding leaves to the others is not to be drawn
            break
        factor = (size - now) / rest
        if now == certain:
            break
        certain = now
    return _in_blocks(state, law, factor, size - now, entropy, rng)


def _in_blocks(
    state: States, law: _Law, factor: float, count: int, entropy: list[int], rng: np.random.Generator
) -> list[_Draws]:
    seeds = [([*entropy, 91, b],) for b in range(len(state.parts))]
    ordered = state.on_blocks(_in_random_order, law, factor, each=seeds, keep=True)
    lengths = np.array(state.on_blocks(_length, each=[(o,) for o in ordered]))
    turn = rng.permutation(len(lengths))
    place, marks = systematic(lengths[turn], count, rng)
    own: list[Floats] = [np.zeros(0)] * len(lengths)
    for number, block in enumerate(turn):
        own[block] = marks[place == number]
    return state.on_blocks(_marked, law, factor, each=list(zip(ordered, own, strict=True)))


def _sample(
    state: States, queries: Any, predicted: Floats | None, size: int, replace: bool, found: list[_Draws]
) -> Sample:
    rows = np.concatenate([state.blocks.first[b] + f[0] for b, f in enumerate(found)])
    chances = np.concatenate([f[1] for f in found])
    labels = np.concatenate([f[2] for f in found])
    order = np.argsort(rows, kind="stable")
    rows, chances, labels = rows[order], chances[order], labels[order]
    inclusion = -np.expm1(size * np.log1p(-np.minimum(chances, 1 - 1e-16))) if replace else chances
    return Sample(
        indices=rows,
        weights=1.0 / (size * chances) if replace else 1.0 / chances,
        probabilities=chances,
        inclusion_probabilities=inclusion,
        replace=replace,
        population=int(state.blocks.first[-1]),
        queries=queries,
        controls=None if predicted is None else predicted[labels],
        control_total=0.0 if predicted is None else float(predicted @ state.sizes.sum(axis=0)),
    )


# ---- what runs on the blocks


@dataclass(frozen=True)
class _Law:
    """Probability of one draw: even[cluster] + steep[cluster] * distance + floor."""

    even: Floats
    steep: Floats
    floor: float

    def chances(self, part: Any, distances: Floats) -> Floats:
        return np.asarray(self.even[part[0]] + self.steep[part[0]] * distances + self.floor)

    def inclusion(self, part: Any, distances: Floats, factor: float) -> Floats:
        """min(1, c p), the certain ones exactly 1."""
        scaled = factor * self.chances(part, distances)
        return np.where(scaled >= CERTAIN, 1.0, scaled)


_Draws = tuple[Any, Floats, Any]  # rows, probabilities, clusters


def _draws(part: Any, distances: Floats, law: _Law, count: int, entropy: list[int]) -> _Draws:
    chances = law.chances(part, distances) if count else np.zeros(0)
    rows = np.zeros(0, dtype=np.int64)
    if count:
        rows = by_inversion(chances, np.random.default_rng(entropy).random(count))
    return rows, chances[rows], part[0][rows]


def _open_mass(part: Any, distances: Floats, law: _Law, factor: float) -> tuple[int, int, float]:
    """Rows that are certain with c = factor, rows that can be drawn at all, sum of p of the rest."""
    chances = law.chances(part, distances)
    certain = factor * chances >= CERTAIN
    return int(certain.sum()), int(np.count_nonzero(chances)), float(chances[~certain].sum())


def _in_random_order(
    part: Any, distances: Floats, law: _Law, factor: float, entropy: list[int]
) -> tuple[Any, Floats]:
    """Rows that are neither certain nor left out, and running sums of their inclusion probabilities."""
    inclusion = law.inclusion(part, distances, factor)
    order = np.random.default_rng(entropy).permutation(np.flatnonzero((inclusion > 0) & (inclusion < 1)))
    return order, np.cumsum(inclusion[order])


def _length(part: Any, distances: Floats, ordered: tuple[Any, Floats]) -> float:
    return float(ordered[1][-1]) if len(ordered[1]) else 0.0


def _marked(
    part: Any, distances: Floats, law: _Law, factor: float, ordered: tuple[Any, Floats], marks: Floats
) -> _Draws:
    """The certain rows, and those that the marks fall on."""
    inclusion = law.inclusion(part, distances, factor)
    order, ends = ordered
    hit = order[stretch_of(ends, marks, len(order) - 1)] if len(marks) else []
    rows = np.concatenate([np.flatnonzero(inclusion == 1), np.asarray(hit, dtype=np.int64)])
    return rows, inclusion[rows], part[0][rows]
