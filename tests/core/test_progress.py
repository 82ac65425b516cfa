"""Bars of progress: by tqdm, by rich, by plain lines, and by nobody."""

from __future__ import annotations

import io
import re
import sys
import time
import types

import numpy as np
import pytest

import steelyard
from steelyard import _progress, metric, rank, weigh


class Terminal(io.StringIO):
    def isatty(self):
        return True


def screen(monkeypatch):
    """In the test itself: between its phases pytest puts its own back."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def games():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 40, (2, 900))
    keep = first != second
    return rank.Comparisons.from_pairs(first[keep], second[keep])


@pytest.mark.parametrize("kind", ["tqdm", "rich", "plain"])
def test_a_bar_shows_its_label_and_how_far_and_leaves_nothing(kind, monkeypatch):
    seen_on = screen(monkeypatch)
    with steelyard.progress_bar("fitting", kind=kind) as bar:
        bar(0, 4)
        time.sleep(0.25)
        bar(1, 4)
        bar.best(3.0, 2.0)
        bar(2, 4)
        bar(1, 0)
        bar.close()
        bar(1, 4)
    text = seen_on.getvalue()
    assert "fitting" in text
    assert "25%" in text or "1/4" in text
    seen = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    assert seen.rsplit("\r", 1)[-1].strip() == ""


@pytest.mark.parametrize("kind", ["tqdm", "rich", "plain"])
def test_a_bar_goes_at_its_total_and_comes_again(kind, monkeypatch):
    screen(monkeypatch)
    bar = steelyard.progress_bar("x", kind=kind)
    bar(4, 4)
    assert bar._open is None
    bar(1, 4)
    assert bar._open is not None
    bar.close()


def test_solvers_move_a_bar(monkeypatch):
    screen(monkeypatch)
    calls = []

    class Seen(_progress._Plain):
        def move(self, done, total):
            calls.append((done, total))

    bar = _progress.Bar("fit", "plain")
    bar._open = Seen("fit")
    rank.bradley_terry(games(), prior=1.0, solver="zermelo", tol=1e-3, progress=bar)
    assert calls
    assert all(total > 0 for _, total in calls)


def test_where_nobody_looks_nothing_is_shown(capsys):
    bar = steelyard.progress_bar("x")
    bar(1, 2)
    bar(2, 2)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_rich_a_notebook_tqdm_and_both_plain_lines_without(monkeypatch):
    screen(monkeypatch)
    assert steelyard.progress_bar()._kind == "rich"
    monkeypatch.setitem(sys.modules, "rich", None)
    assert steelyard.progress_bar()._kind == "tqdm"
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert steelyard.progress_bar()._kind == "tqdm"
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert steelyard.progress_bar()._kind == "rich"
    monkeypatch.setitem(sys.modules, "rich", None)
    assert steelyard.progress_bar()._kind == "plain"


@pytest.mark.parametrize("kind", ["tqdm", "rich"])
def test_a_missing_package_names_the_extra(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(ImportError, match=r"steelyard\[progress\]"):
        steelyard.progress_bar(kind=kind)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="kind must be one of 'auto', 'tqdm', 'rich', 'plain', got 'bar'"):
        steelyard.progress_bar(kind="bar")
    with pytest.raises(TypeError, match="label must be a text, got 3"):
        steelyard.progress_bar(3)
    with pytest.raises(TypeError, match="verbose must be an integer, got 'yes'"):
        weigh.MagnitudeOutlierDetector(verbose="yes").fit(cloud())


def cloud():
    return np.random.default_rng(0).normal(size=(30, 2))


ESTIMATORS = {
    "MagnitudeOutlierDetector": lambda **more: weigh.MagnitudeOutlierDetector(**more).fit(cloud()),
    "WeightingClassifier": lambda **more: weigh.WeightingClassifier("cv", cv=2, **more).fit(cloud(), Y),
    "CorrelationClusterer": lambda **more: metric.CorrelationClusterer(random_state=0, **more).fit(cloud()),
    "ITMLSupervised": lambda **more: metric.ITMLSupervised(random_state=0, **more).fit(cloud(), Y),
    "ITML": lambda **more: metric.ITML(random_state=0, **more).fit(cloud().reshape(15, 2, 2), 2 * Y[:15] - 1),
}
Y = np.arange(30) % 2


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_show_their_progress_when_they_are_told(name, monkeypatch):
    moves = []
    monkeypatch.setattr(_progress.Bar, "__call__", lambda bar, done, total: moves.append(bar._label))
    ESTIMATORS[name]()
    assert moves == []
    ESTIMATORS[name](verbose=True)
    assert set(moves) == {name}


def test_a_callback_goes_before_verbose(monkeypatch):
    monkeypatch.setattr(_progress.Bar, "__call__", lambda *_: pytest.fail("a bar was moved"))
    told = []
    ESTIMATORS["ITML"](verbose=True, progress=lambda *at: told.append(at))
    assert told
