"""Clusters, coresets, samples and counts over Dask collections (the extra `dask`).

Every block is worked on where it is, by one thread; only weighted points, sums and the rows that were drawn
travel. Random numbers belong to blocks, not to workers: the same seed gives the same answer for any number of
workers and any scheduler. Blocks may be empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._validate import check_choice, check_count, check_flag, check_number, check_positive
from .select import Coreset, KMeansInfo, Sample
from .select import kmeans as _kmeans
from .select._kmeans import assign_block
from .select._points import computed, read_points
from .select._seeding import METRICS
from .select._sensitivity import losses_of, own_squared_distances, slopes_of

if TYPE_CHECKING:
    from .rank import Comparisons

__all__ = ["DaskKMeans", "comparisons", "coreset", "kmeans", "sensitivity_sample"]

Floats = npt.NDArray[np.float64]
_CERTAIN = 1.0 - 1e-12  # c p from here on counts as 1, as for arrays in memory


@dataclass(frozen=True, eq=False)
class DaskKMeans:
    """Centres, and labels that are computed block by block.

    Attributes
    ----------
    centers : ndarray, shape (k, d)
    labels : dask.array of int64, shape (n,)
    cost : float
        Sum of distance^2 over all rows.
    info : KMeansInfo
        Of the clustering of the coreset.
    """

    centers: Any
    labels: Any
    cost: float
    info: KMeansInfo


def coreset(
    X: Any,
    size: int,
    *,
    clusters: int,
    power: float = 2.0,
    metric: str = "euclidean",
    rng: Any = None,
) -> Coreset:
    """A coreset of all rows: one of each block, merged in pairs.

    Parameters
    ----------
    X : dask.array, shape (n, d)
        In blocks of whole rows (columns are joined).
    size : int
        Points, of the result and of each block's.
    clusters : int
        For the sensitivities.
    power : float, default 2
    metric : {'euclidean', 'cosine'}
    rng : None, int, SeedSequence, BitGenerator or Generator, optional

    Returns
    -------
    Coreset
        `indices` are row numbers of X.

    Examples
    --------
    >>> import dask.array as da
    >>> X = da.random.default_rng(0).normal(size=(10_000, 3), chunks=(2_500, 3))
    >>> print(len(coreset(X, 200, clusters=5, rng=0)))
    200
    """
    blocks = _Blocks(X)
    count, k = check_count(size, "size"), check_count(clusters, "clusters")
    if k > count:
        raise ValueError(f"clusters must be at most size = {count}, got {k}")
    exponent = check_positive(power, "power")
    kind = check_choice(metric, "metric", METRICS)
    return _merged(blocks, count, k, exponent, kind, _entropy(rng))


def kmeans(
    X: Any,
    k: int,
    *,
    size: int | None = None,
    max_iter: int = 100,
    tol: float = 1e-4,
    metric: str = "euclidean",
    rng: Any = None,
) -> DaskKMeans:
    """k-means of a coreset, and the nearest centre of every row.

    Parameters
    ----------
    X : dask.array, shape (n, d)
    k : int
    size : int, optional
        Points of the coreset. Default 40 k, at least 1,000.
    max_iter, tol, metric, rng
        As for `steelyard.select.kmeans`.

    Returns
    -------
    DaskKMeans

    Notes
    -----
    Two passes: block coresets, and labels with their cost.
    """
    count = check_count(k, "k")
    points = max(40 * count, 1000) if size is None else check_count(size, "size", least=count)
    entropy = _entropy(rng)
    blocks = _Blocks(X)
    kind = check_choice(metric, "metric", METRICS)
    small = _merged(blocks, points, count, 2.0, kind, entropy)
    found = _kmeans(
        small.points,
        count,
        sample_weight=small.weights,
        max_iter=max_iter,
        tol=tol,
        metric=kind,
        rng=np.random.default_rng([*entropy, 1]),
    )
    import dask
    import dask.array as da

    parts = [dask.delayed(_assigned)(block, found.centers, kind) for block in blocks.parts]
    labels = [
        da.from_delayed(dask.delayed(_first)(part), shape=(length,), dtype=np.int64)
        for part, length in zip(parts, blocks.lengths, strict=True)
    ]
    costs = dask.compute(*(dask.delayed(_cost)(part) for part in parts))
    return DaskKMeans(found.centers, da.concatenate(labels), float(sum(costs)), found.info)


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
    blocks, entropy = _Blocks(X), _entropy(rng)
    if not again and count > blocks.first[-1]:
        raise ValueError(f"size must be at most {blocks.first[-1]} without replacement, got {count}")
    small = _merged(blocks, max(40 * k, 1000), k, exponent, kind, entropy)
    centers = _kmeans(
        small.points,
        k,
        sample_weight=small.weights,
        metric=kind,
        tol=1e-2,
        rng=np.random.default_rng([*entropy, 1]),
    ).centers
    state = _States(blocks, centers, exponent, kind)
    generator = np.random.default_rng([*entropy, 2])
    if losses is None:
        queries, predicted, slopes = np.zeros(0, dtype=np.int64), None, np.zeros(len(state.speakers))
    else:
        queries, predicted, slopes = _asked(state, losses, holder, n_probes, generator)
    law = _law(state, predicted, slopes, share)
    draw = _drawn_with if again else _drawn_without
    return _sample(state, queries, predicted, count, again, draw(state, law, count, entropy, generator))


def comparisons(frame: Any, **columns: Any) -> Comparisons:
    """Count a Dask data frame, partition by partition.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame, or sequence of delayed data frames
    **columns
        Of `steelyard.rank.Comparisons.from_frame`.

    Returns
    -------
    Comparisons
        The sum of the partitions' tables, added in pairs; empty partitions are left out.
    """
    import dask

    parts = frame.to_delayed() if hasattr(frame, "to_delayed") else list(frame)
    tables = [dask.delayed(_counted)(part, columns) for part in parts]
    if not tables:
        raise ValueError("frame has no partitions")
    while len(tables) > 1:
        pairs = [tables[k : k + 2] for k in range(0, len(tables), 2)]
        tables = [dask.delayed(_added)(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    (table,) = dask.compute(tables[0])
    if table is None:
        raise ValueError("frame has no rows")
    return table  # type: ignore[no-any-return]


# ---- what runs on the blocks


def _counted(part: Any, columns: dict[str, Any]) -> Any:
    from .rank import Comparisons

    return Comparisons.from_frame(part, **columns) if len(part) else None


def _added(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _block_coreset(
    block: Any, first: int, size: int, k: int, power: float, metric: str, entropy: list[int]
) -> Coreset | None:
    if len(block) == 0:
        return None
    points = computed(read_points(np.asarray(block), "X", metric))
    whole = Coreset(points, np.ones(len(points)), first + np.arange(len(points)), power, k)
    return whole.reduce(size, rng=np.random.default_rng(entropy), n_threads=1)


def _joined(a: Coreset | None, b: Coreset | None, size: int, entropy: list[int]) -> Coreset | None:
    if a is None or b is None:
        return b if a is None else a
    return a.merge(b).reduce(size, rng=np.random.default_rng(entropy), n_threads=1)


def _assigned(block: Any, centers: Any, metric: str) -> tuple[Any, Any]:
    if len(block) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    return assign_block(read_points(np.asarray(block), "X", metric), centers, 1)


def _first(part: Any) -> Any:
    return part[0]


def _cost(part: Any) -> float:
    return float(np.sum(part[1], dtype=np.float64))


def _candidates(block: Any, part: Any, k: int) -> tuple[Any, Any, Any]:
    """Nearest row to each centre in the block: squared distances, rows, points."""
    labels, squared = part
    best, row = np.full(k, np.inf), np.full(k, -1, dtype=np.int64)
    order = np.lexsort((squared, labels))
    there, first = np.unique(labels[order], return_index=True)
    row[there] = order[first]
    best[there] = squared[order[first]]
    return best, row, np.asarray(block)[np.maximum(row, 0)] if len(block) else np.zeros((k, 0))


def _to_speakers(block: Any, part: Any, points: Any, power: float, metric: str) -> Floats:
    if len(block) == 0:
        return np.zeros(0)
    own = read_points(np.asarray(block), "X", metric)
    return np.asarray(own_squared_distances(own, read_points(points, "X", metric), part[0]) ** (0.5 * power))


def _sums(part: Any, distances: Floats, k: int) -> tuple[Floats, Floats]:
    labels = part[0]
    sizes = np.bincount(labels, minlength=k).astype(np.float64)
    return sizes, np.bincount(labels, weights=distances, minlength=k).astype(np.float64)


def _told(part: Any, distances: Floats, rows: Any) -> tuple[Any, Floats]:
    return part[0][rows], distances[rows]


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
        return np.where(scaled >= _CERTAIN, 1.0, scaled)


_Draws = tuple[Any, Floats, Any]  # rows, probabilities, clusters


def _draws(part: Any, distances: Floats, law: _Law, count: int, entropy: list[int]) -> _Draws:
    chances = law.chances(part, distances) if count else np.zeros(0)
    rows = np.zeros(0, dtype=np.int64)
    if count:
        ends = np.cumsum(chances)
        u = np.random.default_rng(entropy).random(count) * ends[-1]
        rows = np.minimum(np.searchsorted(ends, u, side="right"), np.flatnonzero(chances)[-1])
    return rows, chances[rows], part[0][rows]


def _open_mass(part: Any, distances: Floats, law: _Law, factor: float) -> tuple[int, int, float]:
    """Rows that are certain with c = factor, rows that can be drawn at all, sum of p of the rest."""
    chances = law.chances(part, distances)
    certain = factor * chances >= _CERTAIN
    return int(certain.sum()), int(np.count_nonzero(chances)), float(chances[~certain].sum())


def _in_random_order(
    part: Any, distances: Floats, law: _Law, factor: float, entropy: list[int]
) -> tuple[Any, Floats]:
    """Rows that are neither certain nor left out, and running sums of their inclusion probabilities."""
    inclusion = law.inclusion(part, distances, factor)
    order = np.random.default_rng(entropy).permutation(np.flatnonzero((inclusion > 0) & (inclusion < 1)))
    return order, np.cumsum(inclusion[order])


def _length(ordered: tuple[Any, Floats]) -> float:
    return float(ordered[1][-1]) if len(ordered[1]) else 0.0


def _marked(
    part: Any, distances: Floats, law: _Law, factor: float, ordered: tuple[Any, Floats], marks: Floats
) -> _Draws:
    """The certain rows, and those that the marks fall on."""
    inclusion = law.inclusion(part, distances, factor)
    order, ends = ordered
    hit = order[np.minimum(np.searchsorted(ends, marks, side="right"), len(order) - 1)] if len(marks) else []
    rows = np.concatenate([np.flatnonzero(inclusion == 1), np.asarray(hit, dtype=np.int64)])
    return rows, inclusion[rows], part[0][rows]


# ---- what runs here


class _Blocks:
    """Delayed blocks of rows, their lengths and first row numbers."""

    def __init__(self, X: Any) -> None:
        import dask

        if not hasattr(X, "to_delayed") or getattr(X, "ndim", 0) != 2:
            raise TypeError(f"X must be a two-dimensional dask.array, got {type(X).__name__}")
        X = X.rechunk({1: -1})
        self.parts = X.to_delayed().ravel().tolist()
        lengths = X.chunks[0]
        if np.isnan(lengths).any():
            lengths = dask.compute(*(dask.delayed(len)(part) for part in self.parts))
        self.lengths = [int(length) for length in lengths]
        self.first = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
        if self.first[-1] == 0:
            raise ValueError("X has no rows")


def _entropy(rng: Any) -> list[int]:
    return [int(word) for word in np.random.default_rng(rng).integers(0, 2**63, 2)]


def _merged(blocks: _Blocks, size: int, k: int, power: float, metric: str, entropy: list[int]) -> Coreset:
    import dask

    parts = [
        dask.delayed(_block_coreset)(part, int(first), size, k, power, metric, [*entropy, 3, number])
        for number, (part, first) in enumerate(zip(blocks.parts, blocks.first, strict=False))
    ]
    level = 4
    while len(parts) > 1:
        pairs = [parts[j : j + 2] for j in range(0, len(parts), 2)]
        parts = [
            dask.delayed(_joined)(*pair, size, [*entropy, level, number]) if len(pair) == 2 else pair[0]
            for number, pair in enumerate(pairs)
        ]
        level += 1
    (found,) = dask.compute(parts[0])
    return found  # type: ignore[no-any-return]


class _States:
    """Blocks with the clusters of their rows and the distances to the centre points."""

    def __init__(self, blocks: _Blocks, centers: Any, power: float, metric: str) -> None:
        import dask

        self.blocks, self.k = blocks, len(centers)
        self.parts = dask.persist(*(dask.delayed(_assigned)(part, centers, metric) for part in blocks.parts))
        found = dask.compute(
            *(
                dask.delayed(_candidates)(block, part, self.k)
                for block, part in zip(blocks.parts, self.parts, strict=True)
            )
        )
        best = np.stack([f[0] for f in found]).argmin(axis=0)
        self.speakers = np.array([blocks.first[b] + found[b][1][c] for c, b in enumerate(best)])
        points = np.stack([found[b][2][c] for c, b in enumerate(best)])
        self.distances = dask.persist(
            *(
                dask.delayed(_to_speakers)(block, part, points, power, metric)
                for block, part in zip(blocks.parts, self.parts, strict=True)
            )
        )
        sums = self.on_blocks(_sums, self.k)
        self.sizes = np.stack([s[0] for s in sums])  # blocks x clusters
        self.spreads = np.stack([s[1] for s in sums])

    def on_blocks(self, function: Any, *same: Any, each: Any = None) -> list[Any]:
        """function(labels, distances, *same, *each[block]) for every block."""
        import dask

        own = [()] * len(self.parts) if each is None else each
        return list(
            dask.compute(
                *(
                    dask.delayed(function)(p, d, *same, *e)
                    for p, d, e in zip(self.parts, self.distances, own, strict=True)
                )
            )
        )

    def look_up(self, rows: Any) -> tuple[Any, Floats]:
        """Clusters and distances of some rows."""
        block = np.searchsorted(self.blocks.first, rows, side="right") - 1
        wanted = [rows[block == b] - self.blocks.first[b] for b in range(len(self.parts))]
        found = self.on_blocks(_told, each=[(w,) for w in wanted])
        labels, distances = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
        for b, (own_labels, own_distances) in enumerate(found):
            labels[block == b], distances[block == b] = own_labels, own_distances
        return labels, distances


def _asked(
    state: _States, losses: Callable[[Any], Any], holder: Any, n_probes: int | None, rng: np.random.Generator
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
    return queries, predicted, slopes_of(holder, gaps, distances, mean, k)


def _law(state: _States, predicted: Floats | None, slopes: Floats, mix: float) -> _Law:
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
    state: _States, law: _Law, size: int, entropy: list[int], rng: np.random.Generator
) -> list[_Draws]:
    masses = state.sizes @ law.even + state.spreads @ law.steep + law.floor * np.array(state.blocks.lengths)
    counts = rng.multinomial(size, masses / masses.sum())
    return state.on_blocks(_draws, law, each=[(int(c), [*entropy, 90, b]) for b, c in enumerate(counts)])


def _drawn_without(
    state: _States, law: _Law, size: int, entropy: list[int], rng: np.random.Generator
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
    return _systematic(state, law, factor, size - now, entropy, rng)


def _systematic(
    state: _States, law: _Law, factor: float, count: int, entropy: list[int], rng: np.random.Generator
) -> list[_Draws]:
    import dask

    ordered = dask.persist(
        *(
            dask.delayed(_in_random_order)(p, d, law, factor, [*entropy, 91, b])
            for b, (p, d) in enumerate(zip(state.parts, state.distances, strict=True))
        )
    )
    lengths = np.array(dask.compute(*(dask.delayed(_length)(o) for o in ordered)))
    turn = rng.permutation(len(lengths))
    ends = np.cumsum(lengths[turn])
    marks = (rng.random() + np.arange(count)) * (ends[-1] / max(count, 1))
    last = int(np.flatnonzero(lengths[turn]).max(initial=0))  # rounding can put a mark at the very end
    place = np.minimum(np.searchsorted(ends, marks, side="right"), last)
    starts = ends - lengths[turn]
    own: list[Floats] = [np.zeros(0)] * len(lengths)
    for number, block in enumerate(turn):
        own[block] = marks[place == number] - starts[number]
    return state.on_blocks(_marked, law, factor, each=list(zip(ordered, own, strict=True)))


def _sample(
    state: _States, queries: Any, predicted: Floats | None, size: int, replace: bool, found: list[_Draws]
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
