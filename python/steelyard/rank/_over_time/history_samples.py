"""Draws from the posterior of a history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._labels import label_list
from ..._results import Columns, Result
from ..._validate import Progress, check_choice, check_count, check_level, check_progress, seed_words
from .._paired import PairPoint
from .draws import effective_sizes
from .problem import CHAIN_STATE, HistoryProblem

Floats = npt.NDArray[np.float64]

WORST_R_HAT, FEWEST = 1.01, 100  # the latter a chain
_DENSE = 20  # entries of the factor a node and game, above which Gibbs sampling is faster
_MOST_GAMES = 1e9  # for Gibbs sampling: minutes a sweep
_JUDGED = 4000  # nodes whose convergence is judged when there are more


@dataclass(frozen=True, eq=False, repr=False)
class HistorySamples(Result):
    """Draws of strengths over time.

    Attributes
    ----------
    nodes : ndarray of int, shape (n_kept,)
        Nodes whose draws are kept.
    strengths : ndarray of float32, shape (n_chains, n_draws, n_kept)
    tie_parameter : ndarray, shape (n_chains, n_draws), or None
    home_advantage : ndarray, shape (n_chains, n_draws), or None
    log_posterior : ndarray, shape (n_chains, n_draws)
        Up to a constant.
    r_hat, effective_sizes : ndarray
        Rank-normalised split R-hat and bulk effective sample size of the log posterior, the tie parameter and
        home advantage where there are any, then of the kept nodes (4,000 of them, evenly spaced, if there are
        more).
    acceptance : ndarray, shape (n_chains,)
        Mean chance that a move was accepted in the last call; 1 for Gibbs sampling.
    divergences : int
        Moves whose error in energy exceeded 1000.
    gradients : int
        Evaluations of the gradient in the last call; 0 for Gibbs sampling.
    sampler : str
        'hamiltonian' or 'gibbs'.
    """

    nodes: npt.NDArray[np.int64]
    strengths: npt.NDArray[np.float32]
    tie_parameter: Floats | None
    home_advantage: Floats | None
    log_posterior: Floats
    r_hat: Floats
    effective_sizes: Floats
    acceptance: Floats
    divergences: int
    gradients: int
    sampler: str
    _chains: dict[str, Any] = field(repr=False)
    _seed: int = field(repr=False)

    def __repr__(self) -> str:
        chains, draws, kept = self.strengths.shape
        return (
            f"HistorySamples: {chains} chains x {draws:,} draws of {kept:,} nodes; largest R-hat "
            f"{self.r_hat.max():.3f}, smallest effective sample {self.effective_sizes.min():,.0f}, "
            f"{self.divergences} divergences"
        )

    def to_frame(self, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]:
        """Columns ``node``, ``mean``, ``sd``, ``lower`` and ``upper``, one row a kept node.

        Parameters
        ----------
        level : float, default 0.95
            Of the equal-tailed intervals.

        Returns
        -------
        dict of str to ndarray
            `History.to_frame` gives means and spreads by item and time.

        Notes
        -----
        Sorts the draws of each node.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, whole_history
        >>> games = Comparisons.from_pairs(["ann", "ben"], ["ben", "ann"], time=[0, 9])
        >>> history = whole_history(games, volatility=0.1).sample(1000, n_chains=2, rng=0)
        >>> table = history.samples.to_frame(level=0.9)
        >>> list(table), history.items[history.node_items[table["node"]]].tolist()
        (['node', 'mean', 'sd', 'lower', 'upper'], ['ann', 'ann', 'ben', 'ben'])
        """
        return self._table(slice(None), check_level(level))

    def _table(self, rows: slice, level: float) -> dict[str, npt.NDArray[Any]]:
        draws = self.strengths[:, :, rows].reshape(-1, len(self.nodes[rows])).astype(np.float64)
        lower, upper = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return {
            "node": self.nodes[rows],
            "mean": draws.mean(axis=0),
            "sd": draws.std(axis=0, ddof=1),
            "lower": lower,
            "upper": upper,
        }

    def _head(self, rows: int) -> tuple[Columns, int]:
        return self._table(slice(rows), 0.95), len(self.nodes)

    def complaint(self) -> str:
        """What is wrong with the draws; empty if nothing."""
        return complaint_of(
            float(self.r_hat.max()), float(self.effective_sizes.min()), self.divergences, len(self.strengths)
        )


def complaint_of(r_hat: float, effective_size: float, divergences: int, n_chains: int) -> str:
    """Where draws miss what Vehtari et al. ask for; empty if nowhere."""
    said = []
    if not r_hat <= WORST_R_HAT:
        said.append(f"R-hat is up to {r_hat:.3f} (wanted: {WORST_R_HAT})")
    if not effective_size >= FEWEST * n_chains:
        said.append(f"the smallest effective sample is {effective_size:.0f} (wanted: {FEWEST * n_chains})")
    if divergences:
        said.append(f"{divergences} moves diverged")
    return "; ".join(said)


def draw_samples(
    problem: HistoryProblem,
    at: PairPoint,
    posterior: Callable[[], Any],
    before: HistorySamples | None,
    numbers: tuple[Any, Any, Any],
    keep: Iterable[Any] | None,
    sampler: Any,
    rng: Any,
    limits: tuple[float, int],
    progress: Progress | None,
) -> tuple[HistorySamples | None, bool]:
    """Draws, with the earlier ones where they go on, or None where none were made; and whether Ctrl-C came.

    `numbers` are those of draws, chains and moves of the warm-up, `limits` memory and threads.
    """
    draws = check_count(numbers[0], "n_draws", least=4)
    chains = check_count(numbers[1], "n_chains", least=2)
    warmup = check_count(numbers[2], "n_warmup", least=20)
    callback = check_progress(progress)
    memory, threads = limits
    kind = check_choice(sampler, "sampler", ("auto", "hamiltonian", "gibbs"))
    if before is None:
        nodes, seed, kind = _kept(problem, keep), seed_words(rng)[0], _chosen(problem, posterior, kind)
    elif keep is not None or rng is not None or kind not in ("auto", before.sampler):
        raise ValueError("keep, sampler and rng are those of the draws that go on; leave them out")
    else:
        nodes, seed, chains, kind = before.nodes, before._seed, len(before.strengths), before.sampler
    old = 0 if before is None else before.strengths.shape[1]
    size = float(chains * (old + draws) * (4 * len(nodes) + 8 * (1 + len(problem.games.extra_names))))
    working = _working_memory(problem, chains, kind)
    if size + working > memory:
        raise MemoryError(
            f"the draws would take {size / 1e9:.3g} GB and their chains {working / 1e9:.3g} GB to work in "
            f"(n_draws={draws}, n_chains={chains}; max_memory is {memory / 1e9:.3g} GB); keep fewer items, "
            "or lower n_draws or n_chains"
        )
    out = problem.sample(
        at,
        posterior() if kind == "hamiltonian" else None,
        None if before is None else before._chains,
        n_chains=chains,
        warmup=warmup,
        draws=draws,
        kept=nodes,
        seed=seed,
        n_threads=threads,
        progress=callback,
    )
    stopped = bool(out["interrupted"])
    if stopped and not out["made"]:
        return None, True
    return _joined(problem.games.extra_names, before, out, nodes, kind, seed), stopped


def _working_memory(problem: HistoryProblem, chains: int, kind: str) -> float:
    """Bytes of chains that run side by side: position, gradients and momentum, and the system of each."""
    by_node, by_cell = (10, 3) if kind == "gibbs" else (15 + len(problem.games.extra_names), 5)
    return 8.0 * chains * (by_node * problem.games.n + by_cell * len(problem.games.counts.wins))


def _chosen(problem: HistoryProblem, posterior: Callable[[], Any], kind: str) -> str:
    """The faster one: Hamiltonian moves solve with the sparse factor, Gibbs sweeps draw a number a game."""
    if kind == "hamiltonian":
        return kind
    obstacle = _no_gibbs(problem)
    if kind == "gibbs":
        if obstacle:
            raise ValueError(f"sampler='gibbs' {obstacle}; take sampler='hamiltonian'")
        return kind
    if obstacle:
        return "hamiltonian"
    try:
        entries = posterior().entries()
    except (MemoryError, ValueError):
        return "gibbs"
    return "gibbs" if entries > _DENSE * (_games(problem) + problem.games.n) else "hamiltonian"


def _games(problem: HistoryProblem) -> float:
    """Those of the first laws too: Polya-Gamma variables of a Gibbs sweep."""
    free = np.isnan(problem.lines.known[problem.ends - 1]).sum()
    counts = problem.games.counts
    return float((counts.wins + counts.losses).sum() + 2 * problem.laws.prior * free)


def _no_gibbs(problem: HistoryProblem) -> str:
    """What stands against Gibbs sampling; empty if nothing."""
    prior = problem.laws.prior
    if problem.games.model != "none":
        ties = problem.games.ties
        return f"is for wins and losses, not for ties={ties!r} (ties='half' counts them as half of each)"
    games = problem.games.counts.wins + problem.games.counts.losses
    if not (games == np.rint(games)).all():
        return "is for whole numbers of games"
    if 2 * prior != round(2 * prior):
        return f"needs a prior of 0.5, 1, 1.5, ..., not {prior:g}"
    if _games(problem) > _MOST_GAMES:
        return f"draws a number a game, {_games(problem):.3g} a sweep (at most {_MOST_GAMES:g})"
    return ""


def _kept(problem: HistoryProblem, keep: Iterable[Any] | None) -> npt.NDArray[np.int64]:
    if keep is None:
        return np.arange(problem.games.n, dtype=np.int64)
    parts = [np.r_[problem.lines.nodes_of(item)] for item in label_list(keep, "keep")]
    return np.unique(np.concatenate(parts or [np.zeros(0)])).astype(np.int64)


def _joined(
    extra_names: tuple[str, ...],
    before: HistorySamples | None,
    out: dict[str, Any],
    nodes: Any,
    kind: str,
    seed: int,
) -> HistorySamples:
    made = int(out["made"])
    strengths, log_posterior = out["strengths"][:, :made], out["log_posterior"][:, :made]
    extra = dict(zip(extra_names, np.moveaxis(out["extra"][:, :made], 2, 0), strict=True))
    if "tie_parameter" in extra:
        extra["tie_parameter"] = np.exp(extra["tie_parameter"])
    if before is not None:
        strengths = np.concatenate([before.strengths, strengths], axis=1)
        log_posterior = np.concatenate([before.log_posterior, log_posterior], axis=1)
        extra = {k: np.concatenate([getattr(before, k), v], axis=1) for k, v in extra.items()}
    some = np.linspace(0, len(nodes) - 1, min(len(nodes), _JUDGED)).astype(np.intp)
    judged = np.concatenate(
        [np.stack([log_posterior, *extra.values()], axis=2), strengths[:, :, some]], axis=2
    )
    r_hat, sizes = effective_sizes(judged)
    chains = out["chains"]
    return HistorySamples(
        nodes=nodes,
        strengths=strengths,
        tie_parameter=extra.get("tie_parameter"),
        home_advantage=extra.get("home_advantage"),
        log_posterior=log_posterior,
        r_hat=r_hat,
        effective_sizes=sizes,
        acceptance=chains["acceptance"],
        divergences=int(chains["divergences"].sum()) + (before.divergences if before else 0),
        gradients=int(chains["gradients"].sum()),
        sampler=kind,
        _chains={k: chains[k] for k in CHAIN_STATE},
        _seed=seed,
    )
