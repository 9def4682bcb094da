"""Limits for the errors of several readers together, each of whom drew items of his own.

Two ways, for two ends of a study:

- All stopped at one number fixed beforehand: the Clopper-Pearson interval of all answers together.
  Each reader's errors are a sum of independent indicators (Vatutin & Mikhailov 1982) with a rate of
  his own, and a sum of indicators with different rates varies less than one with equal rates
  (Hoeffding 1956). With unequal numbers the answers would weigh the readers unequally, and the
  interval can miss nearly always.
- However it ended: answers are taken in rounds, the t-th of every reader, up to the number that all
  have reached. With K_j errors of reader j, the mean chance of an error in a round depends on the
  sum S of all K_j only: p_t = (S - x) / (J (N - t)), with x errors in the t rounds before. For a q
  fixed before the round, the product over readers of (q/p_t)^y ((1-q)/(1-p_t))^(1-y) has a mean of
  at most 1: each factor's mean is linear in the reader's own chance, and their product is largest
  where all are equal. So the running product ever reaches 1/alpha with a probability of at most
  alpha (Ville 1939). q is what the bet expects after the rounds before; for one reader this is the
  prior-posterior ratio of `anytime`, and ln of it is convex in S as well. Some S always stays: a
  running mean never foretells better than the overall mean does afterwards, and the S that goes
  with it does at least as well.

The mean of each reader's own limits at alpha / J is valid too, but doesn't narrow with more
readers: it is wider for twenty than for one.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from misread.analysis.intervals import clopper_pearson
from misread.analysis.reading.anytime import EXPECTED_RATE, beta_bet
from misread.analysis.reading.exact import DoubleArray, check_alpha, smallest
from misread.errors import ParameterError
from misread.types import Array, IntArray

_ROUNDING = 1e-9


def planned_limits(
    wrong: int, read: int, readers: int, items: int, alpha: float = 0.05
) -> tuple[float, float]:
    """Limits of the mean number of errors, all readers having stopped at one planned number.

    Args:
        wrong: Errors of all readers together.
        read: m, items that each of them read, his own simple random sample.
        readers: J.
        items: N.
        alpha: Largest probability that the interval misses the mean over these readers.

    Returns:
        Limits of the mean over readers of K_j, in 0..N.
    """
    if read == items:
        return wrong / readers, wrong / readers
    rate = clopper_pearson(wrong, readers * read, 1 - alpha)
    if not read:
        return 0.0, float(items)
    return items * rate.low, items * rate.high


def anytime_sum_limits(
    wrong: npt.ArrayLike,
    readers: int,
    items: int,
    alpha: float = 0.05,
    expected_rate: float = EXPECTED_RATE,
) -> tuple[int, int]:
    """Limits of the sum of all readers' errors that hold however the reading came to its end.

    Args:
        wrong: (r,) errors in each round, the t-th answers of all readers, in 0..J.
        readers: J.
        items: N >= r, items that each reader's errors are counted among.
        alpha: Largest probability that the limits miss S after any number of rounds.
        expected_rate: What the bet expects, in (0, 1).

    Returns:
        Smallest and largest S that aren't given up; the likeliest one is always among them.

    Raises:
        ParameterError: Numbers that are out of range.
    """
    check_alpha(alpha)
    rounds = _Rounds(np.asarray(wrong, np.int64), readers, items, expected_rate)
    room = -float(np.log(alpha))
    first, last = rounds.possible
    likeliest = smallest(first, last, lambda s: rounds.slope(s) >= 0)
    low = smallest(first, likeliest, lambda s: rounds.log_evidence(s) < room)
    high = smallest(likeliest + 1, last + 1, lambda s: rounds.log_evidence(s) >= room) - 1
    return low, high


def rounds_to_settle(
    wrong: npt.ArrayLike,
    readers: int,
    items: int,
    errors: float,
    alpha: float = 0.05,
    expected_rate: float = EXPECTED_RATE,
) -> int | None:
    """How many more rounds would rule out a sum of errors, if the rate so far went on.

    A projection: it takes each coming round to have the errors that the rounds so far had on
    average, fractions included. Chance makes it about as often too small as too large.

    Args:
        wrong: (r,) errors in each round so far.
        readers: J.
        items: N.
        errors: The sum S to be ruled out.
        alpha: Largest probability that the limits miss.
        expected_rate: What the bet expects, in (0, 1).

    Returns:
        Number of rounds, 0 if S is ruled out already. None if even all N rounds wouldn't, or there
        is no rate yet.
    """
    check_alpha(alpha)
    so_far = _Rounds(np.asarray(wrong, np.int64), readers, items, expected_rate)
    first, last = so_far.possible
    done = len(so_far.wrong)
    if not first <= errors <= last:
        return 0
    now, room = so_far.log_evidence(errors), -float(np.log(alpha))
    if now >= room:
        return 0
    if not done:
        return None
    rate = first / (readers * done)
    step = np.arange(items - done)
    before = first + readers * rate * step
    answers = readers * (done + step)
    a, b = beta_bet(expected_rate)
    bet = (a + before) / (a + b + answers)
    chance = (errors - before) / (readers * items - answers)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = readers * (xlogy(rate, bet / chance) + xlogy(1 - rate, (1 - bet) / (1 - chance)))
    evidence = now + np.cumsum(gain)
    # Once S needs fewer errors than were seen, or more than are left, no bet is needed.
    impossible = (chance < -_ROUNDING) | (chance > 1 + _ROUNDING)
    impossible = np.append(impossible[1:], abs(errors - first / done * items) > _ROUNDING)
    ruled_out = (evidence >= room) | impossible
    return int(np.argmax(ruled_out)) + 1 if ruled_out.any() else None


class _Rounds:
    """Answers in rounds, and the evidence that they are against each sum of errors."""

    def __init__(self, wrong: IntArray, readers: int, items: int, expected_rate: float) -> None:
        rounds = len(wrong)
        if readers < 1 or rounds > items or ((wrong < 0) | (wrong > readers)).any():
            raise ParameterError(
                f"expected up to {items} rounds with 0 to {readers} errors in each. "
                f"Got {rounds} with up to {wrong.max(initial=0)} instead."
            )
        a, b = beta_bet(expected_rate)
        total = int(wrong.sum())
        before = np.cumsum(wrong) - wrong
        answers = readers * np.arange(rounds)
        q = (a + before) / (a + b + answers)
        self.wrong, self._right, self._before = wrong, readers - wrong, before
        self._unread = readers * items - answers
        self._bet = float((wrong * np.log(q) + (readers - wrong) * np.log1p(-q)).sum())
        self.possible = total, readers * (items - rounds) + total

    def log_evidence(self, errors: float) -> float:
        """How much likelier the answers were under the bet than under this sum, as ln."""
        hidden = errors - self._before  # errors among the unread before each round
        likelihood = (
            _times_log(self.wrong, hidden)
            + _times_log(self._right, self._unread - hidden)
            - _times_log(self.wrong + self._right, self._unread)
        )
        return self._bet - float(likelihood.sum())

    def slope(self, errors: int) -> float:
        """Derivative of the evidence by the sum; it rises, since the evidence is convex."""
        hidden = errors - self._before
        return float((_over(self._right, self._unread - hidden) - _over(self.wrong, hidden)).sum())


def _times_log(count: IntArray, number: Array) -> DoubleArray:
    """The product count * ln(number), 0 where the count is 0."""
    product: DoubleArray = np.log(np.where(count > 0, number, 1)) * count
    return product


def _over(count: IntArray, number: IntArray) -> DoubleArray:
    """The ratio count / number, 0 where the count is 0."""
    ratio: DoubleArray = count / np.where(count > 0, number, 1)
    return ratio
