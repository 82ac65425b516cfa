"""The result of `whole_history`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._errors import ConvergenceWarning, interrupted, warn
from ..._info import Info
from ..._labels import label_list
from ..._report import check_page, save
from ..._results import Columns, Result
from ..._spelling import shown
from ..._validate import Progress, check_choice, check_count, check_flag, check_number
from ...plotting import plot_history
from .._chances import ELO, Prediction, outcome_chances
from .._inference import certificate, read_anchor
from .._paired import PairPoint
from .._table import Timelines
from .history_samples import HistorySamples, draw_samples
from .problem import HistoryProblem
from .report import checked_wishes, history_page

Floats = npt.NDArray[np.float64]

_BATCH = 16


@dataclass(frozen=True, kw_only=True)
class HistoryInfo(Info):
    """Info of a history."""

    @property
    def newton_decrement(self) -> float | None:
        """The certificate: `error_bound` by its name."""
        return self.error_bound


class Strength(NamedTuple):
    """A natural-log strength.

    Attributes
    ----------
    mean : float or ndarray
        The joint maximum of the posterior, on a line between two dates.
    sd : float or ndarray or None
        Posterior standard deviation; None unless asked for.
    """

    mean: Any
    sd: Any


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class History(Result):
    """Strengths over time with their certificate and joint posterior.

    A node is an item on a date on which it was compared; nodes are sorted by item, then date. Strengths are
    not centred: 0 is the prior's strength (or that of the known items' scale).

    Attributes
    ----------
    strengths : ndarray, shape (n_nodes,)
        Natural-log strengths; read-only.
    items : ndarray, shape (n_items,)
        Labels.
    tie_parameter : float or None
        As in `BradleyTerryFit`.
    home_advantage : float or None
        In natural-log strength; None unless fitted.
    volatility : float
        Per square root of a time unit, as given or estimated.
    log_likelihood : float
        Of the data at the fit.
    info : HistoryInfo
        ``info.error_bound`` is the Newton decrement.
    ties : str
        How ties were treated.
    samples : HistorySamples or None
        Draws from the posterior, where asked for: then `strength`, `standard_errors`, `predict` and
        `to_frame` speak of their mean and spread instead of the maximum and its normal law.
    """

    strengths: Floats
    items: npt.NDArray[Any]
    tie_parameter: float | None
    home_advantage: float | None
    volatility: float
    log_likelihood: float
    info: HistoryInfo
    ties: str
    _problem: HistoryProblem = field(repr=False)
    _point: PairPoint = field(repr=False)
    _limits: tuple[float, int] = field(repr=False)
    samples: HistorySamples | None = None
    _cache: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.strengths.flags.writeable = False

    def __len__(self) -> int:
        return len(self.strengths)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        latest = [self.strengths[end - 1] for end in self._problem.ends]
        order = np.argsort(latest)[::-1][:5]
        names = self.items[np.flatnonzero(np.diff(self._lines.starts))]
        best = ", ".join(f"{names[k]} {latest[k]:+.2f}" for k in order)
        return (
            f"History: {len(names):,} items, {len(self):,} nodes, volatility {self.volatility:.4g}; {state}, "
            f"Newton decrement {self.info.error_bound:.1e}\nstrongest at their last date: {best}"
        )

    @property
    def _lines(self) -> Timelines:
        return self._problem.lines

    # ---- the posterior

    @property
    def node_items(self) -> npt.NDArray[np.int32]:
        """Positions in `items` of the nodes."""
        return self._lines.item

    @property
    def node_times(self) -> npt.NDArray[Any]:
        """Dates or numbers of the nodes; NaT or NaN for items whose strength is constant."""
        return self._lines.as_given(self._lines.time)

    @property
    def standard_errors(self) -> Floats:
        """Posterior standard deviations of the nodes; opponents are not held fixed.

        Raises
        ------
        MemoryError
            If the joint posterior would take more than `max_memory` bytes.

        Notes
        -----
        From the sparse Cholesky factor of the Hessian by its selected inverse, and kept after the first use;
        or of the draws, NaN for nodes whose draws were not kept.
        """
        if self.samples is not None:
            out = np.full(len(self), np.nan)
            out[self.samples.nodes] = self.samples.strengths.std(axis=(0, 1), dtype=np.float64)
            return out
        variance: Floats = self._marginals()[0]
        return np.sqrt(variance)

    @property
    def log_evidence(self) -> float:
        """Laplace approximation of the log marginal likelihood, up to a constant that is the same for any
        volatility.
        """
        return self._log_prior() + self.log_likelihood - 0.5 * float(self._posterior().log_determinant())

    def _log_prior(self) -> float:
        lines, laws, first = self._lines, self._problem.laws, self._lines.starts[:-1]
        first = first[np.diff(lines.starts) > 0]
        s = self.strengths[first][np.isnan(lines.known[first])]
        total = -laws.prior * float((np.logaddexp(0.0, s) + np.logaddexp(0.0, -s)).sum())
        total -= 0.5 * laws.precision * float(((s - laws.mean) ** 2).sum())
        linked = np.flatnonzero(~np.isnan(lines.gaps))
        precision = self._problem.precision[linked]
        steps = self.strengths[linked] - self.strengths[linked - 1]
        return total + 0.5 * float((np.log(precision) - precision * steps**2).sum())

    def _posterior(self) -> Any:
        if "posterior" not in self._cache:
            memory, threads = self._limits
            found, needed = self._problem.posterior(self._point, memory, threads)
            if found is None and 0 < needed <= memory:
                raise ValueError(
                    "the posterior is singular to rounding: its Hessian is not positive definite"
                )
            if found is None:
                size = f"some {needed / 1e9:.3g} GB" if needed else "more time than can be waited for"
                raise MemoryError(
                    f"the joint posterior of {len(self):,} nodes would take {size} (max_memory is "
                    f"{memory / 1e9:.3g} GB); raise max_memory, or round the times to weeks or months"
                )
            self._cache["posterior"] = found
        return self._cache["posterior"]

    def _marginals(self) -> tuple[Floats, Floats]:
        if "marginals" not in self._cache:
            self._cache["marginals"] = self._posterior().marginals()
        found: tuple[Floats, Floats] = self._cache["marginals"]
        return found

    def sample(
        self,
        n_draws: int = 1000,
        *,
        n_chains: int = 4,
        n_warmup: int = 300,
        keep: Iterable[Any] | None = None,
        sampler: str = "auto",
        rng: Any = None,
        progress: Progress | None = None,
    ) -> History:
        """Draw from the posterior by Hamiltonian Monte Carlo or Gibbs sampling.

        Parameters
        ----------
        n_draws : int, default 1000
            Of each chain. On a history that has draws they go on where they ended, without warm-up.
        n_chains : int, default 4
            Of new draws; those that go on keep their number.
        n_warmup : int, default 300
            Moves before new draws that adapt the sampler and are not kept.
        keep : iterable of labels, optional
            Items whose draws are kept: 4 bytes a node, draw and chain. Default all.
        sampler : {'auto', 'hamiltonian', 'gibbs'}
            'hamiltonian' moves all strengths together, in the metric of the Hessian at the maximum, whose
            normal law it follows exactly: for any model, and the surest where there are many games a node or
            items that nearly always win. 'gibbs' draws a Polya-Gamma variable a game, given which strengths
            are normal: for wins and losses alone (``ties='half'`` or 'drop', whole numbers of games, at most
            1e9, a prior of 0.5, 1, 1.5, ...), it needs no factor, and is several times as fast on long
            histories of many items. 'auto' takes it where it applies and the factor has more than 20 entries
            a node and game (2 prior games an item among them), exceeds `max_memory`, or is singular.
        rng : None, int, SeedSequence, BitGenerator or Generator
        progress : callable, optional
            Called as progress(moves, all moves).

        Returns
        -------
        History
            With `samples`.

        Raises
        ------
        MemoryError
            If the draws with their chains, or the joint posterior, would take more than `max_memory` bytes.
        KeyboardInterrupt
            On Ctrl-C; ``.partial`` holds the history with the draws made so far, which can go on.

        Warns
        -----
        ConvergenceWarning
            If R-hat exceeds 1.01, the effective sample is below 100 a chain, or moves diverge.

        Notes
        -----
        A Hamiltonian move costs some three gradients, each with two triangular solves of the sparse factor. A
        Gibbs sweep takes one item's whole history after the other (forward filter, backward sample), or, as
        often as that takes about as much time again, all of them at once by conjugate gradients (to a
        relative residual of 1e-6). The draws do not depend on the number of threads. Flat priors on log
        nu (or log theta) and the home advantage.

        References
        ----------
        B. Shahbaba, S. Lan, W. O. Johnson, R. M. Neal, "Split Hamiltonian Monte Carlo", Stat. Comput. 24
        (2014). N. G. Polson, J. G. Scott, J. Windle, "Bayesian inference for logistic models using
        Polya-Gamma latent variables", JASA 108 (2013).
        """
        samples, stopped = draw_samples(
            self._problem,
            self._point,
            self._posterior,
            self.samples,
            (n_draws, n_chains, n_warmup),
            keep,
            sampler,
            rng,
            self._limits,
            progress,
        )
        found = self if samples is None else replace(self, samples=samples)
        if stopped:
            raise interrupted(found)
        complaint = samples.complaint() if samples is not None else ""
        if complaint:
            warn(f"the draws are not to be trusted yet: {complaint}; draw more", ConvergenceWarning)
        return found

    # ---- reading it

    def strength(self, item: Any, time: Any = None, *, uncertainty: bool = True) -> Strength:
        """An item's strength at any time.

        Parameters
        ----------
        item : label
        time : date or number, or array_like of them, optional
            Default: all dates on which the item was compared. Ignored for constant items.
        uncertainty : bool, default True
            Whether to give standard deviations, which need the joint posterior.

        Returns
        -------
        Strength
            Between dates the mean is linear and the variance that of a Brownian bridge; before the first and
            after the last it grows by volatility^2 a time unit.

        Raises
        ------
        KeyError
            If there is no such item, or it has no comparisons.
        TypeError, ValueError
            If `time` is not of the kind of the comparisons' times.
        MemoryError
            As for `standard_errors`.
        """
        nodes = self._lines.nodes_of(item)
        wanted = check_flag(uncertainty, "uncertainty")
        if time is None:
            mean = self.strengths[nodes]
            if self.samples is not None:
                mean = self._drawn(item, np.r_[nodes]).mean(axis=0)
            return Strength(mean, self.standard_errors[nodes] if wanted else None)
        times = self._lines.in_units(time)
        place, share, bridge = self._between(nodes, times)
        after = np.minimum(place + 1, nodes.stop - 1)
        if self.samples is not None:
            draws = (1 - share) * self._drawn(item, place) + share * self._drawn(item, after)
            mean, spread = draws.mean(axis=0), np.sqrt(draws.var(axis=0) + bridge)
            if np.ndim(time) == 0:
                return Strength(float(mean[0]), float(spread[0]) if wanted else None)
            return Strength(mean, spread if wanted else None)
        mean = (1 - share) * self.strengths[place] + share * self.strengths[after]
        sd = None
        if wanted:
            variance, covariance = self._marginals()
            both = np.where(after > place, covariance[after], 0.0)
            total = (1 - share) ** 2 * variance[place] + share**2 * variance[after]
            sd = np.sqrt(total + 2 * share * (1 - share) * both + bridge)
        if np.ndim(time) == 0:
            return Strength(float(mean[0]), None if sd is None else float(sd[0]))
        return Strength(mean, sd)

    def _drawn(self, item: Any, nodes: npt.NDArray[Any]) -> Floats:
        """Draws of the nodes, chains after each other."""
        samples = self.samples
        assert samples is not None
        place = np.searchsorted(samples.nodes, nodes)
        if not np.isin(nodes, samples.nodes).all():
            raise KeyError(f"the draws of {shown(item)} were not kept; name it in keep")
        return samples.strengths[:, :, place].reshape(-1, len(nodes)).astype(np.float64)

    def _between(self, nodes: slice, times: Floats) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
        """The node at or before each time (the first, for earlier ones), how far towards the next, and the
        variance that the Wiener process adds.
        """
        own = self._lines.time[nodes]
        if np.isnan(own[0]):  # constant
            return np.full(len(times), nodes.start), np.zeros(len(times)), np.zeros(len(times))
        k = np.clip(np.searchsorted(own, times, side="right") - 1, 0, len(own) - 1)
        after = np.minimum(k + 1, len(own) - 1)
        before = np.maximum(times - own[k], 0.0)
        gap = np.where(after > k, own[after] - own[k], np.inf)
        share = before / gap
        outside = np.maximum(np.maximum(own[0] - times, times - own[-1]), 0.0)
        inside = np.where(after > k, before * (1 - share), 0.0)
        return nodes.start + k, share, self.volatility**2 * (inside + outside)

    def predict(self, a: Any, b: Any, time: Any, home: Any = 0, *, uncertainty: bool = True) -> Prediction:
        """Chances that a beats, ties or loses to b at some time.

        Parameters
        ----------
        a, b : label, or array_like of labels
        time : date or number, or array_like of them
            Arrays must have equal lengths; single values hold for all.
        home : int or array_like, default 0
            +1 where a is at home, -1 where b is, 0 neutral.
        uncertainty : bool, default True
            Average the chances over the joint posterior of the two strengths (and of the home advantage),
            by Gauss-Hermite quadrature; the tie parameter is taken as fitted. False: chances at the optimum,
            which are too sure.

        Returns
        -------
        Prediction

        Raises
        ------
        KeyError
            If a label is unknown, or was never compared.
        ValueError, TypeError
            If an argument does not fit.
        MemoryError
            As for `standard_errors`.

        Notes
        -----
        Averaging costs one solve with the sparse factor a pair.
        """
        labels = [self._listed(a), self._listed(b)]
        times, signs = np.atleast_1d(np.asarray(time)), np.atleast_1d(np.asarray(home))
        for name, values in (("time", times), ("home", signs)):
            if values.ndim > 1:
                raise ValueError(f"{name} must be single or 1-dimensional, got shape {values.shape}")
        if signs.dtype.kind not in "iub" or not np.isin(signs, (-1, 0, 1)).all():
            raise ValueError(f"home must be -1, 0 or +1, got {shown(home)}")
        if self.home_advantage is None and signs.any():
            raise ValueError("home must be 0 for a fit without home advantage (fit with home=True)")
        sizes = {len(labels[0]), len(labels[1]), len(times), len(signs)} - {1}
        if len(sizes) > 1:
            raise ValueError(f"a, b, time and home must have equal lengths, got {sorted(sizes)}")
        n = sizes.pop() if sizes else 1
        first, second = (np.broadcast_to(np.array(x, dtype=object), n) for x in labels)
        rows = self._leads(first, second, np.broadcast_to(times, n), np.broadcast_to(signs, n))
        wanted = check_flag(uncertainty, "uncertainty")
        if self.samples is not None and wanted:
            win, tie, loss = self._averaged_draws(first, second, *rows)
        else:
            win, tie, loss = self._averaged(*self._lead_moments(*rows, wanted))
        if all(np.ndim(x) == 0 for x in (time, home)) and not any(map(_is_list, (a, b))):
            return Prediction(float(win[0]), float(tie[0]), float(loss[0]))
        return Prediction(win, tie, loss)

    def _listed(self, labels: Any) -> list[Any]:
        return list(labels) if _is_list(labels) else [labels]

    def _leads(
        self, first: Any, second: Any, times: npt.NDArray[Any], signs: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.intp], Floats, Floats, npt.NDArray[Any]]:
        """Each lead as a sum over four nodes with coefficients, and the variance beside the nodes'."""
        n = len(times)
        nodes, factors, extra = np.zeros((n, 4), dtype=np.intp), np.zeros((n, 4)), np.zeros(n)
        units = self._lines.in_units(times)
        for k in range(n):
            for side, label in enumerate((first[k], second[k])):
                own = self._lines.nodes_of(label)
                place, share, bridge = self._between(own, units[k : k + 1])
                after = min(int(place[0]) + 1, own.stop - 1)
                nodes[k, 2 * side : 2 * side + 2] = place[0], after
                factors[k, 2 * side : 2 * side + 2] = np.array([1 - share[0], share[0]]) * (1 - 2 * side)
                extra[k] += bridge[0]
        return nodes, factors, extra, signs

    def _lead_moments(
        self, nodes: npt.NDArray[np.intp], factors: Floats, extra: Floats, signs: Any, uncertain: bool
    ) -> tuple[Floats, Floats | None]:
        lead = (self.strengths[nodes] * factors).sum(axis=1) + signs * (self.home_advantage or 0.0)
        if not uncertain:
            return lead, None
        posterior, size = self._posterior(), len(self) + len(self._extra_names)
        variance = extra.copy()
        for start in range(0, len(lead), _BATCH):
            rows = slice(start, start + _BATCH)
            right = np.zeros((size, len(lead[rows])))
            columns = np.arange(right.shape[1])
            for c in range(4):
                np.add.at(right, (nodes[rows, c], columns), factors[rows, c])
            if self.home_advantage is not None:
                right[-1] = signs[rows]
            variance[rows] += (right * posterior.solve(right)).sum(axis=0)
        return lead, variance

    @property
    def _extra_names(self) -> tuple[str, ...]:
        return self._problem.games.extra_names

    def _averaged(self, lead: Floats, variance: Floats | None) -> tuple[Any, Any, Any]:
        if variance is None:
            return outcome_chances(lead, self.ties, self.tie_parameter)
        points, weights = np.polynomial.hermite_e.hermegauss(40)
        x = lead[:, None] + np.sqrt(np.maximum(variance, 0.0))[:, None] * points
        weights = weights / weights.sum()
        win, tie, loss = (part @ weights for part in outcome_chances(x, self.ties, self.tie_parameter))
        return win, tie, loss

    def _averaged_draws(
        self, first: Any, second: Any, nodes: npt.NDArray[np.intp], factors: Floats, extra: Floats, signs: Any
    ) -> tuple[Floats, ...]:
        """Chances averaged over the draws, and over the Wiener process between dates."""
        samples = self.samples
        assert samples is not None
        points, weights = np.polynomial.hermite_e.hermegauss(15)
        chances = np.zeros((3, len(nodes)))
        for k in range(len(nodes)):
            x = np.zeros(samples.strengths.shape[0] * samples.strengths.shape[1])
            for side, label in enumerate((first[k], second[k])):
                own = slice(2 * side, 2 * side + 2)
                x += self._drawn(label, nodes[k, own]) @ factors[k, own]
            if samples.home_advantage is not None:
                x += signs[k] * samples.home_advantage.ravel()
            spread = x[:, None] + np.sqrt(extra[k]) * points
            tie: Any = self.tie_parameter
            if samples.tie_parameter is not None:
                tie = samples.tie_parameter.ravel()[:, None]
            parts = outcome_chances(spread, self.ties, tie)
            chances[:, k] = [(part @ (weights / weights.sum())).mean() for part in parts]
        return chances[0], chances[1], chances[2]

    def to_frame(
        self,
        *,
        items: Any = None,
        scale: str = "log",
        elo_mean: float = 1500.0,
        anchor: Mapping[Any, float] | None = None,
        uncertainty: bool = True,
    ) -> Mapping[str, npt.NDArray[Any]]:
        """Columns ``item``, ``time``, ``strength`` and ``standard_error``, one row a node.

        Parameters
        ----------
        items : sequence of labels, optional
            Only these; default all.
        scale : {'log', 'elo'}
            Natural-log strengths, or Elo points: ``elo_mean`` at strength 0, 400 / ln 10 a unit.
        elo_mean : float, default 1500
        anchor : mapping {label: rating}, optional
            The rating of one item at its last date, instead of `elo_mean`; all others move along. Standard
            errors stay those of the strengths, not of differences to the anchor.
        uncertainty : bool, default True
            Whether to give standard errors, which need the joint posterior.

        Returns
        -------
        dict of str to ndarray
            Any data frame library takes it.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, whole_history
        >>> games = Comparisons.from_pairs(["ann", "ben", "ann"], ["ben", "ann", "ben"], time=[0, 4, 9])
        >>> table = whole_history(games, volatility=0.1).to_frame(scale="elo", anchor={"ben": 1200})
        >>> table["item"].tolist(), table["strength"].round().tolist()
        (['ann', 'ann', 'ann', 'ben', 'ben', 'ben'], [1290.0, 1288.0, 1291.0, 1201.0, 1203.0, 1200.0])
        """
        nodes = np.arange(len(self))
        if items is not None:
            chosen = [np.r_[self._lines.nodes_of(item)] for item in label_list(items, "items")]
            if not chosen:
                raise ValueError("items must name at least one item, got none")
            nodes = np.concatenate(chosen)
        factor, zero = (1.0, 0.0)
        if check_choice(scale, "scale", ("log", "elo")) == "elo":
            factor, zero = ELO, check_number(elo_mean, "elo_mean")
        if anchor is not None:
            label, rating = read_anchor(anchor)
            zero = rating - factor * float(self._centres()[self._lines.nodes_of(label).stop - 1])
        table: dict[str, npt.NDArray[Any]] = {
            "item": self.items[self.node_items[nodes]],
            "time": self.node_times[nodes],
            "strength": zero + factor * self._centres()[nodes],
        }
        if check_flag(uncertainty, "uncertainty"):
            table["standard_error"] = factor * self.standard_errors[nodes]
        return table

    def _head(self, rows: int) -> tuple[Columns, int]:
        """Without standard errors, which need the joint posterior."""
        table = self.to_frame(uncertainty=False)
        return {name: column[:rows] for name, column in table.items()}, len(self)

    def _centres(self) -> Floats:
        if self.samples is None:
            return self.strengths
        out = self.strengths.copy()
        out[self.samples.nodes] = self.samples.strengths.mean(axis=(0, 1), dtype=np.float64)
        return out

    def latest(self, count: int = 5) -> list[Any]:
        """Labels of the items that are strongest at their last date, in the order of `items`.

        Parameters
        ----------
        count : int, default 5
            How many; fewer where fewer have been compared.

        Returns
        -------
        list of labels
        """
        lines, wanted = self._lines, check_count(count, "count")
        played = np.flatnonzero(np.diff(lines.starts))
        last = self._centres()[lines.starts[played + 1] - 1]
        best = np.sort(played[np.argsort(-last, kind="stable")[:wanted]])
        return [self.items[k] for k in best]

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str | None = None,
        data: str | None = None,
        notes: Sequence[str] = (),
        items: Any = None,
        scale: str = "elo",
        elo_mean: float = 1500.0,
        anchor: Mapping[Any, float] | None = None,
        level: float = 0.95,
    ) -> Path:
        """Write the history as one page of HTML that can be published as it is.

        Parameters
        ----------
        path : str or path
            Ends in .html; a file that is there is replaced.
        title : str, optional
            Default the number of items.
        data : str, optional
            What was followed, in a sentence.
        notes : sequence of str, optional
            Further sentences for its head.
        items : sequence of labels, optional
            Only these; default all.
        scale, elo_mean, anchor
            As in `to_frame`; the mean, or the anchor's rating, from -1e9 to 1e9.
        level : float, default 0.95
            Of intervals and bands, from posterior standard deviations.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ImportError
            If Jinja2 or matplotlib is missing: the extra `report` has both.
        KeyError, ValueError, TypeError
            If an argument does not fit.
        MemoryError
            As for `standard_errors`.

        Notes
        -----
        As `BradleyTerryFit.report`: a table of each item at its last date, and the six strongest drawn over
        time. The numbers of all dates are in it as CSV up to 5,000 rows; `to_frame` has them all.

        Examples
        --------
        >>> import tempfile
        >>> from steelyard.rank import Comparisons, whole_history
        >>> games = Comparisons.from_pairs(["ann", "ben"], ["ben", "ann"], time=[0, 9])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = whole_history(games, volatility=0.1).report(f"{folder}/tennis.html")
        ...     page.name
        'tennis.html'
        """
        target = check_page(path)
        chosen = None if items is None else label_list(items, "items")
        wanted = checked_wishes(title, data, notes, scale, elo_mean, anchor, level)
        return save(history_page(self, chosen, wanted, certificate(self.info)), target)

    def plot(self, items: Any = None, **options: Any) -> Any:
        """Strengths over time with bands; see `steelyard.plotting.plot_history`."""
        return plot_history(self, items, **options)


def _is_list(labels: Any) -> bool:
    return isinstance(labels, list | tuple | np.ndarray) and np.ndim(labels) > 0
