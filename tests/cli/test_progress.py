import io
import re
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from misread.cli.progress import CrossfitBar, RunBar
from misread.models import find_model
from misread.models.training import Progress
from misread.workflows.crossfit import CrossfitProgress


def steps(epochs: int = 2, each: int = 3, done: int = 0) -> Iterator[Progress]:
    for step in range(done + 1, epochs * each + 1):
        epoch = (step - 1) // each + 1
        yield Progress(epoch, epochs, step, epochs * each, 1 / step, 0.9, 1234.5)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A terminal; what is on it, without colours."""
    file = io.StringIO()
    monkeypatch.setattr(
        "misread.cli.progress.Console",
        lambda stderr: Console(file=file, force_terminal=True, width=120, legacy_windows=False),
    )
    return lambda: re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())


def test_without_a_terminal_each_epoch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with RunBar() as bar:
        for now in steps():
            bar.train(now)
        for done in (50, 100):
            bar.predict(done, 100)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "epoch 1/2  loss 0.333  accuracy 90.00%  1234 images/s",
        "epoch 2/2  loss 0.167  accuracy 90.00%  1234 images/s",
        "predicted 100 images",
    ]


def test_what_to_know_of_a_loss_is_said_once_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    note = find_model("em-capsnet").loss_note
    assert note == "its loss rises as its margin does: compare accuracies"
    assert find_model("capsnet").loss_note == ""
    with RunBar(note) as bar:
        for now in steps():
            bar.train(now)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == [note, "epoch 1/2", "epoch 2/2"]


@pytest.mark.parametrize(("repeats", "prefix"), [(1, ""), (2, "repeat 1/2 ")])
def test_without_a_terminal_each_fold_is_a_line(
    capsys: pytest.CaptureFixture[str], repeats: int, prefix: str
) -> None:
    with CrossfitBar() as bar:
        for fold in (1, 2):
            for now in steps():
                bar.step(CrossfitProgress(1, repeats, fold, 2, now))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"{prefix}fold {n}/2" for n in (1, 2)]
    assert "epoch 2/2  accuracy 90.00%  1234 images/s" in lines[0]


def test_a_terminal_shows_bars(screen: Callable[[], str]) -> None:
    with RunBar() as bar:
        for now in steps(done=3):
            bar.train(now)
        bar.predict(7_000, 70_000)
    shown = screen()
    assert "epoch 2/2" in shown
    assert "epoch 1/2" not in shown
    assert "loss 0.167" in shown
    assert "7,000 images" in shown
    assert "left" in shown


def test_a_terminal_shows_one_bar_over_all_folds(screen: Callable[[], str]) -> None:
    with CrossfitBar() as bar:
        for repeat in (1, 2):
            for fold in (1, 2):
                for now in steps():
                    progress = CrossfitProgress(repeat, 2, fold, 2, now)
                    bar.step(progress)
    assert progress.done == 1
    last = screen().rstrip().splitlines()[-1]
    assert last.startswith("repeat 2/2 fold 2/2 ")


@pytest.mark.parametrize("make", [RunBar, CrossfitBar])
def test_nothing_done_shows_nothing(
    screen: Callable[[], str], make: Callable[[], RunBar | CrossfitBar]
) -> None:
    with make():
        pass
    assert screen() == ""


def test_an_error_ends_the_bar(screen: Callable[[], str]) -> None:
    with pytest.raises(KeyboardInterrupt), CrossfitBar() as bar:
        bar.step(CrossfitProgress(1, 1, 1, 2, next(steps())))
        raise KeyboardInterrupt
    assert "fold 1/2" in screen()


def test_the_share_done_grows_evenly_to_the_whole() -> None:
    done = [
        CrossfitProgress(repeat, 2, fold, 3, now).done
        for repeat in (1, 2)
        for fold in (1, 2, 3)
        for now in steps(2, 2)
    ]
    assert done == pytest.approx([n / 24 for n in range(1, 25)])
