"""Calls in other processes, since instruction set and imported modules are settled once a process."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]


def run_python(code: str, *, check: bool = True, **env: str) -> str:
    """Stdout of a fresh interpreter; with check=False its stderr, and it must fail."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **env}, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode == 0) == check, done.stderr
    return done.stdout if check else done.stderr


def call_elsewhere(function: Callable[..., Any], *args: Any, env: dict[str, str] | None = None) -> Any:
    """function(*args) in a fresh process. The function lives at the top of a module; all else is pickled."""
    with tempfile.TemporaryDirectory() as folder:
        task, answer = Path(folder, "task"), Path(folder, "answer")
        task.write_bytes(pickle.dumps((function.__code__.co_filename, function.__name__, args)))
        done = subprocess.run(
            [sys.executable, __file__, str(task), str(answer)],
            env={**os.environ, "PYTHONPATH": _search_path(), **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert answer.exists(), done.stderr or f"exit code {done.returncode}"
        return pickle.loads(answer.read_bytes())


def call_in_copy(
    function: Callable[..., Any], *args: Any, loads: str, env: dict[str, str] | None = None
) -> Any:
    """As call_elsewhere, in a fork of a process that has `env` and has done nothing but load test modules.

    To load them, `loads` among them, is most of what a fresh process takes: this is many times faster.
    """
    with tempfile.TemporaryDirectory() as folder:
        task, answer, said = (Path(folder, name) for name in ("task", "answer", "said"))
        task.write_bytes(pickle.dumps((function.__code__.co_filename, function.__name__, args)))
        variables = {**os.environ, "PYTHONPATH": _search_path(), **(env or {})}
        variables.pop("PYTEST_CURRENT_TEST", None)
        original = _original(tuple(sorted(variables.items())))
        assert original.stdin is not None
        assert original.stdout is not None
        print(json.dumps([loads, str(task), str(answer), str(said)]), file=original.stdin, flush=True)
        code = original.stdout.readline().strip()
        assert answer.exists(), (said.exists() and said.read_text()) or f"exit code {code}"
        return pickle.loads(answer.read_bytes())


@functools.cache
def _original(variables: tuple[tuple[str, str], ...]) -> subprocess.Popen[str]:
    """A process of this environment that forks on demand, until this one ends."""
    original = subprocess.Popen(
        [sys.executable, "-c", "from support import process; process._serve()"],
        env=dict(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(original.communicate)
    return original


def _serve() -> None:
    for line in sys.stdin:
        loads, task, answer, said = json.loads(line)
        with contextlib.suppress(Exception):  # the child will raise it where it is seen
            _load(loads)
        child = os.fork()
        if child == 0:
            _answer(task, answer, said)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _answer(task: str, answer: str, said: str) -> None:
    signal.alarm(120)
    code = 1
    try:
        output = os.open(said, os.O_WRONLY | os.O_CREAT)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _main(task, answer)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _search_path() -> str:
    return os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))


@functools.cache
def _load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def _main(task: str, answer: str) -> None:
    path, name, args = pickle.loads(Path(task).read_bytes())
    Path(answer).write_bytes(pickle.dumps(getattr(_load(path), name)(*args)))


if __name__ == "__main__":
    # The script's own folder comes first on the path: its modules must not hide others.
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]
    _main(*sys.argv[1:])
