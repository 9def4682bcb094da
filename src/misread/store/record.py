"""What `study.toml` says: which dataset a study is of."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import tomli_w

from misread.datasets import Dataset
from misread.errors import StudyError
from misread.files import write_text

FORMAT = 1
FILE = "study.toml"
SAFE_NAME = re.compile(r"[\w+=,@-][\w.+=,@-]{0,99}")


@dataclass(frozen=True)
class SplitRecord:
    """What the study remembers of one split of its dataset.

    Attributes:
        images: Number of images.
        items_fingerprint: Of the images.
        labels_fingerprint: Of the given labels.
    """

    images: int
    items_fingerprint: str
    labels_fingerprint: str


@dataclass(frozen=True)
class StudyRecord:
    """The folder of a study and what its `study.toml` says; `Study` tells of the fields."""

    path: Path
    dataset_name: str
    source: str
    classes: tuple[str, ...]
    splits: dict[str, SplitRecord]
    note: str = ""

    def write(self) -> None:
        """Write `study.toml`.

        Raises:
            StudyError: It can't be written.
        """
        content = {
            "format": FORMAT,
            "note": self.note,
            "dataset": {
                "name": self.dataset_name,
                "source": self.source,
                "classes": list(self.classes),
            },
            "splits": {name: vars(record) for name, record in self.splits.items()},
        }
        try:
            write_text(self.path / FILE, tomli_w.dumps(content))
        except (OSError, ValueError) as error:
            raise StudyError(f"{self.path}: can't write a study here: {error}") from error

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether this folder holds a study."""
        return (path / FILE).exists()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the study in this folder.

        Raises:
            StudyError: There is none, it is damaged, or of a newer format.
        """
        path = Path(path)
        file = path / FILE
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StudyError(
                f"{path}: expected a study, found no {FILE}; `misread run mnist` or "
                "`misread demo` makes one"
            ) from None
        except (OSError, ValueError) as error:
            raise StudyError(f"{file}: expected a study's TOML file: {error}") from error
        if content.get("format") != FORMAT:
            raise StudyError(
                f"{file}: expected format {FORMAT}. Got {content.get('format')!r} instead; "
                "another version of misread wrote it"
            )
        return cls._parse(path, content)

    @classmethod
    def _parse(cls, path: Path, content: dict[str, Any]) -> Self:
        try:
            dataset = content["dataset"]
            study = cls(
                path=path,
                dataset_name=dataset["name"],
                source=dataset["source"],
                classes=tuple(dataset["classes"]),
                splits={name: SplitRecord(**record) for name, record in content["splits"].items()},
                note=content.get("note", ""),
            )
            texts = [study.dataset_name, study.source, study.note, *study.classes]
            for record in study.splits.values():
                texts += [record.items_fingerprint, record.labels_fingerprint]
                if type(record.images) is not int:
                    raise TypeError("images must be a whole number")
            if not all(isinstance(text, str) for text in texts):
                raise TypeError("expected texts")
            return study
        except (KeyError, TypeError, AttributeError) as error:
            raise StudyError(f"{path / FILE}: damaged: {error!r}") from error


def split_records(dataset: Dataset) -> dict[str, SplitRecord]:
    """What a study remembers of each split of this dataset."""
    return {
        name: SplitRecord(len(split), split.items_fingerprint, split.labels_fingerprint)
        for name, split in dataset.splits.items()
    }
