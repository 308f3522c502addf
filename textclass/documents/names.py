"""File and member names: shown safely, and kept inside their folder."""

from __future__ import annotations

import re

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE
)
_COMPONENT_BYTES = 255


def visible(name: str) -> str:
    r"""Return `name` with what can't be shown or stored escaped; different names stay different.

    Bytes that aren't UTF-8 (lone surrogates, as `os.fsdecode` makes them) become `\xff`, control
    and direction characters `\u0007`.
    """
    return _UNSEEN.sub(_escape, name)


def _escape(match: re.Match[str]) -> str:
    point = ord(match.group())
    return f"\\x{point - 0xDC00:02x}" if 0xDC80 <= point <= 0xDCFF else f"\\u{point:04x}"


def name_fault(name: str) -> str | None:
    """Return why an archive member may not be called `name`, or None if it may."""
    parts = re.split(r"[/\\]", name)
    if not name.strip():
        return "its name is empty"
    if re.search(r"[\x00-\x1f\x7f]", name):
        return "its name holds control characters"
    if any(not part or re.match(r"[A-Za-z]:", part) for part in parts):
        return "its name is or holds an absolute path"
    if any(part.strip(" ") in {".", ".."} for part in parts):
        return "its name leads out of the archive's folder"
    if any(_RESERVED.fullmatch(part.split(".")[0].split(":")[0].strip(" ")) for part in parts):
        return "its name is reserved on Windows"
    if any(len(part.encode("utf-8", "replace")) > _COMPONENT_BYTES for part in parts):
        return f"its name is longer than {_COMPONENT_BYTES} bytes"
    return None
