"""Correlation clustering with a lower bound on what any clustering costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._errors import finish
from .._info import Info
from .._spelling import argument
from .._validate import (
    check_choice,
    check_flag,
    check_nonnegative,
    check_positive,
    check_progress,
    check_rng,
    check_steps,
    check_threads,
    seed_words,
)
from ._clustering_problem import ClusteringProblem, Labels, make_problem, read_labels, read_links
from ._clustering_result import CorrelationClustering, ratio
from ._cycle_clustering import STAGES, Effort, cluster_by_cycles
from ._pairs import Array
from ._probability import shift_of
from ._signed_pairs import FORMULATIONS, SignedPairs, read_similarities, signed_pairs

# The relaxation by default: where it takes seconds and bounds tighter than cycles do.
_SMALL, _DENSE, _MOST_RELAXED = 200, 0.25, 1000
_TRIALS, _KEPT = 50, 3
_STEPS, _TOL, _ENGINE_TOL = 200, 0.01, 1e-3
# Where the relaxation leaves more than this open, stars prove more; of so few pairs at once.
_OPEN, _FEW_PAIRS = 1.02, 5_000


def correlation_clustering(
    S: Any,
    *,
    formulation: str = "auto",
    resolution: float = 0.5,
    prior: float = 0.5,
    trained_prior: float = 0.5,
    must_link: Any = None,
    cannot_link: Any = None,
    rounding: str = "best",
    local_search: bool = True,
    relax: bool | None = None,
    labels: Any = None,
    tol: float | None = None,
    max_iter: int | None = None,
    max_seconds: float | None = None,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Any = None,
) -> CorrelationClustering:
    """Clusters from agreement and disagreement, without their number, and a bound on the best possible cost.

    Each pair of items has a signed weight c. Separating a pair with c > 0 costs c, keeping a pair with c < 0
    together costs -c; labels with a small total are sought, and a lower bound on every total is proven.

    Parameters
    ----------
    S : array_like, scipy.sparse, networkx.Graph or igraph.Graph, n items
        Symmetric similarities. Each unordered pair counts once, whether one or both triangles are stored; the
        diagonal is ignored. Of a graph the edges' ``weight`` (default 1). Never altered.
    formulation : {'auto', 'signed', 'graph', 'wang', 'probability'}, default 'auto'
        What S says about a pair:

        - 'signed': c = S_ij; an absent pair, or 0, weighs nothing.
        - 'graph': c = 2 (S_ij - resolution); an absent pair disagrees. With zeros and ones and resolution .5
          each pair weighs 1: the number of disagreements.
        - 'wang': S is a graph of zeros and ones; pairs are weighed by common neighbours [2]_. With J the
          Jaccard similarity of their open neighbourhoods, c = log((1 + J - .05) / (1 - J + .05)), moved away
          from 0 by .01, where these intersect, and log(.95 / 1.05) elsewhere.
        - 'probability': S_ij is the probability that i and j are the same: c = logit(S_ij) + logit(prior) -
          logit(trained_prior), S_ij clipped to 1e-6 .. 1 - 1e-6. A 0 in an array is a probability; pairs that
          a sparse S or a graph does not list weigh nothing. What is certain is a link.
        - 'auto': 'signed' where an entry is negative, 'graph' where all are 0 or 1; anything else is refused.
    resolution : float, default 0.5
        For 'graph' [3]_: higher makes smaller clusters.
    prior, trained_prior : float, default 0.5
        For 'probability': the share of true matches among the pairs to be clustered, and among those that
        the probabilities were fitted on. Where both are alike, leave them.
    must_link, cannot_link : sequence of pairs, optional
        Items (by number; nodes of a graph by name) that share a cluster, and that don't, whatever it costs.
    rounding : {'best', 'pivot', 'threshold'}, default 'best'
        How the relaxation's distances become clusters: random pivots (50 times, and 50 times from the signs
        alone), thresholds, or all of these. Without the relaxation of no meaning.
    local_search : bool, default True
        Improve by moving items and merging clusters, from the roundings, from singletons and from
        perturbations of the best.
    relax : bool, optional
        Solve the linear relaxation over all pairs (True), or bound by cycles and stars of listed pairs
        (False), which takes memory and time by the pairs listed alone. Default: the relaxation up to 200
        items, and up to 1,000 where a quarter of all pairs is listed or absent pairs disagree; up to 100
        items cycles and stars beside it where it leaves more than .02 open.
    labels : array_like of int, shape (n,), optional
        Clusters to start from.
    tol : float, optional
        Stop when the relaxation's upper bound is within this share of its lower bound (default .01); without
        the relaxation, when cost / lower_bound - 1 is at most this (default .001; 0 asks for the optimum).
    max_iter : int, optional
        Proximal steps of the relaxation (default 200), or stages of the search and the packing of cycles
        (default 20).
    max_seconds : float, optional
        Without the relaxation: as for `cluster_edges`. The answer then depends on the clock.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        For pivots and the local search.
    n_threads : int, optional
        Default: see `steelyard.build_info`. The answer does not depend on it, bit for bit.
    progress : callable, optional
        Called as progress(step, max_iter) while the relaxation is solved.

    Returns
    -------
    CorrelationClustering

    Raises
    ------
    ValueError
        If S is asymmetric, or not finite, or of a kind that 'auto' can't tell; if the links contradict each
        other.

    Warns
    -----
    ConvergenceWarning
        If max_iter steps do not bound the relaxation to tol. Without the relaxation: if tol was given and
        missed. The labels are as good as the search makes them, and lower_bound holds all the same.

    See Also
    --------
    cluster_edges : The same for lists of edges, by cycles.

    Notes
    -----
    The relaxation asks for a metric in [0, 1] of least cost. It is solved by proximal steps, each a weighted
    projection by Project and Forget [1]_, with duals kept from step to step; the lower bound is computed from
    the duals in float64. Time O(pairs nearer than 1 that share an item) a round; memory about 50 bytes a pair
    of items and 28 a triangle held.

    Without it, cycles with one disagreeing pair are packed: one of their pairs is paid for whatever the
    labels; and stars, whose k leaves disagree with each other and agree with a centre: k - 1 pairs are paid
    for. `cluster_edges` says how. Where absent pairs disagree ('graph', 'wang') the cost counts all of
    them, the bound those that two agreeing pairs connect, at most 20 an edge: for weighted graphs and for
    resolutions below .5 it is weaker, and the ratio shows it.

    References
    ----------
    .. [1] R. Sonthalia and A. C. Gilbert, "Project and Forget: Solving Large-Scale Metric Constrained
       Problems", JMLR 23 (2022).
    .. [2] N. Veldt, D. F. Gleich, A. Wirth and J. Saunderson, "Metric-Constrained Optimization for Graph
       Clustering Algorithms", SIAM J. Math. Data Sci. 1 (2019).
    .. [3] N. Veldt, D. F. Gleich and A. Wirth, "A Correlation Clustering Framework for Community Detection",
       WWW (2018).

    Examples
    --------
    Two triangles joined by one edge: one disagreement is the least possible.

    >>> import numpy as np
    >>> S = np.zeros((6, 6), int)
    >>> for i, j in [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (2, 3)]:
    ...     S[i, j] = S[j, i] = 1
    >>> found = correlation_clustering(S, rng=0)
    >>> found.labels
    array([0, 0, 0, 1, 1, 1])
    >>> found.cost, round(found.lower_bound, 6)
    (1.0, 1.0)
    """
    formulation = check_choice(formulation, "formulation", FORMULATIONS)
    rounding = check_choice(rounding, "rounding", ("best", "pivot", "threshold"))
    search = check_flag(local_search, "local_search")
    resolution = check_positive(resolution, "resolution")
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    wanted = None if relax is None else check_flag(relax, "relax")
    if rounding == "threshold" and wanted is False:
        raise ValueError("rounding='threshold' needs the relaxation, got relax=False")
    shift = shift_of(formulation, prior, trained_prior)
    listed, place = read_similarities(S, argument("S"), zeros=formulation == "probability")
    pairs = signed_pairs(listed, formulation, resolution, threads, shift)
    must = read_links(must_link, "must_link", pairs.n, place)
    cannot = read_links(cannot_link, "cannot_link", pairs.n, place)
    problem = make_problem(pairs, must, cannot)
    chosen, why = _chosen(pairs) if wanted is None else (wanted, "relax=False")
    start = read_labels(labels, problem)
    generator = check_rng(rng)
    if not chosen:
        effort = Effort(
            _ENGINE_TOL if tol is None else check_nonnegative(tol, "tol"),
            STAGES if max_iter is None else check_steps(max_iter, "max_iter"),
            np.inf if max_seconds is None else check_positive(max_seconds, "max_seconds"),
            threads,
            seed_words(generator),
            why,
        )
        found = cluster_by_cycles(pairs, problem, effort, start, callback)
        return hand_over(found, "correlation_clustering", asked=tol is not None)
    if max_seconds is not None:
        raise ValueError("max_seconds goes with relax=False: the relaxation is bounded by max_iter")
    steps = _STEPS if max_iter is None else check_steps(max_iter, "max_iter")
    accuracy = _TOL if tol is None else check_positive(tol, "tol")
    run = _Run(problem, accuracy, threads, search, [seed_words(generator) for _ in range(5)])
    run.go(start, steps, rounding, callback)
    found = run.result(pairs)
    few = problem.nodes * (problem.nodes - 1) // 2 <= _FEW_PAIRS
    if wanted is None and few and found.ratio > _OPEN and not found.info.interrupted:
        found = _by_stars_too(found, run, rounding == "best" and search, seed_words(generator))
    return finish(found, "correlation_clustering", n_threads=n_threads)


def _by_stars_too(
    found: CorrelationClustering, run: _Run, labels: bool, seed: tuple[int, int]
) -> CorrelationClustering:
    """The same with the bound of cycles and stars where that is higher, and labels where theirs cost less."""
    assert found._pairs is not None
    effort = Effort(0.0, threads=run.threads, seed=seed)
    other = cluster_by_cycles(found._pairs, run.problem, effort, run.labels, None)
    if labels and other.cost < found.cost:
        found = replace(found, labels=other.labels, cost=other.cost)
    if other.lower_bound > found.lower_bound:
        low = min(other.lower_bound, found.cost)
        found = replace(found, lower_bound=low, cycles=other.cycles)
    return found


def hand_over(found: CorrelationClustering, who: str, *, asked: bool) -> CorrelationClustering:
    """Ctrl-C and a warning as ever; a tolerance that nobody asked for is missed without one."""
    return finish(found, who) if asked or found.info.interrupted else found


def _chosen(pairs: SignedPairs) -> tuple[bool, str]:
    """Relax all pairs? And why."""
    n, listed = pairs.n, len(pairs.values)
    density = listed / max(1, n * (n - 1) // 2)
    if n <= _SMALL or (n <= _MOST_RELAXED and (density >= _DENSE or pairs.background > 0)):
        return True, f"{n} items, {density:.0%} of their pairs listed"
    return False, f"{n:,} items, {density:.2g} of their pairs listed; relax=True bounds by all pairs"


class _StoppedError(Exception):
    """Ctrl-C: what there is must be handed over."""


class _Run:
    """The best labels and bounds so far."""

    def __init__(
        self,
        problem: ClusteringProblem,
        tol: float,
        threads: int,
        search: bool,
        seeds: list[tuple[int, int]],
    ) -> None:
        self.problem, self.tol, self.threads, self.search, self.seeds = problem, tol, threads, search, seeds
        self.labels: Labels = np.arange(problem.nodes, dtype=np.int32)
        self.agreement = 0.0
        self.packed = problem.offset + problem.unavoidable
        self.found: dict[str, Any] | None = None
        self.x: Array | None = None
        self.runs = 0
        self.stopped = False

    def go(self, start: Labels | None, steps: int, rounding: str, progress: Any) -> None:
        """All stages; Ctrl-C leaves what there is."""
        try:
            if start is not None:
                self._improve([start], 0)
            self.from_signs()
            self.relax(steps, progress)
            self.from_relaxation(rounding)
        except _StoppedError:
            self.stopped = True

    def from_signs(self) -> None:
        """Plain pivots, and the bound of packed triangles."""
        self.packed += self.problem.graph.pack_bad_triangles()
        self._improve(self._round("pivot", None, 0), 1)

    def relax(self, steps: int, progress: Any) -> None:
        problem = self.problem
        found = problem.graph.relax(
            problem.costs,
            problem.offset,
            problem.cost(self.labels) - problem.offset,
            self.tol,
            max_steps=steps,
            n_threads=self.threads,
            progress=progress,
        )
        self.found, self.x = found, found["x"]
        if found["info"]["interrupted"]:
            raise _StoppedError

    def from_relaxation(self, rounding: str) -> None:
        starts = []
        if rounding != "threshold":
            starts += self._round("pivot", self.x, 2)
        if rounding != "pivot":
            starts += self._round("threshold", self.x, 3)
        if rounding == "threshold":
            self.labels, self.agreement = np.arange(self.problem.nodes, dtype=np.int32), 0.0
        else:
            starts.append(self.labels)
        self._improve(starts, 4)

    def _round(self, rule: str, x: Array | None, stage: int) -> list[Labels]:
        trials = 16 if rule == "threshold" else _TRIALS
        return list(
            self.problem.graph.round(x, rule, trials, _KEPT, self.seeds[stage], n_threads=self.threads)
        )

    def _improve(self, starts: list[Labels], stage: int) -> None:
        restarts, rounds = (24, 12) if self.search else (0, 0)
        if not self.search:
            for labels in starts:
                self._take(labels, self.problem.graph.agreement(labels))
            return
        labels, agreement, runs, stopped = self.problem.graph.search(
            starts, self.seeds[stage], restarts=restarts, rounds=rounds, n_threads=self.threads
        )
        self.runs += runs
        self._take(labels, agreement)
        if stopped:
            raise _StoppedError

    def _take(self, labels: Labels, agreement: float) -> None:
        if agreement > self.agreement:
            self.labels, self.agreement = labels, agreement

    def result(self, pairs: SignedPairs) -> CorrelationClustering:
        problem, found = self.problem, self.found
        cost = problem.cost(self.labels)
        low, lp_ratio, relaxation = problem.less_rounding(self.packed, True), float("inf"), None
        if found is not None:
            # Labels are a feasible point of the relaxation too.
            low = max(low, problem.less_rounding(problem.offset + found["lower"], False))
            upper = problem.offset + found["objective"]
            if cost <= upper:
                upper, self.x = cost, _distances(self.labels)
            lp_ratio = ratio(upper, problem.offset + found["lower"])
            relaxation = problem.expand_distances(np.asarray(self.x))
            relaxation.flags.writeable = False
        labels = problem.expand(self.labels)
        labels.flags.writeable = False
        low = max(0.0, min(low, cost))  # equal but for rounding
        return CorrelationClustering(
            labels,
            cost,
            low,
            lp_ratio,
            relaxation,
            pairs.formulation,
            self._info(lp_ratio, ratio(cost, low)),
            _pairs=pairs,
        )

    def _info(self, lp_ratio: float, gap: float) -> Info:
        bound = (gap if self.found is None else lp_ratio) - 1.0
        error = bound if np.isfinite(bound) else None
        good = error is not None and error <= self.tol
        if self.found is None:
            text = "the relaxation was not solved: lower_bound comes from packed triangles"
            return Info(
                converged=good,
                iterations=self.runs,
                solver="local search" if self.search else "pivots",
                seconds=0.0,
                tol=self.tol,
                error_bound=error,
                error_kind="rigorous",
                message=text,
                interrupted=self.stopped,
            )
        text = "" if good else f"the relaxation is bounded to {bound:.1e} only; raise max_iter or tol"
        return Info.from_core(
            self.found["info"],
            converged=good,
            error_bound=error,
            tol=self.tol,
            message=text,
            interrupted=self.stopped,
        )


def _distances(labels: Labels) -> Array:
    """0 for pairs that share a label, 1 for the others, in condensed order."""
    rows = [(labels[i + 1 :] != labels[i]).astype(float) for i in range(len(labels) - 1)]
    return np.concatenate(rows) if rows else np.zeros(0)
