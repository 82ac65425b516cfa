"""Work in a forked child of a process whose thread pool has run."""

from __future__ import annotations

import os
import pickle
import select
import signal
import warnings
from collections.abc import Callable
from typing import Any

from steelyard import _core


def in_fork(function: Callable[..., Any], *args: Any, timeout: float = 30.0) -> Any:
    """function(*args) in a forked child, after the parent's pool has started its threads.

    Fails when the child raises, dies or does not answer within `timeout` seconds.
    """
    _core.testing._busy(0.008, 2)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python warns of every fork in a process with threads. That this works is what is tested.
        warnings.filterwarnings("ignore", message=".*multi-threaded.*", category=DeprecationWarning)
        child = os.fork()
    if child == 0:
        _answer(writer, function, args)
    os.close(writer)
    try:
        payload = _read(reader, timeout)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(reader)
        os.waitpid(child, 0)
    assert payload, "the child died without an answer"
    good, value = pickle.loads(payload)
    if not good:
        raise AssertionError(f"the child raised {value}")
    return value


def _answer(writer: int, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        payload = pickle.dumps((True, function(*args)))
    except BaseException as error:
        payload = pickle.dumps((False, repr(error)))
    with os.fdopen(writer, "wb") as stream:
        stream.write(payload)
    os._exit(0)  # no test runner may go on in the child


def _read(reader: int, timeout: float) -> bytes:
    parts = []
    while True:
        if not select.select([reader], [], [], timeout)[0]:
            raise TimeoutError(f"the forked child hangs: no answer within {timeout} s")
        part = os.read(reader, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
