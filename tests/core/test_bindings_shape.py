"""Bindings translate and nothing more: one runner, one way to read words, one cast.

Each rule is shown an offender, so that it can't pass for nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from steelyard import _core

ROOT = Path(__file__).resolve().parents[2]
EVERYWHERE = "csrc"
BINDINGS = "csrc/bindings"

# rule: where it holds, the files that may, what it finds
RULES = {
    "the GIL, Ctrl-C and progress: bindings/run.hpp": (
        BINDINGS,
        {"csrc/bindings/run.hpp", "csrc/bindings/arrays.hpp"},
        re.compile(r"\bgil_scoped_release\b|\bPythonHost\b|\bMonitor\s+\w+\s*[;({]"),
    ),
    "words: bindings/choice.hpp": (BINDINGS, set(), re.compile(r'==\s*"\w*"\s*\?')),
    "sizes and places: core/index.hpp": (
        EVERYWHERE,
        {"csrc/core/index.hpp"},
        re.compile(r"\bstatic_cast<(std::)?size_t>"),
    ),
}

OFFENDERS = {
    "the GIL, Ctrl-C and progress: bindings/run.hpp": [
        "const py::gil_scoped_release unlocked;",
        "PythonHost host(progress);",
        "Monitor monitor(1, &host);",
    ],
    "words: bindings/choice.hpp": ['const auto how = word == "mean" ? Update::mean : Update::median;'],
    "sizes and places: core/index.hpp": [
        "values[static_cast<std::size_t>(i)] = 1.0;",
        "size_t at_index(std::int64_t i) { return static_cast<std::size_t>(i); }",
    ],
}


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def offences(name, text):
    """The rules that a file of this name and text breaks."""
    return {
        rule
        for rule, (where, allowed, pattern) in RULES.items()
        if name.startswith(where) and name not in allowed and pattern.search(without_comments(text))
    }


def sources():
    for path in sorted(ROOT.glob("csrc/**/*.[ch]pp")):
        yield path.relative_to(ROOT).as_posix()


def test_every_file_uses_the_shared_piece():
    found = {name: offences(name, (ROOT / name).read_text(encoding="utf-8")) for name in sources()}
    assert len(found) > 200
    assert {name: own for name, own in found.items() if own} == {}


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule in OFFENDERS for code in OFFENDERS[rule]])
def test_planted_offenders_are_found(rule, code):
    assert set(OFFENDERS) == set(RULES)
    assert offences("csrc/bindings/weigh/register_weigh.cpp", f"namespace steelyard {{\n{code}\n}}\n") == {
        rule
    }


def test_the_shared_pieces_would_be_found_elsewhere():
    for _, allowed, pattern in RULES.values():
        assert all(
            pattern.search(without_comments((ROOT / name).read_text(encoding="utf-8"))) for name in allowed
        )


SUBMODULES = {"linalg", "metric", "rank", "select", "testing", "weigh"}


def test_kernels_live_in_submodules():
    names = {name for name in vars(_core) if not name.startswith("__")}
    assert names == SUBMODULES | {"_build_facts", "_default_threads", "_most_threads", "_set_blas"}


def test_stubs_say_what_the_extension_has():
    folder = ROOT / "python/steelyard/_core"
    assert {path.name for path in folder.iterdir()} == {
        "__init__.pyi",
        *(f"{name}.pyi" for name in SUBMODULES),
    }
    for name in SUBMODULES:
        stated = re.findall(r"^(?:def|class) (\w+)", (folder / f"{name}.pyi").read_text(), re.MULTILINE)
        there = {found for found in vars(getattr(_core, name)) if not found.startswith("__")}
        assert set(stated) == there


def test_the_package_calls_nothing_that_is_there_for_tests():
    for path in ROOT.glob("python/steelyard/**/*.py"):
        assert "_core.testing" not in path.read_text(encoding="utf-8"), path


def points():
    return np.random.default_rng(0).normal(size=(6, 2))


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("metric", lambda word: _core.weigh._point_space(points(), word)),
        ("update", lambda word: _core.select._lloyd_step(points(), None, points()[:2], word, True)),
        (
            "stop",
            lambda word: _core.weigh._weights_by_gradients(
                _core.weigh._point_space(points(), "euclidean"), np.ones(1), 1e-8, word
            ),
        ),
        (
            "rule",
            lambda word: _core.metric._SignedGraph(
                np.array([0, 1, 2]), np.array([1, 0], np.int32), np.ones(2), np.ones(2)
            ).round(None, word, 1, 1, (0, 0)),
        ),
    ],
)
def test_an_unknown_word_is_refused_and_never_a_default(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument} must be one of '.*', got 'meen'$"):
        call("meen")


def test_an_interrupt_in_a_callback_of_a_kernel_without_partial_results_raises_at_once():
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="no result yet") as caught:
        _core.metric._violations(np.ones((300, 300)) - np.eye(300), 0.0, 3, progress=stop)
    assert caught.value.partial is None
