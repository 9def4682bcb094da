"""The few SVG elements that charts are made of."""

from collections.abc import Iterable

from markupsafe import Markup, escape

Value = str | float

# Of text in a chart, in CSS pixels.
FONT = 12


def element(name: str, *inside: str, **attributes: Value) -> Markup:
    """One element; `_` in the name of an attribute stands for `-`, a trailing one is dropped.

    Args:
        name: Of the element.
        inside: Text, which is escaped, or elements, which are not.
        attributes: Its attributes; numbers are rounded to hundredths of a pixel.
    """
    parts = [
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
    ]
    content = "".join(escape(part) for part in inside)
    return Markup(f"<{name}{''.join(parts)}>{content}</{name}>")


def _text(value: Value) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def picture(title: str, width: float, height: float, kind: str, inside: Iterable[str]) -> Markup:
    """A whole chart, which says its title to those who don't see it.

    Args:
        title: What the chart shows, in a sentence.
        width: In CSS pixels.
        height: In CSS pixels.
        kind: Its class, for the style sheet.
        inside: Elements.
    """
    return element(
        "svg", *inside, class_=f"chart {kind}", role="img", aria_label=title,
        viewBox=f"0 0 {width:g} {height:g}", width=width, height=height,
    )  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def text(x: float, y: float, content: str, anchor: str = "start", kind: str = "label") -> Markup:
    """A line of text that stands on `y`; anchor is `start`, `middle` or `end`."""
    return element("text", content, x=x, y=y, text_anchor=anchor, class_=kind)


def path(points: Iterable[tuple[float, float]], kind: str) -> Markup:
    """A line through points."""
    steps = " ".join(f"{_text(float(x))},{_text(float(y))}" for x, y in points)
    return element("polyline", points=steps, class_=kind)
