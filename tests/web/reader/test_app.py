import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from misread.analysis.reading.order import reading_order
from misread.analysis.reading.stopping import stop_at_width
from misread.analysis.reading.tally import check_follows, tally_readings
from misread.datasets import Dataset
from misread.errors import ParameterError
from misread.store import Study
from misread.tables import Predictions
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Reader, Readings
from misread.web.reader.keys import choose_keys

Serve = Callable[[Study, Dataset, ReadingPlan], AbstractContextManager[httpx.Client]]
Beasts = Callable[..., Dataset]


class Page:
    """What a reader's page does, without a browser."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self.client, self.base, self.sent = client, f"/r/{token}", 0

    def post(self, path: str, content: Any) -> Any:
        return self.client.post(f"{self.base}/{path}", json=content)

    def state(self, after: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{self.base}/state?after={after}").json()
        return found

    def agree(self) -> None:
        assert self.post("agree", {"seen": "no", "agreed": True}).status_code == 200

    def answer(self, trial: str, answer: int | None = 0, **changes: Any) -> dict[str, Any]:
        self.sent += 1
        screen = {"width": 1280, "height": 800, "ratio": 2, "zoom": 1, "side": 280}
        content = {
            "event": f"event-{self.base[-6:]}-{self.sent:05}", "session": "session-1",
            "trial": trial, "attempt": 1, "undoes": None, "exposures": 1, "answer": answer,
            "unsure": False, "rt": 800.5, "onset": 1_700_000_000_000, "blurred": False,
            "screen": screen,
        }  # fmt: skip
        return content | changes

    def read_all(self, choose: Any = lambda trial: 0) -> None:
        while upcoming := self.state()["upcoming"]:
            answers = [self.answer(each["trial"], choose(each)) for each in upcoming]
            assert self.post("answers", {"answers": answers}).status_code == 200


@pytest.fixture
def client(
    serve: Serve, study: Study, dataset: Dataset, plan: ReadingPlan
) -> Iterator[httpx.Client]:
    study.save_plan(plan)
    with serve(study, dataset, plan) as found:
        yield found


@pytest.fixture
def page(client: httpx.Client, study: Study, plan: ReadingPlan) -> Page:
    return Page(client, study.reading_log.enrol(plan, "ann").token)


def test_a_whole_study(page: Page, study: Study, plan: ReadingPlan) -> None:
    assert page.state() == {"phase": "welcome", "done": 0, "planned": 15, "upcoming": []}
    page.agree()
    assert page.state()["phase"] == "reading"
    page.read_all()
    assert page.state() == {"phase": "done", "done": 15, "planned": 15, "upcoming": []}
    readings = study.reading_log.load(plan)
    check_follows(plan, readings)
    assert len(readings) == 15
    assert readings.readers[0].blind
    assert readings.readers[0].name == "ann"
    np.testing.assert_array_equal(readings.rt_ms, 800.5)
    assert set(readings.screen) == {"1280x800"}
    assert set(readings.zoom) == {2.0}


def test_a_width_stops_a_reader_at_the_answer_that_reaches_it(
    serve: Serve, study: Study, dataset: Dataset, make_reading_plan: Callable[..., ReadingPlan]
) -> None:
    plan = make_reading_plan(dataset, 50, width=0.3)
    study.save_plan(plan)
    labels = dataset.test.labels
    order = reading_order(plan, 0)
    with serve(study, dataset, plan) as client:
        page = Page(client, study.reading_log.enrol(plan, "ann").token)
        page.agree()
        for _ in range(len(plan.practice)):
            page.post("answers", {"answers": [page.answer(page.state()["upcoming"][0]["trial"])]})
        position = 0
        while upcoming := page.state()["upcoming"]:
            right = int(labels[order.item[position]])
            page.post("answers", {"answers": [page.answer(upcoming[0]["trial"], right)]})
            position += 1
    (tally,) = tally_readings(plan, labels, study.reading_log.load(plan))
    assert not tally.wrong.any()
    assert 5 < len(tally) < 50
    assert stop_at_width(plan, tally.hard, tally.wrong) == len(tally)


def test_the_image_is_the_item_that_is_recorded(
    page: Page, study: Study, dataset: Dataset, plan: ReadingPlan
) -> None:
    from io import BytesIO

    from PIL import Image

    page.agree()
    shown = {}
    while upcoming := page.state()["upcoming"]:
        for each in upcoming:
            image = page.client.get(f"{page.base}/images/{each['trial']}")
            assert image.headers["cache-control"] == "no-store"
            shown[each["trial"]] = np.asarray(Image.open(BytesIO(image.content)))
            page.post("answers", {"answers": [page.answer(each["trial"])]})
    reader = study.reading_log.readers(plan)[0]
    answers = study.reading_log.answers(reader)
    assert len(answers) == len(shown) == 25
    for answer, pixels in zip(answers, shown.values(), strict=True):
        split = dataset.train if answer.position < 0 else dataset.test
        images = split.images
        assert isinstance(images, np.ndarray)
        np.testing.assert_array_equal(pixels, images[answer.item])


def test_the_same_answer_twice_counts_once(page: Page, study: Study, plan: ReadingPlan) -> None:
    page.agree()
    trial = page.state()["upcoming"][0]["trial"]
    answer = page.answer(trial)
    for _ in range(3):
        assert page.post("answers", {"answers": [answer]}).json()["kept"] == 1
    assert len(study.reading_log.answers(study.reading_log.readers(plan)[0])) == 1


def test_undo_keeps_both_answers_and_counts_the_last(
    page: Page, study: Study, plan: ReadingPlan
) -> None:
    page.agree()
    trials = [each for each in page.state()["upcoming"] if each["kind"] == "reading"]
    first = page.answer(trials[0]["trial"], 1)
    again = page.answer(trials[0]["trial"], 2, attempt=2, undoes=first["event"], exposures=2)
    page.post("answers", {"answers": [first]})
    page.post("answers", {"answers": [again]})
    readings = study.reading_log.load(plan)
    assert (readings.first_answer[0], readings.answer[0], readings.undone[0]) == (1, 2, 1)


def test_a_second_tab_replaces_no_answer(page: Page, study: Study, plan: ReadingPlan) -> None:
    page.agree()
    one, two = [each for each in page.state()["upcoming"] if each["kind"] == "reading"][:2]
    first = page.answer(one["trial"], 1)
    assert page.post("answers", {"answers": [first]}).json()["late"] == []
    # The other tab shows the image still, and another one that nobody has answered.
    stale = page.answer(one["trial"], 3, session="session-2")
    fresh = page.answer(two["trial"], 2, session="session-2")
    # What it takes back is its own answer, which isn't kept; another image's answer doesn't serve.
    back = page.answer(one["trial"], 0, undoes=stale["event"], attempt=2, session="session-2")
    other = page.answer(one["trial"], 0, undoes=fresh["event"], attempt=2, session="session-2")
    for _ in range(2):  # sent again, it is answered in the same way
        told = page.post("answers", {"answers": [stale, fresh, back, other]}).json()
        late = [answer["event"] for answer in (stale, back, other)]
        assert (told["kept"], told["late"]) == (1, late)
    # The first tab resends what it has an answer for: nothing is late.
    told = page.post("answers", {"answers": [first]}).json()
    assert (told["kept"], told["late"]) == (1, [])
    readings = study.reading_log.load(plan)
    assert readings.answer.tolist() == [1, 2]
    assert readings.undone.tolist() == [0, 0]
    # Going back is another thing.
    again = page.answer(one["trial"], 2, undoes=first["event"], attempt=2)
    assert page.post("answers", {"answers": [again]}).json()["late"] == []
    assert study.reading_log.load(plan).answer.tolist() == [2, 2]


def test_readers_read_apart(client: httpx.Client, study: Study, plan: ReadingPlan) -> None:
    pages = [Page(client, study.reading_log.enrol(plan, name).token) for name in ("ann", "bob")]
    for page in pages:
        page.agree()
        page.read_all()
    readings = study.reading_log.load(plan)
    check_follows(plan, readings)
    items = [readings.of([name]).index for name in ("ann", "bob")]
    assert set(plan.hard) <= set(items[0].tolist()) & set(items[1].tolist())
    assert items[0].tolist() != items[1].tolist()


def test_a_restart_goes_on(
    page: Page, serve: Serve, study: Study, dataset: Dataset, plan: ReadingPlan
) -> None:
    page.agree()
    first = page.state()["upcoming"]
    page.post("answers", {"answers": [page.answer(each["trial"]) for each in first[:12]]})
    with serve(study, dataset, plan) as client:
        later = Page(client, page.base[3:])
        later.sent = page.sent
        # What the page still had is known to the new server.
        assert (
            later.post("answers", {"answers": [later.answer(first[12]["trial"])]}).status_code
            == 200
        )
        assert later.state()["done"] == 3
        later.read_all()
        assert later.state()["phase"] == "done"
    assert len(study.reading_log.load(plan)) == 15


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"trial": "somebody-else"}, "trial: expected one that this page was given"),
        ({"answer": 4}, "answer: expected a whole number in 0..3. Got '4' instead."),
        ({"answer": True}, "answer: expected a whole number"),
        ({"rt": -1}, "rt: expected a number in 0.."),
        ({"rt": "fast"}, "rt: expected a number in 0.."),
        ({"event": "x"}, "event: expected 8 to 64"),
        ({"unsure": 1}, "unsure: expected true or false"),
        ({"label": 3}, "answer: expected the fields"),
    ],
)
def test_bad_answers_are_refused_and_change_nothing(
    page: Page, study: Study, plan: ReadingPlan, changes: dict[str, Any], line: str
) -> None:
    page.agree()
    trials = page.state()["upcoming"]
    answers = [page.answer(trials[0]["trial"]), page.answer(trials[1]["trial"]) | changes]
    refused = page.post("answers", {"answers": answers})
    assert refused.status_code == 400
    assert line in refused.json()["error"]
    assert study.reading_log.answers(study.reading_log.readers(plan)[0]) == []


def test_nothing_is_read_before_agreeing(page: Page) -> None:
    assert page.post("agree", {"seen": "no", "agreed": False}).status_code == 400
    assert page.post("agree", {"seen": "perhaps", "agreed": True}).status_code == 400
    assert page.post("answers", {"answers": [page.answer("x")]}).status_code == 409


def test_the_gallerys_pages_are_not_served_to_readers(page: Page, client: httpx.Client) -> None:
    page.agree()
    owner = client.headers["X-Owner"]
    for path in ("people", "overview", "api/image/test/0", "api/boot", "image/test/0"):
        for url in (f"/{path}", f"{page.base}/{path}", f"/{path}?token={owner}"):
            assert client.get(url).status_code == 404, url


def test_strangers_are_told_nothing(page: Page, client: httpx.Client) -> None:
    page.agree()
    trial = page.state()["upcoming"][0]["trial"]
    wrong = [
        "/r/nobody",
        "/r/nobody/state",
        f"/r/nobody/images/{trial}",
        "/owner",
        "/owner?token=x",
    ]
    answers = [client.get(path) for path in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert client.get(f"{page.base}/images/nothing").text == answers[0].text
    other = client.post(f"{page.base}/answers", json={}, headers={"Origin": "http://evil.example"})
    assert other.status_code == 403
    assert (
        client.get(page.base, headers={"Host": f"evil.example:{client.base_url.port}"}).status_code
        == 403
    )


def test_a_browser_gets_a_page_where_a_script_gets_json(page: Page, client: httpx.Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path, status, line in (
        ("/r/nobody", 404, "this link isn&#x27;t known here"),
        ("/owner?token=x", 404, "this link isn&#x27;t known here"),
        ("/elsewhere", 404, "no such page"),
        (f"{page.base}/agree", 405, "asked in this way"),
    ):
        shown = client.get(path, headers=browser)
        assert shown.status_code == status
        assert shown.headers["content-type"] == "text/html; charset=utf-8"
        assert "<h1>" in shown.text
        assert line in shown.text
        told = client.get(path)
        assert told.status_code == status
        assert told.json()["error"]
    evil = client.get("/", headers=browser | {"Host": "<b>.example"})
    assert evil.status_code == 403
    assert "<b>" not in evil.text
    assert "<h1>" in evil.text


def test_the_owner_sees_how_much_and_never_how_well(
    page: Page, client: httpx.Client, study: Study, plan: ReadingPlan
) -> None:
    page.agree()
    page.read_all()
    owner = client.get(f"/owner?token={client.headers['X-Owner']}")
    assert owner.status_code == 200
    assert "ann" in owner.text
    assert "15 of 15" in owner.text
    assert page.base in owner.text


# Blindness


def everything(
    serve: Serve, tmp: Path, dataset: Dataset, plan: ReadingPlan, secret: bytes
) -> list[bytes]:
    """Every byte that a reader's page receives in a whole study."""
    study = Study.create(tmp, dataset)
    log, seen = study.reading_log, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_urlsafe", lambda size: secret.hex()[: 2 * size])
        patch.setattr(secrets, "token_bytes", lambda size: secret[:size])
        token = log.enrol(plan, "ann").token

        def note(response: Any) -> Any:
            headers = sorted((k, v) for k, v in response.headers.items() if k != "date")
            seen.append(json.dumps([response.status_code, headers]).encode() + response.content)
            return response

        with serve(study, dataset, plan) as client:
            page = Page(client, token)
            text = note(client.get(page.base)).text
            for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', text):
                note(client.get(name))
            note(page.post("agree", {"seen": "no", "agreed": True}))
            while upcoming := note(client.get(f"{page.base}/state")).json()["upcoming"]:
                for each in upcoming:
                    note(client.get(f"{page.base}/images/{each['trial']}"))
                    # Some answers are too fast, and asked again.
                    rt = 90 if page.sent % 7 == 3 else 700
                    answer = page.answer(each["trial"], page.sent % 4, rt=rt)
                    note(page.post("answers", {"answers": [answer]}))
    return seen


def test_labels_leave_no_trace(
    serve: Serve, make_beasts: Beasts, tmp_path: Path, dataset: Dataset, plan: ReadingPlan
) -> None:
    """With the order held fixed, other labels leave every byte the same."""
    relabelled = make_beasts(labels=99)
    assert (relabelled.test.labels != dataset.test.labels).any()
    secret = bytes(range(32))
    one = everything(serve, tmp_path / "one", dataset, plan, secret)
    assert len(one) > 60
    assert everything(serve, tmp_path / "two", relabelled, plan, secret) == one
    # It would notice: other pixels leave traces.
    repainted = make_beasts(seed=1)
    assert everything(serve, tmp_path / "three", repainted, plan, secret) != one


def test_what_others_found_leaves_no_trace(
    serve: Serve, tmp_path: Path, dataset: Dataset, plan: ReadingPlan,
    make_predictions: Callable[..., Predictions],
) -> None:  # fmt: skip
    """Predictions, verdicts and other people's readings, while the study runs: not a byte."""
    secret = bytes(range(32))
    blank = everything(serve, tmp_path / "blank", dataset, plan, secret)
    known = Study.create(tmp_path / "known", dataset)
    known.save_predictions(make_predictions(dataset.test, classes=dataset.classes))
    known.verdicts.decide("test", [0], "ambiguous", event="e", tab="t", given=[0])
    known.verdicts.close()
    rows = np.arange(5, dtype=np.int32)
    called = Readings(
        "test", dataset.classes, "", (Reader("bob"),), np.zeros_like(rows), rows,
        np.full(5, 1, np.int16),
    )  # fmt: skip
    known.save_readings("lab", called)
    assert everything(serve, tmp_path / "known", dataset, plan, secret) == blank


def test_a_page_says_nothing_of_its_items(page: Page, dataset: Dataset, plan: ReadingPlan) -> None:
    page.agree()
    text = page.client.get(page.base).text
    boot = re.search(r'<script type="application/json" id="boot">(.*?)</script>', text, re.DOTALL)
    assert boot is not None
    assert set(json.loads(boot[1])) == {
        "base", "classes", "brief", "breakEvery", "undo", "pace",
    }  # fmt: skip
    state = page.state()
    assert set(state) == {"phase", "done", "planned", "upcoming"}
    assert {key for each in state["upcoming"] for key in each} == {"trial", "kind"}
    assert dataset.name not in text
    assert plan.hash not in text


# Keys


def test_keys() -> None:
    assert choose_keys(["0", "1", "2"]) == ["0", "1", "2"]
    assert choose_keys(["ant", "bee"]) == ["1", "2"]
    assert choose_keys(["A", "B", "C"]) == ["a", "b", "c"]
    assert choose_keys(["a", "A"]) == ["1", "2"]
    assert choose_keys(["a", " "]) == ["1", "2"]
    assert choose_keys([str(n) for n in range(11)])[9:] == ["0", "q"]
    assert choose_keys([str(n) for n in range(1000)]) == [""] * 1000
    assert choose_keys(["ant", "bee"], "AB") == ["a", "b"]
    for keys in ("a", "aa", "abc", "a "):
        with pytest.raises(ParameterError, match="keys: expected 2 different characters"):
            choose_keys(["ant", "bee"], keys)
