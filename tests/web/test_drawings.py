"""What networks draw beside an image: in its details, and as pictures."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from misread.tables import Predictions, Reconstructions
from misread.views.gallery.detail import drawing
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.query import Query

MakeTable = Callable[..., Reconstructions]


@pytest.fixture
def gallery(make_gallery: Callable[..., Gallery]) -> Gallery:
    return make_gallery()


def predictions(gallery: Gallery, model: str) -> Predictions:
    return gallery.study.newest_predictions("test", model)


def test_details_tell_the_errors_of_each_network(
    gallery: Gallery, make_reconstructions: MakeTable
) -> None:
    from misread.views.gallery.detail import detail

    assert detail(gallery, "test", 7, Query()).reconstructions == []
    table = make_reconstructions(predictions(gallery, "two"), [3, 7])
    gallery.study.save_reconstructions(table)
    # Noticed while the gallery is open.
    (found,) = detail(gallery, "test", 7, Query()).reconstructions
    assert found.run == table.provenance.run_name
    assert found.predicted == table.predicted[7]
    assert found.error_given == pytest.approx(table.error_given[7], abs=5e-5)
    assert found.error_predicted == pytest.approx(table.error_predicted[7], abs=5e-5)
    better = np.mean(table.error_predicted < table.error_predicted[7])
    assert found.share_better == pytest.approx(better, abs=5e-5)
    assert found.drawn
    (other,) = detail(gallery, "test", 8, Query()).reconstructions
    assert not other.drawn
    gallery.study.save_reconstructions(make_reconstructions(predictions(gallery, "one"), []))
    assert len(detail(gallery, "test", 8, Query()).reconstructions) == 2
    assert detail(gallery, "train", 8, Query()).reconstructions == []


def test_drawings_are_served_as_they_are(
    gallery: Gallery, make_reconstructions: MakeTable, serve_gallery: Any
) -> None:
    table = make_reconstructions(predictions(gallery, "two"), [3, 7])
    gallery.study.save_reconstructions(table)
    run = table.provenance.run_name
    with serve_gallery(gallery) as client:
        for role, pictures in (("given", table.as_given), ("predicted", table.as_predicted)):
            answer = client.get(f"/drawing/test/7?run={run}&role={role}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "image/png"
            assert "no-cache" in answer.headers["cache-control"]
            shown = np.asarray(Image.open(io.BytesIO(answer.content)))
            np.testing.assert_array_equal(shown, pictures[1])
        for url, says in (
            (f"/drawing/test/8?run={run}&role=given", "misread reconstruct --index 8"),
            (f"/drawing/test/7?run={run}&role=other", "role: expected given or predicted"),
            (f"/drawing/test/7?run={run}", "role: expected given or predicted"),
            ("/drawing/test/7?run=none&role=given", "Got 'none' instead"),
            (f"/drawing/test/90?run={run}&role=given", "expected an image of test, 0 to 89"),
            (f"/drawing/none/7?run={run}&role=given", "split: expected one of"),
        ):
            answer = client.get(url)
            assert answer.status_code == 400, url
            assert says in answer.json()["error"]
        assert drawing(gallery, "test", 3, run, "given") is not None
