"""Files and the data that comes with the package, as DuckDB reads them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from .inputs import Inputs, open_inputs
from .readers import Reader, joined, reader_of
from .separated import MOST_COLUMNS, too_wide
from .usage import UsageError, require

Step = Callable[[Any], Any]
_PLACE = "steelyard_place"


@dataclass(frozen=True)
class Preset:
    """What differs between a file and the data that comes with the package."""

    item: str = "item"
    comparison: str = "comparison"
    prior: float | None = None
    years: int | None = None
    cluster: str | None = None


@dataclass(frozen=True)
class Source:
    """Rows that DuckDB reads when they are needed, and what happens to them on the way."""

    name: str
    preset: Preset
    connection: Any  # DuckDB 1.1 closes it under the relation once nothing holds it
    base: Any
    readers: tuple[Reader, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()  # stand in the first line

    @cached_property
    def relation(self) -> Any:
        return self._after(self.base)

    @property
    def columns(self) -> list[str]:
        return list(self.types)

    @cached_property
    def types(self) -> dict[str, str]:
        """Of each column, in order, as DuckDB calls it."""
        relation = self.relation
        return {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}

    @property
    def note(self) -> str:
        return ", ".join(self.notes)

    def then(self, step: Step, *notes: str) -> Source:
        """With one more step, which keeps columns that it does not know, and what to say of it."""
        return replace(self, steps=(*self.steps, step)).noted(*notes)

    def noted(self, *notes: str) -> Source:
        """With more to say."""
        return replace(self, notes=(*self.notes, *filter(None, notes)))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """DuckDB's errors, as what is wrong with which line of which file, where that can be found out."""
        duckdb = require("duckdb", "cli")
        try:
            yield
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except duckdb.Error as error:
            if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            again = [reader for reader in self.readers if reader.mend()]
            if again:
                raise Mended from None
            raise _in_short(f"read {self.name}", error) from None

    def row(self, place: int) -> str:
        """What a row of the relation is called: the file, and the line where it has lines."""
        with self.reading():
            numbered = self._after(self.base.project(f"*, row_number() OVER () - 1 AS {_PLACE}"))
            ((found,),) = numbered.limit(1, offset=place).project(_PLACE).fetchall()
            if not self.readers:
                return f"row {found} of {self.name}"
            for reader in self.readers[:-1]:
                rows = reader.count(self.connection)
                if found < rows:
                    return reader.row(found)
                found -= rows
            return self.readers[-1].row(found)

    def _after(self, relation: Any) -> Any:
        for step in self.steps:
            relation = step(relation)
        return relation


class Mended(Exception):  # noqa: N818
    """A file was not clean and has a clean copy now: the command starts again."""


@contextmanager
def duckdb_errors(name: str, deed: str) -> Iterator[None]:
    """DuckDB's errors run over many lines; the first says what is wrong."""
    duckdb = require("duckdb", "cli")
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        raise _in_short(f"{deed} {name}", error) from None


def _in_short(what: str, error: Exception) -> UsageError:
    number = str(error).partition('"errno":"')[2].partition('"')[0]  # what the system says, wrapped in JSON
    if number.isdigit():
        return UsageError(f"can't {what}: {os.strerror(int(number))}")
    text = [line.strip() for line in str(error).splitlines() if line.strip()]
    return UsageError(f"can't {what}: {' '.join(text[:2])}")


def open_source(
    options: argparse.Namespace, presets: Mapping[str, Preset], row: str, others: Sequence[str] = ()
) -> Source:
    """A data set by its name, or files; `row` is what a row should be, `others` what else may be given."""
    duckdb = require("duckdb", "cli")
    names = options.file
    if len(names) == 1 and names[0] in presets and not Path(names[0]).exists():
        from .. import datasets

        names, preset = [str(datasets.path(names[0]))], presets[names[0]]
        shown = options.file[0]
    else:
        preset, shown = Preset(), ""
    # A second start after a mended file does not read pipes again.
    if getattr(options, "opened", None) is None:
        inputs = open_inputs(names, options.encoding, row, [*others, *presets])
        commas = options.decimal == "comma"
        options.opened = (
            inputs,
            tuple(reader_of(file, inputs, options.separator, commas) for file in inputs.files),
        )
    inputs, readers = options.opened
    connection = duckdb.connect()
    with suppress(duckdb.Error):  # gives memory back between queries; unknown to some builds
        connection.execute("SET allocator_background_threads = true")
    source = Source(shown or _called(inputs), preset, connection, None, () if shown else readers)
    with source.reading():
        base = joined(connection, readers)
    if len(base.columns) > MOST_COLUMNS:
        raise too_wide(source.name, len(base.columns))
    notes = [reader.note for reader in readers if reader.note]
    return replace(source, base=base, notes=tuple(notes))


def _called(inputs: Inputs) -> str:
    first, *more = inputs.files
    return f"{first.name} and {len(more)} more" if more else first.name
