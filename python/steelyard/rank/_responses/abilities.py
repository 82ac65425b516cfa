"""What fits of persons and items share: abilities with errors, as a table and as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import DisconnectedError
from ..._results import Result
from ..._validate import check_level
from ...plotting import plot_estimates
from .._inference import normal_intervals

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class Abilities(Result):
    """Persons with an ability and its error each."""

    persons: Values
    abilities: Floats
    ability_errors: Floats

    def to_frame(self) -> dict[str, Values]:
        """Columns ``person``, ``ability``, ``standard_error``, ablest first.

        Returns
        -------
        dict of str to ndarray
        """
        order = np.argsort(-self.abilities, kind="stable")
        return {
            "person": self.persons[order],
            "ability": self.abilities[order],
            "standard_error": self.ability_errors[order],
        }

    def plot(self, *, level: float = 0.95, **options: Any) -> Any:
        """Abilities with intervals, ablest on top; see `steelyard.plotting.plot_estimates`.

        Parameters
        ----------
        level : float, default 0.95
            Of the intervals, by the normal approximation.
        **options
            As of `steelyard.plotting.plot_estimates`.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> from steelyard.rank import rasch
        >>> rasch([[1, 0, 1], [0, 1, 0], [1, 1, 0]]).plot().get_xlabel()
        'ability'
        """
        table = self.to_frame()
        _, lower, upper = normal_intervals(table["ability"], table["standard_error"], check_level(level))
        return plot_estimates({**table, "lower": lower, "upper": upper}, **options)


def refuse_extremes(answers: Values, right: Values, labels: Values, name: str) -> None:
    """Raises for labels whose answers are all right, all wrong or none, from the numbers of each."""
    for bad, text in (
        (answers == 0, "no answers"),
        ((answers > 0) & (right == 0), "no right answer"),
        ((answers > 0) & (right == answers), "right answers only"),
    ):
        if bad.any():
            names = ", ".join(str(label) for label in labels[bad][:5].tolist())
            more = ", ..." if bad.sum() > 5 else ""
            raise DisconnectedError(
                f"{bad.sum()} {name}s have {text} ({names}{more}): their place is infinite; leave them out "
                "or set prior > 0"
            )
