"""What a capsule network thinks it saw: reconstructions of a split, and a capsule turned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.analysis.panel import score_panel
from misread.datasets import Dataset, Split
from misread.errors import ParameterError, StudyError
from misread.models import MODELS, Card
from misread.models.recipe import fill_in
from misread.store import Study
from misread.tables import Origin, Provenance, Reconstructions
from misread.types import Array, ByteArray, FloatArray, IndexArray, IntArray
from misread.views.pictures import check_png, save_picture
from misread.views.reconstructions import Turned, draw_reconstructions, draw_turned
from misread.views.reference import of_all_images
from misread.workflows.training import require_torch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from misread.models.capsules import VectorCapsules

# Drawings of mistakes that are kept, the most confident ones.
_MOST_MISTAKES = 1_000
# Images in a picture; more make one that nobody scrolls through.
_MOST_ROWS = 60
# What is added to a number of a capsule: section 5.1 of Sabour, Frosst & Hinton (2017).
TURNS = np.round(np.arange(-5, 6) * 0.05, 2)

_WHAT = "drawing from a capsule"


@dataclass(frozen=True, eq=False)
class ShownReconstructions:
    """Reconstructions of a split, and what was drawn of them.

    Attributes:
        table: Errors of all images, drawings of some.
        split: The images.
        shown: Positions of the images that are shown: those that were asked for, or the mistakes
            and then other difficult images, the most difficult of each first.
        asked: Whether they were asked for.
        by_panel: Whether the most difficult images are those that the panel finds so; otherwise
            those that are drawn worst, as nothing has predicted the split out of sample.
        picture: The picture; None if nothing is shown.
    """

    table: Reconstructions
    split: Split
    shown: IntArray
    asked: bool
    by_panel: bool
    picture: Path | None


def reconstruct(
    study: Study,
    split: str = "test",
    model: str | None = None,
    *,
    top: int = 50,
    index: Sequence[int] = (),
    device: str = "auto",
    dataset: Dataset | None = None,
    on_images: Callable[[int, int], None] | None = None,
) -> Reconstructions:
    """Draw a split's images from their capsules, and keep in the study how far each is off.

    Errors are kept of all images; drawings of the network's mistakes (of more than 1,000 the most
    confident and the most difficult ones), of other difficult images, and of those that are asked
    for. What the study has already is kept.

    Args:
        study: Has a run of a network with a decoder.
        split: Which split.
        model: A model or run; None for the newest one that has a decoder.
        top: Number of difficult images beside the mistakes, 0 or more: those with the highest
            difficulty of the panel, or, where nothing has predicted the split out of sample, those
            that are drawn worst.
        index: Positions of further images.
        device: `auto`, `cpu`, `cuda` or `mps`.
        dataset: The study's dataset, where it is loaded already.
        on_images: Called with the images done and those there are.

    Returns:
        The table that was kept.

    Raises:
        StudyError: There is no run of a network with a decoder, or its weights are missing.
        ParameterError: There is no such image, or `top` is below 0.
        MissingExtraError: PyTorch isn't installed.

    Example:
        ```python
        study = misread.Study.open(Path("mnist-study"))
        table = misread.reconstruct(study, model="efficient-capsnet")
        table.error_predicted.mean()
        ```
    """
    artist = _Artist.find(study, split, model, device, dataset)
    return artist.reconstruct(top, index, on_images)


def show_reconstructions(
    study: Study,
    split: str = "test",
    model: str | None = None,
    *,
    top: int = 50,
    index: Sequence[int] = (),
    turn: bool = False,
    save: Path | None = None,
    device: str = "auto",
    on_images: Callable[[int, int], None] | None = None,
) -> ShownReconstructions:
    """Reconstruct a split and draw its difficult images beside what the network drew of them.

    Args:
        study: Has a run of a network with a decoder.
        split: Which split.
        model: A model or run; None for the newest one that has a decoder.
        top: Number of difficult images beside the mistakes, 0 or more.
        index: Show these images instead.
        turn: Show one image with its capsules turned, a number at a time, instead.
        save: A `.png` file; None for one in the study's figures.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_images: Called with the images done and those there are.

    Raises:
        ParameterError: As `reconstruct`, or `turn` without exactly one image.
        MisreadError: As `reconstruct`.
    """
    check_png(save)
    if turn and len(index) != 1:
        raise ParameterError(f"turn: expected exactly one image (--index). Got {len(index)}.")
    artist = _Artist.find(study, split, model, device, None)
    table = artist.reconstruct(top, index, on_images)
    difficulty, by_panel = artist.difficulty(table)
    shown = np.asarray(index, np.int64)
    if not len(index):
        wanted = _mistakes_and(artist.outcomes, difficulty, top)
        shown = artist.outcomes.index[wanted].astype(np.int64)
    picture = None
    if len(shown):
        figure = artist.plot_turned(int(shown[0])) if turn else artist.plot(table, shown, by_panel)
        name = f"{table.provenance.name}.{_suffix(index, turn)}.png"
        picture = save_picture(figure, study.figures / name if save is None else Path(save))
    return ShownReconstructions(table, artist.images, shown, bool(len(index)), by_panel, picture)


@dataclass(frozen=True, eq=False)
class _Artist:
    """A run whose network draws, and the split that it draws.

    Attributes:
        study: Where the run is.
        provenance: Of its predictions of the split.
        images: The split.
        outcomes: What it predicts.
        device: Where to draw.
    """

    study: Study
    provenance: Provenance
    images: Split
    outcomes: Outcomes
    device: str

    @classmethod
    def find(
        cls, study: Study, split: str, model: str | None, device: str, dataset: Dataset | None
    ) -> "_Artist":
        """The newest run that can draw, with what it predicts."""
        provenance = _find_run(study, split, model)
        images = (dataset or study.load_dataset()).splits[split]
        outcomes = read_outcomes(study.open_predictions(provenance))
        return cls(study, provenance, images, outcomes, device)

    def reconstruct(
        self, top: int, index: Sequence[int], on_images: Callable[[int, int], None] | None
    ) -> Reconstructions:
        """The study's table, made or completed."""
        if top < 0:
            raise ParameterError(f"top must be 0 or more. Got {top} instead.")
        outcomes = self.outcomes
        unknown = np.setdiff1d(np.asarray(index, np.int64), outcomes.index)
        if len(unknown):
            raise ParameterError(
                f"index: expected images of the {self.images.name} split that "
                f"{self.provenance.run_name} predicts, 0 to {len(self.images) - 1}. "
                f"Got {unknown[0]} instead."
            )
        before = self.study.load_reconstructions(self.provenance)
        table = before or self._measure(on_images)
        difficulty, _ = self.difficulty(table)
        wanted = outcomes.index[_mistakes_and(outcomes, difficulty, top)]
        wanted = np.union1d(np.union1d(wanted, np.asarray(index, np.int64)), table.drawn)
        if before is not None and len(wanted) == len(table.drawn):
            return table
        table = self._draw(table, wanted.astype(np.int32))
        self.study.save_reconstructions(table)
        return table

    def _measure(self, on_images: Callable[[int, int], None] | None) -> Reconstructions:
        """The errors of all images, without a drawing."""
        done, total = 0, len(self.outcomes)

        def count(images: int) -> None:
            nonlocal done
            done += images
            if on_images is not None:
                on_images(done, total)

        rows = np.arange(total)
        network = self._network
        errors: FloatArray = require_torch("reconstruction", _WHAT).reconstruction_errors(
            network, self._part(rows), self._classes(rows), count
        )
        height, width, channels = self._card.shape
        nothing = np.empty((0, height, width, channels), np.uint8)
        return Reconstructions(
            index=self.outcomes.index,
            given=self.outcomes.given,
            predicted=self.outcomes.predicted,
            error_given=errors[:, 0].copy(),
            error_predicted=errors[:, 1].copy(),
            drawn=np.empty(0, np.int32),
            as_given=nothing,
            as_predicted=nothing,
            provenance=self.provenance,
        )

    def _draw(self, table: Reconstructions, wanted: IndexArray) -> Reconstructions:
        """The table with drawings of the images at these positions."""
        rows = np.searchsorted(table.index, wanted)
        network = self._network
        drawings = _to_bytes(
            require_torch("reconstruction", _WHAT).reconstruct(
                network, self._part(rows), self._classes(rows)
            )
        )
        as_given, as_predicted = drawings[:, 0].copy(), drawings[:, 1].copy()
        return replace(table, drawn=wanted, as_given=as_given, as_predicted=as_predicted)

    def difficulty(self, table: Reconstructions) -> tuple[FloatArray, bool]:
        """Of each image, and whether it is the panel's: the entropy of its mean probabilities."""
        members = [
            provenance
            for provenance in self.study.list_predictions(self.provenance.split)
            if provenance.origin != Origin.IN_SAMPLE
        ]
        if not members:
            return table.error_predicted, False
        members = of_all_images(self.study, self.provenance.split, members)[0] or members
        panel = score_panel([self.study.open_predictions(member) for member in members])
        found = np.zeros(len(self.images), np.float32)
        found[panel.index] = panel.entropy
        return found[table.index], True

    def plot(self, table: Reconstructions, shown: IntArray, by_panel: bool) -> "Figure":
        """Images beside what was drawn of them."""
        return draw_reconstructions(self.images, table, shown[:_MOST_ROWS], len(shown), by_panel)

    def plot_turned(self, index: int) -> "Figure":
        """One image as the given and as the predicted class, each number of the capsule turned."""
        row = int(np.searchsorted(self.outcomes.index, index))
        image = self._part(np.array([row])).pixels("drawing")[0]
        network, turn = self._network, require_torch("reconstruction", _WHAT).turn
        blocks = []
        for label in dict.fromkeys(self._classes(np.array([row]))[0].tolist()):
            drawings = _to_bytes(turn(network, image, label, TURNS))
            blocks.append(Turned(label, TURNS, drawings))
        return draw_turned(
            self.images, index, int(self.outcomes.given[row]), blocks, self.provenance
        )

    @cached_property
    def _card(self) -> Card:
        return Card.read(self.study.model_file(self.provenance.run_name, ".json"))

    @cached_property
    def _network(self) -> "VectorCapsules":
        weights = _weights(self.study, self._card.name)
        if not weights.exists():
            # Before PyTorch is loaded, which takes seconds.
            raise _no_weights(self.study, [self._card.name])
        saved = require_torch("saved", _WHAT)
        device = require_torch("runtime", _WHAT).pick_device(self.device)
        network: VectorCapsules = require_torch("reconstruction", _WHAT).find_decoder(
            saved.read_network(self._card, weights, device)
        )
        return network

    def _part(self, rows: IntArray) -> Split:
        """The images in these rows of the predictions."""
        if len(rows) == len(self.images):
            return self.images
        return self.images.take(self.outcomes.index[rows])

    def _classes(self, rows: IntArray) -> Array:
        """(M, 2): given and predicted class of each."""
        return np.stack([self.outcomes.given[rows], self.outcomes.predicted[rows]], axis=1)


def _find_run(study: Study, split: str, model: str | None) -> Provenance:
    """The newest predictions of a split by a network with a decoder whose weights are there."""
    if split not in study.splits:
        raise ParameterError(
            f"split: expected one of {', '.join(study.splits)}. Got {split!r} instead."
        )
    listed = study.list_predictions(split, model)
    decoding = [provenance for provenance in listed if _has_decoder(study, provenance)]
    for provenance in decoding:
        if _weights(study, provenance.run_name).exists():
            return provenance
    # What a network drew while its weights were there can be shown again.
    for provenance in decoding:
        if study.load_reconstructions(provenance) is not None:
            return provenance
    if decoding:
        raise _no_weights(study, [provenance.run_name for provenance in decoding])
    wanted = ", ".join(name for name, spec in MODELS.items() if spec.decoder)
    found = ", ".join(dict.fromkeys(p.run_name for p in listed)) or "none at all"
    raise StudyError(
        f"{study.path}: expected a run of a network with a decoder ({wanted}) that predicts "
        f"{split}{f' by {model!r}' if model else ''}, found {found}; "
        "`misread run DATASET --model efficient-capsnet` makes one"
    )


def _weights(study: Study, run: str) -> Path:
    """Where a run's weights lie."""
    return study.model_file(run, ".safetensors")


def _no_weights(study: Study, runs: Sequence[str]) -> StudyError:
    """That runs with a decoder are there, but not what was learned; and the way out."""
    if study.note:
        way = (
            "the demo has no weights; "
            f"`misread run {study.dataset_name} --model efficient-capsnet` trains a network"
        )
    else:
        way = "`misread run DATASET --model efficient-capsnet --fresh` trains one anew"
    return StudyError(f"{study.path}: expected weights of {', '.join(runs)}, found none: {way}")


def _has_decoder(study: Study, provenance: Provenance) -> bool:
    """Whether the network of a run has a decoder that a loss has reached."""
    spec = MODELS.get(provenance.model)
    card_file = study.model_file(provenance.run_name, ".json")
    # A cross-fit's record lies under the same kind of name, and its networks are gone.
    if spec is None or not spec.decoder or provenance.repeat is not None or not card_file.exists():
        return False
    # A decoder that no loss has reached draws noise.
    return bool(fill_in(Card.read(card_file).recipe)["reconstruction"] != "none")


def _mistakes_and(outcomes: Outcomes, difficulty: FloatArray, top: int) -> IntArray:
    """Rows of the mistakes, then of the other most difficult images; the hardest of each first.

    Of many mistakes the most confident ones, and the `top` most difficult.
    """
    hardest = np.argsort(-difficulty, kind="stable")
    wrong, others = hardest[outcomes.wrong[hardest]], hardest[~outcomes.wrong[hardest]]
    confidence = outcomes.p_predicted[wrong]
    kept = np.zeros(len(wrong), bool)
    kept[np.argsort(-confidence, kind="stable")[:_MOST_MISTAKES]] = True
    kept[:top] = True
    found: IntArray = np.concatenate([wrong[kept], others[:top]])
    return found


def _to_bytes(drawings: FloatArray) -> ByteArray:
    """Values in [0, 1] as uint8."""
    return np.rint(drawings * 255).astype(np.uint8)


def _suffix(index: Sequence[int], turn: bool) -> str:
    """What a picture's name ends in: which images it shows."""
    if not len(index):
        return "reconstructions"
    more = f"-and-{len(index) - 1}-more" if len(index) > 1 else ""
    return f"{'turned' if turn else 'reconstructed'}-{index[0]}{more}"
