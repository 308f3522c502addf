"""Bytes → characters → clean paragraphs; plain text, Markdown and RTF."""

from __future__ import annotations

import codecs
import datetime as dt
import math
import re
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Any

from textclass.documents.content import Reading
from textclass.documents.document import Limits
from textclass.errors import DocumentError

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Both decode any bytes; what is declared so is often Windows' own, as browsers take it.
_TAKEN_FOR = {"iso8859-1": "cp1252", "ascii": "cp1252"}
_DEPTH = 50
_UNSAFE = re.compile("[\0\ud800-\udfff]")
_SAMPLE = 256 << 10
_NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # what cp1252 has no character for
_PLAIN = bytes(range(0x80)) + "…‘’“”•–—".encode("cp1252")
_ACCENTED = 1 / 6  # In a Latin script no larger share of the bytes are other letters,
_FEW_ACCENTED = 2  # but for texts of a word or two.
_CONTROLS = re.compile(r"[\x01-\x08\x0b-\x1f\x7f]")

_UNWRAPPED = 120  # A line longer than this wasn't broken by hand: it is a paragraph.

_QUOTED = re.compile(r"(?:(?!>From )>[ \t]?)*")  # mailboxes mark such a line
_QUOTED_WHOLE = re.compile(r"^(?:--[^\n]*\n\s*)?From:[^\n]*\n\s*(?:Sent|Date):", re.MULTILINE)

_FRONT_MATTER = re.compile(r"(---|\+\+\+)\n(?P<meta>.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
_NAMED_DATE = re.compile(r"""^date\s*[:=]\s*["']?([^"'\n]+)""", re.MULTILINE | re.IGNORECASE)
_HEX_PICTURE = re.compile(r"[0-9a-fA-F]{60,}")

# Each pattern stays within a line and stops at its own opening mark, so none backtracks far.
_MARKUP = {
    r"^(?:`{3,}|~{3,})[^\n]*$": "",
    r"^ {0,3}\[\^[^\]\n]+\]:[ \t]*": "\n",
    r"^ {0,3}\[[^\]\n]+\]:[ \t]*\S+(?:[ \t]+[\"'(][^\n]*)?$": "",
    r"!?\[([^\[\]\n]*)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)?\)|\[[^\[\]\n]*\])": r"\1",
    r"<(https?://[^\s<>]+)>": r"\1",
    r"</?[A-Za-z][^<>\n]*>": "",
    r"^ {0,3}#{1,6}[ \t]+([^\n]*?)[ \t#]*$": r"\n\1\n",
    r"^[ \t]*\|?[-: \t]*-{3}[-:| \t]*$": "",
    r"^ {0,3}(?:>[ \t]?)+": "",
    r"(?<![\w*\\])(\*\*|__|\*|_)(?=\S)([^*_\\\n]+)\1(?!\w)": r"\2",
    r"`([^`\n]+)`": r"\1",
    r"\\([\\`*_{}\[\]()#+.!|<>-])": r"\1",
}


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text that begins with `head`, or is it.

    By its BOM; UTF-8 if it is that; Windows' own if it is mostly ASCII; else the likeliest.
    """
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return name
    # A UTF-16 text in a Latin script has a zero in every other byte.
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    if max(even, odd) > len(head[:4096]) / 5 and min(even, odd) * 10 < max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    if _nearly_utf8(head):
        return "utf-8"
    accented = len(head.translate(None, _PLAIN))
    if accented <= max(_FEW_ACCENTED, _ACCENTED * len(head)) and not _NOT_WINDOWS.search(head):
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(head[:_SAMPLE]).best()
    return best.encoding if best else "cp1252"


def decode_text(data: bytes) -> str:
    """Return the text of a plain text file, whatever its encoding.

    Raises
    ------
    DocumentError
        If it is a document of another kind, or too long.
    """
    if is_binary(data[:4096]) or data.startswith((b"%PDF-", b"{\\rtf")):
        raise DocumentError("it isn't plain text")
    return decode(data, Limits().text_chars)


def is_binary(sample: bytes) -> bool:
    """Whether `sample` isn't Unicode, and holds too many control characters for any encoding."""
    encoding = encoding_of(sample)
    # With underscores it is a guess, and any bytes can be guessed to be UTF-16.
    if encoding.startswith(("utf-16", "utf-32")) or (encoding[:5] == "utf-8" and 0 not in sample):
        return False
    controls = len(sample.translate(None, bytes(range(32, 256)) + b"\t\n\r\f\b\x1b"))
    return controls > 1 and controls > len(sample) / 20


def _nearly_utf8(head: bytes) -> bool:
    """Whether a few damaged bytes at most keep `head` from being UTF-8."""
    text = head.decode("utf-8", "replace")
    wrong = text.count("\ufffd") - head.count("\ufffd".encode())
    whole = len(text) - len(text.encode("ascii", "ignore")) - wrong if wrong else 0
    return wrong <= 1 + whole // 20 if whole else wrong == 0


def undecoded(text: str) -> tuple[str, ...]:
    """Return, if so, that a text holds letters that its encoding doesn't have."""
    return ("letters that could not be decoded",) if "\ufffd" in text else ()


def decode(data: bytes, chars: int, *, declared: str = "") -> str:
    """Return the text of `data`; more than `chars` characters are refused.

    Bytes that are UTF-8 are believed before the encoding they are declared to be in.
    """
    encoding = encoding_of(data)
    if declared and (data.isascii() or not encoding.startswith("utf")):
        with suppress(LookupError, ValueError):
            name = codecs.lookup(declared).name
            if not name.startswith("utf"):
                "".encode(name)  # some codecs aren't for text
                encoding = _TAKEN_FOR.get(name, name)
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    refuse_longer(len(text), chars)
    return text


def refuse_longer(length: int, chars: int) -> None:
    """Raise if a text is longer than it may be."""
    if length > chars:
        raise DocumentError(f"its text is longer than {chars:,} characters", hint="split it")


def cut(text: str, opening: str, closing: str) -> str:
    """Return `text` without what stands between these marks, and without the marks.

    A mark that is never closed stays, with what follows: looking for its end again and again would
    take for ever on a text made of such marks.
    """
    flags = re.IGNORECASE | re.DOTALL | re.ASCII
    last = re.match(f".*{closing}", text, flags)
    end = last.end() if last else 0
    return re.sub(f"(?={opening}).*?{closing}", "", text[:end], flags=flags) + text[end:]


def spaced(text: str | None) -> str:
    """Return a piece of markup's text as it is shown: all white space is one space."""
    return re.sub(r"\s+", " ", text or "")


def tidy(text: str) -> str:
    """Return `text` with one kind of line break, no controls and one blank line at most."""
    text = re.sub(r"[\r\x85\u2028]", "\n", text.replace("\r\n", "\n"))
    text = re.sub(r"[\f\u2029]", "\n\n", text)
    text = _CONTROLS.sub(" ", make_safe(text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def set_apart(text: str) -> str:
    """Return `text` tidied; a form feed still parts what no passage may hold together."""
    return "\n\n\f".join(filter(None, map(tidy, re.split(r"\f+", text))))


def quotes_apart(text: str) -> str:
    """Return a mail's text with what it quotes, each depth by itself, set apart, without marks."""
    lines = text.split("\n")
    marked = [(m[0].count(">"), line[m.end() :]) for line in lines if (m := _QUOTED.match(line))]
    parts = ("\n".join(line for _, line in part) for _, part in groupby(marked, itemgetter(0)))
    return set_apart(_QUOTED_WHOLE.sub("\f\\g<0>", "\f".join(parts)))


def make_safe(text: str) -> str:
    """Return `text`, of the same length, with lone surrogates and NULs replaced by U+FFFD."""
    return _UNSAFE.sub("\ufffd", text)


def plain(value: object, depth: int = 0) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return a cell's value as JSON can hold it; times, decimals and huge numbers are strings."""
    if depth > _DEPTH:
        raise DocumentError(f"a column is nested more than {_DEPTH} levels deep")
    if isinstance(value, bool | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 64:
        return value
    if isinstance(value, dict):
        return {make_safe(str(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dt.datetime | dt.date | dt.time):
        value = value.isoformat()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    return make_safe(str(value))


def iso_date(value: object) -> str | None:
    """Return a date or time in ISO 8601, or None if `value` isn't one."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, str):
        for kind in (dt.date, dt.datetime):
            with suppress(ValueError):
                return kind.fromisoformat(value.strip()).isoformat()
    return None


def read_text(data: bytes, limits: Limits) -> Reading:
    """Return a plain text; one paragraph a line where no blank line separates them."""
    text = tidy(decode(data, limits.text_chars))
    if "\n\n" not in text and max(map(len, text.split("\n"))) > _UNWRAPPED:
        text = text.replace("\n", "\n\n")
    return Reading(text)


def read_markdown(data: bytes, limits: Limits) -> Reading:
    """Return a Markdown text without its front matter and most of its markup."""
    text = tidy(decode(data, limits.text_chars))
    date = None
    front = _FRONT_MATTER.match(text)
    if front:
        text = text[front.end() :]
        named = _NAMED_DATE.search(front["meta"])
        date = iso_date(named[1]) if named else None
    text = cut(text, "<!--", "-->")
    for pattern, by in _MARKUP.items():
        text = re.sub(pattern, by, text, flags=re.MULTILINE)
    return Reading(tidy(text), date=date)


def read_rtf(data: bytes, limits: Limits) -> Reading:  # noqa: ARG001 - as all readers
    """Return the text of an RTF file, its notes where they are called."""
    from striprtf.striprtf import rtf_to_text

    # The hexadecimal digits of pictures would be walked one by one, for nothing.
    source = _HEX_PICTURE.sub("", data.decode("latin-1"))
    kinds = {"\\shptxt": "text boxes", "\\objdata": "embedded files"}
    unread = tuple(told for mark, told in kinds.items() if mark in source)
    # striprtf leaves notes out.
    source = re.sub(r"(?:\\\*)?\\(?:footnote|annotation)\b", r"\\par ", source)
    text = rtf_to_text(source, encoding="cp1252", errors="replace")  # type: ignore[no-untyped-call]  # it has no types
    return Reading(re.sub(r"\n+", "\n\n", tidy(text)), unread=unread)
