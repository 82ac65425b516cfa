"""Covariates of comparisons: which columns take part, and their units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._spelling import shown
from ..._validate import check_vector
from .stored import Styled
from .votes import by_name

Array = npt.NDArray[np.float64]


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

    def scaled(self, table: Styled) -> Array | None:
        """Rows x columns as the kernels have them, raveled."""
        if not self.names or table.covariates is None:
            return None
        columns = table.covariates[:, self.places]  # a copy, and the only one
        columns /= np.array(self.spreads)
        return np.asarray(columns.ravel())


def choose_columns(table: Styled, wanted: Any, standardize: bool) -> Covariates:
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


def _names(table: Styled, wanted: Any) -> tuple[str, ...]:
    if wanted is True:
        return table.covariate_names
    names = (wanted,) if isinstance(wanted, str) else wanted
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"covariates must be True, False or a list of names, got {shown(wanted)}")
    if len(names) == 0 or len(set(names)) < len(names):
        raise ValueError(f"covariates must name each column once, got {shown(names)}")
    for name in names:
        if name not in table.covariate_names:
            known = ", ".join(table.covariate_names)
            raise ValueError(f"covariates: no column {name!r}; the comparisons carry {known}")
    return tuple(names)


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
