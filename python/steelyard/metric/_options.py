"""Arguments of nearest_metric once they are checked."""

from __future__ import annotations

from dataclasses import dataclass

from .._validate import Progress


@dataclass(frozen=True)
class Options:
    """What every solver of nearest_metric asks for."""

    norm: str
    decrease_only: bool
    tol: float
    max_iter: int
    threads: int
    progress: Progress | None
