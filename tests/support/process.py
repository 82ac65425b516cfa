"""Calls in fresh processes, since instruction set and imported modules are settled once a process."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
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


def _search_path() -> str:
    return os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))


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
