"""Every certificate against the truth, on the whole zoo; the zoo and the judge; the list of promises."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

from certificates import judge, promises, table, zoo
from certificates.trials import TRIALS, Claim, Coverage, Inclusion, Mean, Spread, Trial
from certificates.zoo.registry import animals, kinds

KINDS = kinds()

HERE = Path(__file__).parent
FAMILIES = [name for name in ("rank", "qp", "weigh", "metric", "select", "graphs", "ensembles",
                         "blocks")
            if (HERE / f"{name}.py").exists()]  # fmt: skip
for family in FAMILIES:
    importlib.import_module(f"certificates.{family}")

FEW = 30  # instances a trial in the normal suite
FEW_DRAWN = 10  # of which a statistical trial, with its 2,000 draws an instance, takes a tenth or less


def marked(name):
    """Known faults must show: a trial that passes leaves the list."""
    reason = promises.UNREPAIRED.get(name)
    return pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=reason) if reason else ())


# Sorted: trials are in the order of imports, and workers collect in different orders.
@pytest.mark.parametrize("name", [marked(name) for name in sorted(TRIALS)])
def test_every_certificate_is_true_and_a_smaller_one_is_caught(name, request):
    option = request.config.option
    made = TRIALS[name]
    few = FEW_DRAWN if made.statistical else FEW
    report = judge.run(made, option.gauntlet or few, option.gauntlet_seed)
    if made.statistical and not report.statistics and not option.gauntlet:  # of so few none was fit for it
        report = judge.run(made, FEW, option.gauntlet_seed)
    if option.certificates:
        folder = Path(option.certificates)
        folder.mkdir(parents=True, exist_ok=True)
        row = report.to_dict() | {"seed": option.gauntlet_seed, "complaint": judge.complaint(report)}
        (folder / f"{name}.json").write_text(json.dumps(row, indent=1))
    complaint = judge.complaint(report)
    if complaint:
        failing = judge.first_failure(report)
        shown = judge.as_code(made, judge.smaller(made, failing)) if failing else "(no instance to show)"
        pytest.fail(f"{name}: {complaint} (seed {option.gauntlet_seed})\n\n{shown}", pytrace=False)
    told, lied = judge.bite(report)
    assert judge.complaint(lied), f"{name} does not bite: a false bound ({told}) passes"


# ---- the machine itself


@pytest.mark.parametrize("kind", KINDS)
def test_the_zoo_makes_finite_data_of_the_sizes_asked_for_and_can_repeat_it(kind):
    for made in zoo.instances(kind, 60, 7, largest=100):
        for name, value in made.data.items():
            array = np.asarray(value)
            unbounded = name in ("upper", "total") or array.dtype.kind not in "fc"
            assert unbounded or np.isfinite(array).all(), (made.name, name)
        again = zoo.instance(kind, *made.recipe[:2], largest=100)
        assert made.seed == again.seed
        np.testing.assert_equal(made.data, again.data)


@pytest.mark.parametrize("kind", KINDS)
def test_every_animal_of_a_kind_appears_in_one_round(kind):
    names = {made.name.split(",")[0] for made in zoo.instances(kind, len(animals(kind)), 3)}
    assert names == {name.replace("_", " ") for name in animals(kind)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_printed_as_code_is_the_instance(kind):
    for made in zoo.instances(kind, 20, 5):
        space = {"zoo": zoo, "np": np}
        exec(made.code(), space)
        np.testing.assert_equal(space["instance"].data, made.data)
        assert space["instance"].rng().random() == made.rng().random()


@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_without_some_of_its_items_is_one_of_fewer(kind):
    for made in zoo.instances(kind, 20, 5):
        keep = np.arange(zoo.size_of(made)) % 2 == 0
        assert zoo.size_of(zoo.reduced(made, keep)) == keep.sum()


def a_trial(kind, claims):
    """Not registered: a family of its own."""
    return Trial(lambda instance: iter(claims(instance)), "none", "none", "a bound", kind, "known", "points")


def test_a_rigorous_bound_may_be_broken_by_no_instance():
    wrong = judge.run(a_trial("rigorous", lambda i: [Claim(1.0, 1.5 if len(i["X"]) == 3 else 0.5)]), 60, 1)
    assert "break the rigorous bound" in judge.complaint(wrong)
    right = judge.run(a_trial("rigorous", lambda i: [Claim(1.0, 1.5, rounding=0.5)]), 60, 1)
    assert not judge.complaint(right)


def test_an_estimate_may_be_broken_once_in_a_thousand_and_tenfold():
    def report(worst, times):
        broken = iter([worst] * times)
        return judge.run(a_trial("estimate", lambda i: [Claim(1.0, next(broken, 0.5))]), 60, 1)

    assert not judge.complaint(report(9.0, 1))
    assert "break the estimate bound" in judge.complaint(report(9.0, 2))
    assert "11 times" in judge.complaint(report(11.0, 1))


def test_nan_is_a_broken_claim_and_none_is_declined():
    assert Claim(1.0, np.nan).broken
    assert Claim(np.nan, 1.0).broken
    assert not Claim(None, np.inf).broken


def test_an_exception_that_a_trial_does_not_expect_is_a_failure_with_its_name():
    def raises(instance):
        raise ZeroDivisionError("no")

    assert "ZeroDivisionError: no" in judge.complaint(judge.run(a_trial("rigorous", raises), 5, 1))


@pytest.mark.parametrize("kind", ["rigorous", "estimate", "asymptotic"])
@pytest.mark.parametrize("true", [0.5, 1e-6, 0.0])
def test_a_lie_is_caught_whether_a_bound_is_sharp_loose_or_above_all_errors(kind, true):
    report = judge.run(a_trial(kind, lambda i: [Claim(1.0, true * (1 + len(i["X"]) / 100), 1e-12)]), 60, 1)
    assert not judge.complaint(report)
    assert judge.complaint(judge.bite(report)[1])


def test_a_trial_whose_truth_is_too_coarse_does_not_bite():
    report = judge.run(a_trial("rigorous", lambda i: [Claim(1e-9, 1e-9, rounding=1e-3)]), 60, 1)
    assert not judge.complaint(judge.bite(report)[1])


def test_statistics_pass_where_they_are_right_and_fail_where_they_lie():
    rng = np.random.default_rng(0)
    normal = rng.normal(size=3000)
    for claim in (
        Mean(normal + 5, 5.0),
        Spread(normal, np.ones(3000)),
        Coverage(np.abs(normal) / 1.96, 0.95),
        Inclusion(rng.binomial(3000, [0.3, 0.5]), 3000, np.array([0.3, 0.5])),
    ):
        assert claim.p_value() > 1e-4
        assert claim.lie().p_value() < 1e-12
    with pytest.raises(ValueError, match="2000 draws"):
        Mean(normal[:100], 0.0).p_value()


def test_a_failing_instance_is_cut_down_to_what_fails():
    def claims(instance):  # two points at the same place
        X = instance["X"]
        return [Claim(1.0, 2.0 if len(np.unique(X, axis=0)) < len(X) else 0.0)]

    made = a_trial("rigorous", claims)
    report = judge.run(made, 60, 1)
    failing = judge.smaller(made, judge.first_failure(report))
    assert zoo.size_of(failing.made) == 2
    assert "zoo.Instance('points'" in judge.as_code(made, failing)


# ---- the list of promises


def public_names():
    """Functions of the families, and classes that compute; results and infos come from those."""
    for family in ("rank", "weigh", "metric", "select", "dask", "datasets"):
        room = importlib.import_module(f"steelyard.{family}")
        for name in room.__all__:
            thing = getattr(room, name)
            if inspect.isfunction(thing) or (
                inspect.isclass(thing) and any(map(hasattr, [thing] * 3, WORKERS))
            ):
                yield f"{family}.{name}"


WORKERS = ("fit", "tell", "add")  # methods of classes that compute


def test_every_public_function_says_what_it_promises():
    listed = [*promises.STATES, *promises.NOTHING, *promises.CARRIES]
    assert len(listed) == len(set(listed))
    assert set(public_names()) <= set(listed)
    assert all(
        hasattr(importlib.import_module(f"steelyard.{f}"), x) for f, x in (p.split(".") for p in listed)
    )


def test_what_is_promised_is_tried():
    tried = {name.strip() for made in TRIALS.values() for name in made.solver.split(",")}
    assert set(promises.STATES) - tried == promises.UNTRIED


STATING = re.compile(r"(error_bound|lower_bound|decrement|standard_errors?|inclusion_probabilit(y|ies)|gap)$")


def classes_that_state():
    """Public classes with a public field or property of such a name."""
    for family in ("rank", "weigh", "metric", "select", "dask"):
        room = importlib.import_module(f"steelyard.{family}")
        for name in room.__all__:
            thing = getattr(room, name)
            if inspect.isclass(thing):
                own = (
                    {field.name for field in dataclasses.fields(thing)}
                    if dataclasses.is_dataclass(thing)
                    else ()
                )
                if any(STATING.search(word) for word in {*own, *dir(thing)} if not word.startswith("_")):
                    yield f"{family}.{name}"


def test_every_public_field_of_an_error_or_a_bound_has_a_trial_or_a_reason():
    assert set(classes_that_state()) == set(promises.FIELDS)
    named = [name for words in promises.FIELDS.values() if words[0] != "(" for name in words.split()]
    assert set(named) <= set(TRIALS)


def test_the_page_has_one_reason_of_each_kind():
    said = [
        "magnitude did not reach tol=1e-08: 1 row repeats another; 4 of 7 points explain the rest",
        "magnitude did not reach tol=1e-08: 3 rows repeat another; 5 of 17 points explain the rest",
    ]
    assert table._kinds(said) == [
        "1 row repeats another",
        "4 of 7 points explain the rest",
    ]
