import dataclasses
import json
from pathlib import Path

import pytest

from misread.errors import StudyError
from misread.models.card import Card, EpochRow
from misread.models.recipe import Recipe
from misread.models.scored import draw_validation

CARD = Card(
    name="quick-short-s3",
    model="quick",
    recipe=dataclasses.asdict(Recipe("short", epochs=2, learning_rate=0.1)),
    seed=3,
    dataset="bars é",
    items_fingerprint="sha256:a",
    labels_fingerprint="sha256:b",
    images=240,
    shape=(12, 10, 3),
    classes=("top", "$x$", "<b>"),
    parameters=105_619,
    device="cpu",
    threads=(2, 1),
    versions={"torch": "2.0"},
    created="2025-01-01T00:00:00+00:00",
    log=(EpochRow(1, 0.5, 0.75, 1e-3, 1234.5, 2.25), EpochRow(2, 0.25, 0.875, 1e-9, 1e4, 1.5)),
)


def test_a_card_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "models" / "card.json"
    CARD.write(path)
    assert Card.read(path) == CARD
    assert json.loads(path.read_text(encoding="utf-8"))["seconds"] == CARD.seconds == 3.75


def test_images_held_out_for_the_scale_are_not_trained_on() -> None:
    assert CARD.trained_images == 240
    scored = dataclasses.replace(CARD, score_scale=9.5)
    assert scored.trained_images == 240 - len(draw_validation(240, 3)) == 216
    assert dataclasses.replace(scored, images=60_000).trained_images == 59_000


def test_a_card_that_was_read_back_has_the_same_settings(tmp_path: Path) -> None:
    """JSON knows no tuples: a training with options goes on all the same."""
    card = dataclasses.replace(CARD, options={"widths": (32, 32), "iterations": 2})
    assert Card.from_json(card.to_json(), tmp_path).settings() == card.settings()
    other = dataclasses.replace(card, options={"widths": (32, 16), "iterations": 2})
    assert other.settings() != card.settings()


def test_settings_are_what_decides_the_result() -> None:
    other = dataclasses.replace(CARD, threads=(8,), created="later", log=(), versions={})
    assert other.settings() == CARD.settings()
    for changes in ({"seed": 4}, {"model": "convnet"}, {"labels_fingerprint": "sha256:c"}):
        assert dataclasses.replace(CARD, **changes).settings() != CARD.settings()


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "5", "{}", '"text"', '{"seconds": 1}', '{"seconds": 1, "log": [{}]}'],
)
def test_what_is_no_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=r"card\.json: expected a model's card"):
        Card.read(path)


REQUIRED = [
    f.name
    for f in dataclasses.fields(Card)
    if f.default is f.default_factory is dataclasses.MISSING
]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_card_that_lacks_a_field_is_refused(tmp_path: Path, key: str) -> None:
    content = json.loads(CARD.to_json())
    del content[key]
    if key == "log":
        content["log"] = None
    with pytest.raises(StudyError, match="found damaged JSON"):
        Card.from_json(json.dumps(content), tmp_path)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "absent.json", tmp_path, tmp_path / "bytes.json"):
        with pytest.raises(StudyError) as caught:
            Card.read(path)
        assert "\n" not in str(caught.value)
