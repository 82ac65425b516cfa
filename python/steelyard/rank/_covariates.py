"""Covariates of comparisons: which columns take part, their units, and what was found of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._validate import check_choice, check_level, check_threads, check_vector
from ._votes import by_name

if TYPE_CHECKING:
    from ._comparisons import Comparisons
    from ._fit import BradleyTerryFit
    from ._model import Cells, ModelSpec

Array = npt.NDArray[np.float64]

_PROGRAM_SECONDS = 5.0


@dataclass(frozen=True)
class Covariates:
    """The columns that take part; kernels see them divided by their root mean squares."""

    names: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    spreads: tuple[float, ...] = ()
    standardize: bool = True

    def __len__(self) -> int:
        return len(self.names)

    @property
    def units(self) -> Array:
        """What the kernels' coefficients are multiplied by to be those that the user asked for."""
        return np.ones(len(self)) if self.standardize else 1.0 / np.array(self.spreads)

    def scaled(self, table: Comparisons) -> Array | None:
        """Rows x columns as the kernels have them, raveled."""
        if not self.names or table.covariates is None:
            return None
        return np.asarray((table.covariates[:, self.places] / np.array(self.spreads)).ravel())


def choose_columns(table: Comparisons, wanted: Any, standardize: bool) -> Covariates:
    """The columns that `covariates=` names, with their root mean squares over the comparisons."""
    if wanted is False or wanted is None:
        return Covariates()
    if table.covariates is None:
        raise ValueError(
            "covariates needs comparisons with covariates; give from_pairs(covariates=...) or from_frame(...)"
        )
    names = _names(table, wanted)
    places = tuple(table.covariate_names.index(name) for name in names)
    games = table._games()
    spreads = []
    for name, place in zip(names, places, strict=True):
        column = table.covariates[:, place]
        largest = float(np.abs(column).max())
        if largest == 0.0:
            raise ValueError(f"covariates: {name!r} is zero in every comparison")
        spreads.append(largest * math.sqrt(float(games @ (column / largest) ** 2) / float(games.sum())))
    return Covariates(names, places, tuple(spreads), standardize)


def _names(table: Comparisons, wanted: Any) -> tuple[str, ...]:
    if wanted is True:
        return table.covariate_names
    names = (wanted,) if isinstance(wanted, str) else wanted
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"covariates must be True, False or a list of names, got {wanted!r}")
    if len(names) == 0 or len(set(names)) < len(names):
        raise ValueError(f"covariates must name each column once, got {names!r}")
    for name in names:
        if name not in table.covariate_names:
            known = ", ".join(table.covariate_names)
            raise ValueError(f"covariates: no column {name!r}; the comparisons carry {known}")
    return tuple(names)


def rising_direction(cells: Cells, spec: ModelSpec) -> Array | None:
    """Of tie, home and coefficients, a direction along which the likelihood never falls, or None.

    By a linear program (HiGHS): wins ask dx >= u, losses -dx >= u, ties |dx| <= u, as
    csrc/rank/separation.hpp has it; a prior holds the strengths. Given up after a few seconds, for which
    Ctrl-C has to wait.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    graph, n, p = cells.graph, cells.graph.items, len(spec.covariates)
    edges = np.arange(len(graph.left))
    ends = np.ones(len(edges))
    blocks = [
        sparse.csr_array((ends, (edges, graph.left)), shape=(len(edges), n))
        - sparse.csr_array((ends, (edges, graph.right)), shape=(len(edges), n))
    ]
    if spec.home:
        blocks.append(sparse.csr_array(np.asarray(graph.home, dtype=np.float64)[:, None]))
    blocks.append(sparse.csr_array(np.asarray(graph.covariates).reshape(-1, p)))
    x = sparse.csr_array(sparse.hstack(blocks))
    won, lost = cells.wins > 0, cells.losses > 0
    parts, pull = [x[won], -x[lost]], [np.full(int(won.sum()), -1.0), np.full(int(lost.sum()), -1.0)]
    if spec.ties != "none" and cells.ties is not None:
        tied = cells.ties > 0
        parts += [x[tied], -x[tied]]
        pull += [np.ones(int(tied.sum()))] * 2
    asked = sparse.csr_array(sparse.vstack(parts))
    by_tie = np.concatenate(pull)[:, None] * (spec.ties != "none")
    asked = sparse.csr_array(sparse.hstack([asked[:, :n], sparse.csr_array(by_tie), asked[:, n:]]))
    held = (0.0, 0.0)
    bounds = [held if spec.prior > 0 or i == 0 else (-1.0, 1.0) for i in range(n)]
    bounds += [(-1.0, 1.0) if spec.ties != "none" else held] + [(-1.0, 1.0)] * spec.effects
    found = linprog(
        -asked.sum(axis=0),
        A_ub=-asked,
        b_ub=np.zeros(asked.shape[0]),
        bounds=bounds,
        options={"time_limit": _PROGRAM_SECONDS},
    )
    if found.x is None or -found.fun < 1e-7:
        return None
    return np.asarray(found.x[n + (spec.ties == "none") :])


@dataclass(frozen=True, repr=False, eq=False)
class Coefficients:
    """Effects of covariates on the outcome, in natural-log strength.

    A covariate z (left minus right) with coefficient b counts as b z more strength of the left item.

    Attributes
    ----------
    names : tuple of str
        Covariates.
    values : ndarray, shape (len(names),)
        For one root mean square of the covariate; for one of its own units with ``standardize=False``.
    scales : ndarray, shape (len(names),)
        The root mean squares over the comparisons, which `values` refer to (1 with ``standardize=False``).

    Examples
    --------
    One pair: ann wins 8 of 10 with the longer answer and 4 of 10 with the shorter one.

    >>> from steelyard.rank import Comparisons, bradley_terry
    >>> ann, ben = ["ann", "ann", "ben", "ben"], ["ben", "ben", "ann", "ann"]
    >>> longer = {"longer": [1.0, -1.0, -1.0, 1.0]}  # of the winner
    >>> games = Comparisons.from_pairs(ann, ben, count=[8, 4, 2, 6], covariates=longer)
    >>> found = bradley_terry(games, covariates=True).coefficients
    >>> print(round(found["longer"], 4), found.standard_errors().round(4))  # (log(8/2) - log(4/6)) / 2
    0.8959 [0.5103]
    >>> list(found.to_frame())
    ['name', 'value', 'standard_error', 'lower', 'upper', 'p_value']
    """

    names: tuple[str, ...]
    values: Array
    scales: Array
    _fit: BradleyTerryFit = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> float:
        if name not in self.names:
            raise KeyError(f"no covariate {name!r}, only {', '.join(self.names)}")
        return float(self.values[self.names.index(name)])

    def covariance(self, kind: str = "sandwich", *, n_threads: int | None = None) -> Array:
        """Covariance matrix of `values`.

        Parameters
        ----------
        kind : {'sandwich', 'hessian'}
            As in `BradleyTerryFit.covariance`.
        n_threads : int, optional
            Default: see `steelyard.build_info`.

        Returns
        -------
        ndarray, shape (len(names), len(names))

        Raises
        ------
        ValueError
            If `kind` is neither, or the information is singular to rounding.

        Notes
        -----
        One solve of the Newton system a coefficient.
        """
        units = self._fit._spec.covariates.units
        return np.asarray(self._standardized(kind, n_threads) * np.outer(units, units))

    def _standardized(self, kind: str, n_threads: int | None) -> Array:
        """Covariance for one root mean square of each, whatever the units of `values`."""
        from ._covariance import KINDS, extra_covariance

        kind = check_choice(kind, "kind", KINDS)
        full = extra_covariance(self._fit, kind, check_threads(n_threads))
        return full[-len(self) :, -len(self) :]

    def standard_errors(self, kind: str = "sandwich", *, n_threads: int | None = None) -> Array:
        """Standard errors of `values`, shape (len(names),); arguments as of `covariance`."""
        units = self._fit._spec.covariates.units
        return np.asarray(units * np.sqrt(np.diag(self._standardized(kind, n_threads))))

    def to_frame(self, *, level: float = 0.95, kind: str = "sandwich") -> dict[str, npt.NDArray[Any]]:
        """Columns ``name``, ``value``, ``standard_error``, ``lower``, ``upper`` and ``p_value``.

        Parameters
        ----------
        level : float, default 0.95
            Of the intervals, by the normal approximation.
        kind : {'sandwich', 'hessian'}
            As in `covariance`.

        Returns
        -------
        dict of str to ndarray
            ``p_value`` is two-sided, of no effect.
        """
        error = self.standard_errors(kind)
        half = NormalDist().inv_cdf(0.5 + check_level(level) / 2) * error
        far = np.abs(self.values) / (error * math.sqrt(2))
        return {
            "name": np.array(self.names),
            "value": self.values,
            "standard_error": error,
            "lower": self.values - half,
            "upper": self.values + half,
            "p_value": np.array([math.erfc(x) for x in far.tolist()]),
        }

    def __repr__(self) -> str:
        parts = (f"{name} {value:+.4g}" for name, value in zip(self.names, self.values, strict=True))
        return f"Coefficients({', '.join(parts)})"


def shift_of(spec: Covariates, coefficients: Array, given: Any, shape: tuple[int, ...]) -> Any:
    """What covariates in the user's units add to x in a prediction."""
    if given is None:
        return 0.0
    if not spec.names:
        raise ValueError(
            "covariates must be left out for a fit without covariates (fit with covariates=True)"
        )
    given = by_name(given)
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in spec.names]
        if unknown:
            raise ValueError(
                f"covariates: the fit has none called {unknown[0]!r}, only {', '.join(spec.names)}"
            )
        columns = [given.get(name, 0.0) for name in spec.names]
    else:
        array = np.asarray(given, dtype=object)
        if array.ndim == 0 or array.shape[-1] != len(spec):
            raise ValueError(f"covariates must have {len(spec)} columns ({', '.join(spec.names)})")
        columns = [array[..., k] for k in range(len(spec))]
    total: Any = np.zeros(shape)
    for name, column, spread, b in zip(spec.names, columns, spec.spreads, coefficients.tolist(), strict=True):
        values = check_vector(np.atleast_1d(column).tolist(), f"covariates[{name!r}]")
        if np.ndim(column) == 0:
            total = total + b * values[0] / spread
        elif total.shape in ((), values.shape):
            total = total + b * values / spread
        else:
            raise ValueError(f"covariates[{name!r}] must be one number, or one a prediction")
    return total
