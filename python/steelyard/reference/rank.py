"""Bradley-Terry models with ties and home advantage, in plain Python and NumPy.

Games come as `Cells`: left against right with wins, losses and ties of left, and who is at home. Strengths
are natural logarithms; x = s_left - s_right + home * h + covariates . b. The models are those of
`steelyard.rank.bradley_terry`:

- 'none':        p_win = sigma(x)
- 'davidson':    p_win : p_tie : p_loss = exp(x/2) : nu : exp(-x/2), parameter tau = log nu
- 'rao-kupper':  p_win = sigma(x - delta), p_loss = sigma(-x - delta), parameter delta = log theta

With a prior of strength a, a [log sigma(s) + log sigma(-s)] is added for each item.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass
class Cells:
    """Games between pairs: arrays of equal length; `ties`, `home` and `covariates` may be left out."""

    left: npt.NDArray[np.integer]
    right: npt.NDArray[np.integer]
    wins: Array
    losses: Array
    ties: Array = field(default_factory=lambda: np.zeros(0))
    home: Array = field(default_factory=lambda: np.zeros(0))
    covariates: Array = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        self.ties = self.ties if len(self.ties) else np.zeros(len(self.left))
        self.home = self.home if len(self.home) else np.zeros(len(self.left))
        self.covariates = self.covariates if len(self.covariates) else np.zeros((len(self.left), 0))


@dataclass
class Point:
    """Strengths, log nu (or log theta), home advantage, and coefficients of covariates."""

    s: Array
    tie: float = 0.0
    home: float = 0.0
    coefficients: Array = field(default_factory=lambda: np.zeros(0))


def half_ties(cells: Cells) -> Cells:
    """Each tie as half a win for both sides."""
    return Cells(
        cells.left, cells.right, cells.wins + cells.ties / 2, cells.losses + cells.ties / 2, home=cells.home
    )


def _sigma(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def _differences(cells: Cells, at: Point) -> Array:
    """x of each cell."""
    z = cells.covariates[:, : len(at.coefficients)]
    return np.asarray(at.s[cells.left] - at.s[cells.right] + cells.home * at.home + z @ at.coefficients)


def log_chances(x: Array, model: str, tie: float) -> tuple[Array, Array, Array]:
    """log p of a win, a loss and a tie of the left item."""
    if model == "rao-kupper":
        win, loss = -np.logaddexp(0, tie - x), -np.logaddexp(0, tie + x)
        return win, loss, win + loss + (np.log(np.expm1(2 * tie)) if tie > 0 else -np.inf)
    middle = tie if model == "davidson" else -np.inf
    total = np.logaddexp(np.logaddexp(x / 2, -x / 2), middle)
    return x / 2 - total, -x / 2 - total, middle - total


def log_likelihood(cells: Cells, at: Point, model: str = "none") -> float:
    """Log-likelihood of the games, the prior left out.

    Parameters
    ----------
    cells : Cells
        The games.
    at : Point
        Strengths and parameters.
    model : {'none', 'davidson', 'rao-kupper'}
        See the module.

    Returns
    -------
    float

    Raises
    ------
    IndexError
        If a cell names an item that `at` does not have.

    Examples
    --------
    >>> import numpy as np
    >>> games = Cells(np.array([0]), np.array([1]), np.array([3.0]), np.array([1.0]))
    >>> print(round(log_likelihood(games, Point(np.array([np.log(3), 0.0]))), 6))  # 3 log .75 + log .25
    -2.249341
    """
    parts = zip(
        (cells.wins, cells.losses, cells.ties),
        log_chances(_differences(cells, at), model, at.tie),
        strict=True,
    )
    return float(sum((n[n > 0] * p[n > 0]).sum() for n, p in parts))


def _score(cells: Cells, x: Array, model: str, tie: float) -> tuple[Array, Array, Array, Array]:
    """u and v of each cell for its left and its right item: d ll / dx = up - down, in Newman's split of it.

    Davidson and plain:  up = (w + t/2) (1 - q), down = (l + t/2) q with q = p_win + p_tie / 2.
    Rao-Kupper:          up = (w + t) (1 - p_win), down = (l + t) (1 - p_loss).
    Returns up, down, and the observed and expected scores that Zermelo's iteration compares.
    """
    win, loss, tied = (np.exp(p) for p in log_chances(x, model, tie))
    if model == "rao-kupper":
        a, b = cells.wins + cells.ties, cells.losses + cells.ties
        return a * (1 - win), b * (1 - loss), a, a * win + b * (1 - loss)
    a, b, q = cells.wins + cells.ties / 2, cells.losses + cells.ties / 2, win + tied / 2
    return a * (1 - q), b * q, a, (a + b) * q


def _update_tie(cells: Cells, at: Point, model: str) -> None:
    """The tie parameter's fixed-point step at the present strengths.

    Davidson: d ll / d tau = sum t (1 - p_tie) - sum (w + l) p_tie = 0, so nu *= their ratio.
    Rao-Kupper: a = w + t and S = sum over both sides of a pi_j / (pi_i + theta pi_j) = a (1 - p) / theta,
    d ll / d delta = 2 T theta^2 / (theta^2 - 1) - theta S = 0 is theta^2 - 2 (T / S) theta - 1 = 0:
    theta = T/S + sqrt(1 + (T/S)^2), that is delta = asinh(T/S).
    """
    x = _differences(cells, at)
    if model == "davidson":
        tied = np.exp(log_chances(x, model, at.tie)[2])
        at.tie += np.log((cells.ties * (1 - tied)).sum() / ((cells.wins + cells.losses) * tied).sum())
    elif model == "rao-kupper":
        up, down, _, _ = _score(cells, x, model, at.tie)
        at.tie = float(np.arcsinh(cells.ties.sum() / ((up + down).sum() * np.exp(-at.tie))))


def _update_home(cells: Cells, at: Point, model: str) -> None:
    """h as if it were the strength of one more item, on the side that is at home."""
    up, down, _, _ = _score(cells, _differences(cells, at), model, at.tie)
    gain = np.where(cells.home > 0, up, 0).sum() + np.where(cells.home < 0, down, 0).sum()
    loss = np.where(cells.home > 0, down, 0).sum() + np.where(cells.home < 0, up, 0).sum()
    at.home += np.log(gain / loss)


def best_shift(s: Array) -> float:
    """c with sum tanh((s + c) / 2) = 0, by bisection: the best common shift under the prior."""
    low, high = -s.max(), -s.min()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh((s + middle) / 2).sum() < 0 else (low, middle)
    return float((low + high) / 2)


def _start(n: int, model: str) -> Point:
    return Point(np.zeros(n), 0.5 if model == "rao-kupper" else 0.0)


def _finish_sweep(cells: Cells, at: Point, model: str, home: bool, prior: float, exact_shift: bool) -> None:
    if prior == 0:
        at.s -= at.s.mean()
    elif exact_shift:
        at.s += best_shift(at.s)
    if home:
        _update_home(cells, at, model)
    if model != "none":
        _update_tie(cells, at, model)


def zermelo(
    cells: Cells, n: int, sweeps: int, *, model: str = "none", home: bool = False, prior: float = 0.0
) -> Point:
    """Zermelo's iteration (minorise-maximise), all items at once.

    s_i += log((observed score + a) / (expected score + 2 a sigma(s_i))).

    Parameters
    ----------
    cells : Cells
        The games.
    n : int
        Number of items.
    sweeps : int
        How many to make.
    model : {'none', 'davidson', 'rao-kupper'}
        See the module.
    home : bool
        Fit a home advantage.
    prior : float
        Strength a of the prior.

    Returns
    -------
    Point
        Centred without a prior.

    Raises
    ------
    IndexError
        If a cell names an item beyond `n`.

    Notes
    -----
    O(len(cells)) time a sweep. Where no finite optimum exists, strengths grow with every sweep.

    Examples
    --------
    >>> import numpy as np
    >>> games = Cells(np.array([0]), np.array([1]), np.array([3.0]), np.array([1.0]))
    >>> s = zermelo(games, 2, 50).s
    >>> print(round(float(s[0] - s[1]), 6))  # log 3
    1.098612
    """
    at = _start(n, model)
    for _ in range(sweeps):
        x = _differences(cells, at)
        seen, expected = np.full(n, prior), 2 * prior * _sigma(at.s)
        _, _, own, fair = _score(cells, x, model, at.tie)
        np.add.at(seen, cells.left, own)
        np.add.at(expected, cells.left, fair)
        _, _, own, fair = _score(_turned(cells), -x, model, at.tie)
        np.add.at(seen, cells.right, own)
        np.add.at(expected, cells.right, fair)
        at.s = at.s + np.log(seen / expected)
        _finish_sweep(cells, at, model, home, prior, False)
    return at


def newman(
    cells: Cells,
    n: int,
    sweeps: int,
    *,
    model: str = "none",
    home: bool = False,
    prior: float = 0.0,
    exact_shift: bool = False,
) -> Point:
    """Newman's iteration, one item after the other, each with the others' newest values.

    s_i += log((sum up + a sigma(-s_i)) / (sum down + a sigma(s_i))).

    Parameters
    ----------
    cells : Cells
        The games.
    n : int
        Number of items.
    sweeps : int
        How many to make.
    model : {'none', 'davidson', 'rao-kupper'}
        See the module.
    home : bool
        Fit a home advantage.
    prior : float
        Strength a of the prior.
    exact_shift : bool
        Under a prior, solve for the common shift after each sweep.

    Returns
    -------
    Point
        Centred without a prior.

    Raises
    ------
    IndexError
        If a cell names an item beyond `n`.

    Notes
    -----
    O(len(cells)) time a sweep. Where no finite optimum exists, strengths grow with every sweep.

    Examples
    --------
    >>> import numpy as np
    >>> games = Cells(np.array([0]), np.array([1]), np.array([3.0]), np.array([1.0]))
    >>> s = newman(games, 2, 3).s
    >>> print(round(float(s[0] - s[1]), 6))  # log 3
    1.098612
    """
    at = _start(n, model)
    as_left = [np.flatnonzero(cells.left == i) for i in range(n)]
    as_right = [np.flatnonzero(cells.right == i) for i in range(n)]
    turned = _turned(cells)
    for _ in range(sweeps):
        for i in range(n):
            gain, loss = prior * _sigma(-at.s[i]), prior * _sigma(at.s[i])
            for part in (_take(cells, as_left[i]), _take(turned, as_right[i])):
                up, down, _, _ = _score(part, _differences(part, at), model, at.tie)
                gain, loss = gain + up.sum(), loss + down.sum()
            at.s[i] += np.log(gain / loss)
        _finish_sweep(cells, at, model, home, prior, exact_shift)
    return at


def _turned(cells: Cells) -> Cells:
    return Cells(
        cells.right, cells.left, cells.losses, cells.wins, cells.ties, -cells.home, -cells.covariates
    )


def _take(cells: Cells, rows: npt.NDArray[np.intp]) -> Cells:
    return Cells(*(column[rows] for column in vars(cells).values()))


def derivatives(cells: Cells, at: Point, *, model: str, home: bool, prior: float) -> tuple[Array, Array]:
    """Gradient of the penalised log-likelihood and its negative Hessian over (s, tie, home, coefficients)."""
    n = len(at.s)
    x = _differences(cells, at)
    win, loss, tied = (np.exp(p) for p in log_chances(x, model, at.tie))
    if model == "rao-kupper":
        a, b = cells.wins + cells.ties, cells.losses + cells.ties
        total = cells.ties.sum() * (2 / -np.expm1(-2 * at.tie))
        by_x, by_tie = a * (1 - win) - b * (1 - loss), -a * (1 - win) - b * (1 - loss)
        cw, cl = a * win * (1 - win), b * loss * (1 - loss)
        xx, xt, tt = cw + cl, cl - cw, cw + cl
        tie_gradient = by_tie.sum() + total
        tie_curvature = tt.sum() + cells.ties.sum() * 4 * np.exp(-2 * at.tie) / np.expm1(-2 * at.tie) ** 2
    else:
        games, lean = cells.wins + cells.losses + cells.ties, (win - loss) / 2
        by_x = (cells.wins - cells.losses) / 2 - games * lean
        xx, xt = games * ((win + loss) / 4 - lean**2), -games * lean * tied
        tie_gradient = (cells.ties - games * tied).sum()
        tie_curvature = (games * tied * (1 - tied)).sum()
    p = len(at.coefficients)
    design = np.zeros((len(x), n + 2 + p))
    design[np.arange(len(x)), cells.left] += 1
    design[np.arange(len(x)), cells.right] -= 1
    design[:, n + 1] = cells.home
    design[:, n + 2 :] = cells.covariates[:, :p]
    gradient, hessian = design.T @ by_x, design.T @ (xx[:, None] * design)
    gradient[n], hessian[n] = tie_gradient, design.T @ xt
    hessian[:, n] = hessian[n]
    hessian[n, n] = tie_curvature
    gradient[:n] -= prior * np.tanh(at.s / 2)
    hessian[np.arange(n), np.arange(n)] += 2 * prior * _sigma(at.s) * _sigma(-at.s)
    kept = [
        *range(n),
        *([n] if model != "none" else []),
        *([n + 1] if home else []),
        *range(n + 2, n + 2 + p),
    ]
    return gradient[kept], hessian[np.ix_(kept, kept)]


def newton(
    cells: Cells,
    n: int,
    *,
    model: str = "none",
    home: bool = False,
    prior: float = 0.0,
    start: Point | None = None,
    tol: float = 1e-10,
    max_iter: int = 100,
) -> tuple[Point, float]:
    """Newton's method with halved steps.

    Parameters
    ----------
    cells : Cells
        The games.
    n : int
        Number of items.
    model : {'none', 'davidson', 'rao-kupper'}
        See the module.
    home : bool
        Fit a home advantage.
    prior : float
        Strength a of the prior.
    start : Point, optional
        Where to begin; with as many coefficients as are to be fitted.
    tol : float
        Newton decrement to stop at.
    max_iter : int
        Largest number of steps.

    Returns
    -------
    Point, float
        The optimum (centred without a prior) and the last Newton decrement sqrt(g' H^+ g).

    Raises
    ------
    numpy.linalg.LinAlgError
        If the Hessian is singular: the data does not determine a parameter.

    Notes
    -----
    O(n^3 + len(cells) n^2) time a step and O(len(cells) n) memory: for a few hundred items.

    Examples
    --------
    >>> import numpy as np
    >>> games = Cells(np.array([0]), np.array([1]), np.array([3.0]), np.array([1.0]))
    >>> at, decrement = newton(games, 2)
    >>> print(round(float(at.s[0] - at.s[1]), 6), decrement <= 1e-10)  # log 3
    1.098612 True
    """
    at = _start(n, model) if start is None else start
    decrement = np.inf
    for _ in range(max_iter):
        gradient, hessian = derivatives(cells, at, model=model, home=home, prior=prior)
        if prior == 0:
            hessian[:n, :n] += np.trace(hessian) / n**2  # the common shift, which the gradient has no part in
        step = np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
        slope = float(gradient @ step)
        decrement = np.sqrt(max(slope, 0.0))
        if decrement <= tol:
            break
        length = min(1.0, 5.0 / np.abs(step).max())
        while True:
            trial = _moved(at, step, length, n, model, home)
            if model != "rao-kupper" or trial.tie > 0:
                after = derivatives(cells, trial, model=model, home=home, prior=prior)[0] @ step
                if after >= -0.5 * slope:
                    break
            length /= 2
        at = trial
    if prior == 0:
        at.s = at.s - at.s.mean()
    return at, float(decrement)


def _moved(at: Point, step: Array, length: float, n: int, model: str, home: bool) -> Point:
    rest = list(length * step[n:])
    tie = at.tie + rest.pop(0) if model != "none" else at.tie
    advantage = at.home + rest.pop(0) if home else at.home
    return Point(at.s + length * step[:n], tie, advantage, at.coefficients + np.array(rest))


def sandwich(cells: Cells, at: Point, *, model: str, home: bool, prior: float = 0.0) -> Array:
    """H^+ J H^+ over (s, tie, home, coefficients), J from one score a game.

    Parameters
    ----------
    cells : Cells
        The games, in whole numbers.
    at : Point
        The optimum.
    model : {'none', 'davidson', 'rao-kupper'}
        See the module.
    home : bool
        Whether a home advantage was fitted.
    prior : float
        Strength a of the prior.

    Returns
    -------
    ndarray, shape (n + parameters, n + parameters)
        Strengths are taken against their mean.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the Hessian is singular.
    """
    n = len(at.s)
    _, hessian = derivatives(cells, at, model=model, home=home, prior=prior)
    meat = np.zeros_like(hessian)
    for k in range(len(cells.left)):
        for column in ("wins", "losses", "ties"):
            one = _take(cells, np.array([k]))
            one.wins, one.losses, one.ties = np.zeros(1), np.zeros(1), np.zeros(1)
            getattr(one, column)[0] = 1.0
            if getattr(cells, column)[k] > 0:
                score = derivatives(one, at, model=model, home=home, prior=0.0)[0]
                meat += getattr(cells, column)[k] * np.outer(score, score)
    if prior == 0:
        hessian[:n, :n] += np.trace(hessian) / n**2
    inverse = np.linalg.inv(hessian)
    inverse[:n] -= inverse[:n].mean(axis=0)
    return np.asarray(inverse @ meat @ inverse.T)


def bootstrap(
    cells: Cells,
    at: Point,
    rounds: int,
    rng: np.random.Generator,
    *,
    model: str = "none",
    home: bool = False,
    prior: float = 0.0,
) -> Array:
    """Bayesian bootstrap: exponential weights a game, refitted by Newton's method from the fit.

    Parameters
    ----------
    cells : Cells
        The games.
    at : Point
        The fit.
    rounds : int
        How many refits.
    rng : numpy.random.Generator
        Source of the weights.
    model, home, prior
        As in `newton`.

    Returns
    -------
    ndarray, shape (rounds, n)
        Strengths with mean 0 in each round.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a Hessian is singular.

    Examples
    --------
    >>> import numpy as np
    >>> games = Cells(np.array([0]), np.array([1]), np.array([30.0]), np.array([10.0]))
    >>> at, _ = newton(games, 2)
    >>> bootstrap(games, at, 5, np.random.default_rng(0)).shape
    (5, 2)
    """
    out = np.empty((rounds, len(at.s)))
    for r in range(rounds):
        wins, losses, ties = (rng.gamma(count) for count in (cells.wins, cells.losses, cells.ties))
        drawn = Cells(cells.left, cells.right, wins, losses, ties, cells.home)
        start = Point(at.s.copy(), at.tie, at.home)
        out[r] = newton(drawn, len(at.s), model=model, home=home, prior=prior, start=start, tol=1e-6)[0].s
    return np.asarray(out - out.mean(axis=1, keepdims=True))


def rank_sets(s: Array, covariance: Array, level: float, draws: int, rng: np.random.Generator) -> Array:
    """Simultaneous rank sets: best and worst rank of each item.

    Parameters
    ----------
    s : ndarray, shape (n,)
        Strengths.
    covariance : ndarray, shape (n, n)
        Of the strengths.
    level : float
        Confidence that all sets hold.
    draws : int
        Simulated errors behind the critical value.
    rng : numpy.random.Generator
        Source of them.

    Returns
    -------
    ndarray of int, shape (n, 2)

    Raises
    ------
    numpy.linalg.LinAlgError
        If the covariance has no eigendecomposition.
    """
    n = len(s)
    d = np.diag(covariance)
    error = np.sqrt(np.maximum(d[:, None] + d - 2 * covariance, 0))
    z = rng.multivariate_normal(np.zeros(n), covariance, size=draws, method="eigh")
    off = ~np.eye(n, dtype=bool)
    t = [np.max(np.abs(row[:, None] - row)[off] / error[off]) for row in z]
    surely = (s[:, None] - s) > np.quantile(t, level) * error
    surely &= off
    return np.column_stack([1 + surely.sum(axis=0), n - surely.sum(axis=1)])


def graded_log_chances(x: Array, levels: int, thresholds: Array, link: str) -> Array:
    """Log chances of graded outcomes, from the worst for the left item to the best: len(x) x levels.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Differences of strengths.
    levels : int
        Number of grades.
    thresholds : ndarray, shape ((levels - 1) // 2,)
        Cumulative: boundaries above the middle, rising. Adjacent: log weights from the second grade to
        the middle.
    link : {'cumulative', 'adjacent'}

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> print(np.exp(graded_log_chances(np.zeros(1), 3, np.zeros(1), "adjacent")).round(3))
    [[0.333 0.333 0.333]]
    """
    x = np.asarray(x, dtype=np.float64)[:, None]
    if link == "adjacent":
        weights = np.concatenate([[0.0], thresholds])
        fold = np.minimum(np.arange(levels), levels - 1 - np.arange(levels))
        logits = (np.arange(levels) / (levels - 1) - 0.5) * x + weights[fold]
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
    middle = [0.0] if levels % 2 == 0 else []
    inner = np.concatenate([-np.asarray(thresholds)[::-1], middle, thresholds])
    below = np.column_stack([np.zeros_like(x), _sigma(inner - x), np.ones_like(x)])
    return np.asarray(np.log(np.diff(below, axis=1)))


def team_strengths(
    sides: Array,
    wins: Array,
    losses: Array,
    ties: Array,
    *,
    model: str = "none",
    prior: float = 0.0,
    springs: Array | None = None,
) -> Point:
    """Newton's method for games between sides, x = sides @ s.

    Parameters
    ----------
    sides : ndarray, shape (n_games, n_items)
        Weights of the left side minus those of the right one.
    wins, losses, ties : ndarray, shape (n_games,)
        Of the left side.
    model : {'none', 'davidson', 'rao-kupper'}
    prior : float, default 0
        Strength of the logistic prior.
    springs : ndarray, shape (n_items,), optional
        Curvatures of normal priors about 0, instead of the logistic one where they are positive.

    Returns
    -------
    Point

    Examples
    --------
    >>> import numpy as np
    >>> doubles = np.array([[1.0, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])
    >>> found = team_strengths(doubles, np.full(3, 3.0), np.ones(3), np.zeros(3))
    >>> print(found.s.round(4))  # each game: log 3 = x
    [ 0.824  -0.2747 -0.2747 -0.2747]
    """
    m, n = sides.shape
    at = Point(np.zeros(n), tie=0.0 if model == "none" else 0.5)
    free = model != "none"
    games = Cells(np.arange(m), np.full(m, m), wins, losses, ties)  # of x against nobody
    wide = np.zeros((m + 1 + free, n + free))
    wide[:m, :n] = sides
    wide[-1, -1] = 1.0 if free else 0.0
    normal = np.zeros(n) if springs is None else springs
    logistic = prior * (normal == 0)
    for _ in range(200):
        own = Point(np.append(sides @ at.s, 0.0), at.tie)
        slope, curvature = derivatives(games, own, model=model, home=False, prior=0.0)
        g, H = wide.T @ slope, wide.T @ curvature @ wide
        win = _sigma(at.s)
        g[:n] += logistic * (1.0 - 2.0 * win) - normal * at.s
        H[range(n), range(n)] += 2.0 * logistic * win * (1.0 - win) + normal
        step = np.linalg.lstsq(H, g, rcond=1e-12)[0]
        length = min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        at.s = at.s + length * step[:n]
        at.tie += length * float(step[n]) if free else 0.0
        if float(g @ step) < 1e-26:
            break
    return at


def fit_groups(
    cells: Cells,
    group: npt.NDArray[np.integer],
    n: int,
    width: float,
    *,
    model: str = "none",
    prior: float = 0.0,
) -> tuple[Array, Array, float]:
    """Strengths of the whole, and how those of each group differ from them: normal about 0.

    Parameters
    ----------
    cells : Cells
        Games without home advantage.
    group : ndarray, shape (n_cells,)
        Of each cell, from 0.
    n : int
        Number of items.
    width : float
        Standard deviation of the differences.
    model : {'none', 'davidson', 'rao-kupper'}
    prior : float, default 0
        Of the whole.

    Returns
    -------
    whole : ndarray, shape (n,)
        Strengths.
    differences : ndarray, shape (n_groups, n)
        Of each group from the whole.
    tie : float
        Logarithm of nu, or of theta.

    Examples
    --------
    >>> import numpy as np
    >>> games = Cells(np.zeros(2, int), np.ones(2, int), np.array([30.0, 10]), np.array([10.0, 30]))
    >>> whole, differences, _ = fit_groups(games, np.array([0, 1]), 2, width=0.5)
    >>> print(abs(whole).round(6), differences.round(2))
    [0. 0.] [[ 0.44 -0.44]
     [-0.44  0.44]]
    """
    groups, rows = int(group.max()) + 1, np.arange(len(group))
    sides = np.zeros((len(group), n * (groups + 1)))
    for items, sign in ((cells.left, 1.0), (cells.right, -1.0)):
        sides[rows, items] = sides[rows, n * (group + 1) + items] = sign
    springs = np.repeat([0.0, width**-2], [n, n * groups])
    at = team_strengths(
        sides, cells.wins, cells.losses, cells.ties, model=model, prior=prior, springs=springs
    )
    return at.s[:n], at.s[n:].reshape(groups, n), at.tie


def fit_judges(
    cells: Cells,
    judge: npt.NDArray[np.integer],
    n: int,
    *,
    spreads: tuple[float, float],
    model: str = "none",
    prior: float = 0.0,
) -> tuple[Point, Array, Array]:
    """A local optimum for x = slope of the judge * (s_left - s_right) + home * bias of the judge.

    Found by BFGS from equal items and judges of slope 1 and bias 0.

    Parameters
    ----------
    cells : Cells
    judge : ndarray, shape (n_cells,)
        Of each cell, from 0.
    n : int
        Number of items.
    spreads : tuple of two floats
        Standard deviations of the normal priors of slopes (about 1) and biases (about 0).
    model : {'none', 'davidson'}
    prior : float, default 0
        Strength of the logistic prior of strengths.

    Returns
    -------
    at : Point
        Strengths and log nu.
    slopes, biases : ndarray, shape (n_judges,)
        Of the judges.

    Examples
    --------
    >>> import numpy as np
    >>> games = Cells(np.zeros(2, int), np.ones(2, int), np.array([30.0, 20]), np.array([10.0, 20]))
    >>> _, slopes, _ = fit_judges(games, np.array([0, 1]), 2, spreads=(1.0, 1.0))
    >>> bool(slopes[0] > slopes[1])
    True
    """
    from scipy import optimize

    k = int(judge.max()) + 1

    def loss(p: Array) -> tuple[float, Array]:
        s, r, b, tie = p[:n], p[n : n + k], p[n + k : n + 2 * k], float(p[-1])
        gap = s[cells.left] - s[cells.right]
        x = r[judge] * gap + cells.home * b[judge]
        chances = log_chances(x, model, tie)
        counts = (cells.wins, cells.losses, cells.ties)
        value = sum(float((c[c > 0] * q[c > 0]).sum()) for c, q in zip(counts, chances, strict=True))
        value -= 0.5 * float(((r - 1) ** 2).sum()) / spreads[0] ** 2 + 0.5 * float(b @ b) / spreads[1] ** 2
        value -= prior * float((np.logaddexp(0, s) + np.logaddexp(0, -s)).sum())
        up, down, _, _ = _score(cells, x, model, tie)
        by_x, g = up - down, np.zeros_like(p)
        np.add.at(g, cells.left, r[judge] * by_x)
        np.add.at(g, cells.right, -r[judge] * by_x)
        np.add.at(g, n + judge, gap * by_x)
        np.add.at(g, n + k + judge, cells.home * by_x)
        g[:n] += prior * (1 - 2 * _sigma(s))
        g[n : n + k] -= (r - 1) / spreads[0] ** 2
        g[n + k : n + 2 * k] -= b / spreads[1] ** 2
        if model == "davidson":
            g[-1] = float((cells.ties - sum(counts) * np.exp(chances[2])).sum())
        return -value, -g

    start = np.concatenate([np.zeros(n), np.ones(k), np.zeros(k + 1)])
    start[:n] = 1e-3 * np.arange(n)  # equal items say nothing of slopes
    found = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-8, "maxiter": 5000}).x
    return Point(found[:n], float(found[-1])), found[n : n + k], found[n + k : n + 2 * k]
