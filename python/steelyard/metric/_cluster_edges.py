"""Correlation clustering of edge lists: columns in, clusters and cycles out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._spelling import shown
from .._validate import (
    check_choice,
    check_count,
    check_nonnegative,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
    refuse_masked,
    seed_words,
)
from ._clustering import hand_over
from ._clustering_problem import make_problem, read_labels, read_links
from ._clustering_result import CorrelationClustering
from ._cycle_clustering import STAGES, Effort, cluster_by_cycles
from ._pairs import Array, check_range
from ._probability import logit, shift_of
from ._signed_pairs import SignedPairs

FORMULATIONS = ("signed", "graph", "probability")


def cluster_edges(
    u: Any,
    v: Any,
    weight: Any = None,
    n: int | None = None,
    *,
    data: Any = None,
    formulation: str = "signed",
    resolution: float = 0.5,
    prior: float = 0.5,
    trained_prior: float = 0.5,
    must_link: Any = None,
    cannot_link: Any = None,
    labels: Any = None,
    tol: float = 1e-3,
    max_iter: int = STAGES,
    max_seconds: float | None = None,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> CorrelationClustering:
    """Clusters of a sparse signed graph from its list of edges, with a proof of what any must cost.

    Separating an edge with weight c > 0 costs c, keeping one with c < 0 together costs -c; pairs without an
    edge cost nothing. (Multicut.) No matrix is built: millions of edges take a few hundred bytes each.

    Parameters
    ----------
    u, v : array_like, shape (m,)
        The ends of each edge: items 0 .. n - 1, or names of any kind. With `data`, names of its columns.
        Parallel edges add up; an edge from an item to itself is refused.
    weight : array_like, shape (m,), optional
        Default: 1 each. With `data`, the name of its column.
    n : int, optional
        Number of items. Default: the largest number plus 1.
    data : data frame or mapping of columns, optional
        Anything narwhals knows (pandas, Polars, PyArrow, ...). Its items go by name.
    formulation : {'signed', 'graph', 'probability'}, default 'signed'
        What a weight says:

        - 'signed': it is c.
        - 'graph': c = 2 (weight - resolution), and pairs without an edge disagree: c = -2 resolution.
        - 'probability': that the two items are the same: c = logit(weight) + logit(prior) -
          logit(trained_prior), weights clipped to 1e-6 .. 1 - 1e-6. What is certain is a link.
    resolution : float, default 0.5
        For 'graph': higher makes smaller clusters.
    prior, trained_prior : float, default 0.5
        For 'probability': the share of true matches among the pairs to be clustered, and among those that
        the probabilities were fitted on. Where both are alike, leave them.
    must_link, cannot_link : sequence of pairs, optional
        Items (by number, or name) that share a cluster, and that don't, whatever it costs.
    labels : array_like of int, shape (n,), optional
        Clusters to start from.
    tol : float, default 1e-3
        Stop when cost / lower_bound - 1 is at most this. 0 asks for the optimum.
    max_iter : int, default 20
        Stages: the first labels, the first packing, looks at bound and labels while the packing is raised,
        then perturbations of the labels.
    max_seconds : float, optional
        Start no stage later than this but the first packing, which may take as long as the first labels (and
        half a second), and end a packing there. First labels and a look at bound and labels are not cut
        short. The answer then depends on the clock.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        For orders of searches and perturbations.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(stage, max_iter), with `max_seconds` as progress(seconds, max_seconds).

    Returns
    -------
    CorrelationClustering
        With `cycles`, which prove `lower_bound`.

    Raises
    ------
    ValueError
        If an edge is a loop or its weight is not finite or not in the range of the formulation; if the links
        contradict each other.

    Warns
    -----
    ConvergenceWarning
        If cost and bound are further apart than a `tol` other than the default.

    See Also
    --------
    correlation_clustering : The same for matrices, with the relaxation over all pairs for small ones.
    steelyard.reference.clustering.cycle_bound : Checks the proof in exact arithmetic.

    Notes
    -----
    A cycle with exactly one disagreeing pair costs something whatever the labels. Multipliers of such
    cycles, in sum at most |c| through each pair, are the dual of the cycle relaxation and bound every cost
    from below. They are found by packing short cycles first, then by entropic coordinate ascent with
    Dijkstra's search for cycles that are still worth adding, at falling temperature; the bound is rigorous in
    float64, and rounded up for whole weights. Labels come from greedy contraction, moves and merges, again
    from costs reduced by the dual's prices, and from perturbations. Project and Forget [1]_ on the cycle
    polytope; packing after [2]_, contraction after [3]_. Where absent pairs disagree, and up to 200,000
    listed pairs, stars join the cycles: k leaves that disagree with each other and agree with a centre cost
    k - 1 whatever the labels, though their cycles prove k / 2 [4]_. Time and memory grow with the edges and
    the rows held, not with pairs of items.

    References
    ----------
    .. [1] R. Sonthalia and A. C. Gilbert, "Project and Forget: Solving Large-Scale Metric Constrained
       Problems", JMLR 23 (2022).
    .. [2] J.-H. Lange, A. Karrenbauer and B. Andres, "Partial Optimality and Fast Lower Bounds for Weighted
       Correlation Clustering", ICML 2018.
    .. [3] M. Keuper et al., "Efficient Decomposition of Image and Mesh Graphs by Lifted Multicuts",
       ICCV 2015.
    .. [4] M. Groetschel and Y. Wakabayashi, "A Cutting Plane Algorithm for a Clustering Problem", Math.
       Program. 45 (1989).

    Examples
    --------
    Two groups of friends, and one who quarrels with a friend of a friend:

    >>> u = ["ann", "ann", "bob", "dan", "ann"]
    >>> v = ["bob", "cid", "cid", "cid", "dan"]
    >>> found = cluster_edges(u, v, [2, 2, 2, 1, -3])
    >>> found.cost, found.lower_bound
    (1.0, 1.0)
    >>> found.to_frame()["cluster"]
    array([0, 0, 0, 1])
    >>> [(round(y, 6), [str(found.items[i]) for i in cycle]) for y, cycle in found.cycles]
    [(1.0, ['ann', 'cid', 'dan'])]
    """
    formulation = check_choice(formulation, "formulation", FORMULATIONS)
    resolution = _checked_resolution(resolution, formulation)
    scale = _Scale(formulation, resolution, shift_of(formulation, prior, trained_prior))
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    effort = Effort(
        check_nonnegative(tol, "tol"),
        check_steps(max_iter, "max_iter"),
        np.inf if max_seconds is None else check_positive(max_seconds, "max_seconds"),
        threads,
        seed_words(rng),
    )
    edges = _read(u, v, weight, n, data)
    pairs = scale.pairs(edges)
    must = read_links(must_link, "must_link", edges.n, edges.place)
    cannot = read_links(cannot_link, "cannot_link", edges.n, edges.place)
    problem = make_problem(pairs, must, cannot)
    found = cluster_by_cycles(pairs, problem, effort, read_labels(labels, problem), callback)
    found = replace(found, items=edges.items)
    return hand_over(found, "cluster_edges", asked=effort.tol != _DEFAULT_TOL)


_DEFAULT_TOL = 1e-3


@dataclass(frozen=True)
class _Edges:
    n: int
    u: npt.NDArray[np.int32]
    v: npt.NDArray[np.int32]
    weight: Array
    items: npt.NDArray[Any] | None

    @property
    def place(self) -> Mapping[Hashable, int] | None:
        return None if self.items is None else {item: k for k, item in enumerate(self.items.tolist())}


@dataclass(frozen=True)
class _Scale:
    """From weights as they arrive to c."""

    formulation: str
    resolution: float
    shift: float

    def pairs(self, edges: _Edges) -> SignedPairs:
        c, background = edges.weight, 0.0
        if self.formulation == "probability":
            c = logit(c, "weight") + self.shift
        left, right, sums = _core.metric._merge_pairs(edges.n, edges.u, edges.v, c)
        check_range(sums, "weight")
        if self.formulation == "graph":
            sums, background = 2.0 * sums, 2.0 * self.resolution
        return SignedPairs(edges.n, left, right, sums, background, self.formulation)


def _checked_resolution(resolution: float, formulation: str) -> float:
    resolution = check_positive(resolution, "resolution")
    if resolution != 0.5 and formulation != "graph":
        raise ValueError(f"resolution goes with formulation='graph', got {formulation!r}")
    return resolution


def _read(u: Any, v: Any, weight: Any, n: int | None, data: Any) -> _Edges:
    if data is not None:
        u, v, weight = _columns(data, [u, v] if weight is None else [u, v, weight])
    one, other = _end(u, "u"), _end(v, "v")
    if len(one) != len(other):
        raise ValueError(f"u and v must be equally long, got {len(one)} and {len(other)}")
    numbered = data is None and one.dtype.kind in "iu" and other.dtype.kind in "iu"
    count, first, second, items = _numbers(one, other, n) if numbered else _names(one, other, n)
    loops = np.flatnonzero(first == second)
    if len(loops):
        raise ValueError(
            f"{len(loops)} edges join an item to itself (first: edge {loops[0]}); leave them out"
        )
    return _Edges(count, first, second, _weights(weight, len(first)), items)


def _columns(data: Any, names: list[Any]) -> list[Any]:
    if isinstance(data, Mapping):
        present, get = list(data), data.__getitem__
    else:
        import narwhals as nw

        try:
            frame = nw.from_native(data, eager_only=True)
        except TypeError:
            raise TypeError(f"data must be a data frame or a mapping of columns, got {shown(data)}") from None
        present, get = frame.columns, lambda name: frame[name].to_numpy()
    missing = [name for name in names if name not in present]
    if missing:
        raise ValueError(f"data has no column {missing[0]!r}, got {', '.join(map(repr, present))}")
    found = [get(name) for name in names]
    return found if len(found) == 3 else [*found, None]


def _end(values: Any, name: str) -> npt.NDArray[Any]:
    array = refuse_masked(values, name)
    if array.size == 0:
        array = array.astype(np.int32)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-dimensional, got shape {array.shape}")
    if array.dtype.kind == "f":
        raise TypeError(f"{name} must hold numbers of items or names, got dtype {array.dtype}")
    return array


def _numbers(u: Any, v: Any, n: int | None) -> tuple[int, Any, Any, None]:
    low = min((int(part.min()) for part in (u, v) if len(part)), default=0)
    high = max((int(part.max()) for part in (u, v) if len(part)), default=-1)
    count = max(high + 1, 1) if n is None else check_count(n, "n")
    if low < 0 or high >= count:
        raise ValueError(f"u and v must lie in 0 .. {count - 1}, got {low} to {high}")
    if count > np.iinfo(np.int32).max:
        raise ValueError(
            f"u and v must lie below 2**31, got {high}; np.unique(..., return_inverse=True) numbers"
        )
    return count, u.astype(np.int32, copy=False), v.astype(np.int32, copy=False), None


def _names(u: Any, v: Any, n: int | None) -> tuple[int, Any, Any, npt.NDArray[Any]]:
    try:
        items, places = np.unique(np.concatenate([u, v]), return_inverse=True)
    except TypeError as error:
        raise TypeError(f"u and v must hold names of one kind, that can be sorted: {error}") from None
    if n is not None and n != len(items):
        raise ValueError(f"n must be left out for named items, got {n} for {len(items)} names")
    places = places.astype(np.int32)
    return len(items), places[: len(u)], places[len(u) :], items


def _weights(weight: Any, m: int) -> Array:
    if weight is None:
        return np.ones(m)
    array = refuse_masked(weight, "weight")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"weight must hold real numbers, got dtype {array.dtype}")
    if array.shape != (m,):
        raise ValueError(f"weight must have one number for each of {m} edges, got shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(f"weight has {len(bad)} entries that are NaN or infinite (first: edge {bad[0]})")
    return np.ascontiguousarray(array, np.float64)
