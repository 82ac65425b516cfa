"""Games of chess in PGN: their tags as columns, the moves left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from .inputs import Input, writing
from .separated import lines
from .usage import UsageError


def games(file: Input) -> Iterator[tuple[int, dict[str, str]]]:
    """The tags of each game, with the line of the first; what is unknown (?) is empty."""
    tags: dict[str, str] = {}
    first = 0
    in_tags = False
    for number, line in enumerate(lines(file), 1):
        text = line.strip()
        is_tag = text.startswith("[") and text.endswith('"]') and text[1:2].isalpha()
        if is_tag and not in_tags:
            if tags:
                yield first, tags
            tags, first = {}, number
        if is_tag:
            name, _, value = text[1:-2].partition(' "')
            value = value.replace('\\"', '"').replace("\\\\", "\\")
            tags[name.strip()] = "" if "?" in value and not value.strip("?.- ") else value
        in_tags = is_tag
    if tags:
        yield first, tags


def write_games(file: Input, target: Path) -> tuple[str, ...]:
    """One row a game as CSV; the names of the columns. An unfinished game (*) has no result."""
    columns = dict.fromkeys(name for _, tags in games(file) for name in tags)
    if not columns:
        raise UsageError(f'{file.name!r} holds no games: no tag such as [White "..."]')
    names = tuple(_without_twins(list(columns)))
    with writing(target) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(columns), restval="", lineterminator="\n")
        stream.write(",".join(names) + "\n")
        for _, tags in games(file):
            if tags.get("Result") == "*":
                tags["Result"] = ""
            table.writerow(tags)
    return names


def _without_twins(names: list[str]) -> list[str]:
    seen: set[str] = set()
    found = []
    for name in names:
        while name.casefold() in seen:
            name += "_"
        seen.add(name.casefold())
        found.append(name)
    return found
