"""Images that lie as encoded files somewhere, and are decoded one at a time."""

from abc import ABC, abstractmethod
from pathlib import Path

from misread.datasets.pictures import browser_type, decode
from misread.types import Array


class EncodedImages(ABC):
    """Implements `Images` and `Previewed` on the content of image files."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def place(self, i: int) -> Path:
        """Where an image is, to be named in errors.

        Raises:
            IndexError: There is no such image.
        """

    @abstractmethod
    def content(self, i: int) -> bytes:
        """The file of an image.

        Raises:
            DatasetError: It can't be read, or has changed since the dataset was opened.
        """

    @abstractmethod
    def stamp(self, i: int, /) -> str:
        """Changes when the image does; a short text for names of files."""

    def __getitem__(self, i: int, /) -> Array:
        return decode(self.place(i), self.content(i))

    def preview(self, i: int, most: int, /) -> Array:
        """One image, with fewer pixels if that is faster, but enough for a side of `most`."""
        return decode(self.place(i), self.content(i), most)

    def original(self, i: int, most: int, /) -> tuple[bytes, str] | None:
        """The file as it is and its media type, if a browser may have it and it isn't larger."""
        content = self.content(i)
        media_type = browser_type(content, most)
        return None if media_type is None else (content, media_type)
