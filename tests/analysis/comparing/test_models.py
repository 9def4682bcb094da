from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from misread.analysis.comparing.models import Comparison, compare_models
from misread.analysis.comparing.paired import holm
from misread.errors import ParameterError, PredictionsError
from misread.tables import Origin, Predictions

Make = Callable[..., Predictions]


def panel_of(make: Make, number: int, images: int = 200, **more: Any) -> list[Predictions]:
    generator = np.random.default_rng(0)
    given = generator.integers(0, 3, images)
    made = []
    for model in range(number):
        sure = np.eye(3)[given] * generator.uniform(0, 4, (images, 1))
        scores = np.exp(sure + generator.normal(0, 1 + model / 4, (images, 3)))
        made.append(
            make(
                given=given, probabilities=scores / scores.sum(1, keepdims=True),
                model=f"net{model}", **more,
            )
        )  # fmt: skip
    return made


def wrong(predictions: Predictions) -> Any:
    return predictions.probabilities.argmax(1) != predictions.given


def named(found: Comparison) -> list[str]:
    return [one.outcomes.provenance.model for one in found.models]


def test_the_rows_are_those_of_slow_counts(make_predictions: Make) -> None:
    panel = panel_of(make_predictions, 4)
    found = compare_models(panel, reference=2)
    assert found.reference.outcomes.provenance.model == "net2"
    by_name = {one.provenance.model: one for one in panel}
    counts = [one.error.count for one in found.models[:-1]]
    assert counts == sorted(counts)
    for one in found.models[:-1]:
        assert one.error.count == wrong(by_name[one.outcomes.provenance.model]).sum()
    reference = wrong(panel[2])
    assert len(found.against) == 4
    for pair in found.against[:-1]:
        mine = wrong(by_name[pair.model.outcomes.provenance.model])
        assert set(pair.only.tolist()) == set(np.flatnonzero(mine & ~reference).tolist())
        assert set(pair.only_reference.tolist()) == set(np.flatnonzero(reference & ~mine).tolist())
        assert pair.pair.both == (mine & reference).sum()
        assert pair.pair.images == 200
    assert [one.corrected for one in found.against] == holm([one.p_value for one in found.against])


def test_the_mean_of_all_is_the_last_and_no_vote(make_predictions: Make) -> None:
    panel = panel_of(make_predictions, 3)
    last = compare_models(panel).models[-1]
    mean = np.mean([one.probabilities.astype(np.float64) for one in panel], axis=0)
    np.testing.assert_array_equal(last.outcomes.predicted, mean.argmax(1))
    assert last.is_panel
    assert not any(one.is_panel for one in compare_models(panel).models[:-1])


def test_the_surest_come_first(make_predictions: Make) -> None:
    panel = panel_of(make_predictions, 2)
    one = compare_models(panel).against[0]
    for index, source in ((one.only, panel[1]), (one.only_reference, panel[0])):
        sure = source.probabilities.max(1)[index]
        assert len(index) > 2
        assert (np.diff(sure) <= 0).all()


def test_a_single_model_has_no_pair_and_no_mean(make_predictions: Make) -> None:
    found = compare_models(panel_of(make_predictions, 1))
    assert (len(found.models), found.against, found.trainings) == (1, (), ())


def test_better_and_worse_are_settled_after_correction(make_predictions: Make) -> None:
    """Twelve models: eleven like the reference, one that reads everything right."""
    given = np.arange(300) % 3
    generator = np.random.default_rng(3)

    def model(number: int, share: float) -> Predictions:
        read = np.where(generator.random(300) < share, (given + 1) % 3, given)
        return make_predictions(given=given, probabilities=np.eye(3)[read], model=f"m{number:02}")

    found = compare_models([*(model(n, 0.1) for n in range(11)), model(11, 0.0)])
    settled = [one.model.outcomes.provenance.model for one in found.against if one.differs]
    assert settled[0] == "m11"
    assert set(settled) <= {"m11", "panel"}
    first = found.against[0]
    assert first.corrected > first.p_value
    assert first.difference.high < 0


def test_trainings_of_one_recipe_are_summed_up(make_predictions: Make) -> None:
    generator = np.random.default_rng(0)
    given = generator.integers(0, 3, 90)

    def training(model: str, seed: int, **more: Any) -> Predictions:
        table = generator.dirichlet(np.ones(3), 90)
        return make_predictions(given=given, probabilities=table, model=model, seed=seed, **more)

    panel = [
        training("a", 0, recipe="short"), training("a", 1, recipe="short"),
        training("a", 2, recipe="short"), training("a", 0, recipe="post"),
        training("b", 0), training("b", 1),
        training("c", 0, recipe="short", repeat=1), training("c", 0, recipe="short", repeat=2),
    ]  # fmt: skip
    found = compare_models(panel).trainings
    # Imported predictions may differ in more than chance.
    assert [(one.model, one.recipe, len(one.runs)) for one in found] == [
        ("a", "short", 3), ("c", "short", 2),
    ]  # fmt: skip
    rates = [wrong(one).mean() for one in panel[:3]]
    assert found[0].error.value == pytest.approx(np.mean(rates))
    assert found[0].deviation == pytest.approx(np.std(rates, ddof=1))
    assert found[0].error.low < np.mean(rates) < found[0].error.high
    assert np.isnan(found[1].error.low)


def test_what_does_not_belong_together_is_refused(make_predictions: Make) -> None:
    one, other = panel_of(make_predictions, 1)[0], panel_of(make_predictions, 1, images=80)[0]
    with pytest.raises(PredictionsError, match="expected the images of"):
        compare_models([one, other])
    with pytest.raises(PredictionsError, match="in-sample"):
        compare_models(panel_of(make_predictions, 2, origin=Origin.IN_SAMPLE))
    with pytest.raises(ParameterError, match=r"reference must be in 0\.\.0"):
        compare_models([one], 1)
