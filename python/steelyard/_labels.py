"""Labels to positions, with one KeyError for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def position(places: Mapping[Any, int], label: Any, what: str = "item") -> int:
    """Where a label stands; KeyError if it is not there or can't be a label."""
    try:
        return places[label]
    except (KeyError, TypeError):  # TypeError: not hashable
        raise KeyError(f"no {what} {label!r} among the {len(places)} {what}s") from None


def positions(places: Mapping[Any, int], labels: Iterable[Any], what: str = "item") -> npt.NDArray[np.intp]:
    """Where each of some labels stands."""
    return np.array([position(places, label, what) for label in labels], dtype=np.intp)
