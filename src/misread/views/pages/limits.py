"""How much a page shows, so that it stays usable for a thousand classes and a million images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Most of each kind on a page; what is left out is counted and said.

    Attributes:
        matrix: Classes up to which a confusion matrix is shown as a square; above, as a list.
        confusions: Pairs of classes in that list.
        classes: Classes in the list of errors per class, the worst.
        preview: Mistakes shown on the overview, for each result.
        groups: Given classes with their own group on a page of mistakes, the most misread.
        tiles: Images on a page of mistakes.
        audit: Rows of an audit.
        neighbours: Nearest training images beside each.
        columns: Columns of metadata that errors are broken down by.
        slices: Slices of each, the worst.
        curves: Models whose training is drawn, the newest.
        readers: Readers in the table of readers.
        narrowing: Readers whose narrowing interval is drawn.
        versus: Models that people are held against on the page, the newest.
        cell: Images in each cell of people against a model.
        called: Images that readers call something else.
        drawn: Images beside what a network drew of them.
        compared: Models side by side, those with the lowest error rates.
        pairs: Of these, how many have the images that only one of the two misreads.
        only: Such images, of each of the two.
    """

    matrix: int = 20
    confusions: int = 40
    classes: int = 40
    preview: int = 10
    groups: int = 100
    tiles: int = 2_000
    audit: int = 50
    neighbours: int = 8
    columns: int = 8
    slices: int = 12
    curves: int = 6
    readers: int = 100
    narrowing: int = 12
    versus: int = 6
    cell: int = 12
    called: int = 48
    drawn: int = 120
    compared: int = 40
    pairs: int = 8
    only: int = 12
