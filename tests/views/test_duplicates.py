import numpy as np

from misread.analysis.duplicates import find_duplicates
from misread.datasets import Dataset, Split
from misread.views.duplicates import draw_duplicates
from misread.views.tiles import ACCENT, INK


def dataset() -> Dataset:
    greys = np.array([10, 10, 12, 200, 200, 10], np.uint8)
    images = np.broadcast_to(greys[:, None, None], (6, 5, 5)).copy()
    splits = {
        "train": Split("train", images[:5], np.array([0, 0, 1, 1, 1])),
        "test": Split("test", images[5:], np.array([0])),
    }
    return Dataset("greys", ("a$", "b"), splits, "nowhere")


def test_pairs_stand_side_by_side_worst_first() -> None:
    data = dataset()
    found = find_duplicates(data, 0.01)
    axes = draw_duplicates(data, found).axes[0]
    texts = [(text.get_text(), text.get_color()) for text in axes.texts]
    assert texts[0][0] == "greys: 4 pairs of duplicates"
    assert texts[1][0] == "of 6 images, within a distance of 0.01"
    headings = [text for text in texts if "distance 0.0078" in text[0] or "identical" in text[0]]
    assert headings == [
        ("conflict, distance 0.0078", ACCENT),
        ("leak, identical", ACCENT),
        ("repeat, identical", INK),
        ("repeat, identical", INK),
    ]
    assert [text for text, _ in texts[2:7]] == [
        "conflict, distance 0.0078", "train #0", "given a$", "train #2", "given b"
    ]  # fmt: skip
    shown = [int(np.asarray(image.get_array())[0, 0, 0]) for image in axes.images]
    assert shown == [10, 12, 10, 10, 10, 10, 200, 200]


def test_it_says_how_many_do_not_fit() -> None:
    data = dataset()
    axes = draw_duplicates(data, find_duplicates(data, 0.01), rows=1, columns=2).axes[0]
    assert axes.texts[1].get_text().endswith("0.01, the worst 2")
    assert len(axes.images) == 4
