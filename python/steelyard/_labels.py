"""Labels to positions, with one KeyError for all; labels that look alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._errors import warn
from ._spelling import shown

_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_SHOWN = 3  # groups


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


def warn_of_twins(labels: Iterable[Any], what: str) -> None:
    """Warns of labels that differ only in spaces or in how their letters are composed, and names them."""
    looks: dict[str, list[str]] = {}
    twins: dict[str, list[str]] = {}
    for label in labels:
        if isinstance(label, str):
            alike = looks.setdefault(_look(label), [])
            alike.append(label)
            if len(alike) > 1:
                twins[_look(label)] = alike
    if not twins:
        return
    groups = [" and ".join(map(ascii, sorted(group))) for group in list(twins.values())[:_SHOWN]]
    more = f", and {len(twins) - _SHOWN} more" if len(twins) > _SHOWN else ""
    warn(
        f"{what} that look alike count as different: {'; '.join(groups)}{more} (spaces, or letters with "
        "accents written in two ways): make them one, or rename them",
        UserWarning,
    )


def _look(label: str) -> str:
    """The label without what can't be seen."""
    if not label.isascii():
        label = unicodedata.normalize("NFC", label).translate(_UNSEEN)
    return " ".join(label.split())
