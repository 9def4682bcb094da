import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Invoke = Callable[..., tuple[int, str, str]]

RATE = {"count", "total", "rate", "low", "high"}


def test_metadata_and_slices(invoke: Invoke, source: Path, probabilities: Path) -> None:
    """A table comes in and errors are broken down by it, in words and as JSON."""
    invoke("import", "predictions", probabilities, "--dataset", source)
    rows = "".join(f"{i},w{i // 3},{'ab'[i % 2]}\n" for i in range(80))
    Path("a.csv").write_text("index,writer,camera\n" + rows, encoding="utf-8")
    command = ("import", "metadata", "a.csv", "--cluster", "writer")
    code, out, err = invoke(*command)
    assert (code, err) == (0, "")
    assert "rows for 80 of 90 images" in out
    assert "misread slices --by writer --split test" in out
    code, out, err = invoke(*command, "--json")
    assert (code, err) == (0, "")
    imported = json.loads(out)
    assert set(imported) == {"study", "columns", "by_position", "splits"}
    assert imported["splits"]["test"]["columns"]["camera"] == {
        "kind": "text", "values": 2, "missing": 10,
    }  # fmt: skip

    code, out, err = invoke("slices", "--by", "camera")
    assert (code, err) == (0, "")
    assert "(missing)" in out
    assert "images of a new writer" in out
    assert "10 images without a writer" in out
    code, out, err = invoke("slices", "--by", "camera", "--save", "a.png", "--json")
    assert (code, err) == (0, "")
    sliced = json.loads(out)
    assert set(sliced) == {
        "predictions", "split", "origin", "by", "binned", "cluster", "clusters",
        "images_without_cluster", "target", "level", "each_level", "error", "error_new_clusters",
        "slices", "picture",
    }  # fmt: skip
    assert set(sliced["error"]) == set(sliced["error_new_clusters"]) == RATE
    assert [part["error"]["total"] for part in sliced["slices"]].count(40) == 2
    rates = [part["error"]["rate"] for part in sliced["slices"]]
    assert rates == sorted(rates, reverse=True)
    assert Path("a.png").exists()
    code, out, err = invoke("slices", "--by", "writer")
    assert "the worst 20 of 28; --json lists all" in out
    assert "new images of the same writer" in out
    Path("b.csv").write_text("day\n" + "mon\n" * 90, encoding="utf-8")
    code, out, err = invoke("import", "metadata", "b.csv")
    assert "no column 'index' or 'file'" in out


def test_duplicates_of_a_dataset_and_of_a_study(invoke: Invoke, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    np.savez(
        tmp_path / "four.npz", x_train=images[[0, 1, 1]], y_train=[0, 1, 0],
        x_test=images[[1, 2]], y_test=[1, 0],
    )  # fmt: skip
    code, out, _ = invoke("duplicates", "four.npz", "--output", "pairs.csv")
    assert code == 0
    assert "four: 2 pairs in 1 groups, among 5 images" in out
    assert "conflict 1, leak 1" in out
    assert re.search(r"leak +identical +train #1 +1 +test #0 +1", out)
    assert (tmp_path / "pairs.csv").exists()
    np.save(tmp_path / "p.npy", np.full((2, 2), 0.5))
    invoke("import", "predictions", "p.npy", "--dataset", "four.npz")
    code, out, _ = invoke("duplicates", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["kinds"] == {"leak+conflict": 0, "conflict": 1, "leak": 1, "repeat": 0}
    assert found["groups"][0]["kind"] == "leak+conflict"
    assert len(found["groups"][0]["images"]) == 3
    assert Path(found["picture"]) == tmp_path / "four-study" / "figures" / "duplicates.png"
    assert Path(found["picture"]).exists()
    code, _, err = invoke("duplicates", "four.npz", "--distance", "7")
    assert code == 2
    assert err == "misread: distance must be in [0, 1), as 0.03. Got 7.0 instead.\n"


def test_calibration_of_the_demo(invoke: Invoke) -> None:
    assert invoke("demo", "--study", "digits")[0] == 0
    code, out, err = invoke("calibration", "--study", "digits")
    assert (code, err) == (0, "")
    assert "ECE" in out
    assert "no temperature: it is never fitted on the split that it is judged by" in out
    code, out, _ = invoke("calibration", "--study", "digits", "--json", "--save", "curve.png")
    found = json.loads(out)
    assert found["scaled"] is None
    assert found["calibration"]["ece"]["low"] < found["calibration"]["ece"]["value"]
    assert len(found["calibration"]["bins"]) == 15
    assert found["picture"] == "curve.png"
    code, _, err = invoke("calibration", "--study", "digits", "--split", "dev")
    assert code == 2
    assert "expected predictions of split 'dev'" in err


def test_calibration_with_a_temperature(invoke: Invoke, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels = {"train": generator.integers(0, 2, 600), "test": generator.integers(0, 2, 300)}
    images = {
        name: generator.integers(0, 256, (len(given), 6, 6), dtype=np.uint8)
        for name, given in labels.items()
    }
    arrays: dict[str, Any] = {f"x_{name}": each for name, each in images.items()}
    arrays |= {f"y_{name}": each for name, each in labels.items()}
    np.savez(tmp_path / "coins.npz", **arrays)
    for name, given in labels.items():
        # Right three times of four, and 99% sure.
        read = np.where(generator.random(len(given)) < 0.75, given, 1 - given)
        np.save(tmp_path / f"{name}.npy", np.full((len(given), 2), 0.01) + 0.98 * np.eye(2)[read])
        origin = "cross-fitted" if name == "train" else "held-out"
        code, _, err = invoke(
            "import", "predictions", f"{name}.npy", "--dataset", "coins.npz", "--split", name,
            "--origin", origin, "--model", "mine",
        )  # fmt: skip
        assert code == 0, err
    code, out, _ = invoke("calibration")
    assert code == 0
    assert "fitted on mine-imported-s0.train.cross-fitted, 600 images" in out
    found = json.loads(invoke("calibration", "--json")[1])
    scaled = found["scaled"]
    # ln(99) / ln(3), where the fitted probability is 3/4.
    assert scaled["low"] < np.log(99) / np.log(3) < scaled["high"]
    assert scaled["gain"]["low"] > 0
    assert scaled["calibration"]["ece"]["value"] < 0.05 < found["calibration"]["ece"]["low"]
