"""What cells of a sheet may hold: nothing that is taken for a formula, nothing too long."""

from __future__ import annotations

import json
import re
from unicodedata import category

CELL_CHARS = 32_767

Cell = str | int | float | bool | None

_CUT = " […]"
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")


def plain_text(text: str) -> str:
    """Return `text` with a quote before all that a sheet could take for a formula.

    That is any of `= + - @`, a tab or a line end, at the start of the text or of one of its lines,
    also after spaces of any kind. A plain decimal number stays as it is.
    """
    if _NUMBER.fullmatch(text):
        return text
    safe = "".join(f"'{line}" if _is_formula(line) else line for line in text.splitlines(True))
    return f"'{safe}" if safe.startswith(("\t", "\r", "\n")) else safe


def _is_formula(line: str) -> bool:
    """Whether the first character of a line that can be seen is a sign."""
    return next((c for c in line if category(c) not in _UNSEEN), "") in _SIGNS


def plain_cell(value: object) -> Cell:
    """Return a value as a cell: nested ones as JSON, no text that begins a formula."""
    if isinstance(value, str):
        return plain_text(value)
    return (
        value if value is None or isinstance(value, int | float) else plain_text(json_text(value))
    )


def json_text(value: object) -> str:
    """Return a value as JSON that people can read."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def sheet_cell(value: object) -> object:
    """Return what Excel can hold: no control characters, at most 32,767 characters."""
    if not isinstance(value, str):
        return value if not isinstance(value, int) or abs(value) < 1 << 53 else str(value)
    value = _ILLEGAL.sub("\ufffd", value.replace("\f", "\n"))
    # Excel counts UTF-16 units.
    units = value.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * CELL_CHARS:
        return value
    return units[: 2 * (CELL_CHARS - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def is_cut(value: object, held: object) -> bool:
    """Whether a cell of a sheet holds the beginning of a text only."""
    return isinstance(held, str) and held.endswith(_CUT) and held != value
