"""Labels to positions, with one KeyError for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._spelling import shown


def position(places: Mapping[Any, int], label: Any, what: str = "item") -> int:
    """Where a label stands; KeyError if it is not there or can't be a label."""
    try:
        return places[label]
    except (KeyError, TypeError, ValueError):  # the others: not hashable
        raise KeyError(f"no {what} {shown(label)} among the {len(places)} {what}s") from None


def label_list(labels: Any, name: str) -> list[Any]:
    """Labels one after the other; TypeError for what can't be gone through, and for a single text."""
    if isinstance(labels, str | bytes):
        raise TypeError(f"{name} must be a list of labels, got {shown(labels)}")
    try:
        return list(labels)
    except Exception:
        raise TypeError(f"{name} must be a list of labels, got {shown(labels)}") from None


def positions(places: Mapping[Any, int], labels: Iterable[Any], what: str = "item") -> npt.NDArray[np.intp]:
    """Where each of some labels stands."""
    return np.array([position(places, label, what) for label in labels], dtype=np.intp)
