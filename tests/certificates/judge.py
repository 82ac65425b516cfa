"""Run a trial on instances of the zoo, judge it by the rules, show that it bites, and cut a failure down.

The rules: a rigorous bound is broken by no instance; an estimate or an asymptotic bound by at most 3 of 3,000
(one, where there are fewer than 1,000) and by a factor of ten at most; a statistic fails below its share of
the family-wise level 1e-6.

The bite: a halved bound is a lie only where the bound is sharp, so the lie is made sharp first. Every bound
of the run is multiplied by half of the worst ratio of true to stated error that was seen (half of the median
ratio where a few broken claims are allowed, and a fortieth of the worst where few errors are resolved): then
at least one bound (half of the bounds) is half of what is true, and the same judge must find it. It can only
if the truth resolves the error. Where all true errors lie below the rounding of the truth, the answers are
moved by twice their bounds instead. Standard errors and intervals are halved, means moved by ten standard
errors.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .trials import TRIALS, Claim, Statistic, Trial
from .zoo import Instance, instance, reduced, size_of

LEVEL = 1e-6
TENFOLD = 10.0


@dataclass
class Outcome:
    """What an instance made of a trial: its claims, or how it ended."""

    made: Instance
    claims: list[Any] = field(default_factory=list)
    error: str = ""

    @property
    def broken(self) -> bool:
        return bool(self.error) or any(c.broken for c in self.claims if isinstance(c, Claim))

    @property
    def declined(self) -> bool:
        """Nothing stated, by any claim."""
        return bool(self.claims) and all(c.declined for c in self.claims if isinstance(c, Claim))

    @property
    def ratio(self) -> float:
        return max((c.ratio for c in self.claims if isinstance(c, Claim)), default=0.0)


@dataclass
class Report:
    """A trial over its instances."""

    trial: Trial
    outcomes: list[Outcome]
    seconds: float

    @property
    def claims(self) -> list[Claim]:
        return [c for o in self.outcomes for c in o.claims if isinstance(c, Claim)]

    @property
    def statistics(self) -> list[Statistic]:
        return [c for o in self.outcomes for c in o.claims if not isinstance(c, Claim)]

    @property
    def tried(self) -> list[Outcome]:
        """Instances that the trial had something to say about."""
        return [o for o in self.outcomes if o.claims or o.error]

    def to_dict(self) -> dict[str, Any]:
        """A row of the table."""
        t = self.trial
        stated = [c for c in self.claims if not c.declined]
        sharp = np.array([c.sharpness for c in stated if math.isfinite(c.sharpness)])
        row = {
            **{
                key: getattr(t, key) for key in ("name", "family", "solver", "states", "kind", "truth", "zoo")
            },
            "note": t.note,
            "instances": len(self.tried),
            "claims": len(self.claims) + len(self.statistics),
            "declined": sum(c.declined for c in self.claims),
            "reasons": sorted({c.reason for c in self.claims if c.declined and c.reason})[:3],
            "broken": sum(o.broken for o in self.outcomes),
            "resolved": sum(c.resolved for c in stated),
            "worst": max((c.ratio for c in [*stated, *self.statistics]), default=0.0),
            "sharpness_median": float(np.median(sharp)) if len(sharp) else None,
            "sharpness_99": float(np.quantile(sharp, 0.99)) if len(sharp) else None,
            "loose": t.kind == "rigorous" and len(sharp) > 0 and float((sharp > 100).mean()) > 0.5,
            "smallest_p": min((s.p_value() for s in self.statistics), default=None),
            "bite": bite(self)[0],
            "cpu_seconds": round(self.seconds, 2),
        }
        row = {key: v.item() if isinstance(v, np.generic) else v for key, v in row.items()}
        return {
            key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in row.items()
        } | {"infinite_worst": math.isinf(row["worst"])}


def attempt(trial: Trial, made: Instance) -> Outcome:
    """The trial on one instance; an exception that it does not expect is a failure."""
    outcome = Outcome(made)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            outcome.claims.extend(trial.function(made))
        except Exception as error:
            outcome.error = f"{type(error).__name__}: {error}"
    return outcome


def run(trial: Trial, count: int, seed: int) -> Report:
    """The trial on its share of `count` instances."""
    began = time.process_time()
    number = max(1, math.ceil(count * trial.share))
    outcomes = [attempt(trial, made) for made in _drawn(trial, number, seed)]
    return Report(trial, outcomes, time.process_time() - began)


def _drawn(trial: Trial, number: int, seed: int) -> Iterator[Instance]:
    for index in range(number):
        yield instance(trial.zoo, seed, index, largest=trial.largest)


def allowed(trial: Trial, tried: int) -> int:
    """Broken instances that the rules let pass."""
    return 0 if trial.kind == "rigorous" else max(1, tried // 1000)


def complaint(report: Report) -> str:
    """What is wrong by the rules; empty if nothing."""
    trial = report.trial
    raised = [o for o in report.outcomes if o.error]
    if raised:
        return f"{len(raised)} instances raised, the first {raised[0].error}"
    if trial.statistical:
        return _statistical_complaint(report)
    if not report.claims:
        return "no instance led to a claim"
    broken = [o for o in report.outcomes if o.broken]
    if len(broken) > allowed(trial, len(report.tried)):
        return f"{len(broken)} of {len(report.tried)} instances break the {trial.kind} bound"
    worst = max((o.ratio for o in broken), default=0.0)
    if worst > TENFOLD:
        return f"an error is {worst:.3g} times the {trial.kind} bound"
    return ""


def _statistical_complaint(report: Report) -> str:
    tests = report.statistics
    if not tests:
        return "no instance led to a statistic"
    families = sum(t.statistical for t in TRIALS.values())
    least = LEVEL / (len(tests) * families)
    low = [(s.p_value(), s) for s in tests]
    p, worst = min(low, key=lambda pair: pair[0])
    if p < least:
        return f"p = {p:.2g} < {least:.2g} ({type(worst).__name__} {worst.about}, ratio {worst.ratio:.3g})"
    return ""


def bite(report: Report) -> tuple[str, Report]:
    """The lie told of a run, and the run with it."""
    if report.trial.statistical:
        return "halved", _replaced(report, lambda s: s.lie())
    stated = [c for c in report.claims if c.stated and math.isfinite(c.stated)]
    ratios = np.array([c.true / c.stated for c in stated if c.resolved and not c.broken])
    if not len(ratios):
        return "moved", _replaced(report, Claim.moved)
    many = len(ratios) > 4 * allowed(report.trial, len(report.tried))
    if report.trial.kind == "rigorous":
        factor = float(ratios.max()) / 2
    else:
        factor = float(np.median(ratios)) / 2 if many else float(ratios.max()) / (4 * TENFOLD)
    return f"x {factor:.2g}", _replaced(report, lambda c: c.shrunk(factor))


def _replaced(report: Report, change: Any) -> Report:
    outcomes = [replace(o, claims=[change(c) for c in o.claims]) for o in report.outcomes]
    return replace(report, outcomes=outcomes)


# ---- a failure, cut down


def first_failure(report: Report) -> Outcome | None:
    """The instance to show: the one that is most broken, or has the smallest p-value."""
    broken = [o for o in report.outcomes if o.broken]
    if broken:
        return max(broken, key=lambda o: (bool(o.error), o.ratio))
    tried = [o for o in report.outcomes if o.claims]
    if report.trial.statistical and tried:
        return min(tried, key=lambda o: min(s.p_value() for s in o.claims))
    return None


def smaller(trial: Trial, outcome: Outcome, seconds: float = 10.0) -> Outcome:
    """The failing instance with as few items and digits as still fail, within some seconds."""
    if trial.statistical or not outcome.broken:
        return outcome
    end = time.monotonic() + seconds
    best, part = outcome, 2
    while time.monotonic() < end and size_of(best.made) > 1:
        n = size_of(best.made)
        pieces = np.array_split(np.arange(n), min(part, n))
        found = next((o for o in _without(trial, best, pieces, end) if o is not None), None)
        if found is not None:
            best, part = found, max(part - 1, 2)
        elif part >= n:
            break
        else:
            part = min(2 * part, n)
    for digits in (3, 6, 9):
        rounded = _same_failure(trial, best, _in_digits(best.made, digits))
        if rounded is not None:
            return rounded
    return best


def _without(trial: Trial, best: Outcome, pieces: list[Any], end: float) -> Iterator[Outcome | None]:
    for piece in pieces:
        if time.monotonic() > end:
            return
        keep = np.ones(size_of(best.made), dtype=bool)
        keep[piece] = False
        if keep.any():
            yield _same_failure(trial, best, reduced(best.made, keep))


def _same_failure(trial: Trial, before: Outcome, made: Instance) -> Outcome | None:
    try:
        now = attempt(trial, made)
    except Exception:  # data that no animal makes
        return None
    kind = before.error.partition(":")[0]
    worse = not now.error and now.broken and now.ratio >= min(before.ratio, 1.5)
    same = now.error.partition(":")[0] == kind if kind else worse
    return now if same else None


def _in_digits(made: Instance, digits: int) -> Instance:
    def short(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            return value
        return np.array([float(f"{x:.{digits}g}") for x in value.ravel().tolist()]).reshape(value.shape)

    return replace(made, data={key: short(value) for key, value in made.data.items()})


def as_code(trial: Trial, outcome: Outcome) -> str:
    """The failure as a test to paste."""
    claims = "\n".join(f"#   {_shown(c)}" for c in outcome.claims[:6])
    head = f"# {outcome.made.name}: {outcome.error or 'broken'}\n{claims}"
    return (
        f"from certificates import {trial.family}, zoo\nimport numpy as np\n\n{head}\n{outcome.made.code()}\n"
        f"assert not any(claim.broken for claim in {trial.family}.{trial.function.__name__}(instance))"
    )


def _shown(claim: Any) -> str:
    if isinstance(claim, Claim):
        return repr(claim)
    return f"{type(claim).__name__}({claim.about!r}, p={claim.p_value():.2g}, ratio={claim.ratio:.3g})"
