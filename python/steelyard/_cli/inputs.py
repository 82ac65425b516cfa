"""From what was typed to files that DuckDB reads: patterns, pipes, compression, encodings and kinds."""

from __future__ import annotations

import argparse
import bz2
import codecs
import errno
import glob
import gzip
import lzma
import os
import shutil
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .usage import UsageError

_HEAD = 1 << 18
_PIECE = 1 << 20
_UNPACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_FOREIGN = {
    b"PK\x03\x04": "is a zip archive or a sheet of Excel: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is a sheet of Excel: save it as CSV",
    b"\x28\xb5\x2f\xfd": "is packed by zstd: give zstdcat's output, as in zstdcat FILE | steelyard ... -",
    b"\x93NUMPY": "is an array of NumPy: give a table with a header",
    b"SQLite format 3": "is a database: export the table as CSV",
}
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_KINDS = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json",
    ".pgn": "pgn", ".parquet": "parquet",
}  # fmt: skip


@dataclass
class Input:
    """One file: how messages call it, what it holds, and UTF-8 or Parquet on disk that can be read twice."""

    name: str
    kind: str  # csv, json, pgn, parquet
    path: Path
    head: str  # its first characters; '' of Parquet
    packed: bool = False  # by gzip, which DuckDB unpacks
    encoding: str = "utf-8"  # that it came in


@dataclass
class Inputs:
    """The files of one command, and the folder of their copies, which goes with this."""

    files: list[Input]
    folder: Path | None = field(default=None, repr=False)

    def copy(self, suffix: str = "") -> Path:
        """A new file in the folder of copies."""
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="steelyard-"))
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        handle, name = tempfile.mkstemp(suffix=suffix, dir=self.folder)
        os.close(handle)
        return Path(name)


def add_files(parser: argparse.ArgumentParser, what: str) -> None:
    """The files, and how they are written."""
    parser.add_argument("file", metavar="FILE", nargs="+", help=what)
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """How files of text are written."""
    reading = parser.add_argument_group("reading")
    reading.add_argument(
        "--encoding",
        metavar="NAME",
        type=_encoding,
        help="of the text, such as latin-1 (default: UTF-8, or UTF-16)",
    )
    reading.add_argument(
        "--separator", metavar="C", type=_separator, help="between the columns of CSV (default: found out)"
    )
    reading.add_argument(
        "--decimal",
        metavar="MARK",
        choices=["point", "comma"],
        default="point",
        help="of numbers in CSV: point (the default) or comma, as in 1,5 or 1.234,5",
    )


def _encoding(text: str) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError:
        raise argparse.ArgumentTypeError(
            f"must be an encoding such as latin-1 or cp1252, got {text!r}"
        ) from None


def _separator(text: str) -> str:
    found = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " "}.get(text, text)
    if len(found) != 1 or found in '"\n\r':
        raise argparse.ArgumentTypeError(f"must be one character or the word tab, got {text!r}")
    return found


def open_inputs(names: Sequence[str], encoding: str | None, row: str, others: Sequence[str] = ()) -> Inputs:
    """All files; `row` is what a row should be, `others` what else may be given."""
    inputs = Inputs([])
    for name in _expanded(names, others):
        inputs.files.append(_opened(name, inputs, encoding, row))
    return inputs


def _expanded(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """Patterns as the files that fit, sorted by name; a file whose name looks like a pattern is itself."""
    found: list[str] = []
    for name in names:
        if name == "-" or Path(name).exists():
            found.append(name)
            continue
        fitting = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []
        if not fitting:
            kinds = ", or ".join(["a CSV, Parquet or JSON file", *others])
            what = f"no file fits {name!r}" if glob.has_magic(name) else f"there is no file {name!r}"
            raise UsageError(f"{what}; give {kinds}")
        found.extend(fitting)
    if found.count("-") > 1:
        raise UsageError("the standard input (-) can be read once")
    return found


def _opened(name: str, inputs: Inputs, encoding: str | None, row: str) -> Input:
    path = Path(name)
    shown = "standard input" if name == "-" else name
    if name != "-" and path.is_dir():
        raise UsageError(f"{name!r} is a folder; give a CSV, Parquet or JSON file")
    try:
        if name == "-" or not stat.S_ISREG(path.stat().st_mode):
            path = _drained(sys.stdin.buffer if name == "-" else path, inputs)
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise UsageError(f"can't read {shown!r}: {error.strerror or error}") from None
    for magic, says in _FOREIGN.items():
        if start.startswith(magic):
            raise UsageError(f"{shown!r} {says}")
    if not start:
        raise UsageError(f"{shown!r} is empty; give a file with a header and one {row} a row")
    if start.startswith(b"PAR1"):
        return Input(shown, "parquet", path, "")
    return _text(shown, name, path, start, inputs, encoding, row)


def _drained(stream: IO[bytes] | Path, inputs: Inputs) -> Path:
    """A copy of what can be read once."""
    copy = inputs.copy()
    with stream.open("rb") if isinstance(stream, Path) else stream as source, writing(copy) as target:
        shutil.copyfileobj(source, target, _PIECE)
    return copy


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A copy to write; a full disk is said."""
    try:
        with path.open("wb") as stream:
            yield stream
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise
        folder = tempfile.gettempdir()
        raise UsageError(
            f"no room in {folder} for a copy of what is read; set TMPDIR to a folder that has"
        ) from None


def _text(
    shown: str, name: str, path: Path, start: bytes, inputs: Inputs, encoding: str | None, row: str
) -> Input:
    unpack = next((how for magic, how in _UNPACKED.items() if start.startswith(magic)), None)
    try:
        with (unpack or open)(path, "rb") as stream:
            head = stream.read(_HEAD)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UsageError(f"can't unpack {shown!r}: {error}") from None
    if not head:
        raise UsageError(f"{shown!r} is empty; give a file with a header and one {row} a row")
    found = encoding or _encoding_of(head)
    try:
        text = codecs.getincrementaldecoder(found)().decode(head)
    except UnicodeError as error:
        if not isinstance(error, UnicodeDecodeError) or found != "utf-8":
            raise UsageError(f"{shown!r} is not written in {found}: {error}") from None
        raise not_utf8(shown, head[: error.start].count(b"\n") + 1, head[error.start]) from None
    kind = _kind_of(name, text)
    plain = codecs.lookup(found).name in ("utf-8", "ascii") or (found == "utf-8-sig" and kind == "csv")
    if plain and unpack in (None, gzip.open):
        return Input(shown, kind, path, text, packed=unpack is not None, encoding=found)
    copy = inputs.copy()
    try:
        with (unpack or open)(path, "rb") as source, writing(copy) as target:
            _transcode(source, target, found)
    except UnicodeError as error:
        raise UsageError(f"{shown!r} is not written in {found}: {error}") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise UsageError(f"can't unpack {shown!r}: {error}") from None
    return Input(shown, kind, copy, text, encoding=found)


def not_utf8(name: str, line: int, byte: int) -> UsageError:
    """What to do about a text in an encoding of its own."""
    return UsageError(
        f"{name} line {line} is not UTF-8 (byte 0x{byte:02x}): give its encoding, such as --encoding latin-1 "
        "or cp1252"
    )


def _transcode(source: IO[bytes], target: IO[bytes], encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    while piece := source.read(_PIECE):
        target.write(decoder.decode(piece).encode("utf-8"))
    target.write(decoder.decode(b"", final=True).encode("utf-8"))


def _encoding_of(head: bytes) -> str:
    """By the byte order mark, or the zeros that every other byte of UTF-16 is in most files; else UTF-8."""
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding
    even, odd = head[:1024:2].count(0), head[1:1024:2].count(0)
    most = len(head[:1024]) // 4
    if max(even, odd) > most and min(even, odd) * 8 < most:
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def _kind_of(name: str, text: str) -> str:
    for suffix in reversed(Path(name).suffixes[-2:]):
        kind = _KINDS.get(suffix.lower())
        if kind == "parquet":
            raise UsageError(f"{name!r} is no Parquet file: it does not begin as one")
        if kind:
            return kind
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("{") or (start.startswith("[") and start[1:].lstrip()[:1] in ("{", "]")):
        return "json"
    return "pgn" if start.startswith("[") and start[1:].lstrip()[:1].isalpha() else "csv"
