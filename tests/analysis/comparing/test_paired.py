"""McNemar, Holm, Tango's interval and kappa's, against SciPy, statsmodels and enumeration."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar as other_mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests

from misread.analysis.comparing.paired import Paired, consistency, difference, holm, mcnemar
from misread.analysis.intervals import Estimate
from misread.errors import ParameterError

PAIRS = [
    Paired(both, first, second, 400)
    for both, first, second in itertools.product((0, 1, 9), (0, 1, 7, 30), (0, 2, 11, 30))
]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_mcnemar_is_statsmodels_and_scipys(pair: Paired) -> None:
    b, c = pair.first_only, pair.second_only
    table = [[pair.both, b], [c, pair.images - pair.both - b - c]]
    assert mcnemar(pair) == pytest.approx(other_mcnemar(table, exact=True).pvalue)
    if b + c:
        assert mcnemar(pair) == pytest.approx(stats.binomtest(b, b + c).pvalue)


def test_holm_is_that_of_statsmodels() -> None:
    generator = np.random.default_rng(0)
    for number in (1, 2, 5, 40):
        p_values = generator.beta(0.3, 1, number)
        expected = multipletests(p_values, method="holm")[1]
        np.testing.assert_allclose(holm(p_values.tolist()), expected)
    assert holm([]) == []


def test_holm_keeps_the_familywise_error() -> None:
    """Twelve true nulls that share their reference: at most 5% of the pages settle any.

    4,000 simulated pages: three Monte Carlo standard errors of 5% are 0.010.
    """
    generator = np.random.default_rng(1)
    wrong = generator.random((4_000, 13, 300)) < 0.1
    false = 0
    for page in wrong:
        reference, others = page[0], page[1:]
        pairs = [
            Paired(
                int((other & reference).sum()), int((other & ~reference).sum()),
                int((reference & ~other).sum()), 300,
            )
            for other in others
        ]  # fmt: skip
        false += min(holm([mcnemar(pair) for pair in pairs])) <= 0.05
    assert false / 4_000 <= 0.06


def tango_statistic(pair: Paired, delta: float) -> float:
    """Tango's statistic, its nuisance parameter maximized numerically, not in closed form."""
    n, b, c = pair.images, pair.first_only, pair.second_only

    def loss(second: float) -> float:
        first = second + delta
        rest = 1 - first - second
        parts = ((b, first), (c, second), (n - b - c, rest))
        if min(first, second, rest) < 0:
            return float("inf")
        return -float(sum(k * np.log(max(p, 1e-300)) for k, p in parts if k))

    low, high = max(0.0, -delta), (1 - delta) / 2
    found = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded",
                                     options={"xatol": 1e-12}).x  # fmt: skip
    return float((b - c - n * delta) / np.sqrt(n * (2 * found + delta - delta**2)))


@pytest.mark.parametrize("pair", PAIRS[1::3], ids=str)
def test_tangos_limits_are_where_its_statistic_is(pair: Paired) -> None:
    found = difference(pair)
    assert found.value == (pair.first_only - pair.second_only) / pair.images
    z = stats.norm.ppf(0.975)
    assert tango_statistic(pair, found.low) == pytest.approx(z, abs=2e-3)
    assert tango_statistic(pair, found.high) == pytest.approx(-z, abs=2e-3)


def test_tangos_interval_as_published() -> None:
    """Fagerland, Lydersen and Laake (2014), table 5: airway reactivity before and after."""
    found = difference(Paired(both=1, first_only=1, second_only=7, images=21))
    limits = [found.value, found.low, found.high]
    assert limits == pytest.approx([-6 / 21, -0.517, -0.026], abs=5e-4)


def test_swapping_the_two_turns_the_sign() -> None:
    for pair in PAIRS:
        swapped = Paired(pair.both, pair.second_only, pair.first_only, pair.images)
        one, other = difference(pair), difference(swapped)
        assert (one.value, one.low, one.high) == pytest.approx(
            (-other.value, -other.high, -other.low), abs=1e-12
        )
        assert mcnemar(pair) == mcnemar(swapped)
        assert consistency(pair).low == pytest.approx(consistency(swapped).low, nan_ok=True)


def coverage(
    interval: Callable[[Paired], Estimate], truth: float, shares: tuple[float, float, float], n: int
) -> float:
    """How often the interval of N images holds the truth, by enumeration of all likely counts.

    Counts whose probabilities sum to less than 1e-6 are left out, and count as misses; so do those
    without an interval, which are left out of the total instead.
    """
    ranges = [
        np.arange(stats.binom.ppf(1e-8, n, share), stats.binom.isf(1e-8, n, share) + 1, dtype=int)
        for share in shares
    ]
    held = total = 0.0
    both, first, second = (part.ravel() for part in np.meshgrid(*ranges))
    fits = both + first + second <= n
    counts = np.stack([both, first, second], 1)[fits]
    rest = n - counts.sum(1, keepdims=True)
    likely = stats.multinomial.pmf(np.hstack([counts, rest]), n, [*shares, 1 - sum(shares)])
    for (a, b, c), probability in zip(counts.tolist(), likely, strict=True):
        if probability < 1e-9:
            continue
        found = interval(Paired(a, b, c, n))
        if np.isnan(found.value):
            continue
        total += probability
        held += probability * (found.low - 1e-12 <= truth <= found.high + 1e-12)
    assert total > 0.5
    return held / total


@pytest.mark.parametrize(
    ("first", "second", "n", "least"),
    [
        (0.0025, 0.0025, 10_000, 0.945),
        (0.0041, 0.0014, 10_000, 0.945),
        (0.0007, 0.0003, 10_000, 0.93),
        (0.05, 0.05, 60, 0.94),
        (0.2, 0.05, 60, 0.94),
        (0.02, 0.02, 200, 0.94),
        (0.1, 0.3, 30, 0.94),
    ],
)
def test_tangos_interval_covers(first: float, second: float, n: int, least: float) -> None:
    """What both misread doesn't enter, so that it can be left at nothing."""
    found = coverage(difference, first - second, (0.0, first, second), n)
    assert least <= found <= 0.975


def shares_at(kappa: float, p: float, q: float) -> tuple[float, float, float]:
    both = p * q + kappa / 2 * (p + q - 2 * p * q)
    return both, p - both, q - both


@pytest.mark.parametrize(
    ("kappa", "p", "q", "n", "least"),
    [
        (0.4, 0.3, 0.3, 30, 0.935),
        (0.2, 0.2, 0.5, 30, 0.93),
        (0.7, 0.5, 0.5, 30, 0.935),
        (0.9, 0.3, 0.3, 30, 0.94),
        (0.0, 0.2, 0.2, 30, 0.93),
        (0.6, 0.005, 0.005, 1_000, 0.93),
    ],
)
def test_kappas_interval_covers(kappa: float, p: float, q: float, n: int, least: float) -> None:
    found = coverage(consistency, kappa, shares_at(kappa, p, q), n)
    assert least <= found <= 0.985


@pytest.mark.parametrize("kappa", [0.2, 0.4, 0.7, 0.9])
def test_kappas_interval_covers_where_mistakes_are_rare(kappa: float) -> None:
    """10,000 images and 0.5% mistakes; 2,000 draws, whose two Monte Carlo errors are 0.010."""
    shares = shares_at(kappa, 0.005, 0.005)
    draws = np.random.default_rng(0).multinomial(10_000, [*shares, 1 - sum(shares)], 2_000)
    held = 0
    for both, first, second, _ in draws.tolist():
        found = consistency(Paired(both, first, second, 10_000))
        held += found.low <= kappa <= found.high
    assert 0.94 <= held / 2_000 <= 0.97


def test_kappa_is_that_of_statsmodels() -> None:
    for pair in PAIRS:
        b, c = pair.first_only, pair.second_only
        if 0 in (pair.both + b, pair.both + c):
            assert np.isnan(consistency(pair).value)
            continue
        table = [[pair.both, b], [c, pair.images - pair.both - b - c]]
        expected = cohens_kappa(np.array(table))
        found = consistency(pair)
        assert found.value == pytest.approx(expected.kappa)
        assert -1 <= found.low <= found.value <= found.high <= 1


def test_many_mistakes_give_the_large_sample_interval() -> None:
    table = np.array([[3_000, 900], [1_100, 5_000]])
    expected = cohens_kappa(table)
    found = consistency(Paired(3_000, 900, 1_100, 10_000))
    assert found.low == pytest.approx(expected.kappa_low, abs=5e-4)
    assert found.high == pytest.approx(expected.kappa_upp, abs=5e-4)


def test_nothing_and_the_same_mistakes() -> None:
    same = Paired(both=12, first_only=0, second_only=0, images=900)
    assert mcnemar(same) == 1.0
    assert difference(same).value == 0
    assert difference(same).low == pytest.approx(-difference(same).high)
    assert (consistency(same).value, consistency(same).high) == (1.0, 1.0)
    assert consistency(same).low < 0.95
    assert np.isnan(difference(Paired(0, 0, 0, 0)).value)


@pytest.mark.parametrize("counts", [(-1, 0, 0, 5), (2, 2, 2, 5)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ParameterError, match="no more than images"):
        Paired(*counts)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_levels_are_checked(level: float) -> None:
    for interval in (difference, consistency):
        with pytest.raises(ParameterError, match="level must be in"):
            interval(Paired(1, 2, 3, 10), level)
