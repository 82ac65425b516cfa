"""From a page to one file of HTML."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from .._build import __version__
from .._csv import Columns, defused, write_csv
from .._spelling import shown
from .page import Page
from .texts import plain, words

_STEPS = 20  # shades of a matrix


def check_page(path: Any) -> Path:
    """A file that can be made; ValueError or TypeError that names `path`."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a file name, got {shown(path)}")
    text = os.fspath(path)
    if not isinstance(text, str) or "\0" in text or not text.lower().endswith((".html", ".htm")):
        raise ValueError(f"path must end in .html, got {shown(text)}")
    try:
        there = Path(text).parent.is_dir()
    except OSError:
        there = False
    if not there:
        raise ValueError(f"path names a folder that is not there: {shown(text)}")
    return Path(text)


def check_text(text: Any, name: str) -> str | None:
    """A text or None."""
    if text is None or isinstance(text, str):
        return text
    raise TypeError(f"{name} must be a text or None, got {shown(text)}")


def save(page: Page, path: Path) -> Path:
    """Writes what `render` makes."""
    text = render(page)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def render(page: Page) -> str:
    """The page as one text: styles, script and tables inside, and a policy that lets in nothing else."""
    style, script = _part("page.css") + _shades(), _part("page.js")
    text: str = _template().render(
        page=page,
        files={name: _as_url(columns) for name, columns in page.files.items()},
        version=__version__,
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:",
    )
    return text


@cache
def _template() -> Any:
    try:
        import jinja2
    except ImportError:
        raise ImportError('a report is made by Jinja2: pip install "steelyard[report]"') from None
    house = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    house.filters |= {"plain": plain, "words": words, "key": _key, "shade": _shade, "percent": _percent}
    return house.from_string(_part("page.html"))


@cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _as_url(columns: Columns) -> str:
    stream = io.StringIO()
    write_csv(defused(columns), stream)
    data = ("\ufeff" + stream.getvalue()).encode("utf-8", "backslashreplace")
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(data).decode()}"


def _key(value: float) -> str:
    """As the script reads it."""
    return str(value).replace("inf", "Infinity").replace("nan", "NaN")


def _shade(share: float) -> str:
    """The class of a cell, from s0 to s20; none where nothing is known."""
    return "" if share != share else f"s{round(_STEPS * min(max(share, 0.0), 1.0))}"


def _percent(share: float) -> str:
    return "" if share != share else f"{100 * share:.0f}"


def _shades() -> str:
    """Two colours that meet in the ground at one half."""
    half = _STEPS // 2
    rules = []
    for step in range(_STEPS + 1):
        ink, part = ("--more" if step > half else "--less"), 100 * abs(step - half) // half
        rules.append(f".s{step}{{background:color-mix(in srgb,var({ink}) {part}%,var(--ground))}}")
    return "\n".join(rules) + "\n"
