"""Where links lead and how images are shown: what the report and the gallery differ in."""

from typing import Literal, Protocol

from markupsafe import Markup

from misread.views.pages.parts import Picture

Size = Literal["small", "normal", "large"]


class Links(Protocol):
    """What a renderer asks while it renders a page."""

    def mistakes(
        self, key: str, given: int | None = None, predicted: int | None = None
    ) -> str | None:
        """URL of the mistakes of a result, of one given class, or of one pair of classes.

        Args:
            key: `Result.key`.
            given: Number of the given class.
            predicted: Number of the predicted class.

        Returns:
            The URL, None if these images aren't shown anywhere.
        """

    def audit(self, split: str) -> str | None:
        """URL of the audit of a split, None if there is none."""

    def compare(self, split: str) -> str | None:
        """URL of a split's models side by side, None if they aren't shown."""

    def methods(self) -> str | None:
        """URL of the methods, None if there are none."""

    def image(self, picture: Picture) -> str | None:
        """URL of all that is known of one image, None if that isn't shown anywhere.

        Args:
            picture: Which.
        """

    def tile(self, picture: Picture, label: str, size: Size = "normal") -> Markup:
        """An image as an element, pixels exact.

        Args:
            picture: Which.
            label: What it says to those who don't see it.
            size: About how large: beside text, in a grid, or by itself.
        """
