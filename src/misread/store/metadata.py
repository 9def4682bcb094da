"""The metadata of a study: one Parquet file for each split."""

from pathlib import Path

from misread.errors import MetadataError, StudyError
from misread.store.record import SAFE_NAME, StudyRecord
from misread.tables.metadata import Metadata, read_metadata, write_metadata


class StudyMetadata(StudyRecord):
    """A study, as far as metadata go."""

    def save_metadata(self, metadata: Metadata) -> Path:
        """Save what is known of a split's images, in place of what was saved before.

        Raises:
            MetadataError: It is about other images than the study's.
            StudyError: It can't be written.
        """
        path = self._metadata_file(metadata.split)
        self._check_metadata(path, metadata)
        try:
            write_metadata(path, metadata)
        except OSError as error:
            raise StudyError(f"{path}: can't write metadata here: {error.strerror}") from error
        return path

    def load_metadata(self, split: str) -> Metadata | None:
        """What is known of a split's images, None if nothing was imported.

        Raises:
            MetadataError: The file is damaged or about other images.
        """
        path = self._metadata_file(split)
        if not path.exists():
            return None
        metadata = read_metadata(path)
        self._check_metadata(path, metadata)
        return metadata

    def _metadata_file(self, split: str) -> Path:
        if not SAFE_NAME.fullmatch(split):
            raise StudyError(f"split {split!r}: expected a name that can name a file")
        return self.path / "metadata" / f"{split}.parquet"

    def _check_metadata(self, path: Path, metadata: Metadata) -> None:
        record = self.splits.get(metadata.split)
        known = None if record is None else (record.items_fingerprint, record.images)
        if path.stem != metadata.split or known != (metadata.items_fingerprint, len(metadata)):
            raise MetadataError(
                f"{path}: is about other images than {self.dataset_name}'s {path.stem} split in "
                f"{self.path}"
            )
