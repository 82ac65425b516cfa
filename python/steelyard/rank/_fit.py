"""The result of `bradley_terry`."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._info import Info
from .._validate import check_choice, check_number
from ._model import Cells, ModelSpec, cells_of

if TYPE_CHECKING:
    from ._bootstrap import BootstrapResult
    from ._comparisons import Comparisons
    from ._covariance import Contrast, Covariance
    from ._rank_intervals import RankIntervals, Tiers

Array = npt.NDArray[np.float64]

ELO = 400 / math.log(10)
SCALES = ("log", "elo", "probability")


@dataclass(frozen=True, kw_only=True)
class RankInfo(Info):
    """Info of a ranking.

    Attributes
    ----------
    shift : float
        What was taken from the fitted strengths to give them mean 0. Under a prior the optimum is not centred:
        ``strengths + info.shift`` is.
    """

    shift: float = 0.0

    @property
    def newton_decrement(self) -> float | None:
        """The certificate: `error_bound` by its name."""
        return self.error_bound


@dataclass(frozen=True)
class Prediction:
    """Chances of the three outcomes of a against b.

    Attributes
    ----------
    win, tie, loss : float or ndarray
        They add up to 1; `tie` is 0 for models without ties.
    """

    win: Any
    tie: Any
    loss: Any


@dataclass(frozen=True, repr=False, eq=False)
class BradleyTerryFit:
    """Strengths with their certificate.

    Attributes
    ----------
    strengths : ndarray, shape (n_items,)
        Natural-log strengths with mean 0, in the order of `items`; read-only.
    items : ndarray, shape (n_items,)
        Labels.
    tie_parameter : float or None
        Davidson's nu (0 without ties) or Rao and Kupper's theta (1 without ties); None where ties are not modelled.
    home_advantage : float or None
        In natural-log strength; None unless fitted.
    log_likelihood : float
        Of the data at the fit, the prior left out.
    info : RankInfo
        ``info.error_bound`` is the Newton decrement.
    comparisons : Comparisons
        What was fitted.
    prior : float
        Strength of the prior.
    ties : str
        How ties were treated.
    """

    strengths: Array
    items: npt.NDArray[Any]
    tie_parameter: float | None
    home_advantage: float | None
    log_likelihood: float
    info: RankInfo
    comparisons: Comparisons
    prior: float
    ties: str
    _spec: ModelSpec = field(repr=False)

    # ---- reading the result

    def __len__(self) -> int:
        return len(self.items)

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Positions of the items from strongest to weakest; equal strengths keep item order."""
        return np.argsort(-self.strengths, kind="stable")

    def index(self, item: Any) -> int:
        """Position of a label.

        Raises
        ------
        KeyError
            If there is no such item.
        """
        return self.comparisons.index(item)

    def predict(self, a: Any, b: Any, home: Any = 0) -> Prediction:
        """Chances that a beats, ties or loses to b.

        Parameters
        ----------
        a, b : label, or array_like of labels of equal length
            Items of the fit.
        home : int or array_like, default 0
            +1 where a is at home, -1 where b is, 0 neutral.

        Returns
        -------
        Prediction

        Raises
        ------
        KeyError
            If a label is unknown.
        ValueError
            If `home` is not -1, 0 or 1, or not 0 for a fit without home advantage.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"])
        >>> print(round(bradley_terry(games).predict("ann", "ben").win, 6))
        0.75
        """
        i, j = self._positions(a), self._positions(b)
        sign = np.asarray(home)
        if sign.dtype.kind not in "iub" or not np.isin(sign, (-1, 0, 1)).all():
            raise ValueError(f"home must be -1, 0 or +1, got {home!r}")
        if self.home_advantage is None and sign.any():
            raise ValueError("home must be 0 for a fit without home advantage (fit with home=True)")
        x = self.strengths[i] - self.strengths[j] + sign * (self.home_advantage or 0.0)
        win, tie, loss = outcome_chances(x, self.ties, self.tie_parameter)
        if np.ndim(x) == 0:
            return Prediction(float(win), float(tie), float(loss))
        return Prediction(win, tie, loss)

    def _positions(self, labels: Any) -> Any:
        if isinstance(labels, list | tuple | np.ndarray) and np.ndim(labels) > 0:
            return np.array([self.index(label) for label in labels], dtype=np.intp)
        return self.index(labels)

    def to_frame(
        self,
        *,
        scale: str = "log",
        elo_mean: float = 1000.0,
        anchor: Mapping[Any, float] | None = None,
        level: float = 0.95,
        uncertainty: str | BootstrapResult | None = "sandwich",
    ) -> Mapping[str, npt.NDArray[Any]]:
        """The leaderboard, strongest first, as a mapping of columns that any frame library takes.

        Parameters
        ----------
        scale : {'log', 'elo', 'probability'}
            Natural-log strengths; Elo points (400 / ln 10 of them per unit); or the chance to beat an average item.
        elo_mean : float, default 1000
            Mean rating of the Elo scale.
        anchor : mapping {label: rating}, optional
            One item whose rating is fixed instead of the mean; intervals are then relative to that item.
        level : float, default 0.95
            Of the intervals.
        uncertainty : {'sandwich', 'hessian'}, BootstrapResult or None
            Where the intervals come from; None leaves them out.

        Returns
        -------
        dict
            Columns ``item``, ``rating``, ``lower``, ``upper`` (``standard_error`` on the log and Elo scales):
            ``pandas.DataFrame(fit.to_frame())`` or ``polars.DataFrame(...)``.

        Raises
        ------
        ValueError
            If an argument does not fit.

        Notes
        -----
        Intervals are of contrasts with the mean of all items, or with the anchor. Cost: that of `standard_errors`.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> games = Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"])
        >>> table = bradley_terry(games).to_frame(scale="elo")
        >>> table["item"].tolist(), table["rating"].round(1).tolist()
        (['ann', 'ben'], [1095.4, 904.6])
        """
        from ._leaderboard import leaderboard

        scale = check_choice(scale, "scale", SCALES)
        return leaderboard(self, scale, check_number(elo_mean, "elo_mean"), anchor, level, uncertainty)

    def plot(self, **options: Any) -> Any:
        """Ratings with intervals, strongest on top; see `steelyard.plotting.plot_strengths`."""
        from ..plotting import plot_strengths

        return plot_strengths(self, **options)

    # ---- how sure

    def covariance(self, kind: str = "sandwich", *, items: Any = None) -> Covariance:
        """Covariance of the strengths; see `steelyard.rank.Covariance`."""
        from ._covariance import covariance

        return covariance(self, kind=kind, items=items)

    def standard_errors(self, reference: Any = "mean", *, kind: str = "sandwich", items: Any = None) -> Array:
        """Standard errors of strength differences with the mean of all items, or with one of them."""
        from ._covariance import standard_errors

        return standard_errors(self, reference=reference, kind=kind, items=items)

    def contrast(self, a: Any, b: Any, *, level: float = 0.95, kind: str = "sandwich") -> Contrast:
        """Strength of a minus strength of b with interval and p-value."""
        from ._covariance import contrast

        return contrast(self, a, b, level=level, kind=kind)

    def bootstrap(self, rounds: int = 1000, **options: Any) -> BootstrapResult:
        """Refit to resampled comparisons; see `steelyard.rank.BootstrapResult` for the options."""
        from ._bootstrap import bootstrap

        return bootstrap(self, rounds, **options)

    def rank_intervals(self, level: float = 0.95, **options: Any) -> RankIntervals:
        """The ranks that each item can have; see `steelyard.rank.RankIntervals` for the options."""
        from ._rank_intervals import rank_intervals

        return rank_intervals(self, level=level, **options)

    def tiers(self, level: float = 0.95, **options: Any) -> Tiers:
        """Groups of items that the data does not tell apart from the best of their group."""
        return self.rank_intervals(level, **options).tiers()

    # ---- for the other parts of the family

    def _cells(self) -> Cells:
        return cells_of(self.comparisons, self.ties, self._spec.home)

    def _point(self) -> dict[str, Any]:
        """The optimum as the kernels have it."""
        tie = 0.0 if self._spec.ties == "none" else math.log(self.tie_parameter or 1.0)
        return {
            "strengths": self.strengths + self.info.shift,
            "tie": tie,
            "home_advantage": self.home_advantage or 0.0,
        }

    # ---- showing it

    def _lines(self, top: int = 10) -> list[tuple[str, str]]:
        best = self.order[:top]
        rows = [(str(self.items[i]), f"{self.strengths[i]:+.4f}") for i in best]
        if len(self) > top:
            rows.append((f"... {len(self) - top} more", ""))
        return rows

    def _summary(self) -> str:
        parts = [f"{len(self)} items", f"{self.comparisons.n_comparisons:g} comparisons", f"ties={self.ties!r}"]
        if self.prior:
            parts.append(f"prior={self.prior:g}")
        if self.tie_parameter is not None:
            parts.append(f"tie parameter {self.tie_parameter:.4g}")
        if self.home_advantage is not None:
            parts.append(f"home advantage {self.home_advantage:.4g}")
        return ", ".join(parts)

    def _certificate(self) -> str:
        bound = math.inf if self.info.error_bound is None else self.info.error_bound
        state = "converged" if self.info.converged else "NOT converged"
        return f"{state}: within {bound:.2g} standard errors of the optimum ({self.info.solver})"

    def __repr__(self) -> str:
        rows = self._lines()
        width = max(len(name) for name, _ in rows)
        table = "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
        return f"BradleyTerryFit: {self._summary()}\n{self._certificate()}\n{table}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        return (
            f"<div><b>BradleyTerryFit</b>: {html.escape(self._summary())}<br>{html.escape(self._certificate())}"
            f"<table><thead><tr><th>item</th><th>strength</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )


def outcome_chances(x: Any, ties: str, parameter: float | None) -> tuple[Any, Any, Any]:
    """(win, tie, loss) at strength difference x; exact for |x| as large as float64 goes."""
    x = np.asarray(x, dtype=np.float64)
    if ties == "rao-kupper":
        delta = math.log(parameter or 1.0)
        win, loss = _sigma(x - delta), _sigma(-x - delta)
        tie = math.expm1(2 * delta) * win * loss
        return win, tie, loss
    nu = (parameter or 0.0) if ties == "davidson" else 0.0
    e = np.exp(-0.5 * np.abs(x))
    v = 1.0 / (1.0 + e * e + nu * e)
    strong, weak = v, e * e * v
    return np.where(x < 0, weak, strong), nu * e * v, np.where(x < 0, strong, weak)


def _sigma(y: Any) -> Any:
    e = np.exp(-np.abs(y))
    return np.where(y < 0, e, 1.0) / (1.0 + e)
