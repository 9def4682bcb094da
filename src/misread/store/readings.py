"""The reader study's files: the frozen plan, and readings that were simulated or made elsewhere."""

from pathlib import Path

from misread.errors import ReadingsError, StudyError
from misread.store.record import SAFE_NAME, StudyRecord
from misread.tables.answer_counts import AnswerCounts, read_counts, write_counts
from misread.tables.reading_plan import ReadingPlan, read_plan, write_plan
from misread.tables.readings import Readings
from misread.tables.readings_files import read_readings, write_readings


class StudyReadings(StudyRecord):
    """A study, as far as the files of its reader study go."""

    @property
    def plan_file(self) -> Path:
        """Where the plan of the reader study is kept."""
        return self.path / "readings" / "plan.json"

    def save_plan(self, plan: ReadingPlan, *, replace: bool = False) -> Path:
        """Freeze a plan; the same one again changes nothing, and `replace` puts it in place of one.

        Raises:
            ReadingsError: It is about other images than the study's, or can't be written.
            StudyError: Another plan is frozen already.
        """
        self._check_plan(plan)
        if self.plan_file.exists() and not replace:
            if read_plan(self.plan_file).hash == plan.hash:
                return self.plan_file
            raise StudyError(
                f"{self.plan_file}: holds another plan, frozen before the first answer; make the "
                "new one in another study, or move this one away with its readings"
            )
        write_plan(self.plan_file, plan)
        return self.plan_file

    def load_plan(self) -> ReadingPlan | None:
        """The frozen plan, None if there is none yet.

        Raises:
            ReadingsError: It is damaged, was changed, or is about other images.
        """
        if not self.plan_file.exists():
            return None
        plan = read_plan(self.plan_file)
        self._check_plan(plan)
        return plan

    def _check_plan(self, plan: ReadingPlan) -> None:
        target, record = plan.target, self.splits.get(plan.target.split)
        known = record and (record.images, record.items_fingerprint, record.labels_fingerprint)
        planned = (target.images, target.items_fingerprint, target.labels_fingerprint)
        if known != planned or target.classes != self.classes:
            raise ReadingsError(
                f"plan: is about other images, labels or classes than {self.dataset_name}'s "
                f"{target.split} split in {self.path}"
            )

    def save_readings(self, name: str, readings: Readings, *, replace: bool = False) -> Path:
        """Save readings that were simulated or made elsewhere, as a tidy table.

        Raises:
            ReadingsError: They are of no split of the study, the name can't name a file, or they
                can't be written.
            StudyError: Others lie under the name, and `replace` isn't set.
        """
        self._check_readings(name, readings)
        path = self._new_file(name, f"{name}.csv", replace)
        write_readings(path, readings)
        return path

    def list_readings(self) -> list[str]:
        """Names of the tables of readings, in order."""
        return sorted(file.stem for file in (self.path / "readings").glob("*.csv"))

    def load_readings(self, name: str) -> Readings:
        """Read readings that `list_readings` listed.

        Raises:
            ReadingsError: The file is missing or damaged, or they are of other images.
        """
        readings = read_readings(self._readings_file(name), self.classes)
        self._check_readings(name, readings)
        return readings

    def save_counts(
        self, name: str, split: str, counts: AnswerCounts, *, replace: bool = False
    ) -> Path:
        """Save how many people called each image of a split each class.

        Raises:
            ReadingsError: They are of other images or classes than the split's, the name can't name
                a file, or they can't be written.
            StudyError: Others lie under the name, and `replace` isn't set.
        """
        self._check_counts(name, split, counts)
        path = self._new_file(name, f"{name}.{split}.npz", replace)
        write_counts(path, counts)
        return path

    def list_counts(self) -> list[tuple[str, str]]:
        """Name and split of each table of counts, in order."""
        return sorted(
            (file.name.removesuffix(f".{split}.npz"), split)
            for split in self.splits
            for file in (self.path / "readings").glob(f"*.{split}.npz")
        )

    def load_counts(self, name: str, split: str) -> AnswerCounts:
        """Read counts that `list_counts` listed.

        Raises:
            ReadingsError: The file is missing or damaged, or they are of other images.
        """
        counts = read_counts(self.path / "readings" / f"{name}.{split}.npz", self.classes)
        self._check_counts(name, split, counts)
        return counts

    def _check_counts(self, name: str, split: str, counts: AnswerCounts) -> None:
        record = self.splits.get(split)
        outside = record is None or (len(counts) and counts.index[-1] >= record.images)
        if outside or counts.classes != self.classes:
            raise ReadingsError(
                f"counts {name}: expected those of images and classes of {self.dataset_name}'s "
                f"{split} split"
            )

    def _new_file(self, name: str, file: str, replace: bool) -> Path:
        if not SAFE_NAME.fullmatch(name):
            raise ReadingsError(f"readings {name!r}: expected a name that can name a file")
        path = self.path / "readings" / file
        if path.exists() and not replace:
            raise StudyError(
                f"{path}: holds readings already; give the new ones another name, or move the file "
                "away"
            )
        return path

    def _check_readings(self, name: str, readings: Readings) -> None:
        record = self.splits.get(readings.split)
        if record is not None and len(readings) and readings.index.max() >= record.images:
            row = int((readings.index >= record.images).argmax())
            raise ReadingsError(
                f"readings {name}: column 'index': expected 0 to {record.images - 1:,}, an image "
                f"of the {readings.split} split. Got {readings.index[row]} in row {row + 1}."
            )
        if record is None or readings.classes != self.classes:
            raise ReadingsError(
                f"readings {name}: expected those of images and classes of {self.dataset_name}'s "
                f"splits {', '.join(self.splits)}. Got others, of {readings.split!r}."
            )

    def _readings_file(self, name: str) -> Path:
        return self.path / "readings" / f"{name}.csv"
