"""Warnings and errors that every family shares, the one ending of a solver and the one rule for Ctrl-C."""

from __future__ import annotations

import sys
import warnings
from typing import Any, TypeVar

from . import _core

Result = TypeVar("Result")

# scikit-learn calls the methods of its estimators in the user's name (fit_transform, set_output).
_NOT_THE_USER = ("steelyard", "sklearn")


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


class WordError(ValueError):
    """A cell holds a word where a number is asked for; `word` is what it holds."""

    def __init__(self, message: str, word: object = None) -> None:
        super().__init__(message)
        self.word = word


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


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the first line that is not this package's, however deep the call."""
    depth, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _NOT_THE_USER:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, category, stacklevel=depth)


def finish(result: Result, who: str, *, info: Any = None, n_threads: int | None = None) -> Result:
    """The result as a caller should get it: Ctrl-C with what there is, or a warning.

    `info` is what `result` says of itself where that is not ``result.info``; `n_threads` is what was asked
    for, of which the account speaks where it is more than can be of use.
    """
    account = result.info if info is None else info  # type: ignore[attr-defined]
    note_threads(account, n_threads)
    if account.interrupted:
        raise interrupted(result)
    if not account.converged:
        warn(f"{who} did not reach tol={account.tol:g}: {account.message}", ConvergenceWarning)
    return result


def note_threads(account: Any, n_threads: int | None) -> None:
    """Let an Info that nobody has seen yet speak of threads that were asked for in vain."""
    if n_threads is not None and n_threads > (most := _core._most_threads()):
        told = f"n_threads={n_threads} is more than can be of use here: {most} were allowed"
        object.__setattr__(account, "message", "; ".join(filter(None, [account.message, told])))


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
