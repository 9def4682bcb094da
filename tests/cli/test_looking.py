import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from misread.datasets import Dataset, load

Invoke = Callable[..., tuple[int, str, str]]
Shell = Callable[..., subprocess.CompletedProcess[str]]

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
    assert "four: 2 pairs in 1 group, among 5 images" in out
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
    assert invoke("demo", "--no-open", "--study", "digits")[0] == 0
    of = ("--study", "digits", "--model", "efficient-capsnet-short-e12-s0")
    code, out, err = invoke("calibration", *of)
    for row in ("errors the model expects", "ECE of a calibrated model", "p-value, were it calib"):
        assert f" {row}" in out
    assert (code, err) == (0, "")
    assert "ECE" in out
    assert "no temperature: it is never fitted on the split that it is judged by" in out
    code, out, _ = invoke("calibration", *of, "--json", "--save", "curve.png")
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


def test_slices_of_images_that_do_not_cluster(invoke: Invoke, source: Path) -> None:
    """Every third image is misread: those of one camera."""
    labels = load(source).test.labels
    read = np.where(np.arange(90) % 3 == 0, (labels + 1) % 3, labels)
    np.save("p.npy", np.eye(3)[read])
    invoke("import", "predictions", "p.npy", "--dataset", source)
    rows = "".join(f"{i},{'bad' if i % 3 == 0 else 'good'},all\n" for i in range(90))
    Path("a.csv").write_text("index,camera,one\n" + rows, encoding="utf-8")
    invoke("import", "metadata", "a.csv")
    code, out, err = invoke("slices", "--by", "camera")
    assert (code, err) == (0, "")
    assert re.search(r"^ bad +30 of 30 .* \* *$", out, re.M)
    assert "* differs from all other slices together" in out
    assert "they are too narrow: say so with `misread import metadata FILE --cluster" in out
    assert "hold together for all 2 slices at 95%" in out
    code, out, err = invoke("slices", "--by", "one", "--level", "0.9")
    assert (code, err) == (0, "")
    assert "no other slice" in out
    assert "The interval (exact, as labelled, 90%) is for new images of the same kind" in out
    code, out, err = invoke("slices", "--by", "given", "--json")
    assert [part["error"]["total"] for part in json.loads(out)["slices"]] == [30] * 3


def test_many_duplicates_show_the_worst(invoke: Invoke, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (26, 8, 8), dtype=np.uint8)
    images[1:] = images[0]
    np.savez(tmp_path / "same.npz", x_train=images, y_train=np.arange(26) % 2)
    code, out, err = invoke("duplicates", "same.npz", "--distance", "0", "--save", "a.png")
    assert (code, err) == (0, "")
    assert "same: 25 pairs in 1 group, among 26 images" in out
    assert "conflict 13, repeat 12" in out
    assert "the worst 20 of 25; --output FILE.csv writes all" in out
    assert out.count("identical") == 20
    assert "look at the picture" not in out  # nothing is in two splits
    assert out.splitlines()[-1] == "a.png"
    np.savez(tmp_path / "one.npz", x_train=images[:1], y_train=[0])
    code, out, err = invoke("duplicates", "one.npz", "--save", "b.png")
    assert (code, err) == (0, "")
    assert "one: 0 pairs in 0 groups, among 1 image\n" in out
    assert not Path("b.png").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.npz"], "no such file"),
        ([], "expected a study in this folder"),
        (["four.npz", "--distance", "1"], "distance must be in [0, 1)"),
        (["four.npz", "--save", "a.jpg"], "save: expected a .png file"),
        (["four.npz", "--output", "a.txt"], "output: expected .csv, .parquet, .json"),
        (["four.npz", "--output", "four.npz/a.csv"], "output: can't write four.npz/a.csv"),
    ],
)
def test_duplicates_that_cannot_be_looked_for(
    invoke: Invoke, tmp_path: Path, arguments: list[str], says: str
) -> None:
    images = np.zeros((4, 8, 8), np.uint8)
    np.savez(tmp_path / "four.npz", x_train=images, y_train=np.zeros(4, int))
    code, out, err = invoke("duplicates", *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_images_that_are_files_are_named(invoke: Invoke, tmp_path: Path) -> None:
    for split in ("train", "test"):
        for number in range(6):
            folder = tmp_path / "pets" / split / ("cat", "dog")[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.full((8, 8), 40 * number, np.uint8)
            Image.fromarray(pixels).save(folder / f"{number} [x].png")
    np.save(tmp_path / "p.npy", np.tile([0.9, 0.1], (6, 1)))
    code, _, err = invoke("import", "predictions", "p.npy", "--dataset", "pets")
    assert (code, err) == (0, "")
    code, out, err = invoke("audit", "--top", "2", "--save", "a.png")
    assert (code, err) == (0, "")
    assert "     test/dog/1 [x].png\n" in out
    code, out, err = invoke("audit", "--index", "0")
    assert "file: test/cat/0 [x].png\n" in out
    code, out, err = invoke("duplicates", "--distance", "0", "--output", "a.json")
    assert "train/cat/0 [x].png" in out
    row = json.loads(Path("a.json").read_text(encoding="utf-8"))[0]
    assert {row["file_a"].split("/")[0], row["file_b"].split("/")[0]} == {"train", "test"}


def test_reconstruct(
    invoke: Invoke, shell: Shell, tmp_path: Path, make_dataset: Callable[..., Dataset],
    write_npz: Callable[[Path, Dataset], Path], without_torch: dict[str, str],
) -> None:  # fmt: skip
    """A capsule network's drawings in words, as JSON and as a picture."""
    source = write_npz(tmp_path / "bars.npz", make_dataset(train=60, test=30, shape=(13, 12, 3)))
    where = ("--study", "capsules")
    train = ("run", source, "--model", "efficient-capsnet", "--epochs", "1", "--device", "cpu")
    assert invoke(*train, *where)[0] == 0
    code, out, err = invoke("reconstruct", *where, "--top", "4", "--device", "cpu")
    assert (code, err) == (0, "drew 30 images\n")
    name = "efficient-capsnet-short-e1-s0.test.held-out"
    assert out.startswith(f"{name}: reconstructions of 30 images\n")
    assert "misread, as given 0." in out
    order = re.search(r"in this order: (\d+) misread, then (\d+) others that are difficult", out)
    assert order is not None
    assert int(order[1]) > 0
    assert len(re.findall("^ #", out, re.M)) == min(20, int(order[1]) + int(order[2]))
    assert out.endswith(f"figures/{name}.reconstructions.png\n")
    command = ("reconstruct", *where, "--index", "3", "--index", "5", "--save", "a.png", "--json")
    code, out, err = invoke(*command)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found) == {
        "predictions", "split", "origin", "images_reconstructed", "drawings_kept", "mean_error",
        "draws_alike", "images", "picture",
    }  # fmt: skip
    assert [row["index"] for row in found["images"]] == [3, 5]
    assert all(0 < row["error_predicted"] < 1 for row in found["images"])
    assert set(found["images"][0]) == {
        "index", "given", "predicted", "error_given", "error_predicted", "share_better",
    }  # fmt: skip
    with Image.open("a.png") as picture:
        assert picture.format == "PNG"
    code, out, err = invoke("reconstruct", *where, "--index", "3", "--turn", "--save", "t.png")
    assert (code, err) == (0, "")
    assert Path("t.png").exists()
    code, out, err = invoke("reconstruct", *where, "--model", "convnet")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "expected a run of a network with a decoder" in err
    # What is drawn already needs no PyTorch.
    again = ("reconstruct", *where, "--index", "3", "--save", "b.png")
    done = shell(*again, cwd=tmp_path, env=without_torch)
    assert (done.returncode, done.stderr) == (0, "")
    done = shell(*again, "--turn", cwd=tmp_path, env=without_torch)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("misread: drawing from a capsule needs an optional dependency: ")
    assert "pip install 'misread[torch]'" in done.stderr


@pytest.mark.parametrize("command", [("mistakes",), ("audit", "--top", "2")])
def test_a_study_that_cannot_be_written_is_told_of_all_the_same(
    invoke: Invoke,
    source: Path,
    probabilities: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    assert invoke("import", "predictions", probabilities, "--dataset", source)[0] == 0

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("misread.views.pictures.replacing", refuse)
    code, out, err = invoke(*command)
    assert code == 0
    assert "read as" in out
    assert err.startswith("no picture: can't write ")
    assert err.rstrip().endswith("Permission denied; --save puts it elsewhere")
    code, _, err = invoke(*command, "--save", "own.png")
    assert code == 2 and "save: can't write own.png" in err
