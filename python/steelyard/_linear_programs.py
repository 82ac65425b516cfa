"""Linear programs by HiGHS, which Ctrl-C and a callback can leave."""

from __future__ import annotations

import threading
from typing import Any

from ._validate import Progress

_PAUSE = 0.05  # seconds between two looks at the caller


def solve_linear_program(
    objective: Any, *, progress: Progress | None = None, done: float = 0.0, total: float = 0.0, **options: Any
) -> Any:
    """What `scipy.optimize.linprog` finds, given `options`; `progress(done, total)` is called meanwhile.

    SciPy has no way to stop HiGHS, which does not hold the interpreter: it runs in a thread of its own, which
    a KeyboardInterrupt leaves behind. It ends by itself, unheard; Python waits for it before it exits, as C++
    that is cut off there aborts.
    """
    from scipy.optimize import linprog

    found: list[Any] = []

    def run() -> None:
        try:
            found.append(linprog(objective, **options))
        except BaseException as error:
            found.append(error)

    worker = threading.Thread(target=run, name="HiGHS")
    try:
        worker.start()
    except RuntimeError:  # no memory for a thread's stack
        run()
    else:
        worker.join(_PAUSE)
    while worker.is_alive():
        if progress is not None:
            progress(done, total)
        worker.join(_PAUSE)
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]
