"""The blog post as a script: train, evaluate, and show what is misread, test and training split.

    python examples/post.py                                the post's network and recipe, 20 epochs
    python examples/post.py --model quick --epochs 1       a first look, in seconds to a minute
    python examples/post.py --model quick --epochs 1 --images 2000

Needs PyTorch: pip install 'misread[torch]'. Pictures go to the folder `post`, or to `--output`.
Nothing but the pictures is kept; `misread run mnist --recipe post` also keeps a study.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import misread
from misread.analysis.intervals import wilson

if TYPE_CHECKING:
    from misread.models.training import Progress

# Mistakes in 10,000 test digits, as others quote their error rates; not measured here.
QUOTED = {"the post": 62, "capsule networks": 25}
TEST_DIGITS = 10_000


def main() -> None:
    """Train, evaluate, and draw both splits."""
    options = parse()
    digits = misread.load("mnist")
    if options.images is not None:
        digits = first_images(digits, options.images)
    run = misread.train(
        digits,
        model=options.model,
        recipe="post",
        epochs=options.epochs,
        seed=options.seed,
        on_step=report,
    )
    print(f"{run.card.name}: {run.card.parameters:,} parameters, {run.card.seconds:.0f} s")
    show("test", digits.test, run.test, options.output)
    show("train", digits.train, run.train, options.output)
    print("as quoted, for the 10,000 test digits, with Wilson's 95% interval:")
    for name, count in QUOTED.items():
        print(f"  {name}: {wilson(count, TEST_DIGITS)}")


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="convnet", help="convnet (the post's, default) or quick")
    parser.add_argument("--epochs", type=int, help="another number than the post's 20")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, help="only the first N digits of each split")
    parser.add_argument("--output", type=Path, default=Path("post"), help="folder of the pictures")
    return parser.parse_args()


def first_images(digits: misread.Dataset, count: int) -> misread.Dataset:
    """The first images of each split, as a dataset of their own."""
    splits = {
        name: split.take(range(min(count, len(split)))) for name, split in digits.splits.items()
    }
    return misread.Dataset(f"mnist-{count}", digits.classes, splits, "mnist", digits.licence)


def report(now: "Progress") -> None:
    """Print a line at the end of each epoch."""
    if now.step * now.epochs % now.steps == 0:
        print(
            f"epoch {now.epoch}/{now.epochs}  loss {now.loss:.4f}  "
            f"accuracy {100 * now.accuracy:.2f}%  {now.images_per_second:.0f} images/s",
            flush=True,
        )


def show(name: str, split: misread.Split, predictions: misread.Predictions, output: Path) -> None:
    """Print the error rates of a split and save one grid per given class."""
    evaluation = misread.evaluate(predictions)
    print(f"\n{name} split, {predictions.provenance.origin}: error rate {evaluation.error}")
    for row in evaluation.classes:
        read_as = ", ".join(f"{predictions.classes[c]} x{n}" for c, n in row.read_as)
        print(f"  given {predictions.classes[row.given]}: {row.error}  {read_as}")
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    grids = misread.mistakes(split, predictions).plot(rows=3, columns=4)
    for given, figure in grids.figures.items():
        figure.savefig(folder / f"given-{given}.png")
    print(f"  pictures: {folder}")


if __name__ == "__main__":
    try:
        main()
    except misread.MisreadError as error:
        sys.exit(f"post.py: {error}")
