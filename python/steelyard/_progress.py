"""Progress that people see, by tqdm, rich or plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, Self

from ._spelling import shown
from ._validate import Progress, check_choice, check_count

KINDS = ("auto", "tqdm", "rich", "plain")
_PAUSE = 0.2  # seconds between plain lines


class _Shown(Protocol):
    def move(self, done: float, total: float) -> None: ...
    def say(self, words: str) -> None: ...
    def close(self) -> None: ...


def _load_tqdm() -> Any:
    try:
        from tqdm import auto
    except ImportError:
        raise _missing("tqdm") from None
    return auto


def _load_rich() -> Any:
    try:
        from rich import console, progress
    except ImportError:
        raise _missing("rich") from None
    return console, progress


def _missing(package: str) -> ImportError:
    return ImportError(
        f'a progress bar of kind={package!r} needs {package}: pip install "steelyard[progress]"'
    )


_LOADERS = {"tqdm": _load_tqdm, "rich": _load_rich}


class _Tqdm:
    def __init__(self, label: str) -> None:
        self._bar = _load_tqdm().tqdm(desc=label or None, leave=False)

    def move(self, done: float, total: float) -> None:
        self._bar.total = total if total > 0 else None
        if done < self._bar.n:
            self._bar.reset()
        self._bar.update(done - self._bar.n)

    def say(self, words: str) -> None:
        self._bar.set_description(words, refresh=False)

    def close(self) -> None:
        self._bar.close()


class _Rich:
    def __init__(self, label: str) -> None:
        console, progress = _load_rich()
        self._bar = progress.Progress(console=console.Console(file=sys.stderr), transient=True)
        self._task = self._bar.add_task(label, total=None)
        self._bar.start()

    def move(self, done: float, total: float) -> None:
        self._bar.update(self._task, completed=done, total=total if total > 0 else None)

    def say(self, words: str) -> None:
        self._bar.update(self._task, description=words)

    def close(self) -> None:
        self._bar.stop()


class _Plain:
    def __init__(self, label: str) -> None:
        self._words, self._last, self._wide = label, 0.0, 0

    def move(self, done: float, total: float) -> None:
        now = time.monotonic()
        if now - self._last < _PAUSE and done != total:
            return
        self._last = now
        far = f"{done / total:.0%}" if total > 0 else f"{done:g}"
        self._write(f"{self._words} {far}".lstrip())

    def say(self, words: str) -> None:
        self._words = words

    def close(self) -> None:
        self._write("")
        sys.stderr.write("\r")
        sys.stderr.flush()

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r{line:<{self._wide}}")
        sys.stderr.flush()
        self._wide = max(self._wide, len(line))


_BACKENDS: dict[str, Callable[[str], _Shown]] = {"tqdm": _Tqdm, "rich": _Rich, "plain": _Plain}


class Bar:
    """What `progress_bar` gives: a callable for `progress=`, and a context that takes the bar away."""

    def __init__(self, label: str, kind: str) -> None:
        self._label, self._kind = label, kind
        self._open: _Shown | None = None

    def __call__(self, done: float, total: float) -> None:
        """Moves to `done` of `total`; below 1 the total is not known. At the end the bar goes."""
        if self._kind == "none":
            return
        if self._open is None:
            self._open = _BACKENDS[self._kind](self._label)
        self._open.move(done, total)
        if 0 < total <= done:
            self.close()

    def best(self, cost: float, low: float) -> None:
        """What solvers with two bounds tell beside: the best cost so far, and what any must cost."""
        ratio = f"{cost / low:.4g}" if low > 0 else "unknown"
        words = f"{self._label}: cost {cost:.6g}, at least {low:.6g}, ratio {ratio}".removeprefix(": ")
        if self._open is not None:
            self._open.say(words)

    def close(self) -> None:
        """Takes the bar away; the next call shows it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of the interpreter little is left
            self.close()


def progress_bar(label: str = "", *, kind: str = "auto") -> Bar:
    """A bar for the `progress` of any call that can take seconds.

    Parameters
    ----------
    label : str, default ''
        Stands before the bar.
    kind : {'auto', 'tqdm', 'rich', 'plain'}
        Who draws it: tqdm (`tqdm.auto`, a widget in notebooks that have ipywidgets), rich, or lines of text
        without any package. 'auto': tqdm in a notebook and rich on a terminal where they are installed, else
        the other of them or plain lines; and nothing where nobody looks, as in a job.

    Returns
    -------
    callable
        ``bar(done, total)``. As a context manager it takes the bar away at the end of the block, and else at
        its total or when it is no longer held.

    Raises
    ------
    ImportError
        If what was asked for by name is not installed: the extra `progress` has both.
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import steelyard
    >>> from steelyard.rank import Comparisons, bradley_terry
    >>> games = Comparisons.from_counts([[0, 3], [1, 0]], items=["ann", "ben"])
    >>> with steelyard.progress_bar("fitting") as bar:
    ...     fit = bradley_terry(games, progress=bar)
    """
    if not isinstance(label, str):
        raise TypeError(f"label must be a text, got {shown(label)}")
    kind = check_choice(kind, "kind", KINDS)
    if kind == "auto":
        kind = _usual()
    elif kind != "plain":
        _LOADERS[kind]()
    return Bar(label, kind)


@contextmanager
def progress_of(verbose: object, label: str, given: Progress | None = None) -> Iterator[Progress | None]:
    """What an estimator hands on: what it was given, or with `verbose` a bar of its own."""
    wanted = verbose if isinstance(verbose, bool) else check_count(verbose, "verbose", least=0)
    if given is not None or not wanted:
        yield given
        return
    with progress_bar(label) as bar:
        yield bar


def _usual() -> str:
    """What 'auto' means here and now."""
    notebook = _in_notebook()
    if not notebook and not _is_terminal():
        return "none"
    for kind in ("tqdm", "rich") if notebook else ("rich", "tqdm"):
        with suppress(ImportError):
            _LOADERS[kind]()
            return kind
    return "plain"


def _in_notebook() -> bool:
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ in {"ZMQInteractiveShell", "Shell"}  # Jupyter, Colab


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
