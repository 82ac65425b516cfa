"""Files that are written whole or not at all."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .usage import UsageError


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A new file in the folder of `path`, with its suffix, that takes its place once it is whole.

    On any error or Ctrl-C it is removed, and what `path` held before stands. An OSError becomes a line that
    says why. What is no ordinary file (a pipe, a device) is written where it is.
    """
    try:
        target = path.resolve()  # a link stays; the file that it points to is replaced
        if target.exists() and not target.is_file():
            yield path
            return
        beside = _new_file(target)
        try:
            yield beside
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"can't write {str(path)!r}: {error.strerror or error}") from None


def _new_file(target: Path) -> Path:
    """Empty, with the permissions that `target` has or would have been given."""
    if target.exists():
        with target.open("ab"):  # a file that may not be written may not be replaced either
            pass
        mode = target.stat().st_mode & 0o777
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    handle, name = tempfile.mkstemp(prefix=".steelyard-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    with suppress(OSError):  # file systems without permissions
        os.chmod(name, mode)
    return Path(name)


def refuse_inputs(inputs: list[str], outputs: dict[str, Path | None]) -> None:
    """An output that is one of the files to read, by whatever name, is refused before any work."""
    for option, path in outputs.items():
        if path is None or not path.exists():
            continue
        for file in [one for name in inputs for one in ([name] if Path(name).exists() else glob.glob(name))]:
            if os.path.samefile(path, file):
                raise UsageError(
                    f"{option} {str(path)!r} is the file that is read; write to another, or it would be lost"
                )
