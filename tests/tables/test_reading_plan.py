import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from misread.errors import ReadingsError
from misread.tables.reading_plan import ReadingPlan, ReadingTarget, read_plan, write_plan

TARGET = ReadingTarget("digits", "test", 100, ("0", "1"), "sha256:a", "sha256:b")
PLAN = ReadingPlan(
    target=TARGET,
    models=("convnet-short-s0.test.held-out",),
    hard=(3, 7, 50),
    answers=40,
    repeats=2,
    practice_split="train",
    practice=(5, 1),
    seed=0,
    first_order="sha256:c",
    created="2026-01-01T00:00:00+00:00",
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def plans(draw: st.DrawFn) -> ReadingPlan:
    images = draw(st.integers(1, 400))
    answers = draw(st.integers(1, images))
    hard = draw(st.sets(st.integers(0, images - 1), max_size=answers // 2))
    practice = draw(st.lists(st.integers(0, 1_000), unique=True, max_size=5))
    split = draw(texts.filter(bool))
    other = draw(texts.filter(lambda name: name not in ("", split)))
    target = ReadingTarget(
        draw(texts), split, images, tuple(draw(st.lists(texts, min_size=1, max_size=4))),
        draw(texts), draw(texts),
    )  # fmt: skip
    return ReadingPlan(
        target=target,
        models=tuple(draw(st.lists(texts, max_size=2))),
        hard=tuple(sorted(hard)),
        answers=answers,
        repeats=draw(st.integers(0, answers)),
        practice_split=other if practice else "",
        practice=tuple(practice),
        seed=draw(st.integers(0, 2**70)),
        first_order=draw(texts),
        created=draw(texts),
        width=draw(st.none() | st.floats(0.001, 0.9)),
        alpha=draw(st.floats(0.001, 0.5)),
        expected_rate=draw(st.floats(1e-6, 0.9)),
        shortest_ms=draw(st.floats(0, 1e4)),
        exclude_unfocused=draw(st.booleans()),
        brief=draw(st.booleans()),
    )


@given(plans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_plan_is_read_as_it_was_written(tmp_path: Path, plan: ReadingPlan) -> None:
    write_plan(tmp_path / "plan.json", plan)
    again = read_plan(tmp_path / "plan.json")
    assert again == plan
    assert again.hash == plan.hash


def test_the_hash_is_over_everything() -> None:
    """Whatever is changed changes it, so that nothing can be moved after the first answer."""
    others = [
        replace(PLAN, target=replace(TARGET, labels_fingerprint="sha256:x")),
        replace(PLAN, models=()), replace(PLAN, hard=(3, 7)), replace(PLAN, answers=41),
        replace(PLAN, repeats=3), replace(PLAN, practice=(1, 5)), replace(PLAN, seed=1),
        replace(PLAN, first_order=""), replace(PLAN, created=""), replace(PLAN, width=0.1),
        replace(PLAN, alpha=0.1), replace(PLAN, expected_rate=0.1),
        replace(PLAN, shortest_ms=100.0), replace(PLAN, exclude_unfocused=False),
        replace(PLAN, brief=True),
    ]  # fmt: skip
    assert len({PLAN.hash, *(other.hash for other in others)}) == len(others) + 1


def test_the_hash_is_the_same_for_ever() -> None:
    """Canonical JSON: keys in order, no spaces, UTF-8; `sha256sum` of it gives the same."""
    assert PLAN.hash == "sha256:cb8d3f4917edaa656161fdb46d36736b6684747e61924fb57d5cba57c9286699"


def test_a_changed_plan_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_plan(path, PLAN)
    content = json.loads(path.read_text())
    for key, value, says in (
        ("answers", 41, "a plan that hashes to"),
        ("hash", "sha256:0", "a plan that hashes to"),
        ("answers", 400, "1 to 100 answers"),
        ("answers", "40", "whole numbers"),
        ("answers", None, "whole numbers"),
        ("hard", 7, "TypeError"),
        ("target", {"split": "test"}, "KeyError"),
        ("format", "misread reading plan 2", "format 'misread reading plan 1'"),
        ("nonsense", 1, "unknown keys nonsense"),
    ):
        path.write_text(json.dumps(content | {key: value}))
        with pytest.raises(ReadingsError) as caught:
            read_plan(path)
        assert str(caught.value).startswith(f"{path}: plan: expected")
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    for text in ("", "{", "[]", "null", '{"hash": "x"}'):
        path.write_text(text)
        with pytest.raises(ReadingsError, match=r"plan: expected one of misread's"):
            read_plan(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ReadingsError, match="decode"):
        read_plan(path)
    with pytest.raises(ReadingsError, match="found none; `misread plan` makes one"):
        read_plan(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"hard": (7, 3)}, "rising"),
        ({"hard": (7, 100)}, "hard items 0..99"),
        ({"hard": tuple(range(21))}, "at most half as many hard items as the 40 answers"),
        ({"repeats": 41}, "0 to 40 repeats"),
        ({"repeats": -1}, "0 to 40 repeats"),
        ({"practice": (1, 1)}, "each once"),
        ({"practice_split": "test"}, "another split"),
        ({"practice_split": ""}, "another split"),
        ({"width": 0.0}, "width in (0, 1)"),
        ({"alpha": 1.0}, "alpha in (0, 1)"),
        ({"alpha": float("nan")}, "alpha in (0, 1)"),
        ({"expected_rate": 0.0}, "expected_rate in (0, 1)"),
        ({"shortest_ms": float("inf")}, "shortest_ms"),
        ({"seed": -1}, "a seed of 0 or more"),
        ({"seed": True}, "whole numbers"),
        ({"brief": 1}, "truth values"),
        ({"models": (3,)}, "names as texts"),
    ],
)
def test_what_makes_no_plan_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ReadingsError) as caught:
        replace(PLAN, **change)  # type: ignore[arg-type] # deliberately wrong
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_target_needs_images_and_classes() -> None:
    with pytest.raises(ReadingsError, match="images of 1 or more"):
        replace(TARGET, images=0)
    with pytest.raises(ReadingsError, match="one class or more"):
        replace(TARGET, classes=())


def test_everything_may_be_hard_if_everything_is_read() -> None:
    assert replace(PLAN, hard=tuple(range(60)), answers=100).sample == 40


def test_a_plan_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReadingsError, match="can't write a plan here"):
        write_plan(tmp_path / "file" / "plan.json", PLAN)
