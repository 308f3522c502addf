"""Which paragraphs of a page are advertising, navigation and the like."""

from __future__ import annotations


def boilerplate(paragraph: str) -> bool:
    return False


def boilerplate_spans(text: str) -> tuple[tuple[int, int], ...]:
    return ()
