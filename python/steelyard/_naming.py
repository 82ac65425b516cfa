"""Under which name a class or function is known, and where its text is."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_written: dict[type, tuple[str, str]] = {}  # where a class that goes by another name was made


def claim(family: str, names: Iterable[str], found: Mapping[str, Any], *, functions: bool = False) -> None:
    """Let all that a family offers name the family, so that pickles and reprs hold no path inside it.

    Its face calls this at the end. Other classes of its rooms, which are parts of results, are known as
    `_Name` there: a pickle finds them by it, and `__all__` gains nothing. So are `functions` where results
    hold those, as graphs of Dask do.
    """
    for name in names:
        if name in found and hasattr(found[name], "__qualname__"):
            _rename(found[name], family, name)
    face = sys.modules[family]
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{family}._") or not (getattr(module, "__file__", None) or "").endswith(
            ".py"
        ):
            continue
        for part in list(vars(module).values()):
            kind = inspect.isclass(part) or (functions and inspect.isfunction(part))
            if kind and part.__module__ == name:
                known = f"_{part.__name__.lstrip('_')}"
                if hasattr(face, known):  # a part of another file has that name
                    known += name.rpartition(".")[2]
                _rename(part, family, known)
                setattr(face, known, part)


def _rename(thing: Any, family: str, name: str) -> None:
    thing.__qualname__, home = name, (thing.__module__, thing.__qualname__)
    if inspect.isclass(thing):
        _written.setdefault(thing, home)
        for own in vars(thing).values():  # examples are looked for in the module that a method names
            method = getattr(own, "fget", None) or getattr(own, "__func__", own)
            if inspect.isfunction(method):
                method.__module__ = family
    thing.__module__ = family


def source(thing: Any) -> tuple[str, int]:
    """File and first line of the text of a class, function or method, for tools that link to it.

    inspect finds a function by its code, but looks for a class in the file of the module that it names, here
    the face.
    """
    function: Any = thing.fget if isinstance(thing, property) else thing
    thing = inspect.unwrap(function)
    if not inspect.isclass(thing):
        return thing.__code__.co_filename, thing.__code__.co_firstlineno
    module, name = _written.get(thing, (thing.__module__, thing.__qualname__))
    file = inspect.getsourcefile(sys.modules[module])
    assert file is not None
    body: list[Any] = ast.parse(Path(file).read_text(encoding="utf-8")).body
    for step in name.split("."):
        node = next(n for n in body if isinstance(n, ast.ClassDef) and n.name == step)
        body = node.body
    return file, min([node.lineno, *(d.lineno for d in node.decorator_list)])
