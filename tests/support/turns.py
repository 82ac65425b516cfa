"""Tests that must run alone, with any number of workers."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Shares the room with others that share it; or has it alone, as soon as those inside have left.

    The door is held only until its owner is inside: who waits to be alone keeps later ones out, and
    waits for no more than one test of each worker.
    """
    with _locked(folder / "room") as room:
        with _locked(folder / "door") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """An open file, unlocked at the end even where a forked child still has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        yield file
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)
