"""Every solver ends in one way: Ctrl-C with what there is, a warning at the user's line, or a result."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

import steelyard
from steelyard._errors import finish, warn

PACKAGE = Path(steelyard.__file__).parent
BY_HAND = re.compile(r"\bstacklevel\b|\bwarnings\.warn\(")
# Files that may still count the lines of the stack; none may be added.
STILL = {
    "metric",
    "select",
    "weigh",
    "rank/_inference",
    "rank/_over_time",
    "rank/_paired",
    "rank/_rankings",
}


def account(**changes):
    given = {"interrupted": False, "converged": True, "tol": 1e-8, "message": "gap 0.1", **changes}
    return SimpleNamespace(info=SimpleNamespace(**given))


def inside(code, name="steelyard.somewhere", **names):
    """What `code` defines in a module of this package, or one called `name`."""
    module = {"__name__": name, "warn": warn, **names}
    exec(code, module)
    return module


def place(call):
    """File and line of the one warning that a call makes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (warning,) = caught
    return warning.filename, warning.lineno


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
