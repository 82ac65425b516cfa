"""Every solver ends in one way: Ctrl-C with what there is, a warning at the user's line, or a result."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import steelyard
from steelyard import metric, select, weigh
from steelyard._errors import finish, warn

PACKAGE = Path(steelyard.__file__).parent
BY_HAND = re.compile(r"\bstacklevel\b|\bwarnings\.warn\(")
# Files that may still count the lines of the stack; none may be added.
STILL: set[str] = set()


def account(**changes):
    given = {"interrupted": False, "converged": True, "tol": 1e-8, "message": "gap 0.1", **changes}
    return SimpleNamespace(info=SimpleNamespace(**given))


def inside(code, name="steelyard.somewhere", **names):
    """What `code` defines in a module of this package, or one called `name`."""
    module = {"__name__": name, "warn": warn, **names}
    exec(code, module)
    return module


def place(call):
    """File and line of the warnings that a call makes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (found,) = {(warning.filename, warning.lineno) for warning in caught}
    return found


def line_of(call):
    """File and line of a lambda."""
    return call.__code__.co_filename, call.__code__.co_firstlineno


def test_a_finished_result_is_handed_back():
    result = account()
    assert finish(result, "solver") is result


def test_ctrl_c_hands_over_what_there_is_and_warns_of_nothing():
    result = account(interrupted=True, converged=False)
    with pytest.raises(KeyboardInterrupt) as caught:
        finish(result, "solver")
    assert caught.value.partial is result


def test_a_missed_tolerance_is_said_with_the_name_of_the_function_and_the_tolerance():
    with pytest.warns(steelyard.ConvergenceWarning, match=r"^solver did not reach tol=1e-08: gap 0\.1$"):
        finish(account(converged=False), "solver")


def test_an_account_can_stand_apart_from_the_result():
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach"):
        assert finish("estimator", "ITML", info=account(converged=False).info) == "estimator"


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_warning_is_at_the_users_line_however_deep(depth):
    f = inside("def f(k):\n    warn('deep', UserWarning) if k == 1 else f(k - 1)\n")["f"]
    call = lambda: f(depth)  # noqa: E731
    assert place(call) == line_of(call)


def test_a_warning_through_scikit_learn_is_at_the_users_line():
    fit = inside("def fit():\n    warn('in fit', UserWarning)\n")["fit"]
    fit_transform = inside("def fit_transform():\n    fit()\n", "sklearn.base", fit=fit)["fit_transform"]
    call = lambda: fit_transform()  # noqa: E731
    assert place(call) == line_of(call)


def test_a_warning_in_a_callback_of_the_user_is_at_the_callbacks_line():
    outer = inside("def outer(call):\n    call()\n")["outer"]
    inner = inside("def inner():\n    warn('in a callback', UserWarning)\n", "steelyard.other")["inner"]
    callback = lambda: inner()  # noqa: E731
    assert place(lambda: outer(callback)) == line_of(callback)


def test_a_module_whose_name_only_begins_alike_is_the_users():
    user = inside("def user():\n    warn('mine', UserWarning)\n", "steelyard_of_mine")["user"]
    assert place(lambda: user())[0] == "<string>"


def test_a_warning_at_the_bottom_of_the_stack_is_not_lost():
    code = compile("warn('nobody calls', UserWarning)", "bottom", "exec")
    with pytest.warns(UserWarning, match="nobody calls"):
        exec(code, {"__name__": "steelyard.bottom", "warn": warn})


def dissimilarities(n=30):
    return np.random.default_rng(0).exponential(size=n * (n - 1) // 2) ** 2


def points(n=60):
    return np.random.default_rng(0).normal(size=(n, 2))


# Each misses its tolerance.
SHORT = {
    "weighting": lambda: weigh.weighting(points(), tol=1e-20),
    "magnitude": lambda: weigh.magnitude(points(), tol=1e-20),
    "magnitude_function": lambda: weigh.magnitude_function(points(), [1.0, 2.0], tol=1e-20),
    "solve_similarity": lambda: weigh.solve_similarity(np.exp(-np.abs(points() @ points().T)), tol=1e-20),
    "solve_simplex_qp": lambda: weigh.solve_simplex_qp(np.eye(9), np.arange(9.0), max_iter=1, total=5),
    "nearest_metric": lambda: metric.nearest_metric(dissimilarities(), max_iter=1),
    "project_and_forget": lambda: metric.project_and_forget(
        [3.0, 1.0], lambda x: ([[1.0, 1.0]], [0.0]), max_iter=1
    ),
    "correlation_clustering": lambda: metric.correlation_clustering(signs(), max_iter=1, tol=1e-12, rng=0),
    "ITML": lambda: metric.ITML(max_iter=1, tol=1e-12).fit(*constraints()),
    "kmeans": lambda: select.kmeans(points(), 9, max_iter=1, rng=0),
}


def signs():
    S = np.sign(np.random.default_rng(0).normal(size=(30, 30)))
    return np.triu(S, 1) + np.triu(S, 1).T


def constraints():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 2, 3)), rng.choice([-1, 1], 40)


@pytest.mark.parametrize("who", SHORT)
def test_every_solver_warns_at_the_users_line_and_says_its_name(who):
    with pytest.warns(steelyard.ConvergenceWarning, match=rf"^{who} did not reach tol=") as caught:
        SHORT[who]()
    (warning,) = caught
    assert (warning.filename, warning.lineno) == line_of(SHORT[who])


def test_a_function_that_calls_another_warns_at_the_users_line():
    call = lambda: weigh.magnitude_distance(points(), points(50), tol=1e-20)  # noqa: E731
    assert place(call) == line_of(call)


def test_an_estimator_that_scikit_learn_drives_warns_at_the_users_line():
    model = metric.ITMLSupervised(max_iter=1, tol=1e-12, random_state=0)
    call = lambda: model.fit_transform(points(), np.arange(60) % 3)  # noqa: E731
    assert place(call) == line_of(call)


def by_hand(text):
    return [line.strip() for line in text.splitlines() if BY_HAND.search(line)]


def test_no_file_counts_the_lines_of_the_stack():
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "_errors.py"]
    assert len(files) > 100
    found = {path.relative_to(PACKAGE).as_posix(): by_hand(path.read_text()) for path in files}
    offenders = {
        name: lines for name, lines in found.items() if lines and name.rpartition("/")[0] not in STILL
    }
    assert offenders == {}
    assert by_hand("    warnings.warn(text)\n    f(stacklevel=2)\n    warnings.catch_warnings()") == [
        "warnings.warn(text)",
        "f(stacklevel=2)",
    ]
