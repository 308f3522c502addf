"""The few SVG pieces that plots are drawn from; all text is escaped, no style attribute is used."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

WIDTH = 352
"""Width of a plot in CSS pixels: it stands unscaled on a screen 400 pixels wide."""


def element(name: str, /, *children: str, **attributes: str | float) -> Markup:
    """Return an SVG element; children that aren't `Markup` are escaped.

    Parameters
    ----------
    name : str
    *children : str or Markup
    **attributes : str or float
        `class_` stands for `class`, underscores for hyphens.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), number(value))
        for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    # The element names are this package's own words; everything else was escaped above.
    return Markup(f"<{name}{written}>{inside}</{name}>")  # noqa: S704 -- names are ours, values escaped


def number(value: str | float) -> str:
    """Return a coordinate with at most two decimals; text as it is."""
    return value if isinstance(value, str) else f"{round(float(value), 2):g}"


def picture(title: str, summary: str, parts: Iterable[Markup], *, height: float) -> Markup:
    """Return a whole plot with its name and a summary in words for those who can't see it."""
    return element(
        "svg",
        element("title", title),
        element("desc", summary),
        *parts,
        class_="plot",
        role="img",
        width=WIDTH,
        height=height,
        viewBox=f"0 0 {WIDTH} {number(height)}",
    )


def label(
    text: str, x: float, y: float, kind: str = "", *, tail: bool = False, most: int = 20
) -> Markup:
    """Return a line of text, shortened with an ellipsis (in front if `tail`) and named whole."""
    shown = text
    if len(text) > most:
        shown = "…" + text[1 - most :] if tail else text[: most - 1] + "…"
    whole = [element("title", text)] if shown != text else []
    return element("text", shown, *whole, x=x, y=y, class_=kind)


def path(points: Iterable[tuple[float, float]], kind: str, *, closed: bool = False) -> Markup:
    """Return straight lines through `points`."""
    steps = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return element("polygon" if closed else "polyline", points=steps, class_=kind)
