"""Do two make their errors on the same images? Error consistency, and its limits."""

from misread.analysis.intervals import Estimate


def error_consistency(both: float, first_only: float, second_only: float, total: float) -> float:
    """Cohen's kappa of two columns of right and wrong.

    c_obs = 1 - (n01 + n10) / N is how often both are right or both wrong, and
    c_exp = p q + (1 - p) (1 - q) how often that would be by chance at their error rates p and q;
    kappa = (c_obs - c_exp) / (1 - c_exp). 0 is chance, 1 the same errors, negative is other ones.

    Args:
        both: Images that both get wrong.
        first_only: Images that only the first gets wrong.
        second_only: Images that only the second gets wrong.
        total: N, all images.

    Returns:
        Kappa in [-1, 1]; NaN where it is undefined: both never wrong, or both always.

    Source: Geirhos, Meding & Wichmann (2020), Beyond accuracy, section 2.

    Example:
        >>> round(error_consistency(21, 14, 41, 10_000), 3)
        0.43
    """
    p, q = (both + first_only) / total, (both + second_only) / total
    by_chance = p * q + (1 - p) * (1 - q)
    observed = 1 - (first_only + second_only) / total
    # Sums of counts are exact, the products aren't: compare the counts.
    if both + first_only == both + second_only and both + first_only in (0, total):
        return float("nan")
    return (observed - by_chance) / (1 - by_chance)


def consistency_limits(
    both: Estimate, people_only: Estimate, mistakes: float, total: float
) -> Estimate:
    """Error consistency of people with a model whose mistakes are all known, with its limits.

    At given mistakes of the model, kappa falls as people's other errors rise, and rises with the
    errors that they share with it: so limits of both give limits of kappa.

    Args:
        both: Images that both get wrong, with limits.
        people_only: Images that only people get wrong, with limits.
        mistakes: Images that the model gets wrong.
        total: N.

    Returns:
        Kappa with limits that hold where both of the others do; NaN where it is undefined.
    """

    def kappa(shared: float, other: float) -> float:
        return error_consistency(shared, other, mistakes - shared, total)

    return Estimate(
        value=kappa(both.value, people_only.value),
        low=kappa(both.low, people_only.high),
        high=kappa(both.high, people_only.low),
    )
