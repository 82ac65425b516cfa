"""Warnings and errors that every family shares, and the one rule for Ctrl-C."""

from __future__ import annotations

from typing import Any


class ConvergenceWarning(UserWarning):
    """A solver stopped before it reached its tolerance; the message says how far it is and what to do."""


class DisconnectedWarning(UserWarning):
    """Some items are compared through the prior alone, not through data."""


class DisconnectedError(ValueError):
    """The optimum is infinite or not unique since the data does not connect all items.

    Attributes
    ----------
    report : ComponentReport
        Who can't be compared with whom, and why.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class SeparationError(ValueError):
    """A parameter of the model has no finite optimum, or none at all, on this data.

    Attributes
    ----------
    parameter : str
        Name of the parameter.
    flat : bool
        The data does not determine it; else the likelihood keeps rising as it goes to infinity.
    """

    def __init__(self, message: str, parameter: str = "", flat: bool = False) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.flat = flat


def interrupted(partial: Any) -> KeyboardInterrupt:
    """KeyboardInterrupt that carries the best result so far as ``.partial``, None where there is none yet."""
    found = (
        "there is no result yet"
        if partial is None
        else "the exception's .partial holds the best result so far"
    )
    error = KeyboardInterrupt(f"interrupted; {found}")
    error.partial = partial  # type: ignore[attr-defined]
    return error


def report(progress: Any, done: float, total: float, partial: Any = None) -> None:
    """progress(done, total) from a loop in Python; a KeyboardInterrupt there is Ctrl-C like any other."""
    if progress is None:
        return
    try:
        progress(done, total)
    except KeyboardInterrupt:
        raise interrupted(partial) from None


def needs_sklearn(family: str) -> ImportError:
    """What the estimators of a family say where scikit-learn is not installed."""
    return ImportError(
        f'the estimators of steelyard.{family} need scikit-learn: pip install "steelyard[sklearn]"'
    )
